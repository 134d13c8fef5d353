"""A cluster in a dictionary: as much of OpenSearch as commits need, without Java.

Documents with sequence numbers, compare-and-set, bulk, refresh, and searches of the filters that a commit uses. A search sees
only what was refreshed. `before` lets a test step in, or fail, before a request.
"""

import copy
import json
import re
from collections.abc import Callable
from typing import Any

from opensearchpy import exceptions

from htxsearch.engine.opensearch.address import parse_address
from htxsearch.engine.opensearch.cluster import Cluster

__all__ = ["FakeCluster"]

Json = dict[str, Any]


class FakeCluster:
    """Answers requests as a transport of opensearch-py does."""

    def __init__(self) -> None:
        self.indices: dict[str, dict[str, Json]] = {}
        self.refreshed: dict[str, dict[str, Json]] = {}
        self.before: Callable[[str, str, Any], None] = lambda _method, _path, _body: None
        self._sequence = 0

    def connected(self, name: str = "bài") -> Cluster:
        """Return a cluster that sends its requests here, and waits for nothing."""
        del name
        return Cluster(self, parse_address("http://localhost:9200/bai"), pause=lambda _seconds: None)

    def perform_request(self, method: str, url: str, *, params: Any = None, body: Any = None, headers: Any = None) -> Any:
        del headers
        self.before(method, url, body)
        parts = url.strip("/").split("/")
        if url == "/_bulk":
            return self._bulk(body)
        if url == "/":
            return {"version": {"distribution": "opensearch", "number": "2.19.6"}}
        if parts[-1] == "_refresh":
            for name in parts[0].split(","):
                self.refreshed[name] = copy.deepcopy(self.indices[name])
            return {"_shards": {"failed": 0}}
        if parts[-1] == "_search":
            return self._search(parts[0], body)
        if parts[-1] == "_mget":
            return {"docs": [self._get(parts[0], name) for name in body["ids"]]}
        if len(parts) == 3 and parts[1] == "_doc":
            return self._document(method, parts[0], parts[2], body, params or {})
        if method == "PUT" and len(parts) == 1:
            if parts[0] in self.indices:
                raise exceptions.RequestError(400, "exists", {"error": {"type": "resource_already_exists_exception"}})
            self.indices[parts[0]], self.refreshed[parts[0]] = {}, {}
            return {}
        if method == "DELETE" and len(parts) == 1:
            for name in parts[0].split(","):
                self.indices.pop(name, None)
            return {}
        if "_settings" in parts:
            return {name: {} for name in self.indices if re.fullmatch(parts[0].replace("*", ".*"), name)}
        raise AssertionError((method, url))

    def _get(self, index: str, name: str) -> Json:
        found = self.indices.get(index, {}).get(name)
        return {"found": False} if found is None else copy.deepcopy(found) | {"found": True, "_id": name}

    def _document(self, method: str, index: str, name: str, body: Json, parameters: Json) -> Json:
        if index not in self.indices:
            raise exceptions.NotFoundError(404, "index_not_found_exception", {})
        before = self.indices[index].get(name)
        if method == "GET":
            if before is None:
                raise exceptions.NotFoundError(404, "not found", {})
            return self._get(index, name)
        if method == "DELETE":
            self.indices[index].pop(name, None)
            return {}
        if (parameters.get("op_type") == "create" and before) or (
            "if_seq_no" in parameters and (before is None or before["_seq_no"] != parameters["if_seq_no"])
        ):
            raise exceptions.ConflictError(409, "version_conflict_engine_exception", {})
        return self._put(index, name, body)

    def _put(self, index: str, name: str, body: Json) -> Json:
        self._sequence += 1
        self.indices[index][name] = {"_source": json.loads(json.dumps(body)), "_seq_no": self._sequence, "_primary_term": 1}
        return {"_seq_no": self._sequence, "_primary_term": 1}

    def _bulk(self, body: str) -> Json:
        items: list[Json] = []
        lines = iter(body.splitlines())
        for line in lines:
            [(action, target)] = json.loads(line).items()
            if action == "delete":
                self.indices[target["_index"]].pop(target["_id"], None)
            else:
                self._put(target["_index"], target["_id"], json.loads(next(lines)))
            items.append({action: {"status": 200}})
        return {"errors": False, "items": items}

    def _search(self, index: str, body: Json) -> Json:
        hits = []
        for name, document in sorted(self.refreshed[index].items()):
            source = document["_source"]
            if _matches(body.get("query", {"match_all": {}}), {**source, "_id": name}):
                fields = {key: value if isinstance(value, list) else [value] for key, value in source.items()}
                hits.append({"_id": name, "_source": source, "fields": fields, "sort": [source.get("article", name)]})
        alive = {value for hit in hits for value in hit["_source"].get("spelling", ())}
        buckets = [{"key": value, "doc_count": 1} for value in sorted(alive)]
        found = {"total": {"value": len(hits)}, "hits": hits[: body.get("size", 10)]}
        return {"hits": found, "_shards": {"failed": 0}, "aggregations": {"words": {"buckets": buckets}}}


def _matches(query: Json, document: Json) -> bool:
    [(kind, asked)] = query.items()
    if kind == "match_all":
        return True
    if kind == "bool":
        should = asked.get("should", ())
        return (
            all(_matches(one, document) for one in asked.get("filter", ()))
            and not any(_matches(one, document) for one in asked.get("must_not", ()))
            and (not should or any(_matches(one, document) for one in should))
        )
    [(field, wanted)] = asked.items()
    values = document.get(field)
    values = values if isinstance(values, list) else [values]
    if kind == "range":
        return any(value is not None and value <= wanted["lte"] for value in values)
    return any(value in (wanted if kind == "terms" else [wanted]) for value in values)
