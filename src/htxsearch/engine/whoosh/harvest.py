"""Making a segment's sidecar from the segment: its columns and postings as Whoosh reads them, turned into arrays.

Passages and articles are numbered apart, from 0, in the order in which they stand in the segment. What
is read by the article (tokens for stage two, records, vectors) stays in Whoosh's file; the sidecar has where
that is, and checksums.
"""

import zlib
from array import array
from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np

from htxsearch.engine.contract import ARTICLE_FIELDS, PASSAGE_FIELDS
from htxsearch.engine.whoosh.columns import Array, block_crc, pack, packed_strings
from htxsearch.engine.whoosh.storage import SEPARATOR

__all__ = ["build_columns", "decode", "terms"]


class _Numbering(NamedTuple):
    """Whoosh's documents as articles and passages: for each document its number among its kind."""

    article_docs: Array
    passage_docs: Array
    number: Array


def build_columns(reader: Any, name: str, file_size: int) -> bytes:
    """Return the sidecar of the segment that a Whoosh segment reader reads. `file_size` is that of its .seg file."""
    ordinal = _numbers(reader, "ordinal")
    article_docs, passage_docs = np.flatnonzero(ordinal == 0), np.flatnonzero(ordinal > 0)
    number = np.empty(len(ordinal), np.uint32)
    number[article_docs], number[passage_docs] = np.arange(len(article_docs)), np.arange(len(passage_docs))
    numbering = _Numbering(article_docs, passage_docs, number)
    sections: dict[str, Array] = {
        "passages": np.diff(article_docs, append=len(ordinal)).astype(np.uint32) - np.uint32(1),
        "date": _numbers(reader, "date")[article_docs],
    }
    for field in PASSAGE_FIELDS + ARTICLE_FIELDS:
        docs = article_docs if field in ARTICLE_FIELDS else passage_docs
        sections[f"length.{field}"] = _numbers(reader, f"length_{field}")[docs].astype(np.uint32)
        sections |= _postings(reader, field, number)
    for field in ("place", "source"):
        sections |= _values(reader, field, numbering)
    sections |= _ids(reader, article_docs) | _spellings(reader)
    sections |= _pieces(reader, "record", "_stored", article_docs) | _pieces(reader, "vector", "vector", article_docs)
    lengths = np.empty(len(ordinal), np.int64)
    lengths[article_docs], lengths[passage_docs] = sections["length.title"], sections["length.syllable"]
    forward, sections["forward.crc"] = _forward(reader, article_docs, lengths)
    fields = PASSAGE_FIELDS + ARTICLE_FIELDS
    facts = {"segment": name, "size": len(ordinal), "file_size": file_size, "forward": forward, "fields": fields}
    blocks = frozenset(f"{field}.{part}" for field in fields for part in ("units", "tf"))
    return pack(facts, sections, blocks)


def _numbers(reader: Any, column: str) -> Array:
    """Read a whole numeric column at once; Whoosh itself hands it out a value at a time."""
    size = reader.doc_count_all()
    if not reader.has_column(column):  # no document of this segment has it
        return np.full(size, -1, np.int32)
    values = reader.column_reader(column, translate=False)
    raw = values._dbfile.get(values._basepos, values._count * values._fixedlen)
    found = np.full(size, values._default, np.int32)
    found[: values._count] = np.frombuffer(raw, ">i4")
    return found


