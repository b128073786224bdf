"""Client classes of the application's own, with a `request` that asks in ways of its own: each answer is one record."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

from ramp_tracing._captured import Generations, capture_generations
from ramp_tracing._loopback import json_answer
from ramp_tracing._state import state

from .colours import Colour
from .endpoints import EMBEDDINGS, response
from .provider import CHUNKS, Provider

ASK: Mapping[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}]}
ANSWERS: Mapping[str, Any] = {
    "/refused/chat/completions": json_answer({"error": {"message": "No."}}, status=400),
    "/embeddings": json_answer(EMBEDDINGS),
}


class Way:
    """What a `request` does with its options; *request* is the inherited one."""

    def sync(self, client: Any, request: Any, options: Any) -> Any:
        """For the sync client."""
        raise NotImplementedError

    async def awaited(self, client: Any, request: Any, options: Any) -> Any:
        """The same for the async one."""
        return await self.sync(client, request, options)


class Changing(Way):
    """It asks for something that nobody has seen yet."""

    def sync(self, client: Any, request: Any, options: Any) -> Any:
        return request(with_body(options, {**options.json_data, "seed": 7}))


class OnAThread(Way):
    """It asks on a thread, to wait for a limited time."""

    def sync(self, client: Any, request: Any, options: Any) -> Any:
        with ThreadPoolExecutor(1) as executor:
            return executor.submit(request, options).result(30)

    async def awaited(self, client: Any, request: Any, options: Any) -> Any:
        return await asyncio.wait_for(request(options), 30)


class HandingOn(Way):
    """It has another client ask, as one of several keys."""

    def sync(self, client: Any, request: Any, options: Any) -> Any:
        return client.other("").asks(options)


class RefusedElsewhere(Way):
    """It asks itself where another client is refused."""

    def sync(self, client: Any, request: Any, options: Any) -> Any:
        try:
            return client.other("refused").asks(options)
        except openai.APIStatusError:
            return request(options)

    async def awaited(self, client: Any, request: Any, options: Any) -> Any:
        try:
            return await client.other("refused").asks(options)
        except openai.APIStatusError:
            return await request(options)


class EmbeddingFirst(Way):
    """It asks for something else by the inherited `request`."""

    def sync(self, client: Any, request: Any, options: Any) -> Any:
        request(embedding(options))
        return request(options)

    async def awaited(self, client: Any, request: Any, options: Any) -> Any:
        await request(embedding(options))
        return await request(options)


class Twice(Way):
    """It is not content with the first answer."""

    def sync(self, client: Any, request: Any, options: Any) -> Any:
        request(options)
        return request(options)

    async def awaited(self, client: Any, request: Any, options: Any) -> Any:
        await request(options)
        return await request(options)


def with_body(options: Any, body: Any, **fields: Any) -> Any:
    copy = options.model_copy()
    for name, value in {**fields, "json_data": body}.items():
        setattr(copy, name, value)
    return copy


def embedding(options: Any) -> Any:
    return with_body(options, {"model": "text-embedding-3-small", "input": "a"}, url="/embeddings")


def overriding(colour: Colour, way: Way) -> Any:
    """A client class, made before we are there, whose `request` goes *way*."""
    base: Any = type(colour.client("http://127.0.0.1:9/v1"))

    class Overriding(base):  # type: ignore[misc]
        def request(self, cast_to: Any, options: Any, **kwargs: Any) -> Any:
            inherited, self.kwargs = super().request, kwargs

            def request(options: Any) -> Any:
                is_streamed = options.url == "/embeddings" and {"stream": False, "stream_cls": None}
                return inherited(cast_to, options, **(is_streamed or kwargs))

            self.cast_to = cast_to
            return (way.sync if colour.name == "sync" else way.awaited)(self, request, options)

        def other(self, path: str) -> Any:
            """Another client."""
            client: Any = base(base_url=f"{self.base_url}{path}", api_key="sk-other", max_retries=0)
            client.asks = lambda options: client.request(self.cast_to, options, **self.kwargs)
            colour.kept(client)  # type: ignore[attr-defined]
            return client

    return Overriding


def asked(colour: Colour, way: Way) -> tuple[Generations, int]:
    """What is recorded of two chat completions, and how many chunks came of the second one."""
    kind = overriding(colour, way)
    with Provider(scripts=ANSWERS) as provider, capture_generations() as generations:
        state.stream_usage = "always"
        client = kind(base_url=provider.base_url, api_key="sk-test", max_retries=0)
        colour.wait(client.chat.completions.create(**ASK))
        chunks = colour.items(colour.wait(client.chat.completions.create(**ASK, stream=True)))
        colour.wait(client.close())
        return generations, len(chunks)


WAYS: Mapping[str, tuple[Way, list[str | None]]] = {
    "changing": (Changing(), [None, None]),
    "on a thread": (OnAThread(), [None, None]),
    "handing on": (HandingOn(), [None, None]),
    "refused elsewhere": (RefusedElsewhere(), ["BadRequestError", None, "BadRequestError", None]),
}
"""What a `request` does, and how each call ended that there is a record of."""


@pytest.mark.parametrize("name", WAYS)
def test_each_answer_is_one_record(name: str, colour: Colour) -> None:
    """With its usage, which the application did not ask for and does not see."""
    way, ends = WAYS[name]
    generations, chunks = asked(colour, way)
    assert (ends, len(CHUNKS)) == ([each.failure and each.failure.type for each in generations], chunks)
    assert [10, 10] == [each.usage.input_tokens for each in generations if each.failure is None]


def test_something_else_that_is_asked_for_is_another_call(colour: Colour) -> None:
    """Also where it goes by the inherited `request`."""
    generations, _ = asked(colour, EmbeddingFirst())
    assert ["embeddings", "chat"] * 2 == [each.operation for each in generations]


def test_a_response_that_is_asked_for_again_is_two(colour: Colour) -> None:
    """Both were billed, of the Responses API as of chat completions."""
    kind, left = overriding(colour, Twice()), ["resp_1", "resp_2"]
    scripts = {"/responses": lambda _: json_answer(response(id=left.pop(0)))}
    with Provider(scripts=scripts) as provider, capture_generations() as generations:
        client = kind(base_url=provider.base_url, api_key="sk-test", max_retries=0)
        colour.wait(client.responses.create(model="gpt-4o", input="Hello?"))
        colour.wait(client.close())
        assert [("resp_1", 10), ("resp_2", 10)] == [(each.response_id, each.usage.input_tokens) for each in generations]
