"""Take the pictures of docs/images: a server on the demo corpus, seen by the system's Chromium through playwright.

python scripts/screenshots.py
"""

import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from htxsearch import Index
from htxsearch.web.app import make_app
from htxsearch.web.settings import Settings

ROOT = Path(__file__).parent.parent
PORT = 8765
PHONE: dict[str, Any] = {"viewport": {"width": 375, "height": 760}}
DARK: dict[str, Any] = {"color_scheme": "dark"}
ANSWER = "/?q=Thái Nguyên có bao nhiêu HTX?"
VIEWS: list[tuple[str, str, dict[str, Any]]] = [
    ("home", "/", {}),
    ("home-dark-phone", "/", DARK | PHONE),
    ("results", "/?q=hop tac xa che", {}),
    ("results-dark", "/?q=hop tac xa che&place=Thái Nguyên&lang=en", DARK),
    ("results-phone", "/?q=hop tac xa che", PHONE),
    ("filters-phone", "/?q=hop tac xa&place=Thái Nguyên#filters", PHONE),
    ("answer", ANSWER, {}),
    ("answer-dark-phone", ANSWER, DARK | PHONE),
    ("facts", "/facts?q=số HTX&place=Thái Nguyên", {}),
    ("article", "/article?id=thai-nguyen/hop-tac-xa-che-tan-cuong.txt&q=hop tac xa che#p0", {}),
    ("error", "/?q=()", {}),
]
ADDING: list[tuple[str, str, dict[str, Any]]] = [("add", "/add", {})]
"""What there is only where articles may be added."""


def main() -> None:
    """Start the server, take the pictures, stop it."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or sys.exit("no Chromium on this machine: apt-get install chromium")
    images = ROOT / "docs" / "images"
    images.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        with Index(Path(folder) / "index", corpus=ROOT / "corpus") as index:
            index.update()
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for views, allow_add in ((VIEWS, False), (ADDING, True)):
            settings = Settings(
                index=f"{folder}/index", corpus=str(ROOT / "corpus"), rate=0, related_timeout_s=60, allow_add=allow_add
            )
            with serving(settings):
                for name, address, options in views:
                    page = browser.new_page(**({"viewport": {"width": 1280, "height": 800}} | options))
                    page.goto(f"http://127.0.0.1:{PORT}{address}")
                    page.screenshot(path=images / f"{name}.jpg", type="jpeg", quality=70)
        browser.close()


@contextmanager
def serving(settings: Settings) -> Iterator[None]:
    """Run a server meanwhile."""
    server = uvicorn.Server(uvicorn.Config(make_app(settings), port=PORT, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    main()
