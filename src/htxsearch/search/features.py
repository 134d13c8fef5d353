"""The features of passages by which the reranker orders them.

A passage scores as the weighted sum of its features.

First-stage retrieval sums weighted BM25; it sees neither order nor nearness nor whole articles. Here each of about
a hundred passages gets nine numbers, its *features*, and scores their weighted sum; an article scores as
its best passage. The weights are learned by `scripts/train.py`, one set for all collections, and kept in
`rank.json`. Pure: arrays in, arrays out; knows no engine and no query language.

A query is a row of *query terms*: its distinct syllables, each with the index terms that may stand for
it. A query term weighs its idf; a stop word's counts 0.3 of that, an interrogative's nothing. Sums over
query terms are divided by the sum over the whole query, so that one set of weights serves short and long queries:

    stage_one  the score of first-stage retrieval
    document   BM25 of the whole article, idf squared, content only: does it treat of the rare terms?
    pairs      BM25 of query terms that stand side by side in query and article, by their idf among the
               ranked articles: a pair that all of them have tells nothing (ordered pairs after D. Metzler and W. B.
               Croft, "A Markov Random Field Model for Term Dependencies", 2005)
    near       the same of any two content terms within 20 syllables, in either order, divided by the number
               of content terms (after the unordered windows there, and T. Tao and C. Zhai, "An Exploration of
               Proximity Measures in Information Retrieval", 2007)
    sentence   the weight found in the best sentence, divided by its length as in BM25
    names      the idf of the query terms found here or in the title, times the share of these passages that
               write them with a capital
    capitals   the idf of the query terms typed with a capital and found with one, or found in the title
    numbers    the idf of the numbers found
    title      the idf of the query terms found in the title, content only

Where passages have vectors (the extra `semantic`), the cosine of passage and query, times one more weight, is added to
that sum: `DENSE`.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import field, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from htxsearch.engine.bm25 import idf_array, length_norm, tf_part
from htxsearch.text.analysis import IS_CAPITAL, STARTS_SENTENCE
from htxsearch.values import frozen

__all__ = [
    "DENSE",
    "FEATURES",
    "Candidates",
    "Features",
    "QueryArrays",
    "features",
    "learned_weights",
    "passages_of",
    "ranking_weights",
    "rows",
]

FEATURES = ("stage_one", "document", "pairs", "near", "sentence", "names", "capitals", "numbers", "title")

DENSE = "meaning"
"""The feature of dense retrieval, by its name in `rank.json` and in explanations."""

_STOP_WORD_SHARE = 0.3
_DOCUMENT_K1, _DOCUMENT_B = 2.0, 0.95
_PAIR_K1, _PAIR_B = 1.2, 0.75
_SENTENCE_B = 0.4
_SENTENCE_LENGTH = 25
_SENTENCE_RATIOS = (0.6, 6.0)
"""Least and greatest length of a sentence, as a share of a usual one's, that changes its worth."""
_HELD = 0.5
"""How good a spelling holds a query term; an unlikely one of a syllable without marks does not."""
_NEAR = 20
_NEAR_TERMS = 40
"""Of a very long query only the terms of most idf are looked for near each other: the work grows as their square."""

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_Bools = NDArray[np.bool_]


@frozen(kw_only=True)
class QueryArrays:
    """The query as arrays of its query terms, (query terms,) each.

    `order` has the numbers of the query terms as typed, -1 where something came between. `query_terms_of` gives, for the
    id of every index term that may stand for a query term, the number of that query term and how good a spelling the
    index term is (the best is 1); a short form (HTX) stands for several query terms, in order. `capital` is 1 for a query
    term typed with a capital that is not the query's first letter, else 0. `fillers` (stop words,) are the ids of stop words,
    which may stand between the words of a title that is asked for.
    """

    order: tuple[int, ...]
    query_terms_of: Mapping[int, tuple[tuple[int, float], ...]]
    idf: _Floats
    stop_word: _Bools
    interrogative: _Bools
    capital: _Floats
    number: _Bools
    fillers: _Ints = field(default_factory=lambda: np.empty(0, np.int64))

    def content(self) -> _Floats:
        """Return the idf of query terms that are content, 0 for others.

        Content is neither a stop word nor an interrogative.
        """
        return np.where(self.stop_word | self.interrogative, 0.0, self.idf).astype(np.float64)

    def stop_words(self) -> _Floats:
        """Return the idf of query terms that are stop words, 0 for others."""
        return np.where(self.stop_word & ~self.interrogative, self.idf, 0.0)

    def weight(self) -> _Floats:
        """Return the weight of each query term where all count."""
        return self.content() + _STOP_WORD_SHARE * self.stop_words()


