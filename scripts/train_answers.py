"""Learn from judged questions which sentence answers, which span to choose, and how far to trust it.

    python scripts/train_answers.py evals/{questions,{contrast,encyclopedia}{,-training}} ../shared/data/eval/mlqa-vi [--write]

It comes after scripts/train_reader.py: the reader is finished, and has not read the documents of calibration. Three things
are learnt from the passages that `htxsearch ask` reads. Sentences: one softmax over the sentences of a question (weights
found by L-BFGS), from all questions that training may read. The sentence's share in the choice of an answer, and the
confidence: from the questions about the documents of calibration alone. The confidence is a logistic regression that
predicts whether the answer is right; the weights of checks are bounded by 0 (`htxsearch.answer.checks`). The threshold is
the lowest from which on the share of right answers among those given is the one aimed at. Questions about the documents of
`left-out.txt` are not read.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from htxsearch.answer.checks import CHECKS
from htxsearch.answer.pipeline import retrieve
from htxsearch.answer.question import QuestionAnalysis, plain_question, with_diacritics
from htxsearch.answer.reader.model import OWN_READER, reader_at
from htxsearch.answer.scorer import CONFIDENCE_FEATURES, AnswerModel, Candidate, ranked_candidates
from htxsearch.answer.sentences import SENTENCE_FEATURES, CandidatePassage, read_passages
from htxsearch.evaluate.answers import gold_documents, is_right, read_questions
from htxsearch.evaluate.folds import is_for_calibration
from htxsearch.evaluate.forms import own_forms_of
from htxsearch.evaluate.judged import JudgedSet, index_of, read_judged_set
from htxsearch.search.features import QueryArrays
from htxsearch.text.normalize import nfc

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "src/htxsearch/answer/answers.json"
_RIDGE = 1e-3
_RIDGE_OF_CONFIDENCE = 1e-2
_AIM = 0.85  # share of the answers given that shall be right
# Their questions are harder than those that users ask.
_OTHER_FIELDS = ("contrast", "contrast-training", "encyclopedia", "encyclopedia-training", "mlqa-vi")
_CHOICE = ("sentence_gap", *CHECKS)
_RIDGE_OF_CHOICE = 3e-3

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class TrainingQuestion:
    """A question in one form, with the passages retrieved for it."""

    set: str
    id: str
    form: str
    asked: str
    arrays: QueryArrays
    analysis: QuestionAnalysis
    passages: list[CandidatePassage]
    judged: Mapping[str, Any]
    gold: frozenset[str]
    calibration: bool
    candidates: list[Candidate] = field(default_factory=list)


def training_questions(judged: JudgedSet, folder: Path, keep: Path | None = None) -> Iterator[TrainingQuestion]:
    """Yield the questions that training may read, in each of their forms."""
    questions = read_questions(folder, judged)
    with index_of(judged, keep) as index:
        snapshot = index.searcher().snapshot
        for query, question in questions.items():
            gold = gold_documents(query, question, judged.qrels)
            if not judged.left_out.isdisjoint(gold or {query}):
                continue
            for form, text in {"typed": question["text"], **own_forms_of(question)}.items():
                context = retrieve(snapshot, plain_question(text))
                if context.arrays is not None and context.passages:
                    document = min(gold or {question.get("article") or query})
                    yield TrainingQuestion(
                        judged.name,
                        query,
                        form,
                        with_diacritics(context.typed, context.restored),
                        context.arrays,
                        context.question,
                        context.passages,
                        question,
                        gold,
                        is_for_calibration(document),
                    )


def fit_sentences(data: Sequence[TrainingQuestion]) -> Floats:
    """Return the weights (features,) of a softmax over the sentences of each question.

    A set counts as the root of its size.
    """
    counts = Counter(question.set for question in data)
    parts, targets, importance = [], [], []
    for question in data:
        answers = [nfc(answer) for answer in question.judged["answers"]]
        sentences = read_passages(question.arrays, question.analysis, question.passages)
        right = np.array(
            [
                question.passages[sentence.passage].article in question.gold
                and any(answer in sentence.text for answer in answers)
                for sentence in sentences
            ],
            float,
        )
        if right.any():
            parts.append(np.array([sentence.features for sentence in sentences]))
            targets.append(right / right.sum())
            importance.append(counts[question.set] ** -0.5)
    free = [(None, None)] * len(SENTENCE_FEATURES)
    return softmax_weights(parts, targets, importance, _RIDGE, free)


def softmax_weights(
    groups: Sequence[Floats],
    targets: Sequence[Floats],
    importance: Sequence[float],
    ridge: float,
    bounds: Sequence[tuple[float | None, float | None]],
) -> Floats:
    """Return the weights (features,) of a softmax over the rows of each group.

    They are found by L-BFGS within bounds.
    `groups` are arrays (rows, features), `targets` the share of each row that is right, `importance` the weight of each group.
    """
    rows, target = np.concatenate(groups), np.concatenate(targets)
    scale = rows.std(axis=0) + 1e-9
    rows /= scale
    sizes = [len(group) for group in groups]
    starts, owner = np.cumsum([0, *sizes[:-1]]), np.repeat(np.arange(len(sizes)), sizes)
    weight = (np.array(importance) / np.sum(importance))[owner]

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = rows @ weights
        scores -= np.maximum.reduceat(scores, starts)[owner]
        log_share = scores - np.log(np.add.reduceat(np.exp(scores), starts))[owner]
        gradient = rows.T @ (weight * (np.exp(log_share) - target)) + 2 * ridge * weights
        return float(-(weight * target * log_share).sum() + ridge * weights @ weights), gradient

    start = np.array([low or 0.0 for low, _ in bounds])
    weights: Floats = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x / scale
    return weights


def text_of(question: TrainingQuestion, candidate: Candidate) -> str:
    """Return the text of a candidate."""
    return question.passages[candidate.sentence.passage].text[candidate.span.start : candidate.span.end]


def read_candidates(data: Sequence[TrainingQuestion], model: AnswerModel, reader: Path) -> None:
    """Fill in the candidates of each question by the reader, best first under the model."""
    for question in data:
        question.candidates = ranked_candidates(
            question.asked, question.arrays, question.analysis, question.passages, reader_at(reader), model
        )


def fit_choice(data: Sequence[TrainingQuestion]) -> dict[str, float]:
    """Return the weights, beside the log chance, of a softmax over the candidates.

    Those of checks are at most 0.
    """
    counts = Counter(question.set for question in data)
    groups, targets, importance = [], [], []
    for question in data:
        right = np.array([is_right(text_of(question, one), question.judged) for one in question.candidates], float)
        if right.any():
            rows = [[one.read.log_chance, *(one.own[name] for name in _CHOICE)] for one in question.candidates]
            groups.append(np.array(rows))
            targets.append(right / right.sum())
            importance.append(counts[question.set] ** -0.5)
    bounds = [(1e-3, None), (0.0, None), *[(None, 0.0)] * len(CHECKS)]
    weights = softmax_weights(groups, targets, importance, _RIDGE_OF_CHOICE, bounds)
    return dict(zip(_CHOICE, (weights[1:] / weights[0]).round(3).tolist(), strict=True))


def fit_confidence(features: Floats, right: npt.NDArray[np.bool_], weight: Floats) -> dict[str, float]:
    """Return the weights of a logistic regression by feature; those of checks are at most 0."""
    scale = features.std(axis=0) + 1e-9
    values = np.column_stack([features / scale, np.ones(len(features))])
    sign = np.where(right, 1.0, -1.0)

    def loss(weights: Floats) -> tuple[float, Floats]:
        margins = sign * (values @ weights)
        chance = 1 / (1 + np.exp(np.clip(margins, -500, 500)))
        gradient = -values.T @ (weight * sign * chance)
        gradient[:-1] += 2 * _RIDGE_OF_CONFIDENCE * weights[:-1]
        penalty = _RIDGE_OF_CONFIDENCE * float(weights[:-1] @ weights[:-1])
        return float((weight * np.logaddexp(0, -margins)).sum()) + penalty, gradient

    bounds = [(None, 0.0) if name in CHECKS else (None, None) for name in CONFIDENCE_FEATURES] + [(None, None)]
    weights = minimize(loss, np.zeros(values.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x
    named = dict(zip(CONFIDENCE_FEATURES, (weights[:-1] / scale).round(4).tolist(), strict=True))
    return {"constant": round(float(weights[-1]), 4), **named}


def first_of(data: Sequence[TrainingQuestion]) -> tuple[Floats, npt.NDArray[np.bool_], Floats]:
    """Return the features of the first candidates, which are right, and weights."""
    read = [question for question in data if question.candidates]
    features = np.array([question.candidates[0].features() for question in read])
    right = np.array([is_right(text_of(question, question.candidates[0]), question.judged) for question in read])
    counts = Counter(question.set for question in read)
    weight = np.array([counts[question.set] ** -0.5 for question in read])
    return features, right, weight / weight.sum()


def field_weight(data: Sequence[TrainingQuestion]) -> Floats:
    """Return the weight of each question for the threshold.

    Sets of questions like those of users count equally, others nothing.
    """
    read = [question.set for question in data if question.candidates]
    counts = Counter(name for name in read if name not in _OTHER_FIELDS)
    return np.array([1 / counts[name] if name in counts else 0.0 for name in read])


def threshold_for(chances: Floats, right: npt.NDArray[np.bool_], weight: Floats, aim: float = _AIM) -> float:
    """Return the lowest confidence from which on at least the share `aim` of the answers is right."""
    steps = [step / 100 for step in range(20, 95)]
    good = [
        step
        for step in steps
        if (shown := chances >= step).any() and (weight * right * shown).sum() / (weight * shown).sum() >= aim
    ]
    return min(good, default=max(steps))


def calibration_error(chances: Floats, right: npt.NDArray[np.bool_], bins: int = 10) -> float:
    """Return the expected calibration error over bins of equal width (M. Naeini et al., 2015)."""
    bin_of = np.minimum((chances * bins).astype(int), bins - 1)
    gaps = [abs(chances[bin_of == b].mean() - right[bin_of == b].mean()) * (bin_of == b).mean() for b in set(bin_of.tolist())]
    return float(sum(gaps))


def main() -> None:
    """Read, learn, print, and write on request."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--keep", type=Path, help="keep the indexes of the sets here")
    parser.add_argument("--reader", type=Path, default=OWN_READER)
    parser.add_argument("--write", action="store_true", help="write src/htxsearch/answer/answers.json")
    options = parser.parse_args()
    sets = [(read_judged_set(folder, ROOT / "corpus"), folder) for folder in options.folders]
    data = [question for judged, folder in sets for question in training_questions(judged, folder, options.keep)]
    stored = learn(data, options.reader)
    if options.write:
        left_out = {judged.name: len(judged.left_out) for judged, _ in sets if judged.left_out}
        about = "The answer model of `htxsearch ask`, written by scripts/train_answers.py."
        counts = Counter(question.set for question in data if question.form == "typed")
        value = {"about": about, "trained_on": counts, "left_out": left_out, **stored}
        MODEL.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")


def learn(data: Sequence[TrainingQuestion], reader: Path) -> dict[str, Any]:
    """Learn all three and return what `AnswerModel` reads; print the figures."""
    sentence = fit_sentences(data)
    stored: dict[str, Any] = {
        "sentence": dict(zip(SENTENCE_FEATURES, sentence.round(4).tolist(), strict=True)),
        "choice": {"sentence_gap": 1.0},
        "confidence": {"constant": 0.0},
        "threshold": 0.5,
    }
    held = [question for question in data if question.calibration]
    read_candidates(held, AnswerModel(stored), reader)
    stored["choice"] = fit_choice(held)
    read_candidates(held, AnswerModel(stored), reader)
    features, right, weight = first_of(held)
    stored["confidence"] = fit_confidence(features, right, weight)
    chances = np.array([AnswerModel(stored).chance(row) for row in features.tolist()])
    stored["threshold"] = threshold_for(chances, right, field_weight(held))
    shown = chances >= stored["threshold"]
    print(f"threshold {stored['threshold']}: {shown.mean():.3f} answered, {right[shown].mean():.3f} of them right")
    print(f"expected calibration error {calibration_error(chances, right):.3f} (fitted)")
    return stored


if __name__ == "__main__":
    main()
