"""`--engine`: an index in a cluster from the command line, on one in a dictionary, and what is said when there is none."""

import socket
from pathlib import Path

import pytest
from command import htxsearch
from engine.fake_cluster import FakeCluster

URL = "http://localhost:9200/bai"


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fake = FakeCluster()
    monkeypatch.setattr("htxsearch.engine.opensearch.connect", lambda address: fake.connected(address.name))
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "chè.txt").write_text("Vườn chè\n\nHợp tác xã trồng chè ở Thái Nguyên.", "utf-8")
    return tmp_path


@pytest.mark.parametrize("before", [True, False])
def test_the_engine_may_be_named_before_or_behind_the_command(office: Path, before: bool) -> None:
    words = ("--engine", URL, "reindex") if before else ("reindex", "--engine", URL)
    done = htxsearch(*words, cwd=office)
    assert (done.returncode, done.stderr) == (0, "")
    assert htxsearch("show", "chè.txt", cwd=office).stdout.startswith("Vườn chè"), "the folder remembers it"
    assert not list((office / "index").glob("data-*"))


def test_the_environment_names_the_engine_and_the_command_line_goes_before_it(office: Path) -> None:
    assert htxsearch("reindex", cwd=office, HTXSEARCH_ENGINE=URL).returncode == 0
    shown = htxsearch("show", "chè.txt", "--index", "khác", cwd=office, HTXSEARCH_ENGINE=URL)
    assert shown.stdout.startswith("Vườn chè")
    done = htxsearch("show", "chè.txt", "--index", "nữa", "--engine", "sai", cwd=office, HTXSEARCH_ENGINE=URL)
    assert done.returncode == 2
    assert "sai" in done.stderr


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://may/tin", "https://user@host:9200/NAME"),
        ("https://nam:bimat@may/tin", "HTXSEARCH_ENGINE_PASSWORD"),
        ("https://nam@may/tin", "HTXSEARCH_ENGINE_PASSWORD"),
        ("https://may/Tin", "lower-case"),
    ],
)
def test_an_address_that_cannot_be_used_is_a_usage_error(tmp_path: Path, url: str, says: str) -> None:
    done = htxsearch("--engine", url, "query", "chè", cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert "bimat" not in done.stderr
    assert not (tmp_path / "index").exists()


def test_a_cluster_that_is_not_there_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("htxsearch.engine.opensearch.cluster._PATIENCE_S", 0.0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/tin"
        done = htxsearch("--engine", url, "query", "chè", cwd=tmp_path)
    assert done.returncode == 4
    assert url in done.stderr
    assert "check the address" in done.stderr


def test_move_copies_the_index_and_says_how_much(office: Path) -> None:
    htxsearch("reindex", cwd=office)
    done = htxsearch("move", "--to", URL, cwd=office)
    assert (done.returncode, done.stdout) == (0, f"Articles copied to {URL}: 1. The index is there now.\n")
    assert htxsearch("move", "--to", URL, cwd=office).returncode == 2
    assert htxsearch("move", "--to", "folder", cwd=office).returncode == 0
    assert list((office / "index").glob("data-*"))
