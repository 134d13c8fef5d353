"""Evaluate a query's nodes over an index, with few passes over arrays.

The scores are exactly those that `engine.contract` defines. They are summed apart for passages and for articles
(titles, filters with a boost), and those of articles are propagated to their passages once.
"""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np

from htxsearch.engine.contract import (
    ARTICLE_FIELDS,
    AtLeast,
    Best,
    Boolean,
    DateRange,
    DisjunctionMax,
    InArticle,
    Leaf,
    Node,
    Phrase,
    TermsFilter,
)
from htxsearch.engine.whoosh.reader import Floats, IndexReader, Ints, Mask, TermWeights
from htxsearch.engine.whoosh.storage import NO_DATE

__all__ = ["LeafScores", "evaluate", "explain_score"]


class LeafScores(NamedTuple):
    """A node's result: scores and a mask of matching passages.

    Scores are (passages,) float64, the mask is (passages,) bool. Without a mask, the passages with a score above 0
    match.
    """

    scores: Floats
    mask: Mask | None

    def matching(self) -> Mask:
        """Return the mask of passages that match, (passages,) bool."""
        return self.scores > 0 if self.mask is None else self.mask


def evaluate(reader: IndexReader, node: Node) -> LeafScores:
    """Return the scores of the passages that `node` matches; all others score 0."""
    if isinstance(node, Best):
        return _best([evaluate(reader, child) for child in node.nodes])
    if not isinstance(node, Boolean):
        node = Boolean(should=(node,))
    should = list(_flat(node.should))
    if not node.must:
        result = _any(reader, should)
    else:
        result = evaluate(reader, node.must[0])
        for child in node.must[1:]:
            result = _both(result, evaluate(reader, child))
        if should:
            sums = _Sums(reader, result.scores)
            mask = result.matching()
            for child in should:
                sums.add(child)
            result = LeafScores(sums.total() * mask, result.mask)
    for child in node.must_not:
        mask = result.matching() & ~evaluate(reader, child).matching()
        result = LeafScores(result.scores * mask, mask)
    return result


def _best(results: list[LeafScores]) -> LeafScores:
    scores = np.maximum.reduce([result.scores for result in results])
    if all(result.mask is None for result in results):
        return LeafScores(scores, None)
    return LeafScores(scores, np.logical_or.reduce([result.matching() for result in results]))


def _both(one: LeafScores, other: LeafScores) -> LeafScores:
    mask = one.matching() & other.matching()
    return LeafScores((one.scores + other.scores) * mask, mask)


def _flat(children: tuple[Node, ...]) -> Iterator[Node]:
    """Yield children, and the children of those that are only sums."""
    for child in children:
        if isinstance(child, Boolean) and not (child.must or child.must_not):
            yield from _flat(child.should)
        else:
            yield child


def _any(reader: IndexReader, children: list[Node]) -> LeafScores:
    """Return the passages that any child matches, with their scores.

    A score is the sum of the children's scores.
    """
    sums = _Sums(reader, np.zeros(reader.passages))
    unscored = [mask for child in children if (mask := sums.add(child)) is not None]
    if not unscored:
        return LeafScores(sums.total(), None)
    return LeafScores(sums.total(), np.logical_or.reduce([sums.total() > 0, *unscored]))


class _Sums:
    """Sums of scores, of passages, (passages,), and of articles, (articles,)."""

    def __init__(self, reader: IndexReader, passages: Floats) -> None:
        """Start from the scores `passages`, which are changed in place."""
        self._reader = reader
        self._passages = passages
        self._articles: Floats | None = None

    def add(self, node: Node) -> Mask | None:
        """Add a node's scores; return the mask of its matches.

        The mask is None if the matches are the passages that the node gives a score.
        """
        reader = self._reader
        if isinstance(node, AtLeast):
            result = evaluate(reader, node.node)
            reached: Mask = result.matching() & (result.scores.round(9) >= round(node.score, 9))
            return reached
        if isinstance(node, Boolean | Best):
            result = evaluate(reader, node)
            self._passages += result.scores
            return result.mask
        if isinstance(node, InArticle):
            matching = evaluate(reader, node.node).matching()
            return reader.of_passages(reader.max_per_article(matching.astype(np.float64), 0.0) > 0)
        if isinstance(node, TermsFilter | DateRange):
            accepted = _accepted(reader, node)
            if node.boost > 0:
                self._of_articles()[accepted] += node.boost
                return None
            return reader.of_passages(accepted)
        weights, on_article = _weights(reader, node)
        weights.add_to(self._of_articles() if on_article else self._passages, node.boost)
        if node.boost > 0:
            return None
        dense = weights.dense(reader.articles if on_article else reader.passages) > 0
        return reader.of_passages(dense) if on_article else dense

    def _of_articles(self) -> Floats:
        if self._articles is None:
            self._articles = np.zeros(self._reader.articles)
        return self._articles

    def total(self) -> Floats:
        """Return the sums of every passage, (passages,) float64."""
        if self._articles is not None:
            self._reader.propagate_to_passages(self._articles, self._passages)
            self._articles = None
        return self._passages


def _weights(reader: IndexReader, node: DisjunctionMax | Phrase) -> tuple[TermWeights, bool]:
    """Return a leaf's weights, and True if they are of articles."""
    if isinstance(node, Phrase):
        return reader.phrase(node.field, node.slots), node.field in ARTICLE_FIELDS
    on_article = bool(node.alternatives) and node.alternatives[0].field in ARTICLE_FIELDS
    return reader.weights(node.alternatives), on_article


def _accepted(reader: IndexReader, node: TermsFilter | DateRange) -> Mask:
    """Return the mask of articles that a filter accepts, (articles,) bool."""
    accepted: Mask
    if isinstance(node, TermsFilter) and node.field == "id":
        accepted = np.zeros(reader.articles, np.bool_)
        numbers = (reader.article_called(article_id) for article_id in node.values)
        accepted[[number for number in numbers if number is not None]] = True
        return accepted
    if isinstance(node, TermsFilter):
        names, codes = reader.values(node.field)
        wanted = np.array([*(name in node.values for name in names), False])
        accepted = wanted[codes]
        return accepted
    first = node.since.toordinal() if node.since else NO_DATE + 1
    last = node.until.toordinal() if node.until else date.max.toordinal()
    accepted = (reader.dates >= first) & (reader.dates <= last)
    return accepted


def explain_score(reader: IndexReader, node: Node, passages: Ints) -> list[tuple[Leaf, Floats, Mask]]:
    """Return every leaf that can score, its scores and the mask of its parents.

    Scores are by passage. The mask has the passages that the leaf's parents match.
    """
    return list(_parts(reader, node, passages, np.ones(len(passages), np.bool_)))


def _parts(reader: IndexReader, node: Node, passages: Ints, within: Mask) -> Iterator[tuple[Leaf, Floats, Mask]]:
    result = evaluate(reader, node)
    within = within & result.matching()[passages]
    if isinstance(node, Boolean):
        for child in node.must + node.should:
            yield from _parts(reader, child, passages, within)
    elif isinstance(node, Best):
        for child in node.nodes:
            own = evaluate(reader, child)
            chosen = within & own.matching()[passages] & (own.scores[passages] == result.scores[passages])
            yield from _parts(reader, child, passages, chosen)
            within = within & ~chosen
    elif not isinstance(node, InArticle | AtLeast) and (not isinstance(node, TermsFilter | DateRange) or node.boost):
        yield node, result.scores[passages], within
