"""Official documents read alike in every format: head, foot, and nothing lost."""

from collections.abc import Callable, Sequence
from datetime import date
from html import escape
from pathlib import Path

import pytest

from htxsearch import Article
from htxsearch.ingest.corpus import SourceFile, articles_of
from ingest.folder import ODT, docx_of, drawn_lines, packed, pdf_of

LEFT = ["UBND TỈNH LAI CHÂU", "LIÊN MINH HỢP TÁC XÃ", "_______", "Số: 31/BC-LMHTX"]
RIGHT = [
    "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
    "Độc lập - Tự do - Hạnh phúc",
    "_______________",
    "Lai Châu, ngày 09 tháng 12 năm 2021",
]
TITLE = ["BÁO CÁO", "Kết quả nuôi ong chung năm 2021"]
TEXT = [
    "Thực hiện kế hoạch số 7/KH-LMHTX ngày 02 tháng 01 năm 2021, các tổ nuôi ong ven rừng đã góp thùng và chia nhau trông coi.",
    "Cả năm có 57 tổ với 412 hộ tham gia, gom được chín nghìn lít mật, bán cho các cửa hàng dưới xuôi với giá ổn định.",
]
LIST = ["Nơi nhận:", "- UBND tỉnh (để báo cáo);", "- Lưu: VT, KT."]
SIGNED = ["KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH", "(Đã ký)", "Lò Thị Mận"]
ANNEX = ["PHỤ LỤC", "- Bản Nà Lếch: 12 tổ;", "- Bản Hua Cuổi: 9 tổ."]
LINES = [*LEFT, *RIGHT, *TITLE, *TEXT, *LIST, *SIGNED, *ANNEX]


def as_text(title: list[str], above: Sequence[str] = ()) -> bytes:
    head = [f"{left}\t{right}" for left, right in zip(LEFT, RIGHT, strict=True)]
    foot = [f"{left}\t{right}" for left, right in zip([*LIST, ""], SIGNED, strict=True)]
    return "\n".join([*above, *head, "", *title, "", *TEXT, *foot, "", *ANNEX]).encode()


def as_word(title: list[str], above: Sequence[str] = ()) -> bytes:
    def paragraphs(lines: Sequence[str]) -> str:
        return "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in lines)

    def table(*cells: list[str]) -> str:
        return f"<w:tbl><w:tr>{''.join(f'<w:tc>{paragraphs(cell)}</w:tc>' for cell in cells)}</w:tr></w:tbl>"

    return docx_of(
        paragraphs(above) + table(LEFT, RIGHT) + paragraphs([*title, *TEXT]) + table(LIST, SIGNED) + paragraphs(ANNEX)
    )


def as_open_document(title: list[str]) -> bytes:
    space = "urn:oasis:names:tc:opendocument:xmlns"

    def paragraphs(lines: list[str]) -> str:
        return "".join(f"<t:p>{line}</t:p>" for line in lines)

    def table(*cells: list[str]) -> str:
        row = "".join(f"<b:table-cell>{paragraphs(cell)}</b:table-cell>" for cell in cells)
        return f"<b:table><b:table-row>{row}</b:table-row></b:table>"

    body = table(LEFT, RIGHT) + paragraphs([*title, *TEXT]) + table(LIST, SIGNED) + paragraphs(ANNEX)
    names = f'xmlns:o="{space}:office:1.0" xmlns:t="{space}:text:1.0" xmlns:b="{space}:table:1.0"'
    content = f"<o:document-content {names}><o:body><o:text>{body}</o:text></o:body></o:document-content>"
    return packed({"mimetype": ODT, "content.xml": content})


def as_rich_text(title: list[str]) -> bytes:
    def row(*cells: list[str]) -> str:
        return (
            r"\trowd\cellx4000\cellx9000 "
            + "".join(r"\pard\intbl " + "\\par ".join(cell) + r"\cell " for cell in cells)
            + r"\row "
        )

    lines = "\\par ".join([*title, *TEXT]) + "\\par "
    written = row(LEFT, RIGHT) + r"\pard " + lines + row(LIST, SIGNED) + r"\pard " + "\\par ".join(ANNEX)
    return (r"{\rtf1\ansi " + "".join(one if ord(one) < 128 else f"\\u{ord(one)}?" for one in written) + "}").encode("ascii")


