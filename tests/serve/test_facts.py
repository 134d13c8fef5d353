"""The page of figures and its downloads: what the library finds, in its sentence, and nothing that can do harm."""

import csv
import importlib.util
import io
import re
import xml.etree.ElementTree as ET
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from index.folders import Folders

from htxsearch import Index
from htxsearch.search.fact_files import COLUMNS, longest_series
from htxsearch.web import fact_pages
from htxsearch.web.openapi import document

from .conftest import HOSTILE, Open, TestClient
from .test_pages import Page, assert_harmless, marks, page

openpyxl = pytest.importorskip("openpyxl")


def section(text: str, heading: str) -> str:
    """Return the section of a page whose heading has that id, "" if there is none."""
    found = re.search(rf'<section[^>]*aria-labelledby="{heading}">.*?</section>', text, re.DOTALL)
    return found.group() if found else ""


def test_every_page_links_the_figures(web: TestClient) -> None:
    for address in ("/", "/?q=chè", "/?q=zzzz", "/facts", "/facts?q=số HTX", "/none", "/?q=chè&lang=en"):
        shown = Page(web.get(address).text)
        links = [link for link in shown.links() if urlsplit(link).path == "/facts" and "q=" not in link]
        assert links[0] == ("/facts?lang=en" if "lang=en" in address else "/facts")
    assert "Figures" in page(web, "/?lang=en").shown()
    assert [one["href"] for one in page(web, "/facts").all("a") if one.get("aria-current") == "page"] == ["/facts"]


def test_without_a_query_the_commonest_indicators_are_links(web: TestClient, demo: Index) -> None:
    commonest = list(demo.facts().indicators())[:40]
    text = web.get("/facts").text
    links = re.findall(r'href="(/facts\?q=[^"]*)"', section(text, "indicators"))
    assert [parse_qs(urlsplit(link).query)["q"][0] for link in links] == [one.indicator for one in commonest]
    assert "<table" not in text
    assert not section(text, "facts"), "a list of everything says nothing"
    assert page(web, links[0]).all("blockquote")


def test_the_nearest_series_is_a_chart_and_a_table(web: TestClient, demo: Index) -> None:
    found = demo.facts("số HTX")
    series = longest_series(found)
    assert series is not None
    text = web.get("/facts?q=số HTX").text
    shown = section(text, "series")
    [chart] = re.findall(r"<svg.*?</svg>", shown, re.DOTALL)
    assert 'role="img"' in chart
    assert "<title>" in chart
    rows = re.findall(r'<tr role="row">\s*<td.*?</tr>', shown, re.DOTALL)
    assert len(rows) == len(series.facts)
    for row, fact in zip(rows, series.facts, strict=True):
        assert marks(row) == [fact.surface]
        passages = demo.show(fact.article_id).passages
        [at] = [one.start for one in passages if one.start <= fact.fact.start < one.end]
        [href] = Page(f"<table>{row}</table>").links()
        assert f"id={quote(fact.article_id, safe='')}" in href
        assert href.endswith(f"#p{at}")
        assert fact.title in row
        assert f'<p class="about" lang="vi"><a href="{href.replace("&", "&amp;")}">' in row
    assert f"Tìm thấy {len(found)} số liệu" in Page(text).shown()


def test_status_qualifier_time_and_place_are_shown(web: TestClient, demo: Index) -> None:
    text = web.get("/facts?q=số HTX&place=Bắc Giang").text
    target = next(fact for fact in demo.facts("số HTX", place="Bắc Giang") if fact.fact.status == "target")
    row = next(
        one for one in re.findall(r"<(?:tr|li).*?</(?:tr|li)>", text, re.DOTALL) if f"<mark>{target.surface}</mark>" in one
    )
    assert "mục tiêu" in row
    assert "Bắc Giang" in row
    assert "30/06/2022" in text, "the day of 2022-06-30 in the form of the page's language"
    assert "30 Jun 2022" in web.get("/facts?q=số HTX&place=Bắc Giang&lang=en").text
    qualified = next(fact for fact in demo.facts() if fact.fact.qualifier == "gần")
    of_article = web.get("/facts", params={"article": qualified.article_id}).text
    assert f"<bdi>gần {qualified.surface}</bdi>" in of_article


