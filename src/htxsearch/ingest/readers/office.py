"""Files of office programs other than Word: ODT, PPTX."""

import posixpath
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Dropped, Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.archive import Archive, safe_xml
from htxsearch.ingest.readers.base import ParsedDocument, document
from htxsearch.ingest.readers.cells import table_lines

__all__ = ["read_odt", "read_pptx"]

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_SLIDE = re.compile(r"ppt/slides/slide([1-9]\d{0,5})\.xml")
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_OF_SERIES = ((f"{_CHART}tx",), (f"{_CHART}cat", f"{_CHART}xVal"), (f"{_CHART}val", f"{_CHART}yVal"))
_DRAWN = re.compile(r"/(?:diagrams/data|charts/chart)\d+\.xml$")
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_COMMENT = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}annotation"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_BOXES = tuple(f"{_DRAW}{name}" for name in ("frame", "text-box", "custom-shape", "rect", "ellipse", "line", "g"))
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_PAGE_HEADS = tuple(f"{_STYLE}{part}{pages}" for part in ("header", "footer") for pages in ("", "-left", "-first"))
_MOST_COLUMNS = 100
"""Cells of a row that may be written as one that is repeated."""
_DC = "{http://purl.org/dc/elements/1.1/}"


def read_odt(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of an OpenDocument text.

    It has paragraphs, headings and table rows in order.
    """
    archive = Archive(data)
    if "META-INF/manifest.xml" in archive and b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise Unreadable(message("file.password"))
    lines: list[str] = []
    headings: list[int] = []
    content = safe_xml(archive.read("content.xml"))
    _odt_lines(content, lines, headings)
    for note in content.iter(f"{_TEXT}note-body"):
        _odt_lines(note, lines, [])
    dropped = [part for comment in content.iter(_COMMENT) for part in _odt_dropped(comment, "dropped.annotation")]
    if "styles.xml" in archive:
        for head in safe_xml(archive.read("styles.xml")).iter(*_PAGE_HEADS):
            dropped += _odt_dropped(head, "dropped.running-title")
    known = Metadata()
    if "meta.xml" in archive:
        meta = safe_xml(archive.read("meta.xml"))
        known = Metadata(title=_property(meta, "title"), author=_property(meta, "creator"))
    yield document(lines, known, headings=headings, dropped=tuple(dropped))


def _odt_lines(element: Any, lines: list[str], headings: list[int]) -> None:
    for child in element:
        if child.tag in (f"{_TEXT}p", f"{_TEXT}h"):
            if child.tag == f"{_TEXT}h":
                headings.append(len(lines))
            boxes: list[Any] = []
            lines.append(_odt_text(child, boxes))
            for box in boxes:
                _odt_lines(box, lines, [])
        elif child.tag == f"{_TABLE}table" and (rows := _odt_figures(child)):
            lines += rows
        elif child.tag == f"{_TABLE}table-row":
            cells: list[str] = []
            _odt_lines(child, cells, [])
            lines.append(" | ".join(cell for cell in cells if cell.strip()))
        elif isinstance(child.tag, str) and child.tag not in (f"{_TEXT}tracked-changes", _COMMENT):
            _odt_lines(child, lines, headings)


def _odt_figures(table: Any) -> list[str] | None:
    """Return the lines of a table of figures, None for another or a nested one."""
    if next(table.iterdescendants(f"{_TABLE}table"), None) is not None:
        return None
    rows: list[list[str]] = []
    for row in table.iter(f"{_TABLE}table-row"):
        rows.append([])
        for cell in row.iterchildren(f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            lines: list[str] = []
            _odt_lines(cell, lines, [])
            repeated = cell.get(f"{_TABLE}number-columns-repeated", "1")
            text = " ".join(" ".join(lines).split())
            rows[-1] += [text] * (min(int(repeated), _MOST_COLUMNS) if repeated.isdecimal() else 1)
    return table_lines(rows)


def _odt_text(element: Any, boxes: list[Any]) -> str:
    """Return the text of a paragraph.

    The text boxes and shapes in it are added to `boxes`.
    """
    parts = [element.text or ""]
    for child in element:
        if child.tag in (f"{_TEXT}s", f"{_TEXT}tab"):
            parts.append(" ")
        elif child.tag == f"{_TEXT}line-break":
            parts.append("\n")
        elif child.tag in _BOXES:
            boxes.append(child)
        elif child.tag not in (f"{_TEXT}note", _COMMENT) and isinstance(child.tag, str):
            parts.append(_odt_text(child, boxes))
        parts.append(child.tail or "")
    return "".join(parts)


def _odt_dropped(element: Any, code: str) -> list[Dropped]:
    """Return the lines within an element as dropped, with this reason."""
    lines: list[str] = []
    _odt_lines(element, lines, [])
    return [Dropped(line, message(code)) for line in lines if line.strip()]


def _property(meta: Any, name: str) -> str | None:
    element = meta.find(f".//{_DC}{name}")
    return " ".join((element.text or "").split()) or None if element is not None else None


def read_pptx(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of slides: each paragraph a line.

    The slides come in the order of their numbers. The first line is the title. Diagrams, charts and notes stand behind the
    slide that they belong to.
    """
    archive = Archive(data)
    numbers = sorted(int(found[1]) for name in archive.names if (found := _SLIDE.fullmatch(name)))
    lines: list[str] = []
    dropped: list[Dropped] = []
    for number in numbers:
        parts = (f"ppt/slides/slide{number}.xml", *_drawn(archive, number), f"ppt/notesSlides/notesSlide{number}.xml")
        for root in (safe_xml(archive.read(part)) for part in parts if part in archive):
            for paragraph in root.iter(f"{_DRAWING}p"):
                text = "".join(piece.text or " " for piece in paragraph.iter(f"{_DRAWING}t", f"{_DRAWING}br"))
                if paragraph.find(f"{_DRAWING}fld[@type='slidenum']") is not None:
                    dropped.append(Dropped(text, message("dropped.page-number")))
                elif text.strip():
                    lines.append(text)
            lines += (_series(series) for series in root.iter(f"{_CHART}ser"))
    yield document(lines, Metadata(), dropped=tuple(dropped))


def _drawn(archive: Archive, slide: int) -> list[str]:
    """Return the names of the parts that hold the diagrams and charts of a slide."""
    name = f"ppt/slides/_rels/slide{slide}.xml.rels"
    targets = [str(one.get("Target")) for one in safe_xml(archive.read(name))] if name in archive else []
    return [posixpath.normpath(posixpath.join("ppt/slides", target)) for target in targets if _DRAWN.search(target)]


def _series(series: Any) -> str:
    """Return a series of a chart as a line: Sản lượng: 2020 35; 2021 41."""
    name, names, values = (
        [value.text or "" for element in series.iter(*parts) for value in element.iter(f"{_CHART}v")] for parts in _OF_SERIES
    )
    return f"{' '.join(name)}: {'; '.join(f'{one} {value}'.strip() for one, value in zip_longest(names, values, fillvalue=''))}"
