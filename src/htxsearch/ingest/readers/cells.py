"""Make sentences of the rows of a table, by the names of its columns.

A row reads "huyện Đại Từ: 96 HTX; 1.240 thành viên". What a column states of a time of its own stands in a sentence of that
time: "huyện Đại Từ, năm 2023: doanh thu 4.520 triệu đồng".
"""

import datetime
import math
import re
from collections.abc import Sequence
from functools import reduce
from itertools import chain, repeat, zip_longest
from typing import NamedTuple

from htxsearch.errors.messages import message
from htxsearch.facts.times import date_role
from htxsearch.facts.units import unit_behind
from htxsearch.ingest.article import Dropped
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.base import NO_TEXT, ParsedDocument, document
from htxsearch.text.date_mentions import DateMention, date_mentions
from htxsearch.text.normalize import folded_form

__all__ = ["Share", "names_of_columns", "sheet_document", "table_document", "table_lines"]

_LONGEST_HEAD = 20
"""Rows in which the names of columns are looked for."""
_MOST_ROWS_OF_NAMES, _CELLS_OF_HEADING = 4, 2
"""Rows of names of columns and groups, and cells of a row that only heads others: number and name."""
_NUMBERING = frozenset({"stt", "tt", "so tt", "so thu tu", "no", "#"})
"""Folded names of columns that only count the rows."""
_ORDINAL = re.compile(r"[\d.]{1,6}|[IVXLC]{1,6}|[a-zđ]", re.IGNORECASE)
_FIGURE = re.compile(r"\(?[-+]?\d[\d., ]*%?\)?")
"""A cell of a table of texts that is a figure, or the number of a column."""
_YEAR = re.compile(r"(?<![\w./-])(?:19|20)\d\d(?![\w./-])")
_PLANNED = re.compile(r"(?<!\w)(?:kế hoạch|chỉ tiêu|mục tiêu)(?!\w)", re.IGNORECASE)
"""Words before the time for which a figure is planned; in texts they name a plan by its year."""
_LEADS = re.compile(r"(?:(?:^| )(?:tính|đến|tới|hết|ngày|trong|của|vào|tại|năm)(?= )|[ ,:-]){1,40}$", re.IGNORECASE)
"""Words that lead to a time."""
_OTHER_TIME = re.compile(r"(?<!\w)(?:trước|sau)(?: năm| ngày)? (?=\d)", re.IGNORECASE)
_UNTIL = frozenset({"đến", "tới", "hết"})
_EMPTY = re.compile(r"[ ,]+\)")
_LONGEST_NAME = 200
"""Characters of the longest name of a column in which a time is looked for."""
_PLACES = frozenset({"tỉnh", "huyện", "xã", "quận", "phường", "thị xã", "thành phố"})
"""Names of a column whose cells are places of that kind."""
_TIMES = frozenset({"nam", "thang", "quy", "ngay"})
_ENGLISH_TIMES = {"year": "năm", "month": "tháng", "quarter": "quý"}
"""Names of a column of times in English, which are read in Vietnamese: năm 2022."""
_ENGLISH_PLACES = {"province": "tỉnh", "district": "huyện", "commune": "xã", "ward": "phường"}
_UNIT = re.compile(r"\s*\(([^()]{1,20})\)$")
_RANGE = re.compile(r"[<>≤≥] ?\d|(?<![\d.,/])(?!(?:19|20)\d\d$)[\d.,]*\d$")
"""In the name of a column: its cells are of what is in a range, as from 500 to 1.000."""
_THOUSANDS = (("1.000.000", "triệu"), ("1000000", "triệu"), ("1.000", "nghìn"), ("1000", "nghìn"))
"""Numbers in front of a unit, and what is said for them: 40 (1.000 người) is 40 nghìn người."""
_COUNTED = re.compile(r"(?:tổng )?(?:số lượng|số) (?!tiền|dư|vốn)([^()]{2,40})$", re.IGNORECASE)
_PHONE = re.compile(r"dien thoai|di dong|(?<!\w)sdt(?!\w)")
_CODE = re.compile(r"(?<!\w)(?:ma|cccd|cmnd|tai khoan|so hieu)(?!\w)")
_PHONE_NUMBERS, _LARGEST = range(100_000_000, 1_000_000_000), 1e18
"""Numbers that lost their zero as phone numbers, and the least that is written by its power of ten."""
_TITLE = re.compile(r"(?:BIỂU|BẢNG|DANH SÁCH|TỔNG HỢP|THỐNG KÊ|BÁO CÁO|KẾ HOẠCH|KẾT QUẢ|PHỤ LỤC)(?!\w)", re.IGNORECASE)