@frozen(kw_only=True)
class Candidates:
    """The passages to rank, among all passages of their articles.

    `tokens` (ids of syllables, in order) and `flags` run over all passages of these articles;
    `lengths` are the passages' lengths and `articles` the numbers of their articles, from 0 upwards.
    `titles` are the ids of the syllables of all articles' titles, one after the other, of `title_lengths`.
    `ranked` are the passages to rank, ascending, `first_stage` their scores.
    """

    tokens: _Ints
    flags: NDArray[np.uint8]
    lengths: _Ints
    articles: _Ints
    titles: _Ints
    title_lengths: _Ints
    ranked: _Ints
    first_stage: _Floats
    mean_article_length: float

    def as_titles(self) -> "Candidates":
        """Return the titles as the one passage of each article."""
        numbers = np.arange(len(self.title_lengths))
        flags = np.zeros(len(self.titles), np.uint8)
        return replace(self, tokens=self.titles, flags=flags, lengths=self.title_lengths, articles=numbers, ranked=numbers)


_weights: ContextVar[Mapping[str, float] | None] = ContextVar("ranking weights", default=None)


def learned_weights() -> Mapping[str, float]:
    """Return the weights in use: those of all features, then that of `DENSE`.

    They are the weights of `rank.json` outside `ranking_weights`.
    """
    return _weights.get() or _stored_weights()


@contextmanager
def ranking_weights(weights: Mapping[str, float]) -> Iterator[None]:
    """Rank by other weights within a `with` block.

    An evaluation answers each query by weights that never saw its documents.
    """
    token = _weights.set(weights)
    try:
        yield
    finally:
        _weights.reset(token)


@cache
def _stored_weights() -> Mapping[str, float]:
    """Return the weights that `scripts/train.py` has written."""
    stored = json.loads(Path(__file__).with_name("rank.json").read_text("utf-8"))
    weights: dict[str, float] = stored["weights"]
    return weights


class Features(NamedTuple):
    """The features of the ranked passages, and what their articles hold.

    `values` are (ranked, features).

    `coverage` (ranked,) is the share of the content terms' idf that is found in the article or its title; `whole` is (ranked,)
    bool: all of them are, and all neighbours of the query stand side by side, in the text or in the title; `titled` is that of
    the title alone, in which stop words may stand between neighbours.
    """

    values: _Floats
    coverage: _Floats
    whole: _Bools
    titled: _Bools


