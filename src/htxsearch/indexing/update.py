"""Taking in what is new, changed or gone in the corpus folder.

Work is committed in batches. Each commit carries the catalogue of exactly what it holds, so a run
cut off anywhere leaves a state that answers queries, and the next run goes on from there. Workers may
analyse ahead of that; what is taken in, in which order and how it is counted does not depend on them.
"""

import hashlib
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from pathlib import Path

from htxsearch.engine.contract import Engine, Writer
from htxsearch.errors.messages import message
from htxsearch.indexing.catalogue import CatalogueEntry, Report, blobs, is_boilerplate_complete, read_catalogue
from htxsearch.indexing.documents import StoredArticle
from htxsearch.indexing.reprints import read_sketches, sketch
from htxsearch.indexing.workers import DocumentSource, MakeDocument, ReadAheadSource, SequentialSource, worth_workers
from htxsearch.ingest.article import Article, Rejected, Unchanged
from htxsearch.ingest.corpus import SourceFile, articles_of, lines_for_counting, source_files
from htxsearch.ingest.site_boilerplate import LineCounts, boilerplate_fingerprint, learned_boilerplate, line_counts
from htxsearch.text.abbreviations import learn

__all__ = ["Progress", "reindex", "unobserved"]

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes to do; only files that changed count."""


def unobserved(_done: int, _total: int) -> None:
    """Be the progress that nobody looks at."""


class _Run:
    """One reindex: compares the corpus with the catalogue and sends the difference in batches."""

    def __init__(self, engine: Engine, *, batch: int, workers: int, progress: Progress) -> None:
        self._engine = engine
        self._batch = batch
        self._workers = workers
        self._progress = progress
        self._files = read_catalogue(engine)
        self._holder = {one: path for path, entry in self._files.items() for one in entry.articles}
        self._writer: Writer = engine.writer()
        self._sketches = read_sketches(engine)
        self._records: dict[str, str] = {}  # of the articles that are not committed yet
        self._pending = 0  # articles that are not committed yet
        self._unsaved = False  # whether anything is not
        self._settled = is_boilerplate_complete(engine)
        self._counted = {path: LineCounts(entry.source, entry.blocks) for path, entry in self._files.items() if entry.blocks}
        self._repeating: dict[str, frozenset[str]] = {}
        self._again: set[str] = set()  # files that are as they were, but are read otherwise with what was learnt
        self._owner: dict[str, str] = {}
        self._counts = dict.fromkeys(("added", "changed", "removed", "unchanged"), 0)
        self._rejected: list[Rejected] = []
        self._done = self._total = 0
        self._reading: DocumentSource = SequentialSource(self)

    def run(self, corpus: Path) -> Report:
        sources, unlisted = source_files(corpus)
        self._rejected += unlisted
        found = self._look_at(sources)
        hidden = tuple(f"{folder.path}/" for folder in unlisted)  # the index keeps what it has of these
        gone = {path: e for path, e in self._files.items() if path not in found and not path.startswith(hidden or "/")}
        new = {state.digest for path, state in found.items() if path not in self._files}
        renamed = sum(bool(entry.digest) and entry.digest in new for entry in gone.values())
        stale = [state for path, state in found.items() if state.digest not in ("", self._entry(path).digest)]
        stale = self._learn(stale, gone, found)
        self._total = sum(state.size for state in stale)
        if worth_workers(self._total, self._workers):
            self._reading = ReadAheadSource([state.source for state in stale], self, workers=self._workers)
        try:
            self._work_off(found, gone)
        except KeyboardInterrupt:
            self._reading.close()
            self._commit()  # what is done so far is kept
            raise
        finally:
            self._reading.close()
        if self._unsaved or not self._settled:
            self._settled = all(found[path].digest for path in self._again)
            self._commit()
        return Report(**self._counts, renamed=renamed, rejected=tuple(self._rejected))

    def _learn(self, stale: list["_State"], gone: Iterable[str], found: dict[str, "_State"]) -> list["_State"]:
        """Learn what repeats now, and return all files that have to be read, in order: those that changed, and for its sake.

        From here on the index is not settled: files are read with what follows from all of them, of which a commit may
        hold only some. A run that was cut off leaves it so, and the next one looks at every source.
        """
        before = {path: self._counted.get(path, LineCounts()) for path in (*gone, *(state.source.path for state in stale))}
        for path in gone:
            self._counted.pop(path, None)
        for state in stale:
            path = state.source.path
            self._counted[path] = line_counts(*lines_for_counting(state.source))
        touched = {
            one.source for path, old in before.items() for one in (old, self._counted.get(path, LineCounts())) if one.blocks
        }
        if not self._settled:
            touched = {one.source for one in self._counted.values() if one.blocks}
        self._repeating = learned_boilerplate(self._counted, touched)
        changed = {state.source.path for state in stale}
        for path, entry in self._files.items():
            if path not in found or path in changed or entry.source not in touched:
                continue
            if boilerplate_fingerprint(self._counted.get(path, LineCounts()), self.repeating(path)) != entry.furniture:
                self._again.add(path)
        self._settled = self._settled and not before and not self._again
        return [state for path, state in found.items() if path in changed or (path in self._again and state.digest)]

    def repeating(self, path: str) -> Set[str]:
        """Return the hashes of lines that repeat in a file's source, see `workers.Catalogued`."""
        return self._repeating.get(self._counted.get(path, LineCounts()).source, frozenset())

    def _work_off(self, found: dict[str, "_State"], gone: dict[str, CatalogueEntry]) -> None:
        """Compare every file with what the index has of it, and drop what is gone."""
        for path, state in found.items():
            self._compare(path, state)
        kept = [path for path in self._files if path not in found and path not in gone]
        self._counts["unchanged"] += sum(len(self._files[path].articles) for path in kept)
        for path, entry in gone.items():
            self._drop(list(entry.articles), entry)
            del self._files[path]
            self._unsaved = True

    def _look_at(self, sources: list[SourceFile]) -> dict[str, "_State"]:
        """Return every file's state by path, in order of path."""
        found: dict[str, _State] = {}
        for source in sources:
            if source.path in found:
                self._rejected.append(Rejected(source.path, message("file.same-name")))
                continue
            try:
                found[source.path] = self._state(source)
            except OSError:
                found[source.path] = _State(source)
        return found

    def _state(self, source: SourceFile) -> "_State":
        """Return a file's state; one whose stamp is known is not hashed again. Raises OSError."""
        entry, stamp = self._entry(source.path), source.state()
        same = entry.digest and stamp.signature and stamp.signature == entry.stamp
        return _State(source, entry.digest if same else source.digest(), stamp.signature, stamp.size)

    def _entry(self, path: str) -> CatalogueEntry:
        return self._files.get(path) or CatalogueEntry()

    def _compare(self, path: str, state: "_State") -> None:
        entry = self._entry(path)
        if state.digest and (state.digest != entry.digest or path in self._again):
            self._take_in(state)
            return
        if state.digest:
            entry.stamp = state.stamp
        self._owner.update(dict.fromkeys(entry.articles, path))
        self._counts["unchanged"] += len(entry.articles)
        if not state.digest:  # it may be readable again tomorrow: the index keeps what it has of it
            self._rejected += [one for one in articles_of(state.source) if isinstance(one, Rejected)]

    def _take_in(self, state: "_State") -> None:
        """Bring the index in line with one file that is new, changed or was not wholly taken in."""
        path = state.source.path
        entry = self._files.setdefault(path, CatalogueEntry())
        entry.digest = ""
        entry.source, entry.blocks = self._counted.get(path, LineCounts())
        entry.furniture = boilerplate_fingerprint(LineCounts(entry.source, entry.blocks), self.repeating(path))
        here: set[str] = set()
        rejected = 0
        start = self._done
        for found, made in self._reading.read(state.source):
            if not isinstance(found, Rejected) and found.id in self._owner:
                where = self._owner[found.id]
                found = Rejected(path, message("file.id-taken", id=found.id, path=where))
            if isinstance(found, Rejected):
                self._rejected.append(found)
                rejected += 1
                continue
            here.add(found.id)
            self._owner[found.id] = path
            if isinstance(found, Unchanged):
                self._counts["unchanged"] += 1
                size = found.size
            else:
                self._replace(found, made, entry)
                size = len(found.body.encode())
            self._done = min(start + state.size, self._done + size)
            self._progress(self._done, self._total)
        self._drop([one for one in entry.articles if one not in here], entry)
        if not rejected:
            entry.digest, entry.stamp = state.digest, state.stamp
        self._unsaved = True
        self._done = start + state.size
        self._progress(self._done, self._total)

    def lines(self, path: str) -> dict[str, str]:
        """Return the ids of a file's articles by the hashes of their JSON lines, see `workers.Catalogued`."""
        told = ((one, fingerprint.partition(" ")[2]) for one, fingerprint in self._entry(path).articles.items())
        return {line: one for one, line in told if line}

    def is_news(self, article: Article) -> bool:
        """Tell whether an article is not as the index has it, see `workers.Catalogued`."""
        return _known_by(self._entry(article.path), article) != _fingerprint(article)

    def _replace(self, article: Article, made: MakeDocument, entry: CatalogueEntry) -> None:
        fingerprint = _fingerprint(article)
        if _known_by(entry, article) == fingerprint:
            self._counts["unchanged"] += 1
            entry.articles[article.id] = f"{fingerprint} {article.line}".strip()  # the line may be written otherwise
            return
        document = made()
        self._writer.replace(document)
        self._sketches.put(article.id, sketch(document.passages))
        self._records[article.id] = document.record
        self._counts["changed" if article.id in self._holder else "added"] += 1
        self._take_over(article)
        entry.articles[article.id] = f"{fingerprint} {article.line}".strip()
        found = [(found.short, found.long) for found in learn(f"{article.title}\n{article.body}")]
        entry.definitions.pop(article.id, None)
        if found:
            entry.definitions[article.id] = found
        self._unsaved = True
        self._pending += 1
        if self._pending >= self._batch:
            self._commit()

    def _take_over(self, article: Article) -> None:
        """Note who has an article now; the file that had it before has lost it and is read again."""
        before = self._holder.get(article.id)
        if before is not None and before != article.path:
            loser = self._files[before]
            loser.articles.pop(article.id, None)
            loser.definitions.pop(article.id, None)
            loser.digest = ""
        self._holder[article.id] = article.path

    def _drop(self, article_ids: list[str], entry: CatalogueEntry) -> None:
        for article_id in article_ids:
            self._writer.delete(article_id)
            self._sketches.drop(article_id)
            entry.articles.pop(article_id, None)
            entry.definitions.pop(article_id, None)
            del self._holder[article_id]
            self._counts["removed"] += 1
            self._unsaved = True

    def _commit(self) -> None:
        self._writer.commit(blobs(self._files, settled=self._settled) | self._sketches.blobs(self._body))
        self._records.clear()
        self._writer = self._engine.writer()
        self._pending = 0
        self._unsaved = False

    def _body(self, article_id: str) -> str:
        record = self._records.get(article_id) or self._engine.record(article_id) or ""
        return StoredArticle.from_json(article_id, record).article.body


@dataclass(frozen=True, slots=True)
class _State:
    """A file as it is now; an empty digest says that it cannot be read."""

    source: SourceFile
    digest: str = ""
    stamp: str = ""
    size: int = 0


def reindex(engine: Engine, corpus: Path, *, batch: int, progress: Progress, workers: int = 1) -> Report:
    """Bring the engine in line with the corpus folder, committing about every `batch` articles.

    With more than one worker, other processes analyse what is new if there is much of it.
    Raises CorpusError, IndexFailure, HtxError if a worker dies. Running it again changes nothing.
    """
    return _Run(engine, batch=batch, workers=workers, progress=progress).run(corpus)


def _known_by(entry: CatalogueEntry, article: Article) -> str:
    """Return the fingerprint by which an entry has the article of that id, "" if it has none."""
    return entry.articles.get(article.id, "").partition(" ")[0]


def _fingerprint(article: Article) -> str:
    said = (article.date, article.place, article.source, article.url, article.author, article.crawled, article.place_evidence)
    parts = (article.title, article.body, article.path, *said)
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
