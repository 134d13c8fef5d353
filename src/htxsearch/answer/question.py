"""What a question asks for: the kind of its answer, the noun or unit it names, the dates and places it binds.

Rules over closed lists of Vietnamese question phrases. A question without marks is read by the same rules
without theirs. One that has no question phrase (số HTX Thái Nguyên 9/2019) is read by the noun it begins with.
"""

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, get_args

from htxsearch.answer.status import Status, status_asked
from htxsearch.text.dates import DateMention, asked_dates
from htxsearch.text.fillers import is_filler, is_interrogative
from htxsearch.text.normalize import fold, is_marked, key, nfc, normal
from htxsearch.text.tokens import Token, tokens

__all__ = ["KINDS", "Asking", "Kind", "plain_question", "read_question"]

Kind = Literal[
    "number",
    "money",
    "percent",
    "date",
    "person",
    "organisation",
    "place",
    "document",
    "definition",
    "reason",
    "manner",
    "list",
    "yesno",
    "thing",
]

KINDS: tuple[Kind, ...] = get_args(Kind)

_NOUN = r"(?:\s[^\s?,.;]+){0,3}?\s"
_RULES: tuple[tuple[Kind, str], ...] = (
    (
        "document",
        r"số hiệu|(?:văn bản|nghị quyết|nghị định|quyết định|thông tư|chỉ thị|công văn|luật|kết luận|kế hoạch|thông báo)"
        r" (?:nào|số mấy)|(?:nghị quyết|nghị định|quyết định|thông tư|chỉ thị|công văn|kết luận|kế hoạch|thông báo)\b"
        r".* số (?:mấy|bao nhiêu|nào)",
    ),
    (
        "percent",
        r"bao nhiêu (?:phần trăm|%)|(?:tỷ lệ|tỉ lệ|phần trăm|tỷ trọng).*(?:bao nhiêu|mấy|nào|là gì)|mấy (?:phần trăm|%)",
    ),
    (
        "money",
        r"(?:bao nhiêu|mấy) (?:tiền|(?:(?:nghìn|ngàn|triệu|tỷ|tỉ) )*(?:đồng|usd|đô la|euro|bảng|won|yên)|tỷ|tỉ|triệu|vốn)",
    ),
    (
        "money",
        r"(?:(?<!tham )giá(?! đình)|doanh thu|chi phí|thu nhập|kinh phí|lợi nhuận|số tiền|mức phạt|tiền lương)\b"
        r".*(?:bao nhiêu|mức nào|mấy)",
    ),
    (
        "date",
        r"khi nào|bao giờ|(?:lúc|hôm|thuở) nào|(?:năm|ngày|tháng|quý|thập niên|thập kỷ|thế kỷ|thời gian|thời điểm|giai đoạn"
        r"|thời kỳ|thời đại|niên đại|mùa|tuần|kỷ|thời) (?:nào|bao nhiêu|mấy|gì)|ngày tháng năm|từ năm nào",
    ),
    ("number", r"bao nhiêu|bao lâu|bao xa|(?<!\w)mấy(?!\w)|mức nào"),
    (
        "reason",
        r"(?:vì|tại|do|bởi) sao|(?:vì|do|bởi|nhờ vào) đâu|^sao(?!\w)|(?:nguyên nhân|lý do|lí do)"
        r"|vì (?:cái|điều|lẽ|lý do) (?:gì|nào)|nhờ đâu"
        r"|(?:điều|cái|yếu tố) (?:gì|nào) (?:đã )?(?:khiến|làm cho|gây)|hạn chế nào|yếu kém gì"
        r"|do (?:điều|cái|ai|việc) (?:gì|nào)",
    ),
    (
        "list",
        rf"(?:những|các|hai|ba|bốn|năm|sáu){_NOUN}(?:nào|gì)|những (?:ai|gì)|gồm (?:những|có|các)|bao gồm"
        rf"|kể tên|liệt kê|ngành nào",
    ),
    (
        "person",
        r"(?<!\w)ai(?!\w)|(?:người|ông|bà|nhân vật|(?<!gia )vị|chị|anh|tác giả|nhà [^\s?]+|tổng thống"
        r"|vua|hoàng đế|chủ tịch|giám đốc"
        r"|bộ trưởng|thủ tướng|nữ hoàng|tướng|học giả) nào|tên (?:thật |đầy đủ )?là gì|chức vụ (?:gì|nào)",
    ),
    (
        "place",
        r"(?<!do )(?<!nhờ )(?<!từ )(?<!\w)đâu(?!\w)|(?:nơi|chỗ|tỉnh|thành phố|nước|quốc gia|xã|huyện|bản"
        r"|thôn|vùng|khu vực|châu lục|lục địa"
        r"|đảo|hòn đảo|bang|tiểu bang|thị trấn|địa điểm|quận|phường|con sông|sông|hồ|biển|núi|địa phương"
        r"|vị trí|làng) (?:nào|gì)",
    ),
    (
        "organisation",
        r"(?:công ty|tổ chức|cơ quan|bộ|htx|hợp tác xã|doanh nghiệp|đơn vị|trường|trường đại học|đại học|đội|đội bóng|đảng"
        r"|ngân hàng|hãng|tập đoàn|hội|ban|nhóm|viện|tờ báo|đài|kênh|câu lạc bộ|liên minh|nhà thờ|quân đội|ủy ban) (?:nào|gì)",
    ),
    ("manner", r"thế nào|bằng cách nào|ra sao|làm sao|cách nào|như nào"),
    (
        "definition",
        r"(?:nghĩa là|được hiểu|khái niệm|định nghĩa|được gọi là) (?:gì|thế nào|như thế nào|là gì)"
        r"|^[^,]{1,60}(?<!\w)là gì\s*\??$",
    ),
    ("yesno", r"(?:có|đã|còn)(?!\w).*(?:không|chưa)\s*\??$|phải không|hay không|đúng không|(?:không|chưa)\s*\?$"),
    ("thing", r"(?<!\w)(?:nào|gì)(?!\w)"),
    ("number", r"^(?:tổng )?số (?!hiệu)"),
    ("money", r"^(?:doanh thu|thu nhập|kinh phí|vốn|giá|lợi nhuận)(?!\w)"),
    ("percent", r"^(?:tỷ lệ|tỉ lệ)(?!\w)"),
    ("person", r"^(?:giám đốc|chủ tịch|phó chủ tịch|tổng giám đốc|trưởng ban|bí thư|kế toán trưởng)(?!\w)"),
    ("date", r"^(?:ngày|năm) (?:thành lập|khai trương|ban hành)"),
    ("reason", r"^(?:nguyên nhân|lý do)(?!\w)"),
)


