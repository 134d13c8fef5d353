"""Costs that reading a file may have: bytes unpacked, characters, seconds.

One budget counts for a file and everything in it, however deep: an archive in a mail spends the budget of the mail. A small
text or page cannot spend much and is read in this process; `is_light` says which. Any other file is read by a process that the
system stops (`ingest.guard`), since a library that fills the memory, or hangs, does not look at a budget.
"""

import re
import time
import zipfile
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from io import BytesIO
from typing import TypeVar

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Unreadable

__all__ = [
    "LARGE",
    "LONGEST_ARTICLE",
    "MOST_BYTES",
    "RATIO",
    "SMALL",
    "Budget",
    "Exhausted",
    "budget",
    "is_light",
    "within",
]

MOST_BYTES = 200 * 1024 * 1024
"""Bytes that a file may unpack to, all archives in it together."""
RATIO = 150
"""Text and markup are packed to a tenth; an archive that unpacks to this many times its size is an attack (zip bomb)."""
SMALL = 1024 * 1024
"""Bytes up to which the ratio is not checked."""
LARGE = 1024 * 1024
"""Bytes of a file, other than one of JSON lines, that is never light."""
LONGEST_ARTICLE = 5_000_000
"""Characters of an article, as many as 2,000 pages have; its analysis takes up to 1 GB of memory."""
_SECONDS, _SECONDS_A_MB = 60.0, 4.0
"""Of the processor, without those of tesseract: a Word file of 1,000 pages takes 10 s, the slowest readers 2 s a MB."""
_CHARACTERS, _CHARACTERS_A_BYTE = 30_000_000, 10
"""A table's rows as sentences have three times its characters."""
_MEMORY, _MEMORY_A_BYTE = 512 << 20, 4
"""Bytes of memory beside those of an idle process, and for each byte of the file; a Word file of 1,000 pages takes 200 MB."""
_LIGHT_PAGE, _LIGHT_ARCHIVE, _LONG_TAG = 256 * 1024, 1024 * 1024, 16 * 1024
"""Bytes of a light page, of all that a light archive unpacks to, and of a tag that a light page lacks."""
_LINEAR = frozenset({"plain", "markdown", "json_lines", "json_array", "table", "rtf", "old_word"})
"""Kinds whose readers take a time and memory in proportion to their bytes."""
_ARCHIVES = frozenset({"docx", "odt", "pptx", "epub", "sheets"})
_TAG = re.compile(rb"<[^<>]{%d}" % _LONG_TAG)

_T = TypeVar("_T")


class Exhausted(Unreadable):
    """A file spent its budget: the rest of it is not read, and no other file in it."""


@dataclass(slots=True, eq=False)
class Budget:
    """The bytes unpacked, characters and seconds that may still be spent.

    `memory` is what a process of its own may take to read a file of `size` bytes.
    """

    unpacked: float = float("inf")
    characters: float = float("inf")
    seconds: float = float("inf")
    memory: int = _MEMORY
    size: int = 0
    _since: float | None = field(default=None, init=False)

    @classmethod
    def for_file(cls, size: int) -> "Budget":
        """Return the budget of a file of `size` bytes."""
        return cls(
            unpacked=min(MOST_BYTES, max(SMALL, RATIO * size)),
            characters=_CHARACTERS + _CHARACTERS_A_BYTE * size,
            seconds=_SECONDS + _SECONDS_A_MB * size / 1024**2,
            memory=_MEMORY + _MEMORY_A_BYTE * size,
            size=size,
        )

    def unpack(self, size: int) -> None:
        """Spend the bytes of something unpacked. Raises Exhausted."""
        self.unpacked -= size
        if self.unpacked < 0:
            most = min(MOST_BYTES, max(SMALL, RATIO * self.size))
            raise Exhausted(message("file.budget-unpacked", megabytes=most / 1024**2))
        self.check()

    def write(self, characters: int) -> None:
        """Spend characters of an article and of what was dropped. Raises Exhausted."""
        self.characters -= characters
        if self.characters < 0:
            raise Exhausted(message("file.budget-text", limit=_CHARACTERS + _CHARACTERS_A_BYTE * self.size))
        self.check()

    def check(self) -> None:
        """Raise Exhausted if the time is over."""
        if self._since is not None and time.thread_time() - self._since > self.seconds:
            raise Exhausted(message("file.budget-seconds", seconds=_SECONDS + _SECONDS_A_MB * self.size / 1024**2))

    def start(self) -> None:
        """Let the clock run."""
        self._since = time.thread_time()

    def stop(self) -> None:
        """Stop the clock; what is done meanwhile is not the reader's."""
        if self._since is not None:
            self.seconds -= time.thread_time() - self._since
        self._since = None


_current: ContextVar[Budget | None] = ContextVar("budget", default=None)


def budget() -> Budget:
    """Return the budget of the file being read; without one, all may be spent."""
    return _current.get() or Budget()


def within(allowed: Budget, outcomes: Iterator[_T]) -> Iterator[_T]:
    """Yield what a reader yields, each step at the expense of a budget."""
    while True:
        token = _current.set(allowed)
        allowed.start()
        try:
            outcome = next(outcomes)
        except StopIteration:
            return
        finally:
            allowed.stop()
            _current.reset(token)
        yield outcome


def is_light(kind: str, data: bytes) -> bool:
    """Return True if a file of this kind can take but little time and memory.

    `kind` is that of `kinds.kind_of`. A PDF, a mail or an archive of articles is never light: a few bytes in them may unpack to
    anything.
    """
    if kind == "json_lines":
        return len(data) <= LARGE or max(map(len, data.split(b"\n"))) <= LARGE
    if kind == "page":
        return len(data) <= _LIGHT_PAGE and not _TAG.search(data)
    if kind in _ARCHIVES and data.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return sum(member.file_size for member in archive.infolist()) <= _LIGHT_ARCHIVE
    return kind in _LINEAR and len(data) <= LARGE
