"""Answers about a document that the question names by its number.

When it was issued, and who signed it. The document itself says both: the dateline in its head, the signature at its foot. A
text that cites it with the day of its issue (Nghị định số 5/2020/NĐ-CP ngày 3 tháng 2 năm 2020) gives the day as well. No model
is needed, and an answer is a literal span of an article like all others.
"""

import re
from collections.abc import Iterable, Iterator

from htxsearch.answer.question import QuestionAnalysis
from htxsearch.indexing.records import StoredArticle
from htxsearch.search.results import Answer, Passage
from htxsearch.search.snapshot import StoredArticles
from htxsearch.text.date_mentions import date_mentions
from htxsearch.text.dates import find_date
from htxsearch.text.document_numbers import document_numbers, number_terms
from htxsearch.text.normalize import folded_form
from htxsearch.text.sentences import Span, sentences

__all__ = ["document_answer"]

_CONFIDENCE = 0.95
"""The confidence in what a document says of itself, or in a citation with the number that was asked for."""
_HEAD = 3_000
"""Characters at the beginning of a document in which its dateline stands."""
_DATELINE = re.compile(r"^[^\d\n]{2,40}?,? (?P<day>[Nn]gày \d{1,2} tháng \d{1,2} năm \d{4})$", re.MULTILINE)
_DAY = re.compile(r"(?<!\s),?\s++(?:(?:được\s+)?(?:ký|ban hành)\s+)?(?=ngày\s+\d)", re.IGNORECASE)


def document_answer(
    question: QuestionAnalysis,
    numbers: Iterable[tuple[str, ...]],
    article_ids: Iterable[str],
    articles: StoredArticles,
) -> Answer | None:
    """Return when the one document of `numbers` was issued, or who signed it.

    `numbers` are the terms of the numbers in the question, `article_ids` those retrieved, best first. None for other questions,
    and if no article says it.
    """
    wanted = {tuple(map(folded_form, terms)) for terms in numbers}
    asks_for_signer = question.kind == "person" and not {"ký", "ky"}.isdisjoint(question.terms)
    if len(wanted) != 1 or not (asks_for_signer or question.event == "issue"):
        return None
    [number] = wanted
    retrieved = list(dict.fromkeys(article_ids))
    articles.fetch(retrieved)
    stored = [articles[article_id] for article_id in retrieved]
    own = [one for one in stored if one.article.number and number_terms(one.article.number) == number]
    find = _signature if asks_for_signer else _dateline
    for one in own:
        if span := find(one):
            return _answer(question, one, span)
    if asks_for_signer:
        return None
    return next((_answer(question, one, span) for one in stored for span in _cited(one, number)), None)


def _dateline(stored: StoredArticle) -> Span | None:
    """Return the day in the dateline of a document's head."""
    found = _DATELINE.search(stored.article.body, 0, _HEAD)
    return Span(*found.span("day")) if found and find_date(found["day"]) == stored.article.date else None


def _signature(stored: StoredArticle) -> Span | None:
    """Return the name of the one who signed, where it stands last in the text."""
    signer = stored.article.signer
    if not signer or ";" in signer:
        return None
    name = signer.partition(",")[0]
    at = stored.article.body.lower().rfind(name.lower())
    return Span(at, at + len(name)) if at >= 0 else None


def _cited(stored: StoredArticle, number: tuple[str, ...]) -> Iterator[Span]:
    """Yield the days with which a text cites a document."""
    body = stored.article.body
    ends = [one.end for one in document_numbers(body) if number_terms(one.normal) == number]
    if not ends:
        return
    days = {mention.start: mention for mention in date_mentions(body) if mention.first and mention.first == mention.last}
    for end in ends:
        between = _DAY.match(body, end)
        day = days.get(between.end()) if between else None
        if day:
            yield Span(day.start, day.end)


def _answer(question: QuestionAnalysis, stored: StoredArticle, span: Span) -> Answer:
    """Return a span of an article as the answer, in its sentence and passage."""
    article, body = stored.article, stored.article.body
    passage = next((one for one in stored.passages if one.start <= span.start and span.end <= one.end), span)
    text = body[passage.start : passage.end]
    inner = Span(span.start - passage.start, span.end - passage.start)
    sentence = next((one for one in sentences(text) if one.start <= inner.start and inner.end <= one.end), inner)
    return Answer(
        text=body[span.start : span.end],
        start=span.start,
        end=span.end,
        kind=question.kind,
        confidence=_CONFIDENCE,
        sentence=Passage(passage.start + sentence.start, passage.start + sentence.end, text[sentence.start : sentence.end]),
        passage=Passage(passage.start, passage.end, text),
        article_id=article.id,
        title=article.title,
        date=article.date,
        place=article.place,
        page=article.page_at(span.start),
        ocr=article.ocr,
    )
