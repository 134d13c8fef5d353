"""Plain text saves, with their title and date.

The first line of the main content is the title; datelines near it give the date.
"""

from collections.abc import Iterator, Sequence, Set
from functools import partial

from htxsearch.errors.messages import message
from htxsearch.ingest.boilerplate import REPEATED, LineLabels, is_prose, label_lines
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.base import ParsedDocument, decode, document, take_datelines
from htxsearch.ingest.readers.letterhead import is_official, read_letterhead
from htxsearch.text.dates import read_dateline
from htxsearch.text.official import own_number
from htxsearch.text.tokens import tokens

__all__ = ["read_plain"]


def read_plain(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of a plain text.

    Its title is the first line of the main content. The date is that of a dateline near the title. A dateline above
    the title is often the day on which the page was saved. Title, body and boilerplate are together all lines of
    the file. The title of a state document is below its letterhead.
    """
    lines = decode(data).split("\n")
    full = [line for line in lines if line.strip()]
    if is_official(full) or read_letterhead(full):  # not a page of a site, so it has no boilerplate
        return iter([document(lines, Metadata())])
    return iter([_parsed(lines)])


def _parsed(lines: Sequence[str], learned: Set[str] = frozenset()) -> ParsedDocument:
    labels = label_lines(lines, learned)
    number = _title(labels)
    title = None if number is None else labels.lines[number]
    own = own_number([labels.lines[kept] for kept in labels.left()])
    known = take_datelines(labels, Metadata(title=title, number=own), number)
    body = [labels.lines[kept] for kept in labels.left() if kept != number]
    return ParsedDocument(
        "\n".join(body),
        known,
        dropped=labels.dropped(),
        lines=tuple(labels.lines),
        without=partial(_parsed, tuple(lines)),
        heading=title,
    )


def _title(labels: LineLabels) -> int | None:
    """Return the number of the title's line.

    None if the article begins with a long paragraph.
    """
    head = [number for number in labels.left()[:16] if read_dateline(labels.lines[number]) is None]
    if not head:
        return None
    first = head[0]
    if is_prose(labels.lines[first]):  # a title that several articles share was taken for boilerplate
        repeated = [number for number in range(first) if labels.reasons[number] == REPEATED]
        if repeated:
            labels.reasons[repeated[-1]] = None
            return repeated[-1]
    shorter = _without_site(labels, head)
    if shorter is not None:
        labels.drop([first], message("dropped.title-with-site"))
        first = shorter
    return first if len(tokens(labels.lines[first])) <= 60 else None


def _without_site(labels: LineLabels, head: Sequence[int]) -> int | None:
    """Return the number of a heading line that repeats the start of the first line.

    It is above the text. The first line is then the title of the window, which names the site, too.
    """
    for number in head[1:8]:
        line = labels.lines[number]
        if is_prose(line):
            break
        if len(line.split()) >= 4 and labels.lines[head[0]].startswith(line):
            return number
    return None
