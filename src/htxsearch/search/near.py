"""Near and far: what answers a query, and what merely shares words with it.

A query of running words matches every article with any of its words. A line divides them. Of the reranked articles it is a
logistic regression over five numbers: the article's score, the query in its title, and neighbours of the query side by side,
each as a share of the best article's; how much of the query it holds, by idf; and whether it holds the whole query. The
articles behind these, known by first-stage retrieval alone, are near if they score a share of its best score. A query that is
one concept ("hợp tác xã", HTX) has all articles with it near. A query that says itself what must match (quotes, +word, filters)
has only near matches.

`scripts/train_near.py` learns the weights, kept in `near.json`, from topics with all their relevant articles.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from htxsearch.engine.contract import AtLeast, Boolean, Node, Search, SearchResult, TermsFilter
from htxsearch.search.rerank import DEPTH, ArticleMatch, Ranked

__all__ = ["EVERYTHING", "SIGNS", "NearLine", "NearWeights", "line_weights", "near_line", "near_signs"]

SIGNS = ("score", "title", "pairs", "coverage", "whole")
"""What the line knows of a reranked article, the columns of `near_signs`."""


_SHARES = 3
"""The first of `SIGNS`, shares of the best article's."""


class NearWeights(NamedTuple):
    """The line: near is an article whose weighted signs and `bias` sum to 0 or more.

    `floor` is the least score of first-stage retrieval of the articles that are not reranked, as a share of the best.
    """

    signs: Mapping[str, float]
    bias: float
    floor: float

    def reached(self, signs: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return True for each row of signs on the near side."""
        near: NDArray[np.bool_] = signs @ np.array([self.signs[name] for name in SIGNS]) + self.bias >= 0
        return near


class NearLine(NamedTuple):
    """The near articles of a query, before filters narrow them.

    `near` and `far` are articles known by their ids; `beyond` matches the near ones among all others, None if none of them is
    near. `everything` is True if all that match are near.
    """

    near: frozenset[str] = frozenset()
    far: frozenset[str] = frozenset()
    beyond: Node | None = None
    everything: bool = False

    @property
    def is_known(self) -> bool:
        """True if the ids of all near articles are known."""
        return self.beyond is None and not self.everything

    def including(self, article_ids: frozenset[str]) -> "NearLine":
        """Return the line with more articles on its near side."""
        return self._replace(near=self.near | article_ids, far=self.far - article_ids)

    def node(self) -> Node:
        """Return the node of the near articles, which scores nothing.

        There is none for `everything`.
        """
        near = TermsFilter("id", self.near)
        if self.beyond is None:
            return near
        return Boolean(should=(near, Boolean(must=(self.beyond,), must_not=(TermsFilter("id", self.far),))))

    def nodes(self, query: Node) -> tuple[Node, ...]:
        """Return the nodes of near and of far articles, which score as the query."""
        if self.everything:
            return (query,)
        return Boolean(must=(query, self.node())), Boolean(must=(query,), must_not=(self.node(),))

    def undecided(self, article_ids: Sequence[str]) -> Search | None:
        """Return the search for the near ones of articles that the line does not know.

        The result is None if it knows all.
        """
        if self.beyond is None:
            return None
        others = frozenset(article_ids).difference(self.near, self.far)
        return Search(node=Boolean(must=(TermsFilter("id", others), self.beyond)), limit=len(others)) if others else None

    def among(self, article_ids: Sequence[str], decided: SearchResult | None) -> set[str]:
        """Return those of the articles that are near, given the result of `undecided`."""
        if self.everything:
            return set(article_ids)
        near = set(self.near.intersection(article_ids))
        return near.union(hit.article_id for hit in decided.hits) if decided else near


EVERYTHING = NearLine(everything=True)
"""The line of a query all of whose matches are near."""


_weights: ContextVar[NearWeights | None] = ContextVar("weights of the line", default=None)


@contextmanager
def line_weights(weights: NearWeights) -> Iterator[None]:
    """Divide near from far by another line within a `with` block.

    An evaluation asks each query by a line that never saw it.
    """
    token = _weights.set(weights)
    try:
        yield
    finally:
        _weights.reset(token)


@cache
def _stored_line() -> NearWeights:
    """Return the line that `scripts/train_near.py` has written."""
    stored = json.loads(Path(__file__).with_name("near.json").read_text("utf-8"))
    return NearWeights(stored["signs"], stored["bias"], stored["floor"])


def near_signs(ranked: Sequence[Ranked]) -> tuple[list[str], NDArray[np.float64]]:
    """Return the ids of reranked articles, best first, and a row of `SIGNS` for each."""
    best: dict[str, tuple[float, ArticleMatch]] = {}
    for passage in ranked:
        if passage.match is not None:
            best.setdefault(passage.hit.article_id, (passage.score, passage.match))
    rows = np.array([(score, *match[: len(SIGNS) - 1]) for score, match in best.values()], np.float64).reshape(-1, len(SIGNS))
    highest = np.maximum(rows.max(axis=0, initial=0.0), 1e-9)
    return list(best), rows / np.where(np.arange(len(SIGNS)) < _SHARES, highest, 1.0)


def near_line(query: Node, concept: Node | None, ranked: Sequence[Ranked]) -> NearLine:
    """Return the near articles of a query.

    `query` matches every article with any of its words, `concept` those with the one concept that the query is, and `ranked`
    are its reranked passages, best first.
    """
    if concept is not None:
        return NearLine(beyond=AtLeast(concept, 0.0))
    weights = _weights.get() or _stored_line()
    ids, signs = near_signs(ranked)
    reached = weights.reached(signs)
    near = frozenset(article_id for article_id, is_near in zip(ids, reached, strict=True) if is_near)
    scores = [passage.hit.score for passage in ranked if passage.hit.score > 0]
    floor = weights.floor * max(scores, default=0.0)
    beyond = AtLeast(query, floor) if len(scores) >= DEPTH and min(scores) >= floor else None
    return NearLine(near, frozenset(ids) - near, beyond)
