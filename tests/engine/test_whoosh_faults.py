"""Faults of Whoosh 2.7.4 that were met and reproduced: none of them may show through our engine."""

import dataclasses
import gc
import math
import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from whoosh.writing import SegmentWriter

from htxsearch.engine.bm25 import K1, B
from htxsearch.engine.contract import Boolean, DateRange, Document, Node, TermsFilter
from htxsearch.engine.memory import MemoryEngine
from htxsearch.engine.whoosh import WhooshEngine
from htxsearch.errors import HtxError, IndexBusy

from .documents import any_of, document, hits, phrase, put, scores, syllables, terms


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def engine(folder: Path) -> Iterator[WhooshEngine]:
    made = WhooshEngine(folder, create=True)
    yield made
    made.close()


@contextmanager
def watchdog(seconds: int) -> Iterator[None]:
    """Break a loop that has no end; only ever rings when there is one."""

    def ring(*_: object) -> None:
        raise AssertionError(f"still running after {seconds} s")

    if not hasattr(signal, "SIGALRM"):
        pytest.skip("the system has no alarm")
    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def assert_equal_answers(engine: WhooshEngine, oracle: MemoryEngine, node: Node, **options: Any) -> None:
    one, other = engine.search(node, **options), oracle.search(node, **options)
    assert one.total == other.total
    assert hits(one) == hits(other)
    assert scores(one) == pytest.approx(scores(other), abs=1e-8)
    assert one.facets == other.facets


# Ranking


@pytest.fixture(scope="module")
def short_texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WhooshEngine, list[str], list[str], list[float]]]:
    """An engine with 6,000 passages of six syllables each, by Zipf's law, the texts, and the vocabulary.

    Whoosh's own BM25F search never comes back from "vocabulary[4] OR vocabulary[37]" over these texts.
    """
    rng = random.Random(8)
    vocabulary = [f"{one}{number}" for number in range(4) for one in syllables(500)]
    weights = [1 / (rank + 1) for rank in range(len(vocabulary))]
    texts = [" ".join(rng.choices(vocabulary, weights, k=6)) for _ in range(6000)]
    engine = WhooshEngine(tmp_path_factory.mktemp("short") / "data", create=True)
    for start in (0, 3000, 5000):
        end = {0: 3000, 3000: 5000, 5000: 6000}[start]
        put(engine, *(bare(f"{number:04}", texts[number]) for number in range(start, end)))
    yield engine, texts, vocabulary, weights
    engine.close()


def bare(article_id: str, text: str) -> Document:
    return Document(id=article_id, record="", title=terms(""), passages=(terms(text),), spellings=frozenset())


def expected_top(texts: list[str], alternatives: tuple[str, str], limit: int) -> tuple[int, list[tuple[str, int]], list[float]]:
    """Rank `texts` for a disjunction by the formula, term at a time."""
    average = sum(len(text.split()) for text in texts) / len(texts)
    totals: dict[int, float] = {}
    for term in alternatives:
        tf = {number: text.split().count(term) for number, text in enumerate(texts) if term in text.split()}
        idf = math.log(1 + (len(texts) - len(tf) + 0.5) / (len(tf) + 0.5))
        for number, count in tf.items():
            length = len(texts[number].split())
            part = count / (count + K1 * (1 - B + B * length / average))
            totals[number] = totals.get(number, 0.0) + idf * part
    best = sorted(totals.items(), key=lambda entry: (-round(entry[1], 9), entry[0]))[:limit]
    return len(totals), [(f"{number:04}", 0) for number, _ in best], [score for _, score in best]


def test_an_or_of_two_terms_over_short_uniform_texts_comes_to_an_end(
    short_texts: tuple[WhooshEngine, list[str], list[str], list[float]],
) -> None:
    engine, texts, vocabulary, weights = short_texts
    having: dict[str, set[int]] = {}
    for number, text in enumerate(texts):
        for term in text.split():
            having.setdefault(term, set()).add(number)
    rng = random.Random(17)
    queries = [(vocabulary[4], vocabulary[37]), (vocabulary[37], vocabulary[4])]
    for _ in range(1500):
        first, second = rng.choices(vocabulary, weights, k=2)
        queries.append((first, second))
    with watchdog(120):
        for number, (first, second) in enumerate(queries):
            found = engine.search(Boolean(should=(any_of(first), any_of(second))), limit=10)
            assert found.total == len(having.get(first, set()) | having.get(second, set()))
            if number < 12:
                total, best, best_scores = expected_top(texts, (first, second), 10)
                assert (found.total, hits(found)) == (total, best)
                assert [hit.score for hit in found.hits] == pytest.approx(best_scores, abs=1e-8)


