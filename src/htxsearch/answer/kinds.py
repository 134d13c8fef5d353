"""The kind of answer that a question asks for, by a linear model over its words.

The model has learnt from the judged questions of `evals/`, each typed with diacritics, without them, and as a short query
(`scripts/train_kinds.py`). Its features are runs of one to three words, with diacritics and folded, hashed into a table of
weights. Runs around an interrogative count once more: what is asked for stands beside it. A query may also ask nothing (chè
Thái Nguyên). Of a short one without an interrogative the kinds know little: whether it asks anything is learnt apart, from runs
of words of articles, too.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from htxsearch.text.abbreviations import COMMON
from htxsearch.text.normalize import canonical_spelling, folded_form, has_diacritics, nfc, strip_diacritics
from htxsearch.text.stopwords import is_interrogative

__all__ = ["BUCKETS", "COLUMNS", "Kind", "asks_something", "buckets_of", "kind_of", "shortened"]

Kind = Literal[
    "number",
    "money",
    "percent",
    "date",
    "person",
    "organisation",
    "place",
    "document",
    "definition",
    "reason",
    "manner",
    "list",
    "yesno",
    "thing",
]
COLUMNS: tuple[Kind | None, ...] = (*get_args(Kind), None)
"""The kind of each column of the table of weights; None if nothing is asked.

A last column, behind these, is above 0 if something is asked.
"""

BUCKETS = 1 << 15
"""Rows of the table of weights."""
_LONGEST_RUN = 3
"""Words of the longest run."""
_BEFORE, _BEHIND = 3, 2
"""Words before and behind an interrogative that belong to what is asked."""
_MANY_WORDS = 12
"""Words from which on questions are alike in length."""
_LONGEST_QUESTION = 60
"""Words of a question that are looked at."""
_WORD = re.compile(r"[^\W\d_]{1,30}|\d{1,30}|[%?]")


def kind_of(question: str) -> Kind | None:
    """Return the kind of answer that a question asks for, None if it asks nothing."""
    totals = _weights()[buckets_of(question)].sum(axis=0, dtype=np.int64)
    return COLUMNS[int(np.argmax(totals[:-1]))]


def asks_something(query: str) -> bool:
    """Return True if a query without an interrogative asks for something.

    "giám đốc HTX Đồi Xanh" does, "chè Đồi Xanh" does not.
    """
    return int(_weights()[buckets_of(shortened(query)), -1].sum(dtype=np.int64)) > 0


def shortened(query: str) -> str:
    """Return a query in lower case with the common abbreviations for their long forms.

    Questions are typed with them, articles are not written so: nothing is asked by that.
    """
    pattern, short = _long_forms()
    return pattern.sub(lambda found: short[found[0]], nfc(query).lower())


@cache
def _long_forms() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return a pattern of long forms, and the abbreviation of each.

    They are there with diacritics and without.
    """
    short = {form: name.lower() for name, long in COMMON.items() for form in (long.lower(), strip_diacritics(long.lower()))}
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(short, key=len, reverse=True)))})\b"), short


def buckets_of(question: str) -> list[int]:
    """Return the rows of the table that a question's features are hashed to.

    Each row is there once, in ascending order. The last row is in every question: its weights are the model's intercepts.
    Figures are alike.
    """
    words = _WORD.findall(nfc(question).lower())[:_LONGEST_QUESTION]
    found = {zlib.crc32(feature.encode()) % (BUCKETS - 1) for feature in _features(words)}
    return [*sorted(found), BUCKETS - 1]


def _features(words: Sequence[str]) -> Iterator[str]:
    """Yield runs of words, folded and, if any has diacritics, as spelled.

    "^" and "$" stand for the ends.
    """
    plain = ["#" if word[0].isdigit() else word for word in words]
    folded = ["^", *map(folded_form, plain), "$"]
    yield from _runs("folded", folded)
    if any(map(has_diacritics, plain)):
        yield from _runs("spelled", ["^", *map(canonical_spelling, plain), "$"])
    for place, word in enumerate(words, 1):
        if is_interrogative(word):
            for start in range(max(0, place - _BEFORE), place + 1):
                for end in range(place + 1, min(len(folded), place + 1 + _BEHIND) + 1):
                    yield f"asks {' '.join(folded[start:end])}"
    yield f"words {min(len(words), _MANY_WORDS)}"


def _runs(name: str, words: Sequence[str]) -> Iterator[str]:
    for size in range(1, _LONGEST_RUN + 1):
        for start in range(len(words) - size + 1):
            yield f"{name} {' '.join(words[start : start + size])}"


@cache
def _weights() -> NDArray[np.int8]:
    """Return the weights, (buckets, columns + 1) int8.

    `scripts/train_kinds.py` has written them.
    """
    with resources.as_file(resources.files("htxsearch.answer").joinpath("question_kinds.npy")) as path:
        weights: NDArray[np.int8] = np.load(path, allow_pickle=False)
    return weights
