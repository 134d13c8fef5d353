"""Learn which kind of answer a question asks for, and write src/htxsearch/answer/question_kinds.npy.

    python scripts/train_kinds.py evals/{questions,{contrast,encyclopedia}{,-training}} [--write]

It learns from the kinds of our own judged questions in every form, and from titles, which ask nothing, with linear support
vectors, one kind against the others. Questions about the documents of `left-out.txt` and of calibration are not read. The
accuracy is printed by form, on five folds of documents.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from htxsearch.answer.kinds import BUCKETS, COLUMNS, buckets_of
from htxsearch.evaluate.folds import fold_of, is_for_calibration, read_left_out
from htxsearch.evaluate.forms import own_forms_of
from htxsearch.text.normalize import strip_diacritics

MODEL = Path(__file__).parent.parent / "src/htxsearch/answer/question_kinds.npy"
_FOLDS = 5
_SOFTNESS = 0.05  # C of the support vectors
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
    corpus = folder / "corpus.jsonl"
    for line in corpus.read_text("utf-8").splitlines() if corpus.exists() else ():
        row = json.loads(line)
        if row["_id"] not in left_out and not is_for_calibration(row["_id"]):
            for text in (row["title"], strip_diacritics(row["title"]), *parts_of(row["title"])):
                yield Example(text, _NOTHING, "title", row["_id"])


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
    if options.write:
        weights = fitted_weights(features, kinds)
        np.save(MODEL, np.round(weights * (127 / np.abs(weights).max())).astype(np.int8))
        print(f"{MODEL}: {MODEL.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
