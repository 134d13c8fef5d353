"""Scans: what is recognised, kept and refused, with a program that stands in for tesseract and with tesseract itself."""

import io
import os
import shutil
import signal
import struct
import subprocess
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pypdf
import pytest
from index.folders import Folders
from scipy import ndimage

from htxsearch import Article, Rejected
from htxsearch.errors import CorpusError
from htxsearch.errors.messages import message, render
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.corpus import SourceFile, articles_of, source_files
from htxsearch.ingest.guard import reading_here
from htxsearch.ingest.readers import ocr, pdf_pages, pdf_pictures, pictures
from htxsearch.ingest.readers.ocr import Recogniser, recogniser, recognising
from htxsearch.text.tokens import tokens
from ingest.folder import drawn_lines, packed, pdf_of
from ingest.scans import FakeTesseract, Grey, drawn_page, font, grey_page, png_of, scanned_pdf, tiff_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in for tesseract is a script of sh")

FIRST = ["Nghề ong ở bản Nà Lếch", "Đàn ong về tổ đông đủ sau mùa mưa, thợ ong làm thêm thùng gỗ mới."]
SECOND = ["Mật hoa nhãn được quay từ tờ mờ sáng và bán ở chợ phiên Mường Và."]
TEXT_PAGE = pdf_of([drawn_lines(FIRST)])


@pytest.fixture(autouse=True)
def _read_here() -> Iterator[None]:
    """Read in this process: a process of its own would not see what a test puts in the place of tesseract."""
    with reading_here():
        yield


@pytest.fixture
def tesseract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTesseract:
    """Return the stand-in, which recognises the first page, then the second."""
    fake = FakeTesseract(tmp_path / "bin", lambda path: monkeypatch.setenv("PATH", path))
    fake.answer(FIRST, SECOND)
    return fake


@pytest.fixture
def no_tesseract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide tesseract."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(ocr, "_WINDOWS", ())


def read(tmp_path: Path, name: str, data: bytes) -> Article | Rejected:
    """Return the only outcome of a file."""
    file = tmp_path / name
    file.write_bytes(data)
    [outcome] = articles_of(SourceFile(file, name))
    return outcome


def article_of(tmp_path: Path, name: str, data: bytes) -> Article:
    outcome = read(tmp_path, name, data)
    assert isinstance(outcome, Article), outcome
    return outcome


def reason_of(tmp_path: Path, name: str, data: bytes) -> str:
    outcome = read(tmp_path, name, data)
    assert isinstance(outcome, Rejected), outcome
    return str(outcome.reason)


# What is recognised


def test_a_scan_is_an_article_with_pages_and_confidence(tmp_path: Path, tesseract: FakeTesseract) -> None:
    article = article_of(tmp_path, "quet.pdf", scanned_pdf([grey_page(), grey_page(180)]))
    assert article.title == FIRST[0]
    assert article.body == f"{FIRST[1]}\n{SECOND[0]}"
    assert article.pages == (0, article.body.index(SECOND[0]))
    assert article.ocr == 0.95
    assert [options.split()[:4] for options in tesseract.pages()] == [["stdin", "stdout", "-l", "vie"]] * 2


def test_a_document_may_mix_text_and_scans(tmp_path: Path, tesseract: FakeTesseract) -> None:
    tesseract.answer(SECOND)
    article = article_of(tmp_path, "lan.pdf", scanned_pdf([grey_page(), None], TEXT_PAGE))
    assert (article.title, article.body) == (FIRST[0], f"{FIRST[1]}\n{SECOND[0]}")
    assert article.page_at(article.body.index("Mật hoa")) == 2
    assert len(article.pages) == 3
    assert len(tesseract.pages()) == 1, "neither the page of text nor the empty one is recognised"


def test_the_columns_of_a_letterhead_are_told_apart(tmp_path: Path, tesseract: FakeTesseract) -> None:
    gap = 6 * " "
    head = [f"UBND XÃ NÀ LẾCH{gap}CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", f"Số: 7/BC-UBND{gap}Độc lập - Tự do - Hạnh phúc"]
    tesseract.answer([*head, "Nà Lếch, ngày 5 tháng 3 năm 2021", "BÁO CÁO", "Về nghề nuôi ong", FIRST[1]])
    article = article_of(tmp_path, "bao-cao.pdf", scanned_pdf([grey_page()]))
    assert article.title == "BÁO CÁO Về nghề nuôi ong"
    assert (str(article.date), article.number) == ("2021-03-05", "7/BC-UBND")
    assert "UBND XÃ NÀ LẾCH\n" in article.body


