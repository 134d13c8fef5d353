"""A snapshot is one committed state, whatever is written meanwhile; restoring it replaces all or nothing."""

import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from command import HEEDS_INTERRUPTS

from htxsearch import Index
from htxsearch.engine.whoosh import commit_files
from htxsearch.errors import (
    CorpusError,
    HtxError,
    IndexBusy,
    IndexDamaged,
    IndexMissing,
    IndexNotReadable,
    IndexNotWritable,
    IndexOutdated,
    UsageError,
)
from htxsearch.indexing import restoring, saving, snapshot_file
from htxsearch.indexing.manifest import writer_lock
from htxsearch.indexing.trash import Trash
from htxsearch.ingest.changes import read_changes

from .folders import Folders, strays
from .test_doctor import encode


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    folders = Folders(tmp_path / "office")
    folders.write_some(4)
    folders.write("sâu/ghi chú.txt", "Trồng rừng", "Quỹ Khuyến khích Trồng rừng (KKTR) họp ở xã. Xã có 34 hợp tác xã.")
    (folders.corpus / "00.txt.meta.toml").write_text('place = "Thái Nguyên"\n', encoding="utf-8")
    (folders.corpus / ".htxignore").write_text("bỏ/\n", encoding="utf-8")
    (folders.corpus / ".ẩn").mkdir()
    (folders.corpus / ".ẩn" / "a.txt").write_text("ẩn", encoding="utf-8")
    folders.write("bỏ/x.txt", "Bị bỏ qua")
    folders.update()
    return folders


def answers(index: Index) -> list[Any]:
    """Return what an index answers to a little of everything, as the command line prints it."""
    found: list[Any] = [
        index.search(query, limit=99, facets=("place", "year"), semantic=False).as_json() for query in ("hợp tác xã", "kktr")
    ]
    found += [index.ask("Xã có bao nhiêu hợp tác xã?").as_json(), index.facts("số hợp tác xã").as_json(9)]
    found += [index.show(one).as_json() for one in index.article_ids()]
    return [{key: value for key, value in one.items() if key != "took_ms"} for one in found]


