"""Measure the facts of articles against judged ones.

A judged set is a folder with `facts.jsonl` and `not_facts.jsonl`, one figure and one article a line. The articles are in its
`corpus.jsonl`, in a folder of articles, or, for a set over pages and news that must not be copied, in the folders `seeds` and
`news` two levels above it. A fact is found if its span overlaps a judged one and value and unit agree.
"""

import json
import lzma
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from htxsearch.engine.memory import MemoryEngine
from htxsearch.errors import UsageError
from htxsearch.facts.extract import Fact, extract_facts
from htxsearch.facts.terms import indicator_terms
from htxsearch.indexing.catalogue import blobs
from htxsearch.indexing.documents import document_of
from htxsearch.ingest.article import Article
from htxsearch.ingest.corpus import SourceFile, articles_of, source_files
from htxsearch.search.fact_question import facts_in_words
from htxsearch.search.fact_results import FoundFact
from htxsearch.search.snapshot import Snapshot
from htxsearch.text.normalize import nfc, strip_diacritics
from htxsearch.text.sentences import Span

__all__ = [
    "FactMeasures",
    "JudgedArticle",
    "SeriesMeasures",
    "SeriesQuestion",
    "agreements",
    "agrees",
    "is_row",
    "measure_facts",
    "measure_series",
    "read_judged_facts",
    "read_series",
    "same_head",
    "same_place",
    "snapshot_of",
]

_DETAILS = ("status", "qualifier", "as_of", "place", "indicator", "subject")


class JudgedArticle(NamedTuple):
    """An article with its judged facts, and the spans of the numbers that are none.

    All spans are into `body`.
    """

    id: str
    title: str
    body: str
    date: date | None
    place: str | None
    facts: list[dict[str, Any]]
    not_facts: list[dict[str, Any]]


class SeriesMeasures(NamedTuple):
    """Questions for several figures.

    They are the share of the judged rows found, and of the rows found that are not judged.
    """

    questions: int
    rows_found: float
    rows_wrong: float


class FactMeasures(NamedTuple):
    """The measures of detection and of the details of facts.

    Detection has precision, recall, and the share of not-facts taken for facts; each detail the share right of the hits.
    """

    articles: int
    facts: int
    precision: float
    recall: float
    false_alarms: float
    details: dict[str, float]


def read_judged_facts(folder: Path, corpus: Path | None) -> list[JudgedArticle]:
    """Return the judged articles of a folder.

    Raises UsageError if it is no such folder, or an article is missing.
    """
    if not (folder / "facts.jsonl").is_file():
        raise UsageError("eval.no-facts", folder=str(folder))
    facts: dict[str, list[dict[str, Any]]] = {}
    for fact in _lines(folder / "facts.jsonl"):
        facts.setdefault(fact["article"], []).append(fact)
    none = {line["article"]: line["not_facts"] for line in _lines(folder / "not_facts.jsonl")}
    texts = _texts(folder, corpus, facts.keys() | none.keys())
    missing = sorted((facts.keys() | none.keys()) - texts.keys())
    if missing:
        raise UsageError("eval.no-article", folder=str(folder), article=missing[0])
    return [JudgedArticle(one, *texts[one], facts.get(one, []), none.get(one, [])) for one in sorted(texts)]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


_Text = tuple[str, str, date | None, str | None]


def _texts(folder: Path, corpus: Path | None, wanted: "set[str]") -> dict[str, _Text]:
    """Return title, body, date and place of each wanted article."""
    texts: dict[str, _Text] = {}
    if (folder / "corpus.jsonl").is_file():
        for line in _lines(folder / "corpus.jsonl"):
            day = date.fromisoformat(line["date"]) if line.get("date") else None
            texts[line["_id"]] = (nfc(line["title"]), nfc(line["text"]), day, line.get("place"))
    elif (folder.parent.parent / "seeds").is_dir():
        data = folder.parent.parent
        for path in sorted((data / "seeds").glob("*.txt")):
            read = next(one for one in articles_of(SourceFile(path, path.name)) if isinstance(one, Article))
            texts[f"seeds/{path.name}"] = (read.title, path.read_bytes().decode(), read.date, read.place)
        for line in _lines(data / "news" / "htx-news.jsonl.xz"):
            texts[line["id"]] = (line["title"], line["text"], None, None)
    elif corpus is not None:
        for source in source_files(corpus)[0]:
            for one in articles_of(source):
                if isinstance(one, Article):
                    texts[one.id] = (one.title, one.body, one.date, one.place)
    return {one: texts[one] for one in wanted if one in texts}


def measure_facts(articles: list[JudgedArticle], extract: Callable[[JudgedArticle], list[Fact]] | None = None) -> FactMeasures:
    """Return the measures over articles.

    Judged facts that may be left out count for no recall.
    """
    extract = extract or (lambda one: extract_facts(one.title, one.body, published=one.date, place=one.place))
    counts: Counter[str] = Counter()
    for article in articles:
        found = extract(article)
        used: set[int] = set()
        for judged in article.facts:
            number = next((n for n, fact in enumerate(found) if n not in used and agrees(fact, judged)), None)
            counts["facts"] += number is not None or "may be left out" not in (judged.get("note") or "")
            if number is not None:
                used.add(number)
                counts["hits"] += 1
                counts.update(name for name, right in agreements(found[number], judged).items() if right)
        counts["found"] += len(found)
        counts["none"] += len(article.not_facts)
        counts["alarms"] += sum(
            n not in used and any(_overlap(fact, one) for one in article.not_facts) for n, fact in enumerate(found)
        )
    hits = counts["hits"]
    return FactMeasures(
        articles=len(articles),
        facts=counts["facts"],
        precision=hits / max(1, counts["found"]),
        recall=hits / max(1, counts["facts"]),
        false_alarms=counts["alarms"] / max(1, counts["none"]),
        details={name: counts[name] / max(1, hits) for name in _DETAILS},
    )


