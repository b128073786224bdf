"""What the HTTP response of a call holds, asked for in ways that few think of."""

import copy
import json
import pickle
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import openai
import pytest

from ramp_tracing._loopback import Answer, json_answer

from .colours import Colour
from .facts import ABANDONED, CHAT, STREAMED, UNANSWERED, UNKNOWN
from .provider import CHUNKS, USAGE_CHUNK, completion, events
from .scenarios import Scenario, check

ASK: Mapping[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}]}
ASK_STREAM: Mapping[str, Any] = {**ASK, "stream": True, "stream_options": {"include_usage": True}}


def http_response(colour: Colour, client: Any) -> type[Any]:
    """The class of the HTTP library's that the client uses."""
    raw = colour.wait(client.models.with_raw_response.list())
    return type(raw.http_response)


def asked_for_itself(colour: Colour, client: Any, body: Mapping[str, Any]) -> Any:
    cast_to = http_response(colour, client)
    return colour.wait(client.post("/chat/completions", cast_to=cast_to, body=dict(body), stream=True))


def lines_of(colour: Colour, response: Any) -> Any:
    return colour.items(getattr(response, "iter_lines" if colour.name == "sync" else "aiter_lines")())


def all_lines(colour: Colour, response: Any) -> Any:
    return [type(response), lines_of(colour, response)]


def read(colour: Colour, response: Any) -> Any:
    return colour.wait(getattr(response, "read" if colour.name == "sync" else "aread")())


def closed(colour: Colour, response: Any) -> Any:
    return colour.wait(getattr(response, "close" if colour.name == "sync" else "aclose")())


ITSELF: Mapping[str, tuple[Callable[[Colour, Any], Any], Mapping[str, Any], Mapping[str, Any]]] = {
    "lines of a stream": (all_lines, ASK_STREAM, STREAMED),
    "a stream, read": (read, ASK_STREAM, STREAMED),
    "an answer, read": (read, ASK, CHAT),
    "closed": (closed, ASK_STREAM, {**UNANSWERED, "streamed": True, "failure": "abandoned"}),
}


@pytest.mark.parametrize("name", ITSELF)
def test_a_response_that_is_asked_for_itself_is_recorded_when_it_is_read(name: str, colour: Colour) -> None:
    """`client.post` with ``cast_to=httpx.Response`` gives the response before its body has come."""
    use, body, record = ITSELF[name]

    def call(colour: Colour, client: Any) -> Any:
        return use(colour, asked_for_itself(colour, client, body))

    check(Scenario(call=call, records=(record,)), colour)


def whole(colour: Colour, client: Any) -> Any:
    with colour.entered(client.chat.completions.with_streaming_response.create(**ASK)) as response:
        colour.wait(response.read())
        return response.http_response


def streamed(colour: Colour, client: Any) -> Any:
    stream = colour.wait(client.chat.completions.create(**ASK_STREAM))
    colour.items(stream)
    return stream.response


def left(colour: Colour, client: Any) -> Any:
    stream = colour.wait(client.chat.completions.create(**ASK_STREAM))
    colour.broken_off(stream, 2)
    colour.wait(stream.close())
    return stream.response


ENDED: Mapping[str, tuple[Callable[[Colour, Any], Any], Mapping[str, Any]]] = {
    "read": (whole, CHAT),
    "of a stream": (streamed, STREAMED),
    "of a stream that was left": (left, ABANDONED),
}

