"""
What LiteLLM tells a callback of one call.

The shapes: ``kwargs`` and ``response_obj`` of a custom callback and the logging payload in it,
https://docs.litellm.ai/docs/observability/custom_callback and https://docs.litellm.ai/docs/proxy/logging_spec.
The payload is redacted where LiteLLM was told to, the rest is not: content is read from the payload alone. It has 0 for
a cost and for counts that are unknown: they are read from elsewhere, or not at all.
"""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, NamedTuple

from .._record import Attribution, Cost, Failure, Outcome, Timing, UnixNanos, Usage
from ._audio import SPEECH, TRANSCRIPTIONS
from ._chat import CHAT
from ._completions import COMPLETIONS
from ._embeddings import EMBEDDINGS
from ._failures import failure_of
from ._formats import WireFormat
from ._images import IMAGES
from ._jobs import JOBS
from ._litellm_attribution import attribution_in, trace_id_in
from ._openai_usage import read_usage
from ._reading import Path, as_amount, as_count, as_fields, as_items, as_name, dig
from ._responses import RESPONSES


class Kind(NamedTuple):
    """A kind of call."""

    operation: str
    format: WireFormat


KINDS: Final[Mapping[str, Kind]] = {
    "completion": Kind("chat", CHAT),
    "anthropic_messages": Kind("chat", CHAT),
    "generate_content": Kind("chat", CHAT),
    "text_completion": Kind("text_completion", COMPLETIONS),
    "responses": Kind("chat", RESPONSES),
    "embedding": Kind("embeddings", EMBEDDINGS),
    "image_generation": Kind("image_generation", IMAGES),
    "image_edit": Kind("image_edit", IMAGES),
    "image_variation": Kind("image_variation", IMAGES),
    "transcription": Kind("transcription", TRANSCRIPTIONS),
    "speech": Kind("speech", SPEECH),
    "rerank": Kind("rerank", EMBEDDINGS),
    "moderation": Kind("moderation", EMBEDDINGS),
    "create_batch": Kind("batch", JOBS),
    "retrieve_batch": Kind("batch", JOBS),
    "pass_through_endpoint": Kind("chat", CHAT),
    "allm_passthrough_route": Kind("chat", CHAT),
    "llm_passthrough_route": Kind("chat", CHAT),
}
"""LiteLLM's call type, without the ``a`` of the async one → what it is."""

STREAMED_CHAT: Final = frozenset({"completion", "text_completion"})
"""Calls whose stream LiteLLM puts together itself, counting where the provider has not."""

PROVIDERS: Final[Mapping[str, str]] = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.openai",
    "azure_text": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "cohere_chat": "cohere",
    "custom_openai": "openai",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "ollama_chat": "ollama",
    "text-completion-openai": "openai",
    "vertex_ai": "gcp.vertex_ai",
    "vertex_ai_beta": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
"""LiteLLM's word for a provider → ours; what is not here is the same word."""

REPORTS_STREAM_USAGE: Final = frozenset(
    {"anthropic", "aws.bedrock", "cohere", "gcp.gemini", "gcp.vertex_ai", "mistral_ai", "ollama", "openrouter"}
)
"""Providers whose streams tell their usage without being asked."""

PARAMETERS: Final = (
    "temperature", "top_p", "top_k", "max_tokens", "max_completion_tokens", "max_output_tokens",
    "frequency_penalty", "presence_penalty", "seed", "dimensions", "n",
)  # fmt: skip

REDACTED: Final = "redacted-by-litellm"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteLLMCall:
    """
    One call, as LiteLLM tells of its end.

    Attributes:
        key: LiteLLM's id of the call; a fallback has the id of what it stands in for.
        attempt: What tells its attempts apart: when this one was handed to the provider.
        kind: LiteLLM's call type, without the ``a`` of the async one.
        operation: ``gen_ai.operation.name``.
        ok: Whether it went well.
        was_sent: Whether anything went to a provider; the proxy refuses requests, and tells of it as of a call.
        cached: It was answered from LiteLLM's cache.
        provider: Who was called; an ``openai`` with an address of its own may be anybody.
        api_base: That address.
        model: The model that was asked for.
        streamed: Whether the answer came as a stream.
        timing: When.
        parameters: Request parameters that are numbers.
        attribution: Who and what for.
        trace_id: LiteLLM's own id for what belongs together.
        asked: What was asked, JSON-like; `None` where LiteLLM keeps it to itself.
        outcome: What was answered, with LiteLLM's price.
    """

    key: str
    attempt: str
    kind: str
    operation: str
    ok: bool
    was_sent: bool
    cached: bool
    provider: str | None
    api_base: str | None
    model: str | None
    streamed: bool
    timing: Timing
    parameters: Mapping[str, float]
    attribution: Attribution
    trace_id: str | None
    asked: object
    outcome: Outcome


