"""The application: routes, what is told of errors, and the threads that answer; and the server that runs it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from htxsearch.errors import HtxError
from htxsearch.index import Index
from htxsearch.web import additions as adding
from htxsearch.web import api, pages
from htxsearch.web.addition_process import AdditionProcesses
from htxsearch.web.api import IndexThreads
from htxsearch.web.errors import MEDIA_TYPE, as_bytes, problem, retry_after, status_of
from htxsearch.web.index_thread import IndexThread, IndexThreadBusy
from htxsearch.web.openapi import document
from htxsearch.web.security import SecurityMiddleware
from htxsearch.web.settings import Settings

__all__ = ["from_environment", "make_app"]


def from_environment() -> Starlette:
    """Return the application for the settings left in the environment: what each worker process calls."""
    return make_app(Settings.from_environment())


def make_app(settings: Settings) -> Starlette:
    """Return the application. The index is opened when it is first asked, and every later commit is seen."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        make = partial(IndexThread, seconds=settings.seconds, waiting=settings.waiting)
        lanes = IndexThreads(
            search=make("search", Index(settings.index, corpus=settings.corpus)),
            related=make("related", Index(settings.index, corpus=settings.corpus), gives_back=True),
        )
        app.state.lanes, app.state.patience = lanes, settings.patience
        preparing = asyncio.create_task(_prepare(lanes.related))
        yield
        preparing.cancel()
        lanes.search.close()
        lanes.related.close()

    middleware = [Middleware(SecurityMiddleware, settings=settings)]
    if settings.cors:
        origins = Middleware(
            CORSMiddleware, allow_origins=settings.cors, allow_methods=["GET"], allow_headers=["Authorization"]
        )
        middleware.insert(0, origins)  # a browser asks whether it may before it shows a token
    described = as_bytes(document(allow_add=settings.allow_add))
    handlers: dict[Any, Any] = dict.fromkeys((HtxError, IndexThreadBusy, HTTPException, Exception), _on_error)
    app = Starlette(
        routes=[
            *api.routes(),
            *adding.routes(settings),
            Route("/api/openapi.json", lambda _: Response(described, media_type="application/json"), methods=["GET"]),
            *pages.routes(),
        ],
        middleware=middleware,
        exception_handlers=handlers,
        lifespan=lifespan,
    )
    app.state.settings = settings
    app.state.intake = AdditionProcesses(settings.index, settings.corpus, seconds=settings.adding_s)
    return app


async def _prepare(lane: IndexThread) -> None:
    """Have a lane ready for related articles before somebody asks for them."""
    with suppress(HtxError, IndexThreadBusy):  # whoever asks is told what is wrong
        await lane.ask(Index.prepare_related)


async def _on_error(request: Request, error: Exception) -> Response:
    """Tell what went wrong; of what should not have happened only that it did. The server's log has the rest."""
    headers: dict[str, str] = {}
    known = error if isinstance(error, HtxError | IndexThreadBusy) else None
    if known:
        status, detail = status_of(known), str(error)
    elif isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        detail = error.detail if error.detail != status.phrase else _about(status, error)
        headers |= error.headers or {}
    else:
        status, detail = HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong here; the server's log says what"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers |= retry_after(known)
    if not request.url.path.startswith("/api/"):
        return pages.error_page(request, status, known or detail, headers)
    return Response(as_bytes(problem(status, detail, known)), status.value, headers, MEDIA_TYPE)


def _about(status: HTTPStatus, error: HTTPException) -> str:
    """Return what is told where no page or address is meant by a request."""
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        methods = [one for one in ("GET", "POST") if one in (error.headers or {}).get("Allow", "")]
        return f"nothing is done here by that method: use {' or '.join(methods)}"
    if status == HTTPStatus.NOT_FOUND:
        return "there is nothing at this address; /api/openapi.json lists what there is"
    return error.detail
