"""A question to its answer: the passages nearest to it, the best spans of them, and what they are to each other."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from htxsearch.answer.question import FIGURES, QuestionAnalysis, analyse_question, plain_question
from htxsearch.answer.resolve import CandidateAnswer, as_of, resolve
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

__all__ = ["RetrievedContext", "answers_to", "plainly", "retrieve"]

_READ_PASSAGES = 10
_NO_ANSWER = (
    "no passage found answers it surely enough; name the place, the year or the organisation, or read the nearest passages"
)


class RetrievedContext(NamedTuple):
    """A question as it was read, and the passages its answer is looked for in."""

    read: str
    group: Group
    plan: Plan
    ranked: list[Ranked]
    restored: str | None
    arrays: QueryArrays | None
    asking: QuestionAnalysis
    found: list[CandidatePassage]
    records: StoredArticles


def plainly(question: str) -> str:
    """Return a question without signs of the query language. Raises UsageError if nothing is left."""
    plain = plain_question(question)
    if not has_tokens(plain):
        raise UsageError('the question is empty; ask one, as in: htxsearch ask "Thái Nguyên có bao nhiêu hợp tác xã?"')
    return plain


def answers_to(prepared: Snapshot, plain: str, filters: Sequence[Filter], limit: int) -> Answers:
    """Return the answer to a plain question, or none if no span is likely enough."""
    looked = retrieve(prepared, plain, filters)
    chosen = choices(looked.arrays, looked.asking, looked.found) if looked.arrays else []
    told = [CandidateAnswer(_answer(looked, one), one.score, one.fit, one.sentence.says) for one in chosen]
    answer, others = resolve(looked.asking, told)
    given = answer if answer and answer.confidence >= answer_model().threshold else None
    nearest = first_of_texts(looked.ranked, prepared.alike)[:limit]
    hits = [search_hit(one, looked.plan, looked.records, prepared.alike) for one in nearest]
    return Answers(
        question=plain,
        answer=given,
        others=others[:limit] if given else (),
        passages=tuple(hits),
        sentences=tuple(
            dict.fromkeys(one.sentence.text for one in ([answer] if answer else []) + [one.answer for one in told])
        ),
        best=answer,
        read_as=looked.read if looked.read != plain else None,
        restored=looked.restored,
        hints=() if given else (*hints(looked.plan, looked.group, bool(filters), nothing=not hits), _NO_ANSWER),
        took_ms=0.0,
    )


def retrieve(prepared: Snapshot, question: str, filters: Sequence[Filter] = ()) -> RetrievedContext:
    """Return the passages nearest to a plain question, and how it is read."""
    engine, expander = prepared.engine, prepared.expander
    read = read_keystrokes(question, engine)
    group = parse(read)
    plan = expander.plan(group)
    node = Boolean((plan.node, *(expander.filter(one, plan) for one in filters)), expander.preferences(group))
    found = engine.search(node, limit=DEPTH, per_article=False)
    best = rerank(engine, expander.asked(group), read, found.hits)
    asking = analyse_question(read)
    if best.restored and not is_marked(read):
        marked = analyse_question(f"{best.restored}?")  # has lost the signs of dates
        if marked.kind == asking.kind:
            asking = replace(marked, periods=asking.periods, places=asking.places, documents=asking.documents)
    restored = None if is_marked(read) else best.restored
    records = StoredArticles(engine)
    passages = _passages(engine, best.ranked, records)
    return RetrievedContext(read, group, plan, best.ranked, restored, best.question, asking, passages, records)


def _passages(engine: Engine, ranked: Sequence[Ranked], records: StoredArticles) -> list[CandidatePassage]:
    """Return the best passages, each text once: what is printed again says nothing more."""
    found: dict[str, CandidatePassage] = {}
    for one in ranked:
        stored = records[one.hit.article_id]
        article, text = stored.article, stored.passage(one.hit.passage)
        if text not in found:
            flags = engine.forward(article.id)[one.hit.passage + 1].flags
            start = stored.passages[one.hit.passage].start
            found[text] = CandidatePassage(
                text, article.title, article.id, one.score, flags, start, article.date, article.place
            )
        if len(found) == _READ_PASSAGES:
            break
    return list(found.values())


def _answer(looked: RetrievedContext, choice: Choice) -> Answer:
    found = looked.found[choice.passage]
    start, end, sentence = choice.start, choice.end, choice.sentence
    answer = Answer(
        text=found.text[start:end],
        start=found.start + start,
        end=found.start + end,
        kind=looked.asking.kind,
        confidence=choice.confidence,
        sentence=Passage(found.start + sentence.start, found.start + sentence.end, found.text[sentence.start : sentence.end]),
        passage=Passage(found.start, found.start + len(found.text), found.text),
        article_id=found.article,
        title=found.title,
        date=found.day,
        place=found.province,
    )
    period = as_of(answer) if answer.kind in FIGURES else None
    if period is None or not sentence.start <= period.start < sentence.end:  # a time named before it may be another's
        return answer
    return replace(answer, as_of=found.text[period.start : period.end])
