"""The words and names that two texts share, as they are written there.

They say why an article is related.

They are whole: a name that a line of capitals cuts from its word is shown with it (Phó Thủ tướng, Bộ Nông nghiệp, TMCP Quân
đội), and a syllable is shown only where it is a word by itself. The flags of an indexed text have the segmenter's words.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from htxsearch.indexing.feature_vectors import SYLLABLE, WORD
from htxsearch.text.analysis import IS_CAPITAL, IS_JOINED, IS_NUMBER, STARTS_SENTENCE
from htxsearch.text.normalize import canonical_spelling
from htxsearch.text.stopwords import is_stop_word
from htxsearch.text.tokens import Token, tokens

__all__ = ["Phrase", "phrases", "shared_terms"]

_MOST, _LEAST = 5, 2
_FAINT = 0.3
"""A term that weighs less than this share of the heaviest is not shown, if two are shown already."""
_LONE = 0.5
"""What a word of one syllable weighs beside a longer one: it has more meanings."""
_LONGEST = 6
"""Syllables of a term; a longer run of capitals is a heading or a list."""
_TITLE_COUNTS = 3
_DAMPING = 0.25
"""Power of the product of both counts: a word told twice is not worth two."""


@dataclass(slots=True)
class Phrase:
    """A word or name of a text: its features, how it is written, and how often."""

    features: tuple[tuple[int, str], ...]
    written: str
    count: int = 0


def phrases(pieces: Iterable[tuple[str, bytes]], among: Collection[str] | None = None) -> dict[str, Phrase]:
    """Return the words and names of a text by their canonical spelling.

    `pieces` are (text, flags of its syllables), the title first. A piece whose flags are not of its syllables is left out. Only
    those `among` some spellings are returned, by default all.
    """
    found: dict[str, Phrase] = {}
    begun = None if among is None else {term.split(" ", 1)[0] for term in among}
    for number, (text, flags) in enumerate(pieces):
        syllables = tokens(text)
        if len(syllables) != len(flags):
            continue
        spelt = [canonical_spelling(term) for _, _, term in syllables]
        for bounds in _runs(text, syllables, flags):
            first, end = bounds[0], bounds[-1]
            if begun is not None and spelt[first] not in begun:  # nearly all
                continue
            term = " ".join(spelt[first:end])
            if among is not None and term not in among:
                continue
            if len(bounds) == 2 and not _is_telling(text, syllables, flags, first, end):
                continue
            written = " ".join(text[syllables[first].start : syllables[end - 1].end].split())
            features = tuple(
                (WORD if after - before > 1 else SYLLABLE, " ".join(spelt[before:after])) for before, after in pairwise(bounds)
            )
            if len(bounds) == 2 and end - first > 1 and _has_capital_of_sentence(flags, first, end):
                written = written[0].lower() + written[1:]
            phrase = found.setdefault(term, Phrase(features, written))
            phrase.count += _TITLE_COUNTS if number == 0 else 1
            phrase.written = min(phrase.written, written, key=_capitals)  # no capital of a sentence, no headline in capitals
    return found


def _runs(text: str, syllables: Sequence[Token], flags: bytes) -> Iterable[Sequence[int]]:
    """Yield the words and names of a text as the bounds of their words, in syllables."""
    words = [at for at, flag in enumerate(flags) if not (at and flag & IS_JOINED)]
    count = len(words)
    words.append(len(flags))
    word = 0
    while word < count:
        behind = word + 1
        if not flags[words[word]] & IS_CAPITAL:
            yield words[word : behind + 1]
            word = behind
            continue
        while behind < count and flags[words[behind]] & IS_CAPITAL and _is_adjacent(text, syllables, words[behind]):
            behind += 1
        bounds = words[word : behind + 1]
        word = behind
        yield from pairwise(bounds)
        if _has_capital_of_sentence(flags, bounds[0], bounds[1]):
            bounds = bounds[1:]  # "Hôm nay Bộ Nông nghiệp", "Hiện Saigon Co.op"
        if len(bounds) > 2 and bounds[-1] - bounds[0] <= _LONGEST:
            yield bounds


def _has_capital_of_sentence(flags: bytes, first: int, end: int) -> bool:
    """Return True if a word's only capital may be that of its sentence."""
    return bool(flags[first] & STARTS_SENTENCE) and not any(flag & IS_CAPITAL for flag in flags[first + 1 : end])


def _is_telling(text: str, syllables: Sequence[Token], flags: bytes, first: int, end: int) -> bool:
    """Return False for a word that says nothing: a stop word, a number, a letter.

    A word across a mark is none.
    """
    if end - first == 1:
        return len(syllables[first].term) > 1 and not flags[first] & IS_NUMBER and not is_stop_word(syllables[first].term)
    return (
        end - first <= _LONGEST
        and not any(flag & IS_NUMBER for flag in flags[first:end])
        and not all(is_stop_word(one.term) for one in syllables[first:end])
        and all(_is_adjacent(text, syllables, at) for at in range(first + 1, end))
    )


def _is_adjacent(text: str, syllables: Sequence[Token], at: int) -> bool:
    """Return True if only blanks or the point of a short form precede a syllable."""
    return text[syllables[at - 1].end : syllables[at].start].strip(" \u00a0") in ("", ".")


def shared_terms(
    mine: Mapping[str, Phrase], theirs: Mapping[str, Phrase], idf_of: Callable[[Sequence[tuple[int, str]]], Sequence[float]]
) -> tuple[str, ...]:
    """Return two to five words and names of both texts, the most telling first.

    There are fewer if they share fewer.

    `idf_of` gives the idf of features; a name has that of its rarest word. No term is inside another.
    """
    both = sorted(mine.keys() & theirs.keys())
    if not both:
        return ()
    ends = [*accumulate((len(mine[term].features) for term in both), initial=0)]
    idf = idf_of([feature for term in both for feature in mine[term].features])
    shares = {
        term: max(idf[first:end]) ** 2 * (mine[term].count * theirs[term].count) ** _DAMPING * (1.0 if " " in term else _LONE)
        for term, (first, end) in zip(both, pairwise(ends), strict=True)
    }
    ordered = sorted(both, key=lambda term: (-shares[term], term))
    shown: list[str] = []
    for term in ordered:
        if len(shown) == _MOST or (len(shown) >= _LEAST and shares[term] < _FAINT * shares[shown[0]]):
            break
        inside = [other for other in shown if f" {term} " in f" {other} "]
        around = [other for other in shown if f" {other} " in f" {term} "]
        if inside:
            continue
        shown = [other for other in shown if other not in around] + [term]
    return tuple(
        min(mine[term].written, theirs[term].written, key=_capitals)
        for term in sorted(shown, key=lambda term: (-shares[term], term))
    )


def _capitals(written: str) -> int:
    return sum(map(str.isupper, written))
