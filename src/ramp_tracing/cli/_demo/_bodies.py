"""The documented shapes of OpenAI's and OpenRouter's answers, filled from the table of answers."""

import base64
import json
import secrets
import struct
import time
from collections.abc import Iterable, Iterator
from typing import Final

from ..._loopback import Answer, json_answer
from ._answers import Refusal, Reply

Json = dict[str, object]
"""A JSON object that is being made."""

VECTOR: Final = tuple(position / 64 for position in range(16))
"""An embedding. Real ones have a hundred times as many numbers, which prove no more."""

SECONDS_BETWEEN_EVENTS: Final = 0.005
"""Enough to see that a stream is one."""


def refuse(refusal: Refusal) -> Answer:
    """An error as OpenAI answers it."""
    error = {"message": refusal.message, "type": refusal.type, "param": refusal.param, "code": refusal.code}
    return json_answer({"error": error}, status=refusal.status)


def stream(events: Iterable[Json], *, named: bool = False) -> Answer:
    """
    Server-sent events.

    Args:
        events: One JSON object each.
        named: Name each event by its ``type``, as the Responses API does, instead of ending with ``[DONE]``.
    """

    def pieces() -> Iterator[bytes]:
        for each in events:
            name = f"event: {each['type']}\n" if named else ""
            yield f"{name}data: {json.dumps(each)}\n\n".encode()
            time.sleep(SECONDS_BETWEEN_EVENTS)
        if not named:
            yield b"data: [DONE]\n\n"

    return Answer(headers={"Content-Type": "text/event-stream; charset=utf-8"}, body=pieces())


def chat_completion(reply: Reply) -> Json:
    """A chat completion, of one choice."""
    message = {"role": "assistant", "content": reply.text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return _chat_head(reply, "chat.completion") | {"choices": [choice], "usage": _chat_usage(reply)}


def chat_chunks(reply: Reply, *, with_usage: bool) -> Iterator[Json]:
    """
    The chunks of a chat completion.

    Args:
        reply: What is said.
        with_usage: Whether the client asked for a last chunk with the usage. OpenRouter always sends one.
    """
    head = _chat_head(reply, "chat.completion.chunk")
    words: list[Json] = [{"content": word} for word in _words(reply.text)]
    deltas: list[Json] = [{"role": "assistant", "content": ""}, *words, {}]
    for number, delta in enumerate(deltas, start=1):
        finish_reason = "stop" if number == len(deltas) else None
        yield head | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}]}
    if with_usage or reply.served_by:
        yield head | {"choices": [], "usage": _chat_usage(reply)}


def response(reply: Reply) -> Json:
    """A whole answer of the Responses API."""
    return _response_head(reply) | _response_end(reply)


def response_events(reply: Reply) -> Iterator[Json]:
    """The events of an answer of the Responses API, those that a text needs."""
    head = _response_head(reply)
    item = _response_item(reply)
    place: Json = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    events: list[Json] = [
        {"type": "response.created", "response": head},
        {"type": "response.in_progress", "response": head},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": item | {"status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **place, "part": _response_part("")},
        *(
            {"type": "response.output_text.delta", **place, "delta": word, "logprobs": []}
            for word in _words(reply.text)
        ),
        {"type": "response.output_text.done", **place, "text": reply.text, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": _response_part(reply.text)},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": head | _response_end(reply) | {"output": [item]}},
    ]
    for number, event in enumerate(events):
        yield event | {"sequence_number": number}


def embeddings(reply: Reply, *, count: int, packed: bool) -> Json:
    """
    A list of embeddings.

    Args:
        reply: Whose usage is told.
        count: How many texts were given.
        packed: Whether the client asked for base64 instead of numbers.
    """
    vector = base64.b64encode(struct.pack(f"<{len(VECTOR)}f", *VECTOR)).decode() if packed else VECTOR
    made = [{"object": "embedding", "index": index, "embedding": vector} for index in range(count)]
    usage = {"prompt_tokens": reply.input_tokens, "total_tokens": reply.input_tokens}
    return {"object": "list", "data": made, "model": reply.model, "usage": usage}


def _words(text: str) -> list[str]:
    return [word + " " for word in text.split(" ")[:-1]] + text.split(" ")[-1:]


def _fresh_id(prefix: str) -> str:
    return prefix + secrets.token_hex(12)


def _chat_head(reply: Reply, kind: str) -> Json:
    now = int(time.time())
    if reply.served_by:
        return {
            "id": _fresh_id(f"gen-{now}-"),
            "provider": reply.served_by,
            "model": reply.model,
            "object": kind,
            "created": now,
        }
    return {
        "id": _fresh_id("chatcmpl-"),
        "object": kind,
        "created": now,
        "model": reply.model,
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
    }


def _chat_usage(reply: Reply) -> Json:
    usage: Json = {
        "prompt_tokens": reply.input_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": reply.input_tokens + reply.output_tokens,
        "prompt_tokens_details": {"cached_tokens": reply.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reply.reasoning_tokens, "audio_tokens": 0},
    }
    if reply.cost is None:
        return usage
    details = {"upstream_inference_cost": reply.upstream_cost}
    return usage | {"cost": reply.cost, "is_byok": reply.upstream_cost is not None, "cost_details": details}


def _response_head(reply: Reply) -> Json:
    return {
        "id": _fresh_id("resp_"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": reply.model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "user": None,
    }


def _response_end(reply: Reply) -> Json:
    usage = {
        "input_tokens": reply.input_tokens,
        "input_tokens_details": {"cached_tokens": reply.cached_tokens},
        "output_tokens": reply.output_tokens,
        "output_tokens_details": {"reasoning_tokens": reply.reasoning_tokens},
        "total_tokens": reply.input_tokens + reply.output_tokens,
    }
    return {"status": "completed", "output": [_response_item(reply)], "usage": usage}


def _response_item(reply: Reply) -> Json:
    content = [_response_part(reply.text)]
    return {
        "id": _fresh_id("msg_"),
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": content,
    }


def _response_part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
