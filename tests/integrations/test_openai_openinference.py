"""
Beside the real `openinference-instrumentation-openai`, which wraps ``OpenAI.request`` and replaces stream objects.

Runs where that package is installed; `test_openai_neighbours` does the same with wrappers made by hand.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import openai
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ramp_tracing._captured import capture_generations
from ramp_tracing._state import state

from .colours import Colour
from .endpoints import ENDPOINTS
from .facts import CHAT, STREAMED, facts_of

theirs = pytest.importorskip(
    "openinference.instrumentation.openai", reason="openinference-instrumentation-openai is not installed"
)

if int(openai.__version__.partition(".")[0]) < 2:
    pytest.skip("openinference instruments openai from 2.8 on", allow_module_level=True)

ASK: Mapping[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}]}


@contextmanager
def openinference() -> Iterator[InMemorySpanExporter]:
    """Their instrumentation, and the spans that it ends."""
    spans = InMemorySpanExporter()
    tracing = TracerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    instrumentor = theirs.OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=tracing)
    try:
        yield spans
    finally:
        instrumentor.uninstrument()
        tracing.shutdown()


def created(colour: Colour, client: Any) -> Any:
    return colour.wait(client.chat.completions.create(**ASK)).id


def streamed(colour: Colour, client: Any) -> Any:
    chunks = colour.items(colour.wait(client.chat.completions.create(**ASK, stream=True)))
    return [chunk.to_json() for chunk in chunks]


def raw(colour: Colour, client: Any) -> Any:
    return colour.wait(client.chat.completions.with_raw_response.create(**ASK)).parse().id


CALLS: Mapping[str, tuple[Any, Mapping[str, Any]]] = {
    "create": (created, CHAT),
    "stream": (streamed, STREAMED),
    "raw": (raw, CHAT),
}


@pytest.mark.parametrize("first", ["we", "they"])
@pytest.mark.parametrize("name", CALLS)
def test_both_record_a_call_once(name: str, first: str, colour: Colour) -> None:
    """In either order: one record with its tokens here, one span there, and the application's answer is the same."""
    call, record = CALLS[name]
    colour.provider.answer_with(ENDPOINTS)
    client = colour.client(colour.provider.base_url)
    bare = call(colour, client)
    with ExitStack() as both:
        spans = both.enter_context(openinference()) if first == "they" else None
        generations = both.enter_context(capture_generations())
        state.stream_usage = "always"
        spans = both.enter_context(openinference()) if spans is None else spans
        watched = call(colour, client)
        state.stream_usage = "auto"
        assert [record] == [facts_of(each) for each in generations]
        assert 1 == len(spans.get_finished_spans())
    assert bare == watched


def test_they_stay_on_when_we_go(colour: Colour) -> None:
    """`uninstrument()` takes out our wrapper and leaves theirs."""
    colour.provider.answer_with(ENDPOINTS)
    client = colour.client(colour.provider.base_url)
    with openinference() as spans:
        with capture_generations() as generations:
            created(colour, client)
        created(colour, client)
        assert (1, 2) == (len(generations), len(spans.get_finished_spans()))
