"""The scenes of the campaign: what an operation starts from, what it may leave at any moment, and what it must come to."""

import hashlib
import json
import os
import pickle
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from index.folders import SUBJECTS, Folders, strays

from htxsearch import Index
from htxsearch.engine.whoosh import WhooshEngine
from htxsearch.errors import CorpusError, HtxError, IndexFailure, IndexMissing

from .layer import Layer, counting
from .outcome import Failed, Outcome
from .victim import Tell, run

__all__ = [
    "OPERATIONS",
    "Contents",
    "Scene",
    "check_mended",
    "command_in",
    "contents",
    "everything",
    "make_scenes",
    "mended_by",
    "scene",
    "write_new",
    "write_old",
]

Contents = dict[str, tuple[str | None, ...]]
"""Of each article's id: title, body, date, place, source."""


# Two states of a corpus


def body_of(number: int, version: str) -> str:
    return f"Hợp tác xã bán {SUBJECTS[number % len(SUBJECTS)]} dấu{number:02} ở chợ. Đây là bản {version}."


def row(number: int, version: str) -> dict[str, str]:
    return {"id": f"dòng-{number}", "title": f"Tổ số {number}", "text": body_of(number, version)}


def write_old(folders: Folders) -> None:
    for number in range(22):
        folders.write(f"{number:02}.txt", f"Tổ số {number}", body_of(number, "cũ"))
    folders.write_lines("10b.jsonl", *(row(number, "cũ") for number in range(30, 38)))


OLD_WORK = [
    *(f"{number:02}.txt" for number in range(11)),
    *(f"dòng-{number}" for number in range(30, 38)),
    *(f"{number:02}.txt" for number in range(11, 22)),
]
"""The articles that a first build takes in, in order."""


def write_new(folders: Folders) -> None:
    for number in range(1, 22, 3):
        folders.write(f"{number:02}.txt", f"Tổ số {number}", body_of(number, "mới"))
    for number in (3, 12, 17, 20, 21):
        (folders.corpus / f"{number:02}.txt").unlink()
    for number in (50, 51, 52):
        folders.write(f"00-{number}.txt", f"Tổ số {number}", body_of(number, "mới"))
    kept = [row(number, "mới" if number % 2 else "cũ") for number in range(30, 38) if number not in (33, 36)]
    folders.write_lines("10b.jsonl", *kept, row(60, "mới"))


NEW_WORK = [
    *(f"00-{number}.txt" for number in (50, 51, 52)),
    *(f"{number:02}.txt" for number in (1, 4, 7, 10)),
    *(f"dòng-{number}" for number in (31, 35, 37, 60, 33, 36)),
    *(f"{number:02}.txt" for number in (13, 16, 19)),
    *(f"{number:02}.txt" for number in (3, 12, 17, 20, 21)),
]
"""The articles that a reindex then touches, in order."""

SENT = {
    "thêm/a.txt": "Tổ đan lưới\nBà con đan lưới bán ở chợ. Đây là bản mới.\n",
    "thêm/b.txt": "Tổ nuôi hươu\nHợp tác xã bán nhung.\n",
}
"""The files that are added, by their path in the corpus."""


_BATCH = int(os.environ.get("FAULTS_BATCH", "2"))
"""Articles of a commit. Two make many commits; with eight, each step of each kind of commit can be tried in half an hour."""
KEPT = "bản chụp.zip"
"""The snapshot that is written, or restored."""


# What is done


def _reindex(index: Index, _root: Path, tell: Tell, **options: Any) -> None:
    index.update(batch=_BATCH, progress=lambda done, _total: tell(done=done), **options)


def _add(index: Index, root: Path, tell: Tell) -> None:
    index.add(root / "thêm", metadata={"source": "Báo xã"}, seen=lambda source: tell(done=source))


def _edit(index: Index, _root: Path, tell: Tell) -> None:
    tell(done=0)
    index.edit("05.txt", title="Tổ hợp tác số năm", date="2020-05-05")


def _snapshot(index: Index, root: Path, tell: Tell) -> None:
    index.snapshot(root / KEPT, progress=lambda done, _total: tell(done=done))


