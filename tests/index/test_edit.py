"""Metadata corrected by a person: `Index.edit`, and adding a file again with other metadata."""

import datetime
import os
import tomllib
from pathlib import Path

import pytest

from htxsearch.cli.render import show_edit
from htxsearch.engine.memory import MemoryEngine
from htxsearch.errors import CorpusError, IndexBusy, UnknownArticle, UsageError
from htxsearch.errors.messages import Message, render
from htxsearch.facts import units
from htxsearch.indexing.edits import Change
from htxsearch.indexing.manifest import adding_lock, writer_lock
from htxsearch.indexing.update import reindex, unobserved
from htxsearch.text import segmenter

from .folders import Folders, lines


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    folders = Folders(tmp_path)
    folders.write("tin/chè.txt", "Vườn chè", "Bà con ở tỉnh Thái Nguyên hái chè ở tỉnh Thái Nguyên.")
    folders.write_lines("nhiều.jsonl", *lines(("một", "Đàn ong"), ("hai", "Đàn gà")))
    folders.update()
    return folders


def sidecar(folders: Folders) -> Path:
    return folders.corpus / "tin" / "chè.txt.meta.toml"


def test_an_edit_is_written_and_taken_in_at_once(folders: Folders) -> None:
    with folders.open() as index:
        edited = index.edit(
            "tin/chè.txt", title="Đồi chè", date="7/8/2023", place="ha giang", author="Lý Mí Sáu", number="5/BC"
        )
        shown = index.show("tin/chè.txt").article
        found = [hit.article_id for hit in index.search("đồi", place="Hà Giang", since="2023").hits]
    assert edited.changes() == (
        Change("title", "Vườn chè", "Đồi chè"),
        Change("date", None, datetime.date(2023, 8, 7)),
        Change("place", "Thái Nguyên", "Hà Giang"),
        Change("author", None, "Lý Mí Sáu"),
        Change("number", None, "5/BC"),
    )
    assert (shown.title, shown.place, shown.place_evidence) == ("Đồi chè", "Hà Giang", None)
    assert found == ["tin/chè.txt"]
    assert edited.report is not None
    assert edited.report.changed == 1
    assert tomllib.loads(sidecar(folders).read_text("utf-8"))["date"] == datetime.date(2023, 8, 7)


def test_the_rest_of_the_metadata_file_stays_as_it_is(folders: Folders) -> None:
    sidecar(folders).write_text(
        '# của tôi\ntitle = "Cũ"  # tạm\nnote = [1, 2]\n\n[fetched]\nurl = "https://tin.example/a"\n', "utf-8"
    )
    with folders.open() as index:
        index.update()
        index.edit("tin/chè.txt", title="Mới", source="Báo Xã")
    content = sidecar(folders).read_text("utf-8")
    assert content.replace('source = "Báo Xã"\n', "") == (
        '# của tôi\ntitle = "Mới"  # tạm\nnote = [1, 2]\n\n[fetched]\nurl = "https://tin.example/a"\n'
    )
    assert tomllib.loads(content)["source"] == "Báo Xã"


def test_unset_gives_the_word_back_to_the_text(folders: Folders) -> None:
    with folders.open() as index:
        index.edit("tin/chè.txt", title="Mới", place="Hà Giang")
        edited = index.edit("tin/chè.txt", unset=["title", "place"])
        assert edited.changes() == (Change("title", "Mới", "Vườn chè"), Change("place", "Hà Giang", "Thái Nguyên"))
        before = sidecar(folders).stat().st_mtime_ns
        assert index.edit("tin/chè.txt", unset=["date"]).changes() == ()
        assert sidecar(folders).stat().st_mtime_ns == before, "nothing to write"


