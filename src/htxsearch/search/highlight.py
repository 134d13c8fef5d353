"""The places of a query's terms in a text, as spans into the text as written.

Colour and markup are added by the interfaces.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence, Set
from functools import lru_cache
from itertools import accumulate, chain
from operator import itemgetter

from htxsearch.text.patterns import late_pattern
from htxsearch.text.sentences import Span, sentences
from htxsearch.text.tokens import Token, piece_tokens, pieces

__all__ = ["excerpt", "highlights", "visible"]

_BEGINS = re.compile(r"(?:^|[.!?…:;\"“”'‘«(\[\n–—-])\s*$")
"""What stands in front of a capital that need not be a name's."""
_REACH = 8
_term_of = itemgetter(2)
_JOINERS = " \u00a0-–/"
_UNSEEN = late_pattern(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """Return a text without control and direction characters.

    The text can then neither drive a terminal nor turn lines around.
    """
    return text if text.isprintable() else _UNSEEN().sub("\ufffd", text)


def highlights(text: str, runs: Collection[tuple[str, ...]], *, faint: bool = False) -> list[Span]:
    """Return the spans of `text` to mark, in order and disjoint.

    Each span goes from the start of a syllable to the end of a syllable. `runs` are runs of terms; marked syllables
    with only a blank, hyphen or slash between them become one span. A lone syllable within a name, such as giá in Giá Rai, is
    not marked; the last one of a name (a person's given name) is, unless the marks are `faint`.
    """
    parts = pieces(text)
    of_pieces = list(piece_tokens(parts))
    of_text = list(chain.from_iterable(of_pieces))
    terms = tuple(map(_term_of, of_text))
    by_first = _by_first(frozenset(runs))
    marked: set[int] = set()
    for position in [position for position, term in enumerate(terms) if term in by_first]:
        for run in by_first[terms[position]]:
            if len(run) == 1:
                marked.add(position)
            elif terms[position : position + len(run)] == run:
                marked.update(range(position, position + len(run)))
    if not marked:
        return []
    written = _Spans(parts, of_pieces, of_text)
    spans = [(at, written[at]) for at in sorted(marked)]
    return _merge(
        text,
        [
            span
            for at, span in spans
            if not (text[span[0]].isupper() and _is_part_of_name(text, written, marked, at, span, faint=faint))
        ],
    )


@lru_cache(maxsize=8)  # those of a query are asked for with each of its hits
def _by_first(runs: frozenset[tuple[str, ...]]) -> dict[str, list[tuple[str, ...]]]:
    """Return the runs by their first term."""
    by_first: dict[str, list[tuple[str, ...]]] = {}
    for run in runs:
        by_first.setdefault(run[0], []).append(run)
    return by_first


class _Spans:
    """The spans of a text's tokens, each put together when it is asked for."""

    def __init__(self, parts: Sequence[str], of_pieces: Sequence[tuple[Token, ...]], of_text: Sequence[Token]) -> None:
        self._tokens = of_text
        self._behind = list(accumulate(map(len, of_pieces)))
        self._lengths = list(accumulate(map(len, parts), initial=0))

    def __len__(self) -> int:
        return len(self._tokens)

    def __getitem__(self, position: int) -> tuple[int, int]:
        start, end, _ = self._tokens[position]
        piece = bisect_right(self._behind, position)
        at = self._lengths[piece] + piece  # and a blank behind each piece before
        return at + start, at + end


def _is_part_of_name(text: str, written: _Spans, marked: Set[int], at: int, span: tuple[int, int], *, faint: bool) -> bool:
    """Return True if a marked syllable is an otherwise unmarked name's piece.

    `at` is its number, `span` its place in the text; it begins with a capital.
    """
    start, _ = span
    if not _is_capital(text, span) or _BEGINS.search(text[max(0, start - _REACH) : start]):
        return False
    first = last = at
    while first > 0 and _are_of_name(text, written[first - 1], written[first]):
        first -= 1
    while last + 1 < len(written) and _are_of_name(text, written[last], written[last + 1]):
        last += 1
    alone = first < last and not any(other in marked for other in range(first, last + 1) if other != at)
    return alone and (faint or at < last)


def _are_of_name(text: str, one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Return True if two neighbours are capitalised, with a blank between them."""
    return text[one[1] : other[0]] == " " and _is_capital(text, one) and _is_capital(text, other)


def _is_capital(text: str, span: tuple[int, int]) -> bool:
    """Return True for a syllable with a capital first letter and small ones after it."""
    written = text[span[0] : span[1]]
    return written[0].isupper() and not written[1:].isupper()


def _merge(text: str, marked: Iterable[tuple[int, int]]) -> list[Span]:
    spans: list[Span] = []
    for start, end in marked:
        if spans and start - spans[-1].end == 1 and text[spans[-1].end] in _JOINERS:
            spans[-1] = Span(spans[-1].start, end)
        else:
            spans.append(Span(start, end))
    return spans


def excerpt(text: str, marked: list[Span], *, length: int) -> Span:
    """Return the run of whole sentences with the most marked text.

    The run has up to about `length` characters. A single sentence longer than that is given whole.
    Of equal runs the first is taken.
    """
    units = sentences(text)
    if not units:
        return Span(0, len(text))
    best, best_marked = Span(units[0].start, units[0].end), -1
    for first in range(len(units)):
        for last in range(first, len(units)):
            span = Span(units[first].start, units[last].end)
            if span.end - span.start > length and last > first:
                break
            inside = sum(mark.end - mark.start for mark in marked if span.start <= mark.start and mark.end <= span.end)
            if inside > best_marked:
                best, best_marked = span, inside
    return best
