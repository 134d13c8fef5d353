"""Learn from judged questions which sentence and which span of it answers, through the product's own pipeline.

    python scripts/train_answers.py ../shared/data/eval/{viquad-dev,xquad-vi,mlqa-vi,htxqa-dev} evals/questions [--write]

Three models are learnt from the passages that `htxsearch ask` reads. Sentences: one softmax over the sentences of a question
(weights found by L-BFGS). Spans: gradient-boosted trees (scikit-learn's, with a loss of our own: one softmax over the
candidates of a question, whose target peaks sharply at those of the best token F1 with the right answer). Confidence: a
logistic regression that predicts whether the chosen sentence holds the answer, from the questions, from a third of them
again without the documents that answer them, and from those that nothing answers; its threshold is the one of best mean F1
of answering and declining. A set counts as the square root of its questions.

Questions about the documents of `left-out.txt` are not read. Printed: the figures of each set on folds of its documents
(`htxsearch.evaluate.folds`) and, with --without-it, under a model learnt without the set. --write writes answers.json and the
model of each fold to evals/folds. On two idle cores it takes 15 minutes and 12 GB; beside other work set OMP_NUM_THREADS=1,
else the threads of scikit-learn wait for each other.
"""

import argparse
import json
import zlib
from collections import Counter
from collections.abc import Sequence
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
from htxsearch.answer.pipeline import RetrievedContext, retrieve
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
_ROWS = 120  # candidates of a question learnt from: up to this many near to the answer, and as many far from it
_BEST = 10  # of those near to the answer, these always
_PEAK = 0.05  # the loss of F1 at which the target of a candidate falls to 1/e
_OVERLAP = 0.2  # the F1 above which a candidate is near to the answer
_AS_GOOD = 0.002  # thresholds this near to the best are as good; the highest of them, which declines most, is taken
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
class TrainingQuestion:
    """One question with the sentences of its passages and, once `build` has run, its candidate spans.

    `features` (sentences, features); `holds` is True for sentences that hold an answer, `right` for those of them in a relevant
    document. `order` are the sentences read, best first, `margins` their scores less the best other one's. `rows` (candidates,
    columns) are in order of the sentences, `owner` the rank of each candidate's sentence, `f1` its token F1, `spans` its first
    and last token by sentence. `cache` keeps the candidates of a sentence.
    """

    set: str
    fold: int
    arrays: QueryArrays
    analysis: QuestionAnalysis
    passages: list[CandidatePassage]
    answers: list[Terms]
    gold: frozenset[str]
    sentences: list[Sentence]
    features: Floats
    holds: npt.NDArray[np.bool_]
    right: npt.NDArray[np.bool_]
    order: list[int] = field(default_factory=list)
    margins: list[float] = field(default_factory=list)
    rows: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    owner: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    f1: Floats = field(default_factory=lambda: np.zeros(0))
    spans: list[tuple[Ints, Ints]] = field(default_factory=list)
    cache: dict[int, tuple[Ints, Ints, Columns]] = field(default_factory=dict)


def terms_of(text: str) -> Terms:
    """Return the terms of a text in normal form, as answers are compared."""
    return tuple(canonical_spelling(token.term) for token in tokens(nfc(text)))


def is_run_of(terms: Terms, sentence: Sequence[str]) -> bool:
    """Return True if the terms are a run of the sentence's."""
    size = len(terms)
    return any(tuple(sentence[start : start + size]) == terms for start in range(len(sentence) - size + 1))


def training_question(
    name: str, context: RetrievedContext, answers: list[Terms], gold: frozenset[str], fold: int
) -> TrainingQuestion | None:
    """Return a question with the features of its sentences; None if there is no sentence."""
    if context.arrays is None:
        return None
    passages = context.passages
    sentences = read_passages(context.arrays, context.question, passages)
    if not sentences:
        return None
    holds = np.array([any(is_run_of(answer, sentence.terms) for answer in answers) for sentence in sentences])
    return TrainingQuestion(
        set=name,
        fold=fold,
        arrays=context.arrays,
        analysis=context.question,
        passages=passages,
        answers=answers,
        gold=gold,
        sentences=sentences,
        features=np.array([sentence.features for sentence in sentences]),
        holds=holds,
        right=holds & np.array([passages[sentence.passage].article in gold for sentence in sentences]),
    )


