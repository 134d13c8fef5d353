"""Metrics of a server in the text format of Prometheus, and its health.

Written by hand: the format is three kinds of lines (docs/decisions/078-snapshots-and-metrics.md). Every worker process
counts for itself and says so by the label `worker`, its process id; rates are summed over it.
"""

import os
import sys
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from htxsearch.errors import HtxError
from htxsearch.errors.messages import Message, message
from htxsearch.index import Index
from htxsearch.indexing.manifest import is_being_written
from htxsearch.indexing.progress import read_last_run
from htxsearch.web.index_thread import IndexThread, IndexThreadBusy, IndexThreads

__all__ = ["BUCKETS", "MEDIA_TYPE", "IndexState", "Metrics", "MetricsMiddleware", "health_reasons", "metrics_text"]

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the latency histogram in seconds: those that Prometheus has by default."""
_METHODS = ("GET", "HEAD", "POST", "OPTIONS")
_UNROUTED = "other"
"""The route of an address that the server does not have: the addresses of others are endless."""
_PATIENCE_S = 2.0
"""How long the numbers of an index are waited for; then the last ones known are shown."""
_CROWDED = 0.5
"""The share of its places from which on a queue is reported."""

_App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


class IndexState(NamedTuple):
    """The numbers of an index at its last commit."""

    generation: int
    articles: int
    passages: int
    complete: bool


@dataclass(slots=True)
class _Latency:
    """The histogram of a route: requests by bucket, and their seconds."""

    counts: list[int]
    seconds: float = 0.0


class Metrics:
    """The counts of a process since its start. Used by the event loop only."""

    def __init__(self) -> None:
        self.started = time.time()
        self.under_way = 0
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.latencies: dict[str, _Latency] = {}
        self.state: IndexState | None = None

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self.requests[route, method if method in _METHODS else _UNROUTED, status] += 1
        latency = self.latencies.setdefault(route, _Latency([0] * (len(BUCKETS) + 1)))
        latency.counts[bisect_left(BUCKETS, seconds)] += 1
        latency.seconds += seconds


class MetricsMiddleware:
    """ASGI middleware around everything else, so that refusals count, too."""

    def __init__(self, app: _App, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._routes: dict[int, str] = {}

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Pass a request on; count it when its response was sent, or failed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def send_noting_status(sent: MutableMapping[str, Any]) -> None:
            nonlocal status
            if sent["type"] == "http.response.start":
                status = sent["status"]
            await send(sent)

        started = time.perf_counter()
        self._metrics.under_way += 1
        try:
            await self._app(scope, receive, send_noting_status)
        finally:
            self._metrics.under_way -= 1
            self._metrics.observe(self._route(scope), scope["method"], status, time.perf_counter() - started)

    def _route(self, scope: MutableMapping[str, Any]) -> str:
        """Return the path of the route that a request was given to."""
        if not self._routes:
            for route in scope["app"].routes:
                self._routes[id(getattr(route, "endpoint", None) or getattr(route, "app", None))] = route.path
        return self._routes.get(id(scope.get("endpoint")), _UNROUTED)


# The index


def health_reasons(index: Index, waiting: int, most_waiting: int) -> list[Message]:
    """Return the reasons why a server that answers is not all right, none if it is."""
    reasons = []
    if not index.is_complete():
        progress = index.progress()
        if progress is not None and read_last_run(index.path) is None:
            reasons.append(message("health.indexing", done=progress.done, total=progress.total))
        elif not is_being_written(index.path):
            reasons.append(message("health.incomplete"))
    if waiting > _CROWDED * most_waiting:
        reasons.append(message("health.queue", count=waiting, most=most_waiting))
    return reasons


def _state_of(index: Index) -> IndexState:
    engine = index.searcher().snapshot.engine
    counts = engine.counts()
    return IndexState(engine.generation, counts.articles, counts.passages, index.is_complete())


async def _current_state(metrics: Metrics, thread: IndexThread) -> IndexState | None:
    """Return the state of the index, None if it cannot be read.

    While the thread is busy it is the last one known.
    """
    try:
        metrics.state = await thread.ask(_state_of, timeout_s=_PATIENCE_S)
    except IndexThreadBusy:
        pass
    except HtxError:
        metrics.state = None
    return metrics.state


# The text


async def metrics_text(metrics: Metrics, threads: IndexThreads, index: Path) -> str:
    """Return all metrics of this process in the text format, version 0.0.4."""
    state = await _current_state(metrics, threads.search)
    return "\n".join([*_of_process(metrics), *_of_requests(metrics), *_of_queue(threads), *_of_index(state, index)]) + "\n"


def _line(name: str, value: float, **labels: object) -> str:
    """Return a sample of this process."""
    written = ",".join(f'{key}="{_escaped(str(one))}"' for key, one in {**labels, "worker": os.getpid()}.items())
    return f"{name}{{{written}}} {repr(float(value)).removesuffix('.0')}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _head(name: str, kind: str, about: str) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"


def _single(name: str, kind: str, about: str, value: float) -> Iterator[str]:
    yield from _head(name, kind, about)
    yield _line(name, value)


def _of_process(metrics: Metrics) -> Iterator[str]:
    yield from _head("htxsearch_build_info", "gauge", "The version of htxsearch.")
    yield _line("htxsearch_build_info", 1, version=version("htxsearch"))
    yield from _single("process_start_time_seconds", "gauge", "When the process was started.", metrics.started)
    yield from _single("process_cpu_seconds_total", "counter", "CPU time of the process.", time.process_time())
    if memory := _resident_bytes():
        yield from _single("process_resident_memory_bytes", "gauge", "Memory of the process.", memory)


def _of_requests(metrics: Metrics) -> Iterator[str]:
    under_way = "htxsearch_requests_in_progress"
    yield from _single(under_way, "gauge", "Requests that are being answered.", metrics.under_way)
    total = "htxsearch_requests_total"
    yield from _head(total, "counter", "Requests answered, by route, method and status.")
    for (route, method, status), count in sorted(metrics.requests.items()):
        yield _line(total, count, route=route, method=method, status=status)
    seconds = "htxsearch_request_duration_seconds"
    yield from _head(seconds, "histogram", "Time from a request to the end of its response, by route.")
    for route, latency in sorted(metrics.latencies.items()):
        below = 0
        for bound, count in zip((*BUCKETS, "+Inf"), latency.counts, strict=True):
            below += count
            yield _line(f"{seconds}_bucket", below, route=route, le=bound)
        yield _line(f"{seconds}_sum", latency.seconds, route=route)
        yield _line(f"{seconds}_count", below, route=route)


def _of_queue(threads: IndexThreads) -> Iterator[str]:
    for name, about, values in (
        ("htxsearch_queue_requests", "Requests that wait for an index thread or are in it.", "waiting"),
        ("htxsearch_queue_limit", "Requests that may wait; more are answered 503.", "max_waiting"),
    ):
        yield from _head(name, "gauge", about)
        for thread, one in threads.by_name().items():
            yield _line(name, getattr(one, values), thread=thread)


def _of_index(state: IndexState | None, index: Path) -> Iterator[str]:
    yield from _single("htxsearch_index_up", "gauge", "1 if the index can be read.", state is not None)
    if state is not None:
        yield from _single("htxsearch_index_generation", "gauge", "The number of the last commit.", state.generation)
        yield from _single("htxsearch_index_articles", "gauge", "Articles in the index.", state.articles)
        yield from _single("htxsearch_index_passages", "gauge", "Passages in the index.", state.passages)
        complete = "0 while a reindex is under way, or after it was cut off."
        yield from _single("htxsearch_index_complete", "gauge", complete, state.complete)
    if run := read_last_run(index):
        finished, took = "htxsearch_last_reindex_timestamp_seconds", "htxsearch_last_reindex_duration_seconds"
        yield from _single(finished, "gauge", "When the last reindex was finished.", run.finished.timestamp())
        yield from _single(took, "gauge", "How long the last reindex took.", run.took_s)


def _resident_bytes() -> int:
    """Return the memory of this process that is in RAM, 0 where that is not known.

    Outside Linux it is the most that it ever was (macOS: getrusage in bytes).
    """
    if sys.platform == "linux":
        with suppress(OSError, ValueError, IndexError):
            return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return 0
