"""
Of an answer, the part that is no content and that its reader needs, where there is nothing unusual about it.

It is what an application waits for: taking it out costs 15,000 instructions on its thread, reading the answer 90,000,
which the thread that sends does later. It also goes to disk as it is, so it holds no text that could be content: names,
ids, and a usage of numbers alone. Whatever is unusual has no lean part, and is read at once.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

import orjson

NAMES: Final = ("id", "model", "service_tier", "provider")
SIGNS_OF_AN_ERROR: Final = frozenset({"detail", "message"})

BETWEEN_MEMBERS: Final = b", \t\r\n"

Members = dict[str, Any]


def lean_chat(body: bytes) -> Mapping[str, object] | None:
    """The lean part of a chat completion, or of a text completion; `None` where something about it is unusual."""
    answer = _around(body, b'"choices"', b'"usage"')
    return None if answer is None or not _is_fine(answer) else _lean(answer)


def lean_response(body: bytes) -> Mapping[str, object] | None:
    """The lean part of a response that has come to its end; `None` where something about it is unusual."""
    answer = _around(body, b'"output"', b'"parallel_tool_calls"')
    if answer is None or not _is_fine(answer):
        return None
    said = answer.get
    # Calls of hosted tools, which are billed one by one, are in the output: there are none without tools.
    if said("status") != "completed" or said("background") is True or said("incomplete_details") or said("tools"):
        return None
    lean = _lean(answer)
    return None if lean is None else {**lean, "status": "completed"}


def _around(body: bytes, content: bytes, behind: bytes) -> Members | None:
    """
    The members of an answer before its content and those behind that, which is not parsed.

    Args:
        body: A JSON object.
        content: The name of its content, an array, in quotes.
        behind: The name of the member behind that, likewise.

    Returns:
        `None` where the two are not members of the answer itself, one behind the other: cut anywhere else, it does not
        fall into two objects.
    """
    start, end = body.find(content), body.rfind(behind)
    if not 0 <= start < end or not body[end - 10 : end].rstrip(BETWEEN_MEMBERS).endswith(b"]"):
        return None
    try:
        members = orjson.loads(body[:start].rstrip(BETWEEN_MEMBERS) + b"}")
        members.update(orjson.loads(b"{" + body[end:]))
    except ValueError:
        return None
    return cast("Members", members)


def _is_fine(answer: Members) -> bool:
    """Whether there is no sign of an error, wherever anybody has put one."""
    return answer.get("error") is None and SIGNS_OF_AN_ERROR.isdisjoint(answer) and answer.get("object") != "error"


def _lean(answer: Members) -> Members | None:
    usage = answer.get("usage")
    if not is_plain(usage):
        return None
    lean: Members = {"usage": usage}
    for name in NAMES:
        text = answer.get(name)
        if type(text) is str:
            lean[name] = text
        elif text is not None:
            return None
    return lean


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
