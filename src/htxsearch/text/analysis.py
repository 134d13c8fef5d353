"""From a text to the terms an index stores: what every search starts from.

Syllables are the ground: each one is a term, so nothing the segmenter does can make a syllable
unfindable. Words stand beside them as a signal: underthesea's words of two or more syllables,
document numbers, and every run that spells a known abbreviation's long form.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from htxsearch.text.abbreviations import COMMON, long_form_terms
from htxsearch.text.normalize import normal
from htxsearch.text.numbers import document_numbers
from htxsearch.text.sentences import Span, sentences
from htxsearch.text.tokens import Token, tokens
from htxsearch.text.words import words

__all__ = ["ANALYSIS_VERSION", "IS_CAPITAL", "IS_NUMBER", "STARTS_SENTENCE", "Terms", "analyse"]

ANALYSIS_VERSION = 1
"""Raised whenever the same text gives other terms; an index of another version must be rebuilt."""

STARTS_SENTENCE, IS_CAPITAL, IS_NUMBER = 1, 2, 4

_LONG_FORMS = frozenset(tuple(map(normal, long_form_terms(long))) for long in COMMON.values())
_LONG_FORM_LENGTHS = sorted({len(form) for form in _LONG_FORMS})


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one span: syllables in order (a phrase is a run of them), words in order.

    `flags` has a byte for every syllable: the sum of STARTS_SENTENCE, IS_CAPITAL and IS_NUMBER where they hold.
    """

    syllables: tuple[str, ...]
    words: tuple[str, ...]
    flags: bytes = b""


def analyse(text: str, spans: Sequence[Span]) -> list[Terms]:
    """Return the terms of each span of NFC `text`, in the order given.

    The text is segmented once, whole lines at a time, so a word is the same whatever the spans;
    a word that reaches over a span's end is left out of both.
    """
    found = tokens(text)
    multi = sorted({*_segmented(text, found), *_numbers(text), *_long_forms(text, found)})
    starts = {sentence.start for sentence in sentences(text)}
    return [
        Terms(
            tuple(token.term for token in _within(span, found)),
            tuple(token.term for token in _within(span, multi)),
            _flags(text, _within(span, found), starts),
        )
        for span in spans
    ]


def _within(span: Span, ordered: list[Token]) -> list[Token]:
    """Return the tokens, ordered by start, that lie inside the span."""
    first = bisect_left(ordered, span.start, key=lambda token: token.start)
    last = bisect_left(ordered, span.end, key=lambda token: token.start)
    return [token for token in ordered[first:last] if token.end <= span.end]


def _flags(text: str, found: Sequence[Token], starts: set[int]) -> bytes:
    """Return each token's flags; the first token at or behind a sentence's start starts it."""
    flags = bytearray()
    end = found[0].start if found else 0
    for number, token in enumerate(found):
        between = range(end, token.start + 1)
        begins = number == 0 or any(at in starts for at in between)
        first = text[token.start]
        flags.append(STARTS_SENTENCE * begins + IS_CAPITAL * first.isupper() + IS_NUMBER * first.isdigit())
        end = token.end
    return bytes(flags)


def _segmented(text: str, found: list[Token]) -> Iterable[Token]:
    """Yield underthesea's words of two syllables or more; the term joins them with "_"."""
    at = 0
    for word in words(text):
        while at < len(found) and found[at].start < word.start:
            at += 1
        first = at
        while at < len(found) and found[at].end <= word.end:
            at += 1
        if at - first > 1:
            yield _join(found[first:at])


def _numbers(text: str) -> Iterable[Token]:
    return (Token(number.start, number.end, number.term) for number in document_numbers(text))


def _long_forms(text: str, found: list[Token]) -> Iterable[Token]:
    """Yield every run that spells a common abbreviation's long form, whatever the segmenter made of it.

    Only blanks stand between its syllables: "đã hợp tác. Xã …" is none.
    """
    terms = [normal(token.term) for token in found]
    joined = [text[one.end : other.start].isspace() for one, other in pairwise(found)]
    for start in range(len(found)):
        for length in _LONG_FORM_LENGTHS:
            if tuple(terms[start : start + length]) in _LONG_FORMS and all(joined[start : start + length - 1]):
                yield _join(found[start : start + length])


def _join(run: Sequence[Token]) -> Token:
    return Token(run[0].start, run[-1].end, "_".join(token.term for token in run))
