"""Streams of the openai client, and every way in which one can end: one record, with what is known by then."""

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import openai
import pytest

from ramp_tracing._captured import capture_generations
from ramp_tracing._loopback import Answer
from ramp_tracing._state import state

from . import readings
from .colours import Colour
from .facts import ABANDONED, STREAMED, UNANSWERED, UNKNOWN, facts_of, seen_by_user
from .provider import CHUNKS, Provider, Script, events, stream
from .scenarios import Scenario, check

ASK: Mapping[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}], "stream": True}

UNREAD: Mapping[str, Any] = {**UNANSWERED, "streamed": True, "failure": "abandoned"}
"""A stream of which nothing was read."""

CUT = "APIConnectionError" if openai.__version__ >= "3" else "RemoteProtocolError"
"""What a client gets whose connection breaks in the middle of a stream."""


def opened(colour: Colour, client: Any) -> Any:
    return colour.wait(client.chat.completions.create(**ASK))


def reading(read: readings.Reading) -> readings.Reading:
    return readings.of(opened, read)


def helper_broken_off(colour: Colour, client: Any) -> Any:
    ask = {name: value for name, value in ASK.items() if name != "stream"}
    with colour.entered(client.chat.completions.stream(**ask)) as helper:
        return [event.type for event in colour.broken_off(helper, 3)]


def answering(script: Script) -> Callable[[], Mapping[str, Script]]:
    return lambda: {"/chat/completions": script}


ERROR_EVENT = {"error": {"message": "No.", "type": "server_error", "code": "overloaded"}}

