"""Dense search: the passages nearest to a query, by the cosines of stored vectors."""

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htxsearch.indexing.encoder import MODEL, available
from htxsearch.indexing.vector_store import Positions, Records, read_positions, read_vectors, sound, vectors_stamp

__all__ = ["NearPassage", "PassageVectors", "has_encoder"]

_CHUNK = 1024
"""Vectors compared at once, so that 80,000 vectors are compared in 2 MB of memory; larger chunks are hardly faster."""

_SLACK = 1e-5
"""More than the error of float32 in a cosine of unit vectors (about 1e-7), less than matters to a ranking."""

_Vector = NDArray[np.float64]


@cache
def has_encoder() -> bool:
    """Return True if the encoder is installed.

    Looking for it takes a tenth of a query, and a running process does not get it.
    """
    return available()


class NearPassage(NamedTuple):
    """A passage whose vector is near to a query's.

    It holds the passage's position when last encoded, the cosine and the key.
    """

    article_id: str
    passage: int
    cosine: float
    key: bytes


class PassageVectors:
    """The vectors in an index folder as they were when it was opened.

    Vectors encoded later are not seen. Cosines are of vectors rounded to int8, which moves them by less than .001.
    """

    def __init__(self, folder: Path, records: Records, stamp: str) -> None:
        """Use `PassageVectors.open`."""
        self._folder = folder
        self._records = records
        self._stamp = stamp
        first_halves = np.ascontiguousarray(records["key"][:, 0])
        self._order = np.argsort(first_halves)
        self._sorted = first_halves[self._order]  # of two keys that differ only in the second half, one is not found
        self._positions: Positions | None = None

    @classmethod
    def open(cls, folder: Path, *, model: str = MODEL) -> "PassageVectors | None":
        """Open the vectors of an index folder; return None if there are none to read.

        None means that there are no vectors of this model, or nothing readable.

        Raises IndexNotReadable if the system does not let the file be read.
        """
        stamp = vectors_stamp(folder)
        records = read_vectors(folder, model)
        return cls(folder, records, stamp) if records is not None and len(records) else None

    def is_current(self) -> bool:
        """Return True if the files are still as they were when they were opened."""
        return self._stamp == vectors_stamp(self._folder)

    def __len__(self) -> int:
        return len(self._records)

    def similarities(self, keys: Sequence[bytes], query_vector: ArrayLike) -> _Vector:
        """Return the cosine of each key's vector with the query's.

        The result is (keys,) float64, NaN where there is no vector.
        """
        cosines = np.full(len(keys), np.nan)
        rows = self._rows(np.frombuffer(b"".join(keys), "<u8").reshape(-1, 2))
        known = rows >= 0
        cosines[known] = self._cosines(rows[known], _unit(query_vector))
        return cosines

    def nearest(self, query_vector: ArrayLike, limit: int) -> list[NearPassage]:
        """Return the `limit` passages nearest to the query, nearest first.

        Ties are ordered by article id and passage number. Every vector is compared. A vector with several positions,
        as in reprints, comes once for each; a vector whose position is not known does not come. The passage may have
        changed or gone since.
        """
        if self._positions is None:
            self._positions = read_positions(self._folder)
        if limit < 1 or not self._positions:
            return []
        query = _unit(query_vector)
        scores = self._rough(query)
        depth = limit
        while True:  # some of the best may have no position; then go deeper
            depth = min(2 * depth, len(scores))
            least = np.partition(scores, -depth)[-depth]
            near = self._positioned(np.flatnonzero(scores >= least - _SLACK), query, self._positions)
            if depth == len(scores) or sum(passage.cosine >= least for passage in near) >= limit:
                near.sort(key=lambda passage: (-round(passage.cosine, 9), passage.article_id, passage.passage))
                return near[:limit]

    def _rows(self, keys: NDArray[np.uint64]) -> NDArray[np.intp]:
        """Return the row of each key, (keys,) intp, -1 where there is none."""
        nearest = np.minimum(np.searchsorted(self._sorted, keys[:, 0]), len(self._sorted) - 1)
        rows = self._order[nearest]
        return np.where((self._records["key"][rows] == keys).all(axis=1), rows, -1)

    def _rough(self, query: _Vector) -> NDArray[np.float32]:
        """Return all cosines, (records,) float32, without looking at the checksums."""
        query32 = query.astype(np.float32)
        cosines = np.empty(len(self._records), np.float32)
        wide = np.empty((_CHUNK, len(query)), np.float32)
        for start in range(0, len(cosines), _CHUNK):
            values = self._records["values"][start : start + _CHUNK]
            np.copyto(wide[: len(values)], values)
            np.dot(wide[: len(values)], query32, out=cosines[start : start + _CHUNK])
        with np.errstate(all="ignore"):  # a damaged scale may be any number; `_cosines` sorts it out
            cosines *= self._records["scale"]
        return np.nan_to_num(cosines, nan=-1.0, posinf=1.0, neginf=-1.0)

    def _cosines(self, rows: NDArray[np.intp], query: _Vector) -> _Vector:
        """Return the cosines of some rows, (rows,) float64, NaN where a record is damaged."""
        cosines = np.full(len(rows), np.nan)
        for start in range(0, len(rows), _CHUNK):
            records = self._records[rows[start : start + _CHUNK]]
            whole = sound(records)
            products = records["values"][whole].astype(np.float64) @ query * records["scale"][whole]
            cosines[start : start + _CHUNK][whole] = np.clip(products, -1, 1)
        return cosines

    def _positioned(self, rows: NDArray[np.intp], query: _Vector, positions: Positions) -> list[NearPassage]:
        """Return these rows at each of their positions; damaged rows do not come."""
        keys = self._records["key"][rows]
        known = list(positions.of(keys))
        indices = sorted({index for index, _, _ in known})
        cosines = dict(zip(indices, self._cosines(rows[indices], query).tolist(), strict=True))
        return [
            NearPassage(article_id, passage, cosines[index], keys[index].tobytes())
            for index, article_id, passage in known
            if math.isfinite(cosines[index])
        ]


def _unit(vector: ArrayLike) -> _Vector:
    """Return a vector at length 1, (dimension,) float64; a zero vector as it is."""
    wide = np.asarray(vector, np.float64)
    length = float(np.linalg.norm(wide))
    return wide / length if length else wide
