"""What is measured: each scenario is a call that an application makes again and again."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from .answers import MODEL, SENTENCE, VECTORS, VECTORS_COUNTED

Library = Literal["openai", "langchain", "litellm"]
"""Whose instrumentation is switched on."""

Act = Callable[[], object]
"""Makes the calls of one step of a scenario, and returns when they are over."""

MIB: Final = 1 << 20
AT_ONCE: Final = (1, 10, 50, 200, 500, 1_000, 2_000)
"""Tasks, for the curve."""

CHARACTERS: Final = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
"""Sizes of prompts, for the curve."""

SYSTEM: Final = "You help with the books of a company. " * 4
QUESTION: Final = SENTENCE * 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """
    One row.

    Attributes:
        library: The library that is called.
        prepare: Makes the client, and returns the act.
        round: How many acts a timed round has: about a tenth of a second.
        counted: How many acts a turn has that is counted under valgrind. 0 for none.
        calls: How many model calls an act is.
        billable: Whether an instrumentation is expected to report it.
    """

    library: Library
    prepare: Callable[[], Act]
    round: int
    counted: int = 0
    calls: int = 1
    billable: bool = True


def messages(question: str) -> list[Any]:
    """A conversation of two messages, about 1 kB with the usual question."""
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]


def client(chunks: int | None = None, vectors: int = VECTORS) -> Any:
    """An openai client that never leaves the process."""
    import httpx
    import openai

    from .provider import Provider

    return openai.OpenAI(api_key="none", http_client=httpx.Client(transport=Provider(chunks, vectors)), max_retries=0)


def chat(question: str = QUESTION) -> Act:
    """A chat."""
    create, asked = client().chat.completions.create, messages(question)
    return lambda: create(model=MODEL, messages=asked, temperature=0.2)


def chat_of(characters: int) -> Callable[[], Act]:
    """A chat with a prompt of a given size."""
    return lambda: chat((SENTENCE * (characters // len(SENTENCE) + 1))[:characters])


def image_2mb() -> Act:
    """A question about a picture of 2 MiB, of random bytes as a compressed picture has."""
    import base64

    url = "data:image/png;base64," + base64.b64encode(os.urandom(2 * MIB * 3 // 4)).decode()
    content = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": url}}]
    create = client().chat.completions.create
    return lambda: create(model=MODEL, messages=[{"role": "user", "content": content}])


def stream(chunks: int) -> Callable[[], Act]:
    """A chat that is streamed and read to its end."""

    def prepare() -> Act:
        create, asked = client(chunks).chat.completions.create, messages(QUESTION)

        def act() -> None:
            for _ in create(model=MODEL, messages=asked, stream=True, stream_options={"include_usage": True}):
                pass

        return act

    return prepare


def at_once(tasks: int) -> Callable[[], Act]:
    """Chats of many tasks at once."""

    def prepare() -> Act:
        import httpx
        import openai

        from .provider import Provider

        runner = asyncio.Runner()
        http = httpx.AsyncClient(transport=Provider())
        create = openai.AsyncOpenAI(api_key="none", http_client=http, max_retries=0).chat.completions.create
        asked = messages(QUESTION)

        async def gather() -> None:
            await asyncio.gather(*(create(model=MODEL, messages=asked, temperature=0.2) for _ in range(tasks)))

        return lambda: runner.run(gather())

    return prepare


def first_chunk() -> Act:
    """A chat that is streamed; the act returns when its first chunk came."""
    create, asked = client(50).chat.completions.create, messages(QUESTION)

    def act() -> float:
        chunks = create(model=MODEL, messages=asked, stream=True, stream_options={"include_usage": True})
        next(chunks)
        came = time.perf_counter()
        for _ in chunks:
            pass
        return came

    return act


def responses() -> Act:
    """A response."""
    create = client().responses.create
    return lambda: create(model=MODEL, instructions=SYSTEM, input=QUESTION)


def embeddings(vectors: int) -> Callable[[], Act]:
    """Vectors of 1,536 numbers."""

    def prepare() -> Act:
        create, asked = client(vectors=vectors).embeddings.create, [f"{each} {SENTENCE}" for each in range(vectors)]
        return lambda: create(model="text-embedding-3-small", input=asked)

    return prepare


def models() -> Act:
    """A request that costs nothing."""
    return client().models.list


def langchain() -> Act:
    """A model of LangChain's, over the openai client."""
    import httpx
    from langchain_openai import ChatOpenAI

    from .provider import Provider

    http = httpx.Client(transport=Provider())
    model: Any = ChatOpenAI(model=MODEL, api_key="none", http_client=http, max_retries=0)  # type: ignore[arg-type]
    asked = [("system", SYSTEM), ("human", QUESTION)]
    return lambda: model.invoke(asked)


def litellm() -> Act:
    """A completion of LiteLLM's, over the openai client."""
    import litellm

    below, asked = client(), messages(QUESTION)
    litellm.suppress_debug_info = True
    return lambda: litellm.completion(model=f"openai/{MODEL}", messages=asked, client=below, temperature=0.2)


SCENARIOS: Final[dict[str, Scenario]] = {
    "chat": Scenario(library="openai", prepare=chat, round=80, counted=10),
    "async 50": Scenario(library="openai", prepare=at_once(50), round=2, calls=50),
    "stream 200": Scenario(library="openai", prepare=stream(200), round=5, counted=1),
    "stream 400": Scenario(library="openai", prepare=stream(400), round=3, counted=1),
    "stream 2,000": Scenario(library="openai", prepare=stream(2_000), round=1),
    "responses": Scenario(library="openai", prepare=responses, round=80, counted=10),
    "embeddings": Scenario(library="openai", prepare=embeddings(VECTORS), round=20),
    "embeddings 42": Scenario(library="openai", prepare=embeddings(VECTORS_COUNTED), round=20, counted=2),
    "prompt 2 MB": Scenario(library="openai", prepare=chat_of(2 * MIB), round=5, counted=1),
    "image 2 MB": Scenario(library="openai", prepare=image_2mb, round=5),
    "models list": Scenario(library="openai", prepare=models, round=80, counted=10, billable=False),
    "langchain": Scenario(library="langchain", prepare=langchain, round=60, counted=10),
    "litellm": Scenario(library="litellm", prepare=litellm, round=40, counted=10),
}
"""Name → scenario, in the order in which they are run."""

UNLISTED: Final[dict[str, Scenario]] = {
    "first chunk": Scenario(library="openai", prepare=first_chunk, round=50),
    **{
        f"tasks {tasks}": Scenario(library="openai", prepare=at_once(tasks), round=200 // tasks + 1, calls=tasks)
        for tasks in AT_ONCE
    },
    **{
        f"prompt {size}": Scenario(library="openai", prepare=chat_of(size), round=20 if size < MIB else 2)
        for size in CHARACTERS
    },
}
"""Those of the curves, and of what the background thread does."""

ALL: Final = {**SCENARIOS, **UNLISTED}
