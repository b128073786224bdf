"""The HTTPS proxy of the environment, as every other tool of the machine uses it."""

import base64
import socket
from dataclasses import field
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from .._dataclass import dataclass
from ._deadline import Deadline, DeadlineSocket
from ._exchange import exchange

NOT_ONE: Final = "it is not http://HOST:PORT"


class ProxyError(Exception):
    """The proxy cannot be used, or did not connect us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """
    Attributes:
        host: Its host.
        port: Its port.
        credentials: ``user:password``, or empty.
    """

    host: str
    port: int
    credentials: str = field(default="", repr=False)

    def connect(self, through: socket.socket, address: tuple[str, int], *, deadline: Deadline) -> None:
        """
        Ask the proxy for a way to *address*.

        Args:
            through: A socket that is connected to the proxy.
            address: Host and port.
            deadline: Until when.

        Raises:
            ProxyError: It says no.
        """
        host, port = address
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        headers = {"Host": target}
        if self.credentials:
            token = base64.b64encode(self.credentials.encode()).decode()
            headers["Proxy-Authorization"] = f"Basic {token}"
        status = exchange(DeadlineSocket(through, deadline), "CONNECT", target, headers=headers).status
        if status // 100 != 2:
            raise ProxyError(f"it answered {status}")


def proxy_for(host: str, port: int) -> Proxy | None:
    """
    The proxy that ``HTTPS_PROXY`` names for *host* and *port*, unless ``NO_PROXY`` excepts it, with or without a port.

    Raises:
        ProxyError: It is not ``http://HOST:PORT``.
    """
    url = getproxies_environment().get("https", "").strip()
    # An IPv6 address goes without its port, as the standard library would take its end for one.
    if not url or proxy_bypass(host) or (":" not in host and proxy_bypass(f"{host}:{port}")):
        return None
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        through = parts.port or 80
    except ValueError:
        raise ProxyError(NOT_ONE) from None
    if parts.scheme != "http" or not parts.hostname:
        raise ProxyError(NOT_ONE)
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
    return Proxy(host=parts.hostname, port=through, credentials=credentials)
