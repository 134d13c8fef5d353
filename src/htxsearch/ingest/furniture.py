"""Page furniture in text saves: counters, licences, menus, teasers of other stories.

Only what is certain by its own words is dropped here: a line that is nothing but furniture, and
everything from a line on that announces other stories or the site's imprint.
"""

import re

__all__ = ["body_paragraphs"]

_LINE = re.compile(
    r"[\d.,\s]*lượt (?:xem|đọc|truy cập).*|(?:in trang|in bài viết|gửi (?:mail|email)|chia sẻ|bình luận|facebook|zalo|twitter)"
    r"(?:[\s|:,/]+(?:này|facebook|zalo|twitter|email|in|gửi mail))*|(?:cỡ chữ|đọc bài|nghe bài).{0,30}"
    r"|đang cập nhật dữ liệu ?!?|trang chủ(?:\s*[>»/|].*)?|quay lại(?: trang trước)?|xem thêm\b.{0,20}",
    re.IGNORECASE,
)
_FROM_HERE = re.compile(
    r"(?:tin bài|các tin|bài viết|tin tức|tin|bài)"
    r"\s+(?:cùng chuyên mục|liên quan|mới(?: nhất| hơn)?|khác|đã đưa|cũ hơn|đọc nhiều)\b.{0,15}"
    r"|có thể bạn quan tâm.*|(?:ý kiến|bình luận) (?:bạn đọc|của bạn).*|đánh giá bài viết.*|tổng số điểm của bài viết.*"
    r"|click để đánh giá.*|chịu trách nhiệm (?:nội dung|chính|xuất bản)\s*:.*|giấy phép (?:số|thiết lập|hoạt động|xuất bản)\b.*"
    r"|ghi rõ nguồn.*|(?:copyright|©|bản quyền (?:thuộc|©)).*|thư viện ảnh|liên kết website|skip to content|translate:?",
    re.IGNORECASE,
)


def body_paragraphs(lines: list[str]) -> list[str]:
    """Return the lines that belong to the article, blanks squeezed, blank ones and furniture left out.

    What announces the end of an article counts only below its first 200 characters.
    """
    kept: list[str] = []
    length = 0
    for line in lines:
        squeezed = " ".join(line.split())
        if length > 200 and _FROM_HERE.fullmatch(squeezed):
            break
        if squeezed and not _LINE.fullmatch(squeezed):
            kept.append(squeezed)
            length += len(squeezed)
    return kept
