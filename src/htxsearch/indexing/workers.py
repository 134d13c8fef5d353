"""Articles made into documents by worker processes, ahead of their turn, while the index is being written.

A worker is this Python again, fed with pickles through a pipe, and ends when the pipe does: nothing of the
caller's program is run again in it, and none outlives a caller who was killed. docs/decisions/017 says why it is
not `multiprocessing`.
"""

import io
import os
import pickle
import queue
import signal
import struct
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from htxsearch.engine.contract import Document
from htxsearch.errors import HtxError
from htxsearch.indexing.documents import document_of
from htxsearch.ingest.article import Article, Rejected, Unchanged
from htxsearch.ingest.corpus import SourceFile, changed_articles

__all__ = [
    "CatalogueView",
    "DocumentSource",
    "MakeDocument",
    "ReadAheadSource",
    "ReadOutcome",
    "SequentialSource",
    "Workers",
    "become_worker",
    "default_workers",
    "lower_priority",
    "serve",
    "start_python",
    "worth_workers",
]

_COMMAND = "from htxsearch.indexing.workers import serve; serve()"
_MOST = 4
"""Writing takes two fifths of all work and is done by one process, so that more workers would only wait for it."""
_WORTH = 128 * 1024
"""Bytes of text that pay for starting workers, 1 s each: 0.3 s of analysis at 0.4 MB/s are waited for anyhow."""
_PORTION = 48 * 1024
"""Characters in a message to a worker: a tenth of a second of its work."""
_AHEAD = 8 * 1024 * 1024
"""Characters that are read ahead, at most: what workers get through while a large commit is written."""
_ARTICLE = 1024
"""What an article counts beside its text, so that very short ones are bounded, too."""
_LENGTH = struct.Struct("<Q")
_NICENESS = 10
"""Of what indexes: a ninth of a busy processor, all of an idle one."""

MakeDocument = Callable[[], Document]
"""Gives an article's document; waits for it if need be. Raises what analysing it raised, with the article's name."""


ReadOutcome = Article | Unchanged | Rejected


class CatalogueView(Protocol):
    """What reading needs to know of an index."""

    def lines(self, path: str) -> Mapping[str, str]:
        """Return the ids of a file's articles by the hashes of the JSON lines they were read from."""

    def repeating(self, path: str) -> Set[str]:
        """Return the hashes of lines that are left out as the furniture of a file's source."""

    def is_news(self, article: Article) -> bool:
        """Tell whether the article's document will be wanted, as far as can be said before its turn."""


class DocumentSource(Protocol):
    """Reads files in the order that was announced, with a way to each article's document."""

    def read(self, source: SourceFile) -> Iterator[tuple[ReadOutcome, MakeDocument]]:
        """Yield what a file holds; only for an Article there is a document to make."""

    def close(self) -> None:
        """Stop whatever is still under way."""


class SequentialSource:
    """Reads each file when its turn comes, and makes documents in this process when they are asked for."""

    def __init__(self, catalogued: CatalogueView) -> None:
        self._catalogued = catalogued

    def read(self, source: SourceFile) -> Iterator[tuple[ReadOutcome, MakeDocument]]:
        for found in _news(source, self._catalogued):
            yield found, partial(_made_here, found)

    def close(self) -> None:
        """There is nothing under way."""


@dataclass(slots=True, eq=False)
class _Item:
    """What was read ahead, or with None the end of a file; `at` is its place in what a worker will answer."""

    found: ReadOutcome | None
    size: int = 0
    answer: "_Answer | None" = None
    at: int = 0


