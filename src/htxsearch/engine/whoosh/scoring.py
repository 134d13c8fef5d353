"""Evaluate a query's nodes over an index, with few passes over arrays.

The scores are exactly those that `engine.contract` defines. They are summed apart for passages and for articles
(titles, filters with a boost), and those of articles are propagated to their passages once.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from htxsearch.engine.contract import (
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
from htxsearch.engine.whoosh.kernel import TIE, Floats, Ints
from htxsearch.engine.whoosh.reader import Group, IndexReader, Mask, is_on_article
from htxsearch.engine.whoosh.storage import NO_DATE

__all__ = ["LeafScores", "best_passages", "evaluate", "evaluate_once", "explain_score", "matching"]


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
    """Return the scores of the passages that `node` matches; all others score 0.

    Nobody changes the arrays: those of the last node searched for are kept.
    """
    if reader.evaluated is not None and reader.evaluated[0] is node:
        return LeafScores(*reader.evaluated[1:])
    if _is_filter(node):
        return LeafScores(np.zeros(reader.passages), matching(reader, node))
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
            result = _narrowed(result, matching(reader, child)) if _is_filter(child) else _both(result, evaluate(reader, child))
        if should:
            sums = _Sums(reader, result.scores.copy())
            mask = result.matching()
            for child in should:
                sums.add(child)
            result = LeafScores(sums.total() * mask, result.mask)
    for child in node.must_not:
        result = _narrowed(result, ~matching(reader, child))
    return result


def evaluate_once(reader: IndexReader, node: Node) -> LeafScores:
    """Return what `evaluate` does, without evaluating the last node again.

    A page's line between near and far is drawn through the scores of its query, and the query is then narrowed to either side:
    what is narrowed stays the last node, and filters are none.
    """
    kept = reader.evaluated
    if kept is not None and kept[0] == node:
        return LeafScores(*kept[1:])
    result = evaluate(reader, node)
    is_narrower = kept is not None and isinstance(node, Boolean) and any(child is kept[0] for child in node.must)
    if not (is_narrower or _is_filter(node)):
        reader.evaluated = node, *result
    return result


def matching(reader: IndexReader, node: Node) -> Mask:
    """Return the mask of the passages that `node` matches.

    It is (passages,) bool, and nobody changes it.
    """
    if not _is_filter(node):
        return evaluate(reader, node).matching()
    if isinstance(node, AtLeast):
        return _reached(reader, node)
    if isinstance(node, InArticle):
        return reader.of_passages(reader.any_of_article(matching(reader, node.node)))
    if isinstance(node, TermsFilter) and node.field == "id":
        return _passages_of(reader, _known_ids(reader, node))
    if isinstance(node, TermsFilter | DateRange):
        return reader.of_passages(_accepted(reader, node))
    assert isinstance(node, Boolean)
    needed = [matching(reader, child) for child in node.must]
    mask: Mask = (
        np.logical_and.reduce(needed) if needed else np.logical_or.reduce([matching(reader, one) for one in node.should])
    )
    for child in node.must_not:
        mask = mask & ~matching(reader, child)
    return mask


def _is_filter(node: Node) -> bool:
    """Return True if a node says which passages match, and scores nothing."""
    if isinstance(node, TermsFilter | DateRange):
        return node.boost <= 0
    if isinstance(node, Boolean):
        return bool(node.must or node.should) and all(map(_is_filter, node.must + node.should))
    return isinstance(node, AtLeast | InArticle)


def _narrowed(result: LeafScores, mask: Mask) -> LeafScores:
    mask = result.matching() & mask
    return LeafScores(result.scores * mask, mask)


def best_passages(reader: IndexReader, node: Node, limit: int) -> tuple[Ints, Floats] | None:
    """Return passages that the best `limit` are among, with their scores.

    They are in no order. None if the node is no sum of scored leaves, with preferences at most: `evaluate` can do it.
    """
    parts = _sum_of(node)
    if parts is None:
        return None
    leaves, preferences = parts
    scores = np.zeros(reader.passages)
    sums = _Sums(reader, scores)
    late: list[tuple[Group, DisjunctionMax]] = []
    others = 0
    for leaf in leaves:
        if isinstance(leaf, DisjunctionMax) and not is_on_article(leaf):
            late.append((reader.group(leaf.alternatives), leaf))
        else:
            others += 1
            if sums.add(leaf) is not None:
                return None
    if others:
        scores = sums.total()
    late.sort(key=lambda one: -one[0].bound * one[0].idf * one[1].boost)
    groups = [(group.postings, group.idf * leaf.boost, group.bound * group.idf * leaf.boost) for group, leaf in late]
    preferred = sum(one.boost for one in preferences)
    docs, found, most = reader.kernel.top(scores, not others, groups, limit, preferred)
    for (_, leaf), part in zip(late, most, strict=True):
        if part > 0:
            reader.learn_bound(leaf.alternatives, part)
    passages, sums_of = np.frombuffer(docs, np.int64).astype(np.intp, copy=False), np.frombuffer(found, np.float64)
    if preferences:
        sums_of, owner = sums_of.copy(), reader.owner(passages)
        for one in preferences:
            sums_of[_accepted(reader, one)[owner]] += one.boost
    return passages, sums_of


def _sum_of(node: Node) -> tuple[list[Node], Sequence[TermsFilter | DateRange]] | None:
    """Return the leaves that a node sums up, and the filters that it prefers.

    None if it does more.
    """
    preferences: list[TermsFilter | DateRange] = []
    if isinstance(node, Boolean) and len(node.must) == 1 and not node.must_not:
        for child in node.should:
            if not isinstance(child, TermsFilter | DateRange) or child.boost <= 0:
                return None
            preferences.append(child)
        (node,) = node.must
    if isinstance(node, Boolean) and (node.must or node.must_not):
        return None
    leaves = list(_flat(node.should if isinstance(node, Boolean) else (node,)))
    if any(isinstance(leaf, AtLeast | InArticle) or (isinstance(leaf, Leaf) and leaf.boost <= 0) for leaf in leaves):
        return None
    return leaves, preferences


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
        if _is_filter(node):
            return matching(reader, node)
        if isinstance(node, Boolean | Best):
            result = evaluate(reader, node)
            self._passages += result.scores
            return result.mask
        if isinstance(node, TermsFilter | DateRange):
            self._of_articles()[_accepted(reader, node)] += node.boost
            return None
        assert not isinstance(node, AtLeast | InArticle)
        on_article = is_on_article(node)
        if node.boost > 0:
            self._add_leaf(node, self._of_articles() if on_article else self._passages)
            return None
        mask = np.zeros(reader.articles if on_article else reader.passages, np.bool_)
        mask[reader.docs(node)] = True
        return reader.of_passages(mask) if on_article else mask

    def _add_leaf(self, node: DisjunctionMax | Phrase, scores: Floats) -> None:
        if isinstance(node, Phrase):
            found = self._reader.phrase(node.field, node.slots)
            scores[found.docs] += node.boost * found.scores
        else:
            self._reader.add(node.alternatives, self._reader.group(node.alternatives), node.boost, scores)

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


def _reached(reader: IndexReader, node: AtLeast) -> Mask:
    """Return the mask of passages that a filter by score accepts, (passages,) bool.

    The last one is kept: a page asks for it to order its articles, and again to count all.
    """
    if reader.reached is None or reader.reached[0] is not node:
        result = evaluate_once(reader, node.node)
        mask = result.matching()
        if node.score > 0:  # few are so near that rounding decides, or beyond
            near = np.flatnonzero(result.scores >= node.score - TIE)
            near = near[mask[near] & (result.scores[near].round(9) >= round(node.score, 9))]
            mask = np.zeros(len(mask), np.bool_)
            mask[near] = True
        reader.reached = node, mask
    return reader.reached[1]


def _accepted(reader: IndexReader, node: TermsFilter | DateRange) -> Mask:
    """Return the mask of articles that a filter accepts, (articles,) bool."""
    accepted: Mask
    if isinstance(node, TermsFilter) and node.field == "id":
        accepted = np.zeros(reader.articles, np.bool_)
        accepted[_known_ids(reader, node)] = True
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


def _passages_of(reader: IndexReader, articles: Sequence[int]) -> Mask:
    """Return a mask of the passages of a few articles, (passages,) bool."""
    mask = np.zeros(reader.passages, np.bool_)
    for article in articles:
        mask[reader.starts.item(article) : reader.starts.item(article + 1)] = True
    return mask


def _known_ids(reader: IndexReader, node: TermsFilter) -> list[int]:
    """Return the articles of a filter by id."""
    numbers = (reader.article_called(article_id) for article_id in node.values)
    return [number for number in numbers if number is not None]


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
