"""The Responses API, whole and streamed, in the foreground and in the background."""

from decimal import Decimal
from typing import Any, Final

from ramp_tracing._normalizers import RESPONSES
from ramp_tracing._record import Cost, Failure, Outcome, UnixNanos, Usage

from .cases import Case, Types, each, events_in, from_client, from_json, plain, seen_by_client

TYPES: Final = Types(whole="openai.types.responses:Response", event="openai.types.responses:ResponseStreamEvent")

ID: Final = "resp_0b7c6d5e4f3a2b1c0069abcdef0123456789abcdef01234567"
MODEL: Final = "gpt-5-2025-08-07"
OSLO: Final = {"completion": "Oslo.", "reasoning": None}
NOTHING: Final = {"completion": "", "reasoning": None}


def usage(input_tokens: int, output_tokens: int, cached: int = 0, reasoning: int = 0, **more: Any) -> Usage:
    """Usage as the Responses API always reports it."""
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        total_tokens=input_tokens + output_tokens,
        cache_read_tokens=cached,
        reasoning_tokens=reasoning,
        **more,
    )


WHOLE: Final = (
    Case(
        payload="responses/openai.json",
        shows="reasoning, a message and a function call",
        outcome=Outcome(
            response_id=ID,
            response_model=MODEL,
            finish_reasons=("completed",),
            service_tier="default",
            usage=usage(1400, 90, 1024, 64),
            output={
                "completion": "Let me look.",
                "reasoning": "A capital is asked for.",
                "toolCalls": [
                    {
                        "id": "call_W1aB2cD3",
                        "index": 0,
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
                    }
                ],
            },
        ),
    ),
    Case(
        payload="responses/cache-writes.json",
        shows="cache writes are a part of the input",
        outcome=Outcome(
            response_id=ID,
            response_model="gpt-5.6-2026-06-18",
            finish_reasons=("completed",),
            service_tier="default",
            usage=usage(1220, 9, cache_write_tokens=1217),
            output=OSLO,
        ),
    ),
    Case(
        payload="responses/refusal.json",
        shows="a refusal is what was answered",
        outcome=Outcome(
            response_id=ID,
            response_model=MODEL,
            finish_reasons=("completed",),
            service_tier="default",
            usage=usage(65, 13),
            output={"completion": "I can't help with that.", "reasoning": None},
        ),
    ),
    Case(
        payload="responses/incomplete.json",
        shows="the reason why it is incomplete belongs to the finish reason",
        outcome=Outcome(
            response_id=ID,
            response_model=MODEL,
            finish_reasons=("incomplete:max_output_tokens",),
            service_tier="default",
            usage=usage(14, 50),
            output={"completion": "Oslo is the", "reasoning": None},
        ),
    ),
    Case(
        payload="responses/failed.json",
        shows="a response that failed says why",
        outcome=Outcome(
            response_id=ID,
            response_model=MODEL,
            finish_reasons=("failed",),
            service_tier="default",
            failure=Failure(type="error", message="The model failed.", code="server_error"),
            output=NOTHING,
        ),
    ),
    Case(
        payload="responses/failed-silently.json",
        shows="or does not",
        outcome=Outcome(
            response_id=ID,
            response_model=MODEL,
            finish_reasons=("failed",),
            service_tier="default",
            failure=Failure(type="error"),
            output=NOTHING,
        ),
    ),
    Case(
        payload="responses/queued.json",
        shows="the usage of a background response is still to come",
        outcome=Outcome(
            response_id=ID,
            response_model=MODEL,
            service_tier="auto",
            pending=True,
            job=True,
            created=UnixNanos(1767312000 * 10**9),
            output=NOTHING,
        ),
    ),
    Case(
        payload="responses/background-completed.json",
        shows="and there it is",
        outcome=Outcome(
            response_id=ID,
            response_model=MODEL,
            finish_reasons=("completed",),
            service_tier="default",
            usage=usage(20, 8),
            job=True,
            created=UnixNanos(1767312000 * 10**9),
            output=OSLO,
        ),
    ),
    Case(
        payload="responses/background-cancelled.json",
        shows="or it never comes",
        outcome=Outcome(
            response_id=ID,
            response_model=MODEL,
            finish_reasons=("cancelled",),
            service_tier="default",
            job=True,
            created=UnixNanos(1767312000 * 10**9),
            output=NOTHING,
        ),
    ),
    Case(
        payload="responses/hosted-tools.json",
        shows="calls of hosted tools are counted, a page that is opened is no search",
        outcome=Outcome(
            response_id=ID,
            response_model=MODEL,
            finish_reasons=("completed",),
            service_tier="default",
            usage=usage(
                310,
                290,
                hosted_tool_calls={
                    "web_search_call": 2,
                    "file_search_call": 1,
                    "code_interpreter_call": 1,
                    "image_generation_call": 1,
                },
            ),
            output=OSLO,
        ),
    ),
    Case(
        payload="responses/openrouter.json",
        shows="the shares of the price have other names than in chat completions",
        outcome=Outcome(
            response_id="gen-1767312300-Ou5zB4kLc3MnQ6xIl1As",
            response_model="openai/gpt-5-nano",
            finish_reasons=("completed",),
            upstream_provider="OpenAI",
            usage=usage(200, 16),
            cost=Cost(
                total=Decimal("0.0000164"), input=Decimal("0.00001"), output=Decimal("0.0000064"), source="provider"
            ),
            output=OSLO,
        ),
    ),
    Case(
        payload="responses/openrouter-own-key.json",
        shows="with the user's own key the provider's charge and the fee add up",
        outcome=Outcome(
            response_id="gen-1767312301-Nt4yC3jKb2LmP5yHk0Zr",
            response_model="openai/gpt-5-nano",
            finish_reasons=("completed",),
            service_tier="default",
            usage=usage(200, 16),
            cost=Cost(total=Decimal("0.0000172"), source="provider"),
            output=OSLO,
        ),
    ),
    Case(
        payload="responses/xai.json",
        shows="here xAI's output includes its reasoning",
        outcome=Outcome(
            response_id="7e6d5c4b-3a29-4817-8605-f4e3d2c1b0a9",
            response_model="grok-4.3",
            finish_reasons=("completed",),
            usage=usage(199, 184, 128, 181),
            cost=Cost(total=Decimal("0.00057435"), source="provider"),
            output=OSLO,
        ),
    ),
    Case(
        payload="responses/error.json",
        shows="OpenAI's shape of an error",
        outcome=Outcome(
            failure=Failure(type="server_error", message="The server had an error."),
            output=NOTHING,
        ),
    ),
    Case(
        payload="responses/error-text.json",
        shows="xAI's",
        outcome=Outcome(
            failure=Failure(type="error", message="The model does not exist.", code="invalid-argument"),
            output=NOTHING,
        ),
    ),
)

