"""A model provider that is spoken to over websockets, and what its Realtime and Responses APIs say there."""

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from websockets.sync.server import ServerConnection, serve

HANG_UP: Mapping[str, Any] = {"type": "hang up"}
"""In a script: the connection breaks here."""

Events = Sequence[Mapping[str, Any]]


class SocketProvider:
    """
    A server that answers each ``response.create`` with the next part of its script.

    Args:
        parts: The events of each part.
        greeting: What it says first.
    """

    def __init__(self, *parts: Events, greeting: Events = ()) -> None:
        self._parts = [*parts]
        self._greeting = greeting
        self.received: list[Any] = []
        self._server = serve(self._serve, "127.0.0.1", 0)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "SocketProvider":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._thread.join(60)

    @property
    def port(self) -> int:
        port: int = self._server.socket.getsockname()[1]
        return port

    @property
    def addresses(self) -> dict[str, Any]:
        """What a client takes; the beta of Realtime expects TLS where it is not told otherwise."""
        place = f"127.0.0.1:{self.port}/v1"
        return {"base_url": f"http://{place}", "websocket_base_url": f"ws://{place}"}

    def _run(self) -> None:
        with suppress(OSError):  # it ends before this thread has come to serve
            self._server.serve_forever()

    def _serve(self, connection: ServerConnection) -> None:
        self._play(connection, self._greeting)
        for message in connection:
            self.received.append(json.loads(message))
            if self.received[-1]["type"] == "response.create":
                self._play(connection, self._parts.pop(0))

    def _play(self, connection: ServerConnection, events: Events) -> None:
        for number, event in enumerate(events):
            if event is HANG_UP:
                connection.close(1011, "the server has had enough")
                return
            connection.send(json.dumps({"event_id": f"event_{number}", "sequence_number": number, **event}))


SOUND = "UklGRiQAAABXQVZFZm10IBAAAAABAAEA"
"""Audio, in base64."""

REALTIME_USAGE: Mapping[str, Any] = {
    "total_tokens": 253,
    "input_tokens": 132,
    "output_tokens": 121,
    "input_token_details": {
        "text_tokens": 119,
        "audio_tokens": 13,
        "image_tokens": 0,
        "cached_tokens": 64,
        "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 0, "image_tokens": 0},
    },
    "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
}
SESSION: Mapping[str, Any] = {
    "type": "session.created",
    "session": {
        "type": "realtime",
        "object": "realtime.session",
        "id": "sess_CdQ2h9ZxvT7mK4bN1wYpE",
        "model": "gpt-realtime-2025-08-28",
        "output_modalities": ["audio"],
        "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}},
    },
}
BETA_SESSION: Mapping[str, Any] = {
    "type": "session.created",
    "session": {
        "id": "sess_CdQ2h9ZxvT7mK4bN1wYpE",
        "model": "gpt-realtime-2025-08-28",
        "input_audio_transcription": {"model": "whisper-1"},
    },
}


def realtime_id(number: int) -> str:
    return f"resp_CdQ2iA7bN1wYpEZxvT{number:04d}"


def realtime_response(number: int, status: str = "in_progress", **fields: Any) -> dict[str, Any]:
    """A response as the Realtime API documents it; it does not name its model."""
    said = {
        "id": f"item_CdQ2iB8cM2xZqF{number:04d}",
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_audio", "transcript": "Hello there."}],
    }
    return {
        "object": "realtime.response",
        "id": realtime_id(number),
        "status": status,
        "status_details": None,
        "output": [] if status == "in_progress" else [said],
        "conversation_id": "conv_CdQ2h0YwuS6lJ3aM",
        "output_modalities": ["audio"],
        "max_output_tokens": "inf",
        "usage": None if status == "in_progress" else dict(REALTIME_USAGE),
        "metadata": None,
        **fields,
    }


def realtime_begun(number: int) -> list[dict[str, Any]]:
    """The events of a response until some of it has been said."""
    place = {"item_id": f"item_CdQ2iB8cM2xZqF{number:04d}", "output_index": 0, "content_index": 0}
    place["response_id"] = realtime_id(number)
    return [
        {"type": "response.created", "response": realtime_response(number)},
        {"type": "rate_limits.updated", "rate_limits": []},
        {"type": "response.output_audio_transcript.delta", **place, "delta": "Hello"},
        {"type": "response.output_audio.delta", **place, "delta": SOUND},
    ]


def realtime_ended(number: int, status: str = "completed", **fields: Any) -> list[dict[str, Any]]:
    return [{"type": "response.done", "response": realtime_response(number, status, **fields)}]


def transcribed(number: int, usage: Mapping[str, Any]) -> dict[str, Any]:
    """The end of a transcription of what was heard."""
    return {
        "type": "conversation.item.input_audio_transcription.completed",
        "item_id": f"item_CdQ2jC9dL3yArG{number:04d}",
        "content_index": 0,
        "transcript": "A secret that was said aloud.",
        "usage": dict(usage),
    }


RESPONSES_USAGE: Mapping[str, Any] = {
    "input_tokens": 132,
    "input_tokens_details": {"cached_tokens": 64},
    "output_tokens": 121,
    "output_tokens_details": {"reasoning_tokens": 20},
    "total_tokens": 253,
}


def response_id(number: int) -> str:
    return f"resp_68af4030592c81938ec0a5fb{number:08d}"


def response(number: int, status: str = "in_progress", **fields: Any) -> dict[str, Any]:
    """A response as the Responses API documents it."""
    message = {
        "type": "message",
        "id": f"msg_68af403200e88193{number:08d}",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "Hello there.", "annotations": []}],
    }
    return {
        "id": response_id(number),
        "object": "response",
        "created_at": 1767225600,
        "status": status,
        "background": False,
        "model": "gpt-5.4-mini-2026-03-05",
        "output": [] if status == "in_progress" else [message],
        "usage": None if status == "in_progress" else dict(RESPONSES_USAGE),
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


def responses_begun(number: int, **lane: Any) -> list[dict[str, Any]]:
    """The events of a response until some of it has been said; its pieces do not say which response they are of."""
    place = {"item_id": f"msg_68af403200e88193{number:08d}", "output_index": 0, "content_index": 0, **lane}
    return [
        {"type": "response.created", "response": response(number), **lane},
        {"type": "response.in_progress", "response": response(number), **lane},
        {"type": "response.output_text.delta", **place, "delta": "Hello", "logprobs": []},
    ]


def responses_ended(number: int, status: str = "completed", *, lane: Any = None, **fields: Any) -> list[dict[str, Any]]:
    return [{"type": f"response.{status}", "response": response(number, status, **fields), **(lane or {})}]
