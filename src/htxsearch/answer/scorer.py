"""Which span is the answer: sentences scored first, then the candidates of the best few, by what `answers.json` has learnt.

A sentence's score is a weighted sum of its features. A candidate's chance to be the right answer is a softmax over
all candidates of a question, of a sum of small trees (J. Friedman, "Greedy Function Approximation", 2001; Z. Cao et al.,
"Learning to Rank: from Pairwise Approach to Listwise Approach", 2007). The one given is that of the best token F1 to be
expected under these chances: a span that many likely ones overlap (S. Kumar and W. Byrne, "Minimum Bayes-Risk Decoding",
2004). The confidence is the chance that the answer stands in the sentence chosen. `scripts/train_answers.py` writes the file.
"""

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from htxsearch.answer.candidates import Columns, candidates
from htxsearch.answer.question import FIGURES, QuestionAnalysis
from htxsearch.answer.sentences import SENTENCE_FEATURES, CandidatePassage, Sentence, read_passages
from htxsearch.search.features import QueryArrays

__all__ = [
    "CONFIDENCE_FEATURES",
    "SENTENCE_COLUMNS",
    "AnswerModel",
    "Choice",
    "answer_model",
    "choices",
    "confidence_features",
    "expected_f1",
    "rows_of",
    "sentences_read",
    "worth",
]

_SENTENCES, _SENTENCES_OF_FIGURES = 5, 10
"""How many sentences are looked through for the span; those of figures have few candidates."""
_SHARPNESS = 1.25
"""By how much the trees' sums are sharpened before the softmax."""
_TIMES_SENTENCE, _PLUS_SENTENCE = 0.5, 0.2
"""How much the sentence counts beside the span: the power of its likelihood, and what that is worth by itself."""
_LIKELY = 80
"""Candidates of a sentence, the likeliest, that expectations are made of."""

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
    """A span chosen in one sentence, `passage.text[start:end]`.

    `score` is what it is chosen by (`worth`), `fit` its expected F1 if the right answer stands in this sentence, times how
    likely the sentence is beside the best one, `confidence` the chance that it does.
    """

    passage: int
    start: int
    end: int
    sentence: Sentence
    score: float
    fit: float
    confidence: float


