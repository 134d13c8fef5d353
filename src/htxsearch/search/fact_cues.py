"""The cues of a request for facts: the sort of figures that its words ask for.

The words are folded: typed with diacritics or without, a question has the same cues.
"""

import re
from functools import lru_cache

from htxsearch.facts.terms import indicator_terms, spellings_of
from htxsearch.text.figures import number_value
from htxsearch.text.normalize import folded_form
from htxsearch.text.tokens import tokens

__all__ = ["counted_noun", "cues_of", "folded_terms", "level_asked", "named_values", "unit_class", "unit_spellings"]

_TARGET = frozenset("muc tieu|ke hoach|chi tieu|phan dau|du kien|dat ra|dinh huong|muon".split("|"))
_CHANGE = frozenset(
    "tang bao nhieu|giam bao nhieu|tang may|giam may|tang truong|muc tang|muc giam|toc do|gap may|chenh".split("|")
)
_SHARE = frozenset("ty le|ti le|phan tram|ty trong|ti trong|may phan".split("|"))
_MONEY = frozenset("gia|doanh thu|von|tien|thu nhap|loi nhuan|lai|kinh phi|luong|chi phi|phi|no|vay|ho tro|dau tu".split("|"))
_LEVELS = {"huyen": 3, "xa": 4, "tinh": 2, "vung": 1}
_EACH = ("cac", "tung", "moi", "nhung", "o cac")


def _comparing(kind: str) -> tuple[str, ...]:
    """Return the phrases that compare places of a kind: huyện nào, các huyện."""
    return (f"{kind} nao", *(f"{each} {kind}" for each in _EACH))


_PARTS = frozenset(phrase for kind in (*_LEVELS, "dia phuong") for phrase in _comparing(kind))
"""Folded words of a question that say what sort of figures it asks for."""
_NO_COMMUNES = ((" hop tac xa ", " htx "), (" xa vien ", " thanh vien "))
"""Folded words whose "xa" is no commune, and others of their meaning."""
_CLASSES = {
    "price": "gia|phi|gia ban|gia mua|the chap",
    "money": "doanh thu|von|tien|loi nhuan|lai|kinh phi|no|vay|dau tu|tri gia|ngan sach|quy",
    "income": "thu nhap|luong",
    "area": "dien tich|ha|hecta",
    "mass": "san luong|tan|khoi luong",
    "yield": "nang suat",
    "share": "ty le|ti le|ty trong|ti trong|phan tram",
    "person": "thanh vien|xa vien|lao dong|nguoi|ho|dan",
}
"""Folded words that say in what class of units an answer is, the first that a question names."""
_SERIES = frozenset(
    "qua cac nam|tung nam|cac nam|tang hay giam|len xuong|the nao|dien bien|so voi|bien dong|hay|cao nhat|thap nhat"
    "|tu bao nhieu".split("|")
)
"""Folded words of a question for several figures."""
_NOW = frozenset("hien nay|hien tai|hien co|bay gio|den nay|va muc tieu|va ke hoach|ke hoach va|thuc hien".split("|"))
"""Folded words by which a question for a plan asks for the present, too."""
_COUNTED = re.compile(r" (?:bao nhieu|may)(?: (?:trieu|nghin|ngan|ty|ti|phan))? (?!mot )(?P<unit>\w+ \w+|\w+)")
_NUMBER = re.compile(r"(?<!thang )(?<!ngay )(?<!quy )(?<!luat )(?<![\w.,])\d[\d.,]*(?![\w/])")
_SCALES = {"nghin": 1e3, "ngan": 1e3, "trieu": 1e6, "ty": 1e9, "ti": 1e9}
_LEAST_NAMED = 3
"""The least number in a question that is taken for a value: "một con", "2 huyện" are none."""


def cues_of(words: str) -> dict[str, str]:
    """Return what the words of a question say of status, kind and place."""
    words = _without_communes(words)

    def has(phrases: frozenset[str]) -> bool:
        return any(f" {phrase} " in words for phrase in phrases)

    status = "target" if has(_TARGET) else "change" if has(_CHANGE) else "level"
    kind = "share" if has(_SHARE) or "%" in words else "money" if has(_MONEY) else "count"
    if status == "target" and has(_NOW):
        status = "target and level"
    positions = [
        (at, name) for name, phrases in _CLASSES.items() for one in phrases.split("|") if (at := words.find(f" {one} ")) >= 0
    ]
    return {
        "status": f"asked {status}",
        "kind": kind,
        "parts": "parts" if has(_PARTS) else "whole",
        "class": min(positions)[1] if positions else "",
        "rows": "several rows" if has(_SERIES) else "one row",
    }


def level_asked(words: str) -> int | None:
    """Return the level of the places that a question compares: huyện nào, các tỉnh."""
    words = _without_communes(words)
    for kind, level in _LEVELS.items():
        if any(f" {one} " in words for one in _comparing(kind)):
            return level
    return None


def _without_communes(words: str) -> str:
    """Return words in which "xa" is a commune: hợp tác xã nào asks for no commune."""
    for long, short in _NO_COMMUNES:
        words = words.replace(long, short)
    return words


def counted_noun(words: str) -> str:
    """Return the folded words behind "bao nhiêu", without a scale.

    For example: ha in "có bao nhiêu ha dừa".
    """
    match = _COUNTED.search(words)
    return match["unit"] if match else ""


def named_values(words: str) -> frozenset[float]:
    """Return the numbers that a question names, with their scales, without years."""
    found = set()
    for match in _NUMBER.finditer(words):
        value = number_value(match[0].strip(".,"))
        if value is None:
            continue
        scale = words[match.end() :].split(" ", 2)[1:2]
        value *= _SCALES.get(scale[0], 1) if scale else 1
        if value >= _LEAST_NAMED and not 1900 <= value <= 2100:
            found.add(value)
    return frozenset(found)


@lru_cache(maxsize=1024)
def unit_class(unit: str) -> str:
    """Return the class of a unit: đồng/kg is a price, ha an area."""
    head, _, per = unit.partition("/")
    if head in ("đồng", "USD", "euro"):
        return (
            "money"
            if not per
            else "income"
            if per.split("/")[0] in ("người", "lao động", "ha", "năm", "tháng", "HTX")
            else "price"
        )
    if head in ("%", "‰", "lần"):
        return "share"
    if head in ("ha", "m2", "sào", "mẫu", "công", "km2"):
        return "area"
    if head in ("tấn", "tạ", "kg"):
        return "yield" if per.split("/")[0] in ("ha", "sào", "công") else "mass"
    return "person" if head in ("thành viên", "người", "lao động", "hộ", "dân", "học viên", "hộ dân") else "count"


@lru_cache(maxsize=1024)
def unit_spellings(unit: str) -> tuple[str, ...]:
    """Return the folded forms of a unit without its denominator."""
    words = folded_terms(unit.split("/")[0]).strip()
    terms = indicator_terms(unit.split("/")[0])
    return (words, *(spelling for term in terms for spelling in spellings_of(term)))


@lru_cache(maxsize=4096)
def folded_terms(text: str) -> str:
    """Return the folded words of a question between blanks."""
    return f" {' '.join(folded_form(token.term) for token in tokens(text))} {'%' if '%' in text else ''}"
