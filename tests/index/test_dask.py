"""A corpus analysed by the workers of a Dask cluster: the index is that of a reindex."""

import datetime
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import htxsearch

from htxsearch import Index
from htxsearch.errors import ExtraMissing, HtxError
from htxsearch.indexing import dask_workers
from htxsearch.indexing.catalogue import read_catalogue
from htxsearch.indexing.dask_workers import DaskWorkers

from .folders import Folders

pytest.importorskip("distributed", reason="the extra `dask` is not installed")
pyarrow = pytest.importorskip("pyarrow", reason="the extra `dask` is not installed")
parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `dask` is not installed")

pytestmark = pytest.mark.filterwarnings("ignore")  # of the cluster: ports that are taken, memory that is short

QUERIES = ["chè", "trong cam", '"bà con trồng"', "hợp tác xã lúa 2021", "title:mía"]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Return the address of a cluster of two workers, processes of this machine."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def dask(address: str) -> Iterator[DaskWorkers]:
    workers = DaskWorkers(address)
    yield workers
    workers.close()


@pytest.fixture
def archive(tmp_path: Path) -> Folders:
    """Return a corpus of texts, JSON lines and a Parquet file; nothing of it is indexed yet."""
    folders = Folders(tmp_path)
    folders.write_some(25)
    rows: list[dict[str, Any]] = [
        {"id": f"r{n}", "title": f"Hợp tác xã lúa {n}", "text": f"Vụ {n}, hợp tác xã thu {n} tạ lúa.", "date": "2021-03-04"}
        for n in range(30)
    ]
    folders.write_lines("tin.jsonl", *rows)
    table = {name: [f"p {row[name]}" if name != "date" else datetime.date(2021, 3, 4) for row in rows] for name in rows[0]}
    parquet.write_table(pyarrow.table(table), folders.corpus / "kho.parquet")
    return folders


def contents(folder: Path, corpus: Path) -> dict[str, Any]:
    """Return all that an index says, of its articles and of some queries."""
    with Index(folder, corpus=corpus) as index:
        engine = index.searcher().snapshot.engine
        ids = engine.article_ids()
        answers = [index.search(query, facets=("year",), explain=True).as_json(explain=True) for query in QUERIES]
        related = [index.related(article_id).as_json() for article_id in ids[::9]]
        return {
            "records": engine.records(ids),
            "facts": engine.facts_of(ids),
            "forwards": engine.forwards(ids),
            "vectors": sorted(engine.vectors()),
            "files": {path: (one.digest, one.articles) for path, one in read_catalogue(engine).items()},
            "answers": [{**answer, "took_ms": 0} for answer in answers],
            "related": related,
        }


def test_the_index_is_that_of_a_reindex(archive: Folders, dask: DaskWorkers, tmp_path: Path) -> None:
    with Index(tmp_path / "other", corpus=archive.corpus) as other:
        report = other.update(workers=dask, batch=20)
    assert (report.added, report.rejected) == (85, ())
    assert archive.update(workers=1).added == 85
    assert contents(tmp_path / "other", archive.corpus) == contents(archive.index, archive.corpus)


def test_a_run_that_is_cut_off_goes_on_with_the_same_ids(archive: Folders, dask: DaskWorkers, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with Index(tmp_path / "other", corpus=archive.corpus) as other, pytest.raises(KeyboardInterrupt):
        other.update(workers=dask, batch=5, progress=stop)
    again = DaskWorkers(dask.address)
    with Index(tmp_path / "other", corpus=archive.corpus) as other:
        kept = len(other.article_ids())
        assert 0 < kept < 85
        report = other.update(workers=again)
        assert report.added == 85 - kept
        assert other.update(workers=1).unchanged == 85
    again.close()
    archive.update(workers=1)
    assert contents(tmp_path / "other", archive.corpus) == contents(archive.index, archive.corpus)


def test_a_worker_that_is_killed_loses_nothing(archive: Folders, address: str) -> None:
    import os
    import signal

    from distributed import Client

    def kill(done: int, _total: int) -> None:
        if done and victims:
            os.kill(victims.pop(), signal.SIGKILL)

    with Client(address, set_as_default=False) as client:
        victims = [next(iter(client.run(os.getpid).values()))]
    workers = DaskWorkers(address)
    assert archive.update(workers=workers, batch=10, progress=kill).added == 85
    workers.close()
    assert not victims


def test_another_version_of_a_worker_is_an_error(archive: Folders, dask: DaskWorkers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_workers, "_version", lambda: "htxsearch 9")
    with pytest.raises(HtxError, match=r"has htxsearch .*, and here is htxsearch 9"):
        archive.update(workers=dask)


def test_what_a_worker_dies_of_is_an_error_with_the_article(
    archive: Folders, dask: DaskWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_workers, "_documents", _failing)
    with pytest.raises(HtxError, match=r"failed at the article 00\.txt of 00\.txt: .*division"):
        archive.update(workers=dask)
    monkeypatch.undo()
    assert archive.update(workers=1).added == 85


def _failing(*_: object) -> float:
    return 1 / 0


@pytest.mark.parametrize("wrong", ["tcp://127.0.0.1:1", "nowhere:x", "ftp://127.0.0.1:1"])
def test_without_a_scheduler_there_is_a_plain_error(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setattr(dask_workers, "_CONNECTING_S", 0.3)
    with pytest.raises(HtxError, match="no Dask scheduler answers at"):
        DaskWorkers(wrong)


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ExtraMissing, match=r"install it with: pip install 'htxsearch\[dask\]'"):
        DaskWorkers()


def test_the_command_makes_an_index_and_takes_in_changes(archive: Folders, address: str, tmp_path: Path) -> None:
    words = "analyse", "corpus", "--dask", address, "--out", "index"
    first = htxsearch(*words, cwd=tmp_path, HTXSEARCH_LANG="en")
    assert first.returncode == 0, first.stderr
    assert "85 added" in first.stdout
    assert "85 unchanged" in htxsearch("reindex", cwd=tmp_path, HTXSEARCH_LANG="en").stdout
    archive.write("mới.txt", "Dứa", "Bà con mới trồng dứa.")
    again = htxsearch(*words, "--json", cwd=tmp_path)
    assert '"added": 1' in again.stdout


def test_a_cluster_and_own_workers_exclude_each_other(archive: Folders, tmp_path: Path) -> None:
    run = htxsearch("analyse", "corpus", "--dask", "tcp://x:1", "--workers", "2", cwd=tmp_path, HTXSEARCH_LANG="en")
    assert run.returncode == 2
    assert "either --dask or --workers" in run.stderr
    assert not archive.index.exists()
