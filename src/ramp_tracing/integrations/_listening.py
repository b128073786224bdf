"""
Reading a stream's events before the client library makes objects of them.

A library that Stainless generates hands the JSON of each event to ``_process_response_data`` of its client, and gives
on what comes back. Plain dictionaries are read at a third of what its models take, and nobody has changed them yet.
Where the library does otherwise, nothing is lost: items that come some other way are read themselves.
"""

from collections.abc import Callable
from typing import Any, Final

from .._guard import guarded
from ._streams import StreamWatch

METHOD: Final = "_process_response_data"

PARAMETERS: Final = ("data", "cast_to", "response")
"""By these names, and by name only, it is called in openai 1 to 3 and in anthropic."""


def listen(stream: Any, watch: StreamWatch, *, trusted: bool) -> None:
    """
    Let *watch* know of the events that *stream* makes its items of.

    Args:
        stream: A stream of the client library's that has not begun.
        watch: Takes them in.
        trusted: Whether all items of this kind of stream are made like that, if one is.
    """
    with guarded("listening to a stream"):
        client = stream._client
        build = getattr(client, METHOD)
        if _takes(build, PARAMETERS):
            telling = _telling(build, watch) if watch.hides_usage or not trusted else _trusted(build, watch)
            stream._client = Listening(stream, client, telling)


class Listening:
    """
    Stands for the client of one stream, until the stream asks it for its method: that is its first step.

    Args:
        stream: The stream.
        client: Its client.
        telling: What to give for the method.
    """

    def __init__(self, stream: Any, client: Any, telling: Callable[..., object]) -> None:
        self._stream, self._client, self._telling = stream, client, telling

    def __getattr__(self, name: str) -> Any:
        if name != METHOD:
            return getattr(self._client, name)
        self._stream._client = self._client
        return self._telling


def _telling(build: Callable[..., object], watch: StreamWatch) -> Callable[..., object]:
    """What the library calls for each event in place of its client's method, where items may have to be hidden."""
    takes, hides_usage = watch.takes, watch.hides_usage

    def process(*, data: Any, cast_to: object, response: object) -> object:
        try:
            taken = takes(data)
        except BaseException:
            taken = False
            with guarded("reading an event"):
                raise
        if taken:
            if hides_usage and "usage" in data:
                del data["usage"]
            watch.usual = item = build(data=data, cast_to=cast_to, response=response)
        else:
            watch.shown = watch.keeps(data)
            watch.told = item = build(data=data, cast_to=cast_to, response=response)
        return item

    return process


def _trusted(build: Callable[..., object], watch: StreamWatch) -> Callable[..., object]:
    """The same where none is hidden: nobody has to know which item was made of which data."""
    takes, keeps = watch.takes, watch.keeps

    def process(*, data: object, cast_to: object, response: object) -> object:
        try:
            taken = takes(data)
        except BaseException:
            taken = False
            with guarded("reading an event"):
                raise
        if not taken:
            watch.passes = keeps(data)
        return build(data=data, cast_to=cast_to, response=response)

    return process


def _takes(method: Any, names: tuple[str, ...]) -> bool:
    """Whether a method takes these parameters, by name only and all of them, and no other."""
    code = getattr(method, "__code__", None)
    if code is None or code.co_argcount != 1 or code.co_kwonlyargcount != len(names):
        return False
    return code.co_varnames[1 : 1 + len(names)] == names and not code.co_flags & TAKES_ANY


TAKES_ANY: Final = 0x0C
"""`inspect.CO_VARARGS` and `inspect.CO_VARKEYWORDS`."""
