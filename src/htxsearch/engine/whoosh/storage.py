"""The files of a commit: table of contents, blobs, and Whoosh's errors as ours.

Layout. An article is a run of Whoosh documents: the first for the article (ordinal 0: record, values,
title terms, spellings), then one for each passage (ordinal 1, 2, …: its terms). Runs are written,
merged and deleted whole. Hence a passage's article is the nearest ordinal 0 before it.

The table of contents is read without Whoosh, as importing Whoosh takes longer than a query.
"""

import errno
import json
import os
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from htxsearch.engine.contract import Terms, forward_of
from htxsearch.engine.whoosh.pickles import load
from htxsearch.errors import (
    HtxError,
    IndexBusy,
    IndexDamaged,
    IndexMissing,
    IndexNotReadable,
    IndexNotWritable,
    IndexOutdated,
)
from htxsearch.values import frozen

__all__ = [
    "DISTRIBUTION",
    "FIELD_PREFIX",
    "NO_DATE",
    "SEPARATOR",
    "Contents",
    "SegmentEntry",
    "blob_name",
    "checksums_of",
    "damaged",
    "file_crc",
    "latest_generation",
    "mapped",
    "pack_blob",
    "pack_forward",
    "read_checksums",
    "read_contents",
    "stale_files",
    "unpack_blob",
]

DISTRIBUTION = "whoosh 2.7.4"
SEPARATOR = "\x1f"
"""Between key and term in the field `spelling`."""
FIELD_PREFIX = {"syllable": "s", "word": "w"}
"""The first character of a spelling, by the field of its term."""
NO_DATE = 0
"""The date of an article without one; `date.toordinal()` starts at 1."""

_TOC = re.compile(r"_MAIN_([0-9]+)\.toc")
_SEGMENT_FILE = re.compile(r"(MAIN_[0-9a-z]+)\.[A-Za-z0-9_.]+")
_SIZES = bytes((4, 8, 4))
_BYTE_ORDER = -12345
_VERSION = -111
_CHECKSUMS = "checksums"
"""The blob of a commit that has the checksums of its other files; blobs and columns have their own."""
_PIECE = 1 << 20
_DAMAGE = (None, errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.EINVAL)
"""The numbers of those OSErrors of reading that wrong content causes.

Errors that Python or Whoosh raises have none. A file is gone, is a folder, or leads to a place that it does not have.
"""


# The table of contents


@frozen
class SegmentEntry:
    """A segment as a commit lists it.

    The entry has the stem of the segment's files, its number of documents, and the deleted documents; and the checksum of
    its .seg file, None before the commit.
    """

    name: str
    size: int
    deleted: frozenset[int]
    crc: int | None = None


class Contents(NamedTuple):
    """The segments of one commit, and the checksums of its blobs by name.

    There are no checksums of blobs in an index of an earlier program.
    """

    generation: int
    segments: tuple[SegmentEntry, ...]
    blobs: Mapping[str, int] = MappingProxyType({})


