"""The login page, and logout: a form with a token, a session in a cookie."""

import logging
import time
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from htxsearch.errors import HtxError, UsageError
from htxsearch.errors.messages import Language, Message
from htxsearch.web.errors import RequestError, headers_of, status_of
from htxsearch.web.rendering import PageAddress, render_page
from htxsearch.web.security import SESSION_COOKIE, RateLimiter, identity_of, is_cross_site
from htxsearch.web.tokens import SESSION_S, Tokens

__all__ = ["EMPTY_SEARCH", "form_fields", "language_of", "local_address", "login_page", "make_limiter", "routes"]

EMPTY_SEARCH = {"q": None, "place": (), "source": (), "since": None, "until": None}
"""The values of the search form in the head of the page."""
_NO_STORE = {"Cache-Control": "no-store"}
_MAX_BYTES = 131_072
_TRIES, _TRIES_A_SECOND = 5.0, 0.1
_MAX_NEXT = 4_000


def routes() -> list[Route]:
    """Return the routes of login and logout."""
    return [
        Route("/login", _form, methods=["GET"]),
        Route("/login", _login, methods=["POST"]),
        Route("/logout", _logout, methods=["POST"]),
    ]


def make_limiter() -> RateLimiter:
    """Return the limiter of tries to log in: five at once, then one in ten seconds."""
    return RateLimiter(_TRIES_A_SECOND, burst=_TRIES)


async def _form(request: Request) -> Response:
    if not _tokens(request).any:
        raise RequestError(HTTPStatus.NOT_FOUND, "serve.no-login")
    return _page(request, local_address(request.query_params.get("next", "")), HTTPStatus.OK, {})


def login_page(request: Request, error: HtxError) -> Response:
    """Return the login page, with the reason, for a request that needs a token."""
    query = f"?{request.url.query}" if request.url.query else ""
    back = local_address(request.url.path + query) if request.method in ("GET", "HEAD") else "/"
    message = None if error.code == "serve.token-needed" else error.message  # which the form itself explains
    return _page(request, back, status_of(error), headers_of(error), message)


async def _login(request: Request) -> Response:
    """Answer the form: a session and the way on, or the reason why not."""
    if is_cross_site(request.headers):
        raise RequestError(HTTPStatus.FORBIDDEN, "serve.cross-site")
    fields = await form_fields(request)
    back = local_address(fields.get("next", ""))
    wait_s = request.app.state.login_limiter.take(request.client.host if request.client else "")
    if wait_s:
        retry = {"Retry-After": str(int(wait_s) + 1)}
        return _page(request, back, HTTPStatus.TOO_MANY_REQUESTS, retry, Message("serve.too-many-logins"))
    identity = _tokens(request).of_token(fields.get("token", "").strip().encode("utf-8", "replace"))
    if identity is None:
        return _page(request, back, HTTPStatus.UNAUTHORIZED, {}, Message("serve.token-wrong"))
    response = RedirectResponse(back, HTTPStatus.SEE_OTHER, _NO_STORE)
    value = _tokens(request).session(identity, time.time())
    _set_cookie(request, response, value, SESSION_S)
    return response


async def _logout(request: Request) -> Response:
    """End the session, in the browser and wherever a copy of its cookie is."""
    if is_cross_site(request.headers):
        raise RequestError(HTTPStatus.FORBIDDEN, "serve.cross-site")
    try:
        _tokens(request).end_session(request.cookies.get(SESSION_COOKIE, ""), time.time())
    except OSError:  # the browser forgets its session at least
        logging.getLogger(__name__).exception("a session could not be ended for the copies of its cookie")
    response = RedirectResponse("/login" if _tokens(request).any else "/", HTTPStatus.SEE_OTHER, _NO_STORE)
    _set_cookie(request, response, "", 0)
    return response


def _set_cookie(request: Request, response: Response, value: str, seconds: int) -> None:
    """Set the session's cookie: no script reads it, no other site sends it."""
    is_secure = request.url.scheme == "https"
    response.set_cookie(SESSION_COOKIE, value, seconds, path="/", secure=is_secure, httponly=True, samesite="strict")


def _page(request: Request, back: str, status: HTTPStatus, headers: dict[str, str], message: Message | None = None) -> Response:
    language = language_of(request)
    values: dict[str, Any] = {"params": EMPTY_SEARCH, "message": message, "back": back, "present": identity_of(request)}
    here = PageAddress("/login", {"lang": language, "next": "" if back == "/" else back})
    return render_page(request, "login.html", language, here, status=status.value, headers={**_NO_STORE, **headers}, **values)


def local_address(address: str) -> str:
    """Return an address of this server, "/" for any other text."""
    is_local = address.startswith("/") and not address.startswith(("//", "/\\", "/login", "/logout"))
    return address if is_local and address.isprintable() and len(address) <= _MAX_NEXT else "/"


def _tokens(request: Request) -> Tokens:
    tokens: Tokens = request.app.state.tokens
    return tokens


def language_of(request: Request) -> Language:
    """Return the language of a page by its address."""
    return "en" if request.query_params.get("lang") == "en" else "vi"


async def form_fields(request: Request) -> dict[str, str]:
    """Return the fields of a form that was sent percent-encoded.

    Of each name it is the first one. Raises RequestError for other media types and long bodies, UsageError for what is no form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "serve.not-a-form")
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > _MAX_BYTES:
                raise RequestError(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "serve.upload-too-large", megabytes=_MAX_BYTES / 1024**2
                )
    except ClientDisconnect:
        raise RequestError(HTTPStatus.BAD_REQUEST, "serve.upload-broken") from None
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="replace", max_num_fields=50)
    except ValueError:
        raise UsageError("serve.not-a-form") from None
    return dict(reversed(pairs))
