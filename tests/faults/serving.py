"""A server of two worker processes: questions without pause, slow clients, half requests, a killed worker, reindexes, rebuilds.

Every answer is of a state that the index had; an error is one of those that docs/serve.md names. After it all each worker
answers from the last commit, and the server stops when it is told to.
"""

import http.client
import json
import os
import random
import signal
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from index.folders import Folders
from serve.process import Served, served

from .outcome import Failed, Outcome
from .scenes import make_scenes, scene, write_new, write_old
from .victim import workers_of

__all__ = ["prepare", "trial"]

prepare = make_scenes

SECONDS = "FAULTS_SERVER_SECONDS"
"""The variable that says how long; 5 by default."""
_LONG = float(os.environ.get(SECONDS, "5"))
CPU_S = 600 + round(2 * _LONG)
PATIENCE_S = 600 + 2 * _LONG
_PATIENCE_S = 120
"""Seconds after which a request is stuck, on the busiest machine."""
_QUIET = (503, 429)
"""What a server answers that has too much to do, or cannot read an index that is being replaced."""
_QUERY = f"/api/query?q={quote('hợp tác xã')}&limit=100&all_passages=true"


class _Load:
    """What is done to the server at once, until the time is over."""

    def __init__(self, server: Served, folders: Folders, seed: int, seconds: float) -> None:
        self._server, self._folders, self._seed = server, folders, seed
        self._ends = time.monotonic() + seconds
        self.answers = 0
        self.broken = 0
        self.failures: list[tuple[str, str]] = []
        states = [scene("update").before, scene("update").after]
        self._allowed = {(one, article[1]) for state in states for one, article in state.items()}
        self._always = states[0].keys() & states[1].keys()

    def _goes_on(self) -> bool:
        return time.monotonic() < self._ends and not self.failures

    def run(self) -> None:
        acts = [self._ask, self._ask, self._be_slow, self._be_rude, self._reindex, self._kill]
        threads = [threading.Thread(target=self._guarded, args=(act, number)) for number, act in enumerate(acts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _guarded(self, act: Any, number: int) -> None:
        try:
            act(random.Random(self._seed * 100 + number))
        except Failed as failed:
            self.failures.append((failed.outcome.what, failed.outcome.detail))
        except Exception as error:
            self.failures.append(("traceback", f"{act.__name__}: {type(error).__name__}: {error}"))

    def ask(self) -> int:
        """Ask once, and check the answer; return its status, 0 if the connection broke. Raises Failed."""
        try:
            status, body = self._get(_QUERY)
        except TimeoutError:
            raise Failed("hung", "a question is not answered") from None
        except (OSError, http.client.HTTPException):
            self.broken += 1
            return 0
        if status == 200:
            hits = json.loads(body)["hits"]
            found = [(hit["article_id"], hit["passage"]["text"]) for hit in hits]
            if len({one for one, _ in found}) != len(found):
                raise Failed("doubled", str(sorted(one for one, _ in found)))
            if not {*found} <= self._allowed:
                raise Failed("wrong", str({*found} - self._allowed))
            if lost := self._always - {one for one, _ in found}:
                raise Failed("lost", str(lost))
            self.answers += 1
        elif status not in _QUIET:
            raise Failed("wrong", f"{status}: {body[:500]!r}")
        return status

    def texts(self) -> tuple[int, list[str]]:
        """Return the status of an answer, 0 if the connection broke, and the texts found."""
        try:
            status, body = self._get(_QUERY)
        except (OSError, http.client.HTTPException):
            return 0, []
        return status, [hit["passage"]["text"] for hit in json.loads(body)["hits"]] if status == 200 else []

    def _get(self, address: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=_PATIENCE_S)
        try:
            connection.request("GET", address)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _ask(self, rng: random.Random) -> None:
        others = [
            "/",
            "/api/health",
            "/api/ask?q=ai+b%C3%A1n+ch%C3%A8",
            "/api/suggest?q=h%E1%BB%A3p",
            "/api/articles/05.txt",
            "/facts",
            "/?q=%22",
        ]
        while self._goes_on():
            self.ask()
            with suppress(OSError, http.client.HTTPException):
                status, body = self._get(rng.choice(others))
                if status >= 500 and status not in _QUIET:
                    raise Failed("traceback", f"{status}: {body[:500]!r}")

    def _be_slow(self, _rng: random.Random) -> None:
        """Send a request byte by byte, with questions of others between two bytes."""
        while self._goes_on():
            with (
                suppress(OSError),
                socket.create_connection(("127.0.0.1", self._server.port), timeout=_PATIENCE_S) as connection,
            ):
                for byte in f"GET {_QUERY} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode():
                    connection.sendall(bytes([byte]))
                    if byte == ord("/"):
                        self.ask()
                if connection.recv(12) not in (b"HTTP/1.1 200", b"HTTP/1.1 503", b"HTTP/1.1 429", b""):
                    raise Failed("wrong", "a slow client is answered otherwise")

    def _be_rude(self, rng: random.Random) -> None:
        """Send half a request, or noise, and leave."""
        request = f"POST /api/articles HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\n{'x' * 999}".encode()
        while self._goes_on():
            with (
                suppress(OSError),
                socket.create_connection(("127.0.0.1", self._server.port), timeout=_PATIENCE_S) as connection,
            ):
                connection.sendall(
                    rng.choice(
                        [request[: rng.randrange(len(request))], rng.randbytes(200), b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 999]
                    )
                )
                connection.settimeout(0.1)
                if rng.random() < 0.3:
                    connection.recv(1)

    def _reindex(self, rng: random.Random) -> None:
        """Change the corpus back and forth, and reindex, each commit whole."""
        while self._goes_on():
            for file in self._folders.corpus.iterdir():
                file.unlink()
            write_old(self._folders)
            if rng.random() < 0.5:
                write_new(self._folders)
            self._folders.update(rebuild=rng.random() < 0.3)

    def _kill(self, rng: random.Random) -> None:
        """Kill a worker in the middle of it all."""
        while self._goes_on():
            before = self.answers
            while self.answers < before + 20 and self._goes_on():
                self.ask()
            children = workers_of(self._server.process.pid)
            if len(children) > 1 and self._goes_on():
                with suppress(ProcessLookupError):
                    os.kill(rng.choice(children[1:]), signal.SIGKILL)


def trial(seed: int, folder: Path) -> Outcome:
    """Serve under load, then see that all is as it should be. Raises Failed."""
    folders = Folders(folder / "served")
    write_old(folders)
    folders.update()
    with served(folders.index, folders.corpus, "--workers", "2", "--rate", "0", "--no-access-log") as server:
        try:
            load = _Load(server, folders, seed, _LONG)
            load.run()
            _check_after(load, server, folders)
        finally:
            for worker in workers_of(server.process.pid):
                with suppress(ProcessLookupError):  # a worker whose server is killed would live on
                    os.kill(worker, signal.SIGKILL)
            server.process.kill()
    return Outcome(detail=f"{load.answers} answers, {load.broken} broken connections", count=load.answers)


def _check_after(load: _Load, server: Served, folders: Folders) -> None:
    """See that all workers answer from the last commit, and that the server stops. Raises Failed."""
    if load.failures:
        raise Failed(*load.failures[0])
    if not load.answers:
        raise Failed("wrong", "nothing was answered")
    folders.write("05.txt", "Tổ số 5", "Hợp tác xã cuối cùng.")
    folders.update()
    current = 0
    for _ in range(200):  # a worker that is being started anew answers nothing yet
        status, texts = load.texts()
        if status == 200 and "Hợp tác xã cuối cùng." not in texts:
            raise Failed("wrong", "a worker answers from an earlier commit")
        current += status == 200
        if current == 12:
            break
    else:
        raise Failed("hung", "the workers do not answer any more")
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(_PATIENCE_S)
    if any("Traceback" in line for line in server.said):
        raise Failed("traceback", "".join(server.said)[-2000:])
