"""All segments as a single index: joint numbers, statistics and postings.

Passages and articles are numbered through in the order of the segments, deleted ones included; statistics are those of
live ones, and postings have only these. Scores need document frequencies and mean lengths over the whole collection,
and numpy costs by the call, not by the segment. Hence a term's postings are joined here at the first request, and kept.
"""

import zlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from htxsearch.engine.bm25 import idf, length_norm, tf_part
from htxsearch.engine.contract import ARTICLE_FIELDS, AtLeast, Counts, Forwards, Node, Phrase, Posting, WeightedTerm
from htxsearch.engine.whoosh.kernel import Docs, Floats, Frequencies, Ints, Kernel, TermPostings, fastest_kernel
from htxsearch.engine.whoosh.segment import Segment
from htxsearch.engine.whoosh.storage import FIELD_PREFIX

__all__ = ["Group", "IndexReader", "Mask", "PhraseScores", "is_on_article"]

Mask = npt.NDArray[np.bool_]

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_NO_DOCS = np.empty(0, np.uint32)
_NO_TF = np.empty(0, np.uint8)


class Group(NamedTuple):
    """The postings of alternatives, with their idf.

    `bound` is at least the greatest part (`kernel`) that a document has.
    """

    postings: tuple[TermPostings, ...]
    idf: float
    bound: float

    @property
    def size(self) -> int:
        """The number of postings."""
        return sum(len(docs) for _, docs, *_ in self.postings)


class PhraseScores(NamedTuple):
    """The docs that hold a phrase, ascending, and the score of each.

    They are (docs,) intp and (docs,) float64.
    """

    docs: Ints
    scores: Floats


class _Joined(NamedTuple):
    """A term's postings in all segments, and its greatest frequency."""

    docs: Docs
    tf: Frequencies
    most: int


