"""`htxsearch eval`: measures, forms, floors and comparisons on a collection small enough to work out by hand."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from htxsearch.cli.main import cli
from htxsearch.errors import UsageError
from htxsearch.evaluate.floors import below_floors, raised_floors
from htxsearch.evaluate.folds import document_groups, fold_of
from htxsearch.evaluate.forms import FORMS
from htxsearch.evaluate.judged import index_of, read_judged_set
from htxsearch.evaluate.ranking import RANKING_FOLDS_FILE, evaluate_ranking, fold_weights
from htxsearch.evaluate.runs import Run, paired_randomisation
from htxsearch.search.features import learned_weights

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


def test_own_forms_are_asked_if_the_query_has_them(folder: Path) -> None:
    with (folder / "queries.jsonl").open("a", encoding="utf-8") as file:
        file.write('\n{"_id": "q5", "text": "thóc phơi"}')
    with (folder / "qrels.tsv").open("a", encoding="utf-8") as file:
        file.write("\nq5\tb\t1")
    judged = read_judged_set(folder)
    with index_of(judged) as index:
        asked = {form: evaluate_ranking(judged, index, form=form).outcomes for form in ("short", "hurried")}
    assert [asked["short"][one].query for one in ("q2", "q5")] == ["ai", "thóc phơi"]
    assert [asked["hurried"][one].query for one in ("q2", "q5")] == ["che dau", "thóc phơi"]


def test_a_query_that_cannot_be_parsed_counts_as_a_miss_and_keeps_its_error(folder: Path) -> None:
    row = json.dumps({"_id": "q5", "text": "()", "metadata": {}})
    with (folder / "queries.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n" + row)
    with (folder / "qrels.tsv").open("a", encoding="utf-8") as file:
        file.write("\nq5\tb\t1")
    judged = read_judged_set(folder)
    with index_of(judged) as index:
        found = evaluate_ranking(judged, index)
    assert found.outcomes["q5"].error == "nothing to look for; type some words"
    assert found.measures["MRR@10"] == pytest.approx(3 / 5)


def test_floors_hold_fail_and_never_go_down(folder: Path, tmp_path: Path) -> None:
    floors = tmp_path / "floors.json"
    assert run(folder, "--floors", floors, "--raise-floors").return_value == 0
    assert json.loads(floors.read_text())["left-out"]["toy"]["MRR@10"] == 0.75
    assert run(folder, "--floors", floors).return_value == 0
    floors.write_text(json.dumps({"left-out": {"toy": {"MRR@10": 0.9, "P@1": 0.1}}}))
    failed = run(folder, "--floors", floors, "--raise-floors")
    assert failed.return_value == 1
    assert "MRR@10 (left-out) is 0.7500, below its floor 0.9000" in failed.stderr
    assert "P@1 has a floor but was not measured" in failed.stderr
    assert json.loads(floors.read_text())["left-out"]["toy"]["MRR@10"] == 0.9


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
        ([], "name the folders of judged sets"),
        (["{folder}", "--measure", "nonsense"], "there is no measure 'nonsense'"),
        (["{folder}", "--raise-floors"], "--raise-floors needs --floors"),
        (["{parent}"], "is not a judged set"),
        (["--compare", "{folder}/qrels.tsv", "{folder}/qrels.tsv"], "is not a saved run"),
    ],
)
def test_mistakes_are_refused(folder: Path, words: list[str], says: str) -> None:
    failed = run(*(word.format(folder=folder, parent=folder.parent) for word in words))
    assert isinstance(failed.exception, UsageError)
    assert says in str(failed.exception)


def test_floors_are_named_after_the_form(folder: Path) -> None:
    judged = read_judged_set(folder)
    with index_of(judged) as index:
        found = [evaluate_ranking(judged, index, form="unaccented")]
    floors = raised_floors({}, found)
    assert list(floors) == ["toy (unaccented)"]
    assert below_floors(floors, found) == []


def test_a_folder_named_by_dots_has_its_real_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "dev"
    (folder / "sub").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text('{"_id": "d", "title": "", "text": "chè"}\n', "utf-8")
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "chè"}\n', "utf-8")
    (folder / "qrels.tsv").write_text("q\td\tg\nq\td\t1\n", "utf-8")
    monkeypatch.chdir(folder / "sub")
    assert read_judged_set(Path("..")).name == "dev"


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
def test_a_set_without_documents_names_the_missing_option(folder: Path) -> None:
    failed = run(folder)
    assert isinstance(failed.exception, UsageError)
    assert "has no corpus.jsonl; name the folder of its articles with --corpus DIR" in str(failed.exception)


def test_own_documents_go_before_a_corpus_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert json_of(run(folder, "--corpus", tmp_path / "empty", "--json"))["sets"]["toy"]["measures"]["MRR@10"] == 0.75


@pytest.mark.parametrize("row", ['{"_id": "q", "text": 12}', '{"_id": "q", "text": "x", "metadata": ["x"]}', '["q"]'])
def test_queries_of_another_form_are_refused(tmp_path: Path, row: str) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d", "title": "", "text": "chè"}\n', "utf-8")
    (tmp_path / "queries.jsonl").write_text(row + "\n", "utf-8")
    (tmp_path / "qrels.tsv").write_text("q\td\tg\nq\td\t1\n", "utf-8")
    with pytest.raises(UsageError, match="is not a judged set"):
        read_judged_set(tmp_path)


@pytest.fixture
def learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the product's weights have learnt from the set "toy"."""
    monkeypatch.setattr("htxsearch.evaluate.ranking.ranking_learnt_from", lambda name: name == "toy")


