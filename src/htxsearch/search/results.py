"""The values that an index returns, and their JSON.

Results, answers, related articles and reprints can be iterated and counted: their hits, the answer and the other answers, the
related articles, the other articles. Empty ones are false, and answers without an answer.

Every span is into the text as written: `article.body[p.start:p.end] == p.text`, and a highlight
is a span into its passage's text. Dates are ISO in JSON; what is not known is null.
"""

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from htxsearch.errors.messages import Message, message
from htxsearch.query.expand import Expansion
from htxsearch.text.places import province_now
from htxsearch.text.sentences import Span
from htxsearch.values import frozen

if TYPE_CHECKING:  # a query makes none of them
    from htxsearch.indexing.catalogue import Additions, Plan, Report, ShortForm
    from htxsearch.indexing.edits import Edit
    from htxsearch.indexing.embeddings import EncodeReport
    from htxsearch.indexing.findings import CheckReport
    from htxsearch.indexing.progress import IndexingProgress
    from htxsearch.indexing.snapshot_file import SnapshotFile
    from htxsearch.ingest.article import Article, Rejected
    from htxsearch.search.reprint_differences import Difference
    from htxsearch.text.date_mentions import DateMention
    from htxsearch.text.document_numbers import DocumentNumber

__all__ = [
    "Answer",
    "Answers",
    "ArticleView",
    "Info",
    "JsonValue",
    "Passage",
    "RelatedArticle",
    "RelatedArticles",
    "Reprint",
    "Reprints",
    "Results",
    "SearchHit",
    "additions_json",
    "by_province",
    "check_json",
    "edit_json",
    "plan_json",
    "report_json",
    "snapshot_json",
]


class JsonValue:
    """A value that becomes the JSON described by the type of its name in `json_types`."""

    __slots__ = ()

    def as_json(self) -> dict[str, Any]:
        """Return the JSON values."""
        from htxsearch.search import json_types

        return json_types.to_json(json_types.json_type_of(self))


@frozen
class Passage:
    """A run of sentences of an article: `body[start:end] == text`."""

    start: int
    end: int
    text: str


@frozen(kw_only=True)
class Reprint(JsonValue):
    """An article that prints the same text.

    `differences`, if asked for, are between another article and this one.
    """

    article_id: str
    title: str
    date: datetime.date | None
    source: str | None
    differences: "tuple[Difference, ...] | None" = None


@frozen
class Reprints(JsonValue):
    """An article and its reprints.

    Reprints print the article's text. The earliest comes first; those without a date come last.
    """

    article: Reprint
    others: tuple[Reprint, ...]

    def __iter__(self) -> Iterator[Reprint]:
        return iter(self.others)

    def __len__(self) -> int:
        return len(self.others)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON values, in which the article has the others as its "reprints"."""
        from htxsearch.search import json_types

        return json_types.to_json(json_types.reprints_document(self))


@frozen(kw_only=True)
class SearchHit(JsonValue):
    """One passage found, with its article.

    `page` is the page of the first highlight, else of the passage's start, None for files without pages; `ocr` is the
    confidence of an article that was read from pictures, None for others.
    `near` is False for an article that merely shares words with the query.
    `reprints` are the other articles with the same text that are not hits of their own, the earliest first.
    Only if asked for, `parts` says what each feature of the reranker adds to the score, and `matches` what
    matched in first-stage retrieval, and how much that scored there.
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
    near: bool
    highlights: tuple[Span, ...]
    title_highlights: tuple[Span, ...] = ()
    parts: tuple[tuple[str, float], ...] = ()
    matches: tuple[tuple[str, float], ...] = ()
    reprints: tuple[Reprint, ...] = ()
    page: int | None = None
    ocr: float | None = None

    @property
    def explain(self) -> dict[str, Any] | None:
        """The explanation of the score as it is in JSON, None if it was not asked for."""
        if not (self.parts or self.matches):
            return None
        matches = [{"matched": part, "score": score} for part, score in self.matches]
        return {"features": dict(self.parts), "stage_one": matches}


