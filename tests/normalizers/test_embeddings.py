"""Embeddings, moderations, and endpoints that nobody knows: a model and perhaps usage."""

from decimal import Decimal
from typing import Any, Final

from ramp_tracing._normalizers import EMBEDDINGS, has_usage, parse
from ramp_tracing._record import Cost, Failure, Outcome, Usage

from .cases import Case, Types, each, from_client, from_json, plain

TYPES: Final = Types(whole="openai.types:CreateEmbeddingResponse")

CASES: Final = (
    Case(
        payload="embeddings/openai.json",
        shows="there is no output, so its tokens are unknown rather than 0",
        outcome=Outcome(
            response_model="text-embedding-3-small",
            usage=Usage(input_tokens=9, total_tokens=9),
        ),
    ),
    Case(
        payload="embeddings/vllm.json",
        shows="vLLM says that they are 0",
        outcome=Outcome(
            response_id="embd-8a98ba78590c4c53b21b4ca6d197e649",
            response_model="intfloat/e5-mistral-7b-instruct",
            usage=Usage(input_tokens=11, output_tokens=0, total_tokens=11),
        ),
    ),
    Case(
        payload="embeddings/openrouter.json",
        shows="OpenRouter's price has an exponent",
        outcome=Outcome(
            response_id="gen-emb-1767312400-Lr2wE1hIz0JkN3aFi8Xp",
            response_model="text-embedding-3-small",
            upstream_provider="OpenAI",
            usage=Usage(input_tokens=7, total_tokens=7),
            cost=Cost(total=Decimal("0.00000014"), source="provider"),
        ),
    ),
    Case(
        payload="embeddings/error.json",
        shows="an error with status 200",
        outcome=Outcome(failure=Failure(type="error", message="Model x is not supported.")),
    ),
    Case(
        payload="embeddings/rerank.json",
        shows="an endpoint that nobody knows counts a total only",
        outcome=Outcome(response_id="rr-0f1e2d3c4b5a", response_model="rerank-2.5", usage=Usage(total_tokens=26)),
    ),
    Case(
        payload="embeddings/anthropic-messages.json",
        shows="Anthropic's input excludes cache reads and writes",
        outcome=Outcome(
            response_id="msg_01XyZaBcDeFgHiJkLmNoPqRs",
            response_model="claude-haiku-4-5-20251001",
            service_tier="standard",
            usage=Usage(input_tokens=3219, output_tokens=503, cache_read_tokens=1024, cache_write_tokens=100),
        ),
    ),
    Case(
        payload="embeddings/moderation.json",
        shows="moderations report no usage",
        outcome=Outcome(response_id="modr-Hp7vTu2Dx4eAq9PbCz6Rg", response_model="omni-moderation-latest"),
    ),
)

STREAMS: Final = (
    Case(
        payload="embeddings/unknown-endpoint.sse",
        shows="the last event with usage counts",
        outcome=Outcome(
            response_id="gen-1767312500-Kq1vD0gHy9IjM2bEh7Wo",
            response_model="in-house-1",
            usage=Usage(input_tokens=3, output_tokens=2, total_tokens=5),
        ),
    ),
    Case(
        payload="embeddings/unknown-responses.sse",
        shows="the usage may be inside the response that an event carries",
        outcome=Outcome(
            response_id="resp_0b7c6d5e4f3a2b1c0069abcdef0123456789abcdef01234567",
            response_model="gpt-5-2025-08-07",
            service_tier="default",
            usage=Usage(input_tokens=22, output_tokens=30, total_tokens=52, cache_read_tokens=0, reasoning_tokens=24),
        ),
    ),
    Case(
        payload="embeddings/unknown-error.sse",
        shows="an error ends it",
        outcome=Outcome(failure=Failure(type="server_error", message="out of memory", code="500")),
    ),
)
"""Streams of endpoints that nobody knows."""


@each(STREAMS)
def test_unknown_streams(case: Case) -> None:
    """Of a stream in an unknown shape what can be read is read."""
    assert case.outcome == from_json(case, EMBEDDINGS)


@each(CASES)
def test_json(case: Case) -> None:
    """The record says what the bytes say, and nothing else."""
    assert case.outcome == from_json(case, EMBEDDINGS)


@each(CASES)
def test_client_objects(case: Case, client: Any) -> None:
    """What the openai client makes of the bytes says the same."""
    assert case.outcome == plain(from_client(case, EMBEDDINGS, client, TYPES))


def test_unknown_endpoints() -> None:
    """An answer of an endpoint that nobody knows was billable if it reports usage."""
    assert {
        "embeddings/rerank.json": True,
        "embeddings/anthropic-messages.json": True,
        "embeddings/moderation.json": False,
        "embeddings/error.json": False,
        "chat/usage-is-a-list.json": False,
        "chat/counts-hostile.json": False,
    } == {
        name: has_usage(parse(Case(payload=name, shows="", outcome=Outcome()).body))
        for name in (
            "embeddings/rerank.json",
            "embeddings/anthropic-messages.json",
            "embeddings/moderation.json",
            "embeddings/error.json",
            "chat/usage-is-a-list.json",
            "chat/counts-hostile.json",
        )
    }
