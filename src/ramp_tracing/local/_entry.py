"""One call as the ledger keeps it, and how it is read from a span."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from .._received import ReceivedEvent, ReceivedSpan

PLACES: Final = 10
"""Ramp keeps ``Decimal(20, 10)``."""

UNITS_PER_DOLLAR: Final = 10**PLACES
"""Money is kept as whole numbers of 10⁻¹⁰ US dollars, so that sums are exact in any engine."""

MAX_UNITS: Final = 2**63 - 1
"""What a column holds: 922 million dollars for one call."""

BROADCAST_SOURCE: Final = "openrouter"
"""Ramp keeps one record for each source and event id; this is the source of everything that comes as a span."""

FAILED: Final = 2
"""OTLP's status of a span that failed."""

METADATA: Final = "trace.metadata."

NOT_METADATA: Final = "openrouter."
"""What stands below `METADATA` and is not the user's: measurements and names that Broadcast puts there."""

UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
"""Halves of surrogate pairs, which JSON can spell and UTF-8 cannot, and the end of C's texts."""


MAX_DIGITS: Final = 30
"""Of a number that is written without exponent: some would fill the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    One billable call.

    Attributes:
        source: Which way it came: ``openrouter`` for spans, what the sender says for unified events.
        event_id: By which the source tells calls apart; a later entry with the same one replaces the earlier.
        start: Nanoseconds since 1970.
        duration: Nanoseconds; `None` where only the start is known.
        failed: Whether the call failed.
        texts: Texts by column, `TEXTS`; what is not known is not there.
        numbers: Whole numbers by column, `COUNTS` and `MONEY`; what is not known is not there.
        metadata: The user's own keys.
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits.
        parent_span_id: 16 hexadecimal digits.
        name: Of the span.
        attributes: Everything that was sent, for whoever looks at this one call.
        events: Failures with their text.
    """

    source: str
    event_id: str
    start: int
    duration: int | None
    failed: bool
    texts: Mapping[str, str]
    numbers: Mapping[str, int]
    metadata: Mapping[str, str]
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    name: str | None = None
    attributes: Mapping[str, object] = field(default_factory=dict[str, object])
    events: tuple[ReceivedEvent, ...] = ()


TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "model": ("gen_ai.response.model", "gen_ai.request.model"),
    "provider": ("gen_ai.provider.name", "gen_ai.system"),
    "served_by": ("trace.metadata.openrouter.provider_name", "ramp.upstream_provider"),
    "user_id": ("user.id",),
    "session_id": ("session.id", "gen_ai.conversation.id"),
    "trace_name": ("trace.name",),
    "operation": ("gen_ai.operation.name",),
    "library": ("ramp.library",),
    "tier": ("gen_ai.response.service_tier",),
    "finish_reason": ("gen_ai.response.finish_reason",),
    "error_type": ("error.type",),
    "cost_source": ("ramp.cost.source",),
}
"""Which attributes fill which column: the first that is there. docs/attributes.md says what they mean."""

COUNTS: Final[Mapping[str, tuple[str, ...]]] = {
    "input_tokens": ("gen_ai.usage.input_tokens",),
    "output_tokens": ("gen_ai.usage.output_tokens",),
    "total_tokens": ("gen_ai.usage.total_tokens",),
    "cached_tokens": ("gen_ai.usage.input_tokens.cached", "gen_ai.usage.cache_read.input_tokens"),
    "cache_write_tokens": (
        "gen_ai.usage.input_tokens.cache_write",
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
    ),
    "reasoning_tokens": ("gen_ai.usage.output_tokens.reasoning", "gen_ai.usage.reasoning.output_tokens"),
}

MONEY: Final[Mapping[str, tuple[str, ...]]] = {
    "cost": ("gen_ai.usage.total_cost",),
    "input_cost": ("gen_ai.usage.input_cost",),
    "output_cost": ("gen_ai.usage.output_cost",),
}
"""In units of 10⁻¹⁰ US dollars."""

