"""
The one hook for clients that Stainless generates: openai, and others of the same make.

They all send through ``SyncAPIClient.request`` or ``AsyncAPIClient.request``, looked up on the class at each call.
Wrapping these two sees every endpoint, every client made before or after, Azure, ``with_options`` and ``client.post``,
and a call with its retries once. ``_process_response`` is wrapped to note the raw answer, because a call that raises
while its answer is parsed has been billed already. The names are the same from openai 1.109 to 3.57.

Another instrumentation that leaves may take one of the two out with it. The other one notices, and puts it back; a call
that came without ``request`` is watched from its answer on.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from typing import Any, Final
from weakref import WeakValueDictionary

from .._guard import guarded
from .._layers import sink_under
from .._state import state
from ._around import current
from ._asking import Origin
from ._bodies import EitherAccumulator, may_be_json, watch_below, watch_beside, watch_body
from ._calls import Call, address_of, nanoseconds_taken
from ._doors import Doors, Library
from ._endings import make_room
from ._iterators import AsyncClosing, AsyncWatchedIterator, Closing, WatchedIterator, reading
from ._listening import listen
from ._options import AskedByUs, asking_for_usage, leaves_usage_to_us, named
from ._routes import Route, file_in
from ._streams import StreamWatch

MAX_PASSED_CHARACTERS: Final = 200
"""Of an address that is remembered: one that is got again and again is short, and one with a token in it is longer."""

WATCHED: Final = (WatchedIterator, AsyncWatchedIterator)


class Known:
    """
    An origin, and what it depends on; by reference, so that nothing else can be at the same place in memory.

    Args:
        client: Whose it is.
        origin: What is known.
    """

    __slots__ = ("base", "client", "origin", "providers")

    def __init__(self, client: Any, origin: Origin) -> None:
        self.client: type[Any] = type(client)
        self.base: object = client.base_url
        self.providers = state.providers
        self.origin = origin


class StainlessHook:
    """
    Watches the calls of one generated library.

    Args:
        library: Which. It is imported by now.
        doors: Where its calls come by.
    """

    def __init__(self, library: Library, doors: Doors) -> None:
        self._library = library
        self._doors = doors
        self._stream = import_module(f"{library.name}._streaming")
        self._raw = tuple(_raw_responses(library.name))
        self._has_middleware = hasattr(import_module(f"{library.name}._base_client").BaseClient, "middleware")
        self._repairing = Lock()
        self._origins: dict[int, Known] = {}
        self._above: WeakValueDictionary[int, Call] | None = None  # those of subclasses, if there are any, by options

    def begin(self, client: Any, options: Any, stream: object, owner: type[Any] | None = None) -> Call | None:
        """As in `Watcher`, of *owner*, if that is a subclass of the library's. A stream may be asked for its usage."""
        call = None
        try:
            call = self._call(client, options, options.url, owner)
            if call is not None and stream is True:
                self._ask(call, client)
            if call is not None and self._has_middleware and client.middleware:
                call.options = named(call.options, client)
                self._note_above(call, owner)
            elif call is not None and owner is not None:
                self._note_above(call, owner)
        except BaseException:
            with guarded("reading a request"):  # entered only now, here and elsewhere: that is a tenth of a call
                raise
        return call

    def late(self, options: Any, response: Any) -> "LateHook | None":
        """As in `Watcher`."""
        missed = False
        try:
            missed = self._route(options.method, options.url) is not None and not self._goes_on(options, response)
        except BaseException:
            with guarded("reading a request"):
                raise
        return LateHook(self, response) if missed else None

    def _goes_on(self, options: Any, response: Any) -> bool:
        """
        Whether it is the answer to a call that has begun elsewhere: a middleware may ask on a thread.

        The client gives it copies of all that it was asked, the name of the call too. Where it is none of these, the
        call is the one that asks for the same, else the only one that goes on.
        """
        if self._above is None or not self._has_middleware:
            return False
        calls = {each for each in (known() for known in self._above.valuerefs()) if each is not None and each.goes_on}
        key, body = options.idempotency_key, options.json_data
        named = {each for each in calls if each.options.idempotency_key == key is not None}
        found = named or {each for each in calls if each.options.json_data == body} or calls
        return len(found) == 1 and found.pop().is_answered_elsewhere(options, response)

    def begin_late(self, client: Any, options: Any, response: Any) -> Call | None:
        """A call whose request nobody showed us: somebody has taken out what shows us requests."""
        call = None
        with guarded("reading a request"):
            call = self._call(client, options, options.url)
            if call is not None:
                call.recording.began_earlier(nanoseconds_taken(response))
                self._repair(self._doors.wrap_requests)
        return call

    def _repair(self, wrap: Callable[[], object]) -> bool:
        """
        Put back what somebody has taken out, unless it was us, or another thread is doing it now; whether it was.

        Args:
            wrap: For what is missing, and nothing else. Around somebody's wrapper that has ours below it, another one
                of ours would take one call for two, if that one changes the request.
        """
        if self._library.name in state.enabled and self._repairing.acquire(blocking=False):
            try:
                return bool(wrap())
            finally:
                self._repairing.release()
        return True

    def _call(self, client: Any, options: Any, url: str, owner: type[Any] | None = None) -> Call | None:
        """The call that starts here; `None` if it is not billable, or seen already by a wrapper further out."""
        sink, outer = state.sink, current.get()
        if sink is None or self._library.name not in state.enabled:
            return None
        route = self._route(options.method, url)
        # Whose options these are is surer than where we are: a task or a thread may ask for the calls of others.
        above = outer
        if self._above is not None and (outer is None or not outer.is_same(client, options)):
            above = self._above.get(id(options), outer)
        if route is None or (above is not None and above is outer and above.is_asked_by(client, options, route, owner)):
            return None
        call = Call()
        call.begin(
            client,
            options,
            sink=sink_under(sink) if state.layers else sink,
            route=route,
            origin=self._origin(client, url),
        )
        if above is not None:
            above.hands_to(route)
            if above is not outer:
                call.begins_below(above)
        return call

    def _note_above(self, call: Call, owner: type[Any] | None) -> None:
        """
        Note that *call* has begun, to be known where only its options are.

        Args:
            call: The call.
            owner: The subclass in whose ``request`` it began; else the client has a middleware, which sees copies.
        """
        if owner is not None:
            call.owner = owner
        if self._above is None:
            self._above = WeakValueDictionary()
        for options in call.sent_options:
            self._above[id(options)] = call

    def _route(self, method: str, url: str) -> Route | None:
        """
        What kind of request it is.

        What an application gets again and again, and is never ours, is remembered: to look at each of those again is
        most of what they would cost.
        """
        route = self._library.routes.match(method, url)
        if route is None and method == "get" and len(url) <= MAX_PASSED_CHARACTERS and not file_in(url):
            make_room(self._doors.passed)
            self._doors.passed[url] = None
        return route

    def _origin(self, client: Any, url: str) -> Origin:
        """Where a request goes; found out once for a client, as long as its address and the user's names stay."""
        base = client.base_url
        known = self._origins.get(id(base))
        if (
            known is not None
            and known.base is base
            and known.client is type(client)
            and known.providers is state.providers
            and "//" not in url
        ):
            return known.origin
        host, port = address_of(client, url)
        origin = Origin(self._library.name, self._library.provider(client, host, port), host=host, port=port)
        if "//" not in url:
            make_room(self._origins)
            self._origins[id(base)] = Known(client, origin)
        return origin

    def _ask(self, call: Call, client: Any) -> None:
        """Ask a stream for its usage, and hide that; also where a subclass was handed what asks for it."""
        if self._should_ask(call, client):
            call.options = asking_for_usage(call.options)
            call.hides_usage = True
        else:
            call.hides_usage = type(call.asking.body.get("stream_options")) is AskedByUs

    def _should_ask(self, call: Call, client: Any) -> bool:
        if not call.route.asks_for_usage or state.stream_usage == "never":
            return False
        if not leaves_usage_to_us(call.options, call.asking.body):
            return False
        host, _ = address_of(client, call.options.url)
        return state.stream_usage == "always" or self._library.asks_for_usage(client, host, call.asking.body)

    def answered(self, call: Call, result: Any) -> None:
        """As in `Watcher`."""
        if (call.owner is not None and not call.noted and self._is_anothers(call)) or call.is_left_unread():
            return
        watched = False
        try:
            if not call.noted:
                self._repair(self._doors.wrap_responses)
            watched = not call.is_read and self._watches(call, result)
        except BaseException:
            with guarded("watching an answer"):
                raise
        if not watched:
            try:
                call.answered(result)
            except BaseException:
                with guarded("recording an answer"):
                    raise

    def _is_anothers(self, call: Call) -> bool:
        """
        Whether what a subclass's ``request`` gives back is no answer to what it asked itself, unless that was missed.

        Another client's answer has a record of its own, wherever it was asked; one that was kept was paid for before.
        """
        was_missed = False
        with guarded("watching an answer"):
            call.is_over()
            was_missed = self._repair(self._doors.wrap_responses)
        return call.is_handed_down or not call.is_asked or not was_missed

    def _watches(self, call: Call, result: Any) -> bool:
        """Whether the answer is still to be read by the application; then it is watched from now on."""
        if isinstance(result, (self._stream.Stream, self._stream.AsyncStream)):
            if type(result._iterator) in WATCHED:
                return True  # of another call, which records it: a subclass gives it back
            self._watch_stream(call, result)
        else:
            response = self._unread(result)
            if response is None:
                return False
            watch_body(response, call.ending, call.route.format, call.accumulator())
        call.recording.may_be_dropped()
        return True

    def _watch_stream(self, call: Call, stream: Any) -> None:
        response, accumulator = stream.response, call.accumulator()
        is_unclear = call.may_be_no_stream and may_be_json(response)
        if is_unclear:
            accumulator = EitherAccumulator(accumulator, call.route.format)
        watch = StreamWatch(call.ending, accumulator, hides_usage=call.hides_usage)
        listen(stream, watch, trusted=type(stream) in (self._stream.Stream, self._stream.AsyncStream))
        is_async = not isinstance(stream, self._stream.Stream)
        stream._iterator = iterator = (AsyncWatchedIterator if is_async else WatchedIterator)(stream._iterator, watch)
        reads = reading(iterator)
        if is_async:
            watch.cover(response, aclose=AsyncClosing(response.aclose, watch, reads))
        else:
            watch.cover(response, close=Closing(response.close, watch, reads))
        if is_unclear:
            watch_below(response, watch, is_async=is_async)
        else:
            watch_beside(response, watch, lambda: watch.is_heard or watch.busy or reads(), is_async=is_async)

    def _unread(self, result: Any) -> Any:
        """
        The HTTP response that the application has yet to read; `None` if there is none.

        It is behind a raw response of a stream, or of ``with_streaming_response``, or was asked for itself.
        """
        response = result.http_response if isinstance(result, self._raw) else result
        is_streamed = hasattr(response, "is_stream_consumed") and not hasattr(response, "_content")
        return response if is_streamed else None


