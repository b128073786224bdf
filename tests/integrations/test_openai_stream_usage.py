"""Usage that a stream tells only when asked: who is asked, and that the application sees no difference."""

import asyncio
import copy
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from ramp_tracing._captured import capture_generations
from ramp_tracing._loopback import Answer, Request
from ramp_tracing._state import state
from ramp_tracing.integrations.openai import may_ask_for_usage

from .colours import Colour
from .endpoints import completions_like_openai
from .facts import STREAMED, UNKNOWN, facts_of, seen_by_user
from .provider import CHUNKS, USAGE_CHUNK, Provider, Script, chat_like_openai, chunk, events, stream
from .scenarios import Scenario, check

MESSAGES: Any = [{"role": "user", "content": "Hello?"}]
ASK: Mapping[str, Any] = {"model": "gpt-4o", "messages": MESSAGES, "stream": True}
STOPPED_EARLY: Mapping[str, Any] = {**STREAMED, "tokens": UNKNOWN}


@contextmanager
def asking(mode: str) -> Iterator[Any]:
    """`capture_generations` with the option ``stream_usage`` of `instrument()`."""
    with capture_generations() as generations:
        state.stream_usage = mode  # type: ignore[assignment]
        try:
            yield generations
        finally:
            state.stream_usage = "auto"


def opened(colour: Colour, client: Any, **more: Any) -> Any:
    return colour.wait(client.chat.completions.create(**{**ASK, **more}))


def drained(**more: Any) -> Callable[[Colour, Any], Any]:
    return lambda colour, client: colour.items(opened(colour, client, **more))


def posted(colour: Colour, client: Any) -> Any:
    """The whole request is in the extra part of the body."""
    kind: Any = openai.Stream if colour.name == "sync" else openai.AsyncStream
    stream_cls = kind[ChatCompletionChunk]
    extra = {"extra_json": dict(ASK)}
    post = client.post(
        "/chat/completions", cast_to=ChatCompletionChunk, options=extra, stream=True, stream_cls=stream_cls
    )
    return colour.items(colour.wait(post))


def like_openai(chunks: Sequence[Any]) -> Callable[[], Mapping[str, Script]]:
    """Usage in a chunk of its own, and null in the others, only where it was asked for."""

    def answer(request: Request) -> Answer:
        body: Any = request.json
        asked = (body.get("stream_options") or {}).get("include_usage")
        return stream([*({**each, "usage": None} for each in chunks), USAGE_CHUNK] if asked else chunks)

    return lambda: {"/chat/completions": answer}


def tool_piece(**fields: Any) -> Any:
    return chunk({"tool_calls": [{"index": 0, **fields}]}, index=1)


TWO_CHOICES = [
    chunk({"role": "assistant", "content": ""}, index=0),
    chunk({"role": "assistant", "content": None}, index=1),
    chunk({"content": "Hello"}, index=0),
    chunk({}, index=0, finish="stop"),
    tool_piece(id="call_1", type="function", function={"name": "weather", "arguments": ""}),
    tool_piece(function={"arguments": '{"city": "Oslo"}'}),
    chunk({}, index=1, finish="tool_calls"),
]
"""The first choice has finished while the second goes on."""

BOTH: Mapping[str, Any] = {**STREAMED, "finish": ("stop", "tool_calls")}

SAME_CHUNKS: Mapping[str, Scenario] = {
    "n=1": Scenario(call=drained(), stream_usage="always", records=(STREAMED,)),
    "n=2, with tools": Scenario(
        call=drained(n=2), stream_usage="always", answers=like_openai(TWO_CHOICES), records=(BOTH,)
    ),
    "n=2, and one answers": Scenario(call=drained(n=2), stream_usage="always", records=(STREAMED,)),
    "other stream options": Scenario(
        call=drained(stream_options={"include_obfuscation": False}), stream_usage="always", records=(STREAMED,)
    ),
    "stream options in extra_body": Scenario(
        call=drained(extra_body={"stream_options": {"include_obfuscation": False}}),
        stream_usage="always",
        records=(STREAMED,),
    ),
    "the application asks": Scenario(
        call=drained(stream_options={"include_usage": True}), stream_usage="always", records=(STREAMED,)
    ),
    "the application does not want it": Scenario(
        call=drained(stream_options={"include_usage": False}), stream_usage="always", records=(STOPPED_EARLY,)
    ),
    "the application asks in extra_body": Scenario(
        call=drained(extra_body={"stream_options": {"include_usage": True}}), stream_usage="always", records=(STREAMED,)
    ),
    "post, with nothing but extra_json": Scenario(call=posted, stream_usage="always", records=(STREAMED,)),
    "nobody asks": Scenario(call=drained(), stream_usage="never", records=(STOPPED_EARLY,)),
    "an unknown host": Scenario(call=drained(), stream_usage="auto", records=(STOPPED_EARLY,)),
    "usage that comes unasked": Scenario(
        call=drained(),
        stream_usage="never",
        answers=lambda: {"/chat/completions": stream([*CHUNKS, USAGE_CHUNK])},
        records=(STREAMED,),
    ),
}


