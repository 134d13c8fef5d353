"""The address of a cluster: a URL, and secrets from the environment.

    https://user@host:9200/NAME                 an index of that name; the port may be left out
    https://user@one:9200,two:9200/NAME         several nodes of a cluster: if one is away, another is asked

A password or API key is never part of a URL, so it gets into no manifest, log or list of processes.
"""

import os
import re
from dataclasses import dataclass, field

from htxsearch.errors import UsageError

__all__ = [
    "API_KEY",
    "CERTIFICATES",
    "PASSWORD",
    "SCORING",
    "SHARDS",
    "Address",
    "Secrets",
    "chosen_scoring",
    "chosen_shards",
    "parse_address",
]

PASSWORD, API_KEY = "HTXSEARCH_ENGINE_PASSWORD", "HTXSEARCH_ENGINE_API_KEY"
CERTIFICATES = "HTXSEARCH_ENGINE_CA"
"""The file of certificates by which a cluster's own is checked; by default those that are generally trusted."""
SCORING = "HTXSEARCH_ENGINE_SCORING"
"""Which articles are scored exactly, for measuring: "all" or "best"; by default the size of the collection decides."""
SHARDS = "HTXSEARCH_ENGINE_SHARDS"
"""The number of shards of the next index that is made; by default it depends on the number of passages."""

_MOST_SHARDS = 1_000
_PORT = 9200
_URL = re.compile(r"(?P<scheme>https?)://(?:(?P<user>[^@/]*)@)?(?P<hosts>[^@/]+)/(?P<name>[^/?#]*)/?")
_HOST = re.compile(r"(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")
_NAME = re.compile(r"(?!.*-(?:data|state|words)(?:-|$))[a-z0-9][a-z0-9_-]{0,79}")
_LOOPBACK = re.compile(r"(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]):\d+")


@dataclass(frozen=True, slots=True)
class Address:
    """The hosts of a cluster, each with its port, and the name of an index there."""

    hosts: tuple[str, ...]
    name: str
    user: str = ""
    is_secure: bool = True

    def __str__(self) -> str:
        """Return the URL. It has no secret."""
        user = f"{self.user}@" if self.user else ""
        return f"{'https' if self.is_secure else 'http'}://{user}{','.join(self.hosts)}/{self.name}"

    @property
    def is_local(self) -> bool:
        """True if all hosts are this machine."""
        return all(_LOOPBACK.fullmatch(host) for host in self.hosts)


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets that open a cluster. Their text shows nothing."""

    password: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    certificates: str = ""

    @classmethod
    def from_environment(cls) -> "Secrets":
        """Return the secrets that the environment has."""
        return cls(*(os.environ.get(name, "") for name in (PASSWORD, API_KEY, CERTIFICATES)))

    @property
    def any(self) -> bool:
        """True if there is a password or key."""
        return bool(self.password or self.api_key)

    def check(self, address: Address) -> None:
        """Raise UsageError if a secret is missing, or would be sent in the clear."""
        if self.any and not address.is_secure and not address.is_local:
            raise UsageError("engine.not-secure", address=str(address))
        if address.user and not self.password and not self.api_key:
            raise UsageError("engine.no-password", address=str(address), variable=PASSWORD)


def chosen_scoring() -> bool | None:
    """Return True if only the best are scored exactly, None if the size decides.

    Raises UsageError.
    """
    chosen = os.environ.get(SCORING, "")
    if chosen not in ("", "all", "best"):
        raise UsageError("engine.scoring", value=chosen, variable=SCORING)
    return chosen == "best" if chosen else None


def chosen_shards() -> int | None:
    """Return the number of shards of a new index, None to go by its size.

    Raises UsageError.
    """
    chosen = os.environ.get(SHARDS, "")
    if chosen and not (chosen.isdecimal() and 1 <= int(chosen) <= _MOST_SHARDS):
        raise UsageError("engine.shards", value=chosen, variable=SHARDS, most=_MOST_SHARDS)
    return int(chosen) if chosen else None


def parse_address(url: str) -> Address:
    """Return the address in a URL. Raises UsageError, which repeats no secret."""
    match = _URL.fullmatch(url.strip())
    if not match:
        raise UsageError("engine.url", url=re.sub(r"//[^@]*@", "//", url))
    user = match["user"] or ""
    if ":" in user:
        raise UsageError("engine.password-in-url", variable=PASSWORD)
    hosts = [host if re.search(r":\d+$", host) else f"{host}:{_PORT}" for host in match["hosts"].split(",")]
    if not all(_HOST.fullmatch(host) for host in hosts):
        raise UsageError("engine.url", url=re.sub(r"//[^@]*@", "//", url))
    if not _NAME.fullmatch(match["name"]):
        raise UsageError("engine.name", name=match["name"])
    return Address(tuple(dict.fromkeys(hosts)), match["name"], user, match["scheme"] == "https")
