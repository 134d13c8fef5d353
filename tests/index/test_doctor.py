"""`Index.check`: whatever is wrong with an index or its corpus is named, with the command that mends it; nothing is written."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from htxsearch.engine.whoosh import check_files
from htxsearch.errors.messages import LANGUAGES, render
from htxsearch.indexing.encoder import MODEL
from htxsearch.indexing.findings import CheckReport
from htxsearch.indexing.manifest import writer_lock
from htxsearch.indexing.vector_store import VectorFile, passage_key, write_positions
from htxsearch.ingest.metadata_files import metadata_file_of

from .folders import Folders, change_manifest

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("failures_collected"),
]

REINDEX, REBUILD, SEMANTIC = "htxsearch reindex", "htxsearch reindex --rebuild", "htxsearch reindex --semantic"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A finished index of two segments, with an article deleted; only copy it."""
    folders = Folders(tmp_path_factory.mktemp("sound"))
    folders.write_some(6)
    folders.write("sâu/ghi chú.txt", "Trồng rừng", "Năm 2023, xã Tân Cương có 34 hợp tác xã trồng 20 ha rừng.")
    folders.update()
    (folders.corpus / "03.txt").unlink()
    folders.write("04.txt", "Tổ nuôi ong", "Hợp tác xã bán mật ong rừng.")
    folders.update()
    return folders


@pytest.fixture
def copy(sound: Folders, tmp_path: Path) -> Folders:
    """A copy of the sound folders; the times of the corpus are kept, so that nothing has changed."""
    return copied(sound, tmp_path / "copy")


def copied(folders: Folders, root: Path) -> Folders:
    copy = Folders(root)
    for folder in ("corpus", "index"):
        shutil.copytree(getattr(folders, folder), getattr(copy, folder), dirs_exist_ok=True)
    return copy


def check(folders: Folders) -> CheckReport:
    before = {path: path.read_bytes() for path in folders.index.rglob("*") if path.is_file()}
    with folders.open() as index:
        report = index.check()
    assert {path: path.read_bytes() for path in folders.index.rglob("*") if path.is_file()} == before, "it only reads"
    return report


def found(folders: Folders) -> dict[str, tuple[str, str]]:
    """Return code and command of each finding, by its file below the folders' root."""
    root = folders.index.parent
    return {
        os.path.relpath(one.file, root).replace("\\", "/"): (one.problem.code, str(one.mend)) for one in check(folders).findings
    }


def only(folders: Folders, pattern: str) -> Path:
    return sorted(folders.index.glob(pattern))[0]


def test_a_sound_index_has_no_findings(copy: Folders) -> None:
    seen: list[tuple[int, int]] = []
    with copy.open() as index:
        report = index.check(lambda done, total: seen.append((done, total)))
    assert report
    assert (report.findings, report.articles, report.generation) == ((), 6, 2)
    assert seen == sorted(seen)
    assert seen[-1][0] <= seen[-1][1]
    everything = [path for folder in (copy.index, copy.corpus) for path in folder.rglob("*") if path.is_file()]
    assert report.bytes >= sum(path.stat().st_size for path in everything if path.parent.parent == copy.index)


