"""The periods that a text names, and the period that holds for a fact in it.

`text.date_mentions` reads the dates. This module adds "hiện nay" (now) as the day of publication. A rule
picks the period of a fact at some position of the text: a figure without its time is no answer to a question that
names a time.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache

from htxsearch.text.date_mentions import DateMention, date_mentions
from htxsearch.text.sentences import Span

__all__ = ["known_periods", "overlap", "overlap_any", "period_at"]

_NOW = re.compile(r"(?<!\w)(?:(?:cho )?(?:đến|tới|hiện) nay|hiện tại|hiện giờ|đến thời điểm này)(?!\w)", re.IGNORECASE)
_COMPARISONS = ("so với", "cùng kỳ")
"""Words right before a period that a figure is compared with: so với năm 2018."""
_COMPARISON_REACH = 30
"""Characters before a period in which such words are looked for."""


@lru_cache(maxsize=64)  # each sentence of a passage asks for its passage's periods
def known_periods(text: str, published: date | None) -> tuple[DateMention, ...]:
    """Return the periods of NFC `text` whose days are known, in text order.

    Relative ones, and "hiện nay" as one day, are counted from `published`; without it they are left out.
    """
    periods = [mention for mention in date_mentions(text, published=published) if mention.first]
    for match in _NOW.finditer(text) if published else ():
        start, end = match.span()
        if not any(start < period.end and period.start < end for period in periods):
            periods.append(DateMention(start, end, published, published, "as-of"))
    return tuple(sorted(periods))


def period_at(text: str, periods: Sequence[DateMention], sentence: Span, position: int) -> DateMention | None:
    """Return the period that holds for a fact at `position` of `sentence`.

    It is chosen among the periods that the passage names: the last one before the fact in its sentence, else the first
    one behind it, else the last one before the sentence. A period that the fact is only compared with (so với năm
    2018) is passed over.
    """
    usable = [period for period in periods if period.end <= sentence.end and not _is_compared(text, period)]
    inside = [period for period in usable if period.start >= sentence.start]
    before = [period for period in inside if period.end <= position]
    behind = [period for period in inside if period.start > position]
    earlier = [period for period in usable if period.end <= sentence.start]
    nearest = before[-1:] or behind[:1] or earlier[-1:]
    return nearest[0] if nearest else None


def _is_compared(text: str, period: DateMention) -> bool:
    before = text[max(0, period.start - _COMPARISON_REACH) : period.start]
    return before.lower().rstrip().endswith(_COMPARISONS)


def overlap(one: DateMention, other: DateMention) -> bool:
    """Return True if two periods have a day in common.

    An end that is not known is open.
    """
    first, last = max(one.first or date.min, other.first or date.min), min(one.last or date.max, other.last or date.max)
    return first <= last


def overlap_any(periods: Iterable[DateMention], other: DateMention) -> bool:
    """Return True if one of `periods` has a day in common with `other`."""
    return any(overlap(period, other) for period in periods)
