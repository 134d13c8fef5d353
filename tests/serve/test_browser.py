"""The pages in a real browser, with scripts and without, wide and narrow. Skipped where there is no Chromium."""

import re
import shutil
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from index.folders import Folders
from web import running

from .conftest import DEMO, HOSTILE
from .process import Served, served

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e '.[dev]'")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("no Chromium on this machine: apt-get install chromium", allow_module_level=True)

expect = playwright.expect
JOB_MS = 600_000
"""How long a job may take on a busy machine: it starts a process that loads its models."""
Opened = Callable[..., Any]
TOKEN = "0123456789abcdef"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def server(demo_index: Path) -> Iterator[Served]:
    with served(demo_index, DEMO, "--rate", "0") as running:
        while running.get("/related?id=thai-nguyen%2Fhop-tac-xa-che-tan-cuong.txt")[0] != 200:
            pass  # what is read the first time may take longer than the server's ten seconds on a busy machine
        yield running


@pytest.fixture
def opened(browser: Any, server: Served) -> Iterator[Opened]:
    """Return a function that opens a page; an error in the browser's console, or a request elsewhere, fails the test."""
    contexts, complaints = [], []

    def open_page(
        address: str = "/",
        *,
        width: int = 1200,
        base: Served = server,
        quiet: int | tuple[int, ...] = (),
        elsewhere: bool = False,
        token: str = "",
        **options: Any,
    ) -> Any:
        """With a token, every request brings it.

        With `quiet`, a page may be answered with that status or those, with `elsewhere` things may come from other sites.
        """
        expected = [f"status of {status}" for status in ((quiet,) if isinstance(quiet, int) else quiet)]
        address_of_base = f"http://127.0.0.1:{base.port}"
        context = browser.new_context(
            viewport={"width": width, "height": 800}, base_url=address_of_base, locale="vi", **options
        )
        contexts.append(context)
        if token:
            context.set_extra_http_headers({"Authorization": f"Bearer {token}"})
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if message.type in ("error", "warning") and not any(one in message.text for one in expected)
                else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}"))
        own = f"127.0.0.1:{base.port}/"
        page.on("request", lambda request: None if elsewhere or own in request.url else complaints.append(request.url))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def total(page: Any) -> int:
    """Return the number of near articles that a page of results says."""
    said = page.get_by_role("status").inner_text()
    found = re.search(r": ([\d.]+) bài phù hợp|trong ([\d.]+)", said)
    assert found is not None, said
    return int((found[1] or found[2]).replace(".", ""))


@pytest.mark.parametrize("width", [1200, 375])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_reader_finds_an_article(opened: Opened, scripts: bool, width: int) -> None:
    page = opened(width=width, java_script_enabled=scripts)
    field = page.get_by_label("Câu hỏi hoặc từ cần tìm")
    if scripts:
        field.press_sequentially("hop tac x")
        option = page.get_by_role("option", name=re.compile(r"^hợp tác xã( \d+)?$"))
        expect(option).to_be_visible()
        expect(field).to_have_attribute("aria-expanded", "true")
        field.press("ArrowDown")
        expect(option).to_have_attribute("aria-selected", "true")
        field.press("Enter")
        page.wait_for_url("**/?q=h%E1%BB%A3p+t%C3%A1c+x%C3%A3")
    else:
        field.fill("hop tac xa")
        field.press("Enter")
    everywhere = total(page)

    is_drawer = width < 864

    def open_filters() -> None:
        if is_drawer:
            page.get_by_role("link", name=re.compile("^Bộ lọc")).click()

    open_filters()
    page.get_by_role("checkbox", name=re.compile(r"^Thái Nguyên")).check()
    if is_drawer or not scripts:
        page.get_by_role("button", name="Áp dụng").click()
    expect(page.get_by_role("link", name="Bỏ lọc Thái Nguyên")).to_be_visible()
    there = total(page)
    assert 0 < there < everywhere
    open_filters()
    page.get_by_role("link", name=re.compile(r"^Năm 2019: \d+ bài$")).click()
    expect(page.get_by_role("link", name="Bỏ lọc 2019")).to_be_visible()
    of_2019 = total(page)
    assert 0 < of_2019 < there
    page.get_by_role("link", name="Bỏ lọc 2019").click()
    expect(page.get_by_role("link", name="Bỏ lọc 2019")).to_have_count(0)
    assert total(page) == there

    link = page.locator(".hits h2 a").first
    title = link.inner_text()
    link.click()
    assert page.get_by_role("heading", level=1).inner_text() == title
    at = page.locator(".passage:target")
    expect(at).to_have_count(1)
    expect(at).to_be_in_viewport()
    assert at.locator("mark").count() > 0
    page.go_back()
    assert total(page) == there
    page.go_forward()
    page.get_by_role("link", name="Trở lại kết quả").click()
    assert total(page) == there

    page.goto(f"{page.url.split('?')[0]}article?id=thai-nguyen/hop-tac-xa-che-tan-cuong.txt")
    title = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("heading", name="Bài liên quan").scroll_into_view_if_needed()
    if not scripts:
        page.get_by_role("link", name="Xem bài liên quan").click()
    other = page.locator("ul.related a").first
    expect(other).not_to_have_text(title)
    title = other.inner_text()
    other.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", name="Related articles")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "nothing to scroll sideways for"


