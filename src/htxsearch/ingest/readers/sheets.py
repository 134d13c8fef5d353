"""Workbooks (XLSX, XLS, ODS): each sheet an article, each row a sentence.

A row reads "Huyện Đại Từ: số HTX 96; thành viên 1.240", so that its figures are found and asked like those of a text.
"""

import datetime
import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from htxsearch.errors.messages import message
from htxsearch.facts.units import unit_behind
from htxsearch.ingest.article import Dropped, Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.archive import Archive, safe_xml
from htxsearch.ingest.readers.base import NO_TEXT, ParsedDocument, document
from htxsearch.text.normalize import folded_form, nfc

__all__ = ["read_sheets"]

_MOST_ROWS, _LONGEST_S, _LONGEST_REASON = 200_000, 60.0, 200
"""Rows of a sheet, seconds for a workbook, and characters of an error."""
_READ_CELLS = f"""
import datetime, io, json, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
except (ImportError, ValueError, OSError):
    pass  # Windows: the time is bounded all the same
from python_calamine import CalamineWorkbook
def plain(cell):
    if isinstance(cell, (datetime.datetime, datetime.date)):
        return [cell.isoformat()]
    return cell if isinstance(cell, (bool, int, float, str)) or cell is None else str(cell)
workbook = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
sheets = []
for name in workbook.sheet_names:
    sheet = workbook.get_sheet_by_name(name)
    if sheet.total_height > {200_000} or sheet.total_height * sheet.total_width > {4_000_000}:
        raise SystemExit("too large")
    sheets.append((name, [[plain(cell) for cell in row] for row in sheet.to_python()]))
json.dump(sheets, sys.stdout)
"""
_LONGEST_HEAD = 20
"""Rows in which the names of columns are looked for."""
_NUMBERING = frozenset({"stt", "tt", "so tt", "so thu tu", "no", "#"})
"""Folded names of columns that only count the rows."""
_ORDINAL = re.compile(r"[\d.]{1,6}|[IVXLC]{1,6}|[a-zđ]", re.IGNORECASE)
_PLACES = frozenset({"tỉnh", "huyện", "xã", "quận", "phường", "thị xã", "thành phố"})
"""Names of a column whose cells are places of that kind."""
_TIMES = frozenset({"nam", "thang", "quy", "ngay"})
_UNIT = re.compile(r"\s*\(([^()]{1,20})\)$")
_COUNTED = re.compile(r"(?:tổng )?(?:số lượng|số) (?!tiền|dư|vốn)([^()]{2,40})$", re.IGNORECASE)
_PHONE = re.compile(r"dien thoai|di dong|(?<!\w)sdt(?!\w)")
_CODE = re.compile(r"(?<!\w)(?:ma|cccd|cmnd|tai khoan|so hieu)(?!\w)")
_PHONE_NUMBERS, _LARGEST = range(100_000_000, 1_000_000_000), 1e18
"""Numbers that lost their zero as phone numbers, and the least that is written by its power of ten."""
_BESIDE = re.compile(
    r"xl/(?:(?:drawings/drawing|charts/chart|diagrams/data)\d+|(?P<comment>comments\d*|comments/comment\d+))\.xml"
)
_TITLE = re.compile(r"(?:BIỂU|BẢNG|DANH SÁCH|TỔNG HỢP|THỐNG KÊ|BÁO CÁO|KẾ HOẠCH|KẾT QUẢ|PHỤ LỤC)(?!\w)", re.IGNORECASE)


def read_sheets(data: bytes) -> Iterator[ParsedDocument]:
    """Yield an article for each sheet with text.

    Raises Unreadable if the workbook is damaged, needs a password, or is too large.
    """
    sheets = _cells_of(data)
    found = [(name, parsed) for name, rows in sheets if (parsed := _sheet(name, rows)) is not None]
    if not found:
        raise Unreadable(message("file.empty"))
    beside = _beside_cells(data)
    for name, parsed in found:
        named = () if parsed.metadata.title == name else (Dropped(name, message("dropped.sheet-name")),)
        parsed = replace(parsed, dropped=(*named, *parsed.dropped, *beside))
        beside = ()
        yield parsed if len(sheets) == 1 else replace(parsed, member=f"/{name}")


def _beside_cells(data: bytes) -> tuple[Dropped, ...]:
    """Return the texts of drawings, charts and comments of an Excel workbook.

    Which sheet they belong to is not read, so they go with the first article.
    """
    if not data.startswith(b"PK"):
        return ()
    archive = Archive(data)
    dropped: list[Dropped] = []
    for found in filter(None, map(_BESIDE.fullmatch, archive.names)):
        block, reason = ("comment", "dropped.margin-comments") if found["comment"] else ("p", "dropped.drawing")
        try:
            blocks = safe_xml(archive.read(found[0])).iter("{*}" + block)
        except Unreadable as error:
            dropped.append(Dropped(found[0], error.message))
            continue
        texts = (nfc("".join(piece.text or "" for piece in one.iter("{*}t")).strip()) for one in blocks)
        dropped += [Dropped(text, message(reason)) for text in texts if text]
    return tuple(dropped)


def _cells_of(data: bytes) -> list[tuple[str, list[list[object]]]]:
    """Return the name and the cells of each sheet, read by python-calamine (MIT).

    It runs in a process of its own with bounded memory and time: a few bytes can declare a sheet of a million rows and columns,
    and calamine stops its whole process then. Raises Unreadable.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _READ_CELLS], input=data, capture_output=True, timeout=_LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Unreadable(message("file.sheet-too-long", limit=_MOST_ROWS)) from error
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        if reason.startswith("PasswordError"):
            raise Unreadable(message("file.password"))
        if "too large" in reason or done.returncode < 0:
            raise Unreadable(message("file.sheet-too-long", limit=_MOST_ROWS))
        raise Unreadable(message("file.sheet-damaged", error=reason[:_LONGEST_REASON]))
    return [(name, [[_cell(cell) for cell in row] for row in rows]) for name, rows in json.loads(done.stdout)]


def _cell(value: object) -> object:
    """Return a cell as it was: days come as [text]."""
    if not isinstance(value, list):
        return value
    moment = datetime.datetime.fromisoformat(str(value[0]))
    return moment.date() if len(str(value[0])) == len("2020-01-31") else moment


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
    dropped = (Dropped(" | ".join(filter(None, columns)), message("dropped.columns")), *_numbering(columns, texts[head + 1 :]))
    title = next((line for line in above if _TITLE.match(line)), None)
    if title:
        above.remove(title)
        return ParsedDocument("\n".join([*above, *body]), Metadata(title=title), dropped=dropped, heading=title)
    if above:
        return document([*above, *body], Metadata(title=name), dropped=dropped)
    return ParsedDocument("\n".join(body), Metadata(title=name), dropped=dropped) if body else None


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
