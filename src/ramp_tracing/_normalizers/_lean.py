"""
Of an answer, the part that is no content and that its reader needs, where there is nothing unusual about it.

It is what an application waits for: taking it out costs a tenth of reading the answer, which the thread that sends does
later. It also goes to disk as it is, so it holds no text that could be content: names, ids, and a usage of numbers
alone. Whatever is unusual has no lean part, and is read at once.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import orjson

from ._reading import dig

LeanAnswer = tuple[str | None, bytes]
"""The id of an answer; JSON of which a format's reader says what it says of the whole, but for output and ending."""

NAMES: Final = ("id", "model", "service_tier", "provider")
SIGNS_OF_AN_ERROR: Final = ("error", "detail", "message")

BETWEEN_MEMBERS: Final = b", \t\r\n"
END_OF_LIST: Final = 8
"""A bracket, a comma and what indents the next member are no longer."""

DIGITS: Final = b"0123456789"

MAX_SHAPES: Final = 256
"""What is remembered of shapes: a provider has one or two, and each of its fingerprints makes one more."""

MAX_PART_BYTES: Final = 2_048
"""What is longer holds more than that (the prompt, after the usage), and would be remembered for nothing."""

MAX_ENDING_BYTES: Final = 100
"""What stands behind the last finish reason is longer only where the message itself does, which has no shape."""

Members = dict[str, Any]


def lean_chat(body: bytes) -> LeanAnswer | None:
    """The lean part of a chat completion, or of a text completion; `None` where something about it is unusual."""
    if b'"error"' in body:  # of the answer, or of one of its choices; or a text, which is read for nothing
        return None
    return _cut(body) or _picked(_members_of(body))


def _cut(body: bytes) -> LeanAnswer | None:
    """A chat completion without its choices, which are not parsed; `None` where it is not put together as usual."""
    start, end = body.find(b'"choices"'), body.rfind(b'"usage"')
    before, tail = body[:start], body[end:]
    parts = before.split(b'"', 4)
    if not 0 < start < end or len(parts) < AROUND_AN_ID:
        return None
    response_id = parts[3]
    ending = body[body.rfind(b'"finish_reason"', start, end) : end]
    if len(ending) > MAX_ENDING_BYTES:
        if not _ends_choices(ending):
            return None
        ending = b""
    parts[3] = ending
    parts.append(tail)
    if ESCAPE in response_id or not CUTS.are_plain(parts):
        return None
    lean = before + tail
    return response_id.decode(), lean.translate(None, LINE_ENDS) if LINE_END in lean else lean


def _ends_choices(ending: bytes) -> bool:
    """Whether what is behind the last finish reason ends the choices, and nothing else stands before the usage."""
    return ending.count(b"]") == 1 and ending.rstrip(BETWEEN_MEMBERS).endswith(b"]")


AROUND_AN_ID: Final = 5
BEGINNINGS: Final = ([b"{", b"id", b":"], [b"{", b"id", b": "], [b"{\n  ", b"id", b": "])
"""How nearly all answers begin: as servers in Go, in Python, and OpenAI's put JSON together."""

ESCAPE: Final = ord("\\")
LINE_END: Final = ord("\n")
LINE_ENDS: Final = b"\r\n"
"""What stands between members; in a text it would be escaped."""


class Shapes:
    """
    What the parts of an answer around its content are.

    Nearly all of a provider are the same but for their digits. So of one with digits of its own it is known what it is,
    once another one has been parsed.

    Args:
        are_plain: Whether there is nothing in the parts but names, and a usage of counts.
    """

    def __init__(self, are_plain: Callable[[Sequence[bytes]], bool]) -> None:
        self._are_plain = are_plain
        self._plain: dict[bytes, bool] = {}

    def are_plain(self, parts: Sequence[bytes]) -> bool:
        """What the function says of *parts*, or said of others like them."""
        shape = BETWEEN_PARTS.join(parts)
        if len(shape) > MAX_PART_BYTES:
            return False
        shape = shape.translate(None, DIGITS)
        known = self._plain.get(shape)
        if known is None:
            if len(self._plain) >= MAX_SHAPES:
                self._plain.clear()
            known = self._plain[shape] = self._are_plain(parts)
        return known


