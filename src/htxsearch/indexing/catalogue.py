"""The catalogue of an index: each corpus file's hash, articles and definitions.

Definitions are the abbreviations that the articles define. The engine keeps the catalogue as blobs, committed
together with the postings. Hence it is never ahead or behind. What was not taken in is kept in the same way.
"""

import datetime
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from htxsearch.engine.contract import Engine
from htxsearch.errors import IndexDamaged
from htxsearch.errors.messages import Message, message
from htxsearch.ingest.article import Doubtful, Rejected
from htxsearch.text.normalize import folded_form, index_term
from htxsearch.values import frozen

if TYPE_CHECKING:
    from htxsearch.ingest.add import AddedFile

__all__ = [
    "Additions",
    "CatalogueEntry",
    "LeftOut",
    "Plan",
    "Report",
    "ShortForm",
    "blobs",
    "is_boilerplate_complete",
    "read_catalogue",
    "read_left_out",
    "read_short_forms",
]

_CATALOGUE = "catalogue"
_SHORT_FORMS = "short-forms"
_SETTLED = "settled"
_LEFT_OUT = "left-out"
_MAJORITY, _SIMILAR = 3, 0.85
"""How many articles must have a long form, and how similar another one must be, for that to be a slip."""


@frozen(kw_only=True)
class Report:
    """The result of a reindex, in articles.

    `renamed` files are also among the added and the removed. `rejected` is all that cannot be read, `newly_rejected` what of it
    the run before did not reject for the same reason. `doubtful` are those of the files read whose text is in doubt.
    """

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    renamed: int = 0
    rejected: tuple[Rejected, ...] = ()
    newly_rejected: tuple[Rejected, ...] = ()
    doubtful: tuple[Doubtful, ...] = ()
    took_s: float = 0.0


@frozen(kw_only=True)
class Plan:
    """The result that a reindex would have, by the ids of the articles.

    `rejected` are the files and lines that cannot be read, `ignored` the files and folders that a `.htxignore` names. `refusal`
    is the reason why a reindex would refuse to remove so much.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    rejected: tuple[Rejected, ...] = ()
    ignored: tuple[str, ...] = ()
    refusal: Message | None = None


@frozen
class LeftOut:
    """Files of the corpus that are not in the index.

    `rejected` cannot be read, `ignored` is the number of files and folders that a `.htxignore` names.
    """

    rejected: tuple[Rejected, ...] = ()
    ignored: int = 0


_NOTHING = LeftOut()


@frozen(kw_only=True)
class Additions:
    """The result of adding: files now in the corpus, refusals, and a reindex report.

    The report is that of the reindex after the addition, if there was a reindex.
    """

    taken: "tuple[AddedFile, ...]" = ()
    refused: tuple[Rejected, ...] = ()
    report: Report | None = None

    def paths(self) -> list[str]:
        """Return the paths in the corpus of the files taken."""
        return [file.path for file in self.taken]

    def rejected(self) -> tuple[Rejected, ...]:
        """Return what of the files taken cannot be read: files, their members and lines."""
        found = self.report.rejected if self.report else ()
        paths = set(self.paths())
        return tuple(one for one in found if not paths.isdisjoint(_holders(one.path)))


def _holders(path: str) -> list[str]:
    """Return a path, and those of the files and folders that may hold it.

    These are all its beginnings up to a "/" or a ":".
    """
    return [path, *(path[: mark.start()] for mark in re.finditer(r"[/:]", path))]


@dataclass(slots=True)
class CatalogueEntry:
    """A file in the index: hashes for each article id, and each article's definitions.

    The first hash is of the article, the second, if it is one of several in its file, of the line it was read
    from.

    An empty digest means that the index does not have all of the file; hence the file is read again. A file whose
    stamp is unchanged need not be hashed; an empty stamp never matches. `size` is the size of the file in bytes.

    `rejected` are the parts of the file that cannot be read, if nothing but a change of the file can change that. It is not
    read again for them, see `keep_rejected` and `rejected_parts`.

    `scans` are hashes of the scans in it, by which their recognised text is kept.

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
    size: int = 0
    scans: list[str] = field(default_factory=list)
    rejected: list[tuple[str, object]] = field(default_factory=list)

    def keep_rejected(self, parts: Sequence[Rejected]) -> None:
        """Keep the parts that cannot be read."""
        self.rejected = [(one.path, _to_stored(one.reason)) for one in parts]

    def rejected_parts(self) -> list[Rejected]:
        """Return the parts that could not be read when the file was."""
        return [Rejected(path, _from_stored(reason)) for path, reason in self.rejected]

    def fingerprint_of(self, article_id: str) -> str:
        """Return the fingerprint by which the entry has an article, "" if it has none."""
        return self.articles.get(article_id, "").partition(" ")[0]


