"""Who may come in: keys, the hosts by which it is called, how often, and what browsers may do with the page."""

import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .._fake_ramp import error_body

MIN_KEY_CHARACTERS: Final = 16
"""Of a key that guards the receiver from other machines."""

COOKIE: Final = "ramp_tracing_local"

MAX_SESSIONS: Final = 1_000
"""Browsers that are let in at the same time; the one that came first has to show the key again."""

WINDOW_SECONDS: Final = 10.0
"""Ramp counts requests over so long a time: 200 of them for each address."""

MAX_ADDRESSES: Final = 10_000

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""By any other name it is called by a page of somebody else's that had its own name point here."""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""The page loads what comes from here, and nothing else; nothing of it can be shown in another page."""


@dataclass(slots=True)
class Doors:
    """
    What decides who may come in.

    Attributes:
        key: The only key; `None` takes any as sender, and everybody on this machine as reader.
        loopback: Whether it listens on this machine only.
        rate_limit: How many requests of one address are taken in ten seconds; `None` for any number.
        clock: Seconds.
    """

    key: str | None = None
    loopback: bool = True
    rate_limit: int | None = None
    clock: Callable[[], float] = time.monotonic
    _sessions: deque[str] = field(default_factory=lambda: deque[str](maxlen=MAX_SESSIONS))
    _tickets: deque[str] = field(default_factory=lambda: deque[str](maxlen=MAX_SESSIONS))
    _arrivals: dict[str, deque[float]] = field(default_factory=dict[str, deque[float]])

    def refuses_sender(self, request: Request) -> Response | None:
        """Ramp's answer to a request that it would not take; `None` for one that may send."""
        if not self._is_bearer(request, any_key=self.key is None):
            return refusal(401, "the key is missing or not known")
        if self._is_too_often(request.client.host if request.client else ""):
            return refusal(429, "too many requests", {"Retry-After": str(round(WINDOW_SECONDS))})
        return None

    def lets_read(self, request: Request) -> bool:
        """Whether the one who asks may see what was received."""
        return self.key is None or self._is_bearer(request) or request.cookies.get(COOKIE) in self._sessions

    def knows_host(self, connection: HTTPConnection) -> bool:
        """Whether it was called by a name of its own."""
        return not self.loopback or host_of(connection.headers.get("host", "")) in LOOPBACK_NAMES

    def open_with(self, key: str) -> str | None:
        """A session for a browser that shows the right key; `None` for a wrong one."""
        if self.key is None or not hmac.compare_digest(key.encode(), self.key.encode()):
            return None
        return self._new_session()

    def ticket(self) -> str:
        """What lets a browser in once, so that no key stands in an address."""
        self._tickets.append(ticket := secrets.token_urlsafe(24))
        return ticket

    def open_with_ticket(self, ticket: str) -> str | None:
        """A session for a ticket that was not used yet."""
        if ticket not in self._tickets:
            return None
        self._tickets.remove(ticket)
        return self._new_session()

    def _new_session(self) -> str:
        self._sessions.append(session := secrets.token_urlsafe(32))
        return session

    def _is_bearer(self, request: Request, *, any_key: bool = False) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given:
            return False
        return any_key or hmac.compare_digest(given.encode(), (self.key or "").encode())

    def _is_too_often(self, address: str) -> bool:
        if self.rate_limit is None:
            return False
        now = self.clock()
        if len(self._arrivals) >= MAX_ADDRESSES:
            self._arrivals.clear()
        arrivals = self._arrivals.setdefault(address, deque())
        while arrivals and arrivals[0] <= now - WINDOW_SECONDS:
            arrivals.popleft()
        if len(arrivals) >= self.rate_limit:
            return True
        arrivals.append(now)
        return False


class Guard:
    """Around the whole application: hosts before anything is read, headers on every answer."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("x-trace-id", secrets.token_hex(16))
            await send(message)

        known = self._doors.knows_host(HTTPConnection(scope))
        app = self._app if known else refusal(421, "this receiver answers to 127.0.0.1 and localhost only")
        await app(scope, receive, send_guarded)


def refusal(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An answer in the shape of Ramp's."""
    return JSONResponse(error_body(f"LOCAL_{status}", message), status_code=status, headers=headers)


def host_of(header: str) -> str:
    """The name in a ``Host`` header, without the port."""
    name, bracket, _ = header.partition("]")
    return (name + bracket if bracket else header.partition(":")[0]).lower()
