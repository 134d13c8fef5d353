"""Getting one thing from the web, politely, and without trusting what answers.

One request at a time, with a pause between two to the same host; robots.txt is obeyed. Every hop of a redirect is
checked as the first address is. Time, bytes and what they unpack to are bounded.
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
    """What a fetch may take. Seconds and bytes; `size` counts after unpacking."""

    connect_s: float = 10.0
    read_s: float = 20.0
    total_s: float = 60.0
    size: int = 50 * 1024 * 1024
    redirects: int = 5
    delay_s: float = 1.0
    longest_wait_s: float = 30.0
    """A site that asks for a longer pause (Retry-After, Crawl-delay) is left alone for this run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came back: `url` is where it was found at last; `data` is as sent, but unpacked. `unchanged` means 304: no data."""

    url: str
    data: bytes = b""
    content_type: str = ""
    filename: str = ""
    etag: str = ""
    modified: str = ""
    unchanged: bool = False


@dataclass(slots=True)
class Fetcher:
    """Fetches for one run: remembers robots.txt and when each host was asked last. `sleep` is replaced by tests."""

    allow_private: bool = False
    limits: Limits = field(default_factory=Limits)
    sleep: Callable[[float], None] = time.sleep
    _robots: dict[str, "Protego | None"] = field(default_factory=dict)
    _asked: dict[str, float] = field(default_factory=dict)
    _shunned: dict[str, str] = field(default_factory=dict)

    def fetch(self, url: str, *, etag: str = "", modified: str = "") -> Fetched:
        """Return what is at an address; with `etag` or `modified`, only if it is not that. Raises Refused with the reason."""
        known = {"If-None-Match": etag, "If-Modified-Since": modified}
        found = self._follow(url, {name: value for name, value in known.items() if value}, obey=True)
        if found.unchanged and not (etag or modified):
            raise AddressRefused("the site answers 304 Not Modified, although nothing was known of it")
        return found

    def _follow(self, url: str, headers: dict[str, str], *, obey: bool) -> Fetched:
        seen: list[str] = []
        for _ in range(self.limits.redirects + 1):
            address = parse_address(url)
            if address.text in seen:
                raise AddressRefused(f"redirects in a circle: {' → '.join([*seen, address.text])}")
            seen.append(address.text)
            found = self._patiently(address, headers, obey=obey)
            if isinstance(found, Fetched):
                return found
            url = joined(address.text, found)
        raise AddressRefused(f"redirects more than {self.limits.redirects} times, at last to {url}")

    def _patiently(self, address: Address, headers: dict[str, str], *, obey: bool) -> Fetched | str:
        """Ask once, and once more if the site says when; return what came, or where it redirects to."""
        if obey:
            self._obey_robots(address)
        for last in (False, True):
            if address.site in self._shunned:
                raise AddressRefused(self._shunned[address.site])
            try:
                return self._ask(address, headers)
            except _AskedToWait as error:
                if last or error.seconds > self.limits.longest_wait_s:
                    self._shunned[address.site] = f"{address.host} is busy ({error}); try again later"
                    continue
                self.sleep(error.seconds)
        raise AddressRefused(self._shunned[address.site])

    def _obey_robots(self, address: Address) -> None:
        """Raises Refused if the site's robots.txt does not want this address fetched. Sites without one have no wishes."""
        if address.site not in self._robots:
            from protego import Protego

            try:
                found = self._follow(f"{address.site}/robots.txt", {}, obey=False)
            except Unreachable:
                raise
            except AddressRefused as error:
                if not error.final:  # RFC 9309: while it cannot be asked what it wishes, nothing is fetched
                    raise AddressRefused(f"its robots.txt cannot be read: {error}") from error
                self._robots[address.site] = None
            else:
                self._robots[address.site] = Protego.parse(found.data[: 512 * 1024].decode("utf-8", "replace"))
        rules = self._robots[address.site]
        if rules is not None and not rules.can_fetch(address.text, _ROBOTS_NAME):
            reason = f"{address.host} asks programs not to fetch it (robots.txt); save the page in a browser and add the file"
            raise AddressRefused(reason, final=True)

    def _pause(self, address: Address) -> None:
        """Wait until the host may be asked again."""
        rules = self._robots.get(address.site)
        wish = (rules.crawl_delay(_ROBOTS_NAME) if rules else None) or 0.0
        if wish > self.limits.longest_wait_s:
            raise AddressRefused(
                f"{address.host} asks for {wish:.0f} s between two fetches (robots.txt), which is too long to wait"
            )
        if address.site in self._asked:
            left = self._asked[address.site] + max(wish, self.limits.delay_s) - time.monotonic()
            if left > 0:
                self.sleep(left)
        self._asked[address.site] = time.monotonic()

    def _ask(self, address: Address, headers: dict[str, str]) -> Fetched | str:
        number = resolve(address, allow_private=self.allow_private)
        self._pause(address)
        try:
            with _connected(address, number, self.limits) as connection:
                fixed = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", "Connection": "close"}
                connection.request("GET", address.target, headers={**fixed, **headers})
                with connection.getresponse() as response:
                    return self._answer(address, response)
        except TimeoutError as error:
            raise AddressRefused(f"{address.host} took too long to answer; try again later") from error
        except ssl.SSLError as error:
            raise AddressRefused(f"the connection to {address.host} is not secure: {error.reason or error}") from error
        except http.client.IncompleteRead as error:
            raise AddressRefused("the connection broke off before all of it had come; try again") from error
        except (http.client.HTTPException, zlib.error, ValueError) as error:
            raise AddressRefused(f"{address.host} answers what is no HTTP: {type(error).__name__}") from error
        except OSError as error:
            raise Unreachable(f"cannot connect to {address.host}: {error.strerror or error}") from error

    def _answer(self, address: Address, response: http.client.HTTPResponse) -> Fetched | str:
        status, told = response.status, response.headers
        if status == 304:
            return Fetched(url=address.text, unchanged=True)
        if status in _REDIRECTS and told.get("Location"):
            return str(told["Location"]).encode("latin-1", "replace").decode("utf-8", "replace")
        if status in (429, 503):
            raise _AskedToWait(_seconds(told.get("Retry-After", "")), status)
        if status != 200:
            reason = f"the site answers {status} {http.client.responses.get(status, '')}".rstrip()
            raise AddressRefused(reason, final=400 <= status < 500)
        return Fetched(
            url=address.text,
            data=_body(response, self.limits.size),
            content_type=told.get_content_type() if "Content-Type" in told else "",
            filename=told.get_filename() or "",
            etag=told.get("ETag", ""),
            modified=told.get("Last-Modified", ""),
        )


