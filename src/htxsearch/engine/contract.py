"""The contract between htxsearch and an engine that stores its postings.

Terms cross it, analysis does not. Everything Vietnamese is above it; below it an engine keeps passages with ready-made terms
and returns passages, scores and counts. An engine satisfies `Engine` and passes `tests/engine/test_conformance.py`.

**Many at once.** A look-up takes many keys and returns an answer for each, in their order; a key may come twice, and there may
be none. So an engine behind a network is asked once for all that a query looks up, not once a key.

**Levels.** A `Document` is one article. Its passages carry the fields `syllable` and `word`; the article itself carries `title`
and `title_word`, which every one of its passages inherits, and the values `place`, `source` and `date`. Collection statistics
are per level: a title's document frequency counts articles, a syllable's counts passages.

**Scores** are BM25 as `engine.bm25` has it, over live documents only, exactly and exhaustively. A group of
alternatives (`DisjunctionMax`) scores as its best one, times the idf of the whole group:
idf(documents with any of them) * max(weight_i * tf part_i).
"""

import datetime
import struct
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Literal, NamedTuple, Protocol, Union

from htxsearch.errors import HtxError
from htxsearch.text.analysis import Terms
from htxsearch.values import frozen

__all__ = [
    "ARTICLE_FIELDS",
    "PASSAGE_FIELDS",
    "TWIN_SHIFT",
    "AtLeast",
    "Best",
    "Boolean",
    "Counts",
    "DateRange",
    "DisjunctionMax",
    "Document",
    "Engine",
    "FieldName",
    "FileFault",
    "Forward",
    "Forwards",
    "Hit",
    "InArticle",
    "Leaf",
    "Lookup",
    "Node",
    "Phrase",
    "Posting",
    "Search",
    "SearchResult",
    "Store",
    "Terms",
    "TermsFilter",
    "ValueField",
    "WeightedTerm",
    "Writer",
    "forward_of",
    "term_hash",
]

PASSAGE_FIELDS = ("syllable", "word")
ARTICLE_FIELDS = ("title", "title_word")

FieldName = Literal["syllable", "word", "title", "title_word"]
ValueField = Literal["place", "source"]
Lookup = tuple[Literal["syllable", "word"], str]
"""A field and a key, whose terms are looked up."""


@frozen(kw_only=True)
class Document:
    """One article as an engine stores it.

    `record` is opaque text, given back as it is. `spellings` are (field, key, term) triples, field
    "syllable" or "word", for every term of title and passages: by them a query's key finds the
    terms that exist. `vector` and `facts` are opaque, too; `fact_keys` are the keys by which the facts are found.
    """

    id: str
    record: str
    title: Terms
    passages: tuple[Terms, ...]
    spellings: frozenset[tuple[str, str, str]]
    date: datetime.date | None = None
    place: str | None = None
    source: str | None = None
    vector: bytes = b""
    facts: bytes = b""
    fact_keys: frozenset[str] = frozenset()


class Forward(NamedTuple):
    """The syllables of a passage or title in order, as hashes and flags.

    A syllable is the `term_hash` of its term as little-endian uint32, and a byte of flags. The flags are those of
    `Terms`. The bits from TWIN_SHIFT on count the smaller terms of the same text with the same hash, three at
    most: nearly always zero.
    """

    hashes: bytes
    flags: bytes


class Forwards(NamedTuple):
    """The syllables of several articles, those of titles and those of passages apart.

    Hashes and flags are as in `Forward`, those of one title or passage behind the other's; `title_lengths` and `lengths` are
    their numbers of syllables, `passages` is each article's number of passages.
    """

    title_hashes: bytes
    title_flags: bytes
    title_lengths: list[int]
    hashes: bytes
    flags: bytes
    lengths: list[int]
    passages: list[int]

    @classmethod
    def of(cls, articles: Sequence[Sequence[Forward]]) -> "Forwards":
        """Return the syllables of articles, each given as `articles` returns it.

        One that is not in the index may be empty.
        """
        titles = [parts[0] if parts else Forward(b"", b"") for parts in articles]
        passages = [passage for parts in articles for passage in parts[1:]]
        return cls(
            b"".join(title.hashes for title in titles),
            b"".join(title.flags for title in titles),
            [len(title.flags) for title in titles],
            b"".join(passage.hashes for passage in passages),
            b"".join(passage.flags for passage in passages),
            [len(passage.flags) for passage in passages],
            [max(len(parts) - 1, 0) for parts in articles],
        )

    def articles(self) -> list[tuple[Forward, ...]]:
        """Return the syllables of each article's title and passages, in order."""
        titles = _cut(self.title_hashes, self.title_flags, self.title_lengths)
        passages = _cut(self.hashes, self.flags, self.lengths)
        return [(title, *islice(passages, count)) for title, count in zip(titles, self.passages, strict=True)]


