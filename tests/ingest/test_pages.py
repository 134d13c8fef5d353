"""Saved pages as portals make them: what is text, what is not, what the page says of itself; and how that is measured.

`pages/` holds four in the manner of DNN (tables as layout, no heading), SharePoint, Liferay and WordPress, all invented.
"""

import datetime
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from htxsearch.cli.evaluation import BELOW_FLOOR
from htxsearch.cli.main import cli
from htxsearch.errors import UsageError
from htxsearch.evaluate.extraction import GoldPage, by_htxsearch, by_trafilatura, evaluate_extraction, read_gold
from htxsearch.evaluate.floors import below_floors
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.boilerplate import REPEATED, block
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers import lines_to_count
from htxsearch.ingest.readers.base import ParsedDocument
from htxsearch.ingest.readers.page import read_page

PAGES = Path(__file__).parent / "pages"
SHARED = Path(__file__).parents[3] / "shared/data/html"
GOLD = {one["file"]: one for one in json.loads((PAGES / "gold.json").read_text("utf-8"))}
DAY = datetime.date(2023, 3, 14)

TITLE = "Chợ phiên Nà Ớt dời sang bãi đất cao"
STORY = [
    "Từ phiên đầu tháng tư, chợ Nà Ớt họp ở bãi đất cao sau trường, vì bãi cũ bên suối năm nào cũng bị ngập đôi ba bận.",
    "Xã san bãi trong mười hôm, kéo một đường nước và dựng bốn dãy lán lợp cọ, đủ chỗ cho chừng chín mươi người bán hàng.",
    "Bà Lù Thị Pheo bán men lá ở chợ này đã ba mươi năm, bà bảo chỗ mới xa nhà hơn nhưng gùi men không còn phải kê lên ghế.",
]


def read(data: str | bytes) -> ParsedDocument:
    [draft] = read_page(data if isinstance(data, bytes) else data.encode())
    return draft


def page(*body: str, head: str = "") -> ParsedDocument:
    """Read a page with that much in its body, between a menu and a footer."""
    menu = "".join(f'<li><a href="/{n}">{one}</a></li>' for n, one in enumerate(["Trang chủ", "Tin tức", "Văn bản"]))
    parts = f"<ul>{menu}</ul><div class='main'>{''.join(body)}</div><footer>© Bản tin Nà Ớt</footer>"
    return read(f"<html><head><meta charset='utf-8'>{head}</head><body>{parts}</body></html>")


def paragraphs(*texts: str) -> str:
    return "".join(f"<p>{one}</p>" for one in texts)


@pytest.mark.parametrize("name", GOLD)
def test_a_portals_page_gives_only_its_main_content(name: str) -> None:
    gold = GOLD[name]
    found = read((PAGES / name).read_bytes())
    assert found.body.split("\n") == [gold["sapo"], *gold["paragraphs"]]
    assert found.metadata.title == gold["title"]
    assert found.metadata.date == DAY


def test_metadata_of_a_page() -> None:
    known = read((PAGES / "wordpress.html").read_bytes()).metadata
    assert (known.author, known.source) == ("Lò Văn Ín", "Bản tin Tà Chơ")
    assert known.url == "https://tacho.example/lop-ghep-canh/"
    assert known.crawled == datetime.date(2024, 1, 8)


@pytest.mark.parametrize("name", GOLD)
def test_every_block_of_a_page_is_kept_or_dropped_with_a_reason(name: str) -> None:
    found = read((PAGES / name).read_bytes())
    dropped = {line: one.reason for one in found.dropped for line in one.text.split("\n")}
    assert all(dropped.values())
    for probe in GOLD[name]["boilerplate_probes"]:
        if probe in (PAGES / name).read_text("utf-8"):
            assert any(probe in line for line in dropped) or probe in ("Giấy phép", "Bản quyền")


def test_the_lead_above_the_main_content_is_taken_once() -> None:
    lead = "Bãi cũ bên suối để lại cho trẻ con đá bóng, còn chợ từ nay không phải nghỉ phiên nào vì nước lên."
    found = page(f"<h1>{TITLE}</h1><h2 class='sapo'>{lead}</h2><div class='content'>{paragraphs(*STORY)}</div>")
    assert found.body.split("\n") == [lead, *STORY]


def test_a_caption_that_a_page_repeats_is_kept_once() -> None:
    caption = "Gùi men lá của bà Pheo. Ảnh: Lù A Chống"
    figure = f"<figure><img src='a.jpg'><figcaption>{caption}</figcaption></figure>"
    found = page(f"<h1>{TITLE}</h1>", paragraphs(STORY[0]), figure, figure, paragraphs(*STORY[1:]))
    assert found.body.split("\n") == [STORY[0], caption, *STORY[1:]]


