"""Kill -9 in the midst of a reindex: what was committed answers, and the next run completes the rest.

The reindex runs in a child that a server process forks, so a kill costs no new import. It dies at a
random moment of two kinds: by itself at the n-th thing it asks of the file system, which lands
between any two steps of a commit, or from outside while it works on what follows the n-th article.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from htxsearch.engine.whoosh import WhooshEngine
from htxsearch.errors import IndexMissing

from .folders import SUBJECTS, Folders, strays

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

SERVER = """
import json, os, pathlib, signal, sys, tempfile
from htxsearch import Index

os.fsync = lambda descriptor: None  # what a process that dies has written stays written
with tempfile.TemporaryDirectory() as name:  # imports and loads all that a run needs
    corpus = pathlib.Path(name, "corpus")
    corpus.mkdir()
    (corpus / "a.txt").write_text("Vườn sả\\nBà con xã viên chuẩn bị.", "utf-8")
    with Index(pathlib.Path(name, "index"), corpus=corpus) as index:
        index.update()
WATCHED = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.listdir", "os.scandir", "fcntl.flock"}

def tell(**values):
    sys.stdout.write(json.dumps(values) + "\\n")
    sys.stdout.flush()

def work(job):
    seen = 0
    def watch(event, _):
        nonlocal seen
        if event in WATCHED:
            seen += 1
            if seen == job["die_at"]:
                os.kill(os.getpid(), signal.SIGKILL)
    tell(pid=os.getpid())
    sys.addaudithook(watch)
    with Index(job["index"], corpus=job["corpus"]) as index:
        index.update(batch=2, rebuild=job["rebuild"], progress=lambda done, total: tell(done=done))
    tell(seen=seen)

tell(ready=True)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            work(json.loads(line))
        except BaseException as error:
            tell(error=repr(error))
        finally:
            os._exit(0)
    tell(ended=os.waitpid(child, 0)[1])
"""


class Reindexer:
    """The server: does one reindex at a time, and tells how it went."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        assert self._process.stdin
        assert self._process.stdout
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        assert self._read() == {"ready": True}

    def _read(self) -> dict[str, Any]:
        line = self._stdout.readline()
        assert line, "the server is gone"
        told: dict[str, Any] = json.loads(line)
        return told

    def run(
        self, folders: Folders, *, rebuild: bool = False, die_at: int = 0, kill_after: int | None = None
    ) -> tuple[bool, int, int]:
        """Reindex; return (ended by a kill, steps asked of the file system, articles seen by progress)."""
        job = {"index": str(folders.index), "corpus": str(folders.corpus), "rebuild": rebuild, "die_at": die_at}
        self._stdin.write(json.dumps(job) + "\n")
        self._stdin.flush()
        pid = self._read()["pid"]
        steps = calls = 0
        if kill_after == 0:
            os.kill(pid, signal.SIGKILL)
        while "ended" not in (told := self._read()):
            assert "error" not in told, told
            steps = told.get("seen", steps)
            calls += "done" in told
            if calls == kill_after and "done" in told:
                os.kill(pid, signal.SIGKILL)
        killed = os.WIFSIGNALED(told["ended"]) and os.WTERMSIG(told["ended"]) == signal.SIGKILL
        assert killed or told["ended"] == 0
        return killed, steps, calls

    def close(self) -> None:
        self._stdin.close()
        self._process.wait()
        self._stdout.close()


@pytest.fixture(scope="module")
def reindexer() -> Iterator[Reindexer]:
    made = Reindexer()
    yield made
    made.close()


# Two states of a corpus


def text(number: int, version: str) -> str:
    return f"Hợp tác xã bán {SUBJECTS[number % len(SUBJECTS)]} dấu{number:02} ở chợ. Đây là bản {version}."


def row(number: int, version: str) -> dict[str, str]:
    return {"id": f"dòng-{number}", "title": f"Tổ số {number}", "text": text(number, version)}


def write_old(folders: Folders) -> None:
    for number in range(22):
        folders.write(f"{number:02}.txt", f"Tổ số {number}", text(number, "cũ"))
    folders.write_lines("10b.jsonl", *(row(number, "cũ") for number in range(30, 38)))


