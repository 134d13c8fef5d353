"""The vector store: the embeddings of passages, in files beside the engine's.

    index/vectors/vectors.bin   a header (model, dimension), then records of one length
    index/vectors/places.bin    the positions (article, passage) that had these vectors when they were last written

A vector is stored under a hash of the syllables it was made from, the passage's and its title's. So it
outlives a rebuild, a rename and a move, and it cannot be out of date: changed text has another key. Positions are
a cache that saves reading every article; callers must check the key.

A record is `key` 16 bytes, `scale` float32, `values` int8 by dimension, `crc` of all that. Records are
only ever appended, a batch at a time; a torn record at the end and any whose checksum fails count as missing.
"""

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htxsearch.engine.contract import Forward
from htxsearch.errors import IndexNotReadable, IndexNotWritable
from htxsearch.indexing.manifest import VECTORS_FOLDER, put

__all__ = [
    "POSITIONS",
    "VECTORS",
    "PassageKey",
    "Positions",
    "Records",
    "VectorFile",
    "passage_key",
    "positions_are_sound",
    "read_positions",
    "read_vectors",
    "sound",
    "stored_keys",
    "vectors_stamp",
    "whole_bytes",
    "write_positions",
]

VECTORS, POSITIONS = "vectors.bin", "places.bin"
"""The files in the folder of vectors."""

_CHUNK = 1024
"""Records handled at once, so that 80,000 vectors need 2 MB of memory; larger chunks are hardly faster."""

_HEADER = struct.Struct("<8sII108sI")  # magic, format, dimension, model, CRC of these
_MAGIC = b"htxvect\0"
_FORMAT = 1

_MOST_DIMENSIONS = 65_536
"""More than any encoder has: a header that says so is none."""

_POSITIONS_HEADER = struct.Struct("<8sI")  # magic, CRC of the rest: the number of positions, the positions, the ids
_POSITIONS_MAGIC = b"htxplac\0"
_POSITION = np.dtype([("key", "<u8", (2,)), ("article", "<u4"), ("passage", "<u4")])

Records = NDArray[np.void]
"""Records of a vector file, with the fields `key` (2,) uint64, `scale` float32, `values` (dimension,) int8, `crc` uint32."""


class PassageKey(NamedTuple):
    """A passage by its position, and the key of its vector."""

    key: bytes
    article_id: str
    number: int


def passage_key(title: Forward, passage: Forward) -> bytes:
    """Return the 16 bytes under which a passage's vector is stored.

    They are a hash of its title's and its own syllables. Letter case, punctuation and the passage's position in
    the article do not count.
    """
    framed = len(title.hashes).to_bytes(8, "little") + title.hashes + passage.hashes
    return hashlib.blake2b(framed, digest_size=16).digest()


def vectors_stamp(folder: Path) -> str:
    """Return a stamp that changes whenever the vectors of an index folder do."""
    stamps: list[tuple[int, int, int]] = []
    for path in (_vectors_path(folder), _positions_path(folder)):
        try:
            status = path.stat()
            stamps.append((status.st_ino, status.st_size, status.st_mtime_ns))
        except OSError:
            stamps.append((0, 0, 0))
    return ".".join(f"{number:x}" for stamp in stamps for number in stamp)


# Reading


def read_vectors(folder: Path, model: str) -> Records | None:
    """Return the whole records of an index folder's vectors, memory-mapped.

    The result is None if there are none of this model. Raises IndexNotReadable if the system does not let the file
    be read.
    """
    path = _vectors_path(folder)
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
            dimension = _HEADER.unpack(header)[2] if len(header) == _HEADER.size else 0
            if not dimension or header != _header(model, dimension):
                return None
            record = _record(dimension)
            count = (os.fstat(file.fileno()).st_size - _HEADER.size) // record.itemsize
            if not count:
                return np.empty(0, record)
            return np.memmap(file, record, "r", _HEADER.size, (count,)).view(np.ndarray)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise IndexNotReadable("index.file-unreadable", file=str(path), reason=error.strerror) from error


def sound(records: Records) -> NDArray[np.bool_]:
    """Return a mask of the records whose checksum is right, (records,) bool."""
    mask: NDArray[np.bool_] = records["crc"] == _checksums(records)
    return mask


