"""The feature vector of an article: its counts of syllables, words and names.

It serves TF-IDF similarity. It is made once, when the article is indexed; `search.related` weighs it with the
collection's idf.
"""

import zlib
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from htxsearch.text.normalize import canonical_spelling
from htxsearch.text.tokens import tokens

if TYPE_CHECKING:
    from htxsearch.text.analysis import Terms

__all__ = ["NAME", "NAMESPACE_BITS", "SYLLABLE", "WORD", "feature_hash", "feature_vector", "features"]

SYLLABLE, WORD, NAME = range(3)
NAMESPACE_BITS = 30
_TITLE_COUNTS = 3
"""How many occurrences in the text each term of the title counts for."""


def features(title: str, body: str, terms: Sequence["Terms"]) -> Counter[tuple[int, str]]:
    """Count an article's features; `terms` are the title's, then every passage's."""
    counts: Counter[tuple[int, str]] = Counter()
    for number, part in enumerate(terms):
        times = _TITLE_COUNTS if number == 0 else 1
        for syllable, count in Counter(part.syllables).items():
            counts[SYLLABLE, canonical_spelling(syllable)] += count * times
        for word, count in Counter(part.words).items():
            counts[WORD, " ".join(map(canonical_spelling, word.split("_")))] += count * times
    for text, times in ((title, _TITLE_COUNTS), (body, 1)):
        for name in _names(text):
            counts[NAME, name] += times
    return counts


def _names(text: str) -> list[str]:
    """Return the runs of two or more capitalised syllables.

    They are in lower case and normal form.
    """
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
            run.append(canonical_spelling(token.term))
        end = token.end
    found.append(run)
    return [" ".join(name) for name in found if len(name) > 1]


def feature_hash(feature: tuple[int, str]) -> int:
    """Return the number of a feature.

    Its top bits are the feature's namespace, the others a hash of its term.
    """
    namespace, term = feature
    return namespace << NAMESPACE_BITS | zlib.crc32(term.encode()) & ((1 << NAMESPACE_BITS) - 1)


def feature_vector(title: str, body: str, terms: Sequence["Terms"]) -> bytes:
    """Return an article's feature counts as bytes.

    Sorted uint32 hashes are followed by uint16 counts.
    """
    import numpy as np

    hashed: Counter[int] = Counter()
    for feature, count in features(title, body, terms).items():
        hashed[feature_hash(feature)] += count
    ordered = sorted(hashed.items())
    hashes = np.array([h for h, _ in ordered], np.uint32)
    counts = np.array([min(count, 65_535) for _, count in ordered], np.uint16)
    return hashes.tobytes() + counts.tobytes()
