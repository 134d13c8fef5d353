"""Commits to a cluster: claimed first, visible as a whole or not at all; on a cluster in a dictionary."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from opensearchpy import exceptions

from htxsearch.engine.opensearch.address import parse_address
from htxsearch.engine.opensearch.blobs import parts_of
from htxsearch.engine.opensearch.catalog import ClusterCatalog
from htxsearch.engine.opensearch.engine import OpenSearchEngine
from htxsearch.engine.opensearch.state import StateStore
from htxsearch.errors import HtxError, IndexBusy, IndexMissing, IndexNotReadable, IndexNotWritable, UsageError

from .documents import document, put
from .fake_cluster import FakeCluster


@pytest.fixture
def fake() -> FakeCluster:
    return FakeCluster()


def opened(fake: FakeCluster, *, create: bool = False, lease_s: float = 0.0) -> OpenSearchEngine:
    """Return an engine; a writer that says nothing counts as dead at once."""
    return OpenSearchEngine(fake.connected(), "data-1", create=create, lease_s=lease_s)


def articles(fake: FakeCluster) -> list[str]:
    """Return what a reader that has just come sees."""
    return opened(fake).article_ids()


class Killed(BaseException):
    """Ends a writer as kill -9 would: it does nothing any more."""


def kill_at(fake: FakeCluster, is_there: Callable[[str, str, Any], bool]) -> None:
    """End the process that sends a request, and all it sends after it."""
    is_dead = False

    def before(method: str, path: str, body: Any) -> None:
        nonlocal is_dead
        is_dead = is_dead or is_there(method, path, body)
        if is_dead:
            raise Killed

    fake.before = before


def is_commit(method: str, path: str, body: Any) -> bool:
    """Return True for the request that makes a commit visible."""
    return method == "PUT" and "state@" in path and body["state"]["generation"] == body["state"]["claimed"] > 0


def test_a_commit_is_there_for_whoever_comes_and_whoever_refreshes(fake: FakeCluster) -> None:
    engine = opened(fake, create=True)
    reader = opened(fake)
    put(engine, document("a", "chè"), blobs={"x": b"1" * 10})
    assert (reader.article_ids(), reader.blob("x")) == ([], None)
    reader.refresh()
    assert (reader.article_ids(), reader.blob("x"), articles(fake)) == (["a"], b"1" * 10, ["a"])


def test_a_reader_at_the_commit_before_still_has_what_a_commit_replaced(fake: FakeCluster) -> None:
    engine = opened(fake, create=True)
    put(engine, document("a", "chè"), blobs={"x": b"1"})
    reader = opened(fake)
    put(engine, document("b", "cam"), delete=["a"], blobs={"x": b"2"})
    assert (reader.article_ids(), reader.blob("x")) == (["a"], b"1")


@pytest.mark.parametrize(
    "moment",
    [
        lambda _method, path, _body: path == "/_bulk",
        lambda _method, path, _body: path.endswith("_refresh"),
        is_commit,
    ],
    ids=["before it writes", "before it refreshes", "before it commits"],
)
def test_of_a_writer_that_is_killed_nothing_becomes_visible(fake: FakeCluster, moment: Callable[..., bool]) -> None:
    put(opened(fake, create=True), document("a", "chè"), blobs={"x": b"1"})
    writer = opened(fake).writer()
    writer.replace(document("a", "cam"))
    writer.replace(document("của kẻ chết", "cam"))
    kill_at(fake, moment)
    with pytest.raises(Killed):
        writer.commit({"x": b"2"})
    fake.before = lambda *_: None
    assert articles(fake) == ["a"]
    after = opened(fake)
    put(after, document("b", "chanh"), blobs={"x": b"3"})
    assert (articles(fake), opened(fake).blob("x")) == (["a", "b"], b"3")
    assert len(fake.indices["bai-data-1"]) == 2, "the rest of the dead writer was swept"
    assert "cam" not in [word["_source"]["term"] for word in fake.indices["bai-data-1-words"].values()]


def test_a_writer_that_wakes_up_late_commits_nothing(fake: FakeCluster) -> None:
    put(opened(fake, create=True), document("a", "chè"))
    late = opened(fake).writer()
    late.replace(document("muộn", "cam"))
    stepped_in = False

    def step_in(method: str, path: str, body: Any) -> None:
        nonlocal stepped_in
        if is_commit(method, path, body) and not stepped_in:
            stepped_in = True
            put(opened(fake), document("b", "chanh"))

    fake.before = step_in
    with pytest.raises(IndexBusy):
        late.commit({})
    assert stepped_in
    assert articles(fake) == ["a", "b"]
    put(opened(fake), document("c", "bưởi"))
    assert articles(fake) == ["a", "b", "c"]


def test_what_a_late_writer_writes_after_the_sweep_stays_invisible(fake: FakeCluster) -> None:
    put(opened(fake, create=True), document("a", "chè"))
    late = opened(fake).writer()
    late.replace(document("muộn", "cam"))
    stepped_in = False

    def step_in(_method: str, path: str, _body: Any) -> None:
        nonlocal stepped_in
        if path == "/_bulk" and not stepped_in:
            stepped_in = True
            put(opened(fake), document("b", "chanh"))

    fake.before = step_in
    with pytest.raises(IndexBusy):
        late.commit({})
    fake.connected().refresh("bai-data-1")
    assert len(fake.refreshed["bai-data-1"]) == 3
    assert articles(fake) == ["a", "b"]
    assert opened(fake).counts().articles == 2


def test_a_writer_that_did_not_see_the_last_commit_is_refused(fake: FakeCluster) -> None:
    first = opened(fake, create=True)
    second = opened(fake)
    put(first, document("a", "chè"))
    with pytest.raises(IndexBusy):
        put(second, document("b", "cam"))
    second.refresh()
    put(second, document("b", "cam"))
    assert articles(fake) == ["a", "b"]


def test_a_writer_waits_for_one_that_is_at_work(fake: FakeCluster) -> None:
    opened(fake, create=True)
    now = 100.0
    store = StateStore(fake.connected(), "bai-state", "data-1", clock=lambda: now)
    store.claim(0, "người thứ nhất", 30.0)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        nonlocal now
        pauses.append(seconds)
        now += 10

    second = store.claim(0, "người thứ hai", 30.0, pause)
    assert len(pauses) == 3
    assert (second.state.claimed, second.state.abandoned) == (2, (1,))


def test_a_commit_whose_answer_is_lost_is_made_all_the_same(fake: FakeCluster) -> None:
    engine = opened(fake, create=True)
    answer = fake.perform_request
    lost = False

    def lose(method: str, url: str, **given: Any) -> Any:
        nonlocal lost
        found = answer(method, url, **given)
        if is_commit(method, url, given.get("body")) and not lost:
            lost = True
            raise exceptions.ConnectionError("N/A", "connection reset", None)
        return found

    fake.perform_request = lose  # type: ignore[method-assign]
    put(engine, document("a", "chè"))
    assert lost
    assert articles(fake) == ["a"]


def test_a_commit_that_fails_leaves_the_next_one_its_place(fake: FakeCluster) -> None:
    engine = opened(fake, create=True, lease_s=1000.0)
    put(engine, document("a", "chè"))

    def refuse(_method: str, path: str, _body: Any) -> None:
        if path.endswith("_refresh"):
            raise exceptions.TransportError(500, "disk full", {})

    fake.before = refuse
    writer = engine.writer()
    writer.replace(document("b", "cam"))
    with pytest.raises(HtxError):
        writer.commit({})
    fake.before = lambda *_: None
    assert articles(fake) == ["a"]
    put(engine, document("c", "cam"))
    assert articles(fake) == ["a", "c"]


def test_a_document_that_is_refused_is_an_error_and_nothing_is_visible(fake: FakeCluster) -> None:
    engine = opened(fake, create=True)
    answer = fake.perform_request

    def refuse(method: str, url: str, **given: Any) -> Any:
        if url == "/_bulk":
            return {"errors": True, "items": [{"index": {"status": 400, "error": {"reason": "immense term"}}}]}
        return answer(method, url, **given)

    fake.perform_request = refuse  # type: ignore[method-assign]
    with pytest.raises(IndexNotWritable) as caught:
        put(engine, document("a", "chè"))
    assert "immense term" in str(caught.value)
    assert articles(fake) == []


def test_what_the_cluster_is_too_busy_for_is_sent_again(fake: FakeCluster) -> None:
    engine = opened(fake, create=True)
    answer = fake.perform_request
    busy = 3

    def refuse(method: str, url: str, **given: Any) -> Any:
        nonlocal busy
        if url == "/_bulk" and busy:
            busy -= 1
            if busy % 2:
                raise exceptions.TransportError(429, "rejected", {})
            found = answer(method, url, **given)
            found["items"][0] = {"index": {"status": 429}}
            return found | {"errors": True}
        return answer(method, url, **given)

    fake.perform_request = refuse  # type: ignore[method-assign]
    put(engine, document("a", "chè"), document("b", "cam"))
    assert busy == 0
    assert articles(fake) == ["a", "b"]


def test_a_large_blob_lies_in_parts_and_an_unchanged_one_is_not_written_again(
    fake: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("htxsearch.engine.opensearch.blobs._LEAST", 10)
    monkeypatch.setattr("htxsearch.engine.opensearch.blobs._MOST", 10)
    engine = opened(fake, create=True)
    others = {"như cũ": b"x", "rỗng": b""}
    for size in (35, 36, 37):
        put(engine, blobs={"dài": bytes(range(size)), **others})
    assert [engine.blob(name) for name in ("dài", "như cũ", "rỗng", "không có")] == [bytes(range(37)), b"x", b"", None]
    stored = [one["_source"]["born"] for one in fake.indices["bai-state"].values() if "born" in one["_source"]]
    # the first three parts and the small blobs; of each of the last two commits the table and the last part
    assert sorted(stored) == [1, 1, 1, 1, 1, 2, 2, 3, 3]


def test_a_commit_writes_of_a_large_blob_what_has_changed(fake: FakeCluster) -> None:
    rows = [f'"bài {at:06}": [{at * 7919 % 10_007}, "Chè {at * 31 % 977}"]' for at in range(60_000)]
    engine = opened(fake, create=True)
    put(engine, blobs={"bảng": ", ".join(rows).encode()})
    rows[30_000:30_000] = ['"bài mới": [1, "Cam"]']
    rows[45_000] = '"bài khác": [2, "Cam"]'
    changed = ", ".join(rows).encode()
    sent: list[int] = []
    fake.before = lambda _method, path, body: sent.append(len(body)) if path == "/_bulk" else None
    put(engine, blobs={"bảng": changed})
    assert engine.blob("bảng") == changed
    assert sum(sent) < len(changed) / 8
    put(engine, blobs={})
    put(engine, blobs={})
    assert not any("born" in one["_source"] for one in fake.indices["bai-state"].values()), "all parts are swept"


@pytest.mark.parametrize("size", [0, 1, 8_192, 8_193, 300_000, 3_000_000])
def test_the_parts_of_a_blob_are_the_blob(size: int) -> None:
    blob = random.Random(size).randbytes(size)
    parts = parts_of(blob)
    assert b"".join(parts) == blob
    assert max(map(len, parts)) <= 1 << 16
    assert all(len(part) >= 1 << 12 for part in parts[:-1])


# Which data is current


def test_the_manifest_names_the_current_data_and_the_former_is_deleted_later(fake: FakeCluster) -> None:
    now = 1000.0
    catalog = ClusterCatalog(fake.connected(), clock=lambda: now)
    assert catalog.manifest() is None
    for data in ("data-1", "data-2"):
        engine = catalog.engine(data, create=True)
        put(engine, document(data, "chè"))
        catalog.publish({"data": data})
        manifest = catalog.manifest()
        assert manifest is not None
        assert catalog.opened(manifest["data"]).article_ids() == [data]
    assert "bai-data-1" in fake.indices, "a reader elsewhere may be at work on it"
    now += 3600
    catalog.publish({"data": "data-2"})
    assert "bai-data-1" not in fake.indices
    assert catalog.opened("data-2").article_ids() == ["data-2"]


def test_data_that_somebody_is_filling_is_not_deleted(fake: FakeCluster) -> None:
    catalog = ClusterCatalog(fake.connected())
    for data in ("data-1", "data-2"):
        put(catalog.engine(data, create=True), document(data, "chè"))
    catalog.publish({"data": "data-1"})
    assert "bai-data-2" in fake.indices
    later = ClusterCatalog(fake.connected(), clock=lambda: 1e12)
    later.publish({"data": "data-1"})
    assert "bai-data-2" not in fake.indices


def test_data_of_another_index_are_never_deleted(fake: FakeCluster) -> None:
    ClusterCatalog(fake.connected()).engine("data-1", create=True)
    fake.indices["bai-data-cu-data-1"] = {}
    fake.indices["bai-data-cu-state"] = {}
    ClusterCatalog(fake.connected(), clock=lambda: 1e12).publish({"data": "data-1"})
    assert {"bai-data-cu-data-1", "bai-data-cu-state"} <= fake.indices.keys()
    with pytest.raises(UsageError):
        parse_address("http://localhost:9200/bai-data-cu")


def test_an_open_catalog_sees_each_commit_in_one_request(fake: FakeCluster) -> None:
    catalog = ClusterCatalog(fake.connected())
    engine = catalog.engine("data-1", create=True)
    catalog.publish({"data": "data-1"})
    reading = ClusterCatalog(fake.connected())
    assert reading.manifest() == {"data": "data-1"}
    assert reading.opened("data-1").article_ids() == []
    put(engine, document("a", "chè"))
    before = reading.cluster.requests
    assert reading.manifest() == {"data": "data-1"}
    assert reading.cluster.requests == before + 1
    assert reading.opened("data-1").article_ids() == ["a"]


def test_data_that_is_gone_is_said_to_be_missing(fake: FakeCluster) -> None:
    with pytest.raises(IndexMissing):
        opened(fake)


def test_an_answer_with_a_part_missing_is_an_error(fake: FakeCluster) -> None:
    engine = opened(fake, create=True)
    put(engine, document("a", "chè"))
    answer = fake.perform_request

    def partial(method: str, url: str, **given: Any) -> Any:
        found = answer(method, url, **given)
        return found | {"_shards": {"failed": 1}} if url.endswith("_search") else found

    fake.perform_request = partial  # type: ignore[method-assign]
    with pytest.raises(IndexNotReadable):
        engine.article_ids()
