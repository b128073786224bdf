"""The request that tests a connection: OpenRouter's test span, which Ramp keeps out of usage, or no event at all."""

import time
from typing import Final

from .._record import UnixNanos
from ._encoder import ENCODINGS
from ._settings import ExportSettings
from ._span import Kind, Span
from ._unified import request_of

NAME: Final = "openrouter-connection-test"
TRACE_ID: Final = f"{1:032x}"
SPAN_ID: Final = f"{1:016x}"
DURATION_NANOS: Final = 1_000_000


def connection_test_body(settings: ExportSettings | None = None) -> bytes:
    """
    The body of a connection test; it is sent with the header ``X-Test-Connection: true``.

    Args:
        settings: Service name and protocol; the defaults if left out. No event is known as a test to Ramp, so in
            unified events it is a request without any: it is refused, but only after the key was looked at.
    """
    settings = settings or ExportSettings()
    if settings.protocol == "ramp/unified":
        return request_of([])
    now = UnixNanos(time.time_ns())
    span = Span(
        name=NAME,
        kind=Kind.INTERNAL,
        trace_id=TRACE_ID,
        span_id=SPAN_ID,
        parent_span_id=None,
        start=now,
        end=UnixNanos(now + DURATION_NANOS),
    )
    encoding = ENCODINGS[settings.protocol](settings)
    return encoding.join([encoding.encode(span)])
