"""The idf of the features of all articles, by scikit-learn when an index is made.

It is a blob of the commit, so that asking for related articles needs numpy alone. Features of a single article are not
stored: their idf is that of one article. In a large collection a few articles change no idf that matters; then the old weights
stay until a share of the articles has changed.
"""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Thread
from typing import TYPE_CHECKING, Any

from htxsearch.engine.contract import Engine
from htxsearch.indexing.feature_vectors import NAME, NAMESPACE_BITS, SYLLABLE, WORD

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = [
    "MOST_VECTORS",
    "FeatureWeights",
    "WeightsOfRun",
    "damped",
    "fitted",
    "read_feature_weights",
    "refitted",
    "updated",
]

MOST_VECTORS = 10_000
"""Articles of an engine that is far away whose vectors are all read, 20 MB once a commit; of more, only those of candidates."""

_BLOB = "feature-weights"
_FEATURE_WEIGHTS = {SYLLABLE: 1.0, WORD: 0.5, NAME: 1.0}
_TF_POWER = 0.85
_IDF_SHIFT = -0.5
"""Chosen on judged articles; docs/decisions/009 has the figures. The shift costs nothing there and sets house style apart."""
_SMALL = 2_000
"""A collection of so many articles is weighed again by every run that changes it: it takes a fraction of a second."""
_STALE_SHARE = 0.02
"""Share of a larger collection that may change before it is weighed again; ln(1.02) is .02 of an idf of 1 to 10."""


@dataclass(frozen=True, slots=True)
class FeatureWeights:
    """The idf of every feature of two articles or more, by its hash.

    `hashes` (features,) uint32 are sorted, `idf` is (features,) float32. `articles` were weighed, `changed` came or went since.
    `mean` (features,) float32 is the mean of all articles' vectors of length 1 without names, `mean_square` its squared length
    with the features of single articles, too; None in a small collection, and in an index of an older program.
    """

    hashes: "npt.NDArray[np.uint32]"
    idf: "npt.NDArray[np.float32]"
    articles: int
    changed: int = 0
    mean: "npt.NDArray[np.float32] | None" = None
    mean_square: float = 0.0

    def of(self, hashes: "npt.NDArray[np.uint32]") -> "npt.NDArray[np.float32]":
        """Return the idf of features; one that is not known is that of a single article."""
        import numpy as np

        rare = np.float32(math.log((1 + self.articles) / 2) + 1) if self.articles else np.float32(1)
        if not len(self.hashes):
            return np.full(len(hashes), rare, np.float32)
        at, is_known = self.places(hashes)
        return np.where(is_known, self.idf[at], rare)

    def places(self, hashes: "npt.NDArray[np.uint32]") -> "tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]":
        """Return where each feature is among `hashes`, and whether it is."""
        import numpy as np

        if not len(self.hashes):
            return np.zeros(len(hashes), np.intp), np.zeros(len(hashes), np.bool_)
        at = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return at, self.hashes[at] == hashes

    def weights(self, hashes: "npt.NDArray[np.uint32]") -> "npt.NDArray[np.float32]":
        """Return the weight of one occurrence of each feature."""
        import numpy as np

        factors = np.array([_FEATURE_WEIGHTS[name] for name in sorted(_FEATURE_WEIGHTS)], np.float32)
        weights: npt.NDArray[np.float32] = (self.of(hashes) + np.float32(_IDF_SHIFT)) * factors[hashes >> NAMESPACE_BITS]
        return weights

    def to_bytes(self) -> bytes:
        """Return the weights as a blob: a line of JSON, the hashes, their idf, the mean."""
        header: dict[str, object] = {"articles": self.articles, "changed": self.changed, "features": len(self.hashes)}
        if self.mean is not None:
            header["mean_square"] = self.mean_square
        mean = b"" if self.mean is None else self.mean.tobytes()
        return json.dumps(header).encode() + b"\n" + self.hashes.tobytes() + self.idf.tobytes() + mean


def damped(counts: "npt.NDArray[np.uint16]") -> "npt.NDArray[np.float32]":
    """Return the weight of some occurrences of a feature, as a multiple of one's."""
    import numpy as np

    weights: npt.NDArray[np.float32] = np.power(counts, np.float32(_TF_POWER), dtype=np.float32)
    return weights