def state(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder but locks, with its bytes."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_same_is_answered_before_and_after(folders: Folders, tmp_path: Path) -> None:
    encode(folders)
    (folders.index / "ocr").mkdir()
    (folders.index / "ocr" / "01-2.json").write_bytes(b"{}")
    seen: list[tuple[int, int]] = []
    with folders.open() as index:
        before, facts = answers(index), index.info()
        made = index.snapshot(tmp_path / "bản chụp.zip", progress=lambda done, total: seen.append((done, total)))
    assert (made.articles, made.complete, made.with_corpus, made.generation) == (5, True, False, facts.generation)
    assert seen[-1][0] == seen[-1][1] == made.bytes
    assert set(os.listdir(tmp_path)) == {"office", "bản chụp.zip"}
    with Index(tmp_path / "nơi khác" / "index", corpus=folders.corpus) as other:
        restored = other.restore(tmp_path / "bản chụp.zip")
        assert (restored.generation, restored.kept) == (made.generation, None)
        assert answers(other) == before
        assert (other.info().reindexed, other.info().vectors) == (facts.reindexed, facts.vectors)
        assert {path.name for path in (other.path / "ocr").iterdir()} == {"01-2.json"}
        (other.path / "ocr" / "01-2.json").unlink()
        assert other.check()
        assert other.update(allow_other_corpus=True).unchanged == 5
        assert answers(other) == before


def test_a_snapshot_with_the_corpus_is_an_office_of_its_own(folders: Folders, tmp_path: Path) -> None:
    os.utime(folders.corpus / "01.txt", ns=(10**18, 10**18 + 123))
    folders.update()
    file = tmp_path / "a.zip"
    with folders.open() as index:
        index.snapshot(file, with_corpus=True)
        before = answers(index)
    other = Folders(tmp_path / "other")
    with other.open() as index:
        index.restore(file)
        assert answers(index) == before
        assert index.check()
    hidden = ".ẩn/a.txt"
    assert state(other.corpus) == {name: one for name, one in state(folders.corpus).items() if name != hidden}
    assert (other.corpus / "01.txt").stat().st_mtime_ns == 10**18 + 123
    report = other.update()
    assert (report.unchanged, report.added, report.changed) == (5, 0, 0)
    assert strays(other.index) == ["adding.lock"]


def test_the_trash_and_the_log_come_back_with_the_corpus(folders: Folders, tmp_path: Path) -> None:
    before = state(folders.corpus)
    with folders.open() as index:
        index.edit("01.txt", source="Báo xóm", by="Lan")
        Trash(index).remove(index.show("00.txt").article, "Lan")
        index.snapshot(tmp_path / "a.zip", with_corpus=True)
    other = Folders(tmp_path / "other")
    with other.open() as index:
        index.restore(tmp_path / "a.zip")
        assert [(one.what, one.article) for one in read_changes(other.corpus)] == [("remove", "00.txt"), ("edit", "01.txt")]
        Trash(index).restore("00.txt", "Minh")
        assert "00.txt" in index.article_ids()
    now = state(other.corpus)
    assert {name: now[name] for name in ("00.txt", "00.txt.meta.toml")} == {
        name: before[name] for name in ("00.txt", "00.txt.meta.toml")
    }


def test_what_goes_to_the_trash_while_a_snapshot_is_taken_is_in_it(folders: Folders, tmp_path: Path) -> None:
    with folders.open() as index:
        article = index.show("00.txt").article

        def remove_once(_done: int, _total: int) -> None:
            if (folders.corpus / "00.txt").exists():
                Trash(index).remove(article, "Lan")

        index.snapshot(tmp_path / "a.zip", with_corpus=True, progress=remove_once)
        assert not (folders.corpus / "00.txt").exists()
    other = Folders(tmp_path / "other")
    with other.open() as index:
        index.restore(tmp_path / "a.zip")
        assert [one.article_id for one in Trash(index).listed()] == ["00.txt"]


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_a_name_that_is_no_text_comes_back(folders: Folders, tmp_path: Path) -> None:
    names = [b"corpus/b\xe1\xba.txt", b"corpus/~1", b"corpus/a\\b.txt"]
    for name in names:
        Path(os.fsdecode(os.fsencode(folders.corpus.parent) + b"/" + name)).write_text("Tổ trồng sen", "utf-8")
    other = Folders(tmp_path / "other")
    with folders.open() as index, other.open() as restored:
        index.snapshot(tmp_path / "a.zip", with_corpus=True)
        restored.restore(tmp_path / "a.zip")
    assert {b"corpus/" + name for name in os.listdir(os.fsencode(other.corpus))} >= set(names)


def test_a_snapshot_taken_while_a_writer_commits_is_one_of_the_commits(folders: Folders, tmp_path: Path) -> None:
    """A run of twenty commits adds an article with each, in order; snapshots are taken as fast as they can be."""
    before = folders.ids()
    added = [f"thêm {number:02}.txt" for number in range(20)]
    for name in added:
        folders.write(name, f"Tổ mới {name}")
    failures: list[BaseException] = []
    done = threading.Event()

    def commit() -> None:
        try:
            folders.update(batch=1, workers=1)
        except BaseException as error:
            failures.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=commit)
    thread.start()
    taken: dict[int, Path] = {}
    with folders.open() as index:
        is_last = False
        while not is_last:
            is_last = done.is_set()
            made = index.snapshot(tmp_path / "last.zip")
            taken[made.generation] = Path(made.file).replace(tmp_path / f"{made.generation}.zip")
    thread.join()
    assert not failures
    assert len(taken) > 1
    for generation, file in taken.items():
        with Index(tmp_path / f"index {generation}", corpus=folders.corpus) as restored:
            made = restored.restore(file)
            committed = sorted([*before, *added[: generation - 1]])
            assert restored.article_ids() == committed
            assert made.complete == restored.is_complete()
            assert made.complete == (generation == max(taken)) or generation == 1


