"""A damaged index is noticed before its content is made into something else; a stranger's index runs no code."""

import io
import os
import pickle
import random
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faults.foreign import HARM

from htxsearch.engine.whoosh import WhooshEngine, writer
from htxsearch.engine.whoosh.checking import check_files
from htxsearch.engine.whoosh.pickles import load, loads_plain
from htxsearch.engine.whoosh.postings import read_postings
from htxsearch.engine.whoosh.storage import blob_name, latest_generation, read_checksums
from htxsearch.errors import HtxError, IndexDamaged

from .documents import any_of, document, hits, put


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


def test_the_payload_would_do_harm(calls: list[str]) -> None:
    pickle.loads(HARM)
    assert calls == ["called"]


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


def test_a_sound_blob_of_another_commit_is_noticed(folder: Path) -> None:
    """Its own checksum is right, so only that of the commit can tell."""
    engine = WhooshEngine(folder)
    put(engine, blobs={"mục lục": b"1", "khác": b"2"})
    generation = latest_generation(folder)
    shutil.copy(folder / blob_name("khác", generation), folder / blob_name("mục lục", generation))
    engine = WhooshEngine(folder)
    assert engine.blob("khác") == b"2"
    for kind in ("damaged", "missing"):
        with pytest.raises(IndexDamaged):
            engine.blob("mục lục")
        (fault,) = check_files(folder)
        assert (fault.name, fault.kind) == (blob_name("mục lục", generation), kind)
        (folder / blob_name("mục lục", generation)).unlink(missing_ok=True)
    assert engine.blob("không có") is None
