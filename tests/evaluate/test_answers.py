"""Measures of answers, on a made-up collection."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from htxsearch.cli.main import cli
from htxsearch.errors import UsageError
from htxsearch.evaluate.answers import QUALITIES, evaluate_answers, is_right, left_out_questions, read_questions
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


NUMBER = {"answers": ["dưới 12 thành viên"], "must_not": ["34 thành viên", "12 tỷ đồng"]}
REASON = {"answers": ["vướng công nợ và hồ sơ thuế"], "must_not": ["thiếu vốn"]}


@pytest.mark.parametrize(
    ("text", "question", "right"),
    [
        ("dưới 12 thành viên", NUMBER, True),
        ("có dưới 12 thành viên", NUMBER, True),
        ("12 thành viên", NUMBER, False),  # the bound is cut off
        ("34 thành viên", NUMBER, False),
        ("dưới 12 thành viên và 34 thành viên", NUMBER, False),
        ("dưới 13 thành viên", NUMBER, False),
        ("dưới 12 thành viên của hợp tác xã ở xã này theo báo cáo của phòng kinh tế huyện gửi tỉnh", NUMBER, False),
        ("vướng công nợ và hồ sơ thuế", REASON, True),
        ("vì vướng công nợ, hồ sơ thuế", REASON, True),
        ("vướng công nợ", REASON, True),
        ("thiếu vốn", REASON, False),
        ("vì thiếu vốn và vướng công nợ và hồ sơ thuế", REASON, False),
        ("ông Đàm Văn Tiệp", {"answers": ["Đàm Văn Tiệp"]}, True),
        ("Tiệp", {"answers": ["Đàm Văn Tiệp"]}, False),
    ],
)
def test_a_right_answer_holds_a_judged_one_and_no_wrong_one(text: str, question: dict[str, list[str]], right: bool) -> None:
    assert is_right(text, question) is right


def test_a_group_is_right_if_all_its_questions_are(tmp_path: Path) -> None:
    root = folder(tmp_path, ["48 HTX", "48"])
    for file in ("queries.jsonl", "unanswerable.jsonl"):
        row = json.loads((root / file).read_text("utf-8"))
        row["metadata"]["group"] = "g"
        (root / file).write_text(json.dumps(row), "utf-8")
    judged = read_judged_set(root)
    with index_of(judged) as index:
        run = evaluate_answers(judged, read_questions(root, judged), index)
    right = [outcome.measures["Right"] for outcome in run.outcomes.values()]
    assert run.measures["GroupsRight"] == float(all(right))
    assert sum("GroupsRight" in outcome.measures for outcome in run.outcomes.values()) == 1


def test_all_questions_of_a_set_that_nothing_learnt_from_are_left_out(tmp_path: Path) -> None:
    root = folder(tmp_path, ["48 HTX"])
    judged = read_judged_set(root)
    questions = read_questions(root, judged)
    assert left_out_questions(judged, questions) == {"q", "u"}


def test_of_a_learnt_set_only_the_listed_documents_are_left_out() -> None:
    own = Path(__file__).resolve().parents[2] / "evals" / "questions"
    judged = read_judged_set(own, own.parents[1] / "corpus")
    questions = read_questions(own, judged)
    unread = left_out_questions(judged, questions)
    assert 0.2 < len(unread) / len(questions) < 0.45
    assert all(set(judged.qrels.get(query, {query})) & judged.left_out for query in unread)


def test_the_measures_of_a_field_are_those_of_its_questions(tmp_path: Path) -> None:
    root = folder(tmp_path, ["48 HTX", "48"])
    row = json.loads((root / "queries.jsonl").read_text("utf-8"))
    row["metadata"]["family"] = "year"
    (root / "queries.jsonl").write_text(json.dumps(row), "utf-8")
    command = ["eval", str(root), "--task", "qa", "--by", "family"]
    sets = json.loads(CliRunner().invoke(cli, [*command, "--json"], catch_exceptions=False).stdout)["sets"]
    (run,) = sets.values()
    assert {value: part["Questions"] for value, part in run["parts"].items()} == {"year": 1, "-": 1}
    assert run["parts"]["year"]["Sentence@1"] == run["measures"]["Sentence@1"]
    assert "Sentence@1" not in run["parts"]["-"]
    assert "year" in CliRunner().invoke(cli, command, catch_exceptions=False).stdout


@pytest.mark.parametrize("option", [["--left-out"], ["--by", "kind"]])
@pytest.mark.parametrize("task", ["ranking", "extraction"])
def test_some_options_are_for_answers_only(tmp_path: Path, task: str, option: list[str]) -> None:
    with pytest.raises(UsageError, match="--task qa"):
        CliRunner().invoke(
            cli,
            ["eval", str(folder(tmp_path, ["48"])), "--task", task, *option],
            standalone_mode=False,
            catch_exceptions=False,
        )
