"""Asking an engine: queries, questions, and articles. Knows no folder and writes nothing."""

import datetime
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from htxsearch.engine.contract import Boolean, Engine, Hit
from htxsearch.errors import UsageError
from htxsearch.ingest.article import Article
from htxsearch.query.complete import Suggestion, has_all
from htxsearch.query.expand import QueryTerms
from htxsearch.query.filters import Sort, check_options, filters_of
from htxsearch.query.parse import parse
from htxsearch.query.spelling import read_keystrokes, suggestion
from htxsearch.search.articles import article_view, related_articles, reprints_of
from htxsearch.search.highlight import highlights
from htxsearch.search.pipeline import SearchRequest, only_words, results_of
from htxsearch.search.rerank import DEPTH, DenseRetrieval, RerankInputs, evidence
from htxsearch.search.results import ArticleView, RelatedArticles, Reprints, Results
from htxsearch.search.snapshot import Snapshot
from htxsearch.text.sentences import Span
from htxsearch.text.tokens import has_tokens, tokens

__all__ = ["Searcher"]

_LEAST_FOR_TITLES = 4
"""Characters typed before titles are suggested: fewer say nothing of which, and are typed in no time."""


class Searcher:
    """Answers questions from an engine. `Index` is one that also keeps the engine's folder."""

    _meaning_trouble: str | None = None
    """Why meaning was left out where vectors are there to rank by it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._prepared: Snapshot | None = None

    def _current(self) -> Engine:
        """Return the engine to ask, with the last commit visible."""
        self._engine.refresh()
        return self._engine

    def _ready(self) -> Snapshot:
        """Return the engine to ask, and what is derived from its last commit."""
        engine = self._current()
        if self._prepared is None or not self._prepared.is_of(engine):
            self._prepared = Snapshot(engine)
        return self._prepared

    def _meaning(self, wanted: bool | None) -> DenseRetrieval | None:
        """Return what is needed to rank by meaning, None without. Raises UsageError if it is wanted and not there."""
        if wanted:
            raise UsageError("an engine alone keeps no vectors of its passages; ask an Index")
        return None

    def search(
        self,
        query: str,
        *,
        place: str | Sequence[str] = (),
        source: str | Sequence[str] = (),
        since: str | datetime.date | None = None,
        until: str | datetime.date | None = None,
        limit: int = 10,
        offset: int = 0,
        sort: Sort = "score",
        facets: Sequence[str] = (),
        all_passages: bool = False,
        all_reprints: bool = False,
        explain: bool = False,
        semantic: bool | None = None,
    ) -> Results:
        """Return the passages that answer `query`, best first; of each article only the best one.

        Of articles with the same text, one is a hit unless `all_reprints` or `all_passages` is asked for: the earliest that
        matches and has the best passage, or with `sort="date"` the newest; the others are its `reprints`.

        The options narrow the query as its own fields do; several places or sources are alternatives.
        A date may be 2019, 9/2019, 7/8/2023 or ISO; `since` takes its first day, `until` its last. `semantic`
        ranks by meaning, too; None does so if the extra is installed and the passages have vectors.

        Raises QuerySyntaxError, UsageError for an option that cannot be, ExtraMissing, IndexFailure.
        """
        started = time.perf_counter()
        check_options(limit, offset, sort, facets)
        parse(query)  # what is wrong is shown as it was typed
        filters = filters_of(place, source, since, until)
        prepared = self._ready()
        engine = prepared.engine
        apart = all_reprints or all_passages
        wanted = SearchRequest(limit, offset, sort, tuple(facets), all_passages, apart, explain, self._meaning(semantic))
        read = read_keystrokes(query, engine)
        found = results_of(prepared, read, filters, wanted)
        mended = suggestion(read, engine)
        if mended and not found.total:
            again = results_of(prepared, mended, filters, wanted)
            if again.total:
                found, read = again, mended
        if self._meaning_trouble and semantic is None:
            found = replace(found, hints=(*found.hints, f"ranked without meaning: {self._meaning_trouble}"))
        took = (time.perf_counter() - started) * 1000
        return replace(found, query=query, took_ms=took, read_as=read if read != query else None, suggestion=mended)

    def stage_one(self, query: str) -> tuple[Engine, QueryTerms, tuple[Hit, ...]]:
        """Return what stage two starts from: the engine, what is asked, and stage one's best passages, ungrouped."""
        prepared = self._ready()
        engine, expander = prepared.engine, prepared.expander
        group = parse(read_keystrokes(query, engine))
        node = Boolean((expander.plan(group).node,), expander.preferences(group))
        found = engine.search(node, limit=DEPTH, per_article=False)
        return engine, expander.asked(group), found.hits

    def evidence(self, query: str, *, semantic: bool = False) -> RerankInputs | None:
        """Return what stage two knows of the candidates of a query, to learn from; None if there are none."""
        engine, asked, hits = self.stage_one(query)
        if not (asked.slots and hits):
            return None
        read = read_keystrokes(query, engine)
        meaning = self._meaning(semantic)
        return evidence(engine, asked, read, hits, meaning and meaning._replace(adds=only_words(parse(read))))

    def suggest(self, typed: str, *, limit: int = 8) -> tuple[Suggestion, ...]:
        """Return up to `limit` queries that the one being typed may become: words and places, then titles that hold it all.

        Titles are looked for where words and places are few. What cannot be read yet, such as an open quotation mark, has none.
        """
        found = self._ready().completer.completions(typed, limit=limit)
        if has_tokens(typed) and len(typed) >= _LEAST_FOR_TITLES and len(found) <= limit // 2:
            with suppress(UsageError):  # it is not finished yet; asking it will say what is wrong
                hits = self.search(_begun(typed), limit=5, semantic=False).hits
                found += tuple(Suggestion(hit.title, "title", hit.article_id) for hit in hits if has_all(hit.title, typed))
        return found[:limit]

    def marked(self, query: str, texts: Sequence[str]) -> list[list[Span]]:
        """Return what a search for `query` marks in each of `texts`. Raises QuerySyntaxError."""
        prepared = self._ready()
        plan = prepared.expander.plan(parse(read_keystrokes(query, prepared.engine)))
        found = [highlights(text, plan.marks) for text in texts]
        return found if any(found) else [highlights(text, plan.faint_marks) for text in texts]

    # Articles

    def article_ids(self) -> list[str]:
        """Return the ids of all articles, sorted."""
        return self._current().article_ids()

    def show(self, article_id: str) -> ArticleView:
        """Return an article as it is indexed. Raises UnknownArticle, with the nearest ids."""
        return article_view(self._ready(), article_id)

    def reprints(self, article_id: str) -> Reprints:
        """Return the other articles with the text of one, and how each differs from it in numbers. Raises UnknownArticle."""
        return reprints_of(self._ready(), article_id)

    def related(self, article_id: str, *, limit: int = 10) -> RelatedArticles:
        """Return the indexed articles most like an indexed one. Raises UnknownArticle, UsageError."""
        check_options(limit)
        prepared = self._ready()
        return related_articles(prepared, article_view(prepared, article_id).article, limit, indexed=True)

    def related_to(self, article: Article, *, limit: int = 10) -> RelatedArticles:
        """Return the indexed articles most like one that need not be indexed. Raises UsageError."""
        check_options(limit)
        return related_articles(self._ready(), article, limit, indexed=False)

    def prepare_related(self) -> None:
        """Read what the first question for related articles would wait for: of 20,000 articles some seconds."""
        _ = self._ready().similarity


def _begun(typed: str) -> str:
    """Return a query whose last word, if it is of two letters or more, may go on."""
    last = tokens(typed)[-1]
    return f"{typed}*" if last.end == len(typed) and last.end - last.start > 1 and typed[last.start :].isalpha() else typed
