"""Removing articles and putting them back: nothing is lost wherever it stops; what cannot be put back, and why."""

import datetime
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from htxsearch.errors import CorpusError, IndexBusy, IndexDamaged, UnknownArticle, UsageError
from htxsearch.indexing import trash as trash_module
from htxsearch.indexing.manifest import adding_lock, writer_lock
from htxsearch.indexing.trash import KEPT_DAYS, TRASH, Trash
from htxsearch.ingest.changes import CHANGES_FILE, read_changes

from .folders import Folders

DAY = datetime.timedelta(days=1)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    folders = Folders(tmp_path)
    folders.write_some(3)
    folders.write("sâu/" + "x" * 251 + ".txt", "Tên dài")
    folders.update()
    with folders.open() as index:
        index.edit("00.txt", source="Báo xóm", by="Lan")
    return folders


def remove(folders: Folders, article: str, now: datetime.datetime | None = None) -> str:
    with folders.open() as index:
        return Trash(index, now).remove(index.show(article).article, "Lan").key


def restore(folders: Folders, name: str, now: datetime.datetime | None = None) -> None:
    with folders.open() as index:
        Trash(index, now).restore(name, "Lan")


def files(folders: Folders) -> dict[str, bytes]:
    """Return the visible files of the corpus."""
    found = (path for path in folders.corpus.rglob("*") if path.is_file())
    named = {path.relative_to(folders.corpus).as_posix(): path.read_bytes() for path in found}
    return {name: content for name, content in named.items() if not name.startswith(".")}


def stop_at(monkeypatch: pytest.MonkeyPatch, step: int, *, after: bool) -> None:
    """Stop before or after a step that changes the disk."""
    steps = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal steps
            steps += 1
            mine = steps
            if mine == step and not after:
                raise Killed
            try:
                return real(*args, **options)
            finally:
                if mine == step:
                    raise Killed

        return call

    for name in ("rename", "replace", "fsync", "mkdir", "unlink", "rmdir"):
        monkeypatch.setattr(os, name, counted(getattr(os, name)))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("what", ["remove", "restore"])
def test_nothing_is_lost_wherever_it_stops(folders: Folders, monkeypatch: pytest.MonkeyPatch, what: str, after: bool) -> None:
    """The update is left out: it has tests of its own, and the next one takes in what the corpus has."""
    before = files(folders)
    with folders.open() as index:
        article = index.show("00.txt").article
        monkeypatch.setattr(type(index), "update", lambda *_: None)
        step, was_stopped = 0, True
        while was_stopped:
            step, was_stopped = step + 1, False
            if what == "restore":
                Trash(index).remove(article, "Lan")
            with monkeypatch.context() as patched:
                stop_at(patched, step, after=after)
                try:
                    if what == "remove":
                        Trash(index).remove(article, "Lan")
                    else:
                        Trash(index).restore("00.txt", "Lan")
                except Killed:
                    was_stopped = True
            kept = files(folders) | {"00.txt": b"", "00.txt.meta.toml": b""}
            in_trash = {path.read_bytes() for path in (folders.corpus / TRASH).rglob("*") if path.is_file()}
            assert kept.keys() == before.keys()
            for name in ("00.txt", "00.txt.meta.toml"):
                assert before[name] in in_trash or files(folders).get(name) == before[name], (step, name)
            if not (folders.corpus / "00.txt").exists():
                Trash(index).restore("00.txt", "Lan")
            else:  # not removed: what was cut off is finished by the next removal
                Trash(index).remove(article, "Lan")
                Trash(index).restore("00.txt", "Lan")
            assert files(folders) == before, step
            assert not list((folders.corpus / TRASH).iterdir()), step
    assert step > 15
    assert any(not change.done for change in read_changes(folders.corpus)), "what was stopped is shown as not finished"


