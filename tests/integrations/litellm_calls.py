"""The calls of the LiteLLM matrix: how each is made, what the provider answers, and what its one record says."""

import asyncio
import gc
import json
import os
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from unittest.mock import ANY

import pytest

from ramp_tracing._loopback import Answer, Request, json_answer

from .provider import CHUNKS, USAGE, USAGE_CHUNK, Script, chat_like_openai, chunk, completion, stream

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # its price list comes with it; no network
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nor for the tokenizers with which it counts what nobody has reported
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    litellm: Any = pytest.importorskip("litellm")

litellm.suppress_debug_info = True

MESSAGES: Final = [{"role": "user", "content": "Say hello."}]

RESPONSE: Final[Mapping[str, Any]] = {
    "id": "resp_0c1f6be8a2d94e53",
    "object": "response",
    "created_at": 1767225600,
    "model": "gpt-4o-2024-08-06",
    "status": "completed",
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hello there.", "annotations": []}],
        }
    ],
    "usage": {
        "input_tokens": 10,
        "output_tokens": 5,
        "total_tokens": 15,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    },
    "parallel_tool_calls": False,
    "tool_choice": "auto",
    "tools": [],
    "temperature": 1,
    "top_p": 1,
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
}

ANTHROPIC: Final[Mapping[str, Any]] = {
    "id": "msg_013Zva2CMHLNnXjNJJKqJ2EF",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "Hello there."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 10, "output_tokens": 5},
}

IMAGE: Final[Mapping[str, Any]] = {
    "created": 1767225600,
    "data": [{"b64_json": "aGVsbG8="}],
    "usage": {
        "input_tokens": 10,
        "output_tokens": 5,
        "total_tokens": 15,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": 10},
    },
}

BACKGROUND: Final[Mapping[str, Any]] = {**RESPONSE, "id": "resp_0b7d3ac9e1f24a60", "background": True}
QUEUED: Final[Mapping[str, Any]] = {**BACKGROUND, "status": "queued", "output": [], "usage": None}

BATCH: Final[Mapping[str, Any]] = {
    "id": "batch_a91f6be8a2d94e53",
    "object": "batch",
    "status": "validating",
    "endpoint": "/v1/chat/completions",
    "input_file_id": "file-1",
    "completion_window": "24h",
    "created_at": 1767225600,
}
BATCH_LINE: Final = {"custom_id": "1", "response": {"status_code": 200, "body": completion(model="gpt-4o-2024-08-06")}}
ENDED_BATCH: Final = {
    **BATCH,
    "status": "completed",
    "output_file_id": "file-2",
    "model": "gpt-4o-2024-08-06",
    "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
}


def responses_like_openai(request: Request) -> Answer:
    body: Any = request.json
    if not body.get("stream"):
        return json_answer(RESPONSE)
    begun = {**RESPONSE, "status": "in_progress", "usage": None, "output": []}
    delta = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "Hello there.", "logprobs": []}
    return stream(
        [
            {"type": "response.created", "sequence_number": 0, "response": begun},
            {"type": "response.output_text.delta", "sequence_number": 1, **delta},
            {"type": "response.completed", "sequence_number": 2, "response": RESPONSE},
        ],
        named=True,
    )


