"""The foot of an official document: who signed it, and who gets it.

Nghị định 30/2020/NĐ-CP, appendix I: "Nơi nhận:" and its list stand left, the office and the name of who signs stand right, with
"TM." (in the name of), "KT." (for the head of the office), "TL." or "TUQ." (by order) before the office that is signed for.
Two columns come as one row, one cell after the other, or as lines. The list says nothing of the document and is dropped; who
signed stays in the text. Nothing is guessed: a foot that is not written like this has no signer.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from htxsearch.text.normalize import is_syllable

__all__ = ["Foot", "read_foot"]

_OFFICE = re.compile(
    r"(?<!\w)(?:QUYỀN |Q\. ?)?(?:PHÓ )?(?:"
    r"(?:TỔNG |CHI )?(?:BỘ|THỨ|CỤC|VỤ|VIỆN|HIỆU|ĐỘI|TỔ|HẠT|NHÓM|ĐOÀN|TRẠM|KHOA|THỦ) TRƯỞNG"
    r"|TRƯỞNG (?:BAN|PHÒNG|ĐOÀN|THÔN|BẢN|TRẠM|TIỂU BAN|KHOA|BỘ PHẬN|NHÓM|CHI NHÁNH)"
    r"|(?:TỔNG )?GIÁM ĐỐC|CHỦ TỊCH|CHỦ NHIỆM|BÍ THƯ|THỦ TƯỚNG|THỐNG ĐỐC|CHÁNH (?:VĂN PHÒNG|THANH TRA|ÁN)"
    r"|TỔNG (?:BIÊN TẬP|THANH TRA|THƯ KÝ|KIỂM TOÁN)|[ỦU][YỶ] VIÊN"
    r")(?!\w)"
)
_FOR = re.compile(r"(?:(?P<how>KT|TM|TL|TUQ)\s?[./]|(?P<also>K/T|T/M|T/L)\b\.?)\s?(?=[^\W\d_])")
"""In the name of a body, or for a head of office: who signs has another office, which stands below."""
_SIGNED = re.compile(r"(?:\(\s*)?(?:(?:đã|chữ) ký|ký tên|signed|ký\b)[^()]{0,40}(?:\)|$)\s*", re.IGNORECASE)
_RANK = re.compile(
    r"(?:(?:(?:P?GS|TS|Th[.]?S|ThS|KS|CN|BS|LS)\s?[.,]\s?(?:TS\s?[.,]\s?)?)|(?:Thượng|Đại|Trung|Thiếu) (?:tướng|tá|úy) )+"
)
_UPPER = "".join(char for char in map(chr, range(0x41, 0x1EFA)) if char.isupper())
_LOWER = _UPPER.lower()
_SYLLABLE = rf"(?:[{_UPPER}]['’])?[{_UPPER}][{_LOWER}]*"
_NAME = re.compile(rf"{_SYLLABLE}(?:(?: | ?- ?){_SYLLABLE}){{1,5}}")
_FAMILIES = frozenset(
    "nguyễn trần lê phạm hoàng huỳnh phan vũ võ đặng bùi đỗ hồ ngô dương đinh trịnh trương phùng hứa lò".split()
)
"""Names of families that are rarely other words: a name right behind an office in capitals is known by them alone."""
_SURNAMES = _FAMILIES | frozenset(
    "lý đoàn lâm mai đào cao hà lương tạ tô quách nông triệu vương chu châu thái tống tôn lưu lục khổng kiều la mạc quàng"
    " cầm đèo ma giàng sùng vàng thào vừ mùa lầu hạng cà tòng bàn phàn tẩn lù chảo nghiêm doãn thạch kim sơn danh diệp giang"
    " hồng ninh khuất cù cung đàm đồng điểu bạch âu ông hoa mẫn từ uông viên y ksor rơ siu".split()
)
"""The names of families: a name in capitals is known by them alone."""
_NO_PERSON = frozenset({"HỒ CHÍ MINH", "KÝ TÊN", "ĐÃ KÝ", "HỌ TÊN", "HỌ VÀ TÊN", "CHỮ KÝ"})
_RECIPIENTS = re.compile(r"Nơi nhận\s*:|Nơi nhận$", re.IGNORECASE)
_ITEM = re.compile(r"[-–—+•*●▪]|Như\b|Lưu\b|\(|\d{1,2}[.)]\s")
_FILED = re.compile(r"(?:^|[-–—+•*●▪;:.]\s*|\s)Lưu\b")
"""The last line of the list: what is kept in the files of the office."""
_LIKE_ABOVE = re.compile(r"Như\s+(?:trên|Điều|kính gửi|điều)")
_ANNEX = re.compile(
    r"(?:PHỤ LỤC|Phụ lục)(?: SỐ| số)?(?: [IVXLC\d]+)?\s*[.:]?|(?:Mẫu|MẪU|BIỂU|Biểu)(?: BIỂU)? (?:số|SỐ)\b.{0,40}"
)
_CELLS = re.compile(r"\t+|\n|\s*\|\s*|\s{3,}")
_MOST_ITEMS, _LONGEST_ITEM = 60, 300
_PARTS = ("PHÓ", "QUYỀN", "TỔNG", "CHÁNH", "CHI")
"""Words of an office behind which the next one has a capital, too: Phó Chủ tịch, Chánh Văn phòng."""
_NEAR = 30
"""Pieces between the list and the signature."""
_REACH = 14
"""Pieces between an office and the name below it."""
_LAST = 3
"""Pieces that may stand behind the signature at the end of a document."""
_LONGEST_PIECE = 160


@dataclass(frozen=True, slots=True)
class Foot:
    """The lines of a document without the list of those who get it.

    `numbers` are those of the lines in the document. `recipients` are the lines of the list. `signer` is the name of who
    signed, with the office in small letters: "Lò Thị Mai, Phó Chủ tịch".
    """

    lines: tuple[str, ...]
    numbers: tuple[int, ...]
    recipients: tuple[str, ...] = ()
    signer: str | None = None


@dataclass(slots=True)
class _Piece:
    """A cell or line of a document, and the number of the line that it is of."""

    line: int
    text: str
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class _Post:
    """An office in capitals, and the name behind it in the same piece.

    `how` is "KT" and the like if it is the office that is signed for; `is_for` is True if the piece names such an office, too.
    """

    office: str
    how: str | None = None
    name: str | None = None
    is_for: bool = False


def read_foot(lines: Sequence[str]) -> Foot:
    """Return the lines of a document below its head as a `Foot`."""
    pieces = [
        _Piece(number, " ".join(cell.split()))
        for number, line in enumerate(lines)
        for cell in _CELLS.split(line)
        if cell.strip()
    ]
    end = next((at for at, piece in enumerate(pieces) if at and _ANNEX.fullmatch(piece.text)), len(pieces))
    begins = next((at for at in range(end) if _RECIPIENTS.match(pieces[at].text)), None)
    if begins is not None:
        end += _take_apart(pieces, begins, end)
    signer, signed = _signer(pieces, begins, end)
    if begins is not None:
        _drop_recipients(pieces, begins, end, is_signed=signed is not None)
    if not any(piece.dropped for piece in pieces):
        return Foot(tuple(lines), tuple(range(len(lines))), (), signer)
    left = list(_without(lines, pieces))
    recipients = tuple(piece.text for piece in pieces if piece.dropped)
    return Foot(tuple(line for _, line in left), tuple(number for number, _ in left), recipients, signer)


def _without(lines: Sequence[str], pieces: Sequence[_Piece]) -> Iterator[tuple[int, str]]:
    """Yield the lines without what was dropped of them, each with its number."""
    touched = {piece.line for piece in pieces if piece.dropped}
    for number, line in enumerate(lines):
        if number not in touched:
            yield number, line
        elif left := [piece.text for piece in pieces if piece.line == number and not piece.dropped]:
            yield number, " | ".join(left)


# The list of those who get it


def _take_apart(pieces: list[_Piece], begins: int, end: int) -> int:
    """Divide the lines of two columns that were joined by a blank.

    Return by how much the pieces have become more.
    """
    before, at, seen = len(pieces), begins, False
    while at < min(end + len(pieces) - before, begins + _MOST_ITEMS):
        text = pieces[at].text
        cut = _column(text, is_signed=seen) if _RECIPIENTS.match(text) or _ITEM.match(text) else None
        if cut:
            pieces[at : at + 1] = [_Piece(pieces[at].line, text[:cut].strip()), _Piece(pieces[at].line, text[cut:].strip())]
        seen = seen or _post(pieces[at + bool(cut)].text) is not None
        at += 1 + bool(cut)
    return len(pieces) - before


def _column(text: str, *, is_signed: bool) -> int | None:
    """Return where the right column begins in a line of the list."""
    for found in re.finditer(r"(?<=\s)\S", text[: _LONGEST_ITEM * 2]):
        rest = text[found.start() :]
        if _post(rest) is not None or _SIGNED.fullmatch(rest):
            return found.start()
        if is_signed and text[: found.start()].rstrip()[-1:] in ".;:)" and _name(rest, is_known=True):
            return found.start()
    return None


def _drop_recipients(pieces: Sequence[_Piece], begins: int, end: int, *, is_signed: bool) -> None:
    """Mark the list that begins with a piece as dropped, unless it is none."""
    last = min(end, begins + _MOST_ITEMS)
    filed = next((at for at in range(begins, last) if _is_item(pieces[at].text) and _FILED.search(pieces[at].text)), None)
    found = [begins]
    goes_on = True
    for at in range(begins + 1, last if filed is None else filed + 1):
        text = pieces[at].text
        if _is_item(text) or (goes_on and not _is_of_signature(text) and (text[:1].islower() or text.endswith(";"))):
            found.append(at)
            goes_on = True
        elif _is_of_signature(text) and filed is not None:
            goes_on = False
        else:
            break
    texts = [pieces[at].text for at in found]
    if is_signed or any(_FILED.search(text) or _LIKE_ABOVE.search(text) for text in texts):
        for at in found if len(found) > 1 or _ITEM.search(texts[0][len("Nơi nhận:") :]) else ():
            pieces[at].dropped = True


def _is_item(text: str) -> bool:
    return len(text) <= _LONGEST_ITEM and (_ITEM.match(text) or _RECIPIENTS.match(text)) is not None


def _is_of_signature(text: str) -> bool:
    """Return True for an office, a name, or what stands for a signature."""
    return _is_of_capitals(text) or _SIGNED.match(text) is not None or _name(text) is not None


# Who signed


def _signer(pieces: Sequence[_Piece], begins: int | None, end: int) -> tuple[str | None, int | None]:
    """Return who signed, and the number of the piece with the name.

    Several sign a joint document, one below the other.
    """
    signers: list[str] = []
    last: int | None = None
    for at in range(end):
        if last is not None and not last < at <= last + 1:
            continue
        beside = _post(pieces[at - 1].text) if at and pieces[at - 1].line == pieces[at].line else None
        if beside and not beside.is_for:
            continue  # two sign beside each other: whose name is whose is not sure
        post = _post(pieces[at].text)
        found = _read_signature(pieces, at, end) if post else None
        if post is None or found is None:
            continue
        near = begins is not None and begins - _NEAR <= found[1] and at <= begins + _NEAR
        if signers or post.is_for or near or end - found[1] - 1 <= _LAST:
            signers.append(found[0])
            last = found[1]
    return "; ".join(signers) or None, last


def _read_signature(pieces: Sequence[_Piece], at: int, end: int) -> tuple[str, int] | None:
    """Return the signer whose office begins in a piece, and the piece of the name."""
    post = _post(pieces[at].text)
    assert post is not None
    if post.name:
        return _titled(post.name, post), at
    plain = not post.is_for
    for next_at in range(at + 1, min(end, at + _REACH)):
        text = pieces[next_at].text
        below = _post(text)
        if below is not None:
            if plain and not below.is_for and pieces[next_at].line == pieces[next_at - 1].line:
                return None
            post, plain = below, not below.is_for
            if below.name:
                return _titled(below.name, below), next_at
        elif name := _name(text):
            beside = pieces[next_at + 1] if next_at + 1 < end else None
            if beside and beside.line == pieces[next_at].line and _name(beside.text):
                return None
            return _titled(name, post), next_at
        elif _is_of_capitals(text) and next_at == at + 1 and not post.how:
            post = _Post(f"{post.office} {text}")
        elif not (_SIGNED.fullmatch(text) or _is_item(text) or _is_of_capitals(text) or not any(map(str.isalpha, text))):
            return None
    return None


def _post(text: str) -> _Post | None:
    """Return the office that a piece is, None for any other text.

    Behind the capitals of the office only a mark of the signature and a name may follow.
    """
    if len(text) > _LONGEST_PIECE or not text[:1].isupper():
        return None
    words = text.split()
    capitals = list(takewhile(_is_upper, words))
    if len(capitals) > 1 and len(capitals[-1]) == 1 and len(capitals) < len(words):
        capitals.pop()  # the first syllable of a name: Y Thanh
    office = " ".join(capitals)
    rest = _SIGNED.sub("", " ".join(words[len(capitals) :]), count=1)
    name = _name(rest) if rest else None
    if rest and name is None:
        return None
    if name is None:
        office, name = _name_behind(office)
    before = _FOR.match(office)
    how = (before["how"] or before["also"].replace("/", "")) if before else None
    offices = [found for found in _OFFICE.finditer(office) if not office[: found.start()].endswith(("KIÊM ", ", "))]
    if not how and (not offices or offices[0].start() > 0):
        return None
    is_own = not how or len(offices) > 1 or (offices and how == "TM")  # the office of who signs, not the one signed for
    return _Post(office[offices[-1].start() :], None, name, how is not None) if is_own else _Post(office, how, name, True)


def _name_behind(office: str) -> tuple[str, str | None]:
    """Return an office, and the name in capitals that stands behind it."""
    words = office.split()
    for size in (4, 3):
        left, last = " ".join(words[:-size]), words[-size:]
        if not left or not (last[0].lower() in _FAMILIES or last[1] in ("VĂN", "THỊ")):
            continue
        name = _name(" ".join(last), is_known=True)
        if name and _OFFICE.search(left):
            return left, name
    return office, None


def _name(text: str, *, is_known: bool = False) -> str | None:
    """Return the name of a person that a piece is, in small letters with capitals.

    A name in capitals, or any with `is_known`, is one only with a family's name in front.
    """
    bare = _RANK.sub("", _SIGNED.sub("", text, count=1), count=1).strip()
    upper = bare.isupper()
    name = bare.title().replace("’S", "’s") if upper else bare
    syllables = name.lower().split()
    if not _NAME.fullmatch(name) or bare.upper() in _NO_PERSON:
        return None
    return name if not (upper or is_known) or syllables[0] in _SURNAMES else None


def _titled(name: str, post: _Post) -> str:
    """Return a name with its office: Nguyễn Văn A, Phó Chủ tịch."""
    if post.how:
        behind = _FOR.sub("", post.office, count=1)
        return f"{name}, {post.how}. {_small(behind)}"
    return f"{name}, {_small(post.office)}"


def _small(office: str) -> str:
    """Return an office in small letters, as running words write it: Phó Chủ tịch.

    Short forms stay in capitals.
    """
    words = [word.strip("()") for word in re.sub(r"\d+$", "", office).split()]
    first = {0}
    for found in _OFFICE.finditer(office):
        start, own = len(office[: found.start()].split()), found[0].split()
        parts = (number for number, word in enumerate(own[:-1], start + 1) if word in _PARTS and own[-1] != "ÁN")
        first |= {start, start + len(own), *parts, *([start + 1] if own[0] == "PHÓ" else [])}
    return " ".join(
        word if not is_syllable(word.lower().strip(",.-")) else word.capitalize() if number in first else word.lower()
        for number, word in enumerate(words)
    )


def _is_upper(word: str) -> bool:
    return word == word.upper() and (any(map(str.isalpha, word)) or word in "-–&,")


def _is_of_capitals(text: str) -> bool:
    return text == text.upper() and any(map(str.isalpha, text)) and len(text) <= _LONGEST_PIECE
