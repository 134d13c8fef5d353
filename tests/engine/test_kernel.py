"""The compiled kernel gives what the one in numpy gives, and touches no memory but that of its arrays."""

import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from htxsearch.engine.whoosh.kernel import Docs, Frequencies, Kernel, NumpyKernel, TermPostings, fastest_kernel

NUMPY = NumpyKernel()


def compiled() -> Kernel:
    kernel = fastest_kernel()
    if isinstance(kernel, NumpyKernel):
        pytest.skip("no compiler was there at installation")
    return kernel


@pytest.fixture(params=["compiled", "numpy"])
def kernel(request: pytest.FixtureRequest) -> Kernel:
    return NUMPY if request.param == "numpy" else compiled()


def some_postings(rng: random.Random, size: int, count: int) -> TermPostings:
    docs: Docs = np.array(sorted(rng.sample(range(size), count)), np.uint32)
    kind = rng.choice([np.uint8, np.uint16, np.uint32])
    tf: Frequencies = np.array([rng.randint(1, 9) for _ in docs], kind)
    return rng.choice([0.5, 1.0]), docs, tf, np.array([rng.choice([0.6, 0.9, 1.4]) for _ in range(size)])


def groups_of(rng: random.Random, size: int) -> list[tuple[tuple[TermPostings, ...], float, float]]:
    """Return groups in the order of what they can add."""
    found = []
    for _ in range(rng.randint(1, 6)):
        postings = tuple(some_postings(rng, size, rng.randint(1, size)) for _ in range(rng.choice([1, 1, 2, 3])))
        factor = rng.choice([0.1, 1.0, 4.0])
        found.append((postings, factor, factor))  # a part is at most 1
    return sorted(found, key=lambda group: -group[2])


@pytest.mark.parametrize("seed", range(20))
def test_both_kernels_add_the_same(seed: int) -> None:
    rng = random.Random(seed)
    size = rng.choice([1, 9, 300])
    (postings, factor, _), *_ = groups_of(rng, size)
    start = np.array([rng.random() for _ in range(size)])
    sums, best = [start.copy(), start.copy()], np.zeros(size)
    most = [one.add(scores, best, postings, factor) for one, scores in zip((compiled(), NUMPY), sums, strict=True)]
    np.testing.assert_allclose(sums[0], sums[1], rtol=1e-13)
    assert most[0] == pytest.approx(most[1])
    assert not best.any()


@pytest.mark.parametrize("seed", range(40))
def test_the_best_are_those_of_adding_everything(kernel: Kernel, seed: int) -> None:
    rng = random.Random(seed)
    size, limit = rng.choice([5, 300, 2000]), rng.choice([1, 3, 50])
    groups = groups_of(rng, size)
    base = np.array([rng.choice([0.0, 0.0, rng.random()]) for _ in range(size)]) if seed % 2 else np.zeros(size)
    preferred = rng.choice([0.0, 0.5])
    everything = base.copy()
    for postings, factor, _ in groups:
        NUMPY.add(everything, np.zeros(size), postings, factor)
    docs, scores, most = kernel.top(base.copy(), not base.any(), groups, limit, preferred)
    found = dict(zip(np.frombuffer(docs, np.int64).tolist(), np.frombuffer(scores).tolist(), strict=True))
    least = sorted(everything.tolist())[-min(limit, size)] - preferred
    needed = [doc for doc, score in enumerate(everything.tolist()) if score > 0 and score >= least]
    assert set(needed) <= set(found)
    assert found == pytest.approx({doc: everything[doc] for doc in found})
    assert len(most) == len(groups)
    assert all(part <= 1 for part in most)


def test_common_terms_are_looked_up_for_few_documents() -> None:
    size = 4000
    norm = np.ones(size)
    rare: TermPostings = (1.0, np.array([7, 3000], np.uint32), np.array([3, 2], np.uint8), norm)
    common: TermPostings = (1.0, np.arange(size, dtype=np.uint32), np.ones(size, np.uint8), norm)
    docs, scores, most = compiled().top(np.zeros(size), True, [((rare,), 9.0, 9.0), ((common,), 0.1, 0.1)], 2, 0.0)
    assert sorted(zip(np.frombuffer(docs, np.int64).tolist(), np.frombuffer(scores).round(6).tolist(), strict=True)) == [
        (7, round(9 * 3 / 4 + 0.05, 6)),
        (3000, round(9 * 2 / 3 + 0.05, 6)),
    ]
    assert most[1] == -1.0  # it was not added to all of its documents


def test_levels(kernel: Kernel) -> None:
    starts = np.array([0, 2, 2, 5], np.intp)
    passages = np.array([1.0, 3.0, -2.0, 0.5, 0.25])
    articles = np.full(3, -1.0)
    kernel.max_of_runs(articles, starts, passages)
    assert articles.tolist() == [3.0, -1.0, 0.5]
    kernel.add_to_runs(np.array([1.0, 9.0, 0.0]), starts, passages)
    assert passages.tolist() == [2.0, 4.0, -2.0, 0.5, 0.25]