STREAMS: Final = (
    Case(
        payload="responses/openai.sse",
        shows="the last event has it all",
        outcome=Outcome(
            response_id=ID,
            response_model=MODEL,
            finish_reasons=("completed",),
            service_tier="default",
            usage=usage(22, 30, 0, 24),
            output={"completion": "Oslo.", "reasoning": "A capital is asked for."},
        ),
    ),
    Case(
        payload="responses/incomplete.sse",
        shows="so it has where a limit was met",
        outcome=Outcome(
            response_id=ID,
            response_model=MODEL,
            finish_reasons=("incomplete:max_output_tokens",),
            service_tier="default",
            usage=usage(22, 1),
            output={"completion": "Os", "reasoning": None},
        ),
    ),
    Case(
        payload="responses/failed.sse",
        shows="and where the response failed",
        outcome=Outcome(
            response_id=ID,
            response_model=MODEL,
            finish_reasons=("failed",),
            service_tier="default",
            failure=Failure(type="error", message="Too many tokens.", code="rate_limit_exceeded"),
            output=NOTHING,
        ),
    ),
    Case(
        payload="responses/openrouter.sse",
        shows="OpenRouter's price is in it",
        outcome=Outcome(
            response_id="gen-1767312302-Ms3xD2iJa1KlO4zGj9Yq",
            response_model="openai/gpt-4.1-mini",
            finish_reasons=("completed",),
            service_tier="default",
            usage=usage(42, 12),
            cost=Cost(
                total=Decimal("0.000036"),
                input=Decimal("0.0000168"),
                output=Decimal("0.0000192"),
                source="provider",
            ),
            output=OSLO,
        ),
    ),
    Case(
        payload="responses/cut.sse",
        shows="of a stream that broke off the texts are kept",
        outcome=Outcome(
            response_id=ID,
            response_model=MODEL,
            service_tier="auto",
            output={"completion": "Os", "reasoning": "A capital"},
            complete=False,
        ),
    ),
    Case(
        payload="responses/background-cut.sse",
        shows="a background response goes on when its stream breaks off",
        outcome=Outcome(
            response_id=ID,
            response_model=MODEL,
            service_tier="auto",
            pending=True,
            job=True,
            created=UnixNanos(1767312000 * 10**9),
            output={"completion": "Os", "reasoning": None},
            complete=False,
        ),
    ),
    Case(
        payload="responses/refusal.sse",
        shows="a refusal is what was answered",
        outcome=Outcome(
            response_id=ID,
            response_model=MODEL,
            service_tier="auto",
            output={"completion": "I can't help with that.", "reasoning": None},
            complete=False,
        ),
    ),
)

ERROR_EVENT: Final = Case(
    payload="responses/error-event.sse",
    shows="an error event says itself what it is",
    outcome=Outcome(
        response_id=ID,
        response_model=MODEL,
        service_tier="auto",
        failure=Failure(type="error", message="Something broke.", code="server_error"),
        output={"completion": "Os", "reasoning": None},
        complete=False,
    ),
)

ALL: Final = (*WHOLE, *STREAMS, ERROR_EVENT)


@each(ALL)
def test_json(case: Case) -> None:
    """The record says what the bytes say, and nothing else."""
    assert case.outcome == from_json(case, RESPONSES)


@each(ALL)
def test_client_objects(case: Case, client: Any) -> None:
    """What the openai client makes of the bytes says the same."""
    assert seen_by_client(case) == plain(from_client(case, RESPONSES, client, TYPES))


def test_privacy() -> None:
    """Without content nothing of a stream that broke off is kept."""
    accumulator = RESPONSES.accumulator(1, False)
    for event in events_in("responses/cut.sse"):
        accumulator.add(event)
    assert NOTHING == accumulator.outcome().output


def test_first_chunk() -> None:
    """Only a piece of the answer is the first one; the events before it tell that the work has begun."""
    accumulator = RESPONSES.accumulator(1, True)
    carries = [accumulator.add(event) for event in events_in("responses/openai.sse")]
    assert [False, False, True, True, True, False, False] == carries


def test_content() -> None:
    """Instructions and input are sent as messages, like every other prompt."""
    said = [{"role": "user", "content": "Where?"}, {"type": "function_call_output", "call_id": "c", "output": "Oslo"}]
    assert {
        "text": {"messages": [{"role": "user", "content": "Where?"}]},
        "items": {"messages": [{"role": "system", "content": "Be short."}, *said]},
        "neither": {"messages": []},
    } == {
        "text": RESPONSES.content({"input": "Where?"}),
        "items": RESPONSES.content({"instructions": "Be short.", "input": said}),
        "neither": RESPONSES.content({"prompt": {"id": "pmpt_1"}}),
    }
