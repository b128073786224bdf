"""The part of LangChain's answers that is no content says of them what the whole says."""

from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ramp_tracing._normalizers import _langchain_lean
from ramp_tracing._normalizers._langchain import read_langchain
from ramp_tracing._normalizers._langchain_lean import MAX_KNOWN, lean_langchain

SAID: Final = {
    "input_tokens": 170,
    "output_tokens": 30,
    "total_tokens": 200,
    "input_token_details": {"cache_read": 100, "audio": 0},
    "output_token_details": {"reasoning": 12},
}
OPENAI: Final = {
    "token_usage": {
        "prompt_tokens": 170,
        "completion_tokens": 30,
        "total_tokens": 200,
        "prompt_tokens_details": {"cached_tokens": 100, "audio_tokens": None},
    },
    "model_provider": "openai",
    "model_name": "gpt-4o-2024-08-06",
    "system_fingerprint": "fp_1",
    "id": "chatcmpl-Bx1234567890",
    "service_tier": "default",
    "finish_reason": "stop",
    "logprobs": None,
}
ANTHROPIC: Final = {
    "id": "msg_013Zva2CMHLNnXjNJJKqJ2EF",
    "model": "claude-sonnet-4-5-20250929",
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "cache_creation": {"ephemeral_1h_input_tokens": 0},
        "input_tokens": 170,
        "output_tokens": 30,
        "server_tool_use": None,
        "service_tier": "priority",
        "inference_geo": "us",
    },
    "model_name": "claude-sonnet-4-5-20250929",
}
CALL: Final = {"name": "look_up", "args": {"words": ["x"]}, "id": "call_1", "type": "tool_call"}
BLOCKS: Final = [{"type": "text", "text": "Hm."}, {"type": "tool_use", "id": "t", "name": "look_up", "input": {}}]


def result(metadata: Any = OPENAI, *, info: Any = None, output: Any = None, **message: Any) -> Any:
    """An ``LLMResult``, of which only the members are looked at."""
    members = {
        "content": "Hello.", "additional_kwargs": {"refusal": None}, "response_metadata": metadata, "type": "ai",
        "id": "lc_run--1", "tool_calls": [], "usage_metadata": SAID, **message,
    }  # fmt: skip
    answer = SimpleNamespace(message=SimpleNamespace(**members), generation_info=info, text="Hello.")
    return deepcopy(SimpleNamespace(generations=[[answer]], llm_output=output))


def says_the_same(told: Any) -> bool:
    """Whether there is a lean part; and what it says is compared, whatever the application does to the answer later."""
    before = read_langchain(told)
    lean = lean_langchain(told)
    if lean is None:
        return False
    [[answer]] = told.generations
    answer.message.__dict__.update(content="changed", tool_calls=[], usage_metadata={}, response_metadata={})
    assert read_langchain(lean.restored()) == before
    alone = read_langchain(orjson.loads(lean.answer))
    assert replace(alone, output=None) == replace(before, output=None)
    assert lean.response_id == before.response_id
    return True


@pytest.mark.parametrize(
    "told",
    [
        result(),
        result(info={"finish_reason": "stop", "logprobs": None}),
        result({"model_name": "gpt-4o"}, info={"finish_reason": "length"}, id="chatcmpl-Bx1234567890"),
        result(output={"token_usage": OPENAI["token_usage"], "model_name": "gpt-4o"}),
        result(ANTHROPIC),
        result(ANTHROPIC, content=BLOCKS, tool_calls=[CALL]),
        result(content="", tool_calls=[CALL, CALL]),
        result(additional_kwargs={"reasoning_content": "Let me see."}),
        result(additional_kwargs={"reasoning": {"summary": [{"text": "Let me see."}]}}),
        result({"model_name": "m", "ResponseMetadata": {"x": object()}, "stopReason": "end_turn"}),
    ],
)
def test_ordinary_answers_have_a_lean_part(told: Any) -> None:
    """Otherwise it would be for nothing; each a second time, when its like has been seen."""
    assert says_the_same(deepcopy(told))
    assert says_the_same(told)