class _AskedToWait(Exception):
    """The site answers 429 or 503."""

    def __init__(self, seconds: float, status: int) -> None:
        self.seconds = seconds
        super().__init__(f"it answers {status} and asks to wait {seconds:.0f} s")


def _seconds(retry_after: str) -> float:
    """Return how long Retry-After asks to wait, in seconds or until a date; 5 if it does not say."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError):
        return 5.0


@contextlib.contextmanager
def _connected(address: Address, number: str, limits: Limits) -> Iterator[http.client.HTTPConnection]:
    """Connect to just the address that was checked, no proxy between, and hang up when the time is over.

    Raises TimeoutError, OSError.
    """
    sock = socket.create_connection((number, address.port), limits.connect_s)
    late = threading.Event()

    def hang_up() -> None:
        late.set()
        with contextlib.suppress(OSError):  # the other side was faster
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
    """Check certificates against certifi's list, as the system's is not everywhere where Python looks."""
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


def _body(response: http.client.HTTPResponse, limit: int) -> bytes:
    """Return the unpacked body. Raises Refused beyond `limit` bytes, and IncompleteRead if it ends early."""
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise AddressRefused(f"it comes packed as {coding!r}, which was not asked for")
    declared = response.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise AddressRefused(_too_large(limit))
    unpack = zlib.decompressobj(47) if coding not in ("identity", "") else None  # 47: gzip or zlib, by its header
    found = bytearray()
    got = 0
    while chunk := response.read1(_CHUNK):
        got += len(chunk)
        found += unpack.decompress(chunk, limit + 1 - len(found)) if unpack else chunk
        if len(found) > limit or got > limit or (unpack and unpack.unconsumed_tail):
            raise AddressRefused(_too_large(limit))
    if (declared.isdecimal() and got < int(declared)) or (unpack and got and not unpack.eof):
        raise http.client.IncompleteRead(b"")
    return bytes(found)


def _too_large(limit: int) -> str:
    return f"larger than {limit / 1024**2:.4g} MB, which is the most that is fetched; save it and add the file"
