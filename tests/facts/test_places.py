"""The places that a text names, and the province of each."""

import pytest

from htxsearch.facts.places import place_name_key, places_of, province_of


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Tỉnh Thái Nguyên có chè.", [("Thái Nguyên", 2)]),
        ("Ở Thái Nguyên có chè.", [("Thái Nguyên", 2)]),
        ("Xã Tân Mỹ có chè.", [("Xã Tân Mỹ", 4)]),
        ("Ở xã Tân Mỹ, huyện Văn Chấn có chè.", [("xã Tân Mỹ, huyện Văn Chấn", 4)]),
        ("Ở xã Tân Mỹ (huyện Văn Chấn) có chè.", [("xã Tân Mỹ, huyện Văn Chấn", 4)]),
        ("Ở huyện Văn Chấn, tỉnh Yên Bái có chè.", [("huyện Văn Chấn", 3)]),
        ("Thành phố Yên Bái có chợ.", [("Thành phố Yên Bái", 3)]),
        ("Trên cả nước có chè.", [("cả nước", 0)]),
        ("Vùng ĐBSCL có lúa.", [("Đồng bằng sông Cửu Long", 1)]),
        ("Tại Tây Nguyên có hồ tiêu.", [("Tây Nguyên", 1)]),
        ("Ở Pháp có nho.", [("Pháp", 1)]),
        ("Ông Nguyễn Đức trồng nho.", []),
        ("Ở Lào Cai và Yên Bái có quế.", [("Lào Cai", 2), ("Yên Bái", 2)]),
        ("HTX nông nghiệp họp.", []),
        ("Tổ hợp tác xã viên.", []),
        ("", []),
    ],
)
def test_places_with_their_levels(text: str, names: list[tuple[str, int]]) -> None:
    found = [(place.name, place.level) for place in places_of(text)]
    assert found == names


def test_places_come_in_order_and_never_overlap() -> None:
    text = "Cả nước, ĐBSCL, Thái Nguyên, xã Tân Mỹ, huyện Văn Chấn, rồi thành phố Huế, Tây Nguyên và Nhật Bản."
    end = 0
    for place in places_of(text):
        assert end <= place.start < place.end <= len(text)
        end = place.end


def test_a_place_is_compared_without_the_larger_one() -> None:
    assert place_name_key("xã Tân Mỹ, huyện Văn Chấn") == place_name_key("Xã Tân Mỹ")
    assert place_name_key("tỉnh Yên Bái") == place_name_key("Yên Bái")


@pytest.mark.parametrize(
    ("place", "fallback", "province"),
    [
        ("Thái Nguyên", [], "Thái Nguyên"),
        ("huyện Văn Chấn", [], "Yên Bái"),
        ("xã Tân Mỹ", ["Yên Bái"], "Yên Bái"),
        ("xã Tân Mỹ", [None, "Yên Bái"], "Yên Bái"),
        ("xã Tân Mỹ", [None, None], None),
        ("xã Tân Mỹ", ["nơi nào đó"], None),
        ("cả nước", ["Yên Bái"], None),
        ("Đồng bằng sông Cửu Long", ["Yên Bái"], None),
        (None, ["Yên Bái"], "Yên Bái"),
    ],
)
def test_the_province_of_a_place(place: str | None, fallback: list[str | None], province: str | None) -> None:
    assert province_of(place, fallback) == province


def test_names_share_the_kind_of_the_first() -> None:
    text = "ở các xã Tân Mỹ, Thanh Long và Hồng Thái của huyện Văn Lãng"
    assert [place.name for place in places_of(text)] == ["xã Tân Mỹ", "xã Thanh Long", "xã Hồng Thái", "huyện Văn Lãng"]


def test_an_officer_of_a_commune_is_no_place() -> None:
    assert not places_of("Chủ tịch UBND xã Đỗ Văn Bình nói")
    assert [place.name for place in places_of("Chủ tịch UBND xã Tân Mỹ nói")] == ["xã Tân Mỹ"]


def test_the_names_of_an_organisation_are_no_place() -> None:
    assert [place.name for place in places_of("Sáng 14/9, tại thành phố Pleiku, Bộ Kế hoạch họp.")] == ["thành phố Pleiku"]


def test_a_known_district_needs_no_kind_behind_a_preposition() -> None:
    assert [place.name for place in places_of("Lớp học ở Mộc Châu bán được 40 đơn.")] == ["Mộc Châu"]
    assert [place.name for place in places_of("Ở Mộc Châu có 5 lớp học.")] == ["Mộc Châu"]
    assert places_of("Anh Mộc Châu bán được 40 đơn.") == []
    assert places_of("Giá bán của Mộc Châu là 20.000 đồng.") == []
    assert places_of("Đơn hàng lên Mộc Châu.") == []


def test_a_known_district_needs_no_kind_before_its_figure_in_a_list() -> None:
    text = "Nhiều HTX nhất là Lạc Thủy 71 HTX, Kim Bôi: 58 HTX và Mai Châu (44 HTX)."
    assert [place.name for place in places_of(text)] == ["Lạc Thủy", "Kim Bôi", "Mai Châu"]
    assert places_of("Gồm Giống Mới 71 tấn, Hoa Vàng 8 tấn.") == []


def test_a_known_district_needs_no_kind_before_its_province() -> None:
    for text in ("vùng nuôi Sông Cầu, Phú Yên thả tôm", "vùng nuôi Sông Cầu (Phú Yên) thả tôm"):
        assert [place.name for place in places_of(text)] == ["Sông Cầu"]
    assert [place.name for place in places_of("xe đi Hà Nội, Bắc Ninh")] == ["Hà Nội", "Bắc Ninh"]


def test_a_name_may_have_an_apostrophe() -> None:
    for name in ("huyện Cư M'gar", "huyện Cư M’gar", "huyện Ea H'leo", "xã Đắk R'moan"):
        assert [place.name for place in places_of(f"Ở {name} có 12 HTX.")] == [name]
