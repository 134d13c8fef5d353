"""Provinces, before and after 1 July 2025, and where a text names them.

Names are matched with their capitals, so that hòa bình (peace) is no Hòa Bình. Longer names that begin
like a province's (Điện Biên Phủ), persons (Chủ tịch Hồ Chí Minh) and smaller places (xã Hòa Bình) are none.
"""

import re
from functools import cache
from importlib import resources
from typing import NamedTuple

from htxsearch.text.normalize import key, nfc, normal
from htxsearch.text.tokens import tokens

__all__ = ["Mention", "canonical_place", "find_places", "provinces"]

_ALSO_WRITTEN = {
    "TP.HCM": "Hồ Chí Minh",
    "TPHCM": "Hồ Chí Minh",
    "TP HCM": "Hồ Chí Minh",
    "TP. HCM": "Hồ Chí Minh",
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

_LONGER = "Điện Biên Phủ|Đồng Tháp Mười|Hà Nam Ninh|Hà Nam Định"
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


def find_places(text: str) -> list[Mention]:
    """Return the provinces named in NFC `text`, in order."""
    names = _names()
    found = []
    for match in _pattern().finditer(text):
        place = names[_spelling(match.group("name"))]
        found.append(Mention(match.start("name"), match.end("name"), place, bool(match.group("kind"))))
    return found


def canonical_place(name: str) -> str:
    """Return the usual name of a province however it is typed (tinh thai nguyen → Thái Nguyên).

    A text that names just one province is that province (Phú Bình, Thái Nguyên). Any other text comes
    back as it is, in NFC and without outer blanks.
    """
    typed = _place_key(name)
    for known, place in _names().items():
        if _place_key(known) == typed:
            return place
    named = {mention.place for mention in find_places(nfc(name))}
    return named.pop() if len(named) == 1 else nfc(name).strip()


def _place_key(name: str) -> str:
    parts = [key(token.term) for token in tokens(name)]
    for prefix in (["tinh"], ["thanh", "pho"], ["tp"]):
        if parts[: len(prefix)] == prefix and len(parts) > len(prefix):
            parts = parts[len(prefix) :]
    return " ".join(parts)


def _spelling(name: str) -> str:
    return " ".join(normal(part) for part in name.split())


@cache
def _names() -> dict[str, str]:
    known = {name: name for name in provinces()} | _ALSO_WRITTEN
    return {_spelling(name): place for name, place in known.items()}


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
    kind = rf"(?=[{first}])" r"(?:(?P<kind>[Tt]ỉnh|TỈNH|[Tt]hành phố|THÀNH PHỐ|TP\.?)\s+)?"
    return re.compile(rf"{kind}{before}(?<!\w)(?!(?:{_LONGER})(?!\w))(?P<name>{options})(?!\w)")
