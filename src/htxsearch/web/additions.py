"""Adding articles over HTTP, if the server allows it.

Programs use `POST /api/articles`, people the page `/add`.

A request brings files, addresses or a text. It is read within limits and checked before a process adds anything. What a page
sends is put into the queue of jobs, and so is what a program sends with `Prefer: respond-async`.
"""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from htxsearch.errors import CorpusError, HtxError, UsageError
from htxsearch.errors.messages import LANGUAGES, Language
from htxsearch.ingest.hosts import is_address
from htxsearch.search.results import additions_json
from htxsearch.web.addition_process import DEFAULT_PAGES, AdditionProcesses, AdditionRequest
from htxsearch.web.errors import MEDIA_TYPE, RequestError, as_bytes, headers_of, problem_details, status_of
from htxsearch.web.job_pages import NO_STORE, job_json, queue_of
from htxsearch.web.jobs import Job
from htxsearch.web.parameters import Parameter, read_parameters, shortened
from htxsearch.web.rendering import PageAddress, render_page
from htxsearch.web.security import is_cross_site
from htxsearch.web.settings import Settings

if TYPE_CHECKING:
    from htxsearch.indexing.catalogue import Additions

__all__ = ["LIMIT", "MAX_FILES", "METADATA", "TEXT", "URL", "read_addition_request", "routes", "status_of_additions"]

URL = Parameter(name="url", about="the address of a page, feed or sitemap", max_length=2_000)
TEXT = Parameter(name="text", about="the text of an article", max_length=None)
METADATA = (
    Parameter(name="title", about="the title; only of a single article", max_length=500),
    Parameter(name="date", about="the day of publication: 2023-08-07 or 07/8/2023", max_length=500),
    Parameter(name="place", about="the province that the articles are about", max_length=500),
    Parameter(name="source", about="the publisher", max_length=500),
)
"""The metadata of what is added, like the options of `htxsearch add`."""
LIMIT = Parameter(name="limit", about="pages of a feed", kind="integer", minimum=1, maximum=100, default=DEFAULT_PAGES)
MAX_FILES = 100

_METADATA_NAMES = tuple(parameter.name for parameter in METADATA)
_MAX_FORM_FIELDS = 20
_MAX_JSON_BYTES = 5 * 1024 * 1024
"""Parsing JSON blocks the event loop: .05 s for this size."""
_DRAINED_TIMES = 4
"""Up to this many times the limit is read of a body that is too large: a browser shows no response sent before its body."""

_LANGUAGE = Parameter(name="lang", about="language of the page", choices=LANGUAGES, default="vi")


def routes(settings: Settings) -> list[Route]:
    """Return the routes that add articles, or routes that refuse to."""
    if not settings.allow_add:
        return [
            Route("/api/articles", _not_allowed, methods=["POST"]),
            Route("/add", _not_allowed, methods=["GET", "POST"]),
        ]
    return [
        Route("/api/articles", _api, methods=["POST"], name="add"),
        Route("/add", _form_page, methods=["GET"]),
        Route("/add", _enqueue, methods=["POST"]),
    ]


async def _not_allowed(_: Request) -> Response:
    raise RequestError(HTTPStatus.NOT_FOUND, "serve.adding-not-allowed")


async def _api(request: Request) -> Response:
    if "respond-async" in request.headers.get("prefer", "").lower():
        job = await _submitted(request)
        queue = queue_of(request)
        content = as_bytes(job_json(job, queue.state(job.id)))
        headers = {**NO_STORE, "Location": f"/api/jobs/{job.id}", "Preference-Applied": "respond-async"}
        return Response(content, HTTPStatus.ACCEPTED.value, headers, "application/json")
    additions = await _add(request)
    return Response(as_bytes(additions_json(additions)), status_of_additions(additions), NO_STORE, "application/json")


async def _submitted(request: Request) -> Job:
    """Return the job in the queue for a request's addition.

    Raises RequestError, IndexThreadBusy, UsageError.
    """
    _check_sender(request)
    settings: Settings = request.app.state.settings
    queue, processes = queue_of(request), request.app.state.addition_processes
    try:
        with processes.upload_slot(while_adding=True):
            folder = await asyncio.to_thread(queue.receive)
            try:
                return await queue.submit_sent(await _received(request, folder, settings), folder)
            except BaseException:
                queue.give_up(folder)
                raise
    except OSError as error:
        raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "serve.upload-not-kept", reason=error.strerror) from error


