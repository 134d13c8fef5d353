"""Originals are sent so that none can act as a page of the server; citations; a marked span."""

import datetime
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from index.folders import Folders

from htxsearch.errors import CorpusError
from htxsearch.ingest.article import Article
from htxsearch.web.citations import citations_of
from htxsearch.web.originals import disposition, original_of, shown_type

from .conftest import Open, TestClient

HTML = "<!doctype html><title>Chè ngon</title><script>parent.x=1</script><p>Hợp tác xã chè Đồi bán chè ngon ở chợ huyện.</p>"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF\n"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    folders = Folders(tmp_path_factory.mktemp("originals"))
    folders.write("a b/chè 'Đồi' \"x\".txt", "Chè Đồi")
    folders.write("html/trang.html", "").write_text(HTML, "utf-8")
    folders.write("n\newline;\r.txt", "Cam sành")
    folders.write("q" * 251 + ".txt", "Quýt ngọt")
    folders.write("gone.txt", "Tệp sẽ mất")
    folders.write("becomes.txt", "Tệp sẽ là PDF")
    folders.write_lines("all.jsonl", {"id": "dòng", "title": "Một dòng", "text": "Bà con trồng cam."})
    folders.update()
    (folders.corpus / "gone.txt").unlink()
    (folders.corpus / "becomes.txt").write_bytes(PDF)
    return folders


@pytest.fixture
def served_files(opened: Open, folders: Folders) -> TestClient:
    return opened(index=str(folders.index), corpus=str(folders.corpus))


def test_every_article_has_its_original_byte_for_byte(served_files: TestClient, folders: Folders) -> None:
    for article_id in set(folders.ids()) - {"gone.txt", "dòng"}:
        answer = served_files.get("/original", params={"id": article_id})
        assert answer.status_code == 200, article_id
        assert answer.content == (folders.corpus / article_id).read_bytes()
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert len(answer.headers.get_list("content-security-policy")) == 1
    assert served_files.get("/original?id=dòng").content == (folders.corpus / "all.jsonl").read_bytes()


@pytest.mark.parametrize("name", ["html/trang.html", "a b/chè 'Đồi' \"x\".txt", "n\newline;\r.txt", "q" * 251 + ".txt"])
def test_what_could_run_is_downloaded(served_files: TestClient, name: str) -> None:
    answer = served_files.get("/original", params={"id": name})
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith('attachment; filename="')
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "allow-scripts" not in answer.headers["content-security-policy"]


def test_a_pdf_is_shown_and_can_be_read_in_parts(served_files: TestClient) -> None:
    answer = served_files.get("/original?id=becomes.txt", headers={"Range": "bytes=0-4"})
    assert (answer.status_code, answer.content) == (206, b"%PDF-")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("inline;")
    assert "script-src" not in answer.headers["content-security-policy"], "default-src 'none' allows no script"


def test_a_missing_file_and_an_unknown_article_are_clear_pages(served_files: TestClient) -> None:
    gone = served_files.get("/original?id=gone.txt")
    assert gone.status_code == 409
    assert "tệp gốc của gone.txt không còn" in gone.text
    assert served_files.get("/original?id=none.txt").status_code == 404
    assert served_files.get("/original").status_code == 400
    assert served_files.get("/original?id=../originals/x").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "/etc/passwd",
        "link.txt",
        "to-hidden.txt",
        "to-trash/x.txt",
        "to-itself.txt",
        "a/../../secret.txt",
        ".hidden.txt",
        ".trash/x.txt",
        "a\0b.txt",
        "pipe.txt",
    ],
)
def test_an_index_of_a_stranger_opens_no_other_file(tmp_path: Path, path: str) -> None:
    corpus = tmp_path / "corpus"
    (corpus / ".trash").mkdir(parents=True)
    (corpus / "a").mkdir()
    for secret in (tmp_path / "secret.txt", corpus / ".hidden.txt", corpus / ".trash/x.txt"):
        secret.write_text("mật", "utf-8")
    (corpus / "link.txt").symlink_to(tmp_path / "secret.txt")
    (corpus / "to-hidden.txt").symlink_to(".hidden.txt")
    (corpus / "to-trash").symlink_to(".trash")
    (corpus / "to-itself.txt").symlink_to("to-itself.txt")
    os.mkfifo(corpus / "pipe.txt")
    with pytest.raises(CorpusError) as raised:
        original_of(corpus, Article(id="x", title="x", body="x", path=path))
    assert raised.value.code == "article.original-gone"


