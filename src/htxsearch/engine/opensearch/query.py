"""From query nodes to queries of the cluster: pure, nothing is sent.

A node is asked of passages, in one `nested` query; the score of an article is that of its best passage. A leaf is scored by a
script over exact frequency and length, with the idf that the caller has counted. `InArticle` speaks of other passages than the
one that is scored: each is a fact of the article, true or false, so a node with k of them becomes up to 2^k queries of which at
most one can match.

A rough score needs no script in the query: the similarity's own tf part, which knows no lengths, times the same idf. Since it
has bounds, the cluster passes over what cannot be among the best. It only chooses what is scored exactly.

Scores of the cluster are float32. Where they decide what matches (`AtLeast`), a band around the line is left to the caller, who
knows the passages in it that do reach the line (`accepted`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod
from typing import Any, Protocol

from htxsearch.engine.bm25 import K1, B, idf
from htxsearch.engine.contract import (
    AtLeast,
    Best,
    Boolean,
    DateRange,
    DisjunctionMax,
    InArticle,
    Node,
    Phrase,
    Posting,
    TermsFilter,
)

__all__ = [
    "EPSILON",
    "Lines",
    "Query",
    "Statistics",
    "article_query",
    "counted_query",
    "is_bounded",
    "is_constant",
    "leaves_of",
    "lines_of",
    "near_line_query",
    "passages_that_match",
]

Query = dict[str, Any]

EPSILON = 2e-6
"""Above the relative error of a float32 score: each of some ten operations loses up to 6e-8."""
_MOST_PHRASES = 128
"""Phrases of one term in each slot that are counted apart; beyond it the frequency is only bounded."""

_NONE: Query = {"match_none": {}}
_ALL: Query = {"constant_score": {"filter": {"match_all": {}}, "boost": 0}}
_FREQUENCY = "double s = _score / params.n; double tf = s < 1 ? Math.rint(params.k * s / (1 - s)) : 1e9; "
"""The frequency, from the saturated one that the similarity gives: the rounding takes the error of float32 away."""
_SCORE = _FREQUENCY + "return params.f * tf / (tf + params.a + params.c * doc['passages.length_{}'].value);"
_SUM = "double tf = _score; return params.f * tf / (tf + params.a + params.c * doc['passages.length_{}'].value);"


class Statistics(Protocol):
    """The statistics of the whole collection, as `engine.exact` has them."""

    def documents(self, field: Any) -> int:
        """Return the number of documents."""

    def average_length(self, field: Any) -> float:
        """Return the mean number of terms that a document has in a field."""

    def frequency(self, leaf: Posting) -> int:
        """Return the number of documents that match a leaf."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The passages near the line of an `AtLeast`, by unit, that reach it."""

    accepted: Mapping[AtLeast, Collection[str]] = field(default_factory=dict)
    candidates: Mapping[AtLeast, Collection[str]] = field(default_factory=dict)
    """Of a line that only the best by rough scores may reach, these articles; then nothing is accepted."""


@dataclass(frozen=True, slots=True)
class _Context:
    statistics: Statistics
    lines: Lines
    inside: Mapping[InArticle, bool]
    is_rough: bool = False


def article_query(node: Node, statistics: Statistics, lines: Lines, *, scored: bool = True, rough: bool = False) -> Query:
    """Return the query of articles with a passage that matches, scored as the best."""
    ways = []
    for facts, within in _ways(node, statistics, lines, scored=scored, rough=rough):
        of_passages = {"nested": {"path": "passages", "query": within, "score_mode": "max" if scored else "none"}}
        ways.append({"bool": {"must" if scored else "filter": [of_passages], **facts}} if facts else of_passages)
    return _any(ways)


def passages_that_match(node: Node, statistics: Statistics, lines: Lines) -> list[tuple[Query, Query]]:
    """Return queries of articles, each with that of their passages that match.

    No article matches two of them.
    """
    return [({"bool": facts}, within) for facts, within in _ways(node, statistics, lines, scored=False)]


def _ways(
    node: Node, statistics: Statistics, lines: Lines, *, scored: bool, rough: bool = False
) -> Iterator[tuple[Query, Query]]:
    """Yield clauses of an article, with the query of its passages, for each way.

    A way says of each `InArticle` whether it holds.
    """
    inner = list(dict.fromkeys(_in_articles(node)))
    for values in product((True, False), repeat=len(inner)):
        inside = dict(zip(inner, values, strict=True))
        within = _passages(node, _Context(statistics, lines, inside, rough), scored=scored)
        if within != _NONE:
            asked = {one: article_query(one.node, statistics, lines, scored=False) for one in inner}
            facts = {
                "filter": [asked[one] for one in inner if inside[one]],
                "must_not": [asked[one] for one in inner if not inside[one]],
            }
            yield {name: clauses for name, clauses in facts.items() if clauses}, within


