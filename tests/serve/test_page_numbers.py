"""The page of a PDF that has a hit or an answer, and whether it was read by OCR, everywhere that they are shown."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from index.folders import Folders
from ingest.folder import drawn_lines, pdf_of
from ingest.scans import FakeTesseract, grey_page, scanned_pdf

from htxsearch.cli.main import cli
from htxsearch.ingest.guard import reading_here

from .conftest import Open
from .test_pages import Page

FIRST = ["Tổng kết nghề ong năm 2021", "Đàn ong ở bản Nà Lếch về tổ đông đủ sau mùa mưa, thợ ong làm thêm thùng gỗ mới."]
SECOND = [
    "Đến năm 2021, tỉnh Sơn La có 312 hợp tác xã.",
    "Giám đốc Hợp tác xã ong Nà Lếch là ông Lò Văn Phiêng. Mật được quay ở bản trên từ tờ mờ sáng.",
]
QUESTION = "Tỉnh Sơn La có bao nhiêu hợp tác xã?"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Return an index of a PDF of two pages and a text without pages."""
    folders = Folders(tmp_path_factory.mktemp("book"))
    (folders.corpus / "ong.pdf").write_bytes(pdf_of([drawn_lines(FIRST), drawn_lines(SECOND)]))
    folders.write("gao.txt", "Gạo nếp Mường Và", "Bà con xay gạo nếp bán ở chợ phiên.")
    assert not folders.update().rejected
    return folders


def test_a_hit_has_the_page_of_its_first_highlight(book: Folders) -> None:
    with book.open() as index:
        [thùng] = index.search("thùng gỗ").hits
        [mật] = index.search("quay mật").hits
        [gạo] = index.search("gạo nếp").hits
        view = index.show("ong.pdf")
    assert thùng.passage == mật.passage, "both pages are in one passage"
    assert (thùng.page, mật.page, gạo.page) == (1, 2, None)
    assert mật.as_json()["page"] == 2
    assert "page" not in gạo.as_json()
    assert view.as_json()["pages"] == [0, view.article.body.index("Đến năm")]


def test_an_answer_has_the_page_of_its_span(book: Folders) -> None:
    with book.open() as index:
        best = index.ask("Giám đốc Hợp tác xã ong Nà Lếch là ai?").best
        figure = index.ask(QUESTION).answer
    assert best is not None
    assert figure is not None
    assert "Lò Văn Phiêng" in best.text
    assert "312" in figure.text
    assert best.page == best.as_json()["page"] == figure.page == 2


@pytest.mark.parametrize(("language", "shown"), [("vi", "tr. 2"), ("en", "p. 2")])
def test_the_page_is_shown(book: Folders, opened: Open, language: str, shown: str) -> None:
    folders = ["--index", str(book.index), "--corpus", str(book.corpus)]
    for words in (["query", "quay mật"], ["ask", QUESTION]):
        done = CliRunner().invoke(cli, ["--lang", language, *words, *folders])
        assert f"{shown} · " in done.output
    web = opened(index=str(book.index), corpus=str(book.corpus))
    assert f">{shown}</a>" in web.get(f"/?q=quay+mật&lang={language}").text
    assert web.get(f"/?q={QUESTION}&lang={language}").text.count(f">{shown}</a>") == 2, "of the answer and of the hit"
    assert f">{shown}</a>" not in web.get(f"/?q=xay+gạo&lang={language}").text
    links = Page(web.get(f"/?q=quay+mật&lang={language}").text).links()
    [original] = [link for link in links if link.startswith("/original")]
    assert original.endswith("#page=2")
    assert web.get(original).headers["content-type"] == "application/pdf"


def test_a_page_number_has_no_separators(tmp_path: Path) -> None:
    many = Folders(tmp_path)
    pages = [drawn_lines([f"Chuyện thứ {number} về ong."]) for number in range(1001)]
    (many.corpus / "dai.pdf").write_bytes(pdf_of([*pages[:1000], drawn_lines(["Sâm núi mọc ở bản cuối."])]))
    many.update()
    done = CliRunner().invoke(
        cli, ["--lang", "vi", "query", "sâm núi", "--index", str(many.index), "--corpus", str(many.corpus)]
    )
    assert "tr. 1001 · " in done.output


@pytest.mark.skipif(os.name != "posix", reason="the stand-in for tesseract is a script of sh")
@pytest.mark.parametrize(("language", "shown"), [("vi", "đọc bằng OCR (83 %)"), ("en", "read by OCR (83 %)")])
def test_what_was_read_by_ocr_is_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: Open, language: str, shown: str
) -> None:
    scans = Folders(tmp_path / "scans")
    fake = FakeTesseract(tmp_path / "bin", lambda path: monkeypatch.setenv("PATH", path))
    fake.answer([*FIRST, *SECOND], confidence=83)
    (scans.corpus / "quet.pdf").write_bytes(scanned_pdf([grey_page()]))
    scans.write("gao.txt", "Gạo nếp Mường Và", "Bà con xay gạo nếp bán ở chợ phiên.")
    with reading_here():  # where the stand-in is found
        assert not scans.update().rejected
    folders = ["--index", str(scans.index), "--corpus", str(scans.corpus)]
    for words in (["query", "quay mật"], ["ask", QUESTION]):
        assert f" · {shown} · " in CliRunner().invoke(cli, ["--lang", language, *words, *folders]).output
    assert f": {shown}\n" in CliRunner().invoke(cli, ["--lang", language, "show", "quet.pdf", *folders]).output
    web = opened(index=str(scans.index), corpus=str(scans.corpus))
    for address, times in (
        ("/?q=quay+mật", 1),
        (f"/?q={QUESTION}", 2),
        ("/article?id=quet.pdf", 1),
        ("/article?id=gao.txt", 0),
    ):
        assert web.get(f"{address}&lang={language}").text.count(f">{shown}</span>") == times
    with scans.open() as index:
        assert {hit.path: hit.as_json().get("ocr") for hit in index.search("bản OR gạo").hits} == {
            "quet.pdf": 0.83,
            "gao.txt": None,
        }
        assert index.show("quet.pdf").as_json()["ocr"] == 0.83
        assert "ocr" not in index.show("gao.txt").as_json()
