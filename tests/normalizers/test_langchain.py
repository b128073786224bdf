"""What LangChain tells of a model's answer, and of a model before it is asked."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ramp_tracing._capture import snapshot
from ramp_tracing._normalizers import langchain_attribution
from ramp_tracing._normalizers._langchain import any_usage, is_free, langchain_messages, read_langchain, usual_usage
from ramp_tracing._normalizers._langchain_models import read_model
from ramp_tracing._record import NOBODY, NOTHING_READ, Attribution, Cost, Usage
from ramp_tracing.integrations._langchain_asked import conversation, written_out

SAID = {
    "input_tokens": 170,
    "output_tokens": 30,
    "total_tokens": 200,
    "input_token_details": {"cache_read": 100, "cache_creation": 50, "audio": 3},
    "output_token_details": {"reasoning": 12, "audio": 4},
}


def result(output: Any = None, info: Any = None, **message: Any) -> Any:
    """An ``LLMResult`` with one answer."""
    message = {"content": "Hello.", "type": "ai", **message}
    return {"generations": [[{"text": "Hello.", "message": message, "generation_info": info}]], "llm_output": output}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            result(usage_metadata=SAID),
            Usage(
                input_tokens=170,
                output_tokens=30,
                total_tokens=200,
                cache_read_tokens=100,
                cache_write_tokens=50,
                reasoning_tokens=12,
                input_audio_tokens=3,
                output_audio_tokens=4,
            ),
        ),
        (
            result(
                usage_metadata={
                    "input_tokens": 90,
                    "output_tokens": 1,
                    "total_tokens": 91,
                    "input_token_details": {
                        "cache_creation": 0,
                        "ephemeral_5m_input_tokens": 40,
                        "ephemeral_1h_input_tokens": 30,
                    },
                }
            ),
            Usage(
                input_tokens=90,
                output_tokens=1,
                total_tokens=91,
                cache_write_tokens=70,
                cache_write_5m_tokens=40,
                cache_write_1h_tokens=30,
            ),
        ),
        (
            result(
                usage_metadata={
                    "input_tokens": 90,
                    "output_tokens": 9,
                    "total_tokens": 99,
                    "input_token_details": {"priority_cache_read": 40, "priority": 50},
                    "output_token_details": {"priority_reasoning": 4, "priority": 5},
                }
            ),
            Usage(input_tokens=90, output_tokens=9, total_tokens=99, cache_read_tokens=40, reasoning_tokens=4),
        ),
        (
            result(
                usage_metadata={"input_tokens": 20, "output_tokens": 5, "total_tokens": 25},
                response_metadata={
                    "usage": {
                        "input_tokens": 20,
                        "output_tokens": 5,
                        "iterations": [{"type": "compaction", "input_tokens": 100, "output_tokens": 30}],
                    }
                },
            ),
            Usage(input_tokens=120, output_tokens=35),
        ),
        (
            result(response_metadata={"token_usage": {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}}),
            Usage(input_tokens=8, output_tokens=2, total_tokens=10),
        ),
        (
            result(response_metadata={"usage": {"input_tokens": 20, "output_tokens": 5, "cache_read_input_tokens": 9}}),
            Usage(input_tokens=29, output_tokens=5, cache_read_tokens=9),
        ),
        (
            result(output={"token_usage": {"prompt_tokens": 3, "completion_tokens": 4}}),
            Usage(input_tokens=3, output_tokens=4),
        ),
        (result(output={"token_usage": {}}), Usage()),
        (result(), Usage()),
        (result(usage_metadata={"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}), Usage()),
        (result(usage_metadata={"input_tokens": 0, "output_tokens": 7, "total_tokens": 7}), Usage(output_tokens=7)),
        (result(usage_metadata={"input_tokens": 5, "output_tokens": 0}), Usage(input_tokens=5, output_tokens=0)),
        (result(output={"usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}}), Usage()),
        (
            result(response_metadata={"usage": {"prompt_tokens": 0, "completion_tokens": 7, "total_tokens": 7}}),
            Usage(output_tokens=7),
        ),
        (
            result(info={"done": True, "done_reason": "stop", "prompt_eval_count": 12, "eval_count": 3}),
            Usage(input_tokens=12, output_tokens=3),
        ),
    ],
    ids=[
        "message",
        "writes-by-lifetime",
        "parts-by-tier",
        "compaction",
        "raw",
        "anthropic-raw",
        "completions",
        "second-prompt",
        "unknown",
        "zeros",
        "no-input",
        "no-output",
        "raw-zeros",
        "raw-no-input",
        "ollama-completion",
    ],
)
def test_usage_comes_from_the_best_place(told: Any, expected: Usage) -> None:
    """The message's own counts, else what the provider sent, else what was told beside; never a made-up 0."""
    assert expected == read_langchain(told).usage


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"cost": 0.00123}, Cost(total=Decimal("0.00123"), source="provider")),
        (
            {"cost": 0.002, "cost_details": {"upstream_inference_cost": 0.002}},
            Cost(total=Decimal("0.002"), source="provider"),
        ),
        ({"cost": 0.0001, "cost_details": {"upstream_inference_cost": 0.002}}, None),
        ({"token_usage": {"cost": 0.5}}, Cost(total=Decimal("0.5"), source="provider")),
        ({"response_cost": 0.25}, Cost(total=Decimal("0.25"), source="gateway")),
        ({"response_cost": 0.0}, None),
        ({}, None),
    ],
    ids=["openrouter", "openrouter-key", "own-key", "raw", "litellm", "litellm-unknown", "nobody"],
)
def test_cost_is_what_somebody_says(metadata: Any, expected: Cost | None) -> None:
    """A fee without what the provider charges besides is no cost, and LiteLLM's 0 is none either."""
    assert expected == read_langchain(result(response_metadata=metadata)).cost


