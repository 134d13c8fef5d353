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

from htxsearch.web.api import ENDPOINTS, Endpoint

from .conftest import DEMO
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


def check(operation: Any, **how: Any) -> None:
    """Send requests that the document allows and others that it forbids, and check the responses."""
    modes = schemathesis.GenerationMode

    @given(case=operation.as_strategy(generation_mode=modes.POSITIVE) | operation.as_strategy(generation_mode=modes.NEGATIVE))
    @settings(max_examples=CASES, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def holds(case: Any) -> None:
        may_pass = how and not is_wrong_json(case)
        case.call_and_validate(checks=CHECKS[:-1] if may_pass else CHECKS, timeout=300, **how)

    holds()
