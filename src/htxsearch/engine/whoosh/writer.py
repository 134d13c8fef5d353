"""Writing: a batch of changes in one Whoosh session, and the merging of segments."""

import math
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from typing import Any

from htxsearch.engine.contract import Document
from htxsearch.engine.whoosh.columns import columns_name
from htxsearch.engine.whoosh.pool import PostingsBuffer
from htxsearch.engine.whoosh.segment import Segment
from htxsearch.engine.whoosh.storage import (
    MARK,
    NO_DATE,
    SEPARATOR,
    blob_name,
    mapped,
    pack_blob,
    pack_forward,
)
from htxsearch.engine.whoosh.toc import SegmentEntry, read_contents
from htxsearch.ingest.atomic_files import replace_file

__all__ = ["WhooshWriter", "mend", "sweep"]

_MERGE_FACTOR = 8
"""How many segments of one size are merged into one; a commit then rewrites a document about log8(n) times."""


class WhooshWriter:
    """Collects a batch and hands it to Whoosh in one session.

    So no id is written twice in a session, and a document that cannot be written leaves nothing.
    """

    def __init__(self, folder: Path, index: Any, committed: Callable[[], None]) -> None:
        """`committed` is called when a commit has become durable."""
        self._folder, self._index, self._committed = folder, index, committed
        self._changes: dict[str, Document | None] = {}

    def replace(self, document: Document) -> None:
        self._changes[document.id] = document

    def delete(self, article_id: str) -> None:
        self._changes[article_id] = None

    def commit(self, blobs: Mapping[str, bytes]) -> None:
        with mapped(self._folder, writing=True):
            from whoosh.index import LockError

            lock = self._index.lock("WRITELOCK")
            if not lock.acquire():
                raise LockError
            try:
                # Whoosh would keep the lock if it fails while it opens the session, so it is ours.
                self._session(blobs)
            finally:
                lock.release()
            self._changes.clear()
            sweep(self._folder, self._index)
        self._committed()

    def _session(self, blobs: Mapping[str, bytes]) -> None:
        """Write everything in one Whoosh session."""
        writer = self._index.writer(limitmb=256, _lk=False)
        # Our fields have no lengths of Whoosh's kind, yet it would look for their file at every posting.
        writer.codec.length_stats = False
        pool = PostingsBuffer(writer)
        try:
            self._write(writer, pool)
            for name, blob in blobs.items():
                with writer.storage.create_file(blob_name(name, writer.generation)) as file:
                    file.write(pack_blob(blob))
            _with_sidecars(writer)
            writer.commit(mergetype=_merge_tiers)
        except BaseException:
            _abandon(writer)
            raise

    def _write(self, writer: Any, pool: PostingsBuffer) -> None:
        contents = read_contents(self._folder, writer.generation - 1)
        for entry, base in zip(contents.segments, accumulate((one.size for one in contents.segments), initial=0), strict=False):
            if entry.size:
                segment = Segment(self._folder, entry)
                for article_id in self._changes:
                    for article in segment.articles_called(article_id):
                        for doc in segment.run(article):
                            writer.delete_document(base + doc)
        for document in self._changes.values():
            if document is not None:
                _add(writer, pool, document)


def _with_sidecars(writer: Any) -> None:
    """Have Whoosh's writer write the sidecars of its new segments before the table of contents that names them."""
    write_contents = writer._commit_toc

    def commit(segments: list[Any]) -> None:
        for one in segments:
            entry = SegmentEntry(one.segment_id(), one.doc_count_all(), frozenset(one.deleted_docs()))
            path = Path(writer.storage.folder, columns_name(entry.name))
            if entry.size and not path.exists():
                packed = Segment(path.parent, entry).packed()
                with writer.storage.create_file(path.name) as file:
                    file.write(packed)
        write_contents(segments)

    writer._commit_toc = commit


def mend(folder: Path, segments: Iterable[Segment]) -> None:
    """Write the sidecars that are missing or damaged. The caller is the only writer."""
    for segment in segments:
        if not segment.is_verified:
            path = folder / columns_name(segment.entry.name)
            if not segment.verify():
                packed = segment.packed()
                with suppress(OSError):  # it is in memory until there is a place for it on the disk
                    replace_file(path, [packed])
            segment.is_verified = True


def _abandon(writer: Any) -> None:
    """Give up a Whoosh session after an error."""
    if not writer.is_closed:
        with suppress(OSError):  # the disk is full or gone, as the error that led here says
            writer.cancel()


def _add(writer: Any, pool: PostingsBuffer, document: Document) -> None:
    """Add the run of Whoosh documents that one article is: itself, then its passages."""
    pool.add_terms("title", writer.docnum, document.title.syllables)
    pool.add_terms("title_word", writer.docnum, document.title.words)
    spellings = [f"{MARK[field]}{key}{SEPARATOR}{term}" for field, key, term in document.spellings]
    pool.add_terms("spelling", writer.docnum, spellings)
    for name in ("place", "source"):
        if value := getattr(document, name):
            pool.add_terms(name, writer.docnum, [value])
    writer.add_document(
        article=document.id,
        record=document.record,
        vector=document.vector,
        forward=pack_forward(document.title),
        ordinal=0,
        date=document.date.toordinal() if document.date else NO_DATE,
        length_title=len(document.title.syllables),
        length_title_word=len(document.title.words),
    )
    for number, terms in enumerate(document.passages, start=1):
        pool.add_terms("syllable", writer.docnum, terms.syllables)
        pool.add_terms("word", writer.docnum, terms.words)
        writer.add_document(
            forward=pack_forward(terms),
            ordinal=number,
            length_syllable=len(terms.syllables),
            length_word=len(terms.words),
        )


def _merge_tiers(writer: Any, segments: list[Any]) -> list[Any]:
    """Whoosh merge policy: eight segments of one order of size become one; half-dead ones are rewritten.

    A document is rewritten about log8(n) times in all, and there are never more than 7 * log8(n) segments.
    """
    from whoosh.reading import SegmentReader

    tiers: dict[int, list[Any]] = {}
    for segment in segments:
        dead = segment.deleted_count() * 2 > segment.doc_count_all()
        tiers.setdefault(-1 if dead else int(math.log(max(segment.doc_count(), 1), _MERGE_FACTOR)), []).append(segment)
    kept = []
    for tier, some in tiers.items():
        if tier >= 0 and len(some) < _MERGE_FACTOR:
            kept.extend(some)
            continue
        for segment in some:
            writer.add_reader(SegmentReader(writer.storage, writer.schema, segment))
    return kept


def sweep(folder: Path, index: Any) -> None:
    """Remove what the last commit does not name: other commits' blobs and segments, what broken-off ones left.

    What resists is left to the next sweep; the caller is the only writer.
    """
    from whoosh.index import clean_files

    toc = index._read_toc()
    clean_files(index.storage, index.indexname, toc.generation, toc.segments)
    for path in folder.iterdir():
        stale_blob = path.suffix == ".blob" and not path.stem.endswith(f"-{toc.generation}")
        with suppress(OSError):
            if stale_blob or ".toc." in path.name or path.name.endswith(".imp.tmp"):
                path.unlink()
            elif path.name.endswith(".tmp") and path.is_dir():
                shutil.rmtree(path)
