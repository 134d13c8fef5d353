"""Correct the metadata of an indexed article in its metadata file.

What a person writes goes before what the text says. The metadata file lies beside the article's file and counts for all of it;
hence an article that shares its file with others cannot be corrected in this way.
"""

import datetime
import hashlib
import os
import re
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from htxsearch.engine.contract import Engine
from htxsearch.errors import CorpusError, UsageError
from htxsearch.indexing.catalogue import Report, read_catalogue
from htxsearch.indexing.manifest import adding_lock, check_made_from
from htxsearch.ingest.article import Article, Unreadable
from htxsearch.ingest.atomic_files import replace_file
from htxsearch.ingest.changes import logged
from htxsearch.ingest.corpus import source_at
from htxsearch.ingest.ignored import is_ignored
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.metadata_files import content_of_metadata_file, edited_metadata_file
from htxsearch.text.places import provinces, similar_province

__all__ = ["EDITABLE", "Change", "Edit", "edit_metadata", "metadata_state"]

EDITABLE = ("title", "date", "place", "source", "author", "url", "number", "signer")
"""The fields of an article that a person can correct."""
_LONGEST = {"url": 2_000}
_LONGEST_OTHER = 500
"""Characters of a value, those of an address given before."""
_NO_TEXT = re.compile("[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
"""Control characters that are no blanks, and halves of surrogate pairs."""


class Change(NamedTuple):
    """A field of an article before and after an edit; None is no value."""

    field: str
    old: str | datetime.date | None
    new: str | datetime.date | None


@dataclass(frozen=True, slots=True)
class Edit:
    """An article before and after an edit, and the report of the reindex.

    Without a report the index has yet to take the edit in: another process is writing it. Then `unread` are the fields that the
    text will be asked for again.
    """

    former: Article
    article: Article
    report: Report | None = None
    unread: tuple[str, ...] = ()

    def changes(self) -> tuple[Change, ...]:
        """Return the fields that are different now."""
        pairs = (Change(name, getattr(self.former, name), getattr(self.article, name)) for name in EDITABLE)
        return tuple(pair for pair in pairs if pair.old != pair.new)


def edit_metadata(
    index: Path,
    corpus: Path,
    engine: Engine,
    article: Article,
    fields: Mapping[str, str],
    unset: Collection[str] = (),
    *,
    by: str = "",
    seen: str | None = None,
) -> Metadata:
    """Write the values of `fields` into the article's metadata file.

    Returns them as read. The fields in `unset` are removed from it. The file is written as a whole, durably, and the change is
    logged as one of `by`. `seen`, if given, is the `metadata_state` that must still hold. Raises UsageError if it does not, for
    an unknown field, date or place, for a value that is too long or no text, and for an article that shares its file or whose
    file is ignored; CorpusError if its file is gone or cannot be written; IndexBusy if another process is adding.
    """
    given = _checked(fields, unset, known_places=engine.values("place").keys())
    check_made_from(index, corpus)
    entry = read_catalogue(engine).get(article.path)
    if entry and len(entry.articles) > 1:
        raise UsageError("edit.several", article=article.id, path=article.path, articles=len(entry.articles))
    if is_ignored(corpus, article.path):
        raise UsageError("edit.ignored", article=article.id, path=article.path)
    source = source_at(corpus, article.path)
    if source is None:
        raise CorpusError("article.original-gone", article=article.id, path=article.path, corpus=corpus)
    beside = source.metadata_file
    with adding_lock(index):
        try:
            old = content_of_metadata_file(source.file)
            if seen is not None and seen != _state(old):
                raise UsageError("edit.changed-meanwhile", article=article.id)
            new = edited_metadata_file(old, given, unset, name=beside.name)
            changed = {name: (getattr(article, name), fields.get(name)) for name in (*fields, *unset)}
            if new != old:
                with logged(corpus, "edit", by=by, article=article.id, title=article.title, fields=changed):
                    replace_file(beside, [new], temporary=f".{beside.name[:80]}.{os.getpid()}.part")
        except Unreadable as error:
            raise UsageError("edit.refused", path=article.path, reason=error.message) from error
        except OSError as error:
            raise CorpusError("corpus.not-writable", corpus=corpus, error=error.strerror) from error
    return given


def metadata_state(corpus: Path, article: Article) -> str:
    """Return a short hash of the metadata file of an article.

    It shows that another editor was quicker. Raises CorpusError.
    """
    try:
        source = source_at(corpus, article.path)
        return _state(content_of_metadata_file(source.file) if source else b"")
    except (OSError, ValueError):
        return _state(b"")


def _state(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def _checked(fields: Mapping[str, str], unset: Collection[str], *, known_places: Set[str]) -> Metadata:
    """Return the metadata in `fields`. Raises UsageError."""
    for name in (*fields, *unset):
        if name not in EDITABLE:
            raise UsageError("edit.unknown-field", field=name, known=list(EDITABLE))
    for name, value in fields.items():
        if name in unset:
            raise UsageError("edit.set-and-unset", field=name)
        if not value.strip():
            raise UsageError("edit.empty", field=name)
        if _NO_TEXT.search(value):
            raise UsageError("edit.no-text", field=name)
        limit = _LONGEST.get(name, _LONGEST_OTHER)
        if len(value) > limit:
            raise UsageError("edit.too-long", field=name, length=len(value), limit=limit)
    try:
        given = Metadata.of(dict(fields))
    except Unreadable as error:
        raise UsageError(error.message.code, **error.message.fields) from error
    place = given.place
    if place and place not in provinces() and place not in known_places:
        near = similar_province(place)
        raise UsageError("edit.unknown-place-near" if near else "edit.unknown-place", place=place, near=near or "")
    return given
