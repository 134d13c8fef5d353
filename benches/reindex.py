"""What reindexing costs beside `underthesea.word_tokenize` alone, what adding ten articles costs, and who asks meanwhile.

    python benches/reindex.py --data ../shared/data [--articles 5000] [--rounds 1] [--collection 20000]
    python benches/reindex.py --data ../shared/data --articles 1000 --busy 2 [--priority normal]

The baseline cuts the same articles into words, line by line, in one process; half of it is measured before and half
after each reindex, so that a busy machine slows both. The result is checked: every article must be in the index.

With `--busy N`, a process in a session of its own keeps N processors busy while the baseline and the reindex are measured; the
baseline is measured without it, too. How long a reindex then takes is for the scheduler to say. Linux gives each processor's
time to sessions by weight (sched_autogroup) where it is on, otherwise to processes. A session or process of niceness 0 has the
weight 1,024, one of niceness 3, as workers have with the priority low, 526; a session's weight is divided among the processors
it runs on. Beside one session that keeps two processors busy (512 on each), each of two workers, a session each, gets
526 / (526 + 512) = .51 of its processor; beside two sessions, or without sched_autogroup, 526 / (526 + 1,024) = .34, and with
the priority normal .50. So a reindex that takes R times the segmenter's CPU takes R / 1.01, R / .68 or R / 1 times as long as
the segmenter with nothing beside it.
"""

import argparse
import json
import lzma
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from htxsearch import Index
from htxsearch.indexing.run import Priority
from htxsearch.indexing.workers import default_workers
from htxsearch.text.normalize import nfc
from htxsearch.text.segmenter import plain_segment
from htxsearch.text.sentences import lines

ADDED = 10
ASKED = 200


class Cost(NamedTuple):
    """Seconds: by the clock, of this process's CPU, of its children's."""

    wall: float
    cpu: float
    children: float

    def __str__(self) -> str:
        return f"{self.wall:6.1f} s wall, {self.cpu:6.1f} s CPU here, {self.children:6.1f} s in other processes"


