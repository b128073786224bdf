"""Streams are read as the data that the client makes its chunks of, and as chunks where it makes them otherwise."""

import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from ramp_tracing._captured import capture_generations
from ramp_tracing._guard import log
from ramp_tracing._loopback import Answer
from ramp_tracing._state import state

from .colours import Colour
from .facts import STREAMED, UNKNOWN, facts_of
from .provider import CHUNKS, USAGE_CHUNK, Provider, chat_like_openai, events
from .scenarios import Scenario, check
from .test_openai_stream_usage import asking

ASK: Mapping[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}], "stream": True}
WITH_USAGE: Mapping[str, Any] = {**ASK, "stream_options": {"include_usage": True}}


class OwnStream(openai.Stream[Any]):
    """One that makes its chunks itself."""

    def __stream__(self) -> Iterator[Any]:
        for event in self._iter_events():
            if not event.data.startswith("[DONE]"):
                yield ChatCompletionChunk.model_construct(**event.json())


class OwnAsyncStream(openai.AsyncStream[Any]):
    """One that makes its chunks itself."""

    async def __stream__(self) -> AsyncIterator[Any]:
        async for event in self._iter_events():
            if not event.data.startswith("[DONE]"):
                yield ChatCompletionChunk.model_construct(**event.json())


class EveryOtherStream(openai.Stream[Any]):
    """One that lets its client make every other chunk."""

    def __stream__(self) -> Iterator[Any]:
        make = self._client._process_response_data
        for number, event in enumerate(self._iter_events()):
            if event.data.startswith("[DONE]"):
                return
            if number % 2:
                yield ChatCompletionChunk.model_construct(**event.json())
            else:
                yield make(data=event.json(), cast_to=ChatCompletionChunk, response=self.response)


class EveryOtherAsyncStream(openai.AsyncStream[Any]):
    """One that lets its client make every other chunk."""

    async def __stream__(self) -> AsyncIterator[Any]:
        make, number = self._client._process_response_data, 0
        async for event in self._iter_events():
            number += 1
            if event.data.startswith("[DONE]"):
                return
            if number % 2:
                yield ChatCompletionChunk.model_construct(**event.json())
            else:
                yield make(data=event.json(), cast_to=ChatCompletionChunk, response=self.response)


OWN: Mapping[str, Mapping[str, Any]] = {
    "of its own": {"sync": OwnStream, "async": OwnAsyncStream},
    "of both kinds": {"sync": EveryOtherStream, "async": EveryOtherAsyncStream},
}


@pytest.mark.parametrize("asks", [True, False], ids=["usage asked for by the application", "by us"])
@pytest.mark.parametrize("kind", OWN)
def test_a_stream_class_of_the_applications(kind: str, asks: bool, colour: Colour) -> None:
    """Chunks that do not come from the client are read when they come, and no text is read twice."""

    def call(colour: Colour, client: Any) -> Any:
        body = dict(WITH_USAGE if asks else ASK)
        post = client.post(
            "/chat/completions", cast_to=ChatCompletionChunk, body=body, stream=True, stream_cls=OWN[kind][colour.name]
        )
        return len(colour.items(colour.wait(post)))

    check(Scenario(call=call, stream_usage="always", records=(STREAMED,)), colour)
    with Provider(chat_like_openai) as provider, capture_generations() as generations:
        call(colour, colour.client(provider.base_url))
        assert {"completion": "Hello there.", "reasoning": None} == output_of(generations[0])


@pytest.mark.parametrize("asked", [ASK, WITH_USAGE], ids=["usage asked for by us", "by the application"])
def test_every_text_is_read_once(asked: Any, colour: Colour) -> None:
    """The record holds the answer that the application got, by whichever way it came."""
    with Provider(chat_like_openai) as provider, asking("always") as generations:
        colour.items(colour.wait(colour.client(provider.base_url).chat.completions.create(**asked)))
        assert [STREAMED] == [facts_of(each) for each in generations]
        assert {"completion": "Hello there.", "reasoning": None} == output_of(generations[0])


def output_of(generation: Any) -> Any:
    return generation.content.output


def test_what_the_client_makes_of_data_may_be_the_applications_own(colour: Colour) -> None:
    """A client whose method takes what it likes is not listened to; its chunks are read, and it is called as ever."""
    made: list[Any] = []

    def make(self: Any, **given: Any) -> Any:
        made.append(given["data"])
        return ChatCompletionChunk.model_construct(**given["data"])

    base: Any = openai.OpenAI if colour.name == "sync" else openai.AsyncOpenAI
    own: Any = type("Own", (base,), {"_process_response_data": make})
    with Provider(chat_like_openai) as provider, capture_generations() as generations:
        client = own(base_url=provider.base_url, api_key="sk-test", max_retries=0)
        seen = colour.items(colour.wait(client.chat.completions.create(**WITH_USAGE)))
        colour.wait(client.close())
        assert len(seen) == len(made) == len(CHUNKS) + 1
        assert [STREAMED] == [facts_of(each) for each in generations]


