"""The hits of the last query, so that `show 1` can name one by its number.

A file of the user's cache folder for each index folder has the ids of the articles, where their passages begin, the path of
the index and the time: no word of the query, no text. It is read and written as a whole. Nothing depends on it: where
it cannot be read or written, articles are named by their ids.
"""

import datetime
import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from htxsearch.cli.user_folders import cache_folder
from htxsearch.errors import UnknownArticle

if TYPE_CHECKING:
    from htxsearch.index import Index
    from htxsearch.search.results import SearchHit

__all__ = ["NamedArticle", "named_article", "remember_hits"]

_NUMBER = re.compile(r"[1-9][0-9]{0,5}")
_MOST_FILES = 100
"""Index folders whose last hits are kept; those queried longest ago are forgotten."""
_LONGEST_PATH = 100
"""Bytes of a path that names its file: each is two characters of the name, and a name may have 255."""
_NO_CACHE = (OSError, RuntimeError)
"""Errors where nothing can be kept: a full or read-only disk, a user without a home."""


class NamedArticle(NamedTuple):
    """The id of an article, and the offset at which the passage of the hit begins.

    The offset is None if the article was not named by the number of a hit.
    """

    id: str
    passage: int | None = None


class _LastHits(NamedTuple):
    """The number of the first hit shown, and each hit's article."""

    first: int
    hits: tuple[NamedArticle, ...]


def named_article(index: "Index", name: str) -> NamedArticle:
    """Return the article that `name` identifies: its id, the number of a hit, a path.

    The id of an article goes before the number of a hit of the last query, and that before the end of an id.
    Raises UnknownArticle.
    """
    if not _NUMBER.fullmatch(name) or name in index.article_ids():
        return NamedArticle(index.find(name))
    number, last = int(name), _last_hits(index.path)
    if last and last.first <= number < last.first + len(last.hits):
        return last.hits[number - last.first]
    try:
        return NamedArticle(index.find(name))
    except UnknownArticle as error:
        if error.code == "article.ambiguous":
            raise
        raise _no_such_hit(name, last) from None


def _no_such_hit(name: str, last: _LastHits | None) -> UnknownArticle:
    if last is None:
        return UnknownArticle("hit.no-query", article=name)
    count, first = len(last.hits), last.first
    if count and first > 1:
        return UnknownArticle("hit.not-on-page", article=name, first=first, last=first + count - 1)
    return UnknownArticle("hit.unknown", article=name, count=count)


def remember_hits(folder: Path, hits: "Sequence[SearchHit]", *, first: int = 1) -> None:
    """Keep the hits of a query of the index in `folder`, numbered from `first`.

    Those of the query before are forgotten.
    """
    from htxsearch.ingest.atomic_files import replace_file

    kept = {
        "index": str(folder.resolve()),
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "first": first,
        "hits": [[hit.article_id, hit.passage.start] for hit in hits],
    }
    with suppress(*_NO_CACHE):  # a query answers nevertheless
        file = _file_of(folder)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_new = not file.exists()
        replace_file(file, [json.dumps(kept).encode()], temporary=f"{file.name}.{os.getpid()}.tmp", durable=False)
        if is_new:
            _forget_oldest(file.parent)


def _last_hits(folder: Path) -> _LastHits | None:
    """Return the hits of the last query of an index, None if none are kept."""
    try:
        kept = json.loads(_file_of(folder).read_bytes())
        hits = tuple(NamedArticle(str(article_id), int(start)) for article_id, start in kept["hits"])
        return _LastHits(int(kept["first"]), hits)
    except (*_NO_CACHE, ValueError, KeyError, TypeError):  # there is no file, or another program has written it
        return None


def _forget_oldest(folder: Path) -> None:
    files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[_MOST_FILES:]:
        file.unlink(missing_ok=True)


def _file_of(folder: Path) -> Path:
    path = os.fsencode(folder.resolve())
    name = path.hex()
    if len(path) > _LONGEST_PATH:
        from hashlib import sha256  # loads OpenSSL: 3 ms

        name = sha256(path).hexdigest()
    return cache_folder() / "last-hits" / f"{name}.json"
