"""Fetching, from a site on this machine that is slow, huge, looping, lying or well."""

import gzip
import socket
from collections.abc import Iterator
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from web import Answer, Site, running

from htxsearch.ingest.fetch import Fetched, Fetcher, Limits
from htxsearch.ingest.hosts import AddressRefused, parse_address, resolve

SHORT = Limits(connect_s=2, read_s=0.2, total_s=1, size=200_000, redirects=3, delay_s=0)


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as site:
        yield site


def fetch(url: str, **known: str) -> Fetched:
    return Fetcher(allow_private=True, limits=SHORT).fetch(url, **known)


def refusal(url: str, *, allow_private: bool = True, limits: Limits = SHORT) -> AddressRefused:
    with pytest.raises(AddressRefused) as caught:
        Fetcher(allow_private=allow_private, limits=limits).fetch(url)
    return caught.value


def test_a_page_comes_as_it_is(site: Site) -> None:
    url = site.page(
        "/tin?id=1", b"ch\xc3\xa8", "text/html; charset=utf-8", ETag='"7"', Last_Modified="Mon, 01 Jun 2020 00:00:00 GMT"
    )
    found = fetch(url + "#dau")
    assert found == Fetched(
        url=url, data=b"ch\xc3\xa8", content_type="text/html", etag='"7"', modified="Mon, 01 Jun 2020 00:00:00 GMT"
    )
    assert "htxsearch" in site.asked[-1][1]["User-Agent"]


def test_a_known_page_is_sent_only_if_it_changed(site: Site) -> None:
    url = site.page("/tin", b"moi", ETag='"7"')
    assert fetch(url, etag='"7"').unchanged
    assert fetch(url, etag='"6"').data == b"moi"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_packed_pages_are_unpacked(site: Site, coding: str) -> None:
    import zlib

    packed = gzip.compress(b"xin ch\xc3\xa0o", mtime=0) if coding == "gzip" else zlib.compress(b"xin ch\xc3\xa0o")
    assert fetch(site.page("/", packed, Content_Encoding=coding)).data.decode() == "xin chào"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (gzip.compress(bytes(50_000_000), mtime=0), {"Content-Encoding": "gzip"}),
        (b"x" * 200_001, {}),
        (b"", {"Content-Length": "99999999999"}),
    ],
    ids=["bomb", "large", "announced"],
)
def test_a_body_that_is_too_large_is_refused(site: Site, body: bytes, headers: dict[str, str]) -> None:
    site.answers["/"] = Answer(body, headers=headers)
    assert "larger than" in str(refusal(f"{site.root}/"))


def test_an_endless_body_is_cut_off(site: Site) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not site.over.is_set():
            handler.wfile.write(b"x" * 65536)

    site.answers["/"] = Answer(script=endless)
    assert "larger than" in str(refusal(f"{site.root}/"))


def test_a_site_that_does_not_answer_is_given_up(site: Site) -> None:
    site.answers["/"] = Answer(script=lambda _: site.over.wait(300))
    assert "took too long" in str(refusal(f"{site.root}/"))


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_site_that_drips_is_given_up(site: Site, part: str) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        if part == "body":
            handler.send_response(200)
            handler.end_headers()
        else:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not site.over.wait(0.05):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    site.answers["/"] = Answer(script=drip)
    limits = Limits(connect_s=2, read_s=5, total_s=0.4, delay_s=0)
    assert "took too long" in str(refusal(f"{site.root}/", limits=limits))


@pytest.mark.parametrize("body", [b"half", gzip.compress(b"a" * 1000, mtime=0)[:-12]])
def test_half_a_page_is_no_page(site: Site, body: bytes) -> None:
    headers = {"Content-Encoding": "gzip"} if body[:1] == b"\x1f" else {"Content-Length": "400"}
    site.answers["/"] = Answer(body, headers=headers)
    assert "broke off" in str(refusal(f"{site.root}/"))


