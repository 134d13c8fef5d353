"""Workbooks, slides, JSON files, and rows that hold HTML."""

import datetime
import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from htxsearch import Article, Rejected
from htxsearch.facts.extract import extract_facts
from htxsearch.ingest.corpus import SourceFile, articles_of
from htxsearch.ingest.readers.cells import table_lines
from htxsearch.ingest.readers.compound import read_streams
from htxsearch.ingest.readers.old_excel import share_cells
from ingest.compound import compound, record, xls
from ingest.folder import packed


def read(tmp_path: Path, name: str, data: bytes) -> list[Any]:
    """Return what a file holds: articles, or why it was not read."""
    file = tmp_path / name
    file.write_bytes(data)
    return list(articles_of(SourceFile(file, name)))


def workbook(*sheets: tuple[str, Any]) -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets:
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    found = io.BytesIO()
    made.save(found)
    return found.getvalue()


HEAD = ["STT", "Địa bàn", "Số tổ ong", "Mật (tấn)", "Ngày quay"]


def test_a_row_reads_as_a_sentence(tmp_path: Path) -> None:
    rows = [
        ["BIỂU NGHỀ ONG CỦA XÃ NĂM 2022"],
        [],
        HEAD,
        [1, "Bản Nà Lếch", 1240, 3.25, datetime.date(2022, 5, 9)],
        [2, "Bản Pom", 96, None, None],
    ]
    [article] = read(tmp_path, "bieu.xlsx", workbook(("Ong", rows)))
    assert article.title == "BIỂU NGHỀ ONG CỦA XÃ NĂM 2022"
    assert article.body.split("\n") == [
        "Bản Nà Lếch: số tổ ong 1.240 tổ ong; mật 3,25 tấn; ngày quay 9/5/2022",
        "Bản Pom: số tổ ong 96 tổ ong",
    ]


def test_the_cells_of_a_sheet_become_figures(tmp_path: Path) -> None:
    rows = [
        ["SỞ NGHỀ ONG TỈNH LAI CHÂU"],
        ["BIỂU TỔNG HỢP HỢP TÁC XÃ NĂM 2021"],
        ["TT", "Huyện", "Số HTX", "Thành viên", "Doanh thu (triệu đồng)", "Năm lập", "Điện thoại"],
        [1, "Tam Đường", 42, 1240, 35000, 2004, 912345678],
        [2, "Sìn Hồ", 1910, 96, 1.5, 2019, None],
    ]
    [article] = read(tmp_path, "bieu.xlsx", workbook(("Sheet1", rows)))
    assert article.title == "BIỂU TỔNG HỢP HỢP TÁC XÃ NĂM 2021"
    assert article.body.split("\n")[-2:] == [
        "huyện Tam Đường: 42 HTX; 1.240 thành viên; doanh thu 35.000 triệu đồng; năm lập 2004; điện thoại 0912345678",
        "huyện Sìn Hồ: 1.910 HTX; 96 thành viên; doanh thu 1,5 triệu đồng; năm lập 2019",
    ]
    facts = {(fact.unit, fact.place): (fact.low, fact.as_of) for fact in extract_facts(article.title, article.body)}
    assert facts["HTX", "huyện Tam Đường"] == (42, "2021")
    assert facts["HTX", "huyện Sìn Hồ"] == (1910, "2021")
    assert facts["đồng", "huyện Tam Đường"] == (35_000_000_000, "2021")


def test_each_sheet_is_an_article(tmp_path: Path) -> None:
    sheets = [
        ("Ong", [HEAD, [1, "Bản Pom", 96, 2, None]]),
        ("Trống", []),
        ("Vốn", [["Quỹ", "Năm", "Góp"], ["Quỹ ong", 2021, 35000]]),
    ]
    first, second = read(tmp_path, "so.xlsx", workbook(*sheets))
    assert [(one.id, one.title) for one in (first, second)] == [("so.xlsx/Ong", "Ong"), ("so.xlsx/Vốn", "Vốn")]
    assert second.body == "Quỹ ong: năm 2021; góp 35.000"


def test_a_sheet_without_columns_is_lines(tmp_path: Path) -> None:
    [article] = read(tmp_path, "so.xlsx", workbook(("Ghi", [["Sổ ghi của tổ ong"], ["Đầu năm có mười tổ"], [12, 30]])))
    assert (article.title, article.body) == ("Sổ ghi của tổ ong", "Đầu năm có mười tổ\n12 | 30")


