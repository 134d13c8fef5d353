"""The columns of a segment: its numbers and postings as arrays with checksums.

They are in one memory-mapped file:

    8 bytes    magic, the format's version in its last two
    4 bytes    length of the header
    4 bytes    CRC-32 of the header
    header     JSON: the segment's name, its number of documents, the size of its .seg file, where each section
               is (offset from their start, items, kind of item, CRC-32, whether in blocks), and facts
    sections   little-endian arrays, each at a multiple of 16

A section's checksum is compared when it is first touched, except for "blocks" (a field's postings), which have a
checksum for each term. Hence a query reads only the blocks of its terms. Columns are derived from the segment and
can be built again; a reader that meets a wrong checksum builds them and trusts nothing of the old file. The name,
`<segment>.imp`, is one that Whoosh removes together with the segment.

Passages and articles are numbered apart, from 0, in their order in the segment. Data that is read by the article
(tokens for the reranker, records, vectors, facts) stays in Whoosh's file; the columns have its position there, and
checksums.
"""

import json
import mmap
import os
import weakref
import zlib
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from htxsearch.engine.contract import ARTICLE_FIELDS, PASSAGE_FIELDS
from htxsearch.engine.whoosh.storage import SEPARATOR

if TYPE_CHECKING:
    from htxsearch.engine.whoosh.codec import SegmentFiles
    from htxsearch.engine.whoosh.postings import FieldPostings

__all__ = [
    "Array",
    "Columns",
    "ColumnsDamaged",
    "MappedFile",
    "block_crc",
    "build_columns",
    "columns_name",
    "in_order",
    "pack",
    "packed_strings",
]

Array = npt.NDArray[Any]

_MAGIC = b"htximp03"
_ALIGNED = 16
_KINDS = ("<u1", "<u2", "<u4", "<u8", "<i4")
_START = len(_MAGIC) + 8
_mapped: "weakref.WeakValueDictionary[tuple[int, int, int, int], mmap.mmap]" = weakref.WeakValueDictionary()
"""The files that are mapped, by what tells one state of a file from another."""


class ColumnsDamaged(Exception):
    """Columns are missing, altered, or of another version or segment.

    Never leaves the engine.
    """


def columns_name(segment: str) -> str:
    """Return the file name of a segment's columns."""
    return f"{segment}.imp"


