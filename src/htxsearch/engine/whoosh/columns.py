"""The sidecar of a segment: its numbers and postings as arrays in one file, memory-mapped, each with a checksum.

    8 bytes    magic, the format's version in its last two
    4 bytes    length of the header
    4 bytes    CRC-32 of the header
    header     JSON: the segment's name, its number of documents, the size of its .seg file, where each section
               is (offset from their start, items, kind of item, CRC-32, whether in blocks), and facts
    sections   little-endian arrays, each at a multiple of 16

A section's checksum is compared when it is first touched, except for "blocks" (a field's postings), which
have a checksum for each term, so that a query reads only what it needs. A sidecar is derived from the
segment and can be made again; whoever meets a wrong checksum does so and trusts nothing of the old one.
The name, `<segment>.imp`, is one that Whoosh removes together with the segment.
"""

import json
import mmap
import zlib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Columns", "ColumnsDamaged", "block_crc", "columns_name", "give_back", "pack", "packed_strings"]

Array = npt.NDArray[Any]

_MAGIC = b"htximp02"
_ALIGNED = 16
_KINDS = ("<u1", "<u2", "<u4", "<u8", "<i4")
_START = len(_MAGIC) + 8


class ColumnsDamaged(Exception):
    """A sidecar is missing, of another version or segment, or not as it was written. Never leaves the engine."""


def columns_name(segment: str) -> str:
    """Return the file name of a segment's sidecar."""
    return f"{segment}.imp"


def pack(facts: Mapping[str, Any], sections: Mapping[str, Array], blocks: frozenset[str]) -> bytes:
    """Return a sidecar's bytes; the sections named in `blocks` have checksums of their own elsewhere."""
    arrays = {name: np.ascontiguousarray(array, array.dtype.newbyteorder("<")) for name, array in sections.items()}
    table: dict[str, list[Any]] = {}
    at = 0
    for name, array in arrays.items():
        table[name] = [at, len(array), array.dtype.str.replace("|", "<"), zlib.crc32(array.data), name in blocks]
        at += -(-array.nbytes // _ALIGNED) * _ALIGNED
    header = json.dumps({**facts, "sections": table}, ensure_ascii=False).encode()
    parts = [_MAGIC, len(header).to_bytes(4, "little"), zlib.crc32(header).to_bytes(4, "little"), header]
    parts.append(bytes(-(_START + len(header)) % _ALIGNED))
    for array in arrays.values():
        parts += [array.tobytes(), bytes(-array.nbytes % _ALIGNED)]
    return b"".join(parts)


def packed_strings(strings: list[bytes]) -> tuple[Array, Array]:
    """Return the strings one after the other, and where each begins, with the end behind the last."""
    ends = np.cumsum([0, *map(len, strings)], dtype=np.uint64)
    return np.frombuffer(b"".join(strings), np.uint8), ends.astype(np.uint32)


class Columns:
    """Reads a sidecar. Every method raises SidecarDamaged where what is there is not what was written."""

    def __init__(self, buffer: bytes | mmap.mmap) -> None:
        self._buffer = buffer
        self._sections: dict[str, Array] = {}
        self._tables: dict[str, tuple[Array, ...]] = {}
        self._blocks: dict[str, tuple[Array, ...]] = {}
        self._checked: dict[str, bytearray] = {}
        length = int.from_bytes(buffer[8:12], "little")
        header = buffer[_START : _START + length]
        if buffer[:8] != _MAGIC or len(header) != length or zlib.crc32(header).to_bytes(4, "little") != buffer[12:16]:
            raise ColumnsDamaged("header")
        self.facts: dict[str, Any] = json.loads(header)
        self._table: dict[str, list[Any]] = self.facts["sections"]
        self._base = _START + length + -(_START + length) % _ALIGNED

    @classmethod
    def open(cls, path: Path) -> "Columns":
        """Map a file."""
        try:
            with path.open("rb") as file:
                return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError) as error:
            raise ColumnsDamaged(str(error)) from error

    def section(self, name: str) -> Array:
        """Return a section."""
        found = self._sections.get(name)
        if found is None:
            offset, count, kind, crc, in_blocks = self._table[name]
            try:
                if kind not in _KINDS:
                    raise ColumnsDamaged(name)
                found = np.frombuffer(self._buffer, kind, count, self._base + offset)
            except ValueError as error:  # the file is too short
                raise ColumnsDamaged(name) from error
            if not in_blocks and zlib.crc32(found.data) != crc:
                raise ColumnsDamaged(name)
            self._sections[name] = found
        return found

    def string(self, name: str, number: int) -> bytes:
        """Return one of the strings packed in `<name>.text` and `<name>.text_at`."""
        at = self.section(f"{name}.text_at")
        return self.section(f"{name}.text")[at.item(number) : at.item(number + 1)].tobytes()

    def string_list(self, name: str) -> list[bytes]:
        """Return all strings packed in `<name>.text` and `<name>.text_at`."""
        text, at = self.section(f"{name}.text").tobytes(), self.section(f"{name}.text_at").tolist()
        return [text[start:end] for start, end in pairwise(at)]

    def number_of(self, name: str, text: bytes) -> int:
        """Return the number of one of the strings packed under `name`, whose CRC-32 are in `<name>.hash`, sorted; or -1."""
        table = self._tables.get(name)
        if table is None:
            parts = (self.section(f"{name}.{part}") for part in ("hash", "text", "text_at"))
            table = self._tables[name] = tuple(parts)
        hashes, texts, text_at = table
        wanted = zlib.crc32(text)
        at = int(hashes.searchsorted(np.uint32(wanted)))
        while at < len(hashes) and hashes.item(at) == wanted:
            if texts[text_at.item(at) : text_at.item(at + 1)].tobytes() == text:
                return at
            at += 1
        return -1

    def block(self, field: str, number: int) -> tuple[Array, Array]:
        """Return a term's postings in a field: units ascending, and how often it stands in each."""
        table = self._blocks.get(field)
        if table is None:
            parts = (self.section(f"{field}.{part}") for part in ("at", "units", "tf", "crc"))
            table = self._blocks[field] = tuple(parts)
            self._checked[field] = bytearray(len(table[0]))
        at, all_units, all_tf, crcs = table
        start, end = at.item(number), at.item(number + 1)
        units, tf = all_units[start:end], all_tf[start:end]
        if not self._checked[field][number]:
            if block_crc(units, tf) != crcs.item(number):
                raise ColumnsDamaged(f"{field} {number}")
            self._checked[field][number] = True
        return units, tf

    def give_back(self) -> None:
        """Let go of the pages that were read; those that are read again come back."""
        if isinstance(self._buffer, mmap.mmap):
            give_back(self._buffer)

    def check(self) -> None:
        """Compare every checksum."""
        for name, (*_, crc, _) in self._table.items():
            if zlib.crc32(self.section(name).data) != crc:
                raise ColumnsDamaged(name)


def give_back(mapped: mmap.mmap) -> None:
    """Give a mapped file's pages back to the system, which keeps them as long as it has room."""
    if hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def block_crc(units: Array, tf: Array) -> int:
    """Return the checksum of a term's postings."""
    return zlib.crc32(tf.data, zlib.crc32(units.data))
