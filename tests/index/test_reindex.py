"""Taking in a corpus folder: what is new, changed, gone, wrong, or cut off half-way."""

import errno
import gc
import json
import os
import shutil
import stat
import subprocess
import sys
import time
import types
import unicodedata
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ingest.folder import packed
from whoosh.filedb.filestore import FileStorage

from htxsearch import Index
from htxsearch.errors import (
    CorpusError,
    HtxError,
    IndexBusy,
    IndexDamaged,
    IndexMissing,
    IndexNotReadable,
    IndexNotWritable,
    IndexOutdated,
)
from htxsearch.indexing.catalogue import Report
from htxsearch.indexing.manifest import read_manifest
from htxsearch.ingest import corpus as corpus_module
from htxsearch.ingest.corpus import SourceFile
from htxsearch.ingest.readers import rows as rows_module

from .folders import Folders, change_manifest, lines, strays


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


@pytest.fixture
def three(folders: Folders) -> Folders:
    """An index of three articles."""
    for name, title in (("a.txt", "Chè"), ("b.txt", "Cam"), ("c.txt", "Lúa")):
        folders.write(name, title)
    folders.update()
    return folders


def counts(report: Report) -> dict[str, int]:
    return {name: value for name in ("added", "changed", "removed", "unchanged", "renamed") if (value := getattr(report, name))}


def reasons(report: Report) -> dict[str, str]:
    return {file.path: str(file.reason) for file in report.rejected}


def state(folders: Folders) -> dict[str, bytes]:
    """Return every file of the index folder with its bytes, but the lock and the time of the last run."""
    return {
        path.relative_to(folders.index).as_posix(): path.read_bytes()
        for path in sorted(folders.index.rglob("*"))
        if path.is_file() and path.name not in ("writer.lock", "last-run.json")
    }


# What a run counts and does


def test_new_articles_are_added(folders: Folders) -> None:
    folders.write("a.txt", "Chè Tân Cương")
    folders.write("thư mục/b.md", "# Cam sành")
    folders.write_lines("c.jsonl", *lines(("x", "Mật ong"), ("y", "Nấm rơm")))
    report = folders.update()
    assert counts(report) == {"added": 4}
    assert report.rejected == ()
    assert report.took_s > 0
    assert folders.ids() == ["a.txt", "thư mục/b.md", "x", "y"]
    assert folders.found("mật ong") == ["x"]
    with folders.open() as index:
        assert index.is_complete()
        assert (index.info().articles, index.info().passages) == (4, 4)


def test_a_second_run_changes_nothing(three: Folders) -> None:
    before = state(three)
    report = three.update()
    assert counts(report) == {"unchanged": 3}
    assert state(three) == before
    assert strays(three.index) == []


def test_what_changed_is_changed_what_went_is_removed_what_came_is_added(three: Folders) -> None:
    three.write("a.txt", "Trà")
    (three.corpus / "b.txt").unlink()
    three.write("d.txt", "Quýt")
    report = three.update()
    assert counts(report) == {"added": 1, "changed": 1, "removed": 1, "unchanged": 1}
    assert three.ids() == ["a.txt", "c.txt", "d.txt"]
    assert three.found("chè") == three.found("cam") == []
    assert three.found("trà") == ["a.txt"]
    assert strays(three.index) == []
    assert counts(three.update()) == {"unchanged": 3}


def test_a_renamed_file_is_told(three: Folders) -> None:
    (three.corpus / "b.txt").rename(three.corpus / "z.txt")
    report = three.update()
    assert counts(report) == {"added": 1, "removed": 1, "unchanged": 2, "renamed": 1}
    assert three.ids() == ["a.txt", "c.txt", "z.txt"]
    assert three.found("cam") == ["z.txt"]


def test_a_file_that_went_is_not_renamed_because_a_copy_of_it_was_there_before(three: Folders) -> None:
    shutil.copy(three.corpus / "b.txt", three.corpus / "z.txt")
    assert counts(three.update()) == {"added": 1, "unchanged": 3}
    (three.corpus / "b.txt").unlink()
    assert counts(three.update()) == {"removed": 1, "unchanged": 3}