def as_pdf(title: list[str], above: Sequence[str] = ()) -> bytes:
    foot = ["Nơi nhận: KT. CHỦ TỊCH", "- UBND tỉnh (để báo cáo); PHÓ CHỦ TỊCH", "- Lưu: VT, KT. (Đã ký)", "Lò Thị Mận"]
    return pdf_of([drawn_lines([*above, *LEFT, *RIGHT, *title, *TEXT, *foot, *ANNEX])])


def table_of(*cells: list[str]) -> str:
    return f"<table><tr>{''.join(f'<td>{paragraphs_of(cell)}</td>' for cell in cells)}</tr></table>"


def paragraphs_of(lines: list[str]) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def document_of(title: list[str]) -> str:
    return table_of(LEFT, RIGHT) + paragraphs_of([*title, *TEXT]) + table_of(LIST, SIGNED) + paragraphs_of(ANNEX)


def as_page(title: list[str]) -> bytes:
    head = '<meta charset="utf-8"><title>Mau 1</title><meta name="author" content="May Tinh">'
    return f"<html><head>{head}</head><body>{document_of(title)}</body></html>".encode()


def as_page_in_rows(title: list[str]) -> bytes:
    rows = "".join(f"<tr><td>{left}</td><td>{right}</td></tr>" for left, right in zip(LEFT, RIGHT, strict=True))
    foot = "".join(f"<tr><td>{left}</td><td>{right}</td></tr>" for left, right in zip([*LIST, ""], SIGNED, strict=True))
    body = f"<table>{rows}</table>{paragraphs_of([*title, *TEXT])}<table>{foot}</table>{paragraphs_of(ANNEX)}"
    return f'<html><head><meta charset="utf-8"></head><body>{body}</body></html>'.encode()


FORMATS: dict[str, Callable[[list[str]], bytes]] = {
    "a.txt": as_text,
    "a.docx": as_word,
    "a.odt": as_open_document,
    "a.rtf": as_rich_text,
    "a.pdf": as_pdf,
    "a.html": as_page,
    "rows.html": as_page_in_rows,
}


def article_of(tmp_path: Path, name: str, data: bytes) -> Article:
    file = tmp_path / name
    file.write_bytes(data)
    [article] = articles_of(SourceFile(file, name))
    assert isinstance(article, Article), article
    return article


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same(tmp_path: Path, name: str) -> None:
    article = article_of(tmp_path, name, FORMATS[name](TITLE))
    assert article.title == " ".join(TITLE)
    assert article.date == date(2021, 12, 9)
    assert article.number == "31/BC-LMHTX"
    assert article.signer == "Lò Thị Mận, Phó Chủ tịch"
    assert article.place == "Lai Châu"
    assert article.author is None
    for line in (*TEXT, "Số: 31/BC-LMHTX", "Lò Thị Mận", *ANNEX):
        assert line in " ".join(article.body.split()), line
    for line in LIST:
        assert line not in article.body, line
    [recipients] = [piece.text for piece in article.dropped if piece.reason.code == "dropped.recipients"]
    assert recipients.split() == " ".join(LIST).split()


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_of_a_document_is_lost(tmp_path: Path, name: str) -> None:
    article = article_of(tmp_path, name, FORMATS[name](TITLE))
    found = "".join([article.title, article.body, *(piece.text for piece in article.dropped)])
    wanted = "".join("".join(LINES).split())
    for sign in set(wanted):
        assert found.count(sign) >= wanted.count(sign), (sign, found)


