"""Learn which facts a question asks for: src/htxsearch/search/fact_matching.json.

    python scripts/train_fact_matching.py evals/facts evals/facts-training --corpus corpus --write

The facts near to each question of `series.jsonl` are judged by its rows: a logistic regression over the features of
`search.fact_matching`. What is printed is by five folds over the questions, or, with --measure, of questions of a set
that nothing is learnt from. The strictness is the one whose F1 over the rows of the folds is best.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import htxsearch.search.fact_matching as matching
from htxsearch.evaluate.facts import SeriesQuestion, is_row, read_judged_facts, read_series, snapshot_of
from htxsearch.search import fact_question
from htxsearch.search.fact_matching import beside_features, least_chance, probabilities
from htxsearch.search.fact_results import FoundFact

_WEIGHTS = Path(matching.__file__).with_suffix(".json")
_FOLDS, _ALONE, _BESIDE = 5, 1.0, 0.1
"""Folds, and the inverse of the ridge of each regression."""
_RIVALS = 100
"""Facts of a question that are learnt from."""
_TRIED = (0.8, 1.0, 1.2, 1.4)
"""Strictnesses whose measures are printed."""
_EVEN = 20.0
"""The weight of a fact is this by the root of the facts of its question, so that long lists do not count for all."""
Floats = npt.NDArray[np.float64]
Features = dict[str, float]


class Judged(NamedTuple):
    """A question with the features of the facts near to it, and which judged row each is, -1 for none."""

    question: SeriesQuestion
    facts: list[FoundFact]
    features: list[dict[str, float]]
    is_right: list[bool]


def judged_questions(folder: Path, corpus: Path | None) -> list[Judged]:
    """Return the questions of a judged set with the facts near to each."""
    snapshot = snapshot_of(read_judged_facts(folder, corpus))
    made: list[Judged] = []
    seen: list[tuple[matching.AskedFacts, list[FoundFact]]] = []

    def spied(asked: matching.AskedFacts, facts: Sequence[FoundFact]) -> list[tuple[float, bool]]:
        seen.append((asked, list(facts)))
        return [(1.0, True) for _ in facts]

    setattr(fact_question, "matches", spied)  # noqa: B010 - the candidates of the product itself
    for question in read_series(folder):
        fact_question.facts_in_words(snapshot, question.text)
        asked, facts = seen.pop() if seen else (None, [])
        if asked is None:
            made.append(Judged(question, [], [], []))
            continue
        right = [any(is_row(fact, row) for row in question.rows) for fact in facts]
        made.append(Judged(question, facts, matching.match_features(asked, facts), right))
    return made


def regression(rows: list[Features], right: Floats, weight: Floats, strength: float) -> dict[str, float]:
    """Return the weight of each feature by name; features are scaled to one spread while they are learnt."""
    vectors, scale = DictVectorizer(sparse=False), StandardScaler(with_mean=False)
    values = scale.fit_transform(vectors.fit_transform(rows))
    fitted = LogisticRegression(C=strength, max_iter=300, fit_intercept=False, solver="newton-cholesky")
    fitted.fit(values, right, sample_weight=weight)
    names, spread = vectors.get_feature_names_out(), scale.scale_
    return {name: round(float(one), 4) for name, one in zip(names, fitted.coef_[0] / spread, strict=True)}


def learn(questions: Sequence[Judged]) -> tuple[dict[str, float], dict[str, float]]:
    """Return the weights of a fact's own features, and those beside the likeliest facts, learnt from folds of the first."""
    questions = [_with_its_rivals(judged) for judged in questions]
    right = np.array([one for judged in questions for one in judged.is_right], float)
    weight = np.array([_EVEN / np.sqrt(len(judged.facts)) for judged in questions for _ in judged.facts])
    fold = np.array([number % _FOLDS for number, judged in enumerate(questions) for _ in judged.facts])
    rows = [own for judged in questions for own in judged.features]
    chances = np.zeros(len(rows))
    for left_out in range(_FOLDS):
        kept, others = np.flatnonzero(fold != left_out), np.flatnonzero(fold == left_out)
        weights = regression([rows[at] for at in kept], right[kept], weight[kept], _ALONE)
        chances[others] = probabilities(weights, [rows[at] for at in others])
    beside: list[Features] = []
    for judged in questions:
        own = chances[len(beside) : len(beside) + len(judged.facts)].tolist()
        beside += beside_features(judged.facts, judged.features, own)
    return regression(rows, right, weight, _ALONE), regression(beside, right, weight, _BESIDE)


