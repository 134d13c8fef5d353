"""Answers that a browser or program already has: named after the index's version, not sent again, not even looked for."""

import hashlib
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Generic, NamedTuple, TypeVar

from starlette.requests import Request

from htxsearch.index import Index
from htxsearch.web.index_thread import IndexThread

__all__ = ["CachedResponse", "answered"]

_Found = TypeVar("_Found")
_PROGRAM = version("htxsearch")


class CachedResponse(NamedTuple, Generic[_Found]):
    """What was found, None if the client has it already, and the tag by which both know it."""

    found: _Found | None
    tag: str

    @property
    def headers(self) -> dict[str, str]:
        """Return what tells a client to keep the answer and to ask whether it is still good."""
        return {"ETag": self.tag, "Cache-Control": "private, no-cache"}


async def answered(
    request: Request, lane: IndexThread, question: Callable[[Index], _Found], *, is_kept: bool = True
) -> CachedResponse[_Found]:
    """Return what the lane's index answers, unless the request says that its answer of this version is there already.

    An answer that the lane kept is given again; nobody may change it. Raises what the question raises, and Busy.
    """
    seen = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
    address = (
        f"{request.url.path}?{request.url.query}\n{request.app.state.settings.allow_add}"  # pages have a link to add, or not
    )

    def ask(index: Index) -> CachedResponse[_Found]:
        digest = hashlib.sha256(f"{_PROGRAM}\n{index.version()}\n{address}".encode("utf-8", "replace")).hexdigest()
        tag = f'W/"{digest[:24]}"'
        if not is_kept:
            return CachedResponse(question(index), tag)
        return CachedResponse(None if tag in seen else lane.kept(tag, partial(question, index)), tag)

    return await lane.ask(ask)
