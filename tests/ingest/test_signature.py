"""The foot of official documents: who signed, and the list of those who get it, however the columns are written."""

import pytest

from htxsearch.ingest.readers.signature import read_foot

TEXT = ["Cả năm tổ gom được mười hai thùng mật.", "Trên đây là báo cáo của tổ./."]
LIST = ["Nơi nhận:", "- Như trên;", "- UBND các xã;", "- Lưu: VT."]


@pytest.mark.parametrize(
    "lines",
    [
        [*LIST, "KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH", "(Đã ký)", "Lò Thị Mận"],
        ["KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH", "", "Lò Thị Mận", *LIST],
        ["KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH", "LÒ THỊ MẬN", *LIST],
        ["Nơi nhận: - Như trên; - UBND các xã; - Lưu: VT. | KT. CHỦ TỊCH PHÓ CHỦ TỊCH (Đã ký) Lò Thị Mận"],
        ["Nơi nhận: - Như trên; - UBND các xã; - Lưu: VT. | KT. CHỦ TỊCH PHÓ CHỦ TỊCH LÒ THỊ MẬN"],
        ["Nơi nhận: - Như trên; - UBND các xã; - Lưu: VT. | KT. CHỦ TỊCH PHÓ CHỦ TỊCH", "Lò Thị Mận"],
        [" | ".join([*LIST, "KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH", "Lò Thị Mận"])],
        ["Nơi nhận:|KT. CHỦ TỊCH|", "- Như trên;|PHÓ CHỦ TỊCH|", "- UBND các xã;||", "- Lưu: VT.|Lò Thị Mận|"],
        ["Nơi nhận:\tKT. CHỦ TỊCH", "- Như trên;\tPHÓ CHỦ TỊCH", "- UBND các xã;", "- Lưu: VT.", "\tLò Thị Mận"],
        ["Nơi nhận:      KT. CHỦ TỊCH", "- Như trên;      PHÓ CHỦ TỊCH", "- UBND các xã;", "- Lưu: VT.", "      Lò Thị Mận"],
        ["Nơi nhận: KT. CHỦ TỊCH", "- Như trên; PHÓ CHỦ TỊCH", "- UBND các xã;", "- Lưu: VT. Lò Thị Mận"],
    ],
)
def test_the_list_is_dropped_and_the_signer_stays(lines: list[str]) -> None:
    foot = read_foot([*TEXT, *lines])
    assert foot.signer == "Lò Thị Mận, Phó Chủ tịch"
    assert " ".join(foot.recipients) == " ".join(LIST) or list(foot.recipients) == [" ".join(LIST)]
    assert foot.lines[:2] == tuple(TEXT)
    left = " ".join(foot.lines[2:])
    assert "KT. CHỦ TỊCH" in left
    assert "mận" in left.lower()
    assert "Lưu" not in left


@pytest.mark.parametrize(
    ("lines", "signer"),
    [
        (["GIÁM ĐỐC", "Ksor H'Bơ Niê"], "Ksor H'Bơ Niê, Giám đốc"),
        (["PHÓ TỔNG GIÁM ĐỐC", "ThS. Lò Thị Mận"], "Lò Thị Mận, Phó Tổng Giám đốc"),
        (["TM. BAN THƯỜNG VỤ", "PHÓ BÍ THƯ", "Lò Thị Mận"], "Lò Thị Mận, Phó Bí thư"),
        (["T/M BAN THƯỜNG VỤ", "Lò Thị Mận"], "Lò Thị Mận, TM. Ban thường vụ"),
        (["TL. CHỦ TỊCH", "CHÁNH VĂN PHÒNG", "Lò Thị Mận"], "Lò Thị Mận, Chánh Văn phòng"),
        (["TUQ. GIÁM ĐỐC", "TRƯỞNG PHÒNG KỸ THUẬT", "Lò Thị Mận"], "Lò Thị Mận, Trưởng phòng Kỹ thuật"),
        (["TM. HỘI ĐỒNG QUẢN TRỊ", "CHỦ TỊCH HĐQT KIÊM GIÁM ĐỐC", "Lò Thị Mận"], "Lò Thị Mận, Chủ tịch HĐQT kiêm Giám đốc"),
        (["CHỦ TỊCH", "HỘI ĐỒNG QUẢN TRỊ", "Đại tá Lò Thị Mận"], "Lò Thị Mận, Chủ tịch Hội đồng quản trị"),
        (["KT. GIÁM ĐỐC", "Lò Thị Mận"], "Lò Thị Mận, KT. Giám đốc"),
        (
            ["KT. CỤC TRƯỞNG", "PHÓ CỤC TRƯỞNG", "Lò Thị Mận", "KT. VIỆN TRƯỞNG", "PHÓ VIỆN TRƯỞNG", "Giàng A Tủa"],
            "Lò Thị Mận, Phó Cục trưởng; Giàng A Tủa, Phó Viện trưởng",
        ),
    ],
)
def test_the_office_is_in_small_letters(lines: list[str], signer: str) -> None:
    assert read_foot([*TEXT, *lines]).signer == signer


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["GIÁM ĐỐC", "Chữ ký, dấu", "Họ và tên"],
        ["GIÁM ĐỐC", "(Ký tên, đóng dấu)"],
        ["THƯ KÝ | CHỦ TỊCH", "Lò Thị Mận | Giàng A Tủa"],
        ["CHỦ TỊCH | GIÁM ĐỐC", "Lò Thị Mận", "Giàng A Tủa"],
        ["GIÁM ĐỐC Lò Thị Mận đã họp tổ."],
        ["CHỦ TỊCH UBND THÀNH PHỐ HỒ CHÍ MINH"],
        ["GIÁM ĐỐC", "Lò Thị Mận", "Tổ trưởng", "nói về mật", "và ong", "và thùng", "ở bản."],
        ["Lò Thị Mận"],
    ],
)
def test_no_signer_is_guessed(lines: list[str]) -> None:
    foot = read_foot([*TEXT, *lines])
    assert (foot.signer, foot.recipients) == (None, ())
    assert foot.lines == (*TEXT, *lines)


def test_what_follows_an_annex_stays() -> None:
    annex = ["PHỤ LỤC I", "- Thùng ong;", "- Khung sáp;", "Nơi nhận:", "- Lưu: VT.", "GIÁM ĐỐC", "Giàng A Tủa"]
    foot = read_foot([*TEXT, *LIST, "CHỦ TỊCH", "Lò Thị Mận", *annex])
    assert foot.signer == "Lò Thị Mận, Chủ tịch"
    assert foot.recipients == tuple(LIST)
    assert foot.lines == (*TEXT, "CHỦ TỊCH", "Lò Thị Mận", *annex)


def test_lines_with_dashes_behind_the_signature_stay() -> None:
    rest = ["- Thùng ong;", "- Khung sáp;"]
    assert read_foot([*TEXT, *LIST, "CHỦ TỊCH", "Lò Thị Mận", *rest]).lines[-2:] == tuple(rest)
    assert read_foot([*TEXT, "CHỦ TỊCH", "Lò Thị Mận", *LIST, *rest]).lines[-2:] == tuple(rest)


def test_where_to_hand_something_in_is_no_list() -> None:
    lines = ["Nơi nhận: Bộ phận một cửa của xã", "Người nuôi ong nộp sổ ở đó."]
    assert read_foot([*TEXT, *lines]).lines == (*TEXT, *lines)