def test_a_link_amid_a_sentence_is_text_a_line_of_links_is_not() -> None:
    linked = STORY[1].replace("bốn dãy lán", "<a href='/lan'>bốn dãy lán</a>")
    other = "<p><a href='/khac'>Suối Nà Ớt được nạo vét trước mùa mưa năm ngoái</a></p>"
    found = page(f"<h1>{TITLE}</h1>", paragraphs(STORY[0], linked), other, paragraphs(STORY[2]))
    assert found.body.split("\n") == STORY


@pytest.mark.parametrize(
    ("window", "heading", "title"),
    [
        (f"{TITLE} - Bản tin Nà Ớt", "", TITLE),
        (f"{TITLE} | naot.example.vn", "", TITLE),
        (f"Cổng thông tin điện tử xã Nà Ớt > Tin tức > {TITLE}", f"<h3>{TITLE}</h3>", TITLE),
        ("Tin chi tiết", f"<h1>{TITLE}</h1>", TITLE),
        ("Báo cáo mùa mưa - Bản tin Nà Ớt", "<h1>Báo cáo mùa mưa</h1>", "Báo cáo mùa mưa"),
        (
            "Chợ Nà Ớt - chỗ mới cho chợ phiên",
            "<h1>Chợ Nà Ớt - chỗ mới cho chợ phiên</h1>",
            "Chợ Nà Ớt - chỗ mới cho chợ phiên",
        ),
        ("", f"<div class='tieuDe'>{TITLE}</div>", TITLE),
    ],
)
def test_the_title_is_the_articles_not_the_sites(window: str, heading: str, title: str) -> None:
    found = page(heading, paragraphs(*STORY), head=f"<title>{window}</title>")
    assert found.metadata.title == title
    assert found.body.split("\n") == STORY


def test_a_day_in_the_margin_is_not_the_articles() -> None:
    margin = "<div class='khac'><p>Các tin khác</p><a href='/a'>Hội xuân Nà Ớt</a> (02/01/2020)</div>"
    assert page(f"<h1>{TITLE}</h1>", paragraphs(*STORY), margin).metadata.date is None


def test_broken_json_in_a_page_is_passed_over() -> None:
    head = '<script type=\'application/ld+json\'>{"@type": "Article", </script>'
    assert page(f"<h1>{TITLE}</h1>", paragraphs(*STORY), head=head).metadata.title == TITLE


def test_repeated_blocks_of_a_page_are_dropped() -> None:
    slogan = "Bản tin Nà Ớt in ra để truyền tay, đọc xong xin đưa cho nhà bên."
    found = page(f"<h1>{TITLE}</h1>", paragraphs(*STORY, slogan))
    assert found.body.split("\n") == [*STORY, slogan]
    assert found.without is not None
    again = found.without({block(slogan)})
    assert again.body.split("\n") == STORY
    assert (slogan, REPEATED) in [(one.text, one.reason) for one in again.dropped]


@pytest.mark.parametrize("data", [b"", b"<html></html>", b"<ul><li><a href='/'>Trang</a></li></ul>", b"\x89PNG\r\n"])
def test_a_page_without_an_article_is_unreadable(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Unreadable):
        read_page(data)
    assert not caplog.records  # nothing reaches the terminal but the reason


@given(
    st.lists(
        st.sampled_from(
            ["<div>", "</div>", "<td>", "<a href='/'>", "</a>", "<p>", STORY[0], "Tin", "<!-- x -->", "</tr>", "\0"]
        )
    )
)
@settings(max_examples=60)
def test_any_markup_is_read_or_unreadable(parts: list[str]) -> None:
    try:
        found = read("".join(parts))
    except Unreadable:
        return
    assert found.body


# How it is measured


def test_extraction_is_measured_by_tokens(tmp_path: Path) -> None:
    gold = [
        GoldPage(tmp_path / "a.html", TITLE, "một hai ba bốn", ("Trang chủ", "Tin tức")),
        GoldPage(tmp_path / "b.html", TITLE, "năm", ()),
    ]
    found = {"a.html": (TITLE, "Một hai hai trang  chủ Trang chủ", ""), "b.html": ("", "", "")}
    run = evaluate_extraction("set", tuple(gold), lambda file: found[file.name], by="")
    assert run.measures == {"Precision": pytest.approx(2 / 7 / 2), "Recall": 0.25, "Titles": 0.5, "Clean": 0.5}
    assert run.leaks == 1
    below = below_floors({"set": {"Recall": 0.3}}, [run])
    assert [str(message) for message in below] == ["set: Recall (left-out) is 0.2500, below its floor 0.3000"]


