"""Feeds and sitemaps: the pages that they list.

Input is untrusted; nothing here fetches.
"""

import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from htxsearch.errors.messages import message
from htxsearch.ingest.hosts import AddressRefused, joined
from htxsearch.text.dates import calendar_date, find_date
from htxsearch.text.normalize import nfc

__all__ = ["Feed", "FeedEntry", "kind_of", "read_listing"]

_MAX_UNPACKED = 50 * 1024 * 1024
"""The limit of the sitemap protocol."""
_MAX_ENTRIES = 50_000
_CENTURY = 100
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_NAMED_MONTH = re.compile(
    rf"(?P<day>\d{{1,2}})[ -](?:(?P<name>{'|'.join(_MONTHS)})[a-z]*|(?:thg|tháng) ?(?P<number>\d{{1,2}}))[ ,-]+"
    r"(?P<year>\d{4}|\d\d)(?!\d)",
    re.IGNORECASE,
)
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}),? +\d{1,2}:\d\d(?::\d\d)? *[AP]M", re.IGNORECASE)
_KINDS: dict[str, Literal["feed", "sitemap", "sitemaps"]] = {
    "rss": "feed",
    "rdf": "feed",
    "feed": "feed",
    "urlset": "sitemap",
    "sitemapindex": "sitemaps",
}


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One listed page.

    `version` changes when the page does, if the listing has one. `published` is the day that a feed gives it.
    """

    url: str
    title: str = ""
    version: str = ""
    published: date | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """The entries of a feed, a sitemap, or an index of sitemaps.

    `kind` is "sitemaps" for an index. The entries are newest first, or else in the order listed.
    """

    kind: Literal["feed", "sitemap", "sitemaps"]
    title: str
    entries: tuple[FeedEntry, ...]


def kind_of(data: bytes) -> Literal["feed", "sitemap", "sitemaps"] | None:
    """Return the kind of a feed or sitemap by its root element.

    None for anything else.
    """
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
    """Read a feed, a sitemap or an index of sitemaps.

    A feed is RSS or Atom, read by feedparser. The data may be compressed by gzip. Raises AddressRefused.
    """
    if data[:2] == b"\x1f\x8b":
        data = _unpacked(data, _MAX_UNPACKED)
    kind = kind_of(data)
    if kind is None:
        raise AddressRefused(message("fetch.not-a-feed"))
    if b"<!ENTITY" in data.replace(b"\0", b""):  # without its zeros UTF-16 is searched, too
        raise AddressRefused(message("fetch.xml-entities"))
    title, entries = _feed(data) if kind == "feed" else ("", _sitemap(data))
    absolute = (replace(entry, url=joined(url, entry.url)) for entry in entries)
    unique = {entry.url: entry for entry in absolute if entry.url}
    return Feed(kind, title, tuple(unique.values()))


def _feed(data: bytes) -> tuple[str, list[FeedEntry]]:
    import feedparser

    try:
        # As a stream: feedparser takes a text that looks like one for an address or a file name.
        parsed: Any = feedparser.parse(io.BytesIO(data), sanitize_html=False, resolve_relative_uris=False)
    except Exception as error:  # feedparser lets any error of its parts through, such as UnicodeDecodeError
        raise AddressRefused(message("fetch.feed-unreadable", error=f"{type(error).__name__}: {error}")) from error
    entries = []
    for entry in parsed.entries:
        updated, published = (str(dict.get(entry, name) or "") for name in ("updated", "published"))
        if entry.get("link"):
            version, day = updated or published, _day(published or updated)
            entries.append(FeedEntry(str(entry.link), _line(entry.get("title", "")), version, day))
    if parsed.bozo and not entries:
        raise AddressRefused(message("fetch.feed-unreadable", error=str(parsed.bozo_exception)))
    return _line(parsed.feed.get("title", "")), entries[:_MAX_ENTRIES]


def _day(text: str) -> date | None:
    """Return the day of a feed's date, None if it is none.

    Feeds write it by RFC 822 (Sat, 28 Nov 2026), with months in Vietnamese (21 Thg 11 2026), by ISO 8601, as Vietnam does
    (26/11/2026), or, with AM or PM, as America does (11/25/2026).
    """
    american = _AMERICAN.search(text)
    if american:
        month, day, year = map(int, american.groups())
        return calendar_date(year, month, day) or calendar_date(year, day, month)
    named = _NAMED_MONTH.search(text)
    if named:
        month = _MONTHS.index(named["name"].lower()) + 1 if named["name"] else int(named["number"])
        year = int(named["year"])
        return calendar_date(year + 2000 if year < _CENTURY else year, month, int(named["day"]))
    return find_date(text.replace("T", " "))


def _sitemap(data: bytes) -> list[FeedEntry]:
    from lxml import etree

    parser = etree.XMLPullParser(
        events=("end",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
    )
    entries: list[FeedEntry] = []
    try:
        parser.feed(data)
        for _, element in parser.read_events():
            if isinstance(element.tag, str) and etree.QName(element).localname in ("url", "sitemap"):
                values = dict(_children(element))
                if values.get("loc"):
                    entries.append(FeedEntry(values["loc"], "", values.get("lastmod", "")))
                element.clear()
        parser.close()
    except etree.XMLSyntaxError as error:
        raise AddressRefused(message("fetch.sitemap-not-xml", error=str(error.msg))) from error
    return sorted(entries, key=lambda entry: entry.version, reverse=True)[:_MAX_ENTRIES]


def _children(element: Any) -> Iterator[tuple[str, str]]:
    for child in element:
        if isinstance(child.tag, str):
            yield child.tag.rpartition("}")[2], (child.text or "").strip()


def _line(text: object) -> str:
    return nfc(" ".join(str(text).split()))


def _unpacked(data: bytes, limit: int) -> bytes:
    try:
        unpack = zlib.decompressobj(31)
        unpacked = unpack.decompress(data, limit + 1)
    except zlib.error as error:
        raise AddressRefused(message("fetch.gzip-broken")) from error
    if len(unpacked) > limit and limit == _MAX_UNPACKED:
        raise AddressRefused(message("fetch.unpacks-too-large", megabytes=limit // 1024**2))
    return unpacked
