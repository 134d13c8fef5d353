"""Bytes to Vietnamese text: Unicode, windows-1258, TCVN3 (ABC), VNI and VISCII.

The last three are old. The encoding is detected by the number of Vietnamese syllables that each one gives.

Old encodings are also found within Unicode: a text typed in a font such as .VnTime or VNI-Times and pasted comes
as "Hîp t¸c x·" or "Hôïp taùc xaõ", its bytes shown as letters of western Europe.

Tables: TCVN 5712:1993 (VN1; TCVN3 is its part without capitals that have a tone) and RFC 1456 (VISCII), as GNU
libc has them; VNI as in "VNI Character Set", VNI Software.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from htxsearch.errors.messages import Message, message
from htxsearch.text.normalize import canonical_spelling, is_syllable, nfc

__all__ = ["Decoded", "Undecided", "decoded", "is_one_byte", "letters_of", "repaired", "vietnamese_share"]

_TCVN3 = (
    "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ"
    "\xa0ĂÂÊÔƠƯĐăâêôơưđẰ\ufffd\ufffd\ufffd\ufffd\ufffdàảãáạẲằẳẵắẴ"
    "ẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệìỉỄẾỒĩíịò"
    "ỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ"
)
_VISCII = (
    "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲ"
    "ÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯ"
    "ÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡư"
    "àáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"
)
_VISCII_LOW = {2: "Ẳ", 5: "Ẵ", 6: "Ẫ", 20: "Ỷ", 25: "Ỹ", 30: "Ỵ"}
_VNI_TONES = {"ù": "\u0301", "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ï": "\u0323"}
_VNI_HATS = {"á": "\u0301", "à": "\u0300", "å": "\u0309", "ã": "\u0303", "ä": "\u0323", "â": ""}
_VNI_BREVES = {"é": "\u0301", "è": "\u0300", "ú": "\u0309", "ü": "\u0303", "ë": "\u0323", "ê": ""}
_VNI_SINGLE = {"ô": "ơ", "ö": "ư", "ñ": "đ", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}

_SURE = 0.85
"""Share of the words with diacritics that must be Vietnamese syllables."""
_CLEARLY = 0.1
"""Lead of the best encoding over the next, in the same share."""
_MUCH = 0.3
"""Gain in the same share that justifies changing a text that already is Unicode."""
_FEW = 3
"""Least number of words with diacritics to judge a text that already is Unicode."""
_BETWEEN = re.compile(r"[\s!-/:-@\[-`{-~\xa0“”‘’–—…«»•°]+")
_SIGNS = re.compile("[µ¸¶¹¨¾¼½Æ©ÇËÐÎÏÑªÖØÜÞßäåæçëîïñøö÷ûüþÅÄÛ\xac]")
"""Letters and signs that mean Vietnamese ones in TCVN3 or VNI, and are rare in Vietnamese text."""
_COMMON = frozenset(
    "của và là các có được những một này với cho để người không đã tại năm về từ ngày tỉnh xã hợp tác phát triển đến "
    "nhiều ở vào như đó thì cũng trên hơn số công việc nhà nước đồng tế sản xuất hội địa phương thành viên nông "
    "nghiệp xây dựng quản lý dịch vụ thực hiện chính sách tổ chức hoạt động tổng điều kiện trình đầu tư thị trường "
    "phẩm chất lượng lớn mới giá trị trồng chè lúa huyện bộ sở chủ tịch giám đốc đề án nghị quyết định luật gần cả sẽ "
    "còn phải rất lại lên đại học mình ông bà họ biết thấy làm nói đất tiền vốn hộ gia đình máy hàng bán giống nuôi "
    "cá tín dụng hỗ trợ liên kết giữa trước sau ngoài đây".split()
)
"""Frequent syllables with diacritics: they tell the right encoding from one that merely gives possible syllables."""


class Decoded(NamedTuple):
    """A text, and the name of its encoding."""

    text: str
    encoding: str


class Undecided(Exception):
    """No encoding of the bytes is clearly right.

    `message` names those that were tried.
    """

    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__(message)


def decoded(data: bytes) -> Decoded:
    """Return the text of bytes, not yet composed.

    Old encodings within Unicode are repaired. Byte order marks and valid UTF-8 decide. Else UTF-16 is known by its
    zero bytes. Of the other encodings the one is chosen whose words with diacritics are Vietnamese syllables. Raises
    Undecided.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _repaired_as(_utf_16(data, "utf-16"), "utf-16")
    if b"\0" in data[:4096]:
        even, odd = data[:4096:2].count(0), data[1:4096:2].count(0)
        if 8 * max(even, odd) < len(data[:4096]) or 8 * min(even, odd) > max(even, odd):
            raise Undecided(message("file.nul"))
        return Decoded(_utf_16(data, "utf-16-le" if odd > even else "utf-16-be"), "utf-16")
    try:
        return _repaired_as(data.decode("utf-8-sig"), "utf-8")
    except UnicodeDecodeError:
        return _of_one_byte(data)