BETWEEN_PARTS: Final = b"\0"
"""No JSON has that in it."""


def _are_plain(parts: Sequence[bytes]) -> bool:
    """
    Of a chat completion: what is before and behind its id, the end of its choices, what is behind them.

    Of what is opened in a part all has to be closed in it, and nothing else: then its members are those of the answer.
    """
    *beginning, ending, head, tail = parts
    if any(ESCAPE in each or BETWEEN_PARTS in each for each in parts) or not (ending == b"" or _ends_choices(ending)):
        return False
    before, behind = _members_of(b'{"id":""' + head.rstrip(BETWEEN_MEMBERS) + b"}"), _members_of(b"{" + tail)
    return beginning in BEGINNINGS and _are_fine(before, NAMES_BEFORE) and _are_fine(behind, NAMES_AROUND)


def _are_fine(members: Members | None, names: frozenset[str]) -> bool:
    """Whether *members* have names or numbers for what may be there, a usage of counts, and are null else."""
    return members is not None and all(
        is_plain(value) if name == "usage" else value is None or (name in names and type(value) in (str, int))
        for name, value in members.items()
    )


NAMES_AROUND: Final = frozenset({"object", "created", "service_tier", "system_fingerprint", "provider"})
NAMES_BEFORE: Final = NAMES_AROUND | {"id", "model"}
CUTS: Final = Shapes(_are_plain)


def lean_response(body: bytes) -> LeanAnswer | None:
    """The lean part of a response that has come to its end; `None` where something about it is unusual."""
    start, end = body.find(b'"output"'), body.rfind(b'"parallel_tool_calls"')
    if not 0 < start < end or not body[max(start, end - END_OF_LIST) : end].rstrip(BETWEEN_MEMBERS).endswith(b"]"):
        return None
    head, tail = _members_of(body[:start].rstrip(BETWEEN_MEMBERS) + b"}"), _members_of(b"{" + body[end:])
    if head is None or tail is None:
        return None
    head.update(tail)
    said = head.get
    if said("status") != "completed" or said("background") is True or said("incomplete_details"):
        return None
    # Calls of hosted tools, which are billed one by one, are in the output: there are none without such tools.
    if "service_tier" not in head or not _are_functions(tail.get("tools")):
        return None
    return _picked(head, status="completed")


def _are_functions(tools: object) -> bool:
    if not isinstance(tools, list):
        return False
    return all(dig(each, "type") == "function" for each in cast("list[object]", tools))


def lean_embeddings(body: bytes) -> LeanAnswer | None:
    """The lean part of embeddings without their vectors; `None` where something about it is unusual."""
    return _picked(_members_of(body))


END_BYTES: Final = 2_048
"""How much there is at most before the vectors, and behind them."""


def without_vectors(body: bytes) -> bytes | None:
    """Embeddings without their vectors, which nobody parses or keeps; `None` where they are not written as usual."""
    last = max(0, len(body) - END_BYTES)
    start, model, usage = body.find(b'"data"', 0, END_BYTES), body.rfind(b'"model"', last), body.rfind(b'"usage"', last)
    end = min((each for each in (model, usage) if each > start), default=-1)
    if not 0 < start < end or not body[max(start, end - END_OF_LIST) : end].rstrip(BETWEEN_MEMBERS).endswith(b"]"):
        return None
    head, tail = _members_of(body[:start].rstrip(BETWEEN_MEMBERS) + b"}"), _members_of(b"{" + body[end:])
    # As it came: a cost keeps every digit.
    return None if head is None or tail is None else body[:start] + body[end:]


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
    return answer.get("object") != "error" and answer.get("type") != "error"


def _picked(answer: Members | None, **more: str) -> LeanAnswer | None:
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
            for part in cast("Members", each).values():
                if type(part) is not int and part is not None:
                    return False
        elif type(each) is not int and each is not None:
            return False
    return True