def test_the_best_ten_are_the_best_ten(engine: WhooshEngine) -> None:
    """Few rare long texts, many short ones, segments of very different size, and optional terms."""
    rng = random.Random(3)
    vocabulary = syllables(150)
    weights = [1 / (rank + 1) ** 1.1 for rank in range(150)]
    oracle = MemoryEngine()
    number = 0
    for size in (250, 3, 40, 1, 90):
        batch = []
        for _ in range(size):
            passages = [" ".join(rng.choices(vocabulary, weights, k=rng.choice([4, 5, 6, 60, 200]))) for _ in range(2)]
            batch.append(document(f"{number:04}", *passages, title=" ".join(rng.choices(vocabulary, weights, k=5))))
            number += 1
        put(engine, *batch)
        put(oracle, *batch)
    for _ in range(15):
        picked = [any_of(name, boost=rng.choice([1.0, 2.0])) for name in rng.choices(vocabulary, k=5)]
        frequent = any_of(vocabulary[rng.randrange(4)])
        title = any_of(vocabulary[rng.randrange(20)], field="title", boost=0.5)
        for node in (
            Boolean(should=(*picked, title)),
            Boolean(must=(frequent,), should=(*picked[:2], title)),
            Boolean(must=(Boolean(should=(frequent, picked[0])),), should=tuple(picked[1:])),
        ):
            for per_article in (True, False):
                assert_equal_answers(engine, oracle, node, limit=10, per_article=per_article)


def test_filters_hold_whatever_the_limit(engine: WhooshEngine) -> None:
    oracle = MemoryEngine()
    rng = random.Random(11)
    for start in range(0, 120, 40):
        batch = [
            document(
                f"{number:03}",
                " ".join(rng.choices(["chè", "cam", "đồi", "vườn"], k=rng.randint(2, 12))),
                place=rng.choice(["Phú Thọ", "Yên Bái", None]),
                source=rng.choice(["Báo A", None]),
                date=rng.choice([None, date(2019, 5, 5), date(2021, 6, 6)]),
            )
            for number in range(start, start + 40)
        ]
        put(engine, *batch)
        put(oracle, *batch)
    filters: list[Node] = [
        TermsFilter("place", frozenset({"Phú Thọ"})),
        TermsFilter("source", frozenset({"Báo A"})),
        DateRange(None, date(2020, 1, 1)),
        DateRange(date(2020, 1, 1), None),
    ]
    for one in filters:
        node = Boolean(must=(Boolean(should=(any_of("chè"), any_of("cam"))), one))
        total = oracle.search(node, limit=1).total
        assert 0 < total < 120
        for limit in (1, 2, 10, 1000):
            for offset in (0, 3):
                options = {"limit": limit, "offset": offset, "facets": ("place", "year")}
                assert_equal_answers(engine, oracle, node, **options)
                assert_equal_answers(engine, oracle, node, by_date=True, **options)


def test_an_open_lower_bound_lets_no_undated_article_in(engine: WhooshEngine) -> None:
    put(engine, document("có ngày", "chè", date=date(1, 1, 1)), document("không ngày", "chè"))
    for bounds in (DateRange(None, None), DateRange(None, date(2020, 1, 1)), DateRange(date.min, None)):
        assert hits(engine.search(Boolean(must=(any_of("chè"), bounds)), limit=5)) == [("có ngày", 0)]


def test_not_together_with_or_works(engine: WhooshEngine) -> None:
    put(engine, document("a", "chè"), document("b", "chè cam"), document("c", "quýt"), document("d", "cam quýt"))
    put(engine, document("e", "bưởi"))
    without_cam = Boolean(should=(any_of("chè"), any_of("quýt")), must_not=(any_of("cam"),))
    assert sorted(hits(engine.search(without_cam, limit=9))) == [("a", 0), ("c", 0)]
    nothing = Boolean(must_not=(any_of("cam"),), should=(Boolean(must_not=(any_of("chè"),)),))
    assert engine.search(nothing, limit=9).total == 0
    unknown = Boolean(should=(any_of("chè"),), must_not=(any_of("không có"), Boolean(should=(any_of("lạ"), any_of("quýt")))))
    assert sorted(hits(engine.search(unknown, limit=9))) == [("a", 0), ("b", 0)]