def read_litellm(call: Mapping[str, object], answer: object, *, ok: bool) -> LiteLLMCall | None:
    """
    What a callback was told.

    Args:
        call: Its ``kwargs``.
        answer: Its ``response_obj``.
        ok: Whether it was told of a success.

    Returns:
        `None` where nothing was bought: files, lists, an endpoint that nobody knows and that reports neither usage
        nor cost.
    """
    payload = as_fields(call.get("standard_logging_object"))
    kind_name = call_type_of(call)
    kind = KINDS.get(kind_name)
    provider = _provider(call, payload)
    streamed = payload.get("stream") is True or call.get("stream") is True
    outcome = _outcome(call, answer, kind or Kind(kind_name, CHAT), ok=ok)
    partial = streamed and not ok and outcome.usage.known
    if partial or _is_estimated(call, outcome.usage, kind_name, provider=provider, streamed=streamed):
        outcome = replace(outcome, usage=replace(outcome.usage, estimated=True))
    spoken = _spoken_characters(call, kind_name)
    if spoken is not None:
        outcome = replace(outcome, usage=replace(outcome.usage, input_characters=spoken))
    if kind is None and not outcome.usage.known and not (outcome.cost and outcome.cost.total):
        return None
    attribution = attribution_in(call)
    return LiteLLMCall(
        key=str(call.get("litellm_call_id")),
        attempt=str(call.get("api_call_start_time") or payload.get("startTime")),
        kind=kind_name,
        operation=kind_name if kind is None else kind.operation,
        ok=ok,
        was_sent=provider is not None and not call.get("litellm_no_upstream_llm_call"),
        cached=call.get("cache_hit") is True,
        provider=provider,
        api_base=as_name(payload.get("api_base")) or as_name(dig(call, "litellm_params", "api_base")),
        model=_model(call, payload),
        streamed=streamed,
        timing=_timing(payload, streamed=streamed),
        parameters=_numbers(as_fields(call.get("optional_params"))),
        attribution=replace(attribution, metadata={**attribution.metadata, **_money_metadata(call, payload)}),
        trace_id=trace_id_in(call),
        asked=_asked(payload, kind),
        outcome=outcome,
    )


def call_type_of(call: Mapping[str, object]) -> str:
    """LiteLLM's word for the kind of call, the same for sync and async."""
    name = as_name(call.get("call_type")) or "completion"
    return name[1:] if name[:1] == "a" and name[1:] in KINDS else name


def _outcome(call: Mapping[str, object], answer: object, kind: Kind, *, ok: bool) -> Outcome:
    payload = as_fields(call.get("standard_logging_object"))
    inner = dig(answer, "response") if kind.format is RESPONSES else None
    whole = answer if inner is None else inner  # the last event of a stream
    read = kind.format.read(whole) if ok else Outcome(complete=False)
    usage = _usage(payload, read.usage)
    return replace(
        read,
        response_id=own_id(read.response_id),
        response_model=_without_prefix(read.response_model, call),
        usage=usage,
        cost=_cost(call, read.cost),
        failure=read.failure if ok else _failure(call),
        output=None if is_redacted(payload.get("response")) else kind.format.read(payload.get("response")).output,
    )


def _usage(payload: Mapping[str, object], read: Usage) -> Usage:
    """The answer's own counts, else the payload's. Nothing but zeros is what LiteLLM says of usage nobody reported."""
    if _says_something(read):
        return read
    counted = read_usage(dig(payload, "metadata", "usage_object"))
    if _says_something(counted):
        return counted
    totals = _totals(payload)
    return totals if _says_something(totals) else Usage()


def _says_something(usage: Usage) -> bool:
    return any((usage.input_tokens, usage.output_tokens, usage.audio_seconds, usage.images))


def _spoken_characters(call: Mapping[str, object], kind: str) -> int | None:
    """Length of a text to be spoken, by which speech is billed."""
    text = call.get("input")
    return len(text) if kind == "speech" and isinstance(text, str) else None


def _totals(payload: Mapping[str, object]) -> Usage:
    return Usage(
        input_tokens=as_count(payload.get("prompt_tokens")),
        output_tokens=as_count(payload.get("completion_tokens")),
        total_tokens=as_count(payload.get("total_tokens")),
    )


def _is_estimated(call: Mapping[str, object], usage: Usage, kind: str, *, provider: str | None, streamed: bool) -> bool:
    """
    Whether LiteLLM may have counted itself: it does for a stream in which no chunk had usage, and does not say so.

    Then there are no parts of the totals, which OpenAI and most others report; a reasoning of 0 is LiteLLM's own.
    """
    if not streamed or kind not in STREAMED_CHAT or not usage.known or provider in REPORTS_STREAM_USAGE:
        return False
    if dig(call, "optional_params", "stream_options", "include_usage") is True:
        return False
    return usage.cache_read_tokens is None and usage.input_audio_tokens is None and not usage.reasoning_tokens


