"""
One way to write a scenario for the sync and the async client.

A scenario calls whichever client it is given and passes what comes back through `wait`, `items`, `entered`…, which
do nothing more than the colour needs. Async scenarios run step by step on a loop of their own.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import openai

from .provider import Provider


class Colour(Protocol):
    """
    How one of the two clients is used.

    Attributes:
        name: ``sync`` or ``async``.
        provider: A server that lives longer than a test, because starting one takes longer than most of them.
    """

    name: str
    provider: Provider

    def client(self, base_url: str, **options: Any) -> Any:
        """A client that is closed with the colour; it does not retry unless told to."""
        ...

    def azure(self, endpoint: str, **options: Any) -> Any:
        """An Azure client, likewise."""
        ...

    def wait(self, value: Any) -> Any:
        """What a call returns."""
        ...

    def items(self, stream: Any) -> list[Any]:
        """Everything that a stream still holds."""
        ...

    def take(self, stream: Any, count: int) -> list[Any]:
        """The next *count* items, fetched with ``next()``."""
        ...

    def broken_off(self, stream: Any, count: int) -> list[Any]:
        """The first *count* items of a loop that then breaks."""
        ...

    def entered(self, manager: Any) -> Any:
        """``with manager as …``."""
        ...

    def tidy(self) -> None:
        """Let everything happen that is only waiting for its turn."""
        ...


class Sync:
    name = "sync"

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._clients: list[Any] = []

    def client(self, base_url: str, **options: Any) -> Any:
        quick = {"http_client": openai.DefaultHttpxClient(**QUICK)}
        return self.kept(openai.OpenAI(**{**DEFAULTS, **quick, "base_url": base_url, **options}))

    def azure(self, endpoint: str, **options: Any) -> Any:
        quick = {"http_client": openai.DefaultHttpxClient(**QUICK)}
        return self.kept(openai.AzureOpenAI(**{**DEFAULTS, **AZURE, **quick, "azure_endpoint": endpoint, **options}))

    def kept(self, client: Any) -> Any:
        self._clients.append(client)
        return client

    def wait(self, value: Any) -> Any:
        return value

    def items(self, stream: Any) -> list[Any]:
        return list(stream)

    def take(self, stream: Any, count: int) -> list[Any]:
        return [next(stream) for _ in range(count)]

    def broken_off(self, stream: Any, count: int) -> list[Any]:
        seen = []
        for item in stream:
            seen.append(item)
            if len(seen) == count:
                break
        return seen

    @contextmanager
    def entered(self, manager: Any) -> Iterator[Any]:
        with manager as value:
            yield value

    def tidy(self) -> None:
        pass

    def close(self) -> None:
        for client in self._clients:
            client.close()


class Async:
    name = "async"

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._runner = asyncio.Runner()
        self._clients: list[Any] = []

    def client(self, base_url: str, **options: Any) -> Any:
        quick = {"http_client": openai.DefaultAsyncHttpxClient(**QUICK)}
        return self.kept(openai.AsyncOpenAI(**{**DEFAULTS, **quick, "base_url": base_url, **options}))

    def azure(self, endpoint: str, **options: Any) -> Any:
        quick = {"http_client": openai.DefaultAsyncHttpxClient(**QUICK)}
        azure = {**DEFAULTS, **AZURE, **quick, "azure_endpoint": endpoint, **options}
        return self.kept(openai.AsyncAzureOpenAI(**azure))

    def kept(self, client: Any) -> Any:
        self._clients.append(client)
        return client

    def wait(self, value: Any) -> Any:
        return self._run(awaited(value)) if inspect.isawaitable(value) else value

    def items(self, stream: Any) -> list[Any]:
        return self._run(collected(stream))

    def take(self, stream: Any, count: int) -> list[Any]:
        return self._run(taken(stream, count))

    def broken_off(self, stream: Any, count: int) -> list[Any]:
        return self._run(broken_off(stream, count))

    @contextmanager
    def entered(self, manager: Any) -> Iterator[Any]:
        value = self.wait(manager.__aenter__())
        try:
            yield value
        except BaseException as error:
            if not self.wait(manager.__aexit__(type(error), error, error.__traceback__)):
                raise
        else:
            self.wait(manager.__aexit__(None, None, None))

    def tidy(self) -> None:
        for _ in range(3):
            self._run(asyncio.sleep(0))

    def close(self) -> None:
        for client in self._clients:
            self._run(client.close())
        self._runner.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)


QUICK: Any = {"verify": False}
"""Loading the certificates of the world takes most of what it takes to make a client; there is no TLS here."""

DEFAULTS = {"api_key": "sk-test", "max_retries": 0}
AZURE = {"api_version": "2024-10-21"}


async def awaited(value: Any) -> Any:
    return await value


async def collected(stream: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in stream]


async def taken(stream: Any, count: int) -> list[Any]:
    return [await anext(stream) for _ in range(count)]


async def broken_off(stream: AsyncIterator[Any], count: int) -> list[Any]:
    seen = []
    async for item in stream:
        seen.append(item)
        if len(seen) == count:
            break
    return seen
