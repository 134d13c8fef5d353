"""Hits as tables and reports, opened with the readers that others would use."""

import csv
import datetime
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import pytest
from markdown_it import MarkdownIt
from openpyxl import load_workbook

from htxsearch.engine.memory import MemoryEngine
from htxsearch.errors.messages import Language
from htxsearch.indexing.documents import document_of
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers import READERS, read_articles
from htxsearch.search.hit_files import COLUMNS, FORMS, HitReport, hits_file
from htxsearch.search.pipeline import SearchRequest
from htxsearch.search.results import Passage, Results, SearchHit
from htxsearch.search.searcher import Searcher
from htxsearch.search.snapshot import Snapshot
from htxsearch.search.tables import FORMULA_SIGNS, csv_table, workbook
from htxsearch.text.sentences import Span

from .searchers import searcher_over

TEXT = "HTX cói Kim Tân có 12 xã viên.\n\n1. Cói dệt chiếu\n- Cói dệt túi; 3 * 4 * 5 <b>túi</b>"
HIT = SearchHit(
    article_id="kim-tan",
    title="Cói *Kim* Tân_mới_ & <i>cũ</i>",
    source="Báo Bến Sông",
    date=datetime.date(2024, 5, 3),
    place="Ninh Bình",
    path="coi/kim-tan.pdf",
    url="https://bensong.example/coi_kim_tan",
    score=1.5,
    passage=Passage(0, len(TEXT), TEXT),
    near=True,
    highlights=(Span(0, 7), Span(8, 15), Span(35, 38)),
    page=3,
)
BARE = replace(HIT, article_id="cu", title="Cói xưa", source=None, date=None, place=None, url=None, page=None, highlights=())
RESULTS = Results(query="cói kim tân", total=9, near=7, took_ms=1.0, hits=(HIT, BARE), facets={})


def report(*hits: SearchHit, language: Language = "vi", **more: Any) -> HitReport:
    results = replace(RESULTS, hits=hits or RESULTS.hits)
    return HitReport(results=results, language=language, day=datetime.date(2026, 1, 2), **more)


def csv_rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def sheet_rows(content: bytes) -> list[tuple[Any, ...]]:
    sheet = load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    return list(sheet.iter_rows(values_only=True))


def test_a_csv_has_a_mark_semicolons_and_vietnamese_names() -> None:
    content = hits_file(report(first=11), "csv")
    assert content.startswith(b"\xef\xbb\xbfSTT;")
    names, first, second = csv_rows(content)
    assert names == [
        *("STT", "Tiêu đề", "Nguồn", "Ngày đăng", "Địa phương", "Trang", "Đoạn trích", "Địa chỉ", "Tệp", "Mã bài"),
    ]
    cited = ("11", HIT.title, "Báo Bến Sông", "2024-05-03", "Ninh Bình", "3", TEXT, HIT.url, HIT.path, "kim-tan")
    assert tuple(first) == cited
    assert second[:6] == ["12", "Cói xưa", "", "", "", ""]


def test_the_names_of_columns_in_english_are_those_of_the_program() -> None:
    assert csv_rows(hits_file(report(language="en"), "csv"))[0] == list(COLUMNS)


def test_a_workbook_has_days_as_days_and_numbers_as_numbers() -> None:
    names, first, second = sheet_rows(hits_file(report(), "xlsx"))
    assert names[:4] == ("STT", "Tiêu đề", "Nguồn", "Ngày đăng")
    assert first[0] == 1
    assert first[3] == datetime.datetime(2024, 5, 3)
    assert first[5:7] == (3, TEXT)
    assert second[2:6] == (None,) * 4


def test_a_day_before_those_that_a_workbook_knows_is_a_text() -> None:
    old = replace(HIT, date=datetime.date(1890, 5, 19))
    assert sheet_rows(hits_file(report(old), "xlsx"))[1][3] == "1890-05-19"


@pytest.mark.parametrize("sign", FORMULA_SIGNS)
def test_no_cell_of_a_table_is_taken_for_a_formula(sign: str) -> None:
    hostile = replace(HIT, title=f"{sign}cmd|' /C calc'!A0", source=f"{sign}1", place=f"{sign}SUM(1)")
    for row in (csv_rows(hits_file(report(hostile), "csv"))[1], sheet_rows(hits_file(report(hostile), "xlsx"))[1]):
        assert not [cell for cell in row if str(cell).startswith(FORMULA_SIGNS)]
        assert str(row[2]) == f"'{sign}1".replace("\r", "\ufffd")


