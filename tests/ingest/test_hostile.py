"""Files made to break a reader: each is refused or read, in bounded time and memory, and none stops the others."""

import io
import json
import time
import zipfile
from pathlib import Path

import openpyxl
import pytest

from htxsearch import Article, Index, Rejected
from htxsearch.answer.events import event_asked, event_of
from htxsearch.ingest import corpus as corpus_module
from htxsearch.ingest.corpus import SourceFile, articles_of
from htxsearch.ingest.readers import read_articles
from htxsearch.ingest.readers.letterhead import read_letterhead
from htxsearch.ingest.readers.signature import read_foot
from htxsearch.text.official import own_number
from ingest.folder import drawn_lines, pdf_of

TEXT = "Tổ hợp tác nuôi ong ở bản Nà Lếch bán mật ở chợ phiên."


def read(tmp_path: Path, name: str, data: bytes) -> list[Article | Rejected]:
    file = tmp_path / name
    file.write_bytes(data)
    return [one for one in articles_of(SourceFile(file, name)) if isinstance(one, Article | Rejected)]


def workbook_of(sheet: str) -> bytes:
    """Return a workbook whose only sheet has this XML in place of its rows."""
    plain = io.BytesIO()
    made = openpyxl.Workbook()
    made.worksheets[0].append(["Ong", "Mật"])
    made.save(plain)
    found = io.BytesIO()
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(found, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.startswith("xl/worksheets/"):
                head, _, rest = data.partition(b"<sheetData>")
                data = head + b"<sheetData>" + sheet.encode() + b"</sheetData>" + rest.partition(b"</sheetData>")[2]
            new.writestr(name, data)
    return found.getvalue()


def cell(place: str, value: str) -> str:
    return f'<row r="{place[-1]}"><c r="{place}"><v>{value}</v></c></row>'


@pytest.mark.parametrize("place", ["XFD1048576", "XFD2000000000", "ZZZZZZZZZ1"])
def test_a_sheet_that_declares_a_million_rows_is_refused(tmp_path: Path, place: str) -> None:
    rows = f'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="{place}"><v>2</v></c></row>'
    [found] = read(tmp_path, "to.xlsx", workbook_of(rows))
    assert isinstance(found, Rejected)


@pytest.mark.parametrize("value", ["1e999", "-1e999", "nan", "1e300"])
def test_numbers_without_end_are_no_numbers(tmp_path: Path, value: str) -> None:
    rows = f'<row r="1"><c r="A1" t="inlineStr"><is><t>Tổ ong ở bản</t></is></c><c r="B1"><v>{value}</v></c></row>'
    [found] = read(tmp_path, "so.xlsx", workbook_of(rows))
    assert isinstance(found, Rejected) or "ong" in f"{found.title} {found.body}"


def test_random_bytes_behind_the_head_of_an_old_workbook_are_refused(tmp_path: Path) -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook".encode("utf-16-le") + bytes(range(256)) * 8
    [found] = read(tmp_path, "cu.xls", data)
    assert isinstance(found, Rejected)


@pytest.mark.parametrize(
    "field",
    [
        "<html></html><br/>",
        "<html><frameset></frameset></html><br>",
        "Tổ hợp tác\x0bnuôi ong<br>bán mật",
        "<div>" * 5_000 + TEXT + "</div>",
        "&#1;&#0; <br>" + TEXT,
        "<" * 20_000 + "<br>",
    ],
)
def test_odd_html_in_a_field_stops_nothing(tmp_path: Path, field: str) -> None:
    rows = [{"id": "1", "title": "Tin", "text": field}, {"id": "2", "title": "Tin", "text": TEXT}]
    found = read(tmp_path, "tin.jsonl", "\n".join(map(json.dumps, rows)).encode())
    assert any(isinstance(one, Article) and one.id == "2" for one in found)


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("Trước <!-- x --> sau<br>hết", "Trước sau\nhết"),
        ("Trước <?php x ?> sau<br>hết", "Trước sau\nhết"),
        ("<div>" * 400 + "đầu<p>Kết bài</p>", "đầu\nKết bài"),
        ("<table><tr><td>Nà Lếch</td><td>96</td></tr><tr><td>Bản Pom</td><td>7</td></tr></table>", "Nà Lếch | 96\nBản Pom | 7"),
    ],
)
def test_no_text_of_a_field_is_lost(tmp_path: Path, field: str, body: str) -> None:
    [found] = read(tmp_path, "tin.jsonl", json.dumps({"id": "1", "title": "Tin", "text": field}).encode())
    assert isinstance(found, Article)
    assert found.body == body


@pytest.mark.parametrize("text", ['[{"id":"a","text":"\\ud800"}]', '[{"text": 3}]', "[[]]", "[]"])
def test_odd_json_is_refused(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, "tin.json", text.encode())
    assert found
    assert all(isinstance(one, Rejected) for one in found)


