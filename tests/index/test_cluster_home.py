"""An index whose data are in a cluster: what its folder holds, and what other machines see; on a cluster in a dictionary."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from engine.fake_cluster import FakeCluster

from htxsearch import Index
from htxsearch.engine.contract import Lookup
from htxsearch.engine.whoosh.writer import WhooshWriter
from htxsearch.errors import CorpusError, IndexMissing, IndexOutdated, UsageError
from htxsearch.indexing.manifest import MANIFEST, read_manifest
from htxsearch.indexing.moving import BLOBS

URL = "http://localhost:9200/bai"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    made = FakeCluster()
    monkeypatch.setattr("htxsearch.engine.opensearch.connect", lambda address: made.connected(address.name))
    return made


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name in ("chè", "cam"):
        (folder / f"{name}.txt").write_text(f"Vườn {name}\n\nHợp tác xã trồng {name} ở Thái Nguyên.", "utf-8")
    return folder


def test_secrets_go_only_to_a_cluster_that_was_named(
    fake: FakeCluster, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index folder may be a stranger's."""
    url = "https://cum.example:9200/bai"
    Index(tmp_path / "một", corpus=corpus, engine=url).update()
    monkeypatch.setenv("HTXSEARCH_ENGINE_PASSWORD", "bí mật")
    before = len(fake.indices)
    with pytest.raises(UsageError, match=r"--engine https://cum\.example:9200/bai"):
        Index(tmp_path / "một", corpus=corpus).article_ids()
    assert Index(tmp_path / "một", corpus=corpus, engine=url).article_ids() == ["cam.txt", "chè.txt"]
    assert len(fake.indices) == before


def test_another_machine_needs_only_the_address(fake: FakeCluster, corpus: Path, tmp_path: Path) -> None:
    assert fake.indices == {}
    report = Index(tmp_path / "một", corpus=corpus, engine=URL).update()
    assert report.added == 2
    elsewhere = Index(tmp_path / "hai", engine=URL)
    assert elsewhere.exists()
    assert elsewhere.is_complete()
    assert elsewhere.article_ids() == ["cam.txt", "chè.txt"]
    assert sorted(os.listdir(tmp_path / "hai")) == [MANIFEST]