@pytest.mark.parametrize("name", SAME_CHUNKS)
def test_the_chunks_are_those_of_the_bare_client(name: str, colour: Colour) -> None:
    """Whoever asks for usage, the application gets what it would get without us, chunk for chunk as JSON."""
    check(SAME_CHUNKS[name], colour)


def test_the_texts_of_legacy_completions_are_the_same(colour: Colour) -> None:
    """The older endpoint tells its usage in the same way."""

    def call(colour: Colour, client: Any) -> Any:
        return colour.items(
            colour.wait(client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Hello?", stream=True))
        )

    record = {**STREAMED, "operation": "text_completion", "asked": "gpt-3.5-turbo-instruct"}
    record |= {"answered": "gpt-3.5-turbo-instruct", "response_id": "cmpl-C2kd83jQ0wP1xTq"}
    answers: Callable[[], Mapping[str, Script]] = lambda: {"/completions": completions_like_openai}  # noqa: E731
    check(Scenario(call=call, stream_usage="always", answers=answers, records=(record,)), colour)


def test_what_the_application_passes_is_left_alone(colour: Colour) -> None:
    """Asking changes the request that goes out, and nothing that belongs to the application."""
    options, extra, messages = (
        {"include_obfuscation": False},
        {"trace": {"trace_name": "night"}},
        copy.deepcopy(MESSAGES),
    )
    before = copy.deepcopy((options, extra, messages))
    with Provider() as provider, asking("always") as generations:
        client = colour.client(provider.base_url)
        colour.items(opened(colour, client, messages=messages, stream_options=options, extra_body=extra))
        body: Any = provider.requests[0].json
        assert {"include_obfuscation": False, "include_usage": True} == body["stream_options"]
        assert before == (options, extra, messages)
        assert {"messages": MESSAGES} == generations[0].content.input


@pytest.mark.parametrize(("n", "script"), [(1, None), (2, TWO_CHOICES)], ids=["n=1", "n=2"])
def test_a_loop_that_stops_at_the_finish_reason_has_its_usage(n: int, script: Any, colour: Colour) -> None:
    """Every choice has finished, so the next chunk is looked for before the last one is handed on."""
    scripts = {} if script is None else like_openai(script)()
    count = len(CHUNKS if script is None else script)
    with Provider(scripts=scripts) as provider, asking("always") as generations:
        chunks = opened(colour, colour.client(provider.base_url), n=n)
        seen = colour.broken_off(chunks, count)
        colour.wait(chunks.close())
        assert seen[-1].choices[0].finish_reason is not None
        assert [STREAMED if n == 1 else BOTH] == [facts_of(each) for each in generations]


def raw_stream(pieces: Iterable[bytes], *, cut: bool = False) -> Answer:
    return Answer(headers={"Content-Type": "text/event-stream"}, body=pieces, cut=cut)


MORE = chunk({"content": " And more."})
AFTER_THE_FINISH: Mapping[str, Callable[[], Answer]] = {
    "a cut": lambda: raw_stream(events(CHUNKS, done=False), cut=True),
    "an error event": lambda: stream([*CHUNKS, {"error": {"message": "No.", "code": "overloaded"}}]),
    "the end": lambda: stream(CHUNKS),
    "one more chunk": lambda: stream([*CHUNKS, MORE]),
    "one more chunk, then usage": lambda: stream([*CHUNKS, MORE, MORE, USAGE_CHUNK]),
    "no JSON": lambda: raw_stream([*events(CHUNKS, done=False), b"data: {\n\n"]),
}


def step_by_step(colour: Colour, client: Any) -> Any:
    """Chunks and errors in the order in which the application meets them."""
    chunks = opened(colour, client)
    steps: list[Any] = []
    try:
        for _ in range(20):
            steps += colour.take(chunks, 1)
    except (StopIteration, StopAsyncIteration):
        steps.append("end")
    except Exception as error:  # noqa: BLE001 - compared with what the bare client gives
        steps.append(error)
    colour.wait(chunks.close())
    return steps


@pytest.mark.parametrize("name", AFTER_THE_FINISH)
def test_what_comes_after_the_finish_comes_in_its_turn(name: str, colour: Colour) -> None:
    """An error met while looking ahead is raised at the next step, and no chunk is swallowed."""
    told = name.endswith("usage")

    def steps() -> Any:
        with Provider(AFTER_THE_FINISH[name]()) as provider:
            seen = seen_by_user(step_by_step(colour, colour.client(provider.base_url)))
        return seen

    bare = steps()
    with asking("always") as generations:
        watched = steps()
    kind, items = bare
    assert (kind, items[:7] + items[8:] if told else items) == watched
    assert [1, told] == [len(generations), generations[0].usage.known]


async def test_a_cancellation_while_looking_ahead_goes_through_at_once() -> None:
    """A timeout of the application is kept to the moment; the chunk that was at hand comes with its next step."""
    sent, go_on = threading.Event(), threading.Event()

    def pieces() -> Iterator[bytes]:
        yield from events(CHUNKS, done=False)
        sent.set()
        go_on.wait(60)

    with Provider(raw_stream(pieces())) as provider, asking("always") as generations:
        client = openai.AsyncOpenAI(base_url=provider.base_url, api_key="sk-test", max_retries=0)
        chunks = await client.chat.completions.create(**ASK)
        seen = [await anext(chunks) for _ in range(len(CHUNKS) - 1)]
        assert await asyncio.to_thread(sent.wait, 30)
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(chunks), 1.5)
        assert time.monotonic() - started < 20
        seen += [each async for each in chunks]
        go_on.set()
        await client.close()
        assert ["stop"] == [each.choices[0].finish_reason for each in seen[len(CHUNKS) - 1 :]]
        assert [{**STOPPED_EARLY, "failure": "CancelledError"}] == [facts_of(each) for each in generations]