def test_svg_and_unknown_files_are_never_shown(tmp_path: Path) -> None:
    for content in (b"<svg xmlns='http://www.w3.org/2000/svg'/>", b" %PDF-1.4", b"<html>", b"", b"PK\3\4", b"GIF"):
        (tmp_path / "x").write_bytes(content)
        assert shown_type(tmp_path / "x") == ""
    (tmp_path / "x").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert shown_type(tmp_path / "x") == "image/png"


@pytest.mark.parametrize("name", ['a"; filename=x.html', "a\r\nSet-Cookie: x=1", "x" * 255, "\udcff.txt", "chè ‮.txt", ";,'%22"])
def test_a_name_cannot_leave_its_header(name: str) -> None:
    header = disposition(name, shown=False)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert header.count(";") == 2


ARTICLE = Article(
    id="a/b.txt", title="Giá chè: 50% {tăng} & \\giảm_", body="x", path="a/b.txt", author="Đỗ Văn A and B", source="Báo {x}"
)


def test_citations_of_an_article_that_says_little() -> None:
    cited = citations_of(Article(id="x.txt", title="Chè?", body="x", path="x.txt"), "vi")
    assert cited.footnote == "“Chè?”, tệp x.txt."
    assert cited.apa == "Chè? [tệp x.txt]. (không ghi ngày)."
    assert cited.bibtex == "@misc{che,\n  title = {{Chè?}},\n  note = {tệp x.txt},\n  langid = {vietnamese}\n}"


def test_a_file_is_cited_by_its_name_a_document_by_its_number_and_a_page_by_its_address() -> None:
    plan = Article(
        id="nam/2024/ke hoach.pdf", title="Kế hoạch trồng chè", body="x", path="nam/2024/ke hoach.pdf", number="95/KH-UBND",
        source="UBND tỉnh", date=datetime.date(2024, 4, 3),
    )  # fmt: skip
    cited = citations_of(plan, "vi")
    assert cited.footnote == "“Kế hoạch trồng chè”, số 95/KH-UBND, UBND tỉnh, 03/04/2024, tệp ke hoach.pdf."
    assert cited.apa == ("Kế hoạch trồng chè (số 95/KH-UBND) [tệp ke hoach.pdf]. (2024, ngày 3 tháng 4). UBND tỉnh.")
    assert "nam/2024" not in "".join(cited)
    online = citations_of(replace(plan, url="https://x.vn/95", title="Kế hoạch số 95/KH-UBND"), "en")
    assert online.footnote == "“Kế hoạch số 95/KH-UBND”, UBND tỉnh, 3 Apr 2024, https://x.vn/95."
    assert online.apa == "Kế hoạch số 95/KH-UBND. (2024, April 3). UBND tỉnh. https://x.vn/95"


def test_no_sign_of_a_text_is_read_by_bibtex() -> None:
    bibtex = citations_of(ARTICLE, "vi").bibtex
    assert r"Giá chè: 50\% \textbraceleft{}tăng\textbraceright{} \& \textbackslash{}giảm\_" in bibtex
    assert "author = {{Đỗ Văn A and B}}" in bibtex
    assert bibtex.count("{") == bibtex.count("}")
    hostile = replace(ARTICLE, title="}\n}\n@misc{x", url="https://x.vn/a b{c}\\", author="\x1b[31m")
    entry = citations_of(hostile, "en").bibtex
    assert entry.count("{") == entry.count("}")
    assert "url = {https://x.vn/a%20b%7Bc%7D%5C}" in entry
    assert "\x1b" not in entry


def test_a_span_is_marked(served_files: TestClient) -> None:
    def marked(mark: str) -> list[str]:
        page = served_files.get("/article", params={"id": "dòng", "q": "cam", "mark": mark}).text
        return re.findall("<mark>(.*?)</mark>", page)

    assert marked("0-6") == ["Bà con"]
    assert marked("7-12") == ["trồng"]
    for nonsense in ("", "x", "6-0", "99-100", "0-0", "-", "1-2-3"):
        assert marked(nonsense) == ["cam"], nonsense
