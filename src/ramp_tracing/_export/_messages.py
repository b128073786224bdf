"""
Content in the form of OpenTelemetry's GenAI conventions: messages made of parts.

It starts from JSON text that `_capture` has already bounded and cleaned, so nothing foreign is touched here. The forms:
https://github.com/open-telemetry/semantic-conventions-genai, ``model/gen-ai/gen-ai-input-messages.json`` and
``gen-ai-output-messages.json``. Instructions that a request gives apart from its messages stand before these with the
role ``system``: a record does not tell which of the two they were.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Final, cast

import orjson

from .._capture import clean_text
from ._parts import (
    ANSWERING,
    ASKING,
    HOSTED_CALLS,
    Fields,
    fields_of,
    function_call_part,
    items_of,
    part_of,
    reads,
    response_part,
    value_of,
)


def input_messages(text: str) -> str:
    """
    The messages that were asked.

    Args:
        text: The request's content as JSON text: ``{"messages": […]}``, ``{"input": …}``, ``{"prompt": …}``.
    """
    return _text_of([_message(turn, "user") for turn in _turns(value_of(text))])


def output_messages(text: str, finish_reasons: Sequence[str]) -> str:
    """
    The messages that were answered, one for each choice.

    Args:
        text: The answer's content as JSON text: ``{"completion": …, "reasoning": …, "toolCalls": […]}``, and further
            choices in the same form under ``choices``.
        finish_reasons: Why each choice ended.
    """
    answer = value_of(text)
    answers = [answer, *items_of(fields_of(answer).get("choices"))]
    return _text_of([_answer(*pair) for pair in zip_longest(answers, finish_reasons[: len(answers)])])


def _answer(answer: object, finish_reason: str | None) -> Fields:
    reason = UNKNOWN if finish_reason is None else clean_text(finish_reason)
    return {"role": "assistant", "parts": list(_answer_parts(answer)), "finish_reason": reason}


def _turns(asked: object) -> Iterator[object]:
    fields = fields_of(asked)
    known = [key for key in TURN_KEYS if fields.get(key) is not None]
    if not known:
        yield asked
    for key in known:
        value = fields[key]
        for turn in items_of(value) or [value]:
            yield {"role": TURN_KEYS[key], "content": turn} if isinstance(turn, str) else turn


def _message(turn: object, role: str) -> Fields:
    fields = fields_of(turn)
    given = fields.get("role")
    if given is None and (reads(fields) or "content" not in fields):
        return {"role": _role_of(fields) or role, "parts": [part_of(turn)]}
    return {"role": given if isinstance(given, str) else role, "parts": list(_message_parts(fields))}


def _message_parts(message: Fields) -> Iterator[Fields]:
    answered = message.get("tool_call_id")
    if answered is not None:
        yield response_part(answered, message.get("content"))
        return
    thought = message.get("reasoning") or message.get("reasoning_content")
    if isinstance(thought, str) and thought:
        yield part_of({"type": "thinking", "thinking": thought})
    yield from _content_parts(message.get("content") or message.get("refusal"))
    yield from _calls(message.get("tool_calls") or message.get("function_call"))


def _answer_parts(answer: object) -> Iterator[Fields]:
    fields = fields_of(answer)
    if not fields.keys() & ANSWER_KEYS:
        yield part_of(answer)
        return
    if fields.get("reasoning") is not None:
        yield part_of({"type": "thinking", "thinking": fields["reasoning"]})
    yield from _content_parts(fields.get("completion"))
    yield from _content_parts(fields.get("content"))
    yield from _calls(fields.get("toolCalls"))
    rest = {key: value for key, value in fields.items() if key not in ANSWER_KEYS and value}
    if rest:
        yield {**rest, "type": "generic"}


def _content_parts(content: object) -> Iterator[Fields]:
    if content is None or content == "":
        return
    for block in items_of(content) or [content]:
        fields = fields_of(block)
        if "content" in fields and "type" not in fields:  # a whole message, where it was recorded by hand
            yield from _message_parts(fields)
        else:
            yield part_of(block)


def _calls(calls: object) -> Iterator[Fields]:
    """Tool calls; a function call of the old kind is one by itself."""
    for call in items_of(calls) or [calls]:
        if isinstance(call, dict):
            yield function_call_part(fields_of(cast("object", call)))


def _role_of(fields: Fields) -> str | None:
    """An item of the Responses API has a type instead of a role."""
    return ROLES.get(str(fields.get("type")))


def _text_of(messages: list[Fields]) -> str:
    return orjson.dumps(messages).decode()


UNKNOWN: Final = "unknown"
"""The conventions wanted a reason in every message until they took it out; a backend may drop messages without one."""

TURN_KEYS: Final[Mapping[str, str]] = {"instructions": "system", "messages": "user", "input": "user", "prompt": "user"}
"""Where a request keeps what it asks → who says it, if it is bare text."""

ANSWER_KEYS: Final = frozenset({"choices", "completion", "content", "reasoning", "toolCalls"})
"""What has a place of its own in a message; audio, images and the like become a part that says what there is."""

ROLES: Final[Mapping[str, str]] = {
    "reasoning": "assistant",
    **dict.fromkeys(ASKING, "assistant"),
    **dict.fromkeys(ANSWERING, "tool"),
    **dict.fromkeys(HOSTED_CALLS, "assistant"),
}
