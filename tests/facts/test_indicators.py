"""The indicator of a figure: chosen among the noun behind it, the measures before it, and that of the figure before."""

import pytest

from htxsearch.facts.extract import Fact, extract_facts


def indicators(text: str) -> list[str]:
    """Return the indicator of each figure of a text."""
    facts: list[Fact] = extract_facts("Tin", text)
    return [fact.indicator for fact in facts]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Toàn huyện có 37 HTX nông nghiệp.", ["số HTX nông nghiệp"]),
        ("Doanh thu của HTX đạt 4,2 tỷ đồng.", ["doanh thu của HTX"]),
        ("Đàn dê toàn xã hiện có trên 1.300 con.", ["đàn dê toàn xã"]),
        ("Hiện giá bưởi da xanh là 21.000 đồng/kg, bưởi loại hai chỉ còn 14.000 đồng/kg.", ["giá bưởi da xanh"]),
        ("Giá cá lóc (loại to) còn 38.000 đồng/kg.", ["giá cá lóc"]),
        ("Năng suất lúa đạt 6,1 tấn/ha.", ["năng suất lúa"]),
    ],
)
def test_the_indicator_is_what_is_counted_or_measured(text: str, wanted: list[str]) -> None:
    assert indicators(text)[: len(wanted)] == wanted


def test_a_place_that_ends_in_a_measure_is_none() -> None:
    assert indicators("Cụ thể, huyện Phú Lương có 6 mô hình; huyện Định Hóa có 3 mô hình.") == ["số mô hình", "số mô hình"]


def test_a_bare_level_takes_the_measure_of_the_sentence_before() -> None:
    [first, second] = indicators("Giá chanh leo đầu vụ là 22.000 đồng/kg. Nay chỉ còn 9.000 đồng/kg.")
    assert first.startswith("giá chanh leo")
    assert second.startswith("giá chanh leo")


def test_every_figure_has_an_indicator() -> None:
    text = "Có 5. Năm 2020 thu 3 tỷ đồng (tăng 12% so với 2019), chi 2 tỷ đồng; lãi 40%."
    assert all(indicators(text))