def _cost(call: Mapping[str, object], reported: Cost | None) -> Cost | None:
    """
    LiteLLM's price. It says 0 of what it has no price for; only an answer from its cache is free.

    What a provider itself reports goes first: with the user's own key at OpenRouter, LiteLLM knows OpenRouter's fee
    alone. Other providers' answers may hold LiteLLM's own number in the same place; and a margin or a discount that
    LiteLLM was told of is the user's own word on the price.
    """
    payload = as_fields(call.get("standard_logging_object"))
    amount = as_exact(call.get("response_cost"))
    if call.get("cache_hit") is True:
        return Cost(total=Decimal(0), source="gateway")
    if reported is not None and _provider(call, payload) in REPORTS_COST and not _is_adjusted(payload):
        return reported
    return Cost(total=amount, source="gateway") if amount else None


REPORTS_COST: Final = frozenset({"openrouter", "perplexity", "x_ai"})
"""Providers whose answers say what they cost."""


def _is_adjusted(payload: Mapping[str, object]) -> bool:
    breakdown = as_fields(payload.get("cost_breakdown"))
    return any(as_exact(breakdown.get(name)) for name in ("discount_amount", "margin_total_amount"))


def as_exact(value: object) -> Decimal | None:
    """An amount without the noise that floating-point sums leave in the last of their 17 digits."""
    return as_amount(f"{value:.15g}" if isinstance(value, float) else value)


def _money_metadata(call: Mapping[str, object], payload: Mapping[str, object]) -> dict[str, object]:
    """What LiteLLM says of the price beside its total."""
    breakdown = as_fields(payload.get("cost_breakdown"))
    found = {key: as_exact(breakdown.get(name)) for key, name in BREAKDOWN.items()}
    if not (found["litellm.discount"] or found["litellm.margin"]):
        found = {}
    if call.get("cache_hit") is True:
        found = {"litellm.saved_cost": as_exact(payload.get("saved_cache_cost"))}
    said = {key: float(amount) for key, amount in found.items() if amount}
    return {"litellm.cache_hit": True, **said} if call.get("cache_hit") is True else dict(said)


BREAKDOWN: Final[Mapping[str, str]] = {
    "litellm.original_cost": "original_cost",
    "litellm.discount": "discount_amount",
    "litellm.margin": "margin_total_amount",
}
"""Key of our metadata → where LiteLLM has the amount: https://docs.litellm.ai/docs/proxy/provider_discounts"""


def _provider(call: Mapping[str, object], payload: Mapping[str, object]) -> str | None:
    name = as_name(call.get("custom_llm_provider")) or as_name(payload.get("custom_llm_provider"))
    return None if name is None else PROVIDERS.get(name, name)


def _model(call: Mapping[str, object], payload: Mapping[str, object]) -> str | None:
    return _without_prefix(as_name(payload.get("model")) or as_name(call.get("model")), call)


def _without_prefix(model: str | None, call: Mapping[str, object]) -> str | None:
    """``openai/gpt-4o`` is LiteLLM's way to name provider and model."""
    provider = as_name(call.get("custom_llm_provider"))
    if model is None or provider is None:
        return model
    return model.removeprefix(f"{provider}/") or model


def own_id(response_id: str | None) -> str | None:
    """The provider's id of a response: LiteLLM packs it together with names of its own."""
    if response_id is None or not response_id.startswith("resp_bGl0ZWxsbT"):
        return response_id
    try:
        text = b64decode(response_id.removeprefix("resp_") + "==", validate=False).decode()
    except (Error, UnicodeDecodeError):
        return response_id
    found = PACKED_ID.search(text)
    return response_id if found is None else found[1]


PACKED_ID: Final = re.compile(r"response_id:([^;]+)")


def _timing(payload: Mapping[str, object], *, streamed: bool) -> Timing:
    """A whole answer's "completion start" is its end."""
    started, ended = _instant(payload.get("startTime")), _instant(payload.get("endTime"))
    first = _instant(payload.get("completionStartTime")) if streamed else None
    start = started or ended or UnixNanos(0)
    return Timing(started=start, ended=max(ended or start, start), first_chunk=first)


def _instant(value: object) -> UnixNanos | None:
    """Seconds since 1970, to the microsecond."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        return None
    return UnixNanos(round(value * 1_000_000) * 1_000)


def _failure(call: Mapping[str, object]) -> Failure:
    error = call.get("exception")
    if isinstance(error, BaseException):
        return failure_of(error)
    return Failure(type="error", message=as_name(error))


def _asked(payload: Mapping[str, object], kind: Kind | None) -> object:
    messages = payload.get("messages")
    if messages is None or is_redacted(messages):
        return None
    is_conversation = kind is None or kind.format is CHAT or kind.format is RESPONSES
    if is_conversation and isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    return {"messages" if is_conversation else "input": messages}


def is_redacted(content: object) -> bool:
    """Whether LiteLLM has replaced *content*, the messages or the answer of a payload, by its marker."""
    first = next(iter(as_items(content)), content)
    return any(dig(first, *path) == REDACTED for path in MARKED)


MARKED: Final[tuple[Path, ...]] = ((), ("content",), ("text",))
"""Where the marker is: in place of the whole, of a message's text, of an answer's text."""


def _numbers(given: Mapping[str, object]) -> Mapping[str, float]:
    found = {name: given.get(name) for name in PARAMETERS}
    return {name: each for name, each in found.items() if isinstance(each, (int, float)) and not isinstance(each, bool)}
