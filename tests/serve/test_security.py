"""The security middleware: token, host names, rate limit, other sites, and the security headers."""

import base64
from pathlib import Path
from typing import Any

import pytest

from htxsearch.web.security import POLICY, RateLimiter

from .conftest import DEMO, Open, TestClient
from .test_pages import Page

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
    headers: Any = {} if header is None else {"Authorization": header.encode()}
    for address in ("/", "/?q=chè", "/api/query?q=chè", "/article?id=x", "/api/openapi.json", "/no", "/original?id=x"):
        answer = closed.get(address, headers=headers)
        assert answer.status_code == 401, address
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-security-policy"] == POLICY
    assert closed.get("/api/health").status_code == 200, "monitoring needs no token"


@pytest.mark.parametrize("address", ["/status", "/jobs", "/job", "/add", "/edit", "/removed", "/changes", "/api/jobs"])
def test_editors_pages_are_closed_by_whatever_name(opened: Open, demo_index: Path, address: str) -> None:
    web = opened(index=str(demo_index), corpus=str(DEMO), edit_token=TOKEN, read_token=f"{TOKEN}r", allow_add=True)
    for ending in ("", "%0A", "?lang=en"):
        assert web.get(address + ending).status_code in (401, 404), ending
        reader = web.get(address + ending, headers={"Authorization": f"Bearer {TOKEN}r"})
        assert reader.status_code in (403, 404), ending


def test_where_no_editor_is_left_a_reader_is_none(opened: Open, demo_index: Path, tmp_path: Path) -> None:
    (tmp_path / "tokens.toml").write_text("", "utf-8")
    settings = {"read_token": TOKEN, "tokens_file": str(tmp_path / "tokens.toml"), "allow_add": True}
    web = opened(index=str(demo_index), corpus=str(DEMO), **settings)
    (tmp_path / "tokens.toml").write_text("[[[", "utf-8")
    sent = web.post("/status", data={"action": "rebuild"}, headers={"Authorization": f"Bearer {TOKEN}"})
    assert sent.status_code == 403


def test_with_the_token_everything_is_answered(closed: TestClient) -> None:
    for header in (f"Bearer {TOKEN}", f"bearer {TOKEN}", basic(TOKEN)):
        assert closed.get("/api/query?q=chè", headers={"Authorization": header}).status_code == 200
        assert closed.get("/", headers={"Authorization": header}).status_code == 200


def test_every_response_has_the_security_headers(web: TestClient) -> None:
    for address in ("/", "/?q=chè", "/no", "/api/query?q=chè", "/api/no", "/static/style.css", "/static/script.js"):
        headers = web.get(address).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers
    assert "unsafe" not in POLICY


def test_only_named_origins_may_read(opened: Open, demo_index: Path) -> None:
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
def test_only_known_host_names_are_answered(opened: Open, demo_index: Path, host: str, status: int) -> None:
    web = opened(index=str(demo_index), corpus=str(DEMO), hosts=("localhost", "127.0.0.1", "[::1]"))
    assert web.get("/api/health", headers={"Host": host}).status_code == status


def test_a_client_with_too_many_requests_waits(opened: Open, demo_index: Path) -> None:
    web = opened(index=str(demo_index), corpus=str(DEMO), rate=0.01)
    assert web.get("/api/health").status_code == 200
    refused = web.get("/api/health")
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 90
    assert refused.json()["detail"] == "too many requests; wait a moment"


def test_the_page_of_an_error_that_passes_links_to_what_was_asked_for(opened: Open, demo_index: Path) -> None:
    web = opened(index=str(demo_index), corpus=str(DEMO), rate=1e-6)
    web.get("/robots.txt")
    refused = web.get("/?q=chè&page=2")
    assert refused.status_code == 429
    assert '<a class="button" href="/?q=ch%C3%A8&amp;page=2">' in refused.text
    assert 'class="button" href="/"' in web.get("http://testserver//xau.vn/").text, "no link leads elsewhere"
    assert '<a class="button" href' not in web.post("/logout").text, "what was sent is not sent again by a link"


def test_each_clients_bucket_fills_up_again() -> None:
    now = [0.0]
    limiter = RateLimiter(2, clock=lambda: now[0])
    assert [limiter.take("a") for _ in range(6)] == [0] * 6
    assert limiter.take("a") == pytest.approx(0.5)
    assert limiter.take("b") == 0
    now[0] += 0.5
    assert limiter.take("a") == 0
    assert limiter.take("a") > 0
    now[0] += 1_000
    assert [limiter.take("a") for _ in range(7)].count(0) == 6, "unused tokens do not pile up"
    assert all(RateLimiter(0).take("a") == 0 for _ in range(100))


def test_only_the_last_clients_are_kept() -> None:
    limiter = RateLimiter(1)
    for number in range(RateLimiter._MAX_CLIENTS + 50):
        assert limiter.take(str(number)) == 0
    assert len(limiter._buckets) == RateLimiter._MAX_CLIENTS


@pytest.mark.parametrize(
    ("settings", "headers", "status", "texts"),
    [
        ({"token": TOKEN}, {}, 401, {"vi": "Nhập mã truy cập", "en": "Enter the token"}),
        ({"hosts": ("localhost",)}, {}, 421, {"vi": "không mang tên miền đó", "en": "unknown host name"}),
        ({"rate": 0.001}, {}, 429, {"vi": "quá nhiều yêu cầu", "en": "too many requests"}),
    ],
)
def test_a_refusal_is_a_page_in_its_language_and_problem_details_for_the_api(
    opened: Open, demo_index: Path, settings: dict[str, object], headers: dict[str, str], status: int, texts: dict[str, str]
) -> None:
    web = opened(index=str(demo_index), corpus=str(DEMO), **settings)
    web.get("/", headers=headers)  # takes the only token of the bucket
    for language, text in texts.items():
        answer = web.get(f"/?q=chè&lang={language}", headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
        page = Page(answer.text)
        assert page.all("html") == [{"lang": language}]
        assert text in page.shown()
        assert answer.headers["content-security-policy"] == POLICY
    answer = web.get("/api/query?q=chè", headers=headers)
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert (problem["status"], problem["code"].partition(".")[0]) == (status, "serve")
    assert ("authentication required" if status == 401 else texts["en"]) in problem["detail"]
    assert web.head("/api/query?q=chè", headers=headers).status_code == status
