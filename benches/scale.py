"""Measure the embedded engine as the number of passages grows.

    python benches/scale.py [--data NEWS.jsonl.xz] [--sizes 100000,300000,1000000] [--json]

Passages are those of news articles; beyond them, sentences of the news are drawn at random into new ones, ten an article, so
that terms are as common as in the news. The engine gets syllables, no words and no titles: analysis is not measured. Each
size is built in a process of its own, in batches as the product writes them, and asked in others.

    build s, CPU s, MB     the whole index; the size of its files
    peak MB                the largest resident size of the process that builds, of the one that searches
    cold ms                a new process opens the index and answers one query
    first, warm ms         the mean of 60 queries, asked once, then again: the best ten, as `ask` wants them, and the best 100
                           with their number, as a search wants them
    add s, after ms        ten articles are added and committed; the first query after it
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from htxsearch.evaluate.bench.collection import BenchCollection, collect, read_articles

BATCH, PER_ARTICLE = 500, 10


def passages_of(collection: BenchCollection, size: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the article and the terms of each passage: those of the news, then some of drawn sentences."""
    rng = random.Random(7)
    words, known = collection.vocabulary, collection.passages
    flat, offsets = collection.tokens, collection.offsets
    for number in range(size):
        if number < known:
            tokens = flat[offsets[number] : offsets[number + 1]]
            yield collection.owners[number], [words[token] for token in tokens]
        else:
            drawn: list[str] = []
            while len(drawn) < 70:
                at = rng.randrange(known)
                start = rng.randrange(offsets[at], offsets[at + 1])
                drawn += [words[token] for token in flat[start : min(start + 18, offsets[at + 1])]]
            yield known + (number - known) // PER_ARTICLE * PER_ARTICLE, drawn


def build(collection: BenchCollection, size: int, folder: Path) -> None:
    """Write an index of so many passages."""
    from itertools import groupby

    from htxsearch.engine.contract import Document, Terms
    from htxsearch.engine.whoosh import WhooshEngine

    engine = WhooshEngine(folder, create=True)
    writer, waiting = engine.writer(), 0
    for owner, some in groupby(passages_of(collection, size), key=lambda one: one[0]):
        terms = tuple(Terms(tuple(words), ()) for _, words in some)
        writer.replace(Document(id=str(owner), record="", title=Terms((), ()), passages=terms, spellings=frozenset()))
        waiting += 1
        if waiting == BATCH:
            writer.commit({})
            writer, waiting = engine.writer(), 0
    writer.commit({}, is_last=True)
    engine.close()


def ask(queries: list[list[str]], folder: Path) -> dict[str, float]:
    """Ask all queries several times, add ten articles, ask again."""
    started = time.perf_counter()
    from htxsearch.engine.contract import Boolean, DisjunctionMax, Document, Terms, WeightedTerm
    from htxsearch.engine.whoosh import WhooshEngine

    nodes = [Boolean(should=tuple(DisjunctionMax((WeightedTerm("syllable", term),)) for term in query)) for query in queries]
    engine = WhooshEngine(folder)

    def best() -> float:
        return statistics.mean(timed(partial(engine.search, node, limit=10, per_article=False, count=False)) for node in nodes)

    def counted() -> float:
        return statistics.mean(timed(partial(engine.search, node, limit=100, per_article=False)) for node in nodes)

    engine.search(nodes[0], limit=10, per_article=False, count=False)
    found = {"cold ms": (time.perf_counter() - started) * 1000, "first ms": best()}
    found["warm ms"] = min(best() for _ in range(5))
    counted()
    found["counted ms"] = min(counted() for _ in range(5))
    found["search peak MB"] = peak_mb()
    started = time.perf_counter()
    writer = engine.writer()
    for number in range(10):
        terms = Terms(tuple(queries[number]), ())
        writer.replace(Document(id=f"new {number}", record="", title=terms, passages=(terms,), spellings=frozenset()))
    writer.commit({})
    found["add s"] = time.perf_counter() - started
    found["after ms"] = timed(lambda: engine.search(nodes[0], limit=10, per_article=False, count=False))
    return found


def timed(call: Any) -> float:
    """Return the milliseconds that a call takes."""
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def peak_mb() -> float:
    """Return the largest resident size of this process."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


def child(data: Path, size: int, folder: Path, *, building: bool) -> dict[str, float]:
    """Build or ask in a process of its own; return what it measured."""
    words = [sys.executable, __file__, "--child", "build" if building else "ask", str(folder), "--data", str(data)]
    done = subprocess.run([*words, "--sizes", str(size)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Build and ask at each size, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/news/news-20k.jsonl.xz"))
    parser.add_argument("--sizes", default="100000,300000,1000000")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    if options.child:
        doing, folder = options.child
        if doing == "build":
            articles = read_articles(options.data, 20_000)
            collection = collect(articles, source="news", synthetic=False, queries=60, sizes=[20_000])
            Path(folder, "queries.json").write_text(json.dumps([text.split(" ") for text in collection.texts]), "utf-8")
            started, before = time.perf_counter(), time.process_time()
            build(collection, sizes[0], Path(folder, "data"))
            seconds = {"build s": time.perf_counter() - started, "build CPU s": time.process_time() - before}
            print(json.dumps({**seconds, "build peak MB": peak_mb()}))
        else:
            print(json.dumps(ask(json.loads(Path(folder, "queries.json").read_text("utf-8")), Path(folder, "data"))))
        return
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            row = {"passages": float(size), **child(options.data, size, Path(folder), building=True)}
            row["MB"] = sum(file.stat().st_size for file in Path(folder, "data").iterdir()) / 1e6
            rows.append({**row, **child(options.data, size, Path(folder), building=False)})
            if not options.json:
                print("  ".join(f"{name} {value:.4g}" for name, value in rows[-1].items()), flush=True)
    if options.json:
        print(json.dumps({"load": os.getloadavg()[0], "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
