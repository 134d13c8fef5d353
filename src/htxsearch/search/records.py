"""The stored articles of an engine, each parsed once, and which of them print the same text."""

import datetime
from collections.abc import Iterable, Mapping

from htxsearch.engine.contract import Engine, Hit
from htxsearch.indexing.documents import StoredArticle
from htxsearch.search.results import Reprint

__all__ = ["ReprintGroups", "StoredArticles"]


class StoredArticles(dict[str, StoredArticle]):
    """Articles by id, each read from the engine and parsed when it is first asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __missing__(self, article_id: str) -> StoredArticle:
        """Read an article. Raises KeyError if the engine has none of that id."""
        record = self._engine.record(article_id)
        if record is None:
            raise KeyError(article_id)
        self[article_id] = StoredArticle.from_json(article_id, record)
        return self[article_id]

    def passage(self, hit: Hit) -> str:
        """Return the text of the passage that was hit."""
        return self[hit.article_id].passage(hit.passage)

    def earliest(self, article_ids: Iterable[str]) -> list[str]:
        """Return articles by date, those without a date last, ties by id."""

        def by_date(article_id: str) -> tuple[bool, datetime.date, str]:
            date = self[article_id].article.date
            return date is None, date or datetime.date.max, article_id

        return sorted(article_ids, key=by_date)

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