@pytest.mark.parametrize(("name", "made"), [("a.txt", as_text), ("a.docx", as_word), ("a.pdf", as_pdf)])
def test_lines_above_the_letterhead_change_nothing_else(
    tmp_path: Path, name: str, made: Callable[[list[str], Sequence[str]], bytes]
) -> None:
    plain = article_of(tmp_path, name, made(TITLE, ()))
    article = article_of(tmp_path, name, made(TITLE, ["Lưu hành trong tổ", "Bản gửi các bản"]))
    assert (article.title, article.date, article.number) == (" ".join(TITLE), date(2021, 12, 9), "31/BC-LMHTX")
    assert article.signer == plain.signer == "Lò Thị Mận, Phó Chủ tịch"
    assert article.body == f"Lưu hành trong tổ\nBản gửi các bản\n{plain.body}"


@pytest.mark.parametrize(
    "kind",
    ["GIẤY MỜI", "BIÊN BẢN", "QUY CHẾ", "QUY ĐỊNH", "ĐIỀU LỆ", "PHƯƠNG ÁN", "CÔNG ĐIỆN", "THÔNG TƯ LIÊN TỊCH", "PHÁP LỆNH",
     "VĂN BẢN HỢP NHẤT", "HỢP ĐỒNG", "DANH SÁCH", "QUYẾT ĐỊNH", "KẾ HOẠCH", "TỜ TRÌNH"],
)  # fmt: skip
def test_a_page_has_every_kind_of_title(tmp_path: Path, kind: str) -> None:
    for name in ("a.html", "rows.html"):
        assert article_of(tmp_path, name, FORMATS[name]([kind, "Góp vốn làm nhà kho"])).title == f"{kind} Góp vốn làm nhà kho"


def test_a_letter_saved_as_a_page_has_its_subject_as_title(tmp_path: Path) -> None:
    left = [*LEFT, "V/v góp ý chính sách cho nghề ong"]
    body = table_of(left, RIGHT) + paragraphs_of(["Kính gửi: Sở Công Thương", *TEXT]) + table_of(LIST, SIGNED)
    data = f'<html><head><meta charset="utf-8"><title>Cong van</title></head><body>{body}</body></html>'.encode()
    article = article_of(tmp_path, "a.html", data)
    assert article.title == "Góp ý chính sách cho nghề ong"
    assert article.body.split("\n")[-1] == "Lò Thị Mận"
    assert "Kính gửi: Sở Công Thương" in article.body


def test_a_document_on_a_site_is_read_without_the_site(tmp_path: Path) -> None:
    menu = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("Trang chủ", "Giới thiệu", "Tin tức", "Liên hệ"))
    other = '<a href="/x">Lớp dạy nuôi ong mở ở bản Hua Cuổi đông người học</a>'
    body = (
        f'<div class="menu"><ul>{menu}</ul></div><div class="content"><h1>Báo cáo kết quả nuôi ong chung năm 2021</h1>'
        f'{document_of(TITLE)}</div><div class="related"><h3>Tin liên quan</h3><ul><li>{other}</li></ul></div>'
    )
    data = (
        f'<html><head><meta charset="utf-8"><title>Báo cáo - Cổng thông tin</title></head><body>{body}</body></html>'.encode()
    )
    article = article_of(tmp_path, "a.html", data)
    assert (article.title, article.number) == (" ".join(TITLE), "31/BC-LMHTX")
    assert "Trang chủ" not in article.body
    assert "Hua Cuổi đông" not in article.body
    assert article.body.count("nuôi ong chung năm 2021") == 0
    assert {piece.reason.code for piece in article.dropped} >= {"dropped.title-again", "dropped.recipients"}


def test_an_article_that_quotes_a_document_is_none(tmp_path: Path) -> None:
    story = paragraphs_of([*TEXT, *(f"Đoạn thứ {n} kể chuyện các tổ nuôi ong ở ven rừng góp thùng chung." for n in range(12))])
    body = f"<h1>Các tổ nuôi ong góp thùng chung</h1>{story}{document_of(TITLE)}"
    data = f'<html><head><meta charset="utf-8"><title>Tin</title></head><body><article>{body}</article></body></html>'.encode()
    article = article_of(tmp_path, "a.html", data)
    assert article.title == "Các tổ nuôi ong góp thùng chung"
    assert (article.number, article.signer) == (None, None)