def test_a_page_that_shows_nothing_of_its_sheet_is_no_scan(tmp_path: Path, tesseract: FakeTesseract) -> None:
    tesseract.answer(SECOND)
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(scanned_pdf([grey_page(), grey_page()], TEXT_PAGE)))
    writer.pages[1].cropbox = pypdf.generic.RectangleObject((900, 900, 1_000, 1_000))
    cropped = io.BytesIO()
    writer.write(cropped)
    assert pdf_pages.pdf_pages(cropped.getvalue()).scans == (2,)
    assert article_of(tmp_path, "to.pdf", cropped.getvalue()).title == FIRST[0]
    assert len(tesseract.pages()) == 1


@pytest.mark.usefixtures("tesseract")
def test_few_words_over_a_scan_do_not_hide_it(tmp_path: Path) -> None:
    """A digital signature is text over the picture of the page."""
    page = grey_page()
    signed = scanned_pdf([page])
    with_text = signed_over(signed, "Ký bởi: Hợp tác xã Nà Lếch")
    article = article_of(tmp_path, "ky.pdf", with_text)
    assert FIRST[1] in article.body
    assert [(one.reason.code, one.text) for one in article.dropped] == [("dropped.over-scan", "Ký bởi: Hợp tác xã Nà Lếch")]


def signed_over(scan: bytes, text: str) -> bytes:
    """Return a scan with a line of text over its first page."""
    from io import BytesIO

    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=BytesIO(scan))
    writer.pages[0].merge_page(PdfReader(BytesIO(pdf_of([drawn_lines([text])]))).pages[0])
    found = BytesIO()
    writer.write(found)
    return found.getvalue()


def test_unsure_text_is_dropped_and_not_lost(tmp_path: Path, tesseract: FakeTesseract) -> None:
    tesseract.answer(["ñ ¬ L4 xạ"], confidence=23)
    article = article_of(tmp_path, "anh.pdf", scanned_pdf([grey_page()], TEXT_PAGE))
    assert article.body == FIRST[1]
    assert article.ocr is None
    [dropped] = article.dropped
    assert (dropped.reason, dropped.text) == (message("dropped.page-unsure", page=2, percent=23), "ñ ¬ L4 xạ")


def test_a_large_sheet_is_drawn_with_fewer_dots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_pictures, "_MOST_PIXELS", 100_000)
    head, _, rows = pdf_pictures.page_picture(scanned_pdf([grey_page()]), 0).data.partition(b" 255\n")
    width, height = map(int, head.split()[1:])
    assert len(rows) == width * height
    assert 95_000 < width * height < 101_000


def test_images_that_would_fill_the_memory_are_not_drawn(
    tmp_path: Path, tesseract: FakeTesseract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_pictures, "_MOST_IMAGE_PIXELS", 349_999)
    assert "more than 0 million dots; scan it at 300 dpi" in reason_of(tmp_path, "to.pdf", scanned_pdf([grey_page()]))
    assert tesseract.pages() == []


@pytest.mark.parametrize(("dpi", "drawn"), [(100, 100), (150, 150), (240, 240), (300, 300), (600, 300), (40, 100)])
def test_a_scan_is_recognised_with_the_dots_that_it_has(dpi: int, drawn: int) -> None:
    width, height = round(595 * dpi / 72), round(842 * dpi / 72)
    picture = pdf_pictures.page_picture(scanned_pdf([(width, height, bytes([200]) * (width * height))]), 0)
    assert picture.options == ("--dpi", str(drawn))
    found = [int(number) for number in picture.data.split(maxsplit=3)[1:3]]
    assert found == pytest.approx([595 * drawn / 72, 842 * drawn / 72], abs=2)


def test_a_page_of_outlines_is_drawn_with_300_dots() -> None:
    assert pdf_pictures.page_picture(TEXT_PAGE, 0).options == ("--dpi", "300")


def worn(picture: Grey) -> Grey:
    """Return a picture as an old machine scans it: turned a little, three of a thousand dots black."""
    width, height, rows = picture
    dots = np.frombuffer(rows, np.uint8).reshape(height, width)
    turned = ndimage.rotate(dots, -1.5, reshape=False, order=1, cval=255)
    specks = np.random.default_rng(7).random(dots.shape) < 0.003
    return width, height, np.where(specks, np.uint8(0), turned).tobytes()


