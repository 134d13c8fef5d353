"""The facts that an index returns, and their JSON.

A fact's `start` and `end` are into the article's body. A value is a number, or [low, high] for a range.
"""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from htxsearch.facts.extract import Fact
from htxsearch.facts.periods import as_of_period, as_of_words
from htxsearch.ingest.article import Article
from htxsearch.text.sentences import Span

__all__ = ["FactConflict", "FactConflicts", "FactIndicator", "FactIndicators", "FactSeries", "FoundFact", "found_fact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFact:
    """A fact with its article: `body[start:end] == surface`.

    `sources` are the ids of the other articles that print it. `around` is its paragraph with the line above. `first` and `last`
    are the days of `as_of`, else the article's date. `terms` are those of the indicator, `extra` is the number of them that the
    query lacks. `repeats` are the spans in which the article states it again. `match` is the probability that it is asked for,
    `is_asked` says whether that is enough.
    """

    fact: Fact
    article_id: str
    title: str
    date: datetime.date | None
    source: str | None
    surface: str
    sentence: str
    around: str
    first: datetime.date | None
    last: datetime.date | None
    terms: frozenset[str]
    extra: int = 0
    sources: tuple[str, ...] = ()
    repeats: tuple[Span, ...] = ()
    match: float = 1.0
    is_asked: bool = True

    @property
    def value(self) -> float | list[float]:
        """The number, or low and high of a range."""
        low, high = _plain(self.fact.low), _plain(self.fact.high)
        return low if low == high else [low, high]

    @property
    def written(self) -> str:
        """The figure as written, with the noun that it shares with others.

        For example: 71/76 thành viên for 71, 358 HTX for the second of 476, 358 và 118 HTX.
        """
        if not _BARE.fullmatch(self.surface):
            return self.surface
        behind = _OF_WHOLE.match(self.sentence, self.fact.end - self.fact.sentence.start)
        return f"{self.surface}{behind[0] if behind else ''} {self.fact.unit}"

    @property
    def time(self) -> str:
        """The time as written in a table.

        It is the as-of time, else the article's date in brackets.
        """
        if self.fact.as_of:
            return as_of_words(self.fact.as_of)
        return f"({as_of_words(self.date.isoformat())})" if self.date else ""

    def with_source(self, other: "FoundFact") -> "FoundFact":
        """Return the fact with another article that prints it.

        The same article is no other source: there it is a repeat.
        """
        if other.article_id == self.article_id:
            return replace(self, repeats=(*self.repeats, Span(other.fact.start, other.fact.end)))
        if other.article_id in self.sources:
            return self
        return replace(self, sources=(*self.sources, other.article_id))

    def as_json(self) -> dict[str, Any]:
        """Return the JSON values."""
        fact = self.fact
        return {
            "article_id": self.article_id,
            "start": fact.start,
            "end": fact.end,
            "surface": self.surface,
            "value": self.value,
            "unit": fact.unit,
            "qualifier": fact.qualifier,
            "status": fact.status,
            "indicator": fact.indicator,
            "subject": fact.subject,
            "place": fact.place,
            "as_of": fact.as_of,
            "sentence": self.sentence,
            "title": self.title,
            "date": self.date.isoformat() if self.date else None,
            "sources": list(self.sources),
            "repeats": [{"start": span.start, "end": span.end} for span in self.repeats],
        }


def _plain(value: float) -> float:
    return int(value) if value == int(value) else value


def found_fact(fact: Fact, article: Article, terms: frozenset[str], *, extra: int = 0) -> FoundFact:
    """Return a fact with its article."""
    published = (article.date, article.date) if article.date else (None, None)
    first, last = as_of_period(fact.as_of) or published
    return FoundFact(
        fact=fact,
        article_id=article.id,
        title=article.title,
        date=article.date,
        source=article.source,
        surface=article.body[fact.start : fact.end],
        sentence=article.body[fact.sentence.start : fact.sentence.end],
        around=_around(article.body, fact.sentence.start),
        first=first,
        last=last,
        terms=terms,
        extra=extra,
    )


_BARE = re.compile(r"[\d.,]+")
_OF_WHOLE = re.compile(r"\s?/\s?\d[\d.]*")
"""What stands behind a part: 71/76."""
_REACH = 1500
"""Characters of the longest paragraph around a figure, and of the line above it."""


def _around(body: str, at: int) -> str:
    """Return the paragraph at an offset, and the line above it.

    That line may be its heading.
    """
    start = body.rfind("\n", max(0, at - _REACH), at) + 1 or max(0, at - _REACH)
    end = body.find("\n", at)
    above = body[max(0, start - _REACH) : start].rstrip().rpartition("\n")[2]
    return f"{above}\n{body[start : min(end if end >= 0 else len(body), start + 2 * _REACH)]}"


@dataclass(frozen=True, slots=True)
class FactSeries:
    """The facts of one indicator, subject and place, oldest first."""

    facts: tuple[FoundFact, ...]

    @property
    def indicator(self) -> str:
        """The shortest wording of the indicator."""
        return min((fact.fact.indicator for fact in self.facts), key=len)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON values."""
        first = self.facts[0].fact
        return {
            "indicator": self.indicator,
            "unit": first.unit,
            "place": first.place,
            "subject": first.subject,
            "facts": [fact.as_json() for fact in self.facts],
        }


@dataclass(frozen=True, slots=True)
class FactConflict:
    """Facts about the same indicator, subject, place and time.

    `agree` is False if their values cannot all be right.
    """

    facts: tuple[FoundFact, ...]
    agree: bool

    def as_json(self) -> dict[str, Any]:
        """Return the JSON values."""
        first = self.facts[0].fact
        return {
            "indicator": first.indicator,
            "place": first.place,
            "as_of": first.as_of,
            "facts": [fact.as_json() for fact in self.facts],
            "agree": self.agree,
        }


@dataclass(frozen=True, slots=True)
class FactConflicts:
    """Groups of facts that should agree; those that do not come first."""

    conflicts: tuple[FactConflict, ...]

    def __iter__(self) -> Iterator[FactConflict]:
        return iter(self.conflicts)

    def __len__(self) -> int:
        return len(self.conflicts)

    def as_json(self, limit: int | None = None) -> dict[str, Any]:
        """Return the JSON values of the first `limit` groups."""
        return {"conflicts": [conflict.as_json() for conflict in self.conflicts[:limit]]}


@dataclass(frozen=True, slots=True)
class FactIndicator:
    """An indicator, its unit, and its number of facts."""

    indicator: str
    unit: str
    count: int


@dataclass(frozen=True, slots=True)
class FactIndicators:
    """The indicators of an index, the most frequent first."""

    indicators: tuple[FactIndicator, ...]

    def __iter__(self) -> Iterator[FactIndicator]:
        return iter(self.indicators)

    def __len__(self) -> int:
        return len(self.indicators)

    def as_json(self, limit: int | None = None) -> dict[str, Any]:
        """Return the JSON values of the first `limit` indicators."""
        named = [{"indicator": one.indicator, "unit": one.unit, "count": one.count} for one in self.indicators[:limit]]
        return {"indicators": named}
