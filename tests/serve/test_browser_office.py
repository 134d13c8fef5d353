"""The day of an office in a real browser, with scripts and without: from login and answer to correction and removal."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from index.folders import Folders
from ingest.folder import drawn_lines, pdf_of

from .conftest import DEMO
from .process import Served, served
from .test_browser import JOB_MS, SHIFT, Opened, browser, expect, opened, server

__all__ = ["browser", "opened", "server"]

TOKEN = "fedcba9876543210"
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
HTML = (
    "<!doctype html><title>Dứa xóm Đồi</title><script>alert(1)</script><img src=x onerror=alert(2)>"
    "<p>Hợp tác xã dứa xóm Đồi bán dứa ở chợ huyện, bà con rất vui.</p>"
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folders = Folders(tmp_path_factory.mktemp("office"))
    folders.write_some(4)
    folders.write("dứa 'Đồi' \"1\".html", "").write_text(HTML, "utf-8")
    page = "Hợp tác xã mía Tân Xuân bán mía ở chợ huyện trong năm nay."
    pages = [drawn_lines([f"Trang {n}: {page}"] * 20) for n in (1, 2)]
    folders.write("mía.pdf", "").write_bytes(pdf_of(pages))
    shutil.copytree(DEMO / "thai-nguyen", folders.corpus / "thai-nguyen")
    folders.update()
    token = folders.corpus.parent / "token"
    token.write_text(TOKEN, "utf-8")
    options = ("--rate", "0", "--allow-add", "--read-token", str(token), "--edit-token", str(token))
    with served(folders.index, folders.corpus, *options) as server:
        yield server


DROP = """(files) => {
  const carried = new DataTransfer();
  for (const [name, text] of files) carried.items.add(new File([text], name));
  const form = document.querySelector("form[data-drop]");
  form.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""


@SCRIPTS
def test_a_day_of_an_office(opened: Opened, office: Served, scripts: bool) -> None:
    """Without scripts on a phone."""
    width, fruit = (1280, "hồng xiêm") if scripts else (375, "măng cụt")
    page = opened("/", base=office, java_script_enabled=scripts, width=width, quiet=(401, 400))
    page.set_default_timeout(JOB_MS)
    log_in(page)
    ask_unaccented(page, scripts)
    read_the_answer_and_its_original(page)
    title = correct_the_date(page, "00.txt") if scripts else correct_the_date(page, "01.txt", wrongly_first=True)
    feed = subscribed(page, fruit)
    add_ten_files_one_broken(page, fruit, scripts)
    entries = page.request.get(feed).text()
    assert f"{fruit} số 3" in entries
    page.goto("/new")
    page.get_by_role("link", name=re.compile(r"^08.2023 \d+$")).click()
    expect(page.get_by_role("link", name=title)).to_be_visible()
    remove_and_put_back(page, title)
    page.goto("/changes")
    expect(page.get_by_role("listitem").filter(has_text=title)).not_to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Đăng xuất").click()
    page.wait_for_url("**/login")


def log_in(page: Any) -> None:
    page.get_by_label("Mã truy cập").fill("sai")
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_role("alert")).to_contain_text("mã truy cập không đúng")
    page.get_by_label("Mã truy cập").fill(TOKEN)
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_role("heading", name="Bài mới nhất")).to_be_visible()


def ask_unaccented(page: Any, scripts: bool) -> None:
    field = page.get_by_label("Câu hỏi hoặc từ cần tìm")
    if scripts:
        field.press_sequentially("thai ng")
        page.get_by_role("option", name=re.compile(r"^Thái Nguyên \d+$")).click()
        page.wait_for_url("**/?q=Th%C3%A1i+Nguy%C3%AAn")
        page.goto("/")
    field.fill("thai nguyen co bao nhieu htx")
    field.press("Enter")


def read_the_answer_and_its_original(page: Any) -> None:
    card = page.get_by_role("region", name="Trả lời")
    expect(card.locator(".value")).to_have_text("702 HTX")
    expect(card.get_by_role("row")).to_contain_text(["Thời điểm", "702 HTX", "541 HTX"])
    card.locator(".value a").click()
    expect(page.locator(".passage:target mark")).to_have_text("702 HTX")
    page.goto("/article?id=m%C3%ADa.pdf")
    link = page.get_by_role("link", name="Trang 2 của tệp gốc").or_(page.get_by_title("Trang 2 của tệp gốc")).first
    address = link.get_attribute("href")
    assert address.endswith("#page=2")
    answer = page.request.get(address)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body().startswith(b"%PDF-")


