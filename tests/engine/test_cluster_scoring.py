"""Scoring only the best by a rough score, on a real cluster: nearly the same best, and counts that say "at least"."""

import random
import struct
from collections.abc import Iterator

import pytest

from htxsearch.engine.contract import AtLeast, Boolean, Node
from htxsearch.engine.opensearch import retrieval
from htxsearch.engine.opensearch.engine import OpenSearchEngine

from .clusters import ClusterIndex
from .documents import any_of, document, hits, phrase, put

pytestmark = pytest.mark.cluster

WORDS = "chè cam lúa vườn đồi ruộng hợp tác xã trồng bán mua giá tấn năm tỉnh huyện dân nước đất".split()


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[OpenSearchEngine, OpenSearchEngine]]:
    """The same 400 articles, scored all, and scored roughly first."""
    index = ClusterIndex()
    chance = random.Random(5)

    def text() -> str:
        return " ".join(chance.choices(WORDS, [1 / (at + 1) for at in range(len(WORDS))], k=chance.randint(5, 40)))

    made = index.engine(shards=2)
    put(made, *(document(f"bài {at:03}", text(), text(), title=text()[:30].strip()) for at in range(400)))
    yield made, OpenSearchEngine(index.cluster, "data-1", rough=True)
    index.remove()


def queries() -> list[Node]:
    chance = random.Random(7)
    found: list[Node] = []
    for at in range(30):
        words = chance.sample(WORDS[3:], 4)
        parts: tuple[Node, ...] = tuple(map(any_of, words))
        found.append(Boolean(should=(*parts, phrase(" ".join(words[:2]))) if at % 3 else parts))
    return found


def test_the_best_ten_are_nearly_always_those_of_exact_scoring(engines: tuple[OpenSearchEngine, OpenSearchEngine]) -> None:
    exact, rough = engines
    same = 0
    for query in queries():
        wanted, found = exact.search(query, limit=10), rough.search(query, limit=10)
        assert (wanted.scored, found.scored) == (None, 200)
        assert (found.total, found.exact) == (wanted.total, True)
        same += len(set(hits(found)) & set(hits(wanted)))
    assert same >= 0.99 * 300


def test_what_is_found_has_its_exact_score(engines: tuple[OpenSearchEngine, OpenSearchEngine]) -> None:
    exact, rough = engines
    for query in queries()[:5]:
        scores = {hit[:2]: hit.score for hit in exact.search(query, limit=400, per_article=False).hits}
        for hit in rough.search(query, limit=20, per_article=False, facets=["year"]).hits:
            assert hit.score == pytest.approx(scores[hit[:2]])


def test_candidates_are_the_articles_with_the_heaviest_features() -> None:
    index = ClusterIndex()
    try:
        engine = index.engine(shards=2)
        vectors = {f"bài {at}": struct.pack(f"<{at}I{at}H", *range(100, 100 + at), *[1] * at) for at in range(6)}
        put(engine, *(document(name, "chè", vector=vector) for name, vector in vectors.items()))
        found = engine.vectors_with({100: 1.0, 103: 0.5, 104: 0.25, 999: 3.0}, 3)
        assert found == [("bài 5", vectors["bài 5"]), ("bài 4", vectors["bài 4"]), (found[2][0], vectors[found[2][0]])]
        assert len(engine.vectors_with({100: 1.0}, 10)) == 5
    finally:
        index.remove()


def test_counts_say_at_least_where_counting_ends(
    engines: tuple[OpenSearchEngine, OpenSearchEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    exact, rough = engines
    query = any_of("chè")
    everything = exact.search(query, limit=1)
    monkeypatch.setattr(retrieval, "_COUNTED", 20)
    found = rough.search(query, limit=1)
    assert (found.exact, found.total < everything.total) == (False, True)
    faceted = rough.search(query, limit=1, facets=["year"])
    assert (faceted.exact, faceted.total) == (True, everything.total)
    monkeypatch.setattr(retrieval, "_NEAR", 30)
    line = AtLeast(query, 0.01)
    near = OpenSearchEngine(exact._cluster, "data-1", rough=True).search(line, limit=0, facets=["place"])
    assert (near.articles, near.exact) == (30, False)