NOISE = random.Random(4).randbytes(500_000)
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "noise": lambda data: NOISE[: len(data)],
    "a bit": lambda data: bytes([*data[: len(data) // 3], data[len(data) // 3] ^ 4, *data[len(data) // 3 + 1 :]]),
    "other JSON": lambda _data: b'[{"digest": 1}, 2]',
    "deep JSON": lambda _data: b"[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_of_every_file_is_found_and_its_command_mends_it(sound: Folders, tmp_path: Path, damage: str) -> None:
    names = [path.relative_to(sound.index) for path in sorted(sound.index.rglob("*")) if path.is_file()]
    names = [name for name in names if name.name not in ("writer.lock", "MAIN_WRITELOCK", "last-run.json")]
    assert len(names) >= 10
    for number, name in enumerate(names):
        copy = copied(sound, tmp_path / str(number))
        path = copy.index / name
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
        findings = check(copy).findings
        assert findings, name
        commands = {str(one.mend) for one in findings} & {REINDEX, REBUILD}
        assert commands, name
        if damage == "a bit":
            assert str(path) in {one.file for one in findings}
            copy.update(rebuild=REBUILD in commands)
            assert check(copy).findings == (), name


def test_every_flipped_bit_of_a_segment_is_found(copy: Folders) -> None:
    path = only(copy, "data-*/*.seg")
    content, random_bits = bytearray(path.read_bytes()), random.Random(1)
    for _ in range(150):
        at, bit = random_bits.randrange(len(content)), 1 << random_bits.randrange(8)
        content[at] ^= bit
        path.write_bytes(content)
        assert [(fault.name, fault.kind) for fault in check_files(path.parent)] == [(path.name, "damaged")]
        content[at] ^= bit


def test_garbage_in_every_file_at_once_is_no_traceback(copy: Folders) -> None:
    for path in [*copy.index.rglob("*"), *copy.corpus.rglob("*")]:
        if path.is_file() and path.name != "writer.lock":
            path.write_bytes(NOISE[:3000])
    assert check(copy).findings


@pytest.mark.parametrize(
    ("pattern", "code", "command"),
    [
        ("data-*/*.seg", "check.missing", REBUILD),
        ("data-*/*.imp", "check.columns-damaged", REINDEX),
        ("data-*/checksums-*.blob", "index.unreadable", REBUILD),
        ("data-*/catalogue-*.blob", "check.missing", REBUILD),
        ("manifest.json", "index.missing", REINDEX),
    ],
)
def test_a_file_that_is_gone_is_found(copy: Folders, pattern: str, code: str, command: str) -> None:
    only(copy, pattern).unlink()
    assert (code, command) in found(copy).values()


def test_what_was_left_over_is_found(copy: Folders) -> None:
    data = only(copy, "data-*")
    (data / "MAIN_abc.seg").write_bytes(b"x")
    (data / "ghi chú").write_bytes(b"x")
    (copy.index / "data-0123").mkdir()
    (copy.index / "manifest.json.tmp").write_bytes(b"x")
    (copy.index / "progress.json").write_bytes(b"{}")
    assert found(copy) == {
        f"index/{data.name}/MAIN_abc.seg": ("check.left-over", REINDEX),
        f"index/{data.name}/ghi chú": ("check.left-over", f"rm '{data / 'ghi chú'}'"),
        "index/data-0123": ("check.left-over", REINDEX),
        "index/manifest.json.tmp": ("check.left-over", f"rm {copy.index / 'manifest.json.tmp'}"),
        "index/progress.json": ("check.left-over", REINDEX),
    }
    with writer_lock(copy.index):
        report = check(copy)
    assert report.is_being_written
    assert report.findings == (), "files of who writes now"
    (copy.index / "manifest.json.tmp").unlink()
    (data / "ghi chú").unlink()
    copy.update()
    assert found(copy) == {}


def test_the_corpus_is_compared_with_the_catalogue(copy: Folders) -> None:
    copy.write("mới.txt", "Tổ trồng sen")
    long = copy.write("d" * 251 + ".txt", "Tổ trồng cói")
    metadata_file_of(long).write_text('title = "Có bài, tên dài"\n', encoding="utf-8")
    copy.write("00.txt", "Tổ trồng súng", "Khác hẳn.")
    (copy.corpus / "01.txt").unlink()
    (copy.corpus / "05.txt.meta.toml").write_text('title = "Có bài"\n', encoding="utf-8")
    (copy.corpus / "đã xoá.txt.meta.toml").write_text('title = "Không có bài"\n', encoding="utf-8")
    (copy.corpus / "hỏng.pdf").write_bytes(b"%PDF-1.4 nothing")
    report = check(copy)
    codes = {one.problem.code: (one.problem.fields, str(one.mend)) for one in report.findings}
    stale = copy.corpus / "đã xoá.txt.meta.toml"
    assert codes == {
        "check.without-article": ({"name": "đã xoá.txt"}, f"rm '{stale}'"),
        "check.corpus-new": ({"count": 2, "id": long.name}, REINDEX),
        "check.corpus-changed": ({"count": 2, "id": "00.txt"}, REINDEX),
        "check.corpus-gone": ({"count": 1, "id": "01.txt"}, REINDEX),
        "check.corpus-rejected": ({"count": 1, "path": "hỏng.pdf"}, REINDEX),
    }
    stale.unlink()
    copy.update()
    assert found(copy) == {}


def test_a_file_that_changed_without_its_time_is_found(copy: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that reads other bytes leaves size and times as they were."""
    path = copy.corpus / "02.txt"
    monkeypatch.setattr("time.time_ns", lambda: 2**62)  # every time is old enough to be believed
    copy.update(rebuild=True)
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: read(self) + b"." * (self == path))
    assert found(copy) == {"corpus/02.txt": ("check.changed-in-silence", REBUILD)}


def test_a_corpus_that_is_not_there_or_another_or_nearly_empty(copy: Folders, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    copy.corpus.rename(moved)
    assert found(copy) == {"corpus": ("corpus.missing", "htxsearch doctor --corpus FOLDER")}
    copy.corpus.mkdir()
    findings = found(copy)
    assert findings["corpus"][1] in (REINDEX, "htxsearch reindex --allow-removals")
    codes = {one.problem.code for one in check(copy).findings}
    assert {"corpus.many-removed", "check.corpus-gone"} <= codes


def test_a_catalogue_of_other_articles_is_found(sound: Folders, tmp_path: Path) -> None:
    copy, other = copied(sound, tmp_path / "a"), Folders(tmp_path / "b")
    other.write_some(9)
    other.update()
    with copy.open() as index, other.open() as foreign:
        own, engine = index.searcher().snapshot.engine, foreign.searcher().snapshot.engine
        writer = own.writer()
        writer.commit({name: engine.blob(name) or b"" for name in ("catalogue", "short-forms", "settled", "left-out")})
    codes = {one.problem.code for one in check(copy).findings}
    assert {"check.not-in-engine", "check.not-in-catalogue", "check.article-differs"} <= codes


def test_a_run_that_was_cut_off_and_counts_that_differ_are_found(copy: Folders) -> None:
    manifest = change_manifest(copy.index, complete=False)
    assert found(copy) == {"index/manifest.json": ("check.incomplete", REINDEX)}
    change_manifest(copy.index, complete=True, articles=99, segmenter="0.1")
    commands = {(one.problem.code, str(one.mend)) for one in check(copy).findings}
    assert {("check.counts", REINDEX), ("index.other-segmenter", REBUILD)} <= commands
    change_manifest(copy.index, articles=manifest["articles"], segmenter=manifest["segmenter"], format=1)
    assert found(copy)["index/manifest.json"] == ("index.outdated", REBUILD)


def encode(folders: Folders) -> None:
    """Make vectors of all passages, of no meaning."""
    with folders.open() as index:
        engine = index.searcher().snapshot.engine
        keys = []
        for article_id in engine.article_ids():
            title, *passages = engine.forwards([article_id]).articles()[0]
            keys += [passage_key(title, passage) for passage in passages]
    file = VectorFile(folders.index, MODEL, 8)
    file.repair()
    file.append(keys, np.random.default_rng(1).normal(size=(len(keys), 8)))
    write_positions(folders.index, [])


def test_vectors_are_compared_with_their_checksums_and_the_passages(copy: Folders) -> None:
    encode(copy)
    assert found(copy) == {}
    assert check(copy).vectors == 6
    path, places = copy.index / "vectors" / "vectors.bin", copy.index / "vectors" / "places.bin"
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    codes = {one.problem.code: one.problem.fields for one in check(copy).findings}
    assert codes == {"check.vectors-damaged": {"count": 1}, "check.vectors-lacking": {"count": 1}}
    path.write_bytes(whole[:-10] + bytes(10))
    codes = {one.problem.code: one.problem.fields for one in check(copy).findings}
    assert codes == {"check.vectors-damaged": {"count": 1}, "check.vectors-lacking": {"count": 1}}
    path.write_bytes(NOISE[:1000])
    places.write_bytes(NOISE[:1000])
    (copy.index / "vectors" / "x.tmp").write_bytes(b"")
    assert found(copy) == {
        "index/vectors/vectors.bin": ("check.vectors-foreign", SEMANTIC),
        "index/vectors/x.tmp": ("check.left-over", f"rm {copy.index / 'vectors' / 'x.tmp'}"),
    }
    path.write_bytes(whole)
    assert found(copy)["index/vectors/places.bin"] == ("check.positions-damaged", SEMANTIC)


def test_kept_text_of_scans_is_checked(copy: Folders) -> None:
    folder = copy.index / "ocr"
    folder.mkdir()
    (folder / "0123-45.json").write_bytes(b'{"lines": ["x"]}')
    (folder / "x.tmp").write_bytes(b"")
    assert found(copy) == {
        "index/ocr/0123-45.json": ("check.damaged", f"rm {folder / '0123-45.json'}"),
        "index/ocr/x.tmp": ("check.left-over", f"rm {folder / 'x.tmp'}"),
    }


def test_many_findings_of_a_kind_are_counted(copy: Folders) -> None:
    for number in range(50):
        (copy.corpus / f"{number} đâu.txt.meta.toml").write_bytes(b"")
    findings = check(copy).findings
    assert len(findings) == 21
    assert findings[-1].problem.fields == {"count": 30}


def test_an_index_that_changes_all_the_time_is_no_fault(copy: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    stamps = iter(range(99))
    monkeypatch.setattr("htxsearch.indexing.checkup._stamp", lambda _index: next(stamps))
    only(copy, "data-*/*.seg").write_bytes(b"")
    (finding,) = check(copy).findings
    assert (finding.problem.code, str(finding.mend)) == ("check.changed-meanwhile", "htxsearch doctor")


def test_a_problem_has_no_advice_beside_its_command_in_any_language(copy: Folders) -> None:
    only(copy, "data-*/*.toc").write_bytes(b"x")
    (finding,) = check(copy).findings
    for language in LANGUAGES:
        assert "htxsearch reindex" not in render(finding.problem, language, audience="report")
        assert render(finding.mend, language) == REBUILD


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_found(copy: Folders) -> None:
    path = only(copy, "data-*/*.seg")
    path.chmod(0)
    assert any(str(one.mend).startswith("chmod") for one in check(copy).findings)