class _Column(NamedTuple):
    """A column by its name, the time that the name has, and the rest of the name."""

    name: str
    time: str
    rest: str


class Share(NamedTuple):
    """The value of a cell shown as per cent, with its decimals: 0.054 as 5,4 %."""

    value: float
    decimals: int


def sheet_document(name: str, rows: Sequence[Sequence[object]]) -> ParsedDocument | None:
    """Return the article of a sheet, None if it is empty.

    Its title is the first line above its table, else the name of the sheet.
    """
    return _table_document(name, rows) or _lines_document(name, rows)


def table_document(rows: Sequence[Sequence[str]]) -> ParsedDocument | None:
    """Return the article of a table, None if no row names its columns."""
    return _table_document(None, rows)


def names_of_columns(rows: Sequence[Sequence[str]]) -> int:
    """Return how many rows at the top of a table name its columns.

    They are none, one, or up to four with groups.
    """
    return _names(rows, 0)[1] if len(rows) > 1 and _names_columns(rows, 0) else 0


def table_lines(rows: Sequence[Sequence[str]]) -> list[str] | None:
    """Return the rows of a table as lines, None unless it is one of figures.

    Its first row, or more, name the columns, and most rows below have figures; a table of two columns whose second counts
    nothing is a form. Each sentence of a row is a line, the first one behind the number of the row.
    """
    if not names_of_columns(rows):
        return None
    again = next((number for number in range(2, len(rows)) if _is_head_again(rows[0], rows, number)), None)
    if again:
        parts = table_lines(rows[:again]), table_lines(rows[again:])
        return [*parts[0], *parts[1]] if parts[0] and parts[1] else None
    names, first = _names(rows, 0)
    columns, body = _columns(names), rows[first:]
    if any(_RANGE.search(column.rest) for column in columns):
        return None  # a figure of the name would stand before that of the cell
    is_form = len(names) == 2 and not (columns[1].time or _UNIT.search(names[1]) or _COUNTED.match(names[1]))
    if is_form or 2 * sum(map(_has_figure, repeat(names), body)) <= len(body):
        return None
    lines = [" | ".join(filter(None, row)) for row in rows[:first]]
    for row in body:
        number = next((text for name, text in zip(names, row, strict=False) if _is_ordinal(name, text)), "").rstrip(".")
        if _has_figure(names, row):
            sentence, *others = _sentences(columns, row)
            lines += [f"{number}. {sentence}" if number else sentence, *others]
        else:
            lines.append(" | ".join(filter(None, row)))
    return lines


def _is_head_again(head: Sequence[str], rows: Sequence[Sequence[str]], number: int) -> bool:
    """Return True if a row names other columns under the same first name.

    An example is a table whose years go on below each other.
    """
    row = rows[number]
    return bool(row[0]) and row[0] == head[0] and row != head and _names_columns(rows, number)


def _has_figure(names: Sequence[str], row: Sequence[str]) -> bool:
    """Return True if a row begins with words and has a figure under a name."""
    cells = [(name, text) for name, text in zip(names, row, strict=False) if text and not _is_ordinal(name, text)]
    has_label = len(cells) >= 2 and any(map(str.isalpha, cells[0][1]))
    return has_label and any(name and not _is_name(text) for name, text in cells[1:])


def _lines_document(name: str, rows: Sequence[Sequence[object]]) -> ParsedDocument | None:
    lines = [line for row in rows if (line := " | ".join(filter(None, map(_text, row))))]
    return document(lines, Metadata(title=name)) if lines else None


