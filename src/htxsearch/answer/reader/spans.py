"""The best span of each sentence, from the logits of a reader.

One softmax over the tokens of all windows of a question gives the chance that the answer begins, or ends, at a token; the
rest of it is the chance that there is none (C. Clark and M. Gardner, "Simple and Effective Multi-Paragraph Reading
Comprehension", 2018: shared normalisation). The chance of a span is the product of both.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from htxsearch.answer.reader.model import ReadWindow
from htxsearch.text.sentences import Span

__all__ = ["ReadSpan", "best_spans"]

_LONGEST = 48
"""Tokens of the longest answer."""
_SPANS = 3
"""Spans of a sentence that are kept: which of its figures is meant, the reader alone cannot always say."""
_Floats = NDArray[np.float64]


class ReadSpan(NamedTuple):
    """The best span of a sentence: `text[start:end]` of a window.

    `log_chance` is the logarithm of its chance among all windows, `margin` the sum of its logits less those of no answer in its
    window. `second` is the log chance of the best other span of the sentence that has no character in common with it.
    """

    start: int
    end: int
    log_chance: float
    margin: float
    second: float


def best_spans(windows: Sequence[ReadWindow], sentences: Sequence[Sequence[Span]]) -> tuple[list[list[list[ReadSpan]]], float]:
    """Return the best spans of each sentence, and the log chance of no answer.

    `sentences` are the spans of each window's sentences in its text. The spans are by window and sentence, the best first, and
    have no character in common; a sentence without tokens has none.
    """
    starts = _log_sum([[window.no_start, *window.start] for window in windows])
    ends = _log_sum([[window.no_end, *window.end] for window in windows])
    nowhere = _log_sum([[window.no_start for window in windows]]) - starts
    nowhere = (nowhere + _log_sum([[window.no_end for window in windows]]) - ends) / 2
    best = []
    for window, own in zip(windows, sentences, strict=True):
        total, none = starts + ends, window.no_start + window.no_end
        best.append([_spans_of(window, sentence, total, none) for sentence in own])
    return best, nowhere


def _spans_of(window: ReadWindow, sentence: Span, total: float, none: float) -> list[ReadSpan]:
    """Return the best spans of a sentence.

    `total` is the logarithm of the sums that chances are of, `none` the window's logits of no answer.
    """
    inside = [n for n, (start, end) in enumerate(window.spans) if start >= sentence.start and end <= sentence.end]
    if not inside:
        return []
    first, size = inside[0], len(inside)
    start = window.start[first : first + size].astype(np.float64)
    end = window.end[first : first + size].astype(np.float64)
    sums: _Floats = start[:, np.newaxis] + end
    length = np.arange(size) - np.arange(size)[:, np.newaxis]
    sums[(length < 0) | (length >= _LONGEST)] = -np.inf
    found: list[tuple[int, int, float]] = []
    while len(found) < _SPANS and np.isfinite(value := float(sums.max())):
        low, high = divmod(int(np.argmax(sums)), size)
        found.append((low, high, value))
        sums[: high + 1, low:] = -np.inf  # all that begin before its end and end behind its beginning
    values = [value for *_, value in found]
    return [
        ReadSpan(
            window.spans[first + low][0],
            window.spans[first + high][1],
            value - total,
            value - none,
            max(values[:place] + values[place + 1 :], default=-np.inf) - total,
        )
        for place, (low, high, value) in enumerate(found)
    ]


def _log_sum(values: Sequence[Sequence[float]]) -> float:
    """Return the logarithm of the sum of the exponentials of all values."""
    every = np.concatenate([np.asarray(row, np.float64) for row in values])
    top = float(every.max())
    return top + float(np.log(np.exp(every - top).sum()))
