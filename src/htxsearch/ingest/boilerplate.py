"""Boilerplate among lines of text: counters, licences, menus, teasers.

A teaser points to another article. Each rule looks at the words of a line, or at neighbouring lines. Dropped
lines are kept with the reason, to be shown. No line that reads as a sentence of the article is dropped: where a
rule is not sure, the line stays.
"""

import itertools
import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from hashlib import blake2b

from htxsearch.errors.messages import Message, message
from htxsearch.ingest.article import Dropped
from htxsearch.text.dates import read_dateline
from htxsearch.text.normalize import folded_form
from htxsearch.text.tokens import has_tokens, terms

__all__ = ["BLOCK_DIGITS", "REPEATED", "LineLabels", "block", "boilerplate_kind", "is_prose", "label_lines"]

BLOCK_DIGITS = 10
"""Characters of a `block`."""

REPEATED = message("dropped.repeated")

_LINE_PATTERNS: dict[str, tuple[str, ...]] = {
    "counter": (r"[\d.,\s]*lượt (?:xem|đọc|truy cập)[\s\d.,:|]*", r"(?:số )?lượt (?:xem|đọc|truy cập)(?: bài)?\s*:.{0,20}"),
    "button": (
        r"(?:in trang|in bài viết|gửi (?:mail|email)|chia sẻ|bình luận|facebook|zalo|twitter|copy link|link gốc|lấy link)"
        r"(?:[\s|:,/]+(?:này|facebook|zalo|twitter|email|in|gửi mail|copy link|link gốc))*[\s!:]*",
        r"(?:cỡ chữ|đọc bài|nghe bài).{0,30}",
        r"đang cập nhật dữ liệu ?!?",
        r"quay lại(?: trang trước)?",
        r"(?:xem thêm|xem tiếp|đọc tiếp|chi tiết)[\s.…>»:]*",
        r"(?:đăng nhập|đăng ký|tìm kiếm|liên hệ|góp ý|hỏi đáp|sơ đồ (?:site|cổng|web)\S*|rss)(?:\s*[|/]\s*.{1,30})?",
        r"theo dõi .{0,60}\btrên (?:google news|facebook|zalo|youtube).{0,20}",
        r"skip to content",
    ),
    "breadcrumb": (
        r"trang chủ(?:\s*[>»/|›].*)?",
        r"[^>»›:.+-][^>»›:.]{1,40}(?<!-)(?:\s[>»›]+\s[^>»›:.]{2,40}){2,}",
    ),
    "link-to-article": (
        r"(?:xem thêm|đọc thêm|xem tiếp|mời (?:bạn )?(?:đọc|xem) thêm|(?:tin|bài)(?: viết)? liên quan)\s*:\s*[^.]{1,200}",
        r"xem thêm\b[^:.]{0,20}",
        r"(?:>{2,}|»)\s*[^\s>»].{0,200}",
    ),
    "keywords": (r"(?:từ khóa|tags?|thẻ|chủ đề|xem thêm về)\s*:.{1,200}", r"(?:#\s?[^#\s]+(?:\s+[^#\s]+){0,6}\s*)+"),
    "editor": (r"(?:tác giả bài viết|người đăng(?: bài(?: viết)?)?|người viết|biên tập viên?)\s*:.{0,60}",),
}
_END_PATTERNS: dict[str, tuple[str, ...]] = {
    "other-articles": (
        r"(?:các )?(?:tin bài|tin|bài viết|tin tức|bài|sự kiện)"
        r"\s+(?:cùng chuyên mục|cùng chủ đề|liên quan|mới(?: nhất| hơn| đăng)?|khác|đã đưa|cũ hơn|đọc nhiều|nổi bật|tiêu điểm)"
        r"\b[^.]{0,15}",
        r"(?:đọc nhiều|xem nhiều|mới nhất|tin nổi bật|đáng quan tâm|cùng chuyên mục)\s*:?",
        r"có thể bạn quan tâm.*",
    ),
    "comments": (
        r"(?:ý kiến|bình luận) (?:bạn đọc|của bạn).*",
        r"đánh giá bài viết.*",
        r"tổng số điểm của bài viết.*",
        r"click để đánh giá.*",
    ),
    "imprint": (
        r"chịu trách nhiệm (?:nội dung|chính|xuất bản)\s*:.*",
        r"(?:cơ quan chủ quản|tổng biên tập|phó tổng biên tập|trưởng ban (?:biên tập|quản trị))\s*:.*",
        r"(?:số )?giấy phép (?:số|(?:thiết lập|hoạt động|xuất bản)\b.{0,60}\bsố)\b.*\d.*",
        r"(?:® )?ghi rõ nguồn (?!gốc).{0,60}(?:khi|trang|website|\.vn).*",
        r"(?:copyright|©|bản quyền (?:thuộc|©)).*",
        r"thiết kế (?:và phát triển )?bởi\b.{0,60}",
    ),
    "margin": (r"thư viện (?:ảnh|video)", r"liên kết (?:website|trang|web)", r"translate:?"),
}
_LINES = {kind: re.compile("|".join(patterns), re.IGNORECASE) for kind, patterns in _LINE_PATTERNS.items()}
"""Lines that are boilerplate by their own words, by the code of the reason without "dropped."."""
_ENDS = {kind: re.compile("|".join(patterns), re.IGNORECASE) for kind, patterns in _END_PATTERNS.items()}
"""Lines that end the article: everything below is boilerplate, too."""
_BANNER = re.compile(
    r"(?:cổng|trang) thông tin(?: điện tử)?\b.{0,60}|(?:báo|tạp chí) (?:điện tử )?[^.,]{2,30} điện tử", re.IGNORECASE
)
_CONTACT = re.compile(
    r"(?:địa chỉ|trụ sở|điện thoại|đt|tel|fax|e-?mail|hotline|website|đường dây nóng|quảng cáo)\b.{0,12}:.{0,200}",
    re.IGNORECASE,
)
_DATED = re.compile(r"[^.!?]{15,200}\(\d{1,2}[/.-]\d{1,2}(?:[/.-]\d{2,4})?(?:[\s,|-]+\d{1,2}[:hg]\d{2})?\)")
_ENDED = tuple(".!?…:;\"”'")
_BULLET = re.compile(r"(?:[-–+•*]|\(?(?:\d{1,2}(?:\.\d+)*|[a-zđ]|[ivx]+)[.)/])\s", re.IGNORECASE)
_NEAR = 60
"""Lines above a box of other articles that are compared with the text below it."""
_TEASER = message("dropped.teaser")
_LEAD = 200
"""Characters at the beginning of an article in which no line ends it."""


