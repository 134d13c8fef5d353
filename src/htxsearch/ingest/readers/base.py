"""What readers give, and what they share: drafts, decoding, a stamp near the top."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

from htxsearch.ingest.article import Dropped, Rejected
from htxsearch.ingest.boilerplate import LineLabels, sort_lines
from htxsearch.ingest.metadata import Metadata, Unreadable, author_of
from htxsearch.text.dates import Dateline, find_date, read_dateline
from htxsearch.text.encodings import Decoded, Undecided, decoded, repaired
from htxsearch.text.normalize import folded_form, nfc
from htxsearch.text.tokens import tokens

__all__ = [
    "NO_TEXT",
    "Line",
    "ParsedDocument",
    "Reader",
    "after_stamp",
    "decode",
    "document",
    "is_official",
    "same_text",
    "take_stamps",
]

_OFFICIAL = (
    r"(?:.* )?CỘNG H(?:ÒA|OÀ) XÃ HỘI CHỦ NGHĨA VIỆT NAM|(?:.* )?Độc lập\s*[-–]\s*Tự do\s*[-–]\s*Hạnh phúc.{0,3}"
    r"|(?:.* )?ĐẢNG CỘNG SẢN VIỆT NAM"
)
_LETTERHEAD = re.compile(
    rf"{_OFFICIAL}"
    r"|(?:ỦY|UỶ) BAN (?:NHÂN DÂN|TRUNG ƯƠNG).*"
    r"|(?:BỘ|SỞ|HỘI ĐỒNG|LIÊN MINH|TỈNH|THÀNH PHỐ|HUYỆN|CHI CỤC|CỤC|QUỐC HỘI|CHÍNH PHỦ)\b.*"
    r"|Số\s*:.{0,40}|[^\d,]{2,40}, ngày \d.{0,40}|[-–—_*. ]+"
)
_RULE = re.compile(r"[-–—_*. ]+")
_KIND = re.compile(
    r"BÁO CÁO|QUYẾT ĐỊNH|NGHỊ QUYẾT|NGHỊ ĐỊNH|THÔNG TƯ|CHỈ THỊ|KẾ HOẠCH|TỜ TRÌNH|THÔNG BÁO|CÔNG VĂN|ĐỀ ÁN|CHƯƠNG TRÌNH"
    r"|LUẬT|HƯỚNG DẪN|KẾT LUẬN"
)
NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""What no text holds: NUL, and halves of characters."""


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """What a reader makes of a file or line: its text, what it says about itself, which line it is, what was left out.

    `member` tells where in a file of several it stands (`/name` in an archive, `:3` in a table), and ends its id.
    `lines` are those that are counted to learn what repeats in a source, none if nothing is learnt from such files;
    `again` makes the draft anew, given the `furniture.block` of lines that repeat.
    """

    body: str
    known: Metadata
    id: str | None = None
    line: int | None = None
    dropped: tuple[Dropped, ...] = ()
    member: str = ""
    lines: tuple[str, ...] = ()
    again: "Callable[[Set[str]], ParsedDocument] | None" = None


@dataclass(frozen=True, slots=True)
class Line:
    """A JSON line that is not read yet."""

    text: str
    number: int


Reader = Callable[[bytes], Iterator["ParsedDocument | Line | Rejected"]]
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


def after_stamp(lines: list[str], known: Metadata) -> Iterator[ParsedDocument]:
    """Drop furniture; take the dates from the stamps near the top and the author from the lines that name one."""
    sorting = sort_lines(lines)
    known = take_stamps(sorting, known)
    yield ParsedDocument("\n".join(sorting.kept()), known, dropped=sorting.dropped())


def document(
    lines: Iterable[str], known: Metadata, *, headings: Sequence[int] = (), dropped: tuple[Dropped, ...] = ()
) -> ParsedDocument:
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
        at = _below_letterhead([line for _, line in texts[:20]])
    day = next((day for _, line in texts[:20] if (day := _day(line))), None)
    kept = [line for _, line in texts]
    title = None
    if at is not None and len(tokens(kept[at])) <= 60:
        count = 2 if _KIND.fullmatch(kept[at]) and at + 1 < len(kept) else 1
        title = " ".join(kept[at : at + count])
        del kept[at : at + count]
    found = Metadata(title=title, date=day)
    return ParsedDocument("\n".join(kept), found.or_else(known), dropped=dropped)


def _below_letterhead(lines: Sequence[str]) -> int | None:
    """Return which line a document's title begins with: the one that says its kind, or the first that is no letterhead."""
    if not is_official(lines):
        return next((at for at, line in enumerate(lines) if not _RULE.fullmatch(line)), None)
    kinds = [at for at, line in enumerate(lines) if _KIND.fullmatch(line)]
    return kinds[0] if kinds else next((at for at, line in enumerate(lines) if not _LETTERHEAD.fullmatch(line)), None)


def is_official(lines: Iterable[str]) -> bool:
    """Tell whether a text begins with the motto of the state's documents or the party's heading."""
    return any(re.fullmatch(_OFFICIAL, " ".join(line.split())) for line in islice(lines, 20))


def _day(line: str) -> date | None:
    """Return the date of a stamp, or of a line such as "Nam Định, ngày 5 tháng 3 năm 2021"."""
    found = read_dateline(line)
    if found is not None:
        return found.day if found.weekday_fits and found.label != "crawled" else None
    return find_date(line) if re.fullmatch(r"[^\d,]{2,40}, ngày \d.{8,30}", line) else None


def take_stamps(sorting: LineLabels, known: Metadata, title: int | None = None) -> Metadata:
    """Drop the stamps among the first eight lines; return what is known with their dates, and the author named.

    `title` is the number of the title's line; without it, no stamp counts as above the title.
    """
    stamps = []
    for number in sorting.left()[:8]:
        line = sorting.lines[number]
        found = read_dateline(line)
        if found is not None:
            stamps.append((title is not None and number < title, line, found))
            doubtful = "" if found.weekday_fits else "; doubtful, for its weekday is not that of its date"
            sorting.drop([number], f"a line that says only when the page was published or saved{doubtful}")
    published, crawled = _dates([(above, one) for above, _, one in stamps])
    body = [sorting.lines[number] for number in sorting.left() if number != title]
    author = author_of([line for _, line, _ in stamps], body)
    if published and known.date == crawled:
        known = replace(known, date=None)  # a page's clock was taken for its date
    return known.or_else(Metadata(date=published, crawled=crawled, author=author))


def _dates(stamps: list[tuple[bool, Dateline]]) -> tuple[date | None, date | None]:
    """Return the days of publication and of saving; each stamp comes with whether it stands above the title.

    A stamp that says "Hôm nay", or one with a weekday above the title, is the clock of the page's head; a bare date
    above the title is the day of publication if no other is there, and the day of saving if it is later than
    that. A stamp whose weekday is not its date's counts only if there is no other.
    """
    sure = [pair for pair in stamps if pair[1].weekday_fits] or stamps
    clock = [one.day for above, one in sure if one.label == "crawled" or (above and one.has_weekday and one.label is None)]
    above = [one.day for up, one in sure if up and (one.label == "published" or not (one.has_weekday or one.label))]
    below = [one.day for up, one in sure if not up and one.label != "crawled"]
    published = next(iter(below or above), None)
    later = [day for day in above if below and day > below[0]]
    return published, next(iter(clock or later), None)


def same_text(first: str, second: str) -> bool:
    """Tell whether two texts are the same but for signs, capitals and marks."""
    return [folded_form(token.term) for token in tokens(first)] == [folded_form(token.term) for token in tokens(second)]
