"""Facts as the content of files: CSV, workbook, JSON; a series as a chart.

No cell is taken for a formula by a spreadsheet, and none has control characters.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from htxsearch.search.fact_chart import chart_png, chart_svg
from htxsearch.search.fact_results import FactSeries, FoundFact
from htxsearch.search.facts import FactList
from htxsearch.search.highlight import visible

__all__ = ["COLUMNS", "FORMULA_SIGNS", "chart_file", "facts_file", "longest_series"]

COLUMNS = (
    *("indicator", "subject", "place", "as_of", "value", "high", "unit", "qualifier", "status", "surface", "sentence"),
    *("title", "date", "source", "article_id", "start", "end", "sources"),
)
"""The columns of a table. `high` is empty unless the value is a range, `sources` are ids with blanks between them."""

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""Signs at the beginning of a cell that make a spreadsheet take it for a formula."""
_NOT_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
"""Characters that no XML may hold, beyond those that `visible` replaces."""


def facts_file(found: Sequence[FoundFact], form: str) -> bytes:
    """Return facts as the content of a file: "csv", "xlsx", "json" or "jsonl".

    A lone surrogate, which UTF-8 cannot hold, becomes a question mark.
    """
    if form == "xlsx":
        return _workbook(found)
    if form == "csv":
        return _table(found).encode("utf-8-sig", "replace")  # spreadsheets know UTF-8 by its mark
    lines = [json.dumps(fact.as_json(), ensure_ascii=False) for fact in found]
    content = "[\n" + ",\n".join(lines) + "\n]\n" if form == "json" else "".join(f"{line}\n" for line in lines)
    return content.encode("utf-8", "replace")


def _rows(found: Sequence[FoundFact]) -> Iterator[list[Any]]:
    for fact in found:
        low, high = fact.fact.low, fact.fact.high
        more = {"value": low, "high": high if high != low else None, "source": fact.source, "sources": " ".join(fact.sources)}
        values = fact.as_json() | more
        yield [_harmless(values[name]) for name in COLUMNS]


def _harmless(value: Any) -> Any:
    """Return a value that a spreadsheet does not take for a formula."""
    if not isinstance(value, str):
        return value
    sign = "'" if value.startswith(FORMULA_SIGNS) else ""
    return sign + _NOT_XML.sub("\ufffd", visible(value))


def _table(found: Sequence[FoundFact]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    writer.writerows(_rows(found))
    return buffer.getvalue()


def _workbook(found: Sequence[FoundFact]) -> bytes:
    from openpyxl import Workbook  # 150 ms, for a workbook alone

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(COLUMNS)
    for row in _rows(found):
        sheet.append(row)
    sheet.freeze_panes = "A2"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def longest_series(found: FactList) -> FactSeries | None:
    """Return the first series with two or more points in time, None if there is none."""
    first = next(iter(found.series()), None)
    return first if first is not None and len({fact.time for fact in first.facts}) > 1 else None


def chart_file(series: FactSeries, form: str) -> bytes:
    """Return a series as the content of a file: "svg" or "png".

    Raises UsageError for "png" without the extra "plot".
    """
    return chart_svg(series).encode("utf-8", "replace") if form == "svg" else chart_png(series)
