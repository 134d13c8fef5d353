"""The words of the pages, in Vietnamese and English, and what the program says in English put into Vietnamese."""

import re
from typing import Literal

__all__ = ["LANGUAGES", "Language", "phrase", "translated"]

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")

_PHRASES: dict[str, tuple[str, str]] = {
    "about": ("Tìm trong {articles} bài, {passages} đoạn.", "Search {articles} articles, {passages} passages."),
    "active_filters": ("Đang lọc", "Filters"),
    "again": ("Còn đăng ở", "Also printed as"),
    "all_years": ("Mọi năm", "All years"),
    "answer": ("Trả lời", "Answer"),
    "answer_different": ("Bài khác nói khác", "Another article says otherwise"),
    "answer_other date": ("Số liệu của thời điểm khác", "Of another time"),
    "answer_same": ("Bài khác cũng nói vậy", "Another article says the same"),
    "apply": ("Áp dụng", "Apply"),
    "article": ("Bài viết", "Article"),
    "author": ("Tác giả", "Author"),
    "back_to_results": ("Trở lại kết quả", "Back to the results"),
    "by_place": ("Theo tỉnh cũ (trước 1/7/2025)", "By former province"),
    "by_province": ("Theo tỉnh, thành", "By province"),
    "by_source": ("Theo nguồn", "By source"),
    "by_year": ("Theo năm", "By year"),
    "citation": ("Trích dẫn", "Citation"),
    "copied": ("Đã chép", "Copied"),
    "copy": ("Chép", "Copy"),
    "count": ("{count} bài", "{count} articles"),
    "date_hint": ("Ví dụ: 2019, 9/2019 hoặc 7/8/2023", "Such as 2019, 9/2019 or 7/8/2023"),
    "dates": ("Thời gian", "Dates"),
    "did_you_mean": ("Có phải bạn muốn tìm:", "Did you mean:"),
    "dropped": ("Phần không thuộc bài", "What is no part of the article"),
    "dropped_about": (
        "Đây là phần còn lại của tệp gốc, và lý do bỏ ra.",
        "This is what else the original holds, and why it was left out.",
    ),
    "dropped_none": ("Tệp gốc không có gì khác ngoài bài.", "The original holds nothing else."),
    "dropped_show": ("Xem phần đã bỏ của tệp gốc", "Show what was left out of the original"),
    "error_400": ("Không đọc được yêu cầu này", "This request cannot be read"),
    "error_404": ("Không có trang này", "There is no such page"),
    "error_405": ("Trang này chỉ để đọc", "This page can only be read"),
    "error_409": ("Tệp gốc đã thay đổi", "The original has changed"),
    "error_500": ("Có lỗi ở máy chủ", "Something went wrong"),
    "error_503": ("Máy chủ đang bận hoặc chưa có chỉ mục", "The server is busy, or its index cannot be read"),
    "export": ("Tải kết quả về", "Download the results"),
    "filters": ("Bộ lọc", "Filters"),
    "help": ("Cách hỏi", "How to ask"),
    "help_exclude": ("bỏ bài có từ này", "without this word"),
    "help_must": ("phải có từ này", "must have this word"),
    "help_or": ("một trong hai", "either of the two"),
    "help_phrase": ("đúng cụm từ này", "exactly this phrase"),
    "help_plain": (
        "Gõ câu hỏi hay vài từ, có dấu hay không dấu đều được.",
        "Type a question or some words, with or without marks.",
    ),
    "help_title": ("từ trong tiêu đề", "a word in the title"),
    "home": ("Trang đầu", "Home"),
    "hits_per_year": ("Số bài theo năm", "Articles by year"),
    "more": ("Thêm", "More"),
    "name": ("Tìm bài viết", "Article search"),
    "newest": ("Mới nhất", "Newest first"),
    "best": ("Phù hợp nhất", "Best first"),
    "next": ("Sau", "Next"),
    "none_past": ("Không còn kết quả ở trang này.", "There are no results on this page."),
    "nothing": ("Không tìm thấy bài nào.", "Nothing was found."),
    "open_original": ("Xem bài gốc", "Original page"),
    "other_language": ("English", "Tiếng Việt"),
    "page": ("Trang {number}", "Page {number}"),
    "pages": ("Các trang kết quả", "Pages of results"),
    "passage_link": ("Đọc đoạn này trong bài", "Read this passage in the article"),
    "previous": ("Trước", "Previous"),
    "read_as": ("Đã hiểu là:", "Read as:"),
    "related": ("Bài liên quan", "Related articles"),
    "related_none": ("Không có bài nào gần với bài này.", "No article is like this one."),
    "related_show": ("Xem bài liên quan", "Show related articles"),
    "remove_filter": ("Bỏ lọc {value}", "Remove the filter {value}"),
    "reprints": ("Cùng nội dung, đăng lại", "The same text, printed again"),
    "results": ("Kết quả", "Results"),
    "search": ("Tìm", "Search"),
    "search_label": ("Câu hỏi hoặc từ cần tìm", "Question or words to look for"),
    "shared_terms": ("Cùng nói về", "Both speak of"),
    "showing": ("Bài {first}–{last} trong {total}", "{first}–{last} of {total}"),
    "since": ("Từ", "From"),
    "skip": ("Đến kết quả", "Skip to the results"),
    "sort": ("Sắp xếp", "Order"),
    "source": ("Nguồn", "Source"),
    "place": ("Địa phương", "Place"),
    "suggestions": ("Gợi ý", "Suggestions"),
    "to_filters": ("Đến bộ lọc", "To the filters"),
    "until": ("Đến", "To"),
    "year": ("Năm", "Year"),
    "year_bar": ("Năm {year}: {count} bài", "{year}: {count} articles"),
}


