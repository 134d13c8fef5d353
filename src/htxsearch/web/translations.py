"""The Vietnamese of messages that have no code yet: patterns over their English."""

import re

from htxsearch.errors.messages import Language

__all__ = ["translated"]

_VIETNAMESE: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), text)
    for pattern, text in (
        # What a query is told
        (r"no article has: (.*); check the spelling.*", r"không bài nào có: \1; hãy xem lại chính tả, hoặc gõ không dấu"),
        (r"no article has the place ['\"](.*)['\"]; did you mean (.*)\?", r"không có bài nào ở «\1»; có phải là \2?"),
        (r"no article has the place ['\"](.*)['\"]; .*", r"không có bài nào ở «\1»"),
        (r"no article has the source ['\"](.*)['\"]; .*", r"không có bài nào từ nguồn «\1»"),
        (r"no article has the (\w+) ['\"](.*)['\"]; .*", r"không có bài nào có \1 «\2»"),
        (
            r"(.*): also (.*), part of it since 1/7/2025; without: (.*)",
            r"\1: gồm cả \2, đã nhập vào từ 1/7/2025; nếu không: \3",
        ),
        (r"(.*) is part of (.*) since 1/7/2025", r"\1 từ 1/7/2025 thuộc \2"),
        (r"leave out --place.*", "thử bỏ bớt bộ lọc"),
        (r"leave out \+ and -.*", "thử bỏ dấu + và - : câu thường tìm được bài gần nhất"),
        (r"try other words, or fewer", "thử từ khác, hoặc ít từ hơn"),
        (r"ranked without meaning: (?P<inner>.*)", r"xếp hạng không dùng nghĩa của câu: \g<inner>"),
        (
            r"no passage found answers it surely enough; .*",
            "chưa có đoạn nào trả lời đủ chắc chắn; hãy nêu rõ nơi, năm hoặc tổ chức, hoặc đọc các đoạn gần nhất",
        ),
        (r"the question is empty; .*", "chưa có câu hỏi; ví dụ: Thái Nguyên có bao nhiêu hợp tác xã?"),
        # A query that cannot be read
        (r"this quotation mark is never closed.*", "dấu ngoặc kép này chưa đóng"),
        (r'this "\(" is never closed.*', "dấu ( này chưa đóng"),
        (r'this "\)" closes nothing.*', "dấu ) này thừa"),
        (r"nothing to look for; type some words.*", "chưa có gì để tìm; hãy gõ vài từ"),
        (r"this only says what to leave out.*", "mới chỉ nói bỏ gì; hãy thêm từ cần tìm"),
        (r"(AND|OR) needs something on both sides.*", r"hai bên \1 đều phải có từ"),
        (r"(?:something is missing|nothing to look for) after this", "sau chỗ này còn thiếu từ cần tìm"),
        (r"there is no field (\S+): \(fields are (.*?)\); .*", r"không có trường \1 (chỉ có \2)"),
        (r"(\S+): needs a value", r"sau \1: phải có giá trị"),
        (r"this range ends before it begins", "khoảng này kết thúc trước khi bắt đầu"),
        (r"brackets stand in each other more than (\d+) deep", r"dấu ngoặc lồng nhau quá \1 tầng"),
        (r"\* stands at the end of one word.*", "dấu * chỉ đứng cuối một từ có ít nhất hai chữ, như nông*"),
        (r"the query has (\d+) characters; (\d+) are the most.*", r"câu hỏi dài \1 chữ; nhiều nhất là \2"),
        (
            r"(?:(\w+) )?['\"](.*)['\"] is no date; .*",
            r"«\2» không phải là ngày; hãy viết 2019, 9/2019, 7/8/2023 hoặc 2023-08-07",
        ),
        (r"since (\S+) is after until (\S+); swap them", r"ngày đầu \1 sau ngày cuối \2; hãy đổi chỗ"),
        (r"(\w+) is empty; name one, or leave the option out", r"\1 đang trống; hãy ghi một giá trị, hoặc bỏ đi"),
        (r"(limit) must be between (\d+) and (\d+).*", r"\1 phải là số từ \2 đến \3"),
        (r"offset must not be negative, but is .*", "offset không được âm"),
        (r"cannot sort by (.*); sort by score or date", r"không sắp xếp được theo \1; chỉ theo score hoặc date"),
        (r"there is no facet (.*); there are (.*)", r"không có nhóm \1; chỉ có \2"),
        (r"(\S+) has (\d+) characters; (\d+) are the most", r"\1 dài \2 chữ; nhiều nhất là \3"),
        # Articles
        (r"there is no article '(.*)' in the index; .*", r"không có bài «\1»"),
        (
            r"(.*) could be any of (\d+) articles, such as (.*) and (.*); .*",
            r"\1 có thể là \2 bài, như \3 và \4; hãy ghi đủ mã bài",
        ),
        (r"the original of (.*) is gone: .*", r"tệp gốc của \1 không còn"),
        (
            r"(.*) is not what was indexed as (.*); take it in.*",
            r"tệp gốc \1 đã khác với bài trong chỉ mục; hãy chạy htxsearch reindex",
        ),
        # The index
        (r"there is no index in .*", "chưa có chỉ mục; người quản trị chạy: htxsearch reindex"),
        (
            r"(?:the index in .* was (?:written|built) .*|.* was not written by htxsearch; .*)",
            "chỉ mục do bản khác của chương trình làm ra; người quản trị chạy: htxsearch reindex --rebuild",
        ),
        (
            r".* (?:is damaged|has lost its table of contents|names a folder outside the index); .*",
            "chỉ mục bị hỏng; người quản trị chạy: htxsearch reindex --rebuild",
        ),
        (r"cannot read (.*): (.*); check its permissions", r"không đọc được \1 (\2); người quản trị hãy xem lại quyền"),
        (
            r"cannot write (?:in )?(.*): (.*); check space and permissions",
            r"không ghi được vào \1 (\2); hãy xem chỗ trống và quyền",
        ),
        (r"another htxsearch is writing the index in .*", "một lượt cập nhật khác đang ghi chỉ mục; hãy đợi xong rồi thử lại"),
        (r"another htxsearch is adding articles .*", "một lượt thêm bài khác đang chạy; hãy đợi xong rồi thử lại"),
        (
            r"searching by meaning needs the package (\S+?),? .*",
            r"tìm theo nghĩa cần gói \1, chưa cài hoặc không chạy được ở đây",
        ),
        (
            r"an engine alone keeps no vectors.*|passages in .* have no vectors yet; .*",
            "các đoạn chưa có vectơ để tìm theo nghĩa",
        ),
        (r"one title cannot be that of several things; .*", "một tiêu đề không dùng được cho nhiều thứ; hãy thêm từng thứ"),
        (r"a limit of (.*) fetches nothing; .*", "giới hạn phải từ 1 trở lên"),
        (r"the index .* and the corpus .* must not lie in each other; .*", "chỉ mục và kho bài không được nằm trong nhau"),
        (r"(?P<inner>.*) \(kept in .* meanwhile: (.*)\)", r"\g<inner> (đã giữ trong kho: \2)"),
    )
)


_COMMANDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), text)
    for pattern, text in (
        (r"leave out --place.*", "leave out some of the filters"),
        (r"(no article has the \w+ .*|there is no article .*); htxsearch \w+ .*", r"\1"),
        (r"the question is empty; .*", "the question is empty"),
    )
)
"""What names commands and options of the command line, as a page says it."""


def translated(language: Language, message: str) -> str | None:
    """Return a message of the program as a page in a language says it; None if it is not known there."""
    for pattern, text in _VIETNAMESE if language == "vi" else _COMMANDS:
        match = pattern.fullmatch(message)
        if match:
            inner = match.groupdict().get("inner")  # what a message quotes of another one
            before, quotes, after = text.partition(r"\g<inner>")
            said = (translated(language, inner) or inner) if inner is not None and quotes else ""
            return match.expand(before) + said + match.expand(after)
    return message if language == "en" else None
