"""What the tests of LangChain share: models of several makes that ask a server on loopback, and how each is called."""

import asyncio
import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any, Final

import pytest

from ramp_tracing import integrations
from ramp_tracing._loopback import Answer, Request, json_answer
from ramp_tracing.testing import Generations, capture_generations

from .provider import Provider, Script, chat_like_openai, completion

os.environ.setdefault("LANGSMITH_TRACING", "false")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("langchain_core")
    langchain_openai: Any = pytest.importorskip("langchain_openai")
    langchain_anthropic: Any = pytest.importorskip("langchain_anthropic")
    from .house_model import HouseModel

ANTHROPIC: Final[Mapping[str, Any]] = {
    "id": "msg_013Zva2CMHLNnXjNJJKqJ2EF",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "Hello there."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 20,
        "output_tokens": 7,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 50,
    },
}

BEGUN: Final = {**ANTHROPIC, "content": [], "stop_reason": None, "usage": {**ANTHROPIC["usage"], "output_tokens": 1}}

ANTHROPIC_EVENTS: Final[tuple[Mapping[str, Any], ...]] = (
    {"type": "message_start", "message": BEGUN},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " there."}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": ANTHROPIC["usage"],
    },
    {"type": "message_stop"},
)


def like_anthropic(request: Request) -> Answer:
    """Messages as Anthropic gives them, streamed or not."""
    body: Any = request.json
    return anthropic_stream(ANTHROPIC_EVENTS) if body.get("stream") else json_answer(ANTHROPIC)


def anthropic_stream(events: Sequence[Mapping[str, Any]]) -> Answer:
    """A streamed message."""
    lines = [f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode() for each in events]
    return Answer(headers={"Content-Type": "text/event-stream"}, body=lines)


def with_tools(request: Request) -> Answer:
    """A model that asks for the tool it is given, once, and then answers."""
    body: Any = request.json
    asked = body.get("tools") and not any(each.get("role") == "tool" for each in body.get("messages", ()))
    if not asked:
        return chat_like_openai(request)
    call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"word": "x"}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    return json_answer(completion(choices=[{"index": 0, "finish_reason": "tool_calls", "message": message}]))


def closing(script: Script) -> Script:
    """The same answers, after which the connection ends: LangChain keeps its clients, and never closes them."""

    def answer(request: Request) -> Answer:
        given = script if isinstance(script, Answer) else script(request)
        return replace(given, headers={**given.headers, "Connection": "close"})

    return answer


HOUSE: Final[Mapping[str, Any]] = {"id": "house-7", "text": "Hello there.", "input": 30, "output": 7}


def like_the_house(request: Request) -> Answer:
    """What `HouseModel` reads: one object, or one in each line, of which the last has the counts."""
    body: Any = request.json
    if not body.get("stream"):
        return json_answer(HOUSE)
    pieces = [{"text": "Hello"}, {"text": " there."}, {**HOUSE, "text": ""}]
    return Answer(body=[json.dumps(each).encode() + b"\n" for each in pieces])


SCRIPTS: Final[Mapping[str, Script]] = {
    "/messages": closing(like_anthropic),
    "/chat/completions": closing(with_tools),
    "/own": closing(like_the_house),
}


def openai_model(provider: Provider, **options: Any) -> Any:
    """ChatOpenAI, which sends through the openai client."""
    given = {"model": "gpt-4o", "api_key": "none", "max_retries": 0, **options}
    return langchain_openai.ChatOpenAI(base_url=provider.base_url, **given)


def anthropic_model(provider: Provider, **options: Any) -> Any:
    """ChatAnthropic, which sends through the anthropic client."""
    given = {"model": "claude-sonnet-4-5", "api_key": "none", "max_retries": 0, **options}
    return langchain_anthropic.ChatAnthropic(base_url=provider.server.url, **given)


def house_model(provider: Provider, **options: Any) -> Any:
    """A model that posts by itself: nothing below LangChain is watched."""
    return HouseModel(url=provider.server.url, **options)


@contextmanager
def without_anthropic(**options: Any) -> Iterator[Generations]:
    """`capture_generations`, while the anthropic client is not watched."""
    with capture_generations(**options) as generations:
        integrations.disable(frozenset({"anthropic"}))
        yield generations


@cache
def runner() -> asyncio.Runner:
    """One event loop for all: LangChain's clients, which it keeps, belong to the first one that they meet."""
    return asyncio.Runner()


def run(coroutine: Any) -> Any:
    """Run *coroutine*, and let what it has left behind come to an end."""

    async def settled() -> Any:
        result = await coroutine
        for _ in range(3):
            await asyncio.sleep(0)
        return result

    return runner().run(settled())


async def drained(stream: Any) -> list[Any]:
    return [each async for each in stream]


WAYS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "invoke": lambda model, config: model.invoke("Hi", config),
    "stream": lambda model, config: list(model.stream("Hi", config)),
    "batch": lambda model, config: model.batch(["Hi"], config),
    "ainvoke": lambda model, config: run(model.ainvoke("Hi", config)),
    "astream": lambda model, config: run(drained(model.astream("Hi", config))),
    "abatch": lambda model, config: run(model.abatch(["Hi"], config)),
}
"""How a model is asked once."""
