"""Postings in the format of Whoosh 3: gathered in arrays, written, read back.

Whoosh's own pool holds and sorts a tuple for each posting and writes it with half a dozen calls. Here the tokens
of a session are numbers in arrays; a term's postings are written to a segment, and read from it, a block at a
time. Whoosh's readers read the result. A posting's weight is the term's frequency in the document.

    term entry   struct "!BfIBBfII": is inline, total weight, documents, 0, 0, greatest weight, first and last document;
                 then either the pickled (documents, weights, ()) or the offset (8 bytes) and length (4) in the postings file
    postings     4 bytes magic, then blocks of up to 1,024 postings, each: length (4 bytes, negative in the last block),
                 pickled (postings, last document, greatest weight, compression, 0, 0), and deflated the pickled
                 (differences of documents, weights, None); weights are None if all are 1, a number if all are equal
"""

import heapq
import pickle
import struct
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from itertools import accumulate, chain, groupby, pairwise, repeat
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from htxsearch.engine.whoosh.pickles import load_plain, loads_plain

__all__ = ["Documents", "FieldPostings", "PostingsBuffer", "PostingsSource", "TermPostings", "Weights", "read_postings"]

_INLINE = 4
"""A term with at most this many postings has them in its entry in the term dictionary."""
_BLOCK = 1024
"""Whoosh writes 128; a larger block is packed better (7 % of a segment) and sooner (14 % of a merge)."""
_COMPRESSION = 3
_ENTRY = struct.Struct("!BfIBBfII")
_EXTENT = struct.Struct("!qi")
_LENGTH = struct.Struct("!i")
_MAGIC = b"W3Bl"
_PICKLE = 2

Documents = npt.NDArray[np.uint32]
Weights = npt.NDArray[np.float32]


class TermPostings(NamedTuple):
    """A term's postings from a single source.

    Documents are ascending, (postings,) uint32; weights are (postings,) float32.
    """

    field: str
    term: bytes
    documents: Documents
    weights: Weights


class FieldPostings(NamedTuple):
    """All postings of a field, terms in order.

    Those of term n are `starts[n]:starts[n + 1]` of the documents, ascending, (postings,) uint32, and of the weights.
    """

    terms: list[bytes]
    starts: npt.NDArray[np.int64]
    documents: Documents
    weights: npt.NDArray[Any]

    @classmethod
    def joined(cls, terms: list[bytes], documents: Sequence[Documents], weights: Sequence[npt.NDArray[Any]]) -> "FieldPostings":
        """Return the postings of terms, given for each."""
        starts = np.cumsum([0, *map(len, documents)], dtype=np.int64)
        if not terms:
            return cls([], starts, np.empty(0, np.uint32), np.empty(0, np.float32))
        return cls(terms, starts, np.concatenate(documents), np.concatenate(weights))


class PostingsSource(Protocol):
    """The postings of a segment that is merged."""

    def fields(self) -> list[str]:
        """Return the fields that have terms, sorted."""

    def field(self, name: str) -> FieldPostings:
        """Return the postings of a field."""


class _Merged(NamedTuple):
    """A segment whose postings are taken over.

    `numbers` has each document's new number, -1 for a deleted document.
    """

    source: PostingsSource
    numbers: npt.NDArray[np.int64]


class _Numbers(dict[bytes | str, int]):
    """The numbers of terms, from 0 on in the order in which they are asked for."""

    def __missing__(self, term: bytes | str) -> int:
        self[term] = number = len(self)
        return number


class _Field:
    """The tokens of one field: for each the number of its term, and its document."""

    def __init__(self) -> None:
        self._known = _Numbers()
        self._terms, self._documents = array("I"), array("I")

    def add(self, document: int, terms: Sequence[bytes | str]) -> None:
        self._terms.extend(map(self._known.__getitem__, terms))
        self._documents.extend(repeat(document, len(terms)))

    def postings(self, name: str) -> Iterator[TermPostings]:
        """Yield the terms in order of their bytes."""
        encoded = [term.encode() if isinstance(term, str) else term for term in self._known]
        order = sorted(range(len(encoded)), key=encoded.__getitem__)
        rank = np.empty(len(encoded), np.uint64)
        rank[order] = np.arange(len(encoded), dtype=np.uint64)
        pairs = rank[np.frombuffer(self._terms, np.uint32)] << np.uint64(32) | np.frombuffer(self._documents, np.uint32)
        pairs.sort()
        first = np.flatnonzero(np.append(True, pairs[1:] != pairs[:-1]))
        weights = np.diff(first, append=len(pairs)).astype(np.float32)
        pairs = pairs[first]
        documents = pairs.astype(np.uint32)  # the lower half
        ends = np.searchsorted(pairs >> np.uint64(32), np.arange(len(encoded) + 1, dtype=np.uint64)).tolist()
        for place, number in enumerate(order):
            of_term = slice(ends[place], ends[place + 1])
            yield TermPostings(name, encoded[number], documents[of_term], weights[of_term])


