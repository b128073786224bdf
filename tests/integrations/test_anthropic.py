"""Messages of the anthropic client, by every road that an application can take to them: one record each."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from importlib import import_module
from inspect import signature
from threading import Barrier
from typing import Any

import pytest

import ramp_tracing
from ramp_tracing._captured import capture_generations
from ramp_tracing._loopback import Answer, json_answer
from ramp_tracing._state import state
from ramp_tracing.testing import FakeRamp

from .anthropic_calls import (
    ABANDONED,
    ASK,
    EVENTS,
    MESSAGE,
    MODEL,
    SCRIPTS,
    STREAMED,
    UNANSWERED,
    USAGE,
    answering,
    anthropic,
    both,
    error,
    message,
    scenario,
)
from .colours import Colour
from .facts import facts_of
from .provider import Provider, stream
from .scenarios import Scenario, check


def created(colour: Colour, client: Any) -> Any:
    return colour.wait(client.messages.create(**ASK))


def with_options(colour: Colour, client: Any) -> Any:
    return created(colour, client.with_options(timeout=20))


def beta(colour: Colour, client: Any) -> Any:
    return colour.wait(client.beta.messages.create(**ASK, betas=["token-counting-2024-11-01"]))


def posted(colour: Colour, client: Any) -> Any:
    return colour.wait(client.post("/v1/messages", body=dict(ASK), cast_to=anthropic.types.Message))


def raw(colour: Colour, client: Any) -> Any:
    response = colour.wait(client.messages.with_raw_response.create(**ASK))
    return [type(response), parsed(colour, response)]


def parsed(colour: Colour, response: Any) -> Any:
    return colour.wait(response.parse())


def raw_stream(colour: Colour, client: Any) -> Any:
    return colour.items(parsed(colour, colour.wait(client.messages.with_raw_response.create(**ASK, stream=True))))


def raw_stream_broken_off(colour: Colour, client: Any) -> Any:
    chunks = parsed(colour, colour.wait(client.messages.with_raw_response.create(**ASK, stream=True)))
    return colour.broken_off(chunks, 3)


def lazy(read: Callable[[Colour, Any], Any], **more: Any) -> Callable[[Colour, Any], Any]:
    def call(colour: Colour, client: Any) -> Any:
        with colour.entered(client.messages.with_streaming_response.create(**ASK, **more)) as response:
            return [type(response), read(colour, response)]

    return call


def parsed_items(colour: Colour, response: Any) -> Any:
    return colour.items(parsed(colour, response))


ROADS: Mapping[str, Scenario] = {
    "create": scenario(created),
    "with_options": scenario(with_options),
    "beta": scenario(beta),
    "post": scenario(posted),
    "raw": scenario(raw),
    "raw, stream": scenario(raw_stream, STREAMED),
    "raw, stream, broken off": scenario(raw_stream_broken_off, ABANDONED, leaves=True),
    "lazy, parse": scenario(lazy(parsed)),
    "lazy, read": scenario(lazy(lambda colour, response: colour.wait(response.read()))),
    "lazy, bytes": scenario(lazy(lambda colour, response: b"".join(colour.items(response.iter_bytes(7))))),
    "lazy, never": scenario(
        lazy(lambda colour, response: response.status_code), {**UNANSWERED, "failure": "abandoned"}
    ),
    "lazy, stream": scenario(lazy(parsed_items, stream=True), STREAMED),
    "lazy, stream, lines": scenario(
        lazy(lambda colour, response: colour.items(response.iter_lines()), stream=True), STREAMED
    ),
    "lazy, stream, bytes": scenario(
        lazy(lambda colour, response: b"".join(colour.items(response.iter_bytes(7))), stream=True), STREAMED
    ),
}


@both
@pytest.mark.parametrize("name", ROADS)
def test_a_message_is_one_record(name: str, colour: Colour) -> None:
    """Whichever way it is asked for and read, the application sees no difference and there is one record."""
    check(ROADS[name], colour)


def counted(colour: Colour, client: Any) -> Any:
    return colour.wait(client.messages.count_tokens(model=MODEL, messages=ASK["messages"]))


def beta_counted(colour: Colour, client: Any) -> Any:
    return colour.wait(client.beta.messages.count_tokens(model=MODEL, messages=ASK["messages"]))


def session_updated(colour: Colour, client: Any) -> Any:
    return colour.wait(client.post("/v1/sessions/sesn_01?beta=true", body={"title": "a"}, cast_to=object))


SESSION = {"id": "sesn_01", "type": "session", "usage": {"input_tokens": 5000, "output_tokens": 900}}
FREE: Mapping[str, Scenario] = {
    "count_tokens": Scenario(call=counted, answers=lambda: SCRIPTS, records=()),
    "beta count_tokens": Scenario(call=beta_counted, answers=lambda: SCRIPTS, records=()),
    "a session": Scenario(call=session_updated, answers=lambda: {"/sesn_01": json_answer(SESSION)}, records=()),
}


@both
@pytest.mark.parametrize("name", FREE)
def test_what_costs_nothing_leaves_no_record(name: str, colour: Colour) -> None:
    """Counting tokens is free, and a session tells what other calls have used."""
    check(FREE[name], colour)


@both
def test_the_body_that_was_sent_is_the_same(colour: Colour) -> None:
    """A request goes out byte for byte as without us, also where its messages can be read only once."""
    with Provider(scripts=SCRIPTS) as provider:
        client = colour.client(provider.base_url)
        colour.wait(client.messages.create(**{**ASK, "messages": iter(ASK["messages"])}))
        with capture_generations() as generations:
            colour.wait(client.messages.create(**{**ASK, "messages": iter(ASK["messages"])}))
            assert [MESSAGE] == [facts_of(each) for each in generations]
        bare, watched = (request.body for request in provider.requests)
    assert (json.loads(bare), bare) == (dict(ASK), watched)


def asking_twice(colour: Colour) -> Any:
    """A middleware, as the client takes them, that asks again after a refusal."""

    def handle(request: Any, call_next: Any) -> Any:
        response = call_next(request)
        refused = response.http_response.is_success and response.parse().stop_reason == "refusal"
        return call_next(request.copy(body={**request.json, "model": "claude-sonnet-5"})) if refused else response

    async def handle_async(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        refused = response.http_response.is_success and (await response.parse()).stop_reason == "refusal"
        body = {**request.json, "model": "claude-sonnet-5"}
        return await call_next(request.copy(body=body)) if refused else response

    return handle if colour.name == "sync" else handle_async


REFUSED = message(id="msg_01Refused", stop_reason="refusal")
OTHER = message(id="msg_01Fallback", model="claude-sonnet-5")


@pytest.mark.skipif(
    "middleware" not in signature(anthropic.Anthropic.__init__).parameters, reason="older clients have no middleware"
)
@both
def test_a_middleware_that_asks_again_makes_two_records(colour: Colour) -> None:
    """Both answers were billed; an error that is retried in between was not."""
    answers = answering(error(500, "api_error", **{"retry-after-ms": "1"}), json_answer(REFUSED), json_answer(OTHER))
    two = (
        {**MESSAGE, "response_id": "msg_01Refused", "finish": ("refusal",)},
        {**MESSAGE, "response_id": "msg_01Fallback", "answered": "claude-sonnet-5"},
    )
    options = {"middleware": [asking_twice(colour)], "max_retries": 1}
    check(scenario(created, *two, answers=answers, options=options), colour)


def on_threads(request: Any, call_next: Any) -> Any:
    """A middleware that asks twice at once, and takes what comes first: `call_next` on threads of its own."""
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(call_next, request), pool.submit(call_next, request)
        second.result(60)
        return first.result(60)


def on_a_thread(request: Any, call_next: Any) -> Any:
    """A middleware that waits for a limited time, and asks for less."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call_next, request.copy(body={**request.json, "max_tokens": 5})).result(60)


