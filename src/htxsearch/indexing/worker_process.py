"""A process that makes documents of articles, and how it gives way to others.

`workers` starts it with `python -c "…serve()"`. It imports what documents need and nothing of reading files: that halves the
time for its start.
"""

import gc
import io
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from htxsearch.engine.contract import Document
from htxsearch.indexing.documents import document_of
from htxsearch.ingest.article import Article
from htxsearch.ingest.python_process import packed

__all__ = [
    "BACKGROUND_PRIORITY",
    "LOW_PRIORITY",
    "NORMAL_PRIORITY",
    "become_worker",
    "documents_or_errors",
    "lower_priority",
    "made_document",
    "serve",
]

LOW_PRIORITY = 3
"""The niceness of processes that index, and of their sessions: a third of a busy processor, all of an idle one."""
NORMAL_PRIORITY = 0
BACKGROUND_PRIORITY = 10
"""The niceness of an addition beside the server that must answer meanwhile: a tenth of a busy processor."""

_COLLECTED = 50_000
"""Objects made before cycles are looked for; documents have none, and looking after each 700 takes 5 % of a worker's time."""


def lower_priority(niceness: int = LOW_PRIORITY) -> None:
    """Lower the scheduling priority of this process and its later threads.

    Later threads are those started after the call. It is lowered where the OS allows it, and never raised. With
    sched_autogroup, Linux schedules sessions before processes; if this process leads a session, its whole autogroup is reniced.
    """
    if sys.platform != "win32":
        niceness = max(niceness, os.getpriority(os.PRIO_PROCESS, 0))
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
        if os.getsid(0) == os.getpid():
            with suppress(OSError):  # no autogroups here, or the niceness was set a moment ago
                Path("/proc/self/autogroup").write_text(str(niceness), "ascii")


def become_worker(niceness: int = LOW_PRIORITY) -> IO[bytes]:
    """Make this process a worker of its parent; return the pipe for answers.

    The worker gives way by its niceness and ignores Ctrl-C, which its parent handles. Prints go to standard error, so
    that they do not mix with answers, line by line: a worker is killed, which loses buffered text.
    """
    lower_priority(niceness)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    return answers


def serve() -> None:
    """Run the worker's main loop, until the end of stdin.

    The first argument of the program is its niceness. The loop reads pickled articles from stdin and writes pickled
    documents to stdout. The worker exits at the end of stdin.
    """
    answers = become_worker(int(sys.argv[1]))
    gc.set_threshold(_COLLECTED)
    jobs: queue.SimpleQueue[list[Article]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    while True:
        answers.write(packed(documents_or_errors(jobs.get())))
        answers.flush()


def _listen(jobs: "queue.SimpleQueue[list[Article]]") -> None:
    """Drain stdin into the queue, so that the parent never blocks.

    Exits at once when the parent goes away.
    """
    try:
        while True:
            jobs.put(pickle.load(sys.stdin.buffer))
    finally:
        os._exit(0)


def _document_or_error(article: Article) -> Document | Exception:
    try:
        return made_document(article)
    except Exception as error:
        error.add_note("in a worker process:\n" + "".join(traceback.format_tb(error.__traceback__)))
        return error


def documents_or_errors(articles: Sequence[Article]) -> bytes:
    """Return a pickle with the document of each article, or the error of its analysis."""
    answer = [_document_or_error(article) for article in articles]
    try:
        return pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
    except Exception:  # some exceptions cannot be pickled; their text can
        texts = [RuntimeError(*map(str, (one, *one.__notes__))) if isinstance(one, Exception) else one for one in answer]
        return pickle.dumps(texts, pickle.HIGHEST_PROTOCOL)


def made_document(article: Article) -> Document:
    """Return an article's document.

    Raises the error of its analysis, with the article's name.
    """
    try:
        return document_of(article)
    except Exception as error:
        error.add_note(f"while analysing the article {article.id} of {article.path}")
        raise
