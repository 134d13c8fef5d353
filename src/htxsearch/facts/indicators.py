"""The indicator of a figure: what it counts or measures, as a noun phrase.

For example: số HTX, doanh thu của các HTX, tỷ lệ HTX hoạt động hiệu quả.
"""

import re

from htxsearch.facts.mentions import FigureMention
from htxsearch.facts.places import UPPER
from htxsearch.text.sentences import Span

__all__ = ["indicator_of", "subject_of"]

_MEASURES = (
    r"tổng doanh thu|doanh thu|doanh số|tổng thu nhập|thu nhập|lợi nhuận|tiền lãi|mức lãi|lãi suất|lãi|lỗ"
    r"|tổng nguồn vốn|nguồn vốn|tổng vốn|vốn điều lệ|vốn|quỹ|"
    r"giá bán|giá mua|giá trị|giá|tổng giá trị|chi phí|tổng chi phí|kinh phí|tổng kinh phí|tổng mức|mức phí|mức|phí"
    r"|lương|tiền công|tiền|tổng số tiền|số tiền|dư nợ|nợ|"
    r"tổng diện tích|diện tích|quy mô|sản lượng|tổng sản lượng|năng suất|công suất|khối lượng|trọng lượng|kim ngạch"
    r"|tỷ lệ|tỉ lệ|tỷ trọng|tốc độ|hệ số|"
    r"tổng dân số|dân số|mật độ|độ ẩm|nhiệt độ|độ sâu|chiều dài|chiều cao|chiều rộng|hạn mức|định mức|thuế|gói"
    r"|ngân sách|thiệt hại|nhu cầu|lượng|tổng lượng|số lượng|tổng đàn|đàn|"
    r"chương trình cho vay|khoản vay|dư địa|thị phần|tiến độ|tổng số|số"
)
_MEASURE = re.compile(rf"(?<!\w)(?P<head>{_MEASURES})(?!\w)(?P<rest>[^.;:()\d]*)$", re.IGNORECASE)
_MEASURE_ANY = re.compile(rf"(?<!\w)(?P<head>{_MEASURES})(?!\w)", re.IGNORECASE)
_LINK = re.compile(
    r"(?:^|\s|:)(?:là|năm|quý|tháng|tại|ở|liên tục|tương đối|ổn định|tuột|rớt|lao dốc|tụt|neo|đang|chạm|bắt đầu|đạt"
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
_LONGEST = 12
"""Words of the longest indicator."""
_GENERIC = frozenset({"đơn vị", "người", "lượt", "mô hình", "cơ sở", "trường hợp"})
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


def indicator_of(text: str, sentence: Span, mention: FigureMention) -> str:
    """Return the indicator of a figure, in the words of the text, with a head noun.

    For example: số, tỷ lệ, doanh thu, giá, diện tích.
    """
    before = text[sentence.start : mention.phrase_start]
    behind = _behind(text, mention, sentence)
    clause = before[_clause_start(before) :]
    kind = mention.unit.kind
    noun = " ".join(text[_number_end(text, mention) : mention.end].split()) if kind in ("count", "person") else ""
    if kind in ("count", "person"):
        headed = _COUNT_HEAD.search(clause)
        if headed and (mention.unit.name in _GENERIC or kind == "person" or not behind):
            return _clean(headed["head"])
        phrase = _clean(f"{noun or mention.unit.name} {behind}")
        founded = _FOUNDED.search(clause)
        if founded and "thành lập" not in phrase:
            phrase = f"{phrase} {founded[1].lower()}"
        if "/" in noun:
            phrase = phrase.split("/")[0]
        return f"số {phrase}" if not phrase.startswith(("số ", "lượt")) else phrase
    measured = _measured(clause) or _measured(before)
    if kind == "share":
        if measured and measured.lower().startswith(
            ("tỷ lệ", "tỉ lệ", "tỷ trọng", "tốc độ", "lãi suất", "độ ẩm", "thu nhập", "giá", "sản lượng")
        ):
            return measured
        if behind:
            share = re.sub(r"^(?:tổng )?(?:số|lượng) (?=\w)", "", behind)
            return f"{'tỷ trọng trong' if re.search(r'chiếm[^,;]{0,12}$', before) else 'tỷ lệ'} {share}"
        return measured or f"tỷ lệ {_tail(clause)}"
    if measured:
        return measured
    verb = _VERB.search(clause) or _VERB.search(before)
    if kind == "measure" and behind:
        return f"{_noun_of_measure(mention.unit.name)} {behind}"
    if verb:
        head = "kinh phí" if kind == "money" else _noun_of_measure(mention.unit.name)
        return _clean(f"{head} {verb['verb']} {_clean(verb['rest'])} {behind}")
    return _clean(f"{_noun_of_measure(mention.unit.name)} {behind or _tail(clause)}")


def _measured(clause: str) -> str | None:
    """Return the noun phrase of a measure that a clause ends with.

    For example: doanh thu của các HTX (đạt trên).
    """
    matches = list(_MEASURE_ANY.finditer(clause))
    if not matches:
        return None
    match = matches[-1]
    for other in reversed(matches[:-1]):
        between = clause[other.end() : match.start()]
        if re.fullmatch(r"\s(?:của |các )?|\s", between) or match["head"].lower() in ("mức", "số", "giá trị", "tiền"):
            match = other
        else:
            break
    phrase = clause[match.start() :]
    link = next((found for found in _LINK.finditer(phrase) if found.start() >= len(match["head"])), None)
    phrase = re.split(r"[,;:(]", phrase[: link.start()] if link else phrase)[0]
    return _clean(phrase) or None


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
