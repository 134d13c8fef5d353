"""Articles as indexed: originals, reprints and related articles."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from htxsearch.errors import CorpusError, UnknownArticle, UsageError
from htxsearch.indexing.catalogue import read_catalogue
from htxsearch.ingest.article import Article, Dropped
from htxsearch.search.reprint_differences import differences
from htxsearch.search.results import ArticleView, Reprints
from htxsearch.search.snapshot import Snapshot, StoredArticles
from htxsearch.text.normalize import folded_form, nfc

__all__ = [
    "article_in_file",
    "article_in_text",
    "article_view",
    "dropped_from",
    "find_article",
    "reprints_of",
]

_MOST_NEAR = 3
"""Known ids that are named as near an unknown one."""
_LIKENESS = 50
"""Least similarity, in percent, of an id that is named as near an unknown one."""


def article_view(snapshot: Snapshot, article_id: str) -> ArticleView:
    """Return an article as it is indexed. Raises UnknownArticle, with the nearest ids."""
    return _view(snapshot, snapshot.articles, article_id)


def _view(snapshot: Snapshot, articles: StoredArticles, article_id: str) -> ArticleView:
    try:
        stored = articles[nfc(article_id)]
    except KeyError:
        raise _unknown_article(article_id, snapshot.engine.article_ids()) from None
    return ArticleView(stored.article, stored.passages)


def _unknown_article(article_id: str, known: Sequence[str]) -> UnknownArticle:
    """Return the error for an id that no article has.

    It names up to three of the known ids near it.
    """
    from rapidfuzz import fuzz, process  # 20 ms, for an unknown id alone

    folded = [folded_form(known_id) for known_id in known]
    near = process.extract(folded_form(nfc(article_id)), folded, scorer=fuzz.ratio, score_cutoff=_LIKENESS, limit=_MOST_NEAR)
    if near:
        return UnknownArticle("article.unknown-near", article=article_id, near=[known[number] for _, _, number in near])
    return UnknownArticle("article.unknown", article=article_id)


def find_article(snapshot: Snapshot, name: str, corpus: Path) -> str:
    """Return the id of the article that `name` identifies.

    `name` is an article's id, the path of its file, or the end of either.

    Raises UnknownArticle if no article or several fit.
    """
    ids = snapshot.engine.article_ids()
    wanted = nfc(name)
    if wanted in ids:
        return wanted
    path = Path(name)
    if os.path.isfile(name) and path.resolve().is_relative_to(corpus.resolve()):
        inside = nfc(path.resolve().relative_to(corpus.resolve()).as_posix())
        if inside in ids:
            return inside
    endings = [article_id for article_id in ids if article_id.endswith(f"/{wanted}")]
    if len(endings) > 1:
        first, second, *_ = endings
        raise UnknownArticle("article.ambiguous", name=name, articles=len(endings), first=first, second=second)
    return endings[0] if endings else article_view(snapshot, name).article.id  # raises with the nearest ids


def dropped_from(snapshot: Snapshot, article_id: str, corpus: Path, recognised: Path) -> tuple[Dropped, ...]:
    """Return the pieces of an article's original that were left out, with the reasons.

    The pieces are in the order of the original. `recognised` is the folder that keeps the text of scanned pages.

    Raises UnknownArticle, CorpusError if the original is gone or is not the file that was indexed, or if it is a scan whose
    recognised text is not kept: nothing is recognised here.
    """
    from htxsearch.ingest.corpus import changed_articles, source_at
    from htxsearch.ingest.readers.ocr import Recogniser, recognising
    from htxsearch.ingest.site_boilerplate import LineCounts, learned_boilerplate

    article = article_view(snapshot, article_id).article
    source = source_at(corpus, article.path)
    if source is None:
        raise CorpusError("article.original-gone", article=article.id, path=article.path, corpus=corpus)
    files = {path: LineCounts(counts.source, counts.blocks) for path, counts in read_catalogue(snapshot.engine).items()}
    site = files.get(article.path, LineCounts()).source
    used = Recogniser(recognised, is_kept=False, only_kept=True)  # recognising takes minutes
    with recognising(used):
        for news in changed_articles(source, {}, learned_boilerplate(files, {site})[site]):
            if news == article:
                return news.dropped
    code = "article.scan-not-kept" if used.lacks else "article.original-changed"
    raise CorpusError(code, path=article.path, article=article.id)


def article_in_file(path: Path) -> Article:
    """Return the article in a file that need not be indexed.

    Raises UsageError unless the file holds exactly one readable article.
    """
    from htxsearch.ingest.corpus import SourceFile, articles_of

    articles = list(articles_of(SourceFile(path, path.name)))
    first = articles[0] if articles else None
    if first is not None and not isinstance(first, Article):
        raise UsageError("related.rejected", path=path, reason=first.reason)
    if first is None or len(articles) != 1:
        raise UsageError("related.not-one-article", path=path, articles=len(articles))
    return first


def article_in_text(content: bytes) -> Article:
    """Return a text, in any encoding that is detected, as an article.

    Raises UsageError.
    """
    from htxsearch.ingest.article import Unreadable
    from htxsearch.ingest.metadata import Metadata
    from htxsearch.ingest.readers import READERS, read_articles

    try:
        articles = list(read_articles(READERS["plain"], content, "-", Metadata()))
    except Unreadable as error:
        raise UsageError("related.unreadable-text", reason=error.message) from error
    if not articles or not isinstance(articles[0], Article):
        raise UsageError("related.no-text")
    return articles[0]


def reprints_of(snapshot: Snapshot, article_id: str) -> Reprints:
    """Return the reprints of an article, and how each differs from it in numbers.

    Reprints are the other articles with the same text. Raises UnknownArticle.
    """
    articles = snapshot.articles
    article = _view(snapshot, articles, article_id).article
    others = articles.earliest(other for other in snapshot.reprint_groups.group(article.id) if other != article.id)
    reprints = (
        replace(articles.reprint(other), differences=tuple(differences(article.body, articles[other].article.body)))
        for other in others
    )
    return Reprints(articles.reprint(article.id), tuple(reprints))