def _check_sender(request: Request) -> None:
    """Raise RequestError for a request of another site's page."""
    if is_cross_site(request.headers):
        raise RequestError(HTTPStatus.FORBIDDEN, "serve.cross-site")
    read_parameters([_LANGUAGE], request.query_params.multi_items())


async def _add(request: Request) -> "Additions":
    """Return the outcome of a request's addition.

    Raises RequestError, IndexThreadBusy, and as `Index.add` does.
    """
    _check_sender(request)
    settings: Settings = request.app.state.settings
    processes: AdditionProcesses = request.app.state.addition_processes
    with processes.upload_slot(), tempfile.TemporaryDirectory(prefix="htxsearch-") as folder:
        addition = await _received(request, Path(folder), settings)
        try:
            return await processes.add(addition)
        except CorpusError as error:  # the server's folder is at fault, not the request
            raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, error.code, **error.fields) from error


async def _received(request: Request, folder: Path, settings: Settings) -> AdditionRequest:
    """Return what a request wants to add. Raises RequestError, UsageError."""
    timeout_s = settings.addition_timeout_s
    try:
        return await asyncio.wait_for(read_addition_request(request, folder, max_bytes=settings.max_upload_bytes), timeout_s)
    except TimeoutError:
        raise RequestError(HTTPStatus.REQUEST_TIMEOUT, "serve.upload-timeout", seconds=timeout_s) from None
    except ClientDisconnect:
        raise RequestError(HTTPStatus.BAD_REQUEST, "serve.upload-broken") from None
    except OSError as error:
        raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "serve.upload-not-kept", reason=error.strerror) from error


def status_of_additions(additions: "Additions") -> int:
    """Return the HTTP status of an addition.

    201 if anything is new, 200 if everything readable was in the corpus before, 422 if nothing is readable.
    """
    unreadable = _unreadable(additions)
    readable = [file for file in additions.taken if file.path not in unreadable]
    if not readable:
        return HTTPStatus.UNPROCESSABLE_ENTITY.value
    return (HTTPStatus.CREATED if any(file.how != "same" for file in readable) else HTTPStatus.OK).value


def _unreadable(additions: "Additions") -> dict[str, Any]:
    """Return why files that are now in the corpus could not be indexed, by path."""
    return {file.path: file.reason for file in additions.report.rejected} if additions.report else {}


# The request


