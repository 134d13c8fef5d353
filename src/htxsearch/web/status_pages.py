"""The state of the index, for editors, and starting a reindex.

It is what the index holds and lacks, what was refused, feeds and disk.
"""

import asyncio
import datetime
import shutil
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from htxsearch.errors import HtxError, UsageError
from htxsearch.errors.messages import Language, Message, number_text
from htxsearch.index import Index
from htxsearch.indexing.progress import read_last_run, read_progress
from htxsearch.ingest.subscriptions import Subscription, fetched_at
from htxsearch.search.results import Info
from htxsearch.web.errors import RequestError, headers_of, status_of
from htxsearch.web.index_thread import IndexThreads
from htxsearch.web.job_pages import NO_STORE, queue_of
from htxsearch.web.jobs import JobKind
from htxsearch.web.monitoring import health_reasons
from htxsearch.web.pages import LANGUAGE
from htxsearch.web.parameters import Parameter, read_filled_parameters
from htxsearch.web.rendering import PageAddress, render_page
from htxsearch.web.security import is_cross_site
from htxsearch.web.settings import Settings

__all__ = ["ACTION", "routes"]

ACTION = Parameter(name="action", about="what to start", choices=("reindex", "rebuild"))
_MOST_FORM_BYTES = 1_000
_MOST_REJECTED = 200
_MEGABYTE, _GIGABYTE = 1_000_000, 1_000_000_000


def routes(settings: Settings) -> list[Route]:
    """Return the routes of the page, none where nothing may be changed."""
    if not settings.allow_add:
        return []
    return [Route("/status", _page, methods=["GET"]), Route("/status", _start, methods=["POST"])]


class _State(NamedTuple):
    """The contents of an index, and what lacks in it."""

    info: Info
    undated: int
    unplaced: int
    feeds: tuple[Subscription, ...]
    reasons: list[Message]


def _state(index: Index, waiting: int, most_waiting: int) -> _State:
    listing = index.searcher().snapshot.listing
    reasons = health_reasons(index, waiting, most_waiting)
    return _State(index.info(), listing.undated, listing.unplaced, index.feeds(), reasons)


async def _page(request: Request) -> Response:
    """Answer `/status`: with 503 and what to type if the index cannot be read."""
    params = read_filled_parameters((LANGUAGE,), request.query_params.multi_items())
    return await _rendered(request, params)


async def _rendered(request: Request, params: Mapping[str, Any]) -> Response:
    settings: Settings = request.app.state.settings
    threads: IndexThreads = request.app.state.index_threads
    folder = Path(settings.index)
    state, error = None, None
    try:
        fullest = threads.fullest()
        waiting, most = fullest.waiting, fullest.max_waiting
        state = await threads.related.ask(lambda index: _state(index, waiting, most))
    except HtxError as failure:
        error = failure
    run, fetched = read_last_run(folder), fetched_at(Path(settings.corpus))
    jobs = await asyncio.to_thread(queue_of(request).jobs)
    values: dict[str, Any] = {
        "state": state,
        "error": error.message if error else None,
        "command": f"htxsearch reindex --index {settings.index} --corpus {settings.corpus}",
        "progress": read_progress(folder),
        "run": run,
        "rejected": state.info.rejected[:_MOST_REJECTED] if state else (),
        "fetched": datetime.datetime.fromtimestamp(int(fetched)).astimezone() if fetched else None,
        "free": _free(folder),
        "size": partial(_size, params["lang"]),
        "jobs": [(job, one) for job, one in jobs if one.state in ("waiting", "running")],
        "params": {"q": None, "place": (), "source": (), "since": None, "until": None},
    }
    here = PageAddress("/status", {"lang": params["lang"]})
    status = status_of(error).value if error else 200
    headers = {**(headers_of(error) if error else {}), **NO_STORE}
    return render_page(request, "status.html", params["lang"], here, status=status, headers=headers, **values)


def _free(folder: Path) -> int | None:
    """Return the bytes free on the disk of a folder, None if that is not known."""
    try:
        return shutil.disk_usage(folder if folder.exists() else folder.parent).free
    except OSError:
        return None


def _size(language: Language, size: int) -> str:
    """Return a number of bytes as 12,3 MB, or as GB from one on."""
    unit, name = (_GIGABYTE, "GB") if size >= _GIGABYTE else (_MEGABYTE, "MB")
    return f"{number_text(size / unit, language, ',.1f')} {name}"


async def _start(request: Request) -> Response:
    """Start a reindex or a rebuild; answer with the page of its job.

    If one waits already, it is that one's.
    """
    params = read_filled_parameters((LANGUAGE,), request.query_params.multi_items())
    if is_cross_site(request.headers):
        raise RequestError(HTTPStatus.FORBIDDEN, "serve.cross-site")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_FORM_BYTES:
            raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "serve.upload-too-large", megabytes=0.001)
    given = read_filled_parameters((ACTION,), parse_qsl(body.decode("utf-8", "replace")))
    kind: JobKind | None = given["action"]
    if kind is None:
        raise UsageError("serve.missing", name=ACTION.name, about=ACTION.about)
    queue = queue_of(request)
    jobs = await asyncio.to_thread(queue.jobs)
    same = next((job for job, state in jobs if job.kind == kind and state.state in ("waiting", "running")), None)
    try:
        job = same or queue.submit(kind)
    except OSError as error:
        raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "serve.upload-not-kept", reason=error.strerror) from error
    address = PageAddress("/job", {"id": job.id, "lang": params["lang"]}).with_()
    return Response(status_code=HTTPStatus.SEE_OTHER.value, headers={**NO_STORE, "Location": address})
