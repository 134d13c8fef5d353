"""What keeps an index from loss and mistakes: its corpus, plans, ignored and rejected files, progress."""

import json
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from zipfile import ZipFile

import pytest

from htxsearch import Index
from htxsearch.cli.progress import MinuteLines
from htxsearch.errors import CorpusError, IndexBusy, UsageError
from htxsearch.errors.messages import render
from htxsearch.indexing import progress as progress_module
from htxsearch.indexing.manifest import is_being_written, read_manifest, write_manifest, writer_lock
from htxsearch.indexing.progress import IndexingProgress, ProgressFile, read_progress
from htxsearch.ingest.corpus import list_corpus
from htxsearch.ingest.ignored import is_ignored

from .folders import Folders, change_manifest, lines, strays


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


# The corpus that an index was made from


def test_an_index_knows_its_corpus(folders: Folders, tmp_path: Path) -> None:
    folders.write_some(3)
    folders.update()
    other = Folders(tmp_path / "khác")
    other.write("a.txt", "Bài khác")
    with Index(folders.index, corpus=other.corpus) as index:
        for update in (index.update, lambda: index.update(rebuild=True), lambda: index.add(tmp_path / "b.txt")):
            with pytest.raises(CorpusError) as refused:
                update()
            assert refused.value.code == "corpus.other"
            assert str(folders.corpus) in str(refused.value)
            assert str(other.corpus) in str(refused.value)
            assert "--allow-other-corpus" in str(refused.value)
        assert len(index.article_ids()) == 3
        assert index.is_complete()
        assert not (other.corpus / "b.txt").exists()
        assert index.update(allow_other_corpus=True).removed == 3
        assert index.update().unchanged == 1
    with pytest.raises(CorpusError):
        folders.update()


def test_a_project_that_was_moved_keeps_its_corpus(tmp_path: Path) -> None:
    before = Folders(tmp_path / "trước")
    before.write_some(2)
    before.update()
    (tmp_path / "trước").rename(tmp_path / "sau")
    with Index(tmp_path / "sau" / "index", corpus=tmp_path / "sau" / "corpus") as index:
        assert index.update().unchanged == 2


def test_an_index_that_was_moved_alone_keeps_its_corpus(folders: Folders, tmp_path: Path) -> None:
    folders.write_some(2)
    folders.update()
    (tmp_path / "xa").mkdir()
    folders.index.rename(tmp_path / "xa" / "index")
    with Index(tmp_path / "xa" / "index", corpus=folders.corpus) as index:
        assert index.update().unchanged == 2


def test_the_corpus_of_a_manifest_without_one_is_noted(folders: Folders) -> None:
    folders.write_some(2)
    folders.update()
    change_manifest(folders.index, corpus=None, corpus_from_index=None)
    assert folders.update().unchanged == 2
    assert read_manifest(folders.index).corpus == str(folders.corpus.resolve())


# What would be lost


def test_lines_cut_off_are_losses(folders: Folders) -> None:
    rows = lines(*((f"bài-{number}", f"Vườn số {number}") for number in range(20)))
    path = folders.write_lines("a.jsonl", *rows)
    folders.update()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 4])
    with pytest.raises(CorpusError) as refused:
        folders.update()
    assert refused.value.code == "corpus.many-removed"
    assert len(folders.ids()) == 20
    path.write_bytes(whole)
    assert folders.update().unchanged == 20
    folders.write_lines("a.jsonl", *rows[:12])
    assert folders.update().removed == 8


def test_files_cut_to_nothing_are_losses(folders: Folders) -> None:
    folders.write_some(12)
    folders.update()
    for file in sorted(folders.corpus.iterdir())[:9]:
        file.write_bytes(b"")
    with pytest.raises(CorpusError):
        folders.update()
    assert len(folders.ids()) == 12
    assert folders.update(allow_removals=True).removed == 9


def test_a_file_split_in_two_loses_nothing(folders: Folders) -> None:
    rows = lines(*((f"bài-{number}", f"Vườn số {number}") for number in range(20)))
    path = folders.write_lines("a.jsonl", *rows)
    folders.update()
    path.unlink()
    folders.write_lines("b.jsonl", *rows[:10])
    folders.write_lines("c.jsonl", *rows[10:])
    assert folders.update().removed == 0
    assert len(folders.ids()) == 20


