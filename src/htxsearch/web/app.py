"""The application: routes, responses to errors, index threads."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, get_args

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from htxsearch.errors import HtxError
from htxsearch.index import Index
from htxsearch.web import (
    additions,
    api,
    article_pages,
    corrections,
    fact_pages,
    job_pages,
    login,
    new_pages,
    originals,
    pages,
    status_pages,
)
from htxsearch.web.addition_process import AdditionProcesses
from htxsearch.web.caching import AnswerCache
from htxsearch.web.errors import MEDIA_TYPE, RequestError, as_bytes, headers_of, problem_details, status_of
from htxsearch.web.index_thread import IndexThread, IndexThreads
from htxsearch.web.jobs import JobKind, JobQueue
from htxsearch.web.monitoring import MEDIA_TYPE as METRICS_TYPE
from htxsearch.web.monitoring import Metrics, MetricsMiddleware, metrics_text
from htxsearch.web.openapi import METRICS, document
from htxsearch.web.security import SecurityMiddleware
from htxsearch.web.settings import Settings
from htxsearch.web.tokens import Tokens

__all__ = ["from_environment", "make_app"]

_LEAST_COMPRESSED, _COMPRESSION = 1_000, 5
"""Bytes from which a response is compressed, and how hard: a page of 40 KB takes .5 ms and becomes 9 KB."""


def from_environment() -> Starlette:
    """Return the application for the settings in the environment.

    The server calls it in each worker process.
    """
    _stop_with_parent()
    return make_app(Settings.from_environment())


def make_app(settings: Settings) -> Starlette:
    """Return the application for settings.

    It opens the index at the first question, and sees every later commit.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        make_thread = partial(IndexThread, timeout_s=settings.timeout_s, max_waiting=settings.max_waiting)
        make_index = partial(Index, settings.index, corpus=settings.corpus, reader=settings.reader or None)
        threads = IndexThreads(
            search=make_thread("search", make_index()),
            answers=make_thread("answers", make_index()),
            related=make_thread("related", make_index(), trims_memory=True),
        )
        app.state.index_threads = threads
        app.state.jobs = JobQueue(
            settings.index,
            settings.corpus,
            timeout_s=settings.addition_timeout_s,
            key=settings.job_key,
            kinds=get_args(JobKind) if settings.allow_add else ("reindex",),
        )
        if settings.allow_add or tokens.has_editors:
            app.state.jobs.start()
        warming_up = asyncio.create_task(_warm_up(threads.related))
        yield
        warming_up.cancel()
        await app.state.jobs.stop()
        threads.close()

    metrics = Metrics()
    tokens = Tokens(settings)
    handlers: dict[Any, Any] = dict.fromkeys((HtxError, HTTPException, Exception), _on_error)
    app = Starlette(
        routes=_routes(settings),
        middleware=[Middleware(MetricsMiddleware, metrics=metrics), *_middleware(settings, tokens), _compression()],
        exception_handlers=handlers,
        lifespan=lifespan,
    )
    app.state.settings = settings
    app.state.tokens = tokens
    app.state.login_limiter = login.make_limiter()
    app.state.metrics = metrics
    app.state.answer_cache = AnswerCache()
    app.state.trial_tasks = set()
    app.state.addition_processes = AdditionProcesses(settings.index, settings.corpus, timeout_s=settings.addition_timeout_s)
    return app


def _routes(settings: Settings) -> list[BaseRoute]:
    openapi = as_bytes(document(allow_add=settings.allow_add))
    return [
        *api.routes(),
        *additions.routes(settings),
        *(job_pages.routes() if settings.allow_add else ()),
        Route(METRICS, _metrics, methods=["GET"]),
        Route("/api/openapi.json", lambda _: Response(openapi, media_type="application/json"), methods=["GET"]),
        *pages.routes(),
        *article_pages.routes(),
        *fact_pages.routes(),
        *new_pages.routes(),
        *status_pages.routes(settings),
        *originals.routes(),
        *login.routes(),
        *corrections.routes(),
    ]


def _stop_with_parent() -> None:
    """End this process, as at SIGTERM, when the one that started it is gone.

    Without workers there is no such process, and nothing is done.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_stop_behind, args=(parent.sentinel,), name="parent", daemon=True).start()


def _stop_behind(sentinel: int) -> None:
    """Wait for the end of a process by its sentinel, then end this one."""
    wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


async def _metrics(request: Request) -> Response:
    """Return the metrics of this process."""
    state = request.app.state
    text = await metrics_text(state.metrics, state.index_threads, Path(state.settings.index))
    return Response(text, media_type=METRICS_TYPE, headers={"Cache-Control": "no-store"})


def _compression() -> Middleware:
    return Middleware(GZipMiddleware, minimum_size=_LEAST_COMPRESSED, compresslevel=_COMPRESSION)


def _middleware(settings: Settings, tokens: Tokens) -> list[Middleware]:
    security = Middleware(
        SecurityMiddleware,
        settings=settings,
        tokens=tokens,
        respond=lambda scope, error: _error_response(Request(scope), error),
    )
    if not settings.cors:
        return [security]
    cors = Middleware(CORSMiddleware, allow_origins=settings.cors, allow_methods=["GET"], allow_headers=["Authorization"])
    return [cors, security]  # a browser asks for permission before it sends a token


async def _warm_up(thread: IndexThread) -> None:
    """Prepare a thread for related articles before the first request for them."""
    with suppress(HtxError):  # that request gets the error
        await thread.ask(Index.prepare_related)


async def _on_error(request: Request, exception: Exception) -> Response:
    """Return the response to an exception.

    An unforeseen one is logged, and its response says no more than that.
    """
    if isinstance(exception, HtxError):
        return _error_response(request, exception)
    if isinstance(exception, HTTPException):
        if exception.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            return _method_refused(request)
        return _error_response(request, _request_error(exception))
    return _error_response(request, RequestError(HTTPStatus.INTERNAL_SERVER_ERROR, "serve.unforeseen"))


def _error_response(request: Request, error: HtxError) -> Response:
    """Return an error as problem details for the API, as a page for a reader."""
    if not request.url.path.startswith(("/api/", METRICS)):
        needs_login = status_of(error) == HTTPStatus.UNAUTHORIZED or error.code == "serve.editor-needed"
        return login.login_page(request, error) if needs_login else pages.error_page(request, error)
    return Response(problem_details(error), status_of(error).value, headers_of(error), MEDIA_TYPE)


def _request_error(exception: HTTPException) -> RequestError:
    """Return an error of Starlette's router (no such address or method) as ours."""
    status, headers = HTTPStatus(exception.status_code), exception.headers
    if status == HTTPStatus.NOT_FOUND:
        return RequestError(status, "serve.not-found", headers=headers)
    return RequestError(status, exception.detail, headers=headers)


def _method_refused(request: Request) -> Response:
    """Return 405 with the methods of an address, or to OPTIONS these alone."""
    routes = [
        route for route in request.app.routes if isinstance(route, Route) and route.matches(request.scope)[0] != Match.NONE
    ]
    allowed = sorted({method for route in routes for method in route.methods or ()})
    if request.method == "OPTIONS":
        return Response(status_code=HTTPStatus.NO_CONTENT.value, headers={"Allow": ", ".join([*allowed, "OPTIONS"])})
    methods = tuple(method for method in allowed if method in ("GET", "POST"))
    headers = {"Allow": ", ".join(allowed)}
    return _error_response(
        request, RequestError(HTTPStatus.METHOD_NOT_ALLOWED, "serve.method-not-allowed", headers=headers, methods=methods)
    )