def behind_a_proxy(colour: Colour, provider: Provider, host: str) -> Any:
    """A client that believes it speaks to *host*."""
    kind = openai.DefaultHttpxClient if colour.name == "sync" else openai.DefaultAsyncHttpxClient
    return colour.client(f"http://{host}/v1", http_client=kind(proxy=provider.server.url, trust_env=False))


@pytest.mark.parametrize(("mode", "host", "asked"), [
    ("auto", "api.openai.com", True),
    ("auto", "eu.api.openai.com", True),
    ("auto", "api.openai.com.test", False),
    ("auto", "openrouter.ai", False),
    ("never", "api.openai.com", False),
    ("always", "openrouter.ai", True),
])  # fmt: skip
def test_who_is_asked(mode: str, host: str, asked: bool, colour: Colour) -> None:
    """Left to itself only OpenAI is, because others refuse a field that they do not know."""
    with Provider(chat_like_openai) as provider, asking(mode) as generations:
        chunks = colour.items(opened(colour, behind_a_proxy(colour, provider, host)))
        body: Any = provider.requests[0].json
        assert (asked, len(CHUNKS)) == ("stream_options" in body, len(chunks))
        assert [asked] == [each.usage.known for each in generations]


def azure(version: str, **options: Any) -> Any:
    return openai.AzureOpenAI(
        api_key="k", api_version=version, **{"azure_endpoint": "https://ours.openai.azure.com"} | options
    )


def plain(base_url: str, **options: Any) -> Any:
    return openai.OpenAI(api_key="k", base_url=base_url, **options)


OLD: Mapping[str, Any] = {"default_query": {"api-version": "2023-05-15"}}
ALLOWED: Mapping[str, tuple[Callable[[], Any], Mapping[str, object], bool]] = {
    "OpenAI": (lambda: plain("https://api.openai.com/v1"), {}, True),
    "OpenAI in Europe": (lambda: plain("https://eu.api.openai.com/v1"), {}, True),
    "in capitals": (lambda: plain("https://API.OpenAI.com/v1"), {}, True),
    "a lookalike": (lambda: plain("https://api.openai.com.test/v1"), {}, False),
    "another lookalike": (lambda: plain("https://notapi.openai.com/v1"), {}, False),
    "OpenRouter": (lambda: plain("https://openrouter.ai/api/v1"), {}, False),
    "this machine": (lambda: plain("http://127.0.0.1:8000/v1"), {}, False),
    "Azure": (lambda: azure("2024-10-21"), {}, True),
    "Azure, first preview": (lambda: azure("2024-09-01-preview"), {}, True),
    "Azure, too old": (lambda: azure("2024-08-01-preview"), {}, False),
    "Azure, its own data": (lambda: azure("2024-10-21"), {"data_sources": []}, False),
    "Azure, v1": (lambda: plain("https://ours.openai.azure.com/openai/v1"), {}, True),
    "Azure, v1, preview": (lambda: azure("preview"), {}, True),
    "Azure, by another client": (lambda: plain("https://ours.openai.azure.com/openai/deployments/d", **OLD), {}, False),
    "Azure, behind a gateway": (lambda: azure("2024-10-21", azure_endpoint="https://llm.ours.test"), {}, True),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_who_may_be_asked(name: str) -> None:
    """OpenAI's hosts, and Azure from the version on that understands it, unless the request brings its own data."""
    make, body, allowed = ALLOWED[name]
    client = make()
    assert allowed is may_ask_for_usage(client, client.base_url.host, body)
    client.close()
