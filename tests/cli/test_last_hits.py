"""The hits of the last query, named by their numbers."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from command import htxsearch
from index.folders import Folders

from htxsearch.cli.main import cli
from htxsearch.errors import UnknownArticle
from htxsearch.errors.messages import render

ROWS = [
    {"id": name, "title": f"Muối {name}", "text": f"Diêm dân làng {name} phơi muối {'trắng ' * times}trên đồng."}
    for times, name in enumerate(("bac", "dong", "nam", "tay", "trung"), start=1)
]


@pytest.fixture(scope="module")
def saltworks(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Return an index of five articles, and of one with the id "7" and one whose id ends in "/9"; tests only read it."""
    folders = Folders(tmp_path_factory.mktemp("muoi"))
    others = [{"id": name, "title": f"Số {name}", "text": "Trại giống cá ở ven đê."} for name in ("7", "ca/9", "ca/2")]
    folders.write_lines("tin.jsonl", *ROWS, *others)
    assert not folders.update().rejected
    return folders


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the cache folder of a user who has asked nothing yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "htxsearch"


@pytest.fixture
def run(saltworks: Folders, cache: Path) -> Any:
    def call(*words: str, index: Path = saltworks.index) -> Result:
        folders = ["--index", str(index), "--corpus", str(saltworks.corpus)]
        return CliRunner().invoke(cli, [*words, *folders], standalone_mode=False)

    assert not cache.exists()
    return call


@pytest.fixture
def shown(run: Any) -> Any:
    """Return a function that runs a command with --json, which must succeed, and returns its output as data."""

    def call(*words: str) -> Any:
        done: Result = run(*words, "--json")
        assert done.exception is None, done.exception
        return json.loads(done.stdout)

    return call


