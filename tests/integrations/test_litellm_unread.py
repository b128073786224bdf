"""Calls of LiteLLM's whose content is read when they are sent: the same records as if it had been read at once."""

import copy
import json
from collections import OrderedDict
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ramp_tracing._context import InForce
from ramp_tracing._journal._line import Tie, decode, encode
from ramp_tracing._layers import Settled, release, slot_of
from ramp_tracing._layers._promises import PromisedSink
from ramp_tracing._layers._slots import Held
from ramp_tracing._normalizers._litellm import read_litellm
from ramp_tracing._normalizers._litellm_lean import lean_litellm
from ramp_tracing._record import NOBODY, Attribution, Cost, Generation, ReadLater, Recorded, SpanParent, whole
from ramp_tracing._state import HeldBack, state
from ramp_tracing.integrations import _litellm_calls
from ramp_tracing.integrations._litellm_calls import generation_of, record
from ramp_tracing.integrations._litellm_unread import unread_call

from ..journal.samples import journal_in, run
from ..journal.test_unread import unread as seen_by_client

SECRET: Final = "canary"
USAGE: Final = {
    "prompt_tokens": 212,
    "completion_tokens": 118,
    "total_tokens": 330,
    "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 128},
    "completion_tokens_details": {"audio_tokens": 0, "reasoning_tokens": 0},
}


class Memory:
    """A sink that keeps what it is given as it is."""

    def __init__(self, *, keeps_content: bool = True) -> None:
        self.keeps_content = keeps_content
        self.recorded: list[Recorded] = []

    def record(self, recorded: Recorded) -> None:
        self.recorded.append(recorded)


def answer(**more: Any) -> dict[str, Any]:
    """A chat completion, as LiteLLM writes it down."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": SECRET,
        "tool_calls": None,
        "function_call": None,
        "annotations": [],
    }
    return {
        "id": "chatcmpl-0123456789abcdef",
        "object": "chat.completion",
        "model": "gpt-4o-2024-08-06",
        "service_tier": "default",
        "choices": [{"finish_reason": "stop", "index": 0, "logprobs": None, "message": message}],
        "usage": copy.deepcopy(USAGE),
        **more,
    }


def told(response: Any = None, *, payload: Any = None, **more: Any) -> dict[str, Any]:
    """The arguments of a callback."""
    said: dict[str, Any] = {
        "startTime": 10.25,
        "endTime": 12.5,
        "completionStartTime": 12.5,
        "model": "gpt-4o",
        "api_base": "https://api.openai.com/v1",
        "stream": None,
        "end_user": None,
        "cost_breakdown": {"original_cost": 9.3e-05, "discount_amount": 0.0, "margin_total_amount": 0.0},
        "metadata": {"user_api_key_alias": None, "requester_metadata": None},
        "request_tags": [],
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": SECRET}],
        "response": answer() if response is None else response,
        **(payload or {}),
    }
    return {
        "litellm_call_id": "call-1",
        "call_type": "completion",
        "custom_llm_provider": "openai",
        "model": "gpt-4o",
        "stream": False,
        "cache_hit": None,
        "user": None,
        "response_cost": 9.300000000000001e-05,
        "api_call_start_time": "2026-01-01 00:00:00",
        "litellm_params": {"metadata": {"hidden_params": {"model_id": None}}, "litellm_trace_id": None},
        "optional_params": {"temperature": 0.2, "extra_body": {}},
        "standard_logging_object": said,
        **more,
    }


SETTLED: Final = Settled(InForce(NOBODY, None), None, None, late=False)


def read_at_once(call: dict[str, Any], response: Any, settled: Settled = SETTLED) -> Generation | None:
    """The record without the detour."""
    said = read_litellm(call, response, ok=True)
    return None if said is None else generation_of(Memory(), said, settled, job=None)  # type: ignore[arg-type]


def read_later(call: dict[str, Any], response: Any, settled: Settled = SETTLED) -> ReadLater | None:
    """The record with it; `None` if something about the call is unusual."""
    lean = lean_litellm(call, response)
    return None if lean is None else unread_call(call, lean, settled)


def plain(generation: Generation | None) -> Generation | None:
    """Without what need not be the same: an id that is used once, and what content occupies, roughly."""
    if generation is None or generation.content is None:
        return generation
    return replace(generation, id=generation.content and "", content=replace(generation.content, size_bytes=0))  # type: ignore[arg-type]


def in_line(recorded: Recorded) -> Generation:
    """What is on disk of a record, but for how it ended."""
    decoded = decode(encode(recorded).line[:-1])
    assert decoded is not None
    return replace(decoded.generation, finish_reasons=(), native_finish_reason=None)


@pytest.fixture(autouse=True)
def nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids of other tests are not those of these, nor their calls."""
    monkeypatch.setattr(state, "seen", type(state.seen)())
    monkeypatch.setattr(state, "slots", OrderedDict())
    monkeypatch.setattr(state, "watched", {})


