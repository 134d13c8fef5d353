"""Encoding what has no vector yet: again and again, over every kind of change, damage and interruption."""

import errno
import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from htxsearch import Index
from htxsearch.engine.contract import Engine
from htxsearch.engine.memory import MemoryEngine
from htxsearch.errors import IndexNotReadable, IndexNotWritable
from htxsearch.indexing.embeddings import EncodeReport, encode_missing
from htxsearch.indexing.vector_store import passage_key
from htxsearch.search.dense import PassageVectors

from .meaning import SyllableEncoder, article, body, drop, engine_of, take_in

NAMES = [f"{number:02}" for number in range(7)]
QUERY = "bà con trồng chè bán chợ huyện"


@pytest.fixture
def engine() -> MemoryEngine:
    return engine_of(*(article(name, body(int(name))) for name in NAMES))


@pytest.fixture
def full(engine: MemoryEngine, tmp_path: Path) -> Path:
    """Return an index folder in which every passage has its vector."""
    encode(engine, tmp_path)
    return tmp_path


def encode(engine: Engine, folder: Path, **options: Any) -> tuple[list[str], EncodeReport]:
    """Encode what is missing; return the texts that were, and what is said of it."""
    encoder = SyllableEncoder(**options)
    report = encode_missing(engine, folder, encoder)
    assert report.encoded == len(encoder.seen)
    return encoder.seen, report


def opened(folder: Path) -> PassageVectors:
    vectors = PassageVectors.open(folder, model="âm tiết")
    assert vectors is not None
    return vectors


def keys_of(engine: Engine) -> dict[tuple[str, int], bytes]:
    """Return the key of every passage, by article and number."""
    return {
        (one, number): passage_key(title, passage)
        for one in engine.article_ids()
        for title, *passages in [engine.forwards([one]).articles()[0]]
        for number, passage in enumerate(passages)
    }


def complete(engine: Engine, folder: Path) -> bool:
    """Tell whether every passage has its vector and can be found by it."""
    keys = keys_of(engine)
    vectors = opened(folder)
    query = SyllableEncoder().query(QUERY)
    cosines = vectors.similarities(list(keys.values()), query)
    near = vectors.nearest(query, 999)
    agree = sorted(one.cosine for one in near) == pytest.approx(sorted(cosines.tolist()))
    return agree and {(one.article_id, one.passage): one.key for one in near} == keys


def file_of(folder: Path) -> Path:
    return folder / "vectors" / "vectors.bin"


def record_size(folder: Path) -> int:
    return (file_of(folder).stat().st_size - 128) // len(opened(folder))


def test_every_passage_gets_its_vector_and_a_second_run_encodes_nothing(engine: MemoryEngine, tmp_path: Path) -> None:
    seen, report = encode(engine, tmp_path)
    assert (len(seen), report.encoded, report.kept, report.dropped) == (21, 21, 0, 0)
    assert complete(engine, tmp_path)
    seen, report = encode(engine, tmp_path)
    assert (seen, report.encoded, report.kept, report.dropped) == ([], 0, 21, 0)


def test_the_encoder_gets_the_title_above_the_text(tmp_path: Path) -> None:
    engine = engine_of(article("a", "Bà con trồng chè.", "Tin vui"), article("b", "Giá chè cao.", ""))
    assert encode(engine, tmp_path)[0] == ["Tin vui\nBà con trồng chè.", "Giá chè cao."]


def test_a_changed_article_encodes_only_its_changed_passages(engine: MemoryEngine, full: Path) -> None:
    paragraphs = body(3).split("\n\n")
    paragraphs[1] = paragraphs[1].replace("hợp", "họp")
    take_in(engine, article("03", "\n\n".join(paragraphs)))
    assert encode(engine, full)[0] == [f"Tin 03\n{paragraphs[1]}"]
    assert complete(engine, full)


