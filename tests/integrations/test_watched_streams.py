"""A stream hands on the same, and its record says the same, whether its usual events are taken in one step or not."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ramp_tracing._guard import log
from ramp_tracing._normalizers import CHAT, PIECES, Accumulator
from ramp_tracing._normalizers._chat import ChatAccumulator
from ramp_tracing._record import Failure, Outcome
from ramp_tracing._state import state
from ramp_tracing.integrations._iterators import AsyncWatchedIterator, WatchedIterator
from ramp_tracing.integrations._listening import listen
from ramp_tracing.integrations._streams import StreamWatch

from ..normalizers.test_usual_events import EVENTS, RARER, USUAL


class Client:
    """Makes an item of an event: a copy of its data, in its order."""

    def _process_response_data(self, *, data: Any, cast_to: object, response: object) -> object:
        return list(data.items()) if isinstance(data, dict) else data


class Stream:
    """Reads as the streams of generated clients do."""

    def __init__(self, events: Sequence[Any]) -> None:
        self._client: Any = Client()
        self._events = deepcopy(events)
        self._iterator: Any = self.__stream__()

    def __iter__(self) -> Iterator[Any]:
        yield from self._iterator

    def __stream__(self) -> Iterator[Any]:
        process = self._client._process_response_data
        for data in self._events:
            yield process(data=data, cast_to=object, response=None)


class AsyncStream(Stream):
    """`Stream`, awaited."""

    async def __aiter__(self) -> AsyncIterator[Any]:
        async for item in self._iterator:
            yield item

    async def __stream__(self) -> AsyncIterator[Any]:  # type: ignore[override]
        process = self._client._process_response_data
        for data in self._events:
            await asyncio.sleep(0)
            yield process(data=data, cast_to=object, response=None)


class End:
    """What a call is told of its end."""

    def __init__(self) -> None:
        self.told: list[object] = []

    @property
    def finished(self) -> bool:
        return any(isinstance(each, tuple) for each in self.told)

    def first_chunk(self) -> None:
        self.told.append("first chunk")

    def succeed(self, outcome: Outcome) -> None:
        self.told.append(("succeeded", outcome))

    def fail(self, failure: Failure, outcome: Outcome) -> None:
        self.told.append(("failed", failure, outcome))

    def abandon(self, outcome: Outcome) -> None:
        self.told.append(("abandoned", outcome))

    def later(self, finish: Callable[[], None]) -> None:
        finish()


class Slowly:
    """An accumulator that looks at each event for itself."""

    def __init__(self, accumulator: Accumulator) -> None:
        self.add, self.outcome, self._accumulator = accumulator.add, accumulator.outcome, accumulator

    @property
    def all_finished(self) -> bool:
        return self._accumulator.all_finished


def sync_read(stream: Any, watch: StreamWatch, by_step: int) -> list[Any]:
    """Some items one by one, and the others in a loop."""
    stream._iterator = WatchedIterator(stream._iterator, watch)
    listen(stream, watch, trusted=True)
    seen = [item for _ in range(by_step) if (item := next(stream._iterator, watch)) is not watch]
    return seen + list(stream)


def async_read(stream: Any, watch: StreamWatch, by_step: int) -> list[Any]:
    """The same, awaited."""

    async def read() -> list[Any]:
        stream._iterator = AsyncWatchedIterator(stream._iterator, watch)
        listen(stream, watch, trusted=True)
        steps = [await anext(stream._iterator, watch) for _ in range(by_step)]
        return [item for item in steps if item is not watch] + [item async for item in stream]

    return asyncio.run(read())


COLOURS = {"sync": (Stream, sync_read), "async": (AsyncStream, async_read)}


def read(colour: str, events: Any, accumulator: Any, *, hides_usage: bool, by_step: int = 0) -> tuple[Any, list[Any]]:
    """What the application sees, and what the call is told."""
    made, reading = COLOURS[colour]
    end = End()
    watch = StreamWatch(end, accumulator, hides_usage=hides_usage)
    try:
        return reading(made(events), watch, by_step), end.told
    finally:
        watch.give_up()


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("name", EVENTS)
@settings(max_examples=75, deadline=None)
@given(draw=st.data(), count=st.integers(1, 2), hides=st.booleans(), by_step=st.integers(0, 4))
def test_the_same_is_seen_and_recorded(
    name: str, colour: str, draw: st.DataObject, count: int, hides: bool, by_step: int
) -> None:
    """Item for item, member for member in its order; the first chunk, the end, and the outcome."""
    wire, strategy = EVENTS[name]
    events = draw.draw(st.lists(strategy, max_size=10))
    before = {*state.open_streams}  # another test's, that the garbage collector has yet to find
    slowly = read(colour, events, Slowly(wire.accumulator(count, True)), hides_usage=hides)
    assert slowly == read(colour, events, wire.accumulator(count, True), hides_usage=hides, by_step=by_step)
    assert before.issuperset(state.open_streams)


@pytest.mark.parametrize("hides", [True, False], ids=["usage asked for by us", "by the application"])
@pytest.mark.parametrize("name", RARER)
@pytest.mark.parametrize("colour", COLOURS)
def test_thoughts_and_tool_calls_are_shown_and_recorded(colour: str, name: str, hides: bool) -> None:
    """Taken in one step as well, and without the usage that nobody but us has asked for."""
    piece = {"id": "1", "choices": [{"index": 0, "delta": RARER[name], "finish_reason": None}], "usage": None}
    ended = {**piece, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    events = [*[piece] * 4, ended, {"id": "1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}]
    slowly = read(colour, events, Slowly(CHAT.accumulator(1, True)), hides_usage=hides)
    quick = read(colour, events, CHAT.accumulator(1, True), hides_usage=hides)
    assert slowly == quick
    assert 6 - hides == len(quick[0])
    assert not (hides and any("usage" in dict(item) for item in quick[0]))


class Counting(ChatAccumulator):
    """Notes how many pieces there are whenever they are made one."""

    def __init__(self) -> None:
        super().__init__(1, keeps_content=True)
        self.joined: list[int] = []

    def join(self) -> None:
        self.joined.extend(len(each) for each in self._pieces.values())
        super().join()


@pytest.mark.parametrize("hides", [True, False], ids=["usage asked for by us", "by the application"])
@pytest.mark.parametrize("colour", COLOURS)
def test_of_a_long_text_there_are_few_pieces(colour: str, hides: bool) -> None:
    """They are made one while the stream is read in a loop; nothing of it is lost, or comes twice."""
    _, usual = USUAL["chat, usage asked for"]
    accumulator = Counting()
    seen, told = read(colour, [{**usual} for _ in range(3 * PIECES)], accumulator, hides_usage=hides)
    assert 3 * PIECES == len(seen)
    assert [PIECES] * 3 == accumulator.joined[:3]
    assert "word " * (3 * PIECES) == told[-1][1].output["completion"]


def test_of_a_long_text_that_is_read_step_by_step_there_are_few_pieces() -> None:
    """An application may ask for each item by itself."""
    _, usual = USUAL["chat, usage asked for"]
    accumulator = Counting()
    events = [{**usual} for _ in range(3 * PIECES)]
    seen, told = read("async", events, accumulator, hides_usage=False, by_step=3 * PIECES)
    assert 3 * PIECES == len(seen)
    assert len(accumulator.joined) >= 2
    assert max(accumulator.joined) <= PIECES
    assert "word " * (3 * PIECES) == told[-1][1].output["completion"]


@pytest.mark.parametrize("colour", COLOURS)
def test_what_is_no_text_is_left_out_of_it(colour: str) -> None:
    """Some servers send an object where the text should be."""
    _, usual = USUAL["chat, usage asked for"]
    odd = {**usual, "choices": [{**usual["choices"][0], "delta": {"content": [{"type": "thinking"}]}}]}
    _, told = read(colour, [usual, odd, usual], CHAT.accumulator(1, True), hides_usage=False)
    assert "word word " == told[-1][1].output["completion"]


LATE = [{"id": "c-1", "choices": [{"index": 0, "delta": {}, "finish_reason": end}]} for end in (None, "stop", None)]


@pytest.mark.parametrize("last", [None, {"total_tokens": 1}])
@pytest.mark.parametrize("first", [1, 2])
def test_steps_and_a_loop_may_take_turns(first: int, last: object) -> None:
    """Nothing is lost or comes out of turn, whoever reads the finish reason, and some servers go on after it."""
    events = [{**each, "usage": None, "number": number} for number, each in enumerate(LATE[:first] + 4 * LATE[2:])]
    events[first - 1]["choices"] = LATE[1]["choices"]
    events[-1]["usage"] = last
    end = End()
    watch = StreamWatch(end, CHAT.accumulator(1, True), hides_usage=True)

    async def read() -> list[Any]:
        stream: Any = AsyncStream(events)
        stream._iterator = steps = AsyncWatchedIterator(stream._iterator, watch)
        listen(stream, watch, trusted=True)
        seen: list[Any] = []
        async for item in stream:
            seen.append(item)
            step = await anext(steps, None)
            seen.extend([step] if step is not None else ())
        return [dict(item)["number"] for item in seen]

    assert [*range(len(events))] == asyncio.run(read())
    assert "succeeded" == end.told[-1][0]


class Hostile(dict[str, Any]):
    """Data that fails to be read."""

    def __getitem__(self, name: str) -> Any:
        raise RuntimeError("hostile")

    get = __getitem__


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("colour", COLOURS)
def test_data_that_fails_to_be_read_is_the_applications_all_the_same(
    colour: str, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing of ours is raised into the client, which has been given it by somebody else's parser."""
    monkeypatch.setattr(state, "strict", False)
    monkeypatch.setattr(log, "_next", {})
    wire, _ = EVENTS[name]
    _, event = USUAL[name]
    seen, told = read(colour, [event, Hostile(event), event], wire.accumulator(1, True), hides_usage=False)
    assert 3 == len(seen)
    assert "word word " == told[-1][1].output["completion"]
    assert "reading an event failed with RuntimeError" in caplog.text


