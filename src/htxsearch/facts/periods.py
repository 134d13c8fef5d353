"""The period that an as-of text means: 2019-09 is 1 to 30 September 2019.

Short, for the form of an as-of text is all that it knows.
"""

import calendar
import re
from datetime import date

from htxsearch.text.dates import calendar_date

__all__ = ["as_of_period", "as_of_words"]

_PART = re.compile(r"(\d{4})(?:-(?:(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?|H([12])|Q([1-4])))?")


def as_of_period(as_of: str | None) -> tuple[date, date] | None:
    """Return the first and last day of an as-of text, None if it names no year."""
    first, _, last = (as_of or "").partition("/")
    begins, ends = _part(first), _part(last or first)
    return (begins[0], ends[1]) if begins and ends else None


def as_of_words(as_of: str) -> str:
    """Return an as-of text as people write it.

    For example: 9/2019, 30/6/2023, quý 3/2022, 6 tháng đầu năm 2022, 2013-2018.
    """
    first, _, last = as_of.partition("/")
    if last and (match := re.fullmatch(r"(\d{4})-01/\1-(\d{2})", as_of)):
        return f"{int(match[2])} tháng đầu năm {match[1]}"
    return f"{_words(first)}-{_words(last)}" if last else _words(first)


def _words(part: str) -> str:
    match = _PART.fullmatch(part)
    if match is None:
        return part
    year, month, day, half, quarter = match.groups()
    if half:
        return f"6 tháng {'đầu' if half == '1' else 'cuối'} năm {year}"
    if quarter:
        return f"quý {quarter}/{year}"
    return "/".join(str(int(number)) for number in (day, month, year) if number)


def _part(written: str) -> tuple[date, date] | None:
    match = _PART.fullmatch(written)
    if match is None or not date.min.year <= int(match[1]) <= date.max.year:
        return None
    year, month, day, half, quarter = (int(group) if group else None for group in match.groups())
    assert year is not None
    if day and month:
        exact = calendar_date(year, month, day)
        return (exact, exact) if exact else None
    size = 1 if month else 6 if half else 3 if quarter else 12
    start = month or (half or quarter or 1) * size - size + 1
    end = start + size - 1
    return date(year, start, 1), date(year, end, calendar.monthrange(year, end)[1])