@pytest.mark.parametrize("cut", [200, 1500])
def test_a_damaged_workbook_is_named(tmp_path: Path, cut: int) -> None:
    [found] = read(tmp_path, "hong.xlsx", workbook(("Ong", [HEAD, [1, "Bản Pom", 96, 2, None]]))[:-cut])
    assert isinstance(found, Rejected)


def test_an_empty_workbook_is_named(tmp_path: Path) -> None:
    [found] = read(tmp_path, "trong.xlsx", workbook(("Trống", [])))
    assert isinstance(found, Rejected)


COUNTIES = ("Huyện", "Số HTX", "Số thành viên", "Doanh thu (tỷ đồng)")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(("name", "between"), [("bieu.csv", ";"), ("bieu.csv", ","), ("bieu.tsv", "\t")])
def test_a_table_of_figures_reads_like_a_sheet(tmp_path: Path, name: str, between: str, mark: str) -> None:
    rows = [COUNTIES, ("Tam Đường", "42", "1.240", '"35,5"'), ("Sìn Hồ", "19", "96", ""), ()]
    data = mark + "\r\n".join(between.join(row) for row in rows)
    [article] = read(tmp_path, name, data.encode())
    assert (article.id, article.title) == (name, "Huyện, Số HTX, Số thành viên, Doanh thu (tỷ đồng)")
    assert article.body.split("\n") == [
        "huyện Tam Đường: 42 HTX; 1.240 thành viên; doanh thu 35,5 tỷ đồng",
        "huyện Sìn Hồ: 19 HTX; 96 thành viên",
    ]
    facts = [(fact.low, fact.unit, fact.place) for fact in extract_facts(article.title, article.body)]
    assert (1240, "thành viên", "huyện Tam Đường") in facts
    assert (35.5e9, "đồng", "huyện Tam Đường") in facts


@pytest.mark.parametrize("above", ["BIỂU TỔNG HỢP HTX NĂM 2021;;\n;;\n", "BIỂU TỔNG HỢP HTX NĂM 2021\n\n"])
def test_a_table_of_figures_may_have_its_title_above(tmp_path: Path, above: str) -> None:
    data = above + "TT;Huyện;Số HTX\n1;Tam Đường;42\n2;Sìn Hồ;19\n"
    [article] = read(tmp_path, "bieu.csv", data.encode())
    assert (article.title, article.body) == ("BIỂU TỔNG HỢP HTX NĂM 2021", "huyện Tam Đường: 42 HTX\nhuyện Sìn Hồ: 19 HTX")
    assert [piece.text for piece in article.dropped] == ["TT | Huyện | Số HTX", "1 | 2"]


@pytest.mark.parametrize("text", ["12;30\n1;2\n", "Tên HTX\nHTX Ong\n", "Tên HTX;Huyện\n"])
def test_a_table_without_names_of_columns_or_rows_is_named(tmp_path: Path, text: str) -> None:
    [found] = read(tmp_path, "bieu.csv", text.encode())
    assert isinstance(found, Rejected)
    assert found.reason.code == "file.table-columns"


def test_the_time_of_a_column_is_that_of_its_figures(tmp_path: Path) -> None:
    names = ["Tên HTX", "Doanh thu 2023 (triệu đồng)", "Thành viên", "Doanh thu năm 2024 (triệu đồng)"]
    names += ["Kế hoạch doanh thu 2025 (triệu đồng)", "Lao động đến 31/12/2023", "Tăng so với 2021 (%)"]
    rows = [["BIỂU TỔNG HỢP NĂM 2022"], names, ["HTX Ong Vàng", 4520, 31, 5000, 6100, 15, 7.5]]
    [article] = read(tmp_path, "bieu.xlsx", workbook(("HTX", rows)))
    assert article.body.split("\n") == [
        "HTX Ong Vàng: 31 thành viên; tăng so với 2021 7,5 %",
        "HTX Ong Vàng, năm 2023: doanh thu 4.520 triệu đồng",
        "HTX Ong Vàng, năm 2024: doanh thu 5.000 triệu đồng",
        "HTX Ong Vàng, năm 2025: kế hoạch doanh thu 6.100 triệu đồng",
        "HTX Ong Vàng, đến 31/12/2023: 15 lao động",
    ]
    facts = {(fact.low, fact.unit): fact.as_of for fact in extract_facts(article.title, article.body)}
    times = {4.52e9: "2023", 5e9: "2024", 6.1e9: "2025"}
    assert {low: as_of for (low, unit), as_of in facts.items() if unit == "đồng"} == times
    assert (facts[31, "thành viên"], facts[15, "người"]) == ("2022", "2023-12-31")


