"""Measure the line between near and far articles on topics whose relevant articles are all known.

The near articles of a query are compared with the articles judged relevant: F1 of the two sets, and 1 less the error of their
number as a share of the relevant ones. A set takes part if its judgements are complete, which its maker says.
"""

import json
from collections.abc import Callable
from contextlib import nullcontext
from importlib import resources
from pathlib import Path
from statistics import mean, median

from htxsearch.errors import UsageError
from htxsearch.evaluate.folds import fold_of
from htxsearch.evaluate.forms import query_form
from htxsearch.evaluate.judged import JudgedSet
from htxsearch.evaluate.runs import Outcome, Run
from htxsearch.index import Index
from htxsearch.search.near import NearWeights, line_weights

__all__ = ["MEASURES", "NEAR_FOLDS_FILE", "evaluate_near", "fold_lines", "near_learnt_from"]

MEASURES = ("NearF1", "CountAccuracy")
NEAR_FOLDS_FILE = "near.json"
_MOST = 10_000
"""Hits that are fetched of a query, to know its near articles."""


def near_learnt_from(name: str) -> bool:
    """Return True if the product's line has learnt from the set."""
    stored = json.loads(resources.files("htxsearch.search").joinpath("near.json").read_text("utf-8"))
    return name in stored["trained_on"]


def fold_lines(folds: Path) -> Callable[[str], NearWeights]:
    """Return a function from a query id to the line learnt without its fold of queries.

    Reads `near.json` in the folder of folds, which scripts/train_near.py writes. Raises UsageError if it cannot be read.
    """
    path = folds / NEAR_FOLDS_FILE
    try:
        lines = [NearWeights(**line) for line in json.loads(path.read_text("utf-8"))["lines"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError("eval.no-folds", path=str(path), script="scripts/train_near.py") from error
    return lambda query: lines[fold_of(query, len(lines))]


def evaluate_near(
    judged: JudgedSet, index: Index, *, form: str = "typed", line_of: Callable[[str], NearWeights] | None = None
) -> Run:
    """Ask every judged query in the given form and compare its near articles with the relevant ones.

    `NearF1` is the mean, `CountAccuracy` the median over the queries. `line_of` gives the line for each query, as `fold_lines`
    does; without it the product's own is used.
    """
    outcomes = {}
    for query, typed in judged.queries.items():
        text = query_form(typed, form, judged.own_forms[query])
        with line_weights(line_of(query)) if line_of else nullcontext():
            count = index.search(text, limit=1, semantic=False, all_reprints=True).near
            results = index.search(text, limit=max(1, min(count, _MOST)), semantic=False, all_reprints=True)
        near = tuple(hit.article_id for hit in results.hits if hit.near)
        relevant = {document for document, grade in judged.qrels[query].items() if grade > 0}
        f1 = 2 * len(relevant.intersection(near)) / max(1, len(relevant) + len(near))
        error = min(1.0, abs(results.near - len(relevant)) / max(1, len(relevant)))
        outcomes[query] = Outcome(text, near, {"NearF1": f1, "CountAccuracy": 1 - error})
    return Run(
        name=judged.name,
        form=form,
        measures={
            "NearF1": mean(outcome.measures["NearF1"] for outcome in outcomes.values()),
            "CountAccuracy": median(outcome.measures["CountAccuracy"] for outcome in outcomes.values()),
        },
        outcomes=outcomes,
        kind="left-out" if line_of or not near_learnt_from(judged.name) else "fitted",
        folds=line_of is not None,
        task="near",
    )
