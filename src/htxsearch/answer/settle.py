"""From the best spans of several articles to one answer, and what the others are to it.

A figure is one of a time. Where the question names none, the newest of the likely figures is given; figures of the same
time that differ are shown as different, those of other times as a series.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from htxsearch.answer.question import Asking
from htxsearch.answer.reading import dated
from htxsearch.results import Answer
from htxsearch.text.dates import DateMention
from htxsearch.text.normalize import normal
from htxsearch.text.tokens import tokens

__all__ = ["as_of", "settle"]

_FIGURES = ("number", "money", "percent")
_AS_LIKELY = 0.85
"""Share of the best span's confidence at which a newer figure is given in its place."""
_LIKELY = 0.5
"""Share of the answer's confidence from which the span of another article is shown beside it."""


def as_of(answer: Answer) -> DateMention | None:
    """Return the period an answer is about, its place that in the answer's passage; None if none is named.

    It is the last one named before the span in its sentence, else the first behind it, else the last one before the
    sentence. Relative ones are counted from the article's date.
    """
    away = answer.passage.start
    start, end, at = answer.sentence.start - away, answer.sentence.end - away, answer.start - away
    named = [one for one in dated(answer.passage.text, answer.date) if one.end <= end]
    inside = [one for one in named if one.start >= start]
    before = [one for one in inside if one.end <= at]
    nearest = before[-1:] or [one for one in inside if one.start > at][:1] or [one for one in named if one.end <= start][-1:]
    return nearest[0] if nearest else None


def settle(asking: Asking, answers: Sequence[Answer]) -> tuple[Answer | None, tuple[Answer, ...]]:
    """Return the answer to give, and those of other articles with their relation to it. `answers` are best first."""
    if not answers:
        return None, ()
    given = answers[0]
    if asking.kind in _FIGURES and not asking.periods:
        unit = _unit(given)
        alike = [one for one in answers if _unit(one) == unit and one.confidence >= _AS_LIKELY * given.confidence]
        given = max(alike, key=lambda one: (_until(one), -answers.index(one)))
    others: dict[str, Answer] = {}
    for one in answers:
        likely = one.confidence >= _LIKELY * given.confidence
        if one.article_id != given.article_id and one.article_id not in others and likely:
            others[one.article_id] = replace(one, relation=_relation(asking, given, one))
    return given, tuple(sorted(others.values(), key=lambda one: -one.confidence))


def _relation(asking: Asking, given: Answer, other: Answer) -> str | None:
    """Tell what an answer is to the one given; None if it is neither the same nor a figure of the same unit."""
    if _said(other.text) == _said(given.text):
        return "same"
    if asking.kind not in _FIGURES or _unit(other) != _unit(given):
        return None
    return "different" if _until(other) == _until(given) else "other date"


def _said(text: str) -> tuple[str, ...]:
    return tuple(normal(token.term) for token in tokens(text))


def _unit(answer: Answer) -> str:
    """Return what a figure counts: the first word behind it."""
    behind = [term for term in _said(answer.text) if not term[0].isdigit() and term not in ("gần", "trên", "hơn", "khoảng")]
    return behind[0] if behind else ""


def _until(answer: Answer) -> date:
    """Return the last day of the period an answer is about, else its article's date, else the earliest day there is."""
    period = as_of(answer)
    return (period and period.last) or answer.date or date.min
