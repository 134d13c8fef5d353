"""The page of figures, and their downloads.

The thread of the index makes all that is shown, so that no cached answer holds more than a page.
"""

import datetime
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from htxsearch.errors import UsageError
from htxsearch.errors.messages import Language, date_text
from htxsearch.facts.terms import indicator_terms
from htxsearch.index import Index
from htxsearch.search.fact_chart import chart_svg
from htxsearch.search.fact_files import chart_file, facts_file, longest_series
from htxsearch.search.fact_results import FactIndicator, FactSeries, FoundFact
from htxsearch.search.facts import FactList
from htxsearch.text.sentences import Span
from htxsearch.web.api import FACT_FILTERS, INDICATOR
from htxsearch.web.caching import cached_answer
from htxsearch.web.errors import status_of
from htxsearch.web.index_thread import IndexThread, IndexThreads
from htxsearch.web.pages import LANGUAGE
from htxsearch.web.pages import MEDIA_TYPES as HIT_MEDIA_TYPES
from htxsearch.web.parameters import Parameter, read_filled_parameters
from htxsearch.web.rendering import PageAddress, excerpt_pieces, page_text, render_page

__all__ = ["DOWNLOAD", "MEDIA_TYPES", "routes"]

_PAGE_FACTS, _MAX_PAGES = 20, 100
_MAX_POINTS = 40
"""Facts of the series that is drawn, the latest."""
_MAX_SERIES = 10
"""Other series, and groups of contradicting or of agreeing facts."""
_MAX_GROUP = 6
"""Facts beside each other, and other articles named with one."""
_MAX_INDICATORS = 40
_MAX_ROWS = 10_000
"""Facts in a download."""
MEDIA_TYPES = {
    "csv": HIT_MEDIA_TYPES["csv"],
    "xlsx": HIT_MEDIA_TYPES["xlsx"],
    "svg": "image/svg+xml",
    "png": "image/png",
}
_HALF_OR_QUARTER = re.compile(r"(\d{4})-([HQ])(\d)")
_MONTH = re.compile(r"(\d{4})-(\d{2})")

_PAGE = Parameter(name="page", about="which page", kind="integer", minimum=1, maximum=_MAX_PAGES, default=1)
_FACTS = (INDICATOR, *FACT_FILTERS, _PAGE, LANGUAGE)
DOWNLOAD = (*_FACTS, Parameter(name="format", about="of the download", choices=tuple(MEDIA_TYPES), default="csv"))


def routes() -> list[Route]:
    """Return the routes of the page and the downloads."""
    return [
        Route("/facts", _facts_page, methods=["GET"]),
        Route("/facts/download", _download, methods=["GET"]),
    ]


class _ShownFact(NamedTuple):
    """A fact as the page shows it.

    `others` are titles and addresses of other articles that print it.
    """

    fact: FoundFact
    time: str
    pieces: list[tuple[str, bool]]
    href: str
    others: list[tuple[str, str]]


class _ShownSeries(NamedTuple):
    """A series in one line: names, first and last fact, address of its own page."""

    names: list[str]
    first: _ShownFact
    last: _ShownFact
    href: str


class _Group(NamedTuple):
    """Facts to compare."""

    names: list[str]
    facts: list[_ShownFact]


class _Page(NamedTuple):
    """The content of the page."""

    total: int
    chart: str | None
    series_names: list[str]
    points: list[_ShownFact]
    left_out: int
    differing: list[_Group]
    agreeing: list[_Group]
    other_series: list[_ShownSeries]
    facts: list[_ShownFact]
    first: int
    listed: int
    indicators: list[FactIndicator]

    @property
    def png(self) -> bool:
        """Whether charts can be drawn as PNG."""
        return find_spec("matplotlib") is not None


