"""Learn how figures are given their place, time and status: src/htxsearch/facts/attachment.json.

    python scripts/train_facts.py evals/facts-training ../shared/data/eval/facts-dev --write

Of a figure's candidates the judged one should have the best score: a conditional logit (D. McFadden, 1974) over the features of
`facts.attachment`, with a ridge. The accuracy printed is that of five folds over the articles of each set.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

import htxsearch.facts
from htxsearch.evaluate.facts import JudgedArticle, read_judged_facts, same_head, same_place
from htxsearch.facts.attachment import Candidate, after, best
from htxsearch.facts.extract import figure_contexts, indicators_of, place_text, time_text
from htxsearch.facts.indicators import Indicated
from htxsearch.facts.status import status_candidates
from htxsearch.text.date_mentions import DateMention

Floats = npt.NDArray[np.float64]
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


def choices_of(name: str, article: JudgedArticle) -> Iterator[Choice]:
    """Yield the choices of an article's judged figures.

    The figure before has what the present weights choose for it, as in use; therefore train twice after a change of features.
    """
    page, contexts = figure_contexts(article.title, article.body, published=article.date, place=article.place)
    place_before: Candidate | None = None
    time_before: Candidate | None = None
    indicated: Indicated | None = None
    for number, context in enumerate(contexts):
        mention = context.mention
        same = number > 0 and contexts[number - 1].at.sentence == context.at.sentence
        if number and contexts[number - 1].at.bounds[0] != context.at.bounds[0]:
            place_before = time_before = None
        places = after(context.places, place_before, same_sentence=same)
        times = after(context.times, time_before, same_sentence=same)
        place_before, time_before = best("place", places), best("time", times)
        indicators = indicators_of(page.body, context, indicated)
        indicated = Indicated(mention, context.at.sentence, str(best("indicator", indicators).value))
        judged = next((one for one in article.facts if mention.start < one["end"] and one["start"] < mention.end), None)
        if judged is None:
            continue
        right_places = [same_place(place_text(one), judged["place"]) for one in places]
        right_times = [time_text(page, context, one) == judged["as_of"] for one in times]
        time = next((one.value for one, right in zip(times, right_times, strict=True) if right), time_before.value)
        assert time is None or isinstance(time, DateMention)
        statuses = status_candidates(page.body, context.at.sentence, mention, time, context.heading, context.announced)
        yield Choice(name, article.id, "place", [one.features for one in places], right_places)
        yield Choice(name, article.id, "time", [one.features for one in times], right_times)
        yield Choice(
            name,
            article.id,
            "indicator",
            [one.features for one in indicators],
            [same_head(str(one.value), judged["indicator"]) for one in indicators],
        )
        yield Choice(
            name, article.id, "status", [one.features for one in statuses], [one.value == judged["status"] for one in statuses]
        )


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


def is_right(choice: Choice, weights: dict[str, float]) -> bool:
    """Return True if the candidate with the best score is right."""
    scores = [sum(weights.get(name, 0.0) * value for name, value in features.items()) for features in choice.features]
    return choice.right[scores.index(max(scores))]


def main() -> None:
    """Measure by folds; with --write, learn from all and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--corpus", type=Path, help="articles of the sets that have none of their own")
    parser.add_argument("--folds", type=int, default=5, help="0 measures nothing")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    choices: list[Choice] = []
    for folder in options.folders:
        for article in read_judged_facts(folder, options.corpus):
            choices += choices_of(folder.name, article)
    learnt: dict[str, Any] = {}
    for kind in KINDS:
        own = [choice for choice in choices if choice.kind == kind]
        articles = sorted({choice.article for choice in own})
        right: dict[str, list[bool]] = {}
        for fold in range(options.folds):
            left_out = set(articles[fold :: options.folds])
            weights = learn([choice for choice in own if choice.article not in left_out])
            for choice in own:
                if choice.article in left_out:
                    right.setdefault(choice.set, []).append(is_right(choice, weights))
        learnt[kind] = learn(own)
        possible = {name: [any(choice.right) for choice in own if choice.set == name] for name in right}
        for name, marks in right.items():
            print(
                f"{kind} {name}: {np.mean(marks):.3f} of {len(marks)} by folds, {np.mean(possible[name]):.3f} possible",
                flush=True,
            )
    if options.write:
        _WEIGHTS.write_text(json.dumps(learnt, ensure_ascii=False, indent=1) + "\n", "utf-8")
        print(f"written: {_WEIGHTS}")


if __name__ == "__main__":
    main()
