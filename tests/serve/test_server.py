"""The server as a process: started, asked over a socket, stopped."""

import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from command import own_process
from faults.victim import workers_of
from index.folders import Folders

from htxsearch.cli.main import cli
from htxsearch.cli.serve import TOKEN_VARIABLE, _token
from htxsearch.errors import UsageError
from htxsearch.errors.messages import LANGUAGES
from htxsearch.indexing.manifest import writer_lock
from htxsearch.ingest.python_process import start_python
from htxsearch.web.api import ENDPOINTS
from htxsearch.web.app import from_environment
from htxsearch.web.settings import Settings

from .process import free_port, served


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    made = Folders(tmp_path)
    made.write_some(5)
    return made


def test_it_builds_a_missing_index_answers_sees_a_reindex_and_stops(folders: Folders) -> None:
    with served(folders.index, folders.corpus) as server:
        assert any("no index in" in line for line in server.said)
        assert server.json("/api/health")["articles"] == 5
        folders.write("new.txt", "Dứa Queen")
        folders.update()
        assert server.json("/api/query?q=d%E1%BB%A9a")["total"] == 1
        assert server.get("/?q=d%E1%BB%A9a%0Ax")[0] == 200
        assert server.stop(signal.SIGINT) == 0
        log = [line for line in server.said if '"GET ' in line]
        assert len(log) == 3
        assert re.fullmatch(r'[-0-9]+ [:0-9,]+ 127\.0\.0\.1:\d+ "GET /\?q=d%E1%BB%A9a%0Ax HTTP/1\.1" 200( OK)?\n', log[-1])
        assert not any("Traceback" in line for line in server.said)


def test_a_request_under_way_is_answered_before_the_server_stops(folders: Folders) -> None:
    folders.update()
    with served(folders.index, folders.corpus) as server, socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /api/query?q=ch%C3%A8 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
        assert server.stop() in (0, -signal.SIGTERM)
        assert any("Application shutdown complete" in line for line in server.said)