def fitted(vectors: Iterable[bytes]) -> FeatureWeights:
    """Return the weights of a collection.

    They are scikit-learn's smoothed idf, ln((1 + articles) / (1 + articles with it)) + 1.
    """
    import numpy as np
    from scipy.sparse import csr_matrix

    features, occurrences, ends = _features(vectors)
    hashes, columns, times = np.unique(features, return_inverse=True, return_counts=True)
    if not len(hashes):
        return FeatureWeights(hashes, np.zeros(0, np.float32), len(ends) - 1)
    counts = csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape=(len(ends) - 1, len(hashes)))
    idf = _transformer()(norm=None).fit(counts).idf_.astype(np.float32)
    return _with_mean(FeatureWeights(hashes[times > 1], idf[times > 1], len(ends) - 1), features, occurrences, ends)


def _transformer() -> Any:
    from sklearn.feature_extraction.text import TfidfTransformer

    return TfidfTransformer


def refitted(vectors: Iterable[bytes]) -> FeatureWeights:
    """Return the weights that `fitted` returns, without scikit-learn.

    Importing it takes most of the time of a run that changes a single article.
    """
    import numpy as np

    features, occurrences, ends = _features(vectors)
    hashes, times = np.unique(features, return_counts=True)
    hashes, times = hashes[times > 1], times[times > 1]
    idf = np.log(np.float32(len(ends)) / (times.astype(np.float32) + np.float32(1))) + np.float32(1)
    return _with_mean(FeatureWeights(hashes, idf, len(ends) - 1), features, occurrences, ends)


def _features(vectors: Iterable[bytes]) -> "tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint16], list[int]]":
    """Return the hashes of all features, their counts, and where each article ends."""
    import numpy as np

    packed, counts, ends = bytearray(), bytearray(), [0]
    for vector in vectors:
        size = len(vector) // 6
        packed += vector[: 4 * size]
        counts += vector[4 * size :]
        ends.append(ends[-1] + size)
    return np.frombuffer(bytes(packed), np.uint32), np.frombuffer(bytes(counts), np.uint16), ends


def _with_mean(
    known: FeatureWeights, features: "npt.NDArray[np.uint32]", counts: "npt.NDArray[np.uint16]", ends: Sequence[int]
) -> FeatureWeights:
    """Return weights with the mean of all articles, unless the collection is small."""
    import numpy as np

    articles = len(ends) - 1
    if articles <= MOST_VECTORS:
        return known
    hashes, columns = np.unique(features, return_inverse=True)
    values = damped(counts) * np.where(hashes >> NAMESPACE_BITS == NAME, 0, known.weights(hashes))[columns]
    rows = np.repeat(np.arange(articles), np.diff(ends))
    lengths = np.sqrt(np.maximum(np.bincount(rows, values * values, articles), 1e-18))
    mean = np.bincount(columns, values / lengths[rows], len(hashes)) / articles
    at, is_known = known.places(hashes)
    means = np.zeros(len(known.hashes), np.float32)
    means[at[is_known]] = mean[is_known]
    return replace(known, mean=means, mean_square=float((mean**2).sum()))


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
    mean = np.frombuffer(arrays, np.float32, size, 8 * size) if "mean_square" in stored else None
    return FeatureWeights(hashes, idf, stored["articles"], stored["changed"], mean, stored.get("mean_square", 0.0))


def updated(known: FeatureWeights | None, changed: int, vectors: Iterable[bytes]) -> dict[str, bytes]:
    """Return the blob of a commit by which a run ends.

    `changed` articles came or went since `known` was stored; `vectors` are those of all articles and are read only if needed.
    """
    if known is not None and known.articles > _SMALL and known.changed + changed <= _STALE_SHARE * known.articles:
        weights = replace(known, changed=known.changed + changed)
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

    def prepare(self) -> None:
        """Import scikit-learn beside other work, if the weights will be made by it.

        That takes .7 s, which workers would otherwise wait for at the end. An error comes again where it is needed.
        """
        if self._known is None:
            Thread(target=_transformer, name="scikit-learn", daemon=True).start()

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
