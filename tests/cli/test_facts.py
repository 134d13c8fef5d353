"""The command `facts`: tables, series, contradictions, files and plots."""

import csv
import datetime
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from htxsearch import Index
from htxsearch.cli.main import cli
from htxsearch.errors import UsageError

ARTICLES = {
    "ls-2018": "Năm 2018, tỉnh Lạng Sơn có 197 HTX.",
    "ls-2019": "Tính đến ngày 31/12/2019, tỉnh Lạng Sơn có 214 HTX.",
    "ls-khac": "Tính đến ngày 31/12/2019, tỉnh Lạng Sơn có hơn 230 HTX.",
    "ls-2025": "Phấn đấu đến năm 2025, tỉnh Lạng Sơn có ít nhất 300 HTX.",
    "cam": "Năm 2019, tỉnh Hà Giang bán cam với giá từ 15.000 đến 20.000 đồng/kg.",
}
TITLES = {"ls-2018": "=1+1 HTX", "ls-2019": "+84 gọi <b>", "cam": "@cam \x1b[31mđỏ"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with `corpus/` and `index/`; tests only read them."""
    root = tmp_path_factory.mktemp("so-lieu")
    (root / "corpus").mkdir()
    rows = [
        {"id": name, "title": TITLES.get(name, f"Tin {name}"), "text": text, "source": "-Báo"}
        for name, text in ARTICLES.items()
    ]
    (root / "corpus" / "tin.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    with Index(root / "index", corpus=root / "corpus") as index:
        assert index.update().added == len(ARTICLES)
    return root


@pytest.fixture
def run(office: Path) -> Any:
    def call(*words: str | Path) -> Result:
        folders = ["--index", str(office / "index"), "--corpus", str(office / "corpus")]
        return CliRunner().invoke(cli, ["facts", *map(str, words), *folders], standalone_mode=False)

    return call


@pytest.fixture
def shown(run: Any) -> Any:
    """Return a function that runs the command, which must succeed, and returns its output."""

    def call(*words: str | Path) -> str:
        done: Result = run(*words)
        assert done.exception is None, done.exception
        return done.stdout

    return call


# At the terminal


def test_a_table_has_value_time_place_indicator_sentence_and_article(shown: Any) -> None:
    first = shown("số HTX", "--place", "lang son").split("\n 2. ")[0]
    for part in ("214 HTX", "31/12/2019", "Lạng Sơn", "số HTX", f"“{ARTICLES['ls-2019']}”", "ls-2019"):
        assert part in first


def test_the_total_goes_to_standard_error(run: Any) -> None:
    done = run("số HTX")
    assert "4" in done.stderr
    assert done.stderr not in done.stdout
    assert run("số HTX", "-n", "1").stdout.count("“") == 1
    assert "-n" in run("số HTX", "-n", "1").stderr


def test_words_need_no_quotation_marks(shown: Any) -> None:
    assert shown("số", "HTX") == shown("số HTX") != ""


def test_a_target_and_a_bound_are_said(shown: Any) -> None:
    table = shown("số HTX", "--status", "target")
    assert "ít nhất 300 HTX" in table
    assert "target" in table


def test_nothing_found_is_no_error(run: Any) -> None:
    done = run("số tàu cá")
    assert (done.exception, done.stdout) == (None, "")
    assert "0" in done.stderr


def test_control_characters_of_a_text_do_not_reach_the_terminal(shown: Any) -> None:
    for view in ([], ["--series"], ["--indicators"]):
        assert "\x1b" not in shown("giá", *view)


def test_a_series_shows_the_oldest_first(shown: Any) -> None:
    table = shown("số HTX", "--place", "Lạng Sơn", "--series")
    at = [table.index(figure) for figure in ("197 HTX", "214 HTX", "230 HTX")]
    assert at == sorted(at)
    assert table.startswith("số HTX")


def test_conflicts_show_what_differs(run: Any) -> None:
    done = run("số HTX", "--conflicts")
    assert done.stdout.startswith("differ")
    assert "214 HTX" in done.stdout
    assert "hơn 230 HTX" in done.stdout
    assert "197 HTX" not in done.stdout


def test_indicators_are_listed_with_their_numbers(shown: Any) -> None:
    first, *rest = shown("--indicators").splitlines()
    assert first.split() == ["4", "số", "HTX", "·", "HTX"]
    assert len(rest) == 1


def test_latest_shows_the_newest_actual_figure_of_each_place(shown: Any) -> None:
    found = json.loads(shown("số HTX", "--latest", "--json"))["facts"]
    assert [one["value"] for one in found] == [214]
    years = json.loads(shown("số HTX", "--by", "year", "--json"))["facts"]
    assert [one["value"] for one in years] == [214, 197]


def test_the_facts_of_an_article(shown: Any) -> None:
    found = json.loads(shown("--article", "ls-2019", "--json"))
    assert [one["article_id"] for one in found["facts"]] == ["ls-2019"]


def test_filters(shown: Any) -> None:
    def values(*words: str) -> set[float]:
        return {one["value"] for one in json.loads(shown("số HTX", *words, "--json"))["facts"]}

    assert values("--until", "2018") == {197}
    assert values("--since", "2020") == {300}
    assert values("--unit", "ha") == set()
    assert values("--status", "actual", "--status", "target") == {197, 214, 230, 300}
    assert values("--place", "Hà Giang") == set()


# Formats


def test_json_has_facts_and_their_total(shown: Any) -> None:
    found = json.loads(shown("số HTX", "--format", "json", "-n", "1"))
    assert (len(found["facts"]), found["total"]) == (1, 4)
    assert found == json.loads(shown("số HTX", "--json", "-n", "1"))


def test_json_of_series_conflicts_and_indicators(shown: Any) -> None:
    [series] = json.loads(shown("số HTX", "--series", "--json"))["series"]
    assert (series["indicator"], series["unit"], series["place"]) == ("số HTX", "HTX", "Lạng Sơn")
    assert [fact["value"] for fact in series["facts"]] == [197, 214, 230]
    [conflict] = json.loads(shown("số HTX", "--conflicts", "--json"))["conflicts"]
    assert conflict["agree"] is False
    indicators = json.loads(shown("--indicators", "--json"))["indicators"]
    assert indicators[0] == {"indicator": "số HTX", "unit": "HTX", "count": 4}


def test_jsonl_has_a_fact_a_line(shown: Any) -> None:
    lines = [json.loads(line) for line in shown("số HTX", "--format", "jsonl").splitlines()]
    assert [one["value"] for one in lines] == [214, 230, 197, 300]


def test_a_range_has_two_values_and_in_csv_two_columns(shown: Any) -> None:
    [fact] = json.loads(shown("giá", "--json"))["facts"]
    assert fact["value"] == [15000, 20000]
    [row] = csv.DictReader(io.StringIO(shown("giá", "--format", "csv")))
    assert (row["value"], row["high"]) == ("15000", "20000")


def test_csv_takes_no_text_for_a_formula(shown: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(shown("--format", "csv"))))
    assert len(rows) == 5
    titles = {row["article_id"]: row["title"] for row in rows}
    assert (titles["ls-2018"], titles["ls-2019"]) == ("'=1+1 HTX", "'+84 gọi <b>")
    assert titles["cam"].startswith("'@cam")
    assert {row["source"] for row in rows} == {"'-Báo"}
    assert not any(cell[:1] in ("=", "+", "-", "@") for row in rows for cell in row.values())


def test_csv_in_a_file_is_one_that_excel_reads(run: Any, tmp_path: Path) -> None:
    done = run("số HTX", "--format", "csv", "--output", tmp_path / "so.csv")
    assert (done.exception, done.stdout) == (None, "")
    assert str(tmp_path / "so.csv") in done.stderr.replace("\n", "")
    assert (tmp_path / "so.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "so.csv").read_text("utf-8-sig"), newline="")))
    assert [row["value"] for row in rows] == ["214", "230", "197", "300"]


def test_json_in_a_file(shown: Any, tmp_path: Path) -> None:
    shown("số HTX", "--json", "--output", tmp_path / "so.json")
    assert [one["value"] for one in json.loads((tmp_path / "so.json").read_text("utf-8"))] == [214, 230, 197, 300]
    shown("số HTX", "--format", "jsonl", "--output", tmp_path / "so.jsonl")
    assert len((tmp_path / "so.jsonl").read_text("utf-8").splitlines()) == 4


def test_a_workbook_has_numbers_as_numbers_and_no_formulas(shown: Any, tmp_path: Path) -> None:
    shown("--format", "xlsx", "--output", tmp_path / "so.xlsx")
    header, *rows = load_workbook(tmp_path / "so.xlsx").active.iter_rows(values_only=True)  # type: ignore[union-attr]
    found = [dict(zip(header, row, strict=True)) for row in rows]
    assert sorted(row["value"] for row in found) == [197, 214, 230, 300, 15000]
    assert all(isinstance(row["value"], int | float) for row in found)
    assert {row["title"] for row in found if row["article_id"] == "ls-2018"} == {"'=1+1 HTX"}
    assert not any("\x1b" in str(cell) for row in rows for cell in row)


def test_a_workbook_has_whole_days_as_days_and_other_times_as_text(shown: Any, tmp_path: Path) -> None:
    shown("số HTX", "--format", "xlsx", "--output", tmp_path / "so.xlsx")
    header, *rows = load_workbook(tmp_path / "so.xlsx").active.iter_rows(values_only=True)  # type: ignore[union-attr]
    times = {row[header.index("value")]: row[header.index("as_of")] for row in rows}
    assert times[214] == datetime.datetime(2019, 12, 31)
    assert (times[197], times[300]) == ("2018", "2025")


def test_a_vietnamese_table_names_statuses_in_vietnamese(shown: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(shown("số HTX", "--format", "csv", "--lang", "vi"))))
    assert {row["giá trị"]: row["trạng thái"] for row in rows} == {
        "214": "thực tế",
        "230": "thực tế",
        "197": "thực tế",
        "300": "mục tiêu",
    }
    rows = list(csv.DictReader(io.StringIO(shown("số HTX", "--format", "csv", "--lang", "en"))))
    assert {row["status"] for row in rows} == {"actual", "target"}


def test_a_workbook_needs_a_file(run: Any) -> None:
    done = run("số HTX", "--format", "xlsx")
    assert isinstance(done.exception, UsageError)
    assert "--output" in str(done.exception)
    assert done.stdout == ""


# Plots


def test_a_plot_is_the_series_as_svg(run: Any, tmp_path: Path) -> None:
    assert run("số HTX", "--plot", tmp_path / "so.svg").exception is None
    image = ElementTree.fromstring((tmp_path / "so.svg").read_text("utf-8"))
    assert len([one for one in image.iter() if one.tag.endswith("circle")]) == 3


@pytest.mark.parametrize("name", ["so.pdf", "so", "so.svg.exe"])
def test_a_plot_of_another_ending(run: Any, tmp_path: Path, name: str) -> None:
    done = run("số HTX", "--plot", tmp_path / name)
    assert isinstance(done.exception, UsageError)
    assert ".svg" in str(done.exception)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("words", [["số tàu cá"], ["giá"], ["số HTX", "--until", "2018"]])
def test_there_is_no_plot_of_less_than_two_points(run: Any, tmp_path: Path, words: list[str]) -> None:
    assert isinstance(run(*words, "--plot", tmp_path / "so.svg").exception, UsageError)
    assert not (tmp_path / "so.svg").exists()


# Mistakes


@pytest.mark.parametrize("options", [["--status", "đúng"], ["--format", "pdf"], ["--by", "xã"], ["-n", "0"]])
def test_values_that_options_do_not_take(run: Any, options: list[str]) -> None:
    done = run("số HTX", *options)
    assert isinstance(done.exception, click.UsageError)
    assert done.stdout == ""


def test_the_statuses_are_named_to_who_types_another(run: Any) -> None:
    assert "target" in run("số HTX", "--status", "đúng").exception.format_message()


def test_a_date_that_is_none(run: Any) -> None:
    assert isinstance(run("số HTX", "--since", "hôm kia kìa").exception, UsageError)


def test_the_ending_of_the_output_says_how_to_write_it(shown: Any, run: Any, tmp_path: Path) -> None:
    file = tmp_path / "số liệu.csv"
    shown("số HTX", "--output", str(file))
    assert file.read_text("utf-8-sig").startswith("indicator,")
    assert isinstance(run("số HTX", "--output", tmp_path / "số liệu.txt").exception, UsageError)


def test_two_views_at_once_are_refused(run: Any) -> None:
    assert isinstance(run("số HTX", "--series", "--conflicts").exception, UsageError)