@pytest.mark.parametrize(
    ("as_of", "vietnamese", "english"),
    [
        ("2019", "2019", "2019"),
        ("2019-09", "9/2019", "9/2019"),
        ("2019-09-02", "02/09/2019", "2 Sep 2019"),
        ("2024-H1", "6 tháng đầu năm 2024", "first half of 2024"),
        ("2024-H2", "6 tháng cuối năm 2024", "second half of 2024"),
        ("2024-Q3", "quý 3/2024", "Q3 2024"),
        ("2021/2025", "2021 – 2025", "2021 – 2025"),
    ],
)
def test_a_time_has_the_form_of_the_language(as_of: str, vietnamese: str, english: str) -> None:
    assert [" – ".join(fact_pages._part_text(part, lang) for part in as_of.split("/")) for lang in ("vi", "en")] == [
        vietnamese,
        english,
    ]


@pytest.fixture
def figures(opened: Open, tmp_path: Path) -> TestClient:
    """Return a client of articles that contradict, repeat and follow each other."""
    folders = Folders(tmp_path)
    folders.write_lines(
        "all.jsonl",
        *(
            {"id": name, "title": f"Bài {name}", "text": text, "date": date, "place": "Hà Giang"}
            for name, date, text in (
                ("a", "2021-02-01", "Tính đến 31/12/2020, tỉnh Hà Giang có 700 HTX đang hoạt động."),
                ("b", "2021-03-01", "Tính đến 31/12/2020, tỉnh Hà Giang có 812 HTX đang hoạt động."),
                ("c", "2022-03-01", "Tính đến 31/12/2021, tỉnh Hà Giang có 850 HTX đang hoạt động."),
                (
                    "d",
                    "2022-04-01",
                    "Theo báo cáo, tính đến 31/12/2021, tỉnh Hà Giang có 850 HTX đang hoạt động.",
                ),
            )
        ),
    )
    assert not folders.update().rejected
    return opened(index=str(folders.index), corpus=str(folders.corpus))


def test_contradictions_stand_beside_each_other_under_their_own_heading(figures: TestClient) -> None:
    assert figures.get("/api/facts?q=số HTX&view=conflicts").json()["conflicts"][0]["agree"] is False
    text = figures.get("/facts?q=số HTX").text
    differing = section(text, "differing")
    assert "Lệch nhau" in differing
    assert sorted(marks(differing)) == ["700 HTX", "812 HTX"]
    agreeing = section(text, "agreeing")
    assert "Khớp" in agreeing
    assert marks(agreeing) == ["850 HTX", "850 HTX"]
    assert "Contradicting" in section(figures.get("/facts?q=số HTX&lang=en").text, "differing")


def test_facts_that_are_not_in_the_series_are_listed_on_pages(web: TestClient, demo: Index) -> None:
    found = demo.facts("doanh thu")
    series = longest_series(found)
    expected = [fact for fact in found if series is None or fact not in series.facts]
    address: str | None = "/facts?q=doanh thu"
    seen: list[str] = []
    while address:
        text = web.get(address).text
        seen += marks(section(text, "facts"))
        following = [one["href"] for one in Page(text).all("a") if one.get("rel") == "next"]
        address = following[0] if following else None
    assert seen == [fact.surface for fact in expected]
    assert len(seen) > 20


def test_other_series_lead_to_their_own_page(web: TestClient, demo: Index) -> None:
    lines = section(web.get("/facts?q=số HTX").text, "other-series")
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]*)"', lines)]
    second = demo.facts("số HTX").series()[1]
    place = second.facts[0].fact.place
    asked = parse_qs(urlsplit(links[0]).query)
    assert asked == {"q": [second.indicator], "place": [place]}
    assert f"{place}</h2>" in web.get(links[0]).text


