"""Pin the figures that a set must not fall below.

Only left-out figures are pinned.
The file is {"left-out": {LABEL: {MEASURE: FLOOR}}}. A fitted figure tells how well a model remembers the questions that it has
learnt from; pinning it would reward remembering. It is warned about if it falls below the floor of its left-out figure: then
the product's model is not the one that the folds stand for.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from htxsearch.errors import UsageError
from htxsearch.errors.messages import Message, message
from htxsearch.evaluate.runs import Kind

__all__ = ["Floors", "MeasuredSet", "below_floors", "raised_floors", "read_floors", "without_left_out", "write_floors"]

Floors = Mapping[str, Mapping[str, float]]
"""The floor of each measure, by the label of the set."""

_PINNED: Kind = "left-out"
_PLACES = 1000
"""Floors are rounded down to three places."""


class MeasuredSet(Protocol):
    """Figures that floors are compared with."""

    @property
    def label(self) -> str:
        """The name of its floors."""

    @property
    def kind(self) -> Kind:
        """Whether the figures are fitted or left-out."""

    @property
    def measures(self) -> Mapping[str, float]:
        """The figures by the name of the measure; all are better if higher."""


def read_floors(path: Path) -> dict[str, dict[str, float]]:
    """Return the floors of a file, none if it does not exist.

    Raises UsageError for a file of another form.
    """
    if not path.exists():
        return {}
    try:
        value = json.loads(path.read_text("utf-8"))
        if set(value) != {_PINNED}:
            raise ValueError(f"its only key must be {_PINNED!r}")
        return {label: {name: float(floor) for name, floor in floors.items()} for label, floors in value[_PINNED].items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError("eval.not-floors", path=str(path), detail=str(error)) from error


def write_floors(path: Path, floors: Floors) -> None:
    """Write floors as a file, a set a line."""
    lines = ",\n".join(f"    {json.dumps(label, ensure_ascii=False)}: {json.dumps(dict(row))}" for label, row in floors.items())
    path.write_text(f'{{\n  "{_PINNED}": {{\n{lines}\n  }}\n}}\n', "utf-8")


def below_floors(floors: Floors, runs: Sequence[MeasuredSet], kind: Kind = _PINNED) -> list[Message]:
    """Return a message for each figure of a kind below its floor.

    There is one, too, for each floor whose measure is missing.
    """
    messages = []
    for run in runs:
        if run.kind != kind:
            continue
        for measure, floor in floors.get(run.label, {}).items():
            value = run.measures.get(measure)
            if value is None:
                messages.append(message("eval.not-measured", set=run.label, measure=measure))
            elif value < floor - 1e-9:
                messages.append(
                    message("eval.below-floor", set=run.label, measure=measure, kind=kind, value=value, floor=floor)
                )
    return messages


def without_left_out(runs: Sequence[MeasuredSet]) -> list[str]:
    """Return the labels of which there are only fitted figures."""
    pinned = {run.label for run in runs if run.kind == _PINNED}
    return list(dict.fromkeys(run.label for run in runs if run.label not in pinned))


def raised_floors(floors: Floors, runs: Sequence[MeasuredSet]) -> dict[str, dict[str, float]]:
    """Return the floors raised to the left-out figures of the runs.

    They are rounded down; none is lowered.
    Raises UsageError for a set of which there are only fitted figures.
    """
    fitted = without_left_out(runs)
    if fitted:
        raise UsageError("eval.fitted-floor", set=fitted[0])
    raised = {label: dict(row) for label, row in floors.items()}
    for run in runs:
        if run.kind == _PINNED:
            row = raised.setdefault(run.label, {})
            for measure, value in run.measures.items():
                row[measure] = max(math.floor(value * _PLACES) / _PLACES, row.get(measure, 0.0))
    return raised
