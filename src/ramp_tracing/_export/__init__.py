"""
From a `Generation` to a span and to bytes; nothing else in the package knows attribute names or OpenTelemetry.

Importing this loads neither OpenTelemetry nor protobuf: the thread that sends does, when it needs them.
"""

from ._connection_test import connection_test_body
from ._encoder import EncodeError, Encoder, Prepared, RequestEncoder
from ._ids import trace_id_of
from ._publisher import SpanPublisher
from ._settings import Dialect, ExportSettings, WireProtocol
from ._span import Kind, Span, SpanEvent, StatusCode, Value
from ._unified import UnifiedEncoder

__all__ = [
    "Dialect",
    "EncodeError",
    "Encoder",
    "ExportSettings",
    "Kind",
    "Prepared",
    "RequestEncoder",
    "Span",
    "SpanEvent",
    "SpanPublisher",
    "StatusCode",
    "UnifiedEncoder",
    "Value",
    "WireProtocol",
    "connection_test_body",
    "trace_id_of",
]
