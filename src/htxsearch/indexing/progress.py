"""How far a reindex is, for the readers of an index that is being made.

A finished run leaves the time and what it took, for those who watch over an index.

The writer keeps the numbers in `index/progress.json`, a file that may be lost: what counts is in the commits. A run that was
cut off leaves it; hence it counts only while a process holds the writer's lock.
"""

import datetime
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from htxsearch.errors import IndexNotWritable
from htxsearch.errors.messages import Message, message
from htxsearch.indexing.manifest import is_being_written, read_manifest
from htxsearch.ingest.atomic_files import replace_file
from htxsearch.values import frozen

__all__ = [
    "LAST_RUN",
    "IndexingProgress",
    "LastRun",
    "ProgressFile",
    "hints_while_indexing",
    "note_run",
    "read_last_run",
    "read_progress",
]

_FILE = "progress.json"
LAST_RUN = "last-run.json"
"""The file about the last finished run. It may be lost, too."""
_EVERY_S = 2.0
"""Seconds between two writes of the file: each is a rename, which is nothing beside the articles of two seconds."""


@frozen
class IndexingProgress:
    """The files that a run has read and has to read, and the percentage of bytes."""

    done: int
    total: int
    percent: float


class ProgressFile:
    """The writer's side: keeps the numbers in the file, at most every two seconds."""

    def __init__(self, index: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = index / _FILE
        self._clock = clock
        self._due = clock()

    def report(self, done: int, total: int, percent: float) -> None:
        """Note how much is done; see `IndexingProgress`. Raises IndexNotWritable."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + _EVERY_S
        content = json.dumps(asdict(IndexingProgress(done, total, round(percent, 1))))
        try:
            replace_file(self._path, [content.encode()], durable=False)
        except OSError as error:
            raise IndexNotWritable("index.file-not-writable", file=str(self._path), reason=error.strerror) from error

    def remove(self) -> None:
        """Remove the file at the end of a run.

        One that cannot be removed counts no more, since the lock is free.
        """
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def read_progress(index: Path) -> IndexingProgress | None:
    """Return how far the run is that is writing an index, None if there is none."""
    try:
        content = (index / _FILE).read_bytes()
        progress = IndexingProgress(**json.loads(content))
    except (OSError, ValueError, TypeError):  # none, or none of ours
        return None
    return progress if is_being_written(index) else None


@frozen
class LastRun:
    """The end of the last finished reindex, with the time zone, and its duration."""

    finished: datetime.datetime
    took_s: float


def note_run(index: Path, took_s: float) -> None:
    """Keep when a run was finished, which is now. Not being able to is no failure."""
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    content = json.dumps({"finished": now.isoformat(), "took_s": round(took_s, 3)})
    with suppress(OSError):
        replace_file(index / LAST_RUN, [content.encode()], durable=False)


def read_last_run(index: Path) -> LastRun | None:
    """Return the last finished run, None if it is not known."""
    try:
        kept = json.loads((index / LAST_RUN).read_bytes())
        run = LastRun(datetime.datetime.fromisoformat(kept["finished"]), float(kept["took_s"]))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return run if run.finished.tzinfo is not None and run.took_s >= 0 else None


def hints_while_indexing(index: Path, hints: Sequence[Message]) -> tuple[Message, ...]:
    """Return hints, with one on how far the index is if a run is writing it.

    That one goes before, and an index that is still empty needs no other reason. During a rebuild the old index is whole.
    """
    progress = read_progress(index)
    if progress is None or read_manifest(index).complete:
        return tuple(hints)
    under_way = message("hint.indexing", done=progress.done, total=progress.total, percent=progress.percent)
    return (under_way, *(hint for hint in hints if hint.code != "hint.empty-index"))
