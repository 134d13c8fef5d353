"""The common parts of official documents: motto, number, and kinds of documents.

Nghị định 30/2020/NĐ-CP prescribes them. Documents of the state begin with the motto, those of the party with its name. As all
have it, it does not make two of them alike; but two with numbers of their own that differ are two documents.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from htxsearch.text.patterns import late_pattern
from htxsearch.text.sentences import Span

__all__ = ["CITED_KINDS", "KINDS", "MOTTO", "NUMBER", "filled_in", "is_same_number", "own_number", "text_of", "without_motto"]

MOTTO = r"CỘNG H(?:ÒA|OÀ) XÃ HỘI CHỦ NGHĨA VIỆT NAM|Độc lập\s*[-–]\s*Tự do\s*[-–]\s*Hạnh phúc.{0,3}|ĐẢNG CỘNG SẢN VIỆT NAM"
"""A pattern of the lines of the motto, and of the heading of documents of the party."""
CITED_KINDS = (
    "LUẬT|BỘ LUẬT|PHÁP LỆNH|NGHỊ ĐỊNH|NGHỊ QUYẾT|QUYẾT ĐỊNH|THÔNG TƯ|CHỈ THỊ|KẾ HOẠCH|BÁO CÁO|CÔNG VĂN|TỜ TRÌNH|QUY CHẾ"
    "|QUY ĐỊNH|THÔNG BÁO|HƯỚNG DẪN|KẾT LUẬN|ĐỀ ÁN|CHƯƠNG TRÌNH"
)
"""The kinds of documents that others cite with the day of issue; a day behind a project or a list is that of something else."""
KINDS = (
    f"{CITED_KINDS}|THÔNG TƯ LIÊN TỊCH|NGHỊ QUYẾT LIÊN TỊCH|THÔNG CÁO|PHƯƠNG ÁN|DỰ ÁN|BIÊN BẢN|HỢP ĐỒNG|CÔNG ĐIỆN|BẢN GHI NHỚ"
    "|BẢN THỎA THUẬN|GIẤY ỦY QUYỀN|GIẤY MỜI|GIẤY GIỚI THIỆU|PHIẾU GỬI|THƯ CÔNG|LỆNH|ĐIỀU LỆ|DANH SÁCH|PHỤ LỤC|VĂN BẢN HỢP NHẤT"
    "|QUY TRÌNH|ĐƠN|LỜI KÊU GỌI|TUYÊN BỐ"
)
"""The kinds of documents of Nghị định 30/2020/NĐ-CP, article 7, of the law on legal documents, and those of offices."""
NUMBER = r"Số\s*+(?::\s*+)?(?P<number>[\d…. ]{0,12}[\w.–-]*+/[\w./–-]++|\d[\w./–-]*+)"
"""A pattern of a document's own number as its head says it; the number may not be filled in.

Each character can be of one part only, so that a long line takes no longer than its length.
"""
_NUMBER = late_pattern(NUMBER)
_CODED = late_pattern(r"\D*+\d[^/-]*+[/-].*?[A-ZĐ]{2}")
"""A number with the code of its kind or office: 12/BC-HTX."""
_LONGEST = 120
"""Characters of a line that is a number, with room for those of several offices."""
_NEAR_TOP = 12
"""Lines in which a document says its own number."""
_LINE = late_pattern(rf"^[ \t]*(?:{MOTTO})[ \t]*$", re.MULTILINE)
_HEAD = 3_000
"""Characters at the beginning of a text in which its motto stands."""


def without_motto(text: str, spans: Sequence[Span]) -> list[Span]:
    """Return spans of a text, in order, without the motto at its beginning."""
    lines = [Span(*found.span()) for found in _LINE().finditer(text, 0, _HEAD)]
    left = list(spans)
    for line in lines:
        left = [part for span in left for part in _without(span, line)]
    return left


def _without(span: Span, line: Span) -> list[Span]:
    """Return the parts of a span before and behind a line."""
    if line.end <= span.start or span.end <= line.start:
        return [span]
    parts = [Span(span.start, line.start), Span(line.end, span.end)]
    return [part for part in parts if part.start < part.end]


def text_of(text: str, spans: Sequence[Span]) -> str:
    """Return the spans of a text as lines."""
    return "\n".join(text[span.start : span.end] for span in spans)


def filled_in(number: str) -> str | None:
    """Return a number without blanks, None for one not filled in: Số: …/BC-HTX."""
    written = "".join(number.split()).rstrip(".")
    return written if any(map(str.isdigit, written)) else None


def own_number(lines: Iterable[str]) -> str | None:
    """Return the number that a document says in a line of its own near its top."""
    for line in islice(lines, _NEAR_TOP):
        bare = line.strip(" .,;")
        found = _NUMBER().fullmatch(bare) if len(bare) <= _LONGEST else None
        number = filled_in(found["number"]) if found else None
        if number and _CODED().match(number):
            return number
    return None


def is_same_number(first: str, second: str) -> bool:
    """Return True if two numbers differ only in blanks, capitals and dashes."""
    return _key(first) == _key(second)


def _key(number: str) -> str:
    return "".join(number.replace("–", "-").split()).casefold()
