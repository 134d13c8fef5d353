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

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from htxsearch.engine.contract import TWIN_SHIFT, Document, Forward
from htxsearch.facts.extract import extract_facts
from htxsearch.facts.stored import fact_keys, pack_facts, unpack_facts
from htxsearch.indexing.feature_vectors import feature_vector
from htxsearch.indexing.records import StoredArticle
from htxsearch.ingest.article import Article
from htxsearch.text.analysis import Terms, analyse
from htxsearch.text.file_names import file_name_terms
from htxsearch.text.normalize import folded_form
from htxsearch.text.official import text_of, without_motto
from htxsearch.text.passages import passages
from htxsearch.text.sentences import Span

__all__ = ["Analysed", "document_of", "flags_of", "spellings_of"]


_FLAGS = bytes(flag & ((1 << TWIN_SHIFT) - 1) for flag in range(256))


def flags_of(parts: Iterable[Forward]) -> list[bytes]:
    """Return the flags of a title and passages as `analyse` gave them."""
    return [part.flags.translate(_FLAGS) for part in parts]


class Analysed(NamedTuple):
    """The flags of the title and passages of an article, and its facts, packed.

    The facts are None if the article has another date or place now.
    """

    flags: Sequence[bytes]
    facts: bytes | None


def document_of(article: Article, known: Analysed | None = None) -> Document:
    """Return the document that an engine stores of an article.

    `known` is of an article with the same title and text: then the segmenter, which takes half a second to load, is needed only
    for new facts.
    """
    of_title_known, of_body_known = (known.flags[0], b"".join(known.flags[1:])) if known else (None, None)
    spans = passages(article.body)
    told = without_motto(article.body, spans)
    [of_title] = analyse(article.title, [Span(0, len(article.title))], flags=of_title_known)
    analysed = analyse(article.body, spans if told == spans else [*spans, *told], flags=of_body_known)
    of_passages, of_told = analysed[: len(spans)], analysed[len(spans) :] or analysed
    terms: list[Terms] = [of_title, *of_passages]
    names = file_name_terms(article.id, article.path)
    if known is None or known.facts is None:
        facts = extract_facts(article.title, article.body, published=article.date, place=article.place)
    else:
        facts = unpack_facts(known.facts) if known.facts else []
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
