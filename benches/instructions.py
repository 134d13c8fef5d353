"""Count the processor's instructions of fixed work, and compare them with those pinned in benches/figures/instructions.json.

    python benches/instructions.py [--write] [TASK ...]      (make perf)

Time depends on what else the machine does; instructions do not. valgrind counts them, on emulated hardware that is the same
everywhere. Python may keep what it compiles, as it does for a user. A task's work is done n and 2 n times, each in a process of
its own; the difference, divided by n, is what one item takes, without starting Python. The work:

    start      start Python and import the command line
    first      first-stage retrieval of 16 queries over the demo corpus
    query      a whole search, with passages, highlights and facets
    facts      a table of figures
    reindex    four articles of the demo corpus read, analysed and committed to a new index

The exit code is 1 if a task takes over 3 % more than pinned. Nothing is compared with counts of another Python or numpy.
"""

import argparse
import gc
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PINNED = ROOT / "benches" / "figures" / "instructions.json"
TOLERANCE = 0.03
QUERIES = (ROOT / "tests" / "query" / "common-terms.txt").read_text("utf-8").split("\n")[:16]
ITEMS = {"start": 0, "first": 8, "query": 2, "facts": 2, "reindex": 1}
"""How often a task's work is done at least; it is done twice as often in the other process."""


def work(task: str, index: str) -> Callable[[], object]:
    """Return a function that does an item of a task. What is needed once is done before."""
    if task == "start":
        from htxsearch.cli.main import main as command

        return command.__doc__.__len__ if command.__doc__ else int  # the import is what counts
    from htxsearch import Index

    opened = Index(index, corpus=ROOT / "corpus")
    if task == "reindex":
        return lambda: reindex(sorted((ROOT / "corpus" / "thai-nguyen").glob("*"))[:4])
    if task == "first":
        from htxsearch.search.pipeline import first_stage

        snapshot = opened.searcher().snapshot
        return lambda: [first_stage(snapshot, query) for query in QUERIES]
    if task == "query":
        return lambda: [opened.search(query, facets=("year", "place")) for query in QUERIES]
    return lambda: opened.facts("số HTX Thái Nguyên")


def reindex(files: list[Path]) -> None:
    """Make an index of a few files, in this process."""
    from htxsearch import Index

    with tempfile.TemporaryDirectory() as name:
        corpus = Path(name, "corpus")
        corpus.mkdir()
        for file in files:
            shutil.copy(file, corpus)
        with Index(Path(name, "index"), corpus=corpus) as index:
            index.update(workers=1)


def count(task: str, times: int, index: str) -> int:
    """Return the instructions of a process that does a task's work so many times, after once to warm up."""
    command = [sys.executable, __file__, "--child", task, "--index", index, "--times"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "PYTHONPYCACHEPREFIX": f"{index}/compiled"}
    subprocess.run([*command, "0"], env=environment, check=True)  # what is imported is compiled here
    with tempfile.TemporaryDirectory() as folder:
        valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={folder}/out"]
        done = subprocess.run(
            [*valgrind, *command, str(times)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    found = re.search(r"I +refs: +([\d,]+)", done.stderr)
    if done.returncode or not found:
        raise RuntimeError(done.stderr[-2000:])
    return int(found[1].replace(",", ""))


def measure(task: str, index: str) -> int:
    """Return the instructions of an item of a task."""
    items = ITEMS[task]
    if not items:
        return count(task, 0, index)
    return (count(task, 2 * items, index) - count(task, items, index)) // items


def versions() -> dict[str, str]:
    """Return what the counts depend on besides the code."""
    import numpy

    return {"machine": platform.machine(), "python": platform.python_version(), "numpy": numpy.__version__}


def main() -> int:
    """Count, print a table, compare or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", default=list(ITEMS), metavar="TASK", help=", ".join(ITEMS))
    parser.add_argument("--write", action="store_true", help="pin what is counted")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--times", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--index", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        item = work(options.child, options.index)
        item()
        gc.collect()
        gc.freeze()  # a full collection would count as much as several items, and comes by chance
        for _ in range(options.times):
            item()
        return 0
    if not shutil.which("valgrind"):
        parser.error("valgrind is not installed: apt-get install valgrind")
    pinned: dict[str, Any] = json.loads(PINNED.read_text("utf-8")) if PINNED.exists() else {"instructions": {}}
    is_same = pinned.get("versions") == versions()
    with tempfile.TemporaryDirectory() as index:
        subprocess.run(
            [sys.executable, "-m", "htxsearch", "reindex", "--index", index, "--corpus", ROOT / "corpus"],
            check=True,
            capture_output=True,
        )
        counted = {task: measure(task, index) for task in options.tasks}
    worse = []
    for task, number in counted.items():
        before = pinned["instructions"].get(task)
        change = f"{number / before - 1:+.1%}" if before else "new"
        print(f"{task:10} {number / 1e6:10.2f} million instructions  {change if is_same or not before else 'not compared'}")
        if is_same and before and number > before * (1 + TOLERANCE):
            worse.append(task)
    if options.write:
        instructions = {**pinned["instructions"], **counted} if is_same else counted
        PINNED.write_text(json.dumps({"versions": versions(), "instructions": instructions}, indent=1) + "\n", "utf-8")
    elif worse:
        print(f"more than {TOLERANCE:.0%} above what is pinned: {', '.join(worse)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
