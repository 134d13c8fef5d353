"""What a server is told when it starts, and how that reaches the processes it is made of."""

import json
import os
from dataclasses import asdict, dataclass, replace
from typing import Any

__all__ = ["VARIABLE", "Settings"]

VARIABLE = "HTXSEARCH_SERVE"
"""The environment variable in which worker processes find the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What to serve, to whom, and how much of it.

    `token` is asked of every caller, "" for nobody. `hosts` are the names the server may be called by, none for any.
    `cors` are the origins whose scripts may read the API. A client may ask `rate` times a second, 0 for as often as it
    likes; an answer takes `seconds` at most, and `waiting` requests wait for their turn at most. An article's page waits
    `patience` seconds for its related articles; if they take longer, it has a link to them. With `allow_add`, articles can
    be added: `largest` bytes at once, within `adding_s` seconds for sending them, and as many for taking them in.
    """

    index: str = "index"
    corpus: str = "corpus"
    token: str = ""
    hosts: tuple[str, ...] = ()
    cors: tuple[str, ...] = ()
    rate: float = 20.0
    seconds: float = 10.0
    waiting: int = 64
    patience: float = 0.4
    allow_add: bool = False
    largest: int = 50 * 1024 * 1024
    adding_s: float = 300.0

    def to_environment(self) -> None:
        """Leave the settings for this process and those it starts."""
        os.environ[VARIABLE] = json.dumps(asdict(self))

    @classmethod
    def from_environment(cls) -> "Settings":
        """Return the settings left by `to_environment`."""
        values: dict[str, Any] = json.loads(os.environ[VARIABLE])
        settings = cls(**values)
        return replace(settings, hosts=tuple(settings.hosts), cors=tuple(settings.cors))
