"""Page furniture in text saves: counters, licences, menus, teasers of other stories.

Only what is certain by its own words is dropped here: a line that is nothing but furniture, and
everything from a line on that announces other stories or the site's imprint.
"""

import re

__all__ = ["body_paragraphs"]

_LINES = (
    r"[\d.,\s]*lượt (?:xem|đọc|truy cập)[\s\d.,:|]*",
    r"(?:in trang|in bài viết|gửi (?:mail|email)|chia sẻ|bình luận|facebook|zalo|twitter)"
    r"(?:[\s|:,/]+(?:này|facebook|zalo|twitter|email|in|gửi mail))*",
    r"(?:cỡ chữ|đọc bài|nghe bài).{0,30}",
    r"đang cập nhật dữ liệu ?!?",
    r"trang chủ(?:\s*[>»/|].*)?",
    r"quay lại(?: trang trước)?",
    r"xem thêm\b.{0,20}",
)
_FROM_HERE = (
    r"(?:tin bài|các tin|bài viết|tin tức|tin|bài)"
    r"\s+(?:cùng chuyên mục|liên quan|mới(?: nhất| hơn)?|khác|đã đưa|cũ hơn|đọc nhiều)\b.{0,15}",
    r"có thể bạn quan tâm.*",
    r"(?:ý kiến|bình luận) (?:bạn đọc|của bạn).*",
    r"đánh giá bài viết.*",
    r"tổng số điểm của bài viết.*",
    r"click để đánh giá.*",
    r"chịu trách nhiệm (?:nội dung|chính|xuất bản)\s*:.*",
    r"giấy phép (?:số|(?:thiết lập|hoạt động|xuất bản)\b.{0,60}\bsố)\b.*\d.*",
    r"ghi rõ nguồn (?!gốc).{0,60}(?:khi|trang|website|\.vn).*",
    r"(?:copyright|©|bản quyền (?:thuộc|©)).*",
    r"thư viện ảnh",
    r"liên kết website",
    r"skip to content",
    r"translate:?",
)
_LINE = re.compile("|".join(_LINES), re.IGNORECASE)
_END = re.compile("|".join(_FROM_HERE), re.IGNORECASE)


def body_paragraphs(lines: list[str]) -> list[str]:
    """Return the lines that belong to the article, blanks squeezed, blank ones and furniture left out.

    What announces the end of an article counts only below its first 200 characters.
    """
    kept: list[str] = []
    length = 0
    for line in lines:
        squeezed = " ".join(line.split())
        if length > 200 and _END.fullmatch(squeezed):
            break
        if squeezed and not _LINE.fullmatch(squeezed):
            kept.append(squeezed)
            length += len(squeezed)
    return kept
