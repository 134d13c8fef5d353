"""`add`, `feeds` and `reindex --feeds` as a person or a program meets them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from web import Site, running

PAGE = (
    f"<!doctype html><title>Chè</title><body><article><p>{'Hợp tác xã chè họp đại hội thành viên năm nay. ' * 5}</p></article>"
)


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as site:
        yield site


def htxsearch(*words: str, cwd: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "htxsearch", *words], cwd=cwd, env=environment(), input=stdin, capture_output=True, check=False
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def environment() -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HTXSEARCH_")}
    return {**clean, "PYTHONUTF8": "1", "NO_COLOR": "1"}


def test_add_says_what_was_added_known_and_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Hợp tác xã trồng lúa.", "utf-8")
    done = htxsearch("add", "a.txt", "a.txt", "no.txt", "-", "--place", "Hải Phòng", cwd=tmp_path, stdin="Nuôi cá.".encode())
    assert done.returncode == 1
    assert "added   a.txt" in done.stdout
    assert "2 added" in done.stdout
    assert "known   a.txt" in done.stdout
    assert "refused no.txt: there is no such file" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(htxsearch("query", "lúa", "--place", "Hải Phòng", "--json", cwd=tmp_path).stdout)["total"] == 1


def test_add_prints_json(tmp_path: Path) -> None:
    done = htxsearch("add", "-", "http://127.0.0.1:9/", "--json", "--title", "Cá", cwd=tmp_path, stdin="Nuôi cá.".encode())
    assert done.returncode == 2, "one title for two things"
    done = htxsearch("add", "-", "--json", "--title", "Cá", cwd=tmp_path, stdin="Nuôi cá.".encode())
    found = json.loads(done.stdout)
    assert found["taken"] == [{"source": "-", "path": "Cá.txt", "how": "added"}]
    assert found["reindex"]["added"] == 1
    done = htxsearch("add", "http://127.0.0.1:9/", "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert "--allow-private" in json.loads(done.stdout)["refused"][0]["reason"]


def test_feeds_are_listed_followed_and_forgotten(tmp_path: Path, site: Site) -> None:
    page = site.page("/che", PAGE.encode())
    feed = site.page("/rss", f"<rss><channel><title>Tin\x7f</title><item><link>{page}</link></item></channel></rss>".encode())
    done = htxsearch("add", feed, "--allow-private", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"following {feed}" in done.stdout
    assert "1 added" in done.stdout
    assert json.loads(htxsearch("feeds", "--json", cwd=tmp_path).stdout)[0]["seen"] == 1
    done = htxsearch("reindex", "--feeds", cwd=tmp_path)
    assert done.returncode == 1, "a private address again needs --allow-private"
    done = htxsearch("reindex", "--feeds", "--allow-private", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 unchanged" in done.stdout
    done = htxsearch("feeds", "--forget", feed, cwd=tmp_path)
    assert done.returncode == 0
    assert "no feeds are followed" in done.stderr
    assert htxsearch("feeds", "--forget", feed, cwd=tmp_path).returncode == 2


# A shell makes programs that run in the background deaf to Ctrl-C.
HEEDS_INTERRUPTS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); import htxsearch.__main__"


def test_watch_takes_in_what_there_is_and_stops_at_once(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("Hợp tác xã trồng lúa.", "utf-8")
    command = [sys.executable, "-c", HEEDS_INTERRUPTS, "reindex", "--watch"]
    running = subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert running.stdout is not None
        assert b"1 added" in running.stdout.readline()
        running.send_signal(signal.SIGINT)
        _, talk = running.communicate(timeout=30)
    finally:
        running.kill()
        running.communicate()
    assert running.returncode == 130
    assert b"Traceback" not in talk
    assert htxsearch("reindex", "--watch", "--every", "0", cwd=tmp_path).returncode == 2


def test_sources_are_completed_as_files() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "htxsearch"],
        env={**environment(), "_HTXSEARCH_COMPLETE": "bash_complete", "COMP_WORDS": "htxsearch add a", "COMP_CWORD": "2"},
        capture_output=True,
        check=False,
    )
    assert done.stdout == b"file,a\n"
