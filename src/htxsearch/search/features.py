"""Stage two of ranking: the features of passages, and their weighted sum.

It orders the best passages of stage one by the things that a reader would look for.

Stage one sums weighted BM25; it sees neither order nor nearness nor whole articles. Here each of about
a hundred passages gets nine numbers, its *features*, and scores their weighted sum; an article scores as
its best passage. The weights are learnt by `scripts/train.py`, one set for all collections, and kept in
`rank.json`. Pure: arrays in, arrays out; knows no engine and no query language.

A query is a row of *slots*: the distinct syllables asked for, each with the index terms that may stand
for it. A slot weighs its idf; a filler's counts 0.3 of that, a question word's nothing. Sums over slots
are divided by the sum over the whole query, so that one set of weights serves short and long queries:

    stage_one  the score of stage one
    document   BM25 of the whole article, idf squared, content only: does it treat of the rare terms?
    pairs      BM25 of slots that stand side by side in query and article, by their idf among the ranked
               articles: a pair that all of them have tells nothing (ordered pairs after D. Metzler and W. B.
               Croft, "A Markov Random Field Model for Term Dependencies", 2005)
    near       the same of any two content slots within 20 syllables, in either order, divided by the number
               of content slots (after the unordered windows there, and T. Tao and C. Zhai, "An Exploration of
               Proximity Measures in Information Retrieval", 2007)
    sentence   the weight found in the best sentence, divided by its length as in BM25
    names      the idf of the slots found here or in the title, times the share of these passages that write
               them with a capital
    capitals   the idf of the slots typed with a capital and found with a capital, or found in the title
    numbers    the idf of the numbers found
    title      the idf of the slots found in the title, content only

Where passages have vectors (the extra `semantic`), the cosine of passage and query, times one more weight, is added to
that sum: `MEANING`.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from htxsearch.engine.bm25 import idf_array, length_norm, tf_part
from htxsearch.text.analysis import IS_CAPITAL, STARTS_SENTENCE

__all__ = ["FEATURES", "MEANING", "Candidates", "QueryArrays", "features", "learned_weights", "ranking_weights", "rows"]

FEATURES = ("stage_one", "document", "pairs", "near", "sentence", "names", "capitals", "numbers", "title")

MEANING = "meaning"

_FILLER = 0.3
_DOCUMENT_K1, _DOCUMENT_B = 2.0, 0.95
_PAIR_K1, _PAIR_B = 1.2, 0.75
_SENTENCE_B = 0.4
_SENTENCE_LENGTH = 25
_SENTENCE_RATIOS = (0.6, 6.0)
"""Least and greatest length of a sentence, as a share of a usual one's, that changes its worth."""
_NEAR = 20
_NEAR_SLOTS = 40
"""Of a very long query only the slots of most idf are looked for near each other: the work grows as their square."""

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryArrays:
    """The query as arrays with one place per slot, and the slots' places in texts.

    `order` is the slots as typed, -1 where something came between. `fills` gives, for the id of every
    index term that may stand for a slot, that slot and how good a spelling the term is (the best is 1); a short
    form (HTX) fills several slots, in order. `capital` is 1 for a slot typed with a capital that
    is not the query's first letter, else 0.
    """

    order: tuple[int, ...]
    fills: Mapping[int, tuple[tuple[int, float], ...]]
    idf: _Floats
    filler: _Bools
    interrogative: _Bools
    capital: _Floats
    number: _Bools

    def content(self) -> _Floats:
        """Return the idf of slots that are neither fillers nor question words.

        It is 0 for the other slots.
        """
        return np.where(self.filler | self.interrogative, 0.0, self.idf).astype(np.float64)

    def fillers(self) -> _Floats:
        """Return the idf of slots that are fillers, 0 for others."""
        return np.where(self.filler & ~self.interrogative, self.idf, 0.0)

    def weight(self) -> _Floats:
        """Return what each slot is worth where all count."""
        return self.content() + _FILLER * self.fillers()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The passages to rank, among all passages of their articles.

    `tokens` (ids of syllables, in order) and `flags` run over all passages of these articles;
    `lengths` are the passages' lengths and `articles` the numbers of their articles, from 0 upwards.
    `titles` are the ids of the syllables of all articles' titles, one after the other, of `title_lengths`.
    `ranked` are the passages to rank, ascending, `stage_one` their scores.
    """

    tokens: _Ints
    flags: NDArray[np.uint8]
    lengths: _Ints
    articles: _Ints
    titles: _Ints
    title_lengths: _Ints
    ranked: _Ints
    stage_one: _Floats
    mean_article_length: float


_weights: ContextVar[Mapping[str, float] | None] = ContextVar("ranking weights", default=None)


def learned_weights() -> Mapping[str, float]:
    """Return the weights in use: those of all features, then that of `MEANING`.

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
    stored = json.loads(resources.files("htxsearch.search").joinpath("rank.json").read_text("utf-8"))
    weights: dict[str, float] = stored["weights"]
    return weights


