"""What an index keeps of articles, read when it is first wanted, and which of them print the same text."""

import datetime
import json
from collections.abc import Iterable, Mapping
from typing import Any

from htxsearch.engine.contract import Engine, Hit
from htxsearch.search.results import Reprint

__all__ = ["ReprintGroups", "StoredArticles", "day"]


class StoredArticles(dict[str, dict[str, Any]]):
    """The records of articles, each read from the engine once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __missing__(self, article_id: str) -> dict[str, Any]:
        self[article_id] = json.loads(self._engine.record(article_id) or "")
        return self[article_id]

    def passage(self, hit: Hit) -> str:
        """Return the text of a passage."""
        start, end = self[hit.article_id]["passages"][hit.passage]
        text: str = self[hit.article_id]["body"][start:end]
        return text

    def earliest(self, article_ids: Iterable[str]) -> list[str]:
        """Return articles by their dates, those without one last, ties by id."""
        return sorted(article_ids, key=lambda one: (self[one]["date"] or "9999-99-99", one))

    def reprint(self, article_id: str) -> Reprint:
        """Return what is shown of an article that stands behind another one."""
        record = self[article_id]
        return Reprint(article_id=article_id, title=record["title"], date=day(record["date"]), source=record["source"])


class ReprintGroups:
    """Which articles print the same text."""

    def __init__(self, groups: Mapping[str, tuple[str, ...]]) -> None:
        self._groups = groups
        self.spare = len(groups) - len(set(groups.values()))
        """How many articles there are at most that stand behind another one."""

    def group(self, article_id: str) -> tuple[str, ...]:
        """Return the articles with the text of one of them, at least itself."""
        return self._groups.get(article_id, (article_id,))


def day(iso: str | None) -> datetime.date | None:
    """Return the day that a record holds as text, None if it has none."""
    return datetime.date.fromisoformat(iso) if iso else None
