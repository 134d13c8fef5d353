"""From an article to what an engine stores of it."""

import json
from collections.abc import Iterator

from htxsearch.engine.contract import Document
from htxsearch.indexing.feature_vectors import feature_vector
from htxsearch.ingest.article import Article
from htxsearch.text.analysis import Terms, analyse
from htxsearch.text.normalize import key
from htxsearch.text.passages import passages
from htxsearch.text.sentences import Span

__all__ = ["document_of"]


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
        "author": article.author,
        "crawled": article.crawled.isoformat() if article.crawled else None,
        "place_evidence": article.place_evidence,
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
        vector=feature_vector(article.title, article.body, terms),
    )


def _spellings(terms: list[Terms]) -> Iterator[tuple[str, str, str]]:
    for syllable in {syllable for part in terms for syllable in part.syllables}:
        yield "syllable", key(syllable), syllable
    for word in {word for part in terms for word in part.words}:
        yield "word", key(word), word
