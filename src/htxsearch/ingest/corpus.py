"""The corpus folder: its source files, and the articles in them."""

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from htxsearch.errors import CorpusError
from htxsearch.errors.messages import message
from htxsearch.ingest.article import Article, Rejected, Unchanged, Unreadable
from htxsearch.ingest.guard import guarded
from htxsearch.ingest.ignored import IgnoreRules, with_rules_of
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.metadata_files import METADATA_SUFFIX, metadata_file_of, read_metadata_file
from htxsearch.ingest.readers import lines_to_count, read_articles, reader_of
from htxsearch.ingest.readers.archive import IGNORED_SUFFIXES, is_picture_of_page
from htxsearch.ingest.readers.budget import LARGE, Budget, is_light, within
from htxsearch.ingest.readers.kinds import kind_of
from htxsearch.ingest.readers.ocr import recogniser
from htxsearch.ingest.subscriptions import FEEDS_FILE
from htxsearch.ingest.synonyms import SYNONYMS_FILE
from htxsearch.text.normalize import nfc

__all__ = [
    "CorpusFiles",
    "FileState",
    "SourceFile",
    "articles_of",
    "changed_articles",
    "check_corpus",
    "ids_of",
    "lines_for_counting",
    "list_corpus",
    "may_be_article",
    "source_at",
    "source_files",
]

_MAX_BYTES = 100 * 1024 * 1024
"""Larger files are rejected, since a file is read into memory as a whole. JSON lines may be split."""

_LINES = (".jsonl", ".ndjson")
"""The ends of the names of files of any size whose lines are read one by one."""
_WITH_MEMBERS = (".eml", ".msg", ".zip")
"""The ends of the names of files that hold others, which a `.htxignore` may name."""