def test_a_text_found_again_under_another_id_is_no_loss(folders: Folders) -> None:
    rows = lines(*((f"bài-{number}", f"Vườn số {number}") for number in range(8)))
    path = folders.write_lines("a.jsonl", *rows)
    folders.update()
    path.unlink()
    for row in rows:
        (folders.corpus / f"{row['id']}.jsonl").write_text(json.dumps(row | {"id": f"mới-{row['id']}"}), "utf-8")
    report = folders.update()
    assert (report.added, report.removed) == (8, 8)


# Ignored files


def test_ignored_files_are_not_taken_in(folders: Folders) -> None:
    folders.write("a.txt", "Vườn chè")
    folders.write("nháp.txt", "Bản nháp")
    folders.write("cũ/b.txt", "Bài cũ")
    folders.write("tin/c.txt", "Tin mới")
    folders.write("tin/nháp/d.txt", "Nháp")
    folders.write("tin/giữ.tmp.txt", "Giữ lại")
    (folders.corpus / ".htxignore").write_text("# không cần\nnháp*\n/cũ/\n*.tmp.txt\n", "utf-8")
    (folders.corpus / "tin" / ".htxignore").write_text("!giữ.tmp.txt\n", "utf-8")
    folders.update()
    assert folders.ids() == ["a.txt", "tin/c.txt", "tin/giữ.tmp.txt"]
    assert list_corpus(folders.corpus).ignored == ["cũ/", "nháp.txt", "tin/nháp/"]
    with folders.open() as index:
        assert index.info().ignored == 3
        assert index.info().as_json()["ignored"] == 3
    paths = {"nháp.txt": True, "cũ/mới/x.txt": True, "tin/giữ.tmp.txt": False, "tin/x.tmp.txt": True, "a.txt": False}
    assert {path: is_ignored(folders.corpus, path) for path in paths} == paths


def test_an_article_ignored_later_is_removed(folders: Folders) -> None:
    folders.write_some(9)
    folders.update()
    (folders.corpus / ".htxignore").write_text("03.txt\n", "utf-8")
    assert folders.update().removed == 1
    (folders.corpus / ".htxignore").write_text("0[1-8].txt\n", "utf-8")
    with pytest.raises(CorpusError) as refused:
        folders.update()
    assert refused.value.code == "corpus.many-ignored"
    assert ".htxignore" in str(refused.value)
    assert len(folders.ids()) == 8
    (folders.corpus / ".htxignore").unlink()
    assert folders.update().added == 1


def test_a_member_of_a_mail_or_an_archive_is_ignored_by_its_name(folders: Folders) -> None:
    mail = EmailMessage()
    mail["Subject"] = "Họp tổ trồng chè"
    mail.set_content("Mai họp tổ ở nhà văn hóa xóm.")
    mail.add_attachment(b"\0\1\2", maintype="application", subtype="octet-stream", filename="logo.bin")
    folders.write("a.txt", "Vườn chè")
    (folders.corpus / "thu.eml").write_bytes(mail.as_bytes())
    with ZipFile(folders.corpus / "goi.zip", "w") as archive:
        archive.writestr("tin/b.txt", "Vườn cam của xã.")
        archive.writestr("tin/nháp.txt", "Bản nháp.")
        archive.writestr("dòng.jsonl", "hỏng\n")
    assert [one.path for one in folders.update().rejected] == ["goi.zip/dòng.jsonl:1", "thu.eml/logo.bin"]
    all_ids = ["a.txt", "goi.zip/tin/b.txt", "goi.zip/tin/nháp.txt", "thu.eml"]
    assert folders.ids() == all_ids
    for pattern in ("logo.bin", "*.bin", "thu.eml/logo.bin"):
        (folders.corpus / ".htxignore").write_text(f"{pattern}\n*.jsonl\n", "utf-8")
        assert not folders.update().rejected, pattern
    (folders.corpus / ".htxignore").write_text("*.bin\n*.jsonl\nnháp*\n", "utf-8")
    assert folders.update().removed == 1, "a member that could be read"
    (folders.corpus / ".htxignore").unlink()
    assert len(folders.update(workers=2).rejected) == 2
    assert folders.ids() == all_ids


