"""Run a reindex in an index folder, or plan one: locks, manifest, data folder.

`update` does the work in an engine; here is what makes it safe: one writer, the corpus that the index was made from, a manifest
that says whether the run was finished, and a rebuild that replaces the old index only at its end, if most of it is not lost.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Literal, Protocol

from htxsearch.engine.contract import Engine
from htxsearch.engine.memory import MemoryEngine
from htxsearch.errors import CorpusError, HtxError, IndexMissing, IndexOutdated, UsageError
from htxsearch.indexing.arrivals import ArrivalTable, read_arrivals
from htxsearch.indexing.catalogue import Plan, Report, read_catalogue
from htxsearch.indexing.manifest import (
    RECOGNISED,
    Manifest,
    articles_noted,
    check_apart,
    check_made_from,
    data_noted,
    exists,
    new_data_folder,
    read_manifest,
    sweep,
    with_corpus,
    write_manifest,
    writer_lock,
)
from htxsearch.indexing.progress import ProgressFile, note_run
from htxsearch.indexing.removals import are_many
from htxsearch.indexing.update import Progress, check_rebuild, planned, reindex, unobserved
from htxsearch.indexing.worker_process import LOW_PRIORITY, NORMAL_PRIORITY
from htxsearch.indexing.workers import DocumentWorkers, default_workers
from htxsearch.ingest.corpus import check_corpus
from htxsearch.ingest.readers.ocr import keep_only
from htxsearch.text.segmenter import segmenter_version

__all__ = ["DocumentWorkers", "Engines", "Priority", "UpdateOptions", "niceness_of", "plan", "update"]

Priority = Literal["low", "normal"]
_NICENESS: dict[str, int] = {"low": LOW_PRIORITY, "normal": NORMAL_PRIORITY}


class Engines(Protocol):
    """Opens the engine in a data folder, or makes one there."""

    def __call__(self, folder: Path, *, create: bool = False) -> Engine:
        """Return the engine. Raises IndexDamaged if there is none to open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateOptions:
    """The options of `Index.update`, which describes them."""

    batch: int
    rebuild: bool = False
    workers: int | DocumentWorkers | None = None
    progress: Progress | None = None
    allow_removals: bool = False
    allow_other_corpus: bool = False
    priority: Priority = "low"


def niceness_of(priority: str) -> int:
    """Return the niceness of a priority. Raises UsageError if it is none."""
    if priority not in _NICENESS:
        raise UsageError("option.priority", priority=priority, known=list(_NICENESS))
    return _NICENESS[priority]


def update(
    index: Path,
    corpus: Path,
    engines: Engines,
    options: UpdateOptions,
    *,
    distribution: str,
    address: str = "",
    publish: Callable[[Manifest], None] = lambda _: None,
) -> Report:
    """Bring an index in line with a corpus; see `Index.update` for what it raises.

    `distribution` is what the manifest names as the engine, `address` the cluster that has the data; `publish` makes a manifest
    known there, before the folder has it.
    """
    workers = default_workers() if options.workers is None else options.workers
    niceness = niceness_of(options.priority)
    if isinstance(workers, int) and workers < 1:
        raise UsageError("option.workers", workers=workers)
    started = perf_counter()
    check_corpus(corpus, not_empty=options.rebuild and exists(index) and not options.allow_removals)
    check_apart(index, corpus)
    with writer_lock(index):
        manifest = _manifest_to_update(index, rebuild=options.rebuild)
        if not options.allow_other_corpus:
            check_made_from(index, corpus)
        is_guarded = options.rebuild and not options.allow_removals
        former = _unguarded_articles(index, corpus, engines) if is_guarded else 0
        fresh = manifest is None
        arrived = _arrivals_of(index, engines) if fresh and exists(index) else None
        noted = with_corpus(
            manifest or Manifest(data=new_data_folder(), engine=distribution, segmenter=segmenter_version()), index, corpus
        )
        noted = replace(noted, address=address)
        engine = engines(index / noted.data, create=fresh)
        is_beside_former = fresh and exists(index)
        if not is_beside_former:
            write_manifest(index, replace(noted, complete=False))
        progress_file = ProgressFile(index)
        is_refused = False
        try:
            report = reindex(
                engine,
                corpus,
                workers,
                batch=options.batch,
                progress=options.progress or unobserved,
                files_done=progress_file.report,
                allow_removals=options.allow_removals,
                niceness=niceness,
                recognised=index / RECOGNISED,
                arrived=arrived,
            )
            counts = engine.counts()
            _check_articles(former, counts.articles, corpus)
            _sweep_recognised(index / RECOGNISED, engine)
        except CorpusError:  # nothing was changed
            if manifest is not None:
                write_manifest(index, manifest)
            is_refused = True
            raise
        finally:
            engine.close()
            progress_file.remove()
            if is_beside_former and is_refused:
                shutil.rmtree(index / noted.data, ignore_errors=True)
        finished = replace(noted, complete=True, articles=counts.articles, passages=counts.passages)
        publish(finished)
        write_manifest(index, finished)
        sweep(index, finished)
        took_s = perf_counter() - started
        note_run(index, took_s)
    return replace(report, took_s=took_s)


