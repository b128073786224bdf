"""Client classes of the application's own, with a `request` that asks in ways of its own: each answer is one record."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context
from threading import Event, Thread
from typing import Any

import openai
import pytest

import ramp_tracing
from ramp_tracing._captured import Generations, capture_generations
from ramp_tracing._loopback import json_answer
from ramp_tracing._state import state

from .colours import Colour
from .endpoints import EMBEDDINGS, response
from .provider import CHUNKS, Provider, chat_like_openai

ASK: Mapping[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}]}
ASK_MORE: Mapping[str, Any] = {**ASK, "messages": [{"role": "user", "content": "And now?"}]}
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

    @staticmethod
    def changed(options: Any) -> Any:
        return with_body(options, {**options.json_data, "seed": 7})

    def sync(self, client: Any, request: Any, options: Any) -> Any:
        return request(self.changed(options))


class OnAThread(Way):
    """It asks on a thread, to wait for a limited time."""

    def sync(self, client: Any, request: Any, options: Any) -> Any:
        return on_a_thread(request, options)

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


class ChangingOnAThread(Way):
    """It asks for something else on a thread, or in a task, that knows nothing of the call."""

    def sync(self, client: Any, request: Any, options: Any) -> Any:
        return on_a_thread(request, Changing.changed(options))

    async def awaited(self, client: Any, request: Any, options: Any) -> Any:
        return await in_a_task(request(Changing.changed(options)))


class HandingOnOnAThread(Way):
    """It has another client ask there."""

    def sync(self, client: Any, request: Any, options: Any) -> Any:
        return on_a_thread(client.other("").asks, options)

    async def awaited(self, client: Any, request: Any, options: Any) -> Any:
        return await in_a_task(client.other("").asks(options))


class ChangingElsewhere(Way):
    """It has another client ask for something else, as one that falls back to another model."""

    def sync(self, client: Any, request: Any, options: Any) -> Any:
        return client.other("").asks(Changing.changed(options))


class ElsewhereThenOnAThread(Way):
    """It asks itself, on a thread, where another client is refused."""

    def sync(self, client: Any, request: Any, options: Any) -> Any:
        with suppress(openai.APIStatusError):
            return client.other("refused").asks(options)
        return on_a_thread(request, options)

    async def awaited(self, client: Any, request: Any, options: Any) -> Any:
        with suppress(openai.APIStatusError):
            return await client.other("refused").asks(options)
        return await in_a_task(request(options))


class AskingAnew(Way):
    """It reads its answer, and asks by its own resources for what it gives back, as a loop of tools does."""

    def sync(self, client: Any, request: Any, options: Any) -> Any:
        if options.json_data["messages"] != ASK["messages"]:
            return request(options)
        list(request(options))
        return client.chat.completions.create(**ASK_MORE, stream="stream" in options.json_data)

    async def awaited(self, client: Any, request: Any, options: Any) -> Any:
        if options.json_data["messages"] != ASK["messages"]:
            return await request(options)
        first = await request(options)
        if "stream" in options.json_data:
            [_ async for _ in first]
        return await client.chat.completions.create(**ASK_MORE, stream="stream" in options.json_data)


class Keeping(Way):
    """It asks once, and gives the same answer again."""

    def __init__(self) -> None:
        self.kept: dict[bool, Any] = {}

    def sync(self, client: Any, request: Any, options: Any) -> Any:
        is_streamed = "stream" in options.json_data
        if is_streamed not in self.kept:
            self.kept[is_streamed] = request(options)
        return self.kept[is_streamed]

    async def awaited(self, client: Any, request: Any, options: Any) -> Any:
        made = self.sync(client, request, options)
        if hasattr(made, "__await__"):
            made = self.kept["stream" in options.json_data] = await made
        return made


class KeepingForFailures(Keeping):
    """It gives the same answer again when it gets none."""

    def sync(self, client: Any, request: Any, options: Any) -> Any:
        with suppress(openai.APIStatusError):
            self.kept[False] = request(options)
        return self.kept[False]

    async def awaited(self, client: Any, request: Any, options: Any) -> Any:
        with suppress(openai.APIStatusError):
            self.kept[False] = await request(options)
        return self.kept[False]


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


def on_a_thread(ask: Any, options: Any) -> Any:
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(ask, options).result(30)


async def in_a_task(asking: Any) -> Any:
    return await asyncio.get_running_loop().create_task(asking, context=Context())


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
    "changing, on a thread": (ChangingOnAThread(), [None, None]),
    "handing on, on a thread": (HandingOnOnAThread(), [None, None]),
    "changing, elsewhere": (ChangingElsewhere(), [None, None]),
    "refused elsewhere, then on a thread": (ElsewhereThenOnAThread(), ["BadRequestError", None] * 2),
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


def test_what_a_request_gives_back_from_a_call_of_its_own_is_that_ones(colour: Colour) -> None:
    """The answer that it read itself is a record of its own; of streams, the one that is given back."""
    generations, chunks = asked(colour, AskingAnew())
    assert ([10, 10, 10], len(CHUNKS)) == ([each.usage.input_tokens for each in generations], chunks)
    assert ["And now?", "And now?", "Hello?"] == sorted(last_words(each) for each in generations)


def test_an_answer_that_was_kept_is_paid_for_once(colour: Colour) -> None:
    """Nothing is asked for the second time."""
    paid_once(overriding(colour, Keeping()), colour, Provider())


def test_an_answer_that_was_kept_for_when_the_provider_fails_is_paid_for_once(colour: Colour) -> None:
    """What fails is not paid for."""
    answers = [chat_like_openai]
    refusing = Provider(lambda request: answers.pop()(request) if answers else json_answer({}, status=500))
    paid_once(overriding(colour, KeepingForFailures()), colour, refusing)


def paid_once(kind: Any, colour: Colour, provider: Provider) -> None:
    """Of three calls that get the same answer."""
    with provider, capture_generations() as generations:
        client = kind(base_url=provider.base_url, api_key="sk-test", max_retries=0)
        assert 1 == len({id(colour.wait(client.chat.completions.create(**ASK))) for _ in range(3)})
        colour.wait(client.close())
        assert [10] == [each.usage.input_tokens for each in generations]


@pytest.mark.parametrize("way", [OnAThread(), HandingOnOnAThread()])
def test_what_is_asked_on_a_thread_is_for_whom_the_call_is(way: Way, colour: Colour) -> None:
    """The thread knows the options alone."""
    kind = overriding(colour, way)
    with Provider() as provider, capture_generations() as generations:
        client = kind(base_url=provider.base_url, api_key="sk-test", max_retries=0)
        with ramp_tracing.trace(team="search"):
            colour.wait(client.chat.completions.create(**ASK))
        colour.wait(client.close())
        assert ["search"] == [each.attribution.metadata["team"] for each in generations]


def test_an_answer_that_comes_after_its_request_has_given_up_is_recorded(provider: Provider) -> None:
    """It was billed all the same; that nobody waited for it is no second call."""
    go_on, done = Event(), Event()

    class Deadline(openai.OpenAI):
        def request(self, cast_to: Any, options: Any, **kwargs: Any) -> Any:
            inherited = super().request

            def asks() -> None:
                inherited(cast_to, options, **kwargs)
                done.set()

            Thread(target=asks).start()
            raise TimeoutError

    def late(request: Any) -> Any:
        assert go_on.wait(30)
        return chat_like_openai(request)

    provider.answer_with({"/chat/completions": late})
    with capture_generations() as generations:
        client = Deadline(base_url=provider.base_url, api_key="sk-test", max_retries=0)
        with pytest.raises(TimeoutError):
            client.chat.completions.create(**ASK)
        go_on.set()
        assert done.wait(30)
        client.close()
        assert [10] == [each.usage.input_tokens for each in generations if each.failure is None]


class Dispatching(openai.AsyncOpenAI):
    """A task of its own, which begins with the first call, asks for all of them, as one does that keeps to a rate."""

    queue: Any = None

    async def request(self, cast_to: Any, options: Any, **kwargs: Any) -> Any:
        if self.queue is None:
            self.queue = asyncio.Queue()
            self.dispatcher = asyncio.create_task(self.dispatch())
        answer = asyncio.get_running_loop().create_future()
        await self.queue.put((answer, super().request(cast_to, options, **kwargs)))
        return await answer

    async def dispatch(self) -> None:
        asked = []
        while True:
            answer, asking = await self.queue.get()
            asked.append(asyncio.create_task(self.answer(answer, asking)))

    async def answer(self, answer: Any, asking: Any) -> None:
        answer.set_result(await asking)


@pytest.mark.parametrize("keeps_content", [True, False])
async def test_each_call_that_a_task_of_another_one_asks_for_is_its_own(
    provider: Provider, keeps_content: bool
) -> None:
    """For whom it was made, also where it is answered when the call that began the task is over."""
    first_is_over = Event()

    def answered(request: Any) -> Any:
        assert b"And now?" not in request.body or first_is_over.wait(30)
        return chat_like_openai(request)

    async def created(team: str, ask: Any) -> None:
        with ramp_tracing.trace(team=team):
            await client.chat.completions.create(**ask)

    provider.answer_with({"/chat/completions": answered})
    with capture_generations(privacy_mode=not keeps_content) as generations:
        client = Dispatching(base_url=provider.base_url, api_key="sk-test", max_retries=0)
        first, second = (asyncio.create_task(created(*each)) for each in (("a", ASK), ("b", ASK_MORE)))
        await first
        first_is_over.set()
        await second
        await created("c", ASK)
        client.dispatcher.cancel()
        await client.close()
        assert ["a", "b", "c"] == [each.attribution.metadata["team"] for each in generations]
        assert [10] * 3 == [each.usage.input_tokens for each in generations]


def last_words(generation: Any) -> str:
    words: str = generation.content.input["messages"][-1]["content"]
    return words
