"""The articles nearest to a text, by TF-IDF over syllables, words and names.

Each article's counts are made once, when it is indexed, and kept as a small vector; their idf is weighed by scikit-learn when a
run commits (`indexing.feature_weights`). Asking reads both with numpy, so adding ten articles refits nothing.

The house style of reports (phát triển, đẩy mạnh, kinh tế tập thể) fills most of a text and says
little of its subject; names say most. For this reason names of two or more syllables are a feature of their own, and
a feature of every article weighs half of scikit-learn's least idf. Measured by `python benches/related.py`. Which of the
nearest are related at all is for `relatedness` to say.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from htxsearch.indexing.feature_vectors import NAME, NAMESPACE_BITS, WORD, feature_hash
from htxsearch.indexing.feature_weights import FeatureWeights, damped, fitted

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]
    Hashes = npt.NDArray[np.uint32]

__all__ = ["FarSimilarity", "Neighbour", "Similarity", "VectorsWith"]

_ASKED_FEATURES, _CANDIDATES = 100, 400
"""The heaviest features of a text by which candidates are found, and candidates. Of 3,600 news articles the candidates have
.99 of the ten nearest ones, and .93 of the forty."""
_CHUNK = 1 << 18
"""Features that are looked up at once."""
_PLACES = 6
"""Similarities are compared to so many places; they are kept in single precision."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An article near a text, and how near.

    All but `common` are in [0, 1]. `similarity` is the cosine of their weighted vectors; `subject` is the cosine without names,
    `words` that of words and `names` that of names alone. In `rare`, a cosine without names, the weight of a term is
    multiplied once more by its idf above the least one. `opening` is the cosine without names of the text's opening and the
    article, and `common` that of the article and the mean of all, 1 for an average article: the more house style an article
    has, the nearer it is to every other one.
    """

    article_id: str
    similarity: float
    subject: float
    words: float = 0.0
    names: float = 0.0
    rare: float = 0.0
    common: float = 0.0
    opening: float = 0.0


class _TextWeights(NamedTuple):
    """The features of a text, by their columns, with their weights.

    `at_entries` are the weights at the columns of the entries of other texts.
    """

    features: "npt.NDArray[np.int32]"
    weights: "npt.NDArray[np.float64]"
    at_entries: "npt.NDArray[np.float64]"


VectorsWith = Callable[[Mapping[int, float], int], Iterable[tuple[str, bytes]]]
"""Returns the ids and vectors of so many articles, those whose features have the greatest sum of weights."""


class Similarity:
    """The weighted vectors of all articles, by feature, and their counts by article.

    Building it reads counts and their idf; it reads no text.
    """

    def __init__(
        self,
        vectors: Iterable[tuple[str, bytes]],
        weights: FeatureWeights | None = None,
        *,
        elsewhere: "Hashes | None" = None,
    ) -> None:
        """`vectors` are (article id, what `feature_vector` returned).

        Without `weights` these are computed. If the vectors are not those of all articles, `elsewhere` are features that other
        articles have; then the mean of all articles is that of the weights.
        """
        import numpy as np

        self._ids: list[str] = []
        sizes: list[int] = []
        packed_hashes, packed_counts = bytearray(), bytearray()  # no list of arrays: it would be as large once more
        given = list(vectors) if weights is None else vectors
        self._idf = weights or fitted(packed for _, packed in given)
        for article_id, packed in given:
            size = len(packed) // 6
            self._ids.append(article_id)
            sizes.append(size)
            packed_hashes += packed[: 4 * size]
            packed_counts += packed[4 * size :]
        hashes, counts = np.frombuffer(packed_hashes, np.uint32), np.frombuffer(packed_counts, np.uint16)
        self._are_all = elsewhere is None
        self._features = np.unique(hashes if elsewhere is None else np.concatenate([hashes, elsewhere]))
        columns = np.empty(len(hashes), np.int32)
        for start in range(0, len(hashes), _CHUNK):
            columns[start : start + _CHUNK] = np.searchsorted(self._features, hashes[start : start + _CHUNK])
        rows = np.repeat(np.arange(len(self._ids), dtype=np.int32), sizes)
        self._weights = self.weights(self._features)
        values = damped(counts) * self._weights[columns]
        names = self._features >> NAMESPACE_BITS == NAME
        squares = values * values
        self._lengths = _lengths(rows, squares, len(self._ids))
        self._subject_lengths = _lengths(rows, np.where(names[columns], np.float32(0), squares), len(self._ids))
        self._columns, self._counts = columns, counts
        self._row_starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.intp)])
        by_feature = np.argsort(columns, kind="stable")
        self._rows, self._values = rows[by_feature], values[by_feature]
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=len(self._features)))])
        self._rank = np.empty(len(self._ids), np.int32)
        self._rank[sorted(range(len(self._ids)), key=self._ids.__getitem__)] = np.arange(len(self._ids))

    def weights(self, hashes: "Hashes") -> "Floats":
        """Return the weight of one occurrence of each feature."""
        return self._idf.weights(hashes)

    def idf(self, features: Sequence[tuple[int, str]]) -> list[float]:
        """Return the idf of features, as `indexing.feature_vectors` names them."""
        return _idf_of(self._idf, features)

    def nearest(
        self, packed: bytes, *, limit: int, leave_out: str | None = None, opening: bytes | None = None
    ) -> list[Neighbour]:
        """Return up to `limit` articles near a text by falling similarity, ties by id.

        `packed` is the feature vector of the text, `opening` that of its opening, by default the whole.
        """
        import numpy as np

        hashes, mine = self._of(packed)
        if not len(hashes):
            return []
        is_subject = hashes >> NAMESPACE_BITS != NAME
        rows, shares, first_name = self._shared(hashes, mine)
        articles = len(self._ids)
        of_all = np.bincount(rows, shares, articles)
        of_subject = of_all - np.bincount(rows[first_name:], shares[first_name:], articles)
        length, subject_length = float(np.sqrt((mine**2).sum())), float(np.sqrt((mine[is_subject] ** 2).sum()))
        similarity = of_all / (self._lengths * length)
        subject = of_subject / (self._subject_lengths * max(subject_length, 1e-9))
        last = float(np.partition(similarity, -limit - 1)[-limit - 1]) if limit < articles else 0.0
        near = np.flatnonzero(similarity > max(last - 10**-_PLACES, 0.0))
        ordered = near[np.lexsort((self._rank[near], -similarity[near].round(_PLACES)))][: limit + 1]
        ordered = np.array([row for row in ordered.tolist() if self._ids[row] != leave_out][:limit], np.intp)
        cosines = [np.minimum(cosine[ordered], 1.0) for cosine in (similarity, subject)]
        values = np.stack([*cosines, *self._kinds(ordered, packed, opening or packed)], axis=1)
        return [Neighbour(self._ids[row], *of_row) for row, of_row in zip(ordered.tolist(), values.tolist(), strict=True)]

    def _kinds(self, chosen: "npt.NDArray[np.intp]", packed: bytes, opening: bytes) -> "tuple[npt.NDArray[np.float64], ...]":
        """Return the cosines of a text and articles by kinds of features.

        They are of words, of names, of rare terms, of the mean of all articles, and of the text's opening.
        """
        import numpy as np

        starts = self._row_starts[chosen]
        sizes = self._row_starts[chosen + 1] - starts
        places = np.repeat(np.arange(len(chosen)), sizes)
        entries = _runs(starts, sizes)
        features = self._columns[entries]
        theirs = (damped(self._counts[entries]) * self._weights[features]).astype(np.float64)
        whole, first = self._text_weights(packed, features), self._text_weights(opening, features)

        def cosine(
            asked: _TextWeights, factor: "Callable[[npt.NDArray[np.int32]], npt.NDArray[Any]]"
        ) -> "npt.NDArray[np.float64]":
            own, weighed = asked.weights * factor(asked.features), factor(features)
            products = np.bincount(places, theirs * weighed * (asked.at_entries * weighed), len(chosen))
            squares = np.bincount(places, (theirs * weighed) ** 2, len(chosen)) * (own**2).sum()
            cosines: npt.NDArray[np.float64] = np.minimum(products / np.sqrt(np.maximum(squares, 1e-18)), 1.0)
            return cosines

        def kind(columns: "npt.NDArray[np.int32]") -> "npt.NDArray[Any]":
            return self._features[columns] >> NAMESPACE_BITS

        mean = theirs * self._mean[features]
        common = np.bincount(places, mean, len(chosen)) / (self._subject_lengths[chosen] * self._average)
        return (
            cosine(whole, lambda columns: kind(columns) == WORD),
            cosine(whole, lambda columns: kind(columns) == NAME),
            cosine(whole, self._rarity.take),
            common,
            cosine(first, lambda columns: kind(columns) != NAME),
        )

    def _text_weights(self, packed: bytes, entries: "npt.NDArray[np.int32]") -> "_TextWeights":
        """Return the features of a text that some article has, and their weights.

        The weights are given at the features `entries`, too.
        """
        import numpy as np

        hashes, weighed = self._of(packed)
        weights = weighed.astype(np.float64)
        features = np.searchsorted(self._features, hashes).astype(np.int32)
        if not len(features):
            return _TextWeights(features, weights, np.zeros(len(entries)))
        at = np.minimum(np.searchsorted(features, entries), len(features) - 1)
        return _TextWeights(features, weights, np.where(features[at] == entries, weights[at], 0.0))

    @cached_property
    def _average(self) -> float:
        """The mean of the cosines of all articles and their mean."""
        return max(float((self._mean**2).sum()) if self._are_all else self._idf.mean_square, 1e-9)

    @cached_property
    def _rarity(self) -> "npt.NDArray[np.float64]":
        """The idf of each feature above the least one, 0 for a name."""
        import numpy as np

        above = np.maximum(self._idf.of(self._features).astype(np.float64) - 1.0, 0.0)
        return np.where(self._features >> NAMESPACE_BITS == NAME, 0.0, above)

    @cached_property
    def _mean(self) -> "npt.NDArray[np.float64]":
        """The mean of all articles' vectors of length 1 without names; it has no names."""
        import numpy as np

        shares = self._values / self._subject_lengths[self._rows]
        ends = np.concatenate([[0.0], np.cumsum(shares)])
        articles = len(self._ids) if self._are_all else self._idf.articles
        mean: npt.NDArray[np.float64] = np.diff(ends[self._starts]) / max(articles, 1)
        if self._idf.mean is not None and not self._are_all:  # what the weights do not know is of a single article
            at, is_known = self._idf.places(self._features)
            mean[is_known] = self._idf.mean[at[is_known]]
        return np.where(self._features >> NAMESPACE_BITS == NAME, 0.0, mean)

    def _shared(self, hashes: "Hashes", mine: "Floats") -> "tuple[npt.NDArray[np.int32], npt.NDArray[np.float64], int]":
        """Return every article that has one of a text's features, feature by feature.

        It is given by its row, with the product of the feature's weights. Last is where names begin: their hashes are the
        greatest. Runs are copied whole: to gather a million entries one by one takes five times as long.
        """
        import numpy as np

        at = np.searchsorted(self._features, hashes)
        starts, ends = self._starts[at], self._starts[at + 1]
        runs = list(map(slice, starts.tolist(), ends.tolist()))
        shares = np.concatenate([self._values[run] for run in runs]).astype(np.float64)
        shares *= np.repeat(mine.astype(np.float64), ends - starts)
        first_name = int(np.searchsorted(hashes, NAME << NAMESPACE_BITS))
        return np.concatenate([self._rows[run] for run in runs]), shares, int((ends - starts)[:first_name].sum())

    def _of(self, packed: bytes) -> "tuple[Hashes, Floats]":
        """Return the features of a text that some article has, and their weights."""
        import numpy as np

        size = len(packed) // 6
        hashes, counts = np.frombuffer(packed, np.uint32, size), np.frombuffer(packed, np.uint16, size, 4 * size)
        if not len(self._features):
            return hashes[:0], damped(counts[:0])
        at = np.searchsorted(self._features, hashes)  # np.isin would sort the features of all articles
        known = self._features[np.minimum(at, len(self._features) - 1)] == hashes
        return hashes[known], damped(counts[known]) * self.weights(hashes[known])


