"""Files that cost too much to read are rejected with the reason; what was read before them, and all other files, stay."""

import io
import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htxsearch import Article, Index, Rejected
from htxsearch.ingest import guard
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.corpus import SourceFile, articles_of
from htxsearch.ingest.guard import guarded, reading_here
from htxsearch.ingest.readers import reader_of
from htxsearch.ingest.readers.budget import Budget, Exhausted, budget, is_light, within
from ingest import burning
from ingest.test_folder import GOOD as KINDS

TEXT = "Xưởng mây ở xóm trên mở lớp đan giỏ cho những người mới vào nghề."
limited = pytest.mark.skipif(sys.platform != "linux", reason="the system has no such limits")


def word(xml: str = "", text: str = TEXT) -> bytes:
    """Return a Word document with a paragraph, and markup behind it."""
    made = docx.Document()
    made.add_paragraph(text)
    plain, found = io.BytesIO(), io.BytesIO()
    made.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "word/document.xml":
                data = data.replace(b"<w:sectPr", xml.encode() + b"<w:sectPr", 1)
            new.writestr(name, data)
    return found.getvalue()


def archive(*members: bytes, suffix: str = "docx") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for number, data in enumerate(members):
            new.writestr(f"{number}.{suffix}", data)
    return made.getvalue()


def read(folder: Path, name: str, data: bytes) -> list[Article | Rejected]:
    (folder / name).write_bytes(data)
    return list(articles_of(SourceFile(folder / name, name)))


def code_of(error: Unreadable) -> str:
    return error.message.code


@limited
@pytest.mark.parametrize(
    ("reader", "code"),
    [
        (burning.endless, "file.budget-seconds"),
        (burning.filling, "file.budget-memory"),
        (burning.aborting, "file.budget-memory"),
    ],
)
def test_a_reader_that_costs_too_much_is_ended_and_the_next_runs(reader: Callable[[], Iterator[int]], code: str) -> None:
    allowed = Budget(seconds=0.2, memory=32 << 20)
    found = guarded(reader, allowed=allowed)
    assert next(found) == 1  # what was read before stays
    with pytest.raises(Unreadable) as caught:
        next(found)
    assert code_of(caught.value) == code
    assert len(list(guarded(burning.process, allowed=Budget(seconds=10)))) == 1


def test_a_reader_that_waits_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_LONGEST_PAGE_S", 0.5)
    with pytest.raises(Unreadable):
        list(guarded(burning.asleep, allowed=Budget(seconds=0.0)))


def test_one_process_serves_files_one_after_another() -> None:
    first = list(guarded(burning.process, allowed=Budget(seconds=10)))
    assert first == list(guarded(burning.process, allowed=Budget(seconds=10))) != [os.getpid()]
    with reading_here():
        assert list(guarded(burning.process, allowed=Budget(seconds=10))) == [os.getpid()]


