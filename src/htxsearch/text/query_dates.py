"""The dates of a query: those of a filter, and those that a question names.

A filter has a date such as "2019" or "9/2019". A question names dates and periods.
"""

import calendar
import re
from datetime import date
from functools import cache

from htxsearch.text.date_mentions import COUNTED_UNITS, DateMention, date_mentions
from htxsearch.text.dates import find_date
from htxsearch.text.normalize import has_diacritics, strip_diacritics

__all__ = ["date_range", "question_dates"]

_YEAR = re.compile(r"(?:19|20)\d\d")
_MONTH = re.compile(r"(\d{1,2})[/-](\d{4})|(\d{4})-(\d{1,2})")
_ONE_DAY = re.compile(r"\d{1,4}\s?[/.-]\s?\d{1,2}\s?[/.-]\s?\d{1,4}")

_DATE_WORDS = (
    *"ngày tháng năm quý nửa đầu giữa cuối của đến tới hết từ luật".split(),
    *("những năm", "nhiệm kỳ", "giai đoạn", "thập niên", "thập kỷ", "niên vụ", "niên khóa", "nghị định", "thông tư"),
    *("quyết định", "nghị quyết", "chỉ thị", "pháp lệnh", "hiến pháp"),
)
_DATE_WORDS_BY_FOLD = {strip_diacritics(word): word for word in _DATE_WORDS}
"""The words of dates, and the names of documents, by how they are typed without diacritics."""
_LAW_YEAR = r"(?i)\b((?:luật|pháp lệnh|hiến pháp)(?:(?! nào| gì)[^\d,.]){0,40}?)(?:năm )?(?:19|20)\d\d\b(?! ?[-–])"
_LONE_YEAR = (
    r"(?i)(?<![\d/.,–-])(?<![–-] )(?<!năm )(?<!đầu )(?<!cuối )(?<!\d, )((?:19|20)\d\d)"
    rf"(?![\d/–-]|[.,]\d|%| ?[-–]| ?(?:{COUNTED_UNITS}|(?:nghìn|nghin|nguoi|ho|tan|ty|trieu|dong)\b))"
)


def date_range(typed: str) -> tuple[date, date] | None:
    """Return the first and last day of a typed year, month or date, else None.

    Formats: "2019", "9/2019", "2019-09", "7/8/2023" and "2023-08-07".
    """
    typed = typed.strip()
    if _YEAR.fullmatch(typed):
        return date(int(typed), 1, 1), date(int(typed), 12, 31)
    parts = _MONTH.fullmatch(typed)
    if parts:
        year, month = int(parts[2] or parts[3]), int(parts[1] or parts[4])
        if 1 <= month <= 12 and 1 <= year <= 9999:
            return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
        return None
    day = find_date(typed) if _ONE_DAY.fullmatch(typed) else None
    return (day, day) if day else None


def question_dates(question: str) -> list[DateMention]:
    """Return the dates and periods that `question` (NFC) names, each with its days.

    Their spans mean nothing. `date_mentions` reads them, but diacritics may be missing (thang 9/2019), a year may be
    alone (số HTX Thái Nguyên 2019), and the year in the name of a law is none. Dates that leave their year open or
    depend on today (năm nay) are passed over.
    """
    folded_words, law_year, lone_year = _patterns()
    text = question
    if not has_diacritics(text):
        text = folded_words.sub(lambda match: _DATE_WORDS_BY_FOLD[" ".join(match[0].lower().split())], text)
    text = lone_year.sub(r"năm \1", law_year.sub(r"\1", text))
    return [mention for mention in date_mentions(text) if mention.first]


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of a question, compiled when the first question is read.

    A query that is no question need not wait for them.
    """
    words = sorted((word.replace(" ", " +") for word in _DATE_WORDS_BY_FOLD), key=len, reverse=True)
    return re.compile(rf"(?i)\b(?:{'|'.join(words)})\b"), re.compile(_LAW_YEAR), re.compile(_LONE_YEAR)
