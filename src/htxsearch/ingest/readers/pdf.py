"""PDF documents with text in them."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Dropped, Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.base import ParsedDocument, document
from htxsearch.ingest.readers.letterhead import read_letterhead
from htxsearch.ingest.readers.pdf_pages import pdf_pages

__all__ = ["read_pdf"]

_FEWEST_PAGES, _FEWEST_NUMBERED, _LETTERS = 3, 2, 6
"""Pages of a document with running titles, pages with the same numbered title, and letters of such a title."""
_EDGE = 2
"""Lines at the head and foot of a page that may be a running title or a page number."""
_NUMBER = re.compile(r"(?:trang|page)?\s*[-–]?\s*\d{1,4}\s*(?:[-–/]\s*\d{0,4})?", re.IGNORECASE)
_PAGE_NUMBER = re.compile(r"^\d{1,4}\s+(?=\D)|\s+\d{1,4}$")
_HYPHEN = re.compile(r"[^\W_][-–]$")
"""A hyphen at the end of a line stays: Vietnamese is never hyphenated, so it is one of a number or name (30-6, NĐ-CP)."""
_NO_TITLE = re.compile(r"\.(?:docx?|rtf|odt|pdf|xlsx?)\b|^microsoft word|untitled", re.IGNORECASE)
_ENDS = re.compile(r"[.!?:;…][\"'”’)\]]*$")
_BEGINS = re.compile(r"[-–•+*●▪]\s|\d{1,3}[.)]\s|[a-zđ][.)]\s|(?:Điều|Chương|Mục|Phần)\s+[\dIVX]+")


def read_pdf(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of a PDF.

    Lines are joined to paragraphs; running titles and page numbers are left out.
    Raises Unreadable if the file is damaged, needs a password, has no text (a scan), or takes too long.
    """
    text = pdf_pages(data)
    lines, dropped = _without_running_titles(text.pages)
    if not any(char.isalpha() for line in lines for char in line):
        raise Unreadable(message("file.pdf-scan"))
    title = text.title if text.title and not _NO_TITLE.search(text.title) else None
    known = Metadata(title=" ".join(title.split()) if title else None)
    head = read_letterhead(lines)
    yield document(_paragraphs(lines[head.lines :] if head else lines), known, dropped=dropped, head=head)


def _without_running_titles(pages: Sequence[list[str]]) -> tuple[list[str], tuple[Dropped, ...]]:
    """Return the lines of all pages without page numbers and running titles.

    A running title is a line that stands at the edge of half of the pages, or of half of the left or the right pages: many
    have one of their own. So is one whose page number counts the pages, on at least two of them, wherever it stands. Where
    other text stands behind it in its line, only the title goes.
    """
    full = [[line for line in page if line] for page in pages]
    titles, numbered = _running_titles(full), _numbered_titles(full)
    kept, dropped = [], []
    for page_number, page in enumerate(full):
        for number, line in enumerate(page):
            at_edge = number < _EDGE or number >= len(page) - _EDGE
            if at_edge and _NUMBER.fullmatch(line):
                dropped.append(Dropped(line, message("dropped.page-number")))
            elif (_shape(line) in titles and (at_edge or _PAGE_NUMBER.search(line))) or _numbered(
                line, page_number
            ) in numbered:
                dropped.append(Dropped(line, message("dropped.running-title")))
            elif at_edge and (glued := _glued_title(line, titles)):
                dropped.append(Dropped(glued, message("dropped.running-title")))
                kept.append(line[len(glued) :].strip())
            else:
                kept.append(line)
    return kept, tuple(dropped)


def _numbered_titles(pages: Sequence[list[str]]) -> frozenset[tuple[str, int]]:
    """Return the running titles whose page number counts the pages.

    Each has the number of the first page.
    """
    counts = Counter(
        numbered
        for number, page in enumerate(pages)
        for line in page[:_EDGE] + page[-_EDGE:]
        if (numbered := _numbered(line, number))
    )
    return frozenset(numbered for numbered, count in counts.items() if count >= _FEWEST_NUMBERED)


def _numbered(line: str, page: int) -> tuple[str, int] | None:
    """Return the shape of a line that begins or ends with a page number.

    With it comes the number that the first page would have.
    """
    found = _PAGE_NUMBER.search(line)
    shape = _shape(line)
    return (shape, int(found[0]) - page) if found and sum(map(str.isalpha, shape)) >= _LETTERS else None


def _running_titles(pages: Sequence[list[str]]) -> frozenset[str]:
    """Return the shapes of the running titles of a document of at least three pages."""
    if len(pages) < _FEWEST_PAGES:
        return frozenset()
    found: set[str] = set()
    for side in (pages, pages[::2], pages[1::2]):
        shapes = Counter(shape for page in side for shape in {_shape(line) for line in page[:_EDGE] + page[-_EDGE:]})
        least = max(2, len(side) / 2)
        found |= {shape for shape, count in shapes.items() if count >= least and any(map(str.isalpha, shape))}
    return frozenset(found)


def _glued_title(line: str, titles: frozenset[str]) -> str | None:
    """Return the running title that a line begins with, if other text follows it.

    Its page number belongs to it.
    """
    for match in re.finditer(r"\d+ ", line):
        if _shape(line[: match.end()].strip()) in titles:
            return line[: match.end()]
    return None


def _shape(line: str) -> str:
    """Return a line without blanks and the page number at its ends.

    Every other number is 0.
    """
    return re.sub(r"\d+", "0", _PAGE_NUMBER.sub("", line.lower())).replace(" ", "")


def _paragraphs(lines: Sequence[str]) -> list[str]:
    """Join the lines of paragraphs.

    A paragraph goes on after a line that is about as long as most and ends no sentence.
    """
    usual = median(len(line) for line in lines)
    joined: list[str] = []
    goes_on = False
    for line in lines:
        if joined and goes_on and not _BEGINS.match(line):
            joined[-1] += line if _HYPHEN.search(joined[-1]) else f" {line}"
        elif joined and line[:1].islower() and not _ENDS.search(joined[-1]):
            joined[-1] = f"{joined[-1]} {line}"
        else:
            joined.append(line)
        goes_on = len(line) > 0.7 * usual and (not _ENDS.search(line) or len(line) > 1.1 * usual)
    return joined
