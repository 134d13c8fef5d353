"""Question analysis: the kind of answer asked for, and its constraints.

They are its noun or unit, and the times, provinces and documents that the question names.

Rules over closed lists of Vietnamese question phrases, of whole words: the first rule that matches decides. A
question without diacritics is matched by the same rules without theirs. In a question that has some diacritics, a
syllable with diacritics matches only itself. A query without a question phrase (số HTX Thái Nguyên 9/2019) is
classified by the noun it begins with. Polite openings and endings (cho em hỏi … vậy ạ) are stripped first.
"""

import re
from dataclasses import dataclass, replace
from functools import cache
from itertools import takewhile
from typing import Literal

from htxsearch.answer.figures import Status, status_asked
from htxsearch.text.date_mentions import DateMention
from htxsearch.text.document_numbers import document_numbers
from htxsearch.text.normalize import canonical_spelling, folded_form, has_diacritics, nfc, strip_diacritics
from htxsearch.text.places import question_provinces
from htxsearch.text.query_dates import question_dates
from htxsearch.text.stopwords import is_interrogative, is_stop_word
from htxsearch.text.tokens import Token, tokens

__all__ = [
    "FIGURES",
    "Kind",
    "QuestionAnalysis",
    "analyse_question",
    "folded_words",
    "plain_question",
    "with_diacritics",
]

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

FIGURES = ("number", "money", "percent")
"""The kinds whose answer is a figure, which holds at a time and has a status."""

_COUNTED_TERMS = 3
"""Terms of the counted noun, behind bao nhiêu or số: bao nhiêu hợp tác xã."""
_SIGNS = "?!.,;:()\"'“”"
"""Signs beside a word that are no part of it."""
_RESTORED_REACH = 6
"""Words of a restored question in which the next typed word is looked for: it spells abbreviations out."""
_NOUN_TERMS = 5
"""Terms of a noun in front of its question word: giám đốc điều hành nào."""


def _any(words: str) -> str:
    """Return a rule that matches any of the phrases, which are separated by commas."""
    return "(?:" + "|".join(words.split(", ")) + ")"


def _not(words: str) -> str:
    """Return a rule that fails behind any of the words.

    For example, xã means a commune, but not in hợp tác xã.
    """
    return "".join(f"(?<!{word} )" for word in words.split(", "))


