"""Writers and readers at once, with locks that work and with locks that do not; commits and rebuilds under an open reader.

A reader asks without pause while others write. Each single answer must be that of one state; where locks work, of one that the
index may have. Without locks two writers may spoil an index: then an error says so, and its command mends it.
"""

import os
import pickle
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from index.folders import Folders

from htxsearch import Index
from htxsearch.errors import IndexFailure, IndexMissing

from .outcome import Failed, Outcome
from .scenes import Contents, check_mended, command_in, contents, make_scenes, mended_by, scene
from .victim import CPU_S, Ending, Tell, run

__all__ = ["prepare", "trial"]

prepare = make_scenes

_COMMITS = 50


def trial(seed: int, folder: Path) -> Outcome:
    """Do one of the variants. Raises Failed."""
    variants = (_two_writers, _unlocked_writers, _many_commits, _rebuilds)
    return variants[seed % len(variants)](random.Random(seed), folder)


def _passages(state: Contents) -> dict[str, str | None]:
    return {one: article[1] for one, article in state.items()}


def _asked(index: Index) -> dict[str, str]:
    """Return the texts found of all articles by one question. Raises Failed if one is there twice."""
    hits = index.search("hợp tác xã", limit=99, all_passages=True).hits
    found = {hit.article_id: hit.passage.text for hit in hits}
    if len(found) != len(hits):
        raise Failed("doubled", str([hit.article_id for hit in hits]))
    return found


def _reader(folders: Folders, stop: Path, is_allowed: Callable[[dict[str, str]], bool], tell: Tell) -> None:
    """Ask until a file is there."""
    ends = time.process_time() + CPU_S / 2
    is_last = False
    with folders.open() as index:
        while not is_last:
            is_last = stop.exists() or time.process_time() > ends
            try:
                found = _asked(index)
            except IndexFailure as error:
                command_in(error)
                continue
            if not is_allowed(found):
                raise Failed("wrong", f"a state that never was: {found}")
    tell(asked=True)


def _started(act: Callable[[Tell], object]) -> BinaryIO:
    """Start a process; return the pipe that tells how it ended."""
    read, write = os.pipe()
    if os.fork() == 0:
        os.close(read)
        answer: Ending | Outcome = Outcome("traceback", "ended without an answer")
        try:
            answer = run(act)
        except Failed as failed:
            answer = failed.outcome
        finally:
            with os.fdopen(write, "wb") as file:
                pickle.dump(answer, file)
            os._exit(0)
    os.close(write)
    return os.fdopen(read, "rb")


def _ended(pipe: BinaryIO) -> Ending:
    """Wait for a process, and return how it ended. Raises Failed as it did."""
    with pipe:
        answer = pickle.load(pipe)
    os.wait()
    if isinstance(answer, Outcome):
        raise Failed(answer.what, answer.detail)
    ending: Ending = answer
    return ending


def _beside_a_reader(
    folders: Folders, is_allowed: Callable[[dict[str, str]], bool], *writers: Callable[[Tell], object]
) -> list[Ending]:
    """Run writers while a reader asks; return how the writers ended. Raises Failed."""
    stop = folders.index.with_name("stop")
    reader = _started(lambda tell: _reader(folders, stop, is_allowed, tell))
    pipes = [_started(writer) for writer in writers]
    try:
        return [_ended(pipe) for pipe in pipes]
    finally:
        stop.touch()
        _ended(reader)


def _update(folders: Folders, *, batch: int = 2, rebuild: bool = False) -> Callable[[Tell], object]:
    return lambda _tell: folders.update(batch=batch, rebuild=rebuild)


def _two_writers(rng: random.Random, folder: Path) -> Outcome:
    """Two updates and a rebuild at once: one at a time writes, the others are told so."""
    chosen = scene("update")
    folders = chosen.copy(folder / "at once")
    states = [_passages(state) for state in chosen.states]
    acts = [_update(folders), _update(folders, rebuild=rng.random() < 0.5), _update(folders, batch=5)]
    endings = _beside_a_reader(folders, lambda found: found in states, *acts)
    if all(ending.how == "error" for ending in endings):
        raise Failed("wrong", f"no writer wrote: {endings[0].error}")
    mended_by(folders, "htxsearch reindex")
    check_mended(folders, folder / "clean")
    return Outcome()


