"""The settings of a server, and their way to the worker processes it starts.

A module of its own, though short: everything else in `web/` depends on it, and it on nothing.
"""

import json
import os
import secrets
import tempfile
from dataclasses import asdict, dataclass, field, replace
from typing import Any

__all__ = ["VARIABLE", "Settings"]

VARIABLE = "HTXSEARCH_SERVE"
"""The environment variable in which worker processes find the settings."""


def _new_folder() -> str:
    """Return a path for a temporary folder that nobody guesses; it is not made."""
    try:
        place = tempfile.gettempdir()
    except FileNotFoundError:  # nothing can be written: no logout can be noted, all else goes on
        place = os.curdir
    return os.path.join(place, f"htxsearch-{secrets.token_hex(8)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The folders that are served, who may ask, and how much."""

    index: str = "index"
    corpus: str = "corpus"
    reader: str = ""
    """The folder of another reader of answers; "" for the product's own."""

    token: str = ""
    """The token that every caller must send, "" for none: it reads; if articles can be added and no other edits, it edits."""
    read_token: str = ""
    """A token that reads."""
    edit_token: str = ""
    """A token that reads and edits."""
    tokens_file: str = ""
    """A file of named tokens (`tokens.read_tokens`)."""
    session_key: str = field(default_factory=lambda: secrets.token_hex(32))
    """Seals the cookies of sessions: another one at each start of the server, the same in all its processes."""
    ended_sessions: str = field(default_factory=_new_folder)
    """The folder in which the processes of a server note the sessions that were ended; made when the first one is."""
    job_key: str = field(default_factory=lambda: secrets.token_hex(32))
    """Seals the jobs in the index folder: whoever gives the same one takes up what another server left there."""
    hosts: tuple[str, ...] = ()
    """The names in a Host header that are answered, in lower case, without a port; () for any."""
    cors: tuple[str, ...] = ()
    """The origins whose scripts may read the API."""
    rate: float = 20.0
    """Requests a second that a client may send; 0 for any number."""

    timeout_s: float = 10.0
    """How long an answer may take."""
    max_waiting: int = 64
    """How many requests may wait for an index thread."""

    allow_add: bool = False
    """Whether articles can be added."""
    max_upload_bytes: int = 50 * 1024 * 1024
    """How large the body of an addition may be."""
    addition_timeout_s: float = 300.0
    """How long sending an addition may take, and again adding it."""

    def to_environment(self) -> None:
        """Leave the settings for this process and those it starts."""
        os.environ[VARIABLE] = json.dumps(asdict(self))

    @classmethod
    def from_environment(cls) -> "Settings":
        """Return the settings left by `to_environment`, and leave them no longer.

        They have the tokens: a process that this one starts to read files of others must not inherit them.
        """
        values: dict[str, Any] = json.loads(os.environ.pop(VARIABLE))
        settings = cls(**values)
        return replace(settings, hosts=tuple(settings.hosts), cors=tuple(settings.cors))
