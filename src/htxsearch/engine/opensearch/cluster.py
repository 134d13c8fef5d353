"""Requests to a cluster: to any of its hosts, with patience, and with our errors.

The one owner of opensearch-py, of which only the transport is used: requests are JSON that the other modules make. A node that
is away is passed over. A cluster that is too busy (429) or about to elect a manager (503) is asked again after growing pauses,
for some seconds. A request may thus arrive twice; all that are sent may.
"""

import json
import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, Protocol

from htxsearch.engine.opensearch.address import CERTIFICATES, Address, Secrets
from htxsearch.errors import ExtraMissing, IndexFailure, IndexNotReadable, IndexNotWritable, IndexOutdated

__all__ = ["Cluster", "Conflict", "Json", "Transport", "connect"]

Json = dict[str, Any]

_TIMEOUT_S = 60.0
_PATIENCE_S = 20.0
"""How long a request is tried again: an election of a manager takes some seconds after its node is gone."""
_MOST_UNANSWERED = 6
"""How often all hosts may fail to answer, in some three seconds: then nobody is there."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 3.0
_PASSING = {429, 502, 503, 504}
"""Answers of a cluster that is too busy, or about to elect a manager or move a shard."""
_LEAST_VERSION = (2, 4)
_NO_QUORUM = ("cluster_manager_not_discovered", "master_not_discovered", "no cluster-manager", "no master")


class Conflict(Exception):
    """Another writer has changed a document first."""


class Transport(Protocol):
    """Sends one request; that of opensearch-py, or one of a test."""

    def perform_request(
        self, method: str, url: str, *, params: Mapping[str, Any] | None = None, body: Any = None, headers: Any = None
    ) -> Any:
        """Return the JSON of the answer. Raises opensearchpy's errors."""