@frozen(kw_only=True)
class Results(JsonValue):
    """The answer to a query: hits, the number of all matches, and counts by facet.

    Hits come best first (or newest first), the near ones before the others.
    `total` counts the articles that match, each reprint among them, or passages with `all_passages`; `near` counts those
    that answer the query and do not merely share words with it. `facets` count near articles, and `undated` those of them
    without a date, where years are counted or sorted by. If not `exact`, there may be more than `total`, and more near ones
    and facets than are counted: an engine that is spread over machines need not count all of very many. The `hits` on all
    pages together are fewer by the reprints that stand behind others. `hints` suggest what to try when little or nothing
    was found; `expansions` give the terms that each typed word stood for. `read_as` is the query that was asked, if the
    typed query was raw keystrokes (hopwj tacs xax) or nothing matched but its `correction`; `correction` is the query with
    likely slips mended. `restored` is the reading in ranking of syllables typed without marks, None if none was open.
    `semantic` is true if the vectors of passages took part in the ranking. `answers`, only if asked for, are those to show
    above the hits of a question.
    """

    query: str
    total: int
    near: int
    took_ms: float
    hits: tuple[SearchHit, ...]
    facets: Mapping[str, Mapping[str, int]]
    undated: int | None = None
    exact: bool = True
    expansions: tuple[Expansion, ...] = ()
    hints: tuple[Message, ...] = ()
    read_as: str | None = None
    correction: str | None = None
    restored: str | None = None
    semantic: bool = False
    answers: "Answers | None" = None

    def shown(self, number: int) -> int | Message:
        """Return `total`, or a part of it, as it is shown: 10,000 or more than 10,000."""
        return number if self.exact else message("count.more-than", count=number)

    def __iter__(self) -> Iterator[SearchHit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)

    def as_json(self, *, explain: bool = False) -> dict[str, Any]:
        """Return the JSON values.

        With `explain`, they also show the query as read and expanded.
        """
        from htxsearch.search import json_types

        return json_types.to_json(json_types.results_document(self, explain=explain))


