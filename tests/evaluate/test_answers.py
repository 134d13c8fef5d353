"""Measures of answers, on a made-up collection."""

import json
from pathlib import Path

import pytest

from htxsearch.errors import UsageError
from htxsearch.evaluate.answers import QUALITIES, evaluate_answers, read_questions
from htxsearch.evaluate.judged import index_of, read_judged_set

TEXT = "Tính đến hết năm 2019, huyện Mường Pồn có 48 hợp tác xã. Bà con trồng chè trên đồi cao."


def folder(root: Path, answers: list[str] | None, *, unanswerable: bool = True) -> Path:
    """Write a collection of one question, and one that nothing answers."""
    root = root / "pon"
    root.mkdir()
    (root / "corpus.jsonl").write_text(json.dumps({"_id": "d", "title": "Mường Pồn", "text": TEXT}), "utf-8")
    about = {
        "kind": "number",
        "short": "số HTX Mường Pồn",
        "unaccented": "muong pon co bao nhieu htx",
        **({"answers": answers} if answers else {}),
    }
    question = {"_id": "q", "text": "Năm 2019 huyện Mường Pồn có bao nhiêu HTX?", "metadata": about}
    (root / "queries.jsonl").write_text(json.dumps(question), "utf-8")
    (root / "qrels.tsv").write_text("query\tdocument\tgrade\nq\td\t1\n", "utf-8")
    nothing = {"_id": "u", "text": "Ai vô địch giải cờ vua thế giới?", "metadata": {"kind": "person"}}
    if unanswerable:
        (root / "unanswerable.jsonl").write_text(json.dumps(nothing), "utf-8")
    return root


@pytest.mark.parametrize("form", ["typed", "unaccented", "short", "hurried"])
def test_a_right_answer_and_a_declined_one(tmp_path: Path, form: str) -> None:
    root = folder(tmp_path, ["48 HTX", "48"])
    judged = read_judged_set(root)
    with index_of(judged) as index:
        run = evaluate_answers(judged, read_questions(root, judged), index, form=form)
    assert set(run.measures) <= set(QUALITIES)
    assert form in ("unaccented", "hurried") or run.measures["Declined"] == 1.0
    assert run.measures["NumberExact"] == 1.0
    assert (run.outcomes["q"].query == "muong pon co bao nhieu htx") is (form == "hurried")
    assert run.label == ("pon (answers)" if form == "typed" else f"pon ({form}, answers)")


def test_a_wrong_answer_counts_nothing(tmp_path: Path) -> None:
    root = folder(tmp_path, ["1.200 con bò"], unanswerable=False)
    judged = read_judged_set(root)
    with index_of(judged) as index:
        run = evaluate_answers(judged, read_questions(root, judged), index)
    assert "Declined" not in run.measures
    assert {run.measures[name] for name in ("EM", "F1", "Sentence@1", "Sentence@3", "NumberExact")} == {0.0}


def test_a_collection_without_answers_is_refused(tmp_path: Path) -> None:
    root = folder(tmp_path, None)
    with pytest.raises(UsageError, match=r"metadata\.answers"):
        read_questions(root, read_judged_set(root))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("gần 48 HTX", "48 hợp tác xã", True),
        ("1.264 hộ", "1264 hộ dân", True),
        ("91%", "hơn 91 phần trăm", True),
        ("48 HTX", "48 hộ", False),
        ("48 HTX", "84 HTX", False),
    ],
)
def test_a_figure_is_its_value_and_what_it_counts(one: str, other: str, same: bool) -> None:
    from htxsearch.evaluate.answers import _figure

    assert (_figure(one) == _figure(other)) is same
