"""Short ways to read the facts of a made-up text, and to count the work that reading takes."""

import datetime
import sys
from collections.abc import Callable

from htxsearch.facts.extract import Fact, extract_facts
from htxsearch.facts.mentions import FigureMention, figure_mentions
from htxsearch.text.date_mentions import date_mentions

__all__ = ["calls_of", "facts_in", "mentions_in", "one_fact", "surfaces"]


def facts_in(
    body: str, *, title: str = "Tin trong tuần", published: datetime.date | None = None, place: str | None = None
) -> list[Fact]:
    """Return the facts of an article with a title that says nothing."""
    return extract_facts(title, body, published=published, place=place)


def one_fact(
    body: str, surface: str, *, title: str = "Tin trong tuần", published: datetime.date | None = None, place: str | None = None
) -> Fact:
    """Return the fact whose figure is written as `surface`."""
    facts = facts_in(body, title=title, published=published, place=place)
    found = [fact for fact in facts if body[fact.start : fact.end] == surface]
    assert len(found) == 1, [body[fact.start : fact.end] for fact in facts]
    return found[0]


def surfaces(body: str) -> list[str]:
    """Return the figures of a text that are facts, as written."""
    return [body[fact.start : fact.end] for fact in facts_in(body)]


def mentions_in(text: str) -> list[FigureMention]:
    return figure_mentions(text, date_mentions(text))


def calls_of(run: Callable[[], object]) -> int:
    """Return how many functions `run` calls: its work, on whatever machine."""
    calls = 0

    def profiler(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(profiler)
    try:
        run()
    finally:
        sys.setprofile(None)
    return calls
