"""Dates as Vietnamese pages and people write them. Day first: 07/8/2023 is 7 August."""

import calendar
import re
from datetime import date

__all__ = ["date_range", "find_date", "stamp"]

_DAY = re.compile(r"(?<![\d/.,-])(\d{1,2})\s?[/.-]\s?(\d{1,2})\s?[/.-]\s?((?:19|20)\d\d)(?![\d/])")
_SPELLED = re.compile(r"(\d{1,2})\s+tháng\s+(\d{1,2})(?:\s+năm|,)\s+((?:19|20)\d\d)", re.IGNORECASE)
_ISO = re.compile(r"(?<![\d-])((?:19|20)\d\d)-(\d{2})-(\d{2})(?![\d-])")
_MONTH = re.compile(r"(\d{1,2})[/-](\d{4})|(\d{4})-(\d{1,2})")
_YEAR = re.compile(r"(?:19|20)\d\d")

# What a line may hold besides the date and still be a publication stamp.
_STAMP_WORDS = re.compile(
    r"thứ\s+(?:hai|ba|tư|năm|sáu|bảy|[2-7])|chủ\s+nhật|\b(?:ngày|tháng|năm|lúc|giờ|gmt|am|pm|sa|ch)\b"
    r"|(?:ngày\s+)?(?:đăng|cập\s+nhật|xuất\s+bản|phát\s+hành|đăng\s+tải)(?:\s+(?:lúc|ngày|lần\s+cuối))?"
    r"|người\s+(?:đăng|viết).*|tác\s+giả.*|lượt\s+xem.*|posted|date|published",
    re.IGNORECASE,
)


def find_date(text: str) -> date | None:
    """Return the first full date in `text`; a date that no calendar has is passed over."""
    found = []
    for pattern, order in ((_DAY, (3, 2, 1)), (_SPELLED, (3, 2, 1)), (_ISO, (1, 2, 3))):
        for match in pattern.finditer(text):
            day = _calendar_date(*(int(match.group(group)) for group in order))
            if day is not None:
                found.append((match.start(), day))
    return min(found)[1] if found else None


def stamp(line: str) -> date | None:
    """Return the date of a line that is nothing but a stamp, else None.

    "Thứ Ba, 12/10/2021 | 09:15" and "Đăng lúc: 12/10/2021 09:15 - Người đăng: …" are stamps;
    "Ngày 12/10/2021, huyện khai mạc …" is a sentence.
    """
    day = find_date(line)
    if day is None:
        return None
    rest = _STAMP_WORDS.sub(" ", _ISO.sub(" ", _SPELLED.sub(" ", _DAY.sub(" ", line))))
    return day if not re.search(r"[^\W\d_]{3,}", rest) else None


def date_range(typed: str) -> tuple[date, date] | None:
    """Return the first and last day meant by "2019", "9/2019", "2019-09", "7/8/2023" or "2023-08-07".

    None if it is none of them.
    """
    typed = typed.strip()
    if _YEAR.fullmatch(typed):
        return date(int(typed), 1, 1), date(int(typed), 12, 31)
    month = _MONTH.fullmatch(typed)
    if month:
        year = int(month.group(2) or month.group(3))
        number = int(month.group(1) or month.group(4))
        if 1 <= number <= 12 and 1 <= year <= 9999:
            return date(year, number, 1), date(year, number, calendar.monthrange(year, number)[1])
        return None
    if _DAY.fullmatch(typed) or _ISO.fullmatch(typed):
        day = find_date(typed)
        return (day, day) if day else None
    return None


def _calendar_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:  # 31/02/2020 is no date
        return None
