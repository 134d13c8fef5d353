"""Run the campaign: many trials of each class, a table, and the figures of docs/reliability.md.

    python -m faults [--trials 1000] [--seed 1] [--only kills] [--minutes 10] [--figures FILE]

Trial n has the seed SEED + n; a failure names it, and `--only CLASS --trials 1 --seed SEED` repeats it. `serving` is a single
trial, of 0.6 s for each of the trials or of `--minutes`. The figures are written after each class, those of other classes stay:
a campaign that was cut off goes on with `--only` the classes that are left. The exit code is 1 if any trial failed.
"""

import argparse
import datetime
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from command import DEMO

from htxsearch import Index

from .outcome import FAILURES
from .runner import CLASSES, Trials

__all__ = ["main"]

_SHARE = {"concurrency": 0.1, "foreign": 0.2}
"""Trials of a class for each one of the others: each of these does many things."""
_SERVER_SECONDS = 0.6


def main() -> int:
    """Run, print, write; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/faults", description="Test what becomes of an index and of answers under faults."
    )
    parser.add_argument("--trials", type=int, default=int(os.environ.get("FAULTS", "1000")), help="trials of each class")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "1")))
    parser.add_argument("--only", choices=CLASSES, action="append", help="these classes alone")
    parser.add_argument("--minutes", type=float, help="how long the server is under load")
    parser.add_argument("--figures", type=Path, help="write the figures to this file")
    given = parser.parse_args()
    classes: dict[str, Any] = {}
    failed = False
    with tempfile.TemporaryDirectory(prefix="htxsearch-faults-") as name:
        index = Path(name, "demo")
        with Index(index, corpus=DEMO) as demo:
            demo.update()
        seconds = max(5.0, _SERVER_SECONDS * given.trials) if given.minutes is None else 60 * given.minutes
        options = {"FAULTS_DEMO_INDEX": str(index), "FAULTS_SERVER_SECONDS": f"{seconds:g}"}
        for one in given.only or CLASSES:
            folder = Path(name, one)
            folder.mkdir()
            trials = Trials(folder, **options)
            classes[one] = _class_of(one, trials, given.trials, given.seed)
            if one == "serving":
                classes[one]["load_seconds"] = round(seconds)
            if given.figures:
                _write(given.figures, classes, given.trials, given.seed)
            failed = failed or any(classes[one][kind] for kind in FAILURES)
    _show(classes)
    return 1 if failed else 0


def _write(file: Path, classes: dict[str, Any], trials: int, seed: int) -> None:
    """Write the figures of classes, each with its date, trials wanted and seed; those of other classes stay."""
    run = {"date": datetime.date.today().isoformat(), "wanted": trials, "seed": seed}
    stored: dict[str, Any] = json.loads(file.read_text("utf-8"))["classes"] if file.exists() else {}
    stored |= {one: {**run, **line} for one, line in classes.items()}
    kept = {one: stored[one] for one in CLASSES if one in stored}
    file.write_text(json.dumps({"classes": kept}, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _class_of(name: str, trials: Trials, wanted: int, seed: int) -> dict[str, Any]:
    """Run the trials of a class; return its line of the table."""
    count = 1 if name == "serving" else max(1, round(wanted * _SHARE.get(name, 1.0)))
    ended, inputs, peak, began = Counter[str](), 0, 0.0, time.monotonic()
    for number in range(seed, seed + count):
        outcome = trials.run(name, number)
        ended[outcome.what] += 1
        inputs += outcome.count
        peak = max(peak, outcome.peak_mb)
        if outcome.failed:
            print(f"{name} --seed {number}: {outcome.what}: {outcome.detail}", file=sys.stderr, flush=True)
    trials.close()
    line = {"trials": count, "inputs": inputs, "right": ended["right"], "mended": ended["mended"]}
    return {
        **line,
        **{kind: ended[kind] for kind in FAILURES},
        "peak_mb": round(peak),
        "seconds": round(time.monotonic() - began),
    }


def _show(classes: dict[str, Any]) -> None:
    head = ["trials", "inputs", "right", "mended", *FAILURES, "peak_mb", "seconds"]
    print(f"{'':16}", *(f"{name:>9}" for name in head))
    for one, line in classes.items():
        print(f"{one:16}", *(f"{line[name]:>9}" for name in head))


if __name__ == "__main__":
    sys.exit(main())