def _restore(index: Index, root: Path, tell: Tell) -> None:
    index.restore(root / KEPT, force=True, progress=lambda done, _total: tell(done=done))


OPERATIONS: dict[str, Callable[..., None]] = {
    "first build": _reindex,
    "update": _reindex,
    "rebuild": lambda index, root, tell: _reindex(index, root, tell, rebuild=True),
    "add": _add,
    "edit": _edit,
    "snapshot": _snapshot,
    "restore": _restore,
}
"""What is cut off: called with an index, the folder of the scene, and what tells how far it is."""


# What an index holds


def contents(folders: Folders) -> Contents:
    """Return every article as it is indexed, and see that searching finds each of them once, as it is.

    Raises Failed if it does not.
    """
    with folders.open() as index:
        articles = {one: index.show(one).article for one in index.article_ids()}
        for query, wanted in (("hợp tác xã", "Hợp tác xã"), ("bản mới", "mới"), ("+mới", "mới"), ("+cũ", "cũ")):
            found = [hit.article_id for hit in index.search(query, limit=99, all_passages=True, match="any").hits]
            if len(found) != len(set(found)):
                raise Failed("doubled", f"{query}: {found}")
            expected = sorted(one for one, article in articles.items() if wanted in article.body)
            if sorted(one for one in found if wanted in articles[one].body) != expected:
                raise Failed("lost" if set(found) < set(expected) else "wrong", f"{query}: {sorted(found)}, not {expected}")
    return {
        one: (article.title, article.body, str(article.date), article.place, article.source)
        for one, article in articles.items()
    }


def everything(folders: Folders) -> dict[str, Any]:
    """Return all that an index holds and answers, in a form that two of them can be compared by."""
    manifest = json.loads((folders.index / "manifest.json").read_text("utf-8"))
    engine = WhooshEngine(folders.index / manifest["data"])
    elsewhere = ("data", "corpus", "corpus_from_index", "checksum")
    held = {
        "manifest": {name: value for name, value in manifest.items() if name not in elsewhere},
        "records": {one: engine.records([one])[0] for one in engine.article_ids()},
        "vectors": sorted(engine.vectors()),
        # A stamp tells when a file was copied, or nothing if that is too short ago.
        "catalogue": {path: {**entry, "stamp": None} for path, entry in json.loads(engine.blob("catalogue") or b"").items()},
        "short forms": json.loads(engine.blob("short-forms") or b""),
        "counts": engine.counts(),
        "facts": {one: engine.facts_of([one])[0] for one in engine.article_ids()},
    }
    engine.close()
    with folders.open() as index:
        for query in ("hợp tác xã bán chè", "bản mới", '"ở chợ"', "dấu07", "tổ số 5", "kktr"):
            found = index.search(query, limit=99, all_passages=True, facets=("place", "source", "year"))
            held[query] = [(hit.article_id, hit.passage.text, round(hit.score, 8)) for hit in found.hits], found.facets
        for one in index.article_ids()[::7]:
            held[f"related to {one}"] = [(near.article_id, round(near.score, 8)) for near in index.related(one).related]
    return held


def command_in(error: HtxError) -> str:
    """Return the command of ours that an error names. Raises Failed if it names none."""
    found = re.search(r"htxsearch reindex( --rebuild)?", str(error))
    if not found:
        raise Failed("wrong", f"no command in: {error}")
    return found[0]


def mended_by(folders: Folders, command: str) -> None:
    """Do what an error has named, and what its error names then. Raises Failed if that is no end."""
    said: list[str] = []
    options: dict[str, Any] = {}
    for _ in range(3):
        try:
            report = folders.update(rebuild="--rebuild" in command, **options)
        except CorpusError as error:
            if error.code != "corpus.other" or "--allow-other-corpus" not in str(error):
                raise
            said.append(str(error))  # a flipped bit in the manifest's name of the corpus
            options = {"allow_other_corpus": True}
        except IndexFailure as error:
            said.append(f"{command}: {error}")
            command = command_in(error)
        else:
            if report.rejected:
                raise Failed("wrong", f"rejected: {report.rejected}")
            return
    raise Failed("unmended", "; ".join(said))


