"""
Answers that the application reads as bytes, later or never: ``with_streaming_response``, and streams behind
``with_raw_response``.

Every way of reading a response (`read`, `json`, `text`, lines, a file, the client's own `parse`) goes through
``iter_bytes``, so a look at those bytes on their way is all it takes. They reach the application unchanged.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from itertools import chain, repeat
from typing import Any, Final, Protocol

from .._guard import guarded
from .._normalizers import Accumulator, WireFormat, parse, parse_event
from .._record import Outcome
from ._endings import Ending
from ._frames import CONTENT_TYPE as FRAMES
from ._frames import FrameBytes
from ._iterators import AsyncClosing, Closing
from ._streams import StreamWatch

MAX_BODY_BYTES: Final = 8 * 1024 * 1024
"""A JSON answer beyond this (a thousand embeddings, several pictures) is not kept; its usage is then unknown."""

MAX_LINE_BYTES: Final = 8 * 1024 * 1024
"""A line or an event of a stream beyond this is skipped; a picture in one event has 2 to 6 MB."""

SSE: Final = "text/event-stream"
"""https://html.spec.whatwg.org/multipage/server-sent-events.html"""

NO_JSON: Final = (SSE, FRAMES, "audio/", "video/", "image/", "application/octet-stream")
"""Content types of bodies that are not one JSON value. Of sound and files an accumulator of events keeps nothing."""

JSON_OBJECT: Final = b"{"

DATA: Final = b"data:"

END_OF_STREAM: Final = b"data: [DONE]"


class Bytes(Protocol):
    """Feeds what it makes of bytes to a watch."""

    def feed(self, piece: bytes) -> None:
        """Take in the next bytes."""
        ...

    def end(self) -> None:
        """There are no more."""
        ...


class EventBytes:
    """Cuts a server-sent event stream into its events and feeds them to a watch."""

    __slots__ = ("_data", "_pieces", "_size", "_watch")

    def __init__(self, watch: StreamWatch) -> None:
        self._watch = watch
        self._pieces: list[bytes] = []  # of the line that has not ended yet
        self._data = bytearray()  # of an event whose JSON goes over several lines
        self._size = 0

    def feed(self, piece: bytes) -> None:
        """Take in the next bytes."""
        if b"\r" in piece:  # a line ends with either or both
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        first, *others = piece.split(b"\n")
        self._keep(first)
        if others:
            self._line(b"".join(self._pieces).strip())
            *lines, rest = others
            for line in lines:
                self._line(line.strip())
            self._pieces, self._size = [], 0
            self._keep(rest)

    def end(self) -> None:
        """There are no more: servers forget to end the last line."""
        self.feed(b"\n\n")

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size <= MAX_LINE_BYTES:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def _line(self, line: bytes) -> None:
        if line.startswith(END_OF_STREAM):
            self._watch.drained()  # clients stop reading here, whatever follows
        elif line:
            self._take(line)
        else:
            self._join()

    def _take(self, line: bytes) -> None:
        """Take in a line; nearly always it holds a whole event, or none of it."""
        event = parse_event(line)
        if event is not None and (not self._data or line.endswith(b"}")):
            self._data.clear()
            self._watch.keeps(event)
        elif line.startswith(DATA) and len(self._data) + len(line) <= MAX_LINE_BYTES:
            self._data += line[len(DATA) :] + b"\n"

    def _join(self) -> None:
        """The event is over."""
        if self._data:
            event = parse(bytes(self._data))
            self._data.clear()
            if event is not None:
                self._watch.keeps(event)