def test_the_folder_remembers_the_address_and_no_secret(
    fake: FakeCluster, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTXSEARCH_ENGINE_PASSWORD", "bimat")
    url = URL.replace("//", "//nam@")
    Index(tmp_path / "index", corpus=corpus, engine=url).update()
    assert read_manifest(tmp_path / "index").address == url
    assert Index(tmp_path / "index").article_ids() == ["cam.txt", "chè.txt"]
    kept = [path.read_text("utf-8", "replace") for path in (tmp_path / "index").rglob("*") if path.is_file()]
    assert not any("bimat" in text for text in (*kept, json.dumps(fake.indices)))


def test_what_was_changed_is_seen_elsewhere_at_the_next_question(fake: FakeCluster, corpus: Path, tmp_path: Path) -> None:
    one, elsewhere = Index(tmp_path / "một", corpus=corpus, engine=URL), Index(tmp_path / "hai", engine=URL)
    one.update()
    before = elsewhere.version()
    (corpus / "chè.txt").unlink()
    (corpus / "bưởi.txt").write_text("Vườn bưởi\n\nBưởi ngon.", "utf-8")
    one.update()
    assert elsewhere.article_ids() == ["bưởi.txt", "cam.txt"]
    assert elsewhere.version() != before
    assert fake.indices


def test_a_rebuild_fills_new_data_and_then_takes_its_place(fake: FakeCluster, corpus: Path, tmp_path: Path) -> None:
    one, elsewhere = Index(tmp_path / "một", corpus=corpus, engine=URL), Index(tmp_path / "hai", engine=URL)
    one.update()
    former = read_manifest(tmp_path / "một").data
    assert elsewhere.article_ids() == one.article_ids()
    one.update(rebuild=True)
    assert elsewhere.article_ids() == one.article_ids() == ["cam.txt", "chè.txt"]
    current = read_manifest(tmp_path / "hai").data
    assert current == read_manifest(tmp_path / "một").data != former
    assert {f"bai-{former}", f"bai-{current}"} <= set(fake.indices), "the former is kept for readers at work"


def test_a_rebuild_that_is_cut_off_changes_nothing(
    fake: FakeCluster, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Index(tmp_path / "một", corpus=corpus, engine=URL)
    one.update()
    former = read_manifest(tmp_path / "một").data
    with monkeypatch.context() as patch:
        patch.setattr("htxsearch.indexing.run.reindex", lambda *_args, **_options: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            one.update(rebuild=True)
    assert Index(tmp_path / "hai", engine=URL).article_ids() == ["cam.txt", "chè.txt"]
    assert read_manifest(tmp_path / "hai").data == former
    assert len([name for name in fake.indices if name.endswith("-words")]) == 2


def test_a_first_run_that_is_cut_off_is_gone_on_with(
    fake: FakeCluster, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Index(tmp_path / "một", corpus=corpus, engine=URL)
    with monkeypatch.context() as patch:
        patch.setattr("htxsearch.indexing.run.reindex", lambda *_args, **_options: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            one.update()
    assert not Index(tmp_path / "hai", engine=URL).exists()
    begun = read_manifest(tmp_path / "một").data
    one.update()
    assert read_manifest(tmp_path / "một").data == begun
    assert Index(tmp_path / "hai", engine=URL).article_ids() == ["cam.txt", "chè.txt"]
    assert fake.indices


def test_a_folder_with_an_index_of_its_own_is_left_alone(fake: FakeCluster, corpus: Path, tmp_path: Path) -> None:
    Index(tmp_path / "index", corpus=corpus).update()
    before = (tmp_path / "index" / MANIFEST).read_bytes()
    for _ in range(2):  # nothing is in the cluster; then there is
        with pytest.raises(UsageError) as caught:
            Index(tmp_path / "index", corpus=corpus, engine=URL).update()
        assert caught.value.code == "engine.folder-taken"
        assert (tmp_path / "index" / MANIFEST).read_bytes() == before
        Index(tmp_path / "khác", corpus=corpus, engine=URL).update()
    assert fake.indices
    assert Index(tmp_path / "index", corpus=corpus).article_ids() == ["cam.txt", "chè.txt"]


def test_nothing_there_is_said_to_be_missing(fake: FakeCluster, tmp_path: Path) -> None:
    index = Index(tmp_path / "index", engine=URL)
    assert not index.exists()
    with pytest.raises(IndexMissing):
        index.article_ids()
    assert fake.indices == {}


def test_another_machine_does_not_update_from_another_corpus(fake: FakeCluster, corpus: Path, tmp_path: Path) -> None:
    Index(tmp_path / "một", corpus=corpus, engine=URL).update()
    other = tmp_path / "khác"
    other.mkdir()
    (other / "khác.txt").write_text("Khác\n\nKhác hẳn.", "utf-8")
    with pytest.raises(CorpusError):
        Index(tmp_path / "hai", corpus=other, engine=URL).update()
    assert Index(tmp_path / "một").article_ids() == ["cam.txt", "chè.txt"]
    assert fake.indices


def test_a_snapshot_is_of_files_and_is_refused(fake: FakeCluster, corpus: Path, tmp_path: Path) -> None:
    index = Index(tmp_path / "index", corpus=corpus, engine=URL)
    index.update()
    refusals: tuple[Callable[[], object], ...] = (
        lambda: index.snapshot(tmp_path / "bản.htx"),
        lambda: index.restore(tmp_path / "bản.htx"),
    )
    for refused in refusals:
        with pytest.raises(UsageError) as caught:
            refused()
        assert caught.value.code == "engine.no-files"
    assert fake.indices
    assert not (tmp_path / "bản.htx").exists()


def test_an_index_is_moved_to_a_cluster_and_back_without_analysing(
    fake: FakeCluster, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = Index(tmp_path / "index", corpus=corpus)
    index.update()
    before = contents(index)
    reader = Index(tmp_path / "index")
    assert reader.article_ids() == before["ids"]
    monkeypatch.setattr("htxsearch.text.segmenter.word_spans", lambda _text: 1 / 0)
    assert index.move(URL) == 2
    assert not list((tmp_path / "index").glob("data-*"))
    assert Index(tmp_path / "khác", engine=URL).article_ids() == before["ids"]
    assert reader.article_ids() == before["ids"]
    assert Index(tmp_path / "index").move("") == 2
    assert reader.article_ids() == before["ids"]
    back = Index(tmp_path / "index", corpus=corpus)
    assert back.path.joinpath(read_manifest(back.path).data).is_dir()
    assert contents(back) == before
    assert back.update().unchanged == 2
    assert fake.indices


def contents(index: Index) -> dict[str, object]:
    """Return all that an index holds, as it is found."""
    engine = index._open().engine
    ids = engine.article_ids()
    keys: list[Lookup] = [("syllable", "hop"), ("syllable", "che"), ("word", "hop_tac_xa"), ("word", "thai_nguyen")]
    return {
        "ids": ids,
        "records": engine.records(ids),
        "forwards": engine.forwards(ids),
        "facts": engine.facts_of(ids),
        "vectors": sorted(engine.vectors()),
        "spellings": engine.spellings(keys),
        "counts": engine.counts(),
        "found": index.search("hợp tác xã").as_json()["hits"],
        "blobs": [engine.blob(name) for name in BLOBS],
    }


def test_all_blobs_that_indexing_writes_are_moved(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: set[str] = set()
    commit = WhooshWriter.commit

    def noted(self: WhooshWriter, blobs: dict[str, bytes], **options: bool) -> None:
        written.update(blobs)
        commit(self, blobs, **options)

    monkeypatch.setattr(WhooshWriter, "commit", noted)
    Index(tmp_path / "index", corpus=corpus).update()
    assert written == set(BLOBS)


def test_nothing_is_moved_to_where_an_index_is(fake: FakeCluster, corpus: Path, tmp_path: Path) -> None:
    Index(tmp_path / "một", corpus=corpus, engine=URL).update()
    here = Index(tmp_path / "hai", corpus=corpus)
    here.update()
    for to in (URL, ""):
        with pytest.raises(UsageError) as caught:
            here.move(to)
        assert caught.value.code == "engine.exists"
    assert here.article_ids() == ["cam.txt", "chè.txt"]
    assert fake.indices


def test_data_of_an_older_mapping_are_refused_and_built_again(fake: FakeCluster, corpus: Path, tmp_path: Path) -> None:
    Index(tmp_path / "một", corpus=corpus, engine=URL).update()
    [state] = [one for name, one in fake.indices["bai-state"].items() if name.startswith("state@")]
    del state["_source"]["state"]["layout"]
    with pytest.raises(IndexOutdated, match="reindex --rebuild"):
        Index(tmp_path / "một").article_ids()
    Index(tmp_path / "một", corpus=corpus).update(rebuild=True)
    assert Index(tmp_path / "hai", engine=URL).article_ids() == ["cam.txt", "chè.txt"]
