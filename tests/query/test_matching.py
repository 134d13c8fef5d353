"""What a query finds, in which order, and what it must not find: Vietnamese as people type it, end to end.

Two small collections: `words` holds texts that are equal but for one written form, so that only its
spelling decides; `news` holds short invented articles with dates, places and sources.
"""

import datetime
import json
import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htxsearch import Index, Results, SearchHit
from htxsearch.errors import QuerySyntaxError, UsageError
from htxsearch.errors.messages import message
from htxsearch.query.filters import Match


def an_index(folder: Path, articles: list[dict[str, Any]]) -> Index:
    """Return an index of articles that are written into a corpus as JSON lines, decomposed."""
    corpus = folder / "corpus"
    corpus.mkdir()
    lines = "\n".join(json.dumps(article, ensure_ascii=False) for article in articles)
    (corpus / "tin.jsonl").write_text(unicodedata.normalize("NFD", lines), "utf-8")
    index = Index(folder / "index", corpus=corpus)
    report = index.update()
    assert (report.added, report.rejected) == (len(articles), ())
    return index


def ids(results: Results) -> list[str]:
    return [hit.article_id for hit in results.hits]


def texts(hit: SearchHit) -> list[str]:
    """Return the highlighted parts of a hit's passage."""
    return [hit.passage.text[start:end] for start, end in hit.highlights]


# Spelling alone

WRITTEN = """
    được dược duoc thuỷ thủy thuy Hoá hóa năm nam án an thể the hoàn hòan hoan hòa hỷ kĩ kỹ ty lý tai tay mai may
    hợp hộp đò dò đo do chòe chó nông nóng nong nồng nghề nghỉ 1.264 1,264 12640 240,2 240.2 2402 07 7 70
""".split()


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """Return an index of one article for each written form, its id; all else is equal."""
    frame = "Tối qua bên hiên các chị ngồi viết chữ {} lên tấm bảng gỗ."
    articles = [{"id": one, "title": "Lớp đêm", "text": frame.format(one)} for one in WRITTEN]
    with an_index(tmp_path_factory.mktemp("words"), articles) as index:
        yield index


@pytest.mark.parametrize(
    ("query", "ladder"),
    [
        # đ is a letter; a query without marks finds every spelling, as typed first
        ("duoc", "duoc > dược được"),
        ("được", "được"),
        ("dược", "dược"),
        ("do", "do > dò đo đò"),
        ("đo", "đo"),
        ("đò", "đò"),
        # tone placement
        ("thuỷ", "thuỷ > thủy"),
        ("thủy", "thủy > thuỷ"),
        ("thuy", "thuy > thuỷ thủy"),
        ("Hoá", "Hoá > hóa"),
        ("HÓA", "hóa > Hoá"),
        ("hoàn", "hoàn > hòan"),
        ("hòan", "hòan > hoàn"),
        ("hoan", "hoan > hoàn hòan"),
        ("hòa", "hòa"),
        # marks that are typed are meant
        ("năm", "năm"),
        ("NĂM", "năm"),
        ("nam", "nam > năm"),
        ("Nam", "nam > năm"),
        ("án", "án"),
        ("an", "an > án"),
        ("thể", "thể"),
        ("the", "the > thể"),
        ("chó", "chó"),
        # i and y
        ("hỉ", "hỷ"),
        ("kĩ", "kĩ > kỹ"),
        ("kỹ", "kỹ > kĩ"),
        ("ky", "kĩ kỹ"),
        ("ti", "ty"),
        ("lí", "lý"),
        ("tai", "tai"),
        ("tay", "tay"),
        ("mai", "mai"),
        ("may", "may"),
        # numbers
        ("1264", "1.264"),
        ("1.264", "1.264"),
        ("1,264", "1,264"),
        ("240,2", "240,2 > 240.2"),
        ("240.2", "240.2 > 240,2"),
        ("2402", "2402"),
        ("7", "7 > 07"),
        ("007", "07 7"),
        # a mark left out, none changed: only if nothing is spelt as typed
        ("hơp", "hợp"),
        ("hôp", "hộp"),
        ("hop", "hộp hợp"),
        ("đỏ", ""),
        ("nắm", ""),
        # prefixes
        ("nông*", "nông"),
        ("nong*", "nong > nóng nông nồng"),
        ("ngh*", "nghề nghỉ"),
        ("nghê*", ""),
        ("126*", "1.264 12640"),
    ],
)
def test_as_typed_before_normalised_before_unmarked(words: Index, query: str, ladder: str) -> None:
    """Every step of a ladder ranks below the one before; what stands on one step is equal."""
    results = words.search(query, limit=50)
    steps = [set(step.split()) for step in ladder.split(" > ")] if ladder else []
    scores = {hit.article_id: hit.score for hit in results.hits}
    assert set(scores) == {one for step in steps for one in step}
    assert results.total == len(scores)
    for higher, lower in pairwise(steps):
        assert min(scores[one] for one in higher) > max(scores[one] for one in lower)
    for step in steps:
        assert max(scores[one] for one in step) == pytest.approx(min(scores[one] for one in step))


