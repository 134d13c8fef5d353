"""Read the cells of a workbook, as a process of its own with bounded memory.

It takes the workbook from standard input and writes its sheets as JSON. Days are [text]; cells that are shown as per cent are
{"share": 0.054, "decimals": 1}. calamine (MIT) gives no formats, so XLSX and ODS are looked at for those cells; XLSB is not,
and XLS by `old_excel`. The module imports nothing of htxsearch, for it runs isolated.
"""

import datetime
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple
from xml.etree import ElementTree
from xml.parsers import expat

__all__ = ["BUILT_IN_SHARES", "MOST_ROWS", "PROGRAM", "decimals_of"]

PROGRAM = __file__
"""The file that a process runs."""
MOST_ROWS, _MOST_CELLS = 200_000, 4_000_000
"""Rows and cells of a sheet."""
_MOST_MEMORY, _LARGEST_PART = 2 << 30, 64 << 20
"""Bytes of memory of the process, and of a part of the workbook other than a sheet."""
BUILT_IN_SHARES = {9: 0, 10: 2}
"""The decimals of the formats that Excel has for per cent, 0% and 0.00%."""
_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|[_*].')
"""What a format shows as it is."""
_DECIMALS = re.compile(r"\.([0#?]+)")


class _Shares(NamedTuple):
    """Cells that are shown as per cent, and their decimals.

    Rows and columns go from the first to before the last.
    """

    rows: range
    columns: range
    decimals: int


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def decimals_of(shown: str) -> int | None:
    """Return the decimals of a number format for per cent, None for another."""
    first = _LITERAL.sub("", shown).partition(";")[0]
    found = _DECIMALS.search(first)
    return None if "%" not in first else len(found[1]) if found else 0


