"""The head of official documents: title, date and number however the two columns are written."""

from datetime import date

import pytest

from htxsearch.ingest.readers.letterhead import read_letterhead
from htxsearch.text.official import own_number

MOTTO = ["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"]
TEXT = ["Căn cứ Luật Hợp tác xã;", "Ban chủ nhiệm báo cáo như sau:"]


def head_of(lines: list[str]) -> tuple[str | None, date | None, str | None]:
    head = read_letterhead([*lines, *TEXT])
    assert head is not None
    assert [*lines, *TEXT][head.lines :] == TEXT
    return head.title, head.day, head.number


WANTED = ("BÁO CÁO Kết quả nuôi ong chung năm 2021", date(2021, 12, 9), "31/BC-LMHTX")


@pytest.mark.parametrize(
    "lines",
    [
        ["LIÊN MINH HTX TỈNH LAI CHÂU", "Số: 31/BC-LMHTX", *MOTTO, "Lai Châu, ngày 09 tháng 12 năm 2021"],
        ["LIÊN MINH HTX\tCỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "TỈNH LAI CHÂU\tĐộc lập - Tự do - Hạnh phúc",
         "Số: 31/BC-LMHTX\tLai Châu, ngày 9 tháng 12 năm 2021"],
        ["LIÊN MINH HTX TỈNH LAI CHÂU _____ Số: 31/BC-LMHTX | CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM Độc lập - Tự do - Hạnh phúc"
         " _____ Lai Châu, ngày 09 tháng 12 năm 2021"],
        ["LIÊN MINH HTX TỈNH LAI CHÂU CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc",
         "Số: 31/BC-LMHTX Lai Châu, ngày 09 tháng 12 năm 2021"],
        [*MOTTO, "LIÊN MINH HTX TỈNH LAI CHÂU", "Số 31/BC-LMHTX", "Lai Châu ngày 09 tháng 12 năm 2021"],
        ["LIÊN MINH HTX TỈNH LAI CHÂU", "Số: 31/BC-LMHTX", *MOTTO, "Lai Châu, Ngày 09 tháng 12 năm 2021"],
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "subject",
    [
        ["BÁO CÁO", "Kết quả nuôi ong chung năm 2021"],
        ["", "BÁO CÁO", "", "Kết quả nuôi ong", "chung năm 2021"],
        ["BÁO CÁO Kết quả nuôi ong chung năm 2021"],
    ],
)
def test_title_date_and_number(lines: list[str], subject: list[str]) -> None:
    assert head_of(lines + subject) == WANTED


@pytest.mark.parametrize(
    "kind",
    ["GIẤY MỜI", "BIÊN BẢN", "QUY CHẾ", "QUY ĐỊNH", "ĐIỀU LỆ", "PHƯƠNG ÁN", "CÔNG ĐIỆN", "THÔNG TƯ LIÊN TỊCH", "PHÁP LỆNH",
     "VĂN BẢN HỢP NHẤT", "HỢP ĐỒNG", "DANH SÁCH", "PHỤ LỤC", "QUYẾT ĐỊNH", "KẾ HOẠCH", "TỜ TRÌNH"],
)  # fmt: skip
def test_every_kind_of_document_begins_a_title(kind: str) -> None:
    lines = ["HTX ONG RỪNG", "Số: 2/HTX", *MOTTO, "Sơn La, ngày 5 tháng 3 năm 2020", kind, "Góp vốn làm nhà kho"]
    assert head_of(lines)[0] == f"{kind} Góp vốn làm nhà kho"


def test_a_letter_has_its_subject_as_title() -> None:
    lines = ["UBND TỈNH LAI CHÂU LIÊN MINH HTX | CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM Độc lập - Tự do - Hạnh phúc",
             "Số: 12/LMHTX V/v góp ý chính sách cho nghề ong | Lai Châu, ngày 2 tháng 4 năm 2022"]  # fmt: skip
    head = read_letterhead([*lines, "Kính gửi: Sở Công Thương", *TEXT])
    assert head is not None
    assert (head.title, head.day, head.number) == ("Góp ý chính sách cho nghề ong", date(2022, 4, 2), "12/LMHTX")
    assert head.lines == 2


def test_a_consolidated_text_has_the_title_of_the_text() -> None:
    lines = [
        "VĂN BẢN HỢP NHẤT - BỘ NGHỀ ONG",
        *MOTTO,
        "Số: 3/VBHN-BNO",
        "Hà Nội, ngày 7 tháng 5 năm 2019",
        "THÔNG TƯ",
        "Về đàn ong giống",
    ]
    head = read_letterhead([*lines, "Thông tư số 8/2016/TT-BNO ngày 1 tháng 2 năm 2016 của Bộ trưởng, có hiệu lực từ ngày ký."])
    assert head is not None
    assert (head.title, head.lines) == ("THÔNG TƯ Về đàn ong giống", len(lines))


def test_a_sentence_below_the_subject_is_text() -> None:
    lines = ["HTX ONG RỪNG", "Số: 2/BC-HTX", *MOTTO, "Sơn La, ngày 5 tháng 3 năm 2020", "BÁO CÁO", "Nghề ong năm qua"]
    for sentence in ("Cả năm tổ gom được mười hai thùng mật.", "Năm 2019, tổ gom mười hai thùng", "Kết quả như sau:"):
        head = read_letterhead([*lines, sentence, *TEXT])
        assert head is not None
        assert (head.title, head.lines) == ("BÁO CÁO Nghề ong năm qua", len(lines))


def test_a_document_named_in_the_subject_belongs_to_it() -> None:
    lines = ["BỘ NGHỀ ONG", *MOTTO, "Số: 4/2018/TT-BNO", "Hà Nội, ngày 7 tháng 5 năm 2018", "THÔNG TƯ",
             "Sửa đổi một số điều của", "Thông tư số 8/2016/TT-BNO về đàn ong giống"]  # fmt: skip
    assert head_of(lines)[0] == "THÔNG TƯ Sửa đổi một số điều của Thông tư số 8/2016/TT-BNO về đàn ong giống"


def test_nothing_of_the_head_is_lost() -> None:
    lines = [
        "LIÊN MINH HTX TỈNH LAI CHÂU",
        "Số: 31/BC-LMHTX",
        *MOTTO,
        "Lai Châu, ngày 09 tháng 12 năm 2021",
        "BÁO CÁO",
        "Nghề ong",
        "______",
    ]
    head = read_letterhead([*lines, *TEXT])
    assert head is not None
    assert sorted([*head.kept, *head.dropped, "BÁO CÁO", "Nghề ong"]) == sorted(lines)
    assert head.dropped == ("______",)


def test_the_mark_of_a_subject_is_dropped() -> None:
    head = read_letterhead(["HTX ONG RỪNG", "Số: 4/HTX", *MOTTO, "V/v mượn thùng", "Sơn La, ngày 5 tháng 3 năm 2020", *TEXT])
    assert head is not None
    assert (head.title, head.dropped) == ("Mượn thùng", ("V/v",))


def test_a_number_and_a_kind_make_a_head_without_the_motto() -> None:
    lines = ["HTX ONG RỪNG", "Số: 12 /BC-HTX", "Sơn La, ngày 5 tháng 3 năm 2020", "BÁO CÁO", "Nghề ong năm qua"]
    assert head_of(lines) == ("BÁO CÁO Nghề ong năm qua", date(2020, 3, 5), "12/BC-HTX")
    assert head_of(["HTX ONG RỪNG", "Số: 13/HTX-KT", "V/v mượn thùng"]) == ("Mượn thùng", None, "13/HTX-KT")


@pytest.mark.parametrize("number", ["/BC-HTX", "…/BC-HTX", "    /BC-HTX"])
def test_a_number_that_is_not_filled_in_is_none(number: str) -> None:
    lines = ["HTX ONG RỪNG", f"Số: {number}", *MOTTO, "Sơn La, ngày 5 tháng 3 năm 2020", "BÁO CÁO", "Nghề ong năm qua"]
    assert head_of(lines)[2] is None


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        (["Tổ ong báo tin mùa mật", "Số: 12/BC-HTX", "Năm qua được mùa."], "12/BC-HTX"),
        (["Tổ ong báo tin mùa mật", "Số 12/BC-HTX nói rõ điều đó."], None),
        (["Tổ ong báo tin mùa mật", "Số: 45", "Năm qua được mùa."], None),
        (["Nhà số 12/4", "Số 12/4"], None),
    ],
)
def test_the_number_of_a_document_without_a_head(lines: list[str], number: str | None) -> None:
    assert own_number(lines) == number


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["Tin nghề ong", "Số: 3/BC là một báo cáo."],
        ["Ông kể chuyện xưa.", *MOTTO, "BÁO CÁO"],
        ["BÁO CÁO", "Nghề ong năm qua", "Năm qua được mùa mật."],
        [*MOTTO],
        ["TIN NGHỀ ONG", "Số: 3/BC-HTX", "Năm qua được mùa mật."],
        ["TIN NGHỀ ONG", "BÁO CÁO", "Nghề ong năm qua"],
    ],
)
def test_a_text_without_such_a_head_has_none(lines: list[str]) -> None:
    assert read_letterhead(lines) is None