GROUPED: list[list[Any]] = [
    ["TT", "Huyện", "Năm 2023", None, "Năm 2024", None, "Vốn (tỷ đồng)", None, "Ghi chú"],
    [None, None, "Số HTX", "Thành viên", "Số HTX", "Thành viên", "Vay", "Góp", None],
    [1, "Sìn Hồ", 19, 96, 21, 104, 3.5, 2, "mới"],
]


def test_names_of_columns_are_joined_with_those_of_their_groups(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    for row in GROUPED:
        made.worksheets[0].append(row)
    for cells in ("A1:A2", "B1:B2", "C1:D1", "E1:F1", "G1:H1", "I1:I2"):
        made.worksheets[0].merge_cells(cells)
    found = io.BytesIO()
    made.save(found)
    [article] = read(tmp_path, "bieu.xlsx", found.getvalue())
    assert article.body.split("\n") == [
        "huyện Sìn Hồ: vốn vay 3,5 tỷ đồng; vốn góp 2 tỷ đồng; ghi chú mới",
        "huyện Sìn Hồ, năm 2023: 19 HTX; 96 thành viên",
        "huyện Sìn Hồ, năm 2024: 21 HTX; 104 thành viên",
    ]
    facts = {(fact.low, fact.unit, fact.as_of, fact.place) for fact in extract_facts(article.title, article.body)}
    assert {(19, "HTX", "2023", "huyện Sìn Hồ"), (104, "thành viên", "2024", "huyện Sìn Hồ")} <= facts
    assert [piece.text for piece in article.dropped] == [
        "TT | Huyện | Năm 2023 | Năm 2024 | Vốn (tỷ đồng) | Ghi chú | Số HTX | Thành viên | Số HTX | Thành viên | Vay | Góp",
        "1",
    ]


def test_groups_of_a_text_table_are_joined(tmp_path: Path) -> None:
    data = ";Thành viên;;6 tháng đầu năm\nHuyện;Nam;Nữ;Số HTX\nSìn Hồ;40;56;19\n"
    [article] = read(tmp_path, "bieu.csv", data.encode())
    assert article.body == "huyện Sìn Hồ: thành viên nam 40; thành viên nữ 56; 6 tháng đầu năm số HTX 19"


def test_a_row_of_words_below_the_names_is_no_second_row_of_names(tmp_path: Path) -> None:
    rows = [["Tổ", "Trưởng", None], ["Tổ Pom", None, "bản Pom"], ["Tổ Lếch", "Lò Thị Ón", "bản Lếch"]]
    [article] = read(tmp_path, "so.xlsx", workbook(("Ong", rows)))
    assert article.body == "Tổ Pom: bản Pom\nTổ Lếch: trưởng Lò Thị Ón; bản Lếch"


def test_a_column_may_be_a_year(tmp_path: Path) -> None:
    [article] = read(tmp_path, "bieu.xlsx", workbook(("Số HTX", [["Huyện", 2022, 2023], ["Sìn Hồ", 19, 21]])))
    assert article.body.split("\n") == ["huyện Sìn Hồ, năm 2022: 19", "huyện Sìn Hồ, năm 2023: 21"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Số HTX quý I/2023", "quý I/2023: 12 HTX"),
        ("6 tháng đầu năm 2023 (tấn)", "6 tháng đầu năm 2023: 12 tấn"),
        ("Mật (tấn, năm 2023)", "năm 2023: mật 12 tấn"),
    ],
)
def test_a_name_of_a_column_is_read_without_its_time(tmp_path: Path, name: str, sentence: str) -> None:
    [article] = read(tmp_path, "bieu.xlsx", workbook(("Ong", [["Tổ", name], ["Tổ Pom", 12]])))
    assert article.body == f"Tổ Pom, {sentence}"


@pytest.mark.parametrize("name", ["Tỷ lệ 2024/2023", "Theo Luật HTX năm 2012", "Năm 2024 so với năm 2023", "So với năm 2022"])
def test_a_time_that_is_not_of_the_figures_stays_in_the_name(tmp_path: Path, name: str) -> None:
    [article] = read(tmp_path, "bieu.xlsx", workbook(("Ong", [["Tổ", name], ["Tổ Pom", 12]])))
    assert article.body == f"Tổ Pom: {name[0].lower()}{name[1:]} 12"


