"""PDF documents, with text in them or scanned."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, islice
from statistics import median
from typing import NamedTuple

from htxsearch.errors.messages import Message, message
from htxsearch.ingest.article import Dropped, Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.base import ParsedDocument, document
from htxsearch.ingest.readers.letterhead import read_letterhead
from htxsearch.ingest.readers.ocr import Picture, ScannedText, recogniser, with_recognised
from htxsearch.ingest.readers.pdf_pages import pdf_pages
from htxsearch.ingest.readers.pdf_pictures import SETTINGS, page_picture
from htxsearch.ingest.readers.pdf_tables import Whole

__all__ = ["document_of_pages", "read_pdf"]

_FEWEST_PAGES, _FEW_PAGES, _FEWEST_NUMBERED, _LETTERS = 3, 5, 3, 6
"""Least pages of a document with running titles; pages up to which a numbered title needs only two of them; these; letters."""
_LONGEST_TITLE, _MOST_NUMBERS = 200, 12
"""Characters of a title in front of other text, and numbers in it."""
_HEADING = re.compile(r"(?:phụ lục|biểu|bảng|mẫu|chương|mục|điều|phần|hình|tổng|cộng)(?!\w)", re.IGNORECASE)
_YEARS = range(1900, 2101)
_EDGE = 2
"""Lines at the head and foot of a page that may be a running title or a page number."""
_NUMBER = re.compile(r"(?:trang|page)?\s*+(?:[-–]\s*+)?\d{1,4}\s*+(?:[-–/]\s*+\d{0,4})?", re.IGNORECASE)
_PAGE_NUMBER = re.compile(r"^\d{1,4}\s++(?=\D)|(?<!\s)\s++\d{1,4}$")
_HYPHEN = re.compile(r"[^\W_][-–]$")
"""A hyphen at the end of a line stays: Vietnamese is never hyphenated, so it is one of a number or name (30-6, NĐ-CP)."""
_NO_TITLE = re.compile(r"\.(?:docx?|rtf|odt|pdf|xlsx?)\b|^microsoft word|untitled", re.IGNORECASE)
_ENDS = re.compile(r"[.!?:;…][\"'”’)\]]*$")
_BEGINS = re.compile(
    r"[-–•+*●▪]\s|\d{1,3}[.)]\s|[a-zđ][.)]\s|(?:Điều|Chương|Mục|Phần)\s+[\dIVX]+|Nơi nhận\s*:|(?:KT|TM|TL|TUQ)\.\s?[^\W\d_]{2}"
)


def read_pdf(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of a PDF.

    Pages that are pictures are recognised, if they can be. Raises Unreadable if the file is damaged, needs a password, has no
    text, or takes too long.
    """
    text = pdf_pages(data)

    def picture(number: int) -> Picture:
        return page_picture(data, number)

    found = recogniser().recognise(data, text.scans, picture, settings=SETTINGS) if text.scans else {}
    scanned = with_recognised(text.pages, found)
    if not any(char.isalpha() for page in scanned.pages for line in page for char in line):
        reasons = [page for page in found.values() if isinstance(page, Message)]
        if reasons:
            raise Unreadable(message("file.pdf-scan", reason=reasons[0]))
        raise Unreadable(message("file.pdf-unsure" if found else "file.pdf-no-text"))
    yield document_of_pages(scanned, text.title if text.title and not _NO_TITLE.search(text.title) else None)


def document_of_pages(text: ScannedText, title: str | None) -> ParsedDocument:
    """Return the document of the lines of each page.

    Lines are joined to paragraphs; running titles and page numbers are left out.
    """
    kept, dropped = _without_running_titles(text.pages)
    lines = [line for page in kept for line in page]
    known = Metadata(title=" ".join(title.split()) if title else None)
    head = read_letterhead(lines)
    joined = _paragraphs(lines[head.lines :] if head else lines)
    starts = _page_starts(kept, joined, head.lines if head else 0)
    parsed = document(joined.paragraphs, known, dropped=(*dropped, *text.dropped), head=head, starts=starts)
    return replace(parsed, ocr=None if text.confidence is None else round(text.confidence, 4))


def _without_running_titles(pages: Sequence[list[str]]) -> tuple[list[list[str]], tuple[Dropped, ...]]:
    """Return the lines of each page without page numbers and running titles.

    A running title without a page number stands at the edge of half of the pages, or of half of the left or the right pages:
    many have one of their own. One with a page number is known by the number, which counts the pages; it goes wherever it
    stands if half of the pages have it. Where other text stands behind it in its line, only the title goes.
    """
    full = [[line for line in page if line] for page in pages]
    titles, numbered = _running_titles(full), _numbered_titles(full)
    everywhere = {title for title, count in numbered.items() if 2 * count >= len(full)}
    kept: list[list[str]] = [[] for _ in full]
    dropped = []
    for page_number, page in enumerate(full):
        for number, line in enumerate(page):
            at_edge = number < _EDGE or number >= len(page) - _EDGE
            own = _numbered(line, page_number)
            if at_edge and _NUMBER.fullmatch(line):
                dropped.append(Dropped(line, message("dropped.page-number")))
            elif (at_edge and (line in titles or own in numbered)) or own in everywhere:
                dropped.append(Dropped(line, message("dropped.running-title")))
            elif at_edge and (glued := _glued_title(line, page_number, numbered)):
                dropped.append(Dropped(glued, message("dropped.running-title")))
                kept[page_number].append(line[len(glued) :].strip())
            else:
                kept[page_number].append(line)
    return kept, tuple(dropped)


