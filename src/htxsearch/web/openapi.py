"""The OpenAPI document of the API, made from its table of endpoints; the schemas describe the JSON of `search/results.py`."""

from collections.abc import Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from htxsearch.web.additions import LIMIT, MAX_FILES, METADATA, TEXT, URL
from htxsearch.web.api import ARTICLE_ID, ENDPOINTS, Endpoint
from htxsearch.web.errors import MEDIA_TYPE
from htxsearch.web.parameters import Parameter

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
            "code": _TEXT,
            "error": _TEXT,
            "reason": _TEXT,
            "query": _TEXT,
            "column": _COUNT,
        },
        optional=("error", "reason", "query", "column"),
    ),
}

_PROBLEMS = {
    HTTPStatus.BAD_REQUEST: "A parameter is invalid, or the query cannot be parsed.",
    HTTPStatus.UNAUTHORIZED: "The server asks for its token.",
    HTTPStatus.NOT_FOUND: "There is no such article.",
    HTTPStatus.CONFLICT: "The original of an article is gone, or has changed since it was indexed.",
    HTTPStatus.TOO_MANY_REQUESTS: "The client sends too many requests; Retry-After says when to send the next one.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The index cannot be read at present, or the server is overloaded.",
}

_ADDITION_RESPONSES = {
    "201": "Something was added, replaced, or is followed from now on.",
    "200": "Everything was in the corpus already.",
    "422": "Nothing is readable; each entry has its reason.",
}
_ADDITION_PROBLEMS = {
    HTTPStatus.BAD_REQUEST: "The request is invalid: a field, an address, a body that does not fit its media type.",
    HTTPStatus.UNAUTHORIZED: "The server asks for its token.",
    HTTPStatus.FORBIDDEN: "A page of another site sent it; or neither a browser nor a bearer token says where it comes from.",
    HTTPStatus.REQUEST_TIMEOUT: "The upload took too long.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is neither multipart/form-data nor application/json.",
    HTTPStatus.TOO_MANY_REQUESTS: "The client sends too many requests; Retry-After says when to send the next one.",
    HTTPStatus.SERVICE_UNAVAILABLE: "A reindex or another addition is under way; Retry-After says when to try again.",
}


def document(*, allow_add: bool = False) -> dict[str, Any]:
    """Return the document as JSON values, with the operation that adds articles only if it is allowed."""
    paths = {
        f"{endpoint.path}/{{id}}" if endpoint.by_id else endpoint.path: {"get": _operation(endpoint)} for endpoint in ENDPOINTS
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "htxsearch",
            "version": version("htxsearch"),
            "description": "Search in a folder of Vietnamese articles. The JSON of a response is what the command line prints "
            "with --json.",
        },
        "paths": paths | ({"/api/articles": {"post": _addition()}} if allow_add else {}),
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    """Return the operation of an endpoint."""
    identity = [_parameter(ARTICLE_ID, where="path")] if endpoint.by_id else []
    content = {"application/json": {"schema": _ref(endpoint.schema)}}
    return {
        "operationId": endpoint.name,
        "summary": endpoint.about,
        "parameters": identity + [_parameter(parameter, where="query") for parameter in endpoint.parameters],
        "responses": {
            "200": {"description": endpoint.about, "content": content},
            "304": {"description": "The client's answer is still valid."},
            **_problems(_PROBLEMS),
        },
    }


def _parameter(parameter: Parameter, *, where: str) -> dict[str, Any]:
    schema = parameter.schema() | ({"minLength": 1} if where == "path" else {})
    return {
        "name": parameter.name,
        "in": where,
        "required": parameter.required,
        "description": parameter.about,
        "schema": schema,
    }


def _addition() -> dict[str, Any]:
    """Return the operation that adds articles."""
    files = {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": MAX_FILES}
    optional = {parameter.name: _property(parameter) for parameter in METADATA}
    in_json = optional | {LIMIT.name: _property(LIMIT)}
    url, text = ({parameter.name: _property(parameter)} for parameter in (URL, TEXT))
    url[URL.name]["pattern"] = "^https?://"
    json_schema = {"oneOf": [_object(required | in_json, optional=tuple(in_json)) for required in (url, text)]}
    form = {"file": files, **url, **optional}
    content = {"application/json": {"schema": _ref("Additions")}}
    return {
        "operationId": "add",
        "summary": "Add files, a page, a feed or a text, as `htxsearch add` does.",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": json_schema},
                "multipart/form-data": {"schema": _object(form, optional=tuple(form))},
            },
        },
        "responses": {
            **{status: {"description": about, "content": content} for status, about in _ADDITION_RESPONSES.items()},
            **_problems(_ADDITION_PROBLEMS),
        },
        "security": [{"token": []}],
    }


def _property(parameter: Parameter) -> dict[str, Any]:
    """Return a parameter as a property of a JSON object."""
    return parameter.schema() | {"description": parameter.about}


def _problems(descriptions: Mapping[HTTPStatus, str]) -> dict[str, Any]:
    return {
        str(status.value): {"description": text, "content": {MEDIA_TYPE: {"schema": _ref("Problem")}}}
        for status, text in descriptions.items()
    }
