"""Lists of articles: new ones, by entry or date, and those without date or place."""

import datetime
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from htxsearch.errors import UsageError
from htxsearch.indexing.arrivals import Arrival, ArrivalTable
from htxsearch.text.places import province_now

__all__ = ["ListedArticle", "Listing", "Order", "moment"]

Order = Literal["entered", "changed", "date"]


@dataclass(frozen=True, slots=True)
class ListedArticle:
    """An article in a list. The stamps are seconds since 1970, 0 if not known."""

    article_id: str
    title: str
    date: datetime.date | None
    place: str | None
    source: str | None
    entered: int
    changed: int


class Listing:
    """All articles of a commit."""

    def __init__(self, arrivals: ArrivalTable) -> None:
        self._rows, self._last = arrivals
        self._sorted: dict[Order, Sequence[str]] = {}

    def __getitem__(self, article_id: str) -> ListedArticle:
        """Return an article. Raises KeyError."""
        row = self._rows[article_id]
        date = datetime.date.fromisoformat(row.date) if row.date else None
        return ListedArticle(article_id, row.title, date, row.place, row.source, row.entered, row.changed)

    def last_stamp(self) -> int:
        """Return the latest stamp that any article had, 0 if none is known."""
        return self._last

    def select(
        self,
        *,
        order: Order = "entered",
        among: Collection[str] | None = None,
        since: int = 0,
        month: str = "",
        source: Sequence[str] = (),
        place: Sequence[str] = (),
        lacks: Literal["", "date", "place"] = "",
    ) -> list[str]:
        """Return the ids of articles, latest first by `order`; ties by id.

        `since` is the least stamp: of the change with the order "changed", else of the entry. `month` is 2023-05 or 2023;
        a place is that of today, too. `among` are the only articles asked about.
        """
        stamped: Callable[[Arrival], int] = (lambda row: row.changed) if order == "changed" else (lambda row: row.entered)
        places = {*place, *(province_now(one) or one for one in place)}
        ordered = self._in_order(order)
        if among is None and not (since or month or source or place or lacks):
            return list(ordered)
        chosen = []
        for article_id in ordered:
            row = self._rows[article_id]
            if since and order != "date" and stamped(row) < since:
                break  # and so are all after it
            if (
                (among is None or article_id in among)
                and (not since or stamped(row) >= since)
                and (not month or (row.date or "").startswith(month))
                and (not source or row.source in source)
                and (not place or row.place in places or (row.place and province_now(row.place) in places))
                and not (lacks == "date" and row.date)
                and not (lacks == "place" and row.place)
            ):
                chosen.append(article_id)
        return chosen

    def _in_order(self, order: Order) -> Sequence[str]:
        if order not in self._sorted:
            ids = sorted(self._rows)
            if order != "entered":
                ids.sort(key=lambda one: self._rows[one].date or "", reverse=True)
            if order == "date":
                self._sorted[order] = ids
                return ids
            stamp = "changed" if order == "changed" else "entered"
            ids.sort(key=lambda one: (getattr(self._rows[one], stamp), self._rows[one].date or ""), reverse=True)
            self._sorted[order] = ids
        return self._sorted[order]

    @cached_property
    def months(self) -> dict[str, int]:
        """The number of articles by month, the latest first."""
        counts = Counter(row.date[:7] for row in self._rows.values() if row.date)
        return dict(sorted(counts.items(), reverse=True))

    @cached_property
    def undated(self) -> int:
        """The number of articles without a date."""
        return sum(not row.date for row in self._rows.values())

    @cached_property
    def unplaced(self) -> int:
        """The number of articles without a place."""
        return sum(not row.place for row in self._rows.values())


def moment(text: str) -> int:
    """Return the stamp of a day or time in ISO form, or of seconds since 1970.

    A time without a zone, and the begin of a day, are of this machine's zone. Raises UsageError.
    """
    stripped = text.strip()
    try:
        if stripped.isascii() and stripped.isdecimal() and len(stripped) > 8:
            return int(stripped[:12])
        return max(0, int(datetime.datetime.fromisoformat(stripped.replace(" ", "+")).timestamp()))
    except (ValueError, OverflowError, OSError):
        raise UsageError("option.moment", value=text[:60]) from None
