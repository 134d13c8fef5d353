"""The unit of a figure: money, measures, shares, and the nouns that are counted.

`units.tsv` lists the units that Vietnamese writes in more than one way, and the nouns whose kind matters: persons, times,
and nouns that announce a list ("4 giải pháp"). Any other noun behind a number is its own unit; underthesea finds its end.
A denominator belongs to the unit: đồng/kg, tấn/ha/vụ, đồng/người/tháng.
"""

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from htxsearch.text.normalize import canonical_spelling
from htxsearch.text.segmenter import word_spans

__all__ = ["Unit", "UnitKind", "unit_behind", "unit_per"]

UnitKind = Literal["money", "measure", "share", "ratio", "time", "age", "person", "count", "announced"]


class Unit(NamedTuple):
    """A unit as normalised, its kind, and the end of its words in the text.

    `known` is False for a noun that `units.tsv` does not list.
    """

    end: int
    name: str
    kind: UnitKind
    known: bool = True


_LONGEST = 4
"""Words of the longest unit."""
_MOST_PER = 3
"""Denominators of a unit: đồng/người/ha/năm."""
_WORD = re.compile(r"[^\W\d_][\w²³]*(?:-[^\W\d_]\w*)?|°[cC]")
_BLANKS = re.compile(r"[ \u00a0]*")
_PER = re.compile(r"\s?/\s?(?:1 ?|một )?(?=[^\W\d_])| (?:(?:trên|cho|đối với) )?(?:mỗi|một|1) (?=[^\W\d_])", re.IGNORECASE)


_PER_BEHIND_NOUN = re.compile(r"(?: (?!và\b|hay\b|hoặc\b)[^\W\d_]+){1,3}\s?/\s?(?=[^\W\d_])")
"""A noun between a unit and its denominator: 100.000 đồng/con gia súc/năm, 1,9 tấn cơm dừa/ha."""
_EACH = re.compile(
    r"(?<!\w)(?:mỗi|từng)\s(?=[^\W\d_])|(?<!\w)(?:hằng|(?<!ngân )hàng)\s(?=(?:năm|tháng|tuần|ngày|quý|vụ)(?!\w))", re.IGNORECASE
)
_BODIES = frozenset({"HTX", "THT", "đơn vị", "liên hiệp HTX", "doanh nghiệp", "quỹ tín dụng nhân dân"})
"""Bodies whose mean is written with "mỗi" and without a denominator: doanh thu bình quân mỗi HTX 640 triệu đồng."""
_NO_NOUN = frozenset(
    "và hay hoặc của là được thì nhưng với để đã sẽ ở tại trong ngoài trên dưới so mà theo về cho đến tới từ có này đó kia"
    " trở cùng cũng bằng chiếm do vì khi nếu nên đang vẫn còn như gồm bao nhằm đạt tăng giảm lên xuống nữa rồi qua sau trước"
    " nay mới cả tất những các mỗi một thấp cao lớn nhỏ nhất hơn kém gấp đều lại vào ra bị không chưa chỉ đề tính"
    " kể thuộc".split()
)
"""Words that end the phrase of a number, so that what stands behind it is no unit."""


@cache
def _known() -> dict[tuple[str, ...], tuple[str, UnitKind]]:
    table = Path(__file__).with_name("units.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return {tuple(canonical_spelling(word) for word in row[0].split()): (row[1], row[2]) for row in rows}  # type: ignore[misc]


@cache
def _first_words() -> frozenset[str]:
    return frozenset(words[0] for words in _known())


def unit_behind(text: str, at: int) -> Unit | None:
    """Return the unit that stands at `at` of NFC `text`, behind a number.

    The result is None if no noun does.
    """
    start = _BLANKS.match(text, at).end()  # type: ignore[union-attr]
    if text.startswith(("%", "‰"), start):
        return _with_denominator(text, Unit(start + 1, text[start], "share"))
    words = _words_from(text, start)
    if not words:
        return None
    unit = _known_unit(words) or _other_noun(text, start, words)
    return _with_denominator(text, unit) if unit else None


def unit_per(text: str, start: int, at: int, unit: Unit) -> Unit:
    """Return a unit with the denominator that stands before its number.

    For example: mỗi con lỗ 1 triệu đồng, hằng năm 600 tấn.

    The sentence begins at `start`, the number at `at`. A period ("mỗi năm") holds for all figures of the sentence.
    """
    if "/" in unit.name:
        return unit
    clause = max(text.rfind(mark, start, at) for mark in (",", ";", "(", ":")) + 1
    for match in _EACH.finditer(text, start, at):
        words = _words_from(text, match.end(), 3)
        known = _known_unit(words) if words else None
        if known is None or (match.start() < clause and known.kind != "time") or known.name == unit.name:
            continue
        if known.name in _BODIES and unit.kind == "money":
            continue
        if known.kind in ("time", "count", "person", "measure") and unit.kind in ("money", "measure", "count", "ratio"):
            return unit._replace(name=f"{unit.name}/{known.name}")
    return unit


def _words_from(text: str, start: int, most: int = _LONGEST) -> list[tuple[str, int]]:
    """Return the words from `start` on that only blanks divide.

    Each is in canonical spelling and has its end.
    """
    words: list[tuple[str, int]] = []
    while len(words) < most:
        match = _WORD.match(text, start)
        if not match:
            break
        words.append((canonical_spelling(match[0].lower()), match.end()))
        start = match.end()
        if not text.startswith((" ", "\u00a0"), start):
            break
        start += 1
    return words


def _known_unit(words: list[tuple[str, int]]) -> Unit | None:
    if words[0][0] not in _first_words():
        return None
    for size in range(len(words), 0, -1):
        found = _known().get(tuple(word for word, _ in words[:size]))
        if found:
            return Unit(words[size - 1][1], *found)
    return None


def _other_noun(text: str, start: int, words: list[tuple[str, int]]) -> Unit | None:
    if words[0][0] in _NO_NOUN or any(character.isdigit() for character in words[0][0]):  # N07, OM18 are codes
        return None
    size = _first_word(text[start : words[-1][1]].lower())
    end = start + size if size else words[0][1]
    name = " ".join(canonical_spelling(word) for word in text[start:end].lower().split())
    return Unit(end, name, "count", known=False)


@lru_cache(maxsize=1 << 12)
def _first_word(text: str) -> int:
    """Return the end of the word that a text begins with, 0 if it begins with none."""
    found = word_spans(text)
    return found[0].end if found and found[0].start == 0 else 0


def _with_denominator(text: str, unit: Unit) -> Unit:
    """Return a unit with its denominators: đồng/kg, đồng mỗi kg, tấn/ha/vụ, HTX/năm."""
    name, end = unit.name, unit.end
    while name.count("/") < _MOST_PER and (match := _PER.match(text, end) or _PER_BEHIND_NOUN.match(text, end)):
        words = _words_from(text, match.end(), 3)
        slashed = "/" in match[0]
        known = _known_unit(words) if words else None
        if known is None or known.kind in ("share", "announced"):
            known = _other_noun(text, match.end(), words) if slashed and words else None
            if known is None or match.re is _PER_BEHIND_NOUN:
                break
        if not slashed and unit.kind not in ("money", "measure"):
            break
        name, end = f"{name}/{known.name}", known.end
    return unit._replace(name=name, end=end)
