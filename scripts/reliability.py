"""Write docs/reliability.md from the figures of `make faults` (evals/figures/faults.json).

`make docs` calls `reliability_page`; a test fails while the page is stale.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["reliability_page"]

_HEAD = """\
# Reliability

Written by `make docs` from `evals/figures/faults.json`, which `make faults` wrote. Do not edit.

The promise: after any fault the index answers as a clean build of an acknowledged state would, or an error says what is wrong
and names the command that mends it; that command mends it; no file of the user is changed. `make faults` tries to break it
(`FAULTS=1000` trials of each class, repeated by `SEED=1`); a few of each class are in `make test`. A trial compares the index
with a clean build of the same corpus: every record, vector, fact and catalogue entry, and the answers to queries.
"""

_WHAT = {
    "kills": "SIGKILL of the process or of its group, at any step or in the midst of a write of a first build, reindex, "
    "rebuild, add, edit, snapshot or restore; some with worker processes, some again and again",
    "write_errors": "full disk (all later writes fail, too) or error of the device at a step of each operation: opening, "
    "write, fsync, rename, removal; `FAULTS_BATCH=8 scripts/faults --only write_errors --trials 3018` has every step fail once "
    "with either",
    "power_loss": "states of the disk that the recorded order of writes allows: unsynced files old, cut off or with zeros, "
    "unsynced names there or not, in any combination",
    "damage": "flipped bits, cut off, zeros, gone, an older, foreign or neighbouring file in its place, for every file; asked, "
    "reindexed, asked",
    "snapshots": "the file of a snapshot damaged in the same ways, or packed anew with a member harmed, gone, renamed or in "
    "the place of another; restored anew and over an index, which is then as it was",
    "foreign": "each pickle of an index replaced by one that calls a function, checksums made to fit",
    "concurrency": "writers and readers at once, with and without working locks; 50 commits and 3 rebuilds "
    "under an open reader",
    "hostile_files": "articles of the demo corpus in 14 formats, mutated, also inside archives",
    "hostile_queries": "words, signs and long runs in all ways that take a text",
    "serving": "two worker processes under load: slow clients, half requests, killed workers, reindexes, rebuilds",
}
_COLUMNS = {
    "lost": "lost",
    "doubled": "doubled",
    "wrong": "silently wrong",
    "unmended": "not mended",
    "run": "run",
    "hung": "hung",
    "traceback": "traceback",
}

_WORDS = """\
"Trials" are processes, in brackets the inputs if a trial has several (answers of the server, queries). "Error" are those in
which a question got an error first, and its command mended it. Lost: an acknowledged article, or a file of the corpus. Silently
wrong: an answer of no state that was, or an error without a command. Run: code of the index. Hung: more than 10 s of CPU, or no
end. Traceback: an exception that is none of htxsearch's. Memory is the peak of a trial's processes.
"""


def reliability_page(root: Path) -> str:
    """Return docs/reliability.md for the figures in a checkout."""
    classes: dict[str, Any] = json.loads((root / "evals/figures/faults.json").read_text("utf-8"))["classes"]
    lines = [
        _HEAD,
        *(f"{run}.\n" for run in _runs(classes)),
        f"| class | trials | error | {' | '.join(_COLUMNS.values())} | memory, MB |",
        f"|---|---|---|{'---|' * len(_COLUMNS)}---|",
    ]
    for name, line in classes.items():
        inputs = f" ({line['inputs']})" if line["inputs"] != line["trials"] else ""
        cells = [f"{line['trials']}{inputs}", str(line["mended"]), *(str(line[one]) for one in _COLUMNS), str(line["peak_mb"])]
        lines.append(f"| {name.replace('_', ' ')} | {' | '.join(cells)} |")
    lines.append("")
    if load := classes.get("serving", {}).get("load_seconds"):
        lines.append(f"The server was under load for {load / 60:.1f} minutes (`--minutes`).\n")
    lines += [_WORDS, *(f"- **{name.replace('_', ' ')}**: {what}." for name, what in _WHAT.items())]
    return "\n".join(lines) + "\n"


def _runs(classes: Mapping[str, Any]) -> list[str]:
    """Return when and by which command classes were run, that of most classes first."""
    runs: dict[tuple[str, int, int], list[str]] = {}
    for name, line in classes.items():
        runs.setdefault((line["date"], line["wanted"], line["seed"]), []).append(name)
    (date, wanted, seed), *others = sorted(runs, key=lambda run: -len(runs[run]))
    said = [f"On {date}: `make faults FAULTS={wanted} SEED={seed}`"]
    for date, wanted, seed in others:
        only = " ".join(f"--only {name}" for name in runs[date, wanted, seed])
        said.append(f"On {date}: `scripts/faults {only} --trials {wanted} --seed {seed}`")
    return said
