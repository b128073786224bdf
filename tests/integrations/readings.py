"""
How an application reads a stream, whichever client has opened it, and how a test waits for what it leaves behind.

A reading is called with a colour and an open stream, and returns what the application sees.
"""

import asyncio
import gc
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest

from ramp_tracing._captured import Generations, capture_generations
from ramp_tracing._state import state

from .colours import Colour
from .provider import Provider, Script
from .sinks import NoticesCollections, until

Reading = Callable[[Colour, Any], Any]


def of(opened: Reading, read: Reading) -> Reading:
    """A call of the client that opens a stream and reads it."""
    return lambda colour, client: read(colour, opened(colour, client))


def closed(colour: Colour, stream: Any) -> Any:
    return colour.wait(stream.close())


def drained(colour: Colour, stream: Any) -> Any:
    return [type(stream), colour.items(stream), colour.items(stream)]


def drained_step_by_step(count: int) -> Reading:
    """With ``next()``, *count* times and twice at the end."""

    def read(colour: Colour, stream: Any) -> Any:
        seen = colour.take(stream, count)
        ends = []
        for _ in range(2):
            with suppress(StopIteration, StopAsyncIteration):
                ends += colour.take(stream, 1)
        return [seen, ends]

    return read


def drained_inside(colour: Colour, stream: Any) -> Any:
    with colour.entered(stream) as chunks:
        return colour.items(chunks)


def broken_off(count: int) -> Reading:
    return lambda colour, stream: colour.broken_off(stream, count)


def broken_off_inside(count: int) -> Reading:
    def read(colour: Colour, stream: Any) -> Any:
        with colour.entered(stream) as chunks:
            return colour.broken_off(chunks, count)

    return read


def raised_inside(colour: Colour, stream: Any) -> Any:
    with colour.entered(stream) as chunks:
        colour.take(chunks, 2)
        raise LookupError("of the application")


def taken_and_closed(colour: Colour, stream: Any) -> Any:
    seen = colour.take(stream, 1)
    closed(colour, stream)
    closed(colour, stream)
    return seen


def broken_off_and_continued(colour: Colour, stream: Any) -> Any:
    return [colour.broken_off(stream, 2), colour.items(stream)]


def unread(colour: Colour, stream: Any) -> Any:
    """It is dropped."""


def read_until_it_fails(colour: Colour, stream: Any) -> Any:
    """What came, and the error."""
    seen: list[Any] = []
    try:
        while True:
            seen += colour.take(stream, 1)
    except Exception as error:  # noqa: BLE001 - it is what the application gets, and is compared
        return [seen, error]
    finally:
        closed(colour, stream)


def steps(colour: Colour, stream: Any) -> Any:
    """What came, and the error if there was one."""
    seen, error = read_until_it_fails(colour, stream)
    return seen if isinstance(error, (StopIteration, StopAsyncIteration)) else [*seen, error]


def dropped(call: Reading, caplog: pytest.LogCaptureFixture) -> Reading:
    """*call*, and what is left when its stream has been collected: connections in use, and words of asyncio's."""

    def left(colour: Colour, client: Any) -> Any:
        caplog.clear()
        call(colour, client)
        for _ in range(5):
            gc.collect()
            colour.tidy()
        return [in_use(client), [each.getMessage() for each in caplog.records if each.name == "asyncio"]]

    return left


def uncollected(call: Reading) -> Reading:
    """*call*, and how many connections are in use when its stream has been dropped and the collector has not run."""

    def left(colour: Colour, client: Any) -> Any:
        gc.disable()
        try:
            call(colour, client)
            for _ in range(5):
                colour.tidy()
            return in_use(client)
        finally:
            gc.enable()

    return left


def in_use(client: Any) -> int:
    """How many connections the client has that are neither closed nor waiting for a request."""
    connections = client._client._transport._pool.connections
    return sum(not (each.is_closed() or each.is_idle()) for each in connections)


def check_collected(call: Reading, colour: Colour, scripts: Mapping[str, Script]) -> None:
    """The end of the stream that *call* drops is put off while the garbage collector runs, and recorded then."""
    sink = NoticesCollections()
    gc.callbacks.append(sink)
    try:
        with Provider(scripts=scripts) as provider, capture_generations():
            state.sink = sink
            call(colour, colour.client(provider.base_url))
            until(lambda: bool(sink.deferred), colour)
            assert [] == sink.during_a_collection
            for finish in sink.deferred:
                finish()
            assert [False] == sink.during_a_collection
    finally:
        gc.callbacks.remove(sink)


async def cancelled(read: Callable[[Any, list[Any]], Any], client: Any, generations: Generations) -> None:
    """
    Cancel *read* when it has seen two items, and wait for the record.

    The generators around a dropped stream end one after the other, each in a task of its own.
    """
    seen: list[Any] = []
    task = asyncio.create_task(read(client, seen))
    async with asyncio.timeout(60):
        while len(seen) < 2:
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    del task
    async with asyncio.timeout(60):
        while not len(generations):
            gc.collect()
            await asyncio.sleep(0.005)
    await client.close()
