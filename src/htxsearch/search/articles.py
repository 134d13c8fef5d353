"""Articles as they are indexed, their reprints, and articles like one."""

from dataclasses import replace

from htxsearch.engine.contract import Engine
from htxsearch.errors import UnknownArticle
from htxsearch.indexing.reprints import differences, is_reprint
from htxsearch.ingest.article import Article
from htxsearch.search.hints import unknown_article
from htxsearch.search.records import StoredArticles
from htxsearch.search.results import ArticleView, RelatedArticle, RelatedArticles, Reprints
from htxsearch.search.snapshot import Snapshot
from htxsearch.text.analysis import analyse
from htxsearch.text.normalize import nfc
from htxsearch.text.passages import passages
from htxsearch.text.sentences import Span

__all__ = ["article_view", "related_articles", "reprints_of"]


def article_view(prepared: Snapshot, article_id: str) -> ArticleView:
    """Return an article as it is indexed. Raises UnknownArticle, with the nearest ids."""
    return _view(prepared, StoredArticles(prepared.engine), article_id)


def _view(prepared: Snapshot, records: StoredArticles, article_id: str) -> ArticleView:
    try:
        stored = records[nfc(article_id)]
    except KeyError:
        raise UnknownArticle(unknown_article(article_id, prepared.engine.article_ids())) from None
    return ArticleView(stored.article, stored.passages)


def reprints_of(prepared: Snapshot, article_id: str) -> Reprints:
    """Return the other articles with the text of one, and how each differs from it in numbers. Raises UnknownArticle."""
    records = StoredArticles(prepared.engine)
    article = _view(prepared, records, article_id).article
    others = records.earliest(other for other in prepared.alike.group(article.id) if other != article.id)
    reprints = (
        replace(records.reprint(other), differences=tuple(differences(article.body, records[other].article.body)))
        for other in others
    )
    return Reprints(records.reprint(article.id), tuple(reprints))


def related_articles(prepared: Snapshot, article: Article, limit: int, *, indexed: bool) -> RelatedArticles:
    """Return the articles most like one, best first; one that is indexed itself is left out, and its words are known."""
    of_title, of_body = _flags(prepared.engine, article.id) if indexed else (None, None)
    parts = [
        *analyse(article.title, [Span(0, len(article.title))], flags=of_title),
        *analyse(article.body, passages(article.body), flags=of_body),
    ]
    own_id = article.id if indexed else None
    group = prepared.alike.group(article.id)
    near = prepared.similarity.nearest(article.title, article.body, parts, limit=limit, leave_out=own_id)
    found = []
    for one in near:
        other = article_view(prepared, one.article_id).article
        found.append(
            RelatedArticle(
                article_id=other.id,
                title=other.title,
                date=other.date,
                place=other.place,
                source=other.source,
                score=one.score,
                terms=one.terms,
                reprint=other.id in group if indexed else is_reprint(article.body, other.body),
            )
        )
    return RelatedArticles(own_id, tuple(found))


def _flags(engine: Engine, article_id: str) -> tuple[bytes, bytes]:
    """Return the flags of the syllables of an indexed article's title and of its body."""
    of_title, *of_passages = (one.flags for one in engine.forward(article_id))
    return of_title, b"".join(of_passages)
