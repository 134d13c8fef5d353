"""Learn from judged questions which sentence and which span of it answers, through the product's own pipeline.

    python scripts/train_answers.py ../shared/data/eval/{viquad-dev,xquad-vi,mlqa-vi,htxqa-dev} evals/questions [--write]

Three things are learnt, from the passages that `htxsearch ask` reads. Sentences: one softmax over a question's sentences
(weights found by L-BFGS). Spans: gradient-boosted trees (scikit-learn's, with a loss of our own: one softmax over a
question's candidates, whose target is sharply peaked at those of the best token F1 with the right answer).
Confidence: a logistic regression that tells whether the answer stands in the sentence chosen,
over the questions, the same without the documents that answer them, and those that nothing answers; its threshold is
the one of best F1 over both. A collection counts as the square root of its questions. Printed: each collection under what
was learnt without it and, on folds of its questions' documents, with its other folds. With --write, answers.json.
"""

import argparse
import json
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn._loss.loss import HalfSquaredError  # what HistGradientBoostingRegressor takes as a loss; tried with 1.9
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression

from htxsearch.answer.candidates import Columns, candidates
from htxsearch.answer.pipeline import retrieve
from htxsearch.answer.question import QuestionAnalysis, plain_question
from htxsearch.answer.scorer import (
    CONFIDENCE_FEATURES,
    SENTENCE_COLUMNS,
    combined_score,
    confidence_features,
    expected_f1,
    rows_of,
    sentences_read,
)
from htxsearch.answer.sentences import SENTENCE_FEATURES, CandidatePassage, Sentence, read_passages
from htxsearch.evaluate.answers import gold_documents
from htxsearch.evaluate.folds import document_groups, fold_of
from htxsearch.evaluate.judged import index_of, json_lines, read_judged_set
from htxsearch.search.features import QueryArrays
from htxsearch.text.normalize import canonical_spelling, nfc
from htxsearch.text.tokens import tokens

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "src/htxsearch/answer/answers.json"
FOLDS = ROOT / "evals/folds"
_FOLDS = 3
_RIDGE = 1e-3
_ROWS = 120  # candidates learnt from of a question: so many that share words with the answer, so many that do not
_PEAK = 0.05  # F1 by which a candidate's target falls to 1/e
_OVERLAP = 0.2  # F1 from which a candidate has something of the answer
_AS_GOOD = 0.002  # thresholds this near to the best are as good; of these the highest, which declines most, is taken
_TREES = {
    "max_iter": 120,
    "max_leaf_nodes": 31,
    "max_depth": 8,
    "learning_rate": 0.1,
    "min_samples_leaf": 40,
    "max_features": 0.3,
}

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Terms = tuple[str, ...]


@dataclass(slots=True)
class Asked:
    """One question: its passages' sentences, which hold the answer, and, once built, its candidates with their F1."""

    collection: str
    fold: int
    arrays: QueryArrays
    asking: QuestionAnalysis
    found: list[CandidatePassage]
    answers: list[Terms]
    gold: frozenset[str]
    sentences: list[Sentence]
    features: Floats
    holds: npt.NDArray[np.bool_]
    right: npt.NDArray[np.bool_]
    order: list[int] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)
    rows: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    owner: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    f1: Floats = field(default_factory=lambda: np.zeros(0))
    spans: list[tuple[Ints, Ints]] = field(default_factory=list)
    known: dict[int, tuple[Ints, Ints, Columns]] = field(default_factory=dict)


def terms_of(text: str) -> Terms:
    """Return a text's terms in normal form, as answers are compared."""
    return tuple(canonical_spelling(token.term) for token in tokens(nfc(text)))


def holds(sentence: Sequence[str], answer: Terms) -> bool:
    """Tell whether a run of terms stands in a sentence."""
    size = len(answer)
    return any(tuple(sentence[at : at + size]) == answer for at in range(len(sentence) - size + 1))


def asked(name: str, looked: Any, answers: list[Terms], gold: frozenset[str], fold: int) -> Asked | None:
    """Return a question with its sentences' features; None if there is no sentence."""
    if looked.arrays is None:
        return None
    sentences = read_passages(looked.arrays, looked.question, looked.passages)
    if not sentences:
        return None
    there = np.array([any(holds(one.terms, answer) for answer in answers) for one in sentences])
    right = there & np.array([looked.passages[one.passage].article in gold for one in sentences])
    features = np.array([one.features for one in sentences])
    return Asked(name, fold, looked.arrays, looked.question, looked.passages, answers, gold, sentences, features, there, right)


