"""Answers that no documentation foresees: the application gets what it would get without us, and there is a record."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest

from ramp_tracing._captured import capture_generations
from ramp_tracing._loopback import Answer, json_answer

from . import readings
from .colours import Colour
from .provider import CHUNKS, USAGE, chat_like_openai, chunk, completion, events, stream
from .scenarios import Scenario, compare

ASK: Mapping[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}]}
JSON_TYPE: Mapping[str, str] = {"Content-Type": "application/json"}
EVENTS_TYPE: Mapping[str, str] = {"Content-Type": "text/event-stream"}
HTML = Answer(headers={"Content-Type": "text/html"}, body=b"<html><body>Sign in to the hotel</body></html>")

Tokens = tuple[int | None, int | None, int | None]
TRUE: Tokens = (10, 5, 15)
UNKNOWN: Tokens = (None, None, None)


def body(text: str | bytes) -> Answer:
    return Answer(headers=JSON_TYPE, body=text.encode() if isinstance(text, str) else text)


def with_usage(**usage: Any) -> Answer:
    return json_answer(completion(usage={**USAGE, **usage}))


def with_message(message: Any) -> Answer:
    return json_answer(completion(choices=[{"index": 0, "finish_reason": "stop", "message": message}]))


def calling(*calls: Any) -> Mapping[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


WHOLE: Mapping[str, tuple[Answer, Tokens | None]] = {
    "choices null": (json_answer(completion(choices=None)), TRUE),
    "choices of null": (json_answer(completion(choices=[None])), TRUE),
    "choices a text": (json_answer(completion(choices="none")), TRUE),
    "choices an object": (json_answer(completion(choices={"0": {}})), TRUE),
    "choices of numbers": (json_answer(completion(choices=[1, [2], "three"])), TRUE),
    "message null": (with_message(None), TRUE),
    "message a list": (with_message([]), TRUE),
    "content a number": (with_message({"role": "assistant", "content": 5}), TRUE),
    "content of parts": (with_message({"role": "assistant", "content": [{"type": "text", "text": "Hi"}]}), TRUE),
    "tool call null": (with_message(calling(None)), TRUE),
    "function null": (with_message(calling({"id": None, "type": "function", "function": None})), TRUE),
    "arguments an object": (with_message(calling({"id": "c", "function": {"name": 1, "arguments": {"a": 1}}})), TRUE),
    "finish reason a number": (json_answer(completion(choices=[{"index": 0, "finish_reason": 7}])), TRUE),
    "id and model of other types": (json_answer(completion(id=5, model={"name": "gpt"})), TRUE),
    "usage a text": (json_answer(completion(usage="10")), UNKNOWN),
    "usage a number": (json_answer(completion(usage=10)), UNKNOWN),
    "usage true": (json_answer(completion(usage=True)), UNKNOWN),
    "usage a list": (json_answer(completion(usage=[10, 5])), UNKNOWN),
    "usage null": (json_answer(completion(usage=None)), UNKNOWN),
    "usage empty": (json_answer(completion(usage={})), UNKNOWN),
    "details a list": (with_usage(prompt_tokens_details=[], completion_tokens_details=[1]), TRUE),
    "details a text": (with_usage(prompt_tokens_details="none"), TRUE),
    "counts as texts": (with_usage(prompt_tokens="10", completion_tokens="5", total_tokens="15"), TRUE),
    "counts as words": (with_usage(prompt_tokens="ten"), (None, 5, 15)),
    "counts as whole floats": (with_usage(prompt_tokens=10.0, completion_tokens=5.0), TRUE),
    "counts as fractions": (with_usage(prompt_tokens=10.5), (None, 5, 15)),
    "counts below zero": (with_usage(prompt_tokens=-10), (None, 5, 15)),
    "counts as bools": (with_usage(prompt_tokens=True, completion_tokens=False), (None, None, 15)),
    "counts beyond measure": (with_usage(prompt_tokens=10**30, completion_tokens=1e300), (None, None, 15)),
    "counts in lists": (with_usage(prompt_tokens=[10], completion_tokens={"n": 5}), (None, None, 15)),
    "NaN": (body('{"id": "chatcmpl-1", "usage": {"prompt_tokens": NaN, "completion_tokens": 5}}'), (None, 5, None)),
    "Infinity": (body('{"choices": [], "usage": {"prompt_tokens": Infinity, "completion_tokens": 5}}'), None),
    "a cost that is none": (with_usage(cost="a lot", cost_details=[1]), TRUE),
    "a list": (body("[]"), UNKNOWN),
    "a text": (body('"Hello"'), UNKNOWN),
    "a number": (body("5"), UNKNOWN),
    "null": (body("null"), UNKNOWN),
    "empty object": (body("{}"), UNKNOWN),
    "empty body": (body(""), UNKNOWN),
    "truncated": (body(json.dumps(completion())[:-40]), UNKNOWN),
    "no UTF-8": (body(b'{"id": "\xff\xfe", "usage": {"prompt_tokens": 10}}'), UNKNOWN),
    "a deep hole": (body("[" * 100_000), UNKNOWN),
    "a deep hole in an answer": (body('{"choices": ' + "[" * 100_000 + "]" * 100_000 + "}"), UNKNOWN),
    "the same key twice": (body('{"usage": {"prompt_tokens": 1, "prompt_tokens": 10}}'), (10, None, None)),
    "HTML": (HTML, UNKNOWN),
    "an error with status 200": (json_answer({"error": {"message": "No.", "code": 429}}), UNKNOWN),
    "no content type": (Answer(body=json.dumps(completion()).encode()), TRUE),
    "no content": (Answer(status=204), UNKNOWN),
}


def created(colour: Colour, client: Any) -> Any:
    return colour.wait(client.chat.completions.create(**ASK))


def raw(colour: Colour, client: Any) -> Any:
    response = colour.wait(client.chat.completions.with_raw_response.create(**ASK))
    return [response.content, response.parse()]


def lazy(colour: Colour, client: Any) -> Any:
    with colour.entered(client.chat.completions.with_streaming_response.create(**ASK)) as response:
        return [colour.wait(response.read()), colour.wait(response.parse())]


def tokens(generations: Any) -> list[Tokens]:
    return [(each.usage.input_tokens, each.usage.output_tokens, each.usage.total_tokens) for each in generations]


@pytest.mark.parametrize("call", [created, raw, lazy])
@pytest.mark.parametrize("name", WHOLE)
def test_an_odd_answer_is_handed_on_and_recorded(name: str, call: Callable[..., Any], colour: Colour) -> None:
    """Value or exception are those of the bare client; the record has the tokens that could be read, and no others."""
    answer, expected = WHOLE[name]
    _, generations = compare(Scenario(call=call, answers=lambda: {"/chat/completions": answer}), colour)
    assert 1 == len(generations)
    assert expected is None or [expected] == tokens(generations)


def delta(value: Any, **fields: Any) -> Any:
    return {**chunk({}), "choices": [{"index": 0, "delta": value, "finish_reason": None, **fields}]}


def tool(**fields: Any) -> Any:
    return delta({"tool_calls": [fields]})


LAST = {**CHUNKS[-1], "usage": dict(USAGE)}
"""The usage beside the finish reason, as OpenRouter sends it."""


def among(*odd: Any) -> Answer:
    """Odd chunks in the middle of a good stream."""
    return stream([*CHUNKS[:2], *odd, LAST])


def lines(*added: bytes) -> Answer:
    """Odd lines in the middle of a good stream."""
    return Answer(headers=EVENTS_TYPE, body=[*events(CHUNKS[:2], done=False), *added, *events([LAST])])


STREAMED: Mapping[str, tuple[Answer, Tokens | None]] = {
    "delta null": (among(delta(None)), TRUE),
    "delta a text": (among(delta("Hello")), TRUE),
    "delta missing": (among({**chunk({}), "choices": [{"index": 0}]}), TRUE),
    "choices null": (among({**chunk({}), "choices": None}), TRUE),
    "choices of null": (among({**chunk({}), "choices": [None]}), TRUE),
    "choices a text": (among({**chunk({}), "choices": "none"}), TRUE),
    "content a number": (among(delta({"content": 5})), TRUE),
    "content a list": (among(delta({"content": ["Hello"]})), TRUE),
    "index null": (among(delta({"content": "Hello"}, index=None)), TRUE),
    "index a text": (among(delta({"content": "Hello"}, index="0")), TRUE),
    "index below zero": (among(delta({"content": "Hello"}, index=-1)), TRUE),
    "index beyond measure": (among(delta({"content": "Hello"}, index=10**30)), TRUE),
    "tool calls null": (among(delta({"tool_calls": None})), TRUE),
    "tool calls of null": (among(delta({"tool_calls": [None]})), TRUE),
    "tool calls a number": (among(delta({"tool_calls": 5})), TRUE),
    "function null": (among(tool(index=0, id="c", type="function", function=None)), TRUE),
    "tool index null": (among(tool(index=None, id=None, function={"name": None, "arguments": None})), TRUE),
    "arguments an object": (among(tool(index=0, function={"name": 5, "arguments": {"a": 1}})), TRUE),
    "finish reason a number": (among(delta({}, finish_reason=7)), TRUE),
    "usage a text": (among({**chunk({}), "usage": "10"}), TRUE),
    "usage a list, at last": (stream([*CHUNKS, {**CHUNKS[-1], "usage": [10, 5]}]), UNKNOWN),
    "details a list": (stream([*CHUNKS[:-1], {**LAST, "usage": {**USAGE, "prompt_tokens_details": []}}]), TRUE),
    "counts as texts": (stream([*CHUNKS[:-1], {**LAST, "usage": {"prompt_tokens": "10"}}]), (10, None, None)),
    "a number": (among(5), None),
    "null": (among(None), None),
    "a text": (among("Hello"), None),
    "a list": (among([1, None]), None),
    "an empty object": (among({}), TRUE),
    "an error that is a text": (among({"error": "No."}), None),
    "an error that is a list": (among({"error": ["No."]}), None),
    "comments": (lines(b": keep-alive\n\n", b":\n\n"), TRUE),
    "events without data": (lines(b"event: ping\n\n", b"id: 7\nretry: 5\n\n"), None),
    "an empty event": (lines(b"data:\n\n"), None),
    "truncated": (lines(b'data: {"id": "chatcmpl\n\n'), None),
    "no UTF-8": (lines(b'data: {"id": "\xff\xfe"}\n\n'), None),
    "NaN": (lines(b'data: {"choices": [null], "usage": {"prompt_tokens": NaN}}\n\n'), TRUE),
    "a deep hole": (lines(b"data: " + b"[" * 100_000 + b"\n\n"), None),
    "other line ends": (Answer(headers=EVENTS_TYPE, body=b"".join(events([LAST])).replace(b"\n", b"\r\n")), TRUE),
    "data in two lines": (lines(b'data: {"choices":\ndata: []}\n\n'), TRUE),
    "nothing": (Answer(headers=EVENTS_TYPE, body=b""), UNKNOWN),
    "[DONE] alone": (Answer(headers=EVENTS_TYPE, body=b"data: [DONE]\n\n"), UNKNOWN),
    "JSON, not events": (json_answer(completion()), TRUE),
    "HTML": (HTML, UNKNOWN),
}


def streamed(colour: Colour, client: Any) -> Any:
    """Steps of a stream, the last one perhaps an error."""
    return readings.steps(colour, colour.wait(client.chat.completions.create(**ASK, stream=True)))


def raw_streamed(colour: Colour, client: Any) -> Any:
    with colour.entered(client.chat.completions.with_streaming_response.create(**ASK, stream=True)) as response:
        return b"".join(colour.items(response.iter_bytes()))


@pytest.mark.parametrize("mode", ["never", "always"])
@pytest.mark.parametrize("name", STREAMED)
def test_an_odd_stream_is_handed_on_and_recorded(name: str, mode: str, colour: Colour) -> None:
    """Chunks and errors are those of the bare client, also where usage is asked for; the tokens are the true ones."""
    answer, expected = STREAMED[name]
    scenario = Scenario(call=streamed, answers=lambda: {"/chat/completions": answer}, stream_usage=mode)
    _, generations = compare(scenario, colour)
    assert 1 == len(generations)
    assert expected is None or [expected] == tokens(generations)


@pytest.mark.parametrize("name", STREAMED)
def test_the_bytes_of_an_odd_stream_are_handed_on(name: str, colour: Colour) -> None:
    """Whoever reads the bytes gets all of them, whatever is in them."""
    scenario = Scenario(call=raw_streamed, answers=lambda: {"/chat/completions": STREAMED[name][0]})
    _, generations = compare(scenario, colour)
    assert 1 == len(generations)


def keeping(colour: Colour, made: list[Any]) -> type[Any]:
    """A client class that keeps what it makes of each answer, before anybody else has it."""
    base: Any = type(colour.client("http://127.0.0.1:9/v1"))

    class Keeping(base):  # type: ignore[misc]
        def _process_response(self, **kwargs: Any) -> Any:
            made.append(super()._process_response(**kwargs))
            return made[-1]

    class KeepingAsync(base):  # type: ignore[misc]
        async def _process_response(self, **kwargs: Any) -> Any:
            made.append(await super()._process_response(**kwargs))
            return made[-1]

    return Keeping if colour.name == "sync" else KeepingAsync


@pytest.mark.parametrize("answers", [WHOLE, STREAMED], ids=["whole", "streamed"])
def test_the_object_is_the_very_one_that_the_client_made(answers: Mapping[str, Any], colour: Colour) -> None:
    """Nothing is put around it or in its place, also where there is nothing odd about it."""
    made: list[Any] = []
    pairs: list[tuple[Any, Any]] = []
    client = colour.kept(keeping(colour, made)(base_url=colour.provider.base_url, api_key="sk-test", max_retries=0))
    with capture_generations() as generations:
        for answer in [*(answer for answer, _ in answers.values()), chat_like_openai]:
            colour.provider.answer_with({"/chat/completions": answer})
            with suppress(Exception):  # of the client, which cannot read every one of them
                given = colour.wait(client.chat.completions.create(**ASK, stream=answers is STREAMED))
                pairs.append((given, made[-1]))
        assert all(given is own for given, own in pairs)
        assert len(answers) * 0.8 < len(pairs)
        for given, _ in pairs:
            if answers is STREAMED:
                colour.wait(given.close())
        assert len(answers) + 1 == len(generations)
