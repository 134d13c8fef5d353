"""The passages that match a query, ranked, as a page of hits."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from htxsearch.engine.contract import Boolean, DisjunctionMax, Engine, Hit, Node, Phrase
from htxsearch.query.filters import Filter, Sort
from htxsearch.query.parse import Group, Words, parse
from htxsearch.search.hints import hints
from htxsearch.search.hits import earliest, first_of_articles, first_of_texts, search_hit
from htxsearch.search.records import ReprintGroups, StoredArticles
from htxsearch.search.rerank import DEPTH, DenseRetrieval, Ranked, rerank, stage_one_only
from htxsearch.search.results import Results
from htxsearch.search.snapshot import Snapshot
from htxsearch.text.places import province_now

__all__ = ["SearchRequest", "only_words", "results_of"]


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What of the answer the caller wants to see."""

    limit: int
    offset: int
    sort: Sort
    facets: tuple[str, ...]
    all_passages: bool
    all_reprints: bool
    explain: bool
    meaning: DenseRetrieval | None

    @property
    def end(self) -> int:
        """The place behind the last wanted hit."""
        return self.offset + self.limit


def results_of(prepared: Snapshot, query: str, filters: Sequence[Filter], wanted: SearchRequest) -> Results:
    """Return the answer to a query as it stands."""
    engine, expander = prepared.engine, prepared.expander
    group = parse(query)
    plan = expander.plan(group)
    by_date = wanted.sort == "date" or not _scores(plan.node)
    node = Boolean((plan.node, *(expander.filter(one, plan) for one in filters)), expander.preferences(group))
    alike = ReprintGroups({}) if wanted.all_reprints else prepared.alike
    found = engine.search(
        node,
        limit=wanted.end + alike.spare if by_date else DEPTH,
        per_article=by_date and not wanted.all_passages,
        by_date=by_date,
        facets=tuple(dict.fromkeys("place" if name == "province" else name for name in wanted.facets)),
        explain=wanted.explain,
    )
    restored = None
    total = found.total if wanted.all_passages else found.articles
    records = StoredArticles(engine)
    if by_date:
        ranked = [stage_one_only(hit) for hit in found.hits]
    else:
        meaning = wanted.meaning and wanted.meaning._replace(adds=not filters and only_words(group))
        best, restored, _ = rerank(engine, expander.asked(group), query, found.hits, meaning)
        ranked = _ranked(engine, node, best, wanted, alike)
        total = max(total, len(ranked))
    page = (ranked if wanted.all_passages else first_of_texts(ranked, alike))[wanted.offset : wanted.end]
    shown = page if by_date else [earliest(one, ranked, plan, records, alike) for one in page]
    return Results(
        query=query,
        total=total,
        took_ms=0.0,
        hits=tuple(search_hit(one, plan, records, alike, explain=wanted.explain) for one in shown),
        facets={name: _counts(found.facets, name) for name in wanted.facets},
        expansions=tuple(plan.expansions),
        hints=hints(plan, group, bool(filters), nothing=not found.total),
        restored=restored,
        semantic=wanted.meaning is not None and not by_date,
    )


def _ranked(engine: Engine, node: Node, best: Sequence[Ranked], wanted: SearchRequest, alike: ReprintGroups) -> list[Ranked]:
    """Return stage two's ranking, of each article the best passage, at least as far as the wanted page.

    Behind its end goes on what else stage one found, in its order. What stage two did not see gets scores below its
    last, as far apart as stage one's are.
    """
    single = wanted.all_passages
    ranked = list(best) if single else first_of_articles(best)
    if len(ranked if single else first_of_texts(ranked, alike)) < wanted.end and len(best) >= DEPTH:
        limit = wanted.end + DEPTH + alike.spare
        found = engine.search(node, limit=limit, per_article=not single, explain=wanted.explain)
        known = {_identity(one.hit, single) for one in ranked}
        more = [hit for hit in found.hits if _identity(hit, single) not in known]
        last = ranked[-1].score
        for hit in more:
            score = last + hit.score - more[0].score
            ranked.append(Ranked(hit, score, (("stage_one", score),)))
    return ranked


def _identity(hit: Hit, all_passages: bool) -> tuple[str, int]:
    return hit.article_id, hit.passage if all_passages else 0


def _counts(facets: Mapping[str, Mapping[str, int]], name: str) -> Mapping[str, int]:
    """Return a facet's counts; "province" sums places by the province of today, and leaves out what is in none."""
    if name != "province":
        return facets[name]
    sums: Counter[str] = Counter()
    for place, number in facets["place"].items():
        now = province_now(place)
        if now:
            sums[now] += number
    return dict(sums.most_common())


def _scores(node: Node) -> bool:
    """Tell whether anything in a query can score; a query of filters alone is answered newest first."""
    if isinstance(node, Boolean):
        return any(_scores(child) for child in node.must + node.should)
    return isinstance(node, DisjunctionMax | Phrase)


def only_words(group: Group) -> bool:
    """Tell whether a query is running words alone, so that what lacks them all is no wrong answer."""
    return all(clause.occur == "should" and isinstance(clause.operand, Words) for clause in group.clauses)
