"""The options of a question put to an index: their values, and their filters."""

import datetime
from collections.abc import Sequence
from typing import Literal

from htxsearch.errors import UsageError
from htxsearch.query.parse import Dates, Value
from htxsearch.text.tokens import has_tokens

__all__ = ["FACETS", "MOST_HITS", "DateOption", "Filter", "Match", "Sort", "check_options", "facet_names", "filters_of"]

FACETS = ("place", "province", "year", "source")
MOST_HITS = 10_000
"""Hits of one search."""

Sort = Literal["score", "date"]
Match = Literal["all", "most", "any"]
"""Which matches are near: all the words, most of what was asked (by a learnt line), or any word."""
Filter = Dates | tuple[Value, ...]
DateOption = str | int | datetime.date | None
"""A date as typed (2019, 9/2019, 7/8/2023, 2023-08-07), a year as a number, or a day."""


def check_options(limit: int, offset: int = 0, sort: str = "score", match: str = "most") -> None:
    """Raise UsageError for the first option out of range."""
    if not 1 <= limit <= MOST_HITS:
        raise UsageError("option.limit", least=1, most=MOST_HITS, limit=limit)
    if offset < 0:
        raise UsageError("option.offset", offset=offset)
    if sort not in ("score", "date"):
        raise UsageError("option.sort", sort=sort)
    if match not in ("all", "most", "any"):
        raise UsageError("option.match", match=match)


def facet_names(facets: str | Sequence[str]) -> tuple[str, ...]:
    """Return the facets to count, given as one name or several.

    Raises UsageError for an unknown name.
    """
    names = (facets,) if isinstance(facets, str) else tuple(facets)
    for name in names:
        if name not in FACETS:
            raise UsageError("option.facet", facet=name, facets=FACETS)
    return names


def filters_of(
    place: str | Sequence[str],
    source: str | Sequence[str],
    since: DateOption,
    until: DateOption,
) -> tuple[Filter, ...]:
    """Return the filters of the options.

    They are alternatives of a place, alternatives of a source, and a range of days. Raises UsageError.
    """
    return (*_values("place", place), *_values("source", source), *_dates(since, until))


def _values(field: Literal["place", "source"], typed: str | Sequence[str]) -> list[tuple[Value, ...]]:
    values = (typed,) if isinstance(typed, str) else tuple(typed)
    for value in values:
        if not has_tokens(value):
            raise UsageError("option.empty", option=field)
    return [tuple(Value(field, value) for value in values)] if values else []


def _dates(since: DateOption, until: DateOption) -> list[Dates]:
    first, last = _bound(since, "since"), _bound(until, "until")
    if not (first or last):
        return []
    dates = Dates(first[0] if first else None, last[1] if last else None)
    if dates.since and dates.until and dates.since > dates.until:
        raise UsageError("option.dates-reversed", since=dates.since, until=dates.until)
    return [dates]


def _bound(typed: DateOption, name: str) -> tuple[datetime.date, datetime.date] | None:
    """Return the first and last day of a date as typed, a year as a number, or a day."""
    if typed is None:
        return None
    if isinstance(typed, datetime.date):
        day = typed.date() if isinstance(typed, datetime.datetime) else typed
        return day, day
    from htxsearch.text.query_dates import date_range

    days = date_range(str(typed))
    if days is None:
        raise UsageError("option.bad-date", option=name, value=str(typed))
    return days
