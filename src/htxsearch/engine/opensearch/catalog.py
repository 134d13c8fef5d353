"""The data of an index that is current in a cluster, by a manifest kept there.

A rebuild fills new data beside the old; replacing the manifest, by compare-and-set, is what makes it current. The old data is
deleted some minutes later, by a later run, since readers on other machines may be at work on it.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from htxsearch.engine.opensearch.address import chosen_shards
from htxsearch.engine.opensearch.cluster import Cluster, Conflict, Json
from htxsearch.engine.opensearch.engine import OpenSearchEngine, create_index
from htxsearch.engine.opensearch.mapping import STATE, shards_for
from htxsearch.engine.opensearch.writer import Indices
from htxsearch.errors import IndexBusy

__all__ = ["ClusterCatalog"]

_DATA = re.compile(r"data-[0-9a-z]+")
"""The names of data, as `new_data_folder` makes them."""
_READERS_S = 600.0
"""How long readers may go on with data that is no longer current."""
_CUT_OFF_S = 86_400.0
"""How long data that never became current is kept after the last commit to it: somebody may be filling it."""


class ClusterCatalog:
    """The manifest of an index in a cluster, and the data there is."""

    def __init__(self, cluster: Cluster, *, clock: Callable[[], float] = time.time) -> None:
        self.cluster = cluster
        self._index = f"{cluster.address.name}-state"
        self._path = f"/{self._index}/_doc/manifest"
        self._clock = clock
        self._opened: tuple[str, OpenSearchEngine] | None = None
        self._is_checked = False

    def manifest(self) -> Mapping[str, Any] | None:
        """Return the manifest, None if nothing was ever current; refresh what is open.

        It takes one round trip, two in the beginning.
        """
        if not self._is_checked:
            self.cluster.check_version()
            self._is_checked = True
        ids = ["manifest"] + ([f"state@{self._opened[0]}"] if self._opened else [])
        found = self.cluster.request("POST", f"/{self._index}/_mget", {"ids": ids}).get("docs", [])
        if not found or not found[0].get("found"):
            return None
        manifest: Mapping[str, Any] = found[0]["_source"]["manifest"]
        if self._opened and self._opened[0] == manifest["data"]:
            self._opened[1].take_answer(found[1])
        return manifest

    def opened(self, data: str) -> OpenSearchEngine:
        """Return the engine of some data, at the last commit when `manifest` was called."""
        if self._opened is None or self._opened[0] != data:
            self._opened = data, OpenSearchEngine(self.cluster, data)
        return self._opened[1]

    def engine(self, data: str, *, create: bool = False, passages: int = 0) -> OpenSearchEngine:
        """Return an engine of its own, with `create` for about so many passages."""
        shards = (chosen_shards() or shards_for(passages)) if create else 1
        return OpenSearchEngine(self.cluster, data, create=create, shards=shards)

    def close(self) -> None:
        """Forget what is open."""
        self._opened = None

    def publish(self, manifest: Mapping[str, Any]) -> None:
        """Make a manifest current; delete data that has long been replaced.

        Raises IndexBusy if another one became current meanwhile.
        """
        create_index(self.cluster, self._index, STATE)
        found = self.cluster.request("GET", self._path)
        before: Json = found.get("_source") or {"manifest": {"data": ""}, "former": {}}
        former = dict(before["former"])
        if before["manifest"]["data"] not in ("", manifest["data"]):
            former[before["manifest"]["data"]] = self._clock()
        former.pop(str(manifest["data"]), None)
        gone = [data for data, replaced in former.items() if self._clock() - replaced > _READERS_S]
        kept = {data: replaced for data, replaced in former.items() if data not in gone}
        unless = {"if_seq_no": found["_seq_no"], "if_primary_term": found["_primary_term"]} if found.get("_source") else {}
        try:
            body = {"manifest": dict(manifest), "former": kept}
            self.cluster.request("PUT", self._path, body, **(unless or {"op_type": "create"}))
        except Conflict as error:
            now = self.cluster.request("GET", self._path).get("_source", {})
            if now.get("manifest") != dict(manifest):  # else the answer to a first try was lost on its way
                raise IndexBusy("index.busy-engine", folder=str(self.cluster.address)) from error
        for data in (*gone, *self._cut_off({str(manifest["data"]), *kept, *gone})):
            self.delete(data)

    def _cut_off(self, named: set[str]) -> list[str]:
        """Return data that no manifest names, of runs that were cut off long ago."""
        prefix = f"{self.cluster.address.name}-data-"
        names = self.cluster.request("GET", f"/{prefix}*/_settings/index.creation_date", allow_no_indices="true")
        found = {name.removeprefix(f"{self.cluster.address.name}-").removesuffix("-words") for name in names}
        found = {data for data in found if _DATA.fullmatch(data)}  # "tin-data-cu-…" belongs to an index "tin-data-cu"
        cut_off = []
        for data in sorted(found - named):
            state = self.cluster.request("GET", f"/{self._index}/_doc/state@{data}").get("_source", {})
            if self._clock() - state.get("written", 0.0) > _CUT_OFF_S:
                cut_off.append(data)
        return cut_off

    def delete(self, data: str) -> None:
        """Delete some data, and nothing else of the index."""
        indices = Indices(self.cluster.address.name, data)
        self.cluster.request("DELETE", f"/{indices.articles},{indices.words}", ignore_unavailable="true")
        self.cluster.request("DELETE", f"/{self._index}/_doc/state@{data}")
        self.cluster.refresh(self._index)
        query = {"query": {"term": {"data": data}}, "size": 1_000, "_source": False}
        while hits := self.cluster.search(self._index, query)["hits"]["hits"]:
            list(self.cluster.bulk(({"delete": {"_index": self._index, "_id": hit["_id"]}}, None) for hit in hits))
            self.cluster.refresh(self._index)
