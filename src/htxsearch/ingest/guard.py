"""Run readers in a process of its own, stopped when a file costs too much.

The process is this Python again. It is started for the first file that needs it, serves one file after another, and ends with
its parent. The system ends it when a file has taken its seconds of the processor, and refuses it more memory than a file may
take; then that file is rejected with the reason, and the next one has a new process. Windows has no such limits: there a clock
ends it.
"""

import atexit
import logging
import math
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.python_process import can_start_python, end_process, packed, pipe, receive, start_python
from htxsearch.ingest.readers.budget import Budget
from htxsearch.ingest.readers.ocr import Recogniser, recogniser, recognising

__all__ = ["guarded", "reading_here", "serve"]

_COMMAND = "from htxsearch.ingest.guard import serve; serve()"
_WORN = 256 << 20
"""Bytes of a process that has read large files; it is replaced, since it does not give them back."""
_SLOWEST, _LONGEST_PAGE_S = 10, 300
"""How often a processor is busy with others, and seconds that a page may take in tesseract."""

_T = TypeVar("_T")

_idle: list["subprocess.Popen[bytes]"] = []
_here: ContextVar[bool] = ContextVar("reading here", default=False)


@contextmanager
def reading_here() -> Iterator[None]:
    """Let everything within the block be read in this process."""
    token = _here.set(True)
    try:
        yield
    finally:
        _here.reset(token)


def guarded(read: Callable[..., Iterator[_T]], *arguments: Any, allowed: Budget) -> Iterator[_T]:
    """Yield what a function yields that runs in the guarded process.

    The function belongs to a module; it and its arguments can be pickled. The recogniser of this process learns what that of
    the other one found. Raises Unreadable if the file costs more than its budget or ends the process, what the function raises,
    and OSError if no process can be started.
    """
    if _here.get() or not can_start_python():
        yield from read(*arguments)
        return
    used = recogniser()
    process = _taken()
    done = False
    clock = _Clock(process, allowed)
    try:
        job = (read, arguments, allowed, (used.folder, used.is_kept, used.only_kept))
        with suppress(OSError):  # it is gone, which the next line says
            pickle.dump(job, pipe(process.stdin), pickle.HIGHEST_PROTOCOL)
            pipe(process.stdin).flush()
        while True:
            kind, value = _received(process, allowed)
            clock.set()
            if kind == "one":
                yield value
            elif kind == "page":
                used.page_done(*value)
            elif kind == "log":
                logging.getLogger(__name__).log(*value)
            else:
                break
        scans, lacks, is_worn, error = value
        for path, digests in scans.items():
            used.scans.setdefault(path, []).extend(digests)
        used.lacks = used.lacks or lacks
        done = not is_worn
        if error is not None:
            raise error
    finally:
        clock.stop()
        if done:
            _idle.append(process)
        else:
            _end_group(process)


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """End a process with those that it has started."""
    if os.name == "posix" and process.poll() is None:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    end_process(process)


class _Clock:
    """Ends a process that has not answered for long.

    It waits for something that takes no time of the processor.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", allowed: Budget) -> None:
        self._process = process
        self._longest = _SLOWEST * allowed.seconds + _LONGEST_PAGE_S
        self._stopped = threading.Event()
        self.set()
        threading.Thread(target=self._watch, daemon=True).start()

    def set(self) -> None:
        """Give the process its time again."""
        self._ends = time.monotonic() + self._longest

    def stop(self) -> None:
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(max(0.0, self._ends - time.monotonic())):
            if time.monotonic() >= self._ends:
                self._process.kill()
                return


def _taken() -> "subprocess.Popen[bytes]":
    """Return a process that waits for work."""
    while _idle:
        process = _idle.pop()
        if process.poll() is None:
            return process
        end_process(process)
    return start_python(_COMMAND, own_session=False)


@atexit.register
def _end_idle() -> None:
    while _idle:
        end_process(_idle.pop())


def _received(process: "subprocess.Popen[bytes]", allowed: Budget) -> Any:
    """Return the next message. Raises Unreadable if the process is gone."""
    try:
        return pickle.loads(receive(pipe(process.stdout)))
    except EOFError:
        process.wait()
    if process.returncode == -getattr(signal, "SIGXCPU", 0):
        raise Unreadable(message("file.budget-seconds", seconds=allowed.seconds))
    raise Unreadable(message("file.budget-memory", megabytes=allowed.memory / 1024**2))


# In the process


def serve() -> None:
    """Run the main loop of the process, until the end of stdin.

    It reads pickled jobs from stdin and writes pickled messages to stdout: what the function yields, and an end. What libraries
    print when they are refused memory is not shown.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    jobs = _listened()

    def send(kind: str, value: object) -> None:
        answers.write(packed(pickle.dumps((kind, value), pickle.HIGHEST_PROTOCOL)))
        answers.flush()

    log = logging.Handler(logging.WARNING)
    log.emit = lambda record: send("log", (record.levelno, "%s", record.getMessage()))  # type: ignore[method-assign]
    logging.getLogger().addHandler(log)
    try:
        while True:
            _serve_one(send, *jobs())
    except MemoryError:  # the parent knows by the end
        os._exit(1)


def _serve_one(
    send: Callable[[str, object], None],
    read: Callable[..., Iterator[Any]],
    arguments: Sequence[Any],
    allowed: Budget,
    recognising_in: tuple[Path | None, bool, bool],
) -> None:
    used = Recogniser(*recognising_in, page_done=lambda *pages: send("page", pages))
    error: Exception | None = None
    _limit(allowed)
    try:
        with recognising(used):
            for one in read(*arguments):
                send("one", one)
    except MemoryError:
        raise
    except Exception as raised:
        error = _portable(raised)
    send("end", (used.scans, used.lacks, _size_of_process() > _WORN, error))


def _listened() -> Callable[[], Any]:
    """Return a function that returns the next job.

    The process ends at once when its parent is gone.
    """
    import queue

    jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def listen() -> None:
        try:
            while True:
                jobs.put(pickle.load(sys.stdin.buffer))
        finally:
            os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    return jobs.get


def _portable(error: Exception) -> Exception:
    """Return an error that can be pickled."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _limit(allowed: Budget) -> None:
    """Let the system end this process after a time, and refuse it more memory."""
    try:
        import resource
    except ImportError:  # Windows
        return
    with suppress(ValueError, OSError):
        used = resource.getrusage(resource.RUSAGE_SELF)
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        until = math.ceil(used.ru_utime + used.ru_stime + allowed.seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        resource.setrlimit(
            resource.RLIMIT_DATA, (_size_of_process() + allowed.memory, resource.getrlimit(resource.RLIMIT_DATA)[1])
        )


def _size_of_process() -> int:
    """Return the bytes of this process's own memory, 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return 0
