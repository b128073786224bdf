"""ddtrace with LLM Observability, and with its tracing of `http.client`, which is off by default."""

import json
import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ramp_tracing._loopback import LoopbackServer, json_answer

from .steady import steady


class Datadog:
    """https://docs.datadoghq.com/llm_observability/instrumentation/sdk/"""

    packages = ("ddtrace",)
    can_stop = True

    def __init__(self) -> None:
        self._traced: list[Any] = []
        self._intake = LoopbackServer(lambda request: json_answer({}))
        self._read = 0
        self._started = self._stopped = False

    def start(self) -> None:
        self._intake.__enter__()
        os.environ |= {
            "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
            "DD_REMOTE_CONFIGURATION_ENABLED": "false",
            "DD_TRACE_AGENT_URL": "http://127.0.0.1:9",
            "DD_LLMOBS_OVERRIDE_ORIGIN": self._intake.url,
            "DD_LLMOBS_ML_APP": "application",
        }
        import ddtrace
        from ddtrace.llmobs import LLMObs
        from ddtrace.trace import TraceFilter, tracer

        traced = self._traced

        class Keeping(TraceFilter):
            def process_trace(self, trace: Any) -> None:
                traced.extend(trace)

        tracer.configure(trace_processors=[Keeping()])
        LLMObs.enable(agentless_enabled=True, api_key="key", site="datadoghq.com", integrations_enabled=False)
        ddtrace.patch(openai=True, httplib=True)
        self._started = True

    def stop(self) -> None:
        from ddtrace.contrib.internal.httplib.patch import unpatch as unpatch_http
        from ddtrace.contrib.internal.openai.patch import unpatch

        unpatch()
        unpatch_http()
        self._stopped = True

    def around(self, label: str) -> AbstractContextManager[Any]:
        if not self._started or self._stopped:
            return nullcontext()
        from ddtrace.trace import tracer

        span: AbstractContextManager[Any] = tracer.trace(label)
        return span

    def taken(self) -> list[Any]:
        if not self._started:
            return []
        from ddtrace.llmobs import LLMObs

        LLMObs.flush()
        spans, self._traced[:] = list(self._traced), []
        return [*map(_readable, spans), *self._sent()]

    def _sent(self) -> list[Any]:
        """What would have gone to LLM Observability."""
        fresh = self._intake.requests[self._read :]
        self._read += len(fresh)
        return [steady(json.loads(each.body)) for each in fresh if "llmobs" in each.path]


def _readable(span: Any) -> Any:
    named = {"name": span.name, "resource": span.resource, "type": span.span_type, "error": span.error}
    return steady({**named, "tags": span.get_tags(), "metrics": span.get_metrics()})
