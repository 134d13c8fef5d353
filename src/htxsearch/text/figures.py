"""Figures as Vietnamese writes them: numbers, their scales and their qualifiers.

Numbers are in digits and words. A qualifier bounds a number. This is the only list of scales (nghìn, vạn, triệu,
tỷ) and of qualifiers (gần, chưa đến, ít nhất). "gần 42.000 thành viên" is a figure of 42,000 with the bound
"nearly"; "2 tỷ 500 triệu đồng" is 2,500,000,000; "từ 10 đến 15 hộ" runs from 10 to 15.

A dot groups thousands and a comma is the decimal sign, as `normalize` has it, and `tokens` for money. Telephone numbers are no
figures. Numbers in words are read as far as
they are beyond doubt: "mười năm" is ten years, fifteen is "mười lăm". A year or a day by itself is a figure here,
too; a date in digits (19-5-2020, 19/5/2020, 19.5.2020) is none.
"""

import math
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from htxsearch.text.normalize import canonical_spelling
from htxsearch.text.telephones import telephone_end
from htxsearch.text.tokens import Token, tokens

__all__ = [
    "QUALIFIERS",
    "SCALES",
    "Bound",
    "Figure",
    "Qualifier",
    "agree",
    "figures",
    "number_value",
]

Bound = Literal["exact", "about", "nearly", "over", "below", "at least", "at most"]
"""How a figure is meant. nearly: a little less ("gần 50"); over: a little more ("hơn 50"); below: any less ("chưa đến 50")."""

SCALES: dict[str, int] = {
    "chục": 10,
    "trăm": 100,
    "nghìn": 1_000,
    "ngàn": 1_000,
    "vạn": 10_000,
    "triệu": 1_000_000,
    "tỷ": 1_000_000_000,
}
"""The words that multiply the number before them, by canonical spelling (tỉ is tỷ)."""

_BOUNDS: dict[Bound, str] = {
    "about": "khoảng|chừng|tầm|xấp xỉ|ước|ước tính|ước đạt|ước chừng|trên dưới|hơn kém|vào khoảng|khoảng chừng",
    "nearly": "gần|gần đến|gần tới|non|ngót|ngót nghét|suýt soát",
    "over": "hơn|trên|vượt|quá|vượt quá|vượt trên|ngoài|nhiều hơn|cao hơn|lớn hơn",
    "below": "dưới|chưa đến|chưa tới|chưa đầy|chưa được|không đến|không tới|không đầy|ít hơn|thấp hơn|nhỏ hơn|kém hơn",
    "at least": "ít nhất|tối thiểu|ít nhất là|tối thiểu là|không dưới|không ít hơn|không thấp hơn|không nhỏ hơn|không kém",
    "at most": "nhiều nhất|tối đa|nhiều nhất là|tối đa là|không quá|không hơn|không vượt|không vượt quá|không trên|chưa quá"
    "|chưa vượt quá|không nhiều hơn|không cao hơn|không lớn hơn",
}
QUALIFIERS: dict[tuple[str, ...], Bound] = {
    tuple(map(canonical_spelling, phrase.split())): bound for bound, phrases in _BOUNDS.items() for phrase in phrases.split("|")
}
"""The phrases that may stand before a figure, as canonical terms, with the bound that each sets."""
_LONGEST_QUALIFIER = max(map(len, QUALIFIERS))
_BOUNDS_BEHIND: dict[tuple[str, ...], Bound] = {
    ("trở", "lên"): "at least",
    ("đổ", "lên"): "at least",
    ("trở", "xuống"): "at most",
    ("đổ", "xuống"): "at most",
}
_COUNTED_WORDS = 4
"""How many words of what is counted may stand between a figure and its "trở lên": từ 50 thành viên trở lên."""

_GREATEST_SCALE = 10**12
"""Scales are multiplied as long as their product is less: 3 trăm nghìn tỷ."""
_LONGEST_RUN = 24
"""How many terms a number in words may have, and those before a figure in which its qualifier is looked for."""
_LONGEST_NUMBER = 18
"""Digits of a number; longer runs are codes, and would not fit a float."""
_DATE = re.compile(
    r"\d{1,2}\s?([-–])\s?\d{1,2}\s?\1\s?(?:19|20)\d\d(?!\d)|(?:19|20)\d\d-\d\d-\d\d(?!\d)"
    r"|(?i:(?<=tháng\s))\d{1,2}\s?[-–.]\s?(?:19|20)\d\d(?!\d)"
)
"""The dates in digits that look like numbers or ranges: 19-5-2020, 2020-05-19, tháng 5-2020, tháng 5.2020."""

