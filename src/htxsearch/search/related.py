"""Related articles: TF-IDF by scikit-learn over syllables, words and names.

The shared terms are given as the reasons. Each article's counts are made once, when it is indexed, and kept as a
small vector; asking reads the vectors and weighs them with the collection's idf, so adding ten articles refits nothing.

The house style of reports (phát triển, đẩy mạnh, kinh tế tập thể) fills most of a text and says
little of its subject; names say most. For this reason names of two or more syllables are a feature of their own, and
a feature of every article weighs half of scikit-learn's least idf. Measured by `python benches/related.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from htxsearch.indexing.feature_vectors import NAME, NAMESPACE_BITS, SYLLABLE, WORD, feature_hash, feature_vector, features
from htxsearch.text.normalize import canonical_spelling
from htxsearch.text.stopwords import is_stop_word

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from scipy.sparse import csr_matrix

    from htxsearch.text.analysis import Terms

__all__ = ["Neighbour", "Similarity"]

_FEATURE_WEIGHTS = {SYLLABLE: 1.0, WORD: 0.5, NAME: 1.0}
_TF_POWER = 0.85
_IDF_SHIFT = -0.5
"""Chosen on judged articles; docs/decisions/009 has the figures. The shift costs nothing there and sets house style apart."""

_CHUNK = 1 << 18
"""Features that are looked up at once."""
_PLACES = 6
"""Similarities are compared to so many places; they are kept in single precision."""
_CONSIDERED_TERMS = 60
_SHOWN_TERMS = 8


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An article near the one asked about: its similarity, and the terms they share.

    The similarity is the cosine of their weighted vectors.
    """

    article_id: str
    score: float
    terms: tuple[str, ...]


