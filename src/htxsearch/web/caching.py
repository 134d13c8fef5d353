"""Conditional requests and the cache of answers.

An answer's ETag is made of the program's and the index's version and the address: a client that has it already gets 304 and no
question is asked; a client that has not may get the answer that another one got.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any, Generic, NamedTuple, TypeVar

from starlette.requests import Request

from htxsearch.index import Index
from htxsearch.web.index_thread import IndexThread
from htxsearch.web.security import identity_of

__all__ = ["AnswerCache", "CachedAnswer", "cached_answer"]

_Answer = TypeVar("_Answer")
_PROGRAM = version("htxsearch")
_MAX_ANSWERS = 100
"""Answers kept by a process: enough for the next page, back, and questions that several readers ask."""
_ETAG_DIGITS = 24
_VIEWER_DIGITS = 8


class AnswerCache:
    """Answers by their ETag, the most recently used ones. Thread-safe."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Any:
        """Return the answer kept under a key, None if there is none."""
        with self._lock:
            return self._answers.get(key)

    def get_or_make(self, key: str, make: Callable[[], _Answer]) -> _Answer:
        """Return the answer kept under a key, else keep and return that of `make`."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                kept: _Answer = self._answers[key]
                return kept
        answer = make()
        with self._lock:
            self._answers[key] = answer
            if len(self._answers) > _MAX_ANSWERS:
                self._answers.popitem(last=False)
        return answer


class CachedAnswer(NamedTuple, Generic[_Answer]):
    """An answer, None if the client has it already, and its ETag."""

    answer: _Answer | None
    etag: str

    @property
    def headers(self) -> dict[str, str]:
        """Headers for a client to keep the answer, and to ask whether it is valid."""
        return {"ETag": self.etag, "Cache-Control": "private, no-cache"}


async def cached_answer(
    request: Request,
    thread: IndexThread,
    question: Callable[[Index], _Answer],
    *,
    is_cached: bool = True,
    is_kept: bool = True,
    varies: str = "",
    timeout_s: float | None = None,
) -> CachedAnswer[_Answer]:
    """Return the answer of a thread's index, or None if the client has it.

    With `is_cached`, the client may keep it; with `is_kept`, this process does so, too, which is not for large ones.
    An answer may be shared with other requests and must not be changed. A page that is another for another `varies`, such as
    the day, has another ETag. Raises as the question does, and IndexThreadBusy.
    """
    client_etags = {etag.strip() for etag in request.headers.get("if-none-match", "").split(",")}
    has_add_link = request.app.state.settings.allow_add  # is part of every page
    address = f"{request.url.path}?{request.url.query}\n{has_add_link}\n{varies}"
    identity = identity_of(request)  # so is the name of who is logged in
    viewer = hashlib.sha256(f"{identity.name}\n{identity.role}".encode()).hexdigest()[:_VIEWER_DIGITS] if identity else ""
    cache: AnswerCache = request.app.state.answer_cache

    def ask(index: Index) -> CachedAnswer[_Answer]:
        digest = hashlib.sha256(f"{_PROGRAM}\n{index.version()}\n{address}".encode("utf-8", "replace")).hexdigest()
        key = digest[:_ETAG_DIGITS]
        etag = f'W/"{key}{viewer}"'
        if not is_cached:
            return CachedAnswer(question(index), etag)
        if etag in client_etags:
            return CachedAnswer(None, etag)
        return CachedAnswer(cache.get_or_make(key, partial(question, index)) if is_kept else question(index), etag)

    return await thread.ask(ask, timeout_s=timeout_s)
