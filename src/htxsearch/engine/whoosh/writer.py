"""Write a batch of changes in one session of Whoosh, and merge segments."""

import math
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

from htxsearch.engine.contract import Document
from htxsearch.engine.whoosh.columns import columns_name
from htxsearch.engine.whoosh.postings import PostingsBuffer
from htxsearch.engine.whoosh.segment import Segment
from htxsearch.engine.whoosh.storage import (
    FIELD_PREFIX,
    NO_DATE,
    SEPARATOR,
    blob_name,
    latest_generation,
    mapped,
    pack_blob,
    pack_forward,
    read_contents,
    stale_files,
)
from htxsearch.errors import IndexBusy
from htxsearch.ingest.atomic_files import replace_file

__all__ = ["WhooshWriter", "mend", "sweep"]

_MERGE_FACTOR = 8
"""Segments of one order of size that are merged into one; a document is then rewritten about log8(n) times."""


_WHOLE = 250_000
"""Documents that are merged at once at most: a merge holds 3.5 KB of each."""


class WhooshWriter:
    """Collects a batch and writes it in one session of Whoosh.

    Guarantees one write per id and session; a failed document leaves no trace.
    """

    def __init__(self, folder: Path, index: Any, generation: int, committed: Callable[[], int]) -> None:
        """Write on top of the commit of that number.

        `committed` is called when a commit has become durable; it returns the number of the last one.
        """
        self._folder, self._index, self._generation, self._committed = folder, index, generation, committed
        self._changes: dict[str, Document | None] = {}

    def replace(self, document: Document) -> None:
        self._changes[document.id] = document

    def delete(self, article_id: str) -> None:
        self._changes[article_id] = None

    def commit(self, blobs: Mapping[str, bytes], *, is_last: bool = False) -> None:
        with mapped(self._folder, writing=True):
            from whoosh.index import LockError

            lock = self._index.lock("WRITELOCK")
            if not lock.acquire():
                raise LockError
            try:
                # Whoosh would keep the lock if it fails while it opens the session, so it is ours.
                self._session(blobs, is_last=is_last)
            finally:
                lock.release()
            self._changes.clear()
            sweep(self._folder)
        self._check_alone(self._committed() - 1)

    def _check_alone(self, generation: int) -> None:
        """Raise IndexBusy if another commit was made than this writer builds on.

        It was made by another process: the caller's lock keeps others away, but on some network file systems a lock means
        nothing. What the caller believes to be in the index may then be gone.
        """
        if generation != self._generation:
            raise IndexBusy("index.busy-engine", folder=str(self._folder))

    def _session(self, blobs: Mapping[str, bytes], *, is_last: bool) -> None:
        """Write everything in one session of Whoosh."""
        from htxsearch.engine.whoosh.codec import Codec

        writer = self._index.writer(limitmb=256, codec=Codec(), _lk=False)
        self._index.storage.before_commit = partial(_write_columns, writer)
        try:
            self._check_alone(writer.generation - 1)
            self._write(writer)
            for name, blob in blobs.items():
                with writer.storage.create_file(blob_name(name, writer.generation)) as file:
                    file.write(pack_blob(blob))
            writer.commit(mergetype=partial(_merge_tiers, self._folder, is_last))
        except BaseException:
            _abandon(writer)
            raise

    def _write(self, writer: Any) -> None:
        contents = read_contents(self._folder, writer.generation - 1)
        bases = accumulate((entry.size for entry in contents.segments), initial=0)
        for entry, base in zip(contents.segments, bases, strict=False):
            if entry.size:
                segment = Segment(self._folder, entry)
                for article_id in self._changes:
                    for article in segment.articles_called(article_id):
                        for doc in segment.run(article):
                            writer.delete_document(base + doc)
        for document in self._changes.values():
            if document is not None:
                _add(writer, document)


def _write_columns(writer: Any, toc: Path) -> None:
    """Write the columns that a commit's segments lack.

    Columns are written before the commit's table of contents, which lies at `toc`, is in place.
    """
    storage, folder = writer.storage, Path(writer.storage.folder)
    for entry in read_contents(folder, writer.generation, path=toc).segments:
        path = folder / columns_name(entry.name)
        if entry.size and not path.exists():
            is_new = entry.name == writer.newsegment.segment_id()
            packed = Segment(folder, entry).packed(writer.fieldwriter.written if is_new else None)
            with storage.create_file(path.name) as file:
                file.write(packed)