@pytest.mark.parametrize(
    ("fields", "unset", "code"),
    [
        ({"date": "hôm nọ"}, [], "file.not-a-date"),
        ({"place": "Quần đảo Gió"}, [], "edit.unknown-place"),
        ({"place": "Thai Nguyn"}, [], "edit.unknown-place-near"),
        ({"colour": "đỏ"}, [], "edit.unknown-field"),
        ({}, ["colour"], "edit.unknown-field"),
        ({"title": "A"}, ["title"], "edit.set-and-unset"),
        ({"title": " "}, [], "edit.empty"),
        ({"title": "ong " * 126}, [], "edit.too-long"),
        ({"url": "https://ong.example/" + "a" * 2_000}, [], "edit.too-long"),
        ({"title": "Tổ\0ong"}, [], "edit.no-text"),
        ({"author": "Pem\x1b[2J"}, [], "edit.no-text"),
        ({"source": "Báo \udcc3"}, [], "edit.no-text"),
    ],
)
def test_a_wrong_value_is_refused_in_both_languages(
    folders: Folders, fields: dict[str, str], unset: list[str], code: str
) -> None:
    with folders.open() as index, pytest.raises(UsageError) as refused:
        index.edit("tin/chè.txt", unset=unset, **fields)
    assert refused.value.code == code
    assert render(refused.value, "vi") != render(refused.value, "en")
    assert not sidecar(folders).exists()


def test_an_article_among_others_in_its_file_is_refused(folders: Folders) -> None:
    with folders.open() as index:
        with pytest.raises(UsageError) as refused:
            index.edit("một", title="Ong rừng")
        with pytest.raises(UnknownArticle):
            index.edit("không-có", title="A")
    assert refused.value.code == "edit.several"
    assert "nhiều.jsonl" in str(refused.value)
    assert not (folders.corpus / "nhiều.jsonl.meta.toml").exists()


def test_a_file_that_is_gone_or_a_broken_metadata_file_is_named(folders: Folders) -> None:
    with folders.open() as index:
        sidecar(folders).write_text("title = ", "utf-8")
        with pytest.raises(UsageError) as refused:
            index.edit("tin/chè.txt", title="A")
        assert refused.value.code == "edit.refused"
        sidecar(folders).unlink()
        (folders.corpus / "tin" / "chè.txt").unlink()
        with pytest.raises(CorpusError) as gone:
            index.edit("tin/chè.txt", title="A")
    assert gone.value.code == "article.original-gone"


@pytest.mark.parametrize("pattern", ["*.txt", "tin/", "/tin/chè.txt"])
def test_an_article_whose_file_is_ignored_by_now_is_refused_before_writing(folders: Folders, pattern: str) -> None:
    (folders.corpus / ".htxignore").write_text(f"{pattern}\n", "utf-8")
    with folders.open() as index, pytest.raises(UsageError) as refused:
        index.edit("tin/chè.txt", title="Đồi chè")
    assert refused.value.code == "edit.ignored"
    assert ".htxignore" in render(refused.value, "vi")
    assert not sidecar(folders).exists()


OFFICIAL = """ỦY BAN NHÂN DÂN XÃ NÚI
CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Độc lập - Tự do - Hạnh phúc
Số: 12/BC-UBND
BÁO CÁO
Về kinh tế tập thể
Năm nay xã có 34 hợp tác xã và 120 vườn ươm, năm trước có 30 hợp tác xã. Bà con hái chè ở Đồi Xanh.
"""


@pytest.mark.parametrize(
    "metadata",
    [{"source": "Báo xã"}, {"date": "2020-05-06"}, {"place": "Bắc Kạn", "author": "Lý Mí Sáu"}, {"title": "Đồi chè ở Xóm Núi"}],
    ids=str,
)
@pytest.mark.parametrize("text", [OFFICIAL, "Vườn chè\nBà con ở Xóm Núi có 12 vườn ươm.\nNăm 2019 có 7 vườn ươm, 3 tấn chè.\n"])
def test_a_corrected_article_is_what_a_rebuild_makes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, metadata: dict[str, str]
) -> None:
    folders = Folders(tmp_path)
    (folders.corpus / "a.txt").write_text(text, "utf-8")
    edited, made = MemoryEngine(), MemoryEngine()
    reindex(edited, folders.corpus, batch=9, progress=unobserved)
    lines = "".join(f'{name} = "{value}"\n' for name, value in metadata.items())
    (folders.corpus / "a.txt.meta.toml").write_text(lines, "utf-8")
    with monkeypatch.context() as patch:
        if "source" in metadata:
            patch.setattr(segmenter, "word_spans", None)  # nothing is segmented
            patch.setattr(units, "word_spans", None)
        elif "title" not in metadata:
            patch.setattr(segmenter, "word_spans", None)
        assert reindex(edited, folders.corpus, batch=9, progress=unobserved).changed == 1
    reindex(made, folders.corpus, batch=9, progress=unobserved)
    assert edited._documents == made._documents
    assert edited._documents["a.txt"].facts


