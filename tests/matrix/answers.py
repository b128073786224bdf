"""What the model server answers: facts of one answer, put into the wire format that was asked for."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..integrations.provider import chunk, completion, events

TOOL: Final = "look_up"
"""What an agent's model wants called before it answers."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """
    What an answer says.

    Attributes:
        id: The response id.
        question: Its number.
        model: As asked for.
        tokens: Input and output.
        calls_tool: The model wants the tool called; it says nothing yet.
        reports: Whether a stream ends with its usage.
    """

    id: str
    question: int
    model: str
    tokens: tuple[int, int]
    calls_tool: bool
    reports: bool

    @property
    def words(self) -> list[str]:
        """The text, in the pieces in which it is streamed."""
        return ["This", " answers", " question", f" {self.question}", "."]


def chat(facts: Facts) -> dict[str, Any]:
    """A chat completion, as OpenAI gives it."""
    message: dict[str, Any] = {"role": "assistant", "content": "".join(facts.words)}
    if facts.calls_tool:
        message = {"role": "assistant", "content": None, "tool_calls": [_tool_call(facts)]}
    choice = {"index": 0, "finish_reason": _finish(facts), "message": message}
    return completion(id=facts.id, model=facts.model, choices=[choice], usage=_openai_usage(facts))


def chat_stream(facts: Facts) -> list[bytes]:
    """The same in pieces, with the usage at the end if that was asked for."""
    own: Mapping[str, Any] = {"id": facts.id, "model": facts.model}
    deltas: list[Mapping[str, Any]] = [{"content": word} for word in facts.words]
    if facts.calls_tool:
        deltas = [{"tool_calls": [{**_tool_call(facts), "index": 0}]}]
    chunks = [chunk({"role": "assistant", "content": ""}, **own), *(chunk(each, **own) for each in deltas)]
    usage = [chunk(None, usage=_openai_usage(facts), **own)] if facts.reports else []
    return events([*chunks, chunk({}, finish=_finish(facts), **own), *usage])


def messages(facts: Facts) -> dict[str, Any]:
    """A message, as Anthropic gives it."""
    content = [{"type": "text", "text": "".join(facts.words)}]
    return {**_begun_message(facts), "content": content, "stop_reason": "end_turn", "usage": _anthropic_usage(facts)}


def messages_stream(facts: Facts) -> list[bytes]:
    """The same in pieces; what was put out is counted at the end."""
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
        for word in facts.words
    ]
    counted = _anthropic_usage(facts)
    return events(
        [
            {"type": "message_start", "message": _begun_message(facts)},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            *deltas,
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": counted},
            {"type": "message_stop"},
        ],
        named=True,
        done=False,
    )


def own(facts: Facts) -> dict[str, Any]:
    """The format of a server that no library knows."""
    return {"id": facts.id, "text": "".join(facts.words), "input": facts.tokens[0], "output": facts.tokens[1]}


def own_stream(facts: Facts) -> list[bytes]:
    """One JSON object a line."""
    last = {"id": facts.id, "text": "", "input": facts.tokens[0], "output": facts.tokens[1]}
    return [json.dumps(each).encode() + b"\n" for each in [*({"text": word} for word in facts.words), last]]


def batch(facts: Facts, *, ended: bool = False) -> dict[str, Any]:
    """A job of OpenAI's Batch API."""
    created = {
        "id": facts.id,
        "object": "batch",
        "status": "validating",
        "endpoint": "/v1/chat/completions",
        "input_file_id": "file-1",
        "completion_window": "24h",
        "created_at": 1767225600,
    }
    usage = {"input_tokens": facts.tokens[0], "output_tokens": facts.tokens[1], "total_tokens": sum(facts.tokens)}
    return {**created, "status": "completed", "model": facts.model, "usage": usage} if ended else created


def embeddings(facts: Facts) -> dict[str, Any]:
    """Embeddings, as OpenAI gives them."""
    usage = {"prompt_tokens": facts.tokens[0], "total_tokens": facts.tokens[0]}
    vector = {"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}
    return {"object": "list", "model": facts.model, "data": [vector], "usage": usage}


def _finish(facts: Facts) -> str:
    return "tool_calls" if facts.calls_tool else "stop"


def _tool_call(facts: Facts) -> dict[str, Any]:
    function = {"name": TOOL, "arguments": json.dumps({"question": facts.question})}
    return {"id": f"call_{facts.question}", "type": "function", "function": function}


def _openai_usage(facts: Facts) -> dict[str, int]:
    asked, answered = facts.tokens
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


def _anthropic_usage(facts: Facts) -> dict[str, int]:
    return {"input_tokens": facts.tokens[0], "output_tokens": facts.tokens[1]}


def _begun_message(facts: Facts) -> dict[str, Any]:
    return {
        "id": facts.id,
        "type": "message",
        "role": "assistant",
        "model": facts.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": facts.tokens[0], "output_tokens": 1},
    }


@dataclass(frozen=True, kw_only=True)
class Wire:
    """How an answer is given whole and in pieces, and whether a stream has its usage without being asked for it."""

    whole: Callable[[Facts], dict[str, Any]]
    pieces: Callable[[Facts], list[bytes]]
    reports_always: bool = True


WIRES: Final[Mapping[str, Wire]] = {
    "/chat/completions": Wire(whole=chat, pieces=chat_stream, reports_always=False),
    "/messages": Wire(whole=messages, pieces=messages_stream),
    "/own": Wire(whole=own, pieces=own_stream),
    "/embeddings": Wire(whole=embeddings, pieces=lambda facts: []),
    "/batches": Wire(whole=batch, pieces=lambda facts: []),
}
"""End of a path → what is spoken there."""
