"""
Of an answer, the part that is no content and that its reader needs, where there is nothing unusual about it.

It is what an application waits for: taking it out costs a tenth of reading the answer, which the thread that sends does
later. It also goes to disk as it is, so it holds no text that could be content: names, ids, and a usage of numbers
alone. Whatever is unusual has no lean part, and is read at once.
"""

from typing import Any, Final, cast

import orjson

Lean = tuple[str | None, bytes]
"""The id of an answer; JSON of which a format's reader says what it says of the whole, but for output and ending."""

NAMES: Final = ("id", "model", "service_tier", "provider")
SIGNS_OF_AN_ERROR: Final = ("error", "detail", "message")

BETWEEN_MEMBERS: Final = b", \t\r\n"
DIGITS: Final = b"0123456789"

MAX_TAILS: Final = 256
"""Kinds of tails that are remembered: a provider has one or two, and each of its fingerprints makes one more."""

Members = dict[str, Any]


def lean_chat(body: bytes) -> Lean | None:
    """The lean part of a chat completion, or of a text completion; `None` where something about it is unusual."""
    start, end = body.find(b'"choices"'), body.rfind(b'"usage"')
    if not 0 < start < end:
        return None
    tail = body[end:]
    head = _members_of(body[:start].rstrip(BETWEEN_MEMBERS) + b"}")
    if head is None or "id" not in head or b"]" not in body[end - 4 : end] or not TAILS.are_plain(tail):
        return _picked(_members_of(body))
    if not _is_fine(head):
        return None
    response_id, model = head["id"], head.get("model")
    if type(response_id) is not str or type(model) is not str:
        return None
    return response_id, b"".join((orjson.dumps({"id": response_id, "model": model})[:-1], b",", tail))


class Tails:
    """
    What stands behind the content of a chat completion: its usage, and some names.

    Nearly all tails of a provider are the same but for their digits. So of a tail with digits of its own it is known
    what it is, once another one has been parsed.
    """

    def __init__(self) -> None:
        self._plain: dict[bytes, bool] = {}

    def are_plain(self, tail: bytes) -> bool:
        """
        Whether there is nothing but a usage of counts, and names; and whether it belongs to the answer itself.

        Args:
            tail: From the name of the usage to the end. It is an object without its first brace only if all that is
                opened behind that is closed again.
        """
        shape = tail.translate(None, DIGITS)
        known = self._plain.get(shape)
        if known is None:
            if len(self._plain) >= MAX_TAILS:
                self._plain.clear()
            known = self._plain[shape] = b"\n" not in tail and _is_plain_tail(_members_of(b"{" + tail))
        return known


TAILS: Final = Tails()

NAMES_BEHIND: Final = frozenset({"service_tier", "system_fingerprint", "provider", "object", "created"})


def _is_plain_tail(members: Members | None) -> bool:
    if members is None or not is_plain(members.pop("usage")):
        return False
    return all(value is None or (name in NAMES_BEHIND and type(value) in (str, int)) for name, value in members.items())


def lean_response(body: bytes) -> Lean | None:
    """The lean part of a response that has come to its end; `None` where something about it is unusual."""
    start, end = body.find(b'"output"'), body.rfind(b'"parallel_tool_calls"')
    if not 0 < start < end or b"]" not in body[end - 8 : end]:
        return None
    head, tail = _members_of(body[:start].rstrip(BETWEEN_MEMBERS) + b"}"), _members_of(b"{" + body[end:])
    if head is None or tail is None:
        return None
    head.update(tail)
    said = head.get
    # Calls of hosted tools, which are billed one by one, are in the output: there are none without tools.
    if said("status") != "completed" or said("background") is True or said("incomplete_details") or said("tools"):
        return None
    return _picked(head, status="completed")


def _members_of(body: bytes) -> Members | None:
    """The members of a JSON object; `None` of anything else."""
    try:
        members = orjson.loads(body)
    except ValueError:
        return None
    return cast("Members", members) if type(members) is dict else None


def _is_fine(answer: Members) -> bool:
    """Whether there is no sign of an error, wherever anybody has put one."""
    for name in SIGNS_OF_AN_ERROR:
        if answer.get(name) is not None:
            return False
    return answer.get("object") != "error"


def _picked(answer: Members | None, **more: str) -> Lean | None:
    """The lean part of an answer that has been parsed."""
    if answer is None or not _is_fine(answer) or not is_plain(answer.get("usage")):
        return None
    lean: Members = {**more, "usage": answer["usage"]}
    for name in NAMES:
        text = answer.get(name)
        if type(text) is str:
            lean[name] = text
        elif text is not None:
            return None
    try:
        return lean.get("id"), orjson.dumps(lean)
    except TypeError:  # a count of more than 64 bits
        return None


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
