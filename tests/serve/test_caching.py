"""Conditional requests and the cache of answers."""

from functools import partial
from pathlib import Path

import pytest
from index.folders import Folders

from htxsearch.web import caching
from htxsearch.web.caching import AnswerCache

from .conftest import Open


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def test_a_commit_is_seen_and_changes_the_etag(opened: Open, folders: Folders) -> None:
    folders.write("a.txt", "Chè xanh")
    folders.update()
    web = opened(index=str(folders.index), corpus=str(folders.corpus))
    first = web.get("/api/query?q=chè")
    assert first.headers["cache-control"] == "private, no-cache"
    condition = {"If-None-Match": first.headers["etag"]}
    again = web.get("/api/query?q=chè", headers=condition)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert web.get("/api/query?q=cam", headers=condition).status_code == 200, "an ETag is of one address"
    folders.write("b.txt", "Chè đen")
    folders.update()
    after = web.get("/api/query?q=chè", headers=condition)
    assert after.status_code == 200
    assert after.json()["total"] == 2
    folders.update(rebuild=True)
    assert web.get("/api/query?q=chè", headers={"If-None-Match": after.headers["etag"]}).status_code == 200


def test_the_last_used_answers_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "_MAX_ANSWERS", 2)
    cache = AnswerCache()
    made: list[str] = []

    def make(etag: str) -> str:
        made.append(etag)
        return etag.upper()

    assert [cache.get_or_make(etag, partial(make, etag)) for etag in "abacab"] == list("ABACAB")
    assert made == ["a", "b", "c", "b"]