def _with_its_rivals(judged: Judged) -> Judged:
    """Return a question with its rows and the other facts that have most of its words: those far from them teach little."""
    order = sorted(
        range(len(judged.facts)), key=lambda at: (not judged.is_right[at], -judged.features[at]["covered with title"])
    )
    kept = sorted(order[:_RIVALS])
    facts, features, is_right = ([column[at] for at in kept] for column in judged[1:])
    return Judged(judged.question, facts, features, is_right)  # type: ignore[arg-type]


def chances_of(judged: Judged, alone: Features, beside: Features) -> Floats:
    """Return the probability of each fact of a question."""
    first = probabilities(alone, judged.features)
    return np.array(probabilities(beside, beside_features(judged.facts, judged.features, first)))


def measure(questions: Sequence[Judged], chances: Sequence[Floats], strictness: float) -> tuple[float, float, float]:
    """Return the share of judged rows found, of shown rows that are wrong, and F1."""
    found = shown = wrong = rows = 0
    for judged, chance in zip(questions, chances, strict=True):
        least = least_chance(chance.tolist(), strictness)
        taken = [fact for fact, one in zip(judged.facts, chance, strict=True) if one >= least]
        rows += len(judged.question.rows)
        found += sum(any(is_row(fact, row) for fact in taken) for row in judged.question.rows)
        shown += len(taken)
        wrong += sum(not any(is_row(fact, row) for row in judged.question.rows) for fact in taken)
    recall, precision = found / max(1, rows), 1 - wrong / max(1, shown)
    return recall, 1 - precision, 2 * recall * precision / max(1e-9, recall + precision)


def main() -> None:
    """Measure by folds; with --write, learn from all and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--corpus", type=Path, help="articles of the sets that have none of their own")
    parser.add_argument("--measure", type=Path, help="a judged set that nothing is learnt from")
    parser.add_argument("--folds", type=int, default=_FOLDS, help="0 measures nothing, and keeps strictness 1")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    questions = [judged for folder in options.folders for judged in judged_questions(folder, options.corpus)]
    chances: list[Floats] = [np.zeros(len(judged.facts)) for judged in questions]
    for fold in range(options.folds):
        learnt = learn([judged for number, judged in enumerate(questions) if number % options.folds != fold and judged.facts])
        for number in range(fold, len(questions), options.folds):
            chances[number] = chances_of(questions[number], *learnt)
    tried = np.arange(0.6, 1.6, 0.05) if options.folds else np.ones(1)
    strictness = float(max(tried, key=lambda one: measure(questions, chances, one)[2]))
    possible = measure(questions, [np.ones(len(judged.facts)) for judged in questions], 1.0)[0]
    print(f"{len(questions)} questions, {sum(len(one.facts) for one in questions)} facts; {possible:.3f} of the rows are near")
    for one in (strictness, *_TRIED) if options.folds else ():
        print(
            "strictness {:.2f}: found {:.3f}, wrong {:.3f}, F1 {:.3f} by folds".format(one, *measure(questions, chances, one))
        )
    alone, beside = learn([judged for judged in questions if judged.facts])
    if options.measure:
        others = judged_questions(options.measure, options.corpus)
        for one in (strictness, *_TRIED):
            own = measure(others, [chances_of(judged, alone, beside) for judged in others], one)
            print(
                "{} untrained, strictness {:.2f}: found {:.3f}, wrong {:.3f}, F1 {:.3f}".format(options.measure.name, one, *own)
            )
    if options.write:
        written = {"strictness": round(strictness, 2), "alone": alone, "beside": beside}
        _WEIGHTS.write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n", "utf-8")
        print(f"written: {_WEIGHTS}")


if __name__ == "__main__":
    main()
