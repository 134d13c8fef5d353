"""The windows that the reader reads: the best sentences with their neighbours.

A window lies in one passage. Its context line names the article's title, date and province, which the reader sees but takes no
answer from.
"""

from collections.abc import Sequence
from typing import NamedTuple

from htxsearch.answer.sentences import CandidatePassage, Sentence

__all__ = ["Window", "context_line", "windows_around"]

_WINDOW_CHARACTERS = 450
"""Characters that neighbours may fill a window up to; about 130 pieces of the tokenizer."""
_LONGEST_SENTENCE = 900
"""Characters of a sentence that is read; a longer one is cut."""
_TITLE_CHARACTERS = 90
"""Characters of a title that stand in the context line."""


class Window(NamedTuple):
    """`text[start:end]` of passage number `passage`."""

    passage: int
    start: int
    end: int


def context_line(passage: CandidatePassage) -> str:
    """Return what the reader is given about an article: title, date, province."""
    title = passage.title
    if len(title) > _TITLE_CHARACTERS:
        title = title[:_TITLE_CHARACTERS].rsplit(" ", 1)[0]
    published = f"{passage.published:%d/%m/%Y}" if passage.published else ""
    return " · ".join(part for part in (title, published, passage.province or "") if part)


def windows_around(sentences: Sequence[Sentence], order: Sequence[int], limit: int) -> list[Window]:
    """Return at most `limit` windows around sentences, without overlap, best first.

    `sentences` are in the order of passages and text, `order` has their numbers, the best first. A sentence that lies in an
    earlier window gets none of its own. A window grows by the neighbour before and the one behind in turn, as long as they
    fit.
    """
    taken: set[int] = set()
    windows: list[Window] = []
    for number in order:
        if number in taken:
            continue
        if len(windows) == limit:
            break
        first, last = _grown(sentences, number, taken)
        taken.update(range(first, last + 1))
        start = sentences[first].start
        end = min(sentences[last].end, start + _LONGEST_SENTENCE)
        windows.append(Window(sentences[number].passage, start, end))
    return windows


def _grown(sentences: Sequence[Sentence], number: int, taken: set[int]) -> tuple[int, int]:
    """Return the first and last sentence of the window around a sentence."""
    first = last = number
    passage = sentences[number].passage

    def fits(low: int, high: int) -> bool:
        new = low if low < first else high
        free = 0 <= new < len(sentences) and new not in taken and sentences[new].passage == passage
        return free and sentences[high].end - sentences[low].start <= _WINDOW_CHARACTERS

    while True:
        before, behind = fits(first - 1, last), fits(first, last + 1)
        if before:
            first -= 1
            behind = fits(first, last + 1)
        if behind:
            last += 1
        if not (before or behind):
            return first, last
