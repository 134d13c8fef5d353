"""A law of all readers: body, title, metadata and dropped pieces have every visible word of the original.

Each format lays out the same kinds of lines as its programs do: letterheads, menus, datelines, notes, tables.
"""

import html
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from email.message import EmailMessage
from itertools import islice
from typing import NamedTuple

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.chart import BarChart
from openpyxl.comments import Comment

from htxsearch import Article, Rejected
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers import read_articles, reader_of
from htxsearch.ingest.readers.base import ParsedDocument
from htxsearch.text.normalize import nfc
from ingest import folder
from ingest.test_folder import GOOD

PROSE = (
    "Sáng sớm, chị Sùng Thị Dợ đã ra vườn sả bẻ những bẹ khô xếp thành từng bó nhỏ để kịp chuyến xe chở về lò nấu tinh dầu.",
    "Tổ nuôi ong ở bản Pom có mười hai hộ, mỗi hộ góp ba thùng và một tạ đường để nuôi qua mùa đông rét, theo sổ của tổ.",
    "Năm ngoái lò đốt hết 310 khối củi và cho chừng 1.240 lít dầu, đóng trong chai nâu có tem của xóm, bán ở chợ phiên huyện.",
    "Ông Lò Văn Pún nói rằng đường lên bản đã mở rộng, xe tải nhỏ vào được tận sân, nên khách mua sả tươi cũng đông hơn.",
)
LINES = (
    "I. TÌNH HÌNH CHUNG", "1. Góp vốn làm lò", "- Nuôi ong", "a) Giữ rừng", "Mức góp: 5%", "3", "Trang 4", "- 7 -",
    "Trang chủ", "Giới thiệu", "Sản phẩm", "Liên hệ", "Thư viện ảnh", "In trang", "Chia sẻ Facebook", "Lượt xem: 120",
    "Trang chủ > Tin tức > Nông nghiệp > Ong", "Từ khóa: ong, mật, sả", "#ong #sả", "Các tin khác", "Xem thêm: Lò gạch cũ",
    "Tổ đan gùi ở bản Nà Lếch nhận thêm việc (12/3)", "Hộ trồng gừng ở bản trên được mùa (9/3/2021)", "Bình luận của bạn",
    "Thứ Ba, 03/05/2022 | 07:10", "Cập nhật: 5/3/2021", "Thứ Hai, 04/05/2022", "Ngày 9 tháng 2 năm 2020", "Tác giả: Lò Thị Ón",
    "Người đăng: Ban biên tập", "Chịu trách nhiệm nội dung: Vàng A Sử", "Địa chỉ: bản Pom", "Điện thoại: 0123456",
    "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "LIÊN MINH HTX", "Số: 31/BC-LMHTX", "V/v chia mật",
    "Sơn La, ngày 5 tháng 3 năm 2020", "BÁO CÁO", "Về việc làm nhà kho", "Kính gửi: Các tổ", "Nơi nhận:", "Hòa Bình – hoà mình",
)  # fmt: skip
TITLES = ("Vườn sả bên suối", "BÁO CÁO Kết quả nuôi ong", "Nghề ong ở bản", "Tổ ong & vườn sả: một năm", "Lò dầu - báo Suối Sả")


class Story(NamedTuple):
    """What a file has: its title, its lines, and what stands beside them."""

    title: str
    lines: list[str]
    beside: list[str]
    again: bool = False

    @property
    def all_lines(self) -> list[str]:
        """Return title and lines, the title above the text again if it is printed twice."""
        return [self.title, *[self.title] * self.again, *self.lines]


def lists(least: int, most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from((*LINES, *PROSE)), min_size=least, max_size=most)