def read(folder: Path, keep: Path | None) -> list[Asked]:
    """Return the questions that training may read, and for each third one a twin without the documents that answer it."""
    judged = read_judged_set(folder, ROOT / "corpus")
    paths = [folder / "queries.jsonl", folder / "unanswerable.jsonl"]
    rows = [row for path in paths if path.exists() for row in json_lines(path)]
    gold_of = {row["_id"]: gold_documents(row["_id"], row["metadata"], judged.qrels) for row in rows}
    groups = document_groups(gold_of)
    rows = [row for row in rows if judged.left_out.isdisjoint(gold_of[row["_id"]] or {row["_id"]})]
    data = []
    with index_of(judged, keep) as index:
        for row in sorted(rows, key=lambda row: zlib.crc32(row["_id"].encode())):
            answers = [terms for terms in map(terms_of, row["metadata"].get("answers", [])) if terms]
            gold, fold = gold_of[row["_id"]], fold_of(groups[row["_id"]], _FOLDS)
            context = retrieve(index.searcher().snapshot, plain_question(row["text"]))
            question = asked(judged.name, context, answers, gold, fold)
            if question:
                data.append(question)
            if answers and zlib.crc32(row["_id"].encode()) % 3 == 0:
                rest = [passage for passage in context.passages if passage.article not in gold]
                twin = asked(judged.name, context._replace(passages=rest), [], frozenset(), fold)
                data += [twin] if twin else []
    return data


def fit_sentences(data: Sequence[Asked], counts: dict[str, int]) -> Floats:
    """Return the weights of a softmax over each question's sentences."""
    some = [one for one in data if one.right.any()]
    every = np.concatenate([one.features for one in some])
    scale = every.std(axis=0) + 1e-9
    every /= scale
    target = np.concatenate([one.right / one.right.sum() for one in some])
    sizes = [len(one.right) for one in some]
    starts, of = np.cumsum([0, *sizes[:-1]]), np.repeat(np.arange(len(some)), sizes)
    importance = np.array([1 / np.sqrt(counts[one.collection]) for one in some])
    importance = (importance / importance.sum())[of]

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = every @ weights
        scores -= np.maximum.reduceat(scores, starts)[of]
        log_share = scores - np.log(np.add.reduceat(np.exp(scores), starts))[of]
        gradient = every.T @ (importance * (np.exp(log_share) - target)) + 2 * _RIDGE * weights
        return float(-(importance * target * log_share).sum() + _RIDGE * weights @ weights), gradient

    found: Floats = minimize(loss, np.zeros(every.shape[1]), jac=True, method="L-BFGS-B").x / scale
    return found


def token_f1(terms: Sequence[str], first: npt.NDArray[np.int64], last: npt.NDArray[np.int64], answers: list[Terms]) -> Floats:
    """Return each span's best token F1 with an answer (P. Rajpurkar et al., "SQuAD", 2016)."""
    best = np.zeros(len(first))
    for answer in answers:
        common = np.zeros((len(terms), len(terms)))
        for start in range(len(terms)):
            left, count = Counter(answer), 0
            for end in range(start, len(terms)):
                if left[terms[end]] > 0:
                    left[terms[end]] -= 1
                    count += 1
                common[start, end] = count
        best = np.maximum(best, 2 * common[first, last] / (last - first + 1 + len(answer)))
    return best


def build(one: Asked, weights: Floats, columns: list[str]) -> None:
    """Fill in the candidates of the best sentences under these weights; `columns` are named by the first call."""
    scores = one.features @ weights
    one.order = np.argsort(-scores, kind="stable")[: sentences_read(one.asking)].tolist()
    one.behind = [float(scores[at] - np.max(np.delete(scores, at), initial=scores[at] - 1.0)) for at in one.order]
    rows, owner, f1 = [], [], []
    one.spans = []
    total = float(one.arrays.content().sum())
    for rank, at in enumerate(one.order):
        sentence = one.sentences[at]
        if at not in one.known:
            first, last, found = candidates(one.found[sentence.passage].text, sentence, one.asking, total)
            one.known[at] = first, last, {name: values.astype(np.float32) for name, values in found.items()}
        first, last, found = one.known[at]
        if len(first):
            if not columns:
                columns += [*found, "sentence", "rank", *(f"s_{name}" for name in SENTENCE_COLUMNS)]
            rows.append(rows_of(sentence, found, float(scores[at] - scores[one.order[0]]), rank, columns))
            owner.append(np.full(len(first), rank))
            one.spans.append((first, last))
            f1.append(token_f1(sentence.terms, first, last, one.answers))
    if rows:
        one.rows, one.owner, one.f1 = np.concatenate(rows).astype(np.float32), np.concatenate(owner), np.concatenate(f1)


