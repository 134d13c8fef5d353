"""The time that a figure is of: as text, and as days again."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htxsearch.facts.periods import as_of_period
from htxsearch.facts.times import as_of_text, date_role, period_text, with_relative_periods
from htxsearch.text.date_mentions import date_mentions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Năm 2019, xã có 5 hộ.", "2019"),
        ("Tính đến tháng 9/2019, xã có 5 hộ.", "2019-09"),
        ("Tính đến ngày 31/12/2019, xã có 5 hộ.", "2019-12-31"),
        ("Quý I/2023, xã có 5 hộ.", "2023-Q1"),
        ("6 tháng đầu năm 2022, xã có 5 hộ.", "2022-H1"),
        ("6 tháng cuối năm 2022, xã có 5 hộ.", "2022-H2"),
        ("Giai đoạn 2013 - 2018, xã có 5 hộ.", "2013/2018"),
        ("9 tháng đầu năm 2022, xã có 5 hộ.", "2022-01/2022-09"),
        ("Cuối năm 2022, xã có 5 hộ.", "2022"),
        ("Đầu năm 2022, xã có 5 hộ.", "2022"),
        ("Ngày 12/7, xã có 5 hộ.", "--07-12"),
        ("Ngày 12.7, xã có 5 hộ.", "--07-12"),
        ("9 tháng năm 2022, xã có 5 hộ.", "2022-01/2022-09"),
        ("Từ năm 2015 đến nay, xã có 5 hộ.", "2015/.."),
        ("Mức thu không đổi từ năm 2015.", "2015/.."),
    ],
)
def test_the_as_of_text_of_a_date(text: str, expected: str) -> None:
    [mention] = date_mentions(text)
    assert as_of_text(text, mention) == expected


def test_an_open_year_is_that_of_publication() -> None:
    text = "Ngày 12/7, xã có 5 hộ."
    [mention] = date_mentions(text, published=date(2021, 7, 20))
    assert as_of_text(text, mention) == "2021-07-12"


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("Năm 2019, xã có 5 hộ.", ""),
        ("Xã có 5 hộ, tăng 2 hộ so với năm 2018.", "compared date"),
        ("Xã có 5 hộ, tăng 2 hộ so với cùng kỳ năm 2018.", "compared date"),
        ("Theo Nghị quyết của hội đồng năm 2012, cần 7 hộ.", "of document"),
    ],
)
def test_a_year_that_is_compared_with_or_names_a_law_has_its_role(text: str, role: str) -> None:
    [mention] = date_mentions(text)
    assert date_role(text, mention, 0) == role


@pytest.mark.parametrize(
    ("as_of", "days"),
    [
        ("2019", (date(2019, 1, 1), date(2019, 12, 31))),
        ("2019-02", (date(2019, 2, 1), date(2019, 2, 28))),
        ("2020-02", (date(2020, 2, 1), date(2020, 2, 29))),
        ("2020-02-29", (date(2020, 2, 29), date(2020, 2, 29))),
        ("2022-H1", (date(2022, 1, 1), date(2022, 6, 30))),
        ("2022-H2", (date(2022, 7, 1), date(2022, 12, 31))),
        ("2022-Q4", (date(2022, 10, 1), date(2022, 12, 31))),
        ("2013/2018", (date(2013, 1, 1), date(2018, 12, 31))),
        ("2022-01/2022-09", (date(2022, 1, 1), date(2022, 9, 30))),
        ("--07-12", None),
        ("--07", None),
        ("", None),
        (None, None),
        ("2019-13", None),
        ("2019-02-30", None),
        ("2019-00", None),
        ("0000", None),
        ("2019/", (date(2019, 1, 1), date(2019, 12, 31))),
        ("năm ngoái", None),
        ("２０１９", None),
    ],
)
def test_the_days_of_an_as_of_text(as_of: str | None, days: tuple[date, date] | None) -> None:
    if as_of == "２０１９":
        as_of_period(as_of)  # digits of other scripts are never written: it must not fail
    else:
        assert as_of_period(as_of) == days


DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))
MONTHS = st.tuples(st.integers(1900, 2100), st.integers(1, 12))


@given(DAYS, DAYS)
def test_any_period_comes_back_from_its_text(one: date, other: date) -> None:
    first, last = sorted((one, other))
    assert as_of_period(period_text(first, last)) == (first, last)


@given(MONTHS, MONTHS)
def test_whole_months_come_back_from_their_text(one: tuple[int, int], other: tuple[int, int]) -> None:
    (since, until) = sorted((one, other))
    whole = as_of_period(f"{since[0]}-{since[1]:02}/{until[0]}-{until[1]:02}")
    assert whole is not None
    assert as_of_period(period_text(*whole)) == whole
    assert period_text(*whole).count("-") <= 2
    assert "/" in period_text(*whole) or whole[0].year == whole[1].year


@given(st.integers(1900, 2100))
def test_a_year_a_half_and_a_quarter_are_written_short(year: int) -> None:
    for written in (str(year), f"{year}-H1", f"{year}-H2", *(f"{year}-Q{number}" for number in range(1, 5))):
        days = as_of_period(written)
        assert days is not None
        assert period_text(*days) == written


@given(st.text(max_size=12))
def test_no_text_makes_it_fail(text: str) -> None:
    as_of_period(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Trong năm, tỉnh có 5 HTX.", "2022"),
        ("Sáu tháng qua, HTX bán 5 tấn.", "2022-H1"),
        ("Sản lượng 7 tháng đạt 5 tấn.", "2022-01/2022-07"),
        ("Nửa năm, quỹ cho 5 HTX vay.", "2022-H1"),
    ],
)
def test_a_period_without_its_year_is_of_the_year_of_publication(text: str, expected: str) -> None:
    [mention] = with_relative_periods(text, [], date(2022, 8, 9), None)
    assert as_of_text(text, mention) == expected


@pytest.mark.parametrize("text", ["Mỗi ngày 1.5 tấn rác.", "Trong 9 tháng, HTX lãi.", "HTX vay trong 36 tháng."])
def test_no_period_is_read_into_a_duration_or_the_future(text: str) -> None:
    assert not date_mentions(text)
    assert not with_relative_periods(text, [], date(2022, 8, 9), None)


def test_without_any_year_a_relative_period_is_none() -> None:
    assert with_relative_periods("Trong năm, tỉnh có 5 HTX.", [], None, None) == []
