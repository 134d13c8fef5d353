"""Addition processes: one for each addition, one addition at a time.

The process does what `htxsearch add` does. Analysing articles is Python that would delay every query if it ran in the server's
process, and it loads some 200 MB of models, which are freed with the process.
"""

import asyncio
import pickle
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from htxsearch.errors import HtxError
from htxsearch.ingest.python_process import answer_of, given_by_parent, start_python
from htxsearch.web.index_thread import IndexThreadBusy

if TYPE_CHECKING:
    from htxsearch.indexing.catalogue import Additions
    from htxsearch.ingest.fetch import Fetcher

__all__ = ["DEFAULT_PAGES", "AdditionProcesses", "AdditionRequest", "add", "serve"]

DEFAULT_PAGES = 20
"""Pages fetched of a feed or sitemap by default: the client waits, and two fetches are a second apart."""

_COMMAND = "from htxsearch.web.addition_process import serve; serve()"
_MAX_UPLOADS = 4
"""Uploads received at once: each lies on the disk until it is added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdditionRequest:
    """Addresses, uploaded files (name, path) and text to add, with their metadata."""

    addresses: tuple[str, ...] = ()
    files: tuple[tuple[str, Path], ...] = ()
    text: bytes | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    limit: int = DEFAULT_PAGES


def add(index_folder: str, corpus: str, request: AdditionRequest, fetcher: "Fetcher | None" = None) -> "Additions":
    """Add in this process.

    Raises IndexBusy before anything is written if the index is being written, else as `Index.add` does.
    """
    from htxsearch.index import Index
    from htxsearch.indexing.manifest import writer_lock

    with Index(index_folder, corpus=corpus) as index:
        with writer_lock(index.path):
            pass
        return index.add(
            *request.addresses,
            metadata=request.metadata,
            text=request.text,
            sent=request.files,
            from_others=True,
            limit=request.limit,
            fetcher=fetcher,
        )


class AdditionProcesses:
    """Starts the processes that add to an index and corpus.

    An addition may take `timeout_s`.
    """

    def __init__(self, index: str, corpus: str, *, timeout_s: float) -> None:
        self._index = index
        self._corpus = corpus
        self._timeout_s = timeout_s
        self.is_adding = False
        self._uploads = 0

    @contextmanager
    def upload_slot(self, *, while_adding: bool = False) -> Iterator[None]:
        """Reserve one of the four concurrent uploads.

        Raises IndexThreadBusy if none is free or, unless `while_adding`, an addition is under way.
        """
        if not while_adding:
            self._check_free()
        if self._uploads >= _MAX_UPLOADS:
            raise IndexThreadBusy("serve.too-many-uploads")
        self._uploads += 1
        try:
            yield
        finally:
            self._uploads -= 1

    def _check_free(self) -> None:
        if self.is_adding:
            raise IndexThreadBusy("serve.addition-under-way")

    async def add(self, request: AdditionRequest) -> "Additions":
        """Return the outcome of an addition.

        Raises IndexThreadBusy if another addition is under way or this one takes too long, else as `Index.add` does.
        """
        self._check_free()
        self.is_adding = True
        try:
            outcome = await self._run(request)
        finally:
            self.is_adding = False
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _run(self, request: AdditionRequest) -> "Additions | Exception":
        """Return the outcome of an addition.

        If the caller is cancelled, its process is killed.
        """
        process = start_python(_COMMAND)
        try:
            answer = await asyncio.to_thread(answer_of, process, (self._index, self._corpus, request), self._timeout_s)
        except subprocess.TimeoutExpired:
            raise IndexThreadBusy("serve.addition-timeout", seconds=self._timeout_s) from None
        finally:
            process.kill()
        if not answer:
            raise HtxError("serve.addition-died", exit_code=process.returncode)
        outcome: Additions | Exception = pickle.loads(answer)
        return outcome


# In the process


def serve() -> None:
    """Do what the parent gives, write the pickled outcome to stdout."""
    from htxsearch.indexing.worker_process import BACKGROUND_PRIORITY, become_worker

    with become_worker(BACKGROUND_PRIORITY) as answers:
        answers.write(pickle.dumps(_additions_or_error(*given_by_parent())))


def _additions_or_error(index_folder: str, corpus: str, request: AdditionRequest) -> "Additions | HtxError":
    """Return the outcome of an addition, or the HtxError it raised.

    Any other error ends the process and is logged.
    """
    try:
        return add(index_folder, corpus, request)
    except HtxError as error:
        return error
