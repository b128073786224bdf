"""Readers of a generation that the tables of both dialects share. `None` means unknown, and is left out."""

from collections.abc import Callable, Mapping
from typing import Final

import orjson

from .._capture import json_text
from .._record import Cost, Failure, Generation
from ._ids import unusable_parent
from ._values import JsonText, exact, finite, short_id, sound, sound_text, whole

Reader = Callable[[Generation], object]
"""One attribute's value."""

Table = Mapping[str, Reader]
"""Key → reader."""

OPENAI_HOSTS: Final = frozenset({"openai", "azure.ai.openai"})
"""Providers that answer as OpenAI does, tiers included."""


def user_id(generation: Generation) -> str | None:
    """Who the call is charged to."""
    return short_id("user.id", generation.attribution.user)


def session_id(generation: Generation) -> str | None:
    """The conversation or job."""
    return short_id("session.id", generation.attribution.session_id)


def unusable_parent_id(generation: Generation) -> str | None:
    """A ``parent_span_id`` that is no span id; it is kept as metadata."""
    return unusable_parent(generation.attribution)


def level(generation: Generation) -> str:
    """``ERROR`` for a call that did not end well."""
    return "DEFAULT" if generation.failure is None else "ERROR"


def failure_message(generation: Generation) -> str | None:
    """Why it failed: the provider's words, or only type and status where those must not leave."""
    failure = generation.failure
    if failure is None:
        return None
    return sound_text(failure.message) if failure.message else _failure_without_words(failure)


def failure_type(generation: Generation) -> str | None:
    """The exception's class, or the provider's type of error."""
    failure = generation.failure
    return None if failure is None else failure.type or "Error"


def error_type(generation: Generation) -> str | None:
    """The HTTP status as text where there was an answer, else the type; so OpenTelemetry's conventions want it."""
    failure = generation.failure
    if failure is None or failure.status_code is None:
        return failure_type(generation)
    return str(failure.status_code)


def failure_code(generation: Generation) -> str | None:
    """The provider's error code."""
    failure = generation.failure
    return None if failure is None else failure.code


def foreign_response_id(generation: Generation) -> str | None:
    """The provider's id of the answer, where the generation has one of its own (a replayed answer)."""
    return None if generation.response_id == generation.id else generation.response_id


def conventional_finish_reasons(generation: Generation) -> tuple[str, ...]:
    """All choices'; ``error`` for a call that failed before it had any, as OpenTelemetry's conventions want it."""
    if generation.failure is None or generation.finish_reasons or generation.operation not in GENERATING:
        return generation.finish_reasons
    return (BROKEN_OFF,)


def first_finish_reason(generation: Generation) -> str | None:
    """The first choice's."""
    return generation.finish_reasons[0] if generation.finish_reasons else None


def finish_reasons_json(generation: Generation) -> str | None:
    """All choices', as JSON text."""
    reasons = sound(generation.finish_reasons) if generation.finish_reasons else None
    return None if reasons is None else orjson.dumps(reasons).decode()


def openai_service_tier(generation: Generation) -> str | None:
    """The tier of an answer of OpenAI's, which has a convention of its own."""
    return generation.service_tier if generation.provider in OPENAI_HOSTS else None


def milliseconds_to_first_token(generation: Generation) -> float | None:
    """From the request to the first piece of a stream."""
    nanos = _nanos_to_first_chunk(generation)
    return None if nanos is None else nanos / 1e6


def seconds_to_first_chunk(generation: Generation) -> float | None:
    """The same in OpenTelemetry's unit."""
    nanos = _nanos_to_first_chunk(generation)
    return None if nanos is None else nanos / 1e9


def milliseconds_between_tokens(generation: Generation) -> float | None:
    """Time after the first token, per further token; OpenRouter reckons it in the same way."""
    timing, tokens = generation.timing, generation.usage.output_tokens
    if timing.first_chunk is None or tokens is None or tokens < 2:
        return None
    nanos = timing.ended - timing.first_chunk
    return nanos / 1e6 / (tokens - 1) if nanos >= 0 else None


def amounts_of(generation: Generation) -> Cost | None:
    """The cost, if its total is an amount that can be sent; of one whose total is not, nothing is."""
    cost = generation.cost
    return None if cost is None or exact(cost.total) is None else cost


def currency(_generation: Generation) -> str:
    """Of every amount, by ISO 4217."""
    return "USD"


def conventional_cost_source(generation: Generation) -> str | None:
    """``provider`` for what was received with the answer, also from a gateway; ``local`` for what we reckoned."""
    cost = generation.cost
    if cost is None:
        return None
    return "provider" if cost.source in RECEIVED else "local"


RECEIVED: Final = frozenset({"provider", "gateway"})

GENERATING: Final = frozenset({"chat", "text_completion"})
"""Operations whose answers have finish reasons."""

BROKEN_OFF: Final = "error"


def number(name: str) -> Reader:
    """A reader of a request parameter that is a double."""
    return lambda generation: finite(generation.parameters.get(name)) if generation.parameters else None


def integer(*names: str) -> Reader:
    """A reader of a request parameter that is an integer, by the first of its *names* that was given."""

    def read(generation: Generation) -> int | None:
        if not generation.parameters:
            return None
        given = (generation.parameters[name] for name in names if name in generation.parameters)
        return whole(next(given, None))

    return read


def if_true(read: Callable[[Generation], bool]) -> Reader:
    """A reader that says nothing instead of False."""
    return lambda generation: True if read(generation) else None


def input_json(generation: Generation) -> JsonText | None:
    """What was asked, as JSON text."""
    content = generation.content
    return None if content is None or content.input is None else JsonText(json_text(content.input))


def output_json(generation: Generation) -> JsonText | None:
    """What was answered, as JSON text."""
    content = generation.content
    return None if content is None or content.output is None else JsonText(json_text(content.output))


def resends(generation: Generation) -> int | None:
    """How often the client library tried again; nothing where it did not."""
    return generation.retries or None


def hosted_tool_calls_json(generation: Generation) -> str | None:
    """Calls of tools that the provider runs, by kind, as JSON text."""
    calls = generation.usage.hosted_tool_calls
    return json_text(dict(calls)) if calls else None


def _nanos_to_first_chunk(generation: Generation) -> int | None:
    timing = generation.timing
    if timing.first_chunk is None or timing.first_chunk < timing.started:
        return None
    return timing.first_chunk - timing.started


def _failure_without_words(failure: Failure) -> str:
    kind = failure.type or "Error"
    return kind if failure.status_code is None else f"{kind} (HTTP {failure.status_code})"
