"""Restoration of marks that were not typed, from the candidates' passages.

The likely spelling of each syllable is decided by its neighbours. First-stage retrieval finds passages for every spelling of an
unmarked syllable. Which of the spellings belong together shows in these passages: a hidden Markov model whose
states are the spellings, with the counts of single syllables and of neighbours in the candidates' articles
(forward-backward after L. Rabiner, "A Tutorial on Hidden Markov Models", 1989; used for accent restoration since
M. Simard, "Automatic Insertion of Accents in French Text", 1998). Unlikely spellings then count less in reranking.
Nothing is dropped, and nothing is learnt beforehand. Pure: arrays in, values out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from htxsearch.engine.contract import term_hash
from htxsearch.query.expand import QueryTerm, QueryTerms
from htxsearch.search.features import Candidates, passages_of, rows
from htxsearch.text.normalize import canonical_spelling
from htxsearch.text.stopwords import QUESTION_PHRASES

__all__ = ["restored", "restored_query", "unlikely_spellings"]

_UNLIKELY = 0.3
"""What the least likely spelling is still worth, as a share of the likeliest one's."""
_PRIOR = 2.0
"""How many sightings of a syllable weigh as much as what is known of its spellings without the neighbour."""

_Floats = NDArray[np.float64]


def restored(query_terms: QueryTerms, candidates: Candidates) -> QueryTerms:
    """Return the query terms with each spelling weighed by its probability here.

    The spellings of a query term are ordered best first.
    """
    if not any(_is_open(query_term) for query_term in query_terms.terms):
        return query_terms
    terms = list(query_terms.terms)
    for number, likely in _posterior(query_terms, candidates).items():
        query_term = terms[number]
        shares = np.maximum(_UNLIKELY, likely / likely.max())
        weighed = [(term, weight * share) for (term, weight), share in zip(query_term.spellings, shares.tolist(), strict=True)]
        terms[number] = replace(query_term, spellings=tuple(sorted(weighed, key=lambda weighted: (-weighted[1], weighted[0]))))
    return replace(query_terms, terms=tuple(terms))


def restored_query(query_terms: QueryTerms) -> str:
    """Return the query as restored: each syllable's best known spelling, in order.

    A spelling is known if the index has it.
    """
    runs: list[list[str]] = [[]]
    for number in query_terms.order:
        if number < 0:
            runs.append([])
        else:
            runs[-1].append(query_terms.terms[number].spellings[0][0])
    return " … ".join(" ".join(run) for run in runs if run)


def unlikely_spellings(query_terms: QueryTerms) -> frozenset[str]:
    """Return the spellings less than half as likely as their term's best one.

    `query_terms` are restored. A spelling that another query term may mean is none of them.
    """
    likely, unlikely = set[str](), set[str]()
    for query_term in filter(_is_open, query_terms.terms):
        least = query_term.spellings[0][1] / 2
        likely.update(term for term, weight in query_term.spellings if weight >= least)
        unlikely.update(term for term, weight in query_term.spellings if weight < least)
    return frozenset(unlikely - likely)


def _is_open(query_term: QueryTerm) -> bool:
    """Return True if the spellings of a query term are different syllables."""
    return len({canonical_spelling(term) for term, _ in query_term.spellings}) > 1


def _posterior(query_terms: QueryTerms, candidates: Candidates) -> dict[int, _Floats]:
    """Return the probability of each spelling of every open query term.

    Of a query term typed twice, the higher probability counts.
    """
    counts = _Counts(query_terms.terms, candidates)
    posterior: dict[int, _Floats] = {}
    for run in _runs(query_terms.order):
        certain = _certain(run, query_terms.terms)
        for position, (number, likely) in enumerate(zip(run, _forward_backward(run, counts), strict=True)):
            if _is_open(query_terms.terms[number]):
                likely = certain.get(position, likely)
                posterior[number] = np.maximum(posterior.get(number, likely), likely)
    return posterior


