"""The pages of a search: the start page, results, downloads; errors.

They are links and forms; scripts only make them quicker.
"""

import asyncio
import datetime
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from htxsearch.answer.question import asks_for_answer
from htxsearch.errors import HtxError, IndexDamaged, IndexFailure, IndexMissing, IndexOutdated, QuerySyntaxError, UsageError
from htxsearch.errors.messages import LANGUAGES, Language
from htxsearch.index import Index
from htxsearch.query.filters import FACETS
from htxsearch.search.hit_files import HitReport, all_near, hits_file
from htxsearch.search.results import Results
from htxsearch.web.api import ARTICLE_ID, FILTERS, MAX_HITS, QUERY
from htxsearch.web.caching import AnswerCache, cached_answer
from htxsearch.web.errors import as_bytes, headers_of, status_of
from htxsearch.web.home_page import home_of, try_question
from htxsearch.web.index_thread import IndexThread, IndexThreadBusy, IndexThreads
from htxsearch.web.login import local_address
from htxsearch.web.parameters import Parameter, read_filled_parameters
from htxsearch.web.rendering import PageAddress, file_routes, render_page
from htxsearch.web.result_page import MAX_PAGES, PAGE_HITS, own_facets, result_values
from htxsearch.web.settings import Settings

__all__ = ["ARTICLE", "DOWNLOAD", "LANGUAGE", "MEDIA_TYPES", "error_page", "routes"]

_DOWNLOAD_S = 60.0
"""How long a download of many hits may take."""
_MAX_ERROR_PARAMETER = 1_000
"""Characters of a parameter that the links of an error page keep."""
_PASSING = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
"""Statuses of errors that pass: their page links to what was asked for."""
_ERROR_HEADINGS = (400, 401, 403, 404, 405, 409, 413, 421, 422, 429, 500, 503)
"""Statuses with a heading of their own; any other gets that of 400."""

MEDIA_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "md": "text/markdown",
    "json": "application/json",
}
"""The media types of downloads by their formats."""

LANGUAGE = Parameter(name="lang", about="language of the page", choices=LANGUAGES, default="vi")
_FILTER_NAMES = tuple(parameter.name for parameter in FILTERS)
_SEARCH = (
    Parameter(name="q", about=QUERY.about, max_length=QUERY.max_length),
    *FILTERS,
    Parameter(name="sort", about="best or newest first", choices=("score", "date"), default="score"),
    Parameter(name="page", about="which page", kind="integer", minimum=1, maximum=MAX_PAGES, default=1),
    LANGUAGE,
)
DOWNLOAD = (*_SEARCH, Parameter(name="format", about="of the download", choices=tuple(MEDIA_TYPES), default="csv"))
_ORIGIN = Parameter(name="origin", about="the page that the way back leads to", choices=("facts",))
_MARK = Parameter(name="mark", about="a span of the article to mark, START-END; other texts are passed over", max_length=None)
ARTICLE = (ARTICLE_ID, *_SEARCH, _ORIGIN, _MARK)
"""The parameters of an article's page: its address keeps the search that led to it, for highlights and the way back."""


def routes() -> list[Route]:
    """Return the routes of the pages and of their files."""
    return [
        Route("/", _search_page, methods=["GET"]),
        Route("/download", _download, methods=["GET"]),
        *file_routes(),
    ]


def _read(parameters: Sequence[Parameter], request: Request) -> dict[str, Any]:
    return read_filled_parameters(parameters, request.query_params.multi_items())


def _threads(request: Request) -> IndexThreads:
    threads: IndexThreads = request.app.state.index_threads
    return threads


# Search


