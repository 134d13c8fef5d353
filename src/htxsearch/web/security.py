"""Security middleware: host name, rate limit, who asks and may, security headers.

Who asks is known by a bearer token, by a token as the password of any user, or by the cookie of a session.
"""

import base64
import binascii
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

from htxsearch.web.errors import RequestError
from htxsearch.web.settings import Settings
from htxsearch.web.tokens import Identity, Tokens

__all__ = ["POLICY", "SESSION_COOKIE", "RateLimiter", "SecurityMiddleware", "identity_of", "is_cross_site", "is_editor"]

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
_OPEN_PATHS = ("/api/health", "/login", "/logout")
"""Need no token: whoever monitors the server, or wants to log in, asks them. The files of the login page do not, either."""
_EDITOR_PATHS = frozenset({"/add", "/job", "/jobs", "/status", "/edit", "/remove", "/put-back", "/removed", "/changes"})
_ADDING_ROOTS = ("/add", "/job", "/status", "/api/articles", "/api/jobs")
"""Are there only where articles can be added."""
_EDITOR_ROOTS = ("/api/jobs", "/api/feeds")
"""Need an editor, with all below the roots, as every method does that changes something."""
SESSION_COOKIE = "htxsearch_session"
_BURST_S = 3.0
"""A client that was quiet may send this many seconds' requests at once: a page, its files, completions while typing."""

_Scope = MutableMapping[str, Any]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_App = Callable[[_Scope, Any, _Send], Awaitable[None]]


class SecurityMiddleware:
    """ASGI middleware around the whole application."""

    def __init__(self, app: _App, settings: Settings, tokens: Tokens, respond: Callable[[_Scope, RequestError], _App]) -> None:
        """`respond` makes the response to a request that is refused."""
        self._app = app
        self._respond = respond
        self._tokens = tokens
        self._hosts = settings.hosts
        self._allows_add = settings.allow_add
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
        identity = self._identity(headers)
        scope["identity"] = identity
        return self._refusal_of(identity, scope["method"], scope["path"])

    def _refusal_of(self, identity: Identity | None, method: str, path: str) -> RequestError | None:
        """Return the error of a request that this identity may not send, None if it may."""
        if path.endswith("\n"):  # "/status\n" would be found as /status, and is in no list here
            return RequestError(HTTPStatus.NOT_FOUND, "serve.not-found")
        if path in _OPEN_PATHS or path.startswith("/static/"):
            return None
        is_change = path in _EDITOR_PATHS or path.startswith(_EDITOR_ROOTS) or method not in ("GET", "HEAD", "OPTIONS")
        is_closed = self._tokens.has_editors or self._tokens.closes_reading
        is_there = self._allows_add or not path.startswith(_ADDING_ROOTS)
        needs_editor = is_change and is_closed and is_there
        if identity is None and (self._tokens.closes_reading or needs_editor):
            challenge = {"WWW-Authenticate": 'Bearer realm="htxsearch"'}  # for which browsers open no window of their own
            return RequestError(HTTPStatus.UNAUTHORIZED, "serve.token-needed", headers=challenge)
        if needs_editor and identity is not None and identity.role != "editor":
            return RequestError(HTTPStatus.FORBIDDEN, "serve.editor-needed", person=identity.name)
        return None

    def _identity(self, headers: Mapping[bytes, bytes]) -> Identity | None:
        """Return who sends a request; a token goes before a cookie."""
        authorization = headers.get(b"authorization")
        if authorization is not None:
            token = _token_in(authorization)
            return self._tokens.of_token(token) if token else None
        for cookie in headers.get(b"cookie", b"").decode("latin-1").split(";"):
            name, _, value = cookie.strip().partition("=")
            if name == SESSION_COOKIE:
                return self._tokens.of_session(value, time.time())
        return None


def _token_in(authorization: bytes) -> bytes:
    """Return the token in an Authorization header, b"" if there is none."""
    scheme, _, value = authorization.partition(b" ")
    if scheme.lower() == b"basic":
        try:
            value = base64.b64decode(value.strip(), validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    elif scheme.lower() != b"bearer":
        return b""
    return value.strip()


def identity_of(request: Request) -> Identity | None:
    """Return who sends a request, None if nobody is known by a token."""
    identity: Identity | None = request.scope.get("identity")
    return identity


def is_editor(request: Request) -> bool:
    """Return True if an editor sends a request."""
    identity = identity_of(request)
    return identity is not None and identity.role == "editor"


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

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic, *, burst: float | None = None) -> None:
        """`burst` is how many a quiet client may send at once, by default a few."""
        self._rate = rate
        self._capacity = max(1.0, rate * _BURST_S) if burst is None else burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens left, and at which time

    def take(self, client: str) -> float:
        """Count a request; return 0 if it is allowed, else the seconds to wait."""
        if not self._rate:
            return 0.0
        now = self._clock()
        capacity = self._capacity
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
