"""The head of an official document: body, number, place, date, kind, subject.

It begins with the motto; of a small office without one, the number and the kind or subject make a head. Rules and "V/v"
say nothing of the document and are dropped. A few short lines may stand above it, as the header of each page does ("Lưu hành
nội bộ"); they stay in the text. Nghị định 30/2020/NĐ-CP, appendix I: body and number stand left, motto, place and
date right, the kind (BÁO CÁO) and the subject below, or "V/v …" below the number of a letter. Two columns come as one line, one
table row, or one cell after the other.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

from htxsearch.text.dates import find_date, read_dateline
from htxsearch.text.official import KINDS, MOTTO, NUMBER, filled_in, own_number

__all__ = ["Letterhead", "is_official", "read_letterhead"]

_OFFICIAL = re.compile(rf"(?:.*\s)?(?:{MOTTO})(?:\s.*)?")
_KIND = re.compile(rf"(?:{KINDS})")
_KIND_AND_SUBJECT = re.compile(rf"(?P<kind>{KINDS})(?:\s*[:.]?\s+)(?P<subject>[^\W\d_].*)")
_NUMBER = re.compile(NUMBER)
_PLACE_AND_DAY = re.compile(
    r"(?P<place>[^\W\d_][^\d,:;.]{1,38}?),? [Nn]gày (?:[\d…. ]{1,6}) ?tháng ?[\d…. ]{1,6} ?năm ?\d{4}"
    r"|(?P<town>[^\W\d_][^\d,:;.]{1,38}?), tháng \d{1,2} năm \d{4}"
)
_ABOUT = re.compile(r"(?:V/v|Về việc)\s*:?\s*(?P<subject>.+)", re.IGNORECASE)
_RULE = re.compile(r"[-–—_*. =o0]+")
_LONG_RULE = re.compile(r"_{3,}|-{5,}")
_UNFILLED = re.compile(r"\bSố\s*:\s+")
"""Blanks for a number to be written by hand: they end no column."""
_ENDS_SUBJECT = re.compile(
    r"Năm \d{4},|(?:Căn cứ|Thực hiện|Theo|Kính gửi|Chương|Điều|Phần|Mục|Xét|Thi hành|Để|Trong|Tính đến|Nơi nhận|Tham dự)\b"
    r"|Hôm nay\b"
    r"|[IVX]+[.)]\s|\d{1,2}[.)/]\s|[A-ZĐ][.)]\s|[-–•+*]\s|\(|Số\s*:|Kèm theo"
)
_BREAKS = re.compile(
    rf"\t+|\n|\s*\|\s*|\s{{3,}}|\s*_{{3,}}\s*|\s*-{{5,}}\s*|\s+(?={MOTTO})|(?<=NGHĨA VIỆT NAM)\s+(?=\S)|(?<=Hạnh phúc)\s+(?=\S)"
    r"|(?<=\S)\s+(?=Số\s*:|V/v\b)"
)
"""Where the head's pieces end: between cells and columns, at rules, and before and behind its fixed parts."""
_DOCUMENT = re.compile(rf"(?i:{KINDS}) số \d")
_GOES_ON = re.compile(r"(?:(?<!\w)(?:của|tại|theo|và|với|cho|bởi|trong|về|các|điều|khoản)|,)$", re.IGNORECASE)
"""A document named at the begin of a line is no more of the subject, unless such a word ends the line before it."""
_CONSOLIDATED, _ANNEX = "VĂN BẢN HỢP NHẤT", "PHỤ LỤC"
_MOST_LINES, _MOST_SUBJECT, _LONGEST_SUBJECT, _LONGEST_BODY = 40, 12, 900, 120
"""Lines of a head, lines of a subject, and characters of it and of an issuing body."""

_MOST_ABOVE, _LONGEST_ABOVE = 4, 80
"""Lines above a head, and characters of each."""
_SENTENCE_ENDS = (".", "!", "?", ":", ";")


@dataclass(frozen=True, slots=True)
class Letterhead:
    """The head of a document: its first `lines` lines.

    `kept` are the pieces of the head that stay in the text: body, motto, number, dateline; `dropped` are rules and "V/v".
    `title` has the kind and the subject.
    """

    title: str | None
    day: date | None
    number: str | None
    lines: int
    kept: tuple[str, ...]
    dropped: tuple[str, ...] = ()


