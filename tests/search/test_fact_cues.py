"""What the words of a question say of its figures."""

import pytest

from htxsearch.search.fact_cues import cues_of, folded_terms, level_asked


@pytest.mark.parametrize(
    ("question", "level", "parts"),
    [
        ("Huyện nào có nhiều HTX nhất?", 3, "parts"),
        ("Số HTX của các tỉnh", 2, "parts"),
        ("Mỗi xã có bao nhiêu HTX?", 4, "parts"),
        ("Hợp tác xã nào có nhiều thành viên nhất?", None, "whole"),
        ("Mỗi xã viên góp bao nhiêu vốn?", None, "whole"),
        ("Tỉnh mới có bao nhiêu HTX?", None, "whole"),
    ],
)
def test_places_are_compared_where_their_kind_is_asked_for(question: str, level: int | None, parts: str) -> None:
    words = folded_terms(question)
    assert level_asked(words) == level
    assert cues_of(words)["parts"] == parts
