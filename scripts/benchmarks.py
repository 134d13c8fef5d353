"""Write docs/benchmarks.md from the JSON files of `make eval` (evals/figures) and of the benches (benches/figures).

`make docs` calls `benchmarks_page`; a test fails while the page is stale. A section whose file is missing is left out.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["benchmarks_page"]

_HEAD = """\
# Benchmarks

Written by `make docs` from JSON files that commands wrote: `evals/figures/` by `make eval`, `benches/figures/` by the benches.
Do not edit.
"""

_QUALITY = """\
## Quality

A figure is **fitted** if the model that answered has learnt from the same documents, else **left-out**;
[evals/README.md](../evals/README.md) says how sets are divided. Only left-out figures pin floors (`evals/floors.json`). ± is
half of the 95 % confidence interval of the left-out figure. A set without a fitted figure is read by no training.
"""

_SETS = (
    ("Ranking: the sets that weights are learnt from", "ranking.json"),
    ("Ranking: questions about the demo corpus", "questions-ranking.json"),
    ("Answers: sets that no training reads", "answers.json"),
    ("Answers: our own questions", "own-answers.json"),
    ("Which articles answer a need", "near.json"),
    ("Related articles", "related.json"),
    ("Main content of saved pages", "extraction.json"),
)

Table = Iterator[str]


def benchmarks_page(root: Path) -> str:
    """Return docs/benchmarks.md for the figures in a checkout."""
    lines = [_HEAD, _QUALITY]
    for title, name in _SETS:
        stored = _read(root / "evals/figures" / name)
        if stored:
            lines += [f"### {title}\n", *_quality_table(stored["sets"]), ""]
    speed = [
        *_section(root, "compare.json", _comparison),
        *_section(root, "bench.json", _engines),
        *_section(root, "scale.json", _scale),
    ]
    return "\n".join([*lines, *(["## Speed\n", *speed] if speed else [])]).rstrip() + "\n"


def _read(path: Path) -> Any:
    """Return the JSON value of a file, None if it does not exist."""
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def _section(root: Path, name: str, table: Any) -> list[str]:
    """Return the lines of a bench, none if its file is missing."""
    stored = _read(root / "benches/figures" / name)
    return [*table(stored), ""] if stored else []


def _quality_table(sets: Mapping[str, Any]) -> Table:
    """Yield a line for each set and form: fitted and left-out figures side by side."""
    measures = list(dict.fromkeys(name for run in sets.values() for name in run["measures"]))
    yield f"| set | queries | {' | '.join(f'{name} fitted | left-out' for name in measures)} |"
    yield f"|---|---|{'---|' * 2 * len(measures)}"
    for name, run in sets.items():
        left_out = run.get("left_out") or (run if run["kind"] == "left-out" else None)
        fitted = run if run["kind"] == "fitted" else None
        form = run.get("as", "typed")
        label = name if form == "typed" or "(" in name else f"{name} ({form})"
        cells = [cell for measure in measures for cell in (_figure(fitted, measure), _figure(left_out, measure, interval=True))]
        yield f"| {label} | {run.get('queries', '')} | {' | '.join(cells)} |"


def _figure(run: Mapping[str, Any] | None, measure: str, *, interval: bool = False) -> str:
    """Return a figure to three places, a dash for a missing one."""
    if run is None or measure not in run["measures"]:
        return "–"
    half = run.get("interval", {}).get(measure) if interval else None
    return _short(run["measures"][measure]) + (f" ±{_short(half)}" if half else "")


def _short(value: float) -> str:
    """Return a share to three places without its zero: .941."""
    return f"{value:.3f}".removeprefix("0")


def _comparison(stored: Mapping[str, Any]) -> Table:
    """Yield the table of benches/compare.py."""
    yield "### Two checkouts in one run\n"
    load = f"load {stored['load_before']:.1f} to {stored['load_after']:.1f}"
    yield f"`python benches/compare.py OTHER`: {stored['this']} beside {stored['other']}, {stored['articles']} news articles"
    yield f"and the demo corpus, {stored['cores']} cores, {load}. Below 1 is faster.\n"
    yield "| | items | CPU ms | CPU ms, other | CPU ratio | wall ratio | results that differ |"
    yield "|---|---|---|---|---|---|---|"
    for name, row in stored["rows"].items():
        cpu = [f"{1000 * row[side]['cpu'] / row['items']:.2f}" for side in ("this", "other")]
        differ = "" if row["differ"] is None else row["differ"]
        yield f"| {name} | {row['items']} | {' | '.join(cpu)} | {row['cpu_ratio']:.2f} | {row['wall_ratio']:.2f} | {differ} |"


def _engines(stored: Mapping[str, Any]) -> Table:
    """Yield the tables of `htxsearch bench`: engines over the same tokens and queries."""
    machine, collection = stored["machine"], stored["collection"]
    load = "" if machine["load"] is None else f", load {machine['load']:.1f}"
    yield "### Engines over the same passages\n"
    yield f"`htxsearch bench --json`: {collection['source']}, {machine['cores']} cores{load}. Times in milliseconds.\n"
    head = ("cold p50", "warm p50", "warm p95", "queries/s", "build s", "index MB", "searching MB", "exact top 10")
    for size in stored["sizes"]:
        yield f"{size['passages']} passages, {size['queries']} queries:\n"
        yield from _engine_table(head, size["engines"])
        yield ""


def _engine_table(head: Sequence[str], engines: Mapping[str, Any]) -> Table:
    """Yield a line for each engine that was measured."""
    yield f"| engine | {' | '.join(head)} |"
    yield f"|---|{'---|' * len(head)}"
    for name, one in engines.items():
        if "left_out" not in one:
            times = (one["cold"]["p50"], one["warm"]["p50"], one["warm"]["p95"], one["throughput"]["1"], one["build_s"])
            numbers = (*times, one["bytes"] / 1e6, one["search_peak"] / 1e6)
            yield f"| {name} {one['version']} | {' | '.join(f'{value:.3g}' for value in numbers)} | {_short(one['overlap'])} |"


def _scale(stored: Mapping[str, Any]) -> Table:
    """Yield the table of benches/scale.py."""
    names = [name for name in stored["rows"][0] if name != "passages"]
    yield "### The embedded engine from 100,000 to a million passages\n"
    yield f"`python benches/scale.py --json`: news, then passages of drawn sentences; load {stored['load']:.1f}.\n"
    yield f"| passages | {' | '.join(names)} |"
    yield "|---" * (len(names) + 1) + "|"
    for row in stored["rows"]:
        yield f"| {row['passages']:,.0f} | {' | '.join(f'{row[name]:.3g}' for name in names)} |"
