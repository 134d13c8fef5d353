"""Slips of typing in a query: what is no sign is a plain character.

An unclosed quotation mark, a bracket without its other half, a lone AND, `5%*`, `Ms:123`, a text that was pasted: each is read
as words, and a note says which sign was passed over. Where nothing is left to look for, the error stands.
"""

import re
from typing import NamedTuple

from htxsearch.errors import QuerySyntaxError
from htxsearch.errors.messages import Message, message
from htxsearch.query.parse import MAX_LENGTH, Group, parse
from htxsearch.text.normalize import nfc
from htxsearch.text.patterns import late_pattern

__all__ = ["Forgiven", "forgive"]

_MOST_SLIPS = 20
"""Slips that are mended one by one; in a query with more, no sign is read."""
_OPERATOR = late_pattern(r"(?<!\S)[(\"“]*(AND|OR|NOT)(?=[\s()\"“”]|$)")
_FIELD = late_pattern(r"[^\W\d_]+:")
_OF_FIELDS = tuple(f"query.{name}" for name in "unknown-field unknown-field-near bad-date reversed-range value-missing".split())
_SIGNS = late_pattern(r'["“”„()*+:]|(?<!\S)-')


class Forgiven(NamedTuple):
    """A query with its slips mended, its tree, and a note on each slip."""

    query: str
    tree: Group
    notes: tuple[Message, ...] = ()


def forgive(query: str) -> Forgiven:
    """Return the tree of a query; what cannot be a sign is a plain character.

    Raises QuerySyntaxError if there is nothing to look for.
    """
    notes: dict[Message, None] = {}
    mended = nfc(query)
    for _ in range(_MOST_SLIPS):
        try:
            return Forgiven(mended, parse(mended), tuple(notes))
        except QuerySyntaxError as error:
            if error.code == "query.empty":
                raise
            sign, mended = _mended(mended, error)
            note = message("hint.slip", sign=sign, reason=error.message) if sign else message("hint.cut", most=MAX_LENGTH)
            notes[note] = None
    return Forgiven(plain := _plain(mended), parse(plain), (message("hint.no-signs"),))


def _mended(query: str, error: QuerySyntaxError) -> tuple[str, str]:
    """Return the sign at which an error is, and the query without it.

    There is no sign if the query was cut.
    """
    if error.code == "query.too-long":
        return "", query[:MAX_LENGTH].rpartition(" ")[0] or query[:MAX_LENGTH]
    at = _sign_at(query, error)
    operator = _OPERATOR().search(query, at) if query[at : at + 1] in "AON" else None
    if operator:
        return operator[1], query[: operator.start(1)] + " " + query[operator.end(1) :]
    return query[at], query[:at] + " " + query[at + 1 :]


def _sign_at(query: str, error: QuerySyntaxError) -> int:
    """Return the offset of the sign to blame for an error."""
    column = min(error.offset, len(query) - 1)
    if error.code in _OF_FIELDS:  # the error is at the field's name, or at its value
        named = _FIELD().match(query, column)
        return named.end() - 1 if named else query.rindex(":", 0, column + 1)
    if error.code == "query.prefix":
        return query.index("*", column)
    if error.code == "query.one-sided" or query[column].isspace():
        operators = [found.start(1) for found in _OPERATOR().finditer(query, 0, len(query)) if found.start(1) <= error.offset]
        if operators:
            return operators[-1]
    return column


def _plain(query: str) -> str:
    """Return a query in which nothing is read as a sign."""
    return re.sub(r"\b(?:AND|OR|NOT)\b", lambda found: found[0].lower(), _SIGNS().sub(" ", query))
