"""Workbooks (XLSX, XLS, ODS): each sheet an article, each row a sentence.

A row reads "Huyện Đại Từ: số HTX 96; thành viên 1.240", so that its figures are found and asked like those of a text.
"""

import datetime
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Dropped, Unreadable
from htxsearch.ingest.readers.archive import Archive, safe_xml
from htxsearch.ingest.readers.base import ParsedDocument
from htxsearch.ingest.readers.cell_process import MOST_ROWS, PROGRAM
from htxsearch.ingest.readers.cells import Share, sheet_document
from htxsearch.ingest.readers.old_excel import ShareCell, share_cells
from htxsearch.text.normalize import nfc

__all__ = ["read_sheets"]

_LONGEST_S, _LONGEST_REASON = 60.0, 200
"""Seconds for a workbook, and characters of an error."""
_BESIDE = re.compile(
    r"xl/(?:(?:drawings/drawing|charts/chart|diagrams/data)\d+|(?P<comment>comments\d*|comments/comment\d+))\.xml"
)


def read_sheets(data: bytes) -> Iterator[ParsedDocument]:
    """Yield an article for each sheet with text.

    Raises Unreadable if the workbook is damaged, needs a password, or is too large.
    """
    sheets = _cells_of(data)
    found = [(name, parsed) for name, rows in sheets if (parsed := sheet_document(name, rows)) is not None]
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
        done = subprocess.run([sys.executable, "-I", PROGRAM], input=data, capture_output=True, timeout=_LONGEST_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unreadable(message("file.sheet-too-long", limit=MOST_ROWS)) from error
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        if reason.startswith("PasswordError"):
            raise Unreadable(message("file.password"))
        if "too large" in reason or done.returncode < 0:
            raise Unreadable(message("file.sheet-too-long", limit=MOST_ROWS))
        raise Unreadable(message("file.sheet-damaged", error=reason[:_LONGEST_REASON]))
    shares = {} if data.startswith(b"PK") else share_cells(data)
    return [
        (name, _with_shares([[_cell(cell) for cell in row] for row in rows], top, left, shares.get(name, ())))
        for name, (top, left), rows in json.loads(done.stdout)
    ]


def _with_shares(rows: list[list[object]], top: int, left: int, shares: Iterable[ShareCell]) -> list[list[object]]:
    """Return the cells of a sheet with those shown as per cent.

    They begin at its row `top` and column `left`.
    """
    for one in shares:
        row, column = one.row - top, one.column - left
        value = rows[row][column] if 0 <= row < len(rows) and 0 <= column < len(rows[row]) else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            rows[row][column] = Share(value, one.decimals)
    return rows


def _cell(value: object) -> object:
    """Return a cell as it was: days come as [text], shares as objects."""
    if isinstance(value, dict):
        return Share(value["share"], value["decimals"])
    if not isinstance(value, list):
        return value
    moment = datetime.datetime.fromisoformat(str(value[0]))
    return moment.date() if len(str(value[0])) == len("2020-01-31") else moment
