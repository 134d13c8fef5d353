"""The one module that calls Whoosh: a schema, a storage, a codec, a merge policy.

These four are the extension points of Whoosh. The module is imported only to write, or to build the columns of a
segment that lacks them: importing Whoosh takes longer than a query. Whoosh 2.7.4 does four things here:

* `SegmentWriter` writes stored fields and columns, assembles a segment's files into one, and commits;
* its table of contents is renamed into place, which is the moment of a commit;
* its writer of stored fields and columns takes those of segments that are merged;
* its classes read and write the files of columns, the hash of terms and the compound file.

Postings are written by the codec (`ix.writer(codec=…)`) from a `PostingsBuffer`. The other extension point,
`poolclass`, is a parameter that Whoosh accepts and ignores; its own pool gets no posting but article ids. Queries,
scorers, parsers and analysers of Whoosh are not used; its `IDAnalyzer` is in the schema and gets article ids.
"""

import mmap
import zlib
from array import array
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from whoosh import columns, fields, formats, index
from whoosh.analysis import IDAnalyzer
from whoosh.codec import whoosh3
from whoosh.codec.whoosh3 import W3Codec, W3Segment
from whoosh.columns import NumericColumn, VarBytesColumn
from whoosh.filedb import structfile
from whoosh.filedb.compound import CompoundStorage
from whoosh.filedb.filestore import FileStorage
from whoosh.filedb.filetables import OrderedHashReader, OrderedHashWriter
from whoosh.filedb.structfile import BufferFile, StructFile

from htxsearch.engine.contract import ARTICLE_FIELDS, PASSAGE_FIELDS
from htxsearch.engine.whoosh.pickles import guard, loads_plain
from htxsearch.engine.whoosh.postings import FieldPostings, PostingsBuffer, PostingsSource, read_postings
from htxsearch.engine.whoosh.storage import NO_DATE, blob_name, checksums_of
from htxsearch.errors import IndexBusy
from htxsearch.ingest.atomic_files import sync_file, sync_folder

__all__ = ["Codec", "DurableStorage", "SegmentFiles", "merge_segment", "schema"]

guard(structfile, columns, whoosh3, index, W3Segment, W3Codec)

_NO_NUMBER = -1
"""The value of a numeric column for a document that has none; dates have NO_DATE."""


@cache
def schema() -> Any:
    """Return the schema of every index.

    An index that is opened is read with this schema, whatever its files contain.
    """
    # A posting's weight is the term's frequency; the order of a document's terms is in the column `forward`.
    posting = fields.FieldType(format=formats.Existence(), analyzer=IDAnalyzer(), scorable=False, stored=False)
    return fields.Schema(
        article=fields.ID(sortable=VarBytesColumn()),
        record=fields.STORED(),
        vector=fields.COLUMN(VarBytesColumn()),
        facts=fields.COLUMN(VarBytesColumn()),
        forward=fields.COLUMN(VarBytesColumn()),
        **dict.fromkeys((*PASSAGE_FIELDS, *ARTICLE_FIELDS, "spelling", "place", "source", "fact_key"), posting),
        date=fields.COLUMN(NumericColumn("i", default=NO_DATE)),
        ordinal=fields.COLUMN(NumericColumn("i", default=_NO_NUMBER)),
        **{f"length_{name}": fields.COLUMN(NumericColumn("i", default=_NO_NUMBER)) for name in PASSAGE_FIELDS + ARTICLE_FIELDS},
    )


