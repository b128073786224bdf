"""
Reading a stream's events before the client library makes objects of them.

A library that Stainless generates hands the JSON of each event to ``_process_response_data`` of its client, and gives
on what comes back. Plain dictionaries are read at a third of what its models take, and nobody has changed them yet.
Where the library does otherwise, nothing is lost: items that come some other way are read themselves.
"""

from typing import Any, Final
from weakref import ref

from .._guard import guarded
from .._normalizers import Build
from ._streams import StreamWatch

METHOD: Final = "_process_response_data"

PARAMETERS: Final = ("data", "cast_to", "response")
"""By these names, and by name only, it is called in openai 1 to 3 and in anthropic."""


def listen(stream: Any, watch: StreamWatch, *, trusted: bool) -> None:
    """
    Let *watch* know of the events that *stream* makes its items of.

    Args:
        stream: A stream of the client library's that has not begun. Its iterator may be one of a copy of it, which is
            made when somebody first asks for that (anthropic 2); until then nobody has.
        watch: Takes them in.
        trusted: Whether all items of this kind of stream are made like that, if one is.
    """
    with guarded("listening to a stream"):
        client = stream._client
        build = getattr(client, METHOD)
        if _takes(build, PARAMETERS):
            telling = _trusted(build, watch) if trusted else _telling(build, watch)
            stream._client = Listening(stream, client, watch, telling)


class Listening:
    """
    Stands for the client of one stream, until the stream asks it for its method: that is its first step.

    Args:
        stream: The stream, which need not live as long.
        client: Its client.
        watch: Is told that the stream reads now, whoever takes its steps.
        telling: What to give for the method.
    """

    def __init__(self, stream: Any, client: Any, watch: StreamWatch, telling: Build) -> None:
        self._stream, self._client, self._watch, self._telling = ref(stream), client, watch, telling

    def __getattr__(self, name: str) -> Any:
        if name != METHOD:
            return getattr(self._client, name)
        stream = self._stream()
        if stream is not None:
            stream._client = self._client
        self._watch.is_heard = True
        return self._telling


def _telling(build: Build, watch: StreamWatch) -> Build:
    """What the library calls for each event in place of its client's method, where items may come some other way."""

    def process(*, data: object, cast_to: object, response: object) -> object:
        watch.shown = watch.keeps(data)
        watch.told = item = build(data=data, cast_to=cast_to, response=response)
        return item

    return process


def _trusted(build: Build, watch: StreamWatch) -> Build:
    """The same where none does: nobody has to know which item was made of which data."""
    taking = getattr(watch.accumulator, "taking", None)
    if taking is not None:
        taken: Build = taking(build, watch.judges, takes_off_usage=watch.hides_usage)
        return taken

    def process(*, data: object, cast_to: object, response: object) -> object:
        watch.judges(data)
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
