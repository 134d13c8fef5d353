"""Security middleware: host name, rate limit, token, security headers."""

import base64
import binascii
import hmac
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from htxsearch.web.errors import RequestError
from htxsearch.web.settings import Settings

__all__ = ["POLICY", "RateLimiter", "SecurityMiddleware", "is_cross_site"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy: a page loads files of this server only, and has no inline script or style."""

_HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_OPEN_PATH = "/api/health"
"""Needs no token: whoever monitors the server asks it."""
_BURST_S = 3.0
"""A client that was quiet may send this many seconds' requests at once: a page, its files, completions while typing."""

_Scope = MutableMapping[str, Any]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_App = Callable[[_Scope, Any, _Send], Awaitable[None]]


class SecurityMiddleware:
    """ASGI middleware around the whole application."""

    def __init__(self, app: _App, settings: Settings, respond: Callable[[_Scope, RequestError], _App]) -> None:
        """`respond` makes the response to a request that is refused."""
        self._app = app
        self._respond = respond
        self._token = settings.token.encode()
        self._hosts = settings.hosts
        self._rate_limiter = RateLimiter(settings.rate)
        self._headers = tuple(
            header for header in _HEADERS if not (settings.cors and header[0] == b"cross-origin-resource-policy")
        )

    async def __call__(self, scope: _Scope, receive: Any, send: _Send) -> None:
        """Pass a request on, or refuse it; add the security headers to the response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", ())
                own = {name for name, _ in given if name == b"content-security-policy"}  # an original's is stricter
                message["headers"] = [*given, *(header for header in self._headers if header[0] not in own)]
            await send(message)

        error = self._refusal(scope)
        app = self._respond(scope, error) if error else self._app
        await app(scope, receive, send_with_headers)

    def _refusal(self, scope: _Scope) -> RequestError | None:
        """Return the error of a request that must not pass, None if it may."""
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        if self._hosts and _without_port(host) not in self._hosts:
            return RequestError(HTTPStatus.MISDIRECTED_REQUEST, "serve.unknown-host")
        client = scope["client"][0] if scope.get("client") else ""
        wait_s = self._rate_limiter.take(client)
        if wait_s:
            retry = {"Retry-After": str(int(wait_s) + 1)}
            return RequestError(HTTPStatus.TOO_MANY_REQUESTS, "serve.too-many-requests", headers=retry)
        if self._token and scope["path"] != _OPEN_PATH and not self._has_token(headers.get(b"authorization", b"")):
            challenge = {"WWW-Authenticate": 'Basic realm="htxsearch", charset="UTF-8"'}
            return RequestError(HTTPStatus.UNAUTHORIZED, "serve.token-needed", headers=challenge)
        return None

    def _has_token(self, authorization: bytes) -> bool:
        """Return True if an Authorization header holds the token, in constant time."""
        scheme, _, value = authorization.partition(b" ")
        if scheme.lower() == b"basic":
            try:
                value = base64.b64decode(value.strip(), validate=True).partition(b":")[2]
            except binascii.Error:
                return False
        elif scheme.lower() != b"bearer":
            return False
        return hmac.compare_digest(value.strip(), self._token)


def _without_port(host: str) -> str:
    """Return the name in a Host header: Localhost:8000 → localhost.

    An IPv6 address keeps its brackets: [::1]:8000 → [::1].
    """
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name.lower()


class RateLimiter:
    """A token bucket for each of the 10,000 clients seen last.

    `rate` is in requests a second, 0 for no limit.
    """

    _MAX_CLIENTS = 10_000

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens left, and at which time

    def take(self, client: str) -> float:
        """Count a request; return 0 if it is allowed, else the seconds to wait."""
        if not self._rate:
            return 0.0
        now = self._clock()
        capacity = max(1.0, self._rate * _BURST_S)
        tokens, filled_at = self._buckets.pop(client, (capacity, now))
        tokens = min(capacity, tokens + (now - filled_at) * self._rate)
        is_allowed = tokens >= 1
        self._buckets[client] = (tokens - 1 if is_allowed else tokens, now)
        while len(self._buckets) > self._MAX_CLIENTS:
            self._buckets.popitem(last=False)
        return 0.0 if is_allowed else (1 - tokens) / self._rate


def is_cross_site(headers: Mapping[str, str]) -> bool:
    """Return True if a request may come from another site's page.

    A browser adds the password to such a request by itself. It names the origin: in Sec-Fetch-Site over TLS and on this
    machine, in Origin with every POST. A request with neither is not a browser's, and has to bring the token as a bearer
    token, which no browser adds.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site not in ("same-origin", "none")
    if origin is not None:
        return _host_and_port(origin) != headers.get("host", "").lower()
    return not headers.get("authorization", "").lower().startswith("bearer ")


def _host_and_port(origin: str) -> str | None:
    """Return host and port of an origin as in a Host header, None for another text."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.netloc.lower() if parts.scheme in ("http", "https") and parts.netloc else None
