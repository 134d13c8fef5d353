"""Facts of an index: found by indicator, place, time and status; as series; compared with each other."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from htxsearch import Index
from htxsearch.errors import UnknownArticle, UsageError
from htxsearch.search.fact_results import FoundFact
from htxsearch.search.facts import FactList
from htxsearch.text.sentences import Span

STORY = (
    "Năm 2020, tỉnh Cao Bằng có 77 HTX. Bà con vùng cao góp đất, góp công, cùng nhau dựng lò sấy, mở đường lên nương "
    "và đưa mận, lê, hạt dẻ xuống chợ phiên bán cho khách đường xa."
)


def an_article(
    name: str, text: str, *, day: str | None = None, place: str | None = None, source: str | None = None
) -> dict[str, Any]:
    row = {"id": name, "title": f"Tin {name}", "text": text, "date": day, "place": place, "source": source}
    return {key: value for key, value in row.items() if value is not None}


ARTICLES = [
    an_article(
        "ls-2018", "Năm 2018, tỉnh Lạng Sơn có 197 HTX. Năm 2018, tỉnh Lạng Sơn có 140 HTX nông nghiệp.", day="2019-01-10"
    ),
    an_article("ls-2019", "Tính đến ngày 31/12/2019, tỉnh Lạng Sơn có 214 HTX.", day="2020-01-10", source="Báo Mận"),
    an_article("ls-2019-khac", "Tính đến ngày 31/12/2019, tỉnh Lạng Sơn có 230 HTX.", day="2020-02-01", source="Báo Lê"),
    an_article("ls-2025", "Phấn đấu đến năm 2025, tỉnh Lạng Sơn có ít nhất 300 HTX.", day="2020-03-01", source="Báo Lê"),
    an_article("ls-cam", "Năm 2019, diện tích cam của tỉnh Lạng Sơn đạt 320 ha.", day="2020-01-11"),
    an_article("tn", "Năm 2019, tỉnh Thái Nguyên có 500 HTX.", day="2020-01-05"),
    an_article("bk", "Năm 2019, tỉnh Bắc Kạn có 95 HTX.", day="2020-01-05"),
    an_article("kt-a", "Năm 2019, tỉnh Kon Tum có gần 190 HTX.", day="2020-01-06"),
    an_article("kt-b", "Năm 2019, tỉnh Kon Tum có 187 HTX.", day="2020-01-07"),
    an_article("cb-goc", STORY, day="2021-01-05"),
    an_article("cb-lai", STORY, day="2021-01-06"),
]


def write(corpus: Path, articles: list[dict[str, Any]]) -> None:
    corpus.mkdir(exist_ok=True)
    (corpus / "tin.jsonl").write_text("".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in articles), "utf-8")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """Return an index of the articles above; tests only read it."""
    root = tmp_path_factory.mktemp("so-lieu")
    write(root / "corpus", ARTICLES)
    with Index(root / "index", corpus=root / "corpus") as opened:
        report = opened.update()
        assert (report.added, len(report.rejected)) == (len(ARTICLES), 0)
        yield opened


def brief(facts: FactList | tuple[FoundFact, ...]) -> list[tuple[str, Any]]:
    """Return which article each fact is of, and its value."""
    return [(fact.article_id, fact.value) for fact in facts]


# Finding


@pytest.mark.parametrize("words", ["số HTX", "so htx", "tổng số hợp tác xã", "có bao nhiêu hợp tác xã"])
def test_any_wording_of_an_indicator_finds_its_facts(index: Index, words: str) -> None:
    found = index.facts(words, place="Lạng Sơn")
    assert set(brief(found)) == {("ls-2018", 197), ("ls-2018", 140), ("ls-2019", 214), ("ls-2019-khac", 230), ("ls-2025", 300)}


def test_the_indicator_asked_for_comes_before_wider_ones(index: Index) -> None:
    found = index.facts("số HTX", place="Lạng Sơn")
    assert [fact.fact.indicator for fact in found][-1] == "số HTX nông nghiệp"
    assert [fact.extra for fact in found] == sorted(fact.extra for fact in found)
    assert brief(index.facts("số HTX nông nghiệp")) == [("ls-2018", 140)]


def test_what_is_comes_before_what_is_meant_to_be_and_the_newest_first(index: Index) -> None:
    exact = [fact for fact in index.facts("số HTX", place="Lạng Sơn") if not fact.extra]
    assert brief(tuple(exact)) == [("ls-2019", 214), ("ls-2019-khac", 230), ("ls-2018", 197), ("ls-2025", 300)]


def test_a_fact_says_where_it_is_from(index: Index) -> None:
    [fact] = index.facts("diện tích cam")
    assert (fact.article_id, fact.title, fact.date) == ("ls-cam", "Tin ls-cam", date(2020, 1, 11))
    assert (fact.surface, fact.value, fact.fact.unit) == ("320 ha", 320, "ha")
    assert fact.sentence == "Năm 2019, diện tích cam của tỉnh Lạng Sơn đạt 320 ha."
    assert (fact.first, fact.last) == (date(2019, 1, 1), date(2019, 12, 31))


def test_json_has_plain_values(index: Index) -> None:
    values = index.facts("diện tích cam").as_json()
    assert values["total"] == 1
    [fact] = json.loads(json.dumps(values))["facts"]
    assert {
        "article_id": "ls-cam",
        "value": 320,
        "unit": "ha",
        "status": "actual",
        "place": "Lạng Sơn",
        "as_of": "2019",
    }.items() <= fact.items()
    assert (fact["date"], fact["sources"], fact["qualifier"]) == ("2020-01-11", [], None)


def test_json_of_some_facts_counts_them_all(index: Index) -> None:
    values = index.facts("số HTX").as_json(2)
    assert len(values["facts"]) == 2
    assert values["total"] == len(index.facts("số HTX")) > 2


def test_without_words_all_facts_come(index: Index) -> None:
    assert len(index.facts()) == 11
    assert len(index.facts(place="Lạng Sơn")) == 6


def test_words_that_no_indicator_has_find_nothing(index: Index) -> None:
    assert brief(index.facts("số tàu cá")) == []
    assert index.facts("số tàu cá").as_json() == {"facts": [], "total": 0}


# Filters


@pytest.mark.parametrize("place", ["Bắc Kạn", "bac kan", "tỉnh Bắc Kạn"])
def test_a_place_keeps_the_facts_about_it(index: Index, place: str) -> None:
    assert brief(index.facts("số HTX", place=place)) == [("bk", 95)]


def test_a_province_of_today_has_the_facts_of_those_that_it_was_made_of(index: Index) -> None:
    assert set(brief(index.facts("số HTX", place="Thái Nguyên"))) == {("tn", 500), ("bk", 95)}


def test_several_places_are_alternatives(index: Index) -> None:
    assert set(brief(index.facts("số HTX", place=["Kon Tum", "Bắc Kạn"]))) == {("kt-a", 190), ("kt-b", 187), ("bk", 95)}


def test_a_place_that_no_fact_is_about(index: Index) -> None:
    assert len(index.facts("số HTX", place="Cà Mau")) == 0


def test_since_and_until_are_about_the_time_of_the_fact(index: Index) -> None:
    def of(**dates: Any) -> set[Any]:
        return {fact.value for fact in index.facts("số HTX", place="Lạng Sơn", **dates)}

    assert of(until=2018) == {197, 140}
    assert of(since=2020) == {300}
    assert of(since="2019", until="2019") == {214, 230}
    assert of(since="31/12/2019", until="31/12/2019") == {214, 230}
    assert of(until=date(2017, 12, 31)) == set()


def test_a_status_keeps_its_facts(index: Index) -> None:
    assert brief(index.facts("số HTX", status="target")) == [("ls-2025", 300)]
    assert 300 not in [fact.value for fact in index.facts("số HTX", status="actual")]
    assert len(index.facts("số HTX", status=["actual", "target"])) == len(index.facts("số HTX"))


def test_a_unit_keeps_its_facts(index: Index) -> None:
    assert brief(index.facts(unit="ha")) == [("ls-cam", 320)]
    assert brief(index.facts(unit="HA")) == [("ls-cam", 320)]
    assert len(index.facts(unit=["ha", "htx"])) == len(index.facts())


def test_a_source_keeps_its_facts(index: Index) -> None:
    assert {fact.value for fact in index.facts("số HTX", source="Báo Lê")} == {230, 300}


def test_the_facts_of_an_article_come_in_the_order_of_its_text(index: Index) -> None:
    assert brief(index.facts(article="ls-2018")) == [("ls-2018", 197), ("ls-2018", 140)]
    assert brief(index.facts("nông nghiệp", article="ls-2018")) == [("ls-2018", 140)]
    assert brief(index.facts(article="cb-lai")) == [("cb-lai", 77)]
    assert brief(index.facts(article="ls-2018", since=2019)) == []


@pytest.mark.parametrize(
    "options",
    [{"status": "đúng"}, {"place": ""}, {"source": " "}, {"since": "hôm qua kia"}, {"since": 2020, "until": 2019}],
)
def test_options_that_cannot_be(index: Index, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        index.facts("số HTX", **options)


def test_an_article_that_is_not_there(index: Index) -> None:
    with pytest.raises(UnknownArticle):
        index.facts(article="không có")


# Reprints


def test_reprints_are_one_fact_with_its_sources(index: Index) -> None:
    [fact] = index.facts("số HTX", place="Cao Bằng")
    assert fact.value == 77
    assert {fact.article_id, *fact.sources} == {"cb-goc", "cb-lai"}
    assert len(fact.sources) == 1


# What is made of facts


def test_a_series_is_in_order_of_time(index: Index) -> None:
    [series, *others] = index.facts("số HTX", place="Lạng Sơn").series()
    assert [fact.value for fact in series.facts] == [197, 214, 230]  # a target is no level unless it is asked for
    assert [fact.time for fact in series.facts] == ["2018", "31/12/2019", "31/12/2019"]
    assert series.indicator == "số HTX"
    assert others == []


def test_each_place_has_a_series_of_its_own_the_longest_first(index: Index) -> None:
    found = index.facts("số HTX").series()
    assert found[0].facts[0].fact.place == "Lạng Sơn"
    assert len({one.facts[0].fact.place for one in found}) == len(found) == 5


def test_a_series_of_nothing(index: Index) -> None:
    assert index.facts("số tàu cá").series() == []


def test_the_latest_for_each_place(index: Index) -> None:
    found = {fact.fact.place: fact.value for fact in index.facts("số HTX").latest("place")}
    assert found.keys() == {"Lạng Sơn", "Thái Nguyên", "Bắc Kạn", "Kon Tum", "Cao Bằng"}
    assert found["Lạng Sơn"] == 214
    assert found["Cao Bằng"] == 77


def test_the_latest_for_each_year_and_source(index: Index) -> None:
    years = {fact.fact.as_of: fact.value for fact in index.facts("số HTX", place="Lạng Sơn").latest("year")}
    assert years == {"2019-12-31": 214, "2018": 197}
    sources = {fact.source: fact.value for fact in index.facts("số HTX", place="Lạng Sơn").latest("source")}
    assert sources == {"Báo Mận": 214, "Báo Lê": 230, None: 197}


def test_facts_that_cannot_all_be_right_come_before_those_that_can(index: Index) -> None:
    found = list(index.facts("số HTX").conflicts())
    assert [one.agree for one in found] == sorted(one.agree for one in found)
    assert {one.facts[0].fact.place: one.agree for one in found} == {"Lạng Sơn": False, "Kon Tum": True, "Cao Bằng": True}
    assert [fact.value for fact in found[0].facts] == [214, 230]


def test_a_target_contradicts_nothing(index: Index) -> None:
    assert not any(fact.value == 300 for one in index.facts("số HTX").conflicts() for fact in one.facts)


def test_json_of_conflicts(index: Index) -> None:
    first = index.facts("số HTX", place="Lạng Sơn").conflicts().as_json()["conflicts"][0]
    assert (first["indicator"], first["place"], first["as_of"], first["agree"]) == ("số HTX", "Lạng Sơn", "2019-12-31", False)
    assert [fact["value"] for fact in first["facts"]] == [214, 230]


def test_indicators_with_their_numbers_of_facts(index: Index) -> None:
    found = [(one.indicator, one.unit, one.count) for one in index.facts(place="Lạng Sơn").indicators()]
    assert found[0] == ("số HTX", "HTX", 4)
    assert ("số HTX nông nghiệp", "HTX", 1) in found
    assert any(unit == "ha" and count == 1 for _, unit, count in found)
    assert sum(count for _, _, count in found) == 6


# Updates


def test_facts_go_and_come_with_their_articles(tmp_path: Path) -> None:
    write(tmp_path / "corpus", ARTICLES[:2])
    with Index(tmp_path / "index", corpus=tmp_path / "corpus") as index:
        index.update()
        assert {fact.value for fact in index.facts()} == {197, 140, 214}
        changed = an_article("ls-2018", "Năm 2018, tỉnh Lạng Sơn có 198 HTX.", day="2019-01-10")
        write(tmp_path / "corpus", [changed])
        index.update()
        assert brief(index.facts()) == [("ls-2018", 198)]
        assert brief(index.facts("nông nghiệp")) == []
        with pytest.raises(UnknownArticle):
            index.facts(article="ls-2019")
        write(tmp_path / "corpus", [])
        index.update()
        assert brief(index.facts()) == brief(index.facts("số HTX")) == []


def test_an_index_without_articles_has_no_facts(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    with Index(tmp_path / "index", corpus=tmp_path / "corpus") as index:
        index.update()
        found = index.facts("số HTX", place="Lạng Sơn")
        assert (len(found), found.series(), len(found.conflicts()), len(found.indicators())) == (0, [], 0, 0)
        assert len(found.latest("place")) == 0


@pytest.mark.parametrize("words", ["số HTX Lạng Sơn", "Lạng Sơn có bao nhiêu HTX?", "lang son co bao nhieu htx"])
def test_a_place_among_the_words_is_that_of_the_request(index: Index, words: str) -> None:
    wanted = {(fact.article_id, fact.fact.start) for fact in index.facts("số HTX", place="Lạng Sơn")}
    assert wanted
    assert {(fact.article_id, fact.fact.start) for fact in index.facts(words)} == wanted


def test_a_figure_of_a_day_is_not_compared_with_that_of_the_year(tmp_path: Path) -> None:
    write(
        tmp_path / "corpus",
        [
            an_article("a", "Năm 2019, tính đến hết tháng 11, tỉnh Lạng Sơn có 512 HTX.", day="2019-12-10"),
            an_article("b", "Năm 2019, tỉnh Lạng Sơn có 509 HTX.", day="2020-01-10"),
        ],
    )
    with Index(tmp_path / "index", corpus=tmp_path / "corpus") as opened:
        opened.update()
        assert len(opened.facts("số HTX")) == 2
        assert not list(opened.facts("số HTX").conflicts())


def test_parts_of_different_wholes_of_an_article_do_not_contradict(tmp_path: Path) -> None:
    prizes = (
        "Năm 2019, cuộc thi viết ở tỉnh Lai Châu có 6 giải, trong đó có 3 giải ba. "
        "Năm 2019, cuộc thi ảnh ở tỉnh Lai Châu có 4 giải, gồm 1 giải ba."
    )
    write(tmp_path / "corpus", [an_article("giai", prizes, day="2020-01-08")])
    with Index(tmp_path / "index", corpus=tmp_path / "corpus") as opened:
        opened.update()
        found = opened.facts("giải ba", place="Lai Châu")
    assert {fact.value for fact in found} >= {3, 1}
    assert not [one for one in found.conflicts() if {fact.value for fact in one.facts} & {3, 1}]


def test_a_province_that_has_grown_is_said_to_hold_others(index: Index) -> None:
    assert [hint.code for hint in index.facts(place="Thái Nguyên").hints] == ["hint.grown-province"]
    assert index.facts(place="Thái Nguyên (cũ)").hints == []


def test_a_bare_part_is_written_with_its_whole(index: Index) -> None:
    found = replace(next(iter(index.facts("HTX", place="Bắc Kạn"))), surface="71", sentence="Có 71/76 hộ ghi sổ.")
    part = replace(found, fact=found.fact._replace(start=3, end=5, unit="hộ", sentence=Span(0, 19)))
    assert part.written == "71/76 hộ"
    assert replace(part, sentence="Có 71 và 80 hộ.").written == "71 hộ"
    assert replace(part, surface="71 hộ").written == "71 hộ"