_WHICH = "(?:nào|gì)"
_FAR = r"\b.*\b"
_DOCUMENTS = _any("nghị quyết, nghị định, quyết định, thông tư, chỉ thị, công văn, kết luận, kế hoạch, thông báo")
_AMOUNTS = _any("doanh thu, chi phí, thu nhập, kinh phí, học phí, lợi nhuận, số tiền, mức phạt, tiền lương, mức lương")
_TIMES = _any(
    "năm, ngày, tháng, quý, thập niên, thập kỷ, thế kỷ, thời gian, thời điểm, giai đoạn, thời kỳ, thời đại, niên đại, tuần"
    ", kỷ, thời"
)
_ORGANISATIONS = _any(
    "công ty, tổ chức, cơ quan, htx, hợp tác xã, tổ hợp tác, doanh nghiệp, đại học, đội bóng, ngân hàng"
    ", <hãng>, tập đoàn, hiệp hội, <ban>, nhóm, <viện>, tờ báo, <đài>, kênh, câu lạc bộ, liên minh, liên hiệp, nhà thờ"
    ", nhà máy, nhà xuất bản, nhà thầu, quân đội, ủy ban"
    f", {_not('thay, chuyen, phan, bien, cuoc, nhiet, trao')}đội(?! gi)"
    f", {_not('hinh, tinh')}đảng(?! gi)"
    f", {_not('cán, toàn, nội, khung, tuyen')}bộ"
    f", {_not('xã, cơ, đại, lễ')}hội"
    f", {_not('môi, thị, lập, quảng, hiện, chủ, chiến')}trường"
)
_PERSONS = _any(
    "người, ông, bà, nhân vật, tác giả, tổng thống, vua, hoàng đế, chủ tịch, giám đốc, giám đốc điều hành, bí thư, bộ trưởng"
    ", thủ tướng, nữ hoàng, <tướng>, học giả, chuyên gia, nghệ nhân, diễn viên, đạo diễn, cầu thủ, huấn luyện viên, nông dân"
    ", cán bộ, (?:tiến|thạc|bác|nhạc|ca|họa|nghệ|nhân|võ|thi) sĩ, (?:luật|giáo|kỹ) sư, (?:tổ|đội|nhóm|hiệu|thuyền) trưởng"
    f", {_not('tap, dia')}chị"
    f", {_not('hinh, nhiep')}anh"
    f", {_not('gia, đơn, địa, hương, khẩu')}vị"
)
_OF_A_TRADE = (
    r"nhà (?!máy|nước|hàng|hát|xưởng|kho|kính|màng|trường|ở|nghỉ|mạng|sàn|vườn|dân)[^\W\d]+(?: học| gia| cứu| đạo| lý)?"
)
_KIN = _any("cha, <bố>, mẹ, vợ, chồng, con trai, con gái, em trai, em gái, <cô>, <chú>, <bác>")
_PLACES = _any(
    "thành phố, quốc gia, thị xã, huyện, thôn, xóm, ấp, vùng, khu vực, châu lục, lục địa, hòn đảo, quần đảo, <đảo>, lãnh thổ"
    ", khu, châu, tiểu bang, thị trấn, địa điểm, quận, phường, sông, núi, địa phương, khu phố, <phố>, <bản>, <bang>"
    f", {_not('tác')}xã"
    f", {_not('ve, hanh, dac, may')}tỉnh"
    f", {_not('lo, im')}làng"
    f", {_not('ung')}hồ"
    f", {_not('cam')}biển"
)
_WHITHER = _any("ở, tại, đến, tới, về, đi, sang, qua, (?:bắt nguồn|đến|mua|nhập|khởi hành|xuất phát|đi|chuyển) từ")
_BEGINNING = _any("tien, tu, nam, thang, quy, vu, mua, the ky, nhiem ky")
_OFFICES = _any(f"{_not('tổ, công, viên')}chức, chức vụ, chức danh, cương vị")
_NOT_OF_A_NOUN = _any("vào, cho, ở, <tại>, <từ>, trong, bằng, với, <để>, về, là, bị, được, <có>, theo, như, thế nào, cách nào")
_NOUN = rf"(?: (?!{_NOT_OF_A_NOUN}\b)[^\s?,.;]+){{0,3}}? "
_NOT_OF_A_NAME = _any(
    "có, là, ở, thuộc, được, bị, trồng, nuôi, bán, mua, làm, vay, dùng, cho, đạt, theo, từ, vào, với, về, loại, giống, cây, con"
    ", món, hình, ngành, nghề, năm, ngày, tháng, thời, xã, huyện, tỉnh, nước, thế, như, cách, khi, lúc, mức, sản, thu"
)
_ASPECTS = _any(
    "tên, biệt danh, mục tiêu, mục đích, kết quả, hậu quả, đặc điểm, ý nghĩa, vai trò, nhiệm vụ, công thức, thủ đô, ngôn ngữ"
    ", điều, việc, đâu, một trong"
)
_BEGUN = _any(
    "thành lập, lập, ra đời, khai trương, khai mạc, khởi công, khánh thành, ban hành, ký, công bố, có hiệu lực, hiệu lực"
    ", bắt đầu, kết thúc, áp dụng, diễn ra, tổ chức, sinh, mất"
)
# A <word> asks only in a question with diacritics: without them it is mostly another word (mấy: máy, năm: Nam, ba: bà).
# A word without diacritics in a look-around (đâu: dau tien, dau tu) stops only the matching without diacritics.
_RULES: tuple[tuple[Kind, str], ...] = (
    ("reason", r"(?:vì|tại|bởi) sao|^(?:do )?sao(?= )|(?<=, )sao (?:các|những|mà|người)"),
    (
        "document",
        rf"số hiệu|(?:văn bản|luật|{_DOCUMENTS}) (?:nào|số mấy)|{_DOCUMENTS}{_FAR}số (?:mấy|bao nhiêu|nào)|^số {_DOCUMENTS}",
    ),
    (
        "percent",
        rf"bao nhiêu (?:phần trăm|%)|(?:tỷ lệ|tỉ lệ|phần trăm|tỷ trọng){_FAR}(?:bao nhiêu|<mấy>|nào|là gì)"
        r"|mấy (?:phần trăm|%)",
    ),
    (
        "money",
        r"(?:bao nhiêu|mấy|<nhiêu>) (?:tiền|(?:(?:nghìn|ngàn|triệu|tỷ|tỉ) )*(?:đồng|usd|đô la|euro|bảng|won|yên)|tỷ|tỉ|triệu"
        r"|vốn)",
    ),
    (
        "money",
        rf"(?:{_not('tham, đánh, đấu, quoc, chuyen, vo')}giá(?! dinh| nhap| tang)|{_AMOUNTS}){_FAR}(?:bao nhiêu|mức nào|<mấy>)",
    ),
    (
        "date",
        rf"{_not('loai, vu')}khi nào|{_not('không, chưa')}bao giờ"
        rf"|{_not('the, nang, ky, quyen, chau, hoa, dong, no, ap')}lúc nào|(?:hôm|thuở|hồi|<dạo>|mùa) nào"
        rf"|{_TIMES} {_WHICH}|<mùa> (?:gì|mấy)|ngày tháng năm|{_not('mỗi, một, hằng, hàng')}(?<!\d )(?:năm|ngày|tháng|quý)"
        r" (?:mấy|bao nhiêu(?=\s*[?,.]|$| thì| là))|(?:vào|từ|hồi) (?:năm|ngày|tháng|quý) bao nhiêu",
    ),
    ("number", r"bao nhiêu|bao lâu|bao xa|<mấy>|mức nào|<nhiêu>"),
    (
        "reason",
        r"(?:vì|do|bởi|nhờ vào|nhờ) đâu(?! tranh| tu)|nguyên nhân|(?:lý|lí) do|(?:vì|do) (?:cái|điều|lẽ|việc|chuyện) (?:gì|nào)"
        r"|(?:điều|cái|chuyện|việc|yếu tố) (?:gì|nào) (?:đã |đang )?(?:khiến|làm cho|gây|cản trở|ngăn|kìm hãm|buộc|dẫn đến)"
        rf"|hạn chế nào|yếu kém gì|{_not('có, ngôi')}(?<!\d )sao (?:lại|mãi|vẫn|cứ|chưa|không)(?! \?|\?|$)",
    ),
    ("definition", rf"viết tắt (?:của|cho|từ|là){_FAR}{_WHICH}|viết tắt (?:gì|là gì)"),
    (
        "list",
        rf"(?:những|các|(?<!thiet )hai|<ba>|<bốn>|<năm>|<sáu>){_NOUN}{_WHICH}|những (?:ai|gì)|gồm (?:những|có|các)|bao gồm"
        r"|kể tên|liệt kê|ngành nào|^(?:những|các)\b(?:(?!gọi\b).)*\blà gì",
    ),
    ("thing", rf"{_OFFICES} {_WHICH}|(?:giữ|nắm|đảm nhiệm|đảm nhận|công tác ở|làm ở) vị trí {_WHICH}|^đâu là"),
    (
        "organisation",
        rf"{_ORGANISATIONS} {_WHICH}|{_not('bằng, theo')}đơn vị nào"
        rf"|(?:htx|hợp tác xã|tổ hợp tác|công ty|doanh nghiệp)(?: (?!{_NOT_OF_A_NAME}\b)[^\W\d]+){{1,2}} nào",
    ),
    ("person", rf"ai(?! cập)|{_PERSONS} nào|{_OF_A_TRADE} nào|tên (?:thật |đầy đủ )?là gì|(?:{_PERSONS}|{_KIN}){_FAR}tên gì"),
    (
        "place",
        rf"{_not('do, nhờ, từ')}<đâu>|{_WHITHER} đâu(?! (?:\d|{_BEGINNING}\b))"
        rf"|{_not('ban, dan, bat, từ, do')}đâu(?=\s*\?|$)"
        rf"|{_PLACES} {_WHICH}|(?:thuộc|ở|tại) bản nào|{_not('loại, uống')}nước {_WHICH}"
        r"|(?:nơi|chỗ|(?<!bằng )đường|vị trí) nào",
    ),
    (
        "manner",
        rf"(?<!thuc )thế nào|ra sao|làm sao|(?:{_not('phong, tính, tư')}cách|kiểu) (?:nào|gì)|như nào|^bí quyết\b.*\blà gì",
    ),
    (
        "definition",
        r"(?:nghĩa là|được hiểu|khái niệm|định nghĩa|được gọi là) (?:gì|thế nào|như thế nào|là gì)|(?:có|mang) nghĩa gì"
        rf"|^(?!{_ASPECTS}\b)(?:(?!của\b)[^,]){{1,60}}\blà (?:cái )?gì(?=\s*\??$)",
    ),
    (
        "yesno",
        r"(?:có|đã|còn|được|bị|phải)\b.*\b(?:không|chưa)(?=\s*\??$)|(?:không|chưa)(?=\s*\?$)|<chưa>(?=$)|^(?:có phải|liệu)"
        r"|(?:phải|hay|đúng) không",
    ),
    ("thing", rf"{_WHICH}|từ đâu"),
    (
        "number",
        rf"{_not('nha, mua, say, dan, cua, bang, bo, xe')}mấy(?! (?:moc|bay|tinh|say|hut|cay|tre)\b)",
    ),
)
_AIM = r"^(?:(?:tổng|mục tiêu|chỉ tiêu|mức|dự kiến) )*"
_HEADS: tuple[tuple[Kind, str], ...] = (
    ("percent", rf"{_AIM}(?:tỷ lệ|tỉ lệ|tỷ trọng|phần trăm|lãi suất)"),
    (
        "money",
        rf"{_AIM}(?:{_AMOUNTS}|(?:nguồn )?vốn|giá(?! dinh| nhap| tang)|thiệt hại|<lương>(?! thực)|<phí>|<lãi>(?! suất)|tiền)",
    ),
    (
        "number",
        rf"{_AIM}(?:số(?! hiệu| sanh| voi| huu| nong| tai chinh| cong thuong)|sản lượng|số lượng|diện tích|lượt|công suất"
        r"|năng suất|quy mô|dân số|độ tuổi|<tuổi>)|^chỉ tiêu",
    ),
    (
        "person",
        r"^(?:phó )?(?:tổng )?(?:giám đốc|chủ tịch|bí thư|chủ nhiệm|kế toán trưởng|tổ trưởng|hiệu trưởng|phụ trách|tác giả"
        r"|trưởng (?:ban|phòng|thôn|bản|ấp|đoàn)|(?:luật|kỹ) sư|(?:tiến|thạc|bác) sĩ)"
        r"|^người(?! dân| lao động| nghèo| cao tuổi| già| khuyết tật| tiêu dùng| có công| việt)",
    ),
    ("date", rf"^(?:ngày|năm|tháng|thời gian) {_BEGUN}|^thời điểm|^thời hạn(?! vay| cho vay| thuê)|^hạn (?:chót|cuối|nộp)"),
    (
        "place",
        r"^(?:địa điểm|địa chỉ|trụ sở|quê quán|nơi(?! dung| bo| tieng| chuyen))"
        r"|^(?:xã|huyện|tỉnh|thôn|xóm|ấp|làng|thị trấn|quê) của|^nước (?:nhập|mua)",
    ),
    ("organisation", r"^(?:đơn vị|cơ quan)"),
    ("reason", r"^mục đích"),
    ("manner", r"^(?:cách(?! mạng| ly| đây| nay)|bí quyết)"),
)
_WHO = _any("tôi, mình, em, tớ, anh, chị, cháu, bác, chúng tôi, bọn mình")
_LEAD = (
    r"^(?:(?:dạ|alo|ủa|admin|ad)[, ]+)*(?:[^\W\d]+ ơi[, ]+)?"
    rf"(?:(?:(?:xin|vui lòng|làm ơn|hãy) )?cho (?:phép )?(?:{_WHO}|(?:{_WHO} )?(?:được )?(?:xin|hỏi|biết))"
    rf"|{_WHO} (?:đang )?(?:cần|muốn (?:hỏi|biết|tìm|xin)|xin|hỏi)|xin hỏi|(?:vậy|thế|à) (?:còn|mà))"
    r"(?: (?:hỏi|biết|tìm|thông tin|là|rằng|chút|về)\b)*[,:]? +"
)
_TAIL = (
    r"(?: +(?:nhỉ|nhé|ạ|<vậy>|<thế>|<với>|<nha>|<hả>|<hở>|<ấy>|<đấy>"
    r"|(?<=gi |ao |au |ai |ng |ua )(?:vậy|thế|với|nha)))+(?=\s*[?.!]*$)"
)