def training_questions(folder: Path, keep: Path | None) -> list[TrainingQuestion]:
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
            question = training_question(judged.name, context, answers, gold, fold)
            if question:
                data.append(question)
            if answers and zlib.crc32(row["_id"].encode()) % 3 == 0:
                rest = [passage for passage in context.passages if passage.article not in gold]
                twin = training_question(judged.name, context._replace(passages=rest), [], frozenset(), fold)
                data += [twin] if twin else []
    return data


def fit_sentences(data: Sequence[TrainingQuestion], counts: dict[str, int]) -> Floats:
    """Return the weights (features,) of a softmax over the sentences of each question."""
    answered = [question for question in data if question.right.any()]
    features = np.concatenate([question.features for question in answered])
    scale = features.std(axis=0) + 1e-9
    features /= scale
    target = np.concatenate([question.right / question.right.sum() for question in answered])
    sizes = [len(question.right) for question in answered]
    starts, owner = np.cumsum([0, *sizes[:-1]]), np.repeat(np.arange(len(answered)), sizes)
    importance = np.array([1 / np.sqrt(counts[question.set]) for question in answered])
    importance = (importance / importance.sum())[owner]

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = features @ weights
        scores -= np.maximum.reduceat(scores, starts)[owner]
        log_share = scores - np.log(np.add.reduceat(np.exp(scores), starts))[owner]
        gradient = features.T @ (importance * (np.exp(log_share) - target)) + 2 * _RIDGE * weights
        return float(-(importance * target * log_share).sum() + _RIDGE * weights @ weights), gradient

    weights: Floats = minimize(loss, np.zeros(features.shape[1]), jac=True, method="L-BFGS-B").x / scale
    return weights


def token_f1(terms: Sequence[str], first: npt.NDArray[np.int64], last: npt.NDArray[np.int64], answers: list[Terms]) -> Floats:
    """Return the best token F1 of each span with an answer, (spans,) (P. Rajpurkar et al., "SQuAD", 2016)."""
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


def build(question: TrainingQuestion, weights: Floats, columns: list[str]) -> None:
    """Fill in the candidates of the best sentences under these weights; the first call names the `columns`."""
    scores = question.features @ weights
    question.order = np.argsort(-scores, kind="stable")[: sentences_read(question.analysis)].tolist()
    question.margins = [
        float(scores[best] - np.max(np.delete(scores, best), initial=scores[best] - 1.0)) for best in question.order
    ]
    rows, owner, f1 = [], [], []
    question.spans = []
    total = float(question.arrays.content().sum())
    for rank, number in enumerate(question.order):
        sentence = question.sentences[number]
        if number not in question.cache:
            text = question.passages[sentence.passage].text
            first, last, values = candidates(text, sentence, question.analysis, total)
            question.cache[number] = first, last, {name: column.astype(np.float32) for name, column in values.items()}
        first, last, values = question.cache[number]
        if len(first):
            if not columns:
                columns += [*values, "sentence", "rank", *(f"s_{name}" for name in SENTENCE_COLUMNS)]
            rows.append(rows_of(sentence, values, float(scores[number] - scores[question.order[0]]), rank, columns))
            owner.append(np.full(len(first), rank))
            question.spans.append((first, last))
            f1.append(token_f1(sentence.terms, first, last, question.answers))
    if rows:
        question.rows = np.concatenate(rows).astype(np.float32)
        question.owner, question.f1 = np.concatenate(owner), np.concatenate(f1)


