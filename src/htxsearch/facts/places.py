"""The places of a text at every level, and the place that a figure is of.

A place is named by its kind and name (xã Khánh Thủy, huyện Yên Khánh), as a province (Thái Nguyên), a region or a country.
"toàn tỉnh" and "huyện" without a name mean the one named last.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from htxsearch.text.normalize import strip_diacritics
from htxsearch.text.places import find_districts, find_provinces, is_district, provinces
from htxsearch.text.sentences import Span

__all__ = [
    "ATTRIBUTION",
    "LEVELS",
    "ONE_BODY",
    "PERSON",
    "UPPER",
    "WHOLE",
    "NamedPlace",
    "bare_name",
    "level_of",
    "place_name_key",
    "places_of",
    "province_of",
    "regions_in",
]

LEVELS = {
    "thôn": 5, "bản": 5, "ấp": 5, "làng": 5, "khóm": 5, "buôn": 5,
    "xã": 4, "phường": 4, "thị trấn": 4,
    "huyện": 3, "quận": 3, "thị xã": 3, "tx": 3, "tx.": 3, "thành phố": 3, "tp": 3, "tp.": 3,
    "tỉnh": 2, "vùng": 1, "khu vực": 1, "nước": 0,
}  # fmt: skip
UPPER = "".join(letter for letter in map(chr, range(0x41, 0x1EFA)) if letter.isupper())
"""The capital letters of Vietnamese, for classes of patterns: its letters are in no order that a range could name."""
_CAPITALISED = rf"[{UPPER}][^\W\d_{UPPER}]*(?:[’'][^\W\d_{UPPER}]+)?"
"""A word of a name: Tân, M'gar."""
_NAME = rf"{_CAPITALISED}(?:[ ’'](?!(?:Huyện|Tỉnh|Xã|Thị xã|Thị trấn|Thành phố|HTX|THT)\b){_CAPITALISED}){{0,2}}"
_NAMED = re.compile(
    r"(?<!\w)(?P<kind>(?<!tác )[Xx]ã|[Pp]hường|[Tt]hị trấn|[Hh]uyện|[Qq]uận|[Tt]hị xã|[Tt]hành phố|[Tt][Pp]\.?|TX\.?"
    r"|[Tt]hôn|[Bb]ản"
    rf"|[ẤấÁá]p|[Ll]àng|[Tt]ỉnh) ?(?P<name>(?:HCM|H[.] ?CM|{_NAME}))(?!\w)"
)
WHOLE = re.compile(
    r"(?<!\w)(?:(?:toàn|trong|cả|của|ở|tại|trên địa bàn|khắp|cho) )?(?P<kind>tỉnh|huyện|(?<!tác )xã|thành phố|vùng"
    r"|khu vực|thị xã|quận|phường)"
    r"(?:(?<=toàn tỉnh)|(?<=toàn huyện)|(?<=toàn xã)|(?<=toàn vùng)|(?<=trong tỉnh)|(?<=trong huyện)|(?<=trong vùng)"
    r"|(?<=cả tỉnh)|(?<=cả huyện)|(?<=cả xã)|(?<=cả vùng)|(?<=trong xã)|(?<=toàn thị xã)|(?<=toàn quận)|(?<=toàn khu vực)"
    r"|(?<=bàn tỉnh)|(?<=bàn huyện)|(?<=bàn xã)"
    r"|(?<=của tỉnh)|(?<=của huyện)|(?<=của xã)|(?<=cho tỉnh)|(?<=toàn thành phố)|(?<=bàn thành phố)| này)(?!\w)"
    rf"(?-i:(?! [{UPPER}]))",
    re.IGNORECASE,
)
ATTRIBUTION = re.compile(
    r"(?<!\w)(?:cho biết|cho hay|nói|khẳng định|thông tin|chia sẻ|nhận định|phát biểu)(?!\w)", re.IGNORECASE
)
ONE_BODY = re.compile(
    r"(?<!\w)(?<!các )(?<!những )(?<!nhiều )(?<!mỗi )(?<!số )(?<!\d )"
    r"(?:HTX|[Hh]ợp tác xã|[Đđ]ơn vị|[Tt]ổ hợp tác|[Qq]uỹ|[Cc]ông ty)"
    rf"(?: này| đã| có| hiện| còn| bán| thu| đạt| đang| sẽ| vẫn| trồng| xuất| chia| trích| trả| nộp| mở| cũng"
    rf"| phấn đấu| ký| lãi| [{UPPER}])"
)
"""One body as that which a sentence is about: HTX bán 146 tấn, HTX này."""
PERSON = re.compile(rf"(?<!\w)(?:[Ôô]ng|[Bb]à|[Aa]nh|[Cc]hị) (?P<name>(?:[{UPPER}][^\W\d_]*)(?: [{UPPER}][^\W\d_]*){{0,3}})")
_JOINED = re.compile(r"\s?[,(–-]\s?\(?$")
_COORDINATED = re.compile(
    rf"(?:(?P<comma>, )| và |, và )(?P<name>(?!HTX\b|THT\b){_NAME})(?![\w/])(?! [{UPPER}\d])(?(comma)(?! (?!và )[^\W\d_]))"
)
"""A name that shares the kind of the place before: xã Tân Mỹ, Tân Thanh và Hồng Thái; not thành phố Pleiku, Bộ Kế hoạch."""
_LISTED = re.compile(
    rf"[:(]? ?(?:(?!và )[^\W\d_]+ ){{0,3}}\d(?:[.,]\d|[^,;.()]){{0,40}}\)?(?:[,;] (?:và )?| và )"
    rf"(?P<name>(?!HTX\b|THT\b){_NAME})(?=:? \(?\d)"
)
"""A name in a list of places and figures: xã Ia Blứ 720 ha, Ia Le 510 ha."""
_AT_BARE = re.compile(rf"(?:(?<!\w)(?:[ởỞ]|[tT]ại|về|đến|từ) |\()(?P<name>{_NAME})(?![\w/-])(?! [{UPPER}\d])")
"""A district without its kind behind a preposition of place: ở Mộc Châu. Behind "của" it may be a person."""
_BEFORE_FIGURE = re.compile(rf"[,;:(à] (?P<name>{_NAME})(?=:? \(?\d)")
"""A district without its kind in a list of places and figures: là Lạc Thủy 71 HTX, Kim Bôi 58 HTX và Mai Châu 44 HTX."""
_BEFORE_PROVINCE = re.compile(rf"(?<!\w)(?P<name>{_NAME})(?:, | \()(?:tỉnh )?$")
"""A district without its kind before its province: Sông Cầu, Phú Yên; Hàm Yên (Tuyên Quang)."""
_LONGEST_NAME = 40
_OF_OFFICE = re.compile(
    r"(?<!\w)(?:[Cc]hủ tịch|[Bb]í thư|[Tt]rưởng|[Cc]án bộ)(?: (?:UBND|HĐND|Đảng ủy|Đảng uỷ|Hội [^\W\d_]+(?: [^\W\d_]+)?))? $"
)
_SURNAMES = frozenset(
    "Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đinh Trịnh Đoàn Lương Mai Tô Hà Cao Lâm Trương Đào"
    " Phùng Quách Tạ Thái Chu Tăng Nông Vi Lò Hứa Ma Triệu Lưu Tống Kiều La Châu".split()
)
"""Surnames before which the kind of a place ends an office: Chủ tịch UBND xã Đỗ Văn Thiệp."""