def _cut(hashes: bytes, flags: bytes, lengths: Iterable[int]) -> Iterator[Forward]:
    """Yield the parts of hashes and flags, whose numbers of syllables are `lengths`."""
    at = 0
    for length in lengths:
        yield Forward(hashes[4 * at : 4 * (at + length)], flags[at : at + length])
        at += length


TWIN_SHIFT = 6


@lru_cache(maxsize=1 << 15)
def term_hash(term: str) -> int:
    """Return the hash of a term in `Forward`: CRC-32 of its UTF-8."""
    return zlib.crc32(term.encode())


def forward_of(terms: Terms) -> Forward:
    """Return terms as `Forward`."""
    hashes = list(map(term_hash, terms.syllables))
    flags = terms.flags or bytes(len(hashes))
    distinct = set(terms.syllables)
    if len(set(hashes)) < len(distinct):
        twins: dict[int, list[str]] = {}
        for term in sorted(distinct):
            twins.setdefault(term_hash(term), []).append(term)
        ranks = (min(twins[number].index(term), 3) for number, term in zip(hashes, terms.syllables, strict=True))
        flags = bytes(flag | rank << TWIN_SHIFT for flag, rank in zip(flags, ranks, strict=True))
    return Forward(struct.pack(f"<{len(hashes)}I", *hashes), flags)


@frozen
class WeightedTerm:
    """A term in a field, with its weight (0 < weight <= 1)."""

    field: FieldName
    term: str
    weight: float = 1.0


@frozen
class DisjunctionMax:
    """Matches where any alternative matches, and scores as the best alternative.

    All fields are of the same level. Without alternatives, nothing matches.
    """

    alternatives: tuple[WeightedTerm, ...]
    boost: float = 1.0


@frozen
class Phrase:
    """Consecutive terms of `syllable` or `title`.

    Each slot lists the terms that may fill it. tf is the number of places where the run begins, df the number of
    documents with such a place.
    """

    field: Literal["syllable", "title"]
    slots: tuple[tuple[str, ...], ...]
    boost: float = 1.0


@frozen
class TermsFilter:
    """A filter: the article's place, source or id is exactly one of `values`.

    Scores `boost`.
    """

    field: ValueField | Literal["id"]
    values: frozenset[str]
    boost: float = 0.0


@frozen
class DateRange:
    """A filter: the article's date lies in [since, until].

    An article without a date does not match. Scores `boost`.
    """

    since: datetime.date | None
    until: datetime.date | None
    boost: float = 0.0


@frozen
class Boolean:
    """Matches where every `must` matches and no `must_not` does.

    If there is no `must`, at least one `should` must match. Scores the sum of all `must` and `should` children
    that match. Hence a filter with a boost among the `should` of a node with a `must` is a preference: it excludes
    nothing.
    """

    must: tuple["Node", ...] = ()
    should: tuple["Node", ...] = ()
    must_not: tuple["Node", ...] = ()


@frozen
class Best:
    """Matches where any of `nodes` matches, and scores as the best of them.

    There is at least one; of equal ones, the first counts. It is for several ways to say one thing.
    """

    nodes: tuple["Node", ...]


@frozen
class AtLeast:
    """A filter: the passages that `node` matches with `score` or more.

    Scores are compared to nine places. The filter scores nothing.
    """

    node: "Node"
    score: float


@frozen
class InArticle:
    """A filter: some passage of the article matches `node`. Scores nothing."""

    node: "Node"


Node = Union[DisjunctionMax, Phrase, TermsFilter, DateRange, "Boolean", Best, InArticle, AtLeast]
Posting = DisjunctionMax | Phrase
Leaf = DisjunctionMax | Phrase | TermsFilter | DateRange


class Hit(NamedTuple):
    """A passage that matches: its article, its 0-based number there, its score.

    `parts` holds, if asked for, the score of every leaf that matched and can score. Of a `Best`, only the leaves of the
    best one count.
    """

    article_id: str
    passage: int
    score: float
    parts: tuple[tuple[Leaf, float], ...] = ()


@frozen(kw_only=True)
class Search:
    """A search with its options, for `Engine.search_many`."""

    node: "Node"
    limit: int
    offset: int = 0
    per_article: bool = True
    by_date: bool = False
    facets: tuple[str, ...] = ()
    explain: bool = False
    count: bool = True
    forwards: bool = False
    records: bool = False  # of the hits are asked for next

    def options(self) -> dict[str, Any]:
        """Return the search as arguments of `Engine.search`."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "records"}  # type: ignore[attr-defined]


@frozen
class SearchResult:
    """The result of a search.

    `total` counts all matching articles, or passages if they were not grouped, `articles` the articles in either case; `hits`
    are the best of them, best first, ties by article id and passage number. `facets` counts matching *articles* per value of
    "place", "source" and "year"; those without a value are not counted. If not `exact`, there are at least so many, and maybe
    more. `forwards` holds, if asked for, the syllables of the hits' articles, each once, in the order of their ids. `scored` is
    the number of articles whose scores were compared, the best by a rougher score; None if they were all.
    """

    total: int
    articles: int
    hits: tuple[Hit, ...]
    facets: Mapping[str, Mapping[str, int]]
    exact: bool = True
    forwards: Forwards | None = None
    scored: int | None = None


class Counts(NamedTuple):
    """The size of an engine's content; `syllables` are those of all passages."""

    articles: int
    passages: int
    syllables: int