class Similarity:
    """The weighted vectors of all articles, kept by feature.

    Building it reads the counts and computes their idf; it reads no text.
    """

    def __init__(self, vectors: Iterable[tuple[str, bytes]]) -> None:
        """`vectors` are (article id, what `feature_vector` returned)."""
        import numpy as np
        from sklearn.feature_extraction.text import TfidfTransformer

        self._ids: list[str] = []
        ends = [0]
        packed_hashes, packed_counts = bytearray(), bytearray()  # no list of arrays: it would be as large once more
        for article_id, packed in vectors:
            size = len(packed) // 6
            self._ids.append(article_id)
            ends.append(ends[-1] + size)
            packed_hashes += packed[: 4 * size]
            packed_counts += packed[4 * size :]
        self._features = np.unique(np.frombuffer(packed_hashes, np.uint32))
        columns = self._columns(np.frombuffer(packed_hashes, np.uint32))
        del packed_hashes
        counts = self._matrix(columns, np.frombuffer(packed_counts, np.uint16), ends)
        del packed_counts, columns
        if len(self._features):
            self._rank = np.empty(len(self._ids), np.int32)
            self._rank[sorted(range(len(self._ids)), key=self._ids.__getitem__)] = np.arange(len(self._ids))
            self._tfidf = TfidfTransformer(norm=None).fit(counts)
            factors = np.array([_FEATURE_WEIGHTS[name] for name in sorted(_FEATURE_WEIGHTS)])
            idf = (self._tfidf.idf_ + _IDF_SHIFT) * factors[self._features >> NAMESPACE_BITS]
            self._tfidf.idf_ = idf.astype(np.float32)
            self._weights = self._weigh(counts).tocsc()

    def _columns(self, hashes: "npt.NDArray[np.uint32]") -> "npt.NDArray[np.int32]":
        """Return the columns of features, all of which are known."""
        import numpy as np

        columns = np.empty(len(hashes), np.int32)
        for start in range(0, len(hashes), _CHUNK):
            columns[start : start + _CHUNK] = np.searchsorted(self._features, hashes[start : start + _CHUNK])
        return columns

    def _matrix(self, columns: "npt.NDArray[np.int32]", counts: "npt.NDArray[np.uint16]", ends: Sequence[int]) -> "csr_matrix":
        """Return damped counts, a row an article, a column a known feature."""
        import numpy as np
        from scipy.sparse import csr_matrix

        damped = np.power(counts, np.float32(_TF_POWER), dtype=np.float32)
        return csr_matrix((damped, columns, np.array(ends, np.int32)), shape=(len(ends) - 1, len(self._features)))

    def _weigh(self, counts: "csr_matrix") -> "csr_matrix":
        """Return counts in place as weights, rows of length 1."""
        from sklearn.preprocessing import normalize

        return normalize(self._tfidf.transform(counts, copy=False), copy=False)

    def nearest(
        self, title: str, body: str, terms: Sequence["Terms"], *, limit: int, leave_out: str | None = None
    ) -> list[Neighbour]:
        """Return up to `limit` articles by falling similarity, ties by id.

        No article that shares only stop words is returned. Each comes with up to eight shared terms, those that contribute
        most first.
        """
        import numpy as np

        if not len(self._features):
            return []
        mine = self._of(title, body, terms)
        by_feature = self._weights[:, mine.indices]
        by_feature.data *= np.repeat(mine.data, np.diff(by_feature.indptr))
        parts = by_feature.tocsr()
        scores = parts @ np.ones(len(mine.indices), np.float32)
        names = {feature_hash(feature): feature for feature in features(title, body, terms)}
        of_parts = [names[number] for number in self._features[mine.indices].tolist()]
        written = {canonical_spelling(syllable): syllable for part in terms for syllable in reversed(part.syllables)}
        near = np.flatnonzero(scores > 0)
        neighbours: list[Neighbour] = []
        for row in near[np.lexsort((self._rank[near], -scores[near].round(_PLACES)))].tolist():
            if len(neighbours) == limit:
                break
            if self._ids[row] != leave_out and (shared := _shared(parts[row], of_parts)):
                shown = tuple(" ".join(written.get(part, part) for part in term.split()) for term in shared)
                neighbours.append(Neighbour(self._ids[row], min(float(scores[row]), 1.0), shown))
        return neighbours

    def _of(self, title: str, body: str, terms: Sequence["Terms"]) -> "csr_matrix":
        """Return the one row of an article's weights, of features that some article has."""
        import numpy as np

        packed = feature_vector(title, body, terms)
        size = len(packed) // 6
        hashes, counts = np.frombuffer(packed, np.uint32, size), np.frombuffer(packed, np.uint16, size, 4 * size)
        columns = np.searchsorted(self._features, hashes)
        known = columns < len(self._features)
        known[known] = self._features[columns[known]] == hashes[known]
        return self._weigh(self._matrix(self._columns(hashes[known]), counts[known], [0, int(known.sum())]))


def _shared(parts: "csr_matrix", names: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    """Return the shared terms by their contribution, no term inside another.

    A term's contribution includes that of the shorter terms inside it. `parts` is a row with the contribution of each
    feature, whose names are `names`.
    """
    shares: dict[str, float] = {}
    for share, column in zip(parts.data.tolist(), parts.indices.tolist(), strict=True):
        term = names[column][1]
        if not all(is_stop_word(part) for part in term.split()):
            shares[term] = shares.get(term, 0.0) + share
    telling = sorted(shares, key=lambda term: (-shares[term], term))[:_CONSIDERED_TERMS]
    longer = [other for other in telling if " " in other]
    whole = {term: shares[term] for term in telling if not any(_inside(term, other) for other in longer)}
    for term in whole.keys() & set(longer):
        whole[term] += sum(shares[other] for other in telling if _inside(other, term))
    return tuple(sorted(whole, key=lambda term: (-whole[term], term))[:_SHOWN_TERMS])


def _inside(term: str, other: str) -> bool:
    return len(term) < len(other) and term in other and f" {term} " in f" {other} "
