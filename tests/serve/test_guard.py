"""Who may ask, how often, from where; and what a browser is told not to do."""

import base64
from pathlib import Path

import pytest

from htxsearch.web.allowance import RateLimiter
from htxsearch.web.security import POLICY

from .conftest import DEMO, Open, TestClient

TOKEN = "một-token-dài".encode().hex()


@pytest.fixture
def closed(opened: Open, demo_index: Path) -> TestClient:
    return opened(index=str(demo_index), corpus=str(DEMO), token=TOKEN)


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"ai:{password}".encode()).decode()


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer x",
        f"Bearer {TOKEN}x",
        f"Token {TOKEN}",
        "Basic !",
        "Basic é",
        basic("x"),
        basic(TOKEN + ":"),
    ],
)
def test_without_the_token_nothing_is_answered(closed: TestClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode()}
    for address in ("/", "/?q=chè", "/api/query?q=chè", "/article?id=x", "/static/style.css", "/api/openapi.json", "/no"):
        answer = closed.get(address, headers=headers)
        assert answer.status_code == 401, address
        assert answer.headers["www-authenticate"].startswith("Basic")
        assert answer.headers["content-security-policy"] == POLICY
    assert closed.get("/api/health").status_code == 200, "whoever watches the server needs no token"


def test_with_the_token_everything_is(closed: TestClient) -> None:
    for header in (f"Bearer {TOKEN}", f"bearer {TOKEN}", basic(TOKEN)):
        assert closed.get("/api/query?q=chè", headers={"Authorization": header}).status_code == 200
        assert closed.get("/", headers={"Authorization": header}).status_code == 200


def test_every_answer_keeps_the_page_to_itself(web: TestClient) -> None:
    for address in ("/", "/?q=chè", "/no", "/api/query?q=chè", "/api/no", "/static/style.css", "/static/script.js"):
        headers = web.get(address).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers
    assert "unsafe" not in POLICY


def test_other_sites_may_read_only_if_named(opened: Open, demo_index: Path) -> None:
    web = opened(index=str(demo_index), corpus=str(DEMO), cors=("https://noi-bo.vn",), token=TOKEN)
    asked = {
        "Origin": "https://noi-bo.vn",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "Authorization",
    }
    assert web.options("/api/query", headers=asked).headers["access-control-allow-origin"] == "https://noi-bo.vn"
    headers = {"Origin": "https://noi-bo.vn", "Authorization": f"Bearer {TOKEN}"}
    answer = web.get("/api/query?q=chè", headers=headers)
    assert answer.headers["access-control-allow-origin"] == "https://noi-bo.vn"
    other = web.get("/api/query?q=chè", headers=headers | {"Origin": "https://xau.vn"})
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:8000", 200),
        ("xau.vn", 421),
        ("127.0.0.1.xau.vn:8000", 421),
        ("", 421),
        ("[::1", 421),
    ],
)
def test_it_answers_only_to_its_names(opened: Open, demo_index: Path, host: str, status: int) -> None:
    web = opened(index=str(demo_index), corpus=str(DEMO), hosts=("localhost", "127.0.0.1", "[::1]"))
    assert web.get("/api/health", headers={"Host": host}).status_code == status


def test_a_client_that_asks_too_often_waits(opened: Open, demo_index: Path) -> None:
    web = opened(index=str(demo_index), corpus=str(DEMO), rate=0.01)
    assert web.get("/api/health").status_code == 200
    refused = web.get("/api/health")
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 90
    assert refused.json()["detail"] == "too many requests; wait a moment"


def test_an_allowance_fills_up_again_for_each_client_apart() -> None:
    now = [0.0]
    allowance = RateLimiter(2, clock=lambda: now[0])
    assert [allowance.take("a") for _ in range(6)] == [0] * 6
    assert allowance.take("a") == pytest.approx(0.5)
    assert allowance.take("b") == 0
    now[0] += 0.5
    assert allowance.take("a") == 0
    assert allowance.take("a") > 0
    now[0] += 1_000
    assert [allowance.take("a") for _ in range(7)].count(0) == 6, "what was not used does not pile up"
    assert all(RateLimiter(0).take("a") == 0 for _ in range(100))


def test_of_many_clients_not_all_are_remembered() -> None:
    allowance = RateLimiter(1)
    for number in range(RateLimiter._KNOWN + 50):
        assert allowance.take(str(number)) == 0
    assert len(allowance._left) == RateLimiter._KNOWN
