"""Names of columns that stand in several rows, below those of their groups."""

import io
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import openpyxl
import pytest

from htxsearch import Article
from htxsearch.facts.extract import extract_facts
from htxsearch.ingest.corpus import SourceFile, articles_of
from htxsearch.ingest.readers.cells import names_of_columns, table_document
from ingest.folder import docx_of, packed, pdf_of

NAMES = [
    ["TT", "Xã", "Sản lượng (tấn)", "", "", "", "", "Vốn (triệu đồng)", ""],
    ["", "", "Tổng số", "Năm 2023", "", "Năm 2024", "", "", ""],
    ["", "", "", "Mật", "Phấn", "Mật", "Phấn", "Vay", "Góp"],
]
ROWS = [["1", "Nà Lếch", "96", "40", "56", "41", "60", "350", "20"], ["2", "Nà Pom", "21", "9", "12", "10", "13", "75", "6"]]
SPANS = {(0, 0): (3, 1), (0, 1): (3, 1), (0, 2): (1, 5), (0, 7): (2, 2), (1, 2): (2, 1), (1, 3): (1, 2), (1, 5): (1, 2)}
"""The rows and columns of each merged cell by its place."""
READ = [
    "xã Nà Lếch: sản lượng tổng số 96 tấn; vốn vay 350 triệu đồng; vốn góp 20 triệu đồng",
    "xã Nà Lếch, năm 2023: sản lượng mật 40 tấn; sản lượng phấn 56 tấn",
    "xã Nà Lếch, năm 2024: sản lượng mật 41 tấn; sản lượng phấn 60 tấn",
    "xã Nà Pom: sản lượng tổng số 21 tấn; vốn vay 75 triệu đồng; vốn góp 6 triệu đồng",
    "xã Nà Pom, năm 2023: sản lượng mật 9 tấn; sản lượng phấn 12 tấn",
    "xã Nà Pom, năm 2024: sản lượng mật 10 tấn; sản lượng phấn 13 tấn",
]
SPACES = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table"))


def covered() -> set[tuple[int, int]]:
    places = [(row, column, *size) for (row, column), size in SPANS.items()]
    inside = {(row + a, column + b) for row, column, rows, columns in places for a in range(rows) for b in range(columns)}
    return inside - SPANS.keys()


def xlsx() -> bytes:
    made = openpyxl.Workbook()
    for line in NAMES + ROWS:
        made.worksheets[0].append([int(cell) if cell.isdigit() else cell or None for cell in line])
    for (row, column), (rows, columns) in SPANS.items():
        made.worksheets[0].merge_cells(None, row + 1, column + 1, row + rows, column + columns)
    found = io.BytesIO()
    made.save(found)
    return found.getvalue()


def open_rows() -> str:
    shown = ""
    for row, cells in enumerate(NAMES + ROWS):
        shown += "<table:table-row>"
        for column, cell in enumerate(cells):
            rows, columns = SPANS.get((row, column), (1, 1))
            kind = "covered-table-cell" if (row, column) in covered() else "table-cell"
            size = f'table:number-rows-spanned="{rows}" table:number-columns-spanned="{columns}"'
            value = f'office:value-type="float" office:value="{cell}"' if cell.isdigit() else 'office:value-type="string"'
            shown += f"<table:{kind} {size} {value}><text:p>{cell}</text:p></table:{kind}>" if cell else f"<table:{kind}/>"
        shown += "</table:table-row>"
    return f'<table:table table:name="Ong">{shown}</table:table>'


def ods() -> bytes:
    body = f"<office:body><office:spreadsheet>{open_rows()}</office:spreadsheet></office:body>"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    content = f"<office:document-content {SPACES}>{body}</office:document-content>"
    return packed({"mimetype": kind, "META-INF/manifest.xml": "<m/>", "content.xml": content})


def odt() -> bytes:
    body = f"<office:body><office:text><text:p>Tổ ong</text:p>{open_rows()}</office:text></office:body>"
    content = f"<office:document-content {SPACES}>{body}</office:document-content>"
    return packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


def csv() -> bytes:
    return "\n".join(";".join(row) for row in NAMES + ROWS).encode()


def docx() -> bytes:
    def cell(row: int, column: int, text: str) -> str:
        rows, columns = SPANS.get((row, column), (1, 1))
        above = next(((a, b) for a, b in SPANS if b == column and a < row < a + SPANS[a, b][0]), None)
        merged = "<w:vMerge/>" if above else '<w:vMerge w:val="restart"/>' if rows > 1 else ""
        width = SPANS[above][1] if above else columns
        properties = f'<w:tcPr><w:gridSpan w:val="{width}"/>{merged}</w:tcPr>'
        return f"<w:tc>{properties}<w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>"

    below = {(row + down, column) for (row, column), (rows, _) in SPANS.items() for down in range(1, rows)}
    beside = covered() - below
    shown = "".join(
        f"<w:tr>{''.join(cell(row, column, text) for column, text in enumerate(cells) if (row, column) not in beside)}</w:tr>"
        for row, cells in enumerate(NAMES + ROWS)
    )
    return docx_of(f"<w:p><w:r><w:t>Tổ ong</w:t></w:r></w:p><w:tbl>{shown}</w:tbl>")


