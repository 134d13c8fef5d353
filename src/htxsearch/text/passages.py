"""Passages, the unit of ranking: about 80 to 160 words, cut at sentences.

Each heading is with its text. The cuts have the least cost over the whole text, found by dynamic programming over
the sentences: a length outside the range costs its distance, a cut inside a paragraph a little, and a cut right
behind a heading too much to be chosen.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from htxsearch.text.sentences import Span, sentences
from htxsearch.text.tokens import Token, tokens

__all__ = ["MAX_WORDS", "MIN_WORDS", "is_heading", "passages"]

MIN_WORDS = 80
MAX_WORDS = 160
_LONGEST = 2 * MAX_WORDS
"""No passage has more words; a sentence of more than half of them is divided."""
_MOST_SENTENCES = _LONGEST
"""Sentences of a passage: lines of signs have no words."""
_CUT_IN_PARAGRAPH = 0.15
_CUT_AFTER_HEADING = 10.0


def _length_cost(words: int) -> float:
    if words < MIN_WORDS:
        return ((MIN_WORDS - words) / MIN_WORDS) ** 2
    if words > MAX_WORDS:
        return ((words - MAX_WORDS) / 40) ** 2
    return 0.0


_COSTS = [_length_cost(words) for words in range(_LONGEST + 1)]


class _Unit(NamedTuple):
    """A sentence, its number of words, and the cost of a cut behind it."""

    start: int
    end: int
    words: int
    cut: float


def passages(text: str) -> list[Span]:
    """Return the passages of `text` in order; together they hold every sentence once.

    Every passage begins and ends with a sentence; a sentence of more than 160 words is divided at its semicolons,
    commas or blanks.
    """
    units = _units(text)
    words_of = [unit.words for unit in units]
    best, cut = [0.0], [0]
    for end, unit in enumerate(units, start=1):
        edge = unit.cut if end < len(units) else 0.0
        least, first, words = float("inf"), end - 1, 0
        for start in range(end - 1, max(-1, end - 1 - _MOST_SENTENCES), -1):
            words += words_of[start]
            if words > _LONGEST:
                break
            cost = best[start] + _COSTS[words] + edge
            if cost < least:
                least, first = cost, start
        best.append(least)
        cut.append(first)
    spans = []
    end = len(units)
    while end:
        spans.append(Span(units[cut[end]].start, units[end - 1].end))
        end = cut[end]
    return spans[::-1]


def is_heading(line: str, words: int) -> bool:
    """Return True if a line is a heading: short, and not ending like a sentence.

    `words` is its number of syllables. "2. Mục tiêu cụ thể." and lines ending in a colon count.
    """
    stripped = line.rstrip('"”) ')
    if not stripped or words > 25:
        return False
    if stripped[-1] == ":":
        return True
    numbered = stripped[0].isdigit() or stripped[:1] in "IVX"
    return words <= 20 and (stripped[-1] not in ".!?…;," or (numbered and words <= 8))


def _units(text: str) -> list[_Unit]:
    of_text = tokens(text)
    starts = [token.start for token in of_text]
    spans = [piece for span in sentences(text) for piece in _divide(text, span, of_text, starts)]
    units: list[_Unit] = []
    for span, following in zip_longest(spans, spans[1:]):
        words = bisect_left(starts, span.end) - bisect_left(starts, span.start)
        ends_line = following is None or "\n" in text[span.end : following.start]
        begins_line = not units or "\n" in text[units[-1].end : span.start]
        if ends_line and begins_line and is_heading(text[span.start : span.end], words):
            cut = _CUT_AFTER_HEADING
        else:
            cut = 0.0 if ends_line else _CUT_IN_PARAGRAPH
        units.append(_Unit(span.start, span.end, words, cut))
    return units


def _divide(text: str, span: Span, of_text: Sequence[Token], starts: Sequence[int]) -> list[Span]:
    """Divide a sentence that is too long.

    The cuts are at the best sign after every `MIN_WORDS` words. `of_text` are the text's tokens.
    """
    first, end = bisect_left(starts, span.start), bisect_left(starts, span.end)
    pieces = []
    start = span.start
    while end - first > MAX_WORDS:
        cut = _cut_point(text, [token.end for token in of_text[first + MIN_WORDS : first + MAX_WORDS]])
        pieces.append(Span(start, cut))
        first = bisect_left(starts, cut)
        start = starts[first]
    return [*pieces, Span(start, span.end)]


def _cut_point(text: str, ends: list[int]) -> int:
    """Return the position of the cut.

    It is behind the first semicolon, else the first comma, else the last word.
    """
    for sign in ";,":
        for end in ends:
            if text[end : end + 1] == sign:
                return end + 1
    return ends[-1]
