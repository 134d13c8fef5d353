"""Learn which near articles are related, and write the lines.

They go to src/htxsearch/search/related.json.

    python scripts/train_related.py ../shared/data [--keep DIR] [--write]

The judged events of eval/related-events.jsonl are indexed with the first articles of news/news-20k.jsonl.xz, which are of no
event, and the articles of eval/topics-dev/corpus.jsonl, of which evals/related/judged.tsv grades pairs, are indexed apart. A
logistic regression over the signs of `search.relatedness` learns, for whole articles, first passages and titles as short
texts. Articles of one event, and pairs that a reader called related (grade 2), are right; other articles near one of an
event, and pairs of grades 0 and 1, are not. The line is the lowest with which, of the graded pairs, at least `_RIGHT` of three
articles shown are right and at most `_WRONG` wrong, each by weights learned without its fold. So line and weights are fitted;
those learned without each fold go to evals/folds/related.json. The figures printed say which are left out.
"""

import argparse
import json
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from htxsearch.evaluate.folds import fold_of
from htxsearch.evaluate.judged import json_lines
from htxsearch.evaluate.related import RELATED_FOLDS_FILE
from htxsearch.index import Index
from htxsearch.ingest.article import Article
from htxsearch.search.relatedness import ORDER, SIGNS, Asked, Kind, Line, asked, asked_passage, in_order, signed
from htxsearch.search.snapshot import StoredArticles

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "src/htxsearch/search/related.json"
FOLDS = ROOT / "evals/folds" / RELATED_FOLDS_FILE
JUDGED = ROOT / "evals/related/judged.tsv"
KINDS: tuple[Kind, ...] = ("article", "passage", "question")
_FOLDS = 5
_OTHERS = 605  # articles of no event, so that there are 1,000
_SOFTNESS = 0.3  # C of the regression; each sign is divided by its deviation
_EVENT_WEIGHT = 0.01  # of a pair of the events beside a judged one: of the nearest that are not of the event, some are related
_NEAREST = 12  # articles of another event or none that are learned from, an article
_SHOWN = 3
_RIGHT, _WRONG = 0.88, 0.08
_BESIDE = 16  # articles of no event or another one, each of which every article of the event must precede

Floats = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]


class Pair(NamedTuple):
    """An article and one near it, judged.

    It has the group that it is left out with, its signs, and its grade.
    """

    asked: str
    group: str
    signs: tuple[float, ...]
    grade: int
    is_event: bool


@contextmanager
def index_of(lines: list[dict[str, Any]], keep: Path | None, name: str) -> Iterator[Index]:
    """Index articles, in `keep` if it is given, and give the index."""
    with TemporaryDirectory() as temporary:
        folder = (keep or Path(temporary)) / name
        (folder / "corpus").mkdir(parents=True, exist_ok=True)
        told = (json.dumps({key: row[key] for key in ("id", "title", "text")}, ensure_ascii=False) for row in lines)
        (folder / "corpus/articles.jsonl").write_text("\n".join(told), "utf-8")
        with Index(folder / "index", corpus=folder / "corpus") as index:
            index.update(priority="normal")
            yield index


def asked_as(index: Index, article_id: str, kind: Kind) -> Asked:
    """Return an article, its first passage, or its title as a short text."""
    snapshot = index.searcher().snapshot
    stored = StoredArticles(snapshot.engine)[article_id]
    if kind == "article":
        return asked(snapshot, stored.article, indexed=True)
    if kind == "passage":
        return asked_passage(snapshot, stored, 0)
    title = stored.article.title[:200]
    return asked(snapshot, Article(id=article_id, title=title, body=title, path="-"), indexed=False)


