"""PDF documents with text in them."""

import logging
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from io import BytesIO
from statistics import median

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Dropped, Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.base import ParsedDocument, document

__all__ = ["read_pdf"]

_MOST_PAGES = 3_000
_LONGEST_S = 60.0
"""A document that takes longer is rejected; the clock is checked after every page."""
_EDGE = 2
"""Lines at the head and foot of a page that may be a running title or a page number."""
_NUMBER = re.compile(r"(?:trang|page)?\s*[-–]?\s*\d{1,4}\s*(?:[-–/]\s*\d{0,4})?", re.IGNORECASE)
_ENDS = re.compile(r"[.!?:;…][\"'”’)\]]*$")
_BEGINS = re.compile(r"[-–•+*●▪]\s|\d{1,3}[.)]\s|[a-zđ][.)]\s|(?:Điều|Chương|Mục|Phần)\s+[\dIVX]+")


def read_pdf(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of a PDF, read by pypdf (BSD-3).

    Lines are joined to paragraphs; running titles and page numbers are left out.
    Raises Unreadable if the file is damaged, needs a password, has no text (a scan), or takes too long.
    """
    pages, known = _pages(data)
    lines, dropped = _without_running_titles(pages)
    if not any(char.isalpha() for line in lines for char in line):
        raise Unreadable(message("file.pdf-scan"))
    yield document(_paragraphs(lines), known, dropped=dropped)


def _pages(data: bytes) -> tuple[list[list[str]], Metadata]:
    import pypdf
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it logs every damage; serious ones are raised

    started = time.monotonic()
    try:
        reader = pypdf.PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable(message("file.pdf-password"))
        if len(reader.pages) > _MOST_PAGES:
            raise Unreadable(message("file.pdf-too-long", limit=_MOST_PAGES))
        pages = []
        for page in reader.pages:
            pages.append([" ".join(line.split()) for line in page.extract_text().split("\n")])
            if time.monotonic() - started > _LONGEST_S:
                raise Unreadable(message("file.pdf-too-slow", seconds=_LONGEST_S))
        info = reader.metadata
        title = info.title if info else None
    except Unreadable:
        raise
    except (
        PyPdfError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        AssertionError,
        OSError,
        RecursionError,
    ) as error:
        # pypdf raises any of these for damage of any kind
        raise Unreadable(message("file.pdf-damaged", error=f"{type(error).__name__}: {error}")) from error
    except ImportError as error:  # encrypted by a method that pypdf leaves to another package
        raise Unreadable(message("file.pdf-encrypted", error=str(error))) from error
    useful = title and not re.search(r"\.(?:docx?|rtf|odt|pdf|xlsx?)\b|^microsoft word|untitled", title, re.IGNORECASE)
    return pages, Metadata(title=" ".join(str(title).split()) if useful else None)


def _without_running_titles(pages: Sequence[list[str]]) -> tuple[list[str], tuple[Dropped, ...]]:
    """Return the lines of all pages without page numbers and running titles.

    Running titles are lines at the edge of at least half of the pages.
    """
    full = [[line for line in page if line] for page in pages]
    edges = Counter(shape for page in full for shape in {_shape(line) for line in page[:_EDGE] + page[-_EDGE:]})
    often = {shape for shape, count in edges.items() if len(full) >= 3 and 2 * count >= len(full)}
    kept, dropped = [], []
    for page in full:
        for number, line in enumerate(page):
            at_edge = number < _EDGE or number >= len(page) - _EDGE
            if at_edge and _NUMBER.fullmatch(line):
                dropped.append(Dropped(line, message("dropped.page-number")))
            elif at_edge and _shape(line) in often:
                dropped.append(Dropped(line, message("dropped.running-title")))
            else:
                kept.append(line)
    return kept, tuple(dropped)


def _shape(line: str) -> str:
    return re.sub(r"\d+", "0", line.lower())


def _paragraphs(lines: Sequence[str]) -> list[str]:
    """Join the lines of paragraphs.

    A paragraph goes on after a line that is about as long as most and ends no sentence.
    """
    usual = median(len(line) for line in lines)
    joined: list[str] = []
    goes_on = False
    for line in lines:
        if joined and goes_on and not _BEGINS.match(line):
            joined[-1] = joined[-1][:-1] + line if re.search(r"[^\W\d_]-$", joined[-1]) else f"{joined[-1]} {line}"
        elif joined and line[:1].islower() and not _ENDS.search(joined[-1]):
            joined[-1] = f"{joined[-1]} {line}"
        else:
            joined.append(line)
        goes_on = len(line) > 0.7 * usual and (not _ENDS.search(line) or len(line) > 1.1 * usual)
    return joined
