"""The times at which each article entered the index and last changed in it.

Beside them is the metadata that lists show.

The rows are a blob, committed with the postings. The stamps of two commits differ, even within a second: whoever has seen the
articles up to a stamp misses none by asking for later ones. Hence the latest stamp is kept beside the rows: that of an article
which was removed is not given again. A rebuild keeps the stamps of the articles it finds again.
"""

import json
import time
import zlib
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

from htxsearch.engine.contract import Document, Engine

__all__ = ["Arrival", "ArrivalTable", "Arrivals", "read_arrivals"]

_BLOB, _LAST = "arrivals", "last-stamp"
_PAGE = 200
"""Records that are asked for at once."""


class Arrival(NamedTuple):
    """An article's row: its stamps in seconds since 1970, and its metadata.

    The stamps are 0 for an article that an older program indexed. `date` is ISO, `checksum` that of the record.
    """

    entered: int
    changed: int
    checksum: int
    title: str
    date: str | None
    place: str | None
    source: str | None


class ArrivalTable(NamedTuple):
    """The row of every article, by id, and the latest stamp that any had, 0 for none."""

    rows: dict[str, Arrival]
    last: int


def read_arrivals(engine: Engine) -> ArrivalTable:
    """Return the rows of a commit and its latest stamp.

    The rows of articles without one are made of the stored articles, which an index of an older program needs once. Its latest
    stamp is that of its rows.
    """
    rows = _rows(engine)
    kept = json.loads(engine.blob(_LAST) or b"0")
    return ArrivalTable(rows, max([kept, *(row.changed for row in rows.values())]))


def _rows(engine: Engine) -> dict[str, Arrival]:
    known = {article_id: Arrival(*row) for article_id, row in json.loads(engine.blob(_BLOB) or b"{}").items()}
    if len(known) == engine.counts().articles:
        return known
    missing = iter([article_id for article_id in engine.article_ids() if article_id not in known])
    while some := list(islice(missing, _PAGE)):
        for article_id, record in zip(some, engine.records(some), strict=True):
            if record is not None:
                known[article_id] = _row(record, 0, 0)
    return known


def _row(record: str, entered: int, changed: int) -> Arrival:
    fields = json.loads(record)
    metadata = (fields["title"], fields["date"], fields["place"], fields["source"])
    return Arrival(entered, changed, zlib.crc32(record.encode("utf-8", "replace")), *metadata)


class Arrivals:
    """The rows during a run, for its commits.

    `former` are those of the index that a rebuild replaces.
    """

    def __init__(self, engine: Engine, former: ArrivalTable | None = None, clock: Callable[[], float] = time.time) -> None:
        self._rows, last = read_arrivals(engine)
        self._former, former_last = former or ArrivalTable({}, 0)
        self._clock = clock
        self._last = max(last, former_last)
        self._stamp = 0

    def put(self, document: Document) -> None:
        """Note an article that is new or changed, unless a rebuild finds it unchanged."""
        stamp = self._stamp or max(int(self._clock()), self._last + 1)
        before = self._rows.get(document.id) or self._former.get(document.id)
        row = _row(document.record, before.entered if before else stamp, stamp)
        if before and before.checksum == row.checksum:
            row = row._replace(changed=before.changed)
        else:
            self._stamp = stamp
        self._rows[document.id] = row

    def drop(self, article_id: str) -> None:
        """Forget an article that was removed."""
        self._rows.pop(article_id, None)

    def blobs(self) -> dict[str, bytes]:
        """Return the blob to commit; the next commit has a later stamp."""
        self._last = max(self._last, self._stamp)
        self._stamp = 0
        rows = json.dumps(self._rows, ensure_ascii=False).encode("utf-8", "replace")
        return {_BLOB: rows, _LAST: json.dumps(self._last).encode()}