def test_the_form_keeps_what_was_asked_and_needs_no_script(web: TestClient) -> None:
    address = "/facts?q=số HTX&place=Bắc Giang&place=Hà Tĩnh&since=2020&until=2025&status=actual&unit=HTX&lang=en"
    shown = page(web, address)
    [form] = shown.all("form")
    assert (form["action"], form["method"]) == ("/facts", "get")
    values = [(one.get("name"), one.get("value")) for one in shown.all("input")]
    expected = [("q", "số HTX"), ("place", "Bắc Giang"), ("since", "2020"), ("until", "2025"), ("place", "Hà Tĩnh")]
    assert values == [*expected, ("status", "actual"), ("unit", "HTX"), ("lang", "en")]
    removing = {one.get("aria-label"): one["href"] or "" for one in shown.all("a") if one.get("class") == "chosen"}
    assert len(removing) == 2
    assert all("status=" not in href for label, href in removing.items() if "actual" in (label or ""))
    assert page(web, "/facts?q=số HTX&place=&since=&until=&x=1").all("table"), "empty fields are absent"


def test_nothing_found_says_so_and_shows_the_way_on(web: TestClient) -> None:
    shown = page(web, "/facts?q=zzzz&status=actual")
    assert "Không tìm thấy số liệu nào" in shown.shown()
    assert {"/?q=zzzz", "/facts"} <= set(shown.links())
    assert not shown.all("table")
    assert "No figure found" in page(web, "/facts?q=zzzz&lang=en").shown()


def test_bad_parameters_are_refused(web: TestClient) -> None:
    refused = page(web, "/facts?q=số HTX&since=hôm kia", status=400)
    assert "hôm kia" in refused.shown()
    assert ("since", "hôm kia") in {(one.get("name"), one.get("value")) for one in refused.all("input")}, "to be corrected"
    for address in (
        "/facts?status=x",
        "/facts?page=0",
        "/facts?lang=xx",
        "/facts/download?format=exe",
        f"/facts?q={'x' * 5001}",
    ):
        page(web, address, status=400)
    page(web, "/facts?article=none", status=404)
    assert web.post("/facts").status_code == 405


def test_the_article_leads_back_to_the_figures(web: TestClient) -> None:
    text = web.get("/facts?q=số HTX&place=Bắc Giang&status=actual").text
    article = next(link for link in Page(section(text, "facts")).links() if link.startswith("/article"))
    back = page(web, article).links()
    assert "/facts?q=s%E1%BB%91+HTX&place=B%E1%BA%AFc+Giang" in back


def test_a_page_of_figures_is_small_and_has_an_etag(web: TestClient) -> None:
    for address in ("/facts", "/facts?q=số HTX", "/facts?q=doanh thu", "/facts?place=Thái Nguyên"):
        answer = web.get(address)
        assert len(answer.content) < 60_000
        assert web.get(address, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
        shown = Page(answer.text)
        assert not [one for _, one in shown.tags if "style" in one or any(name.startswith("on") for name in one)]
        assert not shown.all("style")
        assert len({one["id"] for _, one in shown.tags if "id" in one}) == len([one for _, one in shown.tags if "id" in one])


def test_downloads_have_every_fact_of_the_query(web: TestClient, demo: Index) -> None:
    expected = demo.facts("doanh thu", place="Thái Nguyên")
    address = "/facts/download?q=doanh thu&place=Thái Nguyên"
    answer = web.get(address)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="htxsearch-facts.csv"'
    assert answer.content.startswith("\ufeff".encode())
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["article_id"], row["surface"], row["sentence"]) for row in rows] == [
        (fact.article_id, fact.surface, fact.sentence) for fact in expected
    ]
    workbook = openpyxl.load_workbook(io.BytesIO(web.get(f"{address}&format=xlsx").content))
    cells = [[cell.value for cell in row] for row in workbook.active]
    assert cells[0] == list(COLUMNS)
    assert [row[COLUMNS.index("value")] for row in cells[1:]] == [fact.fact.low for fact in expected]
    links = [link for link in page(web, "/facts?q=doanh thu&place=Thái Nguyên").links() if "/download" in link]
    assert [parse_qs(urlsplit(link).query)["format"] for link in links] == [
        ["csv"],
        ["xlsx"],
        ["svg"],
        *([["png"]] if find_spec("matplotlib") else []),
    ]


