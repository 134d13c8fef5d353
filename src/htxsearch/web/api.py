"""The API: a table of addresses with their parameters and questions.

The JSON of a response is what `htxsearch … --json` prints: both come from the types of `search/json_types`, and so do the
schemas of the OpenAPI document. Some types are only the API's, such as `Facets`, `Suggestions` and `Health`.
"""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlencode

from msgspec import Meta, Struct, convert
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from htxsearch.errors import UsageError
from htxsearch.facts.status import Status
from htxsearch.facts.terms import indicator_terms
from htxsearch.index import Index
from htxsearch.indexing.progress import read_last_run
from htxsearch.ingest.subscriptions import fetched_at
from htxsearch.query.filters import FACETS, MOST_HITS
from htxsearch.search import fact_json_types, index_json_types, json_types
from htxsearch.search.index_json_types import IndexingProgress
from htxsearch.search.json_types import to_json
from htxsearch.search.newest import moment
from htxsearch.search.pipeline import SearchRequest, near_articles
from htxsearch.web.caching import cached_answer
from htxsearch.web.errors import as_bytes
from htxsearch.web.index_thread import IndexThreads, ThreadName
from htxsearch.web.monitoring import health_reasons
from htxsearch.web.parameters import Parameter, read_parameters

__all__ = [
    "ARTICLE_ID",
    "ENDPOINTS",
    "FACT_FILTERS",
    "FILTERS",
    "INDICATOR",
    "MAX_HITS",
    "QUERY",
    "Endpoint",
    "Facets",
    "Health",
    "Reason",
    "Suggestions",
    "routes",
]

MAX_HITS = 100
"""Hits in one response; more of them are further pages."""
_MAX_OFFSET = 10_000

QUERY = Parameter(name="q", about="what to look for, in the query language", required=True, max_length=20_000)
"""Of a longer query than the parser takes, the begin is searched, and a hint says so."""

FILTERS = (
    Parameter(name="place", about="only articles about this province; several are alternatives", repeated=True),
    Parameter(name="source", about="only articles from this source; several are alternatives", repeated=True),
    Parameter(name="since", about="only articles of this day, month or year, and later: 2019, 9/2019, 7/8/2023"),
    Parameter(name="until", about="only articles of this day, month or year, and earlier"),
)

ARTICLE_ID = Parameter(name="id", about="the article's id, percent-encoded", required=True, max_length=1_000)

INDICATOR = Parameter(name="q", about="what is counted or measured, in any wording: số HTX", max_length=QUERY.max_length)
FACT_FILTERS = (
    *FILTERS,
    Parameter(name="status", about="only of this status; several are alternatives", choices=get_args(Status), repeated=True),
    Parameter(name="unit", about="only of this unit: HTX, đồng, ha, %; several are alternatives", repeated=True),
    Parameter(name="article", about="only the facts of the article with this id, in the order of its text", max_length=1_000),
)
"""Of facts, `since` and `until` are about the time that a fact is of."""

_LIMIT = Parameter(name="limit", about="how many to return", kind="integer", minimum=1, maximum=MAX_HITS, default=10)


_Count = Annotated[int, Meta(ge=0)]


class Facets(Struct, kw_only=True, forbid_unknown_fields=True):
    """The number of articles by facet and value.

    Of those that match the query, or of all if it is null.
    """

    query: str | None
    total: _Count
    facets: dict[str, dict[str, _Count]]


class Suggestions(Struct, kw_only=True, forbid_unknown_fields=True):
    """The completions of an unfinished query."""

    query: str
    suggestions: list[json_types.Suggestion]


class Reason(Struct, kw_only=True, forbid_unknown_fields=True):
    """A reason why the server is degraded: a stable code, and an English text."""

    code: str
    detail: str


