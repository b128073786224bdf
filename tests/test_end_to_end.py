"""From the application's call to the span that Ramp receives, over real HTTP."""

import os
import subprocess
import sys
import textwrap
from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
import pytest

import ramp_tracing
from ramp_tracing._loopback import Request, json_answer
from ramp_tracing.testing import FakeRamp, ReceivedSpan
from tests.integrations.provider import CHUNKS, Provider, completion, stream
from tests.interpreters import needs_to_end_with_an_open_stream

PROMPT = "Analyze this expense report: canary-prompt-7391"
ANSWER = "The report is within policy: canary-answer-7391"

EXTRA_BODY: dict[str, Any] = {
    "session_id": "session_abc",
    "trace": {
        "trace_id": "a5475f808fa6162b8e6ef2f8c7720f77",
        "trace_name": "Expense Processing Pipeline",
        "generation_name": "Analyze Report",
        "department": "finance",
        "cost_center": "CC-1234",
    },
}

OPENROUTER_ANSWER = completion(
    id="gen-1767225600-Abcdefghij0123456789",
    provider="OpenAI",
    model="openai/gpt-4o",
    choices=[
        {
            "index": 0,
            "finish_reason": "stop",
            "native_finish_reason": "stop",
            "message": {"role": "assistant", "content": ANSWER},
        }
    ],
    usage={
        "prompt_tokens": 42,
        "completion_tokens": 118,
        "total_tokens": 160,
        "cost": 0.001285,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
        "cost_details": {
            "upstream_inference_cost": None,
            "upstream_inference_prompt_cost": 0.000105,
            "upstream_inference_completions_cost": 0.00118,
        },
    },
)


def documented_call(provider: Provider) -> None:
    """The request of OpenRouter's documentation of Broadcast to Ramp."""
    with openai.OpenAI(base_url=provider.base_url, api_key="provider-key") as client:
        client.chat.completions.create(
            model="openai/gpt-4o",
            messages=[{"role": "user", "content": PROMPT}],
            user="user_12345",
            extra_body=EXTRA_BODY,
        )


def sent_by(call: Any, provider: Provider, **options: Any) -> tuple[list[ReceivedSpan], bytes]:
    """The spans, and every byte, that Ramp receives of *call*."""
    with FakeRamp() as ramp:
        ramp_tracing.instrument(
            api_key="ramp-key", base_url=ramp.url, providers={provider.server.host: "openrouter"}, **options
        )
        try:
            call(provider)
        finally:
            assert ramp_tracing.flush(30)
            ramp_tracing.uninstrument()
        return ramp.spans, b"".join(request.body for request in ramp.requests)


def test_the_documented_request_arrives_as_ramp_expects_it() -> None:
    """User, session, trace, department and cost center stand where Broadcast puts them, with exact money."""
    with Provider(json_answer(OPENROUTER_ANSWER)) as provider:
        spans, _ = sent_by(documented_call, provider)
    generation, root = spans
    assert (generation.name, generation.kind, generation.status) == ("Analyze Report", 3, 1)
    assert generation.trace_id == "a5475f808fa6162b8e6ef2f8c7720f77"
    assert (root.name, root.kind, root.span_id) == ("Expense Processing Pipeline", 2, generation.parent_span_id)
    expected = {
        "trace.name": "Expense Processing Pipeline",
        "user.id": "user_12345",
        "session.id": "session_abc",
        "trace.metadata.department": "finance",
        "trace.metadata.cost_center": "CC-1234",
        "span.metadata.department": "finance",
        "span.metadata.cost_center": "CC-1234",
        "span.type": "generation",
        "span.level": "DEFAULT",
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "openai/gpt-4o",
        "gen_ai.response.model": "openai/gpt-4o",
        "gen_ai.response.id": "gen-1767225600-Abcdefghij0123456789",
        "gen_ai.usage.input_tokens": 42,
        "gen_ai.usage.output_tokens": 118,
        "gen_ai.usage.total_tokens": 160,
        "gen_ai.usage.input_cost": Decimal("0.000105"),
        "gen_ai.usage.output_cost": Decimal("0.00118"),
        "gen_ai.usage.total_cost": Decimal("0.001285"),
        "gen_ai.usage.input_tokens.cached": 0,
        "gen_ai.usage.output_tokens.reasoning": 0,
        "gen_ai.response.finish_reasons": '["stop"]',
        "gen_ai.response.finish_reason": "stop",
        "gen_ai.prompt": f'{{"messages":[{{"role":"user","content":"{PROMPT}"}}]}}',
        "gen_ai.completion": f'{{"completion":"{ANSWER}","reasoning":null}}',
        "trace.metadata.openrouter.provider_name": "OpenAI",
        "trace.metadata.openrouter.finish_reason": "stop",
        "ramp.cost.source": "provider",
    }
    assert {key: generation.attributes.get(key) for key in expected} == expected


