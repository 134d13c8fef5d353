"""Copy an index from one engine to another, without analysing anything again.

An engine gives back records, flags of syllables, feature vectors and facts. The terms of a text follow from the record and the
flags (`text.analysis`), keys and spellings from these; so the copy is what indexing the article anew would make, at a tenth of
the time. The segmenter is needed only for a text whose passages are not all of it.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from htxsearch.engine.contract import Document, Engine, Forward
from htxsearch.facts.stored import fact_keys, unpack_facts
from htxsearch.indexing.documents import flags_of, spellings_of
from htxsearch.indexing.records import StoredArticle
from htxsearch.indexing.update import Progress, unobserved
from htxsearch.text.analysis import Terms, analyse
from htxsearch.text.file_names import file_name_terms
from htxsearch.text.sentences import Span

__all__ = ["BLOBS", "copy_contents"]

BLOBS = ("catalogue", "arrivals", "last-stamp", "short-forms", "settled", "left-out", "sketches", "reprints", "feature-weights")
"""The names of all blobs that indexing commits."""
_PAGE = 200
_BATCH = 1_000


def copy_contents(source: Engine, target: Engine, progress: Progress = unobserved) -> int:
    """Copy everything of the last commit to an empty engine.

    Returns the number of articles. `progress` is called with the articles copied and to copy. What is complete is committed
    last: cut off, the target is no index.
    """
    total, done = source.counts().articles, 0
    writer = target.writer()
    for document in _documents(source):
        writer.replace(document)
        done += 1
        if done % _BATCH == 0:
            writer.commit({})
            writer = target.writer()
            progress(done, total)
    blobs = {name: blob for name in BLOBS if (blob := source.blob(name)) is not None}
    writer.commit(blobs, is_last=True)
    progress(done, total)
    return done


def _documents(engine: Engine) -> Iterator[Document]:
    vectors = iter(engine.vectors())
    while page := dict(islice(vectors, _PAGE)):
        ids = list(page)
        parts, facts = engine.forwards(ids).articles(), engine.facts_of(ids)
        for article_id, record, forwards, packed in zip(ids, engine.records(ids), parts, facts, strict=True):
            yield _document(StoredArticle.from_json(article_id, record or ""), record or "", forwards, page[article_id], packed)


def _document(stored: StoredArticle, record: str, parts: Iterable[Forward], vector: bytes, facts: bytes) -> Document:
    """Return the document of an article that an engine has."""
    article = stored.article
    title, *passages = flags_of(parts)
    names = file_name_terms(article.id, article.path)
    [of_title] = analyse(article.title, [Span(0, len(article.title))], flags=title)
    of_passages = analyse(article.body, stored.passages, flags=b"".join(passages))
    return Document(
        id=article.id,
        record=record,
        title=Terms(of_title.syllables, (*of_title.words, *names), of_title.flags),
        passages=tuple(of_passages),
        spellings=spellings_of([of_title, *of_passages], names),
        date=article.date,
        place=article.place,
        source=article.source,
        vector=vector,
        facts=facts,
        fact_keys=fact_keys(unpack_facts(facts)) if facts else frozenset(),
    )
