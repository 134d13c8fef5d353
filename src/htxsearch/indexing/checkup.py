"""Check an index and its corpus: read everything, write nothing.

Compared are every file with its checksum, the catalogue with the engine, and the corpus with the catalogue. A writer may be at
work meanwhile: then the index is looked at again, since its files change together.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from htxsearch.engine.contract import Engine, FileFault
from htxsearch.errors import CorpusError, IndexMissing
from htxsearch.errors.messages import Message, message
from htxsearch.facts.stored import unpack_facts
from htxsearch.indexing.catalogue import (
    CatalogueEntry,
    is_boilerplate_complete,
    read_catalogue,
    read_left_out,
    read_short_forms,
)
from htxsearch.indexing.embeddings import passage_keys
from htxsearch.indexing.encoder import MODEL
from htxsearch.indexing.feature_weights import read_feature_weights
from htxsearch.indexing.findings import CheckReport, Findings, Mend
from htxsearch.indexing.manifest import (
    FILES_OF_INDEX,
    KEPT_BY_OTHERS,
    MANIFEST,
    RECOGNISED,
    VECTORS_FOLDER,
    Manifest,
    is_being_written,
    read_manifest,
    stamp_of_manifest,
)
from htxsearch.indexing.progress import LAST_RUN
from htxsearch.indexing.records import StoredArticle
from htxsearch.indexing.reprints import read_groups, read_sketches
from htxsearch.indexing.run import Engines, plan
from htxsearch.indexing.update import Progress, article_fingerprint, unobserved
from htxsearch.indexing.vector_store import (
    POSITIONS,
    VECTORS,
    positions_are_sound,
    stored_keys,
)
from htxsearch.ingest.corpus import SourceFile, list_corpus
from htxsearch.ingest.metadata_files import METADATA_SUFFIX, metadata_file_of
from htxsearch.ingest.readers.ocr import is_kept_whole
from htxsearch.text.segmenter import segmenter_version

__all__ = ["CheckFiles", "check_index"]

CheckFiles = Callable[[Path, Callable[[int], None]], Iterator[FileFault]]
"""Yields the faults of the files of an engine's folder, and tells the bytes of each file read."""

_ATTEMPTS = 3
_BLOBS: tuple[Callable[[Engine], object], ...] = (
    is_boilerplate_complete,
    read_short_forms,
    read_left_out,
    read_sketches,
    read_groups,
    read_feature_weights,
)
"""What reads each part of a commit that is not an article."""


def check_index(
    index: Path,
    corpus: Path,
    engines: Engines,
    check_files: CheckFiles,
    progress: Progress | None = None,
) -> CheckReport:
    """Return what is wrong with an index and its corpus. Raises nothing of its own.

    `progress` is called with the bytes read and to read, about.
    """
    started = perf_counter()
    progress = progress or unobserved
    for attempt in range(1, _ATTEMPTS + 1):
        stamp = _stamp(index)
        is_written = (index / "writer.lock").exists() and is_being_written(index)
        findings = Findings(progress, _size_of(index) + _size_of(corpus))
        report = _Checkup(index, corpus, engines, check_files, findings, is_written=is_written).run()
        if _stamp(index) == stamp:
            break
        if attempt == _ATTEMPTS:  # what was found may be of no commit
            findings = Findings(progress)
            findings.add(index, message("check.changed-meanwhile"), Mend.CHECK_AGAIN)
    return replace(
        report,
        findings=findings.listed(index),
        files=findings.files,
        bytes=findings.bytes,
        took_s=perf_counter() - started,
    )


def _stamp(index: Path) -> tuple[object, ...]:
    """Return what changes with every commit and every new manifest."""
    try:
        tables = sorted(path.name for path in index.glob("data-*/*.toc"))
    except OSError:
        tables = []
    return stamp_of_manifest(index), tables


