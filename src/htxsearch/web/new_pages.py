"""New articles: the page `/new`, and its feed and that of every query.

The feed is Atom (RFC 4287). Its entries are the near articles that entered the index last; their ids do not change when the
server moves. A reader is told 304 until the next commit.
"""

import datetime
import re
from collections.abc import Mapping
from email.utils import format_datetime, parsedate_to_datetime
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from htxsearch.errors.messages import Language, date_text
from htxsearch.index import Index
from htxsearch.query.filters import MOST_HITS
from htxsearch.search.newest import ListedArticle
from htxsearch.search.pipeline import SearchRequest, near_articles
from htxsearch.search.results import by_province
from htxsearch.search.tables import plain_text
from htxsearch.web.api import FILTERS, QUERY
from htxsearch.web.caching import cached_answer
from htxsearch.web.index_thread import IndexThreads
from htxsearch.web.pages import LANGUAGE
from htxsearch.web.parameters import Parameter, read_filled_parameters
from htxsearch.web.rendering import PageAddress, page_text, render_page

__all__ = ["ATOM", "FEED", "routes"]

ATOM = "application/atom+xml"
_PAGE_ARTICLES, _FEED_ARTICLES, _MAX_PAGES = 20, 50, 1_000
_LEAD = 280
"""Characters of an article's text in a list."""
_VALUES, _OPEN_YEARS = 15, 2
"""Places and sources that are linked, and years whose months are, too, unless another year is looked at."""

_MONTH = Parameter(name="month", about="only articles of this month or year", max_length=7)
_LACKS = Parameter(name="lacks", about="only articles without this", choices=("date", "place"))
_NEW = (
    Parameter(name="q", about=QUERY.about, max_length=QUERY.max_length),
    *FILTERS,
    _MONTH,
    _LACKS,
    Parameter(name="order", about="by when they entered the index, or their date", choices=("entered", "date")),
    Parameter(name="page", about="which page", kind="integer", minimum=1, maximum=_MAX_PAGES, default=1),
    LANGUAGE,
)
FEED = (*_NEW[:5], LANGUAGE)
"""The parameters of a feed: a query and its filters."""


def routes() -> list[Route]:
    """Return the routes of the page and the feed."""
    return [
        Route("/new", _page, methods=["GET"]),
        Route("/feed", _feed, methods=["GET"]),
        Route("/opensearch.xml", _opensearch, methods=["GET"]),
        Route("/robots.txt", _robots, methods=["GET"]),
    ]


class _New(NamedTuple):
    """Articles with the beginnings of their texts, of so many; and what to browse by."""

    articles: list[tuple[ListedArticle, str]]
    total: int
    months: dict[str, int]
    places: dict[str, int]
    sources: dict[str, int]
    last_stamp: int


def _new(index: Index, params: Mapping[str, Any], *, limit: int, offset: int = 0) -> _New:
    snapshot = index.searcher().snapshot
    listing, query = snapshot.listing, params["q"]
    among = None
    if query is not None:
        dated = {name: params[name] for name in ("since", "until")}
        among = set(near_articles(snapshot, SearchRequest(query, **dated, limit=MOST_HITS)))
    ids = listing.select(
        order=params.get("order") or "entered",
        among=among,
        month=params.get("month") or "",
        source=params["source"],
        place=params["place"],
        lacks=params.get("lacks") or "",
    )
    page = ids[offset : offset + limit]
    snapshot.articles.fetch(page)
    shown = [(listing[one], " ".join(snapshot.articles[one].article.body[:_LEAD].split())) for one in page]
    engine = snapshot.engine
    places = by_province(engine.values("place"), others=True)
    return _New(shown, len(ids), listing.months, places, engine.values("source"), listing.last_stamp())


def _commonest(counts: Mapping[str, int], most: int) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]


async def _page(request: Request) -> Response:
    """Answer `/new`: the newest articles, of a query if there is one."""
    params = read_filled_parameters(_NEW, request.query_params.multi_items())
    here, page = PageAddress("/new", params), params["page"]
    offset = (page - 1) * _PAGE_ARTICLES
    threads: IndexThreads = request.app.state.index_threads
    cached = await cached_answer(
        request, threads.search, lambda index: _new(index, params, limit=_PAGE_ARTICLES, offset=offset)
    )
    if cached.answer is None:
        return Response(status_code=304, headers=cached.headers)
    new = cached.answer
    values: dict[str, Any] = {
        "new": new,
        "years": _years(new.months, (params["month"] or "")[:4]),
        "month_text": partial(_month_text, params["lang"]),
        "places": _commonest(new.places, _VALUES),
        "sources": _commonest(new.sources, _VALUES),
        "chosen": _chosen(here, params),
        "moment": _moment,
        "feed": here.with_("/feed", order=None, month=None, lacks=None, page=None),
        "previous": here.with_(page=page - 1) if page > 1 else None,
        "following": here.with_(page=page + 1) if offset + _PAGE_ARTICLES < new.total and page < _MAX_PAGES else None,
        "is_new": not (params["q"] or params["month"] or params["lacks"] or params["place"] or params["source"]),
    }
    return render_page(request, "new.html", params["lang"], here, headers=cached.headers, params=params, **values)


class _Year(NamedTuple):
    """A year, its articles, and its months with theirs where those are linked."""

    year: str
    articles: int
    months: list[tuple[str, int]]


def _years(months: Mapping[str, int], looked_at: str) -> list[_Year]:
    """Return the years, the latest first."""
    grouped = [(year, list(of_year)) for year, of_year in groupby(months.items(), lambda item: item[0][:4])]
    opened = {looked_at} if looked_at else {year for year, _ in grouped[:_OPEN_YEARS]}
    return [_Year(year, sum(count for _, count in of_year), of_year if year in opened else []) for year, of_year in grouped]


