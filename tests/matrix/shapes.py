"""
The ways in which a call goes: each makes it in sync or in async code and returns what the application gets.

What raises is returned. An application that is cancelled is so while the server is in the middle of its answer; in
sync code that is a signal's doing, as with Ctrl-C or the time limit of a task queue.
"""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from .model_server import ModelServer
from .stacks import Stack

SECONDS: Final = 60.0
"""More than anything here takes on the slowest machine."""

READ: Final = 2
"""Pieces of a stream that an application reads before it goes away."""

MANY: Final = 20
FEW: Final = 3


class Interrupted(BaseException):
    """What the signal raises."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """
    Attributes:
        conduct: What the server does; see `model_server`.
        sync: Makes the calls, in sync code.
        in_async: The same in async code.
    """

    conduct: str
    sync: Callable[[Stack, ModelServer, str], Any]
    in_async: Callable[[Stack, ModelServer, str], Awaitable[Any]]


def plain(stack: Stack, server: ModelServer, url: str) -> Any:
    server.begin()
    return stack.ask(url, 0)


async def aplain(stack: Stack, server: ModelServer, url: str) -> Any:
    server.begin()
    return await stack.aask(url, 0)


def stream(stack: Stack, server: ModelServer, url: str) -> Any:
    server.begin()
    return list(stack.stream(url, 0))


async def astream(stack: Stack, server: ModelServer, url: str) -> Any:
    server.begin()
    return [piece async for piece in await stack.astream(url, 0)]


def abandoned(stack: Stack, server: ModelServer, url: str) -> Any:
    server.begin()
    seen = []
    for piece in stack.stream(url, 0):
        seen.append(piece)
        if enough(seen):
            break
    return seen


async def aabandoned(stack: Stack, server: ModelServer, url: str) -> Any:
    server.begin()
    seen = []
    async for piece in await stack.astream(url, 0):
        seen.append(piece)
        if enough(seen):
            break
    return seen


def enough(seen: list[Any]) -> bool:
    """Of an agent's stream, whose pieces are pairs, as much as is there before its last answer is held."""
    if not isinstance(seen[-1], tuple):
        return len(seen) >= READ
    return any(getattr(message, "tool_call_id", None) for message, _ in seen)


def cancelled(stack: Stack, server: ModelServer, url: str) -> Any:
    with interrupted_when_held(server):
        return stack.ask(url, 0)


async def acancelled(stack: Stack, server: ModelServer, url: str) -> Any:
    return await cancelled_when_held(server, stack.aask(url, 0))


def cancelled_stream(stack: Stack, server: ModelServer, url: str) -> Any:
    with interrupted_when_held(server):
        return list(stack.stream(url, 0))


async def acancelled_stream(stack: Stack, server: ModelServer, url: str) -> Any:
    async def reading() -> Any:
        return [piece async for piece in await stack.astream(url, 0)]

    return await cancelled_when_held(server, reading())


@contextmanager
def interrupted_when_held(server: ModelServer) -> Iterator[None]:
    """Interrupt this thread, the main one, as soon as an answer is held. What goes on in others may then end."""

    def interrupt(*_: object) -> None:
        server.let_go()
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, interrupt)
    main = threading.get_ident()
    server.begin(lambda: signal.pthread_kill(main, signal.SIGUSR1))
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


async def cancelled_when_held(server: ModelServer, work: Any) -> Any:
    """Cancel *work* as soon as an answer is held."""
    loop, held = asyncio.get_running_loop(), asyncio.Event()
    server.begin(lambda: loop.call_soon_threadsafe(held.set))
    task = asyncio.ensure_future(work)
    await asyncio.wait_for(held.wait(), SECONDS)
    await turns()  # what has come is read: `asyncio.wait_for`, which LangChain uses, may lose a cancellation with it
    task.cancel()
    await turns()  # now it is cancelled; LangGraph may wait for what it has begun
    server.let_go()
    return await task


async def turns() -> None:
    """Let the loop do what it can do now."""
    for _ in range(50):
        await asyncio.sleep(0)


def batch(stack: Stack, server: ModelServer, url: str) -> Any:
    server.begin()
    return stack.batch(url, range(FEW))


async def abatch(stack: Stack, server: ModelServer, url: str) -> Any:
    server.begin()
    return await stack.abatch(url, range(FEW))


def concurrent(stack: Stack, server: ModelServer, url: str) -> Any:
    server.begin()
    with ThreadPoolExecutor(MANY) as pool:
        return list(pool.map(lambda question: stack.ask(url, question), range(MANY)))


async def aconcurrent(stack: Stack, server: ModelServer, url: str) -> Any:
    server.begin()
    return await asyncio.gather(*(stack.aask(url, question) for question in range(MANY)))


SHAPES: Final = {
    "plain": Shape(conduct="whole", sync=plain, in_async=aplain),
    "stream": Shape(conduct="whole", sync=stream, in_async=astream),
    "error": Shape(conduct="refused", sync=plain, in_async=aplain),
    "error in stream": Shape(conduct="refused", sync=stream, in_async=astream),
    "abandoned": Shape(conduct="held", sync=abandoned, in_async=aabandoned),
    "cancelled": Shape(conduct="held", sync=cancelled, in_async=acancelled),
    "cancelled stream": Shape(conduct="held", sync=cancelled_stream, in_async=acancelled_stream),
    "batch": Shape(conduct="whole", sync=batch, in_async=abatch),
    "concurrent": Shape(conduct="whole", sync=concurrent, in_async=aconcurrent),
}
"""By name."""


def outcome_of(work: Callable[[], Any]) -> Any:
    """What the application gets: a value or an exception, in a form that can be compared."""
    try:
        return comparable(work())
    except (Exception, asyncio.CancelledError, Interrupted) as error:  # noqa: BLE001 - it is compared
        return type(error).__name__, str(error)


FRESH: Final = frozenset({"id", "created", "run_id", "_response_ms", "checkpoint_ns", "langgraph_checkpoint_ns"})
"""What is made up anew for every answer, by the library."""


def comparable(value: Any) -> Any:
    """Types and values, without what differs from run to run."""
    if hasattr(value, "model_dump"):
        return type(value).__name__, comparable(value.model_dump())
    if isinstance(value, dict):
        return {key: comparable(each) for key, each in value.items() if key not in FRESH}
    if isinstance(value, (list, tuple)):
        return [comparable(each) for each in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else type(value).__name__
