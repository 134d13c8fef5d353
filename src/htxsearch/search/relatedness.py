"""The articles related to an article, a passage or a text.

They are those near it that are above a learned line.

Near articles (`related`) are ordered by a learned sum of three cosines: without names, of names, and of the opening of what is
asked about with the article. Names make events alike, but also all that happens in one province, so their weight is small.
Seven signs say whether a near article is related at all: besides these three the cosine of words and that of rare terms, how
alike the titles are, and how near the article is to the average one. A logistic regression weighs them; `related.json`, which
scripts/train_related.py writes, has the weights for a whole article, for a passage and for a short text, and the least
probability that a reader would call the two related: of one event, or else of one topic. What is below that line is not shown:
fewer rather than wrong. A text that is the same is always shown.
"""

import json
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from htxsearch.engine.contract import Forward
from htxsearch.indexing.feature_vectors import feature_counts, feature_vector
from htxsearch.indexing.records import StoredArticle
from htxsearch.indexing.reprints import is_reprint
from htxsearch.ingest.article import Article
from htxsearch.search.related import FarSimilarity, Neighbour, Similarity
from htxsearch.search.results import RelatedArticle, RelatedArticles
from htxsearch.search.shared_terms import Phrase, phrases, shared_terms
from htxsearch.search.snapshot import Snapshot, StoredArticles
from htxsearch.text.analysis import Terms, analyse
from htxsearch.text.official import text_of, without_motto
from htxsearch.text.passages import passages
from htxsearch.text.sentences import Span

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = [
    "ORDER",
    "SIGNS",
    "Asked",
    "Kind",
    "Line",
    "Lines",
    "asked",
    "asked_passage",
    "in_order",
    "learned_lines",
    "other_lines",
    "related_articles",
    "signed",
]

Kind = Literal["article", "passage", "question"]
"""What is asked about. A question is any text of few syllables."""

SIGNS = ("subject", "titles", "words", "names", "rare", "common", "opening")
ORDER = ("subject", "names", "opening")
"""The signs by which near articles are ordered."""
_CANDIDATES = 40
"""Near articles of which each is weighed."""
_SHORT = 40
"""Syllables of a text that is called a question."""
_NO_TERMS = Terms((), ())
_PLACES = 6
"""Scores are compared to so many places; they are computed in single precision."""
_LIKE = 0.4
"""Least similarity of a text that may be the same one, cut."""


@dataclass(frozen=True, slots=True)
class Line:
    """The weights of the signs, their bias, and the least score that is related."""

    weights: tuple[float, ...]
    bias: float
    least: float

    def score(self, signs: Sequence[float]) -> float:
        """Return the probability that an article with such signs is related."""
        return 1 / (1 + math.exp(-self.total(signs)))

    def total(self, signs: Sequence[float]) -> float:
        """Return the weighted sum of such signs, by which near articles are ordered."""
        return self.bias + sum(weight * sign for weight, sign in zip(self.weights, signs, strict=True))


Lines = dict[str, Line]
"""A line for each `Kind`, and in "order" the weights of `ORDER`."""
_OTHER: ContextVar[Lines | None] = ContextVar("lines", default=None)


@lru_cache(maxsize=1)
def learned_lines() -> Lines:
    """Return the product's line for each kind of text."""
    stored = json.loads(Path(__file__).with_name("related.json").read_text("utf-8"))
    return {kind: Line(tuple(line["weights"]), line["bias"], line["least"]) for kind, line in stored["lines"].items()}


@contextmanager
def other_lines(lines: Lines) -> Iterator[None]:
    """Use other lines than the product's, such as those learned without a fold."""
    token = _OTHER.set(lines)
    try:
        yield
    finally:
        _OTHER.reset(token)


@dataclass(frozen=True, slots=True)
class Asked:
    """A text whose related articles are wanted.

    `article_id` is the indexed article that it is, or is part of; `body` the whole text, to find reprints of one that is not
    indexed. `vector` has its features, `opening` those of its title and first passage; `pieces` are its title and passages
    with the flags of their syllables. Only an article has a title.
    """

    kind: Kind
    article_id: str | None
    body: str
    vector: bytes
    pieces: tuple[tuple[str, bytes], ...]
    title: str = ""
    title_terms: Terms = _NO_TERMS
    opening: bytes | None = None


