"""The command that serves: check the options, warn of risks, run the server."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from htxsearch.cli.shared import folder_options, open_index, reader_option
from htxsearch.cli.translation import TranslatedCommand, say
from htxsearch.cli.user_folders import secret_of_user
from htxsearch.errors import ExtraMissing, UsageError

__all__ = ["EDIT_TOKEN_VARIABLE", "LEAST_TOKEN", "READ_TOKEN_VARIABLE", "TOKEN_VARIABLE", "serve", "token"]

TOKEN_VARIABLE, READ_TOKEN_VARIABLE, EDIT_TOKEN_VARIABLE = "HTXSEARCH_TOKEN", "HTXSEARCH_READ_TOKEN", "HTXSEARCH_EDIT_TOKEN"
LEAST_TOKEN = 16
"""Characters of a token; a shorter one can be guessed."""

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


@click.command(cls=TranslatedCommand)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--token-file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--read-token", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--edit-token", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--tokens", type=click.Path(path_type=Path, dir_okay=False), envvar="HTXSEARCH_TOKENS", show_envvar=True)
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME")
@click.option("--cors", multiple=True, metavar="ORIGIN")
@click.option("--rate", type=click.FloatRange(0), default=20, show_default=True)
@click.option("--behind-proxy", is_flag=True)
@click.option("--allow-add", is_flag=True)
@click.option("--access-log/--no-access-log", default=True, show_default=True)
@reader_option
@folder_options
def serve(index_dir: Path, corpus: Path, **options: Any) -> None:
    """Serve the search over HTTP: pages for a browser, and an API."""
    open_index(index_dir, corpus).close()
    _serve_forever(index_dir, corpus, **options)


def _serve_forever(
    index_dir: Path,
    corpus: Path,
    *,
    host: str,
    port: int,
    workers: int,
    token_file: Path | None,
    read_token: Path | None,
    edit_token: Path | None,
    tokens: Path | None,
    hosts: Sequence[str],
    cors: Sequence[str],
    rate: float,
    behind_proxy: bool,
    allow_add: bool,
    access_log: bool,
    reader: Path | None,
) -> None:
    """Run the server until it is stopped. Raises ExtraMissing, UsageError."""
    try:
        from htxsearch.web.server import run
        from htxsearch.web.settings import Settings
        from htxsearch.web.tokens import Tokens

        if allow_add:
            import python_multipart  # noqa: F401  # Starlette looks for it when the first file comes
    except ImportError as error:
        raise ExtraMissing("serve.extra-missing", package=error.name) from error

    settings = Settings(
        index=str(index_dir),
        corpus=str(corpus),
        token=_token(token_file, TOKEN_VARIABLE),
        read_token=_token(read_token, READ_TOKEN_VARIABLE),
        edit_token=_token(edit_token, EDIT_TOKEN_VARIABLE),
        tokens_file=str(tokens.resolve()) if tokens else "",
        cors=tuple(cors),
        rate=rate,
        allow_add=allow_add,
        reader=str(reader) if reader else "",
    )
    known = Tokens(settings)
    if allow_add and not known.has_editors:
        raise UsageError("serve.add-needs-token")
    _check_address(host, port)
    settings = replace(settings, hosts=_names(host, hosts, is_closed=known.closes_reading))
    if known.has_editors:
        settings = replace(settings, job_key=secret_of_user("jobs.key"))
    shown = f"[{host}]" if ":" in host else host
    say("serve.started", index=index_dir, url=f"http://{shown}:{port}/")
    run(settings, host=host, port=port, workers=workers, behind_proxy=behind_proxy, access_log=access_log)


def _names(host: str, hosts: Sequence[str], *, is_closed: bool) -> tuple[str, ...]:
    """Return the host names to accept, an empty tuple for any.

    Warn if other machines can reach the server without a token.
    """
    names = tuple(name.lower() for name in hosts)
    if _is_loopback(host):
        return (*_LOOPBACK_NAMES, *names)  # else a page from elsewhere could have its own name lead here
    if not is_closed:
        say("serve.open-to-all", host=host, variable=TOKEN_VARIABLE)
    return names


def _is_loopback(host: str) -> bool:
    """Return True if only this machine reaches an address."""
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _token(file: Path | None, variable: str) -> str:
    """Return the token from a file or a variable, "" if there is none.

    The variable is not left to the processes that the server starts. Raises UsageError.
    """
    given = os.environ.pop(variable, "")
    try:
        token = (file.read_text("utf-8") if file else given).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("serve.token-unreadable", file=file, reason=str(error)) from error
    if (file or token) and (len(token) < LEAST_TOKEN or not (token.isascii() and token.isprintable())):
        raise UsageError("serve.token-too-weak", least=LEAST_TOKEN)
    return token


def _check_address(host: str, port: int) -> None:
    """Raise UsageError if the server could not listen at an address."""
    import socket

    try:
        kind, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(kind, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        raise UsageError("serve.address", host=host, port=port, reason=error.strerror or str(error)) from error


@click.command(cls=TranslatedCommand)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("name")
@click.option("--role", type=click.Choice(["reader", "editor"]), default="reader", show_default=True)
def token(file: Path, name: str, role: str) -> None:
    """Draw a token, print it, and write its hash into a file of named tokens."""
    import secrets

    from htxsearch.ingest.atomic_files import replace_file

    try:
        from htxsearch.web.tokens import digest_of, new_entry, read_tokens
    except ImportError as error:
        raise ExtraMissing("serve.extra-missing", package=error.name) from error
    former = read_tokens(file) if file.exists() else ()
    if any(identity.name == name for identity in former):
        raise UsageError("serve.name-taken", file=file, name=name)
    drawn = secrets.token_urlsafe(32)
    content = file.read_bytes() if file.exists() else b""
    try:
        replace_file(file, [content, new_entry(name, role, digest_of(drawn.encode()))])
        file.chmod(0o600)
    except OSError as error:
        raise UsageError("serve.tokens-unwritable", file=file, reason=error.strerror) from error
    click.echo(drawn)
    say("serve.token-drawn", name=name, file=file)
