"""Who is compared, and how each is switched on as its documentation says, with content and its own defaults."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from .scenarios import Library

Flush = Callable[[], object]
"""Waits until everything that was recorded has been delivered."""

SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """
    One column.

    Attributes:
        environment: Which environment it runs in; the dependency group ``bench-NAME`` says what is installed there.
        switch_on: (library, address of the receiver) → `Flush`.
        libraries: What it can watch.
    """

    environment: str
    switch_on: Callable[[Library, str], Flush]
    libraries: frozenset[Library] = field(default=frozenset({"openai", "langchain", "litellm"}))


def nothing(_library: Library, _receiver: str) -> Flush:
    """The application itself."""
    return lambda: None


def ours(library: Library, receiver: str) -> Flush:
    """This package, with its defaults."""
    import ramp_tracing

    ramp_tracing.instrument(library, api_key="bench", base_url=receiver)
    return lambda: ramp_tracing.flush(SECONDS)


def ours_unwritten(library: Library, receiver: str) -> Flush:
    """This package as far as a finished call, which nobody writes down."""
    flush = ours(library, receiver)
    from ramp_tracing._record import Recorded
    from ramp_tracing._state import state

    class Forgetful:
        keeps_content = True

        def __init__(self, sink: Any) -> None:
            self.job, self.stand_by, self.defer = sink.job, sink.stand_by, sink.defer

        def record(self, recorded: Recorded) -> None:
            pass

    state.sink = Forgetful(state.sink)
    return flush


def provider(receiver: str) -> Any:
    """OpenTelemetry's own pipeline, as its documentation has it: batches, OTLP over HTTP."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    made = TracerProvider()
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{receiver}/v1/traces")))
    return made


def otel_genai(library: Library, receiver: str) -> Flush:
    """OpenTelemetry's GenAI instrumentations."""
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
    pipeline = provider(receiver)
    if library == "openai":
        from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor as Instrumentor
    else:
        from opentelemetry.instrumentation.genai.langchain import LangChainInstrumentor as Instrumentor
    Instrumentor().instrument(tracer_provider=pipeline)
    return pipeline.force_flush


def openinference(library: Library, receiver: str) -> Flush:
    """Arize's OpenInference."""
    pipeline = provider(receiver)
    if library == "openai":
        from openinference.instrumentation.openai import OpenAIInstrumentor as Instrumentor
    elif library == "langchain":
        from openinference.instrumentation.langchain import LangChainInstrumentor as Instrumentor
    else:
        from openinference.instrumentation.litellm import LiteLLMInstrumentor as Instrumentor
    Instrumentor().instrument(tracer_provider=pipeline)
    return pipeline.force_flush


def traceloop(library: Library, receiver: str) -> Flush:
    """Traceloop's OpenLLMetry."""
    pipeline = provider(receiver)
    if library == "openai":
        from opentelemetry.instrumentation.openai import OpenAIInstrumentor as Instrumentor
    else:
        from opentelemetry.instrumentation.langchain import LangchainInstrumentor as Instrumentor
    Instrumentor().instrument(tracer_provider=pipeline)
    return pipeline.force_flush


def langfuse(library: Library, receiver: str) -> Flush:
    """Langfuse: its openai module, its LangChain handler."""
    keys = {"LANGFUSE_PUBLIC_KEY": "pk-lf-bench", "LANGFUSE_SECRET_KEY": "sk-lf-bench"}
    os.environ.update({**keys, "LANGFUSE_HOST": receiver, "LANGFUSE_BASE_URL": receiver})
    if library == "openai":
        import langfuse.openai  # noqa: F401 - importing it is what switches it on
    else:
        everywhere("langfuse.langchain", "CallbackHandler")
    from langfuse import get_client

    return get_client().flush


def everywhere(module: str, name: str) -> None:
    """Register a callback handler for all of LangChain, as an application passes it to each call."""
    from contextvars import ContextVar
    from importlib import import_module

    from langchain_core.tracers.context import register_configure_hook

    made = getattr(import_module(module), name)()
    handler: ContextVar[Any] = ContextVar("bench_handler", default=made)
    register_configure_hook(handler, inheritable=True)


def logfire(library: Library, receiver: str) -> Flush:
    """Pydantic's Logfire, with a backend of one's own; LangChain's runs come to it by way of LangSmith's client."""
    os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = f"{receiver}/v1/traces"
    if library == "langchain":
        switches = ("LANGSMITH_OTEL_ENABLED", "LANGSMITH_OTEL_ONLY", "LANGSMITH_TRACING")
        os.environ.update(dict.fromkeys(switches, "true"))
        forget_variables()
    import logfire

    logfire.configure(send_to_logfire=False, console=False, metrics=False, inspect_arguments=False)
    if library == "langchain":
        return lambda: (langsmith_client().flush(), logfire.force_flush())
    if library == "openai":
        logfire.instrument_openai()
    else:
        logfire.instrument_litellm()
    return logfire.force_flush


def langsmith_client() -> Any:
    """The client that LangChain's tracer sends with."""
    from langsmith.run_trees import get_cached_client

    return get_cached_client()


def forget_variables() -> None:
    """LangSmith's client remembers each variable that it has read, and LangChain reads them with its first call."""
    from langsmith.utils import get_env_var

    get_env_var.cache_clear()


def langsmith(library: Library, receiver: str) -> Flush:
    """LangSmith: its wrapper for the openai client, its tracer in LangChain."""
    keys = {"LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": "bench", "LANGSMITH_ENDPOINT": receiver}
    os.environ.update(keys)
    forget_variables()
    if library == "openai":
        import openai
        from langsmith.wrappers import wrap_openai

        for kind in ("OpenAI", "AsyncOpenAI"):
            made = getattr(openai, kind)
            setattr(openai, kind, lambda *args, _made=made, **kwargs: wrap_openai(_made(*args, **kwargs)))
    return langsmith_client().flush


OPENAI_AND_LANGCHAIN: Final[frozenset[Library]] = frozenset({"openai", "langchain"})

CONTENDERS: Final[dict[str, Contender]] = {
    "baseline": Contender(environment="ours", switch_on=nothing),
    "baseline again": Contender(environment="ours", switch_on=nothing),
    "ours": Contender(environment="ours", switch_on=ours),
    "ours, unwritten": Contender(environment="ours", switch_on=ours_unwritten),
    "otel-genai": Contender(environment="otel-genai", switch_on=otel_genai, libraries=OPENAI_AND_LANGCHAIN),
    "langfuse": Contender(environment="langfuse", switch_on=langfuse, libraries=OPENAI_AND_LANGCHAIN),
    "openinference": Contender(environment="openinference", switch_on=openinference),
    "traceloop": Contender(environment="traceloop", switch_on=traceloop, libraries=OPENAI_AND_LANGCHAIN),
    "logfire": Contender(environment="logfire", switch_on=logfire),
    "langsmith": Contender(environment="langsmith", switch_on=langsmith, libraries=OPENAI_AND_LANGCHAIN),
}
"""Name → contender. The first is what the others are compared with; the second shows the noise."""

OURS: Final = ("baseline", "baseline again", "ours", "ours, unwritten")
"""What the quick form runs."""

PEERS: Final = tuple(name for name in CONTENDERS if name not in OURS)