def test_a_moved_or_recased_article_encodes_nothing_a_retitled_one_everything(engine: MemoryEngine, full: Path) -> None:
    drop(engine, "03")
    take_in(engine, article("mới/03", body(3).replace("Hợp", "HỢP"), "Tin 03"))
    assert encode(engine, full)[0] == []
    assert complete(engine, full)
    take_in(engine, article("mới/03", body(3), "Tin khác"))
    assert len(encode(engine, full)[0]) == 3


def test_equal_passages_share_a_vector_and_each_is_found(tmp_path: Path) -> None:
    engine = engine_of(*(article(name, body(1, 2), "Chung") for name in "abc"))
    seen, report = encode(engine, tmp_path)
    assert (len(seen), report.encoded, report.kept) == (2, 2, 0)
    near = opened(tmp_path).nearest(SyllableEncoder().query(QUERY), 6)
    assert [one.article_id for one in near] == ["a", "b", "c", "a", "b", "c"]


def test_a_removed_article_is_found_until_the_next_run_and_its_vectors_wait_to_be_dropped(
    engine: MemoryEngine, full: Path
) -> None:
    drop(engine, *NAMES[:3])
    assert encode(engine, full)[1].dropped == 0
    assert len(opened(full)) == 21
    assert complete(engine, full)
    drop(engine, "03")
    assert encode(engine, full)[1].dropped == 12
    assert len(opened(full)) == 9
    assert complete(engine, full)
    drop(engine, *NAMES)
    assert encode(engine, full)[1].dropped == 9
    assert PassageVectors.open(full, model="âm tiết") is None
    assert encode(engine, full)[0] == []


def test_an_article_that_comes_back_finds_its_vectors(engine: MemoryEngine, full: Path) -> None:
    drop(engine, *NAMES[:3])
    encode(engine, full)
    take_in(engine, *(article(name, body(int(name))) for name in NAMES[:3]))
    assert encode(engine, full)[0] == []
    assert complete(engine, full)


@pytest.mark.parametrize("options", [{"name": "khác"}, {"dimension": 8}])
def test_vectors_of_another_model_are_not_used_and_replaced(
    engine: MemoryEngine, full: Path, options: dict[str, int | str]
) -> None:
    assert PassageVectors.open(full, model="khác") is None
    assert PassageVectors.open(full) is None
    assert len(encode(engine, full, **options)[0]) == 21
    vectors = PassageVectors.open(full, model=str(options.get("name", "âm tiết")))
    assert vectors is not None
    assert len(vectors) == 21
    assert options.get("name") is None or PassageVectors.open(full, model="âm tiết") is None


