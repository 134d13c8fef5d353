"""How good answers are, on judged questions, through the product's own pipeline: retrieve, then answer, over the whole pool.

A collection is one of `evaluate`, whose `metadata` give each question's `answers`; `unanswerable.jsonl`, if it is there, has
questions that nothing in it answers. Measures, over all questions that have an answer, of the likeliest span whether
it is likely enough to be given or not:

    EM           the span is one of the right answers, F1 the share of terms they have in common (P. Rajpurkar et al.,
    F1           "SQuAD", 2016), both after NFC, tone placement and number normalisation
    Sentence@1   a right answer stands in the sentence of the span
    Sentence@3   a right answer stands in one of the first three sentences
    NumberExact  of questions whose `kind` is number: the figure and what it counts are right

and, of what is given or declined:

    AnsweredRight  of the answers given to questions that have one: the sentence holds a right answer
    Declined       of the questions that nothing answers: no answer is given
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from htxsearch.errors import UsageError
from htxsearch.evaluate.ranking import JudgedSet, Outcome, Run, own_forms_of, query_form
from htxsearch.index import Index
from htxsearch.search.results import Answers
from htxsearch.text.abbreviations import COMMON
from htxsearch.text.figures import SCALES, figures
from htxsearch.text.normalize import nfc, normal
from htxsearch.text.tokens import tokens

__all__ = ["QUALITIES", "Judged", "evaluate_answers", "read_judged"]

QUALITIES = ("EM", "F1", "Sentence@1", "Sentence@3", "NumberExact", "AnsweredRight", "Declined")


class Judged(dict[str, Any]):
    """Questions by id: the row each was read from, without answers if nothing answers it."""


def read_judged(folder: Path, collection: JudgedSet) -> Judged:
    """Return the questions of a collection's folder that have answers, and those of `unanswerable.jsonl`. Raises UsageError."""
    found = Judged()
    for name in ("queries.jsonl", "unanswerable.jsonl"):
        path = folder / name
        if not path.exists():
            continue
        try:
            rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
            for row in rows:
                about = row.get("metadata") or {}
                if name == "unanswerable.jsonl":
                    found[row["_id"]] = {**about, "text": row["text"], "answers": []}
                elif about.get("answers") and row["_id"] in collection.queries:
                    found[row["_id"]] = {**about, "text": row["text"], "answers": [nfc(one) for one in about["answers"]]}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{path} holds no judged questions: {error}") from error
    if not any(one["answers"] for one in found.values()):
        raise UsageError(f"{folder} has no question with metadata.answers; --task qa needs them")
    return found


def evaluate_answers(collection: JudgedSet, judged: Judged, index: Index, *, form: str = "typed") -> Run:
    """Ask every question in the given form and measure the answers. Raises UsageError for an unknown form."""
    outcomes: dict[str, Outcome] = {}
    for one, row in judged.items():
        text = query_form(row["text"], form, own_forms_of(row))
        found = index.ask(text)
        outcomes[one] = Outcome(text, _shown(found), _measures(found, row))
    means = {}
    for name in QUALITIES:
        values = [outcome.measures[name] for outcome in outcomes.values() if name in outcome.measures]
        if values:
            means[name] = sum(values) / len(values)
    return Run(collection.name, form, means, outcomes, task="answers")


def _shown(found: Answers) -> tuple[str, ...]:
    best = [found.best.text] if found.best else []
    return (*best, *(() if found.answer else ("(not given)",)))


def _measures(found: Answers, row: dict[str, Any]) -> dict[str, float]:
    """Return the measures of one question; those that it says nothing about are left out."""
    answers = [_terms(one) for one in row["answers"]]
    if not answers:
        return {"Declined": float(found.answer is None)}
    said = _terms(found.best.text) if found.best else ()
    holds = [any(_holds(_terms(sentence), answer) for answer in answers) for sentence in found.sentences[:3]]
    measures = {
        "EM": float(said in answers),
        "F1": max(_f1(said, answer) for answer in answers),
        "Sentence@1": float(any(holds[:1])),
        "Sentence@3": float(any(holds)),
    }
    if row.get("kind") == "number":
        figure = _figure(found.best.text) if found.best else ()
        measures["NumberExact"] = float(any(figure == _figure(answer) for answer in row["answers"]))
    if found.answer:
        measures["AnsweredRight"] = float(any(holds[:1]))
    return measures


def _terms(text: str) -> tuple[str, ...]:
    return tuple(normal(token.term) for token in tokens(nfc(text)))


def _f1(said: Sequence[str], answer: Sequence[str]) -> float:
    common = (Counter(said) & Counter(answer)).total()
    return 2 * common / (len(said) + len(answer)) if common else 0.0


def _holds(sentence: Sequence[str], answer: Sequence[str]) -> bool:
    size = len(answer)
    return size > 0 and any(tuple(sentence[at : at + size]) == tuple(answer) for at in range(len(sentence) - size + 1))


def _figure(text: str) -> tuple[float | str, ...]:
    """Return the value of a text's first figure and the first word of what it counts: (482, hợp), (91, phần).

    Figures in digits go before those in words; short forms are spelled out. A scale is a part of the value, and what it
    counts does not matter then: "38 tỷ" is "38 tỷ đồng". Without a figure, return the first two terms.
    """
    text = nfc(text).replace("%", " phần trăm ")
    found = sorted(figures(text), key=lambda figure: not text[figure.number].isdigit())
    if not found:
        return _terms(text)[:2]
    figure = found[0]
    values = dict.fromkeys((figure.low, figure.high))
    if not SCALES.keys().isdisjoint(_terms(text[figure.number : figure.end])):
        return tuple(values)
    counted = [part for term in _terms(text[figure.end :])[:1] for part in _terms(COMMON.get(term.upper(), term))]
    return (*values, *counted[:1])