def test_a_fault_of_a_reader_rejects_the_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "corpus"
    root.mkdir()
    (root / "a.txt").write_text(f"Tin\n{TEXT}\n", "utf-8")
    (root / "b.txt").write_text(f"Tin hai\n{TEXT}\n", "utf-8")
    whole = read_articles

    def faulty(reader: object, data: bytes, path: str, *rest: object) -> object:
        if path == "a.txt":
            raise ZeroDivisionError("a fault")
        return whole(reader, data, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(corpus_module, "read_articles", faulty)
    with Index(tmp_path / "index", corpus=root) as index:
        report = index.update()
    assert report.added == 1
    assert [(one.path, one.reason.code) for one in report.rejected] == [("a.txt", "file.reader-failed")]


def test_ids_of_a_json_file_are_not_taken_from_others(tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    root.mkdir()
    (root / "z.txt").write_text(f"Tin thật\n{TEXT}\n", "utf-8")
    sent = tmp_path / "0.json"
    sent.write_text(json.dumps([{"id": "z.txt", "title": "Tin giả", "text": TEXT}]), "utf-8")
    with Index(tmp_path / "index", corpus=root) as index:
        index.update()
        added = index.add(sent=[("0.json", sent)], from_others=True)
        assert len(added.refused) == 1
        assert index.show("z.txt").article.title == "Tin thật"


def test_rows_of_a_table_are_no_running_titles(tmp_path: Path) -> None:
    pages = [drawn_lines([f"Bản Pom thùng ong {10 * page + row}" for row in range(6)]) for page in range(6)]
    [found] = read(tmp_path, "bang.pdf", pdf_of(pages))
    assert isinstance(found, Article)
    text = f"{found.title} {found.body}"
    assert all(f"thùng ong {10 * page + row}" in text for page in range(6) for row in range(6))


def test_numbered_headings_are_no_running_titles(tmp_path: Path) -> None:
    pages = [drawn_lines([f"PHỤ LỤC {page}", f"Nhà nuôi ong ở bản số {'abcd'[page]} góp vốn.", "Hết."]) for page in range(4)]
    [found] = read(tmp_path, "phu-luc.pdf", pdf_of(pages))
    assert isinstance(found, Article)
    assert all(f"PHỤ LỤC {page}" in f"{found.title} {found.body}" for page in range(4))


def test_a_long_line_of_numbers_takes_no_time(tmp_path: Path) -> None:
    began = time.process_time()
    line = " ".join(str(number % 97) for number in range(9_000))
    [found] = read(tmp_path, "so.pdf", pdf_of([drawn_lines([f"{line} {page}", f"{TEXT} Bản {page}."]) for page in range(3)]))
    assert isinstance(found, Article)
    assert time.process_time() - began < 30  # quadratic, it took minutes


LONG = 30_000
"""Characters of a line with which a step that takes the square of its length takes minutes, all pumps together."""
PUMPED = [
    "Số 1/", "Số 1", "Số /", "Số  ", "Số: Số ", "Số: 1-A", "Số: 1.", "V/v  ", "Hà Nội, ngày 1 ", "BÁO CÁO A ", "PHỤ LỤC I",
    "Độc lập -", "CỘNG HÒA \t", " \n", "__ ", "-- ", " |", "VĂN BẢN HỢP NHẤT |", "Nơi nhận: - A;", "- Lưu ", "KT. CHỦ TỊCH ",
    "GS.TS.", "(ký) ", "(đã ký", "Lò A ", "1/a", "1-a.", "ngày 1 tháng 1, ", "từ ngày ", "luật A ",
]  # fmt: skip


@pytest.mark.parametrize("pump", PUMPED)
@pytest.mark.parametrize("end", ["", "!"])
def test_a_line_of_one_thing_again_and_again_is_read(pump: str, end: str) -> None:
    line = pump[: len(pump) // 2] + pump[len(pump) // 2 :] * (LONG // len(pump)) + end
    again = pump * (LONG // len(pump)) + end
    motto = ["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"]
    for one in (line, again):
        assert own_number([one, "Số: 4/BC-HNO"]) == "4/BC-HNO"
        for lines in ([*motto, one], [one, *motto], ["Số: 4/BC-HNO", one, "BÁO CÁO"]):
            head = read_letterhead(lines)
            assert head is None or head.lines <= len(lines)
        foot = read_foot([one, "Nơi nhận:", one, "- Lưu: VT.", "KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH", "Lò Thị Mận"])
        assert foot.signer is not None
        assert event_asked(f"{one[:2_000]} ban hành ngày nào") in ("issue", None)
        asked = {event_of(f"{one[at : at + 160]} ngày 5", 161, 167) for at in range(0, 500, 7)}
        assert asked <= {"issue", None}


def test_nothing_of_a_head_with_a_subject_and_a_kind_is_lost() -> None:
    lines = [
        "UBND XÃ NÀ LẾCH", "Số: 4/BC-UBND", "V/v nuôi ong chung", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc", "Sơn La, ngày 5 tháng 3 năm 2020", "BÁO CÁO\tMật", "Nghề ong",
    ]  # fmt: skip
    head = read_letterhead([*lines, "Căn cứ sổ của tổ;"])
    assert head is not None
    words = f"{head.title} {' '.join(head.kept)}"
    assert all(word in words for word in ("nuôi ong chung", "BÁO CÁO", "Mật", "Nghề ong", "4/BC-UBND"))


def test_slides_keep_breaks_and_numbers(tmp_path: Path) -> None:
    space = "http://schemas.openxmlformats.org/drawingml/2006/main"
    texts = (
        "<a:p><a:r><a:t>Nghề ong</a:t></a:r></a:p><a:p><a:r><a:t>Một</a:t></a:r><a:br/><a:r><a:t>hai</a:t></a:r></a:p>"
        "<a:p><a:r><a:t>96</a:t></a:r></a:p><a:p><a:fld type='slidenum'><a:t>7</a:t></a:fld></a:p>"
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("ppt/presentation.xml", "<p/>")
        archive.writestr("ppt/slides/slide1.xml", f'<s xmlns:a="{space}">{texts}</s>')
        archive.writestr(f"ppt/slides/slide{'9' * 5_000}.xml", "<s/>")
    [found] = read(tmp_path, "trinh.pptx", made.getvalue())
    assert isinstance(found, Article)
    assert (found.title, found.body) == ("Nghề ong", "Một hai\n96")
