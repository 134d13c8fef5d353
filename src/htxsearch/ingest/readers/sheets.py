"""Workbooks (XLSX, XLS, ODS): each sheet an article, each row a sentence.

A row reads "Huyện Đại Từ: số HTX 96; thành viên 1.240", so that its figures are found and asked like those of a text.
"""

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO

from htxsearch.errors.messages import message
from htxsearch.facts.units import unit_behind
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
_PLACES = frozenset({"tỉnh", "huyện", "xã", "quận", "phường", "thị xã", "thành phố"})
"""Names of a column whose cells are places of that kind."""
_TIMES = frozenset({"nam", "thang", "quy", "ngay"})
_UNIT = re.compile(r"\s*\(([^()]{1,20})\)$")
_COUNTED = re.compile(r"(?:tổng )?(?:số lượng|số) (?!tiền|dư|vốn)([^()]{2,40})$", re.IGNORECASE)
_PHONE = re.compile(r"dien thoai|di dong|(?<!\w)sdt(?!\w)|(?<!\w)(?:ma|cccd|cmnd|tai khoan)(?!\w)")
_PHONE_NUMBER, _LARGEST = 100_000_000, 1e15
"""The least number that lost its zero as a phone number, and the least that is written by its power of ten."""
_TITLE = re.compile(r"(?:BIỂU|BẢNG|DANH SÁCH|TỔNG HỢP|THỐNG KÊ|BÁO CÁO|KẾ HOẠCH|KẾT QUẢ|PHỤ LỤC)(?!\w)", re.IGNORECASE)


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
    body = [sentence for row in rows[head + 1 :] if (sentence := _sentence(columns, row))]
    title = next((line for line in above if _TITLE.match(line)), None)
    if title:
        return ParsedDocument("\n".join([*(line for line in above if line != title), *body]), Metadata(title=title))
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


def _sentence(columns: Sequence[str], row: Sequence[object]) -> str:
    """Return a row as a sentence.

    It has the row's first words, with the kind of place that its column names, then each value with its column's name and unit.
    """
    pairs = [
        (name, text)
        for name, cell in zip(columns, row, strict=False)
        if folded_form(name) not in _NUMBERING and (text := _text(cell, name))
    ]
    if not pairs:
        return ""
    (kind, label), *rest = pairs
    if kind.lower() in _PLACES and not label.lower().startswith(kind.lower()):
        label = f"{kind.lower()} {label}"
    if not rest:
        return label
    return f"{label}: {'; '.join(_value(name, text) for name, text in rest)}"


def _value(name: str, text: str) -> str:
    """Return a value as a text states it: 1.240 thành viên, sản lượng 3,5 tấn."""
    if not name or not text[:1].isdigit() or folded_form(name) in _TIMES:
        return f"{_lowered(name)} {text}".strip()
    unit = _UNIT.search(name)
    if unit:
        return f"{_lowered(name[: unit.start()].strip())} {text} {unit[1]}"
    counted = _COUNTED.match(name)
    noun = counted[1] if counted else name
    known = unit_behind(f"1 {noun}", 1)
    if known and known.known and known.end == len(noun) + 2:
        return f"{text} {noun[:1].lower() + noun[1:] if noun[1:2].islower() else noun}"
    return f"{_lowered(name)} {text}" + (f" {noun}" if counted else "")


def _lowered(name: str) -> str:
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def _text(cell: object, column: str = "") -> str:
    """Return a cell as Vietnamese writes it: 1.240, 3,5, 31/12/2023."""
    if isinstance(cell, bool):
        return "có" if cell else "không"
    if isinstance(cell, int | float):
        folded = folded_form(column)
        if cell == int(cell) and ("nam" in folded.split() or _PHONE.search(folded)):
            return f"0{int(cell)}" if _PHONE.search(folded) and cell >= _PHONE_NUMBER else str(int(cell))
        return _number(float(cell))
    if isinstance(cell, datetime.datetime):
        cell = cell.date() if cell.time() == datetime.time() else cell
    if isinstance(cell, datetime.date):
        return f"{cell.day}/{cell.month}/{cell.year}"
    return " ".join(str(cell).split()) if cell is not None else ""


def _number(value: float) -> str:
    if abs(value) >= _LARGEST:
        return f"{value:.6g}"
    whole, _, part = f"{value:,.6f}".rstrip("0").rstrip(".").partition(".")
    return whole.replace(",", ".") + (f",{part}" if part else "")
