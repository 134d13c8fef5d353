"""From a text to the terms an index stores: what every search starts from.

Syllables are the ground: each one is a term, so nothing the segmenter does can make a syllable
unfindable. Words stand beside them as a signal: underthesea's words of two or more syllables,
document numbers, and every run that spells a known abbreviation's long form.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from htxsearch.text.abbreviations import COMMON, long_form_terms
from htxsearch.text.document_numbers import document_numbers
from htxsearch.text.normalize import normal
from htxsearch.text.sentences import Span, sentences
from htxsearch.text.tokens import Token, tokens
from htxsearch.text.words import words

__all__ = ["ANALYSIS_VERSION", "IS_CAPITAL", "IS_JOINED", "IS_NUMBER", "STARTS_SENTENCE", "Terms", "analyse"]

ANALYSIS_VERSION = 1
"""Raised whenever the same text gives other terms; an index of another version must be rebuilt."""

STARTS_SENTENCE, IS_CAPITAL, IS_NUMBER, IS_JOINED = 1, 2, 4, 8

_LONG_FORMS = frozenset(tuple(map(normal, long_form_terms(long))) for long in COMMON.values())
_LONG_FORM_BEGINNINGS = frozenset(form[0] for form in _LONG_FORMS)
_LONG_FORM_LENGTHS = sorted({len(form) for form in _LONG_FORMS})


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one span: syllables in order (a phrase is a run of them), words in order.

    `flags` has a byte for every syllable: the sum of STARTS_SENTENCE, IS_CAPITAL, IS_NUMBER and IS_JOINED (it
    continues the segmenter's word) where they hold.
    """

    syllables: tuple[str, ...]
    words: tuple[str, ...]
    flags: bytes = b""


def analyse(text: str, spans: Sequence[Span], *, flags: bytes | None = None) -> list[Terms]:
    """Return the terms of each span of NFC `text`, in the order given.

    The text is segmented once, whole lines at a time, so a word is the same whatever the spans;
    a word that reaches over a span's end is left out of both. With the `flags` of all its syllables, as an
    earlier analysis gave them, the words are those of then, and the segmenter is not needed.
    """
    found = tokens(text)
    is_known = flags is not None and len(flags) == len(found)
    segmented = list(_joined(found, flags or b"") if is_known else _segmented(text, found))
    multi = sorted({*segmented, *_numbers(text), *_long_forms(text, found)})
    starts, ends = [token.start for token in found], [token.end for token in found]
    of_text = _flags(text, found)
    for word in segmented:
        for at in range(bisect_right(starts, word.start), bisect_left(starts, word.end)):
            of_text[at] |= IS_JOINED
    analysed = []
    for span in spans:
        first, last = bisect_left(starts, span.start), bisect_right(ends, span.end)
        of_span = bytearray(of_text[first:last])
        if of_span:
            of_span[0] |= STARTS_SENTENCE
        syllables = tuple([token.term for token in found[first:last]])
        analysed.append(Terms(syllables, tuple(token.term for token in _within(span, multi)), bytes(of_span)))
    return analysed


def _within(span: Span, ordered: list[Token]) -> list[Token]:
    """Return the tokens, ordered by start, that lie inside the span."""
    first = bisect_left(ordered, span.start, key=lambda token: token.start)
    last = bisect_left(ordered, span.end, key=lambda token: token.start)
    return [token for token in ordered[first:last] if token.end <= span.end]


def _flags(text: str, found: Sequence[Token]) -> bytearray:
    """Return each token's flags; the first token at or behind a sentence's start starts it."""
    flags = bytearray()
    for token in found:
        first = text[token.start]
        flags.append(IS_CAPITAL * first.isupper() + IS_NUMBER * first.isdigit())
    starts = [token.start for token in found]
    for sentence in sentences(text):
        at = bisect_left(starts, sentence.start)
        if at < len(flags):
            flags[at] |= STARTS_SENTENCE
    return flags


def _segmented(text: str, found: Sequence[Token]) -> Iterable[Token]:
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


def _joined(found: Sequence[Token], flags: bytes) -> Iterable[Token]:
    """Yield the words that flags tell of."""
    begins = [at for at, flag in enumerate(flags) if not flag & IS_JOINED]
    for first, end in pairwise([*begins, len(found)]):
        if end - first > 1:
            yield _join(found[first:end])


def _numbers(text: str) -> Iterable[Token]:
    return (Token(number.start, number.end, number.term) for number in document_numbers(text))


def _long_forms(text: str, found: Sequence[Token]) -> Iterable[Token]:
    """Yield every run that spells a common abbreviation's long form, whatever the segmenter made of it.

    Only blanks stand between its syllables: "đã hợp tác. Xã …" is none.
    """
    terms = tuple([normal(token.term) for token in found])
    for start, term in enumerate(terms):
        if term in _LONG_FORM_BEGINNINGS:
            for length in _LONG_FORM_LENGTHS:
                if terms[start : start + length] in _LONG_FORMS:
                    run = found[start : start + length]
                    if all(text[one.end : other.start].isspace() for one, other in pairwise(run)):
                        yield _join(run)


def _join(run: Sequence[Token]) -> Token:
    return Token(run[0].start, run[-1].end, "_".join(token.term for token in run))