class Listwise(HalfSquaredError):  # type: ignore[misc]
    """The cross entropy of one softmax over each question's candidates: its gradient is chance less target."""

    def __init__(self, sizes: Sequence[int], target: Floats, importance: Floats) -> None:
        """`sizes` are the candidates of each question, in order; the other two have a number for each candidate."""
        super().__init__()
        self.starts, self.of = np.cumsum([0, *sizes[:-1]]), np.repeat(np.arange(len(sizes)), sizes)
        self.target, self.importance = target, importance
        self.constant_hessian = False

    def gradient_hessian(
        self,
        y_true: Floats,  # noqa: ARG002  what scikit-learn hands over
        raw_prediction: Floats,
        sample_weight: Floats | None = None,  # noqa: ARG002
        gradient_out: Floats | None = None,
        hessian_out: Floats | None = None,
        n_threads: int = 1,  # noqa: ARG002
    ) -> tuple[Any, Any]:
        """Return both, written into the arrays given, if any."""
        sums = raw_prediction.ravel().astype(np.float64)
        chance = np.exp(sums - np.maximum.reduceat(sums, self.starts)[self.of])
        chance /= np.add.reduceat(chance, self.starts)[self.of]
        gradient = np.empty(raw_prediction.shape, np.float32) if gradient_out is None else gradient_out
        hessian = np.empty(raw_prediction.shape, np.float32) if hessian_out is None else hessian_out
        gradient.reshape(-1)[:] = self.importance * (chance - self.target)
        hessian.reshape(-1)[:] = self.importance * np.maximum(chance * (1 - chance), 1e-4)
        return gradient, hessian

    def fit_intercept_only(self, y_true: Floats, sample_weight: Floats | None = None) -> np.float64:  # noqa: ARG002
        """Return 0: what all candidates have in common tells nothing."""
        return np.float64(0)


def fit_spans(data: Sequence[Asked], counts: dict[str, int]) -> HistGradientBoostingRegressor:
    """Return trees that tell the right candidate, learnt from some of each question's that share words with it, some not."""
    random = np.random.default_rng(0)
    rows, targets, sizes, importance = [], [], [], []
    for one in data:
        if not (one.answers and len(one.rows)):
            continue
        in_gold = np.array([one.found[one.sentences[at].passage].article in one.gold for at in one.order])
        f1 = one.f1 * in_gold[one.owner]
        if f1.max() <= _OVERLAP:
            continue
        close, far = np.flatnonzero(f1 > _OVERLAP), np.flatnonzero(f1 <= _OVERLAP)
        best = close[np.argsort(-f1[close], kind="stable")[:10]]
        some = random.choice(close, min(len(close), _ROWS - len(best)), replace=False)
        kept = np.concatenate([np.union1d(best, some), random.choice(far, min(len(far), _ROWS), replace=False)])
        target = np.exp((f1[kept] - f1.max()) / _PEAK) * (f1[kept] > _OVERLAP)
        rows.append(one.rows[kept])
        targets.append(target / target.sum())
        sizes.append(len(kept))
        importance.append(np.full(len(kept), counts[one.collection] ** -0.5))
    target, weight = np.concatenate(targets), np.concatenate(importance)
    loss = Listwise(sizes, target, weight / weight.mean())
    model = HistGradientBoostingRegressor(loss=loss, **_TREES, l2_regularization=1.0, early_stopping=False, random_state=0)
    return model.fit(np.concatenate(rows), target)


@dataclass(slots=True)
class Told:
    """What would be answered: the F1 of the span, whether its sentence holds the answer, and what confidence is learnt from."""

    one: Asked
    f1: float = 0.0
    exact: bool = False
    right: bool = False
    right_in_three: bool = False
    features: list[float] = field(default_factory=lambda: [0.0] * len(CONFIDENCE_FEATURES))


