"""Refuse a reindex that would lose most of an index by mistake.

A disk that is not there, a copy that was cut off, or an ignore file that names too much looks like articles that were deleted.
An article is lost if no file of the corpus has its id or its text any more: one that moved to another file, or whose file was
split, is not. Files are read for that only if so much seems to be lost that it matters.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from htxsearch.errors import CorpusError
from htxsearch.indexing.catalogue import CatalogueEntry
from htxsearch.indexing.records import StoredArticle
from htxsearch.indexing.workers import CatalogueView
from htxsearch.ingest.article import Article, Rejected
from htxsearch.ingest.corpus import SourceFile, changed_articles

__all__ = ["Removals", "are_many"]

_MANY = 5
"""Articles whose loss at once is refused if they are more than half of all."""

_SHRUNK = 0.75
"""The share of its former size below which a file may have lost so many of its articles that it matters."""

_Records = Callable[[Sequence[str]], Sequence[str | None]]
_ReadFile = tuple[SourceFile, str, int]
"""A file that is new or changed, its digest and its size in bytes."""


def are_many(lost: int, total: int, *, is_empty: bool) -> bool:
    """Return True if so many articles of an index are lost that it may be a mistake.

    `is_empty` is true if nothing is left.
    """
    return lost > 1 and (is_empty or (lost >= _MANY and 2 * lost > total))


class Removals:
    """The articles of an index that a reindex would lose."""

    def __init__(
        self,
        corpus: Path,
        files: Mapping[str, CatalogueEntry],
        catalogue: CatalogueView,
        ignored: Sequence[str],
        *,
        has_files: bool,
    ) -> None:
        """`ignored` are the files, and folders with "/", that a `.htxignore` names."""
        self._corpus = corpus
        self._files = files
        self._catalogue = catalogue
        self._ignored = ignored
        self._has_files = has_files
        self._total = sum(len(entry.articles) for entry in files.values())

    def check(
        self,
        gone: Mapping[str, CatalogueEntry],
        changed: Sequence[_ReadFile],
        records: _Records,
    ) -> None:
        """Raise CorpusError if more than half of some articles, or all, would be lost.

        `gone` are the files that the corpus no longer has. `records` returns the stored record of each of some articles.
        """
        lost = self._without_file(gone, changed) | self._perhaps_lost_lines(changed)
        if are_many(len(lost), self._total, is_empty=not self._has_files):
            lost = self._not_found(lost, changed, records)
        if are_many(len(lost), self._total, is_empty=not self._has_files):
            ignored = sum(self._is_ignored(path) for path in lost.values())
            code = "corpus.many-ignored" if 2 * ignored > len(lost) else "corpus.many-removed"
            raise CorpusError(code, removed=len(lost), total=self._total, corpus=str(self._corpus))

    def _is_ignored(self, path: str) -> bool:
        return any(path == one or (one.endswith("/") and path.startswith(one)) for one in self._ignored)

    def _without_file(self, gone: Mapping[str, CatalogueEntry], changed: Sequence[_ReadFile]) -> dict[str, str]:
        """Return the articles, with their files, of files that are gone, not renamed."""
        new = {digest for source, digest, _ in changed if source.path not in self._files}
        entries = ((path, entry) for path, entry in gone.items() if not entry.digest or entry.digest not in new)
        return {article_id: path for path, entry in entries for article_id in entry.articles}

    def _perhaps_lost_lines(self, changed: Sequence[_ReadFile]) -> dict[str, str]:
        """Return the articles, with their files, of changed files that may have lost them.

        A file loses articles by getting smaller.
        """
        lost: dict[str, str] = {}
        for source, _, size in changed:
            entry = self._files.get(source.path, CatalogueEntry())
            if size < _SHRUNK * entry.size:
                lost |= dict.fromkeys(entry.articles, source.path)
        return lost

    def _not_found(self, lost: Mapping[str, str], changed: Sequence[_ReadFile], records: _Records) -> dict[str, str]:
        """Return those of some articles whose id and text no changed file has."""
        ids: set[str] = set()
        texts: set[bytes] = set()
        for source, _, _ in changed:
            for outcome in changed_articles(source, self._catalogue.lines(source.path), self._catalogue.repeating(source.path)):
                if not isinstance(outcome, Rejected):
                    ids.add(outcome.id)
                if isinstance(outcome, Article):
                    texts.add(_fingerprint(outcome.body))
        left = {article_id: path for article_id, path in lost.items() if article_id not in ids}
        stored = dict(zip(left, records(list(left)), strict=True))
        return {
            article_id: left[article_id]
            for article_id, one in stored.items()
            if one is None or _fingerprint(StoredArticle.from_json(article_id, one).article.body) not in texts
        }


def _fingerprint(body: str) -> bytes:
    """Return a hash of the words of a text, whatever its blanks."""
    return hashlib.blake2b(" ".join(body.split()).encode("utf-8", "surrogatepass"), digest_size=16).digest()
