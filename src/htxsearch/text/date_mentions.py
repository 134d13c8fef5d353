"""Dates and periods in running Vietnamese text.

Each has its span as written, its first and last day, and its role in the text.

Long, since the shapes of a date, the readers of their matches and the words around them are one grammar.
"""

import calendar
import re
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Literal, NamedTuple

from htxsearch.text.dates import calendar_date
from htxsearch.text.document_numbers import document_numbers
from htxsearch.text.sentences import Span

__all__ = ["COUNTED_UNITS", "DateMention", "Kind", "date_mentions"]

Kind = Literal["as-of", "planned", "event", "other"]
"""as-of: when a fact held (a period, or a day with "tính đến"); planned: a target or after publication;
event: a day or a few; other: a beginning ("từ năm 1981"), a birth, the year in a law's name."""

COUNTED_UNITS = r"(?:ha|đồng|tấn|hộ|người|htx|hợp|tỷ|tỉ|triệu|con|m|kg|cây|thành viên|xã|lít)\b"
"""A pattern of the units before which a number of four digits is no year: 2020 hộ."""

_LONGEST_PERIOD, _LONGEST_HISTORICAL = 100, 500
"""Years of the longest period that two years are read as; of those that begin before 1900."""

_Period = tuple[date, date] | None
_Readings = list[tuple[int, int, _Period]]
"""Start, end and period of each date that a match holds; none if no calendar has it."""


class DateMention(NamedTuple):
    """A date or period: `text[start:end]` as written, its days, and its kind.

    The days are the first and the last, the kind is its role in the text. The days are None where the text leaves the
    year open and no day of publication settles it. The span holds the words that belong to the date ("ngày", "cuối
    năm", "giai đoạn"), not those that lead to it ("tính đến").
    """

    start: int
    end: int
    first: date | None
    last: date | None
    kind: Kind


def date_mentions(text: str, *, published: date | None = None, historical: bool = False) -> list[DateMention]:
    """Return every date and period of `text` (NFC), in order, never overlapping.

    Dates that leave the year open ("hôm qua", "năm nay", "ngày 8/3") are counted from `published`; a day or month
    without a year is the last one up to three months after it. "đầu", "giữa" and "cuối" are the thirds of a year,
    quarter or month. Dates that no calendar has, document numbers and lunar dates are passed over. Takes linear time.

    With `historical`, years from 1000 on are read, "năm 938", centuries, and years that are alone ("(1685)", "mùa 2019").
    """
    if published and not 2 <= published.year <= 9997:
        published = None  # `date` must have the years around it, too
    lowered = _lowered(text)
    numbers = document_numbers(text)
    mentions: list[DateMention] = []
    passed = 0  # document numbers that end before the match
    shapes = _shapes(historical)
    for match in _any_shape(historical).finditer(lowered):
        while passed < len(numbers) and numbers[passed].end <= match.start():
            passed += 1
        in_number = passed < len(numbers) and numbers[passed].start < match.end()
        name = match.lastgroup
        if in_number or name is None or _is_other_number(lowered, match, name):
            continue
        shape = shapes[name]
        own_match = _compiled(shape.pattern).match(lowered, match.start())  # whose groups are the shape's own
        assert own_match is not None
        for start, end, period in shape.read(own_match, published):
            kind = _kind(lowered, Span(start, end), period, published, of_days=shape.of_days)
            first, last = period or (None, None)
            mentions.append(DateMention(start, end, first, last, kind))
    return mentions


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern, compiled when it is first used.

    Compiling all patterns takes 13 ms, and a query reads no text's dates.
    """
    return re.compile(pattern)


@cache
def _any_shape(historical: bool) -> re.Pattern[str]:
    """Return the pattern of all shapes, each a group of its name."""
    shapes = "|".join(f"(?P<{name}>{shape.pattern})" for name, shape in _shapes(historical).items())
    return re.compile((_BEGINS_HISTORICAL if historical else _BEGINS) + f"(?:{shapes})")


def _is_other_number(lowered: str, match: re.Match[str], name: str) -> bool:
    """Return True if the words before a match rule out a date.

    For example: "Nghị định 12/2015", "hai năm sau".
    """
    start = match.start()
    counted = name in ("year", "relative", "relative_month") and not lowered[match.end() - 1].isdigit()
    return bool(
        _compiled(_NO_DATE_BEFORE).search(lowered, max(0, start - 14), start)
        or (lowered[start].isdigit() and _compiled(_NO_NUMBER_BEFORE).search(lowered, max(0, start - 3), start))
        or (counted and _compiled(_COUNTED).search(lowered, max(0, start - 8), start))
    )


def _lowered(text: str) -> str:
    """Return `text` in lower case, each letter in its place."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