class DurableStorage(FileStorage):  # type: ignore[misc]
    """Whoosh's file storage, but durable.

    A file is renamed into place when it and all new files are on disk.
    """

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self._unsynced: set[str] = set()
        self.before_commit: Callable[[Path], None] = lambda _toc: None
        """Called with the path of a table of contents that is complete and about to be renamed into place."""

    def create_file(self, name: str, excl: bool = False, mode: str = "wb", **kwargs: Any) -> Any:
        self._unsynced.add(name)
        return super().create_file(name, excl=excl, mode=mode, **kwargs)

    def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
        if newname.endswith(".toc"):
            if self.file_exists(newname):  # made by a process that no lock keeps away
                raise IndexBusy("index.busy-engine", folder=self.folder)
            toc, generation = Path(self.folder, oldname), int(newname.removesuffix(".toc").rpartition("_")[2])
            self.before_commit(toc)
            with self.create_file(blob_name("checksums", generation)) as file:
                file.write(checksums_of(Path(self.folder), generation, toc))
        for name in self._unsynced:
            sync_file(Path(self.folder, name))  # parts that were assembled into one segment file are gone by now
        if self._unsynced:
            sync_folder(Path(self.folder))  # or the table of contents may outlive the names of its files
        self._unsynced.clear()
        super().rename_file(oldname, newname, safe=safe)
        sync_folder(Path(self.folder))


class Codec(W3Codec):  # type: ignore[misc]
    """Whoosh's codec, with a field writer that writes the postings of a buffer.

    A new segment names Whoosh's own codec, so no class of ours is pickled into the table of contents.
    """

    length_stats = False
    """Our fields have no lengths of Whoosh's kind, yet it would look for their file at every posting."""

    def new_segment(self, _storage: Any, indexname: str) -> Any:
        return W3Segment(W3Codec(), indexname)

    def field_writer(self, storage: Any, segment: Any) -> "_FieldWriter":
        return _FieldWriter(storage, segment)


class _FieldWriter(PostingsBuffer):
    """Gathers a session's postings, and writes a segment's terms and postings files."""

    def __init__(self, storage: Any, segment: Any) -> None:
        super().__init__()
        self._terms_file = OrderedHashWriter(segment.create_file(storage, W3Codec.TERMS_EXT))
        self._numbers: dict[str, int] = {}
        self._terms_file.extras["fieldmap"] = self._numbers
        self._postings_file = segment.create_file(storage, W3Codec.POSTS_EXT)
        self.is_closed = False

    def add_postings(self, _schema: Any, _lengths: None, postings: Iterator[tuple[str, bytes, int, float, bytes]]) -> None:
        """Write all terms and postings.

        Whoosh calls this at the end of a session with the postings of its own pool.
        """
        for field, term, document, _, _ in postings:
            self.add_terms(field, document, [term])
        self.write(self._postings_file, self._add_entry)

    def _add_entry(self, field: str, term: bytes, entry: bytes) -> None:
        number = self._numbers.setdefault(field, len(self._numbers))
        self._terms_file.add(number.to_bytes(2) + term, entry)

    def close(self) -> None:
        self._terms_file.close()
        self._postings_file.close()
        self.is_closed = True


