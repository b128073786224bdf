"""The lean part of what the Responses API answers."""

from collections.abc import Sequence
from typing import Final, NamedTuple, cast

import orjson

from ._lean import PARTS_AROUND_AN_ID, LeanAnswer, picked
from ._reading import dig
from ._shapes import BETWEEN_MEMBERS, DIGITS, ESCAPE, Members, Shapes, in_one_line, members_of

END_OF_LIST: Final = 8
"""A bracket, a comma and what indents the next member are no longer."""


def lean_response(body: bytes) -> LeanAnswer | None:
    """The lean part of a response that has come to its end; `None` where something about it is unusual."""
    start, end = body.find(b'"output"'), body.rfind(b'"parallel_tool_calls"')
    if not 0 < start < end or not body[max(start, end - END_OF_LIST) : end].rstrip(BETWEEN_MEMBERS).endswith(b"]"):
        return None
    parts = body[:start].split(b'"', 4)
    if len(parts) == PARTS_AROUND_AN_ID:
        response_id, parts[3] = parts[3], body[end:]
        cut = CUTS.of(parts)  # to parse it takes three times as long
        if cut is not None and ESCAPE not in response_id:
            return response_id.decode(), _cut(cut, response_id, parts)
    return _picked(members_of(body[:start].rstrip(BETWEEN_MEMBERS) + b"}"), members_of(b"{" + body[end:]))


def _picked(head: Members | None, tail: Members | None) -> LeanAnswer | None:
    """From what stands before the output, and behind it."""
    if head is None or tail is None:
        return None
    head.update(tail)
    said = head.get
    if said("status") != "completed" or said("background") is True or said("incomplete_details"):
        return None
    # Calls of hosted tools, which are billed one by one, are in the output: there are none without such tools.
    if "service_tier" not in head or not _are_functions(tail.get("tools")):
        return None
    return picked(head, status="completed")


def _are_functions(tools: object) -> bool:
    if not isinstance(tools, list):
        return False
    return all(dig(each, "type") == "function" for each in cast("list[object]", tools))


class Cut(NamedTuple):
    """How to cut the responses of one shape."""

    beginning: bytes
    """Of the lean part: what all of them say."""
    objects: int
    """The usage, and those in it: so many brackets close it."""


def _cut(cut: Cut, response_id: bytes, parts: Sequence[bytes]) -> bytes:
    """The lean part of a response, taken out of what stands before its output and behind it."""
    tail, head = parts[3], parts[4]
    model = head[head.rfind(b'"model"') :].split(b'"', 4)[3]
    usage = tail[tail.rfind(b'"usage"') :]
    behind = usage.split(b"}", cut.objects)[-1]
    lean = (cut.beginning, response_id, b'","model":"', model, b'",', usage[: len(usage) - len(behind)], b"}")
    return in_one_line(b"".join(lean))


def _examine(parts: Sequence[bytes]) -> Cut | None:
    """How responses like this one are cut; `None` where that gives something else than picking."""
    *beginning, tail, head = parts
    before = b'"'.join((*beginning, b"", head.rstrip(BETWEEN_MEMBERS))) + b"}"
    lean = _picked(members_of(before), members_of(b"{" + tail))
    if lean is None:
        return None
    if _without_digits(head).count(b'"model"') != 1 or _without_digits(tail).count(b'"usage"') != 1:
        return None  # in another of this shape it might be a word of the application's that is found
    members: Members = orjson.loads(lean[1])
    tier = {name: members[name] for name in ("service_tier",) if name in members}
    objects = 1 + sum(type(each) is dict for each in members["usage"].values())
    cut = Cut(orjson.dumps({"status": "completed", **tier})[:-1] + b',"id":"', objects)
    if _without_digits(cut.beginning) != cut.beginning:
        return None  # in another one they might be others
    try:
        return cut if orjson.loads(_cut(cut, b"", parts)) == members else None
    except (IndexError, ValueError):
        return None


def _without_digits(part: bytes) -> bytes:
    return part.translate(None, DIGITS)


CUTS: Final = Shapes(_examine)
