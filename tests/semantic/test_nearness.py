"""How near passages are to a query, and that one who looks sees one state of the files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htxsearch.engine.contract import Forward
from htxsearch.indexing.embeddings import encode_missing
from htxsearch.indexing.vector_store import passage_key
from htxsearch.search.dense import PassageVectors

from .meaning import SyllableEncoder, article, body, drop, engine_of, take_in

TEXTS = {f"{number:03}": body(number, 1) for number in range(120)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("near")
    engine = engine_of(*(article(name, text) for name, text in TEXTS.items()))
    encode_missing(engine, folder, SyllableEncoder())
    return folder


@pytest.fixture(scope="module")
def vectors(folder: Path) -> PassageVectors:
    return opened(folder)


def opened(folder: Path) -> PassageVectors:
    """Return the vectors of an index folder, which are there."""
    vectors = PassageVectors.open(folder, model="âm tiết")
    assert vectors is not None
    return vectors


def exactly(query: np.ndarray) -> dict[str, float]:
    """Return the cosine of every article with the query, in float, unrounded."""
    encoder = SyllableEncoder()
    return {name: float(encoder.query(f"Tin {name}\n{text}") @ query) for name, text in TEXTS.items()}


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), limit=st.integers(1, 130))
def test_the_nearest_are_those_of_brute_force_in_float(vectors: PassageVectors, seed: int, limit: int) -> None:
    query = np.random.default_rng(seed).normal(size=24)
    right = exactly(query / np.linalg.norm(query))
    near = vectors.nearest(query, limit)
    assert len(near) == min(limit, 120)
    assert [one.cosine for one in near] == sorted((one.cosine for one in near), reverse=True)
    assert all(one.cosine == pytest.approx(right[one.article_id], abs=0.01) for one in near)
    worst = min(right[one.article_id] for one in near)
    assert all(value <= worst + 0.02 for name, value in right.items() if name not in {one.article_id for one in near})


def test_similarities_are_cosines_and_nothing_where_there_is_no_vector(vectors: PassageVectors) -> None:
    query = SyllableEncoder().query("ong rừng cho mật")
    near = vectors.nearest(query, 5)
    keys = [near[3].key, bytes(16), near[0].key, near[3].key, b"\xff" * 16]
    found = vectors.similarities(keys, query * 7)
    assert found[[0, 2, 3]] == pytest.approx([near[3].cosine, near[0].cosine, near[3].cosine])
    assert np.isnan(found[[1, 4]]).all()
    assert found.dtype == np.float64
    assert len(vectors.similarities([], query)) == 0


def test_a_text_is_nearest_to_itself_with_a_cosine_of_one(vectors: PassageVectors) -> None:
    (best,) = vectors.nearest(SyllableEncoder().query(f"Tin 007\n{TEXTS['007']}"), 1)
    assert (best.article_id, best.passage) == ("007", 0)
    assert best.cosine == pytest.approx(1, abs=1e-3)
    assert best.cosine <= 1


def test_ties_are_by_article_and_number_at_any_limit(tmp_path: Path) -> None:
    engine = engine_of(*(article(name, f"{name}. Bà con trồng chè.", "") for name in "dbca"))

    class Deaf(SyllableEncoder):
        def passages(self, texts: Sequence[str]) -> np.ndarray:
            return np.tile(self.query("trồng chè"), (len(texts), 1))

    encode_missing(engine, tmp_path, Deaf())
    vectors = opened(tmp_path)
    for limit in range(5):
        assert [one.article_id for one in vectors.nearest(Deaf().query("chè"), limit)] == list("abcd")[:limit]


def test_vectors_without_a_place_do_not_take_the_place_of_others(tmp_path: Path) -> None:
    engine = engine_of(*(article(name, TEXTS[name]) for name in sorted(TEXTS)[:20]))
    encode_missing(engine, tmp_path, SyllableEncoder())
    query = SyllableEncoder().query("lúa ngô")
    order = [one.article_id for one in opened(tmp_path).nearest(query, 20)]
    drop(engine, *order[:9])  # the very nearest
    encode_missing(engine, tmp_path, SyllableEncoder())
    vectors = opened(tmp_path)
    assert len(vectors) == 20
    assert [one.article_id for one in vectors.nearest(query, 2)] == order[9:11]
    assert [one.article_id for one in vectors.nearest(query, 99)] == order[9:]


def test_one_who_opened_the_vectors_keeps_them_and_can_tell_that_there_are_others(tmp_path: Path) -> None:
    engine = engine_of(article("a", TEXTS["001"]))
    encode_missing(engine, tmp_path, SyllableEncoder())
    before = opened(tmp_path)
    query = SyllableEncoder().query("chè")
    near = before.nearest(query, 9)
    assert before.is_current()
    take_in(engine, article("b", TEXTS["002"]))
    encode_missing(engine, tmp_path, SyllableEncoder())
    assert not before.is_current()
    drop(engine, "a")
    take_in(engine, article("b", TEXTS["003"]))
    encode_missing(engine, tmp_path, SyllableEncoder())  # compacts: another file
    assert before.nearest(query, 9) == near
    assert [one.article_id for one in opened(tmp_path).nearest(query, 9)] == ["b"]


def test_a_zero_query_is_near_to_nothing(vectors: PassageVectors) -> None:
    assert {one.cosine for one in vectors.nearest(np.zeros(24), 3)} == {0.0}


@given(st.binary(max_size=12), st.binary(max_size=12), st.binary(max_size=12), st.binary(max_size=12))
def test_a_key_tells_title_from_passage(title: bytes, passage: bytes, other_title: bytes, other_passage: bytes) -> None:
    keys = {passage_key(Forward(one, b""), Forward(two, b"")) for one, two in ((title, passage), (other_title, other_passage))}
    assert len(keys) == len({(title, passage), (other_title, other_passage)})
    assert all(len(one) == 16 for one in keys)
