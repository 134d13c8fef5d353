"""`htxsearch eval`: measures, forms, floors and comparisons on a collection small enough to work out by hand."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from htxsearch.cli.main import cli
from htxsearch.errors import UsageError
from htxsearch.evaluate.ranking import FORMS, evaluate, opened, raise_floors, read_collection, undercut

DOCUMENTS = {
    "đồi chè 1": "Hợp tác xã chè Suối Kẹm hái lứa chè đầu xuân, bán búp khô cho khách quen ở chợ phiên.",
    "b": "Nông dân gặt lúa mùa, thóc phơi đầy sân kho trước khi trời đổ mưa.",
    "c": "Xe khách của hợp tác xã vận tải chạy thêm chuyến dịp cuối năm.",
}
QUERIES = {"q1": "chè Suối Kẹm", "q2": "ai gặt lúa mùa", "q3": "xe chạy thêm chuyến nào", "q4": "chè không có ở đâu"}
QRELS = {"q1": "đồi chè 1", "q2": "b", "q3": "c", "q4": "b"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "toy"
    made.mkdir()
    rows: list[dict[str, Any]] = [{"_id": one, "title": "", "text": text} for one, text in DOCUMENTS.items()]
    (made / "corpus.jsonl").write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    rows = [
        {"_id": one, "text": text, "metadata": {"short": text.split()[0], "unaccented": "che dau"}}
        for one, text in QUERIES.items()
    ]
    (made / "queries.jsonl").write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    lines = ["query-id\tcorpus-id\tscore", *(f"{query}\t{doc}\t1" for query, doc in QRELS.items())]
    (made / "qrels.tsv").write_text("\n".join(lines), "utf-8")
    return made


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["eval", *map(str, words)], standalone_mode=False)


def json_of(result: Result) -> Any:
    assert result.exception is None, result.exception
    return json.loads(result.stdout)


def test_measures_are_those_worked_out_by_hand(folder: Path) -> None:
    found = json_of(run(folder, "--json"))["sets"]["toy"]
    assert found["queries"] == 4
    assert found["as"] == "typed"
    assert found["measures"] == {"MRR@10": 0.75, "R@1": 0.75, "Success@10": 0.75}  # q4's document holds none of its words


def test_other_measures_and_forms(folder: Path) -> None:
    found = json_of(run(folder, "--measure", "nDCG@10", "--as", "unaccented", "--as", "telex", "--as", "short", "--json"))[
        "sets"
    ]
    assert [one["as"] for one in found.values()] == ["unaccented", "telex", "short"]
    assert all(list(one["measures"]) == ["nDCG@10"] for one in found.values())
    assert found["toy"]["measures"]["nDCG@10"] >= 0.74


def test_forms_change_the_query_and_nothing_else() -> None:
    posed = {name: form("Hòa quý thủy hợp tác xã") for name, form in FORMS.items()}
    assert posed["typed"] == "Hòa quý thủy hợp tác xã"
    assert posed["unaccented"] == "Hoa quy thuy hop tac xa"
    assert posed["nfd"] == unicodedata.normalize("NFD", posed["typed"])
    assert posed["old-tone"] == "Hoà quý thuỷ hợp tác xã"
    assert posed["abbrev"] == "Hòa quý thủy HTX"
    assert posed["telex"] == "Hoaf quys thuyr howpj tacs xax"


def test_own_forms_are_asked_where_there_are_some(folder: Path) -> None:
    with (folder / "queries.jsonl").open("a", encoding="utf-8") as file:
        file.write('\n{"_id": "q5", "text": "thóc phơi"}')
    with (folder / "qrels.tsv").open("a", encoding="utf-8") as file:
        file.write("\nq5\tb\t1")
    collection = read_collection(folder)
    with opened(collection) as index:
        asked = {form: evaluate(collection, index, form=form).outcomes for form in ("short", "hurried")}
    assert [asked["short"][one].query for one in ("q2", "q5")] == ["ai", "thóc phơi"]
    assert [asked["hurried"][one].query for one in ("q2", "q5")] == ["che dau", "thóc phơi"]


def test_a_query_that_cannot_be_read_counts_and_is_told(folder: Path) -> None:
    row = json.dumps({"_id": "q5", "text": 'lúa "mùa', "metadata": {}})
    with (folder / "queries.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n" + row)
    with (folder / "qrels.tsv").open("a", encoding="utf-8") as file:
        file.write("\nq5\tb\t1")
    collection = read_collection(folder)
    with opened(collection) as index:
        found = evaluate(collection, index)
    assert found.outcomes["q5"].error == "this quotation mark is never closed"
    assert found.measures["MRR@10"] == pytest.approx(3 / 5)


def test_floors_hold_fail_and_never_go_down(folder: Path, tmp_path: Path) -> None:
    floors = tmp_path / "floors.json"
    assert run(folder, "--floors", floors, "--raise-floors").return_value == 0
    assert json.loads(floors.read_text())["toy"]["MRR@10"] == 0.75
    assert run(folder, "--floors", floors).return_value == 0
    floors.write_text(json.dumps({"toy": {"MRR@10": 0.9, "P@1": 0.1}}))
    failed = run(folder, "--floors", floors, "--raise-floors")
    assert failed.return_value == 1
    assert "MRR@10 is 0.7500, below its floor 0.9000" in failed.stderr
    assert "P@1 has a floor but was not measured" in failed.stderr
    assert json.loads(floors.read_text())["toy"]["MRR@10"] == 0.9


def test_two_runs_are_compared_query_by_query(folder: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    run(folder, "--save", one)
    changed = json.loads(one.read_text())
    changed["sets"]["toy"]["outcomes"]["q1"]["measures"]["MRR@10"] = 0.5
    other.write_text(json.dumps(changed))
    shown = run("--compare", one, other).stdout
    assert "0 better, 1 worse" in shown
    assert "-0.50  q1  chè Suối Kẹm" in shown


def test_failures_are_shown_worst_first(folder: Path) -> None:
    shown = run(folder, "--failures", "1").stdout
    assert "q4  chè không có ở đâu" in shown
    assert "q1" not in shown


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "name the folders"),
        (["{folder}", "--measure", "nonsense"], "there is no measure 'nonsense'"),
        (["{folder}", "--raise-floors"], "--raise-floors needs --floors"),
        (["{parent}"], "is no judged collection"),
        (["--compare", "{folder}/qrels.tsv", "{folder}/qrels.tsv"], "is no saved run"),
    ],
)
def test_mistakes_are_told(folder: Path, words: list[str], says: str) -> None:
    failed = run(*(word.format(folder=folder, parent=folder.parent) for word in words))
    assert isinstance(failed.exception, UsageError)
    assert says in str(failed.exception)


def test_undercut_and_raise_floors_by_form(folder: Path) -> None:
    collection = read_collection(folder)
    with opened(collection) as index:
        found = [evaluate(collection, index, form="unaccented")]
    floors = raise_floors({}, found)
    assert list(floors) == ["toy (unaccented)"]
    assert undercut(floors, found) == []


def test_a_folder_named_by_dots_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "dev"
    (folder / "sub").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text('{"_id": "d", "title": "", "text": "chè"}\n', "utf-8")
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "chè"}\n', "utf-8")
    (folder / "qrels.tsv").write_text("q\td\tg\nq\td\t1\n", "utf-8")
    monkeypatch.chdir(folder / "sub")
    assert read_collection(Path("..")).name == "dev"


@pytest.fixture
def articles(folder: Path) -> Path:
    """Files in place of the collection's corpus.jsonl."""
    (folder / "corpus.jsonl").unlink()
    corpus = folder.parent / "articles"
    corpus.mkdir()
    for one, text in DOCUMENTS.items():
        (corpus / one).with_suffix(".txt").write_text(f"{one}\n\n{text}\n", "utf-8")
    lines = [f"{query}\t{doc}.txt\t1" for query, doc in QRELS.items()]
    (folder / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *lines]), "utf-8")
    return corpus


