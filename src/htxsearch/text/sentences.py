"""Sentences as spans into a text.

A line break always ends a sentence. Each of . ! ? … ends it before a capital or a digit.
"""

import re
from typing import NamedTuple

from htxsearch.text.patterns import late_pattern

__all__ = ["Span", "lines", "sentences"]

_LINE = re.compile(r"\S(?:[^\n\r\u2028\u2029]*\S)?")
_END = late_pattern(r"[.!?…](?<![.!?…]{2})[.!?…]*+[\"”’»)\]]*+\s++")  # begins with a set: what is in none is passed over fast
_LONGEST_WORD = 64
"""Characters before and behind a mark that decide: a word, a number of a section, brackets and quotes."""
_OPENING = '"“‘«([-–•*'
# A dot behind these ends no sentence: titles, kinds of places and units as newspapers abbreviate them.
_SHORT = frozenset("tp tx tt ths th ts pgs gs bs ks cn ncs nsnd nsưt tskh mr mrs ms dr prof st no tr vs p q".split())
_NUMBERING = late_pattern(r"(?:[IVXLC]+|\d+(?:\.\d+)*|[a-zđ])[.)]?")


class Span(NamedTuple):
    """`text[start:end]`."""

    start: int
    end: int


def lines(text: str) -> list[Span]:
    """Return the non-blank lines of `text`, without surrounding blanks."""
    return [Span(*match.span()) for match in _LINE.finditer(text)]


def sentences(text: str) -> list[Span]:
    """Return the sentences of `text` in order; none spans two lines, none is blank."""
    return [span for line in lines(text) for span in _split_line(text, line)]


def _split_line(text: str, line: Span) -> list[Span]:
    spans = []
    start = line.start
    for match in _END().finditer(text, line.start, line.end):
        if _ends_sentence(text, start, match, line.end):
            spans.append(Span(start, match.end() - _trailing_blanks(match.group())))
            start = match.end()
    if start < line.end:
        spans.append(Span(start, line.end))
    return spans


def _trailing_blanks(string: str) -> int:
    return len(string) - len(string.rstrip())


def _ends_sentence(text: str, start: int, match: re.Match[str], end: int) -> bool:
    """Return True if a run of end marks ends a sentence.

    The text before and behind the run decides.
    """
    if match.end() >= end:
        return False
    after = text[match.end() : min(end, match.end() + _LONGEST_WORD)].lstrip(_OPENING + " ")
    if not after or not (after[0].isupper() or after[0].isdigit()):
        return False
    if match.group()[0] != "." or match.group().startswith(".."):
        return True
    before = text[max(start, match.start() - _LONGEST_WORD) : match.start()]
    if _NUMBERING().fullmatch(before):
        return False
    last = re.split(r"[\s(.\"“]", before)[-1]
    return not (last.lower() in _SHORT and last[:1].isupper()) and not (len(last) == 1 and last.isupper())
