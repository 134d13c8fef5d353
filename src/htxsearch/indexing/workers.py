"""Worker processes that turn articles into documents ahead of their turn.

They work while the index is being written. A worker is this Python again, fed with pickles through a pipe, and
ends when the pipe does: the caller's program is not run again in it, and no worker outlives a caller that was
killed. docs/decisions/017 explains why it is neither `multiprocessing` nor loky.
"""

import os
import pickle
import queue
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

from htxsearch.engine.contract import Document
from htxsearch.errors import HtxError
from htxsearch.errors.messages import message
from htxsearch.indexing.worker_process import LOW_PRIORITY, made_document
from htxsearch.ingest.article import Article, Rejected, Unchanged
from htxsearch.ingest.corpus import SourceFile, changed_articles
from htxsearch.ingest.python_process import can_start_python, end_process, pipe, receive, start_python

__all__ = [
    "Answer",
    "CatalogueView",
    "DocumentSource",
    "DocumentWorkers",
    "MakeDocument",
    "ReadAheadSource",
    "ReadOutcome",
    "SequentialSource",
    "Workers",
    "default_workers",
    "worth_workers",
]

_COMMAND = "from htxsearch.indexing.worker_process import serve; serve()"
_MOST = 4
"""The most workers: writing is two fifths of the work and done by one process, so that more workers would wait for it."""
_WORTH = 128 * 1024
"""Bytes of text from which workers, 1 s each to start, pay off: analysis takes 0.3 s for them, at 0.4 MB/s."""
_PORTION = 48 * 1024
"""Characters in a message to a worker: a tenth of a second of its work."""
_AHEAD = 8 * 1024 * 1024
"""Characters that are read ahead, at most: as many as workers analyse while a large commit is written."""
_ARTICLE = 1024
"""Characters that an article counts beside its text, so that many short articles are bounded, too."""
MakeDocument = Callable[[], Document]
"""Returns an article's document, when it is ready. Raises the error of its analysis, with the article's name."""


ReadOutcome = Article | Unchanged | Rejected


class CatalogueView(Protocol):
    """The part of an index's catalogue that reading needs."""

    def lines(self, path: str) -> Mapping[str, str]:
        """Return the ids of a file's articles by the hashes of their JSON lines.

        An article was read from its line.
        """

    def repeating(self, path: str) -> Set[str]:
        """Return the hashes of lines left out as boilerplate of a file's source."""

    def is_news(self, article: Article) -> bool:
        """Return True if the article's document will be needed.

        The answer is as good as can be known before the article's turn.
        """


class DocumentSource(Protocol):
    """Reads files in the order announced, and makes each article's document."""

    def read(self, source: SourceFile) -> Iterator[tuple[ReadOutcome, MakeDocument]]:
        """Yield a file's outcomes, each with the maker of its document.

        Only an Article has a document.
        """

    def close(self) -> None:
        """Stop all work in progress."""


class SequentialSource:
    """Reads each file in its turn.

    Documents are made in this process, when they are needed.
    """

    def __init__(self, catalogue: CatalogueView) -> None:
        self._catalogue = catalogue

    def read(self, source: SourceFile) -> Iterator[tuple[ReadOutcome, MakeDocument]]:
        for outcome in _news(source, self._catalogue):
            yield outcome, partial(_made_here, outcome)

    def close(self) -> None:
        """No work is ever in progress."""


class DocumentWorkers(Protocol):
    """Makes documents elsewhere, of many articles at a time."""

    def make(self, articles: list[Article]) -> "Answer":
        """Start making the documents of articles; return at once."""

    def close(self) -> None:
        """Stop all work in progress."""


@dataclass(slots=True, eq=False)
class _Item:
    """An outcome read ahead, None at the end of a file.

    `index` is its position in a worker's answer.
    """

    outcome: ReadOutcome | None
    size: int = 0
    answer: "Answer | None" = None
    index: int = 0


class ReadAheadSource:
    """Reads ahead, within bounds, and has workers make the documents needed later."""

    def __init__(
        self,
        sources: Sequence[SourceFile],
        catalogue: CatalogueView,
        *,
        workers: "int | DocumentWorkers",
        niceness: int = LOW_PRIORITY,
    ) -> None:
        """`sources` will be read in this order, other files in between.

        `workers` is a number of processes, which are started when there is enough work for them, or those that are there.
        """
        self._niceness = niceness
        self._announced = {source.path for source in sources}
        self._upcoming = (item for source in sources for item in _items(source, catalogue))
        self._catalogue = catalogue
        self._count = workers if isinstance(workers, int) else 0
        self._workers: DocumentWorkers | None = None if isinstance(workers, int) else workers
        self._window: deque[_Item] = deque()
        self._size = 0
        self._unsent: deque[_Item] = deque()
        self._unsent_size = 0

    def read(self, source: SourceFile) -> Iterator[tuple[ReadOutcome, MakeDocument]]:
        """Yield the outcomes of the next file announced.

        In between, the file may be one that was not announced.
        """
        if source.path not in self._announced:
            yield from SequentialSource(self._catalogue).read(source)
            return
        while True:
            self._fill()
            item = self._window.popleft()
            self._size -= item.size
            if item.outcome is None:
                return
            yield item.outcome, partial(self._made, item)
            if self._unsent and self._unsent[0] is item:  # its document was not needed after all
                self._unsent_size -= self._unsent.popleft().size

    def close(self) -> None:
        if self._workers is not None:
            self._workers.close()

    def _fill(self) -> None:
        """Read on until the window is full."""
        while self._size < _AHEAD and (item := next(self._upcoming, None)):
            self._window.append(item)
            self._size += item.size
            if isinstance(item.outcome, Article) and self._catalogue.is_news(item.outcome):
                self._unsent.append(item)
                self._unsent_size += item.size
                if self._unsent_size >= (_PORTION if self._workers else _WORTH):
                    self._send()

    def _send(self) -> None:
        """Send the workers all articles read whose documents are needed."""
        self._workers = self._workers or Workers(self._count, self._niceness)
        while self._unsent:
            portion: list[_Item] = []
            while self._unsent and sum(item.size for item in portion) < _PORTION:
                portion.append(self._unsent.popleft())
            answer = self._workers.make([item.outcome for item in portion if isinstance(item.outcome, Article)])
            for index, item in enumerate(portion):
                item.answer, item.index = answer, index
        self._unsent_size = 0

    def _made(self, item: _Item) -> Document:
        if item.answer is None and self._workers is not None and self._unsent and self._unsent[0] is item:
            self._send()
        if item.answer is not None:
            return item.answer.document(item.index)
        return _made_here(item.outcome)


