"""
What LangChain tells a callback of a model's answer: an ``LLMResult``.

Providers' packages put counts in three places: ``usage_metadata`` of the message, which is inclusive, as ours is;
``response_metadata`` as the provider sent them; ``llm_output`` of models that complete texts.
https://reference.langchain.com/python/langchain_core/outputs/
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from .._record import NOTHING_READ, Cost, Outcome, Usage
from ._openai_usage import read_usage
from ._reading import Path, as_amount, as_count, as_fields, as_items, as_name, dig, first_count
from ._reported_cost import read_cost

COUNTS: Final[Mapping[str, tuple[Path, ...]]] = {
    "input_tokens": (("input_tokens",),),
    "output_tokens": (("output_tokens",),),
    "total_tokens": (("total_tokens",),),
    "cache_read_tokens": (("input_token_details", "cache_read"),),
    "input_audio_tokens": (("input_token_details", "audio"),),
    "reasoning_tokens": (("output_token_details", "reasoning"),),
    "output_audio_tokens": (("output_token_details", "audio"),),
}
"""Count → where it is in ``usage_metadata``."""

CACHE_WRITES: Final = ("cache_creation", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
"""Anthropic's writes: by lifetime where they are said so, and then the first is 0."""

MODEL: Final[tuple[Path, ...]] = (
    ("message", "response_metadata", "model_name"),
    ("message", "response_metadata", "model"),
    ("message", "response_metadata", "model_id"),
    ("generation_info", "model_name"),
    ("generation_info", "model"),
)
FINISH: Final[tuple[Path, ...]] = (
    ("message", "response_metadata", "finish_reason"),
    ("message", "response_metadata", "stop_reason"),
    ("message", "response_metadata", "stopReason"),
    ("generation_info", "finish_reason"),
    ("message", "response_metadata", "done_reason"),
    ("message", "response_metadata", "status"),
)
RAW_USAGE: Final[tuple[Path, ...]] = (
    ("message", "response_metadata", "token_usage"),
    ("message", "response_metadata", "usage"),
    ("generation_info", "token_usage"),
    ("generation_info", "usage"),
)
OWN_IDS: Final = ("lc_", "lc-", "run-", "run--")
"""How the ids begin that LangChain makes up itself."""


def read_langchain(result: object) -> Outcome:
    """
    What an ``LLMResult`` says.

    Args:
        result: Of ``on_llm_end``, or the partial one of ``on_llm_error``.
    """
    answers = list(as_items(next(iter(as_items(dig(result, "generations"))), None)))
    if not answers:
        return NOTHING_READ
    first, output = answers[0], as_fields(dig(result, "llm_output"))
    usage = _usage(first, output)
    return Outcome(
        response_id=_own_id(first),
        response_model=_first_name(first, MODEL) or as_name(output.get("model_name")),
        finish_reasons=tuple(reason for each in answers if (reason := _first_name(each, FINISH))),
        native_finish_reason=as_name(dig(first, "message", "response_metadata", "native_finish_reason")),
        service_tier=as_name(dig(first, "message", "response_metadata", "service_tier")),
        usage=usage,
        cost=_cost(first, output),
        output=_content(answers),
    )


def is_cached(result: object) -> bool:
    """Whether LangChain answered from its cache: it then says so by a price of 0 in the usage, and by nothing else."""
    first = next(iter(as_items(next(iter(as_items(dig(result, "generations"))), None))), None)
    return as_amount(dig(first, "message", "usage_metadata", "total_cost")) == 0


def as_cached(outcome: Outcome) -> Outcome:
    """An answer from a cache is free; its counts are what was saved."""
    return replace(outcome, cost=Cost(total=Decimal(0), source="gateway"))


