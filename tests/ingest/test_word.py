"""Word and OpenDocument: text boxes, footnotes and endnotes are text, too."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from htxsearch import Article
from htxsearch.facts.extract import extract_facts
from htxsearch.ingest.article import Rejected
from htxsearch.ingest.corpus import SourceFile, articles_of
from ingest.folder import ODT, docx_of, packed

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def paragraph(text: str, rest: str = "") -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r>{rest}</w:p>"


def article_of(tmp_path: Path, name: str, data: bytes) -> Article:
    file = tmp_path / name
    file.write_bytes(data)
    [article] = articles_of(SourceFile(file, name))
    assert isinstance(article, Article), article
    return article


def with_parts(data: bytes, parts: dict[str, str]) -> bytes:
    """Return a Word document with more parts, or other ones."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members: dict[str, bytes | str] = {name: archive.read(name) for name in archive.namelist()}
    return packed({**members, **parts})


def with_notes(data: bytes, kind: str, notes: str) -> bytes:
    """Return a Word document with a part of footnotes or endnotes."""
    return with_parts(data, {f"word/{kind}.xml": f'<w:{kind} xmlns:w="{WORD}">{notes}</w:{kind}>'})


def run(text: str, font: str = "", *, more: str = "") -> str:
    fonts = f'<w:rFonts w:ascii="{font}" w:hAnsi="{font}"/>' if font else ""
    return f'<w:r><w:rPr>{more}{fonts}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def styles(*given: str, usual: str = "") -> dict[str, str]:
    """Return the part of styles of a document; `usual` is the font of text without one."""
    fonts = f'<w:rFonts w:ascii="{usual}" w:hAnsi="{usual}"/>' if usual else ""
    defaults = f"<w:docDefaults><w:rPrDefault><w:rPr>{fonts}</w:rPr></w:rPrDefault></w:docDefaults>"
    return {"word/styles.xml": f'<w:styles xmlns:w="{WORD}">{defaults}{"".join(given)}</w:styles>'}


def style(name: str, font: str = "", *, based: str = "", kind: str = "paragraph") -> str:
    fonts = f'<w:rPr><w:rFonts w:ascii="{font}" w:hAnsi="{font}"/></w:rPr>' if font else ""
    below = f'<w:basedOn w:val="{based}"/>' if based else ""
    return f'<w:style w:type="{kind}" w:styleId="{name}"><w:name w:val="{name}"/>{below}{fonts}</w:style>'


def body_of(tmp_path: Path, paragraphs: str, parts: dict[str, str] | None = None) -> str:
    return article_of(tmp_path, "ong.docx", with_parts(docx_of(paragraph("Tổ nuôi ong") + paragraphs), parts or {})).body


BOX = (
    '<w:r><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
    "<mc:Choice><w:drawing><w:txbxContent>{0}</w:txbxContent></w:drawing></mc:Choice>"
    "<mc:Fallback><w:pict><w:txbxContent>{0}</w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
)


def test_a_text_box_is_read_once_behind_its_paragraph(tmp_path: Path) -> None:
    box = BOX.format(paragraph("Bà Lường Thị Pem giữ sổ của tổ."))
    body = paragraph("Tổ nuôi ong") + paragraph("Tổ có mười hộ.", box) + paragraph("Mật bán ở chợ.")
    article = article_of(tmp_path, "ong.docx", docx_of(body))
    assert article.title == "Tổ nuôi ong"
    assert article.body.split("\n") == ["Tổ có mười hộ.", "Bà Lường Thị Pem giữ sổ của tổ.", "Mật bán ở chợ."]


def test_a_text_box_in_a_table_is_read(tmp_path: Path) -> None:
    cell = paragraph("Ô", BOX.format(paragraph("Hộp trong ô")))
    table = f"<w:tbl><w:tr><w:tc>{cell}</w:tc></w:tr></w:tbl>"
    body = article_of(tmp_path, "ong.docx", docx_of(paragraph("Tổ nuôi ong") + table)).body
    assert body.count("Hộp trong ô") == 1


@pytest.mark.parametrize("kind", ["footnotes", "endnotes"])
def test_notes_stand_at_the_end(tmp_path: Path, kind: str) -> None:
    one = kind.removesuffix("s")
    notes = (
        f'<w:{one} w:type="separator" w:id="0">{paragraph("---")}</w:{one}>'
        f'<w:{one} w:id="2">{paragraph("Theo sổ của bản.")}{paragraph("Chưa tính mùa đông.")}</w:{one}>'
    )
    data = with_notes(docx_of(paragraph("Tổ nuôi ong") + paragraph("Tổ có mười hộ.")), kind, notes)
    assert article_of(tmp_path, "ong.docx", data).body.split("\n") == ["Tổ có mười hộ.", "Theo sổ của bản. Chưa tính mùa đông."]


