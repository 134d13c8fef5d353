"""What readers give, and what they share: drafts, decoding, a stamp near the top."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import date

from htxsearch.article import Dropped, Rejected
from htxsearch.ingest.furniture import Sorting, sort_lines
from htxsearch.ingest.metadata import Known, Unreadable
from htxsearch.text.dates import find_date, stamp
from htxsearch.text.encodings import Decoded, Undecided, decoded, repaired
from htxsearch.text.normalize import key, nfc
from htxsearch.text.tokens import tokens

__all__ = ["NO_TEXT", "Draft", "Line", "Reader", "after_stamp", "decode", "document", "same_text", "take_stamps"]

_LETTERHEAD = re.compile(
    r"CỘNG H(?:ÒA|OÀ) XÃ HỘI CHỦ NGHĨA VIỆT NAM|Độc lập\s*[-–]\s*Tự do\s*[-–]\s*Hạnh phúc.{0,3}|ĐẢNG CỘNG SẢN VIỆT NAM"
    r"|(?:ỦY|UỶ) BAN (?:NHÂN DÂN|TRUNG ƯƠNG).*"
    r"|(?:BỘ|SỞ|HỘI ĐỒNG|LIÊN MINH|TỈNH ỦY|TỈNH UỶ|CHI CỤC|CỤC|QUỐC HỘI|CHÍNH PHỦ)\b[^a-zà-ỹ]*"
    r"|Số\s*:.{0,40}|[^\d,]{2,40}, ngày \d.{0,40}|[-–—_*. ]+"
)
_KIND = re.compile(
    r"BÁO CÁO|QUYẾT ĐỊNH|NGHỊ QUYẾT|NGHỊ ĐỊNH|THÔNG TƯ|CHỈ THỊ|KẾ HOẠCH|TỜ TRÌNH|THÔNG BÁO|CÔNG VĂN|ĐỀ ÁN|CHƯƠNG TRÌNH"
    r"|LUẬT|HƯỚNG DẪN|KẾT LUẬN"
)
NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""What no text holds: NUL, and halves of characters."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a reader makes of a file or line: its text, what it says about itself, which line it is, what was left out.

    `member` tells where in a file of several it stands (`/name` in an archive, `:3` in a table), and ends its id.
    `lines` are those that are counted to learn what repeats in a source, none if nothing is learnt from such files;
    `again` makes the draft anew, given the `furniture.block` of lines that repeat.
    """

    body: str
    known: Known
    id: str | None = None
    line: int | None = None
    dropped: tuple[Dropped, ...] = ()
    member: str = ""
    lines: tuple[str, ...] = ()
    again: "Callable[[Set[str]], Draft] | None" = None


@dataclass(frozen=True, slots=True)
class Line:
    """A JSON line that is not read yet."""

    text: str
    number: int


Reader = Callable[[bytes], Iterator["Draft | Line | Rejected"]]
"""Takes a file's bytes and yields what it holds. Raises Unreadable if that is nothing."""


def decode(data: bytes, *, composed: bool = True) -> str:
    """Return the text of bytes in any encoding that `text.encodings` knows. Raises Unreadable."""
    try:
        text = decoded(data).text
    except Undecided as error:
        raise Unreadable(str(error)) from error
    if "\0" in text:
        raise Unreadable("it holds NUL bytes, so it is no text file")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return nfc(text) if composed else text


def after_stamp(lines: list[str], known: Known) -> Iterator[Draft]:
    """Drop furniture and take the first stamp near the top as the date."""
    sorting = sort_lines(lines)
    below, above = take_stamps(sorting)
    yield Draft("\n".join(sorting.kept()), known.or_else(Known(date=above or below)), dropped=sorting.dropped())


def document(lines: Iterable[str], known: Known, *, headings: Sequence[int] = (), dropped: tuple[Dropped, ...] = ()) -> Draft:
    """Return a document that came as lines, with its title and date; `headings` are the numbers of lines set as such.

    The title is the first heading near the top, else the first line that is no letterhead, with the next one if it only
    says what kind of document it is (BÁO CÁO); else what `known` says, for office programs often keep an older one's.
    """
    text = "\n".join(line.replace("\n", " ") for line in lines)
    mended = repaired(text) or Decoded(text, "")
    numbered = [(number, nfc(" ".join(line.split()))) for number, line in enumerate(mended.text.split("\n"))]
    texts = [(number, line) for number, line in numbered if line]
    at = next((place for place, (number, _) in enumerate(texts[:20]) if number in set(headings)), None)
    if at is None:
        at = next((place for place, (_, line) in enumerate(texts[:20]) if not _LETTERHEAD.fullmatch(line)), None)
    day = next((day for _, line in texts[:20] if (day := stamp(line) or _signed(line))), None)
    kept = [line for _, line in texts]
    title = None
    if at is not None and len(tokens(kept[at])) <= 60:
        count = 2 if _KIND.fullmatch(kept[at]) and at + 1 < len(kept) else 1
        title = " ".join(kept[at : at + count])
        del kept[at : at + count]
    found = Known(title=title, date=day)
    return Draft("\n".join(kept), found.or_else(known), dropped=dropped)


def _signed(line: str) -> date | None:
    """Return the date of a line such as "Nam Định, ngày 5 tháng 3 năm 2021"."""
    return find_date(line) if re.fullmatch(r"[^\d,]{2,40}, ngày \d.{8,30}", line) else None


def take_stamps(sorting: Sorting, title: int | None = None) -> tuple[date | None, date | None]:
    """Drop the stamps among the first eight lines and return the first below the title's line, and the first above it."""
    above = below = None
    for number in sorting.left()[:8]:
        day = stamp(sorting.lines[number])
        if day is not None:
            sorting.drop([number], "a line that says only when the page was published or saved")
            if title is None or number < title:
                above = above or day
            else:
                below = below or day
    return below, above


def same_text(first: str, second: str) -> bool:
    """Tell whether two texts are the same but for signs, capitals and marks."""
    return [key(token.term) for token in tokens(first)] == [key(token.term) for token in tokens(second)]
