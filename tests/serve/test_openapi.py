"""Made-up requests against the OpenAPI document: none ends in 5xx, and every response is as described.

HTXSEARCH_API_CASES=420 .venv/bin/pytest tests/serve/test_openapi.py      # nine addresses: 3,780 cases
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from index.folders import Folders
from starlette.routing import Route

from htxsearch.web.api import ENDPOINTS, Endpoint
from htxsearch.web.app import make_app
from htxsearch.web.openapi import document
from htxsearch.web.openapi_pages import HTML_PAGES
from htxsearch.web.settings import Settings

from .conftest import DEMO, Open
from .process import served

schemathesis = pytest.importorskip("schemathesis", reason="no schemathesis: pip install -e '.[dev]'")
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.core.parameters import ParameterLocation  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
CASES = int(os.environ.get("HTXSEARCH_API_CASES", "15"))


@pytest.fixture(scope="module")
def described(demo_index: Path) -> Iterator[Any]:
    """Return the OpenAPI document of a server over the demo index."""
    with served(demo_index, DEMO, "--rate", "0", "--no-access-log") as server:
        yield schemathesis.openapi.from_url(f"http://127.0.0.1:{server.port}/api/openapi.json")


@pytest.mark.parametrize("address", ["/original", "/feed", "/download", "/facts/download"])
def test_every_file_is_as_described(described: Any, address: str) -> None:
    check(described[address]["GET"], ignores_unknown=True)


@pytest.mark.parametrize("allow_add", [True, False], ids=["adding", "reading"])
def test_every_route_is_described_or_a_page(allow_add: bool) -> None:
    """So that no address is forgotten in the document; and it describes none that there is not."""
    routes = {
        (route.path.replace(":path}", "}"), method.lower())
        for route in make_app(Settings(allow_add=allow_add)).routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = {(path, method) for path, operations in document(allow_add=allow_add)["paths"].items() for method in operations}
    others = {path for path, _ in routes if path.startswith("/static/")} | {"/opensearch.xml", "/robots.txt"}
    others |= {"/api/openapi.json", *HTML_PAGES}
    refusing = set() if allow_add else {("/add", "post"), ("/api/articles", "post")}
    form_of_page = {("/add", "post")}  # its operation for programs is that of /api/articles
    assert routes - described == {(path, method) for path, method in routes if path in others and method == "get"} | (
        {one for one in form_of_page | refusing if one in routes}
    )
    assert described <= routes


EDITOR = {"Authorization": "Bearer " + "e" * 20}
READER = {"Authorization": "Bearer " + "r" * 20}
REFUSALS = [
    ("POST", "/edit", {}, {}, 401),
    ("POST", "/edit", READER, {}, 403),
    ("POST", "/edit", EDITOR, {"id": "no.txt"}, 404),
    ("POST", "/edit", EDITOR, {"no": "id"}, 400),
    ("POST", "/edit", EDITOR, {"id": "00.txt", "seen": "another", "title": "x"}, 409),
    ("POST", "/edit", EDITOR, {"id": "x" * 200_000}, 413),
    ("POST", "/edit", EDITOR | {"Origin": "https://xau.vn"}, {"id": "00.txt"}, 403),
    ("DELETE", "/edit", EDITOR, {}, 405),
    ("POST", "/remove", READER, {"id": "00.txt"}, 403),
    ("POST", "/remove", EDITOR, {}, 415),
    ("POST", "/put-back", READER, {"key": "no"}, 403),
    ("POST", "/login", EDITOR, {"token": "no"}, 401),
    ("POST", "/status", READER, {"action": "reindex"}, 403),
    ("POST", "/status", EDITOR, {"action": "no"}, 400),
    ("GET", "/original?id=no", READER, {}, 404),
    ("GET", "/api/jobs/no", EDITOR, {}, 404),
    ("GET", "/api/jobs/no/events", EDITOR, {}, 404),
    ("GET", "/api/jobs", READER, {}, 403),
    ("GET", "/api/feeds", READER, {}, 403),
    ("GET", "/api/feeds", {}, {}, 401),
]


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the settings of a server for readers and editors."""
    folders = Folders(tmp_path_factory.mktemp("closed"))
    folders.write_some(1)
    folders.update()
    tokens = {"read_token": "r" * 20, "edit_token": "e" * 20}
    return {"index": str(folders.index), "corpus": str(folders.corpus), "allow_add": True, **tokens}


@pytest.mark.parametrize(("method", "address", "headers", "fields", "status"), REFUSALS)
def test_a_refusal_is_described(
    opened: Open,
    closed: dict[str, Any],
    method: str,
    address: str,
    headers: dict[str, str],
    fields: dict[str, str],
    status: int,
) -> None:
    answer = opened(**closed).request(method, address, headers=headers, data=fields or None)
    assert answer.status_code == status, answer.text
    path = address.partition("?")[0].replace("/jobs/no", "/jobs/{id}")
    operations = document(allow_add=True)["paths"][path]
    described = next(iter(operations.values())) if method == "DELETE" else operations[method.lower()]
    assert answer.headers["content-type"].partition(";")[0] in described["responses"][str(status)]["content"]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.name)
def test_every_response_is_as_described(described: Any, endpoint: Endpoint) -> None:
    check(described[f"{endpoint.path}/{{id}}" if endpoint.by_id else endpoint.path]["GET"])


def test_every_response_to_an_addition_is_as_described(tmp_path: Path) -> None:
    """Every accepted request starts a process that indexes; made-up addresses have no host."""
    folders = Folders(tmp_path)
    folders.write_some(3)
    folders.update()
    (tmp_path / "token").write_text("0123456789abcdef", "utf-8")
    token = {"Authorization": "Bearer 0123456789abcdef"}
    options = ("--allow-add", "--token-file", str(tmp_path / "token"), "--rate", "0", "--no-access-log")
    with served(folders.index, folders.corpus, *options) as server:
        address = f"http://127.0.0.1:{server.port}/api/openapi.json"
        check(schemathesis.openapi.from_url(address, headers=token)["/api/articles"]["POST"], headers=token)
        assert not any("Traceback" in line for line in server.said)
    assert {path.name for path in tmp_path.iterdir()} == {"corpus", "index", "token"}


def is_wrong_json(case: Any) -> bool:
    """Return True for a JSON body that the document forbids; in a form a number is text, and the token is always sent."""
    body = case.meta.components.get(ParameterLocation.BODY)
    return case.media_type == "application/json" and body is not None and body.mode.is_negative


def check(operation: Any, *, ignores_unknown: bool = False, **how: Any) -> None:
    """Send requests that the document allows and others that it forbids, and check the responses.

    With `ignores_unknown` a forbidden request may be answered: a page passes over parameters that it does not have.
    """
    modes = schemathesis.GenerationMode

    @given(case=operation.as_strategy(generation_mode=modes.POSITIVE) | operation.as_strategy(generation_mode=modes.NEGATIVE))
    @settings(max_examples=CASES, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def holds(case: Any) -> None:
        may_pass = ignores_unknown or (how and not is_wrong_json(case))
        case.call_and_validate(checks=CHECKS[:-1] if may_pass else CHECKS, timeout=300, **how)

    holds()