def test_the_usual_call_waits_to_be_read() -> None:
    """With the id of the answer, LiteLLM's price, and all the rest."""
    unread = read_later(told(), answer())
    assert unread is not None
    whole = unread.whole()
    assert whole.id == "chatcmpl-0123456789abcdef"
    assert whole.cost == Cost(total=Decimal("0.000093"), source="gateway")
    assert (whole.provider, whole.server_address, whole.server_port) == ("openai", "api.openai.com", 443)
    assert (whole.usage.input_tokens, whole.usage.output_tokens, whole.usage.cache_read_tokens) == (212, 118, 128)
    assert whole.content is not None
    assert whole.content.output == {"completion": SECRET, "reasoning": None}
    assert plain(whole) == plain(read_at_once(told(), answer()))


def test_a_price_that_is_null_is_none() -> None:
    """LiteLLM's own form of a usage has a place for one."""
    usage: Any = {**USAGE, "cost": None}
    unread = read_later(told(answer(usage=usage)), answer(usage=usage))
    assert unread is not None
    assert unread.whole().cost == Cost(total=Decimal("0.000093"), source="gateway")


def test_a_price_of_nothing_is_one() -> None:
    """Where LiteLLM was told so; else its 0 is none."""
    free = {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0}
    for params, cost in ((free, Cost(total=Decimal(0), source="gateway")), ({}, None)):
        call = told(response_cost=0.0, litellm_params=params)
        unread = read_later(call, answer())
        assert unread is not None
        assert (cost, cost) == (unread.whole().cost, in_line(unread).cost)
        assert plain(unread.whole()) == plain(read_at_once(call, answer()))


def test_its_line_says_what_the_whole_says() -> None:
    """All but the content, and how it ended."""
    call = told(user="ada", litellm_params={"metadata": {"team": "billing", "tags": ["a"]}}, api_key="sk-1")
    unread = read_later(call, answer())
    assert unread is not None
    assert in_line(unread) == in_line(unread.whole())
    assert SECRET.encode() not in encode(unread).line


def test_who_it_is_for() -> None:
    """The call's own word, the block around it, and LiteLLM's trace where there is no other."""
    params = {"metadata": {"trace_user_id": "eve"}, "litellm_trace_id": "trace-1"}
    for started in (
        InForce(NOBODY, None),
        InForce(Attribution(user="bob", session_id="s", metadata={"team": "x"}), None),
        InForce(NOBODY, SpanParent("0" * 31 + "1", "0" * 15 + "1"), in_tree=True),
    ):
        call, settled = told(litellm_params=params), Settled(started, None, None, late=False)
        unread = read_later(call, answer(), settled)
        assert unread is not None
        assert plain(unread.whole()) == plain(read_at_once(call, answer(), settled))


