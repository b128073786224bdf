"""From a foreign value to a tree of plain dictionaries, lists and scalars that may leave the process."""

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timezone
from decimal import Decimal
from itertools import islice
from operator import length_hint
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson

from ._binary import without_files
from ._media import member_text
from ._models import fields_of_model
from ._text import MAX_NAME_CHARACTERS, class_note, clean_text, integer_text, shortened, size_note

Item = TypeVar("Item")

Pairs = list[tuple[Any, Any]]
"""Names and values."""

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
"""What `Walk.read` returns."""

MAX_DEPTH: Final = 24
"""A JSON schema within a tool within a request is about 15 deep; deeper than this is a structure without an end."""

MAX_ITEMS: Final = 10_000
"""Some 10 ms of work: the longest conversations have a thousand messages, and a model's vector 3,072 numbers."""

MAX_TRIES: Final = 20
"""One in a thousand reads of a dictionary that is being changed all the time has to be tried again."""

MAX_INTEGER: Final = 2**63
"""OTLP and most databases hold signed integers of 64 bits."""

_exact_text: Any = vars(str)["__str__"]
_items_of_list: Any = vars(list)["__iter__"]
_items_of_tuple: Any = vars(tuple)["__iter__"]
_items_of_dict: Any = vars(dict)["items"]
_length_of_dict: Any = vars(dict)["__len__"]
"""The built-in classes' own methods: what a subclass puts in their place is code of the application."""


class Walk:
    """
    One walk over one value; it does not change what it reads, and reads each container in one go.

    Attributes:
        characters: How many characters of text the result holds, roughly.
    """

    __slots__ = ("_left", "_open", "characters")

    def __init__(self) -> None:
        self._left = MAX_ITEMS
        self._open: set[int] = set()
        self.characters = 0

    def read(self, value: object, parent: str = "", depth: int = 0) -> Plain:
        """
        What of *value* may leave.

        Args:
            value: Anything.
            parent: The name of the member that it is in, or in a list of.
            depth: How many containers it is in.
        """
        reader = READERS.get(id(type(value)))  # by id: a metaclass can define how its classes hash
        if reader is None:
            kind = type(value)
            reader = next((reader for base, reader in FAMILIES if issubclass(kind, base)), Walk.read_unknown)
        return reader(self, value, parent, depth)

    def read_text(self, value: Any, _parent: str, _depth: int) -> Plain:
        """A text without the files in it."""
        return self._counted(without_files(_exact_text(value)))

    def read_list(self, value: Any, parent: str, depth: int) -> Plain:
        """A list, or a subclass of it."""
        return self._items(value, _items_of_list(value), parent, depth)

    def read_tuple(self, value: Any, parent: str, depth: int) -> Plain:
        """A tuple, named or not."""
        return self._items(value, _items_of_tuple(value), parent, depth)

    def read_dict(self, value: Any, parent: str, depth: int) -> Plain:
        """A dictionary, or a subclass of it."""
        pairs = _first_pairs(value, self._left)
        return self._members(value, pairs, _length_of_dict(value) - self._left, parent=parent, depth=depth)

    def read_unknown(self, value: object, parent: str, depth: int) -> Plain:
        """The fields of a client library's model; of anything else the name of its class."""
        fields = fields_of_model(value)
        if fields is None:
            return class_note(value)
        pairs = fields[: self._left]
        return self._members(value, pairs, len(fields) - self._left, parent=parent, depth=depth)

    def _items(self, value: object, items: Iterator[Any], parent: str, depth: int) -> Plain:
        if not self._enter(value, depth):
            return class_note(value)
        plain = [self.read(item, parent, depth + 1) for item in self._admitted(items)]
        if left_out := length_hint(items):
            plain.append(f"[+{left_out} items]")
        self._open.discard(id(value))
        return plain

    def _members(self, value: object, pairs: Pairs, left_out: int, *, parent: str, depth: int) -> Plain:
        if not self._enter(value, depth):
            return class_note(value)
        self._left -= len(pairs)
        members: dict[str, object] = {
            name if type(name) is str and len(name) <= MAX_NAME_CHARACTERS and name.isascii() else _named(name): item
            for name, item in pairs
        }
        plain: dict[str, Plain] = {}
        for name, item in members.items():
            if issubclass(type(item), str):
                plain[name] = self._counted(member_text(name, _exact_text(item), members, parent))
            else:
                plain[name] = self.read(item, name, depth + 1)
        if left_out > 0:
            plain["[cut]"] = f"[+{left_out} items]"
        self._open.discard(id(value))
        return plain

    def _enter(self, value: object, depth: int) -> bool:
        """Whether a container is read: it is not too deep, and not inside itself."""
        if depth >= MAX_DEPTH or id(value) in self._open:
            return False
        self._open.add(id(value))
        return True

    def _admitted(self, items: Iterator[Item]) -> list[Item]:
        """As many of *items* as the walk has room for, in one go: another thread may be changing their container."""
        admitted = list(islice(items, self._left))
        self._left -= len(admitted)
        return admitted

    def _counted(self, text: str) -> str:
        self.characters += len(text)
        return text


