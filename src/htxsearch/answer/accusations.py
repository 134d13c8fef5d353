"""Persons beside words of crime, arrest and violent death.

"Ai bị bắt?" must not be answered by whoever is named in the same sentence: "Ông A cho biết các đối tượng đã bị bắt" says it of
others. A name is an answer there only if the sentence says it of that person, as the subject right before the words ("A, giám
đốc HTX B, bị khởi tố") or as the object right after them ("bắt tạm giam ông A và bà B"). Pure over text.

The words are a list, not learnt: a few of some 400 judged questions for persons have them. Words that accuse nobody in most
sentences (chống tham nhũng, phiên xét xử, nghe trộm) are not in it.
"""

import re
from functools import cache

from htxsearch.text.sentences import Span

__all__ = ["accuses", "is_said_of", "names_a_person"]

_DEEDS = (
    "khởi tố|truy tố|truy nã|tạm giam|tạm giữ|buộc tội|kết án|tuyên án|tuyên phạt|bắt (?:giữ|giam|tạm giam|quả tang|khẩn cấp)|"
    "tham ô|nhận hối lộ|lừa đảo|chiếm đoạt|trộm cắp|cướp (?:giật|tài sản)|buôn lậu|trốn thuế|đánh bạc|hành hung|hiếp dâm|"
    "giết(?: người| hại)|sát hại|phạm tội|tử vong|thiệt mạng|tử nạn|tự tử|tự sát"
)
_PASSIVE = r"bị (?:[^,;:.]{0,60}? )??(?:bắt|phạt tù|phạt \w+ (?:năm|tháng) tù|giết)"
_SUSPECTS = r"đối tượng(?= (?:[^,;:.]{0,20}? )??(?:bị|gây án|truy nã))"  # "đối tượng nộp thuế" is suspected of nothing
_ROLES = rf"bị can|bị cáo|nghi phạm|nghi can|thủ phạm|hung thủ|kẻ trộm|{_SUSPECTS}|nạn nhân"
_POLICE = r"(?:công an|cảnh sát|cơ quan (?:cảnh sát )?điều tra|biên phòng)[^,;:.]{0,40}? bắt(?! đầu| tay| buộc| nguồn)"
_TITLES = "ông|bà|anh|chị|em|cụ|vợ chồng|đối với|vụ án|theo|cùng|nguyên|cựu"
_SOON = "đã|vừa|mới|cũng|từng|đang|sẽ|còn|lại|vẫn|tiếp tục|nhiều lần|cùng|không may|được cho là"
_UPPER = "".join(filter(str.isupper, map(chr, range(0x1EFA))))
_NAME = rf"[{_UPPER}]\w*(?: [{_UPPER}]\w*)*(?: ?\([^)]*\))?"


@cache
def _words() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_DEEDS}|{_PASSIVE}|{_ROLES}|{_POLICE})\b", re.IGNORECASE)


@cache
def _behind() -> re.Pattern[str]:
    """Return what stands behind a name of which such words are said."""
    others = rf"(?: và [^,;:.]{{0,40}}?(?-i:{_NAME}))?"  # "A và kế toán B đã bị khởi tố" says it of both
    deed = rf"(?:bị (?:[^,;:.]{{0,60}}? )??(?:{_DEEDS})|{_PASSIVE}|{_DEEDS}|là (?:{_ROLES}))"
    return re.compile(rf"(?: ?\([^)]*\))?(?:, [^,;]{{1,100}},)?{others}(?: (?:{_SOON}))* {deed}\b", re.IGNORECASE)


@cache
def _before() -> re.Pattern[str]:
    """Return what stands before such a name, other names of a list included."""
    done = rf"(?:(?<!bị )(?:{_DEEDS})|{_ROLES}|{_POLICE})"
    names = rf"(?:(?i:{_TITLES}) )*{_NAME}(?:, [^,;]{{1,100}})??(?:,| và)"
    return re.compile(rf"\b(?i:{done})(?:(?i: (?:{_TITLES}|{_ROLES})))*(?: {names})* (?:(?i:{_TITLES}|{_ROLES}) )*$")


@cache
def _name() -> re.Pattern[str]:
    return re.compile(_NAME)


def accuses(text: str) -> bool:
    """Return True if a text has words of crime, arrest or violent death."""
    return _words().search(text) is not None


def names_a_person(span: str) -> bool:
    """Return True if a span holds a name: the years of a sentence accuse nobody."""
    return _name().search(span) is not None


def is_said_of(sentence: str, name: Span) -> bool:
    """Return True if such words of a sentence are said of the person at `name`."""
    if _behind().match(sentence, name.end):
        return True
    return _before().search(sentence[: name.start]) is not None
