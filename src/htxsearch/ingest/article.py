"""The article: one news item or report, as read from the user's files."""

import datetime
from dataclasses import dataclass, field

__all__ = ["Article", "Dropped", "Rejected", "Unchanged"]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A piece of a file's text that is no part of the article, and why it was left out. Not kept in the index."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article. Passages, highlights and answers are spans into `body`, which is NFC.

    `id` is the file's path relative to the corpus folder, or a JSON line's own id; `path` is that
    file's path. What is not known is None. `date` is the day of publication, `crawled` the day the page was
    saved, where it says so. `place` is a province's usual name where it is one; `place_evidence` quotes what it was
    inferred from, None if somebody said it. `dropped` is what the file has besides; `line` is a hash of the JSON line it
    was read from, if it was; both are no part of what the article is.
    """

    id: str
    title: str
    body: str
    path: str
    date: datetime.date | None = None
    place: str | None = None
    source: str | None = None
    url: str | None = None
    author: str | None = None
    crawled: datetime.date | None = None
    place_evidence: str | None = None
    dropped: tuple[Dropped, ...] = field(default=(), compare=False, repr=False)
    line: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file, or a line of one (`path` then ends in ":LINE"), that could not be taken in, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unchanged:
    """An article whose JSON line, of `size` bytes, is as it was when it was read last."""

    id: str
    size: int
