"""The answer to a question: retrieve the nearest passages, score their spans, resolve the best ones to one answer."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from htxsearch.answer.question import FIGURES, QuestionAnalysis, analyse_question, plain_question
from htxsearch.answer.resolve import CandidateAnswer, candidate_answer, resolve
from htxsearch.answer.scorer import Choice, answer_model, choices
from htxsearch.answer.sentences import CandidatePassage
from htxsearch.engine.contract import Boolean, Engine
from htxsearch.errors import UsageError
from htxsearch.query.expand import Plan
from htxsearch.query.filters import Filter
from htxsearch.query.parse import Group, parse
from htxsearch.query.spelling import read_keystrokes
from htxsearch.search.features import QueryArrays
from htxsearch.search.hints import hints
from htxsearch.search.hits import first_of_texts, search_hit
from htxsearch.search.records import StoredArticles
from htxsearch.search.rerank import DEPTH, Ranked, rerank
from htxsearch.search.results import Answer, Answers, Passage
from htxsearch.search.snapshot import Snapshot
from htxsearch.text.normalize import is_marked
from htxsearch.text.tokens import has_tokens

__all__ = ["RetrievedContext", "answer_question", "checked_question", "retrieve"]

_READ_PASSAGES = 10
"""Passages of different text in which the answer is looked for."""
_NO_ANSWER = (
    "no passage found answers it surely enough; name the place, the year or the organisation, or read the nearest passages"
)


class RetrievedContext(NamedTuple):
    """A question as interpreted, and the passages its answer is looked for in.

    `query` is the question after keystrokes (hopwj tacs xax) were resolved, `restored` it with diacritics, None if it was
    typed with them. `arrays` is None if nothing was found.
    """

    query: str
    group: Group
    plan: Plan
    ranked: list[Ranked]
    restored: str | None
    arrays: QueryArrays | None
    question: QuestionAnalysis
    passages: list[CandidatePassage]
    articles: StoredArticles


def checked_question(typed: str) -> str:
    """Return a question without signs of the query language. Raises UsageError if nothing is left."""
    plain = plain_question(typed)
    if not has_tokens(plain):
        raise UsageError('the question is empty; ask one, as in: htxsearch ask "Thái Nguyên có bao nhiêu hợp tác xã?"')
    return plain


def answer_question(snapshot: Snapshot, question: str, filters: Sequence[Filter], limit: int) -> Answers:
    """Return the answer to a checked question, or none if no span is likely enough.

    At most `limit` other answers and `limit` nearest passages are returned.
    """
    context = retrieve(snapshot, question, filters)
    chosen = choices(context.arrays, context.question, context.passages) if context.arrays else []
    candidates = [_candidate(context, choice) for choice in chosen]
    best, others = resolve(context.question, candidates)
    answer = best if best and best.confidence >= answer_model().threshold else None
    nearest = first_of_texts(context.ranked, snapshot.alike)[:limit]
    hits = tuple(search_hit(ranked, context.plan, context.articles, snapshot.alike) for ranked in nearest)
    texts = [one.sentence.text for one in ([best] if best else []) + [candidate.answer for candidate in candidates]]
    return Answers(
        question=question,
        answer=answer,
        others=others[:limit] if answer else (),
        passages=hits,
        sentences=tuple(dict.fromkeys(texts)),
        best=best,
        read_as=context.query if context.query != question else None,
        restored=context.restored,
        hints=() if answer else (*hints(context.plan, context.group, bool(filters), nothing=not hits), _NO_ANSWER),
        took_ms=0.0,
    )


def retrieve(snapshot: Snapshot, question: str, filters: Sequence[Filter] = ()) -> RetrievedContext:
    """Return the passages nearest to a plain question, and how it is interpreted."""
    engine, expander = snapshot.engine, snapshot.expander
    query = read_keystrokes(question, engine)
    group = parse(query)
    plan = expander.plan(group)
    node = Boolean((plan.node, *(expander.filter(one, plan) for one in filters)), expander.preferences(group))
    first_stage = engine.search(node, limit=DEPTH, per_article=False)
    reranked = rerank(engine, expander.asked(group), query, first_stage.hits)
    restored = None if is_marked(query) else reranked.restored
    analysis = _analysis(query, restored)
    articles = StoredArticles(engine)
    passages = _different_passages(engine, reranked.ranked, articles)
    return RetrievedContext(query, group, plan, reranked.ranked, restored, reranked.question, analysis, passages, articles)


def _analysis(query: str, restored: str | None) -> QuestionAnalysis:
    """Return the analysis of a question; of its restored form, if that is of the same kind: its nouns have diacritics."""
    analysis = analyse_question(query)
    if not restored:
        return analysis
    marked = analyse_question(f"{restored}?")
    if marked.kind != analysis.kind:
        return analysis
    # The restored form has lost the signs of dates and document numbers.
    return replace(marked, periods=analysis.periods, places=analysis.places, documents=analysis.documents)


def _different_passages(engine: Engine, ranked: Sequence[Ranked], articles: StoredArticles) -> list[CandidatePassage]:
    """Return the best passages, each text once: a reprint adds no evidence."""
    passages: dict[str, CandidatePassage] = {}
    for passage in ranked:
        number, stored = passage.hit.passage, articles[passage.hit.article_id]
        article, text = stored.article, stored.passage(number)
        if text not in passages:
            passages[text] = CandidatePassage(
                text=text,
                title=article.title,
                article=article.id,
                score=passage.score,
                flags=engine.forward(article.id)[number + 1].flags,
                start=stored.passages[number].start,
                published=article.date,
                province=article.place,
            )
        if len(passages) == _READ_PASSAGES:
            break
    return list(passages.values())


def _candidate(context: RetrievedContext, choice: Choice) -> CandidateAnswer:
    """Return a chosen span as a candidate answer; a figure says its time if its own sentence names it."""
    passage, sentence = context.passages[choice.passage], choice.sentence
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
    )
    candidate = candidate_answer(answer, choice.score, choice.fit, sentence.says)
    period = candidate.period
    # A time named before the sentence may be another fact's.
    if context.question.kind in FIGURES and period and sentence.start <= period.start < sentence.end:
        return candidate._replace(answer=replace(answer, as_of=passage.text[period.start : period.end]))
    return candidate