OLD_WORK = [
    *((f"{number:02}.txt", text(number, "cũ")) for number in range(11)),
    *((f"dòng-{number}", text(number, "cũ")) for number in range(30, 38)),
    *((f"{number:02}.txt", text(number, "cũ")) for number in range(11, 22)),
]
"""What a first build does, in order: an id and its body."""


def write_new(folders: Folders) -> None:
    for number in range(1, 22, 3):
        folders.write(f"{number:02}.txt", f"Tổ số {number}", text(number, "mới"))
    for number in (3, 12, 17, 20, 21):
        (folders.corpus / f"{number:02}.txt").unlink()
    for number in (50, 51, 52):
        folders.write(f"00-{number}.txt", f"Tổ số {number}", text(number, "mới"))
    kept = [row(number, "mới" if number % 2 else "cũ") for number in range(30, 38) if number not in (33, 36)]
    folders.write_lines("10b.jsonl", *kept, row(60, "mới"))


NEW_WORK = [
    *((f"00-{number}.txt", text(number, "mới")) for number in (50, 51, 52)),
    *((f"{number:02}.txt", text(number, "mới")) for number in (1, 4, 7, 10)),
    *((f"dòng-{number}", text(number, "mới")) for number in (31, 35, 37, 60)),
    *((f"dòng-{number}", None) for number in (33, 36)),
    *((f"{number:02}.txt", text(number, "mới")) for number in (13, 16, 19)),
    *((f"{number:02}.txt", None) for number in (3, 12, 17, 20, 21)),
]
"""What a reindex does then, in order: an id and its new body, None where it goes."""


def contents(folders: Folders) -> dict[str, str]:
    """Return the body of every article, and see that searching finds each of them once, as it is."""
    with folders.open() as index:
        bodies = {one: index.show(one).article.body for one in index.article_ids()}
        for query, wanted in (("hợp tác xã", ""), ("bản mới", "mới"), ("+mới", "mới"), ("+cũ", "cũ")):
            found = [hit.article_id for hit in index.search(query, limit=99, all_passages=True).hits]
            assert len(found) == len(set(found))
            if query != "bản mới":
                assert sorted(found) == sorted(one for one, body in bodies.items() if wanted in body)
    return bodies


def everything(folders: Folders) -> dict[str, Any]:
    """Return all that an index holds and answers, in a form that two of them can be compared by."""
    manifest = json.loads((folders.index / "manifest.json").read_text("utf-8"))
    engine = WhooshEngine(folders.index / manifest["data"])
    held = {
        "manifest": {name: value for name, value in manifest.items() if name not in ("data", "corpus", "corpus_from_index")},
        "records": {one: engine.record(one) for one in engine.article_ids()},
        "vectors": sorted(engine.vectors()),
        # A stamp tells when a file was copied, or nothing if that is too short ago.
        "catalogue": {path: {**entry, "stamp": None} for path, entry in json.loads(engine.blob("catalogue") or b"").items()},
        "short forms": json.loads(engine.blob("short-forms") or b""),
        "counts": engine.counts(),
    }
    engine.close()
    with folders.open() as index:
        for query in ("hợp tác xã bán chè", "bản mới", '"ở chợ"', "dấu07", "tổ số 5"):
            found = index.search(query, limit=99, all_passages=True)
            held[query] = [(hit.article_id, hit.passage.text, round(hit.score, 8)) for hit in found.hits]
    return held


class Scene:
    """What a run starts from, what it does in which order, and what it must come to."""

    def __init__(self, root: Path, kind: str, reindexer: Reindexer) -> None:
        self.kind = kind
        self.rebuild = kind == "rebuild"
        self._start = Folders(root / "start")
        write_old(self._start)
        self.before: dict[str, Any] = {}
        self.work: list[tuple[str, str | None]] = [*OLD_WORK]
        if kind != "first build":
            self._start.update()
            self.before = contents(self._start)
            self.work = NEW_WORK
            write_new(self._start)
        at_once = self.copy(root / "at once")
        shutil.rmtree(at_once.index, ignore_errors=True)
        at_once.update()
        self.after = everything(at_once)
        killed, self.steps, self.calls = reindexer.run(self.copy(root / "measure"), rebuild=self.rebuild)
        assert not killed
        assert self.steps > 100
        assert self.calls > 20

    def copy(self, root: Path) -> Folders:
        folders = Folders(root)
        shutil.copytree(self._start.corpus, folders.corpus, dirs_exist_ok=True)
        if self._start.index.exists():
            shutil.copytree(self._start.index, folders.index)
        return folders

    def states(self) -> list[dict[str, str]]:
        """Return what the index may hold: what was there before, with a first part of the work done."""
        state = dict(self.before)
        states = [dict(state)]
        for article, body in self.work:
            if body is None:
                del state[article]
            else:
                state[article] = body
            states.append(dict(state))
        return [states[0], states[-1]] if self.rebuild else states


