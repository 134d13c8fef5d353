"""Learn which kind of answer a question asks for, and write src/htxsearch/answer/question_kinds.npy.

    python scripts/train_kinds.py evals/{questions,{contrast,encyclopedia}{,-training}} [--write]

It learns from the kinds of our own judged questions in every form, and from titles, which ask nothing, with linear support
vectors, one kind against the others. Whether anything is asked is learnt once more, from runs of words of the articles, too: a
query of key words is such a run, and seldom a title. Questions about the documents of `left-out.txt` and of calibration are not
read. The accuracy is printed by form, on five folds of documents.
"""

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from htxsearch.answer.kinds import BUCKETS, COLUMNS, buckets_of, shortened
from htxsearch.evaluate.folds import fold_of, is_for_calibration, read_left_out
from htxsearch.evaluate.forms import own_forms_of
from htxsearch.text.normalize import strip_diacritics
from htxsearch.text.sentences import sentences

MODEL = Path(__file__).parent.parent / "src/htxsearch/answer/question_kinds.npy"
_FOLDS = 5
_SOFTNESS, _SOFTNESS_OF_ASKING = 0.05, 0.02  # C of the support vectors
_RUNS, _RUN_WORDS = 24, (2, 8)  # of an article, and their words
_NOTHING = "nothing"  # the kind of a title
_KIND_OF = {"org": "organisation", "object": "thing", "title": "thing", "other": "thing"}

Floats = npt.NDArray[np.float64]


class Example(NamedTuple):
    """A text with its kind, the form it is typed in, and the document it is about."""

    text: str
    kind: str
    form: str
    document: str


def examples_of(folder: Path) -> Iterator[Example]:
    """Yield the questions of a set that training may read, in each form, and its titles."""
    left_out = read_left_out(folder)
    for name in ("queries.jsonl", "unanswerable.jsonl"):
        for line in (folder / name).read_text("utf-8").splitlines():
            row = json.loads(line)
            about = row["metadata"]
            document = about.get("gold") or about.get("article") or row["_id"]
            if not left_out.isdisjoint((document, row["_id"])) or is_for_calibration(document):
                continue
            kind = _KIND_OF.get(about["kind"], about["kind"])
            forms = {"typed": row["text"], **own_forms_of(about)}
            forms["short, hurried"] = strip_diacritics(about["short"])
            yield from (Example(text, kind, form, document) for form, text in forms.items())
    for document, title, _ in articles_of(folder):
        for text in (title, strip_diacritics(title), *parts_of(title)):
            yield Example(text, _NOTHING, "title", document)


def articles_of(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the id, title and text of the articles of a set that training may read."""
    left_out = read_left_out(folder)
    corpus = folder / "corpus.jsonl"
    for line in corpus.read_text("utf-8").splitlines() if corpus.exists() else ():
        row = json.loads(line)
        if row["_id"] not in left_out and not is_for_calibration(row["_id"]):
            yield row["_id"], row["title"], row["text"]


def runs_of(folder: Path) -> Iterator[Example]:
    """Yield runs of words of sentences, in lower case, with diacritics and without."""
    for document, _, text in articles_of(folder):
        draw = random.Random(document)
        long = [words for start, end in sentences(text) if len(words := text[start:end].split()) > _RUN_WORDS[0]]
        for words in draw.choices(long, k=_RUNS) if long else ():
            size = draw.randint(*_RUN_WORDS)
            first = draw.randrange(max(1, len(words) - size))
            run = " ".join(words[first : first + size]).strip('.,;:()"').lower()
            yield from (Example(one, _NOTHING, "run", document) for one in (run, strip_diacritics(run)))


def parts_of(title: str) -> Iterator[str]:
    """Yield the beginning and the end of a title in lower case, as a query of key words."""
    words = title.lower().split()
    yield from (" ".join(part) for part in (words[:3], words[-3:], words[: len(words) // 2 + 1]))


def matrix_of(examples: list[Example]) -> csr_matrix:
    """Return the features (examples, buckets), 0 or 1."""
    rows = [buckets_of(example.text) for example in examples]
    starts = np.cumsum([0, *map(len, rows)])
    columns = np.array([bucket for row in rows for bucket in row])
    return csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(rows), BUCKETS))


def fitted_weights(features: csr_matrix, kinds: npt.NDArray[np.str_]) -> Floats:
    """Return the weights (buckets, columns) of support vectors for each kind against the others."""
    model = LinearSVC(C=_SOFTNESS, fit_intercept=False, random_state=0).fit(features, kinds)
    weights = np.zeros((BUCKETS, len(COLUMNS)))
    weights[:, [COLUMNS.index(None if kind == _NOTHING else kind) for kind in model.classes_]] = model.coef_.T
    return weights


def asking_weights(features: csr_matrix, kinds: npt.NDArray[np.str_]) -> Floats:
    """Return the weights (buckets,) of whether anything is asked."""
    model = LinearSVC(C=_SOFTNESS_OF_ASKING, fit_intercept=False, random_state=0, class_weight="balanced")
    found: Floats = model.fit(features, kinds != _NOTHING).coef_[0]
    return found


def in_bytes(weights: Floats) -> npt.NDArray[np.int8]:
    """Return weights as whole numbers of which the greatest is 127."""
    found: npt.NDArray[np.int8] = np.round(weights * (127 / np.abs(weights).max())).astype(np.int8)
    return found


def main() -> None:
    """Measure by folds, learn from all, write on request."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    examples = [example for folder in options.folders for example in examples_of(folder)]
    features, kinds = matrix_of(examples), np.array([example.kind for example in examples])
    forms = np.array([example.form for example in examples])
    folds = np.array([fold_of(example.document, _FOLDS) for example in examples])
    names, guessed = np.array([kind or _NOTHING for kind in COLUMNS]), np.empty_like(kinds)
    for fold in range(_FOLDS):
        weights = fitted_weights(features[folds != fold], kinds[folds != fold])
        guessed[folds == fold] = names[np.argmax(features[folds == fold] @ weights, axis=1)]
    for form in sorted(set(forms.tolist())):
        own = forms == form
        print(f"{form}: {own.sum()} texts, {(guessed[own] == kinds[own]).mean():.3f} right")
    every = [*examples, *(run for folder in options.folders for run in runs_of(folder))]
    all_features = matrix_of([example._replace(text=shortened(example.text)) for example in every])
    all_kinds = np.array([example.kind for example in every])
    all_folds = np.array([fold_of(example.document, _FOLDS) for example in every])
    sums = np.empty(len(every))
    for fold in range(_FOLDS):
        weights = asking_weights(all_features[all_folds != fold], all_kinds[all_folds != fold])
        sums[all_folds == fold] = all_features[all_folds == fold] @ weights
    for form in sorted({example.form for example in every}):
        own = np.array([example.form == form for example in every])
        print(f"{form}: {own.sum()} texts, {(sums[own] > 0).mean():.3f} ask something")
    if options.write:
        columns = in_bytes(fitted_weights(features, kinds)), in_bytes(asking_weights(all_features, all_kinds)[:, np.newaxis])
        np.save(MODEL, np.hstack(columns))
        print(f"{MODEL}: {MODEL.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
