"""Python again, as a process that answers through its pipes.

The caller's program is not run again in it. Readers that may cost much (`ingest.guard`), workers that analyse, and additions to
a server run in such processes.
"""

import os
import struct
import subprocess
import sys
from contextlib import suppress
from typing import IO

__all__ = ["can_start_python", "end_process", "packed", "pipe", "receive", "start_python"]

_LENGTH = struct.Struct("<Q")


def can_start_python() -> bool:
    """Return True unless the program is frozen, or embedded where no Python is."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


def start_python(command: str, *arguments: str, own_session: bool = True) -> "subprocess.Popen[bytes]":
    """Start Python on a command, with pipes for stdin and stdout.

    Ctrl-C in the terminal does not reach it. Without a session of its own it shares the priority of this process.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-c", command, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        start_new_session=own_session and os.name == "posix",
        process_group=None if own_session or os.name != "posix" else 0,
    )


def pipe(of_process: IO[bytes] | None) -> IO[bytes]:
    """Return a pipe of a process that `start_python` has started."""
    assert of_process is not None, "asked for with Popen"
    return of_process


def packed(answer: bytes) -> bytes:
    """Return an answer with its length, as `receive` reads it."""
    return _LENGTH.pack(len(answer)) + answer


def receive(answers: IO[bytes]) -> bytes:
    """Return one answer. Raises EOFError if the process is gone."""
    head = answers.read(_LENGTH.size)
    answer = answers.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
    if not answer:
        raise EOFError
    return answer


def end_process(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process, wait for it, close its pipes."""
    process.kill()
    process.wait()
    for one in (process.stdin, process.stdout):
        with suppress(OSError):  # the rest of its input cannot be written
            pipe(one).close()
