"""
What stands around the functions of a generated client.

Plain functions with the parameters that the client's own have had since openai 1.109: a request that is none of ours
costs two function calls more. Whatever comes with ``*args`` and ``**kwargs`` costs three times as much to hand on, and
a wrapt wrapper five times. What has other parameters, or is no plain function, is handed what came (`_as_it_comes`).

Sync and async differ by `await` alone. What watches a call has no colour, and is not loaded before the first one.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from contextvars import ContextVar
from functools import wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from ._calls import Call

current: Final[ContextVar["Call | None"]] = ContextVar("ramp_tracing_current_call", default=None)
"""The call that is being made here."""


class Watcher(Protocol):
    """What watches calls. No method raises."""

    def begin(self, client: Any, options: Any, stream: object) -> "Call | None":
        """The call that a request is; `None` if it is none of ours, or seen already by a function further out."""
        ...

    def answered(self, call: "Call", result: Any) -> None:
        """The client's function has returned *result*."""
        ...

    def late(self, options: Any, response: Any) -> "Watching | None":
        """For a request that nobody has shown us, and that is answered now; `None` if it is none of ours."""
        ...


class Watching(Protocol):
    """Who watches just now."""

    @property
    def watcher(self) -> Watcher | None:
        """Who; `None` before the first call."""
        ...

    @property
    def passed(self) -> Container[object]:
        """Addresses that are got again and again, and are none of ours: to ask the watcher of each is a fifth."""
        ...

    def load(self) -> Watcher | None:
        """The same from now on; `None` where there is nothing to watch calls for."""
        ...


UNUSUAL: Final = (AttributeError, TypeError)
"""What options without an address raise, or with one that is no text; whoever watches calls says what is wrong."""

Exact = Callable[[Watching, Any], Any]
"""A function of a client to what is put in its place; by the parameters that it should have."""


def request(watching: Watching, wrapped: Any) -> Any:
    """Around ``request``."""
    passed = watching.passed

    def request(client: Any, cast_to: Any, options: Any, *, stream: Any = False, stream_cls: Any = None) -> Any:
        try:
            passes = options.url in passed and options.method == "get"
        except UNUSUAL:
            passes = False
        watcher = None if passes else watching.watcher or watching.load()
        call = None if watcher is None else watcher.begin(client, options, stream)
        if watcher is None or call is None:
            return wrapped(client, cast_to, options, stream=stream, stream_cls=stream_cls)
        outer = current.get()
        try:
            current.set(call)
            result = wrapped(client, cast_to, call.options, stream=stream, stream_cls=stream_cls)
        except BaseException as error:
            call.failed(error)
            raise
        finally:
            if current.get() is call:  # else a coroutine that was dropped is closed, perhaps inside another call
                current.set(outer)
        watcher.answered(call, result)
        return result

    return request


def async_request(watching: Watching, wrapped: Any) -> Any:
    """Around ``request`` of async clients."""
    passed = watching.passed

    async def request(client: Any, cast_to: Any, options: Any, *, stream: Any = False, stream_cls: Any = None) -> Any:
        try:
            passes = options.url in passed and options.method == "get"
        except UNUSUAL:
            passes = False
        watcher = None if passes else watching.watcher or watching.load()
        call = None if watcher is None else watcher.begin(client, options, stream)
        if watcher is None or call is None:
            return await wrapped(client, cast_to, options, stream=stream, stream_cls=stream_cls)
        outer = current.get()
        try:
            current.set(call)
            result = await wrapped(client, cast_to, call.options, stream=stream, stream_cls=stream_cls)
        except BaseException as error:
            call.failed(error)
            raise
        finally:
            if current.get() is call:  # else a coroutine that was dropped is closed, perhaps inside another call
                current.set(outer)
        watcher.answered(call, result)
        return result

    return request


def response(watching: Watching, wrapped: Any) -> Any:
    """Around ``_process_response``: an answer that cannot be read raises there, and has been billed already."""
    passed = watching.passed

    def process_response(
        client: Any, *, cast_to: Any, options: Any, response: Any, stream: Any, stream_cls: Any, retries_taken: Any = 0
    ) -> Any:
        call = current.get()
        if call is not None:
            call.note_response(client, options, response, retries_taken)
        else:
            try:
                passes = options.url in passed and options.method == "get"
            except UNUSUAL:
                passes = False
            late = None if passes else _late_in(watching, options, response)
            if late is not None:
                asking = request(late, _answering(wrapped, response, retries_taken))
                return asking(client, cast_to, options, stream=stream, stream_cls=stream_cls)
        return wrapped(
            client, cast_to=cast_to, options=options, response=response, stream=stream, stream_cls=stream_cls,
            retries_taken=retries_taken,
        )  # fmt: skip

    return process_response