def test_related_articles_come_when_a_reader_gets_there(opened: Opened) -> None:
    page = opened("/article?id=trang-tong-hop/nam-dam-lam-du-lich.txt", width=320)
    place = page.get_by_role("region", name="Bài liên quan")
    place.scroll_into_view_if_needed()
    expect(place.get_by_role("status")).to_have_text("1 bài gần nhất:")
    assert place.get_by_role("heading", name="Cùng nội dung, đăng lại").is_visible()
    assert page.evaluate(SHIFT) == 0


def test_a_list_that_does_not_come_is_said(opened: Opened) -> None:
    page = opened("/", quiet=503)
    page.route("**/related/list?*", lambda route: route.fulfill(status=503))
    page.goto("/article?id=trang-tong-hop/nam-dam-lam-du-lich.txt&lang=en")
    place = page.get_by_role("region", name="Related articles")
    place.scroll_into_view_if_needed()
    expect(place.get_by_role("status")).to_contain_text("could not be loaded")
    place.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Related articles")


def test_an_answer_leads_to_its_passage(opened: Opened) -> None:
    page = opened("/?q=ai la giam doc htx che tan cuong xanh")
    card = page.get_by_role("region", name="Trả lời")
    said = card.locator("mark").first.inner_text()
    card.get_by_role("link").first.click()
    expect(page.locator(".passage:target")).to_contain_text(said)


def test_completions_are_used_by_keyboard(opened: Opened) -> None:
    page = opened()
    field = page.get_by_label("Câu hỏi hoặc từ cần tìm")
    field.press_sequentially("thai ng")
    options = page.get_by_role("option")
    expect(options.first).to_have_text(re.compile(r"^Thái Nguyên \d+$"))
    count = options.count()
    for _ in range(count):
        field.press("ArrowDown")
    expect(options.last).to_have_attribute("aria-selected", "true")
    assert field.get_attribute("aria-activedescendant") == options.last.get_attribute("id")
    field.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") is None, "behind the last one comes what was typed"
    field.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    field.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    assert field.input_value() == "thai ng"
    field.press("Enter")
    page.wait_for_url("**/?q=thai+ng")
    page.wait_for_load_state()
    field.press("End")
    field.press_sequentially("u")
    option = page.get_by_role("option", name="Thái Nguyên").first
    option.click()
    page.wait_for_url("**/?q=Th%C3%A1i+Nguy%C3%AAn")