def features(question: QueryArrays, candidates: Candidates) -> _Floats:
    """Return a row for every ranked passage, a column for every feature."""
    count = len(candidates.ranked)
    if not (len(question.idf) and count):
        return np.zeros((count, len(FEATURES)))
    every = _matches(question, candidates)
    ranked = every.among(_places(candidates))
    article = candidates.articles[candidates.ranked]
    content, weight = question.content(), question.weight()
    total = max(float(weight.sum()), 1e-9)
    in_title = _found_in_titles(question, candidates)[article]
    found = _found(ranked.passage, count, ranked, len(content))
    capitals = ranked.where(ranked.capital)
    found_capital = _found(capitals.passage, count, capitals, len(content))
    columns = {
        "stage_one": candidates.stage_one / question.idf.sum(),
        "document": _document(every, content, candidates)[article],
        "pairs": _pairs(every, question.order, len(content), candidates)[article] / total,
        "near": _near(every, content, candidates)[article] / total,
        "sentence": _sentences(ranked, weight, count) / total,
        "names": np.maximum(found, in_title) @ (content * _share_of_capitals(ranked, len(content))) / total,
        "capitals": np.maximum(found_capital, in_title) @ (content * question.capital) / total,
        "numbers": found @ (content * question.number) / total,
        "title": in_title @ content / total,
    }
    return np.stack([columns[name] for name in FEATURES], axis=1)


class _Matches(NamedTuple):
    """Every token that fills a slot, in the order of the texts; an array per property.

    `position` counts tokens, a short form as many as its long form has, and between two passages jumps
    by more than the distance that counts as near.
    """

    slot: _Ints
    weight: _Floats
    position: _Ints
    passage: _Ints
    sentence: _Ints
    sentence_length: _Floats
    begins: _Bools
    capital: _Bools

    def where(self, chosen: _Bools) -> "_Matches":
        return _Matches(*(values[chosen] for values in self))  # type: ignore[arg-type]

    def among(self, place: _Ints) -> "_Matches":
        """Return the matches in passages that have a place, renumbered by that place.

        A passage with -1 has no place. The place replaces the passage's number.
        """
        kept = self.where(place[self.passage] >= 0)
        return kept._replace(passage=place[kept.passage])


def _places(candidates: Candidates) -> _Ints:
    """Return, for every passage, its place among the ranked ones, or -1."""
    places = np.full(len(candidates.lengths), -1)
    places[candidates.ranked] = np.arange(len(candidates.ranked))
    return places


