"""Articles like a given one: TF-IDF by scikit-learn over syllables, words and names, with the reasons.

Each article's counts are made once, when it is indexed, and kept as a small vector; asking reads the
vectors and weighs them with the collection's idf, so taking in ten articles refits nothing.

The house style of reports (phát triển, đẩy mạnh, kinh tế tập thể) fills most of a text and says
little of its subject; names say most. So names of two or more syllables are a feature of their own, and
what stands in every article weighs half of scikit-learn's least idf. Measured by `python benches/related.py`.
"""

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from htxsearch.text.fillers import is_filler
from htxsearch.text.normalize import normal
from htxsearch.text.tokens import tokens

if TYPE_CHECKING:
    import numpy as np
    from scipy.sparse import csr_matrix

    from htxsearch.text.analysis import Terms

__all__ = ["Neighbour", "Similarity", "vector"]

_SYLLABLE, _WORD, _NAME = range(3)
_NAMESPACE_BITS = 30
_TITLE_COUNTS = 3
"""A title's terms count as if they stood this often in the text."""

_FEATURE_WEIGHTS = {_SYLLABLE: 1.0, _WORD: 0.5, _NAME: 1.0}
_TF_POWER = 0.85
_IDF_SHIFT = -0.5
"""Chosen on judged articles; docs/decisions.md has the figures. The shift costs nothing there and sets house style apart."""

_CONSIDERED_TERMS = 60
_SHOWN_TERMS = 8


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An article near the one asked about: cosine of their weighted vectors, and what they share."""

    article_id: str
    score: float
    terms: tuple[str, ...]


def _features(title: str, body: str, terms: Sequence["Terms"]) -> Counter[tuple[int, str]]:
    """Count an article's features; `terms` are the title's, then every passage's."""
    counts: Counter[tuple[int, str]] = Counter()
    for number, part in enumerate(terms):
        times = _TITLE_COUNTS if number == 0 else 1
        for syllable, count in Counter(part.syllables).items():
            counts[_SYLLABLE, normal(syllable)] += count * times
        for word, count in Counter(part.words).items():
            counts[_WORD, " ".join(map(normal, word.split("_")))] += count * times
    for text, times in ((title, _TITLE_COUNTS), (body, 1)):
        for name in _names(text):
            counts[_NAME, name] += times
    return counts


def _names(text: str) -> list[str]:
    """Return the runs of two or more capitalised syllables, in lower case and normal form."""
    found = []
    run: list[str] = []
    end = -2
    for token in tokens(text):
        written = text[token.start : token.end]
        adjacent = token.start == end + 1 and text[end] in " \u00a0"
        if run and not (adjacent and written[0].isupper()):
            found.append(run)
            run = []
        if written[0].isupper():
            run.append(normal(token.term))
        end = token.end
    found.append(run)
    return [" ".join(name) for name in found if len(name) > 1]


def _hash(feature: tuple[int, str]) -> int:
    namespace, term = feature
    return namespace << _NAMESPACE_BITS | zlib.crc32(term.encode()) & ((1 << _NAMESPACE_BITS) - 1)


def vector(title: str, body: str, terms: Sequence["Terms"]) -> bytes:
    """Return an article's feature counts as bytes: sorted uint32 hashes, then uint16 counts."""
    import numpy as np

    hashed: Counter[int] = Counter()
    for feature, count in _features(title, body, terms).items():
        hashed[_hash(feature)] += count
    ordered = sorted(hashed.items())
    hashes = np.array([h for h, _ in ordered], np.uint32)
    counts = np.array([min(count, 65_535) for _, count in ordered], np.uint16)
    return hashes.tobytes() + counts.tobytes()


def _unpack(packed: bytes) -> "tuple[np.ndarray, np.ndarray]":
    import numpy as np

    size = len(packed) // 6
    return np.frombuffer(packed, np.uint32, size), np.frombuffer(packed, np.uint16, size, 4 * size)


