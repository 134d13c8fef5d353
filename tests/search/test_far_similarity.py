"""Related articles of an engine that is far away: compared exactly, among candidates."""

import random
from collections.abc import Iterable, Mapping

import pytest

from htxsearch.indexing import feature_weights
from htxsearch.indexing.feature_vectors import feature_vector
from htxsearch.indexing.feature_weights import FeatureWeights, fitted, read_feature_weights, updated
from htxsearch.search.related import FarSimilarity, Neighbour, Similarity
from htxsearch.text.analysis import Terms

WORDS = "chè cam lúa vườn đồi ruộng hợp tác xã trồng bán mua giá tấn năm tỉnh huyện dân nước đất".split()
NAMES = ("Thái Nguyên", "Lào Cai", "Hà Giang", "Tân Cương", "Phú Thọ")


def vector(chance: random.Random, own: str) -> bytes:
    syllables = tuple(chance.choices(WORDS, k=40))
    text = f"{' '.join(syllables)} {chance.choice(NAMES)} {own}"
    return feature_vector(own, text, [Terms((own,), ()), Terms((*syllables, own), ("hợp_tác",))])


@pytest.fixture(scope="module")
def vectors() -> list[tuple[str, bytes]]:
    """Each article has a syllable of its own."""
    chance = random.Random(3)
    return [(f"bài {at:02}", vector(chance, f"riêng{at}")) for at in range(60)]


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small collection is one whose vectors are too many to read."""
    monkeypatch.setattr(feature_weights, "MOST_VECTORS", 10)


@pytest.fixture
def weights(vectors: list[tuple[str, bytes]]) -> FeatureWeights:
    return fitted(packed for _, packed in vectors)


def rounded(near: Iterable[Neighbour]) -> list[tuple[object, ...]]:
    names = ("similarity", "subject", "words", "names", "rare", "common", "opening")
    return [(one.article_id, *(round(getattr(one, name), 4) for name in names)) for one in near]


def test_among_all_articles_the_nearest_are_those_of_all_vectors(
    vectors: list[tuple[str, bytes]], weights: FeatureWeights
) -> None:
    near, far = Similarity(vectors, weights), FarSimilarity(lambda _asked, _limit: vectors, weights)
    new = vector(random.Random(99), "lạ")
    for packed, own in [(vectors[5][1], vectors[5][0]), (new, None)]:
        assert rounded(far.nearest(packed, limit=12, leave_out=own)) == rounded(near.nearest(packed, limit=12, leave_out=own))
    assert far.idf([(0, "chè"), (0, "lạ")]) == near.idf([(0, "chè"), (0, "lạ")])


def test_of_candidates_each_is_compared_as_among_all(vectors: list[tuple[str, bytes]], weights: FeatureWeights) -> None:
    asked: list[Mapping[int, float]] = []

    def some(features: Mapping[int, float], limit: int) -> list[tuple[str, bytes]]:
        assert limit >= 40
        asked.append(features)
        return vectors[:20]

    found = FarSimilarity(some, weights).nearest(vectors[3][1], limit=5, leave_out=vectors[3][0])
    everything = {one[0]: one for one in rounded(Similarity(vectors, weights).nearest(vectors[3][1], limit=59))}
    assert [everything[one[0]] for one in rounded(found)] == rounded(found)
    assert len(asked[0]) <= 100
    assert list(asked[0].values()) == sorted(asked[0].values(), reverse=True)


def test_a_text_without_features_is_near_nothing(weights: FeatureWeights) -> None:
    assert FarSimilarity(lambda _asked, _limit: [], weights).nearest(b"", limit=5) == []


def test_the_mean_is_kept_with_the_weights(vectors: list[tuple[str, bytes]], weights: FeatureWeights) -> None:
    class Kept:
        def blob(self, name: str) -> bytes | None:
            return updated(None, 1, (packed for _, packed in vectors)).get(name)

    read = read_feature_weights(Kept())  # type: ignore[arg-type]
    assert read is not None
    assert read.mean is not None
    assert weights.mean is not None
    assert read.mean.tolist() == weights.mean.tolist()
    assert read.mean_square == pytest.approx(weights.mean_square)
