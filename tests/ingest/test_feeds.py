"""What feeds and sitemaps list, well-formed or not."""

import contextlib
import gzip
import random
from datetime import date

import pytest

from htxsearch.ingest.feeds import kind_of, read_listing
from htxsearch.ingest.hosts import AddressRefused

RSS = """<?xml version="1.0" encoding="utf-8"?>
<!-- <urlset> is only a comment -->
<rss version="2.0"><channel><title>Tin hợp tác xã</title><link>https://tin.example/</link>
<item><title>Chè  được mùa</title><link>https://tin.example/che</link><guid>1</guid></item>
<item><title>Lúa</title><link>/lua</link></item>
<item><title>Không có địa chỉ</title></item>
<item><title>Chè, lần nữa</title><link>https://tin.example/che</link></item>
</channel></rss>""".encode()
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Tin</title><entry><title>Một</title>
<link href="https://tin.example/1"/><updated>2020-06-26T00:00:00Z</updated></entry></feed>""".encode()
SITEMAP = b"""\xef\xbb\xbf<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc> https://tin.example/cu </loc><lastmod>2019-01-01</lastmod></url><url><lastmod>2020-01-01</lastmod></url>
<url><loc>https://tin.example/moi</loc><lastmod>2020-06-26</lastmod></url></urlset>"""
SITEMAPS = SITEMAP.replace(b"urlset", b"sitemapindex").replace(b"url>", b"sitemap>")
BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>"""


def urls(data: bytes) -> list[str]:
    return [one.url for one in read_listing(data, "https://tin.example/feed.xml").entries]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (RSS, "feed"),
        (RSS.decode().encode("utf-16"), "feed"),
        (ATOM, "feed"),
        (b"<rdf:RDF xmlns:rdf='x'/>", "feed"),
        (SITEMAP, "sitemap"),
        (gzip.compress(SITEMAP, mtime=0), "sitemap"),
        (SITEMAPS, "sitemaps"),
        (BOMB + b"<rss/>", "feed"),
        (b"<!DOCTYPE html><html><body><rss></body></html>", None),
        ("Giá chè < 5 <rss>".encode(), None),
        (b"<article/>", None),
        (b"\x1f\x8bbroken", None),
        (b"", None),
    ],
)
def test_they_are_known_by_content(data: bytes, kind: str | None) -> None:
    assert kind_of(data) == kind


def test_a_feed_lists_each_page_once() -> None:
    found = read_listing(RSS, "https://tin.example/feed.xml")
    assert found.title == "Tin hợp tác xã"
    assert [one.url for one in found.entries] == ["https://tin.example/che", "https://tin.example/lua"]
    [one] = read_listing(ATOM, "https://tin.example/feed.xml").entries
    assert (one.url, one.title, one.version) == ("https://tin.example/1", "Một", "2020-06-26T00:00:00Z")


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("Sat, 28 Nov 2020 10:00:00 +0700", date(2020, 11, 28)),
        ("Fri, 27 Nov 2020 09:15:00 GMT+7", date(2020, 11, 27)),
        ("Fri, 20 Nov 20 10:00:00 +0700", date(2020, 11, 20)),
        ("26/11/2020 14:30", date(2020, 11, 26)),
        ("11/25/2020 3:02:45 PM", date(2020, 11, 25)),
        ("2020-11-24T08:00:00", date(2020, 11, 24)),
        ("Thứ Hai, 23/11/2020 - 07:30", date(2020, 11, 23)),
        ("T7, 21 Thg 11 2020 10:00:00 +07", date(2020, 11, 21)),
        ("31 Feb 2020", None),
        ("99 tháng 99 2020", None),
        ("hôm qua", None),
        ("", None),
    ],
)
def test_the_day_of_an_entry_is_read_as_feeds_write_it(written: str, day: date | None) -> None:
    rss = f"<rss><channel><item><link>/1</link><pubDate>{written}</pubDate></item></channel></rss>".encode()
    [entry] = read_listing(rss, "https://tin.example/").entries
    assert entry.published == day


def test_a_sitemap_lists_the_latest_first() -> None:
    for data in (SITEMAP, gzip.compress(SITEMAP), SITEMAPS):
        assert urls(data) == ["https://tin.example/moi", "https://tin.example/cu"]


@pytest.mark.parametrize("root", [RSS[RSS.index(b"<rss") :], ATOM, SITEMAP[SITEMAP.index(b"<urlset") :]])
def test_entities_are_refused(root: bytes) -> None:
    with pytest.raises(AddressRefused, match="entities"):
        read_listing(BOMB + root, "https://tin.example/")
    with pytest.raises(AddressRefused, match="entities"):
        read_listing((BOMB + root).decode().encode("utf-16"), "https://tin.example/")


@pytest.mark.parametrize(
    "data",
    [
        SITEMAP[:-30],
        b"<urlset><url><loc>a</url></urlset>",
        b"<rss><channel><item>",
        b"<article/>",
        gzip.compress(SITEMAP, mtime=0)[:40],
    ],
)
def test_broken_ones_are_refused(data: bytes) -> None:
    with pytest.raises(AddressRefused):
        read_listing(data, "https://tin.example/")


def test_a_packed_sitemap_is_not_unpacked_without_end() -> None:
    with pytest.raises(AddressRefused, match="unpacks to more"):
        read_listing(gzip.compress(SITEMAP[:-9] + bytes(60_000_000)), "https://tin.example/")


def test_a_feed_that_looks_like_a_file_name_is_not_opened() -> None:
    for data in (b"/etc/passwd", b"http://127.0.0.1/", b"file:///etc/passwd"):
        with pytest.raises(AddressRefused, match="neither"):
            read_listing(data, "https://tin.example/")


def test_a_malformed_address_is_listed_unchanged() -> None:
    assert urls(b"<urlset><url><loc>http://[</loc></url></urlset>") == ["http://["]


def test_damaged_ones_are_read_or_refused() -> None:
    chance = random.Random(7)
    for data in (RSS, ATOM, SITEMAP):
        for _ in range(60):
            damaged = bytearray(data)
            for _ in range(chance.randint(1, 6)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            with contextlib.suppress(AddressRefused):
                assert all(urls(bytes(damaged)))
