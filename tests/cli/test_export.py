"""Hits of a query as files: `query --format`, `--all`, `--out`."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import pytest
from click.testing import CliRunner, Result
from command import htxsearch
from index.folders import Folders
from openpyxl import load_workbook

from htxsearch import Index
from htxsearch.cli.main import cli
from htxsearch.cli.translation import use_language
from htxsearch.errors import UsageError

ARTICLES = 14


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Return an index of fourteen articles about looms; tests only read it."""
    folders = Folders(tmp_path_factory.mktemp("khung-cui"))
    rows = [
        {"id": f"tin-{number}", "title": f"=Khung cửi {number}", "text": f"Làng dệt số {number} có khung cửi mới.",
         "source": "Báo Bến Sông", "date": f"2024-01-{number + 1:02}", "place": "Hà Nam", "url": f"https://ben.example/{number}"}
        for number in range(ARTICLES)
    ]  # fmt: skip
    folders.write_lines("tin.jsonl", *rows)
    assert not folders.update().rejected
    return folders


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Let --lang count for one command."""
    yield
    use_language("en")


@pytest.fixture
def run(library: Folders) -> Any:
    def call(*words: str | Path) -> Result:
        folders = ["--index", str(library.index), "--corpus", str(library.corpus)]
        return CliRunner().invoke(cli, ["query", *map(str, words), *folders], standalone_mode=False)

    return call


@pytest.fixture
def written(run: Any) -> Any:
    """Return a function that runs the command, which must succeed, and returns its output in bytes."""

    def call(*words: str | Path) -> bytes:
        done: Result = run(*words)
        assert done.exception is None, done.exception
        return done.stdout_bytes

    return call


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_a_table_as_csv_is_one_that_excel_reads(written: Any) -> None:
    content = written("khung cửi", "--format", "csv", "--sort", "date", "-n", "2")
    assert content.startswith(b"\xef\xbb\xbfnumber;title;")
    first, second = table(content)
    assert first == {
        "number": "1", "title": "'=Khung cửi 13", "source": "Báo Bến Sông", "date": "2024-01-14", "place": "Hà Nam", "page": "",
        "passage": "Làng dệt số 13 có khung cửi mới.", "url": "https://ben.example/13", "path": "tin.jsonl",
        "article_id": "tin-13",
    }  # fmt: skip
    assert second["number"] == "2"


def test_all_gives_every_hit_and_without_it_the_limit_holds(run: Any, written: Any) -> None:
    assert len(table(written("khung cửi", "--format", "csv"))) == 10
    rows = table(written("khung cửi", "--format", "csv", "--all"))
    assert {row["article_id"] for row in rows} == {f"tin-{number}" for number in range(ARTICLES)}
    assert [int(row["number"]) for row in rows] == list(range(1, ARTICLES + 1))
    later = table(written("khung cửi", "--format", "csv", "--all", "--offset", "12"))
    assert [row["article_id"] for row in later] == [row["article_id"] for row in rows[12:]]
    assert later[0]["number"] == "13"
    assert run("khung cửi", "--all").stdout.count("Khung cửi") == ARTICLES
    assert len(json.loads(written("khung cửi", "--all", "--json"))["hits"]) == ARTICLES
    assert table(written("khung cửi", "--format", "csv", "--all", "--offset", "50")) == []


def test_more_hits_than_a_search_gives_are_cut_and_that_is_said(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("htxsearch.query.filters.MOST_HITS", 11)
    done = run("khung cửi", "--format", "csv", "--all")
    assert len(table(done.stdout_bytes)) == 11
    assert "only the first 11 of 14 hits" in done.stderr


def test_a_workbook_and_a_report_in_files(written: Any, library: Folders, tmp_path: Path) -> None:
    with Index(library.index, corpus=library.corpus) as index:
        titles = [hit.title for hit in index.search("khung cửi", limit=3)]
    for form in ("xlsx", "docx"):
        assert written("khung cửi", "-n", "3", "--out", tmp_path / f"kết quả.{form}", "--lang", "vi") == b""
    sheet = load_workbook(tmp_path / "kết quả.xlsx").active
    assert sheet is not None
    assert [cell.value for cell in sheet["B"]] == ["Tiêu đề", *(f"'{title}" for title in titles)]
    document = docx.Document(str(tmp_path / "kết quả.docx"))
    assert document.paragraphs[0].text == "Kết quả tìm «khung cửi»"
    headings = [one.text for one in document.paragraphs if one.style is not None and one.style.name == "Heading 2"]
    assert headings == [f"{number}. {title}" for number, title in enumerate(titles, start=1)]


def test_markdown_names_filters_and_goes_to_standard_output(written: Any) -> None:
    lines = written("khung cửi", "--format", "md", "-n", "1", "--place", "Hà Nam", "--since", "2024").decode().splitlines()
    assert lines[0] == "# Results for 'khung cửi'"
    assert "place: Hà Nam · since: 2024" in lines
    assert "> Làng dệt số" in "\n".join(lines)


def test_json_and_its_lines_are_as_ever(written: Any, tmp_path: Path) -> None:
    as_json, as_lines = written("khung cửi", "--json"), written("khung cửi", "--jsonl")
    hits = json.loads(as_json)["hits"]
    assert [json.loads(line) for line in as_lines.splitlines()] == hits
    assert json.loads(written("khung cửi", "--format", "json"))["hits"] == hits
    assert written("khung cửi", "--format", "jsonl") == as_lines
    written("khung cửi", "--out", tmp_path / "tin.jsonl")
    assert (tmp_path / "tin.jsonl").read_bytes() == as_lines
    written("khung cửi", "--json", "--output", tmp_path / "tin.txt")
    assert json.loads((tmp_path / "tin.txt").read_bytes())["hits"] == hits


@pytest.mark.parametrize("form", ["xlsx", "docx"])
def test_a_binary_file_is_not_shown(run: Any, form: str) -> None:
    done = run("khung cửi", "--format", form)
    assert isinstance(done.exception, UsageError)
    assert f"--out FILE.{form}" in str(done.exception)
    assert done.stdout == ""


def test_the_ending_says_the_format_unless_an_option_does(run: Any, written: Any, tmp_path: Path) -> None:
    written("khung cửi", "--format", "csv", "--out", tmp_path / "ghi.txt")
    written("khung cửi", "--out", tmp_path / "ghi.CSV")
    assert (tmp_path / "ghi.txt").read_bytes() == (tmp_path / "ghi.CSV").read_bytes()
    done = run("khung cửi", "--out", tmp_path / "ghi.pdf")
    assert isinstance(done.exception, UsageError)
    assert ".docx" in str(done.exception)
    assert not (tmp_path / "ghi.pdf").exists()


def test_what_was_written_and_how_the_query_was_read_is_said(run: Any, tmp_path: Path) -> None:
    done = run("khung cửi zzzz", "--out", tmp_path / "ghi.md")
    assert "zzzz" in done.stderr
    assert f"wrote 10 hits to {tmp_path / 'ghi.md'}" in done.stderr
    nothing = run("zzzz", "--out", tmp_path / "khong.csv")
    assert nothing.exception is None
    assert table((tmp_path / "khong.csv").read_bytes()) == []


def test_a_file_that_cannot_be_written_is_named(library: Folders, tmp_path: Path) -> None:
    folders = ("--index", str(library.index), "--corpus", str(library.corpus))
    done = htxsearch("query", "khung cửi", "--out", "không có/ghi.csv", *folders, cwd=tmp_path)
    assert done.returncode != 0
    assert "ghi.csv" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_gets_no_byte_order_mark(library: Folders, tmp_path: Path) -> None:
    import pty

    folders = ["--index", str(library.index), "--corpus", str(library.corpus)]
    command = [sys.executable, "-m", "htxsearch", "query", "khung cửi", "-n", "1", "--format", "csv", *folders]
    outer, inner = pty.openpty()
    try:
        subprocess.run(command, cwd=tmp_path, stdout=inner, stderr=subprocess.DEVNULL, check=True)
        shown = os.read(outer, 10_000)
    finally:
        os.close(inner)
        os.close(outer)
    assert shown.startswith(b"number;title;")