def test_the_total_of_a_grouped_search_counts_articles(engine: WhooshEngine) -> None:
    put(engine, document("a", *["chè"] * 7), document("b", "cam", "chè"))
    put(engine, document("c", *["chè xanh"] * 3))
    for limit in (1, 2, 10):
        assert engine.search(any_of("chè"), limit=limit).total == 3
        assert engine.search(any_of("chè"), limit=limit, per_article=False).total == 11


# Writing


def test_one_id_many_times_in_a_session_leaves_one_document(engine: WhooshEngine) -> None:
    put(engine, document("a", "bản gốc"), document("b", "bản gốc"))
    put(engine, *(document("a", f"bản {number}", "thêm") for number in range(5)), document("b", "bản mới"))
    assert engine.counts()[:2] == (2, 3)
    assert hits(engine.search(any_of("bản"), limit=9, per_article=False)) == [("a", 0), ("b", 0)]
    assert engine.records(["a"])[0] == document("a", "bản 4", "thêm").record
    assert engine.search(any_of("gốc"), limit=9).total == 0


UNWRITABLE: dict[str, Any] = {
    "a record that cannot be pickled": {"record": lambda: "chè"},
    "a vector of text": {"vector": "chè"},
    "an id that is a number": {"id": 7},
    "an id that is no text for a disk": {"id": "\ud800"},
    "a date that is text": {"date": "2020-01-01"},
    "a place that is a number": {"place": 5},
    "a title that is missing": {"title": None},
    "a passage that is missing": {"passages": (terms("đồi chè"), None)},
    "a spelling of two parts": {"spellings": frozenset({("syllable", "che")})},
}


@pytest.fixture
def garbage() -> Iterator[None]:
    """Have a failed writer's open files collected within the test that made it fail."""
    yield
    gc.collect()


def trouble(engine: WhooshEngine, *documents: Document, **options: Any) -> str:
    """Return what a commit failed with, in words and without keeping the exception alive; "" if it did not."""
    try:
        put(engine, *documents, **options)
    except HtxError as error:
        return f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("wrong", UNWRITABLE)
@pytest.mark.usefixtures("garbage")
def test_a_document_that_cannot_be_written_leaves_nothing_behind(engine: WhooshEngine, folder: Path, wrong: str) -> None:
    put(engine, document("cũ", "vườn cam"), blobs={"mục lục": b"1"})
    refused = dataclasses.replace(document("hỏng", "đồi chè", "đồi thông"), **UNWRITABLE[wrong])
    with pytest.raises(Exception) as failure:  # noqa: PT011 - which one is no matter
        put(engine, document("trước", "ao cá"), document("cũ", "vườn quýt"), refused, blobs={"mục lục": b"2"})

    def assert_as_before(some: WhooshEngine) -> None:
        assert some.article_ids() == ["cũ"]
        assert some.counts()[:2] == (1, 1)
        assert some.records(["cũ"])[0] == document("cũ", "vườn cam").record
        assert hits(some.search(any_of("cam", "quýt", "chè", "cá", "thông"), limit=9)) == [("cũ", 0)]
        assert some.blob("mục lục") == b"1"

    assert_as_before(engine)
    engine.refresh()
    assert_as_before(engine)
    reopened = WhooshEngine(folder)
    assert_as_before(reopened)
    reopened.close()

    # While the exception is still held, as it is in a `finally` that commits what else there is.
    after = trouble(engine, document("sau", "đồi chè"), blobs={"mục lục": b"3"})
    del failure
    gc.collect()
    assert after == ""
    assert engine.article_ids() == ["cũ", "sau"]
    assert hits(engine.search(any_of("chè", "thông", "quýt", "cá"), limit=9, per_article=False)) == [("sau", 0)]
    assert engine.blob("mục lục") == b"3"
    assert strays(folder) == []


def strays(folder: Path) -> list[Any]:
    """Return what lies in a data folder after a commit and should not."""
    names = sorted(path.name for path in Path(folder).iterdir())
    tocs = [name for name in names if name.endswith(".toc")]
    generation = max(int(name.split("_")[2].removesuffix(".toc")) for name in tocs)
    with_place = [name for name in names if name.endswith((".seg", ".imp", f"-{generation}.blob"))]
    return sorted({*names} - {*with_place, f"_MAIN_{generation}.toc", "MAIN_WRITELOCK"})


