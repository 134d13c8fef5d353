"""Damage to the file of a snapshot: flipped bits, cut off, zeros, longer, gone, or the members of it packed otherwise.

It is restored into a new folder, or over an index. Either what it held is there, or an error names the file; then nothing was
made, and an index and a corpus that were there are as they were.
"""

import random
import shutil
import zipfile
from pathlib import Path

from index.folders import Folders

from htxsearch.errors import HtxError, IndexMissing

from .damage import HARMS
from .outcome import Failed, Outcome
from .scenes import Contents, contents, write_new, write_old

__all__ = ["prepare", "trial"]

_SOUND: list[Folders] = []
_HELD: dict[str, Contents] = {}


def _file(folders: Folders) -> Path:
    return folders.corpus.parent / "bản chụp.zip"


def prepare(folder: Path, _seed: int) -> None:
    """Take a snapshot, with the corpus, then bring the index up to date with other articles."""
    if _SOUND:
        return
    sound = Folders(folder / "snapshots")
    write_old(sound)
    sound.update()
    _HELD["snapshot"] = contents(sound)
    with sound.open() as index:
        index.snapshot(_file(sound), with_corpus=True)
    write_new(sound)
    sound.update()
    _HELD["index"] = contents(sound)
    _SOUND.append(sound)


def _swapped(file: Path, rng: random.Random) -> None:
    """Pack the snapshot anew, sound as a ZIP file, with one member's content harmed, gone, or in the place of another."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    one, other = rng.sample(sorted(members), 2)
    way = rng.choice(["harmed", "gone", "renamed", "swapped"])
    if way == "harmed":
        members[one] = rng.choice(list(HARMS.values()))(members[one], rng)
    elif way == "swapped":
        members[one], members[other] = members[other], members[one]
    else:
        content = members.pop(one)
        if way == "renamed":
            members[f"../{one}"] = content
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def _harm(file: Path, rng: random.Random) -> str:
    """Harm a snapshot; return how."""
    harm = rng.choice(["bits", "bits", *HARMS, "packed", "packed", "gone"])
    if harm == "gone":
        file.unlink()
    elif harm == "packed":
        _swapped(file, rng)
    else:
        file.write_bytes(HARMS[harm](file.read_bytes(), rng))
    return harm


def trial(seed: int, folder: Path) -> Outcome:
    """Harm a snapshot, restore it, and see what is there. Raises Failed."""
    rng = random.Random(seed)
    sound = _SOUND[0]
    folders = Folders(folder / "restored")
    over = seed % 2 == 1
    if over:
        shutil.copytree(sound.corpus.parent, folders.corpus.parent, dirs_exist_ok=True)
    file = folder / _file(sound).name
    shutil.copyfile(_file(sound), file)
    done = f"{_harm(file, rng)}, {'over an index' if over else 'anew'}"
    files = _files(folders.corpus)
    try:
        with folders.open() as index:
            index.restore(file, force=over)
    except HtxError as error:
        if str(file) not in str(error):
            raise Failed("wrong", f"{done}: the file is not named: {error}") from None
        if _files(folders.corpus) != files:
            raise Failed("lost", f"{done}: the corpus is another after {error}") from None
        if _held(folders) != (_HELD["index"] if over else {}):
            raise Failed("lost", f"{done}: the index is another after {error}") from None
        return Outcome("mended", done)
    if _held(folders) != _HELD["snapshot"]:
        raise Failed("wrong", f"{done}: something else was restored")
    again = folders.update()
    if (again.added, again.changed, again.removed) != (0, 0, 0):
        raise Failed("wrong", f"{done}: work is left: {again}")
    return Outcome(detail=done)


def _files(corpus: Path) -> dict[str, bytes]:
    return {path.relative_to(corpus).as_posix(): path.read_bytes() for path in corpus.rglob("*") if path.is_file()}


def _held(folders: Folders) -> Contents:
    """Return what is in an index, nothing if there is none."""
    try:
        return contents(folders)
    except IndexMissing:
        return {}
