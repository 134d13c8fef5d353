"""The answer scorer: sentences first, then the candidates of the best few.

The model is in `answers.json`, which `scripts/train_answers.py` writes. A sentence's score is a weighted sum of
its features. A candidate's chance to be the right answer is a softmax over all candidates of a question, of a sum
of small trees (J. Friedman, "Greedy Function Approximation", 2001; Z. Cao et al., "Learning to Rank: from Pairwise
Approach to Listwise Approach", 2007). The candidate of the best expected token F1 under these chances is chosen: a
span that many likely candidates overlap (S. Kumar and W. Byrne, "Minimum Bayes-Risk Decoding", 2004). The
confidence is the chance that the answer is in the chosen sentence.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from htxsearch.answer.candidates import Columns, candidates
from htxsearch.answer.figures import with_qualifier
from htxsearch.answer.question import FIGURES, QuestionAnalysis
from htxsearch.answer.sentences import SENTENCE_FEATURES, CandidatePassage, Sentence, read_passages
from htxsearch.search.features import QueryArrays
from htxsearch.text.sentences import Span

__all__ = [
    "CONFIDENCE_FEATURES",
    "SENTENCE_COLUMNS",
    "AnswerModel",
    "Choice",
    "answer_model",
    "answering_model",
    "choices",
    "combined_score",
    "confidence_features",
    "expected_f1",
    "rows_of",
    "sentences_read",
    "stored_answer_model",
]

_SENTENCES, _SENTENCES_OF_FIGURES = 5, 10
"""Sentences whose spans are candidates; for figures more, because each has few."""
_SHARPNESS = 1.25
"""Factor of the trees' sums before the softmax (an inverse temperature)."""
_SENTENCE_POWER, _SENTENCE_SHARE = 0.5, 0.2
"""Weight of the sentence beside the span: the power of its likelihood as a factor, and its weight as a summand."""
_LIKELY = 80
"""The likeliest candidates of a sentence, over which expectations are taken."""
_WITHOUT_QUALIFIERS = ("date", "document")
"""Kinds of answers whose numbers have no bound."""
_STEEPEST = 30.0
"""Bound of the logistic function's argument."""

SENTENCE_COLUMNS = ("passage", "content", "of_kind_new", "numbers", "capitals", "local", "pairs")
_FROM_SPAN = ("exact", "fits", "length", "status_unfit", "time_unfit")
CONFIDENCE_FEATURES = (
    *("score", "log_score", "margin", "sentence_margin", "place_against"),
    *_FROM_SPAN,
    *SENTENCE_FEATURES,
)
_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


class Choice(NamedTuple):
    """The best span of a sentence: `text[start:end]` of passage number `passage`.

    `score` decides between sentences (`combined_score`). `fit` is the expected F1 if the right answer is in this sentence,
    times the sentence's likelihood relative to the best own. `confidence` is the chance that the answer is in it.
    """

    passage: int
    start: int
    end: int
    sentence: Sentence
    score: float
    fit: float
    confidence: float


class AnswerModel:
    """The learned model: weights of sentences and confidence, trees of candidates.

    `trained_on` counts the questions that it has learnt from. `left_out` counts the questions that no training read,
    by judged set.
    """

    def __init__(self, stored: Mapping[str, Any]) -> None:
        self.sentence = np.array([stored["sentence"].get(name, 0.0) for name in SENTENCE_FEATURES])
        self.columns: list[str] = stored["columns"]
        self.confidence: dict[str, float] = stored["confidence"]
        self.threshold: float = stored["threshold"]
        self.trained_on: dict[str, int] = stored.get("trained_on", {})
        self.left_out: dict[str, int] = stored.get("left_out", {})
        trees = stored["trees"]
        size = max(len(tree["feature"]) for tree in trees)

        def padded(name: str, filled: float) -> NDArray[Any]:
            return np.array([[*tree[name], *[filled] * (size - len(tree[name]))] for tree in trees])

        self._feature = padded("feature", -1).astype(np.int64).ravel()
        self._threshold = padded("threshold", 0.0).astype(np.float64).ravel()
        self._left, self._right = (padded(name, 0).astype(np.int64) for name in ("left", "right"))
        self._value = padded("value", 0.0).astype(np.float64).ravel()
        self._roots = np.arange(len(trees)) * size
        self._left = (self._left + self._roots[:, np.newaxis]).ravel()
        self._right = (self._right + self._roots[:, np.newaxis]).ravel()
        self._depth = int(stored["depth"])

    def sums(self, rows: _Floats) -> _Floats:
        """Return the trees' sum for each candidate, an array (candidates,).

        `rows` are its features (candidates, columns).
        """
        node = np.tile(self._roots, (len(rows), 1))
        row = np.arange(len(rows))[:, np.newaxis]
        for _ in range(self._depth):
            feature = self._feature[node]
            is_inner = feature >= 0
            value = rows[row, np.maximum(feature, 0)]
            child = np.where(value <= self._threshold[node], self._left[node], self._right[node])
            node = np.where(is_inner, child, node)
        sums: _Floats = self._value[node].sum(axis=1)
        return sums

    def chance(self, features: Sequence[float]) -> float:
        """Return the confidence: a logistic function of the weighted features."""
        weights = (self.confidence[name] for name in CONFIDENCE_FEATURES)
        total = self.confidence["constant"] + sum(w * x for w, x in zip(weights, features, strict=True))
        return 1 / (1 + math.exp(-max(-_STEEPEST, min(_STEEPEST, total))))


