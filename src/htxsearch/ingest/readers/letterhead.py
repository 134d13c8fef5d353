"""The head of an official document: body, number, place, date, kind, subject.

Nghị định 30/2020/NĐ-CP, appendix I: body and number stand left, motto, place and date right, the kind (BÁO CÁO) and the subject
below, or "V/v …" below the number of a letter. Two columns come as one line, one table row, or one cell after the other.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from htxsearch.text.dates import find_date, read_dateline

__all__ = ["Letterhead", "is_official", "read_letterhead"]

_MOTTO = r"CỘNG H(?:ÒA|OÀ) XÃ HỘI CHỦ NGHĨA VIỆT NAM|Độc lập\s*[-–]\s*Tự do\s*[-–]\s*Hạnh phúc.{0,3}|ĐẢNG CỘNG SẢN VIỆT NAM"
_OFFICIAL = re.compile(rf"(?:.*\s)?(?:{_MOTTO})(?:\s.*)?")
_KINDS = (
    "NGHỊ QUYẾT|QUYẾT ĐỊNH|CHỈ THỊ|QUY CHẾ|QUY ĐỊNH|THÔNG CÁO|THÔNG BÁO|HƯỚNG DẪN|CHƯƠNG TRÌNH|KẾ HOẠCH|PHƯƠNG ÁN|ĐỀ ÁN|DỰ ÁN"
    "|BÁO CÁO|BIÊN BẢN|TỜ TRÌNH|HỢP ĐỒNG|CÔNG ĐIỆN|CÔNG VĂN|BẢN GHI NHỚ|BẢN THỎA THUẬN|GIẤY ỦY QUYỀN|GIẤY MỜI|GIẤY GIỚI THIỆU"
    "|PHIẾU GỬI|THƯ CÔNG|NGHỊ ĐỊNH|THÔNG TƯ LIÊN TỊCH|THÔNG TƯ|PHÁP LỆNH|LUẬT|BỘ LUẬT|LỆNH|ĐIỀU LỆ|KẾT LUẬN|DANH SÁCH|PHỤ LỤC"
    "|VĂN BẢN HỢP NHẤT|QUY TRÌNH|ĐƠN|LỜI KÊU GỌI|TUYÊN BỐ|NGHỊ QUYẾT LIÊN TỊCH"
)
"""The kinds of documents of Nghị định 30/2020/NĐ-CP, article 7, of the law on legal documents, and those of offices."""
_KIND = re.compile(rf"(?:{_KINDS})")
_KIND_AND_SUBJECT = re.compile(rf"(?P<kind>{_KINDS})(?:\s*[:.]?\s+)(?P<subject>[^\W\d_].*)")
_NUMBER = re.compile(r"Số\s*:?\s*(?P<number>[\d…. ]{0,12}[\w./–-]*/[\w./–-]+|\d+[\w./–-]*)")
_PLACE_AND_DAY = re.compile(
    r"(?P<place>[^\W\d_][^\d,:;.]{1,38}?),? [Nn]gày (?:[\d…. ]{1,6}) ?tháng ?[\d…. ]{1,6} ?năm ?\d{4}"
    r"|(?P<town>[^\W\d_][^\d,:;.]{1,38}?), tháng \d{1,2} năm \d{4}"
)
_ABOUT = re.compile(r"(?:V/v|Về việc)\s*:?\s*(?P<subject>.+)", re.IGNORECASE)
_RULE = re.compile(r"[-–—_*. =o0]+")
_ENDS_SUBJECT = re.compile(
    r"Năm \d{4},|(?:Căn cứ|Thực hiện|Theo|Kính gửi|Chương|Điều|Phần|Mục|Xét|Thi hành|Để|Trong|Tính đến|Nơi nhận|Tham dự)\b"
    r"|Hôm nay\b"
    r"|[IVX]+[.)]\s|\d{1,2}[.)/]\s|[A-ZĐ][.)]\s|[-–•+*]\s|\(|Số\s*:|Kèm theo"
)
_BREAKS = re.compile(
    rf"\t+|\n|\s\|\s|\s{{3,}}|\s*_{{3,}}\s*|\s*-{{5,}}\s*|\s+(?={_MOTTO})|(?<=NGHĨA VIỆT NAM)\s+(?=\S)|(?<=Hạnh phúc)\s+(?=\S)"
    r"|(?<=\S)\s+(?=Số\s*:|V/v\b)"
)
"""Where the head's pieces end: between cells and columns, at rules, and before and behind its fixed parts."""
_DOCUMENT = re.compile(rf"(?i:{_KINDS}) số \d")
_GOES_ON = re.compile(r"(?:(?<!\w)(?:của|tại|theo|và|với|cho|bởi|trong|về|các|điều|khoản)|,)$", re.IGNORECASE)
"""A document named at the begin of a line is no more of the subject, unless such a word ends the line before it."""
_CONSOLIDATED = "VĂN BẢN HỢP NHẤT"
_MOST_LINES, _MOST_SUBJECT, _LONGEST_SUBJECT, _LONGEST_BODY = 40, 12, 900, 120
"""Lines of a head, lines of a subject, and characters of it and of an issuing body."""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """The head of a document: its first `lines` lines.

    `kept` are the pieces of the head that stay in the text: body, number, dateline. `title` has the kind and the subject.
    """

    title: str | None
    day: date | None
    number: str | None
    lines: int
    kept: tuple[str, ...]


