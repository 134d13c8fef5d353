"""JSON lines: an article a line."""

import json
from collections.abc import Iterator

from htxsearch.ingest.article import Rejected
from htxsearch.ingest.metadata import Metadata, Unreadable
from htxsearch.ingest.readers.base import NO_TEXT, Line, ParsedDocument, decode, same_text
from htxsearch.text.normalize import nfc

__all__ = ["json_line", "read_json_lines"]


def read_json_lines(data: bytes) -> Iterator[Line]:
    """JSON lines: an object a line with "id" and "text" or "title"; a bad line does not stop the rest."""
    for number, line in enumerate(decode(data, composed=False).split("\n"), start=1):
        if line and not line.isspace():
            yield Line(line, number)


def json_line(line: Line) -> ParsedDocument | Rejected:
    """Return what a line holds."""
    try:
        return _json_draft(json.loads(nfc(line.text)), line.number)
    except json.JSONDecodeError as error:
        return Rejected(f":{line.number}", f"not JSON: {error.msg} at column {error.colno}")
    except (ValueError, RecursionError):
        return Rejected(f":{line.number}", "not JSON that can be read: a number or its nesting has no end")
    except Unreadable as error:
        return Rejected(f":{line.number}", str(error))


def _json_draft(row: object, number: int) -> ParsedDocument:
    if not isinstance(row, dict):
        raise Unreadable("a line must be a JSON object")
    identifier, text = row.get("id"), row.get("text") or ""
    if not isinstance(identifier, str | int) or isinstance(identifier, bool) or identifier == "":
        raise Unreadable('it has no "id"')
    if not isinstance(text, str):
        raise Unreadable('"text" must be text')
    for value in row.values():
        if isinstance(value, str) and NO_TEXT.search(value):
            raise Unreadable("it holds NUL characters or halves of characters, so it is no text")
    known = Metadata.of(row)
    lines = [" ".join(line.split()) for line in nfc(text).split("\n")]
    if known.title and same_text(lines[0], known.title):
        lines = lines[1:]
    return ParsedDocument("\n".join(lines).strip("\n"), known, nfc(str(identifier)), number)