async def _facts_page(request: Request) -> Response:
    """Answer `/facts`: the commonest indicators, or the figures that fit."""
    params = read_filled_parameters(_FACTS, request.query_params.multi_items())
    here = PageAddress("/facts", params)
    values: dict[str, Any] = {"params": params, "chosen": _chosen(here, params), "message": None, "found": None}
    try:
        cached = await cached_answer(request, _thread(request, params), lambda index: _page(index, here, params))
    except UsageError as error:
        values["message"] = error.message
        return render_page(request, "facts.html", params["lang"], here, status=status_of(error), **values)
    if cached.answer is None:
        return Response(status_code=304, headers=cached.headers)
    page, number = cached.answer, params["page"]
    is_last = page.first + len(page.facts) > page.listed or number == _MAX_PAGES
    values |= {"found": page, "previous": here.with_(page=number - 1) if number > 1 else None}
    values["following"] = None if is_last else here.with_(page=number + 1)
    return render_page(request, "facts.html", params["lang"], here, headers=cached.headers, **values)


def _thread(request: Request, params: Mapping[str, Any]) -> IndexThread:
    """Return the thread for a question: not that of searches if it reads every fact."""
    threads: IndexThreads = request.app.state.index_threads
    return threads.search if indicator_terms(params["q"] or "") or params["article"] else threads.related


def _found(index: Index, params: Mapping[str, Any]) -> FactList:
    return index.facts(params["q"] or "", **{parameter.name: params[parameter.name] for parameter in FACT_FILTERS})


