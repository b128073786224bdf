"""
Of an answer, the part that is no content and that its reader needs, where there is nothing unusual about it.

It is what an application waits for: taking it out costs a tenth of reading the answer, which the thread that sends does
later. It also goes to disk as it is, so it holds no text that could be content: names, ids, and a usage of numbers
alone. Whatever is unusual has no lean part, and is read at once.
"""

from collections.abc import Sequence
from typing import Final

import orjson

from ._hosted_tools import EXECUTED
from ._reading import as_items, dig
from ._shapes import (
    BETWEEN_MEMBERS,
    ESCAPE,
    LINE_END,
    NAMES_AROUND,
    Members,
    Shapes,
    are_plain,
    in_one_line,
    is_plain,
    members_of,
)

LeanAnswer = tuple[str | None, bytes]
"""The id of an answer; JSON of which a format's reader says what it says of the whole, but for output and ending."""

NAMES: Final = ("id", "model", "service_tier", "provider")
SIGNS_OF_AN_ERROR: Final = ("error", "detail", "message")

MAX_ENDING_BYTES: Final = 100
"""What stands behind the last finish reason is longer only where the message itself does, which has no shape."""


def lean_chat(body: bytes) -> LeanAnswer | None:
    """The lean part of a chat completion, or of a text completion; `None` where something about it is unusual."""
    # Of the answer, or of one of its choices; or a text, which is read for nothing. (`in` takes longer, for bytes.)
    if body.find(b'"error"') >= 0:
        return None
    cut = _cut(body)
    if cut is not None:
        return cut
    answer = members_of(body)
    if answer is not None and GROQ in answer and _ran_tools(answer):  # what Groq adds is nothing usual: it is not cut
        return None
    return picked(answer)


GROQ: Final = "x_groq"
"""What only Groq's answers have."""


def _ran_tools(answer: Members) -> bool:
    """Whether Groq ran tools for it, which are billed and are not in its usage."""
    return any(dig(each, "message", EXECUTED) is not None for each in as_items(dig(answer, "choices")))


def _cut(body: bytes) -> LeanAnswer | None:
    """A chat completion without its choices, which are not parsed; `None` where it is not put together as usual."""
    start, end = body.find(b'"choices"'), body.rfind(b'"usage"')
    before, tail = body[:start], body[end:]
    parts = before.split(b'"', 4)
    if not 0 < start < end or len(parts) < PARTS_AROUND_AN_ID:
        return None
    response_id = parts[3]
    last = body.rfind(b'"finish_reason"', start, end)
    if last < 0:  # nothing says where the choices end
        return None
    ending = body[last:end]
    if len(ending) > MAX_ENDING_BYTES:
        if not _ends_choices(ending):
            return None
        ending = b""
    parts[3] = ending
    parts.append(tail)
    if ESCAPE in response_id or CUTS.of(parts) is None:
        return None
    lean = before + tail
    return response_id.decode(), in_one_line(lean) if LINE_END in lean else lean


PARTS_AROUND_AN_ID: Final = 5
"""Of ``{"id":"…",…``, taken apart at its quotes."""


def _ends_choices(ending: bytes) -> bool:
    """Whether what is behind the last finish reason ends the choices, and nothing else stands before the usage."""
    return ending.count(b"]") == 1 and ending.rstrip(BETWEEN_MEMBERS).endswith(b"]")


BEGINNINGS: Final = ([b"{", b"id", b":"], [b"{", b"id", b": "], [b"{\n  ", b"id", b": "])
"""How nearly all answers begin: as servers in Go, in Python, and OpenAI's put JSON together."""

NAMES_BEFORE: Final = NAMES_AROUND | {"id", "model"}


def _examine(parts: Sequence[bytes]) -> bool | None:
    """
    Whether a completion is cut as usual: what is before and behind its id, the end of its choices, what is behind them.

    Of what is opened in a part all has to be closed in it, and nothing else: then its members are those of the answer.
    """
    *beginning, ending, head, tail = parts
    if any(ESCAPE in each for each in parts) or not (ending == b"" or _ends_choices(ending)):
        return None
    before, behind = members_of(b'{"id":""' + head.rstrip(BETWEEN_MEMBERS) + b"}"), members_of(b"{" + tail)
    is_usual = beginning in BEGINNINGS and are_plain(before, NAMES_BEFORE) and are_plain(behind, NAMES_AROUND)
    return True if is_usual else None


CUTS: Final = Shapes(_examine)


def picked(answer: Members | None, **more: str) -> LeanAnswer | None:
    """The lean part of an answer that has been parsed; `None` where something about it is unusual."""
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


def _is_fine(answer: Members) -> bool:
    """Whether there is no sign of an error, wherever anybody has put one."""
    for name in SIGNS_OF_AN_ERROR:
        if answer.get(name) is not None:
            return False
    return answer.get("object") != "error" and answer.get("type") != "error"