_IN_NAME = re.compile(
    rf"(?<!\w)(?!(?:Ở|Tại|Từ|Trên|Trong|Vùng|Nước|Sang|Với|Theo|Của|Và|Còn|Riêng|Về|Khi|Nếu|Cho)\b){_CAPITALISED} $"
)
"""A word of a name before a name of one word: Nguyễn Đức, Tuấn Anh."""


class NamedPlace(NamedTuple):
    """A place that a text names: `text[start:end]`.

    The name has its kind. `level` is 0 for a country, 2 for a province, 5 for a village.
    """

    start: int
    end: int
    name: str
    level: int

    @property
    def key(self) -> str:
        """The name as it is compared: without "tỉnh" and the larger places behind it."""
        return place_name_key(self.name)


_KIND = re.compile(r"^tỉnh ")


@lru_cache(maxsize=4096)
def place_name_key(name: str) -> str:
    """Return a place's name as it is compared.

    It is without "tỉnh" and without the larger places behind it.
    """
    return _KIND.sub("", name.split(",")[0].lower())


_ANY_KIND = re.compile(r"^(?:thành phố|tp\.?|huyện|quận|thị xã|xã|phường|thị trấn) ")


def level_of(name: str) -> int:
    """Return the level of a place's name; one without a kind is a province."""
    words = name.lower().split()
    return (
        LEVELS.get(" ".join(words[:2]))
        or LEVELS.get(words[0])
        or (2 if name in provinces() else 1 if name in _regions() else 2)
    )


