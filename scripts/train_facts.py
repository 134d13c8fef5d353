"""Learn how figures are given their place, time and status: src/htxsearch/facts/attachment.json.

    python scripts/train_facts.py evals/facts-training ../shared/data/eval/facts-dev --write

Of a figure's candidates the judged one should have the best score: a conditional logit (D. McFadden, 1974) over the features of
`facts.attachment`, with a ridge. The accuracy printed is that of folds over the articles: the figures of an
article left out are read in order, each with what the fold's weights have chosen for the figure before.
"""

import argparse
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

import htxsearch.facts
from htxsearch.evaluate.facts import JudgedArticle, read_judged_facts, same_head, same_place
from htxsearch.facts.attachment import Candidate, after
from htxsearch.facts.extract import FigureContext, figure_contexts, framed_by, indicators_of, place_text, time_text
from htxsearch.facts.indicators import Indicated
from htxsearch.facts.status import status_candidates

Floats = npt.NDArray[np.float64]
Weights = dict[str, dict[str, float]]
KINDS = ("place", "time", "status", "indicator")
_RIDGE = 1.0
_WEIGHTS = Path(htxsearch.facts.__file__).parent / "attachment.json"


class Choice(NamedTuple):
    """What is to be chosen for a figure: the features of each candidate, and which of them are right."""

    set: str
    article: str
    kind: str
    features: list[dict[str, float]]
    right: list[bool]


class Read(NamedTuple):
    """A judged article with its figures and their candidates, which no weights change."""

    set: str
    article: JudgedArticle
    page: Any
    contexts: list[FigureContext]


def read_articles(folders: Sequence[Path], corpus: Path | None) -> list[Read]:
    """Return the judged articles of all folders."""
    return [
        Read(folder.name, one, *figure_contexts(one.title, one.body, published=one.date, place=one.place))
        for folder in folders
        for one in read_judged_facts(folder, corpus)
    ]


def choices_of(read: Read, weights: Weights | None) -> Iterator[Choice]:
    """Yield the choices of an article's judged figures.

    The figure before has what `weights` choose for it, as in use; without weights, what is right.
    """
    place_before: Candidate | None = None
    time_before: Candidate | None = None
    indicated: Indicated | None = None
    status_before: str | None = None
    for context in read.contexts:
        mention = context.mention
        places = after(context.places, place_before, context.relation)
        times = after(context.times, time_before, context.relation)
        indicators = indicators_of(read.page.body, context, indicated)
        judged = next((one for one in read.article.facts if mention.start < one["end"] and one["start"] < mention.end), None)
        right_places = [judged is not None and same_place(place_text(one), judged["place"]) for one in places]
        right_times = [judged is not None and time_text(read.page, one) == judged["as_of"] for one in times]
        right_indicators = [judged is not None and same_head(str(one.value), judged["indicator"]) for one in indicators]
        place_before = _chosen(weights, "place", places, right_places)
        time_before = _chosen(weights, "time", times, right_times)
        indicated = Indicated(
            mention, context.at.sentence, str(_chosen(weights, "indicator", indicators, right_indicators).value)
        )
        framed = framed_by(context, time_before, status_before)
        statuses = status_candidates(read.page.body, context.at.sentence, mention, framed)
        right_statuses = [judged is not None and one.value == judged["status"] for one in statuses]
        status_before = str(_chosen(weights, "status", statuses, right_statuses).value)
        if judged is None:
            continue
        right = {
            "place": (places, right_places),
            "time": (times, right_times),
            "indicator": (indicators, right_indicators),
            "status": (statuses, right_statuses),
        }
        for kind, (candidates, marks) in right.items():
            yield Choice(read.set, read.article.id, kind, [one.features for one in candidates], marks)


def _chosen(weights: Weights | None, kind: str, candidates: Sequence[Candidate], right: Sequence[bool]) -> Candidate:
    """Return the candidate with the best score, without weights the right one."""
    if weights is None:
        return candidates[right.index(True) if any(right) else 0]
    return candidates[_best(weights[kind], [one.features for one in candidates])]


def _best(weights: dict[str, float], features: Sequence[dict[str, float]]) -> int:
    scores = [sum(weights.get(name, 0.0) * value for name, value in own.items()) for own in features]
    return scores.index(max(scores))


def learnt_from(articles: Sequence[Read]) -> Weights:
    """Return the weights of each kind, learnt with the right figures before, then again with those the first weights choose."""
    weights: Weights | None = None
    for _ in range(2):
        choices = [choice for read in articles for choice in choices_of(read, weights)]
        weights = {kind: learn([choice for choice in choices if choice.kind == kind]) for kind in KINDS}
    assert weights is not None
    return weights


def learn(choices: Sequence[Choice], ridge: float = _RIDGE) -> dict[str, float]:
    """Return the weight of each feature, fitted to the choices that have a right and a wrong candidate."""
    used = [choice for choice in choices if any(choice.right) and not all(choice.right)]
    names = sorted({name for choice in used for features in choice.features for name in features})
    column = {name: number for number, name in enumerate(names)}
    rows = [features for choice in used for features in choice.features]
    values = np.zeros((len(rows), len(names)))
    for number, features in enumerate(rows):
        for name, value in features.items():
            values[number, column[name]] = value
    right = np.array([one for choice in used for one in choice.right], float)
    sizes = [len(choice.right) for choice in used]
    starts = np.cumsum([0, *sizes[:-1]])
    group = np.repeat(np.arange(len(used)), sizes)

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = values @ weights
        powers = np.exp(scores - np.maximum.reduceat(scores, starts)[group])
        total, good = np.add.reduceat(powers, starts), np.add.reduceat(powers * right, starts)
        slope = values.T @ (powers / total[group] - powers * right / good[group])
        return float(-np.log(good / total).sum() + ridge * weights @ weights), slope + 2 * ridge * weights

    fitted = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B", options={"maxiter": 80})
    return {name: round(float(weight), 3) for name, weight in zip(names, fitted.x, strict=True)}


def main() -> None:
    """Measure by folds; with --write, learn from all and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--corpus", type=Path, help="articles of the sets that have none of their own")
    parser.add_argument("--folds", type=int, default=20, help="0 measures nothing")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    articles = read_articles(options.folders, options.corpus)
    marks: dict[tuple[str, str], list[tuple[bool, bool]]] = {}
    for fold in range(options.folds):
        is_left_out = [zlib.crc32(read.article.id.encode()) % options.folds == fold for read in articles]
        weights = learnt_from([read for read, out in zip(articles, is_left_out, strict=True) if not out])
        for read, out in zip(articles, is_left_out, strict=True):
            for choice in choices_of(read, weights) if out else ():
                right = choice.right[_best(weights[choice.kind], choice.features)]
                marks.setdefault((choice.kind, choice.set), []).append((right, any(choice.right)))
    for (kind, name), pairs in sorted(marks.items()):
        right, possible = np.mean(pairs, axis=0)
        print(f"{kind} {name}: {right:.3f} of {len(pairs)} by folds, {possible:.3f} possible", flush=True)
    if options.write:
        _WEIGHTS.write_text(json.dumps(learnt_from(articles), ensure_ascii=False, indent=1) + "\n", "utf-8")
        print(f"written: {_WEIGHTS}")


if __name__ == "__main__":
    main()