class Similarity:
    """All articles' weighted vectors. Building it reads the counts and computes their idf, no text."""

    def __init__(self, vectors: Sequence[tuple[str, bytes]]) -> None:
        """`vectors` are (article id, what `vector` returned)."""
        import numpy as np
        from sklearn.feature_extraction.text import TfidfTransformer

        self._ids = [article_id for article_id, _ in vectors]
        unpacked = [_unpack(packed) for _, packed in vectors]
        hashes = np.concatenate([h for h, _ in unpacked]) if unpacked else np.empty(0, np.uint32)
        self._columns = np.unique(hashes)
        counts = self._matrix(unpacked)
        if self._ids:
            self._tfidf = TfidfTransformer(norm=None).fit(counts)
            self._tfidf.idf_ = self._tfidf.idf_ + _IDF_SHIFT
            self._rows = self._weigh(counts)

    def _matrix(self, unpacked: "Sequence[tuple[np.ndarray, np.ndarray]]") -> "csr_matrix":
        """Return damped counts, a row an article, a column a known feature; unknown features are left out."""
        import numpy as np
        from scipy.sparse import csr_matrix

        columns, counts, ends = [], [], [0]
        for hashes, number in unpacked:
            at = np.searchsorted(self._columns, hashes)
            known = at < len(self._columns)
            known[known] = self._columns[at[known]] == hashes[known]
            columns.append(at[known])
            counts.append(number[known] ** _TF_POWER)
            ends.append(ends[-1] + int(known.sum()))
        flat = (np.concatenate(counts), np.concatenate(columns)) if columns else (np.empty(0), np.empty(0, np.int64))
        return csr_matrix((*flat, np.array(ends)), shape=(len(unpacked), len(self._columns)))

    def _weigh(self, counts: "csr_matrix") -> "csr_matrix":
        import numpy as np
        from scipy.sparse import diags
        from sklearn.preprocessing import normalize

        namespaces = self._columns >> _NAMESPACE_BITS
        factors = np.array([_FEATURE_WEIGHTS[name] for name in sorted(_FEATURE_WEIGHTS)])[namespaces]
        return normalize(self._tfidf.transform(counts) @ diags(factors)).tocsr()

    def nearest(
        self, title: str, body: str, terms: Sequence["Terms"], *, limit: int, leave_out: str | None = None
    ) -> list[Neighbour]:
        """Return up to `limit` articles by falling similarity, ties by id; none that shares only fillers.

        Each comes with up to eight shared terms, the ones that contribute most first.
        """
        import numpy as np

        if not self._ids:
            return []
        mine = self._weigh(self._matrix([_unpack(vector(title, body, terms))]))
        scores = np.asarray((self._rows @ mine.T).todense()).ravel()
        names = {_hash(feature): feature for feature in _features(title, body, terms)}
        written = {normal(syllable): syllable for part in terms for syllable in reversed(part.syllables)}
        order = sorted(np.flatnonzero(scores > 0).tolist(), key=lambda at: (-round(float(scores[at]), 9), self._ids[at]))
        found: list[Neighbour] = []
        for at in order:
            if len(found) == limit:
                break
            if self._ids[at] != leave_out and (shared := self._shared(mine, at, names)):
                shown = tuple(" ".join(written.get(part, part) for part in term.split()) for term in shared)
                found.append(Neighbour(self._ids[at], float(scores[at]), shown))
        return found

    def _shared(self, mine: "csr_matrix", at: int, names: dict[int, tuple[int, str]]) -> tuple[str, ...]:
        """Return the shared terms by what they and the shorter terms inside them contribute, no term inside another."""
        shared = mine.multiply(self._rows[at]).tocsr()
        shares: dict[str, float] = {}
        for share, column in zip(shared.data, shared.indices, strict=True):
            term = names[int(self._columns[column])][1]
            if not all(is_filler(part) for part in term.split()):
                shares[term] = shares.get(term, 0.0) + float(share)
        telling = sorted(shares, key=lambda term: (-shares[term], term))[:_CONSIDERED_TERMS]
        whole = {term: shares[term] for term in telling if not any(_inside(term, other) for other in telling)}
        for term in whole:
            whole[term] += sum(shares[other] for other in telling if _inside(other, term))
        return tuple(sorted(whole, key=lambda term: (-whole[term], term))[:_SHOWN_TERMS])


def _inside(term: str, other: str) -> bool:
    return term != other and f" {term} " in f" {other} "