THREADS: Mapping[str, tuple[Any, Mapping[str, Any], int]] = {
    "twice at once": (on_threads, {}, 2),
    "something else": (on_a_thread, {}, 1),
    "a stream": (on_a_thread, {"stream": True}, 1),
}


@pytest.mark.skipif(
    "middleware" not in signature(anthropic.Anthropic.__init__).parameters, reason="older clients have no middleware"
)
@pytest.mark.parametrize("name", THREADS)
def test_what_a_middleware_asks_on_a_thread_is_for_whom_it_was_called(name: str, provider: Provider) -> None:
    """Each answer is one record, though the thread knows nothing of the call; none is recorded once more at its end."""
    middleware, more, count = THREADS[name]
    numbers = iter(range(count))

    def answer(request: Any) -> Answer:
        number = next(numbers)
        begun, *others = EVENTS
        said = [{**begun, "message": {**begun["message"], "id": f"msg_{number}"}}, *others]
        return stream(said, named=True, done=False) if more else json_answer(message(id=f"msg_{number}"))

    provider.answer_with({"/messages": answer})
    with (
        anthropic.Anthropic(base_url=provider.server.url, api_key="sk", middleware=[middleware]) as client,
        capture_generations() as generations,
        ramp_tracing.trace(user="user-7"),
    ):
        given = client.messages.create(**ASK, **more)
        assert [] != (list(given) if more else [given])
        found = sorted((each.response_id or "", each.usage.input_tokens, each.attribution.user) for each in generations)
    assert [(f"msg_{number}", 15, "user-7") for number in range(count)] == found


