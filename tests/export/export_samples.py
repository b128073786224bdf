"""Generations to export, and readers of what comes out: written down here, so that no test trusts the encoder."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ramp_tracing._export import Encoder, ExportSettings, Prepared
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

REPOSITORY = Path(__file__).parents[2]
STARTED = UnixNanos(1_767_225_600_000_000_000)
ENDED = UnixNanos(1_767_225_601_842_000_000)
TRACE_ID = "a5475f808fa6162b8e6ef2f8c7720f77"
SPAN_PARENT = SpanParent("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")

PLAIN = Generation(
    id=GenerationId("gen-1767225600-SyntheticExample0001"),
    operation="chat",
    library="openai",
    timing=Timing(started=STARTED, ended=ENDED),
)
"""A call of which nothing is known but that it happened."""

DOCUMENTED = replace(
    PLAIN,
    timing=Timing(started=STARTED, ended=ENDED, first_chunk=UnixNanos(STARTED + 512_000_000)),
    provider="openrouter",
    upstream_provider="OpenAI",
    server_address="openrouter.ai",
    server_port=443,
    request_model="openai/gpt-4o",
    response_model="openai/gpt-4o",
    response_id="gen-1767225600-SyntheticExample0001",
    finish_reasons=("stop",),
    native_finish_reason="stop",
    streamed=True,
    usage=Usage(input_tokens=42, output_tokens=118, total_tokens=160, cache_read_tokens=0, reasoning_tokens=0),
    cost=Cost(input=Decimal("0.000105"), output=Decimal("0.00118"), total=Decimal("0.001285"), source="provider"),
    attribution=Attribution(
        user="user_12345",
        session_id="session_abc",
        trace_id=TRACE_ID,
        trace_name="Expense Processing Pipeline",
        generation_name="Analyze Report",
        metadata={"department": "finance", "cost_center": "CC-1234"},
    ),
    content=Content(
        input={"messages": [{"role": "user", "content": "Analyze this expense report..."}]},
        output={"completion": "The report is within policy.", "reasoning": None},
    ),
)
"""The request that WIRE section 2 and OpenRouter's documentation work through."""

FULL = replace(
    DOCUMENTED,
    provider="openai",
    response_id="chatcmpl-replayed",
    service_tier="flex",
    inference_geo="us",
    cost=Cost(
        total=Decimal("0.001285"),
        input=Decimal("0.000105"),
        output=Decimal("0.00118"),
        source="provider",
        price_list="a list",
        price_date="2026-11-03",
    ),
    parameters={
        "temperature": 0.5,
        "top_p": 1,
        "top_k": 40,
        "frequency_penalty": 0,
        "presence_penalty": -1.5,
        "max_completion_tokens": 100,
        "seed": 7,
        "n": 2,
        "dimensions": 256,
    },
    retries=2,
    usage=Usage(
        input_tokens=42,
        output_tokens=118,
        total_tokens=160,
        cache_read_tokens=1,
        cache_write_tokens=2,
        cache_write_5m_tokens=11,
        cache_write_1h_tokens=12,
        cache_write_12h_tokens=13,
        reasoning_tokens=3,
        input_audio_tokens=4,
        output_audio_tokens=5,
        input_image_tokens=6,
        output_image_tokens=7,
        input_video_tokens=13,
        cached_audio_tokens=14,
        cached_image_tokens=15,
        accepted_prediction_tokens=16,
        rejected_prediction_tokens=17,
        input_characters=8,
        audio_seconds=Decimal("9.5"),
        video_seconds=Decimal("18.5"),
        images=10,
        hosted_tool_calls={"web_search_call": 2},
        estimated=True,
    ),
    pending=True,
    content_lost=True,
    failure=Failure(type="RateLimitError", message="You said: hello", status_code=429, code="insufficient_quota"),
    attribution=replace(DOCUMENTED.attribution, span_name="Read", parent_span_id="step 7"),
)
"""A record with everything in it, so that its span has every key there is."""


@dataclass(frozen=True)
class Sent:
    """A span read back from JSON; attributes are pairs of OTLP's type and value, doubles are decimals."""

    span: Mapping[str, Any]
    attributes: Mapping[str, tuple[str, Any]]

    @property
    def values(self) -> dict[str, Any]:
        """The attributes without their types."""
        return {key: value for key, (_, value) in self.attributes.items()}


def attributes_in(holder: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """The attributes of a span, an event or a resource; each key must be there once."""
    pairs = [(each["key"], next(iter(each["value"].items()))) for each in holder["attributes"]]
    assert len(pairs) == len(dict(pairs))
    return dict(pairs)


def read_body(body: bytes) -> list[Sent]:
    """The spans of a request in JSON."""
    [resource_spans] = json.loads(body, parse_float=Decimal)["resourceSpans"]
    [scope_spans] = resource_spans["scopeSpans"]
    return [Sent(span, attributes_in(span)) for span in scope_spans["spans"]]


def export(generation: Generation, **settings: Any) -> list[Sent]:
    """The spans that *generation* is sent as."""
    encoder = Encoder(ExportSettings(**settings))
    return read_body(encoder.body([encoder.prepare(generation)]))


def export_one(generation: Generation, **settings: Any) -> Sent:
    """The generation's own span."""
    return export(generation, **settings)[0]


def prepare(generation: Generation, **settings: Any) -> Prepared:
    """*generation*, ready to be sent and to be published."""
    return Encoder(ExportSettings(**{"published_dialect": "openrouter", **settings})).prepare(generation)


def shared_samples() -> Path:
    """The folder of captured payloads, which is not part of the repository."""
    folder = Path(os.environ.get("RAMP_TRACING_SHARED", REPOSITORY.parent / "shared")) / "wire-samples"
    if not folder.is_dir():
        pytest.skip("the captured payloads are not there; RAMP_TRACING_SHARED names the folder that holds them")
    return folder