@pytest.fixture(scope="module", params=["first build", "update", "rebuild"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, reindexer: Reindexer) -> Scene:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        return Scene(tmp_path_factory.mktemp("scene"), request.param, reindexer)


def contents_if_any(folders: Folders) -> dict[str, str]:
    try:
        return contents(folders)
    except IndexMissing:
        assert not (folders.index / "manifest.json").exists()
        return {}


def check_after_a_kill(scene: Scene, folders: Folders) -> None:
    held = contents(folders) if scene.before else contents_if_any(folders)
    assert held in scene.states()


def check_completed(scene: Scene, folders: Folders) -> None:
    report = folders.update()
    assert report.rejected == ()
    assert everything(folders) == scene.after
    assert contents(folders) == scene.states()[-1]
    assert strays(folders.index) == []
    again = folders.update()
    assert (again.added, again.changed, again.removed) == (0, 0, 0)


def test_the_scene_without_a_kill_is_as_expected(scene: Scene, tmp_path: Path, reindexer: Reindexer) -> None:
    folders = scene.copy(tmp_path)
    killed, _, _ = reindexer.run(folders, rebuild=scene.rebuild)
    assert not killed
    assert contents(folders) == scene.states()[-1]
    assert everything(folders) == scene.after
    assert strays(folders.index) == []


@pytest.mark.parametrize("share", range(5))
def test_killed_between_two_steps_it_answers_and_is_completed(
    scene: Scene, tmp_path: Path, reindexer: Reindexer, share: int
) -> None:
    rng = random.Random(f"{scene.kind} {share}")
    folders = scene.copy(tmp_path)
    die_at = 1 + int((share + rng.random()) / 5 * (scene.steps - 30))
    killed, _, _ = reindexer.run(folders, rebuild=scene.rebuild, die_at=die_at)
    assert killed
    check_after_a_kill(scene, folders)
    check_completed(scene, folders)


@pytest.mark.parametrize("number", range(3))
def test_killed_from_outside_it_answers_and_is_completed(
    scene: Scene, tmp_path: Path, reindexer: Reindexer, number: int
) -> None:
    rng = random.Random(f"{scene.kind} {number}")
    folders = scene.copy(tmp_path)
    reindexer.run(folders, rebuild=scene.rebuild, kill_after=rng.randrange(scene.calls))
    check_after_a_kill(scene, folders)
    check_completed(scene, folders)


def test_killed_again_and_again_it_still_comes_to_its_end(scene: Scene, tmp_path: Path, reindexer: Reindexer) -> None:
    rng = random.Random(f"{scene.kind} again")
    folders = scene.copy(tmp_path)
    states = scene.states()
    for _ in range(5):
        reindexer.run(folders, rebuild=scene.rebuild, die_at=rng.randrange(1, scene.steps // 2))
        held = contents(folders) if scene.before else contents_if_any(folders)
        assert all(body in (states[0].get(one), states[-1].get(one)) for one, body in held.items())
    check_completed(scene, folders)


@pytest.mark.parametrize("left", [4, 12, 18, 24])
def test_killed_in_its_last_commit_it_answers_and_is_completed(
    scene: Scene, tmp_path: Path, reindexer: Reindexer, left: int
) -> None:
    """Then the next run has nothing to commit, but still to clear up."""
    folders = scene.copy(tmp_path)
    reindexer.run(folders, rebuild=scene.rebuild, die_at=scene.steps - left)
    check_after_a_kill(scene, folders)
    check_completed(scene, folders)