_ANY_KIND_WRITTEN = re.compile(
    r"^(?:thành phố|tp\.?|huyện|quận|thị xã|tx\.?|xã|phường|thị trấn|thôn|bản|ấp|làng) ", re.IGNORECASE
)


def bare_name(key: str) -> str:
    """Return the key of a place without its kind.

    The city Thái Nguyên then has the key of the province.
    """
    return _ANY_KIND.sub("", key)


@cache
def _regions() -> dict[str, str]:
    table = Path(__file__).with_name("regions.tsv").read_text("utf-8")
    return dict(line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))


@cache
def _region_pattern() -> re.Pattern[str]:
    names = sorted(_regions(), key=len, reverse=True)
    joined = "|".join(map(re.escape, names))
    return re.compile(rf"(?<!\w)(?:{joined})(?:(?:,| và|-|–) ?(?:vùng )?(?:{joined}))*(?!\w)(?! {_CAPITALISED})")


@cache
def _folded_regions() -> dict[str, str]:
    """Return the regions by their folded names, the longest first.

    Names of one syllable are left out: folded they mean other things.
    """
    names = {strip_diacritics(name).lower(): name for name in _regions() if " " in name}
    return dict(sorted(names.items(), key=lambda item: -len(item[0])))


def regions_in(question: str) -> list[str]:
    """Return the regions that a question names, in any spelling."""
    words = re.findall(r"\w+", strip_diacritics(question).lower())
    folded, found = f" {' '.join(words)} ", []
    for name, region in _folded_regions().items():
        if f" {name} " in folded:
            folded = folded.replace(f" {name} ", " ")
            found.append(region)
    return found


def places_of(text: str) -> list[NamedPlace]:
    """Return the places that NFC `text` names, in order.

    Neighbours of one address are one place (xã A, huyện B).
    """
    found: list[NamedPlace] = []
    for match in _NAMED.finditer(text):
        if _names_officer(text, match):
            continue
        kind = match["kind"].lower()
        found.append(NamedPlace(match.start(), match.end(), f"{match['kind']} {match['name']}", LEVELS.get(kind, 4)))
    starts = [place.start for place in found]
    taken = [Span(place.start, place.end) for place in found]
    for mention in find_provinces(text):
        at = bisect_right(starts, mention.start) - 1
        if at < 0 or found[at].end < mention.end:
            found.append(NamedPlace(mention.start, mention.end, text[mention.start : mention.end], 2))
        elif found[at].level == 2:
            found[at] = found[at]._replace(name=text[mention.start : mention.end])
    for match in _region_pattern().finditer(text):
        if " " not in match[0] and _IN_NAME.search(text, max(0, match.start() - 12), match.start()):
            continue
        at = bisect_right(starts, match.end() - 1) - 1
        if at < 0 or taken[at].end <= match.start():
            name = _regions().get(match[0], match[0])
            found.append(NamedPlace(match.start(), match.end(), name, 0 if name == "cả nước" else 1))
    return _addresses(text, _with_bare(text, sorted(found)))