class SegmentFiles:
    """The files inside a segment's .seg file: columns as arrays, terms and postings.

    The .seg file is mapped.
    """

    def __init__(self, mapped: mmap.mmap, name: str, size: int) -> None:
        """`name` is the stem of the segment's files, `size` its number of documents."""
        mapped.seek(0)
        self._mapped = mapped
        self._files = CompoundStorage(StructFile(mapped), use_mmap=False)
        self._name, self._size = name, size

    def numbers(self, column: str) -> npt.NDArray[np.int32]:
        """Return a numeric column, (documents,) int32."""
        values = np.full(self._size, NO_DATE if column == "date" else _NO_NUMBER, np.int32)
        name = self._column(column)
        if self._files.file_exists(name):  # else no document of this segment has a value
            stored = np.frombuffer(self._bytes(name), ">i4")
            values[: len(stored)] = stored
        return values

    def values(self, column: str) -> tuple[int, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the offset of a column of bytes, and each value's offset and length.

        The column's offset is in the .seg file, a value's offset is from there. The offsets and lengths of the
        values are (documents,).
        """
        name = self._column(column)
        data = self._bytes(name)
        code, end, offsets = chr(data[-1]), len(data) - 1, None
        if code == "X":  # offsets are stored only in a large column
            code, offset_code, end = chr(data[-3]), chr(data[-2]), len(data) - 3
            end, offsets = self._array(data, end, offset_code)
        _, lengths = self._array(data, end, code)
        if offsets is None:
            offsets = np.cumsum(lengths) - lengths
        return self._files.range(name)[0], offsets, lengths

    def given(self, name: str, column: Any) -> Callable[[int], Any]:
        """Return a function from a document to its value of a column.

        The value is None for a document that was given none.
        """
        if isinstance(column, NumericColumn):
            nothing, numbers = column.default_value(), self.numbers(name).tolist()
            return lambda document: None if numbers[document] == nothing else numbers[document]
        if not self._files.file_exists(self._column(name)):
            return lambda _: None
        base, offsets, lengths = self.values(name)
        starts, ends = (base + offsets).tolist(), (base + offsets + lengths).tolist()
        return lambda document: self._mapped[starts[document] : ends[document]]

    def _array(self, data: memoryview, end: int, code: str) -> tuple[int, npt.NDArray[np.int64]]:
        """Return the offset of an array of a value for each document, and the array.

        The array ends at `end`.
        """
        kind = np.dtype(f">{code}")
        start = end - kind.itemsize * self._size
        return start, np.frombuffer(data[start:end], kind).astype(np.int64)

    def bytes_at(self, start: int, end: int) -> bytes:
        """Return bytes of the .seg file."""
        return self._mapped[start:end]

    def fields(self) -> list[str]:
        """Return the fields that have terms, sorted."""
        return sorted(self._term_index.extras["fieldmap"])

    def terms(self, field: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield a field's terms in order, each with its entry in the term dictionary."""
        number = self._term_index.extras["fieldmap"].get(field)
        if number is None:
            return
        prefix = number.to_bytes(2)
        for key, entry in self._term_index.items_from(prefix):
            if key[:2] != prefix:
                return
            yield key[2:], entry

    def field(self, name: str) -> FieldPostings:
        """Return the postings of a field."""
        terms, starts = [], [0]
        documents, weights = array("I"), array("f")
        for term, entry in self.terms(name):
            terms.append(term)
            of_term, in_each = read_postings(entry, self._postings)
            documents += of_term
            weights += in_each
            starts.append(len(documents))
        return FieldPostings(terms, np.array(starts, np.int64), np.array(documents, np.uint32), np.array(weights, np.float32))

    @cached_property
    def _postings(self) -> memoryview:
        return self._bytes(f"{self._name}{W3Codec.POSTS_EXT}")

    @cached_property
    def _term_index(self) -> Any:
        data = self._bytes(f"{self._name}{W3Codec.TERMS_EXT}")
        return OrderedHashReader(BufferFile(data), len(data))

    def _column(self, column: str) -> str:
        return f"{self._name}.{column}{W3Codec.COLUMN_EXT}"

    def _bytes(self, name: str) -> memoryview:
        start, length = self._files.range(name)
        return memoryview(self._mapped)[start : start + length]


def merge_segment(writer: Any, segment: Any, files: SegmentFiles, postings: PostingsSource) -> None:
    """Write the live documents of a segment anew in a session.

    Part of a merge policy. Whoosh's own `add_reader` looks for a file of lengths for every field of every document, which took
    half of a merge's time.
    """
    live = np.ones(segment.doc_count_all(), np.bool_)
    live[list(segment.deleted_docs())] = False
    numbers = np.where(live, writer.docnum + np.cumsum(live) - 1, _NO_NUMBER)
    given = [
        (name, field.column_type, files.given(name, field.column_type)) for name, field in schema().items() if field.column_type
    ]
    stored, written = files.given("_stored", None), writer.perdocwriter
    documents = np.flatnonzero(live).tolist()
    first = documents[0] if documents else None
    for document in documents:
        written.start_doc(writer.docnum)
        if record := stored(document):
            written.add_field("record", None, loads_plain(zlib.decompress(record))["record"], 0)
        for name, column, value_of in given:
            value = value_of(document)
            if value is not None and (value != b"" or document == first):  # a column that exists, though of empty values
                written.add_column_value(name, column, value)
        written.finish_doc()
        writer.docnum += 1
    writer._added = True  # or Whoosh drops what was written
    writer.fieldwriter.merge(postings, numbers)
