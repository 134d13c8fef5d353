"""The analyser: from a text to the terms that an index stores.

Every syllable is a term, so that no error of the segmenter makes a syllable unfindable. Words are further terms
beside them: underthesea's words of two or more syllables, document numbers, and every run of syllables that is a known
abbreviation's long form.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import pairwise

from htxsearch.text.abbreviations import COMMON, long_form_terms
from htxsearch.text.document_numbers import document_numbers
from htxsearch.text.normalize import canonical_spelling
from htxsearch.text.sentences import Span, sentences
from htxsearch.text.tokens import Token, tokens
from htxsearch.values import frozen

__all__ = ["ANALYSIS_VERSION", "IS_CAPITAL", "IS_JOINED", "IS_NUMBER", "STARTS_SENTENCE", "Terms", "analyse"]

ANALYSIS_VERSION = 4
"""Increased whenever the same text gives other terms or facts; an index of another version must be rebuilt."""

STARTS_SENTENCE, IS_CAPITAL, IS_NUMBER, IS_JOINED = 1, 2, 4, 8


@frozen
class Terms:
    """The terms of a span: syllables in order and words in order.

    A phrase is a run of syllables. `flags` has a byte for every syllable: the sum of those of STARTS_SENTENCE,
    IS_CAPITAL, IS_NUMBER and IS_JOINED (it continues the segmenter's word) that hold.
    """

    syllables: tuple[str, ...]
    words: tuple[str, ...]
    flags: bytes = b""


def analyse(text: str, spans: Sequence[Span], *, flags: bytes | None = None) -> list[Terms]:
    """Return the terms of each span of NFC `text`, in the order given.

    The text is segmented once, in whole lines, so that its words do not depend on the spans; a word across the end of
    a span is left out of both. With the `flags` of all syllables from an earlier analysis, the words are taken from
    them and the segmenter is not needed.
    """
    syllables = tokens(text)
    starts, ends = [token.start for token in syllables], [token.end for token in syllables]
    is_known = flags is not None and len(flags) == len(syllables)
    segmented = list(_joined(syllables, flags or b"") if is_known else _segmented(text, syllables, starts, ends))
    words = sorted({*segmented, *_numbers(text), *_long_forms(text, syllables)})
    of_text = _flags(text, syllables)
    for word in segmented:
        for index in range(bisect_right(starts, word.start), bisect_left(starts, word.end)):
            of_text[index] |= IS_JOINED
    analysed = []
    for span in spans:
        first, last = bisect_left(starts, span.start), bisect_right(ends, span.end)
        of_span = bytearray(of_text[first:last])
        if of_span:
            of_span[0] |= STARTS_SENTENCE
        terms = tuple([token.term for token in syllables[first:last]])
        analysed.append(Terms(terms, tuple(token.term for token in _within(span, words)), bytes(of_span)))
    return analysed


def _within(span: Span, ordered: list[Token]) -> list[Token]:
    """Return the tokens inside the span; `ordered` are sorted by start."""
    first = bisect_left(ordered, span.start, key=lambda token: token.start)
    last = bisect_left(ordered, span.end, key=lambda token: token.start)
    return [token for token in ordered[first:last] if token.end <= span.end]


def _flags(text: str, syllables: Sequence[Token]) -> bytearray:
    """Return each token's flags.

    The first token at or behind a sentence's start starts the sentence.
    """
    starts = [token.start for token in syllables]
    flags = bytearray(map(_flags_of_letter, map(text.__getitem__, starts)))
    for sentence in sentences(text):
        first_token = bisect_left(starts, sentence.start)
        if first_token < len(flags):
            flags[first_token] |= STARTS_SENTENCE
    return flags


@lru_cache(maxsize=1 << 10)
def _flags_of_letter(first: str) -> int:
    """Return the flags of a token that begins with a letter or digit."""
    return IS_CAPITAL * first.isupper() + IS_NUMBER * first.isdigit()


def _segmented(text: str, syllables: Sequence[Token], starts: Sequence[int], ends: Sequence[int]) -> Iterable[Token]:
    """Yield underthesea's words of two syllables or more.

    The term joins the syllables with "_".
    """
    from htxsearch.text.segmenter import word_spans  # no query segments

    end = 0
    for word_start, word_end in word_spans(text):
        first = bisect_left(starts, word_start, end)
        end = bisect_right(ends, word_end, first)
        if end - first > 1:
            yield _join(syllables[first:end])


def _joined(syllables: Sequence[Token], flags: bytes) -> Iterable[Token]:
    """Yield the segmenter's words as the flags of the syllables have them."""
    begins = [index for index, flag in enumerate(flags) if not flag & IS_JOINED]
    for first, end in pairwise([*begins, len(syllables)]):
        if end - first > 1:
            yield _join(syllables[first:end])


def _numbers(text: str) -> Iterable[Token]:
    return (Token(number.start, number.end, number.term) for number in document_numbers(text))


def _long_forms(text: str, syllables: Sequence[Token]) -> Iterable[Token]:
    """Yield every run of syllables that is a common abbreviation's long form.

    The segmenter's cuts do not matter. Only blanks may be between the syllables: "đã hợp tác. Xã …" is none.
    """
    terms = tuple(map(canonical_spelling, [token.term for token in syllables]))
    known, begins, lengths = _known_long_forms()
    for start, term in enumerate(terms):
        if term in begins:
            for length in lengths:
                if terms[start : start + length] in known:
                    run = syllables[start : start + length]
                    if all(text[token.end : following.start].isspace() for token, following in pairwise(run)):
                        yield _join(run)


@cache
def _known_long_forms() -> tuple[frozenset[tuple[str, ...]], frozenset[str], list[int]]:
    """Return the long forms of common abbreviations, their beginnings and lengths."""
    known = frozenset(tuple(map(canonical_spelling, long_form_terms(long))) for long in COMMON.values())
    return known, frozenset(form[0] for form in known), sorted({len(form) for form in known})


def _join(run: Sequence[Token]) -> Token:
    return Token(run[0].start, run[-1].end, "_".join(token.term for token in run))
