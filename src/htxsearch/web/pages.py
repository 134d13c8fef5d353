"""The pages: search, article, related articles, downloads. All of it is links and forms; scripts only make it quicker."""

import csv
import datetime
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from htxsearch.errors import QuerySyntaxError, UnknownArticle, UsageError
from htxsearch.index import Index
from htxsearch.query.filters import FACETS
from htxsearch.search.highlight import visible
from htxsearch.search.results import Answer, Answers, ArticleView, Info, RelatedArticles, Results
from htxsearch.text.places import former_parts, province_now
from htxsearch.text.sentences import Span
from htxsearch.web.api import FILTERS, MOST_HITS, QUERY, IndexThreads
from htxsearch.web.caching import answered
from htxsearch.web.errors import as_bytes, status_of
from htxsearch.web.index_thread import IndexThreadBusy
from htxsearch.web.parameters import Parameter, read
from htxsearch.web.rendering import PageAddress, address_of, day, file_routes, pieces, render
from htxsearch.web.translations import Language

__all__ = ["error_page", "routes"]

_ON_A_PAGE = 10
_MOST_PAGES = 100
_SHOWN_VALUES = 8
"""Values of a facet that are shown at once."""
_EXPORTED = MOST_HITS
_LONGEST_KEPT = 1_000
"""Characters of a parameter that a page about an error keeps."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula at the beginning of a cell."""

_LANGUAGE = Parameter(name="lang", about="language of the page", choices=("vi", "en"), default="vi")
_SEARCH = (
    Parameter(name="q", about=QUERY.about, longest=QUERY.longest),
    *FILTERS,
    Parameter(name="sort", about="best or newest first", choices=("score", "date"), default="score"),
    Parameter(name="page", about="which page", kind="integer", least=1, most=_MOST_PAGES, default=1),
    Parameter(name="format", about="of a download", choices=("csv", "json"), default="csv"),
    _LANGUAGE,
)
_ARTICLE = (Parameter(name="id", about="the article's id", required=True, longest=1_000), *_SEARCH)
"""An article keeps the search it was found by, to mark what was asked and to lead back."""


class _Option(NamedTuple):
    """A value of a facet: what is shown, how many articles have it, and where it leads."""

    value: str
    articles: int
    href: str


class _Bar(NamedTuple):
    """A year in the chart: where it stands in a drawing 100 high, 24 to a year."""

    year: str
    articles: int
    x: int
    y: float
    height: float
    href: str


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


# Search


def _read(parameters: Sequence[Parameter], request: Request) -> dict[str, Any]:
    """Return a page's parameters; empty fields of a form count as left out, and what is not known is passed over."""
    names = {one.name for one in parameters}
    given = [(name, text) for name, text in request.query_params.multi_items() if name in names and text.strip()]
    return read(parameters, given)


async def _search_page(request: Request) -> Response:
    """Answer `/`: the form, and what a query finds."""
    given = _read(_SEARCH, request)
    language: Language = given["lang"]
    here = address_of("/", given)
    lanes: IndexThreads = request.app.state.lanes
    try:
        if given["q"] is None:
            home = await answered(request, lanes.search, Index.info)
            if home.found is None:
                return Response(status_code=304, headers=home.headers)
            return render(request, "home.html", language, here, headers=home.headers, given=given, **_home(home.found))
        done = await answered(request, lanes.search, lambda index: _find(index, given, answer=True))
    except UsageError as error:
        return _refused(request, language, here, given, error)
    if done.found is None:
        return Response(status_code=304, headers=done.headers)
    found, answers = done.found, done.found.answers
    values = _results(here, given, found) | {"answers": answers, "others": _others(answers) if answers else []}
    return render(request, "results.html", language, here, headers=done.headers, given=given, **values)


def _refused(request: Request, language: Language, here: PageAddress, given: Mapping[str, Any], error: UsageError) -> Response:
    """Return the page for a query that cannot be asked: it stays in the form, and what is wrong is pointed at."""
    is_query = isinstance(error, QuerySyntaxError)
    pointed = f"{error.query}\n{' ' * error.column}^" if isinstance(error, QuerySyntaxError) else ""
    filters = {one.name: None for one in FILTERS}
    again = here.with_("/", page=1, **filters) if given["q"] and not is_query and any(given[one] for one in filters) else None
    values: dict[str, Any] = {"heading": "error_400", "message": _reason(error), "pointed": pointed, "again": again}
    given = given if is_query else {**given, "since": None, "until": None}  # else the form would send them again
    return render(request, "error.html", language, here, status=status_of(error), given=given, **values)


def _find(
    index: Index, given: Mapping[str, Any], *, limit: int = _ON_A_PAGE, facets: Sequence[str] = FACETS, answer: bool = False
) -> Results:
    filters = {one.name: given[one.name] for one in FILTERS}
    offset = (given["page"] - 1) * limit
    return index.search(given["q"], **filters, sort=given["sort"], limit=limit, offset=offset, facets=facets, answer=answer)