async def read_addition_request(request: Request, folder: Path, *, max_bytes: int) -> AdditionRequest:
    """Return the addition that a request asks for.

    Its files are saved in `folder` under names of ours. Raises UsageError for an invalid body, and RequestError
    with 413 for more than `max_bytes`, 415 for other media types.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        return _from_json(await _bounded(request, min(max_bytes, _MAX_JSON_BYTES)).body())
    if media_type == "multipart/form-data":
        try:
            form = await _bounded(request, max_bytes).form(max_files=MAX_FILES, max_fields=_MAX_FORM_FIELDS)
        except HTTPException as error:
            raise UsageError("serve.form-unreadable", reason=error.detail, maximum=MAX_FILES) from error
        try:
            return await _from_form(form.multi_items(), folder)
        finally:
            await form.close()
    raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "serve.media-type")


def _bounded(request: Request, max_bytes: int) -> Request:
    """Return the request with a body that raises RequestError (413) beyond a size."""
    declared = request.headers.get("content-length", "")
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > max_bytes or (declared.isdecimal() and int(declared) > max_bytes):
            await _drain(request, message, max_bytes * _DRAINED_TIMES)
            raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "serve.upload-too-large", megabytes=max_bytes / 1024**2)
        return message

    return Request(request.scope, receive)


async def _drain(request: Request, message: Message, max_bytes: int) -> None:
    """Read and drop the body after a message, up to a size."""
    while max_bytes > 0 and message.get("more_body"):
        message = await request.receive()
        max_bytes -= len(message.get("body", b""))


def _from_json(body: bytes) -> AdditionRequest:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise UsageError("serve.body-not-json") from None
    if not isinstance(given, dict):
        raise UsageError("serve.body-not-an-object")
    _check_names(given, (URL.name, TEXT.name, *_METADATA_NAMES, LIMIT.name))
    for name, value in given.items():
        if name != LIMIT.name and not isinstance(value, str):
            raise UsageError("serve.not-a-text", name=name)
    limit = given.pop(LIMIT.name, DEFAULT_PAGES)
    if type(limit) is not int or not LIMIT.minimum <= limit <= LIMIT.maximum:
        limits = {"minimum": LIMIT.minimum, "maximum": LIMIT.maximum}
        raise UsageError("serve.not-an-integer", name=LIMIT.name, **limits, value=shortened(json.dumps(limit)))
    if (URL.name in given) == (TEXT.name in given):
        raise UsageError("serve.url-or-text")
    text = given[TEXT.name].encode("utf-8", "replace") if TEXT.name in given else None
    addresses = (_address(given[URL.name]),) if URL.name in given else ()
    return AdditionRequest(addresses=addresses, text=text, metadata=_metadata(given.items()), limit=limit)


async def _from_form(fields: Iterable[tuple[str, str | UploadFile]], folder: Path) -> AdditionRequest:
    files: list[tuple[str, Path]] = []
    texts: list[tuple[str, str]] = []
    for name, value in fields:
        _check_names([name], ("file", URL.name, *_METADATA_NAMES, _LANGUAGE.name))
        if isinstance(value, UploadFile) != (name == "file") and value:
            raise UsageError("serve.field-not-a-file" if name == "file" else "serve.field-is-a-file", name=name)
        if isinstance(value, str):
            texts.append((name, value))
        elif value.filename or value.size:  # a form without a chosen file sends a file with neither
            path = folder / str(len(files))
            await asyncio.to_thread(_copy, value.file, path)
            files.append((value.filename or "", path))
    addresses = tuple(_address(text) for name, text in texts if name == URL.name and text.strip())
    if not (files or addresses):
        raise UsageError("serve.nothing-to-add")
    return AdditionRequest(addresses=addresses, files=tuple(files), metadata=_metadata(texts))


def _check_names(names: Iterable[str], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            raise UsageError("serve.unknown-field", name=shortened(name), known=known)


def _metadata(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the metadata in the fields of a request.

    Raises UsageError for a field that is too long or repeated.
    """
    given = [(name, text) for name, text in fields if name in _METADATA_NAMES and text.strip()]
    return {name: text for name, text in read_parameters(METADATA, given).items() if text is not None}


def _address(text: str) -> str:
    """Return an address without spaces around it.

    Raises UsageError for any other text, so that no path of the server is ever read.
    """
    url = text.strip()
    if not is_address(url):
        raise UsageError("serve.not-an-address", value=shortened(url))
    return str(URL.value(url))


def _copy(source: BinaryIO, target: Path) -> None:
    with target.open("wb") as file:
        shutil.copyfileobj(source, file)


# The page


async def _form_page(request: Request) -> Response:
    return _render(request, _language(request))


async def _enqueue(request: Request) -> Response:
    """Answer a form at once: with the page of its job, or an error."""
    language = _language(request)
    try:
        job = await _submitted(request)
    except HtxError as error:
        if request.headers.get("accept") == "application/json":
            return Response(problem_details(error), status_of(error).value, {**headers_of(error), **NO_STORE}, MEDIA_TYPE)
        return _render(request, language, status_of(error).value, headers_of(error), message=error.message)
    address = PageAddress("/job", {"id": job.id, "lang": language}).with_()
    return Response(status_code=HTTPStatus.SEE_OTHER.value, headers={**NO_STORE, "Location": address})


def _language(request: Request) -> Language:
    pairs = [(name, text) for name, text in request.query_params.multi_items() if name == "lang"]
    language: Language = read_parameters([_LANGUAGE], pairs)["lang"]
    return language


def _render(
    request: Request, language: Language, status: int = 200, headers: Mapping[str, str] | None = None, **shown: Any
) -> Response:
    limits = {"max_files": MAX_FILES, "max_bytes": request.app.state.settings.max_upload_bytes}
    values: dict[str, Any] = {"message": None, "params": _EMPTY_SEARCH, **limits} | shown
    here = PageAddress("/add", {"lang": language})
    return render_page(request, "add.html", language, here, status=status, headers={**(headers or {}), **NO_STORE}, **values)


_EMPTY_SEARCH: Mapping[str, Any] = {"q": None, "place": (), "source": (), "since": None, "until": None}
"""The values of the search form in the head of the page."""
