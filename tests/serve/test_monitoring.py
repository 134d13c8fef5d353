"""What a monitor sees: the health of the server, and its metrics in the text format of Prometheus."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from index.folders import Folders, change_manifest

from htxsearch import Index
from htxsearch.indexing.manifest import writer_lock
from htxsearch.web.monitoring import BUCKETS, MEDIA_TYPE, Metrics

from .conftest import DEMO, Open, TestClient

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]

_SAMPLE = re.compile(r'([a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\.)*",?)*)\} (\S+)')


def samples(text: str) -> Samples:
    """Return the samples of a text, without the process; every line must be one of the format, under its own head."""
    found: Samples = {}
    kind = name = ""
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("# HELP "):
            name = line.split()[2]
        elif line.startswith("# TYPE "):
            _, _, typed, kind = line.split()
            assert typed == name
            assert kind in ("counter", "gauge", "histogram")
        else:
            match = _SAMPLE.fullmatch(line)
            assert match is not None, line
            ends = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            assert match[1] in {name + end for end in ends}
            labels = dict(re.findall(r'([a-z]+)="((?:[^"\\]|\\.)*)"', match[2]))
            assert labels.pop("worker").isdigit()
            key = match[1], frozenset(labels.items())
            assert key not in found
            found[key] = float(match[3])
    return found


def scraped(web: TestClient, **headers: str) -> Samples:
    response = web.get("/metrics", headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == MEDIA_TYPE
    assert response.headers["cache-control"] == "no-store"
    return samples(response.text)


def value(found: Samples, name: str, **labels: str) -> float:
    return found[f"htxsearch_{name}", frozenset(labels.items())]


def test_requests_are_counted_by_route_and_status(opened: Open, demo_index: Path) -> None:
    web = opened(index=str(demo_index), corpus=str(DEMO))
    for address in (
        "/api/query?q=chè",
        "/api/query?q=cam",
        "/api/query",
        "/no/such",
        "/no/other",
        "/api/articles/nope",
        "/?q=chè",
    ):
        web.get(address)
    web.post("/api/query")
    found = scraped(web)
    assert value(found, "requests_total", route="/api/query", method="GET", status="200") == 2
    assert value(found, "requests_total", route="/api/query", method="GET", status="400") == 1
    assert value(found, "requests_total", route="/api/query", method="POST", status="405") == 1
    assert value(found, "requests_total", route="/api/articles/{id:path}", method="GET", status="404") == 1
    assert value(found, "requests_total", route="other", method="GET", status="404") == 2, "addresses of others are endless"
    assert value(found, "requests_total", route="/", method="GET", status="200") == 1
    buckets = [
        value(found, "request_duration_seconds_bucket", route="/api/query", le=f"{bound}") for bound in (*BUCKETS, "+Inf")
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == value(found, "request_duration_seconds_count", route="/api/query") == 4
    assert value(found, "request_duration_seconds_sum", route="/api/query") > 0
    assert value(found, "requests_in_progress") == 1, "this one"
    assert value(scraped(web), "requests_total", route="/metrics", method="GET", status="200") == 1


def test_the_histogram_has_each_request_in_its_bucket() -> None:
    metrics = Metrics()
    for seconds in (0.005, 0.0051, 9.9, 10.0, 11.0):
        metrics.observe("/", "BREW", 200, seconds)
    counts = metrics.latencies["/"].counts
    assert (counts[0], counts[1], counts[-2], counts[-1], sum(counts)) == (1, 1, 2, 1, 5)
    assert metrics.requests == {("/", "other", 200): 5}


def test_process_queue_and_index_are_measured(opened: Open, tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    folders.write_some(3)
    folders.update()
    web = opened(index=str(folders.index), corpus=str(folders.corpus), max_waiting=7)
    found = scraped(web)
    with folders.open() as index:
        info = index.info()
    assert info.reindexed is not None
    assert value(found, "index_up") == value(found, "index_complete") == 1
    assert (value(found, "index_articles"), value(found, "index_passages")) == (3, 3)
    assert value(found, "index_generation") == info.generation
    assert value(found, "last_reindex_timestamp_seconds") == info.reindexed.timestamp()
    assert value(found, "last_reindex_duration_seconds") == info.took_s
    assert {value(found, "queue_limit", thread=name) for name in ("search", "answers", "related")} == {7}
    assert found["process_cpu_seconds_total", frozenset()] > 0
    folders.write("thêm.txt", "Tổ trồng sen")
    folders.update()
    assert value(scraped(web), "index_generation") == info.generation + 1
    (folders.index / "manifest.json").unlink()
    found = scraped(web)
    assert value(found, "index_up") == 0
    assert ("htxsearch_index_generation", frozenset()) not in found


def test_metrics_need_the_token_and_refusals_count(opened: Open, demo_index: Path) -> None:
    web = opened(index=str(demo_index), corpus=str(DEMO), token="0123456789abcdef")
    refused = web.get("/metrics")
    assert (refused.status_code, refused.json()["code"]) == (401, "serve.token-needed")
    assert web.get("/api/query?q=chè").status_code == 401
    found = scraped(web, Authorization="Bearer 0123456789abcdef")
    assert value(found, "requests_total", route="other", method="GET", status="401") == 2


def test_a_busy_index_thread_does_not_hold_up_the_metrics(
    opened: Open, demo_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = opened(index=str(demo_index), corpus=str(DEMO))
    before = scraped(web)
    begun, go_on = Event(), Event()

    def slow(_self: Index, *_: object, **__: object) -> object:
        begun.set()
        go_on.wait(60)
        raise AssertionError

    monkeypatch.setattr(Index, "suggest", slow)
    monkeypatch.setattr("htxsearch.web.monitoring._PATIENCE_S", 0.01)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(web.get, "/api/suggest?q=c")
        begun.wait(60)
        found = scraped(web)
        go_on.set()
    assert value(found, "queue_requests", thread="search") >= 1
    assert value(found, "index_articles") == value(before, "index_articles")


def test_the_openapi_document_has_the_metrics(web: TestClient) -> None:
    operation = web.get("/api/openapi.json").json()["paths"]["/metrics"]["get"]
    assert list(operation["responses"]["200"]["content"]) == [MEDIA_TYPE]


# Health


def health(web: TestClient) -> dict[str, object]:
    response = web.get("/api/health")
    assert response.status_code == 200
    found: dict[str, object] = response.json()
    return found


def test_an_index_that_was_cut_off_is_degraded_not_one_being_written(opened: Open, tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    folders.write_some(3)
    folders.update()
    web = opened(index=str(folders.index), corpus=str(folders.corpus))
    assert health(web)["status"] == "ok"
    change_manifest(folders.index, complete=False)
    degraded = health(web)
    assert (degraded["status"], degraded["live"], degraded["ready"], degraded["complete"]) == ("degraded", True, True, False)
    assert degraded["reasons"] == [
        {"code": "health.incomplete", "detail": "the last reindex was cut off; htxsearch reindex completes it"}
    ]
    (folders.index / "progress.json").write_text('{"done": 1, "total": 3, "percent": 30.0}', "utf-8")
    with writer_lock(folders.index):
        assert health(web)["reasons"] == []
        (folders.index / "last-run.json").unlink()
        assert health(web)["reasons"] == [{"code": "health.indexing", "detail": "the index is being made: 1 of 3 files"}], (
            "it is the first run"
        )


def test_a_crowded_queue_is_degraded(opened: Open, demo_index: Path) -> None:
    web = opened(index=str(demo_index), corpus=str(DEMO), max_waiting=4)
    web.app.state.index_threads.search._waiting += 3  # type: ignore[attr-defined]
    found = health(web)
    assert found["reasons"] == [{"code": "health.queue", "detail": "3 of at most 4 requests are waiting"}]


def test_without_an_index_the_server_is_not_ready(opened: Open, tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    folders.write_some(2)
    web = opened(index=str(folders.index), corpus=str(folders.corpus))
    refused = web.get("/api/health")
    assert (refused.status_code, refused.json()["code"], "retry-after" in refused.headers) == (503, "index.missing", True)
    folders.update()
    assert health(web)["ready"] is True