@dataclass(slots=True)
class LineLabels:
    """Lines labelled as main content or boilerplate.

    `reasons[i]` is the reason to drop `lines[i]`, None to keep it.
    """

    lines: list[str]
    reasons: list[Message | None] = field(default_factory=list)

    def kept(self) -> list[str]:
        """Return the lines of the main content in order."""
        return [line for line, reason in zip(self.lines, self.reasons, strict=True) if reason is None]

    def dropped(self) -> tuple[Dropped, ...]:
        """Return the lines of boilerplate in order, each with its reason."""
        return tuple(Dropped(line, reason) for line, reason in zip(self.lines, self.reasons, strict=True) if reason is not None)

    def drop(self, numbers: "range | Sequence[int]", reason: Message) -> None:
        """Drop those of the lines that are not dropped yet."""
        for number in numbers:
            self.reasons[number] = self.reasons[number] or reason

    def left(self) -> list[int]:
        """Return the numbers of the lines that are not dropped yet."""
        return [number for number, reason in enumerate(self.reasons) if reason is None]


def label_lines(lines: Sequence[str], learned: Set[str] = frozenset()) -> LineLabels:
    """Label lines as main content or boilerplate.

    Blanks are squeezed, blank lines left out, the order stays.
    `learned` has the `block` of each line that is known to repeat in articles of this source.
    """
    squeezed = [" ".join(line.split()) for line in lines]
    labels = LineLabels([line for line in squeezed if line])
    labels.reasons = [boilerplate_kind(line) for line in labels.lines]
    _drop_learned(labels, learned)
    _drop_from_end(labels)
    _drop_repeated(labels)
    _drop_dated(labels)
    _drop_menus(labels)
    _drop_teasers(labels)
    return labels


def boilerplate_kind(line: str) -> Message | None:
    """Return the kind of boilerplate that a line is by its own words.

    None for any other line.
    """
    kind = next((kind for kind, pattern in _LINES.items() if pattern.fullmatch(line)), None)
    return message(f"dropped.{kind}") if kind else None


def is_prose(line: str) -> bool:
    """Return True if a line reads as a paragraph of text.

    Headlines, captions, menu entries and cells do not.
    """
    words = len(line.split())
    return words >= 25 or (words >= 10 and line.endswith(_ENDED))


