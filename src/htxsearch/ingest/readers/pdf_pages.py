"""The lines of each page of a PDF, by the reader that reads a page best.

PDFium (pypdfium2, Apache-2.0 or BSD-3) reads the PDFs of offices best and fastest. A page whose words are no Vietnamese
syllables is read by pypdf (BSD-3), too, and the text with more of them is kept: each loses letters of some fonts.
"""

import logging
import re
import time
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.readers.pdf_tables import Head, with_tables
from htxsearch.ingest.readers.pdf_words import HYPHEN, PDFIUM, rules_of, words_of
from htxsearch.text.normalize import LONE_VOWELS, is_syllable, nfc

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage, PdfTextPage

__all__ = ["PdfText", "pdf_pages", "syllable_share"]

_MOST_PAGES = 3_000
_LONGEST_S = 60.0
"""A document that takes longer is rejected; the clock is checked after every page."""
_GOOD = 0.9
"""Share of syllables with which a page is not read again: the rest are abbreviations and names."""
_FEW_WORDS = 8
"""A page of fewer words says nothing about its reader."""
_FEW_LETTERS, _STAMP_LETTERS = 40, 300
"""Letters of a page of pictures: a number or a mark of the scanner, a digital signature."""
_SOME_IMAGE, _MOST_IMAGE = 0.1, 0.5
"""Shares of such a page that images cover."""
_OUTLINES = 100
"""Drawn paths of a page whose letters are outlines."""
_DEPTH = 3
_ENDS_WITH_FIGURE, _FIGURE_LINES = re.compile(r"(?:^|\s)\d[\d.,]*(?: ?%|(?: [^\W\d_]{1,10}){1,3})?$"), 2
"""Lines that may be rows of a table, and how many of them a page has on which tables are looked for."""
_WORD = re.compile(r"[^\W\d_]+")


class PdfText(NamedTuple):
    """The lines of each page, blanks folded, and the document's own title.

    `scans` are the numbers of pages that are pictures, from 0.
    """

    pages: list[list[str]]
    title: str | None
    scans: tuple[int, ...] = ()


def pdf_pages(data: bytes) -> PdfText:
    """Return the text of a PDF.

    Raises Unreadable if it is damaged, needs a password, or is too long.
    """
    import pypdfium2

    ends = time.monotonic() + _LONGEST_S
    with PDFIUM:
        try:
            document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            if "password" in str(error).lower():
                raise Unreadable(message("file.pdf-password")) from error
            return _by_pypdf(data, ends)  # it repairs some tables of contents that PDFium does not
        try:
            if len(document) > _MOST_PAGES:
                raise Unreadable(message("file.pdf-too-long", limit=_MOST_PAGES))
            pages, scans = [], []
            head: Head | None = None
            for number in range(len(document)):
                lines, head = _page_lines(document, number, head)
                pages.append(lines)
                if _is_scan(document, number, pages[-1]):
                    scans.append(number)
                _check_clock(ends)
            title = document.get_metadata_value("Title") or None
        except (pypdfium2.PdfiumError, UnicodeDecodeError):
            return _by_pypdf(data, ends)  # a page that PDFium cannot load
        finally:
            document.close()
    doubtful = [number for number, page in enumerate(pages) if _is_doubtful(page)]
    if doubtful:
        _read_again(data, pages, doubtful, ends)
    return PdfText(pages, title, tuple(scans))


def _is_scan(document: "PdfDocument", number: int, lines: list[str]) -> bool:
    """Return True if a page is a picture: its letters are an image, or outlines.

    It may have some text, such as a number or a digital signature.
    """
    import pypdfium2

    letters = sum(char.isalpha() for line in lines for char in line)
    if letters >= _STAMP_LETTERS:
        return False
    page = document[number]
    try:
        area, covered, outlines = _area(page), 0.0, 0
        if not area:
            return False
        for one in page.get_objects([pypdfium2.raw.FPDF_PAGEOBJ_IMAGE, pypdfium2.raw.FPDF_PAGEOBJ_PATH], _DEPTH):
            if one.type == pypdfium2.raw.FPDF_PAGEOBJ_PATH:
                outlines += 1
            elif one.level:
                covered = area  # its bounds are those of a drawing within the page
            else:
                left, bottom, right, top = one.get_bounds()
                covered += (right - left) * (top - bottom)
            if covered >= _MOST_IMAGE * area or (letters < _FEW_LETTERS and outlines >= _OUTLINES):
                return True
        return letters < _FEW_LETTERS and covered >= _SOME_IMAGE * area
    except pypdfium2.PdfiumError:  # an object without a place: its text is read, if the page has any
        return False
    finally:
        page.close()


