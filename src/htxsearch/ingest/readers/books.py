"""EPUB books, and pages that a browser saved into one file (MHTML)."""

import email
import email.policy
import posixpath
from collections.abc import Iterator
from dataclasses import replace
from email.errors import MessageError
from typing import Any
from urllib.parse import unquote

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.archive import Archive, safe_xml
from htxsearch.ingest.readers.base import ParsedDocument, document
from htxsearch.ingest.readers.page import read_page
from htxsearch.text.dates import find_date
from htxsearch.text.normalize import nfc

__all__ = ["read_epub", "read_mhtml"]

_BLOCKS = frozenset("p h1 h2 h3 h4 h5 h6 li td th dt dd pre blockquote div figcaption caption".split())


def read_epub(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of a book.

    It has the paragraphs of the book's chapters in reading order, and the title and author of its package file.
    """
    archive = Archive(data)
    if "META-INF/encryption.xml" in archive:
        raise Unreadable(message("file.book-protected"))
    container = safe_xml(archive.read("META-INF/container.xml"))
    root = next((file.get("full-path") for file in container.iter("{*}rootfile")), None)
    if root is None:
        raise Unreadable(message("file.book-without-chapters"))
    package = safe_xml(archive.read(root))
    files = {item.get("id"): item.get("href") for item in package.iter("{*}item")}
    lines: list[str] = []
    # each chapter once: a book that repeats one is an attack
    for chapter in dict.fromkeys(reference.get("idref") for reference in package.iter("{*}itemref")):
        href = files.get(chapter)
        if href:
            lines += _chapter(archive.read(posixpath.normpath(posixpath.join(posixpath.dirname(root), unquote(href)))))
    title = _first(package, "title")
    known = Metadata(author=_first(package, "creator"))
    yield document([title, *lines], known, headings=[0]) if title else document(lines, known)


def _first(package: Any, name: str) -> str | None:
    element = next(package.iter("{http://purl.org/dc/elements/1.1/}" + name), None)
    return " ".join("".join(element.itertext()).split()) or None if element is not None else None


def _chapter(data: bytes) -> list[str]:
    """Return a chapter's paragraphs: its blocks that contain no other block."""
    from lxml import html
    from lxml.etree import ParserError

    try:
        root = html.document_fromstring(data, parser=html.HTMLParser(encoding="utf-8", no_network=True))
    except ParserError:  # an empty chapter
        return []
    for element in root.xpath("//script|//style|//head|//nav"):
        element.drop_tree()
    blocks = [block for block in root.iter(*_BLOCKS) if not any(child.tag in _BLOCKS for child in block.iterdescendants())]
    return [block.text_content() for block in blocks]


def read_mhtml(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of a page saved as a single file.

    It is the file's HTML part, with the address and the day of saving.
    """
    try:
        mail = email.message_from_bytes(data, policy=email.policy.default)
        part = next((part for part in mail.walk() if part.get_content_type() == "text/html"), None)
        if part is None:
            raise Unreadable(message("file.mhtml-without-page"))
        html = part.get_payload(decode=True)
        address = part.get("Content-Location") or mail.get("Snapshot-Content-Location")
        saved = mail.get("Date")
        day = saved.datetime.date() if saved is not None and saved.datetime else find_date(str(saved or ""))
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(message("file.mhtml-damaged", error=str(error))) from error
    known = Metadata(url=nfc(str(address).strip()) if address and str(address).startswith("http") else None, crawled=day)
    for parsed in read_page(html if isinstance(html, bytes) else b""):
        yield replace(parsed, metadata=parsed.metadata.or_else(known), without=None, lines=())
