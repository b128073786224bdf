"""The documented request, from its record to JSON."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from export_samples import DOCUMENTED, attributes_in, export, export_one, read_body, shared_samples

from ramp_tracing._export import Encoder, ExportSettings
from ramp_tracing._record import Failure

OPENROUTER_KEYS = {
    "trace.name": ("stringValue", "Expense Processing Pipeline"),
    "user.id": ("stringValue", "user_12345"),
    "session.id": ("stringValue", "session_abc"),
    "trace.metadata.department": ("stringValue", "finance"),
    "trace.metadata.cost_center": ("stringValue", "CC-1234"),
    "span.metadata.department": ("stringValue", "finance"),
    "span.metadata.cost_center": ("stringValue", "CC-1234"),
    "span.type": ("stringValue", "generation"),
    "span.level": ("stringValue", "DEFAULT"),
    "gen_ai.operation.name": ("stringValue", "chat"),
    "gen_ai.system": ("stringValue", "openai"),
    "gen_ai.provider.name": ("stringValue", "openai"),
    "gen_ai.request.model": ("stringValue", "openai/gpt-4o"),
    "gen_ai.response.model": ("stringValue", "openai/gpt-4o"),
    "gen_ai.response.id": ("stringValue", "gen-1767225600-SyntheticExample0001"),
    "gen_ai.usage.input_tokens": ("intValue", 42),
    "gen_ai.usage.output_tokens": ("intValue", 118),
    "gen_ai.usage.total_tokens": ("intValue", 160),
    "gen_ai.usage.input_cost": ("doubleValue", Decimal("0.000105")),
    "gen_ai.usage.output_cost": ("doubleValue", Decimal("0.00118")),
    "gen_ai.usage.total_cost": ("doubleValue", Decimal("0.001285")),
    "gen_ai.prompt": ("stringValue", '{"messages":[{"role":"user","content":"Analyze this expense report..."}]}'),
    "gen_ai.completion": ("stringValue", '{"completion":"The report is within policy.","reasoning":null}'),
    "gen_ai.usage.input_tokens.cached": ("intValue", 0),
    "gen_ai.usage.output_tokens.reasoning": ("intValue", 0),
    "gen_ai.response.finish_reasons": ("stringValue", '["stop"]'),
    "gen_ai.response.finish_reason": ("stringValue", "stop"),
    "trace.metadata.openrouter.first_token_ms": ("doubleValue", Decimal("512.0")),
    "trace.metadata.openrouter.inter_token_latency_ms": ("doubleValue", Decimal("11.367521367521368")),
    "trace.metadata.openrouter.provider_name": ("stringValue", "OpenAI"),
    "trace.metadata.openrouter.finish_reason": ("stringValue", "stop"),
}
STANDARD_KEYS = {
    "gen_ai.usage.cache_read.input_tokens": ("intValue", 0),
    "gen_ai.usage.reasoning.output_tokens": ("intValue", 0),
    "gen_ai.conversation.id": ("stringValue", "session_abc"),
    "gen_ai.request.stream": ("boolValue", True),
    "gen_ai.response.time_to_first_chunk": ("doubleValue", Decimal("0.512")),
    "server.address": ("stringValue", "openrouter.ai"),
    "server.port": ("intValue", 443),
    "ramp.library": ("stringValue", "openai"),
    "ramp.cost.source": ("stringValue", "provider"),
    "gen_ai.usage.cost.amount": ("doubleValue", Decimal("0.001285")),
    "gen_ai.usage.cost.currency": ("stringValue", "USD"),
    "gen_ai.usage.cost.source": ("stringValue", "provider"),
}
CONTENT_KEYS = {"gen_ai.prompt", "gen_ai.completion"}
SECRETS = ("Analyze this expense report", "within policy")

NOT_CARRIED = {
    "trace.metadata.openrouter.source",
    "trace.metadata.openrouter.api_key_name",
    "trace.metadata.openrouter.provider_slug",
    "trace.metadata.openrouter.input_unit_price",
    "trace.metadata.openrouter.output_unit_price",
}
"""Keys of the sample that only OpenRouter can know; `docs/attributes.md` gives the reason of each."""


def test_attributes_of_the_documented_example() -> None:
    """The documented request is sent with exactly these keys, types and values."""
    assert OPENROUTER_KEYS | STANDARD_KEYS == export_one(DOCUMENTED).attributes


def test_span_of_the_documented_example() -> None:
    """Name, kind, ids, times and status are those of the documented request; the trace's name is a root above it."""
    sent, root = export(DOCUMENTED)
    assert {key: value for key, value in sent.span.items() if key != "attributes"} == {
        "traceId": "a5475f808fa6162b8e6ef2f8c7720f77",
        "spanId": "c3052046bd4b0789",
        "parentSpanId": root.span["spanId"],
        "name": "Analyze Report",
        "kind": 3,
        "startTimeUnixNano": "1767225600000000000",
        "endTimeUnixNano": "1767225601842000000",
        "status": {"code": 1},
    }


