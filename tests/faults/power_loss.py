"""Power loss: the order of writes of an operation is recorded, and states of the disk that it allows are made and asked.

What was synced is there. Of what was not, a file has its old content, its new content, a part of it, or zeros in the place of
its end; and of the changes of a folder since it was synced (a name that was made, renamed or removed) all, none, the first few
or any are there. That is more than a journalling file system loses.
"""

import os
import pickle
import random
from dataclasses import dataclass, field
from pathlib import Path

from .layer import Layer
from .outcome import Outcome
from .scenes import OPERATIONS, make_scenes, scene
from .victim import Tell, run

__all__ = ["prepare", "trial"]

_ROOT = ""
Names = dict[str, int]
"""The names in a folder, with the number of each file or folder."""


@dataclass(slots=True)
class State:
    """The disk at a step: of folders and files what is there, and what of it is durable.

    Files and folders have numbers, as names change; `all_folders` has those of folders that are gone, too. `pending` are the
    changes of a folder since it was synced: each the names that went or came.
    """

    folders: dict[int, Names] = field(default_factory=dict)
    durable_folders: dict[int, Names] = field(default_factory=dict)
    pending: dict[int, list[dict[str, int | None]]] = field(default_factory=dict)
    files: dict[int, bytes] = field(default_factory=dict)
    durable_files: dict[int, bytes] = field(default_factory=dict)
    all_folders: frozenset[int] = frozenset()


class Recorder:
    """Looks at a folder before every step, and keeps every state."""

    def __init__(self, root: Path) -> None:
        self._root = str(root.resolve())
        self._next = 0
        self._states: list[State] = []
        self._now = State()
        self._ids: dict[int, int] = {}  # inode: number, of what is there now
        self._look()
        self._now.durable_folders = {one: dict(names) for one, names in self._now.folders.items()}
        self._now.durable_files = dict(self._now.files)
        self._now.pending = {}

    def step(self, _kind: str, _path: str, _half: object) -> None:
        self._look()
        self._states.append(self._copy())

    def synced(self, path: str) -> None:
        self._look()
        try:
            number = self._ids[os.stat(path).st_ino]
        except (OSError, KeyError):
            return
        if number in self._now.folders:
            self._now.durable_folders[number] = dict(self._now.folders[number])
            self._now.pending.pop(number, None)
        else:
            self._now.durable_files[number] = self._now.files[number]

    def states(self) -> list[State]:
        self._look()
        return [*self._states, self._copy()]

    def _copy(self) -> State:
        now = self._now
        return State(
            {one: dict(names) for one, names in now.folders.items()},
            dict(now.durable_folders),
            {one: list(changes) for one, changes in now.pending.items()},
            dict(now.files),
            dict(now.durable_files),
            now.all_folders,
        )

    def _look(self) -> None:
        """Compare what is there with what was there."""
        ids: dict[int, int] = {}
        folders: dict[int, Names] = {}
        files: dict[int, bytes] = {}
        waiting = [(self._root, os.stat(self._root).st_ino)]
        while waiting:
            path, inode = waiting.pop()
            names: Names = {}
            for entry in os.scandir(path):
                child = self._number(entry.inode(), ids)
                names[entry.name] = child
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, entry.inode()))
                else:
                    with open(entry.path, "rb") as file:
                        content = file.read()
                    same = self._now.files.get(child)
                    files[child] = content if same is None or same != content else same  # so that all states have it once
            folders[self._number(inode, ids)] = names
        for one, names in folders.items():
            before = self._now.folders.get(one, {})
            change: dict[str, int | None] = dict.fromkeys(before.keys() - names.keys())
            change |= {name: number for name, number in names.items() if before.get(name) != number}
            if change:
                self._now.pending.setdefault(one, []).append(change)
        self._ids, self._now.folders, self._now.files = ids, folders, files
        self._now.all_folders |= folders.keys()

    def _number(self, inode: int, ids: dict[int, int]) -> int:
        """Return the number of a file or folder; an inode that was gone belongs to a new one."""
        if inode not in ids:
            known = self._ids.get(inode)
            if known is None:
                self._next += 1
                known = self._next
            ids[inode] = known
        return ids[inode]