def test_a_long_name_in_a_folder_goes_and_comes_back(folders: Folders) -> None:
    before = files(folders)
    name = "sâu/" + "x" * 251 + ".txt"
    remove(folders, name)
    (folders.corpus / "sâu").rmdir()
    assert name not in folders.ids()
    restore(folders, name)
    assert files(folders) == before
    assert name in folders.ids()


def test_a_link_goes_and_comes_back(folders: Folders) -> None:
    (folders.corpus / "liên kết.txt").symlink_to("sâu/thật.txt")
    folders.write("sâu/thật.txt", "Bài thật")
    folders.update()
    remove(folders, "liên kết.txt")
    remove(folders, "02.txt")  # which finishes what was cut off
    restore(folders, "liên kết.txt")
    assert os.readlink(folders.corpus / "liên kết.txt") == "sâu/thật.txt"
    assert "liên kết.txt" in folders.ids()


def test_after_thirty_days_an_article_is_not_put_back_and_then_deleted(folders: Folders) -> None:
    now = datetime.datetime.now(datetime.UTC)
    key = remove(folders, "01.txt")
    late = now + (KEPT_DAYS + 1) * DAY
    with pytest.raises(UsageError) as raised:
        restore(folders, key, late)
    assert raised.value.code == "trash.expired"
    with folders.open() as index:
        assert not Trash(index, late).listed()
        assert [one.key for one in Trash(index, now + (KEPT_DAYS - 1) * DAY).listed()] == [key]
    remove(folders, "02.txt", late)
    assert not (folders.corpus / TRASH / key).exists()


def test_a_place_that_is_taken_keeps_its_file(folders: Folders) -> None:
    remove(folders, "01.txt")
    folders.write("01.txt", "Bài khác")
    with pytest.raises(UsageError) as raised:
        restore(folders, "01.txt")
    assert raised.value.code == "trash.taken"
    assert "Bài khác" in (folders.corpus / "01.txt").read_text("utf-8")
    (folders.corpus / "01.txt").unlink()
    restore(folders, "01.txt")
    assert "01.txt" in folders.ids()


def test_a_file_that_changed_since_it_was_indexed_is_not_removed_unseen(folders: Folders) -> None:
    folders.write_lines("một.jsonl", {"id": "một", "title": "Một", "text": "Bà con trồng dứa."})
    folders.update()
    folders.write("01.txt", "Tổ trồng cam 01", "Nay hợp tác xã đã khác.")
    folders.write_lines("một.jsonl", *({"id": one, "title": one, "text": "Bà con trồng dứa."} for one in ("một", "hai")))
    before = files(folders)
    for article in ("01.txt", "một"):
        with pytest.raises(UsageError) as raised:
            remove(folders, article)
        assert raised.value.code == "trash.changed"
    assert files(folders) == before
    assert [change.what for change in read_changes(folders.corpus)] == ["edit"], "of what was not begun there is no line"
    folders.update()
    remove(folders, "01.txt")
    restore(folders, "01.txt")
    assert files(folders) == before


def test_a_file_of_another_time_and_a_correction_that_waits_hinder_no_removal(folders: Folders) -> None:
    os.utime(folders.corpus / "01.txt", (0, 0))
    remove(folders, "01.txt")
    later = time.time_ns() + 10**10
    folders.write("03.txt", "Tổ trồng bưởi")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: later)  # sizes and times of a file are kept when it is old enough
        folders.update()
    with folders.open() as index, writer_lock(folders.index):
        index.edit("02.txt", source="Báo xóm", by="Lan")
        Trash(index).remove(index.show("02.txt").article, "Lan")
    before = files(folders)
    assert not any(name.startswith("02.txt") for name in before)
    restore(folders, "02.txt")
    with folders.open() as index:
        assert index.show("02.txt").article.source == "Báo xóm"


