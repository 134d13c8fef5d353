"""Write a batch of changes: claim a commit, write its documents, make it visible.

The order is what keeps the promise. First the claim. Then everything is written, under the number of the claim, and refreshed,
so that all copies of all shards have it. Last the state document is replaced, by compare-and-set. Whatever goes wrong before
leaves a number that was abandoned, and rest that the next writer sweeps.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

from htxsearch.engine.contract import Document
from htxsearch.engine.opensearch.blobs import BlobReader, written_blobs
from htxsearch.engine.opensearch.cluster import Cluster, Json
from htxsearch.engine.opensearch.mapping import article_body, lengths_of, version_of, word_of
from htxsearch.engine.opensearch.state import CommitState, Seen, StateStore, visible
from htxsearch.errors import HtxError

__all__ = ["LEASE_S", "ClusterWriter", "Indices", "in_chunks"]

LEASE_S = 30.0
"""How long a writer that says nothing counts as alive; it renews its claim while it writes."""
_CHUNK = 5_000
"""Values in one query."""


class Indices:
    """The names of the indices of one data."""

    def __init__(self, name: str, data: str) -> None:
        self.data = data
        self.articles, self.words, self.state = f"{name}-{data}", f"{name}-{data}-words", f"{name}-state"


def in_chunks(values: Iterable[str], size: int = _CHUNK) -> Iterator[list[str]]:
    """Yield values in lists of up to `size`."""
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk


class ClusterWriter:
    """Collects a batch, and writes it when it is committed."""

    def __init__(
        self,
        cluster: Cluster,
        indices: Indices,
        store: StateStore,
        base: int,
        committed: Callable[[CommitState], None],
        *,
        lease_s: float = LEASE_S,
    ) -> None:
        """Write on top of commit `base`; `committed` is called with the state after it."""
        self._cluster, self._indices, self._store = cluster, indices, store
        self._base, self._committed, self._lease_s = base, committed, lease_s
        self._token = uuid.uuid4().hex
        self._changes: dict[str, Document | None] = {}
        self._seen: Seen | None = None

    def replace(self, document: Document) -> None:
        self._changes[document.id] = document

    def delete(self, article_id: str) -> None:
        self._changes[article_id] = None

    def commit(self, blobs: Mapping[str, bytes], *, is_last: bool = False) -> None:  # noqa: ARG002 - always arranged
        seen = self._seen = self._store.claim(self._base, self._token, self._lease_s)
        try:
            self._sweep(seen.state)
            state = self._written(seen.state, blobs)
            self._seen = self._store.put(state, self._seen)
        except BaseException:
            self._give_up()
            raise
        self._base = state.generation
        self._changes.clear()
        self._committed(state)

    def _give_up(self) -> None:
        """Let the next writer go on at once, if the cluster can be reached."""
        if self._seen is not None:
            with suppress(HtxError):
                self._store.put(replace(self._seen.state, until=0.0), self._seen)

    def _renew(self) -> None:
        """Renew the claim after half of its time. Raises IndexBusy if it is lost."""
        if self._seen is not None and self._seen.state.until - self._store.clock() < self._lease_s / 2:
            state = replace(self._seen.state, until=self._store.clock() + self._lease_s)
            self._seen = self._store.put(state, self._seen)

    def _send(self, index: str, actions: Iterable[tuple[str, Json | None]]) -> None:
        """Index documents by their ids; those without content are deleted."""
        operations = (
            ({"index" if body is not None else "delete": {"_index": index, "_id": name}}, body) for name, body in actions
        )
        for _ in self._cluster.bulk(operations):
            self._renew()

    # What earlier commits left

    def _sweep(self, state: CommitState) -> None:
        """Delete what the last commit replaced, and what was written for abandoned ones."""
        self._send(self._indices.articles, ((name, None) for name in state.dead))
        self._send(self._indices.words, ((name, None) for name in state.dead_words))
        self._send(self._indices.state, ((name, None) for name in state.dead_blobs))
        if state.abandoned:
            rest = {"terms": {"born": list(state.abandoned)}}
            mine = {"bool": {"filter": [rest, {"term": {"data": self._indices.data}}]}}
            self._cluster.refresh(self._indices.articles, self._indices.words, self._indices.state)
            for index, query in ((self._indices.articles, rest), (self._indices.words, rest), (self._indices.state, mine)):
                while found := self._cluster.search(index, {"query": query, "size": _CHUNK, "_source": False})["hits"]["hits"]:
                    self._send(index, ((hit["_id"], None) for hit in found))
                    self._cluster.refresh(index)

    # What this one brings

    def _written(self, state: CommitState, blobs: Mapping[str, bytes]) -> CommitState:
        """Write everything under the number claimed; return the state to commit."""
        commit, indices = state.claimed, self._indices
        former = list(self._former(state))
        new = {version_of(one.id, commit): one for one in self._changes.values() if one is not None}
        self._send(indices.articles, ((version, article_body(one, version, commit)) for version, one in new.items()))
        words = {word_of(spelling): spelling for one in new.values() for spelling in one.spellings}
        missing = words.keys() - self._known(state, words)
        self._send(indices.words, ((version_of(word, commit), _word_body(word, commit)) for word in sorted(missing)))
        places, gone_blobs = written_blobs(
            BlobReader(self._cluster, indices.state, indices.data),
            indices.data,
            commit,
            state.blobs,
            blobs,
            partial(self._send, indices.state),
        )
        self._cluster.refresh(indices.articles, indices.words)
        dead = tuple(hit["_id"] for hit in former)
        gone = {word for hit in former for word in hit["fields"].get("spelling", ())} - words.keys()
        dead_words = self._vanished(replace(state, dead=(*state.dead, *dead)), gone) if gone else ()
        lengths = dict(state.lengths)
        for sign, of_articles in ((-1, map(_lengths_in, former)), (1, map(lengths_of, new.values()))):
            for one in of_articles:
                for name, length in {**one, "articles": 1}.items():
                    lengths[name] = lengths.get(name, 0) + sign * length
        assert self._seen is not None
        return replace(
            self._seen.state,
            generation=commit,
            token=self._token,
            dead=dead,
            dead_words=dead_words,
            dead_blobs=tuple(gone_blobs),
            lengths=lengths,
            blobs=places,
        )

    def _former(self, state: CommitState) -> Iterator[Json]:
        """Yield the visible versions of the articles that change."""
        fields = [*(f"length_{name}" for name in ("syllable", "word", "title", "title_word", "passages")), "spelling"]
        for ids in in_chunks(self._changes, 1_000):
            query = {"bool": {"filter": [visible(state), {"terms": {"article": ids}}]}}
            body = {"query": query, "size": 10_000, "_source": False, "docvalue_fields": fields}
            yield from self._cluster.search(self._indices.articles, body)["hits"]["hits"]

    def _known(self, state: CommitState, words: Iterable[str]) -> set[str]:
        """Return those of some words that the vocabulary has."""
        known: set[str] = set()
        if not state.generation:
            return known
        for some in in_chunks(words):
            query = {"bool": {"filter": [visible(state, words=True), {"terms": {"word": some}}]}}
            body = {"query": query, "size": 10_000, "_source": False, "docvalue_fields": ["word"]}
            hits = self._cluster.search(self._indices.words, body)["hits"]["hits"]
            known.update(hit["fields"]["word"][0] for hit in hits)
            self._renew()
        return known

    def _vanished(self, state: CommitState, words: Iterable[str]) -> tuple[str, ...]:
        """Return the versions of those of some words that no article has any more."""
        versions: list[str] = []
        for some in in_chunks(sorted(words)):
            query = {"bool": {"filter": [visible(state, commit=state.claimed), {"terms": {"spelling": some}}]}}
            counted = {"words": {"terms": {"field": "spelling", "include": some, "size": len(some)}}}
            found = self._cluster.search(self._indices.articles, {"query": query, "size": 0, "aggs": counted})
            alive = {bucket["key"] for bucket in found["aggregations"]["words"]["buckets"]}
            query = {"bool": {"filter": [visible(state, words=True), {"terms": {"word": sorted(set(some) - alive)}}]}}
            body = {"query": query, "size": 10_000, "_source": False}
            versions += [hit["_id"] for hit in self._cluster.search(self._indices.words, body)["hits"]["hits"]]
            self._renew()
        return tuple(versions)


def _word_body(word: str, commit: int) -> dict[str, Any]:
    key, _, term = word.partition("\0")
    return {"born": commit, "word": word, "key": key, "term": term}


def _lengths_in(hit: Json) -> dict[str, int]:
    """Return the lengths of an article that was found."""
    names: Sequence[str] = ("syllable", "word", "title", "title_word", "passages")
    return {name: int(hit["fields"][f"length_{name}"][0]) for name in names}
