"""Searches that are sent together, with what was foreseen.

Whoever knows what will be asked for next says so; it then goes along with the next request, whatever that is about, and the
answer is kept until it is asked for. So a query takes a round trip only where an answer decides what is asked next. The
statistics of a commit are counted so, and kept.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from htxsearch.engine.contract import ARTICLE_FIELDS, FieldName, Phrase, Posting
from htxsearch.engine.exact import is_on_article
from htxsearch.engine.opensearch.cluster import Cluster, Json
from htxsearch.engine.opensearch.query import counted_query

__all__ = ["Asked", "CollectionStatistics", "Together"]

_KEPT = 20_000
"""Frequencies that are kept."""


class Asked(NamedTuple):
    """A search: the name of the index that is asked, and the body."""

    name: str
    body: Json


class Together:
    """Sends searches of one commit."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._ahead: list[tuple[Asked, Callable[[Json], None]]] = []

    def foresee(self, asked: Asked, take: Callable[[Json], None]) -> None:
        """Ask along with the next request; `take` gets the answer."""
        self._ahead.append((asked, take))

    def search(self, index: str, body: Json) -> Json:
        """Return the answer to a search."""
        return self.search_many([Asked(index, body)])[0]

    def search_many(self, searches: Sequence[Asked]) -> list[Json]:
        """Return the answers to searches, in one round trip; without any, nothing is sent."""
        if not searches:
            return []
        ahead, self._ahead = self._ahead, []
        answers = self._cluster.search_many([*searches, *(asked for asked, _ in ahead)], needed=len(searches))
        for (_, take), answer in zip(ahead, answers[len(searches) :], strict=True):
            if answer:  # else it failed, and is asked when it is needed
                take(answer)
        return answers[: len(searches)]


class CollectionStatistics:
    """The statistics of a commit: lengths from its state, and frequencies counted."""

    def __init__(self, together: Together, index: str, visible: Json, lengths: Mapping[str, int]) -> None:
        self._together, self._index, self._visible, self._lengths = together, index, visible, lengths
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

    def foresee(self, leaves: Iterable[Posting]) -> None:
        """Count leaves along with the next request."""
        if missing := self._missing(leaves):
            self._together.foresee(Asked(self._index, self._counting(list(missing.values()))), partial(self._take, missing))

    def learn(self, leaves: Iterable[Posting]) -> None:
        """Count at once what is not known of some leaves."""
        leaves = list(leaves)
        missing = self._missing(leaves)
        if len(self._frequencies) + len(missing) > _KEPT:
            known = self._frequencies
            self._frequencies = {name: known[name] for leaf in leaves if (name := _name(leaf)) in known}
        if missing:
            self._take(missing, self._together.search(self._index, self._counting(list(missing.values()))))

    def _missing(self, leaves: Iterable[Posting]) -> dict[Any, Posting]:
        """Return the leaves that have to be counted, by name.

        Those that cannot match are known to be 0.
        """
        missing = {name: leaf for leaf in leaves if (name := _name(leaf)) not in self._frequencies}
        self._frequencies.update((name, 0) for name, leaf in missing.items() if not _terms_of(leaf))
        return {name: leaf for name, leaf in missing.items() if _terms_of(leaf)}

    def _counting(self, leaves: Sequence[Posting]) -> Json:
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
        return {"query": self._visible, "size": 0, "track_total_hits": False, "aggs": asked}

    def _take(self, counted: Mapping[Any, Posting], answer: Json) -> None:
        found = answer["aggregations"]
        buckets = found.get("titles", {}).get("buckets", {}) | found.get("passages", {}).get("counts", {}).get("buckets", {})
        self._frequencies.update((name, buckets[str(at)]["doc_count"]) for at, name in enumerate(counted))


def _name(leaf: Posting) -> Any:
    """Return what two leaves of the same frequency have in common."""
    if isinstance(leaf, Phrase):
        return leaf.field, leaf.slots
    return frozenset((one.field, one.term) for one in leaf.alternatives)


def _terms_of(leaf: Posting) -> bool:
    """Return True if a leaf can match."""
    return bool(leaf.slots) and all(leaf.slots) if isinstance(leaf, Phrase) else bool(leaf.alternatives)