_model: ContextVar[AnswerModel | None] = ContextVar("answer model", default=None)


def answer_model() -> AnswerModel:
    """Return the model in use: the product's own outside `answering_model`."""
    return _model.get() or stored_answer_model()


@contextmanager
def answering_model(model: AnswerModel) -> Iterator[None]:
    """Answer by another model within a `with` block.

    An evaluation answers each question by a model that never saw its documents.
    """
    token = _model.set(model)
    try:
        yield
    finally:
        _model.reset(token)


@cache
def stored_answer_model() -> AnswerModel:
    """Return the model that `scripts/train_answers.py` has written."""
    return AnswerModel(json.loads(resources.files("htxsearch.answer").joinpath("answers.json").read_text("utf-8")))


def expected_f1(sums: _Floats, spans: Sequence[tuple[_Ints, _Ints]]) -> list[_Floats]:
    """Return each candidate's expected token F1 with the right answer.

    The result is an array (candidates,) per sentence. `sums` are the trees' sums of all candidates of a question,
    `spans` the first and last tokens of each sentence's candidates. The right answer is among the candidates. Spans of
    different sentences have no token in common.
    """
    chances = np.exp(_SHARPNESS * (sums - sums.max()))
    chances /= chances.sum()
    expected, start = [], 0
    for first, last in spans:
        own = chances[start : start + len(first)]
        start += len(first)
        likely = np.argsort(-own, kind="stable")[:_LIKELY]
        common = np.minimum(last[:, np.newaxis], last[likely]) - np.maximum(first[:, np.newaxis], first[likely]) + 1
        length = last - first + 1
        expected.append(2 * np.maximum(common, 0) / (length[:, np.newaxis] + length[likely]) @ own[likely])
    return expected


def combined_score(expected: float, sentence: float) -> float:
    """Return a span's score from its expected F1 and its sentence's likelihood.

    The likelihood is relative to the best sentence's (at most 1).
    """
    return expected * math.pow(sentence, _SENTENCE_POWER) + _SENTENCE_SHARE * sentence


def sentences_read(question: QuestionAnalysis) -> int:
    """Return the number of best sentences whose spans are candidates."""
    return _SENTENCES_OF_FIGURES if question.kind in FIGURES else _SENTENCES


def rows_of(sentence: Sentence, columns: Columns, behind: float, rank: int, names: Sequence[str]) -> _Floats:
    """Return the rows of features (candidates, names) of a sentence's candidates.

    A row has the candidate's `columns` and the sentence's own features. `behind` is the sentence's score less the best
    sentence's, `rank` its index in the order of scores.
    """
    size = len(next(iter(columns.values())))
    every = dict(columns)
    every["sentence"], every["rank"] = np.full(size, behind), np.full(size, float(rank))
    for name in SENTENCE_COLUMNS:
        every[f"s_{name}"] = np.full(size, sentence.features[SENTENCE_FEATURES.index(name)])
    return np.column_stack([every[name] for name in names]) if names else np.column_stack(list(every.values()))