def _usage(answer: object, output: Mapping[str, object]) -> Usage:
    said = dig(answer, "message", "usage_metadata")
    raw = _raw_usage(answer, output)
    tools = _hosted_tools(raw)
    counts: dict[str, Any] = {name: first_count(said, paths) for name, paths in COUNTS.items()}
    if not (counts["input_tokens"] or counts["output_tokens"]):
        return read_usage(raw, hosted_tools=tools)
    if not counts["input_tokens"]:  # what packages say where nothing was said: no prompt has no tokens
        counts["input_tokens"] = counts["total_tokens"] = None
    writes = [count for key in CACHE_WRITES if (count := as_count(dig(said, "input_token_details", key))) is not None]
    return Usage(**counts, cache_write_tokens=sum(writes) if writes else None, hosted_tool_calls=tools)


def _raw_usage(answer: object, output: Mapping[str, object]) -> object:
    """As the provider sent it; an empty one stands at all prompts of a request but the first."""
    found = next((usage for path in RAW_USAGE if (usage := dig(answer, *path))), None)
    return found or output.get("token_usage") or output.get("usage") or None


def _hosted_tools(raw: object) -> Mapping[str, int]:
    """Anthropic's searches: https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/web-search-tool"""
    searches = as_count(dig(raw, "server_tool_use", "web_search_requests"))
    return {"web_search_call": searches} if searches else {}


def _cost(answer: object, output: Mapping[str, object]) -> Cost | None:
    """What the provider has charged, else what LiteLLM reckons, which says 0 of what it has no price for."""
    metadata = as_fields(dig(answer, "message", "response_metadata"))
    reckoned = as_amount(metadata.get("response_cost"))
    charged = read_cost(_raw_usage(answer, output)) or _charged(metadata)
    return charged or (Cost(total=reckoned, source="gateway") if reckoned else None)


def _charged(metadata: Mapping[str, object]) -> Cost | None:
    """
    OpenRouter's price, which LangChain's package hands on without saying whose key was used.

    With the user's own key the price is a fee, and the provider charges besides: then it is not the whole.
    """
    upstream = as_amount(dig(metadata, "cost_details", "upstream_inference_cost"))
    if upstream and upstream != as_amount(metadata.get("cost")):
        return None
    return read_cost({"cost": metadata.get("cost"), "cost_details": metadata.get("cost_details")})


def _own_id(answer: object) -> str | None:
    given = as_name(dig(answer, "message", "response_metadata", "id")) or as_name(dig(answer, "message", "id"))
    return None if given is None or given.startswith(OWN_IDS) else given


def _first_name(answer: object, paths: tuple[Path, ...]) -> str | None:
    return next((name for path in paths if (name := as_name(dig(answer, *path))) is not None), None)


def _content(answers: list[object]) -> object:
    first, *others = [_completion(each) for each in answers]
    return {**first, "choices": others} if others else first


def _completion(answer: object) -> dict[str, object]:
    message = dig(answer, "message")
    if message is None:
        return {"completion": dig(answer, "text"), "reasoning": None}
    content = {"completion": dig(message, "content"), "reasoning": _reasoning(message)}
    calls = _tool_calls(message)
    return {**content, "toolCalls": calls} if calls else content


def _reasoning(message: object) -> object:
    kwargs = dig(message, "additional_kwargs")
    return dig(kwargs, "reasoning_content") or dig(kwargs, "reasoning")


def _tool_calls(message: object) -> list[object]:
    return [
        {
            "id": dig(each, "id"),
            "type": "function",
            "function": {"name": dig(each, "name"), "arguments": dig(each, "args")},
        }
        for each in as_items(dig(message, "tool_calls"))
    ]


ROLES: Final[Mapping[str, str]] = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant"}
"""LangChain's word for who speaks → the usual one; what is not here is the same word."""


def langchain_messages(messages: object) -> object:
    """A conversation in the form in which chat models are asked."""
    return {"messages": [_message(each) for each in as_items(messages)]}


def _message(message: object) -> dict[str, object]:
    kind = as_name(dig(message, "type"))
    said: dict[str, object] = {
        "role": dig(message, "role") if kind == "chat" else ROLES.get(kind or "", kind),
        "content": dig(message, "content"),
    }
    calls, answered = _tool_calls(message), dig(message, "tool_call_id")
    if calls:
        said["tool_calls"] = calls
    return said if answered is None else {**said, "tool_call_id": answered}
