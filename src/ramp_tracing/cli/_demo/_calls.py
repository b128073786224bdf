"""Making calls with the real openai client. Only this module imports it."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, nullcontext, suppress
from operator import attrgetter
from typing import Any, Final

import openai

import ramp_tracing

from ._steps import CALL, Step

SESSION: Final = "demo-session"

RETRIES: Final = 0
"""So that each call is one request, and the providers' count can be compared."""

LOOPBACK: Final = "http://127.0.0.1:"

Clients = Mapping[str, Any]
"""A client for each provider."""


def make_calls(steps: Iterable[Step], base_urls: Mapping[str, str], *, api_key: str = "demo") -> list[str]:
    """
    Make every call twice: one after the other with `openai.OpenAI`, then all at once with `openai.AsyncOpenAI`.

    Args:
        steps: The calls.
        base_urls: Where each provider is.
        api_key: The providers' key.

    Returns:
        The names of the calls that were made.

    Raises:
        openai.OpenAIError: A call failed that should not.
    """
    in_turn = {f"sync {number}": step for number, step in enumerate(steps, start=1)}
    at_once = {f"async {number}": step for number, step in enumerate(in_turn.values(), start=1)}
    with ExitStack() as closing:
        clients = {
            at: closing.enter_context(
                openai.OpenAI(base_url=url, api_key=api_key, max_retries=RETRIES, http_client=_http(url))
            )
            for at, url in base_urls.items()
        }
        for name, step in in_turn.items():
            _call(clients, step, name=name)
    asyncio.run(_call_at_once(at_once, base_urls, api_key=api_key))
    return [*in_turn, *at_once]


async def _call_at_once(steps: Mapping[str, Step], base_urls: Mapping[str, str], *, api_key: str) -> None:
    async with AsyncExitStack() as closing:
        clients = {
            at: await closing.enter_async_context(
                openai.AsyncOpenAI(base_url=url, api_key=api_key, max_retries=RETRIES, http_client=_async_http(url))
            )
            for at, url in base_urls.items()
        }
        await asyncio.gather(*(_call_async(clients, step, name=name) for name, step in steps.items()))


def _call(clients: Clients, step: Step, *, name: str) -> None:
    with _attributed(step, name), _forgiving(step):
        answer = attrgetter(step.method)(clients[step.at])(**_arguments(step, name))
        if step.streamed:
            for _ in answer:
                pass


async def _call_async(clients: Clients, step: Step, *, name: str) -> None:
    with _attributed(step, name), _forgiving(step):
        answer = await attrgetter(step.method)(clients[step.at])(**_arguments(step, name))
        if step.streamed:
            async for _ in answer:
                pass


def _http(url: str) -> Any:
    # The environment's proxy would be asked for 127.0.0.1 as well.
    return openai.DefaultHttpxClient(trust_env=not url.startswith(LOOPBACK))


def _async_http(url: str) -> Any:
    return openai.DefaultAsyncHttpxClient(trust_env=not url.startswith(LOOPBACK))


def _forgiving(step: Step) -> AbstractContextManager[object]:
    return suppress(openai.APIStatusError) if step.fails else nullcontext()


def _attributed(step: Step, name: str) -> AbstractContextManager[object]:
    """Whom the call is charged to, as the enclosing block says it. OpenRouter's calls say it themselves."""
    if step.at == "openrouter":
        return nullcontext()
    return ramp_tracing.trace(user=step.payer.user, session_id=SESSION, **_metadata(step, name))


def _arguments(step: Step, name: str) -> dict[str, Any]:
    if step.at != "openrouter":
        return dict(step.arguments)
    said = {"user": step.payer.user, "session_id": SESSION, "trace": _metadata(step, name)}
    return {**step.arguments, "extra_body": said}


def _metadata(step: Step, name: str) -> dict[str, str]:
    return {"department": step.payer.department, "cost_center": step.payer.cost_center, CALL: name}