class HostileWithin(dict[str, Any]):
    """A function of a tool call that fails to be read where nobody expects it."""

    get = Hostile.get


def test_a_tool_call_that_fails_to_be_read_is_the_applications_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Likewise where only the second look meets it."""
    monkeypatch.setattr(state, "strict", False)
    monkeypatch.setattr(log, "_next", {})
    call = {"index": 0, "function": HostileWithin(arguments="word ")}
    choice = {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}
    seen, _ = read("sync", [{"id": "1", "choices": [choice]}] * 2, CHAT.accumulator(1, True), hides_usage=False)
    assert 2 == len(seen)
    assert "reading an event failed with RuntimeError" in caplog.text


class Stubborn:
    """A response of somebody's own, from which nothing can be taken off."""

    def __delattr__(self, name: str) -> None:
        raise RuntimeError(name)


def test_a_response_that_cannot_be_left_as_it_was_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The call has ended by then, and is recorded."""
    monkeypatch.setattr(state, "strict", False)
    monkeypatch.setattr(log, "_next", {})
    end: Any = End()
    watch = StreamWatch(end, CHAT.accumulator(1, True))
    response, close = Stubborn(), Stubborn()
    watch.cover(response, close=close)
    watch.drained()
    assert ["succeeded"] == [each[0] for each in end.told]
    assert "leaving a response as it was failed with RuntimeError" in caplog.text
