"""From the best spans of several articles to one answer, and what the others are to it.

A figure is one of a time, and of what is, what is aimed at, or what has changed. Figures are rivals if their sentences say
as much of what is asked and count the same: then the time that the question names decides; where it names none, the newest
is given. Rivals of the same time that differ are shown as different, those of other times as a series.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from typing import NamedTuple

from htxsearch.answer.figures import Status, status_of
from htxsearch.answer.question import FIGURES, QuestionAnalysis
from htxsearch.answer.sentences import dated, overlap, own_period
from htxsearch.search.results import Answer
from htxsearch.text.abbreviations import COMMON
from htxsearch.text.dates import DateMention
from htxsearch.text.document_numbers import document_numbers
from htxsearch.text.normalize import normal
from htxsearch.text.tokens import tokens

__all__ = ["CandidateAnswer", "as_of", "resolve"]

_SCALES = ("trăm", "nghìn", "ngàn", "vạn", "triệu", "tỷ")
_QUALIFIERS = ("gần", "trên", "hơn", "khoảng", "ước", "tính", "chừng", "xấp", "xỉ")
_SAYS = 0.85
"""What a rival's sentence says of what is asked, as a share of what the best one's says."""
_RIVAL = 0.1
"""How well a rival fits, as a share of the best span's fit."""
_ALIKE = 0.5
"""How likely a rival is, as a share of the likeliest one, to be given for being newer."""
_UNFIT = 0.4
"""What is left of the confidence in a figure of another status or time than was asked for, where none of that was found,
and in what is said of another document or office."""


class CandidateAnswer(NamedTuple):
    """An answer; how likely its span is, how well it fits (`Choice`), and how much of what is asked its sentence says."""

    answer: Answer
    score: float
    fit: float
    says: float


def as_of(answer: Answer) -> DateMention | None:
    """Return the period an answer is about, its place that in the answer's passage; None if none is named.

    Relative ones are counted from the article's date.
    """
    text = answer.passage.text
    return own_period(text, dated(text, answer.date), *_places(answer))


def resolve(asking: QuestionAnalysis, told: Sequence[CandidateAnswer]) -> tuple[Answer | None, tuple[Answer, ...]]:
    """Return the answer to give, and those of other articles with their relation to it.

    What several sentences say is as likely as all of them together, and given from the one that is trusted most.
    """
    if not told:
        return None, ()
    told = [_doubted(one) if _is_of_another(asking, one.answer) else one for one in told]
    likely: dict[tuple[str, ...], float] = {}
    for one in told:
        likely[_said(one.answer.text)] = likely.get(_said(one.answer.text), 0.0) + one.score
    told = sorted(told, key=lambda one: (-likely[_said(one.answer.text)], -one.answer.confidence))
    best = told[0]
    if asking.kind not in FIGURES:
        same = [one for one in told if _said(one.answer.text) == _said(best.answer.text)]
        given = replace(best.answer, confidence=_any_of(same))
        return given, _others(given, [replace(one.answer, relation="same") for one in same])
    rivals = [one for one in told if _is_rival(best, one)]
    fitting = [one for one in rivals if _fits(asking, one.answer)]
    alike = [one for one in fitting if one.score >= _ALIKE * fitting[0].score]
    if not alike:
        given = replace(best.answer, confidence=_UNFIT * best.answer.confidence)
    else:
        chosen = alike[0] if asking.periods else max(alike, key=lambda one: (_until(one.answer), one.score))
        given = replace(chosen.answer, confidence=_any_of([best, *(one for one in alike if one is not best)]))
    shown = [one.answer for one in rivals if _status(one.answer) == _status(given)]
    return given, _others(given, [replace(one, relation=_relation(given, one)) for one in shown])


def _doubted(one: CandidateAnswer) -> CandidateAnswer:
    return one._replace(answer=replace(one.answer, confidence=_UNFIT * one.answer.confidence))