@pytest.mark.parametrize("rebuild", [False, True])
def test_a_commit_between_looking_and_opening_is_followed(folders: Folders, tmp_path: Path, rebuild: bool) -> None:
    """The files of the commit that was looked at are gone when they are opened, after a rebuild their folder is."""
    looks = 0

    def overtaken(folder: Path) -> tuple[int, list[str]]:
        nonlocal looks
        found = commit_files(folder)
        looks += 1
        if looks == 1:
            folders.write("mới.txt", "Tổ trồng sen")
            folders.update(rebuild=rebuild)
        return found

    made = saving.save_index(folders.index, folders.corpus, tmp_path / "a.zip", overtaken)
    assert (looks, made.articles) == (3, 6)


def test_an_index_that_cannot_be_read_is_said_and_leaves_no_file(folders: Folders, tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    with pytest.raises(IndexMissing), Index(tmp_path / "none") as index:
        index.snapshot(file)
    next(folders.index.glob("data-*/*.seg")).unlink()
    with pytest.raises(IndexDamaged), folders.open() as index:
        index.snapshot(file)
    assert os.listdir(tmp_path) == ["office"]


def test_where_a_snapshot_must_not_be_written(folders: Folders, tmp_path: Path) -> None:
    (tmp_path / "thư.txt").write_text("Của tôi", "utf-8")
    with folders.open() as index:
        for place, said in (
            (folders.corpus / "a.zip", "must not lie in"),
            (folders.index / "a.zip", "must not lie in"),
            (tmp_path / "thư.txt", "is there already"),
            (tmp_path, "is there already|must not lie in"),
            (tmp_path / "none" / "a.zip", "No such file"),
            (tmp_path / "thư.txt" / "a.zip", "Not a directory|No such file"),
        ):
            with pytest.raises(UsageError, match=said):
                index.snapshot(place)
        assert (tmp_path / "thư.txt").read_text("utf-8") == "Của tôi"
        index.snapshot(tmp_path / "a.zip")
        folders.write("mới.txt", "Tổ trồng sen")
        folders.update()
        assert index.snapshot(tmp_path / "a.zip").articles == 6, "an older snapshot is replaced"


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_stop_while_writing_leaves_the_former_snapshot(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: Any
) -> None:
    file = tmp_path / "a.zip"
    with folders.open() as index:
        index.snapshot(file)
        before = file.read_bytes()
        monkeypatch.setattr(saving, "table_bytes", failing(stop))
        with pytest.raises(UsageError if isinstance(stop, OSError) else KeyboardInterrupt):
            index.snapshot(file)
    assert file.read_bytes() == before
    assert set(os.listdir(tmp_path)) == {"office", "a.zip"}


def failing(stop: Any) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise stop

    return fail


# Restoring


@pytest.fixture
def snapshot(folders: Folders, tmp_path: Path) -> Path:
    with folders.open() as index:
        index.snapshot(tmp_path / "a.zip", with_corpus=True)
    return tmp_path / "a.zip"


def test_a_snapshot_that_is_not_there_is_named(folders: Folders, tmp_path: Path) -> None:
    with (
        folders.open() as index,
        pytest.raises(IndexNotReadable, match=r"none\.zip: there is no such file; give the file"),
    ):
        index.restore(tmp_path / "none.zip")


def test_an_older_or_equal_index_is_replaced_a_newer_or_other_one_is_not(
    folders: Folders, snapshot: Path, tmp_path: Path
) -> None:
    with folders.open() as index, pytest.raises(IndexBusy), writer_lock(folders.index):
        index.restore(snapshot)
    with folders.open() as index:
        ids = index.article_ids()
        index.restore(snapshot)
        index.restore(snapshot)
        assert index.article_ids() == ids
    assert strays(folders.index) == ["adding.lock"]
    added = folders.write("mới.txt", "Tổ trồng sen")
    folders.update()
    added.unlink()
    with folders.open() as index:
        with pytest.raises(UsageError, match=r"is newer \(commit 2\) than the snapshot \(commit 1\)"):
            index.restore(snapshot)
        assert len(index.article_ids()) == 6
        index.restore(snapshot, force=True)
        assert index.article_ids() == ids
    other = Folders(tmp_path / "other")
    other.write("a.txt", "Chè")
    other.update()
    (other.corpus / "a.txt").unlink()
    with other.open() as index:
        with pytest.raises(UsageError, match="is another than the one in the snapshot"):
            index.restore(snapshot)
        assert index.article_ids() == ["a.txt"]
        index.restore(snapshot, force=True)
        assert index.article_ids() == ids


def test_a_damaged_index_is_replaced_by_force(folders: Folders, snapshot: Path) -> None:
    (folders.index / "manifest.json").write_bytes(b"x")
    with folders.open() as index:
        with pytest.raises(UsageError, match="is another than"):
            index.restore(snapshot)
        index.restore(snapshot, force=True)
        assert len(index.article_ids()) == 5
    assert strays(folders.index) == ["adding.lock"]


def test_a_corpus_with_other_files_is_replaced_only_by_force_and_kept(folders: Folders, snapshot: Path) -> None:
    folders.write("của tôi.txt", "Của tôi")
    before = state(folders.corpus)
    with folders.open() as index:
        with pytest.raises(UsageError, match="has other files than the snapshot"):
            index.restore(snapshot)
        assert state(folders.corpus) == before
        first = index.restore(snapshot, force=True)
        assert first.kept == str(folders.corpus.with_name("corpus.before-restore"))
        assert state(Path(first.kept)) == before
        folders.write("của tôi.txt", "Của tôi")
        second = index.restore(snapshot, force=True)
        assert second.kept == str(folders.corpus.with_name("corpus.before-restore-2"))
    assert "của tôi.txt" not in state(folders.corpus)


def test_a_corpus_is_put_back_if_the_new_one_cannot_take_its_place(
    folders: Folders, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders.write("của tôi.txt", "Của tôi")
    before = state(folders.corpus), state(folders.index)
    rename = os.rename

    def refused(source: Any, target: Any) -> None:
        if ".restoring-" in str(source):
            raise PermissionError(13, "Permission denied", str(source))
        rename(source, target)

    monkeypatch.setattr(os, "rename", refused)
    with folders.open() as index, pytest.raises((CorpusError, IndexNotWritable)):
        index.restore(snapshot, force=True)
    assert (state(folders.corpus), state(folders.index)) == before
    assert set(os.listdir(folders.corpus.parent)) == {"corpus", "index"}


@pytest.mark.parametrize("moment", ["copy_member", "read_manifest", "sweep"])
@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_stop_while_restoring_leaves_the_old_index_or_the_new_one(
    folders: Folders, snapshot: Path, monkeypatch: pytest.MonkeyPatch, moment: str, stop: Any
) -> None:
    folders.write("mới.txt", "Tổ trồng sen")
    folders.update()
    (folders.corpus / "mới.txt").unlink()
    with folders.open() as index, monkeypatch.context() as patch:
        before = index.article_ids()
        patch.setattr(restoring, moment, failing(stop))
        with pytest.raises((KeyboardInterrupt, HtxError)):
            index.restore(snapshot, force=True)
    assert len(folders.ids()) == (5 if moment == "sweep" else 6) or folders.ids() == before
    assert not list(folders.corpus.parent.glob(".corpus*"))
    folders.update()
    assert strays(folders.index) == ["adding.lock"]


def test_a_reader_sees_the_restored_index(folders: Folders, snapshot: Path) -> None:
    folders.write("mới.txt", "Tổ trồng sen")
    folders.update()
    (folders.corpus / "mới.txt").unlink()
    with folders.open() as reader:
        assert len(reader.search("tổ").hits) == 5
        with folders.open() as index:
            index.restore(snapshot, force=True)
        assert len(reader.search("tổ").hits) == 4


def test_too_little_space_is_said_before_anything_is_unpacked(
    folders: Folders, snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr("shutil.disk_usage", lambda _path: Usage)
    with Index(tmp_path / "new", corpus=tmp_path / "corpus") as index, pytest.raises(IndexNotWritable, match=r"needs .* MB"):
        index.restore(snapshot)
    assert {path.name for path in (tmp_path / "new").iterdir()} <= {"writer.lock", "adding.lock"}
    assert folders.ids()


# What is no snapshot, or a hostile one


def test_every_flipped_bit_of_a_snapshot_is_noticed(folders: Folders, snapshot: Path, tmp_path: Path) -> None:
    """Or is in a part that says nothing (a time, an attribute); then the result is the same."""
    whole = snapshot.read_bytes()
    with folders.open() as index:
        ids = index.article_ids()
    said = 0
    for number, at in enumerate(range(7, len(whole), len(whole) // 60)):
        damaged = tmp_path / f"{number}.zip"
        damaged.write_bytes(whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :])
        with Index(tmp_path / str(number) / "index", corpus=tmp_path / str(number) / "corpus") as other:
            try:
                other.restore(damaged)
                assert other.article_ids() == ids
            except HtxError:
                said += 1
                assert not other.exists()
                assert not other.corpus.exists()
    assert said > 50


@pytest.mark.parametrize("place", range(16))
def test_a_damaged_place_in_the_directory_of_a_snapshot_is_damage(snapshot: Path, tmp_path: Path, place: int) -> None:
    whole = bytearray(snapshot.read_bytes())
    entry = whole.index(b"PK\x01\x02") + 42 if place < 8 else whole.rindex(b"PK\x05\x06") + 16
    whole[entry + place % 4] ^= 16 if place % 8 < 4 else 128
    damaged = tmp_path / "b.zip"
    damaged.write_bytes(whole)
    with Index(tmp_path / "other" / "index", corpus=tmp_path / "other" / "corpus") as other:
        with pytest.raises((IndexDamaged, UsageError)):
            other.restore(damaged)
        assert not other.exists()


@pytest.mark.parametrize("content", [b"", b"x", b"PK\x03\x04" + bytes(100), b"PK\x05\x06" + bytes(18)])
def test_what_is_no_snapshot_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with Index(tmp_path / "index") as index:
        with pytest.raises(UsageError, match="is no snapshot"):
            index.restore(tmp_path / "a.zip")
        with pytest.raises(IndexNotReadable, match="cannot read"):
            index.restore(tmp_path / "none.zip")
        with pytest.raises(IndexNotReadable, match="cannot read"):
            index.restore(tmp_path)
        assert not index.path.exists()


Members = dict[str, bytes]


def forged(snapshot: Path, target: Path, change: Callable[[dict[str, Any], Members], None]) -> Path:
    """Write a snapshot with another table and other members, each with the checksum that it has now."""
    with zipfile.ZipFile(snapshot) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    table = json.loads(members.pop("snapshot.json"))
    change(table, members)
    for name, one in table["members"].items() if isinstance(table.get("members"), dict) else ():
        if isinstance(one, dict) and name in members:
            one.setdefault("path", name)
            one |= {"size": len(members[name]), "sha256": sha256(members[name]).hexdigest()}
            one.setdefault("modified_ns", 0)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr("snapshot.json", json.dumps(table))
    return target


def with_member(path: str) -> Callable[[dict[str, Any], Members], None]:
    def change(table: dict[str, Any], members: Members) -> None:
        members["index/data/x"] = b"x"
        table["members"]["index/data/x"] = {"path": path}

    return change


def with_values(**values: Any) -> Callable[[dict[str, Any], Members], None]:
    return lambda table, _: table.update(values)


def unnamed(_table: dict[str, Any], members: Members) -> None:
    members["corpus/thêm.txt"] = b"x"


def missing(_table: dict[str, Any], members: Members) -> None:
    del members["index/manifest.json"]


def without_toc(table: dict[str, Any], members: Members) -> None:
    (toc,) = (name for name in members if name.endswith(".toc"))
    del members[toc], table["members"][toc]


HOSTILE: dict[str, tuple[Callable[[dict[str, Any], Members], None], type[HtxError]]] = {
    **{
        path: (with_member(path), IndexDamaged)
        for path in (
            *("../x", "/etc/x", "corpus/../../x", "corpus//x", "corpus/./x", "corpus/", "index/x", "index/data/../../x"),
            *("index/data/sâu/x", "index/vectors/other", "index/ocr/x.py", "x", "", "corpus/a\0b", "index/writer.lock"),
        )
    },
    "a name twice": (with_member("corpus/00.txt"), IndexDamaged),
    "a file in the place of a folder": (with_member("corpus/sâu"), HtxError),
    "not named": (unnamed, IndexDamaged),
    "named only": (missing, IndexDamaged),
    "no commit": (without_toc, IndexDamaged),
    "another format": (with_values(format=1), IndexOutdated),
    "another analysis": (with_values(analysis=0), IndexOutdated),
    "another order of bytes": (with_values(byte_order="middle"), IndexOutdated),
    "another version": (with_values(htxsearch=99), IndexOutdated),
    "another data folder": (with_values(data="data-../../x"), IndexDamaged),
    "another generation": (with_values(generation=99), IndexDamaged),
    "no members": (with_values(members=3), IndexDamaged),
    "members of another form": (with_values(members={"index/manifest.json": [1]}), IndexDamaged),
    "a text for a number": (with_values(articles="5"), IndexDamaged),
    "no time": (with_values(created="hôm qua"), IndexDamaged),
    "a list": (lambda table, _: table.clear(), IndexDamaged),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_forged_snapshot_replaces_nothing(snapshot: Path, tmp_path: Path, name: str) -> None:
    change, error = HOSTILE[name]
    file = forged(snapshot, tmp_path / "forged.zip", change)
    place = tmp_path / "đích"
    place.mkdir()
    with Index(place / "index", corpus=place / "corpus") as index:
        with pytest.raises(error) as failure:
            index.restore(file)
        assert "Traceback" not in str(failure.value)
        assert not index.exists()
    assert {path.name for path in place.rglob("*")} <= {"index", "writer.lock", "adding.lock"}
    assert not (tmp_path / "x").exists()


def test_a_link_in_a_snapshot_is_refused(snapshot: Path, tmp_path: Path) -> None:
    file = forged(snapshot, tmp_path / "forged.zip", lambda table, _: table["members"].update({"corpus/x": linked}))
    info = zipfile.ZipInfo("corpus/x")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(info, b"/etc/passwd")
    with Index(tmp_path / "new", corpus=tmp_path / "new corpus") as index:
        with pytest.raises(IndexDamaged, match="'corpus/x'"):
            index.restore(file)
        assert not index.exists()


linked = {"path": "corpus/x", "size": 11, "sha256": sha256(b"/etc/passwd").hexdigest(), "modified_ns": 0}


def test_a_table_of_endless_size_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_file, "_MOST_TABLE_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("snapshot.json", b"[" * 100_000)
    with Index(tmp_path / "index") as index, pytest.raises(IndexDamaged, match=r"snapshot\.json"):
        index.restore(tmp_path / "a.zip")


@pytest.fixture
def interrupted(folders: Folders, tmp_path: Path) -> str:
    """A program that takes a snapshot and is stopped by Ctrl-C in the midst."""
    return HEEDS_INTERRUPTS + (
        "import os, signal, sys\nfrom htxsearch import Index\n"
        "def stop(done, total):\n    if 2 * done > total:\n        os.kill(os.getpid(), signal.SIGINT)\n"
        f"Index({str(folders.index)!r}, corpus={str(folders.corpus)!r}).snapshot({str(tmp_path / 'a.zip')!r}, progress=stop)\n"
    )


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_in_a_process_leaves_nothing(interrupted: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", interrupted], capture_output=True, text=True, check=False)
    assert "KeyboardInterrupt" in done.stderr
    assert os.listdir(tmp_path) == ["office"]
