"""Bring an index in line with the corpus folder.

New and changed articles are indexed, those that are gone are deleted.

Work is committed in batches. Each commit carries the catalogue of exactly its content. Hence a run
cut off anywhere leaves a state that answers queries, and the next run goes on from there. Workers may
analyse ahead of that; the articles indexed, their order and the counts do not depend on them.

Long, since a run and its rehearsals are one: they compare, refuse and count the same.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path

from htxsearch.engine.contract import Engine, Writer
from htxsearch.errors import CorpusError
from htxsearch.errors.messages import message
from htxsearch.indexing.arrivals import Arrivals, ArrivalTable
from htxsearch.indexing.catalogue import (
    CatalogueEntry,
    LeftOut,
    Plan,
    Report,
    blobs,
    is_boilerplate_complete,
    read_catalogue,
    read_left_out,
)
from htxsearch.indexing.documents import Analysed, document_of, flags_of
from htxsearch.indexing.feature_weights import WeightsOfRun
from htxsearch.indexing.records import StoredArticle
from htxsearch.indexing.removals import Removals
from htxsearch.indexing.reprints import read_sketches, sketch
from htxsearch.indexing.worker_process import LOW_PRIORITY
from htxsearch.indexing.workers import (
    DocumentSource,
    DocumentWorkers,
    MakeDocument,
    ReadAheadSource,
    ReadOutcome,
    SequentialSource,
    worth_workers,
)
from htxsearch.ingest.article import Article, Doubtful, Rejected, Unchanged
from htxsearch.ingest.corpus import SourceFile, articles_of, lines_for_counting, list_corpus
from htxsearch.ingest.doubts import doubts_of, lacks_recognition, may_be_read_later
from htxsearch.ingest.readers.ocr import Recogniser, recogniser, recognising
from htxsearch.ingest.site_boilerplate import LineCounts, boilerplate_fingerprint, learned_boilerplate, line_counts
from htxsearch.text.abbreviations import learn

__all__ = ["FilesDone", "Progress", "article_fingerprint", "check_rebuild", "planned", "reindex", "unobserved"]

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes to do; only files that changed count."""

FilesDone = Callable[[int, int, float], None]
"""Called with the numbers of files read and to read, and the percentage of bytes."""


def unobserved(_done: int, _total: int) -> None:
    """Ignore the progress."""


@dataclass(frozen=True, slots=True)
class _FileState:
    """A file as it is now; an empty digest means that it cannot be read."""

    source: SourceFile
    digest: str = ""
    stamp: str = ""
    size: int = 0


class _Boilerplate:
    """The lines that repeat in each source, learned from the lines of all its files.

    `complete` is True if every file was read with the lines known now; a commit in between holds only some of them, so
    a run that is cut off leaves it False, and the next one looks at every source.
    """

    def __init__(self, files: Mapping[str, CatalogueEntry], *, complete: bool) -> None:
        self.complete = complete
        self._counts = {path: LineCounts(entry.source, entry.blocks) for path, entry in files.items() if entry.blocks}
        self._repeating: dict[str, frozenset[str]] = {}

    def counts(self, path: str) -> LineCounts:
        """Return how a file's lines are counted."""
        return self._counts.get(path, LineCounts())

    def repeating(self, path: str) -> Set[str]:
        """Return the hashes of the lines that repeat in a file's source."""
        return self._repeating.get(self.counts(path).source, frozenset())

    def fingerprint(self, path: str) -> str:
        """Return a fingerprint of the boilerplate lines of a file.

        If it changes, the file must be read again.
        """
        return boilerplate_fingerprint(self.counts(path), self.repeating(path))

    def relearn(self, changed: Sequence[_FileState], gone: Iterable[str]) -> Set[str]:
        """Learn the boilerplate again; return the sources affected.

        The lines of changed files are counted again, and files that are gone are forgotten.
        """
        before = {path: self.counts(path) for path in (*gone, *(state.source.path for state in changed))}
        for path in before:
            self._counts.pop(path, None)
        for state in changed:
            self._counts[state.source.path] = line_counts(*lines_for_counting(state.source))
        sources = {counts.source for path, old in before.items() for counts in (old, self.counts(path)) if counts.blocks}
        if not self.complete:
            sources = {counts.source for counts in self._counts.values() if counts.blocks}
        self._repeating = learned_boilerplate(self._counts, sources)
        self.complete = self.complete and not before
        return sources


