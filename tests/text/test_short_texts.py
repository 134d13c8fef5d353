"""210 short texts in each old encoding, by encoders that share nothing with the decoders."""

import unicodedata
from collections.abc import Callable

import pytest
from ingest import folder

from htxsearch.text.encodings import Undecided, decoded, repaired

SUBJECTS = (
    "Tổ đan giỏ ở xóm dưới",
    "Nhóm thợ mộc bên đình",
    "Lớp dạy nghề của huyện",
    "Mấy hộ nuôi vịt gần bến",
    "Ban quản lý chợ mới",
    "Đội thủy nông của xã",
    "Cửa hàng giống cây ở phố",
)
DEEDS = (
    "vừa mở thêm một kho để chứa hàng",
    "sẽ trả tiền công trước ngày rằm",
    "đã vay vốn mua hai chiếc máy sấy",
    "không còn phải bán rẻ cho người buôn",
    "họp bàn cách giữ nước cho ruộng lúa",
    "được tập huấn về kỹ thuật ghép cành",
)
ENDS = (
    "từ đầu mùa mưa",
    "nhờ sự giúp đỡ của bà con",
    "trong những tháng cuối năm",
    "vì giá ngoài chợ đang lên",
    "và chưa hề nợ ai",
)
SENTENCES = [f"{who} {does} {end}." for who in SUBJECTS for does in DEEDS for end in ENDS]

_VISCII = (
    "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯ"
    "ÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"
)
_VNI_WHOLE = {"í": "í", "ì": "ì", "ỉ": "æ", "ĩ": "ó", "ị": "ò", "ỵ": "î", "đ": "ñ", "Đ": "Ñ"}


def viscii(text: str) -> bytes:
    """RFC 1456: codes from 128 on, without the six below 32, which no sentence here needs."""
    return bytes(128 + _VISCII.index(one) if one in _VISCII else ord(one) for one in text)


def vni(text: str) -> bytes:
    """VNI: a letter, then one for its tone and its hat together."""
    return "".join(_vni(one) for one in text).encode("cp1252")


def _vni(one: str) -> str:
    if one in _VNI_WHOLE or one.isascii():
        return _VNI_WHOLE.get(one, one)
    base, *marks = list(unicodedata.normalize("NFD", one))
    tone = "\u0301\u0300\u0309\u0303\u0323".find(
        next((mark for mark in marks if mark in "\u0301\u0300\u0309\u0303\u0323"), "-")
    )
    if "\u031b" in marks:
        base, marks = {"o": "ô", "u": "ö", "O": "Ô", "U": "Ö"}[base], []
    rows = {"\u0302": ("áàåãä", "â"), "\u0306": ("éèúüë", "ê")}
    toned, bare = next((rows[mark] for mark in marks if mark in rows), ("ùøûõï", ""))
    follows = bare if tone < 0 else toned[tone]
    return base + (follows.upper() if base.isupper() else follows)


def tcvn3(text: str) -> bytes:
    """ABC: its fonts have no capitals with a tone, but the seven with a shape."""
    capitals = dict(zip("ĂÂÊÔƠƯĐ", range(0xA1, 0xA8), strict=True))
    return bytes(folder.TCVN3.get(one) or capitals.get(one) or ord(one) for one in text)


def windows_1258(text: str) -> bytes:
    """As Windows writes it: the tones stand alone."""
    return folder.as_windows_1258(text)


OLD: dict[str, Callable[[str], bytes]] = {"TCVN3": tcvn3, "VNI": vni, "VISCII": viscii, "windows-1258": windows_1258}


@pytest.mark.parametrize("name", OLD)
def test_each_of_210_short_texts_comes_back_exactly_or_is_left_undecided(name: str) -> None:
    exact, undecided = 0, 0
    for sentence in SENTENCES:
        try:
            found = decoded(OLD[name](sentence))
        except Undecided:
            undecided += 1
            continue
        assert unicodedata.normalize("NFC", found.text) == sentence
        exact += 1
    assert exact + undecided == 210
    assert undecided <= 4


@pytest.mark.parametrize("name", ["TCVN3", "VNI"])
def test_old_bytes_shown_as_western_letters_are_mended(name: str) -> None:
    for sentence in SENTENCES:
        shown = OLD[name](sentence).decode("cp1252")
        mended = repaired(shown)
        assert mended is not None, shown
        assert (unicodedata.normalize("NFC", mended.text), mended.encoding) == (sentence, name)
