"""Score every passage for every query by BM25.

The tokens are those of the engines, the formula is that of `engine.bm25`.
Uses no engine, so that the answers of an engine can be compared with it.
"""

from collections.abc import Sequence
from typing import Any

from htxsearch.engine.bm25 import idf, length_norm, tf_part
from htxsearch.evaluate.bench.collection import BenchCollection

__all__ = ["TOP", "Answer", "Exhaustive"]

TOP = 10
_TOLERANCE = 1e-6

Answer = Sequence[tuple[int, float]]
"""Passages and their scores, best first."""


class Exhaustive:
    """The scores of a collection's first `size` passages, for any of its queries."""

    def __init__(self, collection: BenchCollection, size: int) -> None:
        import numpy as np

        offsets = np.frombuffer(collection.offsets, np.int64)[: size + 1]
        flat = np.frombuffer(collection.tokens, np.int32)[: offsets[-1]].astype(np.int64)
        lengths = np.diff(offsets)
        pairs, counts = np.unique(flat * size + np.repeat(np.arange(size), lengths), return_counts=True)
        self._size = size
        self._terms, self._passages = np.divmod(pairs, size)
        self._parts = tf_part(counts.astype(np.float64), length_norm(lengths[self._passages], lengths.mean()))

    def scores(self, query: Sequence[int]) -> Any:
        """Return the score of every passage, (passages,) float64."""
        import numpy as np

        total = np.zeros(self._size)
        for term in query:
            first, last = np.searchsorted(self._terms, [term, term + 1])
            frequency = int(last - first)
            total[self._passages[first:last]] += idf(frequency, self._size) * self._parts[first:last]
        return total

    def top(self, query: Sequence[int]) -> Answer:
        """Return the best ten passages with a score, ties by number."""
        import numpy as np

        scores = self.scores(query)
        order = np.lexsort((np.arange(self._size), -scores.round(9)))[:TOP]
        return [(int(one), float(scores[one])) for one in order if scores[one] > 0]

    def disagreement(self, query: Sequence[int], answer: Answer) -> str | None:
        """Return how an answer differs from the exhaustive one, or None.

        Passages of equal score may change places.
        """
        scores, best = self.scores(query), self.top(query)
        if len(answer) != len({passage for passage, _ in answer}):
            return "a passage is there twice"
        if len(answer) != len(best):
            return f"{len(answer)} passages instead of {len(best)}"
        for rank, ((passage, score), (wanted, wanted_score)) in enumerate(zip(answer, best, strict=True), start=1):
            if abs(score - scores[passage]) > _TOLERANCE:
                return f"passage {passage} at rank {rank} has score {score:.6f} instead of {scores[passage]:.6f}"
            if abs(score - wanted_score) > _TOLERANCE:
                return f"passage {passage} ({score:.6f}) at rank {rank} instead of {wanted} ({wanted_score:.6f})"
        return None

    def overlap(self, query: Sequence[int], answer: Answer) -> float:
        """Return the share of the exhaustive top ten that an answer holds.

        A passage that ties with the last belongs to it.
        """
        best = self.top(query)
        if not best:
            return 1.0
        scores, last = self.scores(query), best[-1][1] - _TOLERANCE
        held = {passage for passage, _ in answer[:TOP] if scores[passage] >= last}
        return min(len(held), len(best)) / len(best)
