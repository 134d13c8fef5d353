"""Web addresses: which are fetched, and to which machine a connection may go.

A name is resolved once, its addresses are checked, and the connection goes to just the checked address, so that a
name that means another machine a moment later gains nothing (DNS rebinding).
"""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from htxsearch.errors.messages import Message, message

__all__ = ["Address", "AddressRefused", "Unreachable", "host_of", "is_address", "joined", "parse_address", "resolve"]

_SAFE = "/%:@!$&'()*+,;=~-._"
_MAX_LENGTH = 2000
"""Longer addresses are refused: browsers and proxies do not agree on them."""


class AddressRefused(Exception):
    """An address was not fetched, or a file not added; `message` is the reason.

    It never leaves this package. If `final`, another try on another day would end the same.
    """

    def __init__(self, message: Message, *, final: bool = False) -> None:
        self.message = message
        self.final = final
        super().__init__(message)


class Unreachable(AddressRefused):
    """The host could not be reached at all, whatever the address on it."""


@dataclass(frozen=True, slots=True)
class Address:
    """An http or https address taken apart.

    `host` is ASCII, `target` is path and query, `text` the whole address.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def site(self) -> str:
        """Scheme, host and port: what a robots.txt is valid for."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == (443 if self.scheme == "https" else 80)
        return f"{self.scheme}://{host}" + ("" if usual else f":{self.port}")

    @property
    def text(self) -> str:
        """The address in one piece, non-ASCII letters escaped."""
        return self.site + self.target


def is_address(text: str) -> bool:
    """Return True if a text has a scheme and "//".

    It is then an address rather than the name of a file.
    """
    scheme, sign, _ = text.partition("://")
    return bool(sign) and scheme.isascii() and scheme[:1].isalpha() and scheme.replace("+", "").replace("-", "").isalnum()


def parse_address(text: str) -> Address:
    """Take an address apart.

    A fragment is dropped. Raises AddressRefused unless the address is http or https, without a password.
    """
    if len(text) > _MAX_LENGTH:
        raise AddressRefused(message("fetch.address-too-long", limit=_MAX_LENGTH), final=True)
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError as error:
        raise AddressRefused(message("fetch.not-an-address", error=str(error))) from error
    if parts.scheme not in ("http", "https"):
        scheme = message("fetch.scheme", scheme=parts.scheme) if parts.scheme else message("fetch.no-scheme")
        raise AddressRefused(scheme, final=True)
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(message("fetch.password"), final=True)
    if not parts.hostname or any(sign.isspace() or ord(sign) < 32 for sign in parts.netloc):
        raise AddressRefused(message("fetch.no-host"))
    if port == 0:
        raise AddressRefused(message("fetch.port-0"))
    target = quote(parts.path or "/", safe=_SAFE) + (f"?{quote(parts.query, safe=_SAFE + '?')}" if parts.query else "")
    usual = 443 if parts.scheme == "https" else 80
    return Address(parts.scheme, _ascii_host(parts.hostname), port or usual, target)


def joined(base: str, relative: str) -> str:
    """Return the whole of an address that is given relative to another.

    A text that cannot be joined comes back as it is, for `parse_address` to refuse.
    """
    try:
        return urljoin(base, relative)
    except ValueError:
        return relative


def host_of(url: str) -> str:
    """Return the host name of an address without "www."; "" if it is not an address."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def resolve(address: Address, *, allow_private: bool) -> str:
    """Return the IP address to connect to.

    Raises Unreachable if the name has no address, or if an address of it is not public.

    Every address of the name is checked, and numbers in every spelling that the system takes for an address
    (decimal, octal, IPv4 within IPv6).
    """
    try:
        infos = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(message("fetch.unknown-host", host=address.host)) from error
    numbers = [str(info[4][0]) for info in infos]
    if not numbers:
        raise Unreachable(message("fetch.host-without-address", host=address.host))
    if not allow_private:
        for number in numbers:
            if not _is_public(number):
                raise Unreachable(message("fetch.private", host=address.host, address=number))
    return numbers[0]


def _is_public(number: str) -> bool:
    ip = ipaddress.ip_address(number.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        within = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or _nat64(ip)
        if within is not None:
            ip = within
    local = isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or local)


def _nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address in 64:ff9b::/96 (RFC 6052) or in the deprecated ::/96."""
    if ip in ipaddress.ip_network("64:ff9b::/96") or int(ip) >> 32 == 0:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None


def _ascii_host(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise AddressRefused(message("fetch.host-name", host=host)) from error
