"""Files with an article in each row: JSON lines and tables.

A table (CSV, TSV) has a header; one without texts or titles is an article of sentences.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from io import StringIO
from itertools import zip_longest

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Dropped, Rejected, Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.base import NO_TEXT, Line, ParsedDocument, decode, same_words
from htxsearch.ingest.readers.cells import table_document
from htxsearch.ingest.readers.markup import field_lines
from htxsearch.text.normalize import folded_form, nfc
from htxsearch.text.tokens import has_tokens

__all__ = ["json_line", "line_of_row", "read_json_array", "read_json_lines", "read_table"]


# JSON lines

_MOST_KEYS, _LONGEST_KEY = 12, 40
"""Of a row without text: how many of its keys are named, and how many characters of each."""


def read_json_lines(data: bytes) -> Iterator[Line]:
    """Yield the lines of a JSON lines file.

    Each is an object with "id" and "text" or "title". A bad line does not stop the rest.
    """
    for number, line in enumerate(decode(data, composed=False).split("\n"), start=1):
        if line and not line.isspace():
            yield Line(line, number)


def read_json_array(data: bytes) -> Iterator[Line]:
    """Yield the objects of a JSON file as lines, numbered from 1.

    The file is an array, an object with one array in it, or one object. An article without an id has one by its title and text.
    Raises Unreadable.
    """
    try:
        found = json.loads(decode(data, composed=False))
    except json.JSONDecodeError as error:
        raise Unreadable(message("file.json-damaged", line=error.lineno, error=error.msg)) from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(message("file.line-without-end")) from error
    beside: dict[str, object] = {}
    if isinstance(found, dict):
        arrays = [value for value in found.values() if isinstance(value, list)]
        if "text" in found or "title" in found or len(arrays) != 1:
            found = [found]
        else:
            beside, found = {name: value for name, value in found.items() if value is not arrays[0]}, arrays[0]
    if not isinstance(found, list) or not found:
        raise Unreadable(message("file.json-no-array"))
    dropped = _dropped_fields(beside.items(), Metadata())
    for number, row in enumerate(found, start=1):
        yield line_of_row(row, number, "json", dropped)


def line_of_row(row: object, number: int, kind: str, dropped: tuple[Dropped, ...] = ()) -> Line:
    """Return a row as a line; one without an id has one by its title and text."""
    if isinstance(row, dict) and row.get("id") in (None, ""):
        words = f"{row.get('title')} {row.get('text')}".encode("utf-8", "replace")
        row = {**row, "id": f"{kind}-{hashlib.blake2b(words, digest_size=6).hexdigest()}"}
    return Line(json.dumps(row, ensure_ascii=False), number, dropped)


def json_line(line: Line) -> ParsedDocument | Rejected:
    """Return the article of a line."""
    try:
        parsed = _parsed(json.loads(nfc(line.text)), line.number)
        return replace(parsed, dropped=parsed.dropped + line.dropped) if line.dropped else parsed
    except json.JSONDecodeError as error:
        return Rejected(f":{line.number}", message("file.line-not-json", error=error.msg, column=error.colno))
    except (ValueError, RecursionError):
        return Rejected(f":{line.number}", message("file.line-without-end"))
    except Unreadable as error:
        return Rejected(f":{line.number}", error.message)


def _parsed(row: object, number: int) -> ParsedDocument:
    if not isinstance(row, dict):
        raise Unreadable(message("file.line-not-an-object"))
    identifier, text = row.get("id"), row.get("text") or ""
    if not isinstance(identifier, str | int) or isinstance(identifier, bool) or identifier == "":
        raise Unreadable(message("file.line-without-id"))
    if not isinstance(text, str):
        raise Unreadable(message("file.line-text"))
    for value in row.values():
        if isinstance(value, str) and NO_TEXT.search(value):
            raise Unreadable(message("file.broken-characters"))
    title = row.get("title")
    title, lines = field_lines(title if isinstance(title, str) else "", text)
    metadata = Metadata.of({**row, "title": title} if title else row)
    dropped = _dropped_fields(((name, value) for name, value in row.items() if name not in _OWN), metadata)
    if metadata.title and same_words(lines[0], metadata.title):
        dropped = (Dropped(lines[0], message("dropped.title-again")), *dropped)
        lines = lines[1:]
    body = "\n".join(lines).strip("\n")
    if "text" not in row and "title" not in row:
        raise Unreadable(message("file.line-without-text", keys=[str(key)[:_LONGEST_KEY] for key in row][:_MOST_KEYS]))
    return ParsedDocument(body, metadata, nfc(str(identifier)), number, dropped, heading=metadata.title)


_OWN = ("id", "title", "text")
"""The fields of a row that are the article's own."""