def test_a_reader_that_is_left_half_way_answers_nobody_else() -> None:
    left = guarded(burning.endless, allowed=Budget(seconds=10))
    assert next(left) == 1
    left.close()  # type: ignore[attr-defined]
    [other] = guarded(burning.process, allowed=Budget(seconds=10))
    assert other != os.getpid()


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_reads_the_same_in_either_process(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = KINDS[kind](7)
    with reading_here():
        here = read(tmp_path, f"tin.{kind}", data)
    monkeypatch.setattr("htxsearch.ingest.corpus._is_light", lambda *_: False)
    there = read(tmp_path, f"tin.{kind}", data)
    assert there == here
    assert [getattr(one, "dropped", ()) for one in there] == [getattr(one, "dropped", ()) for one in here]


def test_all_archives_in_a_mail_share_its_budget(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["Subject"] = "Lớp đan giỏ"
    mail.set_content(TEXT)
    packed = archive((f"{TEXT}\n" * 11_000).encode(), suffix="txt")  # a megabyte
    for number in range(6):
        mail.add_attachment(packed, maintype="application", subtype="zip", filename=f"{number}.zip")
    found = read(tmp_path, "thu.eml", mail.as_bytes())
    assert [one.id for one in found if isinstance(one, Article)][:2] == ["thu.eml", "thu.eml/0.zip/0.txt"]
    assert [(one.path, one.reason.code) for one in found if isinstance(one, Rejected)] == [("thu.eml", "file.budget-unpacked")]
    assert len(found) < 7


def test_an_archive_in_a_mail_spends_the_budget_of_the_mail() -> None:
    spent: list[float] = []

    def reader() -> Iterator[None]:
        for _ in range(2):
            list(reader_of(archive(word()), "a.zip")(archive(word())))
            spent.append(budget().unpacked)
            yield

    list(within(Budget(unpacked=1e9), reader()))
    assert spent[1] < spent[0] < 1e9 - len(TEXT)


@pytest.mark.parametrize(
    ("allowed", "code"),
    [
        (Budget(unpacked=100), "file.budget-unpacked"),
        (Budget(seconds=0.0), "file.budget-seconds"),
    ],
)
def test_a_spent_budget_is_told(allowed: Budget, code: str) -> None:
    data = archive(word())
    with pytest.raises(Exhausted) as caught:
        list(within(allowed, reader_of(data, "a.zip")(data)))
    assert code_of(caught.value) == code


def test_texts_without_end_are_told() -> None:
    with pytest.raises(Exhausted) as caught:
        Budget(characters=10).write(11)
    assert code_of(caught.value) == "file.budget-text"


def test_a_text_that_is_too_long_for_an_article_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("htxsearch.ingest.readers.LONGEST_ARTICLE", 1_000)
    [found] = read(tmp_path, "dai.txt", f"Tin\n{TEXT * 30}\n".encode())
    assert isinstance(found, Rejected)
    assert found.reason.code == "file.article-too-long"


@limited
def test_other_files_of_a_folder_are_read_beside_one_that_costs_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["htxsearch.ingest.readers.budget"], "_MEMORY", 24 << 20)
    root = tmp_path / "corpus"
    root.mkdir()
    (root / "a.txt").write_text(f"Tin\n{TEXT}\n", "utf-8")
    (root / "b.docx").write_bytes(word("<w:p><w:r><w:t>a</w:t></w:r></w:p>" * 120_000))
    (root / "c.txt").write_text(f"Tin\n{TEXT}\n", "utf-8")
    with Index(tmp_path / "index", corpus=root) as index:
        report = index.update()
    assert report.added == 2
    assert [(one.path, one.reason.code) for one in report.rejected] == [("b.docx", "file.budget-memory")]


@pytest.mark.parametrize(
    ("kind", "data", "light"),
    [
        ("plain", b"a" * 1000, True),
        ("plain", b"a" * 2_000_000, False),
        ("json_lines", b"{}\n" * 1_000_000, True),
        ("json_lines", b"a" * 2_000_000, False),
        ("page", b"<p>a</p>", True),
        ("page", b"<p " + b"a=b " * 10_000 + b">", False),
        ("docx", word(), True),
        ("docx", word("<w:p/>" * 300_000), False),
        ("pdf", b"%PDF-1.4", False),
        ("archive", archive(b"a"), False),
    ],
    ids=lambda value: f"{len(value)} bytes" if isinstance(value, bytes) else str(value),  # a ZIP file has the time in it
)
def test_only_what_costs_little_is_read_here(kind: str, data: bytes, light: bool) -> None:
    assert is_light(kind, data) is light


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_larger_file_has_no_smaller_budget(one: int, other: int) -> None:
    small, large = (Budget.for_file(size) for size in sorted((one, other)))
    assert small.unpacked <= large.unpacked
    assert (small.characters, small.seconds, small.memory) <= (large.characters, large.seconds, large.memory)