class ReadAheadSource:
    """Reads ahead of the turn, within bounds, and has workers make the documents that will be wanted."""

    def __init__(self, sources: Sequence[SourceFile], catalogued: CatalogueView, *, workers: int) -> None:
        """`sources` will be read in this order, others in between.

        The processes are started when there is enough for them to do.
        """
        self._announced = {source.path for source in sources}
        self._upcoming = (item for source in sources for item in _items(source, catalogued))
        self._catalogued = catalogued
        self._count = workers
        self._workers: Workers | None = None
        self._window: deque[_Item] = deque()
        self._size = 0
        self._unsent: deque[_Item] = deque()
        self._unsent_size = 0

    def read(self, source: SourceFile) -> Iterator[tuple[ReadOutcome, MakeDocument]]:
        """Yield what the next file holds, or, when its turn comes, what one holds that was not announced."""
        if source.path not in self._announced:
            yield from SequentialSource(self._catalogued).read(source)
            return
        while True:
            self._fill()
            item = self._window.popleft()
            self._size -= item.size
            if item.found is None:
                return
            yield item.found, partial(self._made, item)
            if self._unsent and self._unsent[0] is item:  # its document was not wanted after all
                self._unsent_size -= self._unsent.popleft().size

    def close(self) -> None:
        if self._workers is not None:
            self._workers.close()

    def _fill(self) -> None:
        """Read on until the window is full."""
        while self._size < _AHEAD and (item := next(self._upcoming, None)):
            self._window.append(item)
            self._size += item.size
            if isinstance(item.found, Article) and self._catalogued.is_news(item.found):
                self._unsent.append(item)
                self._unsent_size += item.size
                if self._unsent_size >= (_PORTION if self._workers else _WORTH):
                    self._send()

    def _send(self) -> None:
        """Give the workers all that was read and is wanted."""
        self._workers = self._workers or Workers(self._count)
        while self._unsent:
            portion: list[_Item] = []
            while self._unsent and sum(item.size for item in portion) < _PORTION:
                portion.append(self._unsent.popleft())
            answer = self._workers.make([item.found for item in portion if isinstance(item.found, Article)])
            for at, item in enumerate(portion):
                item.answer, item.at = answer, at
        self._unsent_size = 0

    def _made(self, item: _Item) -> Document:
        if item.answer is None and self._workers is not None and self._unsent and self._unsent[0] is item:
            self._send()
        if item.answer is not None:
            return item.answer.document(item.at)
        return _made_here(item.found)


def _news(source: SourceFile, catalogued: CatalogueView) -> Iterator[ReadOutcome]:
    return changed_articles(source, catalogued.lines(source.path), catalogued.repeating(source.path))


def _items(source: SourceFile, catalogued: CatalogueView) -> Iterator[_Item]:
    for found in _news(source, catalogued):
        size = len(found.title) + len(found.body) if isinstance(found, Article) else 0
        yield _Item(found, size + _ARTICLE)
    yield _Item(None)


def _made_here(found: ReadOutcome | None) -> Document:
    assert isinstance(found, Article), "only an article has a document"
    return _document(found)


def _document(article: Article) -> Document:
    try:
        return document_of(article)
    except Exception as error:
        error.add_note(f"while analysing the article {article.id} of {article.path}")
        raise


def default_workers() -> int:
    """Return how many workers are of use here: one for each processor this process may use, within bounds."""
    affinity = getattr(os, "sched_getaffinity", None)
    processors = len(affinity(0)) if affinity else os.cpu_count() or 1
    return min(processors, _MOST)


def worth_workers(size: int, workers: int) -> bool:
    """Tell whether that many workers would get through so many bytes sooner than this process alone."""
    can_start = bool(sys.executable) and not getattr(sys, "frozen", False)
    return workers > 1 and size >= _WORTH and can_start


# The parent's side


class _Job(NamedTuple):
    articles: list[Article]
    answer: "Future[bytes]"


class _Answer:
    """The documents of one message, unpacked when the first is asked for."""

    def __init__(self, future: "Future[bytes]") -> None:
        self._future = future
        self._documents: Sequence[Document | Exception] | None = None

    def document(self, at: int) -> Document:
        """Return the document of that number; waits. Raises what the worker raised, HtxError if it died."""
        if self._documents is None:
            self._documents = pickle.loads(_result(self._future))
        found = self._documents[at]
        if isinstance(found, Exception):
            raise found
        return found


def _result(future: "Future[bytes]") -> bytes:
    while True:
        try:
            return future.result(timeout=0.5)  # without an end to it, Ctrl-C would not be seen on Windows
        except TimeoutError:
            continue