def test_a_touched_file_is_not_read_again(three: Folders) -> None:
    seen = []
    os.utime(three.corpus / "a.txt", (1, 1))
    assert counts(three.update(progress=lambda *done: seen.append(done))) == {"unchanged": 3}
    assert seen == []


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the files that are hashed, and let no file be too lately changed for its stamp."""
    found = []
    digest = SourceFile.digest
    monkeypatch.setattr("htxsearch.ingest.corpus._MTIME_GRANULARITY_NS", -(10**18))
    monkeypatch.setattr(SourceFile, "digest", lambda self: (found.append(self.path), digest(self))[1])  # type: ignore[func-returns-value]
    return found


def test_a_file_whose_stamp_is_as_it_was_is_not_hashed_again(folders: Folders, hashed: list[Any]) -> None:
    for name in ("a.txt", "b.txt"):
        folders.write(name, "Chè")
    folders.update()
    assert hashed == ["a.txt", "b.txt"]
    assert counts(folders.update()) == {"unchanged": 2}
    assert hashed == ["a.txt", "b.txt"]
    (folders.corpus / "b.txt.meta.toml").write_text('place = "Hà Tĩnh"\n', encoding="utf-8")
    os.utime(folders.corpus / "a.txt", (1, 1))
    assert counts(folders.update()) == {"changed": 1, "unchanged": 1}
    assert hashed == ["a.txt", "b.txt"] * 2
    folders.update()
    assert hashed == ["a.txt", "b.txt"] * 2
    (folders.corpus / "b.txt.meta.toml").unlink()
    assert counts(folders.update()) == {"changed": 1, "unchanged": 1}


@pytest.mark.usefixtures("hashed")
@pytest.mark.skipif(os.name == "nt", reason="there a file does not tell when it was last changed in any way")
def test_a_change_that_keeps_size_and_time_is_seen(folders: Folders) -> None:
    path = folders.write("a.txt", "Chè")
    before = path.stat()
    folders.update()
    time.sleep(0.02)  # the clock of a file system ticks
    folders.write("a.txt", "Cam")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert counts(folders.update()) == {"changed": 1}


def test_a_change_right_after_a_run_that_keeps_the_stamp_is_seen(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "stat", coarse(os.stat))
    folders.write("a.txt", "Chè")
    folders.update()
    folders.write("a.txt", "Cam")
    assert counts(folders.update()) == {"changed": 1}


def coarse(stat: Callable[..., Any]) -> Callable[..., Any]:
    """Return a stat by whose clock all that happened lately happened at once."""
    lately = time.time_ns()

    def coarse_stat(path: Path | str, **options: Any) -> SimpleNamespace:
        told = stat(path, **options)
        return types.SimpleNamespace(
            **{name: getattr(told, name) for name in dir(told) if name.startswith("st_")}
            | {"st_mtime_ns": lately, "st_ctime_ns": lately}
        )

    return coarse_stat


def test_progress_counts_the_bytes_of_changed_files_up_to_all_of_them(three: Folders) -> None:
    new = [three.write(f"mới {number}.txt", f"Quýt {number}") for number in range(3)]
    seen = []
    three.update(progress=lambda done, total: seen.append((done, total)))
    total = sum(path.stat().st_size for path in new)
    assert [one for _, one in seen] == [total] * len(seen)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (total, total)


def test_a_changed_line_touches_only_its_article(folders: Folders) -> None:
    rows = lines(*((f"bài-{number}", f"Vườn số {number}") for number in range(6)))
    folders.write_lines("tất cả.jsonl", *rows)
    folders.update()
    with folders.open() as index:
        before = {one: index.show(one) for one in index.article_ids()}
    rows[2] = {"id": "bài-2", "title": "Ao cá tra"}
    folders.write_lines("tất cả.jsonl", *rows[:4], *rows[5:], {"id": "bài-9", "title": "Đàn ong"})
    assert counts(folders.update()) == {"added": 1, "changed": 1, "removed": 1, "unchanged": 4}
    assert folders.ids() == ["bài-0", "bài-1", "bài-2", "bài-3", "bài-5", "bài-9"]
    assert folders.found("cá tra") == ["bài-2"]
    assert folders.found("số 4") == folders.found("số", limit=99)
    with folders.open() as index:
        assert {one: index.show(one) for one in ("bài-0", "bài-5")} == {one: before[one] for one in ("bài-0", "bài-5")}


def test_lines_in_another_order_are_unchanged(folders: Folders) -> None:
    rows = lines(("một", "Chè"), ("hai", "Cam"), ("ba", "Lúa"))
    folders.write_lines("x.jsonl", *rows)
    folders.update()
    folders.write_lines("x.jsonl", *reversed(rows))
    assert counts(folders.update()) == {"unchanged": 3}


def test_lines_that_are_as_they_were_are_not_read_again(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = lines(*((f"bài-{number}", f"Vườn số {number}") for number in range(6)))
    folders.write_lines("x.jsonl", *rows)
    folders.update()
    read = []
    parsed = rows_module._parsed
    monkeypatch.setattr(rows_module, "_parsed", lambda row, number: (read.append(row["id"]), parsed(row, number))[1])  # type: ignore[func-returns-value]
    folders.write_lines("x.jsonl", *rows[:3], {"id": "mới", "title": "Đàn ong"}, *rows[4:])
    assert counts(folders.update()) == {"added": 1, "removed": 1, "unchanged": 5}
    assert read == ["mới"]
    spaced = "".join(
        f"{json.dumps(row, ensure_ascii=False, indent=1)}\n".replace("\n ", " ").replace("\n}", "}") for row in rows
    )
    (folders.corpus / "x.jsonl").write_text(spaced, encoding="utf-8")
    assert counts(folders.update()) == {"added": 1, "removed": 1, "unchanged": 5}
    folders.write_lines("y.jsonl", *lines(("khác", "Cam")))
    (folders.corpus / "x.jsonl").write_text(f"\n{spaced}", encoding="utf-8")
    read.clear()
    assert counts(folders.update()) == {"added": 1, "unchanged": 6}
    assert read == ["khác"]


def test_a_sidecar_of_lines_counts_for_each_line(folders: Folders) -> None:
    folders.write_lines("x.jsonl", *lines(("một", "Chè"), ("hai", "Cam")))
    folders.update()
    sidecar = folders.corpus / "x.jsonl.meta.toml"
    sidecar.write_text('place = "Hà Tĩnh"\n', encoding="utf-8")
    assert counts(folders.update()) == {"changed": 2}
    with folders.open() as index:
        assert {index.show(one).article.place for one in ("một", "hai")} == {"Hà Tĩnh"}
    sidecar.unlink()
    assert counts(folders.update()) == {"changed": 2}


def test_a_file_of_lines_that_is_renamed_keeps_its_articles(folders: Folders) -> None:
    path = folders.write_lines("cũ.jsonl", *lines(("một", "Chè"), ("hai", "Cam")))
    folders.update()
    path.rename(folders.corpus / "mới.jsonl")
    report = folders.update()
    assert report.renamed == 1
    assert folders.ids() == ["hai", "một"]
    with folders.open() as index:
        assert index.show("một").article.path == "mới.jsonl"
    assert counts(folders.update()) == {"unchanged": 2}


def test_a_sidecar_counts_as_part_of_its_file(three: Folders) -> None:
    sidecar = three.corpus / "b.txt.meta.toml"
    sidecar.write_text('title = "Cam Vinh"\nplace = "Nghệ An"\ndate = 2021-11-20\n', encoding="utf-8")
    assert counts(three.update()) == {"changed": 1, "unchanged": 2}
    with three.open() as index:
        article = index.show("b.txt").article
        assert (article.title, article.place, str(article.date)) == ("Cam Vinh", "Nghệ An", "2021-11-20")
        assert [hit.article_id for hit in index.search("cam", place="Nghệ An").hits] == ["b.txt"]
    sidecar.write_text('place = "Hà Tĩnh"\n', encoding="utf-8")
    assert counts(three.update()) == {"changed": 1, "unchanged": 2}
    sidecar.unlink()
    assert counts(three.update()) == {"changed": 1, "unchanged": 2}
    with three.open() as index:
        assert index.show("b.txt").article.place is None


def test_hidden_files_and_lone_sidecars_are_passed_over(three: Folders) -> None:
    three.write(".ẩn.txt", "Chè ẩn")
    three.write(".git/x.txt", "Chè ẩn")
    (three.corpus / "lẻ.txt.meta.toml").write_text('title = "x"', encoding="utf-8")
    assert counts(three.update()) == {"unchanged": 3}


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_the_size_of_a_batch_changes_nothing_in_the_answers(folders: Folders, batch: int) -> None:
    folders.write_some(7)
    assert counts(folders.update(batch=batch)) == {"added": 7}
    found = folders.found("hợp tác xã bán chè", limit=99)
    assert sorted(found) == folders.ids()
    assert found[0] == "00.txt"
    assert folders.found("dấu03") == ["03.txt"]


def test_a_corpus_emptied_empties_the_index_if_that_is_asked_for(three: Folders) -> None:
    for path in three.corpus.iterdir():
        path.unlink()
    assert counts(three.update(allow_removals=True)) == {"removed": 3}
    assert three.ids() == []
    assert three.found("chè") == []
    assert counts(three.update()) == {}
    three.write("mới.txt", "Quýt")
    assert counts(three.update()) == {"added": 1}
    assert three.found("quýt") == ["mới.txt"]


def test_an_empty_corpus_makes_an_empty_index(folders: Folders) -> None:
    for _ in range(2):
        assert counts(folders.update()) == {}
        assert folders.found("chè") == []
        with folders.open() as index:
            assert index.is_complete()
            assert index.info().articles == 0


def test_a_missing_corpus_is_an_error_and_harms_nothing(three: Folders) -> None:
    three.corpus.rename(three.corpus.with_name("đâu đó"))
    with pytest.raises(CorpusError, match="there is no corpus folder"):
        three.update()
    assert three.ids() == ["a.txt", "b.txt", "c.txt"]


# What cannot be taken in


def test_a_file_with_an_unreadable_part_is_read_once_and_the_part_is_told_every_time(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = folders.corpus / "a.zip"
    archive.write_bytes(packed({"a.txt": "Vườn chè\nBà con hái chè.", "b.docx": b"PK\x03\x04", "c.bin": b"\0"}))
    (folders.corpus / "d.jsonl").write_text('{"id": "một", "title": "Cam"}\nkhông JSON\n', encoding="utf-8")
    first = folders.update()
    assert sorted(reasons(first)) == ["a.zip/b.docx", "a.zip/c.bin", "d.jsonl:2"]
    read = []
    bytes_of = corpus_module._bytes
    monkeypatch.setattr(corpus_module, "_bytes", lambda source: (read.append(source.path), bytes_of(source))[1])  # type: ignore[func-returns-value]
    for _ in range(2):
        folders.write("e.txt", "Vườn cam", f"Bài {len(read)}")
        again = folders.update()
        assert again.rejected == first.rejected
        assert set(read) == {"e.txt"}
    archive.write_bytes(packed({"a.txt": "Vườn chè\nBà con hái chè."}))
    assert list(reasons(folders.update())) == ["d.jsonl:2"]


def test_a_rejected_file_does_not_stop_the_run_and_is_told_every_time(folders: Folders) -> None:
    (folders.corpus / "a.txt").write_bytes(b"\xff\xfe\x00")
    (folders.corpus / "b.bin").write_bytes(b"\0")
    folders.write("c.txt", "Chè")
    (folders.corpus / "d.jsonl").write_text('{"id": "một", "title": "Cam"}\nkhông JSON\n{"title": "x"}\n', encoding="utf-8")
    (folders.corpus / "e.md").write_text("   \n\n", encoding="utf-8")
    folders.write("f.txt", "Lúa")
    (folders.corpus / "f.txt.meta.toml").write_text("không phải toml", encoding="utf-8")
    first = folders.update()
    assert counts(first) == {"added": 2}
    assert sorted(reasons(first)) == ["a.txt", "b.bin", "d.jsonl:2", "d.jsonl:3", "e.md", "f.txt"]
    assert folders.ids() == ["c.txt", "một"]
    second = folders.update()
    assert counts(second) == {"unchanged": 2}
    assert reasons(second) == reasons(first)
    (folders.corpus / "f.txt.meta.toml").unlink()
    third = folders.update()
    assert counts(third) == {"added": 1, "unchanged": 2}
    assert "f.txt" not in reasons(third)


def test_an_empty_text_file_is_told(folders: Folders) -> None:
    (folders.corpus / "a.txt").write_text("", encoding="utf-8")
    (folders.corpus / "b.txt").write_text("   \n\n", encoding="utf-8")
    assert reasons(folders.update()) == {
        "a.txt": "there is no text in it; write text into it, or get it again",
        "b.txt": "there is no text in it; write text into it, or get it again",
    }


def test_an_article_that_can_no_longer_be_read_as_one_goes(three: Folders) -> None:
    (three.corpus / "b.txt").write_bytes(b"\xff\xff")
    report = three.update()
    assert counts(report) == {"removed": 1, "unchanged": 2}
    assert list(reasons(report)) == ["b.txt"]
    three.write("b.txt", "Cam")
    assert counts(three.update()) == {"added": 1, "unchanged": 2}


def unreadable(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Let the system refuse the bytes of one file, as it does without permission or on a bad disk."""
    read = Path.read_bytes

    def refuse(self: Path) -> bytes:
        if self == path:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read(self)

    monkeypatch.setattr(Path, "read_bytes", refuse)


