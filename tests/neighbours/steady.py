"""Spans and events without what no two runs have in common: ids, times, ports."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ramp_tracing.testing import ReceivedSpan

VOLATILE: Final = re.compile(
    r"(^|[._-])(times?|timestamps?|duration|latency|elapsed|ttft|stack|stack_?trace|pid|process|thread|runtime|start|end"
    r"|time_to_first_\w+|first_token_ms|inter_token_latency_ms|release|server_name|created_at|completed_at|fingerprint)"
    r"([._-]|$)"
    r"|(trace|span|event|request|parent|profiler|session|observation|runtime)_?id$|_(ms|ns)$",
    re.IGNORECASE,
)
"""Keys whose values are left out. A fingerprint is made from a traceback, in which frames of ours stand."""

IDS: Final = re.compile(r"\b[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\b|\b[0-9a-f]{16}\b|0x[0-9a-f]+")
PORTS: Final = re.compile(r"127\.0\.0\.1:\d+")
SECONDS: Final = re.compile(r"\b\d+\.\d+s\b")
DATES: Final = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
TRACEBACK: Final = re.compile(r"Traceback \(most recent call last\):.*", re.DOTALL)

LEFT_OUT: Final = ((IDS, "ID"), (PORTS, "HOST"), (SECONDS, "SECONDS"), (DATES, "DATE"), (TRACEBACK, "TRACEBACK"))
"""Part of a text → what it is replaced with."""


def steady(value: object) -> Any:
    """*value* as JSON would have it, without what changes from run to run."""
    if isinstance(value, Mapping):
        return {str(key): steady(each) for key, each in sorted(value.items()) if not VOLATILE.search(str(key))}
    if isinstance(value, str):
        return _steady_text(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [steady(each) for each in value]
    if isinstance(value, bool | int | float | None):
        return value
    return steady(str(value))


def _steady_text(text: str) -> str:
    for pattern, instead in LEFT_OUT:
        text = pattern.sub(instead, text)
    return text


def of_ours(span: ReceivedSpan) -> Any:
    """One record as the receiver got it. Whose child it is depends on whether anybody's span is active."""
    attributes = {key: each for key, each in span.attributes.items() if key != "server.port"}
    events = [[each.name, each.attributes] for each in span.events]
    named = {"name": span.name, "kind": span.kind, "status": span.status, "message": span.message}
    return steady({**named, "attributes": attributes, "events": events})


def of_opentelemetry(span: Any) -> Any:
    """A `ReadableSpan` of the SDK's."""
    attributes = {key: each for key, each in (span.attributes or {}).items() if not key.endswith(".port")}
    status = [span.status.status_code.name, span.status.description]
    events = [[each.name, dict(each.attributes or {})] for each in span.events]
    named = {"name": span.name, "kind": span.kind.name, "status": status, "child": span.parent is not None}
    return steady({**named, "attributes": attributes, "events": events})