COPIES: Mapping[str, Callable[[Any], Any]] = {
    "pickled": lambda response: pickle.loads(pickle.dumps(response)),
    "copied": copy.deepcopy,
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("name", ENDED)
def test_a_response_can_be_kept_when_its_call_has_ended(name: str, way: str, colour: Colour) -> None:
    """A cache pickles it, and nothing of ours is on it."""
    use, record = ENDED[name]

    def call(colour: Colour, client: Any) -> Any:
        response = use(colour, client)
        made = COPIES[way](response)
        return [type(made), made.status_code, sorted(vars(made)), sorted(vars(response))]

    check(Scenario(call=call, records=(record,)), colour)


def test_what_somebody_has_put_over_ours_stays(colour: Colour) -> None:
    """Another instrumentation's method is none of ours to take off."""

    def call(colour: Colour, client: Any) -> Any:
        stream = colour.wait(client.chat.completions.create(**ASK_STREAM))
        name = "close" if colour.name == "sync" else "aclose"
        ours, calls = getattr(stream.response, name), []

        def theirs() -> Any:
            calls.append(name)
            return ours()

        setattr(stream.response, name, theirs)
        return [len(colour.items(stream)), calls, vars(stream.response)[name] is theirs]

    check(Scenario(call=call, records=(STREAMED,)), colour)


def pretty(items: Any) -> bytes:
    """Events whose JSON goes over several lines, as the format allows."""
    lines = (
        b"".join(b"data: " + line + b"\n" for line in json.dumps(item, indent=1).encode().splitlines())
        for item in items
    )
    return b"\n".join(lines) + b"\ndata: [DONE]\n\n"


SPELLINGS: Mapping[str, bytes] = {
    "carriage returns": b"".join(events([*CHUNKS, USAGE_CHUNK])).replace(b"\n", b"\r"),
    "both line ends": b"".join(events([*CHUNKS, USAGE_CHUNK])).replace(b"\n", b"\r\n"),
    "JSON over several lines": pretty([*CHUNKS, USAGE_CHUNK]),
    "no end of the last line": b"".join(events([*CHUNKS, USAGE_CHUNK], done=False)).rstrip(),
    "half an event before": b'data: {"id": \n\n' + b"".join(events([*CHUNKS, USAGE_CHUNK])),
    "half an event without an end": b'data: {"id": \n' + b"".join(events([*CHUNKS, USAGE_CHUNK])),
}


@pytest.mark.parametrize("size", [None, 5], ids=["as it comes", "in small pieces"])
@pytest.mark.parametrize("name", SPELLINGS)
def test_the_events_of_a_body_are_found_however_they_are_spelled(name: str, size: int | None, colour: Colour) -> None:
    """The format of server-sent events leaves servers a choice."""

    def call(colour: Colour, client: Any) -> Any:
        with colour.entered(client.chat.completions.with_streaming_response.create(**ASK_STREAM)) as response:
            return b"".join(colour.items(response.iter_bytes(size)))

    answer = Answer(headers={"Content-Type": "text/event-stream"}, body=SPELLINGS[name])
    check(Scenario(call=call, records=(STREAMED,), answers=lambda: {"/chat/completions": answer}), colour)


def test_a_refusal_in_place_of_a_stream_is_a_failure(colour: Colour) -> None:
    """With status 200 and no event, it is an empty stream for the application, and no call that went well."""

    def call(colour: Colour, client: Any) -> Any:
        return colour.items(colour.wait(client.chat.completions.create(**ASK_STREAM)))

    refusal = json_answer({"error": {"message": "No.", "type": "overloaded", "code": "busy"}})
    record = {**UNANSWERED, "streamed": True, "failure": "overloaded"}
    check(Scenario(call=call, records=(record,), answers=lambda: {"/chat/completions": refusal}), colour)


def test_events_that_are_called_json_are_events(colour: Colour) -> None:
    """Some servers call everything so."""

    def call(colour: Colour, client: Any) -> Any:
        return colour.items(colour.wait(client.chat.completions.create(**ASK_STREAM)))

    answer = Answer(headers={"Content-Type": "application/json"}, body=events([*CHUNKS, USAGE_CHUNK]))
    (record,) = check(Scenario(call=call, records=(STREAMED,), answers=lambda: {"/chat/completions": answer}), colour)
    assert record.content is not None
    assert record.content.output == {"completion": "Hello there.", "reasoning": None}


def packed(body: Mapping[str, Any], *, as_content: bool) -> dict[str, Any]:
    """Arguments of `client.post`, which takes a body that the application has packed itself in one of two ways."""
    content = json.dumps(body).encode()
    return (
        {"content": content, "options": {"headers": {"Content-Type": "application/json"}}}
        if as_content
        else {"body": content}
    )


@pytest.mark.filterwarnings("ignore:Passing raw bytes as `body`")
@pytest.mark.parametrize("as_content", [False, True], ids=["body", "content"])
def test_a_body_that_the_application_has_packed_is_read(as_content: bool, colour: Colour) -> None:
    """Model, stream and user stand in it; it goes out as it is, also where a stream would be asked for its usage."""

    def call(colour: Colour, client: Any) -> Any:
        if as_content and "content" not in signature(client.post).parameters:
            pytest.skip("older clients take bytes as `body` alone")
        kind = openai.Stream if colour.name == "sync" else openai.AsyncStream
        more = {"stream": True, "stream_cls": kind[object]}
        whole, streamed = ({**ASK, "user": "user-7"}, {**ASK, "user": "user-7", "stream": True})
        answer = colour.wait(client.post("/chat/completions", cast_to=object, **packed(whole, as_content=as_content)))
        arguments = {**packed(streamed, as_content=as_content), **more}
        return [answer, colour.items(colour.wait(client.post("/chat/completions", cast_to=object, **arguments)))]

    records = check(Scenario(call=call, records=(CHAT, {**STREAMED, "tokens": UNKNOWN}), stream_usage="always"), colour)
    assert ["user-7", "user-7"] == [each.attribution.user for each in records]


@pytest.mark.filterwarnings("ignore:Passing raw bytes as `body`")
@pytest.mark.parametrize("content", [b"\x00\xff" * 9, b"[1]", b"{", b'{"model": "gpt-4o"', b""])
def test_a_body_that_says_nothing_is_sent_as_it_is(content: bytes, colour: Colour) -> None:
    """A file, or half of one."""

    def call(colour: Colour, client: Any) -> Any:
        return colour.wait(client.post("/chat/completions", cast_to=object, body=content))

    answers = {"/chat/completions": json_answer(completion())}
    check(Scenario(call=call, records=({**CHAT, "asked": None},), answers=lambda: answers), colour)
