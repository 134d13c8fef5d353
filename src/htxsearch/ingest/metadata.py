"""What is known about an article besides its text: sidecars, and what the text itself shows."""

import datetime
import re
import tomllib
from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path

from htxsearch.text.dates import find_date
from htxsearch.text.normalize import nfc
from htxsearch.text.places import Mention, canonical_place, find_districts, find_places, provinces

__all__ = ["SIDECAR_SUFFIX", "Metadata", "Unreadable", "author_of", "place_of", "read_sidecar"]

SIDECAR_SUFFIX = ".meta.toml"


class Unreadable(Exception):
    """A file or line cannot become an article; the message is the reason. Never leaves this package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What somebody said about an article; None is "not said"."""

    title: str | None = None
    date: datetime.date | None = None
    place: str | None = None
    source: str | None = None
    url: str | None = None
    author: str | None = None
    crawled: datetime.date | None = None

    @classmethod
    def of(cls, values: dict[str, object]) -> "Metadata":
        """Take the known keys out of `values`; others are left alone. Raises Unreadable."""
        said: dict[str, object] = {}
        for field in fields(cls):
            value = values.get(field.name)
            if value is None or value == "":
                continue
            if field.name in ("date", "crawled"):
                said[field.name] = _as_date(value)
            elif isinstance(value, str):
                text = nfc(" ".join(value.split()))
                said[field.name] = canonical_place(text) if field.name == "place" else text
            else:
                raise Unreadable(f"{field.name} must be text, not {value!r}")
        return cls(**said)  # type: ignore[arg-type]

    def or_else(self, other: "Metadata") -> "Metadata":
        """Return this, with `other` where nothing was said."""
        mine = {f.name: getattr(self, f.name) for f in fields(self)}
        return Metadata(**{name: getattr(other, name) if value is None else value for name, value in mine.items()})


def read_sidecar(path: Path) -> Metadata:
    """Return what NAME.meta.toml says; nothing if there is none. Raises Unreadable, OSError."""
    if not path.is_file():
        return Metadata()
    try:
        return Metadata.of(tomllib.loads(path.read_text("utf-8-sig")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"its sidecar {path.name} is not valid TOML: {error}") from error
    except Unreadable as error:
        raise Unreadable(f"its sidecar {path.name}: {error}") from error


def place_of(title: str, body: str) -> tuple[str | None, str | None]:
    """Return the province an article is about, if its text gives evidence for just one, and what that evidence is.

    The first of title and opening paragraph to name a province, or a district that one province alone has,
    decides, if it names no second province; a national matter that only meets there needs more. Else one that
    the body names as "tỉnh …" or "thành phố …", or by districts, often and before all others; else
    the place of publication at the end of a line "Thái Nguyên, ngày 12/10". The evidence names where, and quotes:
    `title: "… tỉnh Thái Nguyên"`, `district: huyện Đồng Hỷ (3×)`, `dateline: "Thái Nguyên, ngày 12/10"`.
    """
    named = [*find_places(title), *find_districts(title)]
    if named:
        return _only(named, "title", title)
    opening = body.partition("\n")[0][:_OPENING]
    dateline = _dateline(body)
    named = [one for one in (*find_places(opening), *find_districts(opening)) if opening[one.start : one.end] not in dateline]
    national = _NATIONAL.search(title) or _NATIONAL.search(opening)
    if named and not (national and not _is_main(named[0].place, body)):
        return _only(named, "opening", opening)
    if named or national:
        return None, None
    published = [one.place for one in find_places(dateline) if one.place not in _SEATS]
    return _from_body(body) or ((published[0], f'dateline: "{dateline}"') if published else (None, None))


def _only(named: list[Mention], where: str, text: str) -> tuple[str | None, str | None]:
    """Return the place if all that is named is or is in one, quoted."""
    return (
        (named[0].place, f'{where}: "{_quoted(text, min(named))}"') if len({one.place for one in named}) == 1 else (None, None)
    )


_OPENING = 2000
"""Characters of a first paragraph that are looked at; a body without line breaks has no other end of it."""
_NATIONAL = re.compile(r"Thủ tướng|Bộ trưởng|Quốc hội|Chính phủ|Trung ương|[Cc]ả nước|[Tt]oàn quốc|Việt Nam|\bVN\b")
_SEATS = ("Hà Nội", "Hồ Chí Minh")  # where national bodies and papers sit: what is dated there need not be about it
_DATELINE = re.compile(r"^[^\n,]{3,30}, ngày \d{1,2}(?:/\d{1,2}| tháng \d{1,2})", re.MULTILINE)


def _dateline(body: str) -> str:
    """Return a line's beginning "Thái Nguyên, ngày 12/10" from the head or foot of a body, "" if there is none."""
    found = _DATELINE.search(body[:_OPENING]) or _DATELINE.search(body[-_OPENING:])
    return found.group().strip() if found else ""


def _is_main(place: str, body: str) -> bool:
    """Tell whether a body names `place` at least three times and more often than all others together."""
    counts = Counter(mention.place for mention in find_places(body))
    return counts[place] >= 3 and counts[place] * 2 > counts.total()


def _from_body(body: str) -> tuple[str, str] | None:
    """Return the province that two thirds of the places named in a body are, or are in, and what names it.

    That is at least twice a name with "tỉnh" or "thành phố", or a district of it.
    """
    provinces, districts = find_places(body), find_districts(body)
    counts = Counter(one.place for one in [*provinces, *districts])
    if not counts:
        return None
    place, number = counts.most_common(1)[0]
    for where, kind, named in (
        ("body", "tỉnh/thành phố ", [one for one in provinces if one.as_province]),
        ("district", "", districts),
    ):
        written = Counter(body[one.start : one.end] for one in named if one.place == place)
        if number * 3 >= counts.total() * 2 and written.total() >= 2:
            name, times = written.most_common(1)[0]
            return place, f"{where}: {kind}{name} ({times}×)"
    return None


def _quoted(text: str, mention: Mention) -> str:
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


def author_of(stamps: list[str], lines: list[str]) -> str | None:
    """Return who wrote an article, if it says so.

    A byline ("Tác giả: …", "Bài, ảnh: …", "Người đăng: …") among the stamps, the first three or the last three lines
    says it; so does a last line that is nothing but a person's name of two to four syllables, below a line
    that ends a sentence.
    """
    for line in (*lines[-3:], *lines[:3], *stamps):
        found = _BYLINE.search(line[-160:])
        if found and (found.start() == 0 or line in stamps) and _is_name(found["name"]):
            return found["name"]
    if len(lines) < 2 or len(lines[-1]) > 60 or not lines[-2].rstrip(' "”').endswith((".", "…", "/", "!", "?", ")")):
        return None
    last = lines[-1].rstrip(".")
    is_name = _BARE_NAME.fullmatch(last) and 2 <= len(last.split()) <= 4 and _is_name(last)
    return last if is_name and not find_places(last) and canonical_place(last) not in provinces() else None


def _is_name(text: str) -> bool:
    """Tell whether every syllable has a capital and none tells of an office."""
    syllables = [one for one in text.split() if one not in ("-", "–", "và")]
    return all(one[0].isupper() for one in syllables) and not _NO_NAME.search(text)


def _as_date(value: object) -> datetime.date:
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    day = find_date(value) if isinstance(value, str) else None
    if day is None:
        raise Unreadable(f"date {value!r} is no date; write it as 2023-08-07 or 07/8/2023")
    return day
