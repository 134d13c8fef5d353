"""The snapshot: one ZIP file with a commit of an index, and its table of contents.

    snapshot.json            format, analysis, what is in it, and each other member with its size and SHA-256
    index/manifest.json      the manifest as it was
    index/data/…             the files of the commit
    index/vectors/… index/ocr/…
    corpus/…                 with the corpus: every file that is not hidden, `.htxignore`, the trash and the log of changes

Names in it are relative, with "/". A name that UTF-8 cannot hold has another one in the ZIP, and its own in the table. The
numbers in an index have an order of bytes of their own; those of a machine with another order were never tried, so they are
refused.
"""

import datetime
import hashlib
import json
import os
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

from htxsearch.errors import CorpusError, IndexDamaged, IndexOutdated, UsageError
from htxsearch.indexing.manifest import FORMAT
from htxsearch.indexing.trash import TRASH
from htxsearch.ingest.changes import CHANGES_FILE
from htxsearch.ingest.ignored import IGNORE_FILE
from htxsearch.text.analysis import ANALYSIS_VERSION

__all__ = [
    "CHUNK",
    "DAMAGE",
    "TABLE",
    "Member",
    "SnapshotFile",
    "copy_member",
    "files_to_copy",
    "is_snapshot",
    "read_table",
    "table_bytes",
]

TABLE = "snapshot.json"
CHUNK = 1 << 20
"""Bytes that are read at once."""
_VERSION = 1
_MOST_TABLE_BYTES = 512 << 20
"""A table of more than two million members; a ZIP could claim any size."""
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, KeyError, TypeError)
"""What reading a ZIP file of wrong content raises."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a snapshot.

    `path` is where it was: below "index/" or "corpus/". `name` is its name in the ZIP. `modified_ns` is the time of change.
    """

    name: str
    path: str
    size: int
    sha256: str
    modified_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotFile:
    """The contents of a snapshot.

    `files` and `bytes` count its members. `kept` is the folder in which `restore` left a corpus that it replaced, None if it
    replaced none.
    """

    file: str
    created: datetime.datetime
    format: int
    analysis: int
    data: str
    generation: int
    articles: int
    passages: int
    complete: bool
    with_corpus: bool
    members: Mapping[str, Member] = field(default_factory=dict, repr=False)
    kept: str | None = None

    @property
    def files(self) -> int:
        """The number of members."""
        return len(self.members)

    @property
    def bytes(self) -> int:
        """The bytes of all members, unpacked."""
        return sum(member.size for member in self.members.values())


def table_bytes(snapshot: SnapshotFile) -> bytes:
    """Return the table of a snapshot as JSON; names that are no text keep their bytes."""
    members = {
        one.name: {"path": one.path, "size": one.size, "sha256": one.sha256, "modified_ns": one.modified_ns}
        for one in snapshot.members.values()
    }
    values = {
        "htxsearch": _VERSION,
        "created": snapshot.created.isoformat(),
        "byte_order": sys.byteorder,
        **{name: getattr(snapshot, name) for name in _PLAIN},
        "members": members,
    }
    return f"{json.dumps(values, indent=1)}\n".encode()


_PLAIN = {
    "format": int,
    "analysis": int,
    "data": str,
    "generation": int,
    "articles": int,
    "passages": int,
    "complete": bool,
    "with_corpus": bool,
}
"""The values of a table that JSON has as they are, with their types."""


def is_snapshot(path: Path) -> bool:
    """Return True if a file looks like a snapshot, whole or not."""
    try:
        with zipfile.ZipFile(path) as archive:
            return TABLE in archive.namelist()
    except (OSError, *DAMAGE):
        return False


def read_table(archive: zipfile.ZipFile, file: Path) -> SnapshotFile:
    """Return what is in a snapshot by its table, which is checked, not trusted.

    Every member is named there once, and stays inside the folder that it is unpacked to. Raises UsageError if the file is no
    snapshot, IndexOutdated if it is of another format, IndexDamaged if its table cannot be.
    """
    if TABLE not in archive.namelist():
        raise UsageError("snapshot.none", file=str(file))
    size = os.path.getsize(file)
    if not all(0 <= member.header_offset < size for member in archive.infolist()):
        raise IndexDamaged("snapshot.damaged", file=str(file), part=TABLE)
    try:
        if archive.getinfo(TABLE).file_size > _MOST_TABLE_BYTES:
            raise ValueError("the table is too large")
        values = json.loads(archive.read(TABLE))
        version = values["htxsearch"]
    except (*DAMAGE, RecursionError) as error:
        raise IndexDamaged("snapshot.damaged", file=str(file), part=TABLE) from error
    made_for = (version, values.get("format"), values.get("analysis"), values.get("byte_order"))
    if made_for != (_VERSION, FORMAT, ANALYSIS_VERSION, sys.byteorder):
        fields = {"file": str(file), "made": _numbers(made_for[1:3]), "here": _numbers((FORMAT, ANALYSIS_VERSION))}
        raise IndexOutdated("snapshot.other-format", **fields)
    try:
        snapshot = _snapshot_of(values, file)
    except (*DAMAGE, AttributeError) as error:
        raise IndexDamaged("snapshot.damaged", file=str(file), part=TABLE) from error
    _check_members(archive, snapshot)
    return snapshot


