"""Indicators and queries that mean the same have the same terms."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htxsearch.facts.terms import indicator_terms

SAME = [
    ("số HTX", "tổng số hợp tác xã"),
    ("số HTX", "có bao nhiêu htx"),
    ("số HTX", "so htx"),
    ("số HTX", "so hop tac xa"),
    ("số HTX", "SỐ HỢP TÁC XÃ"),
    ("số liên hiệp HTX", "số liên hiệp hợp tác xã"),
    ("số tổ hợp tác", "số THT"),
    ("số thành viên", "số xã viên"),
    ("tỷ lệ HTX khá", "tỉ lệ hợp tác xã khá"),
    ("số HTX thành lập mới", "số hợp tác xã mới thành lập"),
    ("số xã nông thôn mới", "số xã NTM"),
    ("doanh thu của các HTX", "doanh thu htx"),
    ("thu nhập bình quân của lao động", "thu nhập của người lao động"),
    ("số hộ", "số hộ gia đình"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_wordings_that_mean_the_same(one: str, other: str) -> None:
    assert indicator_terms(one) == indicator_terms(other) != frozenset()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("số HTX", "số THT"),
        ("số HTX", "số HTX nông nghiệp"),
        ("doanh thu", "lợi nhuận"),
        ("số xã", "số xã viên"),
        ("vốn", "nợ"),
    ],
)
def test_wordings_that_mean_something_else(one: str, other: str) -> None:
    assert indicator_terms(one) != indicator_terms(other)


def test_a_wider_indicator_has_all_terms_of_the_query() -> None:
    assert indicator_terms("so htx") < indicator_terms("số HTX nông nghiệp ở các huyện")


def test_words_without_a_meaning_of_their_own_have_no_terms() -> None:
    assert indicator_terms("có bao nhiêu") == indicator_terms("2019") == indicator_terms("") == frozenset()


@given(st.sampled_from([text for pair in SAME for text in pair]))
def test_decomposed_letters_change_nothing(text: str) -> None:
    assert indicator_terms(unicodedata.normalize("NFD", text)) == indicator_terms(text)


@given(st.text(max_size=40))
def test_terms_of_any_text_are_folded(text: str) -> None:
    for term in indicator_terms(text):
        assert term
        assert not term.isdigit()
        assert not any(blank.isspace() for blank in term)
