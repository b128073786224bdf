"""Chat completions of the openai client, by every road that an application can take to them: one record each."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import openai
import pydantic
import pytest
from openai.types.chat import ChatCompletion

import ramp_tracing
from ramp_tracing._captured import capture_generations
from ramp_tracing._loopback import json_answer
from ramp_tracing._record import Cost

from .colours import Colour
from .facts import CHAT, STREAMED, facts_of
from .provider import CHUNKS, USAGE_CHUNK, Provider, completion, stream
from .scenarios import Scenario, check

MESSAGES: Any = [{"role": "user", "content": "Hello?"}]
ASK: Mapping[str, Any] = {"model": "gpt-4o", "messages": MESSAGES}
TOOL: Mapping[str, Any] = {
    "type": "function",
    "function": {"name": "weather", "strict": True, "parameters": {"type": "object", "properties": {}}},
}


class Greeting(pydantic.BaseModel):
    text: str


def greeting() -> Mapping[str, Any]:
    message = {"role": "assistant", "content": '{"text": "Hello there."}'}
    choices = [{"index": 0, "finish_reason": "stop", "message": message}]
    return {"/chat/completions": json_answer(completion(choices=choices))}


def two_choices() -> Mapping[str, Any]:
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    asks = {"index": 1, "finish_reason": "tool_calls", "message": {"role": "assistant", "tool_calls": [call]}}
    choices = [*completion()["choices"], asks]
    return {"/chat/completions": json_answer(completion(choices=choices))}


def raw_kept(colour: Colour, client: Any) -> Any:
    raw = colour.wait(client.chat.completions.with_raw_response.create(**ASK))
    assert raw.parse() is raw.parse()
    return [raw.parse(), raw.headers["content-type"], raw.status_code]


def streamed_helper(colour: Colour, client: Any) -> Any:
    with colour.entered(client.chat.completions.stream(**ASK)) as stream:
        events = [event.type for event in colour.items(stream)]
        return [events, colour.wait(stream.get_final_completion())]


def posted(path: str) -> Any:
    def call(colour: Colour, client: Any) -> Any:
        url = path.format(base_url=str(client.base_url).rstrip("/"))
        return colour.wait(client.post(url, cast_to=ChatCompletion, body=dict(ASK)))

    return call


SCENARIOS: Mapping[str, Scenario] = {
    "create": Scenario(call=lambda colour, client: colour.wait(client.chat.completions.create(**ASK))),
    "with_options": Scenario(
        call=lambda colour, client: colour.wait(client.with_options(timeout=5).chat.completions.create(**ASK)),
    ),
    "not given": Scenario(
        call=lambda colour, client: colour.wait(
            client.chat.completions.create(
                **ASK, temperature=openai.NOT_GIVEN, tools=getattr(openai, "omit", openai.NOT_GIVEN)
            )
        ),
    ),
    "post, relative": Scenario(call=posted("/chat/completions")),
    "post, relative, with a query": Scenario(call=posted("chat/completions/?beta=true")),
    "post, absolute": Scenario(call=posted("{base_url}/chat/completions")),
    "raw response": Scenario(call=raw_kept),
    "parse": Scenario(
        call=lambda colour, client: colour.wait(client.chat.completions.parse(**ASK, response_format=Greeting)),
        answers=greeting,
    ),
    "stream helper, usage asked for": Scenario(call=streamed_helper, stream_usage="always", records=(STREAMED,)),
    "n=2 with tools": Scenario(
        call=lambda colour, client: colour.wait(client.chat.completions.create(**ASK, n=2, tools=[TOOL])),
        answers=two_choices,
        records=({**CHAT, "finish": ("stop", "tool_calls")},),
    ),
    "stored completion updated": Scenario(
        call=lambda colour, client: colour.wait(client.chat.completions.update("chatcmpl-stored", metadata={"a": "b"})),
        records=(),
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_call_is_one_record(name: str, colour: Colour) -> None:
    """However a chat completion is asked for, there is one record with its tokens, and the answer is untouched."""
    check(SCENARIOS[name], colour)


def test_a_client_made_before_is_recorded(colour: Colour) -> None:
    """A client, and parts of it that the application kept, made before `instrument()`, are recorded after it."""
    with Provider() as provider:
        client = colour.client(provider.base_url)
        completions = client.chat.completions
        raw = client.chat.completions.with_raw_response
        create = client.chat.completions.create
        with capture_generations() as generations:
            for call in (client.chat.completions.create, completions.create, raw.create, create):
                colour.wait(call(**ASK))
            assert [CHAT] * 4 == [facts_of(each) for each in generations]
        colour.wait(create(**ASK))
        assert 4 == len(generations)


def test_the_module_level_client_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """`openai.chat.completions.create` is a call like any other."""
    with Provider() as provider, capture_generations() as generations:
        monkeypatch.setattr(openai, "api_key", "sk-test")
        monkeypatch.setattr(openai, "base_url", f"{provider.base_url}/")
        monkeypatch.setattr(openai, "_client", None)
        openai.chat.completions.create(**ASK)
        openai._client.close()  # type: ignore[attr-defined]
        assert [CHAT] == [facts_of(each) for each in generations]


def subclass(colour: Colour) -> tuple[type[Any], list[str]]:
    """A client class that looks at each request and hands it on."""
    seen: list[str] = []
    base: Any = type(colour.client("http://127.0.0.1:9/v1"))

    class Looking(base):  # type: ignore[misc]
        def request(self, *args: Any, **kwargs: Any) -> Any:
            seen.append("request")
            return super().request(*args, **kwargs)

    return Looking, seen


@pytest.mark.parametrize("defined", ["before", "after"])
def test_a_subclass_that_calls_super_is_one_record(defined: str, colour: Colour) -> None:
    """A client class of the application's own, with a `request` that calls the inherited one, is not counted twice."""
    early = subclass(colour)
    with Provider() as provider, capture_generations() as generations:
        kind, seen = early if defined == "before" else subclass(colour)
        client = kind(base_url=provider.base_url, api_key="sk-test")
        colour.wait(client.chat.completions.create(**ASK))
        chunks = colour.items(colour.wait(client.chat.completions.create(**ASK, stream=True)))
        colour.wait(client.close())
        assert (["request"] * 2, len(CHUNKS)) == (seen, len(chunks))
        assert ["stop", "stop"] == [*generations[0].finish_reasons, *generations[1].finish_reasons]
        assert 2 == len(generations)


