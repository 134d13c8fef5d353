"""An engine in a dictionary: brute force, slow, obvious.

It is the oracle that other engines are tested against.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Literal

from htxsearch.engine.bm25 import idf, length_norm, tf_part
from htxsearch.engine.contract import (
    ARTICLE_FIELDS,
    AtLeast,
    Best,
    Boolean,
    Counts,
    DateRange,
    DisjunctionMax,
    Document,
    Forward,
    Forwards,
    Hit,
    InArticle,
    Leaf,
    Node,
    Phrase,
    Posting,
    SearchResult,
    TermsFilter,
    forward_of,
)

__all__ = ["MemoryEngine"]

_Unit = tuple[str, int]  # article id, passage number


class MemoryEngine:
    """Implements the contract `htxsearch.engine.contract.Engine` in a dictionary."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._blobs: dict[str, bytes] = {}
        self.generation = 0

    def search(
        self,
        node: Node,
        *,
        limit: int,
        offset: int = 0,
        per_article: bool = True,
        by_date: bool = False,
        facets: Sequence[str] = (),
        explain: bool = False,
        count: bool = True,  # noqa: ARG002 - everything is looked at in any case
    ) -> SearchResult:
        scored = {unit: score for unit, score in self._evaluate(node).items() if score is not None}
        ranked = sorted(scored, key=lambda unit: (-round(scored[unit], 9), unit))
        articles = {article for article, _ in ranked}
        if per_article:
            best: dict[str, _Unit] = {}
            for unit in ranked:
                best.setdefault(unit[0], unit)
            ranked = list(best.values())
        if by_date:
            ranked.sort(key=lambda unit: self._documents[unit[0]].date or date.min, reverse=True)
        hits = tuple(
            Hit(*unit, scored[unit], self._parts(node, unit) if explain else ()) for unit in ranked[offset : offset + limit]
        )
        return SearchResult(len(ranked), len(articles), hits, {name: self._facet(name, articles) for name in facets})

    def sample(self, *conjunctions: Sequence[Posting], limit: int) -> SearchResult:
        first: dict[str, int] = {}
        for nodes in conjunctions:
            for (article, number), score in self._evaluate(Boolean(must=tuple(nodes))).items():
                if score is not None:
                    first.setdefault(article, number)
        articles = sorted(first)
        count = min(limit, len(articles))
        chosen = [articles[at * len(articles) // count] for at in range(count)]
        return SearchResult(len(articles), len(articles), tuple(Hit(article, first[article], 0.0) for article in chosen), {})

    def _facet(self, name: str, articles: Iterable[str]) -> dict[str, int]:
        def value(document: Document) -> str | None:
            if name == "year":
                return str(document.date.year) if document.date else None
            return document.place if name == "place" else document.source

        return dict(Counter(v for v in (value(self._documents[a]) for a in articles) if v is not None))

    def _evaluate(self, node: Node) -> dict[_Unit, float | None]:
        """Return the score of every passage, None where it does not match."""
        units = [(d.id, number) for d in self._documents.values() for number in range(len(d.passages))]
        if isinstance(node, Boolean):
            return self._boolean(node, units)
        if isinstance(node, Best):
            results = [self._evaluate(child) for child in node.nodes]
            matched = {unit: [score for scores in results if (score := scores[unit]) is not None] for unit in units}
            return {unit: max(found, default=None) for unit, found in matched.items()}
        if isinstance(node, InArticle):
            inside = {unit[0] for unit, score in self._evaluate(node.node).items() if score is not None}
            return {unit: 0.0 if unit[0] in inside else None for unit in units}
        if isinstance(node, AtLeast):
            scores = self._evaluate(node.node)
            least = round(node.score, 9)
            return {unit: None if score is None or round(score, 9) < least else 0.0 for unit, score in scores.items()}
        if isinstance(node, TermsFilter | DateRange):
            accepts = self._filter(node)
            return {unit: node.boost if accepts(self._documents[unit[0]]) else None for unit in units}
        on_article = _is_on_article(node)
        places = [(article_id, 0) for article_id in self._documents] if on_article else units
        weights = {place: self._weight(node, place) for place in places}
        df = sum(weight > 0 for weight in weights.values())
        rarity = idf(df, len(weights))
        found = {place: node.boost * rarity * weight if weight > 0 else None for place, weight in weights.items()}
        return {unit: found[(unit[0], 0) if on_article else unit] for unit in units}

    def _boolean(self, node: Boolean, units: list[_Unit]) -> dict[_Unit, float | None]:
        must, should, must_not = (
            [self._evaluate(child) for child in children] for children in (node.must, node.should, node.must_not)
        )
        found: dict[_Unit, float | None] = {}
        for unit in units:
            parts = [scores[unit] for scores in must + should]
            matched = [part for part in parts if part is not None]
            needed = all(scores[unit] is not None for scores in must) and (bool(must) or bool(matched))
            excluded = any(scores[unit] is not None for scores in must_not)
            found[unit] = sum(matched) if needed and not excluded else None
        return found

    def _filter(self, node: TermsFilter | DateRange) -> Callable[[Document], bool]:
        if isinstance(node, TermsFilter):
            return lambda d: {"place": d.place, "source": d.source, "id": d.id}[node.field] in node.values
        since, until = node.since or date.min, node.until or date.max
        return lambda d: d.date is not None and since <= d.date <= until

    def _weight(self, node: Posting, unit: _Unit) -> float:
        """Return the leaf's weighted tf part in one passage or title."""
        if isinstance(node, Phrase):
            terms = self._terms(node.field, unit)
            count = sum(
                all(term in slot for term, slot in zip(terms[at:], node.slots, strict=False))
                for at in range(len(terms) - len(node.slots) + 1)
            )
            return self._tf_part(node.field, unit, count)
        return max(
            (a.weight * self._tf_part(a.field, unit, self._terms(a.field, unit).count(a.term)) for a in node.alternatives),
            default=0.0,
        )

    def _terms(self, field: str, unit: _Unit) -> tuple[str, ...]:
        document = self._documents[unit[0]]
        terms = document.title if field in ARTICLE_FIELDS else document.passages[unit[1]]
        return terms.words if field in ("word", "title_word") else terms.syllables

    def _tf_part(self, field: str, unit: _Unit, tf: int) -> float:
        if not tf:
            return 0.0
        count = len(self._documents) if field in ARTICLE_FIELDS else self.counts().passages
        average = self._total_length(field) / count
        return tf_part(tf, length_norm(len(self._terms(field, unit)), average))

    def _total_length(self, field: str) -> int:
        on_article = field in ARTICLE_FIELDS
        return sum(
            len(self._terms(field, (d.id, number)))
            for d in self._documents.values()
            for number in ((0,) if on_article else range(len(d.passages)))
        )

    def _parts(self, node: Node, unit: _Unit) -> tuple[tuple[Leaf, float], ...]:
        if isinstance(node, Boolean):
            if self._evaluate(node)[unit] is None:
                return ()
            return tuple(part for child in node.must + node.should for part in self._parts(child, unit))
        if isinstance(node, AtLeast | InArticle) or (isinstance(node, TermsFilter | DateRange) and not node.boost):
            return ()
        score = self._evaluate(node)[unit]
        if isinstance(node, Best):
            scores = ((self._evaluate(child)[unit], child) for child in node.nodes)
            best = next((child for own, child in scores if own is not None and own == score), None)
            return self._parts(best, unit) if best is not None else ()
        return ((node, score),) if score is not None else ()

    def _spellings(self) -> set[tuple[str, str, str]]:
        return {spelling for document in self._documents.values() for spelling in document.spellings}

    def spellings(self, field: Literal["syllable", "word"], key: str) -> list[str]:
        return sorted(term for f, k, term in self._spellings() if (f, k) == (field, key))

    def starting_with(self, prefix: str, *, limit: int, field: Literal["syllable", "word"] = "syllable") -> list[str]:
        pairs = sorted((k, term) for f, k, term in self._spellings() if f == field and k.startswith(prefix))
        return [term for _, term in pairs[:limit]]

    def forward(self, article_id: str) -> tuple[Forward, ...]:
        document = self._documents.get(article_id)
        return tuple(map(forward_of, (document.title, *document.passages))) if document else ()

    def forwards(self, article_ids: Sequence[str]) -> Forwards:
        return Forwards.of(list(map(self.forward, article_ids)))

    def frequency(self, node: DisjunctionMax) -> int:
        on_article = _is_on_article(node)
        units = (
            (document.id, number)
            for document in self._documents.values()
            for number in ((0,) if on_article else range(len(document.passages)))
        )
        return sum(self._weight(node, unit) > 0 for unit in units)

    def record(self, article_id: str) -> str | None:
        document = self._documents.get(article_id)
        return document.record if document else None

    def article_ids(self) -> list[str]:
        return sorted(self._documents)

    def values(self, field: Literal["place", "source"]) -> dict[str, int]:
        return self._facet(field, self._documents)

    def vectors(self) -> Iterable[tuple[str, bytes]]:
        return [(document.id, document.vector) for document in self._documents.values()]

    def facts(self, keys: Sequence[Collection[str]]) -> Iterable[tuple[str, bytes]]:
        return [
            (document.id, document.facts)
            for document in self._documents.values()
            if document.facts and all(not document.fact_keys.isdisjoint(group) for group in keys)
        ]

    def facts_of(self, article_id: str) -> bytes:
        document = self._documents.get(article_id)
        return document.facts if document else b""

    def blob(self, name: str) -> bytes | None:
        return self._blobs.get(name)

    def counts(self) -> Counts:
        passages = [passage for document in self._documents.values() for passage in document.passages]
        return Counts(len(self._documents), len(passages), sum(len(passage.syllables) for passage in passages))

    def writer(self) -> "_MemoryWriter":
        return _MemoryWriter(self)

    def refresh(self) -> None:
        """Reads always see the last commit."""

    def close(self) -> None:
        """No files are open."""


def _is_on_article(node: Posting) -> bool:
    """Return True if a leaf's fields are of the article, not of its passages."""
    if isinstance(node, Phrase):
        return node.field in ARTICLE_FIELDS
    return any(alternative.field in ARTICLE_FIELDS for alternative in node.alternatives)


class _MemoryWriter:
    def __init__(self, engine: MemoryEngine) -> None:
        self._engine = engine
        self._changes: dict[str, Document | None] = {}

    def replace(self, document: Document) -> None:
        self._changes[document.id] = document

    def delete(self, article_id: str) -> None:
        self._changes[article_id] = None

    def commit(self, blobs: Mapping[str, bytes], *, is_last: bool = False) -> None:  # noqa: ARG002
        documents = self._engine._documents
        for article_id, document in self._changes.items():
            documents.pop(article_id, None)
            if document is not None:
                documents[article_id] = document
        self._changes.clear()
        self._engine._blobs = dict(blobs)
        self._engine.generation += 1
