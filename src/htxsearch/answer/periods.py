"""Days, months, years and periods that a text names, as the days they span: "tháng 9/2019", "cuối năm 2016"."""

import calendar
import re
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from htxsearch.text.normalize import fold

__all__ = ["Period", "named_periods"]

_YEAR = r"(?P<year>(?:19|20)\d\d)"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<![\d/])(?P<day>\d{{1,2}})\s?[/.-]\s?(?P<month>\d{{1,2}})\s?[/.-]\s?{_YEAR}(?![\d/])",
        rf"(?P<day>\d{{1,2}})\s+thang\s+(?P<month>\d{{1,2}})(?:\s+nam|,|\s?/)\s*{_YEAR}",
        rf"(?P<half>6|9)\s+thang\s+(?:dau\s+)?(?:cua\s+)?nam\s+{_YEAR}",
        rf"(?P<first_half>nua\s+dau)\s+(?:nam\s+)?{_YEAR}",
        rf"(?:thang\s+)?(?<![\d/.,])(?P<month>\d{{1,2}})\s?[/-]\s?{_YEAR}(?![\d/])",
        rf"thang\s+(?P<month>\d{{1,2}})(?:\s+nam|,)\s+{_YEAR}",
        rf"(?<![\d/.,-]){_YEAR}\s?[-–]\s?(?P<until>(?:19|20)\d\d)(?![\d/])",
        rf"(?<![\d/.,-]){_YEAR}(?![\d/-]|[.,]\d|\s?(?:hop|htx|ha|ty|trieu|dong|nguoi|ho)\b)",
    )
)


class Period(NamedTuple):
    """`text[start:end]` names the days from `since` to `until`."""

    start: int
    end: int
    since: date
    until: date


@lru_cache(maxsize=64)  # a passage is asked for once for each of its sentences
def named_periods(text: str) -> tuple[Period, ...]:
    """Return the days, months, years and spans of years named in NFC `text`, in order, the longest reading of each."""
    found: list[Period] = []
    plain = fold(text)
    if len(plain) != len(text):  # a decomposed or foreign letter moved the places
        plain = text
    for pattern in _PATTERNS:
        for match in pattern.finditer(plain):
            days = _days(match)
            if days and not any(match.start() < one.end and one.start < match.end() for one in found):
                found.append(Period(match.start(), match.end(), *days))
    return tuple(sorted(found))


def _days(match: re.Match[str]) -> tuple[date, date] | None:
    parts = {name: int(value) for name, value in match.groupdict().items() if value and value.isdigit()}
    year, month = parts["year"], parts.get("month")
    try:
        if "half" in parts or "first_half" in match.groupdict():
            end = parts.get("half", 6)
            return date(year, 1, 1), date(year, end, calendar.monthrange(year, end)[1])
        if "day" in parts:
            return date(year, month or 0, parts["day"]), date(year, month or 0, parts["day"])
        if month:
            return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
        return date(year, 1, 1), date(parts.get("until", year), 12, 31)
    except (ValueError, calendar.IllegalMonthError):  # 31/2/2020 is no day, 13/2020 no month
        return None