def latest_generation(folder: Path) -> int:
    """Return the number of the last commit. Raises IndexMissing."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        names = []
    generations = [int(match[1]) for name in names if (match := _TOC.fullmatch(name))]
    if not generations:
        raise IndexMissing("index.missing", folder=str(folder))
    return max(generations)


def read_contents(folder: Path, generation: int, *, path: Path | None = None) -> Contents:
    """Return the contents of a commit.

    They are read from the file at `path` if it is not in place yet, and then without checksums. Raises IndexOutdated,
    IndexDamaged for a wrong checksum, and FileNotFoundError if the commit is gone. May raise any exception for a damaged
    file; `mapped` translates it.
    """
    toc = path or folder / f"_MAIN_{generation}.toc"
    content = toc.read_bytes()
    crcs: dict[str, int] = {}
    blobs: dict[str, int] = {}
    if path is None:
        checksums = read_checksums(folder, generation)
        if checksums["toc"] != zlib.crc32(content):
            raise damaged(toc)
        crcs, blobs = checksums["segments"], checksums.get("blobs", {})
    file = BytesIO(content)
    if file.read(3) != _SIZES or _int(file) != _BYTE_ORDER:
        raise ValueError("the table of contents is of another architecture")
    if _int(file) != _VERSION:
        raise IndexOutdated("index.outdated", folder=str(folder))
    file.seek(3, os.SEEK_CUR)  # the release of Whoosh
    file.seek(_varint(file), os.SEEK_CUR)  # the schema
    if _int(file) != generation:
        raise ValueError("the table of contents is another commit's")
    _int(file)
    return Contents(generation, tuple(_entry(vars(segment), crcs) for segment in load(file)), blobs)


def _entry(state: dict[str, Any], crcs: Mapping[str, int]) -> SegmentEntry:
    size, deleted = state["_doccount"], frozenset(state["_deleted"] or ())
    sound = type(size) is int and all(type(document) is int and 0 <= document < size for document in deleted)
    if not (sound and state["compound"] is True and re.fullmatch("[0-9a-z]+", state["segid"]) and state["indexname"] == "MAIN"):
        raise ValueError("the table of contents names a segment that cannot be")
    name = f"MAIN_{state['segid']}"
    return SegmentEntry(name, size, deleted, crcs.get(name))


def read_checksums(folder: Path, generation: int) -> Any:
    """Return the checksums of a commit.

    They are those of "toc", and of "segments" and "blobs" by name.

    Raises FileNotFoundError if the commit is gone, and any exception for a damaged file.
    """
    return json.loads(unpack_blob((folder / blob_name(_CHECKSUMS, generation)).read_bytes()))


def checksums_of(folder: Path, generation: int, toc: Path) -> bytes:
    """Return the blob of checksums of a commit that is about to be made.

    Its table of contents lies at `toc`. A segment of the commit before keeps the checksum that it was written with.
    """
    before: Any = {}
    with suppress(FileNotFoundError):  # the first commit
        before = read_checksums(folder, generation - 1)["segments"]
    entries = read_contents(folder, generation, path=toc).segments
    segments = {entry.name: before.get(entry.name) or file_crc(folder / f"{entry.name}.seg") for entry in entries if entry.size}
    blobs = {path.name.rpartition("-")[0]: zlib.crc32(unpack_blob(path.read_bytes())) for path in _blobs(folder, generation)}
    return pack_blob(json.dumps({"toc": zlib.crc32(toc.read_bytes()), "segments": segments, "blobs": blobs}).encode())


def _blobs(folder: Path, generation: int) -> Iterator[Path]:
    """Yield the blobs of a commit that is about to be made."""
    return (path for path in sorted(folder.glob(f"*-{generation}.blob")) if path.name != blob_name(_CHECKSUMS, generation))


def file_crc(path: Path) -> int:
    """Return the CRC-32 of a file."""
    crc = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            crc = zlib.crc32(piece, crc)
    return crc


def damaged(file: Path) -> IndexDamaged:
    """Return the error for a file with a wrong checksum."""
    return IndexDamaged("index.damaged-file", file=str(file))


def _int(file: BytesIO) -> int:
    return int(struct.unpack("!i", file.read(4))[0])


def _varint(file: BytesIO) -> int:
    """Read an integer of seven bits a byte, the lowest first.

    The high bit is set if more bytes follow.
    """
    value = shift = 0
    while True:
        (byte,) = file.read(1)
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7


def stale_files(names: Iterable[str], contents: Contents) -> list[str]:
    """Return the names of files of other commits than `contents`.

    Files of sessions cut off are included.
    """
    segments = {segment.name for segment in contents.segments}
    stale = []
    for name in names:
        toc, segment_file = _TOC.fullmatch(name), _SEGMENT_FILE.match(name)
        if (
            (toc and int(toc[1]) != contents.generation)
            or (segment_file and segment_file[1] not in segments)
            or (name.endswith(".blob") and not name.endswith(f"-{contents.generation}.blob"))
            or ".toc." in name
            or name.endswith(".imp.tmp")
        ):
            stale.append(name)
    return stale


# Blobs and passages


def blob_name(name: str, generation: int) -> str:
    """Return the file name of a blob of the given commit."""
    return f"{name}-{generation}.blob"


def pack_blob(blob: bytes) -> bytes:
    """Return a blob as it is filed: its checksum, then itself."""
    return zlib.crc32(blob).to_bytes(4) + blob


def unpack_blob(filed: bytes, crc: int | None = None) -> bytes:
    """Return the blob that was filed.

    `crc` is the checksum that its commit has of it, None if it has none: another blob may be sound, too. Raises ValueError if
    a checksum is wrong.
    """
    blob = filed[4:]
    own = zlib.crc32(blob)
    if own.to_bytes(4) != filed[:4] or crc not in (None, own):
        raise ValueError("a blob's checksum is wrong")
    return blob


def pack_forward(terms: Terms) -> bytes:
    """Return a passage's syllables and flags for the column `forward`.

    The hashes of all syllables, 4 bytes each, are followed by their flags, a byte each.
    """
    forward = forward_of(terms)
    return forward.hashes + forward.flags


# Errors


class mapped:  # noqa: N801 - used like a function; contextlib's way takes four times as long, 90 times a query
    """Turn any exception inside into one of our errors.

    Everything is caught, because Whoosh reports damage as struct.error, EOFError, pickle errors and
    bare Exception alike; only calls into Whoosh, or reading its files, stand inside.
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
    if isinstance(error, OSError) and error.errno not in _DAMAGE:
        return IndexNotReadable("index.file-unreadable", file=str(error.filename or folder), reason=error.strerror)
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return IndexDamaged("index.unreadable", folder=str(folder), reason=reason)
