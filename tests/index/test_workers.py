"""Workers make the same index as one process does, within bounds, and end with their parent however it ends."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from signal import Signals
from typing import Any

import pytest
from command import HEEDS_INTERRUPTS

from htxsearch.engine.memory import MemoryEngine
from htxsearch.errors import HtxError, UsageError
from htxsearch.indexing import workers
from htxsearch.indexing.catalogue import Report
from htxsearch.indexing.documents import document_of
from htxsearch.indexing.update import reindex, unobserved
from htxsearch.indexing.worker_process import LOW_PRIORITY, documents_or_errors
from htxsearch.indexing.workers import Answer
from htxsearch.ingest.article import Article
from htxsearch.ingest.corpus import SourceFile, articles_of

from .folders import Folders, lines
from .test_convergence import Edits, Stop, walk
from .test_convergence import assert_converged as assert_one_process_finds_nothing_left


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


@pytest.fixture(autouse=True)
def _worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let even the smallest corpus be worth workers, in many small portions."""
    monkeypatch.setattr(workers, "_WORTH", 1)
    monkeypatch.setattr(workers, "_PORTION", 3000)


class AtOnce:
    """Stands in for `Workers`: makes documents here, when they are ordered."""

    def __init__(self, _count: int, _niceness: int = 0) -> None:
        self.ordered = 0

    def make(self, articles: list[Article]) -> Answer:
        self.ordered += len(articles)
        made = documents_or_errors(articles)
        return Answer(lambda: made)

    def close(self) -> None:
        pass


def write_mixed(folders: Folders, count: int = 24) -> None:
    folders.write_some(count)
    folders.write_lines("05b.jsonl", *lines(*((f"bài-{number}", f"Vườn số {number}") for number in range(9))))
    folders.write_lines("07b.jsonl", *lines(("bài-3", "Cùng tên"), ("khác", "Ao cá")))
    (folders.corpus / "03b.txt").write_bytes(b"\xff\xff")
    (folders.corpus / "09b.txt").write_bytes(b"")


def without_stamps(blob: Any) -> Any:
    """Return a blob without the stamps of files, which depend on how long ago a file was written."""
    entries = [entry for entry in blob.values() if isinstance(entry, dict)] if isinstance(blob, dict) else []
    for entry in entries:
        entry.pop("stamp", None)
    return blob


def everything(engine: MemoryEngine) -> tuple[Any, ...]:
    return (
        list(engine._documents.items()),
        {
            name: blob if name == "feature-weights" else without_stamps(json.loads(blob))
            for name, blob in engine._blobs.items()
            if name not in ("arrivals", "last-stamp")
        },
        {one: row[2:] for one, row in json.loads(engine._blobs.get("arrivals", b"{}")).items()},  # without the times
        engine.generation,
    )


def run(folders: Folders, engine: MemoryEngine, **options: Any) -> Report:
    return reindex(engine, folders.corpus, **{"batch": 5, "progress": unobserved, **options})


# The same as one process makes


@pytest.mark.parametrize("batch", [5, 500])
def test_workers_make_the_same_documents_in_the_same_order(folders: Folders, batch: int) -> None:
    write_mixed(folders)
    alone, together = MemoryEngine(), MemoryEngine()
    seen: tuple[list[Any], list[Any]] = [], []
    reports = [
        run(folders, engine, batch=batch, workers=count, progress=lambda *done, some=some: some.append(done))
        for engine, count, some in zip((alone, together), (1, 3), seen, strict=True)
    ]
    assert everything(alone) == everything(together)
    assert reports[0] == reports[1]
    assert seen[0] == seen[1]
    assert len(reports[0].rejected) == 3