def test_an_answer_that_is_not_http_is_refused(site: Site) -> None:
    site.answers["/"] = Answer(script=lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n"))
    assert "not answer in HTTP" in str(refusal(f"{site.root}/"))


def test_redirects_are_followed_and_counted(site: Site) -> None:
    for path, to in [("/a", "/b"), ("/b", "c"), ("/loop", "/pool"), ("/pool", "/loop")]:
        site.answers[path] = Answer(status=302, headers={"Location": to})
    for number in range(9):
        site.answers[f"/{number}"] = Answer(status=301, headers={"Location": f"/{number + 1}"})
    site.page("/c", b"here")
    assert fetch(f"{site.root}/a").url == f"{site.root}/c"
    assert "in a circle" in str(refusal(f"{site.root}/loop"))
    assert "more than 3 times" in str(refusal(f"{site.root}/0"))


@pytest.mark.parametrize(
    "to", ["file:///etc/passwd", "ftp://example.org/", "javascript:alert(1)", "http://[", "http://u:p@example.org/"]
)
def test_redirects_go_nowhere_that_was_not_allowed(site: Site, to: str) -> None:
    site.answers["/"] = Answer(status=302, headers={"Location": to})
    refusal(f"{site.root}/")
    assert site.paths() == ["/"]


def test_every_hop_is_resolved_and_checked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A public page redirects to a private machine: the second hop is refused."""
    from htxsearch.ingest import fetch as module

    asked: list[str] = []

    def resolved(address: Any, *, allow_private: bool) -> str:
        asked.append(address.host)
        return "127.0.0.1" if len(asked) < 3 else resolve(address, allow_private=allow_private)

    monkeypatch.setattr(module, "resolve", resolved)
    port = site.root.rpartition(":")[2]
    site.answers["/"] = Answer(status=302, headers={"Location": f"http://127.0.0.1:{port}/secret"})
    site.page("/secret", b"secret")
    assert "not on the public internet" in str(refusal(f"http://tin.example:{port}/", allow_private=False))
    assert "/secret" not in site.paths()


def test_a_host_that_cannot_be_asked_is_no_trouble_of_its_robots_txt() -> None:
    assert str(refusal("https://tin.invalid/a")).startswith("the host tin.invalid cannot be found")
    assert str(refusal("http://127.0.0.1/a", allow_private=False)).startswith(
        "127.0.0.1 is 127.0.0.1, which is not on the public"
    )


def test_the_connection_goes_to_the_address_that_was_checked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is looked up once; what it means a moment later does not matter (DNS rebinding)."""
    port = int(site.root.rpartition(":")[2])
    real = socket.getaddrinfo
    looked_up: list[str] = []

    def lookup(host: str, *rest: Any, **more: Any) -> Any:
        if host == "tin.example":
            looked_up.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    site.page("/", b"x")
    fetch(f"http://tin.example:{port}/")
    assert len(looked_up) == len(site.asked) == 2  # robots.txt and the page
    assert site.asked[-1][1]["Host"] == f"tin.example:{port}"


PRIVATE = """127.0.0.1 127.1 2130706433 0x7f000001 0177.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1
0.0.0.0 224.0.0.1 240.0.0.1 255.255.255.255 [::1] [::] [::ffff:127.0.0.1] [::ffff:a00:1] [fe80::1] [fc00::1] [fec0::1] [ff02::1]
[2002:7f00:1::] [64:ff9b::a00:1] [::7f00:1] localhost""".split()


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_refused_in_every_spelling(host: str) -> None:
    reason = str(refusal(f"http://{host}/", allow_private=False))
    assert "--allow-private" in reason or "cannot be found" in reason  # where the system does not know the spelling


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, 80)) for number in ("1.1.1.1", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
        resolve(parse_address("http://tin.example/"), allow_private=False)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found[:1])
    assert resolve(parse_address("http://tin.example/"), allow_private=False) == "1.1.1.1"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.vn/",
        "file:///etc/passwd",
        "http://",
        "http:///x",
        "http://u:p@a.vn/",
        "http://a.vn:99999/",
        "http://a b/",
        "http://a.vn:0/",
        "http://[::1/",
        "https://a.vn/" + "x" * 3000,
    ],
)
def test_a_malformed_address_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        parse_address(url)


def test_addresses_in_vietnamese(site: Site) -> None:
    address = parse_address("https://hợptácxã.vn/tin tức/chè-ngon.html?tỉnh=Thái Nguyên#a")
    assert address.text.isascii()
    assert address.host.startswith("xn--")
    assert address.target == "/tin%20t%E1%BB%A9c/ch%C3%A8-ngon.html?t%E1%BB%89nh=Th%C3%A1i%20Nguy%C3%AAn"
    site.page("/ch%C3%A8", b"x")
    assert fetch(f"{site.root}/chè").data == b"x"
    assert parse_address(address.text) == address