@pytest.mark.parametrize(
    "told",
    [
        None,
        {"generations": []},
        SimpleNamespace(generations=[], llm_output=None),
        SimpleNamespace(generations=[result().generations[0] * 2], llm_output=None),
        result(usage_metadata=None),
        result(usage_metadata={"input_tokens": 0, "output_tokens": 5, "total_tokens": 5}),
        result(usage_metadata={**SAID, "input_tokens": True}),
        result(usage_metadata={**SAID, "input_tokens": 2**64}),
        result(usage_metadata={**SAID, "output_tokens": 2**64}),
        result(usage_metadata={**SAID, "total_cost": 0}),
        result(usage_metadata={**SAID, "said": "something"}),
        result({**OPENAI, "cost": 0.25}),
        result({**OPENAI, "response_cost": 0.25}),
        result({**OPENAI, "finish_reason": ["stop"]}),
        result({**OPENAI, "model_name": "m" * 300}),
        result({**OPENAI, "token_usage": {"cost": 0.25}}),
        result({**OPENAI, "token_usage": {"num_sources_used": 2}}),
        result({**OPENAI, "token_usage": SimpleNamespace(cost=0.25)}),
        result({**ANTHROPIC, "usage": {"server_tool_use": {"web_search_requests": 1}}}),
        result({**ANTHROPIC, "usage": {"iterations": [{"type": "message", "input_tokens": 1}]}}),
        result({}, output={"model_name": "gpt-4o"}),
        result(content=[{"type": "server_tool_use", "name": "web_search"}]),
        result(content=["text"]),
        result(additional_kwargs={"tool_outputs": [{"type": "web_search_call"}]}),
    ],
)
def test_unusual_answers_have_none(told: Any) -> None:
    """They are read at once."""
    assert not says_the_same(told) if told is not None else lean_langchain(told) is None


VALUE = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2**65), st.floats(allow_nan=False),
    st.sampled_from(["", "a", "stop", "run-1", "priority", "global", '"}', "ä"]),
)  # fmt: skip
COUNTS = st.one_of(st.integers(0, 9), VALUE)
NAMES = st.sampled_from(
    [
        *OPENAI,
        *ANTHROPIC,
        "usage",
        "cost",
        "cost_details",
        "response_cost",
        "status",
        "model_id",
        "native_finish_reason",
    ]
)
RAW = st.dictionaries(
    st.sampled_from([*OPENAI["token_usage"], *ANTHROPIC["usage"], "cost", "speed", "iterations", "num_sources_used"]),  # type: ignore[misc]
    st.one_of(COUNTS, st.dictionaries(st.sampled_from(["web_search_requests", "a"]), COUNTS, max_size=2)),
    max_size=4,
)
DETAILS = st.dictionaries(
    st.sampled_from(["cache_read", "cache_creation", "ephemeral_5m_input_tokens", "priority_cache_read", "audio"]),
    COUNTS,
    max_size=3,
)
USAGE = st.fixed_dictionaries(
    {"input_tokens": st.one_of(st.integers(1, 9), VALUE)},
    optional={
        "output_tokens": COUNTS, "total_tokens": COUNTS, "input_token_details": st.one_of(DETAILS, VALUE),
        "output_token_details": DETAILS, "total_cost": COUNTS,
    },
)  # fmt: skip
BLOCK = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "tool_use", "web_search_call", "server_tool_use"])},
    optional={"name": st.sampled_from(["web_search", "look_up"]), "text": VALUE},
)


MESSAGE = st.fixed_dictionaries({
    "usage_metadata": USAGE,
    "content": st.one_of(st.text(max_size=3), st.lists(BLOCK, max_size=2), st.none()),
    "additional_kwargs": st.dictionaries(
        st.sampled_from(["refusal", "reasoning_content", "reasoning", "tool_outputs"]), VALUE
    ),
    "tool_calls": st.lists(st.just(CALL), max_size=2),
    "id": VALUE,
})  # fmt: skip


@settings(deadline=None)
@given(
    metadata=st.dictionaries(NAMES, VALUE, max_size=5),
    raw=st.one_of(st.none(), RAW),
    where=st.sampled_from(["token_usage", "usage"]),
    info=st.one_of(st.none(), st.dictionaries(NAMES, VALUE, max_size=2)),
    output=st.one_of(st.none(), st.dictionaries(NAMES, st.one_of(VALUE, RAW), max_size=2)),
    message=MESSAGE,
)
def test_two_roads_lead_to_one_answer(metadata: Any, raw: Any, where: str, message: Any, **beside: Any) -> None:
    """Whatever is in an answer, its lean part says what reading it at once says, or there is none."""
    if raw is not None:
        metadata[where] = raw
    says_the_same(result(metadata, **beside, **message))


def test_what_is_remembered_is_bounded() -> None:
    """A server may make names up."""
    for number in range(MAX_KNOWN + 10):
        assert says_the_same(result({**OPENAI, "model_name": f"m-{number}", f"x-{number}": None}))
        assert says_the_same(result(OPENAI, usage_metadata={**SAID, "x" * number: 1}))
    kept = _langchain_lean._known_forms, _langchain_lean._known_names, _langchain_lean._known_usages
    assert all(0 < len(each) <= MAX_KNOWN for each in kept)
