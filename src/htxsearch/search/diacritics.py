"""Restoration of marks that were not typed, from the candidates' passages.

The likely spelling of each syllable is decided by its neighbours. Stage one finds passages for every spelling of an
unmarked syllable. Which of the spellings belong together shows in these passages: a hidden Markov model whose
states are the spellings, with the counts of single syllables and of neighbours in the candidates' articles
(forward-backward after L. Rabiner, "A Tutorial on Hidden Markov Models", 1989; used for accent restoration since
M. Simard, "Automatic Insertion of Accents in French Text", 1998). Unlikely spellings then count less in stage two.
Nothing is dropped, and nothing is learnt beforehand. Pure: arrays in, values out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from htxsearch.engine.contract import term_hash
from htxsearch.query.expand import QueryTerm, QueryTerms
from htxsearch.search.features import Candidates, rows
from htxsearch.text.normalize import canonical_spelling
from htxsearch.text.stopwords import QUESTION_PHRASES

__all__ = ["restored", "restored_query"]

_UNLIKELY = 0.3
"""What the least likely spelling is still worth, as a share of the likeliest one's."""
_PRIOR = 2.0
"""How many sightings of a syllable weigh as much as what is known of its spellings without the neighbour."""

_Floats = NDArray[np.float64]


def restored(asked: QueryTerms, candidates: Candidates) -> QueryTerms:
    """Return the query's slots with each spelling weighed by its probability here.

    The spellings of a slot are ordered best first.
    """
    if not any(_is_open(slot) for slot in asked.terms):
        return asked
    slots = list(asked.terms)
    for number, likely in _posterior(asked, candidates).items():
        slot = slots[number]
        shares = np.maximum(_UNLIKELY, likely / likely.max())
        weighed = [(term, weight * share) for (term, weight), share in zip(slot.spellings, shares.tolist(), strict=True)]
        slots[number] = replace(slot, spellings=tuple(sorted(weighed, key=lambda one: (-one[1], one[0]))))
    return replace(asked, terms=tuple(slots))


def restored_query(asked: QueryTerms) -> str:
    """Return the query as restored: each syllable's best known spelling, in order.

    A spelling is known if the index has it.
    """
    runs: list[list[str]] = [[]]
    for number in asked.order:
        if number < 0:
            runs.append([])
        else:
            runs[-1].append(asked.terms[number].spellings[0][0])
    return " … ".join(" ".join(run) for run in runs if run)


def _is_open(slot: QueryTerm) -> bool:
    """Return True if the spellings of a slot are different syllables."""
    return len({canonical_spelling(term) for term, _ in slot.spellings}) > 1


def _posterior(asked: QueryTerms, candidates: Candidates) -> dict[int, _Floats]:
    """Return the probability of each spelling of every open slot.

    Of a slot typed twice, the higher probability counts.
    """
    counts = _Counts(asked.terms, candidates)
    found: dict[int, _Floats] = {}
    for run in _runs(asked.order):
        asks = _asking(run, asked.terms)
        for place, (number, likely) in enumerate(zip(run, _forward_backward(run, counts), strict=True)):
            if _is_open(asked.terms[number]):
                likely = asks.get(place, likely)
                found[number] = np.maximum(found.get(number, likely), likely)
    return found


def _runs(order: Sequence[int]) -> Iterator[list[int]]:
    """Yield the runs of slots that were typed side by side."""
    run: list[int] = []
    for number in (*order, -1):
        if number >= 0:
            run.append(number)
        elif run:
            yield run
            run = []


def _asking(run: Sequence[int], slots: Sequence[QueryTerm]) -> dict[int, _Floats]:
    """Return the spellings of question phrases, which are certain, by place.

    The query asks bao nhiêu, while the texts found write bao nhiều.
    """
    found: dict[int, _Floats] = {}
    for place, (one, other) in enumerate(pairwise(run)):
        phrase = QUESTION_PHRASES.get((slots[one].typed, slots[other].typed), ())
        for at, (number, term) in enumerate(zip((one, other), phrase, strict=False)):
            spellings = [spelling for spelling, _ in slots[number].spellings]
            if term in spellings:
                found[place + at] = np.array([float(spelling == term) for spelling in spellings])
    return found


class _Counts:
    """Counts of spellings, and of neighbouring pairs, in the candidates' passages."""

    def __init__(self, slots: Sequence[QueryTerm], candidates: Candidates) -> None:
        self._slots = slots
        self._first = np.cumsum([0, *(len(slot.spellings) for slot in slots)])
        ids = [term_hash(term) for slot in slots for term, _ in slot.spellings]
        known, self._term = np.unique(ids, return_inverse=True)  # one term may be a spelling of two slots: nam, năm
        row, hit = rows(known, candidates.tokens)
        term = np.where(hit, row, -1)
        passage = np.repeat(np.arange(len(candidates.lengths)), candidates.lengths)
        beside = (term[:-1] >= 0) & (term[1:] >= 0) & (passage[:-1] == passage[1:])
        single = np.bincount(term[term >= 0], minlength=len(known)).astype(np.float64) + 0.5
        self._single: _Floats = single[self._term]
        codes, sightings = np.unique(term[:-1][beside] * len(known) + term[1:][beside], return_counts=True)
        self._pairs: dict[int, float] = dict(zip(codes.tolist(), sightings.tolist(), strict=True))
        self._terms = len(known)

    def single(self, number: int) -> _Floats:
        """Return the sightings of each spelling of a slot."""
        counts: _Floats = self._single[self._first[number] : self._first[number + 1]]
        return counts

    def pairs(self, one: int, other: int) -> _Floats:
        """Count each spelling of a slot directly before each spelling of another."""
        rows, columns = (self._term[self._first[n] : self._first[n + 1]].tolist() for n in (one, other))
        return np.array([[self._pairs.get(row * self._terms + column, 0.0) for column in columns] for row in rows])

    def share(self, number: int) -> _Floats:
        """Return the share of each spelling of a slot.

        A spelling with the typed marks comes before a spelling that only looks like it.
        """
        weighed = self.single(number) * np.array([weight for _, weight in self._slots[number].spellings])
        share: _Floats = weighed / weighed.sum()
        return share


def _forward_backward(run: Sequence[int], counts: _Counts) -> list[_Floats]:
    """Return the probability of each spelling at each place of a run.

    It is the probability given the spellings at all other places.
    """
    forward = [counts.share(run[0])]
    steps: list[_Floats] = []
    for one, other in pairwise(run):
        seen = counts.pairs(one, other)
        following = (seen + _PRIOR * counts.share(other)) / (seen.sum(axis=1, keepdims=True) + _PRIOR)
        # How often anything of the next slot comes behind this spelling tells which of the spellings it is.
        any_follows = (seen.sum(axis=1) + 0.01 * _PRIOR) / (counts.single(one) + _PRIOR)
        steps.append(following * any_follows[:, np.newaxis])
        ahead = forward[-1] @ steps[-1]
        forward.append(ahead / ahead.sum())
    found = []
    backward = np.ones(len(forward[-1]))
    for place in reversed(range(len(run))):
        likely = forward[place] * backward
        found.append(likely / likely.sum())
        if place:
            backward = steps[place - 1] @ backward
            backward /= backward.max()
    return found[::-1]