def _dropped_fields(fields: Iterable[tuple[str, object]], metadata: Metadata) -> tuple[Dropped, ...]:
    """Return the other fields that the metadata do not show word for word."""
    texts = (
        (nfc(name), nfc(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).strip())
        for name, value in fields
        if value not in (None, "", [], {})
    )
    return tuple(
        Dropped(text, message("dropped.field", field=name))
        for name, text in texts
        if has_tokens(text) and not metadata.shows(name, text)
    )


# Tables

_COLUMNS = {
    "id": ("id", "ma", "ma bai", "stt"),
    "title": ("title", "tieu de", "ten bai", "tua de", "headline"),
    "text": ("text", "noi dung", "content", "body", "bai viet", "toan van"),
    "date": ("date", "ngay", "ngay dang", "published", "ngay xuat ban", "thoi gian"),
    "place": ("place", "tinh", "dia phuong", "tinh thanh", "province", "dia danh"),
    "source": ("source", "nguon", "bao", "trang", "site"),
    "url": ("url", "link", "dia chi", "lien ket", "duong dan"),
    "author": ("author", "tac gia", "nguoi viet"),
}
"""The names of each column, in their folded forms."""
_LARGEST_CELL = 50 * 1024 * 1024


def read_table(data: bytes) -> Iterator[ParsedDocument | Rejected]:
    """Yield an article for each row of a table, or one of a table of figures.

    A file of articles has names of columns in its first row, in English or Vietnamese, among them "text" (nội dung) or
    "title" (tiêu đề). Any other table is read like a sheet.
    """
    text = re.sub(r"^sep=.\n", "", decode(data))  # a line that Excel writes and hides
    first = next((line for line in text.split("\n", 20)[:20] if any(one in line for one in "\t;,")), "")
    delimiter = max("\t;,", key=first.count)
    limit = csv.field_size_limit(_LARGEST_CELL)
    try:
        rows = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
        names = next(rows, [])
        header = [" ".join(folded_form(name).replace("_", " ").split()) for name in names]
        columns = {known: header.index(name) for known, all_ in _COLUMNS.items() for name in reversed(all_) if name in header}
        if not {"text", "title"} & columns.keys():
            figures = table_document([names, *rows])
            if figures is None:
                raise Unreadable(message("file.table-columns"))
            yield figures
            return
        known = set(columns.values())
        for number, row in enumerate(rows, start=2):
            if any(cell.strip() for cell in row):
                cells = {name: row[column].strip() for name, column in columns.items() if column < len(row)}
                others = [cell for column, cell in enumerate(zip_longest(names, row, fillvalue="")) if column not in known]
                yield _table_row(cells, others, number)
    except csv.Error as error:
        raise Unreadable(message("file.table-damaged", error=str(error))) from error
    finally:
        csv.field_size_limit(limit)


def _table_row(cells: dict[str, str], others: Iterable[tuple[str, str]], number: int) -> ParsedDocument | Rejected:
    """Return the article of a row.

    `others` are its cells in columns that are not known, each with the name of its column.
    """
    try:
        title, lines = field_lines(cells.get("title", ""), cells.get("text", ""))
        known: dict[str, object] = {name: value for name, value in cells.items() if name not in _OWN}
        metadata = Metadata.of({**known, "title": title} if title else known)
    except Unreadable as error:
        return Rejected(f":{number}", error.message)
    body = "\n".join(line for line in lines if line)
    dropped = _dropped_fields([*known.items(), *others], metadata)
    member = f":{cells.get('id') or number}"
    return ParsedDocument(body, metadata, line=number, dropped=dropped, member=member, heading=metadata.title)
