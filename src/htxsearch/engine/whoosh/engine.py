"""The embedded engine: evaluates a node, orders its best passages, counts matches.

It also looks up terms, articles and values.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from htxsearch.engine.contract import (
    Boolean,
    Counts,
    DisjunctionMax,
    Forwards,
    Hit,
    Lookup,
    Node,
    Posting,
    Search,
    SearchResult,
)
from htxsearch.engine.whoosh.kernel import TIE, Floats, Ints
from htxsearch.engine.whoosh.reader import IndexReader, Mask
from htxsearch.engine.whoosh.scoring import LeafScores, best_passages, evaluate_once, explain_score
from htxsearch.engine.whoosh.segment import Segment
from htxsearch.engine.whoosh.storage import (
    NO_DATE,
    SegmentEntry,
    blob_name,
    latest_generation,
    mapped,
    read_contents,
    unpack_blob,
)

if TYPE_CHECKING:
    from htxsearch.engine.whoosh.writer import WhooshWriter

__all__ = ["WhooshEngine"]


class WhooshEngine:
    """Implements the contract `htxsearch.engine.contract.Engine` with Whoosh's files.

    Raises only subclasses of IndexFailure. Tests check for each Whoosh exception which of them it becomes.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Open the engine's files in `folder`, or create them there.

        Raises IndexMissing, IndexDamaged, IndexOutdated, IndexNotReadable or IndexNotWritable.
        """
        self._folder = folder
        self._index: Any = None
        with mapped(folder, writing=create):
            if create:
                from htxsearch.engine.whoosh.codec import DurableStorage, schema

                folder.mkdir(parents=True, exist_ok=True)
                self._index = DurableStorage(str(folder)).create_index(schema())
        self.generation = -1
        self._blobs: Mapping[str, int] = {}
        self._reader = IndexReader(())
        self.refresh()

    def _whoosh(self) -> Any:
        """Return Whoosh's index, for writing."""
        if self._index is None:
            from htxsearch.engine.whoosh.codec import DurableStorage, schema

            self._index = DurableStorage(str(self._folder)).open_index(schema=schema())
        return self._index

    def refresh(self) -> None:
        with mapped(self._folder):
            latest = latest_generation(self._folder)
            while latest != self.generation:
                segments, blobs = self._opened(latest)
                again = latest_generation(self._folder)
                if again == latest and segments is None:
                    raise FileNotFoundError(f"a file of commit {latest}")
                if segments is None or (again != latest and any(segment.lacks_columns for segment in segments)):
                    latest = again  # a commit removed files that were about to be opened: look again
                    continue
                self._reader = IndexReader(segments)
                self.generation, self._blobs = latest, blobs
                break

    def _opened(self, generation: int) -> tuple[list[Segment] | None, Mapping[str, int]]:
        """Return the segments of a commit, and the checksums of its blobs.

        There are no segments, but None, if a file is gone. Segments known before are not opened again.
        """
        known = {segment.entry.name: segment for segment in self._reader.segments}
        try:
            contents = read_contents(self._folder, generation)
            return [self._segment(entry, known.get(entry.name)) for entry in contents.segments if entry.size], contents.blobs
        except FileNotFoundError:
            return None, {}

    def _segment(self, entry: SegmentEntry, before: Segment | None) -> Segment:
        return before if before is not None and before.entry == entry else Segment(self._folder, entry, before)

    def close(self) -> None:
        self._reader = IndexReader(())

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
        count: bool = True,
        forwards: bool = False,
    ) -> SearchResult:
        with mapped(self._folder):
            reader = self._reader
            if not (count or per_article or by_date or facets or explain):
                found = best_passages(reader, node, limit + offset)
                if found is not None:
                    return _uncounted(reader, *found, offset, limit, forwards=forwards)
            matches = evaluate_once(reader, node)
            mask = matches.matching()
            if not limit and not offset:
                return _counted(reader, mask, facets, per_article=per_article)
            best_of = reader.max_per_article(
                matches.scores if matches.mask is None else np.where(mask, matches.scores, -1.0), -1.0
            )
            has_any = best_of > 0 if matches.mask is None else best_of >= 0
            best = _ranked(reader, matches, best_of, limit + offset, per_article=per_article, by_date=by_date)
            chosen = best[offset : offset + limit]
            passages, articles = int(np.count_nonzero(mask)), int(np.count_nonzero(has_any))
            hits = tuple(_hits(reader, node, matches.scores[chosen], chosen, explain=explain))
            return SearchResult(
                articles if per_article else passages,
                articles,
                hits,
                {name: _facet(reader, name, has_any) for name in facets},
                forwards=_of_hits(reader, hits) if forwards else None,
            )

    def search_many(self, searches: Sequence[Search]) -> list[SearchResult]:
        return [self.search(**one.options()) for one in searches]

    # Looking things up

    def sample(self, *conjunctions: Sequence[Posting], limit: int) -> SearchResult:
        with mapped(self._folder):
            reader = self._reader
            holding = [reader.holding(nodes) for nodes in conjunctions]
            numbers = np.concatenate([numbers for _, numbers in holding])
            articles, first = np.unique(np.concatenate([articles for articles, _ in holding]), return_index=True)
            count = min(limit, len(articles))
            chosen = [at * len(articles) // count for at in range(count)]
            hits = [Hit(reader.article_id(int(articles[at])), int(numbers[first[at]]), 0.0) for at in chosen]
            return SearchResult(len(articles), len(articles), tuple(hits), {})

    def spellings(self, lookups: Sequence[Lookup]) -> list[list[str]]:
        with mapped(self._folder):
            reader = self._reader
            return [list(reader.spellings(field, key)) for field, key in lookups]

    def starting_with(
        self, prefixes: Sequence[str], *, limit: int, field: Literal["syllable", "word"] = "syllable"
    ) -> list[list[str]]:
        with mapped(self._folder):
            return [self._reader.starting_with(field, prefix, limit) for prefix in prefixes]

    def frequencies(self, nodes: Sequence[DisjunctionMax]) -> list[int]:
        with mapped(self._folder):
            reader = self._reader
            return [reader.frequency(node.alternatives) if node.alternatives else 0 for node in nodes]

    def records(self, article_ids: Sequence[str]) -> list[str | None]:
        with mapped(self._folder):
            return [place[0].record(place[1]) if place else None for place in self._places(article_ids)]

    def facts_of(self, article_ids: Sequence[str]) -> list[bytes]:
        with mapped(self._folder):
            return [place[0].facts(place[1]) if place else b"" for place in self._places(article_ids)]

    def _places(self, article_ids: Sequence[str]) -> list[tuple[Segment, int] | None]:
        """Return each article's segment and number there, None for an unknown one."""
        reader = self._reader
        found = map(reader.article_called, article_ids)
        return [None if article is None else reader.location_of(article) for article in found]

    def forwards(self, article_ids: Sequence[str]) -> Forwards:
        with mapped(self._folder):
            return _forwards(self._reader, article_ids)

    def article_ids(self) -> list[str]:
        with mapped(self._folder):
            return self._reader.article_ids()

    def values(self, field: Literal["place", "source"]) -> dict[str, int]:
        with mapped(self._folder):
            return _facet(self._reader, field, self._reader.live)

    def vectors(self) -> Iterator[tuple[str, bytes]]:
        with mapped(self._folder):
            for segment in self._reader.segments:
                yield from segment.vectors()

    def facts(self, keys: Sequence[Collection[str]]) -> Iterator[tuple[str, bytes]]:
        with mapped(self._folder):
            for segment in self._reader.segments:
                for article in segment.articles_with(keys):
                    yield segment.article_id(article), segment.facts(article)

    def foresee(self, **asked: object) -> None:
        """Nothing is far away."""

    def counts(self) -> Counts:
        with mapped(self._folder):
            return self._reader.counts

    def blob(self, name: str) -> bytes | None:
        with mapped(self._folder):
            while True:
                try:
                    file = self._folder / blob_name(name, self.generation)
                    return unpack_blob(file.read_bytes(), self._blobs.get(name))
                except FileNotFoundError:
                    before = self.generation
                    self.refresh()  # a commit may have removed it
                    if self.generation == before:
                        if name in self._blobs:
                            raise
                        return None

    def writer(self) -> "WhooshWriter":
        from htxsearch.engine.whoosh.writer import WhooshWriter, mend, sweep

        with mapped(self._folder):
            sweep(self._folder)
            mend(self._folder, self._reader.segments)
            index = self._whoosh()
        return WhooshWriter(self._folder, index, self.generation, self._refreshed)

    def _refreshed(self) -> int:
        self.refresh()
        return self.generation


def _counted(reader: IndexReader, mask: Mask, facets: Sequence[str], *, per_article: bool) -> SearchResult:
    """Return the numbers of passages, articles and values of facets, without a hit."""
    has_any = reader.any_of_article(mask)
    articles = int(np.count_nonzero(has_any))
    total = articles if per_article else int(np.count_nonzero(mask))
    return SearchResult(total, articles, (), {name: _facet(reader, name, has_any) for name in facets})


def _ranked(reader: IndexReader, matches: LeafScores, best_of: Floats, limit: int, *, per_article: bool, by_date: bool) -> Ints:
    """Return the best `limit` passages in order.

    `best_of` are the articles' best scores. The last article of the best `limit` bounds the candidates, grouped or
    not; only passages that reach this bound are put in order.
    """
    has_any = best_of > 0 if matches.mask is None else best_of >= 0
    count = int(np.count_nonzero(has_any))
    if not count or not limit:
        return np.empty(0, np.intp)
    measure = np.where(has_any, reader.dates, -1).astype(np.float64) if by_date else best_of
    least = reader.kernel.nth_greatest(measure, limit, -1.0) - 2 * TIE if count > limit else -1.0
    if by_date:
        passages = np.flatnonzero(matches.matching() & reader.of_passages(measure >= least))
    elif least > 0:
        passages = np.flatnonzero(matches.scores >= least)
    else:
        passages = np.flatnonzero(matches.matching())
    dates = reader.dates[reader.owner(passages)] if by_date else None
    order = _order(reader, passages, matches.scores[passages], dates)
    if per_article:
        _, first = np.unique(reader.owner(passages[order]), return_index=True)
        order = order[np.sort(first)]
    found: Ints = passages[order[:limit]]
    return found


def _order(reader: IndexReader, passages: Ints, scores: Floats, dates: Ints | None = None) -> Ints:
    """Return the order of passages: by date, score, article id and number.

    Without dates, the score comes first.
    """
    rounded = scores.round(9)
    if dates is None and len(set(rounded.tolist())) == len(rounded):
        return np.argsort(-rounded)
    owner = reader.owner(passages)
    keys = [reader.passage_number(passages), _ranks(reader, owner), -rounded]
    return np.lexsort(keys if dates is None else [*keys, -dates])


def _uncounted(reader: IndexReader, passages: Ints, scores: Floats, offset: int, limit: int, *, forwards: bool) -> SearchResult:
    """Return the best of some passages; what matches beside them is not counted."""
    if not limit:
        return SearchResult(len(passages), 0, (), {}, exact=False)
    kept = np.flatnonzero(scores >= reader.kernel.nth_greatest(scores, offset + limit, 0.0) - 2 * TIE)
    order = kept[_order(reader, passages[kept], scores[kept])][offset : offset + limit]
    hits = tuple(_hits(reader, Boolean(), scores[order], passages[order], explain=False))
    of_hits = _of_hits(reader, hits) if forwards else None
    return SearchResult(len(passages), len({hit.article_id for hit in hits}), hits, {}, exact=False, forwards=of_hits)


def _of_hits(reader: IndexReader, hits: Iterable[Hit]) -> Forwards:
    return _forwards(reader, sorted({hit.article_id for hit in hits}))


def _forwards(reader: IndexReader, article_ids: Iterable[str]) -> Forwards:
    title_hashes: list[bytes] = []
    title_flags: list[bytes] = []
    title_lengths: list[int] = []
    hashes: list[bytes] = []
    flags: list[bytes] = []
    lengths: list[int] = []
    passages: list[int] = []
    articles = [reader.article_called(article_id) for article_id in article_ids]
    if together := reader.tokens_of(articles):
        return together
    for article in articles:
        packed, counts = reader.tokens(article) if article is not None else (b"", [0])
        title, *others = counts
        title_hashes.append(packed[: 4 * title])
        title_flags.append(packed[4 * title : 5 * title])
        title_lengths.append(title)
        lengths += others
        passages.append(len(others))
        at = 5 * title
        for count in others:
            middle, end = at + 4 * count, at + 5 * count
            hashes.append(packed[at:middle])
            flags.append(packed[middle:end])
            at = end
    return Forwards(
        b"".join(title_hashes), b"".join(title_flags), title_lengths, b"".join(hashes), b"".join(flags), lengths, passages
    )


def _ranks(reader: IndexReader, articles: Ints) -> Ints:
    """Return the rank of each article's id among all ids, (articles,) intp."""
    different, back = np.unique(articles, return_inverse=True)
    ids = [reader.article_id(article) for article in different.tolist()]
    ranks = np.empty(len(ids), np.intp)
    ranks[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))
    found: Ints = ranks[back]
    return found


