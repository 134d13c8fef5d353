"""`query --new-since`: the hits of articles that entered the index after a time.

The time "last" is that of the newest article when the same query was asked with "last" before: the stamps are in
`new-since.json` in the index folder, under hashes of the queries. An index made anew without the old one has other stamps,
and no such file. The file may be lost; then all articles are new once.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from htxsearch.errors import IndexNotWritable

if TYPE_CHECKING:
    from htxsearch.index import Index
    from htxsearch.search.results import Results

__all__ = ["FILE", "LAST", "NewSince"]

FILE = "new-since.json"
LAST = "last"
_MOST = 1_000
"""Queries whose time is kept; those asked longest ago are forgotten."""
_DIGITS = 24


class NewSince:
    """The hits that are new since a time, or since the same query was asked last."""

    def __init__(self, index: "Index", query: str, options: Mapping[str, Any], since: str) -> None:
        """Read the time. Raises UsageError if it is neither "last" nor a day or time."""
        from hashlib import sha256

        from htxsearch.search.newest import moment

        narrowed = {name: options[name] for name in ("place", "source", "since", "until", "match") if options.get(name)}
        asked = json.dumps([query, narrowed], ensure_ascii=False, default=str)
        self._path = index.path / FILE
        self._key = sha256(asked.encode("utf-8", "replace")).hexdigest()[:_DIGITS]
        self._is_last = since == LAST
        self._since = self._stamps().get(self._key, -1) + 1 if self._is_last else moment(since)
        self._newest = -1

    def of(self, index: "Index", results: "Results") -> "Results":
        """Return results with the hits of new articles alone, the newest first."""
        listing = index.searcher().snapshot.listing
        self._newest = listing.last_stamp()
        hits = [hit for hit in results.hits if listing[hit.article_id].entered >= self._since]
        hits.sort(key=lambda hit: listing[hit.article_id].entered, reverse=True)
        return replace(results, hits=tuple(hits), total=len(hits), near=sum(hit.near for hit in hits))

    def remember(self) -> None:
        """Keep the time for the next "last". Raises IndexNotWritable."""
        from htxsearch.ingest.atomic_files import replace_file

        if not self._is_last:
            return
        stamps = self._stamps()
        stamps.pop(self._key, None)
        kept = dict([*stamps.items(), (self._key, self._newest)][-_MOST:])
        try:
            replace_file(self._path, [json.dumps(kept).encode()])
        except OSError as error:
            raise IndexNotWritable("index.file-not-writable", file=str(self._path), reason=error.strerror) from error

    def _stamps(self) -> dict[str, int]:
        """Return the time of each query; none if the file is lost or damaged."""
        with suppress(OSError, ValueError, TypeError, AttributeError):
            return {str(key): int(stamp) for key, stamp in json.loads(self._path.read_bytes()).items()}
        return {}
