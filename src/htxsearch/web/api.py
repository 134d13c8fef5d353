"""The API: a table of addresses, each with its parameters and the question it asks the index.

What is answered is what `htxsearch … --json` prints: both take it from the values' own `as_json`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from htxsearch.errors import UsageError
from htxsearch.index import Index
from htxsearch.query.filters import FACETS
from htxsearch.web.caching import answered
from htxsearch.web.errors import as_bytes
from htxsearch.web.index_thread import IndexThread
from htxsearch.web.parameters import Parameter, read

__all__ = ["ENDPOINTS", "FILTERS", "MOST_HITS", "QUERY", "Endpoint", "IndexThreads", "routes"]

MOST_HITS = 100
"""Hits in one answer; more of them are further pages."""
_MOST_OFFSET = 10_000

QUERY = Parameter(name="q", about="what to look for, in the query language", required=True, longest=5_000)
"""Its length is checked by the parser, which says what the command line says."""

FILTERS = (
    Parameter(name="place", about="only articles about this province; several are alternatives", repeated=True),
    Parameter(name="source", about="only articles from this source; several are alternatives", repeated=True),
    Parameter(name="since", about="only articles of this day, month or year, and later: 2019, 9/2019, 7/8/2023"),
    Parameter(name="until", about="only articles of this day, month or year, and earlier"),
)

_LIMIT = Parameter(name="limit", about="how many to return", kind="integer", least=1, most=MOST_HITS, default=10)
_ID = Parameter(name="id", about="the article's id, percent-encoded", required=True, longest=1_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexThreads:
    """The threads that answer: `search` what is quick, `related` what may read all articles' vectors first."""

    search: IndexThread
    related: IndexThread


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address of the API. `answer` names the schema of what `ask` returns; with `by_id` the path ends in an id.

    `is_slow` tells of parameters whether answering may take long; what is not `is_kept` is made anew every time.
    """

    path: str
    name: str
    about: str
    answer: str
    ask: Callable[[Index, Mapping[str, Any]], dict[str, Any]]
    parameters: tuple[Parameter, ...] = ()
    by_id: bool = False
    is_slow: Callable[[Mapping[str, Any]], bool] = lambda _: False
    is_kept: bool = True


def _query(index: Index, given: Mapping[str, Any]) -> dict[str, Any]:
    options = {"facets" if name == "facet" else name: value for name, value in given.items() if name != "q"}
    return index.search(given["q"], **options).as_json(explain=given["explain"])


def _ask(index: Index, given: Mapping[str, Any]) -> dict[str, Any]:
    filters = {one.name: given[one.name] for one in FILTERS}
    return index.ask(given["q"], **filters, limit=given["limit"]).as_json()


def _related(index: Index, given: Mapping[str, Any]) -> dict[str, Any]:
    return index.related(given["id"], limit=given["limit"]).as_json()


def _article(index: Index, given: Mapping[str, Any]) -> dict[str, Any]:
    found = index.show(given["id"]).as_json()
    if given["dropped"]:
        found["dropped"] = [{"text": one.text, "reason": one.reason} for one in index.dropped(given["id"])]
    return found | (index.reprints(given["id"]).as_json() if given["reprints"] else {})


def _facets(index: Index, given: Mapping[str, Any]) -> dict[str, Any]:
    filters = {one.name: given[one.name] for one in FILTERS}
    if given["q"] is None:
        if any(filters.values()):
            raise UsageError("q is missing: place, source, since and until narrow a query")
        info = index.info()
        return {"query": None, "total": info.articles, "facets": {"place": dict(info.places), "source": dict(info.sources)}}
    found = index.search(given["q"], **filters, facets=FACETS, limit=1).as_json()
    return {name: found[name] for name in ("query", "total", "facets")}


def _suggest(index: Index, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"query": given["q"], "suggestions": [one.as_json() for one in index.suggest(given["q"], limit=given["limit"])]}


def _health(index: Index, _: Mapping[str, Any]) -> dict[str, Any]:
    counts = index.counts()
    return {
        "status": "ok",
        "articles": counts.articles,
        "passages": counts.passages,
        "complete": index.is_complete(),
        "version": index.version(),
    }


ENDPOINTS = (
    Endpoint(
        path="/api/query",
        name="query",
        about="The passages that answer a query, best first; of each article the best one.",
        answer="Results",
        ask=_query,
        parameters=(
            QUERY,
            *FILTERS,
            _LIMIT,
            Parameter(name="offset", about="how many to skip first", kind="integer", most=_MOST_OFFSET, default=0),
            Parameter(name="sort", about="best or newest first", choices=("score", "date"), default="score"),
            Parameter(name="facet", about="count by it", choices=FACETS, repeated=True),
            Parameter(name="all_passages", about="every matching passage, not each article's best", kind="flag", default=False),
            Parameter(name="all_reprints", about="each article of several with the same text", kind="flag", default=False),
            Parameter(name="explain", about="say what was searched for, and what scored", kind="flag", default=False),
            Parameter(name="semantic", about="rank by meaning, too; by default if passages have vectors", kind="flag"),
        ),
    ),
    Endpoint(
        path="/api/ask",
        name="ask",
        about="The answer to a question, quoted from an article, if one is sure enough; what others say; the nearest passages.",
        answer="Answers",
        ask=_ask,
        parameters=(
            Parameter(name="q", about="the question, in plain words", required=True, longest=QUERY.longest),
            *FILTERS,
            Parameter(name="limit", about="how many others and passages", kind="integer", least=1, most=20, default=3),
        ),
    ),
    Endpoint(
        path="/api/related",
        name="related",
        about="The articles most like one, the terms that make them so, and which are the same text.",
        answer="RelatedArticles",
        ask=_related,
        parameters=(_LIMIT,),
        by_id=True,
        is_slow=lambda _: True,
    ),
    Endpoint(
        path="/api/articles",
        name="article",
        about="An article as it is indexed, and where its passages are.",
        answer="ArticleView",
        ask=_article,
        parameters=(
            Parameter(name="dropped", about="also what its original holds besides it", kind="flag", default=False),
            Parameter(name="reprints", about="also who else printed its text, and what differs", kind="flag", default=False),
        ),
        by_id=True,
        is_slow=lambda given: bool(given["dropped"]),
    ),
    Endpoint(
        path="/api/facets",
        name="facets",
        about="How many articles there are by place, year and source: those a query finds, or all.",
        answer="Facets",
        ask=_facets,
        parameters=(Parameter(name="q", about=QUERY.about, longest=QUERY.longest), *FILTERS),
    ),
    Endpoint(
        path="/api/suggest",
        name="suggest",
        about="What a query that is still being typed may become; marks may be left out.",
        answer="Suggestions",
        ask=_suggest,
        parameters=(
            Parameter(name="q", about="what is typed so far", required=True, longest=200),
            Parameter(name="limit", about="how many to return", kind="integer", least=1, most=20, default=8),
        ),
    ),
    Endpoint(
        path="/api/health",
        name="health",
        about="Whether the index answers, what it holds, and its version.",
        answer="Health",
        ask=_health,
        is_kept=False,
    ),
)


def routes() -> list[Route]:
    """Return the routes of all endpoints."""
    return [
        Route(f"{one.path}/{{id:path}}" if one.by_id else one.path, partial(_handle, one), methods=["GET"], name=one.name)
        for one in ENDPOINTS
    ]


async def _handle(endpoint: Endpoint, request: Request) -> Response:
    """Answer one request. Raises HtxError and Busy."""
    given = read(endpoint.parameters, request.query_params.multi_items())
    if endpoint.by_id:
        given |= read([_ID], [("id", request.path_params["id"])])
    lanes: IndexThreads = request.app.state.lanes
    lane = lanes.related if endpoint.is_slow(given) else lanes.search
    done = await answered(request, lane, lambda index: endpoint.ask(index, given), is_kept=endpoint.is_kept)
    headers = done.headers if endpoint.is_kept else {"Cache-Control": "no-store"}
    if done.found is None:
        return Response(status_code=304, headers=headers)
    return Response(as_bytes(done.found), media_type="application/json", headers=headers)
