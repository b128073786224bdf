"""Beside other instrumentations, in whatever order they come and go; and that we leave nothing behind."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from copy import copy
from typing import Any

import openai
import pydantic
import pytest
from openai import _base_client
from openai.resources.chat import AsyncCompletions, Completions

import ramp_tracing
from ramp_tracing._captured import capture_generations
from ramp_tracing._loopback import Answer, Request, json_answer
from ramp_tracing._state import state
from ramp_tracing.integrations import _asking
from ramp_tracing.testing import FakeRamp

from .colours import Colour
from .facts import CHAT, STREAMED, UNKNOWN, facts_of, seen_by_user
from .provider import CHUNKS, USAGE_CHUNK, Provider, Script, chat_like_openai, completion, events
from .scenarios import Scenario, play

ASK: Mapping[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}]}

CLASSES: tuple[type[Any], ...] = (
    _base_client.BaseClient,
    _base_client.SyncAPIClient,
    _base_client.AsyncAPIClient,
    openai.OpenAI,
    openai.AsyncOpenAI,
    openai.AzureOpenAI,
    openai.AsyncAzureOpenAI,
    openai.Stream,
    openai.AsyncStream,
    Completions,
    AsyncCompletions,
)


def contents() -> dict[str, dict[str, int]]:
    """The identity of everything that these classes hold."""
    return {each.__name__: {name: id(value) for name, value in vars(each).items()} for each in CLASSES}


def created(colour: Colour, client: Any) -> Any:
    return colour.wait(client.chat.completions.create(**ASK))


def streamed(colour: Colour, client: Any) -> Any:
    return colour.items(colour.wait(client.chat.completions.create(**ASK, stream=True)))


class Looker(openai.OpenAI):
    """A class of the application's own that has a `request`."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        return super().request(*args, **kwargs)


def test_nothing_is_left_behind() -> None:
    """After `uninstrument()` every class holds the very objects that it held before."""
    before, own = contents(), vars(Looker)["request"]
    ramp_tracing.instrument(api_key="key", base_url="http://127.0.0.1:1/")
    assert before != contents()
    assert own is not vars(Looker)["request"]
    ramp_tracing.uninstrument()
    assert before == contents()
    assert own is vars(Looker)["request"]


def test_what_is_under_way_when_we_go_does_not_bring_us_back(colour: Colour) -> None:
    """A call that is answered after `uninstrument()` misses a wrapper that we have taken out ourselves."""
    before = contents()

    def going(request: Request) -> Answer:
        ramp_tracing.uninstrument()
        return chat_like_openai(request)

    with FakeRamp() as ramp:
        ramp_tracing.instrument(api_key="key", base_url=ramp.url)
        sink = state.sink
        play(Scenario(call=created, answers=lambda: {"/chat/completions": going}), colour)
        assert sink is not None
        assert sink.shutdown(30)  # the record came when we had gone, and has started the thread again
        assert 1 == len(ramp.generations)
    assert before == contents()


def test_switching_on_again_counts_once(colour: Colour) -> None:
    """On, off and on, or on twice, is one layer."""
    with capture_generations():
        pass
    with capture_generations(), capture_generations() as generations:
        play(Scenario(call=created), colour)
        assert [CHAT] == [facts_of(each) for each in generations]


@contextmanager
def outside(owner: Any, name: str, around: Callable[[Any], Any]) -> Iterator[None]:
    """What another instrumentation does: replace a method, and put back what was there."""
    before = vars(owner).get(name)
    setattr(owner, name, around(getattr(owner, name)))
    try:
        yield
    finally:
        if before is None:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