def phrase(language: Language, name: str, **values: object) -> str:
    """Return a phrase with its values put in. Raises KeyError for one that there is not."""
    return _PHRASES[name][LANGUAGES.index(language)].format(**values)


_VIETNAMESE: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), text)
    for pattern, text in (
        (r"no article has: (.*); check the spelling.*", r"không bài nào có: \1; hãy xem lại chính tả, hoặc gõ không dấu"),
        (r"no article has the place ['\"](.*)['\"]; did you mean (.*)\?", r"không có bài nào ở «\1»; có phải là \2?"),
        (r"no article has the place ['\"](.*)['\"]; .*", r"không có bài nào ở «\1»"),
        (r"no article has the source ['\"](.*)['\"]; .*", r"không có bài nào từ nguồn «\1»"),
        (r"(.*): also (.*), part of it since 1/7/2025; .*", r"\1: gồm cả \2, đã nhập vào từ 1/7/2025"),
        (r"(.*) is part of (.*) since 1/7/2025", r"\1 từ 1/7/2025 thuộc \2"),
        (r"leave out --place.*", "thử bỏ bớt bộ lọc"),
        (r"leave out \+ and -.*", "thử bỏ dấu + và - : câu thường tìm được bài gần nhất"),
        (r"try other words, or fewer", "thử từ khác, hoặc ít từ hơn"),
        (r"ranked without meaning: .*", "xếp hạng không dùng nghĩa của câu"),
        (r"this quotation mark is never closed.*", "dấu ngoặc kép này chưa đóng"),
        (r'this "\(" is never closed.*', "dấu ( này chưa đóng"),
        (r'this "\)" closes nothing.*', "dấu ) này thừa"),
        (r"nothing to look for; type some words.*", "chưa có gì để tìm; hãy gõ vài từ"),
        (r"this only says what to leave out.*", "mới chỉ nói bỏ gì; hãy thêm từ cần tìm"),
        (r"(AND|OR) needs something on both sides.*", r"hai bên \1 đều phải có từ"),
        (r"(?:something is missing|nothing to look for) after this", "sau chỗ này còn thiếu từ cần tìm"),
        (r"there is no field (\S+): .*", r"không có trường \1"),
        (r"the query has (\d+) characters; (\d+) are the most.*", r"câu hỏi dài \1 chữ; nhiều nhất là \2"),
        (r"(?:since|until)? ?'(.*)' is no date.*", r"«\1» không phải là ngày; hãy viết 2019, 9/2019 hoặc 7/8/2023"),
        (r"since (\S+) is after until (\S+); swap them", r"ngày đầu \1 sau ngày cuối \2; hãy đổi chỗ"),
        (r"there is no article '(.*)' in the index; .*", r"không có bài «\1»"),
        (r"(\d+) requests are waiting already.*", "máy chủ đang bận; hãy thử lại sau giây lát"),
        (r"no answer within (\S+) s.*", r"chưa trả lời được trong \1 giây; hãy thử lại sau giây lát"),
        (r"the original of (.*) is gone: .*", r"tệp gốc của \1 không còn"),
        (
            r"(.*) is not what was indexed as (.*); take it in.*",
            r"tệp gốc \1 đã khác với bài trong chỉ mục; hãy chạy htxsearch reindex",
        ),
        (r"a line that says only when .*", "dòng chỉ ghi ngày giờ đăng"),
        (r"a button", "nút bấm"),
        (r"a counter", "bộ đếm"),
        (r"a page number", "số trang"),
        (r"a running title, on most pages", "tiêu đề lặp lại ở các trang"),
        (r"a link to another story", "đường dẫn sang bài khác"),
        (r"the title again", "lặp lại tiêu đề"),
        (r"it begins or follows “(.*)”: other stories", r"từ «\1» trở đi là các bài khác"),
        (r"outside the article's part of the page", "nằm ngoài phần bài viết của trang"),
        (r"in a part of the page that is marked (.*)", r"ở phần trang ghi là \1"),
        (r"nothing speaks for its being text of the story", "không có gì cho thấy đây là lời của bài"),
        (r"there is no index in .*", "chưa có chỉ mục; người quản trị chạy: htxsearch reindex"),
    )
)


def translated(language: Language, message: str) -> str | None:
    """Return a message of the program in a language; None if it is not known there."""
    if language == "en":
        return message
    for pattern, text in _VIETNAMESE:
        match = pattern.fullmatch(message)
        if match:
            return match.expand(text)
    return None