def mend(folder: Path, segments: Iterable[Segment]) -> None:
    """Write the columns that are missing or damaged. The caller is the only writer."""
    for segment in segments:
        if not segment.is_verified:
            path = folder / columns_name(segment.entry.name)
            if not segment.verify():
                packed = segment.packed()
                with suppress(OSError):  # it is in memory until there is a place for it on the disk
                    replace_file(path, [packed])
            segment.is_verified = True


def _abandon(writer: Any) -> None:
    """Cancel a session of Whoosh after an error."""
    if not writer.is_closed:
        with suppress(OSError):  # the disk is full or gone, as the error that led here says
            writer.cancel()


def _add(writer: Any, document: Document) -> None:
    """Add the run of Whoosh documents that is an article: itself, then its passages."""
    postings: PostingsBuffer = writer.fieldwriter
    postings.add_terms("title", writer.docnum, document.title.syllables)
    postings.add_terms("title_word", writer.docnum, document.title.words)
    spellings = [f"{FIELD_PREFIX[field]}{key}{SEPARATOR}{term}" for field, key, term in document.spellings]
    postings.add_terms("spelling", writer.docnum, spellings)
    postings.add_terms("fact_key", writer.docnum, sorted(document.fact_keys))
    for name in ("place", "source"):
        if value := getattr(document, name):
            postings.add_terms(name, writer.docnum, [value])
    writer.add_document(
        article=document.id,
        record=document.record,
        vector=document.vector,
        facts=document.facts,
        forward=pack_forward(document.title),
        ordinal=0,
        date=document.date.toordinal() if document.date else NO_DATE,
        length_title=len(document.title.syllables),
        length_title_word=len(document.title.words),
    )
    for number, terms in enumerate(document.passages, start=1):
        postings.add_terms("syllable", writer.docnum, terms.syllables)
        postings.add_terms("word", writer.docnum, terms.words)
        writer.add_document(
            forward=pack_forward(terms),
            ordinal=number,
            length_syllable=len(terms.syllables),
            length_word=len(terms.words),
        )


def _merge_tiers(folder: Path, is_last: bool, writer: Any, segments: list[Any]) -> list[Any]:
    """Merge segments by size; return the segments that stay.

    Eight segments of an order of size become a single segment, and half-dead segments are rewritten. Whoosh calls
    this as its merge policy. A document is rewritten about log8(n) times in all, and there are never more than 7 *
    log8(n) segments. When a run of batches ends and no segment has three quarters of the
    documents, all become one: then a document is rewritten four times in all.
    """
    from htxsearch.engine.whoosh.codec import merge_segment

    entries = {entry.name: entry for entry in read_contents(folder, writer.generation - 1).segments}
    scattered = is_last and _is_scattered([segment.doc_count() for segment in segments], writer.docnum)
    tiers: dict[int, list[Any]] = {}
    for segment in segments:
        dead = scattered or segment.deleted_count() * 2 > segment.doc_count_all()
        tiers.setdefault(-1 if dead else int(math.log(max(segment.doc_count(), 1), _MERGE_FACTOR)), []).append(segment)
    kept = []
    for tier, of_tier in tiers.items():
        if tier >= 0 and len(of_tier) < _MERGE_FACTOR:
            kept.extend(of_tier)
            continue
        for segment in of_tier:
            if segment.doc_count_all():
                old = Segment(folder, entries[segment.segment_id()])
                merge_segment(writer, segment, old.files(), old)
    return kept


def _is_scattered(segments: list[int], new: int) -> bool:
    """Return True if segments of these sizes, and the new one, are to become one.

    A term is then looked up once instead of in every segment, and its postings need not be copied.
    """
    sizes = [*segments, new]
    return len(sizes) > 2 and 4 * max(sizes) < 3 * sum(sizes) <= 3 * _WHOLE


def sweep(folder: Path) -> None:
    """Remove files that the last commit does not name.

    These are other commits' blobs and segments, and remains of sessions cut off. A file that cannot be removed is
    left to the next sweep; the caller is the only writer.
    """
    contents = read_contents(folder, latest_generation(folder))
    for name in stale_files(os.listdir(folder), contents):
        with suppress(OSError):
            (folder / name).unlink()
    for path in folder.glob("*.tmp"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
