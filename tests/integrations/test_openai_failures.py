"""Calls that fail: recorded as failures, with what had been billed before, and once whatever was retried."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import openai
import pydantic
import pytest

from ramp_tracing._captured import capture_generations
from ramp_tracing._loopback import Answer, json_answer
from ramp_tracing._record import Failure

from .colours import Colour, Sync
from .endpoints import RESPONSE_ID, response
from .facts import CHAT, UNANSWERED, facts_of
from .provider import Provider, Script, completion, in_turn
from .scenarios import Scenario, check

ASK: Mapping[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}]}

SOON: Mapping[str, str] = {"retry-after-ms": "1"}
"""The client would wait for half a second otherwise."""


class Greeting(pydantic.BaseModel):
    text: str


def created(colour: Colour, client: Any) -> Any:
    return colour.wait(client.chat.completions.create(**ASK))


def parsed(colour: Colour, client: Any) -> Any:
    return colour.wait(client.chat.completions.parse(**ASK, response_format=Greeting))


def parsed_response(colour: Colour, client: Any) -> Any:
    return colour.wait(client.responses.parse(model="gpt-4o", input="Hello?", text_format=Greeting))


def refused(status: int, **headers: str) -> Answer:
    error = {"message": "No.", "type": "invalid_request_error", "param": None, "code": "model_not_found"}
    return json_answer({"error": error}, status=status, headers=headers)


chat = partial(in_turn, "/chat/completions")


def said(text: str, finish: str) -> Answer:
    message = {"role": "assistant", "content": text}
    return json_answer(completion(choices=[{"index": 0, "finish_reason": finish, "message": message}]))


def incomplete_response() -> Mapping[str, Script]:
    whole = response("incomplete", incomplete_details={"reason": "max_output_tokens"})
    whole["output"][0]["content"][0]["text"] = '{"text": "Hel'
    return {"/responses": json_answer(whole)}


def failing(error: str, status: int | None = None) -> tuple[Mapping[str, Any]]:
    return ({**UNANSWERED, "failure": error, "status": status},)


def billed(error: str, finish: str) -> tuple[Mapping[str, Any]]:
    return ({**CHAT, "finish": (finish,), "failure": error},)


SCENARIOS: Mapping[str, tuple[Scenario, int | None]] = {
    "400": (
        Scenario(
            call=created,
            answers=chat(refused(400)),
            raises="BadRequestError",
            records=failing("BadRequestError", 400),
        ),
        0,
    ),
    "500, then 200": (
        Scenario(
            call=created,
            answers=chat(refused(500, **SOON), json_answer(completion())),
            options={"max_retries": 2},
        ),
        1,
    ),
    "429 twice, then 200": (
        Scenario(
            call=created,
            answers=chat(refused(429, **SOON), refused(429, **SOON), json_answer(completion())),
            options={"max_retries": 2},
        ),
        2,
    ),
    "429 for ever": (
        Scenario(
            call=created,
            answers=chat(refused(429, **SOON)),
            options={"max_retries": 2},
            raises="RateLimitError",
            records=failing("RateLimitError", 429),
        ),
        2,
    ),
    "no answer": (
        Scenario(
            call=created,
            answers=chat(Answer(cut=True)),
            options={"max_retries": 1},
            raises="APIConnectionError",
            records=failing("APIConnectionError"),
        ),
        1,
    ),
    "no server": (
        Scenario(
            call=created,
            options={"base_url": "http://127.0.0.1:1/v1"},
            raises="APIConnectionError",
            records=failing("APIConnectionError"),
        ),
        0,
    ),
    "time is up": (
        Scenario(
            call=created,
            answers=chat(Answer(delay_seconds=5)),
            options={"timeout": 0.05},
            raises="APITimeoutError",
            records=failing("APITimeoutError"),
        ),
        0,
    ),
    "parse, cut at the length": (
        Scenario(
            call=parsed,
            answers=chat(said('{"text": "Hel', "length")),
            raises="LengthFinishReasonError",
            records=billed("LengthFinishReasonError", "length"),
        ),
        0,
    ),
    "parse, filtered": (
        Scenario(
            call=parsed,
            answers=chat(said("", "content_filter")),
            raises="ContentFilterFinishReasonError",
            records=billed("ContentFilterFinishReasonError", "content_filter"),
        ),
        0,
    ),
    "parse, another schema": (
        Scenario(
            call=parsed,
            answers=chat(said('{"words": 2}', "stop")),
            raises="ValidationError",
            records=billed("ValidationError", "stop"),
        ),
        0,
    ),
    "responses, parse, cut at the length": (
        Scenario(
            call=parsed_response,
            answers=incomplete_response,
            raises="ValidationError",
            records=(
                {
                    **CHAT,
                    "response_id": RESPONSE_ID,
                    "finish": ("incomplete:max_output_tokens",),
                    "failure": "ValidationError",
                },
            ),
        ),
        0,
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_failure_is_one_record(name: str, colour: Colour) -> None:
    """The application's exception is its own; the record says what failed, how often, and what was billed."""
    scenario, retries = SCENARIOS[name]
    generations = check(scenario, colour)
    assert [retries] == [each.retries for each in generations]


