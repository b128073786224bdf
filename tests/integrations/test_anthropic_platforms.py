"""Claude on Bedrock and Vertex with the anthropic client's own clients for them, and batches."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

import ramp_tracing
from ramp_tracing._captured import capture_generations
from ramp_tracing._loopback import Answer, Request, json_answer
from ramp_tracing.integrations.anthropic import provider as provider_called

from .anthropic_calls import (
    ABANDONED,
    ASK,
    AWS,
    EVENTS,
    GOOGLE,
    MESSAGE,
    STREAMED,
    anthropic,
    both,
    message,
    messages_like_anthropic,
)
from .colours import Colour
from .facts import facts_of, seen_by_user
from .frames import event_frame, frame
from .provider import Provider, Script

BEDROCK_MODEL = "global.anthropic.claude-opus-4-8"
PLATFORMS: Mapping[str, tuple[str, Mapping[str, Any], str]] = {
    "AnthropicBedrock": ("aws.bedrock", AWS, "boto3"),
    "AnthropicVertex": ("gcp.vertex_ai", GOOGLE, "google.auth"),
}
"""Client → who is called, how it is made, what it needs."""


def bedrock_stream(*events: bytes) -> Answer:
    pieces = events or tuple(event_frame(each) for each in EVENTS if each["type"] != "ping")
    return Answer(headers={"Content-Type": "application/vnd.amazon.eventstream"}, body=list(pieces))


SCRIPTS: Mapping[str, Script] = {
    f"/model/{BEDROCK_MODEL}/invoke": json_answer(message()),
    f"/model/{BEDROCK_MODEL}/invoke-with-response-stream": lambda _: bedrock_stream(),
    ":rawPredict": json_answer(message()),
    ":streamRawPredict": messages_like_anthropic,
}


def ask_of(kind: str) -> Mapping[str, Any]:
    return {**ASK, "model": BEDROCK_MODEL} if kind == "AnthropicBedrock" else ASK


def client_of(kind: str, colour: Any) -> Any:
    _, options, needs = PLATFORMS[kind]
    pytest.importorskip(needs)
    colour.provider.answer_with(SCRIPTS)
    return colour.made(kind, base_url=colour.provider.base_url, **options)


def created(colour: Colour, client: Any, ask: Any) -> Any:
    return colour.wait(client.messages.create(**ask))


def beta(colour: Colour, client: Any, ask: Any) -> Any:
    return colour.wait(client.beta.messages.create(**ask))


def drained(colour: Colour, client: Any, ask: Any) -> Any:
    return colour.items(colour.wait(client.messages.create(**ask, stream=True)))


def broken_off(colour: Colour, client: Any, ask: Any) -> Any:
    chunks = colour.wait(client.messages.create(**ask, stream=True))
    seen = colour.broken_off(chunks, 3)
    colour.wait(chunks.close())
    return seen


def helper(colour: Colour, client: Any, ask: Any) -> Any:
    with colour.entered(client.messages.stream(**ask)) as stream:
        return colour.wait(stream.get_final_text())


def lazy_stream(colour: Colour, client: Any, ask: Any) -> Any:
    with colour.entered(client.messages.with_streaming_response.create(**ask, stream=True)) as response:
        return colour.items(colour.wait(response.parse()))


def lazy_bytes(colour: Colour, client: Any, ask: Any) -> Any:
    with colour.entered(client.messages.with_streaming_response.create(**ask, stream=True)) as response:
        return b"".join(colour.items(response.iter_bytes(11)))


def raw_stream(colour: Colour, client: Any, ask: Any) -> Any:
    response = colour.wait(client.messages.with_raw_response.create(**ask, stream=True))
    return colour.items(colour.wait(response.parse()))


CALLS: Mapping[str, tuple[Callable[[Colour, Any, Any], Any], Mapping[str, Any]]] = {
    "create": (created, MESSAGE),
    "beta": (beta, MESSAGE),
    "stream": (drained, STREAMED),
    "stream, broken off": (broken_off, ABANDONED),
    "stream helper": (helper, STREAMED),
    "lazy, stream": (lazy_stream, STREAMED),
    "lazy, bytes": (lazy_bytes, STREAMED),
    "raw, stream": (raw_stream, STREAMED),
}


@both
@pytest.mark.parametrize("kind", PLATFORMS)
@pytest.mark.parametrize("name", CALLS)
def test_a_message_on_a_platform_is_one_record(name: str, kind: str, colour: Colour) -> None:
    """The same record as of Anthropic's own API, with the model that was asked for and who was called."""
    call, record = CALLS[name]
    client, ask = client_of(kind, colour), ask_of(kind)
    bare = seen_by_user(call(colour, client, ask))
    with capture_generations() as generations:
        assert bare == seen_by_user(call(colour, client, ask))
        assert [{**record, "asked": ask["model"]}] == [facts_of(each) for each in generations]
        assert [PLATFORMS[kind][0]] == [each.provider for each in generations]


