"""The local receiver as a whole."""

import asyncio
import os
import socket
import webbrowser
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from .._fake_ramp import PATH
from ._api import Api
from ._doors import MIN_KEY_CHARACTERS, Doors, Guard
from ._ledger import Ledger, LedgerError
from ._mirror import Mirror
from ._receiving import MAX_BODY_BYTES, Receiver

PAGE: Final = Path(__file__).parent / "page"

CLOSING_SECONDS: Final = 2
"""How long answers under way may take at the end."""

CONNECTIONS: Final = 200


class ServingError(Exception):
    """The receiver cannot be started as it was told to; the text says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """
    How to serve.

    Attributes:
        database: The ledger's file.
        host: An address of this machine.
        port: A port; 0 takes a free one.
        key: The only key; required where other machines can come.
        rate_limit: How many requests of one address are taken in ten seconds; `None` for any number.
    """

    database: Path
    host: str = "127.0.0.1"
    port: int = 0
    key: str | None = None
    rate_limit: int | None = None

    @property
    def loopback(self) -> bool:
        """Whether nobody but this machine can come."""
        with suppress(ValueError):
            return ip_address(self.host).is_loopback
        return self.host == "localhost"


def build_app(ledger: Ledger, doors: Doors, *, max_body_bytes: int = MAX_BODY_BYTES) -> Starlette:
    """
    The application: what receives, what answers questions, and the page.

    Args:
        ledger: Where calls are kept; the caller closes it.
        doors: Who may come in.
        max_body_bytes: The bound on what is received.
    """
    mirror = Mirror(ledger)
    receiver, api = Receiver(ledger, doors, max_body_bytes=max_body_bytes), Api(ledger, mirror, doors)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        # A million calls take some seconds; whoever asks meanwhile waits for them, senders do not.
        filling = asyncio.create_task(run_in_threadpool(mirror.follow))
        yield
        await filling
        mirror.close()

    routes = [
        Route(PATH, receiver.spans, methods=["POST"]),
        Route("/v1/traces", receiver.spans, methods=["POST"]),
        Route(PATH.replace("openrouter", "unified"), receiver.unified, methods=["POST"]),
        Route("/api/overview", api.overview),
        Route("/api/calls", api.calls),
        Route("/api/calls/{id:int}", api.call),
        Route("/api/keys", api.keys),
        Route("/api/values", api.values),
        Route("/api/report", api.report),
        Route("/api/change", api.change),
        Route("/api/export.csv", api.export),
        Route("/api/session", api.session, methods=["POST"]),
        Route("/enter/{ticket}", api.ticket),
        Mount("/", StaticFiles(directory=PAGE, html=True)),
    ]
    middleware = [Middleware(Guard, doors=doors), Middleware(GZipMiddleware, minimum_size=2_000)]
    return Starlette(routes=routes, middleware=middleware, lifespan=lifespan)


def serve(serving: Serving, *, announce: Callable[[str], None], open_page: bool = False) -> None:
    """
    Serve until interrupted.

    Args:
        serving: How.
        announce: Told the address once connections are accepted.
        open_page: Whether to show the page in a browser.

    Raises:
        ServingError: It is not safe, or the address is taken.
        LedgerError: The file is no ledger.
    """
    if not serving.loopback and len(serving.key or "") < MIN_KEY_CHARACTERS:
        raise ServingError(
            f"Other machines can reach {serving.host}: give a key of at least {MIN_KEY_CHARACTERS} characters with "
            "--key or RAMP_TRACING_LOCAL_KEY, or leave --host out."
        )
    listener = _listen(serving)
    # What others write beside the ledger must not be readable for everybody either.
    os.umask(0o077)
    doors = Doors(key=serving.key, loopback=serving.loopback, rate_limit=serving.rate_limit)
    with listener, _opened(serving.database) as ledger:
        url = _url(serving, listener.getsockname()[1])
        app = build_app(ledger, doors)
        announce(url)
        if open_page:
            webbrowser.open(url if doors.key is None else f"{url}/enter/{doors.ticket()}")
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="on",
            ws="none",
            server_header=False,
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=CLOSING_SECONDS,
        )
        uvicorn.Server(config).run(sockets=[listener])


def _listen(serving: Serving) -> socket.socket:
    family = socket.AF_INET6 if ":" in serving.host else socket.AF_INET
    try:
        listener = socket.create_server((serving.host, serving.port), family=family, backlog=CONNECTIONS)
    except OSError as error:
        raise ServingError(f"{serving.host}:{serving.port} cannot be listened on: {error.strerror or error}") from error
    listener.setblocking(False)
    return listener


def _opened(path: Path) -> Ledger:
    try:
        return Ledger(path)
    except OSError as error:
        raise LedgerError(f"{path} cannot be made: {error.strerror}") from error


def _url(serving: Serving, port: int) -> str:
    host = f"[{serving.host}]" if ":" in serving.host else serving.host
    return f"http://{host}:{port}"
