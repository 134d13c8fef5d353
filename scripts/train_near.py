"""Learn the line between near and far articles, and write src/htxsearch/search/near.json.

    python scripts/train_near.py ../shared/data/eval/topics-dev [--write]

Each set has topics with all their relevant articles. A logistic regression over the signs of `search.near` learns which
reranked articles are relevant; every topic weighs the same. Its bias and the floor of the articles that are not reranked are
those with the best mean F1. Lines learnt without each fold of topics go to evals/folds/near.json.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from htxsearch.evaluate.folds import fold_of
from htxsearch.evaluate.forms import query_form
from htxsearch.evaluate.judged import JudgedSet, index_of, read_judged_set
from htxsearch.evaluate.near import NEAR_FOLDS_FILE
from htxsearch.index import Index
from htxsearch.query.spelling import read_keystrokes
from htxsearch.search.near import SIGNS, NearWeights, near_signs
from htxsearch.search.pipeline import first_stage
from htxsearch.search.rerank import rerank

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "src/htxsearch/search/near.json"
FOLDS = ROOT / "evals/folds" / NEAR_FOLDS_FILE
_FOLDS = 5
_SOFTNESS = 10.0  # C of the regression
_MOST = 100_000  # articles of a set, far more than there are

Floats = npt.NDArray[np.float64]


class Topic(NamedTuple):
    """A topic: the signs of its reranked articles, the first-stage scores of all articles, and which are relevant.

    The scores are shares of the best one. `missed` counts the relevant articles that no word of the topic finds.
    """

    id: str
    signs: Floats
    relevant: npt.NDArray[np.bool_]
    scores: Floats
    all_relevant: npt.NDArray[np.bool_]
    missed: int

    def f1(self, near: npt.NDArray[np.bool_]) -> float:
        """Return the F1 of near reranked articles."""
        total = int(self.all_relevant.sum()) + self.missed
        return 2 * int((near & self.relevant).sum()) / max(1, int(near.sum()) + total)

    def f1_of_floor(self, floor: float) -> float:
        """Return the F1 of the articles whose first-stage score is at least `floor` of the best."""
        near = self.scores >= floor
        total = int(self.all_relevant.sum()) + self.missed
        return 2 * int((near & self.all_relevant).sum()) / max(1, int(near.sum()) + total)


def topics_of(judged: JudgedSet, index: Index, form: str) -> list[Topic]:
    """Return the topics of a set, as the product retrieves and reranks them."""
    snapshot = index.searcher().snapshot
    topics = []
    for query, typed in judged.queries.items():
        read_as = read_keystrokes(query_form(typed, form, judged.own_forms[query]), snapshot.vocabulary)
        retrieval = first_stage(snapshot, read_as)
        reranked = rerank(snapshot.vocabulary, retrieval.query.terms, read_as, retrieval.result)
        ids, signs = near_signs(reranked.ranked)
        relevant = {document for document, grade in judged.qrels[query].items() if grade > 0}
        every = snapshot.engine.search(retrieval.query.node, limit=_MOST).hits
        scores = np.array([hit.score for hit in every])
        topics.append(
            Topic(
                f"{judged.name}/{query}",
                signs,
                np.array([article_id in relevant for article_id in ids]),
                scores / max(float(scores.max(initial=0.0)), 1e-9),
                np.array([hit.article_id in relevant for hit in every]),
                len(relevant.difference(hit.article_id for hit in every)),
            )
        )
    return topics


def learnt(topics: Sequence[Topic]) -> NearWeights:
    """Return the line learnt from topics."""
    signs = np.concatenate([topic.signs for topic in topics])
    relevant = np.concatenate([topic.relevant for topic in topics])
    weights = np.concatenate([np.full(len(topic.signs), 10 / max(1, topic.relevant.sum())) for topic in topics])
    model = LogisticRegression(C=_SOFTNESS, max_iter=1000).fit(signs, relevant, sample_weight=weights)
    slopes = model.coef_[0]
    biases = np.arange(-np.abs(slopes).sum(), 0, 0.05)
    best = max(biases, key=lambda bias: float(np.mean([topic.f1(topic.signs @ slopes + bias >= 0) for topic in topics])))
    floors = np.arange(0.3, 1.0, 0.01)
    floor = max(floors, key=lambda each: float(np.mean([topic.f1_of_floor(each) for topic in topics])))
    signs_of = {name: round(float(slope), 3) for name, slope in zip(SIGNS, slopes, strict=True)}
    return NearWeights(signs_of, round(float(best), 3), round(float(floor), 3))


def main() -> None:
    """Learn the line and its folds, print their figures, and write them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    topics: list[Topic] = []
    for folder in arguments.folders:
        judged = read_judged_set(folder, None)
        with index_of(judged, None) as index:
            for form in ("typed", "unaccented"):
                topics += topics_of(judged, index, form)
    fold = {topic.id: fold_of(topic.id.partition("/")[2], _FOLDS) for topic in topics}
    lines = [learnt([topic for topic in topics if fold[topic.id] != number]) for number in range(_FOLDS)]
    own = learnt(topics)
    fitted = np.mean([topic.f1(own.reached(topic.signs)) for topic in topics])
    left_out = np.mean([topic.f1(lines[fold[topic.id]].reached(topic.signs)) for topic in topics])
    floors = np.mean([topic.f1_of_floor(lines[fold[topic.id]].floor) for topic in topics])
    print(f"F1 of the line {fitted:.4f} fitted, {left_out:.4f} by folds; of the floor alone {floors:.4f} by folds; {own}")
    if arguments.write:
        names = sorted({folder.resolve().name for folder in arguments.folders})
        MODEL.write_text(json.dumps({"trained_on": names, **own._asdict()}, indent=1) + "\n", "utf-8")
        FOLDS.write_text(json.dumps({"lines": [line._asdict() for line in lines]}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
