"""The figure of an answer: its status, and the qualifier that belongs to it.

The status is that of an actual figure, a target or a change. Rules over closed lists of words find it, the same ones for
question and text; a question without diacritics is matched without theirs. Numbers, scales and qualifiers are those of
`text.figures`.
"""

import re
from collections.abc import Container, Iterable
from typing import Literal

from htxsearch.text.figures import QUALIFIERS, figures
from htxsearch.text.normalize import canonical_spelling, strip_diacritics
from htxsearch.text.sentences import Span
from htxsearch.text.tokens import Token, tokens

__all__ = ["Status", "status_asked", "status_of", "with_qualifier"]

Status = Literal["actual", "target", "change"]

_AIMS = r"phấn đấu|mục tiêu|chỉ tiêu|dự kiến|dự tính|định hướng|kế hoạch (?:đến|là|đạt|có)|(?<!\w)sẽ(?!\w)"
_ASKS_TARGET = rf"{_AIMS}|đề ra|đặt ra|(?<!\w)(?:muốn|dự định)(?!\w)"
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
_BOUND_BEHIND = re.compile(r"\s(?:trở|đổ) (?:lên|xuống)(?!\w)", re.IGNORECASE)
_CHANGED_BEHIND = re.compile(rf"\s(?:được |vừa )?(?:{_FOUNDED}|tăng thêm)(?!\w)", re.IGNORECASE)


def status_asked(question: str, *, marked: bool) -> Status:
    """Return the status of the figure that a question asks for.

    It is an actual figure unless the question says otherwise.
    """
    for status, words in (("target", _ASKS_TARGET), ("change", _ASKS_CHANGE)):
        if re.search(
            words if marked else strip_diacritics(words), question if marked else strip_diacritics(question), re.IGNORECASE
        ):
            return "target" if status == "target" else "change"
    return "actual"


def status_of(before: str, behind: str) -> Status:
    """Return the status of a figure by the text of its sentence before and behind it."""
    if _CHANGED.search(before) or _CHANGED_BEHIND.match(behind):
        return "change"
    return "target" if _AIMED.search(before) else "actual"


def with_qualifier(sentence: str, span: Span, asked: Container[str] = ()) -> Span:
    """Return a span that begins with a figure, extended by the figure's bound.

    Without the extension the bound would be quoted as the figure: chưa đến 50 hợp tác xã, từ 7 thành viên trở lên. The
    span stays as it was chosen if all words of the qualifier are
    `asked`: "tối thiểu bao nhiêu" is answered by the figure.
    """
    start, end = span
    for figure in figures(sentence):
        if figure.bound == "exact" or not figure.start <= start <= figure.number < end:
            continue
        bound_behind = _BOUND_BEHIND.match(sentence, end)
        if bound_behind and figure.start == figure.number:
            return Span(start, bound_behind.end())
        qualifier = tokens(sentence[figure.start : figure.number])
        size = next((size for size in range(len(qualifier), 0, -1) if _phrase(qualifier[-size:]) in QUALIFIERS), 0)
        if size and not all(term in asked or term == "là" for term in _phrase(qualifier[-size:])):
            return Span(min(start, figure.start + qualifier[-size].start), end)
    return span


def _phrase(words: Iterable[Token]) -> tuple[str, ...]:
    return tuple(canonical_spelling(word.term) for word in words)
