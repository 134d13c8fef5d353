"""Blobs of a commit in a cluster: in parts that are cut where the content says so.

A catalogue of a million articles changes in a few places. Where a part ends depends on the bytes before its end alone
(A. Muthitacharoen, B. Chen and D. Mazières, "A Low-Bandwidth Network File System", 2001): what is inserted or removed changes
the parts around it, and all others are those of the commit before. So a commit writes what has changed, and a table of the
parts, two thousandths of the blob. A blob of one part is in the place of its table.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import chain

from htxsearch.engine.opensearch.cluster import Cluster, Json
from htxsearch.engine.opensearch.mapping import packed, unpacked
from htxsearch.engine.opensearch.state import BlobPlace

__all__ = ["BlobReader", "blob_id", "digest_of", "parts_of", "written_blobs"]

_LEAST, _MOST = 1 << 12, 1 << 16
_CUT_BITS = 14
"""A part ends at one of 16,384 places on average, so it has some 20 KB."""
_WORDS = 4
"""Words of eight bytes that say whether a part ends behind them: some rows of a table differ in few of their bytes."""
_MULTIPLIER = 0x9E3779B97F4A7C15
_AT_ONCE = 256
"""Parts that are read in one request, some 7 MB."""


def parts_of(blob: bytes) -> list[bytes]:
    """Return the parts of a blob, of 4 to 64 KB; a small blob is one part."""
    if len(blob) <= 2 * _LEAST:
        return [blob]
    parts, start = [], 0
    for end in (*_places(blob), len(blob)):
        while end - start > _MOST:
            parts.append(blob[start : start + _MOST])
            start += _MOST
        if end - start >= _LEAST or start < end == len(blob):
            parts.append(blob[start:end])
            start = end
    return parts


def _places(blob: bytes) -> list[int]:
    """Return the places where the 32 bytes before have a hash that ends a part."""
    import numpy as np

    found = []
    for offset in range(8):
        words = np.frombuffer(blob, "<u8", (len(blob) - offset) // 8, offset)
        hashes = words[: 1 - _WORDS] * np.uint64(_MULTIPLIER)
        for at in range(1, _WORDS):
            hashes = (hashes ^ words[at : len(words) - _WORDS + 1 + at]) * np.uint64(_MULTIPLIER)
        ends = np.flatnonzero(hashes >> np.uint64(64 - _CUT_BITS) == 0) * 8 + (offset + 8 * _WORDS)
        found.append(ends)
    places: list[int] = np.sort(np.concatenate(found)).tolist()
    return places


def blob_id(data: str, name: str, commit: int, part: str = "") -> str:
    """Return the id of a blob's table, or of a part by its hash."""
    return f"{data}@{commit}@{zlib.crc32(name.encode()):08x}{len(name)}@{part}"


def digest_of(blob: bytes) -> str:
    """Return the hash by which a blob or a part is known."""
    return blake2b(blob, digest_size=16).hexdigest()


class BlobReader:
    """Reads the blobs of one data from an index of the cluster."""

    def __init__(self, cluster: Cluster, index: str, data: str) -> None:
        self._cluster, self._index, self._data = cluster, index, data

    def read(self, name: str, place: BlobPlace) -> bytes | None:
        """Return a blob, None if not all of it is there, or it is damaged."""
        table = self._documents([blob_id(self._data, name, place.commit)])
        if not table:
            return None
        if "part" in table[0]:
            blob = unpacked(table[0]["part"])
        else:
            ids = [blob_id(self._data, name, *_place_of(part)) for part in table[0]["parts"]]
            some = (ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE))
            parts = chain.from_iterable(map(self._documents, some))
            blob = b"".join(unpacked(part["part"]) for part in parts)
        return blob if digest_of(blob) == place.digest else None

    def parts(self, name: str, place: BlobPlace) -> list[str]:
        """Return the parts of a blob as its table has them: "COMMIT DIGEST"."""
        table = self._documents([blob_id(self._data, name, place.commit)])
        return list(table[0].get("parts", ())) if table else []

    def _documents(self, ids: Sequence[str]) -> list[Json]:
        """Return those of the documents that there are."""
        found = self._cluster.request("POST", f"/{self._index}/_mget", {"ids": list(ids)}).get("docs", [])
        return [one["_source"] for one in found if one.get("found")]


def _place_of(part: str) -> tuple[int, str]:
    commit, _, digest = part.partition(" ")
    return int(commit), digest


def written_blobs(
    reader: BlobReader,
    data: str,
    commit: int,
    before: Mapping[str, BlobPlace],
    blobs: Mapping[str, bytes],
    send: Callable[[Iterable[tuple[str, Json | None]]], None],
) -> tuple[dict[str, BlobPlace], list[str]]:
    """Write what has changed of the blobs of a commit.

    `before` are the places of the commit before. Returns the places of this one, and the ids of documents that it no longer
    has.
    """
    places: dict[str, BlobPlace] = {}
    gone: list[str] = []
    for name, blob in blobs.items():
        known = before.get(name)
        if known is not None and known.digest == digest_of(blob):
            places[name] = known
            continue
        parts = parts_of(blob)
        former = reader.parts(name, known) if known else []
        table, new = _table(parts, commit, former)
        send(_documents_of(data, commit, name, table, new, parts))
        places[name] = BlobPlace(commit, len(parts), len(blob), digest_of(blob))
        if known:
            gone += _ids_of(data, name, known, set(former).difference(table))
    for name, place in before.items():
        if name not in places:
            gone += _ids_of(data, name, place, reader.parts(name, place))
    return places, gone


def _ids_of(data: str, name: str, place: BlobPlace, parts: Iterable[str]) -> list[str]:
    """Return the ids of a blob's table and of some of its parts."""
    return [blob_id(data, name, place.commit), *sorted({blob_id(data, name, *_place_of(one)) for one in parts})]


def _table(parts: Sequence[bytes], commit: int, former: Iterable[str]) -> tuple[list[str], dict[str, bytes]]:
    """Return the table of parts, and the new ones of them by their hashes."""
    if len(parts) == 1:
        return [], {}
    known = {digest: born for born, digest in map(_place_of, former)}
    digests = [digest_of(part) for part in parts]
    new = {digest: part for digest, part in zip(digests, parts, strict=True) if digest not in known}
    return [f"{known.get(digest, commit)} {digest}" for digest in digests], new


def _documents_of(
    data: str, commit: int, name: str, table: Sequence[str], new: Mapping[str, bytes], parts: Sequence[bytes]
) -> Iterator[tuple[str, Json | None]]:
    of_commit = {"data": data, "born": commit}
    for digest, part in new.items():
        yield blob_id(data, name, commit, digest), {**of_commit, "part": packed(part)}
    content = {"parts": list(table)} if table else {"part": packed(parts[0])}
    yield blob_id(data, name, commit), {**of_commit, **content}
