"""The status of a figure: actual, target, change, estimate or other.

A norm, a threshold or a fixed size is other.
"""

import re
from typing import Literal, NamedTuple, get_args

from htxsearch.facts.attachment import Candidate, Relation
from htxsearch.facts.mentions import FigureMention
from htxsearch.text.date_mentions import DateMention
from htxsearch.text.sentences import Span

__all__ = ["Framed", "Status", "status_candidates"]

Status = Literal["actual", "target", "change", "estimate", "other"]

_FILLERS = (
    r"(?:\s(?:thêm|được|khoảng|gần|hơn|trên|dưới|ít nhất|tới|đến|từ|bình quân|trung bình|mỗi năm|ở mức|mức|nhẹ|mạnh"
    r"|tương ứng|đạt|là|vọt"
    r"|có|thu nhập|doanh thu|giá|sản lượng|năng suất|diện tích))*\s?$"
)
_CHANGE = re.compile(
    rf"(?<!\w)(?:tăng|giảm|tăng thêm|giảm thêm|gấp|cao gấp|cao hơn|thấp hơn|nhiều hơn|ít hơn|rẻ hơn|đắt hơn|lớn hơn"
    rf"|lãi hơn|chênh lệch|chênh"
    rf"|sụt|hụt|mất thêm|vượt)(?: (?:giá|thu nhập|doanh thu|chi phí|năng suất))?{_FILLERS}",
    re.IGNORECASE,
)
_LEVEL = re.compile(
    r"(?<!\w)(?:lên|xuống|còn|thành|đưa|nâng|đạt|lên tới|lên đến|lên mức|xuống mức|là|ở mức)(?: (?:tới|đến|khoảng"
    r"|gần|hơn|trên|dưới|còn|mức)){0,4}\s?$",
    re.IGNORECASE,
)
_FROM_TO = re.compile(r"(?:tăng|giảm|lên|xuống|nâng)[^.;\d]{0,60}(?<!\w)từ (?:mức )?$", re.IGNORECASE)
_TO_BEHIND = re.compile(r"[^.;]{0,50}?(?<!\w)(?:lên|xuống|còn|đến)(?!\w)", re.IGNORECASE)
_COMPARED_BEHIND = re.compile(r"[^.;,\d]{0,25}(?:so với|so cùng kỳ|cùng kỳ)", re.IGNORECASE)
_AIM = re.compile(
    r"(?<!\w)(?:phấn đấu|mục tiêu(?! quốc gia)|chỉ tiêu|hướng tới|hướng đến|định hướng|quyết tâm|sẽ|cam kết"
    r"|đặt kế hoạch|kế hoạch (?:đến|năm|là|đặt|đề)"
    r"|tiến tới|tới đây|trong thời gian tới|thời gian tới|dự kiến (?:đến|giai đoạn)|(?:đề ra|đặt ra|đăng ký"
    r"|kiến nghị|đề xuất|cần (?:có|đạt|thêm))(?=[^.,;]{0,40}$))(?!\w)",
    re.IGNORECASE,
)
_AIM_HEADING = re.compile(
    r"[\W\dIVXivx]*(?:các |một số )?(?:mục tiêu|phương hướng|nhiệm vụ|định hướng|kế hoạch|chỉ tiêu)(?!\w)", re.IGNORECASE
)
_DONE = re.compile(
    r"(?<!\w)(?:đạt (?:và vượt )?(?:mục tiêu|chỉ tiêu|kế hoạch)|vượt (?:mục tiêu|chỉ tiêu|kế hoạch)"
    r"|so với (?:mục tiêu|chỉ tiêu|kế hoạch)"
    r"|đã (?:có|thành lập|tổ chức|đạt|được|tăng|giảm|hỗ trợ|xây dựng|giải ngân|hoàn thành)|hiện (?:nay|tại|có)"
    r"|đến nay|kết quả|chương trình mục tiêu"
    r"|đăng ký (?:kinh doanh|hoạt động|lại|xây dựng|thành lập)|mục tiêu quốc gia|giao thông|giao dịch|giao lưu"
    r"|bàn giao|giao khoán|giao nhận)(?!\w)",
    re.IGNORECASE,
)
_GUESS = re.compile(
    r"(?<!\w)(?:ước(?: tính| đạt| chừng| khoảng| thu| có| sẽ)?|dự báo|dự đoán|dự kiến(?! đến| giai đoạn)|có thể"
    r"|khả năng|tính toán|tương lai)(?!\w)[^.;]{0,60}$",
    re.IGNORECASE,
)
_GUESS_BEHIND = re.compile(r"\s?\(?ước tính", re.IGNORECASE)
_NORM = re.compile(
    r"(?<!\w)(?:quy định|điều kiện|tiêu chí|tiêu chuẩn|định mức|phạt|xử phạt|phải (?:có|đạt|là|từ|đảm bảo)"
    r"|không được|mức (?:hỗ trợ|đóng|phí|thu|vay|trợ cấp)|được (?:hỗ trợ|vay|hưởng|miễn|giảm)"
    r"|hỗ trợ tối đa|tối đa|quy mô tối thiểu|trường hợp|nếu|giả sử|ví dụ)(?!\w)",
    re.IGNORECASE,
)
_PENALTY = re.compile(r"(?<!\w)(?:xử phạt|phạt tiền|bị phạt|mức phạt)(?!\w)", re.IGNORECASE)
_WEAK_AIM = re.compile(
    r"(?<!\w)(?:đề ra|đặt ra|giao|nhằm|đăng ký|kiến nghị|đề xuất|đề nghị|cần|phải|tiếp tục|yêu cầu)(?!\w)", re.IGNORECASE
)
_GUESS_WORD = re.compile(r"(?<!\w)(?:dự kiến|ước|dự báo|có thể|khả năng|dự tính)(?!\w)", re.IGNORECASE)
_GROUP_OF = re.compile(
    r"(?:,? thành(?: phố)?)?[^.;,]{0,12}(?:trong|của|thuộc|khu vực|phía) (?:vùng|cả|khu|toàn|cụm|phía)?", re.IGNORECASE
)
_FIXED_GROUP = frozenset({"tỉnh", "huyện", "nước", "quốc gia", "tiêu chí"})


