"""What in a text could be an answer by its form: amounts, dates, names, document numbers.

Amounts are figures or number words with their scale, money and percentages with their sign; dates are days, months, years,
centuries and periods; names are runs of capitals, and a person's, an organisation's or a place's by the word before them.
"""

import re
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

from htxsearch.text.document_numbers import document_numbers
from htxsearch.text.places import find_provinces

__all__ = ["TYPES", "Type", "TypedSpan", "typed_spans"]

Type = Literal["number", "money", "percent", "date", "name", "person", "organisation", "place", "document"]

TYPES: tuple[Type, ...] = get_args(Type)

_FIGURE = r"\d+(?:[.,]\d+)*"
_SCALE = r"(?:trăm|nghìn|ngàn|vạn|triệu|tỷ|tỉ)"
_CURRENCY = r"(?:đồng|VNĐ|VND|USD|đô la(?: Mỹ)?|euro|EUR|đô-la|bảng(?: Anh)?|yên|franc|rúp|dollar|won|nhân dân tệ|đ)"
_AMOUNT = rf"{_FIGURE}(?:\s*[-–]\s*{_FIGURE})?(?:\s{_SCALE}\b)*"
_WORDED = (
    r"(?:một|hai|ba|bốn|năm(?=\s(?:mươi|trăm|nghìn|triệu))|sáu|bảy|tám|chín|mười|hàng|vài)"
    r"(?:\s(?:mươi|mười|một|mốt|hai|ba|bốn|tư|năm|lăm|sáu|bảy|tám|chín|trăm|nghìn|ngàn|triệu|tỷ))*"
)
_DAY = (
    r"(?:(?:ngày|mùng|mồng)\s+)?\d{1,2}"
    r"(?:\s?[/.-]\s?\d{1,2}\s?[/.-]\s?\d{4}|\s+tháng\s+\d{1,2}(?:(?:\s+năm|,|\s?[/-])\s*\d{3,4})?|[/-]\d{1,2}(?![\d/]))"
)
_MONTH = r"(?:tháng\s+\d{1,2}(?:\s?[/-]\s?\d{4}|(?:\s+năm|,)\s*\d{3,4})?|(?<!\d)\d{1,2}\s?[/-]\s?(?:19|20)\d\d)"
_YEAR = (
    r"(?:(?:năm|những năm|đầu năm|cuối năm|giữa năm|thập niên|thập kỷ)\s+\d{2,4}(?:\s?[-–]\s?\d{2,4})?"
    r"|(?<![\d.,/])(?:1\d|20)\d\d(?:\s?[-–]\s?(?:1\d|20)\d\d)?(?![\d/]|[.,]\d))"
)
_CENTURY = r"thế kỷ\s+(?:thứ\s+)?(?:[IVX]+|\d{1,2})(?![\w])(?:\s+(?:TCN|trước Công nguyên))?"
_PERIOD = (
    r"(?:(?:giai đoạn|nhiệm kỳ|từ năm|mùa|quý)\s+(?:\d{4}(?:\s?[-–]\s?\d{4})?|[IV]+(?:/\d{4})?)"
    r"|\d+\s+tháng\s+(?:đầu|cuối)\s+năm(?:\s+\d{4})?)"
)
_MEASURED: tuple[tuple[Type, re.Pattern[str]], ...] = (
    ("date", re.compile(rf"(?<![\w]){_PERIOD}|(?<!\w)(?:{_DAY}|{_MONTH}|{_CENTURY}|{_YEAR})", re.IGNORECASE)),
    ("percent", re.compile(rf"{_FIGURE}(?:\s*[-–]\s*{_FIGURE})?\s?(?:%|phần trăm)", re.IGNORECASE)),
    (
        "money",
        re.compile(rf"{_AMOUNT}\s?{_CURRENCY}(?!\w)(?:/[^\W\d]+)?|[$€£]\s?{_FIGURE}(?:\s{_SCALE})*", re.IGNORECASE),
    ),
    ("number", re.compile(rf"(?<![\w.,/]){_AMOUNT}(?![\w/]|[.,]\d)|(?<!\w){_WORDED}(?!\w)", re.IGNORECASE)),
)
_UPPER = "".join(char for char in map(chr, range(0x41, 0x1EFA)) if char.isupper())
_CAPITAL = rf"[{_UPPER}][^\W_]*(?:[-.'’][^\W_]+)*"
_NAME = re.compile(rf"(?<!\w){_CAPITAL}(?:\s(?:{_CAPITAL}|(?:de|von|van|di|of|the|và)\s(?={_CAPITAL})))*")


def _heads(*names: str) -> frozenset[str]:
    return frozenset(name for some in names for name in some.split("|"))


_TITLES = _heads(
    "ông|bà|anh|chị|đồng chí|giám đốc|chủ tịch|bí thư|bộ trưởng|thủ tướng|tổng thống|vua|nữ hoàng|giáo sư|tiến sĩ|bác sĩ",
    "hoàng đế|tướng|nhà văn|nhà thơ|nhạc sĩ|cụ|cô|em|thầy|hoàng tử|công chúa|trưởng ban|kỹ sư|luật sư",
)
_BODIES = _heads(
    "công ty|tổ chức|cơ quan|bộ|htx|tác xã|doanh nghiệp|trường|đại học|đội|đảng|ngân hàng|hãng|tập đoàn|hội|viện|ủy ban",
    "liên minh|quỹ|sở|đài|tạp chí|báo|nhà máy|câu lạc|liên hiệp|hội đồng|tòa án|quân đội|ban",
)
_LOCATED = _heads(
    "tại|ở|thuộc|từ|đến|tới|vào|về|tỉnh|thành phố|huyện|xã|thị xã|quận|phường|bản|thôn|làng|nước|bang",
    "đảo|sông|hồ|núi|vùng|quốc gia",
)


class TypedSpan(NamedTuple):
    """`text[start:end]` is a span of a type."""

    start: int
    end: int
    type: Type


def typed_spans(text: str) -> list[TypedSpan]:
    """Return the typed spans of NFC `text`; they may overlap, and have several types. A figure in a date,
    an amount of money or a percentage is no number by itself."""
    found = [TypedSpan(one.start, one.end, "document") for one in document_numbers(text)]
    for type_, pattern in _MEASURED:
        found += [TypedSpan(match.start(), match.end(), type_) for match in pattern.finditer(text)]
    wholes = [one for one in found if one.type in ("date", "money", "percent")]
    found = [one for one in found if one.type != "number" or not any(w.start <= one.start and one.end <= w.end for w in wholes)]
    for match in _NAME.finditer(text):
        found.append(TypedSpan(match.start(), match.end(), "name"))
        bearer = _bearer(text[max(0, match.start() - 40) : match.start()])
        if bearer:
            found.append(TypedSpan(match.start(), match.end(), bearer))
    found += [TypedSpan(one.start, one.end, "place") for one in find_provinces(text)]
    return found


def _bearer(before: str) -> Type | None:
    """Return whose name follows, by the words before it: a person's, an organisation's, a place's, or None."""
    words = before.lower().split()
    if not before[-1:].isspace() or not words:
        return None
    last = {words[-1], " ".join(words[-2:])}
    if last & _TITLES:
        return "person"
    if not _BODIES.isdisjoint((*words[-5:], *map(" ".join, pairwise(words[-5:])))):
        return "organisation"
    return "place" if last & _LOCATED else None