def _news(source: SourceFile, catalogue: CatalogueView) -> Iterator[ReadOutcome]:
    return changed_articles(source, catalogue.lines(source.path), catalogue.repeating(source.path))


def _items(source: SourceFile, catalogue: CatalogueView) -> Iterator[_Item]:
    for outcome in _news(source, catalogue):
        size = len(outcome.title) + len(outcome.body) if isinstance(outcome, Article) else 0
        yield _Item(outcome, size + _ARTICLE)
    yield _Item(None)


def _made_here(outcome: ReadOutcome | None) -> Document:
    assert isinstance(outcome, Article), "only an article has a document"
    return made_document(outcome)


def default_workers() -> int:
    """Return the number of workers worth starting here.

    It is one for each processor this process may use, within bounds.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    processors = len(affinity(0)) if affinity else os.cpu_count() or 1
    return min(processors, _MOST)


def worth_workers(size: int, workers: "int | DocumentWorkers") -> bool:
    """Return True if workers would analyse `size` bytes sooner than this process.

    `workers` is the number of workers, or those that are there already.
    """
    if not isinstance(workers, int):
        return size > 0
    return workers > 1 and size >= _WORTH and can_start_python()


# The parent's side


class _Job(NamedTuple):
    articles: list[Article]
    answer: "Future[bytes]"


class Answer:
    """The documents of one message, unpacked when the first is asked for.

    `get` returns what `worker_process.documents_or_errors` made, when it is ready.
    """

    def __init__(self, get: Callable[[], bytes]) -> None:
        self._get = get
        self._documents: Sequence[Document | Exception] | None = None

    def document(self, index: int) -> Document:
        """Return the document of a number, when it is ready.

        Raises the worker's error, HtxError if the worker died.
        """
        if self._documents is None:
            self._documents = pickle.loads(self._get())
        document = self._documents[index]
        if isinstance(document, Exception):
            raise document
        return document


def _result(future: "Future[bytes]") -> bytes:
    while True:
        try:
            return future.result(timeout=0.5)  # without a timeout, Windows would not deliver Ctrl-C
        except TimeoutError:
            continue


class Workers:
    """Processes that make documents.

    Each has a thread here, which keeps it busy whatever the main thread does.
    """

    _IN_HAND = 2  # messages a worker has at once: one in work, one waiting

    def __init__(self, count: int, niceness: int = LOW_PRIORITY) -> None:
        self._niceness = niceness
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._closed = False
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads = [threading.Thread(target=self._drive, name=f"worker {n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def make(self, articles: list[Article]) -> Answer:
        """Start making the documents of articles; return at once."""
        job = _Job(articles, Future())
        self._jobs.put(job)
        return Answer(partial(_result, job.answer))

    def close(self) -> None:
        """Kill the processes."""
        with self._starting:
            self._closed = True
            for process in self._processes:
                process.kill()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _drive(self) -> None:
        """Feed one process as long as there are jobs, and pass its answers on."""
        process: subprocess.Popen[bytes] | None = None
        in_hand: deque[_Job] = deque()
        try:
            while (job := self._next(wait=not in_hand)) or in_hand:
                if job:
                    in_hand.append(job)
                    process = process or self._start()
                    pickle.dump(job.articles, pipe(process.stdin), pickle.HIGHEST_PROTOCOL)
                    pipe(process.stdin).flush()
                if process and (not job or len(in_hand) == self._IN_HAND):
                    answer = receive(pipe(process.stdout))
                    in_hand.popleft().answer.set_result(answer)
        except Exception as error:  # a caller that waits for these must not wait for ever
            gone = isinstance(error, OSError | EOFError)
            for job in in_hand:
                job.answer.set_exception(_death(process, job.articles[0], error) if gone else error)
        finally:
            if process:
                end_process(process)

    def _next(self, *, wait: bool) -> _Job | None:
        """Return the next job, None if there is none now or the pool is closed."""
        with suppress(queue.Empty):
            return self._jobs.get(block=wait)
        return None

    def _start(self) -> subprocess.Popen[bytes]:
        """Start a process that ends when we end it, or when we end."""
        with self._starting:
            if self._closed:
                raise EOFError
            process = start_python(_COMMAND, str(self._niceness))
            self._processes.append(process)
            return process


def _death(process: subprocess.Popen[bytes] | None, article: Article, error: Exception) -> HtxError:
    """Return the error for a worker that ended before it had answered."""
    if process is None:
        return HtxError("index.worker-not-started", reason=str(error))
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5)
    code = process.returncode
    killed = bool(code and code < 0)
    how = message("index.worker-killed", signal=-code) if killed else message("index.worker-ended", exit_code=code)
    return HtxError("index.worker-died", how=how, id=article.id, path=article.path)