def pdf() -> bytes:
    """A table with rules between its cells; a name stands in the middle of its rows."""
    lefts, tops = [40 + 56 * number for number in range(10)], [700 - 22 * number for number in range(6)]
    text, lines = f"1 0 0 1 40 760 Tm <{'Tổ ong'.encode('utf-16-be').hex()}> Tj ", ""
    for row, cells in enumerate(NAMES + ROWS):
        for column, cell in enumerate(cells):
            rows, columns = SPANS.get((row, column), (1, 1))
            if (row, column) in covered():
                continue
            left, right, top, bottom = lefts[column], lefts[column + columns], tops[row], tops[row + rows]
            lines += f"{left} {bottom} {right - left} {top - bottom} re S "
            for number, word in enumerate(cell.split("|")):
                foot = (top + bottom) / 2 - 4 - 12 * number
                text += f"1 0 0 1 {left + 3} {foot} Tm <{word.encode('utf-16-be').hex()}> Tj " if word else ""
    return pdf_of([f"/F 8 Tf {text} ET {lines} BT /F 8 Tf "])


@pytest.mark.parametrize("made", [xlsx, ods, csv, docx, odt, pdf])
def test_names_in_three_rows_are_joined_with_their_groups(tmp_path: Path, made: Callable[[], bytes]) -> None:
    file = tmp_path / f"ong.{made.__name__}"
    file.write_bytes(made())
    [article] = articles_of(SourceFile(file, file.name))
    assert isinstance(article, Article), article
    lines = [line.split(". ")[-1] for line in article.body.split("\n")]
    unnumbered = [line.replace("Nà Pom", "xã Nà Pom").replace("xã xã", "xã") for line in lines[-6:]]
    assert unnumbered == READ
    facts = {(fact.low, fact.unit) for fact in extract_facts(article.title, article.body)}
    assert {(41, "tấn"), (60, "tấn"), (350e6, "đồng")} <= facts


def lines_of(*rows: str) -> list[str] | None:
    """Return the body of a table, its cells parted by bars."""
    found = table_document([[cell.strip() for cell in row.split("|")] for row in rows])
    return found.body.split("\n") if found else None


def test_names_may_stand_in_four_rows() -> None:
    assert lines_of(
        "Bản | Nghề ong | | | |",
        "    | Số tổ    | | | | Mật (tấn)",
        "    | Đến 2023 | | Đến 2024 | |",
        "    | Trên đồi | Ven suối | Trên đồi | Ven suối |",
        "Pom | 4 | 7 | 5 | 9 | 2,5",
    ) == [
        "Pom: nghề ong mật 2,5 tấn",
        "Pom, đến 2023: nghề ong số tổ trên đồi 4; nghề ong số tổ ven suối 7",
        "Pom, đến 2024: nghề ong số tổ trên đồi 5; nghề ong số tổ ven suối 9",
    ]


def test_a_row_of_names_may_have_one_name() -> None:
    assert lines_of("Bản | Số tổ | |", " | | Trong đó |", " | | Trên đồi | Ven suối", "Pom | 9 | 4 | 5") == [
        "Pom: 9 tổ; trong đó trên đồi 4; trong đó ven suối 5"
    ]


def test_units_below_the_names_are_those_of_the_columns() -> None:
    assert lines_of("Bản | Năm 2023 | ", " | Số tổ | Mật", " | (tổ) | (tấn)", "Pom | 9 | 4,5") == [
        "Pom, năm 2023: số tổ 9 tổ; mật 4,5 tấn"
    ]


def test_the_heading_of_a_part_is_no_name() -> None:
    for heading in ("I | Vùng cao | |", " | Vùng cao | |"):
        rows = ["TT | Bản | Đàn ong |", " | | Trên đồi | Ven suối", heading, "1 | Pom | 4 | 5"]
        found = lines_of(*rows)
        assert found is not None
        assert found[-1] == "Pom: đàn ong trên đồi 4; đàn ong ven suối 5"
        assert "Vùng cao" in found[0]


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        (["Tổ | Trưởng | Nơi", "Pom | Lò Ón | bản Pom", "Lếch | Vàng Sử | 96"], 1),  # no empty cell
        (["Tổ | Trưởng | ", " | | bản Pom", " | | bản Lếch", "Lếch | Vàng Sử | Nà"], 0),  # no figures
        (["Tổ | Số tổ | ", " | Đồi | Suối", "(1) | (2) | (3)", "Pom | 4 | 5"], 2),
        (["Tổ | Số tổ | ", " | Đồi | Suối", "Lếch | ít | nhiều", "Pom | 4 | 5"], 1),  # its first column would have two names
        ([" | Số tổ | | Mật", "Tổ | Đồi | |", " | Cao | Thấp |", " | Đông | Đông |", "Pom | 4 | 5 | 6"], 4),
        (["Bản | a | | ", " | b | | ", " | c | | ", " | d | | ", " | e | f | g", "Pom | 1 | 2 | 3"], 0),
    ],
)
def test_rows_of_names_end_where_another_begins(rows: Iterable[str], count: int) -> None:
    assert names_of_columns([[cell.strip() for cell in row.split("|")] for row in rows]) == count


def test_groups_end_where_one_above_begins() -> None:
    found = lines_of(
        "Bản | Đồi | | Suối | | Vườn",
        " | Mật | | | Phấn | ",
        " | Xuân | Thu | Hè | Đông | ",
        "Pom | 1 | 2 | 3 | 4 | 5",
    )
    assert found == ["Pom: đồi mật xuân 1; đồi mật thu 2; suối hè 3; suối phấn đông 4; vườn 5"]
    assert all(one != other for one, other in pairwise(found))