class _Committer:
    """Sends documents and deletions to the engine in batches.

    Each batch has the catalogue of exactly the files it holds.
    """

    def __init__(
        self,
        engine: Engine,
        files: Mapping[str, CatalogueEntry],
        boilerplate: _Boilerplate,
        *,
        batch: int,
        arrived: ArrivalTable | None = None,
    ) -> None:
        self._engine, self._files, self._boilerplate = engine, files, boilerplate
        self._batch = batch
        self._writer: Writer = engine.writer()
        self._sketches = read_sketches(engine)
        self._weights = WeightsOfRun(engine)
        self._arrivals = Arrivals(engine, arrived)
        self._records: dict[str, str] = {}  # of the articles that are not committed yet
        self.unsaved = False
        """Whether anything, if only the catalogue, is not committed yet."""

    def prepare(self) -> None:
        """Begin what the last commit needs, beside workers."""
        self._weights.prepare()

    def replace(self, make_document: MakeDocument) -> None:
        """Add an article, in place of any of the same id."""
        document = make_document()
        self._writer.replace(document)
        self._sketches.put(document.id, sketch(document.passages))
        self._records[document.id] = document.record
        self._weights.put(document.id, document.vector)
        self._arrivals.put(document)
        self.unsaved = True

    def delete(self, article_id: str) -> None:
        """Remove an article."""
        self._writer.delete(article_id)
        self._sketches.drop(article_id)
        self._weights.drop(article_id)
        self._arrivals.drop(article_id)
        self.unsaved = True

    def commit_full_batch(self, left_out: LeftOut) -> None:
        """Commit if there are as many new articles as a batch has."""
        if len(self._records) >= self._batch:
            self.commit(left_out)

    def commit(self, left_out: LeftOut, *, is_last: bool = False) -> None:
        """Commit all changes, the catalogue and the sketches, in the end with the weights."""
        catalogue = blobs(self._files, left_out, settled=self._boilerplate.complete)
        stored = catalogue | self._sketches.blobs(self._body) | self._weights.blobs(is_last=is_last)
        stored |= self._arrivals.blobs()
        self._writer.commit(stored, is_last=is_last)
        self._records.clear()
        self._writer = self._engine.writer()
        self.unsaved = False

    def _body(self, article_id: str) -> str:
        record = self._records.get(article_id) or self._engine.records([article_id])[0]
        return StoredArticle.from_json(article_id, record or "").article.body


class _Rehearsal(_Committer):
    """Takes documents and deletions, and makes and writes nothing."""

    def __init__(self) -> None:
        self.unsaved = False

    def replace(self, make_document: MakeDocument) -> None:
        pass

    def delete(self, article_id: str) -> None:
        pass

    def commit_full_batch(self, left_out: LeftOut) -> None:
        pass

    def commit(self, left_out: LeftOut, *, is_last: bool = False) -> None:
        pass


