"""The API: its JSON is what the command line prints, and its problems have the library's messages and codes."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from command import DEMO, htxsearch
from index.folders import Folders

from htxsearch import Index
from htxsearch.errors import HtxError
from htxsearch.query.filters import FACETS
from htxsearch.web.api import ENDPOINTS
from htxsearch.web.openapi import document

from .conftest import Open, TestClient

REPRINTED = "trang-tong-hop/nam-dam-lam-du-lich.txt"
ARTICLE = "thai-nguyen/hop-tac-xa-che-tan-cuong.txt"


def untimed(found: dict[str, Any]) -> dict[str, Any]:
    assert found.pop("took_ms") >= 0
    return found


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/api/query?q=hop tac xa che", ["query", "hop tac xa che"]),
        (
            "/api/query?q=chè&place=Thái Nguyên&since=2019&facet=year&facet=place&limit=3&offset=1&sort=date",
            [
                "query",
                "chè",
                "--place",
                "Thái Nguyên",
                *"--since 2019 --facet year --facet place -n 3".split(),
                "--offset=1",
                "--sort=date",
            ],
        ),
        ("/api/query?q=KTTT&explain=true&all_passages=true", "query KTTT --explain --all-passages".split()),
        ("/api/query?q=hopwj tacs xax", ["query", "hopwj tacs xax"]),
        (f"/api/articles/{ARTICLE}", ["show", ARTICLE]),
        ("/api/ask?q=Thái Nguyên có bao nhiêu hợp tác xã?&limit=2", ["ask", "Thái Nguyên có bao nhiêu hợp tác xã?", "-n", "2"]),
        ("/api/ask?q=zzz&since=2019", ["ask", "zzz", "--since", "2019"]),
        (f"/api/related/{ARTICLE}?limit=4", ["related", ARTICLE, "-n", "4"]),
        ("/api/query?q=du lịch cộng đồng&all_reprints=true", ["query", "du lịch cộng đồng", "--all-reprints"]),
        (f"/api/articles/{REPRINTED}?reprints=true&dropped=true", ["show", REPRINTED, "--reprints", "--dropped"]),
        ("/api/facts?q=so htx&limit=5", ["facts", "so htx", "-n", "5"]),
        (
            "/api/facts?place=Bắc Giang&since=2022&until=2024&status=actual&status=target&unit=HTX",
            [
                *("facts", "--place", "Bắc Giang", "--since", "2022", "--until", "2024"),
                *("--status", "actual", "--status", "target", "--unit", "HTX"),
            ],
        ),
        (f"/api/facts?article={ARTICLE}&limit=1", ["facts", "--article", ARTICLE, "-n", "1"]),
        ("/api/facts?q=số HTX&view=series&limit=100", ["facts", "số HTX", "--series"]),
        ("/api/facts?q=doanh thu&view=conflicts&limit=100", ["facts", "doanh thu", "--conflicts"]),
        ("/api/facts?q=thành viên&view=indicators&limit=100", ["facts", "thành viên", "--indicators"]),
    ],
)
def test_the_json_is_what_the_command_line_prints(
    web: TestClient, demo_index: Path, tmp_path: Path, address: str, words: list[str]
) -> None:
    (tmp_path / "corpus").symlink_to(DEMO)
    (tmp_path / "index").symlink_to(demo_index)
    done = htxsearch(*words, "--json", cwd=tmp_path)
    printed, answer = json.loads(done.stdout), web.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    if "took_ms" in printed:
        assert list(answer.json()) == list(printed), "in the same order, too"
        assert untimed(answer.json()) == untimed(printed)
    else:
        assert answer.json() == printed


@pytest.mark.parametrize(
    ("address", "status", "asked"),
    [
        ('/api/query?q="chè&strict=true', 400, lambda index: index.search('"chè', strict=True)),
        ("/api/query?q= ", 400, lambda index: index.search(" ")),
        ("/api/query?q=chè (&strict=true", 400, lambda index: index.search("chè (", strict=True)),
        ("/api/query?q=giá:chè&strict=true", 400, lambda index: index.search("giá:chè", strict=True)),
        ("/api/query?q=chè&since=hôm kia", 400, lambda index: index.search("chè", since="hôm kia")),
        ("/api/query?q=chè&since=2020&until=2019", 400, lambda index: index.search("chè", since="2020", until="2019")),
        ("/api/query?q=chè&place=...", 400, lambda index: index.search("chè", place="...")),
        (f"/api/query?q={'chè ' * 600}&strict=true", 400, lambda index: index.search("chè " * 600, strict=True)),
        ("/api/articles/no-such", 404, lambda index: index.show("no-such")),
        ("/api/articles/thai-nguyen/che.txt", 404, lambda index: index.show("thai-nguyen/che.txt")),
        ("/api/related/no-such", 404, lambda index: index.related("no-such")),
        ("/api/facts?article=no-such", 404, lambda index: index.facts(article="no-such")),
        ("/api/facts?q=HTX&since=2020&until=2019", 400, lambda index: index.facts("HTX", since="2020", until="2019")),
    ],
)
def test_problems_carry_the_message_of_the_library(web: TestClient, demo: Index, address: str, status: int, asked: Any) -> None:
    with pytest.raises(HtxError) as raised:
        asked(demo)
    answer = web.get(address)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["detail"] == str(raised.value)
    assert (problem["error"], problem["code"]) == (type(raised.value).__name__, raised.value.code)
    assert problem["status"] == status
    assert "Traceback" not in answer.text


def test_a_query_syntax_error_has_the_column(web: TestClient) -> None:
    problem = web.get("/api/query", params={"q": 'chè "xanh', "strict": "true"}).json()
    assert (problem["reason"], problem["query"], problem["column"]) == ("this quotation mark is never closed", 'chè "xanh', 4)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("/api/query", "q is missing: what to look for, in the query language"),
        ("/api/query?q=a&q=b", "q is given 2 times; give it once"),
        ("/api/query?q=a&color=red", "there is no parameter 'color'; there are q, place"),
        ("/api/query?q=a&limit=0", "limit must be a number between 1 and 100, not '0'"),
        ("/api/query?q=a&limit=101", "limit must be a number between 1 and 100, not '101'"),
        ("/api/query?q=a&limit=٣", "limit must be a number between 1 and 100, not '٣'"),
        (f"/api/query?q=a&offset={'9' * 5000}", "offset must be a number between 0 and 10,000, not '9999"),
        ("/api/query?q=a&sort=size", "sort must be one of score, date, not 'size'"),
        ("/api/query?q=a&facet=color", f"facet must be one of {', '.join(FACETS)}, not 'color'"),
        ("/api/query?q=a&explain=1", "explain must be true or false, not '1'"),
        (f"/api/query?q=a&place={'x' * 300}", "place has 300 characters; at most 200 are allowed"),
        (f"/api/query?q={'a' * 20_001}", "q has 20,001 characters; at most 20,000 are allowed"),
        (f"/api/query?q=a{'&facet=year' * 21}", "facet is given 21 times; at most 20 are allowed"),
        ("/api/facts?view=table", "view must be one of facts, series, conflicts, indicators, not 'table'"),
        ("/api/facts?status=done", "status must be one of actual, target, change, estimate, other, not 'done'"),
        ("/api/facts?limit=101", "limit must be a number between 1 and 100, not '101'"),
        ("/api/facts?words=HTX", "there is no parameter 'words'; there are q, place"),
        ("/api/facts?since=hôm kia", "since 'hôm kia' is no date; write 2019"),
        ("/api/facets?place=Huế", "q is missing: place, source, since and until narrow a query"),
        (f"/api/articles/{'x' * 2000}", "id has 2,000 characters; at most 1,000 are allowed"),
        ("/api/health?q=1", "there is no parameter 'q'; this address takes none"),
    ],
)
def test_invalid_parameters_are_refused(web: TestClient, address: str, message: str) -> None:
    answer = web.get(address)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(message)
    assert len(answer.content) < 1_000, "a long value is quoted shortened"


def test_facets_suggest_and_health(web: TestClient, demo: Index) -> None:
    facets = web.get("/api/facets?q=chè").json()
    found = demo.search("chè", facets=FACETS)
    assert facets == {"query": "chè", "total": found.total, "facets": {name: dict(one) for name, one in found.facets.items()}}
    everything = web.get("/api/facets").json()
    assert everything["facets"]["place"] == dict(demo.info().places)
    assert everything["total"] == demo.info().articles
    suggested = web.get("/api/suggest?q=hop tac x&limit=3").json()
    assert suggested["suggestions"] == [one.as_json() for one in demo.suggest("hop tac x", limit=3)]
    assert suggested["suggestions"][0]["text"] == "hợp tác xã"
    assert suggested["suggestions"][0]["articles"] == 26
    assert web.get("/api/suggest?q=").json()["suggestions"] == []
    health = web.get("/api/health")
    assert health.json() | {"version": "", "reindexed": ""} == {
        "status": "ok",
        "live": True,
        "ready": True,
        "reasons": [],
        "articles": demo.counts().articles,
        "passages": demo.counts().passages,
        "complete": True,
        "indexing": None,
        "reindexed": "",
        "version": "",
    }
    assert health.headers["cache-control"] == "no-store"


def test_an_original_that_is_gone_is_409(opened: Open, tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    path = folders.write("a.txt", "Chè xanh")
    folders.update()
    path.unlink()
    web = opened(index=str(folders.index), corpus=str(folders.corpus))
    answer = web.get("/api/articles/a.txt?dropped=true")
    assert (answer.status_code, answer.json()["error"]) == (409, "CorpusError")
    assert web.get("/dropped?id=a.txt").status_code == 409
    assert web.get("/api/articles/a.txt").status_code == 200


def test_nothing_else_is_served(web: TestClient) -> None:
    for address in ("/api", "/api/", "/api/none", "/api/query/more", "/static/../app.py", "/static/style.css/x", "/etc/passwd"):
        answer = web.get(address)
        assert answer.status_code == 404, address
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = web.request(method, "/api/query?q=chè", content=b"x" * 100_000)
        assert answer.status_code == 405
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["allow"]
    assert web.head("/api/query?q=chè").status_code == 200


def test_no_path_reaches_the_file_system(opened: Open, tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    folders.write("chè.txt", "Chè xanh")
    folders.update()
    (tmp_path / "secret.txt").write_text("Bí mật\nKhông ai được đọc.", "utf-8")
    web = opened(index=str(folders.index), corpus=str(folders.corpus))
    for name in (
        "../secret.txt",
        "%2e%2e/secret.txt",
        "..%2Fsecret.txt",
        f"/{tmp_path}/secret.txt",
        "chè.txt%00",
        "%2Fchè.txt",
    ):
        for what in ("articles", "related"):
            answer = web.get(f"/api/{what}/{name}")
            assert answer.status_code == 404, name
            assert "Không ai" not in answer.text


def test_ids_of_any_kind_can_be_asked_for(opened: Open, tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    ids = ["a b", "a?b", "a#b", "a%b", "đường/dẫn", "../x", "http://x.vn/1?a=b&c", "<script>", "\u202ex", "x" * 900]
    folders.write_lines("all.jsonl", *({"id": one, "title": f"Bài {at}", "text": "Chè."} for at, one in enumerate(ids)))
    folders.update()
    web = opened(index=str(folders.index), corpus=str(folders.corpus))
    for one in folders.ids():
        answer = web.get(f"/api/articles/{quote(one, safe='')}")
        assert answer.status_code == 200, one
        assert answer.json()["article_id"] == one
        assert web.get("/article", params={"id": one}).status_code == 200


@pytest.mark.parametrize("damage", ["missing", "outdated", "damaged"])
def test_an_unreadable_index_is_503_until_it_is_repaired(opened: Open, tmp_path: Path, damage: str) -> None:
    folders = Folders(tmp_path)
    folders.write("a.txt", "Chè xanh")
    web = opened(index=str(folders.index), corpus=str(folders.corpus))
    if damage != "missing":
        folders.update()
        manifest = folders.index / "manifest.json"
        manifest.write_text("{}" if damage == "outdated" else "{", "utf-8")
    for address in ("/api/query?q=chè", "/api/health", "/api/related/a.txt", "/?q=chè", "/"):
        answer = web.get(address)
        assert answer.status_code == 503, address
        assert answer.headers["retry-after"] == "1"
    assert "htxsearch reindex" in web.get("/api/health").json()["detail"]
    folders.update(rebuild=True)
    assert web.get("/api/query?q=chè").json()["total"] == 1


def test_an_unforeseen_failure_is_500_without_a_trace(web: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(Index, "search", fail)
    for address in ("/api/query?q=chè", "/?q=chè"):
        answer = web.get(address)
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert "RuntimeError" not in answer.text
    assert web.get("/api/query?q=chè").json()["title"] == "Internal Server Error"


def test_every_operation_is_described_with_what_any_request_may_get() -> None:
    operations = [one for path in document(allow_add=True)["paths"].values() for one in path.values()]
    assert len(operations) > len(ENDPOINTS) + 4, "those that add and measure, jobs, files and forms"
    assert all({"401", "405", "421", "429", "500", "503"} <= one["responses"].keys() for one in operations)


def assert_fits(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> None:
    """Validate a value by a schema of an OpenAPI document, including the formats of texts."""
    validation = pytest.importorskip("jsonschema_rs", reason="no schemathesis: pip install -e '.[dev]'")
    validation.validate(schema | {"components": document["components"]}, value, validate_formats=True)


@pytest.mark.parametrize(
    "address",
    [
        "/api/query?q=chè&explain=true&facet=place&facet=year&facet=source",
        "/api/query?q=zzzz",
        "/api/ask?q=Thái Nguyên có bao nhiêu hợp tác xã?",
        "/api/ask?q=zzzz",
        f"/api/related/{ARTICLE}",
        f"/api/articles/{ARTICLE}",
        f"/api/articles/{REPRINTED}?reprints=true&dropped=true",
        "/api/articles/chinh-sach/chuong-trinh-ho-tro-1804.md",
        "/api/articles?q=chè&limit=2",
        "/api/feeds",
        "/api/facets?q=chè",
        "/api/facets",
        "/api/facts",
        "/api/facts?q=số HTX&view=series",
        "/api/facts?q=doanh thu&view=conflicts",
        "/api/facts?view=indicators",
        "/api/suggest?q=hop",
        "/api/health",
    ],
)
def test_the_openapi_document_describes_the_responses(web: TestClient, address: str) -> None:
    described = web.get("/api/openapi.json").json()
    assert described == json.loads(json.dumps(document()))
    path = "/".join(address.partition("?")[0].split("/")[:3])
    operation = described["paths"].get(f"{path}/{{id}}" if address.count("/") > 2 else path) or {}
    schema = operation["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert_fits(web.get(address).json(), schema, described)


def test_options_names_the_methods_and_long_responses_are_compressed(web: TestClient, opened: Open) -> None:
    answer = web.options("/api/query")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (204, "GET, HEAD, OPTIONS", b"")
    adding = opened(allow_add=True, token="0123456789abcdef")
    allowed = adding.options("/api/articles", headers={"Authorization": "Bearer 0123456789abcdef"}).headers["allow"]
    assert allowed == "GET, HEAD, POST, OPTIONS"
    assert web.delete("/api/query").headers["allow"] == "GET, HEAD"
    assert web.options("/nothing").status_code == 404
    long = web.get("/api/query?q=chè", headers={"Accept-Encoding": "gzip"})
    assert (long.headers["content-encoding"], long.json()["query"]) == ("gzip", "chè")
    assert "content-encoding" not in web.get("/api/query?q=chè", headers={"Accept-Encoding": ""}).headers
