"""The sidecars: always those of the segments, never trusted, and with the answers that scoring everything gives."""

import json
import random
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest

from htxsearch.engine.contract import (
    AtLeast,
    Boolean,
    DateRange,
    DisjunctionMax,
    Document,
    FieldName,
    InArticle,
    Node,
    SearchResult,
    TermsFilter,
    WeightedTerm,
)
from htxsearch.engine.memory import MemoryEngine
from htxsearch.engine.whoosh import WhooshEngine, columns
from htxsearch.engine.whoosh import segment as segments
from htxsearch.engine.whoosh.kernel import Kernel, NumpyKernel, fastest_kernel
from htxsearch.engine.whoosh.storage import read_contents

from .documents import any_of, document, hits, phrase, put, syllables

VOCABULARY = syllables(40)
WEIGHTS = [1 / (1 + number) for number in range(len(VOCABULARY))]


def text(rng: Random, longest: int) -> str:
    """Return some syllables, the first of the vocabulary often, some joined to words."""
    found = rng.choices(VOCABULARY, WEIGHTS, k=rng.randint(1, longest))
    return "".join(one + rng.choice("    _") for one in found).strip(" _")


def some_document(rng: Random, article_id: str) -> Document:
    return document(
        article_id,
        *(text(rng, 30) for _ in range(rng.choice([0, 1, 1, 2, 3, 5]))),
        title=text(rng, 6),
        date=rng.choice([None, date(2020, 1, 1), date(2021, 3, 4), date(2021, 5, 6)]),
        place=rng.choice([None, "Yên Bái", "Hà Nam", "Lào Cai"]),
        source=rng.choice([None, "báo"]),
    )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, WhooshEngine, MemoryEngine]]:
    """An engine of several segments with deletions, one article of many passages among them, and the oracle beside it."""
    rng = random.Random(8)
    folder = tmp_path_factory.mktemp("filled") / "data"
    engine, oracle = WhooshEngine(folder, create=True), MemoryEngine()
    for turn in range(5):
        batch = [some_document(rng, f"bài {rng.randrange(80):02}") for _ in range(25)]
        if turn == 2:
            batch.append(document("dài", *(text(rng, 12) for _ in range(90)), title="dài"))
        gone = [f"bài {rng.randrange(80):02}" for _ in range(4)]
        for some in (engine, oracle):
            put(some, *batch, delete=gone, blobs={"lượt": b"%d" % turn})
    yield folder, engine, oracle
    engine.close()


def random_node(rng: Random, depth: int = 2) -> Node:
    kind = rng.random()
    if depth and kind < 0.45:
        parts = {"must": rng.choice([0, 0, 1, 2]), "should": rng.choice([0, 1, 2, 4]), "must_not": rng.choice([0, 0, 0, 1])}
        return Boolean(**{name: tuple(random_node(rng, depth - 1) for _ in range(count)) for name, count in parts.items()})
    boost = rng.choice([0.0, 0.5, 1.0, 2.0])
    if kind < 0.55:
        return TermsFilter("place", frozenset(rng.sample(["Yên Bái", "Hà Nam", "không có"], 2)), boost)
    if kind < 0.6:
        return DateRange(rng.choice([None, date(2021, 1, 1)]), rng.choice([None, date(2021, 4, 1)]), boost)
    if kind < 0.7:
        some = " ".join("|".join(rng.choices(VOCABULARY[:6], k=rng.randint(1, 2))) for _ in range(2))
        return phrase(some, field=rng.choice(["syllable", "title"]), boost=1.5)
    fields: list[tuple[FieldName, FieldName]] = [("syllable", "word"), ("title", "title_word")]
    field, words = rng.choice(fields)
    names = [(field, rng.choice(VOCABULARY)) for _ in range(rng.randint(1, 3))]
    names += [(words, "_".join(rng.choices(VOCABULARY[:5], k=2)))] * rng.choice([0, 1])
    return DisjunctionMax(
        tuple(WeightedTerm(where, name, rng.choice([0.5, 1.0])) for where, name in names), rng.choice([0.5, 1.0])
    )


def rounded(found: SearchResult) -> tuple[Any, ...]:
    return (
        found.total,
        found.articles,
        [(hit.article_id, hit.passage, round(hit.score, 8)) for hit in found.hits],
        [[(leaf, round(score, 8)) for leaf, score in hit.parts] for hit in found.hits],
        found.facets,
    )