def messages_like_anthropic(request: Request, *, words: int = 1) -> Answer:
    body: Any = request.json
    if not body.get("stream"):
        return json_answer(ANTHROPIC)
    begun = {**ANTHROPIC, "content": [], "stop_reason": None, "usage": {"input_tokens": 10, "output_tokens": 1}}
    block = {"type": "text", "text": ""}
    return stream(
        [
            {"type": "message_start", "message": begun},
            {"type": "content_block_start", "index": 0, "content_block": block},
            *[{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello there."}}]
            * words,
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": 5},
            },
            {"type": "message_stop"},
        ],
        named=True,
        done=False,
    )


def chat_with_usage(request: Request) -> Answer:
    """A server that reports the usage of a stream without being asked."""
    body: Any = request.json
    return stream([*CHUNKS, USAGE_CHUNK]) if body.get("stream") else json_answer(completion())


def chat_like_groq(request: Request) -> Answer:
    """Groq's streams have the usage in a place of their own: https://console.groq.com/docs/api-reference"""
    last = chunk({}, finish="stop", x_groq={"id": "req_1", "usage": dict(USAGE)})
    return stream([*CHUNKS[:-1], last])


def text_completion(request: Request) -> Answer:
    answer = {**completion(object="text_completion"), "id": "cmpl-B1xYq0sW7gkT2"}
    answer["choices"] = [{"index": 0, "text": "Hello there.", "finish_reason": "stop", "logprobs": None}]
    return json_answer(answer)


def refuses(status: int) -> Answer:
    return json_answer({"error": {"message": "No.", "type": "invalid", "code": "no"}}, status=status)


def chat_by_model(request: Request) -> Answer:
    """Refuses models whose name begins with ``bad``."""
    body: Any = request.json
    return refuses(500) if body["model"].startswith("bad") else chat_like_openai(request)


ASKED: Final = threading.Event()
"""A request has come that is not answered before its client goes."""


def unanswered(request: Request) -> Answer:
    ASKED.set()
    return Answer(delay_seconds=60)


LONG: Final = [chunk({"content": "Hello "}) for _ in range(200)]


SCRIPTS: Final[Mapping[str, Script]] = {
    "/slow/v1/messages": unanswered,
    "/long/v1/messages": partial(messages_like_anthropic, words=5_000),
    "/refused/v1/messages": refuses(500),
    "/slow/chat/completions": unanswered,
    "/groq/chat/completions": chat_like_groq,
    "/metered/chat/completions": chat_with_usage,
    "/long/chat/completions": stream(LONG),
    "/cut/chat/completions": stream(LONG[:3], done=False, cut=True),
    "/chat/completions": chat_by_model,
    "/background/responses": json_answer(QUEUED),
    f"/responses/{BACKGROUND['id']}": json_answer(BACKGROUND),
    f"/responses/{RESPONSE['id']}": json_answer(RESPONSE),
    "/responses": responses_like_openai,
    "/messages": messages_like_anthropic,
    "/completions": text_completion,
    "/embeddings": json_answer(
        {
            "object": "list",
            "model": "text-embedding-3-small",
            "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}],
            "usage": {"prompt_tokens": 10, "total_tokens": 10},
        }
    ),
    "/images/generations": json_answer(IMAGE),
    "/images/edits": json_answer(IMAGE),
    "/audio/transcriptions": json_answer(
        {
            "text": "Hello there.",
            "usage": {
                "type": "tokens",
                "input_tokens": 10,
                "output_tokens": 5,
                "total_tokens": 15,
                "input_token_details": {"audio_tokens": 10, "text_tokens": 0},
            },
        }
    ),
    "/audio/speech": Answer(headers={"Content-Type": "audio/mpeg"}, body=[b"sound"]),
    "/rerank": json_answer(
        {
            "id": "8f2c6be8-a2d9-4e53-9d1c",
            "results": [{"index": 0, "relevance_score": 0.9}],
            "meta": {"billed_units": {"search_units": 1}},
        }
    ),
    "/batches": json_answer(BATCH),
    f"/batches/{BATCH['id']}": json_answer(ENDED_BATCH),
    "/files/file-2/content": Answer(
        headers={"Content-Type": "application/octet-stream"}, body=[json.dumps(BATCH_LINE).encode() + b"\n"]
    ),
}
"""Path → answer; the first that fits."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """
    One cell of the matrix.

    Attributes:
        make: Makes the call in one colour: ``make(colour, base_url)``.
        says: What each record says: (operation, model asked for, input and output tokens, failure or `None`).
        alone: The same where the openai client is not watched, if it differs.
        or_says: What the records say with another version of LiteLLM.
        only: The one colour in which LiteLLM can do it.
        needs: Modules that LiteLLM needs for it and does not require.
    """

    make: Callable[[Any, str], Any]
    says: list[Any]
    alone: list[Any] | None = None
    or_says: list[Any] | None = None
    only: str = ""
    needs: tuple[str, ...] = ()


class InSync:
    """Calls as they are written in sync code."""

    name = "sync"

    def call(self, name: str, **arguments: Any) -> Any:
        return getattr(litellm, name)(**arguments)

    def read(self, answer: Any, count: int = -1) -> Any:
        seen = []
        for item in answer:
            seen.append(item)
            if len(seen) == count:
                break
        return seen

    def run(self, work: Callable[[], Any]) -> Any:
        return work()


class InAsync:
    """The same, with the async function of the same name, on one event loop."""

    name = "async"

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def call(self, name: str, **arguments: Any) -> Any:
        return self._runner.run(self._awaited(getattr(litellm, f"a{name}"), arguments))

    def read(self, answer: Any, count: int = -1) -> Any:
        async def reading() -> Any:
            seen = []
            async for item in answer:
                seen.append(item)
                if len(seen) == count:
                    break
            return seen

        return self._runner.run(reading())

    async def _awaited(self, function: Any, arguments: Any) -> Any:
        return await function(**arguments)

    def awaited(self, function: Any, **arguments: Any) -> Any:
        return self._runner.run(self._awaited(function, arguments))

    def turn(self) -> None:
        """Let LiteLLM's worker do what it has to do."""
        self._runner.run(asyncio.sleep(0.05))

    def cancelled(self, name: str, **arguments: Any) -> None:
        async def cancelling() -> None:
            ASKED.clear()
            call = asyncio.ensure_future(getattr(litellm, f"a{name}")(**arguments))
            assert await asyncio.to_thread(ASKED.wait, 60)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

        self._runner.run(cancelling())

    def close(self) -> None:
        self._runner.close()


def chat(base: str, path: str = "", **more: Any) -> dict[str, Any]:
    """The arguments of a chat completion."""
    common = {"messages": MESSAGES, "api_base": f"{base}{path}", "api_key": "sk-test", "max_retries": 0}
    return {"model": "openai/gpt-4o", **common, **more}


def failing(colour: Any, name: str, **arguments: Any) -> None:
    with pytest.raises(Exception, match=r"No|litellm"):
        colour.call(name, **arguments)


def abandoned(colour: Any, base: str) -> None:
    answer = colour.call("completion", **chat(base, "/long", stream=True))
    colour.read(answer, 3)
    if colour.name == "async":
        closing = getattr(answer, "aclose", None)
        if closing is not None:
            colour._runner.run(closing())
    del answer
    gc.collect()


def left(name: str, how: str = "dropped", count: int = 2, **arguments: Any) -> Callable[[Any, str], None]:
    """A stream that LiteLLM reads without the openai client, and the application not to its end."""

    def leave(colour: Any, base: str) -> None:
        answer = colour.call(name, **at_base(base, arguments))
        if count:
            colour.read(answer, count)
        if how == "closed" and colour.name == "async":
            colour._runner.run(answer.aclose())
        del answer
        gc.collect()

    return leave


def at_base(base: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments with the provider's address, as the provider's name for the model wants it."""
    is_claude = arguments["model"].startswith("anthropic/")
    root = base.removesuffix("/v1") if is_claude else base
    return {"api_key": "sk-test", **arguments, "api_base": f"{root}{arguments.get('api_base', '')}"}


def broken(colour: Any, base: str) -> None:
    answer = colour.call("completion", **chat(base, "/cut", stream=True))
    with pytest.raises(Exception, match=r".*"):
        colour.read(answer)


def router(base: str) -> Any:
    return litellm.Router(
        model_list=[
            {"model_name": name, "litellm_params": {**chat(base), "model": f"openai/{model}", "messages": None}}
            for name, model in (("first", "bad-1"), ("second", "gpt-4o"))
        ],
        fallbacks=[{"first": ["second"]}],
        num_retries=1,
        retry_after=0,
    )


def routed(colour: Any, base: str) -> None:
    through = router(base)
    if colour.name == "sync":
        through.completion(model="first", messages=MESSAGES)
    else:
        colour._runner.run(through.acompletion(model="first", messages=MESSAGES))


def wait_for_the_cache(colour: Any = None) -> None:
    """Wait until the answer is in LiteLLM's local cache, where a thread or a task puts it."""
    until = time.monotonic() + 60
    while not litellm.cache.cache.cache_dict and time.monotonic() < until:
        time.sleep(0.01)
        if colour is not None and colour.name == "async":
            colour.turn()


def twice_from_cache(colour: Any, base: str) -> None:
    litellm.cache = litellm.Cache(type="local")
    try:
        for _ in range(2):
            colour.call("completion", **chat(base, caching=True))
            wait_for_the_cache(colour)
    finally:
        litellm.cache = None


def batch(colour: Any, base: str) -> None:
    common = {"custom_llm_provider": "openai", "api_base": base, "api_key": "sk-test"}
    colour.call(
        "create_batch", completion_window="24h", endpoint="/v1/chat/completions", input_file_id="file-1", **common
    )
    for _ in range(3):
        colour.call("retrieve_batch", batch_id=BATCH["id"], **common)


def refused(colour: Any, base: str) -> None:
    """An answer that breaks a rule of the application's, once it is paid for."""
    litellm.post_call_rules = [lambda text: {"decision": False, "message": "No."}]
    try:
        failing(colour, "completion", **at_base(base, CLAUDE))
    finally:
        litellm.post_call_rules = []


def by_own_provider(colour: Any, base: str) -> None:
    """A provider of the application's own, which asks LiteLLM: https://docs.litellm.ai/docs/providers/custom_llm_server"""

    class Own(litellm.CustomLLM):  # type: ignore[misc]
        def completion(self, *args: Any, **kwargs: Any) -> Any:
            return litellm.completion(**at_base(base, CLAUDE))

        async def acompletion(self, *args: Any, **kwargs: Any) -> Any:
            return await litellm.acompletion(**at_base(base, CLAUDE))

    before = litellm.custom_provider_map
    litellm.custom_provider_map = [{"provider": "of-our-own", "custom_handler": Own()}]
    try:
        colour.call("completion", model="of-our-own/best", messages=MESSAGES)
    finally:
        wait_for_words(colour)
        litellm.custom_provider_map = before


def wait_for_words(colour: Any) -> None:
    """Let LiteLLM speak of what has just returned."""
    for _ in range(10):
        time.sleep(0.03)
        if colour.name == "async":
            colour.turn()


def one(operation: str, model: str, counts: tuple[int | None, int | None] = (10, 5), failure: str | None = None) -> Any:
    return (operation, model, *counts, failure)


CHAT: Final = one("chat", "gpt-4o")
UNKNOWN: Final = (None, None)
FAILED: Final = one("chat", "bad-1", UNKNOWN, "InternalServerError")
CLAUDE: Final = {"model": "anthropic/claude-sonnet-4-5-20250929", "messages": MESSAGES, "api_key": "sk-test"}


def at_anthropic(base: str, **more: Any) -> dict[str, Any]:
    return {**CLAUDE, "api_base": base.removesuffix("/v1"), **more}


ABANDONED: Final = one("chat", "claude-sonnet-4-5-20250929", (10, None), "abandoned")
"""The input is told at the start of a stream, the output at its end."""

MATRIX: Final[Mapping[str, Made]] = {
    "completion": Made(make=lambda c, b: c.call("completion", **chat(b)), says=[CHAT]),
    "stream": Made(
        make=lambda c, b: c.read(c.call("completion", **chat(b, "/metered", stream=True))),
        says=[CHAT],
        alone=[one("chat", "gpt-4o", UNKNOWN)],  # marked: LiteLLM does not say whether it has counted itself
    ),
    "stream asking for usage": Made(
        make=lambda c, b: c.read(c.call("completion", **chat(b, stream=True, stream_options={"include_usage": True}))),
        says=[CHAT],
    ),
    "groq stream": Made(
        make=lambda c, b: c.read(
            c.call("completion", **chat(b, "/groq", model="groq/llama-3.1-8b-instant", stream=True))
        ),
        says=[one("chat", "llama-3.1-8b-instant")],
    ),
    "anthropic": Made(
        make=lambda c, b: c.call("completion", **at_anthropic(b)),
        says=[one("chat", "claude-sonnet-4-5-20250929")],
    ),
    "anthropic stream": Made(
        make=lambda c, b: c.read(c.call("completion", **at_anthropic(b, stream=True))),
        says=[one("chat", "claude-sonnet-4-5-20250929")],
    ),
    "anthropic messages": Made(
        make=lambda c, b: c.awaited(litellm.anthropic_messages, **at_base(b, {**CLAUDE, "max_tokens": 9})),
        says=[one("chat", "claude-sonnet-4-5-20250929")],
        only="async",
        needs=("backoff",),
    ),
    "anthropic messages stream": Made(
        make=lambda c, b: c.read(
            c.awaited(litellm.anthropic_messages, **at_base(b, {**CLAUDE, "max_tokens": 9, "stream": True}))
        ),
        says=[one("chat", "claude-sonnet-4-5-20250929")],
        only="async",
        needs=("backoff",),
    ),
    "abandoned anthropic messages stream": Made(
        make=lambda c, b: c.read(
            c.awaited(
                litellm.anthropic_messages,
                **at_base(b, {**CLAUDE, "api_base": "/long", "max_tokens": 9, "stream": True}),
            ),
            1,
        ),
        says=[one("chat", "claude-sonnet-4-5-20250929", UNKNOWN, "abandoned")],
        or_says=[one("chat", "claude-sonnet-4-5-20250929", (10, ANY))],  # 1.108 speaks of it, with a guess
        only="async",
        needs=("backoff",),
    ),
    "text completion": Made(
        make=lambda c, b: c.call(
            "text_completion",
            model="text-completion-openai/gpt-3.5-turbo-instruct",
            prompt="Say hello.",
            api_base=b,
            api_key="sk-test",
        ),
        says=[one("text_completion", "gpt-3.5-turbo-instruct")],
    ),
    "embedding": Made(
        make=lambda c, b: c.call(
            "embedding", model="openai/text-embedding-3-small", input=["a"], api_base=b, api_key="sk-test"
        ),
        says=[one("embeddings", "text-embedding-3-small", (10, None))],
        alone=[one("embeddings", "text-embedding-3-small", (10, 0))],
    ),
    "responses": Made(
        make=lambda c, b: c.call("responses", model="openai/gpt-4o", input="Hi", api_base=b, api_key="sk-test"),
        says=[CHAT],
    ),
    "responses stream": Made(
        make=lambda c, b: c.read(
            c.call("responses", model="openai/gpt-4o", input="Hi", api_base=b, api_key="sk-test", stream=True)
        ),
        says=[CHAT],
    ),
    "image": Made(
        make=lambda c, b: c.call(
            "image_generation", model="openai/gpt-image-1", prompt="A cat", api_base=b, api_key="sk-test"
        ),
        says=[one("image_generation", "gpt-image-1")],
    ),
    "transcription": Made(
        make=lambda c, b: c.call(
            "transcription",
            model="openai/gpt-4o-transcribe",
            file=("a.wav", b"sound"),
            api_base=b,
            api_key="sk-test",
        ),
        says=[one("transcription", "gpt-4o-transcribe")],
    ),
    "speech": Made(
        make=lambda c, b: c.call(
            "speech", model="openai/tts-1", input="Hello", voice="alloy", api_base=b, api_key="sk-test"
        ),
        says=[one("speech", "tts-1", UNKNOWN)],
    ),
    "rerank": Made(
        make=lambda c, b: c.call(
            "rerank",
            model="cohere/rerank-v3.5",
            query="a",
            documents=["a", "b"],
            api_base=f"{b}/rerank",
            api_key="sk-test",
        ),
        says=[one("rerank", "rerank-v3.5", UNKNOWN)],
    ),
    "failure": Made(make=lambda c, b: failing(c, "completion", **chat(b, model="openai/bad-1")), says=[FAILED]),
    "refused answer": Made(
        make=refused,
        says=[one("chat", "claude-sonnet-4-5-20250929", (10, 5), "APIResponseValidationError")],
    ),
    "own provider": Made(make=by_own_provider, says=[one("chat", "claude-sonnet-4-5-20250929")]),
    "image edit": Made(
        make=lambda c, b: c.call(
            "image_edit", model="openai/gpt-image-1", image=[b"\x89PNG"], prompt="A cat", api_base=b, api_key="sk-test"
        ),
        says=[one("image_edit", "gpt-image-1")],
    ),
    "retries": Made(
        make=lambda c, b: failing(c, "completion", **chat(b, model="openai/bad-1", num_retries=2)),
        says=[FAILED],
        needs=("tenacity",),
    ),
    "fallbacks": Made(
        make=lambda c, b: c.call(
            "completion", **chat(b, model="openai/bad-1", fallbacks=["openai/bad-2", "openai/gpt-4o"])
        ),
        says=[FAILED, CHAT],
        only="async",
    ),
    "router": Made(make=routed, says=[FAILED, FAILED, CHAT]),
    "cache hit": Made(make=twice_from_cache, says=[CHAT, CHAT], needs=("fastapi", "soundfile")),
    "batch": Made(make=batch, says=[("batch", None, 10, 5, None)]),
    "mock": Made(
        make=lambda c, b: c.call("completion", **chat(b, mock_response="Hello")), says=[one("chat", "gpt-4o", (10, 20))]
    ),
    "broken stream": Made(
        make=broken,
        says=[one("chat", "gpt-4o", UNKNOWN, "broken")],
    ),
    "abandoned stream": Made(make=abandoned, says=[one("chat", "gpt-4o", UNKNOWN, "abandoned")]),
    "cancelled": Made(
        make=lambda c, b: c.cancelled("completion", **chat(b, "/slow")),
        says=[one("chat", "gpt-4o", UNKNOWN, "CancelledError")],
        only="async",
    ),
    "abandoned anthropic stream": Made(make=left("completion", **CLAUDE, stream=True, count=1), says=[ABANDONED]),
    "closed anthropic stream": Made(
        make=left("completion", "closed", **CLAUDE, stream=True, count=1), says=[ABANDONED]
    ),
    "anthropic stream that is not begun": Made(
        make=left("completion", **CLAUDE, stream=True, count=0),
        says=[one("chat", "claude-sonnet-4-5-20250929", UNKNOWN, "abandoned")],
    ),
    "abandoned responses stream": Made(
        make=left("responses", model="openai/gpt-4o", input="Hi", stream=True, count=1),
        says=[one("chat", "gpt-4o", UNKNOWN, "abandoned")],
    ),
    "cancelled anthropic call": Made(
        make=lambda c, b: c.cancelled("completion", **at_base(b, {**CLAUDE, "api_base": "/slow"})),
        says=[one("chat", "claude-sonnet-4-5-20250929", UNKNOWN, "CancelledError")],
        only="async",
    ),
    "abandoned mock": Made(
        make=left("completion", **chat("", stream=True, mock_response="Hello there, all of you.")), says=[]
    ),
    "failing anthropic fallbacks": Made(
        make=lambda c, b: failing(
            c, "completion", **at_base(b, {**CLAUDE, "api_base": "/refused", "fallbacks": [CLAUDE["model"]]})
        ),
        says=[one("chat", "claude-sonnet-4-5-20250929", UNKNOWN, "InternalServerError")],
        only="async",
    ),
    "no-log": Made(make=lambda c, b: c.call("completion", **chat(b, **{"no-log": True})), says=[]),
}
"""Every way to make a call, and its records."""
