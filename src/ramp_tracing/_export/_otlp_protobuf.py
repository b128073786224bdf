"""OTLP as protobuf, for collectors. Importing this costs tens of milliseconds, so only who needs it does."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2

from ._resource import SCOPE_NAME, SCOPE_VERSION, resource_attributes
from ._settings import ExportSettings
from ._span import Span, SpanEvent, Value


class ProtobufEncoding:
    """Spans to protobuf, each by itself: a span is encoded once however often its batch is put together anew."""

    def __init__(self, settings: ExportSettings) -> None:
        self._resource = Resource(attributes=_attributes(resource_attributes(settings)))
        self._scope = InstrumentationScope(name=SCOPE_NAME, version=SCOPE_VERSION)

    def encode(self, span: Span) -> bytes:
        """
        One span, as a ``ScopeSpans`` message with nothing else in it.

        Such messages, one after the other, are by protobuf's rules one message with all the spans.
        """
        encoded: bytes = trace_pb2.ScopeSpans(spans=[_span(span)]).SerializeToString()
        return encoded

    def join(self, spans: Sequence[bytes]) -> bytes:
        """One ``ExportTraceServiceRequest`` with the encoded *spans*."""
        scope_spans = trace_pb2.ScopeSpans(scope=self._scope)
        scope_spans.MergeFromString(b"".join(spans))
        resource_spans = trace_pb2.ResourceSpans(resource=self._resource, scope_spans=[scope_spans])
        body: bytes = ExportTraceServiceRequest(resource_spans=[resource_spans]).SerializeToString()
        return body


def _span(span: Span) -> trace_pb2.Span:
    return trace_pb2.Span(
        trace_id=bytes.fromhex(span.trace_id),
        span_id=bytes.fromhex(span.span_id),
        parent_span_id=bytes.fromhex(span.parent_span_id or ""),
        name=span.name,
        kind=trace_pb2.Span.SpanKind.ValueType(span.kind),
        start_time_unix_nano=span.start,
        end_time_unix_nano=span.end,
        status=_status(span),
        attributes=_attributes(span.attributes),
        events=[_event(event) for event in span.events],
    )


def _status(span: Span) -> trace_pb2.Status:
    return trace_pb2.Status(code=trace_pb2.Status.StatusCode.ValueType(span.status), message=span.status_message or "")


def _event(event: SpanEvent) -> trace_pb2.Span.Event:
    return trace_pb2.Span.Event(time_unix_nano=event.time, name=event.name, attributes=_attributes(event.attributes))


def _attributes(attributes: Mapping[str, Value]) -> list[KeyValue]:
    return [KeyValue(key=key, value=VALUES[type(value)](value)) for key, value in attributes.items()]


VALUES: Final[Mapping[type, Callable[[Any], AnyValue]]] = {
    str: lambda value: AnyValue(string_value=value),
    bool: lambda value: AnyValue(bool_value=value),
    int: lambda value: AnyValue(int_value=value),
    float: lambda value: AnyValue(double_value=value),
    Decimal: lambda value: AnyValue(double_value=float(value)),
    tuple: lambda value: AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=item) for item in value])),
}
"""Type of a value → OTLP's wrapper around it. Money is a double here: protobuf has nothing finer."""
