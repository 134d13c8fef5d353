"""An engine at one commit, the parts derived from it, and its stored articles.

Each part is made at its first use.
"""

import datetime
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from htxsearch.engine.contract import Engine, Hit
from htxsearch.indexing.catalogue import read_short_forms
from htxsearch.indexing.records import StoredArticle
from htxsearch.indexing.reprints import read_groups
from htxsearch.ingest.synonyms import NO_SYNONYMS, Synonyms
from htxsearch.query.expand import Expander, ExpansionWeights
from htxsearch.query.vocabulary import Vocabulary
from htxsearch.search.results import Reprint

if TYPE_CHECKING:
    from htxsearch.facts.extract import Fact
    from htxsearch.query.complete import Completer
    from htxsearch.search.near import NearLine
    from htxsearch.search.newest import Listing
    from htxsearch.search.related import FarSimilarity, Similarity

__all__ = ["ReprintGroups", "Snapshot", "StoredArticles"]


_KEPT_CHARACTERS = 2_000_000
"""Characters of the stored articles that are kept for the next page, or for whoever opens a hit: 4 MB."""

_MOST_UNPARSED = 500
"""Articles that were read and not asked for, and facts of articles, from which on they are forgotten."""


class StoredArticles(dict[str, StoredArticle]):
    """Articles by id, each read from the engine and parsed when it is asked for.

    `fetch` reads many at once before that.

    With `most`, only those asked for last are kept: at least one, and others of up to so many characters in all.
    """

    def __init__(self, engine: Engine, most: float = math.inf) -> None:
        self._engine = engine
        self._most = most
        self._characters = 0
        self._records: dict[str, str] = {}
        self._facts: dict[str, bytes] = {}

    def fetch(self, article_ids: Iterable[str]) -> None:
        """Read at once the articles that are asked for next."""
        missing = [one for one in dict.fromkeys(article_ids) if one not in self and one not in self._records]
        if missing:
            if len(self._records) > _MOST_UNPARSED:
                self._records.clear()
            found = zip(missing, self._engine.records(missing), strict=True)
            self._records.update((article_id, record) for article_id, record in found if record is not None)

    def __missing__(self, article_id: str) -> StoredArticle:
        """Read an article. Raises KeyError if the engine has none of that id."""
        record = self._records.pop(article_id, None)
        if record is None:
            [record] = self._engine.records([article_id])
        if record is None:
            raise KeyError(article_id)
        stored = self[article_id] = StoredArticle.from_json(article_id, record)
        self._characters += len(stored.article.body)
        while self._characters > self._most and len(self) > 1:
            self._characters -= len(self.pop(next(iter(self))).article.body)
        return stored

    def is_empty(self) -> bool:
        """Return True if the engine has no article."""
        return not self._engine.counts().articles

    def fetch_facts(self, article_ids: Iterable[str]) -> None:
        """Read at once the facts of articles that are not known."""
        missing = [article_id for article_id in dict.fromkeys(article_ids) if article_id not in self._facts]
        if missing:
            if len(self._facts) > _MOST_UNPARSED:
                self._facts.clear()
            self._facts.update(zip(missing, self._engine.facts_of(missing), strict=True))

    def facts(self, article_id: str) -> "list[Fact]":
        """Return the facts of an article."""
        from htxsearch.facts.stored import unpack_facts  # no query needs it

        self.fetch_facts([article_id])
        return unpack_facts(self._facts[article_id])

    def passage(self, hit: Hit) -> str:
        """Return the text of the passage that was hit."""
        return self[hit.article_id].passage(hit.passage)

    def earliest(self, article_ids: Iterable[str]) -> list[str]:
        """Return articles by date, those without a date last, ties by id."""

        def by_date(article_id: str) -> tuple[bool, datetime.date, str]:
            date = self[article_id].article.date
            return date is None, date or datetime.date.max, article_id

        wanted = list(article_ids)
        if wanted:
            self.fetch(wanted)
        return sorted(wanted, key=by_date)

    def reprint(self, article_id: str) -> Reprint:
        """Return an article as it is listed behind another one that has the same text."""
        article = self[article_id].article
        return Reprint(article_id=article_id, title=article.title, date=article.date, source=article.source)


class ReprintGroups:
    """Which articles print the same text."""

    def __init__(self, groups: Mapping[str, tuple[str, ...]]) -> None:
        self._groups = groups
        self.spare = len(groups) - len(set(groups.values()))
        """How many articles there are at most that stand behind another one."""

    def group(self, article_id: str) -> tuple[str, ...]:
        """Return the articles with the text of one of them, at least itself."""
        return self._groups.get(article_id, (article_id,))

    def text(self, article_id: str) -> str:
        """Return the first of the articles with the text of one of them."""
        return self._groups[article_id][0] if article_id in self._groups else article_id

    def members(self, article_ids: Iterable[str]) -> Iterator[str]:
        """Yield the articles of the groups of some articles."""
        return chain.from_iterable(map(self.group, article_ids))


class Snapshot:
    """An engine at one commit, the user's synonyms, and the parts derived from both."""

    def __init__(self, engine: Engine, synonyms: Synonyms = NO_SYNONYMS) -> None:
        self.engine = engine
        self._synonyms = synonyms
        self.lines: dict[tuple[str, bool], NearLine] = {}
        self._generation = engine.generation

    def is_of(self, engine: Engine) -> bool:
        """Return True if this is a snapshot of the commit that an engine reads now."""
        return self.engine is engine and self._generation == engine.generation

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The terms of the engine, as they are looked up."""
        return Vocabulary(self.engine)

    @cached_property
    def expander(self) -> Expander:
        """The expander of queries to the index's spellings and abbreviations."""
        return Expander(self.vocabulary, self._learned, ExpansionWeights(), self._synonyms)

    @cached_property
    def _learned(self) -> dict[str, list[str]]:
        return {short: [form.long for form in forms] for short, forms in read_short_forms(self.engine).items()}

    @cached_property
    def articles(self) -> StoredArticles:
        """The stored articles, of which those read last are kept."""
        return StoredArticles(self.engine, _KEPT_CHARACTERS)

    @cached_property
    def reprint_groups(self) -> ReprintGroups:
        """The groups of articles with the same text."""
        return ReprintGroups(read_groups(self.engine))

    @cached_property
    def completer(self) -> "Completer":
        """The completer of unfinished queries."""
        from htxsearch.query.complete import Completer

        return Completer(self.vocabulary, self._learned)

    @cached_property
    def listing(self) -> "Listing":
        """All articles with when they entered the index, for lists of what is new."""
        from htxsearch.indexing.arrivals import read_arrivals
        from htxsearch.search.newest import Listing

        return Listing(read_arrivals(self.engine))

    @cached_property
    def similarity(self) -> "Similarity | FarSimilarity":
        """The weighted vectors of all articles, for related articles.

        An engine that is far away is asked for those of candidates, if it has more than should be read.
        """
        from htxsearch.indexing.feature_weights import MOST_VECTORS, read_feature_weights
        from htxsearch.search.related import FarSimilarity, Similarity

        weights = read_feature_weights(self.engine)
        vectors_with = getattr(self.engine, "vectors_with", None)
        if vectors_with and weights and weights.mean is not None and self.engine.counts().articles > MOST_VECTORS:
            return FarSimilarity(vectors_with, weights)
        return Similarity(self.engine.vectors(), weights)
