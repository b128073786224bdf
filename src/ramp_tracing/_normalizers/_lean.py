"""
Of an answer, the part that is no content and that its reader needs, where there is nothing unusual about it.

It is what an application waits for: taking it out costs 5,000 instructions on its thread, reading it 60,000, which the
thread that sends does later. It also goes to disk as it is, so it holds no text that could be content: names, ids, and
a usage of numbers alone. Whatever is unusual has no lean part, and is read at once.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

TEXTS: Final = frozenset({str, type(None)})
COUNTS: Final = frozenset({int, type(None)})
MEMBERS_OF_USAGE: Final = COUNTS | {dict}

MAX_CHOICES: Final = 8
"""More are rare, and their reasons would not fit in a line."""

NAMES: Final = ("id", "model", "service_tier", "provider")

Members = dict[str, Any]


def lean_chat(answer: object) -> Mapping[str, object] | None:
    """The lean part of a chat completion, or of a text completion; `None` where something about it is unusual."""
    if type(answer) is not dict:
        return None
    said = cast("Members", answer).get
    usage, choices = said("usage"), said("choices")
    if type(choices) is not list or not choices or not is_plain(usage) or not _is_fine(said):
        return None
    ends = [_end(each) for each in cast("list[object]", choices[:MAX_CHOICES])]
    if None in ends or len(choices) > MAX_CHOICES:
        return None
    lean = {
        "id": said("id"),
        "model": said("model"),
        "service_tier": said("service_tier"),
        "provider": said("provider"),
    }
    if not TEXTS.issuperset(map(type, lean.values())):
        return None
    lean["choices"], lean["usage"] = ends, usage
    return lean


def _end(choice: object) -> Mapping[str, object] | None:
    if type(choice) is not dict:
        return None
    said = cast("Members", choice).get
    reason = said("finish_reason")
    unusual = type(reason) not in TEXTS or said("error") is not None or said("native_finish_reason") is not None
    return None if unusual else {"finish_reason": reason}


ORDINARY_ITEMS: Final = frozenset({"message", "reasoning", "function_call", "custom_tool_call"})
"""Output items that cost their tokens and nothing else: https://platform.openai.com/docs/pricing#built-in-tools"""


def lean_response(answer: object) -> Mapping[str, object] | None:
    """The lean part of a response that has come to its end; `None` where something about it is unusual."""
    if type(answer) is not dict:
        return None
    said = cast("Members", answer).get
    usage, output = said("usage"), said("output")
    if said("status") != "completed" or said("background") is True or type(output) is not list:
        return None
    if said("incomplete_details") is not None or not is_plain(usage) or not _is_fine(said):
        return None
    if not ORDINARY_ITEMS.issuperset([type(each) is dict and each.get("type") for each in output]):
        return None
    lean = {
        "id": said("id"),
        "model": said("model"),
        "service_tier": said("service_tier"),
        "provider": said("provider"),
    }
    if not TEXTS.issuperset(map(type, lean.values())):
        return None
    lean["status"], lean["usage"] = "completed", usage
    return lean


def _is_fine(said: Any) -> bool:
    """Whether there is no sign of an error, wherever anybody has put one."""
    signs = said("error") is None and said("detail") is None and said("message") is None
    return signs and said("object") != "error" and said("type") != "error"


def is_plain(usage: object) -> bool:
    """Whether a usage, and the details in it, are counts alone."""
    if type(usage) is not dict:
        return False
    members = cast("Members", usage).values()
    if not MEMBERS_OF_USAGE.issuperset(map(type, members)):
        return False
    return all(type(each) is not dict or COUNTS.issuperset(map(type, each.values())) for each in members)
