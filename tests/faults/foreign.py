"""A stranger's index: each pickle in it replaced by one that calls a function, with checksums made to fit.

Each trial replaces one pickle of the whole index that a program wrote, then asks, merges, and makes columns anew. Whatever
comes of it, the function must not be called.
"""

import io
import os
import pickle
import pickletools
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from index.folders import Folders

from htxsearch.engine.whoosh import WhooshEngine, writer
from htxsearch.engine.whoosh.storage import blob_name, checksums_of, latest_generation
from htxsearch.errors import HtxError

from .outcome import Failed, Outcome
from .scenes import write_new, write_old

__all__ = ["HARM", "file_checksums_anew", "pickles_in", "places", "prepare", "trial"]

HARM = b"cos\nctermid\n)R."
"""A pickle that calls os.ctermid, which nothing else calls."""

_SOUND: list[Folders] = []
_PLACES: list[tuple[str, int, int]] = []


def pickles_in(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where pickles that are no part of another one begin and end."""
    at = 0
    while (at := data.find(b"\x80", at)) >= 0:
        if data[at + 1 : at + 2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
            stream = io.BytesIO(data[at:])
            try:
                for _ in pickletools.genops(stream):
                    pass
            except Exception:  # no pickle begins here: genops raises whatever it meets
                at += 1
                continue
            yield at, at + stream.tell()
            at += stream.tell()
        else:
            at += 1


def file_checksums_anew(folder: Path) -> None:
    """File the checksums that the files have now, as a stranger would."""
    generation = latest_generation(folder)
    (folder / blob_name("checksums", generation)).write_bytes(
        checksums_of(folder, generation, folder / f"_MAIN_{generation}.toc")
    )


def places(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Yield the pickles of an engine's folder that are long enough for the harm: file, beginning, end."""
    for path in (*sorted(folder.glob("*.toc")), *sorted(folder.glob("*.seg"))):
        yield from ((path.name, *place) for place in pickles_in(path.read_bytes()) if place[1] - place[0] >= len(HARM))


def prepare(folder: Path, _seed: int) -> None:
    """Make an index, and list the pickles in it."""
    if not _SOUND:
        folders = Folders(folder / "foreign index")
        write_old(folders)
        folders.update()
        write_new(folders)
        folders.update()
        _SOUND.append(folders)
        _PLACES.extend(places(next(folders.index.glob("data-*"))))


def trial(seed: int, folder: Path) -> Outcome:
    """Replace a pickle; ask, merge, make columns. Raises Failed if it was run."""
    name, start, end = _PLACES[seed % len(_PLACES)]
    folders = Folders(folder / "foreign")
    shutil.copytree(_SOUND[0].corpus.parent, folder / "foreign", dirs_exist_ok=True)
    data_folder = next(folders.index.glob("data-*"))
    path = data_folder / name
    data = path.read_bytes()
    path.write_bytes(data[:start] + HARM.ljust(end - start, b" ") + data[end:])
    for columns in data_folder.glob("*.imp"):
        columns.unlink()  # so that everything is read from Whoosh's files
    called: list[str] = []
    os.ctermid = lambda: called.append("called") or ""  # type: ignore[func-returns-value]
    writer._MERGE_FACTOR = 2
    with suppress(pickle.UnpicklingError):  # it reads the table of contents for us
        file_checksums_anew(data_folder)
    for act in (lambda: WhooshEngine(data_folder).article_ids(), lambda: folders.found("hợp tác xã"), folders.update):
        with suppress(HtxError):
            act()
    if called:
        raise Failed("run", f"{name}, {start} to {end}")
    return Outcome()
