"""The server in a process of its own, and its log."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = ["Served", "free_port", "served"]


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


# On a busy machine, requests under way when a server is stopped may need more than its ten seconds.
PATIENT_SERVER = "from htxsearch.web import server; server._SHUTDOWN_S = 300; import htxsearch.__main__"


class Served:
    """A server in a process of its own, and its log so far."""

    def __init__(self, index: Path, corpus: Path, *options: str) -> None:
        self.port = free_port()
        words = ["serve", "--index", str(index), "--corpus", str(corpus), "--port", str(self.port), *options]
        self.process = subprocess.Popen(
            [sys.executable, "-c", PATIENT_SERVER, *words], stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self.said: list[str] = []
        self.is_ready = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert self.is_ready.wait(300), "".join(self.said)
        while not self._listens():
            with suppress(subprocess.TimeoutExpired):  # workers listen a little after they said they run
                code = self.process.wait(0.05)
                raise AssertionError(f"ended with {code}: {self.said}")

    def _listens(self) -> bool:
        with socket.socket() as trial:
            return trial.connect_ex(("127.0.0.1", self.port)) == 0

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if "Uvicorn running on" in line:
                self.is_ready.set()
        self.is_ready.set()

    def get(self, address: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("GET", address)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def json(self, address: str) -> Any:
        status, body = self.get(address)
        assert status == 200, body
        return json.loads(body)

    def stop(self, how: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(300)
        self._reader.join(300)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


@contextmanager
def served(index: Path, corpus: Path, *options: str) -> Iterator[Served]:
    """Run a server during the block."""
    server = Served(index, corpus, *options)
    try:
        yield server
    finally:
        server.process.kill()
        server.stop()