def test_what_is_changed_after_the_call_is_not_reported() -> None:
    """By the application, which has the answer and its own lists, or by callbacks that come later."""
    own: Any = {"role": "user", "content": "first"}
    params: Any = {"metadata": {"team": "billing", "labels": ["a"]}}
    call, response = told(payload={"messages": [own]}, litellm_params=params), answer()
    call["standard_logging_object"]["response"] = response
    expected = plain(read_at_once(copy.deepcopy(call), copy.deepcopy(response)))
    unread = read_later(call, response)
    assert unread is not None
    payload = call["standard_logging_object"]
    own["content"] = "second"
    payload["messages"].append(own)
    response["choices"][0]["message"]["content"] = response["choices"][0]["finish_reason"] = "changed"
    response["usage"]["prompt_tokens"] = 1
    params["metadata"]["labels"].append("b")
    call["optional_params"]["temperature"] = 1
    payload.clear()
    call.clear()
    assert plain(unread.whole()) == expected


NOTHING: Final[dict[str, Any]] = {}
COUNT: Any = st.one_of(st.none(), st.integers(0, 500), st.sampled_from([-1, 2**70, 1.5, 3.0, "7", True, {"a": 1}]))
USUALLY: Any = st.one_of(st.integers(0, 500), st.none())
TEXT: Any = st.one_of(
    st.none(), st.sampled_from(["", "text", "openai/gpt-4o", "resp_bGl0ZWxsbTo", "\ud800", "redacted-by-litellm"])
)


def details(count: Any) -> Any:
    names = ("cached_tokens", "audio_tokens", "reasoning_tokens", "image_tokens", "cache_creation_tokens")
    return st.one_of(st.none(), st.dictionaries(st.sampled_from(names), count, max_size=4))


def usages(count: Any) -> Any:
    return st.fixed_dictionaries(
        {"prompt_tokens": count, "completion_tokens": count},
        optional={
            "total_tokens": count,
            "prompt_tokens_details": details(count),
            "completion_tokens_details": details(count),
            "cache_read_input_tokens": count,
            "cost": st.one_of(st.floats(0, 1), st.integers(0, 9)),
            "cost_in_usd_ticks": st.integers(0, 9),
            "inputTokens": count,
            "promptTokenCount": count,
            "pydantic_ai_gateway": st.just({"cost_estimate": 1}),
            "inference_geo": TEXT,
            "server_tool_use": st.just({"web_search_requests": 1}),
        },
    )