@pytest.mark.parametrize("seed", range(60))
def test_the_answers_are_those_of_scoring_everything(filled: tuple[Path, WhooshEngine, MemoryEngine], seed: int) -> None:
    _, engine, oracle = filled
    rng = random.Random(seed)
    node = random_node(rng)
    options: dict[str, Any] = {
        "limit": rng.choice([0, 1, 3, 10, 500]),
        "offset": rng.choice([0, 0, 2]),
        "per_article": rng.random() < 0.5,
        "by_date": rng.random() < 0.3,
        "facets": ("place", "source", "year"),
        "explain": rng.random() < 0.3,
    }
    assert rounded(engine.search(node, **options)) == rounded(oracle.search(node, **options))


@pytest.mark.parametrize("seed", range(40))
def test_a_query_and_what_narrows_it_are_answered_in_any_order(
    filled: tuple[Path, WhooshEngine, MemoryEngine], seed: int
) -> None:
    """The scores of the last query are kept for both sides of its line; no later search changes them."""
    _, engine, oracle = filled
    rng = random.Random(seed)
    query, other = random_node(rng), random_node(rng)
    ids = frozenset(rng.sample(oracle.article_ids(), 9))
    beyond = AtLeast(query, rng.choice([0.0, 0.5, 2.0]))
    near = Boolean(
        should=(TermsFilter("id", ids), Boolean(must=(beyond,), must_not=(TermsFilter("id", frozenset(list(ids)[:3])),)))
    )
    preferred = TermsFilter("place", frozenset({"Hà Nam"}), 2.0)
    nodes: list[Node] = [
        query,
        near,
        Boolean(must=(query, near)),
        Boolean(must=(query,), must_not=(near,)),
        Boolean(must=(query, InArticle(other))),
        Boolean(must=(query,), should=(preferred, other)),
        Boolean(must=(near, DateRange(date(2021, 1, 1), None))),
        Boolean(must=(near, other), must_not=(InArticle(query),)),
    ]
    for node in rng.choices(nodes, k=16):
        options: dict[str, Any] = {
            "limit": rng.choice([0, 0, 7, 500]),
            "per_article": rng.random() < 0.5,
            "facets": ("place", "year"),
        }
        assert rounded(engine.search(node, **options)) == rounded(oracle.search(node, **options))


@pytest.mark.parametrize("kernel", [fastest_kernel(), NumpyKernel()], ids=["fastest", "numpy"])
@pytest.mark.parametrize("seed", range(60))
def test_without_counting_the_hits_are_the_same(
    filled: tuple[Path, WhooshEngine, MemoryEngine], monkeypatch: pytest.MonkeyPatch, kernel: Kernel, seed: int
) -> None:
    folder, _, oracle = filled
    monkeypatch.setattr("htxsearch.engine.whoosh.reader.fastest_kernel", lambda: kernel)
    rng = random.Random(seed)
    leaves = tuple(random_node(rng, 0) for _ in range(rng.randint(1, 7)))
    scored = tuple(leaf for leaf in leaves if not isinstance(leaf, TermsFilter | DateRange))
    preferred = tuple(leaf for leaf in leaves if isinstance(leaf, TermsFilter | DateRange) and leaf.boost)
    node = Boolean((Boolean(should=scored),), preferred) if seed % 2 else Boolean(should=leaves)
    options: dict[str, Any] = {"limit": rng.choice([1, 3, 10]), "offset": rng.choice([0, 0, 2]), "per_article": seed % 5 == 0}
    engine = WhooshEngine(folder)
    try:
        for _ in range(2):  # the second time the bounds are known
            assert rounded(engine.search(node, **options, count=False))[2] == rounded(oracle.search(node, **options))[2]
    finally:
        engine.close()


def answers(engine: WhooshEngine) -> list[Any]:
    """Return a little of everything that a sidecar gives."""
    nodes: list[Node] = [
        any_of(*VOCABULARY[:2]),
        Boolean(should=(any_of(VOCABULARY[9]), any_of(VOCABULARY[9], field="title"), any_of("b_c", field="word"))),
        phrase(f"{VOCABULARY[0]} {VOCABULARY[1]}"),
        Boolean(must=(DateRange(date(2021, 1, 1), None), TermsFilter("place", frozenset({"Hà Nam"})))),
    ]
    found = [engine.search(one, limit=99, per_article=False, facets=("place", "year")) for one in nodes]
    ids = engine.article_ids()
    return [
        *map(rounded, found),
        ids,
        engine.forwards(ids),
        engine.records(ids),
        [
            engine.spellings([("syllable", "ba")])[0],
            engine.starting_with(["c"], limit=5)[0],
            engine.values("place"),
            engine.counts(),
        ],
        engine.frequencies([any_of(one) for one in VOCABULARY]),
    ]


def answers_of(folder: Path) -> list[Any]:
    engine = WhooshEngine(folder)
    try:
        return answers(engine)
    finally:
        engine.close()


