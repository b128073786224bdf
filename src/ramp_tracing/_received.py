"""What a receiver reads from an OTLP request: spans as plain Python values. The opposite of `_export`, and strict."""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from importlib import import_module
from typing import Final, cast

JsonObject = Mapping[str, object]
"""A JSON object whose values nobody has looked at."""

CALLS_ALONE: Final = frozenset({"gen_ai.request.model", "ramp.library"})
"""Attributes of calls, and of no level or step above them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEvent:
    """
    Something that happened during a span: an ``exception``.

    Attributes:
        name: What.
        time: When, in nanoseconds since 1970.
        attributes: As in `ReceivedSpan`.
    """

    name: str
    time: int = 0
    attributes: dict[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSpan:
    """
    One span as it arrived.

    Attributes:
        name: ``LLM Generation``, or what the application called it.
        kind: OTLP's number: 1 internal, 2 server, 3 client.
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits.
        parent_span_id: 16 hexadecimal digits; `None` for a root.
        start: Nanoseconds since 1970.
        end: Nanoseconds since 1970.
        status: OTLP's number: 0 unset, 1 ok, 2 error.
        message: What went wrong.
        events: What happened meanwhile.
        resource: The attributes of the resource: ``service.name``…
        attributes: By key: `str`, `int`, `bool`, `list`, `dict`; doubles are `decimal.Decimal`, digit by digit as sent.
    """

    name: str
    kind: int = 0
    trace_id: str
    span_id: str
    parent_span_id: str | None = None
    start: int
    end: int
    status: int = 0
    message: str | None = None
    events: tuple[ReceivedEvent, ...] = ()
    resource: dict[str, object] = field(default_factory=dict[str, object])
    attributes: dict[str, object] = field(default_factory=dict[str, object])

    @property
    def is_generation(self) -> bool:
        """
        Whether the span is a billable model call.

        Broadcast says so. OpenTelemetry's conventions have no word for it; there a call is what names a model, and
        ours also what names the library that was called.
        """
        kind = self.attributes.get("span.type")
        return kind == "generation" or (kind is None and not CALLS_ALONE.isdisjoint(self.attributes))


def read_spans(body: bytes, content_type: str) -> list[ReceivedSpan]:
    """
    Read an ``ExportTraceServiceRequest``.

    Args:
        body: JSON or protobuf, unpacked.
        content_type: Says which.

    Returns:
        The spans in the order in which they stand there.

    Raises:
        ValueError: The body is not such a request; the text says where it goes wrong.
    """
    document = _parsed_protobuf(body) if "protobuf" in content_type else json.loads(body, parse_float=Decimal)
    return [
        _read_span(span, _attributes(_object(resource_spans, "resource")))
        for resource_spans in _objects(_as_object(document, "the request"), "resourceSpans")
        for span in _spans_in(resource_spans)
    ]


def read_events(body: bytes) -> list[dict[str, object]]:
    """
    Read a request of Ramp's unified events.

    Returns:
        The events as they stand there, 1 to 50.

    Raises:
        ValueError: The body is not such a request, or an event has a field too few or one too many.
    """
    document = _as_object(json.loads(body), "the request")
    if document.get("schema_version") != "1.0":
        raise ValueError("schema_version is not 1.0")
    events = _objects(document, "events")
    if not 0 < len(events) <= MAX_EVENTS:
        raise ValueError(f"events is not a list of 1 to {MAX_EVENTS}")
    return [_checked_event(each) for each in events]


def _checked_event(event: JsonObject) -> dict[str, object]:
    for name, allowed in EVENT_FIELDS.items():
        part = _object(event, name) if name else event
        if not part.keys() <= allowed:
            raise ValueError(f"there are fields too many: {sorted(part.keys() - allowed)}")
    for name in ("event_id", "source", "occurred_at", "provider", "model"):
        if not _text(event.get(name)):
            raise ValueError(f"{name} is empty")
    if not isinstance(_object(event, "usage").get("meters"), list):
        raise ValueError("usage.meters is required")
    cost = _object(event, "reported_cost")
    if cost and not AMOUNT.fullmatch(_text(cost.get("amount"))):
        raise ValueError("reported_cost.amount is no plain decimal number")
    return dict(event)


MAX_EVENTS: Final = 50

AMOUNT: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")

EVENT_FIELDS: Final[Mapping[str, Set[str]]] = {
    "": {
        "event_id", "source", "occurred_at", "provider", "model", "usage", "pricing_context", "reported_cost",
        "attribution",
    },
    "usage": {
        "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_write_input_tokens",
        "reasoning_output_tokens", "meters",
    },
    "pricing_context": {"service_tier", "fast_mode", "session_created_at", "long_context"},
    "reported_cost": {"amount", "currency", "provenance", "estimated"},
    "attribution": {"session_id", "turn_id", "user_id", "tags"},
}  # fmt: skip
"""Part of an event → what may stand in it."""


def _spans_in(resource_spans: JsonObject) -> Iterator[JsonObject]:
    for scope_spans in _objects(resource_spans, "scopeSpans"):
        yield from _objects(scope_spans, "spans")


def _read_span(span: JsonObject, resource: dict[str, object]) -> ReceivedSpan:
    status = _object(span, "status")
    return ReceivedSpan(
        name=_text(span.get("name")),
        kind=_integer(span.get("kind", 0)),
        trace_id=_id(span.get("traceId"), digits=32),
        span_id=_id(span.get("spanId"), digits=16),
        parent_span_id=_id(span["parentSpanId"], digits=16) if span.get("parentSpanId") else None,
        start=_integer(span.get("startTimeUnixNano")),
        end=_integer(span.get("endTimeUnixNano")),
        status=_integer(status.get("code", 0)),
        message=_text(status["message"]) if "message" in status else None,
        events=tuple(_read_event(each) for each in _objects(span, "events")),
        resource=resource,
        attributes=_attributes(span),
    )


def _read_event(event: JsonObject) -> ReceivedEvent:
    return ReceivedEvent(
        name=_text(event.get("name")),
        time=_integer(event.get("timeUnixNano", 0)),
        attributes=_attributes(event),
    )


def _attributes(holder: JsonObject, key: str = "attributes") -> dict[str, object]:
    read: dict[str, object] = {}
    for each in _objects(holder, key):
        name = _text(each.get("key"))
        if name in read:
            raise ValueError(f"the attribute {name} is there twice")
        read[name] = _value(_object(each, "value"))
    return read


def _value(value: JsonObject) -> object:
    if len(value) != 1 or not value.keys() <= VALUES.keys():
        raise ValueError(f"not a value: {sorted(value)}")
    [(kind, content)] = value.items()
    return VALUES[kind](content)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is missing or no text")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("a boolean is neither true nor false")
    return value


def _integer(value: object) -> int:
    # OTLP/JSON allows 64-bit integers as texts, and prescribes them for times.
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("a number is missing or no whole number")
    return int(value)


def _double(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise ValueError("a double is no number")
    try:
        return Decimal(value)
    except InvalidOperation:
        raise ValueError("a double is no number") from None


def _id(value: object, *, digits: int) -> str:
    if not isinstance(value, str) or not re.fullmatch(rf"[0-9a-f]{{{digits}}}", value) or not value.strip("0"):
        raise ValueError(f"an id is not {digits} lower-case hexadecimal digits")
    return value


def _array(value: object) -> list[object]:
    return [_value(each) for each in _objects(_as_object(value, "arrayValue"), "values")]


def _object(holder: JsonObject, key: str) -> JsonObject:
    return _as_object(holder.get(key, {}), key)


def _objects(holder: JsonObject, key: str) -> list[JsonObject]:
    listed = holder.get(key, [])
    if not isinstance(listed, list):
        raise ValueError(f"{key} is not a list")
    return [_as_object(each, key) for each in cast(list[object], listed)]


def _as_object(value: object, name: str) -> JsonObject:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not an object")
    return cast(JsonObject, value)


VALUES: Final[Mapping[str, Callable[[object], object]]] = {
    "stringValue": _text,
    "boolValue": _truth,
    "intValue": _integer,
    "doubleValue": _double,
    "bytesValue": _text,
    "arrayValue": _array,
    "kvlistValue": lambda value: _attributes(_as_object(value, "kvlistValue"), "values"),
}
"""How each kind of attribute value is read."""


def _parsed_protobuf(body: bytes) -> object:
    """
    The same request as OTLP/JSON has it, by protobuf's own mapping, which differs in one point: ids are in base64.

    The libraries are loaded here, because a receiver that is only sent JSON needs none of them.
    """
    service = import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    try:
        request = service.ExportTraceServiceRequest.FromString(body)
    except import_module("google.protobuf.message").DecodeError:
        raise ValueError("the body is not protobuf") from None
    text = import_module("google.protobuf.json_format").MessageToJson(request, use_integers_for_enums=True)
    return json.loads(text, parse_float=Decimal, object_hook=_with_hexadecimal_ids)


def _with_hexadecimal_ids(value: dict[str, object]) -> dict[str, object]:
    ids = {name: b64decode(str(value[name])).hex() for name in ("traceId", "spanId", "parentSpanId") if name in value}
    return value | ids
