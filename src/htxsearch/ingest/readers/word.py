"""Word documents of today (DOCX): their text, each run decoded by its font.

Text boxes and diagrams stand behind their paragraph, notes at the end. Headers, footers, comments and deleted text are
dropped with a reason.
"""

import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import groupby
from operator import itemgetter
from typing import Any

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.archive import Archive, safe_xml
from htxsearch.ingest.readers.base import ParsedDocument, document, furniture
from htxsearch.ingest.readers.cells import table_lines
from htxsearch.text.old_fonts import OldFont, Run, decoded_runs, joined_runs, old_font

__all__ = ["PROGRAMS", "SOFT_HYPHEN", "read_docx"]

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_COMPATIBLE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_RELATIONS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
PROGRAMS = frozenset({"", "python-docx", "Microsoft Office User", "Administrator", "User", "Admin", "Windows User"})
"""What programs write as the author."""
_NOTES = re.compile(r"word/(?:footnotes|endnotes)\d*\.xml")
_FURNITURE = re.compile(r"word/(?:header|footer)\d*\.xml")
_COMMENTS = re.compile(r"word/comments\d*\.xml")
SOFT_HYPHEN = "\xad"
"""An optional hyphen, for which Vietnamese has no use; in fonts of TCVN3 it is the letter ư."""
_SIGNS = {f"{_WORD}{name}": "\t" for name in ("tab", "ptab")} | {f"{_WORD}{name}": "\n" for name in ("br", "cr")}
_SIGNS |= {f"{_WORD}noBreakHyphen": "-", f"{_WORD}softHyphen": SOFT_HYPHEN}
_MOST_STYLES = 20
"""Styles that a style may be based on, one by one."""

_MOST_COLUMNS = 63
"""Columns that a table of Word may have."""
_BETWEEN = "\x1f"
"""Stands between the cells of a row until its text is decoded."""

_Line = list[Run]


