"""Streams of the anthropic client, and every way in which one can end: one record, with what is known by then."""

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from ramp_tracing._captured import capture_generations
from ramp_tracing._loopback import Answer

from . import readings
from .anthropic_calls import (
    ABANDONED,
    ASK,
    ERROR_EVENT,
    EVENTS,
    SCRIPTS,
    SEEN,
    STREAMED,
    UNREAD,
    answering,
    anthropic,
    both,
    events_of,
    message,
    scenario,
    text_pieces,
)
from .colours import Colour
from .facts import facts_of, seen_by_user
from .provider import Provider, events, stream
from .scenarios import Scenario, check


@pytest.fixture(scope="module", autouse=True)
def quick_collections() -> Iterator[None]:
    """The client is a hundred thousand objects, which the collector need not look through for each dropped stream."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def opened(colour: Colour, client: Any) -> Any:
    return colour.wait(client.messages.create(**ASK, stream=True))


def reading(read: readings.Reading) -> readings.Reading:
    return readings.of(opened, read)


def helper_drained(colour: Colour, client: Any) -> Any:
    with colour.entered(client.messages.stream(**ASK)) as helper:
        return [colour.items(helper), colour.wait(helper.get_final_message())]


def helper_texts(colour: Colour, client: Any) -> Any:
    with colour.entered(client.messages.stream(**ASK)) as helper:
        return colour.items(helper.text_stream)


def helper_final(colour: Colour, client: Any) -> Any:
    with colour.entered(client.messages.stream(**ASK)) as helper:
        return colour.wait(helper.get_final_text())


def helper_broken_off(colour: Colour, client: Any) -> Any:
    with colour.entered(client.messages.stream(**ASK)) as helper:
        return [event.type for event in colour.broken_off(helper, 3)]


def helper_unread(colour: Colour, client: Any) -> Any:
    with colour.entered(client.messages.stream(**ASK)) as helper:
        return type(helper)


def beta_drained(colour: Colour, client: Any) -> Any:
    return colour.items(colour.wait(client.beta.messages.create(**ASK, stream=True)))


def beta_helper(colour: Colour, client: Any) -> Any:
    with colour.entered(client.beta.messages.stream(**ASK)) as helper:
        return colour.items(helper)


CUT_SHORT = Answer(
    headers={"Content-Type": "text/event-stream"}, body=events(EVENTS[:4], named=True, done=False), cut=True
)
CUT = ("APIConnectionError", "RemoteProtocolError")
"""What a client gets whose connection breaks in the middle of a stream; not every version wraps it."""

REPEATED = {"input_tokens": 10, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 2, "output_tokens": 5}

ENDINGS: Mapping[str, Scenario] = {
    "drained": scenario(reading(readings.drained), STREAMED),
    "drained with next()": scenario(reading(readings.drained_step_by_step(len(SEEN))), STREAMED),
    "drained inside with": scenario(reading(readings.drained_inside), STREAMED),
    "broken off at the stop": scenario(reading(readings.broken_off(len(SEEN))), STREAMED, leaves=True),
    "broken off at the usage": scenario(reading(readings.broken_off(len(SEEN) - 1)), STREAMED, leaves=True),
    "broken off": scenario(reading(readings.broken_off(3)), ABANDONED, leaves=True),
    "broken off inside with": scenario(reading(readings.broken_off_inside(3)), ABANDONED),
    "raised inside with": scenario(reading(readings.raised_inside), ABANDONED, raises="LookupError"),
    "broken off, then continued": scenario(reading(readings.broken_off_and_continued), STREAMED),
    "taken, then closed": scenario(reading(readings.taken_and_closed), ABANDONED),
    "never iterated": scenario(reading(readings.unread), UNREAD, leaves=True),
    "closed unread": scenario(reading(readings.closed), UNREAD),
    "helper": scenario(helper_drained, STREAMED),
    "helper, texts": scenario(helper_texts, STREAMED),
    "helper, final text": scenario(helper_final, STREAMED),
    "helper, broken off": scenario(helper_broken_off, ABANDONED),
    "helper, unread": scenario(helper_unread, UNREAD),
    "beta": scenario(beta_drained, STREAMED),
    "beta helper": scenario(beta_helper, STREAMED),
    "error event": scenario(
        reading(readings.read_until_it_fails),
        {**ABANDONED, "failure": "APIStatusError", "status": 200},
        answers=answering(stream([*EVENTS[:4], ERROR_EVENT], named=True, done=False)),
    ),
    "error event at once": scenario(
        reading(readings.read_until_it_fails),
        {**UNREAD, "failure": "APIStatusError", "status": 200},
        answers=answering(stream([ERROR_EVENT], named=True, done=False)),
    ),
    "ends too early": scenario(
        reading(readings.drained),
        {**ABANDONED, "failure": None},
        answers=answering(stream(EVENTS[:4], named=True, done=False)),
    ),
    "usage repeated at the end": scenario(
        reading(readings.drained),
        STREAMED,
        answers=answering(stream(events_of(usage=REPEATED), named=True, done=False)),
    ),
    "input of nothing at the end": scenario(
        reading(readings.drained),
        STREAMED,
        answers=answering(stream(events_of(usage={"input_tokens": 0, "output_tokens": 5}), named=True, done=False)),
    ),
}


@both
@pytest.mark.parametrize("name", ENDINGS)
def test_a_stream_ends_as_one_record(name: str, colour: Colour) -> None:
    """The application gets the same events and errors as without us; the record has what was known at the end."""
    check(ENDINGS[name], colour)


@both
def test_a_stream_whose_connection_breaks_is_one_record(colour: Colour) -> None:
    """The failure is the exception that the application gets."""
    with Provider(CUT_SHORT) as provider, capture_generations() as generations:
        _, error = reading(readings.read_until_it_fails)(colour, colour.client(provider.base_url))
        assert type(error).__name__ in CUT
        assert [{**ABANDONED, "failure": type(error).__name__}] == [facts_of(each) for each in generations]


@both
def test_an_error_event_says_what_it_is(colour: Colour) -> None:
    """The error's own type is its code."""
    scripts = answering(stream([*EVENTS[:4], ERROR_EVENT], named=True, done=False))()
    with Provider(scripts=scripts) as provider, capture_generations() as generations:
        reading(readings.read_until_it_fails)(colour, colour.client(provider.base_url))
        failure = generations[0].failure
    assert failure is not None
    assert ("overloaded_error" if HAS_TYPES else None) == failure.code
    assert "overloaded_error" in str(failure.message)


