"""What OpenAI's endpoints answer, as documented; every one reports 10 tokens in and 5 out where it reports any."""

import re
from collections.abc import Mapping
from typing import Any

from ramp_tracing._loopback import Answer, Request, json_answer

from .provider import Script, chat_like_openai, completion, stream

RESPONSES_USAGE: Mapping[str, Any] = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 15,
}
RESPONSE_ID = "resp_68af4030592c81938ec0a5fbab4a3e9f"


def response(status: str = "completed", **fields: Any) -> dict[str, Any]:
    """A response as the Responses API documents it; usage is null while it is unfinished."""
    message = {
        "type": "message",
        "id": "msg_68af403200e88193",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "Hello there.", "annotations": []}],
    }
    ended = status not in ("queued", "in_progress")
    return {
        "id": RESPONSE_ID,
        "object": "response",
        "created_at": 1767225600,
        "status": status,
        "background": False,
        "model": "gpt-4o-2024-08-06",
        "output": [message] if ended else [],
        "usage": dict(RESPONSES_USAGE) if ended else None,
        "service_tier": "default",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        **fields,
    }


def response_events(**fields: Any) -> list[dict[str, Any]]:
    """A streamed response."""
    place = {"item_id": "msg_68af403200e88193", "output_index": 0, "content_index": 0}
    item = response(**fields)["output"][0]
    part = item["content"][0]
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response("in_progress", **fields)},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
        {"type": "response.content_part.added", **place, "part": {**part, "text": ""}},
        {"type": "response.output_text.delta", **place, "delta": "Hello", "logprobs": []},
        {"type": "response.output_text.delta", **place, "delta": " there.", "logprobs": []},
        {"type": "response.output_text.done", **place, "text": "Hello there.", "logprobs": []},
        {"type": "response.content_part.done", **place, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response(**fields)},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def responses_like_openai(request: Request) -> Answer:
    body: Any = request.json
    return stream(response_events(), named=True, done=False) if body.get("stream") else json_answer(response())


TEXT_COMPLETION: Mapping[str, Any] = {
    "id": "cmpl-C2kd83jQ0wP1xTq",
    "object": "text_completion",
    "created": 1767225600,
    "model": "gpt-3.5-turbo-instruct",
    "choices": [{"index": 0, "text": "Hello there.", "finish_reason": "stop", "logprobs": None}],
}


def completions_like_openai(request: Request) -> Answer:
    body: Any = request.json
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    if not body.get("stream"):
        return json_answer({**TEXT_COMPLETION, "usage": usage})
    asked = (body.get("stream_options") or {}).get("include_usage")
    null = {"usage": None} if asked else {}
    pieces = [("Hello", None), (" there.", None), ("", "stop")]
    chunks: list[Any] = [
        {**TEXT_COMPLETION, **null, "choices": [{"index": 0, "text": text, "finish_reason": finish, "logprobs": None}]}
        for text, finish in pieces
    ]
    return stream([*chunks, *([{**TEXT_COMPLETION, "choices": [], "usage": usage}] if asked else [])])


IMAGE_USAGE: Mapping[str, Any] = {
    "input_tokens": 10,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 0},
    "output_tokens": 100,
    "total_tokens": 110,
}
IMAGES: Mapping[str, Any] = {
    "created": 1767225600,
    "background": "opaque",
    "data": [{"b64_json": "aGVsbG8="}],
    "output_format": "png",
    "quality": "high",
    "size": "1024x1024",
    "usage": dict(IMAGE_USAGE),
}


def images_like_openai(request: Request) -> Answer:
    """Edits are multipart, so the body is searched."""
    wants_stream = re.search(rb'"stream": ?true|name="stream"\r\n\r\ntrue', request.body)
    if not wants_stream:
        return json_answer(IMAGES)
    kind = "image_edit" if request.path.endswith("edits") else "image_generation"
    shared = {"b64_json": "aGVsbG8=", "created_at": 1767225600, "size": "1024x1024", "quality": "high"}
    shared |= {"background": "opaque", "output_format": "png"}
    return stream(
        [
            {"type": f"{kind}.partial_image", **shared, "partial_image_index": 0},
            {"type": f"{kind}.completed", **shared, "usage": dict(IMAGE_USAGE)},
        ],
        named=True,
        done=False,
    )


