"""Feeds and sitemaps: which pages they list. They are data from strangers; nothing here fetches."""

import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from htxsearch.ingest.hosts import AddressRefused, joined
from htxsearch.text.normalize import nfc

__all__ = ["Feed", "FeedEntry", "kind_of", "read_listing"]

_MAX_UNPACKED = 50 * 1024 * 1024
"""What the sitemap protocol allows."""
_MAX_ENTRIES = 50_000
_KINDS: dict[str, Literal["feed", "sitemap", "sitemaps"]] = {
    "rss": "feed",
    "rdf": "feed",
    "feed": "feed",
    "urlset": "sitemap",
    "sitemapindex": "sitemaps",
}


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One page that is listed. `version` changes when the page does, where the list tells."""

    url: str
    title: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feed, a sitemap, or an index of sitemaps ("sitemaps") lists, newest or first first."""

    kind: Literal["feed", "sitemap", "sitemaps"]
    title: str
    entries: tuple[FeedEntry, ...]


def kind_of(data: bytes) -> Literal["feed", "sitemap", "sitemaps"] | None:
    """Tell by its outermost element whether something is a feed or a sitemap; None is neither."""
    try:
        head = _unpacked(data, 4096)[:4096] if data[:2] == b"\x1f\x8b" else data[:4096]
    except AddressRefused:
        return None
    text = head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1", "replace")
    text = re.sub(r"<!--.*?(?:-->|$)|<\?.*?\?>|<![A-Za-z][^>\[]*(?:\[.*?\]\s*)?>", "", text, flags=re.DOTALL).lstrip(
        "ï»¿\ufeff \r\n\t"
    )
    root = re.match(r"<(?:[\w.-]+:)?([A-Za-z]+)[\s>/]", text)
    return _KINDS.get(root[1].lower()) if root else None


def read_listing(data: bytes, url: str) -> Feed:
    """Read a feed (RSS, Atom, by feedparser), a sitemap or an index of sitemaps, gzip or not. Raises Refused."""
    if data[:2] == b"\x1f\x8b":
        data = _unpacked(data, _MAX_UNPACKED)
    kind = kind_of(data)
    if kind is None:
        raise AddressRefused("is neither a feed nor a sitemap")
    if b"<!ENTITY" in data.replace(b"\0", b""):  # without the zeros it is found in UTF-16, too
        raise AddressRefused("defines XML entities, which no feed needs and which can be made to fill the memory")
    title, entries = _feed(data) if kind == "feed" else ("", _sitemap(data))
    unique = {one.url: one for one in (FeedEntry(joined(url, e.url), e.title, e.version) for e in entries) if one.url}
    return Feed(kind, title, tuple(unique.values()))


def _feed(data: bytes) -> tuple[str, list[FeedEntry]]:
    import feedparser

    try:
        # As a stream: a text is taken for an address or a file's name if it looks like one.
        found: Any = feedparser.parse(io.BytesIO(data), sanitize_html=False, resolve_relative_uris=False)
    except Exception as error:  # of broken feeds it lets through whatever its parts raise, UnicodeDecodeError for one
        raise AddressRefused(f"the feed cannot be read: {type(error).__name__}: {error}") from error
    entries = [
        FeedEntry(str(one.link), _line(one.get("title", "")), str(one.get("updated", "")))
        for one in found.entries
        if one.get("link")
    ]
    if found.bozo and not entries:
        raise AddressRefused(f"the feed cannot be read: {found.bozo_exception}")
    return _line(found.feed.get("title", "")), entries[:_MAX_ENTRIES]


def _sitemap(data: bytes) -> list[FeedEntry]:
    from lxml import etree

    parser = etree.XMLPullParser(
        events=("end",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
    )
    found: list[FeedEntry] = []
    try:
        parser.feed(data)
        for _, element in parser.read_events():
            if isinstance(element.tag, str) and etree.QName(element).localname in ("url", "sitemap"):
                said = dict(_children(element))
                if said.get("loc"):
                    found.append(FeedEntry(said["loc"], "", said.get("lastmod", "")))
                element.clear()
        parser.close()
    except etree.XMLSyntaxError as error:
        raise AddressRefused(f"the sitemap is not valid XML: {error.msg}") from error
    return sorted(found, key=lambda one: one.version, reverse=True)[:_MAX_ENTRIES]


def _children(element: Any) -> Iterator[tuple[str, str]]:
    for child in element:
        if isinstance(child.tag, str):
            yield child.tag.rpartition("}")[2], (child.text or "").strip()


def _line(text: object) -> str:
    return nfc(" ".join(str(text).split()))


def _unpacked(data: bytes, most: int) -> bytes:
    try:
        unpack = zlib.decompressobj(31)
        found = unpack.decompress(data, most + 1)
    except zlib.error as error:
        raise AddressRefused("is broken gzip") from error
    if len(found) > most and most == _MAX_UNPACKED:
        raise AddressRefused(f"unpacks to more than {most // 1024**2} MB")
    return found
