"""Rows as tables in files: CSV and workbook.

No cell is taken for a formula by a spreadsheet, and none has control characters.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from htxsearch.search.highlight import visible

__all__ = ["FORMULA_SIGNS", "csv_table", "plain_text", "workbook"]

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "＝", "＋", "－", "＠")
"""Signs at the beginning of a cell that make a spreadsheet take it for a formula, or a program call; full-width ones, too."""
_NOT_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
"""Characters that no XML may hold, beyond those that `visible` replaces."""


def csv_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, delimiter: str = ",") -> bytes:
    """Return rows under the names of their columns as the content of a CSV file.

    Spreadsheets know UTF-8 by the mark at its beginning. Where a comma stands in decimal numbers, as in Vietnam, they
    expect a semicolon between cells.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter)
    writer.writerow(columns)
    writer.writerows(map(_harmless, rows))
    return buffer.getvalue().encode("utf-8-sig")


def workbook(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, widths: Sequence[float] = ()) -> bytes:
    """Return rows under the names of their columns as the content of an XLSX file.

    Numbers and days stay numbers and days. `widths` are of the first columns, in characters.
    """
    from openpyxl import Workbook  # 150 ms, for a workbook alone
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(columns))
    for row in rows:
        sheet.append(_harmless(row))
    for number, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.freeze_panes = "A2"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def plain_text(text: str) -> str:
    """Return a text without control characters.

    Characters that XML or UTF-8 cannot hold are replaced, too.
    """
    return _NOT_XML.sub("\ufffd", visible(text))


def _harmless(row: Sequence[Any]) -> list[Any]:
    """Return a row in which a spreadsheet takes no text for a formula."""
    return [_harmless_text(value) if isinstance(value, str) else value for value in row]


def _harmless_text(text: str) -> str:
    return ("'" if text.startswith(FORMULA_SIGNS) else "") + plain_text(text)
