"""Syllables and numbers as spans into a text.

The only tokenizer of index and query. The token is the Vietnamese *syllable* (âm tiết): the unit between blanks.
`text[start:end]` is the text as written, composed or decomposed; only `term` is normalised.

A comma groups thousands where an amount of money follows it: 75,000 đồng has the term of 75.000 đồng, since no money has three
decimals. Without the money the comma stays a decimal comma, as `normalize` has it.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, chain
from typing import NamedTuple

from htxsearch.text.normalize import index_term
from htxsearch.text.patterns import late_pattern

__all__ = ["Token", "has_tokens", "piece_tokens", "pieces", "terms", "tokens", "with_dots"]

# Numbers keep their dots and commas (1.264, 240,2); letters may be decomposed (U+0300–U+036F).
# A unit glued to a number is a token of its own (30kg → 30, kg); H5N1 and A4 stay whole, and so do a generation (9X) and a
# code of digits, one to three letters and four digits or more (1D0013246A).
_TOKEN = re.compile(r"\d+(?:[xX](?![^\W_])|[A-Za-z]{1,3}\d{4}[A-Za-z\d]*|(?:[.,]\d+)*)|[^\W\d_](?:[^\W_]|[\u0300-\u036f])*")
_MONEY = late_pattern(
    r"(?<![\d.,])[1-9]\d{0,2},\d{3}(?=\s?(?:đồng|đo\u0302\u0300ng|[đ₫]|vn[dđ]|usd|eur|euro)(?![^\W_]|[\u0300-\u036f]))"
    r"|(?<=[$€])[1-9]\d{0,2},\d{3}(?![\d.,])",
    re.IGNORECASE,
)
_GROUPED = re.compile(r",\d{3}")
"""What any of `_MONEY` holds: a text without it, as most are, is ruled out ten times as fast."""

_LONGEST_KEPT = 32
_KEPT_PIECES = 1 << 14
"""What stands between two blanks is mostly a syllable of some thousand, now and then with a sign: 400 bytes each, 6 MB."""


class Token(NamedTuple):
    """One syllable or number: `text[start:end]` as written, `term` as indexed."""

    start: int
    end: int
    term: str


@lru_cache(maxsize=4)  # indexing an article takes its title and body apart several times
def tokens(text: str) -> tuple[Token, ...]:
    """Return the syllables and numbers of `text` in order of their start.

    They never overlap.
    """
    parts = pieces(text)
    places = accumulate([len(part) + 1 for part in parts], initial=0)
    new = tuple.__new__  # saves a Python call for each token, a third of the time
    return tuple(
        [
            new(Token, (at + start, at + end, term))
            for at, of_part in zip(places, piece_tokens(parts), strict=False)
            for start, end, term in of_part
        ]
    )


def with_dots(text: str) -> str:
    """Return a text with a dot for each comma that groups the thousands of money.

    75,000 đồng becomes 75.000 đồng; no length changes.
    """
    if "," not in text or not _GROUPED.search(text):
        return text
    return _MONEY().sub(lambda match: match[0].replace(",", "."), text)


def has_tokens(text: str) -> bool:
    """Return True if `text` has any syllable or number."""
    return _TOKEN.search(text) is not None


def terms(text: str) -> list[str]:
    """Return the terms of `tokens(text)`, several times faster."""
    return [token.term for token in chain.from_iterable(piece_tokens(pieces(text)))]


def pieces(text: str) -> list[str]:
    """Return the pieces of `text` between blanks, with the dots of `with_dots`.

    Each blank (U+0020) parts two: a piece starts one character behind the end of the piece before. No token has a blank in it.
    """
    return with_dots(text).split(" ")


def piece_tokens(parts: Sequence[str]) -> Iterable[tuple[Token, ...]]:
    """Return the tokens of each piece of a text, counted from the piece's start."""
    if len(max(parts, key=len)) <= _LONGEST_KEPT:
        return map(_kept_tokens, parts)
    return [_kept_tokens(part) if len(part) <= _LONGEST_KEPT else _cut(part) for part in parts]


def _cut(text: str) -> tuple[Token, ...]:
    return tuple([tuple.__new__(Token, (*match.span(), index_term(match[0]))) for match in _TOKEN.finditer(text)])


_kept_tokens = lru_cache(maxsize=_KEPT_PIECES)(_cut)