def test_an_answer_from_the_cache_is_free_and_keeps_its_counts() -> None:
    """LangChain marks it by a price of 0 in the usage."""
    told = result(usage_metadata={**SAID, "total_cost": 0})
    outcome = read_langchain(told)
    assert (True, False) == (is_free(outcome), is_free(read_langchain(result(usage_metadata=SAID))))
    assert (outcome.cost, outcome.usage.input_tokens) == (Cost(total=Decimal(0), source="gateway"), 170)


def test_everything_else_of_an_answer() -> None:
    """Id, model, finish reasons, tier, and the answer in the form in which it is sent."""
    metadata = {"id": "gen-17", "model_name": "gpt-4o", "finish_reason": "stop", "service_tier": "flex"}
    calls = [{"name": "look", "args": {"q": "x"}, "id": "call_1"}]
    outcome = read_langchain(result(response_metadata=metadata, tool_calls=calls, id="lc_run--1"))
    assert (outcome.response_id, outcome.response_model) == ("gen-17", "gpt-4o")
    assert (outcome.finish_reasons, outcome.service_tier) == (("stop",), "flex")
    assert outcome.output == {
        "completion": "Hello.",
        "reasoning": None,
        "toolCalls": [{"id": "call_1", "type": "function", "function": {"name": "look", "arguments": {"q": "x"}}}],
    }


@pytest.mark.parametrize(("given", "expected"), [("msg_1", "msg_1"), ("lc_run--9", None), ("run--9", None)])
def test_ids_of_langchains_own_are_no_response_ids(given: str, expected: str | None) -> None:
    """A stream's message has one where the provider gave none."""
    assert expected == read_langchain(result(id=given)).response_id


@pytest.mark.parametrize("told", [None, {}, {"generations": []}, {"generations": [[]]}, "text", 7])
def test_nothing_is_read_from_nothing(told: Any) -> None:
    """An error's result is often empty."""
    assert NOTHING_READ == read_langchain(told)