def _sweep_recognised(folder: Path, engine: Engine) -> None:
    """Remove the text of scanned pages that no file of the catalogue has any more."""
    if folder.is_dir():
        keep_only(folder, {scan for entry in read_catalogue(engine).values() for scan in entry.scans})


def plan(
    index: Path,
    corpus: Path,
    engines: Engines,
    *,
    rebuild: bool = False,
    allow_removals: bool = False,
    allow_other_corpus: bool = False,
) -> Plan:
    """Return what `update` would do; it writes nothing and takes no lock.

    Its refusal is what `update` would refuse. Raises CorpusError, IndexOutdated, IndexDamaged, IndexNotReadable, UsageError.
    """
    check_corpus(corpus)
    check_apart(index, corpus)
    manifest = _manifest_to_update(index, rebuild=rebuild)
    engine = engines(index / manifest.data) if manifest else MemoryEngine()
    try:
        outcome = planned(engine, corpus, recognised=index / RECOGNISED, allow_removals=allow_removals)
    finally:
        engine.close()
    try:
        if not allow_other_corpus:
            check_made_from(index, corpus)
        if rebuild and not allow_removals:
            _check_articles(_unguarded_articles(index, corpus, engines), len(outcome.added), corpus)
    except CorpusError as error:
        return replace(outcome, refusal=error.message)
    return outcome


def _unguarded_articles(index: Path, corpus: Path, engines: Engines) -> int:
    """Refuse a rebuild that would lose most of the old index, by its catalogue.

    Of an index that cannot be opened, return how many articles it had, to be compared at the end; otherwise, or if that is not
    known, return 0. Raises CorpusError.
    """
    try:
        engine = engines(index / read_manifest(index).data)
        try:
            check_rebuild(engine, corpus, recognised=index / RECOGNISED)
        finally:
            engine.close()
    except CorpusError:
        raise
    except (HtxError, OSError, ValueError, TypeError, KeyError):  # none, of another format, or damaged: what the rebuild is for
        return articles_noted(index)
    return 0


def _arrivals_of(index: Path, engines: Engines) -> ArrivalTable | None:
    """Return when the articles of the old index entered it; none if it cannot be read."""
    try:
        engine = engines(index / (data_noted(index) or read_manifest(index).data))
        try:
            return read_arrivals(engine)
        finally:
            engine.close()
    except (HtxError, OSError, ValueError, TypeError, KeyError):  # damaged, or of a form that is no more
        return None


def _check_articles(former: int, articles: int, corpus: Path) -> None:
    """Raise CorpusError if a rebuilt index has far fewer articles than the former."""
    if are_many(former - articles, former, is_empty=not articles):
        raise CorpusError("corpus.many-fewer", before=former, now=articles, corpus=str(corpus))


def _manifest_to_update(index: Path, *, rebuild: bool) -> Manifest | None:
    """Return the manifest of the index to bring up to date, None for a new one."""
    try:
        manifest = None if rebuild else read_manifest(index)
    except IndexMissing:
        return None
    if manifest and manifest.segmenter != segmenter_version():
        raise IndexOutdated("index.other-segmenter", index=index, built=manifest.segmenter, installed=segmenter_version())
    return manifest
