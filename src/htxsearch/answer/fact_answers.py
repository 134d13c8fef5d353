"""Answer a question for a number from the facts of the index.

The newest comes first, those of other times beside it.

A fact answers only what it states: its indicator has the terms of the question and no others, its place is the one asked
about, its time overlaps the time asked about, and it is an actual figure unless a target is asked for. "thành lập mới" is part
of the indicator, so the founded are not the existing, and a part (HTX nông nghiệp) is not the whole.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from htxsearch.answer.figures import with_qualifier
from htxsearch.answer.question import QuestionAnalysis
from htxsearch.facts.extract import Fact
from htxsearch.facts.periods import as_of_words
from htxsearch.facts.places import province_of
from htxsearch.facts.stored import place_key
from htxsearch.facts.terms import indicator_terms
from htxsearch.facts.times import NOW
from htxsearch.query.filters import Filter
from htxsearch.query.parse import Dates
from htxsearch.search.fact_question import fact_request_of
from htxsearch.search.fact_results import FoundFact
from htxsearch.search.facts import find_facts
from htxsearch.search.results import Answer, Passage
from htxsearch.search.snapshot import Snapshot, StoredArticles
from htxsearch.text.date_mentions import date_mentions
from htxsearch.text.figures import agree, figures
from htxsearch.text.sentences import Span
from htxsearch.text.tokens import tokens

__all__ = ["CONFIDENCE", "beside", "fact_answers", "is_elsewhere", "is_target", "newest_answer"]

CONFIDENCE = 0.85
"""The share of such answers that are right: 20 of 22 on judged questions."""
_SMALLER = re.compile(r"(?:huyện|quận|thị xã|xã|phường|thị trấn|thôn|bản|ấp|làng) ", re.IGNORECASE)
"""The kinds of places within a province, but for cities, some of which are one."""
_LONGEST_PERIOD = 366
"""Days of the longest period whose figure answers a question that names a time."""


def fact_answers(snapshot: Snapshot, asked: str, question: QuestionAnalysis, filters: tuple[Filter, ...]) -> list[Answer]:
    """Return the facts that answer a question, newest first.

    There are none unless it asks for a number of something at a place.

    `asked` is the question with diacritics. Facts of the same time come together, those of more articles first.
    """
    request = fact_request_of(asked)
    wanted = request.wanted()
    if question.kind != "number" or not wanted or len(request.places) != 1 or _other_filters(filters) or _numbers(asked):
        return []
    place = place_key(request.places[0])
    status = "target" if question.status == "target" else "actual"
    since, until = request.period or (None, None)
    found = [
        fact
        for fact in find_facts(snapshot, request._replace(statuses=(status,), since=since, until=until))
        if fact.extra == 0
        and _has_time(fact, named=since is not None)
        and fact.fact.place
        and place_key(fact.fact.place) == place
        and _counts(fact, wanted)
    ]
    found.sort(key=_newest, reverse=True)
    snapshot.articles.fetch(fact.article_id for fact in found)
    return [_answer(fact, snapshot.articles, question) for fact in found]


def _has_time(found: FoundFact, *, named: bool) -> bool:
    """Return True if the text names the time of a fact; now is the day of the article.

    If the question names a time, too, it must be no longer than a year.
    """
    if found.first is None or found.last is None or not (found.fact.as_of or _now(found)):
        return False
    return not named or (found.last - found.first).days <= _LONGEST_PERIOD


def _now(found: FoundFact) -> str | None:
    """Return the words of a sentence that say now, before its figure."""
    match = NOW.search(found.sentence, 0, found.fact.start - found.fact.sentence.start)
    return match[0] if match else None


def _newest(found: FoundFact) -> tuple[date, int, str]:
    assert found.last is not None
    return found.last, len(found.sources), found.article_id


def newest_answer(answer: Answer | None, of_facts: Sequence[Answer], *, names_time: bool) -> Answer | None:
    """Return the answer of the reader or the newest fact.

    It is the fact if the reader has no answer, or if its answer is an older one of the facts and the question names no time.
    """
    if not of_facts:
        return answer
    own = next((fact for fact in of_facts if answer and _overlap(fact, answer)), None)
    if answer is None or (own is not None and not names_time and own.as_of != of_facts[0].as_of):
        return of_facts[0]
    return answer


def is_target(facts: Sequence[Fact], answer: Answer) -> bool:
    """Return True if the figure of an answer is a target by the facts of its article."""
    return any(fact.status == "target" and fact.start < answer.end and answer.start < fact.end for fact in facts)


def is_elsewhere(facts: Sequence[Fact], answer: Answer, places: Sequence[str]) -> bool:
    """Return True if the sentence of an answer's figure names another place.

    It is another one than the province asked about.

    So is a district of it: its figure is not that of the province.
    """
    asked = {province_of(place, ()) for place in places}
    if None in asked or any(_SMALLER.match(place) for place in places):
        return False
    found = [fact for fact in facts if fact.start < answer.end and answer.start < fact.end and fact.in_sentence and fact.place]
    return bool(asked and found) and all(
        _SMALLER.match(fact.place or "") or (fact.province is not None and fact.province not in asked) for fact in found
    )


def beside(answer: Answer | None, of_facts: Sequence[Answer]) -> tuple[Answer, ...]:
    """Return the facts beside an answer that is one of them.

    Those of the same time come first, then the series of other times.
    """
    own = next((fact for fact in of_facts if answer and _overlap(fact, answer)), None)
    if own is None:
        return ()
    others = [fact for fact in of_facts if not _overlap(fact, own)]
    related = [replace(fact, relation=_relation(fact, own)) for fact in others]
    return tuple(sorted(related, key=lambda fact: fact.relation == "other date"))


def _relation(fact: Answer, own: Answer) -> str:
    if fact.as_of != own.as_of:
        return "other date"
    here, there = figures(fact.text), figures(own.text)
    return "same" if here and there and agree(here[0], there[0]) else "different"


def _overlap(one: Answer, other: Answer) -> bool:
    return one.article_id == other.article_id and one.start < other.end and other.start < one.end


def _numbers(asked: str) -> bool:
    """Return True if a question names numbers that are no times: OCOP 4 sao."""
    dates = date_mentions(asked)
    return any(
        token.term[0].isdigit() and not any(date.start <= token.start < date.end for date in dates) for token in tokens(asked)
    ) and not re.fullmatch(r"[^\d]*(?:19|20)\d\d[^\d]*", asked)


def _other_filters(filters: tuple[Filter, ...]) -> bool:
    return any(not isinstance(one, Dates) for one in filters)


def _counts(fact: FoundFact, wanted: frozenset[str]) -> bool:
    """Return True if a fact counts what is asked for.

    Its unit is among the terms, and no organisation is its subject.
    """
    unit = indicator_terms(fact.fact.unit.split("/")[0])
    is_part = fact.sentence[: fact.fact.start - fact.fact.sentence.start].rstrip().endswith("(")
    return "/" not in fact.fact.unit and bool(unit & wanted) and fact.fact.subject is None and not is_part


def _answer(found: FoundFact, articles: StoredArticles, question: QuestionAnalysis) -> Answer:
    stored = articles[found.article_id]
    fact, body = found.fact, stored.article.body
    bounded = with_qualifier(found.sentence, Span(fact.start - fact.sentence.start, fact.end - fact.sentence.start))
    start, end = fact.sentence.start + bounded.start, fact.sentence.start + bounded.end
    span = next((span for span in stored.passages if span.start <= fact.start < span.end), fact.sentence)
    return Answer(
        text=body[start:end],
        start=start,
        end=end,
        kind=question.kind,
        confidence=CONFIDENCE,
        sentence=Passage(fact.sentence.start, fact.sentence.end, found.sentence),
        passage=Passage(span.start, span.end, body[span.start : span.end]),
        article_id=found.article_id,
        title=found.title,
        date=found.date,
        place=stored.article.place,
        as_of=as_of_words(fact.as_of) if fact.as_of else _now(found),
        page=stored.article.page_at(start),
        ocr=stored.article.ocr,
    )
