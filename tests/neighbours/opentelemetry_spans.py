"""Neighbours that make OpenTelemetry spans."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from .steady import of_opentelemetry


class Spans:
    """Spans that end in memory."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.processor = SimpleSpanProcessor(self._exporter)

    def provider(self) -> TracerProvider:
        """A provider whose spans end here."""
        provider = TracerProvider()
        provider.add_span_processor(self.processor)
        return provider

    def taken(self) -> list[Any]:
        """The spans that have ended since it was asked last."""
        ended = self._exporter.get_finished_spans()
        self._exporter.clear()
        return [of_opentelemetry(each) for each in ended]


class Instrumentors:
    """
    What has the interface of OpenTelemetry's ``BaseInstrumentor``.

    Args:
        classes: Package → where its instrumentor is.
    """

    can_stop = True

    def __init__(self, classes: Mapping[str, str]) -> None:
        os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
        self.packages = tuple(classes)
        self._classes = classes
        self._spans = Spans()
        self._provider = self._spans.provider()
        self._there: list[Any] = []

    def start(self) -> None:
        found = [path.rpartition(".") for path in self._classes.values()]
        self._there = [getattr(import_module(module), name)() for module, _, name in found]
        for each in self._there:
            each.instrument(tracer_provider=self._provider)

    def stop(self) -> None:
        for each in self._there:
            each.uninstrument()
        self._there = []

    def around(self, label: str) -> AbstractContextManager[Any]:
        if not self._there:
            return nullcontext()
        span: AbstractContextManager[Any] = self._provider.get_tracer("application").start_as_current_span(label)
        return span

    def taken(self) -> list[Any]:
        return self._spans.taken()


class Logfire:
    """https://logfire.pydantic.dev/docs/integrations/llms/openai/"""

    packages = ("logfire",)
    can_stop = True

    def __init__(self) -> None:
        self._spans = Spans()

    def start(self) -> None:
        import logfire

        logfire.configure(
            send_to_logfire=False,
            console=False,
            inspect_arguments=False,
            additional_span_processors=[self._spans.processor],
        )
        self._instrumented = logfire.instrument_openai()

    def stop(self) -> None:
        with self._instrumented:  # its end takes it out
            pass

    def around(self, label: str) -> AbstractContextManager[Any]:
        return nullcontext()

    def taken(self) -> list[Any]:
        return self._spans.taken()


class Langfuse:
    """https://langfuse.com/integrations/model-providers/openai-py: an import that patches the client, for good."""

    packages = ("langfuse",)
    can_stop = False

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._client: Any = None

    def start(self) -> None:
        import langfuse

        keys = {"public_key": "pk-lf-1", "secret_key": "sk-lf-1", "host": "http://127.0.0.1:9"}
        self._client = langfuse.Langfuse(**keys, span_exporter=self._exporter, tracer_provider=TracerProvider())
        import_module("langfuse.openai")

    def stop(self) -> None:
        raise NotImplementedError

    def around(self, label: str) -> AbstractContextManager[Any]:
        if self._client is None:
            return nullcontext()
        span: AbstractContextManager[Any] = self._client.start_as_current_observation(name=label)
        return span

    def taken(self) -> list[Any]:
        if self._client is not None:
            self._client.flush()
        ended = self._exporter.get_finished_spans()
        self._exporter.clear()
        return [of_opentelemetry(each) for each in ended]
