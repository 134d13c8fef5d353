"""The content of the page of results: the answer's card, filters, chart, ways on.

It shows what the index decided and decides nothing itself.
"""

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from htxsearch.errors.messages import Message
from htxsearch.search.results import Answer, Answers, Results
from htxsearch.text.date_mentions import date_mentions
from htxsearch.text.figures import figures
from htxsearch.text.normalize import strip_diacritics
from htxsearch.text.places import canonical_place, former_parts, province_now
from htxsearch.web.rendering import PageAddress

__all__ = ["MAX_PAGES", "PAGE_HITS", "own_facets", "result_values"]

PAGE_HITS = 10
MAX_PAGES = 100
_PAGES_AROUND = 2
"""Pages before and after the present one that are linked."""
_FACET_VALUES = 8
"""Values of a facet that are shown before "more"."""
_MAX_VALUES = 100
"""Values of a facet on a page."""
_MAX_YEARS = 60
"""Years in the chart."""
_SENTENCE_KINDS = ("yesno", "reason", "manner", "definition", "list")
"""Kinds of answers that are read in their sentence: a fragment of it says too little, or something else."""
_MAX_VALUE = 80
"""Characters of an answer that stands in front of its sentence."""
_FILTERS = ("place", "source")
_SIGNS = re.compile(r"(?<!\S)[+-](?=\S)")


def own_facets(params: Mapping[str, Any], results: Results, count: Callable[[str], Mapping[str, int]]) -> dict[str, Any]:
    """Return the counts of places and sources among which a reader may choose.

    A facet with chosen values counts without them, else nothing could be chosen beside them; `count(name)` does that.
    """
    return {name: count(name) if params[name] else results.facets[name] for name in _FILTERS}