@dataclass(frozen=True, slots=True)
class QuestionAnalysis:
    """The analysis of a question: the kind of its answer, and the constraints on it.

    `focus` are the normal terms of the noun that "bao nhiêu" counts, or that is in front of "nào", "gì"; `before` and
    `behind` those on either side of noun and question word. If `marked` is False, the question was typed without diacritics
    and its terms have none. `periods` are the times it names, `places` the provinces, `documents` the document numbers,
    `names` the names of several words, folded.
    `status` is that of the figure asked for: an actual figure, a target or a change.
    """

    kind: Kind
    focus: tuple[str, ...]
    marked: bool
    before: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    periods: tuple[DateMention, ...] = ()
    status: Status = "actual"
    places: frozenset[str] = frozenset()
    documents: frozenset[int] = frozenset()
    names: tuple[str, ...] = ()

    @property
    def asks_for_deputy(self) -> bool:
        """Return True if the question names a deputy: phó giám đốc."""
        return not {"phó", "pho"}.isdisjoint((*self.before, *self.focus, *self.behind))


def analyse_question(text: str) -> QuestionAnalysis:
    """Return the analysis of a question, typed with diacritics or without.

    A question typed with a part of its diacritics is read, too.
    """
    typed = " ".join(nfc(text).split())
    low = typed.lower()
    accented = has_diacritics(low)
    core = _without_chat(low, accented)
    for marked in (True, False) if accented else (False,):
        for kind, pattern in _patterns(marked):
            match = pattern.search(core)
            if match:
                return _constrained(_divided(kind, tokens(core), match.span(), marked), typed, low)
    return _constrained(QuestionAnalysis("thing", (), accented), typed, low)