OFFICIAL = st.just(["LIÊN MINH HTX", "Số: 31/BC-LMHTX", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"])
STORIES = st.builds(
    lambda title, above, before, after, beside, again: Story(title, [*above, *before, *PROSE[:2], *after], beside, again),
    st.sampled_from(TITLES), st.one_of(st.just([]), OFFICIAL), lists(0, 8), lists(0, 12), lists(1, 6), st.booleans(),
)  # fmt: skip

Made = tuple[bytes, Sequence[str]]
"""A file, and its visible texts."""


def plain(story: Story) -> Made:
    return "\n\n".join(story.all_lines).encode(), story.all_lines


def markdown(story: Story) -> Made:
    title, *lines = [re.sub(r"([\\`*_{}\[\]()#+.!|>-])", r"\\\1", line) for line in story.all_lines]
    front = "---\ntitle: {}\ntags: {}\n  - ong rừng\n---\n".format(story.title, "sả, mật")
    numbered = "\n".join(f"{number}. mục thứ {number}" for number in (7, 8))
    rest = f"<div>Khung *viền*</div>\n\n| Cột một | Cột hai |\n|---|---|\n| ô đầu | ô sau |\n\n{numbered}\n"
    texts = ["tags sả mật ong rừng Khung viền Cột một Cột hai ô đầu ô sau 7 mục thứ 7 8 mục thứ 8"]
    return f"{front}# {title}\n\n{chr(10) * 2}{(chr(10) * 2).join(lines)}\n\n{rest}".encode(), [*story.all_lines, *texts]


def page_of(story: Story) -> Made:
    title, *lines = map(html.escape, story.all_lines)
    beside = [html.escape(line) for line in story.beside]
    menu = "".join(f"<li><a href='/'>{line}</a></li>" for line in beside)
    paragraphs = "".join(f"<p>{line}</p>" for line in lines)
    page = (
        f"<!DOCTYPE html><html><head><meta charset='utf-8'><title>{title}</title><style>b{{}}</style></head><body>"
        f"<header><button>Tìm bài</button><input type='submit' value='Gửi đi'>"
        "<select><option>Chọn năm</option></select></header>"
        f"<nav><ul>{menu}</ul></nav><article><h1>{title}</h1>{paragraphs}"
        "<table><tr><td>Bản Pom</td><td>96 tổ</td></tr></table><figure><figcaption>Ảnh: lò dầu</figcaption></figure></article>"
        f"<aside><h3>Tin mới</h3>{menu}</aside><footer>Bản quyền của xóm</footer><script>khong()</script>"
        "<p hidden>ẩn</p></body></html>"
    )
    seen = ["Tìm bài Gửi đi Chọn năm Bản Pom 96 tổ Ảnh: lò dầu Tin mới Bản quyền của xóm"]
    return page.encode(), [*story.all_lines, *story.beside, *story.beside, *seen]


def mhtml(story: Story) -> Made:
    page, texts = page_of(story)
    whole = EmailMessage()
    whole["From"] = "<Saved by a browser>"
    whole["MIME-Version"] = "1.0"
    whole.make_related()
    for text, kind in ((page.decode(), "html"), ("<p>Khung quảng cáo</p>", "html"), ("chữ thường", "plain")):
        part = EmailMessage()
        part.set_content(text, subtype=kind, cte="base64")
        whole.attach(part)
    return whole.as_bytes(), [*texts, "Khung quảng cáo chữ thường"]


def window_page(story: Story) -> Made:
    """Return a page that has its title only in its head."""
    paragraphs = "".join(f"<p>{html.escape(line)}</p>" for line in story.lines)
    window = f"{html.escape(story.title)} - Báo Bản Pom"
    page = f"<html><head><meta charset='utf-8'><title>{window}</title></head><body>{paragraphs}</body></html>"
    return page.encode(), [story.title, *story.lines, "Báo Bản Pom"]


def eml(story: Story) -> Made:
    mail = EmailMessage()
    mail["From"], mail["To"] = "Lò Thị Ón <on@ong.example>", "Tổ ong <to@ong.example>"
    mail["Subject"], mail["Date"] = story.title, "Fri, 05 Jul 2024 08:00:00 +0700"
    mail.set_content("\n".join(story.lines))
    beside = "".join(f"<p>{html.escape(line)} kèm hình</p>" for line in story.beside)
    mail.add_alternative(f"<html><head><title>Tên ở đầu</title></head><body>{beside}</body></html>", subtype="html")
    mail.add_attachment("\n".join(story.lines).encode(), maintype="text", subtype="plain", filename="ong.txt")
    head = "Lò Thị Ón on@ong.example Tổ ong to@ong.example Fri, 05 Jul 2024 08:00:00 +0700"
    return mail.as_bytes(), [story.title, *story.lines, *story.lines, "kèm hình", "Tên ở đầu", head]


def row_of(story: Story) -> tuple[dict[str, object], Sequence[str]]:
    title, *lines = story.all_lines
    row = {"id": "ong-1", "title": title, "text": "\n".join(lines), "author": "Lò Thị Ón", "date": "2021-03-05 07:10"}
    more = {"tags": story.beside, "source": "Báo Suối", "trang": 3, "khác": {"ảnh": "lò dầu"}, "place": "tỉnh Sơn La"}
    seen = "ong-1 Lò Thị Ón 2021-03-05 07:10 Báo Suối 3 ảnh lò dầu tỉnh Sơn La"
    return {**row, **more}, [*story.all_lines, *story.beside, seen]


def json_lines(story: Story) -> Made:
    row, texts = row_of(story)
    return json.dumps(row).encode(), texts


def json_file(story: Story) -> Made:
    row, texts = row_of(story)
    return json.dumps({"kho": "tin bản", "bài": [row]}).encode(), [*texts, "tin bản"]


def table_of(between: str) -> Callable[[Story], Made]:
    def made(story: Story) -> Made:
        title, *lines = story.all_lines
        cells = ["tin-3", title, "\n".join(lines), "5/3/2021", "; ".join(story.beside), "ô thừa"]
        names = ["id", "Tiêu đề", "Nội dung", "Ngày đăng", "Thẻ"]
        rows = (between.join('"{}"'.format(cell.replace('"', '""')) for cell in row) for row in (names, cells))
        return "\n".join(rows).encode(), cells

    return made


def pdf(story: Story) -> Made:
    lines = story.all_lines
    cut = len(lines) // 3
    heads = [("Bản tin của liên minh", *part, str(number)) for number, part in
             enumerate((lines[:cut], lines[cut : 2 * cut], lines[2 * cut :]), start=1)]  # fmt: skip
    return folder.pdf_of([folder.drawn_lines(page) for page in heads]), [line for page in heads for line in page]


FIGURES = [["STT", "Địa bàn", "Số tổ ong 2021", "Mật (tấn)"], ["1", "Bản Pom", "96", "3,5"], ["2", "Bản Lếch", "12", ""]]


def docx(story: Story) -> Made:
    title, *lines = map(html.escape, story.all_lines)
    body = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in (title, *lines))
    cells = "".join(f"<w:tc><w:p><w:r><w:t>{html.escape(line)}</w:t></w:r></w:p></w:tc>" for line in story.beside)
    rows = (f"<w:tc><w:p><w:r><w:t>{html.escape(cell)}</w:t></w:r></w:p></w:tc>" for row in FIGURES for cell in row)
    figures = "".join(f"<w:tr>{''.join(islice(rows, len(row)))}</w:tr>" for row in FIGURES)
    tables = f"<w:tbl><w:tr>{cells}</w:tr></w:tbl><w:tbl>{figures}</w:tbl>"
    return folder.docx_of(body + tables), [*story.all_lines, *story.beside, *(cell for row in FIGURES for cell in row)]


SPACE = "urn:oasis:names:tc:opendocument:xmlns"
NAMES = " ".join(
    f'xmlns:{name[0]}="{SPACE}:{name}:1.0"' for name in ("office", "text", "drawing", "style")
) + f' xmlns:table="{SPACE}:table:1.0"'  # fmt: skip


def odt(story: Story) -> Made:
    title, *lines = map(html.escape, story.all_lines)
    paragraphs = "".join(f"<t:p>{line}</t:p>" for line in lines)
    beside = "".join(f"<t:p>{html.escape(line)}</t:p>" for line in story.beside)
    anchored = (
        f"<t:p>Dưới đây<d:frame><d:text-box>{beside}</d:text-box></d:frame> là hộp"
        "<t:note><t:note-body><t:p>Ghi ở chân</t:p></t:note-body></t:note>"
        "<o:annotation><t:p>Nhận xét bên lề</t:p></o:annotation></t:p>"
    )
    cells = [[f"<table:table-cell><t:p>{cell}</t:p></table:table-cell>" for cell in row] for row in FIGURES]
    figures = "".join(f"<table:table-row>{''.join(row)}</table:table-row>" for row in cells)
    content = (
        f"<o:document-content {NAMES}><o:body><o:text><t:h>{title}</t:h>{paragraphs}{anchored}"
        "<table:table><table:table-row><table:table-cell><t:p>Ô bảng</t:p></table:table-cell></table:table-row></table:table>"
        f"<table:table>{figures}</table:table>"
        "</o:text></o:body></o:document-content>"
    )
    styles = f"<o:document-styles {NAMES}><s:header><t:p>Tiêu đề trang</t:p></s:header></o:document-styles>"
    seen = "Dưới đây là hộp Ghi ở chân Nhận xét bên lề Ô bảng Tiêu đề trang"
    return folder.packed({"mimetype": folder.ODT, "content.xml": content, "styles.xml": styles}), [
        *story.all_lines, *story.beside, seen, *(cell for row in FIGURES for cell in row),
    ]  # fmt: skip


def in_rtf(text: str) -> str:
    return "".join(one if ord(one) < 128 else f"\\u{ord(one)}?" for one in text)


def rtf(story: Story) -> Made:
    lines = "\\par\n".join(map(in_rtf, story.all_lines))
    return f"{{\\rtf1\\ansi\\ansicpg1258{{\\fonttbl{{\\f0 Times;}}}}{lines}\\par\n}}".encode("ascii"), story.all_lines


def cells_of(story: Story) -> list[list[str]]:
    rows = [["1", "Bản Pom", "96", "mười"], ["2", "Bản Nà Lếch", "12", "chín"]]
    return [[story.title], story.beside, ["STT", "Địa bàn", "Tổng số tổ ong", "Mật (tấn)"], *rows]


def xlsx(story: Story) -> Made:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Sổ ong"
    for row in cells_of(story):
        sheet.append(row)
    sheet["A3"].comment = Comment("Nhận xét bên ô", "Vàng")
    chart = BarChart()
    chart.title = "Tên biểu đồ"
    sheet.add_chart(chart, "H2")
    found = io.BytesIO()
    book.save(found)
    return found.getvalue(), [*cells_text(story), "Nhận xét bên ô Tên biểu đồ"]


def cells_text(story: Story) -> list[str]:
    return ["Sổ ong", *(cell for row in cells_of(story) for cell in row)]


def ods(story: Story) -> Made:
    def row(cells: Sequence[str]) -> str:
        texts = "".join(
            f'<table:table-cell office:value-type="string"><text:p>{html.escape(cell)}</text:p></table:table-cell>'
            for cell in cells
        )
        return f"<table:table-row>{texts}</table:table-row>"

    names = " ".join(f'xmlns:{name}="{SPACE}:{name}:1.0"' for name in ("office", "text", "table"))
    content = (
        f"<office:document-content {names}><office:body><office:spreadsheet><table:table table:name='Sổ ong'>"
        f"{''.join(map(row, cells_of(story)))}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return folder.packed({"mimetype": kind, "META-INF/manifest.xml": "<m/>", "content.xml": content}), cells_text(story)


def pptx(story: Story) -> Made:
    drawing, chart = (f"http://schemas.openxmlformats.org/drawingml/2006/{name}" for name in ("main", "chart"))

    def slide(lines: Sequence[str], rest: str = "") -> str:
        texts = "".join(f"<a:p><a:r><a:t>{html.escape(line)}</a:t></a:r></a:p>" for line in lines)
        return f'<p:sld xmlns:p="p" xmlns:a="{drawing}" xmlns:c="{chart}">{texts}{rest}</p:sld>'

    values = "<c:ser><c:tx><c:v>Dầu sả</c:v></c:tx><c:cat><c:v>2020</c:v></c:cat><c:val><c:v>35</c:v></c:val></c:ser>"
    targets = "<r><Relationship Target='../charts/chart1.xml'/><Relationship Target='../diagrams/data1.xml'/></r>"
    parts = {
        "ppt/presentation.xml": "<p/>",
        "ppt/slides/slide1.xml": slide(story.all_lines, "<a:p><a:fld type='slidenum'><a:t>1</a:t></a:fld></a:p>"),
        "ppt/slides/_rels/slide1.xml.rels": targets,
        "ppt/charts/chart1.xml": slide(["Tên biểu đồ"], values),
        "ppt/diagrams/data1.xml": slide(["Ô sơ đồ"]),
        "ppt/notesSlides/notesSlide1.xml": slide(story.beside),
    }
    return folder.packed(dict(parts)), [*story.all_lines, *story.beside, "Tên biểu đồ Dầu sả 2020 35 Ô sơ đồ 1"]


def epub(story: Story) -> Made:
    title, *lines = map(html.escape, story.all_lines)
    chapter = "<h1>Phần một</h1>Chữ ngoài đoạn" + "".join(f"<p>{line}</p>" for line in lines)
    menu = "<nav><ol>" + "".join(f"<li>{html.escape(line)}</li>" for line in story.beside) + "</ol></nav>"
    package = (
        '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
        f"<dc:title>{title}</dc:title></metadata><manifest><item id='c' href='c.xhtml'/><item id='n' href='n.xhtml'/>"
        "<item id='d' href='d.xhtml'/></manifest><spine><itemref idref='d'/><itemref idref='c'/></spine></package>"
    )
    book = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>',
        "a.opf": package,
        "c.xhtml": f"<html><body><div>{chapter}</div></body></html>",
        "d.xhtml": f"<html><body>{menu}</body></html>",
        "n.xhtml": "<html><body><p>Phụ trang</p></body></html>",
    }
    return folder.packed(dict(book)), [*story.all_lines, *story.beside, "Phần một Chữ ngoài đoạn Phụ trang"]


def archive(story: Story) -> Made:
    (text, lines), (page, texts) = plain(story), page_of(story)
    return folder.packed({"a/b.txt": text, "c.html": page}), [*lines, *texts]


FORMATS: dict[str, Callable[[Story], Made]] = {
    "txt": plain, "md": markdown, "html": page_of, "mhtml": mhtml, "jsonl": json_lines, "json": json_file,
    "csv": table_of(","), "tsv": table_of("\t"), "pdf": pdf, "docx": docx, "odt": odt, "rtf": rtf, "pptx": pptx, "epub": epub,
    "zip": archive, "eml": eml, "htm": window_page,
}  # fmt: skip
SHEETS: dict[str, Callable[[Story], Made]] = {"xlsx": xlsx, "ods": ods}
GIVEN = Metadata(title="Tên do người dùng đặt", date=date(2020, 1, 9), source="Kho", author="Vàng A Sử", place="Hà Giang")


def words(texts: Sequence[str]) -> Counter[str]:
    """Return the runs of letters and digits of texts; zeros before a number are none."""
    return Counter(word.lstrip("0") or "0" for text in texts for word in re.findall(r"[^\W_]+", nfc(text).lower()))


def shown(article: Article) -> list[str]:
    """Return all texts that `show --dropped` gives."""
    known = (article.source, article.author, article.place, article.number, article.url, article.id)
    days = (article.date, article.crawled)
    pieces = [piece.text for piece in article.dropped]
    return [article.title, article.body, *pieces, *filter(None, known), *(day.isoformat() for day in days if day)]


def lost(kind: str, story: Story, metadata: Metadata) -> Counter[str]:
    """Return the words of a file that neither its articles nor their dropped pieces have."""
    data, texts = FORMATS.get(kind, SHEETS.get(kind, plain))(story)
    found = list(read_articles(reader_of(data, f"tin.{kind}"), data, f"tin.{kind}", metadata))
    assert not [one for one in found if isinstance(one, Rejected)]
    return words(texts) - words([text for one in found if isinstance(one, Article) for text in shown(one)])


@pytest.mark.parametrize("metadata", [Metadata(), GIVEN], ids=["own", "given"])
@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=10)
@given(story=STORIES)
def test_no_visible_word_is_lost(kind: str, metadata: Metadata, story: Story) -> None:
    assert not lost(kind, story, metadata)