def features(question: QueryArrays, candidates: Candidates) -> Features:
    """Return a row for every ranked passage, a column for every feature."""
    count = len(candidates.ranked)
    if not (len(question.idf) and count):
        return Features(np.zeros((count, len(FEATURES))), np.zeros(count), *[np.zeros(count, np.bool_)] * 2)
    every = _matches(question, candidates)
    ranked = every.among(_ranked_index(candidates))
    article = candidates.articles[candidates.ranked]
    content, weight = question.content(), question.weight()
    total = max(float(weight.sum()), 1e-9)
    titles = candidates.as_titles()
    in_titles = _matches(question, titles)
    of_titles = _coverage(in_titles.passage, len(titles.lengths), in_titles, len(content))
    title_coverage = of_titles[article]
    pairs = _pair_counts(every, question.order, len(content), candidates)
    coverage = _coverage(ranked.passage, count, ranked, len(content))
    capitals = ranked.where(ranked.capital)
    capital_coverage = _coverage(capitals.passage, count, capitals, len(content))
    columns = {
        "stage_one": candidates.first_stage / question.idf.sum(),
        "document": _document(every, content, candidates)[article],
        "pairs": _pairs(pairs, candidates)[article] / total,
        "near": _near(every, content, candidates)[article] / total,
        "sentence": _sentences(ranked, weight, count) / total,
        "names": np.maximum(coverage, title_coverage) @ (content * _share_of_capitals(ranked, len(content))) / total,
        "capitals": np.maximum(capital_coverage, title_coverage) @ (content * question.capital) / total,
        "numbers": coverage @ (content * question.number) / total,
        "title": title_coverage @ content / total,
    }
    values = np.stack([columns[name] for name in FEATURES], axis=1)
    of_articles = _coverage(candidates.articles[every.passage], len(of_titles), every, len(content))
    of_articles = np.maximum(of_articles, of_titles)
    titled = _holds_all(of_titles, content, _pair_counts(in_titles, question.order, len(content), titles))
    whole = titled | _holds_all(of_articles, content, pairs)
    if (_holds_terms(of_titles, content) & ~titled).any():
        bare = _without_fillers(titles, question)
        titled |= _holds_all(of_titles, content, _pair_counts(_matches(question, bare), question.order, len(content), titles))
    return Features(values, of_articles[article] @ content / max(float(content.sum()), 1e-9), whole[article], titled[article])


def _without_fillers(titles: Candidates, question: QueryArrays) -> Candidates:
    """Return titles without the stop words that are no query terms.

    "Quyết định khen thưởng" asks for "Quyết định về việc khen thưởng".
    """
    kept = ~np.isin(titles.tokens, question.fillers) | np.isin(titles.tokens, list(question.query_terms_of))
    owner = np.repeat(titles.articles, titles.lengths)
    lengths = np.bincount(owner[kept], minlength=len(titles.lengths))
    return replace(titles, tokens=titles.tokens[kept], flags=titles.flags[kept], lengths=lengths)


def _holds_all(coverage: _Floats, content: _Floats, pairs: _Floats) -> _Bools:
    """Return True for each row with every content term and all neighbours."""
    held: _Bools = _holds_terms(coverage, content) & (pairs > 0).all(axis=1)
    return held


def _holds_terms(coverage: _Floats, content: _Floats) -> _Bools:
    """Return True for each row with every content term."""
    held: _Bools = ((coverage >= _HELD) | (content == 0)).all(axis=1)
    return held


class _Matches(NamedTuple):
    """Every token that matches a query term, in text order; an array per property.

    `position` counts tokens, a short form as many as its long form has, and between two passages jumps
    by more than the distance that counts as near.
    """

    query_term: _Ints
    weight: _Floats
    position: _Ints
    passage: _Ints
    sentence: _Ints
    sentence_length: _Floats
    begins: _Bools
    capital: _Bools

    def where(self, chosen: _Bools) -> "_Matches":
        return _Matches(*(values[chosen] for values in self))  # type: ignore[arg-type]

    def among(self, index: _Ints) -> "_Matches":
        """Return the matches in passages that have a place, renumbered by that place.

        A passage with -1 has no place. The place replaces the passage's number.
        """
        kept = self.where(index[self.passage] >= 0)
        return kept._replace(passage=index[kept.passage])


def _ranked_index(candidates: Candidates) -> _Ints:
    """Return, for every passage, its place among the ranked ones, or -1."""
    index = np.full(len(candidates.lengths), -1)
    index[candidates.ranked] = np.arange(len(candidates.ranked))
    return index


