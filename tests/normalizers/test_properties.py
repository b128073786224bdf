"""What holds for whatever an answer may be: nothing is raised, and no number is invented."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ramp_tracing._normalizers import (
    CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    IMAGES,
    JOBS,
    RESPONSES,
    SPEECH,
    TRANSCRIPTIONS,
    WireFormat,
    as_count,
    error_in,
    has_usage,
)
from ramp_tracing._record import Outcome, Usage

FORMATS: Final = {
    "chat": CHAT,
    "completions": COMPLETIONS,
    "responses": RESPONSES,
    "embeddings": EMBEDDINGS,
    "images": IMAGES,
    "transcriptions": TRANSCRIPTIONS,
    "speech": SPEECH,
    "jobs": JOBS,
}

NAMES: Final = (
    "action", "arguments", "audio", "b64_json", "background", "choices", "code", "content", "created", "data", "delta",
    "detail", "error", "errors", "finish_reason", "function", "function_call", "id", "incomplete_details", "index",
    "message", "model", "name", "object", "output", "provider", "reasoning", "reason", "refusal", "response",
    "service_tier", "status", "summary", "text", "tool_calls", "transcript", "type",
)  # fmt: skip
"""Keys of answers, without those under which numbers of use are told."""

TOTALS: Final = ("prompt_tokens", "input_tokens", "completion_tokens", "output_tokens", "total_tokens")
DETAILS: Final = ("prompt_tokens_details", "input_tokens_details", "completion_tokens_details", "output_tokens_details")
PARTS: Final = ("cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens")
"""Without those that are added to a total where they are not in it: reasoning, and Anthropic's names."""

USE: Final = (*TOTALS, *DETAILS, *PARTS, "cost", "seconds", "reasoning_tokens", "cache_read_input_tokens",
              "cache_creation_input_tokens", "cost_details", "upstream_inference_cost", "is_byok", "total_cost",
              "cost_in_usd_ticks", "pydantic_ai_gateway", "cost_estimate", "prompt_audio_seconds")  # fmt: skip

KINDS: Final = (
    "message", "reasoning", "function_call", "web_search_call", "error", "queued", "failed", "duration",
    "response.created", "response.completed", "response.failed", "response.output_text.delta", "transcript.text.done",
)  # fmt: skip

numbers = st.integers() | st.floats() | st.decimals() | st.sampled_from([2**63, 10**400, -1, 1e308])
scalars = st.none() | st.booleans() | numbers | st.text(max_size=4) | st.sampled_from(KINDS) | st.binary(max_size=4)


def trees(*names: str) -> st.SearchStrategy[Any]:
    """JSON-like values whose keys are *names*, most of them."""
    keys = st.sampled_from(names) | st.text(max_size=3)
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6),
        max_leaves=16,
    )


answers = trees(*NAMES, "usage", "x_groq", "duration", *USE)
without_use = trees(*NAMES)
details = st.dictionaries(st.sampled_from(PARTS), scalars)
whole_usage = st.fixed_dictionaries({}, optional=dict.fromkeys(TOTALS, scalars) | dict.fromkeys(DETAILS, details))

every_format = pytest.mark.parametrize("wire", FORMATS.values(), ids=FORMATS.keys())
few = settings(max_examples=40, deadline=None)


@every_format
@few
@given(answer=answers)
def test_whole_answers(wire: WireFormat, answer: object) -> None:
    """Whatever an answer is, it is read."""
    assert isinstance(wire.read(answer), Outcome)
    assert error_in(answer) is None or error_in(answer)
    assert has_usage(answer) in (True, False)


@every_format
@few
@given(events=st.lists(answers, max_size=6), choices=st.integers(1, 3), keeps_content=st.booleans())
def test_streams(wire: WireFormat, events: list[object], choices: int, keeps_content: bool) -> None:
    """Whatever the events of a stream are, they are folded, and what is known can be asked for at any time."""
    accumulator = wire.accumulator(choices, keeps_content)
    for event in events:
        assert accumulator.add(event) in (True, False)
        assert accumulator.all_finished in (True, False)
        assert isinstance(accumulator.outcome(), Outcome)


@every_format
@few
@given(body=st.dictionaries(st.text(max_size=3) | st.sampled_from(["input", "messages", "instructions"]), answers))
def test_requests(wire: WireFormat, body: Mapping[str, object]) -> None:
    """Whatever a request is, its content is found or there is none."""
    wire.content(body)


@every_format
@few
@given(answer=without_use)
def test_nothing_is_invented(wire: WireFormat, answer: object) -> None:
    """Without usage nothing is known of it, neither counts nor a price; only what was made is counted by us."""
    outcome = wire.read(answer)
    assert (Usage(), None) == (replace(outcome.usage, hosted_tool_calls={}, images=None), outcome.cost)


@every_format
@few
@given(events=st.lists(without_use, max_size=6))
def test_nothing_is_invented_of_streams(wire: WireFormat, events: list[object]) -> None:
    """The same holds for streams."""
    accumulator = wire.accumulator(1, True)
    for event in events:
        accumulator.add(event)
    outcome = accumulator.outcome()
    assert (Usage(), None) == (replace(outcome.usage, hosted_tool_calls={}, images=None), outcome.cost)


@few
@given(usage=whole_usage)
def test_counts_are_those_of_the_answer(usage: Mapping[str, object]) -> None:
    """Every count is one that stands in the answer."""
    read = EMBEDDINGS.read({"usage": usage}).usage
    told = {as_count(leaf) for leaf in _leaves(usage)}
    assert {getattr(read, name) for name in Usage.__slots__ if name.endswith("_tokens")} <= told | {None}


@few
@given(cost=st.decimals(0, 10**6, places=10), upstream=st.decimals(0, 10**6, places=10))
def test_own_keys_add_up(cost: Decimal, upstream: Decimal) -> None:
    """With the user's own key the price is the fee and the provider's charge, to the last digit."""
    usage = {"cost": cost, "is_byok": True, "cost_details": {"upstream_inference_cost": upstream}}
    read = EMBEDDINGS.read({"usage": usage}).cost
    assert read is not None
    assert cost + upstream == read.total


def _leaves(value: object) -> list[object]:
    return [leaf for each in value.values() for leaf in _leaves(each)] if isinstance(value, Mapping) else [value]
