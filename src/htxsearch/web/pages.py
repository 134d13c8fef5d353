"""The pages: search, article, related articles, dropped parts, downloads.

They are links and forms; scripts only make them quicker.
"""

import datetime
import re
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from htxsearch.errors import HtxError, IndexDamaged, IndexMissing, IndexOutdated, QuerySyntaxError, UnknownArticle, UsageError
from htxsearch.errors.messages import LANGUAGES, Language
from htxsearch.index import Index
from htxsearch.query.filters import FACETS
from htxsearch.search.hit_files import HitReport, all_near, hits_file
from htxsearch.search.results import ArticleView, RelatedArticles, Results
from htxsearch.text.sentences import Span
from htxsearch.web.api import ARTICLE_ID, FILTERS, MAX_HITS, QUERY
from htxsearch.web.caching import AnswerCache, cached_answer
from htxsearch.web.citations import citations_of
from htxsearch.web.errors import as_bytes, headers_of, status_of
from htxsearch.web.home_page import home_of
from htxsearch.web.index_thread import IndexThreadBusy, IndexThreads
from htxsearch.web.parameters import Parameter, read_filled_parameters
from htxsearch.web.rendering import PageAddress, file_routes, pieces, render_page
from htxsearch.web.result_page import MAX_PAGES, PAGE_HITS, own_facets, result_values
from htxsearch.web.settings import Settings

__all__ = ["LANGUAGE", "MEDIA_TYPES", "error_page", "routes"]

_DOWNLOAD_S = 60.0
"""How long a download of many hits may take."""
_ARTICLE_RELATED, _MAX_RELATED = 5, 20
"""Related articles on an article's page and on their own page."""
_MAX_ERROR_PARAMETER = 1_000
"""Characters of a parameter that the links of an error page keep."""
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
_DOWNLOAD = (*_SEARCH, Parameter(name="format", about="of the download", choices=tuple(MEDIA_TYPES), default="csv"))
_ORIGIN = Parameter(name="origin", about="the page that the way back leads to", choices=("facts",))
_MARK = Parameter(name="mark", about="a span of the article to mark, START-END; other texts are passed over", max_length=None)
_ARTICLE = (ARTICLE_ID, *_SEARCH, _ORIGIN, _MARK)
"""The address of an article keeps the search that led to it, for highlights and the way back."""
_SPAN = re.compile(r"([0-9]{1,8})-([0-9]{1,8})")


def routes() -> list[Route]:
    """Return the routes of the pages and of their files."""
    return [
        Route("/", _search_page, methods=["GET"]),
        Route("/article", _article_page, methods=["GET"]),
        Route("/related", _related_page, methods=["GET"]),
        Route("/dropped", _dropped_page, methods=["GET"]),
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
    here = PageAddress("/", params)
    thread = _threads(request).search
    try:
        if params["q"] is None:
            home = await cached_answer(request, thread, home_of)
            if home.answer is None:
                return _not_modified(home.headers)
            return _render(request, "home.html", here, params, home.headers, home=home.answer)
        today = datetime.date.today()
        cache: AnswerCache = request.app.state.answer_cache
        found = await cached_answer(request, thread, lambda index: _found(index, params, cache), varies=today.isoformat())
    except UsageError as error:
        return _refused(request, here, params, error)
    if found.answer is None:
        return _not_modified(found.headers)
    values = result_values(here, params, *found.answer, today)
    return _render(request, "results.html", here, params, found.headers, **values)


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
    }
    shown = params if is_query else {**params, "since": None, "until": None}  # else the form would send them again
    return render_page(request, "error.html", params["lang"], here, status=status_of(error), params=shown, **values)


def _found(index: Index, params: Mapping[str, Any], cache: AnswerCache) -> tuple[Results, dict[str, Mapping[str, int]]]:
    """Return the results, and the counts of the places and sources to choose from.

    Those counts are kept: whoever ticks a place has just seen the page without it.
    """
    results = _search(index, params, answer=True)
    asked = {name: params[name] for name in ("q", *_FILTER_NAMES)}

    def key(without: str) -> str:
        return f"{without} of {index.path}\n{index.version()}\n{asked | {without: ()}}"

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


# An article, and related articles


async def _article_page(request: Request) -> Response:
    """Answer `/article`: an article with an anchor for each passage.

    Related articles are on the page if they come quickly.
    """
    params = _read(_ARTICLE, request)
    threads = _threads(request)
    cached = await cached_answer(request, threads.search, lambda index: _article(index, params))
    if cached.answer is None:
        return _not_modified(cached.headers)
    view, highlights = cached.answer
    headers = cached.headers
    related: RelatedArticles | None = None
    try:
        timeout_s = request.app.state.settings.related_timeout_s
        related = await threads.related.ask(
            lambda index: index.related(view.article.id, limit=_ARTICLE_RELATED), timeout_s=timeout_s
        )
    except (IndexThreadBusy, UnknownArticle):  # the page has a link instead; a client must not keep it
        headers = {"Cache-Control": "no-store"}
    values: dict[str, Any] = {
        "view": view,
        "passages": _passages(view, highlights),
        "related": related,
        "original": PageAddress("/original", {"id": params["id"], "lang": params["lang"]}).with_(),
        "citations": citations_of(view.article, params["lang"]),
    }
    return _render(request, "article.html", PageAddress("/article", params | {"mark": None}), params, headers, **values)


