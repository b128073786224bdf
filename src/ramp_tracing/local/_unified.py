"""Unified events, the other way into Ramp: https://docs.ramp.com, "AI Usage Tracking"."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final, cast

from ._entry import Entry, count, fitting, storable, units

MAX_EVENTS: Final = 50
"""Ramp takes no more in one request."""

NANOSECONDS: Final = 1_000_000_000

Json = Mapping[str, object]
"""A JSON object whose values nobody has looked at."""

COUNTS: Final[Mapping[str, str]] = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cached_tokens",
    "cache_write_input_tokens": "cache_write_tokens",
    "reasoning_output_tokens": "reasoning_tokens",
}
"""Which field of the usage fills which column."""

TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "model": ("", "model"),
    "provider": ("", "provider"),
    "user_id": ("attribution", "user_id"),
    "session_id": ("attribution", "session_id"),
    "tier": ("pricing_context", "service_tier"),
    "cost_source": ("reported_cost", "provenance"),
}
"""Which field, of which part of the event, fills which column."""


def read_events(body: bytes) -> list[Entry]:
    """
    Read the body of a request with unified events.

    Raises:
        ValueError: It is none; the text says where it goes wrong.
    """
    document = _object(json.loads(body, parse_float=Decimal), "the request")
    events = document.get("events")
    if not isinstance(events, list) or not 0 < len(cast(list[object], events)) <= MAX_EVENTS:
        raise ValueError(f"events is not a list of 1 to {MAX_EVENTS}")
    return [_read_event(_object(each, "events")) for each in cast(list[object], events)]


def _read_event(event: Json) -> Entry:
    usage = _object(event.get("usage"), "usage")
    if not isinstance(usage.get("meters"), list):
        raise ValueError("usage.meters is required")
    parts = {part: _object(event.get(part) or {}, part) for part in ("attribution", "pricing_context", "reported_cost")}
    tags = _object(parts["attribution"].get("tags") or {}, "tags")
    return Entry(
        source=_required(event, "source"),
        event_id=_required(event, "event_id"),
        start=_instant(_required(event, "occurred_at")),
        duration=None,
        failed=False,
        texts={
            column: storable(value)
            for column, (part, name) in TEXTS.items()
            if (value := {"": event, **parts}[part].get(name)) not in (None, "")
        },
        numbers=_numbers(usage, parts["reported_cost"]),
        metadata={storable(key): storable(value) for key, value in tags.items() if value is not None},
        attributes=event,
    )


def _numbers(usage: Json, cost: Json) -> dict[str, int]:
    found = {column: count(usage[key], key) for key, column in COUNTS.items() if usage.get(key) is not None}
    if cost:
        if cost.get("currency") != "USD":
            raise ValueError("reported_cost.currency is not USD")
        found["cost"] = units(_amount(cost.get("amount")), "reported_cost.amount")
    return found


def _amount(value: object) -> Decimal:
    if not isinstance(value, str):
        raise ValueError("reported_cost.amount is not a text")
    try:
        return Decimal(value)
    except InvalidOperation:
        raise ValueError("reported_cost.amount is no number") from None


def _instant(text: str) -> int:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("occurred_at has no time zone")
    # A float of seconds would be off by hundreds of nanoseconds.
    whole = int(at.replace(microsecond=0).timestamp())
    return fitting(whole * NANOSECONDS + at.microsecond * 1_000, "occurred_at")


def _required(event: Json, name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is required")
    return storable(value)


def _object(value: object, name: str) -> Json:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not an object")
    return cast(Json, value)
