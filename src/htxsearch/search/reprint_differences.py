"""Differences in numbers between two reprints of a text.

Sentences are aligned, and the figures that only one of the reprints has are shown.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from htxsearch.text.figures import SCALES
from htxsearch.text.normalize import canonical_spelling
from htxsearch.text.sentences import sentences
from htxsearch.text.tokens import terms

__all__ = ["Difference", "differences"]

_FIGURE = re.compile(r"(?<![\w.,])(\d+(?:[.,/-]\d+)*)\s?(%|[^\W\d_]+)?")
_ALIGNED_SHARE = 0.5
"""The share of their words that two sentences have in common at least, to be two versions of one."""


class Difference(NamedTuple):
    """A sentence, its counterpart in the other text, and the figures of only one.

    A sentence that the other text lacks has no counterpart; its figures are those that are nowhere in that text.
    """

    here: str | None
    there: str | None
    only_here: tuple[str, ...]
    only_there: tuple[str, ...]


class _Sentence(NamedTuple):
    """A sentence, the counts of its words, and its figures.

    The figures are as written, by their comparable form.
    """

    text: str
    words: Counter[str]
    figures: dict[str, str]


def differences(body: str, other: str) -> list[Difference]:
    """Return the differences in numbers between two texts.

    They are in the order of the first text, then come the sentences that only the second has.
    """
    here, there = _sentences(body), _sentences(other)
    partner = _aligned(here, there)
    pairs = []
    for number, sentence in enumerate(here):
        if number in partner:
            counterpart = there[partner[number]]
            only_here, only_there = _lacking(sentence, counterpart), _lacking(counterpart, sentence)
            if (only_here and only_there) or _lacking(sentence, *there) or _lacking(counterpart, *here):
                pairs.append(Difference(sentence.text, counterpart.text, only_here, only_there))
        else:
            pairs.append(Difference(sentence.text, None, _lacking(sentence, *there), ()))
    counterparts = set(partner.values())
    alone = [sentence for number, sentence in enumerate(there) if number not in counterparts]
    pairs += [Difference(None, sentence.text, (), _lacking(sentence, *here)) for sentence in alone]
    return [pair for pair in pairs if pair.only_here or pair.only_there]


def _lacking(sentence: _Sentence, *others: _Sentence) -> tuple[str, ...]:
    """Return the figures of a sentence, as written, that no other sentence has."""
    return tuple(
        written for figure, written in sentence.figures.items() if not any(figure in other.figures for other in others)
    )


def _sentences(body: str) -> list[_Sentence]:
    parsed = []
    for span in sentences(body):
        text = body[span.start : span.end]
        words = Counter(canonical_spelling(term) for term in terms(text) if not term[0].isdigit())
        parsed.append(_Sentence(text, words, {_comparable(match): match[0] for match in _FIGURE.finditer(text)}))
    return parsed


def _comparable(match: re.Match[str]) -> str:
    """Return the form by which a figure is compared.

    It is the figure's numbers, and its unit if that is part of the number.
    """
    unit = canonical_spelling((match[2] or "").lower())
    numbers = [canonical_spelling(number) for number in re.split("[/-]", match[1])]
    return f"{'/'.join(numbers)} {unit if unit == '%' or unit in SCALES else ''}"


def _aligned(here: Sequence[_Sentence], there: Sequence[_Sentence]) -> dict[int, int]:
    """Return the counterpart of each sentence, each used once.

    Equal sentences are aligned in order, then the most similar ones. Similar sentences have at least half of their words
    in common. The time grows with the square of the number of sentences without an equal.
    """
    equal: dict[str, list[int]] = defaultdict(list)
    for number in reversed(range(len(there))):
        equal[there[number].text].append(number)
    partner = {number: equal[sentence.text].pop() for number, sentence in enumerate(here) if equal.get(sentence.text)}
    taken = set(partner.values())
    left = [number for number in range(len(there)) if number not in taken]
    near = []
    for mine, sentence in enumerate(here):
        for theirs in left if mine not in partner else ():
            other = there[theirs]
            share = 2 * (sentence.words & other.words).total() / max(1, sentence.words.total() + other.words.total())
            if share >= _ALIGNED_SHARE:
                near.append((-share, sentence.figures != other.figures, abs(mine - theirs), mine, theirs))
    for *_, mine, theirs in sorted(near):
        if mine not in partner and theirs not in taken:
            partner[mine] = theirs
            taken.add(theirs)
    return partner
