"""The index folder and its manifest: a small readable file about its content.

The manifest is read before anything else.

index/manifest.json     format, analysis, engine, which data folder, which corpus, whether a run was finished
index/data-*/           the engine's files; a rebuild makes another one and then switches over
index/vectors/          the embeddings of passages; a rebuild leaves them alone
index/ocr/              the text of scanned pages; may be deleted, then a rebuild recognises the pages again
index/writer.lock       held by the one process that writes
index/adding.lock       held by the one process that puts things into the corpus
index/progress.json     how far a run is, while there is one (`progress`)
index/last-run.json     when the last run was finished (`progress`)
"""

import json
import os
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from htxsearch.errors import (
    CorpusError,
    HtxError,
    IndexBusy,
    IndexDamaged,
    IndexMissing,
    IndexNotReadable,
    IndexNotWritable,
    IndexOutdated,
    UsageError,
)
from htxsearch.ingest.atomic_files import make_folder, replace_file, sync_folder
from htxsearch.text.analysis import ANALYSIS_VERSION
from htxsearch.values import frozen

__all__ = [
    "FILES_OF_INDEX",
    "FORMAT",
    "KEPT_BY_OTHERS",
    "MANIFEST",
    "RECOGNISED",
    "VECTORS_FOLDER",
    "Manifest",
    "adding_lock",
    "address_noted",
    "articles_noted",
    "check_apart",
    "check_made_from",
    "data_noted",
    "exists",
    "is_being_written",
    "is_free",
    "job_lock",
    "new_data_folder",
    "put",
    "read_manifest",
    "stamp_of_manifest",
    "sweep",
    "take_manifest",
    "with_corpus",
    "write_manifest",
    "writer_lock",
]

FORMAT = 7
"""Raised whenever older code cannot read the files, or articles have to be read anew (6: pages, numbers, signers)."""

RECOGNISED, VECTORS_FOLDER = "ocr", "vectors"
"""The folders of the text of scanned pages, and of the vectors of passages."""
MANIFEST = "manifest.json"
_WRITER_LOCK, _ADDING_LOCK = "writer.lock", "adding.lock"
FILES_OF_INDEX = (MANIFEST, _WRITER_LOCK, _ADDING_LOCK)
"""The files of an index folder that are not in a folder of their own."""
KEPT_BY_OTHERS = ("new-since.json", "jobs", ".gitignore")
"""What the command line, a server and a repository keep in an index folder."""
_PATIENCE_S = 0.3
"""Seconds that a writer waits for a lock: a reader holds it for some microseconds to see whether it is free."""


@frozen(kw_only=True)
class Manifest:
    """The manifest of an index.

    `complete` is false while a run is in progress or was cut off. `corpus` is the folder that it was made from, and
    `corpus_from_index` the same from the index folder, with "/"; both are "" where no run has noted them. `address` is the URL
    of the cluster that has the data, without secrets, "" if they are in the folder.
    """

    data: str
    engine: str
    segmenter: str
    format: int = FORMAT
    analysis: int = ANALYSIS_VERSION
    complete: bool = False
    articles: int = 0
    passages: int = 0
    corpus: str = ""
    corpus_from_index: str = ""
    address: str = ""

    def stored(self) -> dict[str, Any]:
        """Return the manifest as JSON; without an address it is what former versions know."""
        values = asdict(self)
        return values if self.address else {name: value for name, value in values.items() if name != "address"}


def read_manifest(index: Path) -> Manifest:
    """Return the manifest.

    Raises IndexMissing, IndexOutdated, IndexDamaged, each with the command to type, and IndexNotReadable.
    """
    try:
        content = (index / MANIFEST).read_bytes()
    except FileNotFoundError:
        raise IndexMissing("index.missing", folder=str(index)) from None
    except OSError as error:
        raise IndexNotReadable("index.file-unreadable", file=str(index / MANIFEST), reason=error.strerror) from error
    return _manifest_of(index, content)


