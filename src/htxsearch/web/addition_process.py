"""Taking articles in while questions are answered: a process of its own for each addition, one at a time.

It does what `htxsearch add` does. Analysing is Python that would hold up every query if it ran in the server's process,
and leaves some 200 MB of models behind, which go with the process.
"""

import asyncio
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from htxsearch.errors import HtxError
from htxsearch.web.index_thread import IndexThreadBusy

if TYPE_CHECKING:
    from htxsearch.indexing.catalogue import Additions
    from htxsearch.ingest.fetch import Fetcher

__all__ = ["FETCHED", "AdditionProcesses", "AdditionRequest", "add", "serve"]

FETCHED = 20
"""Pages got of a feed or sitemap if nobody says how many: somebody waits, and a second lies between two."""

_COMMAND = "from htxsearch.web.addition_process import serve; serve()"
_MOST_SENDING = 4
"""Who may send at once: what they send lies on the disk until it is taken in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdditionRequest:
    """What to add: addresses, files that were sent (name, where they lie), a text; and what is said of all of it."""

    addresses: tuple[str, ...] = ()
    sent: tuple[tuple[str, Path], ...] = ()
    text: bytes | None = None
    told: dict[str, str] = field(default_factory=dict)
    limit: int = FETCHED


def add(index_folder: str, corpus: str, wanted: AdditionRequest, fetcher: "Fetcher | None" = None) -> "Additions":
    """Add in this process. Raises IndexBusy before anything is touched if the index is being written, else as `Index.add`."""
    from htxsearch.index import Index
    from htxsearch.indexing.manifest import writer_lock

    with Index(index_folder, corpus=corpus) as index:
        with writer_lock(index.path):
            pass
        return index.add(
            *wanted.addresses,
            told=wanted.told,
            text=wanted.text,
            sent=wanted.sent,
            from_others=True,
            limit=wanted.limit,
            fetcher=fetcher,
        )


class AdditionProcesses:
    """Starts the processes that add, for one index and corpus; an addition takes `seconds` at most."""

    def __init__(self, index: str, corpus: str, *, seconds: float) -> None:
        self._index = index
        self._corpus = corpus
        self._seconds = seconds
        self.is_adding = False
        self._sending = 0

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """Hold a place of those who send something to add. Raises Busy if an addition is under way, or too many send."""
        self._check_free()
        if self._sending >= _MOST_SENDING:
            raise IndexThreadBusy("others are sending articles already; try again in a moment")
        self._sending += 1
        try:
            yield
        finally:
            self._sending -= 1

    def _check_free(self) -> None:
        if self.is_adding:
            raise IndexThreadBusy("another addition is under way; try again in a moment")

    async def add(self, wanted: AdditionRequest) -> "Additions":
        """Return what adding did. Raises Busy if another addition is under way or time is over, and as `Index.add` does."""
        self._check_free()
        self.is_adding = True
        try:
            answer = await self._run(pickle.dumps((self._index, self._corpus, wanted)))
        finally:
            self.is_adding = False
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _run(self, sent: bytes) -> "Additions | Exception":
        """Return what a process made of a pickle; the process is ended with whoever waits for it."""
        from htxsearch.indexing.workers import start_python  # what indexes is not for a server that only answers

        process = start_python(_COMMAND)
        try:
            answer = await asyncio.to_thread(_answer_of, process, sent, self._seconds)
        except subprocess.TimeoutExpired:
            what = "what was got is in the corpus, and the next reindex takes it in"
            raise IndexThreadBusy(f"the addition was stopped after {self._seconds:g} s; {what}") from None
        finally:
            process.kill()
        if not answer:
            raise HtxError(
                f"the process that adds ended with code {process.returncode}, perhaps because memory ran out; "
                "what was got is in the corpus, take it in with: htxsearch reindex"
            )
        found: Additions | Exception = pickle.loads(answer)
        return found


def _answer_of(process: "subprocess.Popen[bytes]", sent: bytes, seconds: float) -> bytes:
    """Return what a process answers. Raises TimeoutExpired when it has been ended because its time was over."""
    try:
        return process.communicate(sent, seconds)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise


# The process's side


def serve() -> None:
    """Be a process that adds: what is wanted comes as a pickle from standard input, what was done goes to standard output."""
    from htxsearch.indexing.workers import lower_priority

    lower_priority()  # who asks goes before who adds
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not print among the answers
    asked: Sequence[object] = pickle.load(sys.stdin.buffer)
    answers.write(pickle.dumps(_additions_or_error(*asked)))  # type: ignore[arg-type]
    answers.close()


def _additions_or_error(index_folder: str, corpus: str, wanted: AdditionRequest) -> "Additions | HtxError":
    """Return what adding did, or what it raised on purpose; anything else ends the process, and its trace is in the log."""
    try:
        return add(index_folder, corpus, wanted)
    except HtxError as error:
        return error