def _part(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    if archive.getinfo(name).file_size > _LARGEST_PART:
        raise SystemExit("too large")
    return ElementTree.fromstring(archive.read(name))


def _styles(archive: zipfile.ZipFile) -> dict[str, int]:
    """Return the decimals of the per-cent cell styles of an XLSX, by number."""
    root = _part(archive, "xl/styles.xml")
    formats = {str(number): decimals for number, decimals in BUILT_IN_SHARES.items()}
    for one in root.iter():
        if _local(one.tag) == "numFmt" and (decimals := decimals_of(one.get("formatCode", ""))) is not None:
            formats[one.get("numFmtId", "")] = decimals
    styles = (list(part) for part in root if _local(part.tag) == "cellXfs")
    return {
        str(number): formats[style.get("numFmtId", "")]
        for part in styles
        for number, style in enumerate(part)
        if style.get("numFmtId") in formats
    }


def _sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the part of each sheet of an XLSX by the sheet's name."""
    targets = {one.get("Id"): one.get("Target", "") for one in _part(archive, "xl/_rels/workbook.xml.rels")}
    parts: dict[str, str] = {}
    for one in _part(archive, "xl/workbook.xml").iter():
        if _local(one.tag) == "sheet":
            relation = next((value for name, value in one.items() if _local(name) == "id" and name != "id"), None)
            target = targets.get(relation, "")
            parts[one.get("name", "")] = target[1:] if target.startswith("/") else f"xl/{target}"
    return parts


def _excel_shares(archive: zipfile.ZipFile, part: str, styles: dict[str, int]) -> list[_Shares]:
    """Return the cells of a sheet of an XLSX that have such a style."""
    shares: list[_Shares] = []
    row = column = -1

    def start(tag: str, given: dict[str, str]) -> None:
        nonlocal row, column
        name = _local(tag)
        if name == "row":
            row, column = int(given["r"]) - 1 if "r" in given else row + 1, -1
        elif name == "c":
            column = _column(given["r"]) if "r" in given else column + 1
            if given.get("s") in styles:
                shares.append(_Shares(range(row, row + 1), range(column, column + 1), styles[given["s"]]))

    _parse(archive, part, start)
    return shares


def _column(reference: str) -> int:
    """Return the number of the column of a cell such as AB12, from 0."""
    number = 0
    for letter in reference.rstrip("0123456789"):
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _open_shares(archive: zipfile.ZipFile) -> dict[str, list[_Shares]]:
    """Return the cells of each sheet of an ODS whose values are percentages."""
    sheets: dict[str, list[_Shares]] = {}
    shares: list[_Shares] = []
    rows, columns = range(0), range(0)
    is_share = False
    shown: list[str] = []

    def start(tag: str, given: dict[str, str]) -> None:
        nonlocal shares, rows, columns, is_share
        name = _local(tag)
        known = {_local(one): value for one, value in given.items()}
        if name == "table":
            shares, rows = sheets.setdefault(known.get("name", ""), []), range(0)
        elif name == "table-row":
            rows = range(rows.stop, rows.stop + int(known.get("number-rows-repeated", 1)))
            columns = range(0)
        elif name in ("table-cell", "covered-table-cell"):
            columns = range(columns.stop, columns.stop + int(known.get("number-columns-repeated", 1)))
            is_share = known.get("value-type") == "percentage"
            shown.clear()

    def end(tag: str) -> None:
        nonlocal is_share
        if is_share and _local(tag) in ("table-cell", "covered-table-cell"):
            found = re.search(r"[.,](\d+)\s*%", "".join(shown))
            shares.append(_Shares(rows, columns, len(found[1]) if found else 0))
            is_share = False

    _parse(archive, "content.xml", start, end, shown.append)
    return sheets


def _parse(archive: zipfile.ZipFile, part: str, start: Any, end: Any = None, text: Any = None) -> None:
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    with archive.open(part) as file:
        parser.ParseFile(file)


def _shares(data: bytes) -> dict[str, list[_Shares]]:
    """Return the cells of each sheet of a workbook that are shown as per cent."""
    if not data.startswith(b"PK"):
        return {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        if "content.xml" in names:
            return _open_shares(archive)
        if not {"xl/styles.xml", "xl/workbook.xml"} <= names or not (styles := _styles(archive)):
            return {}
        return {name: _excel_shares(archive, part, styles) for name, part in _sheet_parts(archive).items() if part in names}


def _plain(cell: object) -> object:
    if isinstance(cell, datetime.datetime | datetime.date):
        return [cell.isoformat()]
    return cell if isinstance(cell, bool | int | float | str) or cell is None else str(cell)


def _sheets(data: bytes) -> Iterator[tuple[str, tuple[int, int], list[list[object]]]]:
    """Yield the name, the first row and column, and the cells of each sheet.

    The cells are those from there on.
    """
    from python_calamine import CalamineWorkbook

    workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
    shares: dict[str, list[_Shares]] | None = None
    for name in workbook.sheet_names:
        sheet = workbook.get_sheet_by_name(name)
        if sheet.total_height > MOST_ROWS or sheet.total_height * sheet.total_width > _MOST_CELLS:
            raise SystemExit("too large")
        rows = [[_plain(cell) for cell in row] for row in sheet.to_python()]
        top, left = sheet.start or (0, 0)
        shares = _shares(data) if shares is None else shares
        for one in shares.get(name, ()):
            for row in rows[max(0, one.rows.start - top) : max(0, one.rows.stop - top)]:
                for column in range(max(0, one.columns.start - left), min(len(row), one.columns.stop - left)):
                    value = row[column]
                    if isinstance(value, int | float) and not isinstance(value, bool):
                        row[column] = {"share": value, "decimals": one.decimals}
        yield name, (top, left), rows


def _main() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    except (ImportError, ValueError, OSError):
        pass  # Windows: the time is bounded all the same
    json.dump(list(_sheets(sys.stdin.buffer.read())), sys.stdout)


if __name__ == "__main__":
    _main()
