"""`add`, `feeds` and `reindex` with `--feeds` or `--watch`."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import HEEDS_INTERRUPTS, as_json, htxsearch
from web import Site, running

from htxsearch.indexing.manifest import writer_lock

PAGE = (
    f"<!doctype html><title>Chè</title><body><article><p>{'Hợp tác xã chè họp đại hội thành viên năm nay. ' * 5}</p></article>"
)


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as site:
        yield site


def test_add_lists_added_known_and_refused_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Hợp tác xã trồng lúa.", "utf-8")
    done = htxsearch("add", "a.txt", "a.txt", "no.txt", "-", "--place", "Hải Phòng", cwd=tmp_path, stdin="Nuôi cá.")
    assert done.returncode == 1
    assert "added   a.txt" in done.stdout
    assert "2 added" in done.stdout
    assert "known   a.txt" in done.stdout
    assert "refused no.txt: there is no such file" in done.stderr
    assert "Traceback" not in done.stderr
    assert as_json("query", "lúa", "--place", "Hải Phòng", cwd=tmp_path)["total"] == 1


def test_add_names_only_the_rejected_of_what_it_added(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "old.txt").write_bytes(b"\0\0\0")
    (tmp_path / "a.txt").write_text("Hợp tác xã trồng lúa.", "utf-8")
    for _ in range(2):  # added, then known
        done = htxsearch("add", "a.txt", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "rejected" not in done.stdout
        assert "old.txt" not in done.stderr
        assert "1 other file is still not taken in" in done.stderr
    (tmp_path / "b.jsonl").write_text('{"id": "x", "text": "Chè"}\n{"id": "y"}\n', "utf-8")
    done = htxsearch("add", "b.jsonl", "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert [one["path"] for one in json.loads(done.stdout)["rejected"]] == ["b.jsonl:2"]
    done = htxsearch("add", "corpus/old.txt", cwd=tmp_path)
    assert done.returncode == 1
    assert "rejected old.txt" in done.stderr


def test_add_prints_json(tmp_path: Path) -> None:
    done = htxsearch("add", "-", "http://127.0.0.1:9/", "--json", "--title", "Cá", cwd=tmp_path, stdin="Nuôi cá.")
    assert done.returncode == 2, "one title for two things"
    done = htxsearch("add", "-", "--json", "--title", "Cá", cwd=tmp_path, stdin="Nuôi cá.")
    output = json.loads(done.stdout)
    assert output["taken"] == [{"source": "-", "path": "Cá.txt", "how": "added"}]
    assert output["reindex"]["added"] == 1
    done = htxsearch("add", "http://127.0.0.1:9/", "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert "--allow-private" in json.loads(done.stdout)["refused"][0]["reason"]


def test_a_feed_is_followed_listed_and_forgotten(tmp_path: Path, site: Site) -> None:
    page = site.page("/che", PAGE.encode())
    feed = site.page("/rss", f"<rss><channel><title>Tin\x7f</title><item><link>{page}</link></item></channel></rss>".encode())
    done = htxsearch("add", feed, "--allow-private", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"following {feed}" in done.stdout
    assert "1 added" in done.stdout
    assert as_json("feeds", cwd=tmp_path)[0]["seen"] == 1
    done = htxsearch("reindex", "--feeds", cwd=tmp_path)
    assert done.returncode == 1, "a private address again needs --allow-private"
    done = htxsearch("reindex", "--feeds", "--allow-private", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 unchanged" in done.stdout
    asked = len(site.asked)
    done = htxsearch("reindex", "--feeds", "--allow-private", "--watch", "--every", "0", cwd=tmp_path)
    assert (done.returncode, len(site.asked)) == (2, asked), "a wrong --every is refused before anything is fetched"
    done = htxsearch("feeds", "--forget", feed, cwd=tmp_path)
    assert done.returncode == 0
    assert "no feeds are followed" in done.stderr
    assert htxsearch("feeds", "--forget", feed, cwd=tmp_path).returncode == 2


def test_watch_indexes_the_corpus_and_stops_on_ctrl_c(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("Hợp tác xã trồng lúa.", "utf-8")
    command = [sys.executable, "-c", HEEDS_INTERRUPTS + "import htxsearch.__main__", "reindex", "--watch"]
    running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert running.stdout is not None
        assert b"1 added" in running.stdout.readline()
        running.send_signal(signal.SIGINT)
        _, talk = running.communicate(timeout=300)
    finally:
        running.kill()
        running.communicate()
    assert running.returncode == 130
    assert b"Traceback" not in talk
    assert htxsearch("reindex", "--watch", "--every", "0", cwd=tmp_path).returncode == 2


def test_sources_are_completed_as_files(tmp_path: Path) -> None:
    done = htxsearch(cwd=tmp_path, _HTXSEARCH_COMPLETE="bash_complete", COMP_WORDS="htxsearch add a", COMP_CWORD="2")
    assert done.stdout == "file,a\n"


def test_a_change_that_meets_a_reindex_says_what_takes_it_in(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    for name in ("a.txt", "b.txt"):
        (tmp_path / "corpus" / name).write_text(f"Vườn {name}\nBà con hái chè.\n", "utf-8")
    htxsearch("reindex", cwd=tmp_path)
    with writer_lock(tmp_path / "index"):
        for words in (("edit", "a.txt", "--title", "Đồi chè"), ("remove", "b.txt"), ("put-back", "b.txt")):
            done = htxsearch(*words, "--lang", "vi", cwd=tmp_path)
            assert done.returncode == 0, done.stderr
            assert "chưa vào chỉ mục; khi việc đó xong, hãy chạy: htxsearch reindex" in done.stderr
        assert as_json("edit", "b.txt", "--source", "Báo xã", cwd=tmp_path)["reindex"] is None
    htxsearch("reindex", cwd=tmp_path)
    assert as_json("edit", "a.txt", cwd=tmp_path)["title"] == "Đồi chè"
    assert as_json("edit", "b.txt", cwd=tmp_path)["source"] == "Báo xã"


def test_edit_shows_what_it_changed_and_refuses_in_both_languages(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("Vườn chè\nBà con hái chè.\n", "utf-8")
    shown = htxsearch("edit", "a.txt", cwd=tmp_path)
    assert shown.returncode == 0
    assert "title: Vườn chè" in shown.stdout
    assert "htxsearch edit a.txt --date" in shown.stderr
    done = htxsearch("edit", "a.txt", "--title", "Đồi chè", "--date", "7/8/2023", "--lang", "vi", cwd=tmp_path)
    assert done.stdout.splitlines() == ["tiêu đề: Vườn chè → Đồi chè", "ngày đăng: không có → 07/08/2023"]
    output = as_json("edit", "a.txt", "--unset", "date", cwd=tmp_path)
    assert output["changes"] == [{"field": "date", "old": "2023-08-07", "new": None}]
    assert output["reindex"]["changed"] == 1
    assert as_json("edit", "a.txt", cwd=tmp_path)["title"] == "Đồi chè"
    refused = htxsearch("edit", "a.txt", "--place", "Thai Nguyn", "--lang", "vi", cwd=tmp_path)
    assert refused.returncode == 2
    assert "có phải là Thái Nguyên?" in refused.stderr
    again = htxsearch("edit", "a.txt", "--title", "Đồi chè", cwd=tmp_path)
    assert (again.returncode, again.stdout) == (0, "")
    assert "nothing is different" in again.stderr


def test_a_dry_run_and_the_list_of_the_rejected(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.txt").write_text("Vườn chè\nBà con hái chè.\n", "utf-8")
    (corpus / "b.txt").write_bytes(b"\0\0\0")
    (corpus / "c.txt").write_text("Nháp", "utf-8")
    (corpus / ".htxignore").write_text("c.*\n", "utf-8")
    plan = as_json("reindex", "--dry-run", cwd=tmp_path)
    assert (plan["added"], plan["ignored"], plan["refusal"]) == (["a.txt"], ["c.txt"], None)
    assert [one["path"] for one in plan["rejected"]] == ["b.txt"]
    assert not (tmp_path / "index").exists()
    done = htxsearch("reindex", "--dry-run", "--lang", "vi", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.split() == ["thêm", "a.txt"]
    assert "chưa ghi gì" in done.stderr
    assert htxsearch("reindex", "--dry-run", "--watch", cwd=tmp_path).returncode == 2
    assert htxsearch("reindex", "--priority", "normal", cwd=tmp_path).returncode == 1, "a file is rejected"
    listed = htxsearch("info", "--rejected", cwd=tmp_path)
    assert listed.returncode == 0
    assert listed.stdout.startswith("b.txt: ")
    assert ".htxignore" in listed.stderr
    assert as_json("info", cwd=tmp_path)["rejected"][0]["path"] == "b.txt"
    (tmp_path / "other").mkdir()
    assert as_json("reindex", "--dry-run", "--corpus", "other", cwd=tmp_path)["refusal"].startswith("the index")
    allowed = as_json("reindex", "--dry-run", "--corpus", "other", "--allow-other-corpus", "--allow-removals", cwd=tmp_path)
    assert (allowed["refusal"], allowed["removed"]) == (None, ["a.txt"])
    refused = htxsearch("reindex", "--corpus", "other", cwd=tmp_path)
    assert refused.returncode == 3
    assert "htxsearch reindex --allow-other-corpus --corpus other" in refused.stderr
