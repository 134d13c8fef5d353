"""Dates as Vietnamese pages and people write them. Day first: 07/8/2023 is 7 August."""

import calendar
import re
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any, Literal, NamedTuple

from htxsearch.text.document_numbers import document_numbers
from htxsearch.text.normalize import fold, is_marked
from htxsearch.text.sentences import Span

__all__ = ["DateMention", "Dateline", "Kind", "asked_dates", "date_range", "find_date", "mentions", "read_dateline"]

Kind = Literal["as-of", "planned", "event", "other"]
"""as-of: when a fact held (a period, or a day with "tính đến"); planned: a target or after publication;
event: a day or a few; other: a beginning ("từ năm 1981"), a birth, the year in a law's name."""

_Days = tuple[date, date] | None
_Read = list[tuple[int, int, _Days]]

_DAY = re.compile(r"(?<![\d/.,-])(\d{1,2})\s?[/.-]\s?(\d{1,2})\s?[/.-]\s?((?:19|20)\d\d)(?![\d/])")
_SPELLED = re.compile(r"(\d{1,2})\s+tháng\s+(\d{1,2})(?:\s+năm|,)\s+((?:19|20)\d\d)", re.IGNORECASE)
_ISO = re.compile(r"(?<![\d-])((?:19|20)\d\d)-(\d{2})-(\d{2})(?![\d-])")
_MONTH = re.compile(r"(\d{1,2})[/-](\d{4})|(\d{4})-(\d{1,2})")
_YEAR = re.compile(r"(?:19|20)\d\d")

_WEEKDAYS = {"hai": 0, "2": 0, "ba": 1, "3": 1, "tư": 2, "4": 2, "năm": 3, "5": 3, "sáu": 4, "6": 4, "bảy": 5, "bẩy": 5, "7": 5}
_WEEKDAYS |= {"chủ nhật": 6, "chúa nhật": 6, "cn": 6}
_WEEKDAY = re.compile(r"\b(?:thứ\s+(?:hai|ba|tư|năm|sáu|bảy|bẩy|[2-7])|(?:chủ|chúa)\s+nhật|CN)\b", re.IGNORECASE)
_CLOCK_WORDS = re.compile(r"hôm\s+nay|bây\s+giờ|(?:ngày|lúc)\s+(?:truy\s+cập|tải|lưu)", re.IGNORECASE)
_PUBLISHED_WORDS = re.compile(r"đăng|cập\s+nhật|xuất\s+bản|phát\s+hành|posted|published", re.IGNORECASE)
_LONGEST_STAMP = 200  # characters