@pytest.fixture
def copied(filled: tuple[Path, WhooshEngine, MemoryEngine], tmp_path: Path) -> tuple[Any, ...]:
    """A copy of the folder, one of its sidecars, and what the sound one answers."""
    folder, engine, _ = filled
    shutil.copytree(folder, tmp_path / "data")
    sidecar = max((tmp_path / "data").glob("*.imp"), key=lambda path: path.stat().st_size)
    return tmp_path / "data", sidecar, answers(engine)


def test_a_changed_byte_changes_no_answer(copied: tuple[Any, ...]) -> None:
    folder, sidecar, sound = copied
    data = sidecar.read_bytes()
    header = 16 + int.from_bytes(data[8:12], "little")
    sections = json.loads(data[16:header])["sections"]
    base = -(-header // 16) * 16
    spots = [0, 7, 9, 13, 20, header // 2]
    spots += [base + offset + count * int(kind[2]) // 2 for offset, count, kind, *_ in sections.values() if count]
    for at in spots:
        sidecar.write_bytes(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :])
        assert answers_of(folder) == sound


@pytest.mark.parametrize("size", [0, 1, 15, 16, 100, 3000, -1])
def test_a_sidecar_that_was_cut_off_changes_no_answer(copied: tuple[Any, ...], size: int) -> None:
    folder, sidecar, sound = copied
    sidecar.write_bytes(sidecar.read_bytes()[:size])
    assert answers_of(folder) == sound


def test_a_sidecar_of_another_segment_or_version_changes_no_answer(copied: tuple[Any, ...]) -> None:
    folder, sidecar, sound = copied
    data = sidecar.read_bytes()
    other = next(path for path in folder.glob("*.imp") if path != sidecar)
    for wrong in (other.read_bytes(), b"htximp99" + data[8:]):
        sidecar.write_bytes(wrong)
        assert answers_of(folder) == sound


def test_an_index_without_sidecars_answers_and_the_next_writer_writes_them(copied: tuple[Any, ...]) -> None:
    folder, _, sound = copied
    before = {path: path.read_bytes() for path in folder.glob("*.imp")}
    for path in before:
        path.unlink()
    assert answers_of(folder) == sound
    assert list(folder.glob("*.imp")) == []  # who only reads writes nothing
    engine = WhooshEngine(folder)
    engine.writer()
    engine.close()
    assert {path: path.read_bytes() for path in folder.glob("*.imp*")} == before


def test_a_writer_mends_a_damaged_sidecar(copied: tuple[Any, ...]) -> None:
    folder, sidecar, sound = copied
    data = sidecar.read_bytes()
    sidecar.write_bytes(data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :])
    (folder / f"{sidecar.name}.tmp").write_bytes(b"left by a writer that died")
    engine = WhooshEngine(folder)
    engine.writer()
    assert answers(engine) == sound
    engine.close()
    assert sidecar.read_bytes() == data
    assert list(folder.glob("*.tmp")) == []


def test_a_damaged_token_or_record_is_an_error_not_an_answer(copied: tuple[Any, ...]) -> None:
    """These stay in the segment's own file; the sidecar has their checksums."""
    from htxsearch.errors import IndexDamaged

    folder, sidecar, _ = copied
    engine = WhooshEngine(folder)
    part = next(one for one in engine._reader.segments if one.entry.name == sidecar.stem)
    article = next(one for one in range(len(part.passages)) if part.live[one])
    article_id = part.article_id(article)
    spots = {"records": int(part.section("record.at")[article]) + 5, "forwards": int(part._tokens_at[part.run(article)[0]])}
    engine.close()
    file = folder / f"{sidecar.stem}.seg"
    data = file.read_bytes()
    for name, at in spots.items():
        file.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        engine = WhooshEngine(folder)
        with pytest.raises(IndexDamaged):
            getattr(engine, name)([article_id])
        engine.close()


def test_deleting_leaves_the_sidecars_of_other_segments_as_they_are(copied: tuple[Any, ...]) -> None:
    folder, _, _ = copied
    before = {path.name: path.stat().st_ino for path in folder.glob("*.imp")}
    engine = WhooshEngine(folder)
    put(engine, document("mới", "chè"), delete=["bài 01", "bài 02"])
    after = {path.name: path.stat().st_ino for path in folder.glob("*.imp")}
    assert len(after) == len(list(folder.glob("*.seg")))
    assert sum(before.get(name) == number for name, number in after.items()) >= len(after) - 1
    assert engine.records(["bài 01"])[0] is None
    engine.close()


def test_a_query_does_not_open_whoosh(filled: tuple[Path, WhooshEngine, MemoryEngine]) -> None:
    folder, engine, _ = filled
    code = (
        "import sys; from pathlib import Path; from htxsearch.engine.whoosh import WhooshEngine; "
        "from htxsearch.engine.contract import *; "
        f"engine = WhooshEngine(Path({str(folder)!r})); "
        f"found = engine.search(Phrase('syllable', (({VOCABULARY[0]!r},), ({VOCABULARY[1]!r},))), limit=5); "
        "best = found.hits[0].article_id; "
        "print(found.total, len(engine.records([best])[0]) > 0, len(engine.forwards([best]).articles()[0]) > 0); "
        "print('whoosh' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    total = engine.search(phrase(f"{VOCABULARY[0]} {VOCABULARY[1]}"), limit=5).total
    assert done.stdout.split() == [str(total), "True", "True", "False"]


def test_terms_with_one_hash_are_told_apart_in_phrases(tmp_path: Path) -> None:
    one, other = "plumless", "buckeroo"
    assert zlib.crc32(one.encode()) == zlib.crc32(other.encode())
    engine = WhooshEngine(tmp_path / "data", create=True)
    put(engine, document("a", f"{one} chè"), document("b", f"{other} chè chè {other}", title=f"vườn {one}"))
    assert hits(engine.search(phrase(f"{one} chè"), limit=9)) == [("a", 0)]
    assert hits(engine.search(phrase(f"{other} chè"), limit=9)) == [("b", 0)]
    assert hits(engine.search(phrase(f"vườn {other}", field="title"), limit=9)) == []
    assert hits(engine.search(phrase(f"vườn {one}", field="title"), limit=9)) == [("b", 0)]
    assert hits(engine.search(any_of(other), limit=9)) == [("b", 0)]
    put(engine, document("c", f"{other} trà {one} chè"))  # both in one passage
    assert hits(engine.search(phrase(f"{one} chè"), limit=9)) == [("a", 0), ("c", 0)]
    assert hits(engine.search(phrase(f"{other} trà"), limit=9)) == [("c", 0)]
    assert hits(engine.search(phrase(f"{other} chè"), limit=9)) == [("b", 0)]
    assert hits(engine.search(phrase(f"trà {other}"), limit=9)) == []
    engine.close()


def test_a_sidecar_that_fits_is_not_made_anew(
    filled: tuple[Path, WhooshEngine, MemoryEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, engine, _ = filled
    sound = answers(engine)
    monkeypatch.setattr(segments, "build_columns", lambda *_: pytest.fail("made anew"))
    assert answers_of(folder) == sound


def test_columns_written_with_a_merge_are_those_of_whoosh_s_files(tmp_path: Path) -> None:
    """They are made of what is in memory, merged postings of what the old columns have; neither reads Whoosh's postings."""
    rng = random.Random(3)
    engine, merged = WhooshEngine(tmp_path / "data", create=True), 0
    for turn in range(19):
        batch = [some_document(rng, f"bài {rng.randrange(60):02}") for _ in range(9)]
        put(engine, *batch, delete=[f"bài {rng.randrange(60):02}"])
        for entry in read_contents(tmp_path / "data", turn + 1).segments:
            merged += entry.size > 60
            written = (tmp_path / "data" / f"{entry.name}.imp").read_bytes()
            assert written == segments.Segment(tmp_path / "data", entry).packed(), turn
    assert merged
    engine.close()


def test_pages_that_were_given_back_are_read_again(
    filled: tuple[Path, WhooshEngine, MemoryEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _, oracle = filled
    given_back: list[int] = []
    give_back = columns._give_back
    monkeypatch.setattr(columns, "_give_back", lambda mapped: (given_back.append(len(mapped)), give_back(mapped)))  # type: ignore[func-returns-value]
    monkeypatch.setattr(columns.MappedFile, "_RESIDENT", 3 * columns.MappedFile._AROUND)
    engine = WhooshEngine(folder)
    for article_id in oracle.article_ids() * 2:
        assert engine.records([article_id])[0] == oracle.records([article_id])[0]
        assert engine.forwards([article_id]).articles()[0] == oracle.forwards([article_id]).articles()[0]
    assert sorted(engine.vectors()) == sorted(oracle.vectors())
    assert sorted(engine.vectors()) == sorted(oracle.vectors())
    assert len(given_back) > len(oracle.article_ids())
    engine.close()


def test_a_file_is_mapped_once_for_all_readers(filled: tuple[Path, WhooshEngine, MemoryEngine], tmp_path: Path) -> None:
    path = tmp_path / "x.imp"
    shutil.copy(next(filled[0].glob("*.imp")), path)
    first, second = columns.Columns.open(path), columns.Columns.open(path)
    assert first._buffer is second._buffer
    other = tmp_path / "y.imp"
    shutil.copy(path, other)
    other.replace(path)
    assert columns.Columns.open(path)._buffer is not first._buffer, "another file of the same name"
    first.check()