def _chosen(here: PageAddress, params: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return filters that are no field of the form: kind, value, address without."""
    several = [
        (name, value, here.with_(page=1, **{name: tuple(other for other in params[name] if other != value)}))
        for name in ("source", "status", "unit")
        for value in params[name]
    ]
    article = params["article"]
    return [*several, *([("article", article, here.with_(page=1, article=None))] if article else [])]


def _page(index: Index, here: PageAddress, params: Mapping[str, Any]) -> _Page:
    """Return what the page shows."""
    found = _found(index, params)
    shown = _Shown(index, here, params["lang"])
    has_filter = any(params[parameter.name] for parameter in (INDICATOR, *FACT_FILTERS))
    is_first = params["page"] == 1 and has_filter
    drawn = longest_series(found) if params["q"] else None
    points = drawn.facts if drawn else ()
    in_series = {id(fact) for fact in points}
    listed = [fact for fact in found if id(fact) not in in_series] if has_filter else []
    start = (params["page"] - 1) * _PAGE_FACTS
    conflicts = found.conflicts().conflicts if is_first else ()
    latest = points[-_MAX_POINTS:] if is_first else ()
    return _Page(
        total=len(found),
        chart=chart_svg(FactSeries(latest)) if latest else None,
        series_names=_names(drawn.facts[0], drawn.indicator) if drawn else [],
        points=shown.all(latest),
        left_out=len(points) - len(latest) if latest else 0,
        differing=[shown.group(one.facts) for one in conflicts if not one.agree][:_MAX_SERIES],
        agreeing=[shown.group(one.facts) for one in conflicts if one.agree][:_MAX_SERIES],
        other_series=shown.series(one for one in found.series() if one != drawn) if is_first and params["q"] else [],
        facts=shown.all(listed[start : start + _PAGE_FACTS]),
        first=start + 1,
        listed=len(listed),
        indicators=list(found.indicators())[:_MAX_INDICATORS] if not params["q"] and params["page"] == 1 else [],
    )


def _names(fact: FoundFact, indicator: str | None = None) -> list[str]:
    """Return what a fact is about: indicator, subject and place."""
    own = fact.fact
    return [name for name in (indicator or own.indicator, own.subject, own.place) if name]


class _Shown:
    """Makes facts ready to be shown, each article read once."""

    def __init__(self, index: Index, here: PageAddress, language: Language) -> None:
        self._index = index
        self._here = here
        self._language: Language = language
        self._articles: dict[str, tuple[str, list[int]]] = {}

    def all(self, facts: Iterable[FoundFact]) -> list[_ShownFact]:
        """Return facts ready to be shown."""
        return [self._one(fact) for fact in facts]

    def group(self, facts: Sequence[FoundFact]) -> _Group:
        """Return facts to compare, with what they are about."""
        names = [*_names(facts[0]), *([_time_text(facts[0], self._language)] if facts[0].fact.as_of else [])]
        return _Group(names, self.all(facts[:_MAX_GROUP]))

    def series(self, found: Iterable[FactSeries]) -> list[_ShownSeries]:
        """Return the first of several series, those with more than one point in time."""
        lines: list[_ShownSeries] = []
        for one in found:
            first, last = one.facts[0], one.facts[-1]
            if first.time == last.time or len(lines) == _MAX_SERIES:
                break  # those with most points in time come first
            place = (first.fact.place,) if first.fact.place else self._here.params["place"]
            href = self._here.with_(q=one.indicator, place=place, page=1)
            lines.append(_ShownSeries(_names(first, one.indicator), self._one(first), self._one(last), href))
        return lines

    def _one(self, fact: FoundFact) -> _ShownFact:
        sentence = fact.fact.sentence.start
        figure = Span(fact.fact.start - sentence, fact.fact.end - sentence)
        return _ShownFact(
            fact,
            _time_text(fact, self._language),
            excerpt_pieces(fact.sentence, [figure]),
            self._address(fact.article_id, fact.fact.start),
            [(self._article(other)[0], self._address(other)) for other in fact.sources[:_MAX_GROUP]],
        )

    def _address(self, article_id: str, start: int | None = None) -> str:
        """Return the address of an article, at the passage that has `start`."""
        starts = self._article(article_id)[1]
        passage = starts[max(0, bisect_right(starts, start) - 1)] if starts and start is not None else None
        kept = {"page": 1, "status": None, "unit": None, "article": None, "origin": "facts"}
        fragment = "" if passage is None else f"#p{passage}"
        return self._here.with_("/article", fragment, id=article_id, **kept)

    def _article(self, article_id: str) -> tuple[str, list[int]]:
        """Return the title of an article, and where its passages begin."""
        if article_id not in self._articles:
            view = self._index.show(article_id)
            self._articles[article_id] = view.article.title, [span.start for span in view.passages]
        return self._articles[article_id]


def _time_text(fact: FoundFact, language: Language) -> str:
    """Return the time of a fact; the date of its article in brackets if it has none."""
    if fact.fact.as_of is None:
        return f"({date_text(fact.date, language)})" if fact.date else ""
    return " – ".join(_part_text(part, language) for part in fact.fact.as_of.split("/"))


def _part_text(part: str, language: Language) -> str:
    """Return a year, month, day, half or quarter in a language: 2023-06 → 6/2023."""
    if match := _HALF_OR_QUARTER.fullmatch(part):
        year, kind, number = match.groups()
        name = f"figures-half-{number}" if kind == "H" else "figures-quarter"
        return page_text(language, name, year=year, quarter=number)
    if match := _MONTH.fullmatch(part):
        return f"{int(match[2])}/{match[1]}"
    try:
        return date_text(datetime.date.fromisoformat(part), language)
    except ValueError:  # a year, and all that is no date
        return part


async def _download(request: Request) -> Response:
    """Answer `/facts/download`: figures as a table, or their series as a chart."""
    params = read_filled_parameters(DOWNLOAD, request.query_params.multi_items())
    form = params["format"]

    def make(index: Index) -> bytes:
        found = _found(index, params)
        if form in ("csv", "xlsx"):
            return facts_file(found.facts[:_MAX_ROWS], form)
        drawn = longest_series(found)
        if drawn is None:
            raise UsageError("facts.nothing-to-plot")
        return chart_file(drawn, form)

    threads: IndexThreads = request.app.state.index_threads
    cached = await cached_answer(request, threads.related, make, is_cached=False)  # a file may be large
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="htxsearch-facts.{form}"'}
    return Response(cached.answer, media_type=MEDIA_TYPES[form], headers=headers)
