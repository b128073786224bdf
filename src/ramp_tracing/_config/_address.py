"""Where records may be sent to."""

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from ._readers import UnusableError

RAMP: Final = "ramp.com"

PLAIN: Final = r"[\x21-\x7e]+"

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def read_url(value: object) -> str:
    """
    The address that records are posted to, unchanged.

    Raises:
        UnusableError: It is not an http(s) URL, or one that nobody should send a key to.
    """
    if not isinstance(value, str) or not re.fullmatch(PLAIN, value):
        raise UnusableError("give a URL without spaces, line breaks and characters outside ASCII")
    parts = _split(value)
    if parts.scheme not in ("https", "http"):
        raise UnusableError("it must begin with https://")
    if not parts.hostname or any(len(label) > 63 for label in parts.hostname.split(".")):
        raise UnusableError("it names no host; write https://HOST/PATH")
    if "@" in parts.netloc:
        raise UnusableError("it must not hold a user name or password; the key goes into api_key")
    if parts.fragment:
        raise UnusableError("it must not end in a #fragment")
    if _is_link_local(parts.hostname):
        raise UnusableError("a link-local address is no receiver; cloud machines keep their credentials there")
    return value


def _split(url: str) -> SplitResult:
    """The parts of *url*, its port checked."""
    try:
        parts = urlsplit(url)
        if parts.port == 0:
            raise ValueError
    except ValueError:
        raise UnusableError("it is no valid URL; check brackets and port") from None
    return parts


def check_encrypted(url: str, *, allow_insecure: bool) -> None:
    """
    Refuse to send a key in the clear to another machine.

    Raises:
        UnusableError: *url* is plain http, its host is not this machine, and nobody allowed that.
    """
    parts = urlsplit(url)
    if parts.scheme == "http" and not allow_insecure and not _is_loopback(parts.hostname or ""):
        raise UnusableError(
            "plain http would show the key to everyone on the way; use https, or allow_insecure=True where the network "
            "is trusted"
        )


def _is_loopback(host: str) -> bool:
    address = _ip_address(host)
    if address is None:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback


def is_ramps(url: str) -> bool:
    """Whether a URL leads to Ramp, its sandbox included."""
    host = urlsplit(url).hostname or ""
    return host == RAMP or host.endswith(f".{RAMP}")


def _is_link_local(host: str) -> bool:
    address = _ip_address(host)
    return address is not None and address.is_link_local


def _ip_address(host: str) -> IPAddress | None:
    """The address that *host* spells, also in the old forms (``0xa9fea9fe``, ``127.1``) that resolvers take."""
    import socket  # only who names an address pays for it at set-up

    try:
        address: IPAddress = ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
