"""Many calls of LangChain's that cost nothing, in the ways in which applications make them."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableLambda

from ramp_tracing._state import state

CANCELLED_EVERY: Final = 100
USAGE: Final[Any] = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}


class Instant(BaseChatModel):
    """Answers at once, or, asked to wait, never."""

    @property
    def _llm_type(self) -> str:
        return "instant"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage("Hi.", usage_metadata=USAGE))])

    async def _agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        if messages[-1].content == "wait":
            WAITING.append(self)
            await asyncio.Event().wait()
        return self._generate(messages)

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        yield ChatGenerationChunk(message=AIMessageChunk("Hi"))
        yield ChatGenerationChunk(message=AIMessageChunk(".", usage_metadata=USAGE))


WAITING: Final[list[Any]] = []
"""What is being waited for."""

MODEL: Final = Instant()
CHAIN: Final = RunnableLambda(lambda given: given) | MODEL


async def ask(number: int) -> None:
    """One call, in one of the ways in which applications make them; one in a hundred is cancelled."""
    asked: Any = (MODEL, CHAIN)[number // 7 % 2]
    if number % CANCELLED_EVERY == CANCELLED_EVERY // 2:
        await cancel(asked, streams=number // CANCELLED_EVERY % 2 == 1)
    elif number % 3 == 0:
        asked.invoke("go")
    elif number % 3 == 1:
        await asked.ainvoke("go")
    else:
        async for _ in asked.astream("go"):
            break


async def cancel(asked: Any, *, streams: bool) -> None:
    async def waiting() -> None:
        if streams:
            async for _ in asked.astream("go"):
                WAITING.append(asked)
                await asyncio.Event().wait()
        else:
            await asked.ainvoke("wait")

    task = asyncio.ensure_future(waiting())
    while not WAITING:
        await asyncio.sleep(0)
    WAITING.clear()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def sizes() -> dict[str, int]:
    """Everything of ours that could grow."""
    names = ("runs", "lone_runs", "slots", "watched", "speaking", "jobs", "open_streams", "by_hand")
    return {name: len(getattr(state, name)) for name in names}