def _article(index: Index, params: Mapping[str, Any]) -> tuple[ArticleView, list[list[Span]]]:
    """Return an article, and what is marked in each of its passages.

    That is the span that the address names, as that of an answer, else the words of the query.
    """
    view = index.show(params["id"])
    marked = _SPAN.fullmatch(params["mark"] or "")
    if marked and (parts := _parts(view, Span(int(marked[1]), int(marked[2])))):
        return view, parts
    texts = [view.article.body[span.start : span.end] for span in view.passages]
    no_highlights: list[list[Span]] = [[] for _ in texts]
    try:
        return view, index.highlights(params["q"], texts) if params["q"] else no_highlights
    except QuerySyntaxError:  # the article can be read without
        return view, no_highlights


def _parts(view: ArticleView, marked: Span) -> list[list[Span]]:
    """Return the part of a span in each passage; an empty list if it marks nothing."""
    parts = [
        [Span(max(marked.start - one.start, 0), min(marked.end, one.end) - one.start)]
        if max(marked.start, one.start) < min(marked.end, one.end)
        else []
        for one in view.passages
    ]
    return parts if any(parts) else []


class _ShownPassage(NamedTuple):
    """A passage: its start, the page that begins with it, its paragraphs in pieces."""

    start: int
    page: int | None
    paragraphs: list[list[tuple[str, bool]]]


def _passages(view: ArticleView, highlights: Sequence[Sequence[Span]]) -> list[_ShownPassage]:
    """Return the passages of an article as they are shown."""
    body = view.article.body
    shown = []
    former: int | None = None
    for span, of_passage in zip(view.passages, highlights, strict=True):
        page = view.article.page_at(span.start)
        paragraphs = _paragraphs(pieces(body[span.start : span.end], of_passage))
        shown.append(_ShownPassage(span.start, page if page != former else None, paragraphs))
        former = page
    return shown


def _paragraphs(pieces: Sequence[tuple[str, bool]]) -> list[list[tuple[str, bool]]]:
    """Return the pieces of each line of a text that is not blank."""
    lines: list[list[tuple[str, bool]]] = [[]]
    for text, is_highlighted in pieces:
        first, *more = text.split("\n")
        lines[-1].append((first, is_highlighted))
        lines += [[(part, is_highlighted)] for part in more]
    return [line for line in lines if any(part.strip() for part, _ in line)]


async def _related_page(request: Request) -> Response:
    """Answer `/related`: the articles related to one."""
    params = _read(_ARTICLE, request)

    def ask(index: Index) -> tuple[ArticleView, RelatedArticles]:
        return index.show(params["id"]), index.related(params["id"], limit=_MAX_RELATED)

    cached = await cached_answer(request, _threads(request).related, ask)
    if cached.answer is None:
        return _not_modified(cached.headers)
    view, related = cached.answer
    here = PageAddress("/related", params)
    return _render(request, "related.html", here, params, cached.headers, view=view, related=related)


async def _dropped_page(request: Request) -> Response:
    """Answer `/dropped`: the dropped parts of an article's original, with reasons."""
    params = _read(_ARTICLE, request)
    view, dropped = await _threads(request).related.ask(lambda index: (index.show(params["id"]), index.dropped(params["id"])))
    headers = {"Cache-Control": "no-store"}
    return _render(request, "dropped.html", PageAddress("/dropped", params), params, headers, view=view, dropped=dropped)


# Downloads


async def _download(request: Request) -> Response:
    """Answer `/download`: all near articles of a query as a table, a report or JSON.

    There are up to 10,000; other queries do not wait for them.
    """
    params = _read(_DOWNLOAD, request) | {"page": 1}
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
    asked = {parameter.name: tuple(request.query_params.getlist(parameter.name)) for parameter in _ARTICLE}
    kept = {name: texts for name, texts in asked.items() if all(len(text) <= _MAX_ERROR_PARAMETER for text in texts)}
    params |= {"lang": language, "q": next(iter(kept.get("q", ())), None)}
    here = PageAddress(request.url.path, kept | {"lang": language})  # the link to the other language shows this page again
    heading = status.value if status.value in _ERROR_HEADINGS else 400
    command = _command(error, request.app.state.settings)
    values: dict[str, Any] = {"heading": f"error-{heading}", "message": error.message, "pointed": "", "unfiltered": None}
    values["command"] = command
    headers = headers_of(error)
    return render_page(request, "error.html", language, here, status=status, headers=headers, params=params, **values)


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