def _is_of_another(asking: QuestionAnalysis, answer: Answer) -> bool:
    """Tell whether an answer is of another office, document or time than was asked about.

    A deputy is asked about and the sentence has none; or a document that the question names by its number is named neither in
    the passage nor in the title; or what is no figure and no date is said of another time.
    """
    if asking.periods and asking.kind not in (*FIGURES, "date"):
        period = as_of(answer)
        if period and not any(overlap(one, period) for one in asking.periods):
            return True
    if asking.kind == "person" and not {"phó", "pho"}.isdisjoint((*asking.before, *asking.focus, *asking.behind)):
        return "phó" not in _said(answer.sentence.text)
    named = (*document_numbers(answer.passage.text), *document_numbers(answer.title))
    return not asking.documents <= {one.number for one in named}


def _any_of(some: Sequence[CandidateAnswer]) -> float:
    """Return the chance that one of several articles is right: the confidence in each was less for the others."""
    found: dict[str, float] = {}
    for one in some:
        found[one.answer.article_id] = max(one.answer.confidence, found.get(one.answer.article_id, 0.0))
    return 1 - math.prod(1 - confidence for confidence in found.values())


def _others(given: Answer, some: Sequence[Answer]) -> tuple[Answer, ...]:
    """Return the first of each other article: those that say the same first, those of other times last, the newest first."""
    found: dict[str, Answer] = {}
    for one in some:
        if one.article_id != given.article_id:
            found.setdefault(one.article_id, one)
    order = {"same": 0, "different": 1, "other date": 2}
    return tuple(sorted(found.values(), key=lambda one: (order[one.relation or "same"], -_until(one).toordinal())))


def _is_rival(best: CandidateAnswer, other: CandidateAnswer) -> bool:
    return (
        other.fit >= _RIVAL * best.fit and other.says >= _SAYS * best.says and _counted(other.answer) == _counted(best.answer)
    )


def _fits(asking: QuestionAnalysis, answer: Answer) -> bool:
    """Tell whether a figure is of the time and the status that are asked for; one without a time may be of any."""
    status, period = _status(answer), as_of(answer)
    if status != asking.status and (asking.status != "change" or status == "target"):
        return False
    return not (asking.periods and period) or any(overlap(one, period) for one in asking.periods)


def _relation(given: Answer, other: Answer) -> str:
    """Tell what a rival is to the answer given."""
    if _figure(other) == _figure(given):
        return "same"
    return "different" if _until(other) == _until(given) else "other date"


def _status(answer: Answer) -> Status:
    start, end, at = _places(answer)
    period, text = as_of(answer), answer.passage.text
    found = status_of(text[start:at], text[at + len(answer.text) : end])
    if found != "actual" or period is None or period.kind != "planned":
        return found
    begun = answer.date and period.first and period.first <= answer.date  # told on 26/12: đến cuối năm 2019 có 48 HTX
    return "actual" if begun else "target"


def _places(answer: Answer) -> tuple[int, int, int]:
    """Return where in the passage the answer's sentence begins and ends, and where the answer begins."""
    away = answer.passage.start
    return answer.sentence.start - away, answer.sentence.end - away, answer.start - away


def _said(text: str) -> tuple[str, ...]:
    return tuple(normal(token.term) for token in tokens(text))


def _figure(answer: Answer) -> tuple[str, ...]:
    """Return an answer's number with its scale, or all its words if it has none."""
    said = _said(answer.text)
    return tuple(term for term in said if term[0].isdigit() or term in _SCALES) or said


def _counted(answer: Answer) -> str:
    """Return what a figure counts: the first word behind it, that of the long form for an abbreviation; % for a share."""
    if answer.kind == "percent" and answer.text.endswith(("%", "phần trăm")):
        return "%"
    at = _places(answer)[2]
    for term in _said(answer.passage.text[at : at + len(answer.text) + 30]):
        if not (term[0].isdigit() or term in _SCALES or term in _QUALIFIERS):
            return _long_forms().get(term, term)
    return ""


@cache
def _long_forms() -> dict[str, str]:
    return {normal(short.lower()): _said(long)[0] for short, long in COMMON.items()}


def _until(answer: Answer) -> date:
    """Return the last day of the period an answer is about, else its article's date, else the earliest day there is."""
    period = as_of(answer)
    return (period and period.last) or answer.date or date.min
