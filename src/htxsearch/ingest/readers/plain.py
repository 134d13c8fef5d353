"""Plain text saves: the first line is the title, stamps near it give the date."""

from collections.abc import Iterator

from htxsearch.ingest.furniture import body_paragraphs
from htxsearch.ingest.metadata import Known
from htxsearch.ingest.readers.draft import Draft, decode
from htxsearch.text.dates import stamp
from htxsearch.text.tokens import tokens

__all__ = ["read_plain"]


def read_plain(data: bytes) -> Iterator[Draft]:
    """Plain text: the first line that is not furniture is the title, stamps near it give the date.

    A stamp below the title is the publication date; one above it is often the day the page was
    saved, and counts only if there is no other.
    """
    paragraphs = body_paragraphs(decode(data).split("\n"))
    above = below = None
    title: str | None = None
    kept: list[str] = []
    for number, paragraph in enumerate(paragraphs):
        day = stamp(paragraph) if number < 8 else None
        if day is not None:
            above, below = (above or day, below) if title is None else (above, below or day)
        elif title is None and not kept and len(tokens(paragraph)) <= 60:
            title = paragraph
        else:
            kept.append(paragraph)
    return iter([Draft("\n".join(kept), Known(title=title, date=below or above))])