def test_a_file_cut_at_any_byte_of_its_last_records_opens_and_goes_on(
    engine: MemoryEngine, full: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    size = record_size(full)
    whole = file_of(full).read_bytes()
    first_run = SyllableEncoder()
    encode_missing(engine, tmp_path_factory.mktemp("twin"), first_run)
    for cut in range(1, 2 * size + 1):
        file_of(full).write_bytes(whole[:-cut])
        lost = -(-cut // size)
        assert len(opened(full)) == 21 - lost
        assert encode(engine, full)[0] == first_run.seen[-lost:]
        assert file_of(full).read_bytes() == whole


@pytest.mark.parametrize("length", [0, 1, 127, 128])
def test_a_file_without_a_record_holds_nothing_and_is_made_anew(engine: MemoryEngine, full: Path, length: int) -> None:
    whole = file_of(full).read_bytes()
    file_of(full).write_bytes(whole[:length])
    assert PassageVectors.open(full, model="âm tiết") is None
    assert len(encode(engine, full)[0]) == 21
    assert file_of(full).read_bytes() == whole


def test_zeros_at_the_end_as_a_power_cut_leaves_them_are_no_vectors(engine: MemoryEngine, full: Path) -> None:
    size = record_size(full)
    whole = file_of(full).read_bytes()
    file_of(full).write_bytes(whole[: -3 * size] + bytes(3 * size - 5))
    assert len(opened(full).nearest(SyllableEncoder().query(QUERY), 99)) == 18
    assert len(encode(engine, full)[0]) == 3
    assert file_of(full).read_bytes() == whole


def test_a_record_with_any_byte_flipped_is_ignored_and_made_anew(engine: MemoryEngine, full: Path) -> None:
    size = record_size(full)
    whole = file_of(full).read_bytes()
    (key,) = (key for place, key in keys_of(engine).items() if place == ("01", 2))
    start = 128 + 5 * size
    assert whole[start : start + 16] == key
    query = SyllableEncoder().query(QUERY)
    before = opened(full).nearest(query, 99)
    for at in range(size):
        bad = bytearray(whole)
        bad[start + at] ^= 0xFF
        file_of(full).write_bytes(bad)
        vectors = opened(full)
        assert np.isnan(vectors.similarities([key], query)).all()
        assert vectors.nearest(query, 99) == [one for one in before if one.key != key]
        del vectors
    assert len(encode(engine, full)[0]) == 1
    assert complete(engine, full)
    assert len(opened(full)) == 21


def damages() -> Iterator[tuple[str, Callable[..., Any]]]:
    noise = random.Random(4).randbytes(30_000)
    yield "deleted", lambda _data: None
    yield "empty", lambda _data: b""
    yield "half", lambda data: data[: len(data) // 2]
    yield "zeros", lambda data: bytes(len(data))
    yield "noise", lambda data: noise[: len(data)]
    yield "longer", lambda data: data + noise[:1000]
    for at in (0, 9, 13, 17, 25, 60):
        yield f"byte {at}", lambda data, at=at: data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


@pytest.mark.parametrize("name", ["vectors.bin", "places.bin"])
@pytest.mark.parametrize("damage", [pytest.param(act, id=kind) for kind, act in damages()])
def test_whatever_happens_to_a_file_it_is_never_a_traceback_and_the_next_run_mends_it(
    engine: MemoryEngine, full: Path, name: str, damage: Callable[..., Any]
) -> None:
    path = full / "vectors" / name
    data = damage(path.read_bytes())
    path.unlink()
    if data is not None:
        path.write_bytes(data)
    query = SyllableEncoder().query(QUERY)
    right = set(keys_of(engine).values())
    vectors = PassageVectors.open(full, model="âm tiết")
    if vectors is not None:
        assert {one.key for one in vectors.nearest(query, 99)} <= right
        assert len(vectors.similarities(sorted(right), query)) == 21
    del vectors
    encode(engine, full)
    assert complete(engine, full)
    assert encode(engine, full)[0] == []


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_a_run_stopped_by_ctrl_c_keeps_what_was_done_and_the_next_goes_on(
    engine: MemoryEngine, tmp_path: Path, batches: int
) -> None:
    stopped = SyllableEncoder(stop_after=batches)
    with pytest.raises(KeyboardInterrupt):
        encode_missing(engine, tmp_path, stopped)
    assert len(stopped.seen) == 8 * batches
    vectors = PassageVectors.open(tmp_path, model="âm tiết")
    if batches:
        assert vectors is not None
        assert len(vectors.nearest(stopped.query(QUERY), 99)) == 8 * batches
    seen, report = encode(engine, tmp_path)
    assert not set(seen) & set(stopped.seen)
    assert report.kept == 8 * batches
    assert complete(engine, tmp_path)


def interrupted(act: Callable[..., Any]) -> str:
    """Return what our error says, or that it was Ctrl-C."""
    try:
        act()
    except IndexNotWritable as error:
        return str(error)
    except KeyboardInterrupt:
        return "Ctrl-C"
    return ""


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(errno.ENOSPC, "No space left on device")])
def test_failing_at_any_step_on_disk_leaves_what_the_next_run_completes(
    engine: MemoryEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: OSError | type[KeyboardInterrupt]
) -> None:
    """Every fsync and every rename of a first run and of one that compacts, in turn."""
    steps = 0
    for number in range(1, 99):
        folder = tmp_path / str(number)
        shutil.rmtree(folder, ignore_errors=True)
        encode(engine_of(*(article(name, body(99 + int(name), 4)) for name in NAMES)), folder)  # to be compacted away

        def fail(*given: int | Path, real: Callable[..., Any], number: int = number) -> None:
            nonlocal steps
            steps += 1
            if steps == number:
                raise failure
            real(*given)

        steps = 0
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", lambda descriptor: fail(descriptor, real=lambda _: None))
            patch.setattr(os, "replace", lambda old, new, real=os.replace: fail(old, new, real=real))
            said = interrupted(lambda folder=folder: encode(engine, folder))
        if steps >= number:
            assert said.startswith(f"cannot write {folder}") or failure is KeyboardInterrupt
            assert said.endswith("No space left on device; check space and permissions") or failure is KeyboardInterrupt
        encode(engine, folder)
        assert complete(engine, folder)
        assert len(opened(folder)) == 21
        assert sorted(path.name for path in (folder / "vectors").iterdir() if path.suffix != ".tmp") == [
            "places.bin",
            "vectors.bin",
        ]
        if steps < number:
            break
    assert 5 < number < 50


def test_progress_tells_how_many_are_done_and_how_long_the_rest_will_take(engine: MemoryEngine, tmp_path: Path) -> None:
    told = []
    encode_missing(engine, tmp_path, SyllableEncoder(), lambda *values: told.append(values))
    assert [(done, total) for done, total, _ in told] == [(0, 21), (8, 21), (16, 21), (21, 21)]
    assert told[0][2] is None
    assert all(left > 0 for _, _, left in told[1:-1])
    assert told[-1][2] == 0
    told.clear()
    encode_missing(engine, tmp_path, SyllableEncoder(), lambda *values: told.append(values))
    assert told == [(0, 0, 0.0)]


def test_an_encoder_that_gives_no_numbers_is_not_asked_again(tmp_path: Path) -> None:
    class Broken(SyllableEncoder):
        def passages(self, texts: Sequence[str]) -> np.ndarray:
            super().passages(texts)
            return np.array([[np.nan] * 24, [0.0] * 24, [1e-300] * 24, [np.inf] + [1.0] * 23])

    engine = engine_of(*(article(name, f"Chè {name}.") for name in "abcd"))
    encode_missing(engine, tmp_path, Broken())
    assert opened(tmp_path).similarities(list(keys_of(engine).values()), np.ones(24)) == pytest.approx(
        [0, 0, 1, 23 / (23 * 24) ** 0.5], abs=1e-6
    )
    assert encode(engine, tmp_path)[0] == []


def test_vectors_outlive_a_rebuild_and_a_rename(tmp_path: Path) -> None:
    corpus, folder = tmp_path / "corpus", tmp_path / "index"
    corpus.mkdir()
    (corpus / "a.txt").write_text("Tin vui\nBà con trồng chè.\n", "utf-8")
    with Index(folder, corpus=corpus) as index:
        index.update()
        assert len(encode(index.searcher().snapshot.engine, folder)[0]) == 1
        (corpus / "a.txt").rename(corpus / "b.txt")
        for rebuild in (True, False):
            index.update(rebuild=rebuild)
            assert encode(index.searcher().snapshot.engine, folder)[0] == []
            assert complete(index.searcher().snapshot.engine, folder)


def test_what_the_system_does_not_allow_is_our_error(engine: MemoryEngine, tmp_path: Path) -> None:
    in_the_way = tmp_path / "tệp"
    in_the_way.write_text("một tệp", encoding="utf-8")
    assert PassageVectors.open(in_the_way) is None
    with pytest.raises(IndexNotWritable, match=r"cannot write .*vectors.bin: .*; check space and permissions"):
        encode(engine, in_the_way)
    (tmp_path / "vectors" / "vectors.bin").mkdir(parents=True)
    with pytest.raises(IndexNotReadable, match=r"cannot read .*vectors.bin: .*; check its permissions"):
        PassageVectors.open(tmp_path)
    with pytest.raises(IndexNotReadable):
        encode(engine, tmp_path)
