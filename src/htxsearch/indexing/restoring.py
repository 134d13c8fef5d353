"""Put a snapshot in the place of an index: unpack, check all of it, switch over.

The switch is that of a rebuild: the files lie in a new data folder, and the manifest that names it is replaced. Readers see
the old index or the new one, and what a killed run leaves is removed by the next one that writes. The corpus is switched by
renaming its folder; one that is replaced stays beside it under another name.
"""

import hashlib
import os
import shutil
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from htxsearch.errors import (
    CorpusError,
    HtxError,
    IndexDamaged,
    IndexMissing,
    IndexNotReadable,
    IndexNotWritable,
    UsageError,
)
from htxsearch.indexing.manifest import (
    MANIFEST,
    RECOGNISED,
    VECTORS_FOLDER,
    Manifest,
    adding_lock,
    check_apart,
    read_manifest,
    sweep,
    with_corpus,
    write_manifest,
    writer_lock,
)
from htxsearch.indexing.progress import LAST_RUN
from htxsearch.indexing.run import Engines
from htxsearch.indexing.snapshot_file import DAMAGE, Member, SnapshotFile, copy_member, files_to_copy, read_table
from htxsearch.indexing.update import Progress, unobserved
from htxsearch.indexing.vector_store import POSITIONS, VECTORS
from htxsearch.ingest.atomic_files import sync_file, sync_folder

__all__ = ["restore_index"]

_DATA = "data"
"""The data folder's name in a snapshot."""
_UNFINISHED = "data-restoring"
"""Begins the name of the folder that is unpacked to: one that `sweep` removes if it is left."""


def restore_index(
    index: Path, corpus: Path, file: Path, engines: Engines, *, force: bool = False, progress: Progress | None = None
) -> SnapshotFile:
    """Replace an index, and the corpus if it is in the snapshot, by a snapshot.

    Nothing is replaced before every member was unpacked and compared with its SHA-256, and the index in it could be opened.
    An index that is newer, or another than the snapshot's, and a corpus with other files are replaced only with `force`. The
    corpus replaced is kept beside; the result names it. `progress` is called with bytes unpacked and to unpack.

    Raises UsageError if the file is no snapshot or would replace what it must not, IndexOutdated, IndexDamaged if it is
    damaged, IndexBusy, IndexNotReadable, IndexNotWritable.
    """
    check_apart(index, corpus)
    with _opened(file) as archive:
        snapshot = read_table(archive, file)
        for member in snapshot.members.values():
            _check_path(snapshot, member)
        with writer_lock(index), adding_lock(index), _failures(index, corpus):
            if not force:
                _check_index(index, snapshot)
            return _Restoring(index, corpus, archive, snapshot, engines).run(progress or unobserved, force=force)


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(file)
    except FileNotFoundError as error:
        raise IndexNotReadable("snapshot.missing", file=str(file)) from error
    except OSError as error:
        raise IndexNotReadable("index.file-unreadable", file=str(file), reason=error.strerror) from error
    except DAMAGE as error:
        raise UsageError("snapshot.none", file=str(file)) from error
    with archive:
        yield archive


@contextmanager
def _failures(index: Path, corpus: Path) -> Iterator[None]:
    """Turn an OSError of writing into one of ours."""
    try:
        yield
    except OSError as error:
        name = os.fspath(error.filename) if error.filename is not None else ""
        reason = error.strerror or str(error)
        if str(name).startswith(str(corpus)):
            raise CorpusError("corpus.not-writable", corpus=str(corpus), error=reason) from error
        raise IndexNotWritable("index.folder-not-writable", folder=str(index), reason=reason) from error


def _check_path(snapshot: SnapshotFile, member: Member) -> None:
    """Raise IndexDamaged if a member of the index is none that an index has."""
    folder, _, rest = member.path.partition("/")
    parts = rest.split("/")
    is_known = (
        (folder == "corpus" and snapshot.with_corpus)
        or parts in ([MANIFEST], [LAST_RUN])
        or (len(parts) == 2 and parts[0] == _DATA)
        or (len(parts) == 2 and parts[0] == VECTORS_FOLDER and parts[1] in (VECTORS, POSITIONS))
        or (len(parts) == 2 and parts[0] == RECOGNISED and parts[1].endswith(".json"))
    )
    if not is_known:
        raise IndexDamaged("snapshot.strange-member", file=snapshot.file, name=member.path)


def _check_index(index: Path, snapshot: SnapshotFile) -> None:
    """Raise UsageError if an index is newer than a snapshot, or another one."""
    try:
        manifest = read_manifest(index)
    except IndexMissing:
        return
    except HtxError as error:
        raise UsageError("snapshot.over-other", index=str(index)) from error
    if _lineage(manifest.data) != _lineage(snapshot.data):
        raise UsageError("snapshot.over-other", index=str(index))
    tables = (index / manifest.data).glob("_MAIN_*.toc")
    generation = max((int(number) for path in tables if (number := path.stem[6:]).isdigit()), default=0)
    if generation > snapshot.generation:
        raise UsageError("snapshot.over-newer", index=str(index), now=generation, then=snapshot.generation)


def _lineage(data: str) -> str:
    """Return what the names of a data folder and of those restored from it share."""
    return data.partition(".")[0]


