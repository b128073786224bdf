"""
The two tables: which attributes a generation is sent with, and where each value is read. No other module names one.

`docs/attributes.md` says what each of them means; a test compares the page with these tables.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from .._record import Generation
from ._ids import unusable_parent
from ._makers import request_slug, response_slug, system_of
from ._messages import input_messages, output_messages
from ._metadata import metadata_of
from ._readers import (
    Table,
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
    money,
    number,
    openai_service_tier,
    output_json,
    seconds_to_first_chunk,
    session_id,
    user_id,
)
from ._settings import Dialect
from ._span import Value
from ._values import JsonText, sound


def attributes_of(generation: Generation, dialect: Dialect) -> dict[str, Value]:
    """What the span of *generation* carries. The user's metadata come first, so that they can replace nothing."""
    vocabulary = VOCABULARIES[dialect]
    taken = vocabulary.generation.keys()
    return {
        **metadata_of(generation.attribution, vocabulary.metadata, taken),
        **_read(vocabulary.generation, generation),
    }


def step_attributes_of(step: Generation, dialect: Dialect) -> dict[str, Value]:
    """What the span of a run carries that costs nothing itself: what a level does, and what it is."""
    vocabulary = VOCABULARIES[dialect]
    return {**level_attributes_of(step, dialect), **_read(vocabulary.steps.get(step.operation, {}), step)}


def level_attributes_of(generation: Generation, dialect: Dialect) -> dict[str, Value]:
    """What the levels above *generation* carry: who and what for. Never usage or money, which would count twice."""
    vocabulary = VOCABULARIES[dialect]
    return {
        **metadata_of(generation.attribution, vocabulary.level_metadata, vocabulary.level.keys()),
        **_read(vocabulary.level, generation),
    }


def _read(table: Table, generation: Generation) -> dict[str, Value]:
    attributes: dict[str, Value] = {}
    for key, read in table.items():
        given = read(generation)
        if given is not None and (value := sound(given)) is not None:
            attributes[key] = value
    return attributes


def _input_messages(generation: Generation) -> JsonText | None:
    text = input_json(generation)
    return None if text is None else JsonText(input_messages(text))


def _output_messages(generation: Generation) -> JsonText | None:
    text = output_json(generation)
    if text is None:
        return None
    reasons = conventional_finish_reasons(generation)
    return JsonText(output_messages(text, reasons))


WHO: Final[Table] = {
    "trace.name": lambda generation: generation.attribution.trace_name,
    "user.id": user_id,
    "session.id": session_id,
}

IDENTITY: Final[Table] = {
    "trace.metadata.parent_span_id": lambda generation: unusable_parent(generation.attribution),
    "trace.metadata.provider_response_id": foreign_response_id,
}

CALL: Final[Table] = {
    "gen_ai.conversation.id": session_id,
    "gen_ai.request.stream": if_true(lambda generation: generation.streamed),
    "gen_ai.request.temperature": number("temperature"),
    "gen_ai.request.top_p": number("top_p"),
    "gen_ai.request.top_k": number("top_k"),
    "gen_ai.request.frequency_penalty": number("frequency_penalty"),
    "gen_ai.request.presence_penalty": number("presence_penalty"),
    "gen_ai.request.max_tokens": integer("max_tokens", "max_completion_tokens", "max_output_tokens"),
    "gen_ai.request.seed": integer("seed"),
    "gen_ai.request.choice.count": integer("n"),
    "gen_ai.embeddings.dimension.count": integer("dimensions"),
    "server.address": lambda generation: generation.server_address,
    "server.port": lambda generation: generation.server_port,
    "http.request.resend_count": lambda generation: generation.retries or None,
    "error.type": error_type,
    "gen_ai.response.time_to_first_chunk": seconds_to_first_chunk,
    "gen_ai.response.service_tier": lambda generation: generation.service_tier,
}
"""OpenTelemetry's conventions, for standard backends."""

CONVENTIONAL_USAGE: Final[Table] = {
    "gen_ai.usage.cache_read.input_tokens": lambda generation: generation.usage.cache_read_tokens,
    "gen_ai.usage.cache_creation.input_tokens": lambda generation: generation.usage.cache_write_tokens,
    "gen_ai.usage.reasoning.output_tokens": lambda generation: generation.usage.reasoning_tokens,
}