def test_searches_of_anthropics_are_counted() -> None:
    """They are billed one by one."""
    raw = {"input_tokens": 1, "output_tokens": 2, "server_tool_use": {"web_search_requests": 3}}
    told = result(usage_metadata={"input_tokens": 1, "output_tokens": 2}, response_metadata={"usage": raw})
    assert {"web_search_call": 3} == read_langchain(told).usage.hosted_tool_calls


SEARCH = {"type": "web_search_call", "id": "ws_1", "action": {"type": "search"}, "status": "completed"}
OPENED = {**SEARCH, "id": "ws_2", "action": {"type": "open_page"}}


@pytest.mark.parametrize(
    ("message", "tools", "expected"),
    [
        ({"content": [SEARCH, OPENED, {"type": "text", "text": "Hello."}]}, None, {"web_search_call": 1}),
        ({"content": [SEARCH]}, [{"type": "web_search_preview"}], {"web_search_preview_call": 1}),
        ({"additional_kwargs": {"tool_outputs": [SEARCH]}}, None, {"web_search_call": 1}),
        ({"content": [{"type": "server_tool_call", "name": "file_search"}]}, None, {"file_search_call": 1}),
        ({"content": [{"type": "server_tool_use", "name": "code_execution"}]}, None, {"code_execution_call": 1}),
        ({"content": [{"type": "server_tool_use", "name": "tool_search"}, "text"]}, None, {}),
    ],
)
def test_hosted_tools_that_an_answer_shows_are_counted(message: Any, tools: Any, expected: Any) -> None:
    """They are billed beside the tokens, and nothing else of what LangChain hands on says so."""
    told = result(usage_metadata={"input_tokens": 1, "output_tokens": 2}, **message)
    assert expected == read_langchain(told, tools).usage.hosted_tool_calls


def test_an_adviser_of_anthropics_has_a_price_of_its_own() -> None:
    """So that a cost of the answer's tokens alone is not taken for the whole."""
    raw = {"input_tokens": 1, "output_tokens": 2, "iterations": [{"type": "message"}, {"type": "advisor_message"}]}
    told = result(usage_metadata={"input_tokens": 1, "output_tokens": 2}, response_metadata={"usage": raw})
    assert {"advisor_message": 1} == read_langchain(told).usage.hosted_tool_calls


def test_the_terms_of_anthropics_answers() -> None:
    """They are in its usage, and raise the price."""
    raw = {"input_tokens": 1, "output_tokens": 2, "service_tier": "standard", "speed": "fast", "inference_geo": "us"}
    outcome = read_langchain(result(response_metadata={"usage": raw}))
    assert (outcome.service_tier, outcome.inference_geo) == ("fast", "us")


def test_messages_in_the_usual_form() -> None:
    """Roles, tool calls and their answers."""
    conversation = [
        {"type": "system", "content": "Be brief."},
        {"type": "human", "content": "Hi"},
        {"type": "ai", "content": "", "tool_calls": [{"name": "look", "args": {}, "id": "c"}]},
        {"type": "tool", "content": "42", "tool_call_id": "c"},
        {"type": "chat", "role": "critic", "content": "Hm."},
    ]
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": {}}}
    assert langchain_messages(conversation) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "42", "tool_call_id": "c"},
        {"role": "critic", "content": "Hm."},
    ]


def test_metadata_and_tags_say_who_a_run_is_for() -> None:
    """What LangChain and LangGraph add is left out, and so are tags that only say where in a chain a run stands."""
    metadata = {
        "user_id": 7,
        "thread_id": UUID(int=1),
        "trace_name": "Nightly",
        "cost_center": "CC-1",
        "ls_provider": "openai",
        "lc_versions": {},
        "langgraph_node": "model",
        "checkpoint_ns": "x",
        "langfuse_tags": ["b"],
        "__pregel": 1,
        "nothing": None,
    }
    assert langchain_attribution(metadata, ["a", "seq:step:1", "graph:step:2", "langsmith:hidden", "a"]) == Attribution(
        user="7",
        session_id=str(UUID(int=1)),
        trace_name="Nightly",
        metadata={"cost_center": "CC-1", "tags": ["a", "b"]},
    )
    assert langchain_attribution({"ls_provider": "x"}, ["seq:step:1"]) is NOBODY