def test_a_table_with_commas_has_the_same_safe_cells() -> None:
    content = csv_table(["a", "b"], [["＝1+1", -5], ["x,y", None]])
    assert list(csv.reader(io.StringIO(content.decode("utf-8-sig")))) == [["a", "b"], ["'＝1+1", "-5"], ["x,y", ""]]
    assert sheet_rows(workbook(["a"], [["|x"], [-5]])) == [("a",), ("'|x",), (-5,)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", ["\x1b[31mđỏ", "\ud800 \uffff", "\u202egnp.exe", "a\x00b", "🎉"])
def test_no_text_breaks_a_file(form: str, text: str) -> None:
    hit = replace(HIT, title=text, source=text, passage=Passage(0, len(text), text), highlights=(Span(0, 1),))
    hostile = report(hit, filters={"place": (text,)})
    content = hits_file(replace(hostile, results=replace(hostile.results, query=text, read_as=text)), form)
    shown = read_as_article(content, form) if form == "docx" else content.decode("utf-8", "replace")
    assert not set("\x00\x1b\u202e") & set(shown if form in ("docx", "csv", "md") else "")
    assert len(content) > 100


def read_as_article(content: bytes, form: str) -> str:
    """Return the text that the project's own reader finds in a file."""
    [article] = read_articles(READERS[form], content, f"x.{form}", Metadata())
    return f"{article.title}\n{article.body}"  # type: ignore[union-attr]


def test_a_word_report_has_query_day_number_and_each_hit_with_its_citation() -> None:
    filters = {"place": ("Ninh Bình", "Nam Định"), "since": ("2020",), "until": ()}
    content = hits_file(report(filters=filters), "docx")
    document = docx.Document(io.BytesIO(content))
    paragraphs = [(one.style.name, one.text) for one in document.paragraphs]  # type: ignore[union-attr]
    assert paragraphs[:3] == [
        ("Heading 1", "Kết quả tìm «cói kim tân»"),
        ("Normal", "Địa phương: Ninh Bình, Nam Định · Từ: 2020"),
        ("Normal", "Tìm ngày 02/01/2026. Số kết quả ở đây: 2, trong tổng số 7."),
    ]
    assert paragraphs[3:5] == [
        ("Heading 2", f"1. {HIT.title}"),
        ("Normal", f"Báo Bến Sông · 03/05/2024 · Ninh Bình · tr. 3 · {HIT.url} · coi/kim-tan.pdf"),
    ]
    assert [text for _, text in paragraphs[5:8]] == [line for line in TEXT.split("\n") if line]
    assert ("Heading 2", "2. Cói xưa") in paragraphs
    bold = [run.text for one in document.paragraphs for run in one.runs if run.bold]
    assert bold == ["HTX cói", "Kim Tân", "Cói"]
    read = read_as_article(content, "docx")
    assert all(part in read for part in ("HTX cói Kim Tân có 12 xã viên.", "Báo Bến Sông", "- Cói dệt túi"))


def test_a_word_report_in_english() -> None:
    document = docx.Document(io.BytesIO(hits_file(report(language="en"), "docx")))
    texts = [one.text for one in document.paragraphs]
    assert texts[:2] == ["Results for 'cói kim tân'", "Searched on 2 Jan 2026. Hits given here: 2, of 7 matches."]
    assert "3 May 2024 · Ninh Bình · p. 3" in texts[3]


def test_markdown_takes_no_text_for_markup() -> None:
    written = hits_file(report(), "md").decode()
    lines = written.splitlines()
    assert lines[0] == "# Kết quả tìm «cói kim tân»"
    assert "> **HTX cói** **Kim Tân** có 12 xã viên." in lines
    assert f"<{HIT.url}>" in written
    tokens = MarkdownIt().parse(written)
    headings = [tokens[at + 1] for at, token in enumerate(tokens) if token.type == "heading_open"]
    assert ["".join(child.content for child in one.children or ()) for one in headings] == [
        "Kết quả tìm «cói kim tân»",
        f"1. {HIT.title}",
        "2. Cói xưa",
    ]
    kinds = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}
    assert not kinds & {"html_inline", "html_block", "em_open", "bullet_list_open", "ordered_list_open", "hr", "code_block"}
    quoted = "".join(child.content for token in tokens for child in token.children or ())
    assert "- Cói dệt túi; 3 * 4 * 5 <b>túi</b>" in quoted
    assert "1. Cói dệt chiếu" in quoted


def test_a_hit_has_the_page_on_which_its_first_highlight_stands(tmp_path: Path) -> None:
    first = "Người giữ kho lúa kể chuyện mùa nước nổi. " * 60
    body = f"{first}\n\nTrục cuốn bằng gỗ mít bền mười năm."
    searcher = searcher_over(tmp_path, {"a": body, "b": body})
    engine = searcher.snapshot.engine
    article = searcher.show("a").article
    second = article.body.index("Trục")
    assert isinstance(engine, MemoryEngine)
    writer = engine.writer()
    writer.replace(document_of(replace(article, pages=(0, second))))
    writer.commit(engine._blobs)
    results = Searcher(Snapshot(engine)).search(SearchRequest("trục cuốn gỗ mít", all_reprints=True))
    found = {hit.article_id: hit for hit in results}
    assert found["a"].passage.start < second, "the passage begins on the page before"
    assert {name: hit.page for name, hit in found.items()} == {"a": 2, "b": None}
    assert found["a"].as_json()["page"] == 2
    assert "page" not in found["b"].as_json()


@pytest.mark.parametrize("form", FORMS)
def test_a_query_without_hits_gives_a_file_that_says_so(form: str) -> None:
    nothing = replace(report(), results=replace(RESULTS, hits=(), total=0, read_as="cói kim sơn"))
    content = hits_file(nothing, form)
    if form == "csv":
        assert len(csv_rows(content)) == 1
    elif form == "xlsx":
        assert len(sheet_rows(content)) == 1
    else:
        shown = content.decode() if form == "md" else "\n".join(p.text for p in docx.Document(io.BytesIO(content)).paragraphs)
        assert "Số kết quả ở đây: 0" in shown
        assert "đã hiểu là: cói kim sơn" in shown
