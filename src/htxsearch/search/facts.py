"""Find facts, bring them into series, and compare what sources say.

Indicators match by their terms: those of the query are among those of the fact. Which facts a question asks for says
`fact_matching`: "số HTX" is not "số HTX nông nghiệp".
"""

import datetime
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice, starmap
from typing import Any, Literal, NamedTuple, get_args

from htxsearch.errors import UsageError
from htxsearch.errors.messages import Message
from htxsearch.facts.extract import Fact
from htxsearch.facts.status import Status
from htxsearch.facts.stored import place_key, place_names_of, unpack_facts
from htxsearch.facts.terms import indicator_terms
from htxsearch.query.filters import DateOption, filters_of
from htxsearch.query.parse import Dates
from htxsearch.search.articles import article_view
from htxsearch.search.fact_results import (
    FactConflict,
    FactConflicts,
    FactIndicator,
    FactIndicators,
    FactSeries,
    FoundFact,
    found_fact,
)
from htxsearch.search.snapshot import Snapshot
from htxsearch.text.date_mentions import date_mentions
from htxsearch.text.figures import Bound, Figure, agree
from htxsearch.text.places import place_extent

__all__ = ["By", "FactList", "FactRequest", "collected", "fact_keys_of", "fact_request", "find_facts", "fits", "in_order"]

By = Literal["place", "year", "source"]

_BOUNDS: dict[str | None, Bound] = {
    None: "exact",
    "gần": "nearly",
    "trên": "over",
    "hơn": "over",
    "khoảng": "about",
    "trung bình": "about",
    "bình quân": "about",
    "dưới": "below",
    "ít nhất": "at least",
    "tối thiểu": "at least",
    "tối đa": "at most",
}
_MOST_COMPARED = 100
"""Facts of a group that are compared with each other: the time is quadratic."""
_A_YEAR = 364
"""Days between the first and the last day of a year."""
_LEVELS = ("actual", "estimate", "target")
"""The statuses of a level: a change is no point of a series."""


class FactRequest(NamedTuple):
    """A request for facts. Empty means any.

    Several places, statuses, units or sources are alternatives.

    `article` is the id of the only article whose facts are wanted. `terms` are those of the indicator if they are known,
    `period` the days that the words name: facts of other times are less likely, but not left out. So are other places
    unless `is_strict`.
    """

    words: str = ""
    places: tuple[str, ...] = ()
    since: datetime.date | None = None
    until: datetime.date | None = None
    statuses: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    article: str | None = None
    terms: frozenset[str] | None = None
    period: tuple[datetime.date, datetime.date] | None = None
    is_strict: bool = True

    def wanted(self) -> frozenset[str]:
        """Return the terms that an indicator must have."""
        return indicator_terms(self.words) if self.terms is None else self.terms


def fact_request(
    words: str = "",
    *,
    place: str | Sequence[str] = (),
    since: DateOption = None,
    until: DateOption = None,
    status: str | Sequence[str] = (),
    unit: str | Sequence[str] = (),
    source: str | Sequence[str] = (),
    article: str | None = None,
) -> FactRequest:
    """Return what the options ask for. Raises UsageError for an option that cannot be."""
    statuses = _several(status)
    for one in statuses:
        if one not in get_args(Status):
            raise UsageError("facts.status", status=one, statuses=get_args(Status))
    dates = next((one for one in filters_of(place, source, since, until) if isinstance(one, Dates)), None)
    first, last = (dates.since, dates.until) if dates else (None, None)
    return FactRequest(words, _several(place), first, last, statuses, _several(unit), _several(source), article)


def _several(values: str | Sequence[str]) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(values)