def _size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder that can be looked at."""
    total = 0
    for inside, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(inside, name)).st_size
            except OSError:
                continue
    return total


class _Checkup:
    """One look at an index and its corpus."""

    def __init__(
        self, index: Path, corpus: Path, engines: Engines, check_files: CheckFiles, findings: Findings, *, is_written: bool
    ) -> None:
        self._index, self._corpus = index, corpus
        self._engines, self._check_files = engines, check_files
        self._findings = findings
        self._is_written = is_written
        self._catalogue: Mapping[str, CatalogueEntry] | None = None
        self._report = CheckReport(is_being_written=is_written)

    def run(self) -> CheckReport:
        """Check everything."""
        manifest = None
        with self._findings.step(self._index / MANIFEST, Mend.REBUILD):
            manifest = read_manifest(self._index)
            self._check_manifest(manifest)
        if manifest is not None:
            with self._findings.step(self._index / manifest.data, Mend.REBUILD):
                self._check_data(manifest)
        with self._findings.step(self._index, Mend.REBUILD):
            self._check_left_over(manifest)
        with self._findings.step(self._index / RECOGNISED, Mend.REBUILD):
            self._check_recognised()
        with self._findings.step(self._corpus, Mend.REINDEX):
            self._check_corpus()
        return self._report

    # The index

    def _check_manifest(self, manifest: Manifest) -> None:
        file = self._index / MANIFEST
        if manifest.segmenter != segmenter_version():
            versions = {"built": manifest.segmenter, "installed": segmenter_version()}
            self._findings.add(file, message("index.other-segmenter", index=self._index, **versions), Mend.REBUILD)
        if not manifest.complete and not self._is_written:
            self._findings.add(file, message("check.incomplete"), Mend.REINDEX)

    def _check_left_over(self, manifest: Manifest | None) -> None:
        """Find what lies in the index folder and belongs to nothing."""
        if self._is_written or manifest is None:  # who writes has files that come and go
            return
        known = {*FILES_OF_INDEX, *KEPT_BY_OTHERS, LAST_RUN, manifest.data, VECTORS_FOLDER, RECOGNISED}
        for path in sorted(self._index.iterdir()):
            if path.name not in known:
                swept = path.name.startswith("data-") or path.name == "progress.json"
                self._left_over(path, Mend.REINDEX if swept else Mend.remove(path))
        folder = self._index / VECTORS_FOLDER
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.name not in (VECTORS, POSITIONS):
                self._left_over(path, Mend.remove(path))

    def _left_over(self, path: Path, mend: Message) -> None:
        self._findings.add(path, message("check.left-over"), mend)

    def _check_data(self, manifest: Manifest) -> None:
        """Check the files of the last commit, then what they say."""
        folder = self._index / manifest.data
        is_readable = True
        try:
            for fault in self._check_files(folder, self._findings.read):
                is_readable = is_readable and fault.kind not in ("damaged", "missing")
                self._add_fault(folder, fault)
        except IndexMissing:
            self._findings.add(folder, message("index.no-contents", folder=str(folder)), Mend.REBUILD)
            return
        if not is_readable:  # what it says would be the same faults again
            return
        engine = self._engines(folder)
        try:
            self._check_contents(engine, manifest, folder)
        finally:
            engine.close()

    def _add_fault(self, folder: Path, fault: FileFault) -> None:
        path = folder / fault.name
        if fault.kind == "columns":
            self._findings.add(path, message("check.columns-damaged"), Mend.REINDEX)
        elif fault.kind == "missing":
            self._findings.add(path, message("check.missing"), Mend.REBUILD)
        elif fault.kind in ("stale", "unknown"):
            if not self._is_written:
                self._left_over(path, Mend.REINDEX if fault.kind == "stale" else Mend.remove(path))
        elif fault.error is None or fault.error.code == "index.damaged-file":  # whose message names the file again
            self._findings.add(path, message("check.damaged"), Mend.REBUILD)
        else:
            self._findings.add_error(path, fault.error, Mend.REBUILD)

    def _check_contents(self, engine: Engine, manifest: Manifest, folder: Path) -> None:
        """Check what an engine holds: counts, parts, articles, vectors."""
        counts = engine.counts()
        self._report = replace(self._report, generation=engine.generation, articles=counts.articles, passages=counts.passages)
        noted = (manifest.articles, manifest.passages)
        if manifest.complete and noted != (counts.articles, counts.passages):
            problem = message("check.counts", noted=manifest.articles, articles=counts.articles)
            self._findings.add(self._index / MANIFEST, problem, Mend.REINDEX)
        for read in _BLOBS:
            with self._findings.step(folder, Mend.REBUILD):
                read(engine)
        with self._findings.step(folder, Mend.REBUILD):
            self._catalogue = read_catalogue(engine)
            self._check_articles(engine, self._catalogue, folder)
        with self._findings.step(folder, Mend.REBUILD):
            for _ in engine.vectors():
                pass
        with self._findings.step(self._index / VECTORS_FOLDER, Mend.SEMANTIC):
            self._check_vectors(engine)

    def _check_articles(self, engine: Engine, catalogue: Mapping[str, CatalogueEntry], folder: Path) -> None:
        """Compare the catalogue with the engine: the same ids, the same texts."""
        fingerprints = {one: entry.fingerprint_of(one) for entry in catalogue.values() for one in entry.articles}
        ids = engine.article_ids()
        if len(set(ids)) != len(ids):
            self._findings.add(folder, message("check.doubled", count=len(ids) - len(set(ids))), Mend.REBUILD)
        for code, differing in (
            ("check.not-in-engine", sorted(fingerprints.keys() - set(ids))),
            ("check.not-in-catalogue", sorted(set(ids) - fingerprints.keys())),
        ):
            if differing:
                self._findings.add(folder, Message(code, {"count": len(differing), "id": differing[0]}), Mend.REBUILD)
        for article_id in sorted(fingerprints.keys() & set(ids)):
            with self._findings.step(folder, Mend.REBUILD):
                [record] = engine.records([article_id])
                stored = StoredArticle.from_json(article_id, record or "")
                if article_fingerprint(stored.article) != fingerprints[article_id]:
                    self._findings.add(folder, message("check.article-differs", id=article_id), Mend.REBUILD)
                unpack_facts(engine.facts_of([article_id])[0])

    # Beside the engine

    def _check_vectors(self, engine: Engine) -> None:
        """Compare the vectors with their checksums, and with the passages."""
        file, positions = (self._index / VECTORS_FOLDER / name for name in (VECTORS, POSITIONS))
        if not file.exists():
            return
        keys, damaged = stored_keys(self._index, MODEL)
        self._findings.read(file.stat().st_size)
        if keys is None:
            self._findings.add(file, message("check.vectors-foreign"), Mend.SEMANTIC)
            return
        self._report = replace(self._report, vectors=len(keys))
        if damaged and not self._is_written:
            self._findings.add(file, message("check.vectors-damaged", count=damaged), Mend.SEMANTIC)
        if not positions_are_sound(self._index):
            self._findings.add(positions, message("check.positions-damaged"), Mend.SEMANTIC)
        lacking = sum(passage.key not in keys for passage in passage_keys(engine))
        if lacking and not self._is_written:
            self._findings.add(file, message("check.vectors-lacking", count=lacking), Mend.SEMANTIC)

    def _check_recognised(self) -> None:
        """Compare the kept text of scanned pages with its checksums and the catalogue."""
        folder = self._index / RECOGNISED
        if not folder.is_dir():
            return
        known = None if self._catalogue is None else {scan for one in self._catalogue.values() for scan in one.scans}
        for path in sorted(folder.iterdir()):
            self._findings.read(path.stat().st_size)
            if path.suffix != ".json":
                if not self._is_written:
                    self._left_over(path, Mend.remove(path))
            elif not is_kept_whole(path):
                self._findings.add(path, message("check.damaged"), Mend.remove(path))
            elif known is not None and not self._is_written and path.name.partition("-")[0] not in known:
                self._left_over(path, Mend.REINDEX)

    # The corpus

    def _check_corpus(self) -> None:
        """Compare the corpus with the catalogue, and metadata files with their articles."""
        sources, _, _, _ = list_corpus(self._corpus)
        self._check_metadata_files()
        if self._catalogue is None:
            return
        for source in sources:
            with self._findings.step(source.file, Mend.REINDEX):
                self._check_source(source, self._catalogue.get(source.path, CatalogueEntry()))
        planned = plan(self._index, self._corpus, self._engines)
        if planned.refusal is not None:
            refused = CorpusError(planned.refusal.code, **planned.refusal.fields)
            self._findings.add_error(self._corpus, refused, Mend.REINDEX)
        for code, ids in (
            ("check.corpus-new", planned.added),
            ("check.corpus-changed", planned.changed),
            ("check.corpus-gone", planned.removed),
        ):
            if ids:
                self._findings.add(self._corpus, Message(code, {"count": len(ids), "id": min(ids)}), Mend.REINDEX)
        self._check_rejected({one.path for one in planned.rejected})

    def _check_rejected(self, rejected: set[str]) -> None:
        """Find files that cannot be read and that the last reindex did not know."""
        engine = self._engines(self._index / read_manifest(self._index).data)
        try:
            new = rejected - {one.path for one in read_left_out(engine).rejected}
        finally:
            engine.close()
        if new:
            problem = message("check.corpus-rejected", count=len(new), path=min(new))
            self._findings.add(self._corpus, problem, Mend.REINDEX)

    def _check_source(self, source: SourceFile, entry: CatalogueEntry) -> None:
        """Find a file whose content changed while its size and times did not."""
        state, digest = source.state(), source.digest()
        self._findings.read(state.size)
        is_known = entry.digest and state.signature and state.signature == entry.stamp
        if is_known and digest != entry.digest:
            self._findings.add(source.file, message("check.changed-in-silence"), Mend.REBUILD)

    def _check_metadata_files(self) -> None:
        """Find metadata files whose article is gone."""
        for inside, folders, names in os.walk(self._corpus):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            used = {metadata_file_of(Path(name)).name for name in names}
            for name in sorted({*names} - used):
                if name.endswith(METADATA_SUFFIX) and not name.startswith("."):
                    path = Path(inside, name)
                    shown = os.fsencode(name.removesuffix(METADATA_SUFFIX)).decode("utf-8", "replace")
                    self._findings.add(path, message("check.without-article", name=shown), Mend.remove(path))
