"""Folds of documents: no question shares a document with a question of another fold."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from htxsearch.evaluate.folds import document_groups, fold_of, is_for_calibration, read_left_out

documents = st.dictionaries(st.text(max_size=3), st.frozensets(st.sampled_from("abcdefgh"), max_size=3), max_size=12)


@given(documents)
def test_questions_that_share_a_document_share_a_group(documents_of: dict[str, frozenset[str]]) -> None:
    groups = document_groups(documents_of)
    assert groups.keys() == documents_of.keys()
    for one, own in documents_of.items():
        for other, others in documents_of.items():
            assert groups[one] == groups[other] or own.isdisjoint(others)


def test_a_group_is_its_smallest_document() -> None:
    documents_of = {"q1": ["c", "b"], "q2": ["b", "a"], "q3": ["d"], "q4": []}
    assert document_groups(documents_of) == {"q1": "a", "q2": "a", "q3": "d", "q4": "q4"}
    chain = {f"q{number}": pair for number, pair in enumerate(pairwise("abcdefgh"))}
    assert set(document_groups(chain).values()) == {"a"}


def test_folds_and_the_documents_of_calibration_do_not_move() -> None:
    ids = ["kth-0002", "bao-cao/Chợ nông thôn Hà Nam.txt", "u01", "u02"]
    assert [fold_of(name, 3) for name in ids] == [2, 1, 2, 2]
    assert [name for name in (f"a-{number}.1" for number in range(30)) if is_for_calibration(name)] == [
        "a-0.1",
        "a-9.1",
        "a-19.1",
        "a-25.1",
    ]


def test_a_set_without_a_list_has_nothing_left_out(tmp_path: Path) -> None:
    assert read_left_out(tmp_path) == frozenset()
