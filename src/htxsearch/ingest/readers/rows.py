"""Files with an article in each row: JSON lines and tables.

A table (CSV, TSV) has a header.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from io import StringIO

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Rejected, Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.base import NO_TEXT, Line, ParsedDocument, decode, same_text
from htxsearch.ingest.readers.markup import field_lines
from htxsearch.text.normalize import folded_form, nfc

__all__ = ["json_line", "read_json_array", "read_json_lines", "read_table"]


# JSON lines


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
    if isinstance(found, dict):
        arrays = [value for value in found.values() if isinstance(value, list)]
        found = [found] if "text" in found or "title" in found or len(arrays) != 1 else arrays[0]
    if not isinstance(found, list) or not found:
        raise Unreadable(message("file.json-no-array"))
    for number, row in enumerate(found, start=1):
        if isinstance(row, dict) and row.get("id") in (None, ""):
            words = f"{row.get('title')} {row.get('text')}".encode("utf-8", "replace")
            row = {**row, "id": f"json-{hashlib.blake2b(words, digest_size=6).hexdigest()}"}
        yield Line(json.dumps(row, ensure_ascii=False), number)


def json_line(line: Line) -> ParsedDocument | Rejected:
    """Return the article of a line."""
    try:
        return _parsed(json.loads(nfc(line.text)), line.number)
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
    if metadata.title and same_text(lines[0], metadata.title):
        lines = lines[1:]
    return ParsedDocument("\n".join(lines).strip("\n"), metadata, nfc(str(identifier)), number)


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
    """Yield an article for each row of a table.

    Its first row names the columns in English or Vietnamese. There must be a column "text" (nội dung) or "title"
    (tiêu đề).
    """
    text = re.sub(r"^sep=.\n", "", decode(data))  # a line that Excel writes and hides
    first = text.partition("\n")[0]
    delimiter = max("\t;,", key=first.count)
    limit = csv.field_size_limit(_LARGEST_CELL)
    try:
        rows = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
        header = [" ".join(folded_form(name).replace("_", " ").split()) for name in next(rows, [])]
        columns = {known: header.index(name) for known, names in _COLUMNS.items() for name in reversed(names) if name in header}
        if not {"text", "title"} & columns.keys():
            raise Unreadable(message("file.table-columns"))
        for number, row in enumerate(rows, start=2):
            if any(cell.strip() for cell in row):
                cells = {name: row[column].strip() for name, column in columns.items() if column < len(row)}
                yield _table_row(cells, number)
    except csv.Error as error:
        raise Unreadable(message("file.table-damaged", error=str(error))) from error
    finally:
        csv.field_size_limit(limit)


def _table_row(cells: dict[str, str], number: int) -> ParsedDocument | Rejected:
    try:
        title, lines = field_lines(cells.get("title", ""), cells.get("text", ""))
        known: dict[str, object] = {name: value for name, value in cells.items() if name not in ("id", "text", "title")}
        metadata = Metadata.of({**known, "title": title} if title else known)
    except Unreadable as error:
        return Rejected(f":{number}", error.message)
    body = "\n".join(line for line in lines if line)
    return ParsedDocument(body, metadata, line=number, member=f":{cells.get('id') or number}")