_MTIME_GRANULARITY_NS = 2_000_000_000
"""A file that changes twice within the tick of its clock keeps its times; the coarsest tick is 2 s (FAT)."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the corpus.

    `file` is its location, `path` its path relative to the corpus, with "/". `rules` say which members of it are ignored.
    """

    file: Path
    path: str
    rules: IgnoreRules = field(default=IgnoreRules(), compare=False, repr=False)

    @property
    def metadata_file(self) -> Path:
        """The file in which the user may give metadata that override the article's own."""
        return metadata_file_of(self.file)

    def _rules_of_members(self) -> str:
        """Return a fingerprint of the rules for members, "" for a file without any."""
        return self.rules.fingerprint() if self.path.lower().endswith(_WITH_MEMBERS) else ""

    def digest(self) -> str:
        """Return a hash of the file, its metadata file and the rules for its members.

        The rules for its members count, too. Of a file that is too large, the size is hashed. Raises OSError.
        """
        digest = hashlib.blake2b(self._rules_of_members().encode(), digest_size=16)
        for file in (self.file, self.metadata_file):
            if file.is_file():
                size = file.stat().st_size
                content = file.read_bytes() if size <= _MAX_BYTES else str(size).encode()
                digest.update(hashlib.blake2b(content, digest_size=16).digest())
        return digest.hexdigest()

    def state(self) -> "FileState":
        """Return the sizes and times that reveal a change without reading the file.

        Raises OSError.
        """
        status = os.stat(self.file)
        numbers = [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        try:
            of_metadata = os.stat(self.metadata_file)
        except FileNotFoundError:
            pass
        else:
            numbers += [of_metadata.st_size, of_metadata.st_mtime_ns, of_metadata.st_ctime_ns]
        is_old = time.time_ns() - max(numbers) > _MTIME_GRANULARITY_NS
        signature = " ".join(filter(None, (*map(str, numbers), self._rules_of_members())))
        return FileState(signature if is_old else "", status.st_size)


class FileState(NamedTuple):
    """The state of a file: sizes and times, by which a change is noticed.

    `signature` has the sizes and times of the file and its metadata file as a text; it is empty if the file changed
    so recently that another change might not be noticed. `size` is the size of the file.
    """

    signature: str
    size: int


class CorpusFiles(NamedTuple):
    """The files of a corpus: those to read, those that cannot be read, those ignored.

    All are sorted by path. `ignored` has the files and folders that a `.htxignore` names, folders with "/" at the end. `hidden`
    has the folders that were not looked into, as they or their `.htxignore` cannot be read: "" for all, or with "/" at the end.
    """

    sources: list[SourceFile]
    rejected: list[Rejected]
    ignored: list[str]
    hidden: list[str]


def source_files(corpus: Path) -> tuple[list[SourceFile], list[Rejected]]:
    """Return the files of the corpus folder to read, and those that cannot be read."""
    return list_corpus(corpus)[:2]


def list_corpus(corpus: Path) -> CorpusFiles:
    """Return the files of the corpus folder.

    Folders that cannot be listed, and a `.htxignore` that cannot be read, are among the rejected. Passed over are hidden files,
    metadata files, and the files that a saved page or an office program leaves beside an article.

    Raises CorpusError if the corpus folder itself cannot be listed.
    """
    found = CorpusFiles([], [], [], [])
    listed = _list_corpus(corpus)
    rules, wrong = with_rules_of(corpus, "", IgnoreRules())
    found.rejected.extend(wrong)
    if rules is None:
        found.hidden.append("")
        return found
    folders = [(listed, "", rules)]
    while folders:
        entries, inside, rules = folders.pop()
        for entry in entries:
            path = _as_text(f"{inside}{entry.name}")
            if entry.is_dir(follow_symlinks=False):
                if entry.name.startswith("."):
                    continue
                if rules.ignore(f"{path}/"):
                    found.ignored.append(f"{path}/")
                    continue
                try:
                    listed = list(os.scandir(entry.path))
                except OSError as error:
                    found.rejected.append(Rejected(path, message("file.unlisted", error=error.strerror)))
                    found.hidden.append(f"{path}/")
                    continue
                within, wrong = with_rules_of(entry.path, f"{path}/", rules)
                found.rejected.extend(wrong)
                if within is None:
                    found.hidden.append(f"{path}/")
                    continue
                folders.append((listed, f"{inside}{entry.name}/", within))
            elif may_be_article(entry.name) and not is_picture_of_page(path):
                if rules.ignore(path):
                    found.ignored.append(path)
                    continue
                try:
                    if entry.is_file():
                        found.sources.append(SourceFile(Path(entry.path), path, rules))
                except OSError as error:  # a link to itself
                    found.rejected.append(Rejected(path, message("file.unreadable", error=error.strerror)))
    found.sources.sort(key=lambda source: source.path)
    found.rejected.sort(key=lambda each: each.path)
    found.ignored.sort()
    return found


def source_at(corpus: Path, path: str) -> SourceFile | None:
    """Return the file at a path of the corpus, None if it is gone.

    Its name on the disk may use another Unicode composition. A path that leaves the corpus, or that leads to a hidden file, is
    no article's: an index that names it is a stranger's. Raises CorpusError if the corpus cannot be listed.
    """
    if "\0" in path or any(not part or part.startswith(".") for part in path.split("/")):
        return None
    if (corpus / path).is_file():
        return SourceFile(corpus / path, path)
    return next((source for source in list_corpus(corpus).sources if source.path == path), None)


def check_corpus(corpus: Path, *, not_empty: bool = False) -> None:
    """Raise CorpusError if the corpus folder cannot be listed.

    So does an empty one that must not be empty.
    """
    if not _list_corpus(corpus) and not_empty:
        raise CorpusError("corpus.empty", corpus=corpus)


def _list_corpus(corpus: Path) -> list["os.DirEntry[str]"]:
    if not corpus.is_dir():
        raise CorpusError("corpus.missing", corpus=corpus)
    try:
        return list(os.scandir(corpus))
    except OSError as error:
        raise CorpusError("corpus.unlisted", corpus=corpus, error=error.strerror) from error


def may_be_article(name: str) -> bool:
    """Return True if a file may be an article.

    False for hidden files, metadata files, the list of feeds, the user's synonyms and the parts of a saved page.
    """
    suffix = os.path.splitext(name)[1].lower()
    return (
        not name.startswith((".", "~$"))
        and not name.endswith(METADATA_SUFFIX)
        and suffix not in IGNORED_SUFFIXES
        and name not in (FEEDS_FILE, SYNONYMS_FILE)
    )


def _as_text(path: str) -> str:
    """Return a path as an id: composed (NFC); bytes that are not text become U+FFFD."""
    return path if path.isascii() else nfc(path.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def articles_of(source: SourceFile) -> Iterator[Article | Rejected]:
    """Yield the articles of a file, and a Rejected for each part that cannot be read."""
    for outcome in changed_articles(source, {}):
        assert not isinstance(outcome, Unchanged), "no line is known"
        yield outcome


def lines_for_counting(source: SourceFile) -> tuple[str, tuple[str, ...]]:
    """Return the source of a file and the lines counted to learn its boilerplate.

    The source is that of `readers.lines_to_count`. An unreadable file has no source and no lines.
    """
    try:
        size = source.file.stat().st_size
        absolute = replace(source, file=Path(os.path.abspath(source.file)))
        light = _is_light(source, size)
        [counted] = _counted(source) if light else guarded(_counted, absolute, allowed=Budget.for_file(size))
        return counted
    except Exception:  # `changed_articles` reports it when the file is read
        return "", ()


def _counted(source: SourceFile) -> Iterator[tuple[str, tuple[str, ...]]]:
    data = _bytes(source)
    reader = reader_of(data, source.file.name)
    yield lines_to_count(reader, data, source.path, read_metadata_file(source.metadata_file))


def _bytes(source: SourceFile) -> bytes:
    """Return the bytes of a file. Raises Unreadable if it is too large, OSError."""
    if source.file.stat().st_size > _MAX_BYTES:
        raise Unreadable(message("file.too-large", megabytes=_MAX_BYTES // 1024**2))
    return source.file.read_bytes()


def _is_light(source: SourceFile, size: int) -> bool:
    """Return True if reading, or rejecting, a file costs little. Raises OSError."""
    if size > LARGE and not source.path.lower().endswith(_LINES):
        return size > _MAX_BYTES
    try:
        data = _bytes(source)
        return is_light(kind_of(data, os.path.splitext(source.file.name)[1].lower()), data)
    except Unreadable:  # it is rejected
        return True


def changed_articles(
    source: SourceFile, known: Mapping[str, str], boilerplate: Set[str] = frozenset()
) -> Iterator[Article | Unchanged | Rejected]:
    """Yield the outcomes of `articles_of`, but an Unchanged for each known JSON line.

    `known` has article ids by the hashes of their lines. `boilerplate` has the hashes of the lines that are left
    out since they repeat on the site, see `site_boilerplate`. A file that may cost much is read by another process; the parts
    that were read before its budget was spent are yielded.
    """
    recogniser().begin_file(source.path)
    try:
        size = source.file.stat().st_size
        if _is_light(source, size):
            yield from _read(source, known, boilerplate, size)
        else:
            absolute = replace(source, file=Path(os.path.abspath(source.file)))
            given = (absolute, dict(known), frozenset(boilerplate), size)
            yield from guarded(_read, *given, allowed=Budget.for_file(size))
    except Unreadable as error:
        yield Rejected(source.path, error.message)
    except OSError as error:
        yield Rejected(source.path, message("file.unreadable", error=error.strerror))
    except Exception as error:  # a fault of a reader, or of a library, must not stop all other files from being read
        yield Rejected(source.path, message("file.reader-failed", error=f"{type(error).__name__}: {error}"))


def _read(
    source: SourceFile, known: Mapping[str, str], boilerplate: Set[str], size: int
) -> Iterator[Article | Unchanged | Rejected]:
    """Yield the outcomes of a file within its budget. Raises Unreadable, OSError."""
    recogniser().begin_file(source.path)
    data = _bytes(source)
    allowed = Budget.for_file(size)
    reader = reader_of(data, source.file.name)
    metadata = read_metadata_file(source.metadata_file)
    yield from within(allowed, read_articles(reader, data, source.path, metadata, known, boilerplate, source.rules.ignore))


def ids_of(data: bytes, path: str) -> Iterator[str]:
    """Yield the ids that the articles of a file will have at a path of the corpus.

    What may cost much is read by another process. Raises Unreadable if the file, or a part of it, stops its reader.
    """
    try:
        light = is_light(kind_of(data, os.path.splitext(path)[1].lower()), data)
        yield from _ids(data, path) if light else guarded(_ids, data, path, allowed=Budget.for_file(len(data)))
    except OSError as error:
        raise Unreadable(message("file.unreadable", error=error.strerror)) from error
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(message("file.reader-failed", error=f"{type(error).__name__}: {error}")) from error


def _ids(data: bytes, path: str) -> Iterator[str]:
    articles = read_articles(reader_of(data, path), data, path, Metadata())
    yield from (one.id for one in within(Budget.for_file(len(data)), articles) if isinstance(one, Article))