def _in_articles(node: Node) -> Iterator[InArticle]:
    """Yield the `InArticle` of a node that lie in no other."""
    if isinstance(node, InArticle):
        yield node
    else:
        for child in _children(node):
            yield from _in_articles(child)


def _children(node: Node) -> Sequence[Node]:
    if isinstance(node, Boolean):
        return (*node.must, *node.should, *node.must_not)
    if isinstance(node, Best):
        return node.nodes
    return (node.node,) if isinstance(node, AtLeast | InArticle) else ()


def leaves_of(node: Node) -> Iterator[Posting]:
    """Yield the postings of a node whose scores decide on an answer."""
    yield from _scoring(node)
    for line in lines_of(node):
        yield from _scoring(line.node)


def lines_of(node: Node) -> Iterator[AtLeast]:
    """Yield every `AtLeast` of a node that has a line to reach, the inner ones first."""
    for child in _children(node):
        yield from lines_of(child)
    if isinstance(node, AtLeast) and node.score > 0:
        yield node


def is_constant(node: Node) -> bool:
    """Return True if scores of a node are sums of boosts, the same in float32."""
    return not any(True for _ in _scoring(node))


def is_bounded(node: Node) -> bool:
    """Return True if the cluster's scores of a node are only bounds, some too high."""
    return any(isinstance(leaf, Phrase) and prod(map(len, leaf.slots)) > _MOST_PHRASES for leaf in _scoring(node))


def _scoring(node: Node) -> Iterator[Posting]:
    """Yield the postings of a node that can score."""
    if isinstance(node, DisjunctionMax | Phrase):
        yield node
    elif isinstance(node, Boolean):
        for child in (*node.must, *node.should):
            yield from _scoring(child)
    elif isinstance(node, Best):
        for child in node.nodes:
            yield from _scoring(child)


def near_line_query(line: AtLeast, statistics: Statistics, lines: Lines) -> list[tuple[Query, Query]]:
    """Return the queries of what is so near a line that exact scores decide."""
    inner = list(dict.fromkeys(_in_articles(line.node)))
    found = []
    for facts, within in _ways(line.node, statistics, lines, scored=True):
        near = {"bool": {"filter": [_reaching(within, _low(line))]}}
        if not is_bounded(line.node):
            near["bool"]["must_not"] = [_reaching(within, _high(line))]
        found.append(({"bool": facts} if inner else {"match_all": {}}, near))
    return found


def _low(line: AtLeast) -> float:
    return line.score * (1 - EPSILON) - 1e-9


def _high(line: AtLeast) -> float:
    return line.score * (1 + EPSILON) + 1e-9


def _reaching(query: Query, least: float) -> Query:
    return {"script_score": {"query": query, "script": {"source": "_score"}, "min_score": least}}


def _passages(node: Node, context: _Context, *, scored: bool) -> Query:
    """Return the query of the passages that match."""
    if isinstance(node, Boolean):
        return _boolean(node, context, scored=scored)
    if isinstance(node, Best):
        ways = [way for child in node.nodes if (way := _passages(child, context, scored=scored)) != _NONE]
        return ({"dis_max": {"queries": ways}} if ways else _NONE) if scored else _any(ways)
    if isinstance(node, InArticle):
        return _ALL if context.inside[node] else _NONE
    if isinstance(node, AtLeast):
        return _at_least(node, context)
    if isinstance(node, TermsFilter | DateRange):
        query = _filter(node)
        return {"constant_score": {"filter": query, "boost": node.boost}} if scored and query != _NONE else query
    return _scored(node, context) if scored else counted_query(node)


def _boolean(node: Boolean, context: _Context, *, scored: bool) -> Query:
    must = [_passages(child, context, scored=scored and not _scores_nothing(child)) for child in node.must]
    should = [_passages(child, context, scored=scored) for child in node.should] if scored or not must else []
    must_not = [_passages(child, context, scored=False) for child in node.must_not]
    should = [query for query in should if query != _NONE]
    if _NONE in must or _ALL in must_not or not (must or should):
        return _NONE
    clauses: Query = {"must": [], "filter": []}
    for child, query in zip(node.must, must, strict=True):
        clauses["filter" if not scored or _scores_nothing(child) else "must"].append(query)
    clauses |= {"should": should, "must_not": [query for query in must_not if query != _NONE]}
    clauses = {name: queries for name, queries in clauses.items() if queries}
    return {"bool": {**clauses, "minimum_should_match": 0 if node.must else 1}}


def _scores_nothing(node: Node) -> bool:
    return isinstance(node, AtLeast | InArticle) or (isinstance(node, TermsFilter | DateRange) and not node.boost)