def test_three_steps_of_nearness(tmp_path: Path) -> None:
    frame = "Tối qua bên hiên các chị ngồi viết chữ {} lên tấm bảng gỗ."
    articles = [{"id": one, "title": "Lớp đêm", "text": frame.format(one)} for one in ("qui", "quy", "quý", "quỳ")]
    with an_index(tmp_path, articles) as index:
        found = {hit.article_id: hit.score for hit in index.search("qui").hits}
    assert found["qui"] > found["quy"] > found["quý"] == pytest.approx(found["quỳ"])


@pytest.mark.parametrize("query", ["được", "thuỷ", "hòan", "năm", "kĩ", "nông*", '"viết chữ năm"', "title:đêm"])
def test_a_decomposed_query_is_the_same_query(words: Index, query: str) -> None:
    composed, decomposed = (words.search(unicodedata.normalize(form, query), limit=50) for form in ("NFC", "NFD"))
    assert ids(composed)
    assert [(hit.article_id, hit.score) for hit in decomposed.hits] == [(hit.article_id, hit.score) for hit in composed.hits]


@pytest.mark.parametrize("written", WRITTEN)
def test_every_written_form_finds_itself_first_and_marked(words: Index, written: str) -> None:
    hit = words.search(written, limit=50).hits[0]
    assert hit.article_id == written
    assert texts(hit) == [written]


# Articles


