"""A client of the application over the demo index, and one over a made-up corpus."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra `web` is not installed")

from starlette.testclient import TestClient

from htxsearch.web.app import make_app
from htxsearch.web.settings import Settings

DEMO = Path(__file__).parent.parent.parent / "corpus"

Open = Callable[..., TestClient]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Return what makes a client of an application with the given settings; what it raises inside is told as 500."""
    with ExitStack() as stack:

        def make(**settings: object) -> TestClient:
            app = make_app(Settings(**({"rate": 0.0, "seconds": 60.0, "patience": 60.0} | settings)))
            return stack.enter_context(TestClient(app, raise_server_exceptions=False, follow_redirects=False))

        yield make


@pytest.fixture
def web(opened: Open, demo_index: Path) -> TestClient:
    """Return a client of the demo index."""
    return opened(index=str(demo_index), corpus=str(DEMO))
