"""The start page: size of the index, newest articles, questions that it answers.

All of it is made once for each commit of an index and kept by the process; the questions later: trying them takes a second.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from htxsearch.errors import UsageError
from htxsearch.index import Index
from htxsearch.search.results import Info, SearchHit, by_province
from htxsearch.text.places import province_now
from htxsearch.web.caching import AnswerCache

__all__ = ["Home", "home_of", "try_question"]

_VALUES = 12
"""Places, and sources, that the page offers."""
_NEWEST = 6
_READ_ARTICLES = 30
"""The newest articles whose figures become questions."""
_QUESTIONS, _MAX_TRIED = 3, 9
"""Questions on the page, and questions that are tried before it has fewer."""
_ANY_TIME = "date:1900.."

_kept, _trials, _tried = AnswerCache(), AnswerCache(), AnswerCache()


class Home(NamedTuple):
    """The content of the start page. `questions` are None before they were tried."""

    info: Info
    places: list[tuple[str, int]]
    sources: list[tuple[str, int]]
    newest: tuple[SearchHit, ...]
    questions: list[str] | None


def try_question(index: Index) -> bool:
    """Ask the next question of the start page; return True after the last.

    One at a time, so that readers who ask something need not wait for all of them.
    """
    key = _key(index)
    left, answered = _trials.get_or_make(key, lambda: _trial(index))
    if left and len(answered) < _QUESTIONS:
        question = left.pop(0)
        if _is_answered(index, question):
            answered.append(question)
    is_last = not left or len(answered) == _QUESTIONS
    if is_last:
        _tried.get_or_make(key, lambda: answered)
    return is_last


def _trial(index: Index) -> tuple[list[str], list[str]]:
    """Return the questions to try, and room for those that were answered."""
    return _questions(index), []


def home_of(index: Index) -> Home:
    """Return the content of the start page, with questions if they were tried."""
    key = _key(index)
    return _kept.get_or_make(key, lambda: _home(index))._replace(questions=_tried.get(key))


def _key(index: Index) -> str:
    return f"{index.path}\n{index.version()}"


def _home(index: Index) -> Home:
    info = index.info()
    newest = index.search(_ANY_TIME, sort="date", limit=_NEWEST).hits if info.articles else ()
    places = _commonest(by_province(info.places, others=True))
    return Home(info, places, _commonest(info.sources), newest, None)


def _commonest(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the commonest values with their counts."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_VALUES]


def _questions(index: Index) -> list[str]:
    """Return questions about figures of the newest articles, which may have no answer.

    Each asks another province for what most provinces have a figure of.
    """
    newest = index.search(_ANY_TIME, sort="date", limit=_READ_ARTICLES).hits if index.counts().articles else ()
    by_unit: dict[str, dict[str, str]] = {}
    for hit in newest:
        for found in index.facts("", article=hit.article_id):
            fact = found.fact
            counts = fact.status == "actual" and fact.place and province_now(fact.place) and not fact.subject
            if counts and fact.indicator == f"số {fact.unit}":  # what counts things reads as a question
                by_unit.setdefault(fact.unit, {})[str(fact.place)] = f"{fact.place} có bao nhiêu {fact.unit}?"
    by_place: dict[str, str] = {}
    for questions in sorted(by_unit.values(), key=len, reverse=True):
        by_place = by_place | {place: question for place, question in questions.items() if place not in by_place}
    return list(by_place.values())[:_MAX_TRIED]


def _is_answered(index: Index, question: str) -> bool:
    values: dict[str, Any] = {"limit": 1, "answer": True}
    try:
        return bool(index.search(question, **values).answers)
    except UsageError:  # no unit or place of the texts need be a question
        return False
