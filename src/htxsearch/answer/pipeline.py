"""The answer to a question, in three steps: retrieve, score, resolve.

Retrieve the nearest passages, score their spans, resolve the best spans to one answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from htxsearch.answer.accusations import accuses, is_said_of, names_a_person
from htxsearch.answer.checks import is_of_several
from htxsearch.answer.document_answers import document_answer
from htxsearch.answer.fact_answers import beside, fact_answers, is_elsewhere, is_target, newest_answer
from htxsearch.answer.question import (
    FIGURES,
    QuestionAnalysis,
    analyse_question,
    asks_for_answer,
    folded_words,
    is_named,
    plain_question,
    with_diacritics,
)
from htxsearch.answer.reader.model import OWN_READER, reader_at
from htxsearch.answer.resolve import CandidateAnswer, candidate_answer, resolve
from htxsearch.answer.scorer import Choice, answer_model, choices, nearest_sentences
from htxsearch.answer.sentences import CandidatePassage
from htxsearch.errors import ReaderUnavailable, UsageError
from htxsearch.errors.messages import Message, message
from htxsearch.query.expand import ExpandedQuery
from htxsearch.query.filters import Filter
from htxsearch.query.parse import parse
from htxsearch.query.spelling import read_keystrokes
from htxsearch.search.fact_question import fact_request_of
from htxsearch.search.features import QueryArrays
from htxsearch.search.hits import first_of_texts, named_numbers, search_hit
from htxsearch.search.pipeline import Retrieval, SearchPage, SearchRequest, first_stage, hints
from htxsearch.search.rerank import Ranked, rerank
from htxsearch.search.results import Answer, Answers, Passage
from htxsearch.search.snapshot import Snapshot, StoredArticles
from htxsearch.text.normalize import has_diacritics
from htxsearch.text.places import find_provinces
from htxsearch.text.sentences import Span
from htxsearch.text.tokens import has_tokens

__all__ = ["RetrievedContext", "answer_question", "answers_above_hits", "checked_question", "retrieve"]

_READ_PASSAGES = 10
"""Passages of different text in which the answer is looked for."""
_CONTINUED = 2
"""The best passages that are read with the one behind them: a heading may name what that one answers."""
_OTHERS_ABOVE_HITS = 3
"""Other answers, and nearest passages, of an answer above the hits of a search."""


class RetrievedContext(NamedTuple):
    """A question as interpreted, and the passages its answer is looked for in.

    `typed` is the question after keystrokes (hopwj tacs xax) were resolved, `query` its expansion, `restored` it with
    diacritics, None if it was typed with them. `asked` is the question as it is read: with diacritics, and with its numbers
    and signs. `arrays` is None if nothing was found.
    """

    typed: str
    asked: str
    query: ExpandedQuery
    ranked: list[Ranked]
    restored: str | None
    arrays: QueryArrays | None
    question: QuestionAnalysis
    passages: list[CandidatePassage]
    articles: StoredArticles


def checked_question(typed: str) -> str:
    """Return a question without signs of the query language.

    Raises UsageError if nothing is left.
    """
    plain = plain_question(typed)
    if not has_tokens(plain):
        raise UsageError("ask.empty")
    return plain


def answers_above_hits(
    snapshot: Snapshot, request: SearchRequest, page: SearchPage, reader: Path | None = None
) -> Answers | None:
    """Return the answer to show above the hits of a page.

    It is found in the passages retrieved for the page. Only the first page of a question, best hits first, has
    `Answers`. A question without a question word, which may be a heading (giám đốc hợp tác xã), has them only if it is
    answered; for all else the result is None.
    """
    started = perf_counter()
    if request.offset or request.sort != "score":
        return None
    read_as = page.retrieval.read_as if page.retrieval else request.query
    question = plain_question(request.query)
    if not asks_for_answer(read_as) or not has_tokens(question):
        return None
    answers = answer_question(snapshot, question, request.filters, _OTHERS_ABOVE_HITS, page, reader)
    if answers.answer is None and not analyse_question(read_as).has_question_word:
        return None
    return replace(answers, question=request.query, took_ms=(perf_counter() - started) * 1000)


def answer_question(
    snapshot: Snapshot,
    question: str,
    filters: tuple[Filter, ...],
    limit: int,
    page: SearchPage | None = None,
    reader: Path | None = None,
) -> Answers:
    """Return the answer to a checked question, or none if no span is likely enough.

    At most `limit` other answers and `limit` nearest passages are returned. If `page` is of the same query, its passages
    are those the answer is looked for in. `reader` is the folder of another reader than the product's
    own. Without the product's own there is no answer, the nearest sentence is `best`, and a hint says why. Raises
    ReaderUnavailable if another reader cannot be used.
    """
    context = retrieve(snapshot, question, filters, page)
    nearest = first_of_texts(context.ranked, snapshot.reprint_groups)[:limit]
    context.articles.fetch(snapshot.reprint_groups.members(passage.hit.article_id for passage in nearest))
    chosen, notes = _read(context, reader)
    if context.question.kind in FIGURES:
        context.articles.fetch_facts(passage.article for passage in context.passages)
    doubted = [choice for choice in chosen if _accuses_another(context, choice)]
    chosen = [choice for choice in chosen if choice not in doubted] + [one._replace(confidence=0.0) for one in doubted]
    named = {passage.article for passage in context.passages} if context.question.names else ()
    texts = {article_id: _folded_article(context.articles, article_id) for article_id in named}
    candidates = [_candidate(context, choice, texts) for choice in chosen]
    best, others = resolve(context.question, candidates)
    of_facts = fact_answers(snapshot, context.asked, context.question, filters)
    answer = best if best and best.confidence >= answer_model().threshold else None
    answer = newest_answer(answer, of_facts, names_time=bool(context.question.periods))
    of_document = document_answer(
        context.question,
        named_numbers(context.query.tree),
        [passage.hit.article_id for passage in context.ranked],
        context.articles,
    )
    if of_document:
        answer, others = of_document, ()
    series = beside(answer, of_facts)
    others = (*series, *(one for one in others if not any(one.sentence == fact.sentence for fact in (answer, *series) if fact)))
    notes = () if answer else notes or (message("ask.no-answer"),)
    hits = tuple(search_hit(ranked, context.query, context.articles, snapshot.reprint_groups) for ranked in nearest)
    read = [*([best] if best else ()), *(candidate.answer for candidate in candidates)]
    return Answers(
        question=question,
        answer=answer,
        others=others[:limit] if answer else (),
        passages=hits,
        sentences=tuple(dict.fromkeys(answer.sentence.text for answer in read)),
        best=answer or (None if doubted and best and not best.confidence else best),
        read_as=context.typed if context.typed != question else None,
        restored=context.restored,
        hints=() if answer else (*hints(context.query, bool(filters), nothing=not hits, articles=context.articles), *notes),
        took_ms=0.0,
    )


def _read(context: RetrievedContext, reader: Path | None) -> tuple[list[Choice], tuple[Message, ...]]:
    """Return what the reader chose, best first, and a note if it could not be used."""
    if context.arrays is None:
        return [], ()
    try:
        return choices(context.asked, context.arrays, context.question, context.passages, reader_at(reader or OWN_READER)), ()
    except ReaderUnavailable as error:
        if reader is not None:
            raise
        return nearest_sentences(context.arrays, context.question, context.passages), (error.message,)


def _accuses_another(context: RetrievedContext, choice: Choice) -> bool:
    """Return True if a person would be named beside an accusation of others.

    It is in the question or in the sentence, which does not say it of that person.
    """
    text = choice.sentence.text
    start = choice.sentence.start
    name = Span(choice.start - start, choice.end - start)
    if context.question.kind != "person" or not (accuses(context.asked) or accuses(text)):
        return False
    return names_a_person(text[name.start : name.end]) and not is_said_of(text, name)


def retrieve(
    snapshot: Snapshot, question: str, filters: tuple[Filter, ...] = (), page: SearchPage | None = None
) -> RetrievedContext:
    """Return the passages nearest to a plain question, and its analysis.

    If `page` is of the same query, its passages are used.
    """
    snapshot.expander.look_up(question, parse(question), filters)
    typed = read_keystrokes(question, snapshot.vocabulary)
    retrieval = page.retrieval if page and _is_of(page.retrieval, typed, filters) else None
    reranked = page.reranked if page and retrieval and not page.is_dense else None
    retrieval = retrieval or first_stage(snapshot, typed, filters, forwards=True)
    reranked = reranked or rerank(snapshot.vocabulary, retrieval.query.terms, typed, retrieval.result)
    restored = None if has_diacritics(typed) else reranked.restored
    asked = with_diacritics(typed, restored)
    articles = snapshot.articles
    passages = _different_passages(reranked.ranked, articles)
    return RetrievedContext(
        typed,
        asked,
        retrieval.query,
        reranked.ranked,
        restored,
        reranked.question,
        analyse_question(typed, asked),
        passages,
        articles,
    )


def _is_of(retrieval: Retrieval | None, typed: str, filters: tuple[Filter, ...]) -> bool:
    """Return True if a retrieval is of a question and of its filters.

    The retrieval's query may have been typed with signs of the query language or without.
    """
    if retrieval is None or retrieval.filters != filters:
        return False
    return retrieval.read_as == typed or retrieval.query.tree == parse(typed)


def _different_passages(ranked: Sequence[Ranked], articles: StoredArticles) -> list[CandidatePassage]:
    """Return the best passages, each text once: a reprint adds no evidence.

    The first few have the text of the passage behind them, too.
    """
    passages: list[CandidatePassage] = []
    seen: set[str] = set()
    for at, passage in enumerate(ranked):
        if at % _READ_PASSAGES == 0:
            articles.fetch(one.hit.article_id for one in ranked[at : at + _READ_PASSAGES])
        number, stored = passage.hit.passage, articles[passage.hit.article_id]
        article, text = stored.article, stored.passage(number)
        if text in seen:
            continue
        seen.add(text)
        start, end = stored.passages[number]
        if len(passages) < _CONTINUED and number + 1 < len(stored.passages):
            behind = stored.passage(number + 1)
            if behind not in seen:
                seen.add(behind)
                end = stored.passages[number + 1].end
        passages.append(
            CandidatePassage(
                text=article.body[start:end],
                title=article.title,
                article=article.id,
                score=passage.score,
                start=start,
                published=article.date,
                province=article.place,
                number=article.number,
            )
        )
        if len(passages) == _READ_PASSAGES:
            break
    return passages


def _folded_article(articles: StoredArticles, article_id: str) -> str:
    """Return the folded words of an article, its title and its province.

    The names of provinces that it writes short (TP.HCM) are added.
    """
    article = articles[article_id].article
    provinces = {mention.province for mention in find_provinces(article.body)}
    return folded_words(" ".join((article.title, article.place or "", article.body, *sorted(provinces))))


def _candidate(context: RetrievedContext, choice: Choice, texts: Mapping[str, str]) -> CandidateAnswer:
    """Return a chosen span as a candidate answer.

    A figure carries its time if its own sentence names the time. `texts` are the folded articles.
    """
    passage, sentence = context.passages[choice.passage], choice.sentence
    article = context.articles[passage.article].article
    answer = Answer(
        text=passage.text[choice.start : choice.end],
        start=passage.start + choice.start,
        end=passage.start + choice.end,
        kind=context.question.kind,
        confidence=choice.confidence,
        sentence=Passage(passage.start + sentence.start, passage.start + sentence.end, sentence.text),
        passage=Passage(passage.start, passage.start + len(passage.text), passage.text),
        article_id=passage.article,
        title=passage.title,
        date=passage.published,
        place=passage.province,
        page=article.page_at(passage.start + choice.start),
        ocr=article.ocr,
    )
    candidate = candidate_answer(answer, choice.score, choice.fit, sentence.says)
    absent = any(not is_named(name, texts[passage.article]) for name in context.question.names)
    candidate = candidate._replace(lacks_name=absent, number=passage.number)
    if context.question.kind in FIGURES:
        facts = context.articles.facts(passage.article)
        if is_target(facts, answer):
            candidate = candidate._replace(status="target")
        if is_elsewhere(facts, answer, fact_request_of(context.asked).places):
            candidate = candidate._replace(lacks_name=True)
        if is_of_several(context.question, sentence, choice.start):
            candidate = candidate._replace(lacks_name=True)
    period = candidate.period
    # A time named before the sentence may be another fact's.
    if context.question.kind in FIGURES and period and sentence.start <= period.start < sentence.end:
        return candidate._replace(answer=replace(answer, as_of=passage.text[period.start : period.end]))
    return candidate
