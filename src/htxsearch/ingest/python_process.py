"""Python again, as a process that answers through its pipes.

The caller's program is not run again in it. Readers that may cost much (`ingest.guard`), workers that analyse, and additions to
a server run in such processes.
"""

import os
import pickle
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO, Any

__all__ = [
    "answer_of",
    "can_start_python",
    "end_process",
    "given_by_parent",
    "packed",
    "pipe",
    "receive",
    "start_python",
]

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


def answer_of(process: "subprocess.Popen[bytes]", given: object, timeout_s: float | None = None) -> bytes:
    """Return all that a process answers to a value, at its end.

    Its pipe stays open until then: the process sees by the end of it that this one is gone (`given_by_parent`). Raises
    TimeoutExpired after killing a process that takes too long, be it to read the value.
    """
    given_to, process.stdin = pipe(process.stdin), None  # which `communicate` would close
    giving = threading.Thread(target=_give, args=(given_to, pickle.dumps(given)), name="giving", daemon=True)
    giving.start()
    try:
        return process.communicate(timeout=timeout_s)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    finally:
        giving.join()  # at the latest now that nobody reads
        with suppress(OSError):
            given_to.close()


def _give(given_to: IO[bytes], value: bytes) -> None:
    with suppress(OSError):  # the process is gone, which its exit code says
        given_to.write(value)
        given_to.flush()


def given_by_parent() -> Any:
    """Return the value that the parent gave to `answer_of`.

    From then on this process ends when the parent is gone: whatever it does must stand being killed.
    """
    given = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_stdin, name="parent", daemon=True).start()
    return given


def _end_with_stdin() -> None:
    with suppress(OSError):
        while os.read(0, 1):  # not by sys.stdin, whose lock Python asks for when it ends
            pass
    os._exit(1)


def end_process(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process, wait for it, close its pipes."""
    process.kill()
    process.wait()
    for one in (process.stdin, process.stdout):
        with suppress(OSError):  # the rest of its input cannot be written
            pipe(one).close()
