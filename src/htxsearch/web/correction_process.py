"""Correction processes: each corrects, removes or restores one article.

A process of its own for the reasons of `addition_process`; those who add wait for it, as they hold the same locks. While
another process writes the index, a correction is made in the corpus, and a reindex in the queue takes it in.
"""

import asyncio
import pickle
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from htxsearch.errors import HtxError
from htxsearch.ingest.python_process import answer_of, given_by_parent, start_python
from htxsearch.web.index_thread import IndexThreadBusy

if TYPE_CHECKING:
    from htxsearch.index import Index

__all__ = ["Corrected", "Correction", "correct", "serve"]

_COMMAND = "from htxsearch.web.correction_process import serve; serve()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """An edit, removal or restoring of an article, and by whom.

    An edit has values, and the state that the editor saw.
    """

    what: Literal["edit", "remove", "restore"]
    article: str
    by: str
    fields: dict[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    seen: str | None = None


class Corrected(NamedTuple):
    """The id of a corrected article, and whether the index has yet to take that in."""

    article: str
    waits: bool


async def correct(index: str, corpus: str, correction: Correction, *, timeout_s: float) -> Corrected:
    """Return when the corpus has a correction, and the index if it is free.

    Raises UsageError, CorpusError, IndexBusy and the errors of `Index.update`; IndexThreadBusy if it takes too long.
    """
    process = start_python(_COMMAND)
    try:
        answer = await asyncio.to_thread(answer_of, process, (index, corpus, correction), timeout_s)
    except subprocess.TimeoutExpired:
        raise IndexThreadBusy("serve.correction-timeout", seconds=timeout_s) from None
    finally:
        process.kill()
    if not answer:
        raise HtxError("serve.correction-died", exit_code=process.returncode)
    outcome: Corrected | HtxError = pickle.loads(answer)
    if isinstance(outcome, HtxError):
        raise outcome
    return outcome


# In the process


def serve() -> None:
    """Make the correction that the parent gives, write the pickled outcome to stdout."""
    from htxsearch.index import Index
    from htxsearch.indexing.worker_process import LOW_PRIORITY, become_worker

    with become_worker(LOW_PRIORITY) as answers:  # somebody waits for it
        folder, corpus, correction = given_by_parent()
        outcome: Corrected | HtxError
        try:
            with Index(folder, corpus=corpus) as index:
                outcome = _corrected(index, correction)
        except HtxError as error:
            outcome = error
        answers.write(pickle.dumps(outcome))


def _corrected(index: "Index", correction: Correction) -> Corrected:
    """Make a correction. Raises as `correct`."""
    from htxsearch.indexing.trash import Trash

    if correction.what == "edit":
        given: dict[str, Any] = {"unset": correction.unset, "by": correction.by, "seen": correction.seen}
        edited = index.edit(correction.article, **given, **correction.fields)
        return Corrected(edited.article.id, edited.report is None)
    trash = Trash(index)
    if correction.what == "remove":
        removed = trash.remove(index.show(correction.article).article, correction.by)
    else:
        removed = trash.restore(correction.article, correction.by)
    return Corrected(removed.article_id, removed.waits)
