"""The indicator of a figure: what it counts or measures, as a noun phrase.

For example: số HTX, doanh thu của các HTX, tỷ lệ HTX hoạt động hiệu quả.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from htxsearch.facts.attachment import Candidate
from htxsearch.facts.mentions import FigureMention
from htxsearch.facts.places import UPPER
from htxsearch.text.sentences import Span

__all__ = ["Indicated", "indicator_candidates", "subject_of"]

_HEADS = {
    "price": "giá bán|giá mua|giá|chi phí|phí",
    "money": "doanh thu|doanh số|lợi nhuận|tiền lãi|lãi|lỗ|vốn điều lệ|nguồn vốn|vốn|quỹ|giá trị|kinh phí|tiền công|số tiền"
    "|tiền|dư nợ|nợ|thuế|ngân sách|thiệt hại|kim ngạch|gói|khoản vay|chương trình cho vay",
    "income": "thu nhập|lương",
    "area": "diện tích|quy mô",
    "mass": "sản lượng|khối lượng|trọng lượng|lượng|nhu cầu|dư địa",
    "yield": "năng suất|công suất|mật độ",
    "share": "tỷ lệ|tỉ lệ|tỷ trọng|tốc độ|hệ số|lãi suất|độ ẩm|thị phần|tiến độ",
    "count": "số lượng|số|dân số|đàn",
    "size": "nhiệt độ|độ sâu|chiều dài|chiều cao|chiều rộng",
    "limit": "hạn mức|định mức|mức",
}
"""The nouns that head an indicator, by what they are measured in."""
_HEAD_CLASS = {head: name for name, heads in _HEADS.items() for head in heads.split("|")}
_MEASURE_ANY = re.compile(
    rf"(?<!\w)(?P<head>(?:tổng |mức )?(?:{'|'.join(sorted(_HEAD_CLASS, key=len, reverse=True))}))(?!\w)", re.IGNORECASE
)
_LINK = re.compile(
    r"(?:^|\s|:)(?:là|hôm|năm|quý|tháng|tại|ở|liên tục|tương đối|ổn định|tuột|rớt|lao dốc|tụt|neo|đang|chạm|bắt đầu|đạt"
    r"|đạt tới|đạt mức|lên|xuống|còn|có|chiếm|ở mức|ước|ước đạt|được|tới|đến|từ|khoảng|gần|hơn|trên|dưới|mức|tăng"
    r"|giảm|vào|bằng|với|chỉ|cũng|đã|hiện|nay"
    r"|hiện nay|đến nay|ước tính|trung bình|bình quân|tối thiểu|tối đa|ít nhất|phải|giữ|dao động|thêm|chưa|vẫn|sẽ"
    r"|chừng|vượt|qua|mới|thu về|mang lại|cho)+(?=\s|$)",
    re.IGNORECASE,
)
_VERBS = (
    r"hỗ trợ|đầu tư|cho vay|giải ngân|vay|thu|chi|trả|đóng|nộp|ủng hộ|tặng|bán|mua|xuất khẩu|nhập khẩu|trồng|nuôi"
    r"|thu hoạch|thu mua|tiêu thụ|cung cấp|cung ứng"
    r"|sản xuất|thiệt hại|lãi|lỗ|góp|huy động|bồi thường|phạt|kiếm|lời|nhập|xuất|phát hành|tổ chức|thành lập"
    r"|tạo việc làm|kết nạp|giải thể|thu hút|đào tạo|tập huấn"
)
_VERB = re.compile(rf"(?<!\w)(?P<verb>{_VERBS})(?!\w)(?P<rest>[^.;:\d]{{0,40}})$", re.IGNORECASE)
_STOP = re.compile(
    r"[,;.:()\n\d“”\"]|(?<!\w)(?:và(?= \d)|với(?= [^\W\d_]* ?\d)|trong đó|trong khi|gồm|bao gồm|trên địa bàn|so với"
    r"|đạt(?= \d)|tại|ở|vào|từ(?= (?:\d|năm|ngày))|chiếm|là|cho|của cả|theo|nhưng|vì"
    r"|với(?= (?:trên|gần|hơn|khoảng|tổng))|trở lên|trở xuống)(?!\w)"
)
_FOUNDED = re.compile(
    r"(?<!\w)(thành lập mới|thành lập thêm|thành lập được thêm|thành lập|lập mới|giải thể|kết nạp|kết nạp mới"
    r"|củng cố|chuyển đổi|sáp nhập|ngừng hoạt động)(?: được| thêm| mới| thành công)*(?: ít nhất| từ| khoảng| hơn"
    r"| trên| gần)*\s$",
    re.IGNORECASE,
)
_SHARED_TAIL = re.compile(
    r"(?:(?:, | và |, và )(?:(?:gần|hơn|trên|khoảng) )?\d[\d.,]* [^\W\d_]+(?: [^\W\d_]+){0,2}?){1,3}"
    r" (?P<tail>(?P<verb>do|được|bị|tham gia|thuộc)(?!\w)[^,.;:()\d]*)"
)
"""What is said of all the counted of a list: 46 HTX, 113 THT do phụ nữ quản lý."""
_DEED = re.compile(r"(?<!\w)(?:thành lập(?: mới)?|lập mới|giải thể|kết nạp|chuyển đổi|sáp nhập|ngừng hoạt động)(?: mới)?$")
"""What was done with the counted of the figure before: thành lập mới 100 tổ hợp tác và 30 HTX."""
_JOINED = re.compile(r"[^.;\d]{0,12}?(?:,|và|cùng)\s?(?:từ |ít nhất |khoảng |gần |hơn |trên )?")
_COUNT_HEAD = re.compile(
    r"(?<!\w)(?P<head>(?:tổng )?số (?:lượng )?(?!tiền)[^,.;:()\d]{2,60}?)\s?(?:[:(]|là|đạt|lên|còn|có|ước|chiếm|tăng"
    r"|giảm|hiện|vào khoảng|khoảng)[^.;,\d]{0,30}$",
    re.IGNORECASE,
)
_TRIM = re.compile(
    r"^(?:của|các|những|đã|đang|được|là|có|thì|mà|và|để|này|đó)\s|\s(?:của|các|những|đã|đang|được|là|có|thì|mà|và|để|này|đó|với|cho|từ|đạt|hiện|vẫn|cũng|sẽ|đến|lên)$",
    re.IGNORECASE,
)
_BODY = (
    r"(?:HTX|hợp tác xã|liên hiệp (?:HTX|hợp tác xã)|THT|tổ hợp tác|QTDND|quỹ tín dụng(?: nhân dân)?|doanh nghiệp"
    r"|trang trại)"
)
_TOGETHER = re.compile(rf"(?:(?:, | và |, và | hoặc )(?:các )?{_BODY}(?!\w))+", re.IGNORECASE)
"""Bodies that a figure counts together: hơn 1.100 HTX, liên hiệp HTX và quỹ tín dụng."""
_PLACE_BEHIND = re.compile(
    rf"^ (?:ở|tại|của) (?:(?:các )?(?:tỉnh|huyện|xã|thành phố|thị xã) )?(?:[{UPPER}]\w*(?:, | và | )?)+(?=(?:được|do"
    rf"|có|đã|đang|tham gia)\s)"
)
"""A place between what is counted and its predicate: 36 HTX ở Lục Ngạn, Tân Yên được cấp mã số."""
_NEXT_PLACE = re.compile(
    rf"(?:[;,.] | và |:\s)(?:và |tại |ở |riêng )?(?:(?:tỉnh|huyện|xã|thành phố|thị xã|thị trấn|phường|quận|TP\.?) )?"
    rf"(?-i:[{UPPER}][^\W\d_]*(?: [{UPPER}][^\W\d_]*){{0,3}})(?: (?:có|được|là|đạt|với|chiếm))?\s?[:(–-]?\s?$",
    re.IGNORECASE,
)
"""The place of the next item of a list of places: 12 mô hình; Thị xã Phổ Yên: 8 mô hình."""
_ANNOUNCED = re.compile(r"(?<!\w)(?:cụ thể|trong đó|gồm|bao gồm|như sau|lần lượt|phân bố|chia theo)(?!\w)", re.IGNORECASE)
"""Words behind which a figure is divided."""
_LONGEST = 12
"""Words of the longest indicator."""
_MEASURES_BACK, _ADJACENT, _SHORT, _LISTED = 4, 3, 6, 40
"""Measures looked at, words between a measure and its figure, words of a short opening, characters between listed figures."""
_WEIGHED = frozenset("kg tấn tạ yến gram lạng lít con trái quả chục bó bao thùng hộp chai giạ m3 m2 bông cây buồng kwh".split())
"""Denominators of a price; any other, as of đồng/người or đồng/ha, is one of an income or a cost."""
_GENERIC = frozenset(
    "con|cái|chiếc|cây|trái|quả|bộ|suất|đơn vị|người|lượt|lượt người|mô hình|cơ sở|trường hợp|đối tượng".split("|")
)
"""Classifiers and nouns that say little: what is counted stands elsewhere."""
_CHANGED = re.compile(
    r"(?<!\w)(?:tăng|giảm|gấp|cao hơn|thấp hơn|nhiều hơn|ít hơn|sụt|vượt)(?: [^\W\d_]+){0,3} ?$", re.IGNORECASE
)
_NO_NOUN = re.compile(
    r"(?i:năm|tháng|quý|ngày|đến|từ|tại|ở|trong|nếu|khi|để|do|nhưng|tăng|giảm|còn|đạt|ước|cụ thể|theo|qua|với|cả|hiện|nay"
    r"|sau|trước|đầu|cuối|giữa|vụ|mùa|hôm|nhờ|ngoài|trên|dưới|thì|mà|đó|vì"
    rf"|ngoài ra)(?!\w)|(?i:tỉnh|huyện|xã|thôn|thành phố|thị xã|quận|phường|vùng|bản|ấp) [{UPPER}]",
)
"""Words that begin a phrase of time, place or kind, or a predicate: no noun phrase."""
_KIND_OF_BODY = (
    r"HTX|[Hh]ợp tác xã|THT|[Tt]ổ hợp tác|[Cc]ông ty(?: TNHH| CP| cổ phần)?|[Ll]iên hiệp HTX|Sở|Bộ|Ngân hàng"
    r"|Tập đoàn|Hội|Trung tâm|Công đoàn|Hiệp hội|Cục|[Tt]rang trại"
)
_SUBJECT = re.compile(
    r"(?<!\w)(?P<name>Liên minh (?:HTX|Hợp tác xã)(?: (?:tỉnh|thành phố|TP|Việt Nam))?|Quỹ (?:[Hh]ỗ trợ"
    r"|[Tt]ín dụng)[^,.;:()\d]{0,40}?"
    rf"|(?:{_KIND_OF_BODY})(?= [{UPPER}])(?: (?:[{UPPER}&][^\s,.;:()]*|và(?= [{UPPER}])|-|nông nghiệp|chè|dịch vụ|rau"
    rf"|an toàn|tổng hợp|chăn nuôi|thủy sản|sản xuất|thương mại|tỉnh|hữu cơ))*)"
)


_REPORTS = re.compile(
    r"(?:theo|báo cáo (?:của|từ)|(?:số liệu|thống kê|thông tin) (?:của|từ))(?: lãnh đạo| ông| bà)?\s$", re.IGNORECASE
)
"""Words before an organisation that only reports a figure."""


class Indicated(NamedTuple):
    """A figure with its indicator, for the figure behind it."""

    mention: FigureMention
    sentence: Span
    indicator: str


def indicator_candidates(
    text: str, sentence: Span, mention: FigureMention, before: Indicated | None, sentence_before: Span | None
) -> list[Candidate]:
    """Return the indicators that a figure may have, each with its features.

    They are the noun behind it, the measures named before it (doanh thu, giá lúa), what is announced as a number (số HTX là),
    the noun phrase that its clause begins with, a verb's ("hỗ trợ"), and the indicator of the figure before it.
    """
    kind = _class_of(mention)
    changed = bool(_CHANGED.search(text, sentence.start, mention.phrase_start))
    found: dict[str, Candidate] = {}

    def add(phrase: str, features: Mapping[str, float]) -> None:
        if phrase and phrase not in found:
            own = dict(features)
            if changed:  # a change is one of what stands before, as a rule
                own |= {f"changed, {next(iter(features))}": 1.0}
            found[phrase] = Candidate(phrase, own)

    behind = _behind(text, mention, sentence)
    for phrase, features in _before(text, sentence, mention, kind):
        add(phrase, features)
    if sentence_before:
        for number, match in enumerate(reversed(list(_MEASURE_ANY.finditer(text, *sentence_before))[-_MEASURES_BACK:])):
            phrase = _phrase_of(text, match, sentence_before.end)
            add(phrase, {"sentence before": 1.0, f"sentence before {min(number, 2)}": 1.0} | _fits(kind, match["head"]))
    counted, features = _noun_behind(text, sentence, mention, behind, kind)
    shared = _SHARED_TAIL.match(text, mention.end, sentence.end) if kind in ("count", "person") else None
    if shared:
        counted = f"số {_noun_of(text, mention)} {_clean(shared['tail'])}"
    add(counted, features)
    if before and before.sentence == sentence and (deed := _DEED.search(before.indicator)) and deed[0] not in counted:
        between = text[before.mention.end : mention.phrase_start]
        joined = {
            "deed before, joined": float(_JOINED.fullmatch(between) is not None),
            "deed before, near": float(len(between) < _LISTED),
        }
        add(f"{counted} {deed[0]}", {"deed before": 1.0, f"deed before {kind}": 1.0} | joined)
    if before:
        same = before.sentence == sentence
        where = "as before, same sentence" if same else "as before"
        unit = "same unit" if before.mention.unit.name == mention.unit.name else f"{_class_of(before.mention)} > {kind}"
        between = text[before.mention.end : mention.phrase_start]
        in_brackets = float(between.count("(") > between.count(")"))
        listed = float(same and len(between) < _LISTED and not re.search(r"[^\W\d_]", between.split(",")[0]))
        of_list = {
            "as before, listed": listed,
            "as before, in brackets": in_brackets,
            "as before, next place": float(_NEXT_PLACE.search(between) is not None),
            "as before, announced": float(_ANNOUNCED.search(between) is not None),
        }
        add(before.indicator, {where: 1.0, f"{where}, {unit}": 1.0, f"{where}, {kind}": 1.0} | of_list)
    return list(found.values())


def _before(text: str, sentence: Span, mention: FigureMention, kind: str) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the phrases before a figure that may be its indicator.

    Each has its features.
    """
    before = text[sentence.start : mention.phrase_start]
    clause_start = _clause_start(before)
    headed = _COUNT_HEAD.search(before, clause_start)
    if headed:
        generic = float(mention.unit.name in _GENERIC)
        yield _clean(headed["head"]), {"headed": 1.0, f"headed {kind}": 1.0, "headed, generic": generic}
    matches = [
        match
        for match in _MEASURE_ANY.finditer(before)
        if not match[0][0].isupper() or not match.start() or before[match.start() - 2] in '.:;“"('
    ]
    matches = matches[-_MEASURES_BACK:]
    for number, match in enumerate(reversed(matches)):
        phrase = _phrase_of(before, match, len(before))
        rest = before[match.start() + len(phrase) :]
        where = {"measure": 1.0, f"measure {min(number, 2)}": 1.0, "measure, clause": float(match.start() >= clause_start)}
        where["measure, figure between"] = float(bool(re.search(r"\d", rest)))
        where["measure, adjacent"] = float(len(rest.split()) <= _ADJACENT)
        bare = float(phrase.lower() == match["head"].lower())
        where |= {"measure, bare": bare, f"bare {_head_class(match['head'])}": bare}
        where["measure, in brackets"] = float(rest.count(")") > rest.count("("))
        where["measure, holds the next"] = float(number > 0 and len(phrase) > matches[-number].start() - match.start())
        yield phrase, where | _fits(kind, match["head"])
    verb = _VERB.search(before)
    if verb:
        head = "kinh phí" if mention.unit.kind == "money" else _noun_of_measure(mention.unit.name)
        inside = float(verb.start() >= clause_start)
        yield (
            _clean(f"{head} {verb['verb']} {_clean(verb['rest'])}"),
            {"verb": 1.0, f"verb {kind}": 1.0, "verb, clause": inside},
        )
    for name, start in (("clause", clause_start), ("sentence", 0)):
        opening = _opening(before[start:])
        is_actor = mention.unit.kind not in ("count", "person") and re.fullmatch(_BODY, opening, re.IGNORECASE)
        if opening and not is_actor and not _NO_NOUN.match(opening) and (start or name == "clause"):
            is_short = len(opening.split()) <= _SHORT
            yield opening, {name: 1.0, f"{name} {kind}": 1.0, f"{name}, short": float(is_short)}


