"""The unit behind a number: its normal name, its kind, its denominators."""

import pytest

from htxsearch.facts.units import Unit, unit_behind, unit_per


def unit_of(text: str) -> Unit | None:
    """Return the unit behind the number that ends where "|" stands."""
    before, _, behind = text.partition("|")
    return unit_behind(before + behind, len(before))


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("có 12| HTX", "HTX", "count"),
        ("có 12| hợp tác xã", "HTX", "count"),
        ("có 12| Hợp tác xã nông nghiệp", "HTX", "count"),
        ("có 12| tổ hợp tác", "THT", "count"),
        ("có 12| liên hiệp hợp tác xã", "liên hiệp HTX", "count"),
        ("có 3| quỹ tín dụng nhân dân", "quỹ tín dụng nhân dân", "count"),
        ("có 12| xã viên", "thành viên", "count"),
        ("có 12| xã", "xã", "count"),
        ("có 12| công trình", "công trình", "count"),
        ("có 12| hộ nghèo", "hộ", "count"),
        ("có 12| lao động", "người", "person"),
        ("thu 5 tỷ| đồng", "đồng", "money"),
        ("thu 5.000.000|đ", "đồng", "money"),
        ("thu 5.000| VNĐ", "đồng", "money"),
        ("thu 5.000| USD", "USD", "money"),
        ("thu 5.000| đô la Mỹ", "USD", "money"),
        ("rộng 12| héc ta", "ha", "measure"),
        ("rộng 12|ha", "ha", "measure"),
        ("rộng 12| mét vuông", "m2", "measure"),
        ("rộng 12| m²", "m2", "measure"),
        ("nặng 12| tấn", "tấn", "measure"),
        ("đạt 12|%", "%", "share"),
        ("đạt 12| %", "%", "share"),
        ("đạt 12| phần trăm", "%", "share"),
        ("gấp 3| lần", "lần", "ratio"),
        ("trong 3| năm", "năm", "time"),
        ("ông 54| tuổi", "tuổi", "age"),
        ("nêu 4| giải pháp", "giải pháp", "announced"),
    ],
)
def test_units_that_are_written_in_several_ways_have_one_name(text: str, name: str, kind: str) -> None:
    unit = unit_of(text)
    assert unit is not None
    assert (unit.name, unit.kind, unit.known) == (name, kind, True)


@pytest.mark.parametrize(
    ("text", "name", "end"),
    [
        ("bán 15.000| đồng/kg cam", "đồng/kg", "đồng/kg"),
        ("bán 15.000| đồng / kg cam", "đồng/kg", "đồng / kg"),
        ("bán 15.000|đ/kg cam", "đồng/kg", "đ/kg"),
        ("bán 15.000| đồng/1 kg cam", "đồng/kg", "đồng/1 kg"),
        ("bán 15.000| đồng mỗi kg cam", "đồng/kg", "đồng mỗi kg"),
        ("bán 15.000| đồng một kg", "đồng/kg", "đồng một kg"),
        ("thu 6| tấn/ha/vụ", "tấn/ha/vụ", "tấn/ha/vụ"),
        ("thu 5 triệu| đồng/người/tháng.", "đồng/người/tháng", "đồng/người/tháng"),
        ("thu 100.000| đồng/con gia súc/năm", "đồng/con/năm", "đồng/con gia súc/năm"),
    ],
)
def test_denominators_belong_to_the_unit(text: str, name: str, end: str) -> None:
    unit = unit_of(text)
    assert unit is not None
    assert unit.name == name
    before, _, behind = text.partition("|")
    assert (before + behind)[len(before) : unit.end].strip() == end


@pytest.mark.parametrize(
    "text",
    ["có 12|", "có 12|, rồi thôi", "có 12| và 13 hộ", "tăng từ 12| lên 13", "có 12|. Hộ nào", "có 12|\nHTX Cam Xanh", "12| 13"],
)
def test_without_a_noun_there_is_no_unit(text: str) -> None:
    assert unit_of(text) is None


def test_another_noun_is_its_own_unit() -> None:
    unit = unit_of("dựng 12| gian hàng bán cam")
    assert unit is not None
    assert (unit.name, unit.kind, unit.known) == ("gian hàng", "count", False)


@pytest.mark.parametrize(
    ("text", "number", "name"),
    [
        ("Hằng năm HTX thu 600 tấn", "600", "tấn/năm"),
        ("Mỗi con lỗ 1 triệu đồng", "1 triệu", "đồng/con"),
        ("Doanh thu bình quân mỗi HTX đạt 640 triệu đồng", "640 triệu", "đồng"),
        ("Ngân hàng năm ngoái giải ngân 600 triệu đồng", "600 triệu", "đồng"),
        ("Mỗi hộ góp công, cả xóm thu 600 tấn", "600", "tấn"),
        ("Hai vụ thu 600 tấn", "600", "tấn"),
    ],
)
def test_the_clause_before_a_number_may_name_its_denominator(text: str, number: str, name: str) -> None:
    at = text.index(number)
    unit = unit_behind(text, at + len(number))
    assert unit is not None
    assert unit_per(text, 0, at, unit).name == name


def test_a_denominator_that_is_written_is_not_added_to() -> None:
    unit = unit_behind("15.000 đồng/kg", 6)
    assert unit is not None
    assert unit_per("Mỗi năm 15.000 đồng/kg", 0, 8, unit) is unit


def test_a_unit_has_only_so_many_denominators() -> None:
    unit = unit_behind("15.000 đồng" + "/kg" * 2000, 6)
    assert unit is not None
    assert unit.name == "đồng/kg/kg/kg"
