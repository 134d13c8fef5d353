"""Metadata of an article: given by the user, or inferred from the text.

The user gives them in NAME.meta.toml. Province and author are inferred from the text.
"""

import datetime
import re
from collections import Counter
from dataclasses import dataclass, fields

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Unreadable
from htxsearch.text.dates import find_date
from htxsearch.text.normalize import nfc
from htxsearch.text.places import PlaceMention, canonical_place, find_districts, find_provinces, provinces
from htxsearch.text.tokens import terms

__all__ = ["EVIDENCE_PARTS", "Metadata", "author_of", "province_of"]

EVIDENCE_PARTS = ("title", "opening", "body", "district", "dateline")
"""The words with which the evidence for a province begins; they say where in the article it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The metadata that a user or a file gives for an article.

    A value is None where none is given. `number` and `signer` are those of an official document.
    `listed` is the day that a feed gave a page; it counts if the page has none.
    """

    title: str | None = None
    date: datetime.date | None = None
    place: str | None = None
    source: str | None = None
    url: str | None = None
    author: str | None = None
    crawled: datetime.date | None = None
    listed: datetime.date | None = None
    number: str | None = None
    signer: str | None = None

    @classmethod
    def of(cls, values: dict[str, object]) -> "Metadata":
        """Return the metadata in `values`; unknown keys are ignored. Raises Unreadable."""
        known: dict[str, object] = {}
        for field in fields(cls):
            value = values.get(field.name)
            if value is None or value == "":
                continue
            if field.name in ("date", "crawled", "listed"):
                known[field.name] = _as_date(value)
            elif isinstance(value, str):
                text = nfc(" ".join(value.split()))
                known[field.name] = canonical_place(text) if field.name == "place" else text
            else:
                raise Unreadable(message("file.field-not-text", field=field.name, value=str(value)))
        return cls(**known)  # type: ignore[arg-type]

    def shows(self, name: str, value: str) -> bool:
        """Return True if the metadata have a file's `value` of a field word for word."""
        own = getattr(self, name) if name in _SHOWN else None
        if isinstance(own, datetime.date):
            return re.fullmatch(r"[\d\s./-]+", value) is not None and sorted(map(int, re.findall(r"\d+", value))) == sorted(
                (own.day, own.month, own.year)
            )
        return own is not None and terms(str(own)) == terms(value)

    def or_else(self, other: "Metadata") -> "Metadata":
        """Return these metadata, completed by those of `other`."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return Metadata(**{name: getattr(other, name) if value is None else value for name, value in own.items()})


def province_of(title: str, body: str) -> tuple[str | None, str | None]:
    """Return the province that an article is about, and the evidence for it.

    None unless the text gives evidence for exactly one province.

    The title or, if it names no province, the opening paragraph decides by the province or the district it names (a
    district whose name one province alone has), if it names no second province; for a national matter that merely
    takes place there, the body must name it often, too. Else the province decides that the body names as "tỉnh …"
    or "thành phố …", or by its districts, often and more than all others; else the place of publication in a line
    "Thái Nguyên, ngày 12/10". The evidence names its place and quotes it: `title: "… tỉnh Thái Nguyên"`, `district:
    huyện Đồng Hỷ (3×)`, `dateline: "Thái Nguyên, ngày 12/10"`.
    """
    named = [*find_provinces(title), *find_districts(title)]
    if named:
        return _only(named, "title", title)
    opening = body.partition("\n")[0][:_OPENING]
    dateline = _dateline(body)
    mentions = (*find_provinces(opening), *find_districts(opening))
    named = [mention for mention in mentions if opening[mention.start : mention.end] not in dateline]
    national = _NATIONAL.search(title) or _NATIONAL.search(opening)
    if named and not (national and not _is_main(named[0].province, body)):
        return _only(named, "opening", opening)
    if named or national:
        return None, None
    published = [mention.province for mention in find_provinces(dateline) if mention.province not in _SEATS]
    return _from_body(body) or ((published[0], f'dateline: "{dateline}"') if published else (None, None))


def _only(named: list[PlaceMention], where: str, text: str) -> tuple[str | None, str | None]:
    """Return the province and the quoted evidence if all mentions are of one province."""
    if len({mention.province for mention in named}) > 1:
        return None, None
    return named[0].province, f'{where}: "{_quoted(text, min(named))}"'


_SHOWN = frozenset(field.name for field in fields(Metadata)) - {"listed"}
_OPENING = 2000
"""Characters of the first paragraph that are searched; a body without line breaks has no other end of it."""
_NATIONAL = re.compile(r"Thủ tướng|Bộ trưởng|Quốc hội|Chính phủ|Trung ương|[Cc]ả nước|[Tt]oàn quốc|Việt Nam|\bVN\b")
_SEATS = ("Hà Nội", "Hồ Chí Minh")
"""Seats of national bodies and newspapers: an article dated there need not be about them."""
_DATELINE = re.compile(r"^[^\n,]{3,30}, ngày \d{1,2}(?:/\d{1,2}| tháng \d{1,2})", re.MULTILINE)


def _dateline(body: str) -> str:
    """Return the dateline near the head or foot of a body, "" if there is none.

    A dateline such as "Thái Nguyên, ngày 12/10" is at the beginning of a line.
    """
    match = _DATELINE.search(body[:_OPENING]) or _DATELINE.search(body[-_OPENING:])
    return match.group().strip() if match else ""


def _is_main(province: str, body: str) -> bool:
    """Return True if a province is the main place that a body names.

    The body names it at least three times and more often than all others together.
    """
    counts = Counter(mention.province for mention in find_provinces(body))
    return counts[province] >= 3 and counts[province] * 2 > counts.total()


def _from_body(body: str) -> tuple[str, str] | None:
    """Return the province of two thirds of the places in a body, and the evidence.

    The evidence is at least two mentions with "tỉnh" or "thành phố", or of the province's districts.
    """
    named_provinces, districts = find_provinces(body), find_districts(body)
    counts = Counter(mention.province for mention in [*named_provinces, *districts])
    if not counts:
        return None
    province, number = counts.most_common(1)[0]
    for where, kind, named in (
        ("body", "tỉnh/thành phố ", [mention for mention in named_provinces if mention.as_province]),
        ("district", "", districts),
    ):
        written = Counter(body[mention.start : mention.end] for mention in named if mention.province == province)
        if number * 3 >= counts.total() * 2 and written.total() >= 2:
            name, times = written.most_common(1)[0]
            return province, f"{where}: {kind}{name} ({times}×)"
    return None


def _quoted(text: str, mention: PlaceMention) -> str:
    """Return a mention with up to four words before it."""
    words = text[: mention.start].split()
    before = " ".join(words[-4:]) + " " if words else ""
    return ("… " if len(words) > 4 else "") + before + text[mention.start : mention.end]


_NAME = r"[^\W\d_a-z]\w*\.?(?: [^\W\d_a-z]\w*\.?){1,5}"
_BYLINE = re.compile(
    r"(?i:(?:tác giả|người (?:đăng|viết)(?: bài(?: viết)?)?|bài viết|thực hiện"
    r"|(?:tin,? |tin bài,? )?bài(?:,? và ảnh|, ảnh|,? ảnh|-ảnh)?|tin và ảnh|tin, ảnh)\s?:\s?)"
    rf"(?P<name>{_NAME}(?:(?:, | - | và ){_NAME})?)\s*(?:\(.{{0,40}}\)|[.|].{{0,60}})?$"
)
_BARE_NAME = re.compile(rf"{_NAME}(?:(?:, | - | – | và ){_NAME})?")
_NO_NAME = re.compile(
    r"(?i)^(?:ông|bà|anh|chị|đồng chí|cô|chú|bác)\b"
    r"|\b(?:ban|phòng|trung tâm|báo|cổng|tổ|hội|sở|tỉnh|huyện|xã|htx|tin|bài|xem|ảnh|nguồn|theo|đài|ubnd|công ty)\b"
)


def author_of(datelines: list[str], lines: list[str]) -> str | None:
    """Return the author of an article, None if it names none.

    A byline ("Tác giả: …", "Bài, ảnh: …", "Người đăng: …") in the datelines, the first three or the last three lines
    names the author; so does a last line that is only a person's name of two to four syllables, below a line that ends
    a sentence.
    """
    for line in (*lines[-3:], *lines[:3], *datelines):
        byline = _BYLINE.search(line[-160:])
        if byline and (byline.start() == 0 or line in datelines) and _is_name(byline["name"]):
            return byline["name"]
    if len(lines) < 2 or len(lines[-1]) > 60 or not lines[-2].rstrip(' "”').endswith((".", "…", "/", "!", "?", ")")):
        return None
    last = lines[-1].rstrip(".")
    is_name = _BARE_NAME.fullmatch(last) and 2 <= len(last.split()) <= 4 and _is_name(last)
    return last if is_name and not find_provinces(last) and canonical_place(last) not in provinces() else None


def _is_name(text: str) -> bool:
    """Return True if a text is written like a person's name.

    Every syllable has a capital, and none belongs to an office or institution.
    """
    syllables = [syllable for syllable in text.split() if syllable not in ("-", "–", "và")]
    return all(syllable[0].isupper() for syllable in syllables) and not _NO_NAME.search(text)


def _as_date(value: object) -> datetime.date:
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    day = find_date(value) if isinstance(value, str) else None
    if day is None:
        raise Unreadable(message("file.not-a-date", value=str(value)))
    return day
