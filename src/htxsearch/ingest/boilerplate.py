"""Page furniture among lines of text: counters, licences, menus, teasers of other stories.

Each rule looks at what a line says by itself, or at how lines stand together; what it drops is kept with the reason, so
that it can be shown. Nothing is dropped that reads as a sentence of the story: where a rule cannot tell, the line stays.
"""

import itertools
import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from hashlib import blake2b

from htxsearch.ingest.article import Dropped
from htxsearch.text.dates import read_dateline
from htxsearch.text.normalize import folded_form
from htxsearch.text.tokens import has_tokens, terms

__all__ = ["BLOCK_DIGITS", "REPEATED", "LineLabels", "block", "is_boilerplate_label", "is_prose", "sort_lines"]

BLOCK_DIGITS = 10
"""Characters of a `block`."""

REPEATED = "it stands in several articles of the same source"

_LINES: dict[str, tuple[str, ...]] = {
    "a counter": (r"[\d.,\s]*lượt (?:xem|đọc|truy cập)[\s\d.,:|]*", r"(?:số )?lượt (?:xem|đọc|truy cập)(?: bài)?\s*:.{0,20}"),
    "a button": (
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
    "where the page stands in its site": (
        r"trang chủ(?:\s*[>»/|›].*)?",
        r"[^>»›:.+-][^>»›:.]{1,40}(?<!-)(?:\s[>»›]+\s[^>»›:.]{2,40}){2,}",
    ),
    "a link to another story": (
        r"(?:xem thêm|đọc thêm|xem tiếp|mời (?:bạn )?(?:đọc|xem) thêm|(?:tin|bài)(?: viết)? liên quan)\s*:\s*[^.]{1,200}",
        r"xem thêm\b[^:.]{0,20}",
        r"(?:>{2,}|»)\s*[^\s>»].{0,200}",
    ),
    "keywords": (r"(?:từ khóa|tags?|thẻ|chủ đề|xem thêm về)\s*:.{1,200}", r"(?:#\s?[^#\s]+(?:\s+[^#\s]+){0,6}\s*)+"),
    "who put it on the page": (r"(?:tác giả bài viết|người đăng(?: bài(?: viết)?)?|người viết|biên tập viên?)\s*:.{0,60}",),
}
_ENDS: dict[str, tuple[str, ...]] = {
    "other stories": (
        r"(?:các )?(?:tin bài|tin|bài viết|tin tức|bài|sự kiện)"
        r"\s+(?:cùng chuyên mục|cùng chủ đề|liên quan|mới(?: nhất| hơn| đăng)?|khác|đã đưa|cũ hơn|đọc nhiều|nổi bật|tiêu điểm)"
        r"\b[^.]{0,15}",
        r"(?:đọc nhiều|xem nhiều|mới nhất|tin nổi bật|đáng quan tâm|cùng chuyên mục)\s*:?",
        r"có thể bạn quan tâm.*",
    ),
    "what readers say": (
        r"(?:ý kiến|bình luận) (?:bạn đọc|của bạn).*",
        r"đánh giá bài viết.*",
        r"tổng số điểm của bài viết.*",
        r"click để đánh giá.*",
    ),
    "the site's imprint": (
        r"chịu trách nhiệm (?:nội dung|chính|xuất bản)\s*:.*",
        r"(?:cơ quan chủ quản|tổng biên tập|phó tổng biên tập|trưởng ban (?:biên tập|quản trị))\s*:.*",
        r"(?:số )?giấy phép (?:số|(?:thiết lập|hoạt động|xuất bản)\b.{0,60}\bsố)\b.*\d.*",
        r"(?:® )?ghi rõ nguồn (?!gốc).{0,60}(?:khi|trang|website|\.vn).*",
        r"(?:copyright|©|bản quyền (?:thuộc|©)).*",
        r"thiết kế (?:và phát triển )?bởi\b.{0,60}",
    ),
    "what stands in the site's margin": (r"thư viện (?:ảnh|video)", r"liên kết (?:website|trang|web)", r"translate:?"),
}
_LINE = {reason: re.compile("|".join(patterns), re.IGNORECASE) for reason, patterns in _LINES.items()}
_END = {reason: re.compile("|".join(patterns), re.IGNORECASE) for reason, patterns in _ENDS.items()}
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
"""Lines above a box that are looked at to tell whether what is below it speaks of the same."""
_TEASER = "a headline or summary of another story, below the end of this one"
_LEAD = 200
"""Characters of an article before what announces its end can do so."""


@dataclass(slots=True)
class LineLabels:
    """Lines sorted into the story's and others: `reasons[i]` says why `lines[i]` is dropped, None that it is kept."""

    lines: list[str]
    reasons: list[str | None] = field(default_factory=list)

    def kept(self) -> list[str]:
        """Return the story's lines in order."""
        return [line for line, reason in zip(self.lines, self.reasons, strict=True) if reason is None]

    def dropped(self) -> tuple[Dropped, ...]:
        """Return the other lines in order, each with its reason."""
        return tuple(Dropped(line, reason) for line, reason in zip(self.lines, self.reasons, strict=True) if reason is not None)

    def drop(self, numbers: "range | Sequence[int]", reason: str) -> None:
        """Drop those of the lines that are still kept."""
        for number in numbers:
            self.reasons[number] = self.reasons[number] or reason

    def left(self) -> list[int]:
        """Return the numbers of the lines that are kept so far."""
        return [number for number, reason in enumerate(self.reasons) if reason is None]


def sort_lines(lines: Sequence[str], learnt: Set[str] = frozenset()) -> LineLabels:
    """Sort lines into the story and its furniture; blanks are squeezed, blank lines left out, the order is kept.

    `learnt` holds the `block` of lines that are known to repeat in articles of this source.
    """
    squeezed = [" ".join(line.split()) for line in lines]
    found = LineLabels([line for line in squeezed if line])
    found.reasons = [is_boilerplate_label(line) for line in found.lines]
    _drop_learnt(found, learnt)
    _drop_from_end(found)
    _drop_repeated(found)
    _drop_dated(found)
    _drop_menus(found)
    _drop_teasers(found)
    return found


def is_boilerplate_label(line: str) -> str | None:
    """Return what kind of furniture a line is by its own words, None if it is none."""
    return next((reason for reason, pattern in _LINE.items() if pattern.fullmatch(line)), None)


def is_prose(line: str) -> bool:
    """Tell whether a line reads as a paragraph of text, not as a headline, caption, menu entry or cell."""
    words = len(line.split())
    return words >= 25 or (words >= 10 and line.endswith(_ENDED))


def block(line: str) -> str:
    """Return the hash by which a line is counted, hex digits; blanks, capitals and marks do not matter."""
    return blake2b(" ".join(map(folded_form, terms(line))).encode(), digest_size=BLOCK_DIGITS // 2).hexdigest()


def _drop_learnt(found: LineLabels, learnt: Set[str]) -> None:
    """Drop repeated lines; between the story's paragraphs a lone short one stays, and a whole paragraph.

    The one may be a heading, the other what went before, told again in the next story. If nothing else is left, all stay.
    """
    if not learnt:
        return
    known = [block(line) in learnt for line in found.lines]
    if all(known[number] for number in found.left()):
        return
    prose = [n for n, line in enumerate(found.lines) if not known[n] and found.reasons[n] is None and is_prose(line)]
    for number, line in enumerate(found.lines):
        inside = bool(prose) and prose[0] < number < prose[-1]
        alone = not any(known[max(number - 1, 0) : number]) and not any(known[number + 1 : number + 2])
        stays = inside and ((alone and len(line.split()) < 8) or _is_paragraph(line))
        if known[number] and not stays:
            found.drop([number], REPEATED)


def _drop_from_end(found: LineLabels) -> None:
    """Drop all from a line that announces other stories or the imprint, but a box amid the story only to its end."""
    length = 0
    number = 0
    while number < len(found.lines):
        line = found.lines[number]
        what = next((reason for reason, pattern in _END.items() if pattern.fullmatch(line)), None)
        if what and length > _LEAD:
            resumes = _resumes(found, number) if what == "other stories" else len(found.lines)
            found.drop(range(number, resumes), f"it begins or follows “{_short(line)}”: {what}")
            if what == "the site's imprint":
                _drop_contacts_above(found, number)
            number = resumes
            continue
        length += len(line) if found.reasons[number] is None else 0
        number += 1


def _resumes(found: LineLabels, announced: int) -> int:
    """Return where the story goes on below a box of other stories.

    That is at two long paragraphs one after the other, or at one below several headlines if it speaks of the same as before.
    """
    lines = found.lines
    first = next((number for number in range(announced + 1, len(lines)) if _is_paragraph(lines[number])), len(lines))
    above = [lines[number] for number in range(max(0, announced - _NEAR), announced) if found.reasons[number] is None]
    if first - announced > 2 and not _is_foreign(lines[first : first + 1], above):
        return first
    for number in range(first, len(lines) - 1):
        if _is_paragraph(lines[number]) and _is_paragraph(lines[number + 1]):
            return number
    return len(lines)


def _is_paragraph(line: str) -> bool:
    return len(line.split()) >= 25 and line.endswith(_ENDED)


def _drop_contacts_above(found: LineLabels, number: int) -> None:
    above = number - 1
    while above >= 0 and (found.reasons[above] or _CONTACT.fullmatch(found.lines[above])):
        found.drop([above], "the site's imprint")
        above -= 1


def _drop_repeated(found: LineLabels) -> None:
    """Drop what the file says twice word for word: a caption printed again, the title above the text.

    An item of a list stays, it may stand under another heading (a clause of a law), and far from the first so does a
    label with what it says (Phụ trách: Ban quản trị).
    """
    before: dict[str, int] = {}
    for number in found.left():
        line = found.lines[number]
        first = before.setdefault(line, number)
        near = number - first <= 2
        again = len(line.split()) >= 3 if near else len(line.split()) >= 6 and ": " not in line
        if first < number and again and has_tokens(line) and not _BULLET.match(line):
            found.drop([number], "it is printed twice")


def _drop_dated(found: LineLabels) -> None:
    """Drop runs of headlines that each end with a date in brackets, as lists of older stories have them."""
    run: list[int] = []
    for number in [*found.left(), -1]:
        if number >= 0 and _DATED.fullmatch(found.lines[number]):
            run.append(number)
            continue
        announced = bool(run) and run[0] > 0 and found.lines[run[0] - 1].endswith(":")
        if len(run) >= 2 and not announced:
            found.drop(run, "a headline with a date: another story")
        run = []


def _drop_menus(found: LineLabels) -> None:
    """Drop runs of very short lines above the first and below the last paragraph, and a site's name above the first."""
    left = found.left()
    prose = [number for number in left if is_prose(found.lines[number])]
    if not prose:
        return
    above = [number for number in left if number < prose[0]]
    below = [number for number in left if number > prose[-1]]
    for part in (above, below):
        run: list[int] = []
        for number in [*part, -1]:
            if number >= 0 and _is_menu_entry(found.lines[number]):
                run.append(number)
                continue
            announced = bool(run) and run[0] > 0 and found.lines[run[0] - 1].endswith(":")
            if len(run) >= 4 and not announced:
                found.drop(run, "an entry of a menu")
            run = []
    if above and not any(found.reasons[number] is None and read_dateline(found.lines[number]) is None for number in above):
        found.reasons[above[-1]] = None  # it may be the title
    banners = [number for number in above if _BANNER.fullmatch(found.lines[number])]
    if any(found.reasons[n] is None and n not in banners and not read_dateline(found.lines[n]) for n in above):
        found.drop(banners, "the site's name")


def _is_menu_entry(line: str) -> bool:
    words = line.split()
    return len(words) <= 5 and line[0].isupper() and not line.endswith(_ENDED) and not any(c.isdigit() for c in line)


def _drop_teasers(found: LineLabels) -> None:
    """Drop headlines with at most a line of summary each, from the story's end to the file's."""
    left = found.left()
    lines = [found.lines[number] for number in left]
    last_prose = max((at for at, line in enumerate(lines) if is_prose(line)), default=0)
    begins = _teasers_begin(lines)
    for at, many in begins.items():
        if many >= (2 if at < last_prose else 3) and _story_ends(lines, at):  # two without a summary may be captions
            found.drop(left[at:], _TEASER)
            return
    first = next((at for at, many in begins.items() if many >= 3 and is_prose(lines[at - 1])), None)
    questions = first is not None and 2 * sum(line.endswith("?") for line in lines[first:]) > begins[first]
    if first is not None and not questions and _is_foreign(lines[first:], lines[:first]):
        found.drop(left[first:], _TEASER)


def _teasers_begin(lines: Sequence[str]) -> dict[int, int]:
    """Return where lines begin that are to the end headlines with at most a line below each, and how many there are."""
    begins: dict[int, int] = {}
    many = 0
    below = True
    for at in range(len(lines) - 1, 0, -1):
        headline = _is_headline(lines[at])
        if not headline and not below:
            break
        many += headline
        if headline:
            begins[at] = many
        below = headline
    return dict(reversed(begins.items()))


def _is_headline(line: str) -> bool:
    words = len(line.split())
    return 6 <= words <= 25 and not line.endswith(tuple(".…:;,")) and not _BULLET.match(line) and line[0].isupper()


def _story_ends(lines: Sequence[str], at: int) -> bool:
    """Tell whether the last line before a place ends a story: with "./." or by its author's name below a paragraph."""
    if lines[at - 1].endswith("./."):
        return True
    return at >= 3 and is_prose(lines[at - 2]) and _is_name(lines[at - 1])


def _is_name(line: str) -> bool:
    words = re.sub(r"\(.*?\)|^(?:theo|bài|ảnh|tin|và|,|:)\s", "", line, flags=re.IGNORECASE).split()
    return (
        2 <= len(words) <= 6
        and all(word[0].isupper() or word in ("và", "-", "–") for word in words)
        and words[-1][-1].isalpha()
    )


def _is_foreign(lines: Sequence[str], story: Sequence[str]) -> bool:
    """Tell whether few pairs of neighbouring syllables of some lines come back in the story.

    In 627 real news texts 90 % of last paragraphs have more than .12 of theirs in what is above them; of paragraphs from
    other texts about cooperatives 10 % do.
    """
    known = {pair for line in story for pair in _pairs(line)}
    pairs = [pair for line in lines for pair in _pairs(line)]
    return sum(pair in known for pair in pairs) < 0.12 * len(pairs)


def _pairs(line: str) -> list[tuple[str, str]]:
    found = [folded_form(one) for one in terms(line)]
    return list(itertools.pairwise(found))


def _short(line: str) -> str:
    return line if len(line) <= 40 else line[:39] + "…"
