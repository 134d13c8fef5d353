"""Days of the calendar and the datelines of pages, as Vietnamese writes them.

The day comes first: 07/8/2023 is 7 August. `date_mentions` finds the dates and periods of running text,
`query_dates` reads those of a query.
"""

import re
from datetime import date
from typing import Literal, NamedTuple

__all__ = ["Dateline", "calendar_date", "find_date", "read_dateline"]

_DAY = re.compile(r"(?<![\d/.,-])(\d{1,2})\s?[/.-]\s?(\d{1,2})\s?[/.-]\s?((?:19|20)\d\d)(?![\d/])")
_SPELLED = re.compile(r"(\d{1,2})\s+tháng\s+(\d{1,2})(?:\s+năm|,)\s+((?:19|20)\d\d)", re.IGNORECASE)
_ISO = re.compile(r"(?<![\d-])((?:19|20)\d\d)-(\d{2})-(\d{2})(?![\d-])")

_WEEKDAYS = {"hai": 0, "2": 0, "ba": 1, "3": 1, "tư": 2, "4": 2, "năm": 3, "5": 3, "sáu": 4, "6": 4, "bảy": 5, "bẩy": 5, "7": 5}
_WEEKDAYS |= {"chủ nhật": 6, "chúa nhật": 6, "cn": 6}
_WEEKDAY = re.compile(r"\b(?:thứ\s+(?:hai|ba|tư|năm|sáu|bảy|bẩy|[2-7])|(?:chủ|chúa)\s+nhật|CN)\b", re.IGNORECASE)
_CRAWLED_WORDS = re.compile(r"hôm\s+nay|bây\s+giờ|(?:ngày|lúc)\s+(?:truy\s+cập|tải|lưu)", re.IGNORECASE)
_PUBLISHED_WORDS = re.compile(r"đăng|cập\s+nhật|xuất\s+bản|phát\s+hành|posted|published", re.IGNORECASE)
_LONGEST_DATELINE = 200
"""Characters."""

_DATELINE_WORDS = re.compile(
    r"\b(?:thứ\s+(?:hai|ba|tư|năm|sáu|bảy|bẩy|[2-7])|(?:chủ|chúa)\s+nhật)\b|hôm\s+nay(?:\s+là)?|bây\s+giờ(?:\s+là)?"
    r"|(?:ngày|lúc)\s+(?:truy\s+cập|tải|lưu)|\b(?:ngày|tháng|năm|lúc|giờ|gmt|am|pm|sa|ch)\b"
    r"|(?:ngày\s+)?(?:đăng|cập\s+nhật|xuất\s+bản|phát\s+hành|đăng\s+tải)(?:\s+(?:lúc|ngày|lần\s+cuối))?"
    r"|người\s+(?:đăng|viết).*|tác\s+giả.*|lượt\s+xem.*|posted|date|published|updated",
    re.IGNORECASE,
)
"""The words a dateline may hold besides its date."""
_OTHER_WORD = re.compile(r"[^\W\d_]{3,}")


def find_date(text: str) -> date | None:
    """Return the first full date in `text` that the calendar has."""
    days = []
    for pattern, order in ((_DAY, (3, 2, 1)), (_SPELLED, (3, 2, 1)), (_ISO, (1, 2, 3))):
        for match in pattern.finditer(text):
            day = calendar_date(*(int(match.group(group)) for group in order))
            if day is not None:
                days.append((match.start(), day))
    return min(days)[1] if days else None


def calendar_date(year: int, month: int, day: int) -> date | None:
    """Return a day, None if the calendar has no such day (31/02/2020)."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


class Dateline(NamedTuple):
    """The date of a dateline, and the checks of its weekday.

    They are whether it names a weekday, and whether that is the date's. `label` is the line's name for its date:
    "published" ("Ngày đăng: …"), "crawled" ("Hôm nay: …") or None.
    """

    day: date
    has_weekday: bool
    weekday_fits: bool
    label: Literal["published", "crawled"] | None


def read_dateline(line: str) -> Dateline | None:
    """Return the dateline that a whole line is, None if it is none.

    "Thứ Ba, 12/10/2021 | 09:15" and "Đăng lúc: 12/10/2021 09:15 - Người đăng: …" are datelines;
    "Ngày 12/10/2021, huyện khai mạc …" is a sentence. A weekday that fits the date only with day and month
    swapped swaps them.
    """
    day = find_date(line) if len(line) <= _LONGEST_DATELINE else None
    if day is None:
        return None
    rest = _DATELINE_WORDS.sub(" ", _ISO.sub(" ", _SPELLED.sub(" ", _DAY.sub(" ", line))))
    if _OTHER_WORD.search(rest):
        return None
    label: Literal["published", "crawled"] | None = (
        "crawled" if _CRAWLED_WORDS.search(line) else "published" if _PUBLISHED_WORDS.search(line) else None
    )
    named = _WEEKDAY.search(line)
    if named is None:
        return Dateline(day, False, True, label)
    weekday = _WEEKDAYS[" ".join(named[0].lower().split()).removeprefix("thứ ")]
    swapped = calendar_date(day.year, day.day, day.month)
    if day.weekday() != weekday and swapped and swapped.weekday() == weekday:
        day = swapped
    return Dateline(day, True, day.weekday() == weekday, label)
