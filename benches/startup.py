"""Measure how long a one-shot command takes, as a user feels it: a new process each time.

    python benches/startup.py [--rounds 7] [--json]

Rounds are interleaved, so that a busy machine slows all alike; the smallest and the median are shown. Python may keep what it
compiles, whatever PYTHONDONTWRITEBYTECODE says: an installed package is compiled, and compiling would be half of a query.
`python -c pass` and `python -c "import numpy, click"` stand beside as what the machine allows. Every
command's output is checked, so a fast failure is no result.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CORPUS = Path(__file__).parent.parent / "corpus"
HTXSEARCH = [sys.executable, "-m", "htxsearch"]
COMMANDS = {
    "python -c pass": ([sys.executable, "-c", "print('ok')"], "ok"),
    "import numpy, click": ([sys.executable, "-c", "import numpy, click; print('ok')"], "ok"),
    "htxsearch --help": ([*HTXSEARCH, "--help"], "Usage:"),
    "htxsearch query": ([*HTXSEARCH, "query", "hop tac xa che thai nguyen"], "Thái Nguyên"),
    "htxsearch query --json": ([*HTXSEARCH, "query", "hợp tác xã chè", "--json", "--facet", "place"], '"hits"'),
}


def run(command: list[str], expected: str, folder: Path) -> float:
    """Return the seconds one run took; raise if its output is not as expected."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    took = time.perf_counter() - started
    if expected not in done.stdout:
        raise RuntimeError(f"{command} printed {done.stdout[:200]!r}, not {expected!r}")
    return took


def main() -> None:
    """Build the demo index, time the commands, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "corpus").symlink_to(CORPUS.resolve())
        run([*HTXSEARCH, "reindex", "--json"], '"added"', folder)
        times: dict[str, list[float]] = {label: [] for label in COMMANDS}
        for _ in range(options.rounds):
            for label, (command, expected) in COMMANDS.items():
                times[label].append(run(command, expected, folder))
    if options.json:
        print(json.dumps({label: {"min_s": min(some), "median_s": statistics.median(some)} for label, some in times.items()}))
        return
    for label, some in times.items():
        print(f"{label:24} min {min(some):.2f} s  median {statistics.median(some):.2f} s")


if __name__ == "__main__":
    main()
