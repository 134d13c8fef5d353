"""Correction processes: each corrects, removes or restores one article.

A process of its own for the reasons of `addition_process`; those who add wait for it, as they hold the same locks.
"""

import asyncio
import pickle
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from htxsearch.errors import HtxError
from htxsearch.ingest.python_process import answer_of, given_by_parent, start_python
from htxsearch.web.index_thread import IndexThreadBusy

if TYPE_CHECKING:
    from htxsearch.index import Index

__all__ = ["Correction", "correct", "serve"]

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


async def correct(index: str, corpus: str, correction: Correction, *, timeout_s: float) -> str:
    """Return the id of the article when the index has the correction.

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
    outcome: str | HtxError = pickle.loads(answer)
    if isinstance(outcome, HtxError):
        raise outcome
    return outcome


# In the process


def serve() -> None:
    """Make the correction that the parent gives, write the pickled outcome to stdout."""
    from htxsearch.index import Index
    from htxsearch.indexing.workers import BACKGROUND_PRIORITY, become_worker

    with become_worker(BACKGROUND_PRIORITY) as answers:
        folder, corpus, correction = given_by_parent()
        outcome: str | HtxError
        try:
            with Index(folder, corpus=corpus) as index:
                outcome = _corrected(index, correction)
        except HtxError as error:
            outcome = error
        answers.write(pickle.dumps(outcome))


def _corrected(index: "Index", correction: Correction) -> str:
    """Return the id of the article after a correction.

    Raises IndexBusy before anything is written, else as `correct`.
    """
    from htxsearch.indexing.manifest import writer_lock
    from htxsearch.indexing.trash import Trash

    with writer_lock(index.path):
        pass
    if correction.what == "restore":
        return Trash(index).restore(correction.article, correction.by).article_id
    if correction.what == "remove":
        return Trash(index).remove(index.show(correction.article).article, correction.by).article_id
    edited = index.edit(correction.article, unset=correction.unset, by=correction.by, seen=correction.seen, **correction.fields)
    return edited.article.id