def _fits(kind: str, head: str) -> dict[str, float]:
    """Return the feature of a measure's head that stands before a figure of a class."""
    return {f"{_head_class(head)} | {kind}": 1.0}


def _head_class(head: str) -> str:
    return _HEAD_CLASS[head.lower().removeprefix("tổng ").removeprefix("mức ")]


def _class_of(mention: FigureMention) -> str:
    """Return the class of a unit that the head of an indicator depends on.

    Money per kilogram is a price.
    """
    unit, _, per = mention.unit.name.partition("/")
    if mention.unit.kind == "money":
        return "money" if not per else "price" if per.split("/")[0] in _WEIGHED else "income"
    if mention.unit.kind == "measure":
        name = _noun_of_measure(unit)
        return f"{name} per" if per else name
    return mention.unit.kind


def _opening(clause: str) -> str:
    """Return the noun phrase that a clause begins with, up to its first verb or link."""
    link = next((found for found in _LINK.finditer(clause) if found.start() > 0), None)
    phrase = re.split(r"[,;:(]", clause[: link.start()] if link else clause)[0]
    return _clean(phrase)


def _noun_behind(text: str, sentence: Span, mention: FigureMention, behind: str, kind: str) -> tuple[str, dict[str, float]]:
    """Return the noun that a figure counts, and its features.

    What stands behind it belongs to it.
    """
    before = text[sentence.start : mention.phrase_start]
    clause = before[_clause_start(before) :]
    features = {"behind": 1.0, f"behind {kind}": 1.0, f"behind {kind}, words": float(bool(behind))}
    if kind in ("count", "person", "announced", "time", "age"):
        noun = _noun_of(text, mention)
        phrase = _clean(f"{noun} {behind}")
        founded = _FOUNDED.search(clause)
        if founded and "thành lập" not in phrase:
            phrase = f"{phrase} {founded[1].lower()}"
        if "/" in noun:
            phrase = phrase.split("/")[0]
        generic = mention.unit.name in _GENERIC
        features |= {"behind, generic": float(generic), "behind, generic, words": float(generic and bool(behind))}
        features["behind, known"] = float(mention.unit.known)
        return phrase if phrase.startswith(("số ", "lượt")) else f"số {phrase}", features
    if kind in ("share", "ratio"):
        share = re.sub(r"^(?:tổng )?(?:số|lượng) (?=\w)", "", behind) or _tail(clause)
        part = re.search(r"chiếm[^,;]{0,12}$", before)
        return _clean(f"{'tỷ trọng trong' if part and behind else 'tỷ lệ'} {share}"), features
    return _clean(f"{_noun_of_measure(mention.unit.name)} {behind or _tail(clause)}"), features


