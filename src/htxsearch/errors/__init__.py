"""Everything that can go wrong, as one tree.

* HtxError
    * UsageError: the caller passed something invalid: an option, a date, a field
        * QuerySyntaxError: a query that cannot be read; knows the column
        * UnknownArticle: no article of that id in the index
    * ExtraMissing: an optional package is not installed
    * ReaderUnavailable: the reader of answers is missing or damaged
    * CorpusError: the corpus folder cannot be used
    * IndexFailure: the index folder cannot be used
        * IndexMissing: there is no index there
        * IndexOutdated: written by another version; must be rebuilt
        * IndexDamaged: the files on disk have wrong content, or some are gone
        * IndexBusy: another process is writing
        * IndexNotReadable: no permission, too many open files, a failing disk
        * IndexNotWritable: no permission, no space, a read-only disk

An error has a `code`, its `fields` and the `message` of both, which the catalogue of a language puts into words (see
`htxsearch.errors.messages`): what happened, to which thing, and the next command to type. `str(error)` is English.
`exit_code` is the exit code of the command line.
"""

from typing import Any

from htxsearch.errors.messages import Message

__all__ = [
    "CorpusError",
    "ExtraMissing",
    "HtxError",
    "IndexBusy",
    "IndexDamaged",
    "IndexFailure",
    "IndexMissing",
    "IndexNotReadable",
    "IndexNotWritable",
    "IndexOutdated",
    "QuerySyntaxError",
    "ReaderUnavailable",
    "UnknownArticle",
    "UsageError",
]


class HtxError(Exception):
    """Base of every error htxsearch raises on purpose. Can be pickled."""

    exit_code = 1

    def __init__(self, code: str, /, **fields: Any) -> None:
        self.message = Message(code, fields)
        super().__init__(code)

    @property
    def code(self) -> str:
        """The stable code of the message."""
        return self.message.code

    @property
    def fields(self) -> dict[str, Any]:
        """The values of the message's placeholders."""
        return self.message.fields

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored_error, (type(self), self.code, self.fields, getattr(self, "__notes__", []))

    def __str__(self) -> str:
        return str(self.message)


def _restored_error(kind: type[HtxError], code: str, fields: dict[str, Any], notes: list[str]) -> HtxError:
    """Return an error as it was when it was pickled."""
    error = kind(code, **fields)
    for note in notes:
        error.add_note(note)
    return error


class UsageError(HtxError):
    """The caller passed something invalid."""

    exit_code = 2


class QuerySyntaxError(UsageError):
    """A query that cannot be parsed.

    `query` is the text as given, composed (NFC), or the begin of a long one; `column` is the 0-based offset of the error in it,
    `offset` that in the whole text, `message` the reason without the caret.
    """

    def __init__(self, code: str, /, *, query: str, column: int, offset: int | None = None, **fields: Any) -> None:
        self.query = query
        self.column = column
        self.offset = column if offset is None else offset
        super().__init__(code, query=query, column=column, offset=self.offset, **fields)

    @property
    def reason(self) -> str:
        """The English message without the caret."""
        return str(self.message)

    @property
    def caret(self) -> str:
        """The query, and below it a caret at the column of the error."""
        return f"  {self.query}\n  {' ' * self.column}^"

    def __str__(self) -> str:
        return f"{self.message}\n{self.caret}"


class UnknownArticle(UsageError):
    """No article of that id is in the index."""


class ExtraMissing(HtxError):
    """An optional package that is needed is not installed, or does not work here."""

    exit_code = 2


class ReaderUnavailable(HtxError):
    """The reader that answers questions is missing, damaged or of another form."""

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
    """The files on disk have wrong content, or some of them are gone."""


class IndexBusy(IndexFailure):
    """Another process is writing the index."""

    exit_code = 5


class IndexNotReadable(IndexFailure):
    """The system refuses to read the index: permissions, open files, a failing disk."""


class IndexNotWritable(IndexFailure):
    """The index cannot be written: permissions, space, a read-only disk."""
