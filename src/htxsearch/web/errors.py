"""What went wrong, as HTTP says it: a status, and the same message as everywhere else (RFC 9457)."""

import json
from http import HTTPStatus
from typing import Any

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

__all__ = ["MEDIA_TYPE", "as_bytes", "problem", "retry_after", "status_of"]

MEDIA_TYPE = "application/problem+json"

_STATUSES: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (UnknownArticle, HTTPStatus.NOT_FOUND),
    (UsageError, HTTPStatus.BAD_REQUEST),
    (ExtraMissing, HTTPStatus.BAD_REQUEST),  # what was asked for can be left out
    (CorpusError, HTTPStatus.CONFLICT),  # of an article's original; nothing else reads the corpus
    (IndexFailure, HTTPStatus.SERVICE_UNAVAILABLE),
    (IndexThreadBusy, HTTPStatus.SERVICE_UNAVAILABLE),
)


def status_of(error: HtxError | IndexThreadBusy) -> HTTPStatus:
    """Return the status an error is told with."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def retry_after(error: Exception | None) -> dict[str, str]:
    """Return the header that says in how many seconds to ask again, none if that would not help; a reindex takes longest."""
    if isinstance(error, HtxError | IndexThreadBusy) and status_of(error) != HTTPStatus.SERVICE_UNAVAILABLE:
        return {}
    return {"Retry-After": "5" if isinstance(error, IndexBusy) else "1"}


def problem(status: HTTPStatus, detail: str, error: Exception | None = None) -> dict[str, Any]:
    """Return a problem as JSON values; of a query that cannot be read also where."""
    found: dict[str, Any] = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    if error is not None:
        found["error"] = type(error).__name__
    if isinstance(error, QuerySyntaxError):
        found |= {"reason": error.reason, "query": error.query, "column": error.column}
    return found


def as_bytes(value: object) -> bytes:
    """Return JSON as bytes. A lone surrogate, which UTF-8 has not, becomes a question mark."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