def test_the_nth_greatest(kernel: Kernel) -> None:
    values = np.array([random.Random(4).random() for _ in range(1001)])
    for n in (1, 2, 10, 1001):
        assert kernel.nth_greatest(values, n, -1.0) == sorted(values)[-n]
    assert kernel.nth_greatest(values, 1002, -1.0) == -1.0
    assert kernel.nth_greatest(np.zeros(0), 1, 0.5) == 0.5


def out_of_range(last: int) -> TermPostings:
    return 1.0, np.array([0, last], np.uint32), np.ones(2, np.uint8), np.ones(4)


@pytest.mark.parametrize("last", [4, 2**31, 2**32 - 1])
@pytest.mark.parametrize("several", [False, True])
def test_a_document_out_of_range_is_refused(kernel: Kernel, last: int, several: bool) -> None:
    postings = [out_of_range(last)] * (2 if several else 1)
    with pytest.raises(IndexError):
        kernel.add(np.zeros(4), np.zeros(4), postings, 1.0)
    with pytest.raises(IndexError):
        kernel.top(np.zeros(4), True, [(postings, 1.0, 1.0)], 1, 0.0)


def test_the_compiled_kernel_refuses_arrays_of_other_kinds() -> None:
    one = compiled()
    weight, docs, tf, norm = out_of_range(1)
    wrong: list[tuple[Callable[[], Any], type[Exception]]] = [
        (lambda: one.add(np.zeros(4, np.float32), np.zeros(4), [(weight, docs, tf, norm)], 1.0), TypeError),
        (lambda: one.add(np.zeros(4), np.zeros(3), [(weight, docs, tf, norm)], 1.0), ValueError),
        (lambda: one.add(np.zeros(5), np.zeros(5), [(weight, docs, tf, norm)], 1.0), ValueError),
        (lambda: one.add(np.zeros(4), np.zeros(4), [(weight, docs, tf[:1], norm)], 1.0), TypeError),
        (lambda: one.add(np.zeros(4), np.zeros(4), [(weight, docs.astype(np.uint64), tf, norm)], 1.0), TypeError),
        (lambda: one.add(np.zeros(4), np.zeros(4), 3, 1.0), TypeError),  # type: ignore[arg-type]
        (lambda: one.top(np.zeros(4), True, [], 0, 0.0), ValueError),
        (lambda: one.top(np.zeros(4), True, [], 2**61, 0.0), ValueError),
        (lambda: one.nth_greatest(np.zeros(4), 0, 0.0), ValueError),
        (lambda: one.nth_greatest(np.zeros(4), 2**61, 0.0), ValueError),
        (lambda: one.max_of_runs(np.zeros(2), np.array([0, 3, 2], np.intp), np.zeros(2)), ValueError),
        (lambda: one.max_of_runs(np.zeros(2), np.array([0, 2], np.intp), np.zeros(2)), ValueError),
    ]
    for call, error in wrong:
        with pytest.raises(error):
            call()


def test_a_frequency_of_zero_does_not_write_behind_the_end() -> None:
    postings = 1.0, np.zeros(100, np.uint32), np.zeros(100, np.uint8), np.ones(4)
    with pytest.raises(IndexError):
        compiled().top(np.zeros(4), True, [((postings,), 1.0, 1.0)], 1, 0.0)


def table(units: Frequencies, *, first: int = 0, crc: int | None = None) -> Any:
    """Return the columns of a field with two terms, `a` and `b`, and the postings of `b`."""
    terms = sorted([b"a", b"b"], key=zlib.crc32)
    tf = np.arange(1, len(units) + 1, dtype=np.uint8)
    right = zlib.crc32(tf.data, zlib.crc32(units.data)) if crc is None else crc
    is_last = terms[1] == b"b"
    at = [0, 0, len(units)] if is_last else [0, len(units), len(units)]
    return (
        np.array([zlib.crc32(term) for term in terms], np.uint32),
        np.frombuffer(b"".join(terms), np.uint8),
        np.array([0, 1, 2], np.uint32),
        np.array(at, np.uint32),
        np.array([0, right] if is_last else [right, 0], np.uint32),
        units,
        tf,
        bytearray(2),
        first,
    )


def join(tables: list[Any], term: bytes) -> Any:
    kernel = compiled()
    found = kernel.join(kernel.open_tables(tables), term, zlib.crc32(term), zlib.crc32)
    if found is None:
        return None
    docs, tf, most, width = found
    return np.frombuffer(docs, np.uint32).tolist(), np.frombuffer(tf, f"u{width}").tolist(), most


def test_the_postings_of_segments_are_joined() -> None:
    tables = [table(np.array([1, 4], np.uint8)), table(np.array([0, 300, 301], np.uint16), first=10)]
    assert join(tables, b"b") == ([1, 4, 10, 310, 311], [1, 2, 1, 2, 3], 3)
    assert join(tables, b"a") == ([], [], 0)
    assert join(tables, b"c") == ([], [], 0)
    assert join([], b"b") == ([], [], 0)


