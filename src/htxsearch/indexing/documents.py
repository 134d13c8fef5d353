"""Turn an article into an engine's document.

A document is all that is analysed once and kept:

title, passages
    syllables and words with their positions (`text.analysis`); the motto of official documents is left out
spellings
    each term under its key without marks, for what people type
record
    the article itself, to be shown (`indexing.records`)
vector
    TF-IDF terms of the whole article, for related ones (`indexing.feature_vectors`)
facts, fact_keys
    its figures, and the words by which they are found (`facts`)
"""

from collections.abc import Iterable
from dataclasses import replace

from htxsearch.engine.contract import Document
from htxsearch.facts.extract import extract_facts
from htxsearch.facts.stored import fact_keys, pack_facts
from htxsearch.indexing.feature_vectors import feature_vector
from htxsearch.indexing.records import StoredArticle
from htxsearch.ingest.article import Article
from htxsearch.text.analysis import Terms, analyse
from htxsearch.text.file_names import file_name_terms
from htxsearch.text.normalize import folded_form
from htxsearch.text.official import text_of, without_motto
from htxsearch.text.passages import passages
from htxsearch.text.sentences import Span

__all__ = ["document_of", "spellings_of"]


def document_of(article: Article) -> Document:
    """Return the document that an engine stores of an article."""
    spans = passages(article.body)
    told = without_motto(article.body, spans)
    [of_title] = analyse(article.title, [Span(0, len(article.title))])
    analysed = analyse(article.body, spans if told == spans else [*spans, *told])
    of_passages, of_told = analysed[: len(spans)], analysed[len(spans) :] or analysed
    terms: list[Terms] = [of_title, *of_passages]
    names = file_name_terms(article.id, article.path)
    facts = extract_facts(article.title, article.body, published=article.date, place=article.place)
    return Document(
        id=article.id,
        record=StoredArticle(article, tuple(spans)).to_json(),
        title=replace(of_title, words=(*of_title.words, *names)),
        passages=tuple(of_passages),
        spellings=spellings_of(terms, names),
        date=article.date,
        place=article.place,
        source=article.source,
        vector=feature_vector(article.title, text_of(article.body, told), [of_title, *of_told]),
        facts=pack_facts(facts),
        fact_keys=fact_keys(facts),
    )


def spellings_of(terms: Iterable[Terms], names: Iterable[str]) -> frozenset[tuple[str, str, str]]:
    """Return the spellings of an article's terms and of the names of its file."""
    parts = list(terms)
    syllables = {syllable for part in parts for syllable in part.syllables}
    words = {word for part in parts for word in part.words}
    return frozenset(
        [
            *(("syllable", folded_form(syllable), syllable) for syllable in syllables),
            *(("word", folded_form(word), word) for word in words),
            *(("word", name, name) for name in names),
        ]
    )