def _runs(order: Sequence[int]) -> Iterator[list[int]]:
    """Yield the runs of query terms that were typed side by side."""
    run: list[int] = []
    for number in (*order, -1):
        if number >= 0:
            run.append(number)
        elif run:
            yield run
            run = []


def _certain(run: Sequence[int], terms: Sequence[QueryTerm]) -> dict[int, _Floats]:
    """Return the spellings of question phrases, which are certain, by place.

    The query asks bao nhiêu, while the texts found write bao nhiều.
    """
    certain: dict[int, _Floats] = {}
    for position, (first, second) in enumerate(pairwise(run)):
        phrase = QUESTION_PHRASES.get((terms[first].typed, terms[second].typed), ())
        for offset, (number, term) in enumerate(zip((first, second), phrase, strict=False)):
            spellings = [spelling for spelling, _ in terms[number].spellings]
            if term in spellings:
                certain[position + offset] = np.array([float(spelling == term) for spelling in spellings])
    return certain


class _Counts:
    """Counts of spellings, and of neighbouring pairs, in the candidates' passages."""

    def __init__(self, query_terms: Sequence[QueryTerm], candidates: Candidates) -> None:
        self._query_terms = query_terms
        self._first = np.cumsum([0, *(len(query_term.spellings) for query_term in query_terms)])
        ids = [term_hash(term) for query_term in query_terms for term, _ in query_term.spellings]
        known, self._term = np.unique(ids, return_inverse=True)  # one term may be a spelling of two query terms: nam, năm
        token, term = rows(known, candidates.tokens)
        passage = passages_of(token, candidates.lengths)
        beside = (np.diff(token) == 1) & (passage[:-1] == passage[1:])
        single = np.bincount(term, minlength=len(known)).astype(np.float64) + 0.5
        self._single: _Floats = single[self._term]
        codes, sightings = np.unique(term[:-1][beside] * len(known) + term[1:][beside], return_counts=True)
        self._pairs: dict[int, float] = dict(zip(codes.tolist(), sightings.tolist(), strict=True))
        self._terms = len(known)

    def single(self, number: int) -> _Floats:
        """Return the sightings of each spelling of a query term."""
        counts: _Floats = self._single[self._first[number] : self._first[number + 1]]
        return counts

    def pairs(self, first: int, second: int) -> _Floats:
        """Count each spelling of a query term directly before each spelling of another."""
        rows, columns = (self._term[self._first[n] : self._first[n + 1]].tolist() for n in (first, second))
        return np.array([[self._pairs.get(row * self._terms + column, 0.0) for column in columns] for row in rows])

    def share(self, number: int) -> _Floats:
        """Return the share of each spelling of a query term.

        A spelling with the typed marks comes before a spelling that only looks like it.
        """
        weighed = self.single(number) * np.array([weight for _, weight in self._query_terms[number].spellings])
        share: _Floats = weighed / weighed.sum()
        return share


def _forward_backward(run: Sequence[int], counts: _Counts) -> list[_Floats]:
    """Return the probability of each spelling at each place of a run.

    It is the probability given the spellings at all other places.
    """
    forward = [counts.share(run[0])]
    steps: list[_Floats] = []
    for first, second in pairwise(run):
        seen = counts.pairs(first, second)
        following = (seen + _PRIOR * counts.share(second)) / (seen.sum(axis=1, keepdims=True) + _PRIOR)
        # How often anything of the next query term follows this spelling shows which of the spellings it is.
        any_follows = (seen.sum(axis=1) + 0.01 * _PRIOR) / (counts.single(first) + _PRIOR)
        steps.append(following * any_follows[:, np.newaxis])
        ahead = forward[-1] @ steps[-1]
        forward.append(ahead / ahead.sum())
    posterior = []
    backward = np.ones(len(forward[-1]))
    for position in reversed(range(len(run))):
        likely = forward[position] * backward
        posterior.append(likely / likely.sum())
        if position:
            backward = steps[position - 1] @ backward
            backward /= backward.max()
    return posterior[::-1]