@dataclass(frozen=True, slots=True)
class Asking:
    """What a question asks for.

    `focus` are the normal terms of the noun it names: what "bao nhiêu" counts, or what stands before "nào", "gì".
    `marked` tells whether it was typed with marks; if not, terms in `focus` have none. `periods` are the times it names,
    `status` tells whether a figure of what is, of an aim or of a change is asked for.
    """

    kind: Kind
    focus: tuple[str, ...]
    marked: bool
    before: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    periods: tuple[DateMention, ...] = ()
    status: Status = "actual"


def read_question(text: str) -> Asking:
    """Return what a question asks for, as typed: with marks, without, or with some."""
    asked = " ".join(nfc(text).split())
    text = asked.lower()
    marks = is_marked(text)
    found = tokens(text)
    for marked in (True, False) if marks else (False,):
        for kind, pattern in _patterns(marked):
            match = pattern.search(text if marked else fold(text))
            if match:
                return _bound(_asking(kind, found, match.start(), match.end(), marked), asked, text)
    return _bound(Asking("thing", (), marks), asked, text)


def _bound(asking: Asking, asked: str, low: str) -> Asking:
    """Return what is asked with what binds it besides its words: `low` is `asked` in small letters."""
    return replace(asking, periods=tuple(asked_dates(asked)), status=status_asked(low, marked=is_marked(low)))


def plain_question(typed: str) -> str:
    """Return a question without what would be signs of the query language: quotation marks, brackets, + and -, field names."""
    plain = re.sub(r"(?<!\S)-", " ", re.sub(r"[\"“”„«»()+*:]", " ", nfc(typed)))
    return " ".join(re.sub(r"(?<!\w)OR(?!\w)", "or", plain).split())


@cache
def _patterns(marked: bool) -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    return tuple((kind, re.compile(rule if marked else fold(rule))) for kind, rule in _RULES)


def _asking(kind: Kind, found: tuple[Token, ...], start: int, end: int, marked: bool) -> Asking:
    """Divide a question at the question word that is in the phrase matched; the noun there has at most three terms."""
    spelled = normal if marked else key
    terms = [spelled(token.term) for token in found]
    asking = [is_interrogative(token.term if marked else key(token.term)) for token in found]
    asks = [at for at, token in enumerate(found) if asking[at] and start <= token.start < end]
    if not asks:
        return Asking(kind, (), marked)
    first = last = asks[0]
    while last + 1 < len(found) and asking[last + 1]:
        last += 1
    if terms[first] in ("bao", spelled("mấy")):
        focus = _until_filler(terms[last + 1 : last + 4])
        return Asking(kind, tuple(focus), marked, tuple(terms[:first]), tuple(terms[last + 1 + len(focus) :]))
    focus = _until_filler(terms[max(0, first - 3) : first][::-1])[::-1]
    return Asking(kind, tuple(focus), marked, tuple(terms[: first - len(focus)]), tuple(terms[last + 1 :]))


def _until_filler(terms: list[str]) -> list[str]:
    found = []
    for term in terms:
        if is_filler(term):
            break
        found.append(term)
    return found
