"""The corpus folder: which files are articles, and what they hold."""

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from htxsearch.errors import CorpusError
from htxsearch.ingest.article import Article, Rejected, Unchanged
from htxsearch.ingest.metadata import SIDECAR_SUFFIX, read_sidecar
from htxsearch.ingest.readers import Unreadable, lines_of, read_articles, reader_of
from htxsearch.ingest.readers.archive import PASSED_OVER
from htxsearch.ingest.subscriptions import FEEDS_FILE
from htxsearch.text.normalize import nfc

__all__ = [
    "FileState",
    "SourceFile",
    "articles_of",
    "check_corpus",
    "counted_lines",
    "may_be_article",
    "news_of",
    "source_files",
]

_MAX_BYTES = 100 * 1024 * 1024
"""A larger file is refused: it would be held in memory whole. JSON lines may be split."""

_UNSETTLED_NS = 2_000_000_000
"""A file changed within the tick of its clock after it was looked at would keep its times; the coarsest tick is 2 s (FAT)."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of the corpus: where it is, and its path relative to the corpus, with "/"."""

    file: Path
    path: str

    @property
    def sidecar(self) -> Path:
        """The file in which the user may say what he knows better."""
        return self.file.with_name(self.file.name + SIDECAR_SUFFIX)

    def digest(self) -> str:
        """Return a hash of the file's and its sidecar's bytes; of what is too large to be read, of its size. Raises OSError."""
        found = hashlib.blake2b(digest_size=16)
        for file in (self.file, self.sidecar):
            if file.is_file():
                size = file.stat().st_size
                held = file.read_bytes() if size <= _MAX_BYTES else str(size).encode()
                found.update(hashlib.blake2b(held, digest_size=16).digest())
        return found.hexdigest()

    def stamp(self) -> "FileState":
        """Return what tells without reading whether the file or its sidecar may have changed. Raises OSError."""
        state = os.stat(self.file)
        told = [state.st_size, state.st_mtime_ns, state.st_ctime_ns]
        try:
            of_sidecar = os.stat(f"{self.file}{SIDECAR_SUFFIX}")
        except FileNotFoundError:
            pass
        else:
            told += [of_sidecar.st_size, of_sidecar.st_mtime_ns, of_sidecar.st_ctime_ns]
        settled = time.time_ns() - max(told) > _UNSETTLED_NS
        return FileState(" ".join(map(str, told)) if settled else "", state.st_size)


class FileState(NamedTuple):
    """Sizes and times of a file and its sidecar; `told` is empty if it changed so lately that it may again unnoticed."""

    told: str
    size: int


def source_files(corpus: Path) -> tuple[list[SourceFile], list[Rejected]]:
    """Return the files of the corpus folder, sorted by path, and what in it cannot be listed or looked at.

    Hidden files, sidecars, and what a saved page or an office program leaves beside an article are passed over.
    Raises CorpusError if the corpus folder itself cannot be listed.
    """
    found: list[SourceFile] = []
    rejected = []
    folders = [(_list_corpus(corpus), "")]
    while folders:
        entries, inside = folders.pop()
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    path = _as_text(f"{inside}{entry.name}")
                    try:
                        folders.append((list(os.scandir(entry.path)), f"{inside}{entry.name}/"))
                    except OSError as error:
                        rejected.append(Rejected(path, f"cannot be listed: {error.strerror}"))
            elif may_be_article(entry.name):
                path = _as_text(f"{inside}{entry.name}")
                try:
                    if entry.is_file():
                        found.append(SourceFile(Path(entry.path), path))
                except OSError as error:  # a link to itself
                    rejected.append(Rejected(path, f"cannot be read: {error.strerror}"))
    return sorted(found, key=lambda one: one.path), sorted(rejected, key=lambda one: one.path)


def check_corpus(corpus: Path) -> None:
    """Raise CorpusError if the corpus folder cannot be listed."""
    _list_corpus(corpus)


def _list_corpus(corpus: Path) -> list["os.DirEntry[str]"]:
    if not corpus.is_dir():
        raise CorpusError(f"there is no corpus folder {corpus}; make it and put articles in, or name another with --corpus DIR")
    try:
        return list(os.scandir(corpus))
    except OSError as error:
        raise CorpusError(f"cannot list the corpus folder {corpus}: {error.strerror}; check its permissions") from error


def may_be_article(name: str) -> bool:
    """Tell whether a file of this name is read; hidden ones, sidecars, the list of feeds and a page's parts are not."""
    suffix = os.path.splitext(name)[1].lower()
    return (
        not name.startswith((".", "~$"))
        and not name.endswith(SIDECAR_SUFFIX)
        and suffix not in PASSED_OVER
        and name != FEEDS_FILE
    )


def _as_text(path: str) -> str:
    """Return a path as an id: composed; bytes that are no text become U+FFFD."""
    return path if path.isascii() else nfc(path.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def articles_of(source: SourceFile) -> Iterator[Article | Rejected]:
    """Yield what a file holds: one article, or one for each JSON line; a Rejected for what cannot be read."""
    for found in news_of(source, {}):
        assert not isinstance(found, Unchanged), "no line is known"
        yield found


def counted_lines(source: SourceFile) -> tuple[str, tuple[str, ...]]:
    """Return a file's source and the lines in it that are counted to learn what repeats there; none if it cannot be read."""
    try:
        data = _bytes(source)
        return lines_of(reader_of(data, source.file.name), data, source.path, read_sidecar(source.sidecar))
    except (Unreadable, OSError):  # `news_of` says so when its turn comes
        return "", ()


def _bytes(source: SourceFile) -> bytes:
    """Return what a file holds. Raises Unreadable if it is too large, OSError."""
    if source.file.stat().st_size > _MAX_BYTES:
        raise Unreadable(f"larger than {_MAX_BYTES // 1024**2} MB; split it")
    return source.file.read_bytes()


def news_of(
    source: SourceFile, known: Mapping[str, str], learnt: Set[str] = frozenset()
) -> Iterator[Article | Unchanged | Rejected]:
    """Yield what a file holds, as `articles_of` does, but for JSON lines whose hash is `known` only their article's id.

    Lines whose hash is `learnt` are left out as furniture, see `repeated`.
    """
    try:
        data = _bytes(source)
        reader = reader_of(data, source.file.name)
        yield from read_articles(reader, data, source.path, read_sidecar(source.sidecar), known, learnt)
    except Unreadable as error:
        yield Rejected(source.path, str(error))
    except OSError as error:
        yield Rejected(source.path, f"cannot be read: {error.strerror}")
