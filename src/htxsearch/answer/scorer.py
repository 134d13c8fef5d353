"""Which span is the answer: sentences scored first, then the candidates of the best few, by what `answers.json` has learnt.

A sentence's score is a weighted sum of its features. A candidate's is the token F1 with the right answer that
it can be expected to have: the sum of small regression trees (J. Friedman, "Greedy Function Approximation", 2001). The
confidence is the chance that the answer stands in the sentence chosen. `scripts/train_answers.py` writes the file.
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
from htxsearch.answer.question import Asking
from htxsearch.answer.reading import SENTENCE_FEATURES, Found, Sentence, read_passages
from htxsearch.rank import Question

__all__ = [
    "CONFIDENCE_FEATURES",
    "SENTENCES",
    "Choice",
    "Learnt",
    "choices",
    "confidence_features",
    "learnt_answers",
    "rows_of",
]

SENTENCES = 5
"""How many sentences are looked through for the span."""

_FROM_SENTENCE = ("passage", "content", "of_kind_new", "numbers", "capitals", "local", "pairs")
CONFIDENCE_FEATURES = (
    *(
        "score",
        "margin",
        "sentence_margin",
        "passage_first",
        "content",
        "with_title",
        "with_neighbours",
        "numbers",
        "capitals",
        "local",
    ),
    *("pairs", "uncovered_rare", "of_kind", "of_kind_new", "kind_none", "date_fits", "exact", "skip", "date_against"),
)
_Floats = NDArray[np.float64]


class Choice(NamedTuple):
    """A span chosen in one sentence, `passage.text[start:end]`, with the sentence, its expected F1 and the confidence."""

    passage: int
    start: int
    end: int
    sentence: Sentence
    score: float
    confidence: float


class Learnt:
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

        self._base: float = stored["base"]
        self._feature = padded("feature", -1).astype(np.int64).ravel()
        self._threshold = padded("threshold", 0.0).astype(np.float64).ravel()
        self._left, self._right = (padded(name, 0).astype(np.int64) for name in ("left", "right"))
        self._value = padded("value", 0.0).astype(np.float64).ravel()
        self._roots = np.arange(len(trees)) * size
        self._left = (self._left + self._roots[:, np.newaxis]).ravel()
        self._right = (self._right + self._roots[:, np.newaxis]).ravel()
        self._depth = int(stored["depth"])

    def expected(self, rows: _Floats) -> _Floats:
        """Return the expected F1 of each row of features."""
        at = np.tile(self._roots, (len(rows), 1))
        row = np.arange(len(rows))[:, np.newaxis]
        for _ in range(self._depth):
            feature = self._feature[at]
            inner = feature >= 0
            value = rows[row, np.maximum(feature, 0)]
            at = np.where(inner, np.where(value <= self._threshold[at], self._left[at], self._right[at]), at)
        found: _Floats = self._base + self._value[at].sum(axis=1)
        return found

    def chance(self, features: Sequence[float]) -> float:
        """Return the confidence: a logistic function of the weighted features."""
        weights = (self.confidence[name] for name in CONFIDENCE_FEATURES)
        total = self.confidence["constant"] + sum(w * x for w, x in zip(weights, features, strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


@cache
def learnt_answers() -> Learnt:
    """Return what `scripts/train_answers.py` has written."""
    return Learnt(json.loads(resources.files("htxsearch.answer").joinpath("answers.json").read_text("utf-8")))


def rows_of(sentence: Sentence, columns: Columns, behind: float, rank: int, names: Sequence[str]) -> _Floats:
    """Return the rows of a sentence's candidates: `columns`, and what is known of the sentence.

    `behind` is the sentence's score less the best sentence's, `rank` its place among them.
    """
    size = len(next(iter(columns.values())))
    every = dict(columns)
    every["sentence"], every["rank"] = np.full(size, behind), np.full(size, float(rank))
    for name in _FROM_SENTENCE:
        every[f"s_{name}"] = np.full(size, sentence.features[SENTENCE_FEATURES.index(name)])
    return np.column_stack([every[name] for name in names]) if names else np.column_stack(list(every.values()))


def confidence_features(sentence: Sentence, score: float, runner_up: float, behind: float, exact: float) -> list[float]:
    """Return what the confidence in a span is learnt from, in the order of CONFIDENCE_FEATURES."""
    of = dict(zip(SENTENCE_FEATURES, sentence.features, strict=True))
    own = {
        "score": score,
        "margin": score - runner_up,
        "sentence_margin": behind,
        "passage_first": of["first"],
        "exact": exact,
        "date_against": float(of["date_fits"] < 0),
    }
    return [own[name] if name in own else of[name] for name in CONFIDENCE_FEATURES]


def choices(question: Question, asking: Asking, passages: Sequence[Found], learnt: Learnt | None = None) -> list[Choice]:
    """Return the best span of each of the best sentences, the best first."""
    learnt = learnt or learnt_answers()
    sentences = read_passages(question, asking, passages)
    if not sentences:
        return []
    scores = np.array([sentence.features for sentence in sentences]) @ learnt.sentence
    order = np.argsort(-scores, kind="stable")[:SENTENCES]
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
    passages: Sequence[Found],
    learnt: Learnt,
    spans: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
    rows: Sequence[_Floats],
    owner: Sequence[int],
) -> list[Choice]:
    expected = np.split(learnt.expected(np.concatenate(rows)), np.cumsum([len(one) for one in rows])[:-1])
    best = [int(np.argmax(values)) for values in expected]
    tops = [float(values[at]) for values, at in zip(expected, best, strict=True)]
    exact = learnt.columns.index("exact")
    found = []
    for place, at in enumerate(owner):
        others = [top for other, top in enumerate(tops) if other != place]
        sentence, top = sentences[at], best[place]
        behind = (
            float(scores[at] - max(scores[other] for other in range(len(scores)) if other != at)) if len(scores) > 1 else 1.0
        )
        features = confidence_features(sentence, tops[place], max(others, default=0.0), behind, float(rows[place][top, exact]))
        start, end = _letters(passages[sentence.passage].text, sentence, int(spans[place][0][top]), int(spans[place][1][top]))
        found.append(Choice(sentence.passage, start, end, sentence, tops[place], learnt.chance(features)))
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