def _area(page: "PdfPage") -> float:
    """Return the area of a page, 0 for one that shows none of its sheet."""
    return float(page.get_width() * page.get_height())


def _page_lines(document: "PdfDocument", number: int, head: Head | None) -> tuple[list[str], Head | None]:
    """Return the lines of a page, and the head of its last table.

    Each row of a table is `Whole`. `head` is that of the page before.
    """
    page = document[number]
    text = page.get_textpage()
    try:
        written = _text_of(text)
        lines = _lines(written)
        if sum(_ENDS_WITH_FIGURE.search(line) is not None for line in lines) < _FIGURE_LINES:
            return lines, None
        return with_tables(lines, words_of(page, text, written), rules_of(page), head)
    finally:
        text.close()
        page.close()


def _text_of(text: "PdfTextPage") -> str:
    return str(text.get_text_range())


def _lines(text: str) -> list[str]:
    """Return the lines of a page.

    A hyphen at the end of a line is a sign of its own. Vietnamese is never hyphenated, so the hyphen is one of the text.
    """
    joined = re.sub(rf"{HYPHEN}\s*", "-", text).replace("\x02", "-")
    return [" ".join(nfc(line).split()) for line in re.split(r"\r\n|\r|\n", joined)]


def syllable_share(lines: list[str]) -> float:
    """Return the share of the words of a page that can be Vietnamese syllables.

    Of words of one letter only vowels can.
    """
    words = [word for line in lines for word in _WORD.findall(line)]
    good = sum(is_syllable(word) and (len(word) > 1 or word.lower() in LONE_VOWELS) for word in words)
    return good / max(1, len(words))


def _is_doubtful(lines: list[str]) -> bool:
    words = sum(len(_WORD.findall(line)) for line in lines)
    return words >= _FEW_WORDS and syllable_share(lines) < _GOOD


def _quality(lines: list[str]) -> float:
    """Return how good a reading of a page is.

    It is the share of syllables times the letters, so that none is lost.
    """
    return syllable_share(lines) * sum(char.isalpha() for line in lines for char in line)


def _check_clock(ends: float) -> None:
    if time.monotonic() > ends:
        raise Unreadable(message("file.pdf-too-slow", seconds=_LONGEST_S))


def _read_again(data: bytes, pages: list[list[str]], doubtful: list[int], ends: float) -> None:
    """Put pypdf's lines of doubtful pages in the place of those with fewer syllables.

    What pypdf cannot read in time stays as PDFium read it.
    """
    try:
        again = _by_pypdf(data, ends, doubtful).pages
    except Unreadable as error:
        logging.getLogger(__name__).info("%s", error)
        return
    for number, lines in zip(doubtful, again, strict=True):
        if _quality(lines) > _quality(pages[number]):
            pages[number] = lines


def _by_pypdf(data: bytes, ends: float, numbers: list[int] | None = None) -> PdfText:
    """Return the lines of pages as pypdf reads them.

    `numbers` are those of the pages, None for all.
    """
    import pypdf
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it logs every damage; serious ones are raised
    try:
        reader = pypdf.PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable(message("file.pdf-password"))
        if len(reader.pages) > _MOST_PAGES:
            raise Unreadable(message("file.pdf-too-long", limit=_MOST_PAGES))
        pages = []
        for number in range(len(reader.pages)) if numbers is None else numbers:
            # By position first: many producers move the pen before each letter that another font has.
            texts = [_lines(reader.pages[number].extract_text(extraction_mode=mode)) for mode in ("layout", "plain")]
            pages.append(max(texts, key=_quality))
            _check_clock(ends)
        info = reader.metadata
        return PdfText(pages, str(info.title) if info and info.title else None)
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
        ArithmeticError,
        NotImplementedError,
    ) as error:
        # pypdf raises any of these for damage of any kind
        raise Unreadable(message("file.pdf-damaged", error=f"{type(error).__name__}: {error}")) from error
    except ImportError as error:  # encrypted by a method that pypdf leaves to another package
        raise Unreadable(message("file.pdf-encrypted", error=str(error))) from error
