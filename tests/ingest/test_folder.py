"""A folder of 200 files of every format, 40 of them broken, each in its own way."""

import io
import json
import os
import re
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from htxsearch import Article, Index, Rejected
from htxsearch.ingest.corpus import SourceFile, articles_of, lines_for_counting, source_at
from ingest import folder

EACH = 8
GOOD: dict[str, Callable[[int], bytes]] = {
    "txt": lambda n: folder.text(n).encode(),
    "md": lambda n: f"# {folder.text(n)}".replace("\n", "\n\n").encode(),
    "html": folder.page,
    "htm": folder.page,
    "mhtml": folder.mhtml,
    "pdf": folder.pdf,
    "docx": folder.docx,
    "odt": folder.odt,
    "epub": folder.epub,
    "rtf": folder.rtf,
    "jsonl": lambda n: folder.row(n).encode(),
    "csv": lambda n: folder.table(n, ","),
    "tsv": lambda n: folder.table(n, "\t"),
    "zip": lambda n: folder.packed({"trong/bài.txt": folder.text(n)}),
    "tcvn3.txt": folder.tcvn3,
    "1258.txt": folder.windows_1258,
    "utf16.txt": lambda n: folder.text(n).encode("utf-16"),
    "nfd.txt": lambda n: unicodedata.normalize("NFD", folder.text(n)).encode(),
    "really-docx.pdf": folder.docx,
    "really-pdf.doc": folder.pdf,
}
"""What is read, by the end of its name."""