class FileFault(NamedTuple):
    """A file of an engine's folder that is not as it should be, by its name.

    "columns" is a damaged or missing file that the engine makes again at the next write; "stale" one of another commit, which
    it removes then; "unknown" none of its own. `error` is what reading it raised.
    """

    name: str
    kind: Literal["damaged", "missing", "columns", "stale", "unknown"]
    error: HtxError | None = None


class Writer(Protocol):
    """A batch of changes.

    No change is visible before `commit` returns; afterwards all changes are visible, and durable.
    """

    def replace(self, document: Document) -> None:
        """Add an article, in place of any article of the same id.

        Of several articles of an id in a batch, the last counts.
        """

    def delete(self, article_id: str) -> None:
        """Remove an article; an unknown id is no error."""

    def commit(self, blobs: Mapping[str, bytes], *, is_last: bool = False) -> None:
        """Make the batch and the named blobs visible together, or, on any error, neither.

        `is_last` ends a run of batches: the engine may take time to arrange what it holds for searching.
        """


class Store(Protocol):
    """Keeps what is found by its name alone.

    That is what an article holds, by its id, and blobs, by their names.
    """

    def article_ids(self) -> list[str]:
        """Return all ids, sorted."""

    def records(self, article_ids: Sequence[str]) -> list[str | None]:
        """Return each article's record, None for one that is not in the index."""

    def forwards(self, article_ids: Sequence[str]) -> Forwards:
        """Return the syllables of articles.

        An article that is not in the index has an empty title and no passages.
        """

    def facts_of(self, article_ids: Sequence[str]) -> list[bytes]:
        """Return each article's facts, b"" for one that has none or is not in the index."""

    def vectors(self) -> Iterable[tuple[str, bytes]]:
        """Yield every article's id and vector, in an order that only a commit changes."""

    def blob(self, name: str) -> bytes | None:
        """Return a blob of the last commit, or None."""


class Engine(Store, Protocol):
    """Stores documents and answers searches.

    Reads use the last commit before `refresh`.
    """

    @property
    def generation(self) -> int:
        """A number that changes whenever a commit becomes visible to reads."""

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
        """Return the passages that match `node`, best first or by date.

        By date, the passages of the newest articles come first. `per_article` keeps only the best passage of each
        article. Without `count` the hits are the same, and `total` and `articles` may be too small: an engine need not
        look at all that matches. With `forwards` the result has the syllables of the hits' articles.
        """

    def search_many(self, searches: Sequence[Search]) -> list[SearchResult]:
        """Return the result of each of several searches that do not depend on each other."""

    def sample(self, *conjunctions: Sequence[Posting], limit: int) -> SearchResult:
        """Return the number of articles that match, and a few of them, spread evenly.

        An article matches if all nodes of a conjunction match in one of its passages, or in its title if they are of the
        title. Nothing is scored: scores are 0. A hit is any passage that matches; of an article whose title matches, the
        first one. Articles without passages do not count.
        """

    def spellings(self, lookups: Sequence[Lookup]) -> list[list[str]]:
        """Return for each look-up the terms whose key is its key, sorted."""

    def starting_with(
        self, prefixes: Sequence[str], *, limit: int, field: Literal["syllable", "word"] = "syllable"
    ) -> list[list[str]]:
        """Return for each prefix up to `limit` terms whose *key* begins with it.

        They are sorted by key.
        """

    def frequencies(self, nodes: Sequence[DisjunctionMax]) -> list[int]:
        """Return for each node the number of documents that match it.

        Documents are passages, or articles for title fields. Without alternatives the number is 0.
        """

    def values(self, field: ValueField) -> dict[str, int]:
        """Return every value of the field with its number of articles."""

    def facts(self, keys: Sequence[Collection[str]]) -> Iterable[tuple[str, bytes]]:
        """Yield the id and facts of every article that has facts.

        Each has a key of each of `keys`.
        """

    def foresee(
        self,
        *,
        nodes: Iterable[Posting] = (),
        lookups: Iterable[Lookup] = (),
        prefixes: Iterable[str] = (),
        limit: int = 0,
        records: Iterable[str] = (),
    ) -> None:
        """Say what will be asked for next; `limit` is that of the prefixes.

        An engine that is far away asks for it along with its next request; another one need not even iterate.
        """

    def counts(self) -> Counts:
        """Return the numbers of articles, passages and syllables.

        An engine knows them from when it reads a commit: asking again costs nothing.
        """

    def writer(self) -> Writer:
        """Begin a batch. The caller makes sure that there is only one at a time."""

    def refresh(self) -> None:
        """Make the last commit visible to reads."""

    def close(self) -> None:
        """Release the files. The engine is not used again."""
