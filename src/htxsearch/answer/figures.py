"""Whether a figure is what is, what is aimed at, or by how much something changed; and which of these a question asks for.

Rules over closed lists of words, the same ones for question and text; a question without marks is read without theirs.
"""

import re
from typing import Literal

from htxsearch.text.normalize import fold

__all__ = ["Status", "status_asked", "status_of"]

Status = Literal["actual", "target", "change"]

_AIMS = r"phấn đấu|mục tiêu|chỉ tiêu|dự kiến|dự tính|định hướng|kế hoạch (?:đến|là|đạt|có)|(?<!\w)sẽ(?!\w)"
_ASKS_TARGET = rf"{_AIMS}|đề ra|đặt ra"
_ASKS_CHANGE = r"(?<!\w)(?:tăng|giảm|thêm|mới|thành lập|giải thể|kết nạp|bổ sung)(?!\w)"
_FOUNDED = r"thành lập mới|lập mới|mới (?:được )?thành lập"
_AIMED = re.compile(
    rf"(?<!đạt )(?<!vượt )(?<!thành )(?<!so với )(?<!% )(?:{_AIMS})(?:(?!(?<!\w)(?:đã|hiện|nay|thực tế)(?!\w))[^;])*$",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    rf"(?<!\w)(?:tăng|giảm|thêm|giải thể|kết nạp|bổ sung|{_FOUNDED})"
    r"(?: (?:thêm|được|mới|khoảng|gần|hơn|trên|ít nhất|bình quân|trung bình|mỗi năm))*\s$",
    re.IGNORECASE,
)
_CHANGED_BEHIND = re.compile(rf"\s(?:được |vừa )?(?:{_FOUNDED}|tăng thêm)(?!\w)", re.IGNORECASE)


def status_asked(question: str, *, marked: bool) -> Status:
    """Return what figure a question asks for; that of today, or of its date, if it says nothing else."""
    for status, words in (("target", _ASKS_TARGET), ("change", _ASKS_CHANGE)):
        if re.search(words if marked else fold(words), question if marked else fold(question), re.IGNORECASE):
            return "target" if status == "target" else "change"
    return "actual"


def status_of(before: str, behind: str) -> Status:
    """Return what a figure is by what stands in its sentence before and behind it."""
    if _CHANGED.search(before) or _CHANGED_BEHIND.match(behind):
        return "change"
    return "target" if _AIMED.search(before) else "actual"
