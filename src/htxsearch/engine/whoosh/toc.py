"""Whoosh's table of contents, read without Whoosh: which segments the last commit names, and what is deleted in them.

Importing Whoosh takes longer than a query. The table is a pickle; here it may make plain values and
stand-ins for Whoosh's two classes and nothing else, so reading a stranger's runs none of its code.
"""

import os
import pickle
import re
import struct
from collections import defaultdict
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from htxsearch.errors import IndexMissing, IndexOutdated

__all__ = ["Contents", "SegmentEntry", "latest_generation", "read_contents"]

_NAME = re.compile(r"_MAIN_([0-9]+)\.toc")
_SIZES = bytes((4, 8, 4))
_BYTE_ORDER = -12345
_VERSION = -111
_CLASSES = {
    ("whoosh.codec.whoosh3", "W3Segment"),
    ("whoosh.codec.whoosh3", "W3Codec"),
}
_VALUES: dict[tuple[str, str], Any] = {
    ("collections", "defaultdict"): defaultdict,
    ("builtins", "int"): int,
    ("builtins", "set"): set,
}


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """One segment as a commit names it: its files' stem, its number of documents, the deleted ones."""

    name: str
    size: int
    deleted: frozenset[int]


class Contents(NamedTuple):
    """What one commit consists of."""

    generation: int
    segments: tuple[SegmentEntry, ...]


def latest_generation(folder: Path) -> int:
    """Return the number of the last commit. Raises IndexMissing."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        names = []
    found = [int(match[1]) for name in names if (match := _NAME.fullmatch(name))]
    if not found:
        raise IndexMissing("index.missing", folder=str(folder))
    return max(found)


def read_contents(folder: Path, generation: int) -> Contents:
    """Return what a commit consists of.

    Raises IndexOutdated, FileNotFoundError if the commit is gone, and anything at all for a damaged file.
    """
    file = BytesIO((folder / f"_MAIN_{generation}.toc").read_bytes())
    if file.read(3) != _SIZES or _int(file) != _BYTE_ORDER:
        raise ValueError("the table of contents is of another architecture")
    if _int(file) != _VERSION:
        raise IndexOutdated("index.outdated", folder=str(folder))
    file.seek(3, os.SEEK_CUR)  # the release of Whoosh
    file.seek(_varint(file), os.SEEK_CUR)  # the schema
    if _int(file) != generation:
        raise ValueError("the table of contents is another commit's")
    _int(file)
    return Contents(generation, tuple(_entry(vars(one)) for one in _Reader(file).load()))


def _entry(state: dict[str, Any]) -> SegmentEntry:
    size, deleted = state["_doccount"], frozenset(state["_deleted"] or ())
    sound = type(size) is int and all(type(one) is int and 0 <= one < size for one in deleted)
    if not (sound and state["compound"] is True and re.fullmatch("[0-9a-z]+", state["segid"]) and state["indexname"] == "MAIN"):
        raise ValueError("the table of contents names a segment that cannot be")
    return SegmentEntry(f"MAIN_{state['segid']}", size, deleted)


class _StandIn:
    """Takes the place of Whoosh's segment and codec, and holds their attributes."""


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _CLASSES:
            return type(name, (_StandIn,), {})
        if (module, name) in _VALUES:
            return _VALUES[module, name]
        raise pickle.UnpicklingError(f"the table of contents holds a {module}.{name}")


def _int(file: BytesIO) -> int:
    return int(struct.unpack("!i", file.read(4))[0])


def _varint(file: BytesIO) -> int:
    """Read an integer of seven bits a byte, the lowest first; the high bit says that more follow."""
    value = shift = 0
    while True:
        (byte,) = file.read(1)
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7