def _unlocked_writers(rng: random.Random, folder: Path) -> Outcome:
    """Two writers that know nothing of each other, as on a network file system without locks."""
    chosen = scene("update")
    folders = chosen.copy(folder / "unlocked")
    before, after = _passages(chosen.before), _passages(chosen.after)

    def unlocked(act: Callable[[Tell], object]) -> Callable[[Tell], object]:
        def acts(tell: Tell) -> object:
            _break_locks()
            return act(tell)

        return acts

    def is_allowed(found: dict[str, str]) -> bool:
        return all(text in (before.get(one), after.get(one)) for one, text in found.items())

    acts = [_update(folders, batch=rng.choice([1, 2, 5])), _update(folders, batch=2, rebuild=rng.random() < 0.3)]
    _beside_a_reader(folders, is_allowed, *map(unlocked, acts))
    said = ""
    try:
        held = contents(folders)
    except IndexMissing as error:
        raise Failed("lost", str(error)) from None
    except IndexFailure as error:
        said = command_in(error)
    else:
        wrong = [one for one, article in held.items() if article not in (chosen.before.get(one), chosen.after.get(one))]
        if wrong or not chosen.before.keys() & chosen.after.keys() <= held.keys():
            raise Failed("wrong" if wrong else "lost", f"{wrong or chosen.before.keys() & chosen.after.keys() - held.keys()}")
    mended_by(folders, said or "htxsearch reindex")
    check_mended(folders, folder / "clean")
    return Outcome("mended" if said else "right")


def _break_locks() -> None:
    """Have every lock of this process be granted and mean nothing."""
    import filelock
    from whoosh.filedb import filestore

    class Granted:
        def __init__(self, *_: object, **_options: object) -> None:
            pass

        def acquire(self, *_: object, **_options: object) -> bool:
            return True

        def release(self) -> None:
            pass

        def __enter__(self) -> "Granted":
            return self

        def __exit__(self, *_: object) -> None:
            pass

    filelock.FileLock = Granted  # type: ignore[assignment]
    filestore.FileStorage.lock = lambda _self, _name: Granted()


def _many_commits(rng: random.Random, folder: Path) -> Outcome:
    """Fifty commits under an open reader."""
    folders = scene("edit").copy(folder / "commits")
    versions = [f"Hợp tác xã họp lần thứ {number} trong năm." for number in range(_COMMITS)]
    others = {one: text for one, text in _passages(scene("edit").before).items() if one != "09.txt"}
    order = rng.sample(versions, len(versions))

    def write(_tell: Tell) -> None:
        with folders.open() as index:
            for version in order:
                folders.write("09.txt", "Tổ số 9", version)
                index.update()

    def is_allowed(found: dict[str, str]) -> bool:
        return found.pop("09.txt", "") in {*versions, _passages(scene("edit").before)["09.txt"]} and found == others

    (ending,) = _beside_a_reader(folders, is_allowed, write)
    if ending.how != "done":
        raise Failed("wrong", ending.error)
    check_mended(folders, folder / "clean")
    return Outcome()


def _rebuilds(_rng: random.Random, folder: Path) -> Outcome:
    """Three rebuilds under an open reader."""
    chosen = scene("rebuild")
    folders = chosen.copy(folder / "rebuilds")
    states = [_passages(chosen.before), _passages(chosen.after)]

    def write(_tell: Tell) -> None:
        for _ in range(3):
            folders.update(rebuild=True)

    (ending,) = _beside_a_reader(folders, lambda found: found in states, write)
    if ending.how != "done":
        raise Failed("wrong", ending.error)
    check_mended(folders, folder / "clean")
    return Outcome()
