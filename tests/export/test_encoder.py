"""From generations to the bytes of a request, in JSON and in protobuf."""

import json
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from export_samples import DOCUMENTED, FULL, PLAIN, prepare, read_body
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import ramp_tracing._export._encoder as encoder_module
from ramp_tracing._export import EncodeError, Encoder, ExportSettings, UnifiedEncoder, connection_test_body
from ramp_tracing._record import Attribution, Cost, GenerationId, Usage
from ramp_tracing._state import state


def protobuf_value(value: Any) -> Any:
    """An attribute's value as JSON would have it; doubles as decimals."""
    kind = value.WhichOneof("value")
    found = getattr(value, kind)
    if kind == "array_value":
        return [protobuf_value(each) for each in found.values]
    return Decimal(repr(found)) if kind == "double_value" else found


def json_value(pair: tuple[str, Any]) -> Any:
    """The same of a value from JSON."""
    kind, found = pair
    if kind == "arrayValue":
        return [each["stringValue"] for each in found["values"]]
    return Decimal(repr(float(found))) if kind == "doubleValue" else found


def protobuf_span(span: Any) -> dict[str, Any]:
    """A span from protobuf, to be compared with one from JSON."""
    return {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex() or None,
        "name": span.name,
        "kind": span.kind,
        "start": span.start_time_unix_nano,
        "end": span.end_time_unix_nano,
        "status": (span.status.code, span.status.message),
        "attributes": {each.key: protobuf_value(each.value) for each in span.attributes},
        "events": [
            (event.name, event.time_unix_nano, {each.key: each.value.string_value for each in event.attributes})
            for event in span.events
        ],
    }


def json_span(sent: Any) -> dict[str, Any]:
    """The same of a span from JSON."""
    span = sent.span
    return {
        **{key: span.get(key) for key in ("traceId", "spanId", "parentSpanId", "name", "kind")},
        "start": int(span["startTimeUnixNano"]),
        "end": int(span["endTimeUnixNano"]),
        "status": (span["status"]["code"], span["status"].get("message", "")),
        "attributes": {key: json_value(pair) for key, pair in sent.attributes.items()},
        "events": [
            (
                event["name"],
                int(event["timeUnixNano"]),
                {each["key"]: each["value"]["stringValue"] for each in event["attributes"]},
            )
            for event in span.get("events", [])
        ],
    }


def read_protobuf(body: bytes) -> list[dict[str, Any]]:
    """The spans of a request in protobuf."""
    [resource_spans] = ExportTraceServiceRequest.FromString(body).resource_spans
    [scope_spans] = resource_spans.scope_spans
    assert "ramp_tracing" == scope_spans.scope.name
    return [protobuf_span(span) for span in scope_spans.spans]


def encode(*generations: Any, **settings: Any) -> bytes:
    """One request with *generations*."""
    encoder = Encoder(ExportSettings(**settings))
    return encoder.body([encoder.prepare(each) for each in generations])


SEVERAL = (DOCUMENTED, replace(FULL, id=GenerationId("chatcmpl-2")), replace(PLAIN, id=GenerationId("chatcmpl-3")))

metadata = st.dictionaries(
    st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
)
counts = st.none() | st.integers(min_value=0)


class TestProtobuf:
    @pytest.mark.parametrize("dialect", ["openrouter", "semconv"])
    def test_equals_json(self, dialect: str) -> None:
        """Both encodings say the same of the same spans."""
        in_json = [json_span(sent) for sent in read_body(encode(*SEVERAL, dialect=dialect))]
        assert in_json == read_protobuf(encode(*SEVERAL, dialect=dialect, protocol="http/protobuf"))

    @settings(max_examples=100, deadline=None)
    @given(metadata, counts, counts)
    def test_equals_json_for_anything(self, given: dict[str, object], tokens: int | None, cached: int | None) -> None:
        """Both encodings say the same whatever users and providers put into a record."""
        generation = replace(
            PLAIN,
            attribution=Attribution(metadata=given),
            usage=Usage(input_tokens=tokens, cache_read_tokens=cached),
        )
        in_json = [json_span(sent) for sent in read_body(encode(generation))]
        assert in_json == read_protobuf(encode(generation, protocol="http/protobuf"))

    def test_money_is_a_double(self) -> None:
        """Protobuf has nothing finer than a double; it is the one nearest to the decimal."""
        cost = Cost(total=Decimal("0.0000202500"), source="provider")
        [span] = read_protobuf(encode(replace(PLAIN, cost=cost), protocol="http/protobuf"))
        assert Decimal("0.00002025") == span["attributes"]["gen_ai.usage.total_cost"]

    def test_resource(self) -> None:
        """The resource is the same in both."""
        body = encode(PLAIN, protocol="http/protobuf", service_name="expenses")
        [resource_spans] = ExportTraceServiceRequest.FromString(body).resource_spans
        resource = {each.key: each.value.string_value for each in resource_spans.resource.attributes}
        assert ("expenses", "ramp_tracing") == (resource["service.name"], resource["telemetry.sdk.name"])