class BodyAccumulator:
    """Gathers a whole JSON body; an accumulator whose items are pieces of bytes."""

    __slots__ = ("_format", "_pieces", "_size")

    def __init__(self, format: WireFormat) -> None:
        self._format = format
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def all_finished(self) -> bool:
        """Never: a body is not waited for."""
        return False

    def add(self, event: object) -> bool:
        """Take in the next bytes; False, because a body that comes as a whole has no first chunk."""
        if isinstance(event, bytes):
            self._size += len(event)
            if self._size <= MAX_BODY_BYTES:
                self._pieces.append(event)
            else:
                self._pieces.clear()
        return False

    def outcome(self) -> Outcome:
        """What the body says, if it is whole."""
        answer = parse(b"".join(self._pieces))
        return Outcome(complete=False) if answer is None else self._format.read(answer)


class EitherAccumulator:
    """
    Of an answer that does not say that it is a stream of events: these, or what its body says where there are none.

    Servers and gateways that cannot stream, or that refuse, answer with one JSON value and status 200.

    Args:
        events: Folds the events.
        format: How a body is read.
    """

    __slots__ = ("_events", "_format", "_pieces", "_size")

    def __init__(self, events: Accumulator, format: WireFormat) -> None:
        self._events = events
        self._format = format
        self._pieces: list[bytes] | None = []  # None once an event has come, or where there are too many
        self._size = 0

    @property
    def all_finished(self) -> bool:
        """Whether the events say so."""
        return self._events.all_finished

    def join(self) -> None:
        """As in `StreamWatch`."""
        getattr(self._events, "join", _never)()

    def add(self, event: object) -> bool:
        """Take in the next bytes, or the event that was made of them."""
        if not isinstance(event, bytes):
            self._pieces = None
            return self._events.add(event)
        self._size += len(event)
        if self._pieces is not None and self._size <= MAX_BODY_BYTES:
            self._pieces.append(event)
        else:
            self._pieces = None
        return False

    def outcome(self) -> Outcome:
        """What is known so far."""
        body, self._pieces = b"".join(self._pieces or ()), None
        answer = parse(body)
        return read_events(body, self._events) if answer is None else self._format.read(answer)


class BodyBytes:
    """Feeds a JSON body to a watch."""

    __slots__ = ("_watch",)

    def __init__(self, watch: StreamWatch) -> None:
        self._watch = watch

    def feed(self, piece: bytes) -> None:
        """Take in the next bytes."""
        self._watch.keeps(piece)

    def end(self) -> None:
        """There are no more; the watch knows."""


def is_event_stream(response: Any) -> bool:
    """Whether an HTTP response (httpx or httpx2) says that it consists of server-sent events."""
    return _content_type(response).startswith(SSE)


def may_be_json(response: Any) -> bool:
    """Whether an HTTP response does not say that its body is anything else."""
    return not _content_type(response).startswith(NO_JSON)


def read_events(body: bytes, accumulator: Accumulator) -> Outcome:
    """What a whole event stream says that the application took as one piece."""
    for line in body.splitlines():
        event = parse_event(line.strip())
        if event is not None:
            accumulator.add(event)
    return accumulator.outcome()


def watch_body(response: Any, ending: Ending, format: WireFormat, accumulator: Accumulator) -> None:
    """
    Watch what the application reads of *response*.

    Args:
        response: The HTTP response (httpx or httpx2) whose body has not been read.
        ending: The end of the call.
        format: How its body is read, if it is one JSON value.
        accumulator: Folds the body's events, if it is a stream of them.
    """
    kind = _content_type(response)
    watch = StreamWatch(ending, accumulator if kind.startswith(NO_JSON) else BodyAccumulator(format))
    cut = _cut(kind, BodyBytes)
    for look in (_look, _look_async):  # nothing tells which client's it is
        look(response, watch, lambda: cut(watch), _never)
    watch.cover(response, close=Closing(response.close, watch), aclose=AsyncClosing(response.aclose, watch))


