"""Measure answers on judged questions, through the product's own pipeline: retrieve, then answer, over the whole collection.

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
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from htxsearch.answer.scorer import AnswerModel, answering_model, stored_answer_model
from htxsearch.errors import UsageError
from htxsearch.evaluate.folds import document_groups, fold_of
from htxsearch.evaluate.forms import own_forms_of, query_form
from htxsearch.evaluate.judged import JudgedSet, json_lines
from htxsearch.evaluate.runs import Outcome, Run
from htxsearch.index import Index
from htxsearch.search.results import Answers
from htxsearch.text.abbreviations import COMMON
from htxsearch.text.figures import SCALES, figures
from htxsearch.text.normalize import canonical_spelling, nfc
from htxsearch.text.tokens import tokens

__all__ = [
    "QUALITIES",
    "Questions",
    "answers_learnt_from",
    "evaluate_answers",
    "fold_models",
    "gold_documents",
    "read_questions",
]

QUALITIES = ("EM", "F1", "Sentence@1", "Sentence@3", "NumberExact", "AnsweredRight", "Declined")

_QUESTION_FILES = ("queries.jsonl", "unanswerable.jsonl")

Questions = dict[str, dict[str, Any]]
"""The metadata of each question by its id, with `text` and `answers`, which are empty if nothing answers it."""


def read_questions(folder: Path, judged: JudgedSet) -> Questions:
    """Return the questions of a set's folder that have answers, and those of `unanswerable.jsonl`. Raises UsageError."""
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
    """Return the ids of all documents that answer a question, judged or named in its metadata."""
    return frozenset(qrels.get(query, {})) | frozenset(metadata.get("answers_other_docs", {}))


def answers_learnt_from(name: str) -> bool:
    """Return True if the product's answer model has learnt from the set of this name."""
    return name in stored_answer_model().trained_on


def fold_models(judged: JudgedSet, questions: Questions, folds: Path) -> Callable[[str], AnswerModel]:
    """Return a function from a question id to the model learnt without the documents that answer it.

    Reads `answers-0.json` and so on in the folder of folds, which scripts/train_answers.py writes. The product's own model
    answers the questions of `left-out.txt` if its training did not read them. Raises UsageError if the models are missing or
    have not learnt from this set.
    """
    paths = sorted(folds.glob("answers-*.json"))
    try:
        models = [AnswerModel(json.loads(path.read_text("utf-8"))) for path in paths]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError("eval.no-folds", path=str(folds), script="scripts/train_answers.py") from error
    if not models:
        raise UsageError("eval.no-folds", path=str(folds / "answers-0.json"), script="scripts/train_answers.py")
    if judged.name not in models[0].trained_on:
        raise UsageError("eval.folds-lack-set", path=str(folds), set=judged.name, script="scripts/train_answers.py")
    gold = {query: gold_documents(query, metadata, judged.qrels) for query, metadata in questions.items()}
    groups = document_groups(gold)
    product = stored_answer_model() if judged.name in stored_answer_model().left_out else models[0]

    def model_of(query: str) -> AnswerModel:
        if judged.left_out.isdisjoint(gold[query] or {query}):
            return models[fold_of(groups[query], len(models))]
        return product

    return model_of


def evaluate_answers(
    judged: JudgedSet,
    questions: Questions,
    index: Index,
    *,
    form: str = "typed",
    model_of: Callable[[str], AnswerModel] | None = None,
) -> Run:
    """Ask every question in the given form and measure the answers.

    `model_of` gives the model for each question, as `fold_models` does; without it the product's own answers.
    Raises UsageError for an unknown form.
    """
    outcomes: dict[str, Outcome] = {}
    for query, question in questions.items():
        text = query_form(question["text"], form, own_forms_of(question))
        with answering_model(model_of(query)) if model_of else nullcontext():
            answers = index.ask(text)
        outcomes[query] = Outcome(text, _shown(answers), _measures(answers, question))
    means = {}
    for name in QUALITIES:
        values = [outcome.measures[name] for outcome in outcomes.values() if name in outcome.measures]
        if values:
            means[name] = sum(values) / len(values)
    return Run(
        name=judged.name,
        form=form,
        measures=means,
        outcomes=outcomes,
        kind="left-out" if model_of or not answers_learnt_from(judged.name) else "fitted",
        folds=model_of is not None,
        task="answers",
    )


def _shown(answers: Answers) -> tuple[str, ...]:
    """Return the likeliest span, and a note if it is not shown to the user."""
    best = [answers.best.text] if answers.best else []
    return (*best, *(() if answers.answer else ("(not given)",)))


def _measures(answers: Answers, question: Mapping[str, Any]) -> dict[str, float]:
    """Return the measures of one question, without those that do not apply to it."""
    right = [_terms(answer) for answer in question["answers"]]
    if not right:
        return {"Declined": float(answers.answer is None)}
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
    if answers.answer:
        measures["AnsweredRight"] = float(any(holds[:1]))
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
    """Return the value of a text's first figure and the first word of the noun it counts: (482, hợp), (91, phần).

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
