"""The idf of the features of all articles, by scikit-learn when an index is made.

It is a blob of the commit, so that asking for related articles needs numpy alone. Features of a single article are not
stored: their idf is that of one article. In a large collection a few articles change no idf that matters; then the old weights
stay until a share of the articles has changed.
"""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from htxsearch.engine.contract import Engine

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["FeatureWeights", "WeightsOfRun", "fitted", "read_feature_weights", "refitted", "updated"]

_BLOB = "feature-weights"
_SMALL = 2_000
"""A collection of so many articles is weighed again by every run that changes it: it takes a fraction of a second."""
_STALE_SHARE = 0.02
"""Share of a larger collection that may change before it is weighed again; ln(1.02) is .02 of an idf of 1 to 10."""


@dataclass(frozen=True, slots=True)
class FeatureWeights:
    """The idf of every feature of two articles or more, by its hash.

    `hashes` (features,) uint32 are sorted, `idf` is (features,) float32. `articles` were weighed, `changed` came or went since.
    """

    hashes: "npt.NDArray[np.uint32]"
    idf: "npt.NDArray[np.float32]"
    articles: int
    changed: int = 0

    def of(self, hashes: "npt.NDArray[np.uint32]") -> "npt.NDArray[np.float32]":
        """Return the idf of features; one that is not known is that of a single article."""
        import numpy as np

        rare = np.float32(math.log((1 + self.articles) / 2) + 1) if self.articles else np.float32(1)
        if not len(self.hashes):
            return np.full(len(hashes), rare, np.float32)
        at = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[at] == hashes, self.idf[at], rare)

    def to_bytes(self) -> bytes:
        """Return the weights as a blob: a line of JSON, the hashes, their idf."""
        header = json.dumps({"articles": self.articles, "changed": self.changed, "features": len(self.hashes)})
        return header.encode() + b"\n" + self.hashes.tobytes() + self.idf.tobytes()


def fitted(vectors: Iterable[bytes]) -> FeatureWeights:
    """Return the weights of a collection.

    They are scikit-learn's smoothed idf, ln((1 + articles) / (1 + articles with it)) + 1.
    """
    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfTransformer

    features, ends = _features(vectors)
    hashes, columns, times = np.unique(features, return_inverse=True, return_counts=True)
    if not len(hashes):
        return FeatureWeights(hashes, np.zeros(0, np.float32), len(ends) - 1)
    counts = csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape=(len(ends) - 1, len(hashes)))
    idf = TfidfTransformer(norm=None).fit(counts).idf_.astype(np.float32)
    return FeatureWeights(hashes[times > 1], idf[times > 1], len(ends) - 1)


def refitted(vectors: Iterable[bytes]) -> FeatureWeights:
    """Return the weights that `fitted` returns, without scikit-learn.

    Importing it takes most of the time of a run that changes a single article.
    """
    import numpy as np

    features, ends = _features(vectors)
    hashes, times = np.unique(features, return_counts=True)
    hashes, times = hashes[times > 1], times[times > 1]
    idf = np.log(np.float32(len(ends)) / (times.astype(np.float32) + np.float32(1))) + np.float32(1)
    return FeatureWeights(hashes, idf, len(ends) - 1)


def _features(vectors: Iterable[bytes]) -> "tuple[npt.NDArray[np.uint32], list[int]]":
    """Return the hashes of all features, and where those of each article end."""
    import numpy as np

    packed, ends = bytearray(), [0]
    for vector in vectors:
        size = len(vector) // 6
        packed += vector[: 4 * size]
        ends.append(ends[-1] + size)
    return np.frombuffer(bytes(packed), np.uint32), ends


def read_feature_weights(engine: Engine) -> FeatureWeights | None:
    """Return the weights of the last commit.

    They are None if it has none: it is of a run under way.
    """
    import numpy as np

    blob = engine.blob(_BLOB)
    if blob is None:
        return None
    header, _, arrays = blob.partition(b"\n")
    stored = json.loads(header)
    size = stored["features"]
    hashes, idf = np.frombuffer(arrays, np.uint32, size), np.frombuffer(arrays, np.float32, size, 4 * size)
    return FeatureWeights(hashes, idf, stored["articles"], stored["changed"])


def updated(known: FeatureWeights | None, changed: int, vectors: Iterable[bytes]) -> dict[str, bytes]:
    """Return the blob of a commit by which a run ends.

    `changed` articles came or went since `known` was stored; `vectors` are those of all articles and are read only if needed.
    """
    if known is not None and known.articles > _SMALL and known.changed + changed <= _STALE_SHARE * known.articles:
        weights = FeatureWeights(known.hashes, known.idf, known.articles, known.changed + changed)
    elif known is not None and not changed:
        weights = known
    else:
        weights = fitted(vectors) if known is None else refitted(vectors)
    return {_BLOB: weights.to_bytes()}


class WeightsOfRun:
    """The vectors that a run changes, for the weights in its last commit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known = read_feature_weights(engine)
        self._changed = 0  # articles replaced or deleted
        self._unsaved: dict[str, bytes | None] = {}  # vectors that are not committed yet, None for one that is deleted

    def put(self, article_id: str, vector: bytes) -> None:
        """Note the vector of an article that is added or replaced."""
        self._unsaved[article_id] = vector
        self._changed += 1

    def drop(self, article_id: str) -> None:
        """Note that an article is deleted."""
        self._unsaved[article_id] = None
        self._changed += 1

    def blobs(self, *, is_last: bool) -> dict[str, bytes]:
        """Return the blob of the last commit; another one has none.

        The engine is about to have the vectors, so they are forgotten.
        """
        blobs = updated(self._known, self._changed, self._vectors()) if is_last else {}
        self._unsaved.clear()
        return blobs

    def _vectors(self) -> Iterator[bytes]:
        yield from (vector for article_id, vector in self._engine.vectors() if article_id not in self._unsaved)
        yield from (vector for vector in self._unsaved.values() if vector is not None)
