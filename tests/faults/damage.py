"""Damage: each file of an index with flipped bits, cut off, gone, in zeros, or in the place of it an older or a foreign one.

The index is asked, then reindexed with work to do (so that segments are merged), then asked again. The older version of a file
is that of the commit before; the foreign one is of another index. A trial does one kind of harm to one file; trial after trial
goes through all files.
"""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from index.folders import Folders

from htxsearch.engine.whoosh import writer
from htxsearch.errors import IndexFailure

from .outcome import Failed, Outcome
from .scenes import check_mended, command_in, mended_by, write_new, write_old

__all__ = ["HARMS", "ask", "prepare", "trial"]

_KINDS = ("*.seg", "*.imp", "*.toc", "checksums-*.blob", "catalogue-*.blob", "*.blob", "manifest.json")
_FOLDERS: dict[str, Folders] = {}
_ANSWERS: dict[str, Any] = {}


def ask(folders: Folders, related_to: str) -> dict[str, Any]:
    """Return what an index answers to a little of everything."""
    with folders.open() as index:
        info = index.info()
        searches = [
            index.search(query, limit=99, all_passages=True, facets=("place", "year"))
            for query in ("hợp tác xã", '"mật ong"', "kktr", "dau05", "bản mới")
        ]
        return {
            "found": [[(hit.article_id, hit.passage.text, round(hit.score, 8)) for hit in one.hits] for one in searches],
            "expansions": [one.expansions for one in searches],
            "shown": [index.show(one) for one in index.article_ids()],
            "related": [(one.article_id, round(one.score, 8)) for one in index.related(related_to).related],
            "counts": (info.articles, info.passages, info.complete),
            "short forms": info.short_forms,
        }


def prepare(folder: Path, _seed: int) -> None:
    """Make an index of several segments, its state one commit before, and a foreign index."""
    if _FOLDERS:
        return
    sound = Folders(folder / "damage" / "sound")
    write_old(sound)
    sound.write("22.txt", "Trồng rừng", "Quỹ Khuyến khích Trồng rừng (KKTR) họp ở xã. Hợp tác xã bán mật ong.")
    sound.update()
    write_new(sound)
    sound.update(batch=9)
    older = Folders(folder / "damage" / "older")
    shutil.copytree(sound.index, older.index)
    (sound.corpus / "06.txt").unlink()
    sound.write("05.txt", "Tổ nuôi ong", "Hợp tác xã bán mật ong rừng.")
    sound.update()
    foreign = Folders(folder / "damage" / "foreign")
    foreign.write_some(9)
    foreign.update()
    _FOLDERS.update(sound=sound, older=older, foreign=foreign)
    _ANSWERS["sound"] = ask(sound, "04.txt")


def _flipped(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 8]) if data else 0):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _patched(data: bytes, rng: random.Random) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.choice([bytes(512), rng.randbytes(512)])[: len(data) - at] + data[at + 512 :]


HARMS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bits": _flipped,
    "cut": lambda data, rng: data[: rng.randrange(len(data))] if data else data,
    "sector": _patched,
    "zeros": lambda data, _rng: bytes(len(data)),
    "longer": lambda data, rng: data + rng.randbytes(rng.randint(1, 4096)),
}
_OTHERS = ("gone", "older", "foreign", "neighbour")


def _do_harm(folders: Folders, seed: int, rng: random.Random) -> str:
    """Harm one file; return what was done."""
    pattern = _KINDS[seed % len(_KINDS)]
    names = sorted(path.relative_to(folders.index) for path in folders.index.rglob(pattern))
    path = folders.index / names[seed // len(_KINDS) % len(names)]
    harm = rng.choice(["bits", "bits", "bits", *HARMS, *_OTHERS])
    if harm in HARMS:
        path.write_bytes(HARMS[harm](path.read_bytes(), rng))
    elif harm == "gone":
        path.unlink()
    else:
        source = folders if harm == "neighbour" else _FOLDERS[harm]
        stem = path.name.rpartition("-")[0] if path.suffix == ".blob" and harm != "neighbour" else ""
        candidates = sorted(other for other in source.index.rglob(f"{stem}*{path.suffix}") if other != path)
        same = [other for other in candidates if other.name == path.name]
        if not candidates:
            harm = "bits"
            path.write_bytes(_flipped(path.read_bytes(), rng))
        else:
            path.write_bytes(rng.choice(same or candidates).read_bytes())
    return f"{harm} of {path.name}"


def trial(seed: int, folder: Path) -> Outcome:
    """Harm a file; ask, reindex, ask. Raises Failed."""
    rng = random.Random(seed)
    writer._MERGE_FACTOR = rng.choice([2, 8])
    folders = Folders(folder / "harmed")
    shutil.copytree(_FOLDERS["sound"].corpus.parent, folder / "harmed", dirs_exist_ok=True)
    done = _do_harm(folders, seed, rng)
    try:
        said = _asked(folders)
        folders.write("07.txt", "Tổ trồng sen", "Hợp tác xã bán hạt sen.")
        if rng.random() < 0.5:
            (folders.corpus / "08.txt").unlink()
        mended_by(folders, said or "htxsearch reindex")
        check_mended(folders, folder / "clean")
    except Failed as failed:
        raise Failed(failed.outcome.what, f"{done}: {failed.outcome.detail}") from None
    return Outcome("mended" if said else "right", done)


def _asked(folders: Folders) -> str:
    """Return the command that an error names, "" if the answer is right. Raises Failed."""
    try:
        answers = ask(folders, "04.txt")
    except IndexFailure as error:
        return command_in(error)
    if answers != _ANSWERS["sound"]:
        raise Failed("wrong", f"answers differently: {[name for name in answers if answers[name] != _ANSWERS['sound'][name]]}")
    return ""
