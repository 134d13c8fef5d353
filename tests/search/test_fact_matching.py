"""Which facts a question asks for: by indicator, surroundings, place, time, and beside the likeliest one."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from htxsearch import Index
from htxsearch.search.fact_matching import AskedFacts, beside_features, first_term, match_features, matches, unit_terms
from htxsearch.search.fact_question import fact_request_of
from htxsearch.search.facts import FactList

TEXTS = {
    "xoai": (
        "Giá xoài cát ở Đồng Tháp",
        "Đầu vụ, giá xoài cát ở Đồng Tháp là 45.000 đồng/kg. Sau Tết chỉ còn 28.000 đồng/kg. "
        "Trong vụ, các nhà vườn thu hoạch 900 tấn xoài.",
    ),
    "so": (
        "Đồng Tháp có thêm hợp tác xã",
        "Năm 2021, tỉnh Đồng Tháp có 180 HTX. Năm 2022, tỉnh Đồng Tháp có 196 HTX. Năm 2022, tỉnh Đồng Tháp có 150 HTX "
        "nông nghiệp. Phấn đấu đến năm 2025, tỉnh Đồng Tháp có 230 HTX.",
    ),
    "phan": (
        "Hội thi ở Hậu Giang",
        "Năm 2022, tỉnh Hậu Giang có 12 HTX tiêu biểu. Cụ thể, huyện Phụng Hiệp: 5 mô hình; huyện Vị Thủy: 4 mô hình; "
        "huyện Long Mỹ: 3 mô hình.",
    ),
    "vung": ("Tây Nguyên góp vốn", "Năm 2022, vùng Tây Nguyên có 1.900 HTX."),
    "kon-tum": ("Tin Kon Tum", "Năm 2022, tỉnh Kon Tum có 260 HTX."),
    "lap": ("Tin An Giang", "Năm 2022, tỉnh An Giang có 200 HTX. Nhắc lại, năm 2022 tỉnh An Giang có 200 HTX."),
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """Return an index of the texts; tests only read it."""
    root: Path = tmp_path_factory.mktemp("hoi-so-lieu")
    (root / "corpus").mkdir()
    rows = [json.dumps({"id": name, "title": title, "text": text}) for name, (title, text) in TEXTS.items()]
    (root / "corpus" / "tin.jsonl").write_text("\n".join(rows), "utf-8")
    with Index(root / "index", corpus=root / "corpus") as opened:
        assert opened.update().added == len(TEXTS)
        yield opened


def asked_for(found: FactList) -> list[object]:
    """Return the values of the facts that are asked for."""
    return [fact.value for fact in found if fact.is_asked]


def test_a_figure_whose_clause_lacks_the_words_is_found_by_its_surroundings(index: Index) -> None:
    found = asked_for(index.facts("giá xoài Đồng Tháp"))
    assert {45000, 28000} <= set(found)
    assert 900 not in found


@pytest.mark.parametrize("words", ["số HTX Đồng Tháp", "so htx dong thap", "Đồng Tháp có bao nhiêu hợp tác xã qua các năm?"])
def test_what_is_comes_without_parts_and_plans(index: Index, words: str) -> None:
    found = index.facts(words)
    assert set(asked_for(found)) == {180, 196}
    assert {fact.value for fact in found} >= {150, 230}  # their indicator has the words, so they are listed behind


def test_a_region_in_any_spelling_is_a_place(index: Index) -> None:
    for words in ("số htx tây nguyên", "so htx tay nguyen", "Vùng Tây Nguyên có bao nhiêu HTX?"):
        assert fact_request_of(words).places == ("Tây Nguyên",)
        assert asked_for(index.facts(words))[0] == 1900


def test_what_an_article_repeats_is_one_fact_with_its_spans(index: Index) -> None:
    [fact] = [fact for fact in index.facts("số HTX An Giang") if fact.article_id == "lap"]
    [repeat] = fact.repeats
    assert TEXTS["lap"][1][repeat.start : repeat.end] == "200 HTX"
    assert fact.as_json()["repeats"] == [{"start": repeat.start, "end": repeat.end}]


def test_the_time_among_the_words_is_soft(index: Index) -> None:
    request = fact_request_of("số HTX Đồng Tháp năm 2022")
    assert request.period == (date(2022, 1, 1), date(2022, 12, 31))
    chances = {fact.value: fact.match for fact in index.facts("số HTX Đồng Tháp năm 2022")}
    assert chances[196] > chances[180]


@pytest.mark.parametrize("words", ["1.000," * 40, "1,2,3 HTX", "12.10.2021", "9" * 900])
def test_digits_that_are_no_number_name_no_value(index: Index, words: str) -> None:
    assert 1900 in asked_for(index.facts(f"số HTX Tây Nguyên {words}"))


def test_an_option_for_a_place_is_strict(index: Index) -> None:
    found = index.facts("số HTX", place="Kon Tum")
    assert [fact.value for fact in found] == [260]


def test_features_compare_words_places_and_times(index: Index) -> None:
    facts = list(index.facts("số HTX Đồng Tháp"))
    asked = AskedFacts(
        " so htx ", frozenset({"htx"}), frozenset({"@dong thap"}), (date(2022, 1, 1), date(2022, 12, 31)), {"so": 2.0}
    )
    by_value = dict(zip([fact.value for fact in facts], match_features(asked, facts), strict=True))
    assert by_value[196]["covered indicator"] == 1
    assert by_value[196]["no extra"] == 1
    assert by_value[150]["no extra"] == 0
    assert by_value[196]["place same, whole"] == 1
    assert by_value[196]["time inside"] == 1
    assert by_value[180]["time outside"] == 1
    assert by_value[196]["nearness"] == 1


def test_a_term_that_no_fact_has_counts_for_nothing(index: Index) -> None:
    facts = list(index.facts("số HTX Đồng Tháp"))
    plain = AskedFacts(" ", frozenset({"htx"}), frozenset(), None, {})
    more = plain._replace(terms=frozenset({"htx", "khong-co-o-dau"}))
    covered = [[own["covered indicator"] for own in match_features(one, facts)] for one in (plain, more)]
    assert covered[0] == covered[1]


def test_beside_features_compare_with_the_likeliest(index: Index) -> None:
    facts = list(index.facts("số HTX Đồng Tháp"))
    alone: list[dict[str, float]] = [{} for _ in facts]
    chances = [0.9 if fact.value == 196 else 0.1 for fact in facts]
    made = dict(zip([fact.value for fact in facts], beside_features(facts, alone, chances), strict=True))
    assert made[180]["terms of the best"] == 1
    assert made[150]["terms of the best"] == 0
    assert made[230]["status of the best"] == 0
    assert beside_features([], [], []) == []


def test_a_place_of_unknown_province_is_told_by_the_others_of_its_article(index: Index) -> None:
    own = next(iter(index.facts("số HTX Đồng Tháp")))
    there = replace(own, fact=own.fact._replace(place="Đồng Tháp"))
    beside = replace(own, fact=own.fact._replace(place="xã Không Đâu", province=None))
    elsewhere = replace(beside, article_id="khac")
    asked = AskedFacts(" so htx ", frozenset({"htx"}), frozenset({"@dong thap"}), None, {})
    features = match_features(asked, [there, beside, elsewhere])
    assert features[1]["place other, beside one there, whole"] == 1
    assert features[2]["place other, whole"] == 1


def test_no_facts_have_no_matches() -> None:
    assert matches(AskedFacts("", frozenset(), frozenset(), None, {}), []) == []


@pytest.mark.parametrize(
    ("indicator", "head"),
    [("số HTX nông nghiệp", "htx"), ("số hợp tác xã", "htx"), ("giá lợn hơi", "gia"), ("số tổ hợp tác", "tht"), ("", "")],
)
def test_the_head_of_an_indicator(indicator: str, head: str) -> None:
    assert first_term(indicator) == head


def test_a_unit_is_compared_without_its_denominator() -> None:
    assert unit_terms("đồng/kg") == unit_terms("đồng")
    assert unit_terms("HTX") == frozenset({"htx"})


def test_the_parts_of_a_whole_answer_a_question_for_each_of_them(index: Index) -> None:
    found = index.facts("huyện nào của Hậu Giang nhiều HTX tiêu biểu nhất")
    assert {5, 4, 3} <= set(asked_for(found))


@pytest.mark.parametrize(
    "question",
    [
        "Tính đến tháng 9/2019 Suối Vàng có bao nhiêu HTX?",
        "tinh den het nam 2019 suoi vang co tat ca bao nhieu htx",
        "Hiện nay Suối Vàng có tổng cộng bao nhiêu HTX?",
        "Hiện có bao nhiêu HTX ở Suối Vàng?",
    ],
)
def test_words_of_times_and_totals_name_no_indicator(question: str) -> None:
    assert (fact_request_of(question).terms or frozenset()) - {"suoi", "vang"} == {"htx"}
