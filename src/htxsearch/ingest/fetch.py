"""Fetch an address from the web, politely, and without trusting the server.

One request at a time, with a pause between two to the same host; robots.txt is obeyed. Every hop of a redirect is
checked like the first address. Time, bytes and unpacked bytes are limited.
"""

import contextlib
import http.client
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from htxsearch.errors.messages import Message, message
from htxsearch.ingest.hosts import Address, AddressRefused, Unreachable, joined, parse_address, resolve

if TYPE_CHECKING:
    from protego import Protego

__all__ = ["USER_AGENT", "Fetched", "Fetcher", "Limits"]

USER_AGENT = "htxsearch/0.1 (personal full-text search; +https://pypi.org/project/htxsearch)"
_ROBOTS_NAME = "htxsearch"
_CHUNK = 64 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one fetch, in seconds and bytes; `size` counts after unpacking."""

    connect_s: float = 10.0
    read_s: float = 20.0
    total_s: float = 60.0
    size: int = 50 * 1024 * 1024
    redirects: int = 5
    delay_s: float = 1.0
    longest_wait_s: float = 30.0
    """A site that asks for a longer pause (Retry-After, Crawl-delay) is skipped for this run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A response to a request.

    `url` is the last address after redirects, `data` the unpacked body. `unchanged` means 304: no data.
    """

    url: str
    data: bytes = b""
    content_type: str = ""
    filename: str = ""
    etag: str = ""
    modified: str = ""
    unchanged: bool = False


@dataclass(slots=True)
class Fetcher:
    """The fetches of one run, with each site's robots.txt and last request.

    Tests replace `sleep`.
    """

    allow_private: bool = False
    limits: Limits = field(default_factory=Limits)
    sleep: Callable[[float], None] = time.sleep
    _robots: dict[str, "Protego | None"] = field(default_factory=dict)
    _last_request: dict[str, float] = field(default_factory=dict)
    _skipped: dict[str, Message] = field(default_factory=dict)

    def fetch(self, url: str, *, etag: str = "", modified: str = "") -> Fetched:
        """Return the response of an address.

        It is `unchanged` if `etag` or `modified` are still true. Raises AddressRefused.
        """
        conditions = {"If-None-Match": etag, "If-Modified-Since": modified}
        response = self._follow(url, {name: value for name, value in conditions.items() if value}, obey=True)
        if response.unchanged and not (etag or modified):
            raise AddressRefused(message("fetch.not-modified"))
        return response

    def _follow(self, url: str, headers: dict[str, str], *, obey: bool) -> Fetched:
        seen: list[str] = []
        for _ in range(self.limits.redirects + 1):
            address = parse_address(url)
            if address.text in seen:
                raise AddressRefused(message("fetch.redirect-circle", addresses=" → ".join([*seen, address.text])))
            seen.append(address.text)
            response = self._patiently(address, headers, obey=obey)
            if isinstance(response, Fetched):
                return response
            url = joined(address.text, response)
        raise AddressRefused(message("fetch.redirects", limit=self.limits.redirects, address=url))

    def _patiently(self, address: Address, headers: dict[str, str], *, obey: bool) -> Fetched | str:
        """Return the response, or the address that it redirects to.

        The request is made once, and once more if the site says when.
        """
        if obey:
            self._obey_robots(address)
        for last in (False, True):
            if address.site in self._skipped:
                raise AddressRefused(self._skipped[address.site])
            try:
                return self._request(address, headers)
            except _AskedToWait as error:
                if last or error.seconds > self.limits.longest_wait_s:
                    busy = message("fetch.busy", host=address.host, status=error.status, seconds=error.seconds)
                    self._skipped[address.site] = busy
                    continue
                self.sleep(error.seconds)
        raise AddressRefused(self._skipped[address.site])

    def _obey_robots(self, address: Address) -> None:
        """Raise AddressRefused if the site's robots.txt forbids this address.

        A site without robots.txt allows everything.
        """
        if address.site not in self._robots:
            from protego import Protego

            try:
                response = self._follow(f"{address.site}/robots.txt", {}, obey=False)
            except Unreachable:
                raise
            except AddressRefused as error:
                if not error.final:  # RFC 9309: while robots.txt is unreachable, everything is forbidden
                    raise AddressRefused(message("fetch.robots-unreadable", reason=error.message)) from error
                self._robots[address.site] = None
            else:
                self._robots[address.site] = Protego.parse(response.data[: 512 * 1024].decode("utf-8", "replace"))
        rules = self._robots[address.site]
        if rules is not None and not rules.can_fetch(address.text, _ROBOTS_NAME):
            raise AddressRefused(message("fetch.robots-forbids", host=address.host), final=True)

    def _pause(self, address: Address) -> None:
        """Wait until the host may be requested again."""
        rules = self._robots.get(address.site)
        delay = (rules.crawl_delay(_ROBOTS_NAME) if rules else None) or 0.0
        if delay > self.limits.longest_wait_s:
            raise AddressRefused(message("fetch.crawl-delay", host=address.host, seconds=delay))
        if address.site in self._last_request:
            left = self._last_request[address.site] + max(delay, self.limits.delay_s) - time.monotonic()
            if left > 0:
                self.sleep(left)
        self._last_request[address.site] = time.monotonic()

    def _request(self, address: Address, headers: dict[str, str]) -> Fetched | str:
        number = resolve(address, allow_private=self.allow_private)
        self._pause(address)
        try:
            with _connected(address, number, self.limits) as connection:
                fixed = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", "Connection": "close"}
                connection.request("GET", address.target, headers={**fixed, **headers})
                with connection.getresponse() as response:
                    return self._answer(address, response)
        except TimeoutError as error:
            raise AddressRefused(message("fetch.timeout", host=address.host)) from error
        except ssl.SSLError as error:
            reason = str(error.reason or error)
            raise AddressRefused(message("fetch.not-secure", host=address.host, error=reason)) from error
        except http.client.IncompleteRead as error:
            raise AddressRefused(message("fetch.broken-off")) from error
        except (http.client.HTTPException, zlib.error, ValueError) as error:
            raise AddressRefused(message("fetch.not-http", host=address.host, error=type(error).__name__)) from error
        except OSError as error:
            reason = str(error.strerror or error)
            raise Unreachable(message("fetch.no-connection", host=address.host, error=reason)) from error

    def _answer(self, address: Address, response: http.client.HTTPResponse) -> Fetched | str:
        status, headers = response.status, response.headers
        if status == 304:
            return Fetched(url=address.text, unchanged=True)
        if status in _REDIRECTS and headers.get("Location"):
            return str(headers["Location"]).encode("latin-1", "replace").decode("utf-8", "replace")
        if status in (429, 503):
            raise _AskedToWait(_seconds(headers.get("Retry-After", "")), status)
        if status != 200:
            phrase = http.client.responses.get(status, "")
            raise AddressRefused(message("fetch.status", status=status, phrase=phrase), final=400 <= status < 500)
        return Fetched(
            url=address.text,
            data=_body(response, self.limits.size),
            content_type=headers.get_content_type() if "Content-Type" in headers else "",
            filename=headers.get_filename() or "",
            etag=headers.get("ETag", ""),
            modified=headers.get("Last-Modified", ""),
        )


class _AskedToWait(Exception):
    """The site answers 429 or 503."""

    def __init__(self, seconds: float, status: int) -> None:
        self.seconds = seconds
        self.status = status
        super().__init__(seconds, status)


def _seconds(retry_after: str) -> float:
    """Return the seconds that a Retry-After asks to wait.

    Its value is a number of seconds or a date; 5 seconds if it is missing or malformed.
    """
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError):
        return 5.0


@contextlib.contextmanager
def _connected(address: Address, number: str, limits: Limits) -> Iterator[http.client.HTTPConnection]:
    """Connect to the checked address without a proxy.

    The connection is closed when the time is over. Raises TimeoutError, OSError.
    """
    sock = socket.create_connection((number, address.port), limits.connect_s)
    late = threading.Event()

    def hang_up() -> None:
        late.set()
        with contextlib.suppress(OSError):  # the other side hung up first
            sock.shutdown(socket.SHUT_RDWR)

    clock = threading.Timer(limits.total_s, hang_up)
    clock.daemon = True
    clock.start()
    try:
        sock.settimeout(limits.read_s)
        if address.scheme == "https":
            sock = _trusted().wrap_socket(sock, server_hostname=address.host, do_handshake_on_connect=False)
            sock.do_handshake()
        connection = http.client.HTTPConnection(address.host, address.port)
        connection.default_port = 443 if address.scheme == "https" else 80
        connection.sock = sock
        connection.auto_open = 0
        yield connection
        if late.is_set():
            raise TimeoutError
    except (OSError, http.client.HTTPException) as error:
        if late.is_set():
            raise TimeoutError from error
        raise
    finally:
        clock.cancel()
        sock.close()


def _trusted() -> ssl.SSLContext:
    """Return a context that checks certificates against certifi's list.

    Python does not find every system's own list.
    """
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


def _body(response: http.client.HTTPResponse, limit: int) -> bytes:
    """Return the unpacked body.

    Raises AddressRefused beyond `limit` bytes, and IncompleteRead if the body ends early.
    """
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise AddressRefused(message("fetch.content-encoding", coding=coding))
    too_large = message("fetch.too-large", megabytes=limit / 1024**2)
    declared = response.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise AddressRefused(too_large)
    unpack = zlib.decompressobj(47) if coding not in ("identity", "") else None  # 47: gzip or zlib, by its header
    body = bytearray()
    received = 0
    while chunk := response.read1(_CHUNK):
        received += len(chunk)
        body += unpack.decompress(chunk, limit + 1 - len(body)) if unpack else chunk
        if len(body) > limit or received > limit or (unpack and unpack.unconsumed_tail):
            raise AddressRefused(too_large)
    if (declared.isdecimal() and received < int(declared)) or (unpack and received and not unpack.eof):
        raise http.client.IncompleteRead(b"")
    return bytes(body)
