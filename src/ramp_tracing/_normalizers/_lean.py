"""
Of an answer, the part that is no content and that its reader needs, where there is nothing unusual about it.

It is what an application waits for: taking it out costs a tenth of reading the answer, which the thread that sends does
later. It also goes to disk as it is, so it holds no text that could be content: names, ids, and a usage of numbers
alone. Whatever is unusual has no lean part, and is read at once.
"""

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
"""What is remembered of each part: a provider has one or two shapes, and each of its fingerprints makes one more."""

MAX_PART_BYTES: Final = 2_048
"""What is longer holds more than that (the prompt, after the usage), and would be remembered for nothing."""

Members = dict[str, Any]


def lean_chat(body: bytes) -> LeanAnswer | None:
    """The lean part of a chat completion, or of a text completion; `None` where something about it is unusual."""
    if b'"error"' in body:  # of the answer, or of one of its choices; or a text, which is read for nothing
        return None
    return _cut(body) or _picked(_members_of(body))


def _cut(body: bytes) -> LeanAnswer | None:
    """A chat completion without its choices, which are not parsed; `None` where it is not put together as usual."""
    start, end = body.find(b'"choices"'), body.rfind(b'"usage"')
    last = body[body.rfind(b'"finish_reason"', start, end) : end]
    # Where the last bracket does not end the choices, or not right before the usage, something stands in between.
    if not 0 < start < end or last.count(b"]") != 1 or not last.rstrip(BETWEEN_MEMBERS).endswith(b"]"):
        return None
    before, tail = body[:start], body[end:]
    try:
        brace, name, colon, response_id, head = before.split(b'"', 4)
    except ValueError:
        return None
    if (brace, name, colon) not in BEGINNINGS or ESCAPE in response_id:
        return None
    if not HEADS.are_plain(head) or not TAILS.are_plain(tail):
        return None
    lean = before + tail
    return response_id.decode(), lean.translate(None, LINE_ENDS) if LINE_END in lean else lean


BEGINNINGS: Final = frozenset({(b"{", b"id", b":"), (b"{", b"id", b": "), (b"{\n  ", b"id", b": ")})
"""How nearly all answers begin: as servers in Go, in Python, and OpenAI's put JSON together."""

ESCAPE: Final = b"\\"
LINE_END: Final = b"\n"
LINE_ENDS: Final = b"\r\n"
"""What stands between members; in a text it would be escaped."""


class Shapes:
    """
    What the parts of an answer around its content are.

    Nearly all of a provider are the same but for their digits. So of one with digits of its own it is known what it is,
    once another one has been parsed.

    Args:
        before: What makes a JSON object of a part, in front of it.
        behind: The same behind it. It is one only if all that is opened in the part is closed in it, and nothing else:
            then its members are those of the answer itself.
        names: Members that may be there, with names or numbers; any other one has to be null.
        needed: Members that have to be there.
    """

    def __init__(
        self, before: bytes, behind: bytes, names: frozenset[str], *, needed: frozenset[str] = frozenset()
    ) -> None:
        self._before = before
        self._behind = behind
        self._names = names
        self._needed = needed
        self._plain: dict[bytes, bool] = {}

    def are_plain(self, part: bytes) -> bool:
        """Whether there is nothing in *part* but names, and a usage of counts."""
        if len(part) > MAX_PART_BYTES:
            return False
        shape = part.translate(None, DIGITS)
        known = self._plain.get(shape)
        if known is None:
            if len(self._plain) >= MAX_SHAPES:
                self._plain.clear()
            known = self._plain[shape] = self._is_plain(part)
        return known

    def _is_plain(self, part: bytes) -> bool:
        members = _members_of(self._before + part.rstrip(BETWEEN_MEMBERS) + self._behind)
        if members is None or ESCAPE in part or not self._needed <= members.keys():
            return False
        return all(self._is_fine(name, value) for name, value in members.items())

    def _is_fine(self, name: str, value: object) -> bool:
        if name == "usage":
            return is_plain(value)
        return value is None or (name in self._names and type(value) in (str, int))


NAMES_AROUND: Final = frozenset({"object", "created", "service_tier", "system_fingerprint", "provider"})
HEADS: Final = Shapes(b'{"id":""', b"}", NAMES_AROUND | {"id", "model"})
TAILS: Final = Shapes(b"{", b"", NAMES_AROUND)


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
    if _are_usual(body):  # to parse it and put it together again takes three times as long
        return None, body if body.find(LINE_END) < 0 else body.translate(None, LINE_ENDS)
    return _picked(_members_of(body))


END_BYTES: Final = 2_048
"""How much there is at most before the vectors, and behind them."""

END_OF_VECTORS: Final = b"]"


def without_vectors(body: bytes) -> bytes | None:
    """
    Embeddings without their vectors, which nobody parses or keeps; `None` where they are not written as usual.

    As they came: a cost keeps every digit. Half a megabyte is not searched, only its two ends.
    """
    start, end = body.find(b'"data"', 0, END_BYTES), body.rfind(END_OF_VECTORS, -END_BYTES) + 1
    if not 0 < start < end:
        return None
    kept = body[:start] + body[end:].lstrip(BETWEEN_MEMBERS)
    return kept if _are_usual(kept) or _are_embeddings(kept) else None


def _are_usual(kept: bytes) -> bool:
    """Whether there is nothing but names and counts; an id would make a shape of its own of each answer."""
    return kept.find(RESPONSE_ID) < 0 and AROUND_VECTORS.are_plain(kept)  # `in` takes twice as long, for bytes


def _are_embeddings(kept: bytes) -> bool:
    """
    Whether this is an answer without its vectors, and nothing else that its reader needs was cut out with them.

    All that is opened in it is closed. Were it another list that ended last, what stood before that is gone as well.
    """
    members = _members_of(kept)
    return members is not None and AROUND_EMBEDDINGS <= members.keys()


RESPONSE_ID: Final = b'"id"'
AROUND_EMBEDDINGS: Final = frozenset({"model", "usage"})
AROUND_VECTORS: Final = Shapes(b"", b"", NAMES_AROUND | {"model"}, needed=AROUND_EMBEDDINGS)


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