_DIGITS = {"một": 1, "hai": 2, "ba": 3, "bốn": 4, "năm": 5, "sáu": 6, "bảy": 7, "bẩy": 7, "tám": 8, "chín": 9}
_LAST_DIGITS = {**_DIGITS, "mốt": 1, "tư": 4, "lăm": 5, "nhăm": 5}
"""Digits after tens: hai mươi mốt, hai mươi tư, hai mươi lăm."""
_FIRST_WORDS = frozenset({"mười", *_DIGITS})
"""The words that a number in words can begin with; looking at these only halves the time."""
_ZEROS = ("linh", "lẻ", "lẽ")
_TENS = ("mươi", "chục")


class Qualifier(NamedTuple):
    """The qualifier that a run of terms ends with: its number of terms and its bound."""

    size: int
    bound: Bound


class Figure(NamedTuple):
    """A figure with its qualifier and scale: `text[start:end]`.

    The number itself begins at `number`. `low` and `high` are equal, but for a range ("10-15").
    """

    start: int
    number: int
    end: int
    low: float
    high: float
    bound: Bound


def number_value(written: str) -> float | None:
    """Return the value of a number in digits: 1.264 → 1264, 240,2 → 240.2.

    The result is None for anything else (12.10.2021).
    """
    whole, comma, decimals = canonical_spelling(written).partition(",")
    digits = whole + decimals
    if not (digits.isascii() and digits.isdigit()) or (comma and not decimals) or len(digits) > _LONGEST_NUMBER:
        return None
    return int(digits) / float(10 ** len(decimals))


def _qualifier_before(terms: Sequence[str]) -> Qualifier | None:
    """Return the qualifier that ends `terms`, those before a figure.

    The result is None without a qualifier. The longest phrase counts ("không quá" is not "quá"). Of several qualifiers
    the one next to the figure sets the bound ("ước tính khoảng", "ước gần").
    """
    size, bound = 0, None
    while phrase := _last_phrase(terms[: len(terms) - size]):
        size += phrase.size
        bound = bound or phrase.bound
    return Qualifier(size, bound) if bound else None


def _last_phrase(terms: Sequence[str]) -> Qualifier | None:
    last = tuple(map(canonical_spelling, terms[-_LONGEST_QUALIFIER:]))
    for size in range(len(last), 0, -1):
        bound = QUALIFIERS.get(last[-size:])
        if bound:
            return Qualifier(size, bound)
    return None


def figures(text: str) -> list[Figure]:
    """Return the figures of NFC `text` in order, never overlapping.

    Document numbers and dates in digits are left out.
    """
    line = _Line(text)
    of_text: list[Figure] = []
    behind = 0
    for start in [number for number, term in enumerate(line.terms) if term in _FIRST_WORDS or term[0].isdigit()]:
        if start >= behind:
            behind = line.behind_date(start)
            number = line.number_at(start) if behind == start else None
            if number is not None:
                of_text.append(line.figure(start, *number))
                behind = number[0]
    return of_text


def agree(one: Figure, other: Figure) -> bool:
    """Return True if both figures can be right at once: 48 and "dưới 50".

    50 and "dưới 50" cannot; 2.631 and "hơn 2.600" can. "gần", "hơn" and "khoảng" reach as far as the figure is round:
    "hơn 2.600" up to 2.700, "gần 50" down to 40.
    """
    (low, high), (other_low, other_high) = _interval(one), _interval(other)
    return low <= other_high and other_low <= high


def _interval(figure: Figure) -> tuple[float, float]:
    low, high = figure.low, figure.high
    match figure.bound:
        case "about":
            return low - _roundness(low), high + _roundness(high)
        case "nearly":
            return low - _roundness(low), high
        case "over":
            return low, high + _roundness(high)
        case "below":
            return 0.0, math.nextafter(high, -math.inf)
        case "at most":
            return 0.0, high
        case "at least":
            return low, float("inf")
        case _:
            return low, high


