"""One Whoosh segment: its numbers as arrays, its postings decoded whole."""

from collections import OrderedDict
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from htxsearch.engine.seam import Forward
from htxsearch.engine.whoosh.storage import unpack_forward

__all__ = ["Floats", "Ints", "Mask", "Postings", "Segment"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


class Postings(NamedTuple):
    """One term's live postings in a segment: documents ascending, and how often it stands in each."""

    docs: Ints
    tf: Floats


_NO_POSTINGS = Postings(np.empty(0, np.int32), np.empty(0))


class Segment:
    """One Whoosh segment: its numbers as arrays, its postings decoded whole and kept for a while."""

    _KEPT_POSTINGS = 4_000_000  # 48 MB

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self.size: int = reader.doc_count_all()
        self.ordinal = self._numbers("ordinal")
        self.article_docs = np.flatnonzero(self.ordinal == 0).astype(np.int32)
        self.owner = np.cumsum(self.ordinal == 0) - 1
        self.live = np.ones(self.size, np.bool_)
        self.live[list(reader.segment().deleted_docs())] = False
        self.passages = self.live & (self.ordinal > 0)
        self.articles = self.live & (self.ordinal == 0)
        self._kept: OrderedDict[tuple[str, str], Postings] = OrderedDict()
        self._kept_size = 0
        self._lengths: dict[str, Floats] = {}

    def _numbers(self, column: str) -> Ints:
        """Read a whole numeric column at once; Whoosh itself hands it out a value at a time."""
        if not self._reader.has_column(column):  # no document of this segment has it
            return np.full(self.size, -1, np.int32)
        reader = self._reader.column_reader(column, translate=False)
        raw = reader._dbfile.get(reader._basepos, reader._count * reader._fixedlen)
        values = np.full(self.size, reader._default, np.int32)
        values[: reader._count] = np.frombuffer(raw, ">i4")
        return values

    def lengths(self, field: str) -> Floats:
        """Return the number of terms of every document in `field`; -1 where the field is not."""
        if field not in self._lengths:
            self._lengths[field] = self._numbers(f"length_{field}").astype(np.float64)
        return self._lengths[field]

    @cached_property
    def dates(self) -> Ints:
        """Return every document's article's date as an ordinal, 0 for none."""
        dates: Ints = self._numbers("date")[self.article_docs][self.owner]
        return dates

    def postings(self, field: str, term: str) -> Postings:
        """Return the term's live postings."""
        kept = self._kept.get((field, term))
        if kept is not None:
            self._kept.move_to_end((field, term))
            return kept
        docs, weights, _ = self._decode(field, term, positions=False)
        keep = self.live[docs]
        found = Postings(docs[keep], weights[keep])
        self._kept[field, term] = found
        self._kept_size += len(found.docs)
        while self._kept_size > self._KEPT_POSTINGS and len(self._kept) > 1:
            self._kept_size -= len(self._kept.popitem(last=False)[1].docs)
        return found

    def positions(self, field: str, term: str) -> dict[int, list[int]]:
        """Return where the term stands in each live document."""
        docs, _, values = self._decode(field, term, positions=True)
        decode = self._reader.schema[field].format.decode_positions
        return {doc: decode(value) for doc, value in zip(docs.tolist(), values, strict=True) if self.live[doc]}

    def _decode(self, field: str, term: str, *, positions: bool) -> tuple[Ints, Floats, list[bytes]]:
        from whoosh.reading import TermNotFound

        form = self._reader.schema[field].format
        try:
            matcher = self._reader._terms.matcher(field, term.encode(), form)
        except TermNotFound:
            return *_NO_POSTINGS, []
        ids: list[int] = []
        weights: list[float] = []
        values: list[bytes] = []
        blocks = hasattr(matcher, "_next_block")  # a rare term's postings come as one list instead
        while matcher.is_active():
            if blocks:
                matcher._read_ids()
                matcher._read_weights()
                if positions:
                    matcher._read_values()
            ids.extend(matcher._ids)
            weights.extend(matcher._weights)
            if positions:
                values.extend(matcher._values)
            if not blocks:
                break
            matcher._next_block()
        return np.array(ids, np.int32), np.array(weights, np.float64), values

    def terms(self, field: str, prefix: str) -> Iterator[str]:
        """Yield the terms that live documents have in the field and that begin with `prefix`, in order."""
        for found in self._reader.expand_prefix(field, prefix):
            term = found.decode() if isinstance(found, bytes) else found
            if self._all_live or len(self.postings(field, term).docs):
                yield term

    @cached_property
    def _all_live(self) -> bool:
        return bool(self.live.all())

    def article_id(self, doc: int) -> str:
        """Return the id of the article that document `doc` is or belongs to."""
        return bytes(self._ids[int(self.article_docs[self.owner[doc]])]).decode()

    @cached_property
    def _ids(self) -> Any:
        return self._reader.column_reader("article", translate=False)

    def forward(self, article_doc: int) -> tuple[Forward, ...]:
        """Return the syllables of the article's title and of each of its passages."""
        return tuple(unpack_forward(self._forward[doc]) for doc in self.run(article_doc))

    @cached_property
    def _forward(self) -> Any:
        return self._reader.column_reader("forward", translate=False)

    def record(self, doc: int) -> str:
        """Return the record of article document `doc`."""
        record: str = self._reader.stored_fields(doc)["record"]
        return record

    def vectors(self) -> Iterator[tuple[str, bytes]]:
        """Yield every live article's id and vector."""
        column = self._reader.column_reader("vector", translate=False)
        for doc in np.flatnonzero(self.articles).tolist():
            yield self.article_id(doc), bytes(column[doc])

    def run(self, article_doc: int) -> range:
        """Return the documents of the article that starts at `article_doc`: it and its passages."""
        at = int(np.searchsorted(self.article_docs, article_doc))
        end = int(self.article_docs[at + 1]) if at + 1 < len(self.article_docs) else self.size
        return range(article_doc, end)
