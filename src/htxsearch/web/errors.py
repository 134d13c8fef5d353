"""Problem details (RFC 9457): an error as an HTTP status and JSON."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from htxsearch.errors import (
    CorpusError,
    ExtraMissing,
    HtxError,
    IndexBusy,
    IndexFailure,
    QuerySyntaxError,
    UnknownArticle,
    UsageError,
)
from htxsearch.web.index_thread import IndexThreadBusy

__all__ = ["MEDIA_TYPE", "Problem", "RequestError", "as_bytes", "headers_of", "problem_details", "status_of"]

MEDIA_TYPE = "application/problem+json"

_STATUSES: tuple[tuple[type[HtxError], HTTPStatus], ...] = (
    (UnknownArticle, HTTPStatus.NOT_FOUND),
    (UsageError, HTTPStatus.BAD_REQUEST),
    (ExtraMissing, HTTPStatus.BAD_REQUEST),  # the request works without the option that needs the extra
    (CorpusError, HTTPStatus.CONFLICT),  # only reading an article's original raises it here
    (IndexFailure, HTTPStatus.SERVICE_UNAVAILABLE),
    (IndexThreadBusy, HTTPStatus.SERVICE_UNAVAILABLE),
)
_RETRY_S = 1
_RETRY_REINDEX_S = 5
"""A reindex holds its lock longer than anything else that makes the server busy."""


class RequestError(HtxError):
    """A request refused by a rule of HTTP or of this server.

    Has the status and headers of the response.
    """

    def __init__(self, status: HTTPStatus, code: str, /, *, headers: Mapping[str, str] | None = None, **fields: object) -> None:
        self.status = status
        self.headers = dict(headers or {})
        super().__init__(code, **fields)


def status_of(error: HtxError) -> HTTPStatus:
    """Return the HTTP status of an error, 500 for one that no request should cause."""
    if isinstance(error, RequestError):
        return error.status
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def headers_of(error: HtxError) -> dict[str, str]:
    """Return the headers of an error's response.

    Its own, and Retry-After where asking again may succeed.
    """
    headers = dict(error.headers) if isinstance(error, RequestError) else {}
    if status_of(error) == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(_RETRY_REINDEX_S if isinstance(error, IndexBusy) else _RETRY_S)
    return headers


class Problem(Struct, kw_only=True, forbid_unknown_fields=True):
    """Problem details (RFC 9457): an English message with its stable code.

    "reason", "query" and "column" are those of a query syntax error.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    error: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    query: str | UnsetType = UNSET
    column: Annotated[int, Meta(ge=0)] | UnsetType = UNSET


def problem_details(error: HtxError) -> bytes:
    """Return the problem details of an error as JSON.

    "error" is its class where it is one of the library.
    """
    status = status_of(error)
    problem = Problem(type="about:blank", title=status.phrase, status=status.value, detail=str(error), code=error.code)
    if not isinstance(error, RequestError):
        problem.error = type(error).__name__
    if isinstance(error, QuerySyntaxError):
        problem.reason, problem.query, problem.column = error.reason, error.query, error.column
    return as_bytes(msgspec.to_builtins(problem))


def as_bytes(value: object) -> bytes:
    """Return JSON values as bytes.

    A lone surrogate, which UTF-8 cannot hold, becomes a question mark.
    """
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