def block(line: str) -> str:
    """Return the hash by which a line is counted, in hex digits.

    Blanks, capitals and diacritics do not matter.
    """
    return blake2b(" ".join(map(folded_form, terms(line))).encode(), digest_size=BLOCK_DIGITS // 2).hexdigest()


def _drop_learned(labels: LineLabels, learned: Set[str]) -> None:
    """Drop the lines that are known to repeat in articles of this source.

    Between the article's paragraphs, neither a lone short line nor a whole paragraph is dropped: a short line may
    be a heading, a paragraph may be background repeated across articles. If no other line is left, all stay.
    """
    if not learned:
        return
    known = [block(line) in learned for line in labels.lines]
    if all(known[number] for number in labels.left()):
        return
    prose = [n for n, line in enumerate(labels.lines) if not known[n] and labels.reasons[n] is None and is_prose(line)]
    for number, line in enumerate(labels.lines):
        inside = bool(prose) and prose[0] < number < prose[-1]
        alone = not any(known[max(number - 1, 0) : number]) and not any(known[number + 1 : number + 2])
        stays = inside and ((alone and len(line.split()) < 8) or _is_paragraph(line))
        if known[number] and not stays:
            labels.drop([number], REPEATED)


def _drop_from_end(labels: LineLabels) -> None:
    """Drop all lines from a line that announces other articles or the imprint.

    Of a box within the article only the box is dropped.
    """
    length = 0
    number = 0
    while number < len(labels.lines):
        line = labels.lines[number]
        kind = next((kind for kind, pattern in _ENDS.items() if pattern.fullmatch(line)), None)
        if kind and length > _LEAD:
            resumes = _resumes(labels, number) if kind == "other-articles" else len(labels.lines)
            reason = message("dropped.from-line", line=_short(line), reason=message(f"dropped.{kind}"))
            labels.drop(range(number, resumes), reason)
            if kind == "imprint":
                _drop_contacts_above(labels, number)
            number = resumes
            continue
        length += len(line) if labels.reasons[number] is None else 0
        number += 1


def _resumes(labels: LineLabels, announced: int) -> int:
    """Return the number of the line where the article resumes below a box.

    The box lists other articles. The article resumes with two long paragraphs in a row, or, below several
    headlines, with a paragraph that shares words with the text above.
    """
    lines = labels.lines
    first = next((number for number in range(announced + 1, len(lines)) if _is_paragraph(lines[number])), len(lines))
    above = [lines[number] for number in range(max(0, announced - _NEAR), announced) if labels.reasons[number] is None]
    if first - announced > 2 and not _is_foreign(lines[first : first + 1], above):
        return first
    for number in range(first, len(lines) - 1):
        if _is_paragraph(lines[number]) and _is_paragraph(lines[number + 1]):
            return number
    return len(lines)


def _is_paragraph(line: str) -> bool:
    return len(line.split()) >= 25 and line.endswith(_ENDED)


def _drop_contacts_above(labels: LineLabels, number: int) -> None:
    above = number - 1
    while above >= 0 and (labels.reasons[above] or _CONTACT.fullmatch(labels.lines[above])):
        labels.drop([above], message("dropped.imprint"))
        above -= 1


def _drop_repeated(labels: LineLabels) -> None:
    """Drop lines that the file has twice word for word.

    Such lines are a caption printed again, or the title above the text. An item of a list stays, since it may
    belong to another heading (a clause of a law). A label with its value (Phụ trách: Ban quản trị) stays, too, if
    it is far from the first.
    """
    before: dict[str, int] = {}
    for number in labels.left():
        line = labels.lines[number]
        first = before.setdefault(line, number)
        near = number - first <= 2
        again = len(line.split()) >= 3 if near else len(line.split()) >= 6 and ": " not in line
        if first < number and again and has_tokens(line) and not _BULLET.match(line):
            labels.drop([number], message("dropped.twice"))


def _drop_dated(labels: LineLabels) -> None:
    """Drop lists of older articles.

    A list is a run of headlines that each end with a date in brackets.
    """
    run: list[int] = []
    for number in [*labels.left(), -1]:
        if number >= 0 and _DATED.fullmatch(labels.lines[number]):
            run.append(number)
            continue
        announced = bool(run) and run[0] > 0 and labels.lines[run[0] - 1].endswith(":")
        if len(run) >= 2 and not announced:
            labels.drop(run, message("dropped.dated-headline"))
        run = []


def _drop_menus(labels: LineLabels) -> None:
    """Drop menus, and a site's name above the first paragraph.

    A menu is a run of very short lines above the first or below the last paragraph.
    """
    left = labels.left()
    prose = [number for number in left if is_prose(labels.lines[number])]
    if not prose:
        return
    above = [number for number in left if number < prose[0]]
    below = [number for number in left if number > prose[-1]]
    for part in (above, below):
        run: list[int] = []
        for number in [*part, -1]:
            if number >= 0 and _is_menu_entry(labels.lines[number]):
                run.append(number)
                continue
            announced = bool(run) and run[0] > 0 and labels.lines[run[0] - 1].endswith(":")
            if len(run) >= 4 and not announced:
                labels.drop(run, message("dropped.menu"))
            run = []
    if above and not any(labels.reasons[number] is None and read_dateline(labels.lines[number]) is None for number in above):
        labels.reasons[above[-1]] = None  # it may be the title
    banners = [number for number in above if _BANNER.fullmatch(labels.lines[number])]
    if any(labels.reasons[n] is None and n not in banners and not read_dateline(labels.lines[n]) for n in above):
        labels.drop(banners, message("dropped.site-name"))


def _is_menu_entry(line: str) -> bool:
    words = line.split()
    return len(words) <= 5 and line[0].isupper() and not line.endswith(_ENDED) and not any(c.isdigit() for c in line)


def _drop_teasers(labels: LineLabels) -> None:
    """Drop the teasers from the end of the article to the end of the file.

    Teasers are headlines with at most a line of summary each.
    """
    left = labels.left()
    lines = [labels.lines[number] for number in left]
    last_prose = max((index for index, line in enumerate(lines) if is_prose(line)), default=0)
    begins = _teasers_begin(lines)
    for start, headlines in begins.items():
        # two headlines without a summary may be captions
        if headlines >= (2 if start < last_prose else 3) and _ends_article(lines, start):
            labels.drop(left[start:], _TEASER)
            return
    first = next((start for start, headlines in begins.items() if headlines >= 3 and is_prose(lines[start - 1])), None)
    questions = first is not None and 2 * sum(line.endswith("?") for line in lines[first:]) > begins[first]
    if first is not None and not questions and _is_foreign(lines[first:], lines[:first]):
        labels.drop(left[first:], _TEASER)


def _teasers_begin(lines: Sequence[str]) -> dict[int, int]:
    """Return the lines at which teasers may begin, each with its number of headlines.

    From such a line to the end there are only headlines with at most a line below each.
    """
    begins: dict[int, int] = {}
    headlines = 0
    below_is_headline = True
    for index in range(len(lines) - 1, 0, -1):
        is_headline = _is_headline(lines[index])
        if not is_headline and not below_is_headline:
            break
        headlines += is_headline
        if is_headline:
            begins[index] = headlines
        below_is_headline = is_headline
    return dict(reversed(begins.items()))


def _is_headline(line: str) -> bool:
    words = len(line.split())
    return 6 <= words <= 25 and not line.endswith(tuple(".…:;,")) and not _BULLET.match(line) and line[0].isupper()


def _ends_article(lines: Sequence[str], index: int) -> bool:
    """Return True if the line before `index` ends an article.

    It ends with "./.", or is the author's name below a paragraph.
    """
    if lines[index - 1].endswith("./."):
        return True
    return index >= 3 and is_prose(lines[index - 2]) and _is_name(lines[index - 1])


def _is_name(line: str) -> bool:
    words = re.sub(r"\(.*?\)|^(?:theo|bài|ảnh|tin|và|,|:)\s", "", line, flags=re.IGNORECASE).split()
    return (
        2 <= len(words) <= 6
        and all(word[0].isupper() or word in ("và", "-", "–") for word in words)
        and words[-1][-1].isalpha()
    )


def _is_foreign(lines: Sequence[str], article: Sequence[str]) -> bool:
    """Return True if lines share few pairs of neighbouring syllables with an article.

    In 627 real news texts 90 % of last paragraphs share more than .12 of their pairs with the text above them; of
    paragraphs from other texts about cooperatives 10 % do.
    """
    known = {pair for line in article for pair in _pairs(line)}
    pairs = [pair for line in lines for pair in _pairs(line)]
    return sum(pair in known for pair in pairs) < 0.12 * len(pairs)


def _pairs(line: str) -> list[tuple[str, str]]:
    return list(itertools.pairwise(map(folded_form, terms(line))))


def _short(line: str) -> str:
    return line if len(line) <= 40 else line[:39] + "…"
