"""Odd answers of the endpoints beside chat completions; see `test_openai_hostile`."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ramp_tracing._loopback import Answer, json_answer

from . import readings
from .colours import Colour
from .endpoints import EMBEDDINGS, IMAGES, RESPONSES_USAGE, response, response_events
from .provider import stream
from .scenarios import Scenario, compare

pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")

HTML = Answer(headers={"Content-Type": "text/html"}, body=b"<html><body>Sign in to the hotel</body></html>")
INPUT: Mapping[str, Any] = {"model": "gpt-4o", "input": "Hello?"}

Call = Callable[[Colour, Any], Any]
Tokens = tuple[int | None, int | None, int | None]
TRUE: Tokens = (10, 5, 15)
UNKNOWN: Tokens = (None, None, None)


def tokens(generations: Any) -> list[Tokens]:
    return [(each.usage.input_tokens, each.usage.output_tokens, each.usage.total_tokens) for each in generations]


def responded(colour: Colour, client: Any) -> Any:
    return colour.wait(client.responses.create(**INPUT))


def streamed(colour: Colour, client: Any) -> Any:
    """Events until the end, or until an error, which is the last item."""
    return readings.steps(colour, colour.wait(client.responses.create(**INPUT, stream=True)))


def with_usage(**usage: Any) -> Answer:
    return json_answer(response(usage={**RESPONSES_USAGE, **usage}))


RESPONSES: Mapping[str, tuple[Answer, Tokens]] = {
    "output null": (json_answer(response(output=None)), TRUE),
    "output of null": (json_answer(response(output=[None])), TRUE),
    "output a text": (json_answer(response(output="Hello")), TRUE),
    "content null": (json_answer(response(output=[{"type": "message", "content": None}])), TRUE),
    "content of numbers": (json_answer(response(output=[{"type": "message", "content": [5, None]}])), TRUE),
    "summary null": (json_answer(response(output=[{"type": "reasoning", "summary": None}])), TRUE),
    "call without a name": (json_answer(response(output=[{"type": "function_call", "arguments": 5}])), TRUE),
    "item type a list": (json_answer(response(output=[{"type": ["message"]}])), TRUE),
    "status a number": (json_answer(response(status=5)), TRUE),
    "error a text": (json_answer(response(error="No.")), TRUE),
    "incomplete details a list": (json_answer(response(incomplete_details=["length"])), TRUE),
    "usage a text": (json_answer(response(usage="10")), UNKNOWN),
    "usage a list": (json_answer(response(usage=[10])), UNKNOWN),
    "details a list": (with_usage(input_tokens_details=[], output_tokens_details=None), TRUE),
    "counts as texts": (with_usage(input_tokens="10"), TRUE),
    "counts as bools": (with_usage(input_tokens=True), (None, 5, 15)),
    "a list": (json_answer([]), UNKNOWN),
    "null": (json_answer(None), UNKNOWN),
    "HTML": (HTML, UNKNOWN),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_an_odd_response_is_handed_on_and_recorded(name: str, colour: Colour) -> None:
    """What the application gets is untouched, and the tokens are those that could be read."""
    answer, expected = RESPONSES[name]
    _, generations = compare(Scenario(call=responded, answers=lambda: {"/responses": answer}), colour)
    assert [expected] == tokens(generations)


START, *_, END = response_events()


def between(*odd: Any, named: bool = True) -> Answer:
    """Odd events between a good beginning and a good end."""
    return stream([START, *odd, END], named=named, done=False)


EVENTS: Mapping[str, tuple[Answer, Tokens | None]] = {
    "delta null": (between({"type": "response.output_text.delta", "delta": None}), TRUE),
    "delta a number": (between({"type": "response.output_text.delta", "delta": 5}), TRUE),
    "delta missing": (between({"type": "response.output_text.delta"}), TRUE),
    "an unknown type": (between({"type": "response.novelty", "response": 5}), TRUE),
    "type null": (between({"type": None}), TRUE),
    "type a list": (between({"type": ["response.completed"]}, named=False), None),
    "type missing": (between({"delta": "Hello"}, named=False), None),
    "response null": (between({"type": "response.in_progress", "response": None}), TRUE),
    "created without a response": (stream([{"type": "response.created"}, END], named=True, done=False), TRUE),
    "completed without a response": (stream([START, {"type": "response.completed"}], named=True, done=False), UNKNOWN),
    "completed with a text": (
        stream([START, {"type": "response.completed", "response": "done"}], named=True, done=False),
        UNKNOWN,
    ),
    "an error event": (between({"type": "error", "code": 5, "message": None, "param": None}), TRUE),
    "an error within": (between({"type": "error", "error": {"message": "No."}}), None),
    "a number": (between(5, named=False), None),
    "null": (between(None, named=False), None),
    "a list": (between([], named=False), None),
    "nothing": (Answer(headers={"Content-Type": "text/event-stream"}, body=b""), UNKNOWN),
    "HTML": (HTML, UNKNOWN),
}


@pytest.mark.parametrize("name", EVENTS)
def test_odd_events_are_handed_on_and_recorded(name: str, colour: Colour) -> None:
    """Events and errors are those of the bare client; the tokens are the true ones."""
    answer, expected = EVENTS[name]
    _, generations = compare(Scenario(call=streamed, answers=lambda: {"/responses": answer}), colour)
    assert 1 == len(generations)
    assert expected is None or [expected] == tokens(generations)


def embedded(colour: Colour, client: Any) -> Any:
    return colour.wait(
        client.embeddings.create(model="text-embedding-3-small", input="Hello?", encoding_format="float")
    )


def drawn(colour: Colour, client: Any) -> Any:
    return colour.wait(client.images.generate(model="gpt-image-1", prompt="A cat."))


def spoken(colour: Colour, client: Any) -> Any:
    return colour.wait(client.audio.speech.create(model="tts-1", voice="alloy", input="Hello there.")).content


def heard(colour: Colour, client: Any) -> Any:
    return colour.wait(client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"RIFF", "audio/wav")))


def batched(colour: Colour, client: Any) -> Any:
    return colour.wait(client.batches.retrieve("batch_68af4030592c8193"))


def novel(colour: Colour, client: Any) -> Any:
    return colour.wait(client.post("/novelties", cast_to=object, body={"model": ["new"], "trace": 5, "user": {}}))


ELSEWHERE: Mapping[str, tuple[Call, str, Answer, list[Tokens]]] = {
    "embeddings, data null": (embedded, "/embeddings", json_answer({**EMBEDDINGS, "data": None}), [(10, None, 10)]),
    "embeddings, usage a list": (embedded, "/embeddings", json_answer({**EMBEDDINGS, "usage": []}), [UNKNOWN]),
    "embeddings, HTML": (embedded, "/embeddings", HTML, [UNKNOWN]),
    "images, data null": (drawn, "/images/generations", json_answer({**IMAGES, "data": None}), [(10, 100, 110)]),
    "images, data of null": (
        drawn,
        "/images/generations",
        json_answer({**IMAGES, "data": [None, 5]}),
        [(10, 100, 110)],
    ),
    "images, usage a text": (drawn, "/images/generations", json_answer({**IMAGES, "usage": "10"}), [UNKNOWN]),
    "speech, JSON": (spoken, "/audio/speech", json_answer({"usage": [1]}), [UNKNOWN]),
    "transcription, text missing": (
        heard,
        "/audio/transcriptions",
        json_answer({"usage": {"seconds": "x"}}),
        [UNKNOWN],
    ),
    "transcription, a number": (heard, "/audio/transcriptions", json_answer(5), [UNKNOWN]),
    "batch, an empty object": (batched, "/batch_68af4030592c8193", json_answer({}), []),
    "batch, status a list": (batched, "/batch_68af4030592c8193", json_answer({"status": ["completed"]}), []),
    "batch, HTML": (batched, "/batch_68af4030592c8193", HTML, []),
    "unknown, usage a text": (novel, "/novelties", json_answer({"usage": "10"}), []),
    "unknown, usage of texts": (novel, "/novelties", json_answer({"usage": {"input_tokens": "ten"}}), []),
    "unknown, a list": (novel, "/novelties", json_answer([{"usage": {"input_tokens": 10}}]), []),
    "unknown, HTML": (novel, "/novelties", HTML, []),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_odd_answers_elsewhere_are_handed_on(name: str, colour: Colour) -> None:
    """A billable call is one record; an endpoint that nobody knows is one only if its usage can be read."""
    call, path, answer, expected = ELSEWHERE[name]
    _, generations = compare(Scenario(call=call, answers=lambda: {path: answer}), colour)
    assert expected == tokens(generations)
