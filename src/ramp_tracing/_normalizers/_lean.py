"""
Of an answer, the part that is no content and that its reader needs, where there is nothing unusual about it.

It is what an application waits for: taking it out costs 5,000 instructions on its thread, reading it 60,000, which the
thread that sends does later. It also goes to disk as it is, so it holds no text that could be content: names, ids, and
a usage of numbers alone. Whatever is unusual has no lean part, and is read at once.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

import orjson

TEXTS: Final = frozenset({str, type(None)})
NAMES: Final = ("id", "model", "service_tier", "provider")
SIGNS_OF_AN_ERROR: Final = frozenset({"detail", "message"})
NOTHING: Final = object()

MAX_CHOICES: Final = 8
"""More are rare, and their reasons would not fit in a line."""

Members = dict[str, Any]


def lean_chat(body: bytes) -> Mapping[str, object] | None:
    """The lean part of a chat completion, or of a text completion; `None` where something about it is unusual."""
    answer = _members(body)
    if answer is None:
        return None
    said = answer.get
    usage, choices = said("usage"), said("choices")
    if type(choices) is not list or not 0 < len(choices) <= MAX_CHOICES or not is_plain(usage):
        return None
    ends: list[object] = []
    for each in choices:
        reason = each.get("finish_reason") if type(each) is dict else NOTHING
        if type(reason) not in TEXTS or each.get("error") is not None or each.get("native_finish_reason") is not None:
            return None
        ends.append({"finish_reason": reason})
    return _lean(answer, choices=ends, usage=usage)


ORDINARY_ITEMS: Final = frozenset({"message", "reasoning", "function_call", "custom_tool_call"})
"""Output items that cost their tokens and nothing else: https://platform.openai.com/docs/pricing#built-in-tools"""


def lean_response(body: bytes) -> Mapping[str, object] | None:
    """The lean part of a response that has come to its end; `None` where something about it is unusual."""
    answer = _members(body)
    if answer is None:
        return None
    said = answer.get
    usage, output = said("usage"), said("output")
    if said("status") != "completed" or said("background") is True or said("incomplete_details") is not None:
        return None
    if type(output) is not list or not is_plain(usage):
        return None
    for each in output:
        if type(each) is not dict or each.get("type") not in ORDINARY_ITEMS:
            return None
    return _lean(answer, status="completed", usage=usage)


def _members(body: bytes) -> Members | None:
    """An answer without a sign of an error, wherever anybody has put one; `None` if it is something else."""
    try:
        answer = orjson.loads(body)
    except ValueError:
        return None
    if type(answer) is not dict or answer.get("error") is not None:
        return None
    return answer if SIGNS_OF_AN_ERROR.isdisjoint(answer) and answer.get("object") != "error" else None


def _lean(answer: Members, **parts: object) -> Mapping[str, object] | None:
    for name in NAMES:
        text = answer.get(name)
        if type(text) is str:
            parts[name] = text
        elif text is not None:
            return None
    return parts


def is_plain(usage: object) -> bool:
    """Whether a usage, and the details in it, are counts alone."""
    if type(usage) is not dict:
        return False
    for each in cast("Members", usage).values():
        if type(each) is dict:
            for part in each.values():
                if type(part) is not int and part is not None:
                    return False
        elif type(each) is not int and each is not None:
            return False
    return True
