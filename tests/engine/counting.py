"""An engine that counts how often it is asked."""

from collections.abc import Callable
from typing import Any, cast

from htxsearch.engine.contract import Engine

__all__ = ["CountingEngine"]

_KNOWN = frozenset({"counts", "generation", "refresh", "close", "foresee"})
"""What an engine knows of a commit, or is told, without asking."""


class CountingEngine:
    """Passes everything on to an engine, and keeps the name of each call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.calls: list[str] = []

    def as_engine(self) -> Engine:
        """Return the wrapper, which has all that an engine has, as one."""
        return cast("Engine", self)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        return found if name in _KNOWN or not callable(found) else self._counted(name, found)

    def _counted(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **options: Any) -> Any:
            self.calls.append(name)
            return method(*given, **options)

        return call
