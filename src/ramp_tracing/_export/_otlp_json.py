"""OTLP/HTTP JSON as OpenRouter writes it: ids in hexadecimal, instants as decimal text, integers as numbers."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import orjson

from ._resource import SCOPE_NAME, SCOPE_VERSION, resource_attributes
from ._settings import ExportSettings
from ._span import Span, SpanEvent, Value
from ._values import plain_notation


class JsonEncoding:
    """Spans to JSON, each by itself, so that a span is encoded once however often its batch is put together anew."""

    def __init__(self, settings: ExportSettings) -> None:
        head: dict[str, object] = {
            "resource": {"attributes": _attributes(resource_attributes(settings))},
            "scopeSpans": [{"scope": {"name": SCOPE_NAME, "version": SCOPE_VERSION}, "spans": []}],
        }
        self._before, self._after = orjson.dumps({"resourceSpans": [head]}).rsplit(b"[]", 1)

    def encode(self, span: Span) -> bytes:
        """One span as a JSON object."""
        return orjson.dumps(_span(span))

    def join(self, spans: Sequence[bytes]) -> bytes:
        """One ``ExportTraceServiceRequest`` with the encoded *spans*."""
        return b"".join((self._before, b"[", b",".join(spans), b"]", self._after))


def _span(span: Span) -> dict[str, object]:
    encoded: dict[str, object] = {"traceId": span.trace_id, "spanId": span.span_id}
    if span.parent_span_id is not None:
        encoded["parentSpanId"] = span.parent_span_id
    encoded["name"] = span.name
    encoded["kind"] = int(span.kind)
    encoded["startTimeUnixNano"] = str(span.start)
    encoded["endTimeUnixNano"] = str(span.end)
    encoded["status"] = _status(span)
    encoded["attributes"] = _attributes(span.attributes)
    if span.events:
        encoded["events"] = [_event(event) for event in span.events]
    return encoded


def _status(span: Span) -> dict[str, object]:
    code = int(span.status)
    return {"code": code} if span.status_message is None else {"code": code, "message": span.status_message}


def _event(event: SpanEvent) -> dict[str, object]:
    return {"timeUnixNano": str(event.time), "name": event.name, "attributes": _attributes(event.attributes)}


def _attributes(attributes: Mapping[str, Value]) -> list[dict[str, object]]:
    return [
        {"key": key, "value": {"stringValue": value} if type(value) is str else VALUES[type(value)](value)}
        for key, value in attributes.items()
    ]


def _number(amount: Decimal) -> object:
    """Digit by digit: a float on the way would print 0.1 + 0.2 as 0.30000000000000004."""
    return {"doubleValue": orjson.Fragment(plain_notation(amount))}


VALUES: Final[Mapping[type, Callable[[Any], object]]] = {
    str: lambda value: {"stringValue": value},
    bool: lambda value: {"boolValue": value},
    int: lambda value: {"intValue": value},
    float: lambda value: {"doubleValue": value},
    Decimal: _number,
    tuple: lambda value: {"arrayValue": {"values": [{"stringValue": item} for item in value]}},
}
"""Type of a value → OTLP's wrapper around it."""