def _table_document(name: str | None, rows: Sequence[Sequence[object]]) -> ParsedDocument | None:
    """Return the article of a table, None if no row names its columns.

    Its title is the first line above it that begins as titles do, else the name, else the names of the columns.
    """
    texts = [[_text(cell) for cell in row] for row in rows]
    head = _head(rows)
    if head is None:
        return None
    columns, first = _names(rows, head)
    named = _columns(columns)
    body = [sentence for row in rows[first:] for sentence in _sentences(named, row)]
    shown = " | ".join(text for row in rows[head:first] for text in map(_name, row) if text)
    dropped = (Dropped(shown, message("dropped.columns")), *_numbering(columns, texts[first:]))
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


def _head(rows: Sequence[Sequence[object]]) -> int | None:
    """Return the number of the row that names the columns.

    It is the first of at least two cells, all of them words or different years, above a row of two cells or more.
    """
    return next((number for number in range(min(len(rows), _LONGEST_HEAD)) if _names_columns(rows, number)), None)


def _names_columns(rows: Sequence[Sequence[object]], number: int) -> bool:
    cells = [cell for cell in rows[number] if _text(cell)]
    years = {year for cell in cells if (year := _year(cell))}
    return (
        len(cells) >= 2
        and all(map(_is_name_or_year, cells))
        and len(years) != 1
        and len(years) < len(cells)
        and (_rows_of_names(rows, number) > 1 or sum(bool(_text(cell)) for cell in chain(*rows[number + 1 : number + 2])) >= 2)
    )


def _is_name_or_year(cell: object) -> bool:
    return not _text(cell) or bool(_year(cell)) or _is_name(cell)


def _is_name(cell: object) -> bool:
    return isinstance(cell, str) and not _FIGURE.fullmatch(cell.strip())


def _names(rows: Sequence[Sequence[object]], head: int) -> tuple[list[str], int]:
    """Return the names of the columns, and the number of the first row below them.

    Names in rows below each other are joined: a name of a group with each of those below it.
    """
    first = head + _rows_of_names(rows, head)
    groups = [list(filter(None, column)) for column in _with_groups(_by_column(rows[head:first]))]
    return [reduce(lambda name, group: _joined(group, name), reversed(column), "") for column in groups], first


def _rows_of_names(rows: Sequence[Sequence[object]], head: int) -> int:
    """Return how many rows from `head` on name the columns.

    They are more than one if a row has names below a group, whose cell is merged over several columns and empty in all but the
    first of them. Rows with figures follow, perhaps below a heading of a part. The first column has a single name.
    """
    below = rows[head + 1 : head + _MOST_ROWS_OF_NAMES]
    most = 1 + next((number for number, row in enumerate(below) if not all(map(_is_name_or_year, row))), len(below))
    for count in range(most, 1, -1):
        used = [column for column in _by_column(rows[head : head + count]) if any(column)]
        has_label = bool(used) and sum(map(bool, used[0])) == 1
        if has_label and _is_below_group(used[1:]) and _begins_with_figures(rows[head + count : head + count + 2]):
            return count
    return 1


def _by_column(rows: Sequence[Sequence[object]]) -> list[tuple[str, ...]]:
    return list(zip_longest(*(map(_name, row) for row in rows), fillvalue=""))


def _is_below_group(columns: Sequence[tuple[str, ...]]) -> bool:
    """Return True if the last row has a name where a row above has none of its own."""
    return any(
        own[-1] and (not any(own[:-1]) or any(map(str.__ne__, own, whole)))
        for own, whole in zip(columns, _with_groups(columns), strict=True)
    )


def _begins_with_figures(rows: Sequence[Sequence[object]]) -> bool:
    """Return True if the first row has a figure.

    Above the row with figures may stand the heading of a part.
    """
    filled = [[cell for cell in row if _text(cell)] for row in rows]
    has_figure = [not all(map(_is_name, cells)) for cells in filled]
    return has_figure[:1] == [True] or (has_figure[1:] == [True] and len(filled[0]) <= _CELLS_OF_HEADING)


