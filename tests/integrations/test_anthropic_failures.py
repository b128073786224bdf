"""Calls of the anthropic client that fail: one record each, with what had been billed before."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pydantic
import pytest

from ramp_tracing._captured import capture_generations
from ramp_tracing._loopback import Answer, json_answer
from ramp_tracing._record import Failure

from .anthropic_calls import ASK, MESSAGE, UNANSWERED, answering, anthropic, both, error, message, scenario
from .colours import Colour
from .facts import facts_of
from .provider import Provider
from .scenarios import Scenario, check

SOON: Mapping[str, str] = {"retry-after-ms": "1"}
"""The client would wait for half a second otherwise."""

HAS_TYPES = "type" in anthropic.APIStatusError.__annotations__
"""Whether errors of this version have the type that the API gives them."""


class Greeting(pydantic.BaseModel):
    text: str


def created(colour: Colour, client: Any) -> Any:
    return colour.wait(client.messages.create(**ASK))


def parsed(colour: Colour, client: Any) -> Any:
    return colour.wait(client.messages.parse(**ASK, output_format=Greeting))


def said(text: str, **fields: Any) -> Answer:
    return json_answer(message({"type": "text", "text": text}, **fields))


def failing(kind: str, status: int | None = None) -> Mapping[str, Any]:
    return {**UNANSWERED, "failure": kind, "status": status}


SCENARIOS: Mapping[str, tuple[Scenario, int | None]] = {
    "400": (
        scenario(
            created,
            failing("BadRequestError", 400),
            answers=answering(error(400, "invalid_request_error")),
            raises="BadRequestError",
        ),
        0,
    ),
    "401": (
        scenario(
            created,
            failing("AuthenticationError", 401),
            answers=answering(error(401, "authentication_error")),
            raises="AuthenticationError",
        ),
        0,
    ),
    "500, then 200": (
        scenario(
            created,
            answers=answering(error(500, "api_error", **SOON), json_answer(message())),
            options={"max_retries": 2},
        ),
        1,
    ),
    "429 for ever": (
        scenario(
            created,
            failing("RateLimitError", 429),
            answers=answering(error(429, "rate_limit_error", **SOON)),
            options={"max_retries": 2},
            raises="RateLimitError",
        ),
        2,
    ),
    "no answer": (
        scenario(
            created,
            failing("APIConnectionError"),
            answers=answering(Answer(cut=True)),
            options={"max_retries": 1},
            raises="APIConnectionError",
        ),
        1,
    ),
    "no server": (
        scenario(
            created,
            failing("APIConnectionError"),
            options={"base_url": "http://127.0.0.1:1"},
            raises="APIConnectionError",
        ),
        0,
    ),
    "time is up": (
        scenario(
            created,
            failing("APITimeoutError"),
            answers=answering(Answer(delay_seconds=5)),
            options={"timeout": 0.05},
            raises="APITimeoutError",
        ),
        0,
    ),
    "parse": (scenario(parsed, MESSAGE, answers=answering(said('{"text": "Hello"}')), needs="messages.parse"), 0),
    "parse, cut at the length": (
        scenario(
            parsed,
            {**MESSAGE, "finish": ("max_tokens",), "failure": "ValidationError"},
            answers=answering(said('{"text": "Hel', stop_reason="max_tokens")),
            raises="ValidationError",
            needs="messages.parse",
        ),
        0,
    ),
    "parse, another schema": (
        scenario(
            parsed,
            {**MESSAGE, "failure": "ValidationError"},
            answers=answering(said('{"words": 2}')),
            raises="ValidationError",
            needs="messages.parse",
        ),
        0,
    ),
    "refused": (
        scenario(
            created,
            {**MESSAGE, "finish": ("refusal",)},
            answers=answering(json_answer(message(stop_reason="refusal"))),
        ),
        0,
    ),
}


@both
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_failure_is_one_record(name: str, colour: Colour) -> None:
    """The application's exception is its own; the record says what failed, how often, and what was billed."""
    expected, retries = SCENARIOS[name]
    generations = check(expected, colour)
    assert [retries] == [each.retries for each in generations]


@both
def test_a_failure_keeps_what_the_provider_says(colour: Colour) -> None:
    """Type, status and code of an error answer are in the record; its text has the id of the request."""
    failure = check(SCENARIOS["400"][0], colour)[0].failure
    assert failure is not None
    code = "invalid_request_error" if HAS_TYPES else None
    assert Failure(type="BadRequestError", message=failure.message, status_code=400, code=code) == failure
    assert "req_011CSHoEeqs5C35K2UUqR7Fy" in str(failure.message)


@both
def test_a_failure_says_no_text_in_privacy_mode(colour: Colour) -> None:
    """A provider's message can quote the prompt: in privacy mode type, status and code are kept alone."""
    scripts = answering(error(400, "invalid_request_error"))()
    with Provider(scripts=scripts) as provider, capture_generations(privacy_mode=True) as generations:
        with pytest.raises(anthropic.BadRequestError):
            created(colour, colour.client(provider.base_url))
        code = "invalid_request_error" if HAS_TYPES else None
        expected = Failure(type="BadRequestError", status_code=400, code=code)
        assert [(expected, None)] == [(each.failure, each.content) for each in generations]


async def test_a_call_cancelled_before_the_reply_is_one_record() -> None:
    """The cancellation reaches the application at once; the provider may bill the call, so it is there, as unknown."""
    with Provider(Answer(delay_seconds=30)) as provider, capture_generations() as generations:
        client = anthropic.AsyncAnthropic(base_url=provider.base_url, api_key="sk-ant-test", max_retries=0)
        task = asyncio.create_task(client.messages.create(**ASK))
        assert await asyncio.to_thread(provider.server.wait_for_requests, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.close()
        assert [failing("CancelledError")] == [facts_of(each) for each in generations]


@both
def test_an_interrupted_call_is_one_record(colour: Colour) -> None:
    """What is no `Exception`, such as Ctrl-C, is noted too and goes on."""

    def interrupt(request: Any) -> None:
        raise KeyboardInterrupt

    async def interrupt_async(request: Any) -> None:
        raise KeyboardInterrupt

    with Provider() as provider, capture_generations() as generations:
        client = colour.client(provider.base_url)
        client._client.event_hooks = {"request": [interrupt if colour.name == "sync" else interrupt_async]}
        with pytest.raises(KeyboardInterrupt):
            created(colour, client)
        assert [failing("KeyboardInterrupt")] == [facts_of(each) for each in generations]
