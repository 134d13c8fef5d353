"""Typed spans of a text: amounts, dates, names and document numbers.

They are found by their form. Figures are those of `text.figures`. Money and percentages are figures with their
sign. Dates are those of `text.date_mentions`. Names are runs of capitals. The word in front of a name makes it a person's,
an organisation's or a place's.
"""

import datetime
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

from htxsearch.text.date_mentions import date_mentions
from htxsearch.text.document_numbers import document_numbers
from htxsearch.text.figures import figures
from htxsearch.text.places import find_provinces

__all__ = ["Type", "TypedSpan", "typed_spans"]

Type = Literal["number", "money", "percent", "date", "name", "person", "organisation", "place", "document"]


_PERCENT_BEHIND = re.compile(r"\s?(?:%|phần trăm(?!\w))", re.IGNORECASE)
_CURRENCY_BEHIND = re.compile(
    r"\s?(?:đồng|VNĐ|VND|USD|đô la(?: Mỹ)?|euro|EUR|đô-la|bảng(?: Anh)?|yên|franc|rúp|dollar|won|nhân dân tệ|đ)(?!\w)"
    r"(?:/[^\W\d]+)?",
    re.IGNORECASE,
)
_COUNT = re.compile(r"(?:các|hai|ba|bốn|năm|\d) (?=năm \d{4}$)", re.IGNORECASE)
"""The number of years before the first of several: các năm 2011, 2013."""
_RANGE = re.compile(r"((?:từ )?(?:năm )?\d{4}) (?:đến|tới) (?:hết )?((?:năm )?\d{4})", re.IGNORECASE)
_SINCE = re.compile(r"(?<!\w)từ\s$", re.IGNORECASE)
_CURRENCY_BEFORE = re.compile(r"[$€£]\s?$")
_UPPER = "".join(char for char in map(chr, range(0x41, 0x1EFA)) if char.isupper())
_CAPITAL = rf"[{_UPPER}][^\W_]*(?:[-.'’][^\W_]+)*"
_NAME = re.compile(rf"(?<!\w){_CAPITAL}(?:\s(?:(?:de|von|van|di|of|the)\s)?{_CAPITAL})*")
_BEARER_REACH = 40
"""Characters before a name in which the word for its bearer is looked for."""
_BODY_WORDS = 5
"""Words before a name in which that of an organisation makes it its name: hợp tác xã nông nghiệp Tâm Anh."""


def _heads(*names: str) -> frozenset[str]:
    return frozenset(name for group in names for name in group.split("|"))


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


def typed_spans(text: str, published: datetime.date | None = None) -> list[TypedSpan]:
    """Return the typed spans of NFC `text`; they may overlap, and have several types.

    A figure in a date, an amount of money or a percentage is no number by itself. `published` is the day that relative
    dates are counted from.
    """
    spans = [TypedSpan(number.start, number.end, "document") for number in document_numbers(text)]
    dates = [TypedSpan(start, end, "date") for start, end in _dates(text, published)]
    spans += dates
    for figure in figures(text):
        in_date = any(date.start <= figure.number and figure.end <= date.end for date in dates)
        span = _amount(text, figure.number, figure.end)
        if span.type != "number" or not in_date:
            spans.append(span)
    spans += _names(text)
    spans += [TypedSpan(mention.start, mention.end, "place") for mention in find_provinces(text)]
    return spans


def _dates(text: str, published: datetime.date | None) -> Iterator[tuple[int, int]]:
    """Yield start and end of each date whose days are known or that has a number.

    The "từ" before a year belongs to the date. The ends of a range are dates of their own, too: từ năm nào, đến năm
    nào.
    """
    for mention in date_mentions(text, published=published, historical=True):
        written = text[mention.start : mention.end]
        if mention.first or any(char.isdigit() for char in written):
            count = _COUNT.match(written)
            start = mention.start + (count.end() if count else 0)
            since = _SINCE.search(text, max(0, start - 3), start) if written.startswith("năm") else None
            start = since.start() if since else start
            yield start, mention.end
            ends = _RANGE.fullmatch(text, start, mention.end)
            if ends:
                yield from (ends.span(1), ends.span(2))


def _amount(text: str, start: int, end: int) -> TypedSpan:
    """Return a figure with the sign or currency beside it."""
    percent = _PERCENT_BEHIND.match(text, end)
    if percent:
        return TypedSpan(start, percent.end(), "percent")
    currency = _CURRENCY_BEHIND.match(text, end)
    if currency:
        return TypedSpan(start, currency.end(), "money")
    sign = _CURRENCY_BEFORE.search(text, max(0, start - 2), start)
    return TypedSpan(sign.start(), end, "money") if sign else TypedSpan(start, end, "number")


def _names(text: str) -> Iterator[TypedSpan]:
    for match in _NAME.finditer(text):
        yield TypedSpan(match.start(), match.end(), "name")
        bearer = _bearer(text[max(0, match.start() - _BEARER_REACH) : match.start()])
        if bearer:
            yield TypedSpan(match.start(), match.end(), bearer)


def _bearer(before: str) -> Type | None:
    """Return the type of the name that follows the words `before`, or None.

    The name is a person's, an organisation's or a place's.
    """
    words = before.lower().split()
    if not before[-1:].isspace() or not words:
        return None
    last = {words[-1], " ".join(words[-2:])}
    if last & _TITLES:
        return "person"
    if not _BODIES.isdisjoint((*words[-_BODY_WORDS:], *map(" ".join, pairwise(words[-_BODY_WORDS:])))):
        return "organisation"
    return "place" if last & _LOCATED else None
