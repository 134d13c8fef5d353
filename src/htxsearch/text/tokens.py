"""Syllables and numbers as spans into a text.

The only tokenizer of index and query. The token is the Vietnamese *syllable* (âm tiết): the unit between blanks.
`text[start:end]` is the text as written, composed or decomposed; only `term` is normalised. Short, for one rule
needs no more, and a module of its own, for every other one of this room starts from it.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from htxsearch.text.normalize import index_term

__all__ = ["Token", "has_tokens", "terms", "token_spans", "tokens"]

# Numbers keep their dots and commas (1.264, 240,2); letters may be decomposed (U+0300–U+036F).
# A unit glued to a number is a token of its own (30kg → 30, kg); H5N1 and A4 stay whole.
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_](?:[^\W_]|[\u0300-\u036f])*")


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
    # tuple.__new__ saves a Python call for each token, a third of the time.
    return tuple([tuple.__new__(Token, (*match.span(), index_term(match[0]))) for match in _TOKEN.finditer(text)])


def has_tokens(text: str) -> bool:
    """Return True if `text` has any syllable or number."""
    return _TOKEN.search(text) is not None


def terms(text: str) -> list[str]:
    """Return the terms of `tokens(text)`, several times faster."""
    return list(map(index_term, _TOKEN.findall(text)))


def token_spans(text: str) -> list[tuple[int, int]]:
    """Return start and end of each of `tokens(text)`, twice as fast."""
    return [match.span() for match in _TOKEN.finditer(text)]
