"""The OpenAPI document, made of the endpoints and the types of their JSON."""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from msgspec import Struct
from msgspec.json import schema_components

from htxsearch.search.index_json_types import Additions, Job, Jobs
from htxsearch.web.additions import LIMIT, MAX_FILES, METADATA, TEXT, URL
from htxsearch.web.api import ARTICLE_ID, ENDPOINTS, Endpoint
from htxsearch.web.errors import MEDIA_TYPE, Problem
from htxsearch.web.monitoring import MEDIA_TYPE as METRICS_TYPE
from htxsearch.web.openapi_pages import INVALID, NO_ARTICLE, REFUSED, page_operations
from htxsearch.web.parameters import Parameter

__all__ = ["METRICS", "document"]

METRICS = "/metrics"
"""The address of the metrics, which is the one that Prometheus asks by default."""

_REFERENCE = "#/components/schemas/{name}"
_TYPES = (*(endpoint.answer for endpoint in ENDPOINTS), Additions, Job, Jobs, Problem)

_PROBLEMS_OF_ALL = REFUSED | {HTTPStatus.UNAUTHORIZED: "The server asks for its token."}
_PROBLEMS = (
    _PROBLEMS_OF_ALL
    | INVALID
    | NO_ARTICLE
    | {
        HTTPStatus.CONFLICT: "The original of an article is gone, or has changed since it was indexed.",
        HTTPStatus.SERVICE_UNAVAILABLE: "The index cannot be read at present, or the server is overloaded.",
    }
)
_EDITOR_PROBLEM = {HTTPStatus.FORBIDDEN: "A reader asks for what only editors may."}
_FULL = {HTTPStatus.SERVICE_UNAVAILABLE: "The server has too many connections."}
_JOB_PROBLEMS = _PROBLEMS_OF_ALL | _EDITOR_PROBLEM | _FULL | {HTTPStatus.NOT_FOUND: "There is no such job, or no more."}

_ADDITION_RESPONSES = {
    "201": "Something was added, replaced, or is followed from now on.",
    "200": "Everything was in the corpus already.",
    "422": "Nothing is readable; each entry has its reason.",
}
_ADDITION_PROBLEMS = _PROBLEMS_OF_ALL | {
    HTTPStatus.BAD_REQUEST: "The request is invalid: a field, an address, a body that does not fit its media type.",
    HTTPStatus.FORBIDDEN: "A page of another site sent it; or neither a browser nor a bearer token says where it comes from.",
    HTTPStatus.REQUEST_TIMEOUT: "The upload took too long.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is neither multipart/form-data nor application/json.",
    HTTPStatus.SERVICE_UNAVAILABLE: "A reindex or another addition is under way; Retry-After says when to try again.",
}

_PREFER = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "respond-async: answer at once with a job.",
    "schema": {"type": "string", "enum": ["respond-async"]},
}


def document(*, allow_add: bool = False) -> dict[str, Any]:
    """Return the document as JSON values.

    It has the operation that adds articles only if that is allowed.
    """
    paths = {
        f"{endpoint.path}/{{id}}" if endpoint.by_id else endpoint.path: {"get": _operation(endpoint)} for endpoint in ENDPOINTS
    }
    paths |= {METRICS: {"get": _metrics()}}
    if allow_add:
        paths["/api/articles"] |= {"post": _addition()}
        paths |= {"/api/jobs": {"get": _jobs(Jobs)}, "/api/jobs/{id}": {"get": _jobs(Job)}}
    paths |= page_operations(allow_add=allow_add)
    if allow_add:
        paths["/api/jobs/{id}/events"]["get"]["responses"] |= _problems(_JOB_PROBLEMS)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "htxsearch",
            "version": version("htxsearch"),
            "description": "Search in a folder of Vietnamese articles. The JSON of a response is what the command line prints "
            "with --json.",
        },
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _schemas() -> dict[str, Any]:
    """Return the schemas of all types of JSON, by name.

    msgspec describes a key that may be absent as null by default. It is left out of the JSON then, and never null.
    """
    schemas: dict[str, Any] = schema_components(_TYPES, ref_template=_REFERENCE)[1]
    for schema in schemas.values():
        for name, described in schema["properties"].items():
            if "default" in described:
                [schema["properties"][name]] = [option for option in described["anyOf"] if option != {"type": "null"}]
    return schemas


