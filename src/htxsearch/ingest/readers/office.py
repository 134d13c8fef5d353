"""Files of office programs: DOCX, ODT, RTF, PPTX."""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.archive import Archive, safe_xml
from htxsearch.ingest.readers.base import ParsedDocument, document

__all__ = ["read_docx", "read_odt", "read_pptx", "read_rtf"]

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_COMPATIBLE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_PROGRAMS = frozenset({"", "python-docx", "Microsoft Office User", "Administrator", "User", "Admin", "Windows User"})
"""What programs write as the author."""
_NOTES = ("word/footnotes.xml", "word/endnotes.xml")
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_SLIDE = re.compile(r"ppt/slides/slide([1-9]\d{0,5})\.xml")
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_DC = "{http://purl.org/dc/elements/1.1/}"


def read_docx(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of a Word document.

    It is read by python-docx (MIT): paragraphs and tables in order, title, author.
    """
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
        parsed = docx.Document(BytesIO(data))
        lines = []
        _unwrap(parsed.element.body)
        for block in parsed.iter_inner_content():
            lines += _rows(block) if isinstance(block, Table) else [(block.text, _is_heading(block)), *_text_boxes(block)]
        lines += [(text, False) for name in _NOTES if name in archive for text in _notes(safe_xml(archive.read(name)))]
        properties = parsed.core_properties
        author = properties.author.strip()
        known = Metadata(title=properties.title.strip() or None, author=author if author not in _PROGRAMS else None)
    except (OpcError, LxmlError, KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise Unreadable(message("file.word-damaged", error=str(error))) from error
    yield document(
        [line for line, _ in lines], known, headings=[number for number, (_, is_heading) in enumerate(lines) if is_heading]
    )


def _unwrap(body: Any) -> None:
    """Remove deleted text, and wrappers whose text python-docx would skip.

    The wrapping elements are insertions and moves that are tracked changes, content controls, and smart tags; their
    text stays.
    """
    from lxml import etree

    etree.strip_elements(body, f"{_COMPATIBLE}Fallback", with_tail=False)  # a box written again for older programs
    etree.strip_elements(body, *(f"{_WORD}{name}" for name in ("del", "moveFrom", "sdtPr", "sdtEndPr", "smartTagPr")))
    etree.strip_tags(body, *(f"{_WORD}{name}" for name in ("ins", "moveTo", "sdt", "sdtContent", "smartTag", "customXml")))


def _text_boxes(paragraph: Any) -> list[tuple[str, bool]]:
    """Return the lines of the text boxes that are anchored in a paragraph."""
    found = paragraph._element.iter(f"{_WORD}txbxContent")
    boxes = [box for box in found if next(box.iterancestors(f"{_WORD}txbxContent"), None) is None]
    return [(_text_of(inner), False) for box in boxes for inner in box.iter(f"{_WORD}p")]


def _notes(root: Any) -> list[str]:
    """Return the footnotes or endnotes of a document, a line each.

    Separators are none.
    """
    notes = [note for note in root if note.get(f"{_WORD}type") in (None, "normal")]
    return [" ".join(_text_of(paragraph) for paragraph in note.iter(f"{_WORD}p")) for note in notes]


def _text_of(paragraph: Any) -> str:
    pieces = (f"{_WORD}t", f"{_WORD}tab", f"{_WORD}br")
    return "".join((piece.text or "") if piece.tag == pieces[0] else " " for piece in paragraph.iter(*pieces))


def _is_heading(paragraph: Any) -> bool:
    if paragraph._p.style is None:  # python-docx would search all styles for the default one
        return False
    style = paragraph.style
    return style is not None and (style.name or "").startswith(("Heading", "Title"))


def _rows(table: Any) -> list[tuple[str, bool]]:
    """Return the rows of a table as lines; a table within a cell belongs to the cell."""
    rows = []
    for row in table._tbl.tr_lst:  # python-docx repeats a cell as often as the file declares its width
        cells = (" ".join(" ".join(paragraph.text for paragraph in cell.iter(f"{_WORD}p")).split()) for cell in row.tc_lst)
        rows.append((" | ".join(text for text in cells if text), False))
    return rows


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
    known = Metadata()
    if "meta.xml" in archive:
        meta = safe_xml(archive.read("meta.xml"))
        known = Metadata(title=_property(meta, "title"), author=_property(meta, "creator"))
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


def _property(meta: Any, name: str) -> str | None:
    element = meta.find(f".//{_DC}{name}")
    return " ".join((element.text or "").split()) or None if element is not None else None


def read_rtf(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of an RTF document, read by striprtf (BSD-3)."""
    from striprtf.striprtf import rtf_to_text

    try:
        text: str = rtf_to_text(data.decode("latin-1"), encoding="cp1252", errors="replace")
    except (ValueError, IndexError, LookupError, RecursionError) as error:
        raise Unreadable(message("file.rtf-damaged", error=str(error))) from error
    yield document(text.split("\n"), Metadata())


def read_pptx(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of slides: each paragraph a line.

    The slides come in the order of their numbers. The first line is the title. Notes stand behind the slide that they
    belong to.
    """
    archive = Archive(data)
    numbers = sorted(int(found[1]) for name in archive.names if (found := _SLIDE.fullmatch(name)))
    parts = [f"ppt/{kind}{number}.xml" for number in numbers for kind in ("slides/slide", "notesSlides/notesSlide")]
    lines: list[str] = []
    for part in parts:
        if part in archive:
            for paragraph in safe_xml(archive.read(part)).iter(f"{_DRAWING}p"):
                if paragraph.find(f"{_DRAWING}fld[@type='slidenum']") is not None:
                    continue
                text = "".join(piece.text or " " for piece in paragraph.iter(f"{_DRAWING}t", f"{_DRAWING}br"))
                lines += [text] if text.strip() else []
    yield document(lines, Metadata())
