"""The pages without a browser: content, links, languages, hostile texts."""

import asyncio
import csv
import datetime
import io
import json
import re
import string
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import docx
import openpyxl
import polib
import pytest
from index.folders import Folders

from htxsearch import Index
from htxsearch import web as web_package
from htxsearch.engine.whoosh.engine import WhooshEngine
from htxsearch.errors import UsageError
from htxsearch.errors.messages import LANGUAGES, LOCALE_FOLDER, Language, date_text, template
from htxsearch.query.filters import FACETS
from htxsearch.text.places import former_parts, province_now
from htxsearch.web.index_thread import ThreadName
from htxsearch.web.pages import _ERROR_HEADINGS
from htxsearch.web.rendering import page_text

from .conftest import DEMO, HOSTILE, Open, TestClient

ARTICLE = "thai-nguyen/hop-tac-xa-che-tan-cuong.txt"

VOID = {"meta", "link", "input", "br", "img", "hr"}


class Page(HTMLParser):
    """The tags and text of a page; every element must be closed where it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == [], "elements left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute stands twice in {tag}"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def links(self) -> list[str]:
        return [one["href"] or "" for one in self.all("a")]

    def shown(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))


def page(web: TestClient, address: str, status: int = 200) -> Page:
    answer = web.get(address)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Page(answer.text)


def wait_for_questions(web: TestClient) -> None:
    """Wait until the questions of the start page were tried."""

    async def wait() -> None:
        await asyncio.gather(*web.app.state.trial_tasks)  # type: ignore[attr-defined]

    assert web.portal is not None
    web.portal.call(wait)


@contextmanager
def held(web: TestClient, name: ThreadName) -> Iterator[None]:
    """Keep a thread of the server busy meanwhile."""
    begun, go_on = threading.Event(), threading.Event()
    thread = web.app.state.index_threads.by_name()[name]  # type: ignore[attr-defined]
    assert web.portal is not None

    def wait(_: Index) -> None:
        begun.set()
        go_on.wait()

    busy = web.portal.start_task_soon(thread.ask, wait)
    try:
        begun.wait()
        yield
    finally:
        go_on.set()
        busy.result()


def marks(text: str) -> list[str]:
    return re.findall("<mark>(.*?)</mark>", text)


def test_the_first_page_has_the_form_and_the_commonest_places(web: TestClient, demo: Index) -> None:
    first = page(web, "/")
    assert ("form", "search") in [(tag, attributes.get("role")) for tag, attributes in first.tags]
    assert str(demo.counts().articles) in first.shown()
    begin = next(link for link in first.links() if "place" in link)
    query = parse_qs(urlsplit(begin).query)["q"][0]
    total = demo.search(query).total
    assert total > 0
    assert f"trong {total}" in page(web, begin).shown()
    label = re.search('"(.*)"', query)
    assert label is not None
    assert f"{label.group(1)} {total}" in first.shown()


def test_results_show_what_the_library_finds(web: TestClient, demo: Index) -> None:
    expected = demo.search("hop tac xa che")
    text = web.get("/?q=hop tac xa che").text
    shown = Page(text).shown()
    at = [shown.index(" ".join(hit.title.split()[-2:])) for hit in expected.hits]
    assert len(at) == 10
    for hit in expected.hits:
        ends = f"id={quote(hit.article_id, safe='')}#p{hit.passage.start}"
        assert any(link.startswith("/article?") and link.endswith(ends) for link in Page(text).links())
        for span in hit.title_highlights:
            assert hit.title[span.start : span.end] in marks(text)
    assert f"Bài 1–10: {expected.near} bài phù hợp" in shown


def test_pages_neither_skip_nor_repeat(web: TestClient, demo: Index) -> None:
    address: str | None = "/?q=hợp tác xã"
    seen: list[str] = []
    while address:
        one = page(web, address)
        seen += [parse_qs(urlsplit(link).query)["id"][0] for link in one.links() if "#p" in link]
        following = [link["href"] for link in one.all("a") if link.get("rel") == "next"]
        address = following[0] if following else None
    assert seen == [hit.article_id for hit in demo.search("hợp tác xã", limit=100).hits]
    assert "Không còn kết quả" in page(web, "/?q=hợp tác xã&page=99").shown()


def test_facets_and_years_are_links_that_filter(web: TestClient, demo: Index) -> None:
    first = page(web, "/?q=hợp tác xã")
    assert {"name": "place", "value": "Thái Nguyên", "type": "checkbox"} in first.all("input")
    narrowed = page(web, "/?q=hợp tác xã&place=Thái Nguyên&since=&until=")
    total = demo.search("hợp tác xã", place="Thái Nguyên").total
    assert f"trong {total}" in narrowed.shown()
    assert any(
        link.get("aria-label") == "Bỏ lọc Thái Nguyên" and link["href"] == "/?q=h%E1%BB%A3p+t%C3%A1c+x%C3%A3"
        for link in narrowed.all("a")
    )
    bars = [link for link in first.all("a") if (link.get("aria-label") or "").startswith("Năm 2019")]
    assert len(bars) == 1
    of_2019 = page(web, bars[0]["href"] or "")
    assert f"trong {demo.search('hợp tác xã', since='2019', until='2019').total}" in of_2019.shown()
    newest = page(web, "/?q=hợp tác xã&sort=date&since=9/2019&until=").shown()
    assert "9/2019 – …" in newest


def test_present_and_former_provinces_filter_to_their_counts(web: TestClient, demo: Index) -> None:
    facets = demo.search("hợp tác xã", facets=FACETS).facets
    first = page(web, "/?q=hợp tác xã")
    boxes = {one["value"] for one in first.all("input") if one.get("name") == "place"}
    for place, count in sorted(facets["province"].items(), key=lambda one: (-one[1], one[0])):
        assert place in boxes
        assert demo.search("hợp tác xã", place=place).total == count
    parts = {place: former_parts(province) for place in facets["place"] if (province := province_now(place))}
    several = [place for place, of in parts.items() if len(facets["place"].keys() & set(of)) > 1]
    assert several, "former provinces stand in the present one if there are several"
    for place in several:
        typed = f"{place} (cũ)" if f"{place} (cũ)" in boxes else place
        assert typed in boxes
        assert demo.search("hợp tác xã", place=typed).total == facets["place"][place]
    assert any(box.endswith("(cũ)") for box in boxes if box) == any(len(former_parts(place)) > 1 for place in several)


def test_several_values_of_a_facet_are_alternatives_and_the_others_stay_in_sight(web: TestClient, demo: Index) -> None:
    everywhere = {one["value"] for one in page(web, "/?q=hợp tác xã").all("input") if one.get("type") == "checkbox"}
    two = page(web, "/?q=hợp tác xã&place=Thái Nguyên&place=Bắc Giang")
    assert f"trong {demo.search('hợp tác xã', place=('Thái Nguyên', 'Bắc Giang')).total}" in two.shown()
    boxes = [one for one in two.all("input") if one.get("type") == "checkbox" and one["name"] == "place"]
    assert [one["value"] for one in boxes if "checked" in one] == ["Thái Nguyên", "Bắc Ninh"], "Bắc Giang is in Bắc Ninh today"
    assert {one["value"] for one in boxes} <= everywhere
    assert len(boxes) > 10
    clear = {one["href"] for one in two.all("a") if one["href"] == "/?q=h%E1%BB%A3p+t%C3%A1c+x%C3%A3"}
    assert clear
    nowhere = page(web, "/?q=hợp tác xã&place=Mặt Trăng").all("input")
    assert any(one.get("value") == "Mặt Trăng" and "checked" in one for one in nowhere), "a tick can be taken away"


def test_this_week_month_and_year_are_links(web: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    class Day(datetime.date):
        @classmethod
        def today(cls) -> "Day":
            return cls(2025, 6, 19)

    monkeypatch.setattr("htxsearch.web.pages.datetime.date", Day)
    first = web.get("/?q=hợp tác xã")
    since = [parse_qs(urlsplit(link).query).get("since", [""])[0] for link in Page(first.text).links()]
    assert since[since.index("2025-06-16") :][:3] == ["2025-06-16", "6/2025", "2025"]
    Day.today = classmethod(lambda cls: cls(2025, 7, 1))  # type: ignore[method-assign, assignment]
    again = web.get("/?q=hợp tác xã", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 200, "another day, another page"


def test_hints_are_links_to_what_they_advise(web: TestClient) -> None:
    near = page(web, "/?q=chè&place=Thái Nguen")
    assert "/?q=ch%C3%A8&place=Th%C3%A1i+Nguy%C3%AAn" in near.links()
    assert "/?q=zzzz" in page(web, "/?q=zzzz&place=Huế").links()
    assert "/?q=ch%C3%A8&place=B%E1%BA%AFc+Ninh" in page(web, "/?q=chè&place=Bắc Giang").links()


def test_an_answer_is_shown_above_the_passages_in_its_sentence(web: TestClient, demo: Index) -> None:
    question = "Ai là giám đốc HTX chè Tân Cương Xanh?"
    answer = demo.ask(question).answer
    assert answer is not None
    text = web.get("/", params={"q": question}).text
    card = text[text.index('class="card answer"') : text.index('class="hits"')]
    assert marks(card)[0] == answer.text
    assert f"<bdi>{answer.text}</bdi></a></p>" in card, "in front of its sentence"
    assert "Trả lời" in Page(text).shown()
    assert any(link.endswith(f"id={quote(answer.article_id, safe='')}#p{answer.passage.start}") for link in Page(text).links())
    for address in ("/?q=hợp tác xã chè", "/?q=zzzz bao nhiêu", f"/?q={question}&page=2", f"/?q={question}&sort=date"):
        assert 'class="card answer"' not in web.get(address).text, "only where something was asked and is known"


def test_other_answers_are_grouped_by_their_relation_to_the_answer(
    web: TestClient, demo: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the values."""
    question = "Ai là giám đốc HTX chè Tân Cương Xanh?"
    results = demo.search(question, facets=FACETS, answer=True)
    assert results.answers is not None
    assert results.answers.answer is not None
    figures = {"541 HTX": "same", "540 HTX": "different", "482 HTX": "other date", "702 HTX": "other date", "x": None}
    years = {"541 HTX": 2020, "540 HTX": 2020, "482 HTX": 2017, "702 HTX": 2023, "x": 2020}
    others = tuple(
        replace(results.answers.answer, relation=relation, as_of=f"năm {figure}", date=datetime.date(years[figure], 1, 1))
        for figure, relation in figures.items()
    )
    monkeypatch.setattr(Index, "search", lambda *_, **__: replace(results, answers=replace(results.answers, others=others)))
    text = web.get("/", params={"q": question}).text
    card = Page("<div>" + text[text.index('<section class="card answer"') : text.index('<div class="bar"')] + "</div>")
    shown = card.shown()
    headings = ("Bài khác cũng nói vậy", "Nguồn khác nói khác", "Qua các thời điểm")
    order = (headings[2], "năm 702", "năm 482", headings[0], "năm 541", headings[1], "năm 540")
    positions = [shown.index(part) for part in order]
    assert positions == sorted(positions), "the series, newest first, then the others by what they say"
    assert [shown.count(heading) for heading in headings] == [1, 1, 1]
    assert "năm x" not in shown
    assert len(card.all("blockquote")) == 3
    assert len(card.all("tr")) == 4