def _matches(question: QueryArrays, candidates: Candidates) -> _Matches:
    known, runs, widths = _query_term_table(question)
    token, row = rows(known, candidates.tokens)
    width = widths[row]
    before = np.cumsum(width) - width  # of the matches; every other token is as wide as itself

    lengths = candidates.lengths
    passage = passages_of(token, lengths)
    begins = candidates.flags & STARTS_SENTENCE > 0
    begins[(np.cumsum(lengths) - lengths)[lengths > 0]] = True
    first = np.flatnonzero(begins)
    sentence = np.searchsorted(first, token, "right") - 1
    sentence_length = (np.diff(first, append=len(begins)) + np.bincount(sentence, width - 1, len(first))).astype(np.float64)

    of_match = np.repeat(np.arange(len(token)), width)
    nth = np.arange(len(of_match)) - before[of_match]
    matched = runs[row[of_match], nth]
    start = token + before - np.arange(len(token)) + (_NEAR + 1) * passage
    flags = candidates.flags[token]
    return _Matches(
        query_term=matched["query_term"],
        weight=matched["weight"],
        position=start[of_match] + nth,
        passage=passage[of_match],
        sentence=sentence[of_match],
        sentence_length=sentence_length[sentence][of_match],
        begins=begins[token][of_match] & (nth == 0),
        capital=((flags & IS_CAPITAL > 0) & (width == 1))[of_match],
    )


def _query_term_table(question: QueryArrays) -> tuple[_Ints, NDArray[np.void], _Ints]:
    """Return the ids of matching index terms, their query terms, and the row widths.

    The ids are sorted. The query terms of an id are a row, with their weights.
    """
    known = sorted(question.query_terms_of)
    widths = np.array([len(question.query_terms_of[term_id]) for term_id in known])
    runs = np.zeros((len(known), int(widths.max())), dtype=[("query_term", np.int64), ("weight", np.float64)])
    for number, term_id in enumerate(known):
        runs[number, : widths[number]] = list(question.query_terms_of[term_id])
    return np.array(known), runs, widths


def _coverage(group: _Ints, groups: int, matches: _Matches, term_count: int) -> _Floats:
    """Return how well each query term is matched in every group, 0 if it is not."""
    coverage = np.zeros(groups * term_count)
    np.maximum.at(coverage, group * term_count + matches.query_term, matches.weight)
    return coverage.reshape(groups, term_count)


def _saturated(counts: _Floats, lengths: _Floats, mean: float, k1: float, b: float) -> _Floats:
    """Return the tf part of BM25 of `counts`: a row per article, (articles, terms)."""
    return tf_part(counts, length_norm(lengths, mean, k1=k1, b=b)[:, np.newaxis])


def _article_lengths(candidates: Candidates) -> _Floats:
    lengths: _Floats = np.bincount(candidates.articles, weights=candidates.lengths).astype(np.float64)
    return lengths


def _document(matches: _Matches, content: _Floats, candidates: Candidates) -> _Floats:
    """Return every article's BM25 over the content terms, as a share of its maximum.

    The idf is squared.
    """
    lengths = _article_lengths(candidates)
    cell = candidates.articles[matches.passage] * len(content) + matches.query_term
    counts = _sums(cell, matches.weight, len(lengths), len(content))
    parts = _saturated(counts, lengths, candidates.mean_article_length, _DOCUMENT_K1, _DOCUMENT_B)
    squared = content**2
    return parts @ squared / max(float(squared.sum()), 1e-9)


def _pair_counts(matches: _Matches, order: tuple[int, ...], term_count: int, candidates: Candidates) -> _Floats:
    """Return how often each article has the query's neighbours side by side.

    The counts are (articles, pairs).

    A place counts by the weights of its two matches.
    """
    articles = len(candidates.title_lengths)
    pairs = list(dict.fromkeys(pair for pair in pairwise(order) if min(pair) >= 0))
    if not pairs or len(matches.query_term) < 2:
        return np.zeros((articles, len(pairs)))
    number = np.full((term_count, term_count), -1)
    number[tuple(np.array(pairs).T)] = np.arange(len(pairs))
    pair = number[matches.query_term[:-1], matches.query_term[1:]]
    beside = (np.diff(matches.position) == 1) & (pair >= 0)
    cell = candidates.articles[matches.passage[:-1][beside]] * len(pairs) + pair[beside]
    weight = (matches.weight[:-1] * matches.weight[1:])[beside]
    return _sums(cell, weight, articles, len(pairs))


def _pairs(counts: _Floats, candidates: Candidates) -> _Floats:
    """Return every article's BM25 over neighbours, given their counts."""
    lengths = _article_lengths(candidates)
    parts = _saturated(counts, lengths, candidates.mean_article_length, _PAIR_K1, _PAIR_B)
    return parts @ idf_array((counts > 0).sum(axis=0).astype(np.float64), len(lengths))