def test_a_set_without_documents_asks_the_articles_of_a_corpus_folder(folder: Path, articles: Path) -> None:
    before = {path: path.read_bytes() for path in articles.iterdir()}
    result = run(folder, "--corpus", articles, "--keep", folder.parent / "kept", "--json")
    assert json_of(result)["sets"]["toy"]["measures"] == {"MRR@10": 0.75, "R@1": 0.75, "Success@10": 0.75}
    assert f"toy: the articles of {articles}, 4 queries" in result.stderr
    assert {path: path.read_bytes() for path in articles.iterdir()} == before
    assert not (folder.parent / "kept" / "toy" / "corpus").exists()


@pytest.mark.usefixtures("articles")
def test_a_set_without_documents_says_what_is_missing(folder: Path) -> None:
    failed = run(folder)
    assert isinstance(failed.exception, UsageError)
    assert "has no corpus.jsonl; name its articles with --corpus DIR" in str(failed.exception)


def test_own_documents_go_before_a_corpus_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert json_of(run(folder, "--corpus", tmp_path / "empty", "--json"))["sets"]["toy"]["measures"]["MRR@10"] == 0.75


@pytest.mark.parametrize("row", ['{"_id": "q", "text": 12}', '{"_id": "q", "text": "x", "metadata": ["x"]}', '["q"]'])
def test_queries_of_another_form_are_refused(tmp_path: Path, row: str) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d", "title": "", "text": "chè"}\n', "utf-8")
    (tmp_path / "queries.jsonl").write_text(row + "\n", "utf-8")
    (tmp_path / "qrels.tsv").write_text("q\td\tg\nq\td\t1\n", "utf-8")
    with pytest.raises(UsageError, match="no judged collection"):
        read_collection(tmp_path)
