"""Word documents of 1997 to 2003: their text is read, run by run, and a broken one is refused with the reason."""

import datetime
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from htxsearch import Article, Rejected
from htxsearch.ingest.corpus import SourceFile, articles_of
from htxsearch.ingest.readers import old_word
from ingest.compound import DELETED, Paragraph, Text, compound, doc, font, paragraph, row

FONTS = ("Times New Roman", ".VnTime", ".VnTimeH", "VNI-Times")
TCVN3, CAPITALS, VNI = font(1), font(2), font(3)


def outcome(tmp_path: Path, data: bytes, name: str = "ong.doc") -> Article | Rejected:
    file = tmp_path / name
    file.write_bytes(data)
    [found] = articles_of(SourceFile(file, name))
    return found


def article(tmp_path: Path, data: bytes) -> Article:
    found = outcome(tmp_path, data)
    assert isinstance(found, Article), found
    return found


def reason(tmp_path: Path, data: bytes, name: str = "ong.doc") -> str:
    found = outcome(tmp_path, data, name)
    assert isinstance(found, Rejected), found
    return str(found.reason)


@pytest.mark.parametrize("one_byte", [False, True])
def test_paragraphs_and_rows_of_tables_are_lines(tmp_path: Path, one_byte: bool) -> None:
    main = [
        paragraph("To nuôi ong", style=1),
        paragraph("Tổ" if not one_byte else "Tô"),
        *row("Xã", "", "Hô"),
        *row("Ban Na", "3", "10"),
        paragraph("Hêt."),
    ]
    found = article(tmp_path, doc(main, one_byte=one_byte))
    assert found.title == "To nuôi ong"
    assert found.body.split("\n")[1:] == ["Xã | Hô", "Ban Na | 3 | 10", "Hêt."]


def test_each_run_is_decoded_by_its_font(tmp_path: Path) -> None:
    mixed = Paragraph((Text("Hîp t¸c x·", TCVN3), Text(" ở bản "), Text("m­êng", CAPITALS), Text(" – Hôïp taùc xaõ", VNI)))
    found = article(tmp_path, doc([paragraph("Tổ nuôi ong"), mixed], fonts=FONTS))
    assert found.body == "Hợp tác xã ở bản MƯỜNG – Hợp tác xã"


def test_a_run_takes_the_font_of_its_style(tmp_path: Path) -> None:
    styles = (("Normal", 1), ("heading 1", None), ("Latin", 0))
    main = [paragraph("Tæ nu«i ong", style=1), paragraph("Cã m­êi hé."), paragraph("Là một tổ.", style=2)]
    found = article(tmp_path, doc(main, fonts=FONTS, styles=styles))
    assert (found.title, found.body) == ("Tổ nuôi ong", "Có mười hộ.\nLà một tổ.")


def test_the_properties_of_a_style_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[bytes] = Counter()
    whole = old_word._sprms

    def counted(properties: bytes) -> Iterator[tuple[int, bytes]]:
        read[properties] += 1
        return whole(properties)

    monkeypatch.setattr(old_word, "_sprms", counted)
    runs = tuple(Text("Cã m­êi hé. ", struct.pack("<HB", 0x0835, number)) for number in range(20))  # bold: each run has its own
    main = [paragraph("Tæ nu«i ong"), Paragraph(runs, style=1), Paragraph(runs, style=2)]
    found = article(tmp_path, doc(main, fonts=FONTS, styles=(("Normal", 1), ("Mot", None), ("Hai", None))))
    assert found.body == "\n".join([" ".join(["Có mười hộ."] * 20)] * 2)
    assert read[TCVN3] == 1


def test_unicode_that_an_old_font_was_left_on_stays(tmp_path: Path) -> None:
    main = [paragraph("Tổ nuôi ong", TCVN3), paragraph("là các xã và cá", TCVN3), paragraph("Tổ có mười hộ.", TCVN3)]
    assert article(tmp_path, doc(main, fonts=FONTS)).body == "là các xã và cá\nTổ có mười hộ."


def test_an_old_text_without_the_name_of_its_font_is_repaired(tmp_path: Path) -> None:
    main = [paragraph("Tæ hîp t¸c nu«i ong"), paragraph("Hîp t¸c x· cã m­êi hé n«ng d©n, b¸n mËt ë chî.")]
    found = article(tmp_path, doc(main))
    assert (found.title, found.body) == ("Tổ hợp tác nuôi ong", "Hợp tác xã có mười hộ nông dân, bán mật ở chợ.")