def _at_least(node: AtLeast, context: _Context) -> Query:
    if node.score <= 0:
        query = _passages(node.node, context, scored=False)
    else:
        within = _passages(node.node, replace(context, is_rough=False), scored=True)
        if node in context.lines.candidates:
            among = {"terms": {"passages.article": sorted(context.lines.candidates[node])}}
            within = {"bool": {"filter": [among], "must": [within]}} if within != _NONE else _NONE
            query = _reaching(within, node.score) if within != _NONE else _NONE
        else:
            accepted = context.lines.accepted.get(node, ())
            ways = [] if within == _NONE or is_bounded(node.node) else [_reaching(within, _high(node))]
            query = _any([*ways, {"terms": {"passages.unit": sorted(accepted)}}] if accepted else ways)
    return {"constant_score": {"filter": query, "boost": 0}} if query != _NONE else _NONE


def _filter(node: TermsFilter | DateRange) -> Query:
    if isinstance(node, TermsFilter):
        name = "article" if node.field == "id" else node.field
        return {"terms": {f"passages.{name}": sorted(node.values)}} if node.values else _NONE
    bounds = {"gte": node.since and node.since.toordinal(), "lte": node.until and node.until.toordinal()}
    bounds = {name: day for name, day in bounds.items() if day is not None}
    return {"range": {"passages.date": bounds or {"gte": 0}}}


def counted_query(node: Posting, *, root: str = "passages.") -> Query:
    """Return the query of the passages that a leaf matches.

    With the root "", of the titles.
    """
    if isinstance(node, Phrase):
        phrases = _phrases(node)
        if phrases is None:
            return _span(node, root)
        return _any([{"match_phrase": {f"{root}{node.field}": phrase}} for phrase in phrases])
    by_field: dict[str, list[str]] = {}
    for one in node.alternatives:
        by_field.setdefault(one.field, []).append(one.term)
    return _any([{"terms": {f"{root}{name}": sorted(set(terms))}} for name, terms in by_field.items()])


def _scored(node: Posting, context: _Context) -> Query:
    statistics = context.statistics
    field = node.field if isinstance(node, Phrase) else next((one.field for one in node.alternatives), None)
    frequency = statistics.frequency(node)
    if field is None or not frequency:
        return _NONE
    factor = node.boost * idf(frequency, statistics.documents(field))
    if isinstance(node, Phrase):
        return _scored_phrase(node, factor, context)
    ways = []
    for one in node.alternatives:
        name, part = f"passages.{one.field}", factor * one.weight
        if context.is_rough:
            ways.append({"term": {name: {"value": one.term, "boost": part}}})
        else:
            ways.append(_script({"term": {name: one.term}}, _SCORE, one.field, statistics, {"f": part, "n": 1}))
    return ways[0] if len(ways) == 1 else {"dis_max": {"queries": ways}}


def _scored_phrase(node: Phrase, factor: float, context: _Context) -> Query:
    """Return the scored query of a phrase: its frequency is the sum of its variants'."""
    asked, slots = counted_query(node), len(node.slots)
    if asked == _NONE:
        return _NONE
    if context.is_rough:
        return {"bool": {"must": [asked], "boost": factor / slots}}
    variants = asked["bool"]["should"] if "bool" in asked else ()
    if not variants:
        return _script(asked, _SCORE, node.field, context.statistics, {"f": factor, "n": slots})
    each = {"source": f"{_FREQUENCY}return tf;", "params": {"n": slots, "k": K1}}
    counted = _any([{"script_score": {"query": variant, "script": each}} for variant in variants])
    return _script(counted, _SUM, node.field, context.statistics, {"f": factor})


def _script(query: Query, source: str, field: Any, statistics: Statistics, parameters: Mapping[str, float]) -> Query:
    """Return a query whose score is the tf part, times the factors."""
    average = statistics.average_length(field)
    known = {**parameters, "k": K1, "a": K1 * (1 - B), "c": K1 * B / average if average else 0.0}
    return {"script_score": {"query": query, "script": {"source": source.format(field), "params": known}}}


def _phrases(node: Phrase) -> list[str] | None:
    """Return every phrase of one term in each slot; None if there are too many."""
    if not node.slots:
        return []
    slots = [sorted(set(slot)) for slot in node.slots]
    return [" ".join(terms) for terms in product(*slots)] if prod(map(len, slots)) <= _MOST_PHRASES else None


def _span(node: Phrase, root: str) -> Query:
    """Return the query of a phrase with too many variants.

    Its score is at least the frequency: the similarity adds up all terms of all slots that the shard has, so it is divided
    by too little.
    """
    slots = [[{"span_term": {f"{root}{node.field}": term}} for term in sorted(set(slot))] for slot in node.slots]
    clauses = [{"span_or": {"clauses": terms}} for terms in slots]
    return clauses[0] if len(clauses) == 1 else {"span_near": {"clauses": clauses, "slop": 0, "in_order": True}}


def _any(queries: Sequence[Query]) -> Query:
    queries = [query for query in queries if query != _NONE]
    if not queries:
        return _NONE
    return queries[0] if len(queries) == 1 else {"bool": {"should": list(queries), "minimum_should_match": 1}}
