"""Measure the ranking on judged queries, through the product's own pipeline.

A judged set is indexed as a corpus folder is, and every query is asked as `htxsearch query` asks it; the rank of a document is
that of its best passage. Measures are those of ir_measures, by trec_eval's definitions.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from htxsearch.errors import QuerySyntaxError, UsageError
from htxsearch.evaluate.folds import document_groups, fold_of
from htxsearch.evaluate.forms import query_form
from htxsearch.evaluate.judged import JudgedSet
from htxsearch.evaluate.runs import Outcome, Run
from htxsearch.index import Index
from htxsearch.search.features import ranking_weights

__all__ = [
    "DEFAULT_MEASURES",
    "RANKING_FOLDS_FILE",
    "RankingWeights",
    "evaluate_ranking",
    "fold_weights",
    "ranking_learnt_from",
]

DEFAULT_MEASURES = ("MRR@10", "R@1", "Success@10")
RANKING_FOLDS_FILE = "ranking.json"
_DEEPEST = 1_000
"""Hits fetched for a measure without a cutoff, such as AP."""

RankingWeights = Mapping[str, float]
"""The weight of each feature of reranking."""


def ranking_learnt_from(name: str) -> bool:
    """Return True if the product's ranking weights have learnt from the set."""
    stored = json.loads(resources.files("htxsearch.search").joinpath("rank.json").read_text("utf-8"))
    return name in stored["trained_on"]


def fold_weights(judged: JudgedSet, folds: Path, *, semantic: bool = False) -> Callable[[str], RankingWeights]:
    """Return the weights of each query, learnt without its documents.

    The result is a function from a query id to weights.
    Reads `ranking.json` in the folder of folds, which scripts/train.py writes. Raises UsageError if it is missing, has not
    learnt from this set or, with `semantic`, has a weight of meaning that is fitted.
    """
    path = folds / RANKING_FOLDS_FILE
    try:
        stored = json.loads(path.read_text("utf-8"))
        weights: list[RankingWeights] = stored["weights"]
        known = judged.name in stored["trained_on"]
        fitted_meaning: bool = stored.get("meaning_is_fitted", True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError("eval.no-folds", path=str(path), script="scripts/train.py") from error
    if not known:
        raise UsageError("eval.folds-lack-set", path=str(path), set=judged.name, script="scripts/train.py")
    if semantic and fitted_meaning:
        raise UsageError("eval.folds-lack-meaning", path=str(path))
    groups = document_groups(judged.qrels)
    return lambda query: weights[fold_of(groups[query], len(weights))]


def evaluate_ranking(
    judged: JudgedSet,
    index: Index,
    *,
    measures: Sequence[str] = DEFAULT_MEASURES,
    form: str = "typed",
    semantic: bool = False,
    weights_of: Callable[[str], RankingWeights] | None = None,
    **options: Any,
) -> Run:
    """Ask every judged query in the given form and measure the rankings.

    `options` go to `Index.search`.
    `weights_of` gives the weights for each query, as `fold_weights` does; without it the product's own are used.
    A query that cannot be parsed counts as one without hits, and its error is kept. Raises UsageError for an unknown measure
    or form.
    """
    parsed = {name: _measure(name) for name in measures}
    depth = min(max(one["cutoff"] or _DEEPEST for one in parsed.values()), _DEEPEST)
    rankings: dict[str, tuple[str, ...]] = {}
    errors: dict[str, str] = {}
    texts = {query: query_form(text, form, judged.own_forms[query]) for query, text in judged.queries.items()}
    for query, text in texts.items():
        try:
            with ranking_weights(weights_of(query)) if weights_of else nullcontext():
                results = index.search(text, limit=depth, semantic=semantic, all_reprints=True, **options)
            rankings[query] = tuple(hit.article_id for hit in results.hits)
        except QuerySyntaxError as error:
            rankings[query], errors[query] = (), str(error.reason)
    values = _calculate(parsed, judged, rankings)
    return Run(
        name=judged.name,
        form=form,
        measures={name: sum(values[query][name] for query in texts) / len(texts) for name in measures},
        outcomes={query: Outcome(texts[query], rankings[query], values[query], errors.get(query)) for query in texts},
        kind="left-out" if weights_of or not ranking_learnt_from(judged.name) else "fitted",
        folds=weights_of is not None,
        semantic=semantic,
    )


@cache
def _measure(name: str) -> dict[str, Any]:
    """Return the object of ir_measures for the name of a measure.

    Its depth of ranking comes with it.
    """
    import ir_measures  # 0.3 s, and only an evaluation pays

    try:
        measure = ir_measures.parse_measure(name)
    except (NameError, ValueError, SyntaxError) as error:
        raise UsageError("eval.unknown-measure", measure=name) from error
    return {"measure": measure, "cutoff": measure.params.get("cutoff")}


def _calculate(
    parsed: Mapping[str, dict[str, Any]], judged: JudgedSet, rankings: Mapping[str, tuple[str, ...]]
) -> dict[str, dict[str, float]]:
    """Return the measures of every query; a query without hits has 0 in each."""
    import ir_measures

    qrels = {query: dict(judged.qrels[query]) for query in rankings}
    scores = {
        query: {document: float(len(ranked) - rank) for rank, document in enumerate(ranked)}
        for query, ranked in rankings.items()
    }
    values = {query: dict.fromkeys(parsed, 0.0) for query in rankings}
    names = {one["measure"]: name for name, one in parsed.items()}
    for metric in ir_measures.iter_calc(list(names), qrels, {query: ranked for query, ranked in scores.items() if ranked}):
        values[metric.query_id][names[metric.measure]] = metric.value
    return values