def test_notes_of_an_open_document_are_read(tmp_path: Path) -> None:
    space = "urn:oasis:names:tc:opendocument:xmlns"
    note = "<t:note><t:note-citation>1</t:note-citation><t:note-body><t:p>Theo sổ của bản.</t:p></t:note-body></t:note>"
    content = (
        f'<o:document-content xmlns:o="{space}:office:1.0" xmlns:t="{space}:text:1.0"><o:body><o:text>'
        f"<t:h>Tổ nuôi ong</t:h><t:p>Tổ có mười hộ{note}.</t:p></o:text></o:body></o:document-content>"
    )
    data = packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})
    assert article_of(tmp_path, "ong.odt", data).body.split("\n") == ["Tổ có mười hộ.", "Theo sổ của bản."]


# Old fonts


def test_runs_are_decoded_by_their_fonts_and_others_stay(tmp_path: Path) -> None:
    runs = run("Hîp t", ".VnTime") + run("¸c x·", ".VnTime", more="<w:b/>") + run(" ở bản ", "Times New Roman")
    runs += run("m\xadêng", ".VnArialH") + run(" Hôï", "VNI-Times") + run("p taùc", "VNI-Times")
    assert body_of(tmp_path, f"<w:p>{runs}</w:p>") == "Hợp tác xã ở bản MƯỜNG Hợp tác"


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ('<w:p><w:pPr><w:pStyle w:val="Con"/></w:pPr>{0}</w:p>', styles(style("Con", based="Cha"), style("Cha", ".VnTime"))),
        ("<w:p>{0}</w:p>", styles(usual=".VnTime")),
        ('<w:p><w:pPr><w:pStyle w:val="Con"/></w:pPr>{0}</w:p>', styles(style("Con", based="Con"), usual=".VnTime")),
    ],
)
def test_a_run_takes_the_font_of_its_style_or_of_the_document(tmp_path: Path, given: str, part: dict[str, str]) -> None:
    assert body_of(tmp_path, given.format("<w:r><w:t>Cã m\xadêi hé</w:t></w:r>"), part) == "Có mười hộ"


def test_the_style_of_a_run_comes_before_that_of_its_paragraph(tmp_path: Path) -> None:
    part = styles(style("Cu", ".VnTime"), style("Moi", "Arial", kind="character"))
    runs = run("Cã", more='<w:rStyle w:val="Moi"/>') + run(" hé")
    assert body_of(tmp_path, f'<w:p><w:pPr><w:pStyle w:val="Cu"/></w:pPr>{runs}</w:p>', part) == "Cã hộ"


def test_a_font_of_the_theme_is_none_of_the_old(tmp_path: Path) -> None:
    theme = '<w:r><w:rPr><w:rFonts w:ascii=".VnTime" w:hAnsiTheme="minorHAnsi"/></w:rPr><w:t>là cà</w:t></w:r>'
    assert body_of(tmp_path, f"<w:p>{theme}</w:p>", styles(usual=".VnTime")) == "là cà"


def test_symbols_of_an_old_font_are_its_letters(tmp_path: Path) -> None:
    sign = '<w:r><w:sym w:font=".VnTime" w:char="F0AE"/></w:r>'
    letters = run("\uf0b8i", ".VnTime")
    assert body_of(tmp_path, f"<w:p>{sign}{letters}</w:p>") == "đái"


def test_rich_text_is_decoded_by_its_fonts(tmp_path: Path) -> None:
    table = r"{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset163{\*\panose 02}.VnTime;}{\f2\fcharset0 VNI-Times;}}"
    old = r"{\f1 H\'eep t\'b8c} l\u224?, {\f2 H\'f4\'efp taùc}\f1  x\'b7\plain  \u7843?nh".replace("ù", r"\'f9")
    data = rf"{{\rtf1\ansi\deff0{table}\f0 T\u7893? ong\par {old}\par}}".encode("ascii")
    assert article_of(tmp_path, "ong.rtf", data).body == "Hợp tác là, Hợp tác xã ảnh"