def _without_chat(low: str, marked: bool) -> str:
    """Return a question without its polite openings and endings.

    Openings: cho em hỏi, mình cần. Endings: vậy ạ, thế nhỉ.
    """
    opening, ending = _chat(marked)
    return ending.sub("", opening.sub("", low)) or low


def _constrained(analysis: QuestionAnalysis, typed: str, low: str) -> QuestionAnalysis:
    """Return an analysis with the constraints that a question names.

    These are its times, provinces, documents and status. `low` is the question in lower case.
    """
    return replace(
        analysis,
        periods=tuple(question_dates(typed)),
        places=question_provinces(typed),
        documents=frozenset(document.number for document in document_numbers(typed)),
        names=tuple(map(folded_words, _names(typed))),
        status=status_asked(low, marked=has_diacritics(low)),
    )


def _names(typed: str) -> list[str]:
    """Return the names of two words or more: Tân Cương Xanh, but not HTX.

    The capital of the question's first word means nothing if two others follow: Ông Lò Văn Ơn.
    """
    runs: list[list[str]] = [[]]
    for place, word in enumerate(re.findall(r"[^\W\d_]+|\S", typed)):
        if len(word) > 1 and word[0].isupper() and not word.isupper():
            runs[-1].append(word)
            if place == 0:
                runs.append([])
        elif runs[-1]:
            runs.append([])
    first = runs[0] if len(runs) > 1 and typed[:1].isupper() else []
    if first and len(first) == 1 and len(runs[1]) == 1:
        runs[1] = [*first, *runs[1]]
    return [" ".join(run) for run in runs if len(run) > 1]


