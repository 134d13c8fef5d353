"""A segment: columns for ranking, and the stored parts of articles.

Stored are tokens, records, vectors and facts.

The columns hold everything that is ranked; the rest is in Whoosh's file.
"""

import zlib
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from htxsearch.engine.contract import ARTICLE_FIELDS, PASSAGE_FIELDS, TWIN_SHIFT, term_hash
from htxsearch.engine.whoosh.columns import Array, Columns, ColumnsDamaged, MappedFile, build_columns, columns_name, in_order
from htxsearch.engine.whoosh.kernel import Kernel
from htxsearch.engine.whoosh.pickles import loads_plain
from htxsearch.engine.whoosh.storage import SEPARATOR, SegmentEntry, damaged

if TYPE_CHECKING:
    from htxsearch.engine.whoosh.codec import SegmentFiles
    from htxsearch.engine.whoosh.postings import FieldPostings

__all__ = ["Segment"]

_READ_TOGETHER = 64
"""Spellings in their order that are read at once."""

_Found = TypeVar("_Found")


class _TermMatcher(NamedTuple):
    """A term to find among tokens: its hash, and its rank among terms of this hash.

    The rank is, per doc, the number of smaller terms with the same hash; None if there are no such terms.
    """

    hash: np.uint32
    ranks: Array | None


