"""
The two tables: which attributes a generation is sent with, and where each value is read. No other module names one.

`docs/attributes.md` says what each of them means; a test compares the page with these tables.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from .._record import Generation
from ._makers import request_slug, response_slug, system_of
from ._messages import input_messages, output_messages
from ._metadata import metadata_of
from ._readers import (
    conventional_cost_source,
    conventional_finish_reasons,
    currency,
    error_type,
    failure_code,
    failure_message,
    finish_reasons_json,
    first_finish_reason,
    foreign_response_id,
    hosted_tool_calls_json,
    if_true,
    input_json,
    integer,
    level,
    milliseconds_between_tokens,
    milliseconds_to_first_token,
    number,
    openai_service_tier,
    output_json,
    resends,
    seconds_to_first_chunk,
    session_id,
    unusable_parent_id,
    user_id,
)
from ._rows import Reading, Rows, When
from ._settings import Dialect
from ._span import Value
from ._values import JsonText


def step_attributes_of(step: Generation, dialect: Dialect) -> dict[str, Value]:
    """What the span of a run carries that costs nothing itself: what a level does, and what it is."""
    vocabulary = VOCABULARIES[dialect]
    steps = vocabulary.steps.get(step.operation)
    return level_attributes_of(step, dialect) | ({} if steps is None else steps.read(step))


def level_attributes_of(generation: Generation, dialect: Dialect) -> dict[str, Value]:
    """What the levels above *generation* carry: who and what for. Never usage or money, which would count twice."""
    vocabulary = VOCABULARIES[dialect]
    return {
        **metadata_of(generation.attribution, vocabulary.level_metadata, vocabulary.level.keys),
        **vocabulary.level.read(generation),
    }


def _input_messages(generation: Generation) -> JsonText | None:
    text = input_json(generation)
    return None if text is None else JsonText(input_messages(text))


def _output_messages(generation: Generation) -> JsonText | None:
    text = output_json(generation)
    if text is None:
        return None
    reasons = conventional_finish_reasons(generation)
    return JsonText(output_messages(text, reasons))


WHO: Final[Rows] = {
    "trace.name": "attribution.trace_name",
    "user.id": When("attribution", user_id),
    "session.id": When("attribution", session_id),
}

IDENTITY: Final[Rows] = {
    "trace.metadata.parent_span_id": When("attribution", unusable_parent_id),
    "trace.metadata.provider_response_id": When("other_id", foreign_response_id),
}

CALL: Final[Rows] = {
    "gen_ai.conversation.id": When("attribution", session_id),
    "gen_ai.request.stream": if_true(lambda generation: generation.streamed),
    "gen_ai.request.temperature": When("parameters", number("temperature")),
    "gen_ai.request.top_p": When("parameters", number("top_p")),
    "gen_ai.request.top_k": When("parameters", number("top_k")),
    "gen_ai.request.frequency_penalty": When("parameters", number("frequency_penalty")),
    "gen_ai.request.presence_penalty": When("parameters", number("presence_penalty")),
    "gen_ai.request.max_tokens": When(
        "parameters", integer("max_tokens", "max_completion_tokens", "max_output_tokens")
    ),
    "gen_ai.request.seed": When("parameters", integer("seed")),
    "gen_ai.request.choice.count": When("parameters", integer("n")),
    "gen_ai.embeddings.dimension.count": When("parameters", integer("dimensions")),
    "server.address": "generation.server_address",
    "server.port": "generation.server_port",
    "http.request.resend_count": When("retries", resends),
    "error.type": When("failure", error_type),
    "gen_ai.response.time_to_first_chunk": When("first_chunk", seconds_to_first_chunk),
    "gen_ai.response.service_tier": "generation.service_tier",
}
"""OpenTelemetry's conventions, for standard backends."""

CONVENTIONAL_USAGE: Final[Rows] = {
    "gen_ai.usage.cache_read.input_tokens": "usage.cache_read_tokens",
    "gen_ai.usage.cache_creation.input_tokens": "usage.cache_write_tokens",
    "gen_ai.usage.reasoning.output_tokens": "usage.reasoning_tokens",
}

