"""What is new: the page, feeds of queries, and the list for programs."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from index.folders import Folders

from htxsearch.web.new_pages import _month_text, _years

from .conftest import HOSTILE, Open, TestClient
from .test_pages import assert_harmless

NAMES = {"a": "http://www.w3.org/2005/Atom"}


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    made = Folders(tmp_path)
    rows = [
        {
            "id": "a",
            "title": "Đồi chè",
            "text": "Hợp tác xã hái chè.",
            "date": "2023-05-01",
            "place": "Thái Nguyên",
            "source": "A",
        },
        {"id": "b", "title": "Vườn cam", "text": "Hợp tác xã hái cam.", "date": "2023-06-01", "source": "B"},
    ]
    made.write_lines("old.jsonl", *rows)
    made.update()
    made.write("mới.txt", "Ruộng chè", "Nay bà con trồng chè trên ruộng.")
    made.update()
    return made


@pytest.fixture
def web(opened: Open, folders: Folders) -> TestClient:
    return opened(index=str(folders.index), corpus=str(folders.corpus))


def titles(web: TestClient, address: str) -> list[str]:
    feed = ElementTree.fromstring(web.get(address).content)
    return [entry.findtext("a:title", "", NAMES) for entry in feed.findall("a:entry", NAMES)]


def test_the_newest_come_first(web: TestClient) -> None:
    page = web.get("/new").text
    assert page.index("Ruộng chè") < page.index("Vườn cam"), "what entered last"
    by_date = web.get("/new?order=date").text
    assert by_date.index("Vườn cam") < by_date.index("Đồi chè") < by_date.index("Ruộng chè")
    assert 'href="/new?month=2023-05"' in page
    assert "Vườn cam" not in web.get("/new?month=2023-05").text.partition("<main")[2].partition("<h2")[0]
    assert "Đồi chè" not in web.get("/new?lacks=place").text


def test_a_feed_has_near_articles_and_stable_ids(web: TestClient, folders: Folders) -> None:
    assert titles(web, "/feed?q=chè") == ["Ruộng chè", "Đồi chè"]
    assert titles(web, "/feed") == ["Ruộng chè", "Đồi chè", "Vườn cam"] or titles(web, "/feed")[0] == "Ruộng chè"
    before = ElementTree.fromstring(web.get("/feed?q=chè").content)
    response = web.get("/feed?q=chè")
    assert response.headers["content-type"].startswith("application/atom+xml")
    assert web.get("/feed?q=chè", headers={"If-None-Match": response.headers["etag"]}).status_code == 304
    known = {"If-Modified-Since": response.headers["last-modified"]}
    assert web.get("/feed?q=chè", headers=known).status_code == 304
    folders.write("nữa.txt", "Chè nữa", "Thêm chè trong xã.")
    folders.update()
    assert web.get("/feed?q=chè", headers=known).status_code == 200
    after = ElementTree.fromstring(web.get("/feed?q=chè").content)
    old, new = (
        {one.findtext("a:title", "", NAMES): one.findtext("a:id", "", NAMES) for one in feed.findall("a:entry", NAMES)}
        for feed in (before, after)
    )
    assert "Chè nữa" in new
    assert old.items() <= new.items()
    assert before.findtext("a:id", "", NAMES) == after.findtext("a:id", "", NAMES)


def test_hostile_titles_make_valid_xml_and_harmless_pages(opened: Open, hostile: Folders) -> None:
    web = opened(index=str(hostile.index), corpus=str(hostile.corpus))
    assert len(titles(web, "/feed")) == len(HOSTILE)
    assert_harmless(web.get("/new").text)
    for text in HOSTILE[:-1]:
        response = web.get("/feed", params={"q": text})
        assert response.status_code in (200, 400)
        if response.status_code == 200:
            ElementTree.fromstring(response.content)


def test_pages_name_their_feeds(web: TestClient) -> None:
    assert 'href="/feed?q=ch%C3%A8" type="application/atom+xml"' in web.get("/?q=chè").text
    described = ElementTree.fromstring(web.get("/opensearch.xml").content)
    assert [url.get("template") for url in described.iter("{http://a9.com/-/spec/opensearch/1.1/}Url")] == [
        "http://testserver/?q={searchTerms}",
        "http://testserver/feed?q={searchTerms}",
    ]
    assert "Disallow: /" in web.get("/robots.txt").text


def test_a_program_keeps_up_with_the_index(web: TestClient, folders: Folders) -> None:
    first = web.get("/api/articles?limit=2")
    listed = first.json()
    assert [one["article_id"] for one in listed["articles"]] == ["mới.txt", "b"]
    assert (listed["total"], listed["next"]) == (3, "/api/articles?limit=2&offset=2")
    assert first.headers["link"] == '</api/articles?limit=2&offset=2>; rel="next"'
    rest = web.get(listed["next"])
    assert [one["article_id"] for one in rest.json()["articles"]] == ["a"]
    assert "link" not in rest.headers
    later = {"since": listed["after"], "sort": "changed"}
    assert web.get("/api/articles", params=later).json()["total"] == 0
    folders.write("mới.txt", "Ruộng chè", "Nay đã khác.")
    folders.update()
    [changed] = web.get("/api/articles", params=later).json()["articles"]
    assert changed["article_id"] == "mới.txt"
    assert changed["entered"] < changed["changed"]
    near = web.get("/api/articles?q=cam").json()
    assert [one["article_id"] for one in near["articles"]] == ["b"]
    assert web.get("/api/articles?since=hôm qua").status_code == 400


def test_hits_have_a_link_to_the_next_ones(web: TestClient) -> None:
    response = web.get("/api/query?q=hợp tác xã&limit=1&match=any")
    assert 'offset=1>; rel="next"' in response.headers["link"]
    following = response.headers["link"].partition("<")[2].partition(">")[0]
    assert web.get(following).json()["hits"][0]["article_id"] != response.json()["hits"][0]["article_id"]
    assert web.get("/api/feeds").json() == {"feeds": [], "fetched": None}


def test_months_are_linked_by_year_and_in_the_form_of_the_language() -> None:
    months = {"2025-03": 1, "2024-12": 2, "2024-01": 3, "2019-07": 4, "2018-05": 5}
    years = _years(months, "")
    assert [(one.year, one.articles, len(one.months)) for one in years] == [
        ("2025", 1, 1),
        ("2024", 5, 2),
        ("2019", 4, 0),
        ("2018", 5, 0),
    ]
    assert [one.year for one in _years(months, "2019") if one.months] == ["2019"]
    assert (_month_text("vi", "2024-01"), _month_text("en", "2024-01")) == ("01/2024", "Jan 2024")
    assert [_month_text("vi", odd) for odd in ("2024", "2024-13", "x")] == ["2024", "2024-13", "x"]
