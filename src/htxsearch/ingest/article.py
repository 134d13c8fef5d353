"""The article, a news item or report from the user's files, and its substitutes.

A file or line that gives no article gives a `Rejected` or an `Unchanged`. The module is short, for these are
the values that ingest hands to every later room.
"""

import datetime
from bisect import bisect_right
from dataclasses import field

from htxsearch.errors.messages import Message
from htxsearch.values import frozen

__all__ = ["Article", "Doubtful", "Dropped", "Rejected", "Unchanged", "Unreadable"]


@frozen
class Dropped:
    """Boilerplate: text of a file that is not part of the article, and the reason.

    It is not kept in the index.
    """

    text: str
    reason: Message


@frozen(kw_only=True)
class Article:
    """An article: its body, its metadata and its boilerplate.

    Passages, highlights and answers are spans into `body`, which is NFC.

    `id` is the file's path relative to the corpus folder, or a JSON line's own id; `path` is the path of the file.
    Unknown values are None. `date` is the day of publication, `crawled` the day on which the page was saved.
    `place` is the canonical name of a province, or another place that the metadata name; `place_evidence` quotes
    the text that the place was inferred from, None if the metadata name it. `number` is the own number of an official
    document, `signer` who signed it. `pages` has the offset in `body` at which each page begins, none for files without pages;
    `ocr` is the mean confidence, 0 to 1, of the pages whose text was recognised in a picture. `dropped` is the boilerplate of
    the file, `line` a hash of the JSON line that the article was read from; neither counts when articles are compared.
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
    number: str | None = None
    signer: str | None = None
    pages: tuple[int, ...] = ()
    ocr: float | None = None
    dropped: tuple[Dropped, ...] = field(default=(), compare=False, repr=False)
    line: str = field(default="", compare=False, repr=False)

    def page_at(self, offset: int) -> int | None:
        """Return the number, from 1, of the page that has the character at `offset`.

        None for files without pages.
        """
        return bisect_right(self.pages, offset) or None


@frozen
class Rejected:
    """A file or line that could not be read, and the reason.

    The `path` of a line ends in ":LINE".
    """

    path: str
    reason: Message


@frozen
class Doubtful:
    """A file whose text is indexed but in doubt, and the reason."""

    path: str
    reason: Message


@frozen
class Unchanged:
    """An article whose JSON line has not changed since it was last read.

    `size` is the length of the line in bytes.
    """

    id: str
    size: int


class Unreadable(Exception):
    """A file or line cannot become an article; `message` is the reason.

    It never leaves this package.
    """

    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__(message)