def is_official(lines: Iterable[str]) -> bool:
    """Return True if a text begins like a document of the state or the party.

    It has the motto of state documents or the heading of the party's.
    """
    return any(_OFFICIAL.fullmatch(" ".join(line.split())) for line in islice(lines, _MOST_LINES // 2))


def read_letterhead(lines: Sequence[str]) -> Letterhead | None:
    """Return the head of a document, given its lines; None if it has none.

    A line may be a row of cells with tabs between, or a cell of several lines.
    """
    if not is_official(piece for line in islice(lines, _MOST_LINES // 2) for piece in _pieces(line)):
        return None
    kept: list[str] = []
    about: list[str] = []
    day: date | None = None
    number: str | None = None
    is_about = False
    for at, line in enumerate(lines[:_MOST_LINES]):
        pieces = _pieces(line)
        for place, piece in enumerate(pieces):
            kind = _KIND.fullmatch(piece) or (not _is_of_capitals(piece) and _KIND_AND_SUBJECT.fullmatch(piece))
            if kind and piece.startswith(_CONSOLIDATED) and _has_other_kind(lines[at + 1 : at + 1 + _MOST_LINES // 2]):
                kind = None
            if kind and (day or number or at):
                subject, end = _subject(lines, at + 1)
                return Letterhead(f"{piece} {subject}".strip(), day, number, end, (*kept, *about, *pieces[place + 1 :]))
            if _PLACE_AND_DAY.fullmatch(piece) or (day is None and read_dateline(piece)):
                day, is_about = day or find_date(piece), False
            elif found := _NUMBER.match(piece):
                number, is_about = number or found["number"].strip(), False
            elif found := _ABOUT.fullmatch(piece):
                about, is_about = [found["subject"]], True
                continue
            elif is_about and piece[:1].islower():
                about.append(piece)
                continue
            elif not (
                _is_of_capitals(piece)
                or _OFFICIAL.fullmatch(piece)
                or _RULE.fullmatch(piece)
                or piece.startswith(_CONSOLIDATED)
            ):
                title = " ".join(about)
                return (
                    Letterhead(title[:1].upper() + title[1:] or None, day, number, at, tuple(kept)) if day or number else None
                )
            kept.append(piece)
    return None


def _is_of_capitals(piece: str) -> bool:
    """Return True for the issuing body, as a rule: a short line of capitals."""
    return len(piece) <= _LONGEST_BODY and piece == piece.upper() and any(map(str.isalpha, piece))


def _has_other_kind(lines: Sequence[str]) -> bool:
    """Return True if a line is a kind of document.

    A consolidated text has that of the one it consolidates.
    """
    return any(_KIND.fullmatch(" ".join(line.split())) for line in lines)


def _pieces(line: str) -> list[str]:
    """Return the cells and lines of a line of the head, blanks folded."""
    parts = [" ".join(part.split()) for part in _BREAKS.split(line.strip())]
    pieces: list[str] = []
    for part in filter(None, parts):
        numbered = _NUMBER.match(part)
        rest = part[numbered.end() :].strip() if numbered else ""
        if numbered and rest and _PLACE_AND_DAY.fullmatch(rest):
            pieces += [numbered[0], rest]
        else:
            pieces.append(part)
    return pieces


def _subject(lines: Sequence[str], at: int) -> tuple[str, int]:
    """Return the subject that begins in line `at`, its lines joined.

    With it comes the number of the line behind it.
    """
    taken: list[str] = []
    while at < len(lines) and len(taken) < _MOST_SUBJECT:
        line = " ".join(lines[at].split())
        if not line and not taken:
            at += 1
            continue
        if (
            not line
            or _RULE.fullmatch(line)
            or _ENDS_SUBJECT.match(line)
            or len(" ".join(taken)) + len(line) > _LONGEST_SUBJECT
        ):
            break
        if taken and _DOCUMENT.match(line) and not _GOES_ON.search(taken[-1]):
            break
        if taken and line.endswith((".", "!", "?", ":")):
            break  # a sentence: the first paragraph of the text
        taken.append(line)
        at += 1
        if line.endswith((".", ";", ":")):
            break
    return " ".join(taken), at