def _month_text(language: Language, month: str) -> str:
    """Return a month as 05/2023, in English as May 2023; a year as it is."""
    try:
        return re.split("[ /]", date_text(datetime.date.fromisoformat(f"{month}-01"), language), maxsplit=1)[1]
    except ValueError:
        return month


def _chosen(here: PageAddress, params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the active filters, and the address without each."""
    chosen = [
        (value, here.with_(page=1, **{name: tuple(other for other in params[name] if other != value)}))
        for name in ("place", "source")
        for value in params[name]
    ]
    if params["month"]:
        chosen.append((_month_text(params["lang"], params["month"]), here.with_(page=1, month=None)))
    return chosen


def _moment(stamp: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(stamp, datetime.UTC)


# The feed


async def _feed(request: Request) -> Response:
    """Answer `/feed`: the newest near articles of a query, or the newest of all."""
    params = read_filled_parameters(FEED, request.query_params.multi_items())
    threads: IndexThreads = request.app.state.index_threads
    thread = threads.search if params["q"] is None else threads.related
    cached = await cached_answer(request, thread, lambda index: _new(index, params, limit=_FEED_ARTICLES))
    if cached.answer is None:
        return Response(status_code=304, headers=cached.headers)
    stamps = [_updated(article) for article, _ in cached.answer.articles]
    updated = max(stamps, default=_moment(0))
    headers = {**cached.headers, "Last-Modified": format_datetime(updated, usegmt=True)}
    if "if-none-match" not in request.headers and _is_known(request.headers.get("if-modified-since", ""), updated):
        return Response(status_code=304, headers=headers)
    content = _atom(str(request.base_url), params, cached.answer, updated)
    return Response(content, media_type=ATOM, headers=headers)


def _is_known(since: str, updated: datetime.datetime) -> bool:
    """Return True if a client that asks for what is later has everything."""
    try:
        moment = parsedate_to_datetime(since)
        return moment.tzinfo is not None and moment >= updated
    except (TypeError, ValueError, IndexError, OverflowError):
        return False


def _updated(article: ListedArticle) -> datetime.datetime:
    """Return when an article changed, or its date if that is not known."""
    if article.changed or article.date is None:
        return _moment(article.changed)
    return datetime.datetime.combine(article.date, datetime.time(), datetime.UTC)


def _atom(base: str, params: Mapping[str, Any], new: _New, updated: datetime.datetime) -> bytes:
    """Return the feed, with absolute addresses."""
    feed = ElementTree.Element("feed", {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": "vi"})
    address = PageAddress("/feed", params)
    own, page = address.with_(), address.with_("/" if params["q"] else "/new")
    query = params["q"]
    title = page_text(params["lang"], "feed-of-query", query=query) if query else page_text(params["lang"], "feed-of-new")
    _add(feed, "title", title)
    _add(feed, "id", f"urn:uuid:{uuid5(NAMESPACE_URL, 'htxsearch:' + PageAddress('/feed', {**params, 'lang': 'vi'}).with_())}")
    _add(feed, "updated", updated.isoformat())
    _add(ElementTree.SubElement(feed, "author"), "name", "htxsearch")
    ElementTree.SubElement(feed, "link", {"rel": "self", "type": ATOM, "href": base.rstrip("/") + own})
    ElementTree.SubElement(feed, "link", {"rel": "alternate", "type": "text/html", "href": base.rstrip("/") + page})
    for article, lead in new.articles:
        entry = ElementTree.SubElement(feed, "entry")
        _add(entry, "title", article.title)
        _add(entry, "id", f"urn:uuid:{uuid5(NAMESPACE_URL, 'htxsearch:article:' + article.article_id)}")
        if article.entered:
            _add(entry, "published", _moment(article.entered).isoformat())
        _add(entry, "updated", _updated(article).isoformat())
        if article.source:
            _add(ElementTree.SubElement(entry, "author"), "name", article.source)
        asked = {"id": article.article_id} | ({"q": query} if query else {})
        href = f"{base}article?{urlencode(asked, errors='replace', quote_via=quote)}"
        ElementTree.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": href})
        if article.place:
            ElementTree.SubElement(entry, "category", {"term": plain_text(article.place)})
        day = f"{article.date.isoformat()} · " if article.date else ""
        _add(entry, "summary", f"{day}{lead} …")
    content: bytes = ElementTree.tostring(feed, "utf-8", xml_declaration=True)
    return content


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    """Add an element with a text, without what XML cannot hold."""
    ElementTree.SubElement(parent, name).text = plain_text(text)


# For browsers and robots


async def _opensearch(request: Request) -> Response:
    """Answer `/opensearch.xml`: how a browser searches here from its address bar."""
    base = str(request.base_url)
    root = ElementTree.Element("OpenSearchDescription", {"xmlns": "http://a9.com/-/spec/opensearch/1.1/"})
    _add(root, "ShortName", "htxsearch")
    _add(root, "Description", page_text("vi", "search-label"))
    _add(root, "InputEncoding", "UTF-8")
    ElementTree.SubElement(root, "Url", {"type": "text/html", "template": f"{base}?q={{searchTerms}}"})
    ElementTree.SubElement(root, "Url", {"type": ATOM, "template": f"{base}feed?q={{searchTerms}}"})
    content = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return Response(content, media_type="application/opensearchdescription+xml", headers={"Cache-Control": "no-cache"})


async def _robots(_: Request) -> Response:
    """Answer `/robots.txt`: the pages are an office's, for no search engine."""
    return Response("User-agent: *\nDisallow: /\n", media_type="text/plain", headers={"Cache-Control": "max-age=86400"})