class TestEncoder:
    def test_content_type(self) -> None:
        """Each protocol has its media type."""
        assert "application/json" == Encoder(ExportSettings()).content_type
        assert "application/x-protobuf" == Encoder(ExportSettings(protocol="http/protobuf")).content_type

    @pytest.mark.parametrize("protocol", ["http/json", "http/protobuf"])
    def test_same_bytes_again(self, protocol: str) -> None:
        """The same generations give the same bytes, from another encoder and in another process too."""
        assert encode(*SEVERAL, protocol=protocol) == encode(*SEVERAL, protocol=protocol)

    @pytest.mark.parametrize("protocol", ["http/json", "http/protobuf"])
    def test_size(self, protocol: str) -> None:
        """The sizes of what goes into a request, and a constant for the resource, bound the size of the request."""
        prepared = [prepare(each, protocol=protocol) for each in SEVERAL]
        size = len(Encoder(ExportSettings(protocol=protocol)).body(prepared))
        assert size <= sum(each.size_bytes for each in prepared) + 1_000
        alone = prepare(PLAIN, protocol=protocol)
        assert alone.size_bytes < len(Encoder(ExportSettings(protocol=protocol)).body([alone]))

    def test_nothing(self) -> None:
        """A request of nothing is still a request."""
        assert [] == read_body(Encoder(ExportSettings()).body([]))

    def test_spans(self) -> None:
        """The generation's span comes first, then what stands above it, from the inside."""
        assert ["Analyze Report", "Read", "Expense Processing Pipeline"] == [span.name for span in prepare(FULL).spans]

    def test_shows_no_content(self) -> None:
        """The repr of something prepared does not quote its bytes."""
        assert "encoded" not in repr(prepare(PLAIN))

    def test_unencodable_content(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A call whose content cannot be encoded is sent without it."""
        spans_of = encoder_module.spans_of

        def refuse_content(generation: Any, settings: Any) -> Any:
            if generation.content is not None:
                raise RecursionError
            return spans_of(generation, settings)

        monkeypatch.setattr(encoder_module, "spans_of", refuse_content)
        [own, _] = read_body(encode(DOCUMENTED))
        assert 42 == own.values["gen_ai.usage.input_tokens"]
        assert "gen_ai.prompt" not in own.values

    @pytest.mark.parametrize("protocol", ["http/json", "ramp/unified"])
    def test_unpublishable_record(self, monkeypatch: pytest.MonkeyPatch, protocol: Any) -> None:
        """What cannot be made into spans for the user's exporters is sent whole all the same."""
        spans_of = encoder_module.spans_of

        def refuse_conventions(generation: Any, settings: Any) -> Any:
            if settings.dialect == "semconv":
                raise RecursionError
            return spans_of(generation, settings)

        monkeypatch.setattr(state, "strict", False)
        monkeypatch.setattr(encoder_module, "spans_of", refuse_conventions)
        settings = ExportSettings(protocol=protocol, published_dialect="semconv")
        encoder: Any = (UnifiedEncoder if protocol == "ramp/unified" else Encoder)(settings)
        prepared = encoder.prepare(DOCUMENTED)
        assert () == prepared.published
        alone: Any = (UnifiedEncoder if protocol == "ramp/unified" else Encoder)(ExportSettings(protocol=protocol))
        assert alone.prepare(DOCUMENTED).encoded == prepared.encoded

    def test_unencodable_record(self) -> None:
        """A record that is no record raises one kind of error, which quotes nothing."""
        with pytest.raises(EncodeError, match=r"^The record cannot be encoded \(AttributeError\)$") as raised:
            prepare(replace(DOCUMENTED, usage=None))
        assert raised.value.__cause__ is None


class TestConnectionTest:
    def test_json(self) -> None:
        """The connection test is OpenRouter's span, now, from our service, and no usage at all."""
        [sent] = read_body(connection_test_body())
        start = int(sent.span["startTimeUnixNano"])
        assert {
            "traceId": "00000000000000000000000000000001",
            "spanId": "0000000000000001",
            "name": "openrouter-connection-test",
            "kind": 1,
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(start + 1_000_000),
            "status": {"code": 1},
            "attributes": [],
        } == sent.span

    def test_settings(self) -> None:
        """Service and protocol are those of the export."""
        body = connection_test_body(ExportSettings(service_name="expenses", protocol="http/protobuf"))
        [span] = read_protobuf(body)
        assert "openrouter-connection-test" == span["name"]
        assert b"expenses" in body


HEAVY = ("opentelemetry", "google.protobuf", "genai_prices", "openai", "litellm", "langchain_core")

IMPORTS = f"""
import json, sys
import ramp_tracing._export as export
loaded = lambda: sorted(name for name in sys.modules if name.startswith({HEAVY!r}))
first = loaded()
export.SpanPublisher([], export.ExportSettings())
encoder = export.Encoder(export.ExportSettings(protocol="http/protobuf"))
encoder.content_type, export.connection_test_body()
print(json.dumps([first, loaded()]))
"""


def test_imports_nothing_heavy() -> None:
    """Neither the import nor the making of encoder and publisher loads OpenTelemetry, protobuf or a price table."""
    ran = subprocess.run([sys.executable, "-c", IMPORTS], check=True, capture_output=True, text=True, timeout=120)
    assert [[], []] == json.loads(ran.stdout)
