"""Hold the outcomes of a judged set, and compare two saved runs query by query.

A run is a judged set asked in one form. Its figures are *fitted* or *left-out*: see `folds`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from htxsearch.errors import UsageError

__all__ = ["Comparison", "Kind", "Outcome", "Run", "compare_runs", "paired_randomisation", "read_run", "runs_as_json"]

Kind = Literal["fitted", "left-out"]
"""Whether the model has learnt from questions about the same documents."""

_SIGN_FLIPS = 10_000
"""Random assignments of the paired test: the standard error of p = .05 is .002."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one query.

    The ranked document ids, its measures, and the syntax error if it could not be parsed.
    """

    query: str
    ranked: tuple[str, ...]
    measures: Mapping[str, float]
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All queries of a judged set in one form.

    `measures` are means over the judged queries.
    `folds` is True if each query was answered by a model learnt without its documents, False if by the product's own model.
    `parts` are, on request, the same measures of the queries that have a field's value in common, with their count.
    """

    name: str
    form: str
    measures: Mapping[str, float]
    outcomes: Mapping[str, Outcome]
    kind: Kind
    folds: bool = False
    semantic: bool = False
    task: str = ""
    parts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The name of its floors.

        "SET", "SET (unaccented)", "SET (unaccented, semantic)", "SET (answers)".
        """
        form = self.form if self.form != "typed" else ""
        marks = [mark for mark in (form, "semantic" if self.semantic else "", self.task) if mark]
        return f"{self.name} ({', '.join(marks)})" if marks else self.name

    def interval(self, measure: str) -> float:
        """Return the half width of the 95 % confidence interval of the mean.

        It is by the normal approximation.
        """
        values = [outcome.measures[measure] for outcome in self.outcomes.values() if measure in outcome.measures]
        if len(values) < 2:
            return math.inf
        mean = sum(values) / len(values)
        variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
        return 1.96 * math.sqrt(variance / len(values))

    def as_json(self, *, queries: bool = False) -> dict[str, Any]:
        """Return the run as JSON values.

        With `queries`, the measures and the ranking of every query are in it, too.
        """
        value: dict[str, Any] = {
            "kind": self.kind,
            "measures": dict(self.measures),
            "interval": {measure: self.interval(measure) for measure in self.measures},
            "queries": len(self.outcomes),
            "as": self.form,
            "semantic": self.semantic,
        }
        if self.parts:
            value["parts"] = {part: dict(measures) for part, measures in self.parts.items()}
        if queries:
            value["outcomes"] = {
                query: {"query": o.query, "ranked": list(o.ranked), "measures": dict(o.measures), "error": o.error}
                for query, o in self.outcomes.items()
            }
        return value


def runs_as_json(runs: Sequence[Run], *, queries: bool = False) -> dict[str, Any]:
    """Return runs as one JSON value, {"sets": {NAME: RUN}}.

    The first form of a set is named after the set, others by their label. A run by models of folds stands in its product
    run's value, as `left_out`.
    """
    sets: dict[str, Any] = {}
    names: dict[str, str] = {}
    for run in runs:
        value = run.as_json(queries=queries)
        if run.folds and run.label in names:
            sets[names[run.label]]["left_out"] = value
        else:
            names[run.label] = run.name if run.name not in sets else run.label
            sets[names[run.label]] = value
    return {"sets": sets}


def read_run(path: Path) -> dict[str, dict[str, Any]]:
    """Return the sets of a run that was saved with its queries.

    Of a set with both kinds, it is the left-out one.
    Raises UsageError for a file of another form.
    """
    try:
        sets: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))["sets"]
        sets = {name: run.get("left_out", run) for name, run in sets.items()}
        if not all("outcomes" in run for run in sets.values()):
            raise ValueError("it was saved without its queries")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError("eval.not-saved-run", path=str(path)) from error
    return sets


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs of one set, compared.

    The means before and after, the change of each query, and the chance of such a difference.
    `p` is of a two-sided paired randomisation test; `changes` are after less before, by query id.
    """

    name: str
    measure: str
    before: float
    after: float
    changes: Mapping[str, float]
    texts: Mapping[str, str]
    p: float


def compare_runs(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Comparison]:
    """Return a comparison for each set in both saved runs.

    It is by the first measure. Raises UsageError if no set is in both.
    """
    common = [name for name in first if name in second]
    if not common:
        raise UsageError("eval.no-common-set")
    comparisons = []
    for name in common:
        before, after = first[name]["outcomes"], second[name]["outcomes"]
        measure = next(iter(first[name]["measures"]))
        queries = [query for query in before if query in after and measure in before[query]["measures"]]
        changes = {
            query: after[query]["measures"][measure] - before[query]["measures"][measure]
            for query in queries
            if measure in after[query]["measures"]
        }
        comparisons.append(
            Comparison(
                name,
                measure,
                first[name]["measures"][measure],
                second[name]["measures"][measure],
                changes,
                {query: before[query]["query"] for query in changes},
                paired_randomisation(list(changes.values())),
            )
        )
    return comparisons


def paired_randomisation(differences: Sequence[float]) -> float:
    """Return the chance of a mean this far from 0 under random signs.

    The sign of each difference is drawn at random.
    M. Smucker, J. Allan and B. Carterette, "A Comparison of Statistical Significance Tests for Information Retrieval
    Evaluation", 2007. Deterministic; 1 if there is no difference.
    """
    import numpy as np

    values = np.array([value for value in differences if value], np.float64)
    if not len(values):
        return 1.0
    random = np.random.default_rng(0)
    reached, whole = 0, abs(values.sum()) - 1e-12
    for _ in range(_SIGN_FLIPS // 100):
        signs = random.integers(0, 2, (100, len(values))) * 2 - 1
        reached += int((np.abs(signs @ values) >= whole).sum())
    return (reached + 1) / (_SIGN_FLIPS + 1)
