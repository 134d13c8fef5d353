"""Word processors' files: DOCX, ODT, RTF."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from htxsearch.ingest.metadata import Metadata, Unreadable
from htxsearch.ingest.readers.archive import Archive, safe_xml
from htxsearch.ingest.readers.base import ParsedDocument, document

__all__ = ["read_docx", "read_odt", "read_rtf"]

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_DC = "{http://purl.org/dc/elements/1.1/}"


def read_docx(data: bytes) -> Iterator[ParsedDocument]:
    """A Word document, by python-docx (MIT): paragraphs and tables in order; title and author where it says them."""
    import docx
    from docx.opc.exceptions import OpcError
    from docx.table import Table
    from lxml.etree import LxmlError

    archive = Archive(data)
    for name in archive.names:
        member = archive.read(name)
        if name.endswith((".xml", ".rels")):
            safe_xml(member)
    try:
        found = docx.Document(BytesIO(data))
        lines = []
        _unwrap(found.element.body)
        for block in found.iter_inner_content():
            lines += _rows(block) if isinstance(block, Table) else [(block.text, _is_heading(block))]
        about = found.core_properties
        known = Metadata(title=about.title.strip() or None, author=about.author.strip() or None)
    except (OpcError, LxmlError, KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise Unreadable(f"the Word document is damaged ({error}); open it in Word and save it anew") from error
    yield document([line for line, _ in lines], known, headings=[number for number, (_, big) in enumerate(lines) if big])


def _unwrap(body: Any) -> None:
    """Take away what a document puts around text that python-docx passes over with it, and what is deleted.

    That is what is inserted or moved there as a tracked change, what stands in content controls, and smart tags.
    """
    from lxml import etree

    etree.strip_elements(body, *(f"{_WORD}{name}" for name in ("del", "moveFrom", "sdtPr", "sdtEndPr", "smartTagPr")))
    etree.strip_tags(body, *(f"{_WORD}{name}" for name in ("ins", "moveTo", "sdt", "sdtContent", "smartTag", "customXml")))


def _is_heading(paragraph: Any) -> bool:
    if paragraph._p.style is None:  # python-docx looks at every style to find the usual one
        return False
    style = paragraph.style
    return style is not None and (style.name or "").startswith(("Heading", "Title"))


def _rows(table: Any) -> list[tuple[str, bool]]:
    """Return a table's rows as lines; what is in a table within a cell belongs to the cell."""
    rows = []
    for row in table._tbl.tr_lst:  # python-docx's own cells are as many as the file says that one is wide
        cells = (" ".join(" ".join(one.text for one in cell.iter(f"{_WORD}p")).split()) for cell in row.tc_lst)
        rows.append((" | ".join(text for text in cells if text), False))
    return rows


def read_odt(data: bytes) -> Iterator[ParsedDocument]:
    """An OpenDocument text: paragraphs, headings and table rows in order."""
    archive = Archive(data)
    if "META-INF/manifest.xml" in archive and b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise Unreadable("it is protected by a password; save it without one")
    lines: list[str] = []
    headings: list[int] = []
    _odt_lines(safe_xml(archive.read("content.xml")), lines, headings)
    known = Metadata()
    if "meta.xml" in archive:
        meta = safe_xml(archive.read("meta.xml"))
        known = Metadata(title=_said(meta, "title"), author=_said(meta, "creator"))
    yield document(lines, known, headings=headings)


def _odt_lines(element: Any, lines: list[str], headings: list[int]) -> None:
    for child in element:
        if child.tag in (f"{_TEXT}p", f"{_TEXT}h"):
            if child.tag == f"{_TEXT}h":
                headings.append(len(lines))
            lines.append(_odt_text(child))
        elif child.tag == f"{_TABLE}table-row":
            cells: list[str] = []
            _odt_lines(child, cells, [])
            lines.append(" | ".join(cell for cell in cells if cell.strip()))
        elif isinstance(child.tag, str) and not child.tag.startswith(f"{_TEXT}tracked-changes"):
            _odt_lines(child, lines, headings)


def _odt_text(element: Any) -> str:
    parts = [element.text or ""]
    for child in element:
        if child.tag in (f"{_TEXT}s", f"{_TEXT}tab"):
            parts.append(" ")
        elif child.tag == f"{_TEXT}line-break":
            parts.append("\n")
        elif child.tag != f"{_TEXT}note" and isinstance(child.tag, str):
            parts.append(_odt_text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _said(meta: Any, name: str) -> str | None:
    found = meta.find(f".//{_DC}{name}")
    return " ".join((found.text or "").split()) or None if found is not None else None


def read_rtf(data: bytes) -> Iterator[ParsedDocument]:
    """An RTF document, by striprtf (BSD-3)."""
    from striprtf.striprtf import rtf_to_text

    try:
        text: str = rtf_to_text(data.decode("latin-1"), encoding="cp1252", errors="replace")
    except (ValueError, IndexError, LookupError, RecursionError) as error:
        raise Unreadable(f"the RTF document is damaged ({error}); open it in Word and save it as .docx") from error
    yield document(text.split("\n"), Metadata())