def test_results_come_while_typing_and_a_tick_applies_at_once(opened: Opened) -> None:
    page = opened("/?q=chè")
    page.locator("body").press("/")
    field = page.get_by_label("Câu hỏi hoặc từ cần tìm")
    expect(field).to_be_focused()
    field.press_sequentially("cà phê Di Linh")
    expect(page.locator(".hits h2").first).to_contain_text("Di Linh")
    page.wait_for_url("**/?q=c%C3%A0+ph%C3%AA+Di+Linh")
    expect(field).to_have_value("cà phê Di Linh")
    page.goto("/?q=hợp tác xã")
    find = page.get_by_label("Tìm trong danh sách: Tỉnh, thành")
    find.fill("thanh hoa")
    box = page.get_by_role("checkbox", name=re.compile("^Thanh Hóa"))
    expect(box).to_be_visible()
    expect(page.get_by_role("checkbox", name=re.compile("^Thái Nguyên"))).to_be_hidden()
    box.check()
    expect(page.get_by_role("link", name="Bỏ lọc Thanh Hóa")).to_be_visible()
    expect(page.get_by_role("checkbox", name=re.compile("^Thanh Hóa"))).to_be_focused()
    page.get_by_role("checkbox", name=re.compile("^Thái Nguyên")).check()
    expect(page.get_by_role("link", name="Bỏ lọc Thái Nguyên")).to_be_visible()
    expect(page.locator("#kept input")).to_have_count(2)
    page.get_by_role("link", name="Xóa bộ lọc").first.click()
    expect(page.get_by_role("link", name="Bỏ lọc Thái Nguyên")).to_have_count(0)


def test_the_drawer_of_a_phone_opens_and_closes(opened: Opened) -> None:
    page = opened("/?q=chè", width=375)
    drawer = page.get_by_role("complementary", name="Bộ lọc")
    expect(drawer).to_be_hidden()
    page.get_by_role("link", name=re.compile("^Bộ lọc")).click()
    expect(drawer).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    page.get_by_role("link", name=re.compile("^Bộ lọc")).click()
    drawer.get_by_role("link", name="Đóng").click()
    expect(drawer).to_be_hidden()


def test_a_printed_page_has_the_query_and_the_day_and_no_form(opened: Opened) -> None:
    page = opened("/?q=chè")
    page.emulate_media(media="print")
    expect(page.get_by_text(re.compile(r"chè – tra cứu ngày \d"))).to_be_visible()
    expect(page.get_by_role("search")).to_be_hidden()
    expect(page.locator(".filters")).to_be_hidden()
    expect(page.locator(".hits h2").first).to_be_visible()
    assert page.pdf(format="A4").startswith(b"%PDF-")