def after_a_loss(state: State, root_number: int, rng: random.Random) -> dict[str, bytes | None]:
    """Return the paths of a disk after a loss of power: the content of each file, None of a folder."""
    way = rng.choice(["all", "none", "first", "any", "any"])
    found: dict[str, bytes | None] = {}
    waiting = [(_ROOT, root_number)]
    while waiting:
        inside, number = waiting.pop()
        for name, child in _names(state, number, way, rng).items():
            path = f"{inside}{name}"
            if child in state.all_folders:
                found[path] = None
                waiting.append((f"{path}/", child))
            else:
                found[path] = _content(state, child, rng)
    return found


def _names(state: State, number: int, way: str, rng: random.Random) -> Names:
    names = dict(state.durable_folders.get(number, {}))
    changes = state.pending.get(number, [])
    kept = {"all": len(changes), "none": 0, "any": len(changes)}.get(way, rng.randint(0, len(changes)))
    for change in changes[:kept]:
        if way == "any" and rng.random() < 0.5:
            continue
        for name, child in change.items():
            if child is None:
                names.pop(name, None)
            else:
                names[name] = child
    return names


def _content(state: State, number: int, rng: random.Random) -> bytes:
    old, new = state.durable_files.get(number, b""), state.files.get(number)
    if new is None:  # removed since, and the removal was lost
        return old
    if old == new:
        return new
    cut = rng.randint(0, len(new))
    return rng.choice([old, new, new[:cut], new[:cut] + bytes(len(new) - cut)])


_RECORDS: dict[str, list[State]] = {}


def prepare(folder: Path, seed: int) -> None:
    """Make the scenes and record the operation of a trial, once for all trials."""
    make_scenes(folder, seed)
    kind = list(OPERATIONS)[seed % len(OPERATIONS)]
    if kind not in _RECORDS:
        _RECORDS[kind] = _recorded(kind, folder)


def _recorded(kind: str, folder: Path) -> list[State]:
    folders = scene(kind).copy(folder / f"{kind} recorded")
    file = folder / f"{kind}.states"

    def act(_tell: Tell) -> None:
        layer = Layer(folders.corpus.parent)
        recorder = Recorder(folders.corpus.parent)
        layer.step, layer.synced = recorder.step, recorder.synced
        layer.install()
        scene(kind).operate(folders, lambda **_: None)
        states = recorder.states()
        with open(file, "wb") as made:
            pickle.dump(states, made)

    ending = run(act)
    assert ending.how == "done", ending
    with file.open("rb") as made:
        states: list[State] = pickle.load(made)
    file.unlink()
    return states


def trial(seed: int, folder: Path) -> Outcome:
    """Make a state of the disk after a loss of power, ask, complete the operation, and compare. Raises Failed.

    One of ten has lost its power after the end of the operation: then nothing may be lost.
    """
    rng = random.Random(seed)
    chosen = scene(list(OPERATIONS)[seed % len(OPERATIONS)])
    states = _RECORDS[chosen.kind]
    is_done = rng.random() < 0.1
    state = states[-1] if is_done else rng.choice(states)
    root = folder / "lost power"
    for path, content in after_a_loss(state, _root_of(states[0]), rng).items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            target.mkdir(exist_ok=True)
        else:
            target.write_bytes(content)
    folders = chosen.found(root)
    return chosen.check_all(folders, folder / "clean", is_done=is_done)


def _root_of(state: State) -> int:
    """Return the number of the folder that is in no other."""
    inside = {child for names in state.folders.values() for child in names.values()}
    return next(one for one in state.folders if one not in inside)
