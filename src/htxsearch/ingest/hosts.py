"""Web addresses: which are fetched, and to which machine a connection may go.

A name is resolved once, what it resolves to is checked, and the connection goes to just that address, so that a
name that means another machine a moment later gains nothing.
"""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

__all__ = ["Address", "AddressRefused", "Unreachable", "host_of", "is_address", "joined", "parse_address", "resolve"]

_SAFE = "/%:@!$&'()*+,;=~-._"
_MAX_LENGTH = 2000
"""Longer addresses are refused: browsers and proxies do not agree on them."""


class AddressRefused(Exception):
    """Something was not fetched or not taken in; the message is the reason. Never leaves this package.

    `final` says that trying again another day would end the same.
    """

    def __init__(self, reason: str, *, final: bool = False) -> None:
        self.final = final
        super().__init__(reason)


class Unreachable(AddressRefused):
    """The host was not asked at all, whatever was wanted of it."""


@dataclass(frozen=True, slots=True)
class Address:
    """An http or https address taken apart; `host` is ASCII, `target` is path and query, `text` the whole of it."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def site(self) -> str:
        """Scheme, host and port, as robots.txt is kept for."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == (443 if self.scheme == "https" else 80)
        return f"{self.scheme}://{host}" + ("" if usual else f":{self.port}")

    @property
    def text(self) -> str:
        """The address in one piece, non-ASCII letters escaped."""
        return self.site + self.target


def is_address(text: str) -> bool:
    """Tell whether a text looks like an address rather than a file's name: it has a scheme and "//"."""
    scheme, sign, _ = text.partition("://")
    return bool(sign) and scheme.isascii() and scheme[:1].isalpha() and scheme.replace("+", "").replace("-", "").isalnum()


def parse_address(text: str) -> Address:
    """Take an address apart; a fragment is dropped. Raises Refused for anything but http and https, and for passwords."""
    if len(text) > _MAX_LENGTH:
        raise AddressRefused(f"the address is longer than {_MAX_LENGTH} characters", final=True)
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError as error:
        raise AddressRefused(f"is no address: {error}") from error
    if parts.scheme not in ("http", "https"):
        raise AddressRefused(
            f"only http and https are fetched, not {parts.scheme or 'an address without a scheme'}", final=True
        )
    if parts.username is not None or parts.password is not None:
        reason = "an address with a user name or password in it is not fetched; save the page and add the file"
        raise AddressRefused(reason, final=True)
    if not parts.hostname or any(sign.isspace() or ord(sign) < 32 for sign in parts.netloc):
        raise AddressRefused("the address has no host")
    if port == 0:
        raise AddressRefused("there is no port 0")
    target = quote(parts.path or "/", safe=_SAFE) + (f"?{quote(parts.query, safe=_SAFE + '?')}" if parts.query else "")
    usual = 443 if parts.scheme == "https" else 80
    return Address(parts.scheme, _ascii_host(parts.hostname), port or usual, target)


def joined(base: str, relative: str) -> str:
    """Return an address that is given relative to another; what is none comes back as it is, for `parse_address` to refuse."""
    try:
        return urljoin(base, relative)
    except ValueError:
        return relative


def host_of(url: str) -> str:
    """Return the site an address belongs to, without "www."; "" if it is none."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def resolve(address: Address, *, allow_private: bool) -> str:
    """Return the IP address to connect to. Raises Unreachable if there is none, or one that it means is not public.

    Every address the name has is looked at, and numbers in every spelling that the system takes for one (decimal, octal,
    IPv4 within IPv6).
    """
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"the host {address.host} cannot be found; check the address and the connection") from error
    numbers = [str(one[4][0]) for one in found]
    if not numbers:
        raise Unreachable(f"the host {address.host} has no address")
    if not allow_private:
        for number in numbers:
            if not _is_public(number):
                raise Unreachable(
                    f"{address.host} is {number}, which is not on the public internet; if you mean it: --allow-private"
                )
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
        raise AddressRefused(f"{host!r} is no host name") from error