def pairs_of(
    index: Index, grades: dict[str, dict[str, int]], groups: dict[str, str], kind: Kind, *, is_event: bool
) -> list[Pair]:
    """Return the judged pairs among the articles near each one."""
    snapshot = index.searcher().snapshot
    pairs = []
    for article_id, judged in grades.items():
        others = 0
        for near, signs in signed(snapshot, asked_as(index, article_id, kind), StoredArticles(snapshot.engine)):
            grade = judged.get(near.article_id, 0 if is_event else None)
            if near.article_id == article_id or grade is None:
                continue
            others += not grade
            if grade or not is_event or others <= _NEAREST:
                pairs.append(Pair(article_id, groups[article_id], signs, grade, is_event))
    return pairs


def learned_order(pairs: list[Pair]) -> tuple[Line, list[Line]]:
    """Return the weights of the order, and those without each fold of events.

    A logistic regression learns, from the difference of the signs of two articles near a third, which is of its event.
    """
    differences, weights, folds = [], [], []
    by_article: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_article.setdefault(pair.asked, []).append(pair)
    for near in by_article.values():
        right, others = (
            [np.array(in_order(one.signs)) for one in near if bool(one.grade) == is_right] for is_right in (True, False)
        )
        for one in right:
            for other in others[:_BESIDE]:
                differences.append(one - other)
                weights.append(1 / (len(right) * len(others[:_BESIDE])))
                folds.append(fold_of(near[0].group, _FOLDS))
    told, shares, fold_of_row = np.array(differences), np.array(weights) * len(weights) / sum(weights), np.array(folds)

    def order(chosen: Chosen) -> Line:
        rows, wanted = told[chosen], int(chosen.sum())
        model = LogisticRegression(C=1.0, fit_intercept=False, max_iter=1000).fit(
            np.concatenate([rows, -rows]), np.repeat([1, 0], wanted), np.tile(shares[chosen], 2)
        )
        return Line(tuple(round(float(w / model.coef_[0].sum()), 4) for w in model.coef_[0]), 0.0, 0.0)

    return order(fold_of_row >= 0), [order(fold_of_row != fold) for fold in range(_FOLDS)]


def learned(pairs: list[Pair], kind: Kind, order: Line) -> tuple[Line, list[Line]]:
    """Return the line of a kind, and those without each fold, and print how good these are."""
    signs = np.array([pair.signs for pair in pairs])
    right = np.array([pair.grade == 2 for pair in pairs])
    weights = np.array([_EVENT_WEIGHT if pair.is_event else 1.0 for pair in pairs])
    folds = np.array([fold_of(pair.group, _FOLDS) for pair in pairs])
    graded = np.array([not pair.is_event for pair in pairs])

    def line(chosen: Chosen, least: float) -> Line:
        deviations = np.maximum(signs[chosen & graded].std(axis=0), 1e-3)
        model = LogisticRegression(C=_SOFTNESS, max_iter=1000).fit(signs[chosen] / deviations, right[chosen], weights[chosen])
        coefficients = model.coef_[0] / deviations
        return Line(tuple(round(float(w), 4) for w in coefficients), round(float(model.intercept_[0]), 4), least)

    unplaced = [line(folds != fold, 0.0) for fold in range(_FOLDS)]
    scores = np.array([unplaced[fold].score(pair.signs) for pair, fold in zip(pairs, folds, strict=True)])
    without = [replace(one, least=least_of(pairs, scores, folds != fold, order)) for fold, one in enumerate(unplaced)]
    least = least_of(pairs, scores, folds >= 0, order)
    print(f"{kind}: least {least}, without a fold {[one.least for one in without]}")
    for is_event in (False, True):
        fitted = shown_of(pairs, scores, least, folds >= 0, order, is_event=is_event)
        left_out = [
            grade
            for fold, one in enumerate(without)
            for grade in shown_of(pairs, scores, one.least, folds == fold, order, is_event=is_event)
        ]
        known = sum(pair.grade == 2 for pair in pairs if pair.is_event == is_event)
        for name, shown in (("left out", left_out), ("weights left out, line fitted", fitted)):
            share = [shown.count(grade) / max(len(shown), 1) for grade in (2, 1, 0)]
            told = "right {:.3f} wider {:.3f} wrong {:.3f}".format(*share)
            print(f"  {'events' if is_event else 'graded'}, {name}: shown {len(shown)} {told}, of {known} right ones")
    return line(folds >= 0, least), without