class Listwise(HalfSquaredError):  # type: ignore[misc]
    """The cross entropy of one softmax over the candidates of each question: its gradient is chance less target."""

    def __init__(self, sizes: Sequence[int], target: Floats, importance: Floats) -> None:
        """`sizes` are the candidates of each question, in order; the other two have a number for each candidate."""
        super().__init__()
        self.starts, self.of = np.cumsum([0, *sizes[:-1]]), np.repeat(np.arange(len(sizes)), sizes)
        self.target, self.importance = target, importance
        self.constant_hessian = False

    def gradient_hessian(
        self,
        y_true: Floats,  # noqa: ARG002  scikit-learn passes it
        raw_prediction: Floats,
        sample_weight: Floats | None = None,  # noqa: ARG002
        gradient_out: Floats | None = None,
        hessian_out: Floats | None = None,
        n_threads: int = 1,  # noqa: ARG002
    ) -> tuple[Any, Any]:
        """Return gradient and hessian, (candidates,) float32, in the given arrays if there are any."""
        sums = raw_prediction.ravel().astype(np.float64)
        chance = np.exp(sums - np.maximum.reduceat(sums, self.starts)[self.of])
        chance /= np.add.reduceat(chance, self.starts)[self.of]
        gradient = np.empty(raw_prediction.shape, np.float32) if gradient_out is None else gradient_out
        hessian = np.empty(raw_prediction.shape, np.float32) if hessian_out is None else hessian_out
        gradient.reshape(-1)[:] = self.importance * (chance - self.target)
        hessian.reshape(-1)[:] = self.importance * np.maximum(chance * (1 - chance), 1e-4)
        return gradient, hessian

    def fit_intercept_only(self, y_true: Floats, sample_weight: Floats | None = None) -> np.float64:  # noqa: ARG002
        """Return 0: a constant that all candidates share does not change a softmax."""
        return np.float64(0)


def fit_spans(data: Sequence[TrainingQuestion], counts: dict[str, int]) -> HistGradientBoostingRegressor:
    """Return trees that score candidates, learnt from a sample of each question: some near to the answer, some not."""
    random = np.random.default_rng(0)
    rows, targets, sizes, importance = [], [], [], []
    for question in data:
        if not (question.answers and len(question.rows)):
            continue
        documents = (question.passages[question.sentences[number].passage].article for number in question.order)
        in_gold = np.array([document in question.gold for document in documents])
        f1 = question.f1 * in_gold[question.owner]
        if f1.max() <= _OVERLAP:
            continue
        near, far = np.flatnonzero(f1 > _OVERLAP), np.flatnonzero(f1 <= _OVERLAP)
        best = near[np.argsort(-f1[near], kind="stable")[:_BEST]]
        others = random.choice(near, min(len(near), _ROWS - len(best)), replace=False)
        sample = np.concatenate([np.union1d(best, others), random.choice(far, min(len(far), _ROWS), replace=False)])
        target = np.exp((f1[sample] - f1.max()) / _PEAK) * (f1[sample] > _OVERLAP)
        rows.append(question.rows[sample])
        targets.append(target / target.sum())
        sizes.append(len(sample))
        importance.append(np.full(len(sample), counts[question.set] ** -0.5))
    target, weight = np.concatenate(targets), np.concatenate(importance)
    loss = Listwise(sizes, target, weight / weight.mean())
    model = HistGradientBoostingRegressor(loss=loss, **_TREES, l2_regularization=1.0, early_stopping=False, random_state=0)
    return model.fit(np.concatenate(rows), target)


@dataclass(slots=True)
class Prediction:
    """The answer of a model: the F1 of its span, whether its sentence holds an answer, the features of its confidence."""

    question: TrainingQuestion
    f1: float = 0.0
    exact: bool = False
    right: bool = False
    right_in_three: bool = False
    features: list[float] = field(default_factory=lambda: [0.0] * len(CONFIDENCE_FEATURES))


def predict(question: TrainingQuestion, trees: HistGradientBoostingRegressor, columns: Sequence[str]) -> Prediction:
    """Return the answer of a model to a question that `build` has prepared with its weights."""
    if not len(question.rows):
        return Prediction(question)
    expected = np.concatenate(expected_f1(trees._raw_predict(question.rows).ravel(), question.spans))
    tops = {rank: float(expected[question.owner == rank].max()) for rank in dict.fromkeys(question.owner.tolist())}
    likely = {rank: float(np.exp(min(0.0, question.margins[rank]))) for rank in tops}
    ranked = sorted(tops, key=lambda rank: -combined_score(tops[rank], likely[rank]))
    rank = ranked[0]
    best = int(np.argmax(np.where(question.owner == rank, expected, -1.0)))
    runner_up = max((top for other, top in tops.items() if other != rank), default=0.0)
    sentence, margin = question.sentences[question.order[rank]], question.margins[rank]
    row = question.rows[best].astype(np.float64)
    features = confidence_features(sentence, float(expected[best]), runner_up, margin, row, columns)
    holds = [bool(question.holds[question.order[other]]) for other in ranked]
    f1 = float(question.f1[best])
    return Prediction(question, f1, f1 > 1 - 1e-9, holds[0], any(holds[:3]), features)