def tell(one: Asked, model: HistGradientBoostingRegressor, columns: Sequence[str]) -> Told:
    """Return what would be answered."""
    if not len(one.rows):
        return Told(one)
    expected = np.concatenate(expected_f1(model._raw_predict(one.rows).ravel(), one.spans))
    tops = {rank: float(expected[one.owner == rank].max()) for rank in dict.fromkeys(one.owner.tolist())}
    ranked = sorted(tops, key=lambda rank: -combined_score(tops[rank], float(np.exp(min(0.0, one.behind[rank])))))
    rank = ranked[0]
    best = int(np.argmax(np.where(one.owner == rank, expected, -1.0)))
    runner_up = max((top for other, top in tops.items() if other != rank), default=0.0)
    sentence = one.sentences[one.order[rank]]
    row = one.rows[best].astype(np.float64)
    features = confidence_features(sentence, float(expected[best]), runner_up, one.behind[rank], row, columns)
    there = [bool(one.holds[one.order[other]]) for other in ranked]
    return Told(one, float(one.f1[best]), bool(one.f1[best] > 1 - 1e-9), there[0], any(there[:3]), features)


def f1(weight: Floats, said: npt.NDArray[np.bool_], true: npt.NDArray[np.bool_]) -> float:
    """Return the F1 of a yes or no over weighted questions."""
    both = (weight * (said & true)).sum()
    return float(2 * both / max(1e-9, (weight * said).sum() + (weight * true).sum()))


def fit_confidence(told: Sequence[Told], counts: dict[str, int]) -> tuple[dict[str, float], float]:
    """Return the weights of the confidence, and the threshold of best mean F1 of answering rightly and of declining rightly."""
    values = np.array([one.features for one in told])
    right = np.array([one.right for one in told])
    weight = np.array([1 / np.sqrt(counts[one.one.collection]) for one in told])
    scale = values.std(axis=0) + 1e-9
    model = LogisticRegression(C=0.1, max_iter=3000).fit(values / scale, right, sample_weight=weight / weight.mean())
    chances = model.predict_proba(values / scale)[:, 1]

    def quality(threshold: float) -> float:
        shown = chances >= threshold
        answered = f1(weight, shown, right)
        declined = f1(weight, ~shown, ~right)
        return (answered + declined) / 2

    found = {step / 100: quality(step / 100) for step in range(10, 70)}
    threshold = max(step for step, value in found.items() if value >= max(found.values()) - _AS_GOOD)
    weights = dict(zip(CONFIDENCE_FEATURES, (model.coef_[0] / scale).round(4).tolist(), strict=True))
    return {"constant": round(float(model.intercept_[0]), 4), **weights}, threshold


def report(
    label: str, told: Sequence[Told], confidence: Callable[[Told], float], threshold: float
) -> dict[str, dict[str, float]]:
    """Print and return the measures of each collection."""
    found = {}
    for name in dict.fromkeys(one.one.collection for one in told):
        here = [one for one in told if one.one.collection == name]
        asked_ = [one for one in here if one.one.answers]
        shown = [one for one in asked_ if confidence(one) >= threshold]
        nothing = [one for one in here if not one.one.answers]
        found[name] = {
            "EM": float(np.mean([one.exact for one in asked_])),
            "F1": float(np.mean([one.f1 for one in asked_])),
            "Sentence@1": float(np.mean([one.right for one in asked_])),
            "Sentence@3": float(np.mean([one.right_in_three for one in asked_])),
            "answered": len(shown) / max(1, len(asked_)),
            "AnsweredRight": float(np.mean([one.right for one in shown])) if shown else 0.0,
            "Declined": float(np.mean([confidence(one) < threshold for one in nothing])) if nothing else 0.0,
        }
        print(f"{label:12} {name:12}", "  ".join(f"{key} {value:.3f}" for key, value in found[name].items()), flush=True)
    return found


@dataclass(frozen=True, slots=True)
class SpanModel:
    """What is learnt before the confidence: weights of sentences, and trees over the `columns` of candidates."""

    sentence: Floats
    columns: list[str]
    trees: HistGradientBoostingRegressor

    def to_json(self, confidence: dict[str, float], threshold: float) -> dict[str, Any]:
        """Return the model as `htxsearch.answer.scorer.AnswerModel` reads it."""
        return {
            "sentence": dict(zip(SENTENCE_FEATURES, self.sentence.round(4).tolist(), strict=True)),
            "confidence": confidence,
            "threshold": threshold,
            "columns": self.columns,
            "depth": _TREES["max_depth"],
            "trees": trees_of(self.trees),
        }