OURS: Final[Rows] = {
    "ramp.library": "generation.library",
    "ramp.usage.input_characters": "usage.input_characters",
    "ramp.usage.audio_seconds": "usage.audio_seconds",
    "ramp.usage.video_seconds": "usage.video_seconds",
    "ramp.usage.accepted_prediction_tokens": "usage.accepted_prediction_tokens",
    "ramp.usage.rejected_prediction_tokens": "usage.rejected_prediction_tokens",
    "ramp.usage.images": "usage.images",
    "ramp.usage.hosted_tool_calls": When("hosted_tools", hosted_tool_calls_json),
    "ramp.usage.estimated": if_true(lambda generation: generation.usage.estimated),
    "ramp.usage.pending": if_true(lambda generation: generation.pending),
    "ramp.content.lost": if_true(lambda generation: generation.content_lost),
    "ramp.error.code": When("failure", failure_code),
    "ramp.inference_geo": "generation.inference_geo",
    "ramp.cost.source": "cost.source",
    "ramp.cost.price_list": "cost.price_list",
    "ramp.cost.price_date": "cost.price_date",
}

USAGE: Final[Rows] = {
    "gen_ai.usage.input_tokens": "usage.input_tokens",
    "gen_ai.usage.output_tokens": "usage.output_tokens",
    "gen_ai.usage.total_tokens": "usage.total_tokens",
}

CONVENTIONAL_MONEY: Final[Rows] = {
    "gen_ai.usage.cost.amount": "amounts.total",
    "gen_ai.usage.cost.currency": When("amounts", currency),
    "gen_ai.usage.cost.source": When("amounts", conventional_cost_source),
}
"""
As OpenTelemetry's GenAI conventions are about to have it:
https://github.com/open-telemetry/semantic-conventions-genai/pull/443
"""

MONEY: Final[Rows] = {
    "gen_ai.usage.input_cost": "amounts.input",
    "gen_ai.usage.output_cost": "amounts.output",
    "gen_ai.usage.total_cost": "amounts.total",
}

OPENROUTER: Final[Rows] = {
    **WHO,
    **IDENTITY,
    "span.type": lambda _: "generation",
    "span.level": level,
    "span.status_message": When("failure", failure_message),
    "gen_ai.operation.name": "generation.operation",
    "gen_ai.system": system_of,
    "gen_ai.provider.name": system_of,
    "gen_ai.request.model": request_slug,
    "gen_ai.response.model": response_slug,
    "gen_ai.response.id": "generation.id",
    **USAGE,
    "gen_ai.prompt": When("content", input_json),
    "gen_ai.completion": When("content", output_json),
    "gen_ai.usage.input_tokens.cached": "usage.cache_read_tokens",
    "gen_ai.usage.input_tokens.cache_write": "usage.cache_write_tokens",
    "gen_ai.usage.input_tokens.cache_write_5m": "usage.cache_write_5m_tokens",
    "gen_ai.usage.input_tokens.cache_write_1h": "usage.cache_write_1h_tokens",
    "gen_ai.usage.input_tokens.cache_write_12h": "usage.cache_write_12h_tokens",
    "gen_ai.usage.input_tokens.video": "usage.input_video_tokens",
    "gen_ai.usage.input_tokens.audio": "usage.input_audio_tokens",
    "gen_ai.usage.input_tokens.image": "usage.input_image_tokens",
    "gen_ai.usage.output_tokens.reasoning": "usage.reasoning_tokens",
    "gen_ai.usage.output_tokens.audio": "usage.output_audio_tokens",
    "gen_ai.usage.output_tokens.image": "usage.output_image_tokens",
    "gen_ai.response.finish_reasons": finish_reasons_json,
    "gen_ai.response.finish_reason": first_finish_reason,
    "trace.metadata.openrouter.first_token_ms": When("first_chunk", milliseconds_to_first_token),
    "trace.metadata.openrouter.inter_token_latency_ms": When("first_chunk", milliseconds_between_tokens),
    "trace.metadata.openrouter.provider_name": lambda generation: generation.upstream_provider or generation.provider,
    "trace.metadata.openrouter.finish_reason": lambda generation: (
        generation.native_finish_reason or first_finish_reason(generation)
    ),
    **CONVENTIONAL_USAGE,
    **CALL,
    "gen_ai.openai.response.service_tier": openai_service_tier,
    "ramp.usage.cached_audio_tokens": "usage.cached_audio_tokens",
    "ramp.usage.cached_image_tokens": "usage.cached_image_tokens",
    **OURS,
    **CONVENTIONAL_MONEY,
    **MONEY,
}
"""As OpenRouter's Broadcast sends it, in the order of its captures; money comes last, so that nothing replaces it."""