def decision_f1(weight: Floats, predicted: npt.NDArray[np.bool_], true: npt.NDArray[np.bool_]) -> float:
    """Return the F1 of a yes or no over weighted questions."""
    both = (weight * (predicted & true)).sum()
    return float(2 * both / max(1e-9, (weight * predicted).sum() + (weight * true).sum()))


@dataclass(frozen=True, slots=True)
class Confidence:
    """Weights of a logistic regression by feature, and the threshold from which an answer is shown."""

    weights: dict[str, float]
    threshold: float

    def of(self, prediction: Prediction) -> float:
        """Return the chance that the sentence chosen holds an answer."""
        weights = np.array([self.weights[name] for name in CONFIDENCE_FEATURES])
        return float(1 / (1 + np.exp(-(self.weights["constant"] + weights @ np.array(prediction.features)))))


def fit_confidence(predictions: Sequence[Prediction], counts: dict[str, int]) -> Confidence:
    """Learn the confidence; its threshold has the best mean F1 of answering rightly and of declining rightly."""
    values = np.array([prediction.features for prediction in predictions])
    right = np.array([prediction.right for prediction in predictions])
    weight = np.array([1 / np.sqrt(counts[prediction.question.set]) for prediction in predictions])
    scale = values.std(axis=0) + 1e-9
    model = LogisticRegression(C=0.1, max_iter=3000).fit(values / scale, right, sample_weight=weight / weight.mean())
    chances = model.predict_proba(values / scale)[:, 1]

    def quality(threshold: float) -> float:
        shown = chances >= threshold
        return (decision_f1(weight, shown, right) + decision_f1(weight, ~shown, ~right)) / 2

    qualities = {step / 100: quality(step / 100) for step in range(10, 70)}
    threshold = max(step for step, value in qualities.items() if value >= max(qualities.values()) - _AS_GOOD)
    weights = dict(zip(CONFIDENCE_FEATURES, (model.coef_[0] / scale).round(4).tolist(), strict=True))
    return Confidence({"constant": round(float(model.intercept_[0]), 4), **weights}, threshold)


def report(label: str, predictions: Sequence[Prediction], confidence: Confidence) -> dict[str, dict[str, float]]:
    """Print and return the figures of each set."""
    figures = {}
    for name in dict.fromkeys(prediction.question.set for prediction in predictions):
        own = [prediction for prediction in predictions if prediction.question.set == name]
        answerable = [prediction for prediction in own if prediction.question.answers]
        shown = [prediction for prediction in answerable if confidence.of(prediction) >= confidence.threshold]
        declined = [confidence.of(one) < confidence.threshold for one in own if not one.question.answers]
        figures[name] = {
            "EM": float(np.mean([prediction.exact for prediction in answerable])),
            "F1": float(np.mean([prediction.f1 for prediction in answerable])),
            "Sentence@1": float(np.mean([prediction.right for prediction in answerable])),
            "Sentence@3": float(np.mean([prediction.right_in_three for prediction in answerable])),
            "answered": len(shown) / max(1, len(answerable)),
            "AnsweredRight": float(np.mean([prediction.right for prediction in shown])) if shown else 0.0,
            "Declined": float(np.mean(declined)) if declined else 0.0,
        }
        print(f"{label:12} {name:12}", "  ".join(f"{key} {value:.3f}" for key, value in figures[name].items()), flush=True)
    return figures


@dataclass(frozen=True, slots=True)
class SpanModel:
    """A model without its confidence: weights of sentences, and trees over the `columns` of candidates."""

    sentence: Floats
    columns: list[str]
    trees: HistGradientBoostingRegressor

    def to_json(self, confidence: Confidence) -> dict[str, Any]:
        """Return the model as `htxsearch.answer.scorer.AnswerModel` reads it."""
        return {
            "sentence": dict(zip(SENTENCE_FEATURES, self.sentence.round(4).tolist(), strict=True)),
            "confidence": confidence.weights,
            "threshold": confidence.threshold,
            "columns": self.columns,
            "depth": _TREES["max_depth"],
            "trees": trees_of(self.trees),
        }


def fit_model(inside: Sequence[TrainingQuestion], every: Sequence[TrainingQuestion], counts: dict[str, int]) -> SpanModel:
    """Learn from the questions `inside`; leaves `every` question with its candidates under the weights of sentences."""
    weights, columns = fit_sentences(inside, counts), list[str]()
    for question in every:
        build(question, weights, columns)
    return SpanModel(weights, columns, fit_spans(inside, counts))


