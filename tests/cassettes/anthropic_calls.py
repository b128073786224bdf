"""How a recorded call is made again with the anthropic client."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from inspect import signature
from typing import Any

import pytest

anthropic: Any = pytest.importorskip("anthropic")


def make(client: Any, server: Any) -> Any:
    """The call that *server* has the answer to: the answer, or what is to be awaited for it."""
    given = dict(server.interactions[0].json)
    betas = dict(server.interactions[0].request_headers).get("anthropic-beta")
    create = client.messages.create
    known = signature(create).parameters
    unknown = {name: given.pop(name) for name in list(given) if name not in known}
    headers = {"anthropic-beta": betas} if betas else None
    return create(**given, extra_body=unknown or None, extra_headers=headers)


@contextmanager
def client_for(server: Any) -> Iterator[Any]:
    """The client that an application would use, with *server* in the provider's place; it does not retry."""
    with (
        anthropic.DefaultHttpxClient(verify=False) as http,
        anthropic.Anthropic(base_url=server.url, api_key="test", max_retries=0, http_client=http) as client,
    ):
        yield client


@asynccontextmanager
async def async_client_for(server: Any) -> AsyncIterator[Any]:
    """`client_for`, asynchronous."""
    async with (
        anthropic.DefaultAsyncHttpxClient(verify=False) as http,
        anthropic.AsyncAnthropic(base_url=server.url, api_key="test", max_retries=0, http_client=http) as client,
    ):
        yield client


def finish(answer: Any) -> list[str]:
    """Read *answer* to its end, as an application does: each event as JSON, or the whole answer."""
    return [each.to_json(indent=None) for each in (answer if isinstance(answer, anthropic.Stream) else [answer])]


async def finish_async(answer: Any) -> list[str]:
    """`finish`, asynchronous."""
    if isinstance(answer, anthropic.AsyncStream):
        return [each.to_json(indent=None) async for each in answer]
    return [answer.to_json(indent=None)]