def stored_keys(folder: Path, model: str) -> tuple[set[bytes] | None, int]:
    """Return the keys of the sound vectors of a model, and the number of damaged ones.

    A torn record at the end is one. The keys are None if the file is not of this model. Raises IndexNotReadable.
    """
    records = read_vectors(folder, model)
    if records is None:
        return None, 0
    mask = np.fromiter(_soundness(records), np.bool_, len(records))
    torn = (_vectors_path(folder).stat().st_size - _HEADER.size) % records.dtype.itemsize
    return set(_keys(records[mask])), int((~mask).sum()) + bool(torn)


def whole_bytes(file: IO[bytes]) -> int:
    """Return how many bytes of a file of vectors are whole records.

    A writer may be adding others behind them; they are never cut off. The file is left at its begin.
    """
    size = os.fstat(file.fileno()).st_size
    header = file.read(_HEADER.size)
    dimension = _HEADER.unpack(header)[2] if len(header) == _HEADER.size else 0
    if 0 < dimension <= _MOST_DIMENSIONS:
        record = _record(dimension)
        count = (size - _HEADER.size) // record.itemsize
        while count:
            file.seek(_HEADER.size + (count - 1) * record.itemsize)
            if sound(np.frombuffer(file.read(record.itemsize), record)).all():
                break
            count -= 1
        size = _HEADER.size + count * record.itemsize
    file.seek(0)
    return size


def _checksums(records: Records) -> NDArray[np.uint32]:
    size = records.dtype.itemsize
    every = memoryview(records.tobytes())
    sums = (zlib.crc32(every[start : start + size - 4]) for start in range(0, len(every), size))
    return np.fromiter(sums, np.uint32, len(records))


def _keys(records: Records) -> list[bytes]:
    every = records["key"].tobytes()
    return [every[start : start + 16] for start in range(0, len(every), 16)]


def _vectors_path(folder: Path) -> Path:
    return folder / VECTORS_FOLDER / VECTORS


def _record(dimension: int) -> np.dtype[np.void]:
    return np.dtype([("key", "<u8", (2,)), ("scale", "<f4"), ("values", "i1", (dimension,)), ("crc", "<u4")])


def _header(model: str, dimension: int) -> bytes:
    plain = _HEADER.pack(_MAGIC, _FORMAT, dimension, model.encode(), 0)[:-4]
    return plain + zlib.crc32(plain).to_bytes(4, "little")


# Writing