def test_the_postings_of_a_single_segment_are_the_columns_own() -> None:
    kernel, units = compiled(), np.array([7, 9], np.uint32)
    for first, own in ((0, True), (3, False)):
        found = kernel.join(kernel.open_tables([table(units, first=first)]), b"b", zlib.crc32(b"b"), zlib.crc32)
        assert found is not None
        docs = np.frombuffer(found[0], np.uint32)
        assert docs.tolist() == [7 + first, 9 + first]
        assert np.shares_memory(docs, units) is own


@pytest.mark.parametrize("size", [1, 12, 13, 40, 300])
def test_checksums_of_few_and_of_many_postings(size: int) -> None:
    units = np.arange(size, dtype=np.uint32)
    assert join([table(units)], b"b") == (units.tolist(), [one % 256 for one in range(1, size + 1)], min(size, 255))
    units[size // 2] += 1000
    assert join([table(units, crc=1)], b"b") is None


def test_tables_hold_columns_of_the_right_kinds() -> None:
    columns = list(table(np.array([1], np.uint8)))
    for which, wrong in ((0, np.zeros(2, np.uint64)), (5, np.zeros(1)), (7, b"\0\0"), (6, None)):
        with pytest.raises((TypeError, BufferError, ValueError)):
            compiled().open_tables([(*columns[:which], wrong, *columns[which + 1 :])])
    with pytest.raises(TypeError):
        compiled().open_tables(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="PyCapsule"):
        compiled().join(None, b"b", 1, zlib.crc32)


def test_a_wrong_checksum_is_found_before_the_postings_are_used() -> None:
    assert join([table(np.array([1, 4], np.uint8), crc=1)], b"b") is None


@pytest.mark.parametrize("which", [2, 3])
def test_positions_behind_the_end_are_found(which: int) -> None:
    columns = list(table(np.array([1, 4], np.uint8)))
    columns[which] = np.array([9, 9, 9], np.uint32) if which == 2 else np.array([0, 2**31, 2**31], np.uint32)
    assert join([tuple(columns)], b"b") is None


def packed(documents: list[tuple[list[int], bytes]]) -> bytes:
    return b"".join(np.array(hashes, np.uint32).tobytes() + flags for hashes, flags in documents)


def gather(file: Path, starts: list[int], runs: list[int], counts: list[int]) -> Any:
    with file.open("rb") as opened:
        return compiled().gather(opened.fileno(), *(np.array(values, np.int64) for values in (starts, runs, counts)))


def test_the_tokens_of_articles_are_gathered(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    one = [([1, 2], b"ab"), ([3], b"c"), ([], b""), ([4, 5, 6], b"def")]
    other = [([], b""), ([7], b"g")]
    file.write_bytes(b"head" + packed(one) + packed(other))
    behind = 4 + len(packed(one))
    titles, title_flags, hashes, flags = gather(file, [behind, 4], [2, 4], [0, 1, 2, 1, 0, 3])
    assert np.frombuffer(titles, np.uint32).tolist() == [1, 2]
    assert np.frombuffer(hashes, np.uint32).tolist() == [7, 3, 4, 5, 6]
    assert (title_flags, flags) == (b"ab", b"gcdef")
    assert gather(file, [], [], []) == (b"", b"", b"", b"")


@pytest.mark.parametrize(
    ("starts", "runs", "counts"),
    [
        ([0], [2], [1, 9]),  # behind the end of the file
        ([100], [1], [1]),
        ([0], [0], []),
        ([0], [3], [1, 1]),
        ([0], [2**62], [1, 1]),
        ([0], [1], [-1]),
        ([0], [1], [2**60]),
        ([0, 0], [1], [1]),
        ([0], [3], [1, 1, 1]),
        ([-1], [1], [1]),
    ],
)
def test_tokens_that_cannot_be_are_not_gathered(tmp_path: Path, starts: list[int], runs: list[int], counts: list[int]) -> None:
    file = tmp_path / "tokens"
    file.write_bytes(b"0123456789")
    with pytest.raises(ValueError, match=r"tokens|documents|article"):
        gather(file, starts, runs, counts)


def test_a_file_that_cannot_be_read_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_bytes(b"0123456789")
    with (tmp_path / "tokens").open("ab") as written, pytest.raises(OSError, match="descriptor"):
        compiled().gather(written.fileno(), np.zeros(1, np.int64), np.ones(1, np.int64), np.ones(1, np.int64))


def test_without_a_compiler_segments_join_the_postings() -> None:
    assert NUMPY.open_tables([table(np.array([1], np.uint8))]) is None


def test_a_kernel_of_another_source_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled()
    monkeypatch.setattr("htxsearch.engine.whoosh._kernel.INTERFACE", 1)
    assert isinstance(fastest_kernel(), NumpyKernel)
