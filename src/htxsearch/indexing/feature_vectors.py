"""The feature vector of an article: its counts of syllables, words and names.

It serves TF-IDF similarity. It is made once, when the article is indexed; `search.related` weighs it with the
collection's idf.
"""

import zlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, repeat
from typing import TYPE_CHECKING

from htxsearch.text.normalize import canonical_spelling
from htxsearch.text.tokens import tokens

if TYPE_CHECKING:
    from htxsearch.text.analysis import Terms

__all__ = ["NAME", "NAMESPACE_BITS", "SYLLABLE", "WORD", "feature_counts", "feature_hash", "feature_vector"]

SYLLABLE, WORD, NAME = range(3)
NAMESPACE_BITS = 30
_TITLE_COUNTS = 3
"""How many occurrences in the text each term of the title counts for."""


def feature_counts(title: str, body: str, terms: Sequence["Terms"]) -> Counter[int]:
    """Count an article's features by their hashes.

    `terms` are the title's, then every passage's.
    """
    weighed = [*chain.from_iterable(repeat(terms[:1], _TITLE_COUNTS)), *terms[1:]]
    counts = Counter(map(_syllable_hash, chain.from_iterable(part.syllables for part in weighed)))
    counts.update(map(_word_hash, chain.from_iterable(part.words for part in weighed)))
    counts.update(feature_hash((NAME, name)) for name in [*_names(title) * _TITLE_COUNTS, *_names(body)])
    return counts


@lru_cache(maxsize=1 << 15)
def _syllable_hash(syllable: str) -> int:
    return feature_hash((SYLLABLE, canonical_spelling(syllable)))


@lru_cache(maxsize=1 << 15)
def _word_hash(word: str) -> int:
    return feature_hash((WORD, " ".join(map(canonical_spelling, word.split("_")))))


def _names(text: str) -> list[str]:
    """Return the runs of two or more capitalised syllables.

    They are in lower case and normal form.
    """
    found = []
    run: list[str] = []
    end = -2
    for start, token_end, term in [token for token in tokens(text) if text[token.start].isupper()]:
        if run and not (start == end + 1 and text[end] in " \u00a0"):
            found.append(run)
            run = []
        run.append(canonical_spelling(term))
        end = token_end
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

    counted = feature_counts(title, body, terms)
    hashes = np.fromiter(counted.keys(), np.uint32, len(counted))
    counts = np.fromiter(counted.values(), np.int64, len(counted))
    order = np.argsort(hashes)
    return hashes[order].tobytes() + np.minimum(counts, 65_535).astype(np.uint16)[order].tobytes()
