"""The postings of one Whoosh session: gathered as arrays, merged with those of old segments, written a term at a time.

It stands in for Whoosh's own pool, which holds and sorts a tuple for each posting and writes it with half a dozen
calls; what it writes is the same to Whoosh's readers. A posting's weight is how often the term stands there.
"""

import heapq
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from htxsearch.engine.whoosh.harvest import decode, terms

__all__ = ["PostingsBuffer"]

_INLINE = 4
"""Postings of terms with no more than so many stand in the term dictionary itself."""

_Documents = npt.NDArray[np.uint32]
_Weights = npt.NDArray[np.float32]


class _Term(NamedTuple):
    """A term's postings from one source."""

    field: str
    term: bytes
    documents: _Documents
    weights: _Weights


class _Merged(NamedTuple):
    """A segment whose postings are taken over: its documents' new numbers are `start` and on, or in `numbers`, -1 for none."""

    reader: Any
    start: int
    numbers: npt.NDArray[np.int64] | None


class _Field:
    """The tokens of one field: for each the number of its term, and its document."""

    def __init__(self) -> None:
        self._known: dict[bytes | str, int] = {}
        self._terms, self._documents = array("I"), array("I")

    def add(self, document: int, some: Sequence[bytes | str]) -> None:
        known = self._known
        self._terms.extend([known.setdefault(term, len(known)) for term in some])
        self._documents.extend([document] * len(some))

    def postings(self, name: str) -> Iterator[_Term]:
        """Yield the terms in order of their bytes, documents ascending."""
        spelled = [term.encode() if isinstance(term, str) else term for term in self._known]
        order = sorted(range(len(spelled)), key=spelled.__getitem__)
        rank = np.empty(len(spelled), np.uint64)
        rank[order] = np.arange(len(spelled), dtype=np.uint64)
        pairs = rank[np.frombuffer(self._terms, np.uint32)] << np.uint64(32) | np.frombuffer(self._documents, np.uint32)
        pairs.sort()
        first = np.flatnonzero(np.append(True, pairs[1:] != pairs[:-1]))
        counts = np.diff(first, append=len(pairs)).astype(np.float32)
        pairs = pairs[first]
        documents = pairs.astype(np.uint32)  # the lower half
        ends = np.searchsorted(pairs >> np.uint64(32), np.arange(len(spelled) + 1, dtype=np.uint64)).tolist()
        for at, number in enumerate(order):
            here = slice(ends[at], ends[at + 1])
            yield _Term(name, spelled[number], documents[here], counts[here])


class PostingsBuffer:
    """Takes the place of a Whoosh writer's pool and of what flushes it."""

    def __init__(self, writer: Any) -> None:
        """Have a Whoosh writer keep its postings here."""
        self._fields: dict[str, _Field] = {}
        self._merged: list[_Merged] = []
        self._schema, self._fieldwriter = writer.schema, writer.fieldwriter
        writer.pool = self
        writer.add_postings_to_pool = self._take_over
        writer.fieldwriter.add_postings = lambda *_: self._write()

    def add_terms(self, field: str, document: int, some: Sequence[bytes | str]) -> None:
        """Add a document's terms, each as often as it stands there. Documents come in ascending order."""
        if some:
            self._fields.setdefault(field, _Field()).add(document, some)

    # What Whoosh's writer asks of a pool

    def add(self, posting: tuple[str, bytes, int, float, bytes]) -> None:
        field, term, document, _, _ = posting
        self.add_terms(field, document, [term])

    def iter_postings(self) -> tuple[()]:
        return ()

    def cleanup(self) -> None:
        for one in self._merged:
            one.reader.close()
        self._merged.clear()

    def _take_over(self, reader: Any, start: int, numbers: Mapping[int, int] | None) -> None:
        """Note a segment to merge; its reader is read at the end, and closed."""
        table = None
        if numbers is not None:
            table = np.full(reader.doc_count_all(), -1, np.int64)
            table[list(numbers)] = list(numbers.values())
        self._merged.append(_Merged(reader, start, table))

    # Writing

    def _write(self) -> None:
        """Write everything, field by field and term by term; only one term's postings are held twice."""
        own = [self._fields[name].postings(name) for name in sorted(self._fields)]
        every = heapq.merge(*own, *map(_of_segment, self._merged), key=itemgetter(0, 1))
        for field, of_field in groupby(every, key=itemgetter(0)):
            writer = self._fieldwriter
            writer.start_field(field, self._schema[field])
            for term, some in groupby(of_field, key=itemgetter(1)):
                self._write_term(term, sorted((one for one in some if len(one.documents)), key=lambda one: one.documents[0]))
            writer.finish_field()

    def _write_term(self, term: bytes, some: Sequence[_Term]) -> None:
        """Write a term with what each source has of it, sources in the order of their documents, in Whoosh's blocks."""
        from whoosh.codec.whoosh3 import W3TermInfo

        if not some:
            return
        documents = array("I", np.concatenate([one.documents for one in some]).tobytes())
        weights = array("f", np.concatenate([one.weights for one in some]).tobytes())
        writer = self._fieldwriter
        writer._btext = term
        block = writer._postwriter
        info = W3TermInfo()
        block.start_postings(writer._format, info)
        size = block._blocklimit
        for start in range(0, len(documents), size):
            if start:
                block._write_block()
            block._ids, block._weights = documents[start : start + size], weights[start : start + size]
            block._maxweight = max(block._weights)
        if len(documents) <= _INLINE:  # by hand, for Whoosh 2.7.4 calls here what does not exist
            info.add_block(block)
            info.set_inlined(documents, weights, ())
            block._terminfo = None
        else:
            block.finish_postings()
        writer._tindex.add(writer._fieldid.to_bytes(2) + term, info.to_bytes())


def _of_segment(source: _Merged) -> Iterator[_Term]:
    """Yield what a segment has, terms in order, documents by their new numbers."""
    reader = source.reader
    for field in sorted(reader._terms._fieldmap):
        for term, entry in terms(reader, field):
            found, times = decode(reader, field, entry)
            documents, weights = np.frombuffer(found, np.uint32), np.frombuffer(times, np.float32)
            if source.numbers is None:
                yield _Term(field, term, documents + np.uint32(source.start), weights)
            else:
                new = source.numbers[documents]
                yield _Term(field, term, new[new >= 0].astype(np.uint32), weights[new >= 0])