ENDINGS: Mapping[str, Scenario] = {
    "drained": Scenario(call=reading(readings.drained), records=(STREAMED,), stream_usage="always"),
    "drained, usage not asked for": Scenario(
        call=reading(readings.drained), records=({**STREAMED, "tokens": UNKNOWN},)
    ),
    "drained with next()": Scenario(
        call=reading(readings.drained_step_by_step(len(CHUNKS))), records=(STREAMED,), stream_usage="always"
    ),
    "drained inside with": Scenario(call=reading(readings.drained_inside), records=(STREAMED,), stream_usage="always"),
    "broken off": Scenario(call=reading(readings.broken_off(2)), records=(ABANDONED,), leaves=True),
    "broken off inside with": Scenario(call=reading(readings.broken_off_inside(2)), records=(ABANDONED,)),
    "raised inside with": Scenario(call=reading(readings.raised_inside), records=(ABANDONED,), raises="LookupError"),
    "broken off, then continued": Scenario(
        call=reading(readings.broken_off_and_continued), records=(STREAMED,), stream_usage="always"
    ),
    "taken, then closed": Scenario(call=reading(readings.taken_and_closed), records=(ABANDONED,)),
    "never iterated": Scenario(call=reading(readings.unread), records=(UNREAD,), leaves=True),
    "closed unread": Scenario(call=reading(readings.closed), records=(UNREAD,)),
    "helper, broken off": Scenario(call=helper_broken_off, records=(ABANDONED,)),
    "connection cut": Scenario(
        call=reading(readings.read_until_it_fails),
        answers=answering(
            Answer(headers={"Content-Type": "text/event-stream"}, body=events(CHUNKS[:2], done=False), cut=True)
        ),
        records=({**ABANDONED, "failure": CUT},),
    ),
    "error event": Scenario(
        call=reading(readings.read_until_it_fails),
        answers=answering(stream([*CHUNKS[:2], ERROR_EVENT])),
        records=({**ABANDONED, "failure": "APIError"},),
    ),
    "error event at once": Scenario(
        call=reading(readings.read_until_it_fails),
        answers=answering(stream([ERROR_EVENT])),
        records=({**UNREAD, "failure": "APIError"},),
    ),
    "ends without [DONE]": Scenario(
        call=reading(readings.drained),
        answers=answering(stream(CHUNKS, done=False)),
        records=({**STREAMED, "tokens": UNKNOWN},),
    ),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_stream_ends_as_one_record(name: str, colour: Colour) -> None:
    """The application gets the same chunks and errors as without us; the record has what was known at the end."""
    check(ENDINGS[name], colour)


def raw_broken_off(colour: Colour, client: Any) -> Any:
    return colour.broken_off(colour.wait(client.chat.completions.with_raw_response.create(**ASK)).parse(), 2)


def raw_drained(colour: Colour, client: Any) -> Any:
    return colour.items(colour.wait(client.chat.completions.with_raw_response.create(**ASK)).parse())


def raw_bytes_broken_off(colour: Colour, client: Any) -> Any:
    response = colour.wait(client.chat.completions.with_raw_response.create(**ASK)).http_response
    return colour.broken_off(response.iter_bytes(16) if colour.name == "sync" else response.aiter_bytes(16), 1)


DROPPED: Mapping[str, tuple[Any, Mapping[str, Any]]] = {
    "drained": (reading(readings.drained), {**STREAMED, "tokens": UNKNOWN}),
    "broken off": (reading(readings.broken_off(2)), ABANDONED),
    "never iterated": (reading(readings.unread), UNREAD),
    "raw, broken off": (raw_broken_off, ABANDONED),
    "raw, bytes broken off": (raw_bytes_broken_off, UNREAD),
}


@pytest.mark.parametrize("name", DROPPED)
def test_a_dropped_stream_makes_no_noise_and_holds_no_connection(
    name: str, colour: Colour, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What the collector finds ends without a word on standard error, and gives its connection back as it would."""
    drop, record = DROPPED[name]
    unraisable: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    check(Scenario(call=readings.dropped(drop, caplog), records=(record,)), colour)
    assert [] == unraisable


@pytest.mark.parametrize("name", DROPPED)
def test_a_dropped_stream_gives_its_connection_back_as_soon_as_it_would(name: str, colour: Colour) -> None:
    """Whether it needs the collector for that is the client's affair."""
    drop, record = DROPPED[name]
    check(Scenario(call=readings.uncollected(drop), records=(record,), leaves=True), colour)


@pytest.mark.parametrize("name", ["broken off", "never iterated"])
def test_nothing_is_recorded_while_the_collector_runs(name: str, colour: Colour) -> None:
    """It may run while any lock is held, by the very thread that holds it: the end of a dropped stream is put off."""
    readings.check_collected(DROPPED[name][0], colour, {})


@pytest.mark.parametrize(
    "call", [readings.of(opened, readings.drained), readings.of(opened, readings.drained_inside), raw_drained]
)
def test_a_drained_stream_is_no_dropped_one_however_quick_the_other_thread_is(call: Any, colour: Colour) -> None:
    """The client of openai 3 closes a generator, as the collector does, before the end of the stream is seen."""
    with Provider() as provider, capture_generations() as generations:
        generations.defer = lambda finish: finish()  # type: ignore[method-assign]
        call(colour, colour.client(provider.base_url))
        assert [{**STREAMED, "tokens": UNKNOWN}] == [facts_of(each) for each in generations]


def test_a_stream_that_is_open_at_the_end_is_recorded(colour: Colour) -> None:
    """When we are switched off the stream is recorded as far as it has come; the application reads on undisturbed."""
    with Provider() as provider:
        client = colour.client(provider.base_url)
        with capture_generations() as generations:
            state.stream_usage = "always"
            chunks = opened(colour, client)
            seen = colour.take(chunks, 2)
            state.stream_usage = "auto"
        assert [ABANDONED] == [facts_of(each) for each in generations]
        seen += colour.items(chunks)
        assert seen_by_user(colour.items(opened(colour, client))) == seen_by_user(seen)
        assert [ABANDONED] == [facts_of(each) for each in generations]


def test_first_chunk_is_the_first_that_says_something(colour: Colour) -> None:
    """The role comes first and is no answer yet; the time to the first token ends at the first text."""
    said = threading.Event()

    def slowly() -> Iterator[bytes]:
        first, *others = events(CHUNKS)
        yield first
        said.wait(60)
        yield from others

    answer = Answer(headers={"Content-Type": "text/event-stream"}, body=slowly())
    with Provider(answer) as provider, capture_generations() as generations:
        chunks = opened(colour, colour.client(provider.base_url))
        colour.take(chunks, 1)
        role_was_read = time.time_ns()
        said.set()
        colour.items(chunks)
        timing = generations[0].timing
    assert timing.first_chunk is not None
    assert timing.started < role_was_read <= timing.first_chunk <= timing.ended


@contextmanager
def halting(after: int) -> Iterator[Any]:
    """An async client of a provider that stops in the middle of a stream."""
    go_on = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield from events(CHUNKS[:after], done=False)
        go_on.wait(60)

    answer = Answer(headers={"Content-Type": "text/event-stream"}, body=pieces())
    with Provider(answer) as provider:
        try:
            yield openai.AsyncOpenAI(base_url=provider.base_url, api_key="sk-test", max_retries=0)
        finally:
            go_on.set()


async def read_on(client: Any, seen: list[Any]) -> None:
    async for chunk in await client.chat.completions.create(**ASK):
        seen.append(chunk)


async def read_inside(client: Any, seen: list[Any]) -> None:
    async with await client.chat.completions.create(**ASK) as chunks:
        async for chunk in chunks:
            seen.append(chunk)


async def think_in_the_body(client: Any, seen: list[Any]) -> None:
    async for chunk in await client.chat.completions.create(**ASK):
        seen.append(chunk)
        if len(seen) == 2:
            await asyncio.sleep(30)


async def think_in_the_body_inside(client: Any, seen: list[Any]) -> None:
    async with await client.chat.completions.create(**ASK) as chunks:
        async for chunk in chunks:
            seen.append(chunk)
            if len(seen) == 2:
                await asyncio.sleep(30)


CANCELLATIONS: Mapping[str, tuple[Any, str]] = {
    "while it waits for a chunk": (read_on, "CancelledError"),
    "while it waits for a chunk, inside with": (read_inside, "CancelledError"),
    "in the body of the loop": (think_in_the_body, "abandoned"),
    "in the body of the loop, inside with": (think_in_the_body_inside, "abandoned"),
}


@pytest.mark.parametrize("name", CANCELLATIONS)
async def test_a_cancelled_reader_leaves_one_record(name: str) -> None:
    """The cancellation goes through at once; what had come until then is in the record."""
    read, failure = CANCELLATIONS[name]
    with halting(after=2) as client, capture_generations() as generations:
        await readings.cancelled(read, client, generations)
        assert [{**ABANDONED, "failure": failure}] == [facts_of(each) for each in generations]
