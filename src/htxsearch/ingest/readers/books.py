"""EPUB books, and pages that a browser saved into one file (MHTML)."""

import email
import email.policy
import posixpath
from collections.abc import Iterator
from dataclasses import replace
from email.errors import MessageError
from typing import Any
from urllib.parse import unquote

from htxsearch.ingest.metadata import Metadata, Unreadable
from htxsearch.ingest.readers.archive import Archive, safe_xml
from htxsearch.ingest.readers.base import ParsedDocument, document
from htxsearch.ingest.readers.page import read_page
from htxsearch.text.dates import find_date
from htxsearch.text.normalize import nfc

__all__ = ["read_epub", "read_mhtml"]

_BLOCKS = frozenset("p h1 h2 h3 h4 h5 h6 li td th dt dd pre blockquote div figcaption caption".split())


def read_epub(data: bytes) -> Iterator[ParsedDocument]:
    """A book: the paragraphs of its chapters in reading order; title and author from its own list."""
    archive = Archive(data)
    if "META-INF/encryption.xml" in archive:
        raise Unreadable("the book is protected against copying and cannot be read")
    container = safe_xml(archive.read("META-INF/container.xml"))
    root = next((one.get("full-path") for one in container.iter("{*}rootfile")), None)
    if root is None:
        raise Unreadable("the book does not say where its list of chapters is")
    package = safe_xml(archive.read(root))
    files = {one.get("id"): one.get("href") for one in package.iter("{*}item")}
    lines: list[str] = []
    for one in dict.fromkeys(one.get("idref") for one in package.iter("{*}itemref")):  # each chapter once, or it is a trap
        href = files.get(one)
        if href:
            lines += _chapter(archive.read(posixpath.normpath(posixpath.join(posixpath.dirname(root), unquote(href)))))
    title = _first(package, "title")
    known = Metadata(author=_first(package, "creator"))
    yield document([title, *lines], known, headings=[0]) if title else document(lines, known)


def _first(package: Any, name: str) -> str | None:
    found = next(package.iter("{http://purl.org/dc/elements/1.1/}" + name), None)
    return " ".join("".join(found.itertext()).split()) or None if found is not None else None


def _chapter(data: bytes) -> list[str]:
    """Return a chapter's paragraphs; what has none of its own within is one."""
    from lxml import html
    from lxml.etree import ParserError

    try:
        root = html.document_fromstring(data, parser=html.HTMLParser(encoding="utf-8", no_network=True))
    except ParserError:  # an empty chapter
        return []
    for one in root.xpath("//script|//style|//head|//nav"):
        one.drop_tree()
    blocks = [one for one in root.iter(*_BLOCKS) if not any(child.tag in _BLOCKS for child in one.iterdescendants())]
    return [one.text_content() for one in blocks]


def read_mhtml(data: bytes) -> Iterator[ParsedDocument]:
    """A page saved as one file: its HTML part as a page, with its address and the day it was saved."""
    try:
        message = email.message_from_bytes(data, policy=email.policy.default)
        part = next((one for one in message.walk() if one.get_content_type() == "text/html"), None)
        if part is None:
            raise Unreadable("there is no page in it")
        html = part.get_payload(decode=True)
        address = part.get("Content-Location") or message.get("Snapshot-Content-Location")
        saved = message.get("Date")
        day = saved.datetime.date() if saved is not None and saved.datetime else find_date(str(saved or ""))
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(f"the saved page is damaged ({error}); save it anew") from error
    known = Metadata(url=nfc(str(address).strip()) if address and str(address).startswith("http") else None, crawled=day)
    for draft in read_page(html if isinstance(html, bytes) else b""):
        yield replace(draft, known=draft.known.or_else(known), again=None, lines=())
