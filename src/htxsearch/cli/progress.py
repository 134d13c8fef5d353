"""Show how far a run is: a bar on a terminal, else a line a minute.

A service, a scheduled job or a log has no use for a bar, but a run of an hour that says nothing looks dead.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from htxsearch.cli.translation import say, text

if TYPE_CHECKING:
    from htxsearch.indexing.embeddings import EncodeProgress
    from htxsearch.indexing.update import Progress

__all__ = ["MinuteLines", "shown_encoding", "shown_progress"]

_MINUTE_S = 60.0


class MinuteLines:
    """Prints how far a run is to standard error, once a minute."""

    def __init__(self, code: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._code = code
        self._clock = clock
        self._started = clock()
        self._due = self._started + _MINUTE_S

    def __call__(self, done: int, total: int, _left_s: float | None = None) -> None:
        """Note how much is done of how much; print the share if a minute is over."""
        now = self._clock()
        if now < self._due or not total:
            return
        minutes = int((now - self._started) / _MINUTE_S)
        self._due = self._started + (minutes + 1) * _MINUTE_S
        say(self._code, percent=done / total * 100, minutes=minutes)


@contextmanager
def shown_progress(label: str = "cli.indexing", line: str = "cli.indexing-progress") -> "Iterator[Progress]":
    """Give the callback that shows the progress of a reindex, or of another work.

    `label` is the code of the text before the bar, `line` that of the line of a minute.
    """
    if not sys.stderr.isatty():
        yield MinuteLines(line)
        return
    with click.progressbar(length=1, label=text(label), file=sys.stderr, show_pos=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield progress


@contextmanager
def shown_encoding() -> "Iterator[EncodeProgress]":
    """Give the callback that shows the progress of computing embeddings."""
    if not sys.stderr.isatty():
        yield MinuteLines("cli.encoding-progress")
        return
    with click.progressbar(length=1, label=text("cli.encoding"), file=sys.stderr, show_pos=True, show_eta=False) as bar:

        def progress(done: int, total: int, left_s: float | None) -> None:
            bar.length = max(total, 1)
            bar.label = text("cli.encoding") if left_s is None else text("cli.encoding-left", left=_duration(left_s))
            bar.update(done - bar.pos)
            bar.render_progress()

        yield progress


def _duration(seconds: float) -> str:
    """Return a duration in seconds, minutes or hours, whichever is short."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return text("duration.seconds", seconds=round(seconds))
    return text("duration.minutes", minutes=minutes) if minutes < 90 else text("duration.hours", hours=minutes / 60)