def folded_words(text: str) -> str:
    """Return the words of a text in lower case, without diacritics and signs."""
    return " ".join(re.findall(r"\w+", strip_diacritics(text).lower()))


def plain_question(typed: str) -> str:
    """Return a question without the signs of the query language.

    The signs are quotation marks, brackets, + and -, OR, and field names.
    """
    plain = re.sub(r"(?<!\S)-", " ", re.sub(r"[\"“”„«»()+*:]", " ", nfc(typed)))
    return " ".join(re.sub(r"(?<!\w)OR(?!\w)", "or", plain).split())


def with_diacritics(typed: str, restored: str | None) -> str:
    """Return a typed question with the diacritics of its restored form.

    The restored form has lost numbers, signs and capitals, and spells abbreviations out; here these stay as they were typed.
    """
    if restored is None:
        return typed
    marked, place, words = restored.split(), 0, []
    for word in typed.split():
        bare = word.strip(_SIGNS)
        ahead = marked[place : place + _RESTORED_REACH]
        found = next((n for n, own in enumerate(ahead) if bare and folded_form(own) == folded_form(bare)), None)
        if found is None:
            words.append(word)
            continue
        spelled = ahead[found].capitalize() if bare[0].isupper() and not bare.isupper() else ahead[found]
        words.append(word.replace(bare, bare if bare.isupper() and len(bare) > 1 else spelled, 1))
        place += found + 1
    return " ".join(words)