def correct_the_date(page: Any, article: str, *, wrongly_first: bool = False) -> str:
    """Correct title and date; return the title."""
    title = f"Măng tây <b> {article}"
    page.goto(f"/article?id={article}")
    page.locator("summary", has_text="Sửa bài").click()
    page.get_by_label("Tiêu đề").fill(title)
    if wrongly_first:
        page.get_by_label("Ngày đăng").fill("hôm qua")
        page.get_by_role("button", name="Lưu").click()
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page.get_by_label("Tiêu đề")).to_have_value(title)
        expect(page.get_by_label("Ngày đăng")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Ngày đăng").fill("07/8/2023")
    page.get_by_role("button", name="Lưu").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.goto("/?q=m%C4%83ng+t%C3%A2y&since=2023-08-07&until=2023-08-07")
    expect(page.get_by_role("link", name=title)).to_be_visible()
    return title


def subscribed(page: Any, fruit: str) -> str:
    """Return the address of the feed of a query, which has nothing yet."""
    page.goto(f"/new?q={fruit}")
    feed: str = page.get_by_role("link", name="Nguồn tin Atom").get_attribute("href")
    assert f"{fruit} số" not in page.request.get(feed).text()
    return feed


def add_ten_files_one_broken(page: Any, fruit: str, scripts: bool) -> None:
    files = [(f"{fruit} {n}.txt", f"Vườn {fruit} số {n}. Xã viên hái {fruit} ở vườn số {n}.") for n in range(9)]
    files.append((f"{fruit}.pdf", "%PDF-1.7 broken"))
    page.goto("/add")
    if scripts:
        page.evaluate(DROP, files)
    else:
        sent = [{"name": name, "mimeType": "", "buffer": text.encode()} for name, text in files]
        page.get_by_label("Tệp").set_input_files(sent)
        page.get_by_role("button", name="Thêm bài").click()
    outcomes = page.locator(".outcomes").get_by_role("listitem")
    expect(outcomes).to_have_count(10, timeout=JOB_MS)
    broken = outcomes.filter(has_text=f"{fruit}.pdf")
    expect(broken).to_contain_text("Đã lưu tệp nhưng không đọc được")
    expect(broken).to_contain_text("PDF bị hỏng")


def remove_and_put_back(page: Any, title: str) -> None:
    page.get_by_role("link", name=title).click()
    page.get_by_role("link", name="Gỡ bài").click()
    page.get_by_role("button", name="Gỡ bài").click()
    page.get_by_role("button", name=f"Khôi phục: {title}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


OFFICE = [
    "/edit?id=02.txt",
    "/remove?id=02.txt",
    "/removed",
    "/changes",
    "/status",
    "/jobs",
    "/add",
    "/new",
    "/new?q=mía",
    "/login",
]


@pytest.mark.parametrize("address", OFFICE)
def test_axe_finds_nothing_serious_and_nothing_shifts(opened: Opened, office: Served, address: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: pip install -e '.[dev]'").Axe()
    page = opened(address, base=office, token=TOKEN)
    assert page.evaluate(SHIFT) < 0.01
    for scheme, width in (("light", 1280), ("dark", 375)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = axe.run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"], one["nodes"][0].get("failureSummary")) for one in found] == []


@SCRIPTS
def test_a_page_with_scripts_is_downloaded_and_runs_nothing(opened: Opened, office: Served, scripts: bool) -> None:
    page = opened("/?q=dứa+xóm+Đồi", base=office, token=TOKEN, java_script_enabled=scripts)
    page.set_default_timeout(20_000)
    page.locator(".hits a").first.click()
    with page.expect_download() as got:
        page.get_by_role("link", name="Mở tệp gốc").click()
    assert Path(got.value.path()).read_text("utf-8") == HTML
    assert page.get_by_role("link", name="Mở tệp gốc").is_visible(), "the page is still there"
