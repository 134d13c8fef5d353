"""A thread that owns an Index and answers questions in turn.

An Index is not thread-safe, and several threads would not answer sooner: most of a query is Python, which one thread runs at
a time. Waiting requests are counted and timed, so that an overloaded server says so at once.
"""

import asyncio
import ctypes
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeVar

from htxsearch.errors import HtxError
from htxsearch.index import Index

__all__ = ["IndexThread", "IndexThreadBusy", "IndexThreads", "ThreadName"]

ThreadName = Literal["search", "answers", "related"]
_Answer = TypeVar("_Answer")

_M_MMAP_THRESHOLD = -3
"""The option of glibc's mallopt, as in malloc.h."""
_LARGE_BYTES = 4 << 20
"""Blocks from this size on go back to the system when freed: more than a query's arrays take at 500,000 passages."""


class IndexThreadBusy(HtxError):
    """The server has more to do than it can; asking again a little later may succeed."""


class IndexThread:
    """One Index, asked from an event loop, answering in its own thread."""

    def __init__(self, name: str, index: Index, *, timeout_s: float, max_waiting: int, trims_memory: bool = False) -> None:
        """Own an index; the thread starts with the first question.

        With `trims_memory`, memory that an answer freed goes back to the system after it.
        """
        if trims_memory:
            _fix_mmap_threshold()
        self._index = index
        self._trims_memory = trims_memory
        self._timeout_s = timeout_s
        self._max_waiting = max_waiting
        self._waiting = 0
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)

    @property
    def waiting(self) -> int:
        """The number of questions that wait, the one being answered included."""
        return self._waiting

    @property
    def max_waiting(self) -> int:
        """The number of questions that may wait."""
        return self._max_waiting

    async def ask(self, question: Callable[[Index], _Answer], *, timeout_s: float | None = None) -> _Answer:
        """Return the result of `question(index)`, called in the thread in its turn.

        Raises what the question raises, and IndexThreadBusy if too many wait or the result takes longer than `timeout_s`
        (by default the thread's). At a timeout a question that has not begun is dropped; one that has begun is finished, and
        its result is lost.
        """
        if self._waiting >= self._max_waiting:
            raise IndexThreadBusy("serve.too-many-waiting", count=self._waiting)
        self._waiting += 1
        loop = asyncio.get_running_loop()
        future = self._executor.submit(self._answer, question)
        future.add_done_callback(lambda _: self._leave_queue(loop))
        limit = self._timeout_s if timeout_s is None else timeout_s
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), limit)
        except TimeoutError:
            raise IndexThreadBusy("serve.timeout", seconds=limit) from None

    def _answer(self, question: Callable[[Index], _Answer]) -> _Answer:
        try:
            return question(self._index)
        finally:
            if self._trims_memory:
                _trim_memory()

    def _leave_queue(self, loop: asyncio.AbstractEventLoop) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._count_down)

    def _count_down(self) -> None:
        self._waiting -= 1

    def close(self) -> None:
        """Finish the question under way, drop those that wait, and close the index."""
        self._executor.submit(self._index.close)
        self._executor.shutdown(wait=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexThreads:
    """The threads of a server, each with a queue of its own.

    `search` answers what is quick; `answers` what the reader is asked, which takes as long as twenty searches and runs beside
    them for the most part; `related` what may read all articles' vectors, and long lists.
    """

    search: IndexThread
    answers: IndexThread
    related: IndexThread

    def by_name(self) -> dict[ThreadName, IndexThread]:
        """Return the threads by their names."""
        return {"search": self.search, "answers": self.answers, "related": self.related}

    def fullest(self) -> IndexThread:
        """Return the thread of which most of the places are taken."""
        return max(self.by_name().values(), key=lambda thread: thread.waiting / thread.max_waiting)

    def close(self) -> None:
        """Close all of them."""
        for thread in self.by_name().values():
            thread.close()


def _fix_mmap_threshold() -> None:
    """Fix glibc's mmap threshold so that freed large blocks return to the system.

    Else glibc raises it with the first large block freed. Preparing related articles for a commit allocates and frees
    arrays of some 20 MB.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def _trim_memory() -> None:
    """Return free memory of glibc's heap to the system."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)
