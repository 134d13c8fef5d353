"""Evaluating a query's nodes over a collection, exactly as `seam` says, with as few passes over arrays as it takes.

Scores are summed apart for passages and for articles (titles, filters with a boost), and the articles'
handed to their passages once.
"""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np

from htxsearch.engine.contract import ARTICLE_FIELDS, Boolean, DateRange, DisjunctionMax, Leaf, Node, Phrase, TermsFilter
from htxsearch.engine.whoosh.reader import Floats, IndexReader, Ints, Mask, TermWeights
from htxsearch.engine.whoosh.storage import NO_DATE

__all__ = ["LeafScores", "evaluate", "explain_score"]


class LeafScores(NamedTuple):
    """What a node found: every passage's score, and which match; no mask says that those with a score do."""

    scores: Floats
    mask: Mask | None

    def matching(self) -> Mask:
        """Return which passages match."""
        return self.scores > 0 if self.mask is None else self.mask


def evaluate(collection: IndexReader, node: Node) -> LeafScores:
    """Return what `node` matches; no passage that does not match has a score."""
    if not isinstance(node, Boolean):
        node = Boolean(should=(node,))
    should = list(_flat(node.should))
    if not node.must:
        found = _any(collection, should)
    else:
        found = evaluate(collection, node.must[0])
        for child in node.must[1:]:
            found = _both(found, evaluate(collection, child))
        if should:
            sums = _Sums(collection, found.scores)
            mask = found.matching()
            for child in should:
                sums.add(child)
            found = LeafScores(sums.total() * mask, found.mask)
    for child in node.must_not:
        mask = found.matching() & ~evaluate(collection, child).matching()
        found = LeafScores(found.scores * mask, mask)
    return found


def _both(one: LeafScores, other: LeafScores) -> LeafScores:
    mask = one.matching() & other.matching()
    return LeafScores((one.scores + other.scores) * mask, mask)


def _flat(children: tuple[Node, ...]) -> Iterator[Node]:
    """Yield children, and those of children that only add up their own."""
    for child in children:
        if isinstance(child, Boolean) and not (child.must or child.must_not):
            yield from _flat(child.should)
        else:
            yield child


def _any(collection: IndexReader, children: list[Node]) -> LeafScores:
    """Return where any child matches, with the sums of their scores."""
    sums = _Sums(collection, np.zeros(collection.passages))
    unscored = [mask for child in children if (mask := sums.add(child)) is not None]
    if not unscored:
        return LeafScores(sums.total(), None)
    return LeafScores(sums.total(), np.logical_or.reduce([sums.total() > 0, *unscored]))


class _Sums:
    """Scores added up, passages' and articles'."""

    def __init__(self, collection: IndexReader, passages: Floats) -> None:
        """Add to the scores of `passages`."""
        self._collection = collection
        self._passages = passages
        self._articles: Floats | None = None

    def add(self, node: Node) -> Mask | None:
        """Add a node's scores; return which passages match, unless these are just those it gives a score."""
        collection = self._collection
        if isinstance(node, Boolean):
            found = evaluate(collection, node)
            self._passages += found.scores
            return found.mask
        if isinstance(node, TermsFilter | DateRange):
            accepted = _accepted(collection, node)
            if node.boost > 0:
                self._of_articles()[accepted] += node.boost
                return None
            return collection.of_passages(accepted)
        weights, on_article = _weights(collection, node)
        weights.add_to(self._of_articles() if on_article else self._passages, node.boost)
        if node.boost > 0:
            return None
        dense = weights.dense(collection.articles if on_article else collection.passages) > 0
        return collection.of_passages(dense) if on_article else dense

    def _of_articles(self) -> Floats:
        if self._articles is None:
            self._articles = np.zeros(self._collection.articles)
        return self._articles

    def total(self) -> Floats:
        """Return the sums, of every passage."""
        if self._articles is not None:
            self._collection.hand_down(self._articles, self._passages)
            self._articles = None
        return self._passages


def _weights(collection: IndexReader, node: DisjunctionMax | Phrase) -> tuple[TermWeights, bool]:
    """Return a leaf's weights, and whether they are articles'."""
    if isinstance(node, Phrase):
        return collection.phrase(node.field, node.slots), node.field in ARTICLE_FIELDS
    on_article = bool(node.alternatives) and node.alternatives[0].field in ARTICLE_FIELDS
    return collection.weights(node.alternatives), on_article


def _accepted(collection: IndexReader, node: TermsFilter | DateRange) -> Mask:
    """Return which articles a filter takes."""
    accepted: Mask
    if isinstance(node, TermsFilter):
        names, codes = collection.values(node.field)
        wanted = np.array([*(name in node.values for name in names), False])
        accepted = wanted[codes]
        return accepted
    first = node.since.toordinal() if node.since else NO_DATE + 1
    last = node.until.toordinal() if node.until else date.max.toordinal()
    accepted = (collection.dates >= first) & (collection.dates <= last)
    return accepted


def explain_score(collection: IndexReader, node: Node, passages: Ints) -> list[tuple[Leaf, Floats, Mask]]:
    """Return every leaf that can score, what it gives to each of some passages, and where the groups around it match."""
    return list(_parts(collection, node, passages, np.ones(len(passages), np.bool_)))


def _parts(collection: IndexReader, node: Node, passages: Ints, within: Mask) -> Iterator[tuple[Leaf, Floats, Mask]]:
    found = evaluate(collection, node)
    within = within & found.matching()[passages]
    if isinstance(node, Boolean):
        for child in node.must + node.should:
            yield from _parts(collection, child, passages, within)
    elif not isinstance(node, TermsFilter | DateRange) or node.boost:
        yield node, found.scores[passages], within
