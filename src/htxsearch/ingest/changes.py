"""The log of changes to a corpus, `.changes.jsonl`.

A change has a line before it is made and one after it.

A change without its second line was not finished. Lines are appended and synced, never written again; a line that was cut off
by a loss of power is passed over. Who writes holds the lock of those who add to the corpus.
"""

import datetime
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from htxsearch.ingest.atomic_files import sync_folder

__all__ = ["CHANGES_FILE", "LoggedChange", "logged", "read_changes"]

CHANGES_FILE = ".changes.jsonl"
_MAX_READ = 8 << 20
"""Bytes of the end of the log that are read."""


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """A change: when, by whom, what ("edit", "remove" or "restore") to which article.

    `fields` has the old and the new value of each field of an edit; `done` is False if it was not finished.
    """

    time: datetime.datetime
    by: str
    what: str
    article: str
    title: str
    fields: Mapping[str, tuple[str | None, str | None]]
    done: bool


@contextmanager
def logged(
    corpus: Path, what: str, *, by: str, article: str, title: str, fields: Mapping[str, Any] | None = None
) -> Iterator[None]:
    """Log a change before it is made, and that it was made.

    Raises OSError, and what the change raises.
    """
    now = datetime.datetime.now(datetime.UTC)
    key = f"{now:%Y%m%dT%H%M%S%f}-{os.getpid()}"
    values = {name: [None if one is None else str(one) for one in pair] for name, pair in (fields or {}).items()}
    change = {"id": key, "time": now.isoformat(), "by": by, "what": what, "article": article, "title": title, "fields": values}
    _append(corpus, change)
    yield
    _append(corpus, {"done": key})


def _append(corpus: Path, line: Mapping[str, Any]) -> None:
    """Append a line durably; a line before it that was cut off is ended first."""
    path = corpus / CHANGES_FILE
    is_new = not path.exists()
    with path.open("a+b") as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
        begin = b"\n" if size and file.read(1) != b"\n" else b""
        file.write(begin + json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync_folder(corpus)


def read_changes(corpus: Path, limit: int = 200) -> list[LoggedChange]:
    """Return the latest changes, the last one first. Raises OSError."""
    path = corpus / CHANGES_FILE
    if not path.is_file():
        return []
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _MAX_READ))
        lines = file.read().split(b"\n")
    values = [value for line in lines if isinstance(value := _parsed(line), dict)]
    done = {value["done"] for value in values if isinstance(value.get("done"), str)}
    changes = [change for value in values if (change := _change(value, done))]
    return changes[::-1][:limit]


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line) if line.strip() else None
    except (ValueError, RecursionError):
        return None


def _change(value: Mapping[str, Any], done: set[str]) -> LoggedChange | None:
    """Return the change of a line, None for one that is no change."""
    try:
        names = [str(value[name]) for name in ("by", "what", "article", "title")]
        fields = {str(name): (old, new) for name, (old, new) in value["fields"].items()}
        time = datetime.datetime.fromisoformat(value["time"])
        by, what, article, title = names
        return LoggedChange(time, by, what, article, title, fields, value["id"] in done)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
