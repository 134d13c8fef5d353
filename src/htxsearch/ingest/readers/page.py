"""Saved web pages."""

from collections.abc import Iterator

from htxsearch.ingest.metadata import Known, Unreadable
from htxsearch.ingest.readers.draft import Draft, after_stamp, same_text
from htxsearch.text.dates import find_date
from htxsearch.text.normalize import nfc

__all__ = ["read_page"]


def read_page(data: bytes) -> Iterator[Draft]:
    """A saved page, by trafilatura (Apache-2.0): main text, title, date, site and address."""
    import trafilatura

    found = trafilatura.bare_extraction(
        data, include_comments=False, include_tables=True, favor_recall=False, with_metadata=True, deduplicate=False
    )
    if found is None or isinstance(found, dict) or not found.text:
        raise Unreadable("no article text was found in the page")
    day = find_date(found.date) if found.date else None
    known = Known(
        title=nfc(found.title) if found.title else None,
        date=day,
        source=nfc(found.sitename) if found.sitename else None,
        url=found.url or None,
    )
    lines = nfc(found.text).split("\n")
    if known.title and lines and same_text(lines[0], known.title):
        lines = lines[1:]
    yield from after_stamp(lines, known)