class AnswerModel:
    """What was learnt: weights of sentences and of the confidence, trees of the candidates."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        self.sentence = np.array([stored["sentence"].get(name, 0.0) for name in SENTENCE_FEATURES])
        self.columns: list[str] = stored["columns"]
        self.confidence: dict[str, float] = stored["confidence"]
        self.threshold: float = stored["threshold"]
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
        """Return the trees' sum for each row of features."""
        at = np.tile(self._roots, (len(rows), 1))
        row = np.arange(len(rows))[:, np.newaxis]
        for _ in range(self._depth):
            feature = self._feature[at]
            inner = feature >= 0
            value = rows[row, np.maximum(feature, 0)]
            at = np.where(inner, np.where(value <= self._threshold[at], self._left[at], self._right[at]), at)
        found: _Floats = self._value[at].sum(axis=1)
        return found

    def chance(self, features: Sequence[float]) -> float:
        """Return the confidence: a logistic function of the weighted features."""
        weights = (self.confidence[name] for name in CONFIDENCE_FEATURES)
        total = self.confidence["constant"] + sum(w * x for w, x in zip(weights, features, strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


@cache
def answer_model() -> AnswerModel:
    """Return what `scripts/train_answers.py` has written."""
    return AnswerModel(json.loads(resources.files("htxsearch.answer").joinpath("answers.json").read_text("utf-8")))


def expected_f1(sums: _Floats, spans: Sequence[tuple[_Ints, _Ints]]) -> list[_Floats]:
    """Return each candidate's expected token F1 with the right answer, by sentence.

    `sums` are the trees' sums of all candidates of a question, `spans` the first and last tokens of each sentence's. The right
    answer is one of the candidates; spans of different sentences have nothing in common.
    """
    chances = np.exp(_SHARPNESS * (sums - sums.max()))
    chances /= chances.sum()
    found, start = [], 0
    for first, last in spans:
        own = chances[start : start + len(first)]
        start += len(first)
        likely = np.argsort(-own, kind="stable")[:_LIKELY]
        common = np.minimum(last[:, np.newaxis], last[likely]) - np.maximum(first[:, np.newaxis], first[likely]) + 1
        length = last - first + 1
        found.append(2 * np.maximum(common, 0) / (length[:, np.newaxis] + length[likely]) @ own[likely])
    return found


def worth(expected: float, sentence: float) -> float:
    """Return what a span is chosen by: its expected F1, and how likely its sentence is beside the best one (at most 1)."""
    return expected * math.pow(sentence, _TIMES_SENTENCE) + _PLUS_SENTENCE * sentence


def sentences_read(asking: QuestionAnalysis) -> int:
    """Return how many sentences, the best, are looked through for the span."""
    return _SENTENCES_OF_FIGURES if asking.kind in FIGURES else _SENTENCES


def rows_of(sentence: Sentence, columns: Columns, behind: float, rank: int, names: Sequence[str]) -> _Floats:
    """Return the rows of a sentence's candidates: `columns`, and what is known of the sentence.

    `behind` is the sentence's score less the best sentence's, `rank` its place among them.
    """
    size = len(next(iter(columns.values())))
    every = dict(columns)
    every["sentence"], every["rank"] = np.full(size, behind), np.full(size, float(rank))
    for name in SENTENCE_COLUMNS:
        every[f"s_{name}"] = np.full(size, sentence.features[SENTENCE_FEATURES.index(name)])
    return np.column_stack([every[name] for name in names]) if names else np.column_stack(list(every.values()))


def confidence_features(
    sentence: Sentence, score: float, runner_up: float, behind: float, row: _Floats, columns: Sequence[str]
) -> list[float]:
    """Return what the confidence in a span is learnt from, in the order of CONFIDENCE_FEATURES; `row` is the span's."""
    of = dict(zip(SENTENCE_FEATURES, sentence.features, strict=True))
    own = {
        "score": score,
        "log_score": math.log(score + 1e-3),
        "margin": score - runner_up,
        "sentence_margin": max(-1.0, min(1.0, behind)),
        "place_against": float(of["place_fits"] < 0),
        **{name: float(row[columns.index(name)]) for name in _FROM_SPAN},
    }
    return [own[name] if name in own else of[name] for name in CONFIDENCE_FEATURES]


def choices(
    question: QueryArrays, asking: QuestionAnalysis, passages: Sequence[CandidatePassage], learnt: AnswerModel | None = None
) -> list[Choice]:
    """Return the best span of each of the best sentences, the best first."""
    learnt = learnt or answer_model()
    sentences = read_passages(question, asking, passages)
    if not sentences:
        return []
    scores = np.array([sentence.features for sentence in sentences]) @ learnt.sentence
    order = np.argsort(-scores, kind="stable")[: sentences_read(asking)]
    total = float(question.content().sum())
    spans, rows, owner = [], [], []
    for rank, at in enumerate(order.tolist()):
        sentence = sentences[at]
        first, last, columns = candidates(passages[sentence.passage].text, sentence, asking, total)
        if len(first):
            spans.append((first, last))
            rows.append(rows_of(sentence, columns, float(scores[at] - scores[order[0]]), rank, learnt.columns))
            owner.append(at)
    if not rows:
        return []
    return _chosen(sentences, scores, passages, learnt, spans, rows, owner)


def _chosen(
    sentences: Sequence[Sentence],
    scores: _Floats,
    passages: Sequence[CandidatePassage],
    learnt: AnswerModel,
    spans: Sequence[tuple[_Ints, _Ints]],
    rows: Sequence[_Floats],
    owner: Sequence[int],
) -> list[Choice]:
    sums = learnt.sums(np.concatenate(rows))
    expected = expected_f1(sums, spans)
    alone = np.split(sums, np.cumsum([len(one) for one in rows])[:-1])
    best = [int(np.argmax(values)) for values in expected]
    tops = [float(values[at]) for values, at in zip(expected, best, strict=True)]
    found = []
    for place, at in enumerate(owner):
        others = [top for other, top in enumerate(tops) if other != place]
        sentence, top = sentences[at], best[place]
        behind = (
            float(scores[at] - max(scores[other] for other in range(len(scores)) if other != at)) if len(scores) > 1 else 1.0
        )
        runner_up = max(others, default=0.0)
        features = confidence_features(sentence, tops[place], runner_up, behind, rows[place][top], learnt.columns)
        start, end = _letters(passages[sentence.passage].text, sentence, int(spans[place][0][top]), int(spans[place][1][top]))
        (within,) = expected_f1(alone[place], [spans[place]])
        likely = math.exp(scores[at] - scores.max())
        score, fit = worth(tops[place], likely), float(within[top]) * likely
        found.append(Choice(sentence.passage, start, end, sentence, score, fit, learnt.chance(features)))
    return sorted(found, key=lambda one: -one.score)


def _letters(text: str, sentence: Sentence, first: int, last: int) -> tuple[int, int]:
    """Return start and end of a run of tokens in the text, with the sign that belongs to a figure: 51,4 %, $ 3."""
    start, end = sentence.starts[first], sentence.ends[last]
    for sign in ("%", " %"):
        if text.startswith(sign, end) and text[end - 1].isdigit():
            end += len(sign)
    if start and text[start - 1] in "$€£" and text[start].isdigit():
        start -= 1
    return start, end