def documented_sample(name: str) -> dict[str, Any]:
    """The one span in a file of synthetic samples."""
    document = json.loads((shared_samples() / name).read_bytes(), parse_float=Decimal)
    span: dict[str, Any] = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    return span


def test_equals_the_shared_sample() -> None:
    """Every key of the exact sample is sent with the same type and value, except those that only OpenRouter knows."""
    sample = documented_sample("synthetic-documented-example-openrouter-exact.json")
    # The sample is the call alone; a root above it is our reading of `trace_name`.
    [sent] = export(replace(DOCUMENTED, attribution=replace(DOCUMENTED.attribution, trace_name=None)))
    wanted = {key: value for key, value in attributes_in(sample).items() if key not in NOT_CARRIED}
    named = sent.attributes | {"trace.name": ("stringValue", "Expense Processing Pipeline")}
    assert wanted == {key: named[key] for key in wanted}
    assert NOT_CARRIED == {key for key in attributes_in(sample) if key not in named}
    assert {**sample, "attributes": []} == {**sent.span, "attributes": []}


def test_equals_the_shared_private_sample() -> None:
    """In privacy mode the keys of the private sample are sent, and no others than without content."""
    sample = attributes_in(documented_sample("synthetic-documented-example-dual-privacy.json"))
    sent = export_one(DOCUMENTED, privacy_mode=True).attributes
    assert {key: value for key, value in sample.items() if key not in NOT_CARRIED}.items() <= sent.items()
    assert {
        "trace.metadata.openrouter.inter_token_latency_ms",
        "ramp.library",
        "ramp.cost.source",
        "gen_ai.usage.cost.amount",
        "gen_ai.usage.cost.currency",
        "gen_ai.usage.cost.source",
    } == (sent.keys() - sample.keys())


@pytest.mark.parametrize("dialect", ["openrouter", "semconv"])
@pytest.mark.parametrize("protocol", ["http/json", "http/protobuf"])
def test_privacy_mode(dialect: str, protocol: str) -> None:
    """In privacy mode no byte of content is sent, even where the record holds some, nor the text of a failure."""
    failed = replace(
        DOCUMENTED, failure=Failure(type="BadRequestError", message="echo: within policy", status_code=400)
    )
    encoder = Encoder(ExportSettings(dialect=dialect, protocol=protocol, privacy_mode=True))
    body = encoder.body([encoder.prepare(failed)])
    assert not [secret for secret in SECRETS if secret.encode() in body]
    assert b"cost_center" in body
    assert b"user_12345" in body


def test_privacy_mode_takes_content_only() -> None:
    """Privacy mode leaves out the two content keys and nothing else."""
    sent = export_one(DOCUMENTED, privacy_mode=True).attributes
    assert (OPENROUTER_KEYS | STANDARD_KEYS).keys() - CONTENT_KEYS == sent.keys()


def test_body_is_one_request() -> None:
    """A body has one resource and one scope, and names the service, its version and this package."""
    encoder = Encoder(ExportSettings(service_name='expenses [] "x"', service_version="7"))
    body = encoder.body([encoder.prepare(DOCUMENTED)])
    document = json.loads(body)
    [resource_spans] = document["resourceSpans"]
    resource = {key: value for key, (_, value) in attributes_in(resource_spans["resource"]).items()}
    assert 'expenses [] "x"' == resource["service.name"]
    assert "7" == resource["service.version"]
    assert "ramp_tracing" == resource["telemetry.sdk.name"]
    assert "ramp_tracing" == resource_spans["scopeSpans"][0]["scope"]["name"]
    assert 2 == len(read_body(body))