@pytest.fixture
def folds(tmp_path: Path) -> Path:
    """Return a folder with weights for two folds: the product's, and some that rank the worst passage first."""
    made = tmp_path / "folds"
    made.mkdir()
    weights = dict(learned_weights())
    reversed_weights = {name: -weight for name, weight in weights.items()}
    stored = {"trained_on": {"toy": 4}, "weights": [weights, reversed_weights]}
    (made / RANKING_FOLDS_FILE).write_text(json.dumps(stored), "utf-8")
    return made


@pytest.mark.usefixtures("learnt_from")
def test_figures_are_printed_fitted_and_left_out(folder: Path, folds: Path, tmp_path: Path) -> None:
    result = run(folder, "--folds", folds, "--figures", tmp_path / "figures.json")
    assert [line.split()[2] for line in result.stdout.splitlines()] == ["fitted", "left-out"]
    toy = json.loads((tmp_path / "figures.json").read_text())["sets"]["toy"]
    assert (toy["kind"], toy["left_out"]["kind"]) == ("fitted", "left-out")


def test_a_set_that_no_training_reads_is_left_out(folder: Path, folds: Path) -> None:
    assert [line.split()[2] for line in run(folder, "--folds", folds).stdout.splitlines()] == ["left-out"]


@pytest.mark.usefixtures("learnt_from")
def test_each_query_is_ranked_by_the_weights_of_its_fold(folder: Path, folds: Path) -> None:
    judged = read_judged_set(folder)
    with index_of(judged) as index:
        run_of_folds = evaluate_ranking(judged, index, weights_of=fold_weights(judged, folds))
        product = evaluate_ranking(judged, index)
    assert (run_of_folds.kind, product.kind) == ("left-out", "fitted")
    assert run_of_folds.label == product.label == "toy"
    worse = {query for query, outcome in product.outcomes.items() if outcome.ranked != run_of_folds.outcomes[query].ranked}
    groups = document_groups(judged.qrels)
    assert worse <= {query for query in judged.queries if fold_of(groups[query], 2) == 1}


@pytest.mark.usefixtures("learnt_from")
def test_fitted_figures_pin_no_floors(folder: Path, folds: Path, tmp_path: Path) -> None:
    floors = tmp_path / "floors.json"
    refused = run(folder, "--floors", floors, "--raise-floors")
    assert isinstance(refused.exception, UsageError)
    assert "the figures of toy are fitted" in str(refused.exception)
    assert not floors.exists()
    assert run(folder, "--folds", folds, "--floors", floors, "--raise-floors").return_value == 0
    assert list(json.loads(floors.read_text())) == ["left-out"]
    refused = run(folder, "--floors", floors)
    assert isinstance(refused.exception, UsageError)
    assert "has floors for toy, but its figures are fitted" in str(refused.exception)


def test_only_a_left_out_figure_falls_below_a_floor() -> None:
    floors = {"toy": {"MRR@10": 0.6}}
    runs = [Run(name="toy", form="typed", measures={"MRR@10": 0.5}, outcomes={}, kind="fitted")]
    assert below_floors(floors, runs) == []
    assert [one.code for one in below_floors(floors, runs, "fitted")] == ["eval.below-floor"]


@pytest.mark.usefixtures("learnt_from")
@pytest.mark.parametrize("stored", [None, "{}", '{"trained_on": {"other": 1}, "weights": [{}]}'])
def test_folds_that_do_not_fit_are_refused(folder: Path, tmp_path: Path, stored: str | None) -> None:
    folds = tmp_path / "none"
    folds.mkdir()
    if stored:
        (folds / RANKING_FOLDS_FILE).write_text(stored)
    refused = run(folder, "--folds", folds)
    assert isinstance(refused.exception, UsageError)
    assert refused.exception.code == ("eval.folds-lack-set" if stored and "other" in stored else "eval.no-folds")


def test_a_floors_file_pins_only_left_out_figures(folder: Path, tmp_path: Path) -> None:
    floors = tmp_path / "floors.json"
    for text in ('{"toy": {"MRR@10": 0.5}}', '{"left-out": {}, "fitted": {}}', "[]", '{"left-out": {"toy": 1}}'):
        floors.write_text(text)
        refused = run(folder, "--floors", floors)
        assert isinstance(refused.exception, UsageError), text
        assert refused.exception.code == "eval.not-floors"


def test_the_randomisation_test_tells_chance_from_difference() -> None:
    assert paired_randomisation([]) == paired_randomisation([0.0, 0.0]) == 1.0
    assert paired_randomisation([0.5, -0.5]) == 1.0
    assert paired_randomisation([0.1] * 5) == pytest.approx(2 / 32, abs=0.01)
    assert paired_randomisation([0.1] * 20) < 0.001