def _phrase_of(text: str, measure: re.Match[str], end: int) -> str:
    """Return the noun phrase of a measure: doanh thu của các HTX.

    It ends at a verb, a link or a mark.
    """
    phrase = text[measure.start() : end]
    link = next((found for found in _LINK.finditer(phrase) if found.start() >= len(measure["head"])), None)
    return _clean(re.split(r"[,;:(.\d]", phrase[: link.start()] if link else phrase)[0])


def _behind(text: str, mention: FigureMention, sentence: Span) -> str:
    rest = text[mention.end : sentence.end]
    together = _TOGETHER.match(rest)
    if together:
        return _clean(together[0])
    if not rest[:1].isspace():
        return ""
    rest = _PLACE_BEHIND.sub("", rest)
    stop = _STOP.search(rest)
    return _clean(rest[: stop.start()] if stop else rest)


def _clause_start(before: str) -> int:
    return max((match.end() for match in re.finditer(r"[;(]\s?|,\s|(?<!\w)(?:trong đó|với|và)(?!\w)", before)), default=0)


def _noun_of(text: str, mention: FigureMention) -> str:
    """Return the noun that a figure counts, as written."""
    return " ".join(text[_number_end(text, mention) : mention.end].split()) or mention.unit.name


def _number_end(text: str, mention: FigureMention) -> int:
    match = re.match(
        r"[\d.,/\s–-]*(?:(?:nghìn|ngàn|triệu|tỷ|tỉ|trăm|chục|vạn)\s)*", text[mention.start : mention.end], re.IGNORECASE
    )
    return mention.start + (match.end() if match else 0)


def _noun_of_measure(unit: str) -> str:
    head = unit.split("/")[0]
    if head in ("ha", "m2", "sào", "mẫu", "công", "km2"):
        return "diện tích"
    if head in ("đồng", "USD", "euro"):
        return "số tiền"
    return "sản lượng" if head in ("tấn", "tạ", "kg") else "mức"


def _tail(clause: str) -> str:
    return " ".join(clause.split()[-6:])


def _clean(phrase: str) -> str:
    words = " ".join(phrase.split()[:_LONGEST]).strip(" -–,:;")
    while True:
        trimmed = _TRIM.sub("", words)
        if trimmed == words:
            return words[:1].lower() + words[1:] if words[1:2].islower() else words
        words = trimmed


def subject_of(text: str, sentence: Span, mention: FigureMention) -> str | None:
    """Return the organisation that the sentence names last before a figure, else None."""
    found = [
        match
        for match in _SUBJECT.finditer(text, sentence.start, mention.phrase_start)
        if not _REPORTS.search(text, sentence.start, match.start())
    ]
    return " ".join(found[-1]["name"].split()) if found else None
