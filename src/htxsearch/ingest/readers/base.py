"""Tools of all readers: parsed documents, decoding, datelines, titles.

Datelines are taken near the top; titles below a letterhead.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Dropped, Rejected, Unreadable
from htxsearch.ingest.boilerplate import LineLabels, label_lines
from htxsearch.ingest.metadata import Metadata, author_of
from htxsearch.ingest.readers.letterhead import Letterhead, read_letterhead
from htxsearch.ingest.readers.signature import read_foot
from htxsearch.text.dates import Dateline, find_date, read_dateline
from htxsearch.text.encodings import Decoded, Undecided, decoded, repaired
from htxsearch.text.normalize import canonical_spelling, folded_form, nfc
from htxsearch.text.official import own_number
from htxsearch.text.tokens import terms, tokens

__all__ = [
    "NO_TEXT",
    "Line",
    "ParsedDocument",
    "Reader",
    "decode",
    "document",
    "document_of_lines",
    "same_text",
    "same_words",
    "take_datelines",
]

_RULE = re.compile(r"[-–—_*. ]+")
_LONGEST_TITLE = 60
"""Words of the longest line that is a title."""
NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""Characters that are in no text: NUL, and halves of surrogate pairs."""


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A file or line as its reader parsed it.

    It has the body, the metadata, the file's own id, the number of the line, and the boilerplate. `member` is its
    position in a file of several (`/name` in an archive, `:3` in a table), and the end of its id. `lines` are
    counted to learn site boilerplate, none for types of files that have none; `without` parses the document again,
    given the `boilerplate.block` of lines to drop. `pages` and `ocr` are those of `Article`. `heading` is the text that was
    taken out of the body since it is the title; it goes back if the user gives another title.
    """

    body: str
    metadata: Metadata
    id: str | None = None
    line: int | None = None
    dropped: tuple[Dropped, ...] = ()
    member: str = ""
    lines: tuple[str, ...] = ()
    without: "Callable[[Set[str]], ParsedDocument] | None" = None
    pages: tuple[int, ...] = ()
    ocr: float | None = None
    heading: str | None = None

    def beginning_with(self, line: str) -> "ParsedDocument":
        """Return the document with a line before its body, on the first page."""
        body = f"{line}\n{self.body}" if self.body else line
        later = tuple(offset + len(body) - len(self.body) for offset in self.pages[1:])
        return replace(self, body=body, pages=(*self.pages[:1], *later))


@dataclass(frozen=True, slots=True)
class Line:
    """A JSON line that is not parsed yet.

    `dropped` is what its file has beside its lines.
    """

    text: str
    number: int
    dropped: tuple[Dropped, ...] = ()


Reader = Callable[[bytes], Iterator["ParsedDocument | Line | Rejected"]]
"""Takes the bytes of a file and yields its documents. Raises Unreadable if there are none."""


def decode(data: bytes, *, composed: bool = True) -> str:
    """Return the text of bytes in any encoding that `text.encodings` detects.

    Raises Unreadable.
    """
    try:
        text = decoded(data).text
    except Undecided as error:
        raise Unreadable(error.message) from error
    if "\0" in text:
        raise Unreadable(message("file.nul"))
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return nfc(text) if composed else text


def document_of_lines(lines: list[str], known: Metadata) -> ParsedDocument:
    """Return the document of lines without their boilerplate.

    It has the dates of the datelines near the top, and the author if a line names the author.
    """
    labels = label_lines(lines)
    known = take_datelines(labels, known)
    return ParsedDocument("\n".join(labels.kept()), known, dropped=labels.dropped())


def document(
    lines: Iterable[str],
    known: Metadata,
    *,
    headings: Sequence[int] = (),
    dropped: tuple[Dropped, ...] = (),
    head: Letterhead | None = None,
    starts: Sequence[tuple[int, int]] = (),
) -> ParsedDocument:
    """Return a report or state document with its title and date.

    `starts` has the line at which each page begins, and the offset in it, for a document that has pages. `head` is its
    letterhead if the reader has read it, and `lines` then begin behind it. Below a letterhead, the signer is read from the
    foot. `headings` are the numbers of lines formatted as headings. The title is that of the letterhead, else the first
    heading near the top, else the first line; without one, it is that of `known`, since office programs often keep an older
    document's.
    """
    given = [line.replace("\n", " ") for line in lines]
    text = "\n".join(given)
    decoded_text = repaired(text) or Decoded(text, "")
    plain = [nfc(line) for line in decoded_text.text.split("\n")]
    if head is None and (head := read_letterhead(plain)):
        plain, given, headings = plain[head.lines :], given[head.lines :], ()
        starts = [(line - head.lines, offset) for line, offset in starts]
    foot = read_foot(plain) if head else None
    if head and foot:
        placed = zip(foot.numbers, foot.lines, strict=True)
        texts = [(number, folded) for number, line in placed if (folded := " ".join(line.split()))]
        own = Metadata(title=head.title, date=head.day, number=head.number, signer=foot.signer)
        of_head = tuple(Dropped(piece, message("dropped.rule")) for piece in head.dropped)
        of_foot = (Dropped("\n".join(foot.recipients), message("dropped.recipients")),) if foot.recipients else ()
        body = "\n".join([*head.kept, *(line for _, line in texts)])
        pages = _page_offsets(starts, given, texts, body)
        dropped = (*of_head, *dropped, *of_foot)
        return ParsedDocument(body, own.or_else(known), dropped=dropped, heading=head.title, pages=pages)
    texts = [(number, " ".join(line.split())) for number, line in enumerate(plain)]
    texts = [(number, line) for number, line in texts if line]
    kept = [line for _, line in texts]
    first = next((index for index, (number, _) in enumerate(texts[:20]) if number in set(headings)), None)
    if first is None:
        first = next((index for index, line in enumerate(kept[:20]) if not _RULE.fullmatch(line)), None)
    day = next((day for line in kept[:20] if (day := _day(line))), None)
    title = None
    if first is not None and len(tokens(kept[first])) <= _LONGEST_TITLE:
        title, _ = kept.pop(first), texts.pop(first)
    body = "\n".join(kept)
    pages = _page_offsets(starts, given, texts, body)
    own = Metadata(title=title, date=day, number=own_number(kept))
    return ParsedDocument(body, own.or_else(known), dropped=dropped, heading=title, pages=pages)


def _page_offsets(
    starts: Sequence[tuple[int, int]], given: Sequence[str], texts: Sequence[tuple[int, str]], body: str
) -> tuple[int, ...]:
    """Return the offset in a body at which each page begins, 0 for the first.

    The body ends with `texts`, lines with their numbers among those `given`. A page that begins in a line which is not
    in the body begins with the next one.
    """
    numbers = [number for number, _ in texts]
    begins = [*accumulate((len(line) + 1 for _, line in texts), initial=0)]
    above = len(body) + 1 - begins[-1]
    offsets = []
    for number, offset in starts:
        at = bisect_left(numbers, number)
        inside = _moved(given[number], texts[at][1], offset) if numbers[at : at + 1] == [number] else 0
        offsets.append(min(len(body), above + begins[at] + inside))
    return (0, *offsets[1:]) if offsets else ()


def _moved(before: str, after: str, offset: int) -> int:
    """Return the offset in a line after it was repaired or its blanks were folded.

    It is behind as many words; a repaired word need not be as long.
    """
    if len(before) == len(after):
        return offset
    words = len(before[:offset].split())
    found = [match.end() for match in re.finditer(r"\S+\s*", after)]
    return found[min(words, len(found)) - 1] if words else 0


def _day(line: str) -> date | None:
    """Return the date of a dateline, or of a line that names a place and a day.

    An example is "Nam Định, ngày 5 tháng 3 năm 2021".
    """
    dateline = read_dateline(line)
    if dateline is not None:
        return dateline.day if dateline.weekday_fits and dateline.label != "crawled" else None
    return find_date(line) if re.fullmatch(r"[^\d,]{2,40}, ngày \d.{8,30}", line) else None


def take_datelines(labels: LineLabels, known: Metadata, title: int | None = None) -> Metadata:
    """Drop the datelines among the first eight lines; return their metadata.

    The metadata are `known` with the dates of the datelines and the author.
    `title` is the number of the title's line; without it, no dateline counts as above the title.
    """
    datelines = []
    for number in labels.left()[:8]:
        line = labels.lines[number]
        dateline = read_dateline(line)
        if dateline is not None:
            datelines.append((title is not None and number < title, line, dateline))
            labels.drop([number], message("dropped.dateline" if dateline.weekday_fits else "dropped.doubtful-dateline"))
    published, crawled = _dates([(above, dateline) for above, _, dateline in datelines])
    body = [labels.lines[number] for number in labels.left() if number != title]
    author = author_of([line for _, line, _ in datelines], body)
    if published and known.date == crawled:
        known = replace(known, date=None)  # the date in the page's head is that of its clock
    return known.or_else(Metadata(date=published, crawled=crawled, author=author))


def _dates(datelines: list[tuple[bool, Dateline]]) -> tuple[date | None, date | None]:
    """Return the days of publication and of saving.

    The first item of each dateline is whether it is above the title.
    A dateline with "Hôm nay", or with a weekday above the title, is the clock in the page's head; a bare date
    above the title is the day of publication if there is no other, and the day of saving if it is later than
    that. A dateline with a weekday that is not the date's counts only if there is no other.
    """
    sure = [pair for pair in datelines if pair[1].weekday_fits] or datelines
    clock = [line.day for up, line in sure if line.label == "crawled" or (up and line.has_weekday and line.label is None)]
    above = [line.day for up, line in sure if up and (line.label == "published" or not (line.has_weekday or line.label))]
    below = [line.day for up, line in sure if not up and line.label != "crawled"]
    published = next(iter(below or above), None)
    later = [day for day in above if below and day > below[0]]
    return published, next(iter(clock or later), None)


def same_text(first: str, second: str) -> bool:
    """Return True if two texts differ only in punctuation, capitals and diacritics."""
    return [folded_form(token.term) for token in tokens(first)] == [folded_form(token.term) for token in tokens(second)]


def same_words(first: str, second: str) -> bool:
    """Return True if one text can stand for the other without loss.

    They differ only in punctuation, capitals and equivalent spellings.
    """
    return [canonical_spelling(term) for term in terms(first)] == [canonical_spelling(term) for term in terms(second)]
