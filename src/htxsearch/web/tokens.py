"""Tokens: who may read, who may edit, and the sessions of browsers.

A token is never stored, only its SHA-256. `htxsearch token` draws 256 random bits, which nobody guesses; a slow hash would only
make every request slow. A session is a sealed cookie. A logout leaves an empty file with its name for all processes of the
server, so that a copy of the cookie is worth nothing.
"""

import hashlib
import hmac
import json
import os
import secrets
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from htxsearch.errors import UsageError
from htxsearch.web.settings import Settings

__all__ = ["SESSION_S", "Identity", "Role", "Tokens", "digest_of", "new_entry", "read_tokens"]

Role = Literal["reader", "editor"]
SESSION_S = 12 * 3600
"""How long a session lasts: a working day."""
_ROLES: tuple[Role, ...] = ("reader", "editor")
_HASH = "sha256:"
_DIGEST_BYTES = 32
_MAX_NAME = 100


class Identity(NamedTuple):
    """A name, a role, and the SHA-256 of the token that proves them."""

    name: str
    role: Role
    digest: bytes


class Tokens:
    """The tokens of a server: those of its settings, and those of a file.

    The file is read again when it changes.
    """

    def __init__(self, settings: Settings) -> None:
        """Raises UsageError for a file that cannot be read."""
        first: Role = "editor" if settings.allow_add and not (settings.edit_token or settings.tokens_file) else "reader"
        given: tuple[tuple[str, Role, str], ...] = (
            ("token", first, settings.token),
            ("reader", "reader", settings.read_token),
            ("editor", "editor", settings.edit_token),
        )
        self._fixed = [Identity(name, role, digest_of(token.encode())) for name, role, token in given if token]
        self._file = Path(settings.tokens_file) if settings.tokens_file else None
        self._named = read_tokens(self._file) if self._file else ()
        self._stamp = self._file_stamp()
        self._key = settings.session_key.encode()
        self._ended = Path(settings.ended_sessions)
        self.closes_reading = bool(settings.token or settings.read_token or self._file)
        """Whether reading needs a token; one for editors alone leaves reading open."""

    @property
    def any(self) -> bool:
        """Whether anybody can log in."""
        return bool(self._known())

    @property
    def has_editors(self) -> bool:
        """Whether anybody can log in as an editor."""
        return any(identity.role == "editor" for identity in self._known())

    def of_token(self, token: bytes) -> Identity | None:
        """Return whose token this is, None if it is nobody's.

        It is compared with all, in constant time.
        """
        return self._of_digest(digest_of(token))

    def session(self, identity: Identity, now: float) -> str:
        """Return the value of a session's cookie: names of token and session, and a seal.

        The name of the session begins with its end.
        """
        session = f"{int(now) + SESSION_S}-{secrets.token_hex(8)}"
        return f"{_short(identity.digest)}.{session}.{self._seal(identity.digest, session)}"

    def of_session(self, value: str, now: float) -> Identity | None:
        """Return whose session this is; None if it is over or its token is not valid."""
        name, session, seal = [*value.split("."), "", "", ""][:3]
        end = _end_of(session)
        if not (
            end.isascii() and end.isdecimal() and len(end) < 20 and seal.isascii() and now < int(end) <= now + SESSION_S + 1
        ):
            return None
        identity = next((one for one in self._known() if hmac.compare_digest(_short(one.digest).encode(), name.encode())), None)
        if identity is None or not hmac.compare_digest(self._seal(identity.digest, session), seal):
            return None
        return None if (self._ended / session).exists() else identity

    def end_session(self, value: str, now: float) -> None:
        """End a session for all processes of the server, and forget those that are over.

        Raises OSError.
        """
        if self.of_session(value, now) is None:
            return
        self._ended.mkdir(mode=0o700, exist_ok=True)
        (self._ended / value.split(".")[1]).touch()
        for path in self._ended.iterdir():
            end = _end_of(path.name)
            if end.isascii() and end.isdecimal() and int(end) <= now:  # other files are not ours
                path.unlink(missing_ok=True)

    def _seal(self, digest: bytes, session: str) -> str:
        return hmac.new(self._key, digest + session.encode("utf-8", "replace"), "sha256").hexdigest()

    def _of_digest(self, digest: bytes) -> Identity | None:
        found = None
        for identity in self._known():
            if hmac.compare_digest(identity.digest, digest):
                found = found or identity
        return found

    def _known(self) -> Sequence[Identity]:
        """Return all identities; while the file cannot be read, nobody of it gets in."""
        if self._file is not None and (stamp := self._file_stamp()) != self._stamp:
            try:
                self._named = read_tokens(self._file)
            except UsageError:
                self._named = ()
            self._stamp = stamp
        return sorted([*self._fixed, *self._named], key=lambda identity: identity.role)  # a token with two roles is an editor's

    def _file_stamp(self) -> tuple[int, int, int]:
        try:
            status = os.stat(self._file) if self._file else None
        except OSError:
            return (0, 0, 0)
        return (status.st_mtime_ns, status.st_size, status.st_ino) if status else (0, 0, 0)


def digest_of(token: bytes) -> bytes:
    """Return the SHA-256 of a token."""
    return hashlib.sha256(token).digest()


def _end_of(session: str) -> str:
    """Return the second at which a session ends, by its name."""
    return session.partition("-")[0]


def _short(digest: bytes) -> str:
    """Return a name for a token's hash that does not give it away."""
    return hashlib.sha256(b"session " + digest).hexdigest()[:16]


def read_tokens(file: Path) -> tuple[Identity, ...]:
    """Return the identities in a file of named tokens.

    Each table [[token]] has a name, a role and the hash. Raises UsageError.
    """
    try:
        tables = tomllib.loads(file.read_text("utf-8")).get("token", [])
    except (OSError, ValueError) as error:
        raise UsageError("serve.token-unreadable", file=file, reason=str(error)) from error
    identities: list[Identity] = []
    for number, table in enumerate(tables if isinstance(tables, list) else [None], 1):
        identity = _identity(table)
        if identity is None or any(identity.name == other.name for other in identities):
            raise UsageError("serve.tokens-entry", file=file, number=number)
        identities.append(identity)
    return tuple(identities)


def new_entry(name: str, role: str, digest: bytes) -> bytes:
    """Return a table [[token]] to append to a file of named tokens. Raises UsageError."""
    entry = f'\n[[token]]\nname = {json.dumps(name, ensure_ascii=False)}\nrole = "{role}"\nhash = "{_HASH}{digest.hex()}"\n'
    if _identity({"name": name, "role": role, "hash": f"{_HASH}{digest.hex()}"}) is None:
        raise UsageError("serve.bad-name", name=name)
    return entry.encode()


def _identity(table: object) -> Identity | None:
    """Return the identity in a table, None if it is not complete."""
    if not isinstance(table, dict) or set(table) != {"name", "role", "hash"}:
        return None
    name, role, text = table["name"], table["role"], table["hash"]
    if not (isinstance(name, str) and name.strip() and name.isprintable() and len(name) <= _MAX_NAME and isinstance(text, str)):
        return None
    known = next((one for one in _ROLES if one == role), None)
    try:
        digest = bytes.fromhex(text.removeprefix(_HASH))
    except ValueError:
        return None
    return Identity(name, known, digest) if known and text.startswith(_HASH) and len(digest) == _DIGEST_BYTES else None