class IndexReader:
    """Reads the segments of one commit as one index."""

    _KEPT, _KEPT_A_PASSAGE = 40_000_000, 160
    """Bytes of postings kept, and of each passage where that is more: nearly all of 100,000, a third of a million."""
    _KEPT_PHRASES = 1_000
    _KEPT_LOOKUPS = 10_000
    """Spellings, frequencies and bounds kept."""

    def __init__(self, segments: Sequence[Segment], kernel: Kernel | None = None) -> None:
        self.segments = tuple(segments)
        self.kernel = kernel or fastest_kernel()
        self._postings: OrderedDict[tuple[str, str], _Joined] = OrderedDict()
        self._kept_size = 0
        self._tables: dict[str, object | None] = {}
        self._phrases: OrderedDict[object, PhraseScores] = OrderedDict()
        self._spellings: dict[tuple[str, str], tuple[str, ...]] = {}
        self._frequencies: dict[tuple[WeightedTerm, ...], int] = {}
        self._bounds: dict[tuple[WeightedTerm, ...], float] = {}
        self._ids: dict[int, str] = {}
        self._articles: dict[str, int] = {}
        self._values: dict[str, tuple[list[str], Ints]] = {}
        self._norms: dict[str, Floats] = {}
        self.evaluated: tuple[Node, Floats, Mask | None] | None = None
        self.reached: tuple[AtLeast, Mask] | None = None
        """The last node searched for, its scores and mask; the last filter by score, what reaches it (`scoring`)."""

    # Numbering: articles and passages in the order of the segments. An article's passages are consecutive.

    @cached_property
    def _first_article(self) -> list[int]:
        """The number of each segment's first article; the number of all articles follows."""
        return [0, *accumulate(len(segment.passages) for segment in self.segments)]

    @cached_property
    def _first_passage(self) -> list[int]:
        """The number of each segment's first passage; the number of all passages follows."""
        return [0, *accumulate(int(segment.passages.sum()) for segment in self.segments)]

    @property
    def articles(self) -> int:
        """The number of articles, deleted ones included."""
        return self._first_article[-1]

    @property
    def passages(self) -> int:
        """The number of passages, those of deleted articles included."""
        return self._first_passage[-1]

    @cached_property
    def starts(self) -> Ints:
        """The first passage of each article, (articles + 1,) intp.

        Last is the number of passages.
        """
        runs = [segment.passages for segment in self.segments]
        return np.concatenate([np.zeros(1, np.intp), *runs], dtype=np.intp).cumsum(dtype=np.intp)

    def owner(self, passages: Ints) -> Ints:
        """Return the article of each passage, (passages,) intp."""
        return self._owners[passages]

    @cached_property
    def _owners(self) -> Ints:
        """The article of every passage, (passages,) intp."""
        return np.repeat(np.arange(self.articles), np.diff(self.starts))

    def passage_number(self, passages: Ints) -> Ints:
        """Return the number of each passage in its article, (passages,) intp."""
        found: Ints = passages - self.starts[self.owner(passages)]
        return found

    @cached_property
    def _all_live(self) -> bool:
        return not any(segment.entry.deleted for segment in self.segments)

    @cached_property
    def live(self) -> Mask:
        """A mask of the articles that are not deleted, (articles,) bool."""
        return np.concatenate([np.empty(0, np.bool_), *(segment.live for segment in self.segments)])

    @cached_property
    def live_passages(self) -> Mask:
        """A mask of the passages of articles that are not deleted, (passages,) bool."""
        return self.of_passages(self.live)

    def max_per_article(self, passages: Floats, start: float) -> Floats:
        """Return the greatest value of each article's passages, (articles,) float64.

        An article without passages, or without one above `start`, has `start`.
        """
        most = np.full(self.articles, start)
        self.kernel.max_of_runs(most, self.starts, passages)
        return most

    def any_of_article(self, passages: Mask) -> Mask:
        """Return a mask of the articles of the passages in a mask, (articles,) bool."""
        found = np.zeros(self.articles, np.bool_)
        found[self._owners[np.flatnonzero(passages)]] = True
        return found

    def propagate_to_passages(self, articles: Floats, passages: Floats) -> None:
        """Add the value of each article to those of its passages, in place.

        The values are (articles,) and (passages,).
        """
        self.kernel.add_to_runs(articles, self.starts, passages)

    def of_passages(self, articles: Mask) -> Mask:
        """Return the value of each passage's article, (passages,) bool."""
        found: Mask = articles.take(self._owners)
        return found

    def location_of(self, article: int) -> tuple[Segment, int]:
        """Return an article's segment and its number in that segment."""
        firsts = self._first_article
        which = bisect_right(firsts, article) - 1
        return self.segments[which], article - firsts[which]

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
            for segment, first in zip(self.segments, self._first_article, strict=False):
                for number in segment.articles_called(article_id):
                    self._articles[article_id] = first + number
        return self._articles.get(article_id)

    def tokens(self, article: int) -> tuple[bytes, list[int]]:
        """Return an article's tokens, and how many its title and each passage have."""
        segment, number = self.location_of(article)
        return segment.tokens(number)

    def tokens_of(self, articles: Sequence[int | None]) -> Forwards | None:
        """Return the tokens of articles that can be read together.

        None unless all are of a single segment, and the kernel can do it.
        """
        if not articles or None in articles:
            return None
        numbers = np.array(articles, np.intp)
        lowest = int(numbers.min())
        segment, number = self.location_of(lowest)
        numbers -= lowest - number
        if int(numbers.max()) >= len(segment.passages):
            return None
        found = segment.tokens_of(numbers, self.kernel)
        if found is None:
            return None
        titles, title_flags, hashes, flags, title_lengths, lengths, passages = found
        return Forwards(titles, title_flags, title_lengths, hashes, flags, lengths, passages)

    def _joined(self, arrays: Sequence[npt.NDArray[Any]]) -> Ints:
        """Return the values of all segments' docs by number, (docs,) intp."""
        return np.concatenate([np.empty(0, np.intp), *arrays], dtype=np.intp)

    # Values

    @cached_property
    def dates(self) -> Ints:
        """Every article's date as an ordinal, (articles,) intp.

        It is 0 for none, and for a deleted article.
        """
        return self._joined([segment.section("date") for segment in self.segments]) * self.live

    def values(self, field: str) -> tuple[list[str], Ints]:
        """Return the values of place or source, and the number of each article's value.

        The numbers are (articles,) intp, -1 for none and for a deleted article.
        """
        if field not in self._values:
            names: dict[str, int] = {}
            codes = []
            for segment in self.segments:
                numbers = [names.setdefault(name, len(names)) for name in segment.values(field)]
                codes.append(np.array([-1, *numbers])[segment.section(f"{field}.code")])
            self._values[field] = (list(names), np.where(self.live, self._joined(codes), -1))
        return self._values[field]

    # Lengths

    @cached_property
    def counts(self) -> Counts:
        """The numbers of live articles, of their passages and syllables."""
        lengths = self._lengths("syllable")
        if self._all_live:
            return Counts(self.articles, self.passages, int(lengths.sum()))
        live = self.live_passages
        return Counts(int(np.count_nonzero(self.live)), int(np.count_nonzero(live)), int(lengths[live].sum()))

    def _lengths(self, field: str) -> Ints:
        return self._joined([segment.section(f"length.{field}") for segment in self.segments])

    def doc_count(self, field: str) -> int:
        """Return the number of live passages, or of articles for an article's field."""
        return self.counts.articles if field in ARTICLE_FIELDS else self.counts.passages

    def norm(self, field: str) -> Floats:
        """Return the BM25 length norm of every doc, (docs,) float64."""
        if field not in self._norms:
            lengths = self._lengths(field)
            total = int(lengths.sum() if self._all_live else lengths[self._live_docs(field)].sum())
            average = total / self.doc_count(field) if total else 1.0
            self._norms[field] = length_norm(lengths.astype(np.float64), average)
        return self._norms[field]

    def _live_docs(self, field: str) -> Mask:
        return self.live if field in ARTICLE_FIELDS else self.live_passages

    # Postings

    def group(self, alternatives: tuple[WeightedTerm, ...]) -> Group:
        """Return the postings of alternatives, and the idf of all of them."""
        found = [(one, self._postings_of(one.field, one.term)) for one in alternatives]
        postings = tuple(
            (one.weight, joined.docs, joined.tf, self.norm(one.field)) for one, joined in found if len(joined.docs)
        )
        if not postings:
            return Group((), 0.0, 0.0)
        frequency = len(postings[0][1]) if len(postings) == 1 else self.frequency(alternatives)
        bound = self._bounds.get(alternatives)
        if bound is None:  # of the greatest frequency in a document of no length
            least = length_norm(0.0, 1.0)
            bound = max(one.weight * tf_part(float(joined.most), least) for one, joined in found)
        return Group(postings, idf(frequency, self.doc_count(alternatives[0].field)), bound)

    def add(self, alternatives: tuple[WeightedTerm, ...], group: Group, boost: float, scores: Floats) -> None:
        """Add a group's scores times a boost to those of its docs.

        `scores` is (docs,) float64. The exact bound is known afterwards.
        """
        if group.postings:
            best = np.zeros(len(scores)) if len(group.postings) > 1 else scores
            self.learn_bound(alternatives, self.kernel.add(scores, best, group.postings, boost * group.idf))

    def learn_bound(self, alternatives: tuple[WeightedTerm, ...], bound: float) -> None:
        """Keep the greatest part that a document has of alternatives."""
        _keep(self._bounds, alternatives, bound, self._KEPT_LOOKUPS)

    def postings(self, field: str, term: str) -> tuple[Docs, Frequencies]:
        """Return the live docs that hold a term, ascending, and its frequency in each."""
        joined = self._postings_of(field, term)
        return joined.docs, joined.tf

    def _postings_of(self, field: str, term: str) -> _Joined:
        found = self._postings.get((field, term))
        if found is not None:
            self._postings.move_to_end((field, term))
            return found
        found = self._compiled(field, term) or self._gathered(field, term)
        if not self._all_live and len(found.docs):
            live = self._live_docs(field)[found.docs]
            found = _Joined(found.docs[live], found.tf[live], found.most)
        self._postings[field, term] = found
        self._kept_size += found.docs.nbytes + found.tf.nbytes
        while self._kept_size > max(self._KEPT, self._KEPT_A_PASSAGE * self.passages) and len(self._postings) > 1:
            _, old = self._postings.popitem(last=False)
            self._kept_size -= old.docs.nbytes + old.tf.nbytes
        return found

    def _compiled(self, field: str, term: str) -> _Joined | None:
        """Return a term's postings, deleted docs included.

        None if there is no compiled kernel, or a column is damaged.
        """
        if field not in self._tables:
            self._tables[field] = self.kernel.open_tables(
                [(*segment.table(field), first) for segment, first in zip(self.segments, self._firsts(field), strict=False)]
            )
        tables = self._tables[field]
        if tables is None:
            return None
        text = term.encode("utf-8", "surrogatepass")
        found = self.kernel.join(tables, text, zlib.crc32(text), zlib.crc32)
        if found is None:
            self._tables[field] = None  # a column is damaged: segments know how to mend it
            return None
        docs, tf, most, width = found
        return _Joined(np.frombuffer(docs, np.uint32), np.frombuffer(tf, f"u{width}"), most)

    def _gathered(self, field: str, term: str) -> _Joined:
        """Return a term's postings, deleted docs included."""
        docs, tf = [], []
        for segment, first in zip(self.segments, self._firsts(field), strict=False):
            if (some := segment.postings(field, term)) is not None:
                docs.append(some[0].astype(np.uint32) + np.uint32(first))  # numpy 1 would keep the smaller type
                tf.append(some[1])
        if not docs:
            return _Joined(_NO_DOCS, _NO_TF, 0)
        all_docs, all_tf = np.concatenate(docs), np.concatenate(tf)
        return _Joined(all_docs, all_tf, int(all_tf.max()))

    def _firsts(self, field: str) -> list[int]:
        """Return the number of each segment's first doc; the number of all docs follows."""
        return self._first_article if field in ARTICLE_FIELDS else self._first_passage

    def holding(self, nodes: Sequence[Posting]) -> tuple[Ints, Ints]:
        """Return the article and the number in it of docs that match all nodes.

        Both are (docs,) intp. A title stands for the first passage of its article.
        """
        some = sorted((self.docs(node) for node in nodes), key=len)
        docs = some[0]
        for more in some[1:]:
            docs = np.intersect1d(docs, more, assume_unique=True)
        docs = docs.astype(np.intp)
        if not is_on_article(nodes[0]):
            return self.owner(docs), self.passage_number(docs)
        docs = docs[self.starts[docs] < self.starts[docs + 1]]  # those with a passage
        return docs, np.zeros(len(docs), np.intp)

    def docs(self, node: Posting) -> Docs | Ints:
        """Return the live docs that match a leaf, ascending, (docs,)."""
        if isinstance(node, Phrase):
            return self.phrase(node.field, node.slots).docs
        some = [self._postings_of(one.field, one.term).docs for one in node.alternatives]
        if len(some) == 1:
            return some[0]
        return np.flatnonzero(self._mask(node.alternatives)) if some else _NO_DOCS

    def _mask(self, alternatives: tuple[WeightedTerm, ...]) -> Mask:
        """Return a mask of the docs that hold any of the alternatives, (docs,) bool."""
        mask = np.zeros(self.articles if alternatives[0].field in ARTICLE_FIELDS else self.passages, np.bool_)
        for one in alternatives:
            mask[self._postings_of(one.field, one.term).docs] = True
        return mask

    def frequency(self, alternatives: tuple[WeightedTerm, ...]) -> int:
        """Return the number of docs that hold any of the alternatives."""
        found = self._frequencies.get(alternatives)
        if found is None:
            found = self._count(alternatives)
            _keep(self._frequencies, alternatives, found, self._KEPT_LOOKUPS)
        return found

    def _count(self, alternatives: tuple[WeightedTerm, ...]) -> int:
        if len(alternatives) > 1:
            return int(np.count_nonzero(self._mask(alternatives)))
        (one,) = alternatives
        if self._all_live and (one.field, one.term) not in self._postings:
            return sum(segment.frequency(one.field, one.term) for segment in self.segments)
        return len(self._postings_of(one.field, one.term).docs)

    # Spellings

    def spellings(self, field: str, key: str) -> tuple[str, ...]:
        """Return the live terms of a key, sorted."""
        found = self._spellings.get((field, key))
        if found is None:
            terms = {term for segment in self.segments for term in segment.spellings(FIELD_PREFIX[field] + key)}
            found = tuple(sorted(term for term in terms if self._is_live(field, term)))
            _keep(self._spellings, (field, key), found, self._KEPT_LOOKUPS)
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
        fields = ("syllable", "title") if field == "syllable" else ("word", "title_word")
        return any(len(self._postings_of(one, term).docs) for one in fields)

    # Phrases

    def phrase(self, field: str, slots: tuple[tuple[str, ...], ...]) -> PhraseScores:
        """Return the scores of a phrase: its tf part times its idf."""
        found = self._phrases.get((field, slots))
        if found is None:
            counts = self._phrase_counts(field, slots)
            docs = np.array(sorted(counts), np.intp)
            tf = np.array([counts[doc] for doc in docs.tolist()], np.float64)
            found = PhraseScores(docs, tf_part(tf, self.norm(field)[docs]) * idf(len(docs), self.doc_count(field)))
            self._phrases[field, slots] = found
            if len(self._phrases) > self._KEPT_PHRASES:
                self._phrases.popitem(last=False)
        return found

    def _phrase_counts(self, field: str, slots: tuple[tuple[str, ...], ...]) -> dict[int, int]:
        """Return the live docs that hold a phrase, with its frequency in each."""
        counts = {}
        live = self._live_docs(field)
        for segment, first in zip(self.segments, self._firsts(field), strict=False):
            for doc, count in segment.phrase(field, slots).items():
                if live[first + doc]:
                    counts[first + doc] = count
        return counts

    def article_ids(self) -> list[str]:
        """Return all ids, sorted."""
        return sorted(
            one
            for segment in self.segments
            for one, live in zip(segment.article_ids(), segment.live.tolist(), strict=True)
            if live
        )


def _keep(kept: dict[_Key, _Value], key: _Key, value: _Value, most: int) -> None:
    """Keep a value; a full store is emptied first."""
    if len(kept) >= most:
        kept.clear()
    kept[key] = value


def is_on_article(node: Posting) -> bool:
    """Return True if a leaf matches titles."""
    if isinstance(node, Phrase):
        return node.field in ARTICLE_FIELDS
    return bool(node.alternatives) and node.alternatives[0].field in ARTICLE_FIELDS
