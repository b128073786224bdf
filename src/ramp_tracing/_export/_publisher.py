"""
The user's own span exporters: they get every span, best effort, and whatever they do changes nothing else.

The OpenTelemetry SDK takes a quarter of a second of CPU to import. That is spent by the thread that publishes, and
only where there is something to publish to.
"""

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

from .._guard import guarded
from ._encoder import Prepared
from ._settings import ExportSettings
from ._spans import merge

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from ._sdk_pipeline import SdkPipeline


class SpanPublisher:
    """
    Publishes spans to OpenTelemetry span exporters, each behind a batch processor of its own. No method raises.

    Args:
        exporters: The user's exporters.
        settings: What the export was told.
    """

    def __init__(self, exporters: "Sequence[SpanExporter]", settings: ExportSettings) -> None:
        self._exporters = tuple(exporters)
        self._settings = settings
        self._lock = Lock()
        self._pipeline: SdkPipeline | None = None
        self._closed = not self._exporters
        self._failed = False

    def publish(self, prepared: Sequence[Prepared]) -> None:
        """Hand over the spans of *prepared*; returns at once, except that the first call imports the SDK."""
        if self._closed or self._failed:
            return
        with guarded("publishing to the application's span exporters"):
            self._failed = True  # unless the next line comes back: what cannot be imported now never can
            pipeline = self._opened()
            self._failed = False
            if pipeline is not None:
                pipeline.publish(merge(span for each in prepared for span in each.published))

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until the exporters have been given everything; False if that took longer."""
        pipeline = self._pipeline
        if pipeline is None:
            return True
        flushed = False
        with guarded("flushing the application's span exporters"):
            flushed = pipeline.flush(timeout_seconds)
        return flushed

    def shutdown(self, timeout_seconds: float) -> bool:
        """Give the exporters what is left and shut them down; False if that took longer. Later calls do nothing."""
        with self._lock:
            pipeline, self._pipeline, self._closed = self._pipeline, None, True
        if pipeline is None:
            return True
        ended = False
        with guarded("shutting down the application's span exporters"):
            ended = pipeline.shutdown(timeout_seconds)
        return ended

    def _opened(self) -> "SdkPipeline | None":
        """Imported outside the lock, which `shutdown` may be waiting for on the application's thread."""
        from ._sdk_pipeline import SdkPipeline

        with self._lock:
            if self._pipeline is None and not self._closed:
                self._pipeline = SdkPipeline(self._exporters, self._settings)
            return self._pipeline