@pytest.mark.parametrize(
    "above",
    [["Lưu hành nội bộ"], ["Tài liệu họp tổ"], ["Dự thảo lần 2", "Trang 1/3"], ["Bản tin số 4\tTrang 1", "", "Tổ ong rừng"],
     ["Dự thảo ngày 3/12/2021"], ["TÀI LIỆU HỌP", "Lưu hành nội bộ"]],
)  # fmt: skip
@pytest.mark.parametrize(
    "lines",
    [
        ["LIÊN MINH HTX TỈNH LAI CHÂU", "Số: 31/BC-LMHTX", *MOTTO, "Lai Châu, ngày 09 tháng 12 năm 2021"],
        ["LIÊN MINH HTX\tCỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "TỈNH LAI CHÂU\tĐộc lập - Tự do - Hạnh phúc",
         "Số: 31/BC-LMHTX\tLai Châu, ngày 9 tháng 12 năm 2021"],
        [*MOTTO, "LIÊN MINH HTX TỈNH LAI CHÂU", "Số 31/BC-LMHTX", "Lai Châu ngày 09 tháng 12 năm 2021"],
        ["LIÊN MINH HTX TỈNH LAI CHÂU", "Số: 31/BC-LMHTX", "Lai Châu, ngày 09 tháng 12 năm 2021"],
    ],
)  # fmt: skip
def test_short_lines_above_the_head_stay_in_the_text(above: list[str], lines: list[str]) -> None:
    lines = [*above, *lines, "BÁO CÁO", "Kết quả nuôi ong chung năm 2021"]
    assert head_of(lines) == WANTED
    head = read_letterhead([*lines, *TEXT])
    assert head is not None
    pieces = [piece for line in above for piece in line.split("\t") if piece]
    assert head.kept[: len(pieces)] == tuple(pieces)


@pytest.mark.parametrize(
    "above",
    [
        ["Ông Sử gửi tổ bản này:"],
        ["Tổ ong họp sáng nay."],
        ["Một dòng dài hơn hẳn những dòng đứng trên đầu trang, vì nó kể chuyện các tổ nuôi ong ở ven rừng"],
        ["một", "hai", "ba", "bốn", "năm"],
    ],
)
def test_text_above_a_head_makes_it_part_of_the_text(above: list[str]) -> None:
    lines = ["HTX ONG RỪNG", "Số: 2/BC-HTX", *MOTTO, "Sơn La, ngày 5 tháng 3 năm 2020", "BÁO CÁO", "Nghề ong"]
    assert read_letterhead([*above, *lines, *TEXT]) is None
    assert read_letterhead(["Lưu hành nội bộ", *lines, *TEXT], above=0) is None
