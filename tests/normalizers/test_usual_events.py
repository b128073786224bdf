"""The usual event of a stream is taken in in one step, and what is known at the end is the same."""

import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ramp_tracing._normalizers import CHAT, RESPONSES, WireFormat
from ramp_tracing._normalizers._texts import PIECES
from ramp_tracing._record import Outcome

from .cases import PAYLOADS, events_in

few = settings(max_examples=150, deadline=None)


def mostly(usual: object, *others: object) -> st.SearchStrategy[Any]:
    """One value nearly always."""
    return st.sampled_from([usual] * 8 + list(others))


texts = st.sampled_from(["Good", " morning", "", "\ud83d", "\ude00", "é"])
calls = [{"index": 0, "id": "call_1", "function": {"name": "weather", "arguments": "{}"}}]
deltas = st.fixed_dictionaries(
    {"content": texts | mostly("word", None, ["a part"], 3)},
    optional={
        "role": st.just("assistant"),
        "reasoning": mostly(None, "Hm. "),
        "refusal": mostly(None, "No."),
        "tool_calls": mostly(None, [], calls),
        "function_call": mostly(None, calls[0]["function"]),
        "audio": mostly(None, {"data": "AAAA", "transcript": "Hello"}),
    },
) | mostly({"content": "word"}, {}, None, "a text", [])
choices = st.fixed_dictionaries(
    {"delta": deltas, "finish_reason": mostly(None, "stop", "", "length")},
    optional={"index": mostly(0, 1, True, None, "0", 1.0, []), "error": mostly(None, {"message": "No."})},
)
chunks = st.fixed_dictionaries(
    {"choices": st.lists(choices, min_size=1, max_size=1) | mostly([], None, "none") | st.lists(choices, max_size=3)},
    optional={
        "id": mostly("chatcmpl-1", "", None),
        "model": mostly("gpt-4o", None),
        "usage": mostly(None, {"prompt_tokens": 3, "completion_tokens": 2}, {}),
        "x_groq": mostly(None, {"usage": {"prompt_tokens": 7, "completion_tokens": 1}}),
        "service_tier": mostly("default", "flex"),
        "error": mostly(None, {"message": "No."}),
    },
) | mostly({"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"content": "word"}, "finish_reason": None}]}, None)

said = st.fixed_dictionaries({"type": mostly("response.output_text.delta", "response.refusal.delta",
                                             "response.reasoning_text.delta", "response.audio.delta", None, []),
                              "delta": texts | mostly("word", None, {"a": 1})})  # fmt: skip
whole = st.fixed_dictionaries({"type": mostly("response.created", "response.completed", "error"),
                               "response": st.just({"id": "resp_1", "model": "gpt-4o"})})  # fmt: skip
responses = said | whole | mostly({"type": "response.output_text.delta", "delta": "word"}, None, "a text", {})

EVENTS: Final[Mapping[str, tuple[WireFormat, st.SearchStrategy[Any]]]] = {
    "chat": (CHAT, chunks),
    "responses": (RESPONSES, responses),
}


def read(
    wire: WireFormat, events: Sequence[Any], count: int, *, keeps: bool, quick: bool
) -> tuple[Outcome, list[bool], int | None]:
    """What is known at the end; after each event, whether all have finished; which was the first to say something."""
    accumulator: Any = wire.accumulator(count, keeps)
    carries: list[bool] = []
    finished: list[bool] = []
    take = taking(accumulator, carries) if quick else lambda event: carries.append(accumulator.add(event))
    for event in events:
        take(event)
        finished.append(accumulator.all_finished)
    return accumulator.outcome(), finished, carries.index(True) if True in carries else None


def taking(accumulator: Any, carries: list[bool]) -> Callable[[object], None]:
    """Takes in an event as the client does that makes an item of it; notes whether it carries a part of the answer."""
    added: list[bool] = []
    process = accumulator.taking(build, lambda event: added.append(accumulator.add(event)), takes_off_usage=False)

    def take(event: object) -> None:
        before = len(added)
        assert event is process(data=event, cast_to=dict, response=None)
        carries.append(added[-1] if len(added) > before else True)

    return take


def build(*, data: object, cast_to: object, response: object) -> object:
    """The item is its data."""
    return data


@pytest.mark.parametrize("name", EVENTS)
@few
@given(draw=st.data(), count=st.integers(1, 2), keeps=st.booleans())
def test_both_ways_know_the_same(name: str, draw: st.DataObject, count: int, keeps: bool) -> None:
    """Whatever is in a stream: its outcome, when its usage is waited for, and its first chunk."""
    wire, strategy = EVENTS[name]
    events = draw.draw(st.lists(strategy, max_size=12))
    slowly = read(wire, events, count, keeps=keeps, quick=False)
    assert slowly == read(wire, events, count, keeps=keeps, quick=True)


OPENING: Final[Mapping[str, Mapping[str, object]]] = {
    "tool call": {"tool_calls": calls},
    "two tool calls": {"tool_calls": [*calls, {**calls[0], "index": 1}]},
    "tool call without a name": {"tool_calls": [{"index": 0, "function": {"arguments": ""}}]},
    "thought": {"reasoning_content": "Hm. ", "content": None},
    "refusal": {"refusal": "No. "},
}

GOING_ON: Final[Mapping[str, Mapping[str, object]]] = {
    **{
        f"call {more} {index!r} {function}": {
            "tool_calls": [{"index": index, **more, "function": {"arguments": '{"a', **function}}]
        }
        for index, more, function in [
            (0, {}, {}),
            (1, {}, {}),
            (True, {}, {}),
            (0.0, {}, {}),
            (None, {}, {}),
            (0, {"type": "function"}, {}),
            (0, {"id": None}, {"name": None}),
            (0, {"id": "call_2"}, {}),
            (0, {}, {"name": "weather"}),
            (0, {}, {"arguments": ""}),
            (0, {}, {"arguments": 3}),
        ]
    },
    "two calls": {"tool_calls": calls * 2},
    "no call": {"tool_calls": []},
    "thought": {"reasoning_content": "So. ", "content": ""},
    "thought elsewhere": {"reasoning": "So. "},
    "no thought": {"reasoning_content": ["So. "]},
    "thought and text": {"reasoning_content": "So. ", "content": "Yes"},
    "thought and function": {"reasoning_content": "So. ", "function_call": {}},
    "what nobody reads": {"reasoning_content": "So. ", "reasoning_details": [{"text": "So. "}]},
    "refusal": {"refusal": "Never. ", "role": "assistant"},
    "text": {"content": "word"},
    "nothing": {},
}


@pytest.mark.parametrize("keeps", [True, False], ids=["content", "privacy"])
@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 3}], ids=["no usage", "a running count"])
@pytest.mark.parametrize("going_on", GOING_ON)
@pytest.mark.parametrize("opening", OPENING)
def test_what_comes_in_pieces_beside_text(opening: str, going_on: str, usage: object, keeps: bool) -> None:
    """Thoughts, refusals and what tools are called with, and all that may come between."""
    deltas = [OPENING[opening], GOING_ON[going_on], OPENING[opening], *[GOING_ON[going_on]] * 2, {"content": "word"}]
    events: list[Any] = [
        {"id": "1", "usage": usage, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in deltas
    ]
    events[3] = {**events[3], "usage": None}
    for ending in (None, "stop"):
        events[-1] = {**events[-1], "choices": [{**events[-1]["choices"][0], "finish_reason": ending}]}
        both = [read(CHAT, [*events, *events[1:2]], 1, keeps=keeps, quick=quick) for quick in (False, True)]
        assert both[0] == both[1]


def test_a_choice_whose_index_is_no_number() -> None:
    """`True` is 1 to a dictionary, and no number to us."""
    usual = {"delta": {"content": "word"}, "finish_reason": None}
    events = [{"id": "1", "choices": [{**usual, "index": index}]} for index in (0, 1, True)]
    assert read(CHAT, events, 2, keeps=True, quick=False) == read(CHAT, events, 2, keeps=True, quick=True)


USUAL: Final = {
    "chat": (CHAT, {"id": "1", "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]}),
    "chat, usage asked for": (
        CHAT,
        {"id": "1", "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}], "usage": None},
    ),
    "chat, everything named": (
        CHAT,
        {
            "id": "1",
            "choices": [
                {
                    "index": 0,
                    "delta": {"role": "assistant", "content": "word ", "reasoning_content": None, "tool_calls": None},
                    "finish_reason": None,
                }
            ],
        },
    ),
    "responses": (RESPONSES, {"type": "response.output_text.delta", "delta": "word ", "sequence_number": 4}),
}


@pytest.mark.parametrize("keeps", [True, False], ids=["content", "privacy"])
@pytest.mark.parametrize("name", USUAL)
def test_the_usual_event_is_taken(name: str, keeps: bool) -> None:
    """Once something has been said, text is; before that it is not, for somebody has to note the moment."""
    wire, event = USUAL[name]
    accumulator: Any = wire.accumulator(1, keeps)
    unusual: list[object] = []
    process = accumulator.taking(build, unusual.append, takes_off_usage=False)
    process(data=event, cast_to=dict, response=None)
    assert [event] == unusual
    assert accumulator.add(event)
    process(data=event, cast_to=dict, response=None)
    assert [event] == unusual


@pytest.mark.parametrize("name", USUAL)
def test_a_long_stream_stays_small(name: str) -> None:
    """Of two thousand words, each an object of its own, there is little more than their letters."""
    wire, event = USUAL[name]
    accumulator: Any = wire.accumulator(1, True)
    process = accumulator.taking(build, accumulator.add, takes_off_usage=False)
    accumulator.add(event)
    tracemalloc.start()
    for number in range(2_000):
        process(data=_with_text(event, f"{number:05} "), cast_to=dict, response=None)
        if number % PIECES == 0:
            accumulator.join()
    outcome = accumulator.outcome()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert outcome.output["completion"].endswith("01998 01999 ")
    assert most < 48 * 1024


RARER: Final[Mapping[str, Mapping[str, object]]] = {
    "thought": {"content": None, "reasoning_content": "word "},
    "tool call": {"tool_calls": [{"index": 0, "function": {"arguments": "word "}}]},
}


@pytest.mark.parametrize("name", RARER)
def test_of_a_long_thought_there_are_few_pieces(name: str) -> None:
    """Nor of what a tool is called with; `add` sees the first one only."""
    accumulator: Any = CHAT.accumulator(1, True)
    unusual: list[object] = []
    event = {"id": "1", "choices": [{"index": 0, "delta": RARER[name], "finish_reason": None}]}
    process = accumulator.taking(build, unusual.append, takes_off_usage=False)
    accumulator.add(event)
    (pieces,) = accumulator._rarer.values()
    for _ in range(3):
        for _ in range(PIECES):
            process(data=event, cast_to=dict, response=None)
        accumulator.join()
        assert not pieces
    assert not unusual
    assert "word " * (3 * PIECES + 1) in str(accumulator.outcome().output)


def _with_text(event: Any, text: str) -> Any:
    if "delta" in event:
        return {**event, "delta": text}
    choice = event["choices"][0]
    return {**event, "choices": [{**choice, "delta": {**choice["delta"], "content": text}}]}


def test_a_text_and_a_thought_in_one_chunk() -> None:
    """A server that gives both at once has both of them recorded."""
    for quick in (True, False):
        events = [_both(), {"id": "1", "choices": [{"index": 0, "delta": {"content": "Yes"}, "finish_reason": None}]}]
        outcome, _, _ = read(CHAT, [*events, _both()], 1, keeps=True, quick=quick)
        assert {"completion": "So. YesSo. ", "reasoning": "Hm. Hm. "} == outcome.output


def _both() -> Any:
    delta = {"content": "So. ", "reasoning": "Hm. "}
    return {"id": "1", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


STREAMS: Final = sorted(each.stem for each in (PAYLOADS / "chat").glob("*.sse"))


@pytest.mark.parametrize("name", STREAMS)
def test_streams_of_many_servers(name: str) -> None:
    """Each of those that we have a payload of."""
    events = events_in(f"chat/{name}.sse")
    assert read(CHAT, events, 1, keeps=True, quick=False) == read(CHAT, events, 1, keeps=True, quick=True)