def asked(snapshot: Snapshot, article: Article, *, indexed: bool) -> Asked:
    """Return an article as what is asked about.

    The words of one that is indexed are known and not segmented again.
    """
    of_title, of_body = _flags(snapshot, article.id) if indexed else (None, None)
    told = without_motto(article.body, passages(article.body))
    [title] = analyse(article.title, [Span(0, len(article.title))], flags=of_title)
    parts = analyse(article.body, told, flags=of_body)
    body = text_of(article.body, told)
    is_short = not indexed and len(title.syllables) + sum(len(part.syllables) for part in parts) <= _SHORT
    pieces = [(article.title, title.flags)]
    pieces += [(article.body[span.start : span.end], part.flags) for span, part in zip(told, parts, strict=True)]
    vector = feature_vector(article.title, body, [title, *parts])
    if is_short:
        return Asked("question", None, article.body, vector, tuple(pieces))
    opening = feature_vector(article.title, text_of(article.body, told[:1]), [title, *parts[:1]])
    return Asked("article", article.id if indexed else None, article.body, vector, tuple(pieces), article.title, title, opening)


def asked_passage(snapshot: Snapshot, stored: StoredArticle, number: int) -> Asked:
    """Return a passage of an indexed article as what is asked about.

    `number` counts from 0.
    """
    span = stored.passages[number]
    flags = _parts(snapshot, stored.article.id)[number + 1].flags
    text = stored.article.body[span.start : span.end]
    parts = analyse(text, [Span(0, len(text))], flags=flags)
    vector = feature_vector("", text, [Terms((), ()), *parts])
    return Asked("passage", stored.article.id, stored.article.body, vector, (("", b""), (text, flags)))


def related_articles(snapshot: Snapshot, what: Asked, limit: int, *, all_near: bool = False) -> RelatedArticles:
    """Return up to `limit` articles related to a text, nearest first, ties by id.

    With `all_near`, those below the line are among them.
    """
    lines = _OTHER.get() or learned_lines()
    line, order = lines[what.kind], lines["order"]
    group = snapshot.reprint_groups.group(what.article_id) if what.article_id else ()
    near_ones = _NearArticles(snapshot, what, snapshot.articles)
    most_alike = 1.0 if line.weights[SIGNS.index("titles")] > 0 else 0.0

    def may_be_related(near: Neighbour) -> bool:
        """Return False for what is no reprint, and far however alike the titles are."""
        is_like = near.article_id in group or (what.article_id is None and near.similarity >= _LIKE)
        return all_near or is_like or line.score(_signs(near, most_alike)) >= line.least

    ordered = sorted(
        filter(may_be_related, _near(snapshot, what)),
        key=lambda one: (-round(order.total(in_order(_signs(one, 0.0))), _PLACES), one.article_id),
    )
    mine: dict[str, Phrase] | None = None
    related: list[RelatedArticle] = []
    for at, near in enumerate(ordered):
        if len(related) == limit:
            break
        if at in (0, limit):  # mostly the first are enough
            near_ones.fetch(one.article_id for one in (ordered[at:] if at else ordered[:limit]))
        article = near_ones.stored[near.article_id].article
        is_like = what.article_id is None and near.similarity >= _LIKE
        reprint = near.article_id in group or (is_like and is_reprint(what.body, article.body))
        if not (all_near or reprint) and line.score(_signs(near, near_ones.likeness(near.article_id))) < line.least:
            continue
        mine = phrases(what.pieces) if mine is None else mine
        terms = shared_terms(mine, near_ones.phrases(near.article_id, mine), snapshot.similarity.idf)
        if terms or reprint:
            related.append(
                RelatedArticle(
                    article_id=article.id,
                    title=article.title,
                    date=article.date,
                    place=article.place,
                    source=article.source,
                    score=near.subject,
                    terms=terms,
                    reprint=reprint,
                )
            )
    return RelatedArticles(what.article_id, tuple(related))