# What a line may hold besides the date and still be a stamp.
_STAMP_WORDS = re.compile(
    r"\b(?:thứ\s+(?:hai|ba|tư|năm|sáu|bảy|bẩy|[2-7])|(?:chủ|chúa)\s+nhật)\b|hôm\s+nay(?:\s+là)?|bây\s+giờ(?:\s+là)?"
    r"|(?:ngày|lúc)\s+(?:truy\s+cập|tải|lưu)|\b(?:ngày|tháng|năm|lúc|giờ|gmt|am|pm|sa|ch)\b"
    r"|(?:ngày\s+)?(?:đăng|cập\s+nhật|xuất\s+bản|phát\s+hành|đăng\s+tải)(?:\s+(?:lúc|ngày|lần\s+cuối))?"
    r"|người\s+(?:đăng|viết).*|tác\s+giả.*|lượt\s+xem.*|posted|date|published|updated",
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


class Dateline(NamedTuple):
    """The date of a stamp line. `weekday` tells whether a weekday stands there; `fits` whether it is the date's.

    `says` is what the line calls its date: "published" ("Ngày đăng: …"), "crawled" ("Hôm nay: …") or None.
    """

    day: date
    weekday: bool
    fits: bool
    says: Literal["published", "crawled"] | None


def read_dateline(line: str) -> Dateline | None:
    """Return what a line that is nothing but a stamp says, else None.

    "Thứ Ba, 12/10/2021 | 09:15" and "Đăng lúc: 12/10/2021 09:15 - Người đăng: …" are stamps;
    "Ngày 12/10/2021, huyện khai mạc …" is a sentence. A weekday that fits the date only with day and month
    swapped swaps them.
    """
    day = find_date(line) if len(line) <= _LONGEST_STAMP else None
    if day is None:
        return None
    rest = _STAMP_WORDS.sub(" ", _ISO.sub(" ", _SPELLED.sub(" ", _DAY.sub(" ", line))))
    if re.search(r"[^\W\d_]{3,}", rest):
        return None
    says: Literal["published", "crawled"] | None = (
        "crawled" if _CLOCK_WORDS.search(line) else "published" if _PUBLISHED_WORDS.search(line) else None
    )
    named = _WEEKDAY.search(line)
    if named is None:
        return Dateline(day, False, True, says)
    weekday = _WEEKDAYS[" ".join(named[0].lower().split()).removeprefix("thứ ")]
    swapped = _calendar_date(day.year, day.day, day.month)
    if day.weekday() != weekday and swapped and swapped.weekday() == weekday:
        day = swapped
    return Dateline(day, True, day.weekday() == weekday, says)


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


class DateMention(NamedTuple):
    """A date or period: `text[start:end]` as written, its first and last day, and what it is to the text.

    The days are None where the text leaves the year open and no day of publication settles it. The span holds
    the words that belong to the date ("ngày", "cuối năm", "giai đoạn"), not those that lead to it ("tính đến").
    """

    start: int
    end: int
    first: date | None
    last: date | None
    kind: Kind


def mentions(text: str, *, published: date | None = None) -> list[DateMention]:
    """Return every date and period of `text` (NFC), in order, never overlapping.

    What leaves the year open ("hôm qua", "năm nay", "ngày 8/3") is counted from `published`; a day or month
    without a year is the last one up to three months after it. "đầu", "giữa" and "cuối" are the thirds of a year,
    quarter or month. Dates that no calendar has, document numbers and dates by the moon are passed over. Takes linear time.
    """
    if published and not 2 <= published.year <= 9997:
        published = None  # the years around it must have numbers, too
    low = _lowered(text)
    numbers = document_numbers(text)
    found: list[DateMention] = []
    at = 0
    for match in _mention().finditer(low):
        while at < len(numbers) and numbers[at].end <= match.start():
            at += 1
        in_number = at < len(numbers) and numbers[at].start < match.end()
        name = match.lastgroup
        if in_number or name is None or _is_none(low, match, name):
            continue
        again = _shape(name).match(low, match.start())
        assert again is not None
        for start, end, days in _READ[name](again, published):
            kind = _kind(low, Span(start, end), days, published, of_days=name in _OF_DAYS)
            first, last = days or (None, None)
            found.append(DateMention(start, end, first, last, kind))
    return found


def asked_dates(question: str) -> list[DateMention]:
    """Return the dates and periods that `question` (NFC) names, each with its days; their spans mean nothing.

    As `mentions` reads them, but marks may be missing (thang 9/2019), a year may stand alone (số HTX Thái Nguyên 2019), and
    the year in the name of a law is none. What leaves its year open or is counted from today (năm nay) is passed over.
    """
    text = question
    if not is_marked(text):
        text = _UNMARKED.sub(lambda found: _MARKED[" ".join(found[0].lower().split())], text)
    text = _LONE_YEAR.sub(r"năm \1", _LAW_YEAR.sub(r"\1", text))
    return [one for one in mentions(text) if one.first]


def _is_none(low: str, match: re.Match[str], name: str) -> bool:
    """Tell whether the words before make it no date: "Nghị định 12/2015", "hai năm sau"."""
    start = match.start()
    counted = name in ("year", "relative", "relative_month") and not low[match.end() - 1].isdigit()
    return bool(
        _NO_DATE_BEFORE.search(low, max(0, start - 14), start) or (counted and _COUNTED.search(low, max(0, start - 8), start))
    )


def _lowered(text: str) -> str:
    low = text.lower()
    return low if len(low) == len(text) else "".join(one.lower() if len(one.lower()) == 1 else one for one in text)


def _kind(low: str, span: Span, days: _Days, published: date | None, *, of_days: bool) -> Kind:
    """Return the kind by the words around a mention: those of its sentence, at most 100 characters away."""
    start, end = span
    before = _SENTENCE_END.split(low[max(0, start - 100) : start])[-1]
    after = _SENTENCE_END.split(low[end : end + 40])[0]
    own = low[start:end]
    if _COMPARED.search(before):
        return "as-of"
    if _NAMED.search(before):
        return "other"
    if own.endswith((" tới", " mai")) or _AIM.search(before) or _AIM_BEHIND.match(after):
        return "planned"
    if days and published and (days[0] > published or (days[1] > published and _OPEN_END.search(before[-12:] + own))):
        return "planned"
    if (_WILL.search(before) or _WILL_BEHIND.match(after)) and not (days and published and days[1] < published):
        return "planned"
    if _UP_TO.search(before):
        return "as-of"
    if _SINCE.search(before):
        return "other"
    return "event" if of_days else "as-of"


class _Later:
    """A pattern that is compiled when it is first used: a query, which reads no text's dates, need not wait for it."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(self._pattern), name)
        setattr(self, name, found)
        return found


_UNITS = r"(?:ha|đồng|tấn|hộ|người|htx|hợp|tỷ|tỉ|triệu|con|m|kg|cây|thành viên|xã|lít)\b"
_TERMS = (
    *"ngày tháng năm quý nửa đầu giữa cuối của đến tới hết từ luật".split(),
    *("những năm", "nhiệm kỳ", "giai đoạn", "thập niên", "thập kỷ", "niên vụ", "niên khóa", "nghị định", "thông tư"),
    *("quyết định", "nghị quyết", "chỉ thị", "pháp lệnh", "hiến pháp"),
)
_MARKED = {fold(one): one for one in _TERMS}
"""What stands with dates, and the names of documents, by how they are typed without marks."""
_UNMARKED = _Later(rf"(?i)\b(?:{'|'.join(sorted((one.replace(' ', ' +') for one in _MARKED), key=len, reverse=True))})\b")
_LAW_YEAR = _Later(r"(?i)\b((?:luật|pháp lệnh|hiến pháp)(?:(?! nào| gì)[^\d,.]){0,40}?)(?:năm )?(?:19|20)\d\d\b(?! ?[-–])")
_LONE_YEAR = _Later(
    r"(?i)(?<![\d/.,–-])(?<![–-] )(?<!năm )(?<!đầu )(?<!cuối )(?<!\d, )((?:19|20)\d\d)"
    rf"(?![\d/–-]|[.,]\d|%| ?[-–]| ?(?:{_UNITS}|(?:nghìn|nghin|nguoi|ho|tan|ty|trieu|dong)\b))"
)
_SENTENCE_END = _Later(r"[.;!?…](?=\s)|\n")
_COMPARED = _Later(r"(?:so (?:với|cùng kỳ)(?: cuối| cùng kỳ)?|cùng kỳ(?: của)?|hơn|kém|vượt|của)\s$")
_NAMED = _Later(
    r"(?:(?<!kỷ )(?<!kỉ )(?<!pháp )(?:\bluật|nghị định|thông tư|hiến pháp|pháp lệnh)[^\d,.]{0,40}|\bsinh(?: vào)?|\bsn)\s$"
)
_AIMS = (
    r"phấn đấu|dự kiến|mục tiêu|đề ra|định hướng|tầm nhìn|chỉ tiêu đến|chỉ tiêu (?=năm)|lộ trình|chậm nhất|muộn nhất"
    r"|kế hoạch đến|hướng tới|hướng đến|đặt ra đến|phương hướng|nhiệm vụ trọng tâm|nhiệm vụ $|sắp tới|nhằm đến"
)
_AIM = _Later(rf"(?:{_AIMS})|(?<!với )(?<!vượt )(?<!đạt )(?<!% )kế hoạch (?:của )?$|ước đến\s$")
_AIM_BEHIND = _Later(
    r"[^\d]{0,25}?(?:phấn đấu|dự kiến|sắp tới|đặt mục tiêu|có mục tiêu|đề ra mục tiêu|mục tiêu (?:là|đạt))|\s(?:tới\b|tới đây)"
)
_WILL = _Later(r"\b(?:sẽ|cần(?! thơ| giờ| đước)|phải)\b[^\d,]{0,40}$")
_WILL_BEHIND = _Later(r"(?!.{0,25}(?:cho biết|nói|cho hay|khẳng định))[^\d]{0,25}?\b(?:sẽ|cần|phải)\b")
_OPEN_END = _Later(r"giai đoạn|nhiệm k[ỳì]|đến|hết|cuối|tới|trước")
_UP_TO = _Later(r"\b(?:đến|tới|hết|tính|thời điểm)(?: ngày| hết| thời điểm| cuối| nay)*\s$")
_SINCE = _Later(r"\b(?:từ|kể từ|sau|trước)(?: khoảng| cuối| đầu)?\s$")
_OF_DAYS = {
    "days",
    "open_days",
    "spelled",
    "spelled_open",
    "day",
    "iso",
    "open_day",
    "open_day_led",
    "open_day_year",
    "relative",
}
_COUNTED = _Later(
    r"(?:\d|(?<!\w)(?:một|hai|ba|bốn|năm|sáu|bảy|tám|chín|mười|mấy|vài|nhiều|chục|mươi|trăm|những|các|mấy ngày))[ ]$"
)
_NO_DATE_BEFORE = _Later(
    r"(?:(?<!\w)(?:số|nghị định|thông tư|quyết định|nghị quyết|chỉ thị|luật|tỷ lệ|tỉ lệ)|\d[.,/-]|\d[ ]?[x×])[ ]?$"
)


def _third(days: tuple[date, date], part: str | None) -> tuple[date, date]:
    """Return the first, middle or last third of a period; all of it without `part`."""
    if part not in ("đầu", "giữa", "cuối"):
        return days
    first, last = days
    at = ("đầu", "giữa", "cuối").index(part)
    if first.month == last.month and first.year == last.year:
        return first.replace(day=1 + 10 * at), last if at == 2 else first.replace(day=10 + 10 * at)
    months = ((last.year - first.year) * 12 + last.month - first.month + 1) // 3
    return _months(first.year, first.month + at * months, months)


def _months(year: int, month: int, count: int = 1) -> tuple[date, date]:
    """Return the first and last day of `count` months from a month on; month 13 is the next year's first."""
    first = year * 12 + month - 1
    last = first + count - 1
    end = calendar.monthrange(last // 12, last % 12 + 1)[1]
    return date(first // 12, first % 12 + 1, 1), date(last // 12, last % 12 + 1, end)


def _year_of(typed: str | None, published: date | None) -> int | None:
    """Return the year a year's number or "nay", "ngoái", "tới" stands for, None if that is open."""
    if typed and typed.isdigit():
        return int(typed)
    shift = {"nay": 0, "này": 0, "ngoái": -1, "tới": 1}.get(typed or "")
    return published.year + shift if published and shift is not None else None


def _nearest(month: int, day: int, published: date | None) -> date | None:
    """Return the last day of that name up to three months after publication: news tells of what was."""
    if published is None:
        return None
    years = range(max(1, published.year - 1), min(9999, published.year + 1) + 1)
    some = [one for one in (_calendar_date(year, month, day) for year in years) if one]
    return max((one for one in some if (one - published).days <= 92), default=None)


def _exists(month: int, day: int) -> bool:
    return _calendar_date(2000, month, day) is not None


def _whole(match: re.Match[str], days: _Days) -> _Read:
    return [(match.start(), match.end(), days)]


def _read_days(match: re.Match[str], published: date | None) -> _Read:
    """A range of days: 3-5/4/2022, 17/11-2/12, từ ngày 1/2/2020 đến ngày 3/4/2021."""
    day, month, year, last_day, last_month, last_year = match.groups()
    last = _day_of(last_day, last_month, last_year, published)
    if not _exists(int(last_month), int(last_day)) or not _exists(int(month or last_month), int(day)):
        return []
    if last is None:
        return _whole(match, None) if last_year is None else []
    first = _calendar_date(int(year or last.year), int(month or last.month), int(day))
    if first and first > last and year is None:
        first = _calendar_date(last.year - 1, first.month, first.day)
    return _whole(match, (first, last)) if first and first <= last and (last - first).days < 20_000 else []


def _day_of(day: str, month: str, year: str | None, published: date | None) -> date | None:
    known = _year_of(year, published)
    if known is not None:
        return _calendar_date(known, int(month), int(day))
    return _nearest(int(month), int(day), published) if year is None else None


def _read_day(match: re.Match[str], published: date | None) -> _Read:
    """A day: 7/8/2023, ngày 3 tháng 5 năm 2021, sáng 12/10, 30/4 năm nay."""
    day, month, year = match.groups()
    found = _day_of(day, month, year, published)
    if found is None and (not _exists(int(month), int(day)) or (year is not None and year.isdigit())):
        return []
    return _whole(match, (found, found) if found else None)


def _read_iso(match: re.Match[str], _: date | None) -> _Read:
    found = _calendar_date(*map(int, match.groups()))
    return _whole(match, (found, found)) if found else []


def _read_years(match: re.Match[str], _: date | None) -> _Read:
    """A range of years: giai đoạn 2021-2025, từ năm 2018 đến 2020."""
    first, last = int(match[1]), int(match[2])
    return _whole(match, (date(first, 1, 1), date(last, 12, 31))) if first < last <= first + 60 else []


def _read_year_list(match: re.Match[str], _: date | None) -> _Read:
    """Years one by one: 3 năm 2019, 2020, 2021 is one period, năm 2015 và 2019 are two."""
    some = [(one.start(), one.end(), int(one[0])) for one in _YEAR.finditer(match.string, match.start(), match.end())]
    years = [year for _, _, year in some]
    if years == list(range(years[0], years[-1] + 1)):
        return _whole(match, (date(years[0], 1, 1), date(years[-1], 12, 31)))
    starts = [match.start(), *(start for start, _, _ in some[1:])]
    return [(start, end, (date(year, 1, 1), date(year, 12, 31))) for start, (_, end, year) in zip(starts, some, strict=True)]


def _read_part(match: re.Match[str], published: date | None) -> _Read:
    """Months or quarters at an end of a year: 6 tháng đầu năm 2022, hai quý đầu năm nay, nửa cuối năm 2019."""
    count, unit, end, typed, alone = match.groups()
    months = 6 if unit is None else (_COUNTS.get(count) or int(count)) * (3 if unit == "quý" else 1)
    if not 1 <= months <= 11:
        return []
    year = _year_of(typed or alone or "nay", published)
    return _whole(match, None if year is None else _months(year, 1 if end == "đầu" else 13 - months, months))


def _read_quarter(match: re.Match[str], published: date | None) -> _Read:
    part, number, until, typed = match.groups()
    first, last = (_ROMAN.get(one or number) or int(one or number) for one in (number, until))
    year = _year_of(typed, published)
    if year is None and typed is None and published:
        nearest = _nearest(first * 3 - 1, 15, published)
        year = nearest.year if nearest else None
    return (
        []
        if last < first
        else _whole(match, None if year is None else _third(_months(year, first * 3 - 2, 3 * (last - first + 1)), part))
    )


def _read_month(match: re.Match[str], published: date | None) -> _Read:
    """A month or a range of them: cuối tháng 9/2019, tháng 7-2019, tháng 1 đến tháng 3 năm nay."""
    part, number, until, typed = match.groups()
    first, last = int(number), int(until or number)
    year = _year_of(typed, published)
    if year is None and typed is None and published:
        nearest = _nearest(last, 15, published)
        year = nearest.year if nearest else None
    if year is None:
        return _whole(match, None)
    start = year if first <= last else year - 1
    return _whole(match, _third(_months(start, first, (year - start) * 12 + last - first + 1), part))


def _read_month_years(match: re.Match[str], _: date | None) -> _Read:
    """Months of two years: tháng 1/2004 - 5/2010."""
    month, year, last_month, last_year = map(int, match.groups())
    first, last = _months(year, month)[0], _months(last_year, last_month)[1]
    return _whole(match, (first, last)) if first <= last else []


def _read_bare_month(match: re.Match[str], _: date | None) -> _Read:
    return _whole(match, _months(int(match[2]), int(match[1])))


def _read_year(match: re.Match[str], published: date | None) -> _Read:
    part, typed = match.groups()
    year = _year_of(typed, published)
    return _whole(match, None if year is None else _third((date(year, 1, 1), date(year, 12, 31)), part))


def _read_decade(match: re.Match[str], _: date | None) -> _Read:
    part, typed = match.groups()
    first = int(typed) + {"đầu": 0, "giữa": 3, "cuối": 7}.get(part, 0)
    last = int(typed) + {"đầu": 2, "giữa": 6}.get(part, 9)
    return _whole(match, (date(first, 1, 1), date(last, 12, 31)))


def _read_bare_year(match: re.Match[str], _: date | None) -> _Read:
    year = int(match[1])
    return [(match.start(1), match.end(1), (date(year, 1, 1), date(year, 12, 31)))]


def _read_relative(match: re.Match[str], published: date | None) -> _Read:
    """A day or month told from the day of publication: hôm qua, sáng nay, tháng trước."""
    if published is None:
        return _whole(match, None)
    words = match[0].split()
    if words[0] == "tháng":
        at = published.year * 12 + published.month - 1 + {"này": 0, "trước": -1, "tới": 1}[words[1]]
        return _whole(match, _months(at // 12, at % 12 + 1))
    if words[:3] == ["từ", "đầu", "năm"]:
        return _whole(match, (date(published.year, 1, 1), published))
    day = date.fromordinal(published.toordinal() + {"qua": -1, "kia": -2, "mai": 1}.get(words[-1], 0))
    return _whole(match, (day, day))


_COUNTS = {"ba": 3, "bốn": 4, "năm": 5, "sáu": 6, "bảy": 7, "tám": 8, "chín": 9, "mười": 10, "hai": 2}
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}

_D, _M, _Y = r"(0?[1-9]|[12]\d|3[01])", r"(0?[1-9]|1[0-2])", r"((?:19|20)\d\d)"
_Y_OR = r"((?:19|20)\d\d(?![\d/])|nay\b|ngoái\b|tới\b|trước\b|sau\b)"
_Y_ALONE = rf"{_Y}(?![\d/]|[.,-]\d|%)(?=[,.;:)?!]|\s(?!{_UNITS})|$)"
_TIME = r"(?:(?:rạng )?sáng|trưa|chiều|tối|đêm|hôm|mùng|mồng)"
_DAY_WORD = rf"(?:(?:{_TIME} )?(?:các )?ngày |{_TIME} )"
_TO = r"\s?(?:-|–|(?:đến|tới)(?: hết)?(?: ngày)?)\s?"
_STOP = r"(?![\d/]|[.,-]\d|%)"
_NO_SHARE = r"(?! (?:số|diện|tổng|hộ|dân|thành|đại|âm lịch|dân số|người|phiếu)\b| âm lịch|\s?\(?âm lịch)"
_SHAPES = {
    "days": rf"(?:{_DAY_WORD})?{_D}(?:[/.-]{_M}(?:[/.-]{_Y})?)?{_TO}{_D}[/.-]{_M}[/.-]{_Y}{_STOP}",
    "open_days": rf"(?:{_DAY_WORD}|(?<=từ )){_D}(?:/{_M}(?:/{_Y})?)?{_TO}{_D}/{_M}(?: năm {_Y_OR})?{_STOP}{_NO_SHARE}",
    "spelled": rf"(?:{_DAY_WORD})?{_D} tháng {_M}(?: năm |, ?| )\(?{_Y}{_STOP}",
    "spelled_open": rf"{_DAY_WORD}{_D} tháng {_M}(?: năm {_Y_OR})?(?!\d)",
    "day": rf"(?:{_DAY_WORD})?{_D}\s?[/.-]\s?{_M}\s?[/.-]\s?{_Y}{_STOP}",
    "iso": r"((?:19|20)\d\d)-(\d\d)-(\d\d)(?![\d-])",
    "open_day": rf"{_DAY_WORD}{_D}[/-]{_M}(?: năm {_Y_OR}|{_STOP}){_NO_SHARE}",
    "open_day_led": rf"(?:(?<=đến |tới |hết |vào )|(?<=từ )){_D}/{_M}(?: năm {_Y_OR}|{_STOP}){_NO_SHARE}",
    "open_day_year": rf"{_D}/{_M} năm {_Y_OR}",
    "years": rf"(?:(?:giai đoạn|nhiệm k[ỳì]|các năm|niên (?:khóa|vụ)|năm học|năm) )?(?:từ )?(?:năm )?{_Y}"
    rf"(?:\s?[-–]\s?| (?:đến|tới) (?:hết )?(?:năm )?){_Y}{_STOP}",
    "year_list": r"(?:(?:\d|hai|ba|bốn|năm|các) )?năm (?:19|20)\d\d(?:(?:, | và |, năm | và năm )(?:19|20)\d\d){1,9}"
    r"(?![\d/-]|[.,]\d)"
    r"(?! (?:ha|đồng|tấn|hộ|người|hợp|htx))",
    "part": rf"(?:(\d{{1,2}}|{'|'.join(_COUNTS)}) (tháng|quý)|nửa) (đầu|cuối)(?: của)? (?:năm(?: {_Y_OR})?|{_Y_ALONE})",
    "month_years": rf"(?:từ )?tháng {_M}[/-]{_Y}{_TO}(?:tháng )?{_M}[/-]{_Y}{_STOP}",
    "quarter": rf"(?:(đầu|giữa|cuối) )?quý (iv|i{{1,3}}|[1-4])(?![\w,.]\w)\b"
    rf"(?:\s?(?:-|–|và|đến) ?(?:quý )?(iv|i{{1,3}}|[1-4])\b)?"
    rf"(?:(?:\s?[/-]\s?| năm |, năm |-?\s){_Y_OR})?",
    "month": rf"(?:(đầu|giữa|cuối) )?(?<!\d )tháng {_M}(?!\d)"
    rf"(?:(?:\s?[-–]\s?| (?:đến|tới) (?:hết )?)(?:tháng )?{_M}(?=[/ ,.;)]|$)(?!\d))?"
    rf"(?:(?:\s?[/.-]\s?|\s?,\s?| năm |, năm ){_Y_OR})?(?! ngày\b|[.,/-]?\d|%| âm)",
    "bare_month": rf"{_M}\s?[/-]\s?{_Y}{_STOP}(?![/-]\w)",
    "decade": r"(?:(đầu|giữa|cuối) )?(?:những năm|thập niên|thập kỷ)(?: thập niên| thập kỷ)? ((?:19|20)\d0)(?!\d)",
    "year": rf"(?:(?:cả|trọn|(đầu|giữa|cuối)) )?năm {_Y_OR}(?![\d/]|[.,]\d)",
    "year_part": rf"(đầu|cuối) {_Y_ALONE}",
    "relative": r"(?:ngày )?hôm (?:qua|nay|kia)\b|ngày mai\b|(?:sáng|trưa|chiều|tối|đêm) (?:qua|nay|mai)\b",
    "relative_month": r"tháng (?:này|trước|tới)\b|từ đầu năm đến nay\b",
    "bare_year": rf"(?:(?<=đến |tới )|(?<=nhìn ))(?:năm )?{_Y}(?![\d/]|[.,]\d)"
    rf"(?=[,.;:)]|\s(?!{_UNITS})|$)",
}
_BEGINS = (
    r"(?<![\w/])(?=\d|(?:ngày|năm|niên|những|nửa|nhiệm|giai|giữa|sáng|sáu|rạng|trưa|tối|tháng|từ|trọn|thập|tám|chiều|cuối"
    r"|các|cả|chín|đêm|đầu|hôm|hai|mùng|mồng|mười|quý|ba|bốn|bảy) )"
)


@cache
def _mention() -> re.Pattern[str]:
    """Return the pattern of all shapes; compiled when first needed, for a query needs none of it."""
    return re.compile(_BEGINS + "(?:" + "|".join(f"(?P<{name}>{shape})" for name, shape in _SHAPES.items()) + ")")


@cache
def _shape(name: str) -> re.Pattern[str]:
    return re.compile(_SHAPES[name])


_READ: dict[str, Callable[[re.Match[str], date | None], _Read]] = {
    "days": _read_days,
    "open_days": _read_days,
    "spelled": _read_day,
    "spelled_open": _read_day,
    "day": _read_day,
    "iso": _read_iso,
    "open_day": _read_day,
    "open_day_led": _read_day,
    "open_day_year": _read_day,
    "years": _read_years,
    "year_list": _read_year_list,
    "part": _read_part,
    "month_years": _read_month_years,
    "quarter": _read_quarter,
    "month": _read_month,
    "bare_month": _read_bare_month,
    "decade": _read_decade,
    "year": _read_year,
    "year_part": _read_year,
    "relative": _read_relative,
    "relative_month": _read_relative,
    "bare_year": _read_bare_year,
}