class Others:
    """
    Another instrumentation, which counts what passes it.

    Args:
        colour: Which classes it wraps.
        place: A key of `PLACES`.
    """

    def __init__(self, colour: Colour, place: str) -> None:
        self.seen = 0
        sync = colour.name == "sync"
        self._sync = sync
        self._owner, self._name = PLACES[place][0 if sync else 1]
        self._looks_into_streams = place == "streams"

    def __call__(self) -> Any:
        """Put it up for as long as a block lasts."""
        return outside(self._owner, self._name, self._around)

    def _around(self, method: Any) -> Any:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.seen += 1
            return self._watched(method(*args, **kwargs))

        async def counted_async(*args: Any, **kwargs: Any) -> Any:
            self.seen += 1
            return self._watched(await method(*args, **kwargs))

        return counted if self._sync else counted_async

    def _watched(self, result: Any) -> Any:
        if self._looks_into_streams and hasattr(result, "_iterator"):
            result._iterator = (self._each if self._sync else self._each_async)(result._iterator)
        return result

    def _each(self, items: Any) -> Any:
        for item in items:
            self.seen += 1
            yield item

    async def _each_async(self, items: Any) -> Any:
        async for item in items:
            self.seen += 1
            yield item


PLACES: Mapping[str, tuple[tuple[Any, str], tuple[Any, str]]] = {
    "client classes": ((openai.OpenAI, "request"), (openai.AsyncOpenAI, "request")),
    "base classes": ((_base_client.SyncAPIClient, "request"), (_base_client.AsyncAPIClient, "request")),
    "responses": (
        (_base_client.SyncAPIClient, "_process_response"),
        (_base_client.AsyncAPIClient, "_process_response"),
    ),
    "resources": ((Completions, "create"), (AsyncCompletions, "create")),
    "streams": ((Completions, "create"), (AsyncCompletions, "create")),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("first", ["we", "they"])
def test_another_instrumentation_and_we_both_see_a_call_once(first: str, place: str, colour: Colour) -> None:
    """Whoever came first, and wherever the other one sits: one record, and the other one sees what it would see."""
    bare = [play(Scenario(call=call), colour) for call in (created, streamed)]
    others = Others(colour, place)
    with others():
        play(Scenario(call=created), colour)
        play(Scenario(call=streamed), colour)
    alone, others.seen = others.seen, 0
    with ExitStack() as both:
        if first == "they":
            both.enter_context(others())
        generations = both.enter_context(capture_generations())
        state.stream_usage = "always"
        if first == "we":
            both.enter_context(others())
        watched = [play(Scenario(call=call), colour) for call in (created, streamed)]
        state.stream_usage = "auto"
        assert [CHAT, STREAMED] == [facts_of(each) for each in generations]
    assert (bare, alone) == (watched, others.seen)


@pytest.mark.parametrize("place", ["client classes", "base classes", "responses"])
def test_what_is_buried_under_another_wrapper_does_nothing(place: str, colour: Colour) -> None:
    """It cannot be taken out without the other one, so it stays and is silent; switched on again, we count once."""
    before, others = contents(), Others(colour, place)
    with ExitStack() as theirs:
        with capture_generations() as early:
            theirs.enter_context(others())
        play(Scenario(call=created), colour)
        assert (1, 0) == (others.seen, len(early))
        with capture_generations() as late:
            play(Scenario(call=created), colour)
            assert (2, [CHAT]) == (others.seen, [facts_of(each) for each in late])
        play(Scenario(call=created), colour)
        assert (3, 0, 1) == (others.seen, len(early), len(late))
    with capture_generations() as again:
        play(Scenario(call=created), colour)
        assert [CHAT] == [facts_of(each) for each in again]
    assert {name: set(held) for name, held in before.items()} == {name: set(held) for name, held in contents().items()}


def parsed(colour: Colour, client: Any) -> Any:
    return colour.wait(client.chat.completions.parse(**ASK, response_format=Greeting))


def read_in_a_streaming_response(colour: Colour, client: Any) -> Any:
    with colour.entered(client.chat.completions.with_streaming_response.create(**ASK)) as response:
        return colour.wait(response.parse())


class Greeting(pydantic.BaseModel):
    text: str


def cut_off() -> Mapping[str, Script]:
    """An answer that is billed, and that the client cannot parse."""
    choice = {"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": '{"text": "Hel'}}
    return {"/chat/completions": json_answer(completion(choices=[choice]))}


BILLED: Mapping[str, Any] = {**CHAT, "finish": ("length",), "failure": "LengthFinishReasonError"}