@lru_cache(maxsize=4)  # each query reads the file, to see whether another one has replaced it
def _manifest_of(index: Path, content: bytes) -> Manifest:
    """Return the manifest that is the content of the file of an index."""
    try:
        values = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise IndexDamaged("index.manifest-damaged", file=str(index / MANIFEST)) from error
    if not isinstance(values, dict) or "format" not in values:
        raise IndexOutdated("index.not-ours", file=str(index / MANIFEST))
    if (values["format"], values.get("analysis")) != (FORMAT, ANALYSIS_VERSION):
        raise IndexOutdated("index.outdated", folder=str(index))
    checksum = values.pop("checksum", None)  # a manifest of before there were any has none
    if checksum is not None and checksum != _checksum(values):
        raise IndexDamaged("index.manifest-damaged", file=str(index / MANIFEST))
    try:
        manifest = Manifest(**values)
    except TypeError as error:
        raise IndexDamaged("index.manifest-damaged", file=str(index / MANIFEST)) from error
    if any(type(getattr(manifest, one.name)) is not one.type for one in fields(manifest)):
        raise IndexDamaged("index.manifest-damaged", file=str(index / MANIFEST))
    if Path(manifest.data).name != manifest.data or not manifest.data.startswith("data-"):
        raise IndexDamaged("index.data-outside", file=str(index / MANIFEST))
    return manifest


