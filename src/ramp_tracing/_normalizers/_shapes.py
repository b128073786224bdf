"""
What is known of an answer by its shape.

Nearly all answers of a provider are the same but for their digits, their ids and their content. So of one with digits
of its own it is known what it is, once another one has been parsed.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar, cast

import orjson

Members = dict[str, Any]
Found = TypeVar("Found")

DIGITS: Final = b"0123456789"

MAX_SHAPES: Final = 256
"""What is remembered of shapes: a provider has one or two, and each of its fingerprints makes one more."""

MAX_SHAPE_BYTES: Final = 2_048
"""What is longer holds more than that (the prompt, after the usage), and would be remembered for nothing."""

BETWEEN_PARTS: Final = b"\0"
"""No JSON has that in it."""

BETWEEN_MEMBERS: Final = b", \t\r\n"
ESCAPE: Final = ord("\\")
LINE_END: Final = ord("\n")
LINE_ENDS: Final = b"\r\n"
"""What stands between members; in a text it would be escaped."""

UNSEEN: Final = object()

NAMES_AROUND: Final = frozenset({"object", "created", "service_tier", "system_fingerprint", "provider"})


class Shapes(Generic[Found]):
    """
    What answers are, by the parts of them that are no content.

    Args:
        examine: Parses the parts, and says what is to be known of all that differ from them in their digits alone;
            `None` if they are nothing usual.
    """

    def __init__(self, examine: Callable[[Sequence[bytes]], Found | None]) -> None:
        self._examine = examine
        self._found: dict[bytes, Any] = {}
        self._seen: dict[bytes, None] = {}

    def of(self, parts: Sequence[bytes]) -> Found | None:
        """What was found of *parts*, or of others like them; `None` the first time that any of them is seen."""
        shape = BETWEEN_PARTS.join(parts)
        if len(shape) > MAX_SHAPE_BYTES:
            return None
        shape = shape.translate(None, DIGITS)
        known = self._found.get(shape, UNSEEN)
        if known is not UNSEEN:
            found: Found | None = known
            return found
        if shape not in self._seen:  # some never come again, and to examine them costs as much as to parse them
            _put(self._seen, shape, None)
            return None
        can_be_told_apart = not any(BETWEEN_PARTS in each for each in parts)
        found = self._examine(parts) if can_be_told_apart else None
        _put(self._found, shape, found)
        return found


def _put(shapes: dict[bytes, Found], shape: bytes, found: Found) -> None:
    if len(shapes) >= MAX_SHAPES:
        shapes.clear()
    shapes[shape] = found


def members_of(body: bytes) -> Members | None:
    """The members of a JSON object; `None` of anything else."""
    try:
        members = orjson.loads(body)
    except ValueError:
        return None
    return cast("Members", members) if type(members) is dict else None


def are_plain(members: Members | None, names: frozenset[str]) -> bool:
    """Whether *members* have names or numbers for what may be there, a usage of counts, and are null else."""
    return members is not None and all(
        is_plain(value) if name == "usage" else value is None or (name in names and type(value) in (str, int))
        for name, value in members.items()
    )


MAX_LEVELS: Final = 3
"""Counts, their details, and the details of those: ``input_tokens_details.cache_write_tokens_details``."""


def is_plain(usage: object, levels: int = MAX_LEVELS) -> bool:
    """Whether a usage, and the details in it, are counts alone."""
    if type(usage) is not dict or not levels:
        return False
    for each in cast("Members", usage).values():
        if type(each) is dict:
            if not is_plain(each, levels - 1):  # pyright: ignore[reportUnknownArgumentType]
                return False
        elif type(each) is not int and each is not None:
            return False
    return True


def in_one_line(lean: bytes) -> bytes:
    """JSON without the ends of its lines."""
    return lean.translate(None, LINE_ENDS) if LINE_END in lean else lean
