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
        (r"there is no corpus folder .*|cannot list the corpus folder .*", "máy chủ không đọc được thư mục kho bài"),
        (
            r"cannot write to the corpus (.*): (.*); check .*",
            r"không ghi được vào kho bài (\2); người quản trị hãy xem chỗ trống và quyền",
        ),
        (
            r"(.*) (?:cannot be read: .*; check its permissions|is not valid TOML: .*; mend it or delete it)",
            r"không đọc được \1; người quản trị hãy xem lại",
        ),
        (r"(.*): each feed is written as .*", r"\1 trong kho bài bị hỏng; người quản trị hãy sửa hoặc xóa"),
        # Adding: files
        (r"it is a picture", "đây là ảnh"),
        (r"it is a picture or a recording", "đây là ảnh hoặc bản ghi âm"),
        (r"it is a recording", "đây là bản ghi âm"),
        (r"it is a film", "đây là phim"),
        (r"it is a database", "đây là cơ sở dữ liệu"),
        (r"it is a program", "đây là một chương trình"),
        (r"it is an? (RAR|7z|gzip|bzip2|xz) archive; unpack it", r"đây là tệp nén \1; hãy giải nén ra"),
        (
            r"it is an old Word, Excel or PowerPoint file; .*",
            "đây là tệp Word, Excel hay PowerPoint cũ; hãy mở ra và lưu thành .docx hoặc .pdf",
        ),
        (r"it is a spreadsheet or slides; .*", "đây là bảng tính hoặc trang chiếu; hãy lưu thành .csv hoặc .pdf"),
        (r"it is an empty archive", "tệp nén này rỗng"),
        (r"it is an archive within an archive; .*", "trong tệp nén có tệp nén khác; hãy giải nén tệp ngoài"),
        (r"it is a broken archive, .*", "tệp nén bị hỏng, có thể tải chưa xong; hãy lấy lại"),
        (r"no text in it|there is no text in it", "không có chữ nào trong đó"),
        (r"it holds NUL bytes only, .*", "tệp chỉ có byte rỗng, như khi tải chưa xong"),
        (r"it is no (\S*) file, and no text either: .*|it holds NUL bytes, so .*", "tệp không phải văn bản: có byte rỗng"),
        (r"not UTF-8, and .*", "bảng mã của tệp không rõ; hãy lưu lại bằng UTF-8"),
        (r"it looks like UTF-16, but .*", "tệp UTF-16 bị hỏng, có thể tải chưa xong"),
        (r"it holds NUL characters or halves of characters, .*", "tệp không phải văn bản: có ký tự hỏng"),
        (r"files of type (\S+) are not read; known are (.*)", r"không đọc tệp loại \1; đọc được: \2"),
        (r"files called (.*) are not taken for articles; .*", r"tệp tên \1 không được coi là bài viết; hãy đổi tên khác"),
        (r"its id '(.*)' is taken by (.*); give .*", r"mã bài «\1» là của \2; hãy đặt mã khác"),
        (r"another file has the same name in other characters; .*", "đã có tệp cùng tên, viết bằng ký tự khác; hãy đổi tên"),
        (r"larger than (\S+) MB; split it", r"lớn hơn \1 MB; hãy chia nhỏ"),
        (r"(?:is no file|there is no such file or folder; .*|there is no file in it)", "không có tệp như vậy"),
        (r"the corpus .* lies in it; .*", "kho bài nằm trong đó; hãy chọn từng tệp hay thư mục"),
        (r"cannot be (?:read|listed): (.*)", r"không đọc được: \1"),
        (r"its sidecar (.*) is not valid TOML: (.*)", r"tệp kèm \1 không đúng TOML: \2"),
        (r"its sidecar (\S*): (?P<inner>.*)", r"tệp kèm \1: \g<inner>"),
        (r"(\S+) must be text, not .*", r"\1 phải là văn bản"),
        (
            r"(?:the XML in it declares entities, .*|(.*) in it is larger than it says, .*)",
            "tệp có dấu hiệu gây hại nên không đọc",
        ),
        (r"it holds more than (\d+) files; .*", r"có hơn \1 tệp bên trong; hãy giải nén rồi thêm từng phần"),
        (r"it would unpack to (\S+) MB, .*", r"giải nén ra tới \1 MB, có dấu hiệu gây hại; nếu không phải, hãy tự giải nén"),
        (r"it lacks (.*), so it is damaged|(?:the XML|.*) in it is damaged \((.*)\)", "tệp bị hỏng"),
        (r"(?:it|the PDF) is protected by a password; .*", "tệp có mật khẩu; hãy lưu lại không mật khẩu"),
        (r"the book is protected against copying .*", "sách có khóa chống sao chép nên không đọc được"),
        (r"the book does not say where its list of chapters is", "sách không cho biết mục lục ở đâu"),
        (r"there is no page in it", "không có trang nào trong đó"),
        (r"the saved page is damaged \((.*)\); .*", "trang đã lưu bị hỏng; hãy lưu lại"),
        (r"the (Word|RTF) document is damaged \((.*)\); .*", r"văn bản \1 bị hỏng; hãy mở bằng Word rồi lưu lại"),
        (r"there is a title in the page, but no article text was found", "trang có tiêu đề nhưng không thấy nội dung bài"),
        (r"no article text was found in the page", "không thấy nội dung bài trong trang"),
        (r"the PDF has no text in it, .*", "PDF chỉ có ảnh chụp các trang; hãy nhận dạng chữ (OCR) trước"),
        (r"the PDF has more than (\d+) pages; .*", r"PDF có hơn \1 trang; hãy chia nhỏ"),
        (r"the PDF is damaged \((.*)\); .*", "PDF bị hỏng; hãy mở ra và in thành PDF mới"),
        (r"the PDF is encrypted in a way .*", "PDF được mã hóa theo cách không đọc được; hãy lưu lại không mã hóa"),
        (r"reading the PDF takes more than (\S+) s; .*", r"đọc PDF mất hơn \1 giây; hãy chia nhỏ hoặc lưu thành .docx"),
        (
            r"its first row names no column .*",
            "hàng đầu không có cột nội dung hay tiêu đề; hãy đặt tên cột, hoặc lưu thành .txt",
        ),
        (r"the table is damaged \((.*)\); .*", "bảng bị hỏng; hãy lưu lại thành CSV bằng UTF-8"),
        (r"a line must be a JSON object", "mỗi dòng phải là một đối tượng JSON"),
        (r'it has no "id"', "dòng này không có id"),
        (r'"text" must be text', "text phải là văn bản"),
        (r"not JSON.*", "không phải JSON"),
        # Adding: addresses
        (r"the address is longer than (\d+) characters", r"địa chỉ dài hơn \1 chữ"),
        (r"only http and https are fetched, not (.*)", r"chỉ lấy được địa chỉ http và https, không phải \1"),
        (
            r"an address with a user name or password in it .*",
            "không lấy địa chỉ có tên hay mật khẩu; hãy lưu trang rồi thêm tệp",
        ),
        (
            r"the address has no host|there is no port 0|is no address: .*|.* is no host name|the host (?:.*) has no address",
            "địa chỉ không đúng",
        ),
        (r"the host (.*) cannot be found; .*", r"không tìm thấy máy chủ \1; hãy xem lại địa chỉ và mạng"),
        (r"(.*) is (.*), which is not on the public internet; .*", r"\1 là \2, không thuộc mạng công cộng"),
        (r"the site sends nothing", "trang không gửi gì"),
        (r"things of type (.*) are not read", r"không đọc loại \1"),
        (r"the site answers (\d+) ?(.*)", r"trang trả lời \1 \2"),
        (r"(.*) is busy \((.*)\); try again later", r"\1 đang bận; hãy thử lại sau"),
        (r"it answers (\d+) and asks to wait (\d+) s", r"trả lời \1 và đề nghị đợi \2 giây"),
        (r"(.*) took too long to answer; .*", r"\1 trả lời quá lâu; hãy thử lại sau"),
        (r"the connection to (.*) is not secure: (.*)", r"kết nối tới \1 không an toàn: \2"),
        (r"the connection broke off .*", "kết nối bị ngắt giữa chừng; hãy thử lại"),
        (r"(.*) answers what is no HTTP: (.*)", r"\1 trả lời không đúng HTTP"),
        (r"cannot connect to (.*): (.*)", r"không kết nối được tới \1: \2"),
        (
            r"larger than (\S+) MB, which is the most that is fetched; .*",
            r"lớn hơn \1 MB, mức lớn nhất được lấy; hãy lưu về rồi thêm tệp",
        ),
        (r"it comes packed as (.*), which was not asked for", r"trang gửi ở dạng nén \1, không phải dạng đã hỏi"),
        (r"redirects (?:in a circle: (.*)|more than (\d+) times, at last to (.*))", "địa chỉ dẫn đi vòng quá nhiều lần"),
        (
            r"(.*) asks programs not to fetch it \(robots.txt\); .*",
            r"\1 không cho chương trình lấy trang này (robots.txt); hãy lưu trang rồi thêm tệp",
        ),
        (r"(.*) asks for (\d+) s between two fetches .*", r"\1 đòi đợi \2 giây giữa hai lần lấy, quá lâu"),
        (r"its robots.txt cannot be read: (?P<inner>.*)", r"không đọc được robots.txt của trang: \g<inner>"),
        (
            r"the feed cannot be read: (.*)|is neither a feed nor a sitemap|the sitemap is not valid XML: (.*)",
            "không đọc được nguồn tin hay sơ đồ trang này",
        ),
        (r"unpacks to more than (\S+) MB", r"giải nén ra hơn \1 MB"),
        (r"is broken gzip", "tệp gzip bị hỏng"),
        (r"defines XML entities, .*", "XML có khai báo thực thể, có dấu hiệu gây hại"),
        (
            r"a feed or sitemap that another one lists .*|an index of sitemaps within another .*",
            "nguồn tin trong nguồn tin khác không được theo; hãy thêm riêng",
        ),
        # Why something is no part of an article
        (r"a line that says only when .*", "dòng chỉ ghi ngày giờ đăng"),
        (r"a button", "nút bấm"),
        (r"a counter", "bộ đếm"),
        (r"a page number", "số trang"),
        (r"a running title, on most pages", "tiêu đề lặp lại ở các trang"),
        (r"a link to another (?:story|page)", "đường dẫn sang bài hay trang khác"),
        (r"an entry of a menu", "mục của trình đơn"),
        (r"a headline (?:or summary of another story, .*|with a date: another story)", "tiêu đề hay tóm tắt của bài khác"),
        (r"it stands in several articles of the same source", "lặp lại ở nhiều bài cùng nguồn"),
        (r"it is printed twice", "in hai lần"),
        (r"the title (?:again|with the site's name)", "lặp lại tiêu đề"),
        (r"the site's (?:imprint|name)", "thông tin của trang"),
        (r"where the page stands in its site", "vị trí của trang trong chuyên mục"),
        (r"who put it on the page", "người đăng bài"),
        (r"what readers say", "ý kiến bạn đọc"),
        (r"what stands in the site's margin", "phần bên lề của trang"),
        (r"it begins or follows “(.*)”: (?P<inner>.*)", r"từ «\1» trở đi: \g<inner>"),
        (r"other stories", "các bài khác"),
        (r"outside the article's part of the page", "nằm ngoài phần bài viết của trang"),
        (r"in a part of the page that is marked (.*)", r"ở phần trang ghi là \1"),
        (r"nothing speaks for its being text of the story", "không có gì cho thấy đây là lời của bài"),
    )
)


_COMMANDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), text)
    for pattern, text in (
        (r"leave out --place.*", "leave out some of the filters"),
        (r"(no article has the \w+ .*|there is no article .*); htxsearch \w+ .*", r"\1"),
        (r"(.* is not on the public internet); .*", r"\1"),
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