def pack(facts: Mapping[str, Any], sections: Mapping[str, Array], blocks: frozenset[str]) -> bytes:
    """Return the bytes of a columns file.

    The sections named in `blocks` have checksums of their own elsewhere.
    """
    arrays = {name: np.ascontiguousarray(array, array.dtype.newbyteorder("<")) for name, array in sections.items()}
    table: dict[str, list[Any]] = {}
    at = 0
    for name, array in arrays.items():
        table[name] = [at, len(array), array.dtype.str.replace("|", "<"), zlib.crc32(array.data), name in blocks]
        at += -(-array.nbytes // _ALIGNED) * _ALIGNED
    header = json.dumps({**facts, "sections": table}, ensure_ascii=False).encode()
    parts = [_MAGIC, len(header).to_bytes(4, "little"), zlib.crc32(header).to_bytes(4, "little"), header]
    parts.append(bytes(-(_START + len(header)) % _ALIGNED))
    for array in arrays.values():
        parts += [array.tobytes(), bytes(-array.nbytes % _ALIGNED)]
    return b"".join(parts)


def packed_strings(strings: list[bytes]) -> tuple[Array, Array]:
    """Return the strings concatenated, and the start of each.

    The end of the last follows the starts.
    """
    ends = np.cumsum([0, *map(len, strings)], dtype=np.uint64)
    return np.frombuffer(b"".join(strings), np.uint8), ends.astype(np.uint32)


class Columns:
    """Reads a columns file.

    Every method raises ColumnsDamaged where a checksum is wrong.
    """

    def __init__(self, buffer: bytes | mmap.mmap) -> None:
        self._buffer = buffer
        self._sections: dict[str, Array] = {}
        self._tables: dict[str, tuple[Array, ...]] = {}
        self._blocks: dict[str, tuple[Array, ...]] = {}
        self._checked: dict[str, bytearray] = {}
        length = int.from_bytes(buffer[8:12], "little")
        header = buffer[_START : _START + length]
        if buffer[:8] != _MAGIC or len(header) != length or zlib.crc32(header).to_bytes(4, "little") != buffer[12:16]:
            raise ColumnsDamaged("header")
        self.facts: dict[str, Any] = json.loads(header)
        self._table: dict[str, list[Any]] = self.facts["sections"]
        self._base = _START + length + -(_START + length) % _ALIGNED

    @classmethod
    def open(cls, path: Path) -> "Columns":
        """Map a file, once for all readers of a process.

        Each thread of a server has a reader of its own.
        """
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
                mapped = _mapped.get(key)
                if mapped is None:
                    mapped = _mapped[key] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                return cls(mapped)
        except (OSError, ValueError) as error:
            raise ColumnsDamaged(str(error)) from error

    def section(self, name: str) -> Array:
        """Return a section."""
        found = self._sections.get(name)
        if found is None:
            offset, count, kind, crc, in_blocks = self._table[name]
            try:
                if kind not in _KINDS:
                    raise ColumnsDamaged(name)
                found = np.frombuffer(self._buffer, kind, count, self._base + offset)
            except ValueError as error:  # the file is too short
                raise ColumnsDamaged(name) from error
            if not in_blocks and zlib.crc32(found.data) != crc:
                raise ColumnsDamaged(name)
            self._sections[name] = found
        return found

    def string(self, name: str, number: int) -> bytes:
        """Return one of the strings packed in `<name>.text` and `<name>.text_at`."""
        at = self.section(f"{name}.text_at")
        return self.section(f"{name}.text")[at.item(number) : at.item(number + 1)].tobytes()

    def string_list(self, name: str, first: int = 0, behind: int | None = None) -> list[bytes]:
        """Return strings packed in `<name>.text` and `<name>.text_at`, all by default."""
        at = self.section(f"{name}.text_at")[first : None if behind is None else behind + 1].tolist()
        begin = at[0]
        text = self.section(f"{name}.text")[begin : at[-1]].tobytes()
        return [text[start - begin : end - begin] for start, end in pairwise(at)]

    def number_of(self, name: str, text: bytes) -> int:
        """Return the number of a string packed under `name`, or -1.

        The CRC-32 of the strings are in `<name>.hash`, sorted.
        """
        table = self._tables.get(name)
        if table is None:
            parts = (self.section(f"{name}.{part}") for part in ("hash", "text", "text_at"))
            table = self._tables[name] = tuple(parts)
        hashes, texts, text_at = table
        wanted = zlib.crc32(text)
        at = int(hashes.searchsorted(np.uint32(wanted)))
        while at < len(hashes) and hashes.item(at) == wanted:
            if texts[text_at.item(at) : text_at.item(at + 1)].tobytes() == text:
                return at
            at += 1
        return -1

    def block(self, field: str, number: int) -> tuple[Array, Array]:
        """Return a term's postings in a field: units ascending, and its frequency in each."""
        table = self._blocks.get(field)
        if table is None:
            parts = (self.section(f"{field}.{part}") for part in ("at", "units", "tf", "crc"))
            table = self._blocks[field] = tuple(parts)
            self._checked.setdefault(field, bytearray(len(table[0])))
        at, all_units, all_tf, crcs = table
        start, end = at.item(number), at.item(number + 1)
        units, tf = all_units[start:end], all_tf[start:end]
        if not self._checked[field][number]:
            if block_crc(units, tf) != crcs.item(number):
                raise ColumnsDamaged(f"{field} {number}")
            self._checked[field][number] = True
        return units, tf

    def table(self, field: str) -> tuple[Array, Array, Array, Array, Array, Array, Array, bytearray]:
        """Return a field's columns, and a byte for each term that is verified.

        The columns are hash, text, text_at, at, crc, units and tf.
        """
        parts = (self.section(f"{field}.{part}") for part in ("hash", "text", "text_at", "at", "crc", "units", "tf"))
        hashes, text, text_at, at, crcs, units, tf = parts
        return hashes, text, text_at, at, crcs, units, tf, self._checked.setdefault(field, bytearray(len(at)))

    def blocks(self, field: str) -> tuple[Array, Array, Array]:
        """Return all postings of a field: where each term's begin, units, and frequencies."""
        found = []
        for part in ("at", "units", "tf"):
            section = self.section(f"{field}.{part}")
            if zlib.crc32(section.data) != self._table[f"{field}.{part}"][3]:
                raise ColumnsDamaged(field)
            found.append(section)
        return found[0], found[1], found[2]

    def give_back(self) -> None:
        """Release the pages that were read.

        The system reads them again when they are needed.
        """
        if isinstance(self._buffer, mmap.mmap):
            _give_back(self._buffer)

    def check(self) -> None:
        """Compare every checksum."""
        for name, (*_, crc, _) in self._table.items():
            if zlib.crc32(self.section(name).data) != crc:
                raise ColumnsDamaged(name)


def _give_back(mapped: mmap.mmap) -> None:
    """Release a mapped file's pages to the system.

    The system keeps them as long as it has room.
    """
    if hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


class MappedFile:
    """A mapped file, read piece by piece; `descriptor` is the open file.

    Only a few of its pages stay in this process's memory. mmap, not read(): read() releases the GIL and then queues to get it
    back.
    """

    _RESIDENT = 2_000_000
    """Bytes read after which all pages are released; the system keeps them as long as it has room."""
    _AROUND = 65_536
    """Bytes that Linux maps around a read."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        weakref.finalize(self, os.close, self.descriptor)
        self.mapped = mmap.mmap(self.descriptor, 0, access=mmap.ACCESS_READ)
        self.size = len(self.mapped)
        self._touched = 0

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` to before `end`, fewer at the end of the file."""
        self._touched += self._AROUND + end - start
        if self._touched > self._RESIDENT:
            _give_back(self.mapped)
            self._touched = 0
        found: bytes = self.mapped[start:end]
        return found


def block_crc(units: Array, tf: Array) -> int:
    """Return the checksum of a term's postings."""
    return zlib.crc32(tf.data, zlib.crc32(units.data))


# Building them from a segment


class _Numbering(NamedTuple):
    """Whoosh's documents as articles and passages.

    `number`, (documents,) uint32, counts each among its kind.
    """

    article_docs: Array
    passage_docs: Array
    number: Array


def build_columns(
    files: "SegmentFiles", name: str, file_size: int, written: Mapping[str, "FieldPostings"] | None = None
) -> bytes:
    """Return the columns of the segment with these files.

    `file_size` is that of its .seg file. `written` are its postings by field, if they need not be read.
    """
    postings: Callable[[str], FieldPostings] = files.field
    if written is not None:
        postings = lambda field: written.get(field) or files.field(field)  # noqa: E731
    ordinal = files.numbers("ordinal")
    article_docs, passage_docs = np.flatnonzero(ordinal == 0), np.flatnonzero(ordinal > 0)
    number = np.empty(len(ordinal), np.uint32)
    number[article_docs], number[passage_docs] = np.arange(len(article_docs)), np.arange(len(passage_docs))
    numbering = _Numbering(article_docs, passage_docs, number)
    sections: dict[str, Array] = {
        "passages": np.diff(article_docs, append=len(ordinal)).astype(np.uint32) - np.uint32(1),
        "date": files.numbers("date")[article_docs],
    }
    for field in PASSAGE_FIELDS + ARTICLE_FIELDS:
        docs = article_docs if field in ARTICLE_FIELDS else passage_docs
        sections[f"length.{field}"] = files.numbers(f"length_{field}")[docs].astype(np.uint32)
        sections |= _postings(postings(field), field, number)
    for field in ("place", "source"):
        sections |= _values(postings(field), field, numbering)
    sections |= _ids(files, article_docs) | _spellings(postings("spelling").terms)
    sections |= _postings(postings("fact_key"), "fact_key", number)
    for piece, column in (("record", "_stored"), ("vector", "vector"), ("facts", "facts")):
        sections |= _pieces(files, piece, column, article_docs)
    lengths = np.empty(len(ordinal), np.int64)
    lengths[article_docs], lengths[passage_docs] = sections["length.title"], sections["length.syllable"]
    forward, sections["forward.crc"] = _forward(files, article_docs, lengths)
    fields = PASSAGE_FIELDS + ARTICLE_FIELDS
    facts = {"segment": name, "size": len(ordinal), "file_size": file_size, "forward": forward, "fields": fields}
    blocks = frozenset(f"{field}.{part}" for field in (*fields, "fact_key") for part in ("units", "tf"))
    return pack(facts, sections, blocks)


def _by_hash(strings: list[bytes]) -> tuple[list[int], Array]:
    """Return the order of strings by CRC-32, and their CRC-32 in that order."""
    hashes = np.array([zlib.crc32(string) for string in strings], np.uint32)
    order = np.argsort(hashes, kind="stable")
    return order.tolist(), hashes[order]


def in_order(starts: Array, order: Sequence[int]) -> Array:
    """Return the positions of the items of runs, the runs in another order.

    Run n has the positions `starts[n]` to `starts[n + 1]`.
    """
    chosen = starts[:-1].astype(np.int64)[order]
    sizes: Array = np.diff(starts.astype(np.int64))[order]
    positions: Array = np.repeat(chosen - (np.cumsum(sizes) - sizes), sizes) + np.arange(int(sizes.sum()))
    return positions


def _smallest(values: Array) -> Array:
    """Return values as the smallest unsigned type that holds them all exactly."""
    most = int(values.max()) if len(values) else 0
    return values.astype(np.uint8 if most < 2**8 else np.uint16 if most < 2**16 else np.uint32)


def _postings(postings: "FieldPostings", field: str, number: Array) -> dict[str, Array]:
    order, hashes = _by_hash(postings.terms)
    sizes = np.diff(postings.starts)[order]
    ends = np.append(0, np.cumsum(sizes))
    if not len(postings.documents):
        units, tf = np.empty(0, np.uint8), np.empty(0, np.uint8)
    else:
        moved = in_order(postings.starts, order)
        units, tf = _smallest(number[postings.documents[moved]]), _smallest(postings.weights[moved])
    crcs = [block_crc(units[start:end], tf[start:end]) for start, end in pairwise(ends.tolist())]
    text, text_at = packed_strings([postings.terms[place] for place in order])
    return {
        f"{field}.hash": hashes,
        f"{field}.text": text,
        f"{field}.text_at": text_at,
        f"{field}.at": ends.astype(np.uint32),
        f"{field}.crc": np.array(crcs, np.uint32),
        f"{field}.units": units,
        f"{field}.tf": tf,
    }


def _values(postings: "FieldPostings", field: str, numbering: _Numbering) -> dict[str, Array]:
    """Return a field's values, and the number of each article's value.

    Values are counted from 1; 0 is none.
    """
    codes = np.zeros(len(numbering.article_docs), np.uint32)
    for code, (start, end) in enumerate(pairwise(postings.starts.tolist()), start=1):
        codes[numbering.number[postings.documents[start:end]]] = code
    text, text_at = packed_strings(postings.terms)
    return {f"{field}.text": text, f"{field}.text_at": text_at, f"{field}.code": codes}


def _ids(files: "SegmentFiles", article_docs: Array) -> dict[str, Array]:
    ids = [files.bytes_at(start, start + size) for start, size in _positions(files, "article", article_docs)]
    order, hashes = _by_hash(ids)
    text, text_at = packed_strings(ids)
    return {"id.text": text, "id.text_at": text_at, "id.hash": hashes, "id.article": np.array(order, np.uint32)}


def _spellings(entries: list[bytes]) -> dict[str, Array]:
    """Return the spellings in order, and which of them share a key.

    The key is the part of a spelling that precedes its term. Keys are found by their CRC-32.
    """
    first: dict[bytes, int] = {}
    for place, entry in enumerate(entries):
        first.setdefault(entry.partition(SEPARATOR.encode())[0], place)
    order, hashes = _by_hash(list(first))
    starts = np.array([*first.values()], np.uint32)
    counts = np.diff(starts, append=np.uint32(len(entries))).astype(np.uint32)
    text, text_at = packed_strings(entries)
    return {
        "spelling.text": text,
        "spelling.text_at": text_at,
        "spelling.hash": hashes,
        "spelling.first": starts[order],
        "spelling.count": counts[order],
    }


def _forward(files: "SegmentFiles", article_docs: Array, lengths: Array) -> tuple[int, Array]:
    """Return the offset of the tokens in the .seg file, and each article's checksum.

    The tokens are those of all documents in a row.
    """
    base, offsets, sizes = files.values("forward")
    ends = np.cumsum(5 * lengths)
    starts = np.append(0, ends)
    if not (np.array_equal(offsets, starts[:-1]) and np.array_equal(sizes, 5 * lengths)):
        raise ValueError("the forward column is not in order")
    at = (base + starts[np.append(article_docs, len(lengths))]).tolist()
    return base, np.array([zlib.crc32(files.bytes_at(start, end)) for start, end in pairwise(at)], np.uint32)


def _pieces(files: "SegmentFiles", name: str, column: str, article_docs: Array) -> dict[str, Array]:
    """Return the offset, size and checksum of each article's value of a column.

    Offsets are positions in the .seg file.
    """
    positions = _positions(files, column, article_docs)
    return {
        f"{name}.at": np.array([start for start, _ in positions], np.uint64),
        f"{name}.size": np.array([size for _, size in positions], np.uint32),
        f"{name}.crc": np.array([zlib.crc32(files.bytes_at(start, start + size)) for start, size in positions], np.uint32),
    }


def _positions(files: "SegmentFiles", column: str, article_docs: Array) -> list[tuple[int, int]]:
    """Return the offset and size of each article's value of a column of bytes.

    Offsets are positions in the .seg file.
    """
    base, offsets, sizes = files.values(column)
    return list(zip((base + offsets[article_docs]).tolist(), sizes[article_docs].tolist(), strict=True))
