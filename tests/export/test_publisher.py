"""The user's own span exporters."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from export_samples import DOCUMENTED, FULL, PLAIN, prepare
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, StatusCode

from ramp_tracing._export import ExportSettings, SpanPublisher
from ramp_tracing._record import GenerationId
from ramp_tracing._state import state


class Kept(SpanExporter):
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []
        self.came = threading.Event()
        self.ended = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans.extend(spans)
        self.came.set()
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self.ended = True


class Raising(SpanExporter):
    """Raises whatever it is asked."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        raise RuntimeError("the backend is down")

    def shutdown(self) -> None:
        raise RuntimeError("the backend is down")


class Stuck(SpanExporter):
    """Exports for ever, until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.let_go.wait(60)
        return SpanExportResult.FAILURE


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    """Look until it is so; fail if it does not come to that."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to that in time"


def publish(*exporters: SpanExporter, generation: Any = FULL) -> SpanPublisher:
    """A publisher that was given one generation."""
    publisher = SpanPublisher(exporters, ExportSettings(service_name="expenses"))
    publisher.publish([prepare(generation)])
    return publisher


def test_spans() -> None:
    """Exporters get the spans whole: ids, parents, kinds, times, status, attributes, event and resource."""
    kept = Kept()
    publisher = publish(kept)
    assert publisher.flush(30)
    publisher.shutdown(5)
    own, middle, root = kept.spans
    prepared = prepare(FULL).spans
    assert [span.name for span in prepared] == [span.name for span in kept.spans]
    assert [int(span.span_id, 16) for span in prepared] == [span.context.span_id for span in kept.spans]
    assert {int(prepared[0].trace_id, 16)} == {span.context.trace_id for span in kept.spans}
    assert [middle.context.span_id, root.context.span_id] == [own.parent.span_id, middle.parent.span_id]
    assert root.parent is None
    assert [SpanKind.CLIENT, SpanKind.SERVER, SpanKind.SERVER] == [span.kind for span in kept.spans]
    assert (prepared[0].start, prepared[0].end) == (own.start_time, own.end_time)
    assert (StatusCode.ERROR, "You said: hello") == (own.status.status_code, own.status.description)
    assert ["exception"] == [event.name for event in own.events]
    amounts = {key: float(value) for key, value in prepared[0].attributes.items() if isinstance(value, Decimal)}
    assert {**prepared[0].attributes, **amounts} == dict(own.attributes)
    assert "expenses" == own.resource.attributes["service.name"]
    assert "ramp_tracing" == own.instrumentation_scope.name


def test_every_exporter_gets_every_span() -> None:
    """Several exporters get the same spans, and are shut down with the publisher."""
    one, other = Kept(), Kept()
    publisher = publish(one, other)
    publisher.publish([prepare(replace(PLAIN, id=GenerationId("chatcmpl-2")))])
    assert publisher.shutdown(30)
    assert 4 == len(one.spans) == len(other.spans)
    assert one.ended
    assert other.ended