def test_a_blob_of_a_failed_commit_is_not_taken_for_the_next_ones(
    engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch
) -> None:

    put(engine, document("a", "vườn cam"))
    with monkeypatch.context() as patch:
        patch.setattr(SegmentWriter, "commit", fails_with(OSError("đĩa hỏng")))
        with pytest.raises(HtxError):
            put(engine, document("b", "đồi chè"), blobs={"mục lục": b"hong"})
    put(engine, document("c", "ao cá"))
    assert engine.article_ids() == ["a", "c"]
    assert engine.blob("mục lục") is None


def fails_with(error: BaseException | type[BaseException]) -> Callable[..., None]:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise error

    return fail


def test_a_commit_leaves_only_its_own_files(engine: WhooshEngine, folder: Path) -> None:
    for number in range(20):
        put(engine, document(f"{number % 7}", "chè", "đồi"), delete=[str(number % 5)], blobs={"mục lục": b"%d" % number})
        assert strays(folder) == []


def test_a_writer_of_an_engine_that_looked_long_ago_harms_nothing_newer(engine: WhooshEngine, folder: Path) -> None:
    put(engine, document("a", "vườn cam"), blobs={"mục lục": b"1"})
    late = WhooshEngine(folder)
    put(engine, document("b", "đồi chè"), blobs={"mục lục": b"2"})
    late.writer()  # and does nothing with it
    reopened = WhooshEngine(folder)
    assert reopened.blob("mục lục") == engine.blob("mục lục") == b"2"
    assert reopened.article_ids() == ["a", "b"]
    for some in (late, reopened):
        some.close()


def test_a_writer_does_not_build_on_a_commit_that_it_has_not_seen(engine: WhooshEngine, folder: Path) -> None:
    """No lock kept the other one away, as on some network file systems."""
    put(engine, document("a", "vườn cam"), blobs={"mục lục": b"1"})
    late = WhooshEngine(folder)
    writer = late.writer()
    put(engine, document("b", "đồi chè"), blobs={"mục lục": b"2"})
    writer.replace(document("c", "đồi sim"))
    with pytest.raises(IndexBusy):
        writer.commit({"mục lục": b"3"})
    for some in (engine, late):
        some.refresh()
        assert (some.blob("mục lục"), some.article_ids()) == (b"2", ["a", "b"])
    put(late, document("c", "đồi sim"), blobs={"mục lục": b"3"})
    assert late.article_ids() == ["a", "b", "c"]
    late.close()


def test_a_writer_of_an_engine_without_documents_harms_no_blob(engine: WhooshEngine, folder: Path) -> None:
    put(engine, document("a", "vườn cam"), blobs={"mục lục": b"1"})
    put(engine, delete=["a"], blobs={"mục lục": b"2"})
    WhooshEngine(folder).writer()
    reopened = WhooshEngine(folder)
    assert reopened.blob("mục lục") == b"2"
    reopened.close()


# Reading while another writes


def test_what_was_deleted_or_replaced_never_comes_back_after_refresh(engine: WhooshEngine, folder: Path) -> None:
    put(engine, *(document(f"{number}", f"chè bản gốc {number}") for number in range(6)))
    reader = WhooshEngine(folder)
    for turn in range(12):
        put(
            engine,
            document(f"{turn % 6}", f"chè bản {turn}"),
            document(f"{(turn + 1) % 6}", f"chè bản {turn}", "chè phụ"),
            delete=[f"{(turn + 3) % 6}"],
        )
        reader.refresh()
        for some in (reader, engine):
            found = some.search(any_of("chè"), limit=99, per_article=False)
            assert len(set(hits(found))) == len(hits(found)) == found.total == some.counts().passages
            assert sorted({article for article, _ in hits(found)}) == some.article_ids()
            assert f"{(turn + 3) % 6}" not in some.article_ids()
            assert len(list(some.vectors())) == some.counts().articles
        assert reader.article_ids() == engine.article_ids()
        assert [reader.records([one])[0] for one in "012345"] == [engine.records([one])[0] for one in "012345"]
        assert reader.generation == engine.generation
    reader.close()