@pytest.mark.parametrize(
    ("text", "body"),
    [
        (r"{\f2 c}{\f1 \'e9ng ho\'b5 x\'b7}", "Cộng hoà xã"),
        (r"abc\f0 def\f1 ghi\plain jkl", "abcdefghijkl"),
        (r"abc\f1\b  ghi\b0\f0  jkl", "abc ghi jkl"),
        (r"abc\f1 {\f0 {\f1 ghi} }jkl", "abcghi jkl"),
    ],
)
def test_a_change_of_the_font_within_a_word_does_not_divide_it(tmp_path: Path, text: str, body: str) -> None:
    table = r"{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset0 .VnTime;}{\f2\fcharset0 .VnTimeH;}}"
    data = rf"{{\rtf1\ansi\deff0{table}\f0 To ong\par {text}\par}}".encode("ascii")
    assert article_of(tmp_path, "ong.rtf", data).body == body


def test_a_table_of_fonts_that_does_not_end_hides_no_text_and_takes_no_time(tmp_path: Path) -> None:
    fonts = r"\f1\fcharset0 a" * 20_000
    for data in (rf"{{\rtf1 To ong{{\fonttbl {fonts}", rf"{{\rtf1 To ong{{\footnote {{\fonttbl {fonts}}}}}}}"):
        assert article_of(tmp_path, "ong.rtf", data.encode()).title.startswith("To ong")


# What is dropped


def test_headers_comments_and_deleted_text_are_dropped_with_a_reason(tmp_path: Path) -> None:
    def cut(text: str) -> str:
        return f"<w:del><w:r><w:delText>{text}</w:delText></w:r></w:del>"

    deleted = f"{cut('chín')}<w:ins><w:r><w:t>mười hộ</w:t></w:r></w:ins>"
    comment = '<w:comment w:id="{0}" w:author="A">{1}</w:comment>'
    comments = comment.format(1, paragraph("Xem lại") + paragraph("số hộ")) + comment.format(2, paragraph("Hỏi bà Pem"))
    comments += comment.format(3, paragraph("Hỏi bà Pem", cut("Nhờ")))
    notes = f'<w:footnote w:id="1">{paragraph("Theo sổ.", cut("Không rõ."))}</w:footnote>'
    parts = {
        "word/footnotes.xml": f'<w:footnotes xmlns:w="{WORD}">{notes}</w:footnotes>',
        "word/header1.xml": f'<w:hdr xmlns:w="{WORD}">{paragraph("Sổ tay ong", cut("Bản nháp"))}</w:hdr>',
        "word/footer1.xml": f'<w:ftr xmlns:w="{WORD}">{paragraph("Trang 1")}</w:ftr>',
        "word/header2.xml": f'<w:hdr xmlns:w="{WORD}">{paragraph("Sổ tay ong")}</w:hdr>',
        "word/comments.xml": f'<w:comments xmlns:w="{WORD}">{comments}</w:comments>',
    }
    data = with_parts(docx_of(paragraph("Tổ nuôi ong") + f"<w:p>{run('Có ')}{deleted}</w:p>"), parts)
    found = article_of(tmp_path, "ong.docx", data)
    assert found.body == "Có mười hộ\nTheo sổ."
    assert sorted((one.text, one.reason.code) for one in found.dropped) == [
        ("Bản nháp", "dropped.deleted"),
        ("Hỏi bà Pem", "dropped.margin-comments"),
        ("Không rõ.", "dropped.deleted"),
        ("Nhờ", "dropped.deleted"),
        ("Sổ tay ong", "dropped.page-margins"),
        ("Trang 1", "dropped.page-margins"),
        ("Xem lại số hộ", "dropped.margin-comments"),
        ("chín", "dropped.deleted"),
    ]
    assert {str(one.reason) for one in found.dropped if "comment" in one.reason.code} == {"a comment in the margin"}


def test_notes_headers_and_comments_of_rich_text_are_not_lost(tmp_path: Path) -> None:
    note = r"{\footnote \pard {\chftn} Theo so.}"
    data = (
        r"{\rtf1\ansi{\fonttbl{\f0\fcharset0 Arial;}}{\header Dau trang\par}To ong\par Co muoi ho"
        + note
        + r"{\*\annotation Xem lai} nuoi.\par \trowd Xa\cell Ho\cell\row {\shp{\*\shpinst{\shptxt Hop chu\par}}}}"
    )
    found = article_of(tmp_path, "ong.rtf", data.encode("ascii"))
    assert found.body.split("\n") == ["Co muoi ho nuoi.", "Xa | Ho", "Theo so.", "Hop chu"]
    assert [(one.text, one.reason.code) for one in found.dropped] == [
        ("Dau trang", "dropped.page-margins"),
        ("Xem lai", "dropped.margin-comments"),
    ]