def watch_beside(response: Any, watch: StreamWatch, reads: Callable[[], bool], *, is_async: bool) -> None:
    """
    Watch what the application reads of the response of a stream, beside that stream or in its place.

    Args:
        response: The HTTP response.
        watch: That of the stream.
        reads: Whether the stream itself is reading just now.
        is_async: Whether it is an async client's.
    """
    is_taken = False

    def passes() -> bool:
        """Whether the bytes are the stream's: what is asked for beside them is refused, and is no end of that."""
        nonlocal is_taken
        is_taken = is_taken or reads()
        return is_taken

    look = _look_async if is_async else _look
    look(response, watch, lambda: _cut(_content_type(response), EventBytes)(watch), passes)


def watch_below(response: Any, watch: StreamWatch, *, is_async: bool) -> None:
    """Watch the bytes that a stream is made of, whoever reads them; others who ask for them are refused."""
    look = _look_async if is_async else _look
    look(response, watch, lambda: BodyBytes(watch), chain((False,), repeat(True)).__next__)


def _never() -> bool:
    return False


def _cut(kind: str, otherwise: Callable[[StreamWatch], Bytes]) -> Callable[[StreamWatch], Bytes]:
    """What cuts a body of a content type."""
    return next((cut for begins, cut in EVENTS.items() if kind.startswith(begins)), otherwise)


EVENTS: Final[Mapping[str, Callable[[StreamWatch], Bytes]]] = {SSE: EventBytes, FRAMES: FrameBytes}
"""Content type, by its beginning → what cuts such a body into events."""


def _content_type(response: Any) -> str:
    return str(response.headers.get("content-type", "")).strip().lower()


def _look(response: Any, watch: StreamWatch, cut: Callable[[], Bytes], passes: Callable[[], bool]) -> None:
    """
    Shadow the method of this one response that sync clients read it with.

    Args:
        response: The HTTP response.
        watch: Watches it.
        cut: What cuts its body, once that comes.
        passes: Whether the bytes that somebody asks for now are none of ours.
    """
    iter_bytes = response.iter_bytes

    def watched(pieces: Iterator[bytes]) -> Iterator[bytes]:
        seen: Bytes | None = None
        while (piece := _next(pieces, watch)) is not None:
            with guarded("reading a body"):
                seen = seen or cut()
                seen.feed(piece)
            yield piece
        _end(seen, watch)

    def watched_iter_bytes(*args: Any, **kwargs: Any) -> Iterator[bytes]:
        pieces = iter(iter_bytes(*args, **kwargs))
        return pieces if passes() else watched(pieces)

    watch.cover(response, iter_bytes=watched_iter_bytes)


def _look_async(response: Any, watch: StreamWatch, cut: Callable[[], Bytes], passes: Callable[[], bool]) -> None:
    """The same of async clients."""
    aiter_bytes = response.aiter_bytes

    async def watched(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        seen: Bytes | None = None
        while (piece := await _anext(pieces, watch)) is not None:
            with guarded("reading a body"):
                seen = seen or cut()
                seen.feed(piece)
            yield piece
        _end(seen, watch)

    def watched_aiter_bytes(*args: Any, **kwargs: Any) -> AsyncIterator[bytes]:
        pieces = aiter(aiter_bytes(*args, **kwargs))
        return pieces if passes() else watched(pieces)

    watch.cover(response, aiter_bytes=watched_aiter_bytes)


def _end(seen: Bytes | None, watch: StreamWatch) -> None:
    """The body has been read to its end."""
    with guarded("reading a body"):
        if seen is not None:
            seen.end()
    watch.drained()


def _next(pieces: Iterator[bytes], watch: StreamWatch) -> bytes | None:
    before, watch.busy = watch.busy, True
    try:
        return pieces.__next__()
    except StopIteration:
        return None
    except BaseException as error:
        watch.failed(error)
        raise
    finally:
        watch.busy = before


async def _anext(pieces: AsyncIterator[bytes], watch: StreamWatch) -> bytes | None:
    before, watch.busy = watch.busy, True
    try:
        return await pieces.__anext__()
    except StopAsyncIteration:
        return None
    except BaseException as error:
        watch.failed(error)
        raise
    finally:
        watch.busy = before
