"""The scores of the contract, exactly, for documents at hand.

An engine that is spread over machines finds candidates by scores that are nearly right, since lengths are compressed and
statistics are those of a part. It scores the candidates here, from their terms and the statistics of the whole collection, and
asks `suffices` whether the best of all documents are among them. The memory engine takes all documents for candidates. Pure:
knows no engine.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from heapq import nlargest
from math import inf
from typing import Protocol

from htxsearch.engine.bm25 import idf, length_norm, tf_part
from htxsearch.engine.contract import (
    ARTICLE_FIELDS,
    AtLeast,
    Best,
    Boolean,
    DateRange,
    DisjunctionMax,
    FieldName,
    InArticle,
    Leaf,
    Node,
    Phrase,
    Posting,
    Terms,
    TermsFilter,
)

__all__ = [
    "ExactScores",
    "Statistics",
    "StoredTerms",
    "Unit",
    "field_terms",
    "in_order",
    "is_on_article",
    "suffices",
    "term_frequencies",
]

Unit = tuple[str, int]
"""A passage: the id of its article, and its 0-based number there."""
_PLACES = 9
"""Places to which scores are compared."""


class StoredTerms(Protocol):
    """The part of a `Document` that searches look at."""

    @property
    def id(self) -> str:
        """The article's id."""

    @property
    def title(self) -> Terms:
        """The terms of the title."""

    @property
    def passages(self) -> tuple[Terms, ...]:
        """The terms of each passage."""

    @property
    def date(self) -> date | None:
        """The day of the article, if known."""

    @property
    def place(self) -> str | None:
        """The place of the article, if known."""

    @property
    def source(self) -> str | None:
        """The source of the article, if known."""


class Statistics(Protocol):
    """The statistics of a whole collection, by which documents are scored.

    Documents are articles for the fields of titles, else passages.
    """

    def documents(self, field: FieldName) -> int:
        """Return the number of documents."""

    def average_length(self, field: FieldName) -> float:
        """Return the mean number of terms that a document has in a field."""

    def frequency(self, leaf: Posting) -> int:
        """Return the number of documents that match a leaf."""


class ExactScores:
    """Scores the passages of given articles, which need not be all.

    `articles` has them by id. All passages of each are there, since a node may ask for another passage of an article.
    """

    def __init__(self, articles: Mapping[str, StoredTerms], statistics: Statistics) -> None:
        self._articles = articles
        self._statistics = statistics
        self._units = [(one.id, number) for one in articles.values() for number in range(len(one.passages))]
        self._counted: dict[FieldName, Mapping[Unit, Mapping[str, int]]] = {}

    def matching(self, node: Node) -> dict[Unit, float]:
        """Return the score of every passage that a node matches."""
        return {unit: score for unit, score in self._evaluate(node).items() if score is not None}

    def _evaluate(self, node: Node, *, scored: bool = True) -> dict[Unit, float | None]:
        """Return the score of every passage, None where it does not match.

        If it is not `scored`, no statistics are asked for, and scores say nothing.
        """
        if isinstance(node, Boolean):
            return self._boolean(node, scored=scored)
        if isinstance(node, Best):
            results = [self._evaluate(child, scored=scored) for child in node.nodes]
            matched = {unit: [score for scores in results if (score := scores[unit]) is not None] for unit in self._units}
            return {unit: max(found, default=None) for unit, found in matched.items()}
        if isinstance(node, InArticle):
            inside = {unit[0] for unit, score in self._evaluate(node.node, scored=False).items() if score is not None}
            return {unit: 0.0 if unit[0] in inside else None for unit in self._units}
        if isinstance(node, AtLeast):
            scores, least = self._evaluate(node.node, scored=node.score > 0), round(max(node.score, 0.0), _PLACES)
            return {unit: None if score is None or round(score, _PLACES) < least else 0.0 for unit, score in scores.items()}
        if isinstance(node, TermsFilter | DateRange):
            accepts = _filter(node)
            return {unit: node.boost if accepts(self._articles[unit[0]]) else None for unit in self._units}
        return self._leaf(node, scored=scored)

    def _boolean(self, node: Boolean, *, scored: bool) -> dict[Unit, float | None]:
        must, should = ([self._evaluate(child, scored=scored) for child in children] for children in (node.must, node.should))
        must_not = [self._evaluate(child, scored=False) for child in node.must_not]
        found: dict[Unit, float | None] = {}
        for unit in self._units:
            parts = [scores[unit] for scores in must + should]
            matched = [part for part in parts if part is not None]
            needed = all(scores[unit] is not None for scores in must) and (bool(must) or bool(matched))
            excluded = any(scores[unit] is not None for scores in must_not)
            found[unit] = sum(matched) if needed and not excluded else None
        return found

    def _leaf(self, node: Posting, *, scored: bool) -> dict[Unit, float | None]:
        of_title = is_on_article(node)
        weights = self._phrase_weights(node) if isinstance(node, Phrase) else self._term_weights(node)
        rarity = 0.0
        if weights and scored:
            field = node.field if isinstance(node, Phrase) else node.alternatives[0].field
            rarity = idf(self._statistics.frequency(node), self._statistics.documents(field))
        scores = {place: node.boost * rarity * weight for place, weight in weights.items()}
        return {unit: scores.get((unit[0], 0) if of_title else unit) for unit in self._units}

    def _phrase_weights(self, node: Phrase) -> dict[Unit, float]:
        """Return the tf part of each passage or title that has the phrase."""
        places = [(article_id, 0) for article_id in self._articles] if is_on_article(node) else self._units
        found = ((unit, term_frequencies(node, self._articles[unit[0]], unit[1])[0]) for unit in places)
        return {unit: tf_part(tf, self._norm(node.field, unit)) for unit, tf in found if tf}

    def _term_weights(self, node: DisjunctionMax) -> dict[Unit, float]:
        """Return the best weighted tf part of each passage or title that matches."""
        weights: dict[Unit, float] = {}
        for one in node.alternatives:
            term, weight = one.term, one.weight
            for unit, counts in self._counts(one.field).items():
                if term in counts:
                    part = weight * tf_part(counts[term], self._norm(one.field, unit))
                    if part > weights.get(unit, 0.0):
                        weights[unit] = part
        return weights

    def _counts(self, field: FieldName) -> Mapping[Unit, Mapping[str, int]]:
        """Return how often each term stands in a field of each passage, counted once.

        A title has the number 0.
        """
        if field not in self._counted:
            places = [(article_id, 0) for article_id in self._articles] if field in ARTICLE_FIELDS else self._units
            self._counted[field] = {unit: Counter(field_terms(self._articles[unit[0]], field, unit[1])) for unit in places}
        return self._counted[field]

    def _norm(self, field: FieldName, unit: Unit) -> float:
        length = len(field_terms(self._articles[unit[0]], field, unit[1]))
        return length_norm(length, self._statistics.average_length(field))

    def parts(self, node: Node, unit: Unit) -> tuple[tuple[Leaf, float], ...]:
        """Return the leaves that match in a passage and can score, with their scores."""
        if isinstance(node, Boolean):
            if self._evaluate(node)[unit] is None:
                return ()
            return tuple(part for child in node.must + node.should for part in self.parts(child, unit))
        if isinstance(node, AtLeast | InArticle) or (isinstance(node, TermsFilter | DateRange) and not node.boost):
            return ()
        score = self._evaluate(node)[unit]
        if isinstance(node, Best):
            scores = ((self._evaluate(child)[unit], child) for child in node.nodes)
            best = next((child for own, child in scores if own is not None and own == score), None)
            return self.parts(best, unit) if best is not None else ()
        return ((node, score),) if score is not None else ()