def test_the_text_of_a_diagram_stands_where_its_drawing_is(tmp_path: Path) -> None:
    diagram = "http://schemas.openxmlformats.org/drawingml/2006/diagram"
    drawing = "http://schemas.openxmlformats.org/drawingml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    point = f'<a:p xmlns:a="{drawing}"><a:r><a:t>{{0}}</a:t></a:r></a:p>'
    points = "".join(f"<d:pt><d:t>{point.format(text)}</d:t></d:pt>" for text in ("Nuôi", "Lấy mật"))
    place = f'<w:r><w:drawing><d:relIds xmlns:d="{diagram}" xmlns:r="{office}" r:dm="rId90"/></w:drawing></w:r>'
    with zipfile.ZipFile(io.BytesIO(docx_of(""))) as archive:
        relations = archive.read("word/_rels/document.xml.rels").decode()
        types = archive.read("[Content_Types].xml").decode()
    link = f'<Relationship Id="rId90" Type="{office}/diagramData" Target="diagrams/data1.xml"/></Relationships>'
    parts = {
        "word/_rels/document.xml.rels": relations.replace("</Relationships>", link),
        "[Content_Types].xml": types.replace("</Types>", '<Default Extension="dat" ContentType="x/y"/></Types>'),
        "word/diagrams/data1.xml": f'<d:dataModel xmlns:d="{diagram}"><d:ptLst>{points}</d:ptLst></d:dataModel>',
    }
    body = body_of(tmp_path, paragraph("Các bước:", place) + paragraph("Hết."), parts)
    assert body.split("\n") == ["Các bước:", "Nuôi", "Lấy mật", "Hết."]


def test_formulas_and_hyphens_that_do_not_break_are_text(tmp_path: Path) -> None:
    math = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    formula = f"<m:oMath {math}><m:r><m:t>a+b</m:t></m:r></m:oMath>"
    assert body_of(tmp_path, f"<w:p><w:r><w:t>25</w:t><w:noBreakHyphen/><w:t>kg </w:t></w:r>{formula}</w:p>") == "25-kg a+b"


def test_every_visible_letter_of_a_document_is_kept_or_dropped_with_a_reason(tmp_path: Path) -> None:
    cells = [paragraph("Ô1"), paragraph("Ô2", BOX.format(paragraph("Hộp3")))]
    table = f"<w:tbl><w:tr>{''.join(f'<w:tc>{cell}</w:tc>' for cell in cells)}</w:tr></w:tbl>"
    link = f'<w:hyperlink>{run("Nối4")}</w:hyperlink><w:fldSimple w:instr="x">{run("Kết5")}</w:fldSimple>'
    shown = paragraph("Đầu0") + f"<w:p>{link}</w:p>{table}" + paragraph("Thân6", BOX.format(paragraph("Hộp7")))
    parts = {
        f"word/{name}.xml": f'<w:x xmlns:w="{WORD}"><w:{kind}>{paragraph(text)}</w:{kind}></w:x>'
        for name, kind, text in (
            ("header3", "y", "Đầu8"), ("footer1", "y", "Chân9"), ("footnotes", "footnote", "Chú10"),
            ("endnotes", "endnote", "Cuối11"), ("comments", "comment", "Lời12"),
        )
    }  # fmt: skip
    found = article_of(tmp_path, "ong.docx", with_parts(docx_of(shown), parts))
    seen = "\n".join([found.title, found.body, *(one.text for one in found.dropped)]).replace("|", " ").split()
    assert sorted(seen) == sorted("Đầu0 Nối4Kết5 Ô1 Ô2 Hộp3 Thân6 Hộp7 Đầu8 Chân9 Chú10 Cuối11 Lời12".split())


def test_the_number_of_a_list_item_as_rtf_writes_it_is_text(tmp_path: Path) -> None:
    data = rb"{\rtf1\ansi Quy uoc cua to\par{\pntext\f0 7.\tab}Gop mat ong\par{\*\pntext 8.\tab}Chia lai\par}"
    body = article_of(tmp_path, "ong.rtf", data).body
    assert [line.split() for line in body.splitlines()] == [["7.", "Gop", "mat", "ong"], ["8.", "Chia", "lai"]]


@pytest.mark.parametrize("character", [b"99999999999", b"-99999999999"])
def test_a_character_of_rtf_that_no_text_has_is_damage(tmp_path: Path, character: bytes) -> None:
    file = tmp_path / "ong.rtf"
    file.write_bytes(rb"{\rtf1\ansi Gop mat \u" + character + rb" ong\par}")
    [found] = articles_of(SourceFile(file, file.name))
    assert isinstance(found, Rejected)
    assert found.reason.code == "file.rtf-damaged"


