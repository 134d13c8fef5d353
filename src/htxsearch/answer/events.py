"""The event that a date belongs to: issue, effect, or the end of effect.

A document is issued on one day (ban hành, ký, thông qua; "Nghị định số 5/2020/NĐ-CP ngày 3 tháng 2 năm 2020") and has effect
from another (có hiệu lực kể từ ngày …). A question for the one is never answered by the other. The event of a date is that of
the nearest word before it in its clause that names one, else of the first behind it. Pure: texts in, events out.
"""

import re
from functools import cache
from typing import Literal

from htxsearch.text.normalize import has_diacritics, strip_diacritics
from htxsearch.text.official import CITED_KINDS

__all__ = ["Event", "event_asked", "event_of"]

Event = Literal["issue", "effect", "end"]

_EVENTS: tuple[Event, ...] = ("end", "effect", "issue")
_ENDED = r"(?<!hết )(?<!ngừng )(?<!ngưng )(?<!chấm dứt )(?<!mất )"
_IN_TEXTS = {
    "end": r"(?:hết|ngừng|ngưng|chấm dứt|mất) hiệu lực",
    "effect": rf"{_ENDED}hiệu lực|(?:thi hành|áp dụng|thực hiện)(?= (?:(?:kể|bắt đầu) )?từ\b)",
    "issue": r"ban hành|thông qua|công bố|(?<!ngày )(?<!đăng )(?<!chữ )ký(?! kết)",
}
_IN_QUESTIONS = {**_IN_TEXTS, "effect": rf"{_ENDED}hiệu lực|(?:thi hành|áp dụng)(?: (?:kể|bắt đầu))? từ"}
_ASKED = r"(?:ngày|tháng|năm|hôm|lúc|khi) (?:nào|mấy|bao nhiêu)|bao giờ"
_NUMBERS = re.compile(r"\d\S*")
"""Numbers of documents have capitals with diacritics in any question."""
_CITED = re.compile(
    r"(?<![\w./-])(?:[^\W\d]|[./-])*+\d[\w.]*+[/-][\d_./-]*+[^\W\d_][\w./-]*+,?\s(?:(?:được )?(?:ký|ban hành) )?$"
)
"""A number in front of a day: the day of the document's issue. Each character can be of one part only."""
_NAMED = re.compile(rf"(?<!\w)(?:{CITED_KINDS})(?!\w)(?! này| trên)[^,;.()\n]{{0,90}}?(?<!từ)(?<!đến),?\s$", re.IGNORECASE)
"""A document that is named in front of a day: Luật Hợp tác xã ngày 20 tháng 6 năm 2023."""
_DAY = re.compile(r"ngày\s+$", re.IGNORECASE)
_REACH, _REACH_BEHIND = 160, 100
"""Characters before and behind a date in which the word for its event is looked for."""
_CLAUSE = re.compile(r"[;\n]|[.!?](?=\s)")


def event_asked(question: str) -> Event | None:
    """Return the event whose date a question asks for: ban hành ngày nào.

    Of several it is the one named nearest to the words that ask.
    """
    low = _NUMBERS.sub("", question.lower())
    asking, events = _of_questions(has_diacritics(low))
    asked = asking.search(low)
    if asked is None:
        return None
    found = [(max(asked.start() - match.end(), match.start() - asked.end()), _event(match)) for match in events.finditer(low)]
    return min(found)[1] if found else None


@cache
def _of_questions(marked: bool) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of what asks for a date, and of the events."""
    asking, events = _ASKED, _pattern(_IN_QUESTIONS)
    return (
        (re.compile(asking), re.compile(events))
        if marked
        else (
            re.compile(strip_diacritics(asking)),
            re.compile(strip_diacritics(events)),
        )
    )


def _pattern(words: dict[str, str]) -> str:
    return "|".join(rf"(?P<{event}>\b(?:{words[event]})\b)" for event in _EVENTS)


_OF_TEXTS = re.compile(_pattern(_IN_TEXTS), re.IGNORECASE)


def event_of(text: str, start: int, end: int) -> Event | None:
    """Return the event that the date `text[start:end]` is of, None if nothing says it."""
    before = text[max(0, start - _REACH) : start]
    before = _DAY.sub("", before[max((cut.end() for cut in _CLAUSE.finditer(before)), default=0) :])
    if _CITED.search(before):
        return "issue"
    named = list(_OF_TEXTS.finditer(before))
    if _NAMED.search(before, named[-1].end() if named else 0):
        return "issue"
    if named:
        return _event(named[-1])
    behind = text[end : end + _REACH_BEHIND]
    cut = _CLAUSE.search(behind)
    found = _OF_TEXTS.search(behind[: cut.start()] if cut else behind)
    return _event(found) if found else None


def _event(found: re.Match[str]) -> Event:
    return next(event for event in _EVENTS if found[event])