class _Update:
    """A reindex: compares the corpus with the catalogue, and commits the difference."""

    def __init__(
        self,
        engine: Engine,
        *,
        batch: int = 1,
        workers: int | DocumentWorkers = 1,
        niceness: int = 0,
        progress: Progress = unobserved,
        files_done: FilesDone = lambda *_: None,
        rehearsal: bool = False,
        arrived: ArrivalTable | None = None,
    ) -> None:
        self._engine = engine
        self._workers, self._niceness = workers, niceness
        self._progress, self._report_files = progress, files_done
        self._files = read_catalogue(engine)
        self._boilerplate = _Boilerplate(self._files, complete=is_boilerplate_complete(engine))
        self._committer = (
            _Rehearsal() if rehearsal else _Committer(engine, self._files, self._boilerplate, batch=batch, arrived=arrived)
        )
        self._holder = {article_id: path for path, entry in self._files.items() for article_id in entry.articles}
        self._owner: dict[str, str] = {}  # the file that has each article, of the files compared so far
        self._affected: set[str] = set()  # unchanged files that have other boilerplate now
        self._ids: dict[str, list[str]] = {"added": [], "changed": [], "removed": []}
        self._unchanged = 0
        self._rejected: list[Rejected] = []
        self._doubtful: list[Doubtful] = []
        self._ignored: list[str] = []
        self._done = self._shown = self._total = 0
        self._files_done = self._files_total = 0
        self._reads = ""
        self._places: dict[str, tuple[int, int]] = {}  # of each file to read: the bytes before it, and its own
        self._reading: DocumentSource = SequentialSource(self)

    def run(self, corpus: Path, *, allow_removals: bool) -> Report:
        """Bring the engine in line with the corpus."""
        states, gone, to_read = self._compared(corpus)
        if not allow_removals:
            self._check_removals(corpus, states, gone)
        new = {state.digest for path, state in states.items() if path not in self._files}
        renamed = sum(bool(entry.digest) and entry.digest in new for entry in gone.values())
        starts = accumulate((state.size for state in to_read), initial=0)
        self._places = {s.source.path: (start, s.size) for s, start in zip(to_read, starts, strict=False)}
        if worth_workers(self._total, self._workers):
            sources = [state.source for state in to_read]
            self._reading = ReadAheadSource(sources, self, workers=self._workers, niceness=self._niceness)
            self._committer.prepare()
        before = read_left_out(self._engine)
        self._report_files(0, self._files_total, 0.0)
        try:
            self._process(states, gone)
        except KeyboardInterrupt:
            self._reading.close()
            self._committer.commit(self._left_out())  # the articles done so far are kept
            raise
        finally:
            self._reading.close()
        if self._committer.unsaved or not self._boilerplate.complete or self._left_out() != before:
            self._boilerplate.complete = all(states[path].digest for path in self._affected)
            self._committer.commit(self._left_out(), is_last=True)
        counts = {name: len(ids) for name, ids in self._ids.items()} | {"unchanged": self._unchanged, "renamed": renamed}
        known = {(one.path, str(one.reason)) for one in before.rejected}
        news = tuple(one for one in self._rejected if (one.path, str(one.reason)) not in known)
        return Report(**counts, rejected=tuple(self._rejected), newly_rejected=news, doubtful=tuple(self._doubtful))

    def check_rebuild(self, corpus: Path) -> None:
        """Raise CorpusError if a rebuild would lose more than half of some articles.

        It loses those of files that cannot be read now, too.
        """
        states, _, _ = self._compared(corpus)
        gone = {path: entry for path, entry in self._files.items() if path not in states or not states[path].digest}
        self._check_removals(corpus, states, gone)

    def plan(self, corpus: Path, *, allow_removals: bool) -> Plan:
        """Return what `run` would do, if this is a rehearsal."""
        states, gone, _ = self._compared(corpus)
        refusal = None
        try:
            if not allow_removals:
                self._check_removals(corpus, states, gone)
        except CorpusError as error:
            refusal = error.message
        self._process(states, gone)
        left_out = self._left_out()
        return Plan(
            **{name: tuple(ids) for name, ids in self._ids.items()},
            unchanged=self._unchanged,
            rejected=left_out.rejected,
            ignored=tuple(self._ignored),
            refusal=refusal,
        )

    def _compared(self, corpus: Path) -> tuple[dict[str, _FileState], dict[str, CatalogueEntry], list[_FileState]]:
        """Return every file's state, the entries of files gone, and the files to read."""
        sources, unlisted, self._ignored, hidden = list_corpus(corpus)
        self._rejected += unlisted
        states = self._scan(sources)
        kept = tuple(hidden)  # the index keeps the articles of these folders
        gone = {path: entry for path, entry in self._files.items() if path not in states and not path.startswith(kept)}
        to_read = self._files_to_read(states, gone)
        self._total = sum(state.size for state in to_read)
        self._files_total = len(to_read)
        return states, gone, to_read

    def _left_out(self) -> LeftOut:
        return LeftOut(tuple(self._rejected), len(self._ignored))

    def _check_removals(self, corpus: Path, states: Mapping[str, _FileState], gone: Mapping[str, CatalogueEntry]) -> None:
        """Raise CorpusError if more than half of some articles, or all, would be lost."""
        removals = Removals(corpus, self._files, self, self._ignored, has_files=bool(states))
        changed = [state for path, state in states.items() if state.digest not in ("", self._entry(path).digest)]
        removals.check(gone, [(state.source, state.digest, state.size) for state in changed], self._engine.records)

    # Scanning

    def _scan(self, sources: list[SourceFile]) -> dict[str, _FileState]:
        """Return every file's state by path, in order of path."""
        states: dict[str, _FileState] = {}
        for source in sources:
            if source.path in states:
                self._rejected.append(Rejected(source.path, message("file.same-name")))
                continue
            try:
                states[source.path] = self._state(source)
            except OSError:
                states[source.path] = _FileState(source)
        return states

    def _state(self, source: SourceFile) -> _FileState:
        """Return a file's state.

        A file whose stamp is known is not hashed again. Raises OSError.
        """
        entry, stamp = self._entry(source.path), source.state()
        same = entry.digest and stamp.signature and stamp.signature == entry.stamp
        return _FileState(source, entry.digest if same else source.digest(), stamp.signature, stamp.size)

    def _files_to_read(self, states: Mapping[str, _FileState], gone: Iterable[str]) -> list[_FileState]:
        """Relearn the boilerplate; return the files to read in order.

        These are changed files and those that the new boilerplate affects.
        """
        changed = [state for path, state in states.items() if state.digest not in ("", self._entry(path).digest)]
        sources = self._boilerplate.relearn(changed, gone)
        paths = {state.source.path for state in changed}
        self._affected = {
            path
            for path, entry in self._files.items()
            if path in states and path not in paths and self._affected_by_boilerplate(path, entry, sources)
        }
        self._boilerplate.complete = self._boilerplate.complete and not self._affected
        return [s for path, s in states.items() if path in paths or (path in self._affected and s.digest)]

    def _affected_by_boilerplate(self, path: str, entry: CatalogueEntry, sources: Set[str]) -> bool:
        """Return True if an unchanged file reads otherwise with the current boilerplate."""
        return entry.source in sources and self._boilerplate.fingerprint(path) != entry.furniture

    def _entry(self, path: str) -> CatalogueEntry:
        return self._files.get(path) or CatalogueEntry()

    # What reading asks, see `workers.CatalogueView`

    def repeating(self, path: str) -> Set[str]:
        return self._boilerplate.repeating(path)

    def lines(self, path: str) -> dict[str, str]:
        self._reads = path
        stored = ((article_id, hashes.partition(" ")[2]) for article_id, hashes in self._entry(path).articles.items())
        return {line: article_id for article_id, line in stored if line}

    def is_news(self, article: Article) -> bool:
        return self._entry(article.path).fingerprint_of(article.id) != article_fingerprint(article)

    # Indexing

    def _process(self, states: Mapping[str, _FileState], gone: Mapping[str, CatalogueEntry]) -> None:
        """Compare every file with the index; delete the articles of files that are gone."""
        for path, state in states.items():
            self._compare(path, state)
        kept = [path for path in self._files if path not in states and path not in gone]
        self._unchanged += sum(len(self._files[path].articles) for path in kept)
        for path, entry in gone.items():
            self._delete(list(entry.articles), entry)
            del self._files[path]
            self._committer.unsaved = True

    def _compare(self, path: str, state: _FileState) -> None:
        entry = self._entry(path)
        if state.digest and (state.digest != entry.digest or path in self._affected):
            self._index_file(state)
            return
        if state.digest:
            entry.stamp = state.stamp
            self._rejected += entry.rejected_parts()
        self._owner.update(dict.fromkeys(entry.articles, path))
        self._unchanged += len(entry.articles)
        if not state.digest:  # it may be readable again tomorrow: the index keeps its articles
            self._rejected += [outcome for outcome in articles_of(state.source) if isinstance(outcome, Rejected)]

    def _index_file(self, state: _FileState) -> None:
        """Bring the index in line with a file.

        The file is new, changed or was not completely read.
        """
        path = state.source.path
        entry = self._files.setdefault(path, CatalogueEntry())
        entry.digest = ""
        entry.source, entry.blocks = self._boilerplate.counts(path)
        entry.furniture = self._boilerplate.fingerprint(path)
        present: set[str] = set()
        is_whole = True
        rejected: list[Rejected] = []
        start = self._done
        for outcome, make_document in self._reading.read(state.source):
            outcome = self._unless_taken(outcome, path)
            if isinstance(outcome, Rejected):
                rejected.append(outcome)
                is_whole = is_whole and not may_be_read_later(outcome)
                continue
            present.add(outcome.id)
            self._owner[outcome.id] = path
            if isinstance(outcome, Unchanged):
                self._unchanged += 1
                size = outcome.size
            else:
                self._doubtful += [Doubtful(outcome.id, reason) for reason in doubts_of(outcome)]
                is_whole = is_whole and not lacks_recognition(outcome)
                self._index_article(outcome, make_document, entry)
                size = len(outcome.body.encode())
            self._report_progress(min(start + state.size, self._done + size))
        self._delete([article_id for article_id in entry.articles if article_id not in present], entry)
        entry.size = state.size
        entry.scans = recogniser().scans.get(path, [])
        self._rejected += rejected
        is_whole = is_whole and (bool(present) or not rejected)
        entry.keep_rejected(rejected if is_whole else [])
        if is_whole:
            entry.digest, entry.stamp = state.digest, state.stamp
        self._committer.unsaved = True
        self._files_done += 1
        self._report_progress(start + state.size)

    def _unless_taken(self, outcome: ReadOutcome, path: str) -> ReadOutcome:
        """Return a rejection in place of an article whose id another file has."""
        if isinstance(outcome, Rejected) or outcome.id not in self._owner:
            return outcome
        return Rejected(path, message("file.id-taken", id=outcome.id, path=self._owner[outcome.id]))

    def page_done(self, done: int, pages: int) -> None:
        """Report the progress of the file being read by its scanned pages, which are slow."""
        start, size = self._places.get(self._reads, (0, 0))
        self._show_progress(start + size * done // pages)

    def _report_progress(self, done: int) -> None:
        self._done = done
        self._show_progress(done)

    def _show_progress(self, done: int) -> None:
        self._shown = max(self._shown, done)
        self._progress(self._shown, self._total)
        self._report_files(self._files_done, self._files_total, 100 * self._shown / (self._total or 1))

    def _index_article(self, article: Article, make_document: MakeDocument, entry: CatalogueEntry) -> None:
        fingerprint = article_fingerprint(article)
        hashes = f"{fingerprint} {article.line}".strip()
        if entry.fingerprint_of(article.id) == fingerprint:
            self._unchanged += 1
            entry.articles[article.id] = hashes  # the line may be written otherwise
            return
        self._committer.replace(self._maker(article, make_document))
        self._ids["changed" if article.id in self._holder else "added"].append(article.id)
        self._transfer_ownership(article)
        entry.articles[article.id] = hashes
        definitions = [(definition.short, definition.long) for definition in learn(f"{article.title}\n{article.body}")]
        entry.definitions.pop(article.id, None)
        if definitions:
            entry.definitions[article.id] = definitions
        self._committer.commit_full_batch(self._left_out())

    def _maker(self, article: Article, make_document: MakeDocument) -> MakeDocument:
        """Return the maker of an article's document.

        If only its metadata are new, what the engine has of its text is taken.
        """
        if article.id not in self._holder or not isinstance(self._reading, SequentialSource):
            return make_document
        [record] = self._engine.records([article.id])
        stored = StoredArticle.from_json(article.id, record).article if record else None
        if stored is None or (stored.title, stored.body) != (article.title, article.body):
            return make_document
        [parts] = self._engine.forwards([article.id]).articles()
        is_elsewhere = (stored.date, stored.place) != (article.date, article.place)
        facts = None if is_elsewhere else self._engine.facts_of([article.id])[0]
        return partial(document_of, article, Analysed(flags_of(parts), facts))

    def _transfer_ownership(self, article: Article) -> None:
        """Transfer an article to a new file; its former file is marked for reading again."""
        former_path = self._holder.get(article.id)
        if former_path is not None and former_path != article.path:
            former = self._files[former_path]
            former.articles.pop(article.id, None)
            former.definitions.pop(article.id, None)
            former.digest = ""
        self._holder[article.id] = article.path

    def _delete(self, article_ids: list[str], entry: CatalogueEntry) -> None:
        for article_id in article_ids:
            self._committer.delete(article_id)
            entry.articles.pop(article_id, None)
            entry.definitions.pop(article_id, None)
            del self._holder[article_id]
            self._ids["removed"].append(article_id)


def reindex(
    engine: Engine,
    corpus: Path,
    workers: int | DocumentWorkers = 1,
    *,
    batch: int,
    progress: Progress,
    files_done: FilesDone = lambda *_: None,
    allow_removals: bool = False,
    niceness: int = LOW_PRIORITY,
    recognised: Path | None = None,
    arrived: ArrivalTable | None = None,
) -> Report:
    """Bring the engine in line with the corpus folder.

    About every `batch` articles are committed. With more than one worker, other processes of that `niceness` analyse new
    articles if there are many; or `workers` are those of a cluster. `files_done` is told how far it is. `recognised` is the
    folder that keeps the text of scanned pages. Unless `allow_removals`, CorpusError is raised before anything is removed if
    more than half of the articles would be lost, as when a disk is not there. Raises IndexFailure, HtxError if a worker dies.
    Running it again changes nothing.
    """
    update = _Update(
        engine,
        batch=batch,
        workers=workers,
        niceness=niceness,
        progress=progress,
        files_done=files_done,
        arrived=arrived,
    )
    with recognising(Recogniser(recognised, page_done=update.page_done)):
        return update.run(corpus, allow_removals=allow_removals)


def check_rebuild(engine: Engine, corpus: Path, *, recognised: Path | None = None) -> None:
    """Raise CorpusError if an index made anew would lose most of what the engine has."""
    with recognising(Recogniser(recognised, is_kept=False)):
        _Update(engine, rehearsal=True).check_rebuild(corpus)


def planned(engine: Engine, corpus: Path, *, recognised: Path | None = None, allow_removals: bool = False) -> Plan:
    """Return what a reindex would do. Files that changed are read, nothing is written."""
    with recognising(Recogniser(recognised, is_kept=False)):
        return _Update(engine, rehearsal=True).plan(corpus, allow_removals=allow_removals)


def article_fingerprint(article: Article) -> str:
    """Return a hash of everything that the index keeps of an article."""
    named = (article.date, article.place, article.source, article.url, article.author, article.crawled, article.place_evidence)
    parts = (article.title, article.body, article.path, *named, article.number, article.signer, article.pages, article.ocr)
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
