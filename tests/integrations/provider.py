"""A model provider on loopback that answers as a test tells it to."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ramp_tracing._loopback import Answer, LoopbackServer, Request, json_answer

Script = Answer | Callable[[Request], Answer]

USAGE: Mapping[str, Any] = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def completion(**fields: Any) -> dict[str, Any]:
    """A chat completion as OpenAI documents it."""
    return {
        "id": "chatcmpl-B1xYq0sW7gkT2",
        "object": "chat.completion",
        "created": 1767225600,
        "model": "gpt-4o-2024-08-06",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello there."}},
        ],
        "usage": dict(USAGE),
        "service_tier": "default",
        **fields,
    }


def chunk(delta: Mapping[str, Any] | None = None, *, index: int = 0, finish: str | None = None, **fields: Any) -> Any:
    """A chunk of a streamed chat completion."""
    choices = [] if delta is None else [{"index": index, "delta": dict(delta), "finish_reason": finish}]
    return {
        "id": "chatcmpl-B1xYq0sW7gkT2",
        "object": "chat.completion.chunk",
        "created": 1767225600,
        "model": "gpt-4o-2024-08-06",
        "choices": choices,
        **fields,
    }


CHUNKS = (
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Hello"}),
    chunk({"content": " there"}),
    chunk({"content": "."}),
    chunk({}, finish="stop"),
)
"""What a loop sees of a stream."""

USAGE_CHUNK = chunk(None, usage=dict(USAGE))
"""What follows when usage was asked for."""


def events(items: Iterable[Any], *, named: bool = False, done: bool = True) -> list[bytes]:
    """Server-sent events; *named* ones carry their type as the Responses API does."""
    lines = [
        (f"event: {item['type']}\n" if named else "").encode() + b"data: " + json.dumps(item).encode() + b"\n\n"
        for item in items
    ]
    return [*lines, b"data: [DONE]\n\n"] if done else lines


def stream(items: Iterable[Any], *, named: bool = False, done: bool = True, cut: bool = False) -> Answer:
    """A streamed answer."""
    return Answer(
        headers={"Content-Type": "text/event-stream"},
        body=events(items, named=named, done=done),
        cut=cut,
    )


def in_turn(path: str, *answers: Script) -> Callable[[], Mapping[str, Script]]:
    """Scripts for *path*: one answer after the other, the last one for ever."""

    def scripts() -> Mapping[str, Script]:
        left = list(answers)

        def answer(request: Request) -> Answer:
            script = left.pop(0) if len(left) > 1 else left[0]
            return script if isinstance(script, Answer) else script(request)

        return {path: answer}

    return scripts


def chat_like_openai(request: Request) -> Answer:
    """Chat completions as OpenAI gives them: streamed or not, usage only where it was asked for."""
    body: Any = request.json
    if not body.get("stream"):
        return json_answer(completion())
    asked = (body.get("stream_options") or {}).get("include_usage")
    nulls = [{**each, "usage": None} for each in CHUNKS] if asked else CHUNKS
    return stream([*nulls, *([USAGE_CHUNK] if asked else [])])


class Provider:
    """
    A provider's server: one script for every request, or one per path.

    Args:
        scripts: Path (its end) → what to answer.
        default: For every other path.
    """

    def __init__(self, default: Script = chat_like_openai, scripts: Mapping[str, Script] | None = None) -> None:
        self._scripts = dict(scripts or {})
        self._default = default
        self.server = LoopbackServer(self._answer)

    def __enter__(self) -> "Provider":
        self.server.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.server.close()

    def answer_with(self, scripts: Mapping[str, Script]) -> None:
        """From now on, other answers: path (its end) → what to answer."""
        self._scripts = dict(scripts)

    @property
    def base_url(self) -> str:
        """What a client takes as its ``base_url``."""
        return f"{self.server.url}/v1"

    @property
    def requests(self) -> list[Request]:
        """What it was asked."""
        return self.server.requests

    def _answer(self, request: Request) -> Answer:
        found = next((script for path, script in self._scripts.items() if request.path.endswith(path)), self._default)
        return found if isinstance(found, Answer) else found(request)