@frozen
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


def read_left_out(engine: Engine) -> LeftOut:
    """Return what the last reindex did not take in."""
    stored = json.loads(engine.blob(_LEFT_OUT) or b"{}")
    rejected = (Rejected(path, _from_stored(reason)) for path, reason in stored.get("rejected", ()))
    return LeftOut(tuple(rejected), stored.get("ignored", 0))


def _from_stored(value: Any) -> Any:
    """Return a message, or a value of its fields, as it was before `_to_stored`."""
    if isinstance(value, dict):
        if "day" in value:
            return datetime.date.fromisoformat(value["day"])
        return message(value["code"], **{name: _from_stored(field) for name, field in value["fields"].items()})
    return list(map(_from_stored, value)) if isinstance(value, list) else value


def _to_stored(value: object) -> object:
    """Return a message, or a value of its fields, as JSON, others as their text."""
    if isinstance(value, Message):
        return {"code": value.code, "fields": {name: _to_stored(field) for name, field in value.fields.items()}}
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime.date):
        return {"day": value.isoformat()}
    return list(map(_to_stored, value)) if isinstance(value, Sequence | Set) else str(value)


def _blob(engine: Engine, name: str) -> bytes:
    """Return the blob committed as `name`; only an empty engine may lack it.

    Raises IndexDamaged.
    """
    blob = engine.blob(name)
    if blob is None and engine.counts().articles:
        raise IndexDamaged("index.incomplete", part=name)
    return blob or b"{}"


def blobs(entries: Mapping[str, CatalogueEntry], left_out: LeftOut = _NOTHING, *, settled: bool) -> dict[str, bytes]:
    """Return the blobs to commit beside the postings."""
    rejected = [(one.path, _to_stored(one.reason)) for one in left_out.rejected]
    catalogue = {path: _stored(entry) for path, entry in entries.items()}
    return {
        _CATALOGUE: json.dumps(catalogue, ensure_ascii=False).encode(),
        _SHORT_FORMS: json.dumps(_short_forms(entries), ensure_ascii=False).encode(),
        _SETTLED: json.dumps(settled).encode(),
        _LEFT_OUT: json.dumps({"rejected": rejected, "ignored": left_out.ignored}).encode(),
    }


def _stored(entry: CatalogueEntry) -> dict[str, object]:
    """Return an entry as JSON; the counts of lines only if there are any."""
    stored: dict[str, object] = {
        "digest": entry.digest,
        "stamp": entry.stamp,
        "articles": entry.articles,
        "definitions": entry.definitions,
        "size": entry.size,
    }
    if entry.blocks:
        stored |= {"source": entry.source, "blocks": entry.blocks, "furniture": entry.furniture}
    if entry.scans:
        stored["scans"] = entry.scans
    if entry.rejected:
        stored["rejected"] = entry.rejected
    return stored


def _short_forms(entries: Mapping[str, CatalogueEntry]) -> dict[str, list[tuple[str, str, str]]]:
    """Return the meanings of each short form's key.

    A meaning is the spelling, the long form and an article that defines it. Of the spellings of a long form, the one that most
    articles have is right. A long form that a single article has is left out as a slip if many have a similar one (sông Cứa
    Long beside sông Cửu Long). Articles are read in the order of their ids, whatever the order in which they were added.
    """
    found: dict[str, dict[str, list[tuple[str, str, str]]]] = {}
    defining = sorted((article_id, given) for entry in entries.values() for article_id, given in entry.definitions.items())
    for article_id, definitions in defining:
        for short, long in definitions:
            meanings = found.setdefault(folded_form(index_term(short)), {})
            meanings.setdefault(folded_form(long.lower()), []).append((short, long, article_id))
    return {
        short: [_majority(of_meaning) for long, of_meaning in meanings.items() if not _is_slip(long, meanings)]
        for short, meanings in found.items()
    }


def _majority(definitions: Sequence[tuple[str, str, str]]) -> tuple[str, str, str]:
    """Return the first of the definitions whose long form is spelt as in most."""
    counts = Counter(long.lower() for _, long, _ in definitions)
    return max(definitions, key=lambda definition: counts[definition[1].lower()])


def _is_slip(long: str, meanings: Mapping[str, Sequence[object]]) -> bool:
    if len(meanings) == 1 or len(meanings[long]) > 1:
        return False
    from difflib import SequenceMatcher

    many = (other for other, definitions in meanings.items() if len(definitions) >= _MAJORITY)
    return any(SequenceMatcher(None, long, other).ratio() >= _SIMILAR for other in many)