@pytest.mark.parametrize(
    ("word", "model", "expected"),
    [
        ("anthropic-bedrock", "us.anthropic.claude-x", ("aws.bedrock", "us.anthropic.claude-x")),
        ("azure", "d", ("azure.ai.openai", "d")),
        ("google_genai", "gemini-2.5-flash", ("gcp.gemini", "gemini-2.5-flash")),
        ("anthropic", "claude-sonnet-4-5", ("anthropic", "claude-sonnet-4-5")),
        ("litellm", "mistral/mistral-small", ("mistral_ai", "mistral-small")),
        ("litellm", "gpt-4o", (None, "gpt-4o")),
        (None, "m", (None, "m")),
    ],
)
def test_who_is_asked(word: str | None, model: str, expected: tuple[str | None, str]) -> None:
    """LangChain's words for providers become ours; behind LiteLLM the model's name says who."""
    read = read_model({}, {"model": model, "temperature": 0.5, "n": True}, {"ls_provider": word})
    assert (read.provider, read.model, read.parameters) == (*expected, {"temperature": 0.5})


def test_where_it_is_asked() -> None:
    """The address that the model was given, whatever its class calls that."""
    given = read_model({"kwargs": {"anthropic_api_url": "http://proxy:1"}}, {}, {"ls_model_name": "m"})
    assert (given.base_url, given.model) == ("http://proxy:1", "m")


COUNTS = st.integers(0, 3) | st.none() | st.sampled_from((2**63, -1, True, 7.0, "8"))
DETAILS = st.none() | st.dictionaries(
    st.sampled_from(
        (
            *("audio", "cache_creation", "cache_read", "ephemeral_1h_input_tokens", "ephemeral_5m_input_tokens"),
            *("flex_audio", "priority", "priority_cache_read", "priority_reasoning", "reasoning"),
        )
    ),
    COUNTS,
)
TOTALS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("input_tokens", "output_tokens", "total_tokens"), COUNTS),
        "input_token_details": DETAILS,
        "output_token_details": DETAILS,
    },
)


@given(TOTALS)
def test_the_quick_look_at_counts_says_what_the_close_one_says(said: Any) -> None:
    """What one of them takes for usual, the other reads alike."""
    quick = usual_usage(said, {"web_search_call": 1})
    assert quick in (None, any_usage(said, None, {"web_search_call": 1}))


def test_ordinary_counts_are_read_quickly() -> None:
    """Otherwise the quick look would be for nothing."""
    assert usual_usage(SAID, {}) == any_usage(SAID, None, {})


SAYABLE = st.text("ab", max_size=3) | st.none() | st.lists(st.text("ab", max_size=2), max_size=2) | st.integers()
KIND = st.sampled_from(("human", "system", "ai", "AIMessageChunk", "tool", "chat", "odd")) | st.none()


@given(
    st.lists(
        st.fixed_dictionaries({"type": KIND, "content": SAYABLE}, optional={"tool_call_id": SAYABLE, "role": SAYABLE}),
        max_size=3,
    ),
    st.booleans(),
)
def test_a_conversation_is_kept_as_a_snapshot_would_keep_it(messages: Any, are_objects: bool) -> None:
    """Without copying what is nothing but a text, and reckoned alike."""
    told = [SimpleNamespace(**each) for each in messages] if are_objects else messages
    kept, size_bytes = conversation(told)
    assert (written_out(kept), size_bytes) == snapshot({"messages": langchain_messages(told)})


def test_what_a_tool_was_called_with_is_kept_from_changes() -> None:
    """It is the application's, and deep in a conversation."""
    words = ["x"]
    call = {"name": "look_up", "args": {"words": words}, "id": "call_1"}
    kept, _ = conversation([{"type": "ai", "content": "", "tool_calls": [call]}])
    words[0] = "changed"
    assert "changed" not in repr(kept)
