"""What every request passes before it is looked at: the host's name, the token, the client's allowance.

And what every answer carries: headers that keep a page to its own scripts and out of other sites' frames.
"""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from htxsearch.web.allowance import RateLimiter
from htxsearch.web.errors import MEDIA_TYPE, as_bytes, problem
from htxsearch.web.settings import Settings

__all__ = ["POLICY", "SecurityMiddleware", "is_foreign"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may load: nothing but what this server gives; no script or style inside the page itself."""

_HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

_Scope = MutableMapping[str, Any]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_App = Callable[[_Scope, Any, _Send], Awaitable[None]]


class SecurityMiddleware:
    """ASGI middleware around the whole application."""

    def __init__(self, app: _App, settings: Settings) -> None:
        self._app = app
        self._token = settings.token.encode()
        self._hosts = settings.hosts
        self._allowance = RateLimiter(settings.rate)
        self._own = tuple(one for one in _HEADERS if not (settings.cors and one[0] == b"cross-origin-resource-policy"))

    async def __call__(self, scope: _Scope, receive: Any, send: _Send) -> None:
        """Answer a request that may not pass; hand on one that may."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._own]
            await send(message)

        refused = self._refuse(scope)
        if refused is None:
            await self._app(scope, receive, guarded)
            return
        status, detail, headers = refused
        body = as_bytes(problem(status, detail))
        own = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode()), *headers]
        await guarded({"type": "http.response.start", "status": status.value, "headers": own})
        await guarded({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _refuse(self, scope: _Scope) -> tuple[HTTPStatus, str, list[tuple[bytes, bytes]]] | None:
        """Return why a request may not pass, and headers that say how it might; None if it may."""
        given = dict(scope["headers"])
        host = given.get(b"host", b"").decode("latin-1")
        if self._hosts and _without_port(host) not in self._hosts:
            detail = "this server is not called so; start it with --allow-host NAME if it should be"
            return HTTPStatus.MISDIRECTED_REQUEST, detail, []
        client = scope["client"][0] if scope.get("client") else ""
        wait = self._allowance.take(client)
        if wait:
            seconds = str(int(wait) + 1).encode()
            return HTTPStatus.TOO_MANY_REQUESTS, "too many requests; wait a moment", [(b"retry-after", seconds)]
        if self._token and scope["path"] != "/api/health" and not self._knows(given.get(b"authorization", b"")):
            detail = "this server wants its token: as a bearer token, or as the password, with any user name"
            challenge = b'Basic realm="htxsearch", charset="UTF-8"'
            return HTTPStatus.UNAUTHORIZED, detail, [(b"www-authenticate", challenge)]
        return None

    def _knows(self, authorization: bytes) -> bool:
        """Tell whether the token is in an Authorization header; takes as long whatever is in it."""
        kind, _, value = authorization.partition(b" ")
        if kind.lower() == b"basic":
            try:
                value = base64.b64decode(value.strip(), validate=True).partition(b":")[2]
            except binascii.Error:
                return False
        elif kind.lower() != b"bearer":
            return False
        return hmac.compare_digest(value.strip(), self._token)


def _without_port(host: str) -> str:
    """Return the name in a Host header: [::1]:8000 → [::1], Localhost:8000 → localhost."""
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name.lower()


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Tell whether a request may come from another site's page, to which a browser adds the password by itself.

    A browser says where it comes from: in Sec-Fetch-Site over TLS and on this machine, in Origin with every POST. What says
    neither is no browser's, and has to bring its token as a bearer token, which no browser adds.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site not in ("same-origin", "none")
    if origin is not None:
        return _site_of(origin) != headers.get("host", "").lower()
    return not headers.get("authorization", "").lower().startswith("bearer ")


def _site_of(origin: str) -> str | None:
    """Return host and port of an origin as a Host header has them, None for what is no origin."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.netloc.lower() if parts.scheme in ("http", "https") and parts.netloc else None