def failing_call(provider: Provider) -> None:
    """A request that the provider refuses, quoting the prompt."""
    with pytest.raises(openai.BadRequestError):
        documented_call(provider)


def test_privacy_mode_sends_no_content_anywhere(caplog: pytest.LogCaptureFixture) -> None:
    """Neither prompt nor answer, nor a provider's message that quotes them, is in any byte or log line."""
    caplog.set_level("DEBUG", logger="ramp_tracing")
    refusal = {"error": {"message": f"invalid: {PROMPT}", "type": "invalid_request_error", "code": "bad_prompt"}}
    for script, call, level in (
        (json_answer(OPENROUTER_ANSWER), documented_call, "DEFAULT"),
        (json_answer(refusal, status=400), failing_call, "ERROR"),
    ):
        with Provider(script) as provider:
            spans, body = sent_by(call, provider, privacy_mode=True)
        assert b"canary" not in body
        assert spans[0].attributes["span.level"] == level
        assert spans[0].attributes["user.id"] == "user_12345"
        assert "gen_ai.prompt" not in spans[0].attributes
    assert spans[0].attributes["error.type"] == "400"
    assert spans[0].attributes["ramp.error.code"] == "bad_prompt"
    assert "canary" not in caplog.text


def test_keys_are_in_no_record(caplog: pytest.LogCaptureFixture) -> None:
    """Neither Ramp's key nor the provider's is in a body or a log line."""
    caplog.set_level("DEBUG", logger="ramp_tracing")
    with Provider() as provider:
        _, body = sent_by(documented_call, provider)
    assert b"ramp-key" not in body
    assert b"provider-key" not in body
    assert "ramp-key" not in caplog.text


PROGRAM = textwrap.dedent("""
    import os, openai, ramp_tracing
    ramp_tracing.instrument(api_key="ramp-key", base_url=os.environ["TEST_RAMP"], exit_timeout_seconds=25)
    client = openai.OpenAI(base_url=os.environ["TEST_PROVIDER"], api_key="x")
    message = [{"role": "user", "content": "q" * 100}]
    client.chat.completions.create(model="gpt-4o", messages=message, temperature=0.5)
    client.chat.completions.create(model="gpt-4o", messages=message)
""")


STATE = "RAMP_TRACING_STATE_DIR"


