"""Articles removed from the corpus: `.trash` keeps their files for 30 days.

Each removal is a folder: `removed.json` (path, title, time, by whom), written first, then the file, then its metadata file.
Until the file is in it, nothing was removed; a metadata file that was left behind is fetched by the next removal or restore.
While another process writes the index, a change waits in the corpus for the next update.
"""

import datetime
import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from htxsearch.errors import CorpusError, HtxError, IndexBusy, UsageError
from htxsearch.errors.messages import message
from htxsearch.indexing.catalogue import CatalogueEntry, Report
from htxsearch.indexing.manifest import adding_lock, check_made_from
from htxsearch.ingest.article import Article
from htxsearch.ingest.atomic_files import make_folder, replace_file, sync_folder
from htxsearch.ingest.changes import logged
from htxsearch.ingest.corpus import SourceFile, list_corpus, source_at
from htxsearch.ingest.metadata_files import metadata_file_of

__all__ = ["KEPT_DAYS", "TRASH", "Removed", "Trash"]

TRASH = ".trash"
KEPT_DAYS = 30
_RECORD, _FILE, _METADATA = "removed.json", "file", "metadata"
"""Names within a removal's folder: the longest name of a file of the corpus would leave no room for more."""


@dataclass(frozen=True, slots=True)
class Removed:
    """A removed article: the key that restores it, what it was, when and by whom.

    `waits` is True if the index has yet to take in that it was removed or put back: another process is writing it.
    """

    key: str
    article_id: str
    title: str
    path: str
    time: datetime.datetime
    by: str
    waits: bool = False

    @property
    def until(self) -> datetime.datetime:
        """When it can no longer be restored."""
        return self.time + datetime.timedelta(days=KEPT_DAYS)


class _Updated(Protocol):
    """An index whose corpus is changed."""

    path: Path
    corpus: Path

    def catalogue(self) -> Mapping[str, CatalogueEntry]:
        """Return the entry of each file."""
        ...

    def update(self) -> Report:
        """Take the changes of the corpus into the index."""
        ...


