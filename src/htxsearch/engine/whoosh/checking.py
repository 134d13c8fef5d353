"""The files of a commit: which they are, and whether each is as it was written.

Every byte of a commit is under a checksum: a segment's file and the table of contents under those of the blob `checksums`,
blobs and columns under their own. Here all of them are compared; a query compares those of what it reads.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from htxsearch.engine.contract import FileFault
from htxsearch.engine.whoosh.columns import columns_name
from htxsearch.engine.whoosh.segment import Segment
from htxsearch.engine.whoosh.storage import (
    Contents,
    SegmentEntry,
    blob_name,
    damaged,
    file_crc,
    latest_generation,
    mapped,
    read_contents,
    stale_files,
    unpack_blob,
)
from htxsearch.errors import HtxError

__all__ = ["check_files", "commit_files"]

_LOCK = "MAIN_WRITELOCK"


def commit_files(folder: Path) -> tuple[int, list[str]]:
    """Return the number of the last commit in a folder and the names of its files.

    Raises IndexMissing, IndexDamaged, IndexOutdated, IndexNotReadable; of a commit that a writer replaces meanwhile, too.
    """
    with mapped(folder):
        generation = latest_generation(folder)
        names = os.listdir(folder)
        contents = read_contents(folder, generation)
        if lost := _segment_files(contents) - {*names}:
            raise FileNotFoundError(f"{min(lost)} is gone")
        return generation, _own_files(names, contents)


def check_files(folder: Path, read: Callable[[int], None] = lambda _bytes: None) -> Iterator[FileFault]:
    """Yield what is wrong with the files of a folder's last commit.

    `read` is told the bytes of each file read. Raises IndexMissing if there is no commit, IndexNotReadable.
    """
    with mapped(folder):
        generation = latest_generation(folder)
        names = sorted(os.listdir(folder))
    blobs = [name for name in names if name.endswith(f"-{generation}.blob")]
    faults = [fault for name in blobs for fault in _blob_faults(folder, name, read)]
    yield from faults
    table = f"_MAIN_{generation}.toc"
    try:
        with mapped(folder):
            contents = read_contents(folder, generation)
    except HtxError as error:
        if not faults:  # else it may be sound: one of them has its checksum
            yield FileFault(table, "damaged", error)
        return
    read(_size(folder / table))
    broken = {fault.name for fault in faults}
    for name, crc in contents.blobs.items():
        path = folder / blob_name(name, generation)
        if path.name not in broken:
            yield from _blob_faults(folder, path.name, lambda _: None, crc)
    for entry in contents.segments:
        if entry.size:
            yield from _segment_faults(folder, entry)
            read(sum(_size(folder / name) for name in (f"{entry.name}.seg", columns_name(entry.name))))
    swept = {*stale_files(names, contents)} | {path.name for path in folder.glob("*.tmp") if path.is_dir()}
    known = {*_own_files(names, contents), _LOCK}
    for name in names:
        if name not in known:
            yield FileFault(name, "stale" if name in swept else "unknown")


def _segment_files(contents: Contents) -> set[str]:
    return {f"{entry.name}.seg" for entry in contents.segments if entry.size}


def _own_files(names: list[str], contents: Contents) -> list[str]:
    """Return the names of a commit's files, of those in its folder."""
    segments = {f"{entry.name}{ending}" for entry in contents.segments for ending in (".seg", ".imp")}
    others = {name for name in names if name.endswith((".toc", ".blob"))} - {*stale_files(names, contents)}
    return [name for name in names if name in segments or name in others]


def _blob_faults(folder: Path, name: str, read: Callable[[int], None], crc: int | None = None) -> Iterator[FileFault]:
    """Yield what is wrong with a blob.

    `crc` is the checksum that its commit has of it.
    """
    read(_size(folder / name))
    try:
        with mapped(folder):
            unpack_blob((folder / name).read_bytes(), crc)
    except HtxError as error:
        yield FileFault(name, "damaged" if (folder / name).is_file() else "missing", error)


def _segment_faults(folder: Path, entry: SegmentEntry) -> Iterator[FileFault]:
    """Yield what is wrong with the two files of a segment."""
    path = folder / f"{entry.name}.seg"
    try:
        with mapped(folder):
            if entry.crc is not None and file_crc(path) != entry.crc:
                raise damaged(path)
            is_sound = Segment(folder, entry).verify()
    except HtxError as error:
        yield FileFault(path.name, "damaged" if path.is_file() else "missing", error)
        return
    if not is_sound:
        yield FileFault(columns_name(entry.name), "columns")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
