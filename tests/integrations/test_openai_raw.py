"""Raw responses and streaming responses, read in every way that they offer, or not at all."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ramp_tracing._captured import capture_generations
from ramp_tracing._state import state

from .colours import Colour
from .facts import ABANDONED, CHAT, STREAMED, UNANSWERED, UNKNOWN
from .provider import CHUNKS, Provider
from .scenarios import Scenario, check

ASK: Mapping[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}]}
ASK_STREAM: Mapping[str, Any] = {**ASK, "stream": True, "stream_options": {"include_usage": True}}

Reader = Callable[[Colour, Any], Any]


def of_http(colour: Colour, response: Any, name: str) -> Any:
    """A method of the HTTP response, whose async form has a name of its own."""
    return getattr(response.http_response, name if colour.name == "sync" else f"a{name}")


def parsed(colour: Colour, response: Any) -> Any:
    return colour.wait(response.parse())


def parsed_twice(colour: Colour, response: Any) -> Any:
    first = colour.wait(response.parse())
    assert first is colour.wait(response.parse())
    return first


def drained(colour: Colour, response: Any) -> Any:
    stream = colour.wait(response.parse())
    return [type(stream), colour.items(stream)]


def broken_off(colour: Colour, response: Any) -> Any:
    return colour.broken_off(colour.wait(response.parse()), 2)


RAW: Mapping[str, Reader] = {
    "parse": parsed_twice,
    "content": lambda colour, response: response.content,
    "text": lambda colour, response: response.text,
    "json": lambda colour, response: response.http_response.json(),
    "lines": lambda colour, response: colour.items(of_http(colour, response, "iter_lines")()),
    "never": lambda colour, response: response.status_code,
}


@pytest.mark.parametrize("name", RAW)
def test_a_raw_response_is_recorded_however_it_is_read(name: str, colour: Colour) -> None:
    """Its body is there already when the application gets it, so it need not be read at all."""

    def call(colour: Colour, client: Any) -> Any:
        response = colour.wait(client.chat.completions.with_raw_response.create(**ASK))
        return [type(response), RAW[name](colour, response)]

    check(Scenario(call=call), colour)


RAW_STREAMS: Mapping[str, tuple[Reader, Mapping[str, Any]]] = {
    "parse": (drained, STREAMED),
    "parse, broken off": (broken_off, ABANDONED),
    "lines": (lambda colour, response: colour.items(of_http(colour, response, "iter_lines")()), STREAMED),
    "bytes": (lambda colour, response: b"".join(colour.items(of_http(colour, response, "iter_bytes")())), STREAMED),
    "read": (lambda colour, response: colour.wait(of_http(colour, response, "read")()), STREAMED),
    "never": (lambda colour, response: response.status_code, {**UNANSWERED, "streamed": True, "failure": "abandoned"}),
}


@pytest.mark.parametrize("name", RAW_STREAMS)
def test_a_raw_stream_is_recorded_however_it_is_read(name: str, colour: Colour) -> None:
    """The stream that it is parsed into, and the bytes beneath it, are looked at on their way to the application."""
    read, record = RAW_STREAMS[name]

    def call(colour: Colour, client: Any) -> Any:
        response = colour.wait(client.chat.completions.with_raw_response.create(**ASK_STREAM))
        try:
            return [type(response), response.headers["content-type"], read(colour, response)]
        finally:
            colour.wait(of_http(colour, response, "close")())

    check(Scenario(call=call, records=(record,)), colour)


LAZY: Mapping[str, tuple[Reader, Mapping[str, Any]]] = {
    "parse": (parsed_twice, CHAT),
    "json": (lambda colour, response: colour.wait(response.json()), CHAT),
    "text": (lambda colour, response: colour.wait(response.text()), CHAT),
    "read": (lambda colour, response: colour.wait(response.read()), CHAT),
    "lines": (lambda colour, response: colour.items(response.iter_lines()), CHAT),
    "bytes": (lambda colour, response: b"".join(colour.items(response.iter_bytes())), CHAT),
    "small bytes": (lambda colour, response: b"".join(colour.items(response.iter_bytes(7))), CHAT),
    "text pieces": (lambda colour, response: "".join(colour.items(response.iter_text())), CHAT),
    "read, then parsed": (lambda colour, response: [colour.wait(response.read()), parsed(colour, response)], CHAT),
    "first bytes": (
        lambda colour, response: colour.broken_off(response.iter_bytes(7), 1),
        {**UNANSWERED, "failure": "abandoned"},
    ),
    "never": (lambda colour, response: response.status_code, {**UNANSWERED, "failure": "abandoned"}),
}


@pytest.mark.parametrize("name", LAZY)
def test_a_streaming_response_is_recorded_however_it_is_read(name: str, colour: Colour) -> None:
    """Nothing is read that the application does not read; what it reads is enough for the record."""
    read, record = LAZY[name]

    def call(colour: Colour, client: Any) -> Any:
        with colour.entered(client.chat.completions.with_streaming_response.create(**ASK)) as response:
            return [type(response), read(colour, response)]

    check(Scenario(call=call, records=(record,)), colour)


LAZY_STREAMS: Mapping[str, tuple[Reader, Mapping[str, Any]]] = {
    "parse": (drained, STREAMED),
    "parse, broken off": (broken_off, ABANDONED),
    "lines": (lambda colour, response: colour.items(response.iter_lines()), STREAMED),
    "bytes": (lambda colour, response: b"".join(colour.items(response.iter_bytes())), STREAMED),
    "small bytes": (lambda colour, response: b"".join(colour.items(response.iter_bytes(7))), STREAMED),
    "read": (lambda colour, response: colour.wait(response.read()), STREAMED),
    "never": (lambda colour, response: response.status_code, {**UNANSWERED, "streamed": True, "failure": "abandoned"}),
}


@pytest.mark.parametrize("name", LAZY_STREAMS)
def test_a_streaming_response_of_a_stream_is_recorded(name: str, colour: Colour) -> None:
    """The events are cut out of the bytes, however small the pieces are in which they come."""
    read, record = LAZY_STREAMS[name]

    def call(colour: Colour, client: Any) -> Any:
        with colour.entered(client.chat.completions.with_streaming_response.create(**ASK_STREAM)) as response:
            return [type(response), read(colour, response)]

    check(Scenario(call=call, records=(record,)), colour)


def beside(colour: Colour, stream: Any, name: str) -> Any:
    """A method of a stream's HTTP response."""
    return getattr(stream.response, name if colour.name == "sync" else f"a{name}")


