"""Small made-up documents for engines: written as text, with "_" joining the syllables of a word."""

import datetime
from collections.abc import Iterable
from typing import Literal

from htxsearch.engine.contract import DisjunctionMax, Document, Engine, FieldName, Phrase, SearchResult, Terms, WeightedTerm
from htxsearch.text.normalize import folded_form

__all__ = ["any_of", "document", "hits", "phrase", "put", "scores", "syllables", "terms"]

_ONSETS = "b c ch d đ g gh h k kh l m n ng nh p ph qu r s t th tr v x".split()
_RIMES = (
    "a à á ả ã ạ an àn ang áng ao ào át ạt ay âm ấm ân ận âu ấu e è é en ẹn eo éo ê ề ế ên ện êu i ì í in ìn inh ình o ò ó on "
    "òn ong óng ô ồ ố ôn ồn ông ống ơ ờ ớ ơn ờn u ù ú un ùn ung úng ư ừ ứ ưng ừng ươm ượm ương ường"
).split()


def syllables(number: int) -> list[str]:
    """Return different things that look like syllables."""
    made = [onset + rime for rime in _RIMES for onset in _ONSETS]
    assert number <= len(made)
    return made[:number]


def terms(text: str) -> Terms:
    """Read "hợp_tác_xã chè": four syllables, one word."""
    return Terms(tuple(text.replace("_", " ").split()), tuple(part for part in text.split() if "_" in part))


def document(
    article_id: str,
    *passages: str,
    title: str = "",
    date: datetime.date | None = None,
    place: str | None = None,
    source: str | None = None,
    record: str | None = None,
    vector: bytes | None = None,
) -> Document:
    """Return a document whose record and vector tell which one it is, unless they are given."""
    parts = [terms(title), *map(terms, passages)]
    spellings = {("syllable", folded_form(one), one) for part in parts for one in part.syllables}
    spellings |= {("word", folded_form(one), one) for part in parts for one in part.words}
    return Document(
        id=article_id,
        record=f"{article_id}: {title} / {' / '.join(passages)}" if record is None else record,
        title=parts[0],
        passages=tuple(parts[1:]),
        spellings=frozenset(spellings),
        date=date,
        place=place,
        source=source,
        vector=f"v {article_id} {len(passages)}".encode() if vector is None else vector,
    )


def any_of(*names: str, field: FieldName = "syllable", boost: float = 1.0) -> DisjunctionMax:
    """Return alternatives of weight 1 in one field."""
    return DisjunctionMax(tuple(WeightedTerm(field, name) for name in names), boost)


def phrase(text: str, *, field: Literal["syllable", "title"] = "syllable", boost: float = 1.0) -> Phrase:
    """Read "chè xanh|tươi": a run of slots, "|" between what may stand in one."""
    return Phrase(field, tuple(tuple(slot.split("|")) for slot in text.split()), boost)


def put(engine: Engine, *documents: Document, delete: Iterable[str] = (), blobs: dict[str, bytes] | None = None) -> None:
    """Commit one batch: `documents` replaced, then the ids in `delete` removed."""
    writer = engine.writer()
    for one in documents:
        writer.replace(one)
    for article_id in delete:
        writer.delete(article_id)
    writer.commit(blobs or {})


def hits(found: SearchResult) -> list[tuple[str, int]]:
    """Return which passages were found, in order."""
    return [(hit.article_id, hit.passage) for hit in found.hits]


def scores(found: SearchResult) -> dict[tuple[str, int], float]:
    """Return what each passage scored."""
    return {(hit.article_id, hit.passage): hit.score for hit in found.hits}