def _hits(reader: IndexReader, node: Node, scores: Floats, passages: Ints, *, explain: bool) -> Iterable[Hit]:
    leaves = explain_score(reader, node, passages) if explain else []
    owner = reader.owner(passages)
    number = (passages - reader.starts[owner]).tolist()
    owner = owner.tolist()
    for at, score in enumerate(scores.tolist()):
        if not leaves:
            yield Hit(reader.article_id(owner[at]), number[at], score)
            continue
        own = tuple((leaf, float(scores[at])) for leaf, scores, within in leaves if within[at])
        yield Hit(reader.article_id(owner[at]), number[at], score, own)


def _facet(reader: IndexReader, name: str, articles: Mask) -> dict[str, int]:
    """Return each value of a facet with the number of articles that have it.

    No number is 0.
    """
    if name == "year":
        days, counts = np.unique(reader.dates[articles & (reader.dates != NO_DATE)], return_counts=True)
        years: dict[str, int] = {}
        for day, count in zip(days.tolist(), counts.tolist(), strict=True):
            year = str(date.fromordinal(day).year)
            years[year] = years.get(year, 0) + count
        return years
    names, codes = reader.values(name)
    numbers = np.bincount(codes[articles] + 1, minlength=len(names) + 1)[1:].tolist()
    return {value: number for value, number in zip(names, numbers, strict=True) if number}
