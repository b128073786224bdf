"""
Ramp's unified events, the other way into Ramp: https://docs.ramp.com, "AI Usage Tracking".

One generation is one event. The tables say where each field is read; `docs/unified.md` says what it means. What nobody
knows is left out, and so is all content.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import orjson

from .._identity import derived_id
from .._record import Generation, UnixNanos
from ._encoder import Prepared, prepared_by, published_spans
from ._ids import trace_id_of
from ._metadata import metadata_of
from ._readers import Table, session_id, user_id
from ._settings import ExportSettings
from ._values import exact, instant, plain_notation, sound

SOURCE: Final = "ramp-tracing"
"""Ramp keeps one row for each business, source and event id."""

UNKNOWN: Final = "unknown"

BEFORE: Final = b'{"schema_version":"1.0","events":['
AFTER: Final = b"]}"

FAST: Final = "fast"
"""The tier of Anthropic's fast mode, which costs a multiple; see `_normalizers/_service_tier.py`."""


class UnifiedEncoder:
    """
    Turns generations into requests of unified events.

    Args:
        settings: What the export was told, for the spans that the user's own exporters get.
    """

    def __init__(self, settings: ExportSettings) -> None:
        self._settings = settings

    @property
    def content_type(self) -> str:
        """The ``Content-Type`` of every body."""
        return "application/json"

    def prepare(self, generation: Generation) -> Prepared:
        """
        Encode one generation.

        Raises:
            EncodeError: It cannot be encoded. Readers are total, so this is a fault of ours.
        """
        return prepared_by(self._prepared, generation)

    def body(self, prepared: Sequence[Prepared]) -> bytes:
        """One request with every id once; the last word on a job is its end."""
        return request_of(list({each.id: each.encoded for each in prepared}.values()))

    def _prepared(self, generation: Generation) -> Prepared:
        event = orjson.dumps(event_of(generation))
        published = published_spans(generation, self._settings, sent=())
        return Prepared(spans=(), encoded=event, size_bytes=len(event), published=published, id=generation.id)


def request_of(events: Sequence[bytes]) -> bytes:
    """The body of a request with these encoded events."""
    return BEFORE + b",".join(events) + AFTER


def event_of(generation: Generation) -> dict[str, object]:
    """The event of one call."""
    parts = {name: part(generation) for name, part in PARTS.items()}
    return {
        **_read(EVENT, generation),
        "usage": {**_read(USAGE, generation), "meters": ()},
        **{name: part for name, part in parts.items() if part},
    }


def _read(table: Table, generation: Generation) -> dict[str, Any]:
    read = {key: sound(reader(generation)) for key, reader in table.items()}
    return {key: value for key, value in read.items() if value is not None}


def _timestamp(nanos: UnixNanos) -> str:
    seconds, rest = divmod(instant(nanos), 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 10**6:03d}Z"


def _turn_id(generation: Generation) -> str | None:
    """The trace, if the call is part of one that others may be in, too."""
    trace_id = trace_id_of(generation)
    return None if trace_id == derived_id(generation.id, digits=32) else trace_id


def _cost(generation: Generation) -> dict[str, object]:
    """Nothing where nobody knows. What the provider did not say itself is an estimate."""
    cost = generation.cost
    amount = None if cost is None else exact(cost.total)
    if cost is None or amount is None:
        return {}
    return {
        "amount": plain_notation(amount),
        "currency": "USD",
        "provenance": cost.source,
        "estimated": cost.source != "provider" or generation.usage.estimated,
    }


def _attribution(generation: Generation) -> dict[str, object]:
    tags = _tags(generation)
    return {**_read(ATTRIBUTION, generation), **({"tags": tags} if tags else {})}


def _tags(generation: Generation) -> dict[str, str]:
    """The user's own keys, and the names of a call and of what is above it; all as text."""
    metadata = metadata_of(generation.attribution, ("",), frozenset())
    return {key: _as_tag(value) for key, value in {**metadata, **_read(NAMES, generation)}.items()}


def _as_tag(value: object) -> str:
    if isinstance(value, str):
        return value
    return plain_notation(value) if isinstance(value, Decimal) else orjson.dumps(value).decode()


EVENT: Final[Table] = {
    "event_id": lambda generation: generation.id,
    "source": lambda _: SOURCE,
    "occurred_at": lambda generation: _timestamp(generation.timing.started),
    "provider": lambda generation: generation.provider or generation.server_address or UNKNOWN,
    "model": lambda generation: generation.response_model or generation.request_model or UNKNOWN,
}

USAGE: Final[Table] = {
    "input_tokens": lambda generation: generation.usage.input_tokens,
    "output_tokens": lambda generation: generation.usage.output_tokens,
    "cache_read_input_tokens": lambda generation: generation.usage.cache_read_tokens,
    "cache_write_input_tokens": lambda generation: generation.usage.cache_write_tokens,
    "reasoning_output_tokens": lambda generation: generation.usage.reasoning_tokens,
}
"""Inclusive, as everywhere: input contains what was read from and written to caches, output contains reasoning."""

PRICING: Final[Table] = {
    "service_tier": lambda generation: generation.service_tier,
    "fast_mode": lambda generation: True if generation.service_tier == FAST else None,
}

ATTRIBUTION: Final[Table] = {"session_id": session_id, "turn_id": _turn_id, "user_id": user_id}

NAMES: Final[Table] = {
    "trace_name": lambda generation: generation.attribution.trace_name,
    "span_name": lambda generation: generation.attribution.span_name,
    "generation_name": lambda generation: generation.attribution.generation_name,
}
"""Words that a user's metadata cannot hold: `RESERVED` in `_metadata.py`."""

PARTS: Final[Mapping[str, Callable[[Generation], dict[str, Any]]]] = {
    "pricing_context": lambda generation: _read(PRICING, generation),
    "reported_cost": _cost,
    "attribution": _attribution,
}
"""What is left out if there is nothing in it."""