class PostingsBuffer:
    """The postings of a session: gathered as arrays, merged, written.

    They are merged with the postings of old segments, and written a term at a time.
    """

    def __init__(self) -> None:
        self._fields: dict[str, _Field] = {}
        self.written: dict[str, FieldPostings] = {}
        """What `write` has written, by field."""
        self._merged: list[_Merged] = []

    def add_terms(self, field: str, document: int, terms: Sequence[bytes | str]) -> None:
        """Add a document's terms, each as often as it occurs there."""
        if terms:
            self._fields.setdefault(field, _Field()).add(document, terms)

    def merge(self, source: PostingsSource, numbers: npt.NDArray[np.int64]) -> None:
        """Take over a segment's postings.

        `numbers` has each document's new number, (documents,), -1 for a deleted document.
        """
        self._merged.append(_Merged(source, numbers))

    def write(self, postings_file: BytesIO, add_entry: Callable[[str, bytes, bytes], None]) -> None:
        """Write all postings, fields and terms in order.

        Each term's entry is handed to `add_entry`(field, term, entry). What was gathered is forgotten.
        """
        own = chain.from_iterable(self._fields[name].postings(name) for name in sorted(self._fields))
        every = _merged(own, *map(_of_segment, self._merged)) if self._merged else own
        for field, of_field in groupby(every, key=itemgetter(0)):
            terms, documents, weights = [], [], []
            for _, term, of_term, frequencies in of_field:
                terms.append(term)
                documents.append(of_term)
                weights.append(frequencies)
                add_entry(field, term, _write_postings(postings_file, of_term, frequencies))
            self.written[field] = FieldPostings.joined(terms, documents, weights)
        self._fields.clear()
        self._merged.clear()


def _merged(*sources: Iterator[TermPostings]) -> Iterator[TermPostings]:
    """Yield the postings of each term of several sources.

    The documents of two sources are not mixed.
    """
    every = heapq.merge(*sources, key=itemgetter(0, 1))
    for (field, term), parts in groupby(every, key=itemgetter(0, 1)):
        known = sorted((part for part in parts if len(part.documents)), key=lambda part: part.documents[0])
        if known:
            documents = np.concatenate([part.documents for part in known])
            yield TermPostings(field, term, documents, np.concatenate([part.weights for part in known]))


def _of_segment(merged: _Merged) -> Iterator[TermPostings]:
    """Yield the postings of a segment, terms in order, documents by their new numbers."""
    for field in merged.source.fields():
        terms, starts, documents, weights = merged.source.field(field)
        numbers = merged.numbers[documents]
        live = numbers >= 0
        starts = np.append(0, np.cumsum(live))[starts]
        left, frequencies = numbers[live].astype(np.uint32), weights[live].astype(np.float32)
        for term, (start, end) in zip(terms, pairwise(starts.tolist()), strict=True):
            yield TermPostings(field, term, left[start:end], frequencies[start:end])


def _write_postings(file: BytesIO, documents: Documents, weights: Weights) -> bytes:
    """Write a term's postings and return its entry in the term dictionary."""
    ids, values = documents.tolist(), weights.tolist()
    inline = len(ids) <= _INLINE
    entry = _ENTRY.pack(inline, sum(values), len(ids), 0, 0, max(values), ids[0], ids[-1])
    if inline:
        return entry + pickle.dumps((tuple(ids), tuple(values), ()), _PICKLE)
    start = file.tell()
    file.write(_MAGIC)
    steps = [ids[0], *np.diff(documents).tolist()]
    for first in range(0, len(ids), _BLOCK):
        end = min(first + _BLOCK, len(ids))
        steps[first] = ids[first]
        file.write(_block(steps[first:end], values[first:end], ids[end - 1], is_last=end == len(ids)))
    return entry + _EXTENT.pack(start, file.tell() - start)


def _block(steps: list[int], weights: list[float], last_id: int, *, is_last: bool) -> bytes:
    greatest = max(weights)
    alike = None if greatest == 1 else greatest
    compact = alike if min(weights) == greatest else tuple(weights)
    packed = zlib.compress(pickle.dumps((tuple(steps), compact, None), _PICKLE), _COMPRESSION)
    facts = pickle.dumps((len(steps), last_id, greatest, _COMPRESSION, 0, 0), _PICKLE)
    length = len(facts) + len(packed)
    return _LENGTH.pack(-length if is_last else length) + facts + packed


def read_postings(entry: bytes, postings: memoryview) -> tuple["array[int]", "array[float]"]:
    """Return the documents of a term, ascending, and its frequency in each.

    `postings` is the segment's postings file. May raise any exception for damaged postings.
    """
    documents, weights = array("I"), array("f")
    if entry[0]:
        ids, frequencies, _ = loads_plain(entry[_ENTRY.size :])
        documents.extend(ids)
        weights.extend(frequencies)
        return documents, weights
    start, _ = _EXTENT.unpack_from(entry, _ENTRY.size)
    if postings[start : start + 4] != _MAGIC:
        raise ValueError("postings begin with other bytes")
    start += 4
    length = 0
    while length >= 0:
        (length,) = _LENGTH.unpack_from(postings, start)
        start += _LENGTH.size
        block = BytesIO(postings[start : start + abs(length)])
        compression = load_plain(block)[3]
        packed = block.read()
        steps, compact, _ = loads_plain(zlib.decompress(packed) if compression else packed)
        documents.extend(accumulate(steps))
        weights.extend(compact if isinstance(compact, tuple) else [1.0 if compact is None else compact] * len(steps))
        start += abs(length)
    return documents, weights
