"""What a scenario says of its records, and what the application got, in comparable form."""

from collections.abc import Mapping
from typing import Any

from ramp_tracing._record import Generation

CHAT: Mapping[str, Any] = {
    "operation": "chat",
    "asked": "gpt-4o",
    "answered": "gpt-4o-2024-08-06",
    "response_id": "chatcmpl-B1xYq0sW7gkT2",
    "finish": ("stop",),
    "tokens": (10, 5, 15),
    "streamed": False,
    "failure": None,
    "status": None,
}
"""A chat completion that went well."""

UNKNOWN = (None, None, None)
"""Tokens that nobody reported."""

STREAMED: Mapping[str, Any] = {**CHAT, "streamed": True}
UNANSWERED: Mapping[str, Any] = {
    **CHAT,
    "answered": None,
    "response_id": None,
    "finish": (),
    "tokens": UNKNOWN,
}
ABANDONED: Mapping[str, Any] = {**STREAMED, "finish": (), "tokens": UNKNOWN, "failure": "abandoned"}


def facts_of(generation: Generation) -> dict[str, Any]:
    """The facts that every scenario states."""
    failure, usage = generation.failure, generation.usage
    return {
        "operation": generation.operation,
        "asked": generation.request_model,
        "answered": generation.response_model,
        "response_id": generation.response_id,
        "finish": generation.finish_reasons,
        "tokens": (usage.input_tokens, usage.output_tokens, usage.total_tokens),
        "streamed": generation.streamed,
        "failure": None if failure is None else failure.type,
        "status": None if failure is None else failure.status_code,
    }


def seen_by_user(result: Any) -> Any:
    """Type and value of whatever a call gave."""
    if isinstance(result, BaseException):
        return type(result), str(result)
    if isinstance(result, type):
        return result
    if isinstance(result, (list, tuple)):
        return type(result), [seen_by_user(each) for each in result]
    if hasattr(result, "to_json"):
        return type(result), result.to_json(warnings=False)
    if hasattr(result, "http_response"):
        return type(result), result.http_response.status_code
    return type(result), result if isinstance(result, (str, bytes, int, float, dict, type(None))) else None
