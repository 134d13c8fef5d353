"""From a query to a page of hits: first-stage retrieval, reranking, paging, hints."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, field, replace
from typing import NamedTuple

from htxsearch.engine.contract import Best, Boolean, DisjunctionMax, Engine, Node, Phrase, Search, SearchResult
from htxsearch.errors.messages import Message, message
from htxsearch.query.expand import ExpandedQuery
from htxsearch.query.filters import DateOption, Filter, Match, Sort, check_options, facet_names, filters_of
from htxsearch.query.forgive import Forgiven, forgive
from htxsearch.query.parse import Group, Value, Words, parse
from htxsearch.query.spelling import Corrector, correction, read_keystrokes
from htxsearch.search.hits import (
    are_of_texts,
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
from htxsearch.search.rerank import DEPTH, DenseRetrieval, Ranked, Reranked, first_stage_only, foreseen_nodes, rerank
from htxsearch.search.results import Results, by_province
from htxsearch.search.snapshot import ReprintGroups, Snapshot, StoredArticles
from htxsearch.text.normalize import has_diacritics
from htxsearch.text.places import canonical_place, province_now, similar_province
from htxsearch.text.stopwords import is_interrogative, is_stop_word
from htxsearch.values import frozen

__all__ = ["Retrieval", "SearchPage", "SearchRequest", "first_stage", "hints", "is_running_words", "near_articles", "search"]


_KEPT_LINES = 256
"""Queries whose line between near and far articles is kept, for their pages, filters and facets."""


@frozen
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


def first_stage(snapshot: Snapshot, read_as: str, filters: tuple[Filter, ...] = (), *, forwards: bool = False) -> Retrieval:
    """Return the best passages of a query by first-stage retrieval.

    The query is read by `read_keystrokes`. With `forwards` come the syllables of their articles, by which they are reranked.
    Raises QuerySyntaxError.
    """
    query = snapshot.expander.expand(parse(read_as), filters)
    snapshot.vocabulary.foresee(foreseen_nodes(query.terms))
    [result] = snapshot.engine.search_many([_first_stage(query, forwards=forwards)])
    return Retrieval(read_as, query, filters, result)


def _first_stage(query: ExpandedQuery, *, forwards: bool = True) -> Search:
    """Return the search for the best passages of a query, of which nothing is counted."""
    return Search(node=query.node, limit=DEPTH, per_article=False, count=False, forwards=forwards)


def search(snapshot: Snapshot, request: SearchRequest, dense: DenseRetrieval | None = None) -> SearchPage:
    """Return the page of results that is asked for; `took_ms` in it is 0.

    A query typed with an input method off is read as meant. Where nothing matches, its correction is searched instead.
    """
    plain = request.read.query
    snapshot.expander.look_up(plain, request.read.tree, request.filters)
    read_as = read_keystrokes(plain, snapshot.vocabulary)
    tree = request.read.tree if read_as == plain else parse(read_as)
    corrector = Corrector(read_as, snapshot.vocabulary)
    page = _page(snapshot, read_as, tree, request, dense, corrector)
    corrected = corrector.correction()
    if corrected and not page.results.total:
        again = _page(snapshot, corrected, parse(corrected), request, dense, corrector)
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


def near_articles(snapshot: Snapshot, request: SearchRequest) -> list[str]:
    """Return the ids of the near articles of a query, the newest by date first.

    They are as many as its limit. Reprints are articles of their own. No passage is read, so that all are found quickly.
    """
    engine, plain = snapshot.engine, request.read.query
    read_as = read_keystrokes(plain, snapshot.vocabulary)
    for reading in filter(None, (read_as, correction(read_as, snapshot.vocabulary))):
        tree = parse(reading)
        query = snapshot.expander.expand(tree, request.filters, every_word=request.match == "all")
        line = _line(snapshot, reading, tree, request, None) if _scores(query.node) else EVERYTHING
        hits = engine.search(line.nodes(query.node)[0], limit=request.limit, per_article=True, by_date=True).hits
        if hits:
            return [hit.article_id for hit in hits]
    return []


def _page(
    snapshot: Snapshot, read_as: str, tree: Group, request: SearchRequest, dense: DenseRetrieval | None, corrector: Corrector
) -> SearchPage:
    """Return the page of a query as it is read.

    A query of filters alone has no score and is sorted by date. What `corrector` will look up goes along.
    """
    corrector.foresee()
    query = snapshot.expander.expand(tree, request.filters, every_word=request.match == "all")
    if not _scores(query.node):
        return SearchPage(_by_date(snapshot, read_as, query, request, EVERYTHING))
    dense = dense and dense._replace(adds=not request.filters and is_running_words(tree))
    if request.sort == "date":
        line = _line(snapshot, read_as, tree, request, dense)
        corrector.foresee()
        return SearchPage(_by_date(snapshot, read_as, query, request, line))
    facets = () if _has_line(request, tree) else _engine_facets(request)
    own = Search(node=query.node, limit=DEPTH, per_article=False, facets=facets, explain=request.explain, forwards=True)
    wide = snapshot.expander.expand(tree) if request.filters and _lacks_line(snapshot, read_as, tree, request, dense) else None
    snapshot.vocabulary.foresee(foreseen_nodes((wide or query).terms))
    result, of_wide = _at_once(snapshot.engine, own, _first_stage(wide) if wide else None)
    assert result
    corrector.foresee()
    retrieval = Retrieval(read_as, query, request.filters, result)
    reranked = rerank(snapshot.vocabulary, query.terms, read_as, result, dense, explain=request.explain)
    ranking = None if request.filters else (query, reranked)
    if wide and of_wide:
        ranking = wide, rerank(snapshot.vocabulary, wide.terms, read_as, of_wide, dense)
    line = _line(snapshot, read_as, tree, request, dense, ranking)
    groups = _groups(snapshot, request)
    articles = snapshot.articles
    query = query.without_highlights(reranked.unlikely)
    best = own_first(titled_first(reranked.ranked, query.terms), query.tree, articles)
    ranked, is_near, counted = _ranked(snapshot.engine, query, best, request, groups, line)
    counted = result if line.everything else counted
    page = (ranked if request.all_passages else first_of_texts(ranked, groups))[request.offset : request.end]
    articles.fetch(groups.members(passage.hit.article_id for passage in page))
    shown = [earliest(passage, ranked, query, articles, groups) for passage in page]
    results = _results(result, counted, read_as, query, request, shown, is_near, articles, groups)
    total = max(results.total, len(ranked), results.near)
    results = replace(results, total=total, restored=reranked.restored, semantic=dense is not None)
    return SearchPage(results, retrieval, reranked, dense is not None)


def _lacks_line(snapshot: Snapshot, read_as: str, tree: Group, request: SearchRequest, dense: DenseRetrieval | None) -> bool:
    """Return True if the line of a query has to be found first."""
    return _has_line(request, tree) and (read_as, dense is not None) not in snapshot.lines


def _line(
    snapshot: Snapshot,
    read_as: str,
    tree: Group,
    request: SearchRequest,
    dense: DenseRetrieval | None,
    ranking: tuple[ExpandedQuery, Reranked] | None = None,
) -> NearLine:
    """Return the line between near and far articles.

    Filters do not move it. `ranking` is the query without filters and its reranked passages, if they are known.
    """
    if not _has_line(request, tree):
        return EVERYTHING
    key = (read_as, dense is not None)
    if ranking is None and key in snapshot.lines:
        return snapshot.lines[key]
    if ranking is None:
        query = snapshot.expander.expand(tree)
        snapshot.vocabulary.foresee(foreseen_nodes(query.terms))
        [result] = snapshot.engine.search_many([_first_stage(query)])
        ranking = query, rerank(snapshot.vocabulary, query.terms, read_as, result, dense)
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
    groups = _groups(snapshot, request)
    near_page, *far_page = (
        Search(
            node=node,
            limit=request.end + groups.spare,
            per_article=not request.all_passages,
            by_date=True,
            explain=request.explain,
            count=False,
            records=True,
        )
        for node in line.nodes(query.node)
    )
    every = None if line.everything else Search(node=query.node, limit=0, per_article=not request.all_passages)
    few_near = line.is_known and (len(line.near) < request.end or request.filters) and not request.all_passages
    ahead = far_page[0] if far_page and few_near else None  # then far ones are needed, too
    counting = _count(query, line, request)
    counted, found, all_found, further = _at_once(snapshot.engine, counting, near_page, every, ahead)
    counted = counted or _known_count(line)
    assert found
    near = {hit.article_id for hit in found.hits}
    ranked = list(map(first_stage_only, found.hits))
    for search in far_page:
        if not (len(ranked) >= request.end if request.all_passages else are_of_texts(ranked, groups, request.end)):
            [further] = [further] if further else snapshot.engine.search_many([search])
            near = near or {hit.article_id for hit in further.hits}
            ranked += map(first_stage_only, further.hits)
    page = (ranked if request.all_passages else first_of_texts(ranked, groups))[request.offset : request.end]
    snapshot.articles.fetch(groups.members(passage.hit.article_id for passage in page))
    return _results(all_found or counted, counted, read_as, query, request, page, near, snapshot.articles, groups)


def _at_once(engine: Engine, *searches: Search | None) -> list[SearchResult | None]:
    """Return the results of searches, None for those that are not needed."""
    needed = [search for search in searches if search]
    results = iter(engine.search_many(needed) if needed else ())
    return [next(results) if search else None for search in searches]


def _count(query: ExpandedQuery, line: NearLine, request: SearchRequest) -> Search | None:
    """Return the search that counts near articles, or passages, and their facets.

    It is None if the line knows the number.
    """
    facets = _engine_facets(request)
    if request.sort == "date":
        facets = tuple(dict.fromkeys((*facets, "year")))
    per_article = not request.all_passages
    if line.everything:
        return Search(node=query.node, limit=0, per_article=per_article, facets=facets)
    if line.beyond is None and per_article and not (request.filters or facets):
        return None
    near, filters = line.node(), query.node.must[1:]
    narrowed = Boolean((query.node, near)) if request.all_passages else Boolean((near, *filters))
    return Search(node=narrowed, limit=0, per_article=per_article, facets=facets)


def _known_count(line: NearLine) -> SearchResult:
    return SearchResult(len(line.near), len(line.near), (), {})


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
        exact=result.exact and counted.exact,
        undated=None if years is None else counted.articles - sum(years.values()),
        took_ms=0.0,
        hits=tuple(hits),
        facets={name: _facet(counted.facets, name) for name in request.facets},
        expansions=query.expansions,
        hints=hints(query, bool(request.filters), nothing=not result.total, articles=articles) + _of_scoring(result, request),
    )


def _of_scoring(result: SearchResult, request: SearchRequest) -> tuple[Message, ...]:
    return (message("hint.best-scored", articles=result.scored),) if request.explain and result.scored else ()


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
) -> tuple[list[Ranked], Container[str], SearchResult]:
    """Return each article's best passage, the ids of near articles, and their number.

    The passages go at least to the end of the page.

    Near articles come first. In both parts the reranked passages come before the rest of first-stage retrieval in its order;
    the scores of the rest are below the last reranked score, with the distances of first-stage retrieval. What is known to be
    needed is searched at once.
    """
    all_passages = request.all_passages

    def is_enough(ranked: Sequence[Ranked]) -> bool:
        return len(ranked) >= request.end and (all_passages or are_of_texts(ranked, groups, request.end))

    reranked = list(best) if all_passages else first_of_articles(best)
    ids = [passage.hit.article_id for passage in reranked]
    rest = [
        Search(
            node=node,
            limit=request.end + DEPTH + groups.spare,
            per_article=not all_passages,
            explain=request.explain,
            count=False,
            records=True,
        )
        for node in line.nodes(query.node)
    ]
    is_all = [len(best) < DEPTH or line.is_known, len(best) < DEPTH]
    perhaps_near = [passage for passage in reranked if passage.hit.article_id not in line.far]
    is_needed = [not is_all[0] and not is_enough(perhaps_near), is_all[0] and not is_all[1] and not is_enough(reranked)]
    engine.foresee(records=groups.members(_first_shown(reranked, request, groups, line)))
    counted, decided, *ahead = _at_once(
        engine,
        None if line.everything else _count(query, line, request),
        line.undecided(ids),
        *(search if is_sure else None for search, is_sure in zip(rest, is_needed, strict=False)),
    )
    near = line.among(ids, decided)
    known = {_identity(passage, all_passages) for passage in reranked}
    ranked: list[Ranked] = []
    for part, (search, result) in enumerate(zip(rest, ahead, strict=True)):
        ranked += [passage for passage in reranked if (passage.hit.article_id in near) == (part == 0)]
        if not (is_all[part] or is_enough(ranked)):
            [found] = [result] if result else engine.search_many([search])
            others = [passage for passage in map(first_stage_only, found.hits) if _identity(passage, all_passages) not in known]
            ranked += _below(reranked[-1].score, others)
            near |= {passage.hit.article_id for passage in others} if part == 0 else set()
    return ranked, near, counted or _known_count(line)


def _first_shown(reranked: Sequence[Ranked], request: SearchRequest, groups: ReprintGroups, line: NearLine) -> Iterator[str]:
    """Yield the articles shown if all that the line does not know is near, or far."""
    near_first = sorted(reranked, key=lambda passage: passage.hit.article_id not in line.near)
    far_last = sorted(reranked, key=lambda passage: passage.hit.article_id in line.far)
    for ordered in (near_first, far_last) if line.beyond else (near_first,):
        shown = ordered if request.all_passages else first_of_texts(ordered, groups)
        yield from (passage.hit.article_id for passage in shown[request.offset : request.end])


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