def test_malformed_requests_are_refused_at_once(folders: Folders) -> None:
    folders.write_lines("odd.jsonl", {"id": "a%2Fb", "title": "Lạ", "text": "Chè."})
    folders.update()
    with served(folders.index, folders.corpus) as server:
        assert server.json("/api/articles/a%252Fb")["title"] == "Lạ"
        assert server.get(f"/api/query?q={'%C3%A1' * 40_000}")[0] == 400
        assert server.get("/../../../../etc/passwd")[0] == 404
        assert server.get("/static/%2e%2e/app.py")[0] == 404
        for sent in (b"\x00\xff" * 50, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET " + b"a" * 1_000_000):
            with socket.create_connection(("127.0.0.1", server.port), timeout=120) as connection:
                try:
                    connection.sendall(sent)
                    head = connection.recv(12)
                except ConnectionError:
                    continue
                assert head in (b"", b"HTTP/1.1 400", b"HTTP/1.1 421"), head
        assert server.json("/api/health")["status"] == "ok"


def test_several_workers_all_see_a_commit(folders: Folders) -> None:
    folders.update()
    with served(folders.index, folders.corpus, "--workers", "2") as server:
        assert {server.json("/api/health")["articles"] for _ in range(10)} == {5}
        folders.write("new.txt", "Dứa Queen")
        folders.update()
        assert {server.json("/api/health")["articles"] for _ in range(20)} == {6}
        assert server.stop() in (0, -signal.SIGTERM)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the system has no descriptors of processes")
def test_workers_end_with_the_process_that_started_them(folders: Folders) -> None:
    folders.update()
    with served(folders.index, folders.corpus, "--workers", "2") as server:
        workers = [pid for pid in workers_of(server.process.pid) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        ends = [os.pidfd_open(worker) for worker in workers]
        assert len(workers) == 2
        server.stop(signal.SIGKILL)
        for end in ends:
            poll = select.poll()
            poll.register(end, select.POLLIN)
            assert poll.poll(300_000)
            os.close(end)


def test_a_port_in_use_is_an_error_with_advice(folders: Folders) -> None:
    folders.update()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = own_process("serve", "--port", port, cwd=folders.corpus.parent)
    assert done.returncode == 2
    assert f"cannot serve at 127.0.0.1:{port}: Address already in use; name another --host or --port" in done.stderr


def test_without_the_extra_the_error_says_how_to_install_it(folders: Folders) -> None:
    folders.update()
    code = "import sys; sys.modules['uvicorn'] = None; sys.argv[1:] = ['serve']; from htxsearch.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=folders.corpus.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "serving needs the package uvicorn; install it with: pip install 'htxsearch[web]'" in done.stderr


def test_help_loads_no_server() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from htxsearch.cli.main import cli; "
        "r = CliRunner().invoke(cli, ['serve', '--help']); assert 'HTXSEARCH_TOKEN' in r.output; "
        "print(sorted(sys.modules.keys() & {'starlette', 'uvicorn', 'jinja2', 'asyncio', 'numpy'}))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_help_and_docs_list_every_address_of_the_api(language: str) -> None:
    shown = CliRunner().invoke(cli, ["--lang", language, "serve", "--help"]).output.replace("\n", " ")
    listed = " ".join(shown[shown.index("/api/query") :].split())
    docs = (Path(__file__).parent.parent.parent / "docs" / "serve.md").read_text("utf-8")
    for endpoint in ENDPOINTS:
        assert endpoint.path.removeprefix("/api/") in listed
        assert endpoint.path in docs


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, folders: Folders) -> Any:
    """Return a function that calls `htxsearch serve` without a server; it returns settings, options and stderr."""
    folders.update()

    def call(*options: str) -> tuple[Settings | None, dict[str, Any], str]:
        ran: list[tuple[Settings, dict[str, Any]]] = []
        monkeypatch.setattr("htxsearch.web.server.run", lambda settings, **how: ran.append((settings, how)))
        words = ["serve", "--index", str(folders.index), "--corpus", str(folders.corpus), "--port", str(free_port()), *options]
        done = CliRunner().invoke(cli, words)
        if isinstance(done.exception, UsageError):
            return None, {}, str(done.exception)
        assert done.exit_code == 0, done.output
        return (*ran[0], done.stderr)

    return call


def test_it_binds_to_this_machine_alone_and_answers_to_its_names(started: Any) -> None:
    settings, how, said = started("--allow-host", "Tim.Noi-Bo.vn")
    assert how["host"] == "127.0.0.1"
    assert settings.hosts == ("localhost", "127.0.0.1", "[::1]", "tim.noi-bo.vn")
    assert settings.token == ""
    assert "warning" not in said
    assert not how["behind_proxy"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_bound_wider_without_a_token_it_warns(started: Any, tmp_path: Path, host: str) -> None:
    settings, _, said = started("--host", host)
    assert said.startswith(f"warning: {host} can be reached from other machines")
    assert settings.hosts == ()
    token = tmp_path / "token"
    token.write_text("0123456789abcdef\n", "utf-8")
    settings, _, said = started("--host", host, "--token-file", str(token))
    assert "warning" not in said
    assert settings.token == "0123456789abcdef"


def test_invalid_tokens_are_refused(started: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (b"", b"short", "một-mật-khẩu-dài".encode(), b"\xff" * 20):
        (tmp_path / "token").write_bytes(content)
        _, _, said = started("--token-file", str(tmp_path / "token"))
        assert "token" in said
        assert content.decode("latin-1") not in said or len(content) < 6
    assert "cannot read a token from" in started("--token-file", str(tmp_path / "none"))[2]
    monkeypatch.setenv(TOKEN_VARIABLE, "fedcba9876543210")
    assert started()[0].token == "fedcba9876543210"
    monkeypatch.setenv(TOKEN_VARIABLE, "short")
    assert "at least 16" in started()[2]


def test_adding_needs_a_token_and_the_error_says_how_to_make_one(started: Any, tmp_path: Path) -> None:
    settings, _, said = started("--allow-add")
    assert settings is None
    assert "--allow-add needs a token" in said
    assert "secrets.token_urlsafe" in said
    (tmp_path / "token").write_text("0123456789abcdef", "utf-8")
    assert started("--allow-add", "--token-file", str(tmp_path / "token"))[0].allow_add
    assert not started("--token-file", str(tmp_path / "token"))[0].allow_add


def test_every_worker_finds_an_addition_and_it_waits_for_a_reindex(folders: Folders, tmp_path: Path) -> None:
    """The processes share only the folder of the index."""
    folders.update()
    (tmp_path / "token").write_text("0123456789abcdef", "utf-8")
    options = ("--allow-add", "--token-file", str(tmp_path / "token"), "--workers", "2", "--rate", "0")
    with served(folders.index, folders.corpus, *options) as server:

        def send(text: str) -> tuple[int, Any]:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
            headers = {"Authorization": "Bearer 0123456789abcdef", "Content-Type": "application/json"}
            try:
                connection.request("POST", "/api/articles", json.dumps({"text": text}), headers)
                answer = connection.getresponse()
                return answer.status, json.loads(answer.read())
            finally:
                connection.close()

        with writer_lock(folders.index):
            status, told = send("Dứa Queen chín sớm.")
            assert (status, told["error"]) == (503, "IndexBusy")
        assert send("Dứa Queen chín sớm.")[0] == 201
        assert {server.json("/api/health")["articles"] for _ in range(20)} == {6}
        assert server.stop() in (0, -signal.SIGTERM)
        assert not any("Traceback" in line for line in server.said)


def test_an_addition_under_way_is_finished_before_the_server_stops(folders: Folders, tmp_path: Path) -> None:
    folders.update()
    (tmp_path / "token").write_text("0123456789abcdef", "utf-8")
    with served(folders.index, folders.corpus, "--allow-add", "--token-file", str(tmp_path / "token")) as server:
        body = json.dumps({"text": "Dứa Queen chín sớm."}).encode()
        head = (
            f"POST /api/articles HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\nContent-Type: application/json"
        )
        with socket.create_connection(("127.0.0.1", server.port), timeout=300) as connection:
            connection.sendall(f"{head}\r\nExpect: 100-continue\r\nAuthorization: Bearer 0123456789abcdef\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 100")
            connection.sendall(body)
            server.process.send_signal(signal.SIGINT)
            assert connection.recv(12) == b"HTTP/1.1 201"
        assert server.stop() in (0, -signal.SIGTERM)
    assert len(folders.ids()) == 6


def test_a_connection_broken_during_an_upload_leaves_nothing_behind(folders: Folders, tmp_path: Path) -> None:
    folders.update()
    (tmp_path / "token").write_text("0123456789abcdef", "utf-8")
    with served(folders.index, folders.corpus, "--allow-add", "--token-file", str(tmp_path / "token")) as server:
        head = (
            "POST /api/articles HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\nAuthorization: Bearer 0123456789abcdef"
        )
        for kind in ("application/json", "multipart/form-data; boundary=x"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=120) as connection:
                connection.sendall(f"{head}\r\nContent-Type: {kind}\r\nExpect: 100-continue\r\n\r\n".encode())
                assert connection.recv(100).startswith(b"HTTP/1.1 100")
                connection.sendall(b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nabc')
        assert server.stop() in (0, -signal.SIGTERM)
        assert not any("Traceback" in line for line in server.said)
    assert len(folders.ids()) == 5


def test_settings_reach_the_workers_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(index="chỉ mục", token="x" * 16, hosts=("a", "b"), cors=("https://a.vn",), rate=0.5)
    monkeypatch.setenv("HTXSEARCH_SERVE", "")
    settings.to_environment()
    assert Settings.from_environment() == settings


def test_no_process_of_a_worker_inherits_the_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTXSEARCH_SERVE", TOKEN_VARIABLE):
        monkeypatch.setenv(name, "x" * 16)
    Settings(token=_token(None, TOKEN_VARIABLE), index="none").to_environment()
    from_environment()
    process = start_python("import json, os; print(json.dumps(dict(os.environ)))")
    inherited = json.loads(process.communicate()[0])
    assert [name for name, value in inherited.items() if "x" * 16 in value] == []
