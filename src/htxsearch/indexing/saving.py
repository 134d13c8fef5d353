"""Write a snapshot of an index while others read and write it.

The files of a commit never change; a later commit removes them. So all of them are opened first: what is open stays, whoever
removes it. If a commit came in between, the next one is taken. Vectors only grow, and each has its checksum.
"""

import datetime
import json
import os
import time
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple

from htxsearch.errors import IndexBusy, IndexDamaged, IndexMissing, IndexNotReadable, UsageError
from htxsearch.indexing.manifest import (
    MANIFEST,
    RECOGNISED,
    VECTORS_FOLDER,
    Manifest,
    check_apart,
    read_manifest,
    stamp_of_manifest,
)
from htxsearch.indexing.progress import LAST_RUN
from htxsearch.indexing.snapshot_file import TABLE, Member, SnapshotFile, copy_member, files_to_copy, is_snapshot, table_bytes
from htxsearch.indexing.update import Progress, unobserved
from htxsearch.indexing.vector_store import POSITIONS, VECTORS, whole_bytes
from htxsearch.ingest.atomic_files import sync_file, sync_folder
from htxsearch.ingest.corpus import check_corpus

__all__ = ["CommitFiles", "save_index"]

CommitFiles = Callable[[Path], tuple[int, list[str]]]
"""Returns the number of the last commit in an engine's folder, and the names of its files."""

_ATTEMPTS = 50
"""Commits that may come between looking and opening, which takes a millisecond; a commit takes longer."""
_PAUSE_S = 0.01
_NOTED = ("format", "analysis", "data", "articles", "passages", "complete")
"""The values of a manifest that a snapshot's table has, too."""


class _Source(NamedTuple):
    """A file to copy, open or to be opened, and where it goes.

    `size` is None for all of it.
    """

    path: str
    file: Path | IO[bytes]
    size: int | None = None


def save_index(
    index: Path,
    corpus: Path,
    file: Path,
    commit_files: CommitFiles,
    *,
    with_corpus: bool = False,
    progress: Progress | None = None,
) -> SnapshotFile:
    """Write a snapshot of the last commit, vectors and text of scans to a file.

    With the corpus and its metadata files, too, if `with_corpus`. The snapshot is there whole and durable, or not at all; an
    older snapshot at its place is replaced, anything else is not. `progress` is called with bytes written and to write.

    Raises UsageError if the file cannot be written there, CorpusError, IndexBusy, and as reading does.
    """
    _check_place(file, index, corpus)
    if with_corpus:
        check_apart(index, corpus)
        check_corpus(corpus)
    unfinished = file.with_name(f".htxsearch-{uuid.uuid4().hex[:8]}.tmp")
    try:
        with ExitStack() as opened:
            manifest, generation, sources = _opened_commit(index, commit_files, opened)
            sources += [*_vectors(index, opened), *_others(index)]
            sources += _corpus_files(corpus) if with_corpus else ()
            snapshot = SnapshotFile(
                file=str(file),
                created=datetime.datetime.now(datetime.UTC).replace(microsecond=0),
                generation=generation,
                with_corpus=with_corpus,
                **{
                    name: getattr(manifest, name) for name in ("format", "analysis", "data", "articles", "passages", "complete")
                },
            )
            total = _size_of(sources)
            moved = _moved_meanwhile(corpus, sources) if with_corpus else ()
            snapshot = _write(unfinished, snapshot, chain(sources, moved), total, progress or unobserved)
        sync_file(unfinished)
        os.replace(unfinished, file)
        sync_folder(file.parent)
    except OSError as error:
        if error.filename is not None and os.fspath(error.filename) != os.fspath(unfinished):
            raise IndexNotReadable("index.file-unreadable", file=str(error.filename), reason=error.strerror) from error
        raise UsageError("snapshot.not-written", file=str(file), reason=error.strerror or str(error)) from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return snapshot


def _check_place(file: Path, index: Path, corpus: Path) -> None:
    """Raise UsageError if a snapshot must not be written at a place."""
    place = file.parent.resolve()
    for folder in (index, corpus):
        if place.is_relative_to(folder.resolve()):
            raise UsageError("snapshot.inside", file=str(file), folder=str(folder))
    if file.is_dir() or (file.exists() and not is_snapshot(file)):
        raise UsageError("snapshot.in-the-way", file=str(file))


