"""An index in a cluster as an engine, asked in as few round trips as can be."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from htxsearch.engine.contract import (
    Counts,
    DisjunctionMax,
    Forwards,
    Hit,
    Lookup,
    Node,
    Posting,
    Search,
    SearchResult,
    ValueField,
    forward_of,
)
from htxsearch.engine.opensearch.address import chosen_scoring
from htxsearch.engine.opensearch.blobs import BlobReader
from htxsearch.engine.opensearch.cluster import Cluster, Json
from htxsearch.engine.opensearch.mapping import STATE, WORDS, articles_index, feature_term, found_article, key_of, unpacked
from htxsearch.engine.opensearch.query import counted_query
from htxsearch.engine.opensearch.retrieval import Retrieval
from htxsearch.engine.opensearch.state import CommitState, StateStore, visible
from htxsearch.engine.opensearch.together import Asked, CollectionStatistics, Together
from htxsearch.engine.opensearch.writer import LEASE_S, ClusterWriter, Indices, in_chunks
from htxsearch.errors import IndexDamaged, IndexFailure, IndexNotReadable

__all__ = ["OpenSearchEngine", "create_index"]

_PAGE = 1_000
_WINDOW = 10_000
_FACET_VALUES = 65_000
_MOST_SCORED = 1_000_000
"""Passages of a collection in which all that matches is scored; of a larger one, only the best by a rough score are."""
_UNKNOWN = "\0"
"""Stands for a record that was not foreseen."""


class OpenSearchEngine:
    """Implements the contract `htxsearch.engine.contract.Engine` in a cluster.

    `data` names what the cluster keeps for it, as a data folder does on a disk. Raises only subclasses of IndexFailure.
    """

    def __init__(
        self,
        cluster: Cluster,
        data: str,
        *,
        create: bool = False,
        lease_s: float = LEASE_S,
        rough: bool | None = None,
        shards: int = 1,
    ) -> None:
        """Open the data of the cluster's index, or create it with a number of shards.

        `rough` says whether only the best by a rough score are scored exactly; None leaves it to the environment, or else to
        the size. Raises IndexMissing if there is none, IndexOutdated, IndexNotReadable, IndexNotWritable.
        """
        self._cluster, self._lease_s = cluster, lease_s
        self._rough = chosen_scoring() if rough is None else rough
        self._indices = Indices(cluster.address.name, data)
        self._store = StateStore(cluster, self._indices.state, data)
        if create:
            create_index(cluster, self._indices.state, STATE)
            self._store.create()  # first: it shows that somebody is at work
            create_index(cluster, self._indices.articles, articles_index(shards))
            create_index(cluster, self._indices.words, WORDS)
        self.generation = -1
        self.refresh()

    def refresh(self) -> None:
        self._take(self._store.read().state)

    def take_answer(self, found: Mapping[str, Any]) -> None:
        """Read the last commit from an answer that has its state document."""
        self._take(self._store.read_answer(found).state)

    def _take(self, state: CommitState) -> None:
        if state.generation == self.generation:
            return
        self._state = state
        self._visible, self._visible_words = visible(state), visible(state, words=True)
        self._together = Together(self._cluster)
        self._statistics = CollectionStatistics(self._together, self._indices.articles, self._visible, state.lengths)
        self._retrieval = Retrieval(
            self._together,
            self._indices.articles,
            self._visible,
            self._statistics,
            self._keep_records,
            rough=state.lengths.get("passages", 0) > _MOST_SCORED if self._rough is None else self._rough,
        )
        self._foreseen_spelt: dict[str, list[str]] = {}
        self._foreseen_begun: dict[tuple[str, int], list[str]] = {}
        self._foreseen_records: dict[str, str | None] = {}
        self.generation = state.generation

    def close(self) -> None:
        """Nothing is open."""

    # Searching

    def search(self, node: Node, **options: Any) -> SearchResult:
        if "facets" in options:
            options["facets"] = tuple(options["facets"])
        return self.search_many([Search(node=node, **options)])[0]

    def search_many(self, searches: Sequence[Search]) -> list[SearchResult]:
        if not self._state.lengths.get("articles"):
            return [SearchResult(0, 0, (), {name: {} for name in one.facets}) for one in searches]
        return self._retrieval.search_many(searches)

    def sample(self, *conjunctions: Sequence[Posting], limit: int) -> SearchResult:
        ways = [{"bool": {"filter": [counted_query(leaf) for leaf in nodes]}} for nodes in conjunctions]
        within = {"bool": {"should": ways, "minimum_should_match": 1}}
        inner = {"inner_hits": {"size": 1, "_source": False}} if limit else {}
        nested = {"nested": {"path": "passages", "query": within, "score_mode": "none", **inner}}
        body = {
            "query": {"bool": {"filter": [self._visible, nested]}},
            "size": limit,
            "sort": [{"spread": "asc"}, {"article": "asc"}],
            "track_total_hits": True,
            "_source": ["article"],
        }
        found = self._search(body)["hits"]
        hits = []
        for hit in found["hits"]:
            [first] = hit["inner_hits"]["passages"]["hits"]["hits"]
            hits.append(Hit(hit["_source"]["article"], first["_nested"]["offset"], 0.0))
        return SearchResult(found["total"]["value"], found["total"]["value"], tuple(sorted(hits)), {})

    def frequencies(self, nodes: Sequence[DisjunctionMax]) -> list[int]:
        self._statistics.learn(nodes)
        return [self._statistics.frequency(node) for node in nodes]

    # Looking things up

    def spellings(self, lookups: Sequence[Lookup]) -> list[list[str]]:
        known = {key: self._foreseen_spelt.pop(key, None) for key in dict.fromkeys(key_of(*lookup) for lookup in lookups)}
        for keys in in_chunks(key for key, found in known.items() if found is None):
            known |= _by_key(keys, self._pages(self._indices.words, self._spelt(keys), ("word",), _WINDOW))
        return [known[key_of(*lookup)] or [] for lookup in lookups]

    def _spelt(self, keys: Sequence[str]) -> Json:
        """Return the search for the terms of keys."""
        query = {"bool": {"filter": [self._visible_words, {"terms": {"key": list(keys)}}]}}
        return {"query": query, "_source": ["key", "term"], "size": _WINDOW, "track_total_hits": False}

    def starting_with(
        self, prefixes: Sequence[str], *, limit: int, field: Literal["syllable", "word"] = "syllable"
    ) -> list[list[str]]:
        keys = dict.fromkeys(key_of(field, prefix) for prefix in prefixes)
        known = {key: self._foreseen_begun.pop((key, limit), None) for key in keys}
        missing = [key for key, found in known.items() if found is None]
        answers = self._together.search_many([self._begun(key, limit) for key in missing])
        known.update(zip(missing, map(_terms_in, answers), strict=True))
        return [known[key_of(field, prefix)] or [] for prefix in prefixes]

    def _begun(self, key: str, limit: int) -> Asked:
        """Return the search for the words whose key begins with one."""
        query = {"bool": {"filter": [self._visible_words, {"prefix": {"key": key}}]}}
        order = [{"key": "asc"}, {"term": "asc"}]
        body: Json = {"query": query, "size": min(limit, _WINDOW), "sort": order, "track_total_hits": False}
        return Asked(self._indices.words, body | {"_source": ["term"]})

    def foresee(
        self,
        *,
        nodes: Iterable[Posting] = (),
        lookups: Iterable[Lookup] = (),
        prefixes: Iterable[str] = (),
        limit: int = 0,
        records: Iterable[str] = (),
    ) -> None:
        self._statistics.foresee(nodes)
        for keys in in_chunks(dict.fromkeys(key_of(*lookup) for lookup in lookups)):
            self._together.foresee(Asked(self._indices.words, self._spelt(keys)), partial(self._take_spelt, keys))
        for key in dict.fromkeys(key_of("syllable", prefix) for prefix in prefixes):
            self._together.foresee(self._begun(key, limit), partial(self._take_begun, (key, limit)))
        for ids in in_chunks(dict.fromkeys(records), _PAGE):
            body = self._articles_body(ids, ("record",))
            self._together.foresee(Asked(self._indices.articles, body), partial(self._take_records, ids))

    def _take_spelt(self, keys: Sequence[str], answer: Json) -> None:
        if len(self._foreseen_spelt) > _WINDOW:
            self._foreseen_spelt.clear()
        if len(answer["hits"]["hits"]) < _WINDOW:  # else there may be more
            self._foreseen_spelt.update(_by_key(keys, answer["hits"]["hits"]))

    def _take_begun(self, asked: tuple[str, int], answer: Json) -> None:
        self._foreseen_begun[asked] = _terms_in(answer)

    def _take_records(self, ids: Sequence[str], answer: Json) -> None:
        found = {one["fields"]["article"][0]: one["fields"]["record"][0] for one in answer["hits"]["hits"]}
        self._keep_records({article_id: found.get(article_id) for article_id in ids})

    def _keep_records(self, records: Mapping[str, str | None]) -> None:
        if len(self._foreseen_records) > _PAGE:
            self._foreseen_records.clear()
        self._foreseen_records.update(records)

    def values(self, field: ValueField) -> dict[str, int]:
        counted = {"values": {"terms": {"field": field, "size": _FACET_VALUES}}}
        found = self._search({"query": self._visible, "size": 0, "track_total_hits": False, "aggs": counted})
        return {bucket["key"]: bucket["doc_count"] for bucket in found["aggregations"]["values"]["buckets"]}

    def counts(self) -> Counts:
        lengths = self._state.lengths
        return Counts(*(lengths.get(name, 0) for name in ("articles", "passages", "syllable")))

    # Stored articles

    def _of_articles(self, article_ids: Sequence[str], *fields: str) -> Iterator[tuple[str, Json]]:
        """Yield the articles that there are, with stored fields."""
        for ids in in_chunks(dict.fromkeys(article_ids), _PAGE):
            for hit in self._search(self._articles_body(ids, fields))["hits"]["hits"]:
                yield (hit["fields"]["article"][0], hit["fields"]) if fields else (hit["_source"]["article"], hit)

    def _articles_body(self, ids: Sequence[str], fields: Sequence[str]) -> Json:
        """Return the search for articles, with stored fields or else with their terms."""
        query = {"bool": {"filter": [self._visible, {"terms": {"article": list(ids)}}]}}
        body: Json = {"query": query, "size": len(ids), "track_total_hits": False}
        return body | ({"stored_fields": list(fields), "docvalue_fields": ["article"]} if fields else {})

    def records(self, article_ids: Sequence[str]) -> list[str | None]:
        known = {one: self._foreseen_records.pop(one, _UNKNOWN) for one in dict.fromkeys(article_ids)}
        missing = [one for one, found in known.items() if found is _UNKNOWN]
        known |= dict.fromkeys(missing)
        known.update((article_id, fields["record"][0]) for article_id, fields in self._of_articles(missing, "record"))
        return [known[article_id] for article_id in article_ids]

    def facts_of(self, article_ids: Sequence[str]) -> list[bytes]:
        stored = self._of_articles(article_ids, "facts")
        found = {article_id: unpacked(fields["facts"][0]) for article_id, fields in stored if "facts" in fields}
        return [found.get(article_id, b"") for article_id in article_ids]

    def forwards(self, article_ids: Sequence[str]) -> Forwards:
        articles = (found_article(hit["_id"], hit["_source"]) for _, hit in self._of_articles(article_ids))
        found = {one.id: tuple(map(forward_of, (one.title, *one.passages))) for one in articles}
        return Forwards.of([found.get(article_id, ()) for article_id in article_ids])

    def article_ids(self) -> list[str]:
        body = {"query": self._visible, "_source": False}
        return [hit["sort"][0] for hit in self._pages(self._indices.articles, body, ("article",), _WINDOW)]

    def vectors(self) -> Iterator[tuple[str, bytes]]:
        body: Json = {"query": self._visible, "stored_fields": ["vector"]}
        for hit in self._pages(self._indices.articles, body, ("article",), _PAGE):
            yield hit["sort"][0], unpacked(hit.get("fields", {}).get("vector", [""])[0])

    def vectors_with(self, features: Mapping[int, float], limit: int) -> list[tuple[str, bytes]]:
        """Return the ids and vectors of the articles whose features weigh most."""
        asked = [{"term": {"features": {"value": feature_term(one), "boost": weight}}} for one, weight in features.items()]
        query = {"bool": {"filter": [self._visible], "should": asked, "minimum_should_match": 1}}
        body: Json = {"query": query, "size": min(limit, _WINDOW), "track_total_hits": False}
        hits = self._search(body | {"stored_fields": ["vector"], "docvalue_fields": ["article"]})["hits"]["hits"]
        return [(hit["fields"]["article"][0], unpacked(hit["fields"].get("vector", [""])[0])) for hit in hits]

    def facts(self, keys: Sequence[Collection[str]]) -> Iterator[tuple[str, bytes]]:
        groups = [{"terms": {"fact_keys": sorted(group)}} for group in keys]
        query = {"bool": {"filter": [self._visible, {"term": {"has_facts": True}}, *groups]}}
        body: Json = {"query": query, "stored_fields": ["facts"]}
        for hit in self._pages(self._indices.articles, body, ("article",), _PAGE):
            yield hit["sort"][0], unpacked(hit["fields"]["facts"][0])

    def blob(self, name: str) -> bytes | None:
        while True:
            place = self._state.blobs.get(name)
            if place is None:
                return None
            blob = BlobReader(self._cluster, self._indices.state, self._indices.data).read(name, place)
            if blob is not None:
                return blob
            before = self.generation
            self.refresh()  # a commit may have removed it
            if self.generation == before:
                raise IndexDamaged("engine.blob-damaged", address=str(self._cluster.address), name=name)

    # Writing

    def writer(self) -> ClusterWriter:
        return ClusterWriter(self._cluster, self._indices, self._store, self.generation, self._take, lease_s=self._lease_s)

    def _search(self, body: Json) -> Json:
        return self._together.search(self._indices.articles, body)

    def _pages(self, index: str, body: Json, order: Sequence[str], size: int) -> Iterator[Json]:
        """Yield all hits of a search, sorted, page by page."""
        body = body | {"size": size, "sort": [{name: "asc"} for name in order], "track_total_hits": False}
        while True:
            hits = self._together.search(index, body)["hits"]["hits"]
            yield from hits
            if len(hits) < size:
                return
            body = body | {"search_after": hits[-1]["sort"]}


def _by_key(keys: Sequence[str], hits: Iterable[Json]) -> dict[str, list[str]]:
    """Return the terms of each key, sorted."""
    found: dict[str, list[str]] = {key: [] for key in keys}
    for hit in hits:
        found[hit["_source"]["key"]].append(hit["_source"]["term"])
    return {key: sorted(terms) for key, terms in found.items()}


def _terms_in(answer: Json) -> list[str]:
    return [hit["_source"]["term"] for hit in answer["hits"]["hits"]]


def create_index(cluster: Cluster, name: str, body: Json) -> None:
    """Create an index of the cluster, unless there is one of that name."""
    try:
        cluster.request("PUT", f"/{name}", body)
    except IndexNotReadable:
        raise
    except IndexFailure as error:
        if "resource_already_exists" not in json.dumps(error.fields, default=str):
            raise
