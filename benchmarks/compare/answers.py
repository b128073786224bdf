"""What the model provider answers: bodies after the documentation of OpenAI's API."""

import json
from array import array
from base64 import b64encode
from typing import Any, Final

MODEL: Final = "gpt-4o-mini-2024-07-18"
CREATED: Final = 1_760_000_000
SENTENCE: Final = "The invoice of March lists four services, of which two were ordered by the support team. "
TEXT: Final = SENTENCE * 6
VECTORS: Final = 64
VECTORS_COUNTED: Final = 42
"""Whose numbers, which a call frees all at once, are fewer than the C library keeps: `instructions.STEADY`."""
DIMENSIONS: Final = 1_536

CHAT_USAGE: Final = {
    "prompt_tokens": 212,
    "completion_tokens": 118,
    "total_tokens": 330,
    "prompt_tokens_details": {"cached_tokens": 128, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}

CHAT: Final = {
    "id": "chatcmpl-%s",
    "object": "chat.completion",
    "created": CREATED,
    "model": MODEL,
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": TEXT, "refusal": None, "annotations": []},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": CHAT_USAGE,
    "service_tier": "default",
    "system_fingerprint": "fp_bench",
}

RESPONSE: Final = {
    "id": "resp_%s",
    "object": "response",
    "created_at": CREATED,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "max_output_tokens": None,
    "model": MODEL,
    "output": [
        {
            "type": "message",
            "id": "msg_bench",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": TEXT, "annotations": [], "logprobs": []}],
        }
    ],
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
    "usage": {
        "input_tokens": 212,
        "input_tokens_details": {"cached_tokens": 128},
        "output_tokens": 118,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 330,
    },
    "metadata": {},
}


def vector(number: int) -> str:
    """A vector as the client asks for it: 32-bit floats in base64."""
    numbers = array("f", (((number * DIMENSIONS + each) % 9_973 - 4_986) / 65_536 for each in range(DIMENSIONS)))
    return b64encode(numbers.tobytes()).decode()


def embeddings_of(vectors: int) -> dict[str, object]:
    """As many embeddings."""
    return {
        "object": "list",
        "model": "text-embedding-3-small",
        "data": [{"object": "embedding", "index": number, "embedding": vector(number)} for number in range(vectors)],
        "usage": {"prompt_tokens": 640, "total_tokens": 640},
    }


MODELS: Final = {
    "object": "list",
    "data": [
        {"id": f"gpt-bench-{number}", "object": "model", "created": CREATED, "owned_by": "openai"}
        for number in range(20)
    ],
}


def chunk(delta: dict[str, object], **also: object) -> bytes:
    """One server-sent event of a chat stream."""
    body: dict[str, object] = {
        "id": "chatcmpl-%s",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": MODEL,
        "service_tier": "default",
        "system_fingerprint": "fp_bench",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}],
        "usage": None,
        **also,
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def chat_stream(chunks: int) -> list[bytes]:
    """*chunks* events: the role, the words, why it ended, and the usage."""
    words = SENTENCE.split()
    spoken = [chunk({"content": words[number % len(words)] + " "}) for number in range(chunks - 3)]
    ending: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}]}
    return [
        chunk({"role": "assistant", "content": ""}),
        *spoken,
        chunk({}, **ending),
        chunk({}, choices=[], usage=CHAT_USAGE),
        b"data: [DONE]\n\n",
    ]
