"""Search a cluster: candidates from there, their exact scores from here.

The cluster scores all that matches, in float32. The best articles come with their terms, are scored again by `engine.exact` in
double precision, and are enough if the worst article that came, with the error of float32 added, cannot be among the best asked
for. If they are not enough, more are asked for. A search takes two round trips: how often the leaves occur, which is kept for
the commit, and the search.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from htxsearch.engine.contract import (
    AtLeast,
    Forwards,
    Hit,
    Leaf,
    Search,
    SearchResult,
    forward_of,
)
from htxsearch.engine.exact import ExactScores, Unit, in_order
from htxsearch.engine.opensearch.cluster import Json
from htxsearch.engine.opensearch.mapping import FoundArticle, found_article
from htxsearch.engine.opensearch.query import (
    EPSILON,
    Lines,
    article_query,
    is_bounded,
    is_constant,
    leaves_of,
    lines_of,
    near_line_query,
    passages_that_match,
)
from htxsearch.engine.opensearch.together import Asked, CollectionStatistics, Together

__all__ = ["Retrieval"]

_SPARE = 10
"""Articles asked for beyond the limit, so that the proof nearly always succeeds at once."""
_GROWTH = 3
_WINDOW = 10_000
"""The most hits that a cluster returns at once (index.max_result_window)."""
_TIES = 1_000
"""So many articles of equal scores are looked at; then the order of the cluster, by id, is taken as it is."""
_MOST_RECORDS = 200
"""Articles whose records come along with a search."""
_KEPT = 20_000
"""Lines of which it is kept what reaches them."""
_FACET_VALUES = 65_000


@dataclass(slots=True)
class _Underway:
    """A search under way: how many articles it asks for."""

    search: Search
    size: int
    rounds: int = 0
    lines: Lines = field(default_factory=Lines)


class Retrieval:
    """Searches one commit."""

    def __init__(
        self,
        together: Together,
        index: str,
        visible: Json,
        statistics: CollectionStatistics,
        keep_records: Callable[[Mapping[str, str]], None],
    ) -> None:
        self._together, self._index, self._visible, self._statistics = together, index, visible, statistics
        self._keep_records = keep_records
        self._reached: dict[AtLeast, frozenset[str]] = {}

    def search_many(self, searches: Sequence[Search]) -> list[SearchResult]:
        """Return the result of each search."""
        self._statistics.learn([leaf for one in searches for leaf in leaves_of(one.node)])
        lines = self._undecided(line for one in searches for line in lines_of(one.node))
        asked = {
            at: _Underway(one, min(one.limit + one.offset + _SPARE, _WINDOW) if one.limit else 0)
            for at, one in enumerate(searches)
        }
        results: dict[int, SearchResult] = {}
        while asked:
            bodies = [*map(self._near_line, lines), *map(self._body, asked.values())]
            answers = self._together.search_many([Asked(self._index, body) for body in bodies])
            if self._decide(lines, answers[: len(lines)]):
                lines = self._undecided(lines)
                continue  # what was asked took nobody to reach a line
            of_lines, lines = len(lines), []
            for (at, one), answer in zip(list(asked.items()), answers[of_lines:], strict=True):
                result = self._result(one, answer)
                if result is not None:
                    results[at] = result
                    del asked[at]
                else:
                    one.size, one.rounds = min(one.size * _GROWTH, _WINDOW), one.rounds + 1
        return [results[at] for at in range(len(searches))]

    # The lines of `AtLeast`

    def _lines(self) -> Lines:
        return Lines(self._reached)

    def _undecided(self, lines: Iterable[AtLeast]) -> list[AtLeast]:
        """Return the lines of which it is not known what reaches them, inner ones first."""
        if len(self._reached) > _KEPT:
            self._reached.clear()
        return [line for line in dict.fromkeys(lines) if line not in self._reached]

    def _decide(self, lines: Sequence[AtLeast], answers: Sequence[Json]) -> bool:
        """Score exactly what is so near a line that float32 cannot tell its side.

        Mostly nothing is. So lines, and searches with them, are asked at once as if nothing near a line reached it. Returns
        True if something did: then what was asked of lines and searches with such a line has to be asked again.
        """
        asked_wrongly: set[AtLeast] = set()
        for line, answer in zip(lines, answers, strict=True):
            if asked_wrongly.isdisjoint(lines_of(line.node)):
                self._reached[line] = self._reaching(line, answer)
            if self._reached.get(line) != frozenset():
                asked_wrongly.add(line)
        return bool(asked_wrongly)

    def _near_line(self, line: AtLeast) -> Json:
        """Return the search for the articles with something near a line."""
        ways = near_line_query(line, self._statistics, self._lines())
        asked = [{"bool": {"filter": [of_article, _nested(near)]}} for of_article, near in ways] or [{"match_none": {}}]
        query = {"bool": {"filter": [self._visible], "should": asked, "minimum_should_match": 1}}
        return {"query": query, "size": _WINDOW, "track_total_hits": False}

    def _reaching(self, line: AtLeast, found: Json) -> frozenset[str]:
        articles = _articles(found)
        scores = ExactScores({one.id: one for one in articles}, self._statistics)
        versions = {one.id: one.version for one in articles}
        return frozenset(f"{versions[article_id]}/{number}" for article_id, number in scores.matching(line))

    # Asking

    def _body(self, asked: _Underway) -> Json:
        search = asked.search
        query = article_query(search.node, self._statistics, self._lines())
        order: list[Any] = [{"_score": "desc"}, {"article": "asc"}]
        if search.by_date:
            order.insert(0, {"date": {"order": "desc", "missing": "_last"}})
        body: Json = {
            "query": {"bool": {"filter": [self._visible], "must": [query]}},
            "size": asked.size,
            "sort": order,
            "track_scores": True,
            "track_total_hits": search.count,
        }
        aggregations: Json = {}
        for name in search.facets:
            aggregations[name] = {"terms": {"field": name, "size": _FACET_VALUES}}
        if search.count and not search.per_article:
            for at, (facts, within) in enumerate(passages_that_match(search.node, self._statistics, self._lines())):
                inner = {"nested": {"path": "passages"}, "aggs": {"matching": {"filter": within}}}
                aggregations[f"passages {at}"] = {"filter": facts, "aggs": {"inner": inner}}
        if aggregations:
            body["aggs"] = aggregations
        if search.records and asked.size <= _MOST_RECORDS:
            body |= {"_source": True, "stored_fields": ["record"]}
        return body

    def _result(self, asked: _Underway, answer: Json) -> SearchResult | None:
        """Return the result of a search, None if the answer is not enough for it."""
        search = asked.search
        articles = _articles(answer)
        exact = ExactScores({one.id: one for one in articles}, self._statistics)
        scores = exact.matching(search.node)
        ranked = in_order(scores)
        if search.per_article:
            best: dict[str, Unit] = {}
            for unit in ranked:
                best.setdefault(unit[0], unit)
            ranked = list(best.values())
        days = {one.id: one.date or date.min for one in articles}
        if search.by_date:
            ranked.sort(key=lambda unit: days[unit[0]], reverse=True)
        hits = answer["hits"]["hits"]
        wanted = search.offset + search.limit
        if 0 < asked.size == len(hits) < _WINDOW and not self._is_enough(asked, hits, ranked, scores, days, wanted):
            return None
        if search.records:
            self._keep_records({one["_source"]["article"]: one["fields"]["record"][0] for one in hits if "fields" in one})
        chosen = ranked[search.offset : wanted]
        total = answer["hits"].get("total", {}).get("value", len({unit[0] for unit in ranked}))
        passages = len(ranked)
        if search.count and not search.per_article:
            counts = (value for name, value in answer.get("aggregations", {}).items() if name.startswith("passages "))
            passages = sum(one["inner"]["matching"]["doc_count"] for one in counts)
        return SearchResult(
            total if search.per_article else passages,
            total,
            tuple(Hit(*unit, scores[unit], self._parts(search, articles, unit)) for unit in chosen),
            {name: _facet(answer["aggregations"][name]) for name in search.facets},
            exact=search.count,
            forwards=_forwards_of(articles, {unit[0] for unit in chosen}) if search.forwards else None,
        )

    def _parts(self, search: Search, articles: Sequence[FoundArticle], unit: Unit) -> tuple[tuple[Leaf, float], ...]:
        """Return the leaves that match in a passage, with their scores.

        Nothing but its article is looked at.
        """
        if not search.explain:
            return ()
        alone = {one.id: one for one in articles if one.id == unit[0]}
        return ExactScores(alone, self._statistics).parts(search.node, unit)

    def _is_enough(
        self,
        asked: _Underway,
        hits: Sequence[Json],
        ranked: Sequence[Unit],
        scores: Mapping[Unit, float],
        days: Mapping[str, date],
        wanted: int,
    ) -> bool:
        """Return True if no article that did not come can be among the best."""
        if len(ranked) < wanted:
            return False
        last = hits[-1]
        worst = ranked[wanted - 1]
        if asked.search.by_date:
            day = last["_source"].get("date")
            bound_day = date.fromordinal(day) if day else date.min
            if days[worst[0]] != bound_day:
                return days[worst[0]] > bound_day
        node = asked.search.node
        if is_constant(node):
            return True
        bound = float(last["_score"]) * (1 + EPSILON)
        if round(scores[worst], 9) > round(bound, 9):
            return True
        return len(hits) >= _TIES and not is_bounded(node)


def _nested(query: Json) -> Json:
    return {"nested": {"path": "passages", "query": query, "score_mode": "none"}}


def _articles(answer: Json) -> list[FoundArticle]:
    return [found_article(hit["_id"], hit["_source"]) for hit in answer["hits"]["hits"]]


def _facet(found: Json) -> dict[str, int]:
    return {bucket["key"]: bucket["doc_count"] for bucket in found["buckets"]}


def _forwards_of(articles: Iterable[FoundArticle], ids: set[str]) -> Forwards:
    """Return the syllables of some of the articles, in the order of their ids."""
    chosen = sorted((one for one in articles if one.id in ids), key=lambda one: one.id)
    return Forwards.of([tuple(map(forward_of, (one.title, *one.passages))) for one in chosen])
