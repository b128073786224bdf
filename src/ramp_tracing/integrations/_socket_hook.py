"""
The hook for websockets that a generated client opens.

Every connection class hands each message that it receives to its ``parse_event``, in sync and async clients alike
(``recv``, iteration, ``dispatch_events``, and whoever reads ``recv_bytes`` and parses by himself). The names are the
same from openai 1.66 to 3.57. A class is wrapped when a client first makes that part of itself which opens connections.
What watches a websocket is loaded with the first that is opened.

No import hook is left for those parts: Python would ask it at every import, also where an application tries for an
optional library in each of its calls, as the openai client does for each vector of its embeddings.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from .._guard import guarded
from .._lazy import load
from .._state import state
from ._patches import Patches
from ._routes import Channel

if TYPE_CHECKING:
    from ._sockets import SocketWatch


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
        """Wrap the connection classes: those that are there now, others when somebody has got to them."""
        self._is_on = True
        self._awaited = set(self._channels)
        for name in self._channels:
            self._found(name)
        if self._awaited:
            resources = import_module(f"{self._library}._resource")
            for owner in (resources.SyncAPIResource, resources.AsyncAPIResource):
                self._patches.wrap(owner, "__init__", self._made)

    def uninstall(self) -> None:
        """Take the wrappers out again."""
        self._is_on = False
        self._patches.undo()

    def _made(self, wrapped: Any, resource: Any, args: Any, kwargs: Any) -> None:
        """Around ``__init__`` of the parts of a client, each of which a client makes once."""
        wrapped(*args, **kwargs)
        if self._is_on and self._awaited:
            with guarded("hooking websockets"):
                for each in type(resource).__mro__:
                    self._found(each.__module__)

    def _found(self, name: str) -> None:
        """Wrap what is in a module, if it is one that is waited for and there; once, whoever else comes by."""
        module = sys.modules.get(name) if name in self._awaited else None
        if module is not None:
            try:
                self._awaited.remove(name)
            except KeyError:  # another thread was quicker
                return
            self._wrap(module)

    def _wrap(self, module: ModuleType) -> None:
        channel = self._channels[module.__name__]
        for owner in _classes_in(module, "Connection"):
            self._patches.wrap(owner, "__init__", partial(self._opened, channel))
            self._patches.wrap(owner, "parse_event", partial(self._parsed, channel))
            self._patches.wrap(owner, "close", _closed)
            if hasattr(owner, "_reconnect"):  # openai 2 and 3
                self._patches.wrap(owner, "_reconnect", _lost)
            if channel.in_turn:
                self._patches.wrap(owner, "send", partial(self._sent, channel))
        for owner in _classes_in(module, "Lane"):
            self._patches.wrap(owner, "send", partial(self._sent_on_lane, channel))

    def _opened(self, channel: Channel, wrapped: Any, connection: Any, args: Any, kwargs: Any) -> None:
        wrapped(*args, **kwargs)
        if self._is_on and state.sink is not None:
            with guarded("watching a websocket"):
                self._watch(channel, connection)
                for name in tuple(self._awaited):  # lanes are no part of a client, and are made for a connection
                    self._found(name)

    def _sent(self, channel: Channel, wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
        """Around ``send``, sync and async alike."""
        if self._is_on and state.sink is not None:
            with guarded("reading what is sent"):
                self._watch(channel, connection).asked(args[0] if args else kwargs.get("event"))
        return wrapped(*args, **kwargs)

    def _sent_on_lane(self, channel: Channel, wrapped: Any, lane: Any, args: Any, kwargs: Any) -> Any:
        """Around ``send`` of a lane, likewise, which sends past its connection. Its names are those of openai 3.57."""
        if self._is_on and state.sink is not None:
            with guarded("reading what is sent"):
                watch = self._watch(channel, lane._session.connection)
                watch.asked(args[0] if args else kwargs.get("event"), lane=lane._state.stream_id)
        return wrapped(*args, **kwargs)

    def _parsed(self, channel: Channel, wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
        event = wrapped(*args, **kwargs)
        kind = getattr(event, "type", None)
        if isinstance(kind, str) and self._is_on and state.sink is not None:
            with guarded("reading an event"):
                self._watch(channel, connection).told(kind, event)
        return event

    def _watch(self, channel: Channel, connection: Any) -> "SocketWatch":
        watch = state.sockets.get(connection)
        if watch is None:
            watch = load(f"{__package__}._socket_lines").watched(
                channel, connection, library=self._library, provider=self._provider
            )
        return cast("SocketWatch", watch)


def _closed(wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
    """Around ``close``, sync and async alike: whoever calls it reads no further."""
    watch = state.sockets.get(connection)
    if watch is not None:
        with guarded("ending what a websocket was about"):
            cast("SocketWatch", watch).give_up()
    return wrapped(*args, **kwargs)


def _lost(wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
    """Around ``_reconnect``, likewise, which is called when a connection has been lost, and perhaps makes another."""
    watch = state.sockets.get(connection)
    if watch is not None:
        with guarded("ending what a websocket was about"):
            cast("SocketWatch", watch).lost()
    return wrapped(*args, **kwargs)


def _classes_in(module: ModuleType, ending: str) -> Iterator[type[Any]]:
    """``RealtimeConnection``, ``AsyncRealtimeConnection``…; older clients lack some of them."""
    for name, each in vars(module).items():
        if name.endswith(ending) and isinstance(each, type) and each.__module__ == module.__name__:
            yield each
