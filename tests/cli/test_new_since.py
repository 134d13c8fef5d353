"""`query --new-since`: what is new since a time, or since the query was asked last."""

import json
from pathlib import Path

import pytest
from command import htxsearch
from index.folders import Folders

from htxsearch.cli.new_since import FILE


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    made = Folders(tmp_path)
    made.write("chè.txt", "Đồi chè")
    made.update()
    return made


def new(folders: Folders, *options: str, query: str = "bà con") -> list[str]:
    where = ("--index", str(folders.index), "--corpus", str(folders.corpus))
    done = htxsearch("query", query, "--jsonl", *options, *where, cwd=folders.corpus.parent)
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["article_id"] for line in done.stdout.splitlines()]


def test_last_shows_each_article_once(folders: Folders) -> None:
    last = ("--new-since", "last")
    assert new(folders, *last) == ["chè.txt"], "all is new at first"
    assert new(folders, *last) == []
    folders.write("cam.txt", "Vườn cam")
    folders.write("lúa.txt", "Ruộng lúa")
    folders.update()
    assert new(folders, *last, query="cam") == ["cam.txt"], "another query has its own time"
    assert new(folders, *last, "--limit", "1") == ["cam.txt", "lúa.txt"], "all hits, whatever the limit"
    assert new(folders, *last) == []
    (folders.index / FILE).write_text("{broken", "utf-8")
    assert len(new(folders, *last)) == 3, "all is new once if the file is lost"


def test_only_what_is_new_is_counted(folders: Folders) -> None:
    where = ("--index", str(folders.index), "--corpus", str(folders.corpus))
    said = []
    for name in ("", "cam", ""):
        if name:
            folders.write(f"{name}.txt", f"Vườn {name}")
            folders.update()
        said.append(htxsearch("query", "bà con", "--new-since", "last", *where, cwd=folders.corpus.parent).stderr)
    assert "1–1: 1 that fits" in said[1] or "1–1 of 1" in said[1], said
    assert said[2].strip() == "nothing new"


def test_a_time_changes_nothing(folders: Folders) -> None:
    assert new(folders, "--new-since", "2000-01-01") == ["chè.txt"]
    assert new(folders, "--new-since", "2999-01-01") == []
    assert not (folders.index / FILE).exists()


def test_what_is_no_time_is_refused(folders: Folders) -> None:
    where = ("--index", str(folders.index), "--corpus", str(folders.corpus))
    done = htxsearch("query", "bà con", "--new-since", "hôm qua", *where, cwd=folders.corpus.parent)
    assert done.returncode == 2
    assert "hôm qua" in done.stderr