def is_official(lines: Iterable[str]) -> bool:
    """Return True if a text begins like a document of the state or the party.

    It has the motto of state documents or the heading of the party's.
    """
    return any(_OFFICIAL.fullmatch(" ".join(line.split())) for line in islice(lines, _MOST_LINES // 2))


def read_letterhead(lines: Sequence[str], *, above: int = _MOST_ABOVE) -> Letterhead | None:
    """Return the head of a document, given its lines; None if it has none.

    A line may be a row of cells with tabs between, or a cell of several lines. At most `above` short lines that end no sentence
    stand above it; then it begins with body or motto, and has number and day, or one of them with the motto.
    """
    if head := _read_head(lines):
        return head
    for start in _starts(lines, above):
        head = _read_head(lines[start:])
        if head and (head.day or head.number) and (is_official(head.kept) or (head.day and head.number)):
            skipped = [piece for line in lines[:start] for piece in _pieces(line)]
            return replace(head, lines=head.lines + start, kept=(*skipped, *head.kept))
    return None


def _starts(lines: Sequence[str], above: int) -> Iterator[int]:
    """Yield the numbers of lines with which a head may begin below others."""
    skipped = 0
    for at, line in enumerate(lines):
        pieces = _pieces(line)
        if at and pieces and (_is_of_capitals(pieces[0]) or _OFFICIAL.fullmatch(pieces[0])):
            yield at
        skipped += bool(pieces)
        if skipped > above or len(line) > _LONGEST_ABOVE or line.rstrip().endswith(_SENTENCE_ENDS):
            return


def _read_head(lines: Sequence[str]) -> Letterhead | None:
    """Return the head with which lines begin."""
    has_motto = is_official(piece for line in islice(lines, _MOST_LINES // 2) for piece in _pieces(line))
    if not has_motto and own_number(piece for line in lines[:_MOST_LINES] for piece in _pieces(line)) is None:
        return None
    read = _Read()
    for at, line in enumerate(lines[:_MOST_LINES]):
        pieces = _pieces(line)
        read.dropped += _LONG_RULE.findall(line)
        for place, piece in enumerate(pieces):
            kind = _KIND.fullmatch(piece) or (not _is_of_capitals(piece) and _KIND_AND_SUBJECT.fullmatch(piece))
            if kind and piece.startswith(_CONSOLIDATED) and _has_other_kind(lines[at + 1 : at + 1 + _MOST_LINES // 2]):
                kind = None
            if kind and (read.number or (has_motto and (read.day or at))):
                subject, end = _subject(lines, at + 1)
                read.kept += [*read.about, *pieces[place + 1 :]]
                while end < len(lines) and _RULE.fullmatch(lines[end].strip()):
                    read.dropped.append(lines[end].strip())
                    end += 1
                return read.head(f"{piece} {subject}".strip(), end)
            if not read.take(piece):
                title = " ".join(read.about)
                is_head = read.day or read.number if has_motto else read.number and title
                return read.head(title[:1].upper() + title[1:] or None, at) if is_head else None
    return None


class _Read:
    """The pieces of a head that were read so far."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.dropped: list[str] = []
        self.about: list[str] = []
        self.day: date | None = None
        self.number: str | None = None
        self._is_about = False

    def head(self, title: str | None, lines: int) -> Letterhead:
        """Return the head that ends here."""
        return Letterhead(title, self.day, self.number, lines, tuple(self.kept), tuple(self.dropped))

    def take(self, piece: str) -> bool:
        """Take a piece of the head; return False if it is no more of the head."""
        if _RULE.fullmatch(piece) or not any(map(str.isalnum, piece)):
            self.dropped.append(piece)
            return True
        if _PLACE_AND_DAY.fullmatch(piece) or (self.day is None and read_dateline(piece)):
            self.day, self._is_about = self.day or find_date(piece), False
        elif found := _NUMBER.match(piece):
            self.number, self._is_about = self.number or filled_in(found["number"]), False
        elif found := _ABOUT.fullmatch(piece):
            self.about, self._is_about = [found["subject"]], True
            self.dropped.append(piece[: found.start("subject")].strip())
            return True
        elif self._is_about and piece[:1].islower():
            self.about.append(piece)
            return True
        elif not (_is_of_capitals(piece) or _OFFICIAL.fullmatch(piece) or piece.startswith(_CONSOLIDATED)):
            return False
        self.kept.append(piece)
        return True


def _is_of_capitals(piece: str) -> bool:
    """Return True for the issuing body, as a rule: a short line of capitals."""
    return len(piece) <= _LONGEST_BODY and piece == piece.upper() and any(map(str.isalpha, piece))


def _has_other_kind(lines: Sequence[str]) -> bool:
    """Return True if a line is a kind of document.

    A consolidated text has that of the one it consolidates.
    """
    short = (line.strip() for line in lines if len(line) <= _LONGEST_BODY)
    return any(_KIND.fullmatch(" ".join(line.split())) and line != _ANNEX for line in short)


def _pieces(line: str) -> list[str]:
    """Return the cells and lines of a line of the head, blanks folded."""
    parts = [" ".join(part.split()) for part in _BREAKS.split(_UNFILLED.sub("Số: ", line.strip()))]
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