@both
def test_an_exception_in_bedrocks_stream_is_a_failure(colour: Colour) -> None:
    """Bedrock sends what goes wrong as a frame; the client raises it."""
    client = client_of("AnthropicBedrock", colour)
    headers = {":message-type": "exception", ":exception-type": "throttlingException"}
    broken = bedrock_stream(*map(event_frame, EVENTS[:1]), frame(b'{"message":"Too many tokens"}', headers))
    colour.provider.answer_with({"/invoke-with-response-stream": broken})
    with capture_generations() as generations:
        with pytest.raises(Exception, match="Too many tokens") as raised:
            drained(colour, client, ask_of("AnthropicBedrock"))
        [generation] = generations
    assert generation.failure is not None
    assert (type(raised.value).__name__, 15) == (generation.failure.type, generation.usage.input_tokens)


HOSTS: Mapping[str, str | None] = {
    "https://api.anthropic.com": "anthropic",
    "https://bedrock-runtime.eu-west-1.amazonaws.com": "aws.bedrock",
    "https://europe-west1-aiplatform.googleapis.com/v1": "gcp.vertex_ai",
    "https://aiplatform.googleapis.com/v1": "gcp.vertex_ai",
    "https://gateway.example.com/anthropic": None,
}


@pytest.mark.parametrize("url", HOSTS)
def test_who_is_called_by_the_host(url: str) -> None:
    """The host says who is called; one that nobody knows is nobody's."""
    with anthropic.Anthropic(base_url=url, api_key="sk-ant-test") as client:
        assert HOSTS[url] == provider_called(client, client.base_url.host, 443)


BATCH: Mapping[str, Any] = {
    "id": "msgbatch_01HkcTjaV5uDC8jWR4ZsDV8d",
    "type": "message_batch",
    "processing_status": "in_progress",
    "request_counts": {"processing": 1, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0},
    "created_at": "2026-01-01T00:00:00Z",
    "expires_at": "2026-01-02T00:00:00Z",
    "ended_at": None,
    "results_url": None,
}
ENDED = {**BATCH, "processing_status": "ended", "ended_at": "2026-01-01T00:10:00Z"}


def batches(looks: list[Mapping[str, Any]]) -> Callable[[Request], Answer]:
    def answer(request: Request) -> Answer:
        return json_answer(BATCH if request.path.endswith("batches") else looks.pop(0))

    return answer


@both
def test_a_batch_is_one_record_however_often_it_is_looked_at(colour: Colour) -> None:
    """Its creation opens it, whoever first sees it ended closes it, under one id and for whom it was created."""
    requests = [{"custom_id": "a", "params": dict(ASK)}]
    with Provider(batches([BATCH, {**BATCH, "processing_status": "canceling"}, ENDED, ENDED])) as provider:
        client = colour.client(provider.base_url)
        with capture_generations() as generations:
            with ramp_tracing.trace(user="user-7"):
                created = colour.wait(client.messages.batches.create(requests=requests))
            assert [(BATCH["id"], True, ())] == [(each.id, each.pending, each.finish_reasons) for each in generations]
            colour.wait(client.messages.batches.retrieve(created.id))
            colour.wait(client.messages.batches.cancel(created.id))
            colour.wait(client.messages.batches.retrieve(created.id))
            colour.wait(client.beta.messages.batches.retrieve(created.id))
            [batch] = generations
    assert (BATCH["id"], False, ("ended",), "batch", "user-7") == (
        batch.id,
        batch.pending,
        batch.finish_reasons,
        batch.operation,
        batch.attribution.user,
    )
    assert (False, None) == (batch.usage.known, batch.cost)