@pytest.mark.parametrize("kind", ["html", "csv", "jsonl", "odt", "md", "epub"])
def test_the_law_sees_what_is_only_among_the_dropped(kind: str) -> None:
    data, texts = FORMATS[kind](Story("Vườn sả bên suối", list(PROSE), ["Trang chủ"]))
    [article] = read_articles(reader_of(data, f"tin.{kind}"), data, f"tin.{kind}", Metadata())
    assert isinstance(article, Article)
    assert words(texts) - words([article.title, article.body])
    assert not words(texts) - words(shown(article))


@pytest.mark.parametrize("metadata", [Metadata(), GIVEN], ids=["own", "given"])
@pytest.mark.parametrize("kind", SHEETS)
@settings(max_examples=3)
@given(story=STORIES)
def test_no_word_of_a_sheet_is_lost(kind: str, metadata: Metadata, story: Story) -> None:
    assert not lost(kind, story, metadata)


TITLE = folder.TITLE.format(n=3)


@pytest.mark.parametrize("kind", [kind for kind in GOOD if kind != "zip"])
@pytest.mark.parametrize(
    ("title", "first"),
    [
        ("Tên do người dùng đặt", [TITLE]),
        (TITLE, []),
        (f"{TITLE.upper()}!", []),
        ("Xuong may so 3 o Phu Vang mo lop dan gio", [TITLE]),
    ],
)
def test_the_title_of_the_file_goes_unless_it_is_the_one_told(kind: str, title: str, first: list[str]) -> None:
    data = GOOD[kind](3)
    reader = reader_of(data, f"tin.{kind}")
    [article] = read_articles(reader, data, f"tin.{kind}", Metadata(title=title))
    assert isinstance(article, Article)
    assert article.title == title
    assert [line for line in article.body.split("\n") if line == TITLE] == first
    assert article.body.startswith("".join(first))


