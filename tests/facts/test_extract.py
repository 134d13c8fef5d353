"""The facts of whole small articles: value, unit, qualifier, status, place and time; and texts that mean to break it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htxsearch.facts.extract import Fact, extract_facts

from .written import calls_of, facts_in, one_fact, surfaces

TITLE = "Lạng Sơn: kinh tế tập thể khởi sắc"
BODY = """Theo báo cáo của Liên minh HTX tỉnh Lạng Sơn, tính đến ngày 30/6/2019, toàn tỉnh có 214 HTX \
với gần 3.500 thành viên. Trong đó có 150 HTX nông nghiệp.
Năm 2018, doanh thu của các HTX đạt trên 1,2 tỷ đồng.
Số HTX tăng 17 HTX so với cuối năm 2018.
Phấn đấu đến năm 2025, toàn tỉnh có ít nhất 300 HTX.
Năm 2019, xã Tân Mỹ, huyện Văn Lãng có 12 HTX. Hội nghị nêu 4 giải pháp theo Quyết định số 461/QĐ-TTg ngày 12/3/2018."""


def report() -> dict[str, Fact]:
    """Return the facts of a report by how their figures are written."""
    facts = extract_facts(TITLE, BODY, published=date(2019, 7, 5), place="Lạng Sơn")
    return {BODY[fact.start : fact.end]: fact for fact in facts}


def test_the_figures_of_a_report_and_no_other_numbers() -> None:
    assert list(report()) == [
        "214 HTX", "3.500 thành viên", "150 HTX", "1,2 tỷ đồng", "17 HTX", "300 HTX", "12 HTX",
    ]  # fmt: skip


def test_values_units_and_qualifiers_of_a_report() -> None:
    assert {surface: (fact.low, fact.unit, fact.qualifier) for surface, fact in report().items()} == {
        "214 HTX": (214, "HTX", None),
        "3.500 thành viên": (3500, "thành viên", "gần"),
        "150 HTX": (150, "HTX", None),
        "1,2 tỷ đồng": (1_200_000_000, "đồng", "trên"),
        "17 HTX": (17, "HTX", None),
        "300 HTX": (300, "HTX", "ít nhất"),
        "12 HTX": (12, "HTX", None),
    }


def test_statuses_of_a_report() -> None:
    assert {surface: fact.status for surface, fact in report().items() if fact.status != "actual"} == {
        "17 HTX": "change",
        "300 HTX": "target",
    }


def test_places_of_a_report() -> None:
    facts = report()
    assert {fact.place for surface, fact in facts.items() if surface != "12 HTX"} == {"Lạng Sơn"}
    assert facts["12 HTX"].place == "xã Tân Mỹ, huyện Văn Lãng"
    assert {fact.province for fact in facts.values()} == {"Lạng Sơn"}
    assert facts["214 HTX"].in_sentence
    assert not facts["300 HTX"].in_sentence


def test_times_of_a_report() -> None:
    facts = report()
    times = {surface: facts[surface].as_of for surface in ("214 HTX", "3.500 thành viên", "1,2 tỷ đồng", "300 HTX", "12 HTX")}
    assert times == {
        "214 HTX": "2019-06-30",
        "3.500 thành viên": "2019-06-30",
        "1,2 tỷ đồng": "2018",
        "300 HTX": "2025",
        "12 HTX": "2019",
    }


def test_indicators_of_a_report() -> None:
    facts = report()
    named = {
        surface: facts[surface].indicator for surface in ("214 HTX", "3.500 thành viên", "150 HTX", "1,2 tỷ đồng", "300 HTX")
    }
    assert named == {
        "214 HTX": "số HTX",
        "3.500 thành viên": "số thành viên",
        "150 HTX": "số HTX nông nghiệp",
        "1,2 tỷ đồng": "doanh thu của các HTX",
        "300 HTX": "số HTX",
    }


def test_the_sentence_of_a_fact_holds_its_figure() -> None:
    for surface, fact in report().items():
        assert surface in BODY[fact.sentence.start : fact.sentence.end]
        assert "\n" not in BODY[fact.sentence.start : fact.sentence.end]


def test_an_estimate_and_a_norm() -> None:
    body = "Năm 2022, doanh thu của các HTX ước đạt 35 tỷ đồng.\nTheo quy định, mức hỗ trợ tối đa 50 triệu đồng/HTX."
    assert one_fact(body, "35 tỷ đồng").status == "estimate"
    assert one_fact(body, "50 triệu đồng/HTX").status == "other"


@pytest.mark.parametrize(
    ("sentence", "surface", "as_of"),
    [
        ("Quý I/2023, tỉnh Phú Thọ có 510 HTX.", "510 HTX", "2023-Q1"),
        ("6 tháng đầu năm 2022, tỉnh Phú Thọ có 500 HTX.", "500 HTX", "2022-H1"),
        ("Giai đoạn 2013 - 2018, tỉnh Phú Thọ có 80 HTX giải thể.", "80 HTX", "2013/2018"),
        ("Đến hết tháng 9/2019, tỉnh Phú Thọ có 480 HTX.", "480 HTX", "2019-09"),
        ("Tỉnh Phú Thọ có 480 HTX.", "480 HTX", None),
    ],
)
def test_the_time_that_a_sentence_names(sentence: str, surface: str, as_of: str | None) -> None:
    fact = one_fact(sentence, surface)
    assert (fact.as_of, fact.place, fact.status) == (as_of, "Phú Thọ", "actual")


def test_each_figure_is_of_the_place_that_is_named_with_it() -> None:
    body = "Năm 2020, huyện Ba Vì có 30 HTX. Huyện Thạch Thất có 25 HTX."
    assert one_fact(body, "30 HTX").place == "huyện Ba Vì"
    assert one_fact(body, "25 HTX").place == "Huyện Thạch Thất"


def test_without_a_place_in_the_text_that_of_title_and_article_counts() -> None:
    body = "HTX Cam Xanh có 12 ha cam."
    fact = one_fact(body, "12 ha", title="Hà Giang: cam được mùa", place="Hà Giang")
    assert (fact.place, fact.province, fact.in_sentence) == ("Hà Giang", "Hà Giang", False)
    assert one_fact(body, "12 ha").place is None


def test_a_place_named_before_counts() -> None:
    assert one_fact("Bà con Hà Giang trồng cam. HTX Cam Xanh có 12 ha cam.", "12 ha").place == "Hà Giang"


def test_the_subject_is_the_organisation_named_before() -> None:
    assert one_fact("Năm 2020, HTX Cam Xanh có 12 ha cam.", "12 ha").subject == "HTX Cam Xanh"
    assert one_fact("Cả xóm có 12 ha cam.", "12 ha").subject is None


def test_a_number_without_its_noun_still_has_an_indicator() -> None:
    body = "Các huyện lần lượt có 476, 358 và 118 HTX, xóm có 13/15 hộ nghèo."
    facts = facts_in(body)
    assert [fact.low for fact in facts] == [476, 358, 118, 13, 15]
    assert [fact.indicator for fact in facts[:4]] == ["số HTX", "số HTX", "số HTX", "số hộ"]
    assert not any(fact.indicator.endswith(" ") for fact in facts)


def test_an_indicator_ends_before_the_next_figure() -> None:
    body = "Tỉnh có 214 HTX với gần 3.500 thành viên và 12 ha cam, thu từ năm 2019."
    assert one_fact(body, "214 HTX").indicator == "số HTX"
    assert one_fact(body, "3.500 thành viên").indicator == "số thành viên"


def test_numbers_that_are_no_facts() -> None:
    assert (
        surfaces("Điện thoại: 0912 345 678. Ông Ba, 54 tuổi, sinh ngày 5/6/1970.\n1. Mở đầu\n2. Nội dung\nQuốc lộ 27 mở rộng.")
        == []
    )


def test_an_article_without_figures_or_text_has_no_facts() -> None:
    assert facts_in("") == facts_in("   \n\n ") == facts_in("Bà con trồng cam.") == extract_facts("", "") == []


def test_what_the_title_says_counts_is_no_fact_of_the_text() -> None:
    assert facts_in("Bà con trồng cam.", title="12 HTX trồng cam năm 2020") == []


# Texts that mean to break it

PIECES = (
    "12 1,5 3/4 2019 năm tháng Tỉnh xã Yên Bái HTX hộ tỷ đồng /kg % và từ đến gần , . ; : ( ) \n - “ ” \u00a0 \t \0 cụ thể như"
    " sau ước tăng"
).split(" ")


@given(st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join))
def test_facts_of_any_text_are_in_order_and_within_it(body: str) -> None:
    end = 0
    for fact in facts_in(body, place="Yên Bái", published=date(2020, 1, 1)):
        assert end <= fact.start < fact.end <= len(body)
        assert fact.sentence.start <= fact.start
        assert fact.low <= fact.high
        assert fact.unit
        assert fact.indicator.strip() == fact.indicator != ""
        end = fact.end


@given(st.text(max_size=80))
def test_no_text_makes_it_fail(body: str) -> None:
    facts_in(body, title=body)


@pytest.mark.parametrize("body", ["1234567890" * 5000, "1 " * 20_000, "1." * 20_000, "1," * 20_000, "1/" * 9999, "-" * 50_000])
def test_only_digits_and_marks_are_no_facts(body: str) -> None:
    assert facts_in(body) == []


HOSTILE = {
    "a sentence of figures": "Tỉnh có 12 HTX, ",
    "sentences of one line": "Tỉnh có 12 HTX và 35 hộ. ",
    "lines": "Tỉnh có 12 HTX và 35 hộ.\n",
    "a sentence of places": "xã Tân Mỹ có 12 HTX, ",
    "provinces": "Yên Bái có 12 HTX. ",
    "places and years in one line": "Năm 2019, xã Tân Mỹ có 12 HTX. ",
    "places and years in lines": "Năm 2019, xã Tân Mỹ có 12 HTX.\n",
    "headings with years": "Kết quả năm 2019\nCó 12 HTX.\n",
    "years": "năm 2019 có 12 HTX, ",
    "fractions": "có 1/3 số hộ, ",
    "shares": "10% ",
    "money": "35 triệu, ",
    "bare numbers": "12, ",
    "numbers in words": "hai mươi hộ ",
    "announcements": "Cụ thể như sau: có 5 HTX. ",
    "documents": "Quyết định số 461/QĐ-TTg nêu 3 HTX. ",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_four_times_the_text_is_four_times_the_work(piece: str) -> None:
    facts_in(piece * 3, place="Yên Bái")  # patterns and tables are loaded once
    some, more = (calls_of(lambda times=times: facts_in(piece * times, place="Yên Bái")) for times in (75, 300))  # type: ignore[misc]
    assert more < 6 * some


@pytest.mark.parametrize("piece", ["Tỉnh có 12 HTX, ", "xã Tân Mỹ có 12 HTX, "])
def test_the_sentence_of_a_figure_in_an_endless_line_is_cut_around_it(piece: str) -> None:
    body = piece * 1000
    facts = facts_in(body)
    assert len(facts) == 1000
    for fact in facts[::50]:
        assert fact.sentence.start <= fact.start < fact.end <= fact.sentence.end
        assert fact.sentence.end - fact.sentence.start < 3000
        assert fact.indicator == "số HTX"