HAS_TYPES = "type" in anthropic.APIStatusError.__annotations__
"""Whether errors of this version have the type that the API gives them."""


DROPPED: Mapping[str, tuple[Any, Mapping[str, Any]]] = {
    "drained": (reading(readings.drained), STREAMED),
    "broken off": (reading(readings.broken_off(3)), ABANDONED),
    "never iterated": (reading(readings.unread), UNREAD),
}


@both
@pytest.mark.parametrize("name", DROPPED)
def test_a_dropped_stream_makes_no_noise_and_holds_no_connection(
    name: str, colour: Colour, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What the collector finds ends without a word on standard error, and gives its connection back as it would."""
    drop, record = DROPPED[name]
    unraisable: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    check(scenario(readings.dropped(drop, caplog), record), colour)
    assert [] == unraisable


@both
@pytest.mark.parametrize("name", DROPPED)
def test_a_dropped_stream_gives_its_connection_back_as_soon_as_it_would(name: str, colour: Colour) -> None:
    """The client takes care that its streams need no collector, which some servers switch off."""
    drop, record = DROPPED[name]
    check(scenario(readings.uncollected(drop), record, leaves=True), colour)


@both
@pytest.mark.parametrize("name", ["broken off", "never iterated"])
def test_nothing_is_recorded_while_the_collector_runs(name: str, colour: Colour) -> None:
    """It may run while any lock is held, by the very thread that holds it: the end of a dropped stream is put off."""
    readings.check_collected(DROPPED[name][0], colour, SCRIPTS)


@both
def test_a_stream_that_is_open_at_the_end_is_recorded(colour: Colour) -> None:
    """When we are switched off the stream is recorded as far as it has come; the application reads on undisturbed."""
    with Provider(scripts=SCRIPTS) as provider:
        client = colour.client(provider.base_url)
        with capture_generations() as generations:
            chunks = opened(colour, client)
            seen = colour.take(chunks, 2)
        assert [ABANDONED] == [facts_of(each) for each in generations]
        seen += colour.items(chunks)
        assert seen_by_user(colour.items(opened(colour, client))) == seen_by_user(seen)
        assert [ABANDONED] == [facts_of(each) for each in generations]


@both
def test_first_chunk_is_the_first_that_says_something(colour: Colour) -> None:
    """The message begins without a word; the time to the first token ends at the first text."""
    said = threading.Event()

    def slowly() -> Iterator[bytes]:
        lines = events(EVENTS, named=True, done=False)
        yield from lines[:3]
        said.wait(60)
        yield from lines[3:]

    answer = Answer(headers={"Content-Type": "text/event-stream"}, body=slowly())
    with Provider(answer) as provider, capture_generations() as generations:
        chunks = opened(colour, colour.client(provider.base_url))
        colour.take(chunks, 2)
        beginning_was_read = time.time_ns()
        said.set()
        colour.items(chunks)
        timing = generations[0].timing
    assert timing.first_chunk is not None
    assert timing.started < beginning_was_read <= timing.first_chunk <= timing.ended


@contextmanager
def halting(after: int) -> Iterator[Any]:
    """An async client of a provider that stops in the middle of a stream."""
    go_on = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield from events(EVENTS[:after], named=True, done=False)
        go_on.wait(60)

    answer = Answer(headers={"Content-Type": "text/event-stream"}, body=pieces())
    with Provider(answer) as provider:
        try:
            yield anthropic.AsyncAnthropic(base_url=provider.base_url, api_key="sk-ant-test", max_retries=0)
        finally:
            go_on.set()


async def read_on(client: Any, seen: list[Any]) -> None:
    async for chunk in await client.messages.create(**ASK, stream=True):
        seen.append(chunk)


async def read_inside(client: Any, seen: list[Any]) -> None:
    async with client.messages.stream(**ASK) as chunks:
        async for chunk in chunks:
            seen.append(chunk)


async def think_in_the_body(client: Any, seen: list[Any]) -> None:
    async for chunk in await client.messages.create(**ASK, stream=True):
        seen.append(chunk)
        if len(seen) == 2:
            await asyncio.sleep(30)


CANCELLATIONS: Mapping[str, tuple[Any, str]] = {
    "while it waits for an event": (read_on, "CancelledError"),
    "while it waits for an event, inside the helper": (read_inside, "CancelledError"),
    "in the body of the loop": (think_in_the_body, "abandoned"),
}


@pytest.mark.parametrize("name", CANCELLATIONS)
async def test_a_cancelled_reader_leaves_one_record(name: str) -> None:
    """The cancellation goes through at once; what had come until then is in the record."""
    read, failure = CANCELLATIONS[name]
    with halting(after=4) as client, capture_generations() as generations:
        await readings.cancelled(read, client, generations)
        assert [{**ABANDONED, "failure": failure}] == [facts_of(each) for each in generations]


TOOL = {"type": "tool_use", "id": "toolu_01A09q90qw90lq917835lq9", "name": "weather", "input": {}}
WITH_TOOL = events_of(
    ({"type": "thinking", "thinking": "", "signature": ""}, [{"type": "thinking_delta", "thinking": "Hm."}]),
    text_pieces("Let me look."),
    (TOOL, [{"type": "input_json_delta", "partial_json": each} for each in ("", '{"city": ', '"Oslo"}')]),
    delta={"stop_reason": "tool_use", "stop_sequence": None},
)
CALLED = {
    "completion": "Let me look.",
    "reasoning": "Hm.",
    "toolCalls": [
        {
            "id": TOOL["id"],
            "index": 0,
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
        }
    ],
}


@both
def test_what_was_said_is_content(colour: Colour) -> None:
    """Thoughts, text and calls of tools are put together from their pieces."""
    scripts = answering(stream(WITH_TOOL, named=True, done=False))()
    with Provider(scripts=scripts) as provider, capture_generations() as generations:
        colour.items(opened(colour, colour.client(provider.base_url)))
        content = generations[0].content
    assert content is not None
    assert (CALLED, {"messages": ASK["messages"]}) == (content.output, content.input)


@both
def test_nothing_that_was_said_is_kept_in_privacy_mode(colour: Colour) -> None:
    """Usage, ids and reasons are."""
    scripts = answering(stream(WITH_TOOL, named=True, done=False))()
    with Provider(scripts=scripts) as provider, capture_generations(privacy_mode=True) as generations:
        colour.items(opened(colour, colour.client(provider.base_url)))
        [generation] = generations
    assert (None, ("tool_use",), 15) == (generation.content, generation.finish_reasons, generation.usage.input_tokens)


def test_a_message_is_documented() -> None:
    """What these tests answer is what the client reads."""
    assert anthropic.types.Message.model_validate(message()).stop_reason == "end_turn"
