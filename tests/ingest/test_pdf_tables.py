"""Tables of PDF pages, read by where their words and rules are."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from htxsearch import Article
from htxsearch.facts.extract import extract_facts
from htxsearch.ingest.corpus import SourceFile, articles_of
from htxsearch.ingest.readers.pdf_tables import Whole, with_tables
from htxsearch.ingest.readers.pdf_words import Rule, Word
from ingest.folder import pdf_of

LEFT = (40, 80, 240, 310, 400, 540)
"""The rules between columns; the text of a cell begins four points behind one."""
NAMES = ["STT", "Đơn vị", "Số tổ", "Thành viên", "Doanh thu (triệu đồng)"]
ROWS = [
    ["1", "Bản Nà Lếch ở đầu|nguồn suối Bẻ", "12", "240", "4.520"],
    ["2", "Bản Phố", "7", "160", "2.100"],
    ["3", "Bản Mận và|Xóm Ngoài", "15", "310", "6.300"],
]
READ = [
    "1. Bản Nà Lếch ở đầu nguồn suối Bẻ: 12 tổ; 240 thành viên; doanh thu 4.520 triệu đồng",
    "2. Bản Phố: 7 tổ; 160 thành viên; doanh thu 2.100 triệu đồng",
    "3. Bản Mận và Xóm Ngoài: 15 tổ; 310 thành viên; doanh thu 6.300 triệu đồng",
]


def placed(text: str, left: float, foot: float) -> str:
    """Return what draws a text at a place."""
    return f"1 0 0 1 {left} {foot} Tm <{text.encode('utf-16-be').hex()}> Tj "


def drawn(rows: Iterable[Sequence[str]], *, at: str = "top", padding: float = 8, top: float = 700, ruled: bool = True) -> str:
    """Return what draws a table; `|` parts the lines of a cell, and `at` is where the cells of one line stand beside others."""
    words, sides = "", [top]
    for row in rows:
        most = max(cell.count("|") for cell in row)
        for left, cell in zip(LEFT, row, strict=False):
            lines = cell.split("|")
            lowered = {"top": 0.0, "middle": 0.5, "bottom": 1.0}[at] * (most - len(lines) + 1) * 13
            for number, line in enumerate(lines):
                words += placed(line, left + 4, sides[-1] - padding / 2 - 11 - lowered - 13 * number) if line else ""
        sides.append(sides[-1] - 13 * (most + 1) - padding)
    if not ruled:
        return words
    edges = "".join(f"{LEFT[0]} {side} {LEFT[-1] - LEFT[0]} 0.5 re f " for side in sides)
    edges += "".join(
        f"{left} {below} m {left} {above} l S " for left in LEFT for above, below in pairwise(sides)
    )  # a rule for each cell
    return f"{words} ET {edges} BT /F 11 Tf "


def article_of(folder: Path, *pages: str) -> Article:
    """Return the article of a PDF of drawn pages."""
    file = folder / "bang.pdf"
    file.write_bytes(pdf_of(pages))
    [article] = articles_of(SourceFile(file, file.name))
    assert isinstance(article, Article), article
    return article


ABOVE = placed("Nghề ong ở các bản", 40, 760) + placed("Số liệu của các bản như sau:", 40, 720)
BELOW = placed("Trên đây là số liệu của tổ.", 40, 480)


@pytest.mark.parametrize("at", ["top", "middle", "bottom"])
@pytest.mark.parametrize(("ruled", "padding"), [(True, 8), (True, 0), (False, 8)])
def test_a_label_of_two_lines_is_one_cell(tmp_path: Path, at: str, ruled: bool, padding: float) -> None:
    article = article_of(tmp_path, ABOVE + drawn([NAMES, *ROWS], at=at, ruled=ruled, padding=padding) + BELOW)
    lines = article.body.split("\n")
    assert [line for line in lines if line in READ] == READ
    assert lines[-1] == "Trên đây là số liệu của tổ."
    facts = extract_facts(article.title, article.body)
    assert [fact.low for fact in facts if fact.unit == "thành viên"] == [240, 160, 310]


def test_a_line_in_small_letters_goes_on_with_the_cell_above(tmp_path: Path) -> None:
    """Without rules and without more space between the rows."""
    rows = [NAMES, *ROWS[:2], ["3", "Bản Mận và|xóm ngoài", "15", "310", "6.300"]]
    body = article_of(tmp_path, ABOVE + drawn(rows, ruled=False, padding=0)).body
    assert body.split("\n")[-3:] == [*READ[:2], READ[2].replace("Xóm Ngoài", "xóm ngoài")]


@pytest.mark.parametrize("at", ["top", "middle", "bottom"])
def test_rows_that_are_not_sure_stay_lines_and_make_no_facts(tmp_path: Path, at: str) -> None:
    """A name with a capital may begin a row of its own."""
    article = article_of(tmp_path, ABOVE + drawn([NAMES, *ROWS], at=at, ruled=False, padding=0) + BELOW)
    assert extract_facts(article.title, article.body) == []
    assert "Xóm Ngoài" in article.body.split("\n") or any("Xóm Ngoài |" in line for line in article.body.split("\n"))
    for word in ("Bản Nà Lếch", "nguồn suối Bẻ", "4.520", "6.300", "Thành viên"):
        assert article.body.count(word) == 1


@pytest.mark.parametrize("label", ["Bản Mận và|xóm ngoài", "Bản Mận và|Xóm Ngoài"])
@pytest.mark.parametrize("at", ["middle", "bottom"])
def test_half_a_label_is_no_name_of_a_column(tmp_path: Path, at: str, label: str) -> None:
    rows = [NAMES, ["1", label, "15", "310", "6.300"], *(["2", "Bản Phố", "7", "160", "2.100"],) * 2]
    article = article_of(tmp_path, ABOVE + drawn(rows, at=at, ruled=False, padding=0) + BELOW)
    assert extract_facts(article.title, article.body) == []


def test_rows_go_on_on_the_next_page(tmp_path: Path) -> None:
    more = [["4", "Bản Đào ở cuối|con dốc", "3", "41", "90"], ["5", "Bản Lê", "2", "22", "75"]]
    pages = ABOVE + drawn([NAMES, *ROWS]), drawn(more, top=800) + BELOW
    lines = article_of(tmp_path, *pages).body.split("\n")
    assert lines[-3:] == [
        "4. Bản Đào ở cuối con dốc: 3 tổ; 41 thành viên; doanh thu 90 triệu đồng",
        "5. Bản Lê: 2 tổ; 22 thành viên; doanh thu 75 triệu đồng",
        "Trên đây là số liệu của tổ.",
    ]
    assert sum("Doanh thu (" in line for line in lines) == 1


def test_a_table_of_texts_has_a_bar_between_its_cells(tmp_path: Path) -> None:
    rows = [["TT", "Việc", "Hạn", "Người làm", "Ghi chú"], ["1", "Kẻ sổ và|chia đàn", "30/4", "Chị Mận", "xong 3"]]
    body = article_of(tmp_path, ABOVE + drawn([*rows, ["2", "Quay mật", "15/5", "Anh Đào", "còn 2"]]) + BELOW).body
    assert "1 | Kẻ sổ và chia đàn | 30/4 | Chị Mận | xong 3" in body.split("\n")


def test_a_table_is_read_on_a_turned_page(tmp_path: Path) -> None:
    from io import BytesIO

    from pypdf import PdfReader, PdfWriter

    turned = "0 1 -1 0 595 0 cm BT /F 11 Tf "
    writer = PdfWriter(clone_from=PdfReader(BytesIO(pdf_of([f"ET {turned}{drawn([NAMES, *ROWS], top=560)}"]))))
    writer.pages[0].rotate(90)
    found = BytesIO()
    writer.write(found)
    file = tmp_path / "ngang.pdf"
    file.write_bytes(found.getvalue())
    [article] = articles_of(SourceFile(file, file.name))
    assert isinstance(article, Article)
    assert article.body.split("\n")[-3:] == READ


# By geometry alone


def words_at(*places: tuple[str, float, float]) -> list[Word]:
    return [Word(text, left, left + 5.0 * len(text), foot, 11, number) for number, (text, left, foot) in enumerate(places)]


def test_a_cell_that_spans_rows_or_columns_stands_in_the_first() -> None:
    grid = [Rule(0, y, 300, y) for y in (0, 20, 40)] + [Rule(100, 60, 300, 60), Rule(0, 80, 300, 80)]
    grid += [Rule(0, 0, 0, 80), Rule(100, 0, 100, 80), Rule(200, 0, 200, 60), Rule(300, 0, 300, 80)]
    words = words_at(
        ("Bản", 10, 65), ("Thành-viên", 110, 65), ("nam", 110, 45), ("nữ", 210, 45),
        ("Mận", 10, 25), ("12", 110, 25), ("30", 210, 25), ("Lê", 10, 5), ("4", 110, 5), ("6", 210, 5),
    )  # fmt: skip
    lines, head = with_tables([word.text for word in words], words, grid)
    assert head is not None
    assert head.rows == [["Bản", "Thành-viên", ""], ["", "nam", "nữ"]]
    assert len(lines) == 4
    assert all(isinstance(line, Whole) for line in lines)


def test_a_number_keeps_its_hyphen_at_the_end_of_a_line_of_a_cell() -> None:
    grid = [Rule(0, y, 300, y) for y in (0, 30, 60)] + [Rule(x, 0, x, 60) for x in (0, 100, 300)]
    words = words_at(("Quyết", 5, 50), ("9/QĐ-", 105, 50), ("TNO", 105, 38), ("Lệnh", 5, 20), ("4", 105, 20))
    lines, _ = with_tables([word.text for word in words], words, grid)
    assert lines == ["Quyết | 9/QĐ-TNO", "Lệnh | 4"]


@pytest.mark.parametrize(
    "rules",
    [
        [Rule(0, 0, 300, 0), Rule(0, 90, 300, 90), Rule(0, 0, 0, 90), Rule(300, 0, 300, 90)],  # a frame
        [Rule(0, y, 300, y) for y in range(0, 90, 10)],  # lines to write on
        [],
    ],
)
def test_what_is_no_table_stays_as_it_is(rules: list[Rule]) -> None:
    words = words_at(("Mật", 10, 60), ("12", 200, 60), ("quay", 10, 40), ("xong", 30, 20))
    lines = ["Mật 12", "quay", "xong"]
    assert with_tables(lines, words, rules) == (lines, None)


def test_words_beside_a_table_stay() -> None:
    grid = [Rule(0, y, 100, y) for y in (0, 20, 40)] + [Rule(x, 0, x, 40) for x in (0, 50, 100)]
    words = [
        Word(text, left, left + 10, foot, 11, 0)
        for text, left, foot in [("a", 5, 25), ("3", 55, 25), ("b", 5, 5), ("4", 55, 5), ("bên", 150, 25), ("ngoài", 170, 25)]
    ]
    assert with_tables(["a 3 b 4 bên ngoài"], words, grid)[0] == ["bên ngoài", "a | 3", "b | 4"]