def _others(answers: Answers) -> list[tuple[str, list[Answer]]]:
    """Return what other articles say, by what it is to the answer: figures that contradict it first, a series newest first."""
    found = []
    for relation in ("different", "other date", "same"):
        group = [one for one in answers.others if one.relation == relation]
        group.sort(key=lambda one: one.date or datetime.date.min, reverse=True)
        found.append((relation, group))
    return [(relation, group) for relation, group in found if group]


def _reason(error: Exception) -> str:
    return error.reason if isinstance(error, QuerySyntaxError) else str(error)


def _home(info: Info) -> dict[str, Any]:
    """Return what the first page shows: how much there is, and the commonest places and sources to begin with."""
    provinces: Counter[str] = Counter()
    for place, count in info.places.items():
        provinces[province_now(place) or place] += count
    return {"info": info, "places": _most(provinces), "sources": _most(info.sources)}


def _most(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:12]


def _results(here: PageAddress, given: Mapping[str, Any], found: Results) -> dict[str, Any]:
    """Return what the page of results shows."""
    first = (given["page"] - 1) * _ON_A_PAGE + 1
    last_page = min(-(-found.total // _ON_A_PAGE), _MOST_PAGES)
    if len(found.hits) < _ON_A_PAGE:  # reprints that stand behind others are counted, but are no hits of their own
        last_page = min(last_page, given["page"])
    near = [number for number in range(given["page"] - 2, given["page"] + 3) if 1 <= number <= last_page]
    return {
        "found": found,
        "first": first,
        "last": first + len(found.hits) - 1,
        "options": {name: _options(here, given, name, found) for name in ("province", "place", "source")},
        "bars": _bars(here, found.facets["year"]),
        "chosen": _chosen(here, given),
        "pages": [(number, here.with_(page=number)) for number in near],
        "previous": here.with_(page=given["page"] - 1) if given["page"] > 1 else None,
        "following": here.with_(page=given["page"] + 1) if given["page"] < last_page else None,
        "marked_query": found.read_as or found.query,
        "shown_values": _SHOWN_VALUES,
    }


def _options(here: PageAddress, given: Mapping[str, Any], name: str, found: Results) -> list[_Option]:
    """Return the values of a facet that narrow what was found, commonest first."""
    field = "source" if name == "source" else "place"
    ordered = sorted(found.facets[name].items(), key=lambda one: (-one[1], one[0]))
    meant = [(value, count, _former(value) if name == "place" else value) for value, count in ordered]
    return [
        _Option(value, count, here.with_(page=1, **{field: (typed,)}))
        for value, count, typed in meant
        if typed not in given[field] and count < found.total
    ]


def _former(place: str) -> str:
    """Return what means a place as it was before July 2025, where one of today has its name."""
    return f"{place} (cũ)" if len(former_parts(place)) > 1 else place


def _chosen(here: PageAddress, given: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the filters in force: their kind, their value, and the address without them."""
    found = [
        (name, value, here.with_(page=1, **{name: tuple(one for one in given[name] if one != value)}))
        for name in ("place", "source")
        for value in given[name]
    ]
    dates = [given["since"], given["until"]]
    if any(dates):
        shown = dates[0] if dates[0] == dates[1] else " – ".join(one or "…" for one in dates)
        found.append(("year", shown, here.with_(page=1, since=None, until=None)))
    return found


def _bars(here: PageAddress, counts: Mapping[str, int]) -> list[_Bar]:
    """Return the chart of articles by year, every year between the first and the last."""
    if len(counts) < 2:
        return []
    years = range(min(map(int, counts)), max(map(int, counts)) + 1)
    most = max(counts.values())
    bars = []
    for at, year in enumerate(years if len(years) <= 60 else sorted(map(int, counts))[-60:]):
        count = counts.get(str(year), 0)
        height = round(max(3.0, 100 * count / most), 1) if count else 0.0
        bars.append(_Bar(str(year), count, 24 * at, 100 - height, height, here.with_(page=1, since=str(year), until=str(year))))
    return bars


# An article, and articles like it


async def _article_page(request: Request) -> Response:
    """Answer `/article`: an article, each passage under an anchor of its own, and what it is related to if that is quick."""
    given = _read(_ARTICLE, request)
    lanes: IndexThreads = request.app.state.lanes
    done = await answered(request, lanes.search, lambda index: _show(index, given))
    if done.found is None:
        return Response(status_code=304, headers=done.headers)
    view, marks = done.found
    try:
        patience = request.app.state.patience
        related = await lanes.related.ask(lambda index: index.related(view.article.id, limit=5), seconds=patience)
        headers = done.headers
    except (IndexThreadBusy, UnknownArticle):  # the page has a link instead, and must not be kept without them
        related, headers = None, {"Cache-Control": "no-store"}
    here = address_of("/article", given)
    values: dict[str, Any] = {"view": view, "passages": _passages(view, marks), "related": related, "citation": _citation(view)}
    return render(request, "article.html", given["lang"], here, headers=headers, given=given, **values)


def _show(index: Index, given: Mapping[str, Any]) -> tuple[ArticleView, list[list[Span]]]:
    """Return an article, and what a query marks in each of its passages."""
    view = index.show(given["id"])
    texts = [view.article.body[span.start : span.end] for span in view.passages]
    try:
        return view, index.highlights(given["q"], texts) if given["q"] else [[] for _ in texts]
    except QuerySyntaxError:  # an article can be read all the same
        return view, [[] for _ in texts]


def _passages(view: ArticleView, marks: Sequence[Sequence[Span]]) -> list[tuple[int, list[list[tuple[str, bool]]]]]:
    """Return each passage's start, which is its anchor, and its paragraphs in pieces."""
    body = view.article.body
    return [
        (span.start, _paragraphs(pieces(body[span.start : span.end], mine)))
        for span, mine in zip(view.passages, marks, strict=True)
    ]


def _paragraphs(pieces: Sequence[tuple[str, bool]]) -> list[list[tuple[str, bool]]]:
    """Return the pieces of each line of a text."""
    lines: list[list[tuple[str, bool]]] = [[]]
    for text, is_marked in pieces:
        first, *more = text.split("\n")
        lines[-1].append((first, is_marked))
        lines += [[(part, is_marked)] for part in more]
    return [line for line in lines if any(part.strip() for part, _ in line)]


def _citation(view: ArticleView) -> str:
    """Return how to cite an article: author, title, source, date, address, as far as they are known."""
    article = view.article
    parts = [article.author, f"“{article.title}”", article.source, day(article.date), article.url or article.id]
    return ", ".join(part for part in parts if part) + "."


async def _related_page(request: Request) -> Response:
    """Answer `/related`: the articles like one."""
    given = _read(_ARTICLE, request)
    lanes: IndexThreads = request.app.state.lanes

    def near(index: Index) -> tuple[ArticleView, RelatedArticles]:
        return index.show(given["id"]), index.related(given["id"], limit=20)

    done = await answered(request, lanes.related, near)
    if done.found is None:
        return Response(status_code=304, headers=done.headers)
    view, related = done.found
    here = address_of("/related", given)
    return render(request, "related.html", given["lang"], here, headers=done.headers, given=given, view=view, related=related)


async def _dropped_page(request: Request) -> Response:
    """Answer `/dropped`: what an article's original holds besides it, and why it was left out."""
    given = _read(_ARTICLE, request)
    lanes: IndexThreads = request.app.state.lanes
    view, dropped = await lanes.related.ask(lambda index: (index.show(given["id"]), index.dropped(given["id"])))
    values: dict[str, Any] = {"view": view, "dropped": dropped, "given": given}
    return render(
        request, "dropped.html", given["lang"], address_of("/dropped", given), headers={"Cache-Control": "no-store"}, **values
    )


# Downloads


async def _download(request: Request) -> Response:
    """Answer `/download`: what a query finds, as a table for a spreadsheet or as JSON."""
    given = _read(_SEARCH, request) | {"page": 1}
    if given["q"] is None:
        raise UsageError(f"q is missing: {QUERY.about}")
    lanes: IndexThreads = request.app.state.lanes
    done = await answered(request, lanes.search, lambda index: _find(index, given, limit=_EXPORTED))
    if done.found is None:
        return Response(status_code=304, headers=done.headers)
    name = f"htxsearch.{given['format']}"
    headers = done.headers | {"Content-Disposition": f'attachment; filename="{name}"'}
    if given["format"] == "json":
        return Response(as_bytes(done.found.as_json()), media_type="application/json", headers=headers)
    return Response(_table(done.found), media_type="text/csv", headers=headers)


def _table(found: Results) -> bytes:
    """Return hits as CSV with a byte order mark, by which spreadsheets know UTF-8; no cell is taken for a formula."""
    out = io.StringIO()
    rows = csv.writer(out)
    names = ("title", "source", "date", "place", "url", "article_id", "score")
    rows.writerow([*names, "passage"])
    for hit in found.hits:
        values = hit.as_json()
        rows.writerow([_cell(values[name]) for name in names] + [_cell(hit.passage.text)])
    return out.getvalue().encode("utf-8-sig", "replace")


def _cell(value: object) -> object:
    text = visible(value) if isinstance(value, str) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) else text


# What went wrong


def error_page(request: Request, status: HTTPStatus, error: Exception | str, headers: Mapping[str, str]) -> Response:
    """Return a page that says what went wrong, with the form to try again."""
    language: Language = "en" if request.query_params.get("lang") == "en" else "vi"
    known = status.value if status.value in (400, 403, 404, 405, 409, 500, 503) else 400
    message = _reason(error) if isinstance(error, Exception) else error
    given: dict[str, Any] = {one.name: one.default for one in _SEARCH} | {"place": (), "source": (), "lang": language}
    asked = {
        one.name: tuple(request.query_params.getlist(one.name)) for one in _ARTICLE
    }  # the other language shows this page again
    short = {name: texts for name, texts in asked.items() if all(len(text) <= _LONGEST_KEPT for text in texts)}
    given["q"] = next(iter(short.get("q", ())), None)
    here = PageAddress(request.url.path, short | {"lang": language})
    values: dict[str, Any] = {"heading": f"error_{known}", "message": message, "pointed": "", "again": None, "given": given}
    return render(request, "error.html", language, here, status=status, headers=headers, **values)
