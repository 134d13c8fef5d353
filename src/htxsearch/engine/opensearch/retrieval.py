"""Search a cluster: candidates from there, their exact scores from here.

The cluster scores all that matches, in float32. The best articles come with their terms, are scored again by `engine.exact` in
double precision, and are enough if the worst article that came, with the error of float32 added, cannot be among the best asked
for. If they are not enough, more are asked for. A search takes two round trips: how often the leaves occur, which is kept for
the commit, and the search.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from htxsearch.engine.contract import (
    ARTICLE_FIELDS,
    AtLeast,
    FieldName,
    Forwards,
    Hit,
    Leaf,
    Phrase,
    Posting,
    Search,
    SearchResult,
    forward_of,
)
from htxsearch.engine.exact import ExactScores, Unit, in_order, is_on_article
from htxsearch.engine.opensearch.cluster import Cluster, Json
from htxsearch.engine.opensearch.mapping import FoundArticle, found_article
from htxsearch.engine.opensearch.query import (
    EPSILON,
    Lines,
    article_query,
    counted_query,
    is_bounded,
    is_constant,
    leaves_of,
    lines_of,
    near_line_query,
    passages_that_match,
)

__all__ = ["CollectionStatistics", "Retrieval"]

_SPARE = 10
"""Articles asked for beyond the limit, so that the proof nearly always succeeds at once."""
_GROWTH = 3
_WINDOW = 10_000
"""The most hits that a cluster returns at once (index.max_result_window)."""
_TIES = 1_000
"""So many articles of equal scores are looked at; then the order of the cluster, by id, is taken as it is."""
_KEPT = 20_000
_FACET_VALUES = 65_000


class CollectionStatistics:
    """The statistics of a commit: lengths from its state, and frequencies counted."""

    def __init__(self, cluster: Cluster, index: str, visible: Json, lengths: Mapping[str, int]) -> None:
        self._cluster, self._index, self._visible, self._lengths = cluster, index, visible, lengths
        self._frequencies: dict[Any, int] = {}

    def documents(self, field: FieldName) -> int:
        """Return the number of documents."""
        return self._lengths.get("articles" if field in ARTICLE_FIELDS else "passages", 0)

    def average_length(self, field: FieldName) -> float:
        """Return the mean number of terms that a document has in a field."""
        documents = self.documents(field)
        return self._lengths.get(field, 0) / documents if documents else 0.0

    def frequency(self, leaf: Posting) -> int:
        """Return the number of documents that match a leaf."""
        if (name := _name(leaf)) not in self._frequencies:
            self.learn([leaf])
        return self._frequencies[name]

    def learn(self, leaves: Iterable[Posting]) -> None:
        """Count at once what is not known of some leaves."""
        missing = {name: leaf for leaf in leaves if (name := _name(leaf)) not in self._frequencies}
        if len(self._frequencies) + len(missing) > _KEPT:
            known = self._frequencies
            self._frequencies = {name: known[name] for leaf in leaves if (name := _name(leaf)) in known}
        empty = [name for name, leaf in missing.items() if not _terms_of(leaf)]
        self._frequencies.update(dict.fromkeys(empty, 0))
        counted = [(name, leaf) for name, leaf in missing.items() if _terms_of(leaf)]
        if counted:
            self._frequencies.update(
                zip((name for name, _ in counted), self._count([leaf for _, leaf in counted]), strict=True)
            )

    def _count(self, leaves: Sequence[Posting]) -> list[int]:
        of_titles, of_passages = {}, {}
        for at, leaf in enumerate(leaves):
            if is_on_article(leaf):
                of_titles[str(at)] = counted_query(leaf, root="")
            else:
                of_passages[str(at)] = counted_query(leaf)
        asked: Json = {}
        if of_titles:
            asked["titles"] = {"filters": {"filters": of_titles}}
        if of_passages:
            counts = {"counts": {"filters": {"filters": of_passages}}}
            asked["passages"] = {"nested": {"path": "passages"}, "aggs": counts}
        body = {"query": self._visible, "size": 0, "track_total_hits": False, "aggs": asked}
        found = self._cluster.search(self._index, body)["aggregations"]
        buckets = found.get("titles", {}).get("buckets", {}) | found.get("passages", {}).get("counts", {}).get("buckets", {})
        return [buckets[str(at)]["doc_count"] for at in range(len(leaves))]


def _name(leaf: Posting) -> Any:
    """Return what two leaves of the same frequency have in common."""
    if isinstance(leaf, Phrase):
        return leaf.field, leaf.slots
    return frozenset((one.field, one.term) for one in leaf.alternatives)


def _terms_of(leaf: Posting) -> bool:
    """Return True if a leaf can match."""
    return bool(leaf.slots) and all(leaf.slots) if isinstance(leaf, Phrase) else bool(leaf.alternatives)


@dataclass(slots=True)
class _Asked:
    """A search under way: how many articles it asks for."""

    search: Search
    size: int
    rounds: int = 0
    lines: Lines = field(default_factory=Lines)


class Retrieval:
    """Searches one commit."""

    def __init__(self, cluster: Cluster, index: str, visible: Json, statistics: CollectionStatistics) -> None:
        self._cluster, self._index, self._visible, self._statistics = cluster, index, visible, statistics
        self._reached: dict[AtLeast, frozenset[str]] = {}

    def search_many(self, searches: Sequence[Search]) -> list[SearchResult]:
        """Return the result of each search."""
        self._statistics.learn([leaf for one in searches for leaf in leaves_of(one.node)])
        self._decide([line for one in searches for line in lines_of(one.node)])
        asked = {
            at: _Asked(one, min(one.limit + one.offset + _SPARE, _WINDOW) if one.limit else 0)
            for at, one in enumerate(searches)
        }
        results: dict[int, SearchResult] = {}
        while asked:
            answers = self._cluster.search_many(self._index, [self._body(one) for one in asked.values()])
            for (at, one), answer in zip(list(asked.items()), answers, strict=True):
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

    def _decide(self, lines: Sequence[AtLeast]) -> None:
        """Score exactly what is so near a line that float32 cannot tell its side."""
        if len(self._reached) > _KEPT:
            self._reached.clear()
        for line in dict.fromkeys(lines):  # inner ones first
            if line not in self._reached:
                self._reached[line] = self._reaching(line)

    def _reaching(self, line: AtLeast) -> frozenset[str]:
        ways = near_line_query(line, self._statistics, self._lines())
        asked = [{"bool": {"filter": [of_article, _nested(near)]}} for of_article, near in ways]
        if not asked:
            return frozenset()
        query = {"bool": {"filter": [self._visible], "should": asked, "minimum_should_match": 1}}
        found = self._cluster.search(self._index, {"query": query, "size": _WINDOW, "track_total_hits": False})
        articles = _articles(found)
        scores = ExactScores({one.id: one for one in articles}, self._statistics)
        versions = {one.id: one.version for one in articles}
        return frozenset(f"{versions[article_id]}/{number}" for article_id, number in scores.matching(line))

    # Asking

    def _body(self, asked: _Asked) -> Json:
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
        return body

    def _result(self, asked: _Asked, answer: Json) -> SearchResult | None:
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
        asked: _Asked,
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