AFTERWARDS: Mapping[str, tuple[Scenario, Mapping[str, Any]]] = {
    "create": (Scenario(call=created), CHAT),
    "stream": (Scenario(call=streamed), {**STREAMED, "tokens": UNKNOWN}),
    "parse": (Scenario(call=parsed, answers=cut_off), BILLED),
    "streaming response": (Scenario(call=read_in_a_streaming_response), CHAT),
}


def owners_of(colour: Colour, name: str) -> tuple[Any, Any]:
    """The client's class, and the one above it that others wrap."""
    at = 0 if colour.name == "sync" else 1
    return (openai.OpenAI, openai.AsyncOpenAI)[at], PLACES[name][at][0]


@contextmanager
def leaving_what_was_found(colour: Colour) -> Iterator[Callable[[], None]]:
    """
    An instrumentation that wraps ``OpenAI.request``, and puts the function that it has found there into that class.

    As openinference-instrumentation-openai 0.1.66 does: that function is the one that we wrap in the class above.
    """
    owner, _ = owners_of(colour, "client classes")
    found = inspect.unwrap(owner.request)  # below what is left of ours by a test that has buried it
    with outside(owner, "request", lambda request: lambda *args, **kwargs: request(*args, **kwargs)):
        yield lambda: setattr(owner, "request", found)


@contextmanager
def leaving_with_the_outermost(colour: Colour) -> Iterator[Callable[[], None]]:
    """
    An instrumentation that wraps ``_process_response``, and takes out whatever is outermost there.

    As ddtrace 4.16 does.
    """
    _, owner = owners_of(colour, "responses")
    with outside(owner, "_process_response", lambda process: lambda *args, **kwargs: process(*args, **kwargs)):
        yield lambda: setattr(owner, "_process_response", owner._process_response.__wrapped__)


@pytest.mark.parametrize("name", AFTERWARDS)
def test_who_leaves_what_it_found_takes_out_no_record(name: str, colour: Colour) -> None:
    """The first call afterwards is seen when it is answered, once; from then on all is as before."""
    scenario, record = AFTERWARDS[name]
    bare, before = play(scenario, colour), contents()
    with leaving_what_was_found(colour) as leave, capture_generations() as generations:
        state.stream_usage = "always"
        leave()
        watched = [play(scenario, colour) for _ in range(2)]
        state.stream_usage = "auto"
        again = STREAMED if name == "stream" else record  # it could be asked for its usage
        assert [record, again] == [facts_of(each) for each in generations]
        assert all(each.timing.started < each.timing.ended for each in generations)
    assert [bare, bare] == watched
    assert before == contents()


@pytest.mark.parametrize("name", AFTERWARDS)
def test_who_takes_out_the_outermost_takes_out_no_record(name: str, colour: Colour) -> None:
    """One that has been billed and then raises is recorded with its usage again as soon as another one went well."""
    scenario, record = AFTERWARDS[name]
    bare, before = play(scenario, colour), contents()
    with leaving_with_the_outermost(colour) as leave, capture_generations() as generations:
        leave()
        play(Scenario(call=created), colour)
        watched = play(scenario, colour)
        assert [CHAT, record] == [facts_of(each) for each in generations]
    assert bare == watched
    assert before == contents()


def changing(request: Any) -> Any:
    """Around ``request``: what it hands on is a copy of its own."""

    def changed(client: Any, cast_to: Any, options: Any, **kwargs: Any) -> Any:
        own = copy(options)
        own.json_data = {**options.json_data, "temperature": 1}
        return request(client, cast_to, own, **kwargs)

    return changed


def test_a_wrapper_that_is_put_back_beside_one_that_changes_requests_counts_once(colour: Colour) -> None:
    """What nobody has taken out gets no second wrapper: one above the other's and one below would see two calls."""
    _, owner = owners_of(colour, "base classes")
    with leaving_with_the_outermost(colour) as leave, capture_generations() as generations:
        leave()
        with outside(owner, "request", changing):
            for _ in range(3):
                play(Scenario(call=created), colour)
        assert [CHAT] * 3 == [facts_of(each) for each in generations]