def _running_titles(pages: Sequence[list[str]]) -> frozenset[str]:
    """Return the running titles that have no page number.

    A document of fewer than three pages has none.
    """
    found: set[str] = set()
    for side in (pages, pages[::2], pages[1::2]) if len(pages) >= _FEWEST_PAGES else ():
        counts = Counter(line for page in side for line in {*page[:_EDGE], *page[-_EDGE:]})
        found |= {line for line, count in counts.items() if count >= max(2, len(side) / 2) and any(map(str.isalpha, line))}
    return frozenset(found)


def _numbered_titles(pages: Sequence[list[str]]) -> dict[tuple[str, int], int]:
    """Return the running titles whose page number counts the pages.

    Each has the number of the first page, and the number of pages on which it stands.
    """
    counts = Counter(
        own for number, page in enumerate(pages) for line in page[:_EDGE] + page[-_EDGE:] if (own := _numbered(line, number))
    )
    least = _FEWEST_NUMBERED - (len(pages) <= _FEW_PAGES)
    return {own: count for own, count in counts.items() if count >= least}


def _numbered(line: str, page: int) -> tuple[str, int] | None:
    """Return the shape of a line that begins or ends with a page number.

    With it comes the number that the first page would have. A heading with its own number (Phụ lục 2) has none.
    """
    found = _PAGE_NUMBER.search(line)
    shape = _shape(line)
    if not found or sum(map(str.isalpha, shape)) < _LETTERS or _HEADING.match(line) or int(found[0]) in _YEARS:
        return None
    return shape, int(found[0]) - page


def _glued_title(line: str, page: int, numbered: Mapping[tuple[str, int], int]) -> str | None:
    """Return the running title that a line begins with, if other text follows it.

    Its page number belongs to it.
    """
    for match in islice(re.finditer(r"\d+ ", line[:_LONGEST_TITLE]), _MOST_NUMBERS) if numbered else ():
        if _numbered(line[: match.end()].strip(), page) in numbered:
            return line[: match.end()]
    return None


def _shape(line: str) -> str:
    """Return a line without blanks and the page number at its ends.

    Every other number is 0.
    """
    return re.sub(r"\d+", "0", _PAGE_NUMBER.sub("", line.lower())).replace(" ", "")


class _Joined(NamedTuple):
    """Paragraphs, and where each of their lines begins: in which, at which offset."""

    paragraphs: list[str]
    begins: list[tuple[int, int]]


def _paragraphs(lines: Sequence[str]) -> _Joined:
    """Join the lines of paragraphs.

    A paragraph goes on after a line that is about as long as most and ends no sentence.
    """
    usual = median(map(len, lines)) if lines else 0
    paragraphs: list[list[str]] = []
    begins = []
    goes_on = False
    length = 0
    for line in lines:
        if isinstance(line, Whole):
            paragraphs.append([line])
            begins.append((len(paragraphs) - 1, 0))
            goes_on = False
            continue
        last = paragraphs[-1][-1] if paragraphs else ""
        is_full = goes_on and not _BEGINS.match(line)
        if paragraphs and (is_full or (line[:1].islower() and not _ENDS.search(last))):
            parts = [line] if is_full and _HYPHEN.search(last) else [" ", line]
            paragraphs[-1] += parts
            length += len("".join(parts))
        else:
            paragraphs.append([line])
            length = len(line)
        begins.append((len(paragraphs) - 1, length - len(line)))
        goes_on = len(line) > 0.7 * usual and (not _ENDS.search(line) or len(line) > 1.1 * usual)
    return _Joined(["".join(parts) for parts in paragraphs], begins)


def _page_starts(pages: Sequence[list[str]], joined: _Joined, in_head: int) -> list[tuple[int, int]]:
    """Return where each page begins: in which paragraph, at which offset.

    `in_head` lines belong to the letterhead. A page without text begins with the next text.
    """
    begins = [*joined.begins, (len(joined.paragraphs), 0)]
    numbers = accumulate(map(len, pages), initial=0)
    return [begins[min(max(0, number - in_head), len(begins) - 1)] for number, _ in zip(numbers, pages, strict=False)]