# The kind of a mention


def _kind(lowered: str, span: Span, period: _Period, published: date | None, *, of_days: bool) -> Kind:
    """Return the kind of a mention by the words around it.

    The words are those of its sentence, at most 100 characters away.
    """
    start, end = span
    before = _compiled(_SENTENCE_END).split(lowered[max(0, start - 100) : start])[-1]
    after = _compiled(_SENTENCE_END).split(lowered[end : end + 40])[0]
    own = lowered[start:end]

    def precedes(pattern: str) -> bool:
        return _compiled(pattern).search(before) is not None

    def follows(pattern: str) -> bool:
        return _compiled(pattern).match(after) is not None

    if precedes(_COMPARED):
        return "as-of"
    if precedes(_NAMED):
        return "other"
    if own.endswith((" tới", " mai")) or precedes(_AIM) or follows(_AIM_BEHIND):
        return "planned"
    if period and published and (period[0] > published or (period[1] > published and _ends_open(before[-12:] + own))):
        return "planned"
    if (precedes(_WILL) or follows(_WILL_BEHIND)) and not (period and published and period[1] < published):
        return "planned"
    if precedes(_UP_TO):
        return "as-of"
    if precedes(_SINCE):
        return "other"
    return "event" if of_days else "as-of"


def _ends_open(words: str) -> bool:
    return _compiled(_OPEN_END).search(words) is not None


_SENTENCE_END = r"[.;!?…](?=\s)|\n"
_COMPARED = r"(?:so (?:với|cùng kỳ)(?: cuối| cùng kỳ)?|cùng kỳ(?: của)?|hơn|kém|vượt|của)\s$"
_NAMED = r"(?:(?<!kỷ )(?<!kỉ )(?<!pháp )(?:\bluật|nghị định|thông tư|hiến pháp|pháp lệnh)[^\d,.]{0,40}|\bsinh(?: vào)?|\bsn)\s$"
_AIMS = (
    r"phấn đấu|dự kiến|mục tiêu|đề ra|định hướng|tầm nhìn|chỉ tiêu đến|chỉ tiêu (?=năm)|lộ trình|chậm nhất|muộn nhất"
    r"|kế hoạch đến|hướng tới|hướng đến|đặt ra đến|phương hướng|nhiệm vụ trọng tâm|nhiệm vụ $|sắp tới|nhằm đến"
)
_AIM = rf"(?:{_AIMS})|(?<!với )(?<!vượt )(?<!đạt )(?<!% )kế hoạch (?:của )?$|ước đến\s$"
_AIM_BEHIND = (
    r"[^\d]{0,25}?(?:phấn đấu|dự kiến|sắp tới|đặt mục tiêu|có mục tiêu|đề ra mục tiêu|mục tiêu (?:là|đạt))|\s(?:tới\b|tới đây)"
)
_WILL = r"\b(?:sẽ|cần(?! thơ| giờ| đước)|phải)\b[^\d,]{0,40}$"
_WILL_BEHIND = r"(?!.{0,25}(?:cho biết|nói|cho hay|khẳng định))[^\d]{0,25}?\b(?:sẽ|cần|phải)\b"
_OPEN_END = r"giai đoạn|nhiệm k[ỳì]|đến|hết|cuối|tới|trước"
_UP_TO = r"\b(?:đến|tới|hết|tính|thời điểm)(?: ngày| hết| thời điểm| cuối| nay)*\s$"
_SINCE = r"\b(?:từ|kể từ|sau|trước)(?: khoảng| cuối| đầu)?\s$"
_COUNTED = r"(?:\d|(?<!\w)(?:một|hai|ba|bốn|năm|sáu|bảy|tám|chín|mười|mấy|vài|nhiều|chục|mươi|trăm|những|các|mấy ngày))[ ]$"
_NO_DATE_BEFORE = r"(?:(?<!\w)(?:số|nghị định|thông tư|quyết định|nghị quyết|chỉ thị|luật|tỷ lệ|tỉ lệ)|\d[ ]?[x×])[ ]?$"
_NO_NUMBER_BEFORE = r"\d[.,/-][ ]?$"
"""Before digits only: "… năm 2018. Năm 2019 …" are two dates."""