def confidence_features(
    sentence: Sentence, score: float, runner_up: float, margin: float, row: _Floats, columns: Sequence[str]
) -> list[float]:
    """Return the features of the confidence in a span.

    They are in the order of CONFIDENCE_FEATURES. `score` is the span's expected F1, and `runner_up` the best F1 of
    another sentence. `margin` is the sentence's score less the best other sentence's. `row` holds the span's features
    in the order of `columns`.
    """
    of_sentence = dict(zip(SENTENCE_FEATURES, sentence.features, strict=True))
    own = {
        "score": score,
        "log_score": math.log(score + 1e-3),
        "margin": score - runner_up,
        "sentence_margin": max(-1.0, min(1.0, margin)),
        "place_against": float(of_sentence["place_fits"] < 0),
        **{name: float(row[columns.index(name)]) for name in _FROM_SPAN},
    }
    return [own[name] if name in own else of_sentence[name] for name in CONFIDENCE_FEATURES]


class _SentenceCandidates(NamedTuple):
    """A sentence with its candidates.

    The candidates are given by their first and last tokens and their rows of features.
    """

    sentence: Sentence
    score: float
    margin: float
    first: _Ints
    last: _Ints
    rows: _Floats


def choices(
    query: QueryArrays, question: QuestionAnalysis, passages: Sequence[CandidatePassage], model: AnswerModel | None = None
) -> list[Choice]:
    """Return the best span of each of the best sentences, best first."""
    model = model or answer_model()
    sentences = read_passages(query, question, passages)
    if not sentences:
        return []
    scores = np.array([sentence.features for sentence in sentences]) @ model.sentence
    order = np.argsort(-scores, kind="stable")[: sentences_read(question)]
    best = float(scores[order[0]])
    total = float(query.content().sum())
    scored = []
    for rank, index in enumerate(order.tolist()):
        sentence, score = sentences[index], float(scores[index])
        first, last, columns = candidates(passages[sentence.passage].text, sentence, question, total)
        if len(first):
            margin = score - float(np.max(np.delete(scores, index))) if len(scores) > 1 else 1.0
            rows = rows_of(sentence, columns, score - best, rank, model.columns)
            scored.append(_SentenceCandidates(sentence, score, margin, first, last, rows))
    return _best_spans(question, scored, best, passages, model) if scored else []


def _best_spans(
    question: QuestionAnalysis,
    scored: Sequence[_SentenceCandidates],
    best: float,
    passages: Sequence[CandidatePassage],
    model: AnswerModel,
) -> list[Choice]:
    """Return the best span of each sentence, best first.

    `best` is the best sentence's score.
    """
    sums = model.sums(np.concatenate([own.rows for own in scored]))
    expected = expected_f1(sums, [(own.first, own.last) for own in scored])
    of_sentence = np.split(sums, np.cumsum([len(own.rows) for own in scored])[:-1])
    chosen = [int(np.argmax(values)) for values in expected]
    tops = [float(values[span]) for values, span in zip(expected, chosen, strict=True)]
    chosen_spans = []
    for place, (own, span) in enumerate(zip(scored, chosen, strict=True)):
        runner_up = max((top for other, top in enumerate(tops) if other != place), default=0.0)
        features = confidence_features(own.sentence, tops[place], runner_up, own.margin, own.rows[span], model.columns)
        text = passages[own.sentence.passage].text
        start, end = _characters(text, own.sentence, int(own.first[span]), int(own.last[span]))
        if question.kind not in _WITHOUT_QUALIFIERS:
            start, end = _qualified(own.sentence, start, end, {*question.before, *question.focus, *question.behind})
        (within,) = expected_f1(of_sentence[place], [(own.first, own.last)])
        likelihood = math.exp(own.score - best)
        score, fit = combined_score(tops[place], likelihood), float(within[span]) * likelihood
        chosen_spans.append(Choice(own.sentence.passage, start, end, own.sentence, score, fit, model.chance(features)))
    return sorted(chosen_spans, key=lambda choice: -choice.score)


def _qualified(sentence: Sentence, start: int, end: int, asked: Set[str]) -> Span:
    """Return a span of a passage with its figure's qualifier.

    The model does not choose between a bound and a figure.
    """
    inside = with_qualifier(sentence.text, Span(start - sentence.start, end - sentence.start), asked)
    return Span(sentence.start + inside.start, sentence.start + inside.end)


def _characters(text: str, sentence: Sentence, first: int, last: int) -> tuple[int, int]:
    """Return start and end in `text` of a run of tokens, with a figure's sign.

    For example: 51,4 %, $ 3.
    """
    start, end = sentence.starts[first], sentence.ends[last]
    for sign in ("%", " %"):
        if text.startswith(sign, end) and text[end - 1].isdigit():
            end += len(sign)
    if start and text[start - 1] in "$€£" and text[start].isdigit():
        start -= 1
    return start, end
