"""The catalogue of an index: each corpus file's hash, articles and definitions.

Definitions are the abbreviations that the articles define. The engine keeps the catalogue as blobs, committed
together with the postings. Hence it is never ahead or behind.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from htxsearch.engine.contract import Engine
from htxsearch.errors import IndexDamaged
from htxsearch.ingest.article import Doubtful, Rejected
from htxsearch.text.normalize import folded_form, index_term

if TYPE_CHECKING:
    from htxsearch.ingest.add import AddedFile

__all__ = [
    "Additions",
    "CatalogueEntry",
    "Report",
    "ShortForm",
    "blobs",
    "is_boilerplate_complete",
    "read_catalogue",
    "read_short_forms",
]

_CATALOGUE = "catalogue"
_SHORT_FORMS = "short-forms"
_SETTLED = "settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of a reindex, in articles.

    `renamed` files are also among the added and the removed. `doubtful` are those of the files read whose text is in doubt.
    """

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    renamed: int = 0
    rejected: tuple[Rejected, ...] = ()
    doubtful: tuple[Doubtful, ...] = ()
    took_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Additions:
    """The result of adding: files now in the corpus, refusals, and a reindex report.

    The report is that of the reindex after the addition, if there was a reindex.
    """

    taken: "tuple[AddedFile, ...]" = ()
    refused: tuple[Rejected, ...] = ()
    report: Report | None = None


@dataclass(slots=True)
class CatalogueEntry:
    """A file in the index: hashes for each article id, and each article's definitions.

    The first hash is of the article, the second, if it is one of several in its file, of the line it was read
    from.

    An empty digest means that the index does not have all of the file; hence the file is read again. A file whose
    stamp is unchanged need not be hashed; an empty stamp never matches.

    `source` and `blocks` are how its lines are counted (`repeated.Counted`). `furniture` records which repeating
    lines were left out when it was read (`repeated.applied`).
    """

    digest: str = ""
    stamp: str = ""
    articles: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    source: str = ""
    blocks: str = ""
    furniture: str = ""


@dataclass(frozen=True, slots=True)
class ShortForm:
    """A learned abbreviation: its spelling, long form, and first defining article."""

    short: str
    long: str
    article_id: str


def read_catalogue(engine: Engine) -> dict[str, CatalogueEntry]:
    """Return the entry of every file, by path. Raises IndexDamaged."""
    stored = json.loads(_blob(engine, _CATALOGUE))
    return {path: CatalogueEntry(**values) for path, values in stored.items()}


def is_boilerplate_complete(engine: Engine) -> bool:
    """Return True if every file was read with the current boilerplate lines.

    An empty index returns True, too.
    """
    stored = engine.blob(_SETTLED)
    return bool(json.loads(stored)) if stored else not engine.counts().articles


def read_short_forms(engine: Engine) -> dict[str, list[ShortForm]]:
    """Return the learned abbreviations by the short form's key. Raises IndexDamaged."""
    stored = json.loads(_blob(engine, _SHORT_FORMS))
    return {short: [ShortForm(*meaning) for meaning in meanings] for short, meanings in stored.items()}


def _blob(engine: Engine, name: str) -> bytes:
    """Return the blob committed as `name`; only an empty engine may lack it.

    Raises IndexDamaged.
    """
    blob = engine.blob(name)
    if blob is None and engine.counts().articles:
        raise IndexDamaged("index.incomplete", part=name)
    return blob or b"{}"


def blobs(entries: Mapping[str, CatalogueEntry], *, settled: bool) -> dict[str, bytes]:
    """Return the blobs to commit beside the postings."""
    catalogue = {path: _stored(entry) for path, entry in entries.items()}
    return {
        _CATALOGUE: json.dumps(catalogue, ensure_ascii=False).encode(),
        _SHORT_FORMS: json.dumps(_short_forms(entries), ensure_ascii=False).encode(),
        _SETTLED: json.dumps(settled).encode(),
    }


def _stored(entry: CatalogueEntry) -> dict[str, object]:
    """Return an entry as JSON; the counts of lines only if there are any."""
    stored: dict[str, object] = {
        "digest": entry.digest,
        "stamp": entry.stamp,
        "articles": entry.articles,
        "definitions": entry.definitions,
    }
    if entry.blocks:
        stored |= {"source": entry.source, "blocks": entry.blocks, "furniture": entry.furniture}
    return stored


def _short_forms(entries: Mapping[str, CatalogueEntry]) -> dict[str, list[tuple[str, str, str]]]:
    found: dict[str, dict[str, tuple[str, str, str]]] = {}
    for entry in entries.values():
        for article_id, definitions in entry.definitions.items():
            for short, long in definitions:
                found.setdefault(folded_form(index_term(short)), {}).setdefault(
                    folded_form(long.lower()), (short, long, article_id)
                )
    return {short: list(meanings.values()) for short, meanings in found.items()}