def transcriptions_like_openai(request: Request) -> Answer:
    if b'name="stream"\r\n\r\ntrue' in request.body:
        usage = {"type": "tokens", "input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
        usage["input_token_details"] = {"text_tokens": 0, "audio_tokens": 10}
        return stream(
            [
                {"type": "transcript.text.delta", "delta": "Hello"},
                {"type": "transcript.text.done", "text": "Hello there.", "usage": usage},
            ],
            done=False,
        )
    found = re.search(rb'name="response_format"\r\n\r\n(\w+)', request.body)
    kind = found[1] if found else b"json"
    return TRANSCRIPTS[kind]


TRANSCRIPTS: Mapping[bytes, Answer] = {
    b"text": Answer(headers={"Content-Type": "text/plain; charset=utf-8"}, body=b"Hello there.\n"),
    b"verbose_json": json_answer(
        {
            "task": "transcribe",
            "language": "english",
            "duration": 3.5,
            "text": "Hello there.",
            "segments": [],
            "usage": {"type": "duration", "seconds": 4},
        }
    ),
    b"json": json_answer(
        {
            "text": "Hello there.",
            "usage": {
                "type": "tokens",
                "input_tokens": 10,
                "input_token_details": {"text_tokens": 0, "audio_tokens": 10},
                "output_tokens": 5,
                "total_tokens": 15,
            },
        }
    ),
}

EMBEDDINGS: Mapping[str, Any] = {
    "object": "list",
    "model": "text-embedding-3-small",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.25, -0.5]}],
    "usage": {"prompt_tokens": 10, "total_tokens": 10},
}
MODERATION: Mapping[str, Any] = {
    "id": "modr-AB8CjOTu2jiq12hp1AQPfeqF",
    "model": "omni-moderation-2024-09-26",
    "results": [{"flagged": False, "categories": {}, "category_scores": {}}],
}
COMPACTED: Mapping[str, Any] = {
    "id": RESPONSE_ID,
    "object": "response.compaction",
    "created_at": 1767225600,
    "output": [],
    "usage": dict(RESPONSES_USAGE),
}
DECISION: Mapping[str, Any] = {
    "id": "dec_68af4030592c81938ec0a5fb",
    "object": "decision",
    "created_at": 1767225600,
    "model": "gpt-6-luna",
    "answers": [],
    "usage": dict(RESPONSES_USAGE),
}
FILE: Mapping[str, Any] = {
    "id": "file-abc123",
    "object": "file",
    "bytes": 5,
    "created_at": 1767225600,
    "filename": "a.jsonl",
    "purpose": "batch",
    "status": "processed",
}
MODELS: Mapping[str, Any] = {
    "object": "list",
    "data": [{"id": "gpt-4o", "object": "model", "created": 1767225600, "owned_by": "system"}],
}
MP3 = Answer(headers={"Content-Type": "audio/mpeg"}, body=b"\xff\xf3\x00not quite a song")

ENDPOINTS: Mapping[str, Script] = {
    "/chat/completions": chat_like_openai,
    "/chat/completions/chatcmpl-stored": json_answer(completion(id="chatcmpl-stored")),
    "/completions": completions_like_openai,
    "/responses/compact": json_answer(COMPACTED),
    "/responses": responses_like_openai,
    "/embeddings": json_answer(EMBEDDINGS),
    "/images/generations": images_like_openai,
    "/images/edits": images_like_openai,
    "/images/variations": json_answer({"created": 1767225600, "data": [{"url": "https://images.test/1.png"}]}),
    "/audio/speech": MP3,
    "/audio/transcriptions": transcriptions_like_openai,
    "/audio/translations": transcriptions_like_openai,
    "/moderations": json_answer(MODERATION),
    "/decisions": json_answer(DECISION),
    "/models": json_answer(MODELS),
    "/files": json_answer(FILE),
    "/novelties": json_answer({"id": "nov_68af4030592c", "usage": {"input_tokens": 10, "output_tokens": 5}}),
    "/settings": json_answer({"id": "set_68af4030592c", "ok": True}),
}
"""Path, by its end → answer."""