_LOL = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
_LEAK = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
_EMPTY = b""
_HALVES = ("pdf", "docx", "odt", "epub", "zip")
BROKEN: dict[str, tuple[bytes, str]] = {
    **{f"cut.{kind}": (GOOD[kind](0)[: len(GOOD[kind](0)) // 3], "damaged|broken|no text") for kind in _HALVES},
    **{f"empty.{kind}": (_EMPTY, "no text") for kind in ("txt", "md", "html", "pdf", "docx", "csv", "zip", "rtf")},
    **{f"zeros.{kind}": (bytes(5000), "zero bytes|NUL") for kind in ("txt", "html", "pdf", "docx")},
    "blank.txt": (b" \n\t\n", "no text"),
    "marks.md": ("…\n---\n".encode(), "no text"),
    "some-zeros.txt": (folder.text(0).encode().replace(b"\n", b"\0\0\0"), "zero bytes|NUL"),
    "picture.txt": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "picture"),
    "photo.html": (b"\xff\xd8\xff\xe0" + bytes(range(256)), "picture"),
    "old.doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Word.*save it as .docx"),
    "program.pdf": (b"\x7fELF" + bytes(200), "program"),
    "packed.txt": (b"\x1f\x8b\x08" + bytes(40), "gzip.*unpack"),
    "rar.zip": (b"Rar!\x1a\x07" + bytes(40), "RAR.*unpack"),
    "noise.xyz": (bytes(range(256)) * 8, "not read|no text|not known"),
    "secret.pdf": (folder.pdf(0, "khoa"), "password"),
    "scan.pdf": (folder.pdf(0, lines=()), "no text.*OCR"),
    "bomb.zip": (folder.packed({"a.txt": bytes(60_000_000)}), "unpack to .* MB"),
    "bomb.docx": (folder.packed({"word/document.xml": b" " * 60_000_000}), "unpack to .* MB"),
    "bomb.odt": (folder.packed({"mimetype": folder.ODT, "content.xml": b" " * 60_000_000}), "unpack to .* MB"),
    "many.zip": (folder.packed({f"{n}.txt": "" for n in range(5001)}), "more than .* files"),
    "within.zip": (folder.packed({"b.zip": folder.packed({"a.txt": folder.text(0)})}), "archive within an archive"),
    "laughs.odt": (folder.odt(0, _LOL), "entities"),
    "leak.odt": (folder.odt(0, _LEAK), "entities"),
    "no-columns.csv": (b"1,2\n3,4\n", "first row names no column"),
    "no-json.jsonl": (b"{not json\n", "not JSON"),
    "deep.jsonl": (b'{"id":' + b"[" * 100_000 + b"\n", "not JSON"),
}


def make(corpus: Path) -> None:
    """Write the folder, and beside it what is no file and must not be waited for."""
    corpus.mkdir()
    for kind, write in GOOD.items():
        for n in range(EACH):
            (corpus / f"{n}.{kind}").write_bytes(write(n))
    for name, (content, _) in BROKEN.items():
        (corpus / name).write_bytes(content)
    folder.sparse(corpus / "sparse.txt")
    os.mkfifo(corpus / "pipe.txt")
    (corpus / "device.txt").symlink_to("/dev/zero")
    (corpus / "itself.txt").symlink_to("itself.txt")
    (corpus / "round").symlink_to(corpus)


@pytest.fixture(scope="module")
def reindexed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], int]:
    """Give the index, why what was rejected, and how many KB the process took; it is stopped after five minutes."""
    base = tmp_path_factory.mktemp("folder")
    make(base / "corpus")
    command = [sys.executable, "-m", "htxsearch", "reindex", "--json", "-j", "1"]
    command += ["--corpus", str(base / "corpus"), "--index", str(base / "index")]
    peak = "import resource,subprocess,sys;r=subprocess.run(sys.argv[1:]);" + (
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr);sys.exit(r.returncode)"
    )
    done = subprocess.run([sys.executable, "-c", peak, *command], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    return base, {one["path"]: one["reason"] for one in report["rejected"]}, int(done.stderr.split()[-1])


def test_logs_of_a_parser_are_not_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "cut.pdf"
    file.write_bytes(BROKEN["cut.pdf"][0])
    assert len(list(articles_of(SourceFile(file, file.name)))) == 1
    assert caplog.records == []


def test_there_are_200_files_and_40_of_them_are_broken() -> None:
    assert (len(GOOD) * EACH, len(BROKEN) + 1) == (160, 40)


def test_every_good_file_is_in(reindexed: tuple[Path, dict[str, str], int]) -> None:
    base, _, _ = reindexed
    with Index(base / "index", corpus=base / "corpus") as index:
        ids = set(index.article_ids())
    for kind in GOOD:
        for n in range(EACH):
            name = f"{n}.{kind}"
            assert any(one == f"dong-{n}" if kind == "jsonl" else one.startswith(name) for one in ids), name
    assert len(ids) == 160


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_file_gives_its_title_and_all_of_its_text(kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"3.{kind}"
    file.write_bytes(GOOD[kind](3))
    [article] = articles_of(SourceFile(file, file.name))
    assert isinstance(article, Article), article
    assert article.title == folder.TITLE.format(n=3)
    for paragraph in folder.BODY:
        assert paragraph in article.body


def test_every_broken_file_is_named_with_a_reason(reindexed: tuple[Path, dict[str, str], int]) -> None:
    _, rejected, _ = reindexed
    reasons = {name: [why for path, why in rejected.items() if path.startswith(name)] for name in [*BROKEN, "sparse.txt"]}
    assert [name for name, why in reasons.items() if len(why) != 1] == []


@pytest.mark.parametrize("name", BROKEN)
def test_the_reason_names_the_fault(name: str, reindexed: tuple[Path, dict[str, str], int]) -> None:
    _, rejected, _ = reindexed
    [reason] = [why for path, why in rejected.items() if path.startswith(name)]
    assert re.search(BROKEN[name][1], reason), reason
    assert "Traceback" not in reason
    assert "\n" not in reason


def test_a_sparse_file_of_2_gb_is_refused_by_its_size(reindexed: tuple[Path, dict[str, str], int]) -> None:
    assert reindexed[1]["sparse.txt"].startswith("larger than 100 MB")


def test_memory_stays_bounded(reindexed: tuple[Path, dict[str, str], int]) -> None:
    assert reindexed[2] < 1_000_000, reindexed[2]


def test_nothing_of_a_file_elsewhere_is_taken_in(reindexed: tuple[Path, dict[str, str], int]) -> None:
    base, _, _ = reindexed
    host = Path("/etc/hostname")
    with Index(base / "index", corpus=base / "corpus") as index:
        assert not any(one.startswith("leak.odt") for one in index.article_ids())
    assert not host.exists() or host.read_text().strip() not in str(reindexed[1])


def test_names_that_lead_out_of_an_archive_stay_in_it(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(folder.packed({"../../ngoài.txt": folder.text(1), "/etc/x.txt": folder.text(2)}))
    found = list(articles_of(SourceFile(file, "a.zip")))
    assert len(found) == 2
    assert [one.name for one in tmp_path.iterdir()] == ["a.zip"]
    assert not (tmp_path.parent.parent / "ngoài.txt").exists()


def body_of(name: str, data: bytes, tmp_path: Path) -> str:
    file = tmp_path / name
    file.write_bytes(data)
    [found] = articles_of(SourceFile(file, name))
    return found.body if isinstance(found, Article) else f"rejected: {found.reason}"


def test_word_insertions_and_form_fields_are_read_and_deletions_are_not(tmp_path: Path) -> None:
    def run(text: str) -> str:
        return f"<w:r><w:t xml:space='preserve'>{text}</w:t></w:r>"

    data = folder.docx_of(
        f"<w:p>{run('Giỏ mây xóm Đồng')}</w:p>"
        f"<w:sdt><w:sdtPr/><w:sdtContent><w:p>{run('Ô nội dung.')}</w:p></w:sdtContent></w:sdt>"
        f"<w:p>{run('Đan ')}<w:ins>{run('ba ')}</w:ins><w:del><w:r><w:delText>hai </w:delText></w:r></w:del>"
        f"<w:sdt><w:sdtContent>{run('trăm ')}</w:sdtContent></w:sdt><w:smartTag>{run('chiếc')}</w:smartTag>{run(' giỏ.')}</w:p>"
        f"<w:tbl><w:tr><w:tc><w:p>{run('Lò')}</w:p><w:tbl><w:tr><w:tc><w:p>{run('trong lò')}</w:p></w:tc></w:tr></w:tbl></w:tc>"
        f"<w:sdt><w:sdtContent><w:tc><w:p>{run('45')}</w:p></w:tc></w:sdtContent></w:sdt></w:tr></w:tbl>"
    )
    assert body_of("a.docx", data, tmp_path) == "Ô nội dung.\nĐan ba trăm chiếc giỏ.\nLò trong lò | 45"


def test_a_table_that_claims_to_be_endlessly_wide_or_merged_is_read(tmp_path: Path) -> None:
    wide = "<w:tcPr><w:gridSpan w:val='100000000'/><w:vMerge/></w:tcPr>"
    row = f"<w:tr><w:tc>{wide}<w:p><w:r><w:t>giỏ</w:t></w:r></w:p></w:tc></w:tr>"
    data = folder.docx_of(f"<w:p><w:r><w:t>Mây</w:t></w:r></w:p><w:tbl>{3000 * row}</w:tbl>")
    assert body_of("a.docx", data, tmp_path).split() == 3000 * ["giỏ"]


def test_a_books_chapter_is_read_once_however_often_it_is_listed(tmp_path: Path) -> None:
    once = body_of("a.epub", folder.epub(1), tmp_path)
    assert body_of("b.epub", folder.epub(1, times=3), tmp_path) == once
    assert once.startswith("Phần một\n")


def test_a_saved_page_that_nests_without_end_is_rejected(tmp_path: Path) -> None:
    head = "MIME-Version: 1.0\nContent-Type: multipart/related; boundary=b0\n\n"
    parts = "".join(f"--b{n}\nContent-Type: multipart/mixed; boundary=b{n + 1}\n\n" for n in range(3000))
    assert "the saved page is damaged" in body_of("a.mht", (head + parts).encode(), tmp_path)
    brackets = f"MIME-Version: 1.0\nContent-Type: multipart/related; x={50_000 * '('}\n\nGiỏ mây"
    assert "the saved page is damaged" in body_of("b.mht", brackets.encode(), tmp_path)


def test_the_separator_that_excel_names_is_no_header(tmp_path: Path) -> None:
    assert body_of("a.csv", "sep=;\nTiêu đề;Nội dung\nGiỏ mây;Đan ba ngày.\n".encode("utf-8-sig"), tmp_path) == "Đan ba ngày."


def damaged(archive: bytes, randomness: Random) -> bytes:
    """Return an archive whose parts are damaged, or its own bytes are."""
    if randomness.random() < 0.5:
        return scratched(archive, randomness)
    with zipfile.ZipFile(io.BytesIO(archive)) as whole:
        return folder.packed({name: scratched(whole.read(name), randomness) for name in whole.namelist()})


def scratched(data: bytes, randomness: Random) -> bytes:
    found = bytearray(data)
    at = randomness.randrange(len(found) + 1)
    del found[at : at + randomness.randrange(30)]
    found[at:at] = bytes(randomness.choices(b'<>/"\\&{}()0\0', k=randomness.randrange(4)))
    return bytes(found)


@pytest.mark.parametrize("kind", ["docx", "odt", "epub", "pdf", "rtf", "html", "mhtml"])
def test_whatever_damage_there_is_a_file_is_read_or_rejected(kind: str, tmp_path: Path) -> None:
    randomness = Random(11)
    whole = GOOD[kind](1)
    for _ in range(60):
        data = damaged(whole, randomness) if kind in ("docx", "odt", "epub") else scratched(whole, randomness)
        file = tmp_path / f"a.{kind}"
        file.write_bytes(data)
        source = SourceFile(file, file.name)
        lines_for_counting(source)
        assert all(isinstance(one, Article) or str(one.reason) for one in articles_of(source))


def test_files_beside_a_page_in_an_archive_are_ignored_as_in_a_folder(tmp_path: Path) -> None:
    members: dict[str, bytes | str] = {
        "a.html": folder.page(1),
        "a_files/anh.JPG": b"\xff\xd8\xff",
        "a_files/style.css": "a{}",
        "._a.html": "x",
    }
    file = tmp_path / "a.zip"
    file.write_bytes(folder.packed(members))
    assert [one.path if isinstance(one, Rejected) else one.id for one in articles_of(SourceFile(file, "a.zip"))] == [
        "a.zip/a.html"
    ]


@pytest.mark.parametrize(
    "path", ["../ngoài.txt", ".changes.jsonl", "a/../../ngoài.txt", "/etc/passwd", "a//b.txt", "x\0.txt", ""], ids=ascii
)
def test_a_path_that_is_no_articles_leads_nowhere(tmp_path: Path, path: str) -> None:
    """An index that names it is a stranger's; corrections and removals would reach files beside the corpus."""
    (tmp_path / "corpus").mkdir()
    (tmp_path / "ngoài.txt").write_text("x", "utf-8")
    (tmp_path / "corpus" / ".changes.jsonl").write_text("{}", "utf-8")
    (tmp_path / "corpus" / "chè.txt").write_text("Chè", "utf-8")
    assert source_at(tmp_path / "corpus", path) is None
    found = source_at(tmp_path / "corpus", "chè.txt")
    assert found is not None
    assert found.path == "chè.txt"