def test_azure_is_recorded_by_the_model_that_answered(colour: Colour) -> None:
    """The deployment's name is what was asked for; provider and model are known all the same."""
    with Provider() as provider:
        client = colour.azure(provider.server.url)
        with capture_generations() as generations:
            answer = colour.wait(client.chat.completions.create(model="our-deployment", messages=MESSAGES))
            assert [{**CHAT, "asked": "our-deployment"}] == [facts_of(each) for each in generations]
        assert "azure.ai.openai" == generations[0].provider
        assert "/openai/deployments/our-deployment/chat/completions" == provider.requests[0].path
        assert completion()["id"] == answer.id


@pytest.mark.skipif(not hasattr(openai, "BedrockOpenAI"), reason="older clients have none for Bedrock")
def test_bedrock_is_known_by_its_client(colour: Colour) -> None:
    """A customer may reach it under a name of its own."""
    kind: Any = getattr(openai, "BedrockOpenAI" if colour.name == "sync" else "AsyncBedrockOpenAI", None)
    with Provider() as provider, capture_generations() as generations:
        client = colour.kept(kind(base_url=provider.base_url, api_key="bedrock-key", aws_region="us-east-1"))
        colour.wait(client.chat.completions.create(model="openai.gpt-oss-120b", messages=MESSAGES))
        assert [("aws.bedrock", "openai.gpt-oss-120b")] == [(each.provider, each.request_model) for each in generations]


def test_who_a_call_is_for_is_read_where_it_is_made(colour: Colour) -> None:
    """Attribution in the request goes before the block around the call; both end up in the one record."""
    with Provider() as provider, capture_generations() as generations:
        client = colour.client(provider.base_url)
        with ramp_tracing.trace(user="block", session_id="s-1", team="search"):
            colour.wait(
                client.chat.completions.create(**ASK, user="ada", extra_body={"trace": {"trace_name": "night"}})
            )
        who = generations[0].attribution
        assert ("ada", "s-1", "night", {"team": "search"}) == (
            who.user, who.session_id, who.trace_name, dict(who.metadata))  # fmt: skip


COSTS: Mapping[str, tuple[Any, Decimal]] = {
    "float": (0.00123, Decimal("0.00123")),
    "int": (1, Decimal(1)),
    "text": ("0.00123", Decimal("0.00123")),
    "zero": (0, Decimal(0)),
    "many digits": (0.1234567890123, Decimal("0.1234567890123")),
}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", COSTS)
def test_a_reported_cost_is_taken_as_it_is(name: str, streamed: bool, colour: Colour) -> None:
    """`usage.cost` is money whatever JSON type it has, to the last digit; 0 is a price and not a missing one."""
    reported, expected = COSTS[name]
    usage = {**completion()["usage"], "cost": reported}
    answers: Callable[[], Mapping[str, Any]] = lambda: {  # noqa: E731
        "/chat/completions": stream([*CHUNKS, {**USAGE_CHUNK, "usage": usage}])
        if streamed
        else json_answer(completion(usage=usage))
    }

    def call(colour: Colour, client: Any) -> Any:
        answer = colour.wait(client.chat.completions.create(**ASK, stream=streamed))
        return colour.items(answer) if streamed else answer

    records = (STREAMED if streamed else CHAT,)
    generations = check(Scenario(call=call, answers=answers, records=records), colour)
    assert Cost(total=expected, source="provider") == generations[0].cost
