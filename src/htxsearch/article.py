"""The article: one news item or report, as read from the user's files."""

import datetime
from dataclasses import dataclass, field

__all__ = ["Article", "Rejected", "Unchanged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article. Passages, highlights and answers are spans into `body`, which is NFC.

    `id` is the file's path relative to the corpus folder, or a JSON line's own id; `path` is that
    file's path. What is not known is None. `place` is a province's usual name where it is one. `line` is a hash
    of the JSON line it was read from, if it was; it is no part of what the article is.
    """

    id: str
    title: str
    body: str
    path: str
    date: datetime.date | None = None
    place: str | None = None
    source: str | None = None
    url: str | None = None
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
