"""
One request at a time over one connection.

Own TLS context, own headers, one deadline for everything. Nothing is read from the environment but the HTTPS proxy:
no ``OTEL_*``, no ``REQUESTS_*``, no ``.netrc``. Redirects are answers like any other.
"""

import codecs
import http.client
import os
import re
import selectors
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Final
from urllib.parse import urlsplit

from .._config import Config
from ._answers import Answer
from ._deadline import Deadline, DeadlineSocket
from ._exchange import exchange, host_header
from ._failures import UnreachableError
from ._proxy import Proxy, ProxyError, proxy_for

IDNA: Final = codecs.lookup("idna")
"""Every look-up of a name needs it. Found here, it is not imported while the application may fork."""

MAX_ANSWER_BYTES: Final = 64 << 10
"""An answer is a few bytes. What is longer is left unread, and the connection given up."""

MAX_IDLE_SECONDS: Final = 5.0
"""Most answers that get lost are lost on connections that the other side has just closed for being idle."""


class Transport:
    """
    Posts bodies to one address. Used by one thread at a time.

    Args:
        config: Address, keys, CA file.
        url: The address, if it is another one than the records'.
    """

    def __init__(self, config: Config, url: str | None = None) -> None:
        parts = urlsplit(url or config.base_url)
        self._tls = parts.scheme == "https"
        self._host = parts.hostname or ""
        default_port = 443 if self._tls else 80
        self._port = parts.port or default_port
        self._own_headers = {"Host": host_header(self._host, self._port, default_port), "Accept-Encoding": "identity"}
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._secrets = [each.reveal() for each in (config.api_key, config.client_secret) if each and each.reveal()]
        self._context = _tls_context(config.ca_file) if self._tls else None
        self._socket: socket.socket | None = None
        self._wire: DeadlineSocket | None = None
        self._idle_since = 0.0

    def post(self, body: bytes, headers: Mapping[str, str], *, timeout_seconds: float) -> Answer:
        """
        Send one request and read its answer.

        Args:
            body: The body.
            headers: All headers except those that belong to the connection.
            timeout_seconds: For everything together: name, connection, TLS, sending, waiting, reading.

        Returns:
            Whatever was answered, a redirect included.

        Raises:
            UnreachableError: There was no answer.
        """
        try:
            return self._exchange(body, headers, deadline=Deadline(timeout_seconds))
        except (OSError, http.client.HTTPException, ValueError, ProxyError) as error:
            self.close()
            # Not chained: frames and texts of http.client hold headers, and so the key.
            raise UnreachableError(error) from None

    def idle_seconds_left(self) -> float | None:
        """How long the connection may go on doing nothing; `None` if there is none."""
        if self._socket is None:
            return None
        return self._idle_since + MAX_IDLE_SECONDS - time.monotonic()

    def close(self) -> None:
        """Give the connection up; the next request makes a new one."""
        connected, self._socket = self._socket, None
        self._wire = None
        if connected is not None:
            connected.close()

    def abandon(self) -> None:
        """
        Forget the connection, in a forked child: the parent goes on using it.

        Only this process's descriptor is closed. No object is asked to do it: the parent's thread may have been
        inside it, and holds its locks for ever here.
        """
        connected, self._socket = self._socket, None
        self._wire = None
        if connected is not None and (descriptor := connected.detach()) >= 0:
            os.close(descriptor)

    def _exchange(self, body: bytes, headers: Mapping[str, str], *, deadline: Deadline) -> Answer:
        wire = self._connection(deadline)
        response = exchange(wire, "POST", self._target, headers={**self._own_headers, **headers}, body=body)
        # A token, or what else this request proves itself with.
        credential = headers.get("Authorization", "").partition(" ")[2]
        answered = {name.lower(): self._without_keys(value, credential) for name, value in response.getheaders()}
        said = self._without_keys(_read(response).decode("latin-1"), credential).encode("latin-1", "replace")
        self._idle_since = time.monotonic()
        if response.will_close or not response.isclosed():
            self.close()
        plain = answered.get("content-encoding", "identity").lower() == "identity"
        return Answer(status=response.status, headers=answered, body=said if plain else b"")

    def _without_keys(self, text: str, credential: str) -> str:
        """*text* without any key, should the receiver repeat it; nobody downstream has to think of that."""
        for secret in (*self._secrets, credential):
            text = text.replace(secret, "[key]") if secret else text
        return text

    def _connection(self, deadline: Deadline) -> DeadlineSocket:
        """The connection that is open and still good, or a new one."""
        left = self.idle_seconds_left()
        if left is not None and (left <= 0 or _has_ended(self._socket)):
            self.close()
        if self._wire is None:
            self._wire = DeadlineSocket(self._open(deadline), deadline)
        self._wire.deadline = deadline
        return self._wire

    def _open(self, deadline: Deadline) -> socket.socket:
        proxy = proxy_for(self._host, self._port) if self._tls else None
        self._socket = _connect((self._host, self._port), deadline, proxy=proxy)
        if self._context is not None:
            self._socket.settimeout(deadline.left())
            self._socket = self._context.wrap_socket(self._socket, server_hostname=self._host)
        return self._socket


