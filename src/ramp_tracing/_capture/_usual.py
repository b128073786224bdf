"""
Content as it nearly always is, in a third of the time: plain dictionaries, lists, texts and numbers.

`Walk` says what may leave. This reads what needs none of its care to the same end, and leaves everything else to it.
"""

import math
from typing import Any, Final

import orjson

from ._binary import MIN_RUN, MIN_URI, without_files
from ._media import MARKED
from ._text import MAX_NAME_CHARACTERS
from ._walk import MAX_DEPTH, MAX_INTEGER, MAX_ITEMS


class UnusualError(Exception):
    """Something is to be looked at with care."""


def usual_json(value: object, max_bytes: int) -> bytes | None:
    """
    *value* as JSON, with notes in the places of files.

    Args:
        value: Anything.
        max_bytes: Of the JSON; what is longer has to be cut.

    Returns:
        `None` if it is unusual, or too long.
    """
    try:
        encoded = orjson.dumps(_Reading(max_bytes).read(value, 0))
    except (UnusualError, TypeError):  # half a surrogate pair
        return None
    return encoded if len(encoded) <= max_bytes else None


class _Reading:
    """
    One reading of one value, of which it makes a copy: another thread may be changing it.

    Args:
        max_characters: Of the texts, files included. More must be cut before they are encoded.
    """

    __slots__ = ("_left", "_room")

    def __init__(self, max_characters: int) -> None:
        self._left = MAX_ITEMS
        self._room = max_characters

    def read(self, value: Any, depth: int) -> object:
        kind = type(value)  # pyright: ignore[reportUnknownVariableType] - exact types only: no code of a subclass runs
        if kind is dict:
            return self._members(value, depth)
        if kind is str:
            return value if len(value) < MIN_URI else self._text(value)
        if kind is list:
            return self._items(value, depth)
        if kind is int and -MAX_INTEGER <= value < MAX_INTEGER:
            return value
        if value is None or value is True or value is False or (kind is float and math.isfinite(value)):
            return value
        raise UnusualError

    def _items(self, container: list[Any], depth: int) -> object:
        """What nearly all that is nested is an item of: messages and their parts."""
        self._left -= len(container)
        if depth >= MAX_DEPTH or self._left < 0:  # a container that is inside itself ends here, too
            raise UnusualError
        items = container.copy()
        for place, item in enumerate(items):
            kind = type(item)  # pyright: ignore[reportUnknownVariableType]
            items[place] = self._members(item, depth + 1) if kind is dict else self.read(item, depth + 1)
        return items

    def _members(self, container: dict[Any, Any], depth: int) -> object:
        self._left -= len(container)
        if depth >= MAX_DEPTH or self._left < 0:
            raise UnusualError
        members = container.copy()
        for name, item in members.items():
            kind = type(item)  # pyright: ignore[reportUnknownVariableType]
            is_text = kind is str
            if type(name) is not str or (name not in NAMES and not _is_fine(name, is_text)):
                raise UnusualError
            if not is_text:
                if item is not None:
                    members[name] = self._items(item, depth + 1) if kind is list else self.read(item, depth + 1)
            elif (length := len(item)) >= MIN_URI:
                if length < MIN_RUN and item[0] != "d" and ";" not in item:  # no file can be in there
                    self._room -= length
                else:
                    members[name] = self._text(item)
        if self._room < 0:
            raise UnusualError
        return members

    def _text(self, text: str) -> str:
        self._room -= len(text)
        if self._room < 0:
            raise UnusualError
        return without_files(text)


NAMES: Final = frozenset({
    "messages", "role", "content", "type", "text", "input", "completion", "reasoning", "toolCalls", "name", "id",
    "tool_call_id", "function", "arguments", "status", "output",
})  # fmt: skip
"""What members are nearly always called: nothing is to be found out about these."""


def _is_fine(name: str, is_text: bool) -> bool:
    """Whether a member of this name needs no care."""
    return len(name) <= MAX_NAME_CHARACTERS and name.isascii() and not (is_text and name in MARKED)
