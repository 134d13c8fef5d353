"""Folds of documents: no question shares a document with a question of another fold."""

import json
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from htxsearch.evaluate.answers import gold_documents, read_questions
from htxsearch.evaluate.folds import document_groups, fold_of, in_left_out_third, read_left_out
from htxsearch.evaluate.judged import read_judged_set

ROOT = Path(__file__).resolve().parents[2]
FOLDS = ROOT / "evals" / "folds"

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


def test_folds_and_the_left_out_third_do_not_move() -> None:
    ids = ["kth-0002", "bao-cao/Chợ nông thôn Hà Nam.txt", "u01", "u02"]
    assert [fold_of(name, 3) for name in ids] == [2, 1, 2, 2]
    assert [in_left_out_third(name) for name in ids] == [False, False, False, False]


def test_a_set_without_a_list_has_nothing_left_out(tmp_path: Path) -> None:
    assert read_left_out(tmp_path) == frozenset()


def test_the_models_of_the_folds_have_not_seen_their_questions() -> None:
    judged = read_judged_set(ROOT / "evals/questions", ROOT / "corpus")
    questions = read_questions(ROOT / "evals/questions", judged)
    gold = {query: gold_documents(query, row, judged.qrels) for query, row in questions.items()}
    groups = document_groups(gold)
    models = [json.loads(path.read_text("utf-8")) for path in sorted(FOLDS.glob("answers-*.json"))]
    read = [query for query in judged.queries if judged.left_out.isdisjoint(gold[query])]
    for number, model in enumerate(models):
        others = [query for query in read if fold_of(groups[query], len(models)) != number]
        assert model["trained_on"]["questions"] == len(others)
