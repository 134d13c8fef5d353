"""The operations of the OpenAPI document that are pages' addresses.

Originals, feeds, downloads, forms, events: programs use them as browsers do. Their errors are pages; a form is answered with
the address of the page to go on with.
"""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from htxsearch.web.api import ARTICLE_ID
from htxsearch.web.article_pages import FIELDS
from htxsearch.web.fact_pages import DOWNLOAD as FACT_DOWNLOAD
from htxsearch.web.fact_pages import MEDIA_TYPES as FACT_MEDIA_TYPES
from htxsearch.web.new_pages import ATOM, FEED
from htxsearch.web.pages import DOWNLOAD, MEDIA_TYPES
from htxsearch.web.parameters import Parameter
from htxsearch.web.status_pages import ACTION

__all__ = ["HTML_PAGES", "INVALID", "NO_ARTICLE", "REFUSED", "page_operations"]

HTML_PAGES = frozenset(
    {
        *("/", "/article", "/related", "/related/list", "/dropped", "/facts", "/new"),
        *("/login", "/edit", "/remove", "/removed", "/changes", "/add", "/job", "/jobs", "/status"),
    }
)
"""The addresses that are pages for people only, with GET."""

_HTML, _FORM = "text/html", "application/x-www-form-urlencoded"
REFUSED = {
    HTTPStatus.METHOD_NOT_ALLOWED: "The address takes other methods; Allow names them.",
    HTTPStatus.MISDIRECTED_REQUEST: "The host name is not the server's.",
    HTTPStatus.TOO_MANY_REQUESTS: "The client sends too many requests; Retry-After says when to send the next one.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something failed that no request should cause; the server's log has the details.",
}
"""The refusals of every address."""
INVALID = {HTTPStatus.BAD_REQUEST: "A parameter is invalid, or the query cannot be parsed."}
NO_ARTICLE = {HTTPStatus.NOT_FOUND: "There is no such article."}
_REFUSED = REFUSED | {
    HTTPStatus.UNAUTHORIZED: "The server asks for a token: the page is its login page.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The index cannot be read or is being written, or the server is overloaded.",
}
_FORM_REFUSED = {
    HTTPStatus.BAD_REQUEST: "A field is missing or has a value that cannot be.",
    HTTPStatus.FORBIDDEN: "A reader sends it, or a page of another site, or neither an origin nor a bearer token is named.",
    HTTPStatus.NOT_FOUND: "There is no such article, or the server has no editors.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The form is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: f"The body is not {_FORM}.",
}
_OTHER_SITE = {HTTPStatus.FORBIDDEN: _FORM_REFUSED[HTTPStatus.FORBIDDEN]}
_GONE = {HTTPStatus.CONFLICT: "The original is gone, or has changed since it was indexed."}
_CONFLICT = {HTTPStatus.CONFLICT: "The article or its files changed meanwhile; nothing was written."}

_TOKEN = Parameter(name="token", about="the token of a reader or editor", required=True, max_length=500)
_NEXT = Parameter(name="next", about="the address to go on with", max_length=None)
_SEEN = Parameter(name="seen", about="the state that the form was made from: another one is answered 409", max_length=100)
_KEY = Parameter(name="key", about="what the page of removed articles calls this one", required=True, max_length=200)


_CORRECTED = _FORM_REFUSED | _CONFLICT | _REFUSED
_FIELDS = tuple(Parameter(name=name, about=f"the {name}, empty for what the text says", max_length=2_000) for name in FIELDS)
_ORIGINALS = ("application/pdf", "image/png", "image/jpeg", "image/gif", "application/octet-stream")


def _get(
    name: str, about: str, parameters: Sequence[Parameter], media_types: Iterable[str], problems: Mapping[HTTPStatus, str]
) -> dict[str, Any]:
    """Return the operation of a file."""
    file = {"type": "string", "format": "binary"}
    return {
        "operationId": name,
        "summary": about,
        "parameters": [parameter.described("query") for parameter in parameters],
        "responses": {
            "200": {"description": about, "content": {media_type: {"schema": file} for media_type in media_types}},
            "304": {"description": "The client's file is still valid."},
            **_error_pages(problems),
        },
    }


def _post(name: str, about: str, fields: Sequence[Parameter], problems: Mapping[HTTPStatus, str]) -> dict[str, Any]:
    """Return the operation of a form."""
    properties = {field.name: field.schema() | {"description": field.about} for field in fields}
    schema = {"type": "object", "properties": properties, "required": [field.name for field in fields if field.required]}
    body = {"requestBody": {"required": True, "content": {_FORM: {"schema": schema}}}} if fields else {}
    location = {"Location": {"description": "The page to go on with.", "schema": {"type": "string"}}}
    return {
        "operationId": name,
        "summary": about,
        **body,
        "responses": {"303": {"description": "Done.", "headers": location}, **_error_pages(problems)},
        "security": [{"token": []}],
    }


def _events() -> dict[str, Any]:
    """Return the operation of the events of a job, whose errors are those of the API."""
    about = "The states of a job up to its end, as server-sent events; each has the JSON of the job."
    identity = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    return {
        "operationId": "job-events",
        "summary": about,
        "parameters": [identity],
        "responses": {"200": {"description": about, "content": {"text/event-stream": {"schema": {"type": "string"}}}}},
        "security": [{"token": []}],
    }


def _error_pages(problems: Mapping[HTTPStatus, str]) -> dict[str, Any]:
    return {
        str(status.value): {"description": text, "content": {_HTML: {"schema": {"type": "string"}}}}
        for status, text in sorted(problems.items())
    }


_FILES = {
    "/original": _get(
        "original",
        "The file that an article was read from, as it is in the corpus.",
        (ARTICLE_ID,),
        _ORIGINALS,
        INVALID | NO_ARTICLE | _GONE | _REFUSED,
    ),
    "/feed": _get("feed", "The newest near articles of a query, or of all, as Atom.", FEED, (ATOM,), INVALID | _REFUSED),
    "/download": _get(
        "download", "All near articles of a query as a file.", DOWNLOAD, MEDIA_TYPES.values(), INVALID | _REFUSED
    ),
    "/facts/download": _get(
        "facts-download",
        "The figures of an indicator as a file.",
        FACT_DOWNLOAD,
        FACT_MEDIA_TYPES.values(),
        INVALID | _REFUSED,
    ),
}
_FORMS = {
    "/login": _post("login", "Open a session, which the response's cookie names.", (_TOKEN, _NEXT), _FORM_REFUSED | _REFUSED),
    "/logout": _post("logout", "End the session.", (), _OTHER_SITE | _REFUSED),
    "/edit": _post("edit", "Correct an article's metadata, as `htxsearch edit`.", (ARTICLE_ID, _SEEN, *_FIELDS), _CORRECTED),
    "/remove": _post("remove", "Move an article to the trash for 30 days, as `htxsearch remove`.", (ARTICLE_ID,), _CORRECTED),
    "/put-back": _post("put-back", "Put a removed article back, as `htxsearch put-back`.", (_KEY,), _CORRECTED),
}
_START = _post("start", "Start a reindex or a rebuild: Location is its job.", (ACTION,), _FORM_REFUSED | _REFUSED)


def page_operations(*, allow_add: bool) -> dict[str, dict[str, Any]]:
    """Return the operations by path and method.

    Those of adding are there only where that is allowed.
    """
    operations = {path: {"get": one} for path, one in _FILES.items()} | {path: {"post": one} for path, one in _FORMS.items()}
    return operations | ({"/status": {"post": _START}, "/api/jobs/{id}/events": {"get": _events()}} if allow_add else {})
