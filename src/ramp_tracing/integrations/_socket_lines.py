"""Where a websocket leads, and who watches it."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from weakref import finalize

from .._context import in_force
from .._normalizers import as_name, dig
from .._providers import address_in
from .._record import NOBODY
from .._state import state
from ._routes import Channel
from ._sockets import Line, SocketWatch

MODEL_NAMES: Final = ("model", "deployment")
"""Parameters of the address that name a model; the second is Azure's, whose deployments are named by their owner."""

Provider = Callable[[Any, str | None, int | None], str | None]
"""(client, host, port) → who is called."""


def watched(channel: Channel, connection: Any, *, library: str, provider: Provider) -> SocketWatch:
    """Watch *connection* from now on, until the application drops it."""
    watch = SocketWatch(channel, _line(connection, library, provider))
    state.sockets[connection] = watch
    finalize(connection, watch.collected).atexit = False  # open calls are ended at exit in any case
    return watch


def _line(connection: Any, library: str, provider: Provider) -> Line:
    """From the request that opened the websocket: public in every version of `websockets` that the client takes."""
    request = dig(connection, "_connection", "request")
    host, port = address_in(f"//{as_name(dig(request, 'headers', 'Host')) or ''}")  # TLS, as providers' are
    address = parse_qs(urlsplit(as_name(dig(request, "path")) or "").query)
    return Line(
        library=library,
        provider=provider(None, host, port),
        host=host,
        port=port,
        model=next((address[name][0] for name in MODEL_NAMES if name in address), None),
        attribution=in_force(NOBODY, NOBODY).attribution,
    )
