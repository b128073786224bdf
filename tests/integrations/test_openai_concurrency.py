"""Many calls at once: one record each, every one for whom it was made."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import openai
import pytest

import ramp_tracing
from ramp_tracing._captured import Generations, capture_generations
from ramp_tracing._loopback import Answer, Request, json_answer
from ramp_tracing._state import state

from .provider import CHUNKS, Provider, completion, stream

MESSAGES: Any = [{"role": "user", "content": "Hello?"}]


def answer_by_session(request: Request) -> Answer:
    """The id of the answer says which request it belongs to."""
    body: Any = request.json
    own = {"id": f"chatcmpl-of-{body['metadata']['who']}"}
    if body.get("stream"):
        return stream([{**each, **own} for each in CHUNKS])
    return json_answer(completion(**own))


@pytest.fixture
def asked() -> Iterator[tuple[Provider, Generations]]:
    """A provider and the records of its calls."""
    with Provider(answer_by_session) as provider, capture_generations() as generations:
        yield provider, generations
    assert {} == state.open_streams


def ask(who: str) -> Mapping[str, Any]:
    return {"model": "gpt-4o", "messages": MESSAGES, "metadata": {"who": who}}


def who_is_who(generations: Generations) -> list[tuple[str | None, str | None]]:
    return sorted((each.attribution.user, each.response_id) for each in generations)  # type: ignore[type-var]


def expected(names: list[str]) -> list[tuple[str, str]]:
    return sorted((name, f"chatcmpl-of-{name}") for name in names)


def test_threads_are_told_apart(asked: tuple[Provider, Generations]) -> None:
    """Eight threads, one client, twenty calls: each record has the user of its own thread's block."""
    provider, generations = asked
    names = [f"thread-user-{number:02}" for number in range(20)]
    with openai.OpenAI(base_url=provider.base_url, api_key="sk-test", max_retries=0) as client:

        def call(name: str) -> str:
            with ramp_tracing.trace(user=name):
                return client.chat.completions.create(**ask(name)).id

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(call, names))
    assert [f"chatcmpl-of-{name}" for name in names] == answers
    assert expected(names) == who_is_who(generations)


def test_a_thread_takes_its_context_along(asked: tuple[Provider, Generations]) -> None:
    """`contextvars.copy_context` hands the block over to a thread; without it the thread has none."""
    provider, generations = asked
    with openai.OpenAI(base_url=provider.base_url, api_key="sk-test", max_retries=0) as client:

        def call(name: str) -> None:
            client.chat.completions.create(**ask(name))

        with ThreadPoolExecutor(2) as pool, ramp_tracing.trace(user="ada"):
            pool.submit(copy_context().run, call, "with-context").result()
            pool.submit(call, "without-context").result()
    found = {each.response_id: each.attribution.user for each in generations}
    assert {"chatcmpl-of-with-context": "ada", "chatcmpl-of-without-context": None} == found


async def answered(client: Any, name: str) -> None:
    await client.chat.completions.create(**ask(name))


async def drained(client: Any, name: str) -> None:
    async for _ in await client.chat.completions.create(**ask(name), stream=True):
        await asyncio.sleep(0)


@pytest.mark.parametrize("call", [answered, drained])
async def test_tasks_are_told_apart(call: Callable[[Any, str], Any], asked: tuple[Provider, Generations]) -> None:
    """Fifty tasks on one loop and one client: each record has the user of its own task's block."""
    provider, generations = asked
    names = [f"task-user-{number:02}" for number in range(50)]

    async def run(client: Any, name: str) -> None:
        with ramp_tracing.trace(user=name):
            await call(client, name)

    async with openai.AsyncOpenAI(base_url=provider.base_url, api_key="sk-test", max_retries=0) as client:
        await asyncio.gather(*(run(client, name) for name in names))
    assert expected(names) == who_is_who(generations)


async def test_a_call_in_the_loop_body_of_a_stream_is_its_own(asked: tuple[Provider, Generations]) -> None:
    """A direct call made while somebody's stream is open counts, for whom it is made."""
    provider, generations = asked
    async with openai.AsyncOpenAI(base_url=provider.base_url, api_key="sk-test", max_retries=0) as client:
        with ramp_tracing.trace(user="outer-user"):
            chunks = await client.chat.completions.create(**ask("outer-user"), stream=True)
        first = True
        async for _ in chunks:
            with ramp_tracing.trace(user="inner-user"):
                if first:
                    await answered(client, "inner-user")
                first = False
    assert expected(["inner-user", "outer-user"]) == who_is_who(generations)
