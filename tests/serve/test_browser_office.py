"""An editor's work in a real browser, with scripts and without: login, correction, originals, removal and back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from index.folders import Folders
from ingest.folder import drawn_lines, pdf_of

from .process import Served, served
from .test_browser import Opened, browser, expect, opened, server

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
    folders.update()
    token = folders.corpus.parent / "token"
    token.write_text(TOKEN, "utf-8")
    with served(folders.index, folders.corpus, "--rate", "0", "--read-token", str(token), "--edit-token", str(token)) as server:
        yield server


def test_an_editor_corrects_removes_and_puts_back_without_scripts(opened: Opened, office: Served) -> None:
    article = "00.txt"
    page = opened(f"/article?id={article}", base=office, java_script_enabled=False, width=375, quiet=401)
    page.get_by_label("Mã truy cập").fill("sai")
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_role("alert")).to_contain_text("mã truy cập không đúng")
    page.get_by_label("Mã truy cập").fill(TOKEN)
    page.get_by_role("button", name="Đăng nhập").click()
    page.wait_for_url(f"**/article?id={article}")
    page.get_by_role("link", name="Sửa bài").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    title = "Măng tây <b>"
    page.get_by_label("Tiêu đề").fill(title)
    page.get_by_label("Ngày đăng").fill("07/8/2023")
    page.get_by_role("button", name="Lưu").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.goto("/?q=m%C4%83ng+t%C3%A2y&since=2023-08-07&until=2023-08-07")
    page.get_by_role("link", name=title).first.click()
    page.get_by_role("link", name="Gỡ bài").click()
    page.get_by_role("button", name="Gỡ bài").click()
    page.get_by_role("button", name=f"Khôi phục: {title}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.goto("/changes")
    expect(page.get_by_role("listitem").filter(has_text=title)).not_to_have_count(0)
    page.get_by_role("button", name="Đăng xuất").click()
    page.wait_for_url("**/login")


def test_a_wrong_date_is_told_beside_its_field(opened: Opened, office: Served) -> None:
    page = opened("/edit?id=02.txt", base=office, token=TOKEN, quiet=400)
    page.set_default_timeout(20_000)
    field = page.get_by_label("Ngày đăng")
    field.fill("hôm qua")
    page.get_by_role("button", name="Lưu").click()
    expect(field).to_have_value("hôm qua")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_be_visible()


@SCRIPTS
def test_a_page_with_scripts_is_downloaded_and_runs_nothing(opened: Opened, office: Served, scripts: bool) -> None:
    page = opened("/?q=dứa+xóm+Đồi", base=office, token=TOKEN, java_script_enabled=scripts)
    page.set_default_timeout(20_000)
    page.locator(".hits a").first.click()
    with page.expect_download() as got:
        page.get_by_role("link", name="Mở tệp gốc").click()
    assert Path(got.value.path()).read_text("utf-8") == HTML
    assert page.get_by_role("link", name="Mở tệp gốc").is_visible(), "the page is still there"


def test_a_pdf_opens_at_its_page(opened: Opened, office: Served) -> None:
    page = opened("/article?id=m%C3%ADa.pdf", base=office, token=TOKEN)
    page.set_default_timeout(20_000)
    link = page.get_by_role("link", name="Trang 2 của tệp gốc").or_(page.get_by_title("Trang 2 của tệp gốc"))
    address: Any = link.first.get_attribute("href")
    assert address.endswith("#page=2")
    answer = page.request.get(address)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body().startswith(b"%PDF-")
