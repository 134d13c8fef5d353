"""The API's OpenAPI document, made from its table of endpoints; the schemas say what `results.py` gives."""

from collections.abc import Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from htxsearch.web.addition_process import FETCHED
from htxsearch.web.api import ENDPOINTS, Endpoint
from htxsearch.web.errors import MEDIA_TYPE
from htxsearch.web.parameters import Parameter
from htxsearch.web.uploads import LONGEST_URL, LONGEST_VALUE, MOST_FILES, MOST_PAGES, TOLD

__all__ = ["document"]

_TEXT: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": "number"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_FLAG: dict[str, Any] = {"type": "boolean"}
_MAYBE: dict[str, Any] = {"type": ["string", "null"]}
_DAY: dict[str, Any] = {"type": ["string", "null"], "format": "date"}
_SPAN: dict[str, Any] = {"type": "array", "items": _COUNT, "minItems": 2, "maxItems": 2}
_COUNTS: dict[str, Any] = {"type": "object", "additionalProperties": _COUNT}


def _object(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the schema of an object that has just these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


_ARTICLE = {"article_id": _TEXT, "title": _TEXT, "date": _DAY, "place": _MAYBE, "source": _MAYBE}

_REPRINT = _object(
    {
        "article_id": _TEXT,
        "title": _TEXT,
        "date": _DAY,
        "source": _MAYBE,
        "differences": _list(
            _object({"here": _MAYBE, "there": _MAYBE, "only_here": _list(_TEXT), "only_there": _list(_TEXT)}),
        ),
    },
    optional=("differences",),
)

_SCHEMAS = {
    "Results": _object(
        {
            "query": _TEXT,
            "total": _COUNT,
            "took_ms": _NUMBER,
            "hits": _list(_ref("SearchHit")),
            "facets": {"type": "object", "additionalProperties": _COUNTS},
            "hints": _list(_TEXT),
            "read_as": _MAYBE,
            "suggestion": _MAYBE,
            "semantic": _FLAG,
            "restored": _MAYBE,
            "expansions": _list(
                _object({"typed": _TEXT, "terms": _list(_object({"term": _TEXT, "weight": _NUMBER}))}),
            ),
        },
        optional=("restored", "expansions"),
    ),
    "SearchHit": _object(
        {
            **_ARTICLE,
            "path": _TEXT,
            "url": _MAYBE,
            "score": _NUMBER,
            "passage": _object({"start": _COUNT, "end": _COUNT, "text": _TEXT}),
            "highlights": _list(_SPAN),
            "title_highlights": _list(_SPAN),
            "reprints": _list(_REPRINT),
            "explain": _object(
                {
                    "features": {"type": "object", "additionalProperties": _NUMBER},
                    "stage_one": _list(_object({"matched": _TEXT, "score": _NUMBER})),
                }
            ),
        },
        optional=("explain",),
    ),
    "Answers": _object(
        {
            "question": _TEXT,
            "answer": {"anyOf": [_ref("Answer"), {"type": "null"}]},
            "others": _list(_ref("Answer")),
            "passages": _list(_ref("SearchHit")),
            "read_as": _MAYBE,
            "hints": _list(_TEXT),
            "took_ms": _NUMBER,
        }
    ),
    "Answer": _object(
        {
            "text": _TEXT,
            "start": _COUNT,
            "end": _COUNT,
            "kind": _TEXT,
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
            "sentence": _TEXT,
            "passage": _object({"start": _COUNT, "end": _COUNT, "text": _TEXT}),
            "article_id": _TEXT,
            "title": _TEXT,
            "date": _DAY,
            "place": _MAYBE,
            "as_of": _MAYBE,
            "relation": {"enum": ["same", "different", "other date"]},
        },
        optional=("relation",),
    ),
    "ArticleView": _object(
        {
            **_ARTICLE,
            "url": _MAYBE,
            "author": _MAYBE,
            "crawled": _DAY,
            "place_evidence": _MAYBE,
            "province_now": _MAYBE,
            "path": _TEXT,
            "text": _TEXT,
            "passages": _list(_object({"start": _COUNT, "end": _COUNT})),
            "documents": _list(
                _object(
                    {
                        "start": _COUNT,
                        "end": _COUNT,
                        "term": _TEXT,
                        "normal": _TEXT,
                        "kind": _MAYBE,
                        "number": _COUNT,
                        "year": {"type": ["integer", "null"]},
                        "issuer": _MAYBE,
                    }
                )
            ),
            "dates": _list(_object({"start": _COUNT, "end": _COUNT, "first": _DAY, "last": _DAY, "kind": _TEXT})),
            "dropped": _list(_object({"text": _TEXT, "reason": _TEXT})),
            "reprints": _list(_REPRINT),
        },
        optional=("dropped", "reprints"),
    ),
    "RelatedArticles": _object(
        {
            "article_id": _MAYBE,
            "related": _list(_object({**_ARTICLE, "score": _NUMBER, "terms": _list(_TEXT), "reprint": _FLAG})),
        }
    ),
    "Facets": _object({"query": _MAYBE, "total": _COUNT, "facets": {"type": "object", "additionalProperties": _COUNTS}}),
    "Suggestions": _object(
        {
            "query": _TEXT,
            "suggestions": _list(
                _object({"text": _TEXT, "kind": {"enum": ["word", "place", "title"]}, "article_id": _MAYBE}),
            ),
        }
    ),
    "Health": _object(
        {"status": {"const": "ok"}, "articles": _COUNT, "passages": _COUNT, "complete": _FLAG, "version": _TEXT},
    ),
    "Additions": _object(
        {
            "taken": _list(
                _object({"source": _TEXT, "path": _TEXT, "how": {"enum": ["added", "updated", "same", "followed"]}})
            ),
            "refused": _list(_object({"source": _TEXT, "reason": _TEXT})),
            "reindex": {"anyOf": [_ref("Report"), {"type": "null"}]},
        }
    ),
    "Report": _object(
        {
            **dict.fromkeys(("added", "changed", "removed", "unchanged", "renamed"), _COUNT),
            "rejected": _list(_object({"path": _TEXT, "reason": _TEXT})),
            "took_s": _NUMBER,
            "semantic": {"type": "null"},
        }
    ),
    "Problem": _object(
        {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "error": _TEXT,
            "reason": _TEXT,
            "query": _TEXT,
            "column": _COUNT,
        },
        optional=("error", "reason", "query", "column"),
    ),
}

_PROBLEMS = {
    HTTPStatus.BAD_REQUEST: "What was asked cannot be: a parameter, or a query that cannot be read.",
    HTTPStatus.UNAUTHORIZED: "The server wants its token.",
    HTTPStatus.NOT_FOUND: "There is no such article.",
    HTTPStatus.CONFLICT: "The original of an article is gone or is not what was indexed.",
    HTTPStatus.TOO_MANY_REQUESTS: "This client asks too often; Retry-After says when it may again.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The index cannot be read now, or the server has too much to do.",
}


_VALUE = {"type": "string", "maxLength": LONGEST_VALUE}
_SAID = {
    "title": _VALUE | {"description": "what it is called; only of one thing"},
    "date": _VALUE | {"description": "when it was published: 2023-08-07 or 07/8/2023"},
    "place": _VALUE | {"description": "the province it is about"},
    "source": _VALUE | {"description": "who published it"},
}
_URL = {
    "type": "string",
    "pattern": "^https?://",
    "maxLength": LONGEST_URL,
    "description": "the address of a page, feed or sitemap",
}
_PAGES = {"type": "integer", "minimum": 1, "maximum": MOST_PAGES, "default": FETCHED, "description": "pages of a feed"}
_FILES = {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": MOST_FILES}
_ADDED = {
    "201": "Something was added, replaced or is followed now.",
    "200": "All of it was there already.",
    "422": "Nothing of it can be read; why is said of each.",
}
_NOT_ADDED = {
    HTTPStatus.BAD_REQUEST: "What is to be added cannot be: a field, an address, a body that is not what it says.",
    HTTPStatus.UNAUTHORIZED: "The server wants its token.",
    HTTPStatus.FORBIDDEN: "A page of another site sent it, or no browser and without the token as a bearer token.",
    HTTPStatus.REQUEST_TIMEOUT: "Not all of it came in time.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "It is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "It is neither multipart/form-data nor application/json.",
    HTTPStatus.TOO_MANY_REQUESTS: "This client asks too often; Retry-After says when it may again.",
    HTTPStatus.SERVICE_UNAVAILABLE: "A reindex or another addition is under way; Retry-After says when to try again.",
}


def _adding() -> dict[str, Any]:
    """Return the operation that adds."""
    assert tuple(_SAID) == TOLD
    one = {"properties": {"url": _URL, **_SAID, "limit": _PAGES}, "required": ["url"]}
    other = {"properties": {"text": _TEXT, **_SAID, "limit": _PAGES}, "required": ["text"]}
    as_json = {"oneOf": [{"type": "object", "additionalProperties": False, **schema} for schema in (one, other)]}
    as_form = _object({"file": _FILES, "url": _URL, **_SAID}, optional=("file", "url", *TOLD))
    described = {"schema": _ref("Additions")}
    return {
        "operationId": "add",
        "summary": "Add files, a page, a feed or a text, as `htxsearch add` does; then they are found.",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": as_json}, "multipart/form-data": {"schema": as_form}},
        },
        "responses": {
            **{status: {"description": text, "content": {"application/json": described}} for status, text in _ADDED.items()},
            **_problems(_NOT_ADDED),
        },
        "security": [{"token": []}],
    }


def _problems(told: Mapping[HTTPStatus, str]) -> dict[str, Any]:
    return {
        str(status.value): {"description": text, "content": {MEDIA_TYPE: {"schema": _ref("Problem")}}}
        for status, text in told.items()
    }


def document(*, allow_add: bool = False) -> dict[str, Any]:
    """Return the document as JSON values; how to add stands in it only if that is allowed."""
    paths = {f"{one.path}/{{id}}" if one.by_id else one.path: {"get": _operation(one)} for one in ENDPOINTS}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "htxsearch",
            "version": version("htxsearch"),
            "description": "Search in a folder of Vietnamese articles. What is answered is what the command line prints "
            "with --json.",
        },
        "paths": paths | ({"/api/articles": {"post": _adding()}} if allow_add else {}),
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    identity = [_parameter(Parameter(name="id", about="the article's id", required=True, longest=1_000), where="path")]
    responses = {
        "200": {"description": endpoint.about, "content": {"application/json": {"schema": _ref(endpoint.answer)}}},
        "304": {"description": "It is still what the client has."},
        **_problems(_PROBLEMS),
    }
    return {
        "operationId": endpoint.name,
        "summary": endpoint.about,
        "parameters": (identity if endpoint.by_id else []) + [_parameter(one, where="query") for one in endpoint.parameters],
        "responses": responses,
    }


def _parameter(one: Parameter, *, where: str) -> dict[str, Any]:
    schema = one.schema() | ({"minLength": 1} if where == "path" else {})
    return {"name": one.name, "in": where, "required": one.required, "description": one.about, "schema": schema}
