"""Taking in what is new, changed or gone in the corpus folder.

Work is committed in batches. Each commit carries the catalogue of exactly what it holds, so a run
cut off anywhere leaves a state that answers queries, and the next run goes on from there.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from htxsearch.article import Article, Rejected
from htxsearch.catalogue import Entry, Report, blobs, read_catalogue
from htxsearch.engine.seam import Document, Engine, Writer
from htxsearch.ingest.corpus import SourceFile, articles_of, source_files
from htxsearch.related import vector
from htxsearch.text.abbreviations import learn
from htxsearch.text.analysis import Terms, analyse
from htxsearch.text.normalize import key
from htxsearch.text.passages import passages
from htxsearch.text.sentences import Span

__all__ = ["Progress", "document_of", "reindex", "unobserved"]

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes to do; only files that changed count."""


def unobserved(_done: int, _total: int) -> None:
    """Be the progress that nobody looks at."""


class _Run:
    """One reindex: compares the corpus with the catalogue and sends the difference in batches."""

    def __init__(self, engine: Engine, *, batch: int, progress: Progress) -> None:
        self._engine = engine
        self._batch = batch
        self._progress = progress
        self._files = read_catalogue(engine)
        self._writer: Writer = engine.writer()
        self._pending = 0
        self._owner: dict[str, str] = {}
        self._counts = dict.fromkeys(("added", "changed", "removed", "unchanged"), 0)
        self._rejected: list[Rejected] = []
        self._done = self._total = 0

    def run(self, corpus: Path) -> Report:
        sources = source_files(corpus)
        digests = {source.path: self._digest(source) for source in sources}
        stale = [s for s in sources if digests[s.path] not in (None, self._known(s.path).digest)]
        self._total = sum(source.file.stat().st_size for source in stale)
        before = {file.digest for file in self._files.values() if file.digest}
        gone = {path: file for path, file in self._files.items() if path not in digests}
        renamed = sum(file.digest in digests.values() for file in gone.values() if file.digest in before)
        try:
            self._compare(sources, digests)
            for path, file in gone.items():
                self._drop([one for one in file.articles if one not in self._owner], file)
                del self._files[path]
                self._pending += 1
        finally:
            # Ctrl-C and errors end the run here, too: what is done so far is kept.
            if self._pending:
                self._commit()
        return Report(**self._counts, renamed=renamed, rejected=tuple(self._rejected))

    def _compare(self, sources: list[SourceFile], digests: dict[str, str | None]) -> None:
        for source in sources:
            digest, known = digests[source.path], self._known(source.path)
            taken = any(one in self._owner for one in known.articles)
            if digest is None or (digest == known.digest and not taken):
                self._owner.update(dict.fromkeys(known.articles, source.path))
                self._counts["unchanged"] += len(known.articles)
                if digest is None:  # it may be readable again tomorrow: the index keeps what it has of it
                    self._rejected += [one for one in articles_of(source) if isinstance(one, Rejected)]
            else:
                self._take_in(source, digest)

    def _digest(self, source: SourceFile) -> str | None:
        try:
            return source.digest()
        except OSError:
            return None

    def _known(self, path: str) -> Entry:
        return self._files.get(path) or Entry()

    def _take_in(self, source: SourceFile, digest: str) -> None:
        """Bring the index in line with one file that is new, changed or was not wholly taken in."""
        file = self._files.setdefault(source.path, Entry())
        file.digest = ""
        here: set[str] = set()
        rejected = 0
        size = source.file.stat().st_size
        start = self._done
        for article in articles_of(source):
            if isinstance(article, Article) and article.id in self._owner:
                where = self._owner[article.id]
                article = Rejected(source.path, f"its id {article.id!r} is taken by {where}; give one of them another")
            if isinstance(article, Rejected):
                self._rejected.append(article)
                rejected += 1
                continue
            here.add(article.id)
            self._owner[article.id] = source.path
            self._replace(article, file)
            self._done = min(start + size, self._done + len(article.body.encode()))
            self._progress(self._done, self._total)
        self._drop([one for one in file.articles if one not in here and self._owner.get(one) is None], file)
        for moved in [one for one in file.articles if one not in here]:
            del file.articles[moved]  # another file has it now
        if not rejected:
            file.digest = digest
        self._pending += 1
        self._done = start + size
        self._progress(self._done, self._total)

    def _replace(self, article: Article, file: Entry) -> None:
        fingerprint = _fingerprint(article)
        if file.articles.get(article.id) == fingerprint:
            self._counts["unchanged"] += 1
            return
        self._counts["changed" if article.id in file.articles else "added"] += 1
        self._writer.replace(document_of(article))
        file.articles[article.id] = fingerprint
        found = [(found.short, found.long) for found in learn(f"{article.title}\n{article.body}")]
        file.definitions.pop(article.id, None)
        if found:
            file.definitions[article.id] = found
        self._pending += 1
        if self._pending >= self._batch:
            self._commit()

    def _drop(self, article_ids: list[str], file: Entry) -> None:
        for article_id in article_ids:
            self._writer.delete(article_id)
            file.articles.pop(article_id, None)
            file.definitions.pop(article_id, None)
            self._counts["removed"] += 1
            self._pending += 1

    def _commit(self) -> None:
        self._writer.commit(blobs(self._files))
        self._writer = self._engine.writer()
        self._pending = 0


def reindex(engine: Engine, corpus: Path, *, batch: int, progress: Progress) -> Report:
    """Bring the engine in line with the corpus folder, committing about every `batch` articles.

    Raises CorpusError, IndexFailure. Running it again changes nothing.
    """
    return _Run(engine, batch=batch, progress=progress).run(corpus)


def document_of(article: Article) -> Document:
    """Return an article as an engine stores it."""
    spans = passages(article.body)
    of_title, *of_passages = [*analyse(article.title, [Span(0, len(article.title))]), *analyse(article.body, spans)]
    terms: list[Terms] = [of_title, *of_passages]
    record = {
        "title": article.title,
        "body": article.body,
        "path": article.path,
        "date": article.date.isoformat() if article.date else None,
        "place": article.place,
        "source": article.source,
        "url": article.url,
        "passages": spans,
    }
    return Document(
        id=article.id,
        record=json.dumps(record, ensure_ascii=False),
        title=of_title,
        passages=tuple(of_passages),
        spellings=frozenset(_spellings(terms)),
        date=article.date,
        place=article.place,
        source=article.source,
        vector=vector(article.title, article.body, terms),
    )


def _spellings(terms: list[Terms]) -> Iterator[tuple[str, str, str]]:
    for part in terms:
        yield from (("syllable", key(syllable), syllable) for syllable in part.syllables)
        yield from (("word", key(word), word) for word in part.words)


def _fingerprint(article: Article) -> str:
    parts = (article.title, article.body, article.path, article.date, article.place, article.source, article.url)
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