def articles_noted(index: Path) -> int:
    """Return how many articles a manifest of any format notes, 0 if that is not known."""
    try:
        articles = json.loads((index / MANIFEST).read_text("utf-8"))["articles"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return 0
    return articles if isinstance(articles, int) else 0


def data_noted(index: Path) -> str:
    """Return the name of the data folder that a manifest of any format notes.

    It is "" if that is not known.
    """
    try:
        data = json.loads((index / MANIFEST).read_text("utf-8"))["data"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return ""
    return data if isinstance(data, str) and data.startswith("data-") and Path(data).name == data else ""


def address_noted(index: Path) -> str:
    """Return the URL of the cluster that has the data of an index, "" if none has."""
    try:
        address = json.loads((index / MANIFEST).read_text("utf-8"))["address"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return ""
    return address if isinstance(address, str) else ""


def take_manifest(index: Path, stored: Mapping[str, Any], address: str) -> None:
    """Note in a folder the manifest that a cluster has, unless it is noted.

    The folder then holds what belongs to this machine alone. Raises UsageError if it holds an index of its
    own, IndexNotWritable.
    """
    try:
        own = read_manifest(index)
    except IndexMissing:
        own = None
    except (IndexOutdated, IndexDamaged):
        if not address_noted(index):
            raise
        own = None
    if own is not None and not own.address:
        raise UsageError("engine.folder-taken", index=str(index), address=address)
    if own is None or (own.data, own.address) != (stored.get("data"), address):
        make_folder(index)
        _put_values(index, {**stored, "address": address})


def stamp_of_manifest(index: Path) -> tuple[int, ...]:
    """Return numbers that change with every manifest, () if there is none."""
    try:
        status = (index / MANIFEST).stat()
    except OSError:
        return ()
    return (status.st_ino, status.st_size, status.st_mtime_ns)


def exists(index: Path) -> bool:
    """Return True if there is an index in a folder, whatever its state."""
    try:
        read_manifest(index)
    except HtxError as error:
        return not isinstance(error, IndexMissing)
    return True


def write_manifest(index: Path, manifest: Manifest) -> None:
    """Replace the manifest, durably. Raises IndexNotWritable."""
    _put_values(index, manifest.stored())


def _put_values(index: Path, values: Mapping[str, object]) -> None:
    put(index / MANIFEST, [f"{json.dumps({**values, 'checksum': _checksum(values)}, indent=2)}\n".encode()])


def _checksum(values: Mapping[str, object]) -> int:
    """Return the checksum of a manifest: CRC-32 of its values as JSON, names in order."""
    return zlib.crc32(json.dumps(values, sort_keys=True).encode())


def put(path: Path, parts: Iterable[bytes]) -> None:
    """Replace a file of the index folder, durably. Raises IndexNotWritable."""
    try:
        sync_folder(path.parent)  # which names the new data folder
        replace_file(path, parts)
    except OSError as error:
        raise IndexNotWritable("index.file-not-writable", file=str(path), reason=error.strerror) from error


def new_data_folder() -> str:
    """Return a name for a data folder that no index had before.

    Hence a new data folder is never taken for an old one.
    """
    return f"data-{uuid.uuid4().hex[:12]}"


def sweep(index: Path, manifest: Manifest) -> None:
    """Remove data folders that no manifest names.

    These are the old folder of a finished rebuild, and the new folder of a rebuild cut off.
    """
    import shutil  # loads all kinds of compression

    for path in index.glob("data-*"):
        if path.name != manifest.data:
            shutil.rmtree(path, ignore_errors=True)  # a reader on Windows may still hold it; the next run sweeps again


@contextmanager
def writer_lock(index: Path) -> Iterator[None]:
    """Hold the lock of the index's only writer.

    The system releases it when the process ends, however it ends. Raises IndexBusy soon if another process has
    it, IndexNotWritable if the folder cannot be made.
    """
    with _held(index, _WRITER_LOCK, "index.busy"):
        yield


def is_being_written(index: Path) -> bool:
    """Return True if a process holds the writer's lock, or if that cannot be known.

    It cannot be known where the folder may not be written.
    """
    from filelock import FileLock, Timeout

    try:
        with FileLock(index / _WRITER_LOCK, timeout=0):
            return False
    except (Timeout, OSError):
        return True


def is_free(index: Path) -> bool:
    """Return False if a process writes the index or adds to its corpus.

    True if that cannot be known: whoever tries is told the reason.
    """
    from filelock import FileLock, Timeout

    try:
        with FileLock(index / _WRITER_LOCK, timeout=0), FileLock(index / _ADDING_LOCK, timeout=0):
            return True
    except Timeout:
        return False
    except OSError:
        return True


@contextmanager
def adding_lock(index: Path) -> Iterator[None]:
    """Hold the lock of the only process that adds to the corpus.

    Hence two processes never choose the same free name. Raises IndexBusy soon if another process has it,
    IndexNotWritable if the folder cannot be made.
    """
    with _held(index, _ADDING_LOCK, "index.busy-adding"):
        yield


@contextmanager
def job_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of the process that does the jobs of a folder.

    Raises IndexBusy at once if another process has it, IndexNotWritable if the folder cannot be made.
    """
    with _held(folder, "running.lock", "index.busy-adding", patience_s=0):
        yield


@contextmanager
def _held(index: Path, name: str, busy: str, *, patience_s: float = _PATIENCE_S) -> Iterator[None]:
    from filelock import FileLock, Timeout

    try:
        make_folder(index)
        lock = FileLock(index / name, timeout=patience_s)
        lock.acquire()
    except Timeout:
        raise IndexBusy(busy, folder=str(index)) from None
    except OSError as error:
        raise IndexNotWritable("index.folder-not-writable", folder=str(index), reason=error.strerror) from error
    try:
        yield
    finally:
        lock.release()


def check_apart(index: Path, corpus: Path) -> None:
    """Raise UsageError if an index folder and a corpus folder lie in each other."""
    resolved, other = index.resolve(), corpus.resolve()
    if resolved.is_relative_to(other) or other.is_relative_to(resolved):
        raise UsageError("index.nested", index=index, corpus=corpus)


def with_corpus(manifest: Manifest, index: Path, corpus: Path) -> Manifest:
    """Return a manifest that notes the corpus the index is made from."""
    return replace(manifest, corpus=str(corpus.resolve()), corpus_from_index=_from_index(index, corpus))


def check_made_from(index: Path, corpus: Path) -> None:
    """Raise CorpusError if an index was made from another folder than `corpus`.

    No index was made from any. A project folder that was moved with both in it is the same, and so is a corpus that stayed
    when the index was moved.
    """
    try:
        manifest = read_manifest(index)
    except HtxError:  # none, or one that will be replaced; whoever needs it says what is wrong
        return
    known = {("absolute", manifest.corpus), ("relative", manifest.corpus_from_index)}
    now = {("absolute", str(corpus.resolve())), ("relative", _from_index(index, corpus) or None)}
    if manifest.corpus and not known & now:
        raise CorpusError("corpus.other", index=str(index), known=manifest.corpus, corpus=str(corpus.resolve()))


def _from_index(index: Path, corpus: Path) -> str:
    """Return the path of a corpus from the index folder, "" if there is none."""
    try:
        return Path(os.path.relpath(corpus.resolve(), index.resolve())).as_posix()
    except ValueError:  # on another drive of Windows
        return ""
