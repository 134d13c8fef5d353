"""Keep an index up to date with its corpus folder.

The sizes and times of the files are scanned every few seconds. No notification service of the system is used, so that it works
on every file system, network folders among them.
"""

import os
import time
from collections.abc import Callable

from htxsearch.errors import HtxError
from htxsearch.errors.messages import Message
from htxsearch.index import Index
from htxsearch.indexing.catalogue import Report
from htxsearch.ingest.corpus import source_files

__all__ = ["watch"]

_SCAN_SHARE = 20
"""Scanning may use at most 1/20 of the time: a corpus that takes 1 s to scan is scanned every 20 s."""

_LONGEST_PAUSE_S = 600.0
"""The pause doubles with each error in a row, up to this."""

_Scan = tuple[tuple[object, ...], ...]


def watch(
    index: Index,
    update: Callable[[], Report],
    show: Callable[[Report | HtxError], None],
    *,
    every_s: float = 2.0,
    feeds: Callable[[], object] | None = None,
    feeds_every_s: float = 1800.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Update whenever the corpus has changed, until KeyboardInterrupt.

    `update` is called at once, and after each change, as soon as two scans are equal. `show` gets its report, if anything was
    done or newly rejected. It also gets an error, once until the error changes; the next scan tries again, and the pause
    doubles up to ten minutes while errors last. `feeds` is called every `feeds_every_s` seconds.
    """
    indexed: _Scan | None = None
    before: _Scan | None = None
    shown_error: Message | None = None
    rejected: object = ()
    feeds_due = clock() + feeds_every_s
    pause_s = every_s
    while True:
        started = clock()
        try:
            if feeds is not None and started >= feeds_due:
                feeds_due = started + feeds_every_s
                feeds()
            now = _scan(index)
            took = clock() - started
            if now != indexed and (indexed is None or now == before):
                report = update()
                indexed = now
                if report.added or report.changed or report.removed or report.rejected != rejected:
                    show(report)
                rejected = report.rejected
            before, shown_error = now, None
            pause_s = max(every_s, took * _SCAN_SHARE)
        except HtxError as error:
            pause_s = max(every_s, min(2 * pause_s, _LONGEST_PAUSE_S))
            if error.message != shown_error:
                shown_error = error.message
                show(error)
        sleep(pause_s)


def _scan(index: Index) -> _Scan:
    """Return the paths, sizes and times of all files and their metadata files.

    Raises CorpusError.
    """
    states: list[tuple[object, ...]] = []
    for source in source_files(index.corpus)[0]:
        state: list[object] = [source.path]
        for file in (str(source.file), str(source.metadata_file)):
            try:
                status = os.stat(file)
            except OSError:
                continue  # removed meanwhile, or no metadata file
            state += [status.st_size, status.st_mtime_ns]
        states.append(tuple(state))
    return tuple(states)