# The days of a mention


def _third(period: tuple[date, date], part: str | None) -> tuple[date, date]:
    """Return the first, middle or last third of a period; all of it without `part`."""
    if part not in ("đầu", "giữa", "cuối"):
        return period
    first, last = period
    number = ("đầu", "giữa", "cuối").index(part)
    if first.month == last.month and first.year == last.year:
        return first.replace(day=1 + 10 * number), last if number == 2 else first.replace(day=10 + 10 * number)
    months = ((last.year - first.year) * 12 + last.month - first.month + 1) // 3
    return _months(first.year, first.month + number * months, months)


def _months(year: int, month: int, count: int = 1) -> tuple[date, date]:
    """Return the first and last day of `count` months from a month on.

    Month 13 is the next year's first.
    """
    first = year * 12 + month - 1
    last = first + count - 1
    end = calendar.monthrange(last // 12, last % 12 + 1)[1]
    return date(first // 12, first % 12 + 1, 1), date(last // 12, last % 12 + 1, end)


def _year_of(typed: str | None, published: date | None) -> int | None:
    """Return the year that a number or "nay", "ngoái", "tới" means.

    The result is None if the year is open.
    """
    if typed and typed.isdigit():
        return int(typed)
    shift = {"nay": 0, "này": 0, "ngoái": -1, "tới": 1}.get(typed or "")
    return published.year + shift if published and shift is not None else None


def _nearest(month: int, day: int, published: date | None) -> date | None:
    """Return the last such day up to three months after publication.

    Later days are not chosen, for news is mostly about the past.
    """
    if published is None:
        return None
    years = range(max(1, published.year - 1), min(9999, published.year + 1) + 1)
    days = [nearest for nearest in (calendar_date(year, month, day) for year in years) if nearest]
    return max((nearest for nearest in days if (nearest - published).days <= 92), default=None)


def _exists(month: int, day: int) -> bool:
    return calendar_date(2000, month, day) is not None


def _whole(match: re.Match[str], period: _Period) -> _Readings:
    return [(match.start(), match.end(), period)]


def _read_days(match: re.Match[str], published: date | None) -> _Readings:
    """A range of days: 3-5/4/2022, 17/11-2/12, từ ngày 1/2/2020 đến ngày 3/4/2021."""
    day, month, year, last_day, last_month, last_year = match.groups()
    last = _day_of(last_day, last_month, last_year, published)
    if not _exists(int(last_month), int(last_day)) or not _exists(int(month or last_month), int(day)):
        return []
    if last is None:
        return _whole(match, None) if last_year is None else []
    first = calendar_date(int(year or last.year), int(month or last.month), int(day))
    if first and first > last and year is None:
        first = calendar_date(last.year - 1, first.month, first.day)
    return _whole(match, (first, last)) if first and first <= last and (last - first).days < 20_000 else []


def _day_of(day: str, month: str, year: str | None, published: date | None) -> date | None:
    known = _year_of(year, published)
    if known is not None:
        return calendar_date(known, int(month), int(day))
    return _nearest(int(month), int(day), published) if year is None else None


def _read_day(match: re.Match[str], published: date | None) -> _Readings:
    """A day: 7/8/2023, ngày 3 tháng 5 năm 2021, sáng 12/10, 30/4 năm nay."""
    day, month, year = match.groups()
    known = _day_of(day, month, year, published)
    if known is None and (not _exists(int(month), int(day)) or (year is not None and year.isdigit())):
        return []
    return _whole(match, (known, known) if known else None)


def _read_iso(match: re.Match[str], _: date | None) -> _Readings:
    day = calendar_date(*map(int, match.groups()))
    return _whole(match, (day, day)) if day else []


def _read_years(match: re.Match[str], _: date | None) -> _Readings:
    """A range of years: giai đoạn 2021-2025, từ năm 2018 đến 2020."""
    first, last = int(match[1]), int(match[2])
    longest = _LONGEST_PERIOD if first >= 1900 else _LONGEST_HISTORICAL
    return _whole(match, (date(first, 1, 1), date(last, 12, 31))) if first < last <= first + longest else []


def _read_year_list(match: re.Match[str], _: date | None) -> _Readings:
    """Read a list of years.

    "3 năm 2019, 2020, 2021" is a single period, "năm 2015 và 2019" are two.
    """
    found = _compiled(r"(?:1\d|20)\d\d").finditer(match.string, match.start(), match.end())
    spans = [(year.start(), year.end(), int(year[0])) for year in found]
    years = [year for _, _, year in spans]
    if years == list(range(years[0], years[-1] + 1)):
        return _whole(match, (date(years[0], 1, 1), date(years[-1], 12, 31)))
    starts = [match.start(), *(start for start, _, _ in spans[1:])]
    return [(start, end, (date(year, 1, 1), date(year, 12, 31))) for start, (_, end, year) in zip(starts, spans, strict=True)]


def _read_part(match: re.Match[str], published: date | None) -> _Readings:
    """Read months or quarters at an end of a year.

    For example: 6 tháng đầu năm 2022, hai quý đầu năm nay, nửa cuối năm 2019. 9 tháng năm 2024 are the first nine.
    """
    count, unit, end, typed, alone, plain = match.groups()
    months = 6 if unit is None else (_COUNTS.get(count) or int(count)) * (3 if unit == "quý" else 1)
    if not 1 <= months <= 11:
        return []
    year = _year_of(typed or alone or plain or "nay", published)
    return _whole(match, None if year is None else _months(year, 13 - months if end == "cuối" else 1, months))


def _read_quarter(match: re.Match[str], published: date | None) -> _Readings:
    part, number, until, typed = match.groups()
    first, last = (_ROMAN.get(typed_number) or int(typed_number) for typed_number in (number, until or number))
    year = _year_of(typed, published)
    if year is None and typed is None and published:
        nearest = _nearest(first * 3 - 1, 15, published)
        year = nearest.year if nearest else None
    if last < first:
        return []
    return _whole(match, None if year is None else _third(_months(year, first * 3 - 2, 3 * (last - first + 1)), part))


def _read_month(match: re.Match[str], published: date | None) -> _Readings:
    """Read a month or a range of months.

    For example: cuối tháng 9/2019, tháng 7-2019, tháng 1 đến tháng 3 năm nay.
    """
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


def _read_month_years(match: re.Match[str], _: date | None) -> _Readings:
    """Months of two years: tháng 1/2004 - 5/2010."""
    month, year, last_month, last_year = map(int, match.groups())
    first, last = _months(year, month)[0], _months(last_year, last_month)[1]
    return _whole(match, (first, last)) if first <= last else []


def _read_bare_month(match: re.Match[str], _: date | None) -> _Readings:
    return _whole(match, _months(int(match[2]), int(match[1])))


def _read_year(match: re.Match[str], published: date | None) -> _Readings:
    part, typed = match.groups()
    year = _year_of(typed, published)
    return _whole(match, None if year is None else _third((date(year, 1, 1), date(year, 12, 31)), part))


def _read_decade(match: re.Match[str], _: date | None) -> _Readings:
    part, typed = match.groups()
    first = int(typed) + {"đầu": 0, "giữa": 3, "cuối": 7}.get(part, 0)
    last = int(typed) + {"đầu": 2, "giữa": 6}.get(part, 9)
    return _whole(match, (date(first, 1, 1), date(last, 12, 31)))


def _read_bare_year(match: re.Match[str], _: date | None) -> _Readings:
    year = int(match[1])
    return [(match.start(1), match.end(1), (date(year, 1, 1), date(year, 12, 31)))]


def _read_relative(match: re.Match[str], published: date | None) -> _Readings:
    """Read a day or month counted from the day of publication.

    For example: hôm qua, sáng nay, tháng trước.
    """
    if published is None:
        return _whole(match, None)
    words = match[0].split()
    if words[0] == "tháng":
        month = published.month + {"này": 0, "trước": -1, "tới": 1}[words[1]]
        return _whole(match, _months(published.year, month))
    if words[:3] == ["từ", "đầu", "năm"]:
        return _whole(match, (date(published.year, 1, 1), published))
    day = date.fromordinal(published.toordinal() + {"qua": -1, "kia": -2, "mai": 1}.get(words[-1], 0))
    return _whole(match, (day, day))


def _read_season(match: re.Match[str], _: date | None) -> _Readings:
    year = int(match[1])
    return _whole(match, (date(year, 1, 1), date(year, 12, 31)))


def _read_century(match: re.Match[str], _: date | None) -> _Readings:
    """Read a century or a third of it.

    For example: thế kỷ XIX, đầu thế kỷ 20. A century before Christ has no days.
    """
    part, number, before_christ = match.groups()
    century = int(number) if number.isdigit() else _roman(number)
    if not 1 <= century <= 21:
        return []
    whole = date(century * 100 - 99, 1, 1), date(century * 100, 12, 31)
    return _whole(match, None if before_christ else _third(whole, part))


def _roman(numeral: str) -> int:
    values = [{"i": 1, "v": 5, "x": 10}[letter] for letter in numeral]
    return sum(-value if value < following else value for value, following in zip(values, [*values[1:], 0], strict=True))


# The shapes of dates


class _Shape(NamedTuple):
    """A form in which dates are written, and the function that reads its matches.

    `of_days` is True if its dates are days, not months or years.
    """

    read: Callable[[re.Match[str], date | None], _Readings]
    pattern: str
    of_days: bool = False


_COUNTS = {"ba": 3, "bốn": 4, "năm": 5, "sáu": 6, "bảy": 7, "tám": 8, "chín": 9, "mười": 10, "hai": 2}
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}

_D, _M, _Y = r"(0?[1-9]|[12]\d|3[01])", r"(0?[1-9]|1[0-2])", r"((?:19|20)\d\d)"
_Y_OR = r"((?:19|20)\d\d(?![\d/])|nay\b|ngoái\b|tới\b|trước\b|sau\b)"
_Y_ALONE = rf"{_Y}(?![\d/]|[.,-]\d|%)(?=[,.;:)?!]|\s(?!{COUNTED_UNITS})|$)"
_TIME = r"(?:(?:rạng )?sáng|trưa|chiều|tối|đêm|hôm|mùng|mồng)"
_DAY_WORD = rf"(?:(?:{_TIME} )?(?:các )?ngày |{_TIME} )"
_TO = r"\s?(?:-|–|(?:đến|tới)(?: hết)?(?: ngày)?)\s?"
_STOP = r"(?![\d/]|[.,-]\d|%)"
_NO_SHARE = r"(?! (?:số|diện|tổng|hộ|dân|thành|đại|âm lịch|dân số|người|phiếu)\b| âm lịch|\s?\(?âm lịch)"
_SHAPES = {
    "days": _Shape(
        _read_days, rf"(?:{_DAY_WORD})?{_D}(?:[/.-]{_M}(?:[/.-]{_Y})?)?{_TO}{_D}[/.-]{_M}[/.-]{_Y}{_STOP}", of_days=True
    ),
    "open_days": _Shape(
        _read_days,
        rf"(?:{_DAY_WORD}|(?<=từ )){_D}(?:/{_M}(?:/{_Y})?)?{_TO}{_D}/{_M}(?: năm {_Y_OR})?{_STOP}{_NO_SHARE}",
        of_days=True,
    ),
    "spelled": _Shape(_read_day, rf"(?:{_DAY_WORD})?{_D} tháng {_M}(?: năm |, ?| )\(?{_Y}{_STOP}", of_days=True),
    "spelled_open": _Shape(_read_day, rf"{_DAY_WORD}{_D} tháng {_M}(?: năm {_Y_OR})?(?!\d)", of_days=True),
    "day": _Shape(_read_day, rf"(?:{_DAY_WORD})?{_D}\s?[/.-]\s?{_M}\s?[/.-]\s?{_Y}{_STOP}", of_days=True),
    "iso": _Shape(_read_iso, r"((?:19|20)\d\d)-(\d\d)-(\d\d)(?![\d-])", of_days=True),
    "open_day": _Shape(_read_day, rf"{_DAY_WORD}{_D}[/-]{_M}(?: năm {_Y_OR}|{_STOP}){_NO_SHARE}", of_days=True),
    "open_day_dotted": _Shape(
        _read_day,
        rf"(?<!mỗi )(?<!một )(?<!hằng )(?<!hàng )(?:{_TIME} )?ngày {_D}\.{_M}(?: năm {_Y_OR}|{_STOP})"
        rf"(?!\s{COUNTED_UNITS}){_NO_SHARE}",
        of_days=True,
    ),
    "open_day_led": _Shape(
        _read_day, rf"(?:(?<=đến |tới |hết |vào )|(?<=từ )){_D}/{_M}(?: năm {_Y_OR}|{_STOP}){_NO_SHARE}", of_days=True
    ),
    "open_day_year": _Shape(_read_day, rf"{_D}/{_M} năm {_Y_OR}", of_days=True),
    "years": _Shape(
        _read_years,
        rf"(?:(?:giai đoạn|nhiệm k[ỳì]|các năm|niên (?:khóa|vụ)|năm học|năm) )?(?:từ )?(?:năm )?{_Y}"
        rf"(?:\s?[-–]\s?| (?:đến|tới) (?:hết )?(?:năm )?){_Y}{_STOP}",
    ),
    "year_list": _Shape(
        _read_year_list,
        r"(?:(?:\d|hai|ba|bốn|năm|các) )?năm (?:19|20)\d\d(?:(?:, | và |, năm | và năm )(?:19|20)\d\d){1,9}"
        r"(?![\d/-]|[.,]\d)"
        r"(?! (?:ha|đồng|tấn|hộ|người|hợp|htx))",
    ),
    "part": _Shape(
        _read_part,
        rf"(?:(\d{{1,2}}|{'|'.join(_COUNTS)}) (tháng|quý)|nửa) "
        rf"(?:(đầu|cuối)(?: của)? (?:năm(?: {_Y_OR})?|{_Y_ALONE})|năm {_Y}(?![\d/]|[.,]\d))",
    ),
    "month_years": _Shape(_read_month_years, rf"(?:từ )?tháng {_M}[/-]{_Y}{_TO}(?:tháng )?{_M}[/-]{_Y}{_STOP}"),
    "quarter": _Shape(
        _read_quarter,
        rf"(?:(đầu|giữa|cuối) )?quý (iv|i{{1,3}}|[1-4])(?![\w,.]\w)\b"
        rf"(?:\s?(?:-|–|và|đến) ?(?:quý )?(iv|i{{1,3}}|[1-4])\b)?"
        rf"(?:(?:\s?[/-]\s?| năm |, năm |-?\s){_Y_OR})?",
    ),
    "month": _Shape(
        _read_month,
        rf"(?:(đầu|giữa|cuối) )?(?<!\d )tháng {_M}(?!\d)"
        rf"(?:(?:\s?[-–]\s?| (?:đến|tới) (?:hết )?)(?:tháng )?{_M}(?=[/ ,.;)]|$)(?!\d))?"
        rf"(?:(?:\s?[/.-]\s?|\s?,\s?| năm |, năm ){_Y_OR})?(?! ngày\b|[.,/-]?\d|%| âm)",
    ),
    "bare_month": _Shape(_read_bare_month, rf"{_M}\s?[/-]\s?{_Y}{_STOP}(?![/-]\w)"),
    "decade": _Shape(
        _read_decade, r"(?:(đầu|giữa|cuối) )?(?:những năm|thập niên|thập kỷ)(?: thập niên| thập kỷ)? ((?:19|20)\d0)(?!\d)"
    ),
    "year": _Shape(_read_year, rf"(?:(?:cả|trọn|(đầu|giữa|cuối)) )?năm {_Y_OR}(?![\d/]|[.,]\d)"),
    "year_part": _Shape(_read_year, rf"(đầu|cuối) {_Y_ALONE}"),
    "relative": _Shape(
        _read_relative,
        r"(?:ngày )?hôm (?:qua|nay|kia)\b|ngày mai\b|(?:sáng|trưa|chiều|tối|đêm) (?:qua|nay|mai)\b",
        of_days=True,
    ),
    "relative_month": _Shape(_read_relative, r"tháng (?:này|trước|tới)\b|từ đầu năm đến nay\b"),
    "bare_year": _Shape(
        _read_bare_year,
        rf"(?:(?<=đến |tới )|(?<=nhìn ))(?:năm )?{_Y}(?![\d/]|[.,]\d)"
        rf"(?=[,.;:)]|\s(?!{COUNTED_UNITS})|$)",
    ),
}
_BEGINS = (
    r"(?<![\w/])(?=\d|(?:ngày|năm|niên|những|nửa|nhiệm|giai|giữa|sáng|sáu|rạng|trưa|tối|tháng|từ|trọn|thập|tám|chiều|cuối"
    r"|các|cả|chín|đêm|đầu|hôm|hai|mùng|mồng|mười|quý|ba|bốn|bảy) )"
)
"""Where a shape can begin; tried first, for most words begin none."""
_HISTORICAL = {
    "century": _Shape(
        _read_century,
        r"(?:(đầu|giữa|cuối) )?thế k[ỷỉ] (?:thứ )?([ivx]+|\d{1,2})(?!\w)( (?:tcn|trước công nguyên))?",
    ),
    "early_year": _Shape(_read_year, r"(?:(đầu|giữa|cuối) )?năm ([1-9]\d\d)(?![\w/]|[.,]\d)"),
    "season": _Shape(_read_season, rf"mùa (?:giải )?{_Y}(?![\d/]|[.,]\d)"),
    "lone_year": _Shape(_read_bare_year, rf"(?<![.,]){_Y}(?![\d/%]|[.,]\d)(?!\s{COUNTED_UNITS})"),
}
_BEGINS_HISTORICAL = _BEGINS.replace("|thập", "|thập|thế|mùa")


@cache
def _shapes(historical: bool) -> dict[str, _Shape]:
    """Return the shapes by name.

    Historical shapes allow years from 1000 on where the others have those from 1900 on.
    """
    if not historical:
        return _SHAPES
    return {
        name: shape._replace(pattern=shape.pattern.replace("(?:19|20)", r"(?:1\d|20)"))
        for name, shape in (_SHAPES | _HISTORICAL).items()
    }