def fit_model(inside: Sequence[Asked], every: Sequence[Asked], counts: dict[str, int]) -> SpanModel:
    """Learn from `inside`; leaves `every` question with its candidates under the model's sentence weights."""
    weights, columns = fit_sentences(inside, counts), list[str]()
    for one in every:
        build(one, weights, columns)
    return SpanModel(weights, columns, fit_spans(inside, counts))


def held_out(data: Sequence[Asked], counts: dict[str, int], folds: Sequence[str]) -> tuple[list[Told], dict[str, SpanModel]]:
    """Return the answer to each question by the model learnt without its fold, and these models by fold."""
    told: list[Told] = []
    models: dict[str, SpanModel] = {}
    for fold in sorted(set(folds)):
        inside = [one for one, name in zip(data, folds, strict=True) if name != fold]
        outside = [one for one, name in zip(data, folds, strict=True) if name == fold]
        model = models[fold] = fit_model(inside, data, counts)
        told += [tell(one, model.trees, model.columns) for one in outside]
        print(f"fold {fold}: learnt from {len(inside)} questions", flush=True)
    return told, models


def write_folds(folder: Path, told: Sequence[Told], models: dict[str, SpanModel], counts: dict[str, int]) -> None:
    """Write the model of each fold; its confidence is learnt from the answers to the questions of the other folds."""
    folder.mkdir(parents=True, exist_ok=True)
    for fold, model in models.items():
        others = [one for one in told if str(one.one.fold) != fold]
        about = f"The answer model learnt without fold {fold} of {_FOLDS}, written by scripts/train_answers.py."
        stored = {"about": about, "trained_on": counts, **model.to_json(*fit_confidence(others, counts))}
        write_model(folder / f"answers-{fold}.json", stored)


def write_model(path: Path, stored: dict[str, Any]) -> None:
    """Write a model as JSON, a tree a line."""
    path.write_text(json.dumps(stored, ensure_ascii=False).replace('{"feature"', '\n{"feature"') + "\n", "utf-8")


def trees_of(model: HistGradientBoostingRegressor) -> list[dict[str, list[float]]]:
    """Return the trees as plain lists: a feature of -1 marks a leaf."""
    found = []
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        found.append(
            {
                "feature": np.where(leaf, -1, nodes["feature_idx"].astype(int)).tolist(),
                "threshold": np.where(leaf, 0.0, nodes["num_threshold"]).round(5).tolist(),
                "left": nodes["left"].astype(int).tolist(),
                "right": nodes["right"].astype(int).tolist(),
                "value": np.where(leaf, nodes["value"], 0.0).round(5).tolist(),
            }
        )
    return found


def main() -> None:
    """Read, fit, cross-validate, print, and write on request."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--keep", type=Path, help="keep the collections' indexes here")
    parser.add_argument(
        "--without-it", action="store_true", help="measure each collection under what is learnt without it, too"
    )
    parser.add_argument("--write", action="store_true", help="write src/htxsearch/answer/answers.json and evals/folds")
    options = parser.parse_args()
    data = [one for folder in options.folders for one in read(folder, options.keep)]
    counts = dict(Counter(one.collection for one in data if one.answers))
    told, models = held_out(data, counts, [str(one.fold) for one in data])
    if options.write:
        write_folds(FOLDS, told, models, counts)
    confidence, threshold = fit_confidence(told, counts)

    def chance(one: Told) -> float:
        weights = np.array([confidence[name] for name in CONFIDENCE_FEATURES])
        return float(1 / (1 + np.exp(-(confidence["constant"] + weights @ np.array(one.features)))))

    scores = {"folds": report("folds", told, chance, threshold)}
    if options.without_it:
        without, _ = held_out(data, counts, [one.collection for one in data])
        scores["without it"] = report("without it", without, chance, threshold)
    about = "What `htxsearch ask` has learnt, written by scripts/train_answers.py."
    model = fit_model(data, data, counts).to_json(confidence, threshold)
    if options.write:
        write_model(MODEL, {"about": about, "trained_on": counts, "measured": scores, **model})


if __name__ == "__main__":
    main()