def test_specks_are_removed_and_letters_stay() -> None:
    dots = np.full((200, 300), 250, np.uint8)
    dots[40:60, 40:44] = dots[40:60, 80:84] = 10  # letters
    dots[63:65, 40:43] = 10  # a point below one
    clean = dots.copy()
    dots[100:102, 20:290:6] = dots[150, 10:290:9] = 0
    dots[150:153, 200:202] = 0  # larger, apart from letters
    assert (pdf_pictures.without_specks(dots, 150) == clean).all()


def test_a_page_of_few_specks_stays_as_it_is() -> None:
    dots = np.full((200, 300), 250, np.uint8)
    dots[10:190:12, 10:290:12] = 0  # dots of a line to write on
    dots[10:190:12, 11:290:12] = dots[11:190:12, 10:290:12] = 0
    dots[5, 5] = 0
    assert pdf_pictures.without_specks(dots, 150) is dots


# What is kept


@pytest.fixture
def office(tmp_path: Path) -> Folders:
    folders = Folders(tmp_path / "office")
    (folders.corpus / "quet.pdf").write_bytes(scanned_pdf([grey_page(), grey_page(180)]))
    return folders


def test_a_page_is_recognised_once(office: Folders, tesseract: FakeTesseract) -> None:
    assert office.update().added == 1
    assert len(tesseract.pages()) == 2
    office.update(rebuild=True)
    with office.open() as index:
        assert index.dropped("quet.pdf") == ()
        assert index.show("quet.pdf").article.ocr == 0.95
    (office.corpus / "ban-sao.pdf").write_bytes((office.corpus / "quet.pdf").read_bytes())
    assert office.update().added == 1
    assert len(tesseract.pages()) == 2, "the same bytes under another name are known, too"


def test_a_dry_run_uses_what_is_kept_and_keeps_nothing(office: Folders, tesseract: FakeTesseract) -> None:
    with office.open() as index:
        assert index.plan().added == ("quet.pdf",)
        assert not index.path.exists()
    office.update()
    done = len(tesseract.pages())
    with office.open() as index:
        assert index.plan(rebuild=True).added == ("quet.pdf",)
    assert len(tesseract.pages()) == done


@pytest.mark.parametrize("harm", ["cut", "changed", "folder", "gone", "list"])
def test_nothing_that_is_kept_is_trusted(office: Folders, tesseract: FakeTesseract, harm: str) -> None:
    office.update()
    with office.open() as index:
        before = index.show("quet.pdf").article
    kept = sorted((office.index / "ocr").iterdir())
    assert len(kept) == 2
    for file in kept:
        data = file.read_bytes()
        if harm in ("folder", "gone"):
            file.unlink()
        if harm == "folder":
            file.mkdir()
        if harm in ("cut", "changed", "list"):
            file.write_bytes({"cut": data[:-9], "changed": data.replace(b"0.95", b"0.96"), "list": b"[1]"}[harm])
    tesseract.forget()
    office.update(rebuild=True)
    assert len(tesseract.pages()) == 2
    with office.open() as index:
        assert index.show("quet.pdf").article == before


def test_another_version_recognises_again(office: Folders, tesseract: FakeTesseract) -> None:
    office.update()
    tesseract.install(version="10.0")
    office.update(rebuild=True)
    assert len(tesseract.pages()) == 4
    assert len(list((office.index / "ocr").iterdir())) == 2, "the text of the old version is replaced"


def test_what_was_left_out_of_a_scan_is_known_without_recognising(office: Folders, tesseract: FakeTesseract) -> None:
    office.update()
    tesseract.install(version="10.0")
    with office.open() as index:
        assert index.dropped("quet.pdf") == ()
        kept, other = sorted((office.index / "ocr").iterdir())
        kept.unlink()
        with pytest.raises(CorpusError) as refused:
            index.dropped("quet.pdf")
        other.unlink()
        with pytest.raises(CorpusError):
            index.dropped("quet.pdf")
    assert refused.value.code == "article.scan-not-kept"
    assert len(tesseract.pages()) == 2