MESSAGE: Any = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": TEXT},
    optional={
        "refusal": TEXT,
        "reasoning_content": TEXT,
        "tool_calls": st.one_of(st.none(), st.just([{"id": "1", "function": {"name": "f", "arguments": "{}"}}])),
        "function_call": st.one_of(st.none(), st.just({"name": "f"})),
        "audio": st.one_of(st.none(), st.just({"id": "a", "data": "AAAA"})),
        "annotations": st.just([]),
    },
)
CHOICE: Any = st.fixed_dictionaries(
    {"message": st.one_of(MESSAGE, st.none())},
    optional={
        "finish_reason": TEXT,
        "native_finish_reason": TEXT,
        "error": st.one_of(st.none(), st.just({"code": 502, "message": "upstream"})),
    },
)
ANSWERS: Any = st.fixed_dictionaries(
    NOTHING,
    optional={
        "id": st.sampled_from(["chatcmpl-0123456789abcdef", "x", "", None]),
        "model": st.sampled_from(["gpt-4o", "openai/gpt-4o", "openai/", None]),
        "choices": st.one_of(st.lists(CHOICE, min_size=1, max_size=1), st.lists(CHOICE, max_size=3), st.none()),
        "usage": st.one_of(usages(USUALLY), usages(COUNT), st.none()),
        "service_tier": st.one_of(st.sampled_from(["default", "flex", "priority"]), TEXT),
        "provider": TEXT,
        "object": st.sampled_from(["chat.completion", "error"]),
        "error": st.one_of(st.none(), st.just({"message": "no"})),
    },
)
PART: Any = st.one_of(TEXT, st.just([{"type": "text", "text": "x"}]), st.just(1.5))
PAYLOADS: Any = st.fixed_dictionaries(
    NOTHING,
    optional={
        "model": TEXT,
        "api_base": st.sampled_from([None, "", "https://api.openai.com/v1", "http://localhost:1234", "//["]),
        "messages": st.one_of(TEXT, st.lists(st.fixed_dictionaries({"role": TEXT, "content": PART}), max_size=3)),
        "stream": st.sampled_from([None, False, True]),
        "startTime": st.sampled_from([10.25, 1e-7]),
        "endTime": st.sampled_from([12.5, 9.0, 0, None, True]),
        "cost_breakdown": st.sampled_from([None, NOTHING, {"discount_amount": 0.1}, {"margin_total_amount": 0.1}]),
        "end_user": TEXT,
        "prompt_tokens": st.integers(0, 500),
        "request_tags": st.sampled_from([[], ["a", "User-Agent: x"]]),
    },
)
PARAMETERS: Final[list[Any]] = [None, {"seed": 2**70}, {"n": 1, "temperature": 1.0, "user": "ada"}]
CALLS: Any = st.fixed_dictionaries(
    NOTHING,
    optional={
        "call_type": st.sampled_from(["completion", "acompletion", "embedding", "responses", None]),
        "custom_llm_provider": st.sampled_from(["openai", "anthropic", "openrouter", "", None]),
        "cache_hit": st.sampled_from([None, False, True]),
        "stream": st.sampled_from([None, False, True]),
        "litellm_no_upstream_llm_call": st.sampled_from([None, True]),
        "response_cost": st.one_of(st.none(), st.floats(0, 10), st.sampled_from([-1.0, "0.1", True, float("nan")])),
        "optional_params": st.sampled_from(PARAMETERS),
        "user": TEXT,
        "litellm_params": st.fixed_dictionaries(
            NOTHING,
            optional={
                "metadata": st.sampled_from([NOTHING, {"user_id": "u", "team": ["x"]}, {"hidden_params": 1}]),
                "litellm_session_id": TEXT,
                "litellm_trace_id": TEXT,
            },
        ),
    },
)


NONE: Any = st.just(NOTHING)


@example(({"usage": {"prompt_tokens": None, "completion_tokens": -1, "total_tokens": 0}}, {}, {}))
@example(({"usage": {**USAGE, "cost": 0}}, {}, {}))
@example(({"usage": {**USAGE, "inputTokens": 0}}, {"prompt_tokens": 212, "completion_tokens": 118}, {}))
@example(({"usage": {**USAGE, "eval_count": -1}}, {"prompt_tokens": 212, "completion_tokens": 118}, {}))
@example(({"usage": {**USAGE, "cost_in_usd_ticks": 5}}, {}, {}))
@example(({"usage": {**USAGE, "pydantic_ai_gateway": {"cost_estimate": 1}}}, {}, {}))
@example(({}, {"startTime": 1e-7}, {}))
@example(({"model": "openai/"}, {"model": "/gpt-4o"}, {"custom_llm_provider": ""}))
@given(
    st.one_of(
        st.tuples(ANSWERS, NONE, NONE),
        st.tuples(NONE, PAYLOADS, NONE),
        st.tuples(NONE, NONE, CALLS),
        st.tuples(ANSWERS, PAYLOADS, CALLS),
    )
)
def test_whatever_litellm_tells_both_say_the_same(said: tuple[Any, Any, Any]) -> None:
    """What is read later, and what its line says of the money, is what would have been read at once."""
    state.seen = type(state.seen)()
    response = answer(**said[0])
    call = told(response, payload=said[1], **said[2])
    unread = read_later(call, response)
    if unread is None:
        return
    expected, whole = read_at_once(call, response), unread.whole()
    assert expected is not None
    assert plain(whole) == plain(expected)
    assert in_line(unread) == in_line(whole)


