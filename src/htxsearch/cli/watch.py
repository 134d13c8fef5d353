"""Keeping an index up with its corpus folder.

The folder is looked at every few seconds, its files' sizes and times only; nothing is asked of the system, so it works on
every file system, network folders among them.
"""

import os
import time
from collections.abc import Callable

from htxsearch.errors import HtxError
from htxsearch.index import Index
from htxsearch.indexing.catalogue import Report
from htxsearch.ingest.corpus import source_files
from htxsearch.ingest.metadata import SIDECAR_SUFFIX

__all__ = ["watch"]

_SHARE = 20
"""Looking may take one part in so many of the time: a corpus that takes 1 s to look at is looked at every 20 s."""

_Look = tuple[tuple[object, ...], ...]


def watch(
    index: Index,
    update: Callable[[], Report],
    tell: Callable[[Report | HtxError], None],
    *,
    every_s: float = 2.0,
    feeds: Callable[[], object] | None = None,
    feeds_every_s: float = 1800.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Update whenever the corpus has changed and then kept still for a look, until KeyboardInterrupt.

    `update` is called at once, and after each change; `tell` gets what it did, if it did or rejected anything new, and what
    went wrong: the next look tries again, and the same trouble is told once. `feeds` is called every `feeds_every_s`.
    """
    done: _Look | None = None
    before: _Look | None = None
    trouble = ""
    rejected: object = ()
    feeds_at = clock() + feeds_every_s
    while True:
        started = clock()
        try:
            if feeds is not None and started >= feeds_at:
                feeds_at = started + feeds_every_s
                feeds()
            now = _look(index)
            took = clock() - started
            if now != done and (done is None or now == before):
                report = update()
                done = now
                if report.added or report.changed or report.removed or report.rejected != rejected:
                    tell(report)
                rejected = report.rejected
            before, trouble = now, ""
        except HtxError as error:
            took = 0.0
            if str(error) != trouble:
                trouble = str(error)
                tell(error)
        sleep(max(every_s, took * _SHARE))


def _look(index: Index) -> _Look:
    """Return the paths, sizes and times of all files and sidecars. Raises CorpusError."""
    found: list[tuple[object, ...]] = []
    for source in source_files(index.corpus)[0]:
        state: list[object] = [source.path]
        for file in (str(source.file), f"{source.file}{SIDECAR_SUFFIX}"):
            try:
                told = os.stat(file)
            except OSError:
                continue  # gone meanwhile, or no sidecar
            state += [told.st_size, told.st_mtime_ns]
        found.append(tuple(state))
    return tuple(found)
