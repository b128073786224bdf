"""A model provider on loopback: its usage and cost follow from the marker in the first message."""

from typing import Any
from uuid import uuid4

from ramp_tracing._loopback import Answer, Request, json_answer
from tests.integrations.provider import Provider, completion

from .ledger import cost_of, input_tokens_of


def answer_call(request: Request) -> Answer:
    """A chat completion that was charged for as the marker says."""
    body: Any = request.json
    name = body["messages"][0]["content"]
    tokens = input_tokens_of(name)
    usage = {"prompt_tokens": tokens, "completion_tokens": 7, "total_tokens": tokens + 7, "cost": float(cost_of(name))}
    return json_answer(completion(id=f"chatcmpl-{uuid4().hex}", usage=usage))


def model_server() -> Provider:
    """The server, for a ``with`` block."""
    return Provider(answer_call)