def result_values(
    here: PageAddress,
    params: Mapping[str, Any],
    results: Results,
    facets: Mapping[str, Mapping[str, int]],
    today: datetime.date,
) -> dict[str, Any]:
    """Return the values of the page of results."""
    page = params["page"]
    first = (page - 1) * PAGE_HITS + 1
    last_page = min(-(-results.total // PAGE_HITS), MAX_PAGES)
    if len(results.hits) < PAGE_HITS:  # reprints are part of the total, but stand behind another hit
        last_page = min(last_page, page)
    near = range(max(1, page - _PAGES_AROUND), min(last_page, page + _PAGES_AROUND) + 1)
    chosen = _chosen(here, params)
    return {
        "results": results,
        "answers": results.answers,
        "card": _card(results.answers),
        "first": first,
        "last": first + len(results.hits) - 1,
        "facets": {"place": _places(params, facets["place"]), "source": _sources(params, facets["source"])},
        "facet_values": _FACET_VALUES,
        "bars": _bars(here, results.facets["year"]),
        "shortcuts": _shortcuts(here, params, today),
        "chosen": chosen,
        "unfiltered": here.with_(page=1, **_without_filters()) if chosen else None,
        "hints": [(hint, _way_on(here, params, hint)) for hint in results.hints],
        "pages": [(number, here.with_(page=number)) for number in near],
        "previous": here.with_(page=page - 1) if page > 1 else None,
        "following": here.with_(page=page + 1) if page < last_page else None,
        "highlighted_query": results.read_as or results.query,
        "today": today,
    }


def _without_filters() -> dict[str, None]:
    return dict.fromkeys((*_FILTERS, "since", "until"))


# The answer


class _Point(NamedTuple):
    """A figure of a series in a drawing of 320 by 96."""

    answer: Answer
    x: float
    y: float
    value: str
    day: datetime.date


class _Card(NamedTuple):
    """An answer as it is shown.

    `value` is None where only its sentence is. `series` are the figures of all times, newest first; it is empty if there is
    only one. `points` are those of them that can be drawn, in the order of time. `groups` are other answers by relation.
    """

    answer: Answer
    value: str | None
    series: list[Answer]
    points: list[_Point]
    groups: list[tuple[str, list[Answer]]]


def _card(answers: Answers | None) -> _Card | None:
    if answers is None or answers.answer is None:
        return None
    answer = answers.answer
    has_value = answer.kind not in _SENTENCE_KINDS and len(answer.text) <= _MAX_VALUE
    of_times = [other for other in answers.others if other.relation == "other date"]
    series = sorted([answer, *of_times], key=_day, reverse=True) if of_times else []
    groups = groupby((one for one in answers.others if one.relation != "other date"), lambda one: one.relation)
    shown = [(relation, list(group)) for relation, group in groups if relation]
    return _Card(answer, answer.text if has_value else None, series, _points(series), shown)


def _day(answer: Answer) -> datetime.date:
    """Return the last day of the time that an answer is of, else of its article."""
    mentions = date_mentions(answer.as_of, published=answer.date) if answer.as_of else []
    return next((mention.last for mention in mentions if mention.last), answer.date or datetime.date.min)


_WIDTH, _TOP, _BASE, _MARGIN = 320, 24, 72, 28


def _points(series: Sequence[Answer]) -> list[_Point]:
    """Return the figures of a series that can be drawn, oldest first.

    They have a time, and the unit of the newest; fewer than two different times are no series.
    """
    read = [(answer, found[0], _day(answer)) for answer in reversed(series) if (found := figures(answer.text))]
    read = [one for one in read if one[2] > datetime.date.min]
    if len({day for _, _, day in read}) < 2:
        return []
    unit = _unit(read[-1][0].text, read[-1][1].end)
    read = [one for one in read if _unit(one[0].text, one[1].end) == unit]
    if len({day for _, _, day in read}) < 2:
        return []
    days = [day.toordinal() for _, _, day in read]
    span, top = max(days) - min(days), max(figure.high for _, figure, _ in read) or 1.0
    width, height = _WIDTH - 2 * _MARGIN, _BASE - _TOP
    return [
        _Point(
            answer,
            round(_MARGIN + width * (day.toordinal() - min(days)) / span, 1),
            round(_BASE - height * figure.high / top, 1),
            answer.text[figure.number : figure.end],
            day,
        )
        for answer, figure, day in read
    ]


def _unit(text: str, end: int) -> str:
    return strip_diacritics(text[end:].lower()).strip()


# Filters


class _Choice(NamedTuple):
    """A value of a facet that can be ticked: what is sent, what is shown, articles.

    `also` names the only former province in a province, `parts` are several of them.
    """

    value: str
    label: str
    articles: int
    is_chosen: bool
    also: str = ""
    parts: "tuple[_Choice, ...]" = ()


def _commonest(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return values with their counts, commonest first."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _sources(params: Mapping[str, Any], counts: Mapping[str, int]) -> list[_Choice]:
    """Return the sources, commonest first, the chosen ones in front."""
    chosen = params["source"]
    choices = [_Choice(value, value, count, value in chosen) for value, count in _commonest(counts)]
    return _chosen_first(choices, chosen)


def _places(params: Mapping[str, Any], counts: Mapping[str, int]) -> list[_Choice]:
    """Return the provinces of today with the former ones in them."""
    chosen = tuple(params["place"])
    names = {*chosen, *map(canonical_place, chosen)}
    groups: dict[str, list[tuple[str, int]]] = {}
    for place, count in _commonest(counts):
        groups.setdefault(province_now(place) or place, []).append((place, count))
    choices = []
    for province, places in groups.items():
        total = sum(count for _, count in places)
        is_several = len(places) > 1
        parts = tuple(_Choice(_former(place), place, count, _former(place) in names) for place, count in places if is_several)
        also = places[0][0] if not is_several and places[0][0] != province else ""
        choices.append(_Choice(province, province, total, province in names or also in names, also, parts))
    return _chosen_first(sorted(choices, key=lambda one: (-one.articles, one.label)), chosen)


def _chosen_first(choices: list[_Choice], chosen: Sequence[str]) -> list[_Choice]:
    """Return choices with the chosen ones in front, also those that no article has."""
    listed = {one.value for one in choices} | {part.value for one in choices for part in one.parts}
    listed |= {one.also for one in choices}
    unlisted = [_Choice(value, value, 0, True) for value in chosen if {value, canonical_place(value)}.isdisjoint(listed)]
    choices.sort(key=lambda one: not (one.is_chosen or any(part.is_chosen for part in one.parts)))
    return [*unlisted, *choices][:_MAX_VALUES]


def _former(place: str) -> str:
    """Return the filter for a province as it was before July 2025.

    It differs from the name where a present province has the same name.
    """
    return f"{place} (cũ)" if len(former_parts(place)) > 1 else place


def _chosen(here: PageAddress, params: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the active filters: kind, value, and the address without the filter."""
    chosen = [
        (name, value, here.with_(page=1, **{name: tuple(other for other in params[name] if other != value)}))
        for name in _FILTERS
        for value in params[name]
    ]
    since, until = params["since"], params["until"]
    if since or until:
        period = since if since == until else f"{since or '…'} – {until or '…'}"
        chosen.append(("year", period, here.with_(page=1, since=None, until=None)))
    return chosen


def _shortcuts(here: PageAddress, params: Mapping[str, Any], today: datetime.date) -> list[tuple[str, str, bool]]:
    """Return this week, month and year: name, address, whether it is chosen."""
    starts = {
        "week": (today - datetime.timedelta(days=today.weekday())).isoformat(),
        "month": f"{today.month}/{today.year}",
        "year": str(today.year),
    }
    is_chosen = {name: params["since"] == start and not params["until"] for name, start in starts.items()}
    return [(name, here.with_(page=1, since=start, until=None), is_chosen[name]) for name, start in starts.items()]


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


# Hints

_OTHER_PLACE = {
    "hint.unknown-place-near": "{near}",
    "hint.grown-province": "{place} (cũ)",
    "hint.former-province": "{province}",
}
"""The place that a hint names instead of the chosen one."""


def _way_on(here: PageAddress, params: Mapping[str, Any], hint: Message) -> str | None:
    """Return the address that a hint advises, None if it advises none."""
    if hint.code in _OTHER_PLACE:
        typed, other = str(hint.fields["place"]), _OTHER_PLACE[hint.code].format(**hint.fields)
        places = tuple(other if typed in (value, canonical_place(value)) else value for value in params["place"])
        if places != tuple(params["place"]):
            return here.with_(page=1, place=tuple(dict.fromkeys(places)))
        return here.with_(page=1, q=params["q"].replace(typed, other)) if hint.code == "hint.unknown-place-near" else None
    if hint.code == "hint.fewer-filters" and any(params[name] for name in _without_filters()):
        return here.with_(page=1, **_without_filters())
    if hint.code == "hint.without-diacritics":
        return here.with_(page=1, q=strip_diacritics(params["q"]))
    if hint.code == "hint.plain-words":
        return here.with_(page=1, q=_SIGNS.sub("", params["q"]))
    return None
