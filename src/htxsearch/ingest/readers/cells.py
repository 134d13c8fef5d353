"""Make sentences of the rows of a table, by the names of its columns.

A row reads "huyện Đại Từ: 96 HTX; 1.240 thành viên". What a column states of a time of its own stands in a sentence of that
time: "huyện Đại Từ, năm 2023: doanh thu 4.520 triệu đồng".
"""

import datetime
import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from htxsearch.errors.messages import message
from htxsearch.facts.units import unit_behind
from htxsearch.ingest.article import Dropped
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.base import NO_TEXT, ParsedDocument, document
from htxsearch.text.normalize import folded_form

__all__ = ["Share", "sheet_document", "table_document"]

_LONGEST_HEAD = 20
"""Rows in which the names of columns are looked for."""
_NUMBERING = frozenset({"stt", "tt", "so tt", "so thu tu", "no", "#"})
"""Folded names of columns that only count the rows."""
_ORDINAL = re.compile(r"[\d.]{1,6}|[IVXLC]{1,6}|[a-zđ]", re.IGNORECASE)
_FIGURE = re.compile(r"[-+]?\d[\d., ]*%?")
"""A cell of a table of texts that is a figure."""
_PLACES = frozenset({"tỉnh", "huyện", "xã", "quận", "phường", "thị xã", "thành phố"})
"""Names of a column whose cells are places of that kind."""
_TIMES = frozenset({"nam", "thang", "quy", "ngay"})
_UNIT = re.compile(r"\s*\(([^()]{1,20})\)$")
_COUNTED = re.compile(r"(?:tổng )?(?:số lượng|số) (?!tiền|dư|vốn)([^()]{2,40})$", re.IGNORECASE)
_PHONE = re.compile(r"dien thoai|di dong|(?<!\w)sdt(?!\w)")
_CODE = re.compile(r"(?<!\w)(?:ma|cccd|cmnd|tai khoan|so hieu)(?!\w)")
_PHONE_NUMBERS, _LARGEST = range(100_000_000, 1_000_000_000), 1e18
"""Numbers that lost their zero as phone numbers, and the least that is written by its power of ten."""
_TITLE = re.compile(r"(?:BIỂU|BẢNG|DANH SÁCH|TỔNG HỢP|THỐNG KÊ|BÁO CÁO|KẾ HOẠCH|KẾT QUẢ|PHỤ LỤC)(?!\w)", re.IGNORECASE)


class Share(NamedTuple):
    """The value of a cell that is shown as per cent, with its decimals: 0.054 as 5,4 %."""

    value: float
    decimals: int


def sheet_document(name: str, rows: Sequence[Sequence[object]]) -> ParsedDocument | None:
    """Return the article of a sheet, None if it is empty.

    Its title is the first line above its table, else the name of the sheet.
    """
    return _table_document(name, rows) or _lines_document(name, rows)


def table_document(rows: Sequence[Sequence[str]]) -> ParsedDocument | None:
    """Return the article of a file that is one table, None if no row names its columns."""
    return _table_document(None, rows)


def _lines_document(name: str, rows: Sequence[Sequence[object]]) -> ParsedDocument | None:
    lines = [line for row in rows if (line := " | ".join(filter(None, map(_text, row))))]
    return document(lines, Metadata(title=name)) if lines else None


def _table_document(name: str | None, rows: Sequence[Sequence[object]]) -> ParsedDocument | None:
    """Return the article of a table, None if no row names its columns.

    Its title is the first line above it that begins as titles do, else the name, else the names of the columns.
    """
    texts = [[_text(cell) for cell in row] for row in rows]
    head = _head(rows, texts)
    if head is None:
        return None
    columns = texts[head]
    body = [sentence for row in rows[head + 1 :] if (sentence := _sentence(columns, row))]
    dropped = (Dropped(" | ".join(filter(None, columns)), message("dropped.columns")), *_numbering(columns, texts[head + 1 :]))
    above = [" | ".join(filter(None, row)) for row in texts[:head] if any(row)]
    title = next((line for line in above if _TITLE.match(line)), None)
    if title:
        above.remove(title)
        return ParsedDocument("\n".join([*above, *body]), Metadata(title=title), dropped=dropped, heading=title)
    if above:
        return document([*above, *body], Metadata(title=name), dropped=dropped)
    title = name or ", ".join(one for one in columns if one and folded_form(one) not in _NUMBERING)
    return ParsedDocument("\n".join(body), Metadata(title=title), dropped=dropped)


def _numbering(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[Dropped, ...]:
    """Return the cells that only number the rows, a piece for each such column."""
    numbers = (
        [row[column] for row in rows if column < len(row) and _is_ordinal(name, row[column])]
        for column, name in enumerate(columns)
    )
    return tuple(Dropped(" | ".join(cells), message("dropped.numbering")) for cells in numbers if cells)


def _is_ordinal(column: str, text: str) -> bool:
    return folded_form(column) in _NUMBERING and _ORDINAL.fullmatch(text) is not None


def _head(rows: Sequence[Sequence[object]], texts: Sequence[Sequence[str]]) -> int | None:
    """Return the number of the row that names the columns.

    It is the first of at least two cells, all of them words, above such a row.
    """
    for number, row in enumerate(rows[:_LONGEST_HEAD]):
        cells = [cell for cell, text in zip(row, texts[number], strict=True) if text]
        if (
            len(cells) >= 2
            and all(isinstance(cell, str) and not _FIGURE.fullmatch(cell.strip()) for cell in cells)
            and number + 1 < len(rows)
        ):
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
        if (text := _text(cell, name)) and not _is_ordinal(name, text)
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
    if text.endswith("%"):
        return f"{_lowered(name[: unit.start()].strip() if unit and unit[1] == '%' else name)} {text}"
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
    if isinstance(cell, Share):
        return f"{_number(round(cell.value * 100, cell.decimals))} %" if math.isfinite(cell.value) else ""
    if isinstance(cell, int | float):
        folded = folded_form(column)
        if not math.isfinite(cell):
            return ""
        if cell == int(cell) and ("nam" in folded.split() or _CODE.search(folded) or _PHONE.search(folded)):
            return f"0{int(cell)}" if _PHONE.search(folded) and int(cell) in _PHONE_NUMBERS else str(int(cell))
        return _number(float(cell))
    if isinstance(cell, datetime.datetime):
        cell = cell.date() if cell.time() == datetime.time() else cell
    if isinstance(cell, datetime.date):
        clock = f" {cell:%H:%M}" if isinstance(cell, datetime.datetime) else ""
        return f"{cell.day}/{cell.month}/{cell.year}{clock}"
    return " ".join(NO_TEXT.sub("", str(cell)).split()) if cell is not None else ""


def _number(value: float) -> str:
    if abs(value) >= _LARGEST:
        return f"{value:.6g}"
    if value == int(value):
        return f"{int(value):,}".replace(",", ".")
    whole, _, part = f"{value:,.9f}".rstrip("0").rstrip(".").partition(".")
    return whole.replace(",", ".") + (f",{part}" if part else "")