FIGURES = [
    ["TT", "Lĩnh vực", "Số HTX", "Thành viên", "Doanh thu 2023 (triệu đồng)"],
    ["1", "Nông nghiệp", "312", "12.300", "1.980"],
    ["2", "Vận tải", "21", "640", ""],
    ["", "Chia theo vùng", "", "", ""],
    ["3", "Xây dựng", "9", "88", "35,5"],
]
FORM = [["Họ và tên", "Lò Thị Ón"], ["Năm sinh", "1970"], ["Điện thoại", "0912345678"]]
WORDS = [["Tổ", "Trưởng", "Nơi"], ["Tổ Pom", "Lò Thị Ón", "bản Pom"], ["Tổ Lếch", "Vàng A Sử", "96"], ["Tổ Nà", "Sùng A", "Nà"]]


def word_table(rows: list[list[str]]) -> bytes:
    cells = ["".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows]
    table = f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"
    return docx_of(paragraph("Tổ nuôi ong") + table + paragraph("Hết."))


def open_table(rows: list[list[str]]) -> bytes:
    cells = ["".join(f"<b:table-cell><t:p>{cell}</t:p></b:table-cell>" for cell in row) for row in rows]
    first, *rest = (f"<b:table-row>{row}</b:table-row>" for row in cells)
    table = f"<b:table><b:table-header-rows>{first}</b:table-header-rows>{''.join(rest)}</b:table>"
    space = "urn:oasis:names:tc:opendocument:xmlns"
    names = f'xmlns:o="{space}:office:1.0" xmlns:t="{space}:text:1.0" xmlns:b="{space}:table:1.0"'
    text = f"<o:body><o:text><t:p>Tổ nuôi ong</t:p>{table}<t:p>Hết.</t:p></o:text></o:body>"
    return packed({"mimetype": ODT, "content.xml": f"<o:document-content {names}>{text}</o:document-content>"})


TABLES = pytest.mark.parametrize(("name", "made"), [("bang.docx", word_table), ("bang.odt", open_table)])


@TABLES
def test_a_row_of_a_table_of_figures_reads_as_a_sentence(
    tmp_path: Path, name: str, made: Callable[[list[list[str]]], bytes]
) -> None:
    article = article_of(tmp_path, name, made(FIGURES))
    assert article.body.split("\n") == [
        "TT | Lĩnh vực | Số HTX | Thành viên | Doanh thu 2023 (triệu đồng)",
        "1. Nông nghiệp: 312 HTX; 12.300 thành viên",
        "Nông nghiệp, năm 2023: doanh thu 1.980 triệu đồng",
        "2. Vận tải: 21 HTX; 640 thành viên",
        "Chia theo vùng",
        "3. Xây dựng: 9 HTX; 88 thành viên",
        "Xây dựng, năm 2023: doanh thu 35,5 triệu đồng",
        "Hết.",
    ]
    facts = {(fact.low, fact.unit, fact.as_of) for fact in extract_facts(article.title, article.body)}
    assert {(312, "HTX", None), (12300, "thành viên", None), (1.98e9, "đồng", "2023")} <= facts


@TABLES
@pytest.mark.parametrize("rows", [FORM, WORDS, FIGURES[:1]])
def test_another_table_reads_as_its_cells(
    tmp_path: Path, name: str, made: Callable[[list[list[str]]], bytes], rows: list[list[str]]
) -> None:
    article = article_of(tmp_path, name, made(rows))
    assert article.body.split("\n") == [*(" | ".join(row) for row in rows), "Hết."]


def test_a_cell_over_several_columns_names_its_group(tmp_path: Path) -> None:
    def cell(text: str, columns: int = 1) -> str:
        return f'<w:tc><w:tcPr><w:gridSpan w:val="{columns}"/></w:tcPr>{paragraph(text)}</w:tc>'

    rows = [
        cell("Huyện") + cell("Năm 2023", 2) + cell("Năm 2024", 2),
        "".join(map(cell, ("", "Số HTX", "Thành viên", "Số HTX", "Thành viên"))),
        "".join(map(cell, ("Sìn Hồ", "19", "96", "21", "104"))),
    ]
    table = f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"
    assert body_of(tmp_path, table).split("\n") == [
        "Huyện | Năm 2023 | Năm 2024",
        "Số HTX | Thành viên | Số HTX | Thành viên",
        "huyện Sìn Hồ, năm 2023: 19 HTX; 96 thành viên",
        "huyện Sìn Hồ, năm 2024: 21 HTX; 104 thành viên",
    ]
