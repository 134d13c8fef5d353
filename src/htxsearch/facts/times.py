"""The time that a figure is of, and how it is written.

The forms are 2019, 2019-09, 2022-H1, 2013/2018, and --07-12 without a year.
"""

import calendar
import re
from datetime import date

from htxsearch.text.date_mentions import DateMention
from htxsearch.text.sentences import Span

__all__ = ["NOW", "as_of_text", "is_usable", "opens_frame", "own_frame", "period_text"]

_COMPARED = re.compile(
    r"(?:so với(?: cùng kỳ| cuối| đầu| thời điểm)?|cùng kỳ|so cùng kỳ|hơn|của luật|luật [^,.;]{0,30})\s*(?:năm )?$",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"(?:luật|nghị định|thông tư|nghị quyết|quyết định|kế hoạch|chỉ thị|đề án|chương trình|kết luận|hiến pháp)[^,.;:]{0,60}$",
    re.IGNORECASE,
)
_OPEN_DAY = re.compile(r"(?<!\d)(\d{1,2})[/.-](\d{1,2})(?![\d/])|(?:tháng )(\d{1,2})(?!\d)", re.IGNORECASE)
NOW = re.compile(
    r"(?<!\w)(?:(?:tính |cho )?(?:đến|tới) nay|hiện (?:nay|có|tại|đang|đã))(?!\w)",
    re.IGNORECASE,
)
"""Words that say now: the day of the article, or the end of the period that it reports on."""
_OPENING = 60
"""Characters within which a sentence that is opened by a date has it."""
_OWN_FRAME = re.compile(
    r"\W{0,3}(?:hiện|hiện nay|hiện tại|đến nay|tính đến nay|cho đến nay|tới nay|thời gian qua|những năm qua"
    r"|trong những năm|gần đây|mới đây|trước đây|song|tuy nhiên)(?!\w)",
    re.IGNORECASE,
)
"""Times without a date that open a sentence; what follows is not of the date before."""


def period_text(first: date, last: date) -> str:
    """Return a period as text.

    It is a day, month, quarter, half-year, year, or a range of years or months.
    """
    if first == last:
        return first.isoformat()
    whole_months = first.day == 1 and last.day == calendar.monthrange(last.year, last.month)[1]
    if whole_months:
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        if first.month == 1 and months % 12 == 0:
            return str(first.year) if months == 12 else f"{first.year}/{last.year}"
        if months == 1:
            return f"{first.year}-{first.month:02}"
        if months == 6 and first.month in (1, 7):
            return f"{first.year}-H{1 if first.month == 1 else 2}"
        if months == 3 and first.month in (1, 4, 7, 10):
            return f"{first.year}-Q{(first.month + 2) // 3}"
        return f"{first.year}-{first.month:02}/{last.year}-{last.month:02}"
    return f"{first.isoformat()}/{last.isoformat()}"


def as_of_text(text: str, mention: DateMention) -> str | None:
    """Return the period of a date as written in NFC `text`.

    A day without its year is --07-12.
    """
    if mention.first and mention.last:
        written = text[mention.start : mention.end].lower()
        first, last = mention.first, mention.last
        if re.match(r"(?:đầu|giữa|cuối) (?:năm|tháng)", written):
            if "năm" in written.split()[:2] and "/" not in written:
                return str(first.year)
            return f"{first.year}-{first.month:02}"
        return period_text(first, last)
    match = _OPEN_DAY.search(text, mention.start, mention.end)
    if match is None:
        return None
    return f"--{int(match[3]):02}" if match[3] else f"--{int(match[2]):02}-{int(match[1]):02}"


def own_frame(text: str, sentence: Span) -> bool:
    """Return True if a sentence begins with a time that is no date.

    For example: hiện nay, đến nay, thời gian qua.
    """
    return bool(_OWN_FRAME.match(text, sentence.start))


def opens_frame(mention: DateMention, sentence: Span) -> bool:
    """Return True if a sentence begins with a date.

    Such a date holds for the sentences behind it, too.
    """
    return sentence.start <= mention.start <= sentence.start + _OPENING


def is_usable(text: str, mention: DateMention, within: Span) -> bool:
    """Return True if a date can be a figure's.

    It is not compared with, and not the year in a law's name.
    """
    before = text[max(within.start, mention.start - 70) : mention.start]
    return not (_COMPARED.search(before) or _NAMED.search(before)) and mention.kind != "other"
