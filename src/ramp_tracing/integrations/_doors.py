"""
Where the calls of a generated client come by.

The wrappers that `instrument()` puts up know nothing of calls. What watches one is loaded with the first that comes by.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from .._dataclass import dataclass
from .._guard import guarded
from .._lazy import LOADING, load
from .._state import state
from ._around import around, async_request, async_response, request, response
from ._patches import Patches
from ._routes import Routes

if TYPE_CHECKING:
    from ._calls import Call
    from ._stainless import LateHook, StainlessHook


def _never(_client: Any, _host: str | None, _body: Mapping[str, object]) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """
    What the hook has to know of one library.

    Attributes:
        name: Its import name.
        routes: Its endpoints.
        provider: (client, host, port) → who is called; `None` for a host that nobody knows.
        asks_for_usage: (client, host, body) → whether a stream may be asked for its usage; most tell it unasked.
    """

    name: str
    routes: Routes
    provider: Callable[[Any, str | None, int | None], str | None]
    asks_for_usage: Callable[[Any, str | None, Mapping[str, object]], bool] = _never


class Doors:
    """
    The wrappers around one generated library.

    Args:
        library: Which.

    Attributes:
        watcher: As in `Watching`.
        passed: As in `Watching`.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._patches = Patches()
        self.watcher: StainlessHook | None = None
        self.passed: dict[str, None] = {}

    def install(self) -> None:
        """Wrap the client classes. The library is imported by now: this waits for the application's own import."""
        base = import_module(f"{self._library.name}._base_client")
        self._clients = (
            (base.SyncAPIClient, request, response),
            (base.AsyncAPIClient, async_request, async_response),
        )
        self.watcher = None  # whichever library it was before
        self.wrap_requests()
        self.wrap_responses()

    def uninstall(self) -> None:
        """Take the wrappers out again."""
        self._patches.undo()

    def wrap_requests(self) -> None:
        """Wrap every ``request``; later, those that somebody has taken our wrapper from."""
        for owner, exact, _ in self._clients:
            self._patches.restore(owner, "request", partial(around, exact, self))
            for each in set(_overriding(owner)):
                self._patches.restore(each, "request", partial(around, exact, Overriding(self, each)))

    def wrap_responses(self) -> bool:
        """Wrap every ``_process_response``, likewise; whether one had to be."""
        missing = [
            self._patches.restore(owner, "_process_response", partial(around, exact, self))
            for owner, _, exact in self._clients
        ]
        return any(missing)

    def load(self) -> "StainlessHook | None":
        """What watches calls; `None` where there is nothing to watch them for, or it cannot be loaded."""
        sink = state.sink
        if self._library.name not in state.enabled or sink is None:
            return None
        with guarded("loading what watches a call"):
            with LOADING:
                if self.watcher is None:
                    made = load(f"{__package__}._stainless").StainlessHook(self._library, self)
                    self.watcher = cast("StainlessHook", made)
            # Its thread loads what writes records down while this one waits for the answer.
            sink.stand_by()
        return self.watcher


class Overriding:
    """
    Watches a ``request`` of a subclass, which asks by the inherited one, or by another client, what it was asked.

    Args:
        doors: Those of the library.
        owner: The subclass.
    """

    __slots__ = ("_doors", "_owner")

    def __init__(self, doors: Doors, owner: type[Any]) -> None:
        self._doors = doors
        self._owner = owner

    @property
    def watcher(self) -> "Overriding | None":
        """As in `Watching`."""
        return None if self._doors.watcher is None else self

    @property
    def passed(self) -> Mapping[str, None]:
        """As in `Watching`."""
        return self._doors.passed

    def load(self) -> "Overriding | None":
        """As in `Watching`."""
        return None if self._doors.load() is None else self

    def begin(self, client: Any, options: Any, stream: object) -> "Call | None":
        """As in `Watcher`."""
        watcher = self._doors.watcher
        return None if watcher is None else watcher.begin(client, options, stream, self._owner)

    def answered(self, call: "Call", result: Any) -> None:
        """As in `Watcher`."""
        watcher = self._doors.watcher
        if watcher is not None:
            watcher.answered(call, result)

    def late(self, options: Any, response: Any) -> "LateHook | None":
        """As in `Watcher`."""
        watcher = self._doors.watcher
        return None if watcher is None else watcher.late(options, response)


def _overriding(base: type[Any]) -> Iterator[type[Any]]:
    """
    Subclasses with a ``request`` of their own.

    Another instrumentation may have put one there that holds the function we wrap as it was before.
    """
    for each in base.__subclasses__():
        if "request" in vars(each):
            yield each
        yield from _overriding(each)