def test_of_an_unreadable_file_the_index_keeps_what_it_has(three: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    path = three.write("b.txt", "Cam đã khác")
    three.write("mới.txt", "Quýt")
    with monkeypatch.context() as patch:
        unreadable(patch, path)
        for expected in ({"added": 1, "unchanged": 3}, {"unchanged": 4}):
            report = three.update()
            assert counts(report) == expected
            assert list(reasons(report)) == ["b.txt"]
            assert "Permission denied" in reasons(report)["b.txt"]
            assert three.found("cam") == ["b.txt"]
            assert three.found("khác") == []
    assert counts(three.update()) == {"changed": 1, "unchanged": 3}
    assert three.found("khác") == ["b.txt"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_of_a_file_without_permission_the_index_keeps_what_it_has(three: Folders) -> None:
    path = three.write("b.txt", "Cam đã khác")
    path.chmod(0)
    report = three.update()
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    assert counts(report) == {"unchanged": 3}
    assert list(reasons(report)) == ["b.txt"]
    assert three.found("cam") == ["b.txt"]
    assert counts(three.update()) == {"changed": 1, "unchanged": 2}


def test_a_file_that_goes_during_the_run_does_not_stop_it(folders: Folders) -> None:
    folders.write_some(4)
    report = folders.update(progress=lambda *_: (folders.corpus / "02.txt").unlink(missing_ok=True))
    assert counts(report) == {"added": 3}
    assert list(reasons(report)) == ["02.txt"]
    assert folders.ids() == ["00.txt", "01.txt", "03.txt"]


@pytest.mark.parametrize("where", ["a file's name", "a line's id", "a line's text", "a line's title", "a line's source"])
def test_what_is_no_text_for_a_disk_is_rejected_and_does_not_stop_the_run(folders: Folders, where: str) -> None:
    folders.write("z.txt", "Lúa")
    if where == "a file's name":
        name = os.fsdecode(b"ch\xe8.txt")
        try:
            folders.write(name, "Chè")
        except (OSError, UnicodeError):
            pytest.skip("this file system takes only UTF-8 names")
    else:
        field = where.split()[-1]
        row = {"id": "một", "title": "Chè", "text": "Đồi chè xanh."} | {field: "hỏng \ud800 hỏng"}
        (folders.corpus / "a.jsonl").write_text(json.dumps(row), encoding="utf-8")
    for _ in range(2):
        report = folders.update()
        assert len(report.rejected) + len(folders.ids()) == 2
        assert "z.txt" in folders.ids()
        assert folders.found("lúa") == ["z.txt"]


@pytest.mark.parametrize(
    "lookup",
    [
        pytest.param(lambda index, one: index.show(one).article.id, id="show"),
        pytest.param(lambda index, one: index.find(one), id="find"),
        pytest.param(lambda index, one: index.related(one).article_id, id="related"),
    ],
)
def test_an_article_whose_file_name_is_decomposed_is_found_by_its_id(folders: Folders, lookup: Callable[..., Any]) -> None:
    folders.write(unicodedata.normalize("NFD", "bài về chè.txt"), "Chè")
    folders.update()
    with folders.open() as index:
        (one,) = index.article_ids()
        assert lookup(index, one) == one
        assert lookup(index, "bài về chè.txt") == one


def two_names(kind: str) -> list[str]:
    """Return two file names that are one to us, though not to the system."""
    if kind == "composed or not":
        return [unicodedata.normalize(form, "bài.txt") for form in ("NFC", "NFD")]
    return [os.fsdecode(name) for name in (b"ch\xe8.txt", b"ch\xe9.txt")]


@pytest.mark.parametrize("kind", ["composed or not", "no text"])
def test_of_two_files_with_one_name_to_us_one_is_taken_and_the_other_told(folders: Folders, kind: str) -> None:
    try:
        paths = [folders.write(name, title) for name, title in zip(two_names(kind), ("Chè", "Cam"), strict=True)]
    except (OSError, UnicodeError):
        pytest.skip("this file system takes only UTF-8 names")
    if len(list(folders.corpus.iterdir())) < 2:
        pytest.skip("this file system takes the two names for one")
    first = folders.update()
    assert counts(first) == {"added": 1}
    assert len(first.rejected) == 1
    assert len(folders.ids()) == 1
    second = folders.update()
    assert counts(second) == {"unchanged": 1}
    assert second.rejected == first.rejected
    for path in paths:
        path.unlink()
    assert counts(folders.update()) == {"removed": 1}
    assert folders.ids() == []
    assert folders.found("chè cam") == []


# One id in two files


def test_of_two_articles_with_one_id_the_first_by_path_counts(folders: Folders) -> None:
    folders.write_lines("a.jsonl", *lines(("một", "Chè"), ("hai", "Cam")))
    folders.write_lines("b.jsonl", *lines(("một", "Lúa"), ("ba", "Quýt")))
    for _ in range(2):
        report = folders.update()
        assert list(reasons(report)) == ["b.jsonl"]
        assert "'một'" in reasons(report)["b.jsonl"]
        assert "a.jsonl" in reasons(report)["b.jsonl"]
        assert folders.ids() == ["ba", "hai", "một"]
        assert folders.found("chè") == ["một"]
        assert folders.found("lúa") == []


def test_one_id_twice_in_a_file_is_rejected_the_second_time(folders: Folders) -> None:
    folders.write_lines("a.jsonl", *lines(("một", "Chè"), ("một", "Cam")))
    report = folders.update()
    assert counts(report) == {"added": 1}
    assert len(report.rejected) == 1
    assert folders.found("chè") == ["một"]


@pytest.mark.parametrize("how", ["file deleted", "line deleted", "id changed"])
def test_when_the_first_goes_the_second_comes_in(folders: Folders, how: str) -> None:
    first = folders.write_lines("a.jsonl", *lines(("một", "Chè"), ("hai", "Cam")))
    folders.write_lines("b.jsonl", *lines(("một", "Lúa")))
    folders.update()
    if how == "file deleted":
        first.unlink()
    elif how == "line deleted":
        folders.write_lines("a.jsonl", *lines(("hai", "Cam")))
    else:
        folders.write_lines("a.jsonl", *lines(("khác", "Chè"), ("hai", "Cam")))
    report = folders.update()
    assert report.rejected == ()
    assert folders.found("lúa") == ["một"]
    assert folders.found("chè") == (["khác"] if how == "id changed" else [])
    with folders.open() as index:
        assert index.show("một").article.path == "b.jsonl"
    assert counts(folders.update()) == {"unchanged": len(folders.ids())}


def test_a_new_file_before_it_takes_an_id_over(folders: Folders) -> None:
    folders.write_lines("b.jsonl", *lines(("một", "Chè"), ("hai", "Cam")))
    folders.update()
    taker = folders.write_lines("a.jsonl", *lines(("một", "Lúa")))
    report = folders.update()
    assert list(reasons(report)) == ["b.jsonl"]
    assert folders.found("lúa") == ["một"]
    assert folders.found("chè") == []
    assert folders.ids() == ["hai", "một"]
    taker.unlink()
    assert folders.update().rejected == ()
    assert folders.found("chè") == ["một"]
    assert folders.ids() == ["hai", "một"]


def test_an_id_taken_over_in_a_run_cut_off_goes_back_with_its_own_text(folders: Folders) -> None:
    folders.write_lines("b.jsonl", *lines(("một", "Chè")))
    folders.update()
    taker = folders.write_lines("a.jsonl", *lines(("một", "Lúa")))
    with pytest.raises(KeyboardInterrupt):
        folders.update(progress=Stop(1))
    taker.unlink()
    folders.update()
    assert folders.found("lúa") == []
    assert folders.found("chè") == ["một"]


def short_forms(folders: Folders) -> dict[str, str]:
    """Return the learnt abbreviations with the articles that define them."""
    with folders.open() as index:
        return {one.short: one.article_id for one in index.info().short_forms}


def test_the_abbreviations_of_an_article_that_was_taken_over_are_forgotten(folders: Folders) -> None:
    folders.write_lines("b.jsonl", {"id": "một", "text": "Quỹ Khuyến khích Trồng rừng (KKTR) họp ở xã."})
    folders.update()
    learnt = short_forms(folders)
    folders.write_lines("a.jsonl", {"id": "một", "text": "Đồi chè xanh tốt."})
    folders.update()
    assert (learnt, short_forms(folders)) == ({"KKTR": "một"}, {})


def test_learnt_abbreviations_come_and_go_with_their_article(folders: Folders) -> None:
    path = folders.write("a.txt", "Trồng rừng", "Quỹ Khuyến khích Trồng rừng (KKTR) họp ở xã. KKTR góp vốn.")
    folders.write("b.txt", "Cam")
    folders.update()
    assert short_forms(folders) == {"KKTR": "a.txt"}
    path.write_text("Trồng rừng\nXã viên họp.", encoding="utf-8")
    folders.update()
    assert short_forms(folders) == {}
    folders.write("b.txt", "Cam", "Quỹ Khuyến khích Trồng rừng (KKTR) họp ở huyện.")
    folders.update()
    assert short_forms(folders) == {"KKTR": "b.txt"}
    (folders.corpus / "b.txt").unlink()
    folders.update()
    assert short_forms(folders) == {}


# Cut off


class Stop:
    """A progress callback that raises at its n-th call."""

    def __init__(self, calls: int, error: type[BaseException] = KeyboardInterrupt) -> None:
        self.left = calls
        self.error = error

    def __call__(self, _done: int, _total: int) -> None:
        self.left -= 1
        if self.left == 0:
            raise self.error


@pytest.mark.parametrize("batch", [3, 500])
def test_what_was_done_before_an_interruption_is_kept_and_the_next_run_completes_it(folders: Folders, batch: int) -> None:
    folders.write_some(10)
    with pytest.raises(KeyboardInterrupt):
        folders.update(batch=batch, progress=Stop(9))  # two calls a file
    assert folders.ids() == [f"{number:02}.txt" for number in range(5)]
    assert [folders.found(f"dấu{number:02}") for number in (0, 4, 5)] == [["00.txt"], ["04.txt"], []]
    with folders.open() as index:
        assert not index.is_complete()
        assert index.info().articles == 5
    assert_completed(folders, {"added": 5, "unchanged": 5})


@pytest.mark.parametrize("batch", [1, 3, 500])
def test_an_error_ends_the_run_with_whole_batches_kept_and_the_next_run_completes_it(folders: Folders, batch: int) -> None:
    folders.write_some(10)
    with pytest.raises(ZeroDivisionError):
        folders.update(batch=batch, progress=Stop(9, ZeroDivisionError))
    kept = folders.ids()
    assert kept == [f"{number:02}.txt" for number in range(len(kept))]
    assert 5 - batch < len(kept) <= 5 or not kept
    assert sorted(folders.found("bán", limit=99)) == kept
    assert_completed(folders, {"added": 10 - len(kept)} | ({"unchanged": len(kept)} if kept else {}))


def assert_completed(folders: Folders, expected: dict[str, int]) -> None:
    assert counts(folders.update()) == expected
    assert sorted(folders.found("hợp tác xã", limit=99)) == folders.ids() == [f"{number:02}.txt" for number in range(10)]
    with folders.open() as index:
        assert index.is_complete()
    assert strays(folders.index) == []


def test_an_interruption_in_the_middle_of_a_file_of_lines_keeps_its_first_articles(folders: Folders) -> None:
    folders.write_lines("a.jsonl", *lines(*((f"bài-{number}", f"Vườn {number}") for number in range(6))))
    with pytest.raises(KeyboardInterrupt):
        folders.update(progress=Stop(3))
    assert folders.ids() == ["bài-0", "bài-1", "bài-2"]
    assert counts(folders.update()) == {"added": 3, "unchanged": 3}
    assert counts(folders.update()) == {"unchanged": 6}


def test_an_interruption_before_removals_leaves_them_to_the_next_run(three: Folders) -> None:
    (three.corpus / "a.txt").unlink()
    three.write("c.txt", "Ngô")
    three.write("d.txt", "Quýt")
    with pytest.raises(KeyboardInterrupt):
        three.update(progress=Stop(1))
    assert three.ids() == ["a.txt", "b.txt", "c.txt"]
    assert three.found("ngô") == ["c.txt"]
    assert counts(three.update()) == {"added": 1, "removed": 1, "unchanged": 2}
    assert three.ids() == ["b.txt", "c.txt", "d.txt"]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_full_disk_is_told_as_such_and_the_next_run_completes(three: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    three.write("d.txt", "Quýt")
    three.write("e.txt", "Ngô")
    trouble: tuple[type[Exception], str] | None = None
    with monkeypatch.context() as patch:
        patch.setattr(FileStorage, "create_file", full)
        try:
            three.update(batch=1)
        except HtxError as error:
            trouble = (type(error), str(error))
    gc.collect()
    assert three.ids() == ["a.txt", "b.txt", "c.txt"]
    assert counts(three.update()) == {"added": 2, "unchanged": 3}
    assert trouble
    assert trouble[0] is IndexNotWritable
    assert "No space left on device" in trouble[1]


# The manifest


def manifest_of(folders: Folders) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folders.index / "manifest.json").read_text("utf-8"))
    return manifest


def write_manifest(folders: Folders, text: str) -> None:
    (folders.index / "manifest.json").write_text(text, encoding="utf-8")


USES: dict[str, Callable[[Index], object]] = {
    "search": lambda index: index.search("chè"),
    "show": lambda index: index.show("a.txt"),
    "ids": lambda index: index.article_ids(),
    "info": lambda index: index.info(),
    "related": lambda index: index.related("a.txt"),
    "complete": lambda index: index.is_complete(),
}
"""Whatever opens an index."""


def assert_every_use_raises(folders: Folders, error: type[Exception], *needles: str) -> None:
    for name, use in USES.items():
        with folders.open() as index, pytest.raises(error) as failure:
            use(index)
        assert type(failure.value) is error, name
        for needle in (*needles, str(folders.index)):
            assert needle in str(failure.value)


REBUILD = "htxsearch reindex --rebuild"


def test_an_index_that_is_not_there_is_missing(folders: Folders) -> None:
    assert_every_use_raises(folders, IndexMissing, "there is no index", "build it with: htxsearch reindex")
    with folders.open() as index:
        assert not index.exists()
    assert not folders.index.exists()


def test_a_folder_without_a_manifest_is_no_index(folders: Folders) -> None:
    folders.index.mkdir()
    (folders.index / "ghi chú.txt").write_text("của tôi", encoding="utf-8")
    assert_every_use_raises(folders, IndexMissing, "htxsearch reindex")
    folders.write("a.txt", "Chè")
    folders.update()
    assert folders.found("chè") == ["a.txt"]
    assert (folders.index / "ghi chú.txt").read_text(encoding="utf-8") == "của tôi"


@pytest.mark.parametrize("change", [{"format": 1}, {"format": 99}, {"analysis": 99}, {"format": "1"}, {"analysis": None}])
def test_an_index_of_another_version_is_outdated(three: Folders, change: dict[str, int | str | None]) -> None:
    write_manifest(three, json.dumps(manifest_of(three) | change))
    before = state(three)
    assert_every_use_raises(three, IndexOutdated, "another version", REBUILD)
    with pytest.raises(IndexOutdated, match=REBUILD):
        three.update()
    assert state(three) == before
    assert counts(three.update(rebuild=True)) == {"added": 3}
    assert three.found("chè") == ["a.txt"]
    assert strays(three.index) == []


def test_an_index_of_another_segmenter_still_answers_but_is_not_added_to(three: Folders) -> None:
    change_manifest(three.index, segmenter="0.0.1")
    assert three.found("chè") == ["a.txt"]
    with pytest.raises(IndexOutdated, match=r"underthesea 0\.0\.1") as failure:
        three.update()
    assert REBUILD in str(failure.value)
    three.update(rebuild=True)
    assert counts(three.update()) == {"unchanged": 3}


@pytest.mark.parametrize("text", ["[]", "{}", '{"name": "của chương trình khác"}', '"format"', "1", "null"])
def test_a_manifest_of_something_else_is_outdated(three: Folders, text: str) -> None:
    write_manifest(three, text)
    assert_every_use_raises(three, IndexOutdated, "not written by htxsearch", REBUILD)


@pytest.mark.parametrize(
    "text", ["", "{", '{"format": 1', "không phải JSON", "[" * 100_000], ids=["empty", "a brace", "cut", "a text", "too deep"]
)
def test_a_manifest_that_is_no_json_is_damage(three: Folders, text: str) -> None:
    write_manifest(three, text)
    assert_every_use_raises(three, IndexDamaged, "damaged", REBUILD)


@pytest.mark.parametrize("change", [{"articles": 2}, {"corpus": "/elsewhere"}, {"complete": False}, {"checksum": "1"}])
def test_a_manifest_that_says_something_else_than_was_written_is_damage(three: Folders, change: dict[str, Any]) -> None:
    write_manifest(three, json.dumps(manifest_of(three) | change))
    assert_every_use_raises(three, IndexDamaged, "damaged", REBUILD)


def test_a_manifest_without_a_checksum_is_of_an_older_version(three: Folders) -> None:
    write_manifest(three, json.dumps({name: value for name, value in manifest_of(three).items() if name != "checksum"}))
    assert three.found("chè") == ["a.txt"]
    three.write("b.txt", "Dứa")
    three.update()
    assert "checksum" in manifest_of(three)


def test_a_manifest_that_the_system_refuses_is_no_damage(three: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(IndexNotReadable, match=r"cannot read .*manifest.json: Permission denied"):
        read_manifest(three.index)


def test_a_manifest_that_is_no_text_is_damage(three: Folders) -> None:
    (three.index / "manifest.json").write_bytes(b"\xff\xfe{}")
    assert_every_use_raises(three, IndexDamaged, "damaged", REBUILD)


@pytest.mark.parametrize(
    "change",
    [
        {"lạ": 1},
        {"data": None, "segmenter": None},
        {"data": 5},
        {"data": None},
        {"data": ["data-0001"]},
        {"data": "data-\0"},
    ],
)
def test_a_manifest_with_other_fields_is_damage(three: Folders, change: dict[str, Any]) -> None:
    changed = {name: value for name, value in (manifest_of(three) | change).items() if name != "segmenter" or value}
    write_manifest(three, json.dumps(changed))
    with three.open() as index:
        for use in (lambda: index.search("chè"), index.update):
            with pytest.raises(IndexDamaged, match=REBUILD):
                use()
    assert counts(three.update(rebuild=True)) == {"added": 3}


@pytest.mark.parametrize("data", ["..", "../data-0001", "data-0001/..", "data-0001/../../x", "/tmp", "", ".", "x", "data-x/y"])
def test_a_manifest_that_points_elsewhere_is_an_error(three: Folders, data: str) -> None:
    elsewhere = three.index.parent / "data-0001"
    shutil.copytree(three.index / manifest_of(three)["data"], elsewhere)
    change_manifest(three.index, data=data)
    assert_every_use_raises(three, IndexDamaged, REBUILD)
    before = sorted(path.name for path in elsewhere.iterdir())
    with pytest.raises(IndexDamaged):
        three.update()
    three.update(rebuild=True)
    assert sorted(path.name for path in elsewhere.iterdir()) == before
    assert three.found("chè") == ["a.txt"]


def test_a_manifest_never_stands_half_written(three: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever it is replaced, what replaces it is whole and on disk."""
    synced: set[int] = set()
    moved = []
    real = {name: getattr(os, name) for name in ("fsync", "replace")}
    folder = three.index.stat().st_ino

    def fsync(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        real["fsync"](descriptor)

    def replace(source: Path, target: Path) -> None:
        if Path(target).name not in ("progress.json", "last-run.json"):  # which may be lost
            is_on_disk = {os.stat(source).st_ino, folder} <= synced  # with the names of the data folders
            moved.append((Path(target).name, is_on_disk, json.loads(Path(source).read_text("utf-8"))))
        real["replace"](source, target)

    three.write("d.txt", "Quýt")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        patch.setattr(os, "replace", replace)
        three.update()
    assert [(name, on_disk, values["complete"]) for name, on_disk, values in moved] == [
        ("manifest.json", True, False),
        ("manifest.json", True, True),
    ]
    assert moved[1][2]["articles"] == 4


def test_the_new_manifest_is_on_disk_before_the_old_data_is_removed(three: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    old = manifest_of(three)["data"]
    events: list[tuple[str, Any]] = []
    real: dict[str, Callable[..., object]] = {"fsync": os.fsync, "replace": os.replace, "rmtree": shutil.rmtree}

    def fsync(descriptor: int) -> None:
        events.append(("sync", os.fstat(descriptor).st_ino))
        real["fsync"](descriptor)

    def replace(source: Path, target: Path) -> None:
        events.append(("replace", Path(target).name))
        real["replace"](source, target)

    def rmtree(path: Path, *args: Any, **kwargs: Any) -> None:
        events.append(("remove", Path(path).name))
        real["rmtree"](path, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        patch.setattr(os, "replace", replace)
        patch.setattr(shutil, "rmtree", rmtree)
        three.update(rebuild=True)
    placed = events.index(("replace", "manifest.json"))
    removed = events.index(("remove", old))
    assert ("sync", three.index.stat().st_ino) in events[placed:removed]


# Two at once


HOLD = """
import sys
from pathlib import Path
from htxsearch.indexing.manifest import writer_lock
with writer_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
print("released", flush=True)
"""


def test_a_second_writer_is_told_at_once_that_the_index_is_busy(three: Folders) -> None:
    three.write("d.txt", "Quýt")
    command = [sys.executable, "-c", HOLD, str(three.index)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        for options in ({}, {"rebuild": True}):
            with pytest.raises(IndexBusy, match="another htxsearch is writing") as failure:
                three.update(**options)
            assert str(three.index) in str(failure.value)
            assert failure.value.exit_code == 5
        assert three.found("cam") == ["b.txt"]
        holder.stdin.close()
        assert holder.stdout.readline() == "released\n"
    assert holder.returncode == 0
    assert counts(three.update()) == {"added": 1, "unchanged": 3}


def test_the_lock_of_a_writer_that_died_is_free(three: Folders) -> None:
    command = [sys.executable, "-c", HOLD, str(three.index)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        holder.kill()
        holder.wait()
        assert counts(three.update()) == {"unchanged": 3}


def test_a_run_within_a_run_is_busy_and_the_outer_one_goes_on(three: Folders) -> None:
    three.write("d.txt", "Quýt")
    troubles = []

    def again(*_: object) -> None:
        try:
            three.update()
        except HtxError as error:
            troubles.append(type(error))

    assert counts(three.update(progress=again)) == {"added": 1, "unchanged": 3}
    assert set(troubles) == {IndexBusy}


# Rebuilding, and who is looking on


def test_a_rebuild_switches_over_at_its_end(three: Folders) -> None:
    three.write("a.txt", "Trà")
    (three.corpus / "b.txt").unlink()
    seen = []
    with three.open() as onlooker:

        def look(*_: object) -> None:
            fresh = three.found("chè"), three.found("cam"), three.found("trà")
            known = [hit.article_id for hit in onlooker.search("chè cam trà").hits]
            seen.append((fresh, sorted(known), onlooker.is_complete()))

        report = three.update(rebuild=True, batch=1, progress=look)
        assert counts(report) == {"added": 2}
        assert len(seen) >= 2
        assert all(one == ((["a.txt"], ["b.txt"], []), ["a.txt", "b.txt"], True) for one in seen)
        assert [hit.article_id for hit in onlooker.search("chè cam trà").hits] == ["a.txt"]
        assert onlooker.show("a.txt").article.title == "Trà"
    assert three.ids() == ["a.txt", "c.txt"]
    assert len(list(three.index.glob("data-*"))) == 1
    assert strays(three.index) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_a_rebuild_that_dies_keeps_the_old_index(three: Folders, error: type[Exception]) -> None:
    three.write("a.txt", "Trà")
    manifest = manifest_of(three)
    with pytest.raises(error):
        three.update(rebuild=True, batch=1, progress=Stop(3, error))
    assert manifest_of(three) == manifest
    assert three.found("chè") == ["a.txt"]
    assert three.ids() == ["a.txt", "b.txt", "c.txt"]
    assert counts(three.update()) == {"changed": 1, "unchanged": 2}
    assert three.found("trà") == ["a.txt"]
    assert strays(three.index) == []


def test_a_rebuild_without_an_index_is_a_first_build(folders: Folders) -> None:
    folders.write("a.txt", "Chè")
    assert counts(folders.update(rebuild=True)) == {"added": 1}
    assert folders.found("chè") == ["a.txt"]
    assert strays(folders.index) == []


def test_an_open_index_sees_every_later_commit(three: Folders) -> None:
    with three.open() as onlooker:
        assert onlooker.search("quýt").total == 0
        assert onlooker.related("a.txt").article_id == "a.txt"
        three.write("d.txt", "Quýt chum")
        three.write("e.txt", "Quýt hôi")
        totals = []
        three.update(batch=1, progress=lambda *_: totals.append(onlooker.search("quýt").total))
        assert sorted(totals) == totals
        assert onlooker.search("quýt").total == 2
        assert set(totals) == {1, 2}
        # Unaccented words go through what the index knows, which is kept between queries.
        assert onlooker.search("quyt chum").hits[0].article_id == "d.txt"
        (three.corpus / "d.txt").unlink()
        three.update()
        assert [hit.article_id for hit in onlooker.search("quyt").hits] == ["e.txt"]
        assert {one.article_id for one in onlooker.related("e.txt").related} <= {"a.txt", "b.txt", "c.txt"}


def test_an_open_index_sees_a_rebuild(three: Folders) -> None:
    with three.open() as onlooker:
        assert [hit.article_id for hit in onlooker.search("chè").hits] == ["a.txt"]
        three.write("a.txt", "Trà")
        three.update(rebuild=True)
        assert onlooker.search("chè").total == 0
        assert [hit.article_id for hit in onlooker.search("trà").hits] == ["a.txt"]


SAME_NAME = (
    "Index keeps the engine of a data folder of the same name and generation: it goes on answering from what was deleted"
)


def test_an_open_index_sees_two_rebuilds_between_two_questions(three: Folders) -> None:
    with three.open() as onlooker:
        assert [hit.article_id for hit in onlooker.search("chè").hits] == ["a.txt"]
        three.write("a.txt", "Trà")
        three.update(rebuild=True)
        three.update(rebuild=True)
        assert onlooker.search("chè").total == 0
        assert [hit.article_id for hit in onlooker.search("trà").hits] == ["a.txt"]


def test_an_open_index_sees_an_index_folder_deleted_and_built_again(three: Folders) -> None:
    with three.open() as onlooker:
        assert [hit.article_id for hit in onlooker.search("chè").hits] == ["a.txt"]
        shutil.rmtree(three.index)
        with pytest.raises(IndexMissing):
            onlooker.search("chè")
        three.write("a.txt", "Trà")
        three.update()
        assert onlooker.search("chè").total == 0
        assert [hit.article_id for hit in onlooker.search("trà").hits] == ["a.txt"]


def test_an_index_may_be_closed_and_used_again(three: Folders) -> None:
    index = three.open()
    for _ in range(2):
        assert index.search("chè").total == 1
        index.close()
        index.close()


def test_making_an_index_touches_no_file(tmp_path: Path) -> None:
    index = Index(tmp_path / "index", corpus=tmp_path / "corpus")
    assert not index.exists()
    with pytest.raises(CorpusError):
        index.update()
    assert list(tmp_path.iterdir()) == []


def test_the_version_changes_with_a_commit_and_only_then(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    folders.write_some(2)
    folders.update()
    with folders.open() as index:
        before = index.version()
        assert index.version() == before
        assert index.counts().articles == 2
        folders.update()
        assert index.version() == before, "a run that finds nothing to do is no change"
        folders.write("new.txt", "Mới")
        folders.update()
        after = index.version()
        assert after != before
        folders.update(rebuild=True)
        assert index.version() != after


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux tells what a process has open and mapped")
def test_what_earlier_commits_had_is_let_go(folders: Folders) -> None:
    def held() -> tuple[int, list[str]]:
        gc.collect()  # what refers to itself is let go by the collector
        lines = Path("/proc/self/maps").read_text("utf-8").splitlines()
        mapped = [line.split(maxsplit=5)[5] for line in lines if str(folders.index) in line]
        return len(list(Path("/proc/self/fd").iterdir())), mapped

    folders.write_some(5)
    with folders.open() as writing, folders.open() as asked:
        writing.update()
        found: list[tuple[int, int]] = []
        for number in range(10):
            folders.write(f"{number % 5:02}.txt", f"Tin số {number}", f"Hợp tác xã thứ {number} bán chè ở chợ phiên.")
            writing.update(batch=1)
            assert asked.search(f"thứ {number} chè").hits[0].title == f"Tin số {number}"
            assert asked.related(f"{number % 5:02}.txt", all_near=True).related
            descriptors, mapped = held()
            segments = len(list(folders.index.glob("*/*.seg")))
            assert not [path for path in mapped if path.endswith("(deleted)")]
            assert len(mapped) <= 2 * segments, "the .seg and the .imp of each segment, once"
            found.append((descriptors, segments))
        least, *_, last = sorted(descriptors - 2 * segments for descriptors, segments in found[2:])
        assert last - least <= 2
        writing.update(rebuild=True)
        assert asked.search("chè").hits
        assert len(held()[1]) <= 2 * len(list(folders.index.glob("*/*.seg")))


# What is never lost by mistake


def test_more_than_half_of_many_articles_are_not_removed_unasked(folders: Folders) -> None:
    """A disk that is not there looks like a folder whose files were deleted."""
    folders.write_some(30)
    folders.update()
    for file in sorted(folders.corpus.iterdir())[:20]:
        file.unlink()
    with pytest.raises(CorpusError) as refused:
        folders.update()
    assert refused.value.message.code == "corpus.many-removed"
    assert "20 of 30" in str(refused.value)
    assert len(folders.ids()) == 30
    assert folders.found("dấu05") == ["05.txt"]
    assert folders.update(allow_removals=True).removed == 20
    assert len(folders.ids()) == 10


def test_what_was_refused_leaves_the_index_as_it_was(folders: Folders) -> None:
    folders.write_some(12)
    folders.update()
    for file in sorted(folders.corpus.iterdir())[:9]:
        file.unlink()
    with pytest.raises(CorpusError):
        folders.update()
    with folders.open() as index:
        assert index.is_complete()


def test_half_of_the_articles_may_go(folders: Folders) -> None:
    folders.write_some(40)
    folders.update()
    for file in sorted(folders.corpus.iterdir())[:20]:
        file.unlink()
    assert folders.update().removed == 20


def test_articles_that_moved_are_not_removed(folders: Folders) -> None:
    folders.write_some(30)
    folders.update()
    (folders.corpus / "moi").mkdir()
    for file in sorted(folders.corpus.glob("*.txt")):
        file.rename(folders.corpus / "moi" / file.name)
    assert folders.update().renamed == 30


def test_an_empty_corpus_does_not_empty_the_index(three: Folders) -> None:
    for file in three.corpus.iterdir():
        file.unlink()
    with pytest.raises(CorpusError):
        three.update()
    assert len(three.ids()) == 3
    with pytest.raises(CorpusError) as refused:
        three.update(rebuild=True)
    assert refused.value.message.code == "corpus.empty"
    assert len(three.ids()) == 3
    three.update(rebuild=True, allow_removals=True)
    assert three.ids() == []
    with three.open() as index:
        assert [hint.code for hint in index.search("chè").hints] == ["hint.empty-index"]
        assert "hint.empty-index" in [hint.code for hint in index.ask("chè ở đâu?").hints]