MICROSECONDS: Final[Mapping[tuple[str, ...], int]] = {
    ("gen_ai.response.time_to_first_chunk",): 1_000_000,
    ("trace.metadata.openrouter.first_token_ms",): 1_000,
}
"""How many of them the number of an attribute stands for, in the order in which they are asked."""


def read_entry(span: ReceivedSpan) -> Entry:
    """
    The entry of a span that is a call.

    Raises:
        ValueError: A number in it cannot be one; the text says which.
    """
    attributes = span.attributes
    texts = {column: text for column, keys in TEXTS.items() if (text := _text(attributes, keys)) is not None}
    service = span.resource.get("service.name")
    return Entry(
        source=BROADCAST_SOURCE,
        event_id=_text(attributes, ("gen_ai.response.id",)) or span.span_id,
        start=fitting(span.start, "startTimeUnixNano"),
        duration=max(0, fitting(span.end, "endTimeUnixNano") - span.start) if span.end else None,
        failed=span.status == FAILED,
        texts=texts if service is None else {**texts, "service": storable(service)},
        numbers=_numbers(attributes),
        metadata=_metadata(attributes),
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        name=storable(span.name),
        attributes=attributes,
        events=span.events,
    )


def units(amount: Decimal, name: str) -> int:
    """
    *amount* US dollars in whole units of 10⁻¹⁰.

    Raises:
        ValueError: It is no amount that a call can cost; the text says so of *name*.
    """
    if not amount.is_finite() or not 0 <= amount <= Decimal(MAX_UNITS) / UNITS_PER_DOLLAR:
        raise ValueError(f"{name} is no amount of money")
    return int((amount * UNITS_PER_DOLLAR).to_integral_value())


def dollars(amount: int) -> Decimal:
    """Units of 10⁻¹⁰ as US dollars, with all ten places."""
    return Decimal(amount).scaleb(-PLACES)


def money_text(amount: int) -> str:
    """Units of 10⁻¹⁰ as US dollars: a plain decimal with all ten places, without exponent."""
    return f"{dollars(amount):f}"


def storable(value: object) -> str:
    """*value* as a text that a database takes: what no UTF-8 can spell is replaced by U+FFFD."""
    if isinstance(value, Decimal):
        text = f"{value:f}" if abs(value.adjusted()) <= MAX_DIGITS else str(value)
    else:
        text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _text(attributes: Mapping[str, object], keys: tuple[str, ...]) -> str | None:
    return next((storable(attributes[key]) for key in keys if attributes.get(key) not in (None, "")), None)


def _numbers(attributes: Mapping[str, object]) -> dict[str, int]:
    found: dict[str, int] = {}
    for column, keys in COUNTS.items():
        key = next((key for key in keys if key in attributes), None)
        if key is not None:
            found[column] = count(attributes[key], key)
    for column, [key] in MONEY.items():
        if key in attributes:
            found[column] = units(_decimal(attributes[key], key), key)
    for [key], factor in MICROSECONDS.items():
        if key in attributes and "first_token" not in found:
            found["first_token"] = fitting(int(_decimal(attributes[key], key) * factor), key)
    return found


def count(value: object, name: str) -> int:
    """
    *value* as a number of tokens.

    Raises:
        ValueError: It is none; the text says so of *name*.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} is no count")
    return fitting(value, name)


def fitting(number: int, name: str) -> int:
    """
    *number*, if a column can hold it.

    Raises:
        ValueError: It cannot; the text says so of *name*.
    """
    if abs(number) > MAX_UNITS:
        raise ValueError(f"{name} is too large")
    return number


def _decimal(value: object, name: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not (number := Decimal(value)).is_finite():
        raise ValueError(f"{name} is no number")
    # As a whole number, 1e999999999 would fill the memory.
    if not -MAX_UNITS <= number <= MAX_UNITS:
        raise ValueError(f"{name} is too large")
    return number


def _metadata(attributes: Mapping[str, object]) -> dict[str, str]:
    return {
        storable(name): storable(value)
        for key, value in attributes.items()
        if (name := key.removeprefix(METADATA)) != key and name and not name.startswith(NOT_METADATA)
    }