NEWS: dict[str, dict[str, Any]] = {
    "che": {
        "title": "Chè Đồng Hỷ vào vụ",
        "text": "Hợp tác xã chè Suối Kẹm ở huyện Đồng Hỷ có 1.264 hộ góp vườn, mỗi năm bán cả nghìn tấn chè búp. "
        "Các công ty ở Thái Nguyên đặt hàng từ đầu vụ, khâu kỹ thuật do hợp tác xã lo.",
        "place": "Thái Nguyên",
        "date": "2021-10-12",
        "source": "Báo Núi",
    },
    "che-htx": {
        "title": "Sao chè bằng tay ở Tân Sơn",
        "text": "HTX Tân Sơn giữ bếp củi và chảo gang. Khách vào tận lò xem sao chè rồi mua luôn.",
        "place": "Thái Nguyên",
        "date": "2023-05-02",
        "source": "Bản tin xóm",
    },
    "oi": {
        "title": "Ổi lê Thanh Hà",
        "text": "Hợp tác xã ổi lê bọc từng quả trong túi xốp. Đến Nam Sách cũng có người hỏi giống.",
        "place": "Hải Dương",
        "date": "2020-07-09",
        "source": "Báo Núi",
    },
    "bat-tay": {
        "title": "Hai bên bắt tay",
        "text": "Lò mổ và trại vịt hợp tác với nhau, xã đứng ra làm chứng.",
        "place": "Cà Mau",
        "date": "2019-03-04",
        "source": "Đài Đất Mũi",
    },
    "hai-cau": {
        "title": "Lò vịt mới",
        "text": "Lò mổ và trại vịt đã hợp tác. Xã Minh Lập cho mượn đất làm kho.",
        "source": "Đài Đất Mũi",
    },
    "dat-chu": {
        "title": "Thanh Hoá gọi vốn",
        "text": "PHÁT TRIỂN HỢP TÁC XÃ là việc lâu dài, cán bộ nói vậy.",
        "place": "Thanh Hóa",
        "date": "2022-01-20",
    },
    "cum-tu": {
        "title": "Bàn chuyện làm ăn",
        "text": "Muốn phát triển hợp tác xã thì sổ sách phải rõ, ai cũng xem được.",
        "date": "2018-02-28",
    },
    "dao-cum": {
        "title": "Bàn chuyện góp vốn",
        "text": "Nhờ hợp tác xã phát triển mà đường làng được đổ bê tông.",
        "date": "2018-12-31",
    },
    "chen-cum": {
        "title": "Bàn chuyện chia lãi",
        "text": "Huyện phát triển mạnh hợp tác xã ở vùng bãi.",
        "date": "2019-01-01",
    },
    "qd-461": {"title": "Văn bản một", "text": "Đề án kèm theo Quyết định số 461/QĐ-TTg được phổ biến tới từng xóm."},
    "qd-46": {"title": "Văn bản hai", "text": "Đề án kèm theo Quyết định số 46/QĐ-TTg được phổ biến tới từng xóm."},
    "qd-461-tinh": {"title": "Văn bản ba", "text": "Đề án kèm theo Quyết định số 461/QĐ-UBND được phổ biến tới từng xóm."},
    "kl-56": {"title": "Văn bản bốn", "text": "Chi bộ học Kết luận 56-KL/TW và Chỉ thị 35-CT/TU."},
    "qxvv-dinh-nghia": {
        "title": "Góp vốn kiểu mới",
        "text": "Chị em lập quỹ xoay vòng vốn (QXVV) từ tiền bán mây tre. Cấy thì có tổ đổi công (TĐC).",
    },
    "qxvv-tat": {"title": "Vay không lãi", "text": "QXVV cho mười hộ mượn mua lợn nái."},
    "qxvv-dai": {"title": "Mua chung máy gặt", "text": "Tiền mua máy lấy ở quỹ xoay vòng vốn của thôn."},
    "qxvv-nguoc": {"title": "Xoay tiền", "text": "Nhà nào cũng xoay vốn, có vòng vay mấy nơi, quỹ thì không."},
    "tdc-tat": {"title": "Gặt nhanh", "text": "TĐC xóm trên gặt xong trước mưa."},
    "tdc-dai": {"title": "Cấy nhanh", "text": "Có tổ đổi công nên ba ngày cấy kín đồng."},
    "ntm": {"title": "Đường hoa", "text": "Xóm đạt chuẩn nông thôn mới, ủy ban nhân dân xã trao bằng khen cho tổ hợp tác."},
    "kttt": {"title": "Lớp tối", "text": "Học viên nghe giảng về KTTT và OCOP, có đại biểu HĐND dự."},
    "dai": {
        "title": "Nhật ký ruộng bắp",
        "text": "\n".join(
            f"Tuần thứ {number}, ruộng bắp {'bắp ' * (number % 3)}được làm cỏ. " + "Mưa nắng thất thường nên ai cũng lo. " * 12
            for number in range(1, 9)
        ),
        "date": "2017-06-30",
    },
}
TIES = {
    f"ngo-{number:02}": {"title": "Tin ngô", "text": f"Ngày {number} ghi: {'ngô ' * (1 + number // 8)}đã khô."}
    for number in range(23)
}


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """Return an index of the articles above."""
    articles = [{"id": name, **article} for name, article in {**NEWS, **TIES}.items()]
    with an_index(tmp_path_factory.mktemp("news"), articles) as index:
        yield index


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("dong hy", "che"),
        ("Đồng Hỷ", "che"),
        ("đồng hỉ", "che"),
        ("Đong hy", "che"),
        ("Thanh Hóa", "dat-chu"),
        ("Thanh Hoá", "dat-chu"),
        ("thanh hoa", "dat-chu"),
        ("1264 hộ", "che"),
        ("kĩ thuật", "che"),
        ("công ti", "che"),
        ("hop tac xa che thai nguyen", "che"),
        ("hợp tac xã chè", "che"),
        ("HỢP TÁC XÃ CHÈ", "che"),
        ("hợp tác xã chè ở Đồng Hỷ bán bao nhiêu tấn?", "che"),
        ("461 QĐ TTg", "qd-461"),
        ("quyết định 461 qd ttg", "qd-461"),
        ("mây tre", "qxvv-dinh-nghia"),
    ],
)
def test_the_best_article_comes_first(news: Index, query: str, first: str) -> None:
    assert ids(news.search(query))[0] == first


def test_years_are_never_the_name_nam(news: Index) -> None:
    assert ids(news.search("năm")) == ["che"]
    assert set(ids(news.search("nam"))) == {"che", "oi"}
    assert ids(news.search("nam"))[0] == "oi"


# Abbreviations


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("HTX", {"che", "che-htx", "oi", "dat-chu", "cum-tu", "dao-cum", "chen-cum"}),
        ("htx", {"che", "che-htx", "oi", "dat-chu", "cum-tu", "dao-cum", "chen-cum"}),
        ("NTM", {"ntm"}),
        ("UBND", {"ntm", "qd-461-tinh"}),
        ("THT", {"ntm"}),
        ("tht", {"ntm"}),
        ('+"kinh tế tập thể"', set()),
        ("OCOP", {"kttt"}),
        ("QXVV", {"qxvv-dinh-nghia", "qxvv-tat", "qxvv-dai"}),
        ("qxvv", {"qxvv-dinh-nghia", "qxvv-tat", "qxvv-dai"}),
        ("TĐC", {"qxvv-dinh-nghia", "tdc-tat", "tdc-dai"}),
        ("tdc", {"qxvv-dinh-nghia", "tdc-tat", "tdc-dai"}),
    ],
)
def test_a_short_form_finds_its_long_form_and_nothing_else(news: Index, query: str, found: set[str]) -> None:
    assert set(ids(news.search(query, limit=50))) == found


