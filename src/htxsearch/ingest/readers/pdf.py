"""PDF documents that have a text in them."""

import logging
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from io import BytesIO
from statistics import median

from htxsearch.ingest.article import Dropped
from htxsearch.ingest.metadata import Metadata, Unreadable
from htxsearch.ingest.readers.base import ParsedDocument, document

__all__ = ["read_pdf"]

_MOST_PAGES = 3_000
_PATIENCE_S = 60.0
"""A document that takes longer is refused; it is looked at after every page."""
_EDGE = 2
"""So many lines at a page's head and foot may be a running title or a page number."""
_NUMBER = re.compile(r"(?:trang|page)?\s*[-–]?\s*\d{1,4}\s*(?:[-–/]\s*\d{0,4})?", re.IGNORECASE)
_ENDS = re.compile(r"[.!?:;…][\"'”’)\]]*$")
_BEGINS = re.compile(r"[-–•+*●▪]\s|\d{1,3}[.)]\s|[a-zđ][.)]\s|(?:Điều|Chương|Mục|Phần)\s+[\dIVX]+")


def read_pdf(data: bytes) -> Iterator[ParsedDocument]:
    """A PDF, by pypdf (BSD-3): lines joined to paragraphs, running titles and page numbers left out.

    Raises Unreadable if it is damaged, needs a password, has no text (a scan), or takes too long.
    """
    pages, known = _pages(data)
    lines, dropped = _without_running_titles(pages)
    if not any(char.isalpha() for line in lines for char in line):
        raise Unreadable("the PDF has no text in it, only pictures of pages; run text recognition (OCR) on it first")
    yield document(_paragraphs(lines), known, dropped=dropped)


def _pages(data: bytes) -> tuple[list[list[str]], Metadata]:
    import pypdf
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it logs each damage; what matters is raised

    started = time.monotonic()
    try:
        reader = pypdf.PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("the PDF is protected by a password; save it without one")
        if len(reader.pages) > _MOST_PAGES:
            raise Unreadable(f"the PDF has more than {_MOST_PAGES} pages; split it")
        pages = []
        for page in reader.pages:
            pages.append([" ".join(line.split()) for line in page.extract_text().split("\n")])
            if time.monotonic() - started > _PATIENCE_S:
                raise Unreadable(f"reading the PDF takes more than {_PATIENCE_S:.0f} s; split it or save it as .docx")
        about = reader.metadata
        title = about.title if about else None
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
        # pypdf meets damage of any kind with any of these
        raise Unreadable(f"the PDF is damaged ({type(error).__name__}: {error}); open it and print it to a new PDF") from error
    except ImportError as error:  # encrypted by a method that pypdf leaves to another package
        raise Unreadable(f"the PDF is encrypted in a way that cannot be read here ({error}); save it without that") from error
    useful = title and not re.search(r"\.(?:docx?|rtf|odt|pdf|xlsx?)\b|^microsoft word|untitled", title, re.IGNORECASE)
    return pages, Metadata(title=" ".join(str(title).split()) if useful else None)


def _without_running_titles(pages: Sequence[list[str]]) -> tuple[list[str], tuple[Dropped, ...]]:
    """Return the lines of all pages but page numbers, and what stands at the edge of half of three pages or more."""
    full = [[line for line in page if line] for page in pages]
    edges = Counter(shape for page in full for shape in {_shape(line) for line in page[:_EDGE] + page[-_EDGE:]})
    often = {shape for shape, count in edges.items() if len(full) >= 3 and 2 * count >= len(full)}
    kept, dropped = [], []
    for page in full:
        for number, line in enumerate(page):
            at_edge = number < _EDGE or number >= len(page) - _EDGE
            if at_edge and _NUMBER.fullmatch(line):
                dropped.append(Dropped(line, "a page number"))
            elif at_edge and _shape(line) in often:
                dropped.append(Dropped(line, "a running title, on most pages"))
            else:
                kept.append(line)
    return kept, tuple(dropped)


def _shape(line: str) -> str:
    return re.sub(r"\d+", "0", line.lower())


def _paragraphs(lines: Sequence[str]) -> list[str]:
    """Join what was broken at the margin: a line goes on if it is about as long as most and ends no sentence."""
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