def test_a_pattern_that_is_none_is_named(folders: Folders) -> None:
    folders.write("a.txt", "Vườn chè")
    folders.write("b.txt", "Vườn cam")
    (folders.corpus / ".htxignore").write_text("!\nb.txt\n", "utf-8")
    [rejected] = folders.update().rejected
    assert (rejected.path, rejected.reason.code) == (".htxignore:1", "file.ignore-pattern")
    assert folders.ids() == ["a.txt"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-16-be with its mark"])
def test_the_encodings_of_windows_are_read(folders: Folders, encoding: str) -> None:
    folders.write_some(3)
    text = "# không đưa vào\n01.txt\n"
    data = ("\ufeff" + text).encode("utf-16-be") if "mark" in encoding else text.encode(encoding)
    (folders.corpus / ".htxignore").write_bytes(data)
    assert (folders.update().rejected, folders.ids()) == ((), ["00.txt", "02.txt"])


UNREADABLE: list[Callable[[Path], object]] = [
    lambda file: file.write_bytes("a.*".encode("utf-16-le")),
    lambda file: file.write_bytes(b"\xff\xfea"),
    lambda file: file.write_bytes(b"th\xe1ng"),
    lambda file: file.mkdir(),
    lambda file: file.symlink_to("nowhere"),
]


@pytest.mark.parametrize("make", UNREADABLE)
@pytest.mark.parametrize("inside", ["", "riêng/"])
def test_what_an_unreadable_file_may_hide_is_not_taken_in(
    folders: Folders, tmp_path: Path, make: Callable[[Path], object], inside: str
) -> None:
    folders.write(f"{inside}cũ.txt", "Vườn cũ")
    folders.write("khác.txt", "Vườn khác")
    folders.update()
    make(folders.corpus / inside / ".htxignore")
    folders.write(f"{inside}mật.txt", "Vườn mật")
    (folders.corpus / inside / "cũ.txt").unlink()
    report = folders.update()
    assert (report.added, report.removed, report.unchanged) == (0, 0, 2)
    [rejected] = report.rejected
    assert rejected.path == f"{inside}.htxignore"
    assert rejected.reason.code in ("file.ignore-not-utf-8", "file.ignore-unreadable")
    assert is_ignored(folders.corpus, f"{inside}mới.txt")
    with folders.open() as index:
        assert index.plan().removed == ()
    if not inside:
        with pytest.raises(CorpusError):
            folders.update(rebuild=True)
    (folders.corpus / inside / ".htxignore").rename(tmp_path / "away")
    report = folders.update()
    assert (report.added, report.removed) == (1, 1)


def test_a_wrong_line_and_a_broken_link_hide_no_folder(folders: Folders) -> None:
    folders.write("a.txt", "Vườn chè")
    (folders.corpus / ".htxignore").write_text("!\n", "utf-8")
    (folders.corpus / "vòng.txt").symlink_to("vòng.txt")
    found = list_corpus(folders.corpus)
    assert [one.path for one in found.rejected] == [".htxignore:1", "vòng.txt"]
    assert found.hidden == []


def test_a_file_that_would_be_ignored_is_not_added(folders: Folders, tmp_path: Path) -> None:
    folders.write("a.txt", "Vườn chè")
    (folders.corpus / ".htxignore").write_text("b*\n", "utf-8")
    (tmp_path / "b.txt").write_text("Vườn cam của xã.", "utf-8")
    with folders.open() as index:
        added = index.add(tmp_path / "b.txt")
    assert [one.reason.code for one in added.refused] == ["file.ignored"]
    assert not (folders.corpus / "b.txt").exists()


# What was not taken in


def test_what_was_rejected_is_remembered_in_both_languages(folders: Folders) -> None:
    folders.write("a.txt", "Vườn chè")
    (folders.corpus / "hỏng.pdf").write_bytes(b"%PDF-1.4 cut")
    folders.write_lines("b.jsonl", {"id": "một", "title": "Ong"}, {"title": "Không mã"})
    reported = folders.update().rejected
    with folders.open() as index:
        kept = index.info().rejected
    assert kept == reported
    assert [one.path for one in kept] == ["b.jsonl:2", "hỏng.pdf"]
    assert render(kept[0].reason, "vi") != render(kept[0].reason, "en")
    with folders.open() as index:
        assert index.info().as_json()["rejected"][1]["path"] == "hỏng.pdf"
    (folders.corpus / "hỏng.pdf").unlink()
    folders.write_lines("b.jsonl", {"id": "một", "title": "Ong"})
    folders.update()
    with folders.open() as index:
        assert index.info().rejected == ()


# What a reindex would do


def test_a_plan_writes_nothing_and_comes_true(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        folders.write(f"{name}.txt", f"Vườn {name}")
    with monkeypatch.context() as patch, folders.open() as index:
        patch.setattr("htxsearch.text.segmenter.plain_segment", lambda _: pytest.fail("the segmenter was used"))
        plan = index.plan()
    assert plan.added == ("a.txt", "b.txt", "c.txt")
    assert not folders.index.exists()
    folders.update()
    folders.write("b.txt", "Vườn khác")
    folders.write("d.txt", "Vườn mới")
    (folders.corpus / "c.txt").unlink()
    (folders.corpus / "e.pdf").write_bytes(b"%PDF-1.4 cut")
    files = {path: path.read_bytes() for path in folders.index.rglob("*") if path.is_file()}
    with writer_lock(folders.index), folders.open() as index:
        plan = index.plan()
    assert {path: path.read_bytes() for path in folders.index.rglob("*") if path.is_file()} == files
    assert (plan.added, plan.changed, plan.removed, plan.unchanged) == (("d.txt",), ("b.txt",), ("c.txt",), 1)
    assert [one.path for one in plan.rejected] == ["e.pdf"]
    assert plan.refusal is None
    report = folders.update()
    assert (report.added, report.changed, report.removed, report.unchanged) == (1, 1, 1, 1)
    assert report.rejected == plan.rejected


def test_a_plan_says_what_would_be_refused(folders: Folders, tmp_path: Path) -> None:
    folders.write_some(12)
    folders.update()
    for file in sorted(folders.corpus.iterdir())[:9]:
        file.unlink()
    with folders.open() as index:
        refusal = index.plan().refusal
        assert refusal is not None
        assert refusal.code == "corpus.many-removed"
    other = Folders(tmp_path / "khác")
    with Index(folders.index, corpus=other.corpus) as index:
        refusal = index.plan().refusal
        assert refusal is not None
        assert refusal.code == "corpus.other"


def test_a_plan_heeds_what_is_allowed(folders: Folders, tmp_path: Path) -> None:
    folders.write_some(12)
    folders.update()
    for file in sorted(folders.corpus.iterdir())[:9]:
        file.unlink()
    with folders.open() as index:
        for rebuild in (False, True):
            refusal = index.plan(rebuild=rebuild).refusal
            assert refusal is not None
            assert refusal.code == "corpus.many-removed"
            assert index.plan(rebuild=rebuild, allow_removals=True).refusal is None
    other = Folders(tmp_path / "khác")
    other.write_some(12)
    with Index(folders.index, corpus=other.corpus) as index:
        assert index.plan(allow_other_corpus=True).refusal is None


def test_a_rebuild_that_would_lose_most_is_refused(folders: Folders, tmp_path: Path) -> None:
    folders.write_some(12)
    folders.update()
    (tmp_path / "xa").mkdir()
    for file in sorted(folders.corpus.iterdir())[:11]:
        file.rename(tmp_path / "xa" / file.name)
    with pytest.raises(CorpusError) as refused:
        folders.update(rebuild=True)
    assert refused.value.code == "corpus.many-removed"
    assert len(folders.ids()) == 12
    assert strays(folders.index) == []
    for file in (tmp_path / "xa").iterdir():
        file.rename(folders.corpus / f"mới-{file.name}")
    assert folders.update(rebuild=True).added == 12, "files that were renamed are not lost"
    for file in sorted(folders.corpus.iterdir())[:11]:
        file.unlink()
    assert folders.update(rebuild=True, allow_removals=True).added == 1


@pytest.mark.parametrize("harm", ["format", "contents", "catalogue"])
def test_of_an_index_that_cannot_be_opened_the_manifest_counts(folders: Folders, tmp_path: Path, harm: str) -> None:
    folders.write_some(12)
    folders.update()
    manifest = folders.index / "manifest.json"
    values = json.loads(manifest.read_text("utf-8"))
    data = folders.index / values["data"]
    if harm == "format":
        manifest.write_text(json.dumps(values | {"format": 1, "of-another-time": 3}), "utf-8")
    for file in data.glob({"contents": "*.toc", "catalogue": "*.blob"}.get(harm, "none")):
        file.write_bytes(b"")
    before = manifest.read_bytes()
    for file in sorted(folders.corpus.iterdir())[:11]:
        file.rename(tmp_path / file.name)
    with folders.open() as index:
        planned = index.plan(rebuild=True).refusal
        assert planned is not None
        assert planned.code == "corpus.many-fewer"
    with pytest.raises(CorpusError) as refused:
        folders.update(rebuild=True)
    assert refused.value.code == "corpus.many-fewer"
    assert (refused.value.fields["before"], refused.value.fields["now"]) == (12, 1)
    assert manifest.read_bytes() == before
    assert [path.name for path in folders.index.glob("data-*")] == [data.name]
    for file in tmp_path.glob("*.txt"):
        file.rename(folders.corpus / file.name)
    assert folders.update(rebuild=True).added == 12


# How far it is


@pytest.fixture
def under_way(folders: Folders) -> Iterator[Folders]:
    """Give an index that a run is writing, as its readers see it."""
    folders.write_some(2)
    folders.update()
    manifest = read_manifest(folders.index)
    with writer_lock(folders.index):
        write_manifest(folders.index, type(manifest)(data=manifest.data, engine=manifest.engine, segmenter=manifest.segmenter))
        ProgressFile(folders.index).report(1200, 20_000, 6.04)
        yield folders


def test_readers_see_how_far_a_run_is(under_way: Folders) -> None:
    with under_way.open() as index:
        assert index.progress() == IndexingProgress(1200, 20_000, 6.0)
        assert index.info().as_json()["indexing"] == {"done": 1200, "total": 20_000, "percent": 6.0}
        results = index.search("chè")
    assert results.hits
    assert results.hints[0].code == "hint.indexing"
    assert "1.200 trên 20.000 tệp" in render(results.hints[0], "vi")
    assert "1,200 of 20,000 files" in render(results.hints[0], "en")


def test_progress_is_forgotten_when_the_lock_is_free(folders: Folders) -> None:
    folders.write_some(2)
    folders.update()
    assert not (folders.index / "progress.json").exists()
    assert strays(folders.index) == []
    ProgressFile(folders.index).report(1, 2, 50)
    assert read_progress(folders.index) is None
    (folders.index / "progress.json").write_text("[]", "utf-8")
    with writer_lock(folders.index):
        assert read_progress(folders.index) is None


def test_a_run_notes_its_progress_and_an_empty_index_does_not_say_that_it_is_empty(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders.write_some(4)
    monkeypatch.setattr(progress_module, "_EVERY_S", 0.0)
    seen: list[IndexingProgress | None] = []
    hints: list[str] = []

    def look(_done: int, _total: int) -> None:
        with folders.open() as reader:
            seen.append(reader.progress())
            hints.append(reader.search("chè").hints[0].code)

    folders.update(progress=look)
    assert [one.done for one in seen if one] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert {one.total for one in seen if one} == {4}
    assert set(hints) == {"hint.indexing"}
    assert not (folders.index / "progress.json").exists()


def test_the_file_is_written_every_two_seconds_at_most(folders: Folders) -> None:
    folders.index.mkdir()
    now = [0.0]
    file = ProgressFile(folders.index, clock=lambda: now[0])
    with writer_lock(folders.index):
        file.report(1, 9, 10)
        now[0] = 1.9
        file.report(2, 9, 20)
        assert read_progress(folders.index) == IndexingProgress(1, 9, 10.0)
        now[0] = 2.0
        file.report(3, 9, 30)
        assert read_progress(folders.index) == IndexingProgress(3, 9, 30.0)


def test_a_second_writer_is_refused_while_a_reader_looks(folders: Folders) -> None:
    folders.write_some(1)
    folders.update()
    assert not is_being_written(folders.index)
    with writer_lock(folders.index):
        assert is_being_written(folders.index)
        with pytest.raises(IndexBusy):
            folders.update()
    assert folders.update().unchanged == 1


def test_without_a_terminal_there_is_a_line_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    now = [100.0]
    progress = MinuteLines("cli.indexing-progress", clock=lambda: now[0])
    for now[0], done in ((130, 5), (160, 10), (161, 11), (219, 20), (221, 25), (400, 50), (410, 60)):
        progress(done, 100)
    assert capsys.readouterr().err.splitlines() == [
        "indexing: 10% after 1 min",
        "indexing: 25% after 2 min",
        "indexing: 50% after 5 min",
    ]


def test_an_unknown_priority_is_named(folders: Folders) -> None:
    folders.write_some(1)
    with pytest.raises(UsageError) as refused:
        folders.update(priority="high")
    assert refused.value.code == "option.priority"
    assert folders.update(priority="normal").added == 1