class Trash:
    """The removed articles of a corpus, and removing and restoring."""

    def __init__(self, index: _Updated, now: datetime.datetime | None = None) -> None:
        """`now` is another time than the present one."""
        self._index = index
        self._corpus = index.corpus
        self._folder = index.corpus / TRASH
        self._now = now

    def _time(self) -> datetime.datetime:
        return self._now or datetime.datetime.now(datetime.UTC)

    def listed(self) -> tuple[Removed, ...]:
        """Return the removed articles that can be restored, the last one first.

        Raises CorpusError.
        """
        now = self._time()
        return tuple(one for one in self._all() if one.until > now)

    def remove(self, article: Article, by: str) -> Removed:
        """Move an article's file and metadata file to the trash, then update.

        What can no longer be restored is deleted. Raises UsageError if the file has other articles, too, or is not the one that
        was indexed: nobody has seen what it has now; CorpusError if it is gone or cannot be moved; IndexBusy if another process
        is adding; and the errors of `update`.
        """
        check_made_from(self._index.path, self._corpus)
        entry = self._index.catalogue().get(article.path, CatalogueEntry())
        if len(entry.articles) > 1:
            raise UsageError("trash.several", article=article.id, path=article.path, articles=len(entry.articles))
        source = source_at(self._corpus, article.path)
        if source is None or not _is_within(source.file, self._corpus):
            raise CorpusError("article.original-gone", article=article.id, path=article.path, corpus=self._corpus)
        now = self._time()
        digest = hashlib.blake2b(os.fsencode(article.path), digest_size=4).hexdigest()
        removed = Removed(f"{now:%Y%m%d-%H%M%S-%f}-{digest}", article.id, article.title, article.path, now, by)
        place = self._folder / removed.key
        with adding_lock(self._index.path), self._errors():
            if not _is_as_indexed(source, entry, self._corpus):
                raise UsageError("trash.changed", article=article.id, path=article.path)
            self._settle()
            self._purge()
            with logged(self._corpus, "remove", by=by, article=article.id, title=article.title):
                make_folder(place)
                on_disk = source.file.relative_to(self._corpus).as_posix()  # perhaps in another Unicode composition
                record = {"article": article.id, "title": article.title, "path": article.path, "file": on_disk}
                record |= {"time": now.isoformat(), "by": by}
                replace_file(place / _RECORD, [json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass")])
                _move(source.file, place / _FILE)
                _move_if_there(source.metadata_file, place / _METADATA)
        return replace(removed, waits=not self._taken_in(removed.path))

    def restore(self, name: str, by: str) -> Removed:
        """Put a removed article back where it was, then update.

        `name` is its key, id or path; of several the last one removed. Raises UsageError if there is none, it was removed too
        long ago, or another file has its place; CorpusError, IndexBusy if another process is adding, and those of `update`.
        """
        check_made_from(self._index.path, self._corpus)
        with adding_lock(self._index.path), self._errors():
            self._settle()
            removed = next((one for one in self._all() if name in (one.key, one.article_id, one.path)), None)
            if removed is None:
                raise UsageError("trash.unknown", article=name)
            if removed.until <= self._time():
                raise UsageError("trash.expired", article=removed.article_id, days=KEPT_DAYS)
            place = self._folder / removed.key
            target = self._target(place)
            if target is None:
                raise UsageError("trash.unknown", article=name)
            beside = metadata_file_of(target)
            if os.path.lexists(target) or ((place / _METADATA).exists() and os.path.lexists(beside)):
                raise UsageError("trash.taken", article=removed.article_id, path=removed.path)
            with logged(self._corpus, "restore", by=by, article=removed.article_id, title=removed.title):
                make_folder(target.parent)
                _move_if_there(place / _METADATA, beside)  # first: the article is never there without its corrections
                _move(place / _FILE, target)
            self._drop(place)
        return replace(removed, waits=not self._taken_in(removed.path))

    def _taken_in(self, path: str) -> bool:
        """Update; return False if another process is writing the index.

        Any other error says that the change of the file is made.
        """
        try:
            self._index.update()
        except IndexBusy:
            return False
        except HtxError as error:
            error.message = message("trash.kept", error=error.message, corpus=self._corpus, path=path)
            raise
        return True

    def _purge(self) -> None:
        """Delete the files of removals that can no longer be restored."""
        now = self._time()
        for one in self._all():
            if one.until <= now:
                self._drop(self._folder / one.key)

    def _all(self) -> list[Removed]:
        """Return the removals in the trash, the last one first.

        Folders that are not ours are passed over.
        """
        with self._errors():
            names = sorted(os.listdir(self._folder), reverse=True) if self._folder.is_dir() else []
        found = (self._read(self._folder / name) for name in names if _has_file(self._folder / name))
        return [removed for removed in found if removed is not None]

    def _read(self, place: Path) -> Removed | None:
        record = _record(place)
        try:
            time = datetime.datetime.fromisoformat(record["time"])
            if time.tzinfo is None:
                return None
            found = Removed(place.name, record["article"], record["title"], record["path"], time, record["by"])
            return found if found.until else None
        except (KeyError, ValueError, OverflowError):  # a year that has no next month
            return None

    def _target(self, place: Path) -> Path | None:
        """Return where a removed file was; None if its record leads elsewhere."""
        path = _record(place).get("file", "")
        parts = path.split("/")
        if (
            "\0" in path
            or any(not part or part.startswith(".") for part in parts)
            or not _is_within(self._corpus / path, self._corpus)
        ):
            return None
        return self._corpus / path

    def _settle(self) -> None:
        """Finish what was cut off.

        Metadata files left behind are fetched, folders whose file is not in them are dropped. A file that has its old place
        again is not touched, nor is what lies beside it.
        """
        for place in [one for one in self._folder.glob("*") if one.is_dir()]:
            target = self._target(place)
            if not _has_file(place) and not (place / _METADATA).exists():
                self._drop(place)
            elif target is None:
                continue
            elif not _has_file(place):
                self._drop_empty(place, target)
            elif not os.path.lexists(target) and not (place / _METADATA).exists():
                _move_if_there(metadata_file_of(target), place / _METADATA)

    def _drop_empty(self, place: Path, target: Path) -> None:
        """Drop the folder of a removal whose file is in the corpus.

        A metadata file in it goes back.
        """
        beside = metadata_file_of(target)
        if (place / _METADATA).exists() and not os.path.lexists(beside) and target.exists():
            _move(place / _METADATA, beside)
        if not (place / _METADATA).exists():
            self._drop(place)

    def _drop(self, place: Path) -> None:
        """Delete the folder of a removal, its record last."""
        for name in (_FILE, _METADATA, f"{_RECORD}.tmp", _RECORD):
            (place / name).unlink(missing_ok=True)
        with suppress(OSError):  # somebody put something else there
            place.rmdir()

    def _errors(self) -> "_Errors":
        return _Errors(self._corpus)


class _Errors:
    """A context in which an error of the system becomes a CorpusError."""

    def __init__(self, corpus: Path) -> None:
        self._corpus = corpus

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        """Raise CorpusError for an OSError."""
        if isinstance(error, OSError):
            raise CorpusError("corpus.not-writable", corpus=self._corpus, error=error.strerror) from error


def _record(place: Path) -> dict[str, str]:
    """Return the record of a removal; empty if there is none that can be read."""
    try:
        values = json.loads((place / _RECORD).read_bytes().decode("utf-8", "surrogatepass"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(values, dict):
        return {}
    return {name: value for name, value in values.items() if isinstance(value, str)}


def _is_as_indexed(source: SourceFile, entry: CatalogueEntry, corpus: Path) -> bool:
    """Return True if a file is the one that was indexed.

    Its metadata file may be another one, if sizes and times show that the file itself is the same. Raises OSError.
    """
    status = os.stat(source.file)
    if entry.stamp.startswith(f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"):
        return True
    if not entry.digest:  # it was not read to its end
        return entry.size == status.st_size
    listed = next((one for one in list_corpus(corpus).sources if one.path == source.path), source)  # with its rules
    return entry.digest == listed.digest()


def _has_file(place: Path) -> bool:
    """Return True if a removal has its file.

    It may be a link, which leads nowhere from there.
    """
    return os.path.lexists(place / _FILE)


def _is_within(file: Path, corpus: Path) -> bool:
    """Return True if a file's folder lies in the corpus, whatever links lead there."""
    return file.parent.resolve().is_relative_to(corpus.resolve())


def _move_if_there(file: Path, target: Path) -> None:
    if file.is_file():
        _move(file, target)


def _move(file: Path, target: Path) -> None:
    """Rename a file within the corpus durably.

    The new name is on disk before the old one is gone for good.
    """
    os.rename(file, target)
    sync_folder(target.parent)
    sync_folder(file.parent)