def held_for_litellm(body: dict[str, Any], sink: Any = None) -> Held:
    """The client's record of a call that LiteLLM makes through it."""
    slot = slot_of("litellm", "call-1")
    slot.held.clear()
    PromisedSink(sink or Holding(), slot).record(seen_by_client(json.dumps(body).encode()))
    [held] = slot.held
    return held


class Holding(Memory):
    """One that can be given what is not said to the end yet."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[Recorded] = []

    def hold(self, recorded: Recorded) -> HeldBack:
        self.held.append(recorded)
        return HeldBack(self.record, recorded)


def settled_with(held: Held, recorded: Generation | ReadLater) -> Settled:
    """What LiteLLM's word finds."""
    return Settled(InForce(NOBODY, None), Held(recorded, held.sink, due=0.0), None, late=False)


@example(({}, {"service_tier": None}, {}))
@example(({}, {"usage": {**USAGE, "cost": 0}}, {}))
@example(({}, {"usage": {**USAGE, "prompt_tokens": 1}}, {}))
@example(({}, {"choices": [{"message": {"role": "assistant", "content": "x"}, "finish_reason": "eos"}]}, {}))
@example(({}, {"choices": [{"message": {"role": "assistant", "content": "x"}, "finish_reason": None}]}, {}))
@given(
    st.one_of(
        ANSWERS.map(lambda said: (said, said, NOTHING)),
        st.tuples(NONE, ANSWERS, NONE),
        st.tuples(ANSWERS, NONE, NONE),
        st.tuples(ANSWERS, ANSWERS, NONE),
        st.tuples(NONE, NONE, st.tuples(PAYLOADS, CALLS)),
    )
)
def test_whatever_the_client_has_seen_both_say_the_same(said: tuple[Any, Any, Any]) -> None:
    """Of a call that LiteLLM makes through the openai client: the client's counts, LiteLLM's price."""
    state.seen = type(state.seen)()
    response, body = answer(**said[0]), answer(**said[1])
    call = told(response, payload=said[2][0] if said[2] else None, **(said[2][1] if said[2] else {}))
    held = held_for_litellm(body)
    lean = lean_litellm(call, response)
    unread = None if lean is None else unread_call(call, lean, settled_with(held, held.recorded))
    if unread is None:
        return
    expected = read_at_once(call, response, settled_with(held, held.generation))
    assert expected is not None
    assert unread.whole().id == expected.id == held.generation.id
    assert plain(unread.whole()) == plain(expected)
    without = {"parameters": NOTHING}  # of the client's nothing is on disk
    assert replace(in_line(unread), **without) == replace(in_line(unread.whole()), **without)


def test_a_call_that_the_client_has_seen_waits_to_be_read() -> None:
    """It is written down as it is held, and as it is settled, and its content is never."""
    sink: Any = Holding()
    held = held_for_litellm(answer(), sink)
    assert sink.held == [held.recorded]
    state.sink = sink
    try:
        record(told(), answer(), ok=True)
    finally:
        state.sink = None
    [recorded] = sink.recorded
    assert isinstance(recorded, ReadLater)
    assert ("litellm", "openai") == (recorded.whole().library, whole(sink.held[0]).library)
    assert Cost(total=Decimal("0.000093"), source="gateway") == recorded.whole().cost
    assert 7 == recorded.whole().parameters["seed"]  # what went over the wire
    for each in (sink.held[0], recorded):
        assert SECRET.encode() not in encode(each, Tie("held", "1")).line


@pytest.mark.parametrize(
    "body",
    [
        {"usage": {**USAGE, "completion_tokens": 119}},
        {"usage": {**USAGE, "cost": 0.5}},
        {"usage": USAGE, "service_tier": None},
    ],
)
def test_where_the_two_differ_both_are_looked_at_now(body: Any) -> None:
    """The client's counts are not those that LiteLLM has a price for."""
    held, lean = held_for_litellm(answer(**body)), lean_litellm(told(), answer())
    assert lean is not None
    assert unread_call(told(), lean, settled_with(held, held.recorded)) is None