def test_an_answer_opens_its_article_with_the_answer_marked(web: TestClient, demo: Index) -> None:
    question = "Ai là giám đốc HTX chè Tân Cương Xanh?"
    answer = demo.ask(question).answer
    assert answer is not None
    link = next(link for link in page(web, f"/?q={question}").links() if "&mark=" in link)
    assert marks(web.get(link).text) == [answer.text]
    for at in ("0-99999999", "9-1", "x", "-1-2"):
        assert web.get("/article", params={"id": ARTICLE, "mark": at}).status_code == 200


def test_a_series_has_its_newest_figure_first_and_a_drawing(web: TestClient, demo: Index) -> None:
    question = "Thái Nguyên có bao nhiêu HTX?"
    answers = demo.search(question, answer=True).answers
    assert answers is not None
    assert answers.answer is not None
    figures = [answers.answer.text, *(one.text for one in answers.others if one.relation == "other date")]
    text = web.get("/", params={"q": question}).text
    table = text[text.index("<tbody") : text.index("</tbody>")]
    assert re.findall(r"<td><bdi>(\d+ HTX)</bdi>", table) == figures
    heights = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', text)
    assert len(heights) == len(figures) > 1
    assert sorted(heights, key=lambda one: float(one[0])) == heights, "from left to right"
    assert float(heights[0][1]) > float(heights[-1][1]), "702 is above 541"


