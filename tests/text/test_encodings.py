"""Old encodings: read exactly, told apart, and never guessed."""

import re
import unicodedata
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htxsearch.text import encodings
from htxsearch.text.encodings import Undecided, decoded, repaired

TEXT = (
    "Xã viên ở xóm Đình họp bàn việc nước tưới cho vụ sau. Ông Hậu nói giếng cũ đã cạn, phải đào thêm hai giếng nữa.\n"
    "Chị em góp được mười bốn triệu đồng, còn thiếu một ít thì vay quỹ của tổ. Những hộ nghèo không phải đóng.\n"
    "Đến cuối tháng, thợ đã khoan tới lớp đá; nước trong và ngọt, đủ dùng cho cả đồng trên lẫn đồng dưới.\n"
    "Kỹ sư huyện về thử, bảo rằng nguồn này khó cạn, kể cả khi trời hạn ba bốn tuần liền."
)
TONES = "\u0300\u0301\u0303\u0309\u0323"


def table(name: str) -> dict[str, bytes]:
    return {char: bytes([code]) for code, char in encodings._table(name).items() if char != "\ufffd"}


def vni() -> dict[str, bytes]:
    _, known = encodings._vni()
    alike = {meant: letters for letters, meant in known.items() if letters.isupper() == meant.isupper()}
    return {meant: letters.encode("cp1252") for meant, letters in alike.items()}


def windows(text: str) -> bytes:
    found = b""
    for char in text:
        try:
            found += char.encode("cp1258")
        except UnicodeEncodeError:
            parts = unicodedata.normalize("NFD", char)
            base = unicodedata.normalize("NFC", "".join(one for one in parts if one not in TONES))
            found += base.encode("cp1258") + "".join(one for one in parts if one in TONES).encode("cp1258")
    return found


def encoded(text: str, name: str) -> bytes:
    if name == "windows-1258":
        return windows(text)
    known = vni() if name == "VNI" else table(name)
    return b"".join(char.encode() if char.isascii() else known[char] for char in text)


ENCODINGS = ["windows-1258", "TCVN3", "VNI", "VISCII"]


def test_every_vietnamese_letter_has_its_code() -> None:
    letters = {unicodedata.normalize("NFC", one + tone) for one in "aăâeêioôơuưy" for tone in ("", *TONES)} | {"đ"}
    assert len(letters) == 73
    for name in ENCODINGS:
        for letter in letters | ({one.upper() for one in letters} if name != "TCVN3" else set()):
            assert unicodedata.normalize("NFC", encodings._READERS[name](encoded(letter, name))) == letter, (name, letter)


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_text_in_an_old_encoding_comes_back(name: str) -> None:
    found = decoded(encoded(TEXT, name))
    assert (unicodedata.normalize("NFC", found.text), found.encoding) == (TEXT, name)


@pytest.mark.parametrize("name", ENCODINGS)
def test_each_sentence_alone_comes_back_or_is_not_guessed(name: str) -> None:
    sentences = re.findall(r"[^.;\n]+[.;]", TEXT)
    right = 0
    for sentence in sentences:
        try:
            found = decoded(encoded(sentence, name))
        except Undecided:
            continue
        assert unicodedata.normalize("NFC", found.text) == sentence
        right += 1
    assert right >= len(sentences) - 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_unicode_comes_back_as_it_is(encoding: str, form: Literal["NFC", "NFD"]) -> None:
    text = unicodedata.normalize(form, TEXT)
    assert decoded(text.encode(encoding)).text == text


def shown(text: str, name: str) -> str:
    """Return what a text in an old font shows when it is pasted into a Unicode document."""
    return "".join(
        bytes([one]).decode("cp1252") if one not in b"\x81\x8d\x8f\x90\x9d" else chr(one) for one in encoded(text, name)
    )


@pytest.mark.parametrize("name", ["TCVN3", "VNI"])
def test_an_old_font_within_unicode_is_repaired(name: str) -> None:
    found = repaired(shown(TEXT, name))
    assert found is not None
    assert (found.text, found.encoding) == (TEXT, name)
    assert decoded(shown(TEXT, name).encode()).text == TEXT


@pytest.mark.parametrize("name", ["TCVN3", "VNI"])
def test_only_the_lines_in_an_old_font_are_repaired(name: str) -> None:
    lines = TEXT.split("\n")
    mixed = "\n".join([lines[0], shown(lines[1], name), "Plain ASCII.", shown(lines[2], name), lines[3]])
    found = repaired(mixed)
    assert found is not None
    assert found.text == "\n".join([lines[0], lines[1], "Plain ASCII.", lines[2], lines[3]])


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "L'été dernier, les élèves de l'école française étaient à la plage; où êtes-vous allés? Ça alors, Noël déjà.",
        "Größe, Äpfel und Öl: die Bäume über dem Fluß blühen früh. Grüße aus Köln und Düsseldorf, schöne Tage.",
        "Smørrebrød på Færøerne; Ærø, Åland og Tromsø.",
        "© 2020 ® ¼ ½ ¾ µm × 3, 5 °C ± 2; §4 ¶2",
        "",
    ],
)
def test_text_that_is_not_old_vietnamese_is_left_alone(text: str) -> None:
    assert repaired(text) is None


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_any_bytes_give_text_or_a_reason(data: bytes) -> None:
    try:
        found = decoded(data)
    except Undecided as error:
        reason = str(error)
    else:
        reason = "UTF-8" if isinstance(found.text, str) else ""
    assert any(word in reason for word in ("UTF-8", "UTF-16", "NUL"))


@given(st.text(max_size=200))
@settings(max_examples=100)
def test_utf_8_with_few_odd_signs_stays(text: str) -> None:
    assert repaired(text.translate(dict.fromkeys(range(128, 384)))) is None
