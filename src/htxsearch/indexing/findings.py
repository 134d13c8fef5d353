"""The findings of a check: faults, each with the one command that mends it.

The commands are messages, too, since they repeat the folders that were named on the command line.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from htxsearch.errors import (
    CorpusError,
    HtxError,
    IndexBusy,
    IndexMissing,
    IndexNotReadable,
)
from htxsearch.errors.messages import Message, message

__all__ = ["CheckReport", "Finding", "Findings", "Mend"]

_MOST_ALIKE = 20
"""Findings of one kind that are listed one by one; the others are counted."""


class Mend:
    """The commands that mend something."""

    REINDEX = message("check.do-reindex")
    REBUILD = message("check.do-rebuild")
    SEMANTIC = message("check.do-semantic")
    ALLOW_REMOVALS = message("check.do-allow-removals")
    OTHER_CORPUS = message("check.do-other-corpus")
    NAME_CORPUS = message("check.do-name-corpus")
    CHECK_AGAIN = message("check.do-check-again")

    @staticmethod
    def remove(file: Path) -> Message:
        """Return the command that removes a file or folder."""
        return message("check.do-remove-folder" if file.is_dir() else "check.do-remove", file=str(file))

    @staticmethod
    def permit(folder: Path) -> Message:
        """Return the command that lets this user read a folder."""
        return message("check.do-permit", folder=str(folder))


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault of a file or folder, and the command that mends it.

    `file` is a path as the caller would name it.
    """

    file: str
    problem: Message
    mend: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """The result of checking an index and its corpus; true if nothing is wrong.

    `articles`, `passages` and `generation` are those of the engine, 0 if it cannot be read. `files` and `bytes` are what was
    read. With `is_being_written`, another process was writing the index.
    """

    findings: tuple[Finding, ...] = ()
    generation: int = 0
    articles: int = 0
    passages: int = 0
    vectors: int = 0
    files: int = 0
    bytes: int = 0
    is_being_written: bool = False
    took_s: float = 0.0

    def __bool__(self) -> bool:
        return not self.findings


@dataclass(slots=True)
class Findings:
    """Findings as they are made, and how much was read for them."""

    progress: Callable[[int, int], None]
    total: int = 0
    files: int = 0
    bytes: int = 0
    _found: list[Finding] = field(default_factory=list)
    _alike: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, file: Path, problem: Message, mend: Message) -> None:
        """Add a finding; after many of a kind, count the others of the kind."""
        kind = (problem.code, mend.code)
        self._alike[kind] = self._alike.get(kind, 0) + 1
        if self._alike[kind] <= _MOST_ALIKE:
            self._found.append(Finding(_shown(file), problem, mend))

    def add_error(self, file: Path, error: HtxError, mend: Message) -> None:
        """Add what an error says; `mend` if no other command mends it."""
        self.add(file, error.message, _mend_of(error, file, mend))

    def listed(self, index: Path) -> tuple[Finding, ...]:
        """Return the findings, and one for each kind of which there are more."""
        more = [
            Finding(_shown(index), message("check.more-alike", count=count - _MOST_ALIKE), self._last_of(kind).mend)
            for kind, count in self._alike.items()
            if count > _MOST_ALIKE
        ]
        return (*self._found, *more)

    def _last_of(self, kind: tuple[str, str]) -> Finding:
        return [one for one in self._found if (one.problem.code, one.mend.code) == kind][-1]

    def read(self, size: int) -> None:
        """Count a file that was read, and report the progress."""
        self.files += 1
        self.bytes += size
        self.progress(min(self.bytes, self.total), self.total)

    @contextmanager
    def step(self, file: Path, mend: Message) -> Iterator[None]:
        """Turn any error of a step into a finding about a file.

        Everything is caught: files full of garbage must not end a check of the others. An error of htxsearch that
        another command mends has that command.
        """
        try:
            yield
        except HtxError as error:
            self.add_error(file, error, mend)
        except OSError as error:
            problem = message("check.unreadable", reason=error.strerror or str(error))
            self.add(Path(os.fsdecode(error.filename)) if error.filename else file, problem, Mend.permit(file))
        except Exception as error:
            self.add(file, message("check.failed", reason=f"{type(error).__name__}: {error}"[:300]), mend)


def _mend_of(error: HtxError, file: Path, otherwise: Message) -> Message:
    """Return the command that mends what an error says."""
    if isinstance(error, IndexNotReadable):
        return Mend.permit(file)
    if isinstance(error, IndexMissing):
        return Mend.REINDEX
    if isinstance(error, IndexBusy):
        return Mend.CHECK_AGAIN
    if isinstance(error, CorpusError):
        return {
            "corpus.other": Mend.OTHER_CORPUS,
            "corpus.many-removed": Mend.ALLOW_REMOVALS,
            "corpus.many-ignored": Mend.ALLOW_REMOVALS,
            "corpus.missing": Mend.NAME_CORPUS,
            "corpus.unlisted": Mend.permit(file),
        }.get(error.code, otherwise)
    return otherwise


def _shown(file: Path) -> str:
    """Return a path as text; bytes that are none become U+FFFD."""
    return os.fsencode(file).decode("utf-8", "replace")