def reading(colour: Colour) -> Callable[[Any], Any]:
    """Around a `request`: it reads the response that this gives."""

    def around(request: Any) -> Any:
        def read(*args: Any, **kwargs: Any) -> Any:
            result = request(*args, **kwargs)
            result.read()
            return result

        async def read_async(*args: Any, **kwargs: Any) -> Any:
            result = await request(*args, **kwargs)
            await result.read()
            return result

        return read if colour.name == "sync" else read_async

    return around


def test_who_reads_an_answer_before_the_application_does(colour: Colour) -> None:
    """As openinference 0.1.66 does with what ``with_streaming_response`` gives: the record has all the same."""
    owner, _ = owners_of(colour, "client classes")
    scenario = Scenario(call=read_in_a_streaming_response)
    bare = play(scenario, colour)
    with outside(owner, "request", reading(colour)), capture_generations() as generations:
        watched = play(scenario, colour)
        assert [CHAT] == [facts_of(each) for each in generations]
    assert bare == watched


def test_who_reads_a_raw_stream_before_the_application_does(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of a stream; of one from a provider that we know, nobody has looked at the headers before."""
    monkeypatch.setattr(_asking, "provider_of", lambda *_: "openai")
    owner, _ = owners_of(colour, "client classes")
    colour.provider.answer_with(
        {
            "/chat/completions": lambda _: Answer(
                body=events([*CHUNKS, USAGE_CHUNK]), headers={"Content-Type": "text/event-stream"}
            )
        }
    )
    with outside(owner, "request", reading(colour)), capture_generations() as generations:
        client = colour.client(colour.provider.base_url)
        with colour.entered(client.chat.completions.with_streaming_response.create(**ASK, stream=True)) as response:
            colour.wait(response.read())
        assert [STREAMED] == [facts_of(each) for each in generations]


@pytest.mark.parametrize("kind", ["text/event-stream", "text/plain"])
def test_who_reads_a_stream_before_the_application_does(kind: str, colour: Colour) -> None:
    """A hook of httpx's that logs answers, before a server that does not say what it sends: it is read as a stream."""
    answer = Answer(headers={"Content-Type": kind}, body=events([*CHUNKS, USAGE_CHUNK]))
    colour.provider.answer_with({"/chat/completions": lambda _: answer})
    client = colour.client(colour.provider.base_url)

    def read(response: Any) -> None:
        response.read()

    async def read_async(response: Any) -> None:
        await response.aread()

    client._client.event_hooks = {"response": [read if colour.name == "sync" else read_async]}
    with capture_generations() as generations:
        state.stream_usage = "always"
        assert len(CHUNKS) == len(streamed(colour, client))
        state.stream_usage = "auto"
        assert [STREAMED] == [facts_of(each) for each in generations]


class Endless:
    """Something to wait for that never comes."""

    def __await__(self) -> Iterator[None]:
        yield


async def test_a_dropped_request_that_is_none_of_ours_leaves_another_call_alone(provider: Provider) -> None:
    """The collector closes its coroutine wherever it runs, here inside of a call that waits for its answer."""
    dropped: list[Any] = []

    async def stop_or_collect(request: Any) -> None:
        if request.method == "GET":
            await Endless()
        dropped.pop().close()

    provider.answer_with({"/chat/completions": chat_like_openai})
    client = openai.AsyncOpenAI(api_key="test", base_url=provider.base_url, max_retries=0)
    client._client.event_hooks = {"request": [stop_or_collect]}
    with capture_generations() as generations:
        dropped.append(client.get("/models", cast_to=object))
        copy_context().run(dropped[0].send, None)
        await client.chat.completions.create(**ASK)
        assert [CHAT] == [facts_of(each) for each in generations]
    await client.close()


def test_an_azure_client_beside_another_instrumentation(colour: Colour) -> None:
    """Azure's class inherits what another one put on the class above it."""
    others = Others(colour, "client classes")
    colour.provider.answer_with({"/chat/completions": chat_like_openai})
    with others(), capture_generations() as generations:
        client = colour.azure(colour.provider.server.url)
        assert len(CHUNKS) == len(streamed(colour, client))
        assert seen_by_user(created(colour, client))
        assert [True, False] == [each.streamed for each in generations]