class LateHook:
    """
    Watches a call from its answer on.

    Args:
        hook: Whose call it is.
        response: The answer.
    """

    def __init__(self, hook: StainlessHook, response: Any) -> None:
        self._hook = hook
        self._response = response

    @property
    def watcher(self) -> "LateHook":
        """Itself, as in `Watching`."""
        return self

    @property
    def passed(self) -> tuple[()]:
        """Nothing, as in `Watching`: what it watches is none of those."""
        return ()

    def load(self) -> "LateHook":
        """Itself, which is there."""
        return self

    def begin(self, client: Any, options: Any, stream: object) -> Call | None:
        """As in `Watcher`."""
        return self._hook.begin_late(client, options, self._response)

    def late(self, options: Any, response: Any) -> "LateHook | None":
        """As in `Watcher`."""
        return self._hook.late(options, response)

    def answered(self, call: Call, result: Any) -> None:
        """As in `Watcher`."""
        self._hook.answered(call, result)


def _raw_responses(library: str) -> Iterator[type[Any]]:
    """What ``with_raw_response`` and ``with_streaming_response`` give; anthropic 1 and newer have one kind for both."""
    yield import_module(f"{library}._response").BaseAPIResponse
    if find_spec(f"{library}._legacy_response") is not None:
        yield import_module(f"{library}._legacy_response").LegacyAPIResponse
