"""Legacy text completions, whole and streamed."""

from decimal import Decimal
from typing import Any, Final

from ramp_tracing._normalizers import COMPLETIONS
from ramp_tracing._record import Cost, Failure, Outcome, Usage

from .cases import Case, Types, each, from_client, from_json, plain

TYPES: Final = Types(whole="openai.types:Completion", event="openai.types:Completion")

CASES: Final = (
    Case(
        payload="completions/openai.json",
        shows="the text is the answer",
        outcome=Outcome(
            response_id="cmpl-Go6uSt1Cw3dZp8OaBy5Qf",
            response_model="gpt-3.5-turbo-instruct:20230824-v2",
            finish_reasons=("length",),
            usage=Usage(input_tokens=8, output_tokens=16, total_tokens=24),
            output={"completion": " Oslo.", "reasoning": None},
        ),
    ),
    Case(
        payload="completions/several-prompts.json",
        shows="each prompt has a choice of its own",
        outcome=Outcome(
            response_id="cmpl-Go6uSt1Cw3dZp8OaBy5Qf",
            response_model="davinci-002",
            finish_reasons=("stop", "stop"),
            usage=Usage(input_tokens=16, output_tokens=4, total_tokens=20),
            output={
                "completion": " Oslo.",
                "reasoning": None,
                "choices": [{"completion": " Rome.", "reasoning": None}],
            },
        ),
    ),
    Case(
        payload="completions/openrouter.json",
        shows="OpenRouter says who served it, and the price",
        outcome=Outcome(
            response_id="gen-1767312200-Pv6aA5lMd4NoR7wJm2Bt",
            response_model="openai/gpt-3.5-turbo-instruct",
            finish_reasons=("stop",),
            native_finish_reason="stop",
            upstream_provider="OpenAI",
            usage=Usage(input_tokens=5, output_tokens=2, total_tokens=7),
            cost=Cost(total=Decimal("0.0000115"), source="provider"),
            output={"completion": "Oslo.", "reasoning": None},
        ),
    ),
    Case(
        payload="completions/error.json",
        shows="an error with status 200",
        outcome=Outcome(
            failure=Failure(type="requests", message="Too many requests", code="rate_limit_exceeded"),
        ),
    ),
    Case(
        payload="completions/openai.sse",
        shows="the usage comes in a chunk of its own",
        outcome=Outcome(
            response_id="cmpl-Go6uSt1Cw3dZp8OaBy5Qf",
            response_model="gpt-3.5-turbo-instruct:20230824-v2",
            finish_reasons=("stop",),
            usage=Usage(input_tokens=8, output_tokens=3, total_tokens=11),
            output={"completion": " Oslo.", "reasoning": None},
        ),
    ),
    Case(
        payload="completions/no-usage.sse",
        shows="usage that nobody asked for is unknown",
        outcome=Outcome(
            response_id="cmpl-Go6uSt1Cw3dZp8OaBy5Qf",
            response_model="davinci-002",
            finish_reasons=("stop",),
            output={"completion": " Oslo.", "reasoning": None},
        ),
    ),
)


@each(CASES)
def test_json(case: Case) -> None:
    """The record says what the bytes say, and nothing else."""
    assert case.outcome == from_json(case, COMPLETIONS)


@each(CASES)
def test_client_objects(case: Case, client: Any) -> None:
    """What the openai client makes of the bytes says the same."""
    assert case.outcome == plain(from_client(case, COMPLETIONS, client, TYPES))
