"""What the index answers with: plain values, and the one way each becomes JSON.

Every span is into the text as written: `article.body[p.start:p.end] == p.text`, and a highlight
is a span into its passage's text. Dates are ISO in JSON; what is not known is null.
"""

import datetime
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from htxsearch.indexing.catalogue import Report, ShortForm
from htxsearch.indexing.embeddings import EncodeReport
from htxsearch.ingest.article import Article
from htxsearch.query.expand import Expansion
from htxsearch.search.reprint_differences import Difference
from htxsearch.text.date_mentions import DateMention, date_mentions
from htxsearch.text.document_numbers import DocumentNumber, document_numbers
from htxsearch.text.places import province_now
from htxsearch.text.sentences import Span

if TYPE_CHECKING:
    from htxsearch.indexing.catalogue import Additions

__all__ = [
    "Answer",
    "Answers",
    "ArticleView",
    "Info",
    "Passage",
    "RelatedArticle",
    "RelatedArticles",
    "Reprint",
    "Reprints",
    "Results",
    "SearchHit",
    "additions_json",
    "by_province",
    "report_json",
]


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of sentences of an article: `body[start:end] == text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reprint:
    """One of the articles that print the same text; `differences`, if asked for, are between another one and it."""

    article_id: str
    title: str
    date: datetime.date | None
    source: str | None
    differences: tuple[Difference, ...] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the reprint as JSON values; "here" in a difference is the article asked about, "there" this one."""
        found: dict[str, Any] = {
            "article_id": self.article_id,
            "title": self.title,
            "date": _iso(self.date),
            "source": self.source,
        }
        if self.differences is not None:
            found["differences"] = [one._asdict() for one in self.differences]
        return found


@dataclass(frozen=True, slots=True)
class Reprints:
    """An article, and the others that print the same text: the earliest first, those without a date last."""

    article: Reprint
    others: tuple[Reprint, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the group as JSON values."""
        return {**self.article.as_json(), "reprints": [one.as_json() for one in self.others]}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """One passage found, with its article.

    `reprints` are the other articles with the same text that are not hits of their own, the earliest first.
    Only if asked for, `parts` says what each feature of stage two adds to the score, and `matches` what
    matched in stage one, and how much that scored there.
    """

    article_id: str
    title: str
    source: str | None
    date: datetime.date | None
    place: str | None
    path: str
    url: str | None
    score: float
    passage: Passage
    highlights: tuple[Span, ...]
    title_highlights: tuple[Span, ...] = ()
    parts: tuple[tuple[str, float], ...] = ()
    matches: tuple[tuple[str, float], ...] = ()
    reprints: tuple[Reprint, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the hit as JSON values."""
        found: dict[str, Any] = {
            "article_id": self.article_id,
            "title": self.title,
            "source": self.source,
            "date": _iso(self.date),
            "place": self.place,
            "path": self.path,
            "url": self.url,
            "score": round(self.score, 6),
            "passage": {"start": self.passage.start, "end": self.passage.end, "text": self.passage.text},
            "highlights": [[span.start, span.end] for span in self.highlights],
            "title_highlights": [[span.start, span.end] for span in self.title_highlights],
            "reprints": [one.as_json() for one in self.reprints],
        }
        if self.parts or self.matches:
            found["explain"] = {
                "features": {name: round(score, 6) for name, score in self.parts},
                "stage_one": [{"matched": what, "score": round(score, 6)} for what, score in self.matches],
            }
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """The answer to a query: hits best first (or newest first), how many there are in all, counts by facet.

    `total` counts the articles that match, each reprint among them, or passages with `all_passages`; so do `facets`. The
    `hits` on all pages together are fewer by the reprints that stand behind others. `hints` say what to try when little or
    nothing was found; `expansions` what each thing typed stood for. `read_as` is the query that was
    asked, if the typed one was raw keystrokes (hopwj tacs xax) or nothing matched but its `correction`;
    `correction` is the query with likely slips mended. `restored` is what syllables typed without marks
    were taken for in ranking, None if none was open. `semantic` is true if the vectors of passages
    took part in the ranking. `answers`, only if asked for, are those to show above the hits of a question.
    """

    query: str
    total: int
    took_ms: float
    hits: tuple[SearchHit, ...]
    facets: Mapping[str, Mapping[str, int]]
    expansions: tuple[Expansion, ...] = ()
    hints: tuple[str, ...] = ()
    read_as: str | None = None
    correction: str | None = None
    restored: str | None = None
    semantic: bool = False
    answers: "Answers | None" = None

    def as_json(self, *, explain: bool = False) -> dict[str, Any]:
        """Return the results as JSON values."""
        found: dict[str, Any] = {
            "query": self.query,
            "total": self.total,
            "took_ms": round(self.took_ms, 3),
            "hits": [hit.as_json() for hit in self.hits],
            "facets": {name: dict(counts) for name, counts in self.facets.items()},
            "hints": list(self.hints),
            "read_as": self.read_as,
            "suggestion": self.correction,
            "semantic": self.semantic,
        }
        if self.answers:
            found["answers"] = self.answers.as_json()
        if explain:
            found["restored"] = self.restored
            found["expansions"] = [
                {"typed": one.typed, "terms": [{"term": term, "weight": weight} for term, weight in one.terms]}
                for one in self.expansions
            ]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A span of an article that answers a question: `body[start:end] == text`, in `sentence`, in `passage`.

    `kind` is what the question asks for, `confidence` the chance that the sentence holds the right answer. `as_of` is
    the period a figure is of, as its sentence names it. `relation` tells, for an answer beside the one given, whether it
    says the "same", something "different" of the same time, or the figure of an "other date"; else it is None.
    """

    text: str
    start: int
    end: int
    kind: str
    confidence: float
    sentence: Passage
    passage: Passage
    article_id: str
    title: str
    date: datetime.date | None
    place: str | None
    as_of: str | None = None
    relation: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the answer as JSON values; "sentence" is its text."""
        found: dict[str, Any] = {
            "text": self.text,
            "start": self.start,
            "end": self.end,
            "kind": self.kind,
            "confidence": round(self.confidence, 4),
            "sentence": self.sentence.text,
            "passage": {"start": self.passage.start, "end": self.passage.end, "text": self.passage.text},
            "article_id": self.article_id,
            "title": self.title,
            "date": _iso(self.date),
            "place": self.place,
            "as_of": self.as_of,
        }
        if self.relation:
            found["relation"] = self.relation
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The answer to a question, None if no span is likely enough; what else was found; the passages nearest to it.

    `others` are of other articles: the same, what differs, other times, newest first. `sentences` are those looked through,
    best first, the answer's own in front. `best` is the likeliest span even where it is not likely enough to be the answer.
    """

    question: str
    answer: Answer | None
    others: tuple[Answer, ...]
    passages: tuple[SearchHit, ...]
    sentences: tuple[str, ...] = ()
    best: Answer | None = None
    read_as: str | None = None
    restored: str | None = None
    hints: tuple[str, ...] = ()
    took_ms: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the answers as JSON values."""
        return {
            "question": self.question,
            "answer": self.answer.as_json() if self.answer else None,
            "others": [one.as_json() for one in self.others],
            "passages": [hit.as_json() for hit in self.passages],
            "read_as": self.read_as,
            "hints": list(self.hints),
            "took_ms": round(self.took_ms, 3),
        }


@dataclass(frozen=True, slots=True)
class ArticleView:
    """An article as it is indexed, and where its passages are."""

    article: Article
    passages: tuple[Span, ...]

    def dates(self) -> list[DateMention]:
        """Return the dates and periods in the article's body."""
        return date_mentions(self.article.body, published=self.article.date)

    def documents(self) -> list[DocumentNumber]:
        """Return the document numbers in the article's body."""
        return document_numbers(self.article.body)

    def as_json(self) -> dict[str, Any]:
        """Return the view as JSON values; "text" is what is indexed, "documents" and "dates" are read from it now."""
        article = self.article
        return {
            "article_id": article.id,
            "title": article.title,
            "date": _iso(article.date),
            "place": article.place,
            "source": article.source,
            "url": article.url,
            "author": article.author,
            "crawled": _iso(article.crawled),
            "place_evidence": article.place_evidence,
            "province_now": province_now(article.place) if article.place else None,
            "path": article.path,
            "text": article.body,
            "passages": [{"start": span.start, "end": span.end} for span in self.passages],
            "documents": [one._asdict() for one in self.documents()],
            "dates": [{**one._asdict(), "first": _iso(one.first), "last": _iso(one.last)} for one in self.dates()],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedArticle:
    """An article like another: cosine in [0, 1], the terms that make it so, and whether it is the same text."""

    article_id: str
    title: str
    date: datetime.date | None
    place: str | None
    source: str | None
    score: float
    terms: tuple[str, ...]
    reprint: bool

    def as_json(self) -> dict[str, Any]:
        """Return the article as JSON values."""
        return {
            "article_id": self.article_id,
            "title": self.title,
            "date": _iso(self.date),
            "place": self.place,
            "source": self.source,
            "score": round(self.score, 6),
            "terms": list(self.terms),
            "reprint": self.reprint,
        }


@dataclass(frozen=True, slots=True)
class RelatedArticles:
    """The articles like one article, most similar first; `article_id` is None for a text that is not indexed."""

    article_id: str | None
    related: tuple[RelatedArticle, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the list as JSON values."""
        return {"article_id": self.article_id, "related": [one.as_json() for one in self.related]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What an index holds. `complete` is false while a run is under way or was cut off; `vectors` counts different texts."""

    index: str
    corpus: str
    engine: str
    segmenter: str
    complete: bool
    articles: int
    passages: int
    vectors: int
    bytes: int
    places: Mapping[str, int]
    sources: Mapping[str, int]
    short_forms: tuple[ShortForm, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the information as JSON values."""
        return {
            "index": self.index,
            "corpus": self.corpus,
            "engine": self.engine,
            "segmenter": self.segmenter,
            "complete": self.complete,
            "articles": self.articles,
            "passages": self.passages,
            "vectors": self.vectors,
            "bytes": self.bytes,
            "places": dict(self.places),
            "sources": dict(self.sources),
            "short_forms": [{"short": one.short, "long": one.long, "article_id": one.article_id} for one in self.short_forms],
        }


def by_province(places: Mapping[str, int], *, others: bool = False) -> dict[str, int]:
    """Return counts of places summed by the province of today, largest first; `others` adds the places that are in none."""
    sums: Counter[str] = Counter()
    for place, count in places.items():
        province = province_now(place) or (place if others else None)
        if province:
            sums[province] += count
    return dict(sums.most_common())


def report_json(report: Report, encoded: EncodeReport | None = None) -> dict[str, Any]:
    """Return what a reindex did as JSON values; "semantic" is null unless passages were read for meaning."""
    return {
        "added": report.added,
        "changed": report.changed,
        "removed": report.removed,
        "unchanged": report.unchanged,
        "renamed": report.renamed,
        "rejected": [{"path": one.path, "reason": one.reason} for one in report.rejected],
        "took_s": round(report.took_s, 3),
        "semantic": encoded and {**asdict(encoded), "took_s": round(encoded.took_s, 3)},
    }


def additions_json(found: "Additions") -> dict[str, Any]:
    """Return what adding did as JSON values; "reindex" is null if there was none."""
    return {
        "taken": [asdict(one) for one in found.taken],
        "refused": [{"source": one.path, "reason": one.reason} for one in found.refused],
        "reindex": found.report and report_json(found.report),
    }


def _iso(day: datetime.date | None) -> str | None:
    return day.isoformat() if day else None