def measured(work: Callable[[], object]) -> Cost:
    """Return what some work costs."""
    start = time.perf_counter(), *map(_cpu, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    work()
    end = time.perf_counter(), *map(_cpu, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Cost(*(after - before for before, after in zip(start, end, strict=True)))


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def read_rows(data: Path, count: int) -> list[str]:
    """Return the first articles of the news, as JSON lines."""
    with lzma.open(data / "news" / "news-20k.jsonl.xz", "rt", encoding="utf-8") as file:
        return list(islice(file, count))


def cut(rows: Iterable[str]) -> None:
    """Do the baseline: have underthesea cut every line of some articles."""
    for row in rows:
        article = json.loads(row)
        for text in map(nfc, (article["title"], article["text"])):
            for line in lines(text):
                plain_segment(text[line.start : line.end])


@contextmanager
def busy(processors: int) -> Iterator[None]:
    """Keep so many processors busy, by one process and its children in a session of their own."""
    if not processors:
        yield
        return
    code = f"import os\nany(os.fork() == 0 for _ in range({processors - 1}))\nwhile True: pass"
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def build(folder: Path, rows: list[str], workers: int, priority: Priority = "low") -> Cost:
    """Index rows as a file of lines, and return what it costs."""
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    (corpus / "news.jsonl").write_text("".join(rows), "utf-8")
    with Index(folder / "index", corpus=corpus) as index:
        cost = measured(lambda: index.update(workers=workers, priority=priority))
        assert index.info().articles == len({json.loads(row)["id"] for row in rows})
    return cost


def compare(rows: list[str], rounds: int, workers: int, processors: int, priority: Priority) -> None:
    """Print the baseline and the reindex of the same articles, and their ratio."""
    plain_segment("Xin chào.")  # loads the model
    alone: list[Cost] = []
    base: list[Cost] = []
    ours: list[Cost] = []
    for _ in range(rounds):
        for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
            if processors:
                alone.append(measured(partial(cut, half)))
            with busy(processors):
                base.append(measured(partial(cut, half)))
                if len(ours) < len(base) / 2:
                    with tempfile.TemporaryDirectory() as folder:
                        ours.append(build(Path(folder), rows, workers, priority))
    quiet, one, other = (
        Cost(*(sum(part) / rounds for part in zip(*costs, strict=True))) for costs in (alone or base, base, ours)
    )
    beside = f" beside {processors} busy processors" if processors else ""
    print(f"word_tokenize alone, {len(rows)} articles: {quiet}")
    if processors:
        print(f"the same{beside}: {one}")
    print(f"reindex with {workers} workers, priority {priority}{beside}: {other}")
    print(f"ratio: {other.wall / one.wall:.2f} of the wall time, {(other.cpu + other.children) / one.cpu:.2f} of the CPU")
    if processors:
        print(f"       {other.wall / quiet.wall:.2f} of the wall time of word_tokenize with nothing beside it")


def add(rows: list[str], workers: int) -> None:
    """Print what adding ten articles costs a process of its own: as lines of the file, then as files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        old, new = rows[: -2 * ADDED], rows[-2 * ADDED :]
        print(f"building an index of {len(old)} articles:  {build(folder, old, workers)}")
        with (folder / "corpus" / "news.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(new[:ADDED])
        asked = [json.loads(row)["title"] for row in rows[:ASKED]]
        with Index(folder / "index", corpus=folder / "corpus") as index:
            ask(index, asked, lambda: False)  # what they need is in memory
            print(f"asking before:                      {ask(index, asked, lambda: False)}")
            with ThreadPoolExecutor(1) as beside:
                adding = beside.submit(measured, lambda: reindex(folder, ADDED))
                meanwhile = ask(index, asked, adding.done)
            print(f"adding {ADDED} lines to that file:          {adding.result()}")
            print(f"asking meanwhile:                   {meanwhile}")
            print(f"asking afterwards:                  {ask(index, asked, lambda: False)}")
        for row in new[ADDED:]:
            article = json.loads(row)
            path = folder / "corpus" / f"{article['id']}.txt"
            path.write_text(f"{article['title']}\n{article['text']}", "utf-8")
        print(f"adding {ADDED} files beside it:             {measured(lambda: reindex(folder, ADDED))}")
        print(f"finding nothing to do:              {measured(lambda: reindex(folder, 0))}")


def ask(index: Index, queries: list[str], enough: Callable[[], bool]) -> str:
    """Ask every query, or in turn until there was enough, and return how many milliseconds it took."""
    took: list[float] = []
    for query in queries:
        start = time.perf_counter()
        assert index.search(query).hits
        took.append((time.perf_counter() - start) * 1000)
        if enough():
            break
    took.sort()
    return f"{len(took)} queries, p50 {took[len(took) // 2]:.1f}, p95 {took[int(0.95 * len(took))]:.1f}, most {took[-1]:.1f} ms"


def reindex(folder: Path, added: int) -> None:
    """Reindex as a user does, in a process of its own."""
    command = [sys.executable, "-m", "htxsearch", "reindex", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    assert json.loads(done.stdout)["added"] == added


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--articles", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--collection", type=int, default=0, help="how many articles to add ten to; 0 leaves it out")
    parser.add_argument("--workers", type=int, default=default_workers())
    parser.add_argument("--busy", type=int, default=0, help="how many processors another process keeps busy")
    parser.add_argument("--priority", choices=["low", "normal"], default="low", help="of the reindex")
    options = parser.parse_args()
    if options.articles:
        rows = read_rows(options.data, options.articles)
        compare(rows, options.rounds, options.workers, options.busy, options.priority)
    if options.collection:
        add(read_rows(options.data, options.collection), options.workers)


if __name__ == "__main__":
    main()
