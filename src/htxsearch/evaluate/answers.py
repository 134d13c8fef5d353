"""Measure answers on judged questions, through the product's own pipeline.

A judged set is one of `judged` whose `metadata` give the `answers` of each question; `unanswerable.jsonl`, if it exists, has
questions that nothing in it answers. Measures over all questions that have an answer, of the likeliest span, whether
its confidence suffices to show it or not:

    EM           the span is one of the right answers, F1 the share of terms in common (P. Rajpurkar et al., "SQuAD",
    F1           2016), both after NFC, tone placement and number normalisation
    Sentence@1   a right answer is in the sentence of the span
    Sentence@3   a right answer is in one of the first three sentences
    NumberExact  of questions whose `kind` is number: the figure and the noun it counts are right

and of the answers that are shown or withheld:

    AnsweredRight  of the answers shown to questions that have one: the sentence holds a right answer
    Declined       of the questions that nothing answers: no answer is shown
    Answered       of the questions that have an answer: one is shown
    RightGiven     of all answers shown: the answer itself is right (`is_right`); to a question that nothing answers, none is
    Right          of all questions: a right answer is shown, or none where there is none
    GroupsRight    of the groups of questions that differ in little (M. Gardner et al., "Contrast Sets", 2020): all are right
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from htxsearch.answer.scorer import answer_model
from htxsearch.errors import UsageError
from htxsearch.evaluate.forms import own_forms_of, query_form
from htxsearch.evaluate.judged import JudgedSet, json_lines
from htxsearch.evaluate.runs import Kind, Outcome, Run
from htxsearch.index import Index
from htxsearch.search.results import Answers
from htxsearch.text.abbreviations import COMMON
from htxsearch.text.figures import SCALES, figures
from htxsearch.text.normalize import canonical_spelling, nfc
from htxsearch.text.tokens import tokens

__all__ = [
    "QUALITIES",
    "Questions",
    "evaluate_answers",
    "gold_documents",
    "is_right",
    "left_out_questions",
    "read_questions",
]

QUALITIES = (
    *("EM", "F1", "Sentence@1", "Sentence@3", "NumberExact", "AnsweredRight", "Declined"),
    *("Answered", "Right", "RightGiven", "GroupsRight"),
)
_LONGER = 5
"""Terms by which a right answer may be longer than twice the judged one."""
_ALIKE = 0.6
"""Token F1 from which an answer in words is as good as the judged one."""

_QUESTION_FILES = ("queries.jsonl", "unanswerable.jsonl")

Questions = dict[str, dict[str, Any]]
"""The metadata of each question by its id, with `text` and `answers`, which are empty if nothing answers it."""


def read_questions(folder: Path, judged: JudgedSet) -> Questions:
    """Return the questions of a set's folder. Raises UsageError.

    They are those that have answers, and those of `unanswerable.jsonl`.
    """
    questions: Questions = {}
    for path in (folder / name for name in _QUESTION_FILES if (folder / name).exists()):
        try:
            for row in json_lines(path):
                metadata = row.get("metadata") or {}
                if path.name == "unanswerable.jsonl":
                    questions[row["_id"]] = {**metadata, "text": row["text"], "answers": []}
                elif metadata.get("answers") and row["_id"] in judged.queries:
                    answers = [nfc(answer) for answer in metadata["answers"]]
                    questions[row["_id"]] = {**metadata, "text": row["text"], "answers": answers}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError("eval.not-questions", path=str(path), detail=str(error)) from error
    if not any(question["answers"] for question in questions.values()):
        raise UsageError("eval.no-answers", folder=str(folder))
    return questions


def gold_documents(query: str, metadata: Mapping[str, Any], qrels: Mapping[str, Mapping[str, int]]) -> frozenset[str]:
    """Return the ids of all documents that answer a question.

    They are judged, or named in its metadata.
    """
    return frozenset(qrels.get(query, {})) | frozenset(metadata.get("answers_other_docs", {}))


def left_out_questions(judged: JudgedSet, questions: Questions) -> frozenset[str]:
    """Return the ids of the questions about documents that no training reads.

    They are all, if nothing has learnt from the set.
    """
    if judged.name not in answer_model().trained_on:
        return frozenset(questions)
    return frozenset(
        query
        for query, question in questions.items()
        if not judged.left_out.isdisjoint(gold_documents(query, question, judged.qrels) or {query})
    )


def evaluate_answers(
    judged: JudgedSet,
    questions: Questions,
    index: Index,
    *,
    form: str = "typed",
    kind: Kind = "left-out",
    part: bool = False,
    by: str | None = None,
) -> Run:
    """Ask every question in the given form and measure the answers.

    `kind` is that of the figures, `part` is True if the questions are those of a learnt set that were left out. `by` names a
    field of the metadata; the run has the measures of each of its values, too. Raises UsageError for an unknown form.
    """
    outcomes: dict[str, Outcome] = {}
    groups: dict[str, list[str]] = {}
    for query, question in questions.items():
        text = query_form(question["text"], form, own_forms_of(question))
        answers = index.ask(text)
        outcomes[query] = Outcome(text, _shown(answers), _measures(answers, question))
        if question.get("group"):
            groups.setdefault(question["group"], []).append(query)
    for members in groups.values():
        right = [outcomes[query].measures["Right"] for query in members]
        first = outcomes[members[0]]
        outcomes[members[0]] = replace(first, measures={**first.measures, "GroupsRight": float(all(right))})
    parts: dict[str, list[Outcome]] = {}
    for query, question in questions.items():
        if by:
            parts.setdefault(str(question.get(by, "-")), []).append(outcomes[query])
    return Run(
        name=judged.name,
        form=form,
        measures=_means(outcomes.values()),
        outcomes=outcomes,
        kind=kind,
        folds=part,
        task="answers",
        parts={value: {"Questions": float(len(own)), **_means(own)} for value, own in sorted(parts.items())},
    )


def _means(outcomes: Collection[Outcome]) -> dict[str, float]:
    """Return the mean of each measure over the questions that have it."""
    values = {name: [own.measures[name] for own in outcomes if name in own.measures] for name in QUALITIES}
    return {name: sum(own) / len(own) for name, own in values.items() if own}


def is_right(text: str, question: Mapping[str, Any]) -> bool:
    """Return True if an answer is right.

    It holds a right answer, is not much longer, and holds no wrong one outside it.

    Of answers in words, those that share most of their terms with a right one are right, too; a figure without its bound is
    not.
    """
    span = _terms(text)
    wrong = [_terms(trap) for trap in question.get("must_not", ())]
    for answer in map(_terms, question["answers"]):
        if _holds(span, answer) and len(span) <= 2 * len(answer) + _LONGER:
            rest = _without(span, answer)
            if not any(_holds(rest, trap) for trap in wrong if not _holds(answer, trap)):
                return True
    if any(_holds(span, trap) for trap in wrong):
        return False
    in_words = [
        answer for answer in map(_terms, question["answers"]) if not any(term[:1].isdigit() for term in (*answer, *span))
    ]
    return any(_token_f1(span, answer) >= _ALIKE for answer in in_words)


def _without(span: Sequence[str], answer: Sequence[str]) -> list[str]:
    """Return the terms of a span but for the first run that is the answer."""
    size = len(answer)
    at = next(at for at in range(len(span) - size + 1) if tuple(span[at : at + size]) == tuple(answer))
    return [*span[:at], "|", *span[at + size :]]


def _shown(answers: Answers) -> tuple[str, ...]:
    """Return the likeliest span, and a note if it is not shown to the user."""
    best = [answers.best.text] if answers.best else []
    return (*best, *(() if answers.answer else ("(not given)",)))


def _measures(answers: Answers, question: Mapping[str, Any]) -> dict[str, float]:
    """Return the measures of one question, without those that do not apply to it."""
    right = [_terms(answer) for answer in question["answers"]]
    if not right:
        declined = float(answers.answer is None)
        return {"Declined": declined, "Right": declined, **({} if declined else {"RightGiven": 0.0})}
    span = _terms(answers.best.text) if answers.best else ()
    holds = [any(_holds(_terms(sentence), answer) for answer in right) for sentence in answers.sentences[:3]]
    measures = {
        "EM": float(span in right),
        "F1": max(_token_f1(span, answer) for answer in right),
        "Sentence@1": float(any(holds[:1])),
        "Sentence@3": float(any(holds)),
    }
    if question.get("kind") == "number":
        figure = _figure(answers.best.text) if answers.best else ()
        measures["NumberExact"] = float(any(figure == _figure(answer) for answer in question["answers"]))
    right_span = answers.answer is not None and is_right(answers.answer.text, question)
    measures |= {"Answered": float(answers.answer is not None), "Right": float(right_span)}
    if answers.answer:
        measures |= {"AnsweredRight": float(any(holds[:1])), "RightGiven": float(right_span)}
    return measures


def _terms(text: str) -> tuple[str, ...]:
    """Return the terms of a text in normal form, as answers are compared."""
    return tuple(canonical_spelling(token.term) for token in tokens(nfc(text)))


def _token_f1(span: Sequence[str], answer: Sequence[str]) -> float:
    """Return the harmonic mean of precision and recall of the span's terms."""
    common = (Counter(span) & Counter(answer)).total()
    return 2 * common / (len(span) + len(answer)) if common else 0.0


def _holds(sentence: Sequence[str], answer: Sequence[str]) -> bool:
    """Return True if the answer's terms are a run of the sentence's."""
    size = len(answer)
    return size > 0 and any(tuple(sentence[at : at + size]) == tuple(answer) for at in range(len(sentence) - size + 1))


def _figure(text: str) -> tuple[float | str, ...]:
    """Return a text's first figure and the noun it counts: (482, hợp), (91, phần).

    Figures in digits go before those in words; abbreviations are spelled out. A scale is part of the value and replaces the
    noun: "38 tỷ" equals "38 tỷ đồng". Without a figure, return the first two terms.
    """
    text = nfc(text).replace("%", " phần trăm ")
    ordered = sorted(figures(text), key=lambda figure: not text[figure.number].isdigit())
    if not ordered:
        return _terms(text)[:2]
    figure = ordered[0]
    values = dict.fromkeys((figure.low, figure.high))
    if not SCALES.keys().isdisjoint(_terms(text[figure.number : figure.end])):
        return tuple(values)
    counted = [part for term in _terms(text[figure.end :])[:1] for part in _terms(COMMON.get(term.upper(), term))]
    return (*values, *counted[:1])