def signed(snapshot: Snapshot, what: Asked, stored: StoredArticles) -> list[tuple[Neighbour, tuple[float, ...]]]:
    """Return the articles near a text, most similar first, each with its signs."""
    near_ones, found = _NearArticles(snapshot, what, stored), _near(snapshot, what)
    near_ones.fetch(near.article_id for near in found)
    return [(near, _signs(near, near_ones.likeness(near.article_id))) for near in found]


def _near(snapshot: Snapshot, what: Asked) -> list[Neighbour]:
    return snapshot.similarity.nearest(what.vector, limit=_CANDIDATES, leave_out=what.article_id, opening=what.opening)


def _signs(near: Neighbour, likeness: float) -> tuple[float, ...]:
    """Return the signs of a near article, given how much the titles are alike."""
    return near.subject, likeness, near.words, near.names, near.rare, near.common, near.opening


class _NearArticles:
    """The articles near what is asked about, as they are compared with it.

    `fetch` reads them; what is asked of one that was not read raises KeyError.
    """

    def __init__(self, snapshot: Snapshot, what: Asked, stored: StoredArticles) -> None:
        self._snapshot, self.stored = snapshot, stored
        self._parts: dict[str, tuple[Forward, ...]] = {}
        self._title = _title_of(what.title, what.title_terms, snapshot.similarity)

    def fetch(self, article_ids: Iterable[str]) -> None:
        """Read articles at once."""
        wanted = list(article_ids)
        self.stored.fetch(wanted)
        self._parts.update(zip(wanted, self._snapshot.engine.forwards(wanted).articles(), strict=True))

    def likeness(self, article_id: str) -> float:
        """Return the cosine of an article's title, 0 if there is none to compare with."""
        if not len(self._title.hashes):
            return 0.0
        written = self.stored[article_id].article.title
        [terms] = analyse(written, [Span(0, len(written))], flags=self._parts[article_id][0].flags)
        return self._title.likeness(_title_of(written, terms, self._snapshot.similarity))

    def phrases(self, article_id: str, among: Collection[str]) -> dict[str, Phrase]:
        """Return the words and names of an article that are among some spellings."""
        stored = self.stored[article_id]
        texts = [stored.article.title, *(stored.passage(number) for number in range(len(stored.passages)))]
        return phrases(zip(texts, [part.flags for part in self._parts[article_id]], strict=False), among)


def in_order(signs: Sequence[float]) -> tuple[float, ...]:
    """Return those of an article's signs by which it is ordered."""
    return tuple(signs[SIGNS.index(name)] for name in ORDER)


class _Title(NamedTuple):
    """The features of a title, by their sorted hashes, with their weights."""

    hashes: "npt.NDArray[np.uint32]"
    weights: "npt.NDArray[np.float32]"

    def likeness(self, other: "_Title") -> float:
        """Return the cosine of two titles, 0 without one."""
        import numpy as np

        common = float((self.weights[np.isin(self.hashes, other.hashes)] ** 2).sum())
        lengths = math.sqrt(float((self.weights**2).sum()) * float((other.weights**2).sum()))
        return common / max(lengths, 1e-9)


def _title_of(title: str, terms: Terms, similarity: Similarity | FarSimilarity) -> _Title:
    import numpy as np

    hashes = np.array(sorted(feature_counts(title, "", [terms])), np.uint32)
    return _Title(hashes, similarity.weights(hashes))


def _parts(snapshot: Snapshot, article_id: str) -> tuple[Forward, ...]:
    """Return the syllables of an indexed article's title and of its passages."""
    [parts] = snapshot.engine.forwards([article_id]).articles()
    return parts


def _flags(snapshot: Snapshot, article_id: str) -> tuple[bytes, bytes]:
    """Return the flags of the syllables of an indexed article's title and of its body."""
    of_title, *of_passages = (part.flags for part in _parts(snapshot, article_id))
    return of_title, b"".join(of_passages)