@frozen(kw_only=True)
class Answer(JsonValue):
    """A span of an article that answers a question.

    `body[start:end] == text`, in `sentence`, in `passage`. `kind` is the kind of answer that the question asks for,
    `confidence` the chance that the sentence holds the right answer. `as_of` is the period a figure is of, as its sentence
    names it. `relation`, for an answer beside the one given, is "same" if it says the same, "different" if it says
    something different of the same time, or "other date" if it gives the figure of another date; else it is None. `page` is
    the page on which it begins, None for files without pages; `ocr` is that of its article.
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
    page: int | None = None
    ocr: float | None = None

    @property
    def sentence_text(self) -> str:
        """The text of the sentence."""
        return self.sentence.text


@frozen(kw_only=True)
class Answers(JsonValue):
    """The answer to a question, the other answers found, and the nearest passages.

    The answer is None if no span is likely enough. The passages are nearest to the question.
    `others` are of other articles: those that say the same, those that differ, those of other times, newest first.
    `sentences` are those looked through, best first, the answer's own in front. `best` is the likeliest span even where
    it is not likely enough to be the answer.
    """

    question: str
    answer: Answer | None
    others: tuple[Answer, ...]
    passages: tuple[SearchHit, ...]
    sentences: tuple[str, ...] = ()
    best: Answer | None = None
    read_as: str | None = None
    restored: str | None = None
    hints: tuple[Message, ...] = ()
    took_ms: float = 0.0

    def __iter__(self) -> Iterator[Answer]:
        return iter((self.answer, *self.others) if self.answer else self.others)

    def __len__(self) -> int:
        return len(self.others) + (self.answer is not None)

    def __bool__(self) -> bool:
        return self.answer is not None

    @property
    def hint_texts(self) -> list[str]:
        """The hints in English."""
        return list(map(str, self.hints))


@frozen
class ArticleView(JsonValue):
    """An article as it is indexed, and where its passages are."""

    article: "Article"
    passages: tuple[Span, ...]

    def dates(self) -> "list[DateMention]":
        """Return the dates and periods in the article's body."""
        from htxsearch.text.date_mentions import date_mentions

        return date_mentions(self.article.body, published=self.article.date)

    def documents(self) -> "list[DocumentNumber]":
        """Return the document numbers in the article's body."""
        from htxsearch.text.document_numbers import document_numbers

        return document_numbers(self.article.body)

    def is_own(self, number: "DocumentNumber") -> bool:
        """Return True if a document number is that of the article itself."""
        from htxsearch.text.official import is_same_number

        return self.article.number is not None and is_same_number(number.normal, self.article.number)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON values; "documents" and "dates" are read from the text now."""
        from htxsearch.search import json_types

        return json_types.to_json(json_types.article_document(self))


@frozen(kw_only=True)
class RelatedArticle:
    """An article similar to another.

    It holds the cosine in [0, 1], the terms that make the articles similar, and whether the text is the same.
    """

    article_id: str
    title: str
    date: datetime.date | None
    place: str | None
    source: str | None
    score: float
    terms: tuple[str, ...]
    reprint: bool


@frozen
class RelatedArticles(JsonValue):
    """The articles similar to an article, most similar first.

    `article_id` is None for a text that is not indexed.
    """

    article_id: str | None
    related: tuple[RelatedArticle, ...]

    def __iter__(self) -> Iterator[RelatedArticle]:
        return iter(self.related)

    def __len__(self) -> int:
        return len(self.related)


@frozen(kw_only=True)
class Info(JsonValue):
    """The contents of an index.

    `complete` is false while a run is under way or was cut off, `indexing` says how far a run is that is under way. `vectors`
    counts different texts. `rejected` could not be read, `ignored` counts the files and folders that a `.htxignore` names.
    `generation` is the number of the last commit; `reindexed` and `took_s` are of the last finished run, None if not known.
    """

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
    short_forms: "tuple[ShortForm, ...]"
    rejected: "tuple[Rejected, ...]" = ()
    ignored: int = 0
    indexing: "IndexingProgress | None" = None
    format: int = 0
    analysis: int = 0
    generation: int = 0
    facts: int = 0
    reindexed: datetime.datetime | None = None
    took_s: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON values."""
        from htxsearch.search.index_json_types import info_document

        return _values(info_document(self))


def by_province(places: Mapping[str, int], *, others: bool = False) -> dict[str, int]:
    """Return counts of places summed by the province of today, largest first.

    `others` adds the places that are in no province.
    """
    sums: Counter[str] = Counter()
    for place, count in places.items():
        province = province_now(place) or (place if others else None)
        if province:
            sums[province] += count
    return dict(sums.most_common())


def report_json(report: "Report", encoded: "EncodeReport | None" = None) -> dict[str, Any]:
    """Return the report of a reindex as JSON values.

    "semantic" is null unless passages were encoded.
    """
    from htxsearch.search.index_json_types import report_document

    return _values(report_document(report, encoded))


def additions_json(additions: "Additions") -> dict[str, Any]:
    """Return the report of an addition as JSON values.

    "reindex" is null if there was none.
    """
    from htxsearch.search.index_json_types import additions_document

    return _values(additions_document(additions))


def plan_json(plan: "Plan") -> dict[str, Any]:
    """Return what a reindex would do as JSON values."""
    from htxsearch.search.index_json_types import plan_document

    return _values(plan_document(plan))


def check_json(report: "CheckReport") -> dict[str, Any]:
    """Return what a check of an index found as JSON values."""
    from htxsearch.search.index_json_types import check_document

    return _values(check_document(report))


def snapshot_json(file: "SnapshotFile") -> dict[str, Any]:
    """Return what is in a snapshot as JSON values."""
    from htxsearch.search.index_json_types import snapshot_document

    return _values(snapshot_document(file))


def edit_json(edit: "Edit") -> dict[str, Any]:
    """Return the work of an edit as JSON values."""
    from htxsearch.search.index_json_types import edit_document

    return _values(edit_document(edit))


def _values(document: Any) -> dict[str, Any]:
    from htxsearch.search.json_types import to_json

    return to_json(document)
