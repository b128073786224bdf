"""Content and metadata as they are sent: JSON text and scalars."""

from collections.abc import Callable, Iterator
from typing import Final

import orjson

from .._guard import guarded
from ._text import clean_text, shortened
from ._usual import usual_json
from ._walk import Plain, Walk

MAX_CONTENT_BYTES: Final = 500_000
"""Of each of the two texts of a record, prompt and answer: together with them it still fits a request of 1 MiB."""

UNCUT_BYTES: Final = MAX_CONTENT_BYTES - MAX_CONTENT_BYTES // 64
"""Up to here nothing is cut: what is not text takes some room too."""

MAX_METADATA_BYTES: Final = 4096
"""Metadata is grouped by and filtered by; what is longer is content in the wrong place."""

UNCUT_METADATA_BYTES: Final = MAX_METADATA_BYTES - MAX_METADATA_BYTES // 64

ATTEMPTS: Final = 6
"""Each one cuts in proportion to what is too much; text that is all control characters needs the most, four."""

UNREADABLE: Final = "[unreadable]"


def json_text(value: object) -> str:
    """
    *value* as JSON text, without pictures, sound and files, and at most half a megabyte of it.

    Args:
        value: JSON-like: containers, scalars, models of client libraries. What is neither becomes ``[TypeName]``.
    """
    try:
        usual = usual_json(value, UNCUT_BYTES)
        if usual is not None:
            return usual.decode()
        walk = Walk()
        plain = walk.read(value)
        return bounded(plain, walk.characters, MAX_CONTENT_BYTES)
    except BaseException:  # to enter a block each time takes a tenth of all this
        with guarded("preparing content"):
            raise
    return f'"{UNREADABLE}"'


def metadata_value(value: object) -> str | int | float | bool | None:
    """
    *value* as an attribute can hold it.

    Returns:
        A scalar as it is, except that a number that JSON or 64 bits cannot hold is text; anything nested as JSON
        text; `None` for `None`. Text is cut at 4,096 characters.
    """
    with guarded("reading metadata"):
        kind: object = type(value)
        if kind is list or kind is dict:
            usual = usual_json(value, UNCUT_METADATA_BYTES)
            if usual is not None:
                return usual.decode()
        walk = Walk()
        plain = walk.read(value)
        if isinstance(plain, str):
            return shortened(clean_text(plain), MAX_METADATA_BYTES)
        if isinstance(plain, (dict, list)):
            return bounded(plain, walk.characters, MAX_METADATA_BYTES)
        return plain
    return UNREADABLE


def bounded(plain: Plain, characters: int, max_bytes: int) -> str:
    """*plain* as JSON of at most *max_bytes*; to get there its longest texts are cut, as often as it takes."""
    budget = max_bytes - max_bytes // 64  # what is not text takes some room too
    encoded = _dumped(plain if characters <= budget else _cut(plain, budget))
    whole_bytes = len(encoded)
    for _ in range(ATTEMPTS):
        if len(encoded) <= max_bytes:
            return encoded.decode()
        budget = budget * max_bytes // len(encoded) - budget // 16
        encoded = _dumped(_cut(plain, budget))
    return f'"[{max(whole_bytes, characters)} bytes left out]"'


def _cut(plain: Plain, budget: int) -> Plain:
    limit = _fair_limit(sorted(map(len, _texts(plain))), max(budget, 0))
    return _changed(plain, lambda text: shortened(text, limit))


def _fair_limit(lengths: list[int], budget: int) -> int:
    """
    The length at which texts of these lengths must be cut so that together they keep to a budget.

    Args:
        lengths: In ascending order: the short ones stay whole, and leave what they do not use to the long ones.
        budget: In characters.
    """
    for index, length in enumerate(lengths):
        share = budget // (len(lengths) - index)
        if length > share:
            return share
        budget -= length
    return budget


def _dumped(plain: Plain) -> bytes:
    try:
        return orjson.dumps(plain)
    except TypeError:  # the only thing left in there that it refuses: half a surrogate pair
        return orjson.dumps(_changed(plain, clean_text))


def _texts(plain: Plain) -> Iterator[str]:
    if isinstance(plain, str):
        yield plain
    elif isinstance(plain, (dict, list)):
        for item in plain.values() if isinstance(plain, dict) else plain:
            yield from _texts(item)


def _changed(plain: Plain, change: Callable[[str], str]) -> Plain:
    """A copy of *plain* with every text changed; keys stay."""
    if isinstance(plain, str):
        return change(plain)
    if isinstance(plain, dict):
        return {name: _changed(item, change) for name, item in plain.items()}
    if isinstance(plain, list):
        return [_changed(item, change) for item in plain]
    return plain