def test_raising_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exporter that raises takes nothing from the others, and raises nothing here."""
    monkeypatch.setattr(state, "strict", False)
    kept = Kept()
    publisher = publish(Raising(), kept, object(), generation=PLAIN)  # type: ignore[arg-type]
    assert publisher.flush(30)
    assert publisher.shutdown(30)
    assert 1 == len(kept.spans)


def test_stuck_exporter() -> None:
    """An exporter that never comes back holds nobody up beyond the timeout."""
    stuck, kept = Stuck(), Kept()
    publisher = publish(stuck, kept, generation=PLAIN)
    before = time.monotonic()
    assert not publisher.flush(0.2)
    assert not publisher.shutdown(0.2)
    assert time.monotonic() - before < 20
    assert kept.came.wait(30)
    assert 1 == len(kept.spans)
    stuck.let_go.set()


def test_stuck_exporter_is_waited_for_once() -> None:
    """However often an application flushes: neither its time nor threads go into one that does not come back."""
    stuck = Stuck()
    publisher = publish(stuck, generation=PLAIN)
    assert not publisher.flush(0.2)
    threads = threading.active_count()
    before = time.monotonic()
    assert not any(publisher.flush(60) for _ in range(20))
    assert time.monotonic() - before < 30
    assert threads == threading.active_count()
    stuck.let_go.set()
    wait_until(lambda: publisher.flush(10))
    assert publisher.shutdown(10)


def test_exporter_that_keeps_spans_itself() -> None:
    """A flush reaches an exporter that has a buffer of its own; one without the method is left in peace."""

    class Buffering(Kept):
        """Keeps what it is given until it is flushed."""

        def __init__(self) -> None:
            super().__init__()
            self.sent: list[ReadableSpan] = []

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            self.sent.extend(self.spans)
            return True

    class Bare:
        """Has no such method."""

        def export(self, spans: Sequence[ReadableSpan]) -> None:
            self.seen = len(spans)

        def shutdown(self) -> None:
            """Nothing to end."""

    buffering, bare = Buffering(), Bare()
    publisher = publish(buffering, bare, generation=PLAIN)  # type: ignore[arg-type]
    assert publisher.flush(10)
    assert (1, 1) == (len(buffering.sent), bare.seen)
    publisher.shutdown(0)


def test_dialect_of_exporters() -> None:
    """Exporters get the dialect that they want, whatever is sent: the same spans by their ids, with other names."""
    kept = Kept()
    publisher = SpanPublisher([kept], ExportSettings())
    prepared = prepare(FULL, published_dialect="semconv")
    publisher.publish([prepared])
    assert publisher.shutdown(5)
    assert [int(span.span_id, 16) for span in prepared.spans] == [span.context.span_id for span in kept.spans]
    own = kept.spans[0]
    assert ("chat openai/gpt-4o", SpanKind.INTERNAL) == (own.name, kept.spans[1].kind)
    assert "gen_ai.input.messages" in own.attributes
    assert not {"gen_ai.prompt", "span.type"} & own.attributes.keys()
    assert "gen_ai.prompt" in prepared.spans[0].attributes


def test_nothing_is_prepared_for_nobody() -> None:
    """Without exporters, no second set of spans is made."""
    assert () == prepare(FULL, published_dialect=None).published


def test_after_shutdown() -> None:
    """After the shutdown nothing is published, and nothing raises."""
    kept = Kept()
    publisher = publish(kept, generation=PLAIN)
    assert publisher.shutdown(30)
    publisher.publish([prepare(DOCUMENTED)])
    assert publisher.flush(1)
    assert publisher.shutdown(1)
    assert 1 == len(kept.spans)


def test_unusable_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the SDK cannot be imported (it reads variables while it is) that is tried once."""
    monkeypatch.setattr(state, "strict", False)
    monkeypatch.setitem(sys.modules, "ramp_tracing._export._sdk_pipeline", None)
    publisher = publish(Kept(), generation=PLAIN)
    monkeypatch.delitem(sys.modules, "ramp_tracing._export._sdk_pipeline")
    publisher.publish([prepare(DOCUMENTED)])
    assert "ramp_tracing._export._sdk_pipeline" not in sys.modules
    assert publisher.flush(1)
    assert publisher.shutdown(1)


def test_without_exporters() -> None:
    """Without exporters there is nothing to do."""
    publisher = publish(generation=PLAIN)
    assert publisher.flush(0)
    assert publisher.shutdown(0)


def test_privacy() -> None:
    """Exporters get what the settings let out, nothing more."""
    kept = Kept()
    publisher = SpanPublisher([kept], ExportSettings(privacy_mode=True))
    publisher.publish([prepare(DOCUMENTED, privacy_mode=True)])
    publisher.publish([prepare(DOCUMENTED, privacy_mode=True, published_dialect="semconv")])
    assert publisher.shutdown(30)
    assert 4 == len(kept.spans)
    assert "Analyze this" not in "".join(span.to_json() for span in kept.spans)


HOSTILE = {
    "OTEL_SDK_DISABLED": "true",
    "OTEL_TRACES_SAMPLER": "always_off",
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_SERVICE_NAME": "somebody-else",
    "OTEL_RESOURCE_ATTRIBUTES": "service.name=somebody-else,secret=1",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "10",
    "OTEL_ATTRIBUTE_COUNT_LIMIT": "16",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "16",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "10",
    "OTEL_SPAN_EVENT_COUNT_LIMIT": "0",
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": "0",
    "OTEL_BSP_MAX_QUEUE_SIZE": "1",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1",
    "OTEL_BSP_SCHEDULE_DELAY": "3600000",
    "OTEL_PYTHON_METER_PROVIDER": "no_such_provider",
    "OTEL_PYTHON_TRACER_PROVIDER": "no_such_provider",
    "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED": "true",
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=secret",
}

PUBLISH = """
import json
from dataclasses import replace
from decimal import Decimal
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from export_samples import FULL, prepare
from ramp_tracing._export import SpanPublisher, ExportSettings

exporter = InMemorySpanExporter()
publisher = SpanPublisher([exporter], ExportSettings())
for number in range(3):
    publisher.publish([prepare(replace(FULL, id=f"chatcmpl-{number}"))])
publisher.flush(30)
print(json.dumps([json.loads(span.to_json()) for span in exporter.get_finished_spans()]))
publisher.shutdown(5)
"""


def published_with(environment: dict[str, str]) -> Any:
    """What an exporter gets in a process with such an environment."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    path = os.pathsep.join([os.path.dirname(__file__), *(entry for entry in sys.path if entry)])
    ran = subprocess.run(
        [sys.executable, "-c", PUBLISH],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
        env={**clean, "PYTHONPATH": path, **environment},
    )
    return json.loads(ran.stdout)


def test_hostile_environment() -> None:
    """No variable of OpenTelemetry's changes what exporters get."""
    calm = published_with({})
    assert 9 == len(calm)
    assert calm == published_with(HOSTILE)
