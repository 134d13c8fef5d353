"""From a query to a page of hits: first-stage retrieval, reranking, paging, hints."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import NamedTuple

from htxsearch.engine.contract import Best, Boolean, DisjunctionMax, Engine, Node, Phrase, SearchResult
from htxsearch.errors.messages import Message, message
from htxsearch.query.expand import ExpandedQuery
from htxsearch.query.filters import DateOption, Filter, Sort, check_options, facet_names, filters_of
from htxsearch.query.parse import Group, Value, Words, parse
from htxsearch.query.spelling import correction, read_keystrokes
from htxsearch.search.hits import earliest, first_of_articles, first_of_texts, own_first, search_hit
from htxsearch.search.rerank import DEPTH, DenseRetrieval, Ranked, Reranked, first_stage_only, rerank
from htxsearch.search.results import Results, by_province
from htxsearch.search.snapshot import ReprintGroups, Snapshot, StoredArticles
from htxsearch.text.places import canonical_place, province_now, similar_province
from htxsearch.text.stopwords import is_interrogative, is_stop_word

__all__ = ["Retrieval", "SearchPage", "SearchRequest", "first_stage", "hints", "is_running_words", "search"]


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A query with the options that narrow, sort and page its hits.

    `Index.search` describes each option.

    Raises QuerySyntaxError for a query that cannot be parsed, UsageError for an option out of range.
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
    facets: str | Sequence[str] = ()
    all_passages: bool = False
    all_reprints: bool = False
    explain: bool = False
    tree: Group = field(init=False, repr=False)
    filters: tuple[Filter, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_options(self.limit, self.offset, self.sort)
        object.__setattr__(self, "facets", facet_names(self.facets))
        object.__setattr__(self, "tree", parse(self.query))
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
    return _first_stage(snapshot.engine, read_as, query, filters)


def _first_stage(
    engine: Engine,
    read_as: str,
    query: ExpandedQuery,
    filters: tuple[Filter, ...],
    *,
    facets: Sequence[str] = (),
    explain: bool = False,
) -> Retrieval:
    result = engine.search(query.node, limit=DEPTH, per_article=False, facets=facets, explain=explain)
    return Retrieval(read_as, query, filters, result)


def search(snapshot: Snapshot, request: SearchRequest, dense: DenseRetrieval | None = None) -> SearchPage:
    """Return the page of results that is asked for; `took_ms` in it is 0.

    A query typed with an input method off is read as meant. Where nothing matches, its correction is searched instead.
    """
    engine = snapshot.engine
    read_as = read_keystrokes(request.query, engine)
    tree = request.tree if read_as == request.query else parse(read_as)
    page = _page(snapshot, read_as, tree, request, dense)
    corrected = correction(read_as, engine)
    if corrected and not page.results.total:
        again = _page(snapshot, corrected, parse(corrected), request, dense)
        if again.results.total:
            page, read_as = again, corrected
    results = replace(
        page.results, query=request.query, read_as=read_as if read_as != request.query else None, correction=corrected
    )
    return page._replace(results=results)


def _page(snapshot: Snapshot, read_as: str, tree: Group, request: SearchRequest, dense: DenseRetrieval | None) -> SearchPage:
    """Return the page of a query as it is read.

    A query of filters alone has no score and is sorted by date.
    """
    query = snapshot.expander.expand(tree, request.filters)
    if request.sort == "date" or not _scores(query.node):
        return SearchPage(_by_date(snapshot, read_as, query, request))
    retrieval = _first_stage(
        snapshot.engine, read_as, query, request.filters, facets=_engine_facets(request), explain=request.explain
    )
    dense = dense and dense._replace(adds=not request.filters and is_running_words(tree))
    reranked = rerank(snapshot.engine, query.terms, read_as, retrieval.result.hits, dense)
    groups = _groups(snapshot, request)
    articles = StoredArticles(snapshot.engine)
    best = own_first(reranked.ranked, query.tree, articles)
    ranked = _ranked(snapshot.engine, query.node, best, request, groups)
    page = (ranked if request.all_passages else first_of_texts(ranked, groups))[request.offset : request.end]
    shown = [earliest(passage, ranked, query, articles, groups) for passage in page]
    results = _results(retrieval.result, read_as, query, request, shown, articles, groups)
    results = replace(results, total=max(results.total, len(ranked)), restored=reranked.restored, semantic=dense is not None)
    return SearchPage(results, retrieval, reranked, dense is not None)


def _by_date(snapshot: Snapshot, read_as: str, query: ExpandedQuery, request: SearchRequest) -> Results:
    """Return the page of the newest matching articles."""
    groups = _groups(snapshot, request)
    result = snapshot.engine.search(
        query.node,
        limit=request.end + groups.spare,
        per_article=not request.all_passages,
        by_date=True,
        facets=_engine_facets(request),
        explain=request.explain,
    )
    ranked = [first_stage_only(hit) for hit in result.hits]
    page = (ranked if request.all_passages else first_of_texts(ranked, groups))[request.offset : request.end]
    return _results(result, read_as, query, request, page, StoredArticles(snapshot.engine), groups)


def _results(
    result: SearchResult,
    read_as: str,
    query: ExpandedQuery,
    request: SearchRequest,
    shown: Sequence[Ranked],
    articles: StoredArticles,
    groups: ReprintGroups,
) -> Results:
    """Return the results of a page of ranked passages."""
    return Results(
        query=read_as,
        total=result.total if request.all_passages else result.articles,
        took_ms=0.0,
        hits=tuple(search_hit(passage, query, articles, groups, explain=request.explain) for passage in shown),
        facets={name: _facet(result.facets, name) for name in request.facets},
        expansions=query.expansions,
        hints=hints(query, bool(request.filters), nothing=not result.total, articles=articles),
    )


def _groups(snapshot: Snapshot, request: SearchRequest) -> ReprintGroups:
    """Return the groups of articles with the same text.

    There are none where each of these articles is to be a hit of its own.
    """
    return ReprintGroups({}) if request.all_reprints or request.all_passages else snapshot.reprint_groups


def _ranked(engine: Engine, node: Node, best: Sequence[Ranked], request: SearchRequest, groups: ReprintGroups) -> list[Ranked]:
    """Return each article's best reranked passage, at least to the end of the page.

    Behind the reranked passages follows the rest of first-stage retrieval in its order. The scores of the rest are below
    the last reranked score, with the distances of first-stage retrieval.
    """
    all_passages = request.all_passages
    ranked = list(best) if all_passages else first_of_articles(best)
    if len(ranked if all_passages else first_of_texts(ranked, groups)) < request.end and len(best) >= DEPTH:
        limit = request.end + DEPTH + groups.spare
        result = engine.search(node, limit=limit, per_article=not all_passages, explain=request.explain)
        known = {_identity(passage, all_passages) for passage in ranked}
        more = [passage for passage in map(first_stage_only, result.hits) if _identity(passage, all_passages) not in known]
        last = ranked[-1].score
        for passage in more:
            score = last + passage.score - more[0].score
            ranked.append(Ranked(passage.hit, score, (("stage_one", score),)))
    return ranked


def _identity(ranked: Ranked, all_passages: bool) -> tuple[str, int]:
    return ranked.hit.article_id, ranked.hit.passage if all_passages else 0


def _engine_facets(request: SearchRequest) -> tuple[str, ...]:
    """Return the facets an engine counts for a request: provinces are sums of places."""
    return tuple(dict.fromkeys("place" if name == "province" else name for name in request.facets))


def _facet(facets: Mapping[str, Mapping[str, int]], name: str) -> Mapping[str, int]:
    """Return the counts of a facet.

    "province" leaves out articles of a place that is in no province.
    """
    return facets[name] if name != "province" else by_province(facets["place"])


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