def test_a_change_that_meets_a_reindex_is_made_and_waits_for_the_next_one(folders: Folders) -> None:
    with folders.open() as index:
        with writer_lock(folders.index):
            edited = index.edit("00.txt", title="Măng tây", date="07/8/2023", unset=["source"], by="Lan")
            removed = Trash(index).remove(index.show("01.txt").article, "Lan")
        assert (edited.report, removed.waits) == (None, True)
        assert {one.field: str(one.new) for one in edited.changes()} == {"title": "Măng tây", "date": "2023-08-07"}
        assert not (folders.corpus / "01.txt").exists()
        assert {"00.txt", "01.txt"} <= set(index.article_ids()), "not yet"
        assert [(one.what, one.done) for one in read_changes(folders.corpus)][:2] == [("remove", True), ("edit", True)]
        index.update()
        assert index.show("00.txt").article.title == "Măng tây"
        assert "01.txt" not in index.article_ids()
        with writer_lock(folders.index):
            assert Trash(index).restore("01.txt", "Lan").waits
        index.update()
        assert "01.txt" in index.article_ids()


def test_an_index_that_cannot_be_written_is_said_with_what_was_done(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    def update(_: object) -> None:
        raise IndexDamaged("index.damaged-file", file="x")

    with folders.open() as index:
        article = index.show("01.txt").article
        monkeypatch.setattr(type(index), "update", update)
        with pytest.raises(IndexDamaged) as raised:
            Trash(index).remove(article, "Lan")
    assert "01.txt" in str(raised.value)
    assert "is made" in str(raised.value)
    assert not (folders.corpus / "01.txt").exists()


def test_a_change_that_meets_an_addition_is_not_made(folders: Folders) -> None:
    before = files(folders)
    with folders.open() as index, adding_lock(folders.index):
        article = index.show("01.txt").article
        for change in (lambda: index.edit("01.txt", title="Măng"), lambda: Trash(index).remove(article, "Lan")):
            with pytest.raises(IndexBusy):
                change()
    assert files(folders) == before
    assert len(read_changes(folders.corpus)) == 1


def test_what_is_not_there_is_said(folders: Folders) -> None:
    with pytest.raises(UsageError) as raised:
        restore(folders, "none")
    assert raised.value.code == "trash.unknown"
    with folders.open() as index:
        article = index.show("01.txt").article
        (folders.corpus / "01.txt").unlink()
        with pytest.raises(CorpusError):
            Trash(index).remove(article, "Lan")
        with pytest.raises(UnknownArticle):
            index.show("none")


@pytest.mark.parametrize(
    "record",
    [
        "",
        "[]",
        "{}",
        '{"file": "x.txt", "article": "a", "title": "", "path": "a", "by": "", "time": "9999-12-31T00:00:00+00:00"}',
        '{"file": "../x", "article": "a", "title": "", "path": "a", "by": "", "time": "2026-01-01T00:00:00+00:00"}',
    ],
)
def test_a_record_that_was_tampered_with_moves_nothing(folders: Folders, record: str) -> None:
    place = folders.corpus / TRASH / "2026"
    place.mkdir(parents=True)
    (place / "removed.json").write_text(record, "utf-8")
    (place / "file").write_text("x", "utf-8")
    before = files(folders)
    with pytest.raises(UsageError):
        restore(folders, "2026")
    assert files(folders) == before
    assert not (folders.corpus.parent / "x").exists()


def test_a_line_of_the_log_that_was_cut_off_is_passed_over(folders: Folders) -> None:
    log = folders.corpus / CHANGES_FILE
    with log.open("ab") as file:
        file.write(b'{"id": "cut')
    remove(folders, "01.txt")
    log.write_bytes(log.read_bytes() + b'\n[1]\nnull\n\xff\n{"what": 3}\n')
    changes = read_changes(folders.corpus)
    assert [(one.what, one.by, one.done) for one in changes] == [("remove", "Lan", True), ("edit", "Lan", True)]
    assert changes[1].fields == {"source": (None, "Báo xóm")}
    assert read_changes(folders.corpus / "none") == []
    assert trash_module.TRASH not in str(folders.ids())