STANDING: Final = frozenset({
    "span.type", "span.level", "gen_ai.operation.name", "gen_ai.system", "gen_ai.provider.name",
    "gen_ai.request.model", "gen_ai.response.model", "gen_ai.response.finish_reasons",
    "gen_ai.response.finish_reason", "trace.metadata.openrouter.provider_name",
    "trace.metadata.openrouter.finish_reason", "gen_ai.request.stream", "server.address", "server.port",
    "gen_ai.response.service_tier", "gen_ai.openai.response.service_tier", "openai.response.service_tier",
    "ramp.library", "ramp.usage.estimated", "ramp.usage.pending", "ramp.content.lost", "ramp.inference_geo",
    "ramp.cost.source", "ramp.cost.price_list", "ramp.cost.price_date", "ramp.upstream_provider",
    "ramp.native_finish_reason",
})  # fmt: skip
"""What is the same for all calls of a kind, see `_json_attributes.kind_of`: it is encoded once."""

SEMCONV: Final[Rows] = {
    **WHO,
    **IDENTITY,
    "ramp.generation_name": "attribution.generation_name",
    "gen_ai.operation.name": "generation.operation",
    "gen_ai.provider.name": "generation.provider",
    "gen_ai.request.model": "generation.request_model",
    "gen_ai.response.model": "generation.response_model",
    "gen_ai.response.id": "generation.id",
    "gen_ai.response.finish_reasons": conventional_finish_reasons,
    "openai.response.service_tier": openai_service_tier,
    "gen_ai.input.messages": When("content", _input_messages),
    "gen_ai.output.messages": When("content", _output_messages),
    **CALL,
    "gen_ai.request.top_k": When("parameters", integer("top_k")),
    **USAGE,
    **CONVENTIONAL_USAGE,
    "gen_ai.usage.cache_write.input_tokens": "usage.cache_write_tokens",
    "gen_ai.usage.audio.input_tokens": "usage.input_audio_tokens",
    "gen_ai.usage.image.input_tokens": "usage.input_image_tokens",
    "gen_ai.usage.audio.cache_read.input_tokens": "usage.cached_audio_tokens",
    "gen_ai.usage.image.cache_read.input_tokens": "usage.cached_image_tokens",
    "gen_ai.usage.audio.output_tokens": "usage.output_audio_tokens",
    "gen_ai.usage.image.output_tokens": "usage.output_image_tokens",
    "ramp.usage.cache_write_5m_tokens": "usage.cache_write_5m_tokens",
    "ramp.usage.cache_write_1h_tokens": "usage.cache_write_1h_tokens",
    "ramp.usage.cache_write_12h_tokens": "usage.cache_write_12h_tokens",
    "ramp.usage.input_video_tokens": "usage.input_video_tokens",
    "ramp.upstream_provider": "generation.upstream_provider",
    "ramp.native_finish_reason": "generation.native_finish_reason",
    **OURS,
    **CONVENTIONAL_MONEY,
    **MONEY,
}
"""
As OpenTelemetry's GenAI conventions name it: https://github.com/open-telemetry/semantic-conventions-genai, autumn 2026.
A key here is never the beginning of another one (``gen_ai.usage.input_tokens.cached``): backends that keep attributes
as nested objects refuse such pairs. ``cache_creation`` is what they called ``cache_write`` until September 2026, and
the only one of the two that most backends read.
"""

LEVEL: Final[Rows] = {
    **WHO,
    "span.type": lambda _: "span",
    "span.level": lambda _: "DEFAULT",
}
"""A level above generations (root, intermediate), in OpenRouter's vocabulary."""

CONVENTIONAL_STEPS: Final[Mapping[str, Rows]] = {
    "chain": {"error.type": When("failure", error_type)},
    "tool": {
        "gen_ai.operation.name": lambda _: "execute_tool",
        "gen_ai.tool.name": "attribution.generation_name",
        "error.type": When("failure", error_type),
    },
    "retriever": {"gen_ai.operation.name": lambda _: "retrieval", "error.type": error_type},
}
"""
Kind of a run → what its span carries beside a level's. A chain has no operation: it may be a workflow, an agent or
neither, and the conventions want none named by those who cannot tell.
"""


class Vocabulary(NamedTuple):
    """How one dialect names things."""

    generation: Reading
    level: Reading
    metadata: tuple[str, ...]
    """What the user's own keys are sent under; captures carry each of them twice."""
    level_metadata: tuple[str, ...]
    steps: Mapping[str, Reading]
    """By the kind of the run."""


TWICE: Final = ("trace.metadata.", "span.metadata.")

VOCABULARIES: Final[Mapping[Dialect, Vocabulary]] = {
    "openrouter": Vocabulary(Reading(OPENROUTER), Reading(LEVEL), TWICE, ("trace.metadata.",), {}),
    "semconv": Vocabulary(
        Reading(SEMCONV),
        Reading(WHO),
        ("trace.metadata.",),
        ("trace.metadata.",),
        {kind: Reading(rows) for kind, rows in CONVENTIONAL_STEPS.items()},
    ),
}