def test_a_reader_keeps_its_state_until_refresh_while_segments_are_merged_away(engine: WhooshEngine, folder: Path) -> None:
    put(engine, *(document(f"{number}", f"chè đồi {number}", place="Yên Bái") for number in range(5)), blobs={"lượt": b"cu"})
    reader = WhooshEngine(folder)
    before = scores(reader.search(any_of("chè"), limit=99))
    for number in range(20):
        put(engine, document(f"{number % 5}", f"cam {number}"), document(f"mới {number}", "chè"), blobs={"lượt": b"moi"})
    assert scores(reader.search(any_of("chè"), limit=99)) == before
    assert hits(reader.search(phrase("chè đồi 3"), limit=9)) == [("3", 0)]
    assert reader.records(["2"])[0] == document("2", "chè đồi 2").record
    assert reader.values("place") == {"Yên Bái": 5}
    assert len(list(reader.vectors())) == 5
    assert reader.blob("lượt") == b"moi"  # its own is gone, so the reader has moved on
    reader.refresh()
    assert reader.article_ids() == engine.article_ids()
    reader.close()


# Merging


def test_many_commits_keep_documents_positions_columns_and_vectors(engine: WhooshEngine, folder: Path) -> None:
    """More commits than the merge factor squared, with replacements and deletions between them."""
    rng = random.Random(5)
    oracle = MemoryEngine()
    vocabulary = syllables(15)
    for commit in range(70):
        batch = [
            document(
                f"bài {rng.randrange(60):02}",
                *(" ".join(rng.choices(vocabulary, k=rng.randint(2, 20))) for _ in range(rng.randint(1, 3))),
                title=" ".join(rng.choices(vocabulary, k=4)),
                date=rng.choice([None, date(2020, 1, 1), date(2021, 3, 4)]),
                place=rng.choice([None, "Yên Bái", "Hà Nam"]),
                vector=bytes(rng.choices(range(256), k=rng.randint(0, 30))),
            )
            for _ in range(rng.randint(1, 4))
        ]
        gone = [f"bài {rng.randrange(60):02}" for _ in range(rng.randint(0, 2))]
        for some in (engine, oracle):
            put(some, *batch, delete=gone, blobs={"lượt": b"%d" % commit})
        assert engine.counts() == oracle.counts()
    assert len(list(folder.glob("*.seg"))) < 20
    reopened = WhooshEngine(folder)
    for some in (engine, reopened):
        assert some.article_ids() == oracle.article_ids()
        assert some.records(oracle.article_ids()) == oracle.records(oracle.article_ids())
        assert sorted(some.vectors()) == sorted(oracle.vectors())
        assert some.forwards(oracle.article_ids()) == oracle.forwards(oracle.article_ids())
        assert some.values("place") == oracle.values("place")
        assert some.blob("lượt") == b"69"
        for one in vocabulary:
            for other in vocabulary[:5]:
                assert_equal_answers(some, oracle, phrase(f"{one} {other}"), limit=99, per_article=False)
            node = Boolean(should=(any_of(one), any_of(one, field="title")))
            assert_equal_answers(some, oracle, node, limit=99, facets=("place", "year"))
            assert_equal_answers(some, oracle, node, limit=99, by_date=True)
        node = Boolean(must=(DateRange(date(2021, 1, 1), None), TermsFilter("place", frozenset({"Hà Nam"}))))
        assert_equal_answers(some, oracle, node, limit=99)
    reopened.close()


def test_the_last_batch_leaves_a_single_segment(engine: WhooshEngine, folder: Path) -> None:
    def commit(numbers: range, *, is_last: bool) -> int:
        writer = engine.writer()
        for number in numbers:
            writer.replace(document(f"a{number:03}", f"chè xanh {number}"))
        writer.commit({}, is_last=is_last)
        engine.refresh()
        return len(list(folder.glob("*.seg")))

    assert [commit(range(at, at + 9), is_last=False) for at in (0, 9, 18)] == [1, 2, 3]
    assert commit(range(27, 30), is_last=True) == 1
    assert [commit(range(at, at + 3), is_last=True) for at in (30, 33)] == [2, 3]  # the first has most of the documents
    assert commit(range(36, 66), is_last=True) == 1
    assert engine.counts().articles == 66
    found = engine.search(any_of("chè"), limit=100)
    assert len({hit.article_id for hit in found.hits}) == found.total == 66


