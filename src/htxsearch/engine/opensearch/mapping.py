"""An article as a cluster keeps it: one document, with its passages nested.

An article is then one block of Lucene documents, replaced as a whole, and a root that matches is an article. A passage repeats
the terms of the title and the values of the article, since a query node mixes both: title:x must match and title:z must not, in
a passage that has y. Terms are joined by blanks and parted there again; nothing else is done to them.

`_source` has what scoring needs and no more: terms and flags. Records, feature vectors and facts are stored fields, read when
they are asked for.
"""

import base64
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b

from htxsearch.engine.bm25 import K1
from htxsearch.engine.contract import Document, Terms
from htxsearch.engine.opensearch.cluster import Json

__all__ = [
    "ARTICLES",
    "LAYOUT",
    "STATE",
    "WORDS",
    "FoundArticle",
    "article_body",
    "articles_index",
    "feature_term",
    "found_article",
    "key_of",
    "lengths_of",
    "packed",
    "shards_for",
    "unpacked",
    "version_of",
    "word_of",
]

_TEXT = {"type": "text", "analyzer": "parted", "similarity": "frequency", "norms": False}
_ORDERED = _TEXT | {"index_options": "positions"}
_COUNTED = _TEXT | {"index_options": "freqs"}
_VALUE = {"type": "keyword"}
_FILTER = {"type": "keyword", "doc_values": False}
_NUMBER = {"type": "integer", "index": False}
_STORED = {"type": "binary", "store": True}
_VALUES = {"article": _FILTER, "place": _FILTER, "source": _FILTER, "date": {"type": "integer", "doc_values": False}}
_LENGTHS = ("syllable", "word", "title", "title_word")

LAYOUT = 2
"""The number of this mapping; it is in the state of the data."""

_PER_SHARD = 10_000_000
"""Passages of a shard, some 26 GB: a shard should have 10 to 50."""

_SETTINGS = {
    "index.number_of_shards": 1,
    "index.auto_expand_replicas": "0-1",  # a copy as soon as there is a second node
    "index.refresh_interval": "-1",  # a commit refreshes
    "index.max_terms_count": 1_000_000,
}

_SIMILARITY = f"return query.boost * doc.freq / (doc.freq + {K1});"

ARTICLES: Json = {
    "settings": _SETTINGS
    | {
        "index.analysis.tokenizer.blanks": {"type": "simple_pattern_split", "pattern": " "},
        "index.analysis.analyzer.parted": {"type": "custom", "tokenizer": "blanks"},
        # Bounded, so that what cannot be among the best is passed over; a script of the query finds the frequency in it, and
        # makes the score with the exact length.
        "index.similarity.one": {"type": "boolean"},
        "index.similarity.frequency": {"type": "scripted", "script": {"source": _SIMILARITY}},
    },
    "mappings": {
        "dynamic": "strict",
        "_source": {
            "excludes": [
                *("record", "vector", "features", "facts", "has_facts", "fact_keys", "spelling", "year", "spread", "born"),
                *(f"length_{name}" for name in (*_LENGTHS, "passages")),
                *(f"passages.{name}" for name in (*_VALUES, "unit", "title", "title_word")),
                *(f"passages.length_{name}" for name in _LENGTHS),
            ]
        },
        "properties": {
            "born": {"type": "long"},
            "article": _VALUE,
            "title": _ORDERED,
            "title_word": _COUNTED,
            "flags": {"type": "binary"},
            "place": _VALUE,
            "source": _VALUE,
            "date": {"type": "integer"},
            "year": _VALUE,
            "spread": {"type": "long"},
            "spelling": _VALUE,
            "record": {"type": "keyword", "index": False, "doc_values": False, "store": True},
            "vector": _STORED,
            "features": {"type": "text", "analyzer": "parted", "similarity": "one", "norms": False, "index_options": "docs"},
            "facts": _STORED,
            "has_facts": {"type": "boolean", "doc_values": False},
            "fact_keys": _FILTER,
            **{f"length_{name}": _NUMBER for name in (*_LENGTHS, "passages")},
            "passages": {
                "type": "nested",
                "properties": {
                    "syllable": _ORDERED,
                    "word": _COUNTED,
                    "flags": {"type": "binary"},
                    "title": _ORDERED,
                    "title_word": _COUNTED,
                    "unit": _FILTER,
                    **_VALUES,
                    **{f"length_{name}": _NUMBER for name in _LENGTHS},
                },
            },
        },
    },
}
"""The index of articles. A new version of an article is a new document; `born` is the commit that brought it."""

WORDS: Json = {
    "settings": _SETTINGS,
    "mappings": {
        "dynamic": "strict",
        "properties": {"born": {"type": "long"}, "word": _VALUE, "key": _VALUE, "term": _VALUE},
    },
}
"""The index of the vocabulary: a document for each field, key and term; `word` is all three."""

