"""Search a cluster: candidates from there, their exact scores from here.

The cluster scores all that matches, in float32. The best articles come with their terms, are scored again by `engine.exact` in
double precision, and are enough if the worst article that came, with the error of float32 added, cannot be among the best asked
for. If they are not enough, more are asked for. A search takes two round trips: how often the leaves occur, which is kept for
the commit, and the search.

In a large collection that is too dear: every passage that matches is scored. Then the best articles by a rough score are found,
with early termination, and the best 200 of them are scored exactly (`rough`), more for a deep page. What matches is counted up
to 10,000, and near a line are only the best 1,000.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain, islice
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
"""The most hits that a cluster returns or rescores at once (index.max_result_window, index.max_rescore_window)."""
_TIES = 1_000
"""So many articles of equal scores are looked at; then the order of the cluster, by id, is taken as it is."""
_DEPTH = 200
"""Articles, the best by rough scores, of which at least so many are scored exactly in a large collection."""
_NEAR = 1_000
"""Articles, the best by rough scores, that may reach a line in a large collection."""
_COUNTED = 10_000
"""Articles up to which matches are counted in a large collection."""
_MOST_RECORDS = 200
"""Articles whose records come along with a search."""
_KEPT = 20_000
"""Lines of which it is kept what reaches them."""
_LINES_KEPT = 200
"""Lines of which the articles that may reach them are kept."""
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
        *,
        rough: bool = False,
    ) -> None:
        self._together, self._index, self._visible, self._statistics = together, index, visible, statistics
        self._keep_records = keep_records
        self._rough = rough
        self._reached: dict[AtLeast, frozenset[str]] = {}
        self._candidates: dict[AtLeast, frozenset[str]] = {}

    def search_many(self, searches: Sequence[Search]) -> list[SearchResult]:
        """Return the result of each search."""
        self._statistics.learn([leaf for one in searches for leaf in leaves_of(one.node)])
        needed = dict.fromkeys(line for one in searches for line in lines_of(one.node))
        _forget_oldest(self._reached, needed, _KEPT)
        _forget_oldest(self._candidates, needed, _LINES_KEPT)
        lines = self._undecided(needed)
        if self._rough and lines:
            lines = self._choose_candidates(lines)
        asked = {
            at: _Underway(one, min(one.limit + one.offset + _SPARE, _WINDOW) if one.limit else 0)
            for at, one in enumerate(searches)
        }
        results: dict[int, SearchResult] = {}
        while asked:
            of_searches = [self._bodies(one) for one in asked.values()]
            bodies = [*map(self._near_line, lines), *chain.from_iterable(of_searches)]
            answers = iter(self._together.search_many([Asked(self._index, body) for body in bodies]))
            if self._decide(lines, list(islice(answers, len(lines)))):
                lines = self._undecided(lines)
                continue  # the searches were asked as if nothing reached a line, and something does
            lines = []
            for (at, one), asked_for in zip(list(asked.items()), of_searches, strict=True):
                result = self._result(one, *islice(answers, len(asked_for)))
                if result is not None:
                    results[at] = result
                    del asked[at]
                else:
                    one.size, one.rounds = min(one.size * _GROWTH, _WINDOW), one.rounds + 1
        return [results[at] for at in range(len(searches))]

    # The lines of `AtLeast`

    def _lines(self) -> Lines:
        return Lines(self._reached, self._candidates)

    def _undecided(self, lines: Iterable[AtLeast]) -> list[AtLeast]:
        """Return the lines of which it is not known what reaches them, inner ones first."""
        return [line for line in lines if line not in self._reached and line not in self._candidates]

    def _choose_candidates(self, lines: Sequence[AtLeast]) -> list[AtLeast]:
        """Find the articles that may reach lines, inner lines first; returns no line."""
        for line in lines:  # there is hardly ever more than one
            query = article_query(line.node, self._statistics, self._lines(), rough=True)
            body = {"query": {"bool": {"filter": [self._visible], "must": [query]}}, "size": _NEAR, "track_total_hits": False}
            body |= {"_source": False, "docvalue_fields": ["article"]}
            hits = self._together.search(self._index, body)["hits"]["hits"]
            self._candidates[line] = frozenset(hit["fields"]["article"][0] for hit in hits)
        return []

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

    def _is_rough(self, search: Search) -> bool:
        return self._rough and bool(search.limit) and not search.by_date and not is_constant(search.node)

    def _bodies(self, asked: _Underway) -> list[Json]:
        """Return what a search asks: the hits, and their number if it is asked for apart."""
        search = asked.search
        if not self._is_rough(search):
            return [self._body(asked)]
        by_rough, exactly = (
            article_query(search.node, self._statistics, self._lines(), rough=is_rough) for is_rough in (True, False)
        )
        rescored = {"rescore_query": exactly, "query_weight": 0, "rescore_query_weight": 1}
        body: Json = {
            "query": {"bool": {"filter": [self._visible], "must": [by_rough]}},
            "size": asked.size,
            "track_total_hits": False,
            "rescore": {"window_size": _depth(asked.size), "query": rescored},
        }
        if search.records and asked.size <= _MOST_RECORDS:
            body |= {"_source": True, "stored_fields": ["record"]}
        counted = replace(search, limit=0, offset=0, records=False)
        return [body, self._body(_Underway(counted, 0))] if search.count or search.facets else [body]

    def _body(self, asked: _Underway) -> Json:
        search = asked.search
        is_scored = bool(asked.size) or not self._rough
        query = article_query(search.node, self._statistics, self._lines(), scored=is_scored)
        order: list[Any] = [{"_score": "desc"}, {"article": "asc"}]
        if search.by_date:
            order.insert(0, {"date": {"order": "desc", "missing": "_last"}})
        body: Json = {
            "query": {"bool": {"filter": [self._visible], "must": [query]}},
            "size": asked.size,
            "sort": order,
            "track_scores": True,
            "track_total_hits": search.count and (_COUNTED if self._rough and not search.facets else True),
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

    def _result(self, asked: _Underway, answer: Json, counted: Json | None = None) -> SearchResult | None:
        """Return the result of a search, None if the answer is not enough for it."""
        search, is_rough = asked.search, self._is_rough(asked.search)
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
        is_all = is_rough or not 0 < asked.size == len(hits) < _WINDOW
        if not (is_all or self._is_enough(asked, hits, ranked, scores, days, wanted)):
            return None
        answer = counted or answer
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
            exact=search.count and not self._is_at_least(search, answer),
            scored=_depth(asked.size) if is_rough else None,
            forwards=_forwards_of(articles, {unit[0] for unit in chosen}) if search.forwards else None,
        )

    def _is_at_least(self, search: Search, answer: Json) -> bool:
        """Return True if there may be more matches than were counted."""
        is_cut = answer["hits"].get("total", {}).get("relation") == "gte"
        return is_cut or any(len(self._candidates.get(line, ())) >= _NEAR for line in lines_of(search.node))

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


def _depth(size: int) -> int:
    """Return how many articles are scored exactly to find the best `size`."""
    return min(max(_DEPTH, 2 * size), _WINDOW)


def _forget_oldest(known: dict[AtLeast, frozenset[str]], needed: Collection[AtLeast], most: int) -> None:
    """Keep `most` lines, those that were needed last, and all that are needed now."""
    for line in needed:
        if (found := known.pop(line, None)) is not None:
            known[line] = found
    for line in list(islice(known, max(len(known) - max(most, len(needed)), 0))):
        known.pop(line, None)


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