def read_docx(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of a Word document.

    It is opened by python-docx (MIT): paragraphs and tables in order, title, author.
    """
    import docx
    from docx.opc.exceptions import OpcError
    from lxml.etree import LxmlError

    archive = Archive(data)
    for name in archive.names:
        member = archive.read(name)
        if name.endswith((".xml", ".rels")):
            safe_xml(member)
    try:
        parsed = docx.Document(BytesIO(data))
        text = _Text(_Styles(parsed.styles.element), parsed.part)
        parts = {names: _parts(archive, names) for names in (_NOTES, _FURNITURE, _COMMENTS)}
        whole = [parsed.element.body, *(root for roots in parts.values() for root in roots)]
        deleted = [line for root in whole for line in text.deleted(root)]
        for root in whole:
            _unwrap(root)
        lines = text.blocks(parsed.element.body)
        lines += [(line, False, 0) for root in parts[_NOTES] for line in text.notes(root)]
        margins = [line for root in parts[_FURNITURE] for line in text.paragraphs(root)]
        comments = [text.joined(comment) for root in parts[_COMMENTS] for comment in root.iter(f"{_WORD}comment")]
        properties = parsed.core_properties
        author = properties.author.strip()
        known = Metadata(title=properties.title.strip() or None, author=author if author not in PROGRAMS else None)
    except (OpcError, LxmlError, KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise Unreadable(message("file.word-damaged", error=str(error))) from error
    kinds = ([line for line, *_ in lines], margins, comments, deleted)
    decoded = iter(decoded_runs(line for kind in kinds for line in kind))
    body, margin, comment, cut = ([next(decoded) for _ in kind] for kind in kinds)
    body, headings = _with_rows(body, [(is_heading, table) for _, is_heading, table in lines])
    yield document(
        body,
        known,
        headings=headings,
        dropped=(
            *furniture(margin, message("dropped.page-margins")),
            *furniture(comment, message("dropped.margin-comments")),
            *furniture(cut, message("dropped.deleted")),
        ),
    )


def _with_rows(lines: Sequence[str], kinds: Sequence[tuple[bool, int]]) -> tuple[list[str], list[int]]:
    """Return lines with the rows of tables as text, and the numbers of headings.

    Rows of tables of figures are sentences.

    Rows of tables of figures are sentences. `kinds` has for each line whether it is a heading, and the number of its table,
    0 for other lines.
    """
    body: list[str] = []
    headings: list[int] = []
    for (is_heading, table), numbered in groupby(zip(kinds, lines, strict=True), key=itemgetter(0)):
        group = [line for _, line in numbered]
        if table:
            rows = [[" ".join(cell.split()) for cell in line.split(_BETWEEN)] for line in group]
            group = table_lines(rows) or [" | ".join(filter(str.strip, line.split(_BETWEEN))) for line in group]
        headings += range(len(body), len(body) + len(group)) if is_heading else ()
        body += group
    return body, headings


def _parts(archive: Archive, names: re.Pattern[str]) -> list[Any]:
    """Return the roots of the parts with such names, footnotes before endnotes."""
    return [safe_xml(archive.read(name)) for name in sorted(archive.names, reverse=True) if names.fullmatch(name)]


def _unwrap(root: Any) -> None:
    """Remove deleted text, and wrappers whose text would be skipped.

    The wrapping elements are insertions and moves that are tracked changes, content controls, and smart tags; their
    text stays.
    """
    from lxml import etree

    etree.strip_elements(root, f"{_COMPATIBLE}Fallback", with_tail=False)  # a box written again for older programs
    etree.strip_elements(root, *(f"{_WORD}{name}" for name in ("del", "moveFrom", "sdtPr", "sdtEndPr", "smartTagPr")))
    etree.strip_tags(root, *(f"{_WORD}{name}" for name in ("ins", "moveTo", "sdt", "sdtContent", "smartTag", "customXml")))


class _Styles:
    """The fonts and names of a document's styles."""

    def __init__(self, root: Any) -> None:
        self._styles = {style.get(f"{_WORD}styleId"): style for style in root.iter(f"{_WORD}style")}
        self._fonts: dict[str | None, str | None] = {}
        defaults = root.find(f"{_WORD}docDefaults/{_WORD}rPrDefault/{_WORD}rPr")
        usual = next((name for name, style in self._styles.items() if _is_default_of_paragraphs(style)), None)
        self._usual = self.font_of_style(usual) or _font_named(defaults) or ""

    def font_of_style(self, name: str | None) -> str | None:
        """Return the font of a style or its base, "" for one of the theme, else None."""
        if name not in self._fonts:
            font, at = None, name
            for _ in range(_MOST_STYLES):
                style = self._styles.get(at)
                if style is None or font is not None:
                    break
                font = _font_named(style.find(f"{_WORD}rPr"))
                based = style.find(f"{_WORD}basedOn")
                at = None if based is None else based.get(f"{_WORD}val")
            self._fonts[name] = font
        return self._fonts[name]

    def font(self, run: Any, style: str | None) -> OldFont | None:
        """Return the old font of a run in a paragraph of a style, None for others."""
        properties = run.find(f"{_WORD}rPr")
        own = _font_named(properties)
        if own is None and properties is not None:
            own = self.font_of_style(_value(properties, "rStyle"))
        if own is None:
            own = self.font_of_style(style)
        return old_font(self._usual if own is None else own)

    def is_heading(self, name: str | None) -> bool:
        """Return True for the styles of headings and of the title."""
        style = self._styles.get(name) if name else None
        return style is not None and (_value(style, "name") or "").lower().startswith(("heading", "title"))


def _is_default_of_paragraphs(style: Any) -> bool:
    return style.get(f"{_WORD}type") == "paragraph" and style.get(f"{_WORD}default") in ("1", "true", "on")


def _font_named(properties: Any) -> str | None:
    """Return the font of run properties, "" for one of the theme, None for none."""
    fonts = None if properties is None else properties.find(f"{_WORD}rFonts")
    if fonts is None:
        return None
    if fonts.get(f"{_WORD}hAnsiTheme"):
        return ""
    named: str | None = fonts.get(f"{_WORD}hAnsi") or fonts.get(f"{_WORD}ascii")
    return named


def _value(parent: Any, name: str) -> str | None:
    element = parent.find(f"{_WORD}{name}")
    value: str | None = None if element is None else element.get(f"{_WORD}val")
    return value


class _Text:
    """The lines of a document, as runs with their fonts."""

    def __init__(self, styles: _Styles, part: Any) -> None:
        self._styles = styles
        self._part = part

    def blocks(self, body: Any) -> list[tuple[_Line, bool, int]]:
        """Return the lines of a body: paragraphs, text boxes, diagrams, rows of tables.

        With each comes whether it is a heading, and the number of its table, 0 for none.
        """
        lines: list[tuple[_Line, bool, int]] = []
        tables = 0
        for block in body:
            if block.tag == f"{_WORD}p":
                heading = self._styles.is_heading(_style_of(block))
                lines += [(self.line(block), heading, 0), *((line, False, 0) for line in self._anchored(block))]
            elif block.tag == f"{_WORD}tbl":
                rows = (row for row in block if row.tag == f"{_WORD}tr")
                tables += 1
                lines += [(self._row(row), False, tables) for row in rows]
        return lines

    def line(self, paragraph: Any) -> _Line:
        """Return the runs of a paragraph, without those of boxes in it."""
        return list(self._runs(paragraph, _style_of(paragraph)))

    def paragraphs(self, root: Any) -> list[_Line]:
        """Return every paragraph below an element, a line each."""
        return [self.line(paragraph) for paragraph in root.iter(f"{_WORD}p")]

    def joined(self, parent: Any) -> _Line:
        """Return the paragraphs below an element as one line."""
        return joined_runs(self.paragraphs(parent), " ")

    def notes(self, root: Any) -> list[_Line]:
        """Return the footnotes or endnotes of a document, a line each.

        Separators are none.
        """
        return [self.joined(note) for note in root if note.get(f"{_WORD}type") in (None, "normal")]

    def deleted(self, root: Any) -> list[_Line]:
        """Return the text that tracked changes have deleted, a line for each change."""
        return [
            [
                Run(piece.text or "", self._styles.font(run, None))
                for run in change.iter(f"{_WORD}r")
                for piece in run.iter(f"{_WORD}delText", f"{_WORD}t")
            ]
            for change in root.iter(f"{_WORD}del")
        ]

    def _anchored(self, paragraph: Any) -> list[_Line]:
        """Return the lines of the text boxes and diagrams anchored in a paragraph."""
        found = paragraph.iter(f"{_WORD}txbxContent")
        boxes = [box for box in found if next(box.iterancestors(f"{_WORD}txbxContent"), None) is None]
        lines = [line for box in boxes for line in self.paragraphs(box)]
        for diagram in paragraph.iter(f"{_DIAGRAM}relIds"):
            lines += self._diagram(diagram.get(f"{_RELATIONS}dm"))
        return lines

    def _diagram(self, relation: str | None) -> list[_Line]:
        """Return the lines of a SmartArt diagram."""
        part = self._part.related_parts.get(relation)
        root = None if part is None else safe_xml(part.blob)
        paragraphs = () if root is None else root.iter(f"{_DRAWING}p")
        return [[Run("".join(piece.text or "" for piece in line.iter(f"{_DRAWING}t")))] for line in paragraphs]

    def _row(self, row: Any) -> _Line:
        """Return a row of a table; a table or box within a cell belongs to the cell.

        A cell over several columns has empty ones behind it.
        """
        whole: list[Run] = []
        for number, cell in enumerate(cell for cell in row if cell.tag == f"{_WORD}tc"):
            behind = [Run(_BETWEEN)] * (_columns_of(cell) - 1)
            whole += [*([Run(_BETWEEN)] if number else []), *self._cell(cell), *behind]
        return whole

    def _cell(self, cell: Any) -> _Line:
        lines = [self.line(paragraph) for paragraph in cell.iter(f"{_WORD}p")]
        for diagram in cell.iter(f"{_DIAGRAM}relIds"):
            lines += self._diagram(diagram.get(f"{_RELATIONS}dm"))
        return [Run(re.sub(r"\s+", " ", run.text), run.font) for run in joined_runs(lines, " ")]

    def _runs(self, element: Any, style: str | None) -> Iterator[Run]:
        for child in element:
            if child.tag == f"{_WORD}r":
                yield from self._run(child, style)
            elif child.tag == f"{_MATH}t":
                yield Run(child.text or "")
            elif isinstance(child.tag, str) and child.tag != f"{_WORD}p":
                yield from self._runs(child, style)

    def _run(self, run: Any, style: str | None) -> Iterator[Run]:
        font = self._styles.font(run, style)
        for piece in run:
            if piece.tag == f"{_WORD}t":
                yield Run(piece.text or "", font)
            elif piece.tag in _SIGNS:
                yield Run(_SIGNS[piece.tag], font)
            elif piece.tag == f"{_WORD}sym" and (shown := old_font(piece.get(f"{_WORD}font") or "")):
                yield Run(_symbol(piece.get(f"{_WORD}char")), shown)
            elif piece.tag == f"{_WORD}ruby":
                yield from self._runs(piece, style)


def _columns_of(cell: Any) -> int:
    """Return the number of columns that a cell is over."""
    properties = cell.find(f"{_WORD}tcPr")
    columns = None if properties is None else _value(properties, "gridSpan")
    return min(int(columns), _MOST_COLUMNS) if columns and columns.isdecimal() else 1


def _style_of(paragraph: Any) -> str | None:
    properties = paragraph.find(f"{_WORD}pPr")
    return None if properties is None else _value(properties, "pStyle")


def _symbol(code: str | None) -> str:
    return chr(int(code, 16)) if code and re.fullmatch("[0-9A-Fa-f]{2,4}", code) and not 0xD7FF < int(code, 16) < 0xE000 else ""
