"""Why no answer came: exceptions to causes."""

import errno
import http.client
import socket
import ssl
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ._advice import BY_CAUSE, Cause
from ._proxy import ProxyError

OF_CERTIFICATES: Final[Mapping[int, Cause]] = MappingProxyType(
    {9: "out_of_date", 10: "out_of_date", 62: "other_host", 64: "other_host"}
)
"""OpenSSL's ``X509_V_ERR_…``: not yet valid, expired, another host name, another IP address."""

NO_ROUTE: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})

CAUSES: Final[tuple[tuple[type[Exception], Cause], ...]] = (
    (ProxyError, "proxy"),
    (TimeoutError, "timeout"),
    (ssl.SSLEOFError, "closed"),
    (ssl.SSLError, "tls"),
    (socket.gaierror, "name"),
    (UnicodeError, "name"),
    (ConnectionRefusedError, "refused"),
    (ConnectionError, "closed"),
    (http.client.HTTPException, "not_http"),
    (ValueError, "not_http"),
)
"""The first that fits. Order matters: most of them are also of a kind that stands below."""


class UnreachableError(Exception):
    """
    No answer came.

    Its text says what to do, and holds nothing that was sent or received.

    Attributes:
        cause: Why.
    """

    def __init__(self, error: Exception) -> None:
        self.cause: Cause = _cause_of(error)
        super().__init__(BY_CAUSE[self.cause] + _detail(error))


def _cause_of(error: Exception) -> Cause:
    if isinstance(error, ssl.SSLCertVerificationError):
        return OF_CERTIFICATES.get(error.verify_code, "certificate")
    for kind, cause in CAUSES:
        if isinstance(error, kind):
            return cause
    return "route" if isinstance(error, OSError) and error.errno in NO_ROUTE else "network"


def _detail(error: Exception) -> str:
    """What OpenSSL or the proxy adds: "self-signed certificate", "certificate has expired"."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f" ({error.verify_message})"
    return f" ({error})" if isinstance(error, ProxyError) else ""
