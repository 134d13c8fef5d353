"""A client of the application over the demo index, and one over a made-up corpus."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from command import DEMO

pytest.importorskip("starlette", reason="the extra `web` is not installed")

from index.folders import Folders
from starlette.testclient import TestClient

from htxsearch.web.app import make_app
from htxsearch.web.settings import Settings

__all__ = ["DEMO", "HOSTILE", "Open", "TestClient"]

Open = Callable[..., TestClient]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Return a function that makes a client of an application with the given settings; unforeseen errors become 500."""
    with ExitStack() as stack:

        def make(**settings: Any) -> TestClient:
            app = make_app(
                Settings(
                    **{
                        "rate": 0.0,
                        "timeout_s": 600.0,
                        "ended_sessions": str(tmp_path / "ended-sessions"),
                        **settings,
                    }
                )
            )
            return stack.enter_context(TestClient(app, raise_server_exceptions=False, follow_redirects=False))

        yield make


@pytest.fixture
def web(opened: Open, demo_index: Path) -> TestClient:
    """Return a client of the demo index."""
    return opened(index=str(demo_index), corpus=str(DEMO))


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></p></bdi><h1>x",
    "{{ 7*7 }} {% raw %} ${x}",
    "javascript:alert(1)",
    "\u202egnp.exe \u2066abc",
    "a\x00b\x1b[31m",
    "'; DROP TABLE x; --",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
    "&lt;b&gt; &amp;amp;",
    "🎉\U0001f468\u200d\U0001f469 e\u0301" + "\u0301" * 200,
    "x" * 30_000,
]


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Return an index of articles whose texts are all hostile."""
    folders = Folders(tmp_path_factory.mktemp("hostile"))
    texts = [text.replace("\x00", "\x01") for text in HOSTILE]  # a NUL is refused when it is read
    rows = [
        {"id": f"{number} {text[:60]}", "title": f"Chè {text}"[:500], "text": f"Giá chè. {text}\n{text}", "source": text[:200],
         "place": text[:200], "author": text[:200], "url": f"javascript:{text[:100]}", "date": "2020-01-01"}
        for number, text in enumerate(texts)
    ]  # fmt: skip
    folders.write_lines("all.jsonl", *rows)
    assert not folders.update().rejected
    return folders