def _with_groups(columns: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the names of each column with those of the groups that it is in.

    A group goes on over empty cells as long as there are names below it, and ends where one above it begins.
    """
    found: list[tuple[str, ...]] = []
    groups: tuple[str, ...] = ()
    for column in columns:
        lowest = max((row for row, name in enumerate(column) if name), default=-1)
        highest = next((row for row, name in enumerate(column) if name), 0)
        groups = tuple(
            name or (group if row < highest else "")
            for row, (name, group) in enumerate(zip_longest(column, groups, fillvalue=""))
        )
        found.append(groups)
        groups = tuple(group if row < lowest else "" for row, group in enumerate(groups))
    return found


def _joined(group: str, name: str) -> str:
    """Return the name of a column in a group: số HTX năm 2023, thành viên nữ."""
    if not group or not name:
        return group or name
    time, rest = _timed(group)
    if time and not rest:
        return f"{name} {time.removeprefix('năm ') if name.lower().endswith('năm') else time}"
    unit = _UNIT.search(group)
    if unit and not _UNIT.search(name):
        return f"{group[: unit.start()]} {_lowered(name)}{unit[0]}"
    return f"{group} {_lowered(name)}"


def _year(cell: object) -> str:
    shown = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
    return shown if _YEAR.fullmatch(shown) else ""


def _name(cell: object) -> str:
    """Return a cell as the name of a column: a year is no number."""
    return _year(cell) or _text(cell)


def _sentences(columns: Sequence[_Column], row: Sequence[object]) -> list[str]:
    """Return a row as a sentence, and one for each time that its columns name.

    It has the row's first words, with the kind of place that its column names, then each value with its column's name and unit.
    """
    pairs = [
        (column, text)
        for column, cell in zip(columns, row, strict=False)
        if (text := _text(cell, column.rest)) and not _is_ordinal(column.name, text)
    ]
    if not pairs:
        return []
    (first, label), *rest = pairs
    kind = _ENGLISH_PLACES.get(first.name.lower(), first.name.lower())
    if kind in _PLACES and not label.lower().startswith(kind):
        label = f"{kind} {label}"
    values: dict[str, list[str]] = {}
    for column, text in rest:
        time, name = (column.time, column.rest) if text[:1].isdigit() else ("", column.name)
        values.setdefault(time, []).append(_value(name, text))
    whole = [f"{label}: {'; '.join(values.pop(''))}"] if "" in values else []
    return [*whole, *(f"{label}, {time}: {'; '.join(stated)}" for time, stated in values.items())] or [label]


def _columns(names: Sequence[str]) -> list[_Column]:
    return [_Column(name, *_timed(name)) for name in names]


def _timed(name: str) -> tuple[str, str]:
    """Return the time that the name of a column has, and the name without it.

    The time is empty if there is none or more than one, or if the figures are compared with it, or are of before or after it.
    """
    if _OTHER_TIME.search(name):
        return "", name
    mentions = [mention for mention in date_mentions(name) if mention.first] if len(name) <= _LONGEST_NAME else []
    if not mentions and len(name) <= _LONGEST_NAME:
        years = [(year.start(), year.end(), int(year[0])) for year in _YEAR.finditer(name)]
        mentions = [
            DateMention(start, end, datetime.date(year, 1, 1), datetime.date(year, 12, 31), "as-of")
            for start, end, year in years
        ]
    if len(mentions) != 1:
        return "", name
    [mention] = mentions
    before, behind = name[: mention.start], name[mention.end :]
    if date_role(name, mention, 0) and not _PLANNED.search(before):
        return "", name
    time = name[mention.start : mention.end]
    lead = _LEADS.search(before)
    by = "đến " if lead and _UNTIL & set(lead[0].lower().split()) else "năm " if time.isdigit() else ""
    rest = f"{before[: lead.start()] if lead else before} {behind.lstrip(' ,:-')}"
    return by + _lowered(time), _EMPTY.sub(")", rest).replace("()", "").strip()


def _value(name: str, text: str) -> str:
    """Return a value as a text states it: 1.240 thành viên, sản lượng 3,5 tấn."""
    name = _ENGLISH_TIMES.get(name.lower(), name) if text[:1].isdigit() else name
    if not name or not text[:1].isdigit() or folded_form(name) in _TIMES:
        return f"{_lowered(name)} {text}".strip()
    unit = _UNIT.search(name)
    if text.endswith("%"):
        return f"{_lowered(name[: unit.start()].strip() if unit and unit[1] == '%' else name)} {text}".strip()
    if unit:
        of = next((f"{word}{unit[1][len(sign) :]}" for sign, word in _THOUSANDS if unit[1].startswith(f"{sign} ")), unit[1])
        return f"{_lowered(name[: unit.start()].strip())} {text} {of}".strip()
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