def test_an_edit_waits_for_no_other_process(folders: Folders) -> None:
    with folders.open() as index:
        with adding_lock(folders.index), pytest.raises(IndexBusy):
            index.edit("tin/chè.txt", title="A")
        assert not sidecar(folders).exists()
        with writer_lock(folders.index):
            assert index.edit("tin/chè.txt", title="A").report is None
        assert index.show("tin/chè.txt").article.title == "Vườn chè"
        index.update()
        assert index.show("tin/chè.txt").article.title == "A"


def test_an_edit_that_waits_says_what_the_text_will_be_asked_for(folders: Folders, capsys: pytest.CaptureFixture[str]) -> None:
    with folders.open() as index:
        index.edit("tin/chè.txt", title="A")
        with writer_lock(folders.index):
            waiting = index.edit("tin/chè.txt", unset=["title"], number="5/BC")
        assert waiting.unread == ("title",)
        show_edit(waiting)
        shown = capsys.readouterr()
        assert [line.partition(": ")[2] for line in shown.out.splitlines()] == [
            f"{render(Message('info.none'), 'en')} → 5/BC",
            render(Message("cli.edit-from-text"), "en"),
        ]
        with writer_lock(folders.index):
            show_edit(index.edit("tin/chè.txt", unset=["title"]))
        assert capsys.readouterr().err == "", "not that nothing is different"
        assert index.edit("tin/chè.txt", unset=["title"]).unread == ()
        assert index.show("tin/chè.txt").article.title == "Vườn chè"


def test_the_same_file_added_with_other_metadata_gets_them(folders: Folders, tmp_path: Path) -> None:
    (tmp_path / "cam.txt").write_text("Vườn cam\nBà con hái cam.\n", "utf-8")
    with folders.open() as index:
        index.add(tmp_path / "cam.txt", metadata={"source": "Báo Xã"})
        fetched = tomllib.loads((folders.corpus / "cam.txt.meta.toml").read_text("utf-8"))["fetched"]
        again = index.add(tmp_path / "cam.txt", metadata={"title": "Mùa cam", "date": "2024-01-02"})
        assert [(one.path, one.how) for one in again.taken] == [("cam.txt", "metadata")]
        assert again.report is not None
        assert again.report.changed == 1
        article = index.show("cam.txt").article
        assert (article.title, article.date, article.source) == ("Mùa cam", datetime.date(2024, 1, 2), "Báo Xã")
        values = tomllib.loads((folders.corpus / "cam.txt.meta.toml").read_text("utf-8"))
        assert values["fetched"] == fetched
        for source in (tmp_path / "cam.txt", folders.corpus / "cam.txt"):
            assert [one.how for one in index.add(source, metadata={"title": "Mùa cam"}).taken] == ["same"]
        inside = index.add(folders.corpus / "cam.txt", metadata={"title": "Cam Cao Phong"})
        assert [one.how for one in inside.taken] == ["metadata"]
        assert index.show("cam.txt").article.title == "Cam Cao Phong"


def test_a_link_among_what_others_send_is_refused(folders: Folders, tmp_path: Path) -> None:
    (tmp_path / "của tôi.txt").write_text("Mật khẩu của xã", "utf-8")
    (tmp_path / "0").symlink_to(tmp_path / "của tôi.txt")
    (tmp_path / "1").mkdir()
    os.mkfifo(tmp_path / "2")
    (tmp_path / "3").write_text("Vườn cam", "utf-8")
    with folders.open() as index:
        sent = index.add(sent=[(f"{n}.txt", tmp_path / n) for n in "0123"], from_others=True)
    assert [one.path for one in sent.refused] == ["0.txt", "1.txt", "2.txt"]
    assert [one.path for one in sent.taken] == ["3.txt"]


def test_what_others_send_changes_nothing_that_is_there(folders: Folders, tmp_path: Path) -> None:
    (tmp_path / "gửi.txt").write_bytes((folders.corpus / "tin" / "chè.txt").read_bytes())
    with folders.open() as index:
        sent = index.add(sent=[("gửi.txt", tmp_path / "gửi.txt")], metadata={"title": "Khác"}, from_others=True)
        assert [one.how for one in sent.taken] == ["same"]
        assert index.show("tin/chè.txt").article.title == "Vườn chè"
