"""
The hook for websockets that a generated client opens.

Every connection class hands each message that it receives to its ``parse_event``, in sync and async clients alike
(``recv``, iteration, ``dispatch_events``, and whoever reads ``recv_bytes`` and parses by himself). The names are the
same from openai 1.66 to 3.57. A class is wrapped when the application first uses its part of the client.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from weakref import finalize

import wrapt

from .._context import in_force
from .._guard import guarded
from .._normalizers import as_name, dig
from .._providers import address_in
from .._record import NOBODY
from .._state import state
from ._patches import Patches
from ._sockets import STEPS, Channel, Line, SocketWatch

MODEL_NAMES: Final = ("model", "deployment")
"""Parameters of the address that name a model; the second is Azure's, whose deployments are named by their owner."""


class SocketHook:
    """
    Watches the websockets of one generated library.

    Args:
        library: Its import name.
        channels: Module → the kind of its connections.
        provider: (client, host, port) → who is called.
    """

    def __init__(
        self,
        library: str,
        channels: Mapping[str, Channel],
        *,
        provider: Callable[[Any, str | None, int | None], str | None],
    ) -> None:
        self._library = library
        self._channels = channels
        self._provider = provider
        self._patches = Patches()
        self._awaited: set[str] = set()
        self._is_on = False

    def install(self) -> None:
        """Wrap the connection classes, now or when they are imported."""
        self._is_on = True
        for name in self._channels:
            if name not in self._awaited:
                self._awaited.add(name)
                wrapt.register_post_import_hook(self._imported, name)  # acts at once if it is there
            elif name in sys.modules:
                self._wrap(sys.modules[name])

    def uninstall(self) -> None:
        """Take the wrappers out again."""
        self._is_on = False
        self._patches.undo()

    def _imported(self, module: ModuleType) -> None:
        if self._is_on:
            with guarded("hooking websockets"):
                self._wrap(module)

    def _wrap(self, module: ModuleType) -> None:
        channel = self._channels[module.__name__]
        for owner in _connections_in(module):
            self._patches.wrap(owner, "__init__", partial(self._opened, channel))
            self._patches.wrap(owner, "parse_event", partial(self._parsed, channel))
            self._patches.wrap(owner, "close", _closed)
            if channel.in_turn:
                self._patches.wrap(owner, "send", partial(self._sent, channel))

    def _opened(self, channel: Channel, wrapped: Any, connection: Any, args: Any, kwargs: Any) -> None:
        wrapped(*args, **kwargs)
        if self._is_on and state.sink is not None:
            with guarded("watching a websocket"):
                self._watch(channel, connection)

    def _sent(self, channel: Channel, wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
        """Around ``send``, sync and async alike."""
        if self._is_on and state.sink is not None:
            with guarded("reading what is sent"):
                self._watch(channel, connection).asked(args[0] if args else kwargs.get("event"))
        return wrapped(*args, **kwargs)

    def _parsed(self, channel: Channel, wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
        event = wrapped(*args, **kwargs)
        kind = getattr(event, "type", None)
        step = STEPS.get(kind) if isinstance(kind, str) else None
        if step is not None and self._is_on and state.sink is not None:
            with guarded("reading an event"):
                step(self._watch(channel, connection), event)
        return event

    def _watch(self, channel: Channel, connection: Any) -> SocketWatch:
        watch = state.sockets.get(connection)
        if isinstance(watch, SocketWatch):
            return watch
        watch = SocketWatch(channel, self._line(connection))
        state.sockets[connection] = watch
        finalize(connection, watch.collected).atexit = False  # open calls are ended at exit in any case
        return watch

    def _line(self, connection: Any) -> Line:
        """From the request that opened the websocket: public in every version of `websockets` that the client takes."""
        request = dig(connection, "_connection", "request")
        host, port = address_in(f"//{as_name(dig(request, 'headers', 'Host')) or ''}")  # TLS, as providers' are
        address = parse_qs(urlsplit(as_name(dig(request, "path")) or "").query)
        return Line(
            library=self._library,
            provider=self._provider(None, host, port),
            host=host,
            port=port,
            model=next((address[name][0] for name in MODEL_NAMES if name in address), None),
            attribution=in_force(NOBODY, NOBODY).attribution,
        )


def _closed(wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
    """Around ``close``, sync and async alike: whoever calls it reads no further."""
    watch = state.sockets.get(connection)
    if isinstance(watch, SocketWatch):
        with guarded("ending what a websocket was about"):
            watch.give_up()
    return wrapped(*args, **kwargs)


def _connections_in(module: ModuleType) -> Iterator[type[Any]]:
    """``RealtimeConnection``, ``AsyncRealtimeConnection``…; older clients lack some of them."""
    for name, each in vars(module).items():
        if name.endswith("Connection") and isinstance(each, type) and each.__module__ == module.__name__:
            yield each
