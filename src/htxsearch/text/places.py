"""Provinces, before and after 1 July 2025, and where a text names them.

Names are matched with their capitals, so that hòa bình (peace) is no Hòa Bình. Longer names that begin
like a province's (Điện Biên Phủ), persons (Chủ tịch Hồ Chí Minh) and smaller places (xã Hòa Bình) are none.
A text in capitals alone shows no case: there a name counts after TỈNH, THÀNH PHỐ, TP, Ở or TẠI.

A place is known by its province of before the reform, which is the narrower one. The names of today are
all among the old: Thái Nguyên is both, and as one of today holds the old Bắc Kạn too.
"""

import difflib
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple

from htxsearch.errors.messages import Message, message
from htxsearch.text.normalize import canonical_spelling, folded_form, has_diacritics, nfc
from htxsearch.text.tokens import tokens

__all__ = [
    "Extent",
    "Mention",
    "asked_places",
    "canonical_place",
    "find_districts",
    "find_places",
    "former_parts",
    "near_place",
    "place_extent",
    "place_names",
    "province_now",
    "provinces",
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
"""What a person who types means, but a text need not: TNCS HCM is no city, bia Sài Gòn no news from there."""

_LONGER = "Điện Biên Phủ|Đồng Tháp Mười|Hà Nam Ninh|Hà Nam Định"
_WORDS_TOO = ("Hòa Bình",)
_NOT_AFTER = (
    *"phường huyện quận đường thôn xóm bản làng ấp chợ hồ sông Bác bác".split(),
    *("thị trấn", "thị xã", "Chủ tịch", "chủ tịch", "Tư tưởng", "tư tưởng", "Cộng sản"),
)


class Mention(NamedTuple):
    """A province named in a text: `text[start:end]` as written, `place` its usual name.

    `as_province` tells whether "tỉnh" or "thành phố" stands before it.
    """

    start: int
    end: int
    place: str
    as_province: bool


@cache
def provinces() -> dict[str, str]:
    """Return each of the 63 provinces of before July 2025 with the one of the 34 it is part of now.

    Source: Nghị quyết 202/2025/QH15, as shipped offline by underthesea (vietnamadminunits 1.0.4).
    """
    table = resources.files("htxsearch.text").joinpath("provinces.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return {row[0]: row[1] for row in rows}


def province_now(place: str) -> str | None:
    """Return the province of today that a former one is part of; None for what is no province's usual name."""
    return provinces().get(place)


def former_parts(province: str) -> tuple[str, ...]:
    """Return the former provinces that a province of today is made of, its namesake first; none if it is no such."""
    parts = [old for old, new in provinces().items() if new == province]
    return tuple(sorted(parts, key=lambda old: (old != province, old)))


@dataclass(frozen=True, slots=True)
class Extent:
    """What a typed place covers: usual names, the one that was typed first, and what to say about it, if anything."""

    places: tuple[str, ...]
    note: Message | None = None


def place_extent(typed: str) -> Extent:
    """Return what a typed place covers.

    Thái Nguyên is the province of today, Bắc Kạn too; Thái Nguyên (cũ), old in any spelling, is the one of
    before July 2025 alone, as every name is that is only an old one. What is no province covers itself.
    """
    words = [folded_form(token.term) for token in tokens(typed)]
    old = len(words) > 1 and words[-1] == "cu"
    bare = typed[: tokens(typed)[-1].start].rstrip(" (") if old else typed
    place = canonical_place(bare)
    if place not in provinces():
        return Extent((canonical_place(typed),))
    now = provinces()[place]
    if now != place:
        return Extent((place,), message("hint.former-province", place=place, province=now))
    parts = former_parts(place)
    if old or len(parts) == 1:
        return Extent((place,))
    return Extent(parts, message("hint.grown-province", place=place, parts=parts[1:]))


def place_names() -> list[str]:
    """Return what may be typed for a province: all names, and beside one of today that grew its old extent."""
    grown = (f"{name} (cũ)" for name in provinces() if len(former_parts(name)) > 1)
    return sorted([*provinces(), *grown])


def near_place(typed: str) -> str | None:
    """Return the province whose name is most like what was typed, None if none is like it."""
    near = difflib.get_close_matches(_place_key(typed)[:40], _by_key(), n=1, cutoff=0.75)
    return _by_key()[near[0]] if near else None


def find_places(text: str) -> list[Mention]:
    """Return the provinces named in NFC `text`, in order."""
    names = _names()
    found = []
    for match in _pattern().finditer(text):
        place = names[_spelling(match.group("name"))]
        found.append(Mention(match.start("name"), match.end("name"), place, bool(match.group("kind"))))
    if text.isupper():
        for match in _capitals().finditer(text):
            place = _capital_names()[" ".join(match.group("name").split())]
            found.append(Mention(match.start("name"), match.end("name"), place, bool(match.group("kind"))))
        found = sorted(set(found))  # TP HCM is found twice
    return found


def asked_places(question: str) -> frozenset[str]:
    """Return the provinces that a question names, one of today with those it took in; typed with marks, without, in any case.

    Without marks names are told from other words by nothing: "hoa binh" is the province. With them, "hòa bình" is not.
    """
    found = tokens(question)
    spelled = [(canonical_spelling(token.term), folded_form(token.term), has_diacritics(token.term)) for token in found]
    named = set()
    for at, (_, first, _) in enumerate(spelled):
        for name, words in _spelled_names().get(first, ()):
            run = spelled[at : at + len(words)]
            alike = len(run) == len(words) and all(
                mine[1] == its[1] and (mine[0] == its[0] or not mine[2]) for mine, its in zip(run, words, strict=True)
            )
            if alike and not (name in _WORDS_TOO and any(one[2] for one in run) and question[found[at].start].islower()):
                named.add(name)
    return frozenset(part for name in named for part in (name, *former_parts(name)))


@cache
def _spelled_names() -> dict[str, list[tuple[str, tuple[tuple[str, str], ...]]]]:
    """Return the provinces by the key of their first syllable, with the normal form and the key of each."""
    found: dict[str, list[tuple[str, tuple[tuple[str, str], ...]]]] = {}
    for name in provinces():
        words = tuple((canonical_spelling(token.term), folded_form(token.term)) for token in tokens(name))
        found.setdefault(words[0][1], []).append((name, words))
    return found


def find_districts(text: str) -> list[Mention]:
    """Return the districts named in NFC `text` with their kind (huyện Đồng Hỷ), in order; `place` is the province then.

    Only districts whose name one province alone has; see scripts/derive_districts.py. The span is that of
    kind and name.
    """
    known = _districts()
    found = []
    for match in _DISTRICT.finditer(text):
        words = match.group("words").split(" ")
        for length in range(len(words), 0, -1):
            name = " ".join(words[:length])
            place = known.get(_spelling(name))
            if place:
                end = match.start("words") + len(name)
                found.append(Mention(match.start(), end, place, False))
                break
    return found


@lru_cache(maxsize=1 << 10)
def canonical_place(name: str) -> str:
    """Return the usual name of a province however it is typed (tinh thai nguyen → Thái Nguyên).

    A text that names just one province is that province (Phú Bình, Thái Nguyên). Any other text comes
    back as it is, in NFC and without outer blanks.
    """
    known = _by_key().get(_place_key(name))
    if known:
        return known
    named = {mention.place for mention in find_places(nfc(name))}
    return named.pop() if len(named) == 1 else nfc(name).strip()


@cache
def _by_key() -> dict[str, str]:
    return {_place_key(known): place for known, place in {**_ALSO_TYPED, **_names()}.items()}


def _place_key(name: str) -> str:
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


_DISTRICT = re.compile(
    r"\b(?:[Hh]uyện|[Qq]uận|[Tt]hị xã|[Tt]hành phố|[Tt][Pp]\.?|[Tt][Xx]\.?) "  # the name is looked up, not matched: it is quick
    r"(?=(?P<words>[^\W\d_a-z][\w'’]*(?: [\w'’-]+){0,4}))"
)


@cache
def _districts() -> dict[str, str]:
    table = resources.files("htxsearch.text").joinpath("districts.tsv").read_text("utf-8")
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
    first = "".join({"T", "t", *(name[0] for name in spellings)})  # seen before the rest is tried: a sixth of the time
    kind = rf"(?=[{first}])" r"(?:(?P<kind>[Tt]ỉnh|TỈNH|[Tt]hành phố|THÀNH PHỐ|TP\.?|Tp\.?)\s+)?"
    return re.compile(rf"{kind}{before}(?<!\w)(?!(?:{_LONGER})(?!\w))(?P<name>{options})(?!\w)")