def _opened_commit(index: Path, commit_files: CommitFiles, opened: ExitStack) -> tuple[Manifest, int, list[_Source]]:
    """Open all files of the last commit; return its manifest, number and files.

    The manifest is that of the same moment: it did not change while the files were opened.
    """
    failure: Exception = IndexBusy("index.busy", folder=str(index))
    for _ in range(_ATTEMPTS):
        stamp = stamp_of_manifest(index)
        manifest = read_manifest(index)
        folder = index / manifest.data
        with ExitStack() as attempt:
            try:
                generation, names = commit_files(folder)
                files = {name: attempt.enter_context((folder / name).open("rb")) for name in names}
                is_same = (generation, names) == commit_files(folder) and stamp == stamp_of_manifest(index)
            except (FileNotFoundError, IndexDamaged, IndexMissing) as error:
                failure, is_same = error, False
            if is_same:
                opened.enter_context(attempt.pop_all())
                sources = [_Source(f"index/data/{name}", one) for name, one in sorted(files.items())]
                content = json.dumps(_as_values(manifest), indent=2).encode()
                return manifest, generation, [_Source(f"index/{MANIFEST}", BytesIO(content)), *sources]
        time.sleep(_PAUSE_S)
    if isinstance(failure, FileNotFoundError):
        raise IndexDamaged("index.no-contents", folder=str(folder)) from failure
    raise failure


def _as_values(manifest: Manifest) -> dict[str, object]:
    return {name: getattr(manifest, name) for name in Manifest.__dataclass_fields__}


def _vectors(index: Path, opened: ExitStack) -> Iterator[_Source]:
    """Yield the files of vectors, of which a writer may be adding more."""
    for name in (VECTORS, POSITIONS):
        try:
            file = opened.enter_context((index / VECTORS_FOLDER / name).open("rb"))
        except (FileNotFoundError, NotADirectoryError):
            continue
        size = whole_bytes(file) if name == VECTORS else None
        yield _Source(f"index/{VECTORS_FOLDER}/{name}", file, size)


def _others(index: Path) -> Iterator[_Source]:
    """Yield the text of scanned pages, and what is kept of the last run."""
    for path in (*sorted((index / RECOGNISED).glob("*.json")), index / LAST_RUN):
        yield _Source(f"index/{path.relative_to(index).as_posix()}", path)


def _corpus_files(corpus: Path) -> Iterator[_Source]:
    for path in files_to_copy(corpus):
        yield _Source(f"corpus/{path.relative_to(corpus).as_posix()}", path)


def _moved_meanwhile(corpus: Path, copied: Sequence[_Source]) -> Iterator[_Source]:
    """Yield the files that were not there when the others were listed.

    These may have been moved, as to the trash and back.
    """
    paths = {source.path for source in copied}
    for source in _corpus_files(corpus):
        if source.path not in paths:
            yield source


def _size_of(sources: Sequence[_Source]) -> int:
    """Return about how many bytes there are to write, for the progress."""
    total = 0
    for source in sources:
        if isinstance(source.file, BytesIO):
            total += source.file.getbuffer().nbytes
            continue
        with suppress(OSError):  # gone by now
            total += os.stat(source.file if isinstance(source.file, Path) else source.file.fileno()).st_size
    return total


def _write(
    unfinished: Path, snapshot: SnapshotFile, sources: Iterable[_Source], total: int, progress: Progress
) -> SnapshotFile:
    """Write a snapshot; return it with its members.

    A file that is gone by now is left out.
    """
    members: dict[str, Member] = {}
    done = 0

    def copied(size: int) -> None:
        nonlocal done
        done += size
        progress(min(done, total), total)

    with zipfile.ZipFile(unfinished, "x", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for source in sources:
            name = _encodable(source.path, len(members))
            try:
                file = source.file.open("rb") if isinstance(source.file, Path) else source.file
            except FileNotFoundError:
                continue
            with file, archive.open(name, "w", force_zip64=True) as target:
                modified_ns = 0 if isinstance(file, BytesIO) else os.fstat(file.fileno()).st_mtime_ns
                size, digest = copy_member(file, target, copied, most=source.size)
            members[name] = Member(name, source.path, size, digest, modified_ns)
        snapshot = replace(snapshot, members=members)
        archive.writestr(TABLE, table_bytes(snapshot))
    return snapshot


def _encodable(path: str, number: int) -> str:
    """Return a path if UTF-8 can hold it, else another name: "corpus/~5".

    A path that looks like one of these has another name, too.
    """
    folder, _, name = path.partition("/")
    is_text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace") == name
    return path if is_text and not name.startswith("~") else f"{folder}/~{number}"
