"""
Content in the form of OpenTelemetry's GenAI conventions: messages made of parts.

It starts from JSON text that `_capture` has already bounded and cleaned, so nothing foreign is touched here. What has
no form of its own in the conventions is passed on as it is, as a part of a type that they do not know.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Final, cast

import orjson

from .._capture import clean_text

Fields = Mapping[str, object]
"""A JSON object."""


def input_messages(text: str) -> str:
    """
    The messages that were asked.

    Args:
        text: The request's content as JSON text: ``{"messages": […]}``, ``{"input": …}``, ``{"prompt": …}``.
    """
    return _text_of([_message(turn, "user") for turn in _turns(_value_of(text))])


def output_messages(text: str, finish_reasons: Sequence[str]) -> str:
    """
    The messages that were answered, one for each choice.

    Args:
        text: The answer's content as JSON text: ``{"completion": …, "reasoning": …, "toolCalls": […]}``, and further
            choices in the same form under ``choices``.
        finish_reasons: Why each choice ended.
    """
    answer = _value_of(text)
    answers = [answer, *_items(_fields(answer).get("choices"))]
    return _text_of([_answer(*pair) for pair in zip_longest(answers, finish_reasons[: len(answers)])])


def _answer(answer: object, finish_reason: str | None) -> Fields:
    message = {"role": "assistant", "parts": list(_answer_parts(answer))}
    return message if finish_reason is None else {**message, "finish_reason": clean_text(finish_reason)}


def _turns(asked: object) -> Iterator[object]:
    fields = _fields(asked)
    known = [key for key in TURN_KEYS if fields.get(key) is not None]
    if not known:
        yield asked
    for key in known:
        value = fields[key]
        for turn in _items(value) or [value]:
            yield {"role": TURN_KEYS[key], "content": turn} if isinstance(turn, str) else turn


def _message(turn: object, role: str) -> Fields:
    fields = _fields(turn)
    given = fields.get("role")
    part = PART_READERS.get(str(fields.get("type")))
    if given is None and (part is not None or "content" not in fields):
        return {"role": _role_of(fields) or role, "parts": [_part(turn)]}
    return {"role": given if isinstance(given, str) else role, "parts": list(_message_parts(fields))}


def _message_parts(message: Fields) -> Iterator[Fields]:
    answered = message.get("tool_call_id")
    if answered is not None:
        yield {"type": "tool_call_response", "id": answered, "response": message.get("content")}
        return
    yield from _content_parts(message.get("content"))
    yield from _calls(message.get("tool_calls") or message.get("function_call"))


def _answer_parts(answer: object) -> Iterator[Fields]:
    fields = _fields(answer)
    if not fields.keys() & ANSWER_KEYS:
        yield _part(answer)
        return
    if fields.get("reasoning") is not None:
        yield {"type": "reasoning", "content": fields["reasoning"]}
    yield from _content_parts(fields.get("completion"))
    yield from _calls(fields.get("toolCalls"))
    rest = {key: value for key, value in fields.items() if key not in ANSWER_KEYS and value}
    if rest:
        yield _generic(rest)


def _content_parts(content: object) -> Iterator[Fields]:
    if content is None or content == "":
        return
    for block in _items(content) or [content]:
        fields = _fields(block)
        if "content" in fields and "type" not in fields:  # a whole message, where it was recorded by hand
            yield from _message_parts(fields)
        else:
            yield _part(block)


def _calls(calls: object) -> Iterator[Fields]:
    """Tool calls; a function call of the old kind is one by itself."""
    for call in _items(calls) or [calls]:
        if isinstance(call, dict):
            yield _function_call(_fields(cast("object", call)))


def _part(block: object) -> Fields:
    if isinstance(block, str):
        return {"type": "text", "content": block}
    fields = _fields(block)
    return PART_READERS.get(str(fields.get("type")), _generic)(fields) if fields else _generic({"content": block})


def _text(block: Fields) -> Fields:
    return {"type": "text", "content": block.get("text")}


def _generic(fields: Fields) -> Fields:
    kind = fields.get("type")
    return {**fields, "type": kind if isinstance(kind, str) else "generic"}


def _function_call(call: Fields) -> Fields:
    """A tool call of chat completions (the function is nested) or of the Responses API (it is not)."""
    function = _fields(call.get("function")) or call
    identity = call.get("call_id") or call.get("id")
    return {
        "type": "tool_call",
        "id": identity,
        "name": function.get("name"),
        "arguments": _value_of(function.get("arguments")),
    }


def _function_result(block: Fields) -> Fields:
    return {"type": "tool_call_response", "id": block.get("call_id"), "response": block.get("output")}


def _tool_use(block: Fields) -> Fields:
    return {"type": "tool_call", "id": block.get("id"), "name": block.get("name"), "arguments": block.get("input")}


def _tool_result(block: Fields) -> Fields:
    return {"type": "tool_call_response", "id": block.get("tool_use_id"), "response": block.get("content")}


def _thinking(block: Fields) -> Fields:
    return {"type": "reasoning", "content": block.get("thinking")}


def _role_of(fields: Fields) -> str | None:
    """An item of the Responses API has a type instead of a role."""
    return ROLES.get(str(fields.get("type")))


def _fields(value: object) -> Fields:
    return cast("Fields", value) if isinstance(value, dict) else {}


def _items(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _value_of(text: object) -> object:
    """The value in a JSON text; a text that is none, because it was cut or never was, stands for itself."""
    if not isinstance(text, str):
        return text
    try:
        return orjson.loads(str(text))  # orjson refuses subclasses of str
    except orjson.JSONDecodeError:
        return text


def _text_of(messages: list[Fields]) -> str:
    return orjson.dumps(messages).decode()


TURN_KEYS: Final[Mapping[str, str]] = {"instructions": "system", "messages": "user", "input": "user", "prompt": "user"}
"""Where a request keeps what it asks → who says it, if it is bare text."""

ANSWER_KEYS: Final = frozenset({"choices", "completion", "reasoning", "toolCalls"})
"""What has a place of its own in a message; audio, images and the like become a part that says what there is."""

ROLES: Final[Mapping[str, str]] = {
    "function_call": "assistant",
    "reasoning": "assistant",
    "function_call_output": "tool",
}

PART_READERS: Final[Mapping[str, Callable[[Fields], Fields]]] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "function": _function_call,
    "function_call": _function_call,
    "function_call_output": _function_result,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "thinking": _thinking,
}
"""The type of a block of content → what it is in the conventions."""