def check_mended(folders: Folders, spare: Path) -> None:
    """Compare an index with a clean build of its corpus in a spare folder. Raises Failed."""
    expected, held = _of_clean_build(folders, spare), everything(folders)
    if held["records"].keys() != expected["records"].keys():
        gone = expected["records"].keys() - held["records"].keys()
        raise Failed("lost" if gone else "wrong", f"{gone or held['records'].keys() - expected['records'].keys()}")
    different = [name for name in expected if held[name] != expected[name]]
    if different:
        name = different[0]
        raise Failed("wrong", f"{different}: {str(held[name])[:400]}, not {str(expected[name])[:400]}")
    contents(folders)
    if left := set(strays(folders.index)) - {"adding.lock"}:
        raise Failed("wrong", f"left behind: {left}")
    again = folders.update()
    if (again.added, again.changed, again.removed) != (0, 0, 0):
        raise Failed("wrong", f"work is left: {again}")


def _of_clean_build(folders: Folders, spare: Path) -> dict[str, Any]:
    """Return what a clean build of a corpus holds. That of one corpus is made once, and kept in a file beside the trials."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folders.corpus.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folders.corpus)}\0{len(content)}\0".encode() + content)
    kept = spare.parents[1] / f"{digest.hexdigest()}.clean"
    if not kept.exists():
        clean = Folders(spare)
        shutil.copytree(folders.corpus, clean.corpus, dirs_exist_ok=True)
        clean.update()
        made = kept.with_suffix(f".{os.getpid()}")
        made.write_bytes(pickle.dumps(everything(clean)))
        made.replace(kept)
    held: dict[str, Any] = pickle.loads(kept.read_bytes())
    return held


class Scene:
    """An operation, and everything that can be said of its index and corpus before, meanwhile and after."""

    def __init__(self, root: Path, kind: str) -> None:
        self.kind = kind
        self._start = Folders(root / "start")
        write_old(self._start)
        for path, content in SENT.items():
            (root / "start" / path).parent.mkdir(exist_ok=True)
            (root / "start" / path).write_text(content, "utf-8")
        self.before: Contents = {}
        work = OLD_WORK
        if kind != "first build":
            self.before = self._built(root.parent / "old")
            work = []
        if kind in ("update", "rebuild", "restore"):
            work = NEW_WORK if kind != "restore" else []
            write_new(self._start)
        if kind == "restore":
            self._restorable()
        done = self.copy(root / "done")
        self.steps, self.calls = self._measured(done)
        self.after = contents(done)
        self.states = list(self._states(work))
        self._original = {path: path.read_bytes() for path in self._files(self._start)}

    def _built(self, old: Path) -> Contents:
        """Index the first corpus, once for all scenes; return what is held."""
        kept = old / "contents"
        if not kept.exists():
            built = self.found(old)
            shutil.copytree(self._start.corpus, built.corpus)
            built.update()
            kept.write_bytes(pickle.dumps(contents(built)))
        shutil.copytree(old / "index", self._start.index, dirs_exist_ok=True)
        held: Contents = pickle.loads(kept.read_bytes())
        return held

    def _restorable(self) -> None:
        """Take a snapshot of the index, then bring it up to date: restoring it leads back."""
        with self._start.open() as index:
            index.snapshot(self._start.corpus.parent / KEPT)
        self._start.update()
        self.before = contents(self._start)

    def copy(self, root: Path) -> Folders:
        folders = Folders(root)
        shutil.copytree(self._start.corpus.parent, root, dirs_exist_ok=True)
        return folders

    def found(self, root: Path) -> Folders:
        """Return folders that are there already."""
        folders = Folders.__new__(Folders)
        folders.corpus, folders.index = root / "corpus", root / "index"
        return folders

    def operate(self, folders: Folders, tell: Tell) -> None:
        with folders.open() as index:
            OPERATIONS[self.kind](index, folders.corpus.parent, tell)

    def _measured(self, folders: Folders) -> tuple[int, int]:
        """Do the operation whole; return its steps, and how often it tells how far it is."""

        def act(tell: Tell) -> None:
            layer = Layer(folders.corpus.parent)
            steps = counting(layer)
            layer.install()
            self.operate(folders, tell)
            tell(steps=steps())

        ending = run(act)
        assert ending.how == "done", ending
        calls = sum("done" in word for word in ending.told)
        steps = next(word["steps"] for word in ending.told if "steps" in word)
        assert steps > 10
        assert calls
        return steps, calls

    def _states(self, work: list[str]) -> Iterator[Contents]:
        """Yield what the index may hold: what was there before, with a first part of the work done."""
        state = dict(self.before)
        yield dict(state)
        for article in work if self.kind in ("first build", "update") else []:
            state.pop(article, None)
            if article in self.after:
                state[article] = self.after[article]
            yield dict(state)
        if state != self.after:
            yield self.after

    def _files(self, folders: Folders) -> Iterator[Path]:
        return (path for path in folders.corpus.rglob("*") if path.is_file() and not path.name.startswith("."))

    @cached_property
    def _known(self) -> Mapping[str, bytes]:
        return {path.relative_to(self._start.corpus).as_posix(): content for path, content in self._original.items()}

    def check_corpus(self, folders: Folders, *, is_done: bool) -> None:
        """See that no file of the user is other than before, and that new ones are whole. Raises Failed."""
        files = {path.relative_to(folders.corpus).as_posix(): path.read_bytes() for path in self._files(folders)}
        if gone := self._known.keys() - files.keys():
            raise Failed("lost", f"files of the corpus: {gone}")
        for path, content in files.items():
            if path.endswith(".meta.toml"):
                tomllib.loads(content.decode())
            elif content != self._known.get(path, SENT.get(path, "").encode()):
                raise Failed("wrong", f"{path} of the corpus has other content")
        if is_done and self.kind == "add" and not SENT.keys() <= files.keys():
            raise Failed("lost", "an added file")

    def check_snapshot(self, folders: Folders, spare: Path, *, is_done: bool) -> None:
        """See that a snapshot is whole, or not there unless it was finished. Raises Failed."""
        kept = folders.corpus.parent / KEPT
        if not kept.exists():
            if is_done or self.kind == "restore":
                raise Failed("lost", "the snapshot")
            return
        restored = Folders(spare)
        with restored.open() as index:
            index.restore(kept)
        if contents(restored) != (self.before if self.kind == "snapshot" else self.after):
            raise Failed("wrong", "the snapshot holds something else")

    def check_asked(self, folders: Folders, *, is_done: bool = False) -> Outcome | None:
        """Ask; see that the answer is of a state that the index may hold, the last if the operation was done.

        Return the outcome if an error came, and was mended. Raises Failed.
        """
        try:
            held = contents(folders)
        except IndexMissing as error:
            if self.before or is_done or (folders.index / "manifest.json").exists():
                raise Failed("lost", str(error)) from None
            return None
        except IndexFailure as error:
            command = command_in(error)
            mended_by(folders, command)
            return Outcome("mended", str(error))
        if held not in (self.states[-1:] if is_done else self.states):
            nearest = self.after if is_done else self.before
            gone = sorted(nearest.keys() & self.after.keys() - held.keys())
            raise Failed(
                "lost" if gone else "wrong", f"gone {gone}; {len(held)} articles, in none of {len(self.states)} states"
            )
        return None

    def check_all(self, folders: Folders, spare: Path, *, is_done: bool = False) -> Outcome:
        """Check the corpus, ask, complete the work, and compare with a clean build. Raises Failed."""
        self.check_corpus(folders, is_done=is_done)
        if self.kind in ("snapshot", "restore"):
            self.check_snapshot(folders, spare.parent / "restored", is_done=is_done)
        outcome = self.check_asked(folders, is_done=is_done)
        mended_by(folders, "htxsearch reindex")
        check_mended(folders, spare)
        return outcome or Outcome()


_SCENES: dict[str, Scene] = {}


def make_scenes(folder: Path, _seed: int) -> None:
    """Make the scene of each operation, once for all trials."""
    for kind in OPERATIONS:
        if kind not in _SCENES:
            _SCENES[kind] = Scene(folder / kind, kind)


def scene(kind: str) -> Scene:
    """Return the scene of an operation."""
    return _SCENES[kind]