class Cluster:
    """A cluster that is asked."""

    def __init__(
        self,
        transport: Transport,
        address: Address,
        *,
        patience_s: float | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = address
        self.requests = 0
        """Requests sent so far."""
        self._transport = transport
        self._patience_s = _PATIENCE_S if patience_s is None else patience_s
        self._pause = pause

    def request(self, method: str, path: str, body: Any = None, **parameters: Any) -> Json:
        """Return the answer to a request; {} if what it is about is not there.

        Raises Conflict, IndexNotReadable, IndexNotWritable.
        """
        from opensearchpy import exceptions

        headers = {"content-type": "application/x-ndjson"} if isinstance(body, str) else None
        unanswered = 0
        for pause_s in (*self._pauses(), None):
            self.requests += 1
            try:
                found = self._transport.perform_request(method, path, params=parameters, body=body, headers=headers)
            except exceptions.NotFoundError:
                return {}
            except exceptions.ConflictError as error:
                raise Conflict from error
            except exceptions.TransportError as error:
                is_unanswered = isinstance(error, exceptions.ConnectionError)
                unanswered += is_unanswered
                is_passing = unanswered < _MOST_UNANSWERED if is_unanswered else error.status_code in _PASSING
                if pause_s is None or not is_passing or isinstance(error, exceptions.SSLError):
                    self._fail(error)
                self._pause(pause_s)
            else:
                return found if isinstance(found, dict) else {}
        raise AssertionError  # the last try returned or raised

    def _fail(self, error: Any) -> NoReturn:
        """Raise our error for one of opensearch-py."""
        from opensearchpy import exceptions

        address, reason = str(self.address), _reason(error)
        if isinstance(error, exceptions.SSLError):
            raise IndexNotReadable("engine.certificate", address=address, reason=reason, variable=CERTIFICATES) from error
        if isinstance(error, exceptions.ConnectionError):
            raise IndexNotReadable("engine.unreachable", address=address, reason=reason) from error
        if error.status_code in (401, 403):
            raise IndexNotReadable("engine.refused", address=address, reason=reason) from error
        if error.status_code == 429:
            raise IndexNotReadable("engine.too-busy", address=address, reason=reason) from error
        if any(sign in reason for sign in _NO_QUORUM):
            raise IndexNotReadable("engine.no-quorum", address=address) from error
        if error.status_code in _PASSING:
            raise IndexNotReadable("engine.unavailable", address=address, reason=reason) from error
        raise IndexFailure("engine.failed", address=address, reason=reason) from error

    def search(self, index: str, body: Json, **parameters: Any) -> Json:
        """Return the answer to a search, that of all shards or none."""
        found = self.request("POST", f"/{index}/_search", body, allow_partial_search_results="false", **parameters)
        return self._whole(found, index)

    def search_many(self, searches: Sequence[tuple[str, Json]], *, needed: int | None = None) -> list[Json]:
        """Return the answers to searches, each an index and a body, in one round trip.

        The first `needed` have to succeed, all if it is None; of others, an answer that failed is {}.
        """
        needed = len(searches) if needed is None else needed
        if len(searches) == 1:
            return [self.search(*searches[0])]
        if not searches:
            return []
        parts = (part for index, body in searches for part in ({"index": index, "allow_partial_search_results": False}, body))
        lines = "".join(f"{json.dumps(part, ensure_ascii=False)}\n" for part in parts)
        for pause_s in (*self._pauses(), None):
            answer = self.request("POST", "/_msearch", lines)
            found = answer.get("responses", [])
            if len(found) != len(searches):
                self._fail_to_understand(answer)
            if pause_s is None or not {one.get("status") for one in found[:needed]} & _PASSING:
                break
            self._pause(pause_s)
        whole = [self._whole(one, index) for one, (index, _) in zip(found[:needed], searches[:needed], strict=True)]
        return whole + [{} if self._is_cut(one) else one for one in found[needed:]]

    def _pauses(self) -> Iterator[float]:
        """Yield the seconds to wait before each further try."""
        pause_s, waited = _FIRST_PAUSE_S, 0.0
        while waited < self._patience_s:
            yield pause_s * random.uniform(0.5, 1.0)
            waited += pause_s
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _whole(self, found: Json, index: str) -> Json:
        """Return an answer. Raises IndexNotReadable if a part of it is missing."""
        if self._is_cut(found):
            reason = json.dumps(found.get("error") or found.get("_shards") or {}, ensure_ascii=False)[:300]
            raise IndexNotReadable("engine.unavailable", address=str(self.address), reason=reason or index)
        return found

    @staticmethod
    def _is_cut(found: Json) -> bool:
        """Return True if a part of an answer is missing."""
        return bool("hits" not in found or found.get("timed_out") or found.get("_shards", {}).get("failed"))

    def _fail_to_understand(self, found: Json) -> NoReturn:
        """Raise IndexNotReadable for an answer that is none of a cluster: a proxy's, say."""
        reason = json.dumps(found, ensure_ascii=False)[:300]
        raise IndexNotReadable("engine.unavailable", address=str(self.address), reason=reason)

    def bulk(self, actions: Iterable[tuple[Json, Json | None]], *, size: int = 4_000_000) -> Iterable[int]:
        """Send actions, each with its document, in requests of about `size` characters.

        Yields the number of actions after each request. Those that the cluster is too busy for are sent again. Raises
        IndexNotWritable if one is refused, IndexNotReadable if no cluster answers.
        """
        lines: list[str] = []
        length = 0
        for action, document in actions:
            line = json.dumps(action, ensure_ascii=False)
            line = line if document is None else f"{line}\n{json.dumps(document, ensure_ascii=False)}"
            lines.append(line)
            length += len(line)
            if length >= size:
                self._send(lines)
                yield len(lines)
                lines, length = [], 0
        if lines:
            self._send(lines)
            yield len(lines)

    def _send(self, lines: list[str]) -> None:
        for pause_s in (*self._pauses(), None):
            found = self.request("POST", "/_bulk", "\n".join(lines) + "\n")
            if len(found.get("items", ())) != len(lines):
                self._fail_to_understand(found)
            again = []
            for line, item in zip(lines, found["items"], strict=True) if found.get("errors") else ():
                [result] = item.values()
                if result["status"] == 404 or result["status"] < 300:
                    continue
                if result["status"] not in _PASSING or pause_s is None:
                    reason = json.dumps(result.get("error"), ensure_ascii=False)[:300]
                    raise IndexNotWritable("engine.not-written", address=str(self.address), reason=reason)
                again.append(line)
            lines = again
            if not lines or pause_s is None:
                return
            self._pause(pause_s)

    def refresh(self, *indices: str) -> None:
        """Make what was written visible to searches on all copies of all shards."""
        found = self.request("POST", f"/{','.join(indices)}/_refresh")
        if found.get("_shards", {}).get("failed") or "_shards" not in found:
            raise IndexNotWritable("engine.not-written", address=str(self.address), reason=json.dumps(found)[:300])

    def check_version(self) -> None:
        """Raise IndexOutdated if the server is not one that this program knows."""
        version = self.request("GET", "/").get("version", {})
        number = str(version.get("number", ""))
        parts = tuple(int(part) for part in number.split(".")[:2] if part.isdigit())
        if version.get("distribution") != "opensearch" or parts < _LEAST_VERSION:
            name = f"{version.get('distribution') or 'Elasticsearch'} {number}"
            raise IndexOutdated("engine.version", address=str(self.address), found=name.strip())


def _reason(error: Any) -> str:
    """Return what a server or the system says, in one line."""
    info = getattr(error, "info", None)
    if isinstance(info, dict):
        told = info.get("error")
        if isinstance(told, dict):
            causes = [told, *told.get("root_cause", ())]
            return "; ".join(dict.fromkeys(f"{one.get('type', '')}: {one.get('reason', '')}" for one in causes))[:400]
        return str(told)[:400]
    return str(info or error).splitlines()[0][:400] if str(info or error) else type(error).__name__


def connect(address: Address, secrets: Secrets | None = None) -> Cluster:
    """Return a cluster; nothing is sent yet.

    Raises ExtraMissing, UsageError if a secret would go over a network in the clear.
    """
    try:
        from opensearchpy import OpenSearch
    except ModuleNotFoundError as error:
        raise ExtraMissing("engine.extra-missing", package=error.name) from error
    secrets = Secrets.from_environment() if secrets is None else secrets
    secrets.check(address)
    logging.getLogger("opensearch").setLevel(logging.CRITICAL)  # it tells of every attempt that fails, and of what is not there
    options: Json = {"use_ssl": address.is_secure}
    if address.is_secure:
        options["verify_certs"] = True
        if secrets.certificates:
            options["ca_certs"] = secrets.certificates
    if secrets.api_key:
        options["headers"] = {"Authorization": f"ApiKey {secrets.api_key}"}
    elif address.user:
        options["http_auth"] = (address.user, secrets.password)
    hosts = [dict(zip(("host", "port"), host.rsplit(":", 1), strict=True)) for host in address.hosts]
    client = OpenSearch(
        [{"host": host["host"].strip("[]"), "port": int(host["port"])} for host in hosts],
        timeout=_TIMEOUT_S,
        max_retries=len(hosts) - 1,
        retry_on_timeout=False,
        retry_on_status=(),
        http_compress=not address.is_local,
        **options,
    )
    return Cluster(client.transport, address)
