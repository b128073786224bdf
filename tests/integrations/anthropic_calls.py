"""The anthropic client in both colours, and what Anthropic's API answers, as documented."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from ramp_tracing._loopback import Answer, Request, json_answer

from .colours import QUICK, Async, Sync
from .provider import Script, in_turn, stream
from .scenarios import Scenario

anthropic: Any = pytest.importorskip("anthropic")

DEFAULTS: Mapping[str, Any] = {"api_key": "sk-ant-test", "max_retries": 0}
AWS: Mapping[str, Any] = {"aws_access_key": "test", "aws_secret_key": "test", "aws_region": "us-east-1"}
GOOGLE: Mapping[str, Any] = {"access_token": "test", "project_id": "test", "region": "us-east5"}


class SyncAnthropic(Sync):
    """Anthropic's clients in place of OpenAI's."""

    def client(self, base_url: str, **options: Any) -> Any:
        return self.made("Anthropic", **{**DEFAULTS, "base_url": base_url, **options})

    def made(self, kind: str, **options: Any) -> Any:
        """A client of another kind (``AnthropicBedrock``…), closed with the colour."""
        quick = {"http_client": anthropic.DefaultHttpxClient(**QUICK), "max_retries": 0}
        return self.kept(getattr(anthropic, kind)(**{**quick, **options}))


class AsyncAnthropic(Async):
    """The same, asynchronous."""

    def client(self, base_url: str, **options: Any) -> Any:
        return self.made("Anthropic", **{**DEFAULTS, "base_url": base_url, **options})

    def made(self, kind: str, **options: Any) -> Any:
        quick = {"http_client": anthropic.DefaultAsyncHttpxClient(**QUICK), "max_retries": 0}
        return self.kept(getattr(anthropic, f"Async{kind}")(**{**quick, **options}))


both = pytest.mark.parametrize("colour", [SyncAnthropic, AsyncAnthropic], indirect=True, ids=["sync", "async"])
"""Runs a test with the sync client, then with the async one."""

MODEL = "claude-opus-4-8"
ASK: Mapping[str, Any] = {
    "model": MODEL,
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello?"}],
}

USAGE: Mapping[str, Any] = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 3,
    "cache_read_input_tokens": 2,
    "output_tokens": 5,
    "service_tier": "standard",
}


def message(*blocks: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """A message as the API documents it."""
    return {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": list(blocks) or [{"type": "text", "text": "Hello there."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": dict(USAGE),
        **fields,
    }


def events_of(*blocks: tuple[Mapping[str, Any], list[Mapping[str, Any]]], **last: Any) -> list[dict[str, Any]]:
    """A streamed message: each block as it begins, and its pieces."""
    begun = message(stop_reason=None, usage={**USAGE, "output_tokens": 1}, content=[])
    events: list[dict[str, Any]] = [{"type": "message_start", "message": begun}, {"type": "ping"}]
    for index, (start, pieces) in enumerate(blocks or [TEXT]):
        events.append({"type": "content_block_start", "index": index, "content_block": dict(start)})
        events += [{"type": "content_block_delta", "index": index, "delta": dict(each)} for each in pieces]
        events.append({"type": "content_block_stop", "index": index})
    ending = {"delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 5}, **last}
    return [*events, {"type": "message_delta", **ending}, {"type": "message_stop"}]


def text_pieces(*texts: str) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    return {"type": "text", "text": ""}, [{"type": "text_delta", "text": each} for each in texts]


TEXT = text_pieces("Hello", " there", ".")
EVENTS = events_of()
SEEN = [each for each in EVENTS if each["type"] != "ping"]
"""What a loop sees of a stream."""

ERROR_EVENT: Mapping[str, Any] = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def messages_like_anthropic(request: Request) -> Answer:
    body: Any = request.json
    return stream(EVENTS, named=True, done=False) if body.get("stream") else json_answer(message())


def error(status: int, kind: str, **headers: str) -> Answer:
    said = {"type": "error", "error": {"type": kind, "message": "No."}, "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy"}
    return json_answer(said, status=status, headers={"request-id": "req_011CSHoEeqs5C35K2UUqR7Fy", **headers})


answering = partial(in_turn, "/messages")


SCRIPTS: Mapping[str, Script] = {
    "/messages": messages_like_anthropic,
    "/messages/count_tokens": json_answer({"input_tokens": 10}),
}


def scenario(call: Callable[[Any, Any], Any], *records: Mapping[str, Any], **more: Any) -> Scenario:
    """A scenario against Anthropic's API."""
    return Scenario(**{"call": call, "records": records or (MESSAGE,), "answers": lambda: SCRIPTS, **more})


MESSAGE: Mapping[str, Any] = {
    "operation": "chat",
    "asked": MODEL,
    "answered": MODEL,
    "response_id": "msg_01XFDUDYJgAACzvnptvVoYEL",
    "finish": ("end_turn",),
    "tokens": (15, 5, None),
    "streamed": False,
    "failure": None,
    "status": None,
}
"""A message that went well; the input counts what was read from the cache and written to it."""

STREAMED: Mapping[str, Any] = {**MESSAGE, "streamed": True}
UNANSWERED: Mapping[str, Any] = {
    **MESSAGE,
    "answered": None,
    "response_id": None,
    "finish": (),
    "tokens": (None, None, None),
}
ABANDONED: Mapping[str, Any] = {**STREAMED, "finish": (), "tokens": (15, None, None), "failure": "abandoned"}
"""The input was billed; how much had been answered by then nobody said."""

UNREAD: Mapping[str, Any] = {**UNANSWERED, "streamed": True, "failure": "abandoned"}
"""A stream of which nothing was read."""