def kept(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*.json"))


def test_a_number_names_a_hit_of_the_last_query(shown: Any) -> None:
    ids = [hit["article_id"] for hit in shown("query", "muối")["hits"]]
    assert len(ids) == 5
    assert [shown("show", str(number))["article_id"] for number in range(1, 6)] == ids
    assert shown("related", "2")["article_id"] == ids[1]
    assert shown("edit", "3")["article_id"] == ids[2]
    assert shown("query", "cá", "-n", "1")["hits"][0]["article_id"] == shown("show", "1")["article_id"]


def test_facts_of_a_hit(run: Any) -> None:
    run("query", "muối")
    assert run("facts", "--article", "1", "--json").exception is None
    assert isinstance(run("facts", "--article", "6").exception, UnknownArticle)


def test_the_passage_of_the_hit_is_marked(run: Any) -> None:
    hit = json.loads(run("query", "muối", "--json").stdout)["hits"][0]
    marked = [line for line in run("show", "1").stdout.splitlines() if line.startswith("▶ ")]
    assert marked == [f"▶ {hit['passage']['text']}"]
    assert "▶" not in run("show", hit["article_id"]).stdout


def test_the_next_page_goes_on_counting(run: Any, shown: Any) -> None:
    ids = [hit["article_id"] for hit in shown("query", "muối")["hits"]]
    shown("query", "muối", "--offset", "3", "-n", "1")
    assert shown("show", "4")["article_id"] == ids[3]
    error = run("show", "1").exception
    assert isinstance(error, UnknownArticle)
    assert "hits 4 to 4" in str(error)


def test_an_id_goes_before_a_number_and_a_number_before_the_end_of_an_id(shown: Any) -> None:
    first, second, *_ = (hit["article_id"] for hit in shown("query", "muối")["hits"])
    assert shown("show", "7")["article_id"] == "7"
    assert shown("show", "9")["article_id"] == "ca/9", "there is no ninth hit"
    assert shown("show", "2")["article_id"] == second != "ca/2"
    assert shown("show", "1")["article_id"] == first


@pytest.mark.parametrize(("language", "words"), [("en", "the last query had 5 hits"), ("vi", "lần tìm gần nhất có 5 kết quả")])
@pytest.mark.parametrize("command", ["show", "related", "edit"])
def test_a_number_that_no_hit_has(run: Any, language: Any, words: str, command: str) -> None:
    run("query", "muối")
    error = run(command, "6").exception
    assert isinstance(error, UnknownArticle)
    assert words in render(error, language)
    assert "htxsearch query" in render(error, language) or "6" in render(error, language)


def test_a_number_without_a_query_before(run: Any) -> None:
    error = run("show", "1").exception
    assert isinstance(error, UnknownArticle)
    assert "no query of this index is remembered" in str(error)
    assert "htxsearch query" in str(error)
    run("query", "zzzz")
    assert "0 hits" in str(run("show", "1").exception)


@pytest.mark.parametrize("name", ["0", "01", "1.5", "１", "9999999"])
def test_what_is_no_number_of_a_hit_is_a_name(run: Any, name: str) -> None:
    run("query", "muối")
    error = run("show", name).exception
    assert isinstance(error, UnknownArticle)
    assert error.code.startswith("article.unknown")


def test_each_index_has_its_own_last_query(run: Any, cache: Path, tmp_path: Path) -> None:
    other = Folders(tmp_path / "khac")
    other.write("mot.txt", "Lò gạch cũ")
    other.update()
    run("query", "muối")
    assert run("query", "lò gạch", index=other.index).exception is None
    assert "Lò gạch" in run("show", "1", index=other.index).stdout
    assert "Muối" in run("show", "1").stdout
    assert len(kept(cache)) == 2


def test_only_ids_places_of_passages_the_index_and_the_time_are_kept(run: Any, cache: Path, saltworks: Folders) -> None:
    run("query", "diêm dân làng nam", "-n", "2")
    [file] = kept(cache)
    text = file.read_text("utf-8")
    content = json.loads(text)
    assert content.keys() == {"index", "time", "first", "hits"}
    assert content["index"] == str(saltworks.index.resolve())
    assert [len(hit) for hit in content["hits"]] == [2, 2]
    assert not [word for word in ("diêm", "Diêm", "dân") if word in text]
    assert not list(saltworks.index.rglob(file.name)), "not in the index"
    if os.name == "posix":
        assert file.parent.stat().st_mode & 0o077 == 0


def test_the_passages_of_a_question_without_an_answer_are_numbered_too(shown: Any) -> None:
    answers = shown("ask", "thời tiết hôm nay ở làng muối có mưa không")
    assert answers["answer"] is None
    ids = [hit["article_id"] for hit in answers["passages"]]
    assert len(ids) > 1
    assert [shown("show", str(number))["article_id"] for number in range(1, len(ids) + 1)] == ids


@pytest.mark.parametrize("content", ["", "[]", "{", '{"first": 1}', '{"first": 1, "hits": [1]}', '{"first": "x", "hits": []}'])
def test_a_damaged_file_counts_as_none(run: Any, cache: Path, content: str) -> None:
    run("query", "muối")
    [file] = kept(cache)
    file.write_text(content)
    assert "no query of this index is remembered" in str(run("show", "1").exception)
    run("query", "muối")
    assert run("show", "1").exception is None


def test_a_query_answers_where_nothing_can_be_kept(run: Any, cache: Path) -> None:
    cache.parent.write_text("a file where the folder should be")
    done = run("query", "muối")
    assert done.exception is None
    assert "Muối" in done.stdout
    assert "no query of this index is remembered" in str(run("show", "1").exception)


def test_the_index_folders_queried_longest_ago_are_forgotten(run: Any, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("htxsearch.cli.last_hits._MOST_FILES", 3)
    (cache / "last-hits").mkdir(parents=True)
    for number in range(5):
        old = cache / "last-hits" / f"{number}.json"
        old.write_text("{}")
        os.utime(old, (number, number))
    run("query", "muối")
    assert {"3.json", "4.json"} < {file.name for file in kept(cache)}
    assert len(kept(cache)) == 3
    assert run("show", "1").exception is None


def test_a_real_process_names_the_hit_and_exits_with_2_if_there_is_none(saltworks: Folders, tmp_path: Path) -> None:
    folders = ("--index", str(saltworks.index), "--corpus", str(saltworks.corpus))
    environment = {"XDG_CACHE_HOME": str(tmp_path)}
    assert htxsearch("query", "muối", *folders, cwd=tmp_path, **environment).returncode == 0
    assert "▶ " in htxsearch("show", "2", *folders, cwd=tmp_path, **environment).stdout
    past = htxsearch("show", "6", *folders, "--lang", "vi", cwd=tmp_path, **environment)
    assert (past.returncode, past.stdout) == (2, "")
    assert "lần tìm gần nhất có 5 kết quả" in past.stderr