async def _search_page(request: Request) -> Response:
    """Answer `/`: the form alone, or with the results of a query."""
    params = _read(_SEARCH, request)
    here, threads = PageAddress("/", params), _threads(request)
    try:
        if params["q"] is None:
            return await _start_page(request, here, params)
        today = datetime.date.today()
        cache: AnswerCache = request.app.state.answer_cache
        thread = threads.answers if _may_have_answers(params) else threads.search
        found = await cached_answer(request, thread, lambda index: _found(index, params, cache), varies=today.isoformat())
    except UsageError as error:
        return _refused(request, here, params, error)
    if found.answer is None:
        return _not_modified(found.headers)
    values = result_values(here, params, *found.answer, today)
    return _render(request, "results.html", here, params, found.headers, **values)


async def _start_page(request: Request, here: PageAddress, params: Mapping[str, Any]) -> Response:
    """Return the start page; the first of a commit has questions tried for the next."""
    threads = _threads(request)
    home = await cached_answer(request, threads.search, home_of, is_kept=False)
    if home.answer is None:
        return _not_modified(home.headers)
    headers = home.headers
    if home.answer.questions is None:
        headers = {"Cache-Control": "no-store"}  # the next time they may be there
        trial_tasks: set[asyncio.Task[None]] = request.app.state.trial_tasks
        if not trial_tasks:  # one for all readers
            trial_tasks.add(task := asyncio.create_task(_try_questions(threads.answers)))
            task.add_done_callback(trial_tasks.discard)
    return _render(request, "home.html", here, params, headers, home=home.answer)


async def _try_questions(thread: IndexThread) -> None:
    with suppress(IndexThreadBusy, IndexFailure):  # the next page has them tried
        while not await thread.ask(try_question):
            pass


def _may_have_answers(params: Mapping[str, Any]) -> bool:
    """Return True if a page may have an answer above its hits.

    A question seen only in the keystrokes of an input method has one all the same, from the thread of searches.
    """
    return params["page"] == 1 and params["sort"] == "score" and asks_for_answer(params["q"])


def _render(
    request: Request, template: str, here: PageAddress, params: Mapping[str, Any], headers: Mapping[str, str], **values: Any
) -> Response:
    return render_page(request, template, params["lang"], here, headers=headers, params=params, **values)


def _not_modified(headers: Mapping[str, str]) -> Response:
    return Response(status_code=304, headers=headers)


def _refused(request: Request, here: PageAddress, params: Mapping[str, Any], error: UsageError) -> Response:
    """Return the page for an invalid query.

    The form keeps the query, and a caret points at the error.
    """
    is_query = isinstance(error, QuerySyntaxError)
    pointed = error.caret if isinstance(error, QuerySyntaxError) else ""
    filters = {parameter.name: None for parameter in FILTERS}
    has_filters = params["q"] and not is_query and any(params[name] for name in filters)
    unfiltered = here.with_("/", page=1, **filters) if has_filters else None
    values: dict[str, Any] = {
        "heading": "error-400",
        "message": error.message,
        "pointed": pointed,
        "unfiltered": unfiltered,
        "command": None,
        "again": None,
    }
    shown = params if is_query else {**params, "since": None, "until": None}  # else the form would send them again
    return render_page(request, "error.html", params["lang"], here, status=status_of(error), params=shown, **values)


def _found(index: Index, params: Mapping[str, Any], cache: AnswerCache) -> tuple[Results, dict[str, Mapping[str, int]]]:
    """Return the results, and the counts of the places and sources to choose from.

    Those counts are kept: whoever ticks a place has just seen the page without it.
    """
    results = _search(index, params, answer=True)
    asked = {name: params[name] for name in ("q", *_FILTER_NAMES)}

    version = index.version()

    def key(without: str) -> str:
        return f"{without} of {index.path}\n{version}\n{asked | {without: ()}}"

    def count(name: str) -> Mapping[str, int]:
        free = {**params, name: (), "page": 1}
        return cache.get_or_make(key(name), lambda: _search(index, free, limit=1, facets=(name,)).facets[name])

    for name in ("place", "source"):
        if not params[name]:
            cache.get_or_make(key(name), partial(results.facets.__getitem__, name))
    return results, own_facets(params, results, count)


