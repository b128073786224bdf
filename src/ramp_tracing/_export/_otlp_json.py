"""OTLP/HTTP JSON as OpenRouter writes it: ids in hexadecimal, instants as decimal text, integers as numbers."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import orjson

from ._resource import SCOPE_NAME, SCOPE_VERSION, resource_attributes
from ._settings import ExportSettings
from ._span import Span, SpanEvent, Value
from ._values import plain_notation

MAX_BEGINNINGS: Final = 1_024
"""Of attributes: our own keys, and those of the user's metadata, which a loop may make up."""


class JsonEncoding:
    """Spans to JSON, each by itself, so that a span is encoded once however often its batch is put together anew."""

    def __init__(self, settings: ExportSettings) -> None:
        resource = orjson.Fragment(_attributes(resource_attributes(settings)))
        head: dict[str, object] = {
            "resource": {"attributes": resource},
            "scopeSpans": [{"scope": {"name": SCOPE_NAME, "version": SCOPE_VERSION}, "spans": []}],
        }
        self._before, self._after = orjson.dumps({"resourceSpans": [head]}).rsplit(b"[]", 1)

    def encode(self, span: Span) -> bytes:
        """One span as a JSON object."""
        return _span(span)

    def join(self, spans: Sequence[bytes]) -> bytes:
        """One ``ExportTraceServiceRequest`` with the encoded *spans*."""
        return b"".join((self._before, b"[", b",".join(spans), b"]", self._after))


def _span(span: Span) -> bytes:
    """
    Put together from the encodings of its values.

    A tree of dictionaries for all of it takes twice as long to make, and to encode, as its values alone.
    """
    head: dict[str, object] = {"traceId": span.trace_id, "spanId": span.span_id}
    if span.parent_span_id is not None:
        head["parentSpanId"] = span.parent_span_id
    head["name"] = span.name
    head["kind"] = int(span.kind)
    head["startTimeUnixNano"] = str(span.start)
    head["endTimeUnixNano"] = str(span.end)
    head["status"] = _status(span)
    pieces = [orjson.dumps(head)[:-1], b',"attributes":', _attributes(span.attributes)]
    if span.events:
        pieces += (b',"events":[', b",".join(map(_event, span.events)), b"]")
    return b"".join((*pieces, b"}"))


def _status(span: Span) -> dict[str, object]:
    code = int(span.status)
    return {"code": code} if span.status_message is None else {"code": code, "message": span.status_message}


def _event(event: SpanEvent) -> bytes:
    head = orjson.dumps({"timeUnixNano": str(event.time), "name": event.name})[:-1]
    return b"".join((head, b',"attributes":', _attributes(event.attributes), b"}"))


def _attributes(attributes: Mapping[str, Value]) -> bytes:
    pieces = [
        _before(key) + orjson.dumps(value) if type(value) is str else _encoded(key, value)
        for key, value in attributes.items()
    ]
    return b"[%b}}]" % b"}},".join(pieces) if pieces else b"[]"


@lru_cache(maxsize=MAX_BEGINNINGS)
def _before(key: str) -> bytes:
    """All of an attribute that stands before its value, which is a text."""
    return _key(key) + b'"stringValue":'


@lru_cache(maxsize=MAX_BEGINNINGS)
def _key(key: str) -> bytes:
    return b'{"key":%b,"value":{' % orjson.dumps(key)


def _encoded(key: str, value: Value) -> bytes:
    return _key(key) + ENCODERS[type(value)](value)


def _texts(items: tuple[str, ...]) -> bytes:
    return b'"arrayValue":' + orjson.dumps({"values": [{"stringValue": item} for item in items]})


def _number(amount: Decimal) -> bytes:
    """Digit by digit: a float on the way would print 0.1 + 0.2 as 0.30000000000000004."""
    return b'"doubleValue":' + plain_notation(amount).encode()


ENCODERS: Final[Mapping[type, Callable[[Any], bytes]]] = {
    bool: lambda value: b'"boolValue":true' if value else b'"boolValue":false',
    int: lambda value: b'"intValue":%d' % value,
    float: lambda value: b'"doubleValue":' + orjson.dumps(value),
    Decimal: _number,
    tuple: _texts,
}
"""Type of a value → OTLP's name of it, and the value; nearly all others are texts."""