def read_too_late(colour: Colour, stream: Any) -> Any:
    first = colour.take(stream, 1)
    with pytest.raises(Exception, match="stream"):
        colour.items(beside(colour, stream, "iter_lines")())
    return [*first, *colour.items(stream)]


BESIDE: Mapping[str, Reader] = {
    "lines": lambda colour, stream: colour.items(beside(colour, stream, "iter_lines")()),
    "small bytes": lambda colour, stream: b"".join(colour.items(beside(colour, stream, "iter_bytes")(7))),
    "read": lambda colour, stream: colour.wait(beside(colour, stream, "read")()),
    "read, then the stream": lambda colour, stream: [
        colour.wait(beside(colour, stream, "read")()),
        colour.items(stream),
    ],
    "too late": read_too_late,
    "steps of its own": lambda colour, stream: colour.items(stream.__stream__()),
}


@pytest.mark.parametrize("name", BESIDE)
def test_the_response_of_a_stream_is_recorded_however_it_is_read(name: str, colour: Colour) -> None:
    """The application may take the bytes in the stream's place; where that is refused, the stream goes on."""

    def call(colour: Colour, client: Any) -> Any:
        stream = colour.wait(client.chat.completions.create(**ASK_STREAM))
        try:
            return BESIDE[name](colour, stream)
        finally:
            colour.wait(stream.close())

    (record,) = check(Scenario(call=call, records=(STREAMED,)), colour)
    assert record.content is not None
    assert record.content.output == {"completion": "Hello there.", "reasoning": None}  # each word once


def written(colour: Colour, client: Any) -> Any:
    manager = client.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input="Hello there.")
    with tempfile.TemporaryDirectory() as folder, colour.entered(manager) as response:
        path = Path(folder, "speech.mp3")
        colour.wait(response.stream_to_file(path))
        return path.read_bytes()


def test_sound_that_is_written_to_a_file_is_recorded(colour: Colour) -> None:
    """What goes to a file is seen on its way, and let go."""
    record = {**UNANSWERED, "operation": "speech", "asked": "tts-1"}
    check(Scenario(call=written, records=(record,)), colour)


WAYS: Mapping[str, Reader] = {
    "raw": lambda colour, client: drained(
        colour, colour.wait(client.chat.completions.with_raw_response.create(**ASK, stream=True))
    ),
    "streaming": lambda colour, client: drained_inside(
        colour, client.chat.completions.with_streaming_response.create(**ASK, stream=True)
    ),
}


def drained_inside(colour: Colour, manager: Any) -> Any:
    with colour.entered(manager) as response:
        return drained(colour, response)


@pytest.mark.parametrize("way", WAYS)
def test_a_raw_stream_is_never_asked_for_its_usage(way: str, colour: Colour) -> None:
    """Its bytes are the application's, and could not be given back as they would have been."""
    with Provider() as provider, capture_generations() as generations:
        state.stream_usage = "always"
        _, chunks = WAYS[way](colour, colour.client(provider.base_url))
        state.stream_usage = "auto"
        body: Any = provider.requests[0].json
        assert ("stream_options" in body, len(CHUNKS)) == (False, len(chunks))
        assert [(("stop",), False)] == [(each.finish_reasons, each.usage.known) for each in generations]


@pytest.mark.parametrize(
    ("ask", "record"),
    [(ASK_STREAM, STREAMED), ({**ASK, "stream": True}, {**STREAMED, "tokens": UNKNOWN})],
    ids=["usage asked for", "usage not asked for"],
)
def test_an_event_stream_that_is_taken_as_one_text_is_read(ask: Any, record: Any, colour: Colour) -> None:
    """`client.post` without `stream=True` gives the application the events as a text; they are counted all the same."""

    def call(colour: Colour, client: Any) -> Any:
        return colour.wait(client.post("/chat/completions", cast_to=str, body=dict(ask)))

    check(Scenario(call=call, records=(record,), stream_usage="always"), colour)
