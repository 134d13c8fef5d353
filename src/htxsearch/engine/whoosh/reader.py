"""All segments as a single index: joint numbers, statistics and postings.

Passages and articles are numbered through, statistics are those of all segments, postings are joined and cached.
Scores need document frequencies and mean lengths over the whole collection, and numpy costs by the call, not by
the segment. Hence segments are joined here once after each commit, and a term's postings at the first request.
"""

from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from htxsearch.engine.bm25 import idf, length_norm, tf_part
from htxsearch.engine.contract import ARTICLE_FIELDS, Counts, Phrase, Posting, WeightedTerm
from htxsearch.engine.whoosh.segment import Segment
from htxsearch.engine.whoosh.storage import FIELD_PREFIX

__all__ = ["Floats", "IndexReader", "Ints", "Mask", "TermWeights"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

_DENSE = 8
"""A term in more than one of this many docs is kept as an array over all docs: adding that is faster than scattering."""


class TermWeights(NamedTuple):
    """Unboosted scores of one leaf, idf included; a doc is a passage or an article.

    Sparse: `docs`, (frequency,) intp, and `values`, (frequency,) float64. Dense: `docs` is None, `values` has a score
    for each doc, 0 where the leaf does not match. `frequency` is the number of docs that match.
    """

    docs: Ints | None
    values: Floats
    frequency: int

    @property
    def size(self) -> int:
        """Return the number of bytes held."""
        return self.values.nbytes + (0 if self.docs is None else self.docs.nbytes)

    def add_to(self, scores: Floats, boost: float) -> None:
        """Add the weights times a boost."""
        values = self.values if boost == 1 else self.values * boost
        if self.docs is None:
            scores += values
        else:
            np.add.at(scores, self.docs, values)  # faster than scores[docs] += values

    def dense(self, count: int) -> Floats:
        """Return a score for each of `count` docs, (count,) float64."""
        if self.docs is None:
            return self.values
        dense = np.zeros(count)
        dense[self.docs] = self.values
        return dense


class IndexReader:
    """Reads the segments of one commit as one index."""

    _KEPT = 40_000_000
    """Bytes of weights cached: those of the 50 commonest terms of 100,000 passages, or of thousands of others. With two or
    three times as many, a query of news is a twentieth faster."""
    _KEPT_DOCS = 64
    """Lists of the docs of some alternatives cached: a megabyte each at most, at 100,000 passages."""
    _KEPT_LOOKUPS = 10_000
    """Spellings and frequencies cached."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.segments = tuple(segments)
        self._kept: OrderedDict[object, TermWeights] = OrderedDict()
        self._kept_size = 0
        self._held: OrderedDict[tuple[WeightedTerm, ...], Ints] = OrderedDict()
        self._spellings: dict[tuple[str, str], tuple[str, ...]] = {}
        self._frequencies: dict[tuple[WeightedTerm, ...], int] = {}
        self._ids: dict[int, str] = {}
        self._articles: dict[str, int] = {}
        self._values: dict[str, tuple[list[str], Ints]] = {}
        self._norms: dict[str, Floats] = {}

    # Numbering: live articles only, those with most passages first. Passages are ordered by their rank in the article:
    # all first passages, then all second ones, so that the n-th passages of all articles that have one are a slice.

    @cached_property
    def _numbering(self) -> "_Numbering":
        return _Numbering(self.segments)

    @property
    def articles(self) -> int:
        """Return the number of articles."""
        return len(self._numbering.segment)

    @property
    def passages(self) -> int:
        """Return the number of passages."""
        return len(self._numbering.owner)

    def owner(self, passages: Ints) -> Ints:
        """Return the article of each passage, (passages,) intp."""
        return self._numbering.owner[passages]

    def passage_number(self, passages: Ints) -> Ints:
        """Return the number of each passage in its article, (passages,) intp."""
        numbering = self._numbering
        return np.searchsorted(numbering.layers, passages, "right") - 1

    def max_per_article(self, passages: Floats, start: float) -> Floats:
        """Return the greatest value of each article's passages, (articles,) float64.

        An article without passages has `start`.
        """
        most = np.full(self.articles, start)
        for layer, count in self._numbering.slices:
            np.maximum(most[:count], passages[layer], out=most[:count])
        rest = self._numbering.rest
        np.maximum.at(most, self._numbering.owner[rest:], passages[rest:])
        return most

    def propagate_to_passages(self, articles: Floats, passages: Floats) -> None:
        """Add the value of each article to those of its passages, in place.

        The values are (articles,) and (passages,).
        """
        for layer, count in self._numbering.slices:
            passages[layer] += articles[:count]
        rest = self._numbering.rest
        passages[rest:] += articles[self._numbering.owner[rest:]]

    def of_passages(self, articles: Mask) -> Mask:
        """Return the value of each passage's article, (passages,) bool."""
        found: Mask = articles[self._numbering.owner]
        return found

    def location_of(self, article: int) -> tuple[Segment, int]:
        """Return an article's segment and its number in that segment."""
        return self.segments[int(self._numbering.segment[article])], int(self._numbering.in_segment[article])

    def article_id(self, article: int) -> str:
        """Return an article's id."""
        found = self._ids.get(article)
        if found is None:
            segment, number = self.location_of(article)
            found = self._ids[article] = segment.article_id(number)
            self._articles[found] = article
        return found

    def article_called(self, article_id: str) -> int | None:
        """Return the article of an id, None if there is none."""
        if article_id not in self._articles:
            for segment, numbers in zip(self.segments, self._numbering.article, strict=True):
                for number in segment.articles_called(article_id):
                    self._articles[article_id] = int(numbers[number])
        return self._articles.get(article_id)

    @cached_property
    def _all_live(self) -> bool:
        return not any(segment.entry.deleted for segment in self.segments)

    def _of_live(self, arrays: Sequence[npt.NDArray[Any]], *, on_article: bool) -> Ints:
        """Return the values of all segments' live docs by number, (docs,) intp."""
        numbers = self._numbering.article if on_article else self._numbering.passage
        found = np.empty(self.articles if on_article else self.passages, np.intp)
        for some, array in zip(numbers, arrays, strict=True):
            if self._all_live:
                found[some] = array
            else:
                found[some[some >= 0]] = array[some >= 0]
        return found

    # Values

    @cached_property
    def dates(self) -> Ints:
        """Return every article's date as an ordinal, (articles,) intp, 0 for none."""
        return self._of_live([segment.section("date") for segment in self.segments], on_article=True)

    def values(self, field: str) -> tuple[list[str], Ints]:
        """Return the values of place or source, and the number of each article's value.

        The numbers are (articles,) intp, -1 for none.
        """
        if field not in self._values:
            names: dict[str, int] = {}
            codes = []
            for segment in self.segments:
                numbers = [names.setdefault(name, len(names)) for name in segment.values(field)]
                codes.append(np.array([-1, *numbers])[segment.section(f"{field}.code")])
            self._values[field] = (list(names), self._of_live(codes, on_article=True))
        return self._values[field]

    # Lengths

    @cached_property
    def counts(self) -> Counts:
        """Return the numbers of articles, of passages, and of syllables in passages."""
        return Counts(self.articles, self.passages, int(self._lengths("syllable").sum()))

    def _lengths(self, field: str) -> Ints:
        lengths = [segment.section(f"length.{field}") for segment in self.segments]
        return self._of_live(lengths, on_article=field in ARTICLE_FIELDS)

    def doc_count(self, field: str) -> int:
        """Return the number of passages, or of articles for an article's field."""
        return self.articles if field in ARTICLE_FIELDS else self.passages

    def norm(self, field: str) -> Floats:
        """Return the BM25 length norm of every doc, (docs,) float64."""
        if field not in self._norms:
            lengths = self._lengths(field)
            total = int(lengths.sum())
            average = total / len(lengths) if total else 1.0
            self._norms[field] = length_norm(lengths.astype(np.float64), average)
        return self._norms[field]

    # Postings

    def weights(self, alternatives: tuple[WeightedTerm, ...]) -> TermWeights:
        """Return the scores of alternatives in each doc.

        A score is the best weight * tf part, times the idf of the group.
        """
        found = self._kept.get(alternatives)
        if found is None:
            field = alternatives[0].field if alternatives else "syllable"
            found = self._keep(alternatives, self._best(alternatives), self.doc_count(field))
        else:
            self._kept.move_to_end(alternatives)
        return found

    def _keep(self, key: object, weights: TermWeights, docs: int) -> TermWeights:
        """Multiply a leaf's weights by the idf, cache and return them.

        `docs` is the number of docs of its level.
        """
        weights.values[:] *= idf(weights.frequency, docs)
        self._kept[key] = weights
        self._kept_size += weights.size
        while self._kept_size > self._KEPT and len(self._kept) > 1:
            self._kept_size -= self._kept.popitem(last=False)[1].size
        return weights

    def _best(self, alternatives: tuple[WeightedTerm, ...]) -> TermWeights:
        some = []
        for one in alternatives:
            docs, tf = self.postings(one.field, one.term)
            if len(docs):
                some.append((docs, one.weight * tf_part(tf, self.norm(one.field)[docs])))
        count = self.doc_count(alternatives[0].field) if alternatives else 0
        if not some:
            return TermWeights(np.empty(0, np.intp), np.empty(0), 0)
        total = sum(len(docs) for docs, _ in some)
        if len(some) == 1 and total * _DENSE <= count:
            return TermWeights(*some[0], total)
        best = np.zeros(count)
        for docs, values in some:
            best[docs] = values if len(some) == 1 else np.maximum(best[docs], values)
        if total * _DENSE <= count:
            docs = _each_once(np.concatenate([docs for docs, _ in some]))
            return TermWeights(docs, best[docs], len(docs))
        frequency = total if len(some) == 1 else int(np.count_nonzero(best))
        if frequency * _DENSE > count:
            return TermWeights(None, best, frequency)
        docs = np.flatnonzero(best)
        return TermWeights(docs, best[docs], frequency)

    def postings(self, field: str, term: str) -> tuple[Ints, Floats]:
        """Return the live docs that hold a term, and its frequency in each.

        The docs are (frequency,) intp, the frequencies (frequency,) float64.
        """
        numbers = self._numbering.article if field in ARTICLE_FIELDS else self._numbering.passage
        docs, tf = [], []
        for segment, number in zip(self.segments, numbers, strict=True):
            found = segment.postings(field, term)
            if found is not None:
                docs.append(number[found[0]])
                tf.append(found[1])
        if not docs:
            return np.empty(0, np.intp), np.empty(0)
        all_docs, all_tf = np.concatenate(docs), np.concatenate(tf, dtype=np.float64)
        if self._all_live:
            return all_docs, all_tf
        return all_docs[all_docs >= 0], all_tf[all_docs >= 0]

    def holding(self, nodes: Sequence[Posting]) -> tuple[Ints, Ints]:
        """Return the article and the number in it of docs that match all nodes.

        Both are (docs,) intp. A title stands for the first passage of its article.
        """
        some = sorted((self._docs(node) for node in nodes), key=len)
        docs = some[0]
        for more in some[1:]:
            docs = np.intersect1d(docs, more, assume_unique=True)
        if not _is_on_article(nodes[0]):
            return self._numbering.owner[docs], self.passage_number(docs)
        docs = docs[docs < (self._numbering.layers[1] if self.passages else 0)]  # those with a passage
        return docs, np.zeros(len(docs), np.intp)

    def _docs(self, node: Posting) -> Ints:
        """Return the live docs that match a leaf, ascending, (docs,) intp."""
        if isinstance(node, Phrase):
            found = self.phrase(node.field, node.slots).docs
            return np.empty(0, np.intp) if found is None else found
        docs = self._held.get(node.alternatives)
        if docs is None:
            some = [self.postings(one.field, one.term)[0] for one in node.alternatives]
            docs = _each_once(np.concatenate(some)) if some else np.empty(0, np.intp)
            self._held[node.alternatives] = docs
            if len(self._held) > self._KEPT_DOCS:
                self._held.popitem(last=False)
        return docs

    def frequency(self, alternatives: tuple[WeightedTerm, ...]) -> int:
        """Return the number of docs that hold any of the alternatives."""
        found = self._frequencies.get(alternatives)
        if found is None:
            if len(self._frequencies) >= self._KEPT_LOOKUPS:
                self._frequencies.clear()
            found = self._frequencies[alternatives] = self._count(alternatives)
        return found

    def _count(self, alternatives: tuple[WeightedTerm, ...]) -> int:
        kept = self._kept.get(alternatives)
        if kept is not None:
            return kept.frequency
        if len(alternatives) == 1:
            (one,) = alternatives
            numbers = self._numbering.article if one.field in ARTICLE_FIELDS else self._numbering.passage
            pairs = zip(self.segments, numbers, strict=True)
            return sum(_live_count(segment, number, one.field, one.term) for segment, number in pairs)
        here = np.zeros(self.doc_count(alternatives[0].field), np.bool_)
        for one in alternatives:
            here[self.postings(one.field, one.term)[0]] = True
        return int(np.count_nonzero(here))

    # Spellings

    def spellings(self, field: str, key: str) -> tuple[str, ...]:
        """Return the live terms of a key, sorted."""
        found = self._spellings.get((field, key))
        if found is None:
            terms = {term for segment in self.segments for term in segment.spellings(FIELD_PREFIX[field] + key)}
            found = tuple(sorted(term for term in terms if self._is_live(field, term)))
            if len(self._spellings) >= self._KEPT_LOOKUPS:
                self._spellings.clear()
            self._spellings[field, key] = found
        return found

    def starting_with(self, field: str, prefix: str, limit: int) -> list[str]:
        """Return up to `limit` live terms whose key begins with `prefix`, sorted by key."""
        found: set[tuple[str, str]] = set()
        for segment in self.segments:
            more = limit
            for key, term in segment.spellings_from(FIELD_PREFIX[field] + prefix):
                if more == 0:
                    break
                if not segment.entry.deleted or self._is_live(field, term):
                    more -= 1
                    found.add((key, term))
        return [term for _, term in sorted(found)[:limit]]

    def _is_live(self, field: str, term: str) -> bool:
        """Return True if a passage or title of a live article holds a term."""
        if self._all_live:
            return True
        in_passages, in_titles = ("syllable", "title") if field == "syllable" else ("word", "title_word")
        return self._is_live_in(in_passages, term, self._numbering.passage) or self._is_live_in(
            in_titles, term, self._numbering.article
        )

    def _is_live_in(self, field: str, term: str, numbers: Sequence[Ints]) -> bool:
        return any(_live_count(segment, number, field, term) for segment, number in zip(self.segments, numbers, strict=True))

    # Phrases

    def phrase(self, field: str, slots: tuple[tuple[str, ...], ...]) -> TermWeights:
        """Return the scores of a phrase: its tf part times its idf."""
        found = self._kept.get((field, slots))
        if found is None:
            counts = self._phrase_counts(field, slots)
            docs = np.array(sorted(counts), np.intp)
            tf = np.array([counts[doc] for doc in docs.tolist()], np.float64)
            weights = TermWeights(docs, tf_part(tf, self.norm(field)[docs]), len(docs))
            found = self._keep((field, slots), weights, self.doc_count(field))
        return found

    def _phrase_counts(self, field: str, slots: tuple[tuple[str, ...], ...]) -> dict[int, int]:
        """Return the docs that hold a phrase, with its frequency in each."""
        counts = {}
        numbers = self._numbering.article if field in ARTICLE_FIELDS else self._numbering.passage
        for segment, number in zip(self.segments, numbers, strict=True):
            for doc, count in segment.phrase(field, slots).items():
                if number[doc] >= 0:
                    counts[int(number[doc])] = count
        return counts

    def article_ids(self) -> list[str]:
        """Return all ids, sorted."""
        return sorted(
            one
            for segment in self.segments
            for one, live in zip(segment.article_ids(), segment.live.tolist(), strict=True)
            if live
        )


class _Numbering:
    """The numbers of the segments' articles and passages in the index, and back.

    `article[s]`, (articles of segment s,), and `passage[s]`, (passages of segment s,), have the number of each, -1
    for a deleted one. `segment` and `in_segment`, (articles,), locate an article; `owner`, (passages,), is each
    passage's article. `layers`, (most passages + 1,), are the starts of all first passages, all second ones, and
    so on; `slices` are the first of these layers with their lengths, and `rest` is the start of the others. All
    arrays are intp.
    """

    _SLICES = 64

    def __init__(self, segments: Sequence[Segment]) -> None:
        sizes = [len(segment.passages) for segment in segments]
        segment_of = np.repeat(np.arange(len(segments)), sizes)
        in_segment = np.concatenate([np.arange(size) for size in sizes]) if sizes else np.empty(0, np.intp)
        runs = np.concatenate([segment.passages for segment in segments], dtype=np.intp) if sizes else in_segment
        live = np.concatenate([segment.live for segment in segments]) if sizes else np.empty(0, np.bool_)
        order = np.argsort(np.where(live, -runs, 1), kind="stable")[: int(np.count_nonzero(live))]
        self.segment, self.in_segment = segment_of[order], in_segment[order]
        article = np.full(len(runs), -1, np.intp)
        article[order] = np.arange(len(order))
        lengths = runs[order]
        most = int(lengths.max()) if len(lengths) else 0
        counts = np.searchsorted(-lengths, -np.arange(most))  # how many articles have more than so many passages
        self.layers: Ints = np.append(0, np.cumsum(counts))
        self.owner: Ints = np.arange(int(self.layers[-1])) - np.repeat(self.layers[:-1], counts)
        whose = np.repeat(np.arange(len(runs)), runs)
        number = np.arange(len(whose)) - np.repeat(np.cumsum(runs) - runs, runs)
        kept = live[whose]
        passage = np.full(len(whose), -1, np.intp)
        passage[kept] = self.layers[number[kept]] + article[whose[kept]]
        ends = np.cumsum(sizes)[:-1]
        self.article = np.split(article, ends) if sizes else []
        self.passage = np.split(passage, np.append(0, np.cumsum(runs))[ends]) if sizes else []
        bounds = self.layers[: self._SLICES + 1].tolist()
        self.slices = [(slice(start, end), end - start) for start, end in pairwise(bounds)]
        self.rest = bounds[-1]


def _each_once(docs: Ints) -> Ints:
    """Return docs ascending, each once; np.unique takes several times as long.

    The array is sorted in place.
    """
    docs.sort()
    return docs[np.append(True, docs[1:] != docs[:-1])] if len(docs) else docs


def _is_on_article(node: Posting) -> bool:
    """Return True if a leaf matches titles."""
    if isinstance(node, Phrase):
        return node.field in ARTICLE_FIELDS
    return bool(node.alternatives) and node.alternatives[0].field in ARTICLE_FIELDS


def _live_count(segment: Segment, number: Ints, field: str, term: str) -> int:
    """Return the number of a segment's live docs that hold a term.

    `number`, (docs,), is -1 for deleted docs.
    """
    if not segment.entry.deleted:
        return segment.frequency(field, term)
    found = segment.postings(field, term)
    return 0 if found is None else int(np.count_nonzero(number[found[0]] >= 0))
