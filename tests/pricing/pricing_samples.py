"""Calls to be priced."""

from dataclasses import replace
from datetime import UTC, datetime

from ramp_tracing._record import Generation, GenerationId, Timing, UnixNanos, Usage


def at(year: int, month: int, day: int, hour: int = 12) -> Timing:
    """A call that took a second, at that hour UTC."""
    started = int(datetime(year, month, day, hour, tzinfo=UTC).timestamp()) * 1_000_000_000
    return Timing(started=UnixNanos(started), ended=UnixNanos(started + 1_000_000_000))


TUESDAY = at(2026, 11, 3)

CALL = Generation(id=GenerationId("gen-1"), operation="chat", library="openai", timing=TUESDAY)


def call(provider: str | None, model: str | None, usage: Usage | None = None, **changes: object) -> Generation:
    """A call that *model* answered; *changes* are fields of `Generation`."""
    plain = replace(CALL, provider=provider, request_model=model, response_model=model, usage=usage or Usage())
    return replace(plain, **changes)  # type: ignore[arg-type]


def tokens(input_tokens: int | None, output_tokens: int | None = None, **parts: object) -> Usage:
    """Usage in tokens; *parts* are other fields of `Usage`."""
    return Usage(input_tokens=input_tokens, output_tokens=output_tokens, **parts)  # type: ignore[arg-type]