@cache
def _patterns(marked: bool) -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    return tuple((kind, re.compile(rf"(?<!\w)(?:{_spelled(rule, marked)})(?!\w)")) for kind, rule in _RULES + _HEADS)


@cache
def _chat(marked: bool) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(_spelled(_LEAD, marked)), re.compile(_spelled(_TAIL, marked))


def _spelled(rule: str, marked: bool) -> str:
    """Return a rule whose words match as written and, unless `marked`, also unmarked.

    Unmarked words are those without their diacritics.
    """

    def either(match: re.Match[str]) -> str:
        written = match[0]
        if match[1]:
            return match[1] if marked else "(?!)"
        plain = strip_diacritics(written)
        return written if marked or plain == written else f"(?:{written}|{plain})"

    return re.sub(r"\\.|<([^\W\d_]+)>|[^\W\d_]+", either, rule)


def _divided(kind: Kind, typed: tuple[Token, ...], phrase: tuple[int, int], marked: bool) -> QuestionAnalysis:
    """Return a question divided at the question word in the matched `phrase`.

    `phrase` is a span of the question's text. The question's noun is a run without stop words. The noun begins where
    the phrase does, if the phrase has the noun (thuộc xã nào: xã).
    """
    start, end = phrase
    spelled = canonical_spelling if marked else folded_form
    terms = [spelled(token.term) for token in typed]
    asks = [is_interrogative(token.term) for token in typed]
    question_words = [place for place, token in enumerate(typed) if asks[place] and start <= token.start < end]
    if not question_words:
        behind = [term for term, token in zip(terms, typed, strict=True) if token.start >= end]
        return QuestionAnalysis(kind, tuple(_until_stop_word(behind[:_COUNTED_TERMS])) if kind == "number" else (), marked)
    first = last = question_words[0]
    while last + 1 < len(typed) and asks[last + 1]:
        last += 1
    if terms[first] in ("bao", "nhiêu", spelled("mấy")):
        focus = _until_stop_word(terms[last + 1 : last + 1 + _COUNTED_TERMS])
        return QuestionAnalysis(kind, tuple(focus), marked, tuple(terms[:first]), tuple(terms[last + 1 + len(focus) :]))
    begin = next((place for place, token in enumerate(typed[:first]) if token.start >= start), first - _NOUN_TERMS)
    begin = first if terms[first] == "sao" else max(0, begin, first - _NOUN_TERMS)
    focus = _until_stop_word(terms[begin:first][::-1])[::-1]
    return QuestionAnalysis(kind, tuple(focus), marked, tuple(terms[: first - len(focus)]), tuple(terms[last + 1 :]))


def _until_stop_word(terms: list[str]) -> list[str]:
    return list(takewhile(lambda term: not is_stop_word(term), terms))
