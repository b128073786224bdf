"""A span as it is sent: whole, closed, and independent of any tracing library."""

from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from enum import IntEnum
from types import MappingProxyType

from .._dataclass import dataclass
from .._record import UnixNanos

Value = str | bool | int | float | Decimal | tuple[str, ...]
"""What an attribute can hold. A `Decimal` is a double on the wire, and keeps all its digits where it is text."""

NO_ATTRIBUTES: Mapping[str, Value] = MappingProxyType({})


class Kind(IntEnum):
    """The span kinds in use, with OTLP's numbers."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3


class StatusCode(IntEnum):
    """How it ended, with OTLP's numbers."""

    UNSET = 0
    OK = 1
    ERROR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanEvent:
    """Something that happened within a span."""

    name: str
    time: UnixNanos
    attributes: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """
    One span.

    Attributes:
        name: For people.
        kind: `Kind.CLIENT` for a generation; what stands above it has the kind that its dialect says.
        trace_id: 32 lower-case hexadecimal digits.
        span_id: 16 lower-case hexadecimal digits.
        parent_span_id: 16 lower-case hexadecimal digits; `None` for a root.
        start: When it began.
        end: When it ended; never before *start*.
        status: How it ended.
        status_message: Why, if that was badly.
        attributes: Key → value, in the order of the table they come from.
        events: What happened within.
    """

    name: str
    kind: Kind
    trace_id: str
    span_id: str
    parent_span_id: str | None
    start: UnixNanos
    end: UnixNanos
    status: StatusCode = StatusCode.OK
    status_message: str | None = None
    attributes: Mapping[str, Value] = field(default_factory=lambda: NO_ATTRIBUTES)
    events: tuple[SpanEvent, ...] = ()
