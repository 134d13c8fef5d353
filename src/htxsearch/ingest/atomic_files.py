"""Replacing files as a whole, and making files, renames and folders durable.

What may be a stranger's file is opened here, too: no link is followed.

Durable means that they survive a power cut. The index (manifest, vectors, segment columns) and the corpus
(files added to it) write files in this way. The module lies in the lowest room that handles files, since
ingest, engine and indexing all use it.
"""

import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

__all__ = ["make_folder", "open_regular", "replace_file", "sync_file", "sync_folder"]

_LONGEST_NAME = 255 - len(".tmp")


def replace_file(path: Path, parts: Iterable[bytes], *, temporary: str | None = None, durable: bool = True) -> None:
    """Write `parts` to a temporary file beside `path`, then rename it into place.

    A reader sees the old file or the new one, never a mixture. If `durable`, the same holds after a power cut, and the
    new file is on disk when this returns. `temporary` is the temporary file's name, by default "NAME.tmp"; it is gone
    afterwards, unless the process is killed. Raises OSError.
    """
    unfinished = path.with_name(temporary or _temporary(path.name))
    try:
        with unfinished.open("wb") as file:
            file.writelines(parts)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def _temporary(name: str) -> str:
    """Return NAME.tmp, or a shorter name if that is too long for a file system."""
    raw = os.fsencode(name)
    if len(raw) < _LONGEST_NAME:
        return f"{name}.tmp"
    from hashlib import blake2b  # loads OpenSSL: 3 ms

    return f".{blake2b(raw, digest_size=8).hexdigest()}.tmp"


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading.

    No link is followed, no named pipe waited for. Raises OSError for these, too.
    """
    flags = [getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")]  # each system has some
    descriptor = os.open(path, os.O_RDONLY | sum(flags))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, durably. Raises OSError."""
    made = []
    for one in (folder, *folder.parents):
        if one.exists():
            break
        made.append(one)
    folder.mkdir(parents=True, exist_ok=True)
    for one in made:
        sync_folder(one.parent)


def sync_file(path: Path) -> None:
    """Make a file's content durable.

    A file that is gone by now is passed over. Raises OSError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the renames in a folder durable.

    It does nothing where the system cannot open folders (Windows). Raises OSError.
    """
    if os.name == "posix":
        sync_file(folder)
