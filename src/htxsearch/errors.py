"""Everything that can go wrong, as one tree.

* HtxError
    * UsageError: the caller's words are off: an option, a date, a field
        * QuerySyntaxError: a query that cannot be read; knows the column
        * UnknownArticle: no article of that id in the index
    * ExtraMissing: an optional package is not installed
    * CorpusError: the corpus folder cannot be used
    * IndexFailure: the index folder cannot be used
        * IndexMissing: there is no index there
        * IndexOutdated: written by another version; must be rebuilt
        * IndexDamaged: what is on disk cannot be read
        * IndexBusy: another process is writing
        * IndexNotWritable: no permission, no space, a read-only disk

A message says what happened, to which thing, and what to type next. `exit_code` is what the
command line exits with.
"""

__all__ = [
    "CorpusError",
    "ExtraMissing",
    "HtxError",
    "IndexBusy",
    "IndexDamaged",
    "IndexFailure",
    "IndexMissing",
    "IndexNotWritable",
    "IndexOutdated",
    "QuerySyntaxError",
    "UnknownArticle",
    "UsageError",
]


class HtxError(Exception):
    """Base of every error htxsearch raises on purpose."""

    exit_code = 1


class UsageError(HtxError):
    """The caller asked for something that cannot be."""

    exit_code = 2


class QuerySyntaxError(UsageError):
    """A query that cannot be read.

    `query` is the text as given, composed (NFC), `column` the 0-based offset of the trouble in it, `reason` the
    message without the caret.
    """

    def __init__(self, reason: str, *, query: str, column: int) -> None:
        self.reason = reason
        self.query = query
        self.column = column
        super().__init__(f"{reason}\n  {query}\n  {' ' * column}^")


class UnknownArticle(UsageError):
    """No article of that id is in the index."""


class ExtraMissing(HtxError):
    """What was asked for needs an optional package that is not installed, or does not work here."""

    exit_code = 2


class CorpusError(HtxError):
    """The corpus folder is missing or cannot be read."""

    exit_code = 3


class IndexFailure(HtxError):
    """The index folder cannot be used. (Python has an IndexError of its own.)"""

    exit_code = 4


class IndexMissing(IndexFailure):
    """There is no index in the folder."""


class IndexOutdated(IndexFailure):
    """The index was written by another version or is not ours."""


class IndexDamaged(IndexFailure):
    """What is on disk cannot be read."""


class IndexBusy(IndexFailure):
    """Another process is writing the index."""

    exit_code = 5


class IndexNotWritable(IndexFailure):
    """The index cannot be written: permissions, space, a read-only disk."""
