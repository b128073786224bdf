"""Reading foreign values: mappings and objects alike, without trusting any of them."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final, cast

from .._record import UnixNanos

Path = tuple[str, ...]
"""Names to follow from an answer to a value: ``("usage", "prompt_tokens")``."""

MAX_COUNT: Final = 2**63 - 1
"""What an OTLP integer can hold."""

MAX_AMOUNT: Final = 10**20
"""The largest price that Ramp can hold, in the smallest unit that anybody counts in (xAI's ticks)."""


def dig(value: object, *path: str) -> object:
    """Follow *path* through mappings and attributes; `None` where it ends early."""
    for name in path:
        if type(value) is dict:  # by far the most frequent, and the check for others is ten times as dear
            value = cast("dict[str, object]", value).get(name)
        elif isinstance(value, Mapping):
            value = cast("Mapping[str, object]", value).get(name)
        else:
            value = getattr(value, name, None)
        if value is None:
            return None
    return value


def with_members(value: object) -> object:
    """
    An object of a client library as a mapping of what it holds: asking it for what it lacks is dear.

    Anything else is returned as it is.
    """
    given = value
    if isinstance(value, Mapping):
        return given
    held, extra = getattr(given, "__dict__", None), getattr(given, "__pydantic_extra__", None)
    if type(held) is not dict:
        return given
    members = cast("dict[str, object]", held)
    return {**members, **cast("dict[str, object]", extra)} if type(extra) is dict else members


def lacks(value: object, names: frozenset[str]) -> bool:
    """Whether *value* is a mapping without any of *names*."""
    return type(value) is dict and names.isdisjoint(cast("dict[str, object]", value))


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
        amount = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount <= MAX_AMOUNT else None


def as_name(value: object) -> str | None:
    """A text that says something."""
    return value if isinstance(value, str) and value else None


def as_instant(value: object) -> UnixNanos | None:
    """An instant that is given in whole seconds since 1970, as OpenAI does."""
    seconds = as_count(value)
    return UnixNanos(seconds * 10**9) if seconds and seconds <= MAX_COUNT // 10**9 else None


def as_items(value: object) -> Iterable[object]:
    """The items of a list; nothing for anything else."""
    return cast("list[object]", value) if isinstance(value, list) else ()


def as_fields(value: object) -> Mapping[str, object]:
    """A mapping; an empty one for anything else. Of a subclass of `dict` no method is called: it may do anything."""
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return fields if type(fields) is dict else dict(dict[str, object].items(fields))
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def first_count(value: object, paths: tuple[Path, ...]) -> int | None:
    """The first of *paths* that leads to a count."""
    for path in paths:
        count = as_count(dig(value, *path))
        if count is not None:
            return count
    return None