def _tls_context(ca_file: str | None) -> ssl.SSLContext:
    """TLS 1.2 or newer, certificate and host name checked; there is no way to switch that off."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
        return context
    context.load_default_certs()
    if _knows_nobody(context):
        with suppress(ImportError, OSError):  # it may be a package without its file
            context.load_verify_locations(cafile=import_module("certifi").where())
    return context


HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]+")
"""As which OpenSSL looks for a certificate in a directory."""


def _knows_nobody(context: ssl.SSLContext) -> bool:
    """
    Whether there are no certificates where this Python looks for the system's.

    Pythons that were built elsewhere (python.org's for macOS, uv's on some Linuxes) look where others have them. Client
    libraries bring certifi for that; so does what we depend on.
    """
    if context.cert_store_stats()["x509_ca"]:
        return False
    places = ssl.get_default_verify_paths()
    folders = os.environ.get(places.openssl_capath_env, places.openssl_capath)
    return not any(map(_has_certificates, folders.split(os.pathsep)))


def _has_certificates(folder: str) -> bool:
    try:
        return any(map(HASHED.fullmatch, os.listdir(folder)))
    except OSError:
        return False


def _connect(address: tuple[str, int], deadline: Deadline, *, proxy: Proxy | None) -> socket.socket:
    """A socket connected to *address*, through the proxy if there is one."""
    connected = _dial(address if proxy is None else (proxy.host, proxy.port), deadline)
    try:
        # A request leaves in two pieces, headers and body; Nagle would keep the second back until the first is seen.
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if proxy is not None:
            proxy.connect(connected, address, deadline=deadline)
    except BaseException:
        connected.close()
        raise
    return connected


def _dial(address: tuple[str, int], deadline: Deadline) -> socket.socket:
    """
    The first address of a host that answers, all within one deadline.

    Each has an equal part of what is left: a host may have addresses to which there is no way from here, and which say
    nothing (IPv6, mostly). The look-up of the name itself has no timeout of ours; the resolver's own applies.
    """
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
    found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
    for tried, (family, kind, protocol, _, resolved) in enumerate(found):
        try:
            # A system without IPv6 has no such sockets either.
            candidate = socket.socket(family, kind, protocol)
        except OSError as error:
            failure = error
            continue
        try:
            candidate.settimeout(deadline.left() / (len(found) - tried))
            candidate.connect(resolved)
        except OSError as error:
            candidate.close()
            failure = error
        else:
            return candidate
    raise failure


def _has_ended(connected: socket.socket | None) -> bool:
    """Whether the other side has closed: then there is something to read where nothing may come."""
    if connected is None:
        return True
    with selectors.DefaultSelector() as selector:
        selector.register(connected, selectors.EVENT_READ)
        return bool(selector.select(0))


def _read(response: http.client.HTTPResponse) -> bytes:
    """The beginning of the body. The status is known by now and decides; a body that breaks off does not."""
    try:
        return response.read(MAX_ANSWER_BYTES)
    except (OSError, http.client.HTTPException, ValueError):
        return b""