@pytest.mark.parametrize("cut_off", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_happened_reading_ahead_comes_to_the_same_as_reading_in_turn(
    tmp_path: Path, seed: int, cut_off: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "Workers", AtOnce)
    folders = Folders(tmp_path)
    for engine in walk(folders, Edits(folders, seed, shared_ids=True), cut_off=cut_off, workers=2):
        ahead = MemoryEngine()
        ahead._documents, ahead._blobs = dict(engine._documents), dict(engine._blobs)
        report = run(folders, ahead, workers=2)
        assert report == run(folders, engine, workers=1)
        assert everything(ahead)[:2] == everything(engine)[:2]
        assert_one_process_finds_nothing_left(ahead, folders)


def test_a_whole_index_is_made_by_workers(folders: Folders) -> None:
    write_mixed(folders)
    report = folders.update(workers=2, batch=6)
    assert report.added == 34
    assert folders.found("dấu13") == ["13.txt"]
    assert folders.update(workers=2).unchanged == 34


# Within bounds


def test_no_more_is_read_ahead_than_the_bound_allows(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    size = 2000
    monkeypatch.setattr(workers, "Workers", AtOnce)
    monkeypatch.setattr(workers, "_AHEAD", 5 * size)
    monkeypatch.setattr(workers, "_ARTICLE", size)
    folders.write_some(30)
    read = []
    items = workers._items
    monkeypatch.setattr(workers, "_items", lambda source, known: (read.append(source.path), items(source, known))[1])  # type: ignore[func-returns-value]
    ahead = []
    run(folders, MemoryEngine(), workers=2, progress=lambda *_: ahead.append(len(read)))
    started = [before - 1 - number // 2 for number, before in enumerate(ahead)]  # two calls a file
    assert max(started) <= 5
    assert len(read) == 30


def test_what_is_unchanged_is_not_ordered(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(workers, "Workers", lambda count, _: made.append(AtOnce(count)) or made[-1])  # type: ignore[func-returns-value]
    rows = lines(*((f"bài-{number}", f"Vườn số {number}") for number in range(30)))
    folders.write_lines("a.jsonl", *rows)
    engine = MemoryEngine()
    run(folders, engine, workers=2)
    folders.write_lines("a.jsonl", *rows, *lines(("mới", "Đàn ong")))
    report = run(folders, engine, workers=2)
    assert (report.added, report.unchanged) == (1, 30)
    assert [one.ordered for one in made] == [30, 1]


def test_little_work_starts_no_process(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(workers, "Workers", None)
    folders.write_some(10)
    assert folders.update(workers=4).added == 10


def test_one_worker_is_this_process(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "Workers", None)
    folders.write_some(10)
    assert folders.update(workers=1).added == 10


@pytest.mark.parametrize("count", [0, -1])
def test_no_workers_cannot_do_anything(folders: Folders, count: int) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        folders.update(workers=count)


# When something goes wrong

SPOILT = """
import os, signal, time
from htxsearch.indexing import worker_process
made = worker_process.document_of
def document_of(article):
    if "dấu13" in article.body:
        {trouble}
    return made(article)
worker_process.document_of = document_of
worker_process.serve()
"""


def spoil(monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    """Let every worker come to grief at article 13."""
    monkeypatch.setattr(workers, "_COMMAND", SPOILT.format(trouble=trouble))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Note every process that is started; none may be left at the end."""
    processes: list[subprocess.Popen[bytes]] = []
    start = workers.Workers._start
    monkeypatch.setattr(workers.Workers, "_start", lambda self: (processes.append(start(self)), processes[-1])[1])  # type: ignore[func-returns-value]
    yield processes
    assert processes
    assert all(process.poll() is not None for process in processes)


def assert_completed(folders: Folders) -> None:
    assert folders.update(workers=1).rejected == ()
    assert folders.ids() == [f"{number:02}.txt" for number in range(30)]
    assert folders.found("dấu13") == ["13.txt"]


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize("trouble", ["raise ZeroDivisionError('chia cho không')", "raise type('Odd', (Exception,), {})('lạ')"])
def test_what_a_worker_raises_is_raised_here_with_the_article_named(
    folders: Folders, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    folders.write_some(30)
    with monkeypatch.context() as patch:
        spoil(patch, trouble)
        with pytest.raises(ZeroDivisionError if "Zero" in trouble else RuntimeError) as failure:
            folders.update(workers=2, batch=4)
    told = f"{failure.value} {failure.value.__notes__ if 'Zero' in trouble else ''}"
    assert "13.txt" in told
    assert "document_of" in told
    assert folders.ids() == [f"{number:02}.txt" for number in range(12)]
    assert_completed(folders)


@pytest.mark.usefixtures("started")
@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_a_worker_that_is_killed_is_an_error_and_no_hang(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    folders.write_some(30)
    with monkeypatch.context() as patch:
        spoil(patch, "os.kill(os.getpid(), signal.SIGKILL)")
        with pytest.raises(HtxError, match=r"killed by signal 9 at 1[0-3]\.txt .*--jobs 1"):
            folders.update(workers=2, batch=2)
    assert 8 <= len(folders.ids()) <= 12
    assert_completed(folders)


def test_a_worker_that_cannot_be_started_is_an_error(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    folders.write_some(3)
    monkeypatch.setattr(sys, "executable", "/không/có")
    with pytest.raises(HtxError, match="cannot start a worker process"):
        folders.update(workers=2)


def test_what_a_worker_prints_does_not_spoil_its_answers(
    folders: Folders, monkeypatch: pytest.MonkeyPatch, started: list[Any], capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    folders.write_some(30)
    spoil(monkeypatch, "print('xin chào')")
    assert folders.update(workers=2).added == 30
    assert "xin chào" in capfd.readouterr().err
    assert len(started) == 2


@pytest.mark.usefixtures("started")
def test_an_interruption_stops_workers_at_once_and_keeps_what_was_taken_in(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders.write_some(30)
    with monkeypatch.context() as patch:
        spoil(patch, "time.sleep(600)")
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            folders.update(workers=2, batch=4, progress=Stop(15))  # two calls a file
        assert time.monotonic() - began < 600, "it waited for a worker"
    assert folders.ids() == [f"{number:02}.txt" for number in range(8)]
    with folders.open() as index:
        assert not index.is_complete()
    assert_completed(folders)


# As other programs start them

SCRIPT = """
import sys
from htxsearch import Index
from htxsearch.indexing import workers
workers._WORTH = 1
workers._PORTION = 3000
workers._COMMAND = sys.argv[1] or workers._COMMAND
print(Index("index", corpus="corpus").update(workers=2, batch=4, progress=lambda *_: print("…", flush=True)).added)
"""


def start_script(folders: Folders, trouble: str = "") -> subprocess.Popen[str]:
    """Start a script that has no `if __name__ == "__main__"`."""
    script = folders.corpus.parent / "script.py"
    script.write_text(HEEDS_INTERRUPTS + SCRIPT, "utf-8")
    command = [sys.executable, "-W", "ignore", str(script), trouble and SPOILT.format(trouble=trouble)]
    return subprocess.Popen(command, cwd=script.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_script_needs_no_guard_for_its_main_part(folders: Folders) -> None:
    folders.write_some(30)
    with start_script(folders) as script:
        out, err = script.communicate(timeout=600)
    assert out.split()[-1:] == ["30"], err
    assert out.count("30") == 1


def children(pid: int) -> list[int]:
    """Return the processes whose parent is `pid`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(path.parent.name))
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_its_parent(folders: Folders, how: Signals) -> None:
    folders.write_some(30)
    with start_script(folders, "time.sleep(600)") as script:
        for _ in range(8):  # four files: workers have begun
            assert script.stdout
            assert script.stdout.readline()
        workers_of_it = children(script.pid)
        assert workers_of_it
        os.kill(script.pid, how)
        script.communicate(timeout=300)
    deadline = time.monotonic() + 120
    while any(map(is_alive, workers_of_it)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_alive, workers_of_it))
    assert len(folders.ids()) >= 4
    assert_completed(folders)


def test_an_article_can_be_sent(folders: Folders) -> None:
    path = folders.write_lines("a.jsonl", {"id": "một", "title": "Chè", "place": "Hà Giang", "date": "2021-03-04"})
    [article] = articles_of(SourceFile(path, "a.jsonl"))
    assert isinstance(article, Article)
    made = document_of(article)
    assert pickle.loads(pickle.dumps(article)) == article
    assert pickle.loads(pickle.dumps(made)) == made


# Priority


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no priorities that os.setpriority knows")
def test_workers_give_way_to_others_and_the_callers_process_does_not(folders: Folders) -> None:
    def priority(pid: int) -> int:
        return os.getpriority(os.PRIO_PROCESS, pid)

    folders.write_some(1)
    (article,) = (one for source in [SourceFile(folders.corpus / "00.txt", "00.txt")] for one in articles_of(source))
    assert isinstance(article, Article)
    before = priority(0)
    started = workers.Workers(1)
    try:
        assert started.make([article]).document(0).id == article.id
        (process,) = started._processes
        niceness = max(before, LOW_PRIORITY)
        assert priority(process.pid) == niceness
        group = Path(f"/proc/{process.pid}/autogroup")  # of Linux, where sessions share processors first
        assert not group.exists() or group.read_text().split()[-1] in (str(niceness), "0"), (
            "0 where it is not in a session of its own"
        )
    finally:
        started.close()
    assert priority(0) == before
