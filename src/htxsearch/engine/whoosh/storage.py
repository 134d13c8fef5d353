"""Where Whoosh keeps its files: the schema, storage that survives a power cut, errors as ours.

Layout. An article is a run of Whoosh documents: one for the article (ordinal 0: record, values,
title terms, spellings), then one for each passage (ordinal 1, 2, …: its terms). Runs are written,
merged and deleted whole, so a passage's article is the nearest ordinal 0 before it.
"""

import mmap
import zlib
from functools import cache
from pathlib import Path
from typing import Any

from htxsearch.engine.contract import ARTICLE_FIELDS, PASSAGE_FIELDS, Terms, forward_of
from htxsearch.engine.whoosh.toc import SegmentEntry
from htxsearch.errors import HtxError, IndexBusy, IndexDamaged, IndexMissing, IndexNotWritable, IndexOutdated
from htxsearch.ingest.atomic_files import sync_file, sync_folder

__all__ = [
    "DISTRIBUTION",
    "MARK",
    "NO_DATE",
    "SEPARATOR",
    "blob_name",
    "durable_storage",
    "mapped",
    "pack_blob",
    "pack_forward",
    "schema",
    "segment_reader",
    "unpack_blob",
]

DISTRIBUTION = "whoosh 2.7.4"
SEPARATOR = "\x1f"  # between key and term in the spellings field
MARK = {"syllable": "s", "word": "w"}
NO_DATE = 0  # date.toordinal() starts at 1


@cache
def schema() -> Any:
    """Return the schema of every index; what is opened is read with it, whatever the files say."""
    from whoosh import fields, formats
    from whoosh.analysis import IDAnalyzer
    from whoosh.columns import NumericColumn, VarBytesColumn

    # A posting's weight is the term's frequency; where in a document it stands is in the column `forward`.
    posting = fields.FieldType(format=formats.Existence(), analyzer=IDAnalyzer(), scorable=False, stored=False)
    return fields.Schema(
        article=fields.ID(sortable=VarBytesColumn()),
        record=fields.STORED(),
        vector=fields.COLUMN(VarBytesColumn()),
        forward=fields.COLUMN(VarBytesColumn()),
        **dict.fromkeys((*PASSAGE_FIELDS, *ARTICLE_FIELDS, "spelling", "place", "source"), posting),
        date=fields.COLUMN(NumericColumn("i", default=NO_DATE)),
        ordinal=fields.COLUMN(NumericColumn("i", default=-1)),
        **{f"length_{name}": fields.COLUMN(NumericColumn("i", default=-1)) for name in PASSAGE_FIELDS + ARTICLE_FIELDS},
    )


class mapped:  # noqa: N801 - used like a function; contextlib's way takes four times as long, 90 times a query
    """Turn whatever Whoosh raises inside into one of our errors.

    Everything is caught, because Whoosh reports damage as struct.error, EOFError, pickle errors and
    bare Exception alike; only calls into Whoosh stand inside.
    """

    __slots__ = ("_folder", "_writing")

    def __init__(self, folder: Path, *, writing: bool = False) -> None:
        self._folder, self._writing = folder, writing

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, HtxError):
            raise _error_for(error, self._folder, writing=self._writing) from error


def _error_for(error: Exception, folder: Path, *, writing: bool) -> HtxError:
    from whoosh import index

    if isinstance(error, index.LockError):
        return IndexBusy("index.busy-engine", folder=str(folder))
    if isinstance(error, index.EmptyIndexError):
        return IndexMissing("index.missing", folder=str(folder))
    if isinstance(error, index.IndexVersionError | index.OutOfDateError):
        return IndexOutdated("index.outdated", folder=str(folder))
    if writing and isinstance(error, OSError):
        return IndexNotWritable("index.not-writable", folder=str(folder), reason=error.strerror or str(error))
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return IndexDamaged("index.unreadable", folder=str(folder), reason=reason)


@cache
def durable_storage() -> type[Any]:
    """Return Whoosh's file storage with what it lacks: nothing is renamed into place before it is on disk."""
    from whoosh.filedb.filestore import FileStorage

    class DurableStorage(FileStorage):  # type: ignore[misc]
        """Syncs every file it made before a rename makes them reachable, and the folder after it."""

        def __init__(self, folder: str) -> None:
            super().__init__(folder)
            self._unsynced: set[str] = set()

        def create_file(self, name: str, excl: bool = False, mode: str = "wb", **kwargs: Any) -> Any:
            self._unsynced.add(name)
            return super().create_file(name, excl=excl, mode=mode, **kwargs)

        def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
            for name in self._unsynced:
                sync_file(Path(self.folder, name))  # parts that were assembled into one segment file are gone by now
            self._unsynced.clear()
            super().rename_file(oldname, newname, safe=safe)
            sync_folder(Path(self.folder))

    return DurableStorage


def blob_name(name: str, generation: int) -> str:
    """Return the file name of a blob of the given commit."""
    return f"{name}-{generation}.blob"


def pack_blob(blob: bytes) -> bytes:
    """Return a blob as it is filed: its checksum, then itself."""
    return zlib.crc32(blob).to_bytes(4) + blob


def unpack_blob(filed: bytes) -> bytes:
    """Return the blob that was filed. Raises ValueError if the checksum is not its own."""
    blob = filed[4:]
    if zlib.crc32(blob).to_bytes(4) != filed[:4]:
        raise ValueError("a blob's checksum is wrong")
    return blob


def pack_forward(terms: Terms) -> bytes:
    """Return a passage's syllables and flags for the forward column."""
    forward = forward_of(terms)
    return forward.hashes + forward.flags


def segment_reader(folder: Path, file: mmap.mmap, entry: SegmentEntry) -> Any:
    """Return Whoosh's reader of one segment whose .seg file is mapped, be the file still there or not."""
    from whoosh.codec import default_codec
    from whoosh.codec.whoosh3 import W3Segment
    from whoosh.filedb.compound import CompoundStorage
    from whoosh.filedb.structfile import StructFile
    from whoosh.reading import SegmentReader

    file.seek(0)
    parts = CompoundStorage(StructFile(file), use_mmap=False)
    parts._source = file  # what Whoosh does with a file it maps itself
    index, _, number = entry.name.partition("_")
    segment = W3Segment(default_codec(), index, doccount=entry.size, segid=number, deleted=set(entry.deleted))
    segment.compound = True
    segment.open_compound_file = lambda _storage: parts
    return SegmentReader(durable_storage()(str(folder)), schema(), segment)