class FarSimilarity:
    """Compares a text with articles of an engine that is far away.

    Its vectors are too many to read. It finds candidates by the heaviest features of a text; their vectors are then compared
    exactly.
    """

    def __init__(self, vectors_with: VectorsWith, weights: FeatureWeights) -> None:
        self._vectors_with = vectors_with
        self._weights = weights

    def weights(self, hashes: "Hashes") -> "Floats":
        """Return the weight of one occurrence of each feature."""
        return self._weights.weights(hashes)

    def idf(self, features: Sequence[tuple[int, str]]) -> list[float]:
        """Return the idf of features, as `indexing.feature_vectors` names them."""
        return _idf_of(self._weights, features)

    def nearest(
        self, packed: bytes, *, limit: int, leave_out: str | None = None, opening: bytes | None = None
    ) -> list[Neighbour]:
        """Return up to `limit` articles near a text, as `Similarity` does."""
        import numpy as np

        size = len(packed) // 6
        hashes, counts = np.frombuffer(packed, np.uint32, size), np.frombuffer(packed, np.uint16, size, 4 * size)
        of_one = self._weights.weights(hashes)
        boosts = damped(counts) * of_one * of_one
        heaviest = np.argsort(-boosts, kind="stable")[:_ASKED_FEATURES]
        asked = dict(zip(hashes[heaviest].tolist(), boosts[heaviest].tolist(), strict=True))
        candidates = self._vectors_with(asked, _CANDIDATES) if asked else ()
        near = Similarity(candidates, self._weights, elsewhere=hashes[self._weights.places(hashes)[1]])
        return near.nearest(packed, limit=limit, leave_out=leave_out, opening=opening)


def _idf_of(weights: FeatureWeights, features: Sequence[tuple[int, str]]) -> list[float]:
    """Return the idf of features, as `indexing.feature_vectors` names them."""
    import numpy as np

    idf: list[float] = weights.of(np.array([feature_hash(feature) for feature in features], np.uint32)).tolist()
    return idf


def _runs(starts: "npt.NDArray[np.intp]", sizes: "npt.NDArray[np.intp]") -> "npt.NDArray[np.intp]":
    """Return the numbers of several runs, one run behind the other."""
    import numpy as np

    found: npt.NDArray[np.intp] = np.arange(sizes.sum()) + np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
    return found


def _lengths(rows: "npt.NDArray[np.int32]", squares: "Floats", articles: int) -> "npt.NDArray[np.float64]":
    """Return the length of each article's vector, never 0."""
    import numpy as np

    return np.sqrt(np.maximum(np.bincount(rows, squares, articles), 1e-18))