def test_the_pages_follow_the_line_that_comes_back() -> None:
    parsed = ParsedDocument("trang một\ntrang hai", Metadata(), pages=(0, 10)).beginning_with("Tiêu đề")
    assert parsed.body == "Tiêu đề\ntrang một\ntrang hai"
    assert [parsed.body[offset:].split("\n")[0] for offset in parsed.pages] == ["Tiêu đề", "trang hai"]
    assert ParsedDocument("", Metadata()).beginning_with("Tiêu đề").body == "Tiêu đề"


def pieces(data: bytes, name: str) -> list[tuple[str, str]]:
    """Return the dropped pieces of the only article of a file, each with the code of its reason."""
    [article] = read_articles(reader_of(data, name), data, name, Metadata())
    assert isinstance(article, Article)
    return [(piece.text, piece.reason.code) for piece in article.dropped]


def test_a_field_that_is_not_known_is_dropped_under_its_name() -> None:
    row = {"id": "1", "title": "Tổ ong", "text": "Mật.", "source": "Báo Suối", "tags": ["ong"], "date": "2021-03-05 07:10"}
    [article] = read_articles(reader_of(b"{}", "a.jsonl"), json.dumps(row).encode(), "a.jsonl", Metadata(source="Kho"))
    assert isinstance(article, Article)
    found = [(piece.text, piece.reason.code, dict(piece.reason.fields).get("field")) for piece in article.dropped]
    assert found == [
        ('["ong"]', "dropped.field", "tags"),
        ("2021-03-05 07:10", "dropped.field", "date"),
        ("Báo Suối", "dropped.overridden", None),
    ]