def test_a_document_is_measured_with_its_title_and_day(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").touch()
    (tmp_path / "a.txt").write_text("BẢN TIN ONG 1\nNghề ong\nmột hai ba", "utf-8")
    row = {"file": "a.pdf", "title": "Nghề ong", "date": "2020-01-02", "running_head": "BẢN TIN"}
    (tmp_path / "gold.json").write_text(json.dumps([row]), "utf-8")
    run = evaluate_extraction("pdf", read_gold(tmp_path), lambda _: ("Nghề ong", "một hai BẢN TIN", "2020-01-02"))
    assert run.measures == {"Precision": 4 / 6, "Recall": 0.8, "Titles": 1.0, "Clean": 0.0, "Dates": 1.0}


DOCUMENTS = SHARED.parent / "pdf"


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the documents of the gazette are not here")
def test_documents_of_the_gazette() -> None:
    found = evaluate_extraction("pdf", read_gold(DOCUMENTS), by_htxsearch).measures
    assert found["Precision"] >= 0.985
    assert found["Recall"] >= 0.985
    assert (found["Titles"], found["Dates"], found["Clean"]) == (1.0, 1.0, 1.0)


def test_our_own_pages_are_read_without_fault_and_better_than_by_trafilatura_alone() -> None:
    pages = read_gold(PAGES)
    ours = evaluate_extraction("pages", pages, by_htxsearch)
    theirs = evaluate_extraction("pages", pages, by_trafilatura, by="trafilatura alone")
    assert set(ours.measures.values()) == {1.0}
    assert theirs.measures["Precision"] < 1
    assert theirs.label == "pages (trafilatura alone)"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the pages of six outlets are not here")
def test_pages_of_six_outlets() -> None:
    found = evaluate_extraction("html", read_gold(SHARED), by_htxsearch)
    assert found.measures["Precision"] >= 0.97
    assert found.measures["Recall"] >= 0.96
    assert (found.measures["Titles"], found.leaks) == (1.0, 0)


@pytest.mark.parametrize("gold", ["[]", "{", "[{}]", '[{"file": "no.html", "title": "", "paragraphs": []}]', "7"])
def test_a_folder_that_is_no_collection_is_refused(tmp_path: Path, gold: str) -> None:
    (tmp_path / "gold.json").write_text(gold, "utf-8")
    with pytest.raises(UsageError):
        read_gold(tmp_path)
    with pytest.raises(UsageError, match="not a collection of pages"):
        read_gold(tmp_path / "nowhere")


def test_the_command_prints_both_and_holds_floors(tmp_path: Path) -> None:
    floors = tmp_path / "floors.json"
    floors.write_text('{"left-out": {"pages": {"Precision": 1.0, "Clean": 1.0}}}', "utf-8")
    done = evaluation(PAGES, "--floors", floors, "--json")
    assert done.exit_code == 0
    sets = json.loads(done.stdout)["sets"]
    assert list(sets) == ["pages", "pages (trafilatura alone)"]
    assert sets["pages"]["measures"] == {"Precision": 1.0, "Recall": 1.0, "Titles": 1.0, "Clean": 1.0}
    assert (sets["pages"]["Leaks"], len(sets["pages"]["pages"])) == (0, len(GOLD))
    floors.write_text('{"left-out": {"pages": {"Precision": 1.1}}}', "utf-8")
    done = evaluation(PAGES, "--floors", floors, "--failures", "1")
    assert "pages          trafilatura alone" in done.stdout
    assert "pages: Precision (left-out) is 1.0000, below its floor 1.1000" in done.stderr
    assert done.return_value == BELOW_FLOOR


def test_options_of_rankings_are_refused_for_pages() -> None:
    assert isinstance(evaluation(PAGES, "--as", "unaccented").exception, UsageError)


def evaluation(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["eval", "--task", "extraction", *map(str, words)], standalone_mode=False)


def test_a_malformed_address_does_not_stop_a_page() -> None:
    draft = page(*(f"<p>{one}</p>" for one in STORY), head='<link rel="canonical" href="http://[x">')
    assert (draft.body.split("\n"), draft.metadata.source) == (STORY, None)


def test_a_source_that_is_no_address_has_its_folder_for_a_name() -> None:
    data = f'<html><head><link rel="canonical" href="http://[x"></head><body><p>{"</p><p>".join(STORY)}</p></body></html>'
    assert lines_to_count(read_page, data.encode(), "cho/a.html", Metadata())[0] == "cho/"


def test_a_page_with_only_a_title_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="no article text was found"):
        page(f"<p>{STORY[0]}</p>", head=f"<title>{STORY[0]}</title>")