class Health(Struct, kw_only=True, forbid_unknown_fields=True):
    """The state of the server and the size of the index.

    Every response says that the server lives, one with status 200 that it is ready: the index answers. It is "degraded" if it
    has "reasons". "version" changes with every commit; "indexing" has the numbers of files read and to read while a reindex is
    under way; "reindexed" is when the last one was finished.
    """

    status: Literal["ok", "degraded"]
    live: bool
    ready: bool
    reasons: list[Reason]
    articles: _Count
    passages: _Count
    complete: bool
    indexing: IndexingProgress | None
    reindexed: datetime.datetime | None
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address of the API. `ask` returns the JSON of the type `answer`.

    With `by_id` the path ends in an article's id. `thread` names the thread that answers given parameters. The answer is never
    cached if `is_cached` is False. With `is_of_server` the values also have "waiting" and "most_waiting", the requests
    that wait for the index, where most do, and how many may. `is_for_editors` describes what `security` decides.
    """

    path: str
    name: str
    about: str
    answer: type[Struct]
    ask: Callable[[Index, Mapping[str, Any]], dict[str, Any]]
    parameters: tuple[Parameter, ...] = ()
    by_id: bool = False
    thread: Callable[[Mapping[str, Any]], ThreadName] = lambda _: "search"
    is_cached: bool = True
    is_of_server: bool = False
    is_for_editors: bool = False


def _query(index: Index, values: Mapping[str, Any]) -> dict[str, Any]:
    options = {"facets" if name == "facet" else name: value for name, value in values.items() if name != "q"}
    return index.search(values["q"], **options).as_json(explain=values["explain"])


def _ask(index: Index, values: Mapping[str, Any]) -> dict[str, Any]:
    return index.ask(values["q"], **_filters(values), limit=values["limit"]).as_json()


def _filters(values: Mapping[str, Any]) -> dict[str, Any]:
    return {parameter.name: values[parameter.name] for parameter in FILTERS}


def _related(index: Index, values: Mapping[str, Any]) -> dict[str, Any]:
    return index.related(values["id"], limit=values["limit"]).as_json()


def _article(index: Index, values: Mapping[str, Any]) -> dict[str, Any]:
    document = json_types.article_document(index.show(values["id"]))
    if values["dropped"]:
        document.dropped = [
            json_types.DroppedPiece(text=piece.text, reason=str(piece.reason)) for piece in index.dropped(values["id"])
        ]
    if values["reprints"]:
        document.reprints = json_types.reprints_document(index.reprints(values["id"])).reprints
    return to_json(document)


def _list(index: Index, values: Mapping[str, Any]) -> dict[str, Any]:
    snapshot, query = index.searcher().snapshot, values["q"]
    listing, limit, offset = snapshot.listing, values["limit"], values["offset"]
    ids = listing.select(
        order=values["sort"],
        among=None if query is None else set(near_articles(snapshot, SearchRequest(query, limit=MOST_HITS))),
        since=moment(values["since"]) if values["since"] is not None else 0,
        month=values["month"] or "",
        source=values["source"],
        place=values["place"],
        lacks=values["lacks"] or "",
    )
    more = offset + limit < len(ids) and offset + limit <= _MAX_LISTED
    following = _address_of(_LIST, values, offset + limit)
    page = [listing[article_id] for article_id in ids[offset : offset + limit]]
    document = index_json_types.list_document(
        page, total=len(ids), last_stamp=listing.last_stamp(), following=following if more else None
    )
    return to_json(document)


def _feeds(index: Index, _: Mapping[str, Any]) -> dict[str, Any]:
    return to_json(index_json_types.feeds_document(index.feeds(), fetched_at(index.corpus)))


def _facets(index: Index, values: Mapping[str, Any]) -> dict[str, Any]:
    filters = _filters(values)
    if values["q"] is not None:
        results = index.search(values["q"], **filters, facets=FACETS, limit=1)
        facets = {name: dict(counts) for name, counts in results.facets.items()}
        return to_json(Facets(query=results.query, total=results.total, facets=facets))
    if any(filters.values()):
        raise UsageError("serve.filters-without-query")
    info = index.info()
    return to_json(Facets(query=None, total=info.articles, facets={"place": dict(info.places), "source": dict(info.sources)}))


def _facts(index: Index, values: Mapping[str, Any]) -> dict[str, Any]:
    options = {parameter.name: values[parameter.name] for parameter in FACT_FILTERS}
    found, limit = index.facts(values["q"] or "", **options), values["limit"]
    if values["view"] == "series":
        return found.series_json(limit)
    if values["view"] == "conflicts":
        return found.conflicts().as_json(limit)
    if values["view"] == "indicators":
        return found.indicators().as_json(limit)
    return found.as_json(limit)


def _suggest(index: Index, values: Mapping[str, Any]) -> dict[str, Any]:
    completions = index.suggest(values["q"], limit=values["limit"])
    suggestions = [
        json_types.Suggestion(
            text=completion.text, kind=completion.kind, articles=completion.articles, article_id=completion.article_id
        )
        for completion in completions
    ]
    return to_json(Suggestions(query=values["q"], suggestions=suggestions))


def _health(index: Index, values: Mapping[str, Any]) -> dict[str, Any]:
    counts, progress, run = index.counts(), index.progress(), read_last_run(index.path)
    reasons = health_reasons(index, values["waiting"], values["most_waiting"])
    health = Health(
        status="degraded" if reasons else "ok",
        live=True,
        ready=True,
        reasons=[Reason(code=reason.code, detail=str(reason)) for reason in reasons],
        articles=counts.articles,
        passages=counts.passages,
        complete=index.is_complete(),
        indexing=convert(progress, IndexingProgress, from_attributes=True) if progress else None,
        reindexed=run.finished if run else None,
        version=index.version(),
    )
    return to_json(health)


_MAX_LISTED = 1_000_000
_LIST_PARAMETERS = (
    Parameter(name="q", about="only the near articles of this query", max_length=QUERY.max_length),
    *FILTERS[:2],
    Parameter(
        name="since",
        about='only articles that entered the index (or changed, with sort=changed) since this day or time: "after" of a list',
        max_length=40,
    ),
    Parameter(name="month", about="only articles of this month or year: 2023-05, 2023", max_length=7),
    Parameter(name="lacks", about="only articles without this", choices=("date", "place")),
    Parameter(
        name="sort",
        about="latest first, by when they entered the index, when they changed there, or their date",
        choices=("entered", "changed", "date"),
        default="entered",
    ),
    Parameter(name="limit", about="how many to return", kind="integer", minimum=1, maximum=1_000, default=100),
    Parameter(name="offset", about="how many to skip first", kind="integer", maximum=_MAX_LISTED, default=0),
)

_LIST = Endpoint(
    path="/api/articles",
    name="articles",
    about="All articles, or those since a time: for lists of what is new, and for programs that keep up with the index.",
    answer=index_json_types.ArticleList,
    ask=_list,
    parameters=_LIST_PARAMETERS,
    thread=lambda values: "search" if values["q"] is None else "related",
)

ENDPOINTS = (
    Endpoint(
        path="/api/query",
        name="query",
        about="The passages that match a query, best first; the best one of each article.",
        answer=json_types.Results,
        ask=_query,
        parameters=(
            QUERY,
            *FILTERS,
            _LIMIT,
            Parameter(name="offset", about="how many to skip first", kind="integer", maximum=_MAX_OFFSET, default=0),
            Parameter(name="sort", about="best or newest first", choices=("score", "date"), default="score"),
            Parameter(
                name="match",
                about="which articles are near: with all words, most of what was asked, or any word",
                choices=("all", "most", "any"),
                default="most",
            ),
            Parameter(name="facet", about="count near articles by this", choices=FACETS, repeated=True),
            Parameter(name="all_passages", about="every matching passage, not each article's best", kind="flag", default=False),
            Parameter(name="all_reprints", about="every article of a group of reprints", kind="flag", default=False),
            Parameter(
                name="strict", about="a sign that cannot be read is an error, not a plain character", kind="flag", default=False
            ),
            Parameter(name="explain", about="with the query's expansion and each hit's scores", kind="flag", default=False),
            Parameter(name="semantic", about="rank by meaning, too; by default if passages have vectors", kind="flag"),
        ),
    ),
    Endpoint(
        path="/api/ask",
        name="ask",
        about="The answer to a question, quoted from an article if confident enough; other answers; the nearest passages.",
        answer=json_types.Answers,
        ask=_ask,
        thread=lambda _: "answers",
        parameters=(
            Parameter(name="q", about="the question, in plain words", required=True, max_length=QUERY.max_length),
            *FILTERS,
            Parameter(
                name="limit", about="how many other answers and passages", kind="integer", minimum=1, maximum=20, default=3
            ),
        ),
    ),
    Endpoint(
        path="/api/related",
        name="related",
        about="The articles most similar to one, the terms they share, and which of them are reprints.",
        answer=json_types.RelatedArticles,
        ask=_related,
        parameters=(_LIMIT,),
        by_id=True,
        thread=lambda _: "related",
    ),
    Endpoint(
        path="/api/articles",
        name="article",
        about="An article as indexed, with the positions of its passages.",
        answer=json_types.ArticleView,
        ask=_article,
        parameters=(
            Parameter(
                name="dropped", about="with the parts of the original that are not in the article", kind="flag", default=False
            ),
            Parameter(
                name="reprints", about="with the reprints of its text, and their differences", kind="flag", default=False
            ),
        ),
        by_id=True,
        thread=lambda values: "related" if values["dropped"] else "search",
    ),
    _LIST,
    Endpoint(
        path="/api/feeds",
        name="feeds",
        about="The feeds and sitemaps that the corpus follows.",
        answer=index_json_types.Feeds,
        ask=_feeds,
        is_cached=False,
        is_for_editors=True,
    ),
    Endpoint(
        path="/api/facets",
        name="facets",
        about="How many articles there are by place, year and source: matches of a query, or all.",
        answer=Facets,
        ask=_facets,
        parameters=(Parameter(name="q", about=QUERY.about, max_length=QUERY.max_length), *FILTERS),
    ),
    Endpoint(
        path="/api/facts",
        name="facts",
        about="Figures of the articles, each in its sentence: as facts, as series, beside contradicting ones, or by indicator.",
        answer=fact_json_types.Facts,
        ask=_facts,
        parameters=(
            INDICATOR,
            *FACT_FILTERS,
            Parameter(
                name="view",
                about="facts, nearest and newest first; series over time; facts that should agree; or the indicators",
                choices=("facts", "series", "conflicts", "indicators"),
                default="facts",
            ),
            Parameter(
                name="limit",
                about="how many facts, series, groups or indicators to return",
                kind="integer",
                minimum=1,
                maximum=MAX_HITS,
                default=20,
            ),
        ),
        thread=lambda values: "search" if indicator_terms(values["q"] or "") or values["article"] else "related",
    ),
    Endpoint(
        path="/api/suggest",
        name="suggest",
        about="Completions of a query being typed, with or without diacritics.",
        answer=Suggestions,
        ask=_suggest,
        parameters=(
            Parameter(name="q", about="the beginning of a query", required=True, max_length=200),
            Parameter(name="limit", about="how many to return", kind="integer", minimum=1, maximum=20, default=8),
        ),
    ),
    Endpoint(
        path="/api/health",
        name="health",
        about="Whether the server is ready, or degraded and why; the size of the index, and its version.",
        answer=Health,
        ask=_health,
        is_cached=False,
        is_of_server=True,
    ),
)


def routes() -> list[Route]:
    """Return the routes of all endpoints."""
    return [
        Route(
            f"{endpoint.path}/{{id:path}}" if endpoint.by_id else endpoint.path,
            partial(_respond, endpoint),
            methods=["GET"],
            name=endpoint.name,
        )
        for endpoint in ENDPOINTS
    ]


async def _respond(endpoint: Endpoint, request: Request) -> Response:
    """Return the response to a request. Raises HtxError."""
    values = read_parameters(endpoint.parameters, request.query_params.multi_items())
    if endpoint.by_id:
        values |= read_parameters([ARTICLE_ID], [("id", request.path_params["id"])])
    threads: IndexThreads = request.app.state.index_threads
    if endpoint.is_of_server:
        fullest = threads.fullest()
        values |= {"waiting": fullest.waiting, "most_waiting": fullest.max_waiting}
    thread = threads.by_name()[endpoint.thread(values)]
    cached = await cached_answer(request, thread, lambda index: endpoint.ask(index, values), is_cached=endpoint.is_cached)
    headers = cached.headers if endpoint.is_cached else {"Cache-Control": "no-store"}
    if cached.answer is None:
        return Response(status_code=304, headers=headers)
    if following := _next(endpoint, values, cached.answer):
        headers = {**headers, "Link": f'<{following}>; rel="next"'}
    return Response(as_bytes(cached.answer), media_type="application/json", headers=headers)


def _next(endpoint: Endpoint, values: Mapping[str, Any], answer: Mapping[str, Any]) -> str | None:
    """Return the address of the next page of a list or of hits, None if there is none."""
    if "offset" not in values:
        return None
    if "next" in answer:
        following: str | None = answer["next"]
        return following
    end = values["offset"] + values["limit"]
    if len(answer["hits"]) < values["limit"] or end >= answer["total"] or end > _MAX_OFFSET:
        return None
    return _address_of(endpoint, values, end)


def _address_of(endpoint: Endpoint, values: Mapping[str, Any], offset: int) -> str:
    """Return the address of the page that begins at an offset."""
    given = {
        parameter.name: values[parameter.name]
        for parameter in endpoint.parameters
        if values[parameter.name] not in (parameter.default, None, ())
    }
    written = {name: str(value).lower() if isinstance(value, bool) else value for name, value in given.items()}
    return f"{endpoint.path}?{urlencode({**written, 'offset': offset}, doseq=True, errors='replace')}"
