"""Provinces, before and after 1 July 2025, and their mentions.

The mentions are in texts and questions. Names are matched with their capitals: hòa bình (peace) is not Hòa Bình.
Not matched are longer names that begin like a province's (Điện Biên Phủ), persons (Chủ tịch Hồ Chí Minh) and
smaller places (xã Hòa Bình). A text in capitals alone has no case: there a name counts after TỈNH, THÀNH PHỐ, TP,
Ở or TẠI.

Articles keep the province as it was before the reform, which is the narrower one. All names of today are also old
names: Thái Nguyên is both, and the one of today includes the old Bắc Kạn.
"""

import re
from functools import cache, lru_cache
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

from htxsearch.errors.messages import Message, message
from htxsearch.text.normalize import canonical_spelling, folded_form, has_diacritics, nfc
from htxsearch.text.patterns import late_pattern
from htxsearch.text.regions import region_called, regions
from htxsearch.text.tokens import terms, tokens
from htxsearch.values import frozen

__all__ = [
    "PlaceExtent",
    "PlaceMention",
    "SmallerPlace",
    "canonical_place",
    "find_districts",
    "find_provinces",
    "former_parts",
    "is_district",
    "place_extent",
    "place_name_ends",
    "place_names",
    "province_now",
    "provinces",
    "question_provinces",
    "similar_province",
    "smaller_place",
]

_ALSO_WRITTEN = {
    "TP.HCM": "Hồ Chí Minh",
    "TPHCM": "Hồ Chí Minh",
    "TP HCM": "Hồ Chí Minh",
    "TP. HCM": "Hồ Chí Minh",
    "Tp.HCM": "Hồ Chí Minh",
    "Tp HCM": "Hồ Chí Minh",
    "Tp. HCM": "Hồ Chí Minh",
    "BR-VT": "Bà Rịa - Vũng Tàu",
    "TT-Huế": "Huế",
    "TT Huế": "Huế",
    "Thừa Thiên Huế": "Huế",
    "Thừa Thiên - Huế": "Huế",
    "Bà Rịa Vũng Tàu": "Bà Rịa - Vũng Tàu",
    "Bà Rịa-Vũng Tàu": "Bà Rịa - Vũng Tàu",
    "Bà Rịa – Vũng Tàu": "Bà Rịa - Vũng Tàu",
    "Đăk Lăk": "Đắk Lắk",
    "Đắc Lắc": "Đắk Lắk",
    "Đăk Nông": "Đắk Nông",
    "Đắc Nông": "Đắk Nông",
    "Bắc Cạn": "Bắc Kạn",
}

_ALSO_TYPED = {"HCM": "Hồ Chí Minh", "Sài Gòn": "Hồ Chí Minh", "BRVT": "Bà Rịa - Vũng Tàu", "TTH": "Huế"}
"""Names that are understood when typed, but not in a text: TNCS HCM is not the city, bia Sài Gòn is no news from it."""

_SMALLER = late_pattern(r"(?:xa|phuong|thi tran|huyen|quan|thi xa) [^\W\d_]")
_KIND_BEFORE = late_pattern(r"^(?:xã|phường|thị trấn|huyện|quận|thị xã|thành phố|tp\.?|tx\.?)\s+", re.IGNORECASE)

_LONGER = "Điện Biên Phủ|Đồng Tháp Mười|Hà Nam Ninh|Hà Nam Định"
_ALSO_WORDS = ("Hòa Bình",)
"""Names that are common words, too, in small letters."""
_NOT_AFTER = (
    *"phường huyện quận đường thôn xóm bản làng ấp chợ hồ sông Bác bác".split(),
    *("thị trấn", "thị xã", "Chủ tịch", "chủ tịch", "Tư tưởng", "tư tưởng", "Cộng sản"),
)


class PlaceMention(NamedTuple):
    """A province or district named in a text: `text[start:end]` as written.

    `province` is the canonical name of its province. `as_province` is True if "tỉnh" or "thành phố" precedes the name.
    """

    start: int
    end: int
    province: str
    as_province: bool


