"""A layer between a process and its files: every step that changes a file is counted, and can fail, kill or be recorded.

A step is an opening for writing, a write, an fsync, a rename, a removal, or a folder made or removed, of a path below the root.
Openings, renames and removals are told by Python's audit events; writes by a subclass of FileIO below the buffers; fsync by its
name in `os`. What a C library writes by itself would pass unseen: nothing of an index is written so.
"""

import builtins
import errno
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

__all__ = ["Layer", "counting", "failing", "killing"]

Step = Callable[[str, str, "Callable[[], object] | None"], None]
"""Called before a step with its kind, its path, and for a write what writes the first half."""

_CHANGES = {"os.rename": "rename", "os.remove": "remove", "os.mkdir": "mkdir", "os.rmdir": "rmdir", "os.truncate": "write"}
_DIR_FD = {"os.remove": 1, "os.mkdir": 2, "os.rmdir": 1, "os.rename": 2}


class Layer:
    """The layer of this process. Audit hooks stay until its end: install it in a process made for it."""

    def __init__(self, root: Path) -> None:
        self.root = f"{root.resolve()}/"
        self.step: Step = lambda _kind, _path, _half: None
        self.synced: Callable[[str], None] = lambda _path: None
        self._within = False

    def install(self) -> None:
        sys.addaudithook(self._audit)
        open_file = io.open

        def opened(file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **options: Any) -> IO[Any]:
            return self._opened(open_file, file, mode, buffering, *rest, **options)

        builtins.open = io.open = opened  # type: ignore[assignment]
        os.fsync = self._fsync  # type: ignore[assignment]

    def _told(self, kind: str, path: str, half: Callable[[], object] | None = None) -> None:
        """Tell a step, unless it is one of the observer's own."""
        if self._within or not f"{path}/".startswith(self.root):
            return
        self._within = True
        try:
            self.step(kind, path, half)
        finally:
            self._within = False

    def _audit(self, event: str, values: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = values
            if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR) and not isinstance(path, int):
                self._told("open", _absolute(path, -1))
        elif event in _CHANGES:
            at = _DIR_FD.get(event, 0)
            self._told(_CHANGES[event], _absolute(values[0], values[at] if at and isinstance(values[at], int) else -1))

    def _fsync(self, descriptor: int) -> None:
        """Count, and spare the disk: what a process that dies has written stays written."""
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        self._told("fsync", path)
        self.synced(path)

    def _opened(
        self, open_file: Callable[..., IO[Any]], file: Any, mode: str, buffering: int, *rest: Any, **options: Any
    ) -> IO[Any]:
        writes = any(sign in mode for sign in "wax+")
        if not writes or not isinstance(file, str | bytes | os.PathLike) or not _absolute(file, -1).startswith(self.root):
            return open_file(file, mode, buffering, *rest, **options)
        layer, path = self, _absolute(file, -1)

        class Raw(io.FileIO):
            def write(self, data: Any, /) -> int:
                whole = super().write
                layer._told("write", path, lambda: whole(bytes(data)[: len(data) // 2]))
                return whole(data)

        raw = Raw(file, mode.replace("b", "").replace("t", ""))
        if buffering == 0:
            return raw
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, *rest, **options)


def _absolute(path: Any, folder: int) -> str:
    text = os.fsdecode(path)
    return os.path.join(os.readlink(f"/proc/self/fd/{folder}"), text) if folder >= 0 else os.path.abspath(text)


# What can be done at a step


def counting(layer: Layer) -> Callable[[], int]:
    """Count steps; return what returns their number."""
    seen = 0

    def step(_kind: str, _path: str, _half: object) -> None:
        nonlocal seen
        seen += 1

    layer.step = step
    return lambda: seen


def killing(layer: Layer, at: int) -> None:
    """Have the process killed at a step; of a write, when half is written."""
    left = at

    def step(_kind: str, _path: str, half: Callable[[], object] | None) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            if half:
                half()
            os.kill(os.getpid(), signal.SIGKILL)

    layer.step = step


def failing(layer: Layer, at: int, number: int) -> None:
    """Have a step fail with an error number; on a full disk (ENOSPC) all later ones that need space, too."""
    left = at

    def step(kind: str, path: str, half: Callable[[], object] | None) -> None:
        nonlocal left
        left -= 1
        is_full = number == errno.ENOSPC
        if left > 0 or (left < 0 and not is_full) or (is_full and kind in ("remove", "rmdir", "fsync")):
            return
        if half:
            half()
        if kind in ("write", "fsync"):
            raise OSError(number, os.strerror(number))
        raise OSError(number, os.strerror(number), path)

    layer.step = step