def _search(
    index: Index, params: Mapping[str, Any], *, limit: int = PAGE_HITS, facets: Sequence[str] = FACETS, answer: bool = False
) -> Results:
    filters = {parameter.name: params[parameter.name] for parameter in FILTERS}
    offset = (params["page"] - 1) * limit
    return index.search(params["q"], **filters, sort=params["sort"], limit=limit, offset=offset, facets=facets, answer=answer)


# Downloads


async def _download(request: Request) -> Response:
    """Answer `/download`: all near articles of a query as a table, a report or JSON.

    There are up to 10,000; other queries do not wait for them.
    """
    params = _read(DOWNLOAD, request) | {"page": 1}
    if params["q"] is None:
        raise UsageError("serve.missing", name=QUERY.name, about=QUERY.about)
    form = params["format"]
    has_day = form in ("docx", "md")  # and is another tomorrow
    thread = _threads(request).related
    cached = await cached_answer(
        request,
        thread,
        lambda index: _file(index, params),
        is_cached=not has_day,
        is_kept=False,
        timeout_s=_DOWNLOAD_S,
    )
    if cached.answer is None:
        return _not_modified(cached.headers)
    headers = {"Cache-Control": "no-store"} if has_day else cached.headers
    headers = headers | {"Content-Disposition": f'attachment; filename="htxsearch.{form}"'}
    return Response(cached.answer, media_type=MEDIA_TYPES[form], headers=headers)


def _file(index: Index, params: Mapping[str, Any]) -> bytes:
    """Return the near articles as the content of a file."""
    filters = {parameter.name: params[parameter.name] for parameter in FILTERS}
    results = all_near(index.search, params["q"], **filters, sort=params["sort"], limit=MAX_HITS, facets=FACETS)
    if params["format"] == "json":
        return as_bytes(results.as_json())
    narrowed = {name: (value,) if isinstance(value, str) else value for name, value in filters.items() if value}
    report = HitReport(results=results, language=params["lang"], day=datetime.date.today(), filters=narrowed)
    return hits_file(report, params["format"])


# Errors


def error_page(request: Request, error: HtxError) -> Response:
    """Return a page with an error, and the form to try again."""
    status = status_of(error)
    language: Language = "en" if request.query_params.get("lang") == "en" else "vi"
    params: dict[str, Any] = {parameter.name: () if parameter.repeated else parameter.default for parameter in _SEARCH}
    asked = {parameter.name: tuple(request.query_params.getlist(parameter.name)) for parameter in ARTICLE}
    kept = {name: texts for name, texts in asked.items() if all(len(text) <= _MAX_ERROR_PARAMETER for text in texts)}
    params |= {"lang": language, "q": next(iter(kept.get("q", ())), None)}
    here = PageAddress(request.url.path, kept | {"lang": language})  # the link to the other language shows this page again
    heading = status.value if status.value in _ERROR_HEADINGS else 400
    command = _command(error, request.app.state.settings)
    values: dict[str, Any] = {
        "heading": "error-no-index" if command else f"error-{heading}",
        "message": error.message,
        "pointed": "",
        "unfiltered": None,
    }
    values |= {"command": command, "again": _again(request) if status in _PASSING else None}
    headers = headers_of(error)
    return render_page(request, "error.html", language, here, status=status, headers=headers, params=params, **values)


def _again(request: Request) -> str | None:
    """Return the address that was asked for, None if it was a form that was sent."""
    if request.method not in ("GET", "HEAD"):
        return None
    return local_address(f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path)


def _command(error: HtxError, settings: Settings) -> str | None:
    """Return the command that makes or mends the index, if that is the trouble."""
    if not isinstance(error, IndexMissing | IndexDamaged | IndexOutdated):
        return None
    words = ["htxsearch", "reindex", *([] if isinstance(error, IndexMissing) else ["--rebuild"])]
    usual = Settings()
    for name in ("index", "corpus"):
        folder = getattr(settings, name)
        words += [f"--{name}", folder] if folder != getattr(usual, name) else []
    return shlex.join(words)
