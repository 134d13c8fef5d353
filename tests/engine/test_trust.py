"""A damaged index is noticed before its content is made into something else; a stranger's index runs no code."""

import io
import os
import pickle
import pickletools
import random
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from htxsearch.engine.whoosh import WhooshEngine, writer
from htxsearch.engine.whoosh.pickles import load, loads_plain
from htxsearch.engine.whoosh.postings import read_postings
from htxsearch.engine.whoosh.storage import blob_name, checksums_of, latest_generation, read_checksums
from htxsearch.errors import HtxError, IndexDamaged

from .documents import any_of, document, hits, put

HARM = b"cos\nctermid\n)R."
"""A pickle that calls os.ctermid, which nothing here calls."""


def few_documents(turn: int) -> list[Any]:
    return [document(f"{turn}-{number}", f"chè lúa {turn} hợp tác xã", "gạo " * 9, title="chè") for number in range(5)]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an engine of two segments of one size."""
    folder = tmp_path_factory.mktemp("sound") / "data"
    engine = WhooshEngine(folder, create=True)
    for turn in range(2):
        put(engine, *few_documents(turn), delete=["0-1"])
    engine.close()
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    shutil.copytree(sound, tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls of what hostile pickles call."""
    found: list[str] = []
    monkeypatch.setattr(os, "ctermid", lambda: found.append("called"))
    return found


@pytest.fixture(autouse=True)
def merging_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_MERGE_FACTOR", 2)


def merge(folder: Path) -> WhooshEngine:
    """Add articles, so that all segments become a single one."""
    engine = WhooshEngine(folder)
    put(engine, *few_documents(7))
    return engine


def file_checksums_anew(folder: Path) -> None:
    """File the checksums that the files have now, as a stranger would."""
    generation = latest_generation(folder)
    (folder / blob_name("checksums", generation)).write_bytes(
        checksums_of(folder, generation, folder / f"_MAIN_{generation}.toc")
    )


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


def test_the_payload_would_do_harm(calls: list[str]) -> None:
    pickle.loads(HARM)
    assert calls == ["called"]


def test_no_pickle_in_a_file_of_an_index_can_call_anything(sound: Path, tmp_path: Path, calls: list[str]) -> None:
    tried = 0
    for path in (*sound.glob("*.toc"), *sound.glob("*.seg")):
        data = path.read_bytes()
        for start, end in pickles_in(data):
            if end - start < len(HARM):
                continue
            tried += 1
            copy = tmp_path / f"{tried}"
            shutil.copytree(sound, copy)
            (copy / path.name).write_bytes(data[:start] + HARM.ljust(end - start, b" ") + data[end:])
            for columns in copy.glob("*.imp"):
                columns.unlink()  # so that everything is read from Whoosh's files
            try:
                file_checksums_anew(copy)
                engine = merge(copy)
                engine.search(any_of("chè"), limit=5)
            except HtxError:
                pass
            except pickle.UnpicklingError:
                pass  # of checksums_of, which reads the table of contents for us
    assert tried > 10  # tables of contents with their schema, directories, ends of term files, terms in few documents
    assert not calls


@pytest.mark.parametrize("read", [loads_plain, lambda data: load(io.BytesIO(data))])
@pytest.mark.parametrize("payload", [HARM, b"cbuiltins\neval\n(V1\ntR.", b"Pid\n.", b"\x80\x05\x8c\x02os\x8c\x06system\x93."])
def test_only_plain_values_are_read(read: Callable[[bytes], Any], payload: bytes, calls: list[str]) -> None:
    with pytest.raises(pickle.UnpicklingError):
        read(payload)
    assert not calls


def test_a_compressed_block_of_postings_can_call_nothing(calls: list[str]) -> None:
    facts = pickle.dumps((1, 0, 1.0, 3, 0, 0), 2)
    entry = struct.pack("!BfIBBfII", 0, 1.0, 1, 0, 0, 1.0, 0, 0)
    for block in (facts + zlib.compress(HARM), HARM + b"x"):
        file = b"W3Bl" + struct.pack("!i", -len(block)) + block
        with pytest.raises(pickle.UnpicklingError):
            read_postings(entry + struct.pack("!qi", 0, len(file)), memoryview(file))
    inline = struct.pack("!BfIBBfII", 1, 1.0, 1, 0, 0, 1.0, 0, 0)
    with pytest.raises(pickle.UnpicklingError):
        read_postings(inline + HARM, memoryview(b""))
    assert not calls


# Damage


def flipped(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


@pytest.mark.parametrize("seed", range(30))
def test_a_flipped_bit_is_noticed_before_a_segment_is_merged(folder: Path, seed: int) -> None:
    rng = random.Random(seed)
    path = rng.choice(sorted(folder.glob("*.seg")))
    flipped(path, rng)
    before = latest_generation(folder)
    with pytest.raises(IndexDamaged) as raised:
        merge(folder)
    assert str(path) in str(raised.value) or "cannot be read" in str(raised.value)
    assert latest_generation(folder) == before


@pytest.mark.parametrize("seed", range(10))
def test_a_flipped_bit_is_noticed_before_columns_are_made_anew(folder: Path, seed: int) -> None:
    rng = random.Random(seed)
    path = rng.choice(sorted(folder.glob("*.seg")))
    flipped(path, rng)
    path.with_suffix(".imp").unlink()
    with pytest.raises(IndexDamaged):
        WhooshEngine(folder).search(any_of("chè"), limit=5)


@pytest.mark.parametrize("pattern", ["*.toc", "checksums-*.blob"])
@pytest.mark.parametrize("seed", range(10))
def test_a_flipped_bit_of_a_small_file_is_noticed(folder: Path, pattern: str, seed: int) -> None:
    (path,) = folder.glob(pattern)
    flipped(path, random.Random(seed))
    with pytest.raises(HtxError):
        WhooshEngine(folder).search(any_of("chè"), limit=5)


def test_a_segment_of_an_earlier_state_is_noticed(folder: Path) -> None:
    one, other = sorted(folder.glob("*.seg"))
    shutil.copy(other, one)
    with pytest.raises(IndexDamaged):
        merge(folder)


def test_without_its_checksums_a_commit_is_not_read(folder: Path) -> None:
    next(iter(folder.glob("checksums-*.blob"))).unlink()
    with pytest.raises(IndexDamaged):
        WhooshEngine(folder)


def test_a_segment_keeps_the_checksum_that_it_was_written_with(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_MERGE_FACTOR", 8)
    before = read_checksums(folder, latest_generation(folder))["segments"]
    for path in folder.glob("*.seg"):
        flipped(path, random.Random(3))
    engine = WhooshEngine(folder)
    put(engine, document("mới", "chè"))  # merges nothing: nobody has read the other segments
    after = read_checksums(folder, latest_generation(folder))["segments"]
    assert before.items() < after.items()


def test_after_a_merge_everything_is_there(folder: Path) -> None:
    engine = merge(folder)
    assert len(hits(engine.search(any_of("chè"), limit=50))) == 14
    assert len(list(folder.glob("*.seg"))) == 1
    engine.close()
