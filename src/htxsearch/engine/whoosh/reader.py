"""All live segments as one: passages and articles numbered through, statistics over all, postings joined and kept.

Scores need document frequencies and mean lengths over the whole collection, and numpy costs by the call, not by
the segment; so segments are joined here once after each commit, and a term's postings when it is first asked for.
"""

from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from htxsearch.engine.bm25 import idf, length_norm, tf_part
from htxsearch.engine.contract import ARTICLE_FIELDS, Counts, WeightedTerm
from htxsearch.engine.whoosh.segment import Segment
from htxsearch.engine.whoosh.storage import FIELD_PREFIX

__all__ = ["Floats", "IndexReader", "Ints", "Mask", "TermWeights"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

_DENSE = 8
"""A term in more than one of so many units is kept as an array over all of them: adding that is quicker than scattering."""


class TermWeights(NamedTuple):
    """What a leaf gives before its boost: `values` at the `units`, or, if these are None, at every unit, 0 where it is not.

    `frequency` counts the units where it is. Its idf is in the values.
    """

    units: Ints | None
    values: Floats
    frequency: int

    @property
    def size(self) -> int:
        """Return the number of bytes held."""
        return self.values.nbytes + (0 if self.units is None else self.units.nbytes)

    def add_to(self, scores: Floats, boost: float) -> None:
        """Add the weights times a boost."""
        values = self.values if boost == 1 else self.values * boost
        if self.units is None:
            scores += values
        else:
            np.add.at(scores, self.units, values)  # quicker than scores[units] += values

    def dense(self, count: int) -> Floats:
        """Return a weight for each of `count` units."""
        if self.units is None:
            return self.values
        dense = np.zeros(count)
        dense[self.units] = self.values
        return dense


class IndexReader:
    """What the segments of one commit hold together."""

    _KEPT = 40_000_000
    """Bytes of weights kept: those of the 50 commonest terms of 100,000 passages, or of thousands of others. Of twice or
    thrice as many a query of news is a twentieth quicker."""
    _KEPT_LOOKUPS = 10_000
    """Spellings and frequencies kept."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.segments = tuple(segments)
        self._kept: OrderedDict[object, TermWeights] = OrderedDict()
        self._kept_size = 0
        self._spellings: dict[tuple[str, str], tuple[str, ...]] = {}
        self._frequencies: dict[tuple[WeightedTerm, ...], int] = {}
        self._ids: dict[int, str] = {}
        self._articles: dict[str, int] = {}
        self._values: dict[str, tuple[list[str], Ints]] = {}
        self._norms: dict[str, Floats] = {}

    # Numbering: of live articles only, those with most passages first. Passages go by layers: all articles' first
    # ones, then all their second ones, so that the n-th passages of all articles that have one are a slice.

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
        """Return the articles of passages."""
        return self._numbering.owner[passages]

    def passage_number(self, passages: Ints) -> Ints:
        """Return the numbers of passages in their articles."""
        numbering = self._numbering
        return np.searchsorted(numbering.layers, passages, "right") - 1

    def of_articles(self, passages: Floats, start: float) -> Floats:
        """Return every article's greatest value, `start` for one without passages."""
        most = np.full(self.articles, start)
        for layer, count in self._numbering.slices:
            np.maximum(most[:count], passages[layer], out=most[:count])
        rest = self._numbering.rest
        np.maximum.at(most, self._numbering.owner[rest:], passages[rest:])
        return most

    def hand_down(self, articles: Floats, passages: Floats) -> None:
        """Add the values of articles to those of their passages."""
        for layer, count in self._numbering.slices:
            passages[layer] += articles[:count]
        rest = self._numbering.rest
        passages[rest:] += articles[self._numbering.owner[rest:]]

    def of_passages(self, articles: Mask) -> Mask:
        """Return every passage's article's value."""
        found: Mask = articles[self._numbering.owner]
        return found

    def place_of(self, article: int) -> tuple[Segment, int]:
        """Return an article's segment, and its number there."""
        return self.segments[int(self._numbering.segment[article])], int(self._numbering.place[article])

    def article_id(self, article: int) -> str:
        """Return an article's id."""
        found = self._ids.get(article)
        if found is None:
            segment, number = self.place_of(article)
            found = self._ids[article] = segment.article_id(number)
            self._articles[found] = article
        return found

    def article_called(self, article_id: str) -> int | None:
        """Return the article of an id."""
        if article_id not in self._articles:
            for segment, numbers in zip(self.segments, self._numbering.article, strict=True):
                for number in segment.articles_called(article_id):
                    self._articles[article_id] = int(numbers[number])
        return self._articles.get(article_id)

    @cached_property
    def _all_live(self) -> bool:
        return not any(segment.entry.deleted for segment in self.segments)

    def _of_live(self, arrays: Sequence[npt.NDArray[Any]], *, on_article: bool) -> Ints:
        """Return values of all segments' passages or articles in the collection's order."""
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
        """Return every article's date as an ordinal, 0 for none."""
        return self._of_live([segment.section("date") for segment in self.segments], on_article=True)

    def values(self, field: str) -> tuple[list[str], Ints]:
        """Return the values of place or source, and for every article the number of its value among them, -1 for none."""
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
        """Return how many articles and passages there are, and syllables in these."""
        return Counts(self.articles, self.passages, int(self._lengths("syllable").sum()))

    def _lengths(self, field: str) -> Ints:
        lengths = [segment.section(f"length.{field}") for segment in self.segments]
        return self._of_live(lengths, on_article=field in ARTICLE_FIELDS)

    def units(self, field: str) -> int:
        """Return the number of passages or articles, whichever the field is of."""
        return self.articles if field in ARTICLE_FIELDS else self.passages

    def norm(self, field: str) -> Floats:
        """Return k1 * (1 - b + b * length / average length) for every passage or article."""
        if field not in self._norms:
            lengths = self._lengths(field)
            total = int(lengths.sum())
            average = total / len(lengths) if total else 1.0
            self._norms[field] = length_norm(lengths.astype(np.float64), average)
        return self._norms[field]

    # Postings

    def weights(self, alternatives: tuple[WeightedTerm, ...]) -> TermWeights:
        """Return the weight of the best alternative wherever there is one: its own weight times its tf part, times the idf."""
        found = self._kept.get(alternatives)
        if found is None:
            field = alternatives[0].field if alternatives else "syllable"
            found = self._keep(alternatives, self._best(alternatives), self.units(field))
        else:
            self._kept.move_to_end(alternatives)
        return found

    def _keep(self, key: object, weights: TermWeights, units: int) -> TermWeights:
        """Keep what a leaf of a field with so many units weighs, and return it with the idf in it."""
        weights.values[:] *= idf(weights.frequency, units)
        self._kept[key] = weights
        self._kept_size += weights.size
        while self._kept_size > self._KEPT and len(self._kept) > 1:
            self._kept_size -= self._kept.popitem(last=False)[1].size
        return weights

    def _best(self, alternatives: tuple[WeightedTerm, ...]) -> TermWeights:
        some = []
        for one in alternatives:
            units, tf = self.postings(one.field, one.term)
            if len(units):
                some.append((units, one.weight * tf_part(tf, self.norm(one.field)[units])))
        count = self.units(alternatives[0].field) if alternatives else 0
        if not some:
            return TermWeights(np.empty(0, np.intp), np.empty(0), 0)
        total = sum(len(units) for units, _ in some)
        if len(some) == 1 and total * _DENSE <= count:
            return TermWeights(*some[0], total)
        best = np.zeros(count)
        for units, values in some:
            best[units] = values if len(some) == 1 else np.maximum(best[units], values)
        if total * _DENSE <= count:
            units = np.concatenate([units for units, _ in some])
            units.sort()  # and each once; np.unique takes several times as long
            units = units[np.append(True, units[1:] != units[:-1])]
            return TermWeights(units, best[units], len(units))
        frequency = total if len(some) == 1 else int(np.count_nonzero(best))
        if frequency * _DENSE > count:
            return TermWeights(None, best, frequency)
        units = np.flatnonzero(best)
        return TermWeights(units, best[units], frequency)

    def postings(self, field: str, term: str) -> tuple[Ints, Floats]:
        """Return the passages or articles a term stands in, and how often in each."""
        numbers = self._numbering.article if field in ARTICLE_FIELDS else self._numbering.passage
        units, tf = [], []
        for segment, number in zip(self.segments, numbers, strict=True):
            found = segment.postings(field, term)
            if found is not None:
                units.append(number[found[0]])
                tf.append(found[1])
        if not units:
            return np.empty(0, np.intp), np.empty(0)
        all_units, all_tf = np.concatenate(units), np.concatenate(tf, dtype=np.float64)
        if self._all_live:
            return all_units, all_tf
        return all_units[all_units >= 0], all_tf[all_units >= 0]

    def frequency(self, alternatives: tuple[WeightedTerm, ...]) -> int:
        """Return how many passages or articles have any of the alternatives."""
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
        here = np.zeros(self.units(alternatives[0].field), np.bool_)
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
        """Tell whether a term stands in a passage or title of a live article."""
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
        """Return the tf part of a phrase where it stands, times its idf."""
        found = self._kept.get((field, slots))
        if found is None:
            counts = self._phrase_counts(field, slots)
            units = np.array(sorted(counts), np.intp)
            tf = np.array([counts[unit] for unit in units.tolist()], np.float64)
            weights = TermWeights(units, tf_part(tf, self.norm(field)[units]), len(units))
            found = self._keep((field, slots), weights, self.units(field))
        return found

    def _phrase_counts(self, field: str, slots: tuple[tuple[str, ...], ...]) -> dict[int, int]:
        """Return in which passages or articles a phrase stands, and how often."""
        counts = {}
        numbers = self._numbering.article if field in ARTICLE_FIELDS else self._numbering.passage
        for segment, number in zip(self.segments, numbers, strict=True):
            for unit, count in segment.phrase(field, slots).items():
                if number[unit] >= 0:
                    counts[int(number[unit])] = count
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
    """Which numbers the segments' articles and passages have in the collection, and the other way round.

    `article` and `passage` give, for each segment, the number of each of its articles and passages, -1 for a deleted
    one. `segment` and `place` say where an article is, `owner` which article a passage is of. `layers` are where the
    layers begin; `slices` are the first of them, with their lengths, and `rest` is where the other ones begin.
    """

    _SLICES = 64

    def __init__(self, segments: Sequence[Segment]) -> None:
        sizes = [len(segment.passages) for segment in segments]
        segment_of = np.repeat(np.arange(len(segments)), sizes)
        place = np.concatenate([np.arange(size) for size in sizes]) if sizes else np.empty(0, np.intp)
        runs = np.concatenate([segment.passages for segment in segments], dtype=np.intp) if sizes else place
        live = np.concatenate([segment.live for segment in segments]) if sizes else np.empty(0, np.bool_)
        order = np.argsort(np.where(live, -runs, 1), kind="stable")[: int(np.count_nonzero(live))]
        self.segment, self.place = segment_of[order], place[order]
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


def _live_count(segment: Segment, number: Ints, field: str, term: str) -> int:
    """Return in how many of a segment's live passages or articles a term stands; `number` is -1 for deleted ones."""
    if not segment.entry.deleted:
        return segment.frequency(field, term)
    found = segment.postings(field, term)
    return 0 if found is None else int(np.count_nonzero(number[found[0]] >= 0))
