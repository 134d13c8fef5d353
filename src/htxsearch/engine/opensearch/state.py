"""The state of an index in a cluster: a document whose replacement is a commit.

    generation     the last commit; articles and words born in it or before are visible, but for those named below
    claimed        the commit that a writer is about to make, with the writer's token, and until when it counts as alive
    abandoned      commits that were claimed and never made; what was written for them is visible to nobody
    dead, dead_words   versions that the last commit replaced or deleted
    layout         the number of the mapping that the data have
    counts, lengths    articles and passages, and the terms of each field, all live
    blobs          where each blob of the commit lies

A writer claims the next commit by compare-and-set before it writes anything: what it writes carries a number that no other
writer has. The commit is the compare-and-set of the same document, which fails if another writer has claimed meanwhile. So of
two writers at most one commits, and what the other one wrote stays under a number that was abandoned. A writer that is late, or
dead, may go on writing as long as it likes: its number never becomes visible.

What a commit replaced is deleted only by the next one, since a reader may still be at the commit before.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from htxsearch.engine.opensearch.cluster import Cluster, Conflict
from htxsearch.engine.opensearch.mapping import LAYOUT
from htxsearch.errors import IndexBusy, IndexMissing, IndexOutdated

__all__ = ["BlobPlace", "CommitState", "Seen", "StateStore", "visible"]

_KEPT_ABANDONED = 200
_POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class BlobPlace:
    """Where a blob lies: the commit that wrote it, its parts, its size, a hash."""

    commit: int
    parts: int
    size: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitState:
    """The state document; the module says what its values mean."""

    generation: int = 0
    claimed: int = 0
    token: str = ""
    until: float = 0.0
    abandoned: tuple[int, ...] = ()
    dead: tuple[str, ...] = ()
    dead_words: tuple[str, ...] = ()
    dead_blobs: tuple[str, ...] = ()
    lengths: Mapping[str, int] = field(default_factory=dict)
    layout: int = 1
    blobs: Mapping[str, BlobPlace] = field(default_factory=dict)

    @property
    def is_claimed(self) -> bool:
        """True if a writer has claimed a commit and has not made it."""
        return self.claimed > self.generation

    def to_json(self) -> dict[str, Any]:
        """Return the document."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "CommitState":
        """Return the state of a document."""
        values = dict(stored)
        for name in ("abandoned", "dead", "dead_words", "dead_blobs"):
            values[name] = tuple(values.get(name, ()))
        values["blobs"] = {name: BlobPlace(**place) for name, place in values.get("blobs", {}).items()}
        return cls(**values)


def visible(state: CommitState, *, words: bool = False, commit: int | None = None) -> dict[str, Any]:
    """Return the filter of the documents of a state, and of `commit`."""
    born: dict[str, Any] = {"range": {"born": {"lte": state.generation}}}
    if commit is not None:
        born = {"bool": {"should": [born, {"term": {"born": commit}}]}}
    dead = state.dead_words if words else state.dead
    hidden: list[dict[str, Any]] = []
    if state.abandoned:
        hidden.append({"terms": {"born": list(state.abandoned)}})
    if dead:
        hidden.append({"terms": {"_id": list(dead)}})
    return {"bool": {"filter": [born], "must_not": hidden}}


@dataclass(frozen=True, slots=True)
class Seen:
    """A state as it was read, with the numbers by which it can be replaced."""

    state: CommitState
    sequence: int
    term: int


class StateStore:
    """Reads and replaces the state of one data."""

    def __init__(self, cluster: Cluster, index: str, data: str, *, clock: Callable[[], float] = time.time) -> None:
        self._cluster, self._index, self._data = cluster, index, data
        self._path = f"/{index}/_doc/state@{data}"
        self.clock = clock

    def create(self) -> None:
        """Store an empty state, unless there is one."""
        with contextlib.suppress(Conflict):
            self._cluster.request("PUT", self._path, self._body(CommitState(layout=LAYOUT)), op_type="create")

    def _body(self, state: CommitState) -> dict[str, Any]:
        return {"state": state.to_json(), "written": self.clock()}

    def read(self) -> Seen:
        """Return the state. Raises IndexMissing."""
        return self.read_answer(self._cluster.request("GET", self._path))

    def read_answer(self, found: Mapping[str, Any]) -> Seen:
        """Return the state of an answer. Raises IndexMissing, IndexOutdated."""
        if not found.get("found", "_source" in found):
            raise IndexMissing("engine.missing", address=str(self._cluster.address))
        state = CommitState.from_json(found["_source"]["state"])
        if state.layout != LAYOUT:
            raise IndexOutdated("index.outdated", folder=str(self._cluster.address))
        return Seen(state, found["_seq_no"], found["_primary_term"])

    def claim(self, base: int, token: str, lease_s: float, pause: Callable[[float], None] = time.sleep) -> Seen:
        """Claim the next commit on top of `base`.

        Waits for a writer that is at work, until it has committed or counts as dead. Raises IndexBusy if another commit than
        `base` is the last one.
        """
        while True:
            seen = self.read()
            state = seen.state
            self._check(state, base)
            if state.is_claimed and state.token != token and state.until > self.clock():
                pause(min(_POLL_S, max(state.until - self.clock(), 0.01)))
                continue
            abandoned = (*state.abandoned, state.claimed) if state.is_claimed else state.abandoned
            claimed = replace(
                state,
                claimed=max(state.generation, state.claimed) + 1,
                token=token,
                until=self.clock() + lease_s,
                abandoned=abandoned[-_KEPT_ABANDONED:],
            )
            try:
                return self.put(claimed, seen)
            except IndexBusy:
                continue  # another one was faster: look again

    def _check(self, state: CommitState, base: int) -> None:
        if state.generation != base:
            raise IndexBusy("index.busy-engine", folder=str(self._cluster.address))

    def put(self, state: CommitState, seen: Seen) -> Seen:
        """Replace the state that was seen. Raises IndexBusy if it is no longer that."""
        try:
            found = self._cluster.request(
                "PUT", self._path, self._body(state), if_seq_no=seen.sequence, if_primary_term=seen.term
            )
        except Conflict as error:
            now = self.read()  # the answer to a first try may have been lost on its way
            if now.state == state:
                return now
            raise IndexBusy("index.busy-engine", folder=str(self._cluster.address)) from error
        return Seen(state, found["_seq_no"], found["_primary_term"])
