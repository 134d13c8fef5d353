"""The time that a figure is of, and how it is written.

The forms are 2019, 2019-09, 2022-H1, 2013/2018, and --07-12 without a year.
"""

import calendar
import re
from bisect import bisect_left
from collections.abc import Sequence
from datetime import date

from htxsearch.text.date_mentions import DateMention
from htxsearch.text.sentences import Span

__all__ = [
    "FOUNDED",
    "NOW",
    "as_of_text",
    "date_role",
    "opens_frame",
    "own_frame",
    "period_text",
    "since_begins",
    "with_relative_periods",
]

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
    r"(?<!\w)(?:(?:tính |cho )?(?:đến|tới) nay|hiện (?:nay|có|tại|đang|đã|đạt|còn|là|vẫn|trồng|nuôi|thu|bán)"
    r"|lúc này"
    r"|(?<=, )nay(?= \w))(?!\w)",
    re.IGNORECASE,
)
"""Words that say now: the day of the article, or the end of the period that it reports on."""
FOUNDED = re.compile(
    r"(?<!\w)(?:thành lập|lập|ra đời|khai trương|ký|khởi công|đăng ký|sáng lập|mở)"
    r"(?: (?:từ|vào|ngày|cuối|đầu|giữa|hồi|tháng))*\s$",
    re.IGNORECASE,
)
"""Words before the date of a beginning, which is not the time of what is so now."""
_SINCE = re.compile(r"(?<!\w)(?:từ|kể từ)(?: (?:đầu|giữa|cuối|khoảng|sau))?\s$", re.IGNORECASE)
_TILL_NOW = re.compile(r",? (?:đến|tới|cho đến|tính đến) nay(?!\w)| trở lại đây", re.IGNORECASE)
_UNCHANGED = re.compile(r"(?<!\w)(?:giữ nguyên|không đổi|duy trì|áp dụng)(?!\w)[^.;]{0,40}$", re.IGNORECASE)
_RELATIVE = re.compile(
    r"(?<!\w)(?:(?P<year>(?:[Tt]rong|[Cc]ả) năm"
    r"(?= (?:có|đã|tỉnh|huyện|HTX|toàn|các|tổng|số|qua|quỹ|đạt|thành lập|,))|[Tt]rong năm(?=,))"
    r"|(?:[Tt]rong |[Ss]au |[Qq]ua )?"
    r"(?P<months>\d{1,2}|[Hh]ai|[Bb]a|[Bb]ốn|[Nn]ăm|[Ss]áu|[Bb]ảy|[Tt]ám|[Cc]hín|[Mm]ười) tháng(?: vừa)?"
    r"(?= qua(?!\w)|,| (?:ước|đạt|được|có|mới|đã|chỉ|thực hiện|toàn|HTX|tỉnh))"
    r"|(?P<half>(?<!hơn )(?<!một )[Nn]ửa năm(?: qua)?(?=,| (?:có|đã|đạt|quỹ|toàn|HTX|tỉnh))))(?!\w)"
)
"""Periods that count from the year of which the text speaks: trong năm, bảy tháng qua, nửa năm."""
_MONTHS = {"hai": 2, "ba": 3, "bốn": 4, "năm": 5, "sáu": 6, "bảy": 7, "tám": 8, "chín": 9, "mười": 10}
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


def with_relative_periods(
    text: str, dates: Sequence[DateMention], published: date | None, title: DateMention | None
) -> list[DateMention]:
    """Return the dates of NFC `text` with the periods counted from its year.

    That year is of the title's period, else of the day of publication, else of the date before: trong năm, bảy tháng qua.
    """
    starts = [mention.start for mention in dates]
    found = list(dates)
    for match in _RELATIVE.finditer(text):
        at = bisect_left(starts, match.start())
        if (at < len(dates) and dates[at].start < match.end()) or (at and dates[at - 1].end > match.start()):
            continue
        last = (title.last if title else None) or published
        last = last or next((one.last for one in reversed(dates[max(0, at - _LOOKED_AT) : at]) if one.last), None)
        if last is None:
            continue
        months = 12 if match["year"] else 6 if match["half"] else _MONTHS.get(match["months"].lower()) or int(match["months"])
        if (months == 12 and not match["year"]) or not 1 <= months <= 12:
            continue
        end = date(last.year, months, calendar.monthrange(last.year, months)[1])
        if published and published < end and months < 12:
            continue
        found.append(DateMention(match.start(), match.end(), date(last.year, 1, 1), end, "as-of"))
    return sorted(found)


_LOOKED_AT = 12
"""Dates before a relative period that are looked at."""


def since_begins(text: str, mention: DateMention) -> bool:
    """Return True if a date begins a time that lasts until now.

    For example: từ năm 2015 đến nay, không đổi từ năm 2013.
    """
    since = _SINCE.search(text, max(0, mention.start - 16), mention.start)
    if mention.first is None or since is None:
        return False
    unchanged = _UNCHANGED.search(text, max(0, since.start() - 60), since.start())
    return bool(_TILL_NOW.match(text, mention.end) or unchanged)


def as_of_text(text: str, mention: DateMention) -> str | None:
    """Return the period of a date as written in NFC `text`.

    A day without its year is --07-12, a time that lasts until now 2012/..
    """
    if mention.first and mention.last:
        if since_begins(text, mention):
            return f"{period_text(mention.first, mention.last).partition('/')[0]}/.."
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


def date_role(text: str, mention: DateMention, since: int) -> str:
    """Return what keeps a date from being a figure's, as a rule, else "".

    It is compared with, or the year of a document, or of something else (a birth, the beginning of what lasts). The text
    from `since` on is looked at.
    """
    if mention.kind == "other" and since_begins(text, mention):
        return ""
    before = text[max(since, mention.start - 70) : mention.start]
    if _COMPARED.search(before):
        return "compared date"
    return "of document" if _NAMED.search(before) else "other date" if mention.kind == "other" else ""