@pytest.mark.skipif(
    "middleware" not in signature(anthropic.Anthropic.__init__).parameters, reason="older clients have no middleware"
)
@pytest.mark.parametrize("name", ["the same", "something else"])
def test_calls_that_ask_for_the_same_at_once_are_told_apart_behind_a_middleware_on_threads(
    name: str, provider: Provider
) -> None:
    """A server's customers ask at the same time, perhaps in the same words."""
    numbers, together = iter(range(2)), Barrier(2)

    def answer(request: Any) -> Answer:
        together.wait(60)
        return json_answer(message(id=f"msg_{next(numbers)}"))

    def middleware(request: Any, call_next: Any) -> Any:
        body = request.json if name == "the same" else {**request.json, "max_tokens": 5}
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(call_next, request.copy(body=body)).result(60)

    def ask(user: str) -> tuple[str, str]:
        with ramp_tracing.trace(user=user):
            return str(client.messages.create(**ASK).id), user

    provider.answer_with({"/messages": answer})
    with (
        anthropic.Anthropic(base_url=provider.server.url, api_key="sk", middleware=[middleware]) as client,
        capture_generations() as generations,
        ThreadPoolExecutor(2) as pool,
    ):
        given = sorted(pool.map(ask, ("ada", "bob")))
        assert given == sorted((str(each.response_id), str(each.attribution.user)) for each in generations)


@pytest.fixture
def asked(provider: Provider) -> Provider:
    provider.answer_with(SCRIPTS)
    return provider


USERS: Mapping[str, tuple[Mapping[str, Any], str | None]] = {
    "the provider's way": ({"metadata": {"user_id": "user-7"}}, "user-7"),
    "OpenRouter's way": ({"extra_body": {"user": "user-8"}, "metadata": {"user_id": "user-7"}}, "user-8"),
    "not at all": ({}, "user-of-the-block"),
    "with nobody": ({"metadata": {"user_id": None}}, "user-of-the-block"),
}


@both
@pytest.mark.parametrize("name", USERS)
def test_the_user_of_a_request_is_the_users(name: str, colour: Colour, asked: Provider) -> None:
    """Anthropic's ``metadata.user_id`` says whom a request is for, as ``user`` does elsewhere."""
    more, user = USERS[name]
    with capture_generations() as generations, ramp_tracing.trace(user="user-of-the-block", team="billing"):
        colour.wait(colour.client(asked.base_url).messages.create(**ASK, **more))
        found = generations[0].attribution
    assert (user, {"team": "billing"}) == (found.user, dict(found.metadata))


PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo" + "A" * 400}}
TURNS: Any = [
    {"role": "user", "content": [{"type": "text", "text": "What is this?"}, PICTURE]},
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "c2lnbmVk"},
            {"type": "tool_use", "id": "toolu_01", "name": "look", "input": {"at": "corner"}},
        ],
    },
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_01", "content": "a cat"}]},
]
ANSWERED = message(
    {"type": "thinking", "thinking": "A cat.", "signature": "c2lnbmVk"},
    {"type": "redacted_thinking", "data": "c2VjcmV0"},
    {"type": "text", "text": "It is "},
    {"type": "server_tool_use", "id": "srvtoolu_01", "name": "web_search", "input": {"query": "cats"}},
    {"type": "text", "text": "a cat."},
    {"type": "tool_use", "id": "toolu_02", "name": "pet", "input": {"gently": True}},
    stop_reason="tool_use",
)


def as_sent(**options: Any) -> Any:
    """What Ramp receives of such a call."""
    answers = answering(json_answer(ANSWERED))()
    with Provider(scripts=answers) as server, FakeRamp(api_key="key") as ramp:
        ramp_tracing.instrument(api_key="key", base_url=ramp.url, **options)
        with anthropic.Anthropic(base_url=server.base_url, api_key="sk-ant-test", max_retries=0) as client:
            client.messages.create(**{**ASK, "messages": TURNS}, system="Be brief.")
        assert ramp_tracing.flush(30)
        ramp_tracing.uninstrument()
        [span] = ramp.spans
        return span.attributes