def test_a_common_term_has_all_its_postings(engine: WhooshEngine) -> None:
    """More than the 128 that Whoosh keeps in a block, with deletions, before and after a merge."""
    for commit in range(9):
        put(engine, *(document(f"{commit}-{number:03}", "chè " * (1 + number % 5)) for number in range(150)))
    put(engine, delete=[f"{commit}-{number:03}" for commit in range(9) for number in range(0, 150, 3)])
    found = engine.search(any_of("chè"), limit=2000)
    assert found.total == len(found.hits) == 9 * 100
    assert all(int(article.split("-")[1]) % 3 for article, _ in hits(found))
    by_score: dict[float, set[int]] = {}
    for hit in found.hits:
        by_score.setdefault(round(hit.score, 9), set()).add(1 + int(hit.article_id.split("-")[1]) % 5)
    assert [by_score[score] for score in sorted(by_score)] == [{1}, {2}, {3}, {4}, {5}]


# Durability


def watch_the_disk(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Record every fsync and rename, in order, with the size a synced file had then; they still happen."""
    events: list[tuple[Any, ...]] = []
    real = {name: getattr(os, name) for name in ("fsync", "rename", "replace")}

    def fsync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        real["fsync"](descriptor)
        events.append(("sync", status.st_ino, status.st_size))

    def mover(name: str) -> Callable[..., Any]:
        def move(source: str, target: str, **options: Any) -> None:
            events.append(("rename", Path(target).name, snapshot(Path(source).parent)))
            real[name](source, target, **options)

        return move

    monkeypatch.setattr(os, "fsync", fsync)
    for name in ("rename", "replace"):
        monkeypatch.setattr(os, name, mover(name))
    return events


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Return inode and size of every file that matters in a folder."""
    return {
        path.name: (path.stat().st_ino, path.stat().st_size)
        for path in folder.iterdir()
        if path.is_file() and not path.name.endswith("LOCK")
    }


def test_nothing_is_renamed_into_place_before_it_is_on_disk(
    engine: WhooshEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_disk: set[tuple[int, int]] = set()
    events = watch_the_disk(monkeypatch)
    on_disk.update(snapshot(folder).values())
    for commit in range(9):  # the ninth merges the others
        del events[:]
        put(engine, document(f"{commit}", "chè xanh", "đồi chè"), blobs={"mục lục": b"%d" % commit, "khác": b"x" * 9999})
        renames = [number for number, event in enumerate(events) if event[0] == "rename"]
        assert len(renames) == 1
        _, target, present = events[renames[0]]
        assert target == f"_MAIN_{commit + 1}.toc"
        on_disk.update(event[1:] for event in events[: renames[0]] if event[0] == "sync")
        assert {name for name, state in present.items() if state not in on_disk} == set()
        assert any(name.endswith(".blob") for name in present)
        assert any(name.startswith(f"{target}.") for name in present)
        assert events[renames[0] - 1][:2] == ("sync", folder.stat().st_ino)  # the names of its files are on disk, too
        assert events[renames[0] + 1][:2] == ("sync", folder.stat().st_ino)


def test_a_new_engine_is_on_disk_before_its_table_of_contents_is_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = watch_the_disk(monkeypatch)
    WhooshEngine(tmp_path / "data", create=True).close()
    kinds = [event[0] for event in events]
    # the table of contents and its checksums, and their names
    assert kinds == ["sync", "sync", "sync", "rename", "sync"]
    assert events[0][1:] in events[3][2].values()
    assert events[1][1:] in events[3][2].values()
    assert events[2][1] == events[4][1] == (tmp_path / "data").stat().st_ino


def test_what_was_committed_is_there_when_opened_again(engine: WhooshEngine, folder: Path) -> None:
    put(engine, document("a", "chè xanh", title="Chè", date=date(2020, 2, 2), place="Yên Bái"), blobs={"mục lục": b"1"})
    engine.close()
    reopened = WhooshEngine(folder)
    assert hits(reopened.search(phrase("chè xanh"), limit=5)) == [("a", 0)]
    assert reopened.records(["a"]) == [document("a", "chè xanh", title="Chè").record]
    assert reopened.blob("mục lục") == b"1"
    assert reopened.spellings([("syllable", "che")]) == [["Chè", "chè"]]
    put(reopened, document("b", "chè"))
    assert reopened.counts()[:2] == (2, 2)
    reopened.close()
