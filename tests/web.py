"""A web site on this machine with the responses that a test defines."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Answer:
    """The response to a path; `script` writes to the connection itself instead."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    script: "Callable[[BaseHTTPRequestHandler], object] | None" = None


@dataclass
class Site:
    """A running site: its responses by path, the requests so far, and `over`, which ends scripts that keep a client waiting."""

    root: str
    answers: dict[str, Answer | list[Answer]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def page(self, path: str, body: bytes, kind: str = "text/html; charset=utf-8", **headers: str) -> str:
        """Put a page on the site and return its address."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = Answer(body, headers={"Content-Type": kind, **more})
        return self.root + path

    def paths(self) -> list[str]:
        """Return the requested paths without robots.txt."""
        return [path for path, _ in self.asked if path != "/robots.txt"]


@contextmanager
def running(certificate: Path | None = None) -> Iterator[Site]:
    """Run a site during the block; with a certificate (and its key) over https."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append((self.path, dict(self.headers)))
            planned = site.answers.get(self.path, Answer(b"", 404))
            answer = planned if isinstance(planned, Answer) else planned.pop(0) if len(planned) > 1 else planned[0]
            try:
                if answer.script:
                    answer.script(self)
                    return
                etag = answer.headers.get("ETag")
                if etag and self.headers.get("If-None-Match") == etag:
                    self.send_response(304)
                    self.end_headers()
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)
            except OSError:
                self.close_connection = True  # the client hung up: some tests do that

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that does not trust the certificate hangs up
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    site = Site(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        site.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
