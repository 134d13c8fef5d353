"""Facts as the content of files: CSV, workbook, JSON; a series as a chart.

Short, for `tables` makes CSV and workbooks.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from htxsearch.errors.messages import Language, message, render
from htxsearch.search.fact_chart import chart_png, chart_svg
from htxsearch.search.fact_results import FactSeries, FoundFact
from htxsearch.search.facts import FactList
from htxsearch.search.tables import csv_table, workbook

__all__ = ["COLUMNS", "chart_file", "facts_file", "longest_series"]

COLUMNS = (
    *("indicator", "subject", "place", "as_of", "value", "high", "unit", "qualifier", "status", "surface", "sentence"),
    *("title", "date", "source", "article_id", "start", "end", "sources"),
)
"""The columns of a table. `high` is empty unless the value is a range, `sources` are ids with blanks between them."""


def facts_file(found: Sequence[FoundFact], form: str, language: Language = "en") -> bytes:
    """Return facts as the content of a file: "csv", "xlsx", "json" or "jsonl".

    The heads of the columns of a table, and the statuses in it, are in `language`; whole days in a workbook are days. A lone
    surrogate, which UTF-8 cannot hold, is replaced.
    """
    if form in ("csv", "xlsx"):
        heads = COLUMNS if language == "en" else [render(message(f"facts-column.{name}"), language) for name in COLUMNS]
        return (csv_table if form == "csv" else workbook)(heads, _rows(found, language))
    lines = [json.dumps(fact.as_json(), ensure_ascii=False) for fact in found]
    content = "[\n" + ",\n".join(lines) + "\n]\n" if form == "json" else "".join(f"{line}\n" for line in lines)
    return content.encode("utf-8", "replace")


def _rows(found: Sequence[FoundFact], language: Language) -> Iterator[list[Any]]:
    for fact in found:
        low, high = (int(value) if float(value).is_integer() else value for value in (fact.fact.low, fact.fact.high))
        more = {
            "value": low,
            "high": high if high != low else None,
            "status": _status_text(fact, language),
            "as_of": _day(fact.fact.as_of),
            "date": fact.date,
            "source": fact.source,
            "sources": " ".join(fact.sources),
        }
        values = fact.as_json() | more
        yield [values[name] for name in COLUMNS]


def _status_text(fact: FoundFact, language: Language) -> str:
    return fact.fact.status if language == "en" else render(message(f"page.status-{fact.fact.status}"), language)


def _day(as_of: str | None) -> date | str | None:
    """Return a time as a day if it is one, else as written: 2023, 2022-H1, --07-12."""
    try:
        return date.fromisoformat(as_of) if as_of else None
    except ValueError:
        return as_of


def longest_series(found: FactList) -> FactSeries | None:
    """Return the first series with two or more points in time, None if there is none."""
    first = next(iter(found.series()), None)
    return first if first is not None and len({fact.time for fact in first.facts}) > 1 else None


def chart_file(series: FactSeries, form: str) -> bytes:
    """Return a series as the content of a file: "svg" or "png".

    Raises UsageError for "png" without the extra "plot".
    """
    return chart_svg(series).encode("utf-8", "replace") if form == "svg" else chart_png(series)
