"""Reranking against an engine: fetch the inputs of `features`, order the passages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import accumulate, repeat
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from htxsearch.engine.bm25 import idf_array
from htxsearch.engine.contract import DisjunctionMax, Engine, Forward, Forwards, Hit, SearchResult, WeightedTerm, term_hash
from htxsearch.query.expand import QueryTerms
from htxsearch.query.vocabulary import Vocabulary
from htxsearch.search.diacritics import restored, restored_query, unlikely_spellings
from htxsearch.search.features import DENSE, FEATURES, Candidates, QueryArrays, features, learned_weights
from htxsearch.text.normalize import canonical_spelling, has_diacritics, nfc
from htxsearch.text.stopwords import STOP_WORDS, is_interrogative, is_stop_word
from htxsearch.text.tokens import tokens

if TYPE_CHECKING:  # loaded where passages have vectors
    from htxsearch.indexing.encoder import Encoder
    from htxsearch.search.dense import PassageVectors

__all__ = [
    "DEPTH",
    "ArticleMatch",
    "DenseRetrieval",
    "Ranked",
    "RerankInputs",
    "Reranked",
    "candidates_of",
    "first_stage_only",
    "foreseen_nodes",
    "query_arrays",
    "rerank",
    "rerank_inputs",
]

DEPTH = 100
"""Passages of first-stage retrieval that are reranked."""

_NEAREST = 10
"""How many of the passages nearest to the query join those of first-stage retrieval."""

_OTHER_FORM = 0.9
"""What the long form is worth for a typed short form, and the other way round."""


class ArticleMatch(NamedTuple):
    """How much of a query an article holds.

    These are the features `title` and `pairs`, and the rest of `features.Features`.
    """

    title: float
    pairs: float
    coverage: float
    whole: bool
    titled: bool = False


class Ranked(NamedTuple):
    """A reranked passage: its score, and what each feature adds to it.

    The latter is there only if it was asked for.

    `match` is how much of the query the article holds, None for a passage that is not reranked.
    """

    hit: Hit
    score: float
    parts: tuple[tuple[str, float], ...]
    match: ArticleMatch | None = None


class DenseRetrieval(NamedTuple):
    """The vectors of passages, and the encoder of the query.

    With `adds`, the passages nearest to the query join the candidates.
    """

    vectors: "PassageVectors"
    encoder: "Encoder"
    adds: bool = True


class RerankInputs(NamedTuple):
    """A row of `values` for each of `hits`, a column for each name.

    `restored`, `unlikely` and `question` are as in `Reranked`; `matches` has a value for each of `hits`.
    """

    hits: tuple[Hit, ...]
    columns: tuple[str, ...]
    values: NDArray[np.float64]
    matches: tuple[ArticleMatch, ...]
    restored: str | None
    unlikely: frozenset[str]
    question: QueryArrays


class Reranked(NamedTuple):
    """The passages as reranked, and the query as restored and as arrays.

    `restored` is the reading of a query without marks, None if nothing was open. `question` holds the arrays of the query,
    None if it has no word that the index knows. `unlikely` are spellings of syllables without marks that are not meant.
    """

    ranked: list[Ranked]
    restored: str | None
    question: QueryArrays | None
    unlikely: frozenset[str] = frozenset()


def first_stage_only(hit: Hit) -> Ranked:
    """Return a passage that is not reranked, with its score of first-stage retrieval."""
    return Ranked(hit, hit.score, (("stage_one", hit.score),))


def rerank(
    vocabulary: Vocabulary,
    query_terms: QueryTerms,
    typed: str,
    result: SearchResult,
    dense: DenseRetrieval | None = None,
    *,
    explain: bool = False,
) -> Reranked:
    """Return the passages in the order and with the scores of reranking, best first.

    Ties are ordered by id and number. `result` has the best of first-stage retrieval, ungrouped; `typed` is the query as typed.
    With `dense`, the passages nearest to the query join them. A query without any word that the index knows keeps
    the order and scores of first-stage retrieval. The parts of the scores are there only to explain them.
    """
    if not (query_terms.terms and result.hits):
        return Reranked([first_stage_only(hit) for hit in result.hits], None, None)
    inputs = rerank_inputs(vocabulary, query_terms, typed, result, dense)
    added = inputs.values * np.array([learned_weights()[name] for name in inputs.columns])
    parts = [tuple(zip(inputs.columns, row, strict=True)) for row in added.tolist()] if explain else repeat(())
    ranked = list(map(Ranked, inputs.hits, added.sum(axis=1).tolist(), parts, inputs.matches))
    ranked.sort(key=lambda passage: (-round(passage.score, 9), passage.hit.article_id, passage.hit.passage))
    return Reranked(ranked, inputs.restored, inputs.question, inputs.unlikely)


def rerank_inputs(
    vocabulary: Vocabulary, query_terms: QueryTerms, typed: str, result: SearchResult, dense: DenseRetrieval | None = None
) -> RerankInputs:
    """Return the features of the passages, before they are weighed.

    Needs at least one query term and one hit.
    """
    engine, hits = vocabulary.engine, result.hits
    candidates, order = candidates_of(engine, hits, result.forwards)
    likely = restored(query_terms, candidates)
    read = restored_query(likely) if likely is not query_terms else None
    columns: tuple[str, ...] = FEATURES
    cosines = None
    if dense:
        vector = dense.encoder.query(nfc(typed) if has_diacritics(typed) else read or typed)
        forwards = _by_article(engine, hits, result.forwards)
        if dense.adds:
            hits = (*hits, *_nearest(engine, dense.vectors, vector, hits, forwards))
            articles = sorted({hit.article_id for hit in hits})
            candidates, order = candidates_of(engine, hits, Forwards.of([forwards[one] for one in articles]))
        columns = (*FEATURES, DENSE)
        cosines = _cosines(dense.vectors, vector, [hits[number] for number in order], forwards)
    question = query_arrays(vocabulary, likely, typed)
    found = features(question, candidates)
    values = found.values
    shares = (values[:, FEATURES.index("title")], values[:, FEATURES.index("pairs")], found.coverage, found.whole, found.titled)
    matches = tuple(map(ArticleMatch._make, zip(*(share.tolist() for share in shares), strict=True)))
    if cosines is not None:
        values = np.column_stack([values, cosines])
    unlikely = unlikely_spellings(likely) if read is not None else frozenset[str]()
    return RerankInputs(tuple(hits[number] for number in order), columns, values, matches, read, unlikely, question)


_Parts = tuple[Forward, ...]


def _by_article(engine: Engine, hits: Sequence[Hit], known: Forwards | None) -> dict[str, _Parts]:
    """Return the title and passages of each article with a hit."""
    articles = sorted({hit.article_id for hit in hits})
    return dict(zip(articles, (known or engine.forwards(articles)).articles(), strict=True))


def _nearest(
    engine: Engine,
    vectors: "PassageVectors",
    query: NDArray[np.float32],
    hits: Sequence[Hit],
    forwards: dict[str, _Parts],
) -> list[Hit]:
    """Return the passages nearest to the query that are not among the hits.

    They are returned as hits that score nothing in first-stage retrieval, and their articles are added to `forwards`.
    """
    from htxsearch.indexing.vector_store import passage_key

    known = {(hit.article_id, hit.passage) for hit in hits}
    nearest = vectors.nearest(query, _NEAREST)
    others = sorted({near.article_id for near in nearest} - forwards.keys())
    if others:
        forwards.update(zip(others, engine.forwards(others).articles(), strict=True))
    added = []
    for near in nearest:
        parts = forwards[near.article_id]
        current = near.passage + 1 < len(parts) and passage_key(parts[0], parts[near.passage + 1]) == near.key
        if current and (near.article_id, near.passage) not in known:
            added.append(Hit(near.article_id, near.passage, 0.0))
    return added


def _cosines(
    vectors: "PassageVectors", query: NDArray[np.float32], hits: Sequence[Hit], forwards: Mapping[str, _Parts]
) -> NDArray[np.float64]:
    """Return each passage's cosine with the query.

    A passage without a vector has the others' median, or 0. Thus a passage not encoded yet is neither preferred nor
    punished.
    """
    from htxsearch.indexing.vector_store import passage_key

    keys = [passage_key(forwards[hit.article_id][0], forwards[hit.article_id][hit.passage + 1]) for hit in hits]
    cosines = vectors.similarities(keys, query)
    missing = np.isnan(cosines)
    return np.where(missing, 0.0 if missing.all() else np.nanmedian(cosines), cosines)


def query_arrays(vocabulary: Vocabulary, query_terms: QueryTerms, typed: str) -> QueryArrays:
    """Return the arrays of a query.

    They hold each query term's idf over the collection, the index terms that stand for it, and the kind of word it is.
    """
    passages = vocabulary.engine.counts().passages
    frequencies = vocabulary.frequencies([_any_of(query_terms, number) for number in range(len(query_terms.terms))])
    frequency = np.array(frequencies, np.float64)
    query_terms_of: dict[int, tuple[tuple[int, float], ...]] = {}
    for number, query_term in enumerate(query_terms.terms):
        best = query_term.spellings[0][1] / (_OTHER_FORM if query_term.spelt_out else 1.0)
        for term, weight in query_term.spellings:
            known = query_terms_of.get(term_hash(term))
            if known is None or known[0][1] < weight / best:
                query_terms_of[term_hash(term)] = ((number, weight / best),)
    for short, numbers in query_terms.short_forms.items():
        typed_short = all(query_terms.terms[number].spelt_out for number in numbers)
        query_terms_of[term_hash(short)] = tuple((number, 1.0 if typed_short else _OTHER_FORM) for number in numbers)
    capitals = _capitals(typed)
    return QueryArrays(
        order=query_terms.order,
        query_terms_of=query_terms_of,
        idf=idf_array(frequency, passages),
        stop_word=np.array([is_stop_word(query_term.typed) for query_term in query_terms.terms]),
        interrogative=np.array([is_interrogative(query_term.typed) for query_term in query_terms.terms]),
        capital=np.array([capitals.get(query_term.typed, 0.0) for query_term in query_terms.terms]),
        number=np.array([query_term.typed[0].isdigit() for query_term in query_terms.terms]),
        fillers=_fillers(),
    )


@cache
def _fillers() -> NDArray[np.int64]:
    return np.array([term_hash(word) for word in STOP_WORDS], np.int64)


def _any_of(query_terms: QueryTerms, number: int) -> DisjunctionMax:
    """Return the terms that a query term's idf counts.

    They are its short forms, and the spellings at least half as good as its best one.
    """
    short = (term for term, numbers in query_terms.short_forms.items() if number in numbers)
    spellings = query_terms.terms[number].spellings
    likely = (term for term, weight in spellings if weight >= spellings[0][1] / 2)
    terms = dict.fromkeys([*likely, *short])
    return DisjunctionMax(tuple(WeightedTerm("syllable", term) for term in terms))


def foreseen_nodes(query_terms: QueryTerms) -> Iterator[DisjunctionMax]:
    """Yield the nodes whose frequencies reranking will probably ask for.

    They are each term as typed and, if it may be several syllables, each of these: mostly one of them is found to be meant.
    """
    for number, query_term in enumerate(query_terms.terms):
        yield _any_of(query_terms, number)
        meant: dict[str, list[tuple[str, float]]] = {}
        for term, weight in query_term.spellings:
            meant.setdefault(canonical_spelling(term), []).append((term, weight))
        for spellings in meant.values() if len(meant) > 1 else ():
            terms = list(query_terms.terms)
            terms[number] = replace(query_term, spellings=tuple(spellings))
            yield _any_of(replace(query_terms, terms=tuple(terms)), number)


def _capitals(typed: str) -> dict[str, float]:
    """Return 1 for each term typed with a meaningful capital.

    A capital has no meaning as the query's first letter or in a query all in capitals.
    """
    text = nfc(typed)
    if text.isupper():
        return {}
    return {token.term: 1.0 for token in tokens(text)[1:] if text[token.start].isupper()}


def candidates_of(engine: Engine, hits: tuple[Hit, ...], forwards: Forwards | None = None) -> tuple[Candidates, list[int]]:
    """Return the hits among all passages of their articles, and each passage's hit.

    For each ranked passage, the second value is the number of its hit. `forwards` are those of the articles, in the order of
    their ids, if they are known.
    """
    articles = sorted({hit.article_id for hit in hits})
    found = forwards or engine.forwards(articles)
    first = dict(zip(articles, accumulate(found.passages, initial=0), strict=False))
    places = [first[hit.article_id] + hit.passage for hit in hits]
    order = sorted(range(len(hits)), key=places.__getitem__)
    total = engine.counts()
    candidates = Candidates(
        tokens=np.frombuffer(found.hashes, "<u4").astype(np.int64),
        flags=np.frombuffer(found.flags, np.uint8),
        lengths=np.array(found.lengths, np.int64),
        articles=np.repeat(np.arange(len(articles)), found.passages),
        titles=np.frombuffer(found.title_hashes, "<u4").astype(np.int64),
        title_lengths=np.array(found.title_lengths, np.int64),
        ranked=np.array([places[number] for number in order], np.int64),
        first_stage=np.array([hits[number].score for number in order]),
        mean_article_length=total.syllables / total.articles,
    )
    return candidates, order