class SeriesQuestion(NamedTuple):
    """A question for several figures, with the places of those that answer it."""

    text: str
    rows: list[dict[str, Any]]


def read_series(folder: Path) -> list[SeriesQuestion]:
    """Return the questions of `series.jsonl`, none without the file."""
    if not (folder / "series.jsonl").is_file():
        return []
    return [SeriesQuestion(nfc(line["question"]), line["rows"]) for line in _lines(folder / "series.jsonl")]


def snapshot_of(articles: list[JudgedArticle]) -> Snapshot:
    """Return the snapshot of an index of judged articles."""
    engine = MemoryEngine()
    writer = engine.writer()
    for one in articles:
        writer.replace(
            document_of(Article(id=one.id, title=one.title, body=one.body, path=one.id, date=one.date, place=one.place))
        )
    writer.commit(blobs({}, settled=True))
    return Snapshot(engine)


def measure_series(folder: Path, articles: list[JudgedArticle]) -> SeriesMeasures | None:
    """Return the measures of the questions of `series.jsonl`.

    They are asked of an index of the judged articles. The result is None without the file.
    """
    questions = read_series(folder)
    if not questions:
        return None
    snapshot = snapshot_of(articles)
    counts: Counter[str] = Counter()
    for question in questions:
        rows = [fact for fact in facts_in_words(snapshot, question.text) if fact.is_asked]
        counts["questions"] += 1
        counts["judged"] += len(question.rows)
        counts["rows"] += len(rows)
        counts["found"] += sum(any(is_row(row, judged) for row in rows) for judged in question.rows)
        counts["wrong"] += sum(not any(is_row(row, judged) for judged in question.rows) for row in rows)
    return SeriesMeasures(
        counts["questions"], counts["found"] / max(1, counts["judged"]), counts["wrong"] / max(1, counts["rows"])
    )


def is_row(found: FoundFact, judged: Mapping[str, Any]) -> bool:
    """Return True if a fact is a judged row, or its article repeats it there."""
    spans = (Span(found.fact.start, found.fact.end), *found.repeats)
    return found.article_id == judged["article"] and any(
        span.start < judged["end"] and judged["start"] < span.end for span in spans
    )


def _overlap(fact: Fact, judged: Mapping[str, Any]) -> bool:
    return bool(fact.start < judged["end"] and judged["start"] < fact.end)


def agrees(fact: Fact, judged: Mapping[str, Any]) -> bool:
    """Return True if spans overlap and value and unit agree.

    A third may be a ratio or a percentage.
    """
    value = judged["value"] if isinstance(judged["value"], list) else [judged["value"]] * 2
    same = all(
        abs(own - wanted) <= 1e-3 * max(1, abs(wanted)) for own, wanted in zip((fact.low, fact.high), value, strict=True)
    )
    units = {fact.unit.lower(), (judged["unit"] or "").lower()}
    return _overlap(fact, judged) and same and (len(units) == 1 or units == {"người", "học viên"})


def agreements(fact: Fact, judged: Mapping[str, Any]) -> dict[str, bool]:
    """Return whether each detail of a fact is right.

    Places are compared by their smallest part without its kind, indicators by the first term of the judged one.
    """
    return {
        "status": fact.status == judged["status"],
        "qualifier": fact.qualifier == judged["qualifier"],
        "as_of": fact.as_of == judged["as_of"],
        "place": same_place(fact.place, judged["place"]),
        "indicator": same_head(fact.indicator, judged["indicator"]),
        "subject": (fact.subject is None) == (judged["subject"] is None),
    }


_KINDS = tuple(f"{kind} " for kind in "tinh|thanh pho|tp|huyen|quan|thi xa|xa|phuong|thi tran|vung|khu vuc|cac tinh".split("|"))
_SHORT = {"dbscl": "dong bang song cuu long", "hcm": "ho chi minh"}


def same_place(one: str | None, other: str | None) -> bool:
    """Return True if two places as written are the same.

    Their kind and the larger places behind them do not matter.
    """
    return _plain_place(one) == _plain_place(other)


def _plain_place(name: str | None) -> str:
    plain = " ".join(strip_diacritics(name or "").lower().replace(".", " ").split(",")[0].split())
    for kind in _KINDS:
        plain = plain.removeprefix(kind)
    return _SHORT.get(plain, plain)


def same_head(own: str, judged: str) -> bool:
    """Return True if an indicator has the first term of the judged one.

    So is one that has no term that the judged one lacks.
    """
    first = next((word for word in judged.split() if indicator_terms(word)), judged)
    return bool(indicator_terms(judged) & indicator_terms(own)) and (
        indicator_terms(first) <= indicator_terms(own) or indicator_terms(own) <= indicator_terms(judged)
    )
