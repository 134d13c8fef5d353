"""The JSON of facts: its keys in order, their types and bounds.

The OpenAPI document is made from these types. Each has the name and the keys of the value of `fact_results` that it
describes. Their `as_json` writes the JSON without them, so that no command has to load `msgspec`.
"""

import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from htxsearch.facts.status import Status

__all__ = ["FactConflict", "FactIndicator", "FactSeries", "FactSpan", "Facts", "FoundFact"]

_Count = Annotated[int, Meta(ge=0)]
_Range = Annotated[list[float], Meta(min_length=2, max_length=2)]


class _Object(Struct, kw_only=True, forbid_unknown_fields=True):
    """An object with the keys of its fields and no other."""


class FactSpan(_Object):
    """Offsets into the body of a fact's article, where it states the fact again."""

    start: int
    end: int


class FoundFact(_Object):
    """A fact with its article: `body[start:end] == surface`; "sources" print it, too.

    "value" is a number, or low and high of a range. "as_of" is a year, month, day, half or quarter, or two of them with a
    slash between.
    """

    article_id: str
    start: _Count
    end: _Count
    surface: str
    value: float | _Range
    unit: str
    qualifier: str | None
    status: Status
    indicator: str
    subject: str | None
    place: str | None
    as_of: str | None
    sentence: str
    title: str
    date: datetime.date | None
    sources: list[str]
    repeats: list[FactSpan]


class FactSeries(_Object):
    """The facts of one indicator, subject and place, oldest first."""

    indicator: str
    unit: str
    place: str | None
    subject: str | None
    facts: list[FoundFact]


class FactConflict(_Object):
    """Facts about the same indicator, place and time, and whether all can be right."""

    indicator: str
    place: str | None
    as_of: str | None
    facts: list[FoundFact]
    agree: bool


class FactIndicator(_Object):
    """An indicator, its unit, and its number of facts."""

    indicator: str
    unit: str
    count: _Count


class Facts(_Object):
    """The facts in one of their views: it has the keys of that view and no other.

    "facts" and "total", the number of all facts that fit; or "series", "conflicts" or "indicators".
    """

    facts: list[FoundFact] | UnsetType = UNSET
    total: _Count | UnsetType = UNSET
    series: list[FactSeries] | UnsetType = UNSET
    conflicts: list[FactConflict] | UnsetType = UNSET
    indicators: list[FactIndicator] | UnsetType = UNSET
