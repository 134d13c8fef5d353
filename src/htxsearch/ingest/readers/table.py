"""Tables of articles: CSV and TSV with a header, a row an article."""

import csv
import re
from collections.abc import Iterator
from io import StringIO

from htxsearch.ingest.article import Rejected
from htxsearch.ingest.metadata import Metadata, Unreadable
from htxsearch.ingest.readers.base import ParsedDocument, decode
from htxsearch.text.normalize import folded_form

__all__ = ["read_table"]

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


def read_table(data: bytes) -> Iterator[ParsedDocument | Rejected]:
    """A table whose first row names its columns in English or Vietnamese; "text" or "nội dung", or "title", must be there."""
    text = re.sub(r"^sep=.\n", "", decode(data))  # which Excel writes, and hides
    first = text.partition("\n")[0]
    delimiter = max("\t;,", key=first.count)
    limit = csv.field_size_limit(50 * 1024 * 1024)
    try:
        rows = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
        header = [" ".join(folded_form(name).replace("_", " ").split()) for name in next(rows, [])]
        columns = {known: header.index(name) for known, names in _COLUMNS.items() for name in reversed(names) if name in header}
        if not {"text", "title"} & columns.keys():
            raise Unreadable(
                'its first row names no column "text" or "title" (nội dung, tiêu đề); name the columns, or save it as .txt'
            )
        for number, row in enumerate(rows, start=2):
            if any(cell.strip() for cell in row):
                yield _row({name: row[at].strip() for name, at in columns.items() if at < len(row)}, number)
    except csv.Error as error:
        raise Unreadable(f"the table is damaged ({error}); save it anew as CSV in UTF-8") from error
    finally:
        csv.field_size_limit(limit)


def _row(cells: dict[str, str], number: int) -> ParsedDocument | Rejected:
    try:
        known = Metadata.of({name: value for name, value in cells.items() if name not in ("id", "text")})
    except Unreadable as error:
        return Rejected(f":{number}", str(error))
    lines = (" ".join(line.split()) for line in cells.get("text", "").split("\n"))
    return ParsedDocument("\n".join(line for line in lines if line), known, line=number, member=f":{cells.get('id') or number}")
