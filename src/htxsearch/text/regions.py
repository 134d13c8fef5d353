"""Regions of Vietnam and their provinces, those of before July 2025.

The six regions and their provinces are those of Nghị quyết 81/2023/QH15 on the national master plan. Bắc Trung Bộ, Nam Trung
Bộ, Tây Bắc and Đông Bắc are parts of them as the statistics divided the country before. A province of today has the name of
one of before, and is in the region of that one.
"""

from functools import cache
from typing import NamedTuple

from htxsearch.text.normalize import folded_form
from htxsearch.text.tokens import terms

__all__ = ["Region", "region_called", "regions"]


class Region(NamedTuple):
    """A region and its provinces.

    `typed` are other names that are typed for it, `said` those by which texts name it.
    """

    name: str
    typed: tuple[str, ...]
    said: tuple[str, ...]
    provinces: tuple[str, ...]


_NORTH_CENTRAL = ("Thanh Hóa", "Nghệ An", "Hà Tĩnh", "Quảng Bình", "Quảng Trị", "Huế")
_SOUTH_CENTRAL = ("Đà Nẵng", "Quảng Nam", "Quảng Ngãi", "Bình Định", "Phú Yên", "Khánh Hòa", "Ninh Thuận", "Bình Thuận")
_NORTH_WEST = ("Hòa Bình", "Sơn La", "Điện Biên", "Lai Châu", "Lào Cai", "Yên Bái")
_NORTH_EAST = ("Hà Giang", "Cao Bằng", "Bắc Kạn", "Lạng Sơn", "Tuyên Quang", "Thái Nguyên", "Phú Thọ", "Bắc Giang")

_REGIONS = (
    Region(
        "Trung du và miền núi phía Bắc",
        ("Trung du miền núi phía Bắc", "miền núi phía Bắc", "Trung du và miền núi Bắc Bộ", "TDMNPB"),
        ("miền núi phía Bắc", "Trung du và miền núi phía Bắc", "Trung du miền núi phía Bắc", "Trung du và miền núi Bắc Bộ"),
        (*_NORTH_EAST, *_NORTH_WEST),
    ),
    Region(
        "Đồng bằng sông Hồng",
        ("ĐBSH", "Đồng bằng Bắc Bộ"),
        ("Đồng bằng sông Hồng", "ĐBSH", "Đồng bằng Bắc Bộ"),
        (
            *("Hà Nội", "Hải Phòng", "Hải Dương", "Hưng Yên", "Vĩnh Phúc", "Bắc Ninh", "Thái Bình"),
            *("Nam Định", "Hà Nam", "Ninh Bình", "Quảng Ninh"),
        ),
    ),
    Region("Bắc Trung Bộ", (), ("Bắc Trung Bộ",), _NORTH_CENTRAL),
    Region(
        "Nam Trung Bộ",
        ("Duyên hải Nam Trung Bộ",),
        ("Nam Trung Bộ", "Duyên hải Nam Trung Bộ"),
        _SOUTH_CENTRAL,
    ),
    Region(
        "Bắc Trung Bộ và duyên hải miền Trung",
        ("miền Trung", "Duyên hải miền Trung", "Bắc Trung Bộ và duyên hải Trung Bộ"),
        ("miền Trung", "Bắc Trung Bộ", "Nam Trung Bộ"),
        (*_NORTH_CENTRAL, *_SOUTH_CENTRAL),
    ),
    Region("Tây Nguyên", (), ("Tây Nguyên",), ("Kon Tum", "Gia Lai", "Đắk Lắk", "Đắk Nông", "Lâm Đồng")),
    Region(
        "Đông Nam Bộ",
        ("miền Đông Nam Bộ", "miền Đông"),
        ("Đông Nam Bộ",),
        ("Hồ Chí Minh", "Đồng Nai", "Bà Rịa - Vũng Tàu", "Bình Dương", "Bình Phước", "Tây Ninh"),
    ),
    Region(
        "Đồng bằng sông Cửu Long",
        ("ĐBSCL", "Tây Nam Bộ", "miền Tây Nam Bộ", "miền Tây"),
        ("Đồng bằng sông Cửu Long", "ĐBSCL", "Tây Nam Bộ"),
        (
            *("Cần Thơ", "Long An", "Tiền Giang", "Bến Tre", "Trà Vinh", "Vĩnh Long", "An Giang", "Đồng Tháp"),
            *("Kiên Giang", "Hậu Giang", "Sóc Trăng", "Bạc Liêu", "Cà Mau"),
        ),
    ),
    # Without "vùng" and the like, these two are directions of the compass in most texts.
    Region(
        "Tây Bắc",
        ("Tây Bắc Bộ",),
        ("vùng Tây Bắc", "khu vực Tây Bắc", "tỉnh Tây Bắc", "núi Tây Bắc", "Tây Bắc Bộ"),
        _NORTH_WEST,
    ),
    Region(
        "Đông Bắc",
        ("Đông Bắc Bộ",),
        ("vùng Đông Bắc", "khu vực Đông Bắc", "tỉnh Đông Bắc", "núi Đông Bắc", "Đông Bắc Bộ"),
        (*_NORTH_EAST, "Quảng Ninh"),
    ),
)
_KINDS = ("vung", "khu vuc", "cac tinh", "cac tinh vung")


def regions() -> tuple[Region, ...]:
    """Return the regions, in no order that means anything."""
    return _REGIONS


def region_called(typed: str) -> Region | None:
    """Return the region that a typed name means, in any spelling.

    The result is None for another place. "vùng" and the like may stand before the name: cac tinh Tay Nguyen.
    """
    return _by_folded_name().get(" ".join(map(folded_form, terms(typed))))


@cache
def _by_folded_name() -> dict[str, Region]:
    named = {name: region for region in _REGIONS for name in (region.name, *region.typed)}
    folded = {" ".join(map(folded_form, terms(name))): region for name, region in named.items()}
    return {**{f"{kind} {name}": region for name, region in folded.items() for kind in _KINDS}, **folded}
