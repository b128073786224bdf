"""From whatever a record holds to what OTLP can carry. Nothing here raises, whatever it is given."""

import logging
import math
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any, Final

from .._capture import clean_text, metadata_value
from .._guard import log
from .._record import UnixNanos
from ._span import Value

MAX_ID_CHARACTERS: Final = 128
"""OpenRouter's limit for ``user`` and ``session_id``."""

MAX_INSTANT: Final = 2**64 - 1
"""OTLP's instants are unsigned 64-bit integers."""

MAX_TEXT_CHARACTERS: Final = 4096
"""Of whatever is not content; the name of a model is as long as a server likes."""

PLACES: Final = Decimal("1E-10")
"""Ramp stores ``Decimal(20, 10)``."""

EXACT: Final = Context(prec=64, rounding=ROUND_HALF_EVEN)
"""Wide enough for every amount that fits a double's neighbourhood; Python's default would round at 28 digits."""


WHOLE_DIGITS: Final = 50
"""Before the point; beyond, ten places more may not be exact."""


class JsonText(str):
    """A text of content: `_capture` has cleaned and bounded it already."""

    __slots__ = ()


def sound(value: object) -> Value | None:
    """
    *value* as an attribute can hold it.

    Returns:
        `None` where there is nothing to send. An integer beyond 64 bits and a float that is no number become text.
    """
    if type(value) is str and len(value) <= MAX_TEXT_CHARACTERS and value.isascii():  # what most values are
        return value
    convert = CONVERSIONS.get(type(value))
    if convert is not None:
        return convert(value)
    plain = metadata_value(value)
    convert = CONVERSIONS.get(type(plain))
    return None if convert is None else convert(plain)


def sound_text(text: str) -> str:
    """*text* as UTF-8 can encode it, and no more than its first 4,096 characters."""
    return clean_text(text[:MAX_TEXT_CHARACTERS])


def exact(amount: Decimal) -> Decimal | None:
    """*amount* to ten places; `None` for an infinity, for what is no number, and for absurdly large ones."""
    if amount.same_quantum(PLACES) and amount.adjusted() < WHOLE_DIGITS:  # as we reckon it: nothing is to be done
        return amount
    try:
        return amount.quantize(PLACES, context=EXACT) if amount.is_finite() else None
    except InvalidOperation:
        return None


def plain_notation(amount: Decimal) -> str:
    """*amount* without an exponent and without trailing zeros; a JSON number that reads back as the same decimal."""
    digits = reckoned_digits(amount)
    return format(amount.normalize(EXACT), "f") if digits is None else digits


def reckoned_digits(amount: Decimal) -> str | None:
    """The same of an amount as we reckon it, which `exact` would return as it is; `None` of any other."""
    digits = str(amount)
    if digits[-11:-10] == "." and len(digits) <= WHOLE_DIGITS and "E" not in digits:  # nearly always
        return digits.rstrip("0").rstrip(".")
    if not amount.same_quantum(PLACES) or amount.adjusted() >= WHOLE_DIGITS:
        return None
    return f"{amount:f}".rstrip("0").rstrip(".")


def usual_digits(*amounts: Decimal | None) -> tuple[bytes, ...] | None:
    """What `reckoned_digits` says of each amount, in half of the time; `None` unless all are as nearly all are."""
    written: list[bytes] = []
    for amount in amounts:
        if type(amount) is not Decimal:
            return None
        digits = str(amount)
        if digits[-11:-10] != "." or len(digits) > WHOLE_DIGITS or "E" in digits:
            return None
        written.append(digits.rstrip("0").rstrip(".").encode())
    return tuple(written)


def finite(value: object) -> float | None:
    """A number as a double; `None` for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < 2**1000 and math.isfinite(value) else None


def whole(value: object) -> int | None:
    """A number without a fraction as an integer; `None` for anything else."""
    number = finite(value)
    return int(number) if number is not None and number.is_integer() else None


def instant(nanos: int) -> UnixNanos:
    """*nanos* within what OTLP can hold."""
    return UnixNanos(min(max(nanos, 0), MAX_INSTANT))


def short_id(key: str, text: str | None) -> str | None:
    """
    The first 128 characters of a user's or a session's id, with a warning if there were more.

    Args:
        key: The attribute's key, for the log line.
        text: The id.
    """
    if not text or len(text) <= MAX_ID_CHARACTERS:
        return text or None
    log.once_a_minute(logging.WARNING, f"long {key}", f"{key} was cut at {MAX_ID_CHARACTERS} characters")
    return text[:MAX_ID_CHARACTERS]


def _sound_integer(number: int) -> int | str | float | bool | None:
    return number if -(2**63) <= number < 2**63 else metadata_value(number)


def _sound_float(number: float) -> int | str | float | bool | None:
    return number if math.isfinite(number) else metadata_value(number)


def _sound_texts(items: tuple[object, ...]) -> tuple[str, ...] | None:
    return tuple(sound_text(item) for item in items if isinstance(item, str)) or None


def _itself(value: Any) -> Any:
    return value


CONVERSIONS: Final[Mapping[type, Callable[[Any], Value | None]]] = {
    str: sound_text,
    JsonText: str,
    bool: _itself,
    int: _sound_integer,
    float: _sound_float,
    Decimal: exact,
    tuple: _sound_texts,
    type(None): _itself,
}
"""By exact type: a subclass may do anything in its methods, so it goes through `metadata_value` first."""
