"""Searching a commit of an index: queries, completions and articles.

The searcher knows no folder and writes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

from htxsearch.errors import UsageError
from htxsearch.query.filters import check_options
from htxsearch.query.forgive import forgive
from htxsearch.query.parse import parse
from htxsearch.query.spelling import read_keystrokes
from htxsearch.search.highlight import highlights
from htxsearch.search.pipeline import SearchRequest, search
from htxsearch.search.rerank import DenseRetrieval
from htxsearch.search.results import ArticleView, RelatedArticles, Reprints, Results
from htxsearch.search.snapshot import Snapshot
from htxsearch.text.sentences import Span

if TYPE_CHECKING:  # a query needs neither articles nor what is related to them
    from htxsearch.ingest.article import Article
    from htxsearch.query.complete import Suggestion

__all__ = ["Searcher"]


@dataclass(frozen=True, slots=True)
class Searcher:
    """Searches a snapshot, which is one commit of an engine.

    The answers stay the same until the engine is refreshed. `Index.searcher` makes a searcher of the last commit of an
    index folder.
    """

    snapshot: Snapshot

    def search(self, request: SearchRequest, dense: DenseRetrieval | None = None) -> Results:
        """Return the passages that match a request, best first.

        With `dense`, they are ranked by the passages' vectors, too.
        """
        started = perf_counter()
        results = search(self.snapshot, request, dense).results
        return replace(results, took_ms=(perf_counter() - started) * 1000)

    def suggest(self, typed: str, *, limit: int = 8) -> "tuple[Suggestion, ...]":
        """Return up to `limit` completions of an unfinished query.

        Each is a phrase or title that the index has, with its number of articles. A query with signs between its words
        gets none.
        """
        return self.snapshot.completer.completions(typed, limit=limit)

    def highlights(self, query: str, texts: Sequence[str]) -> list[list[Span]]:
        """Return the spans to highlight in each of `texts` for a query.

        Raises QuerySyntaxError.
        """
        expanded = self.snapshot.expander.expand(parse(read_keystrokes(forgive(query).query, self.snapshot.vocabulary)))
        spans = [highlights(text, expanded.highlights) for text in texts]
        return spans if any(spans) else [highlights(text, expanded.faint_highlights, faint=True) for text in texts]

    def article_ids(self) -> list[str]:
        """Return the ids of all articles, sorted."""
        return self.snapshot.engine.article_ids()

    def show(self, article_id: str) -> ArticleView:
        """Return an article as it is indexed. Raises UnknownArticle, with the nearest ids."""
        from htxsearch.search.articles import article_view

        return article_view(self.snapshot, article_id)

    def reprints(self, article_id: str) -> Reprints:
        """Return the reprints of an article, and how the numbers in each differ.

        Reprints are the other articles with the article's text. Raises UnknownArticle.
        """
        from htxsearch.search.articles import reprints_of

        return reprints_of(self.snapshot, article_id)

    def related(self, article_id: str, *, limit: int = 10, all_near: bool = False) -> RelatedArticles:
        """Return the articles related to an indexed one.

        With `all_near` also those too far to be called related. Raises UnknownArticle, UsageError.
        """
        from htxsearch.search.relatedness import asked, related_articles

        check_options(limit)
        return related_articles(
            self.snapshot, asked(self.snapshot, self.show(article_id).article, indexed=True), limit, all_near=all_near
        )

    def related_to_passage(self, article_id: str, passage: int, *, limit: int = 10, all_near: bool = False) -> RelatedArticles:
        """Return the other articles related to a passage of an indexed article.

        `passage` is its number, counted from 1, or where it starts in the body, as in the page's address. Raises
        UnknownArticle, UsageError.
        """
        from htxsearch.indexing.records import StoredArticle
        from htxsearch.search.relatedness import asked_passage, related_articles

        check_options(limit)
        view = self.show(article_id)
        starts = [span.start for span in view.passages]
        number = passage - 1 if 1 <= passage <= len(starts) else starts.index(passage) if passage in starts else None
        if number is None:
            raise UsageError("related.no-passage", article=view.article.id, passage=passage, passages=len(starts))
        return related_articles(
            self.snapshot,
            asked_passage(self.snapshot, StoredArticle(view.article, view.passages), number),
            limit,
            all_near=all_near,
        )

    def related_to(self, article: "Article", *, limit: int = 10, all_near: bool = False) -> RelatedArticles:
        """Return the indexed articles related to an article that need not be indexed.

        Raises UsageError.
        """
        from htxsearch.search.relatedness import asked, related_articles

        check_options(limit)
        return related_articles(self.snapshot, asked(self.snapshot, article, indexed=False), limit, all_near=all_near)