class Workers:
    """Processes that make documents. Each has a thread here, which keeps it busy whatever the main thread does."""

    _IN_HAND = 2  # messages a worker has at once: one it works on, one at its door

    def __init__(self, count: int) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._closed = False
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads = [threading.Thread(target=self._drive, name=f"worker {n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def make(self, articles: list[Article]) -> _Answer:
        """Have the documents of some articles made. Returns at once."""
        job = _Job(articles, Future())
        self._jobs.put(job)
        return _Answer(job.answer)

    def close(self) -> None:
        """End the processes at once, whatever they are doing."""
        with self._starting:
            self._closed = True
            for process in self._processes:
                process.kill()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _drive(self) -> None:
        """Feed one process as long as there are jobs, and hand on its answers."""
        process: subprocess.Popen[bytes] | None = None
        in_hand: deque[_Job] = deque()
        try:
            while (job := self._next(wait=not in_hand)) or in_hand:
                if job:
                    in_hand.append(job)
                    process = process or self._start()
                    pickle.dump(job.articles, _pipe(process.stdin), pickle.HIGHEST_PROTOCOL)
                    _pipe(process.stdin).flush()
                if process and (not job or len(in_hand) == self._IN_HAND):
                    answer = _receive(_pipe(process.stdout))
                    in_hand.popleft().answer.set_result(answer)
        except Exception as error:  # whoever waits for these must not wait for ever
            gone = isinstance(error, OSError | EOFError)
            for job in in_hand:
                job.answer.set_exception(_death(process, job.articles[0], error) if gone else error)
        finally:
            if process:
                _end(process)

    def _next(self, *, wait: bool) -> _Job | None:
        """Return the next job, None if there is none, or none any more."""
        with suppress(queue.Empty):
            return self._jobs.get(block=wait)
        return None

    def _start(self) -> subprocess.Popen[bytes]:
        """Start a process that ends when we end it, or when we end."""
        with self._starting:
            if self._closed:
                raise EOFError
            process = start_python(_COMMAND)
            self._processes.append(process)
            return process


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None, "asked for with Popen"
    return pipe


def _receive(pipe: IO[bytes]) -> bytes:
    """Return one answer. Raises EOFError if the worker is gone."""
    head = pipe.read(_LENGTH.size)
    answer = pipe.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
    if not answer:
        raise EOFError
    return answer


def _death(process: subprocess.Popen[bytes] | None, article: Article, error: Exception) -> HtxError:
    """Return what to tell of a worker that ended before it had answered."""
    if process is None:
        return HtxError(f"cannot start a worker process: {error}; reindex without them: htxsearch reindex --jobs 1")
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5)
    code = process.returncode
    how = f"was killed by signal {-code}" if code and code < 0 else f"ended with code {code}"
    return HtxError(
        f"a worker process {how} at {article.id} of {article.path} or soon after, perhaps because memory ran out; "
        "what was committed is kept, go on with fewer of them: htxsearch reindex --jobs 1"
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """See a process end, and let go of its pipes."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):  # what it did not read any more cannot be written
            _pipe(pipe).close()


def start_python(command: str) -> subprocess.Popen[bytes]:
    """Start Python on a command, with pipes to talk by; Ctrl-C in the terminal does not reach it."""
    return subprocess.Popen(
        [sys.executable, "-P", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        start_new_session=os.name == "posix",
    )


# The worker's side


def lower_priority() -> None:
    """Let whatever else runs on the machine go before this process and the threads it starts later, where the system can.

    Linux may share processors among sessions first and among the processes of each only then (sched_autogroup); a
    session that this process leads gives way as a whole.
    """
    if sys.platform != "win32":
        os.setpriority(os.PRIO_PROCESS, 0, max(_NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
        if os.getsid(0) == os.getpid():
            with suppress(OSError):  # there is no such sharing here, or it was set a moment ago
                Path("/proc/self/autogroup").write_text(str(_NICENESS), "ascii")


def become_worker() -> IO[bytes]:
    """Make this process a worker of the one that started it; return the pipe that answers go to.

    The worker runs at low priority and ignores Ctrl-C, which its parent handles. Prints go to standard error, so that they
    do not mix with answers, line by line: a worker is killed, which loses buffered text.
    """
    lower_priority()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    return answers


def serve() -> None:
    """Worker main loop: read pickled articles from stdin, write pickled documents to stdout, exit at the end of stdin."""
    answers = become_worker()
    jobs: queue.SimpleQueue[list[Article]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    while True:
        answer = _pickled([_document_or_error(article) for article in jobs.get()])
        answers.write(_LENGTH.pack(len(answer)) + answer)
        answers.flush()


def _listen(jobs: "queue.SimpleQueue[list[Article]]") -> None:
    """Take jobs in, so that whoever sends one never waits; when the sender is gone, end, whatever is under way."""
    try:
        while True:
            jobs.put(pickle.load(sys.stdin.buffer))
    finally:
        os._exit(0)


def _document_or_error(article: Article) -> Document | Exception:
    try:
        return _document(article)
    except Exception as error:
        error.add_note("in a worker process:\n" + "".join(traceback.format_tb(error.__traceback__)))
        return error


def _pickled(answer: list[Document | Exception]) -> bytes:
    try:
        return pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
    except Exception:  # some exceptions cannot be pickled; their words can
        told = [RuntimeError(*map(str, (one, *one.__notes__))) if isinstance(one, Exception) else one for one in answer]
        return pickle.dumps(told, pickle.HIGHEST_PROTOCOL)
