"""EPUB books, and pages that a browser saved into one file (MHTML)."""

import email
import posixpath
from collections.abc import Iterator
from dataclasses import replace
from email.errors import MessageError
from email.policy import EmailPolicy
from typing import Any
from urllib.parse import unquote

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Dropped, Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.archive import Archive, safe_xml
from htxsearch.ingest.readers.base import ParsedDocument, document
from htxsearch.ingest.readers.blocks import blocks_of, controls_of
from htxsearch.ingest.readers.markup import markup_lines, page_tree
from htxsearch.ingest.readers.page import read_page
from htxsearch.text.dates import find_date
from htxsearch.text.normalize import nfc

__all__ = ["read_epub", "read_mhtml"]

_LONGEST_HEADER = 2_000
"""Characters of a header of a saved page, those of a long address; Python takes the square of some."""


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
    dropped: list[Dropped] = []
    # each chapter once: a book that repeats one is an attack
    for chapter in dict.fromkeys(reference.get("idref") for reference in package.iter("{*}itemref")):
        if href := files.pop(chapter, None):
            found, menu = _chapter(archive.read(_member(root, href)))
            lines += found
            dropped += menu
    for href in files.values():  # a table of contents, a page that only a link shows
        if href and href.lower().endswith((".xhtml", ".html", ".htm")) and (name := _member(root, href)) in archive:
            found, menu = _chapter(archive.read(name))
            dropped += (*menu, *(Dropped(line, message("dropped.other-part")) for line in found))
    title = _first(package, "title")
    known = Metadata(author=_first(package, "creator"))
    yield document([title, *lines] if title else lines, known, headings=[0] if title else (), dropped=tuple(dropped))


def _member(package: str, href: str) -> str:
    """Return the name in the archive of a file that the package file names."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(package), unquote(href)))


def _first(package: Any, name: str) -> str | None:
    element = next(package.iter("{http://purl.org/dc/elements/1.1/}" + name), None)
    return " ".join("".join(element.itertext()).split()) or None if element is not None else None


def _chapter(data: bytes) -> tuple[list[str], list[Dropped]]:
    """Return a chapter's paragraphs, and its table of contents."""
    from lxml import html
    from lxml.etree import ParserError

    try:
        root = html.document_fromstring(data, parser=html.HTMLParser(encoding="utf-8", no_network=True))
    except ParserError:  # an empty chapter
        return [], []
    lines: list[str] = []
    dropped: list[Dropped] = []
    for block in blocks_of(root):
        if block.element.tag == "nav" or next(block.element.iterancestors("nav"), None) is not None:
            dropped.append(Dropped(block.text, message("dropped.menu")))
        else:
            lines.append(block.text)
    return lines, dropped + [Dropped(text, message("dropped.control")) for text in controls_of(root)]


class _Bounded(EmailPolicy):
    """Python's reading of headers; of an endless one, the begin counts."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_HEADER]


_POLICY = _Bounded()


def read_mhtml(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of a page saved as a single file.

    It is the file's first HTML part, with the address and the day of saving. Its other texts, frames as a rule, are dropped.
    """
    try:
        mail: Any = email.message_from_bytes(data, policy=_POLICY)
        texts = [part for part in mail.walk() if part.get_content_type() in ("text/html", "text/plain")]
        part = next((part for part in texts if part.get_content_type() == "text/html"), None)
        if part is None:
            raise Unreadable(message("file.mhtml-without-page"))
        html = part.get_payload(decode=True)
        others = [_words_of(text) for text in texts if text is not part]
        address = part.get("Content-Location") or mail.get("Snapshot-Content-Location")
        saved = mail.get("Date")
        day = saved.datetime.date() if saved is not None and saved.datetime else find_date(str(saved or ""))
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(message("file.mhtml-damaged", error=str(error))) from error
    known = Metadata(url=nfc(str(address).strip()) if address and str(address).startswith("http") else None, crawled=day)
    for parsed in read_page(html if isinstance(html, bytes) else b""):
        dropped = parsed.dropped + tuple(Dropped(text, message("dropped.other-part")) for text in others if text)
        yield replace(parsed, metadata=parsed.metadata.or_else(known), without=None, lines=(), dropped=dropped)


def _words_of(part: Any) -> str:
    """Return the text of a part of a saved page."""
    is_page = part.get_content_type() == "text/html"
    root = page_tree(part.get_payload(decode=True)) if is_page else None
    if root is not None:
        return "\n".join([*(block.text for block in blocks_of(root)), *controls_of(root)])
    text = nfc(str(part.get_content()).strip())
    return "\n".join(markup_lines(text)) if is_page and text else text