def test_a_failure_keeps_what_the_provider_says(colour: Colour) -> None:
    """Type, text, status and code of an error answer are in the record."""
    generations = check(SCENARIOS["400"][0], colour)
    failure = generations[0].failure
    assert failure is not None
    assert Failure(type="BadRequestError", message=failure.message, status_code=400, code="model_not_found") == failure
    assert "No." in str(failure.message)


def test_a_failure_says_no_text_in_privacy_mode(colour: Colour) -> None:
    """A provider's message can quote the prompt: in privacy mode type, status and code are kept alone."""
    with Provider(refused(400)) as provider, capture_generations(privacy_mode=True) as generations:
        with pytest.raises(openai.BadRequestError):
            created(colour, colour.client(provider.base_url))
        expected = Failure(type="BadRequestError", status_code=400, code="model_not_found")
        assert [(expected, None)] == [(each.failure, each.content) for each in generations]


@contextmanager
def slow_provider() -> Iterator[tuple[Provider, Any]]:
    """A provider that does not answer, and a client of it."""
    with Provider(Answer(delay_seconds=30)) as provider:
        yield provider, openai.AsyncOpenAI(base_url=provider.base_url, api_key="sk-test", max_retries=0)


async def until_asked(provider: Provider) -> None:
    assert await asyncio.to_thread(provider.server.wait_for_requests, 1)


async def test_a_call_cancelled_before_the_reply_is_one_record() -> None:
    """The cancellation reaches the application at once; the provider may bill the call, so it is there, as unknown."""
    with slow_provider() as (provider, client), capture_generations() as generations:
        task = asyncio.create_task(client.chat.completions.create(**ASK))
        await until_asked(provider)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.close()
        assert [*failing("CancelledError")] == [facts_of(each) for each in generations]


async def test_a_call_that_the_application_times_out_is_one_record() -> None:
    """`asyncio.timeout` around a call is a cancellation inside it."""
    with slow_provider() as (_, client), capture_generations() as generations:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.chat.completions.create(**ASK)
        await client.close()
        assert [*failing("CancelledError")] == [facts_of(each) for each in generations]


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
        assert [*failing("KeyboardInterrupt")] == [facts_of(each) for each in generations]


def test_the_body_that_was_sent_is_the_same(colour: Colour) -> None:
    """A request that is not streamed goes out byte for byte as without us."""
    scripts = {"/chat/completions": json_answer(completion())}
    with Provider(scripts=scripts) as provider:
        client = colour.client(provider.base_url)
        created(colour, client)
        with capture_generations():
            created(colour, client)
        bare, watched = (request.body for request in provider.requests)
    assert (json.loads(bare), bare) == (dict(ASK), watched)


def test_another_client_at_work_inside_a_call_is_not_mixed_up_with_it(colour: Colour) -> None:
    """A hook that asks somebody else something, on the way to a request that then fails: the failure has no usage."""
    stored = completion(id="chatcmpl-stored")
    with Provider(refused(400), {"/chat/completions/chatcmpl-stored": json_answer(stored)}) as provider:
        other = Sync(provider).client(provider.base_url)

        def look(request: Any) -> None:
            other.chat.completions.retrieve("chatcmpl-stored")

        async def look_async(request: Any) -> None:
            look(request)

        client = colour.client(provider.base_url)
        client._client.event_hooks = {"request": [look if colour.name == "sync" else look_async]}
        with other, capture_generations() as generations:
            with pytest.raises(openai.BadRequestError):
                created(colour, client)
            assert [*failing("BadRequestError", 400)] == [facts_of(each) for each in generations]