@pytest.mark.parametrize(
    ("query", "short"),
    [
        ("hợp tác xã", "che-htx"),
        ("hop tac xa", "che-htx"),
        ("hợp tac xã", "che-htx"),
        ("hơp tác xã", "che-htx"),
        ("kinh tế tập thể", "kttt"),
        ("hội đồng nhân dân", "kttt"),
        ("mỗi xã một sản phẩm", "kttt"),
        ("ủy ban nhân dân", "qd-461-tinh"),
        ("uỷ ban nhân dân", "qd-461-tinh"),
        ("quỹ xoay vòng vốn", "qxvv-tat"),
        ("quy xoay vong von", "qxvv-tat"),
        ("tổ đổi công", "tdc-tat"),
        ("to doi cong", "tdc-tat"),
    ],
)
def test_a_long_form_finds_its_short_form(news: Index, query: str, short: str) -> None:
    hits = {hit.article_id: hit for hit in news.search(query, limit=50).hits}
    assert short in hits
    assert hits[short].highlights


@pytest.mark.parametrize("query", ["hộp tác xã", "hợp tạc xả", "hóp tác xa", "quỷ xoay vòng vốn"])
def test_a_long_form_with_other_marks_is_not_meant(news: Index, query: str) -> None:
    assert not {"che-htx", "qxvv-tat"} & set(ids(news.search(query, limit=50)))


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("hợp tác xã", ["long", "short"]),
        ("HTX", ["short", "long"]),
        ("htx", ["short", "long"]),
        ("hop tac xa", ["long", "short"]),
    ],
)
def test_what_was_typed_ranks_above_what_it_stands_for(tmp_path: Path, query: str, order: list[str]) -> None:
    said = {"long": "Hợp tác xã", "short": "HTX"}
    articles = [{"id": name, "title": "Xuống giống", "text": f"{one} vừa xuống giống bí xanh."} for name, one in said.items()]
    with an_index(tmp_path, articles) as index:
        assert ids(index.search(query)) == order


# Document numbers


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("461/QĐ-TTg", ["qd-461"]),
        ("461/QD-TTg", ["qd-461"]),
        ("461/qđ-ttg", ["qd-461"]),
        ("46/QĐ-TTg", ["qd-46"]),
        ("461/QĐ-UBND", ["qd-461-tinh"]),
        ("146/QĐ-TTg", []),
        ("61/QĐ-TTg", []),
        ("56-KL/TW", ["kl-56"]),
        ("56-kl/tw", ["kl-56"]),
        ("56/KL/TW", ["kl-56"]),
        ("35-CT/TU", ["kl-56"]),
        ("number:461", ["qd-461", "qd-461-tinh"]),
        ("sohieu:461/QĐ-TTg", ["qd-461"]),
        ('"461 QĐ TTg"', ["qd-461"]),
    ],
)
def test_a_document_number_finds_just_that_document(news: Index, query: str, found: list[str]) -> None:
    assert sorted(ids(news.search(query))) == found


# Phrases, operators, fields


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('"phát triển hợp tác xã"', {"dat-chu", "cum-tu"}),
        ('"phat trien hop tac xa"', {"dat-chu", "cum-tu"}),
        ("“Phát triển hợp tác xã”", {"dat-chu", "cum-tu"}),
        ('"hợp tác xã phát triển"', {"dao-cum"}),
        ('"triển hợp tác"', {"dat-chu", "cum-tu"}),
        ('"tác xã chè"', {"che"}),
        ('"thanh hoá"', {"dat-chu"}),
        ('"xã hợp tác"', set()),
        ('"thất thường nên"', {"dai"}),
    ],
)
def test_a_phrase_is_its_words_in_order(news: Index, query: str, found: set[str]) -> None:
    assert set(ids(news.search(query))) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("vịt", {"bat-tay", "hai-cau"}),
        ("vịt chứng", {"bat-tay", "hai-cau"}),
        ("+vịt +chứng", {"bat-tay"}),
        ("vịt AND chứng", {"bat-tay"}),
        ("vịt -chứng", {"hai-cau"}),
        ("vịt NOT chứng", {"hai-cau"}),
        ("vịt -chung", {"hai-cau"}),
        ('vịt -"làm kho"', {"bat-tay"}),
        ("vịt OR xốp", {"bat-tay", "hai-cau", "oi"}),
        ("+(vịt OR xốp) +kho", {"hai-cau"}),
        ("+(vịt OR xốp) -(kho OR chứng)", {"oi"}),
        ("(vịt lò) -chứng", {"hai-cau", "che-htx"}),
        ("+vịt -mưa", {"bat-tay", "hai-cau"}),
        ("title:vịt", {"hai-cau"}),
        ("title:vit", {"hai-cau"}),
        ('title:"chè đồng"', {"che"}),
        ('title:"đồng chè"', set()),
        ("title:bàn -title:góp", {"cum-tu", "chen-cum"}),
        ("tieude:ch*", {"che", "che-htx", "cum-tu", "dao-cum", "chen-cum", "qxvv-dai"}),
        ("title:HTX", set()),
    ],
)
def test_operators_and_titles(news: Index, query: str, found: set[str]) -> None:
    assert set(ids(news.search(query))) == found