class _Restoring:
    """One restore, by the only writer."""

    def __init__(self, index: Path, corpus: Path, archive: zipfile.ZipFile, snapshot: SnapshotFile, engines: Engines) -> None:
        self._index, self._corpus = index, corpus.resolve()  # a link to a folder stays
        self._archive, self._snapshot, self._engines = archive, snapshot, engines
        name = uuid.uuid4().hex[:8]
        self._unpacked = index / f"{_UNFINISHED}-{name}"
        self._new_corpus = self._corpus.with_name(f".{self._corpus.name}.restoring-{name}")
        self._data = f"{_lineage(snapshot.data)}.{name}"

    def run(self, progress: Progress, *, force: bool) -> SnapshotFile:
        """Unpack, check, switch over."""
        try:
            self._check_space()
            self._unpack(progress)
            manifest = self._checked_manifest()
            kept = self._switch_corpus(force=force) if self._snapshot.with_corpus else None
            self._switch_index(manifest)
        finally:
            shutil.rmtree(self._unpacked, ignore_errors=True)
            shutil.rmtree(self._new_corpus, ignore_errors=True)
        return replace(self._snapshot, kept=None if kept is None else str(kept))

    def _check_space(self) -> None:
        """Raise IndexNotWritable before anything is unpacked, if there is no room for it."""
        free = shutil.disk_usage(self._index).free
        if self._snapshot.bytes > free:
            fields = {"needed": self._snapshot.bytes / 1e6, "free": free / 1e6}
            raise IndexNotWritable("snapshot.no-space", folder=str(self._index), **fields)

    def _place(self, member: Member) -> Path:
        folder, _, rest = member.path.partition("/")
        return (self._new_corpus if folder == "corpus" else self._unpacked).joinpath(*rest.split("/"))

    def _unpack(self, progress: Progress) -> None:
        """Unpack all members, durably, and compare their checksums. Raises IndexDamaged."""
        total, done = self._snapshot.bytes, 0

        def copied(size: int) -> None:
            nonlocal done
            done += size
            progress(done, total)

        if self._snapshot.with_corpus:
            self._new_corpus.mkdir(parents=True)
        folders = {self._unpacked}
        for member in self._snapshot.members.values():
            place = self._place(member)
            place.parent.mkdir(parents=True, exist_ok=True)
            folders.update(one for one in place.parents if one.is_relative_to(self._unpacked))
            folders.update(one for one in place.parents if one.is_relative_to(self._new_corpus))
            with place.open("xb") as target:
                try:
                    with self._archive.open(member.name) as source:
                        found = copy_member(source, target, copied, most=member.size)
                except DAMAGE as error:
                    raise IndexDamaged("snapshot.damaged", file=self._snapshot.file, part=member.path) from error
            if found != (member.size, member.sha256):
                raise IndexDamaged("snapshot.damaged", file=self._snapshot.file, part=member.path)
            if member.modified_ns and member.path.startswith("corpus/"):
                os.utime(place, ns=(member.modified_ns, member.modified_ns))
            sync_file(place)
        for folder in folders:
            sync_folder(folder)

    def _checked_manifest(self) -> Manifest:
        """Return the manifest unpacked, if its index can be opened. Raises IndexDamaged."""
        try:
            manifest = read_manifest(self._unpacked)
            engine = self._engines(self._unpacked / _DATA)
        except HtxError as error:
            raise IndexDamaged("snapshot.damaged", file=self._snapshot.file, part=MANIFEST) from error
        try:
            generation = engine.generation
            engine.counts()
        finally:
            engine.close()
        if (manifest.data, generation) != (self._snapshot.data, self._snapshot.generation):
            raise IndexDamaged("snapshot.damaged", file=self._snapshot.file, part=MANIFEST)
        return replace(manifest, data=self._data)

    def _switch_corpus(self, *, force: bool) -> Path | None:
        """Put the corpus unpacked in its place; return where the former one is kept.

        The result is None if that was gone, empty or the same.
        """
        kept = None
        if self._corpus.exists():
            if not any(self._corpus.iterdir()):
                self._corpus.rmdir()
            elif _digests(self._corpus) == self._digests_of_corpus():
                return None
            elif not force:
                raise UsageError("snapshot.over-corpus", corpus=str(self._corpus))
            else:
                kept = _free_name(self._corpus)
                os.rename(self._corpus, kept)
        try:
            os.rename(self._new_corpus, self._corpus)
        except BaseException:
            if kept is not None:
                os.rename(kept, self._corpus)
            raise
        sync_folder(self._corpus.parent)
        return kept

    def _digests_of_corpus(self) -> dict[str, str]:
        members = self._snapshot.members.values()
        return {one.path.removeprefix("corpus/"): one.sha256 for one in members if one.path.startswith("corpus/")}

    def _switch_index(self, manifest: Manifest) -> None:
        """Put the index unpacked in its place.

        Vectors and scans are found by hashes: they are never stale.
        """
        for name in (VECTORS_FOLDER, RECOGNISED):
            if (self._unpacked / name).is_dir():
                (self._index / name).mkdir(exist_ok=True)
                for path in sorted((self._unpacked / name).iterdir()):
                    os.replace(path, self._index / name / path.name)
                sync_folder(self._index / name)
        os.rename(self._unpacked / _DATA, self._index / self._data)
        sync_folder(self._index)
        noted = with_corpus(manifest, self._index, self._corpus) if self._snapshot.with_corpus else manifest
        write_manifest(self._index, noted)
        (self._index / LAST_RUN).unlink(missing_ok=True)
        if (self._unpacked / LAST_RUN).is_file():
            os.replace(self._unpacked / LAST_RUN, self._index / LAST_RUN)
        sweep(self._index, noted)


def _digests(corpus: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a corpus that a snapshot would have, by path."""
    found = {}
    for path in files_to_copy(corpus):
        with path.open("rb") as file:
            found[path.relative_to(corpus).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _free_name(corpus: Path) -> Path:
    """Return a name beside a corpus that nothing has: corpus.before-restore, …-2."""
    number = 1
    while True:
        kept = corpus.with_name(f"{corpus.name}.before-restore{f'-{number}' if number > 1 else ''}")
        if not os.path.lexists(kept):
            return kept
        number += 1