def terms(reader: Any, field: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield a field's terms in order, each with what Whoosh's term dictionary says of it."""
    start = reader._terms._keycoder(field, b"")
    for key, value in reader._terms._tindex.items_from(start):
        if key[:2] != start[:2]:
            return
        yield key[2:], value


def decode(reader: Any, field: str, entry: bytes) -> tuple["array[int]", "array[float]"]:
    """Return all documents that a term stands in, and how often in each."""
    from whoosh.codec.whoosh3 import W3TermInfo

    terms = reader._terms
    matcher = terms._codec.postings_reader(terms._postfile, W3TermInfo.from_bytes(entry), reader.schema[field].format)
    docs: array[int] = array("I")
    counts: array[float] = array("f")  # as Whoosh stores them
    if not hasattr(matcher, "_next_block"):  # a rare term's postings come as one list instead
        docs.extend(matcher._ids)
        counts.extend(matcher._weights)
        return docs, counts
    while matcher.is_active():
        matcher._read_data()
        steps, weights, _ = matcher._data
        docs.extend(accumulate(steps))
        same = 1.0 if weights is None else weights
        counts.extend([same] * len(steps) if isinstance(same, float) else same)
        matcher._next_block()
    return docs, counts


def _by_hash(strings: list[bytes]) -> tuple[list[int], Array]:
    """Return the order of strings by CRC-32, and these, sorted."""
    hashes = np.array([zlib.crc32(one) for one in strings], np.uint32)
    order = np.argsort(hashes, kind="stable")
    return order.tolist(), hashes[order]


def _smallest(values: Array) -> Array:
    """Return values as the smallest unsigned type that holds them all exactly."""
    most = int(values.max()) if len(values) else 0
    return values.astype(np.uint8 if most < 2**8 else np.uint16 if most < 2**16 else np.uint32)


def _postings(reader: Any, field: str, number: Array) -> dict[str, Array]:
    found: list[bytes] = []
    postings: dict[int, tuple[array[int], array[float]]] = {}
    for at, (term, entry) in enumerate(terms(reader, field)):
        found.append(term)
        postings[at] = decode(reader, field, entry)
    order, hashes = _by_hash(found)
    ends = np.zeros(len(found) + 1, np.int64)
    docs, counts = array("I"), array("f")
    for place, at in enumerate(order, start=1):
        some, times = postings.pop(at)  # a large segment's need not be there twice
        docs += some
        counts += times
        ends[place] = len(docs)
    units = _smallest(number[np.frombuffer(docs, np.uint32)] if docs else np.empty(0, np.uint32))
    tf = _smallest(np.frombuffer(counts, np.float32)) if counts else np.empty(0, np.uint8)
    crcs = [block_crc(units[start:end], tf[start:end]) for start, end in pairwise(ends.tolist())]
    text, text_at = packed_strings([found[at] for at in order])
    return {
        f"{field}.hash": hashes,
        f"{field}.text": text,
        f"{field}.text_at": text_at,
        f"{field}.at": ends.astype(np.uint32),
        f"{field}.crc": np.array(crcs, np.uint32),
        f"{field}.units": units,
        f"{field}.tf": tf,
    }


def _values(reader: Any, field: str, numbering: _Numbering) -> dict[str, Array]:
    """Return a field's values, and for every article the number of its value, counted from 1, or 0."""
    values = []
    codes = np.zeros(len(numbering.article_docs), np.uint32)
    for code, (value, entry) in enumerate(terms(reader, field), start=1):
        values.append(value)
        codes[numbering.number[np.array(decode(reader, field, entry)[0], np.uint32)]] = code
    text, text_at = packed_strings(values)
    return {f"{field}.text": text, f"{field}.text_at": text_at, f"{field}.code": codes}


def _ids(reader: Any, article_docs: Array) -> dict[str, Array]:
    column = reader.column_reader("article", translate=False) if len(article_docs) else []
    ids = [bytes(column[doc]) for doc in article_docs.tolist()]
    order, hashes = _by_hash(ids)
    text, text_at = packed_strings(ids)
    return {"id.text": text, "id.text_at": text_at, "id.hash": hashes, "id.article": np.array(order, np.uint32)}


def _spellings(reader: Any) -> dict[str, Array]:
    """Return the spellings in order and, by the CRC-32 of what precedes their term, which of them share it."""
    entries = [term for term, _ in terms(reader, "spelling")]
    first: dict[bytes, int] = {}
    for at, entry in enumerate(entries):
        first.setdefault(entry.partition(SEPARATOR.encode())[0], at)
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


def _where(reader: Any, column: str) -> tuple[int, Any, Any]:
    """Return where in the .seg file a column of bytes begins, and each value's offset there and length."""
    segment = reader.segment()
    base, _ = reader.storage().a.range(segment.codec().column_filename(segment, column))
    if column == "_stored":
        reader.stored_fields(0)
        values = reader._perdoc._readers[column]._child
    else:
        values = reader.column_reader(column, translate=False)
    return base + values._basepos, values._offsets, values._lengths


def _forward(reader: Any, article_docs: Array, lengths: Array) -> tuple[int, Array]:
    """Return where in the .seg file the tokens begin, those of all documents in a row, and a checksum for each article."""
    base, offsets, sizes = _where(reader, "forward")
    ends = np.cumsum(5 * lengths)
    starts = np.append(0, ends)
    if list(offsets) != starts[: len(offsets)].tolist() or list(sizes) != (5 * lengths)[: len(sizes)].tolist():
        raise ValueError("the forward column is not in order")
    source = reader.storage().a._source
    at = (base + starts[np.append(article_docs, len(lengths))]).tolist()
    return base, np.array([zlib.crc32(source[start:end]) for start, end in pairwise(at)], np.uint32)


def _pieces(reader: Any, name: str, column: str, article_docs: Array) -> dict[str, Array]:
    """Return where in the .seg file each article's value of a column is, its size, and its checksum."""
    base, offsets, lengths = _where(reader, column)
    source = reader.storage().a._source
    at = base + np.array([offsets[doc] for doc in article_docs.tolist()], np.int64)
    sizes = np.array([lengths[doc] for doc in article_docs.tolist()], np.int64)
    pairs = zip(at.tolist(), sizes.tolist(), strict=True)
    return {
        f"{name}.at": at.astype(np.uint64),
        f"{name}.size": sizes.astype(np.uint32),
        f"{name}.crc": np.array([zlib.crc32(source[start : start + size]) for start, size in pairs], np.uint32),
    }