def test_what_may_match_lifts_what_must(news: Index) -> None:
    assert ids(news.search("+vịt kho")) == ["hai-cau", "bat-tay"]
    assert ids(news.search("+vịt chứng")) == ["bat-tay", "hai-cau"]


@pytest.mark.parametrize(
    ("query", "options", "found"),
    [
        ('chè place:"Thái Nguyên"', {"place": "Thái Nguyên"}, {"che", "che-htx"}),
        ('chè place:"thai nguyen"', {"place": "thai nguyen"}, {"che", "che-htx"}),
        ('chè tỉnh:"tỉnh Thái Nguyên"', {"place": "tỉnh Thái Nguyên"}, {"che", "che-htx"}),
        ('chè place:"Thanh Hoá"', {"place": "Thanh Hoá"}, set()),
        ('chè source:"Báo Núi"', {"source": "Báo Núi"}, {"che"}),
        ("chè source:bao-nui", {"source": "bao-nui"}, {"che"}),
        ("chè nguồn:xóm", {"source": "xóm"}, {"che-htx"}),
        ("chè date:2021", {"since": "2021", "until": "2021"}, {"che"}),
        ("chè date:10/2021", {"since": "10/2021", "until": "2021-10"}, {"che"}),
        ("chè date:2022..", {"since": "2022"}, {"che-htx"}),
        ("chè date:..12/10/2021", {"until": "12/10/2021"}, {"che"}),
        ("chè date:..11/10/2021", {"until": "11/10/2021"}, set()),
        ("chè date:2021..2023", {"since": "2021", "until": "2023"}, {"che", "che-htx"}),
    ],
)
def test_fields_and_options_narrow_alike(news: Index, query: str, options: dict[str, str], found: set[str]) -> None:
    by_field = news.search(query)
    by_option = news.search("chè", **options)  # type: ignore[arg-type]
    assert set(ids(by_field)) == found
    assert [(hit.article_id, hit.score) for hit in by_option.hits] == [(hit.article_id, hit.score) for hit in by_field.hits]
    assert by_option.total == by_field.total == len(found)


def test_narrowing_does_not_change_the_score(news: Index) -> None:
    everywhere = {hit.article_id: hit.score for hit in news.search("chè").hits}
    there = {hit.article_id: hit.score for hit in news.search("chè", place="Thái Nguyên").hits}
    assert there == {one: everywhere[one] for one in there}


def test_several_places_are_alternatives_and_a_place_may_be_left_out(news: Index) -> None:
    both = {"che", "che-htx", "oi"}
    assert set(ids(news.search("hợp tác xã", place=["Thái Nguyên", "hai duong"]))) == both
    assert set(ids(news.search('hợp tác xã (place:"Thái Nguyên" OR place:"Hải Dương")'))) >= both
    assert not both & set(ids(news.search('hợp tác xã -place:"Thái Nguyên" -place:"Hải Dương"')))


def test_a_filter_alone_answers_newest_first(news: Index) -> None:
    assert ids(news.search("source:núi")) == ["che", "oi"]
    assert ids(news.search("date:2018..2019")) == ["bat-tay", "chen-cum", "dao-cum", "cum-tu"]