def test_a_chart_is_a_download_too(web: TestClient) -> None:
    drawn = web.get("/facts/download?q=số HTX&format=svg")
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert ET.fromstring(drawn.text).tag.endswith("svg")
    answer = web.get("/facts/download?q=số HTX&format=png")
    if importlib.util.find_spec("matplotlib"):
        assert answer.content.startswith(b"\x89PNG")
    else:
        assert answer.status_code == 400
        assert "hãy tải hình dạng SVG" in answer.text
    for form in ("svg", "png"):
        refused = web.get(f"/facts/download?q=zzzz&format={form}")
        assert refused.status_code == 400
        assert "hãy nêu rõ chỉ tiêu và địa phương" in refused.text, "no option of the command line on a page"


@pytest.fixture(scope="module")
def hostile_figures(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Return an index of articles with hostile texts around their figures, and in their titles."""
    folders = Folders(tmp_path_factory.mktemp("hostile-figures"))
    texts = [text.replace("\x00", "\x01")[:400] for text in HOSTILE]
    rows = [
        {"id": f"{number}.{year} {text[:60]}", "title": f"{text}"[:300] or "x", "source": text[:100], "date": f"{year}-06-01",
         "text": f"{text} và Hà Giang có {100 + number} HTX {text} năm {year}, doanh thu của {text} đạt {number} tỷ đồng."}
        for number, text in enumerate(texts) for year in (2019, 2021)
    ]  # fmt: skip
    folders.write_lines("all.jsonl", *rows)
    assert not folders.update().rejected
    return folders


def test_hostile_articles_are_ordinary_text_on_the_page_of_figures(opened: Open, hostile_figures: Folders) -> None:
    web = opened(index=str(hostile_figures.index), corpus=str(hostile_figures.corpus))
    assert web.get("/api/facts?limit=1").json()["total"] >= len(HOSTILE)
    indicators = [one["indicator"] for one in web.get("/api/facts?view=indicators&limit=100").json()["indicators"]]
    for asked in ({}, {"place": "Hà Giang"}, *({"q": indicator} for indicator in indicators)):
        answer = web.get("/facts", params=asked)
        assert answer.status_code == 200
        assert_harmless(answer.text)
        drawn = web.get("/facts/download", params={**asked, "format": "svg"})
        assert drawn.status_code in (200, 400)
        if drawn.status_code == 200:
            ET.fromstring(drawn.text)
            assert "<script" not in drawn.text
    table = web.get("/facts/download").content.decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(table)) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert any(cell.startswith("'=cmd") for cell in cells)
    workbook = openpyxl.load_workbook(io.BytesIO(web.get("/facts/download?format=xlsx").content))
    assert not [cell for row in workbook.active for cell in row if cell.data_type == "f"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_parameters_are_ordinary_words(web: TestClient, text: str) -> None:
    for name in ("q", "place", "source", "since", "until", "status", "unit", "article", "page", "lang"):
        for address in ("/facts", "/api/facts", "/facts/download"):
            answer = web.get(address, params={name: text})
            assert answer.status_code in (200, 400, 404), (name, address)
            if answer.headers["content-type"].startswith("text/html"):
                assert_harmless(answer.text)


def test_invalid_utf_8_is_no_server_error(web: TestClient) -> None:
    for address in ("/facts?q=%ff%fe", "/api/facts?q=%ED%A0%80", "/facts?article=%ff", "/facts/download?unit=%ED%A0%80"):
        assert web.get(address).status_code in (200, 400, 404)


def test_the_document_describes_every_view() -> None:
    schema = document()["components"]["schemas"]["Facts"]
    assert list(schema["properties"]) == ["facts", "total", "series", "conflicts", "indicators"]
    assert not schema.get("required")