def test_a_column_that_is_not_known_is_dropped_under_its_name() -> None:
    data = "tiêu đề,nội dung,Thẻ,ngày\nTổ ong,Mật.,ong,5/3/2021\n".encode()
    assert pieces(data, "a.csv") == [("ong", "dropped.field")]


def test_controls_of_a_page_are_dropped() -> None:
    data = page_of(Story("Vườn sả bên suối", list(PROSE), []))[0]
    controls = [text for text, code in pieces(data, "a.html") if code == "dropped.control"]
    assert controls == ["Tìm bài", "Gửi đi", "Chọn năm"]


def test_the_subject_of_a_letter_is_shown_with_its_mark() -> None:
    lines = ["LIÊN MINH HTX", "Số: 31/CV-HTX", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "V/v chia mật", "Kính gửi: Các tổ"]
    assert pieces("\n".join(lines).encode(), "a.txt") == [("V/v", "dropped.rule")]


def test_an_item_of_a_numbered_list_keeps_its_number() -> None:
    data = "# Tổ ong\n\n3. mua thùng\n4. chia mật\n".encode()
    [article] = read_articles(reader_of(data, "a.md"), data, "a.md", Metadata())
    assert isinstance(article, Article)
    assert article.body == "3. mua thùng\n4. chia mật"


