"""Take the pictures of docs/images: a server on a copy of the demo corpus, seen by the system's Chromium through playwright.

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
    ("new", "/new", {}),
    ("error", "/?q=()", {}),
]
EDITING: list[tuple[str, str, dict[str, Any]]] = [
    ("add", "/add", {}),
    ("edit", "/edit?id=thai-nguyen/che-huu-co-dong-hy.txt", {}),
    ("status-dark", "/status", DARK),
]
"""What only editors see."""
TOKEN = "pictures-of-the-pages"
SENT: list[Any] = [
    {"name": "ghi-chep.txt", "mimeType": "", "buffer": "Vườn chè xóm Đồi\n\nBà con xóm Đồi hái chè từ sáng sớm.".encode()},
    {"name": "bao-cao.pdf", "mimeType": "", "buffer": b"%PDF-1.7"},
]


def main() -> None:
    """Start the server, take the pictures, stop it."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or sys.exit("no Chromium on this machine: apt-get install chromium")
    images = ROOT / "docs" / "images"
    images.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        corpus = Path(folder) / "corpus"
        shutil.copytree(ROOT / "corpus", corpus)
        with Index(Path(folder) / "index", corpus=corpus) as index:
            index.update()
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        patient: dict[str, Any] = {"timeout_s": 600}  # on a busy machine, too
        usual: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "base_url": f"http://127.0.0.1:{PORT}"}
        for views, token in ((VIEWS, ""), (EDITING, TOKEN)):
            settings = Settings(
                index=f"{folder}/index", corpus=str(corpus), rate=0, allow_add=bool(token), edit_token=token, **patient
            )
            headers = {"extra_http_headers": {"Authorization": f"Bearer {token}"}} if token else {}
            with serving(settings):
                page = browser.new_page(**usual | headers)
                page.goto("/")
                while not page.locator("#examples").count():  # the questions are being tried
                    page.goto("/")
                for name, address, options in views:
                    page = browser.new_page(**usual | headers | options)
                    page.goto(address)
                    page.screenshot(path=images / f"{name}.jpg", type="jpeg", quality=70)
                if token:
                    page.goto("/add")
                    page.set_input_files("#file", SENT)
                    page.click("form.add button")
                    page.wait_for_selector(".outcomes", timeout=600_000)
                    page.emulate_media(color_scheme="light")
                    page.screenshot(path=images / "job.jpg", type="jpeg", quality=70)
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
