"""Searching: nodes evaluated over whole posting lists, in numpy, exactly as `seam` says."""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from htxsearch.engine.seam import (
    ARTICLE_FIELDS,
    K1,
    AnyTerm,
    B,
    Boolean,
    Counts,
    DateRange,
    Forward,
    Found,
    Hit,
    Leaf,
    Node,
    OneOf,
    Phrase,
)
from htxsearch.engine.whoosh.segment import Floats, Mask, Segment
from htxsearch.engine.whoosh.storage import MARK, NO_DATE, SEPARATOR, blob_name, durable_storage, mapped, schema, unpack_blob
from htxsearch.engine.whoosh.writer import WhooshWriter, sweep

__all__ = ["WhooshEngine"]


class _Matches(NamedTuple):
    """What a node found in one segment, an entry a Whoosh document; only passages' entries count."""

    mask: Mask
    scores: Floats


class WhooshEngine:
    """See `htxsearch.engine.seam.Engine` for the contract.

    Raises only subclasses of IndexFailure; which Whoosh exception becomes which is tested one by one.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Open the engine's files in `folder`, or make them there.

        Raises IndexMissing, IndexDamaged or IndexOutdated.
        """
        self._folder = folder
        with mapped(folder, writing=create):
            if create:
                folder.mkdir(parents=True, exist_ok=True)
                storage = durable_storage()(str(folder))
                self._index = storage.create_index(schema())
            else:
                storage = durable_storage()(str(folder))
                self._index = storage.open_index(schema=schema())
        self.generation = -1
        self._segments: list[Segment] = []
        self._averages: dict[str, float] = {}
        self._counts: Counts | None = None
        self._reader: Any = None
        self.refresh()

    def refresh(self) -> None:
        with mapped(self._folder):
            latest = self._index.latest_generation()
            while latest != self.generation:
                try:
                    reader = self._index.reader()
                    segments = [Segment(leaf) for leaf, _ in reader.leaf_readers() if leaf.doc_count_all()]
                except (FileNotFoundError, NameError):
                    # A commit between reading the table of contents and opening what it names: look again.
                    again = self._index.latest_generation()
                    if again == latest:
                        raise
                    latest = again
                    continue
                self.close()
                self._reader, self._segments = reader, segments
                self.generation = latest if reader.generation() is None else reader.generation()
                self._averages = {}
                self._counts = None
                break

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    # Searching

    def search(
        self,
        node: Node,
        *,
        limit: int,
        offset: int = 0,
        per_article: bool = True,
        by_date: bool = False,
        facets: Sequence[str] = (),
        explain: bool = False,
    ) -> Found:
        with mapped(self._folder):
            leaves: list[tuple[Leaf, list[_Matches]]] = []
            matches = self._evaluate(node, leaves)
            best = self._rank(matches, limit + offset, per_article=per_article, by_date=by_date)
            hits = []
            for score, at, doc in best[offset : offset + limit]:
                segment = self._segments[at]
                parts = ((leaf, float(found[at].scores[doc])) for leaf, found in leaves if found[at].mask[doc])
                number = int(segment.ordinal[doc]) - 1
                hits.append(Hit(segment.article_id(doc), number, score, tuple(parts) if explain else ()))
            passages = sum(int(np.count_nonzero(found.mask)) for found in matches)
            articles = sum(
                len(np.unique(segment.owner[found.mask])) for segment, found in zip(self._segments, matches, strict=True)
            )
            return Found(
                articles if per_article else passages,
                articles,
                tuple(hits),
                {name: self._facet(name, matches) for name in facets},
            )

    def _evaluate(self, node: Node, leaves: list[tuple[Leaf, list[_Matches]]]) -> list[_Matches]:
        """Return what `node` matches in each segment; note every scoring leaf in `leaves`."""
        if isinstance(node, Boolean):
            return self._boolean(node, leaves)
        if isinstance(node, OneOf | DateRange):
            masks = [self._filter(segment, node) for segment in self._segments]
            accepted = [_Matches(mask, np.where(mask, node.boost, 0.0)) for mask in masks]
            if node.boost:
                leaves.append((node, accepted))
            return accepted
        found = self._phrase(node) if isinstance(node, Phrase) else self._any_term(node)
        leaves.append((node, found))
        return found

    def _boolean(self, node: Boolean, leaves: list[tuple[Leaf, list[_Matches]]]) -> list[_Matches]:
        inside: list[tuple[Leaf, list[_Matches]]] = []
        must, should = ([self._evaluate(child, inside) for child in some] for some in (node.must, node.should))
        must_not = [self._evaluate(child, []) for child in node.must_not]
        found = []
        for at, segment in enumerate(self._segments):
            mask = segment.passages.copy() if must else np.zeros(segment.size, np.bool_)
            scores = np.zeros(segment.size)
            for child in should:
                scores += child[at].scores
                if not must:
                    mask |= child[at].mask
            for child in must:
                scores += child[at].scores
                mask &= child[at].mask
            for child in must_not:
                mask &= ~child[at].mask
            found.append(_Matches(mask, np.where(mask, scores, 0.0)))
        for leaf, matches in inside:  # a leaf counts only where the groups around it match
            pairs = zip(matches, found, strict=True)
            leaves.append((leaf, [_Matches(one.mask & group.mask, one.scores) for one, group in pairs]))
        return found

    def _any_term(self, node: AnyTerm) -> list[_Matches]:
        on_article = node.alternatives[0].field in ARTICLE_FIELDS
        best = [np.zeros(segment.size) for segment in self._segments]
        for field in {alternative.field for alternative in node.alternatives}:
            average = self._average_length(field)
            for at, segment in enumerate(self._segments):
                for alternative in node.alternatives:
                    if alternative.field == field:
                        docs, tf = segment.postings(field, alternative.term)
                        weights = alternative.weight * _tf_part(tf, segment.lengths(field)[docs], average)
                        best[at][docs] = np.maximum(best[at][docs], weights)
        return self._leaf(best, node.boost, on_article=on_article)

    def _phrase(self, node: Phrase) -> list[_Matches]:
        average = self._average_length(node.field)
        weights = []
        for segment in self._segments:
            counts = _phrase_counts(segment, node)
            docs = np.array(sorted(counts), np.int32)
            tf = np.array([counts[doc] for doc in docs.tolist()], np.float64)
            dense = np.zeros(segment.size)
            dense[docs] = _tf_part(tf, segment.lengths(node.field)[docs], average)
            weights.append(dense)
        return self._leaf(weights, node.boost, on_article=node.field in ARTICLE_FIELDS)

    def _leaf(self, weights: list[Floats], boost: float, *, on_article: bool) -> list[_Matches]:
        """Turn weighted tf parts into scores; hand a title's score to its article's passages."""
        df = sum(int(np.count_nonzero(weight)) for weight in weights)
        counts = self.counts()
        total = counts.articles if on_article else counts.passages
        factor = boost * math.log(1 + (total - df + 0.5) / (df + 0.5))
        found = []
        for segment, weight in zip(self._segments, weights, strict=True):
            scores = factor * weight
            if on_article:
                scores = np.where(segment.passages, scores[segment.article_docs][segment.owner], 0.0)
            found.append(_Matches(scores > 0, scores))
        return found

    def _filter(self, segment: Segment, node: OneOf | DateRange) -> Mask:
        """Return which passages' articles the filter takes."""
        if isinstance(node, OneOf):
            accepted = np.zeros(segment.size, np.bool_)
            for value in node.values:
                accepted[segment.postings(node.field, value).docs] = True
            mask: Mask = accepted[segment.article_docs][segment.owner] & segment.passages
            return mask
        first = node.since.toordinal() if node.since else NO_DATE + 1
        last = node.until.toordinal() if node.until else date.max.toordinal()
        dates = segment.dates
        return (dates >= first) & (dates <= last) & segment.passages

    def _average_length(self, field: str) -> float:
        """Return the mean number of terms over the live documents that have the field."""
        if field not in self._averages:
            of = [segment.articles if field in ARTICLE_FIELDS else segment.passages for segment in self._segments]
            total = sum(float(s.lengths(field)[mask].sum()) for s, mask in zip(self._segments, of, strict=True))
            count = sum(int(np.count_nonzero(mask)) for mask in of)
            self._averages[field] = total / count if total else 1.0
        return self._averages[field]

    # Ranking

    def _rank(self, matches: list[_Matches], limit: int, *, per_article: bool, by_date: bool) -> list[tuple[float, int, int]]:
        """Return the best `limit` as (score, segment number, document)."""
        kept = [
            _best_of_articles(segment, found) if per_article else np.flatnonzero(found.mask)
            for segment, found in zip(self._segments, matches, strict=True)
        ]
        total = sum(len(docs) for docs in kept)
        if not total or not limit:
            return []
        docs = np.concatenate(kept)
        at = np.repeat(np.arange(len(kept)), [len(some) for some in kept])
        scores = np.concatenate([found.scores[some] for found, some in zip(matches, kept, strict=True)])
        rounded = scores.round(9)
        if by_date:
            dates = np.concatenate([s.dates[some] for s, some in zip(self._segments, kept, strict=True)])
        else:
            dates = np.zeros(total, np.int32)
        order = np.lexsort((-rounded, -dates))
        last = order[min(limit, total) - 1]
        # Everything that may be among the first `limit` once ties are broken by id.
        among = (dates > dates[last]) | ((dates == dates[last]) & (rounded >= rounded[last]))
        chosen = []
        for i in np.flatnonzero(among).tolist():
            segment, doc = self._segments[int(at[i])], int(docs[i])
            tie = (segment.article_id(doc), int(segment.ordinal[doc]))
            chosen.append((-int(dates[i]), -float(rounded[i]), tie, (float(scores[i]), int(at[i]), doc)))
        return [entry[-1] for entry in sorted(chosen)[:limit]]

    def _facet(self, name: str, matches: list[_Matches]) -> dict[str, int]:
        counts: dict[str, int] = {}
        for segment, found in zip(self._segments, matches, strict=True):
            matched = np.zeros(segment.size, np.bool_)
            matched[segment.article_docs[segment.owner[found.mask]]] = True
            for value, number in _facet_of(segment, name, matched):
                counts[value] = counts.get(value, 0) + number
        return counts

    # Looking things up

    def spellings(self, field: Literal["syllable", "word"], key: str) -> list[str]:
        with mapped(self._folder):
            prefix = f"{MARK[field]}{key}{SEPARATOR}"
            found = {term[len(prefix) :] for segment in self._segments for term in segment.terms("spelling", prefix)}
            return sorted(found)

    def starting_with(self, prefix: str, *, limit: int) -> list[str]:
        with mapped(self._folder):
            found: set[tuple[str, str]] = set()
            for segment in self._segments:
                for number, entry in enumerate(segment.terms("spelling", MARK["syllable"] + prefix)):
                    if number == limit:
                        break
                    key, _, term = entry[1:].partition(SEPARATOR)
                    found.add((key, term))
            return [term for _, term in sorted(found)[:limit]]

    def forward(self, article_id: str) -> tuple[Forward, ...]:
        with mapped(self._folder):
            for segment, doc in self._article_docs(article_id):
                return segment.forward(doc)
            return ()

    def frequency(self, node: AnyTerm) -> int:
        with mapped(self._folder):
            total = 0
            for segment in self._segments:
                docs = [segment.postings(one.field, one.term).docs for one in node.alternatives]
                total += len(docs[0]) if len(docs) == 1 else len(np.unique(np.concatenate(docs)))
            return total

    def record(self, article_id: str) -> str | None:
        with mapped(self._folder):
            for segment, doc in self._article_docs(article_id):
                return segment.record(doc)
            return None

    def _article_docs(self, article_id: str) -> Iterator[tuple[Segment, int]]:
        for segment in self._segments:
            for doc in segment.postings("article", article_id).docs.tolist():
                yield segment, doc

    def article_ids(self) -> list[str]:
        with mapped(self._folder):
            return sorted(s.article_id(doc) for s in self._segments for doc in np.flatnonzero(s.articles).tolist())

    def values(self, field: Literal["place", "source"]) -> dict[str, int]:
        with mapped(self._folder):
            counts: dict[str, int] = {}
            for segment in self._segments:
                for value, number in _facet_of(segment, field, segment.articles):
                    counts[value] = counts.get(value, 0) + number
            return counts

    def vectors(self) -> Iterable[tuple[str, bytes]]:
        with mapped(self._folder):
            return [entry for segment in self._segments for entry in segment.vectors()]

    def counts(self) -> Counts:
        if self._counts is None:
            with mapped(self._folder):
                some = self._segments
                self._counts = Counts(
                    sum(int(np.count_nonzero(segment.articles)) for segment in some),
                    sum(int(np.count_nonzero(segment.passages)) for segment in some),
                    sum(int(segment.lengths("syllable")[segment.passages].sum()) for segment in some),
                )
        return self._counts

    def blob(self, name: str) -> bytes | None:
        with mapped(self._folder):
            while True:
                try:
                    return unpack_blob((self._folder / blob_name(name, self.generation)).read_bytes())
                except FileNotFoundError:
                    before = self.generation
                    self.refresh()  # a commit may have taken it away
                    if self.generation == before:
                        return None

    def writer(self) -> WhooshWriter:
        with mapped(self._folder):
            sweep(self._folder, self._index)
        return WhooshWriter(self._folder, self._index, self.refresh)