@pytest.mark.parametrize("kind", ["html", "mhtml"])
def test_a_short_title_in_the_head_of_a_page_is_shown_though_no_heading_repeats_it(kind: str) -> None:
    title, page = "Kế hoạch riêng", f"<body>{''.join(f'<p>{line}</p>' for line in PROSE)}</body>"
    data = f"<html><head><meta charset=utf-8><title>{title}</title></head>{page}</html>".encode()
    if kind == "mhtml":
        whole = EmailMessage()
        whole["From"], whole["MIME-Version"] = "<Saved by a browser>", "1.0"
        whole.make_related()
        part = EmailMessage()
        part.set_content(data.decode(), subtype="html", cte="base64")
        whole.attach(part)
        data = whole.as_bytes()
    for given_title in (None, "Tên do người dùng đặt"):
        [article] = read_articles(reader_of(data, f"a.{kind}"), data, f"a.{kind}", Metadata(title=given_title))
        assert isinstance(article, Article)
        assert [piece.text for piece in article.dropped if piece.reason.code == "dropped.page-title"] == [title]


def test_a_title_in_the_head_is_not_shown_again_if_it_stands_on_the_page() -> None:
    page = f"<h1>Vườn sả bên suối</h1>{''.join(f'<p>{line}</p>' for line in PROSE)}<p>Báo Bản Pom</p>"
    head = "<meta charset=utf-8><title>Vườn Sả bên suối | Báo bản Pom</title>"
    found = pieces(f"<html><head>{head}</head><body>{page}</body></html>".encode(), "a.html")
    assert "dropped.page-title" not in [code for _, code in found]