def async_response(watching: Watching, wrapped: Any) -> Any:
    """Around ``_process_response`` of async clients."""
    passed = watching.passed

    async def process_response(
        client: Any, *, cast_to: Any, options: Any, response: Any, stream: Any, stream_cls: Any, retries_taken: Any = 0
    ) -> Any:
        call = current.get()
        if call is not None:
            call.note_response(client, options, response, retries_taken)
        else:
            try:
                passes = options.url in passed and options.method == "get"
            except UNUSUAL:
                passes = False
            late = None if passes else _late_in(watching, options, response)
            if late is not None:
                asking = async_request(late, _answering(wrapped, response, retries_taken))
                return await asking(client, cast_to, options, stream=stream, stream_cls=stream_cls)
        return await wrapped(
            client, cast_to=cast_to, options=options, response=response, stream=stream, stream_cls=stream_cls,
            retries_taken=retries_taken,
        )  # fmt: skip

    return process_response


def _late_in(watching: Watching, options: Any, response: Any) -> Watching | None:
    """Who watches a call of which we have not seen the request, from its answer on; `None` for nearly all requests."""
    watcher = watching.watcher or watching.load()
    return None if watcher is None else watcher.late(options, response)


def _answering(wrapped: Any, response: Any, retries_taken: object) -> Any:
    """``_process_response``, to be called as ``request`` is."""

    def answering(client: Any, cast_to: Any, options: Any, *, stream: Any, stream_cls: Any) -> Any:
        call = current.get()
        if call is not None:
            call.note_response(client, options, response, retries_taken)
        more = {"stream": stream, "stream_cls": stream_cls, "retries_taken": retries_taken}
        return wrapped(client, cast_to=cast_to, options=options, response=response, **more)

    return answering


def around(exact: Exact, watching: Watching, wrapped: Any) -> Any:
    """
    What *exact* makes of *wrapped*, or the same for any parameters.

    Args:
        exact: One of the four above.
        watching: Who watches just now.
        wrapped: What the class has.
    """
    wrapped = _without_other_copies(wrapped)
    made = exact(watching, wrapped)
    if type(wrapped) is not FunctionType or _parameters(wrapped) != _parameters(made):
        made = _as_it_comes(exact, watching, wrapped)
    return wraps(wrapped)(made)


def _without_other_copies(wrapped: Any) -> Any:
    """
    What another copy of this module has wrapped.

    Test runners and notebooks forget packages and import them again; what the forgotten copy has put up still stands,
    and would record each call a second time.
    """
    while type(wrapped) is FunctionType:
        place = wrapped.__globals__
        if place is globals() or place.get("__name__") != __name__:
            break
        wrapped = vars(wrapped)["__wrapped__"]
    return wrapped


def _parameters(function: FunctionType) -> tuple[object, ...]:
    """What a function takes beside its first argument."""
    code = function.__code__
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    takes_more = code.co_flags & (CO_VARARGS | CO_VARKEYWORDS)
    return names, code.co_argcount, takes_more, function.__defaults__, function.__kwdefaults__


CO_VARARGS: Final = 4
CO_VARKEYWORDS: Final = 8
"""See `inspect`, which takes too long to be imported for this."""


def _as_it_comes(exact: Exact, watching: Watching, wrapped: Any) -> Any:
    """Around a function with other parameters. It is handed what came, but for the options."""

    def take(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        came = {**dict(zip(("cast_to", "options"), args, strict=False)), **kwargs}

        def hand_on(_client: Any, _cast_to: Any = None, options: Any = None, **_known: Any) -> Any:
            handed, more = args, kwargs
            if options is not came.get("options"):
                handed, more = _with_options(args, kwargs, options)
            return wrapped.__get__(client, type(client))(*handed, **more)

        return exact(watching, hand_on)(client, **{name: came.get(name) for name in KNOWN[exact]})

    def any_function(client: Any, *args: Any, **kwargs: Any) -> Any:
        return take(client, args, kwargs)

    async def any_async_function(client: Any, *args: Any, **kwargs: Any) -> Any:
        return await take(client, args, kwargs)

    return any_async_function if exact in (async_request, async_response) else any_function


OF_REQUESTS: Final = ("cast_to", "options", "stream", "stream_cls")
OF_ANSWERS: Final = (*OF_REQUESTS, "response", "retries_taken")

KNOWN: Final[Mapping[Exact, Sequence[str]]] = {
    request: OF_REQUESTS,
    async_request: OF_REQUESTS,
    response: OF_ANSWERS,
    async_response: OF_ANSWERS,
}
"""What each of the functions takes."""


def _with_options(
    args: tuple[Any, ...], kwargs: dict[str, Any], options: Any
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments as they came, with other options."""
    if "options" in kwargs:
        return args, {**kwargs, "options": options}
    return (*args[:1], options, *args[2:]), kwargs