class Hostile(dict[str, Any]):
    """Data that fails to be read."""

    def __getitem__(self, name: str) -> Any:
        raise RuntimeError("hostile")

    get = __getitem__


class HostileStream(openai.Stream[Any]):
    """One that hands its client what cannot be read."""

    def __stream__(self) -> Iterator[Any]:
        make = self._client._process_response_data
        for event in self._iter_events():
            if event.data.startswith("[DONE]"):
                return
            yield make(data=Hostile(event.json()), cast_to=object, response=self.response)


def test_data_that_fails_to_be_read_is_the_applications_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing of ours is raised into the client; the call is recorded, with what is known of it."""
    monkeypatch.setattr(state, "strict", False)
    monkeypatch.setattr(log, "_next", {})
    with Provider(chat_like_openai) as provider, capture_generations() as generations:
        client = openai.OpenAI(base_url=provider.base_url, api_key="sk-test", max_retries=0)
        post = client.post("/chat/completions", cast_to=object, body=dict(ASK), stream=True, stream_cls=HostileStream)
        assert len(CHUNKS) == len(list(post))
        client.close()
        assert ["chat"] == [each.operation for each in generations]
    assert "reading a stream failed with RuntimeError" in caplog.text


def test_a_stream_has_its_own_client(colour: Colour) -> None:
    """Before its first chunk there is something that does as the client does; from then on there is the client."""
    with Provider(chat_like_openai) as provider, capture_generations():
        client = colour.client(provider.base_url)
        stream = colour.wait(client.chat.completions.create(**ASK))
        assert ("sk-test", client.base_url) == (stream._client.api_key, stream._client.base_url)
        colour.take(stream, 1)
        assert client is stream._client
        colour.items(stream)
        assert client is stream._client


def test_numbers_of_a_chunk_stay_the_applications(colour: Colour) -> None:
    """What the application does to a chunk that it has been given changes no record."""
    with Provider(chat_like_openai) as provider, capture_generations() as generations:
        for chunk in colour.items(colour.wait(colour.client(provider.base_url).chat.completions.create(**WITH_USAGE))):
            if chunk.usage is not None:
                chunk.usage.prompt_tokens = 99
        assert [STREAMED] == [facts_of(each) for each in generations]


def test_a_second_thread_is_turned_away_as_it_always_was() -> None:
    """Two threads cannot step through a stream at once: one gets Python's own error, and the other's is the record."""
    go_on = threading.Event()

    def pieces() -> Iterator[bytes]:
        first, *others = events([*CHUNKS, USAGE_CHUNK])
        yield first
        go_on.wait(60)
        yield from others

    answer = Answer(headers={"Content-Type": "text/event-stream"}, body=pieces())
    with Provider(answer) as provider, capture_generations() as generations:
        client = openai.OpenAI(base_url=provider.base_url, api_key="sk-test", max_retries=0)
        stream = client.chat.completions.create(**WITH_USAGE)
        seen = [next(stream)]
        reader = threading.Thread(target=lambda: seen.extend(stream))
        reader.start()
        deadline = time.monotonic() + 60
        while not stream._iterator.gi_running:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        with pytest.raises(ValueError, match="already executing"):
            next(stream)
        go_on.set()
        reader.join(60)
        client.close()
        assert len(CHUNKS) + 1 == len(seen)
        assert [STREAMED] == [facts_of(each) for each in generations]


def test_reading_on_after_an_interrupt() -> None:
    """An interrupt that finds us between two chunks ends nothing: who reads on gets the rest."""

    class Interrupt(BaseException):
        pass

    with Provider(chat_like_openai) as provider, capture_generations() as generations:
        client = openai.OpenAI(base_url=provider.base_url, api_key="sk-test", max_retries=0)
        stream = client.chat.completions.create(**ASK)
        seen = [next(stream)]
        with pytest.raises(Interrupt):
            stream._iterator.handed_on.throw(Interrupt())
        seen += list(stream)
        client.close()
        assert len(CHUNKS) == len(seen)
        assert [{**STREAMED, "tokens": UNKNOWN}] == [facts_of(each) for each in generations]
        assert {"completion": "Hello there.", "reasoning": None} == output_of(generations[0])
