"""
One HTTP/1.1 request and the head of its answer, over a socket that is connected.

The request is written here and not by `http.client.HTTPConnection`, whose methods Sentry and ddtrace replace: our own
requests would become spans of whatever transaction was open when the drainer's thread began, and would carry headers
with the application's trace to Ramp. The answer is read by `http.client`.
"""

import http.client
import socket
from collections.abc import Mapping
from typing import Final, cast

from ._deadline import DeadlineSocket

INTERIM: Final = 100
FINAL: Final = 200
"""
Behind an answer of the class 1xx comes the final one (RFC 9110, section 15.2). Whoever takes the first for the answer
reads the second as that to the next request.
"""


def exchange(
    wire: DeadlineSocket, method: str, target: str, *, headers: Mapping[str, str], body: bytes | None = None
) -> http.client.HTTPResponse:
    """
    Send a request and wait for the head of its answer.

    Args:
        wire: Connected to whoever is asked.
        method: ``POST``, ``CONNECT``.
        target: Path and query; of a proxy, host and port.
        headers: All but the length of the body; ``Host`` is among them.
        body: The body, where there is one.

    Raises:
        OSError: The connection broke, or its deadline has passed.
        http.client.HTTPException: What came back is not HTTP.
        ValueError: A header cannot be sent, or what came back is not HTTP.
    """
    length = {} if body is None else {"Content-Length": str(len(body))}
    wire.sendall(_head(f"{method} {target} HTTP/1.1", {**headers, **length}))
    if body is not None:
        wire.sendall(body)
    response = http.client.HTTPResponse(cast("socket.socket", wire), method=method)
    response.begin()
    while INTERIM <= response.status < FINAL:  # `http.client` passes over "100 Continue" only
        response.headers = None  # type: ignore[assignment] # as in a new one, which reads on where this one stopped
        response.begin()
    return response


def _head(line: str, headers: Mapping[str, str]) -> bytes:
    lines = [line, *(f"{name}: {value}" for name, value in headers.items())]
    if any("\r" in each or "\n" in each for each in lines):
        raise ValueError("a header holds a line break")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def host_header(host: str, port: int, default_port: int) -> str:
    """
    The value of ``Host``.

    Args:
        host: A name or an address.
        port: Its port.
        default_port: The port that goes without saying.
    """
    named = f"[{host.partition('%')[0]}]" if ":" in host else host
    return named if port == default_port else f"{named}:{port}"
