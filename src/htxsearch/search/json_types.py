"""The JSON of every answer: its keys in order, their types and bounds.

The OpenAPI document is made from these types. Each type has the name of the value it is the JSON of, and takes
that value's attributes of the same names; a rounded number is rounded here. A field with a default is left out of
the JSON where it has that value. Dates are ISO. `msgspec` is imported with this module (7 ms), therefore only where
JSON is asked for. The module is long, for these types are one list.
"""

import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from htxsearch.text.places import province_now

if TYPE_CHECKING:
    from htxsearch.search import results as values

__all__ = [
    "Answer",
    "Answers",
    "ArticleView",
    "DateMention",
    "Difference",
    "DocumentNumber",
    "DroppedPiece",
    "Expansion",
    "Explanation",
    "Matched",
    "Passage",
    "PassageSpan",
    "RelatedArticle",
    "RelatedArticles",
    "Reprint",
    "Reprints",
    "Results",
    "SearchHit",
    "Suggestion",
    "WeightedTerm",
    "article_document",
    "json_type_of",
    "reprints_document",
    "results_document",
    "to_json",
]

_SCORE_DIGITS = 6
_TIME_DIGITS = 3
_CONFIDENCE_DIGITS = 4

_Count = Annotated[int, Meta(ge=0)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Page = Annotated[int, Meta(ge=1)]
_Span = Annotated[list[_Count], Meta(min_length=2, max_length=2)]
_Day = datetime.date | None


class _Object(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An object with the keys of its fields and no other."""


class Passage(_Object):
    """A run of sentences of an article: `body[start:end] == text`."""

    start: _Count
    end: _Count
    text: str


class Difference(_Object):
    """A sentence here, its counterpart there, and the figures that only one has."""

    here: str | None
    there: str | None
    only_here: list[str]
    only_there: list[str]


class Reprint(_Object):
    """A reprint of the article asked about: "there" in a difference, the other "here"."""

    article_id: str
    title: str
    date: _Day
    source: str | None
    differences: list[Difference] | None = None


class Reprints(_Object):
    """An article and those with its text, earliest first, those without a date last."""

    article_id: str
    title: str
    date: _Day
    source: str | None
    reprints: list[Reprint]


class Matched(_Object):
    """A part of the query that matched in first-stage retrieval, and its score there."""

    matched: str
    score: float

    def __post_init__(self) -> None:
        self.score = round(self.score, _SCORE_DIGITS)


class Explanation(_Object):
    """The parts of a score by feature in reranking, and the first-stage matches."""

    features: dict[str, float]
    stage_one: list[Matched]

    def __post_init__(self) -> None:
        self.features = {name: round(score, _SCORE_DIGITS) for name, score in self.features.items()}


class SearchHit(_Object):
    """A passage with its article; highlights are spans into the passage and the title.

    "page", from 1, has the first highlight; it is there only for files with pages.
    """

    article_id: str
    title: str
    source: str | None
    date: _Day
    place: str | None
    path: str
    url: str | None
    score: float
    near: bool
    passage: Passage
    highlights: list[_Span]
    title_highlights: list[_Span]
    reprints: list[Reprint]
    page: _Page | None = None
    ocr: _Share | None = None
    explain: Explanation | None = None

    def __post_init__(self) -> None:
        self.score = round(self.score, _SCORE_DIGITS)


class WeightedTerm(_Object):
    """An index term, and its weight."""

    term: str
    weight: float


class Expansion(_Object):
    """A part of the query, and the index terms that it stands for."""

    typed: str
    terms: list[WeightedTerm]


class Answer(_Object):
    """A span of an article that answers a question: `body[start:end] == text`."""

    text: str
    start: _Count
    end: _Count
    kind: str
    confidence: _Share
    sentence_text: str = field(name="sentence")
    passage: Passage
    article_id: str
    title: str
    date: _Day
    place: str | None
    as_of: str | None
    relation: Literal["same", "different", "other date"] | None = None
    page: _Page | None = None
    ocr: _Share | None = None

    def __post_init__(self) -> None:
        self.confidence = round(self.confidence, _CONFIDENCE_DIGITS)


class Answers(_Object):
    """The answer to a question, the other articles' answers, and the nearest passages."""

    question: str
    answer: Answer | None
    others: list[Answer]
    passages: list[SearchHit]
    read_as: str | None
    hint_texts: list[str] = field(name="hints")
    took_ms: float

    def __post_init__(self) -> None:
        self.took_ms = round(self.took_ms, _TIME_DIGITS)


class Results(_Object):
    """The hits of a query, the numbers of all and of the near ones, and facets.

    Facets count near articles. "exact" is there only if it is false: there may be more than these numbers.

    "undated" are the near articles without a date, where years are counted or hits sorted by date. "restored" and "expansions"
    are there only if explained.
    """

    query: str
    total: _Count
    near: _Count
    took_ms: float
    hits: list[SearchHit]
    facets: dict[str, dict[str, _Count]]
    hints: list[str]
    read_as: str | None
    suggestion: str | None
    semantic: bool
    answers: Answers | None = None
    undated: _Count | None = None
    exact: bool | None = None
    restored: str | UnsetType | None = UNSET
    expansions: list[Expansion] | UnsetType = UNSET

    def __post_init__(self) -> None:
        self.took_ms = round(self.took_ms, _TIME_DIGITS)


class PassageSpan(_Object):
    """The place of a passage in an article's text."""

    start: _Count
    end: _Count


class DocumentNumber(_Object):
    """A document number in a text.

    "own" is there only if it is that of the document itself.
    """

    start: _Count
    end: _Count
    term: str
    normal: str
    kind: str | None
    number: _Count
    year: int | None
    issuer: str | None
    own: bool | None = None


class DateMention(_Object):
    """A date or period in a text."""

    start: _Count
    end: _Count
    first: _Day
    last: _Day
    kind: str


class DroppedPiece(_Object):
    """A piece of an article's original that was left out, and why."""

    text: str
    reason: str


class ArticleView(_Object):
    """An article as it is indexed; "documents" and "dates" are read from its text.

    "number", its own number, and "signer" are there only if an official document has them. "pages" has the offset at which
    each page begins, for files that have pages; "ocr" is the confidence of those read from pictures.
    """

    article_id: str
    title: str
    date: _Day
    place: str | None
    source: str | None
    url: str | None
    author: str | None
    crawled: _Day
    place_evidence: str | None
    province_now: str | None
    path: str
    text: str
    passages: list[PassageSpan]
    documents: list[DocumentNumber]
    dates: list[DateMention]
    number: str | None = None
    signer: str | None = None
    pages: list[_Count] | UnsetType = UNSET
    ocr: _Share | UnsetType = UNSET
    dropped: list[DroppedPiece] | UnsetType = UNSET
    reprints: list[Reprint] | UnsetType = UNSET


class RelatedArticle(_Object):
    """An article like another, and the terms they share."""

    article_id: str
    title: str
    date: _Day
    place: str | None
    source: str | None
    score: float
    terms: list[str]
    reprint: bool

    def __post_init__(self) -> None:
        self.score = round(self.score, _SCORE_DIGITS)


class RelatedArticles(_Object):
    """The articles similar to an article; "article_id" is null for a text not indexed."""

    article_id: str | None
    related: list[RelatedArticle]


class Suggestion(_Object):
    """A completion of an unfinished query, and the number of articles that have it."""

    text: str
    kind: Literal["word", "phrase", "place", "abbreviation", "title"]
    articles: int
    article_id: str | None


_TYPES: dict[str, type[_Object]] = {kind.__name__: kind for kind in (Answer, Answers, RelatedArticles, Reprint, SearchHit)}


def json_type_of(value: object) -> Any:
    """Return a value as the type of its JSON."""
    return msgspec.convert(value, _TYPES[type(value).__name__], from_attributes=True)


def to_json(document: Struct) -> dict[str, Any]:
    """Return a document as JSON values."""
    values: dict[str, Any] = msgspec.to_builtins(document)
    return values


# Documents whose keys are not the attributes of one value


def results_document(results: "values.Results", *, explain: bool) -> Results:
    """Return the JSON document of a search."""
    document = Results(
        query=results.query,
        total=results.total,
        near=results.near,
        undated=results.undated,
        exact=None if results.exact else False,
        took_ms=results.took_ms,
        hits=[json_type_of(hit) for hit in results.hits],
        facets={name: dict(counts) for name, counts in results.facets.items()},
        hints=list(map(str, results.hints)),
        read_as=results.read_as,
        suggestion=results.correction,
        semantic=results.semantic,
        answers=json_type_of(results.answers) if results.answers is not None else None,
    )
    if explain:
        document.restored = results.restored
        document.expansions = [
            Expansion(typed=expansion.typed, terms=[WeightedTerm(term=term, weight=weight) for term, weight in expansion.terms])
            for expansion in results.expansions
        ]
    return document


def reprints_document(group: "values.Reprints") -> Reprints:
    """Return the JSON document of an article's reprints."""
    reprints = [
        Reprint(
            article_id=other.article_id,
            title=other.title,
            date=other.date,
            source=other.source,
            differences=[Difference(**difference._asdict()) for difference in other.differences or ()],
        )
        for other in group.others
    ]
    article = group.article
    return Reprints(
        article_id=article.article_id, title=article.title, date=article.date, source=article.source, reprints=reprints
    )


def article_document(view: "values.ArticleView") -> ArticleView:
    """Return an article's JSON; its document numbers and dates are read from the text."""
    article = view.article
    return ArticleView(
        article_id=article.id,
        title=article.title,
        date=article.date,
        place=article.place,
        source=article.source,
        url=article.url,
        author=article.author,
        crawled=article.crawled,
        place_evidence=article.place_evidence,
        province_now=province_now(article.place) if article.place else None,
        path=article.path,
        text=article.body,
        passages=[PassageSpan(start=span.start, end=span.end) for span in view.passages],
        documents=[DocumentNumber(**number._asdict(), own=view.is_own(number) or None) for number in view.documents()],
        dates=[DateMention(**mention._asdict()) for mention in view.dates()],
        number=article.number,
        signer=article.signer,
        pages=list(article.pages) if article.pages else UNSET,
        ocr=UNSET if article.ocr is None else article.ocr,
    )
