"""Figures of one list, sentence or report as a group: what one of them has holds for the next unless it says otherwise."""

import pytest

from .written import facts_in, one_fact

LIST = (
    "Đến năm 2019, tỉnh Lào Cai có 12 HTX điển hình tiên tiến. Cụ thể, huyện Bát Xát: 5 đơn vị; huyện Bảo Yên: 4 đơn vị; "
    "huyện Văn Bàn: 3 đơn vị."
)
TERM = "Báo cáo kết quả hoạt động nhiệm kỳ 2013 - 2018 của Liên minh HTX tỉnh Lào Cai"


def test_the_items_of_a_list_have_the_time_of_its_head_and_each_its_place() -> None:
    items = [fact for fact in facts_in(LIST) if fact.unit == "đơn vị"]
    assert [(fact.place or "").removeprefix("huyện ") for fact in items] == ["Bát Xát", "Bảo Yên", "Văn Bàn"]
    assert {fact.as_of for fact in items} == {"2019"}


def test_a_name_in_a_list_of_places_and_figures_is_a_place() -> None:
    body = "Tỉnh còn vướng nhiều, riêng huyện Yên Thành có 34 HTX, Diễn Châu 29 HTX, Đô Lương 25 HTX."
    assert [(fact.place or "").removeprefix("huyện ") for fact in facts_in(body)] == ["Yên Thành", "Diễn Châu", "Đô Lương"]


def test_what_a_report_did_is_of_its_term_and_what_it_raised_of_the_end() -> None:
    body = "Đã có 208 HTX được thành lập mới, do đó nâng tổng số HTX toàn tỉnh lên 470 HTX."
    assert one_fact(body, "208 HTX", title=TERM).as_of == "2013/2018"
    assert one_fact(body, "470 HTX", title=TERM).as_of == "2018"


@pytest.mark.parametrize("surface", ["46 HTX", "113 THT"])
def test_what_is_said_behind_a_list_is_said_of_each(surface: str) -> None:
    fact = one_fact("Toàn tỉnh hiện có 46 HTX, 113 THT do phụ nữ quản lý.", surface)
    assert fact.indicator.endswith("do phụ nữ quản lý")


def test_a_body_that_acts_is_not_what_a_price_is_of() -> None:
    fact = one_fact("Ngoài phần trả cho nhà vườn, HTX giữ lại 300 đồng/kg để nuôi bộ máy.", "300 đồng/kg")
    assert fact.indicator.lower() not in ("htx", "số htx")


def test_the_first_figure_of_a_text_has_nothing_before_it() -> None:
    [fact] = facts_in("Xã có 5 hộ nuôi ong.")
    assert (fact.place, fact.as_of) == (None, None)
