"""
A private piece of the OpenTelemetry SDK: processors and exporters, without provider, tracer and sampler.

Spans are born whole. Everything that the SDK would otherwise take from the environment (sampler, limits, resource,
batch sizes, ``OTEL_SDK_DISABLED``) is either given here or belongs to parts that are not used.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from inspect import signature
from threading import Lock, Thread
from typing import Any, Final

from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, TraceFlags
from opentelemetry.trace import StatusCode as SdkStatusCode
from opentelemetry.util.types import AttributeValue

from .._guard import guarded
from ._resource import SCOPE_NAME, SCOPE_VERSION, resource_attributes
from ._settings import ExportSettings
from ._span import Kind, Span, SpanEvent, StatusCode, Value

MAX_WAITING_SPANS: Final = 2048
"""Per exporter; what does not fit is dropped by the SDK, which says so. Ramp's own copy is safe in the journal."""

MAX_BATCH_SPANS: Final = 512
SECONDS_BETWEEN_BATCHES: Final = 1.0
EXPORT_TIMEOUT_SECONDS: Final = 30.0
FLUSH_MILLIS: Final = 30_000


class SdkPipeline:
    """One batch processor for each exporter."""

    def __init__(self, exporters: Sequence[SpanExporter], settings: ExportSettings) -> None:
        self._resource = Resource(resource_attributes(settings))
        self._scope = InstrumentationScope(SCOPE_NAME, SCOPE_VERSION)
        self._outlets = [Outlet(GuardedExporter(exporter)) for exporter in exporters]

    def publish(self, spans: Sequence[Span]) -> None:
        """Put *spans* in every exporter's queue."""
        for span in spans:
            readable = self._readable(span)
            for outlet in self._outlets:
                outlet.put(readable)

    def flush(self, timeout_seconds: float) -> bool:
        """Export what is queued; False if that takes longer, or has not come back since an earlier time."""
        until = time.monotonic() + timeout_seconds
        begun = [outlet.flush(until) for outlet in self._outlets]
        done = [each.wait(until) for each in begun]
        return all(done)

    def shutdown(self, timeout_seconds: float) -> bool:
        """Export what is queued and shut the exporters down; False if that takes longer."""
        until = time.monotonic() + timeout_seconds
        begun = [outlet.shutdown(until) for outlet in self._outlets]
        done = [each.wait(until) for each in begun]
        return all(done)

    def _readable(self, span: Span) -> ReadableSpan:
        parent = span.parent_span_id
        return ReadableSpan(
            name=span.name,
            context=_context(span.trace_id, span.span_id),
            parent=None if parent is None else _context(span.trace_id, parent),
            resource=self._resource,
            attributes=_attributes(span.attributes),
            events=[_event(event) for event in span.events],
            kind=KINDS[span.kind],
            status=Status(STATUS_CODES[span.status], span.status_message),
            start_time=span.start,
            end_time=span.end,
            instrumentation_scope=self._scope,
        )


class Errand:
    """Something that an exporter is to do, on a thread of its own: it may never come back."""

    def __init__(self, call: Callable[[], object], until: float) -> None:
        self._thread = Thread(target=call, name="ramp-tracing-exporters", daemon=True)
        self._until = until
        self._thread.start()

    @property
    def is_out(self) -> bool:
        """Whether it has not come back."""
        return self._thread.is_alive()

    def wait(self, until: float) -> bool:
        """
        Wait for it, but never longer than whoever sent it meant to: so one that is stuck is waited for once.

        Args:
            until: An instant of `time.monotonic`.

        Returns:
            Whether it has come back.
        """
        self._thread.join(max(0.0, min(until, self._until) - time.monotonic()))
        return not self.is_out


class Outlet:
    """An exporter behind a batch processor. The SDK's own timeouts are not kept, or cannot be given."""

    def __init__(self, exporter: "GuardedExporter") -> None:
        self._exporter = exporter
        self._processor = _processor(exporter)
        self._lock = Lock()
        self._flushing: Errand | None = None

    def put(self, span: ReadableSpan) -> None:
        """Queue *span*."""
        self._processor.on_end(span)

    def flush(self, until: float) -> Errand:
        """Begin to export what is queued; one that has begun takes along what has come since."""
        with self._lock:
            if self._flushing is None or not self._flushing.is_out:
                self._flushing = Errand(self._flush, until)
            return self._flushing

    def shutdown(self, until: float) -> Errand:
        """Begin to export what is queued, and to shut the exporter down."""
        return Errand(self._processor.shutdown, until)

    def _flush(self) -> None:
        self._processor.force_flush()
        self._exporter.force_flush()


class GuardedExporter(SpanExporter):
    """The user's exporter; what it raises ends as a log line of ours, without the span that the SDK would print."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Pass *spans* on."""
        result = SpanExportResult.FAILURE
        with guarded("exporting to a span exporter of the application"):
            result = self._exporter.export(spans)
        return result

    def force_flush(self, timeout_millis: int = FLUSH_MILLIS) -> bool:
        """Have it send what it keeps itself; the SDK's processor does not ask for that."""
        flushed = True
        if callable(flush := getattr(self._exporter, "force_flush", None)):
            with guarded("flushing a span exporter of the application"):
                flushed = bool(flush(timeout_millis))
        return flushed

    def shutdown(self) -> None:
        """Shut it down."""
        with guarded("shutting down a span exporter of the application"):
            self._exporter.shutdown()


def _processor(exporter: SpanExporter) -> BatchSpanProcessor:
    return BatchSpanProcessor(
        exporter,
        max_queue_size=MAX_WAITING_SPANS,
        schedule_delay_millis=SECONDS_BETWEEN_BATCHES * 1000,
        max_export_batch_size=MAX_BATCH_SPANS,
        export_timeout_millis=EXPORT_TIMEOUT_SECONDS * 1000,
        **_own_metrics(),
    )


def _own_metrics() -> dict[str, Any]:
    """Newer SDKs count spans on the application's meter provider, or on one that the environment names."""
    if "meter_provider" in signature(BatchSpanProcessor).parameters:
        return {"meter_provider": NoOpMeterProvider()}
    return {}


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _event(event: SpanEvent) -> Event:
    return Event(event.name, attributes=_attributes(event.attributes), timestamp=event.time)


def _attributes(attributes: Mapping[str, Value]) -> dict[str, AttributeValue]:
    return {key: float(value) if isinstance(value, Decimal) else value for key, value in attributes.items()}


KINDS: Final[Mapping[Kind, SpanKind]] = {
    Kind.INTERNAL: SpanKind.INTERNAL,
    Kind.SERVER: SpanKind.SERVER,
    Kind.CLIENT: SpanKind.CLIENT,
}

STATUS_CODES: Final[Mapping[StatusCode, SdkStatusCode]] = {
    StatusCode.UNSET: SdkStatusCode.UNSET,
    StatusCode.OK: SdkStatusCode.OK,
    StatusCode.ERROR: SdkStatusCode.ERROR,
}
