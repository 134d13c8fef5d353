"""Measure related articles on judged events.

Articles of one event are related, the others are not.

A set is a file of JSON lines: `id`, `event`, `title`, `text`. Every article whose event has another one is asked about. Of all
that is near it, P@1 is whether the first is of the event, MAP@10 trec_eval's average precision of the first ten, over at most
ten articles. Of what is above the line, ShownRight is the share of the event's articles among the first three, averaged over
the articles of which any is shown; others may be of the same topic. ShownFirst is whether the first one shown is of the event.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from importlib import resources
from pathlib import Path

from htxsearch.errors import UsageError
from htxsearch.evaluate.folds import fold_of
from htxsearch.evaluate.judged import JudgedSet, json_lines
from htxsearch.evaluate.runs import Outcome, Run
from htxsearch.index import Index
from htxsearch.search.relatedness import Line, other_lines

__all__ = ["RELATED_FOLDS_FILE", "evaluate_related", "fold_lines", "read_events", "related_learned_from"]

RELATED_FOLDS_FILE = "related.json"
_FIRST, _SHOWN = 10, 3


def read_events(path: Path) -> JudgedSet:
    """Return the articles of a file as documents and as queries.

    Each asks for the others of its event.

    Raises UsageError for a file of another form.
    """
    try:
        rows = list(json_lines(path))
        events: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            events[row["event"]].append(row["id"])
        documents = tuple({name: row[name] for name in ("id", "title", "text")} for row in rows)
        qrels = {row["id"]: {one: 1 for one in events[row["event"]] if one != row["id"]} for row in rows}
        own = {row["id"]: {"event": row["event"]} for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError("eval.not-events", path=str(path)) from error
    queries = {row["id"]: row["title"] for row in rows if qrels[row["id"]]}
    if not queries:
        raise UsageError("eval.not-events", path=str(path))
    return JudgedSet(path.stem, documents, queries, own, qrels)


def related_learned_from(name: str) -> bool:
    """Return True if the product's lines have learned from the set."""
    stored = json.loads(resources.files("htxsearch.search").joinpath("related.json").read_text("utf-8"))
    return name in stored["trained_on"]


def fold_lines(judged: JudgedSet, folds: Path) -> Callable[[str], dict[str, Line]]:
    """Return a function from an article to the lines for it.

    They are learned without the fold of its event. Raises UsageError.
    """
    path = folds / RELATED_FOLDS_FILE
    try:
        stored = json.loads(path.read_text("utf-8"))["lines"]
        lines = [
            {kind: Line(tuple(line["weights"]), line["bias"], line["least"]) for kind, line in fold.items()} for fold in stored
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError("eval.no-folds", path=str(path), script="scripts/train_related.py") from error
    return lambda article_id: lines[fold_of(judged.own_forms[article_id]["event"], len(lines))]


def evaluate_related(
    judged: JudgedSet, index: Index, *, lines_of: Callable[[str], dict[str, Line]] | None = None, is_fitted: bool = False
) -> Run:
    """Ask for the articles related to each one.

    `lines_of` gives the lines to use; without it they are the product's own.
    """
    outcomes = {}
    for article_id, title in judged.queries.items():
        with other_lines(lines_of(article_id)) if lines_of else nullcontext():
            shown = tuple(one.article_id for one in index.related(article_id, limit=_SHOWN).related)
            ranked = tuple(one.article_id for one in index.related(article_id, limit=_FIRST, all_near=True).related)
        outcomes[article_id] = Outcome(title, ranked, _measures(ranked, shown, judged.qrels[article_id]))
    names = ("P@1", "MAP@10", "ShownFirst", "ShownRight")
    means = {name: _mean([one.measures[name] for one in outcomes.values() if name in one.measures]) for name in names}
    return Run(
        name=judged.name,
        form="typed",
        measures=means,
        outcomes=outcomes,
        kind="fitted" if is_fitted else "left-out",
        folds=lines_of is not None,
        task="related",
    )


def _measures(ranked: Sequence[str], shown: Sequence[str], relevant: Mapping[str, int]) -> dict[str, float]:
    """Return the measures of an article; `ShownRight` only if any is shown."""
    hits = [one in relevant for one in ranked]
    found = [sum(hits[: at + 1]) / (at + 1) for at, hit in enumerate(hits) if hit]
    right = [one in relevant for one in shown]
    return {
        "P@1": float(any(hits[:1])),
        "MAP@10": sum(found) / min(len(relevant), _FIRST),
        "ShownFirst": float(any(right[:1])),
        **({"ShownRight": sum(right) / len(right)} if right else {}),
    }


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