def test_robots_txt_is_obeyed(site: Site) -> None:
    site.page("/robots.txt", b"User-agent: *\nDisallow: /rieng\nDisallow: /*.cgi$\n", "text/plain")
    site.page("/rieng/a", b"x")
    site.page("/b", b"y")
    refused = refusal(f"{site.root}/rieng/a")
    assert refused.final
    assert "robots.txt" in str(refused)
    assert refusal(f"{site.root}/x.cgi").final
    assert fetch(f"{site.root}/b").data == b"y"
    assert site.paths() == ["/b"]


def test_nothing_is_fetched_while_robots_txt_cannot_be_read(site: Site) -> None:
    site.answers["/robots.txt"] = Answer(status=500)
    site.page("/b", b"y")
    refused = refusal(f"{site.root}/b")
    assert "robots.txt" in str(refused)
    assert not refused.final
    assert site.paths() == []


@pytest.mark.parametrize(("status", "final"), [(404, True), (403, True), (500, False)])
def test_failures_say_their_status(site: Site, status: int, final: bool) -> None:
    site.answers["/"] = Answer(status=status)
    refused = refusal(f"{site.root}/")
    assert str(status) in str(refused)
    assert refused.final is final


def test_a_busy_site_is_waited_for_once_and_then_left_alone(site: Site) -> None:
    busy = Answer(status=429, headers={"Retry-After": "7"})
    site.answers["/"] = [busy, Answer(b"now")]
    site.answers["/always"] = busy
    slept: list[float] = []
    fetcher = Fetcher(allow_private=True, limits=SHORT, sleep=slept.append)
    assert fetcher.fetch(f"{site.root}/").data == b"now"
    assert slept == [7]
    for _ in range(2):
        with pytest.raises(AddressRefused, match="busy"):
            fetcher.fetch(f"{site.root}/always")
    assert site.paths().count("/always") == 2


def test_a_site_that_asks_for_an_hour_is_not_waited_for(site: Site) -> None:
    import datetime

    later = format_datetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1), usegmt=True)
    site.answers["/"] = Answer(status=503, headers={"Retry-After": later})
    assert "try again later" in str(refusal(f"{site.root}/"))
    assert site.paths() == ["/"]


def test_there_is_a_pause_between_two_fetches_from_a_host(site: Site) -> None:
    site.page("/robots.txt", b"User-agent: *\nCrawl-delay: 9\n", "text/plain")
    site.page("/", b"x")
    slept: list[float] = []
    Fetcher(allow_private=True, limits=Limits(delay_s=1), sleep=slept.append).fetch(f"{site.root}/")
    assert len(slept) == 1
    assert 8 < slept[0] <= 9


def test_a_site_that_is_not_there() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        assert "cannot connect" in str(refusal(url))
    assert "cannot be found" in str(refusal("http://khong-co.invalid/"))


CERTIFICATE = Path(__file__).with_name("tin-example.pem")  # self-signed, for tin.example, until 2126; only for these tests


@pytest.mark.parametrize(
    ("trusted", "host", "reason"),
    [(True, "tin.example", ""), (False, "tin.example", "not secure"), (True, "bao.example", "not secure")],
)
def test_certificates_are_checked_for_the_name_that_was_asked(
    monkeypatch: pytest.MonkeyPatch, trusted: bool, host: str, reason: str
) -> None:
    if trusted:
        monkeypatch.setattr("certifi.where", lambda: str(CERTIFICATE))
    monkeypatch.setattr("htxsearch.ingest.fetch.resolve", lambda *_, **__: "127.0.0.1")
    with running(CERTIFICATE) as site:
        site.page("/", b"x")
        url = f"https://{host}:{site.root.rpartition(':')[2]}/"
        if reason:
            assert reason in str(refusal(url))
        else:
            assert fetch(url).data == b"x"


def test_https_to_a_site_without_it(site: Site) -> None:
    assert "not secure" in str(refusal(site.root.replace("http:", "https:") + "/"))
