"""Run one engine in a process of its own, asked in JSON lines.

    python -m htxsearch.evaluate.bench.worker ENGINE WORK INDEX

WORK holds what `Collection.write` wrote, INDEX is the engine's folder. A request names what to `do`; each gets one
line back. Whatever else the engine prints goes to standard error.

    build     index the first `passages`         {seconds}
    cold      open and answer `query`            {ms}
    open      open                               {}
    answers   answer every query, timed          {ms: […], answers: [[passage, score], …] or null after `limit_s`}
    round     time every query but `skip`        {ms: […]}
    spin      whole rounds for `seconds`         {queries, seconds}
    peak      return the largest resident size   {bytes}
"""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from htxsearch.evaluate.bench.exhaustive import Answer
from htxsearch.evaluate.bench.rivals import ENGINES, BaselineEngine, Passage

__all__ = ["main"]


class _Late(Exception):
    """A query was not answered in time."""


class _Worker:
    """Answers requests, with a method for each."""

    def __init__(self, engine: str, work: Path, index: Path) -> None:
        vocabulary = (work / "vocabulary.txt").read_text("utf-8").split("\n")
        self._work = work
        self._queries: list[list[int]] = json.loads((work / "queries.json").read_text())
        index.mkdir(parents=True, exist_ok=True)
        self._rival: BaselineEngine = ENGINES[engine](index, vocabulary)

    def build(self, passages: int) -> dict[str, Any]:
        started = time.perf_counter()
        with (self._work / "passages.txt").open(encoding="ascii") as file:
            self._rival.build(_passages(islice(file, passages)))
        return {"seconds": time.perf_counter() - started}

    def open(self) -> dict[str, Any]:
        self._rival.open()
        return {}

    def cold(self, query: int) -> dict[str, Any]:
        started = time.perf_counter()
        self._rival.open()
        self._rival.top(self._queries[query])
        return {"ms": (time.perf_counter() - started) * 1000}

    def answers(self, limit_s: float) -> dict[str, Any]:
        answers, took = [], []
        for query in self._queries:
            started = time.perf_counter()
            answers.append(self._within(limit_s, query))
            took.append((time.perf_counter() - started) * 1000)
        return {"answers": answers, "ms": took}

    def _within(self, limit_s: float, query: list[int]) -> Answer | None:
        try:
            with _time_limit(limit_s):
                return self._rival.top(query)
        except _Late:
            return None

    def round(self, skip: list[int]) -> dict[str, Any]:
        took = []
        for query in self._left(skip):
            started = time.perf_counter()
            self._rival.top(query)
            took.append((time.perf_counter() - started) * 1000)
        return {"ms": took}

    def spin(self, seconds: float, skip: list[int]) -> dict[str, Any]:
        queries = self._left(skip)
        answered, started = 0, time.perf_counter()
        while not answered or time.perf_counter() - started < seconds:
            for query in queries:
                self._rival.top(query)
            answered += len(queries)
        return {"queries": answered, "seconds": time.perf_counter() - started}

    def _left(self, skip: list[int]) -> list[list[int]]:
        return [query for number, query in enumerate(self._queries) if number not in skip]

    def peak(self) -> dict[str, Any]:
        return {"bytes": _peak_bytes()}


def _passages(lines: Iterator[str]) -> Iterator[Passage]:
    for number, line in enumerate(lines):
        owner, _, numbers = line.partition("\t")
        yield Passage(number, int(owner), [int(one) for one in numbers.split()])


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise _Late when the time is up.

    Where the system has no such timer, the caller gives up on the process.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return

    def late(*_: object) -> None:
        raise _Late

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _peak_bytes() -> int:
    """Return the largest resident size so far; 0 where the system does not report it.

    On Linux that of getrusage begins with the size of the parent process, so /proc is read.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Answer requests until the input ends."""
    engine, work, index = sys.argv[1:]
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        worker = _Worker(engine, Path(work), Path(index))
        for line in sys.stdin:
            request = json.loads(line)
            answer = getattr(worker, request.pop("do"))(**request)
            out.write(json.dumps(answer) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
