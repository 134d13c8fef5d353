"""How often one client may ask: a bucket of tokens for each that fills up again."""

import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["RateLimiter"]

_BURST_S = 3.0
"""A client that was quiet may ask so many seconds' worth at once: a page, its suggestions while typing, its files."""


class RateLimiter:
    """Counts requests by client. `rate` a second are allowed, 0 for any number; of clients the last 10,000 are known."""

    _KNOWN = 10_000

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> float:
        """Count one request; return 0 if it is allowed, else after how many seconds the next one is."""
        if not self._rate:
            return 0.0
        now = self._clock()
        full = max(1.0, self._rate * _BURST_S)
        left, since = self._left.pop(client, (full, now))
        left = min(full, left + (now - since) * self._rate)
        allowed = left >= 1
        self._left[client] = (left - 1 if allowed else left, now)
        while len(self._left) > self._KNOWN:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._rate