def test_what_was_asked_and_answered_is_sent() -> None:
    """System prompt, messages and answer in the form in which every call is sent; of a picture a note."""
    attributes = as_sent()
    asked, answered = (json.loads(str(attributes[name])) for name in ("gen_ai.prompt", "gen_ai.completion"))
    assert {"role": "system", "content": "Be brief."} == asked["messages"][0]
    assert TURNS[1:] == asked["messages"][2:]
    assert "iVBORw0KGgo" not in str(attributes)
    assert "image/png" in str(asked["messages"][1])
    assert {
        "completion": "It is a cat.",
        "reasoning": "A cat.",
        "toolCalls": [
            {
                "id": "toolu_02",
                "index": 0,
                "type": "function",
                "function": {"name": "pet", "arguments": '{"gently": true}'},
            }
        ],
        "content": [{"type": "server_tool_use", "id": "srvtoolu_01", "name": "web_search", "input": {"query": "cats"}}],
    } == answered


def test_the_conventions_have_their_parts() -> None:
    """In the conventions' dialect, thoughts, calls of tools and their results are parts of messages."""
    attributes = as_sent(dialect="semconv")
    asked = json.loads(str(attributes["gen_ai.input.messages"]))
    answered = json.loads(str(attributes["gen_ai.output.messages"]))
    assert ["system", "user", "assistant", "user"] == [each["role"] for each in asked]
    kinds = [[part["type"] for part in each["parts"]] for each in (*asked, *answered)]
    assert [
        ["text"],
        ["text", "image"],
        ["reasoning", "tool_call"],
        ["tool_call_response"],
        ["reasoning", "text", "server_tool_call", "tool_call"],
    ] == kinds


def test_nothing_of_it_is_sent_in_privacy_mode() -> None:
    """Neither what was asked nor what was answered."""
    said = str(as_sent(privacy_mode=True))
    assert [] == [text for text in ("brief", "What is this", "cat", "gently") if text in said]


PRICES: Mapping[str, tuple[Mapping[str, Any], tuple[str, str] | None]] = {
    "plain": ({"input_tokens": 1000, "output_tokens": 100, "service_tier": "standard"}, ("0.005", "0.0025")),
    "from the cache": (
        {**USAGE, "input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 1000},
        ("0.0005", "0.000125"),
    ),
    "with a search": (
        {"input_tokens": 10, "output_tokens": 5, "server_tool_use": {"web_search_requests": 1}},
        ("0.01005", "0.000125"),
    ),
    "with code that was run": (
        {"input_tokens": 10, "output_tokens": 5, "server_tool_use": {"code_execution_requests": 1}},
        None,
    ),
    "in fast mode": ({"input_tokens": 10, "output_tokens": 5, "service_tier": "standard", "speed": "fast"}, None),
    "in the US alone": ({"input_tokens": 10, "output_tokens": 5, "inference_geo": "us"}, None),
    "anywhere": (
        {"input_tokens": 1000, "output_tokens": 100, "inference_geo": "global", "speed": "standard"},
        ("0.005", "0.0025"),
    ),
}
"""Usage → US dollars for input and output: 5 and 25 for a million tokens, 10 for a thousand searches."""


@pytest.mark.parametrize("name", PRICES)
def test_the_list_prices_what_it_knows(name: str, provider: Provider) -> None:
    """Anthropic's own API has a list; where more was billed than it has prices for, there is no cost."""
    usage, shares = PRICES[name]
    answered = json_answer(message(model="claude-opus-4-6", usage=usage))
    provider.answer_with({"/messages": answered})
    host = provider.base_url.removeprefix("http://").partition("/")[0]
    with capture_generations() as generations:
        state.providers = {host: "anthropic"}
        with anthropic.Anthropic(base_url=provider.base_url, api_key="sk-ant-test") as client:
            client.messages.create(**ASK)
        (cost,) = [each.cost for each in generations]
    expected = shares and tuple(map(Decimal, shares))
    assert expected == (cost and (cost.input, cost.output))


def test_a_stranger_to_the_client_is_read_too(provider: Provider) -> None:
    """An answer that is no message raises nothing of ours and is a record without counts."""
    provider.answer_with({"/messages": Answer(headers={"Content-Type": "text/html"}, body=b"<html>Sign in</html>")})
    with capture_generations() as generations:
        with anthropic.Anthropic(base_url=provider.base_url, api_key="sk-ant-test") as client:
            client.messages.create(**ASK)
        assert [UNANSWERED] == [facts_of(each) for each in generations]


def test_nothing_is_left_behind() -> None:
    """Switched off, the client is as it was."""
    base = import_module("anthropic._base_client")
    places = [
        (each, name) for each in (base.SyncAPIClient, base.AsyncAPIClient) for name in ("request", "_process_response")
    ]
    before = [vars(owner)[name] for owner, name in places]
    with capture_generations():
        during = [vars(owner)[name] for owner, name in places]
    assert all(one is not other for one, other in zip(before, during, strict=True))
    assert all(one is vars(owner)[name] for one, (owner, name) in zip(before, places, strict=True))
