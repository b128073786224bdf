"""OTLP/HTTP JSON as OpenRouter writes it: ids in hexadecimal, instants as decimal text, integers as numbers."""

from collections.abc import Sequence
from typing import Final

import orjson

from ._attributes import STANDING, VOCABULARIES
from ._json_attributes import END, Writing, array_of, pieces_of
from ._resource import SCOPE_NAME, SCOPE_VERSION, resource_attributes
from ._settings import ExportSettings
from ._span import Span, SpanEvent
from ._unread import Unread


class JsonEncoding:
    """Spans to JSON, each by itself, so that a span is encoded once however often its batch is put together anew."""

    def __init__(self, settings: ExportSettings) -> None:
        resource = orjson.Fragment(array_of(list(pieces_of(resource_attributes(settings)))))
        head: dict[str, object] = {
            "resource": {"attributes": resource},
            "scopeSpans": [{"scope": {"name": SCOPE_NAME, "version": SCOPE_VERSION}, "spans": []}],
        }
        self._dialect = settings.dialect
        self._writing = Writing(VOCABULARIES[settings.dialect].generation, STANDING)
        self._before, self._after = orjson.dumps({"resourceSpans": [head]}).rsplit(b"[]", 1)

    def encode(self, span: Span) -> bytes:
        """One span as a JSON object."""
        attributes = span.attributes
        if isinstance(attributes, Unread) and attributes.dialect == self._dialect:
            written = self._writing.write(attributes.generation)
            if attributes.generation.attribution.metadata:
                written = [*pieces_of(attributes.metadata), *written]
            return _span(span, written)
        return _span(span, list(pieces_of(attributes)))

    def join(self, spans: Sequence[bytes]) -> bytes:
        """One ``ExportTraceServiceRequest`` with the encoded *spans*."""
        return b"".join((self._before, b"[", b",".join(spans), b"]", self._after))


def _span(span: Span, attributes: list[bytes]) -> bytes:
    """Put together from JSON: ids are hexadecimal digits, and all else but the name is numbers."""
    parent = "" if span.parent_span_id is None else f'"parentSpanId":"{span.parent_span_id}",'
    ids = f'{{"traceId":"{span.trace_id}","spanId":"{span.span_id}",{parent}"name":'
    times = REST % (span.kind, span.start, span.end, span.status)
    message = b"" if span.status_message is None else b',"message":' + orjson.dumps(span.status_message)
    events = b',"events":[%b]' % b",".join(map(_event, span.events)) if span.events else b""
    name, written, behind = orjson.dumps(span.name), END.join(attributes), b"}}]" if attributes else b"]"
    return b"".join((ids.encode(), name, times, message, ATTRIBUTES, written, behind, events, b"}"))


REST: Final = b',"kind":%d,"startTimeUnixNano":"%d","endTimeUnixNano":"%d","status":{"code":%d'
ATTRIBUTES: Final = b'},"attributes":['


def _event(event: SpanEvent) -> bytes:
    head = orjson.dumps({"timeUnixNano": str(event.time), "name": event.name})[:-1]
    return b"".join((head, b',"attributes":', array_of(list(pieces_of(event.attributes))), b"}"))