@dataclass(frozen=True, slots=True)
class FactList:
    """Facts, and what can be made of them.

    Those asked for come first, then the newest; the facts of an article come in the order of its text. `places` are those
    typed.
    """

    facts: tuple[FoundFact, ...]
    places: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[FoundFact]:
        return iter(self.facts)

    def __len__(self) -> int:
        return len(self.facts)

    def as_json(self, limit: int | None = None) -> dict[str, Any]:
        """Return the JSON values of the first `limit` facts, and the number of all."""
        return {"facts": [fact.as_json() for fact in self.facts[:limit]], "total": len(self.facts)}

    @property
    def hints(self) -> list[Message]:
        """The notes on the places typed.

        For example: which former provinces are in one of today's.
        """
        notes = (place_extent(place).note for place in self.places)
        return [note for note in notes if note is not None]

    def asked_for(self) -> tuple[FoundFact, ...]:
        """Return the facts that are likely asked for, all if none is."""
        return tuple(fact for fact in self.facts if fact.is_asked) or self.facts

    def series(self) -> list[FactSeries]:
        """Return the series of facts, each oldest first, the longest series first.

        A series is of one indicator, unit, subject and place.

        Only facts that are asked for are in series, and only levels with a time.
        """
        groups: dict[tuple[object, ...], list[FoundFact]] = {}
        for fact in self.asked_for():
            if fact.fact.status in _LEVELS and fact.last:
                place = place_key(fact.fact.place) if fact.fact.place else ""
                groups.setdefault((fact.terms, fact.fact.unit, place, fact.fact.subject), []).append(fact)
        ordered = [FactSeries(tuple(sorted(group, key=_by_time))) for group in groups.values()]
        return sorted(ordered, key=lambda one: (-len({fact.time for fact in one.facts}), -len(one.facts), one.indicator))

    def series_json(self, limit: int | None = None) -> dict[str, Any]:
        """Return the JSON values of the first `limit` series, and their facts in a row."""
        chosen = self.series()[:limit]
        rows = [fact.as_json() for one in chosen for fact in one.facts]
        return {"facts": rows, "total": len(rows), "series": [one.as_json() for one in chosen]}

    def latest(self, by: By) -> "FactList":
        """Return the newest actual level for each place, year or source.

        For places, those of organisations count only if there is no other.
        """
        newest: dict[object, FoundFact] = {}
        levels = [fact for fact in self.asked_for() if fact.fact.status == "actual" and fact.last]
        of_place = [fact for fact in levels if fact.fact.subject is None] if by == "place" else []
        for fact in sorted(of_place or levels, key=in_order):
            place = place_key(fact.fact.place) if fact.fact.place else None
            values = {"place": place, "year": fact.last and fact.last.year, "source": fact.source}
            newest.setdefault(values[by], fact)
        return replace(self, facts=tuple(newest.values()))

    def conflicts(self) -> FactConflicts:
        """Return the groups of facts that should agree.

        They state the same indicator of the same subject, place and time. A figure whose sentence names a day or month within
        its year may be of either, and is not compared. Two figures of one sentence are of different things,
        as a rule, and not compared. Groups whose values differ beyond their bounds and rounding come first.
        """
        groups: dict[tuple[object, ...], list[FoundFact]] = {}
        for fact in self.facts:
            own = fact.fact
            if own.status == "actual" and own.as_of and own.place and not _names_narrower_time(fact):
                groups.setdefault((fact.terms, own.unit, own.subject, place_key(own.place), own.as_of), []).append(fact)
        found = [
            FactConflict(tuple(group), _agree(group[:_MOST_COMPARED]))
            for group in groups.values()
            if group[0].sources or any(starmap(_are_comparable, combinations(group[:_MOST_COMPARED], 2)))
        ]
        return FactConflicts(tuple(sorted(found, key=lambda one: (one.agree, -one.facts[0].match))))

    def indicators(self) -> FactIndicators:
        """Return the indicators, each with its number of facts, the most frequent first."""
        groups: dict[tuple[frozenset[str], str], list[str]] = {}
        for fact in self.facts:
            groups.setdefault((fact.terms, fact.fact.unit), []).append(fact.fact.indicator)
        named = [FactIndicator(min(names, key=len), unit, len(names)) for (_, unit), names in groups.items()]
        return FactIndicators(tuple(sorted(named, key=lambda one: (-one.count, one.indicator))))


def find_facts(snapshot: Snapshot, request: FactRequest) -> FactList:
    """Return the facts whose indicator has all terms of a request.

    Those with nothing beyond it come first, then the newest.

    A fact that reprints repeat, and one that an article repeats, is a single fact. Those of one article come in the order of
    its text, each time that it states them. Raises UnknownArticle.
    """
    if request.article is not None:
        return _of_article(snapshot, request)
    found = collected(snapshot, request, snapshot.engine.facts(fact_keys_of(request)), fits(request))
    return FactList(tuple(sorted(found, key=in_order)), request.places)


def fact_keys_of(request: FactRequest) -> list[frozenset[str]]:
    """Return the groups of keys of articles that may have the facts of a request."""
    places = _keys_of(request)
    return [frozenset({term}) for term in sorted(request.wanted())] + ([places] if places else [])


_READ_AT_ONCE = 200
"""Articles that are read at once."""
_Accept = Callable[[str, Fact, frozenset[str]], bool]


def fits(request: FactRequest) -> _Accept:
    """Return the test whether a fact has what a request wants.

    It looks at the terms, place, status and unit.
    """
    wanted, places = request.wanted(), _keys_of(request)
    return lambda _, fact, terms: wanted <= terms and _fits(fact, places, request)


def collected(
    snapshot: Snapshot, request: FactRequest, packed: Iterable[tuple[str, bytes]], accepts: _Accept
) -> list[FoundFact]:
    """Return the facts that are accepted and of the times and sources of a request.

    `packed` has the id and the facts of each article. What reprints or an article itself repeat is a single fact.
    """
    wanted = request.wanted()
    articles = snapshot.articles
    found: dict[tuple[object, ...], FoundFact] = {}
    accepted = _accepted(packed, accepts)
    while some := list(islice(accepted, _READ_AT_ONCE)):
        articles.fetch(article_id for article_id, _ in some)
        for article_id, facts in some:
            for fact, terms in facts:
                one = found_fact(fact, articles[article_id].article, terms, extra=len(terms - wanted) if wanted else 0)
                if (request.sources and one.source not in request.sources) or not _is_between(
                    one, request.since, request.until
                ):
                    continue
                group = snapshot.reprint_groups.group(article_id)[0]
                same = (group, fact.low, fact.high, fact.unit, terms, fact.subject, fact.place, fact.as_of, fact.status)
                found[same] = found[same].with_source(one) if same in found else one
    return list(found.values())