class Framed(NamedTuple):
    """The surroundings of a figure from which its status is read.

    `time` is its time, `heading` its section's, `announced` the text before its sentence from one that announces a list on.
    `before` is the status of the figure before, and `relation` how that one stands to it.
    """

    time: DateMention | None
    heading: str
    announced: str
    before: str | None
    relation: Relation


def status_candidates(text: str, sentence: Span, mention: FigureMention, framed: Framed) -> list[Candidate]:
    """Return the statuses that a figure may have.

    The cues of its sentence, and the status of the figure before, are the features.
    """
    cues = [name for name, holds in _cues(text, sentence, mention, framed).items() if holds]
    if framed.before and framed.relation:
        cues.append(f"{framed.before}, {framed.relation}")
    return [Candidate(status, {f"{status}: {cue}": 1.0 for cue in ("any", *cues)}) for status in get_args(Status)]


def _cues(text: str, sentence: Span, mention: FigureMention, framed: Framed) -> dict[str, bool]:
    time, heading, announced = framed.time, framed.heading, framed.announced
    before, behind = text[sentence.start : mention.phrase_start], text[mention.end : sentence.end]
    phrase = text[mention.phrase_start : mention.start].lower()
    changed = bool(_CHANGE.search(text, sentence.start, mention.start)) and not _LEVEL.search(before)
    from_to = bool(_FROM_TO.search(before)) and mention.low == mention.high and bool(_TO_BEHIND.match(behind))
    relative = mention.unit.kind in ("share", "ratio")
    compared = bool(_COMPARED_BEHIND.match(behind))
    guessed = "ước" in phrase.split() or _guessed(before) or bool(_GUESS_BEHIND.match(behind))
    done, norm = _last(_DONE, before), _last(_NORM, before)
    aim = _last(_AIM, _DONE.sub(lambda match: " " * len(match[0]), before))  # "so với mục tiêu" is no aim
    weak, guess_word = _last(_WEAK_AIM, before), bool(_GUESS_WORD.search(before))
    bounded = mention.qualifier in ("tối thiểu", "tối đa", "ít nhất")
    fixed = mention.unit.name in _FIXED_GROUP
    return {
        "changed": changed and not from_to,
        "changed, done": changed and not from_to and done >= 0,
        "changed, counted": changed and not from_to and not relative,
        "from A to B": from_to,
        "changed, relative": changed and not from_to and relative,
        "compared behind": compared,
        "compared behind, relative": compared and relative,
        "guessed": guessed,
        "guess word": guess_word,
        "aim": aim >= 0,
        "aim, not done": aim > done,
        "aim, clause": aim > max(done, before.rfind(";"), before.rfind("”"), before.rfind('",')),
        "weak aim": weak > done,
        "done": done >= 0,
        "norm": norm >= 0,
        "norm last": norm > max(aim, done),
        "bounded": bounded,
        "norm, bounded": norm >= 0 and bounded,
        "penalty": bool(_PENALTY.search(before)),
        "fixed group": fixed,
        "fixed group of": fixed and bool(_GROUP_OF.match(behind)),
        "heading": bool(_AIM_HEADING.match(heading)) and done < 0,
        "announced": _last(_AIM, announced) > _last(_DONE, announced),
        "time planned": time is not None and time.kind == "planned",
        "time planned, own": time is not None and time.kind == "planned" and sentence.start <= time.start < mention.start,
        "no time": time is None,
        f"unit {mention.unit.kind}": True,
    }


def _guessed(before: str) -> bool:
    match = _GUESS.search(before)
    return match is not None and not re.search(r"\d", match[0])


def _last(pattern: re.Pattern[str], text: str) -> int:
    """Return where the last match begins, -1 without one."""
    return max((match.start() for match in pattern.finditer(text)), default=-1)
