"""An engine in a dictionary: brute force, slow, obvious.

It is the oracle that other engines are tested against.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Literal

from htxsearch.engine.contract import (
    ARTICLE_FIELDS,
    Boolean,
    Counts,
    DisjunctionMax,
    Document,
    FieldName,
    Forwards,
    Hit,
    Lookup,
    Node,
    Posting,
    Search,
    SearchResult,
    forward_of,
)
from htxsearch.engine.exact import ExactScores, Unit, field_terms, in_order, is_on_article, term_frequencies

__all__ = ["MemoryEngine"]


class MemoryEngine:
    """Implements the contract `htxsearch.engine.contract.Engine` in a dictionary."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._blobs: dict[str, bytes] = {}
        self.generation = 0
        self._count()

    def _count(self) -> None:
        """Begin anew with the statistics and units of the documents as they are now."""
        self._statistics = _Statistics(self._documents)
        self._scores = ExactScores(self._documents, self._statistics)

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
        forwards: bool = False,
    ) -> SearchResult:
        scored = self._scores.matching(node)
        ranked = in_order(scored)
        articles = {article for article, _ in ranked}
        if per_article:
            best: dict[str, Unit] = {}
            for unit in ranked:
                best.setdefault(unit[0], unit)
            ranked = list(best.values())
        if by_date:
            ranked.sort(key=lambda unit: self._documents[unit[0]].date or date.min, reverse=True)
        hits = tuple(
            Hit(*unit, scored[unit], self._scores.parts(node, unit) if explain else ())
            for unit in ranked[offset : offset + limit]
        )
        return SearchResult(
            len(ranked),
            len(articles),
            hits,
            {name: self._facet(name, articles) for name in facets},
            forwards=self.forwards(sorted({hit.article_id for hit in hits})) if forwards else None,
        )

    def search_many(self, searches: Sequence[Search]) -> list[SearchResult]:
        return [self.search(**one.options()) for one in searches]

    def sample(self, *conjunctions: Sequence[Posting], limit: int) -> SearchResult:
        first: dict[str, int] = {}
        for nodes in conjunctions:
            for article, number in self._scores.matching(Boolean(must=tuple(nodes))):
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

    def _spellings(self) -> list[tuple[str, str, str]]:
        """Return field, key and term of all articles, sorted."""
        return sorted({spelling for document in self._documents.values() for spelling in document.spellings})

    def spellings(self, lookups: Sequence[Lookup]) -> list[list[str]]:
        known = self._spellings()
        return [[term for field, key, term in known if (field, key) == lookup] for lookup in lookups]

    def starting_with(
        self, prefixes: Sequence[str], *, limit: int, field: Literal["syllable", "word"] = "syllable"
    ) -> list[list[str]]:
        known = [(key, term) for of, key, term in self._spellings() if of == field]
        return [[term for key, term in known if key.startswith(prefix)][:limit] for prefix in prefixes]

    def frequencies(self, nodes: Sequence[DisjunctionMax]) -> list[int]:
        return [self._statistics.frequency(node) for node in nodes]

    def records(self, article_ids: Sequence[str]) -> list[str | None]:
        found = map(self._documents.get, article_ids)
        return [document.record if document else None for document in found]

    def forwards(self, article_ids: Sequence[str]) -> Forwards:
        found = map(self._documents.get, article_ids)
        return Forwards.of(
            [[forward_of(terms) for terms in (document.title, *document.passages)] if document else [] for document in found]
        )

    def facts_of(self, article_ids: Sequence[str]) -> list[bytes]:
        found = map(self._documents.get, article_ids)
        return [document.facts if document else b"" for document in found]

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

    def blob(self, name: str) -> bytes | None:
        return self._blobs.get(name)

    def foresee(self, **asked: object) -> None:
        """Nothing is far away."""

    def counts(self) -> Counts:
        passages = [passage for document in self._documents.values() for passage in document.passages]
        return Counts(len(self._documents), len(passages), sum(len(passage.syllables) for passage in passages))

    def writer(self) -> "_MemoryWriter":
        return _MemoryWriter(self)

    def refresh(self) -> None:
        """Reads always see the last commit."""

    def close(self) -> None:
        """No files are open."""


class _Statistics:
    """The statistics of all documents, each counted once."""

    def __init__(self, documents: Mapping[str, Document]) -> None:
        self._documents = documents
        self._averages: dict[str, float] = {}
        self._frequencies: dict[Posting, int] = {}

    def _units(self, *, on_article: bool) -> list[tuple[Document, int]]:
        documents = self._documents.values()
        return [(one, number) for one in documents for number in ((0,) if on_article else range(len(one.passages)))]

    def documents(self, field: FieldName) -> int:
        return len(self._units(on_article=field in ARTICLE_FIELDS))

    def average_length(self, field: FieldName) -> float:
        if field not in self._averages:
            lengths = [len(field_terms(one, field, number)) for one, number in self._units(on_article=field in ARTICLE_FIELDS)]
            self._averages[field] = sum(lengths) / len(lengths)
        return self._averages[field]

    def frequency(self, leaf: Posting) -> int:
        if leaf not in self._frequencies:
            units = self._units(on_article=is_on_article(leaf))
            self._frequencies[leaf] = sum(any(term_frequencies(leaf, *unit)) for unit in units)
        return self._frequencies[leaf]


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
        self._engine._count()