def _accepted(packed: Iterable[tuple[str, bytes]], accepts: _Accept) -> Iterator[tuple[str, list[tuple[Fact, frozenset[str]]]]]:
    """Yield the articles with accepted facts, with these and the terms of each."""
    for article_id, facts in packed:
        termed = ((fact, indicator_terms(fact.indicator)) for fact in unpack_facts(facts))
        chosen = [(fact, terms) for fact, terms in termed if accepts(article_id, fact, terms)]
        if chosen:
            yield article_id, chosen


def _of_article(snapshot: Snapshot, request: FactRequest) -> FactList:
    assert request.article is not None
    article = article_view(snapshot, request.article).article
    wanted, places = request.wanted(), _keys_of(request)
    facts = [fact for fact in unpack_facts(snapshot.engine.facts_of([article.id])[0]) if _fits(fact, places, request)]
    if request.sources and article.source not in request.sources:
        facts = []
    made = [found_fact(fact, article, terms) for fact in facts if wanted <= (terms := indicator_terms(fact.indicator))]
    return FactList(tuple(fact for fact in made if _is_between(fact, request.since, request.until)), request.places)


def _keys_of(request: FactRequest) -> frozenset[str]:
    """Return the keys of the places of a request.

    A region among the words is only itself: its total is asked for, not those of its provinces.
    """
    extents = [place_extent(place) for place in request.places]
    named = (
        name
        for extent in extents
        for name in (*(extent.places if request.is_strict or not extent.said else extent.places[:1]), *extent.said)
    )
    return frozenset(map(place_key, named))


def _fits(fact: Fact, places: frozenset[str], request: FactRequest) -> bool:
    if request.statuses and fact.status not in request.statuses:
        return False
    if request.units and fact.unit.lower() not in {unit.lower() for unit in request.units}:
        return False
    return not places or any(place_key(name) in places for name in place_names_of(fact))


def _is_between(fact: FoundFact, since: datetime.date | None, until: datetime.date | None) -> bool:
    if since is None and until is None:
        return True
    if fact.first is None or fact.last is None:
        return False
    return (since is None or fact.last >= since) and (until is None or fact.first <= until)


def in_order(fact: FoundFact) -> tuple[object, ...]:
    """Return the key by which facts are sorted.

    Those asked for come first, levels before changes, then the newest.
    """
    newest = -(fact.last or datetime.date.min).toordinal()
    status = fact.fact.status
    return not fact.is_asked, fact.extra, status not in _LEVELS, status != "actual", newest, fact.article_id, fact.fact.start


def _by_time(fact: FoundFact) -> tuple[object, ...]:
    assert fact.first is not None
    assert fact.last is not None
    return fact.last, fact.first, fact.article_id, fact.fact.start


def _agree(group: Sequence[FoundFact]) -> bool:
    """Return True if all facts that are comparable can be right at once."""
    pairs = combinations(group, 2)
    return all(agree(_figure(one), _figure(other)) for one, other in pairs if _are_comparable(one, other))


def _are_comparable(one: FoundFact, other: FoundFact) -> bool:
    """Return True unless two figures are known to be of different things.

    Such are an article's figures of one sentence, and parts of different wholes.
    """
    if one.article_id != other.article_id:
        return True
    return one.fact.sentence != other.fact.sentence and _whole_of(one) == _whole_of(other)


def _names_narrower_time(found: FoundFact) -> bool:
    """Return True if a figure is of a year, and its sentence names a time in it.

    For example: năm 2023, đến 30/11, có 512 HTX.
    """
    if found.first is None or found.last is None or (found.last - found.first).days < _A_YEAR:
        return False
    before = found.sentence[: found.fact.end - found.fact.sentence.start]
    return any(
        date.first
        and date.last
        and found.first <= date.first
        and date.last <= found.last
        and (date.last - date.first).days < _A_YEAR
        for date in date_mentions(before, published=found.date)
    )


_DIVIDED = re.compile(r"(?<!\w)(?:trong đó|trong số (?:đó|này)|gồm|bao gồm|cụ thể)(?!\w)|\($", re.IGNORECASE)
"""Words behind which a whole is divided."""


def _whole_of(found: FoundFact) -> str:
    """Return the words that name the whole that a figure is a part of, else ""."""
    before = found.sentence[: found.fact.start - found.fact.sentence.start]
    match = _DIVIDED.search(before.rstrip())
    return before[: match.start()].strip() if match else ""


def _figure(found: FoundFact) -> Figure:
    return Figure(0, 0, 0, found.fact.low, found.fact.high, _BOUNDS[found.fact.qualifier])
