"""A thread that owns an Index and answers one question after the other.

An Index is not made for several threads at once, and several would not answer sooner: most of a query is Python, of
which one thread runs at a time. What waits is counted and timed, so that a server under too much load says so at once.
"""

import asyncio
import ctypes
import sys
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from htxsearch.index import Index

__all__ = ["IndexThread", "IndexThreadBusy"]

_Found = TypeVar("_Found")

_M_MMAP_THRESHOLD = -3  # of malloc.h
_LARGE = 4 << 20
"""Bytes from which memory is given back at once: more than a query's arrays have at 500,000 passages."""
_KEPT = 100
"""Answers kept, to be given again while the index is the same: back, the next page and back, what others asked, too."""


class IndexThreadBusy(Exception):
    """The server has more to do than it can; the question may be asked again a little later."""


class IndexThread:
    """One Index, asked from an event loop, answering in its own thread."""

    def __init__(self, name: str, index: Index, *, seconds: float, waiting: int, gives_back: bool = False) -> None:
        """With `gives_back`, memory that an answer needed is given back to the system after it."""
        if gives_back:
            _have_large_memory_given_back()
        self._index = index
        self._gives_back = gives_back
        self._seconds = seconds
        self._most = waiting
        self._waiting = 0
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def ask(self, question: Callable[[Index], _Found], *, seconds: float | None = None) -> _Found:
        """Return what the question returns, in its turn.

        Raises what the question raises, and Busy if too many wait or the answer takes more than `seconds`, by default
        the lane's. A question that has not begun then is dropped; one that has goes on, and its answer is lost.
        """
        if self._waiting >= self._most:
            raise IndexThreadBusy(f"{self._waiting} requests are waiting already; try again in a moment")
        self._waiting += 1
        loop = asyncio.get_running_loop()
        future = self._thread.submit(self._answer, question)
        future.add_done_callback(lambda _: self._leave(loop))
        limit = self._seconds if seconds is None else seconds
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), limit)
        except TimeoutError:
            raise IndexThreadBusy(f"no answer within {limit:g} s; try again in a moment, or ask for less") from None

    def _answer(self, question: Callable[[Index], _Found]) -> _Found:
        try:
            return question(self._index)
        finally:
            if self._gives_back:
                _give_memory_back()

    def kept(self, name: str, make: Callable[[], _Found]) -> _Found:
        """Return what was made under a name before, or make it and keep it; only for questions, which come one by one."""
        if name in self._kept:
            self._kept.move_to_end(name)
        else:
            self._kept[name] = make()
        found: _Found = self._kept[name]
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found

    def _leave(self, loop: asyncio.AbstractEventLoop) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._count_out)

    def _count_out(self) -> None:
        self._waiting -= 1

    def close(self) -> None:
        """Let what has begun finish, drop what waits, and let go of the index's files."""
        self._thread.submit(self._index.close)
        self._thread.shutdown(wait=True)


def _have_large_memory_given_back() -> None:
    """Have glibc give back what is large as soon as it is free, and not learn from it that large is usual.

    While related articles are made ready for a new commit, arrays of some 20 MB come and go.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE)


def _give_memory_back() -> None:
    """Have glibc give back what is free."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)