OURS: Final[Table] = {
    "ramp.library": lambda generation: generation.library,
    "ramp.usage.input_characters": lambda generation: generation.usage.input_characters,
    "ramp.usage.audio_seconds": lambda generation: generation.usage.audio_seconds,
    "ramp.usage.video_seconds": lambda generation: generation.usage.video_seconds,
    "ramp.usage.accepted_prediction_tokens": lambda generation: generation.usage.accepted_prediction_tokens,
    "ramp.usage.rejected_prediction_tokens": lambda generation: generation.usage.rejected_prediction_tokens,
    "ramp.usage.images": lambda generation: generation.usage.images,
    "ramp.usage.hosted_tool_calls": hosted_tool_calls_json,
    "ramp.usage.estimated": if_true(lambda generation: generation.usage.estimated),
    "ramp.usage.pending": if_true(lambda generation: generation.pending),
    "ramp.content.lost": if_true(lambda generation: generation.content_lost),
    "ramp.error.code": failure_code,
    "ramp.inference_geo": lambda generation: generation.inference_geo,
    "ramp.cost.source": lambda generation: None if generation.cost is None else generation.cost.source,
    "ramp.cost.price_list": lambda generation: None if generation.cost is None else generation.cost.price_list,
    "ramp.cost.price_date": lambda generation: None if generation.cost is None else generation.cost.price_date,
}

USAGE: Final[Table] = {
    "gen_ai.usage.input_tokens": lambda generation: generation.usage.input_tokens,
    "gen_ai.usage.output_tokens": lambda generation: generation.usage.output_tokens,
    "gen_ai.usage.total_tokens": lambda generation: generation.usage.total_tokens,
}

CONVENTIONAL_MONEY: Final[Table] = {
    "gen_ai.usage.cost.amount": money(lambda cost: cost.total),
    "gen_ai.usage.cost.currency": currency,
    "gen_ai.usage.cost.source": conventional_cost_source,
}
"""
As OpenTelemetry's GenAI conventions are about to have it:
https://github.com/open-telemetry/semantic-conventions-genai/pull/443
"""

MONEY: Final[Table] = {
    "gen_ai.usage.input_cost": money(lambda cost: cost.input),
    "gen_ai.usage.output_cost": money(lambda cost: cost.output),
    "gen_ai.usage.total_cost": money(lambda cost: cost.total),
}

OPENROUTER: Final[Table] = {
    **WHO,
    **IDENTITY,
    "span.type": lambda _: "generation",
    "span.level": level,
    "span.status_message": failure_message,
    "gen_ai.operation.name": lambda generation: generation.operation,
    "gen_ai.system": system_of,
    "gen_ai.provider.name": system_of,
    "gen_ai.request.model": request_slug,
    "gen_ai.response.model": response_slug,
    "gen_ai.response.id": lambda generation: generation.id,
    **USAGE,
    "gen_ai.prompt": input_json,
    "gen_ai.completion": output_json,
    "gen_ai.usage.input_tokens.cached": lambda generation: generation.usage.cache_read_tokens,
    "gen_ai.usage.input_tokens.cache_write": lambda generation: generation.usage.cache_write_tokens,
    "gen_ai.usage.input_tokens.cache_write_5m": lambda generation: generation.usage.cache_write_5m_tokens,
    "gen_ai.usage.input_tokens.cache_write_1h": lambda generation: generation.usage.cache_write_1h_tokens,
    "gen_ai.usage.input_tokens.video": lambda generation: generation.usage.input_video_tokens,
    "gen_ai.usage.input_tokens.audio": lambda generation: generation.usage.input_audio_tokens,
    "gen_ai.usage.input_tokens.image": lambda generation: generation.usage.input_image_tokens,
    "gen_ai.usage.output_tokens.reasoning": lambda generation: generation.usage.reasoning_tokens,
    "gen_ai.usage.output_tokens.audio": lambda generation: generation.usage.output_audio_tokens,
    "gen_ai.usage.output_tokens.image": lambda generation: generation.usage.output_image_tokens,
    "gen_ai.response.finish_reasons": finish_reasons_json,
    "gen_ai.response.finish_reason": first_finish_reason,
    "trace.metadata.openrouter.first_token_ms": milliseconds_to_first_token,
    "trace.metadata.openrouter.inter_token_latency_ms": milliseconds_between_tokens,
    "trace.metadata.openrouter.provider_name": lambda generation: generation.upstream_provider or generation.provider,
    "trace.metadata.openrouter.finish_reason": lambda generation: (
        generation.native_finish_reason or first_finish_reason(generation)
    ),
    **CONVENTIONAL_USAGE,
    **CALL,
    "gen_ai.openai.response.service_tier": openai_service_tier,
    "ramp.usage.cached_audio_tokens": lambda generation: generation.usage.cached_audio_tokens,
    "ramp.usage.cached_image_tokens": lambda generation: generation.usage.cached_image_tokens,
    **OURS,
    **CONVENTIONAL_MONEY,
    **MONEY,
}
"""As OpenRouter's Broadcast sends it, in the order of its captures; money comes last, so that nothing replaces it."""