def test_a_printed_article_has_its_text_and_citation_and_no_buttons(opened: Opened) -> None:
    page = opened("/article?id=thai-nguyen/hop-tac-xa-che-tan-cuong.txt&q=chè", color_scheme="dark")
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("#cited-footnote")).to_be_visible()
    for hidden in (".top", ".actions", ".citation button", ".anchor", ".back"):
        expect(page.locator(hidden).first).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_the_first_tab_skips_the_head_of_the_page(opened: Opened) -> None:
    page = opened("/?q=chè")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Đến kết quả")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_a_citation_is_copied(opened: Opened) -> None:
    page = opened("/article?id=thai-nguyen/hop-tac-xa-che-tan-cuong.txt", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Chép").first.click()
    expect(page.get_by_role("button", name="Đã chép")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#cited-footnote").inner_text()


def test_what_needs_a_script_is_hidden_without(opened: Opened) -> None:
    page = opened("/article?id=thai-nguyen/hop-tac-xa-che-tan-cuong.txt", java_script_enabled=False)
    expect(page.locator("#cited-footnote")).to_be_visible()
    expect(page.get_by_role("button", name="Chép").first).to_be_hidden()


def test_a_download_is_a_file(opened: Opened) -> None:
    page = opened("/?q=chè")
    with page.expect_download() as got:
        page.get_by_role("link", name="CSV").click()
    assert got.value.suggested_filename == "htxsearch.csv"
    assert Path(got.value.path()).read_bytes().startswith("\ufeffSTT;".encode())


PAGES = [
    "/",
    "/?q=hop tac xa che",
    "/?q=chè&place=Thái Nguyên&since=2019",
    "/?q=zzzz",
    "/?q=Ai là giám đốc HTX chè Tân Cương Xanh?",
    "/?q=Thái Nguyên có bao nhiêu HTX?",
    "/?q=hợp tác xã&place=Thái Nguyên#filters",
    "/article?id=thai-nguyen/hop-tac-xa-che-tan-cuong.txt&q=che#p0",
    "/related?id=trang-tong-hop/nam-dam-lam-du-lich.txt",
    "/dropped?id=thai-nguyen/so-ket-6-thang-dau-nam-2023.html",
    "/facts",
    "/facts?q=số HTX",
    "/facts?q=doanh thu&status=actual",
    "/facts?q=zzzz",
]


@pytest.mark.parametrize("address", PAGES)
def test_axe_finds_nothing_serious(opened: Opened, address: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: pip install -e '.[dev]'").Axe()
    page = opened(address)
    if address == "/":
        page.get_by_label("Câu hỏi hoặc từ cần tìm").press_sequentially("hop")
    for scheme, width in product(("light", "dark"), (1280, 375)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        if address == "/":
            expect(page.get_by_role("option").first).to_be_visible()
        found = axe.run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"], one["nodes"][0].get("failureSummary")) for one in found] == []


_SMALL = """() => [...document.querySelectorAll("a, button, input, summary")]
  .filter(one => one.offsetParent && !one.closest(".skip, .passage, .again, .about, .hits h2"))
  .filter(one => (one.closest("label.choice") || one).getBoundingClientRect().height < 24).map(one => one.outerHTML)"""


@pytest.mark.parametrize("address", PAGES)
def test_every_page_fits_a_small_phone_and_its_targets_can_be_touched(opened: Opened, address: str) -> None:
    """WCAG 2.2: 1.4.10 (320 pixels wide), 2.5.8 (24 pixels high, but within text)."""
    page = opened(address, width=320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.evaluate(_SMALL) == []


SHIFT = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => { for (const one of list.getEntries()) sum += one.value; })
    .observe({type: "layout-shift", buffered: true});
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum), 100)));
})"""


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_small_and_does_not_shift(opened: Opened, address: str) -> None:
    page = opened(address)
    page.wait_for_load_state("networkidle")
    loaded = page.evaluate(
        "performance.getEntries().filter(e => e.transferSize !== undefined).map(e => [e.name, e.transferSize])"
    )
    assert len(loaded) <= 5, loaded
    assert sum(size for _, size in loaded) <= 60_000, loaded
    assert page.evaluate(SHIFT) < 0.01


@pytest.fixture(scope="module")
def adding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folders = Folders(tmp_path_factory.mktemp("adding"))
    folders.write_some(3)
    folders.update()
    token = folders.corpus.parent / "token"
    token.write_text(TOKEN, "utf-8")
    with served(folders.index, folders.corpus, "--rate", "0", "--allow-add", "--token-file", str(token)) as server:
        yield server


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_reader_adds_articles(opened: Opened, adding: Served, scripts: bool) -> None:
    page = opened("/", base=adding, java_script_enabled=scripts, token=TOKEN)
    page.get_by_role("link", name="Thêm bài").click()
    text = f"Dứa {scripts} chín. Nông dân xóm Đồi thu hoạch dứa.".encode()
    page.get_by_label("Tệp").set_input_files(
        [
            {"name": f"dứa {scripts}.txt", "mimeType": "text/plain", "buffer": text},
            {"name": "ảnh <b>.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n"},
        ]
    )
    page.get_by_label("Nguồn", exact=True).fill("Báo xóm")
    page.get_by_role("button", name="Thêm bài").click()
    outcomes = page.locator(".outcomes").get_by_role("listitem")
    expect(outcomes).to_have_count(2, timeout=JOB_MS)
    expect(outcomes.nth(0)).to_contain_text("Đã thêm")
    expect(outcomes.nth(1)).to_contain_text("ảnh bị hỏng")
    outcomes.nth(0).get_by_role("link").first.click()
    expect(page.get_by_role("article")).to_contain_text("Nông dân xóm Đồi")
    page.get_by_label("Câu hỏi hoặc từ cần tìm").fill(f"dứa {scripts}")
    page.keyboard.press("Enter")
    expect(page.locator(".hits")).to_contain_text("Báo xóm")


def test_an_empty_form_is_an_error_and_the_keyboard_is_enough(opened: Opened, adding: Served) -> None:
    page = opened("/add?lang=en", base=adding, width=375, token=TOKEN, quiet=400)
    page.get_by_label("Files").focus()
    names = []
    for _ in range(7):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.name || document.activeElement.textContent"))
    assert names == ["file", "url", "title", "date", "place", "source", "Add articles"]
    page.get_by_label("Source").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("there is nothing to add; choose a file, or give an address")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_another_sites_page_cannot_add_with_the_token_a_browser_has(opened: Opened, adding: Served) -> None:
    """The browser sends the form with the token; its origin is the reason to refuse it."""
    form = (
        f"<form method=post enctype=multipart/form-data action=http://127.0.0.1:{adding.port}/add>"
        "<input type=hidden name=url value=https://xau.vn/><button>x</button></form>"
    )
    with running() as site:
        site.page("/favicon.ico", b"")
        page = opened("/", base=adding, token=TOKEN, quiet=403, elsewhere=True)
        page.goto(site.page("/", f"<!doctype html>{form}".encode()))
        with page.expect_response("**/add") as got:
            page.get_by_role("button").click()
        assert got.value.status == 403
        assert got.value.request.header_value("authorization")
        expect(page.get_by_role("alert")).to_contain_text("trang của nơi khác")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_the_page_of_a_job(opened: Opened, adding: Served, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: pip install -e '.[dev]'").Axe()
    page = opened("/add", base=adding, width=375, color_scheme=scheme, token=TOKEN)
    page.get_by_label("Tệp").set_input_files([{"name": "x.exe", "mimeType": "", "buffer": b"MZ\x90"}])
    page.get_by_role("button", name="Thêm bài").click()
    expect(page.locator(".outcomes")).to_be_visible(timeout=JOB_MS)
    for width in (375, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        found = axe.run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"], one["nodes"][0].get("failureSummary")) for one in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dropped_files_are_sent_and_a_saved_search_says_what_is_new(opened: Opened, adding: Served) -> None:
    page = opened("/add", base=adding, token=TOKEN)
    dropped = """(files) => {
        const carried = new DataTransfer();
        for (const [name, text] of files) carried.items.add(new File([text], name));
        const form = document.querySelector("form[data-drop]");
        form.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(dropped, [["một.txt", "Hồng xiêm một. Xã viên hái hồng xiêm."], ["hai.pdf", "%PDF-1.7 broken"]])
    outcomes = page.locator(".outcomes").get_by_role("listitem")
    expect(outcomes).to_have_count(2, timeout=JOB_MS)
    expect(outcomes.nth(1)).to_contain_text("Đã lưu tệp nhưng không đọc được")
    page.goto("/new?q=hồng xiêm")
    page.get_by_role("button", name="Lưu câu tìm này").click()
    page.goto("/add")
    page.evaluate(dropped, [["ba.txt", "Hồng xiêm ba. Xã viên lại hái hồng xiêm."]])
    expect(page.locator(".outcomes")).to_contain_text("Đã thêm", timeout=JOB_MS)
    page.goto("/new")
    saved = page.locator("[data-saved-searches]")
    expect(saved.get_by_role("listitem")).to_contain_text("1 mới")
    saved.get_by_role("link", name="hồng xiêm").click()
    expect(page.locator("[data-entered] .badge")).to_have_count(1)


def test_hostile_articles_do_nothing_in_a_browser(opened: Opened, hostile: Any) -> None:
    with served(hostile.index, hostile.corpus, "--rate", "0") as running:
        for address in ("/", "/?q=chè", "/?q=chè&page=2"):
            page = opened(address, base=running)
            assert page.evaluate("document.scripts.length") == 1
            assert page.locator("img, iframe, object").count() == 0
            assert page.evaluate("document.documentElement.scrollWidth") <= 1200
        for text in HOSTILE[:3]:
            page = opened(base=running)
            page.get_by_label("Câu hỏi hoặc từ cần tìm").fill(f"chè {text}"[:100].replace('"', ""))
            page.get_by_role("button", name="Tìm").click()
            page.wait_for_url("**/?q=**")
            assert page.evaluate("document.scripts.length") == 1
        page = opened("/?q=chè", base=running)
        page.locator(".hits h2 a").first.click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
