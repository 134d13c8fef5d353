"""Extract the facts of an article.

A fact says what a figure counts, where, when and in what status.

Pure over text. The structure of the text is used: sentences, paragraphs, headings (a short line without a final dot), and
the periods and places that headings and the title name.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, cast

from htxsearch.facts.attachment import Candidate, Position, Relation, after, best
from htxsearch.facts.indicators import Indicated, indicator_candidates, subject_of
from htxsearch.facts.mentions import FigureMention, figure_mentions
from htxsearch.facts.place_candidates import TextPlaces, place_candidates
from htxsearch.facts.places import NamedPlace, places_of, province_of
from htxsearch.facts.status import Framed, Status, status_candidates
from htxsearch.facts.time_candidates import TextDates, time_candidates
from htxsearch.facts.times import as_of_text, date_role, with_relative_periods
from htxsearch.text.date_mentions import DateMention, date_mentions
from htxsearch.text.sentences import Span, lines, sentences

__all__ = ["Fact", "FigureContext", "extract_facts", "figure_contexts", "framed_by", "indicators_of", "place_text", "time_text"]


class Fact(NamedTuple):
    """A figure of an article: `body[start:end]` is its value with its unit.

    `low` and `high` differ for a range only; the scale is multiplied out. `qualifier` is a word such as gần or ít nhất.
    `as_of` is 2019, 2019-09, 2022-H1, 2013/2018 or --07-12. `province` is the canonical province of the place. `in_sentence` is
    True if the sentence itself names the place.
    """

    start: int
    end: int
    low: float
    high: float
    unit: str
    qualifier: str | None
    status: Status
    indicator: str
    subject: str | None
    place: str | None
    province: str | None
    in_sentence: bool
    as_of: str | None
    sentence: Span


_PLANNED_BEFORE = re.compile(r"(?<!\w)(?:phương hướng|nhiệm vụ|kế hoạch|mục tiêu|chương trình công tác)(?!\w)", re.IGNORECASE)
"""Words of a heading behind which it names the period of a plan: báo cáo năm 2023 và phương hướng năm 2024."""
_LONGEST_HEADING = 160
_REACH = 1000
"""Characters before and behind a figure that are looked at, should its sentence be longer."""
_ITEM = re.compile(r"\s*([-–+*•])\s")
"""The mark of an item of a list."""
_ANNOUNCES = re.compile(r"(?:như sau|cụ thể|gồm|sau đây) ?:", re.IGNORECASE)


class _Section(NamedTuple):
    """A heading with the period and place that it names.

    `outer_period` and `outer_place` are those of the headings before it: those of a chapter hold for its sections.
    """

    heading: str
    period: DateMention | None
    place: NamedPlace | None
    outer_period: DateMention | None = None
    outer_place: NamedPlace | None = None


class _Page(NamedTuple):
    title: str
    body: str
    dates: TextDates
    places: TextPlaces
    title_place: str | None
    place: str | None


class FigureContext(NamedTuple):
    """A figure with what is to be decided about it: the places and times it may be of.

    `announced` is the text before its sentence from one that announces a list on. `relation` is how the figure before stands to
    it.
    """

    mention: FigureMention
    at: Position
    relation: Relation
    heading: str
    announced: str
    places: list[Candidate]
    times: list[Candidate]


def figure_contexts(
    title: str, body: str, *, published: date | None = None, place: str | None = None
) -> tuple[_Page, list[FigureContext]]:
    """Return the figures of a text with their candidates.

    The weights are learnt from them.
    """
    dates = date_mentions(body, published=published)
    mentions = figure_mentions(body, dates)
    title_place = next((named.name for named in places_of(title) if named.level), None) if mentions else None
    title_period = _period(title, date_mentions(title, published=published), Span(0, len(title))) if mentions else None
    if mentions:
        dates = with_relative_periods(body, dates, published, title_period)
    page = _Page(
        title,
        body,
        TextDates(title, body, dates, title_period),
        TextPlaces(title, body, places_of(body) if mentions else []),
        title_place,
        place,
    )
    contexts: list[FigureContext] = []
    section = _Section("", None, None)
    at = 0
    for paragraph in lines(body) if mentions else ():
        if _is_heading(body, paragraph):
            section = _section(page, paragraph, section)
        bounds: list[Span] = []
        announced: int | None = None
        while at < len(mentions) and mentions[at].start < paragraph.end:
            if not bounds:
                bounds = _sentences(body, paragraph)
                announced = next((span.start for span in bounds if _ANNOUNCES.search(body, span.start, span.end)), None)
            contexts.append(
                _context(page, section, paragraph, bounds, announced, mentions[at], contexts[-1] if contexts else None)
            )
            at += 1
    return page, contexts


def _context(
    page: _Page,
    section: _Section,
    paragraph: Span,
    bounds: Sequence[Span],
    announced: int | None,
    mention: FigureMention,
    before: FigureContext | None,
) -> FigureContext:
    """Return the context of a figure.

    `announced` is where the sentence of its paragraph begins that announces a list, `before` the context of the figure before.
    """
    number = bisect_right(bounds, mention.start, key=lambda span: span.start) - 1
    is_inside = number >= 0 and mention.start < bounds[number].end
    sentence = _within_reach(page.body, bounds[number] if is_inside else paragraph, mention)
    since = max(sentence.start, before.mention.end if before else 0)
    at = Position(Span(mention.phrase_start, mention.end), sentence, bounds, since, mention.unit.kind)
    return FigureContext(
        mention,
        at,
        _relation(page.body, before, at, section) if before else "",
        section.heading,
        "" if announced is None else page.body[max(announced, sentence.start - _REACH) : sentence.start].rstrip(),
        place_candidates(page.body, page.places, at, page.title_place, page.place, section.place, section.outer_place),
        time_candidates(page.body, page.dates, at, section.period, section.outer_period),
    )


def _relation(body: str, before: FigureContext, at: Position, section: _Section) -> Relation:
    """Return how the figure before stands to one."""
    if before.at.sentence == at.sentence:
        return "same sentence"
    here, there = at.bounds[0].start, before.at.bounds[0].start
    if here == there:
        return "same paragraph"
    marks = [match[1] if (match := _ITEM.match(body, start)) else "" for start in (here, there)]
    if marks[0] and marks[0] == marks[1]:
        return "next item"
    return "next paragraph" if section.heading == before.heading else ""


def _within_reach(body: str, sentence: Span, mention: FigureMention) -> Span:
    """Return a sentence, or of one without end the words around a figure."""
    start, end = max(sentence.start, mention.phrase_start - _REACH), min(sentence.end, mention.end + _REACH)
    if start > sentence.start:
        start = body.find(" ", start, mention.phrase_start) + 1 or start
    if end < sentence.end:
        blank = body.rfind(" ", mention.end, end)
        end = blank if blank > 0 else end
    return Span(start, end)


def _sentences(body: str, paragraph: Span) -> list[Span]:
    return [
        Span(paragraph.start + span.start, paragraph.start + span.end)
        for span in sentences(body[paragraph.start : paragraph.end])
    ]


def extract_facts(title: str, body: str, *, published: date | None = None, place: str | None = None) -> list[Fact]:
    """Return the facts of an article (NFC), in the order of their figures."""
    page, contexts = figure_contexts(title, body, published=published, place=place)
    facts: list[Fact] = []
    place_before: Candidate | None = None
    time_before: Candidate | None = None
    indicated: Indicated | None = None
    for context in contexts:
        place_before = best("place", after(context.places, place_before, context.relation))
        time_before = best("time", after(context.times, time_before, context.relation))
        indicator = best("indicator", indicators_of(body, context, indicated))
        assert isinstance(indicator.value, str)
        indicated = Indicated(context.mention, context.at.sentence, indicator.value)
        framed = framed_by(context, time_before, facts[-1].status if facts else None)
        status = best("status", status_candidates(body, context.at.sentence, context.mention, framed))
        facts.append(_fact(page, context, place_before, time_before, indicator.value, cast("Status", status.value)))
    return facts


def indicators_of(body: str, context: FigureContext, before: Indicated | None) -> list[Candidate]:
    """Return the indicators that a figure may have.

    `before` is the figure before it; it counts only in the same paragraph.
    """
    at = context.at
    if before and before.sentence.start < at.bounds[0].start:
        before = None
    number = bisect_left(at.bounds, at.sentence.start, key=lambda span: span.end) - 1
    sentence_before = at.bounds[number] if number >= 0 else None
    if sentence_before:
        sentence_before = Span(max(sentence_before.start, sentence_before.end - _REACH), sentence_before.end)
    return indicator_candidates(body, at.sentence, context.mention, before, sentence_before)


def framed_by(context: FigureContext, time: Candidate, before: str | None) -> Framed:
    """Return what a figure's status is seen by.

    `before` is the status of the figure before.
    """
    assert time.value is None or isinstance(time.value, DateMention)
    return Framed(time.value, context.heading, context.announced, before, context.relation)


def _fact(page: _Page, context: FigureContext, of_place: Candidate, of_time: Candidate, indicator: str, status: Status) -> Fact:
    body, mention, sentence = page.body, context.mention, context.at.sentence
    place = place_text(of_place)
    return Fact(
        start=mention.start,
        end=mention.end,
        low=mention.low,
        high=mention.high,
        unit=mention.unit.name,
        qualifier=mention.qualifier,
        status=status,
        indicator=indicator,
        subject=subject_of(body, sentence, mention),
        place=place,
        province=province_of(place, (page.title_place, page.place)),
        in_sentence=isinstance(of_place.value, NamedPlace) and sentence.start <= of_place.value.start < sentence.end,
        as_of=time_text(page, of_time),
        sentence=sentence,
    )


def place_text(candidate: Candidate) -> str | None:
    """Return the name of a place candidate."""
    value = candidate.value
    return value.name if isinstance(value, NamedPlace) else cast("str | None", value)


def time_text(page: _Page, candidate: Candidate) -> str | None:
    """Return the as-of text of a time candidate."""
    time = candidate.value
    if not isinstance(time, DateMention):
        return None
    return as_of_text(page.title if page.dates.is_of_title(time) else page.body, time)


def _section(page: _Page, line: Span, before: _Section) -> _Section:
    return _Section(
        page.body[line.start : line.end],
        _period_between(page, line),
        _place_between(page.places, line),
        before.period or before.outer_period,
        before.place or before.outer_place,
    )


def _is_heading(body: str, line: Span) -> bool:
    text = body[line.start : line.end]
    return len(text) <= _LONGEST_HEADING and not _ITEM.match(text) and not text.endswith((".", ";", ",", "!", "?", "…"))


def _period_between(page: _Page, line: Span) -> DateMention | None:
    return _period(page.body, page.dates.between(line.start, line.end), line)


def _place_between(places: TextPlaces, line: Span) -> NamedPlace | None:
    """Return the first place that a heading names."""
    at = bisect_left(places.starts, line.start)
    return places.places[at] if at < len(places.places) and places.starts[at] < line.end else None


def _period(text: str, mentions: Sequence[DateMention], line: Span) -> DateMention | None:
    """Return the last period of a heading that is no single day."""
    periods = [
        mention
        for mention in mentions
        if mention.first and mention.first != mention.last and not date_role(text, mention, line.start)
    ]
    behind = [mention for mention in periods if not _PLANNED_BEFORE.search(text, line.start, mention.start)]
    return (behind or periods)[-1] if periods else None