@pytest.mark.parametrize("kind", ["reason", "yesno"])
def test_why_and_whether_are_answered_by_the_sentence(
    web: TestClient, demo: Index, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    question = "Ai là giám đốc HTX chè Tân Cương Xanh?"
    results = demo.search(question, facets=FACETS, answer=True)
    assert results.answers is not None
    assert results.answers.answer is not None
    answers = replace(results.answers, answer=replace(results.answers.answer, kind=kind, date=None))
    monkeypatch.setattr(Index, "search", lambda *_, **__: replace(results, answers=answers))
    text = web.get("/", params={"q": question}).text
    assert 'class="value"' not in text
    assert "bài không ghi ngày" in text


def test_the_first_page_has_the_newest_articles_and_questions_that_are_answered(web: TestClient, demo: Index) -> None:
    page(web, "/")
    wait_for_questions(web)
    first = page(web, "/")
    newest = [parse_qs(urlsplit(link).query)["id"][0] for link in first.links() if link.startswith("/article")]
    assert newest == [hit.article_id for hit in demo.search("date:1900..", sort="date", limit=6).hits]
    asked = [parse_qs(urlsplit(link).query)["q"][0] for link in first.links() if "bao+nhi%C3%AAu" in link]
    assert len(asked) == 3
    assert all(demo.ask(question).answer for question in asked)


def test_the_first_page_comes_before_its_questions_were_tried(opened: Open, tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    folders.write_some(3)
    folders.update()
    web = opened(index=str(folders.index), corpus=str(folders.corpus))
    with held(web, "answers"):
        for _ in range(2):
            assert web.get("/").headers["cache-control"] == "no-store", "the next time they may be there"
    wait_for_questions(web)
    assert web.get("/").headers["etag"]
    folders.write("thêm.txt", "Tổ trồng sen")
    folders.update()
    assert "etag" not in web.get("/").headers, "another commit"


def test_a_missing_or_damaged_index_is_a_page_that_says_what_to_type(opened: Open, tmp_path: Path) -> None:
    missing = page(opened(index=str(tmp_path / "none"), corpus="corpus"), "/", status=503)
    assert f"htxsearch reindex --index {tmp_path}/none" in missing.shown()
    assert "htxsearch reindex" not in page(opened(index=str(tmp_path / "none")), "/none", status=404).shown()


def test_a_page_with_an_answer_searches_the_engine_once(web: TestClient, searches: list[object]) -> None:
    assert 'class="card answer"' in web.get("/?q=Ai là giám đốc HTX chè Tân Cương Xanh?").text
    assert len(searches) == 2  # the retrieval, and the count of the near articles


def test_a_question_without_an_answer_has_a_note(web: TestClient) -> None:
    asked = "giám đốc hợp tác xã Mặt Trăng là ai?"
    assert "chưa có đoạn nào trả lời đủ chắc chắn" in page(web, f"/?q={asked}").shown()
    assert "no passage answers this with enough confidence" in page(web, f"/?q={asked}&lang=en").shown()
    for address in (f"/?q={asked}&page=2", "/?q=giám đốc hợp tác xã", f"/?q={asked}&place=Nowhere"):
        assert "trả lời đủ chắc chắn" not in page(web, address).shown()


def test_an_invalid_date_can_be_corrected(web: TestClient) -> None:
    for dates in ("since=hôm kia", "since=2021&until=2019"):
        refused = page(web, f"/?q=chè&place=Thái Nguyên&{dates}", status=400)
        values = {(one.get("name"), one.get("value")) for one in refused.all("input")}
        assert {("q", "chè"), ("place", "Thái Nguyên")} <= values
        assert not {name for name, _ in values} & {"since", "until"}, "what is wrong is not sent again"
        again = next(link for link in refused.links() if link.startswith("/?q=") and "since" not in link)
        assert page(web, again).all("article")


def test_reprints_are_grouped_under_a_hit(web: TestClient, demo: Index) -> None:
    found = demo.search("bản người Dao làm du lịch")
    hit = next(hit for hit in found.hits if hit.reprints)
    shown = page(web, "/?q=bản người Dao làm du lịch")
    assert "Còn đăng ở" in shown.shown()
    ids = [parse_qs(urlsplit(link).query)["id"][0] for link in shown.links() if link.startswith("/article")]
    assert {hit.article_id, hit.reprints[0].article_id} <= set(ids)


def test_an_official_document_tells_its_own_number_and_its_signer(opened: Open, tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    folders.write("a.txt", "HTX VƯỜN SẢ", "Số: 4/BC-HTX\nBÁO CÁO\nVườn sả năm qua\nXóm trồng sả.\nGIÁM ĐỐC\nVàng A Lử")
    folders.write("b.txt", "Vườn sả", "Báo cáo 4/BC-HTX nói về sả.")
    assert not folders.update().rejected
    client = opened(index=str(folders.index), corpus=str(folders.corpus))
    page = " ".join(Page(client.get("/article", params={"id": "a.txt", "lang": "vi"}).text).text)
    assert "Số của văn bản này: 4/BC-HTX" in " ".join(page.split())
    assert "Người ký: Vàng A Lử, Giám đốc" in " ".join(page.split())
    assert "Số của văn bản này" not in client.get("/article", params={"id": "b.txt", "lang": "vi"}).text


def test_dropped_parts_of_an_original_are_shown_with_their_reasons(web: TestClient, demo: Index) -> None:
    for article in (ARTICLE, "bao-cao/dak-lak-ket-qua-2023.txt"):
        left_out = [one.text for one in demo.dropped(article)]
        assert left_out
        shown = page(web, f"/dropped?id={article}")
        for text in left_out:
            assert " ".join(text.split()) in shown.shown()
        assert "dòng chỉ ghi ngày giờ đăng" in shown.shown()
    page(web, "/dropped?id=none", status=404)


def test_every_reason_for_dropping_a_part_has_a_code_in_both_languages(demo: Index) -> None:
    reasons = {part.reason for article in demo.article_ids() for part in demo.dropped(article)}
    codes = {reason.code for reason in reasons}
    assert len(codes) > 5
    assert [code for code in codes for language in LANGUAGES if template(code, language) is None] == []


def test_the_chart_is_proportional_to_the_counts(web: TestClient, demo: Index) -> None:
    counts = demo.search("hợp tác xã", facets=("year",)).facets["year"]
    text = web.get("/?q=hợp tác xã").text
    heights = dict(re.findall(r'aria-label="Năm (\d+): \d+ bài">.*?bar-of-year"[^>]* height="([\d.]+)"', text, re.DOTALL))
    assert heights.keys() == counts.keys()
    most = max(counts.values())
    assert all(float(heights[year]) == pytest.approx(max(3, 100 * count / most), abs=0.06) for year, count in counts.items())


def test_corrections_and_restored_queries_are_shown(web: TestClient) -> None:
    assert "Đã hiểu là: hợp tác xã" in page(web, "/?q=hopwj tacs xax").shown()
    mended = page(web, "/?q=hợp tác xả")
    assert "Có phải bạn muốn tìm: hợp tác xã" in mended.shown()
    nothing = page(web, "/?q=zzzzz&place=Huế").shown()
    assert "Không tìm thấy bài nào" in nothing
    assert "không bài nào có: zzzzz" in nothing


def test_an_invalid_query_stays_in_the_form(web: TestClient) -> None:
    refused = page(web, "/?q=()&place=Huế", status=400)
    assert "chưa có gì để tìm" in refused.shown()
    values = {(one.get("name"), one.get("value")) for one in refused.all("input")}
    assert {("q", "()"), ("place", "Huế")} <= values
    assert "nothing to look for" in page(web, "/?q=()&lang=en", status=400).shown()
    assert "đã bỏ qua" in page(web, '/?q="chè').shown(), "a slip is no error"
    assert page(web, "/?q=chè&sort=x", status=400).shown()


def test_an_article_has_anchors_and_highlights(web: TestClient, demo: Index) -> None:
    hit = demo.search("hop tac xa che").hits[0]
    text = web.get("/article", params={"id": hit.article_id, "q": "hop tac xa che", "place": hit.place}).text
    shown = Page(text)
    anchors = [int((one["id"] or "")[1:]) for _, one in shown.tags if re.fullmatch(r"p\d+", one.get("id") or "")]
    assert anchors == [span.start for span in demo.show(hit.article_id).passages]
    assert {hit.passage.text[span.start : span.end] for span in hit.highlights} <= set(marks(text))
    back = next(link for link in shown.links() if link.startswith("/?q="))
    assert parse_qs(urlsplit(back).query) == {"q": ["hop tac xa che"], "place": [hit.place]}
    body = demo.show(hit.article_id).article.body
    assert "".join(body.split()) in "".join(shown.shown().split()), "the whole text, nothing twice"


def test_a_paragraph_of_several_passages_stays_whole(opened: Open, tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    sentence = "Bà con trồng chè, cam, quýt, bưởi, lúa, ngô, khoai, sắn, mía, lạc, vừng và nuôi tôm, cá, bò, lợn, gà, vịt, ong."
    paragraph = " ".join(f"{sentence[:-1]} lần {number}." for number in range(20))
    folders.write("a.txt", "Tổ trồng chè", f"Mở đầu.\n{paragraph}\nTổ bán lần 30.")
    folders.update()
    with folders.open() as index:
        view = index.show("a.txt")
    text = opened(index=str(folders.index), corpus=str(folders.corpus)).get("/article?id=a.txt&q=lần").text
    shown = Page(text)
    places = [(tag, int((one["id"] or "")[1:])) for tag, one in shown.tags if re.fullmatch(r"p\d+", one.get("id") or "")]
    assert [at for _, at in places] == [span.start for span in view.passages]
    assert [tag for tag, _ in places] == ["div", *["span"] * (len(places) - 1)]
    links = [one["href"] for one in shown.all("a") if one.get("class") == "anchor"]
    assert links == [f"#p{span.start}" for span in view.passages]
    paragraphs = re.findall(r'<p dir="auto">(.*?)</p>', text)
    written = [" ".join(re.sub("<.*?>", "", one).split()) for one in paragraphs]
    assert written == ["Mở đầu.", paragraph, "Tổ bán lần 30."]
    assert len(marks(text)) == 21
    assert shown.shown().count("Tổ bán") == 1
    [goes_on] = [one for one in shown.all("div") if one.get("class") == "passage goes-on"]
    assert "id" not in goes_on


def test_an_article_can_be_read_with_an_invalid_query(web: TestClient) -> None:
    assert marks(web.get("/article", params={"id": ARTICLE, "q": "()"}).text) == []
    assert marks(web.get("/article", params={"id": ARTICLE}).text) == []
    missing = page(web, "/article?id=thai-nguyen/che.txt", status=404)
    assert "không có bài «thai-nguyen/che.txt»" in missing.shown()
    page(web, "/article", status=400)


def test_related_articles_are_linked_and_reprints_are_apart(web: TestClient, demo: Index) -> None:
    reprinted = "trang-tong-hop/nam-dam-lam-du-lich.txt"
    shown = page(web, f"/related?id={reprinted}")
    expected = [one.article_id for one in demo.related(reprinted, limit=20).related]
    found = [parse_qs(urlsplit(link).query)["id"][0] for link in shown.links() if link.startswith("/article")]
    assert sorted(found[1:]) == sorted(expected)
    assert "Cùng nội dung, đăng lại" in shown.shown()


def test_an_articles_list_of_related_ones_comes_after_its_page(web: TestClient, demo: Index) -> None:
    reprinted = "trang-tong-hop/nam-dam-lam-du-lich.txt"
    article = web.get("/article", params={"id": reprinted, "q": "du lịch", "lang": "en", "mark": "0-5"})
    shown = Page(article.text)
    assert any(link.startswith("/related?id=") for link in shown.links()), "without scripts"
    assert not any("quan-ba" in link for link in shown.links())
    [place] = [one for one in shown.all("section") if one.get("data-list")]
    address = place["data-list"] or ""
    listed = web.get(address)
    assert (listed.status_code, listed.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert listed.text.startswith("<p>The nearest"), "the first paragraph says what was found"
    links = [parse_qs(urlsplit(link).query) for link in Page(listed.text).links()]
    assert [one["id"][0] for one in links] == [one.article_id for one in demo.related(reprinted, limit=5).related]
    assert all(one["q"] == ["du lịch"] and one["lang"] == ["en"] and "mark" not in one for one in links)
    again = web.get(address, headers={"If-None-Match": listed.headers["etag"]})
    assert again.status_code == 304
    assert web.get("/related/list?id=none").status_code == 404


def test_an_articles_page_does_not_wait_for_the_thread_of_related_articles(web: TestClient) -> None:
    with held(web, "related"):
        assert web.get(f"/article?id={ARTICLE}").status_code == 200


def test_a_search_does_not_wait_for_questions(web: TestClient) -> None:
    with held(web, "answers"):
        for address in ("/?q=chè", "/?q=ai là giám đốc&page=2", "/?q=ai là giám đốc&sort=date", "/", "/api/query?q=vì sao"):
            assert web.get(address).status_code == 200


@pytest.mark.parametrize("address", ["/?q=ai là giám đốc htx", "/?q=ai la giam doc htx", "/api/ask?q=chè"])
def test_a_question_does_not_wait_for_searches(web: TestClient, address: str) -> None:
    with held(web, "search"):
        assert web.get(address).status_code == 200


def test_questions_are_refused_while_too_many_wait(opened: Open, demo_index: Path) -> None:
    web = opened(index=str(demo_index), corpus=str(DEMO), max_waiting=1)
    with held(web, "answers"):
        for address in ("/?q=ai là giám đốc", "/api/ask?q=chè"):
            refused = web.get(address)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert web.get("/?q=chè").status_code == 200
        assert web.get("/api/health").json()["reasons"][0]["code"] == "health.queue"


def test_every_page_has_both_languages(web: TestClient) -> None:
    for address in (
        *("/?x=1", "/?q=chè", "/?q=zzzz", f"/article?id={ARTICLE}&q=chè", f"/related?id={ARTICLE}", "/?q=%22"),
        *(
            f"/dropped?id={ARTICLE}&q=chè",
            "/facts",
            "/facts?q=số HTX&place=Bắc Giang&status=actual",
            "/facts?q=zzzz",
            f"/article?id={ARTICLE}&q=chè&origin=facts",
            "/article?id=none&q=chè",
            "/related?id=none",
            "/?q=chè&since=x",
            "/?q=chè&sort=x",
            "/none",
        ),
    ):
        vietnamese = Page(web.get(address).text)
        english_address = next(one["href"] or "" for one in vietnamese.all("a") if one.get("hreflang") == "en")
        english = Page(web.get(english_address).text)
        assert (vietnamese.all("html"), english.all("html")) == ([{"lang": "vi"}], [{"lang": "en"}])
        inside = [link for link in english.links() if link.startswith("/") and not link.startswith("/static")]
        back = [one["href"] for one in english.all("a") if one.get("hreflang") == "vi"]
        assert all("lang=en" in link for link in inside if link not in back), "the language stays"
        assert "lang=en" not in (back[0] or "")
        asked = {name: parse_qs(urlsplit(one).query).get(name) for one in (address,) for name in ("q", "id")}
        switched = {name: parse_qs(urlsplit(english_address).query).get(name) for name in ("q", "id")}
        assert asked == switched, "what was asked stays"


def test_what_the_search_says_is_in_the_language_of_the_page(web: TestClient, demo: Index) -> None:
    hints = [
        *demo.search("zzzzz +yyyy", place="Huế", since="1900", until="1901").hints,
        *demo.search("chè place:Xyz source:Abc").hints,
        *demo.search("qqqq").hints,
        *(hint for place in ("Thái Nguyên", "Bắc Kạn", "Thái Nguen") for hint in demo.search("chè", place=place).hints),
    ]
    assert len(hints) >= 6
    assert [hint for hint in hints if template(hint.code, "vi") is None] == []
    for query in ('"a', "(a", "a)", " ", "-a", "a OR", "AND a", "xx:a", "a " * 2000, "date:x"):
        with pytest.raises(UsageError) as raised:
            demo.search(query, strict=True)
        assert template(raised.value.code, "vi") is not None
    assert "--" not in page(web, "/?q=zzzz&place=Huế&lang=en").shown(), "no option of the command line on a page"


def names_in_the_templates() -> set[str]:
    """Return the names of the texts that the templates name as literals."""
    folder = Path(web_package.__file__).parent / "templates"
    sources = "".join(path.read_text("utf-8") for path in folder.glob("*.html"))
    return set(re.findall(r"""\bt\(['"]([\w-]+)['"][,)]""", sources)) - {"answer-", "outcome-", "sort-", "shortcut-"}


def catalogue(language: Language) -> dict[str, str]:
    """Return the texts of the pages in a language by their names."""
    entries = polib.pofile(str(LOCALE_FOLDER / language / "LC_MESSAGES" / "htxsearch.po"))
    pages = [entry for entry in entries if entry.msgid.startswith("page.")]
    return {entry.msgid.removeprefix("page."): entry.msgstr or entry.msgstr_plural[0] for entry in pages}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_has_the_texts_that_the_pages_show_and_no_other(language: Language) -> None:
    used = names_in_the_templates() | {"sort-score", "sort-date"} | {f"error-{status}" for status in _ERROR_HEADINGS}
    used |= {"error-no-index"}
    used |= {
        "dropped-about",
        "dropped-none",
        "by-province",
        "by-source",
        "shortcut-week",
        "shortcut-month",
        "shortcut-year",
        "place",
        "source",
        "year",
    }
    used |= {f"answer-{relation}" for relation in ("different", "other-date", "same")}
    used |= {f"outcome-{name}" for name in ("added", "updated", "same", "followed", "unread", "refused")}
    used |= {f"job-is-{state}" for state in ("waiting", "running", "done", "failed")}
    used |= {"job-add", "job-reindex", "job-rebuild", "order-entered", "order-date", "lacks-date", "lacks-place"}
    used |= {"by-month", "by-year", "feed-of-new", "search-label"}
    used |= {f"status-{name}" for name in ("articles", "passages", "facts", "vectors", "ignored")}
    used |= {"figures-half-1", "figures-half-2", "figures-quarter"}
    used |= {"cite-footnote", "cite-apa", "cite-bibtex", "role-reader", "role-editor"}
    used |= {f"field-{name}" for name in ("title", "date", "place", "source", "author", "number", "signer", "url")}
    used |= {f"change-{what}" for what in ("edit", "remove", "restore")}
    assert catalogue(language).keys() == used


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_pages_is_rendered_with_its_values(language: Language) -> None:
    for name, text in catalogue(language).items():
        fields = {field: 1234 for _, field, _, _ in string.Formatter().parse(text) if field}
        rendered = page_text(language, name, **fields)
        assert rendered.strip()
        assert "{" not in rendered
        grouped = fields.keys() - {"page"}  # the number of a page is none of a quantity
        assert rendered.count("1.234" if language == "vi" else "1,234") == len(grouped)


def test_numbers_and_dates_have_the_form_of_the_pages_language(web: TestClient, demo: Index) -> None:
    day = demo.show(ARTICLE).article.date
    assert day is not None
    for language in LANGUAGES:
        text = web.get("/article", params={"id": ARTICLE, "lang": language}).text
        shown = re.findall(rf'<time lang="{language}" datetime="{day.isoformat()}">([^<]*)</time>', text)
        assert shown[0] == date_text(day, language)


def test_downloads_have_all_near_hits(web: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    near = web.get("/api/query?q=chè").json()["near"]
    monkeypatch.setattr("htxsearch.web.pages.MAX_HITS", 2)
    answer = web.get("/download?q=chè&format=json")
    assert 2 < len(answer.json()["hits"]) <= near
    assert all(hit["near"] for hit in answer.json()["hits"])
    again = web.get("/download?q=chè&format=json", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_downloads_have_the_hits_of_the_search(web: TestClient, demo: Index) -> None:
    expected = demo.search("chè", place="Thái Nguyên", limit=100, facets=FACETS)
    answer = web.get("/download?q=chè&place=Thái Nguyên")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="htxsearch.csv"'
    assert answer.content.startswith("\ufeff".encode())
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert [row["Mã bài"] for row in rows] == [hit.article_id for hit in expected.hits]
    assert rows[0]["Đoạn trích"] == expected.hits[0].passage.text
    english = web.get("/download?q=chè&place=Thái Nguyên&lang=en").content.decode("utf-8-sig")
    assert english.startswith("number;title;source;date;place;page;passage;url;path;article_id\r\n")
    as_json = json.loads(web.get("/download?q=chè&place=Thái Nguyên&format=json").content)
    assert as_json["hits"] == [hit.as_json() for hit in expected.hits]
    assert web.get("/download").status_code == 400


def test_downloads_for_a_spreadsheet_and_for_a_report(web: TestClient, demo: Index) -> None:
    titles = [hit.title for hit in demo.search("chè", place="Thái Nguyên", limit=100).hits]
    address = "/download?q=chè&place=Thái Nguyên&format="
    sheet = openpyxl.load_workbook(io.BytesIO(web.get(f"{address}xlsx").content)).active
    assert sheet is not None
    assert [row[1].value for row in sheet][1:] == titles
    written = [f"{number}. {title}" for number, title in enumerate(titles, start=1)]
    document = docx.Document(io.BytesIO(web.get(f"{address}docx").content))
    assert [one.text for one in document.paragraphs if one.style and one.style.name == "Heading 2"] == written
    assert "Địa phương: Thái Nguyên" in [one.text for one in document.paragraphs]
    answer = web.get(f"{address}md")
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store", "it has the day of the search"
    assert [line.removeprefix("## ") for line in answer.text.splitlines() if line.startswith("## ")] == written
    links = [link for link in page(web, "/?q=chè").links() if "/download" in link]
    assert all(web.get(link).status_code == 200 for link in links)
    assert len(links) == 5


def test_a_page_is_small_and_loads_nothing_from_elsewhere(web: TestClient) -> None:
    for address in ("/", "/?q=hợp tác xã chè"):
        text = web.get(address).text
        shown = Page(text)
        files = [
            one.get("src") or one.get("href") or ""
            for tag, one in shown.tags
            if tag in ("link", "script", "img") and one.get("rel") not in ("search", "alternate")
        ]
        assert len(files) == 3
        assert all(file.startswith("/static/") for file in files)
        size = len(text.encode()) + sum(len(web.get(file).content) for file in files)
        assert size <= 60_000, f"{address} needs {size} bytes"
        assert not [one for tag, one in shown.tags if "style" in one or any(name.startswith("on") for name in one)]
        assert all(one.get("src") for one in shown.all("script")), "no script inside the page"
        assert not shown.all("style")


def test_static_files_are_immutable_under_the_hash_of_their_content(web: TestClient) -> None:
    for name, kind in (("style.css", "text/css"), ("script.js", "text/javascript"), ("icon.svg", "image/svg+xml")):
        answer = web.get(f"/static/{name}?v=1")
        assert answer.headers["content-type"].startswith(kind)
        assert "immutable" in answer.headers["cache-control"]
        assert web.get(f"/static/{name}", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_queries_are_ordinary_words(opened: Open, hostile: Folders, text: str) -> None:
    web = opened(index=str(hostile.index), corpus=str(hostile.corpus))
    for address in ("/", "/api/query", "/api/ask", "/api/suggest", "/api/facets", "/download"):
        answer = web.get(address, params={"q": text})
        assert answer.status_code in (200, 400), address
        if answer.headers["content-type"].startswith("text/html"):
            assert_harmless(answer.text)
    for name in ("place", "source", "since", "page", "lang", "sort"):
        answer = web.get("/", params={"q": "chè", name: text})
        assert answer.status_code in (200, 400)
        assert_harmless(answer.text)


def assert_harmless(text: str) -> None:
    shown = Page(text)
    assert all((script["src"] or "").startswith("/static/") for script in shown.all("script"))
    assert not shown.all("img")
    assert len(shown.all("h1")) <= 1
    assert not [one for _, one in shown.tags if any(name.startswith("on") for name in one)]
    assert not [link for link in shown.links() if link.lower().startswith("javascript")]
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069]", text)
    assert "49" not in shown.shown() or "7*7" in shown.shown()


def test_hostile_articles_are_ordinary_text(opened: Open, hostile: Folders) -> None:
    web = opened(index=str(hostile.index), corpus=str(hostile.corpus))
    found = web.get("/api/query", params={"q": "chè", "limit": 100}).json()
    assert found["total"] == len(HOSTILE)
    for page_number in (1, 2):
        answer = web.get("/", params={"q": "chè", "page": page_number})
        assert answer.status_code == 200
        assert_harmless(answer.text)
    assert_harmless(web.get("/").text)
    for hit in found["hits"]:
        for address in ("/article", "/related"):
            answer = web.get(address, params={"id": hit["article_id"], "q": "chè"})
            assert answer.status_code == 200
            assert_harmless(answer.text)
    table = web.get("/download", params={"q": "chè"}).content.decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(table), delimiter=";") for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    for form in ("xlsx", "docx", "md"):
        assert web.get("/download", params={"q": "chè", "format": form}).status_code == 200


def test_invalid_utf_8_is_no_server_error(web: TestClient) -> None:
    for address in (
        "/?q=%ff%fe",
        "/api/query?q=%C3%28",
        "/api/query?q=%ED%A0%80",
        "/api/articles/%ff",
        "/article?id=%ED%A0%80",
    ):
        assert web.get(address).status_code in (200, 400, 404)


def test_related_articles_are_warmed_up_at_the_start(web: TestClient) -> None:
    thread = web.app.state.index_threads.related  # type: ignore[attr-defined]
    assert web.portal is not None
    assert web.portal.call(thread.ask, lambda index: "similarity" in vars(index.searcher().snapshot))


def test_a_page_says_of_a_lower_bound_that_there_are_more(web: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    search_many = WhooshEngine.search_many
    monkeypatch.setattr(
        WhooshEngine,
        "search_many",
        lambda engine, searches: [replace(found, exact=False) for found in search_many(engine, searches)],
    )
    assert re.search(r"trong hơn \d+", page(web, '/?q="hợp tác xã"').shown())
    assert re.search(r"thêm hơn \d+ bài", page(web, "/?q=chè hữu cơ Thái Nguyên").shown())
