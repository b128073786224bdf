"""Ramp's unified events: what of a record becomes which field, and what is left out."""

import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ramp_tracing._export import ExportSettings, UnifiedEncoder
from ramp_tracing._export import _unified as unified
from ramp_tracing._received import EVENT_FIELDS, read_events
from ramp_tracing._record import (
    Attribution,
    Content,
    Cost,
    Failure,
    Generation,
    GenerationId,
    SpanParent,
    Timing,
    UnixNanos,
    Usage,
)

PAGE = Path(__file__).parents[2] / "docs" / "unified.md"

BARE = Generation(
    id=GenerationId("chatcmpl-1"),
    operation="chat",
    library="openai",
    timing=Timing(started=UnixNanos(1_784_628_300_158_999_999), ended=UnixNanos(1_784_628_302_000_000_000)),
)

FULL = replace(
    BARE,
    provider="openai",
    request_model="gpt-4o",
    response_model="gpt-4o-2024-08-06",
    service_tier="default",
    usage=Usage(input_tokens=42, output_tokens=118, cache_read_tokens=0, cache_write_tokens=7, reasoning_tokens=64),
    cost=Cost(total=Decimal("0.0000012850"), source="price_table"),
    failure=Failure(type="abandoned", message="canary"),
    content=Content(input={"messages": ["canary"]}, output={"completion": "canary"}, size_bytes=12),
    attribution=Attribution(
        user="user_12345",
        session_id="session_abc",
        trace_id="a5475f808fa6162b8e6ef2f8c7720f77",
        trace_name="Expenses",
        metadata={"department": "finance", "seats": 3, "beta": True, "list": [1, "a"], "nothing": None},
    ),
)


def event_of(generation: Generation) -> dict[str, Any]:
    encoder = UnifiedEncoder(ExportSettings(protocol="ramp/unified"))
    [event] = read_events(encoder.body([encoder.prepare(generation)]))
    return event


def test_a_whole_event() -> None:
    """Each field, and no content."""
    event = event_of(FULL)
    assert event == {
        "event_id": "chatcmpl-1",
        "source": "ramp-tracing",
        "occurred_at": "2026-07-21T10:05:00.158Z",
        "provider": "openai",
        "model": "gpt-4o-2024-08-06",
        "usage": {
            "input_tokens": 42,
            "output_tokens": 118,
            "cache_read_input_tokens": 0,
            "cache_write_input_tokens": 7,
            "reasoning_output_tokens": 64,
            "meters": [],
        },
        "pricing_context": {"service_tier": "default"},
        "reported_cost": {"amount": "0.000001285", "currency": "USD", "provenance": "price_table", "estimated": True},
        "attribution": {
            "session_id": "session_abc",
            "turn_id": "a5475f808fa6162b8e6ef2f8c7720f77",
            "user_id": "user_12345",
            "tags": {
                "department": "finance",
                "seats": "3",
                "beta": "true",
                "list": '[1,"a"]',
                "trace_name": "Expenses",
            },
        },
    }
    assert "canary" not in json.dumps(event)


def test_what_nobody_knows_is_left_out() -> None:
    """No count of 0, no price of 0; only the two names that an event needs are there in any case."""
    assert event_of(BARE) == {
        "event_id": "chatcmpl-1",
        "source": "ramp-tracing",
        "occurred_at": "2026-07-21T10:05:00.158Z",
        "provider": "unknown",
        "model": "unknown",
        "usage": {"meters": []},
    }
    assert event_of(replace(BARE, server_address="llm.example.com"))["provider"] == "llm.example.com"


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (Cost(total=Decimal(0), source="provider"), ("0", "provider", False)),
        (Cost(total=Decimal("1E+3"), source="gateway"), ("1000", "gateway", True)),
        (Cost(total=Decimal("0.00000000004"), source="custom"), ("0", "custom", True)),
        (Cost(total=Decimal("1.10"), source="provider"), ("1.1", "provider", False)),
    ],
)
def test_amounts_are_plain_decimal_texts(cost: Cost, expected: tuple[str, str, bool]) -> None:
    """Without an exponent, to ten places; only what the provider said is no estimate."""
    reported = event_of(replace(BARE, cost=cost))["reported_cost"]
    assert (reported["amount"], reported["provenance"], reported["estimated"]) == expected


def test_counts_of_somebody_elses_make_an_estimate() -> None:
    """Whoever said what it cost reckoned with them."""
    call = replace(BARE, usage=Usage(input_tokens=1, estimated=True), cost=Cost(total=Decimal(1), source="provider"))
    assert event_of(call)["reported_cost"]["estimated"] is True


def test_an_amount_that_is_none_is_no_cost() -> None:
    """An infinity is nobody's bill."""
    assert "reported_cost" not in event_of(replace(BARE, cost=Cost(total=Decimal("Infinity"), source="custom")))


def test_fast_mode_and_the_applications_own_trace() -> None:
    """A tier that costs a multiple is named twice; the active span's trace is the turn."""
    event = event_of(replace(BARE, service_tier="fast", span_parent=SpanParent("ab" * 16, "cd" * 8)))
    assert event["pricing_context"] == {"service_tier": "fast", "fast_mode": True}
    assert event["attribution"] == {"turn_id": "ab" * 16}


def test_an_id_stands_once_in_a_request() -> None:
    """A job and its end: the last word counts."""
    encoder = UnifiedEncoder(ExportSettings(protocol="ramp/unified"))
    ended = replace(BARE, usage=Usage(input_tokens=5))
    [event] = read_events(encoder.body([encoder.prepare(replace(BARE, pending=True)), encoder.prepare(ended)]))
    assert event["usage"] == {"input_tokens": 5, "meters": []}


def test_spans_are_made_only_where_somebody_gets_them() -> None:
    """The user's own exporters."""
    settings = ExportSettings(protocol="ramp/unified")
    prepared = UnifiedEncoder(settings).prepare(FULL)
    assert ((), ()) == (prepared.spans, prepared.published)
    publishing = UnifiedEncoder(replace(settings, published_dialect="openrouter"))
    assert ["LLM Generation", "Expenses"] == [each.name for each in publishing.prepare(FULL).published]


def test_the_page_names_every_field() -> None:
    """`docs/unified.md` and the tables name the same things, and no field that Ramp does not know."""
    tables = {"": unified.EVENT, "usage": unified.USAGE, "pricing_context": unified.PRICING}
    tables["attribution"] = unified.ATTRIBUTION
    sent = {f"{part}.{key}".strip(".") for part, table in tables.items() for key in table}
    sent |= {f"reported_cost.{key}" for key in EVENT_FIELDS["reported_cost"]} | {"usage.meters", "attribution.tags"}
    known = {f"{part}.{key}".strip(".") for part, keys in EVENT_FIELDS.items() for key in keys}
    named = set(re.findall(r"^\| `([a-z_.]+)` \|", PAGE.read_text(), re.MULTILINE))
    assert sent <= known
    assert named == sent