STATE: Json = {
    "settings": _SETTINGS | {"index.auto_expand_replicas": "0-2"},
    "mappings": {"dynamic": False, "properties": {"data": _VALUE, "born": {"type": "long"}}},
}
"""The index of commits and blobs, one for all data of an index's name."""


@dataclass(frozen=True, slots=True)
class FoundArticle:
    """An article as scoring sees it (`engine.exact.StoredTerms`), and its version."""

    id: str
    version: str
    title: Terms
    passages: tuple[Terms, ...]
    date: date | None
    place: str | None
    source: str | None


def articles_index(shards: int) -> Json:
    """Return the index of articles, with a number of shards."""
    return ARTICLES | {"settings": ARTICLES["settings"] | {"index.number_of_shards": shards}}


def shards_for(passages: int) -> int:
    """Return the number of shards for a collection of about so many passages."""
    return max(-(-passages // _PER_SHARD), 1)


def version_of(article_id: str, commit: int) -> str:
    """Return the name of an article's version, which no other article and commit has."""
    return f"{blake2b(article_id.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}-{commit}"


def key_of(field: str, key: str) -> str:
    """Return a field and a key as one."""
    return f"{'s' if field == 'syllable' else 'w'} {key}"


def word_of(spelling: tuple[str, str, str]) -> str:
    """Return a field, key and term as one."""
    field, key, term = spelling
    return f"{key_of(field, key)}\0{term}"


def packed(data: bytes) -> str:
    """Return bytes as JSON has them."""
    return base64.b64encode(data).decode()


def unpacked(text: str) -> bytes:
    """Return what `packed` packed."""
    return base64.b64decode(text)


def feature_term(feature: int) -> str:
    """Return the term of a feature of an article's vector."""
    return f"{feature:x}"


def _features_of(vector: bytes) -> tuple[int, ...]:
    """Return the hashes of a feature vector, behind which are counts of two bytes."""
    size = len(vector) // 6
    return struct.unpack_from(f"<{size}I", vector)


def lengths_of(document: Document) -> dict[str, int]:
    """Return how many passages an article has, and how many terms in each field."""
    return {
        "syllable": sum(len(one.syllables) for one in document.passages),
        "word": sum(len(one.words) for one in document.passages),
        "title": len(document.title.syllables),
        "title_word": len(document.title.words),
        "passages": len(document.passages),
    }


def article_body(document: Document, version: str, commit: int) -> Json:
    """Return an article as the cluster keeps it."""
    day = document.date
    values: Json = {
        "article": document.id,
        "place": document.place,
        "source": document.source,
        "date": day.toordinal() if day else None,
    }
    values = {name: value for name, value in values.items() if value is not None}
    title = {"title": " ".join(document.title.syllables), "title_word": " ".join(document.title.words)}
    of_title = {"length_title": len(document.title.syllables), "length_title_word": len(document.title.words)}
    body = {
        "born": commit,
        **values,
        **title,
        "flags": packed(document.title.flags),
        "spread": zlib.crc32(version.encode()),
        "spelling": sorted(map(word_of, document.spellings)),
        "record": document.record,
        "vector": packed(document.vector),
        "features": " ".join(map(feature_term, _features_of(document.vector))),
        "fact_keys": sorted(document.fact_keys),
        **{f"length_{name}": length for name, length in lengths_of(document).items()},
        "passages": [
            {
                "syllable": " ".join(terms.syllables),
                "word": " ".join(terms.words),
                "flags": packed(terms.flags),
                "length_syllable": len(terms.syllables),
                "length_word": len(terms.words),
                "unit": f"{version}/{number}",
                **values,
                **title,
                **of_title,
            }
            for number, terms in enumerate(document.passages)
        ],
    }
    if day:
        body["year"] = str(day.year)
    if document.facts:
        body |= {"facts": packed(document.facts), "has_facts": True}
    return body


def found_article(version: str, source: Json) -> FoundArticle:
    """Return an article of an answer of the cluster."""
    day = source.get("date")
    return FoundArticle(
        source["article"],
        version,
        _terms(source["title"], source["title_word"], source["flags"]),
        tuple(_terms(one["syllable"], one["word"], one["flags"]) for one in _passages(source)),
        date.fromordinal(day) if day else None,
        source.get("place"),
        source.get("source"),
    )


def _passages(source: Json) -> Iterable[Json]:
    found = source.get("passages", ())  # left out by the cluster if it is empty
    return [found] if isinstance(found, dict) else found


def _terms(syllables: str, words: str, flags: str) -> Terms:
    return Terms(_parted(syllables), _parted(words), unpacked(flags))


def _parted(text: str) -> tuple[str, ...]:
    return tuple(text.split(" ")) if text else ()
