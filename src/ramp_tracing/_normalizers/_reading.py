"""Reading foreign values: mappings and objects alike, without trusting any of them."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast

from .._record import UnixNanos

Path = tuple[str, ...]
"""Names to follow from an answer to a value: ``("usage", "prompt_tokens")``."""

MAX_COUNT: Final = 2**63 - 1
"""What an OTLP integer can hold."""

MAX_AMOUNT: Final = 10**20
"""The largest price that Ramp can hold, in the smallest unit that anybody counts in (xAI's ticks)."""


NOTHING, MOST = Decimal(0), Decimal(MAX_AMOUNT)
"""To compare an amount with whole numbers makes amounts of them first, each time."""

MISSING: Final = object()


def dig(value: Any, *path: str) -> object:
    """Follow *path* through mappings and attributes; `None` where it ends early."""
    for name in path:
        kind = type(value)  # pyright: ignore[reportUnknownVariableType] - by name, because then it needs no `cast`, a call
        # By far the most frequent; the check for others is ten times as dear.
        value = value.get(name) if kind is dict else getter_of(value)(name)
        if value is None:
            return None
    return value


def with_members(value: Any) -> object:
    """
    A model of a client library's as a mapping of its fields: asking it for one that it lacks runs code of pydantic's.

    Anything else is returned as it is.
    """
    kind = type(value)  # pyright: ignore[reportUnknownVariableType]
    if value is None or kind is dict:
        return value
    extra: Any = getattr(value, "__pydantic_extra__", MISSING)
    if extra is MISSING:
        return value
    fields: Any = getattr(value, "__dict__", None)
    kind = type(fields)  # pyright: ignore[reportUnknownVariableType]
    if kind is not dict:
        return value
    return {**fields, **extra} if extra else fields


class Attributes:
    """
    An object that is no mapping, asked as if it were one.

    Args:
        value: The object.
    """

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def get(self, name: str) -> object:
        """The attribute of that name; `None` if there is none."""
        return getattr(self._value, name, None)


def getter_of(value: object) -> Callable[[str], object]:
    """What `dig` does for one name, for who asks the same object for several: found out once what it is."""
    kind = type(value)
    members: Any = value if kind is dict else with_members(value)
    kind = type(members)  # pyright: ignore[reportUnknownVariableType]
    if kind is dict:
        get: Callable[[str], object] = members.get
        return get
    return cast("Mapping[str, object]", members).get if isinstance(members, Mapping) else Attributes(members).get


def lacks(value: Any, names: frozenset[str]) -> bool:
    """Whether *value* is a mapping without any of *names*."""
    kind = type(value)  # pyright: ignore[reportUnknownVariableType]
    return kind is dict and names.isdisjoint(value)


def as_count(value: object) -> int | None:
    """A count of something: 0 or more. Whole floats and digits in a text are counts too; a bool is not."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 20 else None
    elif isinstance(value, float):
        value = int(value) if 0 <= value <= MAX_COUNT and value.is_integer() else None
    elif isinstance(value, Decimal):
        value = int(value) if value.is_finite() and 0 <= value <= MAX_COUNT and value == int(value) else None
    return value if isinstance(value, int) and 0 <= value <= MAX_COUNT else None


def as_amount(value: object) -> Decimal | None:
    """
    A number that may be money or seconds: 0 or more, and small enough to reckon with.

    A float is read by its shortest decimal form, which is what was on the wire up to 15 digits.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        # NumPy's floats are floats, and name their type in their own `repr`.
        amount = Decimal(float.__repr__(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and NOTHING <= amount <= MOST else None


def as_name(value: object) -> str | None:
    """A text that says something."""
    return value if isinstance(value, str) and value else None


def as_instant(value: object) -> UnixNanos | None:
    """An instant that is given in whole seconds since 1970, as OpenAI does."""
    seconds = as_count(value)
    return UnixNanos(seconds * 10**9) if seconds and seconds <= MAX_COUNT // 10**9 else None


def as_items(value: Any) -> Iterable[object]:
    """The items of a list; nothing for anything else."""
    return value if isinstance(value, list) else ()  # pyright: ignore[reportUnknownVariableType]


def as_fields(value: Any) -> Mapping[str, object]:
    """A mapping; an empty one for anything else. Of a subclass of `dict` no method is called: it may do anything."""
    kind = type(value)  # pyright: ignore[reportUnknownVariableType]
    if value is None or kind is dict:  # nearly always; the check for other mappings is dear
        return {} if value is None else value
    if isinstance(value, dict):
        return dict(dict[str, object].items(cast("dict[str, object]", value)))
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def first_count(value: object, paths: tuple[Path, ...]) -> int | None:
    """The first of *paths* that leads to a count."""
    for path in paths:
        count = as_count(dig(value, *path))
        if count is not None:
            return count
    return None