class VectorFile:
    """The vectors of a model in an index folder, for the folder's only writer.

    Its methods raise IndexNotWritable, IndexNotReadable.
    """

    def __init__(self, folder: Path, model: str, dimension: int) -> None:
        self._folder, self._path = folder, _vectors_path(folder)
        self._model, self._dimension = model, dimension

    def repair(self) -> set[bytes]:
        """Repair the file; return the keys stored.

        Afterwards the file is of this model, each key is there once, and every record is sound.
        """
        with _writing(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        records = read_vectors(self._folder, self._model)
        if records is None or records.dtype != _record(self._dimension):
            put(self._path, [_header(self._model, self._dimension)])
            return set()
        stored: set[bytes] = set()
        kept = np.zeros(len(records), np.bool_)
        for number, (key, is_sound) in enumerate(zip(_keys(records), _soundness(records), strict=True)):
            kept[number] = is_sound and key not in stored
            if is_sound:
                stored.add(key)
        if not kept.all():
            self._rewrite(records, kept)
        return stored

    def append(self, keys: Sequence[bytes], vectors: ArrayLike) -> None:
        """Add vectors, (keys, dimension), behind the last whole record, durably.

        Only bytes that no reader uses are cut off.
        """
        records = self._records(keys, vectors)
        with _writing(self._path), self._path.open("r+b") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(size - (size - _HEADER.size) % records.dtype.itemsize)
            file.truncate()
            file.write(records.tobytes())
            file.flush()
            os.fsync(file.fileno())

    def compact(self, live: set[bytes]) -> int:
        """Drop the vectors of dead keys if they are more than half.

        A key is dead if it is not in `live`. Returns the number dropped.
        """
        records = read_vectors(self._folder, self._model)
        if records is None:
            return 0
        kept = np.fromiter((key in live for key in _keys(records)), np.bool_, len(records))
        dead = int((~kept).sum())
        if 2 * dead <= len(records):
            return 0
        self._rewrite(records, kept)
        return dead

    def _records(self, keys: Sequence[bytes], vectors: ArrayLike) -> Records:
        """Return vectors as records.

        The scale makes the rounded values a unit vector, so that products are cosines.
        """
        wide = np.nan_to_num(np.asarray(vectors, np.float64), posinf=0.0, neginf=0.0).reshape(len(keys), self._dimension)
        peak = np.abs(wide).max(axis=1, keepdims=True)
        rounded = np.rint(wide / np.where(peak, peak, 1.0) * 127)
        length = np.linalg.norm(rounded, axis=1)
        records = np.zeros(len(keys), _record(self._dimension))
        records["key"] = np.frombuffer(b"".join(keys), "<u8").reshape(-1, 2)
        records["scale"] = np.where(length, 1 / np.where(length, length, 1.0), 0.0)
        records["values"] = rounded
        records["crc"] = _checksums(records)
        return records

    def _rewrite(self, records: Records, kept: NDArray[np.bool_]) -> None:
        """Replace the file by a file of the records kept.

        A reader that has the old file open keeps it.
        """

        def parts() -> Iterator[bytes]:
            yield _header(self._model, self._dimension)
            for start in range(0, len(records), _CHUNK):
                yield records[start : start + _CHUNK][kept[start : start + _CHUNK]].tobytes()

        put(self._path, parts())


def _soundness(records: Records) -> Iterator[bool]:
    for start in range(0, len(records), _CHUNK):
        yield from sound(records[start : start + _CHUNK]).tolist()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn an OSError of writing into IndexNotWritable."""
    try:
        yield
    except OSError as error:
        raise IndexNotWritable("index.file-not-writable", file=str(path), reason=error.strerror) from error


# Positions


@dataclass(frozen=True, slots=True)
class Positions:
    """The positions of passages, by key.

    `table` is sorted by the first half of the key. `ids` are the article ids that it refers to by number.
    """

    table: NDArray[np.void]
    ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.table)

    def of(self, keys: NDArray[np.uint64]) -> Iterator[tuple[int, str, int]]:
        """Yield every position of `keys`, (keys, 2).

        A position is (index of the key, article id, number of the passage).
        """
        halves = np.ascontiguousarray(self.table["key"][:, 0])
        first, last = (np.searchsorted(halves, keys[:, 0], side) for side in ("left", "right"))
        for index in np.flatnonzero(first < last).tolist():
            for position in self.table[first[index] : last[index]]:
                if (position["key"] == keys[index]).all():
                    yield index, self.ids[position["article"]], int(position["passage"])


def write_positions(folder: Path, passages: Sequence[PassageKey]) -> None:
    """Write the positions of all passages, the ids as JSON. Raises IndexNotWritable."""
    numbers = {article_id: number for number, article_id in enumerate(dict.fromkeys(one.article_id for one in passages))}
    table = np.empty(len(passages), _POSITION)
    table["key"] = np.frombuffer(b"".join(passage.key for passage in passages), "<u8").reshape(-1, 2)
    table["article"] = [numbers[passage.article_id] for passage in passages]
    table["passage"] = [passage.number for passage in passages]
    table = table[np.argsort(table["key"][:, 0], kind="stable")]
    rest = len(table).to_bytes(8, "little") + table.tobytes() + json.dumps(list(numbers)).encode()
    put(_positions_path(folder), [_POSITIONS_HEADER.pack(_POSITIONS_MAGIC, zlib.crc32(rest)), rest])


def read_positions(folder: Path) -> Positions:
    """Return the positions of an index folder.

    There are none if the folder has no such file or the file is damaged.
    """
    nothing = Positions(np.empty(0, _POSITION), ())
    try:
        whole = _positions_path(folder).read_bytes()
        magic, checksum = _POSITIONS_HEADER.unpack_from(whole)
    except (OSError, struct.error):
        return nothing
    rest = memoryview(whole)[_POSITIONS_HEADER.size :]
    if magic != _POSITIONS_MAGIC or checksum != zlib.crc32(rest):
        return nothing
    end = 8 + int.from_bytes(rest[:8], "little") * _POSITION.itemsize
    return Positions(np.frombuffer(rest[8:end], _POSITION), json.loads(bytes(rest[end:])))


def positions_are_sound(folder: Path) -> bool:
    """Return True if the file of positions is missing, or as it was written."""
    return not _positions_path(folder).exists() or isinstance(read_positions(folder).ids, list)


def _positions_path(folder: Path) -> Path:
    return folder / VECTORS_FOLDER / POSITIONS