def _utf_16(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Undecided(message("file.utf-16", position=error.start)) from error


def _of_one_byte(data: bytes) -> Decoded:
    """Return the text in the one-byte encoding that is clearly the most Vietnamese.

    Such an encoding has one byte a letter.
    """
    texts = {name: read(data) for name, read in _READERS.items()}
    scores = sorted(((vietnamese_share(text), name) for name, text in texts.items()), reverse=True)
    (best, name), (next_best, other) = scores[:2]
    if best >= _SURE and (best - next_best >= _CLEARLY or texts[name] == texts[other]):
        return Decoded(texts[name], name)
    if best >= _SURE:
        raise Undecided(message("file.two-encodings", encoding=name, other=other))
    raise Undecided(message("file.no-encoding", tried=list(_READERS)))


def _repaired_as(text: str, encoding: str) -> Decoded:
    return repaired(text) or Decoded(text, encoding)


def repaired(text: str) -> Decoded | None:
    """Return the meaning of a Unicode text whose letters are TCVN3 or VNI bytes.

    The result is None for any other text. Lines that are Vietnamese as they are stay. A text with fewer than three
    such words is left alone, as is text that is not Vietnamese either way (French, German).
    """
    if len(_SIGNS.findall(text)) < _FEW:
        return None
    lines = text.split("\n")
    suspect = [number for number, line in enumerate(lines) if _SIGNS.search(line)]
    together = "\n".join(lines[number] for number in suspect)
    if len(_words_with_diacritics(together)) < _FEW:
        return None
    score, name = max((vietnamese_share(_READERS[name](_bytes(together))), name) for name in ("TCVN3", "VNI"))
    if score < _SURE or score - vietnamese_share(together) < _MUCH:
        return None
    read = _READERS[name]
    throughout = 2 * len(together) > sum(len(line) for line in lines if _words_with_diacritics(line))
    for number in range(len(lines)) if throughout else suspect:
        line = lines[number]
        if _words_with_diacritics(line) and is_one_byte(line):
            meant = read(_bytes(line))
            if vietnamese_share(meant) >= vietnamese_share(line):
                lines[number] = meant
    return Decoded("\n".join(lines), name)


def is_one_byte(line: str) -> bool:
    """Return True if a line has only letters of one byte."""
    return not any(ord(char) > 0xFF and char.isalpha() and char not in "ŒœŠšŸŽžƒ" for char in line)


def letters_of(text: str, encoding: str) -> str:
    """Return what the letters of a text mean in TCVN3 or VNI, composed (NFC).

    Signs such as quotes and dashes stay, for fonts have them where Windows has them.
    """
    if encoding == "VNI":
        pattern, known = _vni()
        return pattern.sub(lambda match: known[match.group()], text)
    return text.translate(_font_table(encoding))


def _bytes(text: str) -> bytes:
    """Return the bytes that windows-1252 shows as a text."""
    data = bytearray()
    for char in text:
        try:
            data += char.encode("cp1252")
        except UnicodeEncodeError:
            data += bytes([ord(char)]) if ord(char) < 256 else b"?"
    return bytes(data)


def _words_with_diacritics(text: str) -> list[str]:
    return [word for word in _BETWEEN.split(text) if word and not word.isascii()]


def vietnamese_share(text: str) -> float:
    """Return the share of Vietnamese syllables among the words with diacritics.

    Common syllables count half as much again.
    """
    words = _words_with_diacritics(nfc(text))
    if not words:
        return 0.0
    lower = [word.lower() for word in words]
    possible = sum(is_syllable(canonical_spelling(word)) for word in lower)
    return (possible + 0.5 * sum(word in _COMMON for word in lower)) / len(words)


# The encodings of one byte a letter


@cache
def _table(name: str) -> dict[int, str]:
    high = _TCVN3 if name == "TCVN3" else _VISCII
    table = {128 + number: char for number, char in enumerate(high)}
    return table if name == "TCVN3" else table | _VISCII_LOW


@cache
def _font_table(name: str) -> dict[int, str]:
    return {code: char for code, char in _table(name).items() if code >= 0xA0}


def _by_table(name: str) -> Callable[[bytes], str]:
    return lambda data: data.decode("latin-1").translate(_table(name))


@cache
def _vni() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return a pattern of VNI's letters, and the meaning of each.

    Pairs come before single letters.
    """
    pairs = {base + tone: base + mark for base in "aeiouy" for tone, mark in _VNI_TONES.items()}
    pairs |= {base + hat: base + "\u0302" + mark for base in "aeo" for hat, mark in _VNI_HATS.items()}
    pairs |= {"a" + breve: "a\u0306" + mark for breve, mark in _VNI_BREVES.items()}
    pairs |= {one + tone: letter + mark for one, letter in (("ô", "ơ"), ("ö", "ư")) for tone, mark in _VNI_TONES.items()}
    known = pairs | _VNI_SINGLE
    for letters, meant in list(known.items()):
        known[letters.upper()] = known[letters.capitalize()] = meant.upper()
        known[letters[0] + letters[1:].upper()] = meant
    longest_first = sorted(known, key=len, reverse=True)
    return re.compile("|".join(longest_first)), {letters: nfc(meant) for letters, meant in known.items()}


def _read_vni(data: bytes) -> str:
    pattern, known = _vni()
    return pattern.sub(lambda match: known[match.group()], data.decode("cp1252", "replace"))


_READERS: dict[str, Callable[[bytes], str]] = {
    "windows-1258": lambda data: nfc(data.decode("cp1258", "replace")),
    "TCVN3": _by_table("TCVN3"),
    "VNI": _read_vni,
    "VISCII": _by_table("VISCII"),
}
