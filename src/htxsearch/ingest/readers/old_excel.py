"""Cells that a workbook of Excel 97 to 2003 (XLS) shows as per cent.

calamine gives the value of a cell, 0.054, and not its format, "0.0%". The format is found by the records of the stream
"Workbook" ([MS-XLS], "Excel Binary File Format", Microsoft): a cell names one of the XF records, which names a format. A
workbook of Excel 95, or one with a password, has none of these cells.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.readers.cell_process import BUILT_IN_SHARES, decimals_of
from htxsearch.ingest.readers.compound import read_streams

__all__ = ["ShareCell", "share_cells"]

_STREAM, _VERSION = "Workbook", 0x0600
_BEGIN, _END, _PASSWORD, _SHEET, _STYLE, _FORMAT = 0x0809, 0x000A, 0x002F, 0x0085, 0x00E0, 0x041E
"""Types of records: BOF, EOF, FilePass, BoundSheet8, XF, Format (2.3)."""
_NUMBER, _RK, _FORMULA, _SEVERAL = 0x0203, 0x027E, 0x0006, 0x00BD
"""Types of records of cells with numbers: Number, RK, Formula, MulRk."""
_IN_SEVERAL = struct.Struct("<HI")
"""The style and the value of a cell among several of a row."""


class ShareCell(NamedTuple):
    """The row and column of a cell, from 0, and its decimals."""

    row: int
    column: int
    decimals: int


def share_cells(data: bytes) -> dict[str, list[ShareCell]]:
    """Return the cells shown as per cent by the name of their sheet.

    They are those up to the first damage.
    """
    try:
        stream = read_streams(data, (_STREAM,)).get(_STREAM, b"")
    except Unreadable:  # calamine may read it all the same
        return {}
    found: dict[str, list[ShareCell]] = {}
    try:
        places, styles = _globals(stream)
        left = len(stream) if styles else 0
        for name, place in places:
            cells, end = found.setdefault(name, []), place
            for at, kind, record in _records(stream, place):
                if at - place > left:  # real sheets do not overlap
                    return found
                cells += _cells(kind, record, styles)
                end = at
            left -= end - place
    except (struct.error, ValueError):
        pass
    return found


def _records(stream: bytes, at: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield the place, type and content of the records from a BOF to its EOF.

    Those of charts in between are among them. Raises ValueError, struct.error.
    """
    depth = 0
    while True:
        kind, size = struct.unpack_from("<HH", stream, at)
        record = stream[at + 4 : at + 4 + size]
        if kind == _BEGIN:
            depth += 1
            if struct.unpack_from("<H", record)[0] != _VERSION:
                raise ValueError("of another version")
        elif kind == _END:
            depth -= 1
        if depth < 1 or kind == _PASSWORD:
            return
        yield at, kind, record
        at += 4 + size


def _globals(stream: bytes) -> tuple[list[tuple[str, int]], dict[int, int]]:
    """Return the names and places of the sheets, and the per-cent styles.

    The styles have their decimals.
    """
    formats, styles, places = dict(BUILT_IN_SHARES), [], []
    for _, kind, record in _records(stream, 0):
        if kind == _FORMAT:
            number, length, is_wide = struct.unpack_from("<HHB", record)
            decimals = decimals_of(_string(record[5:], length, is_wide))
            formats.pop(number, None)
            formats |= {} if decimals is None else {number: decimals}
        elif kind == _STYLE:
            styles.append(struct.unpack_from("<H", record, 2)[0])
        elif kind == _SHEET:
            place, _, length, is_wide = struct.unpack_from("<IHBB", record)
            places.append((_string(record[8:], length, is_wide), place))
    return places, {number: formats[one] for number, one in enumerate(styles) if one in formats}


def _string(raw: bytes, length: int, is_wide: int) -> str:
    return raw[: 2 * length].decode("utf-16-le", "replace") if is_wide & 1 else raw[:length].decode("latin-1")


def _cells(kind: int, record: bytes, styles: dict[int, int]) -> Iterator[ShareCell]:
    """Yield the cells of a record that have one of these styles."""
    if kind in (_NUMBER, _RK, _FORMULA):
        row, column, style = struct.unpack_from("<3H", record)
        if style in styles:
            yield ShareCell(row, column, styles[style])
    elif kind == _SEVERAL:
        row, first = struct.unpack_from("<2H", record)
        inside = record[4 : 4 + (len(record) - 6) // _IN_SEVERAL.size * _IN_SEVERAL.size]
        for column, (style, _) in enumerate(_IN_SEVERAL.iter_unpack(inside), start=first):
            if style in styles:
                yield ShareCell(row, column, styles[style])