def test_notes_and_boxes_are_text_and_margins_comments_and_deleted_text_are_dropped_with_a_reason(tmp_path: Path) -> None:
    changed = Paragraph((Text("Có "), Text("chín", DELETED), Text("mười hộ\x02.\x05")))
    data = doc(
        [paragraph("Tổ nuôi ong"), changed],
        footnotes=[paragraph("\x02 Theo sổ của bản.")],
        headers=[paragraph("Sổ tay ong"), paragraph("")],
        comments=[paragraph("\x05Xem lại số hộ"), paragraph("\x05Hỏi bà Pem")],
        boxes=[paragraph("Mật bán ở chợ.")],
    )
    found = article(tmp_path, data)
    assert found.body.split("\n") == ["Có mười hộ.", "Theo sổ của bản.", "Mật bán ở chợ."]
    assert [(one.text, one.reason.code) for one in found.dropped] == [
        ("Sổ tay ong", "dropped.page-margins"),
        ("Xem lại số hộ", "dropped.margin-comments"),
        ("Hỏi bà Pem", "dropped.margin-comments"),
        ("chín", "dropped.deleted"),
    ]
    assert str(found.dropped[1].reason) == "a comment in the margin"


def test_the_codes_of_fields_are_left_out_and_their_results_are_not(tmp_path: Path) -> None:
    field = "Xem \x13 HYPERLINK \x13 PAGE \x141\x15 \x14trang\x15 ong\x13 DATE \x15, 25\x1ekg"
    assert article(tmp_path, doc([paragraph("Tổ nuôi ong"), paragraph(field)])).body == "Xem trang ong, 25-kg"


def test_letters_beyond_the_basic_plane_are_whole(tmp_path: Path) -> None:
    assert article(tmp_path, doc([paragraph("Tổ nuôi ong"), paragraph("Mật 🐝 ngon")])).body == "Mật 🐝 ngon"


def test_the_head_of_an_official_document_is_read(tmp_path: Path) -> None:
    main = [
        *row("HỘI NUÔI ONG NÀ LẾCH", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"),
        *row("Số: 12/BC-HNO", "Nà Lếch, ngày 5 tháng 7 năm 2024"),
        paragraph("BÁO CÁO"),
        paragraph("Kết quả nuôi ong sáu tháng"),
        paragraph("Hội có mười hộ."),
    ]
    found = article(tmp_path, doc(main))
    assert (found.title, found.number) == ("BÁO CÁO Kết quả nuôi ong sáu tháng", "12/BC-HNO")
    assert found.date == datetime.date(2024, 7, 5)


def test_what_is_not_read_says_why_and_what_to_do(tmp_path: Path) -> None:
    main = [paragraph("Tổ nuôi ong")]
    assert reason(tmp_path, doc(main, flags=0x0100)) == "it is protected by a password; save it without one"
    assert "Word 95" in reason(tmp_path, compound({"WordDocument": b"\xdc\xa5" + bytes(600)}))
    assert "damaged" in reason(tmp_path, compound({"WordDocument": b"\xec\xa5" + bytes(600)}))
    assert "damaged" in reason(tmp_path, doc(main)[:3000])
    assert "password" in reason(tmp_path, compound({"EncryptedPackage": bytes(60), "EncryptionInfo": bytes(60)}), "ong.docx")
    assert ".pptx" in reason(tmp_path, compound({"PowerPoint Document": bytes(60)}), "ong.ppt")


def scratched(data: bytes, randomness: Random) -> bytes:
    found = bytearray(data)
    for _ in range(randomness.randrange(1, 12)):
        at = randomness.randrange(8, len(found) - 4) & ~1
        found[at : at + 4] = randomness.choice([b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4), randomness.randbytes(4)])
    return bytes(found[: randomness.randrange(512, len(found))] if randomness.random() < 0.2 else found)


def test_whatever_damage_there_is_a_document_is_read_or_refused(tmp_path: Path) -> None:
    randomness = Random(7)
    whole = doc([paragraph("Tæ nu«i ong", TCVN3), *row("a", "b"), paragraph("Hết.")], fonts=FONTS, headers=[paragraph("Đầu")])
    found = [outcome(tmp_path, scratched(whole, randomness)) for _ in range(300)]
    assert any(isinstance(one, Article) for one in found)
    refused = [one.reason for one in found if isinstance(one, Rejected)]
    assert {one.code for one in refused} <= {
        "file.compound-damaged", "file.word-damaged", "file.word-before-97", "file.password", "file.old-office", "file.empty",
    }  # fmt: skip


def test_a_table_of_sectors_that_goes_round_is_refused(tmp_path: Path) -> None:
    data = bytearray(doc([paragraph("Tổ nuôi ong")]))
    data[44:48] = b"\xff\xff\xff\x7f"
    data[68:76] = b"\x01\0\0\0\xff\xff\xff\x7f"
    assert "damaged" in reason(tmp_path, bytes(data))