def _reference(answer: type[Struct]) -> dict[str, Any]:
    return {"$ref": _REFERENCE.format(name=answer.__name__)}


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    """Return the operation of an endpoint."""
    identity = [ARTICLE_ID.described("path")] if endpoint.by_id else []
    content = {"application/json": {"schema": _reference(endpoint.answer)}}
    return {
        "operationId": endpoint.name,
        "summary": endpoint.about,
        "parameters": identity + [parameter.described("query") for parameter in endpoint.parameters],
        "responses": {
            "200": {"description": endpoint.about, "content": content},
            "304": {"description": "The client's answer is still valid."},
            **_problems(_PROBLEMS | _EDITOR_PROBLEM if endpoint.is_for_editors else _PROBLEMS),
        },
    }


def _addition() -> dict[str, Any]:
    """Return the operation that adds articles."""
    files = {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": MAX_FILES}
    optional = {parameter.name: _property(parameter) for parameter in METADATA}
    in_json = optional | {LIMIT.name: _property(LIMIT)}
    url, text = ({parameter.name: _property(parameter)} for parameter in (URL, TEXT))
    url[URL.name]["pattern"] = "^https?://"
    json_schema = {"oneOf": [_object(required | in_json, optional=in_json) for required in (url, text)]}
    form = {"file": files, **url, **optional}
    content = {"application/json": {"schema": _reference(Additions)}}
    return {
        "operationId": "add",
        "summary": "Add files, a page, a feed or a text, as `htxsearch add` does.",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": json_schema},
                "multipart/form-data": {"schema": _object(form, optional=form)},
            },
        },
        "parameters": [_PREFER],
        "responses": {
            "202": {
                "description": "With `Prefer: respond-async`: the job in the queue; Location is its address.",
                "content": {"application/json": {"schema": _reference(Job)}},
            },
            **{status: {"description": about, "content": content} for status, about in _ADDITION_RESPONSES.items()},
            **_problems(_ADDITION_PROBLEMS),
        },
        "security": [{"token": []}],
    }


def _jobs(answer: type[Struct]) -> dict[str, Any]:
    """Return the operation of a job, or of all."""
    is_one = answer is Job
    about = "A job: how far it is, and in the end what became of each source." if is_one else "The jobs, the newest first."
    identity = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    return {
        "operationId": "job" if is_one else "jobs",
        "summary": about,
        "parameters": [identity] if is_one else [],
        "responses": {
            "200": {"description": about, "content": {"application/json": {"schema": _reference(answer)}}},
            **_problems(_JOB_PROBLEMS),
        },
        "security": [{"token": []}],
    }


def _metrics() -> dict[str, Any]:
    """Return the operation of the metrics, whose response is not JSON."""
    about = "Requests, latency, queue, memory and index in the text format of Prometheus."
    return {
        "operationId": "metrics",
        "summary": about,
        "responses": {
            "200": {"description": about, "content": {METRICS_TYPE: {"schema": {"type": "string"}}}},
            **_problems(_PROBLEMS_OF_ALL | _FULL),
        },
    }


def _object(properties: dict[str, Any], *, optional: Collection[str]) -> dict[str, Any]:
    """Return the schema of an object with these properties and no other."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _property(parameter: Parameter) -> dict[str, Any]:
    """Return a parameter as a property of a JSON object."""
    return parameter.schema() | {"description": parameter.about}


def _problems(descriptions: Mapping[HTTPStatus, str]) -> dict[str, Any]:
    return {
        str(status.value): {"description": text, "content": {MEDIA_TYPE: {"schema": _reference(Problem)}}}
        for status, text in sorted(descriptions.items())
    }
