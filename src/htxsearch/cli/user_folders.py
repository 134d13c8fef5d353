"""The user's own folders: what may be lost, and what must not leave this machine.

The first is for the hits of the last query, the second for the key that seals jobs. Neither is in an index folder, which may
come from somebody else.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

from htxsearch.ingest.atomic_files import make_folder, sync_folder

__all__ = ["cache_folder", "secret_of_user", "state_folder"]

_KEY_BYTES = 32
_CACHES = {"win32": Path("AppData", "Local"), "darwin": Path("Library", "Caches")}
_STATES = {"win32": Path("AppData", "Local"), "darwin": Path("Library", "Application Support")}


def cache_folder() -> Path:
    """Return the user's folder for what may be lost.

    It is in XDG_CACHE_HOME, else where the system has such folders. Raises RuntimeError for a user without a home.
    """
    return _folder("XDG_CACHE_HOME", _CACHES.get(sys.platform, Path(".cache")))


def state_folder() -> Path:
    """Return the user's folder for what is to be kept.

    It is in XDG_STATE_HOME, else where the system has such folders. Raises RuntimeError for a user without a home.
    """
    return _folder("XDG_STATE_HOME", _STATES.get(sys.platform, Path(".local", "state")))


def secret_of_user(name: str) -> str:
    """Return a secret of the user, drawn and kept when it is first asked for.

    Where nothing can be kept it is another one each time.
    """
    drawn = os.urandom(_KEY_BYTES).hex()
    with suppress(OSError, RuntimeError):
        file = state_folder() / name
        if (kept := _kept(file, len(drawn))) is not None:
            return kept
        make_folder(file.parent)
        unfinished = file.with_name(f"{name}.{os.getpid()}.tmp")
        with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="ascii") as made:
            made.write(drawn)
            made.flush()
            os.fsync(made.fileno())
        try:
            return _kept_first(unfinished, file, drawn)
        finally:
            unfinished.unlink(missing_ok=True)
            sync_folder(file.parent)
    return drawn


def _kept(file: Path, length: int) -> str | None:
    """Return the secret in a file, None if there is none or it was cut off."""
    with suppress(FileNotFoundError, ValueError):
        kept = file.read_text("ascii")
        return kept if len(kept) == length else None
    return None


def _kept_first(unfinished: Path, file: Path, drawn: str) -> str:
    """Give a new secret its name; return that of another process if it was quicker."""
    try:
        os.link(unfinished, file)
    except FileExistsError:
        if (kept := _kept(file, len(drawn))) is not None:
            return kept
        os.replace(unfinished, file)
    except OSError:  # a file system without links
        os.replace(unfinished, file)
    return drawn


def _folder(variable: str, usual: Path) -> Path:
    variables = (variable, "LOCALAPPDATA") if sys.platform == "win32" else (variable,)
    for chosen in filter(os.path.isabs, (os.environ.get(name, "") for name in variables)):
        return Path(chosen) / "htxsearch"
    return Path.home() / usual / "htxsearch"