def run(program: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a program of an application."""
    paths = os.pathsep.join([str(Path(ramp_tracing.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    clean = {
        name: value for name, value in os.environ.items() if name == STATE or not name.startswith(("RAMP_", "OTEL_"))
    }
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**clean, "PYTHONPATH": paths, **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


HOSTILE_ENVIRONMENT = {
    "OTEL_SDK_DISABLED": "true",
    "OTEL_TRACES_SAMPLER": "always_off",
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces",
    "OTEL_EXPORTER_OTLP_HEADERS": "x-other-vendor=their-secret",
    "OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere.pem",
    "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "4",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "10",
    "OTEL_RESOURCE_ATTRIBUTES": "other=vendor",
    "OTEL_BSP_MAX_QUEUE_SIZE": "1",
}
VARYING = ("server.port", "gen_ai.response.id", "trace.metadata.provider_response_id")
"""The port of the provider, and the id of an answer that it repeats."""


def received(environ: dict[str, str]) -> tuple[list[dict[str, object]], set[str]]:
    """What the program's calls look like at Ramp, and the names of the headers that came along."""
    with Provider() as provider, FakeRamp() as ramp:
        done = run(PROGRAM, {"TEST_RAMP": ramp.url, "TEST_PROVIDER": provider.base_url, **environ})
        assert (done.returncode, done.stderr) == (0, "")
        spans = ramp.wait_for(2, timeout_seconds=60)
        fixed = [
            {key: value for key, value in span.attributes.items() if key not in VARYING}
            | {"name": span.name, "status": span.status, "resource": dict(span.resource)}
            for span in spans
        ]
        return fixed, {name for request in ramp.requests for name in request.headers}


FORMATS = {"RAMP_TRACING_PROTOCOL": "http/protobuf", "RAMP_TRACING_DIALECT": "semconv"}


@pytest.mark.parametrize("formats", [{}, FORMATS], ids=["for Ramp", "by OpenTelemetry's classes"])
def test_a_hostile_environment_changes_nothing(formats: dict[str, str]) -> None:
    """Twelve variables meant for another vendor's exporter neither drop, cut nor divert a record, nor add a header."""
    (first, *_), _ = usual = received(formats)
    assert (first["gen_ai.request.temperature"], len(first) > 15) == (Decimal("0.5"), True)
    assert received(formats | HOSTILE_ENVIRONMENT) == usual


def test_records_are_sent_when_the_program_ends() -> None:
    """Nobody has to call flush(): the end of the process does."""
    spans, _ = received({})
    assert len(spans) == 2


OPEN_STREAM = textwrap.dedent("""
    import os, openai, ramp_tracing
    ramp_tracing.instrument(api_key="ramp-key", base_url=os.environ["TEST_RAMP"], exit_timeout_seconds=25)
    client = openai.OpenAI(base_url=os.environ["TEST_PROVIDER"], api_key="x")
    stream = client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "q"}], stream=True)
    print(next(stream).id, next(stream).choices[0].delta.content)
""")


@needs_to_end_with_an_open_stream
def test_a_stream_that_is_open_when_the_program_ends_is_recorded() -> None:
    """What had arrived until then is sent, as a stream that was not read to its end."""
    with Provider(stream(CHUNKS)) as provider, FakeRamp() as ramp:
        done = run(OPEN_STREAM, {"TEST_RAMP": ramp.url, "TEST_PROVIDER": provider.base_url})
        assert (done.returncode, done.stderr) == (0, "")
        [span] = ramp.wait_for(1, timeout_seconds=60)
    assert span.attributes["error.type"] == "abandoned"
    assert span.attributes["gen_ai.completion"] == '{"completion":"Hello","reasoning":null}'
    assert "gen_ai.usage.input_tokens" not in span.attributes


def test_the_other_dialect_and_protocol_carry_the_same_numbers() -> None:
    """Protobuf in OpenTelemetry's own names: for collectors and other backends."""
    with Provider(json_answer(OPENROUTER_ANSWER)) as provider:
        spans, _ = sent_by(documented_call, provider, protocol="http/protobuf", dialect="semconv")
    generation = spans[0]
    assert generation.name in ("chat openai/gpt-4o", "chat gpt-4o")
    assert generation.attributes["gen_ai.usage.input_tokens"] == 42
    assert generation.attributes["gen_ai.usage.total_cost"] == pytest.approx(Decimal("0.001285"))


def test_the_users_own_exporter_gets_the_spans_too() -> None:
    """A second backend is served beside Ramp, and its failure changes nothing."""
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    with Provider() as provider:
        spans, _ = sent_by(documented_call, provider, span_exporters=(exporter,))
    assert {f"{each.context.span_id:016x}" for each in exporter.get_finished_spans() if each.context} == {
        each.span_id for each in spans
    }


def answer_and_remember(seen: list[Request]) -> Any:
    """A provider's script that keeps what it was asked."""

    def answer(request: Request) -> Any:
        seen.append(request)
        return json_answer(completion())

    return answer


def test_the_request_reaches_the_provider_unchanged() -> None:
    """What the provider gets is what it gets without us."""
    seen: list[Request] = []
    with Provider(answer_and_remember(seen)) as provider:
        documented_call(provider)
        sent_by(documented_call, provider)
    bare, instrumented = seen
    assert bare.body == instrumented.body
    assert bare.headers.keys() == instrumented.headers.keys()


WARMING_UP = textwrap.dedent("""
    import os, time, openai, ramp_tracing
    provider = {os.environ["TEST_PROVIDER"].split("/")[2]: "openai"}
    ramp_tracing.instrument(
        api_key="ramp-key", base_url=os.environ["TEST_RAMP"], providers=provider, exit_timeout_seconds=25)
    client = openai.OpenAI(base_url=os.environ["TEST_PROVIDER"], api_key="x", max_retries=0)
    message = [{"role": "user", "content": "q"}]
    until, made = time.monotonic() + 3, 0
    while made < 20 or (time.monotonic() < until and ramp_tracing.stats().acknowledged == 0):
        client.chat.completions.create(model="gpt-4o", messages=message)
        made += 1
    client.chat.completions.create(model="gpt-4o", messages=message)
    print(made)
""")


def test_calls_succeed_while_our_thread_loads_what_it_needs() -> None:
    """What our thread imports in the background must not be seen half-imported by the client library."""
    with Provider() as provider, FakeRamp() as ramp:
        done = run(WARMING_UP, {"TEST_RAMP": ramp.url, "TEST_PROVIDER": provider.base_url})
        assert (done.returncode, done.stderr) == (0, "")
        generations = ramp.wait_for(int(done.stdout) + 1, timeout_seconds=60)
    assert "gen_ai.usage.total_cost" in generations[0].attributes