def _roundness(value: float) -> float:
    """Return the place value of the last digit that is not zero.

    It is 100 for 2600, 10 for 50, 0.1 for 3.5.
    """
    if value != int(value):
        return 10.0 ** -len(repr(value).partition(".")[2])
    digits = str(int(value))
    return float(10 ** (len(digits) - len(digits.rstrip("0")))) if value else 1.0


class _Line:
    """The tokens of a text, their canonical terms, and the gaps between them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: Sequence[Token] = tokens(text)
        self.terms = list(map(canonical_spelling, [token.term for token in self.tokens]))

    def gap(self, at: int) -> str:
        """Return what stands between a token and the one before.

        It shows whether only blanks do. Behind the last token it is the rest of the text.
        """
        start = self.tokens[at].start if at < len(self.tokens) else len(self.text)
        return self.text[self.tokens[at - 1].end if at else 0 : start]

    def figure(self, at: int, end: int, low: float, high: float) -> Figure:
        """Return the figure with its qualifier from the tokens of its number.

        The number is the tokens from `at` to before `end`.
        """
        since = at
        while since and at - since < _LONGEST_RUN and self.is_joined(since):
            since -= 1
        before = self.terms[since:at]
        if high != low and before[-1:] == ["từ"]:
            before = before[:-1]
        qualifier = _qualifier_before(before)
        size = at - since - len(before)
        bound = qualifier.bound if qualifier else self._bound_behind(end)
        first = at - size - (qualifier.size if qualifier else 0)
        return Figure(self.tokens[first].start, self.tokens[at].start, self.tokens[end - 1].end, low, high, bound)

    def is_joined(self, at: int) -> bool:
        """Return True if only blanks of a line divide a token from the last."""
        gap = self.gap(at)
        return gap.isspace() and "\n" not in gap

    def behind_date(self, at: int) -> int:
        """Return the token behind a date or telephone number.

        It is `at` itself if none begins there.
        """
        start = self.tokens[at].start
        date = _DATE.match(self.text, start)
        end = date.end() if date else None
        if end is None and (self.text[start] == "0" or self.gap(at).endswith("+")):
            end = telephone_end(self.text, start) or (telephone_end(self.text, start - 1) if start else None)
        while end is not None and at < len(self.tokens) and self.tokens[at].start < end:
            at += 1
        return at

    def number_at(self, at: int) -> tuple[int, float, float] | None:
        """Return the token behind a number or range, and its least and greatest value.

        The number or range begins at the token `at`.
        """
        amount = self._amount_at(at)
        if amount is None:
            return None
        end, low = amount
        to = end
        if to < len(self.terms) and self.gap(to).strip(" %") not in ("-", "–"):
            joined = self.is_joined(end) or self.gap(end) == "% "
            to = end + 1 if self.terms[end] in ("đến", "tới") and joined else len(self.terms)
        is_range = to < len(self.terms) and (to == end or self.is_joined(to)) and self.behind_date(to) == to
        last = self._amount_at(to) if is_range else None
        shared = last is not None and end == at + 1 and self._scale_at(last[0] - 1) > 1 and self._scale_at(end - 1) == 1
        if last is None or (to > end and not shared and not self._follows_from(at)):
            return None if end <= len(self.tokens) and self.gap(end).startswith(("-", "/")) else (end, low, low)
        if low < last[1] and shared:
            low *= self._scale_at(last[0] - 1)  # 10-15 triệu
        elif low < 1000 <= low * 1000 < last[1] and end == at + 1 and last[1] % 1000 == 0 and self._is_grouped(to):
            low *= 1000  # 30 - 50.000 đồng
        return (last[0], low, last[1]) if low < last[1] else (end, amount[1], amount[1])

    def _is_grouped(self, at: int) -> bool:
        """Return True if a token is a number with dots between its thousands."""
        return "." in self.tokens[at].term

    def _follows_from(self, at: int) -> bool:
        """Return True if "từ" is before the number.

        A qualifier may be between the two: từ khoảng 10 đến 15.
        """
        before = self.terms[max(0, at - _LONGEST_QUALIFIER - 1) : at]
        qualifier = _qualifier_before(before)
        return "từ" in before[-1 - (qualifier.size if qualifier else 0) :]

    def _amount_at(self, at: int) -> tuple[int, float] | None:
        """Return the token behind the amount that begins at a token, and its value."""
        if not self.terms[at][0].isdigit():
            return self._worded_at(at) if self.terms[at] in _FIRST_WORDS else None
        value = number_value(self.terms[at])
        if value is None or self.gap(at).endswith("/") or self.gap(at + 1).startswith("/"):
            return None
        end, scale = self._scaled(at + 1)
        total = value * scale
        while end > at + 1 and end + 1 < len(self.terms) and self.is_joined(end) and self.terms[end][0].isdigit():
            part = number_value(self.terms[end])
            behind, smaller = self._scaled(end + 1)
            if part is None or not 1 < smaller < scale:
                break
            end, scale, total = behind, smaller, total + part * smaller  # 2 tỷ 500 triệu
        if end > at + 1 and end < len(self.terms) and self.terms[end] == "rưỡi" and self.is_joined(end):
            end, total = end + 1, total + scale / 2
        return end, total

    def _scaled(self, at: int) -> tuple[int, int]:
        """Return the token behind the scales that begin at a token, and their product.

        For example: 3 trăm triệu.
        """
        scale = 1
        while at < len(self.terms) and self.terms[at] in SCALES and scale < _GREATEST_SCALE and self.is_joined(at):
            scale *= SCALES[self.terms[at]]
            at += 1
        return at, scale

    def _scale_at(self, at: int) -> int:
        return SCALES.get(self.terms[at], 1)

    def _worded_at(self, at: int) -> tuple[int, float] | None:
        """Return the token behind a number in words, and the number's value.

        The number begins at the given token.
        """
        end = at + 1
        while end < len(self.terms) and end - at < _LONGEST_RUN and self.is_joined(end):
            end += 1
        size, value = _read_words(self.terms[at:end])
        return (at + size, float(value)) if size else None

    def _bound_behind(self, end: int) -> Bound:
        behind = self.terms[end : end + _COUNTED_WORDS + 2]
        for at in range(len(behind) - 1):
            bound = _BOUNDS_BEHIND.get((behind[at], behind[at + 1]))
            if bound and all(self.is_joined(end + offset) for offset in range(at + 2)):
                return bound
        return "exact"


def _read_words(words: Sequence[str]) -> tuple[int, int]:
    """Return the count of the first words that are a number, and the number's value.

    The result is (3, 25) for hai mươi lăm hộ, and (0, 0) without a number.

    A digit counts at the beginning, before tens or a scale, after tens and after "linh". "năm" at the beginning or
    after tens is a year, unless tens or a scale follow it.
    """
    total = part = size = 0  # the sum of what has its scale; what is below the next scale
    before = "start"
    while size < len(words):
        word = words[size]
        following = words[size + 1] if size + 1 < len(words) else ""
        multiplied = following in _TENS or following in SCALES
        if word == "mười" and before in ("start", "scale"):
            part, before = part + 10, "tens"
        elif word in _ZEROS and before == "scale" and following in _LAST_DIGITS:
            before = "zero"
        elif word in _DIGITS and multiplied and before in ("start", "scale"):
            digit = _DIGITS[word]
            if following in _TENS:
                part, size, before = part + 10 * digit, size + 1, "tens"
            elif following == "trăm":
                part, size, before = part + 100 * digit, size + 1, "scale"
            else:
                part, before = part + digit, "digit"
        elif before == "start" and word in _DIGITS and word != "năm":
            part, before = part + _DIGITS[word], "digit"
        elif (before == "tens" and word in _LAST_DIGITS and word != "năm") or (before == "zero" and word in _LAST_DIGITS):
            part, before = part + _LAST_DIGITS[word], "digit"
        elif word in SCALES and word not in _TENS and part:
            total, part, before = total + part * SCALES[word], 0, "scale"
        elif word in SCALES and before == "scale" and SCALES[words[size - 1]] < SCALES[word]:
            total *= SCALES[word]  # hai nghìn tỷ
        else:
            break
        size += 1
    return size, total + part