def _tf_part(tf: Floats, lengths: Floats, average: float) -> Floats:
    part: Floats = tf / (tf + K1 * (1 - B + B * lengths / average))
    return part


def _phrase_counts(segment: Segment, node: Phrase) -> dict[int, int]:
    """Return in which documents the phrase stands, and how often."""
    starts: dict[int, set[int]] | None = None
    for number, slot in enumerate(node.slots):
        here: dict[int, set[int]] = {}
        for term in slot:
            for doc, positions in segment.positions(node.field, term).items():
                if starts is None or doc in starts:
                    here.setdefault(doc, set()).update(position - number for position in positions)
        starts = here if starts is None else {doc: starts[doc] & at for doc, at in here.items() if starts[doc] & at}
    return {doc: len(at) for doc, at in (starts or {}).items()}


def _best_of_articles(segment: Segment, found: _Matches) -> npt.NDArray[np.intp]:
    """Return each matching article's best matching passage; of equals the first."""
    docs = np.flatnonzero(found.mask)
    owners = segment.owner[docs]
    order = np.lexsort((docs, -found.scores[docs].round(9), owners))
    first = np.ones(len(docs), np.bool_)
    first[1:] = owners[order][1:] != owners[order][:-1]
    return docs[order][first]


def _facet_of(segment: Segment, name: str, matched: Mask) -> Iterator[tuple[str, int]]:
    """Yield each value of a facet with its number of matching articles, none of them 0."""
    if name == "year":
        dates = segment.dates[matched]
        for day, number in zip(*np.unique(dates[dates != NO_DATE], return_counts=True), strict=True):
            yield str(date.fromordinal(int(day)).year), int(number)
        return
    for value in segment.terms(name, ""):
        number = int(np.count_nonzero(matched[segment.postings(name, value).docs]))
        if number:
            yield value, number