def _names_officer(text: str, match: re.Match[str]) -> bool:
    """Return True if a kind of place ends an office before a person.

    For example: Chủ tịch UBND xã Đỗ Văn Thiệp.
    """
    names = match["name"].split()
    is_person = len(names) == 3 and names[0] in _SURNAMES
    return is_person and bool(_OF_OFFICE.search(text, max(0, match.start() - 40), match.start()))


def _with_bare(text: str, found: list[NamedPlace]) -> list[NamedPlace]:
    """Return places with those that are named without their kind.

    They share it with the one before ("xã A và B"), or are known as districts, or the text names them with their kind.
    """
    taken = [(place.start, place.end) for place in found]
    known = {_bare_of(place.name): place for place in found if place.level >= 3 and " " in _bare_of(place.name)}
    added: list[NamedPlace] = []

    def add(start: int, end: int, name: str, level: int) -> None:
        at = bisect_right(taken, (start, len(text)))
        if (at == 0 or taken[at - 1][1] <= start) and (at == len(taken) or taken[at][0] >= end):
            added.append(NamedPlace(start, end, name, level))

    for place in found:
        if place.level < 3:
            continue
        kind = place.name[: len(place.name) - len(_bare_of(place.name))]
        end = place.end
        while match := _COORDINATED.match(text, end):
            if match["name"] not in known and find_provinces(match["name"]):
                break
            add(match.start("name"), match.end("name"), kind + match["name"], place.level)
            end = match.end()
        while match := _LISTED.match(text, end):
            add(match.start("name"), match.end("name"), kind + match["name"], place.level)
            end = match.end()
    for start, end in _bare_districts(text, found):
        add(start, end, text[start:end], LEVELS["huyện"])
    return sorted({place.start: place for place in [*added, *found]}.values())


def _bare_districts(text: str, found: Sequence[NamedPlace]) -> Iterator[Span]:
    """Yield where known districts stand without their kind, beside those found.

    For example: lớp ở Mộc Châu, (Ứng Hòa, Hà Nội), gồm Lạc Thủy 71 HTX.
    """
    before = (
        _BEFORE_PROVINCE.search(text, max(0, place.start - _LONGEST_NAME), place.start)
        for place in found
        if place.level == 2 and text.endswith((", ", " (", "tỉnh "), 0, place.start)
    )
    for match in (*_AT_BARE.finditer(text), *_BEFORE_FIGURE.finditer(text), *filter(None, before)):
        name = match["name"]
        if is_district(name) and not find_provinces(name):
            yield Span(match.start("name"), match.end("name"))


def _bare_of(name: str) -> str:
    return _ANY_KIND_WRITTEN.sub("", name)


def _addresses(text: str, found: Sequence[NamedPlace]) -> list[NamedPlace]:
    """Join neighbours from small to large: xã Khánh Thủy, huyện Yên Khánh.

    A province at the end is left out.
    """
    joined: list[NamedPlace] = []
    for place in found:
        last = joined[-1] if joined else None
        if last and last.level > place.level >= 1 and _JOINED.fullmatch(text, last.end, place.start):
            if last.level == 5 and place.level == 4:
                joined[-1] = place._replace(start=last.start)
            else:
                name = last.name if place.level <= 2 else f"{last.name}, {place.name}"
                joined[-1] = last._replace(end=place.end, name=name)
        elif not last or place.start >= last.end:
            joined.append(place)
    return joined


def province_of(place: str | None, fallback: Iterable[str | None]) -> str | None:
    """Return the canonical province of a place, None for a region or country.

    It is that of `fallback` for a smaller place, and without a place.
    """
    if place is None:
        return next((name for name in fallback if name in provinces()), None)
    mention = next(iter([*find_provinces(place), *find_districts(place)]), None)
    if mention:
        return mention.province
    if place in _regions() or place in _regions().values() or _region_pattern().fullmatch(place):
        return None
    return next((name for name in fallback if name in provinces()), None)
