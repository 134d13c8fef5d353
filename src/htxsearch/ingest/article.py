"""The article: one news item or report, as read from the user's files; and what may come instead of one.

Short, for these are the values that ingest hands to every later room.
"""

import datetime
from dataclasses import dataclass, field

from htxsearch.errors.messages import Message

__all__ = ["Article", "Dropped", "Rejected", "Unchanged", "Unreadable"]


@dataclass(frozen=True, slots=True)
class Dropped:
    """Boilerplate: a piece of a file's text that is not part of the article, and the reason. Not kept in the index."""

    text: str
    reason: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article. Passages, highlights and answers are spans into `body`, which is NFC.

    `id` is the file's path relative to the corpus folder, or a JSON line's own id; `path` is the path of the file.
    Unknown values are None. `date` is the day of publication, `crawled` the day on which the page was saved. `place` is
    the canonical name of a province, or another place that the metadata name; `place_evidence` quotes the text that it was
    inferred from, None if the metadata name it. `dropped` is the boilerplate of the file, `line` a hash of the JSON line
    that the article was read from; neither counts when articles are compared.
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
    """A file, or a line of one (`path` then ends in ":LINE"), that could not be read, and the reason."""

    path: str
    reason: Message


@dataclass(frozen=True, slots=True)
class Unchanged:
    """An article whose JSON line, of `size` bytes, has not changed since it was last read."""

    id: str
    size: int


class Unreadable(Exception):
    """A file or line cannot become an article; `message` is the reason. Never leaves this package."""

    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__(message)
