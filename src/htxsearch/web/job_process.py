"""The process of a job: does it, and writes how far it is into the job's folder.

It is a process of its own for the reasons of `addition_process`. What is said to readers is kept in both languages.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from htxsearch.errors import HtxError, IndexBusy
from htxsearch.ingest.python_process import given_by_parent
from htxsearch.web.jobs import JobState, both_languages, read_job, write_state

if TYPE_CHECKING:
    from htxsearch.index import Index
    from htxsearch.indexing.catalogue import Additions, Report
    from htxsearch.ingest.fetch import Fetcher

__all__ = ["run_job", "serve"]

_EVERY_S = 0.3
"""Seconds between two writes of the state."""
_MOST_ARTICLES = 3
"""Articles of a file that are shown; a file of lines may have thousands."""
_LEAD = 240
_MOST_REJECTED = 50


def serve() -> None:
    """Do the job that the parent gives: index, corpus and folder of the job."""
    from htxsearch.indexing.worker_process import BACKGROUND_PRIORITY, become_worker

    become_worker(BACKGROUND_PRIORITY).close()
    index_folder, corpus, folder = given_by_parent()
    run_job(index_folder, corpus, Path(folder))


def run_job(index_folder: str, corpus: str, folder: Path, *, fetcher: "Fetcher | None" = None) -> None:
    """Do a job; its state is "waiting" again if another process writes the index.

    An unforeseen error is not caught: the process ends with it, and its parent says so.
    """
    from htxsearch.index import Index
    from htxsearch.indexing.manifest import writer_lock

    job = read_job(folder)
    if job is None:  # removed meanwhile
        return
    state = JobState(**json.loads((folder / "state.json").read_bytes()))
    noting = _Noting(folder, state)
    try:
        with Index(index_folder, corpus=corpus) as index:
            with writer_lock(index.path):
                pass
            if job.kind == "add":
                state.done = 0
                request = job.request(folder)
                additions = index.add(
                    *request.addresses,
                    metadata=request.metadata,
                    text=request.text,
                    sent=request.files,
                    from_others=True,
                    limit=request.limit,
                    fetcher=fetcher,
                    seen=noting.seen,
                    progress=noting.progress,
                )
                state.files, state.report = _files(index, additions), _report(additions.report)
            else:
                state.report = _report(index.update(rebuild=job.kind == "rebuild", progress=noting.progress))
        state.state = "done"
    except IndexBusy:
        state.state, state.attempts, state.files = "waiting", state.attempts - 1, []
    except HtxError as error:
        state.state, state.error = "failed", both_languages(error.message)
    state.done = max(state.done, state.total) if state.state == "done" else state.done
    write_state(folder, state)


class _Noting:
    """Writes the progress of a job, now and then."""

    def __init__(self, folder: Path, state: JobState, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._state, self._clock = folder, state, clock
        self._due = 0.0
        self._seen = 0

    def seen(self, source: str) -> None:
        """Note the source that is read now; those before it are done."""
        self._state.done, self._state.current = self._seen, source[:200]
        self._seen += 1
        self._state.total = max(self._state.total, self._seen)
        self._write()

    def progress(self, done: int, total: int) -> None:
        """Note the bytes that the reindex has read, of so many."""
        self._state.done, self._state.current = self._state.total, ""
        self._state.percent = round(100 * done / total, 1) if total else None
        self._write()

    def _write(self) -> None:
        if self._clock() >= self._due:
            self._due = self._clock() + _EVERY_S
            write_state(self._folder, self._state)


# The outcome


def _files(index: "Index", additions: "Additions") -> list[dict[str, Any]]:
    """Return what became of each source: its outcome, the reason, and what was read."""
    from htxsearch.indexing.catalogue import read_catalogue

    unread = {one.path: one.reason for one in additions.report.rejected} if additions.report else {}
    doubtful = {one.path: one.reason for one in additions.report.doubtful} if additions.report else {}
    catalogue = read_catalogue(index.searcher().snapshot.engine) if index.exists() and additions.taken else {}
    found = []
    for file in additions.taken:
        ids = list(catalogue[file.path].articles) if file.path in catalogue else []
        parts = [
            (path, reason)
            for path, reason in unread.items()
            if path == file.path or path.startswith((f"{file.path}:", f"{file.path}/"))
        ]
        doubt = next((doubtful[one] for one in ids if one in doubtful), None)
        found.append(
            {
                "name": file.source,
                "outcome": "unread" if parts and not ids and file.how != "followed" else file.how,
                "reason": both_languages(parts[0][1]) if parts else both_languages(doubt) if doubt else None,
                "articles": [_article(index, one) for one in ids[:_MOST_ARTICLES]],
                "more": max(0, len(ids) - _MOST_ARTICLES),
            }
        )
    refused = (
        {"name": one.path, "outcome": "refused", "reason": both_languages(one.reason), "articles": [], "more": 0}
        for one in additions.refused
    )
    return [*found, *refused]


def _article(index: "Index", article_id: str) -> dict[str, Any]:
    article = index.show(article_id).article
    return {
        "article_id": article.id,
        "title": article.title,
        "date": article.date.isoformat() if article.date else None,
        "place": article.place,
        "source": article.source,
        "lead": " ".join(article.body[:_LEAD].split()),
        "pages": len(article.pages) or None,
        "ocr": article.ocr,
    }


def _report(report: "Report | None") -> dict[str, Any] | None:
    if report is None:
        return None
    counts: Mapping[str, Any] = {name: getattr(report, name) for name in ("added", "changed", "removed", "unchanged")}
    return {**counts, "took_s": round(report.took_s, 3), "rejected": _rejected(report.newly_rejected)}


def _rejected(rejected: Iterable[Any]) -> list[dict[str, Any]]:
    return [{"name": one.path, "reason": both_languages(one.reason)} for one in list(rejected)[:_MOST_REJECTED]]