def left_out(
    data: Sequence[TrainingQuestion], counts: dict[str, int], parts: Sequence[str]
) -> tuple[list[Prediction], dict[str, SpanModel]]:
    """Return the answer to each question by the model learnt without its part, and the model of each part."""
    predictions: list[Prediction] = []
    models: dict[str, SpanModel] = {}
    for part in sorted(set(parts)):
        inside = [question for question, own in zip(data, parts, strict=True) if own != part]
        outside = [question for question, own in zip(data, parts, strict=True) if own == part]
        model = models[part] = fit_model(inside, data, counts)
        predictions += [predict(question, model.trees, model.columns) for question in outside]
        print(f"without {part}: learnt from {len(inside)} questions", flush=True)
    return predictions, models


def question_counts(data: Sequence[TrainingQuestion]) -> dict[str, int]:
    """Return the number of questions with an answer, by set."""
    return dict(Counter(question.set for question in data if question.answers))


def write_folds(folder: Path, predictions: Sequence[Prediction], models: dict[str, SpanModel], counts: dict[str, int]) -> None:
    """Write the model of each fold; its confidence is learnt from the answers to the questions of the other folds."""
    folder.mkdir(parents=True, exist_ok=True)
    for fold, model in models.items():
        others = [prediction for prediction in predictions if str(prediction.question.fold) != fold]
        trained_on = question_counts([prediction.question for prediction in others])
        about = f"The answer model learnt without fold {fold} of {_FOLDS}, written by scripts/train_answers.py."
        write_model(
            folder / f"answers-{fold}.json",
            {"about": about, "trained_on": trained_on, **model.to_json(fit_confidence(others, counts))},
        )


def write_model(path: Path, stored: dict[str, Any]) -> None:
    """Write a model as JSON, a tree a line."""
    path.write_text(json.dumps(stored, ensure_ascii=False).replace('{"feature"', '\n{"feature"') + "\n", "utf-8")


def trees_of(model: HistGradientBoostingRegressor) -> list[dict[str, list[float]]]:
    """Return the trees as plain lists: a feature of -1 marks a leaf."""
    trees = []
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        trees.append(
            {
                "feature": np.where(leaf, -1, nodes["feature_idx"].astype(int)).tolist(),
                "threshold": np.where(leaf, 0.0, nodes["num_threshold"]).round(5).tolist(),
                "left": nodes["left"].astype(int).tolist(),
                "right": nodes["right"].astype(int).tolist(),
                "value": np.where(leaf, nodes["value"], 0.0).round(5).tolist(),
            }
        )
    return trees


def main() -> None:
    """Read, learn on folds and on all questions, print, and write on request."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--keep", type=Path, help="keep the indexes of the sets here")
    parser.add_argument("--without-it", action="store_true", help="measure each set under a model learnt without it, too")
    parser.add_argument("--write", action="store_true", help="write src/htxsearch/answer/answers.json and evals/folds")
    options = parser.parse_args()
    data = [question for folder in options.folders for question in training_questions(folder, options.keep)]
    counts = question_counts(data)
    predictions, models = left_out(data, counts, [str(question.fold) for question in data])
    if options.write:
        write_folds(FOLDS, predictions, models, counts)
    confidence = fit_confidence(predictions, counts)
    figures = {"folds": report("folds", predictions, confidence)}
    if options.without_it:
        without, _ = left_out(data, counts, [question.set for question in data])
        figures["without it"] = report("without it", without, confidence)
    model = fit_model(data, data, counts)
    if options.write:
        about = "The answer model of `htxsearch ask`, written by scripts/train_answers.py."
        sizes = {folder.resolve().name: left_out_questions(folder) for folder in options.folders}
        stored = {
            "about": about,
            "trained_on": counts,
            "left_out": {name: size for name, size in sizes.items() if size},
            "measured": figures,
            **model.to_json(confidence),
        }
        write_model(MODEL, stored)


def left_out_questions(folder: Path) -> int:
    """Return the number of judged questions of a set that training does not read."""
    judged = read_judged_set(folder, ROOT / "corpus")
    return sum(not judged.left_out.isdisjoint(documents) for documents in judged.qrels.values())


if __name__ == "__main__":
    main()