def test_text_that_no_file_needs_is_removed(office: Folders, tesseract: FakeTesseract) -> None:
    copy = office.corpus / "ban-sao.zip"
    copy.write_bytes(packed({"quet.pdf": (office.corpus / "quet.pdf").read_bytes()}))
    office.update()
    for gone in ("quet.pdf", "ban-sao.zip"):
        assert len(list((office.index / "ocr").iterdir())) == 2
        (office.corpus / gone).unlink()
        office.update(allow_removals=True)
    assert list((office.index / "ocr").iterdir()) == []
    assert len(tesseract.pages()) == 2


def test_after_an_interruption_the_pages_done_are_not_done_again(
    office: Folders, tesseract: FakeTesseract, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognised = Recogniser._recognised

    def interrupted(self: Recogniser, *given: object) -> ocr.RecognisedPage:
        if tesseract.pages():
            raise KeyboardInterrupt
        return recognised(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Recogniser, "_recognised", interrupted)
    with pytest.raises(KeyboardInterrupt):
        office.update()
    monkeypatch.undo()
    assert len(tesseract.pages()) == 1


@pytest.mark.usefixtures("tesseract")
def test_what_is_left_after_half_an_hour_is_done_by_the_next_run(office: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(ocr, "_LONGEST_FILE_S", -1.0)
        [rejected] = office.update().rejected
    assert "0 of 2 pages are done and kept; `htxsearch reindex` goes on" in str(rejected.reason)
    assert office.update().added == 1


def test_the_pictures_of_an_archive_share_its_time(
    tmp_path: Path, tesseract: FakeTesseract, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each clock reading is ten minutes later: the file begins, then each picture looks at the clock."""
    folders = Folders(tmp_path / "office")
    names = [f"{number}.png" for number in range(6)]
    (folders.corpus / "anh.zip").write_bytes(
        packed({name: png_of(grey_page(100 + number)) for number, name in enumerate(names)})
    )
    clock = iter(range(0, 100_000, 600))
    with monkeypatch.context() as patch:
        patch.setattr("htxsearch.ingest.readers.ocr.time.monotonic", lambda: float(next(clock)))
        report = folders.update()
    assert (report.added, len(report.rejected)) == (3, 3)
    assert len(tesseract.pages()) == 3
    assert folders.update().added == 3


def test_two_indexes_in_a_process_keep_their_own(tmp_path: Path) -> None:
    first, second = Recogniser(tmp_path / "a"), Recogniser(tmp_path / "b")
    with recognising(first):
        assert recogniser() is first
        with recognising(second):
            assert recogniser() is second
        assert recogniser() is first
    assert recogniser().folder is None


def test_the_pages_of_a_scan_are_progress(office: Folders, tesseract: FakeTesseract) -> None:
    assert tesseract.pages() == []
    seen: list[tuple[int, int]] = []
    office.update(progress=lambda done, total: seen.append((done, total)))
    size = (office.corpus / "quet.pdf").stat().st_size
    assert seen[:2] == [(size // 2, size), (size, size)]
    assert seen == sorted(seen)


def test_a_folder_that_cannot_be_written_stops_nothing(
    tmp_path: Path, tesseract: FakeTesseract, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "ocr").write_text("")
    with recognising(Recogniser(tmp_path / "ocr")):
        assert article_of(tmp_path, "quet.pdf", scanned_pdf([grey_page()])).ocr == 0.95
    assert len(caplog.records) == len(tesseract.pages()) == 1


# What is refused


@pytest.mark.usefixtures("no_tesseract")
@pytest.mark.parametrize(
    ("name", "data"),
    [("quet.pdf", scanned_pdf([grey_page()])), ("quet.png", png_of(grey_page())), ("quet.tif", tiff_of([grey_page()]))],
    ids=["pdf", "png", "tiff"],  # not the bytes, since a PDF has a new identifier every time
)
def test_without_tesseract_a_scan_is_refused_with_the_way_to_install_it(tmp_path: Path, name: str, data: bytes) -> None:
    reason = reason_of(tmp_path, name, data)
    assert "picture" in reason
    assert "tesseract, the program that recognises text, is not installed" in reason
    assert all(way in reason for way in ("apt install tesseract-ocr tesseract-ocr-vie", "brew install", "Windows https://"))


def test_without_vietnamese_no_other_language_is_taken(tmp_path: Path, tesseract: FakeTesseract) -> None:
    tesseract.install(languages="eng osd")
    reason = reason_of(tmp_path, "quet.pdf", scanned_pdf([grey_page()]))
    assert "without its data for Vietnamese (vie); install it: Debian/Ubuntu `sudo apt install tesseract-ocr-vie`" in reason
    assert tesseract.pages() == []


@pytest.mark.usefixtures("no_tesseract")
def test_the_text_of_a_mixed_document_is_read_without_tesseract_and_the_rest_once_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = Folders(tmp_path / "office")
    (folders.corpus / "lan.pdf").write_bytes(scanned_pdf([grey_page()], TEXT_PAGE))
    for _ in range(2):
        report = folders.update()
        [doubtful] = report.doubtful
        assert doubtful.path == "lan.pdf"
        assert str(doubtful.reason).startswith("1 page was not read (page 2): tesseract, the program")
    monkeypatch.undo()
    fake = FakeTesseract(tmp_path / "bin", lambda path: monkeypatch.setenv("PATH", path))
    fake.answer(SECOND)
    report = folders.update()
    assert (report.changed, report.doubtful) == (1, ())
    assert folders.found("mật hoa nhãn") == ["lan.pdf"]
    assert folders.update().unchanged == 1
    assert len(fake.pages()) == 1


def test_a_page_without_end_is_stopped(tmp_path: Path, tesseract: FakeTesseract, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = tmp_path / "pid"
    tesseract.install(does=f'echo $$ > "{pid}.new"; mv "{pid}.new" "{pid}"; exec tail -f /dev/null')
    monkeypatch.setattr(ocr, "_LONGEST_PAGE_S", 1.0)
    article = article_of(tmp_path, "lan.pdf", scanned_pdf([grey_page()], TEXT_PAGE))
    [dropped] = article.dropped
    told = "page 2 is a picture that was not read: recognising the page takes more than 1 s; "
    assert str(dropped.reason).startswith(told)
    if pid.exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), signal.SIGTERM)


def test_an_interruption_ends_the_program(tmp_path: Path, tesseract: FakeTesseract, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def interrupted(self: subprocess.Popen[bytes], *_: object, **__: object) -> None:
        started.append(self)
        raise KeyboardInterrupt

    tesseract.install(does="exec tail -f /dev/null")
    assert recogniser().program()
    with recognising(Recogniser()) as _, monkeypatch.context() as patch:
        recogniser().program()
        patch.setattr(subprocess.Popen, "communicate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            read(tmp_path, "quet.pdf", scanned_pdf([grey_page()]))
    assert [process.wait() for process in started] == [-signal.SIGKILL]


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("echo 'no memory' >&2; exit 3", "tesseract failed (no memory)"),
        ("exit 3", "tesseract failed (exit 3)"),
        ("echo nonsense", "tesseract failed (no table)"),
        ("printf '5\\t1\\t1\\t1\\t1\\t1\\tx\\t1\\t1\\t1\\t90\\tong\\n'", "tesseract failed (invalid literal"),
        ("true", "tesseract failed (no table)"),
    ],
)
def test_a_program_that_fails_is_named(tmp_path: Path, tesseract: FakeTesseract, does: str, said: str) -> None:
    tesseract.install(does=does)
    assert said in reason_of(tmp_path, "quet.pdf", scanned_pdf([grey_page()]))


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path, tesseract: FakeTesseract) -> None:
    (tesseract.folder / "tesseract").write_bytes(b"\x7fELF is no program")
    assert "tesseract failed (Exec format error)" in reason_of(tmp_path, "quet.pdf", scanned_pdf([grey_page()]))


@pytest.mark.usefixtures("no_tesseract")
def test_the_installer_of_windows_does_not_tell_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeTesseract(tmp_path / "Tesseract-OCR", lambda _: None)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(ocr, "_WINDOWS", (fake.folder / "tesseract",))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert recogniser().program().version == "tesseract 9.9"


def test_the_reasons_are_worded_in_vietnamese() -> None:
    reason = message("file.pdf-scan", reason=message("ocr.missing"))
    assert "chưa cài tesseract" in render(reason, "vi")
    assert "apt install" not in render(reason, "vi", audience="page")


# Pictures


def test_a_picture_is_a_page(tmp_path: Path, tesseract: FakeTesseract) -> None:
    article = article_of(tmp_path, "quet.png", png_of(grey_page()))
    assert (article.title, article.body, article.pages, article.ocr) == (*FIRST, (0,), 0.95)
    assert len(tesseract.pages()) == 1


def test_a_tiff_has_as_many_pages_as_were_scanned(tmp_path: Path, tesseract: FakeTesseract) -> None:
    article = article_of(tmp_path, "quet.tiff", tiff_of([grey_page(), grey_page(180)]))
    assert article.pages == (0, article.body.index(SECOND[0]))
    assert [options.split()[-1] for options in tesseract.pages()] == ["tessedit_page_number=0", "tessedit_page_number=1"]


JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\0" + bytes(9) + b"\xff\xff\xc0\x00\x11\x08" + struct.pack(">HH", 700, 500) + bytes(10)


def test_a_jpeg_is_known_by_its_frame(tmp_path: Path, tesseract: FakeTesseract) -> None:
    assert pictures._sizes(JPEG) == pictures._sizes(JPEG[:2] + b"\xff" * 1_000_000 + JPEG[2:]) == [(500, 700)]
    assert article_of(tmp_path, "quet.jpg", JPEG).body == FIRST[1]
    assert len(tesseract.pages()) == 1


@pytest.mark.parametrize("cut", range(2, len(JPEG) - 10))
def test_a_damaged_picture_is_refused(cut: int) -> None:
    with pytest.raises(Unreadable, match="damaged"):
        pictures._sizes(JPEG[:cut])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (png_of((20, 20, bytes(400))), "too small"),
        (png_of(grey_page())[:20], "damaged"),
        (tiff_of([grey_page()])[:60], "damaged"),
        (png_of(grey_page()).replace(struct.pack(">II", 500, 700), struct.pack(">II", 60_000, 60_000)), "million dots"),
        (tiff_of([(999, 999, b"")] * 501), "pages; split"),
        (b"II*\0" + struct.pack("<I", 8) + struct.pack("<HHHIIHHIII", 2, 256, 4, 1, 999, 257, 4, 1, 999, 8), "damaged"),
        (b"II*\0" + struct.pack("<IH", 8, 60_000) + bytes(12 * 60_000), "damaged"),
        (b"\xff\xd8" + b"\xff" * 1_000_000, "damaged"),
        (JPEG[:2] + b"\xff\xe0\0\x02" * 20_000 + JPEG[2:], "damaged"),
        (png_of(grey_page()).replace(struct.pack(">II", 500, 700), struct.pack(">II", 2**31, 9)), "picture is damaged"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(40, 250)), "picture is damaged"),
    ],
)
def test_a_picture_that_is_no_page_is_refused(tmp_path: Path, tesseract: FakeTesseract, data: bytes, said: str) -> None:
    assert said in reason_of(tmp_path, "anh.tif", data)
    assert tesseract.pages() == []


def test_a_picture_without_words_is_refused(tmp_path: Path, tesseract: FakeTesseract) -> None:
    tesseract.answer(["~ ñ"], ["~ ñ"], confidence=20)
    assert "no text was recognised" in reason_of(tmp_path, "anh.png", png_of(grey_page()))
    assert "no text was recognised" in reason_of(tmp_path, "anh.pdf", scanned_pdf([grey_page()]))


def test_pictures_of_a_saved_page_are_no_scans(tmp_path: Path) -> None:
    for name in ("Tin_files/logo.png", "Tin_files/anh.jpg", "van-ban/trang-1.png"):
        (tmp_path / "kho" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "kho" / name).write_bytes(png_of(grey_page()))
    assert [source.path for source in source_files(tmp_path / "kho")[0]] == ["van-ban/trang-1.png"]


def test_the_pictures_of_a_page_in_an_archive_are_no_scans(tmp_path: Path, tesseract: FakeTesseract) -> None:
    picture = png_of(grey_page())
    page = f"<html><body><article><h1>{FIRST[0]}</h1><p>{FIRST[1]}</p></article></body></html>"
    members: dict[str, dict[str, bytes | str]] = {
        "tin.zip": {"tin.html": page, "anh/a.png": picture},
        "quet.zip": {"a.png": picture},
    }
    ids = []
    for name, content in members.items():
        (tmp_path / name).write_bytes(packed(content))
        ids += [one.id for one in articles_of(SourceFile(tmp_path / name, name)) if isinstance(one, Article)]
    assert ids == ["tin.zip/tin.html", "quet.zip/a.png"]
    assert len(tesseract.pages()) == 1


# tesseract itself

TRUTH = """Hợp tác xã nuôi ong Nà Lếch
Buổi sáng ở bản Nà Lếch thường bắt đầu bằng tiếng gõ thùng gỗ của
những người thợ nuôi ong. Năm ngoái, ba mươi bảy hộ góp vốn lập hợp
tác xã, mỗi hộ giữ từ mười lăm đến hai mươi đàn. Chị Lò Thị Phương kể
rằng lúc đầu ai cũng ngại: đường dốc, xe không lên được, mật bán lẻ ở
chợ chỉ đủ đổi gạo và muối. Đến tháng tư, khi hoa nhãn nở trắng triền
đồi, cả bản quay được một nghìn hai trăm lít mật, gấp rưỡi mọi năm.
Ban chủ nhiệm đã kẻ sổ, ghi rõ ngày quay, loài hoa, độ thủy phần và
tên người giữ thùng. Nhờ vậy khách ở dưới xuôi hỏi đến đâu trả lời
được đến đấy; chai nào lẫn nước mưa thì bị trả lại ngay. Cuối vụ, hợp
tác xã trích quỹ dự phòng mười phần trăm, còn lại chia theo công và
theo số đàn đã góp. Ông Vàng A Sử, trưởng bản, bảo: giữ rừng thì ong
ở, phá rừng thì ong đi; bởi thế hương ước mới cấm đốt nương gần khe
nước và dặn trẻ nhỏ chớ chọc tổ. Kỹ thuật cũng đổi khác: thợ trẻ học
cách tách chúa, kẹp cầu, chống rét bằng rơm khô và giấy dầu, ghi chép
nhiệt độ từng tuần. Sang năm, họ dự định mở thêm điểm thu mua ở ngã
ba Suối Bẻ, sắm máy hạ thủy phần và in nhãn có ảnh của từng hộ. Điều
khó nhất, theo lời kế toán Quàng Văn Chiễu, vẫn là vốn lưu động: mỗi
vụ cần chừng bốn trăm triệu đồng để ứng trước, trong khi ngân hàng
đòi thế chấp mà đất ở bản phần nhiều chưa có sổ. Dẫu vậy, xe tải nhỏ
đầu tiên đã chở mật ra tỉnh vào sáng thứ bảy, giữa tiếng cười giòn
giã của lũ trẻ chạy theo đến tận cầu treo.""".split("\n")


def has_tesseract() -> bool:
    try:
        return bool(Recogniser().program())
    except Unreadable:
        return False


real = pytest.mark.skipif(
    not (has_tesseract() and font()), reason="tesseract with Vietnamese (tesseract-ocr-vie) or DejaVu Serif is not installed"
)
FLOOR = 0.97


def right_share(truth: list[str], article: Article) -> float:
    """Return the share of the syllables of a text that were read with all their diacritics, in order."""
    wanted = [token.term for token in tokens(" ".join(truth))]
    found = [token.term for token in tokens(f"{article.title}\n{article.body}")]
    blocks = SequenceMatcher(None, wanted, found, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(wanted)


@real
@pytest.mark.parametrize("kind", ["pdf", "png", "tif"])
def test_a_clean_scan_is_read_with_its_diacritics(tmp_path: Path, kind: str) -> None:
    page = drawn_page(TRUTH)
    data = {"pdf": lambda: scanned_pdf([page]), "png": lambda: png_of(page), "tif": lambda: tiff_of([page])}[kind]()
    article = article_of(tmp_path, f"quet.{kind}", data)
    assert right_share(TRUTH, article) >= FLOOR
    assert article.ocr is not None
    assert article.ocr > 0.9


@real
def test_the_letterhead_of_a_speckled_scan_of_few_dots_is_read(tmp_path: Path) -> None:
    head: list[str | tuple[float, str]] = [
        "UBND HUYỆN MƯỜNG VÀ", (280, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"),
        "Số: 12/BC-UBND", (330, "Độc lập - Tự do - Hạnh phúc"),
        "", (300, "Mường Và, ngày 5 tháng 3 năm 2021"),
        "", (250, "BÁO CÁO"), "", (170, "Tình hình nuôi ong của các hợp tác xã"), "",
        "Thực hiện kế hoạch năm 2021, hợp tác xã báo cáo như sau.", *TRUTH[1:6],
    ]  # fmt: skip
    article = article_of(tmp_path, "bao-cao.pdf", scanned_pdf([worn(drawn_page(head, dpi=150, size=11))]))
    assert article.title == "BÁO CÁO Tình hình nuôi ong của các hợp tác xã"
    assert (str(article.date), article.number) == ("2021-03-05", "12/BC-UBND")