def test_a_damaged_drawing_of_a_workbook_is_named() -> None:
    data = xlsx(Story("Vườn sả bên suối", [], ["ong"]))[0]
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        members: dict[str, bytes | str] = {name: book.read(name) for name in book.namelist()}
    found = pieces(folder.packed({**members, "xl/drawings/drawing1.xml": "<a"}), "a.xlsx")
    assert ("xl/drawings/drawing1.xml", "file.xml-damaged") in found
    assert ("Nhận xét bên ô", "dropped.margin-comments") in found


def test_page_heads_and_comments_have_one_reason_in_all_formats_and_each_text_once() -> None:
    data = odt(Story("Vườn sả bên suối", list(PROSE), ["ong"]))[0]
    with zipfile.ZipFile(io.BytesIO(data)) as text:
        members: dict[str, bytes | str] = {name: text.read(name) for name in text.namelist()}
    head, foot = "<t:p>Sổ tay  ong</t:p>", "<t:p>Trang 1</t:p>"
    heads = f"<s:header>{head}</s:header><s:header-left>{head}</s:header-left><s:footer>{foot}</s:footer>"
    members["styles.xml"] = f"<o:document-styles {NAMES}>{heads}</o:document-styles>"
    assert pieces(folder.packed(members), "a.odt") == [
        ("Sổ tay ong", "dropped.page-margins"),
        ("Trang 1", "dropped.page-margins"),
        ("Nhận xét bên lề", "dropped.margin-comments"),
    ]
