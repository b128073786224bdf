"""Usage of other APIs than OpenAI's, where their answers come by; payloads by hand after their documentation."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ramp_tracing._normalizers import CHAT, EMBEDDINGS, RESPONSES, has_usage
from ramp_tracing._normalizers._native_usage import LOOSE, PLACES, usage_in
from ramp_tracing._normalizers._reading import dig
from ramp_tracing._record import Cost, Outcome, Usage

from .cases import Case, fold

ANSWERS: Final[Mapping[str, tuple[Any, Usage]]] = {
    "Anthropic: cache writes by how long they live, tools, thinking": (
        {
            "usage": {
                "input_tokens": 21, "output_tokens": 300, "cache_read_input_tokens": 1000,
                "cache_creation_input_tokens": 700,
                "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 500},
                "output_tokens_details": {"thinking_tokens": 53},
                "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
            }
        },
        Usage(
            input_tokens=1721, output_tokens=300, cache_read_tokens=1000, cache_write_tokens=700,
            cache_write_5m_tokens=200, cache_write_1h_tokens=500, reasoning_tokens=53,
            hosted_tool_calls={"web_search_call": 2, "web_fetch_call": 1},
        ),
    ),
    "Anthropic: the compaction is billed and not in the totals; an advisor is another model": (
        {
            "usage": {
                "input_tokens": 229, "output_tokens": 5, "cache_read_input_tokens": 0,
                "cache_creation_input_tokens": 0,
                "iterations": [
                    {"type": "compaction", "input_tokens": 100, "output_tokens": 80,
                     "cache_creation_input_tokens": 55096, "cache_read_input_tokens": 0,
                     "cache_creation": {"ephemeral_5m_input_tokens": 55096, "ephemeral_1h_input_tokens": 0}},
                    {"type": "message", "input_tokens": 229, "output_tokens": 5},
                    {"type": "advisor_message", "model": "claude-opus-4-8", "input_tokens": 9, "output_tokens": 9},
                ],
            }
        },
        Usage(
            input_tokens=55425, output_tokens=85, cache_read_tokens=0, cache_write_tokens=55096,
            cache_write_5m_tokens=55096, cache_write_1h_tokens=0, hosted_tool_calls={"advisor_message": 1},
        ),
    ),
    "Bedrock Converse: reads and writes go apart, some names are there twice": (
        {
            "usage": {
                "inputTokens": 8, "outputTokens": 10, "totalTokens": 7369, "cacheReadInputTokens": 0,
                "cacheReadInputTokenCount": 0, "cacheWriteInputTokens": 7351, "cacheWriteInputTokenCount": 7351,
                "cacheDetails": [{"ttl": "5m", "inputTokens": 7000}, {"ttl": "1h", "inputTokens": 351}],
                "serverToolUsage": {},
            }
        },
        Usage(
            input_tokens=7359, output_tokens=10, total_tokens=7369, cache_read_tokens=0, cache_write_tokens=7351,
            cache_write_5m_tokens=7000, cache_write_1h_tokens=351,
        ),
    ),
    "Bedrock, last message of a stream": (
        {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 5, "outputTokenCount": 10, "firstByteLatency": 58}},
        Usage(input_tokens=5, output_tokens=10),
    ),
    "Gemini: thoughts and prompts of tools go apart": (
        {
            "usageMetadata": {
                "promptTokenCount": 35, "candidatesTokenCount": 12, "thoughtsTokenCount": 62, "totalTokenCount": 682,
                "toolUsePromptTokenCount": 573, "cachedContentTokenCount": 20, "serviceTier": "standard",
                "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 5}, {"modality": 2, "tokenCount": 30}],
                "cacheTokensDetails": [{"modality": "IMAGE", "tokenCount": 20}],
                "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 12}],
            }
        },
        Usage(
            input_tokens=608, output_tokens=74, total_tokens=682, cache_read_tokens=20, reasoning_tokens=62,
            input_image_tokens=30, cached_image_tokens=20, output_audio_tokens=12,
        ),
    ),
    "Gemini that only thought": (
        {"usageMetadata": {"promptTokenCount": 8, "thoughtsTokenCount": 207, "totalTokenCount": 215}},
        Usage(input_tokens=8, output_tokens=207, total_tokens=215, reasoning_tokens=207),
    ),
    "Cohere's first API": (
        {"meta": {"billed_units": {"input_tokens": 7, "output_tokens": 109, "search_units": 1},
                  "tokens": {"input_tokens": 69, "output_tokens": 110}, "cached_tokens": 48}},
        Usage(input_tokens=69, output_tokens=109, cache_read_tokens=48, hosted_tool_calls={"rerank_search": 1}),
    ),
    "Cohere bills less than its model saw": (
        {"usage": {"billed_units": {"input_tokens": 7, "output_tokens": 88},
                   "tokens": {"input_tokens": 69, "output_tokens": 89}}},
        Usage(input_tokens=7, output_tokens=88),
    ),
    "Cohere's thoughts, if they are not in what is billed": (
        {"usage": {"billed_units": {"input_tokens": 7, "output_tokens": 20},
                   "tokens": {"input_tokens": 69, "output_tokens": 48, "reasoning_tokens": 28}}},
        Usage(input_tokens=7, output_tokens=48, reasoning_tokens=28),
    ),
    "Qwen: a prompt that was written to the cache": (
        {
            "usage": {
                "prompt_tokens": 1000, "completion_tokens": 5, "total_tokens": 1005,
                "prompt_tokens_details": {
                    "cached_tokens": 0, "cache_type": "ephemeral", "cache_creation_input_tokens": 900,
                    "cache_creation": {"ephemeral_5m_input_tokens": 900},
                },
            }
        },
        Usage(
            input_tokens=1000, output_tokens=5, total_tokens=1005, cache_read_tokens=0, cache_write_tokens=900,
            cache_write_5m_tokens=900,
        ),
    ),
    "OpenAI: how long its cache keeps what was written": (
        {
            "usage": {
                "input_tokens": 1000, "output_tokens": 5, "total_tokens": 1005,
                "input_tokens_details": {
                    "cached_tokens": 0, "cache_write_tokens": 900,
                    "cache_write_tokens_details": {"ttl_30m_tokens": 200, "ttl_12h_tokens": 700},
                },
            }
        },
        Usage(
            input_tokens=1000, output_tokens=5, total_tokens=1005, cache_read_tokens=0, cache_write_tokens=900,
            cache_write_12h_tokens=700,
        ),
    ),
    "OpenAI: half an hour is the usual": (
        {
            "usage": {
                "input_tokens": 1000, "output_tokens": 5, "total_tokens": 1005,
                "input_tokens_details": {
                    "cached_tokens": 0, "cache_write_tokens": 900,
                    "cache_write_tokens_details": {"ttl_30m_tokens": 900, "ttl_12h_tokens": 0},
                },
            }
        },
        Usage(input_tokens=1000, output_tokens=5, total_tokens=1005, cache_read_tokens=0, cache_write_tokens=900),
    ),
    "SGLang: thoughts beside the totals, and in them": (
        {"usage": {"prompt_tokens": 10, "completion_tokens": 50, "total_tokens": 60, "reasoning_tokens": 30}},
        Usage(input_tokens=10, output_tokens=50, total_tokens=60, reasoning_tokens=30),
    ),
    "Perplexity: thoughts beside the output": (
        {
            "usage": {
                "prompt_tokens": 33, "completion_tokens": 11395, "total_tokens": 11428, "citation_tokens": 51095,
                "num_search_queries": 18, "reasoning_tokens": 9000,
            }
        },
        Usage(input_tokens=33, output_tokens=20395, total_tokens=11428, reasoning_tokens=9000),
    ),
    "Cohere's stream": (
        {"type": "message-end", "delta": {"usage": {"billed_units": {"input_tokens": 7, "output_tokens": 88}}}},
        Usage(input_tokens=7, output_tokens=88),
    ),
    "Ollama": (
        {"model": "qwen3", "prompt_eval_count": 21, "eval_count": 369, "total_duration": 3699126583},
        Usage(input_tokens=21, output_tokens=369),
    ),
    "Ollama with the prompt in its cache": ({"eval_count": 369}, Usage(output_tokens=369)),
    "Titan: floats, and one count for each result": (
        {"inputTextTokenCount": 5.0, "results": [{"tokenCount": 10.0}, {"tokenCount": 7}]},
        Usage(input_tokens=5, output_tokens=17),
    ),
    "Realtime: cached sound": (
        {
            "usage": {
                "total_tokens": 253, "input_tokens": 132, "output_tokens": 121,
                "input_token_details": {
                    "text_tokens": 119, "audio_tokens": 13, "image_tokens": 0, "cached_tokens": 64,
                    "cached_tokens_details": {"text_tokens": 56, "audio_tokens": 8, "image_tokens": 0},
                },
                "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
            }
        },
        Usage(
            input_tokens=132, output_tokens=121, total_tokens=253, cache_read_tokens=64, input_audio_tokens=13,
            input_image_tokens=0, output_audio_tokens=91, cached_audio_tokens=8, cached_image_tokens=0,
        ),
    ),
    "xAI: calls of tools on its servers": (
        {
            "usage": {
                "input_tokens": 202, "output_tokens": 205, "total_tokens": 407, "num_sources_used": 0,
                "num_server_side_tools_used": 2,
                "server_side_tool_usage_details": {"web_search_calls": 2, "x_search_calls": 0, "mcp_calls": 0},
            }
        },
        Usage(input_tokens=202, output_tokens=205, total_tokens=407, hosted_tool_calls={"web_search_call": 2}),
    ),
    "xAI: tools that nobody names": (
        {"usage": {"input_tokens": 202, "output_tokens": 205, "num_server_side_tools_used": 2}},
        Usage(input_tokens=202, output_tokens=205, hosted_tool_calls={"server_side_tool": 2}),
    ),
    "LiteLLM's proxy: cache writes by how long they live": (
        {
            "usage": {
                "prompt_tokens": 1000, "completion_tokens": 10, "prompt_tokens_details": {
                    "cached_tokens": 0, "cache_write_tokens": 600,
                    "cache_creation_token_details": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 600},
                }
            }
        },
        Usage(
            input_tokens=1000, output_tokens=10, cache_read_tokens=0, cache_write_tokens=600, cache_write_5m_tokens=0,
            cache_write_1h_tokens=600,
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_counts(name: str) -> None:
    """Everything is counted, inclusively, and nothing that is not said."""
    answer, usage = ANSWERS[name]
    assert usage == EMBEDDINGS.read(answer).usage
    assert has_usage(answer)


BEGUN: Final = {
    "type": "message_start",
    "message": {
        "id": "msg_01AbC", "model": "claude-haiku-4-5-20251001", "type": "message",
        "usage": {
            "input_tokens": 4, "cache_read_input_tokens": 1165, "cache_creation_input_tokens": 0, "output_tokens": 1,
            "service_tier": "standard", "inference_geo": "us",
        },
    },
}  # fmt: skip


@pytest.mark.parametrize(
    "last",
    [
        {"output_tokens": 57},
        {"input_tokens": 4, "cache_read_input_tokens": 1165, "cache_creation_input_tokens": 0, "output_tokens": 57},
        {"input_tokens": None, "output_tokens": 57},
    ],
    ids=["the output alone", "all of it again", "with nulls"],
)
def test_a_stream_of_anthropics(last: Mapping[str, Any]) -> None:
    """The input stands in its first event; what the last event says of it, if anything, counts."""
    events = [BEGUN, {"type": "ping"}, {"type": "message_delta", "delta": {}, "usage": last}, {"type": "message_stop"}]
    outcome = fold(events, Case(payload="", shows="", outcome=Outcome()), EMBEDDINGS)
    assert ("msg_01AbC", "claude-haiku-4-5-20251001") == (outcome.response_id, outcome.response_model)
    assert ("standard", "us") == (outcome.service_tier, outcome.inference_geo)
    assert Usage(input_tokens=1169, output_tokens=57, cache_read_tokens=1165, cache_write_tokens=0) == outcome.usage


def test_a_stream_of_anthropics_that_breaks_off() -> None:
    """What its first event has said is kept."""
    outcome = fold([BEGUN, {"type": "ping"}], Case(payload="", shows="", outcome=Outcome()), EMBEDDINGS)
    assert (1169, 1) == (outcome.usage.input_tokens, outcome.usage.output_tokens)


TIERS: Final[Mapping[str, tuple[Any, str | None]]] = {
    "OpenAI": ({"service_tier": "flex", "usage": {}}, "flex"),
    "Anthropic": ({"usage": {"service_tier": "batch", "speed": "standard"}}, "batch"),
    "Anthropic's fast mode": ({"usage": {"service_tier": "standard", "speed": "fast"}}, "fast"),
    "Gemini": ({"usageMetadata": {"serviceTier": "priority"}}, "priority"),
    "Vertex": ({"usageMetadata": {"trafficType": "PROVISIONED_THROUGHPUT"}}, "PROVISIONED_THROUGHPUT"),
    "Vertex's ordinary traffic": ({"usageMetadata": {"trafficType": "ON_DEMAND"}}, "ON_DEMAND"),
    "nobody says": ({"usage": {"prompt_tokens": 1}}, None),
    "a number": ({"usage": {"service_tier": 7}}, None),
}


@pytest.mark.parametrize("name", TIERS)
def test_tiers(name: str) -> None:
    """The tier by which a call is billed, wherever an answer says it; what is out of the ordinary goes first."""
    answer, tier = TIERS[name]
    assert tier == EMBEDDINGS.read(answer).service_tier


def test_the_older_search_tool() -> None:
    """Its calls look like those of the newer one and cost something else: the tools of the answer tell them apart."""
    calls = [{"type": "web_search_call", "action": {"type": "search"}}, {"type": "web_search_call"}]
    answer = {"output": calls, "tools": [{"type": "web_search_preview"}], "usage": {"input_tokens": 1}}
    newer = {**answer, "tools": [{"type": "web_search"}]}
    assert {"web_search_preview_call": 2} == RESPONSES.read(answer).usage.hosted_tool_calls
    assert {"web_search_call": 2} == RESPONSES.read(newer).usage.hosted_tool_calls


SHELL: Any = {"type": "shell_call", "action": {"commands": ["ls"]}, "status": "completed"}

SHELLS: Mapping[str, Any] = {
    "a container of its own": (SHELL, {"type": "container_auto"}, {"shell_call": 2}),
    "a container that is there": (SHELL, {"type": "container_reference", "container_id": "cntr_1"}, {"shell_call": 2}),
    "the call names it": (
        {**SHELL, "environment": {"type": "container_reference", "container_id": "cntr_1"}}, None, {"shell_call": 2},
    ),
    "the call says where": ({**SHELL, "environment": {"type": "local"}}, {"type": "container_auto"}, {}),
    "the application's machine": (SHELL, {"type": "local"}, {}),
    "nobody says": (SHELL, None, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", SHELLS)
def test_a_shell_is_billed_where_openai_runs_it(name: str) -> None:
    """By the time that its container runs, which no answer says: tokens alone would be too little."""
    call, environment, expected = SHELLS[name]
    tools = [{"type": "function", "name": "f"}, {"type": "shell", "environment": environment}]
    answer = {"output": [call, call], "tools": tools, "usage": {"input_tokens": 1}}
    assert expected == RESPONSES.read(answer).usage.hosted_tool_calls


def test_perplexitys_shares() -> None:
    """Shares are said where they are the whole, which they are not with a fee; and not every cost is dollars."""

    def cost(**said: Any) -> Cost | None:
        return CHAT.read(json.loads(json.dumps({"usage": {"cost": said}}), parse_float=Decimal)).cost

    shares = {"input_tokens_cost": 0.00001, "output_tokens_cost": 0.00006}
    assert Cost(
        total=Decimal("0.00007"), input=Decimal("0.00001"), output=Decimal("0.00006"), source="provider"
    ) == cost(**shares, total_cost=0.00007)
    assert Cost(total=Decimal("0.00507"), source="provider") == cost(**shares, request_cost=0.005, total_cost=0.00507)
    assert cost(total_cost=0.5, currency="EUR") is None


@pytest.mark.parametrize("hostile", [None, 7, "x", [], [7], {"a": 1}, True])
def test_hostile(hostile: object) -> None:
    """Whatever stands where counts should be, nothing raises, and nothing is made up."""
    for name in ("usage", "usageMetadata", "meta", "message", "delta", "amazon-bedrock-invocationMetrics"):
        assert not EMBEDDINGS.read({name: hostile}).usage.known
    for name in ("promptTokenCount", "promptTokensDetails", "iterations", "cacheDetails", "billed_units", "results"):
        assert EMBEDDINGS.read({"usage": {"inputTokens": 1, name: hostile}}).usage.input_tokens in (1, 8)


def looked_for_everywhere(answer: object) -> object:
    """What `usage_in` finds, by looking in each of its places in turn."""
    found = [usage for place in PLACES if (usage := dig(answer, *place)) is not None]
    if found:
        return found[0]
    if dig(answer, "meta", "billed_units") is not None or dig(answer, "meta", "tokens") is not None:
        return dig(answer, "meta")
    return answer if any(dig(answer, name) is not None for name in LOOSE) else None


counted = st.none() | st.just({}) | st.just({"prompt_tokens": 3}) | st.integers(0, 2)
holding = counted | st.dictionaries(
    st.sampled_from(["usage", "tokens", "billed_units", "content"]), counted, max_size=2
)
members = st.dictionaries(
    st.sampled_from([*{place[0] for place in PLACES}, *LOOSE, "meta", "id", "choices"]), holding, max_size=4
)


class Model:
    """An answer of a client library's own kind."""

    def __init__(self, said: Mapping[str, object]) -> None:
        self.__dict__.update(said)


@settings(max_examples=300, deadline=None)
@given(said=members, is_model=st.booleans())
@example(said={"usage": None, "x_groq": {"usage": {"prompt_tokens": 3}}}, is_model=False)
@example(said={"usage": None, "eval_count": 2}, is_model=False)
def test_usage_is_found_wherever_it_is(said: Mapping[str, object], is_model: bool) -> None:
    """That one look tells whether there may be any elsewhere makes no difference to what is found."""
    answer = Model(said) if is_model else said
    assert looked_for_everywhere(answer) == usage_in(answer)


@pytest.mark.parametrize("answer", [None, "a text", 7, [], {}])
def test_what_has_no_usage(answer: object) -> None:
    """Nothing is made of nothing."""
    assert usage_in(answer) is None
