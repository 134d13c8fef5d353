"""The corpus folder: which files are articles, and what they hold."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from htxsearch.article import Article, Rejected
from htxsearch.errors import CorpusError
from htxsearch.ingest.metadata import SIDECAR_SUFFIX, read_sidecar
from htxsearch.ingest.readers import READERS, Unreadable, read_articles
from htxsearch.text.normalize import nfc

__all__ = ["SourceFile", "articles_of", "source_files"]

_MAX_BYTES = 100 * 1024 * 1024
"""A larger file is refused: it would be held in memory whole. JSON lines may be split."""


_PASSED_OVER = frozenset(
    ".js .css .png .jpg .jpeg .gif .webp .svg .ico .bmp .woff .woff2 .ttf .map .download .db .ini .lnk".split()
)
"""What browsers save beside a page, and systems beside a folder's files; never an article."""


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
        """Return a hash of the file's and its sidecar's bytes. Raises OSError."""
        found = hashlib.blake2b(digest_size=16)
        for file in (self.file, self.sidecar):
            if file.is_file():
                found.update(hashlib.blake2b(file.read_bytes(), digest_size=16).digest())
        return found.hexdigest()


def source_files(corpus: Path) -> tuple[list[SourceFile], list[Rejected]]:
    """Return the files of the corpus folder, sorted by path, and the folders in it that cannot be listed.

    Hidden files, sidecars, and what a saved page or an office program leaves beside an article are passed over.
    Raises CorpusError if the corpus folder itself cannot be listed.
    """
    if not corpus.is_dir():
        raise CorpusError(f"there is no corpus folder {corpus}; make it and put articles in, or name another with --corpus DIR")
    unlisted: list[OSError] = []
    found = []
    for folder, subfolders, names in os.walk(corpus, onerror=unlisted.append):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            file = Path(folder, name)
            if not name.startswith((".", "~$")) and file.suffix.lower() not in _PASSED_OVER and file.is_file():
                found.append(SourceFile(file, _as_text(file.relative_to(corpus))))
    rejected = []
    for error in unlisted:
        if Path(error.filename) == corpus:
            raise CorpusError(f"cannot list the corpus folder {corpus}: {error.strerror}; check its permissions") from error
        rejected.append(Rejected(_as_text(Path(error.filename).relative_to(corpus)), f"cannot be listed: {error.strerror}"))
    return sorted((one for one in found if not one.path.endswith(SIDECAR_SUFFIX)), key=lambda one: one.path), rejected


def _as_text(path: Path) -> str:
    """Return a path as an id: composed, with "/"; bytes that are no text become U+FFFD."""
    return nfc(path.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def articles_of(source: SourceFile) -> Iterator[Article | Rejected]:
    """Yield what a file holds: one article, or one for each JSON line; a Rejected for what cannot be read."""
    reader = READERS.get(source.file.suffix.lower())
    if reader is None:
        known = ", ".join(sorted(READERS))
        yield Rejected(source.path, f"files of type {source.file.suffix or '(none)'} are not read; known are {known}")
        return
    try:
        if source.file.stat().st_size > _MAX_BYTES:
            yield Rejected(source.path, f"larger than {_MAX_BYTES // 1024**2} MB; split it")
            return
        yield from read_articles(reader, source.file.read_bytes(), source.path, read_sidecar(source.sidecar))
    except Unreadable as error:
        yield Rejected(source.path, str(error))
    except OSError as error:
        yield Rejected(source.path, f"cannot be read: {error.strerror}")