def test_a_percent_cell_is_read_as_shown(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    sheet = made.worksheets[0]
    sheet.title = "Hộ & nghèo"
    shown = {"0.0%": 0.054, "0%": 0.07, "0.00%": 1 / 3, '0.0"%"': 5.5, "General": 0.25, '[Red]#,##0.0 "≈" %;-0%': 1.284}
    for column, name in enumerate(["Xã", *(f"Cột {letter} (%)" for letter in "abcdef")], start=2):
        sheet.cell(3, column, name)
    sheet.cell(4, 2, "Bản Pom")
    for column, (shape, value) in enumerate(shown.items(), start=3):
        sheet.cell(4, column, value).number_format = shape
    found = io.BytesIO()
    made.save(found)
    [article] = read(tmp_path, "so.xlsx", found.getvalue())
    assert article.body == ("xã Bản Pom: cột a 5,4 %; cột b 7 %; cột c 33,33 %; cột d 5,5 %; cột e 0,25 %; cột f 128,4 %")
    first = extract_facts(article.title, article.body)[0]
    assert (first.low, first.unit) == (5.4, "%")


def test_a_percentage_of_an_open_document_is_read_as_shown(tmp_path: Path) -> None:
    space = "urn:oasis:names:tc:opendocument:xmlns"

    def cell(shown: str, given: str = "office:value-type='string'") -> str:
        return f"<table:table-cell {given}><text:p>{shown}</text:p></table:table-cell>"

    def row(*cells: str, more: str = "") -> str:
        return f"<table:table-row {more}>{''.join(cells)}</table:table-row>"

    rows = row("<table:table-cell/>", more='table:number-rows-repeated="2"') + row(
        *(cell(name) for name in ("Xã", "Hộ nghèo", "Cận nghèo", "Số hộ"))
    )
    share = "office:value-type='percentage' office:value='0.054' table:number-columns-repeated='2'"
    rows += row(cell("Bản Pom"), cell("5,4%", share), cell("0,5", "office:value-type='float' office:value='0.5'"))
    rows += row("<table:table-cell/>", more='table:number-rows-repeated="1048000"')
    names = f'xmlns:office="{space}:office:1.0" xmlns:text="{space}:text:1.0" xmlns:table="{space}:table:1.0"'
    body = (
        f"<office:body><office:spreadsheet><table:table table:name='Hộ'>{rows}</table:table></office:spreadsheet></office:body>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    content = f"<office:document-content {names}>{body}</office:document-content>"
    [article] = read(tmp_path, "so.ods", packed({"mimetype": kind, "META-INF/manifest.xml": "<m/>", "content.xml": content}))
    assert isinstance(article, Article), article
    assert article.body == "xã Bản Pom: hộ nghèo 5,4 %; cận nghèo 5,4 %; 0,5 hộ"


SHOWN: list[str | int] = ["0.0%", 9, "0.000", 10, '0.0"%"', 0]
XLS_CELLS: dict[tuple[int, int], Any] = {
    **{(3, 2 + number): name for number, name in enumerate(["Xã", *(f"Cột {letter} (%)" for letter in "abcdef")])},
    (4, 2): "Bản Pom",
    **{(4, 3 + style): (value, style) for style, value in enumerate((0.054, 0.07, 0.25, 1 / 3, 5.5, 0.5))},
}


def test_a_percent_cell_of_an_old_workbook_is_read_as_shown(tmp_path: Path) -> None:
    [article] = read(tmp_path, "so.xls", xls(SHOWN, {"Hộ": XLS_CELLS, "Trống": {}}))
    assert article.body == "xã Bản Pom: cột a 5,4 %; cột b 7 %; cột c 0,25 %; cột d 33,33 %; cột e 5,5 %; cột f 0,5 %"


def test_the_cells_of_each_old_sheet_have_their_formats() -> None:
    short = record(0x027E, struct.pack("<3HI", 2, 1, 0, 0)) + record(0x0006, struct.pack("<3H", 2, 2, 1) + bytes(16))
    several = record(0x00BD, struct.pack("<2H", 5, 3) + struct.pack("<HIHIHI", 0, 0, 2, 0, 3, 0) + struct.pack("<H", 5))
    whole = xls(SHOWN, {"Một": {(0, 0): (0.5, 3)}, "Hai": {(0, 0): (0.5, 2)}})
    stream = read_streams(whole, ["Workbook"])["Workbook"]
    chart = record(0x0809, struct.pack("<HH", 0x0600, 0x20)) + record(0x000A)
    at = stream.rindex(record(0x0203, struct.pack("<3Hd", 0, 0, 2, 0.5)))
    changed = compound({"Workbook": stream[:at] + chart + short + several + stream[at:]})
    assert share_cells(changed) == {"Một": [(0, 0, 2)], "Hai": [(2, 1, 1), (2, 2, 0), (5, 3, 1), (5, 5, 2)]}


def test_a_damaged_old_workbook_takes_no_time_and_is_no_fault() -> None:
    stream = read_streams(xls(SHOWN, {"Một": {(0, 0): (0.5, 0)}}), ["Workbook"])["Workbook"]
    for end in range(stream.rindex(struct.pack("<d", 0.5)) + 20):
        assert set(share_cells(compound({"Workbook": stream[:end]}))) <= {"Một"}
    assert share_cells(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") == {}
    begin, style = stream[:20], record(0x00E0, struct.pack("<HH", 0, 9) + bytes(16))
    many = 20_000
    sheets = b"".join(
        record(0x0085, struct.pack("<IHBB", 20 + 24 + 13 * many + 4 + 20 * number, 0, 1, 0) + b"a") for number in range(many)
    )
    assert share_cells(compound({"Workbook": begin + style + sheets + record(0x000A) + begin * many})) == {"a": []}


def slides(*pages: list[str]) -> bytes:
    """A file of slides, each with its paragraphs."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        archive.writestr("ppt/presentation.xml", "<p/>")
        for number, lines in enumerate(pages, start=1):
            texts = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in lines)
            xml = f'<p:sld xmlns:p="p" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">{texts}</p:sld>'
            archive.writestr(f"ppt/slides/slide{number}.xml", xml)
    return found.getvalue()


def test_slides_are_read_in_their_order(tmp_path: Path) -> None:
    pages = [["Nghề ong ở bản", "Ba tổ hợp tác"], *[[f"Trang {number}"] for number in range(2, 12)]]
    [article] = read(tmp_path, "trinh-chieu.pptx", slides(*pages))
    assert article.title == "Nghề ong ở bản"
    assert article.body.split("\n") == ["Ba tổ hợp tác", *[f"Trang {number}" for number in range(2, 12)]]


ROW = {
    "id": "ong-1",
    "title": "Mật ong &amp; phấn hoa",
    "text": "<p>Tổ ong <b>đầu</b> tiên</p><p>B&aacute;n &#273;&#7855;t<br>ở chợ</p><script>x()</script>",
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tin.jsonl", json.dumps(ROW)),
        ("tin.json", json.dumps([ROW])),
        ("tin.json", json.dumps({"trang": 1, "bai": [ROW]})),
        ("tin.json", json.dumps(ROW, indent=1)),
    ],
)
def test_a_field_that_holds_html_is_read_as_html(tmp_path: Path, name: str, text: str) -> None:
    [article] = read(tmp_path, name, text.encode())
    assert (article.id, article.title, article.body) == ("ong-1", "Mật ong & phấn hoa", "Tổ ong đầu tiên\nBán đắt\nở chợ")


def test_html_in_a_table_is_read_as_html(tmp_path: Path) -> None:
    [article] = read(tmp_path, "tin.csv", 'tiêu đề,nội dung\n"Tổ ong","<p>Mật <i>hoa</i> nhãn</p>"\n'.encode())
    assert article.body == "Mật hoa nhãn"


@pytest.mark.parametrize("text", ["giá < 3 nghìn và > 2 nghìn", "a <b c", "x & y", "R&D; M&A"])
def test_signs_that_are_no_html_stay(tmp_path: Path, text: str) -> None:
    [article] = read(tmp_path, "tin.jsonl", json.dumps({"id": "1", "title": "Tin", "text": text}).encode())
    assert article.body == text


@pytest.mark.parametrize("text", ["[", "3", '"bài"', '{"a": [1], "b": [2]}', "[" * 100_000])
def test_a_json_file_without_articles_is_named(tmp_path: Path, text: str) -> None:
    assert all(isinstance(one, Rejected) for one in read(tmp_path, "hong.json", text.encode()))


def old_font(text: str) -> str:
    """Return a text as letters of a TCVN3 font, pasted into Unicode."""
    codes = {
        "ợ": 0xEE,
        "á": 0xB8,
        "ã": 0xB7,
        "ậ": 0xCB,
        "ấ": 0xCA,
        "ứ": 0xF8,
        "ở": 0xEB,
        "ế": 0xD5,
        "ố": 0xE8,
        "à": 0xB5,
        "ồ": 0xE5,
        "ă": 0xA8,
        "ư": 0xAD,
    }
    return "".join(bytes([codes[one]]).decode("cp1252") if one in codes else one for one in text)


@pytest.mark.parametrize("name", ["cu.jsonl", "cu.html"])
def test_old_fonts_are_repaired_in_every_format(tmp_path: Path, name: str) -> None:
    plain = "Hợp tác xã vận chuyển hàng, cấp vốn, tốt hơn năm trước, đến ở bản, hợp tác với bạn hàng, các xã lân cận"
    plain = "".join(one if one in "ợáãậấứởếốàồă" or one.isascii() else "e" for one in plain)
    text = old_font(plain)
    assert text != plain
    story = f"<h1>Tin</h1><p>{text}.</p><p>{text}, {text}.</p>"
    page = f"<html><head><title>Tin</title></head><body><article>{story}</article></body></html>"
    data = json.dumps({"id": "1", "title": "Tin", "text": text}) if name == "cu.jsonl" else page
    [article] = read(tmp_path, name, data.encode())
    assert isinstance(article, Article)
    assert "Hợp tác xã vận" in article.body


def test_the_bytes_of_a_page_go_before_its_declaration(tmp_path: Path) -> None:
    text = "Tổ hợp tác nuôi ong ở bản trên bán mật lấy tiền mua thùng mới cho các hộ trong bản."
    story = f"<h1>Nghề ong</h1><p>{text}</p><p>{text} Xong.</p>"
    head = '<meta charset="iso-8859-1"><title>Nghề ong</title>'
    page = f"<html><head>{head}</head><body><article>{story}</article></body></html>"
    [article] = read(tmp_path, "trang.html", page.encode())
    assert text in article.body


def test_look_alikes_of_d_are_d(tmp_path: Path) -> None:
    [article] = read(tmp_path, "tin.txt", "Tin mới\nTỉnh Ðắk Lắk và huyện Ɖức Cơ trồng cà phê.\n".encode())
    assert "Đắk Lắk và huyện Đức Cơ" in article.body


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Lao động (1.000 người)", "bản Mận: lao động 40 nghìn người"),
        ("Doanh thu (1.000.000 đồng)", "bản Mận: doanh thu 40 triệu đồng"),
        ("Trước 1995", "bản Mận: trước 1995 40"),
    ],
)
def test_a_figure_is_not_joined_with_one_of_its_columns_name(name: str, sentence: str) -> None:
    assert table_lines([["Bản", name, "Số tổ"], ["bản Mận", "40", "2"]]) == [f"Bản | {name} | Số tổ", f"{sentence}; 2 tổ"]


def test_figures_of_ranges_are_no_sentences() -> None:
    assert table_lines([["Bản", "Từ 500 đến 1.000", "Số tổ"], ["Bản Mận", "40", "2"]]) is None


def test_columns_that_go_on_below_have_names_of_their_own() -> None:
    rows = [["Năm", "2019", "2020"], ["Số tổ", "3", "4"], ["Năm", "2021", "2022"], ["Số tổ", "5", "6"]]
    assert table_lines(rows) == [
        "Năm | 2019 | 2020", "Số tổ, năm 2019: 3", "Số tổ, năm 2020: 4",
        "Năm | 2021 | 2022", "Số tổ, năm 2021: 5", "Số tổ, năm 2022: 6",
    ]  # fmt: skip


def test_rows_without_labels_are_no_sentences() -> None:
    assert table_lines([["Bản", "Mức", "Số tổ"], ["Bản Mận", "1", "2"], ["", "< 3", "4"], ["", "< 5", "4"]]) is None


def test_heads_in_english_give_figures_with_their_place_and_year(tmp_path: Path) -> None:
    table = "province,year,cooperatives,members\nLai Châu,2021,455,17000\n"
    [article] = read(tmp_path, "bang.csv", table.encode())
    assert article.body == "tỉnh Lai Châu: năm 2021; 455 cooperatives; 17000 members"
    facts = extract_facts("", article.body)
    assert [(fact.unit, fact.low, fact.place, fact.as_of) for fact in facts] == [
        ("HTX", 455, "Lai Châu", "2021"),
        ("thành viên", 17000, "Lai Châu", "2021"),
    ]
