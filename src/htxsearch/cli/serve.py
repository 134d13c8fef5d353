"""What `htxsearch serve` does: look at what was asked for, say what is risky, and run the server."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from htxsearch.errors import ExtraMissing, UsageError

__all__ = ["LEAST_TOKEN", "TOKEN_VARIABLE", "serve_forever"]

TOKEN_VARIABLE = "HTXSEARCH_TOKEN"
LEAST_TOKEN = 16
"""Characters of a token; shorter ones can be guessed."""

_MAKE_ONE = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(24))'"
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


def serve_forever(
    index_dir: Path,
    corpus: Path,
    *,
    host: str,
    port: int,
    workers: int,
    token_file: Path | None,
    hosts: Sequence[str],
    cors: Sequence[str],
    rate: float,
    behind_proxy: bool,
    allow_add: bool,
    access_log: bool,
) -> None:
    """Run the server until it is told to stop. Raises ExtraMissing, UsageError."""
    try:
        from htxsearch.web.server import run
        from htxsearch.web.settings import Settings

        if allow_add:
            import python_multipart  # noqa: F401  # Starlette looks for it when the first file comes
    except ImportError as error:
        raise ExtraMissing(f"serving needs the package {error.name}; install it with: pip install 'htxsearch[web]'") from error

    token = _token(token_file)
    if allow_add and not token:
        command = "htxsearch serve --allow-add --token-file token"
        raise UsageError(f"--allow-add needs a token, so that not everybody can add; {_MAKE_ONE} > token && {command}")
    _check_address(host, port)
    settings = Settings(
        index=str(index_dir),
        corpus=str(corpus),
        token=token,
        hosts=_names(host, hosts, has_token=bool(token)),
        cors=tuple(cors),
        rate=rate,
        allow_add=allow_add,
    )
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"serving {index_dir} at http://{shown}:{port}/ (Ctrl-C stops)", err=True)
    run(settings, host=host, port=port, workers=workers, behind_proxy=behind_proxy, access_log=access_log)


def _names(host: str, hosts: Sequence[str], *, has_token: bool) -> tuple[str, ...]:
    """Return the names to answer to, none for any; warn if others reach the machine and everybody may read."""
    names = tuple(name.lower() for name in hosts)
    if _is_loopback(host):
        return (*_LOOPBACK_NAMES, *names)  # else a page from elsewhere could have its own name lead here
    if not has_token:
        click.echo(
            f"warning: {host} can be reached from other machines, and anyone who reaches it may read every article; "
            f"give --token-file FILE, or set {TOKEN_VARIABLE}",
            err=True,
        )
    return names


def _is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address."""
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _token(file: Path | None) -> str:
    """Return the token from a file or the environment, "" if there is none. Raises UsageError."""
    try:
        token = (file.read_text("utf-8") if file else os.environ.get(TOKEN_VARIABLE, "")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read a token from {file}: {error}") from error
    if (file or token) and (len(token) < LEAST_TOKEN or not (token.isascii() and token.isprintable())):
        raise UsageError(f"a token has at least {LEAST_TOKEN} printable ASCII characters; {_MAKE_ONE}")
    return token


def _check_address(host: str, port: int) -> None:
    """Say what is wrong with an address before anything is started. Raises UsageError."""
    import socket

    try:
        kind, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(kind, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        raise UsageError(f"cannot serve at {host}:{port}: {error.strerror}; name another --host or --port") from error
