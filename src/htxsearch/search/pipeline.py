"""From a query to a page of hits: first-stage retrieval, reranking, paging, hints."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import NamedTuple

from htxsearch.engine.contract import Best, Boolean, DisjunctionMax, Engine, Node, Phrase, SearchResult
from htxsearch.errors.messages import Message, message
from htxsearch.query.expand import ExpandedQuery
from htxsearch.query.filters import DateOption, Filter, Match, Sort, check_options, facet_names, filters_of
from htxsearch.query.forgive import Forgiven, forgive
from htxsearch.query.parse import Group, Value, Words, parse
from htxsearch.query.spelling import correction, read_keystrokes
from htxsearch.search.hits import (
    earliest,
    first_of_articles,
    first_of_texts,
    own_documents,
    own_first,
    search_hit,
    titled_as_asked,
    titled_first,
)
from htxsearch.search.near import EVERYTHING, NearLine, near_line
from htxsearch.search.rerank import DEPTH, DenseRetrieval, Ranked, Reranked, first_stage_only, rerank
from htxsearch.search.results import Results, by_province
from htxsearch.search.snapshot import ReprintGroups, Snapshot, StoredArticles
from htxsearch.text.normalize import has_diacritics
from htxsearch.text.places import canonical_place, province_now, similar_province
from htxsearch.text.stopwords import is_interrogative, is_stop_word

__all__ = ["Retrieval", "SearchPage", "SearchRequest", "first_stage", "hints", "is_running_words", "search"]


_KEPT_LINES = 256
"""Queries whose line between near and far articles is kept, for their pages, filters and facets."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A query with the options that narrow, sort and page its hits.

    `Index.search` describes each option; `read` is the query with its slips mended.

    Raises QuerySyntaxError for a query without anything to look for, or with a slip if `strict`, UsageError for an option out
    of range.
    """

    query: str
    _: KW_ONLY
    place: str | Sequence[str] = ()
    source: str | Sequence[str] = ()
    since: DateOption = None
    until: DateOption = None
    limit: int = 10
    offset: int = 0
    sort: Sort = "score"
    match: Match = "most"
    strict: bool = False
    facets: str | Sequence[str] = ()
    all_passages: bool = False
    all_reprints: bool = False
    explain: bool = False
    read: Forgiven = field(init=False, repr=False)
    filters: tuple[Filter, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_options(self.limit, self.offset, self.sort, self.match)
        object.__setattr__(self, "facets", facet_names(self.facets))
        object.__setattr__(self, "read", Forgiven(self.query, parse(self.query)) if self.strict else forgive(self.query))
        object.__setattr__(self, "filters", filters_of(self.place, self.source, self.since, self.until))

    @property
    def end(self) -> int:
        """The number of hits up to the end of the page."""
        return self.offset + self.limit


class Retrieval(NamedTuple):
    """The best passages of a query by first-stage retrieval, ungrouped, and the query.

    The query is given as read and expanded.
    """

    read_as: str
    query: ExpandedQuery
    filters: tuple[Filter, ...]
    result: SearchResult


class SearchPage(NamedTuple):
    """The results of a request, with their retrieval and reranking.

    Results sorted by date have neither retrieval nor reranking.
    """

    results: Results
    retrieval: Retrieval | None = None
    reranked: Reranked | None = None
    is_dense: bool = False


def first_stage(snapshot: Snapshot, read_as: str, filters: tuple[Filter, ...] = ()) -> Retrieval:
    """Return the best passages of a query by first-stage retrieval.

    The query is read by `read_keystrokes`. Raises QuerySyntaxError.
    """
    query = snapshot.expander.expand(parse(read_as), filters)
    return _first_stage(snapshot.engine, read_as, query, filters, count=False)


def _first_stage(
    engine: Engine,
    read_as: str,
    query: ExpandedQuery,
    filters: tuple[Filter, ...],
    *,
    facets: Sequence[str] = (),
    explain: bool = False,
    count: bool = True,
) -> Retrieval:
    result = engine.search(query.node, limit=DEPTH, per_article=False, facets=facets, explain=explain, count=count)
    return Retrieval(read_as, query, filters, result)


def search(snapshot: Snapshot, request: SearchRequest, dense: DenseRetrieval | None = None) -> SearchPage:
    """Return the page of results that is asked for; `took_ms` in it is 0.

    A query typed with an input method off is read as meant. Where nothing matches, its correction is searched instead.
    """
    engine = snapshot.engine
    plain = request.read.query
    read_as = read_keystrokes(plain, engine)
    tree = request.read.tree if read_as == plain else parse(read_as)
    page = _page(snapshot, read_as, tree, request, dense)
    corrected = correction(read_as, engine)
    if corrected and not page.results.total:
        again = _page(snapshot, corrected, parse(corrected), request, dense)
        if again.results.total:
            page, read_as = again, corrected
    results = replace(
        page.results,
        query=request.query,
        read_as=read_as if read_as != plain else None,
        correction=corrected,
        hints=(*request.read.notes, *page.results.hints),
    )
    return page._replace(results=results)


def _page(snapshot: Snapshot, read_as: str, tree: Group, request: SearchRequest, dense: DenseRetrieval | None) -> SearchPage:
    """Return the page of a query as it is read.

    A query of filters alone has no score and is sorted by date.
    """
    query = snapshot.expander.expand(tree, request.filters, every_word=request.match == "all")
    if not _scores(query.node):
        return SearchPage(_by_date(snapshot, read_as, query, request, EVERYTHING))
    dense = dense and dense._replace(adds=not request.filters and is_running_words(tree))
    if request.sort == "date":
        return SearchPage(_by_date(snapshot, read_as, query, request, _line(snapshot, read_as, tree, request, dense)))
    facets = () if _has_line(request, tree) else _engine_facets(request)
    retrieval = _first_stage(snapshot.engine, read_as, query, request.filters, facets=facets, explain=request.explain)
    reranked = rerank(snapshot.engine, query.terms, read_as, retrieval.result.hits, dense)
    line = _line(snapshot, read_as, tree, request, dense, None if request.filters else (query, reranked))
    groups = _groups(snapshot, request)
    counted = retrieval.result if line.everything else _count(snapshot.engine, query, line, request)
    articles = snapshot.articles
    query = query.without_highlights(reranked.unlikely)
    best = own_first(titled_first(reranked.ranked, query.terms), query.tree, articles)
    ranked, is_near = _ranked(snapshot.engine, query, best, request, groups, line)
    page = (ranked if request.all_passages else first_of_texts(ranked, groups))[request.offset : request.end]
    shown = [earliest(passage, ranked, query, articles, groups) for passage in page]
    results = _results(retrieval.result, counted, read_as, query, request, shown, is_near, articles, groups)
    total = max(results.total, len(ranked), results.near)
    results = replace(results, total=total, restored=reranked.restored, semantic=dense is not None)
    return SearchPage(results, retrieval, reranked, dense is not None)


def _line(
    snapshot: Snapshot,
    read_as: str,
    tree: Group,
    request: SearchRequest,
    dense: DenseRetrieval | None,
    ranking: tuple[ExpandedQuery, Reranked] | None = None,
) -> NearLine:
    """Return the line between near and far articles.

    Filters of the request do not move it.

    `ranking` is the query without filters and its reranked passages, if they are known.
    """
    if not _has_line(request, tree):
        return EVERYTHING
    key = (read_as, dense is not None)
    if ranking is None and key in snapshot.lines:
        return snapshot.lines[key]
    if ranking is None:
        query = snapshot.expander.expand(tree)
        hits = _first_stage(snapshot.engine, read_as, query, (), count=False).result.hits
        ranking = query, rerank(snapshot.engine, query.terms, read_as, hits, dense)
    query, reranked = ranking
    if len(snapshot.lines) >= _KEPT_LINES:
        snapshot.lines.clear()
    line = near_line(query.node, query.concept, reranked.ranked)
    own = [*own_documents(reranked.ranked, tree, snapshot.articles), *titled_as_asked(reranked.ranked, query.terms)]
    snapshot.lines[key] = line = line.including(frozenset(passage.hit.article_id for passage in own))
    return line


def _has_line(request: SearchRequest, tree: Group) -> bool:
    """Return False if all that match are near."""
    return request.match == "most" and any(
        clause.occur == "should" and isinstance(clause.operand, Words) for clause in tree.clauses
    )


def _by_date(snapshot: Snapshot, read_as: str, query: ExpandedQuery, request: SearchRequest, line: NearLine) -> Results:
    """Return the page of the newest near articles, then the newest far ones."""
    engine = snapshot.engine
    groups = _groups(snapshot, request)
    counted = _count(engine, query, line, request)
    ranked: list[Ranked] = []
    near: set[str] = set()
    for node in line.nodes(query.node):
        if len(ranked if request.all_passages else first_of_texts(ranked, groups)) < request.end:
            limit = request.end + groups.spare
            result = engine.search(
                node, limit=limit, per_article=not request.all_passages, by_date=True, explain=request.explain
            )
            near = near or {hit.article_id for hit in result.hits}
            ranked += map(first_stage_only, result.hits)
    page = (ranked if request.all_passages else first_of_texts(ranked, groups))[request.offset : request.end]
    every = counted if line.everything else engine.search(query.node, limit=0, per_article=not request.all_passages)
    return _results(every, counted, read_as, query, request, page, near, snapshot.articles, groups)


def _count(engine: Engine, query: ExpandedQuery, line: NearLine, request: SearchRequest) -> SearchResult:
    """Return the number of near articles, or passages, and their facets."""
    facets = _engine_facets(request)
    if request.sort == "date":
        facets = tuple(dict.fromkeys((*facets, "year")))
    per_article = not request.all_passages
    if line.everything:
        return engine.search(query.node, limit=0, per_article=per_article, facets=facets)
    if line.beyond is None and per_article and not (request.filters or facets):
        return SearchResult(len(line.near), len(line.near), (), {})
    near, filters = line.node(), query.node.must[1:]
    narrowed = Boolean((query.node, near)) if request.all_passages else Boolean((near, *filters))
    return engine.search(narrowed, limit=0, per_article=per_article, facets=facets)


def _results(
    result: SearchResult,
    counted: SearchResult,
    read_as: str,
    query: ExpandedQuery,
    request: SearchRequest,
    shown: Sequence[Ranked],
    near: Container[str],
    articles: StoredArticles,
    groups: ReprintGroups,
) -> Results:
    """Return the results of a page of ranked passages.

    `result` counts all that match, `counted` and its facets the near articles, whose ids `near` contains.
    """
    hits = (
        search_hit(passage, query, articles, groups, explain=request.explain, near=passage.hit.article_id in near)
        for passage in shown
    )
    years = counted.facets.get("year")
    return Results(
        query=read_as,
        total=result.total if request.all_passages else result.articles,
        near=counted.total if request.all_passages else counted.articles,
        undated=None if years is None else counted.articles - sum(years.values()),
        took_ms=0.0,
        hits=tuple(hits),
        facets={name: _facet(counted.facets, name) for name in request.facets},
        expansions=query.expansions,
        hints=hints(query, bool(request.filters), nothing=not result.total, articles=articles),
    )


def _groups(snapshot: Snapshot, request: SearchRequest) -> ReprintGroups:
    """Return the groups of articles with the same text.

    There are none where each of these articles is to be a hit of its own.
    """
    return ReprintGroups({}) if request.all_reprints or request.all_passages else snapshot.reprint_groups


def _ranked(
    engine: Engine,
    query: ExpandedQuery,
    best: Sequence[Ranked],
    request: SearchRequest,
    groups: ReprintGroups,
    line: NearLine,
) -> tuple[list[Ranked], Container[str]]:
    """Return each article's best passage, and the ids of near articles.

    The passages go at least to the end of the page.

    Near articles come first. In both parts the reranked passages come before the rest of first-stage retrieval in its order;
    the scores of the rest are below the last reranked score, with the distances of first-stage retrieval.
    """
    all_passages = request.all_passages
    reranked = list(best) if all_passages else first_of_articles(best)
    near = line.among(engine, [passage.hit.article_id for passage in reranked])
    known = {_identity(passage, all_passages) for passage in reranked}
    ranked: list[Ranked] = []
    for part, node in enumerate(line.nodes(query.node)):
        ranked += [passage for passage in reranked if (passage.hit.article_id in near) == (part == 0)]
        is_all = len(best) < DEPTH or (part == 0 and line.is_known)
        if not is_all and len(ranked if all_passages else first_of_texts(ranked, groups)) < request.end:
            limit = request.end + DEPTH + groups.spare
            result = engine.search(node, limit=limit, per_article=not all_passages, explain=request.explain)
            rest = [passage for passage in map(first_stage_only, result.hits) if _identity(passage, all_passages) not in known]
            ranked += _below(reranked[-1].score, rest)
            near |= {passage.hit.article_id for passage in rest} if part == 0 else set()
    return ranked, near


def _below(last: float, rest: Sequence[Ranked]) -> list[Ranked]:
    """Return first-stage passages with scores below the last reranked one."""
    scores = [last + passage.score - rest[0].score for passage in rest]
    return [Ranked(passage.hit, score, (("stage_one", score),)) for passage, score in zip(rest, scores, strict=True)]


def _identity(ranked: Ranked, all_passages: bool) -> tuple[str, int]:
    return ranked.hit.article_id, ranked.hit.passage if all_passages else 0


def _engine_facets(request: SearchRequest) -> tuple[str, ...]:
    """Return the facets an engine counts for a request: provinces are sums of places."""
    return tuple(dict.fromkeys("place" if name == "province" else name for name in request.facets))


def _facet(facets: Mapping[str, Mapping[str, int]], name: str) -> Mapping[str, int]:
    """Return the counts of a facet, the greatest first, years in their order.

    "province" leaves out articles of a place that is in no province.
    """
    counts = facets[name] if name != "province" else by_province(facets["place"])
    return dict(sorted(counts.items(), key=lambda one: one[0] if name == "year" else (-one[1], one[0])))


def _scores(node: Node) -> bool:
    """Return True if any part of a query can score."""
    if isinstance(node, Boolean):
        return any(_scores(child) for child in node.must + node.should)
    if isinstance(node, Best):
        return any(map(_scores, node.nodes))
    return isinstance(node, DisjunctionMax | Phrase)


def is_running_words(tree: Group) -> bool:
    """Return True for a query of running words alone.

    A passage without any of these words may still be relevant.
    """
    return all(clause.occur == "should" and isinstance(clause.operand, Words) for clause in tree.clauses)


def hints(query: ExpandedQuery, filtered: bool, *, nothing: bool, articles: StoredArticles) -> tuple[Message, ...]:
    """Return the parts of a query that no article has, and other ways to search.

    Of an index without articles only that is said. Stop words and the words that ask (ai, nào) are no such parts. Other ways to
    search are given if nothing was found.
    """
    if nothing and articles.is_empty():
        return (message("hint.empty-index"),)
    messages: list[Message] = []
    unknown = [term for term in dict.fromkeys(query.unknown) if not (is_stop_word(term) or is_interrogative(term))]
    if unknown:
        messages.append(message("hint.unknown-terms", terms=tuple(unknown)))
        if any(map(has_diacritics, unknown)):
            messages.append(message("hint.without-diacritics"))
    messages += [_unknown_value(value) for value in query.unknown_values]
    messages += dict.fromkeys(query.notes)
    if not nothing:
        return tuple(messages)
    if filtered:
        messages.append(message("hint.fewer-filters"))
    if any(clause.occur != "should" for clause in query.tree.clauses):
        messages.append(message("hint.plain-words"))
    return tuple(messages) or (message("hint.other-words"),)


def _unknown_value(value: Value) -> Message:
    if value.field == "source":
        return message("hint.unknown-source", source=value.value)
    known = province_now(canonical_place(value.value))
    near = None if known else similar_province(value.value)
    if near:
        return message("hint.unknown-place-near", place=value.value, near=near)
    return message("hint.unknown-place", place=value.value)
