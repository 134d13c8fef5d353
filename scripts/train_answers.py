"""Learn from judged questions which sentence answers, which span to choose, and how far to trust it.

    python scripts/train_answers.py evals/{questions,{contrast,encyclopedia}{,-training}} ../shared/data/eval/mlqa-vi [--write]

It comes after scripts/train_reader.py: the reader is finished, and has not read the documents of calibration. Three things
are learnt from the passages that `htxsearch ask` reads. Sentences: one softmax over the sentences of a question (weights
found by L-BFGS), from a third of the questions about other documents. The sentence's share in the choice of an answer, and the
confidence: from the questions about the documents of calibration alone. The confidence is a logistic regression that
predicts whether the answer is right; the weights of checks are bounded by 0 (`htxsearch.answer.checks`). The threshold is
the lowest from which on the share of right answers among those given is the one aimed at, over the sets about cooperatives.
Questions about the documents of `left-out.txt` are not read.
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
from scipy.special import logsumexp

from htxsearch.answer.checks import CHECKS
from htxsearch.answer.pipeline import retrieve
from htxsearch.answer.question import QuestionAnalysis, plain_question
from htxsearch.answer.reader.model import OWN_READER, Reader, ReadWindow
from htxsearch.answer.scorer import CONFIDENCE_FEATURES, AnswerModel, Candidate, ranked_candidates
from htxsearch.answer.sentences import SENTENCE_FEATURES, CandidatePassage, read_passages
from htxsearch.evaluate.answers import gold_documents, is_right, read_questions
from htxsearch.evaluate.folds import fold_of, is_for_calibration
from htxsearch.evaluate.forms import own_forms_of
from htxsearch.evaluate.judged import JudgedSet, index_of, read_judged_set
from htxsearch.search.features import QueryArrays
from htxsearch.text.normalize import nfc

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "src/htxsearch/answer/answers.json"
_RIDGE = 1e-3
_PART_FOR_SENTENCES = 3  # one document in three: weights of 40 features need no more
_RIDGE_OF_CONFIDENCE = 1e-2
_FOLDS = 5
_WIDEST_GAP = 15.0
_AIM, _LEAST = 0.85, 0.82  # share of the answers given that shall be right in the mean of sets, and in each
_OTHER_FIELDS = ("encyclopedia", "encyclopedia-training", "mlqa-vi")  # not what users ask about
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


def readable_questions(judged: JudgedSet, folder: Path) -> dict[str, tuple[dict[str, Any], frozenset[str]]]:
    """Return the questions that training may read, each with the documents that answer it."""
    questions = {}
    for query, question in read_questions(folder, judged).items():
        gold = gold_documents(query, question, judged.qrels)
        if judged.left_out.isdisjoint(gold or {query}):
            questions[query] = (question, gold)
    return questions


def training_questions(judged: JudgedSet, folder: Path, keep: Path | None = None) -> Iterator[TrainingQuestion]:
    """Yield the questions that are learnt from here, in each of their forms.

    They are those for calibration, with all passages that the product retrieves, and a part of the others, without passages of
    documents that are left out.
    """
    with index_of(judged, keep) as index:
        snapshot = index.searcher().snapshot
        for query, (question, gold) in readable_questions(judged, folder).items():
            document = min(gold or {question.get("article") or query})
            calibration = is_for_calibration(document)
            if not calibration and fold_of(document, _PART_FOR_SENTENCES):
                continue
            for form, text in {"typed": question["text"], **own_forms_of(question)}.items():
                context = retrieve(snapshot, plain_question(text))
                passages = [own for own in context.passages if calibration or own.article not in judged.left_out]
                if context.arrays is not None and passages:
                    yield TrainingQuestion(
                        judged.name,
                        query,
                        form,
                        context.asked,
                        context.arrays,
                        context.question,
                        passages,
                        question,
                        gold,
                        calibration,
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


@dataclass(frozen=True)
class RememberingReader(Reader):
    """A reader that reads the same windows for the same question once: the models differ, the windows hardly do."""

    _read: dict[tuple[str, tuple[str, str]], ReadWindow] = field(default_factory=dict)

    def read(self, question: str, windows: Sequence[tuple[str, str]]) -> list[ReadWindow]:
        """Return what the reader reads in each window, a pair of context line and text."""
        new = [window for window in windows if (question, window) not in self._read]
        for window, read in zip(new, super().read(question, new), strict=True):
            self._read[question, window] = read
        return [self._read[question, window] for window in windows]


def read_candidates(data: Sequence[TrainingQuestion], model: AnswerModel, reader: RememberingReader) -> None:
    """Fill in the candidates of each question by the reader, best first under the model."""
    for question in data:
        question.candidates = ranked_candidates(
            question.asked, question.arrays, question.analysis, question.passages, reader, model
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


def fit_confidence(
    features: Floats, right: npt.NDArray[np.bool_], weight: Floats, names: Sequence[str] = CONFIDENCE_FEATURES
) -> dict[str, float]:
    """Return the weights of a logistic regression by the feature's name; those of checks are at most 0."""
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

    bounds = [(None, 0.0) if name in CHECKS else (None, None) for name in names] + [(None, None)]
    weights = minimize(loss, np.zeros(values.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x
    named = dict(zip(names, (weights[:-1] / scale).round(4).tolist(), strict=True))
    return {"constant": round(float(weights[-1]), 4), **named}


def first_of(data: Sequence[TrainingQuestion]) -> tuple[Floats, npt.NDArray[np.bool_], Floats]:
    """Return the features of the first candidates, which are right, and weights."""
    read = [question for question in data if question.candidates]
    features = np.array([question.candidates[0].features() for question in read])
    right = np.array([is_right(text_of(question, question.candidates[0]), question.judged) for question in read])
    counts = Counter(question.set for question in read)
    weight = np.array([counts[question.set] ** -0.5 for question in read])
    return features, right, weight / weight.sum()


def threshold_for(chances: Floats, right: npt.NDArray[np.bool_], sets: Sequence[str]) -> float:
    """Return the lowest confidence from which on enough of the answers are right, by the name of each question's set.

    They are as many as aimed at in the mean of the sets, and not much fewer in any: a question may be a trap. Sets of other
    fields count only if there are no others.
    """
    names = {name for name in sets if name not in _OTHER_FIELDS} or set(sets)
    members = [np.array([one == name for one in sets]) for name in sorted(names)]
    steps = [step / 100 for step in range(20, 95)]
    for step in steps:
        shares = [float(right[shown].mean()) for own in members if (shown := own & (chances >= step)).any()]
        if shares and min(shares) >= _LEAST and sum(shares) / len(shares) >= _AIM:
            return step
    return steps[-1]


def calibration_error(chances: Floats, right: npt.NDArray[np.bool_], bins: int = 10) -> float:
    """Return the expected calibration error over bins of equal width (M. Naeini et al., 2015)."""
    bin_of = np.minimum((chances * bins).astype(int), bins - 1)
    gaps = [abs(chances[bin_of == b].mean() - right[bin_of == b].mean()) * (bin_of == b).mean() for b in set(bin_of.tolist())]
    return float(sum(gaps))


def show_ablation(data: Sequence[TrainingQuestion], model: AnswerModel) -> None:
    """Print what each part adds: the share of first answers that are right, and how many could be given.

    The choice is the learnt one with some weights set to 0: these weights are fitted. The confidence is learnt anew from some
    features, by folds of documents; given are as many answers, the surest first, as leave the share of right ones at the aim.
    """
    of_reader = [name for name in CONFIDENCE_FEATURES if name not in (*CHECKS, "sentence_rank", "sentence_gap")]
    of_sentences = ["sentence_rank", "sentence_gap", "span_length", *CHECKS]
    chances_of = {
        "reader alone": (1.0, [], of_reader),
        "sentences and checks alone": (0.0, ["sentence_gap", *CHECKS], of_sentences),
        "both, no checks": (1.0, ["sentence_gap"], [name for name in CONFIDENCE_FEATURES if name not in CHECKS]),
        "all": (1.0, ["sentence_gap", *CHECKS], list(CONFIDENCE_FEATURES)),
    }
    read = [question for question in data if question.candidates]
    folds = np.array([fold_of(min(question.gold or {question.id}), _FOLDS) for question in read])
    for name, (share, weights, features) in chances_of.items():
        first = []
        for question in read:
            totals = np.array(
                [
                    share * one.read.log_chance + sum(model.choice[part] * one.own[part] for part in weights)
                    for one in question.candidates
                ]
            )
            best = question.candidates[int(np.argmax(totals))]
            gap = min(_WIDEST_GAP, float(totals.max() - np.partition(totals, -2)[-2])) if len(totals) > 1 else _WIDEST_GAP
            first.append(best._replace(own=best.own | {"gap": gap, "share": float(totals.max() - logsumexp(totals))}))
        right = np.array([is_right(text_of(question, one), question.judged) for question, one in zip(read, first, strict=True)])
        rows = np.array([[one.own[part] for part in features] for one in first])
        chances = np.zeros(len(read))
        for fold in range(_FOLDS):
            seen = folds != fold
            fitted = fit_confidence(rows[seen], right[seen], np.full(seen.sum(), 1 / seen.sum()), features)
            totals = rows[~seen] @ [fitted[part] for part in features] + fitted["constant"]
            chances[~seen] = 1 / (1 + np.exp(-totals))
        surest = right[np.argsort(-chances)]
        shares = np.cumsum(surest) / np.arange(1, len(surest) + 1)
        given = np.flatnonzero(shares >= _AIM).max(initial=-1) + 1
        error = calibration_error(chances, right)
        print(f"{name}: {right.mean():.3f} right, {given / len(read):.3f} could be given, calibration error {error:.3f}")


def main() -> None:
    """Read, learn, print, and write on request."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--keep", type=Path, help="keep the indexes of the sets here")
    parser.add_argument("--reader", type=Path, default=OWN_READER)
    parser.add_argument("--ablate", action="store_true", help="print what each part adds")
    parser.add_argument("--write", action="store_true", help="write src/htxsearch/answer/answers.json")
    options = parser.parse_args()
    sets = [(read_judged_set(folder, ROOT / "corpus"), folder) for folder in options.folders]
    data = [question for judged, folder in sets for question in training_questions(judged, folder, options.keep)]
    stored = learn(data, RememberingReader(options.reader))
    if options.ablate:
        show_ablation([question for question in data if question.calibration], AnswerModel(stored))
    if options.write:
        about = "The answer model of `htxsearch ask`, written by scripts/train_answers.py."
        counts = {judged.name: len(readable_questions(judged, folder)) for judged, folder in sets}
        value = {"about": about, "trained_on": counts, **stored}
        MODEL.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")


def learn(data: Sequence[TrainingQuestion], reader: RememberingReader) -> dict[str, Any]:
    """Learn all three and return what `AnswerModel` reads; print the figures."""
    sentence = fit_sentences([question for question in data if not question.calibration])
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
    stored["threshold"] = threshold_for(chances, right, [question.set for question in held if question.candidates])
    shown = chances >= stored["threshold"]
    print(f"threshold {stored['threshold']}: {shown.mean():.3f} answered, {right[shown].mean():.3f} of them right (fitted)")
    print(f"expected calibration error {calibration_error(chances, right):.3f} (fitted)")
    return stored


if __name__ == "__main__":
    main()
