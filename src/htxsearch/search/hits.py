"""From ranked passages to hits: a hit per article or per text, with its excerpt.

A document whose own number the query names comes before those that name it.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain

from htxsearch.engine.contract import DateRange, Leaf, Phrase, TermsFilter
from htxsearch.indexing.reprints import holds
from htxsearch.query.expand import ExpandedQuery, QueryTerms
from htxsearch.query.parse import Either, Group, Number, Operand
from htxsearch.search.highlight import highlights
from htxsearch.search.rerank import Ranked
from htxsearch.search.results import Passage, SearchHit
from htxsearch.search.snapshot import ReprintGroups, StoredArticles
from htxsearch.text.document_numbers import number_terms
from htxsearch.text.normalize import canonical_spelling, folded_form

__all__ = [
    "are_of_texts",
    "earliest",
    "first_of_articles",
    "first_of_texts",
    "named_numbers",
    "own_documents",
    "own_first",
    "search_hit",
    "titled_as_asked",
    "titled_first",
]


_KEPT_COPIES = 64
"""Texts whose copies are known: the next page and every filter of a query compares the same ones, 1 ms each."""

_TITLE_TERMS = 4
"""Terms of a query from which an article whose title has all of it is the one that is looked for."""


def titled_first(ranked: Sequence[Ranked], terms: QueryTerms) -> list[Ranked]:
    """Return ranked passages, first those of articles titled as the query.

    Their titles have a long query, word by word, with nothing but stop words between the words: "Quyết định về việc khen
    thưởng" for "quyết định khen thưởng".

    Whoever types so much of a title looks for its article, though its text may not say it again.
    """
    titled = titled_as_asked(ranked, terms)
    others = [passage for passage in ranked if not (passage.match and passage.match.titled)]
    if not (titled and others):
        return list(ranked)
    raised = max(0.0, others[0].score - titled[-1].score + 1.0)
    return [*(one._replace(score=one.score + raised, parts=(*one.parts, ("titled", raised))) for one in titled), *others]


def titled_as_asked(ranked: Sequence[Ranked], terms: QueryTerms) -> list[Ranked]:
    """Return the passages of articles whose title has a long query."""
    is_long = len(terms.terms) >= _TITLE_TERMS
    return [passage for passage in ranked if is_long and passage.match and passage.match.titled]


def own_first(ranked: Sequence[Ranked], query: Group, articles: StoredArticles) -> list[Ranked]:
    """Return ranked passages, first those of documents whose number the query names.

    Their scores are raised above the best of the others by a part "own_number".
    """
    own = own_documents(ranked, query, articles)
    others = [passage for passage in ranked if passage not in own]
    if not (own and others):
        return list(ranked)
    raised = max(0.0, others[0].score - own[-1].score + 1.0)
    return [
        *(one._replace(score=one.score + raised, parts=(*one.parts, ("own_number", raised))) for one in own),
        *others,
    ]


def own_documents(ranked: Sequence[Ranked], query: Group, articles: StoredArticles) -> list[Ranked]:
    """Return the passages of the documents whose own number the query names."""
    wanted = {tuple(map(folded_form, terms)) for terms in named_numbers(query)}
    if not wanted:
        return []
    articles.fetch(passage.hit.article_id for passage in ranked)
    numbers = ((passage, articles[passage.hit.article_id].article.number) for passage in ranked)
    return [passage for passage, number in numbers if number and number_terms(number) in wanted]


def named_numbers(part: Operand) -> Iterator[tuple[str, ...]]:
    """Yield the terms of each document number that a query looks for."""
    match part:
        case Number(terms):
            yield terms
        case Either(operands):
            yield from chain.from_iterable(map(named_numbers, operands))
        case Group(clauses):
            yield from chain.from_iterable(named_numbers(one.operand) for one in clauses if one.occur != "must_not")


def first_of_articles(ranked: Sequence[Ranked]) -> list[Ranked]:
    """Return the first passage of each article, in order."""
    first: dict[str, Ranked] = {}
    for passage in ranked:
        first.setdefault(passage.hit.article_id, passage)
    return list(first.values())


def first_of_texts(ranked: Sequence[Ranked], groups: ReprintGroups) -> list[Ranked]:
    """Return the first passage of each group of articles with the same text, in order."""
    first: dict[str, Ranked] = {}
    for passage in ranked:
        first.setdefault(groups.text(passage.hit.article_id), passage)
    return list(first.values())


def are_of_texts(ranked: Sequence[Ranked], groups: ReprintGroups, least: int) -> bool:
    """Return True if passages are of at least so many different texts."""
    texts: set[str] = set()
    for passage in ranked:
        if len(texts) >= least:
            break
        texts.add(groups.text(passage.hit.article_id))
    return len(texts) >= least


def earliest(
    best: Ranked, ranked: Sequence[Ranked], query: ExpandedQuery, articles: StoredArticles, groups: ReprintGroups
) -> Ranked:
    """Return the best passage of a group's earliest article that answers as well.

    It takes the place of the group's best passage. That article has the text of the best passage, and its own passage
    has all terms of the query that stand in the best passage.
    """
    group = groups.group(best.hit.article_id)
    if len(group) == 1:
        return best
    hits = {passage.hit.article_id: passage.hit for passage in ranked if passage.hit.article_id in group}
    text = articles.passage(best.hit)
    wanted = _highlighted(text, query)
    for article_id in articles.earliest(hits):
        hit = hits[article_id]
        if hit is best.hit or (
            wanted <= _highlighted(articles.passage(hit), query) and _has(articles[article_id].article.body, text)
        ):
            return best._replace(hit=hit)
    return best


@lru_cache(maxsize=_KEPT_COPIES)
def _has(body: str, passage: str) -> bool:
    """Return True if a body has nearly all of a passage; a copy is seen at once."""
    return passage in body or holds(body, passage)


def search_hit(
    ranked: Ranked,
    query: ExpandedQuery,
    articles: StoredArticles,
    groups: ReprintGroups,
    *,
    explain: bool = False,
    near: bool = True,
) -> SearchHit:
    """Return the search hit of a ranked passage.

    The parts of its score are included only to explain it.
    """
    hit = ranked.hit
    stored = articles[hit.article_id]
    article = stored.article
    start, end = stored.passages[hit.passage]
    text = stored.passage(hit.passage)
    marked = highlights(text, query.highlights) or highlights(text, query.faint_highlights, faint=True)
    others = [article_id for article_id in groups.group(hit.article_id) if article_id != hit.article_id]
    return SearchHit(
        article_id=hit.article_id,
        title=article.title,
        source=article.source,
        date=article.date,
        place=article.place,
        path=article.path,
        url=article.url,
        score=ranked.score,
        near=near,
        passage=Passage(start, end, text),
        highlights=tuple(marked),
        title_highlights=tuple(highlights(article.title, query.highlights)),
        parts=ranked.parts if explain else (),
        matches=tuple((_describe(leaf), score) for leaf, score in hit.parts),
        reprints=tuple(map(articles.reprint, articles.earliest(others))),
        page=article.page_at(start + (marked[0].start if marked else 0)),
        ocr=article.ocr,
    )


def _highlighted(text: str, query: ExpandedQuery) -> set[str]:
    return {canonical_spelling(text[start:end].lower()) for start, end in highlights(text, query.highlights)}


def _describe(leaf: Leaf) -> str:
    if isinstance(leaf, TermsFilter):
        return f"{leaf.field}: {', '.join(sorted(leaf.values))}"
    if isinstance(leaf, DateRange):
        return f"date: {leaf.since or ''}..{leaf.until or ''}"
    if isinstance(leaf, Phrase):
        return f'{leaf.field}: "' + " ".join("/".join(slot) for slot in leaf.slots) + '"'
    terms = " | ".join(alternative.term.replace("_", " ") for alternative in leaf.alternatives)
    field = "file name" if terms.startswith("@") else leaf.alternatives[0].field
    return f"{field}: {terms.removeprefix('@')}"
