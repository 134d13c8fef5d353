"""Plain text saves: the first line of the story is the title, stamps near it give the date."""

from collections.abc import Iterator, Sequence, Set
from functools import partial

from htxsearch.ingest.boilerplate import REPEATED, LineLabels, is_prose, sort_lines
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.base import ParsedDocument, decode, document, is_official, take_stamps
from htxsearch.text.dates import read_dateline
from htxsearch.text.tokens import tokens

__all__ = ["read_plain"]


def read_plain(data: bytes) -> Iterator[ParsedDocument]:
    """Plain text: the first line that is not furniture is the title, stamps near it give the date.

    One above the title is often the day the page was saved. Title, body and what was dropped are all lines of the file.
    A state document's title stands below its letterhead.
    """
    lines = decode(data).split("\n")
    if is_official(line for line in lines if line.strip()):  # no page of a site, so there is no furniture in it
        return iter([document(lines, Metadata())])
    return iter([_draft(lines)])


def _draft(lines: Sequence[str], learnt: Set[str] = frozenset()) -> ParsedDocument:
    sorting = sort_lines(lines, learnt)
    number = _title(sorting)
    title = None if number is None else sorting.lines[number]
    known = take_stamps(sorting, Metadata(title=title), number)
    body = [sorting.lines[one] for one in sorting.left() if one != number]
    return ParsedDocument(
        "\n".join(body), known, dropped=sorting.dropped(), lines=tuple(sorting.lines), again=partial(_draft, tuple(lines))
    )


def _title(sorting: LineLabels) -> int | None:
    """Return the number of the title's line, None if the story begins with a long paragraph."""
    head = [number for number in sorting.left()[:16] if read_dateline(sorting.lines[number]) is None]
    if not head:
        return None
    first = head[0]
    if is_prose(sorting.lines[first]):  # a title that several articles share was taken for furniture
        repeated = [number for number in range(first) if sorting.reasons[number] == REPEATED]
        if repeated:
            sorting.reasons[repeated[-1]] = None
            return repeated[-1]
    shorter = _without_site(sorting, head)
    if shorter is not None:
        sorting.drop([first], "the title with the site's name")
        first = shorter
    return first if len(tokens(sorting.lines[first])) <= 60 else None


def _without_site(sorting: LineLabels, head: Sequence[int]) -> int | None:
    """Return which line above the text repeats the beginning of the first, as a page's heading does its window's title."""
    for number in head[1:8]:
        line = sorting.lines[number]
        if is_prose(line):
            break
        if len(line.split()) >= 4 and sorting.lines[head[0]].startswith(line):
            return number
    return None