def test_what_litellm_never_speaks_of_is_recorded_as_the_client_has_it() -> None:
    """With its content, which is read for that."""
    sink: Any = Holding()
    held = held_for_litellm(answer(), sink)
    assert isinstance(held.recorded, ReadLater)
    release()
    assert [held.generation] == [whole(each) for each in sink.recorded]
    assert held.generation.content is not None


def told_of(*calls: Any, keeps_content: bool = True) -> list[Recorded]:
    """What is recorded when LiteLLM tells of these."""
    memory: Any = Memory(keeps_content=keeps_content)
    state.sink = memory
    try:
        for call in calls:
            record(call, answer(), ok=True)
    finally:
        state.sink = None
    recorded: list[Recorded] = memory.recorded
    return recorded


def test_what_is_told_twice_is_recorded_once() -> None:
    """By either way: LiteLLM tells of some calls in a sync and in an async callback."""
    usual, unusual = told(), told(payload={"messages": "one text"})
    [recorded] = told_of(usual, usual, unusual)
    assert isinstance(recorded, ReadLater)
    state.slots.clear()
    [recorded] = told_of(unusual, usual)
    assert isinstance(recorded, Generation)


@pytest.mark.parametrize("more", [{}, {"payload": {"messages": "one text"}}])
def test_an_answer_that_cannot_be_read_takes_no_record_of_the_client_with_it(more: Any) -> None:
    """The client has seen the same call, and its record waits for LiteLLM's word."""

    class Broken:
        id = "chatcmpl-0123456789abcdef"

        @property
        def usage(self) -> Any:
            raise RuntimeError

    memory: Any = Memory()
    known = read_at_once(told(), answer())
    assert known is not None
    slot_of("litellm", "call-1").held.append(Held(known, memory, due=0.0))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(state, "sink", memory)
        if more:  # then the record cannot be made
            patched.setattr(_litellm_calls, "generation_of", None)
        with pytest.raises((RuntimeError, TypeError)):
            record(told(**more), answer() if more else Broken(), ok=True)
    assert memory.recorded == [known]


def test_privacy() -> None:
    """Nothing that was asked or answered is kept; the rest is the same."""
    [recorded] = told_of(told(), keeps_content=False)
    assert isinstance(recorded, Generation)
    assert recorded.content is None
    assert SECRET.encode() not in encode(recorded).line
    assert (212, Decimal("0.000093")) == (recorded.usage.input_tokens, recorded.cost and recorded.cost.total)


@pytest.mark.parametrize(
    "more",
    [
        {"optional_params": {"seed": 2**70}},
        {"litellm_params": {"metadata": {"at": (1, [2])}}},
        {"model": "\ud800", "payload": {"model": None}},
    ],
)
def test_what_may_change_or_json_cannot_hold_is_read_at_once(more: Any) -> None:
    """And has the id of the answer all the same."""
    [recorded] = told_of(told(**more))
    assert isinstance(recorded, Generation)
    assert recorded.id == "chatcmpl-0123456789abcdef"


def test_a_killed_process_leaves_the_money(tmp_path: Path) -> None:
    """Written down when LiteLLM has told of the call: usage, price, model, ids, and who it was for."""
    call = told(user="ada", litellm_params={"metadata": {"team": "billing"}})
    code = f"""
    import json
    from ramp_tracing._state import state as ours
    from ramp_tracing.integrations._litellm_calls import record

    class Sink:
        keeps_content = True
        record = journal_in(state).append

    ours.sink = Sink
    record(json.loads({json.dumps(call)!r}), json.loads({json.dumps(answer())!r}), ok=True)
    os.kill(os.getpid(), signal.SIGKILL)
    """
    run(code, tmp_path)
    journal = journal_in(tmp_path)
    journal.tend()
    [entry] = journal.read(10)
    expected = read_at_once(call, answer())
    assert expected is not None
    assert entry.generation == replace(expected, content=None, content_lost=True, finish_reasons=())