SEMCONV: Final[Table] = {
    **WHO,
    **IDENTITY,
    "ramp.generation_name": lambda generation: generation.attribution.generation_name,
    "gen_ai.operation.name": lambda generation: generation.operation,
    "gen_ai.provider.name": lambda generation: generation.provider,
    "gen_ai.request.model": lambda generation: generation.request_model,
    "gen_ai.response.model": lambda generation: generation.response_model,
    "gen_ai.response.id": lambda generation: generation.id,
    "gen_ai.response.finish_reasons": conventional_finish_reasons,
    "openai.response.service_tier": openai_service_tier,
    "gen_ai.input.messages": _input_messages,
    "gen_ai.output.messages": _output_messages,
    **CALL,
    "gen_ai.request.top_k": integer("top_k"),
    **USAGE,
    **CONVENTIONAL_USAGE,
    "gen_ai.usage.cache_write.input_tokens": lambda generation: generation.usage.cache_write_tokens,
    "gen_ai.usage.audio.input_tokens": lambda generation: generation.usage.input_audio_tokens,
    "gen_ai.usage.image.input_tokens": lambda generation: generation.usage.input_image_tokens,
    "gen_ai.usage.audio.cache_read.input_tokens": lambda generation: generation.usage.cached_audio_tokens,
    "gen_ai.usage.image.cache_read.input_tokens": lambda generation: generation.usage.cached_image_tokens,
    "gen_ai.usage.audio.output_tokens": lambda generation: generation.usage.output_audio_tokens,
    "gen_ai.usage.image.output_tokens": lambda generation: generation.usage.output_image_tokens,
    "ramp.usage.cache_write_5m_tokens": lambda generation: generation.usage.cache_write_5m_tokens,
    "ramp.usage.cache_write_1h_tokens": lambda generation: generation.usage.cache_write_1h_tokens,
    "ramp.usage.input_video_tokens": lambda generation: generation.usage.input_video_tokens,
    "ramp.upstream_provider": lambda generation: generation.upstream_provider,
    "ramp.native_finish_reason": lambda generation: generation.native_finish_reason,
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

LEVEL: Final[Table] = {
    **WHO,
    "span.type": lambda _: "span",
    "span.level": lambda _: "DEFAULT",
}
"""A level above generations (root, intermediate), in OpenRouter's vocabulary."""

CONVENTIONAL_STEPS: Final[Mapping[str, Table]] = {
    "chain": {"error.type": error_type},
    "tool": {
        "gen_ai.operation.name": lambda _: "execute_tool",
        "gen_ai.tool.name": lambda step: step.attribution.generation_name,
        "error.type": error_type,
    },
    "retriever": {"gen_ai.operation.name": lambda _: "retrieval", "error.type": error_type},
}
"""
Kind of a run → what its span carries beside a level's. A chain has no operation: it may be a workflow, an agent or
neither, and the conventions want none named by those who cannot tell.
"""


class Vocabulary(NamedTuple):
    """How one dialect names things."""

    generation: Table
    level: Table
    metadata: tuple[str, ...]
    """What the user's own keys are sent under; captures carry each of them twice."""
    level_metadata: tuple[str, ...]
    steps: Mapping[str, Table]
    """By the kind of the run."""


VOCABULARIES: Final[Mapping[Dialect, Vocabulary]] = {
    "openrouter": Vocabulary(OPENROUTER, LEVEL, ("trace.metadata.", "span.metadata."), ("trace.metadata.",), {}),
    "semconv": Vocabulary(SEMCONV, WHO, ("trace.metadata.",), ("trace.metadata.",), CONVENTIONAL_STEPS),
}