def is_on_article(node: Posting) -> bool:
    """Return True if a leaf's fields are of the article, not of its passages."""
    if isinstance(node, Phrase):
        return node.field in ARTICLE_FIELDS
    return any(alternative.field in ARTICLE_FIELDS for alternative in node.alternatives)


def term_frequencies(node: Posting, article: StoredTerms, number: int) -> list[float]:
    """Return how often each alternative of a leaf stands in a passage.

    For the fields of titles, in the title. A phrase has one number. The leaf matches unless all are 0.
    """
    if isinstance(node, Phrase):
        terms = field_terms(article, node.field, number)
        starts = range(len(terms) - len(node.slots) + 1)
        return [sum(all(term in slot for term, slot in zip(terms[at:], node.slots, strict=False)) for at in starts)]
    return [field_terms(article, one.field, number).count(one.term) for one in node.alternatives]


def field_terms(article: StoredTerms, field: FieldName, number: int) -> tuple[str, ...]:
    """Return the terms of a passage in a field, or those of the title for its fields."""
    terms = article.title if field in ARTICLE_FIELDS else article.passages[number]
    return terms.words if field in ("word", "title_word") else terms.syllables


def _filter(node: TermsFilter | DateRange) -> Callable[[StoredTerms], bool]:
    if isinstance(node, TermsFilter):
        return lambda one: {"place": one.place, "source": one.source, "id": one.id}[node.field] in node.values
    since, until = node.since or date.min, node.until or date.max
    return lambda one: one.date is not None and since <= one.date <= until


def in_order(scores: Mapping[Unit, float]) -> list[Unit]:
    """Return passages, best first, ties by article id and number."""
    return sorted(scores, key=lambda unit: (-round(scores[unit], _PLACES), unit))


def suffices(scores: Iterable[float], limit: int, bound: float) -> bool:
    """Return True if no other document can be among the best `limit`.

    `scores` are those of candidates, articles or passages; `bound` is at least the score of every other document that
    matches, -inf if there is none. A document with the score of the last candidate would come before it by its id.
    """
    best = nlargest(limit, scores)
    return not limit or bound == -inf or (len(best) == limit and round(best[-1], _PLACES) > round(bound, _PLACES))