def _matches(question: QueryArrays, candidates: Candidates) -> _Matches:
    known, runs, widths = _fills(question)
    row, hit = rows(known, candidates.tokens)
    width = np.where(hit, widths[row], 1)

    lengths = candidates.lengths
    passage = np.repeat(np.arange(len(lengths)), lengths)
    begins = (candidates.flags & STARTS_SENTENCE > 0) | (np.diff(passage, prepend=-1) > 0)
    sentence = np.cumsum(begins) - 1

    token = np.repeat(np.flatnonzero(hit), width[hit])
    nth = np.arange(len(token)) - np.repeat(np.cumsum(width[hit]) - width[hit], width[hit])
    filled = runs[row[token], nth]
    return _Matches(
        slot=filled["slot"],
        weight=filled["weight"],
        position=(np.cumsum(width) - width)[token] + nth + (_NEAR + 1) * passage[token],
        passage=passage[token],
        sentence=sentence[token],
        sentence_length=np.bincount(sentence, weights=width)[sentence[token]],
        begins=begins[token] & (nth == 0),
        capital=(candidates.flags[token] & IS_CAPITAL > 0) & (width[token] == 1),
    )


def _fills(question: QueryArrays) -> tuple[_Ints, NDArray[np.void], _Ints]:
    """Return the sorted ids that fill slots, their slots, and the numbers of slots.

    The slots of an id are a row, with their weights; the number is that of the slots in the row.
    """
    known = sorted(question.fills)
    widths = np.array([len(question.fills[one]) for one in known])
    runs = np.zeros((len(known), int(widths.max())), dtype=[("slot", np.int64), ("weight", np.float64)])
    for number, one in enumerate(known):
        runs[number, : widths[number]] = list(question.fills[one])
    return np.array(known), runs, widths


def _found(group: _Ints, groups: int, matches: _Matches, slots: int) -> _Floats:
    """Return how well each slot is filled in every group of matches; 0 if it is not."""
    found = np.zeros(groups * slots)
    np.maximum.at(found, group * slots + matches.slot, matches.weight)
    return found.reshape(groups, slots)


def _saturated(counts: _Floats, lengths: _Floats, mean: float, k1: float, b: float) -> _Floats:
    """Return the tf part of BM25 of `counts`: a row per article, (articles, terms)."""
    return tf_part(counts, length_norm(lengths, mean, k1=k1, b=b)[:, np.newaxis])


def _article_lengths(candidates: Candidates) -> _Floats:
    lengths: _Floats = np.bincount(candidates.articles, weights=candidates.lengths).astype(np.float64)
    return lengths


def _document(matches: _Matches, content: _Floats, candidates: Candidates) -> _Floats:
    """Return every article's BM25 over the content slots, as a share of its maximum.

    The idf is squared.
    """
    lengths = _article_lengths(candidates)
    place = candidates.articles[matches.passage] * len(content) + matches.slot
    counts = _sums(place, matches.weight, len(lengths), len(content))
    parts = _saturated(counts, lengths, candidates.mean_article_length, _DOCUMENT_K1, _DOCUMENT_B)
    squared = content**2
    return parts @ squared / max(float(squared.sum()), 1e-9)


def _pairs(matches: _Matches, order: tuple[int, ...], slots: int, candidates: Candidates) -> _Floats:
    """Return every article's BM25 over neighbouring slots of the query, side by side.

    A pair counts where it is found side by side in the article.
    """
    lengths = _article_lengths(candidates)
    pairs = list(dict.fromkeys(pair for pair in pairwise(order) if min(pair) >= 0))
    if not pairs or len(matches.slot) < 2:
        return np.zeros(len(lengths))
    number = np.full((slots, slots), -1)
    number[tuple(np.array(pairs).T)] = np.arange(len(pairs))
    pair = number[matches.slot[:-1], matches.slot[1:]]
    beside = (np.diff(matches.position) == 1) & (pair >= 0)
    place = candidates.articles[matches.passage[:-1][beside]] * len(pairs) + pair[beside]
    weight = (matches.weight[:-1] * matches.weight[1:])[beside]
    counts = _sums(place, weight, len(lengths), len(pairs))
    parts = _saturated(counts, lengths, candidates.mean_article_length, _PAIR_K1, _PAIR_B)
    return parts @ idf_array((counts > 0).sum(axis=0).astype(np.float64), len(lengths))


