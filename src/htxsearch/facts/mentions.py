"""The figures of a text that count or measure something.

Each has its unit and qualifier.

Dates, document numbers, numbering, times, ages, phone numbers and names with numbers are left out, and numbers that
announce a list ("4 giải pháp"). `text.figures` reads the numbers; here are fractions (1/3, 13/15 hộ, một nửa), too.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from htxsearch.facts.units import Unit, unit_behind, unit_per
from htxsearch.text.date_mentions import DateMention
from htxsearch.text.document_numbers import document_numbers
from htxsearch.text.figures import Figure, figures
from htxsearch.text.sentences import Span

__all__ = ["FigureMention", "figure_mentions"]


class FigureMention(NamedTuple):
    """A figure that counts or measures.

    `text[start:end]` is the value with its unit, without its qualifier.

    `low` and `high` differ for a range only. `qualifier` is the Vietnamese word by which `evals/facts` names it.
    """

    start: int
    end: int
    low: float
    high: float
    unit: Unit
    qualifier: str | None
    phrase_start: int


_FRACTION = re.compile(r"(?<![\d/.,])(\d{1,4})\s?/\s?(\d{1,4})(?![\d/]|[.,]\d)")
_HALF = re.compile(r"(?<!\w)(?:một |1 )?nửa(?= (?:số|tổng|diện|sản|dân|giá|thu|doanh|lượng|so))", re.IGNORECASE)
_GROUPED_BY_COMMA = re.compile(r"\d{1,3}(?:,\d{3})+(?!\d)")
_NAME_BEFORE = re.compile(
    r"(?:(?<!\w)(?:điều|khoản|điểm|chương|mục|phụ lục|bảng|hình|ảnh|biểu|(?<!trong )số|(?<!kỷ )(?<!kỉ )luật"
    r"|nghị quyết|nghị định|thông tư"
    r"|quyết định|chỉ thị"
    r"|chương trình|dự án|đề án|kế hoạch|kết luận|quốc lộ|tỉnh lộ|ql|tl|dt|đt|đường|ngõ|ngách|hẻm|số nhà|lô|tầng"
    r"|phòng|tổ|khu|thôn|đội"
    r"|ấp|bản|khóm|phường|quận|xóm|cụm|vùng|lần thứ|thứ|khóa|khoá|tập|trang|loại|hạng|nhóm|đợt|vụ|mùa|covid"
    r"|(?<!được )(?<!cung )(?<!trợ )(?<!đã )(?<!sẽ )(?<!mới )cấp"
    r"|tiêu chí|kênh|vtv|lúc"
    r"|đại hội|hội nghị|trung ương|mùng|mồng|rằm|(?:một|1|2|3) trong|(?:một|1|2|3) trong (?:số |những )|kỳ họp|phiên"
    r"|máy|giống|ir|g|iso|cách mạng công nghiệp|công nghiệp|f|q|p|(?<!mỗi )(?<!hằng )(?<!hàng )(?:tháng|ngày|năm)"
    r"|vitamin|đời)[ ]?)$",
    re.IGNORECASE,
)
"""Words that a number names, orders or dates: Điều 4, Quốc lộ 27, loại 1."""
_CODE_BEFORE = re.compile(
    r"(?:[A-ZĐ]{1,4}\d*[-–]|(?<![A-ZĐ])[A-Z]{1,2}\s?|\w[-–]|\d[.,:/]|\d\s?[x×]\s?|[(\[]\+?84[)\]]?\s?|\+)$"
)
_CODE_BEHIND = re.compile(r"(?:[-–]?[A-ZĐ]{2,}\b(?<!HTX)(?<!THT)|:\d|/\d|\.\d|[A-Za-z]\d|\s?[x×]\s?\d|h\d|g\d)")
_NUMBERING = re.compile(r"(?:^|[.;:!?”\"]\s+|[,;]\s)\(?$")
_CONTACT = re.compile(
    r"(?:điện thoại|đt|fax|hotline|tel|di động|số máy|zalo|email|giấy phép|gp|mst|mã số(?: thuế)?|tài khoản"
    r"|stk)\s?[^.;]{0,25}$",
    re.IGNORECASE,
)
_FURNITURE = re.compile(
    r"\s?(?:lượt xem|lượt đọc|lượt truy cập|bình luận|đánh giá|chữ|người đang (?:xem|truy cập|online)"
    r"|trong \d+ đánh giá|sao\b|view)",
    re.IGNORECASE,
)
_PER_BEFORE = re.compile(r"(?:(?<!\w)(?:mỗi|bình quân|trung bình|trên|của|cứ|/|cho)\s?)$", re.IGNORECASE)
_UNIT_BEFORE = re.compile(r"(?:đồng|đ|tấn|tạ|kg|ha|con|cây|người|lít)[ ]$", re.IGNORECASE)
_BARE_ONE = re.compile(r"(?:một|1)$", re.IGNORECASE)
_EXCLUDED_BEHIND = re.compile(
    r"\s?(?:giá trị gia tăng|cửa|trong một|tại chỗ|trong những|số\b|vài\b|ít\b|cách\b|phần\b|mình\b|cũng\b|nào\b"
    r"|khi\b|thời\b|lúc\b)",
    re.IGNORECASE,
)
_LIMIT = re.compile(r"(?<!\w)(tối thiểu|tối đa|ít nhất)(?: (?!và\b|hoặc\b)[^\W\d_]+){1,3}\s$", re.IGNORECASE)
"""A limit with a verb between it and the figure: tối thiểu phải đạt 50 ha."""
_AVERAGE = re.compile(r"(?<!\w)(trung bình|bình quân)(?: (?:khoảng|là|từ|đạt|ước|mỗi năm))*\s$", re.IGNORECASE)
_UP_TO = re.compile(r"(?<!\w)(?:lên (?:tới|đến)|(?<!không )(?<!chưa )tới)\s$", re.IGNORECASE)
_NAMES: Sequence[tuple[str, tuple[str, ...]]] = (
    ("tối thiểu", ("tối thiểu",)),
    ("tối đa", ("tối đa", "không quá", "nhiều nhất", "chưa quá", "không hơn", "không vượt")),
    ("ít nhất", ("ít nhất", "không dưới", "không ít", "không thấp", "không nhỏ", "không kém")),
    ("dưới", ("dưới", "chưa", "không đến", "không tới", "không đầy", "ít hơn", "thấp hơn", "nhỏ hơn", "kém hơn")),
    ("khoảng", ("khoảng", "chừng", "tầm", "xấp xỉ", "trên dưới", "hơn kém")),
    ("gần", ("gần", "non", "ngót", "suýt")),
    ("hơn", ("hơn", "vượt", "quá", "ngoài")),
    ("trên", ("trên",)),
)
_BY_BOUND = {"at least": "ít nhất", "at most": "tối đa"}
_TERM = re.compile(
    r"(?<!\w)(?:thời hạn|kỳ hạn|hợp đồng|khoanh nợ|chậm|nợ lương|kéo dài|trong vòng|thời hạn vay|gia hạn"
    r"|ân hạn)(?: (?:là|tối đa|không quá|ít nhất|trong|từ|đến|thuê|hơn|gần|thêm))*\s$",
    re.IGNORECASE,
)
"""Words before a duration that is the term of a contract or rule; any other duration is no fact."""
_SHORT_TIMES = frozenset({"giờ", "phút", "giây"})
"""Durations that are no term: mưa kéo dài 2 giờ."""
_DEFINED_BEFORE = re.compile(
    r"(?<!\w)(?:chục|thùng|bao|hộp|giạ|công|sào|mẫu|lô|bó|két|cần xé|tá|thúng)\s?\((?:khoảng |bằng |gồm |tương đương )?$",
    re.IGNORECASE,
)
"""A unit that the figure behind it explains: một chục (12 trái)."""
_BAND_BEHIND = re.compile(
    r"(?:,? [^\W\d_]+){0,4}(?: (?:trở lên|trở xuống))?,?(?: thì| phải| mức)*"
    r" (?:thu|đóng|nộp|phạt|hỗ trợ|được hỗ trợ)(?: là| phí| mức| phải)* (?:\d|một|hai|ba|bốn|năm|sáu)",
    re.IGNORECASE,
)
"""What stands behind the band of a tariff: hộ có 1 - 3 con trâu thu 300.000 đồng."""
_NEXT_IN_LIST = re.compile(r"(?:, | và | hay | lên | xuống | trong (?:tổng )?số | trên tổng số )\d+(?:[.,]\d+)*")
_LONGEST_LIST = 6
_COORDINATED = re.compile(r"[^.,;:()\d]{0,40}(?<!\w)(?:và|hoặc|hay)\s$")
_INHERITED = frozenset({"khoảng", "tối thiểu", "tối đa", "ít nhất"})


def figure_mentions(text: str, dates: Sequence[DateMention]) -> list[FigureMention]:
    """Return the figures of NFC `text` that count or measure something, in order.

    `dates` are those of the text.
    """
    taken = sorted(
        [Span(date.start, date.end) for date in dates] + [Span(number.start, number.end) for number in document_numbers(text)]
    )
    starts, furthest = [span.start for span in taken], list(accumulate((span.end for span in taken), max))
    found: list[FigureMention] = []
    for number in sorted([*_plain(text), *_fractions(text)]):
        before = bisect_left(starts, number.end)
        is_taken = before > 0 and furthest[before - 1] > number.start
        if not is_taken and (mention := _mention(text, number)):
            previous = found[-1] if found else None
            if previous and mention.start < previous.end:
                continue
            inherits = mention.qualifier is None and previous and previous.qualifier in _INHERITED
            if previous and inherits and _COORDINATED.fullmatch(text, previous.end, mention.phrase_start):
                mention = mention._replace(qualifier=previous.qualifier)
            found.append(mention)
    return found


class _Number(NamedTuple):
    start: int
    end: int
    low: float
    high: float
    phrase_start: int
    bound: str
    unit: Unit | None
    worded: bool


def _plain(text: str) -> Iterator[_Number]:
    for figure in figures(text):
        low, high = _regrouped(text, figure)
        worded = not text[figure.number].isdigit()
        yield _Number(figure.number, figure.end, low, high, figure.start, figure.bound, None, worded)


def _regrouped(text: str, figure: Figure) -> tuple[float, float]:
    """Return the values of a figure, 135,400 người as a hundred thousand.

    Nothing counted has three decimals.
    """
    written = text[figure.number : figure.end]
    if not _GROUPED_BY_COMMA.fullmatch(written) or written.startswith("0"):
        return figure.low, figure.high
    unit = unit_behind(text, figure.end)
    if unit is None or unit.kind not in ("count", "person", "money"):
        return figure.low, figure.high
    value = float(written.replace(",", ""))
    return value, value


def _fractions(text: str) -> Iterator[_Number]:
    for match in _FRACTION.finditer(text):
        part, whole = int(match[1]), int(match[2])
        if not 0 < part <= whole or re.search(
            r"(?:ngày|sáng|chiều|tối|trưa|tháng|hôm|đến|từ|[-–])\s?$", text[max(0, match.start() - 8) : match.start()]
        ):
            continue
        unit = unit_behind(text, match.end())
        phrase = match.start()
        if unit and unit.kind in ("count", "person") and unit.known and whole > 3:
            yield _Number(
                match.start(1), match.end(1), part, part, phrase, "exact", Unit(match.end(1), unit.name, unit.kind), False
            )
            yield _Number(match.start(2), unit.end, whole, whole, match.start(2), "exact", unit, False)
        elif (part == 1 and whole <= 10) or (
            part < whole <= 10
            and re.search(r"(?:chiếm|bằng|khoảng|gần|hơn|còn|tới|đến|được) $", text[max(0, phrase - 8) : phrase])
        ):
            share = round(part / whole, 4)
            yield _Number(phrase, match.end(), share, share, phrase, "exact", Unit(match.end(), "lần", "ratio"), False)
    for match in _HALF.finditer(text):
        yield _Number(match.start(), match.end(), 0.5, 0.5, match.start(), "exact", Unit(match.end(), "lần", "ratio"), False)


def _mention(text: str, number: _Number) -> FigureMention | None:
    before, behind = text[max(0, number.start - 60) : number.start], text[number.end : number.end + 30]
    before = before[before.rfind("\n") + 1 :]
    if number.unit is None and _is_named(before, behind, number):
        return None
    unit = number.unit or unit_behind(text, number.end)
    scaled = number.unit is None and re.search(r"(?:nghìn|ngàn|triệu|tỷ|tỉ)$", text[number.start : number.end], re.IGNORECASE)
    if scaled and (unit is None or text.startswith("/", number.end)):
        unit = _money(text, number.end)
    if unit is None and number.unit is None:
        unit = _unit_of_list(text, number.end)
    if unit is None or unit.kind in ("age", "announced") or _is_no_term(unit, before):
        return None
    if number.worded and not _counts_in_words(text, number, unit):
        return None
    if not _is_counted(text, number, unit) or _is_band(text, number, unit):
        return None
    if _DEFINED_BEFORE.search(before) and text.startswith(")", unit.end):
        return None
    if _is_denominator(before, behind, number, unit):
        return None
    qualifier = _qualifier(text, number, before)
    if not re.match(r"\s?/", text[unit.end : unit.end + 2]):
        unit = unit_per(text, _sentence_start(text, number.start), number.start, unit)
    return FigureMention(number.start, max(unit.end, number.end), number.low, number.high, unit, qualifier, number.phrase_start)


def _sentence_start(text: str, at: int) -> int:
    """Return where the sentence of a figure begins, at most 200 characters before it."""
    since = max(0, at - 200)
    return max((match.end() for match in re.finditer(r"\n|[.!?…;]\s", text[since:at])), default=0) + since


def _unit_of_list(text: str, at: int) -> Unit | None:
    """Return the unit that a bare number shares with the next ones.

    For example: 476, 358 và 118 HTX; 41 trong số 58 lao động.
    """
    first = at
    for _ in range(_LONGEST_LIST):
        match = _NEXT_IN_LIST.match(text, at)
        if match is None:
            return None
        unit = unit_behind(text, match.end())
        if unit is not None:
            return unit._replace(end=first) if unit.kind not in ("time", "age", "announced") else None
        at = match.end()
    return None


def _money(text: str, at: int) -> Unit:
    """Return the unit of a scale without a noun: 35 nghìn, 60 triệu/năm."""
    per = unit_behind(f" đồng{text[at : at + 30]}", 0)
    assert per is not None
    return per._replace(end=at + max(0, per.end - len(" đồng")))


def _is_named(before: str, behind: str, number: _Number) -> bool:
    """Return True if a number is part of a name, a code, a time or a numbering."""
    if _NAME_BEFORE.search(before) and not re.match(r"\s?(?:%|triệu|tỷ|tỉ|nghìn|đồng|ha\b|HTX)", behind):
        return True
    if _CODE_BEFORE.search(before) or _CODE_BEHIND.match(behind) or _CONTACT.search(before) or _FURNITURE.match(behind):
        return True
    is_integer = number.low == number.high == int(number.low) and number.low < 100
    if is_integer and not number.worded and re.match(r"\s?[.)/]\s", behind + " ") and _NUMBERING.search(before):
        return True
    return bool(number.worded and _EXCLUDED_BEHIND.match(behind))


def _counts_in_words(text: str, number: _Number, unit: Unit) -> bool:
    """Return True if a number in words plainly counts: ba cán bộ, hai triệu đồng.

    "một hộ" and "hai bên" do not.
    """
    written = text[number.start : number.end]
    if _BARE_ONE.fullmatch(written):
        return False
    return unit.known and not re.match(r" (?:này|đó|trên|kia|nói trên)(?!\w)", text[unit.end : unit.end + 12])


def _is_counted(text: str, number: _Number, unit: Unit) -> bool:
    """Return True unless a number is a year before an uncounted noun.

    For example: vụ lúa 2022 HTX bán.
    """
    written = text[number.start : number.end]
    is_year = 1900 <= number.low <= 2100 and number.low == number.high and number.bound == "exact" and "." not in written
    return not (is_year and (not unit.known or unit.kind == "count"))


def _is_no_term(unit: Unit, before: str) -> bool:
    """Return True if a unit is a duration that is no term of a contract or rule."""
    return unit.kind == "time" and (unit.name in _SHORT_TIMES or not _TERM.search(before))


def _is_band(text: str, number: _Number, unit: Unit) -> bool:
    """Return True if a figure is a band of a tariff.

    It is a range of counted things, or a bound, and what is paid for it follows.
    """
    bounded = number.low != number.high or re.match(r"(?: [^\W\d_]+){0,3} trở (?:lên|xuống)", text[unit.end : unit.end + 40])
    return unit.kind in ("count", "person") and bool(bounded) and bool(_BAND_BEHIND.match(text, unit.end))


def _is_denominator(before: str, behind: str, number: _Number, unit: Unit) -> bool:
    """Return True if a number is what another figure is counted by.

    For example: mỗi 1 ha, 30.000 đồng 1 kg.
    """
    if number.low != 1 or number.high != 1:
        return False
    if unit.kind == "measure" and unit.name in ("kg", "tấn", "ha", "lít") and "giá" in behind:
        return True
    return bool(_PER_BEFORE.search(before) or _UNIT_BEFORE.search(before))


def _qualifier(text: str, number: _Number, before: str) -> str | None:
    phrase = text[number.phrase_start : number.start].lower().strip()
    if "ước" in phrase.split() and not re.search("khoảng|gần|hơn|trên|chừng|dưới", phrase):
        phrase = ""
    for name, begins in _NAMES:
        if phrase and any(phrase.startswith(begin) or f" {begin}" in phrase for begin in begins):
            return name
    if number.bound in _BY_BOUND and not phrase:
        return _BY_BOUND[number.bound]
    limit = _AVERAGE.search(before) or (_LIMIT.search(before) if not phrase else None)
    if limit:
        return limit[1].lower().replace("ı", "i")  # which re.IGNORECASE takes for i
    return "tối đa" if _UP_TO.search(before) else None
