"""The pages: search, article, related articles, dropped parts, downloads.

They are links and forms; scripts only make them quicker.
"""

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from htxsearch.errors import HtxError, QuerySyntaxError, UnknownArticle, UsageError
from htxsearch.errors.messages import LANGUAGES, Language
from htxsearch.index import Index
from htxsearch.query.filters import FACETS
from htxsearch.search.hit_files import HitReport, hits_file
from htxsearch.search.results import Answer, Answers, ArticleView, Info, RelatedArticles, Results, by_province
from htxsearch.text.places import former_parts
from htxsearch.text.sentences import Span
from htxsearch.web.api import ARTICLE_ID, FILTERS, MAX_HITS, QUERY
from htxsearch.web.caching import cached_answer
from htxsearch.web.citations import citations_of
from htxsearch.web.errors import as_bytes, headers_of, status_of
from htxsearch.web.index_thread import IndexThreadBusy, IndexThreads
from htxsearch.web.parameters import Parameter, read_filled_parameters
from htxsearch.web.rendering import PageAddress, file_routes, pieces, render_page

__all__ = ["LANGUAGE", "MEDIA_TYPES", "error_page", "routes"]

_PAGE_HITS = 10
_MAX_PAGES = 100
_PAGES_AROUND = 2
"""Pages before and after the present one that are linked."""
_FACET_VALUES = 8
"""Values of a facet that are shown before "more"."""
_HOME_VALUES = 12
"""Places, and sources, that the first page offers."""
_MAX_YEARS = 60
"""Years in the chart."""
_ARTICLE_RELATED, _MAX_RELATED = 5, 20
"""Related articles on an article's page and on their own page."""
_MAX_ERROR_PARAMETER = 1_000
"""Characters of a parameter that the links of an error page keep."""
_ERROR_HEADINGS = (400, 401, 403, 404, 405, 409, 421, 429, 500, 503)
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
_SEARCH = (
    Parameter(name="q", about=QUERY.about, max_length=QUERY.max_length),
    *FILTERS,
    Parameter(name="sort", about="best or newest first", choices=("score", "date"), default="score"),
    Parameter(name="page", about="which page", kind="integer", minimum=1, maximum=_MAX_PAGES, default=1),
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
            home = await cached_answer(request, thread, Index.info)
            if home.answer is None:
                return _not_modified(home.headers)
            return _render(request, "home.html", here, params, home.headers, **_home(home.answer))
        found = await cached_answer(request, thread, lambda index: _search(index, params, answer=True))
    except UsageError as error:
        return _refused(request, here, params, error)
    if found.answer is None:
        return _not_modified(found.headers)
    return _render(request, "results.html", here, params, found.headers, **_results(here, params, found.answer))


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
    values: dict[str, Any] = {"heading": "error-400", "message": error.message, "pointed": pointed, "unfiltered": unfiltered}
    shown = params if is_query else {**params, "since": None, "until": None}  # else the form would send them again
    return render_page(request, "error.html", params["lang"], here, status=status_of(error), params=shown, **values)


def _search(
    index: Index, params: Mapping[str, Any], *, limit: int = _PAGE_HITS, facets: Sequence[str] = FACETS, answer: bool = False
) -> Results:
    filters = {parameter.name: params[parameter.name] for parameter in FILTERS}
    offset = (params["page"] - 1) * limit
    return index.search(params["q"], **filters, sort=params["sort"], limit=limit, offset=offset, facets=facets, answer=answer)


def _other_answers(answers: Answers | None) -> list[tuple[str, list[Answer]]]:
    """Return the other answers in their order, grouped by their relation."""
    groups = groupby(answers.others if answers is not None else (), lambda answer: answer.relation)
    return [(relation.replace(" ", "-"), list(group)) for relation, group in groups if relation]


def _home(info: Info) -> dict[str, Any]:
    """Return the size of the index, and its commonest provinces and sources."""
    places, sources = by_province(info.places, others=True), info.sources
    return {"info": info, "places": _commonest(places)[:_HOME_VALUES], "sources": _commonest(sources)[:_HOME_VALUES]}


def _commonest(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return values with their counts, commonest first."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


class _FacetValue(NamedTuple):
    """A value of a facet, its articles, and the address that filters by it."""

    value: str
    articles: int
    href: str


class _Bar(NamedTuple):
    """A year in the chart, in a drawing of height 100 with 24 units a year."""

    year: str
    articles: int
    x: int
    y: float
    height: float
    href: str


_BAR_WIDTH = 24
_CHART_HEIGHT = 100
_MIN_BAR_HEIGHT = 3.0


def _results(here: PageAddress, params: Mapping[str, Any], results: Results) -> dict[str, Any]:
    """Return the values of the page of results."""
    page = params["page"]
    first = (page - 1) * _PAGE_HITS + 1
    last_page = min(-(-results.total // _PAGE_HITS), _MAX_PAGES)
    if len(results.hits) < _PAGE_HITS:  # reprints are part of the total, but stand behind another hit
        last_page = min(last_page, page)
    near = range(max(1, page - _PAGES_AROUND), min(last_page, page + _PAGES_AROUND) + 1)
    return {
        "results": results,
        "answers": results.answers,
        "other_answers": _other_answers(results.answers),
        "first": first,
        "last": first + len(results.hits) - 1,
        "facets": {name: _facet_values(here, params, name, results) for name in ("province", "place", "source")},
        "facet_values": _FACET_VALUES,
        "bars": _bars(here, results.facets["year"]),
        "chosen": _chosen(here, params),
        "pages": [(number, here.with_(page=number)) for number in near],
        "previous": here.with_(page=page - 1) if page > 1 else None,
        "following": here.with_(page=page + 1) if page < last_page else None,
        "highlighted_query": results.read_as or results.query,
    }


def _facet_values(here: PageAddress, params: Mapping[str, Any], name: str, results: Results) -> list[_FacetValue]:
    """Return the values of a facet that narrow the results, commonest first."""
    parameter = "source" if name == "source" else "place"
    values = []
    for value, count in _commonest(results.facets[name]):
        filter_value = _former(value) if name == "place" else value
        if filter_value not in params[parameter] and count < results.near:
            values.append(_FacetValue(value, count, here.with_(page=1, **{parameter: (filter_value,)})))
    return values


def _former(place: str) -> str:
    """Return the filter for a province as it was before July 2025.

    It differs from the name where a present province has the same name.
    """
    return f"{place} (cũ)" if len(former_parts(place)) > 1 else place


def _chosen(here: PageAddress, params: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the active filters: kind, value, and the address without the filter."""
    chosen = [
        (name, value, here.with_(page=1, **{name: tuple(other for other in params[name] if other != value)}))
        for name in ("place", "source")
        for value in params[name]
    ]
    since, until = params["since"], params["until"]
    if since or until:
        period = since if since == until else f"{since or '…'} – {until or '…'}"
        chosen.append(("year", period, here.with_(page=1, since=None, until=None)))
    return chosen


def _bars(here: PageAddress, counts: Mapping[str, int]) -> list[_Bar]:
    """Return the chart of articles by year, from the first year to the last.

    Of very many years, the latest that have articles.
    """
    if len(counts) < 2:
        return []
    present = sorted(map(int, counts))
    years: Sequence[int] = range(present[0], present[-1] + 1)
    if len(years) > _MAX_YEARS:
        years = present[-_MAX_YEARS:]
    most = max(counts.values())
    bars = []
    for position, year in enumerate(map(str, years)):
        count = counts.get(year, 0)
        height = round(max(_MIN_BAR_HEIGHT, _CHART_HEIGHT * count / most), 1) if count else 0.0
        href = here.with_(page=1, since=year, until=year)
        bars.append(_Bar(year, count, _BAR_WIDTH * position, _CHART_HEIGHT - height, height, href))
    return bars


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
    return _render(request, "article.html", PageAddress("/article", params), params, headers, **values)


def _article(index: Index, params: Mapping[str, Any]) -> tuple[ArticleView, list[list[Span]]]:
    """Return an article, and the highlights of the query in each of its passages.

    If a span is to be marked, it is the only highlight.
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
    """Answer `/download`: the near articles of a query as a table, a report or JSON."""
    params = _read(_DOWNLOAD, request) | {"page": 1}
    if params["q"] is None:
        raise UsageError("serve.missing", name=QUERY.name, about=QUERY.about)
    form = params["format"]
    has_day = form in ("docx", "md")  # and is another tomorrow
    cached = await cached_answer(request, _threads(request).search, lambda index: _file(index, params), is_cached=not has_day)
    if cached.answer is None:
        return _not_modified(cached.headers)
    headers = {"Cache-Control": "no-store"} if has_day else cached.headers
    headers = headers | {"Content-Disposition": f'attachment; filename="htxsearch.{form}"'}
    return Response(cached.answer, media_type=MEDIA_TYPES[form], headers=headers)


def _file(index: Index, params: Mapping[str, Any]) -> bytes:
    """Return the near articles as the content of a file."""
    results = _search(index, params, limit=MAX_HITS)
    results = replace(results, hits=tuple(hit for hit in results.hits if hit.near))
    if params["format"] == "json":
        return as_bytes(results.as_json())
    values = {parameter.name: params[parameter.name] for parameter in FILTERS}
    filters = {name: (value,) if isinstance(value, str) else value for name, value in values.items() if value}
    report = HitReport(results=results, language=params["lang"], day=datetime.date.today(), filters=filters)
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
    values: dict[str, Any] = {"heading": f"error-{heading}", "message": error.message, "pointed": "", "unfiltered": None}
    headers = headers_of(error)
    return render_page(request, "error.html", language, here, status=status, headers=headers, params=params, **values)