def shown_of(pairs: list[Pair], scores: Floats, least: float, chosen: Chosen, order: Line, *, is_event: bool) -> list[int]:
    """Return the grades of what is shown: the first of each chosen article that reach the line."""
    by_article: dict[str, list[Pair]] = {}
    for pair, score, is_chosen in zip(pairs, scores.tolist(), chosen.tolist(), strict=True):
        if is_chosen and score >= least and pair.is_event == is_event:
            by_article.setdefault(pair.asked, []).append(pair)
    return [
        pair.grade
        for near in by_article.values()
        for pair in sorted(near, key=lambda one: -order.total(in_order(one.signs)))[:_SHOWN]
    ]


def least_of(pairs: list[Pair], scores: Floats, chosen: Chosen, order: Line) -> float:
    """Return the lowest line that shows enough right and few wrong articles.

    They are those of the chosen pairs that a reader graded.
    """
    for step in range(20, 95):
        shown = shown_of(pairs, scores, step / 100, chosen, order, is_event=False)
        if shown and shown.count(2) >= _RIGHT * len(shown) and shown.count(0) <= _WRONG * len(shown):
            return step / 100
    raise SystemExit("no line is good enough")


def main() -> None:
    """Read, learn and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--keep", type=Path, help="keep the indexes in this folder")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    events = list(json_lines(options.data / "eval/related-events.jsonl"))
    with lzma.open(options.data / "news/news-20k.jsonl.xz", "rt", encoding="utf-8") as news:
        others = [json.loads(line) for line in islice(news, _OTHERS)]
    corpus = [{**row, "id": row["_id"]} for row in json_lines(options.data / "eval/topics-dev/corpus.jsonl")]
    mates: dict[str, list[str]] = {}
    for row in events:
        mates.setdefault(row["event"], []).append(row["id"])
    of_events = {row["id"]: dict.fromkeys((one for one in mates[row["event"]] if one != row["id"]), 2) for row in events}
    event_of = {row["id"]: row["event"] for row in events}
    judged: dict[str, dict[str, int]] = {}
    for judgement in JUDGED.read_text("utf-8").splitlines()[1:]:
        article, other, grade = judgement.split("\t")
        judged.setdefault(article, {})[other] = int(grade)
    lines: dict[str, Any] = {}
    folds: list[dict[str, Any]] = [{} for _ in range(_FOLDS)]
    with index_of(events + others, options.keep, "events") as of_event, index_of(corpus, options.keep, "topics") as of_topic:
        by_event = pairs_of(of_event, of_events, event_of, "article", is_event=True)
        order, orders = learned_order(by_event)
        print("order", dict(zip(ORDER, order.weights, strict=True)))
        lines["order"] = asdict(order)
        for fold, one in zip(folds, orders, strict=True):
            fold["order"] = asdict(one)
        for kind in KINDS:
            pairs = pairs_of(of_topic, judged, {one: one for one in judged}, kind, is_event=False)
            pairs += pairs_of(of_event, of_events, event_of, kind, is_event=True)
            line, without = learned(pairs, kind, order)
            print(" ", dict(zip(SIGNS, line.weights, strict=True)), line.bias)
            lines[kind] = asdict(line)
            for fold, one in zip(folds, without, strict=True):
                fold[kind] = asdict(one)
    if options.write:
        about = "Weights of the signs of related articles, written by scripts/train_related.py; see docs/ranking.md."
        trained_on = {
            "related-events": len(events),
            "news-20k": len(others),
            "evals/related": sum(map(len, judged.values())),
        }
        _write(MODEL, {"about": about, "trained_on": trained_on, "signs": SIGNS, "order": ORDER, "lines": lines})
        _write(FOLDS, {"about": "Lines learned without each fold of events.", "lines": folds})


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