def _numbers(versions: tuple[Any, ...]) -> str:
    return ".".join(map(str, versions))


def _snapshot_of(values: Mapping[str, Any], file: Path) -> SnapshotFile:
    """Return the values of a table. Raises ValueError, KeyError, TypeError."""
    if any(type(values[name]) is not kind for name, kind in _PLAIN.items()):
        raise TypeError("a value of another type")
    members = {
        name: Member(name, *(_typed(one[key], kind) for key, kind in _MEMBER)) for name, one in values["members"].items()
    }
    created = datetime.datetime.fromisoformat(values["created"])
    plain = {name: values[name] for name in _PLAIN}
    return SnapshotFile(file=str(file), created=created, **plain, members=members)


_MEMBER = (("path", str), ("size", int), ("sha256", str), ("modified_ns", int))


def _typed(value: Any, kind: type) -> Any:
    if type(value) is not kind or (isinstance(value, int) and value < 0):
        raise TypeError("a value of another type")
    return value


def _check_members(archive: zipfile.ZipFile, snapshot: SnapshotFile) -> None:
    """Raise IndexDamaged unless a ZIP has exactly the members of its table.

    All are plain files inside. A link, a folder, a path that leads out, a name twice, another size, or a name that is not in
    the table is refused.
    """
    names = archive.namelist()
    paths = [member.path for member in snapshot.members.values()]
    folded = {os.path.normcase(path) for path in paths}
    strange = [*(set(names) - {TABLE} ^ snapshot.members.keys())]
    strange += [name for name in set(names) if names.count(name) > 1] if len(set(names)) < len(names) else []
    strange += [path for path in paths if not _is_inside(path)] if len(folded) == len(paths) else [min(paths)]
    sizes = {name: member.size for name, member in snapshot.members.items()}
    strange += [
        one.filename
        for one in archive.infolist()
        if not _is_plain(one) or sizes.get(one.filename, one.file_size) != one.file_size
    ]
    if strange:
        raise IndexDamaged("snapshot.strange-member", file=snapshot.file, name=min(strange))


def _is_inside(path: str) -> bool:
    """Return True if a path stays below "index/" or "corpus/" on every system."""
    parts = path.split("/")
    if len(parts) < 2 or parts[0] not in ("index", "corpus") or "\0" in path:
        return False
    if any(part in ("", ".", "..") for part in parts):
        return False
    if os.name == "nt":
        windows = PureWindowsPath(path)
        return not windows.drive and not windows.is_reserved() and windows.parts == tuple(parts)
    return PurePosixPath(path).parts == tuple(parts)


def _is_plain(one: zipfile.ZipInfo) -> bool:
    """Return True if a member is a file: its mode says so, or nothing."""
    kind = (one.external_attr >> 16) & 0o170000
    return kind in (0, 0o100000) and not one.is_dir()


def files_to_copy(corpus: Path) -> Iterator[Path]:
    """Yield the files of a corpus for a snapshot.

    They are those not hidden, the ignore files, the trash and the log of changes. Links to folders are not followed, as when it
    is read. Raises CorpusError if a folder cannot be listed.
    """
    log, trash = corpus / CHANGES_FILE, corpus / TRASH

    def unlisted(error: OSError) -> None:
        raise CorpusError("corpus.unlisted", corpus=str(error.filename), error=error.strerror) from error

    for inside, folders, names in os.walk(corpus, onerror=unlisted):
        folders[:] = sorted(name for name in folders if not name.startswith(".") or Path(inside, name) == trash)
        for name in sorted(names):
            path = Path(inside, name)
            if (not name.startswith(".") or name == IGNORE_FILE or path == log) and path.is_file():
                yield path


def copy_member(
    source: IO[bytes], target: IO[bytes], copied: Callable[[int], None], *, most: int | None = None
) -> tuple[int, str]:
    """Copy a file, or its first `most` bytes; return how many, and their SHA-256.

    `copied` is told the bytes of each piece.
    """
    digest, size = hashlib.sha256(), 0
    while piece := source.read(CHUNK if most is None else min(CHUNK, most - size)):
        size += len(piece)
        digest.update(piece)
        target.write(piece)
        copied(len(piece))
    return size, digest.hexdigest()