def _near(matches: _Matches, content: _Floats, candidates: Candidates) -> _Floats:
    """Return every article's BM25 over pairs of content terms near each other.

    It is divided by the number of content terms.
    """
    lengths = _article_lengths(candidates)
    chosen = np.sort(np.argsort(-content, kind="stable")[:_NEAR_TERMS])
    chosen = chosen[content[chosen] > 0]
    kinds = len(chosen)
    if kinds < 2:
        return np.zeros(len(lengths))
    number = np.full(len(content), -1)
    number[chosen] = np.arange(kinds)
    content_matches = matches.where(number[matches.query_term] >= 0)
    query_term, article = number[content_matches.query_term], candidates.articles[content_matches.passage]
    position, weight = content_matches.position, content_matches.weight
    here = np.arange(len(position))
    # As positions never fall, those near behind a match are a run. It is cut: no position is that of many matches.
    behind = np.minimum(np.searchsorted(position, position + _NEAR, "right"), here + _NEAR + 1) - here - 1
    first = np.repeat(here, behind)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(behind) - behind, behind)
    one, other = query_term[first], query_term[second]
    near = (one != other) & (position[second] > position[first])
    first, second, one, other = first[near], second[near], one[near], other[near]
    cell = (article[first] * kinds + np.minimum(one, other)) * kinds + np.maximum(one, other)
    table = _sums(cell, weight[first] * weight[second], len(lengths), kinds * kinds)
    table = table[:, table.any(axis=0)]
    parts = _saturated(table, lengths, candidates.mean_article_length, _PAIR_K1, _PAIR_B)
    return parts @ idf_array((table > 0).sum(axis=0).astype(np.float64), len(lengths)) / kinds


def rows(known: _Ints, tokens: _Ints) -> tuple[_Ints, _Ints]:
    """Return the positions of the tokens that are known, and the row of each there.

    `known` is sorted.

    Few tokens are; the others are ruled out by their last 16 bits, which is ten times quicker than a search.
    """
    likely = np.zeros(1 << 16, np.bool_)
    likely[known & 0xFFFF] = True
    positions = np.flatnonzero(likely.take(tokens & 0xFFFF))
    found = tokens[positions]
    index = np.minimum(np.searchsorted(known, found), len(known) - 1)
    hit = known[index] == found
    return positions[hit], index[hit]


def passages_of(positions: _Ints, lengths: _Ints) -> _Ints:
    """Return the number of the passage that has each of the positions of tokens."""
    found: _Ints = np.searchsorted(np.cumsum(lengths), positions, "right")
    return found


def _sums(cell: _Ints, weight: _Floats, rows: int, columns: int) -> _Floats:
    """Return a table of the weights summed by place, which counts row by row."""
    return np.bincount(cell, weight, rows * columns).astype(np.float64).reshape(rows, columns)


def _sentences(matches: _Matches, weight: _Floats, passages: int) -> _Floats:
    """Return, for every passage, the worth of its best sentence."""
    best = np.zeros(passages)
    new = np.ones(len(matches.sentence), np.bool_)
    new[1:] = matches.sentence[1:] > matches.sentence[:-1]
    first = np.flatnonzero(new)
    worth = _coverage(np.cumsum(new) - 1, len(first), matches, len(weight)) @ weight
    ratio = np.clip(matches.sentence_length[first] / _SENTENCE_LENGTH, *_SENTENCE_RATIOS)
    np.maximum.at(best, matches.passage[first], worth / (1 - _SENTENCE_B + _SENTENCE_B * ratio))
    return best


def _share_of_capitals(matches: _Matches, term_count: int) -> _Floats:
    """Return the share of each query term's matches that are capitalised.

    Matches at the beginning of a sentence do not count.
    """
    inner = matches.where(~matches.begins)
    total = np.bincount(inner.query_term, minlength=term_count)
    return np.bincount(inner.query_term, inner.capital, term_count) / np.maximum(total, 1)