def test_dates_may_be_dates_and_must_be_in_order(news: Index) -> None:
    day = datetime.date(2021, 10, 12)
    assert ids(news.search("chè", since=day, until=day)) == ["che"]
    with pytest.raises(UsageError, match="since 1 Jan 2022 is after until 31 Dec 2021; swap them"):
        news.search("chè", since="2022", until="2021")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit": 0}, "limit must be between 1 and 10,000, not 0"),
        ({"limit": 10_001}, "limit must be between"),
        ({"offset": -1}, "offset must not be negative, but is -1"),
        ({"sort": "place"}, "cannot sort by 'place'; sort by score or date"),
        ({"facets": ["month"]}, "there is no facet 'month'; there are place, province, year, source"),
        ({"place": " "}, "place is empty; give a value, or leave the option out"),
        ({"source": ["Báo Núi", "?"]}, "source is empty"),
        ({"since": "mai"}, "since 'mai' is no date; write 2019, 9/2019, 7/8/2023 or 2023-08-07"),
        ({"until": "31/2/2020"}, "until '31/2/2020' is no date"),
    ],
)
def test_options_that_cannot_be_say_what_can(news: Index, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        news.search("chè", **options)


def test_a_query_that_cannot_be_read_points_at_the_trouble(news: Index) -> None:
    with pytest.raises(QuerySyntaxError, match="never closed") as caught:
        news.search('chè "mật ong', strict=True)
    assert caught.value.column == 4


# Nothing found


@pytest.mark.parametrize(
    ("query", "options", "hint"),
    [
        ("zzz", {}, "no article has: zzz"),
        ("+chè +zzz", {}, "no article has: zzz"),
        ("zzz*", {}, r"no article has: zzz\*"),
        ("+chè +ngựa", {}, "no article has: ngựa"),
        ("chè place:Huế", {}, "no article has the place 'Huế'"),
        ("chè", {"place": "Thai Nguyem"}, "no article has the place 'Thai Nguyem'; did you mean Thái Nguyên"),
        ("chè", {"source": "Báo Biển"}, "no article has the source 'Báo Biển'"),
        ("chè", {"until": "1999"}, "leave out --place, --source, --since or --until"),
        ("+chè +bắp", {}, "leave out"),
        ('"chè bắp"', {}, "try other words, or fewer"),
    ],
)
def test_an_empty_answer_says_why(news: Index, query: str, options: dict[str, str], hint: str) -> None:
    results = news.search(query, **options)  # type: ignore[arg-type]
    assert (results.total, results.hits) == (0, ())
    assert any(re.search(hint, str(one)) for one in results.hints)


def test_an_answer_has_no_hints_but_what_no_article_has(news: Index) -> None:
    assert news.search("chè").hints == ()
    results = news.search("chè zzz")
    assert results.total == 2
    assert results.hints == (message("hint.unknown-terms", terms=("zzz",)),)


# The answer


QUERIES = [
    "chè",
    "che",
    "HTX",
    "hop tac xa che thai nguyen",
    '"phát triển hợp tác xã"',
    "quỹ xoay vòng vốn",
    "QXVV",
    "461/QD-TTg",
    "1264 hộ",
    "bắp",
    "ng*",
    "+vịt OR ổi",
    "thanh hoa",
    "được",
    "title:bàn",
    "date:2018..2019",
]


@pytest.mark.parametrize("query", QUERIES)
def test_spans_point_into_the_article_as_written(news: Index, query: str) -> None:
    results = news.search(query, limit=50, all_passages=True)
    assert results.hits
    for hit in results.hits:
        article = news.show(hit.article_id).article
        start, end = hit.passage.start, hit.passage.end
        assert article.body[start:end] == hit.passage.text
        assert (start, end) in news.show(hit.article_id).passages
        for spans, text in ((hit.highlights, hit.passage.text), (hit.title_highlights, hit.title)):
            bounds = [bound for span in spans for bound in span]
            assert bounds == sorted(bounds)
            assert all(0 <= start < end <= len(text) for start, end in spans)


@pytest.mark.parametrize(
    ("query", "article", "marked", "in_title"),
    [
        ("chè búp", "che", ["chè", "chè búp"], ["Chè"]),
        ("che bup", "che", ["chè", "chè búp"], ["Chè"]),
        ("chè HTX", "che", ["Hợp tác xã chè", "chè", "hợp tác xã"], ["Chè"]),
        ("hợp tác xã chè", "che-htx", ["HTX", "chè"], ["chè"]),
        ("dong hy", "che", ["Đồng Hỷ"], ["Đồng Hỷ"]),
        ("Đồng Hỉ", "che", ["Đồng Hỷ"], ["Đồng Hỷ"]),
        ("1264 hộ", "che", ["1.264 hộ"], []),
        ("kĩ thuật", "che", ["kỹ thuật"], []),
        ("bup*", "che", ["búp"], []),
        ("461/QD-TTg", "qd-461", ["461/QĐ-TTg"], []),
        ("56-kl/tw", "kl-56", ["56-KL/TW"], []),
        ('"phat trien hop tac xa"', "dat-chu", ["PHÁT TRIỂN HỢP TÁC XÃ"], []),
        ("QXVV", "qxvv-dai", ["quỹ xoay vòng vốn"], []),
        ("QXVV", "qxvv-dinh-nghia", ["quỹ xoay vòng vốn", "QXVV"], []),
        ("NTM", "ntm", ["nông thôn mới"], []),
        ("thanh hoa", "dat-chu", [], ["Thanh Hoá"]),
        ("+vịt -chứng", "hai-cau", ["vịt"], ["vịt"]),
        # a filler is not worth marking beside what the question is about, but is marked alone
        ("bọc quả trong túi", "oi", ["bọc", "quả", "túi"], []),
        ("trong", "oi", ["trong"], []),
    ],
)
def test_highlights_stand_on_what_was_meant(
    news: Index, query: str, article: str, marked: list[str], in_title: list[str]
) -> None:
    [hit] = [hit for hit in news.search(query, limit=50).hits if hit.article_id == article]
    assert texts(hit) == marked
    assert [hit.title[start:end] for start, end in hit.title_highlights] == in_title


def test_a_hit_carries_its_article(news: Index) -> None:
    hit = news.search("Suối Kẹm").hits[0]
    assert (hit.article_id, hit.title, hit.place, hit.source) == ("che", "Chè Đồng Hỷ vào vụ", "Thái Nguyên", "Báo Núi")
    assert str(hit.date) == "2021-10-12"
    assert hit.path == "tin.jsonl"
    assert hit.passage.text == NEWS["che"]["text"]


def test_sorted_by_date_the_newest_comes_first_and_the_undated_last(news: Index) -> None:
    found = news.search("hợp tác xã vịt", match="any", sort="date", limit=50)
    days = [hit.date for hit in found.hits]
    dated = [day for day in days if day]
    assert dated == sorted(dated, reverse=True)
    assert None in days
    assert days[: len(dated)] == dated
    assert set(ids(found)) == set(ids(news.search("hợp tác xã vịt", limit=50)))


def test_of_an_article_only_the_best_passage_unless_all_are_asked_for(news: Index) -> None:
    best, every = news.search("bắp"), news.search("bắp", all_passages=True, limit=50)
    assert (best.total, ids(best)) == (1, ["dai"])
    assert every.total == len(every.hits) == len({hit.passage.start for hit in every.hits}) > 1
    assert best.hits[0].passage == every.hits[0].passage
    assert set(ids(every)) == {"dai"}
    assert [hit.score for hit in every.hits] == sorted((hit.score for hit in every.hits), reverse=True)


@pytest.mark.parametrize("options", [{}, {"sort": "date"}, {"all_passages": True}], ids=["score", "date", "passages"])
@pytest.mark.parametrize("size", [1, 4, 10])
def test_pages_have_no_gaps_and_no_repeats(news: Index, options: dict[str, Any], size: int) -> None:
    whole = news.search("ngô được chè", limit=100, **options)
    pages = [news.search("ngô được chè", limit=size, offset=at, **options) for at in range(0, whole.total + size, size)]
    assert whole.total == len(whole.hits) > 25
    assert [hit for page in pages for hit in page.hits] == list(whole.hits)
    assert {page.total for page in pages} == {whole.total}
    assert pages[-1].hits == ()


def test_equal_hits_are_in_the_order_of_their_ids(news: Index) -> None:
    hits = news.search("ngô", limit=50).hits
    order = [(-round(hit.score, 9), hit.article_id) for hit in hits]
    assert len(hits) == 23
    assert order == sorted(order)


@pytest.mark.parametrize("match", ["most", "any"])
def test_facets_count_all_near_articles_not_only_the_page(news: Index, match: Match) -> None:
    results = news.search("hợp tác xã chè vịt", match=match, limit=1, facets=["place", "year", "source"])
    everything = news.search("hợp tác xã chè vịt", match=match, limit=100)
    assert len(results.hits) == 1
    for name in ("place", "source"):
        values = [value for hit in everything.hits if hit.near and (value := getattr(hit, name))]
        assert results.facets[name] == {value: values.count(value) for value in values}
    years = [str(hit.date.year) for hit in everything.hits if hit.near and hit.date]
    assert results.facets["year"] == {year: years.count(year) for year in years}


def test_facets_are_counted_within_the_filters(news: Index) -> None:
    assert news.search("chè", place="Thái Nguyên", facets=["year"]).facets == {"year": {"2021": 1, "2023": 1}}
    assert news.search("chè").facets == {}


@pytest.mark.parametrize("query", QUERIES)
def test_the_parts_of_an_explanation_sum_to_the_score(news: Index, query: str) -> None:
    plain, explained = news.search(query, limit=50), news.search(query, limit=50, explain=True)
    assert ids(plain) == ids(explained)
    for hit, before in zip(explained.hits, plain.hits, strict=True):
        assert sum(score for _, score in hit.parts) == pytest.approx(hit.score)
        assert hit.score == pytest.approx(before.score)
        assert before.parts == ()


@pytest.mark.parametrize("query", ["hợp tác xã 2019 thái nguyên", "hop tac xa 2019 thai nguyen"])
def test_a_place_and_a_year_in_running_words_are_preferred_and_exclude_nothing(news: Index, query: str) -> None:
    found = news.search(query, explain=True, limit=100)
    preferred = {(hit.article_id, what) for hit in found.hits for what, _ in hit.matches if what[:5] in ("place", "date:")}
    year, place = "date: 2019-01-01..2019-12-31", "place: Thái Nguyên"
    assert preferred >= {("chen-cum", year), ("bat-tay", year), ("che", place), ("che-htx", place)}
    assert all(what in (year, place) for _, what in preferred)
    assert {"oi", "cum-tu", "dat-chu"} <= set(ids(found))


def test_expansions_say_what_each_word_stood_for(news: Index) -> None:
    meant = {one.typed: dict(one.terms) for one in news.search("htx nam").expansions}
    assert meant["nam"] == {"nam": 1.0, "năm": 0.6}
    assert meant["htx"]["htx"] == 1.0
    assert 0 < meant["htx"]["hợp tác xã"] < 1


def test_the_same_question_has_the_same_answer(news: Index) -> None:
    first, second = (news.search("hop tac xa che", limit=50, explain=True) for _ in range(2))
    assert first.hits == second.hits
    assert first.expansions == second.expansions


typed = st.sampled_from(
    [*WRITTEN, "chè", "htx", "hop", "tac", "xa", "QXVV", "461/QĐ-TTg", "bắp", "thái", "nguyên", "ngô", "zzz"]
)
signs = st.sampled_from(
    [" ", " ", " ", " ", " +", " -", ' "', '" ', " (", ") ", "* ", " OR ", " AND ", " place:", " title:", " date:"]
)
anything = st.one_of(st.text(max_size=40), st.lists(st.one_of(typed, signs), max_size=12).map("".join))


@settings(max_examples=150)
@given(query=anything)
def test_whatever_is_typed_is_answered_or_refused(news: Index, query: str) -> None:
    """Nothing but QuerySyntaxError is ever raised, and an answer keeps its promises."""
    try:
        results = news.search(query, limit=100, all_passages=True, facets=["place"], explain=True)
    except QuerySyntaxError:
        return
    assert results.total == len(results.hits)
    assert results.hits or results.hints
    for hit in results.hits:
        assert hit.score == pytest.approx(sum(score for _, score in hit.parts))
        assert all(0 <= start < end <= len(hit.passage.text) for start, end in hit.highlights)


# Provinces before and after July 2025


@pytest.fixture(scope="module")
def reform(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Return an index of four articles about chè, each of its place."""
    where = {"tn": "Thái Nguyên", "bk": "Bắc Kạn", "hg": "Hà Giang", "cb": "Cao Bằng"}
    rows = [{"id": name, "title": "Chè", "text": "Chè vào vụ.", "place": place} for name, place in where.items()]
    return an_index(tmp_path_factory.mktemp("reform"), rows)


@pytest.mark.parametrize(
    ("place", "found", "note"),
    [
        ("Bắc Kạn", {"bk"}, "Bắc Kạn is part of Thái Nguyên since 1/7/2025"),
        ("thai nguyen", {"tn", "bk"}, 'Thái Nguyên: also Bắc Kạn, part of it since 1/7/2025; without: "Thái Nguyên (cũ)"'),
        ("Thái Nguyên (cũ)", {"tn"}, None),
        ("Tuyên Quang", {"hg"}, 'Tuyên Quang: also Hà Giang, part of it since 1/7/2025; without: "Tuyên Quang (cũ)"'),
        ("Cao Bằng", {"cb"}, None),
    ],
)
def test_a_place_matches_by_old_and_new_name_and_says_which(
    reform: Index, place: str, found: set[str], note: str | None
) -> None:
    for results in (reform.search("chè", place=place), reform.search(f'chè place:"{place}"')):
        assert set(ids(results)) == found
        assert list(map(str, results.hints)) == ([note] if note else [])
    assert set(ids(reform.search(f'chè -place:"{place}"'))) == {"tn", "bk", "hg", "cb"} - found


def test_the_places_that_a_name_stands_for_are_among_the_expansions(reform: Index) -> None:
    found = reform.search("chè", place="Thái Nguyên", explain=True).as_json(explain=True)["expansions"]
    assert {
        "typed": "place:Thái Nguyên",
        "terms": [{"term": name, "weight": 1.0} for name in ("Bắc Kạn", "Thái Nguyên")],
    } in found


def test_a_province_in_running_words_prefers_its_namesake_then_its_parts(reform: Index) -> None:
    found = ids(reform.search("chè Thái Nguyên"))
    assert found[:2] == ["tn", "bk"]
    assert set(found) == {"tn", "bk", "hg", "cb"}


def test_the_facet_province_sums_places_by_what_they_are_part_of_now(reform: Index) -> None:
    found = reform.search("chè", facets=("province", "place")).facets
    assert found["province"] == {"Thái Nguyên": 2, "Tuyên Quang": 1, "Cao Bằng": 1}
    assert found["place"] == {"Thái Nguyên": 1, "Bắc Kạn": 1, "Hà Giang": 1, "Cao Bằng": 1}
    assert list(reform.search("chè", facets=("province",)).facets) == ["province"]
