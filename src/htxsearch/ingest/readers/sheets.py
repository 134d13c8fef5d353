"""Workbooks (XLSX, XLS, ODS): each sheet an article, each row a sentence.

A row reads "Huyện Đại Từ: số HTX 96; thành viên 1.240", so that its figures are found and asked like those of a text.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.base import ParsedDocument, document
from htxsearch.text.normalize import folded_form

__all__ = ["read_sheets"]

_MOST_ROWS = 200_000
_LONGEST_HEAD = 20
"""Rows in which the names of columns are looked for."""
_NUMBERING = frozenset({"stt", "tt", "so tt", "so thu tu", "no", "#"})
"""Folded names of columns that only count the rows."""
_YEARS, _LARGEST = range(1900, 2101), 1e15
"""Numbers that are written without dots, and the least that is written by its power of ten."""


def read_sheets(data: bytes) -> Iterator[ParsedDocument]:
    """Yield an article for each sheet with text, read by python-calamine (MIT).

    Raises Unreadable if the workbook is damaged, needs a password, or is too long.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        workbook = CalamineWorkbook.from_filelike(BytesIO(data))
        names = workbook.sheet_names
        found = 0
        for name in names:
            rows = workbook.get_sheet_by_name(name).to_python()
            if len(rows) > _MOST_ROWS:
                raise Unreadable(message("file.sheet-too-long", limit=_MOST_ROWS))
            parsed = _sheet(name, rows)
            if parsed:
                found += 1
                yield parsed if len(names) == 1 else replace(parsed, member=f"/{name}")
    except PasswordError as error:
        raise Unreadable(message("file.password")) from error
    except (CalamineError, ValueError, OSError) as error:
        raise Unreadable(message("file.sheet-damaged", error=str(error))) from error
    if not found:
        raise Unreadable(message("file.empty"))


def _sheet(name: str, rows: Sequence[Sequence[object]]) -> ParsedDocument | None:
    """Return the article of a sheet, None if it is empty.

    Its title is the first line above its table, else the name of the sheet.
    """
    texts = [[_text(cell) for cell in row] for row in rows]
    head = _head(rows, texts)
    above = [" | ".join(filter(None, row)) for row in texts[:head] if any(row)]
    if head is None:
        lines = [" | ".join(filter(None, row)) for row in texts if any(row)]
        return document(lines, Metadata(title=name)) if lines else None
    columns = texts[head]
    body = [sentence for row in texts[head + 1 :] if (sentence := _sentence(columns, row))]
    if above:
        return document([*above, *body], Metadata(title=name))
    return ParsedDocument("\n".join(body), Metadata(title=name)) if body else None


def _head(rows: Sequence[Sequence[object]], texts: Sequence[Sequence[str]]) -> int | None:
    """Return the number of the row that names the columns.

    It is the first of at least two cells, all of them words, above such a row.
    """
    for number, row in enumerate(rows[:_LONGEST_HEAD]):
        cells = [cell for cell, text in zip(row, texts[number], strict=True) if text]
        if len(cells) >= 2 and all(isinstance(cell, str) for cell in cells) and number + 1 < len(rows):
            below = [text for text in texts[number + 1] if text]
            if len(below) >= 2:
                return number
    return None


def _sentence(columns: Sequence[str], row: Sequence[str]) -> str:
    """Return a row as a sentence.

    It has the row's first words, then the name and the value of each column.
    """
    pairs = [(name, text) for name, text in zip(columns, row, strict=False) if text and folded_form(name) not in _NUMBERING]
    if not pairs:
        return ""
    (_, label), *rest = pairs
    if not rest:
        return label
    values = "; ".join(f"{name[:1].lower()}{name[1:]} {text}" if name else text for name, text in rest)
    return f"{label}: {values}"


def _text(cell: object) -> str:
    """Return a cell as Vietnamese writes it: 1.240, 3,5, 31/12/2023."""
    if isinstance(cell, bool):
        return "có" if cell else "không"
    if isinstance(cell, int | float):
        return _number(float(cell))
    if isinstance(cell, datetime.datetime):
        cell = cell.date() if cell.time() == datetime.time() else cell
    if isinstance(cell, datetime.date):
        return f"{cell.day}/{cell.month}/{cell.year}"
    return " ".join(str(cell).split()) if cell is not None else ""


def _number(value: float) -> str:
    if value == int(value) and int(value) in _YEARS:
        return str(int(value))
    if abs(value) >= _LARGEST:
        return f"{value:.6g}"
    whole, _, part = f"{value:,.6f}".rstrip("0").rstrip(".").partition(".")
    return whole.replace(",", ".") + (f",{part}" if part else "")
