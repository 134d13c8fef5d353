"""What a search of a large collection asks of a cluster, without a cluster."""

from typing import Any

import pytest

from htxsearch.engine.contract import AtLeast, Boolean, Search
from htxsearch.engine.opensearch import retrieval
from htxsearch.engine.opensearch.address import parse_address
from htxsearch.engine.opensearch.cluster import Cluster
from htxsearch.engine.opensearch.retrieval import Retrieval
from htxsearch.engine.opensearch.together import CollectionStatistics, Together

from .documents import any_of

LENGTHS = {"articles": 1_000_000, "passages": 3_000_000, "syllable": 100_000_000}


class Empty:
    """A transport that keeps the searches of hits that it is sent, and finds nothing."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    def perform_request(self, method: str, url: str, *, params: Any = None, body: Any = None, headers: Any = None) -> Any:
        del method, url, params, headers
        if not body["size"]:  # leaves are counted
            counted = body["aggs"]["passages"]["aggs"]["counts"]["filters"]["filters"]
            buckets = {name: {"doc_count": 5} for name in counted}
            return {"hits": {"hits": []}, "aggregations": {"passages": {"counts": {"buckets": buckets}}}}
        self.bodies.append(body)
        return {"hits": {"hits": []}}


@pytest.fixture
def sent() -> Empty:
    return Empty()


@pytest.fixture
def rough(sent: Empty) -> Retrieval:
    """Retrieval of which only the best by a rough score are scored exactly."""
    together = Together(Cluster(sent, parse_address("https://may/tin")))
    statistics = CollectionStatistics(together, "tin", {"match_all": {}}, LENGTHS)
    return Retrieval(together, "tin", {"match_all": {}}, statistics, lambda _: None, rough=True)


@pytest.mark.parametrize(
    ("offset", "limit", "scored"), [(0, 10, 200), (300, 10, 640), (4_980, 10, 10_000), (9_000, 10, 10_000), (0, 50_000, 10_000)]
)
def test_no_more_is_rescored_than_a_cluster_allows(rough: Retrieval, sent: Empty, offset: int, limit: int, scored: int) -> None:
    [found] = rough.search_many([Search(node=any_of("chè"), offset=offset, limit=limit, count=False)])
    [body] = sent.bodies
    assert body["rescore"]["window_size"] == found.scored == scored
    assert body["size"] <= body["rescore"]["window_size"]


def test_a_line_that_a_search_needs_is_not_forgotten(rough: Retrieval, sent: Empty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrieval, "_LINES_KEPT", 1)
    lines = {word: AtLeast(any_of(word), 1.0) for word in ("chè", "cam", "lúa", "cá")}

    def asked(*words: str) -> int:
        before = len(sent.bodies)
        node = Boolean(should=tuple(lines[word] for word in words))
        rough.search_many([Search(node=node, limit=10, count=False)])
        return len(sent.bodies) - before - 1

    assert asked("chè", "cam") == 2
    assert asked("chè", "lúa") == 1
    assert asked("chè", "lúa") == 0
    assert asked("cá") == 1
    assert (asked("cam"), asked("chè")) == (1, 1)  # the oldest are forgotten