class Segment:
    """Reads a segment.

    Passages and articles are numbered apart, from 0, deleted ones included. Columns that are missing or damaged
    are built again, in memory. The .seg file stays mapped, so that a segment can be read to the end after a merge
    has removed its files.
    """

    def __init__(self, folder: Path, entry: SegmentEntry, before: "Segment | None" = None) -> None:
        """Open a segment.

        `before` is the same segment in an earlier commit, when fewer of its documents were deleted.
        """
        self.entry = entry
        self._folder = folder
        self._file: MappedFile
        self._columns: Columns | None = None
        self.is_verified = False
        if before is not None:
            self._file, self._columns, self.is_verified = before._file, before._columns, before.is_verified
            return
        self._file = MappedFile(folder / f"{entry.name}.seg")
        with suppress(ColumnsDamaged):  # it is made anew when it is needed
            self._columns = self._checked(Columns.open(folder / columns_name(entry.name)))

    @property
    def lacks_columns(self) -> bool:
        """Return True if there are no columns yet, neither on the disk nor in memory."""
        return self._columns is None

    def _checked(self, columns: Columns) -> Columns:
        """Return columns if they are this segment's. Raises ColumnsDamaged."""
        facts = columns.facts
        if (facts["segment"], facts["size"], facts["file_size"]) != (self.entry.name, self.entry.size, self._file.size):
            raise ColumnsDamaged("of another segment")
        return columns

    def _ask(self, question: Callable[[Columns], _Found]) -> _Found:
        """Return the answer of the columns.

        If the columns are damaged, the answer is that of columns built again.
        """
        try:
            if self._columns is not None:
                return question(self._columns)
        except ColumnsDamaged:
            self.is_verified = False
        self._columns = Columns(self.packed())
        return question(self._columns)

    def packed(self, written: Mapping[str, "FieldPostings"] | None = None) -> bytes:
        """Return the segment's columns, built from Whoosh's files.

        `written` are its postings by field, if they need not be read.
        """
        return build_columns(self.files(), self.entry.name, self._file.size, written)

    def files(self) -> "SegmentFiles":
        """Return Whoosh's files of the segment.

        They may no longer exist in the folder. Raises IndexDamaged if they are not as they were written: what is read from them
        is copied to other files.
        """
        if not self._is_sound:
            raise damaged(self._folder / f"{self.entry.name}.seg")
        from htxsearch.engine.whoosh.codec import SegmentFiles  # imports Whoosh

        return SegmentFiles(self._file.mapped, self.entry.name, self.entry.size)

    @cached_property
    def _is_sound(self) -> bool:
        return self.entry.crc is None or zlib.crc32(self._file.mapped) == self.entry.crc

    def verify(self) -> bool:
        """Return True if the folder has this segment's columns, each checksum right."""
        try:
            self._checked(Columns.open(self._folder / columns_name(self.entry.name))).check()
        except ColumnsDamaged:
            return False
        return True

    # Numbers

    @cached_property
    def passages(self) -> Array:
        """Return the number of passages of each article, (articles,) uint32."""
        return self.section("passages")

    @cached_property
    def article_docs(self) -> Array:
        """Return each article's number among Whoosh's documents, (articles,) int64.

        An article's passages follow it.
        """
        runs = self.passages.astype(np.int64) + 1
        starts: Array = np.cumsum(runs) - runs
        return starts

    @cached_property
    def passage_docs(self) -> Array:
        """Return the number of each passage among Whoosh's documents, (passages,) int64."""
        docs: Array = np.arange(int(self.passages.sum())) + np.repeat(np.arange(1, len(self.passages) + 1), self.passages)
        return docs

    @cached_property
    def live(self) -> Array:
        """Return a mask of the articles that are not deleted, (articles,) bool."""
        gone = np.zeros(self.entry.size, np.bool_)
        gone[list(self.entry.deleted)] = True
        live: Array = ~gone[self.article_docs]
        return live

    def section(self, name: str) -> Array:
        """Return a section of the columns."""
        return self._ask(lambda columns: columns.section(name))

    def values(self, field: str) -> list[str]:
        """Return the values of place or source, deleted articles' included.

        Section `<field>.code` counts the values from 1.
        """
        return [value.decode() for value in self._ask(lambda columns: columns.string_list(field))]

    def postings(self, field: str, term: str) -> tuple[Array, Array] | None:
        """Return a term's docs, ascending, and its frequency in each.

        Docs are passages or articles, deleted ones included.
        """

        def found(columns: Columns) -> tuple[Array, Array] | None:
            number = columns.number_of(field, term.encode("utf-8", "surrogatepass"))
            return columns.block(field, number) if number >= 0 else None

        return self._ask(found)

    def table(self, field: str) -> tuple[Array, Array, Array, Array, Array, Array, Array, bytearray]:
        """Return a field's columns, as `Columns.table` does."""
        return self._ask(lambda columns: columns.table(field))

    def fields(self) -> list[str]:
        """Return the fields that have terms, sorted."""
        return self.files().fields()

    def field(self, name: str) -> "FieldPostings":
        """Return all postings of a field, by Whoosh's documents.

        Those that the columns have are not read from Whoosh's file, which takes twenty times as long.
        """
        from htxsearch.engine.whoosh.postings import FieldPostings

        if name not in (*PASSAGE_FIELDS, *ARTICLE_FIELDS, "fact_key"):
            return self.files().field(name)
        terms, (at, units, tf) = self._ask(lambda columns: (columns.string_list(name), columns.blocks(name)))
        order = sorted(range(len(terms)), key=terms.__getitem__)
        moved = in_order(at, order)
        docs = (self.passage_docs if name in PASSAGE_FIELDS else self.article_docs)[units[moved]].astype(np.uint32)
        starts = np.append(0, np.cumsum(np.diff(at.astype(np.int64))[order]))
        return FieldPostings([terms[number] for number in order], starts, docs, tf[moved])

    def frequency(self, field: str, term: str) -> int:
        """Return the number of docs that hold a term, deleted ones included."""

        def found(columns: Columns) -> int:
            number = columns.number_of(field, term.encode("utf-8", "surrogatepass"))
            if number < 0:
                return 0
            at = columns.section(f"{field}.at")
            return int(at.item(number + 1) - at.item(number))

        return self._ask(found)

    # Spellings

    def spellings(self, prefixed_key: str) -> list[str]:
        """Return the terms stored under a field's prefix and a key, sorted.

        Those of deleted articles are included.
        """

        def found(columns: Columns) -> list[str]:
            hashes = columns.section("spelling.hash")
            wanted = np.uint32(zlib.crc32(prefixed_key.encode("utf-8", "surrogatepass")))
            at = int(hashes.searchsorted(wanted))
            start = f"{prefixed_key}{SEPARATOR}"
            while at < len(hashes) and hashes[at] == wanted:
                first, count = int(columns.section("spelling.first")[at]), int(columns.section("spelling.count")[at])
                entries = [columns.string("spelling", number).decode() for number in range(first, first + count)]
                if entries and entries[0].startswith(start):
                    return [entry[len(start) :] for entry in entries]
                at += 1
            return []

        return self._ask(found)

    def spellings_from(self, start: str) -> Iterator[tuple[str, str]]:
        """Yield the key and term of each spelling that begins with a prefix, in order.

        The prefix is a field's prefix and the start of a key.
        """
        wanted = start.encode("utf-8", "surrogatepass")
        count = len(self.section("spelling.text_at")) - 1

        def entry(number: int) -> bytes:
            return self._ask(lambda columns: columns.string("spelling", number))

        for first in range(bisect_left(range(count), wanted, key=entry), count, _READ_TOGETHER):
            behind = min(first + _READ_TOGETHER, count)
            for found in self._ask(partial(Columns.string_list, name="spelling", first=first, behind=behind)):
                if not found.startswith(wanted):
                    return
                key, _, term = found.decode()[1:].partition(SEPARATOR)
                yield key, term

    # Articles

    def article_id(self, article: int) -> str:
        """Return an article's id."""
        return self._ask(lambda columns: columns.string("id", article)).decode()

    def article_ids(self) -> list[str]:
        """Return the ids of all articles, deleted ones included."""
        return [one.decode() for one in self._ask(lambda columns: columns.string_list("id"))]

    def articles_called(self, article_id: str) -> list[int]:
        """Return the live articles of an id: one, or none."""

        def found(columns: Columns) -> list[int]:
            wanted = article_id.encode("utf-8", "surrogatepass")
            hashes, articles = columns.section("id.hash"), columns.section("id.article")
            number = np.uint32(zlib.crc32(wanted))
            start, end = int(hashes.searchsorted(number)), int(hashes.searchsorted(number, "right"))
            same = [one for one in articles[start:end].tolist() if columns.string("id", one) == wanted]
            return [one for one in same if self.live[one]]

        return self._ask(found)

    def run(self, article: int) -> range:
        """Return the numbers of an article and its passages among Whoosh's documents."""
        start = int(self.article_docs[article])
        return range(start, start + 1 + int(self.passages[article]))

    @cached_property
    def _token_counts(self) -> Array:
        """Return the number of syllables of each of Whoosh's documents, (documents,)."""
        counts = np.empty(self.entry.size, np.int64)
        counts[self.article_docs], counts[self.passage_docs] = self.section("length.title"), self.section("length.syllable")
        return counts

    @cached_property
    def _tokens_at(self) -> Array:
        """Return the position in the file of each document's tokens.

        The end of the last document's tokens follows: (documents + 1,) int64.
        """
        starts: Array = self._ask(lambda columns: int(columns.facts["forward"])) + np.append(
            0, np.cumsum(5 * self._token_counts)
        )
        return starts

    def tokens(self, article: int) -> tuple[bytes, list[int]]:
        """Return an article's tokens, and how many its title and each passage have.

        Of each, all hashes stand before all flags. The checksum is compared at the first reading.
        """
        first = self.article_docs.item(article)
        behind = first + 1 + self.passages.item(article)
        start, end = self._tokens_at.item(first), self._tokens_at.item(behind)
        counts: list[int] = self._token_counts[first:behind].tolist()
        if self._sound.item(article):
            return self._file.read(start, end), counts
        packed = self._read(start, end, self._token_crcs.item(article))
        self._sound[article] = True
        return packed, counts

    def tokens_of(
        self, articles: Array, kernel: Kernel
    ) -> tuple[bytes, bytes, bytes, bytes, list[int], list[int], list[int]] | None:
        """Return the tokens of articles, (articles,) int64, as `Forwards` has them.

        None if the kernel cannot read them. Checksums that were never compared are compared first.
        """
        for article in articles[~self._sound[articles]].tolist():
            self.tokens(article)
        first = self.article_docs[articles]
        runs = self.passages[articles].astype(np.int64) + 1
        behind = runs.cumsum()
        documents = np.arange(int(behind[-1])) + np.repeat(first - (behind - runs), runs)
        counts = self._token_counts[documents]
        found = kernel.gather(self._file.descriptor, self._tokens_at[first], runs, counts)
        if found is None:
            return None
        is_title = np.zeros(len(documents), np.bool_)
        is_title[behind - runs] = True
        return (*found, counts[is_title].tolist(), counts[~is_title].tolist(), (runs - 1).tolist())

    @cached_property
    def _token_crcs(self) -> Array:
        return self.section("forward.crc")

    def record(self, article: int) -> str:
        """Return an article's record."""
        at, size = int(self.section("record.at")[article]), int(self.section("record.size")[article])
        stored = zlib.decompress(self._read(at, at + size, int(self.section("record.crc")[article])))
        record: str = loads_plain(stored)["record"]
        return record

    def _read(self, start: int, end: int, crc: int) -> bytes:
        found = self._file.read(start, end)
        if zlib.crc32(found) != crc:
            raise ValueError("an article's checksum is wrong")
        return found

    def vectors(self) -> Iterator[tuple[str, bytes]]:
        """Yield every live article's id and feature vector; the pages read are released."""
        at, sizes, crcs = (self.section(f"vector.{part}") for part in ("at", "size", "crc"))
        for article in np.flatnonzero(self.live).tolist():
            start = int(at[article])
            yield self.article_id(article), self._read(start, start + int(sizes[article]), int(crcs[article]))
        self._ask(Columns.give_back)

    def facts(self, article: int) -> bytes:
        """Return an article's facts."""
        at, size, crc = (int(self.section(f"facts.{part}")[article]) for part in ("at", "size", "crc"))
        return self._read(at, at + size, crc)

    def articles_with(self, keys: Sequence[Collection[str]]) -> list[int]:
        """Return the live articles that have facts, and a key of each of `keys`.

        They are ascending.
        """
        mask = self.live & (self.section("facts.size") > 0)
        for group in keys:
            has_any = np.zeros(len(mask), np.bool_)
            for key in group:
                if (postings := self.postings("fact_key", key)) is not None:
                    has_any[postings[0]] = True
            mask &= has_any
        found: list[int] = np.flatnonzero(mask).tolist()
        return found

    # Phrases

    def phrase(self, field: str, slots: tuple[tuple[str, ...], ...]) -> dict[int, int]:
        """Return the docs that hold a phrase, with its frequency in each.

        Deleted docs are included. Candidates have a term of every slot. The positions of the terms are read from
        the tokens kept for reranking.
        """
        terms, units = [], []
        for slot in slots:
            found = {term: postings[0] for term in slot if (postings := self.postings(field, term)) is not None}
            if not found:
                return {}
            terms.append(list(found))
            units.append(next(iter(found.values())) if len(found) == 1 else np.unique(np.concatenate(list(found.values()))))
        units.sort(key=len)
        some = units[0].astype(np.int64)
        for more in units[1:]:
            some = np.intersect1d(some, more, assume_unique=True)
        if not len(some):
            return {}
        docs = self.article_docs[some] if field == "title" else self.passage_docs[some]
        counts = self._runs(docs, [[self._wanted(field, term, some) for term in slot] for slot in terms]).tolist()
        return {unit: count for unit, count in zip(some.tolist(), counts, strict=True) if count}

    def _wanted(self, field: str, term: str, units: Array) -> _TermMatcher:
        """Return the matcher of a term among the tokens of docs."""
        twins = self._twins(field, term)
        if not twins:
            return _TermMatcher(np.uint32(term_hash(term)), None)
        ranks = np.zeros(len(units), np.uint8)
        for twin in twins:
            if twin < term and (postings := self.postings(field, twin)) is not None:
                ranks += np.isin(units, postings[0])
        return _TermMatcher(np.uint32(term_hash(term)), ranks)

    def _twins(self, field: str, term: str) -> list[str]:
        """Return the other terms of a field with the same `term_hash`: nearly always none."""

        def found(columns: Columns) -> list[str]:
            hashes, wanted = columns.section(f"{field}.hash"), np.uint32(term_hash(term))
            same = range(int(hashes.searchsorted(wanted)), int(hashes.searchsorted(wanted, "right")))
            return [one for number in same if (one := columns.string(field, number).decode()) != term]

        return self._ask(found)

    def _runs(self, docs: Array, slots: list[list[_TermMatcher]]) -> Array:
        """Return the number of runs of tokens that fill the slots, (docs,) intp.

        A document's number counts the positions at which such a run begins.
        """
        starts, counts = self._tokens_at[docs].tolist(), self._token_counts[docs]
        self._check_tokens(docs)

        def read(first: int, last: int, kind: type[np.generic]) -> Array:
            """Return bytes `first` to `last` of the five of every token.

            The five are four of the hash and a byte of flags.
            """
            pairs = zip(starts, counts.tolist(), strict=True)
            return np.frombuffer(b"".join(self._file.read(start + first * n, start + last * n) for start, n in pairs), kind)

        hashes = read(0, 4, np.uint32)
        owner = np.repeat(np.arange(len(docs)), counts)
        ends = max(len(hashes) - len(slots) + 1, 0)
        begins = owner[:ends] == owner[len(slots) - 1 :][:ends]
        for number, slot in enumerate(slots):
            here = slice(number, number + ends)
            fills = np.isin(hashes[here], [one.hash for one in slot if one.ranks is None])
            for one in slot:
                if one.ranks is not None:
                    flags = read(4, 5, np.uint8)
                    fills |= (hashes[here] == one.hash) & (flags[here] >> TWIN_SHIFT == one.ranks[owner[here]])
            begins &= fills
        return np.bincount(owner[:ends][begins], minlength=len(docs))

    def _check_tokens(self, docs: Array) -> None:
        """Compare the checksums of the articles of these documents, each once."""
        articles = np.unique(np.searchsorted(self.article_docs, docs, "right") - 1)
        crcs = self._token_crcs
        for article in articles[~self._sound[articles]].tolist():
            run = self.run(article)
            self._read(int(self._tokens_at[run.start]), int(self._tokens_at[run.stop]), int(crcs[article]))
        self._sound[articles] = True

    @cached_property
    def _sound(self) -> Array:
        """Return a mask of the articles whose tokens are verified, (articles,) bool.

        Verified tokens were compared with their checksum.
        """
        return np.zeros(len(self.passages), np.bool_)
