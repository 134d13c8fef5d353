"""Dask workers that turn articles into documents, on this machine or on many.

Dask's scheduler divides the portions among its workers, asks again where a worker died, and waits for new workers. Reading
the files, and the batches and commits of the run, stay with the caller: so a run that is cut off goes on where it was, and its
index is that of `workers`.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from htxsearch.errors import ExtraMissing, HtxError
from htxsearch.indexing.worker_process import documents_or_errors
from htxsearch.indexing.workers import Answer
from htxsearch.ingest.article import Article
from htxsearch.text.segmenter import segmenter_version

if TYPE_CHECKING:
    from distributed import Future

__all__ = ["DaskWorkers"]

_CONNECTING_S = 15
"""Seconds to wait for the scheduler, and for the first worker."""
_TRIES = 3
"""How often a portion is given to another worker when one died over it."""


class DaskWorkers:
    """Makes documents with the workers of a Dask cluster.

    The cluster is the one at `address`, such as tcp://host:8786, or `count` workers that are started here and end with `close`.
    Every worker must have the same version of htxsearch and of the segmenter. Raises ExtraMissing, HtxError if there is no
    scheduler or no worker.
    """

    def __init__(self, address: str | None = None, *, count: int = 1) -> None:
        try:
            from distributed import Client, LocalCluster
        except ImportError as error:
            raise ExtraMissing("dask.extra-missing", package=error.name) from error
        self.address = address
        self._cluster: Any = None
        self._client: Client | None = None
        try:
            if address is None:
                self._cluster = LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=":0")
            self._client = Client(address or self._cluster, timeout=_CONNECTING_S, set_as_default=False)
            self._client.wait_for_workers(1, timeout=_CONNECTING_S)
        except TimeoutError as error:
            connected = self._client is not None
            self.close()
            raise HtxError("dask.no-workers" if connected else "dask.no-scheduler", address=str(address)) from error
        except (OSError, ValueError) as error:
            self.close()
            raise HtxError("dask.no-scheduler", address=str(address)) from error

    def make(self, articles: list[Article]) -> Answer:
        """Start making the documents of articles; return at once."""
        assert self._client is not None
        future = self._client.submit(_documents, articles, _version(), pure=False, retries=_TRIES)
        return Answer(_Result(future, articles).get)

    def close(self) -> None:
        """Let go of the cluster; workers that were started here end."""
        for one in (self._client, self._cluster):
            if one is not None:
                with suppress(TimeoutError, OSError, CancelledError):
                    one.close(timeout=_CONNECTING_S)


class _Result:
    """The answer of a worker, and the articles it is about."""

    def __init__(self, future: "Future[Any]", articles: Sequence[Article]) -> None:
        self._future, self._first = future, articles[0]

    def get(self) -> bytes:
        """Return the documents, when they are ready. Raises HtxError."""
        try:
            own, made = self._future.result()
        except Exception as error:  # whatever a worker, or the connection to it, dies of
            reason = f"{type(error).__name__}: {error}"
            raise HtxError("dask.failed", reason=reason, id=self._first.id, path=self._first.path) from error
        if made is None:
            raise HtxError("dask.other-version", own=_version(), other=own)
        packed: bytes = made
        return packed


def _version() -> str:
    """Return the versions that a document depends on."""
    return f"htxsearch {version('htxsearch')}, {segmenter_version()}"


def _documents(
    articles: list[Article], wanted: str, make: Callable[[list[Article]], bytes] = documents_or_errors
) -> tuple[str, bytes | None]:
    """Return a worker's version, and the documents if it is the wanted one."""
    own = _version()
    return own, make(articles) if own == wanted else None