def _first_pairs(value: object, count: int) -> Pairs:
    """
    What a dictionary holds, in one go: another thread may be changing it.

    That thread can still get its turn between the steps that this line takes, and the iterator then raises. Copying
    takes one step, but runs the code of a subclass.
    """
    for _ in range(MAX_TRIES):
        try:
            return list(islice(_items_of_dict(value), count))
        except RuntimeError:
            continue
    return []


def _named(name: object) -> str:
    """Any other key as text. JSON would not take it, so it is rare; of two that read the same the last one stays."""
    plain = Walk().read(name, "", MAX_DEPTH)
    text = clean_text(plain) if isinstance(plain, str) else orjson.dumps(plain).decode()
    return shortened(text, MAX_NAME_CHARACTERS)


def _integer(_walk: Walk, value: Any, _parent: str, _depth: int) -> Plain:
    number = int.__int__(value)
    return number if -MAX_INTEGER <= number < MAX_INTEGER else integer_text(number)


def _float(_walk: Walk, value: Any, _parent: str, _depth: int) -> Plain:
    number = float.__float__(value)
    return number if math.isfinite(number) else NOT_FINITE[str(number)]


def _decimal(walk: Walk, value: Any, parent: str, depth: int) -> Plain:
    """As a number, like any other: whoever wants all of its digits writes it as text."""
    if Decimal.is_snan(value):
        return "NaN"
    return _float(walk, Decimal.__float__(value), parent, depth)


def _instant(_walk: Walk, value: Any, _parent: str, _depth: int) -> Plain:
    """A date or a time, unless its time zone is a class of the application's, whose code would run."""
    zone = None if type(value) is date else value.tzinfo
    return class_note(value) if zone is not None and type(zone) is not timezone else value.isoformat()


def _octets(_walk: Walk, value: Any, _parent: str, _depth: int) -> Plain:
    count = bytes.__len__(value) if issubclass(type(value), bytes) else bytearray.__len__(value)
    return size_note("bytes", count)


Reader = Callable[[Walk, Any, str, int], Plain]

NOT_FINITE: Final[Mapping[str, str]] = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}

_FAMILIES: Final[Mapping[type, Reader]] = {
    str: Walk.read_text,
    dict: Walk.read_dict,
    list: Walk.read_list,
    tuple: Walk.read_tuple,
    bool: lambda _walk, value, _parent, _depth: value,
    type(None): lambda _walk, value, _parent, _depth: value,
    int: _integer,
    float: _float,
    Decimal: _decimal,
    bytes: _octets,
    bytearray: _octets,
}
_EXACT: Final[Mapping[type, Reader]] = {
    UUID: lambda _walk, value, _parent, _depth: str(value),
    date: _instant,
    datetime: _instant,
    time: _instant,
}
"""Read as text only where the class is exactly this one: a subclass can do anything when it is written down."""

FAMILIES: Final[tuple[tuple[type, Reader], ...]] = tuple(_FAMILIES.items())
READERS: Final[Mapping[int, Reader]] = {id(kind): reader for kind, reader in (*_FAMILIES.items(), *_EXACT.items())}