@cache
def provinces() -> dict[str, str]:
    """Return the 63 provinces of before July 2025, each with its province of today.

    Each is a part of one of today's 34. Source: Nghị quyết 202/2025/QH15, as shipped offline by underthesea
    (vietnamadminunits 1.0.4).
    """
    table = Path(__file__).with_name("provinces.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return {row[0]: row[1] for row in rows}


def province_now(province: str) -> str | None:
    """Return the province of today that a former one is part of.

    The result is None for any other text.
    """
    return provinces().get(province)


def former_parts(province: str) -> tuple[str, ...]:
    """Return the former provinces that a province of today consists of.

    Its namesake is first. The result is empty for any other text.
    """
    parts = [old for old, new in provinces().items() if new == province]
    return tuple(sorted(parts, key=lambda old: (old != province, old)))


@frozen
class PlaceExtent:
    """The extent of a typed place: canonical names, the typed one first, and a note.

    The note is on the reform, if the reform matters for the place, or on the provinces of a region. `said` are the names by
    which texts name a region.
    """

    places: tuple[str, ...]
    note: Message | None = None
    said: tuple[str, ...] = ()


def place_extent(typed: str) -> PlaceExtent:
    """Return the extent of a typed place.

    Thái Nguyên is the province of today, with Bắc Kạn; Thái Nguyên (cũ), with "cũ" in any spelling, is only the one
    of before July 2025, and so is every name that is only an old one. A region has its provinces. Any other text is its own
    extent.
    """
    region = region_called(typed)
    if region:
        note = message("hint.region", place=region.name, parts=region.provinces)
        return PlaceExtent((region.name, *region.provinces), note, region.said)
    words = [folded_form(token.term) for token in tokens(typed)]
    old = len(words) > 1 and words[-1] == "cu"
    bare = typed[: tokens(typed)[-1].start].rstrip(" (") if old else typed
    place = canonical_place(bare)
    if place not in provinces():
        return PlaceExtent((canonical_place(typed),))
    now = provinces()[place]
    if now != place:
        return PlaceExtent((place,), message("hint.former-province", place=place, province=now))
    parts = former_parts(place)
    if old or len(parts) == 1:
        return PlaceExtent((place,))
    return PlaceExtent(parts, message("hint.grown-province", place=place, parts=parts[1:]))


def place_names() -> list[str]:
    """Return the names that can be typed for a province.

    A province of today that grew is also listed with its old extent: "… (cũ)". Regions are listed, too.
    """
    grown = (f"{name} (cũ)" for name in provinces() if len(former_parts(name)) > 1)
    return sorted([*provinces(), *grown, *(region.name for region in regions())])


class SmallerPlace(NamedTuple):
    """A typed place below the provinces, and the places that it is in.

    xã Tân Cương, thành phố Thái Nguyên is the commune in Thái Nguyên. A place that it is in has no kind; `province` is the one
    of today or before, if a province is among them.
    """

    name: str
    within: tuple[str, ...]
    province: str | None


def smaller_place(typed: str) -> SmallerPlace | None:
    """Return the commune, ward, town or district that is typed with its kind.

    The result is None for another place.
    """
    name, *around = (part.strip() for part in typed.split(","))
    if not _SMALLER().match(" ".join(map(folded_form, terms(name)))):
        return None
    within, province = [], None
    for part in filter(None, around):
        known = canonical_place(part)
        if known in provinces():
            province = known
        else:
            within.append(_KIND_BEFORE().sub("", part))
    return SmallerPlace(name, tuple(within), province)


_MOST_WORDS_OF_NAME = 9
"""Trung du và miền núi phía Bắc (cũ) has the most words."""


def place_name_ends(text: str, start: int) -> int | None:
    """Return where the longest name of a place that begins at `start` ends.

    None without one. No word of the name can be left out at its end.
    """
    words = islice(re.finditer(r"[^\s\"“”„()]+(?: \((?:cũ|cu)\))?", text[start:]), _MOST_WORDS_OF_NAME)
    ends = [start, *(start + word.end() for word in words)]
    for before, end in reversed([*pairwise(ends)]):
        shorter, name = text[start:before].strip(), text[start:end]
        place = canonical_place(name.removesuffix(" (cũ)").removesuffix(" (cu)"))
        is_province = place in provinces() and canonical_place(shorter) != place
        if is_province or (region_called(name) and not region_called(shorter)):
            return end
    return None


def similar_province(typed: str) -> str | None:
    """Return the province with the most similar name, None if none is similar."""
    import difflib

    near = difflib.get_close_matches(_folded_name(typed)[:40], _by_folded_name(), n=1, cutoff=0.75)
    return _by_folded_name()[near[0]] if near else None


def find_provinces(text: str) -> list[PlaceMention]:
    """Return the provinces named in NFC `text`, in order."""
    names = _names()
    mentions = []
    for match in _pattern().finditer(text):
        province = names[_spelling(match.group("name"))]
        mentions.append(PlaceMention(match.start("name"), match.end("name"), province, bool(match.group("kind"))))
    if text.isupper():
        for match in _capitals().finditer(text):
            province = _capital_names()[" ".join(match.group("name").split())]
            mentions.append(PlaceMention(match.start("name"), match.end("name"), province, bool(match.group("kind"))))
        mentions = sorted(set(mentions))  # TP HCM matches both patterns
    return mentions


def question_provinces(question: str) -> frozenset[str]:
    """Return the provinces that a question names.

    A province of today comes with those it includes. Names are read in any case, with or without diacritics. Without
    diacritics names look like other words: "hoa binh" counts as the province. With them, "hòa bình" does not.
    """
    typed = tokens(question)
    forms = [(canonical_spelling(token.term), folded_form(token.term), has_diacritics(token.term)) for token in typed]
    named = set()
    for start, (_, first, _) in enumerate(forms):
        for name, words in _names_by_first_syllable().get(first, ()):
            run = forms[start : start + len(words)]
            matches = len(run) == len(words) and all(
                folded == name_folded and (spelling == name_spelling or not with_diacritics)
                for (spelling, folded, with_diacritics), (name_spelling, name_folded) in zip(run, words, strict=True)
            )
            is_word = name in _ALSO_WORDS and any(form[2] for form in run) and question[typed[start].start].islower()
            if matches and not is_word:
                named.add(name)
    return frozenset(part for name in named for part in (name, *former_parts(name)))


@cache
def _names_by_first_syllable() -> dict[str, list[tuple[str, tuple[tuple[str, str], ...]]]]:
    """Return the provinces by the folded form of their first syllable.

    Each has both forms of each syllable: canonical and folded.
    """
    names: dict[str, list[tuple[str, tuple[tuple[str, str], ...]]]] = {}
    for name in provinces():
        words = tuple((canonical_spelling(token.term), folded_form(token.term)) for token in tokens(name))
        names.setdefault(words[0][1], []).append((name, words))
    return names


def find_districts(text: str) -> list[PlaceMention]:
    """Return the districts that NFC `text` names, in order, each with its province.

    A district is named with its kind (huyện Đồng Hỷ), and the span includes the kind. Only districts whose name is
    unique to one province are found; see scripts/derive_districts.py.
    """
    known = _districts()
    mentions = []
    for match in _DISTRICT().finditer(text):
        words = match.group("words").split(" ")
        for length in range(len(words), 0, -1):
            name = " ".join(words[:length])
            province = known.get(_spelling(name))
            if province:
                end = match.start("words") + len(name)
                mentions.append(PlaceMention(match.start(), end, province, False))
                break
    return mentions


def is_district(name: str) -> bool:
    """Return True if a name without its kind is that of a district.

    Names that districts of several provinces have are left out.
    """
    return _spelling(name) in _districts()


@lru_cache(maxsize=1 << 10)
def canonical_place(name: str) -> str:
    """Return the canonical name of a province, in whatever way it is typed.

    For example: tinh thai nguyen → Thái Nguyên. A text that names just one province is that province (Phú Bình, Thái
    Nguyên). Any other text comes back unchanged, in NFC and without outer blanks.
    """
    known = _by_folded_name().get(_folded_name(name))
    if known:
        return known
    named = {mention.province for mention in find_provinces(nfc(name))}
    return named.pop() if len(named) == 1 else nfc(name).strip()


@cache
def _by_folded_name() -> dict[str, str]:
    return {_folded_name(known): place for known, place in {**_ALSO_TYPED, **_names()}.items()}


def _folded_name(name: str) -> str:
    parts = [folded_form(token.term) for token in tokens(name)]
    for prefix in (["tinh"], ["thanh", "pho"], ["tp"]):
        if parts[: len(prefix)] == prefix and len(parts) > len(prefix):
            parts = parts[len(prefix) :]
    return " ".join(parts)


def _spelling(name: str) -> str:
    return " ".join(canonical_spelling(part) for part in name.split())


@cache
def _names() -> dict[str, str]:
    known = {name: name for name in provinces()} | _ALSO_WRITTEN
    return {_spelling(name): place for name, place in known.items()}


_DISTRICT = late_pattern(
    r"\b(?:[Hh]uyện|[Qq]uận|[Tt]hị xã|[Tt]hành phố|[Tt][Pp]\.?|[Tt][Xx]\.?) "  # the name is looked up, not matched: faster
    r"(?=(?P<words>[^\W\d_a-z][\w'’]*(?: [\w'’-]+){0,4}))"
)


@cache
def _districts() -> dict[str, str]:
    table = Path(__file__).with_name("districts.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return {_spelling(row[0]): row[1] for row in rows}


@cache
def _capital_names() -> dict[str, str]:
    known = {name.upper(): place for name, place in _names().items()}
    return known | {old.replace("HÒA", "HOÀ").replace("HÓA", "HOÁ"): place for old, place in known.items()}


@cache
def _capitals() -> re.Pattern[str]:
    options = "|".join(re.escape(name).replace(r"\ ", r"\s") for name in sorted(_capital_names(), key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:(?P<kind>TỈNH|THÀNH PHỐ|TP\.?)|Ở|TẠI)\s(?P<name>{options})(?!\w)")


@cache
def _pattern() -> re.Pattern[str]:
    spellings: set[str] = set()
    for name in _names():
        spellings |= {name, name.replace("Hòa", "Hoà").replace("Hóa", "Hoá")}
    longest_first = sorted(spellings, key=len, reverse=True)
    options = "|".join(re.escape(name).replace(r"\ ", r"\s") for name in longest_first)
    before = "".join(rf"(?<!\b{re.escape(word)} )" for word in _NOT_AFTER)
    before += r"(?<!(?<!tác )(?<!TÁC )\b[xX]ã )"  # a commune; not the end of hợp tác xã
    first = "".join({"T", "t", *(name[0] for name in spellings)})  # checked before the rest: a sixth of the time
    kind = rf"(?=[{first}])" r"(?:(?P<kind>[Tt]ỉnh|TỈNH|[Tt]hành phố|THÀNH PHỐ|TP\.?|Tp\.?)\s+)?"
    return re.compile(rf"{kind}{before}(?<!\w)(?!(?:{_LONGER})(?!\w))(?P<name>{options})(?!\w)")