def _near(matches: _Matches, content: _Floats, candidates: Candidates) -> _Floats:
    """Return every article's BM25 over pairs of content slots found near each other.

    It is divided by the number of content slots.
    """
    lengths = _article_lengths(candidates)
    chosen = np.sort(np.argsort(-content, kind="stable")[:_NEAR_SLOTS])
    chosen = chosen[content[chosen] > 0]
    kinds = len(chosen)
    if kinds < 2:
        return np.zeros(len(lengths))
    number = np.full(len(content), -1)
    number[chosen] = np.arange(kinds)
    these = matches.where(number[matches.slot] >= 0)
    slot, article = number[these.slot], candidates.articles[these.passage]
    counts = np.zeros(len(lengths) * kinds * kinds)
    for behind in range(1, min(_NEAR + 1, len(slot))):
        one, other = slot[:-behind], slot[behind:]
        apart = these.position[behind:] - these.position[:-behind]
        near = (apart > 0) & (apart <= _NEAR) & (one != other)
        pair = np.minimum(one, other) * kinds + np.maximum(one, other)
        place = (article[:-behind] * kinds * kinds + pair)[near]
        counts += np.bincount(place, (these.weight[:-behind] * these.weight[behind:])[near], len(counts))
    table = counts.reshape(len(lengths), kinds * kinds)
    table = table[:, table.any(axis=0)]
    parts = _saturated(table, lengths, candidates.mean_article_length, _PAIR_K1, _PAIR_B)
    return parts @ idf_array((table > 0).sum(axis=0).astype(np.float64), len(lengths)) / kinds


def _found_in_titles(question: QueryArrays, candidates: Candidates) -> _Floats:
    """Return, for every article, how well each slot is filled in its title."""
    known, runs, widths = _fills(question)
    row, hit = rows(known, candidates.titles)
    article = np.repeat(np.arange(len(candidates.title_lengths)), candidates.title_lengths)
    found = np.zeros((len(candidates.title_lengths), len(question.idf)))
    for nth in range(runs.shape[1]):
        here = hit & (widths[row] > nth)
        filled = runs[row[here], nth]
        np.maximum.at(found, (article[here], filled["slot"]), filled["weight"])
    return found


def rows(known: _Ints, tokens: _Ints) -> tuple[_Ints, _Bools]:
    """Return every token's row in the sorted `known` (0 if absent), and its presence.

    Few tokens are present; the others are ruled out by their last 16 bits, which is ten times quicker than a search.
    """
    likely = np.zeros(1 << 16, np.bool_)
    likely[known & 0xFFFF] = True
    some = np.flatnonzero(likely[tokens & 0xFFFF])
    place = np.minimum(np.searchsorted(known, tokens[some]), len(known) - 1)
    row, hit = np.zeros(len(tokens), np.int64), np.zeros(len(tokens), np.bool_)
    row[some], hit[some] = place, known[place] == tokens[some]
    return row, hit


def _sums(place: _Ints, weight: _Floats, rows: int, columns: int) -> _Floats:
    """Return a table of the weights summed by place, which counts row by row."""
    return np.bincount(place, weight, rows * columns).astype(np.float64).reshape(rows, columns)


def _sentences(matches: _Matches, weight: _Floats, passages: int) -> _Floats:
    """Return, for every passage, the worth of its best sentence."""
    best = np.zeros(passages)
    first = np.flatnonzero(np.diff(matches.sentence, prepend=-1) > 0)
    group = np.repeat(np.arange(len(first)), np.diff(first, append=len(matches.slot)))
    found = _found(group, len(first), matches, len(weight)) @ weight
    ratio = np.clip(matches.sentence_length[first] / _SENTENCE_LENGTH, *_SENTENCE_RATIOS)
    np.maximum.at(best, matches.passage[first], found / (1 - _SENTENCE_B + _SENTENCE_B * ratio))
    return best


def _share_of_capitals(matches: _Matches, slots: int) -> _Floats:
    """Return how often each slot, where no sentence begins, is written with a capital."""
    inner = matches.where(~matches.begins)
    total = np.bincount(inner.slot, minlength=slots)
    return np.bincount(inner.slot, inner.capital, slots) / np.maximum(total, 1)
